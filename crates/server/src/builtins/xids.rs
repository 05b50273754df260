//! Transaction ids and snapshots as SQL sees them: `pg_current_xact_id`, `pg_snapshot`, `pg_xact_status`.
//!
//! A `pg_snapshot`'s payload: the count of running ids (4 bytes), xmin, xmax, the running ids in order (8 bytes each).
//! (PostgreSQL: `xid8funcs.c`)

use base::sqlstate::*;
use base::{FullXid, PgError, Result};
use txn::manager::Fate;
use types::{Datum, FnCx, builtin};

use super::*;

#[builtin("pg_current_xact_id")]
fn pg_current_xact_id(cx: &mut FnCx<'_>) -> Result<FullXid> {
    transaction(cx)?.top_full_xid()
}
#[builtin("pg_current_xact_id_if_assigned")]
fn pg_current_xact_id_if_assigned(cx: &mut FnCx<'_>) -> Result<Option<FullXid>> {
    let txn = transaction(cx)?;
    Ok(txn.top_xid_if_assigned().map(|x| txn.manager().full_xid(x)))
}

/// A snapshot by its ids.
struct PgSnapshot {
    xmin: u64,
    xmax: u64,
    running: Vec<u64>,
}

impl PgSnapshot {
    fn datum(&self) -> Datum {
        let mut out = Vec::with_capacity(20 + 8 * self.running.len());
        out.extend_from_slice(&u32::try_from(self.running.len()).unwrap_or(u32::MAX).to_le_bytes());
        for v in [self.xmin, self.xmax].iter().chain(&self.running) {
            out.extend_from_slice(&v.to_le_bytes());
        }
        Datum::bytes(out)
    }
    fn read(bytes: &[u8]) -> Result<PgSnapshot> {
        let bad = || PgError::new(DATA_CORRUPTED, "invalid pg_snapshot");
        let mut ids = bytes
            .get(4..)
            .ok_or_else(bad)?
            .chunks_exact(8)
            .map(|c| c.iter().rev().fold(0u64, |v, b| v << 8 | u64::from(*b)));
        let (xmin, xmax) = (ids.next().ok_or_else(bad)?, ids.next().ok_or_else(bad)?);
        Ok(PgSnapshot { xmin, xmax, running: ids.collect() })
    }
    fn parse(text: &str) -> Option<PgSnapshot> {
        let mut parts = text.splitn(3, ':');
        let (xmin, xmax) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
        let list = parts.next()?;
        if xmin == 0 || xmax == 0 || xmax < xmin {
            return None;
        }
        let mut running: Vec<u64> = Vec::new();
        for part in list.split(',').filter(|_| !list.is_empty()) {
            let v: u64 = part.parse().ok()?;
            if v < xmin || v >= xmax || running.last().is_some_and(|l| *l > v) {
                return None;
            }
            if running.last() != Some(&v) {
                running.push(v);
            }
        }
        Some(PgSnapshot { xmin, xmax, running })
    }
    fn text(&self) -> String {
        let list: Vec<String> = self.running.iter().map(u64::to_string).collect();
        format!("{}:{}:{}", self.xmin, self.xmax, list.join(","))
    }
}

#[builtin("pg_current_snapshot")]
fn pg_current_snapshot(cx: &mut FnCx<'_>) -> Result<Datum> {
    let txn = transaction(cx)?;
    let snapshot = txn.snapshot()?;
    let full = |x| txn.manager().full_xid(x).0;
    let mut running: Vec<u64> = Vec::new();
    // Subtransactions are not shown: their top-level transaction is.
    for xid in snapshot.running().xids() {
        if txn.manager().top_of(*xid) == *xid {
            running.push(full(*xid));
        }
    }
    running.sort_unstable();
    Ok(PgSnapshot { xmin: full(snapshot.xmin), xmax: full(snapshot.xmax), running }.datum())
}
#[builtin("pg_snapshot_in")]
fn pg_snapshot_in(text: &str) -> Result<Datum> {
    let bad = || {
        let text = format!("invalid input syntax for type pg_snapshot: \"{text}\"");
        PgError::new(INVALID_TEXT_REPRESENTATION, text)
    };
    Ok(PgSnapshot::parse(text).ok_or_else(bad)?.datum())
}
#[builtin("pg_snapshot_out")]
fn pg_snapshot_out(snapshot: &[u8]) -> Result<String> {
    Ok(PgSnapshot::read(snapshot)?.text())
}
#[builtin("pg_snapshot_xmin")]
fn pg_snapshot_xmin(snapshot: &[u8]) -> Result<FullXid> {
    Ok(FullXid(PgSnapshot::read(snapshot)?.xmin))
}
#[builtin("pg_snapshot_xmax")]
fn pg_snapshot_xmax(snapshot: &[u8]) -> Result<FullXid> {
    Ok(FullXid(PgSnapshot::read(snapshot)?.xmax))
}
#[builtin("pg_snapshot_xip", set)]
fn pg_snapshot_xip(snapshot: &[u8]) -> Result<Rows> {
    let running = PgSnapshot::read(snapshot)?.running;
    Ok(rows(running.into_iter().map(|x| vec![types::IntoDatum::into_datum(FullXid(x))]).collect()))
}
#[builtin("pg_visible_in_snapshot")]
fn pg_visible_in_snapshot(xid: FullXid, snapshot: &[u8]) -> Result<bool> {
    let s = PgSnapshot::read(snapshot)?;
    Ok(xid.0 < s.xmin || xid.0 < s.xmax && s.running.binary_search(&xid.0).is_err())
}

#[builtin("pg_xact_status")]
fn pg_xact_status(cx: &mut FnCx<'_>, xid: FullXid) -> Result<Option<&'static str>> {
    let txn = transaction(cx)?;
    let manager = txn.manager();
    let (next, id) = (manager.next_full_xid(), xid.xid());
    if xid.0 >= next.0 {
        let text = format!("transaction ID {} is in the future", xid.0);
        return Err(PgError::new(INVALID_PARAMETER_VALUE, text));
    }
    if !id.is_normal() {
        return Ok(id.is_valid().then_some("committed"));
    }
    let oldest = cluster(cx)?.wal.control().get().checkpoint_copy.oldest_xid;
    if xid.0 + (1 << 31) < next.0 || id.precedes(oldest) {
        return Ok(None);
    }
    if txn.is_current(id) {
        return Ok(Some("in progress"));
    }
    Ok(Some(match manager.fate(id)? {
        Fate::InProgress => "in progress",
        Fate::Committed => "committed",
        Fate::Aborted => "aborted",
    }))
}

#[builtin("pg_export_snapshot")]
fn pg_export_snapshot(cx: &mut FnCx<'_>) -> Result<String> {
    let (cluster, txn) = (cluster(cx)?, transaction(cx)?);
    crate::snapshots::export(&cluster, &txn)
}
