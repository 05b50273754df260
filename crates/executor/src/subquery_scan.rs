//! SubqueryScan: a subquery's rows under the outer query's names.

use analyze::query::RtIndex;
use base::Result;
use planner::Plan;
use types::Batch;

use crate::build::Builder;
use crate::node::{Exec, Node};
use crate::scan::ScanOutput;
use crate::state::Run;

pub(crate) struct SubqueryScanExec {
    input: Node,
    output: ScanOutput,
}

impl SubqueryScanExec {
    pub fn build(b: &mut Builder<'_>, plan: &Plan, relid: RtIndex, subplan: &Plan) -> Result<SubqueryScanExec> {
        let input = b.node(subplan)?;
        let output = ScanOutput::build(b, plan, relid, input.output.len())?;
        Ok(SubqueryScanExec { input, output })
    }
}

impl Exec for SubqueryScanExec {
    fn next<'a>(&'a mut self, run: &mut Run<'_>, max: usize) -> Result<Option<&'a Batch>> {
        loop {
            self.output.release();
            let Some(batch) = self.input.next(run, max)? else { return Ok(None) };
            let mut rows = batch.clone();
            if self.output.apply(run, &mut rows)? {
                return Ok(Some(self.output.batch()));
            }
        }
    }
    fn rescan(&mut self, run: &mut Run<'_>, changed: &[i32]) -> Result<()> {
        self.input.rescan(run, changed)
    }
}
