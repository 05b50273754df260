//! The arithmetic of row locks: what a tuple's xmax becomes when one more transaction locks, updates or deletes it, and
//! for whom it must wait.
//!
//! One transaction's lock or change is its xid in xmax, with bits for its strength. Several are a multixact, whose members
//! each have their own. Which strengths exclude each other is told by the heavyweight lock modes that stand for them.
//!
//! PostgreSQL: `compute_new_xmax_infomask`, `DoesMultiXactIdConflict`, `MultiXactIdWait`, `heap_acquire_tuplock`.

use base::sqlstate::LOCK_NOT_AVAILABLE;
use base::{MultiXactId, PgError, Result, TupleId, Xid};
use txn::lock::{Acquired, LockLevel, Wait};
use txn::{LockMode, LockTag, MultiXactMember, MultiXactStatus, Transaction};

use super::change::NewXmax;
use super::visibility::Viewer;
use super::{HeapRelation, RowLock, WaitPolicy};
use crate::tuple::{Header, infomask::*, infomask2::KEYS_UPDATED, xmax_locked_only};

impl RowLock {
    pub(super) fn status(self, is_update: bool) -> MultiXactStatus {
        match (self, is_update) {
            (RowLock::KeyShare, _) => MultiXactStatus::ForKeyShare,
            (RowLock::Share, _) => MultiXactStatus::ForShare,
            (RowLock::NoKeyExclusive, false) => MultiXactStatus::ForNoKeyUpdate,
            (RowLock::Exclusive, false) => MultiXactStatus::ForUpdate,
            (RowLock::NoKeyExclusive, true) => MultiXactStatus::NoKeyUpdate,
            (RowLock::Exclusive, true) => MultiXactStatus::Update,
        }
    }
    /// (PostgreSQL: `TUPLOCK_from_mxstatus`)
    pub(super) fn of_status(status: MultiXactStatus) -> RowLock {
        match status {
            MultiXactStatus::ForKeyShare => RowLock::KeyShare,
            MultiXactStatus::ForShare => RowLock::Share,
            MultiXactStatus::ForNoKeyUpdate | MultiXactStatus::NoKeyUpdate => RowLock::NoKeyExclusive,
            MultiXactStatus::ForUpdate | MultiXactStatus::Update => RowLock::Exclusive,
        }
    }
    /// The heavyweight mode that stands for it.
    pub(super) fn heavy(self) -> LockMode {
        match self {
            RowLock::KeyShare => LockMode::AccessShare,
            RowLock::Share => LockMode::RowShare,
            RowLock::NoKeyExclusive => LockMode::Exclusive,
            RowLock::Exclusive => LockMode::AccessExclusive,
        }
    }
    pub(super) fn conflicts(self, other: RowLock) -> bool {
        self.heavy().conflicts_with(other.heavy())
    }
    /// The strength of a lock by a single transaction, from its bits.
    pub(super) fn of_infomask(mask: u16, mask2: u16) -> Option<RowLock> {
        Some(match mask & LOCK_MASK {
            XMAX_KEYSHR_LOCK => RowLock::KeyShare,
            XMAX_SHR_LOCK => RowLock::Share,
            XMAX_EXCL_LOCK if mask2 & KEYS_UPDATED != 0 => RowLock::Exclusive,
            XMAX_EXCL_LOCK => RowLock::NoKeyExclusive,
            _ => return None,
        })
    }
}

/// A lock of a server before 9.3, brought here by pg_upgrade: it ended long ago. (PostgreSQL: `HEAP_LOCKED_UPGRADED`)
pub(super) fn locked_upgraded(mask: u16) -> bool {
    mask & XMAX_IS_MULTI != 0 && mask & XMAX_LOCK_ONLY != 0 && mask & (XMAX_EXCL_LOCK | XMAX_KEYSHR_LOCK) == 0
}

/// Did what another transaction may have changed meanwhile change? (PostgreSQL: `xmax_infomask_changed`)
pub(super) fn xmax_changed(h: Header<'_>, xmax: Xid, mask: u16) -> bool {
    let interesting = XMAX_IS_MULTI | XMAX_LOCK_ONLY | LOCK_MASK;
    h.raw_xmax() != xmax || h.infomask() & interesting != mask & interesting
}

/// The xmax of a tuple that `add` locks or changes, too. (PostgreSQL: `compute_new_xmax_infomask`)
pub(super) fn new_xmax(
    viewer: &Viewer<'_>,
    h: Header<'_>,
    add: Xid,
    mode: RowLock,
    is_update: bool,
) -> Result<NewXmax> {
    let txn = viewer.txn();
    let multis = txn.manager().multixacts();
    let (old, mask, mask2) = (h.raw_xmax(), h.infomask(), h.infomask2());
    let own = MultiXactMember { xid: add, status: mode.status(is_update) };
    let updater = |mask2: u16| match mask2 & KEYS_UPDATED != 0 {
        true => MultiXactStatus::Update,
        false => MultiXactStatus::NoKeyUpdate,
    };
    let both = |status: MultiXactStatus| -> Result<NewXmax> {
        let multi = multis.create(txn, &[MultiXactMember { xid: old, status }, own])?;
        multi_bits(viewer, multi)
    };
    if mask & XMAX_INVALID != 0 {
        return Ok(single_xmax(add, mode, is_update));
    }
    let lock_only = xmax_locked_only(mask);
    if mask & XMAX_IS_MULTI != 0 {
        if locked_upgraded(mask) {
            return Ok(single_xmax(add, mode, is_update));
        }
        if !viewer.multi_is_running(old, lock_only)? {
            let update = if lock_only { Xid::INVALID } else { viewer.update_xid(h)? };
            if !update.is_valid() || !viewer.did_commit(update)? {
                return Ok(single_xmax(add, mode, is_update));
            }
        }
        return multi_bits(viewer, multis.expand(txn, MultiXactId(old.0), own)?);
    }
    if mask & XMAX_COMMITTED != 0 {
        return both(updater(mask2));
    }
    if viewer.is_current(old) || viewer.in_progress(old) {
        let (status, old_mode) = match lock_only {
            true => match RowLock::of_infomask(mask, mask2) {
                Some(m) => (m.status(false), m),
                None => return Ok(single_xmax(add, mode, is_update)),
            },
            false => (updater(mask2), RowLock::of_status(updater(mask2))),
        };
        if old == add {
            // Only the stronger of our own locks counts.
            return Ok(single_xmax(add, mode.max(old_mode), is_update));
        }
        return both(status);
    }
    if !lock_only && viewer.did_commit(old)? {
        return both(updater(mask2));
    }
    Ok(single_xmax(add, mode, is_update))
}

fn single_xmax(xmax: Xid, mode: RowLock, is_update: bool) -> NewXmax {
    let keys = if mode == RowLock::Exclusive { KEYS_UPDATED } else { 0 };
    let infomask = match (is_update, mode) {
        (true, _) => 0,
        (_, RowLock::KeyShare) => XMAX_LOCK_ONLY | XMAX_KEYSHR_LOCK,
        (_, RowLock::Share) => XMAX_LOCK_ONLY | XMAX_SHR_LOCK,
        _ => XMAX_LOCK_ONLY | XMAX_EXCL_LOCK,
    };
    NewXmax { xmax, infomask, infomask2: keys }
}

/// The bits that go with a multixact. (PostgreSQL: `GetMultiXactIdHintBits`)
pub(super) fn multi_bits(viewer: &Viewer<'_>, multi: MultiXactId) -> Result<NewXmax> {
    let members = viewer.txn().manager().multixacts().members(multi, false)?;
    let (mut infomask, mut infomask2) = (XMAX_IS_MULTI, 0);
    let mut strongest = RowLock::KeyShare;
    for m in &members {
        strongest = strongest.max(RowLock::of_status(m.status));
        if matches!(m.status, MultiXactStatus::ForUpdate | MultiXactStatus::Update) {
            infomask2 |= KEYS_UPDATED;
        }
    }
    infomask |= match strongest {
        RowLock::KeyShare => XMAX_KEYSHR_LOCK,
        RowLock::Share => XMAX_SHR_LOCK,
        _ => XMAX_EXCL_LOCK,
    };
    if !members.iter().any(|m| m.status.is_update()) {
        infomask |= XMAX_LOCK_ONLY;
    }
    Ok(NewXmax { xmax: Xid(multi.0), infomask, infomask2 })
}

/// Who stands in the way.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Conflict {
    /// Somebody must be waited for.
    pub exists: bool,
    /// We are among the multixact's members ourselves.
    pub own_member: bool,
}

/// Does the tuple's xmax exclude a lock of this strength? (PostgreSQL: `DoesMultiXactIdConflict`, and for single ids)
pub(super) fn conflict(viewer: &Viewer<'_>, xmax: Xid, mask: u16, mask2: u16, mode: RowLock) -> Result<Conflict> {
    let mut result = Conflict { exists: false, own_member: false };
    if mask & XMAX_IS_MULTI == 0 {
        let held = match xmax_locked_only(mask) {
            true => RowLock::of_infomask(mask, mask2).unwrap_or(RowLock::Exclusive),
            // Whoever updates is waited for: the row may not be there afterwards.
            false => RowLock::Exclusive,
        };
        result.exists = !viewer.is_current(xmax) && (held.conflicts(mode) || !xmax_locked_only(mask));
        return Ok(result);
    }
    if locked_upgraded(mask) {
        return Ok(result);
    }
    let multis = viewer.txn().manager().multixacts();
    for m in multis.members(MultiXactId(xmax.0), xmax_locked_only(mask))? {
        if viewer.is_current(m.xid) {
            result.own_member = true;
            continue;
        }
        if !RowLock::of_status(m.status).conflicts(mode) {
            continue;
        }
        let over = match m.status.is_update() {
            true => viewer.txn().manager().did_abort(m.xid)? && !viewer.in_progress(m.xid),
            false => !viewer.in_progress(m.xid),
        };
        result.exists |= !over;
    }
    Ok(result)
}

/// Waits for those behind an xmax whose locks exclude `mode`. `false`: the policy says not to wait.
/// (PostgreSQL: `MultiXactIdWait`, `XactLockTableWait` and their conditional forms)
pub(super) fn wait_for(txn: &Transaction, xmax: Xid, mask: u16, mode: RowLock, wait: Wait) -> Result<bool> {
    let manager = txn.manager();
    if mask & XMAX_IS_MULTI == 0 {
        return manager.wait_for_xid_if(txn.proc(), xmax, wait);
    }
    if locked_upgraded(mask) {
        return Ok(true);
    }
    for m in manager.multixacts().members(MultiXactId(xmax.0), xmax_locked_only(mask))? {
        if txn.is_current(m.xid) || !RowLock::of_status(m.status).conflicts(mode) {
            continue;
        }
        if !manager.wait_for_xid_if(txn.proc(), m.xid, wait)? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Our place in the queue of those who wait for a row: a heavyweight lock on it, so that nobody who comes later gets
/// ahead. Released when dropped. (PostgreSQL: `heap_acquire_tuplock`)
pub(super) struct Queue<'a> {
    rel: &'a HeapRelation,
    txn: &'a Transaction,
    tid: TupleId,
    held: Option<LockMode>,
}

impl<'a> Queue<'a> {
    pub fn new(rel: &'a HeapRelation, txn: &'a Transaction, tid: TupleId) -> Queue<'a> {
        Queue { rel, txn, tid, held: None }
    }
    fn tag(&self) -> LockTag {
        let (block, offset) = (self.tid.block, self.tid.offset);
        LockTag::Tuple { db: self.rel.lock_db(self.txn), rel: self.rel.oid, block, offset }
    }
    /// `false`: the policy says not to wait.
    pub fn join(&mut self, mode: RowLock, policy: WaitPolicy) -> Result<bool> {
        if self.held.is_some() {
            return Ok(true);
        }
        let wait = if policy == WaitPolicy::Block { Wait::Block } else { Wait::No };
        let locks = self.txn.manager().locks();
        let got = locks.acquire(self.txn.proc(), self.tag(), mode.heavy(), LockLevel::Transaction, wait)?;
        if got == Acquired::NotAvailable {
            return self.refused(policy);
        }
        self.held = Some(mode.heavy());
        Ok(true)
    }
    /// What the policy makes of a row that is not to be had.
    pub fn refused(&self, policy: WaitPolicy) -> Result<bool> {
        match policy {
            WaitPolicy::Error => {
                let text = format!("could not obtain lock on row in relation \"{}\"", self.rel.name);
                Err(PgError::new(LOCK_NOT_AVAILABLE, text))
            }
            _ => Ok(false),
        }
    }
}

impl Drop for Queue<'_> {
    fn drop(&mut self) {
        if let Some(mode) = self.held {
            let locks = self.txn.manager().locks();
            locks.release(self.txn.proc(), self.tag(), mode, LockLevel::Transaction);
        }
    }
}
