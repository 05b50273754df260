//! Result: one row from nothing, or an input let through while a constant condition holds.

use analyze::query::Expr;
use base::Result;
use planner::Plan;
use types::Batch;

use crate::build::Builder;
use crate::expr::{Filter, Projection, Scope};
use crate::node::{Exec, Node};
use crate::state::Run;

pub(crate) struct ResultExec {
    input: Option<Node>,
    constant: Filter,
    qual: Filter,
    projection: Projection,
    one: Batch,
    out: Batch,
    done: bool,
    checked: bool,
}

impl ResultExec {
    pub fn build(b: &mut Builder<'_>, plan: &Plan, constant: &[Expr]) -> Result<ResultExec> {
        let input = plan.outer.as_ref().map(|p| b.node(p)).transpose()?;
        let width = input.as_ref().map_or(0, |n| n.output.len());
        let mut c = b.compiler(Scope::outer(width));
        Ok(ResultExec {
            constant: c.filter(constant)?,
            qual: c.filter(&plan.qual)?,
            projection: c.projection(&plan.targetlist)?,
            input,
            one: Batch { columns: Vec::new(), rows: 1, selection: None },
            out: Batch::default(),
            done: false,
            checked: false,
        })
    }
}

impl Exec for ResultExec {
    fn next<'a>(&'a mut self, run: &mut Run<'_>, max: usize) -> Result<Option<&'a Batch>> {
        if self.done {
            return Ok(None);
        }
        if !self.checked {
            self.checked = true;
            if !self.constant.is_empty() && !self.constant.test(run, &self.one, 0)? {
                self.done = true;
                return Ok(None);
            }
        }
        let Some(input) = &mut self.input else {
            self.done = true;
            self.one.selection = None;
            if self.qual.apply(run, &mut self.one)? == 0 {
                return Ok(None);
            }
            self.projection.apply(run, &self.one, &mut self.out)?;
            return Ok(Some(&self.out));
        };
        loop {
            let Some(batch) = input.next(run, max)? else {
                self.done = true;
                return Ok(None);
            };
            if self.qual.is_empty() {
                self.projection.apply(run, batch, &mut self.out)?;
                return Ok(Some(&self.out));
            }
            let mut batch = batch.clone();
            if self.qual.apply(run, &mut batch)? > 0 {
                self.projection.apply(run, &batch, &mut self.out)?;
                return Ok(Some(&self.out));
            }
        }
    }
    fn rescan(&mut self, run: &mut Run<'_>, changed: &[i32]) -> Result<()> {
        (self.done, self.checked) = (false, false);
        self.input.as_mut().map_or(Ok(()), |n| n.rescan(run, changed))
    }
    fn rest(&mut self) -> Result<bool> {
        (self.done, self.checked) = (false, false);
        self.input.as_mut().map_or(Ok(true), Node::rest)
    }
}
