//! The raw parse tree: what the grammar saw, before any name is looked up.
//!
//! Nodes and fields carry PostgreSQL's names (`parsenodes.h`, in snake_case). Where PostgreSQL has a `Node *` that may be
//! one of a few kinds, there is an enum of those kinds; a `NULL` pointer is `None`, a `NIL` list an empty `Vec`.
//!
//! - [`expr`]: expressions, types, window definitions, SQL/XML and SQL/JSON
//! - [`query`]: SELECT, INSERT, UPDATE, DELETE, MERGE and what stands in FROM
//! - [`table`]: tables, columns, constraints, indexes, views, ALTER TABLE
//! - [`define`]: all other definitions: functions, types, roles, policies, publications, ...
//! - [`utility`]: transactions, settings, COPY, EXPLAIN, VACUUM, cursors, ...
//!
//! Invariants
//! - Every depth of the tree is bounded by the parser's depth limit, apart from [`AExpr::lexpr`] (`1 + 1 + 1 + ...`), which may
//!   be as deep as the text is long. `AExpr` drops and clones that chain in a loop; whoever walks it should check the stack.
//! - All locations are byte offsets into the text that was parsed.
//!
//! PostgreSQL: `nodes/parsenodes.h`, `nodes/primnodes.h` (raw-parse-tree part).

pub mod define;
pub mod expr;
pub mod query;
pub mod table;
pub mod utility;

pub use define::*;
pub use expr::*;
pub use query::*;
pub use table::*;
pub use utility::*;

pub use base::error::Location;

/// One statement of the text. (PostgreSQL: `RawStmt`)
#[derive(Debug, Clone, PartialEq)]
pub struct RawStmt {
    pub stmt: Statement,
    /// Where its text starts, without blanks and comments before it.
    pub location: Location,
    /// Its length in bytes; 0 means "the rest of the text".
    pub len: i32,
}

/// A statement of any kind.
#[derive(Debug, Clone, PartialEq)]
pub enum Statement {
    // Queries
    Select(Box<SelectStmt>),
    Insert(Box<InsertStmt>),
    Update(Box<UpdateStmt>),
    Delete(Box<DeleteStmt>),
    Merge(Box<MergeStmt>),
    /// Only in the body of a function: `RETURN expr`.
    Return(Box<ReturnStmt>),
    /// Only from [`crate::parse_plpgsql_assign`].
    PLAssign(Box<PLAssignStmt>),

    // Tables and what belongs to them
    CreateStmt(Box<CreateStmt>),
    CreateForeignTable(Box<CreateForeignTableStmt>),
    CreateTableAs(Box<CreateTableAsStmt>),
    RefreshMatView(Box<RefreshMatViewStmt>),
    AlterTable(Box<AlterTableStmt>),
    AlterTableMoveAll(Box<AlterTableMoveAllStmt>),
    IndexStmt(Box<IndexStmt>),
    ViewStmt(Box<ViewStmt>),
    CreateStats(Box<CreateStatsStmt>),
    AlterStats(Box<AlterStatsStmt>),
    CreateTrigger(Box<CreateTrigStmt>),
    CreateRule(Box<RuleStmt>),
    CreatePolicy(Box<CreatePolicyStmt>),
    AlterPolicy(Box<AlterPolicyStmt>),
    CreateSeq(Box<CreateSeqStmt>),
    AlterSeq(Box<AlterSeqStmt>),

    // Objects of any kind
    DropStmt(Box<DropStmt>),
    TruncateStmt(Box<TruncateStmt>),
    CommentStmt(Box<CommentStmt>),
    SecLabel(Box<SecLabelStmt>),
    Rename(Box<RenameStmt>),
    AlterObjectSchema(Box<AlterObjectSchemaStmt>),
    AlterObjectDepends(Box<AlterObjectDependsStmt>),
    AlterOwner(Box<AlterOwnerStmt>),
    DropOwned(Box<DropOwnedStmt>),
    ReassignOwned(Box<ReassignOwnedStmt>),

    // Roles and privileges
    CreateRole(Box<CreateRoleStmt>),
    AlterRole(Box<AlterRoleStmt>),
    AlterRoleSet(Box<AlterRoleSetStmt>),
    DropRole(Box<DropRoleStmt>),
    Grant(Box<GrantStmt>),
    GrantRole(Box<GrantRoleStmt>),
    AlterDefaultPrivileges(Box<AlterDefaultPrivilegesStmt>),

    // Databases, schemas, tablespaces, extensions
    CreateDatabase(Box<CreatedbStmt>),
    AlterDatabase(Box<AlterDatabaseStmt>),
    AlterDatabaseSet(Box<AlterDatabaseSetStmt>),
    AlterDatabaseRefreshColl(Box<AlterDatabaseRefreshCollStmt>),
    DropDatabase(Box<DropdbStmt>),
    CreateSchema(Box<CreateSchemaStmt>),
    CreateTableSpace(Box<CreateTableSpaceStmt>),
    DropTableSpace(Box<DropTableSpaceStmt>),
    AlterTableSpaceOptions(Box<AlterTableSpaceOptionsStmt>),
    CreateExtension(Box<CreateExtensionStmt>),
    AlterExtension(Box<AlterExtensionStmt>),
    AlterExtensionContents(Box<AlterExtensionContentsStmt>),

    // Functions and types
    CreateFunction(Box<CreateFunctionStmt>),
    AlterFunction(Box<AlterFunctionStmt>),
    Do(Box<DoStmt>),
    Call(Box<CallStmt>),
    /// CREATE AGGREGATE, OPERATOR, TYPE (base and shell), COLLATION, TEXT SEARCH ...
    Define(Box<DefineStmt>),
    CompositeType(Box<CompositeTypeStmt>),
    CreateEnum(Box<CreateEnumStmt>),
    AlterEnum(Box<AlterEnumStmt>),
    CreateRange(Box<CreateRangeStmt>),
    AlterType(Box<AlterTypeStmt>),
    CreateDomain(Box<CreateDomainStmt>),
    AlterDomain(Box<AlterDomainStmt>),
    CreateCast(Box<CreateCastStmt>),
    CreateTransform(Box<CreateTransformStmt>),
    CreateConversion(Box<CreateConversionStmt>),
    AlterCollation(Box<AlterCollationStmt>),
    AlterOperator(Box<AlterOperatorStmt>),
    CreateOpClass(Box<CreateOpClassStmt>),
    CreateOpFamily(Box<CreateOpFamilyStmt>),
    AlterOpFamily(Box<AlterOpFamilyStmt>),
    CreateAm(Box<CreateAmStmt>),
    CreatePLang(Box<CreatePLangStmt>),
    AlterTSDictionary(Box<AlterTSDictionaryStmt>),
    AlterTSConfiguration(Box<AlterTSConfigurationStmt>),
    CreateEventTrigger(Box<CreateEventTrigStmt>),
    AlterEventTrigger(Box<AlterEventTrigStmt>),

    // Foreign data
    CreateFdw(Box<CreateFdwStmt>),
    AlterFdw(Box<AlterFdwStmt>),
    CreateForeignServer(Box<CreateForeignServerStmt>),
    AlterForeignServer(Box<AlterForeignServerStmt>),
    CreateUserMapping(Box<CreateUserMappingStmt>),
    AlterUserMapping(Box<AlterUserMappingStmt>),
    DropUserMapping(Box<DropUserMappingStmt>),
    ImportForeignSchema(Box<ImportForeignSchemaStmt>),

    // Logical replication
    CreatePublication(Box<CreatePublicationStmt>),
    AlterPublication(Box<AlterPublicationStmt>),
    CreateSubscription(Box<CreateSubscriptionStmt>),
    AlterSubscription(Box<AlterSubscriptionStmt>),
    DropSubscription(Box<DropSubscriptionStmt>),

    // Utility
    Transaction(Box<TransactionStmt>),
    VariableSet(Box<VariableSetStmt>),
    VariableShow(Box<VariableShowStmt>),
    AlterSystem(Box<AlterSystemStmt>),
    CopyStmt(Box<CopyStmt>),
    ExplainStmt(Box<ExplainStmt>),
    VacuumStmt(Box<VacuumStmt>),
    Cluster(Box<ClusterStmt>),
    Reindex(Box<ReindexStmt>),
    Prepare(Box<PrepareStmt>),
    Execute(Box<ExecuteStmt>),
    Deallocate(Box<DeallocateStmt>),
    DeclareCursor(Box<DeclareCursorStmt>),
    Fetch(Box<FetchStmt>),
    ClosePortal(Box<ClosePortalStmt>),
    Lock(Box<LockStmt>),
    ConstraintsSet(Box<ConstraintsSetStmt>),
    Notify(Box<NotifyStmt>),
    Listen(Box<ListenStmt>),
    Unlisten(Box<UnlistenStmt>),
    Discard(Box<DiscardStmt>),
    Load(Box<LoadStmt>),
    Checkpoint,
}
