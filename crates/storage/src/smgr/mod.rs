//! Relations as files: a fork is a series of segments of 1 GB each. (PostgreSQL: `smgr.c`, `md.c`)
//!
//! This process is the only one that changes relation files, so a fork's size is read once and then kept.
//! A write asks for its segment to be fsynced by the next checkpoint ([`sync`]).
//!
//! Different from PostgreSQL: also the directories in which files appear are fsynced at a checkpoint.

pub mod path;
mod sync;

use std::collections::HashMap;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};

use base::sqlstate::{DATA_CORRUPTED, PROGRAM_LIMIT_EXCEEDED};
use base::{BLCKSZ, BlockNumber, ForkNumber, Oid, PgError, RelFileLocator, Result};
use parking_lot::{Mutex, RwLock};

use crate::vfs::{IoContext, OpenMode, Vfs, VfsFile, errno_text, io_error, parent_of, read_full, sqlstate_of};
use sync::SyncQueue;

/// Pages in a segment file. (PostgreSQL: `RELSEG_SIZE`)
pub const SEGMENT_BLOCKS: u32 = 131_072;
const SEGMENT_BYTES: u64 = SEGMENT_BLOCKS as u64 * BLCKSZ as u64;
/// No fork can have more pages. (PostgreSQL: `MaxBlockNumber`)
pub const MAX_BLOCKS: u32 = u32::MAX - 1;
/// In place of a size: not yet asked for.
const UNKNOWN: u32 = u32::MAX;
/// In place of a size: there is no such file.
const MISSING: u32 = u32::MAX - 1;
const SHARDS: usize = 32;
/// More segment files than this are not kept open.
const MAX_OPEN_FILES: usize = 800;

/// What survives a crash. (PostgreSQL: `relpersistence`)
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Persistence {
    Permanent,
    Unlogged,
    /// With the number in its file's name (`tN_REL`).
    Temporary(i32),
}

type Key = (RelFileLocator, ForkNumber);

/// The storage manager: all relation files of a cluster, their cached sizes, and what must be fsynced.
pub struct Smgr {
    vfs: Arc<dyn Vfs>,
    shards: [RwLock<HashMap<Key, Arc<Fork>>>; SHARDS],
    open_files: AtomicUsize,
    /// Only relations that are not permanent are listed.
    persistence: RwLock<HashMap<RelFileLocator, Persistence>>,
    queue: SyncQueue,
}

/// One fork: its size and open segments.
pub(crate) struct Fork {
    path: String,
    nblocks: AtomicU32,
    segments: RwLock<Vec<Option<Arc<Segment>>>>,
    /// Held while the fork grows or shrinks. (PostgreSQL: the relation extension lock)
    pub(crate) extension: Mutex<()>,
    recently_used: AtomicBool,
}

struct Segment {
    path: String,
    /// Of a temporary relation: never fsynced.
    temporary: bool,
    file: Box<dyn VfsFile>,
    /// The sync cycle in which a sync of this segment was last asked for.
    registered: AtomicU32,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Missing {
    Error,
    Create,
}

impl Smgr {
    pub fn new(vfs: Arc<dyn Vfs>) -> Smgr {
        Smgr {
            vfs,
            shards: std::array::from_fn(|_| RwLock::default()),
            open_files: AtomicUsize::new(0),
            persistence: RwLock::default(),
            queue: SyncQueue::new(),
        }
    }
    pub fn vfs(&self) -> &Arc<dyn Vfs> {
        &self.vfs
    }
    /// The path of a fork's first segment. (PostgreSQL: `relpathperm`)
    pub fn path(&self, locator: RelFileLocator, fork: ForkNumber) -> String {
        match self.persistence(locator) {
            Persistence::Temporary(n) => path::temporary(locator, fork, n),
            _ => path::permanent(locator, fork),
        }
    }
    /// Tells that a relation is not permanent, before any of its pages is touched. Forgotten at `unlink`.
    pub fn set_persistence(&self, locator: RelFileLocator, persistence: Persistence) {
        let mut map = self.persistence.write();
        let before = match persistence {
            Persistence::Permanent => map.remove(&locator),
            _ => map.insert(locator, persistence),
        };
        drop(map);
        if matches!(persistence, Persistence::Temporary(_)) && before != Some(persistence) {
            // Someone may have asked whether the file exists, under another name.
            for fork in ForkNumber::ALL {
                let key = (locator, fork);
                if let Some(f) = self.shard(&key).write().remove(&key) {
                    f.close(self);
                }
            }
        }
    }
    pub fn persistence(&self, locator: RelFileLocator) -> Persistence {
        self.persistence.read().get(&locator).copied().unwrap_or(Persistence::Permanent)
    }

    fn shard(&self, key: &Key) -> &RwLock<HashMap<Key, Arc<Fork>>> {
        let n = key.0.rel.0.wrapping_mul(0x9E37_79B1) ^ key.0.db.0.wrapping_mul(0x85EB_CA6B);
        &self.shards[(n >> 16) as usize % SHARDS]
    }
    pub(crate) fn fork(&self, locator: RelFileLocator, fork: ForkNumber) -> Arc<Fork> {
        let key = (locator, fork);
        if let Some(fork) = self.shard(&key).read().get(&key) {
            return fork.clone();
        }
        let path = self.path(locator, fork);
        let new = || {
            Arc::new(Fork {
                path,
                nblocks: AtomicU32::new(UNKNOWN),
                segments: RwLock::default(),
                extension: Mutex::new(()),
                recently_used: AtomicBool::new(true),
            })
        };
        self.shard(&key).write().entry(key).or_insert_with(new).clone()
    }

    /// Creates the fork's file, and its directory if missing. In recovery (`may_exist`) it may be there already.
    pub fn create(&self, locator: RelFileLocator, fork: ForkNumber, may_exist: bool) -> Result<()> {
        let f = self.fork(locator, fork);
        let _guard = f.extension.lock();
        let mode = if may_exist { OpenMode::Create } else { OpenMode::CreateNew };
        let mut opened = self.vfs.open(&f.path, mode);
        if matches!(&opened, Err(e) if e.kind() == io::ErrorKind::NotFound) {
            let dir = parent_of(&f.path);
            self.vfs.create_dir_all(dir).or_pg("create directory", dir)?;
            let mut above = dir;
            while !above.is_empty() {
                above = parent_of(above);
                self.queue.register_dir(above);
            }
            opened = self.vfs.open(&f.path, mode);
        }
        let file = opened.or_pg("create file", &f.path)?;
        self.queue.cancel_unlink(&f.path);
        self.queue.register_dir(parent_of(&f.path));
        f.close(self);
        let segment = self.keep_open(&f, 0, f.path.clone(), file);
        self.register(&segment);
        f.nblocks.store(UNKNOWN, Ordering::Release);
        Ok(())
    }
    pub fn exists(&self, locator: RelFileLocator, fork: ForkNumber) -> Result<bool> {
        let f = self.fork(locator, fork);
        match f.nblocks.load(Ordering::Acquire) {
            UNKNOWN => {}
            known => return Ok(known != MISSING),
        }
        let _guard = f.extension.lock();
        match self.vfs.metadata(&f.path) {
            Ok(_) => Ok(true),
            Err(e) if e.kind() == io::ErrorKind::NotFound => {
                f.nblocks.store(MISSING, Ordering::Release);
                Ok(false)
            }
            Err(e) => Err(io_error("open file", &f.path, &e)),
        }
    }
    /// The number of pages, 0 if the fork does not exist.
    pub fn nblocks_or_zero(&self, locator: RelFileLocator, fork: ForkNumber) -> Result<u32> {
        match self.exists(locator, fork)? {
            true => self.nblocks(locator, fork),
            false => Ok(0),
        }
    }
    /// The number of pages. Cached after the first call: this process is the only one that changes it.
    pub fn nblocks(&self, locator: RelFileLocator, fork: ForkNumber) -> Result<u32> {
        let f = self.fork(locator, fork);
        match f.nblocks.load(Ordering::Acquire) {
            UNKNOWN | MISSING => {
                let _guard = f.extension.lock();
                self.nblocks_locked(&f)
            }
            n => Ok(n),
        }
    }
    /// The size if it is known without asking the file system.
    pub(crate) fn cached_nblocks(&self, locator: RelFileLocator, fork: ForkNumber) -> Option<u32> {
        let key = (locator, fork);
        let n = self.shard(&key).read().get(&key)?.nblocks.load(Ordering::Acquire);
        match n {
            UNKNOWN => None,
            MISSING => Some(0),
            n => Some(n),
        }
    }
    /// As `nblocks`; the caller holds the fork's extension lock.
    pub(crate) fn nblocks_locked(&self, f: &Fork) -> Result<u32> {
        let known = f.nblocks.load(Ordering::Acquire);
        if known < MISSING {
            return Ok(known);
        }
        let mut segno = 0;
        let n = loop {
            let segment = match self.segment(f, segno, Missing::Error) {
                Ok(segment) => segment,
                Err(e) if segno > 0 && e.kind() == io::ErrorKind::NotFound => break segno * SEGMENT_BLOCKS,
                Err(e) => return Err(io_error("open file", &f.segment_path(segno), &e)),
            };
            let len = segment.file.len().map_err(|e| io_error("seek to end of file", &segment.path, &e))?;
            let blocks = (len / BLCKSZ as u64) as u32;
            if blocks < SEGMENT_BLOCKS {
                break segno * SEGMENT_BLOCKS + blocks;
            }
            segno += 1;
        };
        f.nblocks.store(n, Ordering::Release);
        Ok(n)
    }

    /// Adds zeroed pages from `first`, which must be the current end or (in recovery) beyond it.
    pub fn zero_extend(&self, locator: RelFileLocator, fork: ForkNumber, first: BlockNumber, n: u32) -> Result<()> {
        let f = self.fork(locator, fork);
        let _guard = f.extension.lock();
        self.zero_extend_locked(&f, first, n)
    }
    pub(crate) fn zero_extend_locked(&self, f: &Fork, first: BlockNumber, n: u32) -> Result<()> {
        let end = first.0.checked_add(n).filter(|end| *end < MAX_BLOCKS).ok_or_else(|| {
            let text = format!("cannot extend file \"{}\" beyond {} blocks", f.path, MAX_BLOCKS);
            PgError::new(PROGRAM_LIMIT_EXCEEDED, text)
        })?;
        let old = self.nblocks_locked(f)?;
        let mut at = old.min(first.0);
        while at < end {
            let segno = at / SEGMENT_BLOCKS;
            let stop = end.min((segno + 1).saturating_mul(SEGMENT_BLOCKS));
            let failed =
                |e: &io::Error| io_error("extend file", &f.segment_path(segno), e).hint("Check free disk space.");
            let segment = self.segment(f, segno, Missing::Create).map_err(|e| failed(&e))?;
            let offset = u64::from(at % SEGMENT_BLOCKS) * BLCKSZ as u64;
            let len = u64::from(stop - at) * BLCKSZ as u64;
            let done = if stop <= first.0 {
                // A gap that only recovery leaves: its pages follow later.
                segment.file.set_len(offset + len)
            } else if stop - at > 8 {
                segment.file.allocate(offset, len)
            } else {
                segment.file.write_all_at(&ZEROS[..len as usize], offset)
            };
            if let Err(e) = done {
                f.nblocks.store(UNKNOWN, Ordering::Release);
                return Err(failed(&e));
            }
            self.register(&segment);
            at = stop;
        }
        f.nblocks.store(end.max(old), Ordering::Release);
        Ok(())
    }

    pub fn read(&self, l: RelFileLocator, fork: ForkNumber, block: BlockNumber, page: &mut [u8; BLCKSZ]) -> Result<()> {
        let f = self.fork(l, fork);
        let segment = self.segment_for_block(&f, block)?;
        match read_full(&*segment.file, page, block_offset(block)) {
            Ok(BLCKSZ) => Ok(()),
            Ok(n) => Err(PgError::new(
                DATA_CORRUPTED,
                format!(
                    "could not read blocks {block}..{block} in file \"{}\": read only {n} of {BLCKSZ} bytes",
                    segment.path
                ),
            )),
            Err(e) => Err(io_error(&format!("read blocks {block}..{block} in file"), &segment.path, &e)),
        }
    }
    /// Tells the operating system that pages will be read soon.
    pub fn prefetch(&self, l: RelFileLocator, fork: ForkNumber, block: BlockNumber, n: u32) {
        if let Ok(segment) = self.segment_for_block(&self.fork(l, fork), block) {
            segment.file.prefetch(block_offset(block), u64::from(n) * BLCKSZ as u64);
        }
    }
    /// Writes a page that exists and asks for its segment to be fsynced by the next checkpoint.
    pub fn write(&self, l: RelFileLocator, fork: ForkNumber, block: BlockNumber, page: &[u8; BLCKSZ]) -> Result<()> {
        let f = self.fork(l, fork);
        let segment = self.segment_for_block(&f, block)?;
        segment.file.write_all_at(page, block_offset(block)).map_err(|e| {
            let error = io_error(&format!("write blocks {block}..{block} in file"), &segment.path, &e);
            if e.kind() == io::ErrorKind::StorageFull { error.hint("Check free disk space.") } else { error }
        })?;
        self.register(&segment);
        Ok(())
    }
    fn segment_for_block(&self, f: &Fork, block: BlockNumber) -> Result<Arc<Segment>> {
        let segno = block.0 / SEGMENT_BLOCKS;
        self.segment(f, segno, Missing::Error).map_err(|e| {
            let path = f.segment_path(segno);
            let text = match segno {
                0 => format!("could not open file \"{path}\": {}", errno_text(&e)),
                _ => format!("could not open file \"{path}\" (target block {block}): {}", errno_text(&e)),
            };
            PgError::new(crate::vfs::sqlstate_of(&e), text)
        })
    }

    /// Shortens the fork. The pool's pages beyond must have been dropped before.
    pub fn truncate(&self, locator: RelFileLocator, fork: ForkNumber, nblocks: u32) -> Result<()> {
        let f = self.fork(locator, fork);
        let _guard = f.extension.lock();
        let current = self.nblocks_locked(&f)?;
        if nblocks > current {
            let text =
                format!("could not truncate file \"{}\" to {nblocks} blocks: it's only {current} blocks now", f.path);
            return Err(PgError::internal(text));
        }
        f.nblocks.store(UNKNOWN, Ordering::Release);
        // From the end, so that a failure leaves a shorter relation without a hole.
        for segno in (nblocks / SEGMENT_BLOCKS..=current.saturating_sub(1) / SEGMENT_BLOCKS).rev() {
            let keep = nblocks.saturating_sub(segno * SEGMENT_BLOCKS);
            let path = f.segment_path(segno);
            let segment = self.segment(&f, segno, Missing::Error).or_pg("open file", &path)?;
            segment.file.set_len(u64::from(keep) * BLCKSZ as u64).map_err(|e| {
                let text = format!("could not truncate file \"{path}\" to {nblocks} blocks: {}", errno_text(&e));
                PgError::new(crate::vfs::sqlstate_of(&e), text)
            })?;
            // Emptied segments stay as empty files: another thread may hold one open.
            self.register(&segment);
        }
        f.nblocks.store(nblocks, Ordering::Release);
        Ok(())
    }
    /// Removes all forks. The main fork's first segment stays as an empty file until the next checkpoint is done, so
    /// that its number is not used again too early; in recovery (`immediately`) it goes at once. The pool's pages must
    /// have been dropped before. Files that are missing do not matter; other failures are returned after all was tried.
    pub fn unlink(&self, locators: &[RelFileLocator], immediately: bool) -> Result<()> {
        let mut first_error = Ok(());
        for &locator in locators {
            let at_once = immediately || matches!(self.persistence(locator), Persistence::Temporary(_));
            for fork in ForkNumber::ALL {
                let path = self.path(locator, fork);
                let key = (locator, fork);
                if let Some(f) = self.shard(&key).write().remove(&key) {
                    f.close(self);
                }
                let delay = fork == ForkNumber::Main && !at_once;
                let result = self.unlink_fork(&path, delay);
                first_error = first_error.and(result);
            }
            self.persistence.write().remove(&locator);
        }
        first_error
    }
    fn unlink_fork(&self, path: &str, delay: bool) -> Result<()> {
        for segno in 0.. {
            let path = segment_path(path, segno);
            self.queue.forget(&path);
            // Emptied first: someone may still hold the file open, and its space should be free now.
            match self.vfs.open(&path, OpenMode::ReadWrite).and_then(|file| file.set_len(0)) {
                Err(e) if e.kind() == io::ErrorKind::NotFound => break,
                Err(e) => return Err(io_error("truncate file", &path, &e)),
                Ok(()) if segno == 0 && delay => self.queue.register_unlink(&path),
                Ok(()) => {
                    self.vfs.remove_file(&path).or_pg("remove file", &path)?;
                    self.queue.register_dir(parent_of(&path));
                }
            }
        }
        Ok(())
    }
    /// Makes the fork durable now. (PostgreSQL: `smgrimmedsync`)
    pub fn immediate_sync(&self, locator: RelFileLocator, fork: ForkNumber) -> Result<()> {
        let f = self.fork(locator, fork);
        let _guard = f.extension.lock();
        let nblocks = self.nblocks_locked(&f)?;
        for segno in 0..=nblocks / SEGMENT_BLOCKS {
            let path = f.segment_path(segno);
            match self.segment(&f, segno, Missing::Error) {
                Ok(segment) => segment.file.sync_data().map_err(|e| panic_error(&path, &e))?,
                Err(e) if segno > 0 && e.kind() == io::ErrorKind::NotFound => {}
                Err(e) => return Err(io_error("open file", &path, &e)),
            }
        }
        Ok(())
    }
    /// Closes files and forgets sizes and sync requests of a database whose directory goes away.
    pub fn forget_database(&self, db: Oid) {
        for shard in &self.shards {
            shard.write().retain(|(locator, _), fork| {
                let keep = locator.db != db;
                if !keep {
                    fork.close(self);
                }
                keep
            });
        }
        self.persistence.write().retain(|locator, _| locator.db != db);
        self.queue.forget_database(db);
    }

    /// Asks for a file that is no relation's (pg_xact and such) to be fsynced by the next checkpoint.
    pub fn register_sync(&self, path: &str) {
        self.queue.register(path);
    }
    /// A checkpoint begins: unlinks from now on wait for the next one. Call before the redo pointer is determined.
    pub fn sync_pre_checkpoint(&self) {
        self.queue.pre_checkpoint();
    }
    /// Fsyncs everything written before this call. A failure is a PANIC. Returns how many files were synced.
    pub fn sync_all(&self) -> Result<usize> {
        self.queue.sync_all(&*self.vfs)
    }
    /// The checkpoint is on disk: removes the files of relations unlinked before it began.
    pub fn sync_post_checkpoint(&self) -> Result<()> {
        self.queue.post_checkpoint(&*self.vfs)
    }

    fn register(&self, segment: &Segment) {
        if segment.temporary {
            return;
        }
        // The cycle ends when a sync takes its list. As long as it lasts, an entry made in it will be synced after our
        // write, which is complete. Noted only after the entry is made, or another writer could rely on it too early.
        let cycle = self.queue.cycle();
        if segment.registered.load(Ordering::Acquire) != cycle {
            self.queue.register(&segment.path);
            segment.registered.store(cycle, Ordering::Release);
        }
    }
    fn segment(&self, f: &Fork, segno: u32, missing: Missing) -> io::Result<Arc<Segment>> {
        if let Some(Some(segment)) = f.segments.read().get(segno as usize) {
            f.recently_used.store(true, Ordering::Relaxed);
            return Ok(segment.clone());
        }
        let path = f.segment_path(segno);
        let mut opened = self.vfs.open(&path, OpenMode::ReadWrite);
        if matches!(&opened, Err(e) if sqlstate_of(e) == base::sqlstate::INSUFFICIENT_RESOURCES) {
            // Connections need file descriptors, too. What was not used since the last time is closed at the second try.
            self.close_some();
            self.close_some();
            opened = self.vfs.open(&path, OpenMode::ReadWrite);
        }
        let file = match opened {
            Err(e) if e.kind() == io::ErrorKind::NotFound && missing == Missing::Create && segno > 0 => {
                self.queue.register_dir(parent_of(&path));
                self.vfs.open(&path, OpenMode::Create)?
            }
            other => other?,
        };
        Ok(self.keep_open(f, segno, path, file))
    }
    fn keep_open(&self, f: &Fork, segno: u32, path: String, file: Box<dyn VfsFile>) -> Arc<Segment> {
        let temporary = path::is_temporary(&path);
        let segment = Arc::new(Segment { path, temporary, file, registered: AtomicU32::new(u32::MAX) });
        {
            let mut segments = f.segments.write();
            if segments.len() <= segno as usize {
                segments.resize(segno as usize + 1, None);
            }
            let slot = &mut segments[segno as usize];
            if let Some(other) = slot {
                return other.clone();
            }
            *slot = Some(segment.clone());
        }
        if self.open_files.fetch_add(1, Ordering::Relaxed) >= MAX_OPEN_FILES {
            self.close_some();
        }
        segment
    }
    /// Closes the files of forks not used since the last time. They are opened again when needed.
    fn close_some(&self) {
        for shard in &self.shards {
            for fork in shard.read().values() {
                if !fork.recently_used.swap(false, Ordering::Relaxed) {
                    fork.close(self);
                }
            }
        }
    }
}

impl Fork {
    fn segment_path(&self, segno: u32) -> String {
        segment_path(&self.path, segno)
    }
    fn close(&self, smgr: &Smgr) {
        if let Some(mut segments) = self.segments.try_write() {
            let n = segments.iter().flatten().count();
            segments.clear();
            smgr.open_files.fetch_sub(n, Ordering::Relaxed);
        }
    }
}

static ZEROS: [u8; BLCKSZ * 8] = [0; BLCKSZ * 8];

fn segment_path(path: &str, segno: u32) -> String {
    match segno {
        0 => path.to_string(),
        n => format!("{path}.{n}"),
    }
}
fn block_offset(block: BlockNumber) -> u64 {
    u64::from(block.0) * BLCKSZ as u64 % SEGMENT_BYTES
}
/// After a failed fsync nobody knows what is on disk: the server restarts and recovers from the log.
#[cold]
fn panic_error(path: &str, error: &io::Error) -> PgError {
    let mut e = io_error("fsync file", path, error);
    e.fields_mut().severity = base::Severity::Panic;
    e
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vfs::SimVfs;

    const REL: RelFileLocator = RelFileLocator { spc: Oid(1663), db: Oid(5), rel: Oid(16384) };

    fn smgr(seed: u64) -> (SimVfs, Smgr) {
        let vfs = SimVfs::new(seed);
        vfs.create_dir_all("base/5").unwrap();
        let smgr = Smgr::new(Arc::new(vfs.clone()));
        (vfs, smgr)
    }

    #[test]
    fn life_of_a_relation() {
        let (vfs, smgr) = smgr(1);
        assert!(!smgr.exists(REL, ForkNumber::Main).unwrap());
        let e = smgr.nblocks(REL, ForkNumber::Main).unwrap_err();
        assert_eq!(e.message(), "could not open file \"base/5/16384\": No such file or directory");
        smgr.create(REL, ForkNumber::Main, false).unwrap();
        assert_eq!(smgr.create(REL, ForkNumber::Main, false).unwrap_err().sqlstate().as_str(), "58P02");
        assert_eq!(smgr.nblocks(REL, ForkNumber::Main).unwrap(), 0);
        smgr.zero_extend(REL, ForkNumber::Main, BlockNumber(0), 20).unwrap();
        assert_eq!(smgr.nblocks(REL, ForkNumber::Main).unwrap(), 20);
        smgr.write(REL, ForkNumber::Main, BlockNumber(3), &[7; BLCKSZ]).unwrap();
        let mut page = [0; BLCKSZ];
        smgr.read(REL, ForkNumber::Main, BlockNumber(3), &mut page).unwrap();
        assert_eq!(page, [7; BLCKSZ]);
        let e = smgr.read(REL, ForkNumber::Main, BlockNumber(20), &mut page).unwrap_err();
        let expected = "could not read blocks 20..20 in file \"base/5/16384\": read only 0 of 8192 bytes";
        assert_eq!((e.message(), e.sqlstate().as_str()), (expected, "XX001"));
        smgr.truncate(REL, ForkNumber::Main, 4).unwrap();
        assert_eq!(vfs.metadata("base/5/16384").unwrap().len, 4 * BLCKSZ as u64);

        smgr.sync_pre_checkpoint();
        smgr.unlink(&[REL], false).unwrap();
        assert_eq!(vfs.metadata("base/5/16384").unwrap().len, 0);
        smgr.sync_all().unwrap();
        smgr.sync_post_checkpoint().unwrap();
        assert!(vfs.exists("base/5/16384"), "unlinked after the checkpoint began");
        smgr.sync_pre_checkpoint();
        smgr.sync_all().unwrap();
        smgr.sync_post_checkpoint().unwrap();
        assert!(!vfs.exists("base/5/16384"));
    }

    #[test]
    fn temporary_files_have_their_own_names() {
        let (vfs, smgr) = smgr(1);
        assert!(!smgr.exists(REL, ForkNumber::Main).unwrap());
        smgr.set_persistence(REL, Persistence::Temporary(3));
        smgr.create(REL, ForkNumber::Main, false).unwrap();
        assert!(vfs.metadata("base/5/t3_16384").is_ok());
        smgr.unlink(&[REL], false).unwrap();
        assert!(vfs.metadata("base/5/t3_16384").is_err());
    }

    #[test]
    fn synced_pages_survive_a_crash() {
        for seed in 0..20 {
            let (vfs, smgr) = smgr(seed);
            vfs.sync_dir("").unwrap();
            vfs.sync_dir("base").unwrap();
            smgr.create(REL, ForkNumber::Main, false).unwrap();
            smgr.zero_extend(REL, ForkNumber::Main, BlockNumber(0), 2).unwrap();
            smgr.write(REL, ForkNumber::Main, BlockNumber(0), &[1; BLCKSZ]).unwrap();
            assert!(smgr.sync_all().unwrap() > 0);
            assert_eq!(smgr.sync_all().unwrap(), 0);
            smgr.write(REL, ForkNumber::Main, BlockNumber(1), &[2; BLCKSZ]).unwrap();
            vfs.crash();
            let smgr = Smgr::new(Arc::new(vfs));
            let mut page = [0; BLCKSZ];
            smgr.read(REL, ForkNumber::Main, BlockNumber(0), &mut page).unwrap();
            assert_eq!(page, [1; BLCKSZ], "seed {seed}");
        }
    }

    #[test]
    fn failures() {
        let (vfs, smgr) = smgr(1);
        smgr.create(REL, ForkNumber::Main, false).unwrap();
        vfs.set_free_space(Some(3 * BLCKSZ as u64));
        smgr.zero_extend(REL, ForkNumber::Main, BlockNumber(0), 3).unwrap();
        let e = smgr.zero_extend(REL, ForkNumber::Main, BlockNumber(3), 1).unwrap_err();
        assert_eq!(e.message(), "could not extend file \"base/5/16384\": No space left on device");
        assert_eq!((e.sqlstate().as_str(), e.fields().hint.as_deref()), ("53100", Some("Check free disk space.")));
        assert_eq!(smgr.nblocks(REL, ForkNumber::Main).unwrap(), 3);
        vfs.fail_sync(1);
        let e = smgr.sync_all().unwrap_err();
        assert_eq!(e.severity(), base::Severity::Panic);
    }

    #[test]
    fn a_gap_is_filled_across_segments() {
        let root = std::env::temp_dir().join(format!("tusk-smgr-{}", std::process::id()));
        std::fs::create_dir_all(root.join("base/5")).unwrap();
        let smgr = Smgr::new(Arc::new(crate::vfs::RealVfs::new(&root)));
        smgr.create(REL, ForkNumber::Main, true).unwrap();
        smgr.zero_extend(REL, ForkNumber::Main, BlockNumber(SEGMENT_BLOCKS + 5), 2).unwrap();
        assert_eq!(std::fs::metadata(root.join("base/5/16384")).unwrap().len(), SEGMENT_BYTES);
        assert_eq!(std::fs::metadata(root.join("base/5/16384.1")).unwrap().len(), 7 * BLCKSZ as u64);
        let again = Smgr::new(smgr.vfs().clone());
        assert_eq!(again.nblocks(REL, ForkNumber::Main).unwrap(), SEGMENT_BLOCKS + 7);
        again.truncate(REL, ForkNumber::Main, 2).unwrap();
        assert_eq!(Smgr::new(smgr.vfs().clone()).nblocks(REL, ForkNumber::Main).unwrap(), 2);
        std::fs::remove_dir_all(&root).unwrap();
    }
}
