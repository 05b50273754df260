//! CteScan: the rows of a WITH query, run once and shared by all who read it.

use analyze::query::RtIndex;
use base::Result;
use planner::Plan;
use types::Batch;

use crate::build::Builder;
use crate::material::own;
use crate::node::Exec;
use crate::scan::ScanOutput;
use crate::state::Run;

pub(crate) struct CteScanExec {
    plan_id: usize,
    at: usize,
    output: ScanOutput,
}

impl CteScanExec {
    pub fn build(b: &mut Builder<'_>, plan: &Plan, relid: RtIndex, plan_id: usize) -> Result<CteScanExec> {
        let width = b.planned.subplans[plan_id].targetlist.len();
        Ok(CteScanExec { plan_id, at: 0, output: ScanOutput::build(b, plan, relid, width)? })
    }
}

/// Gets one more batch of a CTE; `false` at its end.
fn pull(run: &mut Run<'_>, plan_id: usize, max: usize) -> Result<bool> {
    if run.st.ctes[plan_id].done {
        return Ok(false);
    }
    let first = run.st.ctes[plan_id].batches.is_empty();
    let batch = run.with_subplan(plan_id, |run, node| {
        if first {
            node.restart(run)?;
        }
        Ok(node.next(run, max)?.map(own))
    })?;
    let Some(batch) = batch else {
        run.st.ctes[plan_id].done = true;
        return Ok(false);
    };
    let mut kept = std::mem::take(&mut run.st.ctes[plan_id].batches);
    let pushed = kept.push(run, batch);
    run.st.ctes[plan_id].batches = kept;
    pushed.map(|()| true)
}

/// Runs a CTE to its end.
pub(crate) fn drain(run: &mut Run<'_>, plan_id: usize) -> Result<()> {
    while pull(run, plan_id, usize::MAX)? {}
    Ok(())
}

impl Exec for CteScanExec {
    fn next<'a>(&'a mut self, run: &mut Run<'_>, max: usize) -> Result<Option<&'a Batch>> {
        loop {
            self.output.release();
            if self.at >= run.st.ctes[self.plan_id].batches.len() && !pull(run, self.plan_id, max)? {
                return Ok(None);
            }
            let mut rows = run.st.ctes[self.plan_id].batches.get(self.at)?;
            self.at += 1;
            if self.output.apply(run, &mut rows)? {
                return Ok(Some(self.output.batch()));
            }
        }
    }
    fn rescan(&mut self, run: &mut Run<'_>, changed: &[i32]) -> Result<()> {
        self.at = 0;
        let planned = run.st.planned.clone();
        let params = planned.as_ref().and_then(|p| p.subplans.get(self.plan_id)).map(|p| p.params.as_slice());
        if params.unwrap_or_default().iter().any(|p| changed.contains(p)) {
            let shared = &mut run.st.ctes[self.plan_id];
            shared.batches.clear();
            shared.done = false;
        }
        Ok(())
    }
}
