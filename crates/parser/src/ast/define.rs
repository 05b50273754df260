//! Definitions other than of tables: functions, types, operators, roles, privileges, databases, foreign data, publications,
//! and the statements that work on objects of any kind.
//!
//! PostgreSQL: `DefElem`, `DefineStmt`, `GrantStmt`, `DropStmt`, ... of `parsenodes.h`.

use super::*;

/// What a statement is about. (PostgreSQL: `OBJECT_*`)
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ObjectType {
    AccessMethod,
    Aggregate,
    Amop,
    Amproc,
    Attribute,
    Cast,
    Column,
    Collation,
    Conversion,
    Database,
    Default,
    Defacl,
    Domain,
    DomConstraint,
    EventTrigger,
    Extension,
    Fdw,
    ForeignServer,
    ForeignTable,
    Function,
    Index,
    Language,
    LargeObject,
    Matview,
    Opclass,
    Operator,
    Opfamily,
    ParameterAcl,
    Policy,
    Procedure,
    Publication,
    PublicationNamespace,
    PublicationRel,
    Role,
    Routine,
    Rule,
    Schema,
    Sequence,
    Subscription,
    StatisticExt,
    TabConstraint,
    Table,
    Tablespace,
    Transform,
    Trigger,
    TsConfiguration,
    TsDictionary,
    TsParser,
    TsTemplate,
    Type,
    UserMapping,
    View,
}

/// The name of an object, in the form its kind has.
#[derive(Debug, Clone, PartialEq)]
pub enum Object {
    /// Kinds without a schema: database, role, schema, extension, ...
    Name(String),
    /// Relations, collations, ...; a column, constraint, trigger, rule or policy as the last part after its table; an operator
    /// class or family after its access method.
    QualifiedName(Vec<String>),
    /// Type, domain.
    TypeName(TypeName),
    /// Function, procedure, routine, aggregate, operator.
    WithArgs(ObjectWithArgs),
    /// `CONSTRAINT name ON DOMAIN type`
    DomainConstraint {
        type_name: TypeName,
        name: String,
    },
    Cast {
        source: TypeName,
        target: TypeName,
    },
    Transform {
        type_name: TypeName,
        lang: String,
    },
    /// The number of a large object, as `Integer` or `Float`.
    LargeObject(Value),
    /// GRANT ON TABLE, SEQUENCE: with ONLY or `*` not allowed.
    RangeVar(RangeVar),
}

/// A function or operator with the types that pick it among its namesakes.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ObjectWithArgs {
    pub objname: Vec<String>,
    /// Input argument types; for an operator or aggregate `None` stands for NONE.
    pub objargs: Vec<Option<TypeName>>,
    /// All parameters as written, for functions.
    pub objfuncargs: Vec<FunctionParameter>,
    /// No list was written.
    pub args_unspecified: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DropBehavior {
    #[default]
    Restrict,
    Cascade,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DefElemAction {
    #[default]
    Unspec,
    Set,
    Add,
    Drop,
}

/// `name [= arg]`, in the many lists of options.
#[derive(Debug, Clone, PartialEq)]
pub struct DefElem {
    pub defnamespace: Option<String>,
    pub defname: String,
    pub arg: Option<DefArg>,
    pub defaction: DefElemAction,
    pub location: Location,
}

/// The argument of a [`DefElem`].
#[derive(Debug, Clone, PartialEq)]
pub enum DefArg {
    Integer(i32),
    /// A number as written.
    Float(String),
    Boolean(bool),
    String(String),
    TypeName(TypeName),
    /// A name of several parts, an operator, or any list of strings.
    Names(Vec<String>),
    /// `*` (PostgreSQL: `A_Star`)
    Star,
    List(Vec<DefArg>),
    Role(RoleSpec),
    Roles(Vec<RoleSpec>),
    /// The settings of CREATE FUNCTION ... SET.
    VariableSet(Box<VariableSetStmt>),
    DefElems(Vec<DefElem>),
    /// A sequence's OWNED BY, or the relation that SEQUENCE NAME gives.
    RangeVar(RangeVar),
    Expr(Box<Expr>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RoleSpecType {
    CString,
    CurrentRole,
    CurrentUser,
    SessionUser,
    Public,
}

#[derive(Debug, Clone, PartialEq)]
pub struct RoleSpec {
    pub roletype: RoleSpecType,
    /// Of `CString` only.
    pub rolename: Option<String>,
    pub location: Location,
}

#[derive(Debug, Clone, PartialEq)]
pub struct DropStmt {
    pub objects: Vec<Object>,
    pub remove_type: ObjectType,
    pub behavior: DropBehavior,
    pub missing_ok: bool,
    pub concurrent: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub struct TruncateStmt {
    pub relations: Vec<RangeVar>,
    pub restart_seqs: bool,
    pub behavior: DropBehavior,
}

#[derive(Debug, Clone, PartialEq)]
pub struct CommentStmt {
    pub objtype: ObjectType,
    pub object: Object,
    /// `None`: remove.
    pub comment: Option<String>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct SecLabelStmt {
    pub objtype: ObjectType,
    pub object: Object,
    pub provider: Option<String>,
    pub label: Option<String>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct RenameStmt {
    pub rename_type: ObjectType,
    /// The kind of `relation` when a column or such is renamed.
    pub relation_type: ObjectType,
    pub relation: Option<RangeVar>,
    pub object: Option<Object>,
    /// The column, constraint, trigger, ...
    pub subname: Option<String>,
    pub newname: String,
    pub behavior: DropBehavior,
    pub missing_ok: bool,
}

/// `ALTER ... [NO] DEPENDS ON EXTENSION`
#[derive(Debug, Clone, PartialEq)]
pub struct AlterObjectDependsStmt {
    pub object_type: ObjectType,
    pub relation: Option<RangeVar>,
    pub object: Option<Object>,
    pub extname: String,
    pub remove: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub struct AlterObjectSchemaStmt {
    pub object_type: ObjectType,
    pub relation: Option<RangeVar>,
    pub object: Option<Object>,
    pub newschema: String,
    pub missing_ok: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub struct AlterOwnerStmt {
    pub object_type: ObjectType,
    pub object: Object,
    pub newowner: RoleSpec,
}

#[derive(Debug, Clone, PartialEq)]
pub struct DropOwnedStmt {
    pub roles: Vec<RoleSpec>,
    pub behavior: DropBehavior,
}

#[derive(Debug, Clone, PartialEq)]
pub struct ReassignOwnedStmt {
    pub roles: Vec<RoleSpec>,
    pub newrole: RoleSpec,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RoleStmtType {
    Role,
    User,
    Group,
}

#[derive(Debug, Clone, PartialEq)]
pub struct CreateRoleStmt {
    pub stmt_type: RoleStmtType,
    pub role: String,
    pub options: Vec<DefElem>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct AlterRoleStmt {
    pub role: RoleSpec,
    pub options: Vec<DefElem>,
    /// +1 to add members, -1 to drop them.
    pub action: i32,
}

#[derive(Debug, Clone, PartialEq)]
pub struct AlterRoleSetStmt {
    /// `None`: ALL.
    pub role: Option<RoleSpec>,
    pub database: Option<String>,
    pub setstmt: VariableSetStmt,
}

#[derive(Debug, Clone, PartialEq)]
pub struct DropRoleStmt {
    pub roles: Vec<RoleSpec>,
    pub missing_ok: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GrantTargetType {
    Object,
    AllInSchema,
    Defaults,
}

/// GRANT and REVOKE of privileges.
#[derive(Debug, Clone, PartialEq)]
pub struct GrantStmt {
    pub is_grant: bool,
    pub targtype: GrantTargetType,
    pub objtype: ObjectType,
    pub objects: Vec<Object>,
    /// Empty: ALL.
    pub privileges: Vec<AccessPriv>,
    pub grantees: Vec<RoleSpec>,
    pub grant_option: bool,
    pub grantor: Option<RoleSpec>,
    pub behavior: DropBehavior,
}

#[derive(Debug, Clone, PartialEq)]
pub struct AccessPriv {
    /// `None`: ALL with a list of columns.
    pub priv_name: Option<String>,
    pub cols: Vec<String>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct GrantRoleStmt {
    pub granted_roles: Vec<AccessPriv>,
    pub grantee_roles: Vec<RoleSpec>,
    pub is_grant: bool,
    pub opt: Vec<DefElem>,
    pub grantor: Option<RoleSpec>,
    pub behavior: DropBehavior,
}

#[derive(Debug, Clone, PartialEq)]
pub struct AlterDefaultPrivilegesStmt {
    pub options: Vec<DefElem>,
    pub action: GrantStmt,
}

#[derive(Debug, Clone, PartialEq)]
pub struct CreatedbStmt {
    pub dbname: String,
    pub options: Vec<DefElem>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct AlterDatabaseStmt {
    pub dbname: String,
    pub options: Vec<DefElem>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct AlterDatabaseRefreshCollStmt {
    pub dbname: String,
}

#[derive(Debug, Clone, PartialEq)]
pub struct AlterDatabaseSetStmt {
    pub dbname: String,
    pub setstmt: VariableSetStmt,
}

#[derive(Debug, Clone, PartialEq)]
pub struct DropdbStmt {
    pub dbname: String,
    pub missing_ok: bool,
    pub options: Vec<DefElem>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct CreateSchemaStmt {
    pub schemaname: Option<String>,
    pub authrole: Option<RoleSpec>,
    pub schema_elts: Vec<Statement>,
    pub if_not_exists: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub struct CreateTableSpaceStmt {
    pub tablespacename: String,
    pub owner: Option<RoleSpec>,
    pub location: String,
    pub options: Vec<DefElem>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct DropTableSpaceStmt {
    pub tablespacename: String,
    pub missing_ok: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub struct AlterTableSpaceOptionsStmt {
    pub tablespacename: String,
    pub options: Vec<DefElem>,
    pub is_reset: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub struct CreateExtensionStmt {
    pub extname: String,
    pub if_not_exists: bool,
    pub options: Vec<DefElem>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct AlterExtensionStmt {
    pub extname: String,
    pub options: Vec<DefElem>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct AlterExtensionContentsStmt {
    pub extname: String,
    /// +1 ADD, -1 DROP.
    pub action: i32,
    pub objtype: ObjectType,
    pub object: Object,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FunctionParameterMode {
    In,
    Out,
    InOut,
    Variadic,
    /// A column of RETURNS TABLE.
    Table,
    /// None was written, which means `In`.
    Default,
}

#[derive(Debug, Clone, PartialEq)]
pub struct FunctionParameter {
    pub name: Option<String>,
    pub arg_type: TypeName,
    pub mode: FunctionParameterMode,
    pub defexpr: Option<Expr>,
    pub location: Location,
}

/// A body in SQL that is parsed at once.
#[derive(Debug, Clone, PartialEq)]
pub enum SqlBody {
    /// `RETURN expr`
    Return(ReturnStmt),
    /// `BEGIN ATOMIC ...; END`
    Atomic(Vec<Statement>),
}

/// CREATE FUNCTION, CREATE PROCEDURE. Options: `as` (`Names`), `language`, `volatility`, `strict`, `security`, `leakproof`,
/// `cost`, `rows`, `support`, `set`, `parallel`, `transform`, `window`.
#[derive(Debug, Clone, PartialEq)]
pub struct CreateFunctionStmt {
    pub is_procedure: bool,
    pub replace: bool,
    pub funcname: Vec<String>,
    pub parameters: Vec<FunctionParameter>,
    pub return_type: Option<TypeName>,
    pub options: Vec<DefElem>,
    pub sql_body: Option<SqlBody>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct AlterFunctionStmt {
    pub objtype: ObjectType,
    pub func: ObjectWithArgs,
    pub actions: Vec<DefElem>,
}

/// Options `as` and `language`.
#[derive(Debug, Clone, PartialEq)]
pub struct DoStmt {
    pub args: Vec<DefElem>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct CallStmt {
    pub funccall: FuncCall,
}

/// CREATE AGGREGATE, OPERATOR, TYPE, COLLATION, TEXT SEARCH ...
#[derive(Debug, Clone, PartialEq)]
pub struct DefineStmt {
    pub kind: ObjectType,
    /// An aggregate defined as before PostgreSQL 8.2.
    pub oldstyle: bool,
    pub defnames: Vec<String>,
    /// Of an aggregate: the direct and aggregated parameters, and where ORDER BY divides them.
    pub args: Option<AggregateArgs>,
    pub definition: Vec<DefElem>,
    pub if_not_exists: bool,
    pub replace: bool,
}

/// The parameters of an aggregate. (PostgreSQL: a two-element list)
#[derive(Debug, Clone, PartialEq)]
pub struct AggregateArgs {
    /// All; empty for `(*)`.
    pub params: Vec<FunctionParameter>,
    /// The number of direct ones before ORDER BY; -1 for an ordinary aggregate.
    pub num_direct_args: i32,
}

/// `CREATE TYPE name AS (...)`
#[derive(Debug, Clone, PartialEq)]
pub struct CompositeTypeStmt {
    pub typevar: RangeVar,
    pub coldeflist: Vec<ColumnDef>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct CreateEnumStmt {
    pub type_name: Vec<String>,
    pub vals: Vec<String>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct CreateRangeStmt {
    pub type_name: Vec<String>,
    pub params: Vec<DefElem>,
}

/// ADD VALUE (`old_val` is `None`) or RENAME VALUE.
#[derive(Debug, Clone, PartialEq)]
pub struct AlterEnumStmt {
    pub type_name: Vec<String>,
    pub old_val: Option<String>,
    pub new_val: Option<String>,
    pub new_val_neighbor: Option<String>,
    pub new_val_is_after: bool,
    pub skip_if_new_val_exists: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub struct AlterTypeStmt {
    pub type_name: Vec<String>,
    pub options: Vec<DefElem>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct CreateDomainStmt {
    pub domainname: Vec<String>,
    pub type_name: TypeName,
    pub coll_clause: Option<CollateClause>,
    pub constraints: Vec<Constraint>,
}

/// (PostgreSQL: `AlterDomainStmt.subtype`, a letter)
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AlterDomainType {
    /// SET or DROP DEFAULT. 'T'
    AlterDefault,
    /// 'N'
    DropNotNull,
    /// 'O'
    SetNotNull,
    /// 'C'
    AddConstraint,
    /// 'X'
    DropConstraint,
    /// 'V'
    ValidateConstraint,
}

#[derive(Debug, Clone, PartialEq)]
pub struct AlterDomainStmt {
    pub subtype: AlterDomainType,
    pub type_name: Vec<String>,
    /// The constraint's.
    pub name: Option<String>,
    /// The new default, `None` to drop it.
    pub def: Option<Expr>,
    /// Of ADD.
    pub constraint: Option<Constraint>,
    pub behavior: DropBehavior,
    pub missing_ok: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CoercionContext {
    Implicit,
    Assignment,
    Explicit,
}

#[derive(Debug, Clone, PartialEq)]
pub struct CreateCastStmt {
    pub sourcetype: TypeName,
    pub targettype: TypeName,
    /// `None`: WITHOUT FUNCTION, or WITH INOUT.
    pub func: Option<ObjectWithArgs>,
    pub context: CoercionContext,
    pub inout: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub struct CreateTransformStmt {
    pub replace: bool,
    pub type_name: TypeName,
    pub lang: String,
    pub fromsql: Option<ObjectWithArgs>,
    pub tosql: Option<ObjectWithArgs>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct CreateConversionStmt {
    pub conversion_name: Vec<String>,
    pub for_encoding_name: String,
    pub to_encoding_name: String,
    pub func_name: Vec<String>,
    pub def: bool,
}

/// REFRESH VERSION.
#[derive(Debug, Clone, PartialEq)]
pub struct AlterCollationStmt {
    pub collname: Vec<String>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct AlterOperatorStmt {
    pub opername: ObjectWithArgs,
    pub options: Vec<DefElem>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct CreateOpClassStmt {
    pub opclassname: Vec<String>,
    pub opfamilyname: Vec<String>,
    pub amname: String,
    pub datatype: TypeName,
    pub items: Vec<CreateOpClassItem>,
    pub is_default: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OpClassItemType {
    Operator,
    Function,
    StorageType,
}

#[derive(Debug, Clone, PartialEq)]
pub struct CreateOpClassItem {
    pub itemtype: OpClassItemType,
    pub name: Option<ObjectWithArgs>,
    pub number: i32,
    pub order_family: Vec<String>,
    pub class_args: Vec<Option<TypeName>>,
    pub storedtype: Option<TypeName>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct CreateOpFamilyStmt {
    pub opfamilyname: Vec<String>,
    pub amname: String,
}

#[derive(Debug, Clone, PartialEq)]
pub struct AlterOpFamilyStmt {
    pub opfamilyname: Vec<String>,
    pub amname: String,
    pub is_drop: bool,
    pub items: Vec<CreateOpClassItem>,
}

/// CREATE ACCESS METHOD.
#[derive(Debug, Clone, PartialEq)]
pub struct CreateAmStmt {
    pub amname: String,
    pub handler_name: Vec<String>,
    /// 'i' for INDEX, 't' for TABLE.
    pub amtype: char,
}

/// CREATE LANGUAGE with a handler; without one it is a [`CreateExtensionStmt`].
#[derive(Debug, Clone, PartialEq)]
pub struct CreatePLangStmt {
    pub replace: bool,
    pub plname: String,
    pub plhandler: Vec<String>,
    pub plinline: Vec<String>,
    pub plvalidator: Vec<String>,
    pub pltrusted: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub struct AlterTSDictionaryStmt {
    pub dictname: Vec<String>,
    pub options: Vec<DefElem>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AlterTSConfigType {
    AddMapping,
    AlterMappingForToken,
    ReplaceDict,
    ReplaceDictForToken,
    DropMapping,
}

#[derive(Debug, Clone, PartialEq)]
pub struct AlterTSConfigurationStmt {
    pub kind: AlterTSConfigType,
    pub cfgname: Vec<String>,
    pub tokentype: Vec<String>,
    pub dicts: Vec<Vec<String>>,
    pub override_: bool,
    pub replace: bool,
    pub missing_ok: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub struct CreateEventTrigStmt {
    pub trigname: String,
    pub eventname: String,
    pub whenclause: Vec<DefElem>,
    pub funcname: Vec<String>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct AlterEventTrigStmt {
    pub trigname: String,
    /// `pg_event_trigger.evtenabled`: O, D, R, A.
    pub tgenabled: char,
}

#[derive(Debug, Clone, PartialEq)]
pub struct CreateFdwStmt {
    pub fdwname: String,
    pub func_options: Vec<DefElem>,
    pub options: Vec<DefElem>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct AlterFdwStmt {
    pub fdwname: String,
    pub func_options: Vec<DefElem>,
    pub options: Vec<DefElem>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct CreateForeignServerStmt {
    pub servername: String,
    pub servertype: Option<String>,
    pub version: Option<String>,
    pub fdwname: String,
    pub if_not_exists: bool,
    pub options: Vec<DefElem>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct AlterForeignServerStmt {
    pub servername: String,
    pub version: Option<String>,
    pub options: Vec<DefElem>,
    pub has_version: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub struct CreateForeignTableStmt {
    pub base: CreateStmt,
    pub servername: String,
    pub options: Vec<DefElem>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct CreateUserMappingStmt {
    pub user: RoleSpec,
    pub servername: String,
    pub if_not_exists: bool,
    pub options: Vec<DefElem>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct AlterUserMappingStmt {
    pub user: RoleSpec,
    pub servername: String,
    pub options: Vec<DefElem>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct DropUserMappingStmt {
    pub user: RoleSpec,
    pub servername: String,
    pub missing_ok: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ImportForeignSchemaType {
    All,
    LimitTo,
    Except,
}

#[derive(Debug, Clone, PartialEq)]
pub struct ImportForeignSchemaStmt {
    pub server_name: String,
    pub remote_schema: String,
    pub local_schema: String,
    pub list_type: ImportForeignSchemaType,
    pub table_list: Vec<RangeVar>,
    pub options: Vec<DefElem>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct PublicationTable {
    pub relation: RangeVar,
    pub where_clause: Option<Expr>,
    pub columns: Vec<String>,
}

/// What is published. Continuations of a list are already resolved to the kind before them.
#[derive(Debug, Clone, PartialEq)]
pub enum PublicationObjSpec {
    Table(Box<PublicationTable>),
    TablesInSchema {
        name: String,
        location: Location,
    },
    /// TABLES IN SCHEMA CURRENT_SCHEMA
    TablesInCurSchema {
        location: Location,
    },
}

#[derive(Debug, Clone, PartialEq)]
pub struct CreatePublicationStmt {
    pub pubname: String,
    pub options: Vec<DefElem>,
    pub pubobjects: Vec<PublicationObjSpec>,
    pub for_all_tables: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AlterPublicationAction {
    AddObjects,
    DropObjects,
    SetObjects,
}

/// Options (`SET (..)`) or objects.
#[derive(Debug, Clone, PartialEq)]
pub struct AlterPublicationStmt {
    pub pubname: String,
    pub options: Vec<DefElem>,
    pub pubobjects: Vec<PublicationObjSpec>,
    pub for_all_tables: bool,
    pub action: AlterPublicationAction,
}

#[derive(Debug, Clone, PartialEq)]
pub struct CreateSubscriptionStmt {
    pub subname: String,
    pub conninfo: String,
    pub publication: Vec<String>,
    pub options: Vec<DefElem>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AlterSubscriptionType {
    Options,
    Connection,
    SetPublication,
    AddPublication,
    DropPublication,
    Refresh,
    Enabled,
    Skip,
}

#[derive(Debug, Clone, PartialEq)]
pub struct AlterSubscriptionStmt {
    pub kind: AlterSubscriptionType,
    pub subname: String,
    pub conninfo: Option<String>,
    pub publication: Vec<String>,
    pub options: Vec<DefElem>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct DropSubscriptionStmt {
    pub subname: String,
    pub missing_ok: bool,
    pub behavior: DropBehavior,
}
