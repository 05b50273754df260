//! What the server knows of itself: key words, time zones, what is not configured in. (PostgreSQL: `misc.c` and others)

use base::sqlstate::*;
use base::{PgError, Result};
use parser::keywords::{Category, KEYWORDS};
use types::{FnCx, builtin};
use wal::RmgrId;

use super::*;

#[builtin("pg_get_keywords", set)]
fn pg_get_keywords(_: &mut FnCx<'_>) -> Result<Rows> {
    let row = |k: &parser::keywords::Keyword| {
        let (code, text) = match k.category {
            Category::Unreserved => (b'U', "unreserved"),
            Category::ColName => (b'C', "unreserved (cannot be function or type name)"),
            Category::TypeFuncName => (b'T', "reserved (can be function or type name)"),
            Category::Reserved => (b'R', "reserved"),
        };
        let bare = if k.bare_label { "can be bare label" } else { "requires AS" };
        vec![Datum::text(k.word), Datum::char(code), Datum::bool(k.bare_label), Datum::text(text), Datum::text(bare)]
    };
    Ok(rows(KEYWORDS.iter().map(row).collect()))
}

/// An interval of whole seconds.
fn interval(seconds: i64) -> Datum {
    let mut out = Vec::with_capacity(16);
    out.extend_from_slice(&(seconds * 1_000_000).to_le_bytes());
    out.extend_from_slice(&[0; 8]);
    Datum::bytes(out)
}

#[builtin("pg_timezone_names", set)]
fn pg_timezone_names(cx: &mut FnCx<'_>) -> Result<Rows> {
    let micros = cx.settings().transaction_timestamp + 946_684_800_000_000;
    let now = jiff::Timestamp::from_microsecond(micros).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    let mut list = Vec::new();
    for name in jiff::tz::db().available() {
        if let Ok(zone) = jiff::tz::TimeZone::get(name.as_str()) {
            let info = zone.to_offset_info(now);
            list.push(vec![
                Datum::text(name.as_str()),
                Datum::text(info.abbreviation()),
                interval(i64::from(info.offset().seconds())),
                Datum::bool(info.dst().is_dst()),
            ]);
        }
    }
    Ok(rows(list))
}

#[builtin("pg_jit_available", "pg_numa_available")]
fn never() -> bool {
    false
}
#[builtin("pg_trigger_depth")]
fn pg_trigger_depth(cx: &mut FnCx<'_>) -> Result<i32> {
    let cx = cx.extension::<executor::ExecContext>()?;
    Ok(cx.extension_or_default::<executor::trigger::call::TriggerDepth>().0)
}
#[builtin("pg_my_temp_schema")]
fn pg_my_temp_schema(cx: &mut FnCx<'_>) -> Result<Oid> {
    Ok(catalog(cx)?.temp_schema())
}
#[builtin("pg_is_other_temp_schema")]
fn pg_is_other_temp_schema(cx: &mut FnCx<'_>, schema: Oid) -> Result<bool> {
    catalog(cx)?.is_other_temp_schema(schema)
}
#[builtin("pg_notify")]
fn pg_notify(cx: &mut FnCx<'_>, channel: Option<&str>, payload: Option<&str>) -> Result<()> {
    let (cluster, entry, txn) = (cluster(cx)?, entry(cx)?, transaction(cx)?);
    let notifier = crate::notify::Notifier { cluster: &cluster, entry: &entry, txn: &txn };
    notifier.notify(channel.unwrap_or_default(), payload.unwrap_or_default())
}
#[builtin("pg_listening_channels", set)]
fn pg_listening_channels(cx: &mut FnCx<'_>) -> Result<Rows> {
    Ok(rows(entry(cx)?.inbox.channels().iter().map(|c| vec![Datum::text(c)]).collect()))
}
#[builtin("pg_notification_queue_usage")]
fn pg_notification_queue_usage(cx: &mut FnCx<'_>) -> Result<f64> {
    let cluster = cluster(cx)?;
    Ok(cluster.notifications.usage(&cluster))
}
#[builtin("pg_current_logfile")]
fn pg_current_logfile() -> Datum {
    Datum::Null
}
#[builtin("pg_rotate_logfile")]
fn pg_rotate_logfile(cx: &mut FnCx<'_>) -> Result<bool> {
    let text = "rotation not possible because log collection not active";
    cx.rt.notice(PgError::with_severity(base::Severity::Warning, WARNING, text));
    Ok(false)
}
#[builtin("pg_get_wal_resource_managers", set)]
fn pg_get_wal_resource_managers(_: &mut FnCx<'_>) -> Result<Rows> {
    let row = |id| Some(vec![Datum::i32(i32::from(id)), Datum::text(RmgrId(id).name()?), Datum::bool(true)]);
    Ok(rows((0..=RmgrId::MAX_BUILTIN).filter_map(row).collect()))
}

/// (PostgreSQL: `is_publishable_class`)
#[builtin("pg_relation_is_publishable")]
fn pg_relation_is_publishable(cx: &mut FnCx<'_>, rel: Oid) -> Result<Option<bool>> {
    let Some(relation) = catalog(cx)?.relation(rel)? else { return Ok(None) };
    let kind = matches!(relation.kind(), catalog::relkind::TABLE | catalog::relkind::PARTITIONED_TABLE);
    Ok(Some(kind && relation.is_permanent() && rel.0 >= 16384))
}
