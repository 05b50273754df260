//! LockRows: FOR UPDATE and its weaker forms.

use std::sync::Arc;

use access::heap::{Outcome, RowLock, WaitPolicy};
use analyze::query::{LockClauseStrength, LockWaitPolicy, RtIndex};
use base::{PgError, Result};
use planner::{Plan, PlanRowMark, RowMarkType};
use types::Batch;

use crate::append::compact;
use crate::build::Builder;
use crate::heap::OpenTable;
use crate::node::{Exec, Node};
use crate::recheck::{MarkColumn, Rechecker, lock_newest, mark_columns, serialization_failure, tid_of};
use crate::seq_scan::open_scan_table;
use crate::state::Run;

struct Mark {
    rti: RtIndex,
    column: MarkColumn,
    /// One; of a table with members, theirs.
    tables: Vec<Arc<OpenTable>>,
    mode: RowLock,
    wait: WaitPolicy,
}

pub(crate) struct LockRowsExec {
    input: Node,
    plan: Plan,
    marks: Vec<Mark>,
    others: Vec<MarkColumn>,
    rechecker: Rechecker,
    out: Batch,
}

pub(crate) fn row_lock(strength: LockClauseStrength) -> RowLock {
    match strength {
        LockClauseStrength::ForUpdate => RowLock::Exclusive,
        LockClauseStrength::ForNoKeyUpdate => RowLock::NoKeyExclusive,
        LockClauseStrength::ForShare => RowLock::Share,
        LockClauseStrength::ForKeyShare | LockClauseStrength::None => RowLock::KeyShare,
    }
}

/// (PostgreSQL: `CheckValidRowMarkRel`)
fn check_lockable(rel: &catalog::Relation) -> Result<()> {
    let what = match rel.kind() {
        b'm' => "materialized view",
        b'S' => "sequence",
        b't' => "TOAST relation",
        _ => return Ok(()),
    };
    let text = format!("cannot lock rows in {what} \"{}\"", rel.name());
    Err(PgError::new(base::sqlstate::WRONG_OBJECT_TYPE, text))
}

impl LockRowsExec {
    pub fn build(b: &mut Builder<'_>, plan: &Plan, marks: &[PlanRowMark]) -> Result<LockRowsExec> {
        let input = b.outer(plan)?;
        let subplan = plan.outer.as_deref().ok_or_else(|| base::PgError::internal("LockRows without input"))?;
        let columns = mark_columns(subplan, marks);
        let mut locked = Vec::new();
        for m in marks {
            if matches!(m.mark_type, RowMarkType::Reference | RowMarkType::Copy) {
                continue;
            }
            let table = open_scan_table(b, m.rti)?;
            check_lockable(&table.entry)?;
            let missing = || PgError::internal(format!("no column holds the place of row mark {}", m.rowmark_id));
            let column = columns.iter().find(|c| c.rti == m.rti).ok_or_else(missing)?;
            locked.push(Mark {
                rti: m.rti,
                column: column.clone(),
                tables: match m.is_parent {
                    true => m.members.iter().map(|x| open_scan_table(b, x.1)).collect::<Result<_>>()?,
                    false => vec![table],
                },
                mode: row_lock(m.strength),
                wait: match m.wait_policy {
                    LockWaitPolicy::Block => WaitPolicy::Block,
                    LockWaitPolicy::Skip => WaitPolicy::Skip,
                    LockWaitPolicy::Error => WaitPolicy::Error,
                },
            });
        }
        Ok(LockRowsExec {
            input,
            plan: subplan.clone(),
            marks: locked,
            others: columns,
            rechecker: Rechecker::default(),
            out: Batch::default(),
        })
    }

    /// Locks the row's tables; the row as it is now, or `None` to leave it out.
    fn lock(&mut self, run: &mut Run<'_>, row: Batch) -> Result<Option<Batch>> {
        let txn = run.cx.txn()?.clone();
        let cid = txn.command_id();
        let mut newer: Vec<(RtIndex, TupleIdAt)> = Vec::new();
        for m in &self.marks {
            // The null side of an outer join has no row to lock.
            let Some(tid) = tid_of(row.columns[m.column.ctid].get(0))? else { continue };
            let table = match m.column.member(&row, 0)? {
                Some((oid, _)) => m.tables.iter().find(|t| t.entry.oid == oid),
                None => m.tables.first(),
            };
            let table = table.ok_or_else(|| PgError::internal("a row of a table that is not locked"))?;
            match table.heap.lock(&txn, tid, cid, m.mode, m.wait, false)? {
                Outcome::Ok => newer.push((m.rti, tid)),
                Outcome::SelfModified { .. } => return Ok(None),
                Outcome::WouldBlock | Outcome::BeingModified { .. } => return Ok(None),
                Outcome::Updated { ctid, .. } => {
                    if txn.isolation().uses_transaction_snapshot() {
                        return Err(serialization_failure(false));
                    }
                    match lock_newest(run, &table.heap, ctid, m.mode, m.wait)? {
                        Some(tid) => newer.push((m.rti, tid)),
                        None => return Ok(None),
                    }
                }
                Outcome::Deleted { .. } => {
                    if txn.isolation().uses_transaction_snapshot() {
                        return Err(serialization_failure(true));
                    }
                    return Ok(None);
                }
                Outcome::Invisible => return Err(base::PgError::internal("attempted to lock invisible tuple")),
            }
        }
        let mut changed = false;
        let mut rows = Vec::with_capacity(self.others.len());
        for c in &self.others {
            let old = tid_of(row.columns[c.ctid].get(0))?;
            let new = newer.iter().find(|n| n.0 == c.rti).map(|n| n.1).or(old);
            changed = changed || new != old;
            c.rows(&row, 0, new, &mut rows)?;
        }
        if !changed {
            return Ok(Some(row));
        }
        self.rechecker.run(run, &self.plan, rows)
    }
}

type TupleIdAt = base::TupleId;

impl Exec for LockRowsExec {
    fn next<'a>(&'a mut self, run: &mut Run<'_>, _: usize) -> Result<Option<&'a Batch>> {
        // In a recheck the rows are locked already.
        if run.st.recheck.is_some() {
            return self.input.next(run, 1);
        }
        loop {
            let Some(batch) = self.input.next(run, 1)? else { return Ok(None) };
            let row = compact(batch);
            if let Some(row) = self.lock(run, row)? {
                self.out = row;
                return Ok(Some(&self.out));
            }
        }
    }
    fn rescan(&mut self, run: &mut Run<'_>, changed: &[i32]) -> Result<()> {
        self.input.rescan(run, changed)
    }
}
