//! LockRowsExec: not built yet.

use base::{PgError, Result};
use planner::Plan;
use types::Batch;

use crate::build::Builder;
use crate::node::Exec;
use crate::state::Run;

pub(crate) struct LockRowsExec;

impl LockRowsExec {
    pub fn build(_: &mut Builder<'_>, _: &Plan, _: &[planner::PlanRowMark]) -> Result<LockRowsExec> {
        Err(PgError::unsupported("row locks"))
    }
}

impl Exec for LockRowsExec {
    fn next<'a>(&'a mut self, _: &mut Run<'_>, _: usize) -> Result<Option<&'a Batch>> {
        Ok(None)
    }
    fn rescan(&mut self, _: &mut Run<'_>, _: &[i32]) -> Result<()> {
        Ok(())
    }
}
