//! Putting records into the log.

use std::sync::Arc;

use base::{BlockNumber, ForkNumber, Lsn, Oid, PgError, RelFileLocator, Result, TimelineId};
use storage::{BufferTag, Critical, HintLog, HintLogger, Page, Vfs, WalFlush};

use crate::control::{Control, WalLevel};
use crate::record::{Inserted, RecordBuilder};

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
    /// `false`: nothing is ever fsynced. (PostgreSQL: `fsync`)
    pub fsync: bool,
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
            fsync: true,
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
    /// The end of the last record.
    pub end: Lsn,
    /// The start of the last record.
    pub prev: Lsn,
    /// The start of a record of which only the beginning is there.
    pub aborted_contrecord: Option<Lsn>,
}

/// The write-ahead log of a cluster.
pub struct Wal {
    vfs: Arc<dyn Vfs>,
    control: Arc<Control>,
    options: WalOptions,
}

impl Wal {
    /// A log in recovery: nothing can be inserted until [`Wal::start_inserting`].
    pub fn new(vfs: Arc<dyn Vfs>, control: Arc<Control>, options: WalOptions) -> Arc<Wal> {
        Arc::new(Wal { vfs, control, options })
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
    pub fn wal_level(&self) -> WalLevel {
        self.options.parameters.wal_level
    }
    /// Ends recovery: records go after this point.
    pub fn start_inserting(&self, end: LogEnd) -> Result<()> {
        let _ = end;
        Err(PgError::unsupported("WAL insertion"))
    }
    pub fn in_recovery(&self) -> bool {
        true
    }
    /// Inserts a record and returns its end: what goes into the pages' LSN. Never fails: see the crate's head.
    pub fn insert(&self, section: &Critical, record: RecordBuilder<'_>) -> Lsn {
        self.insert_at(section, record).end
    }
    /// As `insert`, returning start and end.
    pub fn insert_at(&self, section: &Critical, record: RecordBuilder<'_>) -> Inserted {
        let _ = (section, record);
        unreachable!()
    }
    /// Makes the log durable up to here; one of those who wait writes and syncs for all.
    pub fn flush(&self, lsn: Lsn) -> Result<()> {
        let _ = lsn;
        Err(PgError::unsupported("WAL flush"))
    }
    /// An asynchronous commit: the background writer will flush up to here soon.
    pub fn set_async_commit(&self, lsn: Lsn) {
        let _ = lsn;
    }
    /// What the WAL writer does every `wal_writer_delay`: writes and flushes what is there. Returns whether there was
    /// anything to do. (PostgreSQL: `XLogBackgroundFlush`)
    pub fn background_flush(&self) -> Result<bool> {
        Err(PgError::unsupported("WAL flush"))
    }
    /// The end of the last inserted record. (PostgreSQL: `pg_current_wal_insert_lsn`)
    pub fn insert_position(&self) -> Lsn {
        Lsn::INVALID
    }
    /// (PostgreSQL: `pg_current_wal_lsn`)
    pub fn write_position(&self) -> Lsn {
        Lsn::INVALID
    }
    /// (PostgreSQL: `pg_current_wal_flush_lsn`)
    pub fn flush_position(&self) -> Lsn {
        Lsn::INVALID
    }
    /// Pages that changed after this point need no image. (PostgreSQL: `GetRedoRecPtr`)
    pub fn redo_pointer(&self) -> Lsn {
        Lsn::INVALID
    }
    /// Would a change of this page need an image? (PostgreSQL: `XLogCheckBufferNeedsBackup`)
    pub fn needs_image(&self, page: &Page) -> bool {
        page.lsn() <= self.redo_pointer()
    }
    /// Must hint bits be logged? (PostgreSQL: `XLogHintBitIsNeeded`)
    pub fn logs_hints(&self) -> bool {
        true
    }
    pub fn timeline(&self) -> TimelineId {
        TimelineId(1)
    }
    /// Why the log cannot be written any more, if so: the server must stop.
    pub fn failure(&self) -> Option<PgError> {
        None
    }
    /// Logs a whole page, e.g. after building it outside the pool. Sets no LSN. (PostgreSQL: `log_newpage`)
    pub fn log_new_page(&self, section: &Critical, tag: BufferTag, page: &Page, standard: bool) -> Lsn {
        let _ = (section, tag, page, standard);
        unreachable!()
    }
    /// Logs the creation of a relation's file. (PostgreSQL: `log_smgrcreate`)
    pub fn log_smgr_create(&self, section: &Critical, locator: RelFileLocator, fork: ForkNumber) -> Lsn {
        let _ = (section, locator, fork);
        unreachable!()
    }
    /// Logs a truncation. `forks`: bits 1 main, 2 visibility map, 4 free-space map. (PostgreSQL: `xl_smgr_truncate`)
    pub fn log_smgr_truncate(&self, section: &Critical, l: RelFileLocator, first: BlockNumber, forks: u32) -> Lsn {
        let _ = (section, l, first, forks);
        unreachable!()
    }
    /// Logs that object ids below this are taken. (PostgreSQL: `XLogPutNextOid`)
    pub fn log_next_oid(&self, section: &Critical, next: Oid) -> Lsn {
        let _ = (section, next);
        unreachable!()
    }
    /// Begins a new segment; returns the end of the last record. (PostgreSQL: `RequestXLogSwitch`, `pg_switch_wal`)
    pub fn switch_segment(&self) -> Result<Lsn> {
        Err(PgError::unsupported("pg_switch_wal"))
    }
}

impl WalFlush for Wal {
    fn flush_up_to(&self, lsn: Lsn) -> Result<()> {
        self.flush(lsn)
    }
}

impl HintLogger for Wal {
    fn log_hint(&self, section: &Critical, tag: BufferTag, page: &Page) -> Result<HintLog> {
        let _ = (section, tag, page);
        Ok(HintLog::Refused)
    }
}
