//! SampleScan: TABLESAMPLE's share of a table's blocks (SYSTEM) or rows (BERNOULLI), chosen by a hash of their places and a
//! seed, so that REPEATABLE gives the same rows again, and the rows that PostgreSQL gives.
//!
//! PostgreSQL: `nodeSamplescan.c`, `system.c`, `bernoulli.c`.

use std::sync::Arc;

use access::heap::{HeapScan, ScanOptions};
use access::index::Direction;
use access::tuple::Projection;
use analyze::query::{RtIndex, TableSampleClause, sysattr};
use base::sqlstate::{INVALID_TABLESAMPLE_ARGUMENT, INVALID_TABLESAMPLE_REPEAT};
use base::{Oid, PgError, Result, TupleId};
use planner::Plan;
use types::{Batch, Datum, FromDatum};

use crate::build::Builder;
use crate::expr::{CExpr, Scope};
use crate::heap::OpenTable;
use crate::node::Exec;
use crate::scan::{Fill, RecheckRow, ScanOutput, TableColumns};
use crate::seq_scan::open_scan_table;
use crate::state::Run;

const HASHFLOAT8: Oid = Oid(452);
const RANDOM: Oid = Oid(1598);

#[derive(Clone, Copy, PartialEq, Eq)]
enum Method {
    System,
    Bernoulli,
}

pub(crate) struct SampleScanExec {
    table: Arc<OpenTable>,
    projection: Projection,
    method: Method,
    percent: CExpr,
    repeatable: Option<CExpr>,
    /// What hashes stay below, and the seed.
    chosen: Option<(u64, u32)>,
    /// Of a scan without REPEATABLE: kept through rescans.
    random_seed: Option<u32>,
    scan: Option<HeapScan>,
    ctid: usize,
    fill: Fill,
    recheck: RecheckRow,
    output: ScanOutput,
}

impl SampleScanExec {
    pub fn build(
        b: &mut Builder<'_>,
        plan: &Plan,
        relid: RtIndex,
        sample: &TableSampleClause,
    ) -> Result<SampleScanExec> {
        let name = b.cx.catalog.function(sample.tsmhandler)?.map(|f| f.proname.clone()).unwrap_or_default();
        let method = match name.as_str() {
            "system" => Method::System,
            "bernoulli" => Method::Bernoulli,
            other => return Err(PgError::unsupported(format!("tablesample method {other}"))),
        };
        let table = open_scan_table(b, relid)?;
        let mut columns = TableColumns::of(plan, &[], relid, &table);
        let ctid = columns.add(relid, sysattr::CTID);
        let projection = columns.projection(&table);
        let mut c = b.compiler(Scope::empty());
        let percent = sample.args.first().ok_or_else(|| PgError::internal("a sample of no size"))?;
        let percent = c.expr(percent)?;
        let repeatable = sample.repeatable.as_ref().map(|e| c.expr(e)).transpose()?;
        Ok(SampleScanExec {
            method,
            percent,
            repeatable,
            chosen: None,
            random_seed: None,
            scan: None,
            ctid,
            fill: Fill::new(projection.columns(&table.heap.layout)),
            recheck: RecheckRow::new(relid, &table, projection.clone()),
            output: ScanOutput::with_scope(b, plan, columns.scope)?,
            table,
            projection,
        })
    }

    fn choose(&mut self, run: &mut Run<'_>) -> Result<(u64, u32)> {
        let v: Datum = self.percent.eval_scalar(run)?;
        if v.is_null() {
            return Err(PgError::new(INVALID_TABLESAMPLE_ARGUMENT, "TABLESAMPLE parameter cannot be null"));
        }
        let percent = f64::from(f32::from_datum(v.as_ref())?);
        let seed = match &mut self.repeatable {
            Some(e) => {
                let v: Datum = e.eval_scalar(run)?;
                if v.is_null() {
                    let text = "TABLESAMPLE REPEATABLE parameter cannot be null";
                    return Err(PgError::new(INVALID_TABLESAMPLE_REPEAT, text));
                }
                let hash = types::Runtime::call(run.cx, HASHFLOAT8, Oid::INVALID, &[v.as_ref()])?;
                i32::from_datum(hash.as_ref())? as u32
            }
            None => match self.random_seed {
                Some(s) => s,
                None => {
                    let random = types::Runtime::call(run.cx, RANDOM, Oid::INVALID, &[])?;
                    let share = f64::from_datum(random.as_ref())?;
                    *self.random_seed.insert((share * 4_294_967_296.0) as u32)
                }
            },
        };
        if !(0.0..=100.0).contains(&percent) {
            let text = "sample percentage must be between 0 and 100";
            return Err(PgError::new(INVALID_TABLESAMPLE_ARGUMENT, text));
        }
        Ok(((4_294_967_296.0 * percent / 100.0).round_ties_even() as u64, seed))
    }
}

impl Exec for SampleScanExec {
    fn next<'a>(&'a mut self, run: &mut Run<'_>, max: usize) -> Result<Option<&'a Batch>> {
        if let Some(tid) = self.recheck.active(run) {
            let found =
                self.recheck.fetch(run, tid, &mut self.fill)? && self.output.apply(run, &mut self.fill.batch)?;
            return Ok(found.then_some(self.output.batch()));
        }
        let (cutoff, seed) = match self.chosen {
            Some(c) => c,
            None => {
                let c = self.choose(run)?;
                *self.chosen.insert(c)
            }
        };
        let txn = run.cx.txn()?.clone();
        let scan = match &mut self.scan {
            Some(scan) => scan,
            none => {
                let (snapshot, options) = (run.snapshot()?, ScanOptions::default());
                none.insert(HeapScan::new(self.table.heap.clone(), &txn, snapshot, self.projection.clone(), options)?)
            }
        };
        let hash = |words: &[u32]| -> u64 {
            let bytes: Vec<u8> = words.iter().flat_map(|w| w.to_ne_bytes()).collect();
            u64::from(catalog::hash::hash_bytes(&bytes))
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
            let (mut rows, mut block) = (Vec::with_capacity(n), None);
            for i in 0..n {
                let tid = TupleId::from_datum(batch.columns[self.ctid].get(i))?;
                let taken = match (self.method, block) {
                    (Method::Bernoulli, _) => hash(&[tid.block.0, u32::from(tid.offset), seed]) < cutoff,
                    (Method::System, Some((b, taken))) if b == tid.block => taken,
                    (Method::System, _) => {
                        let taken = hash(&[tid.block.0, seed]) < cutoff;
                        block = Some((tid.block, taken));
                        taken
                    }
                };
                if taken {
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
        (self.chosen, self.scan) = (None, None);
        self.recheck.reset();
        Ok(())
    }
}
