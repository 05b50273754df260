//! FunctionScan: functions in FROM, several side by side (ROWS FROM), WITH ORDINALITY.

use std::sync::Arc;

use analyze::query::{Expr, ParamKind, RangeTblFunction, RtIndex};
use base::sqlstate::DATATYPE_MISMATCH;
use base::{PgError, Result};
use planner::Plan;
use types::{Batch, Column, Datum, Physical};

use crate::build::Builder;
use crate::expr::Scope;
use crate::expr::setfn::{SetNode, explode};
use crate::node::Exec;
use crate::scan::ScanOutput;
use crate::state::Run;

struct Part {
    node: SetNode,
    width: usize,
    done: bool,
    /// Exec parameters that it depends on.
    params: Vec<i32>,
    /// Of a volatile function the rows it gave, which a rescan with the same arguments gives again.
    kept: Option<Vec<Vec<Datum>>>,
    /// How many of the kept rows were given since the last rescan.
    given: usize,
    running: bool,
}

/// The Exec parameters in an expression.
struct ExecParams(Vec<i32>);

impl analyze::walker::Walker for ExecParams {
    type Break = PgError;
    fn expr(&mut self, e: &Expr) -> Result<()> {
        if let Expr::Param(p) = e
            && p.kind == ParamKind::Exec
        {
            self.0.push(p.id);
        }
        analyze::walker::walk_expr(self, e)
    }
}

impl Part {
    fn start(&mut self, run: &mut Run<'_>) -> Result<()> {
        self.given = 0;
        self.done = false;
        if self.running {
            return Ok(());
        }
        self.running = true;
        if let Some(kept) = &mut self.kept {
            kept.clear();
        }
        let one = Batch { columns: Vec::new(), rows: 1, selection: None };
        self.node.start(run, &one, 0)
    }
    fn next(&mut self, run: &mut Run<'_>) -> Result<Option<Vec<Datum>>> {
        let Some(kept) = &mut self.kept else { return self.node.next(run) };
        if let Some(row) = kept.get(self.given) {
            self.given += 1;
            return Ok(Some(row.clone()));
        }
        let row = self.node.next(run)?;
        if let Some(row) = &row {
            kept.push(row.clone());
            self.given += 1;
        }
        Ok(row)
    }
    fn rescan(&mut self, changed: &[i32]) {
        if self.kept.is_none() || self.params.iter().any(|p| changed.contains(p)) {
            self.node.stop();
            self.running = false;
        }
    }
}

pub(crate) struct FunctionScanExec {
    parts: Vec<Part>,
    physical: Vec<Physical>,
    ordinality: bool,
    started: bool,
    count: i64,
    output: ScanOutput,
}

impl FunctionScanExec {
    pub fn build(
        b: &mut Builder<'_>,
        plan: &Plan,
        relid: RtIndex,
        functions: &[RangeTblFunction],
        ordinality: bool,
    ) -> Result<FunctionScanExec> {
        let mut c = b.compiler(Scope::empty());
        let (mut parts, mut physical) = (Vec::new(), Vec::new());
        for f in functions {
            let node = SetNode::compile(&mut c, &f.funcexpr, Some(f.desc.clone()))?;
            physical.extend(f.desc.attrs.iter().map(|a| a.physical()));
            let volatile = analyze::ddl::contains_volatile(&c.cx.catalog, &f.funcexpr)?;
            let mut params = ExecParams(Vec::new());
            analyze::walker::Walker::expr(&mut params, &f.funcexpr)?;
            parts.push(Part {
                node,
                width: f.desc.len(),
                done: false,
                params: params.0,
                kept: volatile.then(Vec::new),
                given: 0,
                running: false,
            });
        }
        if ordinality {
            physical.push(Physical::W8);
        }
        let output = ScanOutput::build(b, plan, relid, physical.len())?;
        Ok(FunctionScanExec { parts, physical, ordinality, started: false, count: 0, output })
    }

    fn row(&mut self, run: &mut Run<'_>, columns: &mut [Column]) -> Result<bool> {
        let mut rows: Vec<Option<Vec<Datum>>> = Vec::with_capacity(self.parts.len());
        for part in &mut self.parts {
            let mut row = if part.done { None } else { part.next(run)? };
            if row.is_none() {
                part.done = true;
            }
            // A composite value that came whole is spread over its columns.
            if let Some(r) = &mut row
                && r.len() == 1
                && part.node.returns_row
                && part.node.call().result_desc.as_ref().is_some_and(|d| d.len() > 1)
            {
                let v = r.swap_remove(0);
                *r = explode(run, &v, part.node.call())?;
            }
            if row.as_ref().is_some_and(|r| r.len() != part.width) {
                let text = "function return row and query-specified return row do not match";
                return Err(PgError::new(DATATYPE_MISMATCH, text));
            }
            rows.push(row);
        }
        if rows.iter().all(Option::is_none) {
            return Ok(false);
        }
        let mut at = 0;
        for (part, row) in self.parts.iter().zip(rows) {
            for i in 0..part.width {
                let v = row.as_ref().map_or(types::DatumRef::Null, |r| r[i].as_ref());
                columns[at].push(v);
                at += 1;
            }
        }
        self.count += 1;
        if self.ordinality {
            columns[at].push(types::DatumRef::Word(self.count as u64));
        }
        Ok(true)
    }
}

impl Exec for FunctionScanExec {
    fn next<'a>(&'a mut self, run: &mut Run<'_>, max: usize) -> Result<Option<&'a Batch>> {
        if !std::mem::replace(&mut self.started, true) {
            self.count = 0;
            for part in &mut self.parts {
                part.start(run)?;
            }
        }
        loop {
            self.output.release();
            let mut columns: Vec<Column> = self.physical.iter().map(|p| Column::new(*p)).collect();
            let mut n = 0;
            while n < max.min(1024) && self.row(run, &mut columns)? {
                n += 1;
            }
            if n == 0 {
                return Ok(None);
            }
            let mut rows = Batch { columns: columns.into_iter().map(Arc::new).collect(), rows: n, selection: None };
            if self.output.apply(run, &mut rows)? {
                return Ok(Some(self.output.batch()));
            }
        }
    }
    fn rescan(&mut self, _: &mut Run<'_>, changed: &[i32]) -> Result<()> {
        self.started = false;
        self.parts.iter_mut().for_each(|p| p.rescan(changed));
        Ok(())
    }
}
