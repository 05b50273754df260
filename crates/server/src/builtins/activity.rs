//! Sessions as others see them: `pg_stat_activity`, cancelling and terminating, one's own connection, the server's times.
//!
//! PostgreSQL: `pgstatfuncs.c`, `signalfuncs.c`, `network.c`.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use base::guc;
use base::interrupt::Reason;
use base::sqlstate::*;
use base::{PgError, Result};
use types::{Datum, FnCx, builtin};

use super::*;
use crate::cluster::{Activity, SessionEntry};

#[builtin("pg_backend_pid")]
fn pg_backend_pid(cx: &mut FnCx<'_>) -> Result<i32> {
    Ok(entry(cx)?.id)
}

/// May the current user see and stop the sessions of that role?
fn may_see(cx: &mut FnCx<'_>, of: Oid, role: &str) -> Result<bool> {
    let user = cx.settings().current_user;
    Ok(catalog(cx)?.privileges_of_role(user, of)? || has_role(cx, role)?)
}

fn activity_row(activity: &Activity, session: &SessionEntry, visible: bool, track: usize) -> Vec<Datum> {
    let proc = session.proc.lock().clone();
    let waits = proc.as_ref().is_some_and(|p| p.is_waiting());
    let (xid, xmin) = proc.map_or((None, None), |p| (p.xid(), p.xmin()));
    let oid = |o: Oid| if o.is_valid() { Datum::oid(o) } else { Datum::Null };
    let mut row = vec![oid(activity.database), Datum::i32(session.id), oid(activity.user)];
    row.push(Datum::text(&activity.application_name));
    if visible {
        let client_read = matches!(activity.state, "idle") || activity.state.starts_with("idle in");
        let wait = if waits {
            Some(("Lock", "transactionid"))
        } else if client_read {
            Some(("Client", "ClientRead"))
        } else {
            None
        };
        let state = Some(activity.state).filter(|s| *s != "starting");
        row.push(opt_text(state));
        row.push(Datum::text(clip(&activity.query, track)));
        row.push(opt_text(wait.map(|w| w.0)));
        row.push(opt_text(wait.map(|w| w.1)));
        row.push(time(activity.xact_start));
        row.push(time(activity.query_start));
        row.push(time(session.started));
        row.push(time(activity.state_change));
        match activity.client_address {
            Some(address) => {
                row.extend([inet(address.ip()), Datum::Null, Datum::i32(i32::from(address.port()))]);
            }
            None => row.extend([Datum::Null, Datum::Null, Datum::i32(-1)]),
        }
    } else {
        row.extend([Datum::Null, Datum::text("<insufficient privilege>")]);
        row.extend(std::iter::repeat_n(Datum::Null, 9));
    }
    row.push(opt(xid, |x| Datum::oid(Oid(x.0))));
    row.push(opt(xmin, |x| Datum::oid(Oid(x.0))));
    let shown = |d: Datum| if visible { d } else { Datum::Null };
    row.push(shown(Datum::text("client backend")));
    row.push(shown(Datum::bool(false)));
    row.extend(std::iter::repeat_n(Datum::Null, 6));
    row.push(shown(Datum::bool(false)));
    row.push(Datum::Null);
    row.push(shown(Datum::bool(false)));
    row.push(shown(Datum::bool(false)));
    row.extend([Datum::Null, Datum::Null]);
    row
}

/// The text's start, as long as `track_activity_query_size` keeps. (PostgreSQL: `pg_mbcliplen`)
fn clip(text: &str, size: usize) -> &str {
    let mut end = text.len().min(size.saturating_sub(1));
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

#[builtin("pg_stat_get_activity", set)]
fn pg_stat_get_activity(cx: &mut FnCx<'_>, pid: Option<i32>) -> Result<Rows> {
    let cluster = cluster(cx)?;
    let size = cluster.config().values.int(guc::TRACK_ACTIVITY_QUERY_SIZE);
    let size = usize::try_from(size).unwrap_or(1024);
    let mut list = Vec::new();
    for session in cluster.sessions.list() {
        if pid.is_some_and(|p| p != session.id) {
            continue;
        }
        let activity = session.activity.lock().clone();
        let visible = may_see(cx, activity.user, "pg_read_all_stats")?;
        list.push(activity_row(&activity, &session, visible, size));
    }
    Ok(rows(list))
}

#[builtin("pg_stat_get_backend_idset", set)]
fn pg_stat_get_backend_idset(cx: &mut FnCx<'_>) -> Result<Rows> {
    let sessions = cluster(cx)?.sessions.list();
    Ok(rows(sessions.iter().map(|s| vec![Datum::i32(s.id)]).collect()))
}

/// A session by the number that `pg_stat_get_backend_idset` gave; what is not for the current user's eyes is `None`.
fn other(cx: &mut FnCx<'_>, id: i32) -> Result<Option<(Arc<SessionEntry>, Activity, bool)>> {
    let Some(session) = cluster(cx)?.sessions.get(id) else { return Ok(None) };
    let activity = session.activity.lock().clone();
    let visible = may_see(cx, activity.user, "pg_read_all_stats")?;
    Ok(Some((session, activity, visible)))
}
fn visible_time(cx: &mut FnCx<'_>, id: i32, pick: fn(&SessionEntry, &Activity) -> i64) -> Result<Datum> {
    Ok(match other(cx, id)? {
        Some((session, activity, true)) => time(pick(&session, &activity)),
        _ => Datum::Null,
    })
}
#[builtin("pg_stat_get_backend_pid")]
fn pg_stat_get_backend_pid(cx: &mut FnCx<'_>, id: i32) -> Result<Option<i32>> {
    Ok(other(cx, id)?.map(|o| o.0.id))
}
#[builtin("pg_stat_get_backend_dbid")]
fn pg_stat_get_backend_dbid(cx: &mut FnCx<'_>, id: i32) -> Result<Option<Oid>> {
    Ok(other(cx, id)?.map(|o| o.1.database))
}
#[builtin("pg_stat_get_backend_userid")]
fn pg_stat_get_backend_userid(cx: &mut FnCx<'_>, id: i32) -> Result<Option<Oid>> {
    Ok(other(cx, id)?.map(|o| o.1.user))
}
#[builtin("pg_stat_get_backend_activity")]
fn pg_stat_get_backend_activity(cx: &mut FnCx<'_>, id: i32) -> Result<String> {
    Ok(match other(cx, id)? {
        None => "<backend information not available>".into(),
        Some((.., false)) => "<insufficient privilege>".into(),
        Some((_, activity, true)) => activity.query.to_string(),
    })
}
#[builtin("pg_stat_get_backend_activity_start")]
fn pg_stat_get_backend_activity_start(cx: &mut FnCx<'_>, id: i32) -> Result<Datum> {
    visible_time(cx, id, |_, a| a.query_start)
}
#[builtin("pg_stat_get_backend_xact_start")]
fn pg_stat_get_backend_xact_start(cx: &mut FnCx<'_>, id: i32) -> Result<Datum> {
    visible_time(cx, id, |_, a| a.xact_start)
}
#[builtin("pg_stat_get_backend_start")]
fn pg_stat_get_backend_start(cx: &mut FnCx<'_>, id: i32) -> Result<Datum> {
    visible_time(cx, id, |s, _| s.started)
}
#[builtin("pg_stat_get_backend_client_addr")]
fn pg_stat_get_backend_client_addr(cx: &mut FnCx<'_>, id: i32) -> Result<Datum> {
    Ok(match other(cx, id)? {
        Some((_, activity, true)) => opt(activity.client_address, |a| inet(a.ip())),
        _ => Datum::Null,
    })
}
#[builtin("pg_stat_get_backend_client_port")]
fn pg_stat_get_backend_client_port(cx: &mut FnCx<'_>, id: i32) -> Result<Option<i32>> {
    Ok(match other(cx, id)? {
        Some((_, activity, true)) => Some(activity.client_address.map_or(-1, |a| i32::from(a.port()))),
        _ => None,
    })
}

/// The session to signal, once the current user was found to be allowed to. (PostgreSQL: `pg_signal_backend`)
fn target(cx: &mut FnCx<'_>, pid: i32, what: &str) -> Result<Option<Arc<SessionEntry>>> {
    let Some(session) = cluster(cx)?.sessions.get(pid) else {
        let text = format!("PID {pid} is not a PostgreSQL backend process");
        cx.rt.notice(PgError::with_severity(base::Severity::Warning, WARNING, text));
        return Ok(None);
    };
    let user = session.activity.lock().user;
    let denied = |detail: String| {
        Err(PgError::new(INSUFFICIENT_PRIVILEGE, format!("permission denied to {what}")).detail(detail))
    };
    let verb = if what.starts_with("cancel") { "cancel" } else { "terminate" };
    if catalog(cx)?.is_superuser(user)? && !is_superuser(cx)? {
        return denied(
            format!(
                "Only roles with the SUPERUSER attribute may {verb} processes of roles with the SUPERUSER attribute."
            )
            .replace("processes", if verb == "cancel" { "queries" } else { "processes" }),
        );
    }
    if !may_see(cx, user, "pg_signal_backend")? {
        return denied(format!(
            "Only roles with privileges of the role whose {} or with privileges of the \"pg_signal_backend\" role may {verb} this {}.",
            if verb == "cancel" { "query is being canceled" } else { "process is being terminated" },
            if verb == "cancel" { "query" } else { "process" }
        ));
    }
    Ok(Some(session))
}

#[builtin("pg_cancel_backend")]
fn pg_cancel_backend(cx: &mut FnCx<'_>, pid: i32) -> Result<bool> {
    let Some(session) = target(cx, pid, "cancel query")? else { return Ok(false) };
    session.interrupt(Reason::Cancel);
    Ok(true)
}

#[builtin("pg_terminate_backend")]
fn pg_terminate_backend(cx: &mut FnCx<'_>, pid: i32, timeout: i64) -> Result<bool> {
    if timeout < 0 {
        return Err(PgError::new(NUMERIC_VALUE_OUT_OF_RANGE, "\"timeout\" must not be negative"));
    }
    let Some(session) = target(cx, pid, "terminate process")? else { return Ok(false) };
    session.interrupt(Reason::Terminate);
    if timeout == 0 {
        return Ok(true);
    }
    let cluster = cluster(cx)?;
    let end = Instant::now() + Duration::from_millis(u64::try_from(timeout).unwrap_or(0));
    while cluster.sessions.get(pid).is_some() {
        if Instant::now() >= end {
            let unit = if timeout == 1 { "millisecond" } else { "milliseconds" };
            let text = format!("backend with PID {pid} did not terminate within {timeout} {unit}");
            cx.rt.notice(PgError::with_severity(base::Severity::Warning, WARNING, text));
            return Ok(false);
        }
        std::thread::sleep(Duration::from_millis(5));
        cx.rt.interrupt().check()?;
    }
    Ok(true)
}

#[builtin("pg_reload_conf")]
fn pg_reload_conf(cx: &mut FnCx<'_>) -> Result<bool> {
    if let Err(e) = cluster(cx)?.reload() {
        crate::log::error(&e, None);
    }
    Ok(true)
}

#[builtin("pg_sleep")]
fn pg_sleep(cx: &mut FnCx<'_>, seconds: f64) -> Result<()> {
    let start = Instant::now();
    let wait = Duration::try_from_secs_f64(seconds.clamp(0.0, 1e9)).unwrap_or_default();
    cx.rt.interrupt().before_wait();
    while let Some(left) = wait.checked_sub(start.elapsed()).filter(|d| !d.is_zero()) {
        cx.rt.interrupt().check()?;
        std::thread::sleep(left.min(Duration::from_millis(10)));
    }
    cx.rt.interrupt().check()
}

#[builtin("pg_is_in_recovery")]
fn pg_is_in_recovery(cx: &mut FnCx<'_>) -> Result<bool> {
    Ok(cluster(cx)?.wal.in_recovery())
}
#[builtin("pg_postmaster_start_time")]
fn pg_postmaster_start_time(cx: &mut FnCx<'_>) -> Result<i64> {
    Ok(cluster(cx)?.start_time)
}
#[builtin("pg_conf_load_time")]
fn pg_conf_load_time(cx: &mut FnCx<'_>) -> Result<i64> {
    Ok(cluster(cx)?.config_loaded.load(std::sync::atomic::Ordering::Relaxed))
}

fn client(cx: &mut FnCx<'_>) -> Result<Option<SocketAddr>> {
    let address = entry(cx)?.activity.lock().client_address;
    Ok(address)
}
#[builtin("inet_client_addr")]
fn inet_client_addr(cx: &mut FnCx<'_>) -> Result<Datum> {
    Ok(opt(client(cx)?, |a| inet(a.ip())))
}
#[builtin("inet_client_port")]
fn inet_client_port(cx: &mut FnCx<'_>) -> Result<Option<i32>> {
    Ok(client(cx)?.map(|a| i32::from(a.port())))
}
#[builtin("inet_server_addr")]
fn inet_server_addr(cx: &mut FnCx<'_>) -> Result<Datum> {
    Ok(opt(entry(cx)?.server_address, |a| inet(a.ip())))
}
#[builtin("inet_server_port")]
fn inet_server_port(cx: &mut FnCx<'_>) -> Result<Option<i32>> {
    Ok(entry(cx)?.server_address.map(|a| i32::from(a.port())))
}
