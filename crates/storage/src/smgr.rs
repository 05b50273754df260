//! Relations as files: a fork is a series of 1 GB segments. (PostgreSQL: `smgr.c`, `md.c`, `sync.c`)
use std::sync::Arc;

use base::{BLCKSZ, BlockNumber, ForkNumber, Oid, PgError, RelFileLocator, Result};

use crate::vfs::Vfs;

/// What survives a crash. (PostgreSQL: `relpersistence`)
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Persistence {
    Permanent,
    Unlogged,
    /// With the number in its file's name (`tN_REL`).
    Temporary(i32),
}

/// The storage manager: all relation files of a cluster, their cached sizes, and what must be fsynced.
pub struct Smgr {
    vfs: Arc<dyn Vfs>,
}

fn nyi<T>() -> Result<T> {
    Err(PgError::unsupported("smgr"))
}

impl Smgr {
    pub fn new(vfs: Arc<dyn Vfs>) -> Smgr {
        Smgr { vfs }
    }
    pub fn vfs(&self) -> &Arc<dyn Vfs> {
        &self.vfs
    }
    /// The path of a fork's first segment. (PostgreSQL: `relpathperm`)
    pub fn path(&self, locator: RelFileLocator, fork: ForkNumber) -> String {
        let _ = (locator, fork);
        String::new()
    }
    /// Tells that a relation is not permanent, before any of its pages is touched. Forgotten at `unlink`.
    pub fn set_persistence(&self, locator: RelFileLocator, persistence: Persistence) {
        let _ = (locator, persistence);
    }
    pub fn persistence(&self, locator: RelFileLocator) -> Persistence {
        let _ = locator;
        Persistence::Permanent
    }
    /// Creates the fork's file, and its directory if missing. In recovery (`may_exist`) it may be there already.
    pub fn create(&self, locator: RelFileLocator, fork: ForkNumber, may_exist: bool) -> Result<()> {
        let _ = (locator, fork, may_exist);
        nyi()
    }
    pub fn exists(&self, locator: RelFileLocator, fork: ForkNumber) -> Result<bool> {
        let _ = (locator, fork);
        nyi()
    }
    /// The number of pages. Cached after the first call: this process is the only one that changes it.
    pub fn nblocks(&self, locator: RelFileLocator, fork: ForkNumber) -> Result<u32> {
        let _ = (locator, fork);
        nyi()
    }
    /// Adds zeroed pages from `first`, which must be the current end or (in recovery) beyond it.
    pub fn zero_extend(&self, locator: RelFileLocator, fork: ForkNumber, first: BlockNumber, n: u32) -> Result<()> {
        let _ = (locator, fork, first, n);
        nyi()
    }
    pub fn read(&self, l: RelFileLocator, fork: ForkNumber, block: BlockNumber, page: &mut [u8; BLCKSZ]) -> Result<()> {
        let _ = (l, fork, block, page);
        nyi()
    }
    /// Writes a page that exists and asks for its segment to be fsynced by the next checkpoint.
    pub fn write(&self, l: RelFileLocator, fork: ForkNumber, block: BlockNumber, page: &[u8; BLCKSZ]) -> Result<()> {
        let _ = (l, fork, block, page);
        nyi()
    }
    /// Shortens the fork. The pool's pages beyond must have been dropped before.
    pub fn truncate(&self, locator: RelFileLocator, fork: ForkNumber, nblocks: u32) -> Result<()> {
        let _ = (locator, fork, nblocks);
        nyi()
    }
    /// Removes all forks. The main fork's first segment stays as an empty file until the next checkpoint is done, so
    /// that its number is not used again too early. The pool's pages must have been dropped before.
    pub fn unlink(&self, locators: &[RelFileLocator]) -> Result<()> {
        let _ = locators;
        nyi()
    }
    /// Makes the fork durable now. (PostgreSQL: `smgrimmedsync`)
    pub fn immediate_sync(&self, locator: RelFileLocator, fork: ForkNumber) -> Result<()> {
        let _ = (locator, fork);
        nyi()
    }
    /// Closes files and forgets sizes and sync requests of a database whose directory goes away.
    pub fn forget_database(&self, db: Oid) {
        let _ = db;
    }
    /// Asks for a file that is no relation's (pg_xact and such) to be fsynced by the next checkpoint.
    pub fn register_sync(&self, path: &str) {
        let _ = path;
    }
    /// A checkpoint begins: unlinks from now on wait for the next one. Call before the redo pointer is determined.
    pub fn sync_pre_checkpoint(&self) {}
    /// Fsyncs everything written before this call. A failure is a PANIC. Returns how many files were synced.
    pub fn sync_all(&self) -> Result<usize> {
        nyi()
    }
    /// The checkpoint is on disk: removes the files of relations unlinked before it began.
    pub fn sync_post_checkpoint(&self) -> Result<()> {
        nyi()
    }
}
