//! Who sees a tuple.
//!
//! What becomes known of a tuple's transactions on the way (they committed, they aborted) is worth remembering in its
//! header: each answer comes with the *hints* to set. The caller sets them when it may write to the page: with the
//! exclusive latch, which a reader tries to get when it is through ([`set_hints`]).
//!
//! Questions about a transaction are asked in this order: is it ours, is it running (or, for a snapshot: was it), did it
//! commit. What neither runs nor committed has aborted or was cut off by a crash.
//!
//! PostgreSQL: `heapam_visibility.c`.

use std::cell::Cell;

use base::{CommandId, MultiXactId, OffsetNumber, Result, TupleId, Xid};
use storage::{ExclusivePage, SharedPage};
use txn::ssi::Watched;
use txn::{Snapshot, Transaction, VisibilityHorizon};

use crate::tuple::{Header, header, infomask, infomask::*};

/// Through whose eyes a tuple is looked at. (PostgreSQL: `SnapshotType`)
#[derive(Clone, Copy)]
pub enum Look<'a> {
    /// What the snapshot sees.
    Mvcc(&'a Snapshot),
    /// What is valid now, this transaction's work included. (PostgreSQL: `SnapshotSelf`)
    SelfNow,
    /// Every tuple.
    Any,
    /// As `SelfNow`, and what running transactions inserted, or deleted without having committed.
    Dirty,
    /// Chunks of TOASTed values: their owner was seen, so they are there.
    Toast,
}

/// Bits to set in a tuple's `t_infomask`.
pub type Hints = u16;

/// What is valid now. (PostgreSQL: `SnapshotDirty`)
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Now {
    /// Valid, or may yet be: see the other fields.
    pub alive: bool,
    /// The running transaction that inserted it; invalid if none.
    pub inserting: Xid,
    /// The running transaction that deletes it; invalid if none.
    pub deleting: Xid,
}

/// A tuple as an updater finds it. (PostgreSQL: `TM_Result`)
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ForUpdate {
    Ok,
    Invisible,
    SelfModified,
    Updated,
    Deleted,
    BeingModified,
}

/// A tuple as vacuum finds it. (PostgreSQL: `HTSV_Result`)
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ForVacuum {
    Dead,
    Live,
    /// Removed by this transaction, which committed: dead once nobody needs it any more.
    RecentlyDead(Xid),
    InsertInProgress,
    DeleteInProgress,
}

/// Looks at tuples for one transaction; remembers the last answer about another transaction's fate.
pub struct Viewer<'a> {
    txn: &'a Transaction,
    last: Cell<(Xid, bool)>,
}

/// Most tuples carry hints about transactions that ended before the snapshot's oldest: seen or not, at a glance at the fixed
/// part of the header.
#[inline]
pub(super) fn settled(head: &[u8; HEAD], snapshot: &Snapshot) -> Option<bool> {
    let xid = |at: usize| Xid(u32::from_le_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]));
    let mask = u16::from_le_bytes([head[20], head[21]]);
    if mask & XMIN_COMMITTED == 0 {
        return None;
    }
    if mask & XMAX_INVALID != 0 {
        let old = mask & XMIN_FROZEN == XMIN_FROZEN || xid(0).precedes(snapshot.xmin);
        return old.then_some(true);
    }
    // A row is not deleted before it is inserted: an old xmax has an old xmin.
    let deleted = mask & (XMAX_COMMITTED | XMAX_IS_MULTI | XMAX_LOCK_ONLY) == XMAX_COMMITTED;
    (deleted && xid(4).precedes(snapshot.xmin)).then_some(false)
}

/// Bytes of a tuple's header up to its flags.
const HEAD: usize = 22;

impl<'a> Viewer<'a> {
    pub fn new(txn: &'a Transaction) -> Viewer<'a> {
        Viewer { txn, last: Cell::new((Xid::INVALID, false)) }
    }
    pub fn txn(&self) -> &'a Transaction {
        self.txn
    }

    /// A serializable transaction has looked at a tuple: is there another whose work it does not see?
    /// (PostgreSQL: `HeapCheckForSerializableConflictOut`)
    #[cold]
    pub fn conflict_out(&self, watched: &Watched<'_>, h: Header<'_>, seen: bool, snapshot: &Snapshot) -> Result<()> {
        let writer = match seen {
            true if h.has(XMAX_INVALID) || self.is_only_locked(h)? => return Ok(()),
            true => self.update_xid(h)?,
            false => h.xmin(),
        };
        if !writer.is_normal() || writer.precedes(snapshot.xmin) || self.is_current(writer) {
            return Ok(());
        }
        if !self.in_progress(writer) && !self.did_commit(writer)? {
            return Ok(());
        }
        watched.conflict_out(writer)
    }

    /// Did this transaction, which does not run any more, commit?
    #[inline]
    pub fn did_commit(&self, xid: Xid) -> Result<bool> {
        let (last, committed) = self.last.get();
        if last == xid && xid.is_valid() {
            return Ok(committed);
        }
        let committed = self.txn.manager().did_commit(xid)?;
        self.last.set((xid, committed));
        Ok(committed)
    }
    #[inline]
    pub fn is_current(&self, xid: Xid) -> bool {
        self.txn.is_current(xid)
    }
    #[inline]
    pub fn in_progress(&self, xid: Xid) -> bool {
        // A fate that was told is final.
        (self.last.get().0 != xid || !xid.is_valid()) && self.txn.manager().is_in_progress(xid)
    }
    /// The hint that a transaction committed, if its commit cannot be lost any more.
    #[inline]
    fn committed_hint(&self, xid: Xid, bit: u16) -> Hints {
        if self.txn.manager().may_hint_committed(xid) { bit } else { 0 }
    }
    pub fn multi_is_running(&self, multi: Xid, lock_only: bool) -> Result<bool> {
        self.txn.manager().multixacts().is_running(self.txn, MultiXactId(multi.0), lock_only)
    }
    /// The transaction that updated or deleted the tuple; invalid if it was only locked.
    /// (PostgreSQL: `HeapTupleHeaderGetUpdateXid`)
    pub fn update_xid(&self, h: Header<'_>) -> Result<Xid> {
        if h.has(XMAX_INVALID) || !h.xmax_is_multi() || h.has(XMAX_LOCK_ONLY) {
            return Ok(h.raw_xmax());
        }
        let members = self.txn.manager().multixacts().members(MultiXactId(h.raw_xmax().0), false)?;
        Ok(members.iter().find(|m| m.status.is_update()).map_or(Xid::INVALID, |m| m.xid))
    }
    /// Only locked, or updated by a transaction that did not commit. (PostgreSQL: `HeapTupleHeaderIsOnlyLocked`)
    pub fn is_only_locked(&self, h: Header<'_>) -> Result<bool> {
        if h.has(XMAX_INVALID) || h.has(XMAX_LOCK_ONLY) || !h.raw_xmax().is_valid() || h.xmax_locked_only() {
            return Ok(true);
        }
        if !h.xmax_is_multi() {
            return Ok(false);
        }
        let xmax = self.update_xid(h)?;
        if !xmax.is_valid() {
            return Ok(true);
        }
        Ok(!self.is_current(xmax) && !self.in_progress(xmax) && !self.did_commit(xmax)?)
    }
    /// (PostgreSQL: `HeapTupleHeaderGetCmin`)
    pub fn cmin(&self, h: Header<'_>) -> CommandId {
        if !h.has(COMBOCID) {
            return h.raw_cid();
        }
        self.txn.own().combo_parts(h.raw_cid()).map_or(h.raw_cid(), |p| p.0)
    }
    /// (PostgreSQL: `HeapTupleHeaderGetCmax`)
    pub fn cmax(&self, h: Header<'_>) -> CommandId {
        if !h.has(COMBOCID) {
            return h.raw_cid();
        }
        self.txn.own().combo_parts(h.raw_cid()).map_or(h.raw_cid(), |p| p.1)
    }

    /// Is the tuple seen, and what was learnt?
    #[inline]
    pub fn sees(&self, h: Header<'_>, look: Look<'_>) -> Result<(bool, Hints)> {
        match look {
            Look::Mvcc(snapshot) => self.mvcc(h, snapshot),
            Look::SelfNow => self.now(h).map(|(n, hints)| (n.alive && !n.inserting.is_valid(), hints)),
            Look::Dirty => self.now(h).map(|(n, hints)| (n.alive, hints)),
            Look::Any => Ok((true, 0)),
            // A speculative insertion that was taken back left no xmin.
            Look::Toast => Ok((h.xmin_committed() || !h.xmin_invalid() && h.raw_xmin().is_valid(), 0)),
        }
    }

    /// (PostgreSQL: `HeapTupleSatisfiesMVCC`)
    #[inline]
    pub fn mvcc(&self, h: Header<'_>, snapshot: &Snapshot) -> Result<(bool, Hints)> {
        match h.head().and_then(|head| settled(head, snapshot)) {
            Some(seen) => Ok((seen, 0)),
            None => self.mvcc_unsettled(h, snapshot),
        }
    }
    fn mvcc_unsettled(&self, h: Header<'_>, snapshot: &Snapshot) -> Result<(bool, Hints)> {
        let mut hints = 0;
        if !h.xmin_committed() {
            if h.xmin_invalid() {
                return Ok((false, 0));
            }
            let xmin = h.raw_xmin();
            if snapshot.is_own(xmin) {
                return self.mvcc_own(h, snapshot);
            }
            if snapshot.in_progress(xmin) {
                return Ok((false, 0));
            }
            if !self.did_commit(xmin)? {
                return Ok((false, XMIN_INVALID));
            }
            hints = self.committed_hint(xmin, XMIN_COMMITTED);
        } else if !h.xmin_frozen() && snapshot.in_progress(h.raw_xmin()) && !snapshot.is_own(h.raw_xmin()) {
            return Ok((false, 0));
        }
        if h.has(XMAX_INVALID) || h.xmax_locked_only() {
            return Ok((true, hints));
        }
        let is_multi = h.xmax_is_multi();
        let xmax = if is_multi { self.update_xid(h)? } else { h.raw_xmax() };
        if snapshot.is_own(xmax) {
            return Ok((self.cmax(h) >= snapshot.curcid, hints));
        }
        if snapshot.in_progress(xmax) {
            return Ok((true, hints));
        }
        if !is_multi && h.has(XMAX_COMMITTED) {
            return Ok((false, hints));
        }
        if self.did_commit(xmax)? {
            let hint = if is_multi { 0 } else { self.committed_hint(xmax, XMAX_COMMITTED) };
            return Ok((false, hints | hint));
        }
        Ok((true, hints | if is_multi { 0 } else { XMAX_INVALID }))
    }
    /// Inserted by ourselves.
    fn mvcc_own(&self, h: Header<'_>, snapshot: &Snapshot) -> Result<(bool, Hints)> {
        if self.cmin(h) >= snapshot.curcid {
            return Ok((false, 0));
        }
        if h.has(XMAX_INVALID) || h.xmax_locked_only() {
            return Ok((true, 0));
        }
        if h.xmax_is_multi() {
            let xmax = self.update_xid(h)?;
            return Ok((!snapshot.is_own(xmax) || self.cmax(h) >= snapshot.curcid, 0));
        }
        if !snapshot.is_own(h.raw_xmax()) {
            // Deleted by a subtransaction of ours that was rolled back.
            return Ok((true, XMAX_INVALID));
        }
        Ok((self.cmax(h) >= snapshot.curcid, 0))
    }

    /// (PostgreSQL: `HeapTupleSatisfiesSelf`, `HeapTupleSatisfiesDirty`)
    pub fn now(&self, h: Header<'_>) -> Result<(Now, Hints)> {
        let mut now = Now { alive: true, inserting: Xid::INVALID, deleting: Xid::INVALID };
        let dead = Now { alive: false, ..now };
        let mut hints = 0;
        if !h.xmin_committed() {
            let xmin = h.raw_xmin();
            if h.xmin_invalid() {
                return Ok((dead, 0));
            }
            if self.is_current(xmin) {
                if h.has(XMAX_INVALID) || h.xmax_locked_only() {
                    return Ok((now, 0));
                }
                let ours = self.is_current(self.update_xid(h)?);
                now.alive = !ours;
                return Ok((now, if ours || h.xmax_is_multi() { 0 } else { XMAX_INVALID }));
            }
            if self.in_progress(xmin) {
                now.inserting = xmin;
                return Ok((now, 0));
            }
            if !self.did_commit(xmin)? {
                return Ok((dead, XMIN_INVALID));
            }
            hints = self.committed_hint(xmin, XMIN_COMMITTED);
        }
        if h.has(XMAX_INVALID) || h.xmax_locked_only() {
            return Ok((now, hints));
        }
        let is_multi = h.xmax_is_multi();
        if !is_multi && h.has(XMAX_COMMITTED) {
            return Ok((dead, hints));
        }
        let xmax = self.update_xid(h)?;
        if self.is_current(xmax) {
            return Ok((dead, hints));
        }
        if xmax.is_valid() && self.in_progress(xmax) {
            now.deleting = xmax;
            return Ok((now, hints));
        }
        if xmax.is_valid() && self.did_commit(xmax)? {
            let hint = if is_multi { 0 } else { self.committed_hint(xmax, XMAX_COMMITTED) };
            return Ok((dead, hints | hint));
        }
        Ok((now, hints | if is_multi { 0 } else { XMAX_INVALID }))
    }

    /// May command `curcid` of ours change the tuple at `tid`? (PostgreSQL: `HeapTupleSatisfiesUpdate`)
    pub fn for_update(&self, h: Header<'_>, tid: TupleId, curcid: CommandId) -> Result<(ForUpdate, Hints)> {
        let mut hints = 0;
        let raw_xmax = h.raw_xmax();
        let own_change = || match self.cmax(h) >= curcid {
            true => ForUpdate::SelfModified,
            false => ForUpdate::Invisible,
        };
        let changed = || if h.ctid() == tid { ForUpdate::Deleted } else { ForUpdate::Updated };
        let being = |running: bool| if running { ForUpdate::BeingModified } else { ForUpdate::Ok };
        if !h.xmin_committed() {
            let xmin = h.raw_xmin();
            if h.xmin_invalid() {
                return Ok((ForUpdate::Invisible, 0));
            }
            if self.is_current(xmin) {
                if self.cmin(h) >= curcid {
                    return Ok((ForUpdate::Invisible, 0));
                }
                if h.has(XMAX_INVALID) {
                    return Ok((ForUpdate::Ok, 0));
                }
                if h.xmax_locked_only() {
                    let running = match h.xmax_is_multi() {
                        true => self.multi_is_running(raw_xmax, true)?,
                        false => self.in_progress(raw_xmax),
                    };
                    return Ok((being(running), 0));
                }
                if h.xmax_is_multi() {
                    return Ok(match self.is_current(self.update_xid(h)?) {
                        true => (own_change(), 0),
                        false => (being(self.multi_is_running(raw_xmax, false)?), 0),
                    });
                }
                return Ok(match self.is_current(raw_xmax) {
                    true => (own_change(), 0),
                    false => (ForUpdate::Ok, XMAX_INVALID),
                });
            }
            if self.in_progress(xmin) {
                return Ok((ForUpdate::Invisible, 0));
            }
            if !self.did_commit(xmin)? {
                return Ok((ForUpdate::Invisible, XMIN_INVALID));
            }
            hints = self.committed_hint(xmin, XMIN_COMMITTED);
        }
        if h.has(XMAX_INVALID) {
            return Ok((ForUpdate::Ok, hints));
        }
        if h.has(XMAX_COMMITTED) && !h.xmax_is_multi() {
            return Ok((if h.xmax_locked_only() { ForUpdate::Ok } else { changed() }, hints));
        }
        if h.xmax_is_multi() {
            let lock_only = h.xmax_locked_only();
            if !lock_only {
                let xmax = self.update_xid(h)?;
                if self.is_current(xmax) {
                    return Ok((own_change(), hints));
                }
                if self.multi_is_running(raw_xmax, false)? {
                    return Ok((ForUpdate::BeingModified, hints));
                }
                if xmax.is_valid() && self.did_commit(xmax)? {
                    return Ok((changed(), hints));
                }
                return Ok((ForUpdate::Ok, hints | XMAX_INVALID));
            }
            return Ok(match self.multi_is_running(raw_xmax, true)? {
                true => (ForUpdate::BeingModified, hints),
                false => (ForUpdate::Ok, hints | XMAX_INVALID),
            });
        }
        if self.is_current(raw_xmax) {
            return Ok((if h.xmax_locked_only() { ForUpdate::BeingModified } else { own_change() }, hints));
        }
        if self.in_progress(raw_xmax) {
            return Ok((ForUpdate::BeingModified, hints));
        }
        if h.xmax_locked_only() || !self.did_commit(raw_xmax)? {
            return Ok((ForUpdate::Ok, hints | XMAX_INVALID));
        }
        Ok((changed(), hints | self.committed_hint(raw_xmax, XMAX_COMMITTED)))
    }

    /// (PostgreSQL: `HeapTupleSatisfiesVacuumHorizon`)
    pub fn for_vacuum(&self, h: Header<'_>) -> Result<(ForVacuum, Hints)> {
        let mut hints = 0;
        if !h.xmin_committed() {
            let xmin = h.raw_xmin();
            if h.xmin_invalid() {
                return Ok((ForVacuum::Dead, 0));
            }
            if self.is_current(xmin) {
                if h.has(XMAX_INVALID) || self.is_only_locked(h)? {
                    return Ok((ForVacuum::InsertInProgress, 0));
                }
                return Ok(match self.is_current(self.update_xid(h)?) {
                    true => (ForVacuum::DeleteInProgress, 0),
                    false => (ForVacuum::InsertInProgress, 0),
                });
            }
            if self.in_progress(xmin) {
                return Ok((ForVacuum::InsertInProgress, 0));
            }
            if !self.did_commit(xmin)? {
                return Ok((ForVacuum::Dead, XMIN_INVALID));
            }
            hints = self.committed_hint(xmin, XMIN_COMMITTED);
        }
        let raw_xmax = h.raw_xmax();
        if h.has(XMAX_INVALID) {
            return Ok((ForVacuum::Live, hints));
        }
        if h.xmax_locked_only() {
            let running = match h.xmax_is_multi() {
                true => self.multi_is_running(raw_xmax, true)?,
                false => self.in_progress(raw_xmax),
            };
            return Ok((ForVacuum::Live, hints | if running { 0 } else { XMAX_INVALID }));
        }
        if h.xmax_is_multi() {
            let xmax = self.update_xid(h)?;
            if xmax.is_valid() && self.in_progress(xmax) {
                return Ok((ForVacuum::DeleteInProgress, hints));
            }
            if xmax.is_valid() && self.did_commit(xmax)? {
                return Ok((ForVacuum::RecentlyDead(xmax), hints));
            }
            let over = !self.multi_is_running(raw_xmax, false)?;
            return Ok((ForVacuum::Live, hints | if over { XMAX_INVALID } else { 0 }));
        }
        if !h.has(XMAX_COMMITTED) {
            if self.in_progress(raw_xmax) {
                return Ok((ForVacuum::DeleteInProgress, hints));
            }
            if !self.did_commit(raw_xmax)? {
                return Ok((ForVacuum::Live, hints | XMAX_INVALID));
            }
            hints |= self.committed_hint(raw_xmax, XMAX_COMMITTED);
        }
        Ok((ForVacuum::RecentlyDead(raw_xmax), hints))
    }
}

/// Can nobody see the tuple any more, by its hints alone? (PostgreSQL: `HeapTupleIsSurelyDead`)
pub fn is_surely_dead(h: Header<'_>, horizon: &VisibilityHorizon) -> bool {
    if !h.xmin_committed() {
        return h.xmin_invalid();
    }
    let deleted = !h.has(XMAX_INVALID) && !h.xmax_locked_only() && !h.xmax_is_multi() && h.has(XMAX_COMMITTED);
    deleted && horizon.is_removable(h.raw_xmax())
}

fn write_hints(page: &mut ExclusivePage<'_>, hints: &[(OffsetNumber, Hints)]) -> Result<()> {
    let p = page.hint_write();
    for &(off, bits) in hints {
        if let Some(t) = p.item_mut(off) {
            header::change_infomask(t, 0, bits & infomask::XACT_MASK);
        }
    }
    page.mark_dirty_hint()
}

/// Sets hints if the page can be had alone at once; they are lost otherwise, and found again by the next reader.
pub fn set_hints(page: SharedPage<'_>, hints: &[(OffsetNumber, Hints)]) -> Result<()> {
    if hints.is_empty() {
        return Ok(());
    }
    match page.try_upgrade() {
        Ok(mut page) => write_hints(&mut page, hints),
        Err(_) => Ok(()),
    }
}

/// Sets hints on a page that is latched exclusively.
pub fn set_hints_exclusive(page: &mut ExclusivePage<'_>, hints: &[(OffsetNumber, Hints)]) -> Result<()> {
    if hints.iter().all(|h| h.1 == 0) {
        return Ok(());
    }
    write_hints(page, hints)
}
