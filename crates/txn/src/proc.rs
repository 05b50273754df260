//! A session's place among the transactions: what the others see of it. (PostgreSQL: `PGPROC`)

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use base::{Interrupt, Oid, SessionId, Xid};
use parking_lot::{Condvar, Mutex};

use crate::lock::LocalLocks;

/// What others see of a session. Made by [`crate::TransactionManager::register`]; leaves the list when dropped there.
pub struct Proc {
    pub(crate) id: SessionId,
    /// The number in virtual transaction ids. (PostgreSQL: `ProcNumber`)
    pub(crate) number: u32,
    pub(crate) database: AtomicU32,
    pub(crate) interrupt: Interrupt,
    /// The current virtual transaction, 0 if none. (PostgreSQL: `lxid`)
    pub(crate) local_xid: AtomicU32,
    pub(crate) next_local_xid: AtomicU32,
    /// The top-level xid, 0 if none.
    pub(crate) xid: AtomicU32,
    /// The oldest xmin of its live snapshots, 0 if none.
    pub(crate) xmin: AtomicU32,
    pub(crate) pins: Mutex<BTreeMap<u64, u32>>,
    /// The oldest multixact this transaction may have become a member of, 0 if none.
    pub(crate) oldest_member: AtomicU32,
    pub(crate) locks: Mutex<LocalLocks>,
    pub(crate) wait: Mutex<crate::lock::WaitState>,
    pub(crate) woken: Condvar,
    /// Milliseconds. (PostgreSQL: `lock_timeout`, `deadlock_timeout`)
    pub(crate) lock_timeout_ms: AtomicU64,
    pub(crate) deadlock_timeout_ms: AtomicU64,
}

impl Proc {
    pub fn session_id(&self) -> SessionId {
        self.id
    }
    /// (PostgreSQL: `ProcNumber`, the first part of a virtual transaction id)
    pub fn number(&self) -> u32 {
        self.number
    }
    pub fn database(&self) -> Oid {
        Oid(self.database.load(Ordering::Relaxed))
    }
    pub fn set_database(&self, db: Oid) {
        self.database.store(db.0, Ordering::Relaxed);
    }
    pub fn interrupt(&self) -> &Interrupt {
        &self.interrupt
    }
    /// `backend_xid` of `pg_stat_activity`.
    pub fn xid(&self) -> Option<Xid> {
        Some(Xid(self.xid.load(Ordering::Acquire))).filter(|x| x.is_valid())
    }
    /// `backend_xmin` of `pg_stat_activity`.
    pub fn xmin(&self) -> Option<Xid> {
        Some(Xid(self.xmin.load(Ordering::Acquire))).filter(|x| x.is_valid())
    }
    /// Wakes the session if it waits for a lock, after its interrupt was raised.
    pub fn wake(&self) {
        let _wait = self.wait.lock();
        self.woken.notify_all();
    }
    /// 0: wait for ever.
    pub fn set_lock_timeout_ms(&self, ms: u64) {
        self.lock_timeout_ms.store(ms, Ordering::Relaxed);
    }
    pub fn set_deadlock_timeout_ms(&self, ms: u64) {
        self.deadlock_timeout_ms.store(ms, Ordering::Relaxed);
    }
}

/// Keeps the rows that a snapshot sees; dropped with the snapshot's last clone.
pub(crate) struct SnapshotPin {
    pub(crate) proc: Arc<Proc>,
    pub(crate) xmin: Xid,
}
