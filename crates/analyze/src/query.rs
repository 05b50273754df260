//! The analyzed query: what the analyzer gives to the rewriter and planner. Names and fields mirror PostgreSQL's `Query` and
//! expression nodes, since views, defaults, constraints and rules are stored in the catalogs as the text of these trees.
//! (PostgreSQL: manual, "The Query Tree")

use std::sync::Arc;

use base::Oid;
use base::error::Location;
use parser::ast::Statement;
use types::{Datum, TupleDesc};

/// A range-table index, from 1.
pub type RtIndex = u32;
/// A column number, from 1; 0 is the whole row, negative ones are system columns. (PostgreSQL: `AttrNumber`)
pub type AttrNumber = i16;

/// System columns. (PostgreSQL: `sysattr.h`)
pub mod sysattr {
    pub const CTID: i16 = -1;
    pub const XMIN: i16 = -2;
    pub const CMIN: i16 = -3;
    pub const XMAX: i16 = -4;
    pub const CMAX: i16 = -5;
    pub const TABLEOID: i16 = -6;
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash, Default)]
pub enum CmdType {
    #[default]
    Select,
    Update,
    Insert,
    Delete,
    Merge,
    Utility,
}

/// (PostgreSQL: `Query`)
#[derive(Clone, PartialEq, Debug)]
pub struct Query {
    pub command_type: CmdType,
    /// The statement itself where `command_type` is `Utility`.
    pub utility: Option<Arc<Statement>>,
    pub can_set_tag: bool,
    /// Of INSERT, UPDATE, DELETE, MERGE.
    pub result_relation: Option<RtIndex>,
    pub has_aggs: bool,
    pub has_window_funcs: bool,
    pub has_target_srfs: bool,
    pub has_sub_links: bool,
    pub has_distinct_on: bool,
    pub has_recursive: bool,
    pub has_modifying_cte: bool,
    pub has_for_update: bool,
    pub has_row_security: bool,
    /// The range table's last entry of kind `Group` stands for the grouping expressions. (PostgreSQL: `hasGroupRTE`)
    pub has_group_rte: bool,
    /// The `RETURN` of an SQL function. (PostgreSQL: `isReturn`)
    pub is_return: bool,
    pub cte_list: Vec<CommonTableExpr>,
    pub rtable: Vec<RangeTblEntry>,
    pub rteperminfos: Vec<RtePermissionInfo>,
    pub jointree: FromExpr,
    pub merge_actions: Vec<MergeAction>,
    pub merge_join_condition: Option<Expr>,
    /// The range-table entry that MERGE joins to, which differs from the result relation for views.
    pub merge_target_relation: RtIndex,
    pub target_list: Vec<TargetEntry>,
    pub override_: OverridingKind,
    pub on_conflict: Option<Box<OnConflictExpr>>,
    pub returning_old_alias: Option<String>,
    pub returning_new_alias: Option<String>,
    pub returning_list: Vec<TargetEntry>,
    pub group_clause: Vec<SortGroupClause>,
    pub group_distinct: bool,
    pub grouping_sets: Vec<GroupingSet>,
    pub having_qual: Option<Expr>,
    pub window_clause: Vec<WindowClause>,
    pub distinct_clause: Vec<SortGroupClause>,
    pub sort_clause: Vec<SortGroupClause>,
    pub limit_offset: Option<Expr>,
    pub limit_count: Option<Expr>,
    pub limit_with_ties: bool,
    pub row_marks: Vec<RowMarkClause>,
    pub set_operations: Option<Box<SetOpNode>>,
    /// Constraints that the grouping relies on (primary keys). (PostgreSQL: `constraintDeps`)
    pub constraint_deps: Vec<Oid>,
    /// Set by the rewriter. (PostgreSQL: `withCheckOptions`)
    pub with_check_options: Vec<WithCheckOption>,
    pub stmt_location: Location,
    pub stmt_len: usize,
}

impl Query {
    pub fn new(command_type: CmdType) -> Query {
        Query {
            command_type,
            utility: None,
            can_set_tag: true,
            result_relation: None,
            has_aggs: false,
            has_window_funcs: false,
            has_target_srfs: false,
            has_sub_links: false,
            has_distinct_on: false,
            has_recursive: false,
            has_modifying_cte: false,
            has_for_update: false,
            has_row_security: false,
            has_group_rte: false,
            is_return: false,
            cte_list: Vec::new(),
            rtable: Vec::new(),
            rteperminfos: Vec::new(),
            jointree: FromExpr::default(),
            merge_actions: Vec::new(),
            merge_join_condition: None,
            merge_target_relation: 0,
            target_list: Vec::new(),
            override_: OverridingKind::NotSet,
            on_conflict: None,
            returning_old_alias: None,
            returning_new_alias: None,
            returning_list: Vec::new(),
            group_clause: Vec::new(),
            group_distinct: false,
            grouping_sets: Vec::new(),
            having_qual: None,
            window_clause: Vec::new(),
            distinct_clause: Vec::new(),
            sort_clause: Vec::new(),
            limit_offset: None,
            limit_count: None,
            limit_with_ties: false,
            row_marks: Vec::new(),
            set_operations: None,
            constraint_deps: Vec::new(),
            with_check_options: Vec::new(),
            stmt_location: Location::UNKNOWN,
            stmt_len: 0,
        }
    }
    /// The range-table entry of that index.
    pub fn rte(&self, index: RtIndex) -> &RangeTblEntry {
        &self.rtable[index as usize - 1]
    }
}

/// What a new row must fulfil besides the table's own constraints. (PostgreSQL: `WithCheckOption`, kind `WCO_VIEW_CHECK`)
#[derive(Clone, PartialEq, Debug, Default)]
pub struct WithCheckOption {
    /// The view.
    pub relname: String,
    pub qual: Expr,
    pub cascaded: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum OverridingKind {
    #[default]
    NotSet,
    UserValue,
    SystemValue,
}

/// An alias and, optionally, the columns' names.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Alias {
    pub aliasname: String,
    pub colnames: Vec<String>,
}

/// (PostgreSQL: `RangeTblEntry`)
#[derive(Clone, PartialEq, Debug, Default)]
pub struct RangeTblEntry {
    /// What the user wrote.
    pub alias: Option<Alias>,
    /// The name in effect and the names of all columns (an empty one for a dropped column).
    pub eref: Alias,
    pub kind: RteKind,
    pub lateral: bool,
    /// Whether it appears in the user's FROM clause (not e.g. OLD and NEW). (PostgreSQL: `inFromCl`)
    pub in_from_cl: bool,
    pub security_quals: Vec<Expr>,
}

/// (PostgreSQL: `RTEKind` with the fields that belong to each)
#[derive(Clone, PartialEq, Debug)]
pub enum RteKind {
    Relation {
        relid: Oid,
        relkind: u8,
        /// The lock taken, by its number from 1 (AccessShareLock) to 8. (PostgreSQL: `rellockmode`)
        lock_mode: u8,
        /// Descendants too. (PostgreSQL: `inh`)
        inh: bool,
        /// From 1 into `rteperminfos`; 0 none.
        perminfoindex: u32,
        table_sample: Option<Box<TableSampleClause>>,
    },
    Subquery {
        subquery: Box<Query>,
        security_barrier: bool,
        /// The view it stands for, whose permissions are checked. (PostgreSQL: `relid`, `perminfoindex` kept on view expansion)
        view: Option<ViewRef>,
    },
    Join(JoinRte),
    Function {
        functions: Vec<RangeTblFunction>,
        ordinality: bool,
    },
    TableFunc(Box<TableFunc>),
    Values {
        lists: Vec<Vec<Expr>>,
        types: Vec<TypeMod>,
    },
    Cte {
        name: String,
        levels_up: u32,
        self_reference: bool,
        types: Vec<TypeMod>,
    },
    /// A relation without a catalog entry: a trigger's transition table. A dropped column's type is invalid.
    NamedTuplestore {
        name: String,
        /// The table whose columns it has.
        relid: Oid,
        types: Vec<TypeMod>,
    },
    /// Nothing: no row source (an empty FROM after planning steps).
    Result,
    /// The grouping step's outputs. (PostgreSQL 18: `RTE_GROUP`)
    Group {
        exprs: Vec<Expr>,
    },
}

#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ViewRef {
    pub relid: Oid,
    pub lock_mode: u8,
    pub perminfoindex: u32,
}

/// A type with its modifier and collation: the description of a column.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash, Default)]
pub struct TypeMod {
    pub oid: Oid,
    pub typmod: i32,
    pub collation: Oid,
}

#[derive(Clone, PartialEq, Debug, Default)]
pub struct JoinRte {
    pub jointype: JoinType,
    /// The first so many columns are merged by USING.
    pub join_merged_cols: usize,
    /// What each output column stands for.
    pub join_alias_vars: Vec<Expr>,
    pub join_left_cols: Vec<AttrNumber>,
    pub join_right_cols: Vec<AttrNumber>,
    pub join_using_alias: Option<Alias>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash, Default)]
pub enum JoinType {
    #[default]
    Inner,
    Left,
    Full,
    Right,
    Semi,
    Anti,
    RightSemi,
    RightAnti,
}

/// What is checked before execution. (PostgreSQL: `RTEPermissionInfo`)
#[derive(Clone, PartialEq, Debug, Default)]
pub struct RtePermissionInfo {
    pub relid: Oid,
    pub inh: bool,
    /// ACL_SELECT and so on as bits. (PostgreSQL: `AclMode`)
    pub required_perms: u64,
    /// Invalid: the current user.
    pub check_as_user: Oid,
    pub selected_cols: Vec<AttrNumber>,
    pub inserted_cols: Vec<AttrNumber>,
    pub updated_cols: Vec<AttrNumber>,
}

#[derive(Clone, PartialEq, Debug, Default)]
pub struct TableSampleClause {
    pub tsmhandler: Oid,
    pub args: Vec<Expr>,
    pub repeatable: Option<Expr>,
}

#[derive(Clone, PartialEq, Debug, Default)]
pub struct RangeTblFunction {
    pub funcexpr: Expr,
    pub colcount: usize,
    /// The row it returns; from a column definition list where there is one.
    pub desc: Arc<TupleDesc>,
    /// A column definition list was written. (PostgreSQL: non-empty `funccolnames`)
    pub has_coldeflist: bool,
}

/// XMLTABLE and JSON_TABLE. (PostgreSQL: `TableFunc`)
#[derive(Clone, PartialEq, Debug, Default)]
pub struct TableFunc {
    pub is_json: bool,
    pub ns_uris: Vec<Expr>,
    pub ns_names: Vec<Option<String>>,
    pub docexpr: Expr,
    pub rowexpr: Option<Expr>,
    pub colnames: Vec<String>,
    pub coltypes: Vec<TypeMod>,
    pub colexprs: Vec<Option<Expr>>,
    pub coldefexprs: Vec<Option<Expr>>,
    pub colvalexprs: Vec<Option<Expr>>,
    pub passingvalexprs: Vec<Expr>,
    pub notnulls: Vec<usize>,
    pub ordinalitycol: Option<usize>,
    pub location: Location,
}

/// FROM and WHERE. (PostgreSQL: `FromExpr`)
#[derive(Clone, PartialEq, Debug, Default)]
pub struct FromExpr {
    pub fromlist: Vec<JoinTreeNode>,
    pub quals: Option<Expr>,
}

#[derive(Clone, PartialEq, Debug)]
pub enum JoinTreeNode {
    /// (PostgreSQL: `RangeTblRef`)
    RangeTblRef(RtIndex),
    JoinExpr(Box<JoinExpr>),
    FromExpr(Box<FromExpr>),
}

#[derive(Clone, PartialEq, Debug, Default)]
pub struct JoinExpr {
    pub jointype: JoinType,
    pub is_natural: bool,
    pub larg: JoinTreeNode,
    pub rarg: JoinTreeNode,
    pub using_clause: Vec<String>,
    pub join_using_alias: Option<Alias>,
    pub quals: Option<Expr>,
    pub alias: Option<Alias>,
    /// 0 for joins made by the planner.
    pub rtindex: RtIndex,
}

/// (PostgreSQL: `TargetEntry`)
#[derive(Clone, PartialEq, Debug, Default)]
pub struct TargetEntry {
    pub expr: Expr,
    pub resno: AttrNumber,
    pub resname: Option<String>,
    /// Nonzero where a sort or group clause refers to it.
    pub ressortgroupref: u32,
    pub resorigtbl: Oid,
    pub resorigcol: AttrNumber,
    pub resjunk: bool,
}

/// (PostgreSQL: `SortGroupClause`)
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct SortGroupClause {
    pub tle_sort_group_ref: u32,
    pub eqop: Oid,
    /// Invalid where the type cannot be sorted.
    pub sortop: Oid,
    pub reverse_sort: bool,
    pub nulls_first: bool,
    pub hashable: bool,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum GroupingSet {
    Empty,
    /// References to sort/group clauses.
    Simple(Vec<u32>),
    Rollup(Vec<GroupingSet>),
    Cube(Vec<GroupingSet>),
    Sets(Vec<GroupingSet>),
}

/// (PostgreSQL: `WindowClause`)
#[derive(Clone, PartialEq, Debug, Default)]
pub struct WindowClause {
    pub name: Option<String>,
    pub refname: Option<String>,
    pub partition_clause: Vec<SortGroupClause>,
    pub order_clause: Vec<SortGroupClause>,
    /// FRAMEOPTION_* bits as in PostgreSQL's `parsenodes.h`.
    pub frame_options: u32,
    pub start_offset: Option<Expr>,
    pub end_offset: Option<Expr>,
    pub start_in_range_func: Oid,
    pub end_in_range_func: Oid,
    pub in_range_coll: Oid,
    pub in_range_asc: bool,
    pub in_range_nulls_first: bool,
    pub winref: u32,
    pub copied_order: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub enum LockClauseStrength {
    #[default]
    None,
    ForKeyShare,
    ForShare,
    ForNoKeyUpdate,
    ForUpdate,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub enum LockWaitPolicy {
    #[default]
    Block,
    Skip,
    Error,
}

#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct RowMarkClause {
    pub rti: RtIndex,
    pub strength: LockClauseStrength,
    pub wait_policy: LockWaitPolicy,
    /// Pushed down from an outer level.
    pub pushed_down: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum SetOperation {
    #[default]
    Union,
    Intersect,
    Except,
}

/// A tree of set operations whose leaves are subqueries in the range table. (PostgreSQL: `SetOperationStmt`)
#[derive(Clone, PartialEq, Debug)]
pub enum SetOpNode {
    Leaf(RtIndex),
    Op {
        op: SetOperation,
        all: bool,
        larg: Box<SetOpNode>,
        rarg: Box<SetOpNode>,
        col_types: Vec<TypeMod>,
        group_clauses: Vec<SortGroupClause>,
    },
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum CteMaterialize {
    #[default]
    Default,
    Always,
    Never,
}

/// (PostgreSQL: `CommonTableExpr`, after analysis)
#[derive(Clone, PartialEq, Debug, Default)]
pub struct CommonTableExpr {
    pub ctename: String,
    pub aliascolnames: Vec<String>,
    pub ctematerialized: CteMaterialize,
    pub ctequery: Box<Query>,
    pub search_clause: Option<CteSearchClause>,
    pub cycle_clause: Option<Box<CteCycleClause>>,
    pub location: Location,
    pub cterecursive: bool,
    /// How often it is referred to (self-references aside).
    pub cterefcount: u32,
    pub ctecolnames: Vec<String>,
    pub ctecoltypes: Vec<TypeMod>,
}

#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct CteSearchClause {
    pub col_list: Vec<String>,
    pub breadth_first: bool,
    pub seq_column: String,
    pub location: Location,
}

#[derive(Clone, PartialEq, Debug, Default)]
pub struct CteCycleClause {
    pub col_list: Vec<String>,
    pub mark_column: String,
    pub mark_value: Expr,
    pub mark_default: Expr,
    pub path_column: String,
    pub location: Location,
    pub mark_type: TypeMod,
    pub mark_neop: Oid,
}

/// ON CONFLICT. (PostgreSQL: `OnConflictExpr`)
#[derive(Clone, PartialEq, Debug, Default)]
pub struct OnConflictExpr {
    /// DO UPDATE, else DO NOTHING.
    pub update: bool,
    pub arbiter_elems: Vec<InferenceElem>,
    pub arbiter_where: Option<Expr>,
    /// ON CONSTRAINT.
    pub constraint: Oid,
    pub on_conflict_set: Vec<TargetEntry>,
    pub on_conflict_where: Option<Expr>,
    /// The range-table index of EXCLUDED.
    pub excl_rel_index: RtIndex,
    pub excl_rel_tlist: Vec<TargetEntry>,
}

#[derive(Clone, PartialEq, Debug, Default)]
pub struct InferenceElem {
    pub expr: Expr,
    pub infercollid: Oid,
    pub inferopclass: Oid,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum MergeMatchKind {
    #[default]
    Matched,
    NotMatchedBySource,
    NotMatchedByTarget,
}

#[derive(Clone, PartialEq, Debug, Default)]
pub struct MergeAction {
    pub match_kind: MergeMatchKind,
    /// Insert, Update, Delete; `Utility` stands for DO NOTHING.
    pub command_type: CmdType,
    pub override_: OverridingKind,
    pub qual: Option<Expr>,
    pub target_list: Vec<TargetEntry>,
    pub update_colnos: Vec<AttrNumber>,
}

/// Which rows belong to a partition, as `pg_class.relpartbound` holds it. (PostgreSQL: `PartitionBoundSpec`)
#[derive(Clone, PartialEq, Debug, Default)]
pub struct PartitionBoundSpec {
    /// `l`, `r` or `h`, as in `pg_partitioned_table.partstrat`.
    pub strategy: u8,
    pub is_default: bool,
    pub modulus: i32,
    pub remainder: i32,
    /// Constants of the key's type.
    pub listdatums: Vec<Expr>,
    pub lowerdatums: Vec<PartitionRangeDatum>,
    pub upperdatums: Vec<PartitionRangeDatum>,
    pub location: Location,
}

/// One column's end of a range.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct PartitionRangeDatum {
    /// -1 MINVALUE, 0 a value, 1 MAXVALUE: they compare as what they stand for.
    pub kind: i32,
    pub value: Option<Expr>,
    pub location: Location,
}

// ---- expressions ----

/// An analyzed expression. (PostgreSQL: `primnodes.h`)
#[derive(Clone, PartialEq, Debug)]
pub enum Expr {
    Var(Var),
    Const(Const),
    Param(Param),
    Aggref(Box<Aggref>),
    GroupingFunc(Box<GroupingFunc>),
    WindowFunc(Box<WindowFunc>),
    SubscriptingRef(Box<SubscriptingRef>),
    FuncExpr(Box<FuncExpr>),
    NamedArgExpr(Box<NamedArgExpr>),
    OpExpr(Box<OpExpr>),
    DistinctExpr(Box<OpExpr>),
    NullIfExpr(Box<OpExpr>),
    ScalarArrayOpExpr(Box<ScalarArrayOpExpr>),
    BoolExpr(Box<BoolExpr>),
    SubLink(Box<SubLink>),
    FieldSelect(Box<FieldSelect>),
    FieldStore(Box<FieldStore>),
    RelabelType(Box<RelabelType>),
    CoerceViaIO(Box<CoerceViaIO>),
    ArrayCoerceExpr(Box<ArrayCoerceExpr>),
    ConvertRowtypeExpr(Box<ConvertRowtypeExpr>),
    CollateExpr(Box<CollateExpr>),
    CaseExpr(Box<CaseExpr>),
    /// The value that a CASE with an argument tests. (PostgreSQL: `CaseTestExpr`)
    CaseTestExpr(TypeMod),
    ArrayExpr(Box<ArrayExpr>),
    RowExpr(Box<RowExpr>),
    RowCompareExpr(Box<RowCompareExpr>),
    CoalesceExpr(Box<CoalesceExpr>),
    MinMaxExpr(Box<MinMaxExpr>),
    SQLValueFunction(SQLValueFunction),
    XmlExpr(Box<XmlExpr>),
    JsonValueExpr(Box<JsonValueExpr>),
    JsonConstructorExpr(Box<JsonConstructorExpr>),
    JsonIsPredicate(Box<JsonIsPredicate>),
    JsonExpr(Box<JsonExpr>),
    NullTest(Box<NullTest>),
    BooleanTest(Box<BooleanTest>),
    MergeSupportFunc(TypeMod),
    CoerceToDomain(Box<CoerceToDomain>),
    /// The value that a domain's constraint tests. (PostgreSQL: `CoerceToDomainValue`)
    CoerceToDomainValue(TypeMod),
    SetToDefault(TypeMod, Location),
    CurrentOfExpr(CurrentOfExpr),
    NextValueExpr {
        seqid: Oid,
        type_oid: Oid,
    },
    InferenceElem(Box<InferenceElem>),
    /// Only in plans: a sublink with its plan. (PostgreSQL: `SubPlan`)
    SubPlan(Box<SubPlan>),
    /// Only while planning: an expression that outer joins above may null. (PostgreSQL: `PlaceHolderVar`)
    PlaceHolderVar(Box<PlaceHolderVar>),
}

/// A sublink as the planner leaves it. (PostgreSQL: `SubPlan`)
#[derive(Clone, PartialEq, Debug, Default)]
pub struct SubPlan {
    pub sub_link_type: SubLinkType,
    /// For ANY, ALL and row comparison: the comparison, with the subquery's columns as Exec parameters `param_ids`.
    pub testexpr: Option<Expr>,
    pub param_ids: Vec<i32>,
    /// From 0 into the planned statement's `subplans`.
    pub plan_id: usize,
    /// As EXPLAIN prints it, e.g. `SubPlan 1`.
    pub plan_name: String,
    pub first_col: TypeMod,
    /// Of `ARRAY(SELECT ..)`.
    pub array_type: Oid,
    pub use_hash_table: bool,
    /// A null result may be taken as false.
    pub unknown_eq_false: bool,
    /// An initplan's output parameters; empty for others.
    pub set_param: Vec<i32>,
    /// Parameters passed down, set from `args` before each run.
    pub par_param: Vec<i32>,
    pub args: Vec<Expr>,
    pub startup_cost: f64,
    pub per_call_cost: f64,
}

/// (PostgreSQL: `PlaceHolderVar`)
#[derive(Clone, PartialEq, Debug, Default)]
pub struct PlaceHolderVar {
    pub phexpr: Expr,
    /// The relations it is evaluated at, ascending.
    pub phrels: Vec<RtIndex>,
    /// Outer joins that may null it, ascending.
    pub phnullingrels: Vec<RtIndex>,
    pub phid: u32,
    pub phlevelsup: u32,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash, Default)]
pub enum VarReturning {
    #[default]
    Default,
    Old,
    New,
}

/// A column of a range-table entry. (PostgreSQL: `Var`)
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Var {
    /// In plans: [`OUTER_VAR`], [`INNER_VAR`] or [`INDEX_VAR`] besides range-table indexes.
    pub varno: RtIndex,
    pub varattno: AttrNumber,
    pub vartype: TypeMod,
    /// Outer joins (range-table indexes, ascending) that may null it.
    pub varnullingrels: Vec<RtIndex>,
    pub varlevelsup: u32,
    pub varreturning: VarReturning,
    /// What the user referred to, for deparsing.
    pub varnosyn: RtIndex,
    pub varattnosyn: AttrNumber,
    pub location: Location,
}

pub const INNER_VAR: RtIndex = u32::MAX;
pub const OUTER_VAR: RtIndex = u32::MAX - 1;
pub const INDEX_VAR: RtIndex = u32::MAX - 2;
pub const ROWID_VAR: RtIndex = u32::MAX - 3;

/// (PostgreSQL: `Const`)
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Const {
    pub ty: TypeMod,
    pub len: i16,
    pub byval: bool,
    pub value: Datum,
    pub location: Location,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash, Default)]
pub enum ParamKind {
    /// `$n` from outside.
    #[default]
    Extern,
    /// Set by another part of the plan.
    Exec,
    /// The n-th output column of a SubLink's subquery, in its test expression.
    Sublink,
    /// A multi-column assignment: subquery number in the upper 16 bits, column in the lower ones.
    Multiexpr,
}

#[derive(Clone, PartialEq, Debug, Default)]
pub struct Param {
    pub kind: ParamKind,
    pub id: i32,
    pub ty: TypeMod,
    pub location: Location,
}

/// (PostgreSQL: `Aggref`)
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Aggref {
    pub aggfnoid: Oid,
    pub aggtype: Oid,
    pub aggcollid: Oid,
    pub inputcollid: Oid,
    /// Set by the planner.
    pub aggtranstype: Oid,
    pub aggargtypes: Vec<Oid>,
    pub aggdirectargs: Vec<Expr>,
    pub args: Vec<TargetEntry>,
    pub aggorder: Vec<SortGroupClause>,
    pub aggdistinct: Vec<SortGroupClause>,
    pub aggfilter: Option<Expr>,
    pub aggstar: bool,
    pub aggvariadic: bool,
    /// (PostgreSQL: `AGGKIND_*`) n, o or h.
    pub aggkind: u8,
    pub agglevelsup: u32,
    pub location: Location,
}

#[derive(Clone, PartialEq, Debug, Default)]
pub struct GroupingFunc {
    pub args: Vec<Expr>,
    pub refs: Vec<u32>,
    pub agglevelsup: u32,
    pub location: Location,
}

#[derive(Clone, PartialEq, Debug, Default)]
pub struct WindowFunc {
    pub winfnoid: Oid,
    pub wintype: Oid,
    pub wincollid: Oid,
    pub inputcollid: Oid,
    pub args: Vec<Expr>,
    pub aggfilter: Option<Expr>,
    pub winref: u32,
    pub winstar: bool,
    /// A plain aggregate used as a window function.
    pub winagg: bool,
    pub location: Location,
}

/// (PostgreSQL: `SubscriptingRef`) An element, a slice, or with `refassgnexpr` an assignment to one.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct SubscriptingRef {
    pub refcontainertype: Oid,
    pub refelemtype: Oid,
    pub refrestype: Oid,
    pub reftypmod: i32,
    pub refcollid: Oid,
    pub refupperindexpr: Vec<Option<Expr>>,
    /// Empty unless it is a slice.
    pub reflowerindexpr: Vec<Option<Expr>>,
    pub refexpr: Expr,
    pub refassgnexpr: Option<Expr>,
}

/// How a function call or cast is to be shown. (PostgreSQL: `CoercionForm`)
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash, Default)]
pub enum CoercionForm {
    #[default]
    ExplicitCall,
    ExplicitCast,
    ImplicitCast,
    SqlSyntax,
}

#[derive(Clone, PartialEq, Debug, Default)]
pub struct FuncExpr {
    pub funcid: Oid,
    pub funcresulttype: Oid,
    pub funcresulttypmod: i32,
    pub funcretset: bool,
    pub funcvariadic: bool,
    pub funcformat: CoercionForm,
    pub funccollid: Oid,
    pub inputcollid: Oid,
    pub args: Vec<Expr>,
    pub location: Location,
}

#[derive(Clone, PartialEq, Debug, Default)]
pub struct NamedArgExpr {
    pub arg: Expr,
    pub name: String,
    pub argnumber: i32,
    pub location: Location,
}

#[derive(Clone, PartialEq, Debug, Default)]
pub struct OpExpr {
    pub opno: Oid,
    pub opfuncid: Oid,
    pub opresulttype: Oid,
    pub opretset: bool,
    pub opcollid: Oid,
    pub inputcollid: Oid,
    pub args: Vec<Expr>,
    pub location: Location,
}

#[derive(Clone, PartialEq, Debug, Default)]
pub struct ScalarArrayOpExpr {
    pub opno: Oid,
    pub opfuncid: Oid,
    /// ANY, else ALL.
    pub use_or: bool,
    pub inputcollid: Oid,
    /// Scalar, array.
    pub args: Vec<Expr>,
    pub location: Location,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash, Default)]
pub enum BoolExprType {
    #[default]
    And,
    Or,
    Not,
}

#[derive(Clone, PartialEq, Debug, Default)]
pub struct BoolExpr {
    pub boolop: BoolExprType,
    pub args: Vec<Expr>,
    pub location: Location,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash, Default)]
pub enum SubLinkType {
    #[default]
    Exists,
    All,
    Any,
    RowCompare,
    Expr,
    MultiExpr,
    Array,
    Cte,
}

#[derive(Clone, PartialEq, Debug, Default)]
pub struct SubLink {
    pub sub_link_type: SubLinkType,
    pub sub_link_id: i32,
    pub testexpr: Option<Expr>,
    /// The operator's name as written (ANY, ALL, row comparison).
    pub oper_name: Vec<String>,
    pub subselect: Box<Query>,
    /// The type of an `ARRAY(SELECT ..)`; invalid for the other kinds. (PostgreSQL looks it up where needed)
    pub array_type: Oid,
    pub location: Location,
}

#[derive(Clone, PartialEq, Debug, Default)]
pub struct FieldSelect {
    pub arg: Expr,
    pub fieldnum: AttrNumber,
    pub resulttype: TypeMod,
}

#[derive(Clone, PartialEq, Debug, Default)]
pub struct FieldStore {
    pub arg: Expr,
    pub newvals: Vec<Expr>,
    pub fieldnums: Vec<AttrNumber>,
    pub resulttype: Oid,
}

#[derive(Clone, PartialEq, Debug, Default)]
pub struct RelabelType {
    pub arg: Expr,
    pub resulttype: TypeMod,
    pub relabelformat: CoercionForm,
    pub location: Location,
}

#[derive(Clone, PartialEq, Debug, Default)]
pub struct CoerceViaIO {
    pub arg: Expr,
    pub resulttype: Oid,
    pub resultcollid: Oid,
    pub coerceformat: CoercionForm,
    pub location: Location,
}

#[derive(Clone, PartialEq, Debug, Default)]
pub struct ArrayCoerceExpr {
    pub arg: Expr,
    /// The per-element conversion, over a `CaseTestExpr`.
    pub elemexpr: Expr,
    pub resulttype: TypeMod,
    pub coerceformat: CoercionForm,
    pub location: Location,
}

#[derive(Clone, PartialEq, Debug, Default)]
pub struct ConvertRowtypeExpr {
    pub arg: Expr,
    pub resulttype: Oid,
    pub convertformat: CoercionForm,
    pub location: Location,
}

#[derive(Clone, PartialEq, Debug, Default)]
pub struct CollateExpr {
    pub arg: Expr,
    pub coll_oid: Oid,
    pub location: Location,
}

#[derive(Clone, PartialEq, Debug, Default)]
pub struct CaseExpr {
    pub casetype: Oid,
    pub casecollid: Oid,
    pub arg: Option<Expr>,
    pub args: Vec<CaseWhen>,
    pub defresult: Expr,
    pub location: Location,
}

#[derive(Clone, PartialEq, Debug, Default)]
pub struct CaseWhen {
    pub expr: Expr,
    pub result: Expr,
    pub location: Location,
}

#[derive(Clone, PartialEq, Debug, Default)]
pub struct ArrayExpr {
    pub array_typeid: Oid,
    pub array_collid: Oid,
    pub element_typeid: Oid,
    pub elements: Vec<Expr>,
    pub multidims: bool,
    pub location: Location,
}

#[derive(Clone, PartialEq, Debug, Default)]
pub struct RowExpr {
    pub args: Vec<Expr>,
    pub row_typeid: Oid,
    pub row_format: CoercionForm,
    pub colnames: Vec<String>,
    pub location: Location,
}

/// (PostgreSQL: `CompareType`)
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash, Default)]
pub enum RowCompareType {
    #[default]
    Lt,
    Le,
    Eq,
    Ge,
    Gt,
    Ne,
}

#[derive(Clone, PartialEq, Debug, Default)]
pub struct RowCompareExpr {
    pub cmptype: RowCompareType,
    pub opnos: Vec<Oid>,
    pub opfamilies: Vec<Oid>,
    pub inputcollids: Vec<Oid>,
    pub largs: Vec<Expr>,
    pub rargs: Vec<Expr>,
}

#[derive(Clone, PartialEq, Debug, Default)]
pub struct CoalesceExpr {
    pub coalescetype: Oid,
    pub coalescecollid: Oid,
    pub args: Vec<Expr>,
    pub location: Location,
}

#[derive(Clone, PartialEq, Debug, Default)]
pub struct MinMaxExpr {
    pub minmaxtype: Oid,
    pub minmaxcollid: Oid,
    pub inputcollid: Oid,
    pub greatest: bool,
    pub args: Vec<Expr>,
    pub location: Location,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash, Default)]
pub enum SvfOp {
    #[default]
    CurrentDate,
    CurrentTime,
    CurrentTimeN,
    CurrentTimestamp,
    CurrentTimestampN,
    LocalTime,
    LocalTimeN,
    LocalTimestamp,
    LocalTimestampN,
    CurrentRole,
    CurrentUser,
    User,
    SessionUser,
    CurrentCatalog,
    CurrentSchema,
}

#[derive(Clone, PartialEq, Debug, Default)]
pub struct SQLValueFunction {
    pub op: SvfOp,
    pub type_oid: Oid,
    pub typmod: i32,
    pub location: Location,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash, Default)]
pub enum XmlExprOp {
    #[default]
    Concat,
    Element,
    Forest,
    Parse,
    Pi,
    Root,
    Serialize,
    Document,
}

#[derive(Clone, PartialEq, Debug, Default)]
pub struct XmlExpr {
    pub op: XmlExprOp,
    pub name: Option<String>,
    pub named_args: Vec<Expr>,
    pub arg_names: Vec<String>,
    pub args: Vec<Expr>,
    /// CONTENT, else DOCUMENT.
    pub content: bool,
    pub indent: bool,
    pub type_oid: Oid,
    pub typmod: i32,
    pub location: Location,
}

#[derive(Clone, PartialEq, Debug, Default)]
pub struct JsonReturning {
    pub jsonb: bool,
    /// FORMAT JSON was written.
    pub explicit_format: bool,
    pub encoding: Option<String>,
    pub typid: Oid,
    pub typmod: i32,
}

#[derive(Clone, PartialEq, Debug, Default)]
pub struct JsonValueExpr {
    pub raw_expr: Expr,
    pub formatted_expr: Expr,
    pub format: JsonReturning,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash, Default)]
pub enum JsonConstructorType {
    #[default]
    Object,
    Array,
    ObjectAgg,
    ArrayAgg,
    Parse,
    Scalar,
    Serialize,
}

#[derive(Clone, PartialEq, Debug, Default)]
pub struct JsonConstructorExpr {
    pub kind: JsonConstructorType,
    pub args: Vec<Expr>,
    pub func: Option<Expr>,
    pub coercion: Option<Expr>,
    pub returning: JsonReturning,
    pub absent_on_null: bool,
    pub unique: bool,
    pub location: Location,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash, Default)]
pub enum JsonValueType {
    #[default]
    Any,
    Object,
    Array,
    Scalar,
}

#[derive(Clone, PartialEq, Debug, Default)]
pub struct JsonIsPredicate {
    pub expr: Expr,
    pub item_type: JsonValueType,
    pub unique_keys: bool,
    pub location: Location,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash, Default)]
pub enum JsonExprOp {
    #[default]
    Exists,
    Query,
    Value,
    Table,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash, Default)]
pub enum JsonBehaviorType {
    #[default]
    Null,
    Error,
    Empty,
    True,
    False,
    Unknown,
    EmptyArray,
    EmptyObject,
    Default,
}

#[derive(Clone, PartialEq, Debug, Default)]
pub struct JsonBehavior {
    pub btype: JsonBehaviorType,
    pub expr: Option<Expr>,
    pub coerce: bool,
    pub location: Location,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash, Default)]
pub enum JsonWrapper {
    #[default]
    Unspecified,
    None,
    Conditional,
    Unconditional,
}

#[derive(Clone, PartialEq, Debug, Default)]
pub struct JsonExpr {
    pub op: JsonExprOp,
    pub column_name: Option<String>,
    pub formatted_expr: Expr,
    pub path_spec: Expr,
    pub returning: JsonReturning,
    pub passing_names: Vec<String>,
    pub passing_values: Vec<Expr>,
    pub on_empty: Option<JsonBehavior>,
    pub on_error: Option<JsonBehavior>,
    pub use_io_coercion: bool,
    pub use_json_coercion: bool,
    pub wrapper: JsonWrapper,
    pub omit_quotes: bool,
    pub collation: Oid,
    pub location: Location,
}

#[derive(Clone, PartialEq, Debug, Default)]
pub struct NullTest {
    pub arg: Expr,
    /// IS NOT NULL.
    pub not: bool,
    pub argisrow: bool,
    pub location: Location,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash, Default)]
pub enum BoolTestType {
    #[default]
    IsTrue,
    IsNotTrue,
    IsFalse,
    IsNotFalse,
    IsUnknown,
    IsNotUnknown,
}

#[derive(Clone, PartialEq, Debug, Default)]
pub struct BooleanTest {
    pub arg: Expr,
    pub booltesttype: BoolTestType,
    pub location: Location,
}

#[derive(Clone, PartialEq, Debug, Default)]
pub struct CoerceToDomain {
    pub arg: Expr,
    pub resulttype: TypeMod,
    pub coercionformat: CoercionForm,
    pub location: Location,
}

#[derive(Clone, PartialEq, Debug, Default)]
pub struct CurrentOfExpr {
    pub cvarno: RtIndex,
    pub cursor_name: Option<String>,
    pub cursor_param: i32,
}

impl Default for Query {
    fn default() -> Query {
        Query::new(CmdType::Select)
    }
}
impl Default for Expr {
    /// A placeholder, to be overwritten.
    fn default() -> Expr {
        Expr::CaseTestExpr(TypeMod::default())
    }
}
impl Default for RteKind {
    fn default() -> RteKind {
        RteKind::Result
    }
}
impl Default for JoinTreeNode {
    fn default() -> JoinTreeNode {
        JoinTreeNode::RangeTblRef(0)
    }
}
impl Default for SetOpNode {
    fn default() -> SetOpNode {
        SetOpNode::Leaf(0)
    }
}
impl Default for GroupingSet {
    fn default() -> GroupingSet {
        GroupingSet::Empty
    }
}
