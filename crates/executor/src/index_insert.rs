//! Index entries for new rows, unique violations, and the arbiters of ON CONFLICT.
//!
//! PostgreSQL: `execIndexing.c`.

use std::sync::Arc;

use access::heap::UniqueRow;
use access::index::{Direction, IndexBatch, IndexInsert, IndexScanOptions, ScanKey, ScanStrategy, UniqueCheck};
use base::sqlstate::UNIQUE_VIOLATION;
use base::{Oid, PgError, Result, TupleId};
use types::Datum;

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
}

pub(crate) struct IndexInserter {
    table: Arc<OpenTable>,
    entries: Vec<Entry>,
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
            });
        }
        Ok(IndexInserter { table: table.clone(), entries })
    }
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
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
