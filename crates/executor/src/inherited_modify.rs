//! ModifyTable of a table with inheritance children: each row goes to the table it came from, which its `tableoid` names.
//!
//! PostgreSQL: `nodeModifyTable.c` (`ExecLookupResultRelByOid`).

use std::collections::VecDeque;

use analyze::query::{RtIndex, RteKind};
use base::{Oid, PgError, Result};
use planner::{ModifyTable, Plan};
use types::{Batch, FromDatum};

use crate::build::Builder;
use crate::modify_table::ModifyTableExec;
use crate::node::{Exec, Node};
use crate::state::Run;
use crate::trigger::StatementTriggers;

pub(crate) struct InheritedModifyExec {
    input: Node,
    tableoid: usize,
    targets: Vec<(Oid, ModifyTableExec)>,
    /// Of the table that the statement names.
    statement: Option<StatementTriggers>,
    /// Rows of RETURNING that were not given out yet.
    ready: VecDeque<Batch>,
    out: Batch,
    done: bool,
}

/// In place of an input that somebody else reads.
struct Nothing;

impl Exec for Nothing {
    fn next<'a>(&'a mut self, _: &mut Run<'_>, _: usize) -> Result<Option<&'a Batch>> {
        Ok(None)
    }
    fn rescan(&mut self, _: &mut Run<'_>, _: &[i32]) -> Result<()> {
        Ok(())
    }
}

impl InheritedModifyExec {
    pub fn build(b: &mut Builder<'_>, plan: &Plan, m: &ModifyTable) -> Result<InheritedModifyExec> {
        let input = b.outer(plan)?;
        let subplan = plan.outer.as_deref().ok_or_else(|| PgError::internal("ModifyTable without input"))?;
        let tableoid = subplan.targetlist.iter().position(|t| t.resjunk && t.resname.as_deref() == Some("tableoid"));
        let tableoid = tableoid.ok_or_else(|| PgError::internal("could not find junk tableoid column"))?;
        let rte = &b.planned.rtable[m.nominal_relation as usize - 1];
        let RteKind::Relation { relid, .. } = rte.kind else {
            return Err(PgError::internal("ModifyTable of something that is not a relation"));
        };
        let named = b.cx.catalog.relation_entry(relid)?;
        let capture = StatementTriggers::capture(b.cx, &named);
        let mut targets = Vec::new();
        for (k, rti) in m.result_relations.iter().enumerate() {
            let mut one = m.clone();
            one.result_relations = vec![*rti];
            one.update_columns = m.update_columns.get(k).cloned().into_iter().collect();
            one.returning = m.returning.get(k).cloned().into_iter().collect();
            let place = Node {
                exec: Box::new(Nothing),
                capacity: 1,
                params: Vec::new(),
                init: Vec::new(),
                output: input.output.clone(),
                instrument: None,
                fresh: true,
                pending: None,
                served: None,
            };
            let siblings: Vec<RtIndex> = m.result_relations.iter().copied().filter(|r| r != rti).collect();
            let exec = ModifyTableExec::with_input(b, plan, &one, place, siblings, capture.as_ref())?;
            targets.push((exec.table_oid(), exec));
        }
        let statement = StatementTriggers::of(b.cx, &named, m)?;
        let (ready, out) = (VecDeque::new(), Batch::default());
        Ok(InheritedModifyExec { input, tableoid, targets, statement, ready, out, done: false })
    }
}

impl Exec for InheritedModifyExec {
    fn next<'a>(&'a mut self, run: &mut Run<'_>, _: usize) -> Result<Option<&'a Batch>> {
        loop {
            if let Some(batch) = self.ready.pop_front() {
                self.out = batch;
                return Ok(Some(&self.out));
            }
            if self.done {
                return Ok(None);
            }
            if let Some(s) = &mut self.statement {
                s.before(run)?;
            }
            let Some(batch) = self.input.next(run, usize::MAX)? else {
                self.done = true;
                self.targets.iter_mut().try_for_each(|t| t.1.settle(run))?;
                if let Some(s) = &mut self.statement {
                    s.after(run)?;
                }
                return Ok(None);
            };
            let batch = batch.clone();
            let mut last: Option<usize> = None;
            for i in batch.selected().iter() {
                let oid = Oid::from_datum(batch.columns[self.tableoid].get(i))?;
                let missing = || PgError::internal("a row of a table that is not changed");
                let k = self.targets.iter().position(|t| t.0 == oid).ok_or_else(missing)?;
                if let Some(before) = last.filter(|l| *l != k) {
                    self.ready.extend(self.targets[before].1.take_returned(run)?);
                }
                last = Some(k);
                self.targets[k].1.row(run, &batch, i)?;
            }
            if let Some(before) = last {
                self.ready.extend(self.targets[before].1.take_returned(run)?);
            }
        }
    }
    fn rescan(&mut self, _: &mut Run<'_>, _: &[i32]) -> Result<()> {
        match self.done {
            false => Ok(()),
            true => Err(PgError::internal("a data-modifying node cannot be run again")),
        }
    }
}
