//! Portals: statements with their parameters, running or about to; cursors are portals too.

use std::sync::Arc;

use base::Result;
use executor::Execution;
use planner::PlannedStmt;
use types::{Datum, TupleDesc};

use super::Session;
use super::rows::RowWriter;
use super::statement::Unit;
use crate::cluster::{CursorInfo, PreparedInfo, SessionObjects};
use crate::protocol::Format;

/// See the module's head.
pub(super) struct Portal {
    pub source: Arc<str>,
    pub units: Arc<[Unit]>,
    pub params: Arc<[Datum]>,
    pub formats: Vec<Format>,
    pub desc: Option<Arc<TupleDesc>>,
    pub state: State,
    /// DECLARE CURSOR, rather than Bind.
    pub cursor: bool,
    pub created: i64,
    /// Rows fetched so far.
    pub position: u64,
    /// Rows that were produced but not fetched yet, and the cursor's answer to going back: rows already seen.
    pub seen: Vec<Vec<Datum>>,
    pub options: u32,
}

/// How far it is.
pub(super) enum State {
    New,
    Running(Box<Execution>, Option<RowWriter>),
    Done,
}

impl Portal {
    /// The plan of a portal that returns rows as they are asked for.
    pub fn plan(&self) -> Option<&Arc<PlannedStmt>> {
        match &*self.units {
            [Unit::Plan(p)] => Some(p),
            _ => None,
        }
    }
    pub fn is_running(&self) -> bool {
        matches!(self.state, State::Running(..))
    }
}

impl Session {
    /// Portals end with their transaction.
    pub(super) fn close_portals_at_commit(&mut self) -> Result<()> {
        self.close_portals();
        Ok(())
    }
    pub(super) fn close_portals(&mut self) {
        if !self.portals.is_empty() {
            self.portals.clear();
            self.entry.objects.lock().cursors.clear();
        }
    }

    /// Tells `pg_prepared_statements` and `pg_cursors` what there is, after a change.
    pub(super) fn publish_objects(&self) {
        let prepared = self.prepared.values().filter(|p| !p.name.is_empty()).map(|p| PreparedInfo {
            name: p.name.clone(),
            statement: Arc::clone(&p.source),
            prepared_at: p.prepared_at,
            parameter_types: p.param_types.clone(),
            from_sql: p.from_sql,
        });
        let cursors = self.portals.iter().filter(|(_, p)| p.cursor).map(|(name, p)| CursorInfo {
            name: name.clone(),
            statement: Arc::clone(&p.source),
            options: p.options,
            created: p.created,
        });
        *self.entry.objects.lock() = SessionObjects { prepared: prepared.collect(), cursors: cursors.collect() };
    }
}
