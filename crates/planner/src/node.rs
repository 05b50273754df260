//! What the planner works with: a query level ([`Root`]), relations and joins of them ([`Rel`]), conditions
//! ([`RestrictInfo`]), equivalence classes, orders ([`PathKey`]) and ways to compute a relation ([`Path`]).
//!
//! Invariants
//! - `Var::varnullingrels` is exact everywhere after `prep` (see there): two expressions are equal only if they have the same
//!   value. What a plan node's child offers is matched by range-table index and column alone.
//! - Paths are immutable and shared; a `Rel` keeps those worth keeping.
//!
//! PostgreSQL: `pathnodes.h`.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;

use analyze::query::*;
use base::Oid;
use catalog::Relation;
use types::Datum;

use crate::plan::*;
use crate::relids::Relids;

pub(crate) type EcId = usize;

/// One query level while it is planned. (PostgreSQL: `PlannerInfo`)
pub(crate) struct Root {
    pub parse: Query,
    /// Depth in `Planner::levels`.
    pub level: usize,
    pub has_recursion: bool,
    /// By range-table index: base relations.
    pub base: Vec<Option<Box<Rel>>>,
    /// Joins, by their relids.
    pub joins: hashbrown::HashMap<Relids, Box<Rel>>,
    pub all_baserels: Relids,
    pub outer_join_rels: Relids,
    pub sj: Vec<Rc<SpecialJoin>>,
    pub ecs: Vec<Ec>,
    pub ec_merging_done: bool,
    pub left_join_clauses: Vec<(Ri, Rc<SpecialJoin>)>,
    pub right_join_clauses: Vec<(Ri, Rc<SpecialJoin>)>,
    pub full_join_clauses: Vec<(Ri, Rc<SpecialJoin>)>,
    pub next_domain: u32,
    /// The relations of each domain but the topmost, where all are. (PostgreSQL: `JoinDomain`)
    pub domains: Vec<(u32, Relids)>,
    pub next_serial: u32,
    pub query_pathkeys: Vec<PathKey>,
    pub group_pathkeys: Vec<PathKey>,
    pub num_groupby_pathkeys: usize,
    pub window_pathkeys: Vec<PathKey>,
    pub distinct_pathkeys: Vec<PathKey>,
    pub sort_pathkeys: Vec<PathKey>,
    /// The target list after preparation.
    pub tlist: Vec<TargetEntry>,
    pub row_marks: Vec<PlanRowMark>,
    pub init_plans: Vec<SubPlan>,
    pub tuple_fraction: f64,
    pub limit_tuples: f64,
    pub total_table_pages: f64,
    pub has_join_rtes: bool,
    pub has_lateral: bool,
    pub has_pseudoconstant: bool,
    pub has_having: bool,
    /// Parameters that nested loops above set, while their inner plans are made.
    pub cur_outer_params: Vec<NestLoopParam>,
    pub cur_outer_rels: Relids,
    /// The finished choice of paths.
    pub final_paths: Vec<P>,
    pub final_rows: f64,
    pub processed_groups: Vec<SortGroupClause>,
    /// Conditions from outside on window functions' results.
    pub run_conditions: Vec<crate::windows::RunCondition>,
    pub grouping_sets: Option<crate::groupingsets::GroupingSets>,
    pub processed_distinct: Vec<SortGroupClause>,
    /// Result relation and columns of UPDATE's new values.
    pub update_columns: Vec<AttrNumber>,
    pub minmax_params: Vec<(Aggref, Param)>,
    /// The group RTE's index, where grouping sets may null its expressions.
    pub group_rti: RtIndex,
    /// Set-returning functions that grouping compares: computed below it.
    pub computed_srfs: Vec<Expr>,
    /// Of subqueries in FROM: the parameters they want set.
    pub subquery_params: Vec<(RtIndex, Vec<(i32, Expr)>)>,
    /// MIN and MAX come from initplans.
    pub minmax_chosen: bool,
}

/// A base relation, a join, or an upper step. (PostgreSQL: `RelOptInfo`)
pub(crate) struct Rel {
    pub relids: Relids,
    pub rows: f64,
    pub tuples: f64,
    pub pages: u32,
    pub allvisfrac: f64,
    pub target: Rc<Target>,
    pub paths: Vec<P>,
    pub param_infos: Vec<Rc<ParamInfo>>,
    pub cheapest_startup: Option<P>,
    pub cheapest_total: Option<P>,
    pub cheapest_param: Vec<P>,
    pub consider_startup: bool,
    pub consider_param_startup: bool,
    pub direct_lateral: Relids,
    pub lateral: Relids,
    pub lateral_vars: Vec<Expr>,
    pub lateral_referencers: Relids,
    pub relid: RtIndex,
    pub relation: Option<Arc<Relation>>,
    pub indexes: Vec<Rc<IndexOpt>>,
    pub subroot: Option<Box<Root>>,
    pub baserestrict: Vec<Ri>,
    pub baserestrict_cost: (f64, f64),
    pub joininfo: Vec<Ri>,
    pub has_eclass_joins: bool,
    pub attrs_needed: Vec<(AttrNumber, Relids)>,
    pub nulling: Relids,
    /// Of a scan of a set of VALUES, functions, ...: what kind of entry it is.
    pub is_join: bool,
    /// A child table of an inheritance tree or a member of a UNION ALL.
    pub is_child: bool,
    /// Of a table with inheritance children: all of them, itself first.
    pub members: Vec<crate::inherit::Member>,
    /// Statistics of several columns. (PostgreSQL: `statlist`)
    pub statistics: Arc<Vec<crate::extstats::ExtStats>>,
    /// Of a member: the table that is named, and for each of that one's columns its own.
    pub member_of: Option<(RtIndex, Rc<Vec<AttrNumber>>)>,
    /// It stands for its members only, be there any or not.
    pub expanded: bool,
}

impl Rel {
    pub fn new(relids: Relids) -> Rel {
        Rel {
            relids,
            rows: 0.0,
            tuples: 0.0,
            pages: 0,
            allvisfrac: 0.0,
            target: Rc::new(Target::default()),
            paths: Vec::new(),
            param_infos: Vec::new(),
            cheapest_startup: None,
            cheapest_total: None,
            cheapest_param: Vec::new(),
            consider_startup: false,
            consider_param_startup: false,
            direct_lateral: Relids::new(),
            lateral: Relids::new(),
            lateral_vars: Vec::new(),
            lateral_referencers: Relids::new(),
            relid: 0,
            relation: None,
            indexes: Vec::new(),
            subroot: None,
            baserestrict: Vec::new(),
            baserestrict_cost: (0.0, 0.0),
            joininfo: Vec::new(),
            has_eclass_joins: false,
            attrs_needed: Vec::new(),
            nulling: Relids::new(),
            is_join: false,
            is_child: false,
            members: Vec::new(),
            statistics: Arc::default(),
            member_of: None,
            expanded: false,
        }
    }
    /// Nothing comes out of it. (PostgreSQL: `IS_DUMMY_REL`)
    pub fn is_dummy(&self) -> bool {
        matches!(self.paths.first().map(|p| &p.kind), Some(PathKind::Append { paths }) if paths.is_empty())
    }
}

/// Expressions that a path yields. (PostgreSQL: `PathTarget`)
#[derive(Clone, Default, Debug)]
pub(crate) struct Target {
    pub exprs: Vec<Expr>,
    /// As `TargetEntry::ressortgroupref`, at the same places; 0 none.
    pub refs: Vec<u32>,
    pub startup: f64,
    pub per_tuple: f64,
    pub width: i32,
}

impl Target {
    pub fn push(&mut self, e: Expr, sortref: u32) {
        self.exprs.push(e);
        self.refs.push(sortref);
    }
    /// Adds it unless it is there. (PostgreSQL: `add_new_column_to_pathtarget`)
    pub fn push_new(&mut self, e: &Expr) {
        if !self.exprs.contains(e) {
            self.push(e.clone(), 0);
        }
    }
}

/// An index as the planner sees it. (PostgreSQL: `IndexOptInfo`)
pub(crate) struct IndexOpt {
    pub oid: Oid,
    pub relid: RtIndex,
    pub pages: f64,
    pub tuples: f64,
    pub tree_height: Cell<i32>,
    /// Columns of the table, 0 for expressions; key columns first.
    pub columns: Vec<i16>,
    pub nkeys: usize,
    pub opfamilies: Vec<Oid>,
    pub input_types: Vec<Oid>,
    pub collations: Vec<Oid>,
    pub descending: Vec<bool>,
    pub nulls_first: Vec<bool>,
    /// Expression of each key column with number 0, over the relation.
    pub exprs: Vec<Option<Expr>>,
    pub predicate: Vec<Expr>,
    pub pred_ok: Cell<bool>,
    pub unique: bool,
    pub immediate: bool,
    pub is_btree: bool,
    /// Restriction clauses without those the predicate implies.
    pub restrict: RefCell<Vec<Ri>>,
    pub types: Vec<TypeMod>,
}

/// A condition of WHERE or ON with what is known of it. (PostgreSQL: `RestrictInfo`)
pub(crate) struct RestrictInfo {
    pub serial: u32,
    pub clause: Expr,
    /// Of an OR: its arms, each a conjunction.
    pub or_arms: Vec<Vec<Ri>>,
    pub pushed_down: bool,
    pub can_join: bool,
    pub pseudoconstant: bool,
    pub has_volatile: bool,
    pub clause_relids: Relids,
    pub required: Relids,
    pub outer_relids: Relids,
    pub left_relids: Relids,
    pub right_relids: Relids,
    /// Relations whose columns in it some outer join may null.
    pub nullable: Relids,
    pub merge_families: Vec<Oid>,
    pub hash_op: Oid,
    pub left_ec: Cell<Option<EcId>>,
    pub right_ec: Cell<Option<EcId>>,
    pub parent_ec: Option<EcId>,
    /// The members of `parent_ec` that it was made from.
    pub left_em: Option<usize>,
    pub right_em: Option<usize>,
    pub domain: u32,
    pub eval_cost: Cell<Option<(f64, f64)>>,
    pub norm_sel: Cell<f64>,
    pub outer_sel: Cell<f64>,
    /// Start and end of both sides' parts that a merge join reads.
    pub scan_sel: Cell<Option<[f64; 4]>>,
    pub left_bucket: Cell<Option<(f64, f64)>>,
    pub right_bucket: Cell<Option<(f64, f64)>>,
}
pub(crate) type Ri = Rc<RestrictInfo>;

impl RestrictInfo {
    /// Whether it is above, not part of, an outer join of these relations. (PostgreSQL: `RINFO_IS_PUSHED_DOWN`)
    pub fn is_pushed_down(&self, joinrelids: &Relids) -> bool {
        self.pushed_down || !self.required.is_subset(joinrelids)
    }
    pub fn op(&self) -> Option<&OpExpr> {
        match &self.clause {
            Expr::OpExpr(o) => Some(o),
            _ => None,
        }
    }
    pub fn left(&self) -> Option<&Expr> {
        self.op().and_then(|o| o.args.first())
    }
    pub fn right(&self) -> Option<&Expr> {
        self.op().and_then(|o| o.args.get(1))
    }
}

/// An outer join, semijoin or antijoin that limits the order of joins. (PostgreSQL: `SpecialJoinInfo`)
pub(crate) struct SpecialJoin {
    pub min_left: Relids,
    pub min_right: Relids,
    pub syn_left: Relids,
    pub syn_right: Relids,
    pub jointype: JoinType,
    /// The join's range-table index; 0 for semijoins.
    pub ojrelid: RtIndex,
    pub lhs_strict: bool,
    pub delay_upper: Cell<bool>,
    pub semi_can_btree: bool,
    pub semi_can_hash: bool,
    pub semi_operators: Vec<Oid>,
    pub semi_rhs: Vec<Expr>,
}

/// Expressions known to be equal. (PostgreSQL: `EquivalenceClass`)
#[derive(Default)]
pub(crate) struct Ec {
    pub opfamilies: Vec<Oid>,
    pub collation: Oid,
    pub members: Vec<Em>,
    pub sources: Vec<Ri>,
    pub derives: Vec<Ri>,
    pub relids: Relids,
    pub has_const: bool,
    pub has_volatile: bool,
    pub broken: bool,
    pub sortref: u32,
    pub merged: Option<EcId>,
}

/// (PostgreSQL: `EquivalenceMember`)
#[derive(Clone)]
pub(crate) struct Em {
    pub expr: Expr,
    pub relids: Relids,
    pub is_const: bool,
    pub datatype: Oid,
    pub domain: u32,
}

/// One column of an order: values of an equivalence class. (PostgreSQL: `PathKey`)
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct PathKey {
    pub ec: EcId,
    pub opfamily: Oid,
    pub descending: bool,
    pub nulls_first: bool,
}

/// What a parameterised path of a relation needs and applies. (PostgreSQL: `ParamPathInfo`)
pub(crate) struct ParamInfo {
    pub req_outer: Relids,
    pub rows: f64,
    pub clauses: Vec<Ri>,
}

/// A way to compute a relation. (PostgreSQL: `Path`)
pub(crate) struct Path {
    pub kind: PathKind,
    pub relids: Relids,
    pub target: Rc<Target>,
    pub param: Option<Rc<ParamInfo>>,
    pub rows: f64,
    pub startup: f64,
    pub total: f64,
    pub disabled: i32,
    pub pathkeys: Vec<PathKey>,
}
pub(crate) type P = Rc<Path>;

impl Path {
    pub fn req_outer(&self) -> Relids {
        self.param.as_ref().map(|p| p.req_outer.clone()).unwrap_or_default()
    }
    pub fn needs(&self, relids: &Relids) -> bool {
        self.param.as_ref().is_some_and(|p| p.req_outer.overlaps(relids))
    }
}

/// An index condition and what it was made from. (PostgreSQL: `IndexClause`)
#[derive(Clone)]
pub(crate) struct IndexClause {
    pub rinfo: Ri,
    /// The conditions for the index, the index expression on the left.
    pub quals: Vec<Expr>,
    pub lossy: bool,
    pub column: usize,
}

pub(crate) struct JoinPath {
    pub jointype: JoinType,
    pub inner_unique: bool,
    pub outer: P,
    pub inner: P,
    pub restrict: Vec<Ri>,
}

pub(crate) enum PathKind {
    SeqScan,
    SampleScan,
    Index {
        index: Rc<IndexOpt>,
        clauses: Vec<IndexClause>,
        backward: bool,
        only: bool,
        selectivity: f64,
        index_cost: f64,
    },
    BitmapHeap {
        bitmap: P,
    },
    BitmapAnd {
        paths: Vec<P>,
        selectivity: f64,
    },
    BitmapOr {
        paths: Vec<P>,
        selectivity: f64,
    },
    Tid {
        quals: Vec<Ri>,
        exprs: Vec<Expr>,
    },
    TidRange {
        quals: Vec<Ri>,
    },
    Subquery {
        index: RtIndex,
        path: P,
    },
    FunctionScan,
    ValuesScan,
    TableFuncScan,
    CteScan {
        plan_id: usize,
        param: i32,
    },
    WorkTableScan {
        param: i32,
    },
    NamedTuplestore,
    /// One row, or none where the conditions fail.
    Result {
        quals: Vec<Expr>,
    },
    Append {
        paths: Vec<P>,
    },
    MergeAppend {
        paths: Vec<P>,
    },
    Material {
        sub: P,
    },
    Memoize {
        sub: P,
        exprs: Vec<Expr>,
        ops: Vec<Oid>,
        single_row: bool,
        binary: bool,
        calls: f64,
        entries: f64,
        hit_ratio: f64,
        unique_keys: f64,
    },
    /// Of a semijoin's inner side.
    Unique {
        sub: P,
        hashed: bool,
        exprs: Vec<Expr>,
        ops: Vec<Oid>,
    },
    NestLoop(JoinPath),
    MergeJoin {
        join: JoinPath,
        clauses: Vec<Ri>,
        outer_sort: Vec<PathKey>,
        inner_sort: Vec<PathKey>,
        outer_presorted: usize,
        materialize: bool,
        skip_mark: bool,
    },
    HashJoin {
        join: JoinPath,
        clauses: Vec<Ri>,
    },
    Projection {
        sub: P,
    },
    ProjectSet {
        sub: P,
    },
    Sort {
        sub: P,
    },
    IncrementalSort {
        sub: P,
        presorted: usize,
    },
    Group {
        sub: P,
        clauses: Vec<SortGroupClause>,
        having: Vec<Expr>,
    },
    UpperUnique {
        sub: P,
        keys: usize,
    },
    Agg {
        sub: P,
        strategy: AggStrategy,
        clauses: Vec<SortGroupClause>,
        having: Vec<Expr>,
        groups: f64,
        rollups: Vec<crate::groupingsets::Rollup>,
    },
    /// MIN and MAX by index: one initplan an aggregate.
    MinMaxAgg {
        inits: Vec<(RefCell<Option<Box<Root>>>, P, Param)>,
        having: Vec<Expr>,
    },
    WindowAgg {
        sub: P,
        clause: Box<WindowClause>,
        funcs: usize,
        top: bool,
        qual: Vec<Expr>,
        run_condition: Vec<Expr>,
    },
    SetOp {
        left: P,
        right: P,
        cmd: SetOpCmd,
        hashed: bool,
        clauses: Vec<SortGroupClause>,
        groups: f64,
    },
    RecursiveUnion {
        left: P,
        right: P,
        clauses: Vec<SortGroupClause>,
        param: i32,
        groups: f64,
    },
    LockRows {
        sub: P,
        marks: Vec<PlanRowMark>,
        epq: i32,
    },
    ModifyTable {
        sub: P,
        node: Box<ModifyTable>,
    },
    Limit {
        sub: P,
        offset: Option<Expr>,
        count: Option<Expr>,
        with_ties: bool,
    },
}

/// What an enclosing query level lends to those inside.
#[derive(Default)]
pub(crate) struct Level {
    /// Parameters that inner levels want set: number and this level's expression. (PostgreSQL: `plan_params`)
    pub plan_params: Vec<(i32, Expr)>,
    pub ctes: Vec<CteState>,
    pub wt_param: Option<i32>,
    pub nonrecursive: Option<(f64, i32)>,
}

#[derive(Clone)]
pub(crate) struct CteState {
    pub name: String,
    pub plan: Option<(usize, i32)>,
    pub rows: f64,
    pub width: i32,
}

/// What the whole statement's plan collects. (PostgreSQL: `PlannerGlobal`)
#[derive(Default)]
pub(crate) struct Glob {
    pub exec_params: Vec<Oid>,
    pub subplans: Vec<Option<Plan>>,
    pub subroots: Vec<Option<Box<Root>>>,
    pub subplan_exec: Vec<SubCost>,
    pub rtable: Vec<RangeTblEntry>,
    pub perminfos: Vec<RtePermissionInfo>,
    pub result_relations: Vec<RtIndex>,
    pub row_marks: Vec<PlanRowMark>,
    pub relation_oids: Vec<Oid>,
    pub depends_on: Vec<Dependency>,
    pub last_rowmark: u32,
    pub depends_on_role: bool,
    pub transient: bool,
}

/// Costs and rows of a finished subplan.
#[derive(Clone, Copy, Default)]
pub(crate) struct SubCost {
    pub startup: f64,
    pub total: f64,
    pub rows: f64,
    pub width: i32,
}

pub(crate) struct Planner<'a, 'b> {
    pub cx: &'a mut crate::PlannerContext<'b>,
    pub options: &'a crate::PlanOptions,
    pub glob: Glob,
    pub levels: Vec<Level>,
    /// Multi-column assignments: sublink number and parameters.
    pub multi: Vec<(i32, Vec<i32>)>,
    /// Values of `$n` for a custom plan.
    pub params: Option<Arc<[Datum]>>,
    /// For the subquery that is planned next.
    pub run_conditions: Vec<crate::windows::RunCondition>,
}
