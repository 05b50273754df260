//! Commit status, two bits a transaction, in `pg_xact`. (PostgreSQL: `clog.c`)
//!
//! A commit is marked right after its record is in the log, before the record is durable. The page remembers the record's
//! end, a finer note is kept for each 32 transactions: hint bits may say "committed" only when that is flushed.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use base::{BLCKSZ, Lsn, Oid, Result, Xid};
use parking_lot::Mutex;
use storage::{Critical, Smgr, critical};
use wal::bytes::{Put, Reader};
use wal::{Record, RecordBuilder, RmgrId, Wal};

use crate::slru::Slru;

/// What pg_xact says of a transaction.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum XidStatus {
    /// Running, or was when the server crashed.
    InProgress = 0,
    Committed = 1,
    Aborted = 2,
    /// A subtransaction ended and its top-level transaction is about to commit.
    SubCommitted = 3,
}

impl XidStatus {
    fn from_bits(bits: u8) -> XidStatus {
        match bits & 3 {
            0 => XidStatus::InProgress,
            1 => XidStatus::Committed,
            2 => XidStatus::Aborted,
            _ => XidStatus::SubCommitted,
        }
    }
}

pub(crate) const ZEROPAGE: u8 = 0x00;
pub(crate) const TRUNCATE: u8 = 0x10;
const PER_PAGE: u32 = BLCKSZ as u32 * 4;
/// How many groups of 32 transactions have a note of their commit's end: those of the latest few pages.
const GROUPS: usize = 4096;

pub(crate) struct Clog {
    slru: Slru,
    wal: Arc<Wal>,
    /// For a group of 32 transactions its number (high half) guards against others at the same place.
    groups: Vec<Mutex<(u32, u64)>>,
    /// Everything marked so far is durable if the log is flushed up to here: the common case needs no look at `groups`.
    last_lsn: AtomicU64,
}

fn page_of(xid: Xid) -> u64 {
    u64::from(xid.0 / PER_PAGE)
}

/// Half the circle of pages lies before a page.
fn page_precedes(a: u64, b: u64) -> bool {
    let first = |page: u64| Xid((page as u32).wrapping_mul(PER_PAGE).wrapping_add(3 + 1));
    let last = |page: u64| Xid((page as u32).wrapping_mul(PER_PAGE).wrapping_add(PER_PAGE - 1));
    first(a).precedes(first(b)) && first(a).precedes(last(b))
}

impl Clog {
    pub fn new(wal: Arc<Wal>, smgr: Arc<Smgr>, buffers: usize) -> Clog {
        Clog {
            slru: Slru::new("pg_xact", Arc::clone(&wal), smgr, buffers),
            wal,
            groups: (0..GROUPS).map(|_| Mutex::new((0, 0))).collect(),
            last_lsn: AtomicU64::new(0),
        }
    }
    pub fn write_all(&self) -> Result<()> {
        self.slru.write_all()
    }
    pub fn status(&self, xid: Xid) -> Result<XidStatus> {
        let page = self.slru.page(page_of(xid), xid)?;
        let within = xid.0 % PER_PAGE;
        let byte = page.read()[(within / 4) as usize];
        Ok(XidStatus::from_bits(byte >> (within % 4 * 2)))
    }
    /// What must be flushed before the status may be copied into a hint bit.
    pub fn commit_lsn(&self, xid: Xid) -> Lsn {
        let last = self.last_lsn.load(Ordering::Acquire);
        if self.wal.flush_position().0 >= last {
            return Lsn::INVALID;
        }
        let group = xid.0 / 32;
        let note = self.groups[group as usize % GROUPS].lock();
        match note.0 == group {
            true => Lsn(note.1),
            // Noted long ago or never: flushed, unless an older note was displaced; then the latest end is right too.
            false => Lsn(note.1.min(last)),
        }
    }
    fn note_lsn(&self, xid: Xid, lsn: Lsn) {
        if !lsn.is_valid() {
            return;
        }
        self.last_lsn.fetch_max(lsn.0, Ordering::AcqRel);
        let group = xid.0 / 32;
        let mut note = self.groups[group as usize % GROUPS].lock();
        *note = (group, note.1.max(lsn.0));
    }
    fn set(&self, xids: &[Xid], status: XidStatus, lsn: Lsn) -> Result<()> {
        let mut rest = xids;
        while let Some(first) = rest.first() {
            let number = page_of(*first);
            let n = rest.iter().take_while(|x| page_of(**x) == number).count();
            let page = self.slru.page(number, *first)?;
            page.change(lsn, |bytes| {
                for xid in &rest[..n] {
                    let within = xid.0 % PER_PAGE;
                    let shift = within % 4 * 2;
                    let byte = &mut bytes[(within / 4) as usize];
                    *byte = *byte & !(3 << shift) | (status as u8) << shift;
                }
            });
            rest[..n].iter().for_each(|xid| self.note_lsn(*xid, lsn));
            rest = &rest[n..];
        }
        Ok(())
    }
    /// Marks a transaction with its subtransactions. Across pages, subtransactions are marked "sub-committed" first, so
    /// that nobody sees half of a commit. (PostgreSQL: `TransactionIdSetTreeStatus`)
    pub fn set_tree(&self, xid: Xid, subs: &[Xid], status: XidStatus, lsn: Lsn) -> Result<()> {
        let elsewhere = subs.iter().any(|s| page_of(*s) != page_of(xid));
        if elsewhere && status == XidStatus::Committed {
            let others: Vec<Xid> = subs.iter().copied().filter(|s| page_of(*s) != page_of(xid)).collect();
            self.set(&others, XidStatus::SubCommitted, lsn)?;
        }
        self.set(&[xid], status, lsn)?;
        self.set(subs, status, lsn)
    }
    /// Makes room when the first id of a page is about to be assigned. (PostgreSQL: `ExtendCLOG`)
    pub fn extend(&self, xid: Xid) -> Result<()> {
        if xid.0 % PER_PAGE != 0 && xid != Xid::FIRST_NORMAL {
            return Ok(());
        }
        let number = page_of(xid);
        let page = self.slru.zero_page(number)?;
        critical(|section| {
            let lsn = self.log_zero_page(section, number);
            page.change(lsn, |_| ());
        });
        Ok(())
    }
    fn log_zero_page(&self, section: &Critical, number: u64) -> Lsn {
        let record = RecordBuilder::new(RmgrId::CLOG, ZEROPAGE).main_data(&number.to_le_bytes());
        self.wal.insert(section, record)
    }
    /// At start: the page of the next id is the latest; in a new cluster it does not exist yet.
    pub fn start(&self, next: Xid) -> Result<()> {
        let number = page_of(next);
        self.slru.set_latest(number);
        if next.0 <= Xid::FIRST_NORMAL.0 && !self.slru.exists(number) {
            self.slru.zero_page(number)?;
        }
        Ok(())
    }
    /// After recovery: what lies behind the next id on its page must be zero. (PostgreSQL: `TrimCLOG`)
    pub fn trim(&self, next: Xid) -> Result<()> {
        let number = page_of(next);
        self.slru.set_latest(number);
        let within = next.0 % PER_PAGE;
        if within == 0 {
            return Ok(());
        }
        let page = match self.slru.exists(number) {
            true => self.slru.page(number, next)?,
            false => self.slru.zero_page(number)?,
        };
        page.change(Lsn::INVALID, |bytes| {
            let (at, shift) = ((within / 4) as usize, within % 4 * 2);
            bytes[at] &= ((1u16 << shift) - 1) as u8;
            bytes[at + 1..].fill(0);
        });
        Ok(())
    }
    /// Removes what nobody asks about any more. (PostgreSQL: `TruncateCLOG`)
    pub fn truncate(&self, oldest: Xid, oldest_db: Oid) -> Result<()> {
        let cutoff = page_of(oldest);
        let mut main = Vec::with_capacity(16);
        main.put_u64(cutoff);
        main.put_u32(oldest.0);
        main.put_u32(oldest_db.0);
        let record = RecordBuilder::new(RmgrId::CLOG, TRUNCATE).main_data(&main);
        let lsn = critical(|section| self.wal.insert(section, record));
        self.wal.flush(lsn)?;
        self.slru.truncate(cutoff, page_precedes)
    }
    /// Returns the new oldest id and its database if the record was a truncation.
    pub fn redo(&self, record: &Record) -> Result<Option<(Xid, Oid)>> {
        let mut r = Reader::new(&record.main);
        let number = r.u64()?;
        match record.rmgr_info() {
            ZEROPAGE => {
                self.slru.zero_page(number)?;
                self.slru.write_all()?;
                Ok(None)
            }
            TRUNCATE => {
                let (oldest, db) = (r.xid()?, r.oid()?);
                self.slru.truncate(number, page_precedes)?;
                Ok(Some((oldest, db)))
            }
            info => Err(record.damaged(format!("clog_redo: unknown op code {info}"))),
        }
    }
    /// In recovery: the outcome, without regard to the log.
    pub fn redo_status(&self, xid: Xid, subs: &[Xid], status: XidStatus, lsn: Lsn) -> Result<()> {
        let mut all = vec![xid];
        all.extend_from_slice(subs);
        self.set(&all, status, lsn)
    }
}
