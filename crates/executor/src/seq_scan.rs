//! SeqScan: all rows of a table, a batch at a time, straight into the columns that are needed.

use access::heap::{HeapScan, ScanOptions};
use access::index::Direction;
use analyze::query::{RtIndex, RteKind};
use base::sqlstate::OBJECT_NOT_IN_PREREQUISITE_STATE;
use base::{Oid, PgError, Result};
use planner::Plan;
use txn::stats::TableCounter;
use types::Batch;

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

impl SeqScanExec {
    pub fn build(b: &mut Builder<'_>, plan: &Plan, relid: RtIndex) -> Result<SeqScanExec> {
        let table = open_scan_table(b, relid)?;
        let columns = TableColumns::of(plan, &[], relid, &table);
        let projection = columns.projection(&table);
        let fill = Fill::new(projection.columns(&table.heap.layout));
        let recheck = RecheckRow::new(relid, &table, projection.clone());
        let output = ScanOutput::with_scope(b, plan, columns.scope)?;
        Ok(SeqScanExec { table, projection, scan: None, fill, recheck, output })
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
                let scan = HeapScan::new(self.table.heap.clone(), &txn, snapshot, self.projection.clone(), options)?;
                self.table.heap.stats(&txn).scanned(txn.start_time());
                none.insert(scan)
            }
        };
        loop {
            run.cx.interrupt.check()?;
            self.output.release();
            self.fill.clear();
            let n = scan.next(&txn, Direction::Forward, max, &mut self.fill.columns, None)?;
            self.table.heap.stats(&txn).add(TableCounter::RowsReturned, n as i64);
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
