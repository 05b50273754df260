//! MergeJoinExec: not built yet.

use base::{PgError, Result};
use planner::Plan;
use types::Batch;

use crate::build::Builder;
use crate::node::Exec;
use crate::state::Run;

pub(crate) struct MergeJoinExec;

impl MergeJoinExec {
    pub fn build(_: &mut Builder<'_>, _: &Plan) -> Result<MergeJoinExec> {
        Err(PgError::unsupported("merge joins"))
    }
}

impl Exec for MergeJoinExec {
    fn next<'a>(&'a mut self, _: &mut Run<'_>, _: usize) -> Result<Option<&'a Batch>> {
        Ok(None)
    }
    fn rescan(&mut self, _: &mut Run<'_>, _: &[i32]) -> Result<()> {
        Ok(())
    }
}
