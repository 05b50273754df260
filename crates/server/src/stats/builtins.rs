//! What `pg_stat_user_tables`, `pg_stat_database` and their like ask for.
//!
//! PostgreSQL: `pgstatfuncs.c`.

use std::sync::Arc;

use base::{Oid, Result};
use txn::Transaction;
use txn::stats::{DatabaseCounter, TableCounter};
use types::{Datum, FnCx, builtin};

/// A relation's counter; 0 if nothing was counted.
fn table(cx: &mut FnCx<'_>, rel: Oid, counter: TableCounter) -> Result<i64> {
    let txn = cx.extension::<Arc<Transaction>>()?;
    let (stats, database) = (txn.manager().stats(), txn.proc().database());
    // Shared relations are nobody's own.
    let found = stats.find_table(database, rel).or_else(|| stats.find_table(Oid::INVALID, rel));
    Ok(found.map_or(0, |t| t.get(counter)))
}
/// A moment; null if it never came.
fn moment(cx: &mut FnCx<'_>, rel: Oid, counter: TableCounter) -> Result<Datum> {
    Ok(timestamp(table(cx, rel, counter)?))
}
fn timestamp(time: i64) -> Datum {
    if time == 0 { Datum::Null } else { Datum::i64(time) }
}
fn database(cx: &mut FnCx<'_>, database: Oid, counter: DatabaseCounter) -> Result<i64> {
    let txn = cx.extension::<Arc<Transaction>>()?;
    Ok(txn.manager().stats().sum(database, counter))
}

#[builtin("pg_stat_get_numscans")]
fn numscans(cx: &mut FnCx<'_>, rel: Oid) -> Result<i64> {
    table(cx, rel, TableCounter::Scans)
}
#[builtin("pg_stat_get_tuples_returned")]
fn tuples_returned(cx: &mut FnCx<'_>, rel: Oid) -> Result<i64> {
    table(cx, rel, TableCounter::RowsReturned)
}
#[builtin("pg_stat_get_tuples_fetched")]
fn tuples_fetched(cx: &mut FnCx<'_>, rel: Oid) -> Result<i64> {
    table(cx, rel, TableCounter::RowsFetched)
}
#[builtin("pg_stat_get_tuples_inserted")]
fn tuples_inserted(cx: &mut FnCx<'_>, rel: Oid) -> Result<i64> {
    table(cx, rel, TableCounter::Inserted)
}
#[builtin("pg_stat_get_tuples_updated")]
fn tuples_updated(cx: &mut FnCx<'_>, rel: Oid) -> Result<i64> {
    table(cx, rel, TableCounter::Updated)
}
#[builtin("pg_stat_get_tuples_deleted")]
fn tuples_deleted(cx: &mut FnCx<'_>, rel: Oid) -> Result<i64> {
    table(cx, rel, TableCounter::Deleted)
}
#[builtin("pg_stat_get_tuples_hot_updated")]
fn tuples_hot_updated(cx: &mut FnCx<'_>, rel: Oid) -> Result<i64> {
    table(cx, rel, TableCounter::HotUpdated)
}
#[builtin("pg_stat_get_tuples_newpage_updated")]
fn tuples_newpage_updated(cx: &mut FnCx<'_>, rel: Oid) -> Result<i64> {
    table(cx, rel, TableCounter::NewPageUpdated)
}
#[builtin("pg_stat_get_live_tuples")]
fn live_tuples(cx: &mut FnCx<'_>, rel: Oid) -> Result<i64> {
    table(cx, rel, TableCounter::Live)
}
#[builtin("pg_stat_get_dead_tuples")]
fn dead_tuples(cx: &mut FnCx<'_>, rel: Oid) -> Result<i64> {
    table(cx, rel, TableCounter::Dead)
}
#[builtin("pg_stat_get_mod_since_analyze")]
fn mod_since_analyze(cx: &mut FnCx<'_>, rel: Oid) -> Result<i64> {
    table(cx, rel, TableCounter::ModSinceAnalyze)
}
#[builtin("pg_stat_get_ins_since_vacuum")]
fn ins_since_vacuum(cx: &mut FnCx<'_>, rel: Oid) -> Result<i64> {
    table(cx, rel, TableCounter::InsertedSinceVacuum)
}
#[builtin("pg_stat_get_vacuum_count")]
fn vacuum_count(cx: &mut FnCx<'_>, rel: Oid) -> Result<i64> {
    table(cx, rel, TableCounter::VacuumCount)
}
#[builtin("pg_stat_get_autovacuum_count")]
fn autovacuum_count(cx: &mut FnCx<'_>, rel: Oid) -> Result<i64> {
    table(cx, rel, TableCounter::AutovacuumCount)
}
#[builtin("pg_stat_get_analyze_count")]
fn analyze_count(cx: &mut FnCx<'_>, rel: Oid) -> Result<i64> {
    table(cx, rel, TableCounter::AnalyzeCount)
}
#[builtin("pg_stat_get_autoanalyze_count")]
fn autoanalyze_count(cx: &mut FnCx<'_>, rel: Oid) -> Result<i64> {
    table(cx, rel, TableCounter::AutoanalyzeCount)
}
#[builtin("pg_stat_get_blocks_fetched")]
fn blocks_fetched(cx: &mut FnCx<'_>, rel: Oid) -> Result<i64> {
    table(cx, rel, TableCounter::BlocksFetched)
}
#[builtin("pg_stat_get_blocks_hit")]
fn blocks_hit(cx: &mut FnCx<'_>, rel: Oid) -> Result<i64> {
    table(cx, rel, TableCounter::BlocksHit)
}
#[builtin("pg_stat_get_lastscan")]
fn lastscan(cx: &mut FnCx<'_>, rel: Oid) -> Result<Datum> {
    moment(cx, rel, TableCounter::LastScan)
}
#[builtin("pg_stat_get_last_vacuum_time")]
fn last_vacuum_time(cx: &mut FnCx<'_>, rel: Oid) -> Result<Datum> {
    moment(cx, rel, TableCounter::LastVacuum)
}
#[builtin("pg_stat_get_last_autovacuum_time")]
fn last_autovacuum_time(cx: &mut FnCx<'_>, rel: Oid) -> Result<Datum> {
    moment(cx, rel, TableCounter::LastAutovacuum)
}
#[builtin("pg_stat_get_last_analyze_time")]
fn last_analyze_time(cx: &mut FnCx<'_>, rel: Oid) -> Result<Datum> {
    moment(cx, rel, TableCounter::LastAnalyze)
}
#[builtin("pg_stat_get_last_autoanalyze_time")]
fn last_autoanalyze_time(cx: &mut FnCx<'_>, rel: Oid) -> Result<Datum> {
    moment(cx, rel, TableCounter::LastAutoanalyze)
}
#[builtin("pg_stat_get_total_vacuum_time")]
fn total_vacuum_time(cx: &mut FnCx<'_>, rel: Oid) -> Result<f64> {
    Ok(table(cx, rel, TableCounter::VacuumTime)? as f64)
}
#[builtin("pg_stat_get_total_autovacuum_time")]
fn total_autovacuum_time(cx: &mut FnCx<'_>, rel: Oid) -> Result<f64> {
    Ok(table(cx, rel, TableCounter::AutovacuumTime)? as f64)
}
#[builtin("pg_stat_get_total_analyze_time")]
fn total_analyze_time(cx: &mut FnCx<'_>, rel: Oid) -> Result<f64> {
    Ok(table(cx, rel, TableCounter::AnalyzeTime)? as f64)
}
#[builtin("pg_stat_get_total_autoanalyze_time")]
fn total_autoanalyze_time(cx: &mut FnCx<'_>, rel: Oid) -> Result<f64> {
    Ok(table(cx, rel, TableCounter::AutoanalyzeTime)? as f64)
}
#[builtin("pg_stat_get_db_xact_commit")]
fn db_xact_commit(cx: &mut FnCx<'_>, db: Oid) -> Result<i64> {
    database(cx, db, DatabaseCounter::Commits)
}
#[builtin("pg_stat_get_db_xact_rollback")]
fn db_xact_rollback(cx: &mut FnCx<'_>, db: Oid) -> Result<i64> {
    database(cx, db, DatabaseCounter::Rollbacks)
}
#[builtin("pg_stat_get_db_blocks_fetched")]
fn db_blocks_fetched(cx: &mut FnCx<'_>, db: Oid) -> Result<i64> {
    database(cx, db, DatabaseCounter::BlocksFetched)
}
#[builtin("pg_stat_get_db_blocks_hit")]
fn db_blocks_hit(cx: &mut FnCx<'_>, db: Oid) -> Result<i64> {
    database(cx, db, DatabaseCounter::BlocksHit)
}
#[builtin("pg_stat_get_db_tuples_returned")]
fn db_tuples_returned(cx: &mut FnCx<'_>, db: Oid) -> Result<i64> {
    database(cx, db, DatabaseCounter::RowsReturned)
}
#[builtin("pg_stat_get_db_tuples_fetched")]
fn db_tuples_fetched(cx: &mut FnCx<'_>, db: Oid) -> Result<i64> {
    database(cx, db, DatabaseCounter::RowsFetched)
}
#[builtin("pg_stat_get_db_tuples_inserted")]
fn db_tuples_inserted(cx: &mut FnCx<'_>, db: Oid) -> Result<i64> {
    database(cx, db, DatabaseCounter::Inserted)
}
#[builtin("pg_stat_get_db_tuples_updated")]
fn db_tuples_updated(cx: &mut FnCx<'_>, db: Oid) -> Result<i64> {
    database(cx, db, DatabaseCounter::Updated)
}
#[builtin("pg_stat_get_db_tuples_deleted")]
fn db_tuples_deleted(cx: &mut FnCx<'_>, db: Oid) -> Result<i64> {
    database(cx, db, DatabaseCounter::Deleted)
}
#[builtin("pg_stat_get_db_temp_files")]
fn db_temp_files(cx: &mut FnCx<'_>, db: Oid) -> Result<i64> {
    database(cx, db, DatabaseCounter::TemporaryFiles)
}
#[builtin("pg_stat_get_db_temp_bytes")]
fn db_temp_bytes(cx: &mut FnCx<'_>, db: Oid) -> Result<i64> {
    database(cx, db, DatabaseCounter::TemporaryBytes)
}
#[builtin("pg_stat_get_db_deadlocks")]
fn db_deadlocks(cx: &mut FnCx<'_>, db: Oid) -> Result<i64> {
    database(cx, db, DatabaseCounter::Deadlocks)
}
#[builtin("pg_stat_get_db_sessions")]
fn db_sessions(cx: &mut FnCx<'_>, db: Oid) -> Result<i64> {
    database(cx, db, DatabaseCounter::Sessions)
}
#[builtin("pg_stat_get_db_sessions_abandoned")]
fn db_sessions_abandoned(cx: &mut FnCx<'_>, db: Oid) -> Result<i64> {
    database(cx, db, DatabaseCounter::SessionsAbandoned)
}
#[builtin("pg_stat_get_db_sessions_fatal")]
fn db_sessions_fatal(cx: &mut FnCx<'_>, db: Oid) -> Result<i64> {
    database(cx, db, DatabaseCounter::SessionsFatal)
}
#[builtin("pg_stat_get_db_sessions_killed")]
fn db_sessions_killed(cx: &mut FnCx<'_>, db: Oid) -> Result<i64> {
    database(cx, db, DatabaseCounter::SessionsKilled)
}
#[builtin("pg_stat_get_db_session_time")]
fn db_session_time(cx: &mut FnCx<'_>, db: Oid) -> Result<f64> {
    Ok(database(cx, db, DatabaseCounter::SessionTime)? as f64 / 1000.0)
}
#[builtin("pg_stat_get_db_active_time")]
fn db_active_time(cx: &mut FnCx<'_>, db: Oid) -> Result<f64> {
    Ok(database(cx, db, DatabaseCounter::ActiveTime)? as f64 / 1000.0)
}
#[builtin("pg_stat_get_db_idle_in_transaction_time")]
fn db_idle_in_transaction_time(cx: &mut FnCx<'_>, db: Oid) -> Result<f64> {
    Ok(database(cx, db, DatabaseCounter::IdleInTransactionTime)? as f64 / 1000.0)
}
#[builtin("pg_stat_get_db_stat_reset_time")]
fn db_stat_reset_time(cx: &mut FnCx<'_>, db: Oid) -> Result<Datum> {
    Ok(timestamp(database(cx, db, DatabaseCounter::ResetTime)?))
}

/// Counters of this database become 0.
#[builtin("pg_stat_reset")]
fn reset(cx: &mut FnCx<'_>) -> Result<()> {
    let txn = cx.extension::<Arc<Transaction>>()?;
    txn.manager().stats().reset_database(txn.proc().database());
    Ok(())
}
#[builtin("pg_stat_reset_single_table_counters")]
fn reset_single_table_counters(cx: &mut FnCx<'_>, rel: Oid) -> Result<()> {
    let txn = cx.extension::<Arc<Transaction>>()?;
    let (stats, database) = (txn.manager().stats(), txn.proc().database());
    if let Some(t) = stats.find_table(database, rel).or_else(|| stats.find_table(Oid::INVALID, rel)) {
        t.reset();
    }
    Ok(())
}
