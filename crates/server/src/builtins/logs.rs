//! Positions in the write-ahead log. (PostgreSQL: `xlogfuncs.c`)

use base::sqlstate::*;
use base::{Lsn, PgError, Result};
use types::{Datum, FnCx, builtin};
use wal::position::segment_file_name;

use super::*;

/// (PostgreSQL: `RecoveryInProgress` checks)
fn writable(cx: &mut FnCx<'_>) -> Result<Arc<Cluster>> {
    let cluster = cluster(cx)?;
    if cluster.wal.in_recovery() {
        let hint = "WAL control functions cannot be executed during recovery.";
        return Err(PgError::new(OBJECT_NOT_IN_PREREQUISITE_STATE, "recovery is in progress").hint(hint));
    }
    Ok(cluster)
}

#[builtin("pg_current_wal_lsn")]
fn pg_current_wal_lsn(cx: &mut FnCx<'_>) -> Result<Lsn> {
    Ok(writable(cx)?.wal.write_position())
}
#[builtin("pg_current_wal_insert_lsn")]
fn pg_current_wal_insert_lsn(cx: &mut FnCx<'_>) -> Result<Lsn> {
    Ok(writable(cx)?.wal.insert_position())
}
#[builtin("pg_current_wal_flush_lsn")]
fn pg_current_wal_flush_lsn(cx: &mut FnCx<'_>) -> Result<Lsn> {
    Ok(writable(cx)?.wal.flush_position())
}
#[builtin("pg_switch_wal")]
fn pg_switch_wal(cx: &mut FnCx<'_>) -> Result<Lsn> {
    writable(cx)?.wal.switch_segment()
}
/// (PostgreSQL: `pg_lsn_mi`)
#[builtin("pg_wal_lsn_diff")]
fn pg_wal_lsn_diff(cx: &mut FnCx<'_>, a: Lsn, b: Lsn) -> Result<Datum> {
    let (a, b) = (types::IntoDatum::into_datum(a), types::IntoDatum::into_datum(b));
    cx.rt.call(Oid(3237), Oid::INVALID, &[a.as_ref(), b.as_ref()])
}
#[builtin("pg_walfile_name")]
fn pg_walfile_name(cx: &mut FnCx<'_>, lsn: Lsn) -> Result<String> {
    let cluster = writable(cx)?;
    let segments = cluster.wal.segments();
    Ok(segment_file_name(cluster.wal.timeline(), segments.number(lsn), segments))
}
#[builtin("pg_walfile_name_offset")]
fn pg_walfile_name_offset(cx: &mut FnCx<'_>, lsn: Lsn) -> Result<Datum> {
    let cluster = writable(cx)?;
    let segments = cluster.wal.segments();
    let name = segment_file_name(cluster.wal.timeline(), segments.number(lsn), segments);
    let offset = i32::try_from(segments.offset(lsn)).unwrap_or(0);
    one_row(cx, &[Datum::text(&name), Datum::i32(offset)])
}
#[builtin("pg_split_walfile_name")]
fn pg_split_walfile_name(cx: &mut FnCx<'_>, name: &str) -> Result<Datum> {
    let segments = cluster(cx)?.wal.segments();
    let upper = name.to_ascii_uppercase();
    let parsed = wal::position::parse_segment_file_name(&upper, segments);
    let Some((timeline, number)) = parsed else {
        return Err(PgError::new(INVALID_PARAMETER_VALUE, format!("invalid WAL file name \"{name}\"")));
    };
    let number = numeric(cx, i64::try_from(number).unwrap_or(i64::MAX))?;
    one_row(cx, &[number, Datum::i64(i64::from(timeline.0))])
}

/// What only a server in recovery has. (PostgreSQL: null on a primary)
#[builtin("pg_last_wal_receive_lsn", "pg_last_wal_replay_lsn", "pg_last_xact_replay_timestamp")]
fn of_recovery() -> Datum {
    Datum::Null
}
#[builtin(
    "pg_is_wal_replay_paused",
    "pg_get_wal_replay_pause_state",
    "pg_wal_replay_pause",
    "pg_wal_replay_resume",
    raw
)]
fn in_recovery_only(_: &mut FnCx<'_>, _: &[DatumRef<'_>]) -> Result<Datum> {
    let hint = "Recovery control functions can only be executed during recovery.";
    Err(PgError::new(OBJECT_NOT_IN_PREREQUISITE_STATE, "recovery is not in progress").hint(hint))
}
