//! Records for standbys: which transactions run, who holds ACCESS EXCLUSIVE locks. (PostgreSQL: `standby.c`)
//!
//! Crash recovery has no use for them. We write them for standbys.

use std::fmt::Write;

use base::{Lsn, Oid, Result, Xid};
use storage::critical;
use wal::bytes::Put;
use wal::{Record, RecordBuilder, RedoContext, ResourceManager, RmgrId, Wal};

use super::name;
use crate::manager::TransactionManager;

const LOCK: u8 = 0x00;
const RUNNING_XACTS: u8 = 0x10;
const INVALIDATIONS: u8 = 0x20;

pub(super) struct StandbyManager;

impl ResourceManager for StandbyManager {
    fn redo(&self, _cx: &RedoContext, record: &Record) -> Result<()> {
        match record.rmgr_info() {
            LOCK | RUNNING_XACTS | INVALIDATIONS => Ok(()),
            info => Err(record.damaged(format!("standby_redo: unknown op code {info}"))),
        }
    }
    fn identify(&self, info: u8) -> Option<String> {
        let names = [(LOCK, "LOCK"), (RUNNING_XACTS, "RUNNING_XACTS"), (INVALIDATIONS, "INVALIDATIONS")];
        name(info & 0xF0, &names)
    }
    fn desc(&self, record: &Record, out: &mut String) {
        // A damaged record is printed as far as it can be read.
        let _ = describe(record, out);
    }
}

fn describe(record: &Record, out: &mut String) -> Result<()> {
    let mut r = record.main_reader();
    match record.rmgr_info() {
        LOCK => {
            for _ in 0..r.count(12)? {
                let _ = write!(out, "xid {} db {} rel {} ", r.xid()?, r.oid()?, r.oid()?);
            }
        }
        RUNNING_XACTS => {
            let (xcnt, subxcnt, overflow) = (r.i32()?, r.i32()?, r.u8()? != 0);
            r.skip(3)?;
            let (next, oldest, latest) = (r.xid()?, r.xid()?, r.xid()?);
            let _ = write!(out, "nextXid {next} latestCompletedXid {latest} oldestRunningXid {oldest}");
            for (n, label) in [(xcnt, "xacts"), (subxcnt, "subxacts")] {
                if n > 0 {
                    let _ = write!(out, "; {n} {label}:");
                    for _ in 0..n {
                        let _ = write!(out, " {}", r.xid()?);
                    }
                }
            }
            if overflow {
                out.push_str("; subxid overflowed");
            }
        }
        _ => {}
    }
    Ok(())
}

/// XLOG_RUNNING_XACTS; from it a standby starts to serve. (PostgreSQL: `LogStandbySnapshot`)
pub(crate) fn log_running_xacts(manager: &TransactionManager) -> Lsn {
    let (next, latest, top, subs) = manager.running_for_standby();
    let oldest = [top.first(), subs.first()].into_iter().flatten().copied();
    let oldest = oldest.reduce(|a, b| if b.precedes(a) { b } else { a }).unwrap_or(next);
    let mut main = Vec::with_capacity(24 + 4 * (top.len() + subs.len()));
    main.put_i32(top.len() as i32);
    main.put_i32(subs.len() as i32);
    main.put_u32(0);
    for xid in [next, oldest, latest] {
        main.put_u32(xid.0);
    }
    let put = |main: &mut Vec<u8>, xids: &[Xid]| xids.iter().for_each(|x| main.put_u32(x.0));
    put(&mut main, &top);
    put(&mut main, &subs);
    let record = RecordBuilder::new(RmgrId::STANDBY, RUNNING_XACTS).main_data(&main).unimportant();
    let wal = manager.wal();
    let end = critical(|section| wal.insert(section, record));
    // Standbys that wait for this need not wait for the next commit.
    wal.set_async_commit(end);
    end
}

/// XLOG_STANDBY_LOCK. (PostgreSQL: `LogAccessExclusiveLock`)
pub(crate) fn log_standby_lock(wal: &Wal, xid: Xid, db: Oid, rel: Oid) {
    let mut main = Vec::with_capacity(16);
    main.put_i32(1);
    for n in [xid.0, db.0, rel.0] {
        main.put_u32(n);
    }
    let record = RecordBuilder::new(RmgrId::STANDBY, LOCK).xid(xid).main_data(&main).unimportant();
    critical(|section| wal.insert(section, record));
}
