//! `pg_locks` and who blocks whom. (PostgreSQL: `lockfuncs.c`)

use base::{Result, SessionId};
use txn::lock::{LockInfo, LockTag};
use txn::ssi::PredicateLockInfo;
use types::oid::INT4OID;
use types::{Datum, FnCx, IntoDatum, builtin};

use super::*;

/// The columns from `database` to `objsubid`.
fn target(tag: LockTag) -> [Datum; 9] {
    let mut c: [Datum; 9] = std::array::from_fn(|_| Datum::Null);
    let word = |v: u32| Datum::oid(Oid(v));
    match tag {
        LockTag::Relation { db, rel } | LockTag::Extend { db, rel } => {
            (c[0], c[1]) = (Datum::oid(db), Datum::oid(rel));
        }
        LockTag::FrozenIds { db } => c[0] = Datum::oid(db),
        LockTag::Page { db, rel, block } => (c[0], c[1], c[2]) = (Datum::oid(db), Datum::oid(rel), word(block.0)),
        LockTag::Tuple { db, rel, block, offset } => {
            (c[0], c[1], c[2]) = (Datum::oid(db), Datum::oid(rel), word(block.0));
            c[3] = Datum::i16(i16::try_from(offset).unwrap_or(0));
        }
        LockTag::Transaction(xid) => c[5] = xid.into_datum(),
        LockTag::VirtualTransaction { proc, local_xid } => c[4] = Datum::text(&format!("{proc}/{local_xid}")),
        LockTag::SpeculativeToken { xid, token } => (c[5], c[7]) = (xid.into_datum(), word(token)),
        LockTag::Object { db, class, object, sub } => {
            (c[0], c[6], c[7]) = (Datum::oid(db), Datum::oid(class), Datum::oid(object));
            c[8] = Datum::i16(i16::try_from(sub).unwrap_or(0));
        }
        LockTag::Advisory { db, key1, key2, sub } => {
            (c[0], c[6], c[7]) = (Datum::oid(db), word(key1), word(key2));
            c[8] = Datum::i16(i16::try_from(sub).unwrap_or(0));
        }
    }
    c
}

fn lock_row(lock: &LockInfo) -> Vec<Datum> {
    let mut row = vec![Datum::text(lock.tag.type_name())];
    row.extend(target(lock.tag));
    let (proc, local) = lock.virtual_transaction;
    // Of a prepared transaction: -1 and its id.
    row.push(Datum::text(&format!("{}/{local}", proc.cast_signed())));
    row.push(if lock.session == SessionId(0) { Datum::Null } else { Datum::i32(lock.session.0) });
    row.push(Datum::text(lock.mode.as_str()));
    row.push(Datum::bool(lock.granted));
    row.push(Datum::bool(lock.fastpath));
    row.push(opt(lock.wait_start, Datum::i64));
    row
}

#[builtin("pg_lock_status", set)]
fn pg_lock_status(cx: &mut FnCx<'_>) -> Result<Rows> {
    let cluster = cluster(cx)?;
    let mut list: Vec<_> = cluster.manager.locks().all().iter().map(lock_row).collect();
    list.extend(cluster.manager.ssi().all_locks().iter().map(predicate_lock_row));
    Ok(rows(list))
}

/// What a serializable transaction has read.
fn predicate_lock_row(lock: &PredicateLockInfo) -> Vec<Datum> {
    let (db, rel) = (lock.target.db, lock.target.rel);
    let tag = match (lock.target.block, lock.target.offset) {
        (None, _) => LockTag::Relation { db, rel },
        (Some(block), 0) => LockTag::Page { db, rel, block },
        (Some(block), offset) => LockTag::Tuple { db, rel, block, offset },
    };
    let mut row = vec![Datum::text(tag.type_name())];
    row.extend(target(tag));
    let (proc, local) = lock.virtual_transaction;
    row.push(Datum::text(&format!("{}/{local}", proc.cast_signed())));
    row.push(if lock.session == SessionId(0) { Datum::Null } else { Datum::i32(lock.session.0) });
    row.extend([Datum::text("SIReadLock"), Datum::bool(true), Datum::bool(false), Datum::Null]);
    row
}

#[builtin("pg_blocking_pids")]
fn pg_blocking_pids(cx: &mut FnCx<'_>, pid: i32) -> Result<Datum> {
    let blockers = cluster(cx)?.manager.locks().blockers(SessionId(pid));
    let pids: Vec<Datum> = blockers.iter().map(|b| Datum::i32(b.0)).collect();
    word_array(INT4OID, &pids)
}

/// Whom a session waits for that wants a safe snapshot (READ ONLY DEFERRABLE).
#[builtin("pg_safe_snapshot_blocking_pids")]
fn pg_safe_snapshot_blocking_pids(cx: &mut FnCx<'_>, pid: i32) -> Result<Datum> {
    let blockers = cluster(cx)?.manager.ssi().safe_snapshot_blockers(SessionId(pid));
    let pids: Vec<Datum> = blockers.iter().map(|b| Datum::i32(b.0)).collect();
    word_array(INT4OID, &pids)
}

/// Is the session blocked by one of those? (For the isolation tests.)
#[builtin("pg_isolation_test_session_is_blocked")]
fn session_is_blocked(cx: &mut FnCx<'_>, pid: i32, interesting: &[u8]) -> Result<bool> {
    let elem = types::array::ElementType { oid: INT4OID, len: 4, byval: true, align: Align::Int };
    let wanted = types::array::ArrayRef::new(interesting)?.to_vec(&elem)?;
    let cluster = cluster(cx)?;
    let blockers = cluster.manager.locks().blockers(SessionId(pid));
    let unsafe_snapshot = !cluster.manager.ssi().safe_snapshot_blockers(SessionId(pid)).is_empty();
    Ok(unsafe_snapshot || blockers.iter().any(|b| wanted.iter().any(|w| !w.is_null() && w.word() as i32 == b.0)))
}
