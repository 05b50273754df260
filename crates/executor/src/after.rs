//! What is due after a statement, or at the end of the transaction, for the rows it changed: AFTER triggers, among them the
//! checks and actions of foreign keys.
//!
//! A change queues an event with the places of the old and new version ([`TriggerSet::changed`](crate::trigger::TriggerSet));
//! the statement's [`Estate`](crate::state::Estate) keeps them in its [`QueryLevel`] until the plan is done. Then each event is
//! worked on ([`fire`]) or, if its constraint is deferred, kept for the end of the transaction. The statements that actions of
//! foreign keys run add theirs to the level of the statement that set them off, so that a statement trigger fires once for
//! all of it; those of trigger functions have levels of their own.
//!
//! Deferred events of a subtransaction that was rolled back are passed over: each knows the xid that made it. What SET
//! CONSTRAINTS said is restored by the number of the subtransaction.
//!
//! PostgreSQL: `trigger.c` (`AfterTriggerSaveEvent`, `afterTriggerInvokeEvents`).

use std::sync::Arc;

use access::heap::{Fetcher, Look};
use access::tuple::Projection;
use base::{Oid, PgError, Result, TupleId, Xid};
use catalog::{PgConstraint, PgTrigger};
use hashbrown::HashMap;
use types::Datum;

use crate::context::ExecContext;
use crate::foreign_key::{self, Kind};
use crate::trigger::set::TriggerInfo;
use crate::trigger::transition::Captured;
use crate::trigger::{TransitionTable, TriggerData, TriggerEvent, TriggerLevel, TriggerTimes};

/// What a trigger of a foreign key does.
pub(crate) struct KeyCheck {
    pub kind: Kind,
    pub constraint: Arc<PgConstraint>,
    /// The key's columns in the table that the trigger is on.
    pub columns: Vec<i16>,
}

impl KeyCheck {
    pub fn new(kind: Kind, constraint: Arc<PgConstraint>) -> KeyCheck {
        let columns = if kind.is_check() { &constraint.conkey } else { &constraint.confkey };
        KeyCheck { kind, columns: columns.clone().unwrap_or_default(), constraint }
    }
    /// Rows whose keys need no look are not queued. (PostgreSQL: `RI_FKey_pk_upd_check_required`,
    /// `RI_FKey_fk_upd_check_required`)
    pub fn is_needless(&self, trigger: &PgTrigger, old: Option<&[Datum]>, new: Option<&[Datum]>) -> bool {
        let key = |row: &[Datum]| -> Vec<Datum> {
            self.columns.iter().map(|c| row.get(*c as usize - 1).cloned().unwrap_or(Datum::Null)).collect()
        };
        let (before, after) = (old.map(key), new.map(key));
        let unchanged = before.is_some() && before == after;
        let any_null = |k: &Option<Vec<Datum>>| k.as_ref().is_some_and(|k| k.iter().any(Datum::is_null));
        if self.kind.is_check() {
            // With MATCH FULL a null may be wrong.
            return (any_null(&after) && self.constraint.confmatchtype != b'f') || (unchanged && !trigger.tgdeferrable);
        }
        any_null(&before) || unchanged
    }
}

/// A change that a trigger must look at.
pub(crate) struct Event {
    pub trigger: Arc<TriggerInfo>,
    pub table: Oid,
    pub event: TriggerEvent,
    pub old: Option<TupleId>,
    pub new: Option<TupleId>,
    /// The columns that the UPDATE sets.
    pub updated: Arc<[i16]>,
    /// The role as which the change was made. (PostgreSQL: `ats_rolid`)
    pub role: Oid,
    /// The (sub)transaction that made it, of those that may be deferred.
    pub xid: Option<Xid>,
    /// The trigger names transition tables.
    pub named: bool,
}

/// A table's changes by one kind of event at one level. (PostgreSQL: `AfterTriggersTableData`)
struct Changes {
    table: Oid,
    event: TriggerEvent,
    /// BEFORE STATEMENT triggers were run.
    begun: bool,
    captured: Arc<Captured>,
    /// A trigger has seen the rows: later ones go to a table of their own.
    closed: bool,
}

/// What one statement's changes have queued, and the rows they changed. (PostgreSQL: `AfterTriggersQueryData`)
#[derive(Default)]
pub struct QueryLevel {
    events: Vec<(Event, Option<Arc<Captured>>)>,
    changes: Vec<Changes>,
    /// How often each trigger fired, for EXPLAIN ANALYZE.
    pub(crate) times: Option<Box<TriggerTimes>>,
}

impl QueryLevel {
    fn changes(&mut self, table: Oid, event: TriggerEvent) -> &mut Changes {
        let same = |c: &Changes| c.table == table && c.event == event && !c.closed;
        let at = match self.changes.iter().position(same) {
            Some(at) => at,
            None => {
                let captured = Arc::default();
                self.changes.push(Changes { table, event, begun: false, captured, closed: false });
                self.changes.len() - 1
            }
        };
        &mut self.changes[at]
    }
    pub(crate) fn captured(&mut self, table: Oid, event: TriggerEvent) -> Arc<Captured> {
        self.changes(table, event).captured.clone()
    }
    /// Whether the statement triggers that come before are still to be run. (PostgreSQL: `before_stmt_triggers_fired`)
    pub(crate) fn begins_statement(&mut self, table: Oid, event: TriggerEvent) -> bool {
        !std::mem::replace(&mut self.changes(table, event).begun, true)
    }
    /// A later statement on the same table takes over the statement triggers. (PostgreSQL: `cancel_prior_stmt_triggers`)
    pub(crate) fn cancel_statement(&mut self, table: Oid, event: TriggerEvent) {
        let current = self.captured(table, event);
        self.events.retain(|(e, captured)| {
            let same = e.table == table && e.event == event && e.trigger.level() == TriggerLevel::Statement;
            !(same && captured.as_ref().is_none_or(|c| Arc::ptr_eq(c, &current)))
        });
    }
    pub(crate) fn push(&mut self, event: Event) {
        let keep = event.named || event.trigger.level() == TriggerLevel::Statement;
        let captured = keep.then(|| self.captured(event.table, event.event));
        self.events.push((event, captured));
    }
    pub fn is_empty(&self) -> bool {
        self.events.is_empty()
    }
}

/// What SET CONSTRAINTS said.
#[derive(Default, Clone)]
struct Modes {
    all: Option<bool>,
    named: HashMap<Oid, bool>,
}

impl Modes {
    fn is_deferred(&self, t: &PgTrigger) -> bool {
        t.tgdeferrable && self.named.get(&t.tgconstraint).copied().or(self.all).unwrap_or(t.tginitdeferred)
    }
}

/// A transaction's deferred events, and the state of its constraints.
#[derive(Default)]
struct Deferred {
    events: Vec<Event>,
    modes: Modes,
    /// What held before a subtransaction changed it, by its nesting level.
    saved: Vec<(usize, Modes)>,
}

/// The level that events of a foreign key's actions go to, while it is worked on.
#[derive(Default)]
pub(crate) struct Outer(pub Option<QueryLevel>);

/// The statement is done: works on its events. (PostgreSQL: `AfterTriggerEndQuery`)
pub fn fire(cx: &mut ExecContext, level: &mut QueryLevel) -> Result<()> {
    if level.events.is_empty() {
        return Ok(());
    }
    cx.catalog.command_counter_increment()?;
    let mut times = level.times.take();
    let saved = cx.extension_or_default::<Outer>().0.replace(std::mem::take(level));
    let done = fire_level(cx, times.as_deref_mut());
    cx.extension_or_default::<Outer>().0 = saved;
    level.times = times;
    done
}

/// A level's events, and those that they add to it.
fn fire_level(cx: &mut ExecContext, mut times: Option<&mut TriggerTimes>) -> Result<()> {
    loop {
        let Some(level) = cx.extension_or_default::<Outer>().0.as_mut() else { return Ok(()) };
        let events = std::mem::take(&mut level.events);
        if events.is_empty() {
            return Ok(());
        }
        for (event, captured) in events {
            let deferred = cx.extension_or_default::<Deferred>();
            // RESTRICT cannot be deferred.
            let restrict = event.trigger.key.as_ref().is_some_and(|k| k.kind.is_restrict());
            if deferred.modes.is_deferred(&event.trigger.row) && !restrict {
                deferred.events.push(event);
                continue;
            }
            if let (Some(captured), Some(level)) = (&captured, cx.extension_or_default::<Outer>().0.as_mut()) {
                level.changes.iter_mut().filter(|c| Arc::ptr_eq(&c.captured, captured)).for_each(|c| c.closed = true);
            }
            run(cx, &event, captured.as_deref(), times.as_deref_mut())?;
        }
    }
}

/// Runs a trigger for its event. (PostgreSQL: `AfterTriggerExecute`)
fn run(
    cx: &mut ExecContext,
    event: &Event,
    captured: Option<&Captured>,
    times: Option<&mut TriggerTimes>,
) -> Result<()> {
    let start = times.is_some().then(std::time::Instant::now);
    let user = cx.settings.current_user;
    if user != event.role {
        Arc::make_mut(&mut cx.settings).current_user = event.role;
    }
    let done = match &event.trigger.key {
        Some(key) => foreign_key::run(cx, event, key),
        None => call(cx, event, captured),
    };
    if user != event.role {
        Arc::make_mut(&mut cx.settings).current_user = user;
    }
    if let (Some(times), Some(start)) = (times, start) {
        times.add(&event.trigger.row, start.elapsed());
    }
    done
}

/// A row by its place.
pub(crate) fn fetch_row(
    cx: &mut ExecContext,
    table: &crate::heap::OpenTable,
    tid: TupleId,
    look: Look<'_>,
) -> Result<Option<Vec<Datum>>> {
    let projection = Projection::all(&table.heap.layout);
    let mut columns = projection.columns(&table.heap.layout);
    let mut fetcher = Fetcher::new(table.heap.clone(), projection);
    let found = fetcher.fetch(cx.txn()?, tid, look, &mut columns)?;
    Ok(found.then(|| columns.iter().map(|c| c.get(0).to_owned()).collect()))
}

fn call(cx: &mut ExecContext, event: &Event, captured: Option<&Captured>) -> Result<()> {
    let info = &event.trigger;
    let relation = cx.catalog.relation_entry(event.table)?;
    let (mut old, mut new) = (None, None);
    if info.level() == TriggerLevel::Row {
        let table = cx.open_table(event.table)?;
        for (row, tid, what) in [(&mut old, event.old, "1"), (&mut new, event.new, "2")] {
            let Some(tid) = tid else { continue };
            let missing = || PgError::internal(format!("failed to fetch tuple{what} for AFTER trigger"));
            *row = Some(fetch_row(cx, &table, tid, Look::Any)?.ok_or_else(missing)?);
        }
    }
    let table = |name: &Option<String>, rows: fn(&Captured) -> &Arc<parking_lot::Mutex<_>>| {
        let (name, captured) = (name.as_ref()?, captured?);
        let meta = analyze::NamedRelation { name: name.clone(), relid: relation.oid, desc: relation.desc.clone() };
        Some(TransitionTable { meta, rows: rows(captured).clone() })
    };
    let mut data = TriggerData {
        event: event.event,
        level: info.level(),
        timing: info.timing(),
        trigger: info.row.clone(),
        args: info.args.clone(),
        old,
        new,
        updated_columns: event.updated.clone(),
        old_table: table(&info.row.tgoldtable, |c| &c.old),
        new_table: table(&info.row.tgnewtable, |c| &c.new),
        relation: relation.clone(),
    };
    crate::trigger::call::call(cx, &mut data).map(drop)
}

/// Works on events in a snapshot of their own.
fn run_all(cx: &mut ExecContext, events: &[Event]) -> Result<()> {
    cx.catalog.command_counter_increment()?;
    let snapshot = cx.txn()?.snapshot()?;
    let saved = cx.snapshot.replace(snapshot);
    let outer = cx.extension_or_default::<Outer>().0.replace(QueryLevel::default());
    let mut done = Ok(());
    for event in events {
        // What made it may have been rolled back since.
        let txn = cx.txn()?.clone();
        if event.xid.is_some_and(|xid| !txn.is_current(xid)) {
            continue;
        }
        done = run(cx, event, None, None).and_then(|()| fire_level(cx, None));
        if done.is_err() {
            break;
        }
    }
    cx.extension_or_default::<Outer>().0 = outer;
    cx.snapshot = saved;
    done
}

/// What was deferred, before the transaction commits. (PostgreSQL: `AfterTriggerFireDeferred`)
pub fn fire_deferred(cx: &mut ExecContext) -> Result<()> {
    loop {
        let events = cx.extension::<Deferred>().map(|d| std::mem::take(&mut d.events)).unwrap_or_default();
        if events.is_empty() {
            break;
        }
        run_all(cx, &events)?;
    }
    reset(cx);
    Ok(())
}

/// The transaction is over.
pub fn reset(cx: &mut ExecContext) {
    // Without any of it nothing was ever queued.
    if let Some(deferred) = cx.extension::<Deferred>() {
        *deferred = Deferred::default();
    }
    if let Some(outer) = cx.extension::<Outer>() {
        outer.0 = None;
    }
    if let Some(depth) = cx.extension::<crate::trigger::call::TriggerDepth>() {
        *depth = Default::default();
    }
}

/// The subtransactions from this nesting level on were rolled back: what SET CONSTRAINTS said in them is undone.
/// (PostgreSQL: `AfterTriggerEndSubXact`)
pub fn subtransaction_aborted(cx: &mut ExecContext, level: usize) {
    let deferred = cx.extension_or_default::<Deferred>();
    while let Some((_, modes)) = deferred.saved.pop_if(|s| s.0 >= level) {
        deferred.modes = modes;
    }
}

/// SET CONSTRAINTS; an empty list means all. What is no longer deferred is checked at once. (PostgreSQL: `AfterTriggerSetState`)
pub fn set_constraints(cx: &mut ExecContext, constraints: Option<&[Oid]>, deferred: bool) -> Result<()> {
    let level = cx.txn()?.nest_level();
    let state = cx.extension_or_default::<Deferred>();
    // What deeper levels saved is this one's, since they were released.
    while state.saved.last().is_some_and(|s| s.0 > level) {
        let at = state.saved.len() - 1;
        if at > 0 && state.saved[at - 1].0 >= level { state.saved.truncate(at) } else { state.saved[at].0 = level }
    }
    if level > 1 && state.saved.last().is_none_or(|s| s.0 < level) {
        let modes = state.modes.clone();
        state.saved.push((level, modes));
    }
    match constraints {
        None => {
            state.modes.all = Some(deferred);
            state.modes.named.clear();
        }
        Some(list) => state.modes.named.extend(list.iter().map(|c| (*c, deferred))),
    }
    if deferred {
        return Ok(());
    }
    let waiting = std::mem::take(&mut state.events);
    let modes = state.modes.clone();
    let (kept, due): (Vec<Event>, Vec<Event>) = waiting.into_iter().partition(|e| modes.is_deferred(&e.trigger.row));
    state.events = kept;
    let done = run_all(cx, &due);
    if done.is_err() {
        // Undone with the subtransaction: they wait again.
        cx.extension_or_default::<Deferred>().events.extend(due);
    }
    done
}

/// Whether some event of the transaction waits for this table: it cannot be altered or truncated.
/// (PostgreSQL: `AfterTriggerPendingOnRel`)
pub fn pending_on(cx: &mut ExecContext, table: Oid) -> bool {
    let waits = |e: &Event| e.table == table;
    if cx.extension_or_default::<Deferred>().events.iter().any(waits) {
        return true;
    }
    let outer = cx.extension_or_default::<Outer>();
    outer.0.as_ref().is_some_and(|l| l.events.iter().any(|e| waits(&e.0)))
}
