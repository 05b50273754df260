//! The records of transactions: commit, abort, assignment of subtransactions; parsing them for redo and printing.
//! (PostgreSQL: `xact.h`)

use base::{Lsn, Oid, RelFileLocator, Result, Xid};
use storage::{Critical, critical};
use wal::bytes::{Put, Reader};
use wal::{Record, RecordBuilder, RmgrId, Wal};

use crate::transaction::InvalidationMessage;

pub(crate) const COMMIT: u8 = 0x00;
pub(crate) const PREPARE: u8 = 0x10;
pub(crate) const ABORT: u8 = 0x20;
pub(crate) const COMMIT_PREPARED: u8 = 0x30;
pub(crate) const ABORT_PREPARED: u8 = 0x40;
pub(crate) const ASSIGNMENT: u8 = 0x50;
pub(crate) const INVALIDATIONS: u8 = 0x60;
pub(crate) const OPMASK: u8 = 0x70;
const HAS_INFO: u8 = 0x80;

const XINFO_DBINFO: u32 = 1;
const XINFO_SUBXACTS: u32 = 1 << 1;
const XINFO_RELFILELOCATORS: u32 = 1 << 2;
const XINFO_INVALS: u32 = 1 << 3;
const XINFO_TWOPHASE: u32 = 1 << 4;
const XINFO_ORIGIN: u32 = 1 << 5;
const XINFO_AE_LOCKS: u32 = 1 << 6;
const XINFO_GID: u32 = 1 << 7;
const XINFO_DROPPED_STATS: u32 = 1 << 8;
pub(crate) const COMPLETION_APPLY_FEEDBACK: u32 = 1 << 29;
pub(crate) const COMPLETION_UPDATE_RELCACHE_FILE: u32 = 1 << 30;
pub(crate) const COMPLETION_FORCE_SYNC: u32 = 1 << 31;
/// (PostgreSQL: `XLR_SPECIAL_REL_UPDATE`)
const SPECIAL_REL_UPDATE: u8 = 1;

pub(crate) struct CommitRecord {
    pub time: i64,
    pub database: Oid,
    pub tablespace: Oid,
    pub subs: Vec<Xid>,
    pub dropped: Vec<RelFileLocator>,
    pub invalidations: Vec<InvalidationMessage>,
    pub relcache_init_file: bool,
    pub force_sync: bool,
    pub apply_feedback: bool,
    pub exclusive_locks: bool,
    /// Of a prepared transaction: its id, which the record's header does not have, and its identifier.
    pub prepared: Option<(Xid, String)>,
}

impl CommitRecord {
    pub fn insert(&self, wal: &Wal, section: &Critical, xid: Xid) -> Lsn {
        let with_database = !self.invalidations.is_empty() || wal.wal_level() >= wal::WalLevel::Logical;
        let mut xinfo = 0;
        for (set, bit) in [
            (with_database, XINFO_DBINFO),
            (!self.subs.is_empty(), XINFO_SUBXACTS),
            (!self.dropped.is_empty(), XINFO_RELFILELOCATORS),
            (!self.invalidations.is_empty(), XINFO_INVALS),
            (self.exclusive_locks, XINFO_AE_LOCKS),
            (self.prepared.is_some(), XINFO_TWOPHASE),
            (self.prepared.is_some() && wal.wal_level() >= wal::WalLevel::Logical, XINFO_GID),
            (self.apply_feedback, COMPLETION_APPLY_FEEDBACK),
            (self.relcache_init_file, COMPLETION_UPDATE_RELCACHE_FILE),
            (self.force_sync, COMPLETION_FORCE_SYNC),
        ] {
            xinfo |= if set { bit } else { 0 };
        }
        let kind = if self.prepared.is_some() { COMMIT_PREPARED } else { COMMIT };
        let mut record = RecordBuilder::new(RmgrId::XACT, kind).xid(xid);
        let mut main = Vec::with_capacity(32);
        main.put_i64(self.time);
        if xinfo != 0 {
            record.set_info(HAS_INFO);
            main.put_u32(xinfo);
        }
        if with_database {
            main.put_u32(self.database.0);
            main.put_u32(self.tablespace.0);
        }
        put_subs(&mut main, &self.subs);
        if put_dropped(&mut main, &self.dropped) {
            record.set_info(SPECIAL_REL_UPDATE);
        }
        if !self.invalidations.is_empty() {
            main.put_i32(self.invalidations.len() as i32);
            self.invalidations.iter().for_each(|m| main.put(m));
        }
        put_prepared(&mut main, self.prepared.as_ref(), xinfo);
        wal.insert(section, record.main_data(&main))
    }
}

pub(crate) struct AbortRecord {
    pub time: i64,
    pub subs: Vec<Xid>,
    pub dropped: Vec<RelFileLocator>,
    /// As in a commit's record.
    pub prepared: Option<(Xid, String)>,
}

impl AbortRecord {
    pub fn insert(&self, wal: &Wal, section: &Critical, xid: Xid) -> Lsn {
        let kind = if self.prepared.is_some() { ABORT_PREPARED } else { ABORT };
        let mut record = RecordBuilder::new(RmgrId::XACT, kind).xid(xid);
        let mut xinfo = if self.subs.is_empty() { 0 } else { XINFO_SUBXACTS };
        xinfo |= if self.dropped.is_empty() { 0 } else { XINFO_RELFILELOCATORS };
        if self.prepared.is_some() {
            xinfo |= XINFO_TWOPHASE;
            xinfo |= if wal.wal_level() >= wal::WalLevel::Logical { XINFO_GID } else { 0 };
        }
        let mut main = Vec::with_capacity(16);
        main.put_i64(self.time);
        if xinfo != 0 {
            record.set_info(HAS_INFO);
            main.put_u32(xinfo);
        }
        put_subs(&mut main, &self.subs);
        if put_dropped(&mut main, &self.dropped) {
            record.set_info(SPECIAL_REL_UPDATE);
        }
        put_prepared(&mut main, self.prepared.as_ref(), xinfo);
        wal.insert(section, record.main_data(&main))
    }
}

fn put_prepared(main: &mut Vec<u8>, prepared: Option<&(Xid, String)>, xinfo: u32) {
    let Some((xid, gid)) = prepared else { return };
    main.put_u32(xid.0);
    if xinfo & XINFO_GID != 0 {
        main.put(gid.as_bytes());
        main.put_u8(0);
    }
}

fn put_subs(main: &mut Vec<u8>, subs: &[Xid]) {
    if !subs.is_empty() {
        main.put_i32(subs.len() as i32);
        subs.iter().for_each(|x| main.put_u32(x.0));
    }
}
fn put_dropped(main: &mut Vec<u8>, dropped: &[RelFileLocator]) -> bool {
    if !dropped.is_empty() {
        main.put_i32(dropped.len() as i32);
        dropped.iter().for_each(|l| main.put_locator(*l));
    }
    !dropped.is_empty()
}

/// XLOG_XACT_ASSIGNMENT.
pub(crate) fn log_assignment(wal: &Wal, top: Xid, subs: &[Xid]) {
    let mut main = Vec::with_capacity(8 + 4 * subs.len());
    main.put_u32(top.0);
    put_subs(&mut main, subs);
    let record = RecordBuilder::new(RmgrId::XACT, ASSIGNMENT).xid(top).main_data(&main);
    critical(|section| wal.insert(section, record));
}

/// A commit or abort record taken apart, also of a prepared transaction.
pub(crate) struct Outcome {
    pub time: i64,
    pub xinfo: u32,
    pub database: Oid,
    pub tablespace: Oid,
    pub subs: Vec<Xid>,
    pub dropped: Vec<RelFileLocator>,
    pub stats: usize,
    pub invalidations: Vec<InvalidationMessage>,
    pub twophase_xid: Option<Xid>,
    pub gid: Option<String>,
    pub origin: Option<(Lsn, i64)>,
}

impl Outcome {
    pub fn parse(record: &Record) -> Result<Outcome> {
        let mut r = Reader::new(&record.main);
        let is_commit = matches!(record.info & OPMASK, COMMIT | COMMIT_PREPARED);
        let mut out = Outcome {
            time: r.i64()?,
            xinfo: 0,
            database: Oid::INVALID,
            tablespace: Oid::INVALID,
            subs: Vec::new(),
            dropped: Vec::new(),
            stats: 0,
            invalidations: Vec::new(),
            twophase_xid: None,
            gid: None,
            origin: None,
        };
        if record.info & HAS_INFO != 0 {
            out.xinfo = r.u32()?;
        }
        let has = |bit| out.xinfo & bit != 0;
        if has(XINFO_DBINFO) {
            (out.database, out.tablespace) = (r.oid()?, r.oid()?);
        }
        if has(XINFO_SUBXACTS) {
            let n = r.count(4)?;
            out.subs = (0..n).map(|_| r.xid()).collect::<Result<_>>()?;
        }
        if has(XINFO_RELFILELOCATORS) {
            let n = r.count(12)?;
            out.dropped = (0..n).map(|_| r.locator()).collect::<Result<_>>()?;
        }
        if has(XINFO_DROPPED_STATS) {
            out.stats = r.count(16)?;
            r.skip(out.stats * 16)?;
        }
        if is_commit && has(XINFO_INVALS) {
            let n = r.count(16)?;
            for _ in 0..n {
                let mut message = [0; 16];
                message.copy_from_slice(r.bytes(16)?);
                out.invalidations.push(message);
            }
        }
        if has(XINFO_TWOPHASE) {
            out.twophase_xid = Some(r.xid()?);
            if has(XINFO_GID) {
                out.gid = Some(r.cstring()?);
            }
        }
        if has(XINFO_ORIGIN) {
            out.origin = Some((r.lsn()?, r.i64()?));
        }
        Ok(out)
    }
}
