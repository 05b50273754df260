//! Lists for system views: prepared statements, cursors, `pg_hba.conf`, and what there is none of yet.

use std::sync::atomic::Ordering;

use base::{Oid, Result};
use base::guc;
use types::oid::REGTYPEOID;
use types::{FnCx, builtin};

use super::*;
use crate::auth::hba::{self, Address, ConnectionType, HbaLine, Method};

#[builtin("pg_prepared_statement", set)]
fn pg_prepared_statement(cx: &mut FnCx<'_>) -> Result<Rows> {
    let objects = entry(cx)?.objects.lock().clone();
    let mut list = Vec::new();
    for p in objects.prepared {
        let array = |types: &[Oid]| -> Result<Datum> {
            let types: Vec<Datum> = types.iter().map(|t| Datum::oid(*t)).collect();
            word_array(REGTYPEOID, &types)
        };
        list.push(vec![
            Datum::text(&p.name),
            Datum::text(&p.statement),
            time(p.prepared_at),
            array(&p.parameter_types)?,
            p.result_types.as_deref().map_or(Ok(Datum::Null), array)?,
            Datum::bool(p.from_sql),
            Datum::i64(p.counts.generic.load(Ordering::Relaxed)),
            Datum::i64(p.counts.custom.load(Ordering::Relaxed)),
        ]);
    }
    Ok(rows(list))
}

#[builtin("pg_cursor", set)]
fn pg_cursor(cx: &mut FnCx<'_>) -> Result<Rows> {
    use parser::ast::cursor_opt::{BINARY, HOLD, SCROLL};
    let cx = cx.extension::<executor::ExecContext>()?;
    let row = |(name, c): (&String, &executor::cursor::Cursor)| {
        let has = |bit: u32| Datum::bool(c.options & bit != 0);
        vec![Datum::text(name), Datum::text(&c.source), has(HOLD), has(BINARY), has(SCROLL), time(c.created)]
    };
    Ok(rows(cx.extension_or_default::<executor::cursor::Cursors>().iter().map(row).collect()))
}

#[builtin("pg_prepared_xact", set)]
fn pg_prepared_xact(cx: &mut FnCx<'_>) -> Result<Rows> {
    let list = cluster(cx)?.manager.prepared_transactions();
    let row = |p: &txn::twophase::PreparedInfo| {
        let xid = types::IntoDatum::into_datum(p.xid);
        vec![xid, Datum::text(&p.gid), time(p.prepared_at), Datum::oid(p.owner), Datum::oid(p.database)]
    };
    Ok(rows(list.iter().map(row).collect()))
}

/// What this server never has: rows of views whose subject is not there.
#[builtin(
    "pg_stat_get_wal_senders",
    "pg_stat_get_subscription",
    "pg_stat_get_progress_info",
    "pg_get_replication_slots",
    "pg_show_replication_origin_status",
    "pg_available_wal_summaries",
    "pg_get_aios",
    set,
    raw
)]
fn nothing(_: &mut FnCx<'_>, _: &[DatumRef<'_>]) -> Result<Rows> {
    Ok(no_rows())
}
/// The one extension whose script is part of the server. (PostgreSQL: the control files in `SHAREDIR/extension`)
#[builtin("pg_available_extensions", set, raw)]
fn pg_available_extensions(_: &mut FnCx<'_>, _: &[DatumRef<'_>]) -> Result<Rows> {
    let row = vec![Datum::bytes(&b"plpgsql"[..]), Datum::text("1.0"), Datum::text("PL/pgSQL procedural language")];
    Ok(rows(vec![row]))
}
#[builtin("pg_available_extension_versions", set, raw)]
fn pg_available_extension_versions(_: &mut FnCx<'_>, _: &[DatumRef<'_>]) -> Result<Rows> {
    let (yes, no) = (Datum::bool(true), Datum::bool(false));
    let name = Datum::bytes(&b"plpgsql"[..]);
    let comment = Datum::text("PL/pgSQL procedural language");
    let schema = Datum::bytes(&b"pg_catalog"[..]);
    let row = vec![name, Datum::text("1.0"), yes.clone(), yes, no, schema, Datum::Null, comment];
    Ok(rows(vec![row]))
}
#[builtin("pg_stat_get_wal_receiver", raw)]
fn no_row(_: &mut FnCx<'_>, _: &[DatumRef<'_>]) -> Result<Datum> {
    Ok(Datum::Null)
}

fn words(list: &[hba::Word]) -> Result<Datum> {
    let texts: Vec<&str> = list.iter().map(|w| w.text.as_str()).collect();
    text_array(&texts)
}

fn rule(number: usize, line: &HbaLine) -> Result<Vec<Datum>> {
    let kind = match line.kind {
        ConnectionType::Local => "local",
        ConnectionType::Host => "host",
        ConnectionType::HostSsl => "hostssl",
        ConnectionType::HostNoSsl => "hostnossl",
        ConnectionType::HostGss => "hostgssenc",
        ConnectionType::HostNoGss => "hostnogssenc",
    };
    let (address, mask) = match &line.address {
        None => (None, None),
        Some(Address::All) => (Some("all".to_owned()), None),
        Some(Address::SameHost) => (Some("samehost".to_owned()), None),
        Some(Address::SameNet) => (Some("samenet".to_owned()), None),
        Some(Address::Name(n)) => (Some(n.clone()), None),
        Some(Address::Net(a, m)) => (Some(a.to_string()), Some(m.to_string())),
    };
    let method = match &line.method {
        Method::Trust => "trust",
        Method::Reject => "reject",
        Method::Password => "password",
        Method::Md5 => "md5",
        Method::ScramSha256 => "scram-sha-256",
        Method::Peer => "peer",
        Method::Other(name) => name,
    };
    let options: Vec<String> = line.options.iter().map(|(n, v)| format!("{n}={v}")).collect();
    let int = |n: usize| Datum::i32(i32::try_from(n).unwrap_or(i32::MAX));
    Ok(vec![
        int(number),
        Datum::text(&line.file),
        int(line.number),
        Datum::text(kind),
        words(&line.databases)?,
        words(&line.users)?,
        opt_text(address.as_deref()),
        opt_text(mask.as_deref()),
        Datum::text(method),
        if options.is_empty() { Datum::Null } else { text_array(&options)? },
        Datum::Null,
    ])
}

#[builtin("pg_hba_file_rules", set)]
fn pg_hba_file_rules(cx: &mut FnCx<'_>) -> Result<Rows> {
    let cluster = cluster(cx)?;
    let path = cluster.config().values.str(guc::HBA_FILE).to_owned();
    let text = std::fs::read_to_string(&path).map_err(|e| {
        let text = format!("could not open file \"{path}\": {}", crate::config::os_error(&e));
        PgError::new(base::sqlstate::UNDEFINED_FILE, text)
    })?;
    let mut list = Vec::new();
    match hba::parse(&path, &text) {
        Ok(lines) => {
            for (i, line) in lines.iter().enumerate() {
                list.push(rule(i + 1, line)?);
            }
        }
        Err(errors) => {
            for (line, message) in errors {
                let mut row: Vec<Datum> = std::iter::repeat_n(Datum::Null, 11).collect();
                row[1] = Datum::text(&path);
                row[2] = Datum::i32(i32::try_from(line).unwrap_or(i32::MAX));
                row[10] = Datum::text(&message);
                list.push(row);
            }
        }
    }
    Ok(rows(list))
}
