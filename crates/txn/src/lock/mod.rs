//! Heavyweight locks. (PostgreSQL: `lock.c`, `deadlock.c`; manual, "Explicit Locking")
//!
//! Weak relation locks (up to ROW EXCLUSIVE) and a transaction's lock on its own id are noted only in the session's own
//! table, under a mutex that nobody else takes in the normal course. Who wants a conflicting lock raises a counter (so
//! that no new weak lock is taken that way), then moves the noted locks of all sessions into the shared table. Unlike
//! PostgreSQL's fast path it is not limited in number.

mod deadlock;
mod mode;
mod tag;

use std::sync::Arc;

use base::{PgError, Result, SessionId, Xid};

pub use mode::LockMode;
pub use tag::LockTag;

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

#[derive(Default)]
pub(crate) struct LocalLocks {}

#[derive(Default)]
pub(crate) struct WaitState {}

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

/// The locks of a cluster.
pub struct LockManager {}

impl LockManager {
    pub fn new() -> LockManager {
        LockManager {}
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
        let _ = (proc, tag, mode, level, wait);
        Err(PgError::unsupported("locks"))
    }
    /// Gets the lock for the transaction, waiting for it.
    pub fn lock(&self, proc: &Arc<Proc>, tag: LockTag, mode: LockMode) -> Result<()> {
        self.acquire(proc, tag, mode, LockLevel::Transaction, Wait::Block).map(|_| ())
    }
    /// Gives one hold back; `false` if it was not held. (PostgreSQL: `LockRelease`)
    pub fn release(&self, proc: &Arc<Proc>, tag: LockTag, mode: LockMode, level: LockLevel) -> bool {
        let _ = (proc, tag, mode, level);
        false
    }
    /// At the end of a transaction. (PostgreSQL: `LockReleaseAll`)
    pub fn release_transaction(&self, proc: &Arc<Proc>) {
        let _ = proc;
    }
    /// At the end of a session, and for `pg_advisory_unlock_all` with `only_advisory`.
    pub fn release_session(&self, proc: &Arc<Proc>, only_advisory: bool) {
        let _ = (proc, only_advisory);
    }
    /// Does the session hold the lock in this mode (or, with `or_stronger`, one at least as strong)?
    /// (PostgreSQL: `LockHeldByMe`)
    pub fn is_held(&self, proc: &Proc, tag: LockTag, mode: LockMode, or_stronger: bool) -> bool {
        let _ = (proc, tag, mode, or_stronger);
        false
    }
    /// A mark for [`LockManager::release_since`]: at the start of a subtransaction.
    pub fn mark(&self, proc: &Proc) -> usize {
        let _ = proc;
        0
    }
    /// Releases what was locked after the mark: a subtransaction was rolled back.
    pub fn release_since(&self, proc: &Arc<Proc>, mark: usize) {
        let _ = (proc, mark);
    }
    /// Waits until the transaction has released its lock on its own id: one round. Use
    /// [`crate::TransactionManager::wait_for_xid`].
    pub(crate) fn wait_for_transaction_lock(&self, proc: &Arc<Proc>, xid: Xid, wait: Wait) -> Result<bool> {
        let _ = (proc, xid, wait);
        Err(PgError::unsupported("locks"))
    }
    /// The sessions that hold (or wait ahead of us for) conflicting locks on the tag. (PostgreSQL: `GetLockConflicts`)
    pub fn conflicting(&self, proc: &Proc, tag: LockTag, mode: LockMode) -> Vec<(SessionId, (u32, u32))> {
        let _ = (proc, tag, mode);
        Vec::new()
    }
    /// Whom the session waits for. (PostgreSQL: `pg_blocking_pids`)
    pub fn blockers(&self, session: SessionId) -> Vec<SessionId> {
        let _ = session;
        Vec::new()
    }
    /// All locks, for `pg_locks`.
    pub fn all(&self) -> Vec<LockInfo> {
        Vec::new()
    }
}
