//! Triggers of commands that change tables without a plan: COPY and TRUNCATE.
//!
//! PostgreSQL: `CopyFrom`, `ExecuteTruncateGuts`.

use std::sync::Arc;

use base::{Oid, Result, TupleId};
use catalog::Relation;
use types::Datum;

use super::{Capture, StatementTriggers, TriggerEvent, TriggerLevel, TriggerSet, TriggerTiming};
use crate::context::ExecContext;
use crate::state::{Estate, Run};

/// The triggers that a COPY into a table, or a TRUNCATE, sets off. The order of calls is theirs: `begin`, rows, `end`.
pub struct CommandTriggers {
    set: Option<Box<TriggerSet>>,
    statement: Option<StatementTriggers>,
    capture: Option<Capture>,
}

impl CommandTriggers {
    /// `None` for a table without triggers.
    pub fn of(cx: &mut ExecContext, table: &Arc<Relation>, event: TriggerEvent) -> Result<Option<CommandTriggers>> {
        if table.triggers.is_empty() {
            return Ok(None);
        }
        let statement = StatementTriggers::for_command(cx, table, event)?;
        let set = TriggerSet::of(cx, table, &[])?.filter(|s| s.wants_rows(event));
        Ok(Some(CommandTriggers { set, statement, capture: StatementTriggers::capture(cx, table) }))
    }
    /// Each row must be looked at before the next is read: a trigger may change it, or read the table.
    pub fn are_before_rows(&self) -> bool {
        self.set.as_ref().is_some_and(|s| s.has_before_row(TriggerEvent::Insert)) || self.are_instead()
    }
    pub fn are_instead(&self) -> bool {
        let instead = (TriggerLevel::Row, TriggerTiming::InsteadOf, TriggerEvent::Insert);
        self.set.as_ref().is_some_and(|s| s.has(instead.0, instead.1, instead.2))
    }
    pub fn begin(&mut self, cx: &mut ExecContext, st: &mut Estate) -> Result<()> {
        match &mut self.statement {
            Some(s) => s.before(&mut Run { cx, st }),
            None => Ok(()),
        }
    }
    /// What triggers make of a row to be inserted; `None`: nothing is to be done, or a trigger has done it.
    pub fn before_insert(
        &mut self,
        cx: &mut ExecContext,
        st: &mut Estate,
        row: Vec<Datum>,
    ) -> Result<Option<Vec<Datum>>> {
        let timing = if self.are_instead() { TriggerTiming::InsteadOf } else { TriggerTiming::Before };
        match &mut self.set {
            Some(s) => s.before_row(&mut Run { cx, st }, timing, TriggerEvent::Insert, None, Some(row)),
            None => Ok(Some(row)),
        }
    }
    /// A row was inserted.
    pub fn inserted(&mut self, cx: &mut ExecContext, st: &mut Estate, tid: TupleId, row: &[Datum]) -> Result<()> {
        let mut run = Run { cx, st };
        if let Some(capture) = &self.capture {
            capture.add(&mut run, TriggerEvent::Insert, None, Some(row))?;
        }
        match &mut self.set {
            Some(s) => s.changed(&mut run, None, Some((tid, row))),
            None => Ok(()),
        }
    }
    /// Queues what comes after the statement. The caller then fires: [`fire`].
    pub fn end(&mut self, cx: &mut ExecContext, st: &mut Estate) -> Result<()> {
        match &mut self.statement {
            Some(s) => s.after(&mut Run { cx, st }),
            None => Ok(()),
        }
    }
}

/// Works on what a command has queued.
pub fn fire(cx: &mut ExecContext, st: &mut Estate) -> Result<()> {
    crate::after::fire(cx, &mut st.after)
}

/// A state for a command that changes tables: events gather there.
pub fn command_state(cx: &ExecContext) -> Estate {
    let mut st = Estate::detached();
    st.snapshot = cx.snapshot.clone();
    st
}

/// The TRUNCATE triggers of tables, in their order.
pub struct TruncateTriggers {
    list: Vec<CommandTriggers>,
    st: Estate,
}

impl TruncateTriggers {
    pub fn begin(cx: &mut ExecContext, tables: &[Oid]) -> Result<TruncateTriggers> {
        let mut t = TruncateTriggers { list: Vec::new(), st: command_state(cx) };
        for table in tables {
            let entry = cx.catalog.relation_entry(*table)?;
            t.list.extend(CommandTriggers::of(cx, &entry, TriggerEvent::Truncate)?);
        }
        for one in &mut t.list {
            one.begin(cx, &mut t.st)?;
        }
        Ok(t)
    }
    pub fn end(mut self, cx: &mut ExecContext) -> Result<()> {
        for one in &mut self.list {
            one.end(cx, &mut self.st)?;
        }
        fire(cx, &mut self.st)
    }
}
