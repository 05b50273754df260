//! Portals: statements with their parameters, running or about to. Cursors have a place of their own (`cursors.rs`).

use std::sync::Arc;

use base::Result;
use planner::PlannedStmt;
use types::{Datum, TupleDesc};

use super::Session;
use super::idle::Running;
use super::statement::Unit;
use crate::cluster::{PreparedInfo, SessionObjects};
use crate::protocol::Formats;

/// See the module's head.
pub(super) struct Portal {
    pub source: Arc<str>,
    pub units: Arc<[Unit]>,
    pub params: Arc<[Datum]>,
    pub formats: Formats,
    pub desc: Option<Arc<TupleDesc>>,
    pub state: State,
    /// The transaction nesting level it was made at: it ends with that.
    pub level: usize,
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
}

impl Session {
    /// Portals end with their transaction; cursors WITH HOLD keep their rows. (PostgreSQL: `PreCommit_Portals`)
    pub(super) fn close_portals_at_commit(&mut self) -> Result<()> {
        self.portals.clear();
        executor::cursor::before_commit(&mut self.cx)
    }

    /// Ends the portals and cursors of nesting level `level` and deeper: their transaction was undone.
    pub(super) fn close_portals(&mut self, level: usize) {
        self.portals.retain(|_, p| p.level < level);
        executor::cursor::undone(&mut self.cx, level);
    }

    /// Tells `pg_prepared_statements` what there is, after a change.
    pub(super) fn publish_objects(&self) {
        let prepared = self.prepared.values().filter(|p| !p.name.is_empty()).map(|p| PreparedInfo {
            name: p.name.clone(),
            statement: Arc::clone(&p.statement.source),
            prepared_at: p.prepared_at,
            parameter_types: p.statement.param_types.clone(),
            result_types: p.statement.result_types.clone(),
            from_sql: p.from_sql,
            counts: p.choice.counts.clone().unwrap_or_default(),
        });
        *self.entry.objects.lock() = SessionObjects { prepared: prepared.collect() };
    }
}
