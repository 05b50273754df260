//! BitmapHeapExec: not built yet.

use base::{PgError, Result};
use planner::Plan;
use types::Batch;

use crate::build::Builder;
use crate::node::Exec;
use crate::state::Run;

pub(crate) struct BitmapHeapExec;

impl BitmapHeapExec {
    pub fn build(
        _: &mut Builder<'_>,
        _: &Plan,
        _: analyze::query::RtIndex,
        _: &[analyze::query::Expr],
    ) -> Result<BitmapHeapExec> {
        Err(PgError::unsupported("bitmap scans"))
    }
}

impl Exec for BitmapHeapExec {
    fn next<'a>(&'a mut self, _: &mut Run<'_>, _: usize) -> Result<Option<&'a Batch>> {
        Ok(None)
    }
    fn rescan(&mut self, _: &mut Run<'_>, _: &[i32]) -> Result<()> {
        Ok(())
    }
}
