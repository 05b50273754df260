//! The buffer pool. See the crate's head for how pages are changed.
use std::marker::PhantomData;
use std::ops::Deref;
use std::sync::Arc;

use base::{BlockNumber, ForkNumber, Interrupt, Lsn, Oid, PgError, RelFileLocator, Result};

use crate::critical::Critical;
use crate::page::Page;
use crate::smgr::Smgr;

/// Names a page. (PostgreSQL: `BufferTag`)
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct BufferTag {
    pub locator: RelFileLocator,
    pub fork: ForkNumber,
    pub block: BlockNumber,
}

impl BufferTag {
    pub fn new(locator: RelFileLocator, fork: ForkNumber, block: BlockNumber) -> BufferTag {
        BufferTag { locator, fork, block }
    }
    /// A page of the main fork.
    pub fn main(locator: RelFileLocator, block: BlockNumber) -> BufferTag {
        BufferTag { locator, fork: ForkNumber::Main, block }
    }
}

/// What `pin` does with a page that is not in the pool.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ReadMode {
    /// Read it; a damaged page is an error.
    Normal,
    /// Read it; a damaged page becomes zeroes. (PostgreSQL: `RBM_ZERO_ON_ERROR`)
    ZeroOnError,
    /// The caller overwrites the whole page: it is zeroed instead of read. Use [`BufferPool::pin_zeroed`].
    Zero,
}

/// The log is written up to a page's LSN before the page. The `wal` crate implements it.
pub trait WalFlush: Send + Sync {
    fn flush_up_to(&self, lsn: Lsn) -> Result<()>;
}

/// What [`HintLogger::log_hint`] did.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum HintLog {
    /// No full-page image was needed; the page may become dirty.
    NotNeeded,
    /// A full-page image was logged; its end becomes the page's LSN.
    Logged(Lsn),
    /// In recovery, where no WAL can be written: the page must not become dirty for a hint.
    Refused,
}

/// Before a hint makes a clean page dirty: with checksums (or `wal_log_hints`) its first change after a checkpoint needs
/// a full-page image. The `wal` crate implements it. (PostgreSQL: `XLogSaveBufferForHint`)
pub trait HintLogger: Send + Sync {
    fn log_hint(&self, section: &Critical, tag: BufferTag, page: &Page) -> Result<HintLog>;
}

/// How a pool is made.
#[derive(Clone, Debug)]
pub struct PoolOptions {
    /// Frames of 8 kB. (PostgreSQL: `shared_buffers`)
    pub buffers: usize,
    /// Checksums are verified and written. (PostgreSQL: `data_checksums`)
    pub checksums: bool,
}

/// Which frames a bulk operation may use, so that it does not push everything else out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum StrategyKind {
    BulkRead,
    BulkWrite,
    Vacuum,
}

/// A ring of frames that a bulk operation reuses. (PostgreSQL: `BufferAccessStrategy`)
pub struct Strategy {
    kind: StrategyKind,
}

impl Strategy {
    pub fn new(kind: StrategyKind) -> Strategy {
        Strategy { kind }
    }
    /// A ring of so many kilobytes. (PostgreSQL: `vacuum_buffer_usage_limit`)
    pub fn with_size(kind: StrategyKind, kilobytes: usize) -> Strategy {
        let _ = kilobytes;
        Strategy { kind }
    }
    pub fn kind(&self) -> StrategyKind {
        self.kind
    }
}

/// What the current thread did to buffers: take the difference of two readings. (PostgreSQL: `pgBufferUsage`)
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct BufferUsage {
    pub hit: u64,
    pub read: u64,
    pub dirtied: u64,
    pub written: u64,
}

impl BufferUsage {
    /// This thread's counters; they only grow.
    pub fn of_this_thread() -> BufferUsage {
        BufferUsage::default()
    }
    #[must_use]
    pub fn since(self, earlier: BufferUsage) -> BufferUsage {
        BufferUsage {
            hit: self.hit - earlier.hit,
            read: self.read - earlier.read,
            dirtied: self.dirtied - earlier.dirtied,
            written: self.written - earlier.written,
        }
    }
}

/// The shared page cache of a cluster. Used through `Arc<BufferPool>` or `&BufferPool`.
pub struct BufferPool {
    smgr: Arc<Smgr>,
    options: PoolOptions,
}

fn nyi<T>() -> Result<T> {
    Err(PgError::unsupported("buffer pool"))
}

impl BufferPool {
    /// A pool without hooks: call [`BufferPool::set_hooks`] before pages with an LSN are written.
    pub fn new(options: PoolOptions, smgr: Arc<Smgr>) -> Arc<BufferPool> {
        Arc::new(BufferPool { smgr, options })
    }
    /// Hands the pool the log. Once, after the log was opened.
    pub fn set_hooks(&self, wal: Arc<dyn WalFlush>, hints: Arc<dyn HintLogger>) {
        let _ = (wal, hints);
    }
    pub fn smgr(&self) -> &Arc<Smgr> {
        &self.smgr
    }
    pub fn options(&self) -> &PoolOptions {
        &self.options
    }
    /// The page, pinned; it is read if it is not here. It must exist in the file (see `nblocks`).
    pub fn pin(&self, tag: BufferTag, mode: ReadMode, strategy: Option<&Strategy>) -> Result<PinnedBuffer> {
        let _ = (tag, mode, strategy);
        nyi()
    }
    /// The page of the main fork, with no strategy: the common case.
    #[inline]
    pub fn read(&self, locator: RelFileLocator, block: BlockNumber) -> Result<PinnedBuffer> {
        self.pin(BufferTag::main(locator, block), ReadMode::Normal, None)
    }
    /// The page, pinned and exclusively latched, its content zeroed if it had to be brought in: for redo of records that
    /// rewrite the whole page. The fork is extended up to the block if it is shorter.
    /// (PostgreSQL: `RBM_ZERO_AND_LOCK`)
    pub fn pin_zeroed(&self, tag: BufferTag) -> Result<OwnedExclusive> {
        let _ = tag;
        nyi()
    }
    /// A new zeroed page at the end of the fork, exclusively latched. Safe against concurrent extenders.
    pub fn extend(&self, l: RelFileLocator, fork: ForkNumber, strategy: Option<&Strategy>) -> Result<OwnedExclusive> {
        self.extend_by(l, fork, 1, strategy)
    }
    /// `n` new zeroed pages at the end; the first is returned latched, the others are in the pool, unpinned.
    pub fn extend_by(
        &self,
        l: RelFileLocator,
        fork: ForkNumber,
        n: u32,
        strategy: Option<&Strategy>,
    ) -> Result<OwnedExclusive> {
        let _ = (l, fork, n, strategy);
        nyi()
    }
    /// Extends the fork with zeroed pages until it has at least `nblocks`. (PostgreSQL: `ExtendBufferedRelTo`)
    pub fn extend_to(&self, l: RelFileLocator, fork: ForkNumber, nblocks: u32) -> Result<()> {
        let _ = (l, fork, nblocks);
        nyi()
    }
    pub fn nblocks(&self, locator: RelFileLocator, fork: ForkNumber) -> Result<u32> {
        self.smgr.nblocks(locator, fork)
    }
    /// Writes all pages that are dirty now, sorted by tag; `pace` is called after each page with (done, total) and may
    /// sleep. At shutdown also unlogged relations are written. Returns how many pages were written. The files still
    /// have to be synced: [`Smgr::sync_all`]. (PostgreSQL: `BufferSync`)
    pub fn checkpoint(&self, include_unlogged: bool, pace: &mut dyn FnMut(usize, usize)) -> Result<usize> {
        let _ = (include_unlogged, pace);
        nyi()
    }
    /// Writes the relation's dirty pages.
    pub fn flush_relation(&self, locator: RelFileLocator) -> Result<()> {
        let _ = locator;
        nyi()
    }
    /// Writes a database's dirty pages.
    pub fn flush_database(&self, db: Oid) -> Result<()> {
        let _ = db;
        nyi()
    }
    /// Throws the relations' pages away, dirty or not: they are being dropped.
    pub fn drop_relations(&self, locators: &[RelFileLocator]) {
        let _ = locators;
    }
    /// Throws pages of a fork from `first` on away: it is being truncated.
    pub fn discard_from(&self, locator: RelFileLocator, fork: ForkNumber, first: BlockNumber) {
        let _ = (locator, fork, first);
    }
    pub fn drop_database(&self, db: Oid) {
        let _ = db;
    }
    /// Writes some dirty pages that the clock will reach soon; returns how many. (PostgreSQL: `BgBufferSync`)
    pub fn background_write(&self, max_pages: usize) -> Result<usize> {
        let _ = max_pages;
        nyi()
    }
}

/// A page that cannot be evicted while this lives. Cloning adds a pin. Not tied to a lifetime, so it can be kept in scans.
pub struct PinnedBuffer {
    tag: BufferTag,
}

impl Clone for PinnedBuffer {
    fn clone(&self) -> PinnedBuffer {
        PinnedBuffer { tag: self.tag }
    }
}

impl PinnedBuffer {
    pub fn tag(&self) -> BufferTag {
        self.tag
    }
    pub fn block(&self) -> BlockNumber {
        self.tag.block
    }
    /// Are both pins on the same page?
    pub fn same_page(&self, other: &PinnedBuffer) -> bool {
        self.tag == other.tag
    }
    /// Waits for the latch, shared with other readers.
    pub fn shared(&self) -> SharedPage<'_> {
        unreachable!()
    }
    /// Waits for the latch, alone.
    pub fn exclusive(&self) -> ExclusivePage<'_> {
        unreachable!()
    }
    pub fn try_shared(&self) -> Option<SharedPage<'_>> {
        None
    }
    pub fn try_exclusive(&self) -> Option<ExclusivePage<'_>> {
        None
    }
    /// Waits until this is the only pin on the page, then holds the latch alone. (PostgreSQL: `LockBufferForCleanup`)
    pub fn cleanup(&self, interrupt: &Interrupt) -> Result<ExclusivePage<'_>> {
        let _ = interrupt;
        nyi()
    }
    /// As `cleanup`, if that is possible at once. (PostgreSQL: `ConditionalLockBufferForCleanup`)
    pub fn try_cleanup(&self) -> Option<ExclusivePage<'_>> {
        None
    }
    /// Pin and latch in one value.
    pub fn into_exclusive(self) -> OwnedExclusive {
        unreachable!()
    }
    pub fn into_shared(self) -> OwnedShared {
        unreachable!()
    }
}

/// A page latched by readers. Drop it to release the latch. The thread that holds it must not latch the same page again.
pub struct SharedPage<'a> {
    buffer: &'a PinnedBuffer,
    _not_send: PhantomData<*const ()>,
}

impl<'a> SharedPage<'a> {
    pub fn buffer(&self) -> &'a PinnedBuffer {
        self.buffer
    }
    /// The exclusive latch if nobody else holds or gets the latch now, else the shared one back: for hint bits.
    pub fn try_upgrade(self) -> std::result::Result<ExclusivePage<'a>, SharedPage<'a>> {
        Err(self)
    }
}
impl Deref for SharedPage<'_> {
    type Target = Page;
    fn deref(&self) -> &Page {
        unreachable!()
    }
}

/// A page latched by one writer.
pub struct ExclusivePage<'a> {
    buffer: &'a PinnedBuffer,
    _not_send: PhantomData<*const ()>,
}

impl<'a> ExclusivePage<'a> {
    pub fn buffer(&self) -> &'a PinnedBuffer {
        self.buffer
    }
    /// The page for a logged change; marks it dirty.
    pub fn write(&mut self, section: &Critical) -> &mut Page {
        let _ = section;
        unreachable!()
    }
    /// The page for a change of hints only: nothing that matters if it is lost. Then call `mark_dirty_hint`.
    pub fn hint_write(&mut self) -> &mut Page {
        unreachable!()
    }
    /// Marks the page dirty (`write` does so already).
    pub fn mark_dirty(&mut self, section: &Critical) {
        let _ = section;
    }
    /// After hints were changed: marks the page dirty, logging a full-page image where the rules ask for it. The hint
    /// may also be dropped silently (in recovery). (PostgreSQL: `MarkBufferDirtyHint`)
    pub fn mark_dirty_hint(&mut self) -> Result<()> {
        nyi()
    }
    /// The end of the record that logged the change.
    pub fn set_lsn(&mut self, section: &Critical, lsn: Lsn) {
        let _ = (section, lsn);
    }
    /// Lets other readers in; nobody changed the page in between.
    pub fn downgrade(self) -> SharedPage<'a> {
        unreachable!()
    }
}
impl Deref for ExclusivePage<'_> {
    type Target = Page;
    fn deref(&self) -> &Page {
        unreachable!()
    }
}

/// A pin and the exclusive latch in one value. Has the methods of [`ExclusivePage`].
pub struct OwnedExclusive {
    buffer: PinnedBuffer,
}

impl OwnedExclusive {
    pub fn buffer(&self) -> &PinnedBuffer {
        &self.buffer
    }
    pub fn tag(&self) -> BufferTag {
        self.buffer.tag()
    }
    pub fn block(&self) -> BlockNumber {
        self.buffer.block()
    }
    pub fn write(&mut self, section: &Critical) -> &mut Page {
        let _ = section;
        unreachable!()
    }
    pub fn hint_write(&mut self) -> &mut Page {
        unreachable!()
    }
    pub fn mark_dirty(&mut self, section: &Critical) {
        let _ = section;
    }
    pub fn mark_dirty_hint(&mut self) -> Result<()> {
        nyi()
    }
    pub fn set_lsn(&mut self, section: &Critical, lsn: Lsn) {
        let _ = (section, lsn);
    }
    /// Releases the latch, keeps the pin.
    pub fn unlatch(self) -> PinnedBuffer {
        self.buffer
    }
    pub fn downgrade(self) -> OwnedShared {
        OwnedShared { buffer: self.buffer }
    }
}
impl Deref for OwnedExclusive {
    type Target = Page;
    fn deref(&self) -> &Page {
        unreachable!()
    }
}

/// A pin and the shared latch in one value.
pub struct OwnedShared {
    buffer: PinnedBuffer,
}

impl OwnedShared {
    pub fn buffer(&self) -> &PinnedBuffer {
        &self.buffer
    }
    pub fn block(&self) -> BlockNumber {
        self.buffer.block()
    }
    /// The exclusive latch if nobody else holds or gets the latch now, else the shared one back.
    pub fn try_upgrade(self) -> std::result::Result<OwnedExclusive, OwnedShared> {
        Err(self)
    }
    /// Releases the latch, keeps the pin.
    pub fn unlatch(self) -> PinnedBuffer {
        self.buffer
    }
}
impl Deref for OwnedShared {
    type Target = Page;
    fn deref(&self) -> &Page {
        unreachable!()
    }
}
