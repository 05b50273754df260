//! One session's transaction. (PostgreSQL: `xact.c`)
//!
//! Commit: callbacks that may still fail; the commit record, and with it the mark in pg_xact; the flush; the ids leave the
//! list of running transactions; callbacks (invalidations reach shared caches); locks are released; dropped files go.
//!
//! Invariants
//! - A subtransaction has an xid only if its parents have, and theirs are older.
//! - `stack` has the top level at its bottom; an entry's `children` are the xids of subtransactions released into it.

mod end;
mod files;
mod prepare;
mod rest;
mod sub;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};

use base::sqlstate::{ACTIVE_SQL_TRANSACTION, INVALID_TRANSACTION_STATE, PROGRAM_LIMIT_EXCEEDED};
use base::{CommandId, FullXid, Lsn, Oid, PgError, RelFileLocator, Result, Xid};
use parking_lot::Mutex;
use storage::Persistence;

use crate::lock::{Acquired, LockLevel, LockMode, LockTag, Wait};
use crate::manager::TransactionManager;
use crate::proc::Proc;
use crate::snapshot::{OwnTransaction, Snapshot};
use crate::stats::{Change, Changes, TableStats};

/// (PostgreSQL: `XactIsoLevel`)
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum IsolationLevel {
    ReadUncommitted,
    ReadCommitted,
    RepeatableRead,
    Serializable,
}

impl IsolationLevel {
    /// One snapshot for the whole transaction. (PostgreSQL: `IsolationUsesXactSnapshot`)
    pub fn uses_transaction_snapshot(self) -> bool {
        self >= IsolationLevel::RepeatableRead
    }
    pub fn as_str(self) -> &'static str {
        match self {
            IsolationLevel::ReadUncommitted => "read uncommitted",
            IsolationLevel::ReadCommitted => "read committed",
            IsolationLevel::RepeatableRead => "repeatable read",
            IsolationLevel::Serializable => "serializable",
        }
    }
}

/// (PostgreSQL: `synchronous_commit`)
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum SyncCommit {
    Off,
    Local,
    RemoteWrite,
    /// `on`.
    RemoteFlush,
    RemoteApply,
}

/// How a transaction starts; what may change later has a setter on [`Transaction`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TransactionOptions {
    pub isolation: IsolationLevel,
    pub read_only: bool,
    pub deferrable: bool,
}

impl Default for TransactionOptions {
    fn default() -> TransactionOptions {
        TransactionOptions { isolation: IsolationLevel::ReadCommitted, read_only: false, deferrable: false }
    }
}

/// A subtransaction's number within its transaction; the top level is 1. (PostgreSQL: `SubTransactionId`)
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct SubId(pub u32);

impl SubId {
    pub const TOP: SubId = SubId(1);
}

/// A cache invalidation message in PostgreSQL's 16-byte form, as commit records carry it.
pub type InvalidationMessage = [u8; 16];

/// What upper floors are told. (PostgreSQL: `XactCallback`, `SubXactCallback`)
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TransactionEvent {
    /// The last moment at which the commit can fail.
    PreCommit,
    /// Visible to others; locks are still held: apply invalidations to shared caches here.
    Committed,
    /// Locks are still held.
    Aborted,
    SubStart {
        id: SubId,
        parent: SubId,
    },
    /// Released into its parent.
    SubCommitted {
        id: SubId,
        parent: SubId,
    },
    SubAborted {
        id: SubId,
        parent: SubId,
    },
}

/// An upper floor's state that follows the transaction.
pub trait TransactionCallback: Send {
    /// An error counts only for `PreCommit` and `SubStart`.
    fn event(&mut self, txn: &Transaction, event: TransactionEvent) -> Result<()>;
}

/// A level of the stack of subtransactions.
struct Level {
    id: SubId,
    name: Option<String>,
    xid: Option<Xid>,
    /// Ascending.
    children: Vec<Xid>,
    lock_mark: usize,
}

struct PendingFile {
    locator: RelFileLocator,
    persistence: Persistence,
    /// `false`: at abort.
    at_commit: bool,
    level: usize,
}

struct State {
    isolation: IsolationLevel,
    read_only: bool,
    deferrable: bool,
    sync_commit: SyncCommit,
    stack: Vec<Level>,
    next_sub: u32,
    top_full: FullXid,
    /// The transaction's one snapshot, under REPEATABLE READ.
    fixed: Option<Snapshot>,
    snapshot_taken: bool,
    files: Vec<PendingFile>,
    invalidations: Vec<InvalidationMessage>,
    relcache_init_file: bool,
    force_sync: bool,
    database_tablespace: Oid,
    /// Subtransaction ids that standbys were not told about yet. (PostgreSQL: `unreportedXids`)
    unreported: Vec<Xid>,
    /// It logged an ACCESS EXCLUSIVE lock.
    exclusive_locks: bool,
}

/// A transaction in progress. Dropped without [`Transaction::commit`] it aborts.
pub struct Transaction {
    manager: Arc<TransactionManager>,
    proc: Arc<Proc>,
    own: Arc<OwnTransaction>,
    start_time: i64,
    state: Mutex<State>,
    /// The current (sub)transaction's xid, 0 if none: the common question needs no mutex.
    current: AtomicU32,
    command: AtomicU32,
    command_used: AtomicBool,
    /// The end of the last record of ours that nothing else makes durable.
    last_wal: AtomicU64,
    callbacks: Mutex<Vec<Box<dyn TransactionCallback>>>,
    /// Rows changed so far, for the cumulative statistics.
    changes: Mutex<Changes>,
    /// Among the serializable transactions.
    ssi: crate::ssi::Part,
    finished: bool,
}

/// After so many subtransaction ids standbys are told whose they are. (PostgreSQL: `PGPROC_MAX_CACHED_SUBXIDS`)
const REPORT_SUBXIDS: usize = 64;

/// Microseconds since 2000-01-01 UTC. (PostgreSQL: `GetCurrentTimestamp`)
pub fn current_timestamp() -> i64 {
    const EPOCH_SECONDS: i64 = 946_684_800;
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    now.as_micros() as i64 - EPOCH_SECONDS * 1_000_000
}

impl Transaction {
    /// Starts a transaction; the session must have none. (PostgreSQL: `StartTransaction`)
    pub fn begin(
        manager: &Arc<TransactionManager>,
        proc: &Arc<Proc>,
        options: TransactionOptions,
    ) -> Result<Transaction> {
        let top = Level { id: SubId::TOP, name: None, xid: None, children: Vec::new(), lock_mark: 0 };
        let txn = Transaction {
            manager: Arc::clone(manager),
            proc: Arc::clone(proc),
            own: Arc::new(OwnTransaction::new()),
            start_time: current_timestamp(),
            state: Mutex::new(State {
                isolation: options.isolation,
                read_only: options.read_only,
                deferrable: options.deferrable,
                sync_commit: SyncCommit::RemoteFlush,
                stack: vec![top],
                next_sub: 2,
                top_full: FullXid(0),
                fixed: None,
                snapshot_taken: false,
                files: Vec::new(),
                invalidations: Vec::new(),
                relcache_init_file: false,
                force_sync: false,
                database_tablespace: Oid(1663),
                unreported: Vec::new(),
                exclusive_locks: false,
            }),
            current: AtomicU32::new(0),
            command: AtomicU32::new(0),
            command_used: AtomicBool::new(false),
            last_wal: AtomicU64::new(0),
            callbacks: Mutex::default(),
            changes: Mutex::default(),
            ssi: crate::ssi::Part::default(),
            finished: false,
        };
        txn.begin_virtual();
        Ok(txn)
    }
    /// Takes the next virtual transaction id, and the lock on it.
    fn begin_virtual(&self) {
        // Only the session itself counts them.
        let local = self.proc.next_local_xid.load(Ordering::Relaxed).max(1);
        self.proc.next_local_xid.store(local.wrapping_add(1), Ordering::Relaxed);
        self.proc.local_xid.store(local, Ordering::Release);
        self.manager.locks().lock_own_virtual_xid(&self.proc, local);
    }
    pub fn manager(&self) -> &Arc<TransactionManager> {
        &self.manager
    }
    pub fn proc(&self) -> &Arc<Proc> {
        &self.proc
    }
    pub fn own(&self) -> &Arc<OwnTransaction> {
        &self.own
    }
    pub fn isolation(&self) -> IsolationLevel {
        self.state.lock().isolation
    }
    /// Errors if a snapshot was taken already (25001).
    pub fn set_isolation(&self, level: IsolationLevel) -> Result<()> {
        let mut state = self.state.lock();
        if level == state.isolation {
            return Ok(());
        }
        if state.snapshot_taken {
            let text = "SET TRANSACTION ISOLATION LEVEL must be called before any query";
            return Err(PgError::new(ACTIVE_SQL_TRANSACTION, text));
        }
        if state.stack.len() > 1 {
            let text = "SET TRANSACTION ISOLATION LEVEL must not be called in a subtransaction";
            return Err(PgError::new(ACTIVE_SQL_TRANSACTION, text));
        }
        state.isolation = level;
        Ok(())
    }
    pub fn is_read_only(&self) -> bool {
        self.state.lock().read_only
    }
    /// From read-only to read-write only before the first snapshot and not in a subtransaction (25001).
    pub fn set_read_only(&self, read_only: bool) -> Result<()> {
        let mut state = self.state.lock();
        if state.read_only && !read_only {
            if state.stack.len() > 1 {
                let text = "cannot set transaction read-write mode inside a read-only transaction";
                return Err(PgError::new(ACTIVE_SQL_TRANSACTION, text));
            }
            if state.snapshot_taken {
                let text = "transaction read-write mode must be set before any query";
                return Err(PgError::new(ACTIVE_SQL_TRANSACTION, text));
            }
        }
        state.read_only = read_only;
        Ok(())
    }
    pub fn is_deferrable(&self) -> bool {
        self.state.lock().deferrable
    }
    pub fn set_deferrable(&self, deferrable: bool) {
        self.state.lock().deferrable = deferrable;
    }
    /// For this transaction's commit.
    pub fn set_sync_commit(&self, level: SyncCommit) {
        self.state.lock().sync_commit = level;
    }
    /// Microseconds since 2000-01-01 UTC. (PostgreSQL: `now()`)
    pub fn start_time(&self) -> i64 {
        self.start_time
    }

    /// The id of the current (sub)transaction, assigned at the first call; parents get theirs before.
    /// (PostgreSQL: `GetCurrentTransactionId`)
    #[inline]
    pub fn xid(&self) -> Result<Xid> {
        match self.xid_if_assigned() {
            Some(xid) => Ok(xid),
            None => self.assign(),
        }
    }
    /// (PostgreSQL: `GetCurrentTransactionIdIfAny`)
    #[inline]
    pub fn xid_if_assigned(&self) -> Option<Xid> {
        Some(Xid(self.current.load(Ordering::Relaxed))).filter(|x| x.is_valid())
    }
    fn assign(&self) -> Result<Xid> {
        let mut state = self.state.lock();
        let mut parent = None;
        for i in 0..state.stack.len() {
            let xid = match state.stack[i].xid {
                Some(xid) => xid,
                None => {
                    let full = self.manager.assign_xid(&self.proc, parent)?;
                    let xid = full.xid();
                    state.stack[i].xid = Some(xid);
                    match i {
                        0 => {
                            state.top_full = full;
                            self.own.set_top(xid);
                        }
                        _ => {
                            self.own.add_sub(xid);
                            state.unreported.push(xid);
                        }
                    }
                    self.manager.register_serializable_xid(&self.ssi, xid, i == 0);
                    xid
                }
            };
            parent = Some(xid);
        }
        if state.unreported.len() >= REPORT_SUBXIDS {
            self.report_subxids(&mut state);
        }
        let xid = parent.unwrap_or_default();
        self.current.store(xid.0, Ordering::Relaxed);
        Ok(xid)
    }
    /// XLOG_XACT_ASSIGNMENT: standbys of PostgreSQL keep only so many subtransactions a transaction.
    fn report_subxids(&self, state: &mut State) {
        let Some(top) = self.own.top_xid() else { return };
        let subs = std::mem::take(&mut state.unreported);
        if self.manager.wal().wal_level() >= wal::WalLevel::Replica {
            crate::record::log_assignment(self.manager.wal(), top, &subs);
        }
    }
    /// (PostgreSQL: `GetTopTransactionId`)
    pub fn top_xid(&self) -> Result<Xid> {
        self.top_full_xid().map(FullXid::xid)
    }
    pub fn top_full_xid(&self) -> Result<FullXid> {
        if self.own.top_xid().is_none() {
            let mut state = self.state.lock();
            let full = self.manager.assign_xid(&self.proc, None)?;
            state.stack[0].xid = Some(full.xid());
            state.top_full = full;
            self.own.set_top(full.xid());
            self.manager.register_serializable_xid(&self.ssi, full.xid(), true);
            if state.stack.len() == 1 {
                self.current.store(full.xid().0, Ordering::Relaxed);
            }
        }
        Ok(self.state.lock().top_full)
    }
    pub fn top_xid_if_assigned(&self) -> Option<Xid> {
        self.own.top_xid()
    }
    /// Is this our own id or that of a live subtransaction? (PostgreSQL: `TransactionIdIsCurrentTransactionId`)
    #[inline]
    pub fn is_current(&self, xid: Xid) -> bool {
        self.own.is_current(xid)
    }

    /// The current command's number, for marking rows: `command_counter_increment` then counts on.
    /// (PostgreSQL: `GetCurrentCommandId(true)`)
    #[inline]
    pub fn command_id(&self) -> CommandId {
        self.command_used.store(true, Ordering::Relaxed);
        CommandId(self.command.load(Ordering::Relaxed))
    }
    /// For reading only. (PostgreSQL: `GetCurrentCommandId(false)`)
    #[inline]
    pub fn command_id_for_reading(&self) -> CommandId {
        CommandId(self.command.load(Ordering::Relaxed))
    }
    /// Makes the command's changes visible to the next one. (PostgreSQL: `CommandCounterIncrement`)
    pub fn command_counter_increment(&self) -> Result<()> {
        if self.command_used.swap(false, Ordering::Relaxed) {
            let n = self.command.load(Ordering::Relaxed);
            if n + 1 >= CommandId::INVALID.0 {
                let text = "cannot have more than 2^32-2 commands in a transaction";
                return Err(PgError::new(PROGRAM_LIMIT_EXCEEDED, text));
            }
            self.command.store(n + 1, Ordering::Relaxed);
        }
        Ok(())
    }
    /// The statement's snapshot: a new one, or the transaction's under REPEATABLE READ.
    /// (PostgreSQL: `GetTransactionSnapshot`)
    pub fn snapshot(&self) -> Result<Snapshot> {
        let mut state = self.state.lock();
        state.snapshot_taken = true;
        if !state.isolation.uses_transaction_snapshot() {
            drop(state);
            return self.latest_snapshot();
        }
        if let Some(snapshot) = &state.fixed {
            return Ok(Snapshot { curcid: self.command_id_for_reading(), ..snapshot.clone() });
        }
        let fixed = match state.isolation {
            IsolationLevel::Serializable => {
                let (read_only, deferrable) = (state.read_only, state.deferrable);
                let top = state.stack.iter().filter_map(|l| l.xid);
                let xids: Vec<Xid> = top.chain(state.stack.iter().flat_map(|l| l.children.iter().copied())).collect();
                drop(state);
                let take = || self.latest_snapshot();
                let snapshot =
                    self.manager.serializable_snapshot(&self.proc, &self.ssi, &xids, read_only, deferrable, &take)?;
                state = self.state.lock();
                snapshot
            }
            _ => self.latest_snapshot()?,
        };
        state.fixed = Some(fixed.clone());
        Ok(Snapshot { curcid: self.command_id_for_reading(), ..fixed })
    }
    /// Has it taken a snapshot?
    pub fn has_snapshot(&self) -> bool {
        self.state.lock().snapshot_taken
    }
    /// Sees what another transaction's snapshot does, which is held meanwhile. The transaction must have taken none.
    /// (PostgreSQL: `SetTransactionSnapshot`)
    pub fn import_snapshot(&self, other: &Snapshot) -> Result<()> {
        let take = || {
            Ok(Snapshot {
                xmin: other.xmin,
                xmax: other.xmax,
                curcid: self.command_id_for_reading(),
                running: Arc::clone(&other.running),
                own: Arc::clone(&self.own),
                // The other's pin is still there: no horizon has passed.
                _pin: self.proc.pin(other.xmin),
            })
        };
        let (isolation, read_only) = (self.isolation(), self.is_read_only());
        let snapshot = match isolation {
            IsolationLevel::Serializable => {
                let xids: Vec<Xid> = self.own.top_xid().into_iter().collect();
                self.manager.serializable_snapshot(&self.proc, &self.ssi, &xids, read_only, false, &take)?
            }
            _ => take()?,
        };
        let mut state = self.state.lock();
        (state.fixed, state.snapshot_taken) = (Some(snapshot), true);
        Ok(())
    }
    /// Whom to tell what is read and written, if the transaction is serializable and must be watched.
    #[inline]
    pub fn watched(&self) -> Option<crate::ssi::Watched<'_>> {
        crate::ssi::Watched::new(&self.manager, &self.ssi, || self.nest_level() > 1)
    }
    /// A new snapshot whatever the isolation level; catalogs are read with it. (PostgreSQL: `GetLatestSnapshot`)
    pub fn latest_snapshot(&self) -> Result<Snapshot> {
        let (running, pin) = self.manager.take_running_set(&self.proc);
        Ok(Snapshot {
            xmin: running.xmin,
            xmax: running.xmax,
            curcid: self.command_id_for_reading(),
            running,
            own: Arc::clone(&self.own),
            _pin: pin,
        })
    }

    /// Locks a relation for the transaction, waiting for it. An ACCESS EXCLUSIVE lock is logged, so that sessions on a
    /// standby do not read while it is replayed. (PostgreSQL: `LockRelationOid`)
    pub fn lock_relation(&self, db: Oid, rel: Oid, mode: LockMode) -> Result<()> {
        let logged = mode == LockMode::AccessExclusive && self.manager.wal().wal_level() >= wal::WalLevel::Replica;
        if logged {
            // Before the lock is taken: the record carries the id.
            self.xid()?;
        }
        let tag = LockTag::Relation { db, rel };
        let granted = self.manager.locks().acquire(&self.proc, tag, mode, LockLevel::Transaction, Wait::Block)?;
        if logged && granted == Acquired::Granted {
            let xid = self.xid()?;
            self.state.lock().exclusive_locks = true;
            crate::redo::log_standby_lock(self.manager.wal(), xid, db, rel);
        }
        Ok(())
    }

    /// Messages for the commit record.
    pub fn add_invalidations(&self, messages: &[InvalidationMessage], relcache_init_file: bool) {
        let mut state = self.state.lock();
        state.invalidations.extend_from_slice(messages);
        state.relcache_init_file |= relcache_init_file;
    }
    /// The commit waits for the disk even if `synchronous_commit` is off. (PostgreSQL: `ForceSyncCommit`)
    pub fn force_sync_commit(&self) {
        self.state.lock().force_sync = true;
    }
    /// A record was inserted on behalf of this transaction that its commit must make durable even if it has no id, e.g.
    /// by a sequence. (PostgreSQL: `XactLastRecEnd`)
    pub fn note_wal(&self, end: Lsn) {
        self.last_wal.fetch_max(end.0, Ordering::Relaxed);
    }
    /// Follows the transaction until its end.
    /// Counts changed rows of a table in the cumulative statistics.
    #[inline]
    pub fn count(&self, table: &Arc<TableStats>, change: Change, rows: usize) {
        self.changes.lock().count(table, change, i64::try_from(rows).unwrap_or(i64::MAX));
    }
    /// Counts that a table was emptied.
    pub fn count_truncate(&self, table: &Arc<TableStats>) {
        self.changes.lock().truncate(table);
    }
    pub fn add_callback(&self, callback: Box<dyn TransactionCallback>) {
        self.callbacks.lock().push(callback);
    }
    /// The tablespace of the session's database, for commit records.
    pub fn set_database_tablespace(&self, tablespace: Oid) {
        self.state.lock().database_tablespace = tablespace;
    }

    fn tell(&self, event: TransactionEvent) -> Result<()> {
        // Callbacks may register others meanwhile, so that the list is not held.
        let mut callbacks = std::mem::take(&mut *self.callbacks.lock());
        let result = callbacks.iter_mut().try_for_each(|c| c.event(self, event));
        let mut list = self.callbacks.lock();
        callbacks.append(&mut list);
        *list = callbacks;
        result
    }
    fn tell_all(&self, event: TransactionEvent) {
        let mut callbacks = std::mem::take(&mut *self.callbacks.lock());
        for callback in &mut callbacks {
            // By contract an error has no effect here.
            let _ = callback.event(self, event);
        }
        let mut list = self.callbacks.lock();
        callbacks.append(&mut list);
        *list = callbacks;
    }
}

impl State {
    /// The innermost subtransaction, taken off the stack.
    fn pop(&mut self) -> Result<Level> {
        match self.stack.len() {
            0 | 1 => Err(no_subtransaction()),
            _ => self.stack.pop().ok_or_else(no_subtransaction),
        }
    }
    /// Takes the selected files; those that go with this outcome are returned.
    fn take_files(&mut self, select: impl Fn(&PendingFile) -> bool, commit: bool) -> Vec<PendingFile> {
        let (taken, kept) = std::mem::take(&mut self.files).into_iter().partition(|f| select(f));
        self.files = kept;
        let taken: Vec<PendingFile> = taken;
        taken.into_iter().filter(|f| f.at_commit == commit).collect()
    }
}

impl Drop for Transaction {
    fn drop(&mut self) {
        self.finish_abort();
    }
}

#[cold]
fn no_subtransaction() -> PgError {
    PgError::new(INVALID_TRANSACTION_STATE, "there is no subtransaction in progress")
}
