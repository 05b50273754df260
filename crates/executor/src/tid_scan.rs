//! TidScan: rows by their places, `ctid = ..` and `ctid = ANY (..)`.

use access::heap::{Fetcher, Look};
use analyze::query::{Expr, RtIndex};
use base::{PgError, Result, TupleId};
use planner::Plan;
use types::array::ArrayRef;
use types::{Batch, Datum, FromDatum};

use crate::build::Builder;
use crate::expr::{CExpr, Elem, Scope};
use crate::node::Exec;
use crate::scan::{Fill, RecheckRow, ScanOutput, TableColumns};
use crate::seq_scan::open_scan_table;
use crate::state::Run;

pub(crate) struct TidScanExec {
    sources: Vec<(CExpr, Option<Elem>)>,
    tids: Option<Vec<TupleId>>,
    at: usize,
    fetcher: Fetcher,
    fill: Fill,
    recheck: RecheckRow,
    output: ScanOutput,
}

impl TidScanExec {
    pub fn build(b: &mut Builder<'_>, plan: &Plan, relid: RtIndex, quals: &[Expr]) -> Result<TidScanExec> {
        let table = open_scan_table(b, relid)?;
        let columns = TableColumns::of(plan, &[], relid, &table);
        let projection = columns.projection(&table);
        let mut c = b.compiler(Scope::empty());
        let mut sources = Vec::new();
        for q in quals {
            match q {
                Expr::OpExpr(o) => {
                    let value = if matches!(o.args[0], Expr::Var(_)) { &o.args[1] } else { &o.args[0] };
                    sources.push((c.expr(value)?, None));
                }
                Expr::ScalarArrayOpExpr(s) => {
                    let elem = c.elem(types::oid::TIDOID)?;
                    sources.push((c.expr(&s.args[1])?, Some(elem)));
                }
                _ => return Err(PgError::unsupported("this condition on ctid")),
            }
        }
        Ok(TidScanExec {
            sources,
            tids: None,
            at: 0,
            fetcher: Fetcher::new(table.heap.clone(), projection.clone()),
            fill: Fill::new(projection.columns(&table.heap.layout)),
            recheck: RecheckRow::new(relid, &table, projection),
            output: ScanOutput::with_scope(b, plan, columns.scope)?,
        })
    }

    fn collect(&mut self, run: &mut Run<'_>) -> Result<Vec<TupleId>> {
        let mut tids = Vec::new();
        for (e, elem) in &mut self.sources {
            let v: Datum = e.eval_scalar(run)?;
            if v.is_null() {
                continue;
            }
            match elem {
                None => tids.push(TupleId::from_datum(v.as_ref())?),
                Some(elem) => {
                    for t in ArrayRef::new(v.as_ref().as_bytes())?.elements(elem) {
                        let t = t?;
                        if !t.is_null() {
                            tids.push(TupleId::from_datum(t)?);
                        }
                    }
                }
            }
        }
        tids.sort_unstable();
        tids.dedup();
        Ok(tids)
    }
}

impl Exec for TidScanExec {
    fn next<'a>(&'a mut self, run: &mut Run<'_>, max: usize) -> Result<Option<&'a Batch>> {
        if let Some(tid) = self.recheck.active(run) {
            let found =
                self.recheck.fetch(run, tid, &mut self.fill)? && self.output.apply(run, &mut self.fill.batch)?;
            return Ok(found.then_some(self.output.batch()));
        }
        if self.tids.is_none() {
            self.tids = Some(self.collect(run)?);
            self.at = 0;
        }
        let txn = run.cx.txn()?.clone();
        let snapshot = run.snapshot()?;
        loop {
            self.output.release();
            self.fill.clear();
            let mut n = 0;
            let tids = self.tids.as_deref().unwrap_or_default();
            while n < max && self.at < tids.len() {
                n += usize::from(self.fetcher.fetch(
                    &txn,
                    tids[self.at],
                    Look::Mvcc(&snapshot),
                    &mut self.fill.columns,
                )?);
                self.at += 1;
            }
            if n == 0 {
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
