//! Queries as written: SELECT, VALUES, INSERT, UPDATE, DELETE, MERGE, and what stands in FROM.
//!
//! PostgreSQL: `SelectStmt`, `InsertStmt`, ..., `RangeVar`, `JoinExpr`, ... of `parsenodes.h` and `primnodes.h`.

use super::*;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SetOperation {
    #[default]
    None,
    Union,
    Intersect,
    Except,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LimitOption {
    /// LIMIT, FETCH FIRST ... ONLY
    #[default]
    Count,
    WithTies,
}

/// DISTINCT or DISTINCT ON. (PostgreSQL: a list holding NULL, or expressions)
#[derive(Debug, Clone, PartialEq)]
pub enum DistinctClause {
    Distinct,
    On(Vec<Expr>),
}

/// SELECT, VALUES (`values_lists`), or a set operation (`op`, `larg`, `rarg`). `TABLE t` is `SELECT * FROM t`.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SelectStmt {
    pub distinct_clause: Option<DistinctClause>,
    pub into_clause: Option<Box<IntoClause>>,
    pub target_list: Vec<ResTarget>,
    pub from_clause: Vec<FromItem>,
    pub where_clause: Option<Expr>,
    pub group_clause: Vec<Expr>,
    pub group_distinct: bool,
    pub having_clause: Option<Expr>,
    pub window_clause: Vec<WindowDef>,
    pub values_lists: Vec<Vec<Expr>>,
    pub sort_clause: Vec<SortBy>,
    pub limit_offset: Option<Expr>,
    /// `LIMIT ALL` is a NULL constant.
    pub limit_count: Option<Expr>,
    pub limit_option: LimitOption,
    pub locking_clause: Vec<LockingClause>,
    pub with_clause: Option<Box<WithClause>>,
    pub op: SetOperation,
    pub all: bool,
    pub larg: Option<Box<SelectStmt>>,
    pub rarg: Option<Box<SelectStmt>>,
}

/// An item of a target list: `val AS name` in SELECT and RETURNING, `name = val` in UPDATE, `name` in INSERT's columns.
#[derive(Debug, Clone, PartialEq)]
pub struct ResTarget {
    pub name: Option<String>,
    pub indirection: Vec<Indirection>,
    pub val: Option<Expr>,
    pub location: Location,
}

#[derive(Debug, Clone, PartialEq)]
pub struct WithClause {
    pub ctes: Vec<CommonTableExpr>,
    pub recursive: bool,
    pub location: Location,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CTEMaterialize {
    #[default]
    Default,
    Always,
    Never,
}

#[derive(Debug, Clone, PartialEq)]
pub struct CommonTableExpr {
    pub ctename: String,
    pub aliascolnames: Vec<String>,
    pub ctematerialized: CTEMaterialize,
    /// Select, Insert, Update, Delete or Merge.
    pub ctequery: Statement,
    pub search_clause: Option<Box<CTESearchClause>>,
    pub cycle_clause: Option<Box<CTECycleClause>>,
    pub location: Location,
}

#[derive(Debug, Clone, PartialEq)]
pub struct CTESearchClause {
    pub search_col_list: Vec<String>,
    pub search_breadth_first: bool,
    pub search_seq_column: String,
    pub location: Location,
}

#[derive(Debug, Clone, PartialEq)]
pub struct CTECycleClause {
    pub cycle_col_list: Vec<String>,
    pub cycle_mark_column: String,
    pub cycle_mark_value: Expr,
    pub cycle_mark_default: Expr,
    pub cycle_path_column: String,
    pub location: Location,
}

/// In the order of strength. (PostgreSQL: `LockClauseStrength`)
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LockClauseStrength {
    None,
    ForKeyShare,
    ForShare,
    ForNoKeyUpdate,
    ForUpdate,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum LockWaitPolicy {
    #[default]
    Block,
    Skip,
    Error,
}

#[derive(Debug, Clone, PartialEq)]
pub struct LockingClause {
    /// Empty: all.
    pub locked_rels: Vec<RangeVar>,
    pub strength: LockClauseStrength,
    pub wait_policy: LockWaitPolicy,
}

#[derive(Debug, Clone, PartialEq, Default)]
pub struct Alias {
    pub aliasname: String,
    pub colnames: Vec<String>,
}

/// How long a relation lives. (PostgreSQL: `RELPERSISTENCE_*`)
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RelPersistence {
    #[default]
    Permanent,
    Unlogged,
    Temp,
}

impl RelPersistence {
    /// As in `pg_class.relpersistence`.
    pub fn as_char(self) -> char {
        match self {
            RelPersistence::Permanent => 'p',
            RelPersistence::Unlogged => 'u',
            RelPersistence::Temp => 't',
        }
    }
}

#[derive(Debug, Clone, PartialEq, Default)]
pub struct RangeVar {
    pub catalogname: Option<String>,
    pub schemaname: Option<String>,
    pub relname: String,
    /// Without ONLY.
    pub inh: bool,
    pub relpersistence: RelPersistence,
    pub alias: Option<Alias>,
    pub location: Location,
}

/// What stands in FROM.
#[derive(Debug, Clone, PartialEq)]
pub enum FromItem {
    RangeVar(Box<RangeVar>),
    RangeSubselect(Box<RangeSubselect>),
    RangeFunction(Box<RangeFunction>),
    RangeTableSample(Box<RangeTableSample>),
    RangeTableFunc(Box<RangeTableFunc>),
    JsonTable(Box<JsonTable>),
    JoinExpr(Box<JoinExpr>),
}

#[derive(Debug, Clone, PartialEq)]
pub struct RangeSubselect {
    pub lateral: bool,
    pub subquery: Box<SelectStmt>,
    pub alias: Option<Alias>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct RangeFunction {
    pub lateral: bool,
    pub ordinality: bool,
    pub is_rowsfrom: bool,
    /// One, or those of ROWS FROM.
    pub functions: Vec<RangeFunctionItem>,
    pub alias: Option<Alias>,
    /// The column definitions after the alias.
    pub coldeflist: Vec<ColumnDef>,
}

/// A function in FROM, and in ROWS FROM its own column definitions. (PostgreSQL: a two-element list)
#[derive(Debug, Clone, PartialEq)]
pub struct RangeFunctionItem {
    /// A function call, or what looks like one (`CAST`, `CURRENT_DATE`, ..).
    pub func: Expr,
    pub coldeflist: Vec<ColumnDef>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct RangeTableSample {
    pub relation: FromItem,
    pub method: Vec<String>,
    pub args: Vec<Expr>,
    pub repeatable: Option<Expr>,
    pub location: Location,
}

/// XMLTABLE.
#[derive(Debug, Clone, PartialEq)]
pub struct RangeTableFunc {
    pub lateral: bool,
    pub docexpr: Expr,
    pub rowexpr: Expr,
    /// Without a name: the default namespace.
    pub namespaces: Vec<ResTarget>,
    pub columns: Vec<RangeTableFuncCol>,
    pub alias: Option<Alias>,
    pub location: Location,
}

#[derive(Debug, Clone, PartialEq)]
pub struct RangeTableFuncCol {
    pub colname: String,
    pub type_name: Option<TypeName>,
    pub for_ordinality: bool,
    pub is_not_null: bool,
    pub colexpr: Option<Expr>,
    pub coldefexpr: Option<Expr>,
    pub location: Location,
}

#[derive(Debug, Clone, PartialEq)]
pub struct JsonTablePathSpec {
    pub string: Expr,
    pub name: Option<String>,
    pub name_location: Location,
    pub location: Location,
}

/// JSON_TABLE.
#[derive(Debug, Clone, PartialEq)]
pub struct JsonTable {
    pub context_item: JsonValueExpr,
    pub pathspec: JsonTablePathSpec,
    pub passing: Vec<JsonArgument>,
    pub columns: Vec<JsonTableColumn>,
    pub on_error: Option<JsonBehavior>,
    pub alias: Option<Alias>,
    pub lateral: bool,
    pub location: Location,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JsonTableColumnType {
    ForOrdinality,
    Regular,
    Exists,
    Formatted,
    Nested,
}

#[derive(Debug, Clone, PartialEq)]
pub struct JsonTableColumn {
    pub coltype: JsonTableColumnType,
    pub name: Option<String>,
    pub type_name: Option<TypeName>,
    pub pathspec: Option<JsonTablePathSpec>,
    pub format: JsonFormat,
    pub wrapper: JsonWrapper,
    pub quotes: JsonQuotes,
    pub columns: Vec<JsonTableColumn>,
    pub on_empty: Option<JsonBehavior>,
    pub on_error: Option<JsonBehavior>,
    pub location: Location,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JoinType {
    Inner,
    Left,
    Full,
    Right,
}

#[derive(Debug, Clone, PartialEq)]
pub struct JoinExpr {
    /// CROSS JOIN is `Inner` without conditions.
    pub jointype: JoinType,
    pub is_natural: bool,
    pub larg: FromItem,
    pub rarg: FromItem,
    pub using_clause: Vec<String>,
    pub join_using_alias: Option<Alias>,
    pub quals: Option<Expr>,
    pub alias: Option<Alias>,
}

/// OVERRIDING ... VALUE
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OverridingKind {
    #[default]
    NotSet,
    User,
    System,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReturningOptionKind {
    Old,
    New,
}

/// `RETURNING WITH (OLD AS value)`
#[derive(Debug, Clone, PartialEq)]
pub struct ReturningOption {
    pub option: ReturningOptionKind,
    pub value: String,
    pub location: Location,
}

#[derive(Debug, Clone, PartialEq)]
pub struct ReturningClause {
    pub options: Vec<ReturningOption>,
    pub exprs: Vec<ResTarget>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct InsertStmt {
    pub relation: RangeVar,
    pub cols: Vec<ResTarget>,
    /// `None`: DEFAULT VALUES.
    pub select_stmt: Option<Box<SelectStmt>>,
    pub on_conflict_clause: Option<OnConflictClause>,
    pub returning_clause: Option<ReturningClause>,
    pub with_clause: Option<Box<WithClause>>,
    pub override_: OverridingKind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnConflictAction {
    Nothing,
    Update,
}

#[derive(Debug, Clone, PartialEq)]
pub struct InferClause {
    pub index_elems: Vec<IndexElem>,
    pub where_clause: Option<Expr>,
    pub conname: Option<String>,
    pub location: Location,
}

#[derive(Debug, Clone, PartialEq)]
pub struct OnConflictClause {
    pub action: OnConflictAction,
    pub infer: Option<InferClause>,
    pub target_list: Vec<ResTarget>,
    pub where_clause: Option<Expr>,
    pub location: Location,
}

#[derive(Debug, Clone, PartialEq)]
pub struct DeleteStmt {
    pub relation: RangeVar,
    pub using_clause: Vec<FromItem>,
    pub where_clause: Option<Expr>,
    pub returning_clause: Option<ReturningClause>,
    pub with_clause: Option<Box<WithClause>>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct UpdateStmt {
    pub relation: RangeVar,
    pub target_list: Vec<ResTarget>,
    pub where_clause: Option<Expr>,
    pub from_clause: Vec<FromItem>,
    pub returning_clause: Option<ReturningClause>,
    pub with_clause: Option<Box<WithClause>>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct MergeStmt {
    pub relation: RangeVar,
    pub source_relation: FromItem,
    pub join_condition: Expr,
    pub merge_when_clauses: Vec<MergeWhenClause>,
    pub returning_clause: Option<ReturningClause>,
    pub with_clause: Option<Box<WithClause>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MergeMatchKind {
    Matched,
    NotMatchedBySource,
    NotMatchedByTarget,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CmdType {
    Select,
    Update,
    Insert,
    Delete,
    Merge,
    Utility,
    /// DO NOTHING.
    Nothing,
}

#[derive(Debug, Clone, PartialEq)]
pub struct MergeWhenClause {
    pub match_kind: MergeMatchKind,
    pub command_type: CmdType,
    pub override_: OverridingKind,
    pub condition: Option<Expr>,
    pub target_list: Vec<ResTarget>,
    /// Of INSERT; empty for DEFAULT VALUES.
    pub values: Vec<Expr>,
}

/// `RETURN expr` as a function's body.
#[derive(Debug, Clone, PartialEq)]
pub struct ReturnStmt {
    pub returnval: Expr,
}

/// `name[indirection] := val` of PL/pgSQL.
#[derive(Debug, Clone, PartialEq)]
pub struct PLAssignStmt {
    pub name: String,
    pub indirection: Vec<Indirection>,
    /// How many names the target has, as the caller says.
    pub nnames: i32,
    pub val: Box<SelectStmt>,
    pub location: Location,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnCommitAction {
    #[default]
    Noop,
    PreserveRows,
    DeleteRows,
    Drop,
}

/// The new table of SELECT INTO, CREATE TABLE AS, CREATE MATERIALIZED VIEW.
#[derive(Debug, Clone, PartialEq)]
pub struct IntoClause {
    pub rel: RangeVar,
    pub col_names: Vec<String>,
    pub access_method: Option<String>,
    pub options: Vec<DefElem>,
    pub on_commit: OnCommitAction,
    pub table_space_name: Option<String>,
    pub skip_data: bool,
}
