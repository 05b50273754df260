//! TidRangeScan: the rows between two places of a table, `ctid >= .. AND ctid < ..`. Only the blocks between are read.
//!
//! PostgreSQL: `nodeTidrangescan.c`.

use access::heap::{HeapScan, ScanOptions};
use access::index::{BlockRange, Direction};
use access::tuple::Projection;
use analyze::query::{Expr, RtIndex, Var, sysattr};
use base::{BlockNumber, PgError, Result, TupleId};
use planner::Plan;
use std::sync::Arc;
use types::{Batch, Datum, FromDatum};

use crate::build::Builder;
use crate::expr::{CExpr, Scope};
use crate::heap::OpenTable;
use crate::node::Exec;
use crate::scan::{Fill, RecheckRow, ScanOutput, TableColumns};
use crate::seq_scan::open_scan_table;
use crate::state::Run;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Lower,
    Upper,
}

struct Bound {
    value: CExpr,
    side: Side,
    inclusive: bool,
}

pub(crate) struct TidRangeScanExec {
    table: Arc<OpenTable>,
    projection: Projection,
    bounds: Vec<Bound>,
    /// The first and the last place that are wanted; `None`: not known yet.
    range: Option<Option<(TupleId, TupleId)>>,
    scan: Option<HeapScan>,
    /// Where the rows' places stand among the columns.
    ctid: usize,
    fill: Fill,
    recheck: RecheckRow,
    output: ScanOutput,
}

const LAST: TupleId = TupleId { block: BlockNumber(u32::MAX), offset: u16::MAX };
const FIRST: TupleId = TupleId { block: BlockNumber(0), offset: 0 };

impl TidRangeScanExec {
    pub fn build(b: &mut Builder<'_>, plan: &Plan, relid: RtIndex, quals: &[Expr]) -> Result<TidRangeScanExec> {
        let table = open_scan_table(b, relid)?;
        let mut columns = TableColumns::of(plan, &[], relid, &table);
        let ctid = columns.add(relid, sysattr::CTID);
        let projection = columns.projection(&table);
        let mut bounds = Vec::new();
        for q in quals {
            let Expr::OpExpr(o) = q else { return Err(PgError::internal("unexpected condition on ctid")) };
            let name = b.cx.catalog.operator(o.opno)?.map(|o| o.oprname.clone()).unwrap_or_default();
            let is_ctid = |e: &Expr| matches!(e, Expr::Var(Var { varattno: sysattr::CTID, .. }));
            let turned = !is_ctid(&o.args[0]);
            let side = if name.starts_with('<') != turned { Side::Upper } else { Side::Lower };
            let value = b.compiler(Scope::empty()).expr(&o.args[usize::from(!turned)])?;
            bounds.push(Bound { value, side, inclusive: name.ends_with('=') });
        }
        Ok(TidRangeScanExec {
            bounds,
            range: None,
            scan: None,
            ctid,
            fill: Fill::new(projection.columns(&table.heap.layout)),
            recheck: RecheckRow::new(relid, &table, projection.clone()),
            output: ScanOutput::with_scope(b, plan, columns.scope)?,
            table,
            projection,
        })
    }

    fn range(&mut self, run: &mut Run<'_>) -> Result<Option<(TupleId, TupleId)>> {
        let (mut low, mut high) = (FIRST, LAST);
        for b in &mut self.bounds {
            let v: Datum = b.value.eval_scalar(run)?;
            if v.is_null() {
                return Ok(None);
            }
            let tid = TupleId::from_datum(v.as_ref())?;
            match b.side {
                Side::Lower => low = low.max(if b.inclusive { Some(tid) } else { next(tid) }.unwrap_or(LAST)),
                Side::Upper => {
                    let Some(tid) = (if b.inclusive { Some(tid) } else { previous(tid) }) else { return Ok(None) };
                    high = high.min(tid);
                }
            }
        }
        Ok((low <= high).then_some((low, high)))
    }
}

fn next(t: TupleId) -> Option<TupleId> {
    match t.offset {
        u16::MAX => t.block.0.checked_add(1).map(|b| TupleId { block: BlockNumber(b), offset: 0 }),
        n => Some(TupleId { block: t.block, offset: n + 1 }),
    }
}
fn previous(t: TupleId) -> Option<TupleId> {
    match t.offset {
        0 => t.block.0.checked_sub(1).map(|b| TupleId { block: BlockNumber(b), offset: u16::MAX }),
        n => Some(TupleId { block: t.block, offset: n - 1 }),
    }
}

impl Exec for TidRangeScanExec {
    fn next<'a>(&'a mut self, run: &mut Run<'_>, max: usize) -> Result<Option<&'a Batch>> {
        if let Some(tid) = self.recheck.active(run) {
            let found =
                self.recheck.fetch(run, tid, &mut self.fill)? && self.output.apply(run, &mut self.fill.batch)?;
            return Ok(found.then_some(self.output.batch()));
        }
        if self.range.is_none() {
            self.range = Some(self.range(run)?);
        }
        let Some(Some((low, high))) = self.range else { return Ok(None) };
        let txn = run.cx.txn()?.clone();
        let scan = match &mut self.scan {
            Some(scan) => scan,
            none => {
                let snapshot = run.snapshot()?;
                let range = BlockRange { start: low.block, end: BlockNumber(high.block.0.saturating_add(1)) };
                let options = ScanOptions { range: Some(range), ..ScanOptions::default() };
                none.insert(HeapScan::new(self.table.heap.clone(), &txn, snapshot, self.projection.clone(), options)?)
            }
        };
        loop {
            run.cx.interrupt.check()?;
            self.output.release();
            self.fill.clear();
            let n = scan.next(&txn, Direction::Forward, max, &mut self.fill.columns, None)?;
            if n == 0 {
                return Ok(None);
            }
            let batch = self.fill.finish(n);
            let mut rows = Vec::with_capacity(n);
            for i in 0..n {
                let tid = TupleId::from_datum(batch.columns[self.ctid].get(i))?;
                if low <= tid && tid <= high {
                    rows.push(i as u32);
                }
            }
            if rows.is_empty() {
                continue;
            }
            batch.selection = (rows.len() < n).then_some(rows);
            if self.output.apply(run, batch)? {
                return Ok(Some(self.output.batch()));
            }
        }
    }
    fn rescan(&mut self, _: &mut Run<'_>, _: &[i32]) -> Result<()> {
        (self.range, self.scan) = (None, None);
        self.recheck.reset();
        Ok(())
    }
}
