//! `global/pg_control`: what the cluster is and where recovery starts. (PostgreSQL: `pg_control.h`)
//!
//! The file is 8192 bytes, of which the first 296 count: less than a disk sector, so that overwriting it in place is
//! atomic. It is written in place and fsynced, as PostgreSQL does.

use std::sync::Arc;

use base::sqlstate::{DATA_CORRUPTED, OBJECT_NOT_IN_PREREQUISITE_STATE};
use base::{FullXid, Lsn, MultiXactId, Oid, PgError, Result, TimelineId, Xid};
use parking_lot::Mutex;
use storage::Vfs;
use storage::vfs::{IoContext, OpenMode};

use crate::bytes::{Put, Reader};
use crate::position::{Segments, segment_file_name};

pub const CONTROL_FILE: &str = "global/pg_control";
pub const CONTROL_VERSION: u32 = 1800;
pub const CATALOG_VERSION: u32 = 202506291;
const FILE_SIZE: usize = 8192;
const CRC_AT: usize = 292;
const FLOAT_FORMAT: f64 = 1_234_567.0;

/// (PostgreSQL: `DBState`)
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u32)]
pub enum DbState {
    Startup = 0,
    Shutdowned = 1,
    ShutdownedInRecovery = 2,
    Shutdowning = 3,
    InCrashRecovery = 4,
    InArchiveRecovery = 5,
    InProduction = 6,
}

impl DbState {
    const ALL: [DbState; 7] = [
        DbState::Startup,
        DbState::Shutdowned,
        DbState::ShutdownedInRecovery,
        DbState::Shutdowning,
        DbState::InCrashRecovery,
        DbState::InArchiveRecovery,
        DbState::InProduction,
    ];
    /// The words `pg_controldata` prints.
    pub fn as_str(self) -> &'static str {
        match self {
            DbState::Startup => "starting up",
            DbState::Shutdowned => "shut down",
            DbState::ShutdownedInRecovery => "shut down in recovery",
            DbState::Shutdowning => "shutting down",
            DbState::InCrashRecovery => "in crash recovery",
            DbState::InArchiveRecovery => "in archive recovery",
            DbState::InProduction => "in production",
        }
    }
}

/// (PostgreSQL: `WalLevel`)
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
#[repr(i32)]
pub enum WalLevel {
    Minimal = 0,
    Replica = 1,
    Logical = 2,
}

impl WalLevel {
    pub fn from_i32(n: i32) -> Option<WalLevel> {
        [WalLevel::Minimal, WalLevel::Replica, WalLevel::Logical].into_iter().find(|l| *l as i32 == n)
    }
    pub fn as_str(self) -> &'static str {
        match self {
            WalLevel::Minimal => "minimal",
            WalLevel::Replica => "replica",
            WalLevel::Logical => "logical",
        }
    }
}

/// The body of a checkpoint record. (PostgreSQL: `CheckPoint`)
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CheckPoint {
    pub redo: Lsn,
    pub tli: TimelineId,
    pub prev_tli: TimelineId,
    pub full_page_writes: bool,
    pub wal_level: WalLevel,
    pub next_xid: FullXid,
    pub next_oid: Oid,
    pub next_multi: MultiXactId,
    pub next_multi_offset: u32,
    pub oldest_xid: Xid,
    pub oldest_xid_db: Oid,
    pub oldest_multi: MultiXactId,
    pub oldest_multi_db: Oid,
    /// Seconds since 1970.
    pub time: i64,
    pub oldest_commit_ts_xid: Xid,
    pub newest_commit_ts_xid: Xid,
    pub oldest_active_xid: Xid,
}

impl CheckPoint {
    pub const SIZE: usize = 88;

    pub fn encode(&self, out: &mut Vec<u8>) {
        out.put_u64(self.redo.0);
        out.put_u32(self.tli.0);
        out.put_u32(self.prev_tli.0);
        out.put_u32(u32::from(self.full_page_writes));
        out.put_i32(self.wal_level as i32);
        out.put_u64(self.next_xid.0);
        out.put_u32(self.next_oid.0);
        out.put_u32(self.next_multi.0);
        out.put_u32(self.next_multi_offset);
        out.put_u32(self.oldest_xid.0);
        out.put_u32(self.oldest_xid_db.0);
        out.put_u32(self.oldest_multi.0);
        out.put_u32(self.oldest_multi_db.0);
        out.put_u32(0);
        out.put_i64(self.time);
        out.put_u32(self.oldest_commit_ts_xid.0);
        out.put_u32(self.newest_commit_ts_xid.0);
        out.put_u32(self.oldest_active_xid.0);
        out.put_u32(0);
    }
    pub fn decode(r: &mut Reader<'_>) -> Result<CheckPoint> {
        let redo = r.lsn()?;
        let tli = TimelineId(r.u32()?);
        let prev_tli = TimelineId(r.u32()?);
        let full_page_writes = r.u8()? != 0;
        r.skip(3)?;
        let wal_level = wal_level(r.i32()?)?;
        let next_xid = FullXid(r.u64()?);
        let (next_oid, next_multi, next_multi_offset) = (r.oid()?, r.multi()?, r.u32()?);
        let (oldest_xid, oldest_xid_db, oldest_multi, oldest_multi_db) = (r.xid()?, r.oid()?, r.multi()?, r.oid()?);
        r.skip(4)?;
        let time = r.i64()?;
        let (oldest_commit_ts_xid, newest_commit_ts_xid, oldest_active_xid) = (r.xid()?, r.xid()?, r.xid()?);
        r.skip(4)?;
        Ok(CheckPoint {
            redo,
            tli,
            prev_tli,
            full_page_writes,
            wal_level,
            next_xid,
            next_oid,
            next_multi,
            next_multi_offset,
            oldest_xid,
            oldest_xid_db,
            oldest_multi,
            oldest_multi_db,
            time,
            oldest_commit_ts_xid,
            newest_commit_ts_xid,
            oldest_active_xid,
        })
    }
}

fn wal_level(n: i32) -> Result<WalLevel> {
    WalLevel::from_i32(n).ok_or_else(|| PgError::new(DATA_CORRUPTED, format!("invalid wal_level {n}")))
}

/// The settings that a standby must not be below; also the body of XLOG_PARAMETER_CHANGE.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Parameters {
    pub wal_level: WalLevel,
    pub wal_log_hints: bool,
    pub max_connections: i32,
    pub max_worker_processes: i32,
    pub max_wal_senders: i32,
    pub max_prepared_xacts: i32,
    pub max_locks_per_xact: i32,
    pub track_commit_timestamp: bool,
}

impl Default for Parameters {
    fn default() -> Parameters {
        Parameters {
            wal_level: WalLevel::Replica,
            wal_log_hints: false,
            max_connections: 100,
            max_worker_processes: 8,
            max_wal_senders: 10,
            max_prepared_xacts: 0,
            max_locks_per_xact: 64,
            track_commit_timestamp: false,
        }
    }
}

/// The content of pg_control. (PostgreSQL: `ControlFileData`)
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct ControlFile {
    pub system_identifier: u64,
    pub control_version: u32,
    pub catalog_version: u32,
    pub state: DbState,
    pub time: i64,
    /// Where the last checkpoint record starts.
    pub checkpoint: Lsn,
    pub checkpoint_copy: CheckPoint,
    pub unlogged_lsn: Lsn,
    pub min_recovery_point: Lsn,
    pub min_recovery_point_tli: TimelineId,
    pub backup_start_point: Lsn,
    pub backup_end_point: Lsn,
    pub backup_end_required: bool,
    pub parameters: Parameters,
    pub max_align: u32,
    pub float_format: f64,
    pub blcksz: u32,
    pub relseg_size: u32,
    pub xlog_blcksz: u32,
    pub xlog_seg_size: u32,
    pub name_data_len: u32,
    pub index_max_keys: u32,
    pub toast_max_chunk_size: u32,
    pub loblksize: u32,
    pub float8_by_val: bool,
    pub data_checksum_version: u32,
    pub default_char_signedness: bool,
    pub mock_authentication_nonce: [u8; 32],
}

impl ControlFile {
    /// The 8192 bytes of the file.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(FILE_SIZE);
        out.put_u64(self.system_identifier);
        out.put_u32(self.control_version);
        out.put_u32(self.catalog_version);
        out.put_u32(self.state as u32);
        out.put_u32(0);
        out.put_i64(self.time);
        out.put_u64(self.checkpoint.0);
        self.checkpoint_copy.encode(&mut out);
        out.put_u64(self.unlogged_lsn.0);
        out.put_u64(self.min_recovery_point.0);
        out.put_u32(self.min_recovery_point_tli.0);
        out.put_u32(0);
        out.put_u64(self.backup_start_point.0);
        out.put_u64(self.backup_end_point.0);
        out.put_u32(u32::from(self.backup_end_required));
        let p = &self.parameters;
        out.put_i32(p.wal_level as i32);
        out.put_u32(u32::from(p.wal_log_hints));
        for n in [p.max_connections, p.max_worker_processes, p.max_wal_senders, p.max_prepared_xacts] {
            out.put_i32(n);
        }
        out.put_i32(p.max_locks_per_xact);
        out.put_u32(u32::from(p.track_commit_timestamp));
        out.put_u32(self.max_align);
        out.put(&self.float_format.to_le_bytes());
        for n in [self.blcksz, self.relseg_size, self.xlog_blcksz, self.xlog_seg_size] {
            out.put_u32(n);
        }
        for n in [self.name_data_len, self.index_max_keys, self.toast_max_chunk_size, self.loblksize] {
            out.put_u32(n);
        }
        out.put_u32(u32::from(self.float8_by_val));
        out.put_u32(self.data_checksum_version);
        out.put_u8(u8::from(self.default_char_signedness));
        out.put(&self.mock_authentication_nonce);
        out.resize(CRC_AT, 0);
        let crc = crc32c::crc32c(&out);
        out.put_u32(crc);
        out.resize(FILE_SIZE, 0);
        out
    }

    /// Reads the file's bytes; says besides whether the checksum is right.
    pub fn decode(bytes: &[u8]) -> Result<(ControlFile, bool)> {
        let mut r = Reader::new(bytes);
        let system_identifier = r.u64()?;
        let (control_version, catalog_version) = (r.u32()?, r.u32()?);
        if control_version != CONTROL_VERSION {
            return Err(incompatible(format!(
                "The database cluster was initialized with PG_CONTROL_VERSION {control_version}, but the server was \
                 compiled with PG_CONTROL_VERSION {CONTROL_VERSION}."
            )));
        }
        let state = r.u32()?;
        let state = DbState::ALL.get(state as usize).copied().ok_or_else(bad_checksum)?;
        r.skip(4)?;
        let (time, checkpoint) = (r.i64()?, r.lsn()?);
        let checkpoint_copy = CheckPoint::decode(&mut r)?;
        let (unlogged_lsn, min_recovery_point) = (r.lsn()?, r.lsn()?);
        let min_recovery_point_tli = TimelineId(r.u32()?);
        r.skip(4)?;
        let (backup_start_point, backup_end_point) = (r.lsn()?, r.lsn()?);
        let flag = |r: &mut Reader<'_>| -> Result<bool> {
            let b = r.u8()? != 0;
            r.skip(3)?;
            Ok(b)
        };
        let backup_end_required = flag(&mut r)?;
        let wal_level = wal_level(r.i32()?)?;
        let wal_log_hints = flag(&mut r)?;
        let (max_connections, max_worker_processes, max_wal_senders) = (r.i32()?, r.i32()?, r.i32()?);
        let (max_prepared_xacts, max_locks_per_xact) = (r.i32()?, r.i32()?);
        let track_commit_timestamp = flag(&mut r)?;
        let max_align = r.u32()?;
        let float_format = f64::from_bits(r.u64()?);
        let (blcksz, relseg_size, xlog_blcksz, xlog_seg_size) = (r.u32()?, r.u32()?, r.u32()?, r.u32()?);
        let (name_data_len, index_max_keys, toast_max_chunk_size, loblksize) = (r.u32()?, r.u32()?, r.u32()?, r.u32()?);
        let float8_by_val = flag(&mut r)?;
        let data_checksum_version = r.u32()?;
        let default_char_signedness = r.u8()? != 0;
        let mut mock_authentication_nonce = [0; 32];
        mock_authentication_nonce.copy_from_slice(r.bytes(32)?);
        r.align(4)?;
        let crc_ok = r.u32()? == crc32c::crc32c(&bytes[..CRC_AT]);
        let file = ControlFile {
            system_identifier,
            control_version,
            catalog_version,
            state,
            time,
            checkpoint,
            checkpoint_copy,
            unlogged_lsn,
            min_recovery_point,
            min_recovery_point_tli,
            backup_start_point,
            backup_end_point,
            backup_end_required,
            parameters: Parameters {
                wal_level,
                wal_log_hints,
                max_connections,
                max_worker_processes,
                max_wal_senders,
                max_prepared_xacts,
                max_locks_per_xact,
                track_commit_timestamp,
            },
            max_align,
            float_format,
            blcksz,
            relseg_size,
            xlog_blcksz,
            xlog_seg_size,
            name_data_len,
            index_max_keys,
            toast_max_chunk_size,
            loblksize,
            float8_by_val,
            data_checksum_version,
            default_char_signedness,
            mock_authentication_nonce,
        };
        Ok((file, crc_ok))
    }

    /// Reads and checks the file of a cluster. (PostgreSQL: `ReadControlFile`)
    pub fn read(vfs: &dyn Vfs) -> Result<ControlFile> {
        let bytes = vfs.read_file(CONTROL_FILE).or_pg("open file", CONTROL_FILE)?;
        const END: usize = CRC_AT + 4;
        if bytes.len() < END {
            let text = format!("could not read file \"{CONTROL_FILE}\": read {} of {END}", bytes.len());
            return Err(crate::panic_level(PgError::new(DATA_CORRUPTED, text)));
        }
        // Before anything is believed; but a file of another version has its checksum elsewhere.
        let crc_ok = bytes[CRC_AT..END] == crc32c::crc32c(&bytes[..CRC_AT]).to_le_bytes();
        if bytes[8..12] == CONTROL_VERSION.to_le_bytes() && !crc_ok {
            return Err(bad_checksum());
        }
        let (file, _) = ControlFile::decode(&bytes)?;
        file.check_compatible()?;
        Ok(file)
    }

    fn check_compatible(&self) -> Result<()> {
        let checks = [
            ("CATALOG_VERSION_NO", u64::from(self.catalog_version), u64::from(CATALOG_VERSION)),
            ("MAXALIGN", u64::from(self.max_align), 8),
            ("BLCKSZ", u64::from(self.blcksz), base::BLCKSZ as u64),
            ("RELSEG_SIZE", u64::from(self.relseg_size), 131_072),
            ("XLOG_BLCKSZ", u64::from(self.xlog_blcksz), 8192),
            ("NAMEDATALEN", u64::from(self.name_data_len), base::NAMEDATALEN as u64),
            ("INDEX_MAX_KEYS", u64::from(self.index_max_keys), 32),
            ("TOAST_MAX_CHUNK_SIZE", u64::from(self.toast_max_chunk_size), 1996),
            ("LOBLKSIZE", u64::from(self.loblksize), 2048),
        ];
        for (name, found, expected) in checks {
            if found != expected {
                return Err(incompatible(format!(
                    "The database cluster was initialized with {name} {found}, but the server was compiled with {name} \
                     {expected}."
                )));
            }
        }
        if self.float_format != FLOAT_FORMAT {
            return Err(incompatible(
                "The database cluster appears to use a different floating-point number format than the server \
                 executable."
                    .into(),
            ));
        }
        if !Segments::is_valid_size(self.xlog_seg_size) {
            return Err(PgError::new(
                base::sqlstate::INVALID_PARAMETER_VALUE,
                format!("invalid WAL segment size in control file ({} bytes)", self.xlog_seg_size),
            )
            .detail("The WAL segment size must be a power of two between 1 MB and 1 GB."));
        }
        Ok(())
    }

    /// The content for a new cluster; the caller sets what it knows better.
    pub fn new_cluster(system_identifier: u64, nonce: [u8; 32], checkpoint: Lsn, copy: CheckPoint) -> ControlFile {
        ControlFile {
            system_identifier,
            control_version: CONTROL_VERSION,
            catalog_version: CATALOG_VERSION,
            state: DbState::Shutdowned,
            time: copy.time,
            checkpoint,
            checkpoint_copy: copy,
            // The first value of the counter for unlogged relations. (PostgreSQL: `FirstNormalUnloggedLSN`)
            unlogged_lsn: Lsn(1000),
            min_recovery_point: Lsn::INVALID,
            min_recovery_point_tli: TimelineId(0),
            backup_start_point: Lsn::INVALID,
            backup_end_point: Lsn::INVALID,
            backup_end_required: false,
            parameters: Parameters::default(),
            max_align: 8,
            float_format: FLOAT_FORMAT,
            blcksz: base::BLCKSZ as u32,
            relseg_size: 131_072,
            xlog_blcksz: 8192,
            xlog_seg_size: 16 * 1024 * 1024,
            name_data_len: base::NAMEDATALEN as u32,
            index_max_keys: 32,
            toast_max_chunk_size: 1996,
            loblksize: 2048,
            float8_by_val: true,
            data_checksum_version: 1,
            default_char_signedness: true,
            mock_authentication_nonce: nonce,
        }
    }
    pub fn segments(&self) -> Segments {
        Segments::new(self.xlog_seg_size)
    }
    pub fn has_checksums(&self) -> bool {
        self.data_checksum_version != 0
    }
}

#[cold]
fn incompatible(detail: String) -> PgError {
    PgError::new(OBJECT_NOT_IN_PREREQUISITE_STATE, "database files are incompatible with server")
        .detail(detail)
        .hint("It looks like you need to initdb.")
        .fatal()
}
#[cold]
fn bad_checksum() -> PgError {
    PgError::new(DATA_CORRUPTED, "incorrect checksum in control file").fatal()
}

/// The cluster's control file: read by many, changed under a lock and written through.
pub struct Control {
    vfs: Arc<dyn Vfs>,
    file: Mutex<ControlFile>,
}

impl Control {
    pub fn open(vfs: Arc<dyn Vfs>) -> Result<Control> {
        let file = ControlFile::read(&*vfs)?;
        Ok(Control { vfs, file: Mutex::new(file) })
    }
    pub fn get(&self) -> ControlFile {
        *self.file.lock()
    }
    /// Changes the content and makes it durable. A failure to write is a PANIC.
    pub fn update(&self, change: impl FnOnce(&mut ControlFile)) -> Result<()> {
        let mut file = self.file.lock();
        change(&mut file);
        file.time = unix_time();
        write_in_place(&*self.vfs, &file)
    }
}

/// Creates the file of a new cluster. (PostgreSQL: `WriteControlFile`)
pub fn create(vfs: &dyn Vfs, file: &ControlFile) -> Result<()> {
    let f = vfs.open(CONTROL_FILE, OpenMode::CreateNew).or_pg("create file", CONTROL_FILE)?;
    f.write_all_at(&file.encode(), 0).or_pg("write to file", CONTROL_FILE)?;
    f.sync_all().or_pg("fsync file", CONTROL_FILE)?;
    vfs.sync_dir("global").or_pg("fsync file", "global")
}

fn write_in_place(vfs: &dyn Vfs, file: &ControlFile) -> Result<()> {
    let write = || -> Result<()> {
        let f = vfs.open(CONTROL_FILE, OpenMode::ReadWrite).or_pg("open file", CONTROL_FILE)?;
        f.write_all_at(&file.encode(), 0).or_pg("write file", CONTROL_FILE)?;
        f.sync_all().or_pg("fsync file", CONTROL_FILE)
    };
    write().map_err(crate::panic_level)
}

/// Seconds since 1970.
pub fn unix_time() -> i64 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |d| d.as_secs() as i64)
}

/// The text `pg_controldata` prints. `time` turns seconds since 1970 into local time: see [`ctime_utc`].
pub fn describe(c: &ControlFile, time: &dyn Fn(i64) -> String) -> String {
    let cp = &c.checkpoint_copy;
    let p = &c.parameters;
    let on_off = |b: bool| String::from(if b { "on" } else { "off" });
    let segments = c.segments();
    let redo_file = segment_file_name(cp.tli, segments.number(cp.redo), segments);
    let nonce: String = c.mock_authentication_nonce.iter().map(|b| format!("{b:02x}")).collect();
    let full_xid = format!("{}:{}", cp.next_xid.epoch(), cp.next_xid.xid());
    let rows: [(&str, String); 49] = [
        ("pg_control version number:", c.control_version.to_string()),
        ("Catalog version number:", c.catalog_version.to_string()),
        ("Database system identifier:", c.system_identifier.to_string()),
        ("Database cluster state:", c.state.as_str().into()),
        ("pg_control last modified:", time(c.time)),
        ("Latest checkpoint location:", c.checkpoint.to_string()),
        ("Latest checkpoint's REDO location:", cp.redo.to_string()),
        ("Latest checkpoint's REDO WAL file:", redo_file),
        ("Latest checkpoint's TimeLineID:", cp.tli.0.to_string()),
        ("Latest checkpoint's PrevTimeLineID:", cp.prev_tli.0.to_string()),
        ("Latest checkpoint's full_page_writes:", on_off(cp.full_page_writes)),
        ("Latest checkpoint's NextXID:", full_xid),
        ("Latest checkpoint's NextOID:", cp.next_oid.to_string()),
        ("Latest checkpoint's NextMultiXactId:", cp.next_multi.0.to_string()),
        ("Latest checkpoint's NextMultiOffset:", cp.next_multi_offset.to_string()),
        ("Latest checkpoint's oldestXID:", cp.oldest_xid.to_string()),
        ("Latest checkpoint's oldestXID's DB:", cp.oldest_xid_db.to_string()),
        ("Latest checkpoint's oldestActiveXID:", cp.oldest_active_xid.to_string()),
        ("Latest checkpoint's oldestMultiXid:", cp.oldest_multi.0.to_string()),
        ("Latest checkpoint's oldestMulti's DB:", cp.oldest_multi_db.to_string()),
        ("Latest checkpoint's oldestCommitTsXid:", cp.oldest_commit_ts_xid.to_string()),
        ("Latest checkpoint's newestCommitTsXid:", cp.newest_commit_ts_xid.to_string()),
        ("Time of latest checkpoint:", time(cp.time)),
        ("Fake LSN counter for unlogged rels:", c.unlogged_lsn.to_string()),
        ("Minimum recovery ending location:", c.min_recovery_point.to_string()),
        ("Min recovery ending loc's timeline:", c.min_recovery_point_tli.0.to_string()),
        ("Backup start location:", c.backup_start_point.to_string()),
        ("Backup end location:", c.backup_end_point.to_string()),
        ("End-of-backup record required:", if c.backup_end_required { "yes" } else { "no" }.into()),
        ("wal_level setting:", p.wal_level.as_str().into()),
        ("wal_log_hints setting:", on_off(p.wal_log_hints)),
        ("max_connections setting:", p.max_connections.to_string()),
        ("max_worker_processes setting:", p.max_worker_processes.to_string()),
        ("max_wal_senders setting:", p.max_wal_senders.to_string()),
        ("max_prepared_xacts setting:", p.max_prepared_xacts.to_string()),
        ("max_locks_per_xact setting:", p.max_locks_per_xact.to_string()),
        ("track_commit_timestamp setting:", on_off(p.track_commit_timestamp)),
        ("Maximum data alignment:", c.max_align.to_string()),
        ("Database block size:", c.blcksz.to_string()),
        ("Blocks per segment of large relation:", c.relseg_size.to_string()),
        ("WAL block size:", c.xlog_blcksz.to_string()),
        ("Bytes per WAL segment:", c.xlog_seg_size.to_string()),
        ("Maximum length of identifiers:", c.name_data_len.to_string()),
        ("Maximum columns in an index:", c.index_max_keys.to_string()),
        ("Maximum size of a TOAST chunk:", c.toast_max_chunk_size.to_string()),
        ("Size of a large-object chunk:", c.loblksize.to_string()),
        ("Date/time type storage:", "64-bit integers".into()),
        ("Float8 argument passing:", if c.float8_by_val { "by value" } else { "by reference" }.into()),
        ("Data page checksum version:", c.data_checksum_version.to_string()),
    ];
    let mut out: String = rows.iter().map(|(label, value)| format!("{label:<38}{value}\n")).collect();
    let signedness = if c.default_char_signedness { "signed" } else { "unsigned" };
    out += &format!("{:<38}{signedness}\n", "Default char data signedness:");
    out += &format!("{:<38}{nonce}\n", "Mock authentication nonce:");
    out
}

/// As C's `ctime` in UTC, without the line end: `Fri Nov 20 13:25:29 2026`.
pub fn ctime_utc(seconds: i64) -> String {
    const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let (days, second) = (seconds.div_euclid(86400), seconds.rem_euclid(86400));
    let weekday = DAYS[days.rem_euclid(7) as usize];
    // Days are counted from 1 March of year 0, so that the leap day is the last of its year.
    let shifted = days + 719_468;
    let (era, of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year_of_era = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146_096) / 365;
    let day_of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 2 } else { shifted_month - 10 };
    let year = year_of_era + era * 400 + i64::from(month < 2);
    let (h, m, s) = (second / 3600, second / 60 % 60, second % 60);
    format!("{weekday} {} {day:2} {h:02}:{m:02}:{s:02} {year}", MONTHS[month as usize])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn round_trip_and_size() {
        let copy = CheckPoint {
            redo: Lsn(0x0176_5D28),
            tli: TimelineId(1),
            prev_tli: TimelineId(1),
            full_page_writes: true,
            wal_level: WalLevel::Replica,
            next_xid: FullXid(752),
            next_oid: Oid(13691),
            next_multi: MultiXactId(1),
            next_multi_offset: 0,
            oldest_xid: Xid(744),
            oldest_xid_db: Oid(1),
            oldest_multi: MultiXactId(1),
            oldest_multi_db: Oid(1),
            time: 1_795_181_129,
            oldest_commit_ts_xid: Xid(0),
            newest_commit_ts_xid: Xid(0),
            oldest_active_xid: Xid(0),
        };
        let file = ControlFile::new_cluster(42, [7; 32], Lsn(0x0176_5D28), copy);
        let bytes = file.encode();
        assert_eq!(bytes.len(), 8192);
        let (again, ok) = ControlFile::decode(&bytes).unwrap();
        assert!(ok);
        assert_eq!(file, again);
        let text = describe(&file, &ctime_utc);
        assert!(text.contains("Latest checkpoint's oldestCommitTsXid:0\n"));
        assert!(text.contains("Latest checkpoint's REDO WAL file:    000000010000000000000001\n"));
        assert!(text.contains("Time of latest checkpoint:            Fri Nov 20 13:25:29 2026\n"), "{text}");
    }

    #[test]
    fn damage_is_noticed() {
        let mut bytes = vec![0; 8192];
        assert!(ControlFile::decode(&bytes).is_err());
        bytes.truncate(3);
        assert!(ControlFile::decode(&bytes).is_err());
    }
}
