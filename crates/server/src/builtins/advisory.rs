//! Advisory locks: the applications' own. (PostgreSQL: `lockfuncs.c`)

use base::Result;
use txn::LockMode;
use txn::lock::{Acquired, LockLevel, LockTag, Wait};
use types::{FnCx, builtin};

use super::*;

fn long(cx: &FnCx<'_>, key: i64) -> LockTag {
    let bits = key.cast_unsigned();
    LockTag::Advisory {
        db: cx.settings().database,
        key1: u32::try_from(bits >> 32).unwrap_or(0),
        key2: u32::try_from(bits & 0xffff_ffff).unwrap_or(0),
        sub: 1,
    }
}
fn pair(cx: &FnCx<'_>, key1: i32, key2: i32) -> LockTag {
    LockTag::Advisory { db: cx.settings().database, key1: key1.cast_unsigned(), key2: key2.cast_unsigned(), sub: 2 }
}

fn take(cx: &mut FnCx<'_>, tag: LockTag, mode: LockMode, level: LockLevel, wait: Wait) -> Result<bool> {
    let (cluster, proc) = (cluster(cx)?, own_proc(cx)?);
    let got = cluster.manager.locks().acquire(&proc, tag, mode, level, wait)?;
    Ok(got != Acquired::NotAvailable)
}
fn give(cx: &mut FnCx<'_>, tag: LockTag, mode: LockMode) -> Result<bool> {
    let (cluster, proc) = (cluster(cx)?, own_proc(cx)?);
    if cluster.manager.locks().release(&proc, tag, mode, LockLevel::Session) {
        return Ok(true);
    }
    let text = format!("you don't own a lock of type {}", mode.as_str());
    cx.rt.notice(PgError::with_severity(base::Severity::Warning, base::sqlstate::WARNING, text));
    Ok(false)
}

#[builtin("pg_advisory_lock_int8")]
fn pg_advisory_lock_int8(cx: &mut FnCx<'_>, key: i64) -> Result<()> {
    let tag = long(cx, key);
    take(cx, tag, LockMode::Exclusive, LockLevel::Session, Wait::Block).map(drop)
}
#[builtin("pg_advisory_lock_shared_int8")]
fn pg_advisory_lock_shared_int8(cx: &mut FnCx<'_>, key: i64) -> Result<()> {
    let tag = long(cx, key);
    take(cx, tag, LockMode::Share, LockLevel::Session, Wait::Block).map(drop)
}
#[builtin("pg_advisory_xact_lock_int8")]
fn pg_advisory_xact_lock_int8(cx: &mut FnCx<'_>, key: i64) -> Result<()> {
    let tag = long(cx, key);
    take(cx, tag, LockMode::Exclusive, LockLevel::Transaction, Wait::Block).map(drop)
}
#[builtin("pg_advisory_xact_lock_shared_int8")]
fn pg_advisory_xact_lock_shared_int8(cx: &mut FnCx<'_>, key: i64) -> Result<()> {
    let tag = long(cx, key);
    take(cx, tag, LockMode::Share, LockLevel::Transaction, Wait::Block).map(drop)
}
#[builtin("pg_try_advisory_lock_int8")]
fn pg_try_advisory_lock_int8(cx: &mut FnCx<'_>, key: i64) -> Result<bool> {
    let tag = long(cx, key);
    take(cx, tag, LockMode::Exclusive, LockLevel::Session, Wait::No)
}
#[builtin("pg_try_advisory_lock_shared_int8")]
fn pg_try_advisory_lock_shared_int8(cx: &mut FnCx<'_>, key: i64) -> Result<bool> {
    let tag = long(cx, key);
    take(cx, tag, LockMode::Share, LockLevel::Session, Wait::No)
}
#[builtin("pg_try_advisory_xact_lock_int8")]
fn pg_try_advisory_xact_lock_int8(cx: &mut FnCx<'_>, key: i64) -> Result<bool> {
    let tag = long(cx, key);
    take(cx, tag, LockMode::Exclusive, LockLevel::Transaction, Wait::No)
}
#[builtin("pg_try_advisory_xact_lock_shared_int8")]
fn pg_try_advisory_xact_lock_shared_int8(cx: &mut FnCx<'_>, key: i64) -> Result<bool> {
    let tag = long(cx, key);
    take(cx, tag, LockMode::Share, LockLevel::Transaction, Wait::No)
}
#[builtin("pg_advisory_unlock_int8")]
fn pg_advisory_unlock_int8(cx: &mut FnCx<'_>, key: i64) -> Result<bool> {
    let tag = long(cx, key);
    give(cx, tag, LockMode::Exclusive)
}
#[builtin("pg_advisory_unlock_shared_int8")]
fn pg_advisory_unlock_shared_int8(cx: &mut FnCx<'_>, key: i64) -> Result<bool> {
    let tag = long(cx, key);
    give(cx, tag, LockMode::Share)
}
#[builtin("pg_advisory_lock_int4")]
fn pg_advisory_lock_int4(cx: &mut FnCx<'_>, key1: i32, key2: i32) -> Result<()> {
    let tag = pair(cx, key1, key2);
    take(cx, tag, LockMode::Exclusive, LockLevel::Session, Wait::Block).map(drop)
}
#[builtin("pg_advisory_lock_shared_int4")]
fn pg_advisory_lock_shared_int4(cx: &mut FnCx<'_>, key1: i32, key2: i32) -> Result<()> {
    let tag = pair(cx, key1, key2);
    take(cx, tag, LockMode::Share, LockLevel::Session, Wait::Block).map(drop)
}
#[builtin("pg_advisory_xact_lock_int4")]
fn pg_advisory_xact_lock_int4(cx: &mut FnCx<'_>, key1: i32, key2: i32) -> Result<()> {
    let tag = pair(cx, key1, key2);
    take(cx, tag, LockMode::Exclusive, LockLevel::Transaction, Wait::Block).map(drop)
}
#[builtin("pg_advisory_xact_lock_shared_int4")]
fn pg_advisory_xact_lock_shared_int4(cx: &mut FnCx<'_>, key1: i32, key2: i32) -> Result<()> {
    let tag = pair(cx, key1, key2);
    take(cx, tag, LockMode::Share, LockLevel::Transaction, Wait::Block).map(drop)
}
#[builtin("pg_try_advisory_lock_int4")]
fn pg_try_advisory_lock_int4(cx: &mut FnCx<'_>, key1: i32, key2: i32) -> Result<bool> {
    let tag = pair(cx, key1, key2);
    take(cx, tag, LockMode::Exclusive, LockLevel::Session, Wait::No)
}
#[builtin("pg_try_advisory_lock_shared_int4")]
fn pg_try_advisory_lock_shared_int4(cx: &mut FnCx<'_>, key1: i32, key2: i32) -> Result<bool> {
    let tag = pair(cx, key1, key2);
    take(cx, tag, LockMode::Share, LockLevel::Session, Wait::No)
}
#[builtin("pg_try_advisory_xact_lock_int4")]
fn pg_try_advisory_xact_lock_int4(cx: &mut FnCx<'_>, key1: i32, key2: i32) -> Result<bool> {
    let tag = pair(cx, key1, key2);
    take(cx, tag, LockMode::Exclusive, LockLevel::Transaction, Wait::No)
}
#[builtin("pg_try_advisory_xact_lock_shared_int4")]
fn pg_try_advisory_xact_lock_shared_int4(cx: &mut FnCx<'_>, key1: i32, key2: i32) -> Result<bool> {
    let tag = pair(cx, key1, key2);
    take(cx, tag, LockMode::Share, LockLevel::Transaction, Wait::No)
}
#[builtin("pg_advisory_unlock_int4")]
fn pg_advisory_unlock_int4(cx: &mut FnCx<'_>, key1: i32, key2: i32) -> Result<bool> {
    let tag = pair(cx, key1, key2);
    give(cx, tag, LockMode::Exclusive)
}
#[builtin("pg_advisory_unlock_shared_int4")]
fn pg_advisory_unlock_shared_int4(cx: &mut FnCx<'_>, key1: i32, key2: i32) -> Result<bool> {
    let tag = pair(cx, key1, key2);
    give(cx, tag, LockMode::Share)
}
#[builtin("pg_advisory_unlock_all")]
fn pg_advisory_unlock_all(cx: &mut FnCx<'_>) -> Result<()> {
    let (cluster, proc) = (cluster(cx)?, own_proc(cx)?);
    cluster.manager.locks().release_session(&proc, true);
    Ok(())
}
