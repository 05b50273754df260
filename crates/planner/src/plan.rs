//! Plans: what the planner hands to the executor. Node names are the ones EXPLAIN prints, fields those of PostgreSQL's
//! plan nodes. In a finished plan a `Var` names a column of a child (`OUTER_VAR`, `INNER_VAR`), of an index (`INDEX_VAR`)
//! or of the scanned relation (its range-table index).
//!
//! Invariants
//! - `Plan::capacity` says how many rows a node may produce before its consumer asks for more. It is 1 where running ahead
//!   would show (volatile functions, row locks), else [`BATCH_ROWS`].
//! - `Plan::params` lists every Exec parameter that the subtree reads: a rescan with none of them changed may reuse results.
//!
//! PostgreSQL: `plannodes.h`.

use std::sync::Arc;

use analyze::partition::prune::PruneSteps;
use analyze::query::*;
use base::Oid;
use types::TupleDesc;

/// Rows in a full batch.
pub const BATCH_ROWS: u32 = 1024;

/// A finished plan with all that its execution needs; immutable and shared. (PostgreSQL: `PlannedStmt`)
#[derive(Clone, Debug)]
pub struct PlannedStmt {
    pub command_type: CmdType,
    pub can_set_tag: bool,
    pub has_returning: bool,
    pub has_modifying_cte: bool,
    pub plan: Plan,
    /// Flattened: of all subqueries too.
    pub rtable: Vec<RangeTblEntry>,
    pub perminfos: Vec<RtePermissionInfo>,
    /// Targets of INSERT, UPDATE, DELETE, MERGE.
    pub result_relations: Vec<RtIndex>,
    /// Plans of sublinks and CTEs, referred to by `SubPlan::plan_id`.
    pub subplans: Vec<Plan>,
    pub row_marks: Vec<PlanRowMark>,
    /// Types of the Exec parameters.
    pub exec_params: Vec<Oid>,
    /// The statement's result columns; empty where it returns none.
    pub result_desc: Arc<TupleDesc>,
    /// Relations whose change invalidates the plan.
    pub relation_oids: Vec<Oid>,
    /// Functions, types and operators whose change invalidates the plan. (PostgreSQL: `invalItems`)
    pub depends_on: Vec<Dependency>,
    /// It was planned for the current role (row security).
    pub depends_on_role: bool,
    /// It can only be used under the snapshot it was planned with. (PostgreSQL: `transientPlan`)
    pub transient: bool,
    pub stmt_location: base::error::Location,
    pub stmt_len: usize,
}

/// An object that a plan relies on.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Dependency {
    pub class: Oid,
    pub object: Oid,
}

/// How a row of a table is remembered for locking or rechecking. (PostgreSQL: `PlanRowMark`)
#[derive(Clone, PartialEq, Debug)]
pub struct PlanRowMark {
    pub rti: RtIndex,
    pub rowmark_id: u32,
    pub mark_type: RowMarkType,
    pub strength: LockClauseStrength,
    pub wait_policy: LockWaitPolicy,
    /// It stands for the rows of `members`: the output also says which table a row is from.
    pub is_parent: bool,
    /// Tables with their range-table indexes.
    pub members: Vec<(Oid, RtIndex)>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RowMarkType {
    Exclusive,
    NoKeyExclusive,
    Share,
    KeyShare,
    /// Not locked, only fetched again by its tid in a recheck.
    Reference,
    /// Not locked, the whole row is carried along.
    Copy,
}

/// One node with its children.
#[derive(Clone, Debug)]
pub struct Plan {
    pub startup_cost: f64,
    pub total_cost: f64,
    pub rows: f64,
    pub width: i32,
    pub disabled_nodes: i32,
    /// See the head.
    pub capacity: u32,
    pub targetlist: Vec<TargetEntry>,
    /// Implicitly ANDed.
    pub qual: Vec<Expr>,
    pub outer: Option<Box<Plan>>,
    pub inner: Option<Box<Plan>>,
    /// Uncorrelated sublinks and CTEs run for this node. (PostgreSQL: `initPlan`)
    pub init_plans: Vec<SubPlan>,
    /// Exec parameters that the subtree reads and does not set itself, ascending. (PostgreSQL: `extParam`)
    pub params: Vec<i32>,
    /// PostgreSQL would hand on the relation's whole rows; here only EXPLAIN shows it. (PostgreSQL: `use_physical_tlist`)
    pub physical: bool,
    /// Of an Append over an inherited table: the range-table index of that table, whose columns EXPLAIN shows.
    pub append_rel: RtIndex,
    /// Of an Append or MergeAppend over partitions: which of them need not be run, once values are known.
    pub prune: Option<Box<AppendPrune>>,
    pub node: PlanNode,
}

impl Plan {
    pub fn new(node: PlanNode) -> Plan {
        Plan {
            startup_cost: 0.0,
            total_cost: 0.0,
            rows: 0.0,
            width: 0,
            disabled_nodes: 0,
            capacity: BATCH_ROWS,
            targetlist: Vec::new(),
            qual: Vec::new(),
            outer: None,
            inner: None,
            init_plans: Vec::new(),
            params: Vec::new(),
            physical: false,
            append_rel: 0,
            prune: None,
            node,
        }
    }
    /// All children: outer, inner, then a list's.
    pub fn children(&self) -> Vec<&Plan> {
        let list: &[Plan] = match &self.node {
            PlanNode::Append { plans, .. }
            | PlanNode::MergeAppend { plans, .. }
            | PlanNode::BitmapAnd { plans }
            | PlanNode::BitmapOr { plans } => plans,
            PlanNode::SubqueryScan { subplan, .. } => std::slice::from_ref(subplan),
            _ => &[],
        };
        self.outer.as_deref().into_iter().chain(self.inner.as_deref()).chain(list).collect()
    }
    pub fn children_mut(&mut self) -> Vec<&mut Plan> {
        let list: &mut [Plan] = match &mut self.node {
            PlanNode::Append { plans, .. }
            | PlanNode::MergeAppend { plans, .. }
            | PlanNode::BitmapAnd { plans }
            | PlanNode::BitmapOr { plans } => plans,
            PlanNode::SubqueryScan { subplan, .. } => std::slice::from_mut(subplan),
            _ => &mut [],
        };
        self.outer.as_deref_mut().into_iter().chain(self.inner.as_deref_mut()).chain(list).collect()
    }
}

/// Pruning when the plan runs. (PostgreSQL: `PartitionPruneInfo`)
#[derive(Clone, Debug)]
pub struct AppendPrune {
    /// The partitioned tables, the one that is named first.
    pub tables: Vec<PrunedTable>,
}

/// (PostgreSQL: `PartitionedRelPruneInfo`)
#[derive(Clone, Debug)]
pub struct PrunedTable {
    pub relid: Oid,
    /// With values known when execution begins.
    pub starting: Option<PruneSteps>,
    /// With parameters that change during it.
    pub running: Option<PruneSteps>,
    /// In the order of the table's partitions.
    pub parts: Vec<PrunedPart>,
}

/// What stands behind a partition.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PrunedPart {
    /// Nothing: it was excluded while planning.
    Gone,
    /// A subplan.
    Plan(usize),
    /// Another partitioned table, by its number.
    Table(usize),
}

/// A sort column: a child's column number with its operator. (PostgreSQL: `sortColIdx`, `sortOperators`, ...)
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SortCol {
    pub column: AttrNumber,
    pub sortop: Oid,
    pub collation: Oid,
    pub nulls_first: bool,
}

/// A grouping column.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct GroupCol {
    pub column: AttrNumber,
    pub eqop: Oid,
    pub collation: Oid,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AggStrategy {
    Plain,
    Sorted,
    Hashed,
    Mixed,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SetOpCmd {
    Intersect,
    IntersectAll,
    Except,
    ExceptAll,
}

/// A pass of an Agg node with grouping sets over its input.
#[derive(Clone, PartialEq, Debug)]
pub struct AggPhase {
    /// Sorted, Hashed or Plain.
    pub strategy: AggStrategy,
    /// The input must be sorted like this first; empty where it comes as needed.
    pub sort: Vec<SortCol>,
    /// Columns of the Agg's input that each set groups by; in a sorted pass each is the start of the one before.
    pub sets: Vec<Vec<AttrNumber>>,
}

/// A parameter that a nested loop sets from its outer row. (PostgreSQL: `NestLoopParam`)
#[derive(Clone, PartialEq, Debug)]
pub struct NestLoopParam {
    pub param: i32,
    pub value: Expr,
}

/// One key of a merge join: the clause's operator belongs to a btree family.
#[derive(Clone, PartialEq, Debug)]
pub struct MergeKey {
    pub opfamily: Oid,
    pub collation: Oid,
    pub reverse: bool,
    pub nulls_first: bool,
}

/// ON CONFLICT of a ModifyTable.
#[derive(Clone, PartialEq, Debug)]
pub struct OnConflictPlan {
    pub update: bool,
    pub arbiter_indexes: Vec<Oid>,
    pub set: Vec<TargetEntry>,
    pub set_columns: Vec<AttrNumber>,
    pub where_: Option<Expr>,
    pub excl_rel_rti: RtIndex,
    pub excl_rel_tlist: Vec<TargetEntry>,
}

/// (PostgreSQL: `WCOKind`, `WithCheckOption`)
#[derive(Clone, PartialEq, Debug)]
pub struct WithCheckOption {
    pub relname: String,
    pub polname: Option<String>,
    pub qual: Expr,
    /// A row-security policy rather than a view's check option.
    pub is_rls: bool,
}

/// (PostgreSQL: `ModifyTable`)
#[derive(Clone, Debug)]
pub struct ModifyTable {
    pub operation: CmdType,
    pub can_set_tag: bool,
    pub nominal_relation: RtIndex,
    /// Of UPDATE, DELETE and MERGE, the partitioned table that is named: rows may move between its partitions.
    pub root_relation: Option<RtIndex>,
    pub result_relations: Vec<RtIndex>,
    /// The table where it is not the range-table entry's: a partition that rows are routed to.
    pub table: Option<Oid>,
    /// For UPDATE: the columns that the subplan's first outputs set, by result relation.
    pub update_columns: Vec<Vec<AttrNumber>>,
    pub with_check_options: Vec<WithCheckOption>,
    /// By result relation; Vars of the target itself with `varreturning`, of other relations as `OUTER_VAR`.
    pub returning: Vec<Vec<TargetEntry>>,
    /// RETURNING over the columns of `root_relation`, for rows that are routed.
    pub root_returning: Vec<TargetEntry>,
    pub row_marks: Vec<PlanRowMark>,
    pub on_conflict: Option<Box<OnConflictPlan>>,
    pub merge_actions: Vec<Vec<MergeAction>>,
    pub merge_join_conditions: Vec<Option<Expr>>,
    /// The Exec parameter that a recheck's subplan signals through. (PostgreSQL: `epqParam`)
    pub epq_param: i32,
}

/// What a node does. The subplan is `Plan::outer` unless said otherwise.
#[derive(Clone, Debug)]
pub enum PlanNode {
    /// No input: one row; else passes rows on while `constant_qual` holds.
    Result {
        constant_qual: Vec<Expr>,
    },
    /// Set-returning functions in the target list.
    ProjectSet,
    ModifyTable(Box<ModifyTable>),
    Append {
        plans: Vec<Plan>,
    },
    MergeAppend {
        plans: Vec<Plan>,
        keys: Vec<SortCol>,
    },
    /// `outer`: the non-recursive term, `inner`: the recursive one. `dedup` is empty for UNION ALL.
    RecursiveUnion {
        wt_param: i32,
        dedup: Vec<GroupCol>,
        num_groups: f64,
    },
    BitmapAnd {
        plans: Vec<Plan>,
    },
    BitmapOr {
        plans: Vec<Plan>,
    },
    SeqScan {
        scanrelid: RtIndex,
    },
    SampleScan {
        scanrelid: RtIndex,
        sample: Box<TableSampleClause>,
    },
    IndexScan {
        scanrelid: RtIndex,
        indexid: Oid,
        /// Each an operator on an `INDEX_VAR` and a value.
        indexqual: Vec<Expr>,
        /// The same over the table's columns, for lossy indexes and EXPLAIN.
        indexqualorig: Vec<Expr>,
        indexorderby: Vec<Expr>,
        indexorderbyorig: Vec<Expr>,
        backward: bool,
    },
    IndexOnlyScan {
        scanrelid: RtIndex,
        indexid: Oid,
        indexqual: Vec<Expr>,
        recheckqual: Vec<Expr>,
        indexorderby: Vec<Expr>,
        /// The index's columns as expressions over the table.
        indextlist: Vec<TargetEntry>,
        backward: bool,
    },
    BitmapIndexScan {
        scanrelid: RtIndex,
        indexid: Oid,
        indexqual: Vec<Expr>,
        indexqualorig: Vec<Expr>,
    },
    /// `outer` yields the bitmap.
    BitmapHeapScan {
        scanrelid: RtIndex,
        bitmapqualorig: Vec<Expr>,
    },
    TidScan {
        scanrelid: RtIndex,
        tidquals: Vec<Expr>,
    },
    TidRangeScan {
        scanrelid: RtIndex,
        tidrangequals: Vec<Expr>,
    },
    SubqueryScan {
        scanrelid: RtIndex,
        subplan: Box<Plan>,
    },
    FunctionScan {
        scanrelid: RtIndex,
        functions: Vec<RangeTblFunction>,
        ordinality: bool,
    },
    ValuesScan {
        scanrelid: RtIndex,
        lists: Vec<Vec<Expr>>,
    },
    TableFuncScan {
        scanrelid: RtIndex,
        tablefunc: Box<TableFunc>,
    },
    CteScan {
        scanrelid: RtIndex,
        plan_id: usize,
        cte_param: i32,
    },
    WorkTableScan {
        scanrelid: RtIndex,
        wt_param: i32,
    },
    NamedTuplestoreScan {
        scanrelid: RtIndex,
    },
    NestLoop {
        jointype: JoinType,
        joinqual: Vec<Expr>,
        inner_unique: bool,
        params: Vec<NestLoopParam>,
    },
    MergeJoin {
        jointype: JoinType,
        joinqual: Vec<Expr>,
        inner_unique: bool,
        mergeclauses: Vec<Expr>,
        keys: Vec<MergeKey>,
        skip_mark_restore: bool,
    },
    /// `inner` is a Hash node.
    HashJoin {
        jointype: JoinType,
        joinqual: Vec<Expr>,
        inner_unique: bool,
        hashclauses: Vec<Expr>,
        /// The outer sides of the clauses; the inner ones are the Hash node's.
        hashkeys: Vec<Expr>,
        /// Equality operators and collations of the clauses.
        hashoperators: Vec<Oid>,
        hashcollations: Vec<Oid>,
    },
    Hash {
        hashkeys: Vec<Expr>,
    },
    Material,
    Memoize {
        param_exprs: Vec<Expr>,
        hash_operators: Vec<Oid>,
        collations: Vec<Oid>,
        single_row: bool,
        binary_mode: bool,
        est_entries: u32,
        est_calls: f64,
        est_unique_keys: f64,
        est_hit_ratio: f64,
        key_params: Vec<i32>,
    },
    Sort {
        keys: Vec<SortCol>,
    },
    IncrementalSort {
        keys: Vec<SortCol>,
        presorted: usize,
    },
    Group {
        columns: Vec<GroupCol>,
    },
    Agg {
        strategy: AggStrategy,
        columns: Vec<GroupCol>,
        num_groups: f64,
        /// Empty: one set of all the columns.
        phases: Vec<AggPhase>,
    },
    WindowAgg(Box<WindowAggPlan>),
    Unique {
        columns: Vec<GroupCol>,
    },
    /// With `hashed` the inputs may come in any order.
    SetOp {
        cmd: SetOpCmd,
        hashed: bool,
        keys: Vec<SortCol>,
        columns: Vec<GroupCol>,
        num_groups: f64,
    },
    LockRows {
        row_marks: Vec<PlanRowMark>,
        epq_param: i32,
    },
    Limit {
        offset: Option<Expr>,
        count: Option<Expr>,
        with_ties: bool,
        ties_columns: Vec<GroupCol>,
    },
}

/// (PostgreSQL: `WindowAgg`)
#[derive(Clone, Debug)]
pub struct WindowAggPlan {
    pub winname: String,
    pub winref: u32,
    pub partition: Vec<GroupCol>,
    pub order: Vec<GroupCol>,
    /// Direction and null order of the ORDER BY columns, for RANGE frames.
    pub order_keys: Vec<SortCol>,
    pub frame_options: u32,
    pub start_offset: Option<Expr>,
    pub end_offset: Option<Expr>,
    pub start_in_range_func: Oid,
    pub end_in_range_func: Oid,
    pub in_range_coll: Oid,
    pub in_range_asc: bool,
    pub in_range_nulls_first: bool,
    pub run_condition: Vec<Expr>,
    pub run_condition_orig: Vec<Expr>,
    pub top_window: bool,
}

impl PlanNode {
    /// The range-table index that a scan node reads.
    pub fn scanrelid(&self) -> Option<RtIndex> {
        match self {
            PlanNode::SeqScan { scanrelid }
            | PlanNode::SampleScan { scanrelid, .. }
            | PlanNode::IndexScan { scanrelid, .. }
            | PlanNode::IndexOnlyScan { scanrelid, .. }
            | PlanNode::BitmapIndexScan { scanrelid, .. }
            | PlanNode::BitmapHeapScan { scanrelid, .. }
            | PlanNode::TidScan { scanrelid, .. }
            | PlanNode::TidRangeScan { scanrelid, .. }
            | PlanNode::SubqueryScan { scanrelid, .. }
            | PlanNode::FunctionScan { scanrelid, .. }
            | PlanNode::ValuesScan { scanrelid, .. }
            | PlanNode::TableFuncScan { scanrelid, .. }
            | PlanNode::CteScan { scanrelid, .. }
            | PlanNode::NamedTuplestoreScan { scanrelid }
            | PlanNode::WorkTableScan { scanrelid, .. } => Some(*scanrelid),
            _ => None,
        }
    }
}
