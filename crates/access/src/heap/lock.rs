//! Locking rows: SELECT FOR UPDATE and the like, foreign keys, rows that a recheck is about.
//!
//! A lock is our xid (or a multixact with it) in the row's xmax. Locks that do not exclude each other are taken without
//! waiting, also while another transaction updates the row without touching its keys: then, if asked, its newer versions
//! are locked as well, since they may become the row.
//!
//! PostgreSQL: `heap_lock_tuple`, `heap_lock_updated_tuple`.

use base::{CommandId, MultiXactId, PgError, Result, TupleId, Xid};
use storage::{ExclusivePage, PinnedBuffer, critical};
use txn::lock::Wait;
use txn::{MultiXactMember, MultiXactStatus, Transaction};
use wal::{RecordBuilder, RegBuf, RmgrId};

use super::delete::{clear_frozen, hint_ended_xmax, latch_with_map, outcome, tuple_at};
use super::update::log_lock;
use super::visibility::{ForUpdate, Viewer, set_hints_exclusive};
use super::wal::{Lock, lock_flags, op2};
use super::xmax::{self, Queue};
use super::{HeapRelation, Outcome, RowLock, WaitPolicy};
use crate::tuple::{Header, header, infomask, infomask::*, infomask2, xmax_locked_only};

/// A locked row's xmax, as it was when we let go of the latch.
#[derive(Clone, Copy)]
struct Seen {
    xmax: Xid,
    mask: u16,
    mask2: u16,
    ctid: TupleId,
}

impl Seen {
    fn of(h: Header<'_>) -> Seen {
        Seen { xmax: h.raw_xmax(), mask: h.infomask(), mask2: h.infomask2(), ctid: h.ctid() }
    }
    fn is_multi(self) -> bool {
        self.mask & XMAX_IS_MULTI != 0
    }
    fn locked_only(self) -> bool {
        xmax_locked_only(self.mask)
    }
}

/// What to do about a row that others are at.
enum Step<'b> {
    /// The row can be locked now: the latch is held.
    Lock(ExclusivePage<'b>),
    /// Something changed: look again.
    Again,
    Done(Outcome),
}

impl HeapRelation {
    /// Locks a row for the rest of the transaction. If it was updated meanwhile, the outcome says so and the caller
    /// follows and rechecks; with `follow_updates` newer versions get locked, too (for foreign keys).
    /// (PostgreSQL: `heap_lock_tuple`)
    pub fn lock(
        &self,
        txn: &Transaction,
        tid: TupleId,
        cid: CommandId,
        mode: RowLock,
        wait: WaitPolicy,
        follow_updates: bool,
    ) -> Result<Outcome> {
        let xid = txn.xid()?;
        let viewer = Viewer::new(txn);
        let buffer = txn.manager().pool().read(self.locator, tid.block)?;
        let mut map = None;
        let mut queue = Queue::new(self, txn, tid);
        let mut request = Request { rel: self, viewer: &viewer, tid, mode, wait, follow: follow_updates };
        let mut page = loop {
            let mut page = latch_with_map(self, txn, &buffer, &mut map)?;
            let (status, hints) = viewer.for_update(tuple_at(&page, tid.offset)?, tid, cid)?;
            set_hints_exclusive(&mut page, &[(tid.offset, hints)])?;
            match status {
                ForUpdate::Ok => break page,
                ForUpdate::Invisible | ForUpdate::SelfModified => {
                    return outcome(&viewer, tuple_at(&page, tid.offset)?, status);
                }
                ForUpdate::BeingModified | ForUpdate::Updated | ForUpdate::Deleted => {
                    let seen = Seen::of(tuple_at(&page, tid.offset)?);
                    drop(page);
                    match request.deal(&buffer, &mut map, &mut queue, seen, status)? {
                        Step::Lock(page) => break page,
                        Step::Again => continue,
                        Step::Done(outcome) => return Ok(outcome),
                    }
                }
            }
        };
        txn.manager().multixacts().set_oldest_member(txn);
        let new = xmax::new_xmax(&viewer, tuple_at(&page, tid.offset)?, xid, mode, false)?;
        let lock_only = xmax_locked_only(new.infomask);
        let mut map = map.as_ref().filter(|_| page.is_all_visible()).map(PinnedBuffer::exclusive);
        critical(|section| {
            let t = page.write(section).item_mut(tid.offset).expect("looked at above");
            header::change_infomask(t, XMAX_BITS, new.infomask);
            header::change_infomask2(t, infomask2::KEYS_UPDATED, new.infomask2);
            header::set_xmax(t, new.xmax);
            if lock_only {
                // Who updated it before did not commit.
                header::change_infomask2(t, infomask2::HOT_UPDATED, 0);
                header::set_ctid(t, tid);
            }
            let cleared = clear_frozen(&mut map, section, tid.block);
            log_lock(self, txn, section, &mut page, map.as_mut().filter(|_| cleared), tid, xid, &new);
        });
        Ok(Outcome::Ok)
    }
}

/// A wish for a row lock.
struct Request<'a> {
    rel: &'a HeapRelation,
    viewer: &'a Viewer<'a>,
    tid: TupleId,
    mode: RowLock,
    wait: WaitPolicy,
    follow: bool,
}

impl<'a> Request<'a> {
    fn txn(&self) -> &'a Transaction {
        self.viewer.txn()
    }

    /// Others are at the row, or were. The latch is not held.
    fn deal<'b>(
        &mut self,
        buffer: &'b PinnedBuffer,
        map: &mut Option<PinnedBuffer>,
        queue: &mut Queue<'_>,
        seen: Seen,
        status: ForUpdate,
    ) -> Result<Step<'b>> {
        let own = self.own_lock(seen)?;
        if own.is_some_and(|held| held >= self.mode) {
            return Ok(Step::Done(Outcome::Ok));
        }
        let in_progress = status == ForUpdate::BeingModified;
        let ours_alone = !seen.is_multi() && self.viewer.is_current(seen.xmax);
        let compatible = self.is_compatible(seen)?;
        if compatible && self.follow && !seen.locked_only() && !ours_alone {
            match self.lock_newer(seen)? {
                Outcome::Ok => {}
                other => return Ok(Step::Done(other)),
            }
        }
        if compatible || ours_alone {
            let page = latch_with_map(self.rel, self.txn(), buffer, map)?;
            let h = tuple_at(&page, self.tid.offset)?;
            let same = match self.mode {
                // An update of other columns that began or ended meanwhile does not matter.
                RowLock::KeyShare if !ours_alone => {
                    let updated = !seen.locked_only();
                    self.viewer.is_only_locked(h)? || !(h.keys_updated() || !updated)
                }
                _ => !xmax::xmax_changed(h, seen.xmax, seen.mask),
            };
            return Ok(if same { Step::Lock(page) } else { Step::Again });
        }
        if in_progress {
            // Who is in the multixact already holds the row: to queue could be a deadlock.
            if own.is_none() && !queue.join(self.mode, self.wait)? {
                return Ok(Step::Done(Outcome::WouldBlock));
            }
            let wait = if self.wait == WaitPolicy::Block { Wait::Block } else { Wait::No };
            if !xmax::wait_for(self.txn(), seen.xmax, seen.mask, self.mode, wait)? {
                queue.refused(self.wait)?;
                return Ok(Step::Done(Outcome::WouldBlock));
            }
            if self.follow && !seen.locked_only() {
                match self.lock_newer(seen)? {
                    Outcome::Ok => {}
                    other => return Ok(Step::Done(other)),
                }
            }
        }
        let mut page = latch_with_map(self.rel, self.txn(), buffer, map)?;
        if xmax::xmax_changed(tuple_at(&page, self.tid.offset)?, seen.xmax, seen.mask) {
            return Ok(Step::Again);
        }
        if in_progress && !seen.is_multi() {
            hint_ended_xmax(&mut page, self.tid.offset, self.viewer)?;
        }
        let h = tuple_at(&page, self.tid.offset)?;
        if h.has(infomask::XMAX_INVALID) || self.viewer.is_only_locked(h)? {
            return Ok(Step::Lock(page));
        }
        let status = if h.ctid() == self.tid { ForUpdate::Deleted } else { ForUpdate::Updated };
        outcome(self.viewer, h, status).map(Step::Done)
    }

    /// The strongest lock on the row that is ours.
    fn own_lock(&self, seen: Seen) -> Result<Option<RowLock>> {
        if !seen.is_multi() {
            let ours = self.viewer.is_current(seen.xmax) && seen.mask & XMAX_INVALID == 0;
            return Ok(if ours { RowLock::of_infomask(seen.mask, seen.mask2) } else { None });
        }
        let multis = self.txn().manager().multixacts();
        let members = multis.members(MultiXactId(seen.xmax.0), seen.locked_only())?;
        let ours = members.iter().filter(|m| self.viewer.is_current(m.xid));
        Ok(ours.map(|m| RowLock::of_status(m.status)).max())
    }

    /// Can the row be locked beside what is there?
    fn is_compatible(&self, seen: Seen) -> Result<bool> {
        Ok(match self.mode {
            RowLock::KeyShare => seen.mask2 & infomask2::KEYS_UPDATED == 0,
            RowLock::Share => seen.locked_only() && seen.mask & LOCK_MASK != XMAX_EXCL_LOCK,
            RowLock::NoKeyExclusive if seen.is_multi() => {
                !xmax::conflict(self.viewer, seen.xmax, seen.mask, seen.mask2, self.mode)?.exists
            }
            RowLock::NoKeyExclusive => seen.mask & LOCK_MASK == XMAX_KEYSHR_LOCK && seen.locked_only(),
            RowLock::Exclusive => false,
        })
    }

    /// Locks the newer versions of the row. (PostgreSQL: `heap_lock_updated_tuple_rec`)
    fn lock_newer(&self, seen: Seen) -> Result<Outcome> {
        let txn = self.txn();
        if seen.ctid == self.tid || seen.ctid.offset == crate::tuple::MOVED_PARTITIONS_OFFSET {
            return Ok(Outcome::Ok);
        }
        let xid = txn.xid()?;
        txn.manager().multixacts().set_oldest_member(txn);
        let (mut tid, mut previous_xmax) = (seen.ctid, Xid::INVALID);
        let blocks = self.rel.nblocks(txn)?;
        'versions: loop {
            txn.proc().interrupt().check()?;
            if tid.block.0 >= blocks {
                return Ok(Outcome::Ok);
            }
            let buffer = txn.manager().pool().read(self.rel.locator, tid.block)?;
            let mut map = None;
            let (next, xmax) = loop {
                let mut page = latch_with_map(self.rel, txn, &buffer, &mut map)?;
                if !page.item_id(tid.offset).is_normal() {
                    return Ok(Outcome::Ok);
                }
                let h = tuple_at(&page, tid.offset)?;
                // Pruned away, or the row's place was used again.
                if previous_xmax.is_valid() && h.xmin() != previous_xmax && h.raw_xmin() != previous_xmax {
                    return Ok(Outcome::Ok);
                }
                let xmin = h.xmin();
                if !h.xmin_committed()
                    && !self.viewer.is_current(xmin)
                    && !self.viewer.in_progress(xmin)
                    && !self.viewer.did_commit(xmin)?
                {
                    return Ok(Outcome::Ok);
                }
                let mut locked = false;
                if !h.has(XMAX_INVALID) {
                    match self.check_newer(h)? {
                        Newer::Free => {}
                        Newer::OwnLock => locked = true,
                        Newer::WaitFor(other) => {
                            drop(page);
                            let wait = if self.wait == WaitPolicy::Block { Wait::Block } else { Wait::No };
                            if !txn.manager().wait_for_xid_if(txn.proc(), other, wait)? {
                                Queue::new(self.rel, txn, tid).refused(self.wait)?;
                                return Ok(Outcome::WouldBlock);
                            }
                            continue;
                        }
                        Newer::Changed => return outcome(self.viewer, h, changed_status(h, tid)),
                    }
                }
                if !locked {
                    self.lock_one_newer(&mut page, map.as_ref(), tid, xid)?;
                }
                let h = tuple_at(&page, tid.offset)?;
                let over =
                    h.has(XMAX_INVALID) || h.ctid() == tid || h.moved_partitions() || self.viewer.is_only_locked(h)?;
                if over {
                    break 'versions;
                }
                break (h.ctid(), self.viewer.update_xid(h)?);
            };
            (tid, previous_xmax) = (next, xmax);
        }
        Ok(Outcome::Ok)
    }

    /// Who is at a newer version, and does that exclude us? (PostgreSQL: `test_lockmode_for_conflict`)
    fn check_newer(&self, h: Header<'_>) -> Result<Newer> {
        let members = match h.xmax_is_multi() {
            true if xmax::locked_upgraded(h.infomask()) => Vec::new(),
            true => {
                let multis = self.txn().manager().multixacts();
                multis.members(MultiXactId(h.raw_xmax().0), h.xmax_locked_only())?
            }
            false => {
                let status = match h.xmax_locked_only() {
                    true => match RowLock::of_infomask(h.infomask(), h.infomask2()) {
                        Some(mode) => mode.status(false),
                        None => return Err(PgError::internal("invalid lock status in tuple")),
                    },
                    false if h.keys_updated() => MultiXactStatus::Update,
                    false => MultiXactStatus::NoKeyUpdate,
                };
                vec![MultiXactMember { xid: h.raw_xmax(), status }]
            }
        };
        for m in members {
            let held = RowLock::of_status(m.status);
            if self.viewer.is_current(m.xid) {
                if held >= self.mode {
                    return Ok(Newer::OwnLock);
                }
                continue;
            }
            if !held.conflicts(self.mode) {
                continue;
            }
            if self.viewer.in_progress(m.xid) {
                return Ok(Newer::WaitFor(m.xid));
            }
            if m.status.is_update() && self.viewer.did_commit(m.xid)? {
                return Ok(Newer::Changed);
            }
        }
        Ok(Newer::Free)
    }

    fn lock_one_newer(
        &self,
        page: &mut ExclusivePage<'_>,
        map: Option<&PinnedBuffer>,
        tid: TupleId,
        xid: Xid,
    ) -> Result<()> {
        let new = xmax::new_xmax(self.viewer, tuple_at(page, tid.offset)?, xid, self.mode, false)?;
        let mut map = map.filter(|_| page.is_all_visible()).map(PinnedBuffer::exclusive);
        critical(|section| {
            let t = page.write(section).item_mut(tid.offset).expect("looked at above");
            header::change_infomask(t, XMAX_BITS, new.infomask);
            header::change_infomask2(t, infomask2::KEYS_UPDATED, new.infomask2);
            header::set_xmax(t, new.xmax);
            let cleared = clear_frozen(&mut map, section, tid.block);
            if !self.rel.needs_wal() {
                return;
            }
            let flags = if cleared { lock_flags::ALL_FROZEN_CLEARED } else { 0 };
            let head = Lock { xmax: new.xmax, offnum: tid.offset, infobits: new.infobits(), flags };
            let mut record = RecordBuilder::new(RmgrId::HEAP2, op2::LOCK_UPDATED)
                .xid(xid)
                .main_data(&head.encode())
                .register_buffer(0, page, RegBuf::STANDARD);
            if let Some(m) = map.as_ref().filter(|_| cleared) {
                record = record.register_buffer(1, m, RegBuf::NONE);
            }
            let lsn = self.txn().manager().wal().insert(section, record);
            page.set_lsn(section, lsn);
            if let Some(m) = map.as_mut().filter(|_| cleared) {
                m.set_lsn(section, lsn);
            }
        });
        Ok(())
    }
}

/// A newer version as a locker finds it.
enum Newer {
    Free,
    /// We hold it already.
    OwnLock,
    WaitFor(Xid),
    /// Changed by a transaction that committed.
    Changed,
}

fn changed_status(h: Header<'_>, tid: TupleId) -> ForUpdate {
    if h.ctid() == tid { ForUpdate::Deleted } else { ForUpdate::Updated }
}
