//! IndexScanExec: not built yet.

use base::{PgError, Result};
use planner::Plan;
use types::Batch;

use crate::build::Builder;
use crate::node::Exec;
use crate::state::Run;

pub(crate) struct IndexScanExec;

impl IndexScanExec {
    pub fn build(_: &mut Builder<'_>, _: &Plan) -> Result<IndexScanExec> {
        Err(PgError::unsupported("index scans"))
    }
}

impl Exec for IndexScanExec {
    fn next<'a>(&'a mut self, _: &mut Run<'_>, _: usize) -> Result<Option<&'a Batch>> {
        Ok(None)
    }
    fn rescan(&mut self, _: &mut Run<'_>, _: &[i32]) -> Result<()> {
        Ok(())
    }
}
