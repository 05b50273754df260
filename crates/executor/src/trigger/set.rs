//! The triggers of one table that a statement's changes may set off: which there are, whether they apply to a row, and calling
//! those that come before the change. Those that come after are queued: see [`crate::after`].
//!
//! PostgreSQL: `TriggerDesc`, `TriggerEnabled`, `ExecBRInsertTriggers` and its like.

use std::sync::Arc;

use access::heap::AttrSet;
use analyze::query::VarReturning;
use base::{PgError, Result, TupleId};
use catalog::{PgConstraint, PgTrigger, Relation};
use types::{Batch, Column, Datum};

use super::{TriggerData, TriggerEvent, TriggerLevel, TriggerTiming, call};
use crate::after::{Event, KeyCheck};
use crate::context::ExecContext;
use crate::expr::{CExpr, Compiler, Scope, is_true};
use crate::foreign_key::Kind;
use crate::state::Run;

const ROW: i16 = 1;
const BEFORE: i16 = 1 << 1;
const INSTEAD: i16 = 1 << 6;

/// Whether a trigger fires in a session of this role. (`tgenabled`)
pub(crate) fn is_enabled(enabled: u8, is_replica: bool) -> bool {
    match enabled {
        b'A' => true,
        b'R' => is_replica,
        b'O' => !is_replica,
        _ => false,
    }
}

/// A trigger as its events keep it.
pub(crate) struct TriggerInfo {
    pub row: Arc<PgTrigger>,
    pub args: Vec<String>,
    /// Of a foreign key: its check or action runs natively.
    pub key: Option<KeyCheck>,
}

impl TriggerInfo {
    fn of(cx: &ExecContext, row: &Arc<PgTrigger>) -> Result<TriggerInfo> {
        let kind = Kind::of_function(row.tgfoid).filter(|_| row.tgconstraint.is_valid());
        let key = match kind {
            None => None,
            Some(kind) => {
                let id = [Datum::oid(row.tgconstraint)];
                let constraint = cx.catalog.get::<PgConstraint>(catalog::CacheId::CONSTROID, &id)?;
                let missing = || PgError::internal("a foreign key's trigger without its constraint");
                Some(KeyCheck::new(kind, constraint.ok_or_else(missing)?))
            }
        };
        let text = |a: &[u8]| String::from_utf8_lossy(a).into_owned();
        let args = row.tgargs.split(|b| *b == 0).take(row.tgnargs.max(0) as usize).map(text).collect();
        Ok(TriggerInfo { row: row.clone(), args, key })
    }
    pub fn level(&self) -> TriggerLevel {
        if self.row.tgtype & ROW != 0 { TriggerLevel::Row } else { TriggerLevel::Statement }
    }
    pub fn timing(&self) -> TriggerTiming {
        match self.row.tgtype {
            t if t & BEFORE != 0 => TriggerTiming::Before,
            t if t & INSTEAD != 0 => TriggerTiming::InsteadOf,
            _ => TriggerTiming::After,
        }
    }
}

struct Trigger {
    info: Arc<TriggerInfo>,
    /// The WHEN condition, over the old row's columns, then the new one's, then both rows' `tableoid`.
    when: Option<CExpr>,
}

impl Trigger {
    fn is(&self, level: TriggerLevel, timing: TriggerTiming, event: TriggerEvent) -> bool {
        self.info.row.tgtype & event.bit() != 0 && (self.info.level(), self.info.timing()) == (level, timing)
    }
}

/// See the module's head. There is none for a table without triggers.
pub struct TriggerSet {
    pub(crate) relation: Arc<Relation>,
    triggers: Vec<Trigger>,
    /// The columns an UPDATE sets, and the generated ones that follow from them.
    updated: Arc<[i16]>,
}

/// Old and new row side by side: what WHEN conditions read.
fn when_scope(relation: &Relation) -> Scope {
    let (desc, n) = (relation.desc.clone(), relation.desc.len());
    let mut scope = Scope { ranges: vec![(1, 0), (2, n)], width: 2 * n + 2, ..Scope::default() };
    for (varno, first) in [(1, 0), (2, n)] {
        let columns = (first..first + n).map(Some).collect();
        scope.rows.push((varno, VarReturning::Default, desc.clone(), columns));
        let tableoid = 2 * n + varno as usize - 1;
        scope.vars.insert((varno, analyze::query::sysattr::TABLEOID, VarReturning::Default), tableoid);
    }
    scope
}

impl TriggerSet {
    /// The triggers that are enabled; `None` if there are none. `updated`: the columns that UPDATE's SET names.
    pub fn of(cx: &mut ExecContext, relation: &Arc<Relation>, updated: &[i16]) -> Result<Option<Box<TriggerSet>>> {
        if relation.triggers.is_empty() {
            return Ok(None);
        }
        let mut triggers = Vec::new();
        for row in &relation.triggers {
            if !is_enabled(row.tgenabled, cx.settings.is_replica) {
                continue;
            }
            let when = match &row.tgqual {
                Some(text) => {
                    let e = crate::nodes::read_expr(text, &cx.catalog)?;
                    Some(Compiler::new(cx, when_scope(relation)).expr(&e)?)
                }
                None => None,
            };
            triggers.push(Trigger { info: Arc::new(TriggerInfo::of(cx, row)?), when });
        }
        if triggers.is_empty() {
            return Ok(None);
        }
        let mut set = TriggerSet { relation: relation.clone(), triggers, updated: Arc::default() };
        if !updated.is_empty() {
            set.updated = set.with_generated(cx, updated)?;
        }
        Ok(Some(Box::new(set)))
    }

    /// Adds the stored generated columns that will change too. (PostgreSQL: `ExecGetAllUpdatedCols`)
    fn with_generated(&self, cx: &ExecContext, updated: &[i16]) -> Result<Arc<[i16]>> {
        let before = self.has(TriggerLevel::Row, TriggerTiming::Before, TriggerEvent::Update);
        let mut all = updated.to_vec();
        for (i, a) in self.relation.desc.attrs.iter().enumerate() {
            let no = i as i16 + 1;
            if a.generated == 0 || all.contains(&no) {
                continue;
            }
            let Some(text) = self.relation.default_of(no) else { continue };
            let depends = before || {
                let e = crate::nodes::read_expr(text, &cx.catalog)?;
                call::mentions(&e, updated)
            };
            if depends {
                all.push(no);
            }
        }
        Ok(all.into())
    }

    pub fn has(&self, level: TriggerLevel, timing: TriggerTiming, event: TriggerEvent) -> bool {
        self.triggers.iter().any(|t| t.is(level, timing, event))
    }
    /// The name of the last row trigger before an event.
    pub fn last_before_row(&self, event: TriggerEvent) -> String {
        let found = self.triggers.iter().rfind(|t| t.is(TriggerLevel::Row, TriggerTiming::Before, event));
        found.map_or_else(String::new, |t| t.info.row.tgname.clone())
    }
    pub fn has_before_row(&self, event: TriggerEvent) -> bool {
        self.has(TriggerLevel::Row, TriggerTiming::Before, event)
    }
    /// Whether any are there but those of foreign keys.
    pub fn has_others(&self) -> bool {
        self.triggers.iter().any(|t| t.info.key.is_none())
    }
    pub fn has_statement_level(&self) -> bool {
        self.triggers.iter().any(|t| t.info.level() == TriggerLevel::Statement)
    }
    /// Whether a row trigger would look at rows of this event.
    pub fn wants_rows(&self, event: TriggerEvent) -> bool {
        self.triggers.iter().any(|t| t.info.row.tgtype & event.bit() != 0 && t.info.level() == TriggerLevel::Row)
    }
    /// Sets what UPDATE changes, for those who find it out late.
    pub fn set_updated(&mut self, cx: &ExecContext, updated: &[i16]) -> Result<()> {
        self.updated = self.with_generated(cx, updated)?;
        Ok(())
    }

    /// Whether a trigger applies: its columns are updated, its WHEN holds. (PostgreSQL: `TriggerEnabled`)
    fn applies(
        &mut self,
        run: &mut Run<'_>,
        at: usize,
        event: TriggerEvent,
        old: Option<&[Datum]>,
        new: Option<&[Datum]>,
    ) -> Result<bool> {
        let t = &mut self.triggers[at];
        let columns = &t.info.row.tgattr;
        if event == TriggerEvent::Update && !columns.is_empty() && !columns.iter().any(|c| self.updated.contains(c)) {
            return Ok(false);
        }
        let Some(when) = &mut t.when else { return Ok(true) };
        let batch = both_rows(&self.relation, old, new);
        Ok(is_true(when.eval_row(run, &batch, 0)?.as_ref()))
    }

    fn data(&self, at: usize, event: TriggerEvent, old: Option<Vec<Datum>>, new: Option<Vec<Datum>>) -> TriggerData {
        let info = &self.triggers[at].info;
        TriggerData {
            event,
            level: info.level(),
            timing: info.timing(),
            relation: self.relation.clone(),
            trigger: info.row.clone(),
            args: info.args.clone(),
            old,
            new,
            updated_columns: self.updated.clone(),
            old_table: None,
            new_table: None,
        }
    }

    /// Runs the row triggers that come before a change, or in its place. Gives the row to go on with: the new one, or of a
    /// DELETE the old one; `None` if nothing is to be done to it.
    pub(crate) fn before_row(
        &mut self,
        run: &mut Run<'_>,
        timing: TriggerTiming,
        event: TriggerEvent,
        old: Option<&[Datum]>,
        new: Option<Vec<Datum>>,
    ) -> Result<Option<Vec<Datum>>> {
        let mut new = new;
        for at in 0..self.triggers.len() {
            if !self.triggers[at].is(TriggerLevel::Row, timing, event)
                || !self.applies(run, at, event, old, new.as_deref())?
            {
                continue;
            }
            let mut data = self.data(at, event, old.map(<[Datum]>::to_vec), new.take());
            let given = call::call_timed(run, &mut data)?;
            let Some(row) = given else { return Ok(None) };
            if event != TriggerEvent::Delete {
                if row.len() != self.relation.desc.len() {
                    let name = &data.trigger.tgname;
                    return Err(PgError::internal(format!("trigger {name} returned a row of another table")));
                }
                new = Some(row);
            }
        }
        Ok(match event {
            TriggerEvent::Delete => Some(old.map_or_else(Vec::new, <[Datum]>::to_vec)),
            _ => new,
        })
    }

    /// Runs the statement triggers that come before. (PostgreSQL: `ExecBSInsertTriggers` and its like)
    pub fn before_statement(&mut self, run: &mut Run<'_>, event: TriggerEvent) -> Result<()> {
        if !self.has(TriggerLevel::Statement, TriggerTiming::Before, event)
            || !run.st.after.begins_statement(self.relation.oid, event)
        {
            return Ok(());
        }
        for at in 0..self.triggers.len() {
            if !self.triggers[at].is(TriggerLevel::Statement, TriggerTiming::Before, event)
                || !self.applies(run, at, event, None, None)?
            {
                continue;
            }
            let mut data = self.data(at, event, None, None);
            if call::call_timed(run, &mut data)?.is_some() {
                let code = base::sqlstate::E_R_I_E_TRIGGER_PROTOCOL_VIOLATED;
                return Err(PgError::new(code, "BEFORE STATEMENT trigger cannot return a value"));
            }
        }
        Ok(())
    }

    /// Queues the statement triggers that come after. (PostgreSQL: `ExecASInsertTriggers` and its like)
    pub fn after_statement(&mut self, run: &mut Run<'_>, event: TriggerEvent) -> Result<()> {
        if !self.has(TriggerLevel::Statement, TriggerTiming::After, event) {
            return Ok(());
        }
        run.st.after.cancel_statement(self.relation.oid, event);
        for at in 0..self.triggers.len() {
            if self.triggers[at].is(TriggerLevel::Statement, TriggerTiming::After, event)
                && self.applies(run, at, event, None, None)?
            {
                self.queue(run, at, event, None, None)?;
            }
        }
        Ok(())
    }

    /// Queues the row triggers that come after a change. (PostgreSQL: `AfterTriggerSaveEvent`)
    pub fn changed(
        &mut self,
        run: &mut Run<'_>,
        old: Option<(TupleId, &[Datum])>,
        new: Option<(TupleId, &[Datum])>,
    ) -> Result<()> {
        let event = match (old.is_some(), new.is_some()) {
            (false, _) => TriggerEvent::Insert,
            (true, false) => TriggerEvent::Delete,
            (true, true) => TriggerEvent::Update,
        };
        self.changed_as(run, event, old, new)
    }

    /// As `changed`, where the event is not told by the rows (an update that moves a row to another partition).
    pub fn changed_as(
        &mut self,
        run: &mut Run<'_>,
        event: TriggerEvent,
        old: Option<(TupleId, &[Datum])>,
        new: Option<(TupleId, &[Datum])>,
    ) -> Result<()> {
        for at in 0..self.triggers.len() {
            if !self.triggers[at].is(TriggerLevel::Row, TriggerTiming::After, event) {
                continue;
            }
            let (old_row, new_row) = (old.map(|o| o.1), new.map(|n| n.1));
            if let Some(key) = &self.triggers[at].info.key
                && key.is_needless(&self.triggers[at].info.row, old_row, new_row)
            {
                continue;
            }
            if self.applies(run, at, event, old_row, new_row)? {
                self.queue(run, at, event, old.map(|o| o.0), new.map(|n| n.0))?;
            }
        }
        Ok(())
    }

    fn queue(
        &self,
        run: &mut Run<'_>,
        at: usize,
        event: TriggerEvent,
        old: Option<TupleId>,
        new: Option<TupleId>,
    ) -> Result<()> {
        let info = &self.triggers[at].info;
        let named = info.row.tgoldtable.is_some() || info.row.tgnewtable.is_some();
        // A deferred event outlives a savepoint only if that is not rolled back.
        let xid = if info.row.tgdeferrable { run.cx.txn()?.xid_if_assigned() } else { None };
        run.st.after.push(Event {
            trigger: info.clone(),
            table: self.relation.oid,
            event,
            old,
            new,
            updated: self.updated.clone(),
            role: run.cx.settings.current_user,
            xid,
            named,
        });
        Ok(())
    }
}

fn both_rows(relation: &Relation, old: Option<&[Datum]>, new: Option<&[Datum]>) -> Batch {
    let mut columns = Vec::with_capacity(2 * relation.desc.len() + 2);
    for row in [old, new] {
        for (i, a) in relation.desc.attrs.iter().enumerate() {
            let mut c = Column::new(a.physical());
            c.push(row.and_then(|r| r.get(i)).unwrap_or(&Datum::Null).as_ref());
            columns.push(Arc::new(c));
        }
    }
    for _ in 0..2 {
        let mut c = Column::new(types::Physical::W4);
        c.push(Datum::oid(relation.oid).as_ref());
        columns.push(Arc::new(c));
    }
    Batch { columns, rows: 1, selection: None }
}

/// The lock that a row to be updated needs: its key columns may stay as they are. (PostgreSQL: `ExecUpdateLockMode`)
pub(crate) fn update_lock(keys: &AttrSet, updated: &[i16]) -> access::heap::RowLock {
    let touches = updated.iter().any(|c| *c > 0 && keys.contains(*c as usize - 1));
    if touches { access::heap::RowLock::Exclusive } else { access::heap::RowLock::NoKeyExclusive }
}
