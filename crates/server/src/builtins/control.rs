//! `pg_control_system` and its like: what pg_control holds. (PostgreSQL: `pg_controldata.c`)

use base::{Lsn, Result, Xid};
use types::{Datum, FnCx, IntoDatum, builtin};
use wal::control::ControlFile;
use wal::position::segment_file_name;

use super::*;

/// Seconds from 1970 to 2000.
const EPOCH: i64 = 946_684_800;

fn file(cx: &mut FnCx<'_>) -> Result<ControlFile> {
    Ok(cluster(cx)?.wal.control().get())
}
fn unsigned(v: u32) -> Datum {
    Datum::i32(i32::try_from(v).unwrap_or(i32::MAX))
}
fn timestamp(seconds: i64) -> Datum {
    Datum::i64((seconds - EPOCH) * 1_000_000)
}
fn lsn(v: Lsn) -> Datum {
    v.into_datum()
}
fn xid(v: u32) -> Datum {
    Xid(v).into_datum()
}

#[builtin("pg_control_system")]
fn pg_control_system(cx: &mut FnCx<'_>) -> Result<Datum> {
    let c = file(cx)?;
    let id = i64::from_ne_bytes(c.system_identifier.to_ne_bytes());
    one_row(cx, &[unsigned(c.control_version), unsigned(c.catalog_version), Datum::i64(id), timestamp(c.time)])
}

#[builtin("pg_control_checkpoint")]
fn pg_control_checkpoint(cx: &mut FnCx<'_>) -> Result<Datum> {
    let c = file(cx)?;
    let p = c.checkpoint_copy;
    let segments = c.segments();
    let name = segment_file_name(p.tli, segments.number(p.redo), segments);
    let next = format!("{}:{}", p.next_xid.epoch(), p.next_xid.xid());
    let row = [
        lsn(c.checkpoint),
        lsn(p.redo),
        Datum::text(&name),
        unsigned(p.tli.0),
        unsigned(p.prev_tli.0),
        Datum::bool(p.full_page_writes),
        Datum::text(&next),
        Datum::oid(p.next_oid),
        xid(p.next_multi.0),
        xid(p.next_multi_offset),
        xid(p.oldest_xid.0),
        Datum::oid(p.oldest_xid_db),
        xid(p.oldest_active_xid.0),
        xid(p.oldest_multi.0),
        Datum::oid(p.oldest_multi_db),
        xid(p.oldest_commit_ts_xid.0),
        xid(p.newest_commit_ts_xid.0),
        timestamp(p.time),
    ];
    one_row(cx, &row)
}

#[builtin("pg_control_recovery")]
fn pg_control_recovery(cx: &mut FnCx<'_>) -> Result<Datum> {
    let c = file(cx)?;
    let row = [
        lsn(c.min_recovery_point),
        unsigned(c.min_recovery_point_tli.0),
        lsn(c.backup_start_point),
        lsn(c.backup_end_point),
        Datum::bool(c.backup_end_required),
    ];
    one_row(cx, &row)
}

#[builtin("pg_control_init")]
fn pg_control_init(cx: &mut FnCx<'_>) -> Result<Datum> {
    let c = file(cx)?;
    let row = [
        unsigned(c.max_align),
        unsigned(c.blcksz),
        unsigned(c.relseg_size),
        unsigned(c.xlog_blcksz),
        unsigned(c.xlog_seg_size),
        unsigned(c.name_data_len),
        unsigned(c.index_max_keys),
        unsigned(c.toast_max_chunk_size),
        unsigned(c.loblksize),
        Datum::bool(c.float8_by_val),
        unsigned(c.data_checksum_version),
        Datum::bool(c.default_char_signedness),
    ];
    one_row(cx, &row)
}
