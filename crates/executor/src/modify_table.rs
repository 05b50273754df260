//! ModifyTable: INSERT, UPDATE, DELETE and MERGE with their constraints, index entries, ON CONFLICT and RETURNING.
//!
//! The subplan's columns are: for INSERT the new row's; for UPDATE the new values of `update_columns`; then junk columns, of
//! which `ctid` names the row to change. The rest of an updated row comes from its old version.
//!
//! Triggers: those before a row may change or suppress it, see [`crate::trigger`]; those after it, and foreign keys' checks, are
//! queued, see [`crate::after`]. A table without triggers has no [`TriggerSet`], which is all that its changes look at.
//!
//! PostgreSQL: `nodeModifyTable.c`.

use std::sync::Arc;

use access::heap::{
    BulkChange, Fetcher, InsertOptions, Look, ModifyOptions, Outcome, RowLock, UpdateIndexes, WaitPolicy,
};
use access::tuple::{ColumnsRow, Projection as HeapProjection};
use analyze::query::*;
use base::sqlstate::{
    CARDINALITY_VIOLATION, GENERATED_ALWAYS, TRIGGERED_DATA_CHANGE_VIOLATION, WITH_CHECK_OPTION_VIOLATION,
};
use base::{PgError, Result, TupleId};
use planner::{ModifyTable, OnConflictPlan, Plan};
use types::{Batch, Column, Datum, DatumRef, IntoDatum, Physical};

use crate::build::Builder;
use crate::constraints::{Constraints, row_batch};
use crate::expr::{CExpr, Filter, Scope, is_true};
use crate::heap::OpenTable;
use crate::index_insert::{Arbiter, IndexInserter};
use crate::node::{Exec, Node};
use crate::partition::PartitionCheck;
use crate::recheck::{MarkColumn, Rechecker, lock_newest, mark_columns, serialization_failure, tid_of};
use crate::returning::{Returning, Version};
use crate::state::Run;
use crate::trigger::{Capture, StatementTriggers, TriggerEvent, TriggerSet, TriggerTiming};

struct Conflict {
    plan: OnConflictPlan,
    /// Over existing row ++ excluded row.
    set: Vec<CExpr>,
    condition: Filter,
}

struct Action {
    kind: MergeMatchKind,
    command: CmdType,
    qual: Filter,
    values: Vec<CExpr>,
    columns: Vec<AttrNumber>,
}

pub(crate) struct ModifyTableExec {
    input: Node,
    subplan: Plan,
    operation: CmdType,
    rti: RtIndex,
    siblings: Vec<RtIndex>,
    table: Arc<OpenTable>,
    update_columns: Vec<AttrNumber>,
    ctid: Option<usize>,
    marks: Vec<MarkColumn>,
    constraints: Constraints,
    indexes: IndexInserter,
    fetcher: Fetcher,
    old_columns: Vec<Column>,
    checks: Vec<(WithCheck, CExpr)>,
    conflict: Option<Conflict>,
    actions: Vec<Action>,
    join_condition: Option<CExpr>,
    returning: Option<Returning>,
    can_set_tag: bool,
    /// Rows may move to other partitions of the table that the statement names.
    movable: bool,
    /// A row that has to, in this table's columns; or MERGE's new row in those of the table that the statement names.
    moved: Option<Moved>,
    /// What the row that comes next was before it moved here.
    moved_from: Option<Version>,
    triggers: Option<Box<TriggerSet>>,
    /// Of a partition whose parent's BEFORE triggers may change rows: they must not leave it.
    home: Option<PartitionCheck>,
    /// Those of the statement; `None` also where another table is the one it names.
    statement: Option<Box<StatementTriggers>>,
    capture: Option<Box<Capture>>,
    rechecker: Rechecker,
    /// Nothing looks at whole rows: no RETURNING, no constraints but NOT NULL. Then columns go straight to the table, and index
    /// entries wait for the statement's end.
    plain: bool,
    bulk: BulkChange,
    done: bool,
}

/// A row for another partition: what it was (unless it is new), what it is to be, and MERGE's action.
pub(crate) type Moved = (Option<Vec<Datum>>, Vec<Datum>, Option<&'static str>);

/// What became of a row that a trigger is to see.
enum Locked {
    Here,
    Gone,
    /// Another transaction made a newer version.
    Moved(TupleId, RowLock),
}

struct WithCheck {
    relname: String,
    is_rls: bool,
    polname: Option<String>,
}

impl ModifyTableExec {
    pub fn build(b: &mut Builder<'_>, plan: &Plan, m: &ModifyTable) -> Result<ModifyTableExec> {
        let input = b.outer(plan)?;
        let mut exec = ModifyTableExec::with_input(b, plan, m, input, Vec::new(), None)?;
        let entry = exec.table.entry.clone();
        if !entry.triggers.is_empty() {
            exec.statement = StatementTriggers::of(b.cx, &entry, m)?.map(Box::new);
            exec.capture = StatementTriggers::capture(b.cx, &entry).map(Box::new);
        }
        Ok(exec)
    }

    /// `siblings`: other tables that the same subplan reads to change them. `parent`: what is to be kept of the rows for triggers
    /// of the table that the statement names.
    pub(crate) fn with_input(
        b: &mut Builder<'_>,
        plan: &Plan,
        m: &ModifyTable,
        input: Node,
        siblings: Vec<RtIndex>,
        parent: Option<&Capture>,
    ) -> Result<ModifyTableExec> {
        let [rti] = m.result_relations[..] else {
            return Err(PgError::unsupported("changing a table with children"));
        };
        let subplan = plan.outer.as_deref().ok_or_else(|| PgError::internal("ModifyTable without input"))?.clone();
        let table = match m.table {
            Some(oid) => b.cx.open_table(oid)?,
            None => crate::seq_scan::open_scan_table(b, rti)?,
        };
        check_supported(&table)?;
        let find = |name: &str| subplan.targetlist.iter().position(|t| t.resjunk && t.resname.as_deref() == Some(name));
        let n = table.entry.desc.len();
        let width = input.output.len();
        let mut checks = Vec::new();
        for w in &m.with_check_options {
            let e = b.compiler(crate::constraints::row_scope(rti, &table)).expr(&w.qual)?;
            checks.push((WithCheck { relname: w.relname.clone(), is_rls: w.is_rls, polname: w.polname.clone() }, e));
        }
        let conflict = m.on_conflict.as_deref().map(|c| conflict(b, c, rti, &table)).transpose()?;
        let mut actions = Vec::new();
        for a in m.merge_actions.first().into_iter().flatten() {
            let mut c = b.compiler(target_scope(rti, &table, width));
            let exprs: Vec<Expr> = a.target_list.iter().filter(|t| !t.resjunk).map(|t| t.expr.clone()).collect();
            let columns = match a.command_type {
                CmdType::Insert => (1..=n as i16).collect(),
                _ => a.update_colnos.clone(),
            };
            let (qual, values) = (c.filter(a.qual.as_slice())?, c.list(&exprs)?);
            actions.push(Action { kind: a.match_kind, command: a.command_type, qual, values, columns });
        }
        let join_condition = match m.merge_join_conditions.first() {
            Some(Some(e)) => Some(b.compiler(target_scope(rti, &table, width)).expr(e)?),
            _ => None,
        };
        let returning = match m.returning.first() {
            Some(list) if !list.is_empty() => Some(Returning::build(b, list, rti, &table.entry, &input.output)?),
            _ => None,
        };
        check_changeable(&table.entry)?;
        let projection = HeapProjection::all(&table.heap.layout);
        let mut constraints = Constraints::build(b.cx, &table)?;
        let mut indexes = IndexInserter::build(b, &table)?;
        let update_columns = m.update_columns.first().cloned().unwrap_or_default();
        // A trigger may change a row that was routed here.
        let changed = m.table.is_some()
            && TriggerSet::of(b.cx, &table.entry, &[])?.is_some_and(|t| t.has_before_row(TriggerEvent::Insert));
        if table.entry.class.relispartition && (m.table.is_none() || changed) {
            let check = PartitionCheck::of(b.cx, &table)?;
            let needless = m.operation == CmdType::Delete
                || m.operation == CmdType::Update && !check.as_ref().is_some_and(|c| c.touched_by(&update_columns));
            constraints.check_partition(check.filter(|_| !needless));
        }
        let plain = matches!(m.operation, CmdType::Insert | CmdType::Update | CmdType::Delete)
            && constraints.is_plain()
            && checks.is_empty()
            && conflict.is_none()
            && returning.is_none()
            && table.entry.triggers.is_empty()
            && parent.is_none();
        if plain {
            indexes.use_queues((m.operation == CmdType::Update).then_some(&update_columns));
        }
        let triggers = TriggerSet::of(b.cx, &table.entry, &crate::trigger::statement::updated_columns(m))?;
        let cloned = table.entry.triggers.iter().any(|t| t.tgparentid.is_valid());
        let leaves = triggers.as_ref().is_some_and(|t| t.has_before_row(TriggerEvent::Insert));
        let home = if cloned && leaves { PartitionCheck::of(b.cx, &table)? } else { None };
        Ok(ModifyTableExec {
            home,
            operation: m.operation,
            rti,
            siblings,
            update_columns,
            ctid: find("ctid"),
            marks: mark_columns(&subplan, &m.row_marks),
            constraints,
            indexes,
            plain,
            bulk: BulkChange::default(),
            old_columns: projection.columns(&table.heap.layout),
            fetcher: Fetcher::new(table.heap.clone(), projection),
            checks,
            conflict,
            actions,
            join_condition,
            returning,
            can_set_tag: m.can_set_tag,
            movable: m.root_relation.is_some(),
            moved: None,
            moved_from: None,
            triggers,
            statement: None,
            capture: parent.map(|c| Box::new(c.for_child(&table.entry))),
            rechecker: Rechecker::default(),
            done: false,
            input,
            subplan,
            table,
        })
    }

    pub(crate) fn table_oid(&self) -> base::Oid {
        self.table.entry.oid
    }

    /// One row of the subplan.
    pub(crate) fn row(&mut self, run: &mut Run<'_>, batch: &Batch, i: usize) -> Result<()> {
        let n = self.table.entry.desc.len();
        match self.operation {
            CmdType::Insert => {
                let values = batch.columns[..n].iter().map(|c| c.get(i).to_owned()).collect();
                self.insert(run, values, batch, i, None)
            }
            CmdType::Update => {
                let tid = self.target(batch, i)?;
                if self.plain && self.update_plain(run, tid, batch, i)? {
                    return Ok(());
                }
                let values = batch.columns[..self.update_columns.len()].iter().map(|c| c.get(i).to_owned()).collect();
                self.update(run, tid, values, batch, i)
            }
            CmdType::Delete => {
                let tid = self.target(batch, i)?;
                self.delete(run, tid, batch, i, None)
            }
            CmdType::Merge => self.merge(run, batch, i),
            _ => Err(PgError::internal("unexpected operation of ModifyTable")),
        }
    }

    /// Whether nothing looks at whole rows.
    pub(crate) fn is_plain(&self) -> bool {
        self.plain
    }
    /// The row that must go to another partition, if the last one must.
    pub(crate) fn take_moved(&mut self) -> Option<Moved> {
        self.moved.take()
    }
    pub(crate) fn table(&self) -> &Arc<OpenTable> {
        &self.table
    }
    /// The next row comes from another partition, where it was this one.
    pub(crate) fn set_moved_from(&mut self, old: Vec<Datum>) {
        self.moved_from = Some(Version { tid: None, values: old });
    }
    /// Inserts a row of this table that a row of the subplan led to.
    pub(crate) fn insert_row(
        &mut self,
        run: &mut Run<'_>,
        values: Vec<Datum>,
        batch: &Batch,
        i: usize,
        action: Option<&str>,
    ) -> Result<()> {
        self.insert(run, values, batch, i, action)
    }

    /// Inserts a batch; `false`: its rows must be looked at one by one.
    pub(crate) fn insert_plain(&mut self, run: &mut Run<'_>, batch: &Batch) -> Result<bool> {
        let columns = &batch.columns[..self.table.entry.desc.len()];
        let rows = batch.selected();
        let odd = |c: &Arc<Column>| matches!(&c.data, types::ColumnData::Bytes(b) if b.has_toasted());
        let missing = |c: &usize| columns[*c].validity.is_some() && rows.iter().any(|i| columns[*c].is_null(i));
        // A row or two, such as of VALUES, are better off with the page that the session filled last.
        if rows.len() < 4 || columns.iter().any(odd) || self.constraints.not_null().iter().any(missing) {
            return Ok(false);
        }
        let txn = run.cx.txn()?.clone();
        let mut tids = Vec::with_capacity(rows.len());
        let new = rows.iter().map(|row| ColumnsRow { columns, row });
        self.table.heap.multi_insert(&txn, new, InsertOptions::default(), Some(self.bulk.room()), &mut tids)?;
        for (row, tid) in rows.iter().zip(&tids) {
            self.indexes.insert_later(run, &|c| Ok(columns[c].get(row)), *tid, false)?;
        }
        if self.can_set_tag {
            run.st.processed += tids.len() as u64;
        }
        Ok(true)
    }

    /// Updates a row; `false`: it was changed concurrently, or must be looked at as a whole.
    fn update_plain(&mut self, run: &mut Run<'_>, tid: TupleId, batch: &Batch, i: usize) -> Result<bool> {
        let mut few = [(0, DatumRef::Null); 8];
        let Some(columns) = few.get_mut(..self.update_columns.len()) else { return Ok(false) };
        for (k, (slot, c)) in columns.iter_mut().zip(&self.update_columns).enumerate() {
            *slot = (*c as usize - 1, batch.columns[k].get(i));
            let odd = match slot.1 {
                DatumRef::Toasted(_) => true,
                DatumRef::Null => self.constraints.not_null().contains(&slot.0),
                _ => false,
            };
            if odd {
                return Ok(false);
            }
        }
        let txn = run.cx.txn()?.clone();
        let mut options = ModifyOptions::new(run.st.output_cid);
        options.crosscheck = run.st.snapshot.as_ref().filter(|_| txn.isolation().uses_transaction_snapshot());
        let updated = self.table.heap.update_columns(&txn, tid, columns, options, &mut self.bulk)?;
        match updated.outcome {
            Outcome::Ok => {}
            Outcome::SelfModified { cmax, .. } => {
                already_modified(run, self.operation, cmax, "updated")?;
                return Ok(true);
            }
            // What is to be done about others is told by a second look.
            _ => return Ok(false),
        }
        if updated.indexes == UpdateIndexes::All {
            let (layout, tuple) = (&self.table.heap.layout, self.bulk.tuple());
            self.indexes.insert_later(run, &|c| layout.attr(tuple, c), updated.tid, true)?;
        } else if updated.indexes == UpdateIndexes::Summarizing {
            let values: Vec<Datum> = {
                let (layout, tuple) = (&self.table.heap.layout, self.bulk.tuple());
                (0..layout.len()).map(|c| Ok(layout.attr(tuple, c)?.to_owned())).collect::<Result<_>>()?
            };
            self.indexes.insert(run, &values, updated.tid, true, true, &[])?;
        }
        if self.can_set_tag {
            run.st.processed += 1;
        }
        Ok(true)
    }

    /// The end of the input: index entries that wait are inserted, pages let go. Whoever calls [`ModifyTableExec::row`] itself
    /// calls this in the end.
    pub(crate) fn settle(&mut self, run: &mut Run<'_>) -> Result<()> {
        self.indexes.flush(run)?;
        let txn = run.cx.txn()?.clone();
        self.bulk.release(&self.table.heap, &txn)
    }

    fn target(&self, batch: &Batch, i: usize) -> Result<TupleId> {
        let column = self.ctid.ok_or_else(|| PgError::internal("could not find junk ctid column"))?;
        tid_of(batch.columns[column].get(i))?.ok_or_else(|| PgError::internal("ctid is NULL"))
    }

    /// A version of a row with all its columns; `None` if it is not there.
    fn fetch(&mut self, run: &mut Run<'_>, tid: TupleId) -> Result<Option<Vec<Datum>>> {
        let txn = run.cx.txn()?.clone();
        self.old_columns.iter_mut().for_each(Column::clear);
        if !self.fetcher.fetch(&txn, tid, Look::Any, &mut self.old_columns)? {
            return Ok(None);
        }
        Ok(Some(self.old_columns.iter().map(|c| c.get(0).to_owned()).collect()))
    }

    fn check_options(&mut self, run: &mut Run<'_>, row: &[Datum]) -> Result<()> {
        if self.checks.is_empty() {
            return Ok(());
        }
        let batch = row_batch(&self.table, row);
        for (what, e) in &mut self.checks {
            if is_true(e.eval_row(run, &batch, 0)?.as_ref()) {
                continue;
            }
            let text = match (what.is_rls, &what.polname) {
                (false, _) => format!("new row violates check option for view \"{}\"", what.relname),
                (true, None) => format!("new row violates row-level security policy for table \"{}\"", what.relname),
                (true, Some(p)) => {
                    format!("new row violates row-level security policy \"{p}\" for table \"{}\"", what.relname)
                }
            };
            let state = if what.is_rls { base::sqlstate::INSUFFICIENT_PRIVILEGE } else { WITH_CHECK_OPTION_VIOLATION };
            let error = PgError::new(state, text);
            if what.is_rls {
                return Err(error);
            }
            return Err(error.detail(crate::constraints::failing_row(run, &self.table, row)?));
        }
        Ok(())
    }

    fn insert(
        &mut self,
        run: &mut Run<'_>,
        values: Vec<Datum>,
        batch: &Batch,
        i: usize,
        action: Option<&str>,
    ) -> Result<()> {
        let mut row = values;
        if let Some(t) = self.triggers.as_mut().filter(|t| t.has_before_row(TriggerEvent::Insert)) {
            let (timing, event) = (TriggerTiming::Before, TriggerEvent::Insert);
            let Some(given) = t.before_row(run, timing, event, None, Some(row))? else { return Ok(()) };
            row = given;
            if let Some(home) = &mut self.home
                && !home.holds(run, &row_batch(&self.table, &row), 0)?
            {
                let name = t.last_before_row(event);
                let schema = run.cx.catalog.namespace_name(self.table.entry.namespace())?.unwrap_or_default();
                let text = "moving row to another partition during a BEFORE FOR EACH ROW trigger is not supported";
                let detail = format!(
                    "Before executing trigger \"{name}\", the row was to be in partition \"{schema}.{}\".",
                    self.table.entry.name()
                );
                return Err(PgError::new(base::sqlstate::FEATURE_NOT_SUPPORTED, text).detail(detail));
            }
        }
        self.constraints.generate(run, &mut row)?;
        self.check_options(run, &row)?;
        self.constraints.check(run, &row)?;
        crate::heap::bring_in(run.cx, &self.table.heap, &mut row)?;
        let txn = run.cx.txn()?.clone();
        if let Some(conflict) = &self.conflict {
            let (arbiters, update) = (conflict.plan.arbiter_indexes.clone(), conflict.plan.update);
            loop {
                match self.indexes.find_conflict(run, &row, &arbiters)? {
                    Arbiter::Free => {}
                    Arbiter::Conflict(tid) if !update => return self.check_seen(run, tid),
                    Arbiter::Conflict(tid) => match self.on_conflict_update(run, tid, &row, batch, i)? {
                        true => return Ok(()),
                        false => continue,
                    },
                }
                let token = txn.top_xid()?.0.max(1);
                let options = InsertOptions { speculative_token: token, ..InsertOptions::default() };
                let tid = self.table.heap.insert(&txn, &row, options, None)?;
                let all: Vec<base::Oid> = match arbiters.is_empty() {
                    true => self.table.indexes.iter().map(|x| x.entry.oid).collect(),
                    false => arbiters.clone(),
                };
                let clash = self.indexes.insert(run, &row, tid, false, false, &all)?;
                self.table.heap.finish_speculative(&txn, tid, clash.is_none())?;
                if clash.is_some() {
                    continue;
                }
                return self.changed(run, None, Some(Version { tid: Some(tid), values: row }), batch, i, action);
            }
        }
        let tid = self.table.heap.insert(&txn, &row, InsertOptions::default(), None)?;
        self.indexes.insert(run, &row, tid, false, false, &[])?;
        self.changed(run, None, Some(Version { tid: Some(tid), values: row }), batch, i, action)
    }

    /// With one snapshot for the whole transaction, the row in the way must be seen by it, or be our own.
    /// (PostgreSQL: `ExecCheckTupleVisible`)
    fn check_seen(&mut self, run: &mut Run<'_>, tid: TupleId) -> Result<()> {
        let txn = run.cx.txn()?.clone();
        let Some(snapshot) = run.st.snapshot.clone().filter(|_| txn.isolation().uses_transaction_snapshot()) else {
            return Ok(());
        };
        if self.fetcher.fetch_with(&txn, tid, Look::Mvcc(&snapshot), |_| Ok(()))?.is_some() {
            return Ok(());
        }
        let own = |bytes: &[u8]| Ok(access::tuple::Header::new(bytes).is_some_and(|h| txn.is_current(h.xmin())));
        match self.fetcher.fetch_with(&txn, tid, Look::Any, own)? {
            Some(false) => Err(serialization_failure(false)),
            _ => Ok(()),
        }
    }

    /// DO UPDATE of the row in the way; `false` if it has changed: look again.
    fn on_conflict_update(
        &mut self,
        run: &mut Run<'_>,
        tid: TupleId,
        row: &[Datum],
        batch: &Batch,
        i: usize,
    ) -> Result<bool> {
        let txn = run.cx.txn()?.clone();
        match self.table.heap.lock(&txn, tid, run.st.output_cid, RowLock::Exclusive, WaitPolicy::Block, false)? {
            Outcome::Ok => {}
            Outcome::Invisible | Outcome::SelfModified { .. } => {
                let text = "ON CONFLICT DO UPDATE command cannot affect row a second time";
                let hint = "Ensure that no rows proposed for insertion within the same command have duplicate constrained values.";
                return Err(PgError::new(CARDINALITY_VIOLATION, text).hint(hint));
            }
            Outcome::Updated { .. } | Outcome::Deleted { .. } => {
                if txn.isolation().uses_transaction_snapshot() {
                    return Err(serialization_failure(false));
                }
                return Ok(false);
            }
            _ => return Ok(false),
        }
        self.check_seen(run, tid)?;
        let Some(existing) = self.fetch(run, tid)? else { return Ok(false) };
        let mut both = row_batch(&self.table, &existing);
        both.columns.extend(row_batch(&self.table, row).columns);
        let Some(conflict) = &mut self.conflict else { return Ok(true) };
        if !conflict.condition.test(run, &both, 0)? {
            return Ok(true);
        }
        let mut values = Vec::with_capacity(conflict.set.len());
        for e in &mut conflict.set {
            values.push(e.eval_row(run, &both, 0)?);
        }
        let columns = conflict.plan.set_columns.clone();
        let mut new = existing.clone();
        for (c, v) in columns.iter().zip(values) {
            new[*c as usize - 1] = v;
        }
        let Some(new) = self.before_update(run, &existing, new)? else { return Ok(true) };
        self.write_update(run, tid, existing, new, batch, i, None)?;
        Ok(true)
    }

    fn update(&mut self, run: &mut Run<'_>, tid: TupleId, values: Vec<Datum>, batch: &Batch, i: usize) -> Result<()> {
        let (mut tid, mut values) = (tid, values);
        // After a recheck the subplan's row is another one.
        let mut current: Option<Batch> = None;
        let locks = self.triggers.as_ref().is_some_and(|t| t.has_before_row(TriggerEvent::Update));
        loop {
            let (row, at) = current.as_ref().map_or((batch, i), |b| (b, 0));
            let row = row.clone();
            let moved = if locks { self.lock_for_trigger(run, tid, TriggerEvent::Update)? } else { Locked::Here };
            let (newest, lock) = match moved {
                Locked::Gone => return Ok(()),
                Locked::Moved(newest, lock) => (newest, lock),
                Locked::Here => {
                    let Some(old) = self.fetch(run, tid)? else {
                        return Err(PgError::internal("failed to fetch tuple being updated"));
                    };
                    let mut new = old.clone();
                    for (c, v) in self.update_columns.iter().zip(&values) {
                        new[*c as usize - 1] = v.clone();
                    }
                    let Some(new) = self.before_update(run, &old, new)? else { return Ok(()) };
                    match self.write_update(run, tid, old, new, &row, at, None)? {
                        Some(moved) => moved,
                        None => return Ok(()),
                    }
                }
            };
            let Some(next) = self.recheck(run, newest, lock, &row, at)? else { return Ok(()) };
            (tid, values) = (
                self.target(&next, 0)?,
                next.columns[..self.update_columns.len()].iter().map(|c| c.get(0).to_owned()).collect(),
            );
            current = Some(next);
        }
    }

    /// What triggers make of an updated row; `None`: it stays as it is.
    fn before_update(&mut self, run: &mut Run<'_>, old: &[Datum], new: Vec<Datum>) -> Result<Option<Vec<Datum>>> {
        match self.triggers.as_mut().filter(|t| t.has_before_row(TriggerEvent::Update)) {
            Some(t) => t.before_row(run, TriggerTiming::Before, TriggerEvent::Update, Some(old), Some(new)),
            None => Ok(Some(new)),
        }
    }

    /// A trigger must see the newest version of the row, and nobody may change it meanwhile. (PostgreSQL: `GetTupleForTrigger`)
    fn lock_for_trigger(&mut self, run: &mut Run<'_>, tid: TupleId, event: TriggerEvent) -> Result<Locked> {
        let txn = run.cx.txn()?.clone();
        let lock = match event {
            TriggerEvent::Update => crate::trigger::set::update_lock(&self.table.heap.keys, &self.update_columns),
            _ => RowLock::Exclusive,
        };
        match self.table.heap.lock(&txn, tid, run.st.output_cid, lock, WaitPolicy::Block, false)? {
            Outcome::Ok => Ok(Locked::Here),
            Outcome::SelfModified { cmax, .. } => {
                already_modified(run, self.operation, cmax, "updated")?;
                Ok(Locked::Gone)
            }
            Outcome::Updated { .. } if txn.isolation().uses_transaction_snapshot() => Err(serialization_failure(false)),
            Outcome::Updated { ctid, .. } => Ok(Locked::Moved(ctid, lock)),
            Outcome::Deleted { .. } if txn.isolation().uses_transaction_snapshot() => Err(serialization_failure(true)),
            Outcome::Deleted { .. } => Ok(Locked::Gone),
            Outcome::Invisible => Err(PgError::internal("attempted to lock invisible tuple")),
            Outcome::BeingModified { .. } | Outcome::WouldBlock => {
                Err(PgError::internal("unexpected outcome of a row lock"))
            }
        }
    }

    /// Follows a concurrent update: locks the newest version and tries the subplan on it.
    fn recheck(
        &mut self,
        run: &mut Run<'_>,
        newest: TupleId,
        lock: RowLock,
        batch: &Batch,
        i: usize,
    ) -> Result<Option<Batch>> {
        let Some(tid) = lock_newest(run, &self.table.heap.clone(), newest, lock, WaitPolicy::Block)? else {
            return Ok(None);
        };
        let mut rows = vec![(self.rti, Some(tid))];
        rows.extend(self.siblings.iter().map(|r| (*r, None)));
        for m in &self.marks {
            if m.rti != self.rti {
                m.rows(batch, i, tid_of(batch.columns[m.ctid].get(i))?, &mut rows)?;
            }
        }
        self.rechecker.run(run, &self.subplan, rows)
    }

    /// Writes the new version. Gives the newer version's place if another transaction was faster.
    fn write_update(
        &mut self,
        run: &mut Run<'_>,
        tid: TupleId,
        old: Vec<Datum>,
        new: Vec<Datum>,
        batch: &Batch,
        i: usize,
        action: Option<&str>,
    ) -> Result<Option<(TupleId, RowLock)>> {
        let mut new = new;
        self.constraints.generate(run, &mut new)?;
        if self.movable && !self.constraints.is_at_home(run, &new)? {
            return self.move_out(run, tid, old, new);
        }
        self.check_options(run, &new)?;
        self.constraints.check(run, &new)?;
        crate::heap::bring_in(run.cx, &self.table.heap, &mut new)?;
        let txn = run.cx.txn()?.clone();
        let snapshot = run.st.snapshot.clone();
        let mut options = ModifyOptions::new(run.st.output_cid);
        options.crosscheck = snapshot.as_ref().filter(|_| txn.isolation().uses_transaction_snapshot());
        let updated = self.table.heap.update(&txn, tid, &new, options)?;
        match updated.outcome {
            Outcome::Ok => {}
            Outcome::SelfModified { cmax, .. } => {
                already_modified(run, self.operation, cmax, "updated")?;
                return Ok(None);
            }
            Outcome::Updated { ctid, .. } => {
                if txn.isolation().uses_transaction_snapshot() {
                    return Err(serialization_failure(false));
                }
                return Ok(Some((ctid, updated.lock)));
            }
            Outcome::Deleted { .. } => {
                if txn.isolation().uses_transaction_snapshot() {
                    return Err(serialization_failure(true));
                }
                return Ok(None);
            }
            Outcome::Invisible => return Err(PgError::internal("attempted to update invisible tuple")),
            Outcome::BeingModified { .. } | Outcome::WouldBlock => {
                return Err(PgError::internal("unexpected outcome of an update"));
            }
        }
        match updated.indexes {
            UpdateIndexes::None => {}
            UpdateIndexes::All => {
                self.indexes.insert(run, &new, updated.tid, true, false, &[])?;
            }
            UpdateIndexes::Summarizing => {
                self.indexes.insert(run, &new, updated.tid, true, true, &[])?;
            }
        }
        let (old, new) = (Version { tid: Some(tid), values: old }, Version { tid: Some(updated.tid), values: new });
        self.changed(run, Some(old), Some(new), batch, i, action)?;
        Ok(None)
    }

    /// The new version belongs to another partition: the old one is deleted, and the caller takes the new one there.
    /// (PostgreSQL: `ExecCrossPartitionUpdate`)
    fn move_out(
        &mut self,
        run: &mut Run<'_>,
        tid: TupleId,
        old: Vec<Datum>,
        new: Vec<Datum>,
    ) -> Result<Option<(TupleId, RowLock)>> {
        // An action of a foreign key would take the row for deleted.
        let acts = |t: &catalog::PgTrigger| t.tgisinternal && matches!(t.tgfoid.0, 1646 | 1648 | 1650 | 1652);
        if self.table.entry.triggers.iter().any(|t| acts(t)) {
            return Err(PgError::unsupported("moving a referenced row to another partition"));
        }
        let mut plain =
            |d: &Datum| crate::expr::function::plain(&mut Run { cx: &mut *run.cx, st: &mut *run.st }, d.as_ref());
        // Long values are fetched before their row goes.
        let mut fetched = |row: &[Datum]| row.iter().map(&mut plain).collect::<Result<Vec<Datum>>>();
        let moved = (fetched(&old)?, fetched(&new)?);
        if let Some(t) = self.triggers.as_mut().filter(|t| t.has_before_row(TriggerEvent::Delete)) {
            let (timing, event) = (TriggerTiming::Before, TriggerEvent::Delete);
            if t.before_row(run, timing, event, Some(&moved.0), None)?.is_none() {
                return Ok(None);
            }
        }
        let txn = run.cx.txn()?.clone();
        let mut options = ModifyOptions::new(run.st.output_cid);
        options.moving = true;
        options.crosscheck = run.st.snapshot.as_ref().filter(|_| txn.isolation().uses_transaction_snapshot());
        match self.table.heap.delete_next(&txn, tid, options, &mut self.bulk)? {
            Outcome::Ok => {}
            Outcome::SelfModified { cmax, .. } => {
                already_modified(run, self.operation, cmax, "updated")?;
                return Ok(None);
            }
            Outcome::Updated { ctid, .. } => {
                if txn.isolation().uses_transaction_snapshot() {
                    return Err(serialization_failure(false));
                }
                return Ok(Some((ctid, RowLock::Exclusive)));
            }
            Outcome::Deleted { .. } if txn.isolation().uses_transaction_snapshot() => {
                return Err(serialization_failure(true));
            }
            Outcome::Deleted { .. } => return Ok(None),
            _ => return Err(PgError::internal("attempted to update invisible tuple")),
        }
        let gone = Version { tid: Some(tid), values: old };
        if self.triggers.is_some() || self.capture.is_some() {
            self.note(run, Some(&gone), None)?;
        }
        self.moved = Some((Some(moved.0), moved.1, (self.operation == CmdType::Merge).then_some("UPDATE")));
        Ok(None)
    }

    fn delete(&mut self, run: &mut Run<'_>, tid: TupleId, batch: &Batch, i: usize, action: Option<&str>) -> Result<()> {
        // After a recheck the subplan's row is another one.
        let (mut tid, mut current) = (tid, None::<Batch>);
        loop {
            // RETURNING shows the row as it was: its long values must be fetched before they are deleted.
            // Foreign keys look at its key.
            let wanted = self.triggers.as_ref().is_some_and(|t| t.wants_rows(TriggerEvent::Delete));
            let needed = self.returning.is_some() || self.capture.is_some() || wanted;
            let before = wanted && self.triggers.as_ref().is_some_and(|t| t.has_before_row(TriggerEvent::Delete));
            let moved = if before { self.lock_for_trigger(run, tid, TriggerEvent::Delete)? } else { Locked::Here };
            if let Locked::Gone = moved {
                return Ok(());
            }
            let here = matches!(moved, Locked::Here);
            let old = if needed && here { self.fetch(run, tid)? } else { None };
            let old = match old {
                Some(values) => {
                    let plain = |d: &Datum| {
                        crate::expr::function::plain(&mut Run { cx: &mut *run.cx, st: &mut *run.st }, d.as_ref())
                    };
                    values.iter().map(plain).collect::<Result<Vec<Datum>>>()?
                }
                None => Vec::new(),
            };
            if let Some(t) = self.triggers.as_mut().filter(|_| before && here) {
                let (timing, event) = (TriggerTiming::Before, TriggerEvent::Delete);
                if t.before_row(run, timing, event, Some(&old), None)?.is_none() {
                    return Ok(());
                }
            }
            let (row, at) = current.as_ref().map_or((batch, i), |b| (b, 0));
            let txn = run.cx.txn()?.clone();
            let mut options = ModifyOptions::new(run.st.output_cid);
            options.crosscheck = run.st.snapshot.as_ref().filter(|_| txn.isolation().uses_transaction_snapshot());
            let outcome = match moved {
                Locked::Moved(ctid, _) => Outcome::Updated { ctid, xmax: base::Xid::default() },
                _ => self.table.heap.delete_next(&txn, tid, options, &mut self.bulk)?,
            };
            let newest = match outcome {
                Outcome::Ok => {
                    let old = Version { tid: Some(tid), values: old };
                    return self.changed(run, Some(old), None, row, at, action);
                }
                Outcome::SelfModified { cmax, .. } => return already_modified(run, self.operation, cmax, "deleted"),
                Outcome::Updated { ctid, .. } => ctid,
                Outcome::Deleted { .. } => {
                    if txn.isolation().uses_transaction_snapshot() {
                        return Err(serialization_failure(true));
                    }
                    return Ok(());
                }
                _ => return Err(PgError::internal("attempted to delete invisible tuple")),
            };
            if txn.isolation().uses_transaction_snapshot() {
                return Err(serialization_failure(false));
            }
            let row = row.clone();
            let Some(next) = self.recheck(run, newest, RowLock::Exclusive, &row, at)? else { return Ok(()) };
            tid = self.target(&next, 0)?;
            current = Some(next);
        }
    }

    fn merge(&mut self, run: &mut Run<'_>, batch: &Batch, i: usize) -> Result<()> {
        let column = self.ctid.ok_or_else(|| PgError::internal("could not find junk ctid column"))?;
        let tid = tid_of(batch.columns[column].get(i))?;
        let n = self.table.entry.desc.len();
        let old = match tid {
            Some(tid) => self.fetch(run, tid)?,
            None => None,
        };
        let mut input = row_batch(&self.table, old.as_deref().unwrap_or(&vec![Datum::Null; n]));
        let one = Batch { columns: batch.columns.clone(), rows: batch.rows, selection: Some(vec![i as u32]) };
        input.columns.extend(crate::append::compact(&one).columns);
        let tableoid = tid.map_or(Datum::Null, |_| Datum::oid(self.table.entry.oid));
        let place = [(Physical::Bytes, tid.map_or(Datum::Null, IntoDatum::into_datum)), (Physical::W4, tableoid)];
        for (physical, value) in place {
            let mut c = Column::new(physical);
            c.push(value.as_ref());
            input.columns.push(Arc::new(c));
        }
        let kind = match (tid, &mut self.join_condition) {
            (None, _) => MergeMatchKind::NotMatchedByTarget,
            (Some(_), None) => MergeMatchKind::Matched,
            (Some(_), Some(e)) => match is_true(e.eval_row(run, &input, 0)?.as_ref()) {
                true => MergeMatchKind::Matched,
                false => MergeMatchKind::NotMatchedBySource,
            },
        };
        let mut chosen = None;
        for (k, a) in self.actions.iter_mut().enumerate() {
            if a.kind == kind && a.qual.test(run, &input, 0)? {
                chosen = Some(k);
                break;
            }
        }
        let Some(a) = chosen.map(|k| &mut self.actions[k]) else { return Ok(()) };
        let (command, columns) = (a.command, a.columns.clone());
        let mut values = Vec::with_capacity(a.values.len());
        for e in &mut a.values {
            values.push(e.eval_row(run, &input, 0)?);
        }
        match (command, tid, old) {
            (CmdType::Insert, _, _) if self.movable => {
                self.moved = Some((None, values, Some("INSERT")));
                Ok(())
            }
            (CmdType::Insert, _, _) => self.insert(run, values, batch, i, Some("INSERT")),
            (CmdType::Update, Some(tid), Some(old)) => {
                let mut new = old.clone();
                for (c, v) in columns.iter().zip(values) {
                    new[*c as usize - 1] = v;
                }
                let Some(new) = self.before_update(run, &old, new)? else { return Ok(()) };
                match self.write_update(run, tid, old, new, batch, i, Some("UPDATE"))? {
                    None => Ok(()),
                    Some(_) => Err(PgError::unsupported("MERGE of a row that was updated concurrently")),
                }
            }
            (CmdType::Delete, Some(tid), _) => self.delete(run, tid, batch, i, Some("DELETE")),
            _ => Ok(()),
        }
    }

    /// Queues the triggers that come after a change, and keeps its rows for them.
    #[cold]
    fn note(&mut self, run: &mut Run<'_>, old: Option<&Version>, new: Option<&Version>) -> Result<()> {
        let event = match (old.is_some(), new.is_some()) {
            (false, _) => TriggerEvent::Insert,
            (true, false) => TriggerEvent::Delete,
            (true, true) => TriggerEvent::Update,
        };
        if let Some(capture) = &self.capture {
            capture.add(run, event, old.map(|v| &v.values[..]), new.map(|v| &v.values[..]))?;
        }
        let with_place = |v: Option<&Version>| v.and_then(|v| v.tid).is_some();
        debug_assert!(with_place(old) || with_place(new));
        if let Some(t) = &mut self.triggers {
            fn of(v: Option<&Version>) -> Option<(TupleId, &[Datum])> {
                v.and_then(|v| Some((v.tid?, &v.values[..])))
            }
            t.changed(run, of(old), of(new))?;
        }
        Ok(())
    }

    /// A row was changed: counts it and keeps what RETURNING wants.
    fn changed(
        &mut self,
        run: &mut Run<'_>,
        old: Option<Version>,
        new: Option<Version>,
        batch: &Batch,
        i: usize,
        action: Option<&str>,
    ) -> Result<()> {
        if self.can_set_tag {
            run.st.processed += 1;
        }
        if self.triggers.is_some() || self.capture.is_some() {
            self.note(run, old.as_ref(), new.as_ref())?;
        }
        let old = old.or_else(|| self.moved_from.take());
        if let Some(r) = &mut self.returning {
            r.push(run, &self.table.entry, old.as_ref(), new.as_ref(), action, batch, i)?;
        }
        Ok(())
    }
}

/// (PostgreSQL: "tuple to be updated was already modified by an operation triggered by the current command")
fn already_modified(run: &Run<'_>, operation: CmdType, cmax: base::CommandId, what: &str) -> Result<()> {
    if cmax == run.st.output_cid {
        if operation != CmdType::Merge {
            return Ok(());
        }
        let text = "MERGE command cannot affect row a second time";
        let hint = "Ensure that not more than one source row matches any one target row.";
        return Err(PgError::new(CARDINALITY_VIOLATION, text).hint(hint));
    }
    let what = if operation == CmdType::Merge { "updated or deleted" } else { what };
    let text = format!("tuple to be {what} was already modified by an operation triggered by the current command");
    let hint = "Consider using an AFTER trigger instead of a BEFORE trigger to propagate changes to other rows.";
    Err(PgError::new(TRIGGERED_DATA_CHANGE_VIOLATION, text).hint(hint))
}

fn check_supported(table: &OpenTable) -> Result<()> {
    let entry = &table.entry;
    if entry.kind() == catalog::relkind::PARTITIONED_TABLE {
        return Err(PgError::internal("a partitioned table has no rows of its own"));
    }
    let exclusion = table.indexes.iter().any(|i| i.info().is_ok_and(|x| x.row.indisexclusion));
    if exclusion {
        return Err(PgError::unsupported("exclusion constraints"));
    }
    let _ = GENERATED_ALWAYS;
    Ok(())
}

/// The target's row, then the subplan's columns, then the row's place and table.
fn target_scope(rti: RtIndex, table: &OpenTable, width: usize) -> Scope {
    let n = table.entry.desc.len();
    let mut scope = crate::constraints::row_scope(rti, table);
    scope.ranges.push((OUTER_VAR, n));
    scope.vars.insert((rti, sysattr::CTID, VarReturning::Default), n + width);
    scope.vars.insert((rti, sysattr::TABLEOID, VarReturning::Default), n + width + 1);
    scope.width = n + width + 2;
    scope
}

fn conflict(b: &mut Builder<'_>, c: &OnConflictPlan, rti: RtIndex, table: &OpenTable) -> Result<Conflict> {
    let n = table.entry.desc.len();
    let mut scope = crate::constraints::row_scope(rti, table);
    scope.ranges.push((c.excl_rel_rti, n));
    let excluded = (n..2 * n).map(Some).collect();
    scope.rows.push((c.excl_rel_rti, VarReturning::Default, table.entry.desc.clone(), excluded));
    scope.width = 2 * n;
    let mut compiler = b.compiler(scope);
    let exprs: Vec<Expr> = c.set.iter().filter(|t| !t.resjunk).map(|t| t.expr.clone()).collect();
    Ok(Conflict { set: compiler.list(&exprs)?, condition: compiler.filter(c.where_.as_slice())?, plan: c.clone() })
}

impl ModifyTableExec {
    /// RETURNING's rows so far.
    pub(crate) fn take_returned(&mut self, run: &mut Run<'_>) -> Result<Option<Batch>> {
        match &mut self.returning {
            Some(r) if r.has_rows() => r.take(run).map(Some),
            _ => Ok(None),
        }
    }
}

impl Exec for ModifyTableExec {
    fn next<'a>(&'a mut self, run: &mut Run<'_>, _: usize) -> Result<Option<&'a Batch>> {
        loop {
            if self.done {
                return Ok(None);
            }
            if let Some(s) = &mut self.statement {
                s.before(run)?;
            }
            let Some(batch) = self.input.next(run, usize::MAX)? else {
                self.done = true;
                self.settle(run)?;
                if let Some(s) = &mut self.statement {
                    s.after(run)?;
                }
                return Ok(None);
            };
            let batch = batch.clone();
            if let Some(r) = &mut self.returning {
                r.clear();
            }
            if !(self.plain && self.operation == CmdType::Insert && self.insert_plain(run, &batch)?) {
                for i in batch.selected().iter() {
                    self.row(run, &batch, i)?;
                }
            }
            if self.returning.as_ref().is_some_and(Returning::has_rows) {
                break;
            }
        }
        match &mut self.returning {
            Some(r) => r.rows(run).map(Some),
            None => Ok(None),
        }
    }
    fn rescan(&mut self, _: &mut Run<'_>, _: &[i32]) -> Result<()> {
        match self.done {
            false => Ok(()),
            true => Err(PgError::internal("a data-modifying node cannot be run again")),
        }
    }
    fn rest(&mut self) -> Result<bool> {
        (self.done, self.rechecker) = (false, Rechecker::default());
        self.bulk.forget();
        self.fetcher.release();
        if self.statement.is_some() || self.triggers.as_ref().is_some_and(|t| t.has_others()) {
            return Ok(false);
        }
        // RETURNING and MERGE keep rows and matches in more places than are cleared here.
        Ok(self.returning.is_none() && self.actions.is_empty() && self.conflict.is_none() && self.input.rest()?)
    }
}

/// (PostgreSQL: `CheckValidResultRel`)
fn check_changeable(rel: &catalog::Relation) -> Result<()> {
    let what = match rel.kind() {
        b'm' => "materialized view",
        b'S' => "sequence",
        b't' => "TOAST relation",
        _ => return Ok(()),
    };
    let text = format!("cannot change {what} \"{}\"", rel.name());
    Err(PgError::new(base::sqlstate::WRONG_OBJECT_TYPE, text))
}
