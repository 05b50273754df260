//! NestLoop: for each outer row the inner plan runs, with parameters set from that row.

use analyze::query::{Expr, JoinType};
use base::{PgError, Result};
use planner::{NestLoopParam, Plan};
use types::{Batch, Rows};

use crate::build::Builder;
use crate::expr::{CExpr, Scope};
use crate::join::JoinOutput;
use crate::node::{Exec, Node};
use crate::state::Run;

pub(crate) struct NestLoopExec {
    outer: Node,
    inner: Node,
    jointype: JoinType,
    single: bool,
    params: Vec<(i32, CExpr)>,
    changed: Vec<i32>,
    output: JoinOutput,
    current: Batch,
    rows: Vec<u32>,
    at: usize,
    active: bool,
    matched: bool,
}

impl NestLoopExec {
    pub fn build(
        b: &mut Builder<'_>,
        plan: &Plan,
        jointype: JoinType,
        joinqual: &[Expr],
        inner_unique: bool,
        params: &[NestLoopParam],
    ) -> Result<NestLoopExec> {
        if !matches!(jointype, JoinType::Inner | JoinType::Left | JoinType::Semi | JoinType::Anti) {
            return Err(PgError::internal("unexpected join type in a nested loop"));
        }
        let (outer, inner) = (b.outer(plan)?, b.inner(plan)?);
        let output = JoinOutput::build(b, plan, &outer.output, &inner.output, &[joinqual])?;
        let mut c = b.compiler(Scope::outer(outer.output.len()));
        let params: Result<Vec<_>> = params.iter().map(|p| Ok((p.param, c.expr(&p.value)?))).collect();
        let params = params?;
        Ok(NestLoopExec {
            changed: params.iter().map(|p| p.0).collect(),
            outer,
            inner,
            jointype,
            single: inner_unique || jointype == JoinType::Semi,
            params,
            output,
            current: Batch::default(),
            rows: Vec::new(),
            at: 0,
            active: false,
            matched: false,
        })
    }

    /// Starts the inner plan for the outer row in work.
    fn start_inner(&mut self, run: &mut Run<'_>) -> Result<()> {
        let row = self.rows[self.at];
        for (p, e) in &mut self.params {
            e.eval(run, &self.current, Rows::Some(&[row]))?;
            run.set_exec_param(*p, e.value(&self.current, row as usize).to_owned());
        }
        self.inner.rescan(run, &self.changed)?;
        (self.active, self.matched) = (true, false);
        Ok(())
    }

    /// Some output for the outer row in work; `false` if there is none for now.
    fn step(&mut self, run: &mut Run<'_>, max: usize) -> Result<bool> {
        let row = self.rows[self.at] as usize;
        let give_up_early = self.single || self.jointype == JoinType::Anti;
        let ask = if give_up_early { max.min(64) } else { max };
        let inner = self.inner.next(run, ask)?;
        let Some(batch) = inner else {
            self.active = false;
            self.at += 1;
            if self.matched || !matches!(self.jointype, JoinType::Left | JoinType::Anti) {
                return Ok(false);
            }
            self.output.pair(Some((&self.current.columns, Rows::Some(&[row as u32]))), None, 1);
            return self.output.finish(run);
        };
        self.output.pair_one(&self.current.columns, row, batch);
        let n = self.output.join.apply(run, &mut self.output.pairs)?;
        if n == 0 {
            return Ok(false);
        }
        self.matched = true;
        if give_up_early {
            self.active = false;
            self.at += 1;
            if self.jointype == JoinType::Anti {
                return Ok(false);
            }
            let first = self.output.pairs.selected().iter().next().unwrap_or(0);
            self.output.pairs.selection = Some(vec![first as u32]);
        }
        self.output.finish(run)
    }
}

impl Exec for NestLoopExec {
    fn next<'a>(&'a mut self, run: &mut Run<'_>, max: usize) -> Result<Option<&'a Batch>> {
        loop {
            if !self.active {
                if self.at >= self.rows.len() {
                    self.current.columns.clear();
                    let Some(batch) = self.outer.next(run, max)? else { return Ok(None) };
                    self.current = batch.clone();
                    self.rows = batch.selected().iter().map(|i| i as u32).collect();
                    self.at = 0;
                }
                self.start_inner(run)?;
            }
            if self.step(run, max)? {
                return Ok(Some(self.output.batch()));
            }
        }
    }
    fn rescan(&mut self, run: &mut Run<'_>, changed: &[i32]) -> Result<()> {
        self.rows.clear();
        (self.at, self.active) = (0, false);
        self.outer.rescan(run, changed)?;
        // The inner plan starts over with each outer row, but must know of changes from above, too.
        self.inner.rescan(run, changed)
    }
}
