//! `pg_stat_*` of what is not counted yet: as in a server whose statistics were just reset. What is counted: `crate::stats`.
//!
//! PostgreSQL: `pgstatfuncs.c`.

use base::Result;
use types::{FnCx, builtin};

use super::*;

/// Counters.
#[builtin(
    "pg_stat_get_bgwriter_buf_written_clean",
    "pg_stat_get_bgwriter_maxwritten_clean",
    "pg_stat_get_buf_alloc",
    "pg_stat_get_checkpointer_buffers_written",
    "pg_stat_get_checkpointer_num_performed",
    "pg_stat_get_checkpointer_num_requested",
    "pg_stat_get_checkpointer_num_timed",
    "pg_stat_get_checkpointer_restartpoints_performed",
    "pg_stat_get_checkpointer_restartpoints_requested",
    "pg_stat_get_checkpointer_restartpoints_timed",
    "pg_stat_get_checkpointer_slru_written",
    "pg_stat_get_db_checksum_failures",
    "pg_stat_get_db_conflict_all",
    "pg_stat_get_db_conflict_bufferpin",
    "pg_stat_get_db_conflict_lock",
    "pg_stat_get_db_conflict_logicalslot",
    "pg_stat_get_db_conflict_snapshot",
    "pg_stat_get_db_conflict_startup_deadlock",
    "pg_stat_get_db_conflict_tablespace",
    "pg_stat_get_db_parallel_workers_launched",
    "pg_stat_get_db_parallel_workers_to_launch",
    "pg_stat_get_xact_blocks_fetched",
    "pg_stat_get_xact_blocks_hit",
    "pg_stat_get_xact_numscans",
    "pg_stat_get_xact_tuples_deleted",
    "pg_stat_get_xact_tuples_fetched",
    "pg_stat_get_xact_tuples_hot_updated",
    "pg_stat_get_xact_tuples_inserted",
    "pg_stat_get_xact_tuples_newpage_updated",
    "pg_stat_get_xact_tuples_returned",
    "pg_stat_get_xact_tuples_updated",
    raw
)]
fn zero(_: &mut FnCx<'_>, _: &[DatumRef<'_>]) -> Datum {
    Datum::i64(0)
}

/// Times in milliseconds.
#[builtin(
    "pg_stat_get_checkpointer_sync_time",
    "pg_stat_get_checkpointer_write_time",
    "pg_stat_get_db_blk_read_time",
    "pg_stat_get_db_blk_write_time",
    raw
)]
fn no_time_spent(_: &mut FnCx<'_>, _: &[DatumRef<'_>]) -> Datum {
    types::IntoDatum::into_datum(0.0f64)
}

/// Moments that never came; functions without calls.
#[builtin(
    "pg_stat_get_backend_wait_event",
    "pg_stat_get_backend_wait_event_type",
    "pg_stat_get_bgwriter_stat_reset_time",
    "pg_stat_get_checkpointer_stat_reset_time",
    "pg_stat_get_db_checksum_last_failure",
    "pg_stat_get_function_calls",
    "pg_stat_get_function_self_time",
    "pg_stat_get_function_total_time",
    "pg_stat_get_snapshot_timestamp",
    "pg_stat_get_xact_function_calls",
    "pg_stat_get_xact_function_self_time",
    "pg_stat_get_xact_function_total_time",
    raw
)]
fn unknown(_: &mut FnCx<'_>, _: &[DatumRef<'_>]) -> Datum {
    Datum::Null
}

/// There is nothing to forget or to write out.
#[builtin(
    "pg_stat_clear_snapshot",
    "pg_stat_force_next_flush",
    "pg_stat_reset_backend_stats",
    "pg_stat_reset_replication_slot",
    "pg_stat_reset_shared",
    "pg_stat_reset_single_function_counters",
    "pg_stat_reset_slru",
    "pg_stat_reset_subscription_stats",
    raw
)]
fn done(_: &mut FnCx<'_>, _: &[DatumRef<'_>]) -> Datum {
    types::IntoDatum::into_datum(())
}

#[builtin("pg_stat_get_db_numbackends")]
fn pg_stat_get_db_numbackends(cx: &mut FnCx<'_>, db: Oid) -> Result<i32> {
    let sessions = cluster(cx)?.sessions.list();
    let count = sessions.iter().filter(|s| s.activity.lock().database == db).count();
    Ok(i32::try_from(count).unwrap_or(i32::MAX))
}
#[builtin("pg_stat_have_stats")]
fn pg_stat_have_stats(_kind: &str, _db: Oid, _object: i64) -> bool {
    false
}
#[builtin("pg_stat_get_archiver")]
fn pg_stat_get_archiver(cx: &mut FnCx<'_>) -> Result<Datum> {
    let start = cluster(cx)?.start_time;
    let row = [Datum::i64(0), Datum::Null, Datum::Null, Datum::i64(0), Datum::Null, Datum::Null, time(start)];
    one_row(cx, &row)
}
#[builtin("pg_stat_get_wal")]
fn pg_stat_get_wal(cx: &mut FnCx<'_>) -> Result<Datum> {
    let (start, bytes) = (cluster(cx)?.start_time, numeric(cx, 0)?);
    one_row(cx, &[Datum::i64(0), Datum::i64(0), bytes, Datum::i64(0), time(start)])
}
#[builtin("pg_stat_get_slru", set)]
fn pg_stat_get_slru(cx: &mut FnCx<'_>) -> Result<Rows> {
    let start = cluster(cx)?.start_time;
    let names = [
        "commit_timestamp",
        "multixact_member",
        "multixact_offset",
        "notify",
        "serializable",
        "subtransaction",
        "transaction",
        "other",
    ];
    let row = |name: &&str| {
        let mut row = vec![Datum::text(name)];
        row.extend(std::iter::repeat_n(Datum::i64(0), 7));
        row.push(time(start));
        row
    };
    Ok(rows(names.iter().map(row).collect()))
}
#[builtin(
    "pg_stat_get_io",
    "pg_stat_get_backend_io",
    "pg_stat_get_recovery_prefetch",
    "pg_stat_get_backend_wal",
    "pg_stat_get_subscription_stats",
    "pg_stat_get_replication_slot",
    raw
)]
fn not_counted(_: &mut FnCx<'_>, _: &[DatumRef<'_>]) -> Result<Datum> {
    Err(PgError::unsupported("these statistics"))
}
