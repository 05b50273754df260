//! Tables: rows in heap pages, seen through snapshots.
//!
//! | file | what |
//! | --- | --- |
//! | `mod.rs` | [`HeapRelation`], a table as upper floors hand it down; outcomes of changing a row |
//! | `visibility.rs` | who sees a tuple: [`Look`], and the verdicts for updaters and vacuum |
//! | `scan.rs` | sequential scans, a page at a time into columns; [`SharedScan`] for parallel ones |
//! | `fetch.rs` | single rows by place: after an index ([`Fetcher`]), by TID, the newest version |
//! | `insert.rs`, `hio.rs` | inserting, also in bulk; the page that takes a new tuple |
//! | `delete.rs`, `update.rs`, `lock.rs` | changing and locking a row that others may change at the same time |
//! | `bulk_change.rs` | the same for many rows of a statement |
//! | `xmax.rs` | the arithmetic of row locks: what a tuple's xmax becomes |
//! | `prune.rs`, `freeze.rs` | removing dead versions from a page, freezing old ones |
//! | `vacuum.rs`, `dead_items.rs` | lazy vacuum of a table with its indexes |
//! | `rewrite.rs` | a table into a new file: VACUUM FULL, CLUSTER |
//! | `build.rs` | the rows a new index gets entries for |
//! | `inplace.rs` | overwriting a catalog row without a new version |
//! | `wal.rs`, `redo.rs`, `change.rs` | the records, their replay, what both share |
//!
//! Everything works on `&Transaction`, which knows the buffer pool, the log, the lock manager and the interrupt. Rows are
//! named by [`TupleId`]s; the executor rechecks rows that changed meanwhile (READ COMMITTED).
//!
//! Latch order: of two heap pages the lower block first; a page of the visibility map is pinned (which may read) before a
//! heap page is latched and latched after it. No latch is held while waiting for a transaction or a heavyweight lock.
//!
//! PostgreSQL: `heapam.c`, `heapam_handler.c`.

mod build;
mod bulk_change;
pub mod change;
mod dead_items;
mod delete;
mod fetch;
pub mod freeze;
pub mod hio;
mod inplace;
mod insert;
mod lock;
pub mod prune;
pub mod redo;
pub mod rewrite;
mod scan;
mod update;
pub mod vacuum;
pub mod visibility;
pub mod wal;
mod xmax;

use std::sync::{Arc, OnceLock};

use base::{CommandId, Oid, RelFileLocator, Result, TupleId, Xid};
use storage::Persistence;
use txn::ssi::Watched;
use txn::stats::TableStats;
use txn::{HorizonKind, Transaction};

use crate::index::IndexRelation;
use crate::tuple::{Compression, TupleLayout};

pub use build::BuildScan;
pub use bulk_change::BulkChange;
pub use delete::ModifyOptions;
pub use fetch::{Fetched, Fetcher, UniqueRow};
pub use inplace::InplaceMessages;
pub use insert::{BulkInsert, InsertOptions};
pub use scan::{HeapScan, ScanOptions, SharedScan};
pub use update::{UpdateIndexes, Updated};
pub use visibility::Look;

/// A set of columns, numbered from 0.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct AttrSet(Vec<u64>);

impl AttrSet {
    pub fn insert(&mut self, i: usize) {
        if self.0.len() <= i / 64 {
            self.0.resize(i / 64 + 1, 0);
        }
        self.0[i / 64] |= 1 << (i % 64);
    }
    pub fn contains(&self, i: usize) -> bool {
        self.0.get(i / 64).is_some_and(|w| w >> (i % 64) & 1 != 0)
    }
    pub fn iter(&self) -> impl Iterator<Item = usize> + '_ {
        (0..self.0.len() * 64).filter(|&i| self.contains(i))
    }
    pub fn union(&mut self, other: &AttrSet) {
        other.iter().for_each(|i| self.insert(i));
    }
}
impl FromIterator<usize> for AttrSet {
    fn from_iter<T: IntoIterator<Item = usize>>(items: T) -> AttrSet {
        let mut set = AttrSet::default();
        items.into_iter().for_each(|i| set.insert(i));
        set
    }
}

/// A table as its access method sees it. Made by the catalog, shared by all who use the table.
pub struct HeapRelation {
    pub oid: Oid,
    pub name: Box<str>,
    pub locator: RelFileLocator,
    pub layout: Arc<TupleLayout>,
    pub persistence: Persistence,
    /// A system catalog (also one's TOAST table).
    pub is_catalog: bool,
    pub is_shared: bool,
    /// A TOAST table itself.
    pub is_toast: bool,
    /// Percent. (PostgreSQL: `fillfactor`)
    pub fillfactor: u16,
    /// (PostgreSQL: `toast_tuple_target`)
    pub toast_tuple_target: usize,
    pub toast: Option<Arc<ToastRelation>>,
    /// For columns that name none. (PostgreSQL: `default_toast_compression`)
    pub default_compression: Compression,
    /// Columns that an index uses, in keys, expressions or predicates. An update of others can be heap-only.
    pub indexed: AttrSet,
    /// Columns that only summarizing indexes (BRIN) use.
    pub summarized: AttrSet,
    /// Columns of unique keys that a foreign key may refer to: updates of others take a weaker lock.
    pub keys: AttrSet,
    /// Where sessions inserted last.
    pub targets: hio::Targets,
    stats: OnceLock<Arc<TableStats>>,
}

/// A TOAST table with its index.
pub struct ToastRelation {
    pub heap: Arc<HeapRelation>,
    pub index: Arc<IndexRelation>,
}

impl HeapRelation {
    /// Whom to tell of reads and writes of this table: only serializable transactions are watched.
    #[inline]
    pub(crate) fn watched<'t>(&self, txn: &'t Transaction) -> Option<Watched<'t>> {
        let watched = txn.watched()?;
        let temporary = matches!(self.persistence, Persistence::Temporary(_));
        (self.oid >= FIRST_WATCHED && !temporary && !self.is_toast).then_some(watched)
    }
    /// A row goes, or a new one comes (no `tid`); its page is latched until that is so.
    #[inline]
    pub(crate) fn before_write(&self, txn: &Transaction, tid: Option<TupleId>) -> Result<()> {
        match self.watched(txn) {
            Some(w) => w.conflict_in(self.locator.db, self.oid, tid, tid.map(|t| t.block)),
            None => Ok(()),
        }
    }
}

/// System catalogs are not watched. (PostgreSQL: `FirstUnpinnedObjectId`)
pub(crate) const FIRST_WATCHED: Oid = Oid(12000);

impl HeapRelation {
    /// A permanent table without indexes and TOAST table; fill in the rest.
    pub fn new(oid: Oid, name: &str, locator: RelFileLocator, layout: Arc<TupleLayout>) -> HeapRelation {
        HeapRelation {
            oid,
            name: name.into(),
            locator,
            layout,
            persistence: Persistence::Permanent,
            is_catalog: false,
            is_shared: false,
            is_toast: false,
            fillfactor: 100,
            toast_tuple_target: crate::toast::TUPLE_TARGET,
            toast: None,
            default_compression: Compression::Pglz,
            indexed: AttrSet::default(),
            summarized: AttrSet::default(),
            keys: AttrSet::default(),
            targets: hio::Targets::new(),
            stats: OnceLock::new(),
        }
    }
    /// (PostgreSQL: `RelationNeedsWAL`)
    #[inline]
    pub fn needs_wal(&self) -> bool {
        self.persistence == Persistence::Permanent
    }
    pub(crate) fn horizon_kind(&self) -> HorizonKind {
        match self.persistence {
            Persistence::Temporary(_) => HorizonKind::Temp,
            _ if self.is_shared => HorizonKind::Shared,
            _ if self.is_catalog => HorizonKind::Catalog,
            _ => HorizonKind::Data,
        }
    }
    /// The table's cumulative statistics.
    #[inline]
    pub fn stats(&self, txn: &Transaction) -> &Arc<TableStats> {
        self.stats.get_or_init(|| txn.manager().stats().table(self.lock_db(txn), self.oid))
    }
    /// The table's pages. (PostgreSQL: `RelationGetNumberOfBlocks`)
    pub fn nblocks(&self, txn: &Transaction) -> base::Result<u32> {
        txn.manager().pool().nblocks(self.locator, base::ForkNumber::Main)
    }
    /// The database in lock tags: none for shared tables.
    pub(crate) fn lock_db(&self, txn: &Transaction) -> Oid {
        if self.is_shared { Oid::INVALID } else { txn.proc().database() }
    }
    /// Room that inserts leave on a page. (PostgreSQL: `RelationGetTargetPageFreeSpace`)
    pub(crate) fn target_free_space(&self) -> usize {
        base::BLCKSZ * (100 - usize::from(self.fillfactor.clamp(10, 100))) / 100
    }
}

/// What became of a row that was to be changed or locked. (PostgreSQL: `TM_Result` with `TM_FailureData`)
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    Ok,
    /// The snapshot does not see it: usually an error of the caller.
    Invisible,
    /// Already changed by this transaction, by command `cmax`; `ctid` is the newer version (itself if deleted).
    SelfModified {
        ctid: TupleId,
        xmax: Xid,
        cmax: CommandId,
    },
    /// Updated by a transaction that committed; look at `ctid`.
    Updated {
        ctid: TupleId,
        xmax: Xid,
    },
    /// Deleted by a transaction that committed, or moved to another partition.
    Deleted {
        moved_partitions: bool,
        xmax: Xid,
    },
    /// Another transaction is at it, and the caller did not want to wait.
    BeingModified {
        xmax: Xid,
    },
    /// The lock is not to be had now (NOWAIT, SKIP LOCKED).
    WouldBlock,
}

/// How strongly a row is locked. (PostgreSQL: `LockTupleMode`)
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum RowLock {
    /// FOR KEY SHARE
    KeyShare,
    /// FOR SHARE
    Share,
    /// FOR NO KEY UPDATE, and updates that leave the keys alone
    NoKeyExclusive,
    /// FOR UPDATE, deletes, and updates of a key
    Exclusive,
}

/// What to do while another transaction holds the row. (PostgreSQL: `LockWaitPolicy`)
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum WaitPolicy {
    Block,
    /// SKIP LOCKED: answer [`Outcome::WouldBlock`].
    Skip,
    /// NOWAIT: raise 55P03.
    Error,
}

#[cfg(test)]
mod crash_tests;
#[cfg(test)]
mod stress_tests;
#[cfg(test)]
mod tests;
