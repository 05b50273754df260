//! NamedTuplestoreScan: the rows of a trigger's transition table, which the execution was given.

use analyze::query::{RtIndex, RteKind};
use base::{PgError, Result};
use planner::Plan;
use types::Batch;

use crate::build::Builder;
use crate::node::Exec;
use crate::scan::ScanOutput;
use crate::state::Run;
use crate::trigger::TransitionTable;

pub(crate) struct NamedTuplestoreScanExec {
    table: TransitionTable,
    at: usize,
    output: ScanOutput,
}

impl NamedTuplestoreScanExec {
    pub fn build(b: &mut Builder<'_>, plan: &Plan, relid: RtIndex) -> Result<NamedTuplestoreScanExec> {
        let planned = b.planned.clone();
        let RteKind::NamedTuplestore { name, types, .. } = &planned.rtable[relid as usize - 1].kind else {
            return Err(PgError::internal("a scan of something that is no transition table"));
        };
        let missing = || PgError::internal(format!("executor could not find named tuplestore \"{name}\""));
        let table = b.st.named.iter().find(|t| t.meta.name == *name).cloned().ok_or_else(missing)?;
        let output = ScanOutput::build(b, plan, relid, types.len())?;
        Ok(NamedTuplestoreScanExec { table, at: 0, output })
    }
}

impl Exec for NamedTuplestoreScanExec {
    fn next<'a>(&'a mut self, run: &mut Run<'_>, _: usize) -> Result<Option<&'a Batch>> {
        loop {
            self.output.release();
            let rows = self.table.rows.lock().batch(run, self.at)?;
            let Some(mut rows) = rows else { return Ok(None) };
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
