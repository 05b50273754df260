//! Index entries for new rows, unique violations, and the arbiters of ON CONFLICT.
//!
//! PostgreSQL: `execIndexing.c`.

use std::sync::Arc;

use access::heap::UniqueRow;
use access::index::{
    Direction, IndexBatch, IndexInsert, IndexQueue, IndexScanOptions, QueuedDuplicate, ScanKey, ScanStrategy,
    UniqueCheck, queue_limit,
};
use base::sqlstate::UNIQUE_VIOLATION;
use base::{Oid, PgError, Result, TupleId};
use types::{Datum, DatumRef};

use crate::build::Builder;
use crate::constraints::{named, row_batch, row_scope};
use crate::expr::{CExpr, Filter};
use crate::heap::{OpenIndex, OpenTable};
use crate::state::Run;

/// One index with its compiled expressions.
struct Entry {
    index: Arc<OpenIndex>,
    /// Column numbers, 0 for the next expression.
    columns: Vec<i16>,
    expressions: Vec<CExpr>,
    predicate: Filter,
    unique: bool,
    /// Entries that wait for the end of the statement.
    queue: Option<Box<dyn IndexQueue>>,
}

pub(crate) struct IndexInserter {
    table: Arc<OpenTable>,
    entries: Vec<Entry>,
    /// Rows queued since the last flush.
    queued: u32,
}

/// What an arbiter found.
pub(crate) enum Arbiter {
    Free,
    Conflict(TupleId),
}

impl IndexInserter {
    pub fn build(b: &mut Builder<'_>, table: &Arc<OpenTable>) -> Result<IndexInserter> {
        let mut entries = Vec::new();
        for index in &table.indexes {
            let info = index.info()?;
            if !info.row.indisready {
                continue;
            }
            let mut c = b.compiler(row_scope(1, table));
            entries.push(Entry {
                columns: info.columns.clone(),
                expressions: c.list(&index.expressions)?,
                predicate: c.filter(&index.predicate)?,
                unique: info.row.indisunique,
                index: index.clone(),
                queue: None,
            });
        }
        Ok(IndexInserter { table: table.clone(), entries, queued: 0 })
    }
    /// Lets entries wait until [`IndexInserter::flush`]. `changed`: of an update, the columns (from 1) that it sets. A unique
    /// index that it may change is not among those that wait: each of its rows must find the rows before it.
    pub fn use_queues(&mut self, changed: Option<&[i16]>) {
        for e in &mut self.entries {
            let touched = |set: &[i16]| e.columns.iter().any(|n| *n == 0 || set.contains(n)) || !e.predicate.is_empty();
            let (wait, check) = match changed {
                None => (true, e.unique),
                Some(set) => (!e.unique || !touched(set), false),
            };
            if wait && e.queue.is_none() {
                e.queue = e.index.rel.am.queue(&e.index.rel, check);
            }
        }
    }

    /// Adds entries for a new row, or queues them. `value`: its columns, from 0.
    pub fn insert_later<'v>(
        &mut self,
        run: &mut Run<'_>,
        value: &dyn Fn(usize) -> Result<DatumRef<'v>>,
        tid: TupleId,
        is_update: bool,
    ) -> Result<()> {
        if self.entries.is_empty() {
            return Ok(());
        }
        let txn = run.cx.txn()?.clone();
        let (table, queued) = (&self.table, self.queued);
        let mut whole: Option<(Vec<Datum>, types::Batch)> = None;
        for e in &mut self.entries {
            let simple = e.expressions.is_empty() && e.predicate.is_empty();
            if !simple && whole.is_none() {
                let n = table.entry.desc.len();
                let row: Vec<Datum> = (0..n).map(|i| Ok(value(i)?.to_owned())).collect::<Result<_>>()?;
                let batch = row_batch(table, &row);
                whole = Some((row, batch));
            }
            let computed: Vec<Datum>;
            let mut few = [DatumRef::Null; 4];
            let many: Vec<DatumRef<'_>>;
            let mut toasted = false;
            if simple && e.columns.len() <= few.len() {
                for (slot, n) in few.iter_mut().zip(&e.columns) {
                    *slot = value(*n as usize - 1)?;
                    toasted |= matches!(slot, DatumRef::Toasted(_));
                }
            }
            let values = if simple && e.columns.len() <= few.len() && !toasted {
                &few[..e.columns.len()]
            } else if let Some((row, batch)) = &whole
                && !simple
            {
                if !e.predicate.test(run, batch, 0)? {
                    continue;
                }
                computed = self::values(e, run, row, batch)?;
                many = computed.iter().map(Datum::as_ref).collect();
                &many
            } else {
                computed = e
                    .columns
                    .iter()
                    .map(|n| crate::expr::function::plain(run, value(*n as usize - 1)?))
                    .collect::<Result<_>>()?;
                many = computed.iter().map(Datum::as_ref).collect();
                &many
            };
            if let Some(queue) = &mut e.queue {
                queue.push(&txn, values, tid, queued)?;
                continue;
            }
            let values: Vec<Datum> = values.iter().map(|v| DatumRef::to_owned(*v)).collect();
            let check = if e.unique { UniqueCheck::Yes } else { UniqueCheck::No };
            let rel = &e.index.rel;
            if let IndexInsert::Duplicate(_) = rel.am.insert(&txn, rel, &table.heap, &values, tid, check, is_update)? {
                return Err(violation(run, table, &e.index, &values)?);
            }
        }
        self.queued += 1;
        let waiting: usize = self.entries.iter().filter_map(|e| Some(e.queue.as_ref()?.memory())).sum();
        if waiting > queue_limit(run.cx.settings.work_mem) {
            self.flush(run)?;
        }
        Ok(())
    }

    /// Inserts what waits. Of rows that violate a unique index the first is reported.
    pub fn flush(&mut self, run: &mut Run<'_>) -> Result<()> {
        if std::mem::take(&mut self.queued) == 0 {
            return Ok(());
        }
        let txn = run.cx.txn()?.clone();
        let mut first: Option<(QueuedDuplicate, Arc<OpenIndex>)> = None;
        for e in &mut self.entries {
            let Some(queue) = &mut e.queue else { continue };
            if let Some(found) = queue.flush(&txn, &self.table.heap)?
                && first.as_ref().is_none_or(|(f, _)| found.row < f.row)
            {
                first = Some((found, e.index.clone()));
            }
        }
        match first {
            None => Ok(()),
            Some((found, index)) => Err(violation(run, &self.table, &index, &found.key)?),
        }
    }

    /// Adds entries for a row. With `summarizing_only` only indexes that a heap-only update must still tell.
    pub fn insert(
        &mut self,
        run: &mut Run<'_>,
        row: &[Datum],
        tid: TupleId,
        is_update: bool,
        summarizing_only: bool,
        arbiters: &[Oid],
    ) -> Result<Option<TupleId>> {
        if self.entries.is_empty() {
            return Ok(None);
        }
        let txn = run.cx.txn()?.clone();
        let batch = row_batch(&self.table, row);
        for e in &mut self.entries {
            let index = e.index.clone();
            let info = index.info()?;
            if summarizing_only && info.am != Oid(3580) {
                continue;
            }
            if !e.predicate.test(run, &batch, 0)? {
                continue;
            }
            let values = values(e, run, row, &batch)?;
            let arbiter = arbiters.contains(&e.index.entry.oid);
            let check = match (e.unique, arbiter) {
                (false, _) => UniqueCheck::No,
                (true, true) => UniqueCheck::Partial,
                (true, false) if !info.row.indimmediate => UniqueCheck::Yes,
                (true, false) => UniqueCheck::Yes,
            };
            let rel = &e.index.rel;
            match rel.am.insert(&txn, rel, &self.table.heap, &values, tid, check, is_update)? {
                IndexInsert::Inserted => {}
                IndexInsert::MaybeDuplicate => return Ok(Some(tid)),
                IndexInsert::Duplicate(_) => return Err(violation(run, &self.table, &e.index, &values)?),
            }
        }
        Ok(None)
    }

    /// Looks for a row that an INSERT .. ON CONFLICT would collide with; waits for transactions that are at one.
    /// (PostgreSQL: `ExecCheckIndexConstraints`)
    pub fn find_conflict(&mut self, run: &mut Run<'_>, row: &[Datum], arbiters: &[Oid]) -> Result<Arbiter> {
        let txn = run.cx.txn()?.clone();
        let batch = row_batch(&self.table, row);
        for e in &mut self.entries {
            if !e.unique || !(arbiters.is_empty() || arbiters.contains(&e.index.entry.oid)) {
                continue;
            }
            if !e.predicate.test(run, &batch, 0)? {
                continue;
            }
            let index = e.index.clone();
            let info = index.info()?;
            let values = values(e, run, row, &batch)?;
            let nulls = values[..info.key_count].iter().any(Datum::is_null);
            if nulls && !info.row.indnullsnotdistinct {
                continue;
            }
            let keys: Vec<ScanKey> = (0..info.key_count)
                .map(|i| match values[i].is_null() {
                    true => ScanKey::IsNull { column: i as u16 },
                    false => ScanKey::Compare {
                        column: i as u16,
                        strategy: ScanStrategy::Equal,
                        value: values[i].clone(),
                        compare: e.index.rel.keys[i].compare.clone(),
                    },
                })
                .collect();
            'again: loop {
                let mut scan =
                    e.index.rel.am.begin_scan(&txn, &e.index.rel, keys.clone(), IndexScanOptions::default())?;
                let mut found = IndexBatch::default();
                loop {
                    found.clear();
                    let more = scan.next(&txn, Direction::Forward, &mut found)?;
                    for tid in &found.tids {
                        match self.table.heap.check_unique(&txn, *tid)? {
                            UniqueRow::Dead { .. } => {}
                            UniqueRow::Alive(tid) => return Ok(Arbiter::Conflict(tid)),
                            UniqueRow::Wait { xid, .. } => {
                                txn.manager().wait_for_xid(txn.proc(), xid)?;
                                continue 'again;
                            }
                        }
                    }
                    if !more {
                        break 'again;
                    }
                }
            }
        }
        Ok(Arbiter::Free)
    }
}

/// An index's values for a row.
fn values(e: &mut Entry, run: &mut Run<'_>, row: &[Datum], batch: &types::Batch) -> Result<Vec<Datum>> {
    let mut expressions = e.expressions.iter_mut();
    let mut out = Vec::with_capacity(e.columns.len());
    for n in &e.columns {
        let v = match n {
            0 => match expressions.next() {
                Some(x) => x.eval_row(run, batch, 0)?,
                None => return Err(PgError::internal("wrong number of index expressions")),
            },
            n => row[*n as usize - 1].clone(),
        };
        out.push(crate::expr::function::plain(run, v.as_ref())?);
    }
    Ok(out)
}

/// (PostgreSQL: `_bt_check_unique`, `BuildIndexValueDescription`)
fn violation(run: &mut Run<'_>, table: &OpenTable, index: &OpenIndex, values: &[Datum]) -> Result<PgError> {
    let info = index.info()?;
    let (mut names, mut texts) = (Vec::new(), Vec::new());
    for i in 0..info.key_count {
        let a = &index.entry.desc.attrs[i];
        let column = info.columns[i];
        match column {
            0 => names.push(a.name.to_string()),
            n => names.push(table.entry.desc.attrs[n as usize - 1].name.to_string()),
        }
        let ty = match column {
            0 => index.expressions.first().map_or(a.type_oid, |e| e.type_oid()),
            n => table.entry.desc.attrs[n as usize - 1].type_oid,
        };
        texts.push(if values[i].is_null() { "null".to_owned() } else { run.cx.output(ty, values[i].as_ref())? });
    }
    let name = index.entry.name().to_owned();
    let e = PgError::new(UNIQUE_VIOLATION, format!("duplicate key value violates unique constraint \"{name}\""));
    let e = e.detail(format!("Key ({})=({}) already exists.", names.join(", "), texts.join(", ")));
    Ok(named(run, table, e)?.constraint(name))
}
