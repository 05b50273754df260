//! Putting records into the log, and making it durable.
//!
//! 1. The record is laid out, with images of pages that are older than the redo pointer.
//! 2. In one short step under a mutex it gets its place and its link to the record before; if the redo pointer moved
//!    meanwhile so that an image is missing, step 1 is repeated.
//! 3. Its bytes are copied into the ring in pieces, in parallel with others ([`ring`]).
//! 4. A flush is led by the first who waits: it writes and syncs everything copied so far and wakes all who wait.
//!
//! PostgreSQL: `XLogInsertRecord`, `XLogFlush`. Different here: no insertion locks; progress is followed by links.

mod file;
mod ring;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};

use base::sqlstate::INTERNAL_ERROR;
use base::{BlockNumber, ForkNumber, Lsn, Oid, PgError, RelFileLocator, Result, TimelineId};
use parking_lot::{Condvar, Mutex};
use storage::vfs::{IoContext, OpenMode, read_full};
use storage::{BufferTag, Critical, HintLog, HintLogger, Page, Vfs, WalFlush, critical};

use self::file::LogFile;
use self::ring::Ring;
use crate::bytes::Put;
use crate::control::{Control, WalLevel};
use crate::position::{
    PAGE, PAGE_MAGIC, PageHeader, Segments, XLP_BKP_REMOVABLE, XLP_FIRST_IS_CONTRECORD,
    XLP_FIRST_IS_OVERWRITE_CONTRECORD, XLP_LONG_HEADER, segment_path,
};
use crate::record::{HEADER_SIZE, ImageRules, Inserted, RecordBuilder, RegBuf};
use crate::rmgr::RmgrId;
use crate::xlog;

/// (PostgreSQL: `wal_sync_method`)
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SyncMethod {
    Fdatasync,
    Fsync,
    /// Each write is followed by a data sync.
    OpenDatasync,
}

/// (PostgreSQL: `wal_compression`)
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Compression {
    Off,
    Pglz,
    Lz4,
}

/// Settings of the log.
#[derive(Clone, Debug)]
pub struct WalOptions {
    /// Pages of 8 kB. (PostgreSQL: `wal_buffers`)
    pub buffers: usize,
    pub sync_method: SyncMethod,
    pub compression: Compression,
    pub full_page_writes: bool,
    /// New segments are filled with zeroes. (PostgreSQL: `wal_init_zero`)
    pub init_zero: bool,
    /// Old segments are renamed for reuse. (PostgreSQL: `wal_recycle`)
    pub recycle: bool,
    pub max_wal_size_mb: u64,
    pub min_wal_size_mb: u64,
    pub wal_keep_size_mb: u64,
    pub parameters: crate::control::Parameters,
}

impl Default for WalOptions {
    fn default() -> WalOptions {
        WalOptions {
            buffers: 512,
            sync_method: SyncMethod::Fdatasync,
            compression: Compression::Off,
            full_page_writes: true,
            init_zero: true,
            recycle: true,
            max_wal_size_mb: 1024,
            min_wal_size_mb: 80,
            wal_keep_size_mb: 0,
            parameters: crate::control::Parameters::default(),
        }
    }
}

/// Where the log ends and the next record goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LogEnd {
    pub tli: TimelineId,
    /// The end of the last record; after a record of which only the beginning is there, the page where it should go on.
    pub end: Lsn,
    /// The start of the last record.
    pub prev: Lsn,
    /// The start of a record of which only the beginning is there.
    pub aborted_contrecord: Option<Lsn>,
}

/// The reservation: positions count usable bytes only.
struct Insertion {
    next: u64,
    prev: u64,
    redo: Lsn,
    full_page_writes: bool,
}

#[derive(Default)]
struct FlushQueue {
    /// Somebody writes and syncs for all.
    led: bool,
}

/// The write-ahead log of a cluster.
pub struct Wal {
    vfs: Arc<dyn Vfs>,
    control: Arc<Control>,
    options: WalOptions,
    segments: Segments,
    system_identifier: u64,
    checksums: bool,
    accepting: AtomicBool,
    tli: AtomicU32,
    insertion: Mutex<Insertion>,
    /// Copies of what `insertion` holds, for reading without it.
    redo: AtomicU64,
    full_page_writes: AtomicBool,
    last_important: AtomicU64,
    ring: Ring,
    file: LogFile,
    queue: Mutex<FlushQueue>,
    flushed: Condvar,
    async_commit: AtomicU64,
    /// The page on which the rest of a record is missing, 0 if none.
    overwritten: AtomicU64,
    /// See [`crate::checkpoint`].
    pub(crate) distance: AtomicU64,
}

impl Wal {
    /// A log in recovery: nothing can be inserted until [`Wal::start_inserting`].
    pub fn new(vfs: Arc<dyn Vfs>, control: Arc<Control>, options: WalOptions) -> Arc<Wal> {
        let now = control.get();
        let segments = now.segments();
        Arc::new(Wal {
            segments,
            system_identifier: now.system_identifier,
            checksums: now.has_checksums(),
            accepting: AtomicBool::new(false),
            tli: AtomicU32::new(now.checkpoint_copy.tli.0),
            insertion: Mutex::new(Insertion {
                next: 0,
                prev: 0,
                redo: now.checkpoint_copy.redo,
                full_page_writes: options.full_page_writes,
            }),
            redo: AtomicU64::new(now.checkpoint_copy.redo.0),
            full_page_writes: AtomicBool::new(options.full_page_writes),
            last_important: AtomicU64::new(0),
            ring: Ring::new(options.buffers),
            file: LogFile::new(Arc::clone(&vfs), segments, &options),
            queue: Mutex::default(),
            flushed: Condvar::new(),
            async_commit: AtomicU64::new(0),
            overwritten: AtomicU64::new(0),
            distance: AtomicU64::new(0),
            vfs,
            control,
            options,
        })
    }
    pub fn vfs(&self) -> &Arc<dyn Vfs> {
        &self.vfs
    }
    pub fn control(&self) -> &Arc<Control> {
        &self.control
    }
    pub fn options(&self) -> &WalOptions {
        &self.options
    }
    pub fn segments(&self) -> Segments {
        self.segments
    }
    pub fn wal_level(&self) -> WalLevel {
        self.options.parameters.wal_level
    }
    pub fn timeline(&self) -> TimelineId {
        TimelineId(self.tli.load(Ordering::Relaxed))
    }
    pub fn in_recovery(&self) -> bool {
        !self.accepting.load(Ordering::Acquire)
    }
    pub(crate) fn log_file(&self) -> &LogFile {
        &self.file
    }

    /// Ends recovery: records go after this point.
    pub fn start_inserting(&self, end: LogEnd) -> Result<()> {
        let at = end.end.0;
        let page = at - at % PAGE;
        if page != at {
            // The page goes on where the last record ends; what lies behind it is forgotten.
            let path = segment_path(end.tli, self.segments.number(end.end), self.segments);
            let file = self.vfs.open(&path, OpenMode::ReadWrite).or_pg("open file", &path)?;
            let mut slot = self.ring.page(page).lock();
            slot.bytes.fill(0);
            let kept = (at - page) as usize;
            let n = read_full(&*file, &mut slot.bytes[..kept], self.segments.offset(Lsn(page)));
            if n.or_pg("read file", &path)? != kept {
                return Err(PgError::internal(format!("WAL segment \"{path}\" is too short")));
            }
            slot.start = page;
            // What recovery read may be in the operating system's cache only.
            file.sync_data().or_pg("fsync file", &path).map_err(crate::panic_level)?;
        }
        self.ring.start_at(at);
        self.file.start_at(at);
        self.tli.store(end.tli.0, Ordering::Relaxed);
        if end.aborted_contrecord.is_some() {
            self.overwritten.store(at, Ordering::Relaxed);
        }
        let mut insertion = self.insertion.lock();
        insertion.next = self.segments.usable_before(end.end);
        insertion.prev = self.segments.usable_before(end.prev);
        self.last_important.store(end.prev.0, Ordering::Relaxed);
        self.accepting.store(true, Ordering::Release);
        Ok(())
    }

    /// Inserts a record and returns its end: what goes into the pages' LSN. Never fails: see the crate's head.
    #[inline]
    pub fn insert(&self, section: &Critical, record: RecordBuilder<'_>) -> Lsn {
        self.insert_at(section, record).end
    }
    /// As `insert`, returning start and end.
    pub fn insert_at(&self, _section: &Critical, record: RecordBuilder<'_>) -> Inserted {
        self.insert_with(record, |_, _| {})
    }

    /// `placed` is called, still under the mutex, with the record's start.
    pub(crate) fn insert_with(&self, record: RecordBuilder<'_>, placed: impl Fn(&Wal, &mut Redo<'_>)) -> Inserted {
        assert!(!self.in_recovery(), "cannot make new WAL entries during recovery");
        loop {
            let rules = ImageRules {
                redo: self.redo_pointer(),
                full_page_writes: self.full_page_writes.load(Ordering::Acquire),
                compression: self.options.compression,
            };
            let mut assembled = record.assemble(rules);
            let size = (assembled.bytes.len() as u64).next_multiple_of(8);
            let is_switch = record.rmgr == RmgrId::XLOG.0 && record.info & 0xF0 == xlog::SWITCH;

            let mut insertion = self.insertion.lock();
            let stale = insertion.full_page_writes
                && (!rules.full_page_writes || assembled.oldest_without_image.is_some_and(|l| l <= insertion.redo));
            if stale {
                continue;
            }
            if is_switch && self.segments.offset(self.segments.end_of(insertion.next)) == 0 {
                let end = self.segments.end_of(insertion.next);
                return Inserted { start: end, end };
            }
            let (first, prev) = (insertion.next, insertion.prev);
            let start = self.segments.start_of(first);
            let mut end = self.segments.end_of(first + size);
            insertion.next = first + size;
            if is_switch && self.segments.offset(end) != 0 {
                end = self.segments.start(self.segments.number(end) + 1);
                insertion.next = self.segments.usable_before(end);
            }
            insertion.prev = first;
            let prev = match prev {
                0 => Lsn::INVALID,
                p => self.segments.start_of(p),
            };
            placed(self, &mut Redo { start, insertion: &mut insertion });
            drop(insertion);

            assembled.seal(prev);
            self.copy(&assembled.bytes, start, end);
            if record.important {
                self.last_important.fetch_max(start.0, Ordering::Relaxed);
            }
            return Inserted { start, end };
        }
    }

    /// Copies a record into the ring; for a switch also the empty rest of the segment.
    fn copy(&self, mut bytes: &[u8], start: Lsn, end: Lsn) {
        let mut at = start.0;
        let mut page = at - at % PAGE;
        // The first record on a page publishes the page's header as well.
        let mut piece = if at == page + self.segments.header_size(Lsn(page)) { page } else { at };
        loop {
            let taken = {
                // Only the empty rest of a segment after a switch has pages without header.
                let mut slot = self.page_for(page, !bytes.is_empty());
                if at == page && !bytes.is_empty() {
                    at += self.segments.header_size(Lsn(page));
                    let info = u16::from_le_bytes([slot.bytes[2], slot.bytes[3]]) | XLP_FIRST_IS_CONTRECORD;
                    slot.bytes[2..4].copy_from_slice(&info.to_le_bytes());
                    slot.bytes[16..20].copy_from_slice(&(bytes.len() as u32).to_le_bytes());
                }
                let within = (at - page) as usize;
                let taken = bytes.len().min(PAGE as usize - within);
                slot.bytes[within..within + taken].copy_from_slice(&bytes[..taken]);
                taken
            };
            bytes = &bytes[taken..];
            let next = page + PAGE;
            self.ring.publish(piece, next.min(end.0));
            if next >= end.0 {
                return;
            }
            page = next;
            at = page;
            piece = page;
        }
    }

    /// The ring's page for a place in the log, made ready if it holds older content. `header`: with a page header (the
    /// rest of a segment after a switch has none).
    fn page_for(&self, start: u64, header: bool) -> parking_lot::MutexGuard<'_, ring::RingPage> {
        loop {
            let mut slot = self.ring.page(start).lock();
            if slot.start == start {
                return slot;
            }
            let room = self.file.written.load(Ordering::Acquire) + self.ring.bytes() >= start + PAGE;
            if room || self.file.failure().is_some() {
                slot.bytes.fill(0);
                slot.start = start;
                if header {
                    self.page_header(Lsn(start)).encode(&mut slot.bytes);
                }
                return slot;
            }
            drop(slot);
            // A failure is noted in the file; we then go on without.
            let _ = self.write_until(start + PAGE - self.ring.bytes());
        }
    }
    fn page_header(&self, page: Lsn) -> PageHeader {
        let long = self.segments.offset(page) == 0;
        PageHeader {
            magic: PAGE_MAGIC,
            info: XLP_BKP_REMOVABLE
                | if long { XLP_LONG_HEADER } else { 0 }
                | if self.overwritten.load(Ordering::Relaxed) == page.0 {
                    XLP_FIRST_IS_OVERWRITE_CONTRECORD
                } else {
                    0
                },
            tli: self.timeline(),
            address: page,
            remaining: 0,
            long: long.then(|| (self.system_identifier, self.segments.size() as u32, PAGE as u32)),
        }
    }

    /// Waits until everything before `lsn` is copied, and writes it (not holding anything while it waits: others may
    /// have to write to get room for what we wait for).
    fn write_until(&self, lsn: u64) -> Result<()> {
        let mut rounds = 0;
        while self.file.write(&self.ring, self.timeline())? < lsn {
            rounds += 1;
            if rounds < 100 {
                std::thread::yield_now();
            } else {
                std::thread::sleep(std::time::Duration::from_micros(50));
            }
        }
        Ok(())
    }

    /// Makes the log durable up to here; one of those who wait writes and syncs for all.
    pub fn flush(&self, lsn: Lsn) -> Result<()> {
        if self.in_recovery() || lsn <= self.flush_position() {
            return Ok(());
        }
        let mut queue = self.queue.lock();
        loop {
            if lsn <= self.flush_position() {
                return Ok(());
            }
            self.file.check()?;
            if queue.led {
                self.flushed.wait(&mut queue);
                continue;
            }
            queue.led = true;
            drop(queue);
            let result = self.lead_flush(lsn);
            queue = self.queue.lock();
            queue.led = false;
            self.flushed.notify_all();
            result?;
        }
    }
    fn lead_flush(&self, lsn: Lsn) -> Result<()> {
        let end = self.insert_position();
        if lsn > end {
            // A page with a damaged LSN must not make us wait for ever.
            return Err(PgError::new(
                INTERNAL_ERROR,
                format!("xlog flush request {lsn} is not satisfied --- flushed only to {end}"),
            ));
        }
        self.write_until(lsn.0)?;
        self.file.flush()
    }
    /// An asynchronous commit: the background writer will flush up to here soon.
    pub fn set_async_commit(&self, lsn: Lsn) {
        self.async_commit.fetch_max(lsn.0, Ordering::AcqRel);
    }
    /// What the WAL writer does every `wal_writer_delay`: writes and flushes what is there. Returns whether there was
    /// anything to do. (PostgreSQL: `XLogBackgroundFlush`)
    pub fn background_flush(&self) -> Result<bool> {
        if self.in_recovery() {
            return Ok(false);
        }
        self.file.check()?;
        let flushed = self.flush_position().0;
        let asynchronous = self.async_commit.load(Ordering::Acquire);
        let whole_pages = self.ring.filled() / PAGE * PAGE;
        let target = if asynchronous > flushed { asynchronous.max(whole_pages) } else { whole_pages };
        if target <= flushed {
            return Ok(false);
        }
        self.flush(Lsn(target))?;
        // Only saves time later: the writer makes the segment itself if need be.
        let _ = self.file.preallocate(self.timeline());
        Ok(true)
    }
    /// The end of the last inserted record. (PostgreSQL: `pg_current_wal_insert_lsn`)
    pub fn insert_position(&self) -> Lsn {
        self.segments.end_of(self.insertion.lock().next)
    }
    /// Where the next record will start. (PostgreSQL: `GetXLogInsertRecPtr`)
    pub fn next_record_position(&self) -> Lsn {
        self.segments.start_of(self.insertion.lock().next)
    }
    /// (PostgreSQL: `pg_current_wal_lsn`)
    pub fn write_position(&self) -> Lsn {
        Lsn(self.file.written.load(Ordering::Acquire))
    }
    /// (PostgreSQL: `pg_current_wal_flush_lsn`)
    #[inline]
    pub fn flush_position(&self) -> Lsn {
        Lsn(self.file.flushed.load(Ordering::Acquire))
    }
    /// Pages that changed after this point need no image. (PostgreSQL: `GetRedoRecPtr`)
    #[inline]
    pub fn redo_pointer(&self) -> Lsn {
        Lsn(self.redo.load(Ordering::Acquire))
    }
    /// The start of the last record that makes a checkpoint worthwhile. (PostgreSQL: `GetLastImportantRecPtr`)
    pub fn last_important(&self) -> Lsn {
        Lsn(self.last_important.load(Ordering::Relaxed))
    }
    /// In recovery, a checkpoint record was replayed.
    pub(crate) fn set_redo_pointer(&self, redo: Lsn) {
        self.insertion.lock().redo = redo;
        self.redo.store(redo.0, Ordering::Release);
    }
    /// For a shutdown checkpoint: the redo pointer is where the checkpoint record itself will lie.
    pub(crate) fn set_redo_to_insert_position(&self) -> Lsn {
        let mut insertion = self.insertion.lock();
        insertion.redo = self.segments.start_of(insertion.next);
        self.redo.store(insertion.redo.0, Ordering::Release);
        insertion.redo
    }
    /// Would a change of this page need an image? (PostgreSQL: `XLogCheckBufferNeedsBackup`)
    pub fn needs_image(&self, page: &Page) -> bool {
        self.full_page_writes.load(Ordering::Acquire) && page.lsn() <= self.redo_pointer()
    }
    /// (PostgreSQL: `full_page_writes` in effect)
    pub fn full_page_writes(&self) -> bool {
        self.full_page_writes.load(Ordering::Acquire)
    }
    /// Must hint bits be logged? (PostgreSQL: `XLogHintBitIsNeeded`)
    pub fn logs_hints(&self) -> bool {
        self.checksums || self.options.parameters.wal_log_hints
    }
    /// Why the log cannot be written any more, if so: the server must stop.
    pub fn failure(&self) -> Option<PgError> {
        self.file.failure()
    }
    /// Logs a whole page, e.g. after building it outside the pool; the caller sets the LSN. (PostgreSQL: `log_newpage`)
    pub fn log_new_page(&self, section: &Critical, tag: BufferTag, page: &Page, standard: bool) -> Lsn {
        let flags = RegBuf::FORCE_IMAGE | if standard { RegBuf::STANDARD } else { RegBuf::NONE };
        self.insert(section, RecordBuilder::new(RmgrId::XLOG, xlog::FPI).register_block(0, tag, page, flags))
    }
    /// Logs up to 32 whole pages in one record. (PostgreSQL: `log_newpages`)
    pub fn log_new_pages(&self, section: &Critical, pages: &[(BufferTag, &Page)], standard: bool) -> Lsn {
        let flags = RegBuf::FORCE_IMAGE | if standard { RegBuf::STANDARD } else { RegBuf::NONE };
        let mut end = self.insert_position();
        for batch in pages.chunks(32) {
            let mut record = RecordBuilder::new(RmgrId::XLOG, xlog::FPI);
            for (id, (tag, page)) in batch.iter().enumerate() {
                record = record.register_block(id as u8, *tag, page, flags);
            }
            end = self.insert(section, record);
        }
        end
    }
    /// Logs the creation of a relation's file. (PostgreSQL: `log_smgrcreate`)
    pub fn log_smgr_create(&self, section: &Critical, locator: RelFileLocator, fork: ForkNumber) -> Lsn {
        let mut main = Vec::with_capacity(16);
        main.put_locator(locator);
        main.put_u32(u32::from(fork as u8));
        self.insert(section, RecordBuilder::new(RmgrId::SMGR, 0x10 | 0x01).main_data(&main))
    }
    /// Logs a truncation. `forks`: bits 1 main, 2 visibility map, 4 free-space map. (PostgreSQL: `xl_smgr_truncate`)
    pub fn log_smgr_truncate(&self, section: &Critical, l: RelFileLocator, first: BlockNumber, forks: u32) -> Lsn {
        let mut main = Vec::with_capacity(20);
        main.put_u32(first.0);
        main.put_locator(l);
        main.put_u32(forks);
        self.insert(section, RecordBuilder::new(RmgrId::SMGR, 0x20 | 0x01).main_data(&main))
    }
    /// Logs that object ids below this are taken. (PostgreSQL: `XLogPutNextOid`)
    pub fn log_next_oid(&self, section: &Critical, next: Oid) -> Lsn {
        self.insert(section, RecordBuilder::new(RmgrId::XLOG, xlog::NEXTOID).main_data(&next.0.to_le_bytes()))
    }
    /// Begins a new segment; returns the end of the last record. (PostgreSQL: `RequestXLogSwitch`, `pg_switch_wal`)
    pub fn switch_segment(&self) -> Result<Lsn> {
        let placed = critical(|section| self.insert_at(section, RecordBuilder::new(RmgrId::XLOG, xlog::SWITCH)));
        self.flush(placed.end)?;
        Ok(match placed.start == placed.end {
            true => placed.end,
            false => Lsn(placed.start.0 + HEADER_SIZE as u64),
        })
    }
}

/// The moment a record got its place.
pub(crate) struct Redo<'a> {
    pub start: Lsn,
    insertion: &'a mut Insertion,
}

impl Redo<'_> {
    /// Redo begins at this record.
    pub fn begins_here(&mut self, wal: &Wal) {
        self.insertion.redo = self.start;
        wal.redo.store(self.start.0, Ordering::Release);
    }
}

impl WalFlush for Wal {
    fn flush_up_to(&self, lsn: Lsn) -> Result<()> {
        self.flush(lsn)
    }
}

impl HintLogger for Wal {
    fn log_hint(&self, section: &Critical, tag: BufferTag, page: &Page) -> Result<HintLog> {
        if !self.logs_hints() {
            return Ok(HintLog::NotNeeded);
        }
        if self.in_recovery() {
            return Ok(HintLog::Refused);
        }
        if page.lsn() > self.redo_pointer() {
            return Ok(HintLog::NotNeeded);
        }
        // No matter what `full_page_writes` says: the checksum of a torn page would be wrong.
        // Map pages keep data where others have their hole.
        let standard = if tag.fork == ForkNumber::Main { RegBuf::STANDARD } else { RegBuf::NONE };
        let flags = RegBuf::FORCE_IMAGE | standard;
        let record = RecordBuilder::new(RmgrId::XLOG, xlog::FPI_FOR_HINT).register_block(0, tag, page, flags);
        Ok(HintLog::Logged(self.insert(section, record)))
    }
}

#[cfg(test)]
mod tests;
