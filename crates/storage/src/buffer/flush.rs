//! Writing pages, and throwing them away.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use base::{BlockNumber, ForkNumber, Oid, RelFileLocator, Result};

use super::frame::{CHECKPOINT, DIRTY, IO, JUST_DIRTIED, PERMANENT, PIN, PINS, TAGGED, USAGE, WAITERS};
use super::{BufferPool, BufferTag, PinnedBuffer, usage};
use crate::page::Page;

/// What to do if a writer has the latch.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Latching {
    Wait,
    Try,
}

/// How long to wait for somebody's pin on a page that is to be thrown away.
const PATIENCE: Duration = Duration::from_secs(10);

/// Ends a write: also if it failed, the next one may try.
struct Writing<'a> {
    pool: &'a BufferPool,
    buffer: &'a PinnedBuffer,
    done: bool,
}

impl Drop for Writing<'_> {
    fn drop(&mut self) {
        let done = self.done;
        let old = self.buffer.frame().update(|s| {
            let clean = done && s & JUST_DIRTIED == 0;
            Some(if clean { s & !(IO | DIRTY | CHECKPOINT) } else { s & !IO })
        });
        if old.unwrap_or_else(|s| s) & WAITERS != 0 {
            self.pool.core.wake(self.buffer.index());
        }
    }
}

impl BufferPool {
    /// Writes the page if it is dirty; says whether it did. The caller must not hold the page's exclusive latch.
    ///
    /// Order: latch, then the I/O flag; who has the flag never waits for the latch. (PostgreSQL: `FlushBuffer`)
    pub(super) fn flush_frame(&self, buffer: &PinnedBuffer, latching: Latching) -> Result<bool> {
        let frame = buffer.frame();
        let (mut writing, mut copy) = loop {
            let page = match latching {
                Latching::Wait => buffer.shared(),
                Latching::Try => match buffer.try_shared() {
                    Some(page) => page,
                    None => return Ok(false),
                },
            };
            let begun = frame.update(|s| match s & (DIRTY | IO) {
                DIRTY => Some(s & !JUST_DIRTIED | IO),
                _ => None,
            });
            match begun {
                Ok(_) => break (Writing { pool: self, buffer, done: false }, page.to_boxed()),
                Err(s) if s & DIRTY == 0 => return Ok(false),
                Err(_) => {
                    drop(page);
                    self.core.wait(buffer.index(), |s| s & IO != 0);
                }
            }
        };
        let tag = frame.tag();
        if frame.load() & PERMANENT != 0 {
            let wal = self.wal.read().clone();
            if let Some(wal) = wal {
                wal.flush_up_to(copy.lsn())?;
            }
        }
        self.write_copy(&tag, &mut copy)?;
        writing.done = true;
        Ok(true)
    }
    fn write_copy(&self, tag: &BufferTag, copy: &mut Page) -> Result<()> {
        if self.options().checksums {
            copy.stamp_checksum(tag.block);
        }
        self.smgr().write(tag.locator, tag.fork, tag.block, copy.bytes()).map_err(|e| {
            let path = self.smgr().path(tag.locator, tag.fork);
            e.context(format!("writing block {} of relation \"{path}\"", tag.block))
        })?;
        self.counters.writes.fetch_add(1, Ordering::Relaxed);
        usage::count(|u| u.written += 1);
        Ok(())
    }

    /// Writes all pages that are dirty now, sorted by tag; `pace` is called after each page with (done, total) and may
    /// sleep. At shutdown also unlogged relations are written. Returns how many pages were written. The files still
    /// have to be synced: [`crate::Smgr::sync_all`]. (PostgreSQL: `BufferSync`)
    pub fn checkpoint(&self, include_unlogged: bool, pace: &mut dyn FnMut(usize, usize)) -> Result<usize> {
        let wanted = if include_unlogged { DIRTY } else { DIRTY | PERMANENT };
        let mut todo: Vec<(BufferTag, u32)> = Vec::new();
        for (index, frame) in self.core.frames.iter().enumerate() {
            let due = |s| s & wanted == wanted && s & TAGGED != 0;
            if frame.update(|s| due(s).then_some(s | CHECKPOINT)).is_ok() {
                // Should it change hands now, it is written by who evicts it.
                todo.push((frame.tag(), index as u32));
            }
        }
        todo.sort_unstable_by_key(|(tag, _)| *tag);
        let mut written = 0;
        for (done, (_, index)) in todo.iter().enumerate() {
            let still_due = |s| s & CHECKPOINT != 0 && s & TAGGED != 0;
            if let Some(buffer) = self.pin_frame(*index, still_due)
                && self.flush_frame(&buffer, Latching::Wait)?
            {
                written += 1;
            }
            pace(done + 1, todo.len());
        }
        Ok(written)
    }
    /// Pins a frame as it is, without a sign of use.
    fn pin_frame(&self, index: u32, wanted: impl Fn(u64) -> bool) -> Option<PinnedBuffer> {
        self.core.frame(index).update(|s| wanted(s).then_some(s + PIN)).ok()?;
        Some(PinnedBuffer::adopt(self.core, index))
    }
    /// Writes some dirty pages that the clock will reach soon; returns how many. (PostgreSQL: `BgBufferSync`)
    pub fn background_write(&self, max_pages: usize) -> Result<usize> {
        let n = self.core.frames.len();
        let hand = self.hand.load(Ordering::Relaxed);
        let mut written = 0;
        for step in 0..n.min(max_pages * 10) {
            let reusable = |s| s & (DIRTY | TAGGED) == DIRTY | TAGGED && s & (PINS | USAGE | IO) == 0;
            if written < max_pages
                && let Some(buffer) = self.pin_frame(((hand + step) % n) as u32, reusable)
                && self.flush_frame(&buffer, Latching::Try)?
            {
                written += 1;
            }
        }
        Ok(written)
    }
    /// Writes the relation's dirty pages.
    pub fn flush_relation(&self, locator: RelFileLocator) -> Result<()> {
        self.flush_where(|tag| tag.locator == locator)
    }
    /// Writes a database's dirty pages.
    pub fn flush_database(&self, db: Oid) -> Result<()> {
        self.flush_where(|tag| tag.locator.db == db)
    }
    fn flush_where(&self, wanted: impl Fn(&BufferTag) -> bool) -> Result<()> {
        for (index, frame) in self.core.frames.iter().enumerate() {
            if frame.load() & (DIRTY | TAGGED) == DIRTY | TAGGED
                && wanted(&frame.tag())
                && let Some(buffer) = self.pin_frame(index as u32, |s| s & TAGGED != 0)
                && wanted(&frame.tag())
            {
                self.flush_frame(&buffer, Latching::Wait)?;
            }
        }
        Ok(())
    }

    /// Throws the relations' pages away, dirty or not: they are being dropped.
    pub fn drop_relations(&self, locators: &[RelFileLocator]) {
        let few = self.core.frames.len() / 32;
        let mut sizes = Vec::new();
        for &locator in locators {
            for fork in ForkNumber::ALL {
                match self.smgr().cached_nblocks(locator, fork) {
                    Some(n) => sizes.push((locator, fork, n)),
                    None if self.smgr().exists(locator, fork).unwrap_or(true) => sizes.push((locator, fork, u32::MAX)),
                    None => {}
                }
            }
        }
        let total: u64 = sizes.iter().map(|(_, _, n)| u64::from(*n)).sum();
        if total <= few as u64 {
            for (locator, fork, n) in sizes {
                (0..n).for_each(|block| self.discard(&BufferTag::new(locator, fork, BlockNumber(block))));
            }
            return;
        }
        let mut sorted = locators.to_vec();
        sorted.sort_unstable();
        self.discard_where(|tag| sorted.binary_search(&tag.locator).is_ok());
    }
    /// Throws pages of a fork from `first` on away: it is being truncated.
    pub fn discard_from(&self, locator: RelFileLocator, fork: ForkNumber, first: BlockNumber) {
        let end = self.smgr().cached_nblocks(locator, fork).unwrap_or(u32::MAX);
        if (end.saturating_sub(first.0) as usize) < self.core.frames.len() / 32 {
            (first.0..end).for_each(|block| self.discard(&BufferTag::new(locator, fork, BlockNumber(block))));
            return;
        }
        self.discard_where(|tag| tag.locator == locator && tag.fork == fork && tag.block >= first);
    }
    /// Throws a database's pages away.
    pub fn drop_database(&self, db: Oid) {
        self.discard_where(|tag| tag.locator.db == db);
    }
    fn discard_where(&self, wanted: impl Fn(&BufferTag) -> bool) {
        for frame in &self.core.frames {
            if frame.load() & TAGGED != 0 {
                let tag = frame.tag();
                if wanted(&tag) {
                    self.discard(&tag);
                }
            }
        }
    }
    /// Takes a page out of the pool without writing it. Pins by writers and evictors are waited for.
    /// (PostgreSQL: `InvalidateBuffer`)
    fn discard(&self, tag: &BufferTag) {
        let mut since = None;
        loop {
            let bucket = self.table.lock(tag);
            let Some(index) = bucket.find(&self.core.frames, tag) else { return };
            let frame = self.core.frame(index);
            if frame.update(|s| (s & PINS == 0).then_some(s & WAITERS)).is_ok() {
                return bucket.remove(&self.core.frames, index);
            }
            drop(bucket);
            if since.get_or_insert_with(Instant::now).elapsed() > PATIENCE {
                // A forgotten pin must not stop the drop. The page is not written any more.
                let _ = frame.update(|s| frame.has_tag(tag).then_some(s & !(DIRTY | JUST_DIRTIED | CHECKPOINT)));
                return;
            }
            std::thread::sleep(Duration::from_micros(50));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use base::{BLCKSZ, Lsn, PgError, Severity};
    use parking_lot::Mutex;

    use super::*;
    use crate::buffer::{HintLog, HintLogger, PoolOptions, ReadMode, WalFlush};
    use crate::critical::{Critical, critical};
    use crate::page::AddItem;
    use crate::smgr::{Persistence, Smgr};
    use crate::vfs::{SimVfs, Vfs};

    pub(crate) const REL: RelFileLocator = RelFileLocator { spc: Oid(1663), db: Oid(5), rel: Oid(16384) };

    fn pool(buffers: usize, vfs: &SimVfs) -> Arc<BufferPool> {
        let smgr = Arc::new(Smgr::new(Arc::new(vfs.clone())));
        if !smgr.exists(REL, ForkNumber::Main).unwrap() {
            smgr.create(REL, ForkNumber::Main, false).unwrap();
        }
        BufferPool::new(PoolOptions { buffers, checksums: true }, smgr)
    }
    fn put(pool: &BufferPool, text: &[u8], lsn: u64) -> BlockNumber {
        let mut page = pool.extend(REL, ForkNumber::Main, None).unwrap();
        critical(|s| {
            let p = page.write(s);
            p.init(0);
            p.add_item(text, AddItem::Anywhere);
            page.set_lsn(s, Lsn(lsn));
        });
        page.block()
    }
    fn get(pool: &BufferPool, block: u32) -> Vec<u8> {
        pool.read(REL, BlockNumber(block)).unwrap().shared().item(1).unwrap().to_vec()
    }

    #[derive(Default)]
    struct Log(Mutex<Vec<u64>>, Mutex<Option<HintLog>>);
    impl WalFlush for Log {
        fn flush_up_to(&self, lsn: Lsn) -> Result<()> {
            self.0.lock().push(lsn.0);
            Ok(())
        }
    }
    impl HintLogger for Log {
        fn log_hint(&self, _: &Critical, _: BufferTag, _: &Page) -> Result<HintLog> {
            self.1.lock().ok_or_else(|| PgError::internal("no log"))
        }
    }

    #[test]
    fn pages_go_out_and_come_back() {
        let vfs = SimVfs::new(1);
        let pool = pool(16, &vfs);
        for i in 0..100u32 {
            assert_eq!(put(&pool, &i.to_le_bytes(), 1), BlockNumber(i));
        }
        for i in 0..100u32 {
            assert_eq!(get(&pool, i), i.to_le_bytes());
        }
        assert!(pool.statistics().evictions >= 84 && pool.statistics().reads >= 84);
        assert!(pool.checkpoint(false, &mut |_, _| ()).unwrap() <= 16);
        assert_eq!(pool.checkpoint(false, &mut |_, _| ()).unwrap(), 0);
        pool.smgr().sync_all().unwrap();
        vfs.crash();
        let again = self::pool(16, &vfs);
        assert_eq!(get(&again, 99), 99u32.to_le_bytes());
    }

    #[test]
    fn log_goes_first_and_hints_follow_the_rules() {
        let vfs = SimVfs::new(1);
        let pool = pool(16, &vfs);
        let log = Arc::new(Log::default());
        pool.set_hooks(log.clone(), log.clone());
        put(&pool, b"a", 77);
        pool.checkpoint(false, &mut |_, _| ()).unwrap();
        assert_eq!(*log.0.lock(), [77]);

        let buffer = pool.read(REL, BlockNumber(0)).unwrap();
        let second = buffer.shared();
        let refused = buffer.shared().try_upgrade().is_err();
        assert!(refused, "another reader holds the latch");
        drop(second);
        let hint = |expected_lsn: u64| {
            let mut page = buffer.shared().try_upgrade().ok().unwrap();
            page.hint_write().set_prune_xid(base::Xid(9));
            let result = page.mark_dirty_hint();
            assert_eq!(page.lsn(), Lsn(expected_lsn));
            result
        };
        assert!(hint(77).is_err());
        assert_eq!(pool.checkpoint(false, &mut |_, _| ()).unwrap(), 0);
        *log.1.lock() = Some(HintLog::Refused);
        hint(77).unwrap();
        assert_eq!(pool.checkpoint(false, &mut |_, _| ()).unwrap(), 0);
        *log.1.lock() = Some(HintLog::Logged(Lsn(99)));
        hint(99).unwrap();
        *log.1.lock() = Some(HintLog::Logged(Lsn(100)));
        hint(99).unwrap();
        assert_eq!(pool.checkpoint(false, &mut |_, _| ()).unwrap(), 1);
        assert_eq!(*log.0.lock(), [77, 99]);
    }

    #[test]
    fn damage_is_reported() {
        let vfs = SimVfs::new(1);
        let pool = pool(16, &vfs);
        put(&pool, b"a", 1);
        pool.flush_relation(REL).unwrap();
        let file = vfs.open("base/5/16384", crate::vfs::OpenMode::ReadWrite).unwrap();
        file.write_all_at(b"x", 8000).unwrap();
        pool.drop_relations(&[REL]);
        let e = pool.read(REL, BlockNumber(0)).err().unwrap();
        assert_eq!(e.message(), "invalid page in block 0 of relation \"base/5/16384\"");
        assert_eq!(e.sqlstate().as_str(), "XX001");
        assert!(e.fields().detail_log.as_ref().unwrap().starts_with("page verification failed, calculated checksum"));
        pool.set_damage_policy(false, true);
        assert_eq!(get(&pool, 0), b"a");
        pool.drop_relations(&[REL]);
        pool.set_damage_policy(false, false);
        let tag = BufferTag::main(REL, BlockNumber(0));
        assert!(pool.pin(tag, ReadMode::ZeroOnError, None).unwrap().shared().is_new());
    }

    #[test]
    fn dropping_and_truncating() {
        let vfs = SimVfs::new(1);
        let pool = pool(64, &vfs);
        (0..40).for_each(|_| _ = put(&pool, b"a", 1));
        pool.discard_from(REL, ForkNumber::Main, BlockNumber(10));
        pool.smgr().truncate(REL, ForkNumber::Main, 10).unwrap();
        assert_eq!(pool.checkpoint(false, &mut |_, _| ()).unwrap(), 10);
        assert_eq!(put(&pool, b"b", 1), BlockNumber(10));
        assert_eq!(get(&pool, 10), b"b");
        pool.drop_relations(&[REL]);
        pool.smgr().unlink(&[REL], false).unwrap();
        assert_eq!(pool.checkpoint(true, &mut |_, _| ()).unwrap(), 0);
        assert!(pool.read(REL, BlockNumber(0)).is_err());
    }

    #[test]
    fn unlogged_pages_wait_for_shutdown() {
        let vfs = SimVfs::new(1);
        let pool = pool(64, &vfs);
        pool.smgr().set_persistence(REL, Persistence::Unlogged);
        put(&pool, b"a", 1);
        assert_eq!(pool.checkpoint(false, &mut |_, _| ()).unwrap(), 0);
        assert_eq!(pool.checkpoint(true, &mut |_, _| ()).unwrap(), 1);
    }

    #[test]
    fn failures_leave_the_pool_usable() {
        let vfs = SimVfs::new(1);
        let pool = pool(16, &vfs);
        put(&pool, b"a", 1);
        vfs.set_free_space(Some(0));
        let e = pool.extend(REL, ForkNumber::Main, None).err().unwrap();
        assert_eq!((e.sqlstate().as_str(), e.severity()), ("53100", Severity::Error));
        assert_eq!(pool.nblocks(REL, ForkNumber::Main).unwrap(), 1);
        vfs.set_free_space(None);
        assert_eq!(put(&pool, b"b", 1), BlockNumber(1));
        let pins: Vec<_> = (0..14).map(|_| pool.extend(REL, ForkNumber::Main, None).unwrap().unlatch()).collect();
        let more: Vec<_> = (0..2).map(|_| pool.extend(REL, ForkNumber::Main, None).unwrap().unlatch()).collect();
        let e = pool.read(REL, BlockNumber(0)).err().unwrap();
        assert_eq!(e.message(), "no unpinned buffers available");
        drop((pins, more));
        assert_eq!(get(&pool, 1), b"b");
    }

    #[test]
    fn a_pin_outlives_the_pool() {
        let vfs = SimVfs::new(1);
        let pool = pool(16, &vfs);
        put(&pool, b"a", 1);
        let buffer = pool.read(REL, BlockNumber(0)).unwrap();
        drop(pool);
        assert_eq!(buffer.clone().shared().item(1).unwrap(), b"a");
    }

    #[test]
    fn redo_can_write_beyond_the_end() {
        let vfs = SimVfs::new(1);
        let pool = pool(16, &vfs);
        let mut page = pool.pin_zeroed(BufferTag::main(REL, BlockNumber(7))).unwrap();
        assert!(page.is_new());
        critical(|s| page.write(s).init(16));
        drop(page);
        assert_eq!(pool.nblocks(REL, ForkNumber::Main).unwrap(), 8);
        assert!(pool.read(REL, BlockNumber(3)).unwrap().shared().is_new());
        assert_eq!(pool.read(REL, BlockNumber(7)).unwrap().shared().special().len(), 16);
        assert_eq!(BLCKSZ, 8192);
    }

    #[test]
    fn bulk_pages_and_rings() {
        let vfs = SimVfs::new(1);
        let pool = pool(256, &vfs);
        let first = pool.extend_by(REL, ForkNumber::Main, 20, None).unwrap();
        assert_eq!((first.block(), pool.nblocks(REL, ForkNumber::Main).unwrap()), (BlockNumber(0), 20));
        drop(first);
        let reads = pool.statistics().reads;
        assert!(pool.read(REL, BlockNumber(19)).unwrap().shared().is_new());
        assert_eq!(pool.statistics().reads, reads);
        for _ in 0..300 {
            put(&pool, b"a", 1);
        }
        let hot: Vec<_> = (0..20).map(|b| pool.read(REL, BlockNumber(b)).unwrap()).collect();
        drop(hot);
        let ring = crate::Strategy::with_size(crate::StrategyKind::Vacuum, 128);
        for b in 20..320 {
            pool.pin(BufferTag::main(REL, BlockNumber(b)), ReadMode::Normal, Some(&ring)).unwrap();
        }
        let reads = pool.statistics().reads;
        (0..20).for_each(|b| drop(pool.read(REL, BlockNumber(b)).unwrap()));
        assert_eq!(pool.statistics().reads, reads, "the ring left the hot pages alone");
    }
}
