//! Portals: statements with their parameters, running or about to; cursors are portals too.

use std::sync::Arc;

use base::Result;
use planner::PlannedStmt;
use types::{Datum, TupleDesc};

use super::Session;
use super::idle::Running;
use super::statement::Unit;
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
    Running(Running),
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
        self.portals.clear();
        Ok(())
    }
}
