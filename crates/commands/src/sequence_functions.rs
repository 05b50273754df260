//! `nextval`, `currval`, `lastval`, `setval`: values of sequences. A session remembers what it got and, for sequences with a
//! cache, what it may still give out. (PostgreSQL: `sequence.c`)

use std::collections::HashMap;
use std::sync::Arc;

use access::sequence::{SequenceData, SequenceDef};
use base::sqlstate::*;
use base::{Oid, PgError, Result};
use catalog::{AclKind, PgSequence, Relation, acl, relkind};
use executor::{ExecContext, SessionHooks, lock_relation};
use parking_lot::Mutex;
use txn::LockMode;
use types::{Datum, FnCx, builtin};

/// What a session knows of one sequence.
#[derive(Clone, Copy, Debug)]
struct Known {
    /// The file the values came from: another one means that the sequence was reset.
    file: Oid,
    last: Option<i64>,
    /// Values up to here were taken from the sequence.
    cached: i64,
    increment: i64,
}

/// A session's sequences. Shared between functions and the session; an extension of the execution context.
#[derive(Clone, Default)]
pub struct Sequences(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    known: HashMap<Oid, Known>,
    last_used: Option<Oid>,
}

impl Sequences {
    /// DISCARD SEQUENCES.
    pub fn discard(&self) {
        *self.0.lock() = State::default();
    }
}

/// For identity columns. (PostgreSQL: `NextValueExpr`)
pub struct Hooks;

impl SessionHooks for Hooks {
    fn next_value(&mut self, cx: &mut ExecContext, sequence: Oid) -> Result<i64> {
        next_value(cx, sequence, Check::No)
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Check {
    Yes,
    /// The table's privileges were checked.
    No,
}

fn sequences(cx: &mut ExecContext) -> Sequences {
    cx.extension_or_default::<Sequences>().clone()
}

fn open(cx: &ExecContext, oid: Oid, mode: LockMode) -> Result<(Arc<Relation>, Arc<PgSequence>)> {
    lock_relation(cx, oid, mode)?;
    let missing = || PgError::new(UNDEFINED_TABLE, format!("relation with OID {oid} does not exist"));
    let rel = cx.catalog.relation(oid)?.ok_or_else(missing)?;
    if rel.kind() != relkind::SEQUENCE {
        return Err(PgError::new(WRONG_OBJECT_TYPE, format!("\"{}\" is not a sequence", rel.name())));
    }
    let row = cx.catalog.sequence(oid)?.ok_or_else(|| PgError::internal("a sequence without its row"))?;
    Ok((rel, row))
}

/// At least one of the privileges.
fn check(cx: &ExecContext, rel: &Relation, any_of: &[catalog::AclMode]) -> Result<()> {
    let (role, list) = (cx.settings.current_user, rel.class.relacl.as_deref());
    for mode in any_of {
        if cx.catalog.has_privilege(role, AclKind::Sequence, rel.owner(), list, *mode)? {
            return Ok(());
        }
    }
    Err(catalog::lookup::permission_denied("sequence", rel.name()))
}

fn check_read_only(cx: &ExecContext, what: &str) -> Result<()> {
    if cx.txn()?.is_read_only() {
        let text = format!("cannot execute {what} in a read-only transaction");
        return Err(PgError::new(READ_ONLY_SQL_TRANSACTION, text));
    }
    Ok(())
}

fn def(row: &PgSequence) -> SequenceDef {
    SequenceDef {
        increment: row.seqincrement,
        min: row.seqmin,
        max: row.seqmax,
        cache: row.seqcache,
        cycle: row.seqcycle,
    }
}

fn next_value(cx: &mut ExecContext, oid: Oid, privilege: Check) -> Result<i64> {
    let (rel, row) = open(cx, oid, LockMode::RowExclusive)?;
    if privilege == Check::Yes {
        check(cx, &rel, &[acl::ACL_USAGE, acl::ACL_UPDATE])?;
    }
    if !rel.is_temporary() {
        check_read_only(cx, "nextval()")?;
    }
    let sequences = sequences(cx);
    let mut state = sequences.0.lock();
    state.last_used = Some(oid);
    if let Some(known) = state.known.get_mut(&oid).filter(|k| k.file == rel.locator.rel)
        && let Some(last) = known.last.filter(|l| *l != known.cached)
    {
        let next = last + known.increment;
        known.last = Some(next);
        return Ok(next);
    }
    drop(state);
    let taken = access::sequence::next(cx.txn()?, rel.locator, rel.class.relpersistence == b'p', &def(&row))?;
    let Some(taken) = taken else {
        let (bound, limit) = if row.seqincrement > 0 { ("maximum", row.seqmax) } else { ("minimum", row.seqmin) };
        let text = format!("nextval: reached {bound} value of sequence \"{}\" ({limit})", rel.name());
        return Err(PgError::new(SEQUENCE_GENERATOR_LIMIT_EXCEEDED, text));
    };
    let known =
        Known { file: rel.locator.rel, last: Some(taken.first), cached: taken.last, increment: row.seqincrement };
    sequences.0.lock().known.insert(oid, known);
    Ok(taken.first)
}

fn context<'a>(cx: &'a mut FnCx<'_>) -> Result<&'a mut ExecContext> {
    cx.extension::<ExecContext>()
}

#[builtin("nextval_oid")]
fn nextval(cx: &mut FnCx<'_>, sequence: Oid) -> Result<i64> {
    next_value(context(cx)?, sequence, Check::Yes)
}

#[builtin("currval_oid")]
fn currval(cx: &mut FnCx<'_>, sequence: Oid) -> Result<i64> {
    let cx = context(cx)?;
    let (rel, _) = open(cx, sequence, LockMode::RowExclusive)?;
    check(cx, &rel, &[acl::ACL_USAGE, acl::ACL_SELECT])?;
    let sequences = sequences(cx);
    let state = sequences.0.lock();
    state.known.get(&sequence).and_then(|k| k.last).ok_or_else(|| {
        let text = format!("currval of sequence \"{}\" is not yet defined in this session", rel.name());
        PgError::new(OBJECT_NOT_IN_PREREQUISITE_STATE, text)
    })
}

#[builtin("lastval")]
fn lastval(cx: &mut FnCx<'_>) -> Result<i64> {
    let cx = context(cx)?;
    let sequences = sequences(cx);
    let state = sequences.0.lock();
    let undefined = || PgError::new(OBJECT_NOT_IN_PREREQUISITE_STATE, "lastval is not yet defined in this session");
    let oid = state.last_used.ok_or_else(undefined)?;
    let value = state.known.get(&oid).and_then(|k| k.last).ok_or_else(undefined)?;
    drop(state);
    // It may have been dropped since.
    let Some(rel) = cx.catalog.relation(oid)? else { return Err(undefined()) };
    check(cx, &rel, &[acl::ACL_USAGE, acl::ACL_SELECT])?;
    Ok(value)
}

fn set_value(cx: &mut FnCx<'_>, sequence: Oid, value: i64, is_called: bool) -> Result<i64> {
    let cx = context(cx)?;
    let (rel, row) = open(cx, sequence, LockMode::RowExclusive)?;
    check(cx, &rel, &[acl::ACL_UPDATE])?;
    if !rel.is_temporary() {
        check_read_only(cx, "setval()")?;
    }
    if value < row.seqmin || value > row.seqmax {
        let text = format!(
            "setval: value {value} is out of bounds for sequence \"{}\" ({}..{})",
            rel.name(),
            row.seqmin,
            row.seqmax
        );
        return Err(PgError::new(NUMERIC_VALUE_OUT_OF_RANGE, text));
    }
    let data = SequenceData { last_value: value, log_cnt: 0, is_called };
    access::sequence::set(cx.txn()?, rel.locator, rel.class.relpersistence == b'p', data)?;
    let sequences = sequences(cx);
    let mut state = sequences.0.lock();
    let before = state.known.get(&sequence).and_then(|k| k.last);
    let last = if is_called { Some(value) } else { before };
    // Nothing is left of what was cached.
    let known = Known { file: rel.locator.rel, last, cached: last.unwrap_or(value), increment: row.seqincrement };
    state.known.insert(sequence, known);
    Ok(value)
}

#[builtin("setval_oid")]
fn setval(cx: &mut FnCx<'_>, sequence: Oid, value: i64) -> Result<i64> {
    set_value(cx, sequence, value, true)
}

#[builtin("setval3_oid")]
fn setval3(cx: &mut FnCx<'_>, sequence: Oid, value: i64, is_called: bool) -> Result<i64> {
    set_value(cx, sequence, value, is_called)
}

#[builtin("pg_sequence_last_value")]
fn pg_sequence_last_value(cx: &mut FnCx<'_>, sequence: Oid) -> Result<Option<i64>> {
    let cx = context(cx)?;
    let (rel, _) = open(cx, sequence, LockMode::AccessShare)?;
    if check(cx, &rel, &[acl::ACL_USAGE, acl::ACL_SELECT]).is_err() {
        return Ok(None);
    }
    let data = access::sequence::read(cx.txn()?, rel.locator)?;
    Ok(data.is_called.then_some(data.last_value))
}

/// For pg_dump: the last value and whether it was given out; nulls for those who may not read the sequence.
#[builtin("pg_get_sequence_data")]
fn pg_get_sequence_data(cx: &mut FnCx<'_>, sequence: Oid) -> Result<Datum> {
    let desc = cx.call.result_desc.clone();
    let desc = desc.ok_or_else(|| PgError::internal("return type must be a row type"))?;
    let cx = context(cx)?;
    let (rel, _) = open(cx, sequence, LockMode::AccessShare)?;
    let row = match check(cx, &rel, &[acl::ACL_SELECT]) {
        Err(_) => [Datum::Null, Datum::Null],
        Ok(()) => {
            let data = access::sequence::read(cx.txn()?, rel.locator)?;
            [Datum::i64(data.last_value), Datum::bool(data.is_called)]
        }
    };
    types::record::build(&desc, &row.each_ref().map(Datum::as_ref))
}
