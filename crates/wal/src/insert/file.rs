//! The log's files: writing the ring's pages to segments, creating segments, syncing.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use base::{Lsn, PgError, Result, TimelineId};
use parking_lot::{Mutex, RwLock};
use storage::vfs::{IoContext, OpenMode};
use storage::{Vfs, VfsFile};

use super::ring::Ring;
use super::{SyncMethod, WalOptions};
use crate::position::{PAGE, Segments, WAL_DIR, segment_path};

/// How many bytes go out in one write.
const CHUNK: usize = 1 << 20;

struct OpenSegment {
    number: u64,
    file: Arc<dyn VfsFile>,
    path: String,
}

#[derive(Default)]
struct Writer {
    open: Option<OpenSegment>,
    staging: Vec<u8>,
}

pub(crate) struct LogFile {
    vfs: Arc<dyn Vfs>,
    segments: Segments,
    sync_method: SyncMethod,
    init_zero: bool,
    writer: Mutex<Writer>,
    /// Held during a sync: the operating system tells a failure only once, so nobody else may take its success for the
    /// whole truth meanwhile.
    syncing: Mutex<()>,
    pub written: AtomicU64,
    pub flushed: AtomicU64,
    broken: RwLock<Option<PgError>>,
    temporary: AtomicU64,
}

impl LogFile {
    pub fn new(vfs: Arc<dyn Vfs>, segments: Segments, options: &WalOptions) -> LogFile {
        LogFile {
            vfs,
            segments,
            sync_method: options.sync_method,
            init_zero: options.init_zero,
            writer: Mutex::default(),
            syncing: Mutex::new(()),
            written: AtomicU64::new(0),
            flushed: AtomicU64::new(0),
            broken: RwLock::new(None),
            temporary: AtomicU64::new(0),
        }
    }
    pub fn failure(&self) -> Option<PgError> {
        self.broken.read().clone()
    }
    pub fn check(&self) -> Result<()> {
        self.failure().map_or(Ok(()), Err)
    }
    /// Nothing becomes durable any more.
    fn fail<T>(&self, error: PgError) -> Result<T> {
        let error = crate::panic_level(error);
        let mut broken = self.broken.write();
        Err(broken.get_or_insert(error).clone())
    }
    pub fn start_at(&self, lsn: u64) {
        self.written.store(lsn, Ordering::Release);
        self.flushed.store(lsn, Ordering::Release);
    }

    /// Writes what is in the ring to the files. Returns up to where.
    pub(super) fn write(&self, ring: &Ring, tli: TimelineId) -> Result<u64> {
        let mut writer = self.writer.lock();
        self.check()?;
        let until = ring.filled();
        let mut at = self.written.load(Ordering::Acquire);
        while at < until {
            let segment_end = self.segments.start(self.segments.number(Lsn(at)) + 1).0;
            let end = until.min(segment_end);
            if let Err(e) = self.write_within_segment(&mut writer, ring, tli, at, end) {
                return self.fail(e);
            }
            at = end;
            if at == segment_end {
                self.close_segment(&mut writer, at)?;
            }
            // Pairs with the load in `Wal::page_for`: the pages before may be reused.
            self.written.store(at, Ordering::Release);
        }
        Ok(at)
    }

    /// Whole pages are written, so that a reused segment has zeroes after the last record on its page.
    fn write_within_segment(&self, w: &mut Writer, ring: &Ring, tli: TimelineId, from: u64, to: u64) -> Result<()> {
        self.open(w, tli, self.segments.number(Lsn(from)))?;
        let Writer { open, staging } = w;
        let Some(open) = open else { return Err(PgError::internal("no WAL segment is open")) };
        let mut page = from - from % PAGE;
        while page < to {
            staging.clear();
            let first = page;
            while page < to && staging.len() < CHUNK {
                let slot = ring.page(page).lock();
                if slot.start != page {
                    return Err(PgError::internal(format!("WAL buffer holds {:X} instead of {page:X}", slot.start)));
                }
                staging.extend_from_slice(&slot.bytes);
                page += PAGE;
            }
            let offset = self.segments.offset(Lsn(first));
            open.file.write_all_at(staging, offset).or_pg("write to log file", &open.path)?;
        }
        Ok(())
    }

    fn open(&self, writer: &mut Writer, tli: TimelineId, number: u64) -> Result<()> {
        if writer.open.as_ref().is_some_and(|o| o.number == number) {
            return Ok(());
        }
        let path = segment_path(tli, number, self.segments);
        let file: Arc<dyn VfsFile> = match self.vfs.open(&path, OpenMode::ReadWrite) {
            Ok(file) => file.into(),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
                let temporary = self.fill_temporary()?;
                self.vfs.rename_durably(&temporary, &path).or_pg("rename file", &temporary)?;
                self.vfs.open(&path, OpenMode::ReadWrite).or_pg("open file", &path)?.into()
            }
            Err(e) => return Err(e).or_pg("open file", &path),
        };
        writer.open = Some(OpenSegment { number, file, path });
        Ok(())
    }

    /// A full segment is synced before the next one is begun: a flush then syncs one file only.
    fn close_segment(&self, writer: &mut Writer, end: u64) -> Result<()> {
        if let Some(open) = writer.open.take() {
            self.sync(&open)?;
            self.flushed.fetch_max(end, Ordering::AcqRel);
        }
        Ok(())
    }

    fn sync(&self, open: &OpenSegment) -> Result<()> {
        let _syncing = self.syncing.lock();
        self.check()?;
        let done = match self.sync_method {
            SyncMethod::Fsync => open.file.sync_all(),
            SyncMethod::Fdatasync | SyncMethod::OpenDatasync => open.file.sync_data(),
        };
        done.or_pg("fsync file", &open.path).or_else(|e| self.fail(e))
    }

    /// Makes durable what was written.
    pub fn flush(&self) -> Result<()> {
        let (open, written) = {
            let writer = self.writer.lock();
            let open = writer.open.as_ref();
            let open = open.map(|o| OpenSegment { number: o.number, file: Arc::clone(&o.file), path: o.path.clone() });
            (open, self.written.load(Ordering::Acquire))
        };
        if let Some(open) = open {
            self.sync(&open)?;
        }
        self.check()?;
        self.flushed.fetch_max(written, Ordering::AcqRel);
        Ok(())
    }
    /// Renames an old segment to the first missing one from `next` on, up to `until`; `false` if none is missing.
    /// (PostgreSQL: `InstallXLogFileSegment`)
    pub fn install(&self, old: &str, tli: TimelineId, next: &mut u64, until: u64) -> Result<bool> {
        // The mutex: the writer may be about to create the same segment.
        let _writer = self.writer.lock();
        while *next <= until {
            let path = segment_path(tli, *next, self.segments);
            *next += 1;
            if !self.vfs.exists(&path) {
                self.vfs.rename_durably(old, &path).or_pg("rename file", old)?;
                return Ok(true);
            }
        }
        Ok(false)
    }
    /// Makes the segment after the one being written, so that no commit has to wait for that.
    /// (PostgreSQL: `PreallocXlogFiles`)
    pub fn preallocate(&self, tli: TimelineId) -> Result<bool> {
        let written = Lsn(self.written.load(Ordering::Acquire));
        let path = segment_path(tli, self.segments.number(written) + 1, self.segments);
        if self.segments.offset(written) < self.segments.size() / 4 * 3 || self.vfs.exists(&path) {
            return Ok(false);
        }
        let temporary = self.fill_temporary()?;
        let _writer = self.writer.lock();
        if self.vfs.exists(&path) {
            self.vfs.remove_file(&temporary).or_pg("remove file", &temporary)?;
            return Ok(false);
        }
        self.vfs.rename_durably(&temporary, &path).or_pg("rename file", &temporary)?;
        Ok(true)
    }
    /// A file full of zeroes, to be renamed. (PostgreSQL: `XLogFileInitInternal`)
    fn fill_temporary(&self) -> Result<String> {
        let n = self.temporary.fetch_add(1, Ordering::Relaxed);
        let path = format!("{WAL_DIR}/xlogtemp.{}.{n}", std::process::id());
        let fill = || -> Result<()> {
            let file = self.vfs.open(&path, OpenMode::Truncate).or_pg("create file", &path)?;
            if self.init_zero {
                let zeroes = vec![0; CHUNK];
                for offset in (0..self.segments.size()).step_by(CHUNK) {
                    file.write_all_at(&zeroes, offset).or_pg("write to file", &path)?;
                }
            } else {
                file.write_all_at(&[0], self.segments.size() - 1).or_pg("write to file", &path)?;
            }
            file.sync_all().or_pg("fsync file", &path)
        };
        // If there is no room for it, the half-made file must not take what is left.
        fill().inspect_err(|_| _ = self.vfs.remove_file(&path))?;
        Ok(path)
    }
}
