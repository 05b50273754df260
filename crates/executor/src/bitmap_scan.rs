//! BitmapHeapScan over BitmapIndexScan, BitmapAnd and BitmapOr: row places from indexes, then the rows in table order.

use std::sync::Arc;

use access::heap::{Fetcher, Look};
use access::index::{Direction, IndexBatch, IndexScanOptions};
use analyze::query::{Expr, RtIndex};
use base::{PgError, Result, TupleId};
use planner::{Plan, PlanNode};
use txn::stats::TableCounter;
use types::Batch;

use crate::build::Builder;
use crate::expr::Filter;
use crate::heap::{OpenIndex, OpenTable};
use crate::index_scan::{ScanKeys, find_index};
use crate::node::Exec;
use crate::scan::{Fill, RecheckRow, ScanOutput, TableColumns};
use crate::seq_scan::open_scan_table;
use crate::state::Run;

/// Where places come from.
enum Source {
    Index { index: Arc<OpenIndex>, keys: ScanKeys },
    And(Vec<Source>),
    Or(Vec<Source>),
}

impl Source {
    fn build(b: &mut Builder<'_>, plan: &Plan, table: &OpenTable) -> Result<Source> {
        Ok(match &plan.node {
            PlanNode::BitmapIndexScan { indexid, indexqual, .. } => {
                let index = find_index(table, *indexid)?;
                Source::Index { keys: ScanKeys::build(b, &index, indexqual)?, index }
            }
            PlanNode::BitmapAnd { plans } => {
                Source::And(plans.iter().map(|p| Source::build(b, p, table)).collect::<Result<_>>()?)
            }
            PlanNode::BitmapOr { plans } => {
                Source::Or(plans.iter().map(|p| Source::build(b, p, table)).collect::<Result<_>>()?)
            }
            _ => return Err(PgError::internal("unexpected node below a bitmap heap scan")),
        })
    }

    /// Ascending, without repetition.
    fn tids(&mut self, run: &mut Run<'_>) -> Result<Vec<TupleId>> {
        Ok(match self {
            Source::Index { index, keys } => {
                let txn = run.cx.txn()?.clone();
                let keys = keys.values(run)?;
                index.stats(&txn).scanned(txn.start_time());
                let mut scan = index.rel.am.begin_scan(&txn, &index.rel, keys, IndexScanOptions::default())?;
                let (mut all, mut some) = (Vec::new(), IndexBatch::default());
                loop {
                    run.cx.interrupt.check()?;
                    some.clear();
                    let more = scan.next(&txn, Direction::Forward, &mut some)?;
                    all.extend_from_slice(&some.tids);
                    if !more {
                        break;
                    }
                }
                index.stats(&txn).add(TableCounter::RowsReturned, all.len() as i64);
                all.sort_unstable();
                all.dedup();
                all
            }
            Source::Or(parts) => {
                let mut all = Vec::new();
                for p in parts {
                    all.extend(p.tids(run)?);
                }
                all.sort_unstable();
                all.dedup();
                all
            }
            Source::And(parts) => {
                let mut all: Option<Vec<TupleId>> = None;
                for p in parts {
                    let tids = p.tids(run)?;
                    all = Some(match all {
                        None => tids,
                        Some(mut a) => {
                            a.retain(|t| tids.binary_search(t).is_ok());
                            a
                        }
                    });
                }
                all.unwrap_or_default()
            }
        })
    }
}

pub(crate) struct BitmapHeapExec {
    table: Arc<OpenTable>,
    source: Source,
    tids: Option<Vec<TupleId>>,
    at: usize,
    fetcher: Fetcher,
    fill: Fill,
    recheck: RecheckRow,
    quals: Filter,
    output: ScanOutput,
}

impl BitmapHeapExec {
    pub fn build(b: &mut Builder<'_>, plan: &Plan, relid: RtIndex, orig: &[Expr]) -> Result<BitmapHeapExec> {
        let table = open_scan_table(b, relid)?;
        let below = plan.outer.as_deref().ok_or_else(|| PgError::internal("bitmap heap scan without a bitmap"))?;
        let source = Source::build(b, below, &table)?;
        let columns = TableColumns::of(plan, orig, relid, &table);
        let projection = columns.projection(&table);
        Ok(BitmapHeapExec {
            source,
            tids: None,
            at: 0,
            fetcher: Fetcher::new(table.heap.clone(), projection.clone()),
            fill: Fill::new(projection.columns(&table.heap.layout)),
            recheck: RecheckRow::new(relid, &table, projection),
            quals: b.compiler(columns.scope.clone()).filter(orig)?,
            output: ScanOutput::with_scope(b, plan, columns.scope)?,
            table,
        })
    }
}

impl Exec for BitmapHeapExec {
    fn next<'a>(&'a mut self, run: &mut Run<'_>, max: usize) -> Result<Option<&'a Batch>> {
        if let Some(tid) = self.recheck.active(run) {
            let found = self.recheck.fetch(run, tid, &mut self.fill)?
                && self.quals.apply(run, &mut self.fill.batch)? > 0
                && self.output.apply(run, &mut self.fill.batch)?;
            return Ok(found.then_some(self.output.batch()));
        }
        if self.tids.is_none() {
            let tids = self.source.tids(run)?;
            let pages = tids.chunk_by(|a, b| a.block == b.block).count();
            run.note(|i| i.exact_pages += pages as u64);
            self.tids = Some(tids);
            self.at = 0;
        }
        let txn = run.cx.txn()?.clone();
        let snapshot = run.snapshot()?;
        loop {
            self.output.release();
            self.fill.clear();
            let tids = self.tids.as_deref().unwrap_or_default();
            let mut n = 0;
            while n < max && self.at < tids.len() {
                let found =
                    self.fetcher.index_fetch(&txn, tids[self.at], Look::Mvcc(&snapshot), &mut self.fill.columns)?;
                n += usize::from(found.tid.is_some());
                self.at += 1;
            }
            self.table.heap.stats(&txn).add(TableCounter::RowsFetched, n as i64);
            if n == 0 {
                self.fetcher.release();
                return Ok(None);
            }
            if self.output.apply(run, self.fill.finish(n))? {
                return Ok(Some(self.output.batch()));
            }
        }
    }
    fn rescan(&mut self, _: &mut Run<'_>, _: &[i32]) -> Result<()> {
        self.tids = None;
        self.recheck.reset();
        Ok(())
    }
}
