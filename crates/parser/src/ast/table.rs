//! Tables, columns, constraints, indexes, views and ALTER TABLE as written.
//!
//! PostgreSQL: `CreateStmt`, `ColumnDef`, `Constraint`, `AlterTableCmd`, ... of `parsenodes.h`.

use super::*;

/// CREATE TABLE.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct CreateStmt {
    pub relation: RangeVar,
    pub table_elts: Vec<TableElement>,
    /// INHERITS, or the one parent of PARTITION OF.
    pub inh_relations: Vec<RangeVar>,
    pub partbound: Option<PartitionBoundSpec>,
    pub partspec: Option<PartitionSpec>,
    pub of_typename: Option<TypeName>,
    pub options: Vec<DefElem>,
    pub oncommit: OnCommitAction,
    pub tablespacename: Option<String>,
    pub access_method: Option<String>,
    pub if_not_exists: bool,
}

/// What stands in the parentheses of CREATE TABLE.
#[derive(Debug, Clone, PartialEq)]
pub enum TableElement {
    ColumnDef(Box<ColumnDef>),
    TableLikeClause(TableLikeClause),
    Constraint(Box<Constraint>),
}

#[derive(Debug, Clone, PartialEq, Default)]
pub struct ColumnDef {
    pub colname: String,
    /// Missing for a column of a typed table or partition: `name WITH OPTIONS ...`.
    pub type_name: Option<TypeName>,
    pub compression: Option<String>,
    /// Number of times the column is inherited; 0 from the parser.
    pub inhcount: i16,
    pub is_local: bool,
    pub is_not_null: bool,
    pub is_from_type: bool,
    /// `attstorage`, or `'\0'`.
    pub storage: char,
    /// STORAGE as written.
    pub storage_name: Option<String>,
    /// Filled when constraints are transformed; in ALTER COLUMN TYPE the USING expression.
    pub raw_default: Option<Expr>,
    /// `attidentity`, or `'\0'`.
    pub identity: char,
    pub identity_sequence: Option<RangeVar>,
    /// `attgenerated`, or `'\0'`.
    pub generated: char,
    pub coll_clause: Option<CollateClause>,
    pub constraints: Vec<Constraint>,
    pub fdwoptions: Vec<DefElem>,
    pub location: Location,
}

/// Bits of [`TableLikeClause::options`]. (PostgreSQL: `CREATE_TABLE_LIKE_*`)
pub mod table_like {
    pub const COMMENTS: u32 = 1 << 0;
    pub const COMPRESSION: u32 = 1 << 1;
    pub const CONSTRAINTS: u32 = 1 << 2;
    pub const DEFAULTS: u32 = 1 << 3;
    pub const GENERATED: u32 = 1 << 4;
    pub const IDENTITY: u32 = 1 << 5;
    pub const INDEXES: u32 = 1 << 6;
    pub const STATISTICS: u32 = 1 << 7;
    pub const STORAGE: u32 = 1 << 8;
    pub const ALL: u32 = 0x7FFF_FFFF;
}

/// `LIKE table INCLUDING ...`
#[derive(Debug, Clone, PartialEq)]
pub struct TableLikeClause {
    pub relation: RangeVar,
    /// Bits of [`table_like`].
    pub options: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConstrType {
    Null,
    NotNull,
    Default,
    Identity,
    Generated,
    Check,
    Primary,
    Unique,
    Exclusion,
    Foreign,
    AttrDeferrable,
    AttrNotDeferrable,
    AttrDeferred,
    AttrImmediate,
    AttrEnforced,
    AttrNotEnforced,
}

/// `ON DELETE`, `ON UPDATE`. (PostgreSQL: `FKCONSTR_ACTION_*`)
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum FkAction {
    #[default]
    NoAction,
    Restrict,
    Cascade,
    SetNull,
    SetDefault,
}

impl FkAction {
    /// As in `pg_constraint.confupdtype`.
    pub fn as_char(self) -> char {
        match self {
            FkAction::NoAction => 'a',
            FkAction::Restrict => 'r',
            FkAction::Cascade => 'c',
            FkAction::SetNull => 'n',
            FkAction::SetDefault => 'd',
        }
    }
}

/// `MATCH ...`. PARTIAL is refused by the grammar. (PostgreSQL: `FKCONSTR_MATCH_*`)
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum FkMatch {
    Full,
    #[default]
    Simple,
}

impl FkMatch {
    /// As in `pg_constraint.confmatchtype`.
    pub fn as_char(self) -> char {
        match self {
            FkMatch::Full => 'f',
            FkMatch::Simple => 's',
        }
    }
}

/// GENERATED ALWAYS or BY DEFAULT. (PostgreSQL: `ATTRIBUTE_IDENTITY_*`)
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GeneratedWhen {
    /// 'a'
    Always,
    /// 'd'
    ByDefault,
}

/// STORED or VIRTUAL. (PostgreSQL: `ATTRIBUTE_GENERATED_*`)
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GeneratedKind {
    /// 's'
    Stored,
    /// 'v'
    Virtual,
}

/// An element of EXCLUDE: `element WITH operator`. (PostgreSQL: a two-element list)
#[derive(Debug, Clone, PartialEq)]
pub struct ExclusionElem {
    pub elem: IndexElem,
    pub oper: Vec<String>,
}

/// A constraint of a column, table or domain.
#[derive(Debug, Clone, PartialEq)]
pub struct Constraint {
    pub contype: ConstrType,
    pub conname: Option<String>,
    pub deferrable: bool,
    pub initdeferred: bool,
    pub is_enforced: bool,
    pub skip_validation: bool,
    pub initially_valid: bool,
    pub is_no_inherit: bool,
    /// Of CHECK, DEFAULT and GENERATED AS.
    pub raw_expr: Option<Expr>,
    pub generated_when: Option<GeneratedWhen>,
    pub generated_kind: Option<GeneratedKind>,
    pub nulls_not_distinct: bool,
    /// The columns; of NOT NULL as a table constraint the one column.
    pub keys: Vec<String>,
    pub without_overlaps: bool,
    pub including: Vec<String>,
    pub exclusions: Vec<ExclusionElem>,
    /// Of WITH (..), or of an identity's sequence.
    pub options: Vec<DefElem>,
    /// USING INDEX
    pub indexname: Option<String>,
    pub indexspace: Option<String>,
    pub access_method: Option<String>,
    pub where_clause: Option<Expr>,
    pub pktable: Option<RangeVar>,
    pub fk_attrs: Vec<String>,
    pub pk_attrs: Vec<String>,
    pub fk_with_period: bool,
    pub pk_with_period: bool,
    pub fk_matchtype: FkMatch,
    pub fk_upd_action: FkAction,
    pub fk_del_action: FkAction,
    pub fk_del_set_cols: Vec<String>,
    pub location: Location,
}

impl Constraint {
    /// Enforced and valid, everything else absent.
    pub fn new(contype: ConstrType, location: Location) -> Constraint {
        Constraint {
            contype,
            conname: None,
            deferrable: false,
            initdeferred: false,
            is_enforced: true,
            skip_validation: false,
            initially_valid: true,
            is_no_inherit: false,
            raw_expr: None,
            generated_when: None,
            generated_kind: None,
            nulls_not_distinct: false,
            keys: Vec::new(),
            without_overlaps: false,
            including: Vec::new(),
            exclusions: Vec::new(),
            options: Vec::new(),
            indexname: None,
            indexspace: None,
            access_method: None,
            where_clause: None,
            pktable: None,
            fk_attrs: Vec::new(),
            pk_attrs: Vec::new(),
            fk_with_period: false,
            pk_with_period: false,
            fk_matchtype: FkMatch::Simple,
            fk_upd_action: FkAction::NoAction,
            fk_del_action: FkAction::NoAction,
            fk_del_set_cols: Vec::new(),
            location,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PartitionStrategy {
    List,
    Range,
    Hash,
}

impl PartitionStrategy {
    /// As in `pg_partitioned_table.partstrat`.
    pub fn as_char(self) -> char {
        match self {
            PartitionStrategy::List => 'l',
            PartitionStrategy::Range => 'r',
            PartitionStrategy::Hash => 'h',
        }
    }
}

/// `PARTITION BY strategy (params)`
#[derive(Debug, Clone, PartialEq)]
pub struct PartitionSpec {
    pub strategy: PartitionStrategy,
    pub part_params: Vec<PartitionElem>,
    pub location: Location,
}

/// A column (`name`) or an expression.
#[derive(Debug, Clone, PartialEq)]
pub struct PartitionElem {
    pub name: Option<String>,
    pub expr: Option<Expr>,
    pub collation: Vec<String>,
    pub opclass: Vec<String>,
    pub location: Location,
}

/// FOR VALUES, or DEFAULT.
#[derive(Debug, Clone, PartialEq)]
pub struct PartitionBoundSpec {
    /// `None` for DEFAULT.
    pub strategy: Option<PartitionStrategy>,
    pub is_default: bool,
    pub modulus: i32,
    pub remainder: i32,
    pub listdatums: Vec<Expr>,
    /// MINVALUE and MAXVALUE are still column references.
    pub lowerdatums: Vec<Expr>,
    pub upperdatums: Vec<Expr>,
    pub location: Location,
}

/// CREATE INDEX.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct IndexStmt {
    pub idxname: Option<String>,
    pub relation: RangeVar,
    /// `btree` when not written.
    pub access_method: String,
    pub table_space: Option<String>,
    pub index_params: Vec<IndexElem>,
    pub index_including_params: Vec<IndexElem>,
    pub options: Vec<DefElem>,
    pub where_clause: Option<Expr>,
    pub unique: bool,
    pub nulls_not_distinct: bool,
    pub concurrent: bool,
    pub if_not_exists: bool,
    /// The rest is filled by the transformation of constraints, never by the grammar.
    pub exclude_op_names: Vec<Vec<String>>,
    pub primary: bool,
    pub isconstraint: bool,
    pub iswithoutoverlaps: bool,
    pub deferrable: bool,
    pub initdeferred: bool,
}

/// A column (`name`) or an expression of an index.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct IndexElem {
    pub name: Option<String>,
    pub expr: Option<Expr>,
    pub indexcolname: Option<String>,
    pub collation: Vec<String>,
    pub opclass: Vec<String>,
    pub opclassopts: Vec<DefElem>,
    pub ordering: SortByDir,
    pub nulls_ordering: SortByNulls,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ViewCheckOption {
    #[default]
    None,
    Local,
    Cascaded,
}

#[derive(Debug, Clone, PartialEq)]
pub struct ViewStmt {
    pub view: RangeVar,
    pub aliases: Vec<String>,
    pub query: Box<SelectStmt>,
    pub replace: bool,
    pub options: Vec<DefElem>,
    pub with_check_option: ViewCheckOption,
}

/// CREATE TABLE AS, CREATE MATERIALIZED VIEW. The grammar leaves SELECT INTO as `SelectStmt::into_clause`.
#[derive(Debug, Clone, PartialEq)]
pub struct CreateTableAsStmt {
    /// Select, or Execute.
    pub query: Statement,
    pub into: IntoClause,
    /// `Table` or `Matview`.
    pub objtype: ObjectType,
    pub is_select_into: bool,
    pub if_not_exists: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub struct RefreshMatViewStmt {
    pub concurrent: bool,
    pub skip_data: bool,
    pub relation: RangeVar,
}

/// ALTER TABLE, INDEX, SEQUENCE, VIEW, MATERIALIZED VIEW, FOREIGN TABLE, and TYPE for a composite type.
#[derive(Debug, Clone, PartialEq)]
pub struct AlterTableStmt {
    pub relation: RangeVar,
    pub cmds: Vec<AlterTableCmd>,
    pub objtype: ObjectType,
    pub missing_ok: bool,
}

/// (PostgreSQL: `AT_*`; those that no grammar rule makes are left out)
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AlterTableType {
    AddColumn,
    ColumnDefault,
    DropNotNull,
    SetNotNull,
    SetExpression,
    DropExpression,
    SetStatistics,
    SetOptions,
    ResetOptions,
    SetStorage,
    SetCompression,
    DropColumn,
    AddConstraint,
    AlterConstraint,
    ValidateConstraint,
    DropConstraint,
    AlterColumnType,
    AlterColumnGenericOptions,
    ChangeOwner,
    ClusterOn,
    DropCluster,
    SetLogged,
    SetUnLogged,
    DropOids,
    SetAccessMethod,
    SetTableSpace,
    SetRelOptions,
    ResetRelOptions,
    EnableTrig,
    EnableAlwaysTrig,
    EnableReplicaTrig,
    DisableTrig,
    EnableTrigAll,
    DisableTrigAll,
    EnableTrigUser,
    DisableTrigUser,
    EnableRule,
    EnableAlwaysRule,
    EnableReplicaRule,
    DisableRule,
    AddInherit,
    DropInherit,
    AddOf,
    DropOf,
    ReplicaIdentity,
    EnableRowSecurity,
    DisableRowSecurity,
    ForceRowSecurity,
    NoForceRowSecurity,
    GenericOptions,
    AttachPartition,
    DetachPartition,
    DetachPartitionFinalize,
    AddIdentity,
    SetIdentity,
    DropIdentity,
}

#[derive(Debug, Clone, PartialEq)]
pub struct AlterTableCmd {
    pub subtype: AlterTableType,
    pub name: Option<String>,
    /// The column's number, for index expressions in SET STATISTICS; 0 when named.
    pub num: i16,
    pub newowner: Option<RoleSpec>,
    pub def: Option<AlterTableDef>,
    pub behavior: DropBehavior,
    pub missing_ok: bool,
}

/// What an ALTER TABLE subcommand carries.
#[derive(Debug, Clone, PartialEq)]
pub enum AlterTableDef {
    /// AddColumn, AlterColumnType
    ColumnDef(Box<ColumnDef>),
    /// AddConstraint, AddIdentity
    Constraint(Box<Constraint>),
    /// ColumnDefault, SetExpression
    Expr(Box<Expr>),
    /// SetStatistics; absent for DEFAULT
    Integer(i32),
    /// SetStorage, SetCompression
    String(String),
    /// SetOptions, SetRelOptions, GenericOptions, SetIdentity, ...
    Options(Vec<DefElem>),
    /// AddInherit, DropInherit
    RangeVar(RangeVar),
    /// AddOf
    TypeName(TypeName),
    ReplicaIdentity(ReplicaIdentityStmt),
    AlterConstraint(ATAlterConstraint),
    /// AttachPartition, DetachPartition, DetachPartitionFinalize
    PartitionCmd(Box<PartitionCmd>),
}

#[derive(Debug, Clone, PartialEq)]
pub struct ATAlterConstraint {
    pub conname: String,
    pub alter_enforceability: bool,
    pub is_enforced: bool,
    pub alter_deferrability: bool,
    pub deferrable: bool,
    pub initdeferred: bool,
    pub alter_inheritability: bool,
    pub noinherit: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub struct ReplicaIdentityStmt {
    /// `pg_class.relreplident`: n, f, d, i.
    pub identity_type: char,
    pub name: Option<String>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct PartitionCmd {
    pub name: RangeVar,
    pub bound: Option<PartitionBoundSpec>,
    pub concurrent: bool,
}

/// `ALTER TABLE ALL IN TABLESPACE`
#[derive(Debug, Clone, PartialEq)]
pub struct AlterTableMoveAllStmt {
    pub orig_tablespacename: String,
    /// `Table`, `Index` or `Matview`.
    pub objtype: ObjectType,
    pub roles: Vec<RoleSpec>,
    pub new_tablespacename: String,
    pub nowait: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub struct CreateStatsStmt {
    pub defnames: Vec<String>,
    pub stat_types: Vec<String>,
    pub exprs: Vec<StatsElem>,
    pub relations: Vec<FromItem>,
    pub if_not_exists: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub struct StatsElem {
    pub name: Option<String>,
    pub expr: Option<Expr>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct AlterStatsStmt {
    pub defnames: Vec<String>,
    /// `None` for DEFAULT.
    pub stxstattarget: Option<i32>,
    pub missing_ok: bool,
}

/// Bits of [`CreateTrigStmt::timing`] and [`CreateTrigStmt::events`]. (PostgreSQL: `TRIGGER_TYPE_*`)
pub mod trigger_type {
    pub const ROW: i16 = 1 << 0;
    pub const BEFORE: i16 = 1 << 1;
    pub const INSERT: i16 = 1 << 2;
    pub const DELETE: i16 = 1 << 3;
    pub const UPDATE: i16 = 1 << 4;
    pub const TRUNCATE: i16 = 1 << 5;
    pub const INSTEAD: i16 = 1 << 6;
    pub const AFTER: i16 = 0;
}

#[derive(Debug, Clone, PartialEq)]
pub struct CreateTrigStmt {
    pub replace: bool,
    pub isconstraint: bool,
    pub trigname: String,
    pub relation: RangeVar,
    pub funcname: Vec<String>,
    pub args: Vec<String>,
    pub row: bool,
    pub timing: i16,
    pub events: i16,
    /// Of UPDATE OF.
    pub columns: Vec<String>,
    pub when_clause: Option<Expr>,
    pub transition_rels: Vec<TriggerTransition>,
    pub deferrable: bool,
    pub initdeferred: bool,
    pub constrrel: Option<RangeVar>,
}

/// REFERENCING
#[derive(Debug, Clone, PartialEq)]
pub struct TriggerTransition {
    pub name: String,
    pub is_new: bool,
    pub is_table: bool,
}

/// CREATE RULE.
#[derive(Debug, Clone, PartialEq)]
pub struct RuleStmt {
    pub relation: RangeVar,
    pub rulename: String,
    pub where_clause: Option<Expr>,
    pub event: CmdType,
    pub instead: bool,
    pub actions: Vec<Statement>,
    pub replace: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub struct CreatePolicyStmt {
    pub policy_name: String,
    pub table: RangeVar,
    /// all, select, insert, update, delete
    pub cmd_name: String,
    pub permissive: bool,
    pub roles: Vec<RoleSpec>,
    pub qual: Option<Expr>,
    pub with_check: Option<Expr>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct AlterPolicyStmt {
    pub policy_name: String,
    pub table: RangeVar,
    pub roles: Vec<RoleSpec>,
    pub qual: Option<Expr>,
    pub with_check: Option<Expr>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct CreateSeqStmt {
    pub sequence: RangeVar,
    pub options: Vec<DefElem>,
    pub for_identity: bool,
    pub if_not_exists: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub struct AlterSeqStmt {
    pub sequence: RangeVar,
    pub options: Vec<DefElem>,
    pub for_identity: bool,
    pub missing_ok: bool,
}
