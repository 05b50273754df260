//! From plan nodes to operators.

use std::sync::Arc;

use analyze::query::{CmdType, RtIndex, RteKind};
use base::Result;
use planner::{Plan, PlanNode, PlannedStmt};

use crate::context::ExecContext;
use crate::expr::{Compiler, Scope};
use crate::node::{Exec, Node, arm};
use crate::state::{Estate, Run};

/// Makes the operators of one statement.
pub(crate) struct Builder<'a> {
    pub cx: &'a mut ExecContext,
    pub st: &'a mut Estate,
    pub planned: Arc<PlannedStmt>,
}

impl<'a> Builder<'a> {
    pub fn new(cx: &'a mut ExecContext, st: &'a mut Estate, planned: Arc<PlannedStmt>) -> Builder<'a> {
        Builder { cx, st, planned }
    }
    pub fn compiler(&mut self, scope: Scope) -> Compiler<'_> {
        Compiler::new(self.cx, scope)
    }
    pub fn outer(&mut self, plan: &Plan) -> Result<Node> {
        match &plan.outer {
            Some(p) => self.node(p),
            None => Err(base::PgError::internal("plan node without its input")),
        }
    }
    pub fn inner(&mut self, plan: &Plan) -> Result<Node> {
        match &plan.inner {
            Some(p) => self.node(p),
            None => Err(base::PgError::internal("plan node without its second input")),
        }
    }

    /// The operator of a plan node with its children.
    pub fn node(&mut self, plan: &Plan) -> Result<Node> {
        stack_check(self.cx)?;
        let init: Vec<_> = plan.init_plans.iter().map(|s| Arc::new(s.clone())).collect();
        for s in &init {
            arm(&mut Run { cx: &mut *self.cx, st: &mut *self.st }, s);
        }
        let exec = self.exec(plan)?;
        let output = self.compiler(Scope::empty()).physicals(&plan.targetlist)?;
        let instrument = self.st.instrument.then(|| {
            self.st.counters.push(crate::node::Instrumentation::default());
            let at = self.st.counters.len() - 1;
            self.st.counter_of.insert(std::ptr::from_ref(plan).addr(), at);
            at
        });
        Ok(Node {
            exec,
            capacity: plan.capacity.max(1) as usize,
            params: plan.params.clone(),
            init,
            output,
            instrument,
            fresh: true,
            pending: None,
            served: None,
        })
    }

    fn is_view(&self, rti: u32) -> bool {
        let kind = &self.planned.rtable[rti as usize - 1].kind;
        matches!(kind, RteKind::Relation { relkind: catalog::relkind::VIEW, .. })
    }
    fn relation_of(&self, rti: u32) -> Result<Arc<catalog::Relation>> {
        match self.planned.rtable[rti as usize - 1].kind {
            RteKind::Relation { relid, .. } => self.cx.catalog.relation_entry(relid),
            _ => Err(base::PgError::internal("a target that is no relation")),
        }
    }
    pub fn is_partitioned(&self, rti: RtIndex) -> bool {
        let rte = self.planned.rtable.get(rti as usize - 1);
        matches!(rte.map(|r| &r.kind), Some(RteKind::Relation { relkind: b'p', .. }))
    }

    fn exec(&mut self, plan: &Plan) -> Result<Box<dyn Exec>> {
        use crate::*;
        Ok(match &plan.node {
            PlanNode::Result { constant_qual } => Box::new(result::ResultExec::build(self, plan, constant_qual)?),
            PlanNode::ProjectSet => Box::new(project_set::ProjectSetExec::build(self, plan)?),
            PlanNode::ModifyTable(m) if self.is_view(m.nominal_relation) => {
                let view = self.relation_of(m.nominal_relation)?;
                Box::new(view_modify::ViewModifyExec::build(self, plan, m, view)?)
            }
            PlanNode::ModifyTable(m) if m.operation == CmdType::Insert && self.is_partitioned(m.nominal_relation) => {
                Box::new(partitioned_insert::PartitionedInsertExec::build(self, plan, m)?)
            }
            PlanNode::ModifyTable(m) if m.result_relations.len() > 1 || m.root_relation.is_some() => {
                Box::new(inherited_modify::InheritedModifyExec::build(self, plan, m)?)
            }
            PlanNode::ModifyTable(m) => Box::new(modify_table::ModifyTableExec::build(self, plan, m)?),
            PlanNode::Append { plans } => Box::new(append::AppendExec::build(self, plan, plans)?),
            PlanNode::MergeAppend { plans, keys } => Box::new(append::MergeAppendExec::build(self, plan, plans, keys)?),
            PlanNode::RecursiveUnion { wt_param, dedup, .. } => {
                Box::new(recursive_union::RecursiveUnionExec::build(self, plan, *wt_param, dedup)?)
            }
            PlanNode::WorkTableScan { scanrelid, wt_param } => {
                Box::new(recursive_union::WorkTableScanExec::build(self, plan, *scanrelid, *wt_param)?)
            }
            PlanNode::CteScan { scanrelid, plan_id, .. } => {
                Box::new(cte::CteScanExec::build(self, plan, *scanrelid, *plan_id)?)
            }
            PlanNode::NamedTuplestoreScan { scanrelid } => {
                Box::new(named_tuplestore_scan::NamedTuplestoreScanExec::build(self, plan, *scanrelid)?)
            }
            PlanNode::SeqScan { scanrelid } => Box::new(seq_scan::SeqScanExec::build(self, plan, *scanrelid)?),
            PlanNode::IndexScan { .. } | PlanNode::IndexOnlyScan { .. } => {
                Box::new(index_scan::IndexScanExec::build(self, plan)?)
            }
            PlanNode::BitmapHeapScan { scanrelid, bitmapqualorig } => {
                Box::new(bitmap_scan::BitmapHeapExec::build(self, plan, *scanrelid, bitmapqualorig)?)
            }
            PlanNode::TidScan { scanrelid, tidquals } => {
                Box::new(tid_scan::TidScanExec::build(self, plan, *scanrelid, tidquals)?)
            }
            PlanNode::SubqueryScan { scanrelid, subplan } => {
                Box::new(subquery_scan::SubqueryScanExec::build(self, plan, *scanrelid, subplan)?)
            }
            PlanNode::ValuesScan { scanrelid, lists } => {
                Box::new(values_scan::ValuesScanExec::build(self, plan, *scanrelid, lists)?)
            }
            PlanNode::FunctionScan { scanrelid, functions, ordinality } => {
                Box::new(function_scan::FunctionScanExec::build(self, plan, *scanrelid, functions, *ordinality)?)
            }
            PlanNode::NestLoop { jointype, joinqual, inner_unique, params } => {
                Box::new(nest_loop::NestLoopExec::build(self, plan, *jointype, joinqual, *inner_unique, params)?)
            }
            PlanNode::HashJoin { .. } => Box::new(hash_join::HashJoinExec::build(self, plan)?),
            PlanNode::MergeJoin { .. } => Box::new(merge_join::MergeJoinExec::build(self, plan)?),
            PlanNode::Hash { .. } => return Err(base::PgError::internal("Hash node without a join")),
            PlanNode::Material | PlanNode::Memoize { .. } => Box::new(material::MaterialExec::build(self, plan)?),
            PlanNode::Sort { keys } => Box::new(sort::SortExec::build(self, plan, keys, 0)?),
            PlanNode::IncrementalSort { keys, presorted } => {
                Box::new(sort::SortExec::build(self, plan, keys, *presorted)?)
            }
            PlanNode::Group { columns } => Box::new(unique::UniqueExec::build_group(self, plan, columns)?),
            PlanNode::Unique { columns } => Box::new(unique::UniqueExec::build(self, plan, columns)?),
            PlanNode::Agg { .. } => Box::new(agg::AggExec::build(self, plan)?),
            PlanNode::WindowAgg(w) => Box::new(window_agg::WindowAggExec::build(self, plan, w)?),
            PlanNode::SetOp { cmd, columns, hashed: true, .. } => {
                Box::new(set_op::SetOpExec::build(self, plan, *cmd, columns)?)
            }
            PlanNode::SetOp { cmd, keys, .. } => Box::new(set_op::SortedSetOpExec::build(self, plan, *cmd, keys)?),
            PlanNode::LockRows { row_marks, .. } => Box::new(lock_rows::LockRowsExec::build(self, plan, row_marks)?),
            PlanNode::Limit { offset, count, with_ties, ties_columns } => {
                Box::new(limit::LimitExec::build(self, plan, offset, count, *with_ties, ties_columns)?)
            }
            PlanNode::SampleScan { scanrelid, sample } => {
                Box::new(sample_scan::SampleScanExec::build(self, plan, *scanrelid, sample)?)
            }
            PlanNode::TidRangeScan { scanrelid, tidrangequals } => {
                Box::new(tid_range_scan::TidRangeScanExec::build(self, plan, *scanrelid, tidrangequals)?)
            }
            PlanNode::TableFuncScan { .. } => return Err(base::PgError::unsupported("XMLTABLE and JSON_TABLE")),
            PlanNode::BitmapAnd { .. } | PlanNode::BitmapOr { .. } | PlanNode::BitmapIndexScan { .. } => {
                return Err(base::PgError::internal("bitmap node outside a bitmap heap scan"));
            }
        })
    }
}

/// A plan's depth is bounded by its query's, which the parser checked; an interrupt is looked at here.
fn stack_check(cx: &ExecContext) -> Result<()> {
    analyze::walker::check_depth()?;
    cx.interrupt.check()
}
