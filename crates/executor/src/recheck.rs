//! Rows that others changed meanwhile: at READ COMMITTED the newest version is locked and the query's conditions are tried
//! again on it, the other tables' rows being the ones already joined.
//!
//! PostgreSQL: `EvalPlanQual`.

use std::sync::Arc;

use access::heap::{HeapRelation, Outcome, RowLock, WaitPolicy};
use analyze::query::RtIndex;
use base::sqlstate::T_R_SERIALIZATION_FAILURE;
use base::{Oid, PgError, Result, TupleId};
use planner::Plan;
use types::{Batch, DatumRef, FromDatum};

use crate::append::compact;
use crate::build::Builder;
use crate::node::Node;
use crate::state::{Recheck, Run};

/// A row mark's columns in the subplan's output.
#[derive(Clone, Debug)]
pub(crate) struct MarkColumn {
    pub rti: RtIndex,
    pub ctid: usize,
    /// Of a table with members: the column that says which one a row is from.
    pub tableoid: Option<usize>,
    pub members: Vec<(Oid, RtIndex)>,
}

impl MarkColumn {
    /// The table and range-table index of a row, if it is from a member.
    pub fn member(&self, batch: &Batch, i: usize) -> Result<Option<(Oid, RtIndex)>> {
        let Some(column) = self.tableoid else { return Ok(None) };
        let oid = batch.columns[column].get(i);
        if oid.is_null() {
            return Ok(None);
        }
        let oid = Oid::from_datum(oid)?;
        Ok(self.members.iter().find(|m| m.0 == oid).copied())
    }
    /// What a recheck shall read of it: this row, and nothing of other members.
    pub fn rows(
        &self,
        batch: &Batch,
        i: usize,
        tid: Option<TupleId>,
        out: &mut Vec<(RtIndex, Option<TupleId>)>,
    ) -> Result<()> {
        if self.tableoid.is_none() {
            out.push((self.rti, tid));
            return Ok(());
        }
        let own = self.member(batch, i)?;
        out.extend(self.members.iter().map(|m| (m.1, tid.filter(|_| own == Some(*m)))));
        Ok(())
    }
}

/// The tids that the row marks of a plan's output stand for.
pub(crate) fn mark_columns(plan: &Plan, marks: &[planner::PlanRowMark]) -> Vec<MarkColumn> {
    let find = |name: &str| plan.targetlist.iter().position(|t| t.resname.as_deref() == Some(name));
    marks
        .iter()
        .filter_map(|m| {
            let tableoid = if m.is_parent { find(&format!("tableoid{}", m.rowmark_id)) } else { None };
            let ctid = find(&format!("ctid{}", m.rowmark_id))?;
            Some(MarkColumn { rti: m.rti, ctid, tableoid, members: m.members.clone() })
        })
        .collect()
}

pub(crate) fn tid_of(d: DatumRef<'_>) -> Result<Option<TupleId>> {
    if d.is_null() { Ok(None) } else { TupleId::from_datum(d).map(Some) }
}

/// A second copy of a subplan, made when the first recheck needs it.
#[derive(Default)]
pub(crate) struct Rechecker {
    node: Option<Node>,
}

impl Rechecker {
    /// Runs the subplan on the given rows only; its one output row, if there is one.
    pub fn run(
        &mut self,
        run: &mut Run<'_>,
        plan: &Plan,
        rows: Vec<(RtIndex, Option<TupleId>)>,
    ) -> Result<Option<Batch>> {
        let saved = run.st.recheck.replace(Recheck { rows });
        let result = self.run_inner(run, plan);
        run.st.recheck = saved;
        result
    }
    fn run_inner(&mut self, run: &mut Run<'_>, plan: &Plan) -> Result<Option<Batch>> {
        let node = match &mut self.node {
            Some(node) => node,
            none => {
                let planned = run.st.planned.clone();
                let planned = planned.ok_or_else(|| PgError::internal("no plan to recheck"))?;
                none.insert(Builder::new(run.cx, run.st, planned).node(plan)?)
            }
        };
        // Everything below must look at the rows anew.
        let all: Vec<i32> = (0..run.st.exec.len() as i32).collect();
        node.fresh = false;
        node.rescan(run, &all)?;
        Ok(node.next(run, 1)?.map(compact))
    }
}

/// Raised where a changed row may not be followed. (PostgreSQL: `XactIsoLevel >= REPEATABLE READ`)
pub(crate) fn serialization_failure(deleted: bool) -> PgError {
    let what = if deleted { "delete" } else { "update" };
    PgError::new(T_R_SERIALIZATION_FAILURE, format!("could not serialize access due to concurrent {what}"))
}

/// Locks the newest version of a row that was updated; `None` if it is gone or somebody holds it.
pub(crate) fn lock_newest(
    run: &mut Run<'_>,
    heap: &Arc<HeapRelation>,
    tid: TupleId,
    mode: RowLock,
    wait: WaitPolicy,
) -> Result<Option<TupleId>> {
    let txn = run.cx.txn()?.clone();
    let mut tid = tid;
    loop {
        match heap.lock(&txn, tid, run.st.output_cid, mode, wait, false)? {
            Outcome::Ok => return Ok(Some(tid)),
            Outcome::Updated { ctid, .. } if ctid != tid => tid = ctid,
            Outcome::Invisible => return Err(PgError::internal("attempted to lock invisible tuple")),
            _ => return Ok(None),
        }
    }
}
