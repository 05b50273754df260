//! Heavyweight locks. (PostgreSQL: `lock.c`, `proc.c`; manual, "Explicit Locking")
//!
//! Weak relation locks (up to ROW EXCLUSIVE) and a transaction's locks on its own ids are noted only in the session's own
//! table, under a mutex that nobody else takes in the normal course. Who wants a conflicting lock raises a counter (so
//! that no new weak lock is taken that way), then moves the noted locks of all sessions into the shared table. Unlike
//! PostgreSQL's fast path it is not limited in number.
//!
//! | file | what |
//! | --- | --- |
//! | `mode.rs`, `tag.rs` | the modes and their conflicts; what can be locked |
//! | `local.rs` | a session's own table |
//! | `table.rs` | the shared table: grants, queues, wake-ups |
//! | `wait.rs` | waiting: interrupts, timeouts |
//! | `deadlock.rs` | who waits for whom in a circle |
//!
//! Latch order: a session's own table, then a shard of the shared table (shards in ascending order), then a session's
//! wait state. While waiting none is held.

mod deadlock;
mod local;
mod mode;
mod table;
mod tag;
#[cfg(test)]
mod tests;
mod wait;

use std::hash::{BuildHasher, Hash};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use base::{Oid, Result, SessionId, Xid};
use hashbrown::DefaultHashBuilder;
use parking_lot::{Mutex, RwLock};

pub(crate) use local::LocalLocks;
pub use mode::LockMode;
use table::{Attempt, Shard};
pub use tag::LockTag;
pub(crate) use wait::WaitState;

use crate::proc::Proc;

/// How long a lock is held.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LockLevel {
    Transaction,
    /// Until released or the session ends; survives rollbacks.
    Session,
}

/// What to do if the lock is not free.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Wait {
    Block,
    /// NOWAIT, SKIP LOCKED: answer [`Acquired::NotAvailable`].
    No,
}

/// (PostgreSQL: `LockAcquireResult`)
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Acquired {
    NotAvailable,
    Granted,
    /// The session held it already.
    AlreadyHeld,
}

/// A line of `pg_locks`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LockInfo {
    pub tag: LockTag,
    pub mode: LockMode,
    pub granted: bool,
    pub fastpath: bool,
    pub session: SessionId,
    /// (proc number, local xid) of the holder.
    pub virtual_transaction: (u32, u32),
    /// Microseconds since 2000-01-01 UTC, for those that wait.
    pub wait_start: Option<i64>,
}

const SHARDS: usize = 32;
const STRONG_COUNTERS: usize = 1024;

/// The registered sessions, by number.
pub(crate) type Procs = Arc<RwLock<Vec<Option<Arc<Proc>>>>>;

/// The locks of a cluster.
pub struct LockManager {
    shards: Box<[Mutex<Shard>]>,
    /// How many hold or want a strong lock on relations with this hash: weak locks then go to the shared table.
    strong: Box<[AtomicU32]>,
    procs: Procs,
    hasher: DefaultHashBuilder,
}

impl LockManager {
    pub fn new() -> LockManager {
        LockManager {
            shards: (0..SHARDS).map(|_| Mutex::default()).collect(),
            strong: (0..STRONG_COUNTERS).map(|_| AtomicU32::new(0)).collect(),
            procs: Procs::default(),
            hasher: DefaultHashBuilder::default(),
        }
    }

    // Sessions

    pub(crate) fn add_proc(&self, make: impl FnOnce(u32) -> Proc) -> Arc<Proc> {
        let mut procs = self.procs.write();
        let at = procs.iter().position(Option::is_none).unwrap_or(procs.len());
        let proc = Arc::new(make(at as u32 + 1));
        match procs.get_mut(at) {
            Some(slot) => *slot = Some(Arc::clone(&proc)),
            None => procs.push(Some(Arc::clone(&proc))),
        }
        proc
    }
    pub(crate) fn remove_proc(&self, proc: &Arc<Proc>) {
        for slot in self.procs.write().iter_mut() {
            if slot.as_ref().is_some_and(|p| Arc::ptr_eq(p, proc)) {
                *slot = None;
            }
        }
    }
    pub(crate) fn shared_procs(&self) -> Procs {
        Arc::clone(&self.procs)
    }
    pub(crate) fn procs(&self) -> Vec<Arc<Proc>> {
        self.procs.read().iter().flatten().map(Arc::clone).collect()
    }

    // Acquiring

    fn hash(&self, tag: LockTag) -> usize {
        let mut hasher = self.hasher.build_hasher();
        tag.hash(&mut hasher);
        std::hash::Hasher::finish(&hasher) as usize
    }
    fn shard(&self, tag: LockTag) -> &Mutex<Shard> {
        &self.shards[self.hash(tag) % SHARDS]
    }
    fn strong_counter(&self, tag: LockTag) -> &AtomicU32 {
        &self.strong[self.hash(tag) / SHARDS % STRONG_COUNTERS]
    }

    /// Gets the lock, waiting if `wait` says so. Waiting ends with the lock, an interrupt, `lock_timeout` or a deadlock.
    /// (PostgreSQL: `LockAcquireExtended`)
    pub fn acquire(
        &self,
        proc: &Arc<Proc>,
        tag: LockTag,
        mode: LockMode,
        level: LockLevel,
        wait: Wait,
    ) -> Result<Acquired> {
        {
            let mut local = proc.locks.lock();
            if local.add_if_held(tag, mode, level) {
                return Ok(Acquired::AlreadyHeld);
            }
            // A strong locker raises the counter before it looks into this table under the same mutex: either we see the
            // counter, or it sees the lock.
            let fast = tag.has_weak_modes() && mode.is_weak() && self.strong_counter(tag).load(Ordering::Acquire) == 0;
            if fast {
                local.add(tag, mode, level, true);
                return Ok(Acquired::Granted);
            }
        }
        let strong = tag.has_weak_modes() && mode.conflicts_with_weak();
        if strong {
            self.strong_counter(tag).fetch_add(1, Ordering::AcqRel);
        }
        if strong || tag.is_own_id() {
            self.move_to_table(tag);
        }
        let granted = self.acquire_from_table(proc, tag, mode, wait);
        match granted {
            Ok(true) => {
                proc.locks.lock().add(tag, mode, level, false);
                Ok(Acquired::Granted)
            }
            other => {
                if strong {
                    self.strong_counter(tag).fetch_sub(1, Ordering::AcqRel);
                }
                other.map(|_| Acquired::NotAvailable)
            }
        }
    }
    fn acquire_from_table(&self, proc: &Arc<Proc>, tag: LockTag, mode: LockMode, wait: Wait) -> Result<bool> {
        {
            let mut shard = self.shard(tag).lock();
            match shard.attempt(proc, tag, mode, wait) {
                Attempt::Granted => return Ok(true),
                Attempt::NotAvailable => return Ok(false),
                Attempt::Queued => {}
                Attempt::Deadlock(other, theirs) => return Err(deadlock::early(proc, mode, &other, theirs, tag)),
            }
        }
        self.sleep(proc, tag, mode).map(|()| true)
    }
    /// Gets the lock for the transaction, waiting for it.
    pub fn lock(&self, proc: &Arc<Proc>, tag: LockTag, mode: LockMode) -> Result<()> {
        self.acquire(proc, tag, mode, LockLevel::Transaction, Wait::Block).map(|_| ())
    }
    /// Locks that only the session itself has noted go into the shared table, where they can be waited for.
    fn move_to_table(&self, tag: LockTag) {
        for proc in self.procs() {
            let mut local = proc.locks.lock();
            for mode in local.take_fast(tag) {
                self.shard(tag).lock().grant(&proc, tag, mode);
            }
        }
    }
    /// A transaction's lock on its own, new id: nobody can be in its way.
    pub(crate) fn lock_own_xid(&self, proc: &Proc, xid: Xid) {
        proc.locks.lock().add_own_id(LockTag::Transaction(xid));
    }
    pub(crate) fn lock_own_virtual_xid(&self, proc: &Proc, local_xid: u32) {
        proc.locks.lock().set_virtual_id(LockTag::VirtualTransaction { proc: proc.number, local_xid });
    }
    /// Waits until the transaction has released its lock on its own id.
    pub(crate) fn wait_for_transaction_lock(&self, proc: &Arc<Proc>, xid: Xid, wait: Wait) -> Result<bool> {
        let tag = LockTag::Transaction(xid);
        if self.acquire(proc, tag, LockMode::Share, LockLevel::Transaction, wait)? == Acquired::NotAvailable {
            return Ok(false);
        }
        self.release(proc, tag, LockMode::Share, LockLevel::Transaction);
        Ok(true)
    }
    /// Waits until that virtual transaction has ended. (PostgreSQL: `VirtualXactLock`)
    pub fn wait_for_virtual_xid(&self, proc: &Arc<Proc>, vxid: (u32, u32), wait: Wait) -> Result<bool> {
        let tag = LockTag::VirtualTransaction { proc: vxid.0, local_xid: vxid.1 };
        if self.acquire(proc, tag, LockMode::Share, LockLevel::Transaction, wait)? == Acquired::NotAvailable {
            return Ok(false);
        }
        self.release(proc, tag, LockMode::Share, LockLevel::Transaction);
        Ok(true)
    }

    // Releasing

    /// Subtransactions were rolled back: who waits for their ids may go on.
    pub(crate) fn release_own_xids(&self, proc: &Arc<Proc>, xids: &[Xid]) {
        let gone: Vec<_> = {
            let mut local = proc.locks.lock();
            xids.iter().filter_map(|x| local.remove_own_id(LockTag::Transaction(*x))).collect()
        };
        self.give_back(proc, gone);
    }

    /// Gives one hold back; `false` if it was not held. (PostgreSQL: `LockRelease`)
    pub fn release(&self, proc: &Arc<Proc>, tag: LockTag, mode: LockMode, level: LockLevel) -> bool {
        let gone = proc.locks.lock().remove(tag, mode, level);
        match gone {
            None => false,
            Some(gone) => {
                self.give_back(proc, gone);
                true
            }
        }
    }
    /// Locks that are no longer held, out of the shared table.
    fn give_back(&self, proc: &Arc<Proc>, gone: impl IntoIterator<Item = (LockTag, LockMode)>) {
        for (tag, mode) in gone {
            self.shard(tag).lock().release(proc, tag, mode);
            if tag.has_weak_modes() && mode.conflicts_with_weak() {
                self.strong_counter(tag).fetch_sub(1, Ordering::AcqRel);
            }
        }
    }
    /// At the end of a transaction. (PostgreSQL: `LockReleaseAll`)
    pub fn release_transaction(&self, proc: &Arc<Proc>) {
        let gone = proc.locks.lock().remove_transaction();
        self.give_back(proc, gone);
    }
    /// At the end of a session, and for `pg_advisory_unlock_all` with `only_advisory`.
    pub fn release_session(&self, proc: &Arc<Proc>, only_advisory: bool) {
        let gone = proc.locks.lock().remove_session(only_advisory);
        self.give_back(proc, gone);
    }
    /// A mark for [`LockManager::release_since`]: at the start of a subtransaction.
    pub fn mark(&self, proc: &Proc) -> usize {
        proc.locks.lock().mark()
    }
    /// Releases what was locked after the mark: a subtransaction was rolled back.
    pub fn release_since(&self, proc: &Arc<Proc>, mark: usize) {
        let gone = proc.locks.lock().remove_since(mark);
        self.give_back(proc, gone);
    }

    // Prepared transactions

    /// The relations that the session has locked, with their databases.
    pub fn locked_relations(&self, proc: &Proc) -> Vec<(Oid, Oid)> {
        let held = proc.locks.lock().of_transaction();
        let relation = |tag| if let LockTag::Relation { db, rel } = tag { Some((db, rel)) } else { None };
        held.into_iter().filter_map(|(tag, _)| relation(tag)).collect()
    }
    /// The transaction's locks, to be kept by a prepared transaction. (PostgreSQL: `AtPrepare_Locks`)
    pub(crate) fn for_prepare(&self, proc: &Proc) -> Result<Vec<(LockTag, LockMode)>> {
        let local = proc.locks.lock();
        let mut kept = Vec::new();
        for (tag, mode) in local.of_transaction() {
            if matches!(tag, LockTag::VirtualTransaction { .. }) {
                continue;
            }
            if local.has_session_hold(tag) {
                let text =
                    "cannot PREPARE while holding both session-level and transaction-level locks on the same object";
                return Err(base::PgError::new(base::sqlstate::FEATURE_NOT_SUPPORTED, text));
            }
            kept.push((tag, mode));
        }
        Ok(kept)
    }
    /// Gives a transaction's locks to another place, without a moment in which nobody holds them.
    /// (PostgreSQL: `PostPrepare_Locks`)
    pub(crate) fn hand_over(&self, from: &Arc<Proc>, to: &Arc<Proc>) {
        // Under the latch of `from`: whoever moves noted locks into the shared table finds them here or already there.
        let mut local = from.locks.lock();
        let mut target = Vec::new();
        for (tag, mode) in local.of_transaction() {
            if matches!(tag, LockTag::VirtualTransaction { .. }) {
                continue;
            }
            let fast = local.take_away((tag, mode));
            let mut shard = self.shard(tag).lock();
            match fast {
                true => shard.grant(to, tag, mode),
                false => shard.hand_over(from, to, tag, mode),
            }
            target.push((tag, mode));
        }
        drop(local);
        let mut held = to.locks.lock();
        target.into_iter().for_each(|(tag, mode)| held.add(tag, mode, LockLevel::Transaction, false));
    }
    /// A prepared transaction found by recovery has its locks again; nobody else runs yet.
    pub(crate) fn restore(&self, proc: &Arc<Proc>, locks: &[(LockTag, LockMode)]) {
        for (tag, mode) in locks {
            if tag.has_weak_modes() && mode.conflicts_with_weak() {
                self.strong_counter(*tag).fetch_add(1, Ordering::AcqRel);
            }
            self.shard(*tag).lock().grant(proc, *tag, *mode);
            proc.locks.lock().add(*tag, *mode, LockLevel::Transaction, false);
        }
    }

    // Asking

    /// Does the session hold the lock in this mode (or, with `or_stronger`, one at least as strong)?
    /// (PostgreSQL: `LockHeldByMe`)
    pub fn is_held(&self, proc: &Proc, tag: LockTag, mode: LockMode, or_stronger: bool) -> bool {
        let local = proc.locks.lock();
        LockMode::ALL.into_iter().filter(|m| *m == mode || or_stronger && *m > mode).any(|m| local.holds(tag, m))
    }
    /// The sessions that hold conflicting locks on the tag, with their virtual transactions.
    /// (PostgreSQL: `GetLockConflicts`)
    pub fn conflicting(&self, proc: &Arc<Proc>, tag: LockTag, mode: LockMode) -> Vec<(SessionId, (u32, u32))> {
        if tag.has_weak_modes() {
            let mut found = Vec::new();
            for other in self.procs() {
                let holds =
                    LockMode::ALL.into_iter().any(|m| m.conflicts_with(mode) && other.locks.lock().holds(tag, m));
                if holds && !Arc::ptr_eq(&other, proc) {
                    found.push((other.id, other.virtual_xid()));
                }
            }
            return found;
        }
        let holders = self.shard(tag).lock().conflicting(proc, tag, mode);
        holders.into_iter().map(|p| (p.id, p.virtual_xid())).collect()
    }
    /// Whom the session waits for. (PostgreSQL: `pg_blocking_pids`)
    pub fn blockers(&self, session: SessionId) -> Vec<SessionId> {
        let procs = self.procs();
        let Some(proc) = procs.iter().find(|p| p.id == session) else { return Vec::new() };
        let Some((tag, mode)) = proc.wait.lock().waiting_for() else { return Vec::new() };
        self.shard(tag).lock().blockers(proc, tag, mode).into_iter().map(|p| p.id).collect()
    }
    /// All locks, for `pg_locks`.
    pub fn all(&self) -> Vec<LockInfo> {
        let mut all = Vec::new();
        for proc in self.procs() {
            for (tag, mode) in proc.locks.lock().fast() {
                all.push(LockInfo {
                    tag,
                    mode,
                    granted: true,
                    // PostgreSQL's own transaction ids lie in the shared table; only weak locks are "fast path".
                    fastpath: !matches!(tag, LockTag::Transaction(_)),
                    session: proc.id,
                    virtual_transaction: proc.virtual_xid(),
                    wait_start: None,
                });
            }
        }
        for shard in &self.shards {
            shard.lock().describe(&mut all);
        }
        all
    }
}
