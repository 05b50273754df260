//! Executions at rest: the operators of the statements that a session ran last, ready to run again.
//!
//! Building operators costs more than running a point query. They can be used again while the catalogs, the settings that
//! plans depend on and the role are what they were. At rest they hold memory only.

use std::sync::Arc;

use base::Result;
use executor::{Execution, StartOptions};
use planner::PlannedStmt;
use types::Datum;

use super::Session;
use super::rows::RowWriter;
use crate::protocol::Format;

/// A transaction's usual handful of statements.
const KEPT: usize = 8;

/// An execution with what belongs to it.
pub(super) struct Running {
    pub execution: Box<Execution>,
    /// Made with the first row description or row.
    pub writer: Option<RowWriter>,
    /// Of the catalogs, when the operators were built.
    generation: u64,
    plan_key: u64,
}

/// See the module's head. The last used ones are at the end.
#[derive(Default)]
pub(super) struct Idle(Vec<Running>);

impl Session {
    /// Starts a plan with the statement's snapshot, where possible by waking an execution at rest. The plan's relations are
    /// locked.
    pub(super) fn start_plan(
        &mut self,
        planned: &Arc<PlannedStmt>,
        params: Arc<[Datum]>,
        formats: &[Format],
    ) -> Result<Running> {
        let generation = self.cx.catalog.shared().generation();
        if let Some(at) = self.idle.0.iter().rposition(|r| Arc::ptr_eq(r.execution.planned(), planned)) {
            let mut running = self.idle.0.remove(at);
            let current = (running.generation, running.plan_key) == (generation, self.plan_key());
            if current && !self.cx.catalog.has_changes() {
                let snapshot = self.cx.snapshot.clone();
                running.execution.restart(&mut self.cx, params, snapshot)?;
                running.writer = running.writer.filter(|w| w.is_for(formats));
                return Ok(running);
            }
        }
        let options = StartOptions { params, snapshot: self.cx.snapshot.clone(), ..StartOptions::default() };
        let execution = Box::new(Execution::start(Arc::clone(planned), &mut self.cx, options)?);
        Ok(Running { execution, writer: None, generation, plan_key: self.plan_key() })
    }

    /// Keeps a finished execution for the statement's next run, if it can be run again.
    pub(super) fn rest_execution(&mut self, mut running: Running) -> Result<()> {
        if !self.cx.catalog.has_changes() && running.execution.rest()? {
            if self.idle.0.len() >= KEPT {
                self.idle.0.remove(0);
            }
            self.idle.0.push(running);
        }
        Ok(())
    }
}
