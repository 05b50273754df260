//! A session's place among the transactions: what the others see of it. (PostgreSQL: `PGPROC`)

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};

use base::{Interrupt, MultiXactId, Oid, SessionId, Xid};
use parking_lot::{Condvar, Mutex};

use crate::lock::{LocalLocks, WaitState};

/// What others see of a session. Made by [`crate::TransactionManager::register`].
pub struct Proc {
    pub(crate) id: SessionId,
    /// The number in virtual transaction ids. (PostgreSQL: `ProcNumber`)
    pub(crate) number: u32,
    database: AtomicU32,
    interrupt: Interrupt,
    /// The current virtual transaction, 0 if none. (PostgreSQL: `lxid`)
    pub(crate) local_xid: AtomicU32,
    pub(crate) next_local_xid: AtomicU32,
    /// The top-level xid, 0 if none. Changed under the manager's list of running transactions.
    pub(crate) xid: AtomicU32,
    /// The oldest xmin of its live snapshots, 0 if none.
    pub(crate) xmin: AtomicU32,
    pins: Mutex<Vec<(Xid, u32)>>,
    /// Does not keep dead rows: lazy vacuum. (PostgreSQL: `PROC_IN_VACUUM`)
    in_vacuum: AtomicBool,
    /// The oldest multixact this transaction may have become a member of, 0 if none.
    pub(crate) oldest_member: AtomicU32,
    pub(crate) locks: Mutex<LocalLocks>,
    pub(crate) wait: Mutex<WaitState>,
    pub(crate) woken: Condvar,
    pub(crate) lock_timeout_ms: AtomicU64,
    pub(crate) deadlock_timeout_ms: AtomicU64,
}

impl Proc {
    pub(crate) fn new(id: SessionId, number: u32, database: Oid, interrupt: Interrupt, deadlock_ms: u64) -> Proc {
        Proc {
            id,
            number,
            database: AtomicU32::new(database.0),
            interrupt,
            local_xid: AtomicU32::new(0),
            next_local_xid: AtomicU32::new(1),
            xid: AtomicU32::new(0),
            xmin: AtomicU32::new(0),
            pins: Mutex::default(),
            in_vacuum: AtomicBool::new(false),
            oldest_member: AtomicU32::new(0),
            locks: Mutex::default(),
            wait: Mutex::default(),
            woken: Condvar::new(),
            lock_timeout_ms: AtomicU64::new(0),
            deadlock_timeout_ms: AtomicU64::new(deadlock_ms),
        }
    }
    pub fn session_id(&self) -> SessionId {
        self.id
    }
    /// (PostgreSQL: `ProcNumber`, the first part of a virtual transaction id)
    pub fn number(&self) -> u32 {
        self.number
    }
    /// The current virtual transaction id: (proc number, local xid); the latter 0 between transactions.
    pub fn virtual_xid(&self) -> (u32, u32) {
        if self.is_prepared() {
            return (u32::MAX, self.xid.load(Ordering::Acquire));
        }
        (self.number, self.local_xid.load(Ordering::Acquire))
    }
    /// Is it the place of a prepared transaction, without a session?
    pub fn is_prepared(&self) -> bool {
        self.id == SessionId(0)
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
    /// Does it wait for a lock now?
    pub fn is_waiting(&self) -> bool {
        self.wait.lock().waiting_for().is_some()
    }
    /// While a lazy vacuum runs, its snapshot keeps no rows.
    pub fn set_in_vacuum(&self, vacuum: bool) {
        self.in_vacuum.store(vacuum, Ordering::Release);
    }
    pub(crate) fn is_in_vacuum(&self) -> bool {
        self.in_vacuum.load(Ordering::Acquire)
    }
    pub(crate) fn oldest_member(&self) -> Option<MultiXactId> {
        Some(MultiXactId(self.oldest_member.load(Ordering::Acquire))).filter(|m| m.is_valid())
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

    /// Notes a live snapshot. The caller holds the list of running transactions, so that no horizon passes by.
    pub(crate) fn pin(self: &Arc<Proc>, xmin: Xid) -> Arc<SnapshotPin> {
        let mut pins = self.pins.lock();
        match pins.iter_mut().find(|(x, _)| *x == xmin) {
            Some((_, n)) => *n += 1,
            None => pins.push((xmin, 1)),
        }
        self.publish_xmin(&pins);
        Arc::new(SnapshotPin { proc: Arc::clone(self), xmin })
    }
    fn publish_xmin(&self, pins: &[(Xid, u32)]) {
        let oldest = pins.iter().map(|(x, _)| *x).reduce(|a, b| if b.precedes(a) { b } else { a });
        self.xmin.store(oldest.unwrap_or_default().0, Ordering::Release);
    }
}

/// Keeps the rows that a snapshot sees; dropped with the snapshot's last clone.
pub(crate) struct SnapshotPin {
    proc: Arc<Proc>,
    xmin: Xid,
}

impl Drop for SnapshotPin {
    fn drop(&mut self) {
        let mut pins = self.proc.pins.lock();
        if let Some(i) = pins.iter().position(|(x, _)| *x == self.xmin) {
            pins[i].1 -= 1;
            if pins[i].1 == 0 {
                pins.swap_remove(i);
            }
        }
        self.proc.publish_xmin(&pins);
    }
}
