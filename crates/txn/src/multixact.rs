//! Sets of transactions that lock one row, in `pg_multixact`. (PostgreSQL: `multixact.c`)
//!
//! `offsets` holds for each set where its members begin in `members`; they end where the next set's begin. Members come in
//! groups of four: four bytes of status, then four xids. Both are filled from the record, also while running.
//!
//! Invariants
//! - A set's members never change; adding one makes a new set.
//! - Creating a set also notes where the next one will begin, so that its end is known at once.
//! - Who may become a member first calls `set_oldest_member`: sets from then on are kept for it.

use std::fmt::Write;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use base::sqlstate::{DATA_CORRUPTED, PROGRAM_LIMIT_EXCEEDED};
use base::{BLCKSZ, Lsn, MultiXactId, Oid, PgError, Result, Xid};
use parking_lot::Mutex;
use storage::{Smgr, critical};
use wal::bytes::Put;
use wal::{CheckPoint, Record, RecordBuilder, RmgrId, Wal};

use crate::lock::Procs;
use crate::manager::TransactionManager;
use crate::proc::Proc;
use crate::slru::Slru;
use crate::transaction::Transaction;

/// How a member locks the row. (PostgreSQL: `MultiXactStatus`)
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(u8)]
pub enum MultiXactStatus {
    ForKeyShare = 0,
    ForShare = 1,
    ForNoKeyUpdate = 2,
    ForUpdate = 3,
    NoKeyUpdate = 4,
    Update = 5,
}

impl MultiXactStatus {
    pub fn from_u8(n: u8) -> Option<MultiXactStatus> {
        use MultiXactStatus::{ForKeyShare, ForNoKeyUpdate, ForShare, ForUpdate, NoKeyUpdate, Update};
        [ForKeyShare, ForShare, ForNoKeyUpdate, ForUpdate, NoKeyUpdate, Update].get(usize::from(n)).copied()
    }
    /// Did the member change the row, rather than only lock it? (PostgreSQL: `ISUPDATE_from_mxstatus`)
    pub fn is_update(self) -> bool {
        self > MultiXactStatus::ForUpdate
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct MultiXactMember {
    pub xid: Xid,
    pub status: MultiXactStatus,
}

const ZERO_OFF_PAGE: u8 = 0x00;
const ZERO_MEM_PAGE: u8 = 0x10;
const CREATE_ID: u8 = 0x20;
const TRUNCATE_ID: u8 = 0x30;
const OFFSETS_PER_PAGE: u32 = (BLCKSZ / 4) as u32;
const GROUP_SIZE: usize = 4 + 4 * 4;
const MEMBERS_PER_PAGE: u32 = (BLCKSZ / GROUP_SIZE * 4) as u32;

struct Next {
    multi: MultiXactId,
    offset: u32,
    oldest: MultiXactId,
    oldest_db: Oid,
}

/// The cluster's multixacts.
pub struct MultiXacts {
    wal: Arc<Wal>,
    offsets: Slru,
    members: Slru,
    next: Mutex<Next>,
    procs: Procs,
}

fn next_multi(multi: MultiXactId) -> MultiXactId {
    MultiXactId(multi.0.wrapping_add(1).max(1))
}
fn offset_page(multi: MultiXactId) -> u64 {
    u64::from(multi.0 / OFFSETS_PER_PAGE)
}
fn offset_entry(multi: MultiXactId) -> usize {
    (multi.0 % OFFSETS_PER_PAGE) as usize * 4
}
fn member_page(offset: u32) -> u64 {
    u64::from(offset / MEMBERS_PER_PAGE)
}
/// Where on its page a member's status byte and xid lie.
fn member_place(offset: u32) -> (usize, usize) {
    let within = (offset % MEMBERS_PER_PAGE) as usize;
    let (group, n) = (within / 4 * GROUP_SIZE, within % 4);
    (group + n, group + 4 + n * 4)
}
fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

impl MultiXacts {
    pub(crate) fn new(wal: Arc<Wal>, smgr: Arc<Smgr>, procs: Procs, buffers: usize) -> MultiXacts {
        let slru = |dir| Slru::new(dir, Arc::clone(&wal), Arc::clone(&smgr), buffers);
        let first = MultiXactId::FIRST;
        MultiXacts {
            offsets: slru("pg_multixact/offsets"),
            members: slru("pg_multixact/members"),
            next: Mutex::new(Next { multi: first, offset: 0, oldest: first, oldest_db: Oid::INVALID }),
            wal,
            procs,
        }
    }

    /// A new set. (PostgreSQL: `MultiXactIdCreateFromMembers`)
    pub fn create(&self, txn: &Transaction, members: &[MultiXactMember]) -> Result<MultiXactId> {
        let mut members = members.to_vec();
        members.sort_unstable_by_key(|m| (m.xid.0, m.status));
        if members.iter().filter(|m| m.status.is_update()).count() > 1 {
            return Err(PgError::internal("new multixact has more than one updating member"));
        }
        let xid = txn.xid_if_assigned().unwrap_or_default();
        let mut next = self.next.lock();
        let multi = next.multi;
        self.check_limit(&next)?;
        let offset = next.offset.max(1);
        let end = offset.wrapping_add(members.len() as u32);
        if end < offset {
            return Err(PgError::new(PROGRAM_LIMIT_EXCEEDED, "multixact \"members\" limit exceeded"));
        }
        self.extend_offsets(next_multi(multi))?;
        self.extend_members(next.offset, end)?;
        let mut main = Vec::with_capacity(12 + 8 * members.len());
        for n in [multi.0, offset, members.len() as u32] {
            main.put_u32(n);
        }
        for member in &members {
            main.put_u32(member.xid.0);
            main.put_u32(u32::from(member.status as u8));
        }
        let record = RecordBuilder::new(RmgrId::MULTIXACT, CREATE_ID).xid(xid).main_data(&main);
        critical(|section| {
            let lsn = self.wal.insert(section, record);
            self.store(multi, offset, &members, lsn).map_err(wal::panic_level)
        })?;
        next.multi = next_multi(multi);
        next.offset = end;
        Ok(multi)
    }
    fn check_limit(&self, next: &Next) -> Result<()> {
        let used = next.multi.0.wrapping_sub(next.oldest.0);
        if used < (u32::MAX >> 1) - 3_000_000 {
            return Ok(());
        }
        let text = "database is not accepting commands that assign new MultiXactIds to avoid wraparound data loss in \
                    database with OID";
        Err(PgError::new(PROGRAM_LIMIT_EXCEEDED, format!("{text} {}", next.oldest_db)).hint(
            "Execute a database-wide VACUUM in that database.\nYou might also need to commit or roll back old prepared \
             transactions.",
        ))
    }
    fn extend_offsets(&self, multi: MultiXactId) -> Result<()> {
        let first_of_page = offset_entry(multi) == 0 || multi == MultiXactId::FIRST;
        if first_of_page && !self.offsets.exists(offset_page(multi)) {
            self.zero(&self.offsets, ZERO_OFF_PAGE, offset_page(multi))?;
        }
        Ok(())
    }
    fn extend_members(&self, from: u32, to: u32) -> Result<()> {
        for page in member_page(from)..=member_page(to - 1) {
            let begins_here = page as u32 * MEMBERS_PER_PAGE >= from;
            if begins_here {
                self.zero(&self.members, ZERO_MEM_PAGE, page)?;
            }
        }
        Ok(())
    }
    fn zero(&self, slru: &Slru, info: u8, number: u64) -> Result<()> {
        let page = slru.zero_page(number)?;
        let record = RecordBuilder::new(RmgrId::MULTIXACT, info).main_data(&number.to_le_bytes());
        critical(|section| {
            let lsn = self.wal.insert(section, record);
            page.change(lsn, |_| ());
        });
        Ok(())
    }
    /// Fills the pages. (PostgreSQL: `RecordNewMultiXact`)
    fn store(&self, multi: MultiXactId, offset: u32, members: &[MultiXactMember], lsn: Lsn) -> Result<()> {
        let following = next_multi(multi);
        let end = offset.wrapping_add(members.len() as u32).max(1);
        for (id, value) in [(multi, offset), (following, end)] {
            let page = self.offsets.page(offset_page(id), Xid(multi.0))?;
            page.change(lsn, |b| b[offset_entry(id)..offset_entry(id) + 4].copy_from_slice(&value.to_le_bytes()));
        }
        for (i, member) in members.iter().enumerate() {
            let at = offset.wrapping_add(i as u32);
            let page = self.members.page(member_page(at), Xid(multi.0))?;
            let (status, xid) = member_place(at);
            page.change(lsn, |b| {
                b[status] = member.status as u8;
                b[xid..xid + 4].copy_from_slice(&member.xid.0.to_le_bytes());
            });
        }
        Ok(())
    }

    /// The set with one more member; members that have ended and do not matter any more are left out.
    /// (PostgreSQL: `MultiXactIdExpand`)
    pub fn expand(&self, txn: &Transaction, multi: MultiXactId, member: MultiXactMember) -> Result<MultiXactId> {
        let old = self.members(multi, false)?;
        if old.contains(&member) {
            return Ok(multi);
        }
        let manager = txn.manager();
        let mut kept = Vec::with_capacity(old.len() + 1);
        for m in old {
            if manager.is_in_progress(m.xid) || m.status.is_update() && manager.did_commit(m.xid)? {
                kept.push(m);
            }
        }
        kept.push(member);
        self.create(txn, &kept)
    }
    /// The members. `lock_only`: the row's infomask says that nobody in it updated; then a set that is too old to matter
    /// has none. (PostgreSQL: `GetMultiXactIdMembers`)
    pub fn members(&self, multi: MultiXactId, lock_only: bool) -> Result<Vec<MultiXactMember>> {
        if !multi.is_valid() {
            return Ok(Vec::new());
        }
        let (oldest, next) = {
            let next = self.next.lock();
            (next.oldest, next.multi)
        };
        let wrong = |what: &str| {
            Err(PgError::new(DATA_CORRUPTED, format!("MultiXactId {} {what} -- apparent wraparound", multi.0)))
        };
        if multi.precedes(oldest) {
            return if lock_only { Ok(Vec::new()) } else { wrong("does no longer exist") };
        }
        if !multi.precedes(next) {
            return wrong("has not been created yet");
        }
        let (offset, end) = (self.offset_of(multi)?, self.offset_of(next_multi(multi))?);
        let n = end.wrapping_sub(offset);
        if offset == 0 || end == 0 || n > 1 << 24 {
            let text = format!("MultiXact {} has invalid offset or next offset", multi.0);
            return Err(PgError::new(DATA_CORRUPTED, text));
        }
        let mut members = Vec::with_capacity(n as usize);
        for i in 0..n {
            let at = offset.wrapping_add(i);
            let page = self.members.page(member_page(at), Xid(multi.0))?;
            let (status, xid) = member_place(at);
            let bytes = page.read();
            let xid = Xid(u32_at(&bytes, xid));
            // Offset 0 is never used: after a wraparound a set skips it.
            if xid.is_valid() {
                let status = MultiXactStatus::from_u8(bytes[status]).ok_or_else(|| {
                    let text = format!("MultiXact {} has a member with invalid status", multi.0);
                    PgError::new(DATA_CORRUPTED, text)
                })?;
                members.push(MultiXactMember { xid, status });
            }
        }
        Ok(members)
    }
    fn offset_of(&self, multi: MultiXactId) -> Result<u32> {
        let page = self.offsets.page(offset_page(multi), Xid(multi.0))?;
        let offset = u32_at(&page.read(), offset_entry(multi));
        Ok(offset)
    }
    /// Does any member still run? (PostgreSQL: `MultiXactIdIsRunning`)
    pub fn is_running(&self, txn: &Transaction, multi: MultiXactId, lock_only: bool) -> Result<bool> {
        let members = self.members(multi, lock_only)?;
        let manager: &TransactionManager = txn.manager();
        Ok(members.iter().any(|m| txn.is_current(m.xid) || manager.is_in_progress(m.xid)))
    }
    /// Before this transaction's id can get into a set. (PostgreSQL: `MultiXactIdSetOldestMember`)
    pub fn set_oldest_member(&self, txn: &Transaction) {
        let proc = txn.proc();
        if proc.oldest_member().is_none() {
            let next = self.next.lock();
            proc.oldest_member.store(next.multi.0, Ordering::Release);
        }
    }
    pub(crate) fn end_of_transaction(&self, proc: &Proc) {
        proc.oldest_member.store(0, Ordering::Release);
    }
    pub fn next(&self) -> MultiXactId {
        self.next.lock().multi
    }
    /// Sets before this one cannot be asked about by a running transaction. (PostgreSQL: `GetOldestMultiXactId`)
    pub fn oldest_needed(&self) -> MultiXactId {
        let next = self.next.lock();
        let members = self.procs.read();
        let oldest = members.iter().flatten().filter_map(|p| p.oldest_member());
        oldest.fold(next.multi, |a, b| if b.precedes(a) { b } else { a })
    }
    /// The oldest `datminmxid`, with its database. (PostgreSQL: `SetMultiXactIdLimit`)
    pub fn set_oldest(&self, oldest: MultiXactId, database: Oid) {
        let mut next = self.next.lock();
        if next.oldest.precedes(oldest) || !next.oldest_db.is_valid() {
            (next.oldest, next.oldest_db) = (oldest, database);
        }
    }
    /// Removes sets that nobody refers to any more. (PostgreSQL: `TruncateMultiXact`)
    pub fn truncate(&self, oldest: MultiXactId, database: Oid) -> Result<()> {
        let (before, newest, next_offset) = {
            let next = self.next.lock();
            (next.oldest, next.multi, next.offset)
        };
        if !before.precedes(oldest) || newest.precedes(oldest) {
            return Ok(());
        }
        let first = self.offset_of(before)?;
        let end = if oldest == newest { next_offset } else { self.offset_of(oldest)? };
        let mut main = Vec::with_capacity(20);
        for n in [database.0, before.0, oldest.0, first, end] {
            main.put_u32(n);
        }
        let record = RecordBuilder::new(RmgrId::MULTIXACT, TRUNCATE_ID).main_data(&main);
        let lsn = critical(|section| self.wal.insert(section, record));
        self.wal.flush(lsn)?;
        self.set_oldest(oldest, database);
        self.remove_before(oldest, end)
    }
    fn remove_before(&self, oldest: MultiXactId, first_member: u32) -> Result<()> {
        let precedes = |pages: u64| move |a: u64, b: u64| a != b && b.wrapping_sub(a) % pages < pages / 2;
        let member_pages = u64::from(u32::MAX / MEMBERS_PER_PAGE) + 1;
        self.members.truncate(member_page(first_member), precedes(member_pages))?;
        self.offsets.truncate(offset_page(oldest), precedes((1 << 32) / u64::from(OFFSETS_PER_PAGE)))
    }

    // Start, checkpoint, redo

    pub(crate) fn start(&self, c: &CheckPoint) {
        *self.next.lock() = Next {
            multi: c.next_multi,
            offset: c.next_multi_offset,
            oldest: c.oldest_multi,
            oldest_db: c.oldest_multi_db,
        };
        self.offsets.set_latest(offset_page(c.next_multi));
        self.members.set_latest(member_page(c.next_multi_offset));
    }
    pub(crate) fn advance(&self, multi: MultiXactId, offset: u32) {
        let mut next = self.next.lock();
        if next.multi.precedes(multi) {
            next.multi = multi;
        }
        if (next.offset.wrapping_sub(offset) as i32) < 0 {
            next.offset = offset;
        }
    }
    /// What lies behind the counters is cleared; the page of the next set exists. (PostgreSQL: `TrimMultiXact`)
    pub(crate) fn finish_recovery(&self) -> Result<()> {
        let next = self.next.lock();
        let (number, at) = (offset_page(next.multi), offset_entry(next.multi));
        let page = match self.offsets.exists(number) {
            true => self.offsets.page(number, Xid(next.multi.0))?,
            false => self.offsets.zero_page(number)?,
        };
        page.change(Lsn::INVALID, |b| {
            b[at..].fill(0);
            b[at..at + 4].copy_from_slice(&next.offset.to_le_bytes());
        });
        let number = member_page(next.offset);
        let (status, xid) = member_place(next.offset);
        if next.offset % MEMBERS_PER_PAGE != 0 && self.members.exists(number) {
            let page = self.members.page(number, Xid(next.multi.0))?;
            // The statuses of the group may stay: they are written together with their xids.
            let _ = status;
            page.change(Lsn::INVALID, |b| b[xid..].fill(0));
        } else if !self.members.exists(number) {
            self.members.zero_page(number)?;
        }
        self.offsets.set_latest(offset_page(next.multi));
        self.members.set_latest(number);
        Ok(())
    }
    pub(crate) fn fill(&self, c: &mut CheckPoint) {
        let next = self.next.lock();
        (c.next_multi, c.next_multi_offset) = (next.multi, next.offset);
        (c.oldest_multi, c.oldest_multi_db) = (next.oldest, next.oldest_db);
    }
    pub(crate) fn write_all(&self) -> Result<()> {
        self.offsets.write_all()?;
        self.members.write_all()
    }
    /// Replays a record; returns xids that are in use.
    pub(crate) fn redo(&self, record: &Record) -> Result<Vec<Xid>> {
        let mut r = record.main_reader();
        match record.rmgr_info() {
            ZERO_OFF_PAGE => {
                let number = r.u64()?;
                // The record of the set before may have noted on it already where its members end.
                if !self.offsets.exists(number) {
                    self.offsets.zero_page(number)?;
                }
                self.offsets.write_all()?;
                Ok(Vec::new())
            }
            ZERO_MEM_PAGE => {
                self.members.zero_page(r.u64()?)?;
                self.members.write_all()?;
                Ok(Vec::new())
            }
            CREATE_ID => {
                let (multi, offset) = (r.multi()?, r.u32()?);
                let members = read_members(&mut r, record)?;
                let following = offset_page(next_multi(multi));
                if !self.offsets.exists(following) {
                    self.offsets.zero_page(following)?;
                }
                self.store(multi, offset, &members, record.end)?;
                self.advance(next_multi(multi), offset.wrapping_add(members.len() as u32));
                Ok(members.into_iter().map(|m| m.xid).collect())
            }
            TRUNCATE_ID => {
                let (db, _, oldest, _, end) = (r.oid()?, r.multi()?, r.multi()?, r.u32()?, r.u32()?);
                self.set_oldest(oldest, db);
                self.remove_before(oldest, end)?;
                Ok(Vec::new())
            }
            info => Err(record.damaged(format!("multixact_redo: unknown op code {info}"))),
        }
    }
}

fn read_members(r: &mut wal::bytes::Reader<'_>, record: &Record) -> Result<Vec<MultiXactMember>> {
    let n = r.count(8)?;
    let mut members = Vec::with_capacity(n);
    for _ in 0..n {
        let (xid, status) = (r.xid()?, r.u32()?);
        let status = u8::try_from(status).ok().and_then(MultiXactStatus::from_u8);
        let status = status.ok_or_else(|| record.damaged("invalid multixact member status"))?;
        members.push(MultiXactMember { xid, status });
    }
    Ok(members)
}

pub(crate) fn describe(record: &Record, out: &mut String) -> Result<()> {
    let mut r = record.main_reader();
    let _ = match record.rmgr_info() {
        ZERO_OFF_PAGE | ZERO_MEM_PAGE => write!(out, "{}", r.i64()?),
        CREATE_ID => {
            let (multi, offset) = (r.u32()?, r.u32()?);
            let members = read_members(&mut r, record)?;
            let _ = write!(out, "{multi} offset {offset} nmembers {}: ", members.len());
            members.iter().try_for_each(|m| {
                let status = match m.status {
                    MultiXactStatus::ForKeyShare => "keysh",
                    MultiXactStatus::ForShare => "sh",
                    MultiXactStatus::ForNoKeyUpdate => "fornokeyupd",
                    MultiXactStatus::ForUpdate => "forupd",
                    MultiXactStatus::NoKeyUpdate => "nokeyupd",
                    MultiXactStatus::Update => "upd",
                };
                write!(out, "{} ({status}) ", m.xid)
            })
        }
        _ => {
            let (_, from, to, first, end) = (r.u32()?, r.u32()?, r.u32()?, r.u32()?, r.u32()?);
            write!(out, "offsets [{from}, {to}), members [{first}, {end})")
        }
    };
    Ok(())
}
