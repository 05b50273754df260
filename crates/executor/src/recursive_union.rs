//! RecursiveUnion and WorkTableScan: WITH RECURSIVE.

use analyze::query::RtIndex;
use base::Result;
use planner::{GroupCol, Plan};
use types::Batch;

use crate::build::Builder;
use crate::hashing::{GroupTable, columns_of};
use crate::material::own;
use crate::node::{Exec, Node};
use crate::scan::ScanOutput;
use crate::state::{Run, WorkTable};

pub(crate) struct RecursiveUnionExec {
    seed: Node,
    step: Node,
    wt_param: i32,
    dedup: Option<(Vec<usize>, GroupTable)>,
    /// Rows found in this round: the next one's worktable.
    found: Vec<Batch>,
    in_step: bool,
    out: Batch,
}

impl RecursiveUnionExec {
    pub fn build(b: &mut Builder<'_>, plan: &Plan, wt_param: i32, dedup: &[GroupCol]) -> Result<RecursiveUnionExec> {
        let (seed, step) = (b.outer(plan)?, b.inner(plan)?);
        let dedup = match dedup.is_empty() {
            true => None,
            false => {
                let table = crate::set_op::group_table(b, &seed, dedup)?;
                Some((dedup.iter().map(|c| c.column as usize - 1).collect(), table))
            }
        };
        Ok(RecursiveUnionExec { seed, step, wt_param, dedup, found: Vec::new(), in_step: false, out: Batch::default() })
    }
}

impl Exec for RecursiveUnionExec {
    fn next<'a>(&'a mut self, run: &mut Run<'_>, max: usize) -> Result<Option<&'a Batch>> {
        loop {
            let node = if self.in_step { &mut self.step } else { &mut self.seed };
            let Some(batch) = node.next(run, max)? else {
                if self.found.is_empty() {
                    return Ok(None);
                }
                let rows = WorkTable { batches: std::mem::take(&mut self.found) };
                run.st.worktables.insert(self.wt_param, rows);
                self.in_step = true;
                self.step.rescan(run, &[self.wt_param])?;
                continue;
            };
            self.out = own(batch);
            if let Some((columns, table)) = &mut self.dedup {
                let before = table.len() as u32;
                let mut groups = Vec::new();
                table.assign(run, &columns_of(&self.out, columns), self.out.selected(), &mut groups)?;
                let mut newest = before;
                let mut keep = Vec::new();
                for (i, g) in groups.iter().enumerate() {
                    if *g == newest {
                        keep.push(i as u32);
                        newest += 1;
                    }
                }
                if keep.is_empty() {
                    continue;
                }
                self.out.selection = Some(keep);
                self.out = own(&self.out);
            }
            self.found.push(self.out.clone());
            return Ok(Some(&self.out));
        }
    }
    fn rescan(&mut self, run: &mut Run<'_>, changed: &[i32]) -> Result<()> {
        self.found.clear();
        self.in_step = false;
        if let Some((_, table)) = &mut self.dedup {
            table.clear();
        }
        run.st.worktables.remove(&self.wt_param);
        self.seed.rescan(run, changed)?;
        self.step.rescan(run, changed)
    }
}

pub(crate) struct WorkTableScanExec {
    wt_param: i32,
    at: usize,
    output: ScanOutput,
}

impl WorkTableScanExec {
    pub fn build(b: &mut Builder<'_>, plan: &Plan, relid: RtIndex, wt_param: i32) -> Result<WorkTableScanExec> {
        let width = match &b.planned.rtable[relid as usize - 1].kind {
            analyze::query::RteKind::Cte { types, .. } => types.len(),
            _ => 0,
        };
        Ok(WorkTableScanExec { wt_param, at: 0, output: ScanOutput::build(b, plan, relid, width)? })
    }
}

impl Exec for WorkTableScanExec {
    fn next<'a>(&'a mut self, run: &mut Run<'_>, _max: usize) -> Result<Option<&'a Batch>> {
        loop {
            self.output.release();
            let batch = run.st.worktables.get(&self.wt_param).and_then(|w| w.batches.get(self.at));
            let Some(mut rows) = batch.cloned() else { return Ok(None) };
            self.at += 1;
            if self.output.apply(run, &mut rows)? {
                return Ok(Some(self.output.batch()));
            }
        }
    }
    fn rescan(&mut self, _: &mut Run<'_>, _: &[i32]) -> Result<()> {
        self.at = 0;
        Ok(())
    }
}
