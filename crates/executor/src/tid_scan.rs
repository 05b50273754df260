//! TidScan: rows by their places, `ctid = ..`, `ctid = ANY (..)` and WHERE CURRENT OF.

use std::sync::Arc;

use access::heap::{Fetcher, Look};
use analyze::query::{CurrentOfExpr, Expr, RtIndex};
use base::{PgError, Result, TupleId};
use planner::Plan;
use types::array::ArrayRef;
use types::{Batch, Datum, FromDatum};

use crate::build::Builder;
use crate::cursor::Cursors;
use crate::expr::{CExpr, Elem, Scope};
use crate::heap::OpenTable;
use crate::node::Exec;
use crate::scan::{Fill, RecheckRow, ScanOutput, TableColumns};
use crate::seq_scan::open_scan_table;
use crate::state::Run;

pub(crate) struct TidScanExec {
    sources: Vec<(CExpr, Option<Elem>)>,
    /// WHERE CURRENT OF: the cursor's name.
    cursor: Option<String>,
    table: Arc<OpenTable>,
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
        let (mut sources, mut cursor) = (Vec::new(), None);
        for q in quals {
            match q {
                Expr::CurrentOfExpr(CurrentOfExpr { cursor_name: Some(name), .. }) => cursor = Some(name.clone()),
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
            cursor,
            tids: None,
            at: 0,
            fetcher: Fetcher::new(table.heap.clone(), projection.clone()),
            fill: Fill::new(projection.columns(&table.heap.layout)),
            recheck: RecheckRow::new(relid, &table, projection),
            output: ScanOutput::with_scope(b, plan, columns.scope)?,
            table,
        })
    }

    fn collect(&mut self, run: &mut Run<'_>) -> Result<Vec<TupleId>> {
        if let Some(name) = &self.cursor {
            let cursors = run.cx.extension_or_default::<Cursors>();
            let Some(tid) = cursors.current(name, self.table.entry.oid, self.table.entry.name())? else {
                return Ok(Vec::new());
            };
            // The row may have been changed since it was fetched.
            let (txn, snapshot) = (run.cx.txn()?.clone(), run.snapshot()?);
            return Ok(vec![self.table.heap.latest_tid(&txn, tid, Look::Mvcc(&snapshot))?]);
        }
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
