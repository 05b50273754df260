//! The transactions of a cluster. (PostgreSQL: `procarray.c`, `varsup.c`, `transam.c`)
//!
//! Invariants
//! - An id is in `Running::active` from its assignment until its transaction has ended, subtransactions included.
//! - A transaction leaves `active` only after pg_xact knows its outcome; hence [`TransactionManager::fate`] asks `active`
//!   first.
//! - Transactions that wait for their commit record to be durable become visible in the order of these records: who comes
//!   back from the flush takes along all that lie before it ([`Commits`]). Asynchronous commits do not wait for others.
//!
//! Latch order: `commits`, `assigning`, `running`, then a [`Proc`]'s pins. pg_xact and the log may be used under the first two.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use base::sqlstate::PROGRAM_LIMIT_EXCEEDED;
use base::{FullXid, Interrupt, Lsn, Oid, PgError, Result, SessionId, Xid};
use hashbrown::HashMap;
use parking_lot::{Mutex, RwLock, RwLockWriteGuard};
use storage::{BufferPool, critical};
use wal::Wal;

use crate::clog::{Clog, XidStatus};
use crate::horizon::{HorizonKind, Horizons, VisibilityHorizon};
use crate::lock::{LockManager, Wait};
use crate::multixact::MultiXacts;
use crate::proc::{Proc, SnapshotPin};
use crate::snapshot::RunningSet;

/// Settings.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ManagerOptions {
    /// Pages of pg_xact kept in memory. (PostgreSQL: `transaction_buffers`)
    pub clog_buffers: usize,
    pub multixact_buffers: usize,
    /// Milliseconds. (PostgreSQL: `deadlock_timeout`)
    pub deadlock_timeout_ms: u64,
    /// initdb is at work: object ids below 16384 are given out.
    pub system_objects: bool,
    /// (PostgreSQL: `max_prepared_transactions`)
    pub max_prepared: usize,
}

impl Default for ManagerOptions {
    fn default() -> ManagerOptions {
        ManagerOptions {
            clog_buffers: 64,
            multixact_buffers: 32,
            deadlock_timeout_ms: 1000,
            system_objects: false,
            max_prepared: 0,
        }
    }
}

/// A transaction's fate as seen by everybody.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fate {
    InProgress,
    Committed,
    Aborted,
}

pub(crate) struct Running {
    pub next: FullXid,
    /// All running ids, in order of assignment.
    pub active: VecDeque<Xid>,
    /// The parents of running subtransactions.
    parents: HashMap<Xid, Xid>,
    latest_completed: FullXid,
    /// Valid until a transaction ends.
    shared: Option<Arc<RunningSet>>,
}

/// (PostgreSQL: `SetTransactionIdLimit`)
#[derive(Clone, Copy)]
pub(crate) struct XidLimits {
    pub oldest: Xid,
    pub oldest_db: Oid,
    warn: Xid,
    stop: Xid,
    wrap: Xid,
}

impl XidLimits {
    fn new(oldest: Xid, oldest_db: Oid) -> XidLimits {
        let back = |from: Xid, n: u32| {
            let x = from.0.wrapping_sub(n);
            Xid(if x < 3 { x.wrapping_sub(3) } else { x })
        };
        let wrap = oldest.0.wrapping_add(u32::MAX >> 1);
        let wrap = Xid(if wrap < 3 { wrap + 3 } else { wrap });
        XidLimits { oldest, oldest_db, warn: back(wrap, 40_000_000), stop: back(wrap, 3_000_000), wrap }
    }
}

#[derive(Default)]
struct NextOid {
    next: u32,
    /// The log says that ids below this are taken.
    logged: u32,
}

struct Commit {
    end: Lsn,
    proc: Arc<Proc>,
    xids: Vec<Xid>,
}

/// Shared by all sessions of a cluster.
pub struct TransactionManager {
    wal: Arc<Wal>,
    pool: Arc<BufferPool>,
    locks: LockManager,
    clog: Clog,
    multixacts: MultiXacts,
    stats: crate::stats::Stats,
    pub(crate) prepared: crate::twophase::PreparedTransactions,
    ssi: crate::ssi::Ssi,
    /// Commits whose record is in the log and which are not visible yet, in the log's order.
    commits: Mutex<VecDeque<Commit>>,
    /// Held while an id is made, also while pg_xact grows for it.
    assigning: Mutex<()>,
    pub(crate) running: RwLock<Running>,
    /// Copy of `running.next`.
    next: AtomicU64,
    ended: AtomicU64,
    pub(crate) limits: Mutex<XidLimits>,
    warned: AtomicBool,
    oids: Mutex<NextOid>,
    /// One checkpoint at a time.
    pub(crate) checkpointing: Mutex<()>,
    options: ManagerOptions,
}

/// How many object ids one record takes. (PostgreSQL: `VAR_OID_PREFETCH`)
const OID_PREFETCH: u32 = 8192;

impl TransactionManager {
    /// Before recovery, which sets the counters ([`wal::recovery::RecoveryHooks`] is implemented).
    pub fn new(wal: Arc<Wal>, pool: Arc<BufferPool>, options: ManagerOptions) -> Arc<TransactionManager> {
        let smgr = Arc::clone(pool.smgr());
        let locks = LockManager::new();
        Arc::new(TransactionManager {
            clog: Clog::new(Arc::clone(&wal), Arc::clone(&smgr), options.clog_buffers),
            stats: crate::stats::Stats::default(),
            prepared: crate::twophase::PreparedTransactions::new(options.max_prepared),
            ssi: crate::ssi::Ssi::default(),
            multixacts: MultiXacts::new(Arc::clone(&wal), smgr, locks.shared_procs(), options.multixact_buffers),
            locks,
            commits: Mutex::default(),
            assigning: Mutex::new(()),
            running: RwLock::new(Running {
                next: FullXid(3),
                active: VecDeque::new(),
                parents: HashMap::new(),
                latest_completed: FullXid(2),
                shared: None,
            }),
            next: AtomicU64::new(3),
            ended: AtomicU64::new(0),
            limits: Mutex::new(XidLimits::new(Xid::FIRST_NORMAL, Oid::INVALID)),
            warned: AtomicBool::new(false),
            oids: Mutex::default(),
            checkpointing: Mutex::new(()),
            wal,
            pool,
            options,
        })
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
    pub(crate) fn clog(&self) -> &Clog {
        &self.clog
    }
    /// (PostgreSQL: `pgStatLocal.shmem`)
    pub fn stats(&self) -> &crate::stats::Stats {
        &self.stats
    }
    pub fn ssi(&self) -> &crate::ssi::Ssi {
        &self.ssi
    }
    pub fn multixacts(&self) -> &MultiXacts {
        &self.multixacts
    }
    /// A session's place. It leaves the list, with its locks, when [`TransactionManager::unregister`]ed.
    pub fn register(&self, id: SessionId, database: Oid, interrupt: Interrupt) -> Result<Arc<Proc>> {
        Ok(self.locks.add_proc(|number| Proc::new(id, number, database, interrupt, self.options.deadlock_timeout_ms)))
    }
    /// The session ends; it must have no transaction.
    pub fn unregister(&self, proc: &Arc<Proc>) {
        self.locks.release_session(proc, false);
        self.locks.remove_proc(proc);
    }
    /// All registered sessions.
    pub fn procs(&self) -> Vec<Arc<Proc>> {
        self.locks.procs()
    }

    // Ids

    /// Sets the counters: before recovery, and as records are replayed.
    pub(crate) fn set_next_xid(&self, next: FullXid) {
        let mut running = self.running.write();
        if next > running.next {
            running.next = next;
            running.latest_completed = FullXid(next.0 - 1);
            running.shared = None;
            self.next.store(next.0, Ordering::Release);
        }
    }
    /// A record with this xid was seen: the next one lies beyond it. (PostgreSQL: `AdvanceNextFullTransactionIdPastXid`)
    pub(crate) fn advance_past(&self, xid: Xid) {
        let next = FullXid(self.next.load(Ordering::Acquire));
        if !xid.is_normal() || xid.precedes(next.xid()) {
            return;
        }
        let after = xid.next();
        let epoch = next.epoch() + u32::from(after.0 < next.xid().0);
        self.set_next_xid(FullXid::new(epoch, after));
    }
    /// Assigns an id, for a subtransaction with its parent's. (PostgreSQL: `GetNewTransactionId`)
    pub(crate) fn assign_xid(&self, proc: &Arc<Proc>, parent: Option<Xid>) -> Result<FullXid> {
        if self.wal.in_recovery() {
            return Err(PgError::internal("cannot assign TransactionIds during recovery"));
        }
        let _assigning = self.assigning.lock();
        let full = self.next_full_xid();
        let xid = full.xid();
        self.check_limits(xid)?;
        self.clog.extend(xid)?;
        // Whoever can see the id can already wait for it.
        self.locks.lock_own_xid(proc, xid);
        let after = xid.next();
        let next = FullXid::new(full.epoch() + u32::from(after.0 < xid.0), after);
        let mut running = self.running.write();
        running.next = next;
        running.active.push_back(xid);
        match parent {
            Some(parent) => _ = running.parents.insert(xid, parent),
            None => proc.xid.store(xid.0, Ordering::Release),
        }
        self.next.store(next.0, Ordering::Release);
        Ok(full)
    }
    fn check_limits(&self, xid: Xid) -> Result<()> {
        let limits = *self.limits.lock();
        const HINT: &str = "You might also need to commit or roll back old prepared transactions, or drop stale \
                            replication slots.";
        if xid.precedes(limits.warn) {
            return Ok(());
        }
        if !xid.precedes(limits.stop) {
            let text = "database is not accepting commands that assign new transaction IDs to avoid wraparound data \
                        loss in database with OID";
            return Err(PgError::new(PROGRAM_LIMIT_EXCEEDED, format!("{text} {}", limits.oldest_db))
                .hint(format!("Execute a database-wide VACUUM in that database.\n{HINT}")));
        }
        self.warned.store(true, Ordering::Relaxed);
        Ok(())
    }
    /// The warning to give now that ids become scarce, if so. (PostgreSQL gives it with each id assigned.)
    pub fn wraparound_warning(&self) -> Option<PgError> {
        if !self.warned.swap(false, Ordering::Relaxed) {
            return None;
        }
        let limits = *self.limits.lock();
        let left = limits.wrap.0.wrapping_sub(self.next_full_xid().xid().0);
        Some(
            PgError::with_severity(
                base::Severity::Warning,
                base::sqlstate::WARNING,
                format!("database with OID {} must be vacuumed within {left} transactions", limits.oldest_db),
            )
            .hint(
                "To avoid XID assignment failures, execute a database-wide VACUUM in that database.\nYou might also \
                 need to commit or roll back old prepared transactions, or drop stale replication slots.",
            ),
        )
    }
    /// The next id to be assigned. (PostgreSQL: `ReadNextFullTransactionId`)
    pub fn next_full_xid(&self) -> FullXid {
        FullXid(self.next.load(Ordering::Acquire))
    }
    /// With the epoch, for an id that is not in the future and less than half the circle old.
    pub fn full_xid(&self, xid: Xid) -> FullXid {
        let next = self.next_full_xid();
        let age = next.xid().0.wrapping_sub(xid.0);
        FullXid(next.0.saturating_sub(u64::from(age)))
    }
    /// The oldest `datfrozenxid`, with its database; sets the limits at which the server warns and stops assigning ids.
    /// (PostgreSQL: `SetTransactionIdLimit`)
    pub fn set_xid_limit(&self, oldest_frozen: Xid, database: Oid) {
        *self.limits.lock() = XidLimits::new(oldest_frozen, database);
    }
    /// As `set_xid_limit`, forwards only: in recovery.
    pub(crate) fn advance_xid_limit(&self, oldest: Xid, database: Oid) {
        let mut limits = self.limits.lock();
        if limits.oldest.precedes(oldest) {
            *limits = XidLimits::new(oldest, database);
        }
    }
    /// The oldest `datfrozenxid`, with its database.
    pub fn oldest_xid(&self) -> (Xid, Oid) {
        let limits = self.limits.lock();
        (limits.oldest, limits.oldest_db)
    }
    /// (PostgreSQL: `GetOldestActiveTransactionId`)
    pub(crate) fn oldest_running(&self) -> Xid {
        let running = self.running.read();
        running.active.front().copied().unwrap_or(running.next.xid())
    }
    /// The next id, the latest that ended, and the running top-level and subtransactions.
    pub(crate) fn running_for_standby(&self) -> (Xid, Xid, Vec<Xid>, Vec<Xid>) {
        let running = self.running.read();
        let (subs, top) = running.active.iter().partition(|x| running.parents.contains_key(*x));
        (running.next.xid(), running.latest_completed.xid(), top, subs)
    }
    /// Removes commit status that nobody asks about any more: after VACUUM advanced the oldest `datfrozenxid`.
    pub fn truncate_clog(&self, oldest_frozen: Xid, database: Oid) -> Result<()> {
        self.clog.truncate(oldest_frozen, database)
    }
    /// A new object id, at least 16384 unless initdb is at work. (PostgreSQL: `GetNewObjectId`)
    pub fn next_oid(&self) -> Result<Oid> {
        let mut oids = self.oids.lock();
        if oids.next < Oid::FIRST_NORMAL.0 && !(self.options.system_objects && oids.next >= 12000) {
            oids.next = Oid::FIRST_NORMAL.0;
            oids.logged = 0;
        }
        if oids.next >= oids.logged {
            let logged = oids.next.saturating_add(OID_PREFETCH);
            critical(|section| self.wal.log_next_oid(section, Oid(logged)));
            oids.logged = logged;
        }
        let oid = Oid(oids.next);
        oids.next = oids.next.wrapping_add(1);
        Ok(oid)
    }
    /// Makes `next_oid` go on from here, at start.
    pub fn set_next_oid(&self, next: Oid) {
        *self.oids.lock() = NextOid { next: next.0, logged: next.0 };
    }
    /// What a checkpoint records. A shutdown gives the unused ones back.
    pub(crate) fn checkpoint_oid(&self, shutdown: bool) -> Oid {
        let oids = self.oids.lock();
        Oid(if shutdown { oids.next } else { oids.logged.max(oids.next) })
    }

    // Status

    /// Is the transaction (or subtransaction) running? Asks memory only. Ask this before
    /// [`TransactionManager::did_commit`]. (PostgreSQL: `TransactionIdIsInProgress`)
    pub fn is_in_progress(&self, xid: Xid) -> bool {
        if !xid.is_normal() {
            return false;
        }
        let running = self.running.read();
        let Some(first) = running.active.front() else { return false };
        let key = |x: Xid| x.0.wrapping_sub(first.0);
        !xid.precedes(*first) && running.active.binary_search_by_key(&key(xid), |x| key(*x)).is_ok()
    }
    /// Is it known to have committed? Not, while its record may be neither durable nor visible.
    /// (PostgreSQL: `TransactionIdDidCommit`)
    pub fn did_commit(&self, xid: Xid) -> Result<bool> {
        if !xid.is_normal() {
            return Ok(xid.is_valid());
        }
        Ok(match self.clog.status(xid)? {
            XidStatus::Committed => true,
            // Its parent is about to commit, or crashed while doing so: without a trace of the parent it did not.
            XidStatus::SubCommitted => match self.parent_of(xid) {
                Some(parent) => self.did_commit(parent)?,
                None => false,
            },
            XidStatus::InProgress | XidStatus::Aborted => false,
        })
    }
    /// (PostgreSQL: `TransactionIdDidAbort`)
    pub fn did_abort(&self, xid: Xid) -> Result<bool> {
        if !xid.is_normal() {
            return Ok(!xid.is_valid());
        }
        Ok(match self.clog.status(xid)? {
            XidStatus::Aborted => true,
            XidStatus::SubCommitted => match self.parent_of(xid) {
                Some(parent) => self.did_abort(parent)?,
                None => true,
            },
            XidStatus::InProgress | XidStatus::Committed => false,
        })
    }
    /// Running, committed, or aborted (also by a crash), in the right order of questions.
    pub fn fate(&self, xid: Xid) -> Result<Fate> {
        if self.is_in_progress(xid) {
            return Ok(Fate::InProgress);
        }
        Ok(if self.did_commit(xid)? { Fate::Committed } else { Fate::Aborted })
    }
    /// What pg_xact says, with the LSN that must be flushed before the answer "committed" may be written into a hint bit.
    pub fn raw_status(&self, xid: Xid) -> Result<(XidStatus, Lsn)> {
        Ok((self.clog.status(xid)?, self.clog.commit_lsn(xid)))
    }
    /// May a hint bit "committed" be set for this committed transaction now? Not while its commit record may still be
    /// lost. (PostgreSQL: `SetHintBits`)
    #[inline]
    pub fn may_hint_committed(&self, xid: Xid) -> bool {
        let lsn = self.clog.commit_lsn(xid);
        !lsn.is_valid() || lsn <= self.wal.flush_position()
    }
    fn parent_of(&self, xid: Xid) -> Option<Xid> {
        self.running.read().parents.get(&xid).copied()
    }
    /// The top-level transaction of a running subtransaction; the id itself if it is none.
    /// (PostgreSQL: `SubTransGetTopmostTransaction`)
    pub fn top_of(&self, xid: Xid) -> Xid {
        let running = self.running.read();
        let mut top = xid;
        while let Some(parent) = running.parents.get(&top) {
            top = *parent;
        }
        top
    }
    /// Waits until the transaction has ended; a subtransaction also ends by being rolled back.
    /// (PostgreSQL: `XactLockTableWait`)
    pub fn wait_for_xid(&self, proc: &Arc<Proc>, xid: Xid) -> Result<()> {
        self.wait_for_xid_if(proc, xid, Wait::Block).map(|_| ())
    }
    /// As `wait_for_xid`; with [`Wait::No`] `false` if it still runs. (PostgreSQL: `ConditionalXactLockTableWait`)
    pub fn wait_for_xid_if(&self, proc: &Arc<Proc>, xid: Xid, wait: Wait) -> Result<bool> {
        let mut xid = xid;
        loop {
            if !self.locks.wait_for_transaction_lock(proc, xid, wait)? {
                return Ok(false);
            }
            if !self.is_in_progress(xid) {
                return Ok(true);
            }
            // The subtransaction released its id, its work lives on in the parent; or the lock was let go an instant
            // before the transaction leaves the list.
            match self.parent_of(xid) {
                Some(parent) => xid = parent,
                None => std::thread::yield_now(),
            }
            proc.interrupt().check()?;
        }
    }

    // Snapshots and horizons

    /// The transactions running now, and a pin that keeps what they may see.
    pub(crate) fn take_running_set(&self, proc: &Arc<Proc>) -> (Arc<RunningSet>, Arc<SnapshotPin>) {
        {
            let running = self.running.read();
            if let Some(set) = &running.shared {
                // Under the latch: a horizon computed later sees the pin, one computed earlier saw the running ids.
                return (Arc::clone(set), proc.pin(set.xmin));
            }
        }
        let mut running = self.running.write();
        let set = running.shared_set();
        let running = RwLockWriteGuard::downgrade(running);
        let pin = proc.pin(set.xmin);
        drop(running);
        (set, pin)
    }
    /// How often transactions have ended: if it is the same as before, so is every snapshot.
    pub fn ended_count(&self) -> u64 {
        self.ended.load(Ordering::Acquire)
    }
    /// Exact horizons as seen from a database. (PostgreSQL: `ComputeXidHorizons`)
    pub fn horizons(&self, database: Oid) -> Horizons {
        let older = |a: Xid, b: Xid| if b.precedes(a) { b } else { a };
        // The list of sessions is read under the latch: a session that took its snapshot before us is in it.
        let running = self.running.read();
        let procs = self.locks.procs();
        let next = running.next.xid();
        let initial = running.latest_completed.xid().next();
        let (mut shared, mut data) = (initial, initial);
        for proc in &procs {
            if proc.is_in_vacuum() {
                continue;
            }
            for xid in [proc.xid(), proc.xmin()].into_iter().flatten() {
                shared = older(shared, xid);
                if proc.database() == database || !database.is_valid() || !proc.database().is_valid() {
                    data = older(data, xid);
                }
            }
        }
        let oldest_running = running.active.front().copied().unwrap_or(next);
        Horizons { shared, catalog: data, data, oldest_running, next }
    }
    /// The oldest xid that matters to somebody, for VACUUM. (PostgreSQL: `GetOldestNonRemovableTransactionId`)
    pub fn oldest_xmin(&self, kind: HorizonKind, database: Oid) -> Xid {
        self.horizons(database).of(kind)
    }
    /// For pruning: make one a relation scanned, or keep one a session and kind. (PostgreSQL: `GlobalVisTestFor`)
    pub fn visibility_horizon(self: &Arc<Self>, kind: HorizonKind, database: Oid) -> VisibilityHorizon {
        VisibilityHorizon::new(Arc::clone(self), kind, database)
    }

    // Ending

    /// Runs `log`, which inserts the commit record, and marks the transaction committed; nobody else commits meanwhile,
    /// so that the queue has the log's order.
    pub(crate) fn log_commit(
        &self,
        proc: &Arc<Proc>,
        xid: Xid,
        subs: &[Xid],
        log: impl FnOnce(&storage::Critical) -> Lsn,
    ) -> Result<Lsn> {
        let mut xids = Vec::with_capacity(1 + subs.len());
        xids.push(xid);
        xids.extend_from_slice(subs);
        let mut commits = self.commits.lock();
        critical(|section| {
            let end = log(section);
            // The record is in the log: from here on, a failure can only be a crash.
            self.clog.set_tree(xid, subs, XidStatus::Committed, end).map_err(wal::panic_level)?;
            commits.push_back(Commit { end, proc: Arc::clone(proc), xids });
            Ok(end)
        })
    }
    /// The commit becomes visible; if it is durable, with all that lie before it in the log.
    pub(crate) fn publish_commit(&self, proc: &Arc<Proc>, end: Lsn, durable: bool) {
        let mut commits = self.commits.lock();
        let mut running = self.running.write();
        let mut ended = 0;
        if durable {
            while commits.front().is_some_and(|c| c.end <= end) {
                if let Some(commit) = commits.pop_front() {
                    running.remove(&commit.xids);
                    commit.proc.xid.store(0, Ordering::Release);
                    ended += 1;
                }
            }
        } else if let Some(at) = commits.iter().position(|c| c.end == end && Arc::ptr_eq(&c.proc, proc)) {
            if let Some(commit) = commits.remove(at) {
                running.remove(&commit.xids);
                commit.proc.xid.store(0, Ordering::Release);
                ended = 1;
            }
        }
        self.ended.fetch_add(ended, Ordering::AcqRel);
    }
    /// Aborted ids leave the list; pg_xact knows already. `proc` if the top-level transaction is among them.
    pub(crate) fn publish_abort(&self, proc: Option<&Proc>, xids: &[Xid]) {
        let mut running = self.running.write();
        running.remove(xids);
        if let Some(proc) = proc {
            proc.xid.store(0, Ordering::Release);
        }
        self.ended.fetch_add(1, Ordering::AcqRel);
    }
    /// The transaction's id belongs to another place now; it runs all the while.
    pub(crate) fn hand_over_xid(&self, from: &Proc, to: &Proc) {
        let _running = self.running.write();
        to.xid.store(from.xid.swap(0, Ordering::AcqRel), Ordering::Release);
    }
    /// At the end of recovery: these run again, each with its subtransactions.
    pub(crate) fn restore_running(&self, transactions: &[(Xid, Vec<Xid>)]) {
        let mut running = self.running.write();
        for (xid, subs) in transactions {
            running.active.push_back(*xid);
            for sub in subs {
                running.active.push_back(*sub);
                running.parents.insert(*sub, *xid);
            }
        }
        let next = running.next.xid();
        running.active.make_contiguous().sort_unstable_by_key(|x| x.0.wrapping_sub(next.0));
        running.shared = None;
    }
    /// While the guard lives no commit is between its record and its mark in pg_xact, and no redo pointer is determined.
    pub(crate) fn block_commits(&self) -> impl Drop + '_ {
        self.commits.lock()
    }
    /// Runs `body` while no commit is between its record and its mark in pg_xact.
    pub(crate) fn with_commits_blocked(&self, body: &mut dyn FnMut()) {
        let _commits = self.commits.lock();
        body();
    }
}

impl Running {
    fn shared_set(&mut self) -> Arc<RunningSet> {
        if let Some(set) = &self.shared {
            return Arc::clone(set);
        }
        let xmax = self.latest_completed.xid().next();
        let xids: Box<[Xid]> = self.active.iter().copied().filter(|x| x.precedes(xmax)).collect();
        let xmin = xids.first().copied().unwrap_or(xmax);
        let set = Arc::new(RunningSet { xmin, xmax, xids });
        self.shared = Some(Arc::clone(&set));
        set
    }
    fn remove(&mut self, xids: &[Xid]) {
        let Some(first) = self.active.front().copied() else { return };
        let key = |x: Xid| x.0.wrapping_sub(first.0);
        match xids {
            [xid] => {
                if let Ok(at) = self.active.binary_search_by_key(&key(*xid), |x| key(*x)) {
                    self.active.remove(at);
                }
            }
            _ => {
                let gone: hashbrown::HashSet<Xid> = xids.iter().copied().collect();
                self.active.retain(|x| !gone.contains(x));
            }
        }
        for xid in xids {
            if !self.parents.is_empty() {
                self.parents.remove(xid);
            }
            let full = FullXid(self.next.0 - u64::from(self.next.xid().0.wrapping_sub(xid.0)));
            self.latest_completed = self.latest_completed.max(full);
        }
        self.shared = None;
    }
}
