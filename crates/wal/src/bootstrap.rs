//! The first segment and pg_control of a new cluster. (PostgreSQL: `BootStrapXLOG`)

use base::{FullXid, Lsn, MultiXactId, Oid, Result, TimelineId, Xid};
use storage::Vfs;
use storage::vfs::{IoContext, OpenMode};

use crate::control::{self, CheckPoint, ControlFile, Parameters, WalLevel, unix_time};
use crate::position::{LONG_HEADER, PAGE, PAGE_MAGIC, PageHeader, Segments, XLP_LONG_HEADER, segment_path};
use crate::record::{ImageRules, RecordBuilder};
use crate::rmgr::RmgrId;
use crate::xlog;

/// What a new cluster starts with.
#[derive(Clone, Debug)]
pub struct NewCluster {
    /// Identifies the cluster; see [`system_identifier`].
    pub system_identifier: u64,
    /// 32 random bytes.
    pub nonce: [u8; 32],
    pub segment_size: u32,
    pub checksums: bool,
    pub parameters: Parameters,
    /// The counters; `redo`, `tli` and `time` are set here. See [`initial_checkpoint`].
    pub checkpoint: CheckPoint,
}

/// An identifier as PostgreSQL makes it: from the time and the process id.
pub fn system_identifier() -> u64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    now.as_secs() << 32 | u64::from(now.subsec_micros()) << 12 | u64::from(std::process::id() & 0xFFF)
}

/// The counters of a cluster whose catalogs were written with frozen xids; the caller gives the next object id.
pub fn initial_checkpoint(next_oid: Oid) -> CheckPoint {
    CheckPoint {
        redo: Lsn::INVALID,
        tli: TimelineId(1),
        prev_tli: TimelineId(1),
        full_page_writes: true,
        wal_level: WalLevel::Replica,
        next_xid: FullXid(u64::from(Xid::FIRST_NORMAL.0)),
        next_oid,
        next_multi: MultiXactId::FIRST,
        next_multi_offset: 0,
        oldest_xid: Xid::FIRST_NORMAL,
        oldest_xid_db: Oid(1),
        oldest_multi: MultiXactId::FIRST,
        oldest_multi_db: Oid(1),
        time: 0,
        oldest_commit_ts_xid: Xid::INVALID,
        newest_commit_ts_xid: Xid::INVALID,
        oldest_active_xid: Xid::INVALID,
    }
}

/// Where the first record lies: the first segment is number 1.
pub fn first_record(segment_size: u32) -> Lsn {
    Lsn(u64::from(segment_size) + LONG_HEADER)
}

/// Writes `pg_wal/000000010000000000000001` with its checkpoint record, and `global/pg_control` (state: shut down).
/// The directories must exist. The pages of the cluster were written without WAL.
pub fn create(vfs: &dyn Vfs, new: &NewCluster) -> Result<ControlFile> {
    let segments = Segments::new(new.segment_size);
    let tli = TimelineId(1);
    let first = first_record(new.segment_size);
    let checkpoint = CheckPoint {
        redo: first,
        tli,
        prev_tli: tli,
        wal_level: new.parameters.wal_level,
        time: unix_time(),
        ..new.checkpoint
    };
    let mut body = Vec::with_capacity(CheckPoint::SIZE);
    checkpoint.encode(&mut body);
    let rules =
        ImageRules { redo: Lsn::INVALID, full_page_writes: false, compression: crate::insert::Compression::Off };
    let mut record = RecordBuilder::new(RmgrId::XLOG, xlog::CHECKPOINT_SHUTDOWN).main_data(&body).assemble(rules);
    record.seal(Lsn::INVALID);

    let mut content = vec![0; new.segment_size as usize];
    let header = PageHeader {
        magic: PAGE_MAGIC,
        info: XLP_LONG_HEADER,
        tli,
        address: segments.start(1),
        remaining: 0,
        long: Some((new.system_identifier, new.segment_size, PAGE as u32)),
    };
    header.encode(&mut content);
    let at = LONG_HEADER as usize;
    content[at..at + record.bytes.len()].copy_from_slice(&record.bytes);
    let path = segment_path(tli, 1, segments);
    let file = vfs.open(&path, OpenMode::CreateNew).or_pg("create file", &path)?;
    file.write_all_at(&content, 0).or_pg("write file", &path)?;
    file.sync_all().or_pg("fsync file", &path)?;
    vfs.sync_dir(crate::position::WAL_DIR).or_pg("fsync file", crate::position::WAL_DIR)?;

    let mut file = ControlFile::new_cluster(new.system_identifier, new.nonce, first, checkpoint);
    file.parameters = new.parameters;
    file.xlog_seg_size = new.segment_size;
    file.data_checksum_version = u32::from(new.checksums);
    control::create(vfs, &file)?;
    Ok(file)
}
