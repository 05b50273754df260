//! Transactions: ids, commit status, snapshots, locks.
//!
//! | module | what |
//! | --- | --- |
//! | [`manager`] | [`TransactionManager`], shared by the cluster: assigns ids, knows who runs, answers for any xid |
//! | [`transaction`] | [`Transaction`], one a session: lazily assigned xid, savepoints, command ids, commit and abort |
//! | [`snapshot`] | [`Snapshot`]: which transactions a statement sees; [`OwnTransaction`]: one's own ids and combo cids |
//! | [`proc`] | [`Proc`], a session's place among the transactions: what others see of it |
//! | [`horizon`] | below which xid nobody can see a removed row any more |
//! | [`lock`] | [`LockManager`]: heavyweight locks, waiting, deadlocks |
//! | [`slru`], [`clog`], [`multixact`] | status of transactions and sets of row lockers, in PostgreSQL's files |
//! | [`redo`] | replay of transaction, clog, multixact, standby, storage, database and tablespace records |
//! | [`checkpoint`] | what a checkpoint does above the log |
//! | [`startup`] | opening a data directory: recovery and what surrounds it; shutdown |
//! | [`ssi`] | SERIALIZABLE: who has read what others write |
//! | [`twophase`] | prepared transactions |
//! | [`stats`] | cumulative statistics of tables and databases |
//! | [`database_files`] | directories of databases and tablespaces, and the records about them |
//!
//! A cluster: [`startup::open`] and [`startup::shutdown`].
//! A session: `let proc = manager.register(id, database, interrupt)`; then for each transaction
//! `let txn = Transaction::begin(&manager, &proc, options)`, statements with `txn.snapshot()?`, `txn.xid()?`,
//! `txn.command_id()`, `txn.command_counter_increment()?`, and at the end `txn.commit()?` or `txn.abort()`.
//! `Transaction`'s methods take `&self`, so that it can be lent to many operators at once.
#![forbid(unsafe_code)]

pub mod checkpoint;
pub mod clog;
pub mod database_files;
pub mod horizon;
pub mod lock;
pub mod manager;
pub mod multixact;
pub mod proc;
mod record;
pub mod redo;
pub mod slru;
pub mod snapshot;
pub mod ssi;
pub mod startup;
pub mod stats;
pub mod transaction;
pub mod twophase;

pub use clog::XidStatus;
pub use horizon::{HorizonKind, Horizons, VisibilityHorizon};
pub use lock::{LockManager, LockMode, LockTag};
pub use manager::{ManagerOptions, TransactionManager};
pub use multixact::{MultiXactMember, MultiXactStatus};
pub use proc::Proc;
pub use snapshot::{OwnTransaction, Snapshot};
pub use transaction::{IsolationLevel, SyncCommit, Transaction, TransactionOptions};
