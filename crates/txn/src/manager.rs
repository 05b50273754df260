//! The transactions of a cluster. (PostgreSQL: `procarray.c`, `varsup.c`, `transam.c`)

use std::sync::Arc;

use base::{FullXid, Interrupt, Lsn, Oid, PgError, Result, SessionId, Xid};
use storage::BufferPool;
use wal::Wal;

use crate::clog::XidStatus;
use crate::horizon::{HorizonKind, Horizons, VisibilityHorizon};
use crate::lock::{LockManager, Wait};
use crate::multixact::MultiXacts;
use crate::proc::Proc;

/// Settings.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ManagerOptions {
    /// Pages of pg_xact kept in memory. (PostgreSQL: `transaction_buffers`)
    pub clog_buffers: usize,
    pub multixact_buffers: usize,
    /// Milliseconds. (PostgreSQL: `deadlock_timeout`)
    pub deadlock_timeout_ms: u64,
}

impl Default for ManagerOptions {
    fn default() -> ManagerOptions {
        ManagerOptions { clog_buffers: 64, multixact_buffers: 32, deadlock_timeout_ms: 1000 }
    }
}

/// A transaction's fate as seen by everybody.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fate {
    InProgress,
    Committed,
    Aborted,
}

/// Shared by all sessions of a cluster.
pub struct TransactionManager {
    wal: Arc<Wal>,
    pool: Arc<BufferPool>,
    locks: LockManager,
    multixacts: MultiXacts,
}

impl TransactionManager {
    /// Before recovery, which sets the counters ([`wal::recovery::RecoveryHooks`] is implemented).
    pub fn new(wal: Arc<Wal>, pool: Arc<BufferPool>, options: ManagerOptions) -> Arc<TransactionManager> {
        let _ = options;
        Arc::new(TransactionManager { wal, pool, locks: LockManager::new(), multixacts: MultiXacts {} })
    }
    pub fn wal(&self) -> &Arc<Wal> {
        &self.wal
    }
    pub fn pool(&self) -> &Arc<BufferPool> {
        &self.pool
    }
    pub fn locks(&self) -> &LockManager {
        &self.locks
    }
    pub fn multixacts(&self) -> &MultiXacts {
        &self.multixacts
    }
    /// A session's place. It leaves the list, with its locks, when [`TransactionManager::unregister`]ed.
    pub fn register(&self, id: SessionId, database: Oid, interrupt: Interrupt) -> Result<Arc<Proc>> {
        let _ = (id, database, interrupt);
        Err(PgError::unsupported("sessions"))
    }
    pub fn unregister(&self, proc: &Arc<Proc>) {
        let _ = proc;
    }
    /// All registered sessions.
    pub fn procs(&self) -> Vec<Arc<Proc>> {
        Vec::new()
    }
    /// Is the transaction (or subtransaction) running? Asks memory only. Ask this before [`TransactionManager::did_commit`].
    /// (PostgreSQL: `TransactionIdIsInProgress`)
    pub fn is_in_progress(&self, xid: Xid) -> bool {
        let _ = xid;
        false
    }
    /// (PostgreSQL: `TransactionIdDidCommit`)
    pub fn did_commit(&self, xid: Xid) -> Result<bool> {
        let _ = xid;
        Err(PgError::unsupported("pg_xact"))
    }
    /// (PostgreSQL: `TransactionIdDidAbort`)
    pub fn did_abort(&self, xid: Xid) -> Result<bool> {
        let _ = xid;
        Err(PgError::unsupported("pg_xact"))
    }
    /// Running, committed, or aborted (also by a crash), in the right order of questions.
    pub fn fate(&self, xid: Xid) -> Result<Fate> {
        let _ = xid;
        Err(PgError::unsupported("pg_xact"))
    }
    /// What pg_xact says, with the LSN that must be flushed before the answer "committed" may be written into a hint bit.
    pub fn raw_status(&self, xid: Xid) -> Result<(XidStatus, Lsn)> {
        let _ = xid;
        Err(PgError::unsupported("pg_xact"))
    }
    /// May a hint bit "committed" be set for this committed transaction now? Not while its commit record may still be
    /// lost. (PostgreSQL: `SetHintBits`)
    pub fn may_hint_committed(&self, xid: Xid) -> bool {
        let _ = xid;
        false
    }
    /// Waits until the transaction has ended; a subtransaction also ends by being rolled back.
    /// (PostgreSQL: `XactLockTableWait`)
    pub fn wait_for_xid(&self, proc: &Arc<Proc>, xid: Xid) -> Result<()> {
        let _ = (proc, xid);
        Err(PgError::unsupported("locks"))
    }
    /// As `wait_for_xid`; with [`Wait::No`] `false` if it still runs. (PostgreSQL: `ConditionalXactLockTableWait`)
    pub fn wait_for_xid_if(&self, proc: &Arc<Proc>, xid: Xid, wait: Wait) -> Result<bool> {
        let _ = (proc, xid, wait);
        Err(PgError::unsupported("locks"))
    }
    /// The top-level transaction of a running subtransaction; the id itself if it is none. (PostgreSQL: `SubTransGetTopmostTransaction`)
    pub fn top_of(&self, xid: Xid) -> Xid {
        xid
    }
    /// The next id to be assigned. (PostgreSQL: `ReadNextFullTransactionId`)
    pub fn next_full_xid(&self) -> FullXid {
        FullXid(3)
    }
    /// With the epoch, for an id that is not in the future and less than half the circle old.
    pub fn full_xid(&self, xid: Xid) -> FullXid {
        let next = self.next_full_xid();
        let age = next.xid().0.wrapping_sub(xid.0);
        FullXid(next.0.saturating_sub(u64::from(age)))
    }
    /// A new object id, at least 16384. (PostgreSQL: `GetNewObjectId`)
    pub fn next_oid(&self) -> Result<Oid> {
        Err(PgError::unsupported("object ids"))
    }
    /// Makes `next_oid` go on from here, at bootstrap.
    pub fn set_next_oid(&self, next: Oid) {
        let _ = next;
    }
    /// Exact horizons as seen from a database. (PostgreSQL: `ComputeXidHorizons`)
    pub fn horizons(&self, database: Oid) -> Horizons {
        let _ = database;
        let xid = Xid::FIRST_NORMAL;
        Horizons { shared: xid, catalog: xid, data: xid, oldest_running: xid, next: xid }
    }
    /// The oldest xid that matters to somebody, for VACUUM. (PostgreSQL: `GetOldestNonRemovableTransactionId`)
    pub fn oldest_xmin(&self, kind: HorizonKind, database: Oid) -> Xid {
        let _ = (kind, database);
        Xid::FIRST_NORMAL
    }
    /// For pruning: make one a relation scanned, or keep one a session and kind. (PostgreSQL: `GlobalVisTestFor`)
    pub fn visibility_horizon(self: &Arc<Self>, kind: HorizonKind, database: Oid) -> VisibilityHorizon {
        VisibilityHorizon {
            manager: Arc::clone(self),
            kind,
            database,
            bound: Xid::FIRST_NORMAL.0.into(),
            computed_at: 0.into(),
        }
    }
    /// The oldest `datfrozenxid`, with its database; sets the limits at which the server warns and stops assigning ids.
    /// (PostgreSQL: `SetTransactionIdLimit`)
    pub fn set_xid_limit(&self, oldest_frozen: Xid, database: Oid) {
        let _ = (oldest_frozen, database);
    }
}

impl VisibilityHorizon {
    /// Can nobody see any more what this transaction removed? The transaction must have committed.
    #[inline]
    pub fn is_removable(&self, xid: Xid) -> bool {
        let _ = (&self.manager, self.kind, self.database, &self.bound, &self.computed_at);
        let _ = xid;
        false
    }
}
