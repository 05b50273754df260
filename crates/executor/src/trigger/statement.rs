//! The statement triggers of the table that a data-modifying statement names, and what is to be kept of its changes for
//! transition tables. With inheritance or partitions it is the named table's triggers that count, not its members'.
//!
//! PostgreSQL: `fireBSTriggers`, `fireASTriggers`, `ExecSetupTransitionCaptureState`.

use std::sync::Arc;

use analyze::query::CmdType;
use base::Result;
use catalog::Relation;
use planner::ModifyTable;

use super::{Capture, TriggerEvent, TriggerSet};
use crate::context::ExecContext;
use crate::state::Run;

/// See the module's head.
pub struct StatementTriggers {
    set: Box<TriggerSet>,
    /// In the order in which those before are run.
    events: Vec<TriggerEvent>,
    begun: bool,
}

/// The columns that a statement sets in the table it names.
pub(crate) fn updated_columns(m: &ModifyTable) -> Vec<i16> {
    let mut columns: Vec<i16> = Vec::new();
    columns.extend(m.update_columns.iter().take(1).flatten());
    columns.extend(m.on_conflict.iter().flat_map(|c| &c.set_columns));
    let updates = m.merge_actions.iter().take(1).flatten().filter(|a| a.command_type == CmdType::Update);
    columns.extend(updates.flat_map(|a| &a.update_colnos));
    columns.sort_unstable();
    columns.dedup();
    columns
}

impl StatementTriggers {
    /// For the table that the statement names; `None` if it has no statement triggers.
    pub(crate) fn of(
        cx: &mut ExecContext,
        named: &Arc<Relation>,
        m: &ModifyTable,
    ) -> Result<Option<StatementTriggers>> {
        if named.triggers.is_empty() {
            return Ok(None);
        }
        use TriggerEvent::{Delete, Insert, Update};
        let events = match m.operation {
            CmdType::Insert if m.on_conflict.as_ref().is_some_and(|c| c.update) => vec![Insert, Update],
            CmdType::Insert => vec![Insert],
            CmdType::Update => vec![Update],
            CmdType::Delete => vec![Delete],
            CmdType::Merge => {
                let has = |c: CmdType| m.merge_actions.iter().flatten().any(|a| a.command_type == c);
                let all = [(CmdType::Insert, Insert), (CmdType::Update, Update), (CmdType::Delete, Delete)];
                all.into_iter().filter(|a| has(a.0)).map(|a| a.1).collect()
            }
            _ => return Ok(None),
        };
        let set = TriggerSet::of(cx, named, &updated_columns(m))?.filter(|s| s.has_statement_level());
        Ok(set.map(|set| StatementTriggers { set, events, begun: false }))
    }

    /// For a command that changes a table without a plan: COPY, TRUNCATE.
    pub fn for_command(
        cx: &mut ExecContext,
        table: &Arc<Relation>,
        event: TriggerEvent,
    ) -> Result<Option<StatementTriggers>> {
        let set = TriggerSet::of(cx, table, &[])?.filter(|s| s.has_statement_level());
        Ok(set.map(|set| StatementTriggers { set, events: vec![event], begun: false }))
    }

    /// What is to be kept of changed rows.
    pub fn capture(cx: &ExecContext, named: &Relation) -> Option<Capture> {
        if named.triggers.is_empty() { None } else { Capture::of(named, cx.settings.is_replica) }
    }

    /// Before the first row.
    pub fn before(&mut self, run: &mut Run<'_>) -> Result<()> {
        if std::mem::replace(&mut self.begun, true) {
            return Ok(());
        }
        self.events.clone().into_iter().try_for_each(|e| self.set.before_statement(run, e))
    }

    /// After the last row.
    pub fn after(&mut self, run: &mut Run<'_>) -> Result<()> {
        self.events.clone().into_iter().rev().try_for_each(|e| self.set.after_statement(run, e))
    }
}
