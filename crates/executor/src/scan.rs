//! What scans share: filter and target list over the rows they produce.

use analyze::query::{RtIndex, VarReturning};
use base::Result;
use planner::Plan;
use types::Batch;

use crate::build::Builder;
use crate::expr::{Filter, Projection, Scope};
use crate::state::Run;

/// A scan's filter and projection.
pub(crate) struct ScanOutput {
    qual: Filter,
    projection: Projection,
    out: Batch,
    /// Rows that the filter removed.
    pub filtered: u64,
}

impl ScanOutput {
    /// Over rows whose columns are those of a range-table entry, in order.
    pub fn build(b: &mut Builder<'_>, plan: &Plan, relid: RtIndex, width: usize) -> Result<ScanOutput> {
        let mut scope = Scope { ranges: vec![(relid, 0)], width, ..Scope::default() };
        // Whole-row references were made into row expressions by the planner.
        scope.vars.remove(&(relid, 0, VarReturning::Default));
        ScanOutput::with_scope(b, plan, scope)
    }
    pub fn with_scope(b: &mut Builder<'_>, plan: &Plan, scope: Scope) -> Result<ScanOutput> {
        let mut c = b.compiler(scope);
        Ok(ScanOutput {
            qual: c.filter(&plan.qual)?,
            projection: c.projection(&plan.targetlist)?,
            out: Batch::default(),
            filtered: 0,
        })
    }
    /// Lets go of shared columns, so that whoever fills the next batch can reuse them.
    pub fn release(&mut self) {
        self.out.columns.clear();
    }
    /// Filters and projects; `false` if no row is left.
    pub fn apply(&mut self, run: &mut Run<'_>, rows: &mut Batch) -> Result<bool> {
        let before = rows.selected_len();
        let left = self.qual.apply(run, rows)?;
        self.filtered += (before - left) as u64;
        if left == 0 {
            return Ok(false);
        }
        self.projection.apply(run, rows, &mut self.out)?;
        Ok(true)
    }
    pub fn batch(&self) -> &Batch {
        &self.out
    }
}
