//! Finding pages and bringing them in: pin, read, extend, evict.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

use base::sqlstate::{DATA_CORRUPTED, PROGRAM_LIMIT_EXCEEDED};
use base::{BLCKSZ, BlockNumber, ForkNumber, PgError, RelFileLocator, Result};
use parking_lot::RwLock;

use super::frame::{
    DIRTY, EXCLUSIVE, Frame, IO, PERMANENT, PIN, PINS, SHARED, TAGGED, USAGE, USAGE_ONE, VALID, WAITERS, WaitingRooms,
    bump_usage,
};
use super::guard::Core;
use super::memory::PageMemory;
use super::table::Table;
use super::{
    BufferTag, HintLogger, OwnedExclusive, OwnedShared, PinnedBuffer, ReadMode, Strategy, StrategyKind, WalFlush, usage,
};
use crate::page::PageDamage;
use crate::smgr::{MAX_BLOCKS, Persistence, Smgr};

/// How a pool is made.
#[derive(Clone, Debug)]
pub struct PoolOptions {
    /// Frames of 8 kB. (PostgreSQL: `shared_buffers`)
    pub buffers: usize,
    /// Checksums are verified and written. (PostgreSQL: `data_checksums`)
    pub checksums: bool,
}

/// What happened in the pool since it was made. Hits are counted per thread only: see `BufferUsage`.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct PoolStatistics {
    pub reads: u64,
    pub writes: u64,
    pub extends: u64,
    pub evictions: u64,
    pub checksum_failures: u64,
}

#[derive(Default)]
pub(super) struct Counters {
    reads: AtomicU64,
    pub(super) writes: AtomicU64,
    extends: AtomicU64,
    evictions: AtomicU64,
    checksum_failures: AtomicU64,
}

/// The shared page cache of a cluster. Used through `Arc<BufferPool>` or `&BufferPool`.
pub struct BufferPool {
    pub(super) core: &'static Core,
    pub(super) table: Table,
    smgr: Arc<Smgr>,
    options: PoolOptions,
    /// Where the clock stands. Counts on; the frame is the remainder.
    pub(super) hand: AtomicUsize,
    pub(super) wal: RwLock<Option<Arc<dyn WalFlush>>>,
    pub(super) counters: Counters,
    zero_damaged_pages: AtomicBool,
    ignore_checksum_failure: AtomicBool,
}

impl Drop for BufferPool {
    fn drop(&mut self) {
        *self.core.hints.write() = None;
        // A frame without a pin stays so: the pool is gone, and only a pin can be cloned into another.
        if self.core.frames.iter().all(|f| f.load() & PINS == 0) {
            // SAFETY: bytes are reached only through pins, or by this pool's methods, which nobody can call any more.
            unsafe { self.core.memory.release() }
        }
    }
}

/// What `acquire` found.
pub(super) enum Acquired {
    /// The page is in the pool.
    Valid(PinnedBuffer),
    /// A frame is reserved for the page; its bytes are the caller's to fill.
    Empty(Filling),
}

/// The right and duty to fill an invalid frame. Dropped without `finish`, the frame stays invalid and others may try.
pub(super) struct Filling {
    pub(super) buffer: PinnedBuffer,
    core: &'static Core,
}

impl Filling {
    pub(super) fn bytes(&mut self) -> &mut [u8; BLCKSZ] {
        // SAFETY: the frame is not valid and its I/O flag is ours, so nobody else reaches the bytes; the result borrows
        // `self` mutably.
        unsafe { self.core.page_mut(self.buffer.index()).bytes_mut() }
    }
    /// The bytes are the page's. `latch` is taken in the same step.
    fn finish(self, latch: u64) -> PinnedBuffer {
        let buffer = self.buffer.clone();
        let _ = buffer.frame().update(|s| Some((s | VALID) + latch));
        drop(self);
        buffer
    }
}
impl Drop for Filling {
    fn drop(&mut self) {
        let old = self.buffer.frame().state.fetch_and(!IO, Ordering::AcqRel);
        if old & WAITERS != 0 {
            self.core.wake(self.buffer.index());
        }
    }
}

impl BufferPool {
    /// A pool without hooks: call [`BufferPool::set_hooks`] before pages with an LSN are written.
    pub fn new(options: PoolOptions, smgr: Arc<Smgr>) -> Arc<BufferPool> {
        let n = options.buffers.clamp(16, i32::MAX as usize / 2);
        // Never freed: see `Core`.
        let core: &'static Core = Box::leak(Box::new(Core {
            frames: (0..n).map(|_| Frame::new()).collect(),
            memory: PageMemory::new(n),
            rooms: WaitingRooms::new(),
            hints: RwLock::new(None),
        }));
        Arc::new(BufferPool {
            core,
            table: Table::new(n),
            smgr,
            options: PoolOptions { buffers: n, ..options },
            hand: AtomicUsize::new(0),
            wal: RwLock::new(None),
            counters: Counters::default(),
            zero_damaged_pages: AtomicBool::new(false),
            ignore_checksum_failure: AtomicBool::new(false),
        })
    }
    /// Hands the pool the log. Once, after the log was opened.
    pub fn set_hooks(&self, wal: Arc<dyn WalFlush>, hints: Arc<dyn HintLogger>) {
        *self.wal.write() = Some(wal);
        *self.core.hints.write() = Some(hints);
    }
    /// (PostgreSQL: `zero_damaged_pages`, `ignore_checksum_failure`)
    pub fn set_damage_policy(&self, zero_damaged_pages: bool, ignore_checksum_failure: bool) {
        self.zero_damaged_pages.store(zero_damaged_pages, Ordering::Relaxed);
        self.ignore_checksum_failure.store(ignore_checksum_failure, Ordering::Relaxed);
    }
    pub fn smgr(&self) -> &Arc<Smgr> {
        &self.smgr
    }
    pub fn options(&self) -> &PoolOptions {
        &self.options
    }
    pub fn statistics(&self) -> PoolStatistics {
        let get = |c: &AtomicU64| c.load(Ordering::Relaxed);
        let c = &self.counters;
        PoolStatistics {
            reads: get(&c.reads),
            writes: get(&c.writes),
            extends: get(&c.extends),
            evictions: get(&c.evictions),
            checksum_failures: get(&c.checksum_failures),
        }
    }
    /// How many frames are pinned now: for tests, which expect none at rest.
    pub fn pinned(&self) -> usize {
        self.core.frames.iter().filter(|f| f.load() & PINS != 0).count()
    }
    pub fn nblocks(&self, locator: RelFileLocator, fork: ForkNumber) -> Result<u32> {
        self.smgr.nblocks(locator, fork)
    }

    /// The page, pinned; it is read if it is not here. It must exist in the file (see `nblocks`).
    #[inline]
    pub fn pin(&self, tag: BufferTag, mode: ReadMode, strategy: Option<&Strategy>) -> Result<PinnedBuffer> {
        if let Some(buffer) = self.try_hit(&tag, strategy.is_some(), 0) {
            usage::count(|u| u.hit += 1);
            return Ok(buffer);
        }
        self.pin_slowly(tag, mode, strategy)
    }
    /// The page of the main fork, with no strategy: the common case.
    #[inline]
    pub fn read(&self, locator: RelFileLocator, block: BlockNumber) -> Result<PinnedBuffer> {
        self.pin(BufferTag::main(locator, block), ReadMode::Normal, None)
    }
    /// As `read(..)?.into_shared()`; pin and latch are taken in one step where possible.
    #[inline]
    pub fn read_shared(&self, locator: RelFileLocator, block: BlockNumber) -> Result<OwnedShared> {
        let tag = BufferTag::main(locator, block);
        if let Some(buffer) = self.try_hit(&tag, false, SHARED) {
            usage::count(|u| u.hit += 1);
            return Ok(OwnedShared::adopt(buffer));
        }
        Ok(self.pin(tag, ReadMode::Normal, None)?.into_shared())
    }
    /// As `read(..)?.into_exclusive()`.
    pub fn read_exclusive(&self, locator: RelFileLocator, block: BlockNumber) -> Result<OwnedExclusive> {
        Ok(self.read(locator, block)?.into_exclusive())
    }
    /// Is the page in the pool? Then it is pinned.
    pub fn pin_if_present(&self, tag: BufferTag) -> Option<PinnedBuffer> {
        self.try_hit(&tag, false, 0)
    }
    /// Pins a valid page found without locks, and takes the latch given as `extra` in the same step.
    #[inline]
    fn try_hit(&self, tag: &BufferTag, ring: bool, extra: u64) -> Option<PinnedBuffer> {
        let index = self.table.peek(&self.core.frames, tag)?;
        let frame = self.core.frame(index);
        let ready = |s| s & (TAGGED | VALID) == TAGGED | VALID && (extra == 0 || s & EXCLUSIVE == 0);
        frame.update(|s| ready(s).then(|| bump_usage(s + PIN, ring) + extra)).ok()?;
        let buffer = PinnedBuffer::adopt(self.core, index);
        // The frame may have changed hands before the pin; from now on it cannot.
        match (frame.has_tag(tag), extra) {
            (true, _) => Some(buffer),
            (false, 0) => None,
            (false, _) => {
                drop(OwnedShared::adopt(buffer));
                None
            }
        }
    }
    #[cold]
    fn pin_slowly(&self, tag: BufferTag, mode: ReadMode, strategy: Option<&Strategy>) -> Result<PinnedBuffer> {
        match self.acquire(&tag, strategy, None)? {
            Acquired::Valid(buffer) => {
                usage::count(|u| u.hit += 1);
                Ok(buffer)
            }
            Acquired::Empty(mut filling) => {
                match mode {
                    ReadMode::Zero => filling.bytes().fill(0),
                    _ => self.read_into(&tag, mode, &mut filling)?,
                }
                Ok(filling.finish(0))
            }
        }
    }
    fn read_into(&self, tag: &BufferTag, mode: ReadMode, filling: &mut Filling) -> Result<()> {
        self.counters.reads.fetch_add(1, Ordering::Relaxed);
        usage::count(|u| u.read += 1);
        let zero_damaged = mode == ReadMode::ZeroOnError || self.zero_damaged_pages.load(Ordering::Relaxed);
        let bytes = filling.bytes();
        self.smgr.read(tag.locator, tag.fork, tag.block, bytes)?;
        let Err(damage) = crate::page::Page::from_bytes(bytes).verify(tag.block, self.options.checksums) else {
            return Ok(());
        };
        if let PageDamage::Checksum { header_sane, .. } = damage {
            self.counters.checksum_failures.fetch_add(1, Ordering::Relaxed);
            if header_sane && self.ignore_checksum_failure.load(Ordering::Relaxed) {
                return Ok(());
            }
        }
        if zero_damaged {
            bytes.fill(0);
            return Ok(());
        }
        Err(self.damaged(tag, damage))
    }
    #[cold]
    fn damaged(&self, tag: &BufferTag, damage: PageDamage) -> PgError {
        let path = self.smgr.path(tag.locator, tag.fork);
        let error = PgError::new(DATA_CORRUPTED, format!("invalid page in block {} of relation \"{path}\"", tag.block));
        match damage {
            PageDamage::Header => error,
            PageDamage::Checksum { calculated, expected, .. } => error.detail_log(format!(
                "page verification failed, calculated checksum {calculated} but expected {expected}"
            )),
        }
    }

    /// The page, pinned and exclusively latched, its content zeroed if it had to be brought in: for redo of records that
    /// rewrite the whole page. The fork is extended up to the block if it is shorter.
    /// (PostgreSQL: `RBM_ZERO_AND_LOCK`)
    pub fn pin_zeroed(&self, tag: BufferTag) -> Result<OwnedExclusive> {
        self.extend_to(tag.locator, tag.fork, tag.block.0.saturating_add(1))?;
        match self.acquire(&tag, None, None)? {
            Acquired::Valid(buffer) => Ok(buffer.into_exclusive()),
            Acquired::Empty(mut filling) => {
                filling.bytes().fill(0);
                Ok(OwnedExclusive::adopt(filling.finish(EXCLUSIVE)))
            }
        }
    }
    /// Extends the fork with zeroed pages until it has at least `nblocks`. (PostgreSQL: `ExtendBufferedRelTo`)
    pub fn extend_to(&self, l: RelFileLocator, fork: ForkNumber, nblocks: u32) -> Result<()> {
        if self.smgr.nblocks(l, fork)? >= nblocks {
            return Ok(());
        }
        let f = self.smgr.fork(l, fork);
        let _guard = f.extension.lock();
        let current = self.smgr.nblocks_locked(&f)?;
        match current < nblocks {
            true => self.smgr.zero_extend_locked(&f, BlockNumber(current), nblocks - current),
            false => Ok(()),
        }
    }
    /// A new zeroed page at the end of the fork, exclusively latched. Safe against concurrent extenders.
    pub fn extend(&self, l: RelFileLocator, fork: ForkNumber, strategy: Option<&Strategy>) -> Result<OwnedExclusive> {
        self.extend_by(l, fork, 1, strategy)
    }
    /// A fork grows by this many pages at once, at most: few pinned frames must not be all there are.
    pub fn extension_limit(&self) -> u32 {
        64.min(self.options.buffers as u32 / 8)
    }
    /// `n` new zeroed pages at the end, within `extension_limit`; the first is returned latched, the others are in the pool, unpinned.
    /// (PostgreSQL: `ExtendBufferedRelBy`)
    pub fn extend_by(
        &self,
        l: RelFileLocator,
        fork: ForkNumber,
        n: u32,
        strategy: Option<&Strategy>,
    ) -> Result<OwnedExclusive> {
        let n = n.clamp(1, self.extension_limit());
        // Frames are freed before the lock is taken: that may mean writing.
        let mut victims = Vec::with_capacity(n as usize);
        for _ in 0..n {
            victims.push(self.victim(strategy)?);
        }
        let f = self.smgr.fork(l, fork);
        let guard = f.extension.lock();
        let first = self.smgr.nblocks_locked(&f)?;
        if first >= MAX_BLOCKS - n {
            let path = self.smgr.path(l, fork);
            let text = format!("cannot extend relation {path} beyond {MAX_BLOCKS} blocks");
            return Err(PgError::new(PROGRAM_LIMIT_EXCEEDED, text));
        }
        let mut fillings = Vec::with_capacity(n as usize);
        for (block, victim) in (first..).zip(victims) {
            let tag = BufferTag::new(l, fork, BlockNumber(block));
            let mut filling = self.acquire_beyond_end(&tag, strategy, victim)?;
            filling.bytes().fill(0);
            fillings.push(filling);
        }
        self.smgr.zero_extend_locked(&f, BlockNumber(first), n)?;
        drop(guard);
        self.counters.extends.fetch_add(u64::from(n), Ordering::Relaxed);
        let mut pages = fillings.into_iter();
        let first = pages.next().map(|filling| OwnedExclusive::adopt(filling.finish(EXCLUSIVE)));
        pages.for_each(|filling| drop(filling.finish(0)));
        first.ok_or_else(|| PgError::internal("no page to extend by"))
    }
    /// A frame for a page that the file does not have yet. One may be left from a failed extension or truncation.
    fn acquire_beyond_end(
        &self,
        tag: &BufferTag,
        strategy: Option<&Strategy>,
        victim: PinnedBuffer,
    ) -> Result<Filling> {
        let buffer = match self.acquire(tag, strategy, Some(victim))? {
            Acquired::Empty(filling) => return Ok(filling),
            Acquired::Valid(buffer) => buffer,
        };
        let page = buffer.exclusive();
        if !page.is_new() {
            let path = self.smgr.path(tag.locator, tag.fork);
            let text = format!("unexpected data beyond EOF in block {} of relation \"{path}\"", tag.block);
            return Err(PgError::internal(text)
                .hint("This has been seen to occur with buggy kernels; consider updating your system."));
        }
        drop(page);
        // Alone with it, we make it invalid until it is filled again. Only somebody who writes it can have it pinned.
        for _ in 0..10_000 {
            let alone = |s| s & PINS == PIN && s & IO == 0;
            if buffer.frame().update(|s| alone(s).then_some(s & !(VALID | DIRTY) | IO)).is_ok() {
                return Ok(Filling { buffer, core: self.core });
            }
            std::thread::sleep(std::time::Duration::from_micros(50));
        }
        Err(PgError::internal(format!("page {} beyond the end of a relation is in use", tag.block)))
    }

    /// The page pinned if it is valid, or else a frame for it that the caller must fill. `victim`: a frame to use.
    pub(super) fn acquire(
        &self,
        tag: &BufferTag,
        strategy: Option<&Strategy>,
        mut victim: Option<PinnedBuffer>,
    ) -> Result<Acquired> {
        let ring = strategy.is_some();
        loop {
            if let Some(buffer) = self.find_and_pin(tag, ring) {
                match self.valid_or_begin_io(buffer) {
                    Some(acquired) => return Ok(acquired),
                    None => continue,
                }
            }
            let frame = match victim.take() {
                Some(buffer) => buffer,
                None => self.victim(strategy)?,
            };
            let bucket = self.table.lock(tag);
            if bucket.find(&self.core.frames, tag).is_some() {
                victim = Some(frame);
                continue;
            }
            frame.frame().set_tag(tag);
            let permanent = match self.smgr.persistence(tag.locator) == Persistence::Permanent {
                false if tag.fork != ForkNumber::Init => 0,
                _ => PERMANENT,
            };
            let _ = frame.frame().update(|s| Some(s & WAITERS | PIN | USAGE_ONE | TAGGED | IO | permanent));
            bucket.insert(&self.core.frames, frame.index());
            return Ok(Acquired::Empty(Filling { buffer: frame, core: self.core }));
        }
    }
    fn find_and_pin(&self, tag: &BufferTag, ring: bool) -> Option<PinnedBuffer> {
        let bucket = self.table.lock(tag);
        let index = bucket.find(&self.core.frames, tag)?;
        // What is in the table is tagged as long as the bucket is locked.
        self.core.frame(index).try_pin(ring).ok()?;
        Some(PinnedBuffer::adopt(self.core, index))
    }
    /// Waits for I/O by others. `None`: look again.
    fn valid_or_begin_io(&self, buffer: PinnedBuffer) -> Option<Acquired> {
        let begun = buffer.frame().update(|s| (s & (VALID | IO) == 0).then_some(s | IO));
        match begun {
            Ok(_) => Some(Acquired::Empty(Filling { buffer, core: self.core })),
            Err(s) if s & VALID != 0 => Some(Acquired::Valid(buffer)),
            Err(_) => {
                self.core.wait(buffer.index(), |s| s & IO != 0 && s & VALID == 0);
                None
            }
        }
    }

    /// A frame that holds no page, with our pin: the only one.
    fn victim(&self, strategy: Option<&Strategy>) -> Result<PinnedBuffer> {
        let n = self.core.frames.len();
        if let Some(index) = strategy.and_then(|s| s.advance(n)) {
            let claimed = self.claim(index, USAGE_ONE);
            if let Some(buffer) = claimed.and_then(|b| self.empty(b, strategy).transpose()) {
                return buffer;
            }
        }
        let mut tries = n * 2;
        loop {
            let index = (self.hand.fetch_add(1, Ordering::Relaxed) % n) as u32;
            let frame = self.core.frame(index);
            let s = frame.load();
            if s & PINS == 0 && s & USAGE != 0 && s & TAGGED != 0 {
                // Somebody may just have pinned it; then the usage stays.
                let _ = frame.update(|s| (s & PINS == 0 && s & USAGE != 0).then(|| s - USAGE_ONE));
                tries = n * 2;
                continue;
            }
            if let Some(buffer) = self.claim(index, 0)
                && let Some(buffer) = self.empty(buffer, None)?
            {
                if let Some(strategy) = strategy {
                    strategy.remember(Some(index));
                }
                return Ok(buffer);
            }
            tries -= 1;
            if tries == 0 {
                return Err(PgError::internal("no unpinned buffers available"));
            }
        }
    }
    fn claim(&self, index: u32, max_usage: u64) -> Option<PinnedBuffer> {
        let free = |s| s & PINS == 0 && (s & USAGE <= max_usage || s & TAGGED == 0);
        self.core.frame(index).update(|s| free(s).then_some(s + PIN)).ok()?;
        Some(PinnedBuffer::adopt(self.core, index))
    }
    /// Writes the claimed frame's page if it is dirty, and takes it out of the table. `None` if somebody wants it.
    fn empty(&self, buffer: PinnedBuffer, ring: Option<&Strategy>) -> Result<Option<PinnedBuffer>> {
        let frame = buffer.frame();
        let s = frame.load();
        if s & TAGGED == 0 {
            let _ = frame.update(|s| Some(s & WAITERS | PIN));
            return Ok(Some(buffer));
        }
        if s & DIRTY != 0 {
            // A scan that sets hints would wait for the log at every turn of its ring.
            if ring.is_some_and(|r| r.kind() == StrategyKind::BulkRead) {
                return Ok(None);
            }
            self.flush_frame(&buffer, super::flush::Latching::Try)?;
        }
        let bucket = self.table.lock(&frame.tag());
        let alone = |s| s & PINS == PIN && s & (DIRTY | IO) == 0;
        if frame.update(|s| alone(s).then_some(s & WAITERS | PIN)).is_err() {
            return Ok(None);
        }
        bucket.remove(&self.core.frames, buffer.index());
        self.counters.evictions.fetch_add(1, Ordering::Relaxed);
        Ok(Some(buffer))
    }
}
