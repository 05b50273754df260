//! SeqScan: all rows of a table, a batch at a time, straight into the columns that are needed.

use access::heap::{HeapScan, ScanOptions};
use access::index::Direction;
use access::tuple::{Comparison, Prefilter};
use analyze::query::{Expr, RtIndex, RteKind};
use base::sqlstate::OBJECT_NOT_IN_PREREQUISITE_STATE;
use base::{Oid, PgError, Result};
use catalog::oids::INTERNAL_LANGUAGE;
use planner::Plan;
use txn::stats::TableCounter;
use types::{Batch, DatumRef};

use std::sync::Arc;

use crate::build::Builder;
use crate::heap::OpenTable;
use crate::node::Exec;
use crate::scan::{Fill, RecheckRow, ScanOutput, TableColumns};
use crate::state::Run;

pub(crate) struct SeqScanExec {
    table: Arc<OpenTable>,
    projection: access::tuple::Projection,
    scan: Option<HeapScan>,
    fill: Fill,
    recheck: RecheckRow,
    output: ScanOutput,
    /// The first conditions, as far as they compare integers with constants.
    comparisons: Vec<(u16, Comparison, i64)>,
}

/// The table of a range-table entry, locked as the entry says.
pub(crate) fn open_scan_table(b: &mut Builder<'_>, relid: RtIndex) -> Result<Arc<OpenTable>> {
    let planned = b.planned.clone();
    match planned.rtable.get(relid as usize - 1).map(|r| &r.kind) {
        Some(RteKind::Relation { relid, .. }) => {
            let table = open(b, *relid)?;
            match table.entry.class.relispopulated {
                true => Ok(table),
                false => Err(not_populated(table.entry.name())),
            }
        }
        _ => Err(PgError::internal("scan of something that is not a table")),
    }
}

/// A materialized view that was made WITH NO DATA.
#[cold]
fn not_populated(name: &str) -> PgError {
    let text = format!("materialized view \"{name}\" has not been populated");
    PgError::new(OBJECT_NOT_IN_PREREQUISITE_STATE, text).hint("Use the REFRESH MATERIALIZED VIEW command.")
}

pub(crate) fn open(b: &mut Builder<'_>, oid: Oid) -> Result<Arc<OpenTable>> {
    b.cx.open_table(oid)
}

/// The conditions before any other that compare an integer-like column with a constant. Only the first ones: another may
/// fail on a row that these would drop, and then was to be asked before.
fn comparisons(b: &Builder<'_>, plan: &Plan, relid: RtIndex) -> Result<Vec<(u16, Comparison, i64)>> {
    let mut found = Vec::new();
    for qual in &plan.qual {
        let Expr::OpExpr(op) = qual else { break };
        let [Expr::Var(v), Expr::Const(c)] = &op.args[..] else { break };
        let plain = v.varno == relid && v.varattno > 0 && v.varlevelsup == 0;
        let (DatumRef::Word(value), true) = (c.value.as_ref(), plain) else { break };
        let row = b.cx.catalog.function_row(op.opfuncid)?;
        let Some(comparison) = comparison(&row.prosrc).filter(|_| row.prolang == INTERNAL_LANGUAGE) else { break };
        found.push((v.varattno as u16 - 1, comparison, value as i64));
    }
    Ok(found)
}

/// What a built-in function compares, if it does so as signed words.
fn comparison(prosrc: &str) -> Option<Comparison> {
    let at = prosrc.len().checked_sub(2)?;
    let (family, op) = prosrc.split_at_checked(at)?;
    let known = ["int2", "int4", "int8", "int24", "int28", "int42", "int48", "int82", "int84", "date_", "timestamp_"];
    if !known.contains(&family) {
        return None;
    }
    Some(match op {
        "lt" => Comparison::Less,
        "le" => Comparison::LessEqual,
        "eq" => Comparison::Equal,
        "ne" => Comparison::NotEqual,
        "ge" => Comparison::GreaterEqual,
        "gt" => Comparison::Greater,
        _ => return None,
    })
}

impl SeqScanExec {
    pub fn build(b: &mut Builder<'_>, plan: &Plan, relid: RtIndex) -> Result<SeqScanExec> {
        let table = open_scan_table(b, relid)?;
        let columns = TableColumns::of(plan, &[], relid, &table);
        let projection = columns.projection(&table);
        let fill = Fill::new(projection.columns(&table.heap.layout));
        let recheck = RecheckRow::new(relid, &table, projection.clone());
        let output = ScanOutput::with_scope(b, plan, columns.scope)?;
        let comparisons = comparisons(b, plan, relid)?;
        Ok(SeqScanExec { table, projection, scan: None, fill, recheck, output, comparisons })
    }
}

impl Exec for SeqScanExec {
    fn next<'a>(&'a mut self, run: &mut Run<'_>, max: usize) -> Result<Option<&'a Batch>> {
        if let Some(tid) = self.recheck.active(run) {
            let found =
                self.recheck.fetch(run, tid, &mut self.fill)? && self.output.apply(run, &mut self.fill.batch)?;
            return Ok(found.then_some(self.output.batch()));
        }
        let txn = run.cx.txn()?.clone();
        let scan = match &mut self.scan {
            Some(scan) => scan,
            none => {
                let snapshot = run.snapshot()?;
                let options = ScanOptions { no_ring: self.table.heap.is_catalog, ..ScanOptions::default() };
                let mut scan =
                    HeapScan::new(self.table.heap.clone(), &txn, snapshot, self.projection.clone(), options)?;
                scan.set_prefilter(Prefilter::new(&self.table.heap.layout, &self.comparisons));
                self.table.heap.stats(&txn).scanned(txn.start_time());
                none.insert(scan)
            }
        };
        loop {
            run.cx.interrupt.check()?;
            self.output.release();
            self.fill.clear();
            let n = scan.next(&txn, Direction::Forward, max, &mut self.fill.columns, None)?;
            let dropped = scan.take_dropped();
            self.table.heap.stats(&txn).add(TableCounter::RowsReturned, (n + dropped) as i64);
            run.note(|i| i.filtered += dropped as u64);
            if n == 0 {
                return Ok(None);
            }
            if self.output.apply(run, self.fill.finish(n))? {
                return Ok(Some(self.output.batch()));
            }
        }
    }
    fn rescan(&mut self, run: &mut Run<'_>, _: &[i32]) -> Result<()> {
        self.recheck.reset();
        match &mut self.scan {
            Some(scan) => {
                let txn = run.cx.txn()?.clone();
                self.table.heap.stats(&txn).scanned(txn.start_time());
                scan.rescan(&txn, None)
            }
            None => Ok(()),
        }
    }
    fn rest(&mut self) -> Result<bool> {
        self.recheck.reset();
        self.output.release();
        self.scan = None;
        Ok(true)
    }
}
