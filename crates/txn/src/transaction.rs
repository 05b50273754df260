//! One session's transaction. (PostgreSQL: `xact.c`)

use std::sync::Arc;

use base::{CommandId, ForkNumber, FullXid, Lsn, Oid, PgError, RelFileLocator, Result, Xid};
use storage::Persistence;

use crate::manager::TransactionManager;
use crate::proc::Proc;
use crate::snapshot::{OwnTransaction, Snapshot};

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

/// A transaction in progress. Dropped without [`Transaction::commit`] it aborts.
pub struct Transaction {
    manager: Arc<TransactionManager>,
    proc: Arc<Proc>,
    own: Arc<OwnTransaction>,
}

fn nyi<T>() -> Result<T> {
    Err(PgError::unsupported("transactions"))
}

impl Transaction {
    /// Starts a transaction; the session must have none. (PostgreSQL: `StartTransaction`)
    pub fn begin(
        manager: &Arc<TransactionManager>,
        proc: &Arc<Proc>,
        options: TransactionOptions,
    ) -> Result<Transaction> {
        let _ = (manager, proc, options);
        nyi()
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
        IsolationLevel::ReadCommitted
    }
    /// Errors if a snapshot was taken already (25001), and for SERIALIZABLE (0A000).
    pub fn set_isolation(&self, level: IsolationLevel) -> Result<()> {
        let _ = level;
        nyi()
    }
    pub fn is_read_only(&self) -> bool {
        false
    }
    pub fn set_read_only(&self, read_only: bool) -> Result<()> {
        let _ = read_only;
        nyi()
    }
    /// For this transaction's commit.
    pub fn set_sync_commit(&self, level: SyncCommit) {
        let _ = level;
    }
    /// Microseconds since 2000-01-01 UTC. (PostgreSQL: `now()`)
    pub fn start_time(&self) -> i64 {
        0
    }

    /// The id of the current (sub)transaction, assigned at the first call; parents get theirs before.
    /// (PostgreSQL: `GetCurrentTransactionId`)
    pub fn xid(&self) -> Result<Xid> {
        nyi()
    }
    /// (PostgreSQL: `GetCurrentTransactionIdIfAny`)
    pub fn xid_if_assigned(&self) -> Option<Xid> {
        None
    }
    /// (PostgreSQL: `GetTopTransactionId`)
    pub fn top_xid(&self) -> Result<Xid> {
        nyi()
    }
    pub fn top_full_xid(&self) -> Result<FullXid> {
        nyi()
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
    pub fn command_id(&self) -> CommandId {
        CommandId::FIRST
    }
    /// For reading only. (PostgreSQL: `GetCurrentCommandId(false)`)
    pub fn command_id_for_reading(&self) -> CommandId {
        CommandId::FIRST
    }
    /// Makes the command's changes visible to the next one. (PostgreSQL: `CommandCounterIncrement`)
    pub fn command_counter_increment(&self) -> Result<()> {
        nyi()
    }
    /// The statement's snapshot: a new one, or the transaction's under REPEATABLE READ. (PostgreSQL: `GetTransactionSnapshot`)
    pub fn snapshot(&self) -> Result<Snapshot> {
        nyi()
    }
    /// A new snapshot whatever the isolation level; catalogs are read with it. (PostgreSQL: `GetLatestSnapshot`)
    pub fn latest_snapshot(&self) -> Result<Snapshot> {
        nyi()
    }

    /// The current subtransaction. (PostgreSQL: `GetCurrentSubTransactionId`)
    pub fn sub_id(&self) -> SubId {
        SubId::TOP
    }
    /// 1 at the top level. (PostgreSQL: `GetCurrentTransactionNestLevel`)
    pub fn nest_level(&self) -> usize {
        1
    }
    /// `SAVEPOINT name`, or an internal subtransaction without a name. (PostgreSQL: `DefineSavepoint`)
    pub fn begin_sub(&self, name: Option<&str>) -> Result<SubId> {
        let _ = name;
        nyi()
    }
    /// Merges the current subtransaction into its parent. (PostgreSQL: `ReleaseCurrentSubTransaction`)
    pub fn release_sub(&self) -> Result<()> {
        nyi()
    }
    /// Undoes and ends the current subtransaction. (PostgreSQL: `RollbackAndReleaseCurrentSubTransaction`)
    pub fn rollback_sub(&self) -> Result<()> {
        nyi()
    }
    /// `RELEASE SAVEPOINT name` (3B001 if there is none).
    pub fn release_savepoint(&self, name: &str) -> Result<()> {
        let _ = name;
        nyi()
    }
    /// `ROLLBACK TO SAVEPOINT name`: the savepoint remains.
    pub fn rollback_to_savepoint(&self, name: &str) -> Result<()> {
        let _ = name;
        nyi()
    }

    /// Creates a relation's file, logs that, and removes it if the (sub)transaction aborts.
    /// (PostgreSQL: `RelationCreateStorage`)
    pub fn create_storage(&self, locator: RelFileLocator, persistence: Persistence) -> Result<()> {
        let _ = (locator, persistence);
        nyi()
    }
    /// Logs and creates one more fork of a relation made by `create_storage`.
    pub fn create_fork(&self, locator: RelFileLocator, fork: ForkNumber) -> Result<()> {
        let _ = (locator, fork);
        nyi()
    }
    /// Removes a relation's files at commit. (PostgreSQL: `RelationDropStorage`)
    pub fn drop_storage(&self, locator: RelFileLocator) {
        let _ = locator;
    }
    /// The file stays whatever happens. (PostgreSQL: `RelationPreserveStorage`)
    pub fn preserve_storage(&self, locator: RelFileLocator) {
        let _ = locator;
    }
    /// Messages for the commit record.
    pub fn add_invalidations(&self, messages: &[InvalidationMessage], relcache_init_file: bool) {
        let _ = (messages, relcache_init_file);
    }
    /// The commit waits for the disk even if `synchronous_commit` is off. (PostgreSQL: `ForceSyncCommit`)
    pub fn force_sync_commit(&self) {}
    /// A record of this transaction was inserted that the commit must follow, e.g. by a sequence.
    pub fn note_wal(&self, end: Lsn) {
        let _ = end;
    }
    /// Follows the transaction until its end.
    pub fn add_callback(&self, callback: Box<dyn TransactionCallback>) {
        let _ = callback;
    }
    /// The tablespace of the session's database, for commit records.
    pub fn set_database_tablespace(&self, tablespace: Oid) {
        let _ = tablespace;
    }

    /// Commits: durable (unless asynchronous) and visible when this returns. On an error the transaction was aborted.
    /// (PostgreSQL: `CommitTransaction`)
    pub fn commit(self) -> Result<()> {
        nyi()
    }
    /// (PostgreSQL: `AbortTransaction`)
    pub fn abort(self) {}
    /// `PREPARE TRANSACTION`.
    pub fn prepare(self, gid: &str) -> Result<()> {
        let _ = gid;
        Err(PgError::unsupported("PREPARE TRANSACTION"))
    }
}
