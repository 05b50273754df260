//! Portals: statements with their parameters, running or about to; cursors are portals too.

use std::sync::Arc;

use base::Result;
use executor::current_of::{CursorPosition, Cursors, Places};
use parser::ast::cursor_opt;
use planner::PlannedStmt;
use types::{Datum, DatumRef, Runtime, TupleDesc};

use super::Session;
use super::idle::Running;
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
    /// The transaction nesting level it was made at: it ends with that.
    pub level: usize,
    /// Rows fetched so far.
    pub position: u64,
    /// Rows that were produced but not fetched yet, and the cursor's answer to going back: rows already seen.
    pub seen: Vec<Vec<Datum>>,
    /// For WHERE CURRENT OF.
    pub places: Places,
    pub options: u32,
}

/// How far it is.
pub(super) enum State {
    New,
    Running(Running),
    Done,
    /// An error ended it.
    Failed,
}

impl Portal {
    /// Is it one WITH HOLD of the current transaction?
    pub fn is_held_by_transaction(&self) -> bool {
        self.options & cursor_opt::HOLD != 0 && self.level > 0
    }
    /// The plan of a portal that returns rows as they are asked for.
    pub fn plan(&self) -> Option<&Arc<PlannedStmt>> {
        match &*self.units {
            [Unit::Plan(p)] => Some(p),
            _ => None,
        }
    }
}

impl Session {
    /// Portals end with their transaction; those WITH HOLD keep their rows. (PostgreSQL: `PreCommit_Portals`)
    pub(super) fn close_portals_at_commit(&mut self) -> Result<()> {
        if self.portals.is_empty() {
            return Ok(());
        }
        let cursors = self.portals.values().any(|p| p.cursor);
        self.portals.retain(|_, p| p.options & cursor_opt::HOLD != 0);
        let held: Vec<String> = self.portals.iter().filter(|(_, p)| p.level > 0).map(|(n, _)| n.clone()).collect();
        for name in held {
            let Some(mut portal) = self.portals.remove(&name) else { continue };
            self.read_ahead(&mut portal, u64::MAX)?;
            self.own_rows(&mut portal)?;
            portal.state = State::Done;
            portal.level = 0;
            let held = CursorPosition::new(portal.places.clone(), true, None);
            self.cx.extension_or_default::<Cursors>().0.insert(name.clone(), held);
            self.portals.insert(name, portal);
        }
        if cursors {
            self.publish_objects();
        }
        Ok(())
    }

    /// Fetches the rows' out-of-line values: their tables may go.
    fn own_rows(&mut self, portal: &mut Portal) -> Result<()> {
        for value in portal.seen.iter_mut().flatten() {
            let plain = match value.as_ref() {
                DatumRef::Toasted(stored) => Datum::bytes(self.cx.detoast(stored)?),
                _ => continue,
            };
            *value = plain;
        }
        Ok(())
    }

    /// Ends the portals of nesting level `level` and deeper: their transaction was undone.
    pub(super) fn close_portals(&mut self, level: usize) {
        let cursors = self.portals.values().any(|p| p.cursor && p.level >= level);
        self.portals.retain(|_, p| p.level < level);
        if cursors {
            self.publish_objects();
        }
    }

    /// Tells `pg_prepared_statements` and `pg_cursors` what there is, after a change.
    pub(super) fn publish_objects(&mut self) {
        let portals = &self.portals;
        self.cx.extension_or_default::<Cursors>().0.retain(|name, _| portals.contains_key(name));
        let prepared = self.prepared.values().filter(|p| !p.name.is_empty()).map(|p| PreparedInfo {
            name: p.name.clone(),
            statement: Arc::clone(&p.statement.source),
            prepared_at: p.prepared_at,
            parameter_types: p.statement.param_types.clone(),
            result_types: p.statement.result_types.clone(),
            from_sql: p.from_sql,
            counts: p.choice.counts.clone().unwrap_or_default(),
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
