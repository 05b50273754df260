//! What is due after a statement, or at the end of the transaction, for the rows it changed: the checks and actions of foreign keys.
//!
//! A change queues an event with the places of the old and new version ([`RowEvents`]); the statement's [`Estate`](crate::state)
//! keeps them until the plan is done, then each event is worked on ([`fire`]) or, if its constraint is deferred, kept for the
//! end of the transaction. An event whose change has been undone since, by a savepoint or a later change, is passed over: so a
//! rolled-back subtransaction needs no bookkeeping here.
//!
//! PostgreSQL: `trigger.c` (`AfterTriggerSaveEvent`, `afterTriggerInvokeEvents`).

use std::sync::Arc;

use base::{Oid, PgError, Result, TupleId};
use catalog::PgConstraint;
use hashbrown::HashMap;
use types::Datum;

use crate::context::ExecContext;
use crate::foreign_key::{self, Kind};
use crate::heap::OpenTable;

/// A trigger of a foreign key on one of its two tables.
pub(crate) struct KeyTrigger {
    pub kind: Kind,
    pub constraint: Arc<PgConstraint>,
    /// The key's columns in the table that the trigger is on.
    pub columns: Vec<i16>,
    /// Events: bits of `tgtype`.
    events: i16,
    pub deferrable: bool,
    pub deferred: bool,
}

const INSERT: i16 = 1 << 2;
const DELETE: i16 = 1 << 3;
const UPDATE: i16 = 1 << 4;

/// A changed row that a trigger must look at.
pub(crate) struct Event {
    pub trigger: Arc<KeyTrigger>,
    pub table: Oid,
    pub old: Option<TupleId>,
    pub new: Option<TupleId>,
}

/// What one statement's changes of one table have queued.
#[derive(Default)]
pub struct Events(pub(crate) Vec<Event>);

/// The triggers of a table that changes of its rows set off.
pub struct RowEvents {
    table: Oid,
    triggers: Vec<Arc<KeyTrigger>>,
}

impl RowEvents {
    /// `None` if the table has no triggers. Those that are not there yet are an error.
    pub fn of(cx: &ExecContext, table: &OpenTable) -> Result<Option<RowEvents>> {
        let entry = &table.entry;
        if entry.triggers.is_empty() {
            return Ok(None);
        }
        let mut triggers = Vec::new();
        for t in &entry.triggers {
            // Enabled `O`rigin or `A`lways; `R`eplica and `D`isabled ones do not fire here.
            if !matches!(t.tgenabled, b'O' | b'A') {
                continue;
            }
            let kind = Kind::of_function(t.tgfoid).filter(|_| t.tgconstraint.is_valid());
            let kind = kind.ok_or_else(|| PgError::unsupported("changing a table with triggers"))?;
            let key = [Datum::oid(t.tgconstraint)];
            let row = cx.catalog.get::<PgConstraint>(catalog::CacheId::CONSTROID, &key)?;
            let row = row.ok_or_else(|| PgError::internal("a foreign key's trigger without its constraint"))?;
            let columns = if kind.is_check() { &row.conkey } else { &row.confkey };
            triggers.push(Arc::new(KeyTrigger {
                kind,
                columns: columns.clone().unwrap_or_default(),
                constraint: row,
                events: t.tgtype & (INSERT | DELETE | UPDATE),
                deferrable: t.tgdeferrable,
                deferred: t.tginitdeferred,
            }));
        }
        Ok((!triggers.is_empty()).then_some(RowEvents { table: entry.oid, triggers }))
    }

    /// Notes a change. Rows whose keys need no look are not queued. (PostgreSQL: `RI_FKey_pk_upd_check_required`,
    /// `RI_FKey_fk_upd_check_required`)
    pub fn changed(&self, queue: &mut Events, old: Option<(TupleId, &[Datum])>, new: Option<(TupleId, &[Datum])>) {
        let event = match (old.is_some(), new.is_some()) {
            (false, _) => INSERT,
            (true, false) => DELETE,
            (true, true) => UPDATE,
        };
        for t in self.triggers.iter().filter(|t| t.events & event != 0) {
            let key = |row: &[Datum]| -> Vec<Datum> {
                t.columns.iter().map(|c| row.get(*c as usize - 1).cloned().unwrap_or(Datum::Null)).collect()
            };
            let (before, after) = (old.map(|o| key(o.1)), new.map(|n| key(n.1)));
            let unchanged = before.is_some() && before == after;
            let any_null = |k: &Option<Vec<Datum>>| k.as_ref().is_some_and(|k| k.iter().any(Datum::is_null));
            let needless = if t.kind.is_check() {
                // With MATCH FULL a null may be wrong.
                (any_null(&after) && t.constraint.confmatchtype != b'f') || (unchanged && !t.deferrable)
            } else {
                any_null(&before) || unchanged
            };
            if !needless {
                let (old, new) = (old.map(|o| o.0), new.map(|n| n.0));
                queue.0.push(Event { trigger: t.clone(), table: self.table, old, new });
            }
        }
    }
}

/// A transaction's deferred events, and what SET CONSTRAINTS said.
#[derive(Default)]
struct Deferred {
    events: Vec<Event>,
    all: Option<bool>,
    named: HashMap<Oid, bool>,
}

impl Deferred {
    fn is_deferred(&self, t: &KeyTrigger) -> bool {
        t.deferrable && self.named.get(&t.constraint.oid).copied().or(self.all).unwrap_or(t.deferred)
    }
}

/// The statement is done: works on its events. (PostgreSQL: `AfterTriggerEndQuery`)
pub fn fire(cx: &mut ExecContext, events: Events) -> Result<()> {
    if events.0.is_empty() {
        return Ok(());
    }
    cx.catalog.command_counter_increment()?;
    for event in events.0 {
        let deferred = cx.extension_or_default::<Deferred>();
        // RESTRICT cannot be deferred.
        if deferred.is_deferred(&event.trigger) && !event.trigger.kind.is_restrict() {
            deferred.events.push(event);
        } else {
            foreign_key::run(cx, &event)?;
        }
    }
    Ok(())
}

/// What was deferred, before the transaction commits. (PostgreSQL: `AfterTriggerFireDeferred`)
pub fn fire_deferred(cx: &mut ExecContext) -> Result<()> {
    loop {
        let events = std::mem::take(&mut cx.extension_or_default::<Deferred>().events);
        if events.is_empty() {
            break;
        }
        cx.catalog.command_counter_increment()?;
        let snapshot = cx.txn()?.snapshot()?;
        let saved = cx.snapshot.replace(snapshot);
        let done = events.iter().try_for_each(|e| foreign_key::run(cx, e));
        cx.snapshot = saved;
        done?;
    }
    reset(cx);
    Ok(())
}

/// The transaction is over.
pub fn reset(cx: &mut ExecContext) {
    *cx.extension_or_default::<Deferred>() = Deferred::default();
}

/// SET CONSTRAINTS; an empty list means all. What is no longer deferred is checked at once. (PostgreSQL: `AfterTriggerSetState`)
pub fn set_constraints(cx: &mut ExecContext, constraints: Option<&[Oid]>, deferred: bool) -> Result<()> {
    let state = cx.extension_or_default::<Deferred>();
    match constraints {
        None => {
            state.all = Some(deferred);
            state.named.clear();
        }
        Some(list) => list.iter().for_each(|c| drop(state.named.insert(*c, deferred))),
    }
    if deferred {
        return Ok(());
    }
    let waiting = std::mem::take(&mut state.events);
    let (kept, due): (Vec<Event>, Vec<Event>) = waiting.into_iter().partition(|e| state.is_deferred(&e.trigger));
    state.events = kept;
    cx.catalog.command_counter_increment()?;
    let snapshot = cx.txn()?.snapshot()?;
    let saved = cx.snapshot.replace(snapshot);
    let done = due.iter().try_for_each(|e| foreign_key::run(cx, e));
    cx.snapshot = saved;
    done
}

/// Whether some event of the transaction waits for this table: it cannot be altered or truncated.
/// (PostgreSQL: `AfterTriggerPendingOnRel`)
pub fn pending_on(cx: &mut ExecContext, table: Oid) -> bool {
    cx.extension_or_default::<Deferred>().events.iter().any(|e| e.table == table)
}
