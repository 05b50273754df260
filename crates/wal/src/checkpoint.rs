//! Checkpoints: everything changed before the redo point is on disk, so that recovery may start there, and older
//! segments of the log may go. (PostgreSQL: `CreateCheckPoint`)

use std::sync::atomic::Ordering;

use base::{Lsn, PgError, Result, TimelineId, Xid};
use storage::critical;
use storage::vfs::{FileKind, IoContext};

use crate::control::{CheckPoint, DbState, WalLevel, unix_time};
use crate::insert::Wal;
use crate::position::{WAL_DIR, parse_segment_file_name};
use crate::record::RecordBuilder;
use crate::rmgr::RmgrId;
use crate::{panic_level, xlog};

/// What a checkpoint is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// While transactions run.
    Online,
    /// Nothing runs any more.
    Shutdown,
    /// After crash recovery; logged as a shutdown checkpoint.
    EndOfRecovery,
}

/// What the log asks of the floors above during a checkpoint. `txn` implements it.
pub trait CheckpointHooks: Send + Sync {
    /// Before anything else: removals of files from now on wait for the next checkpoint.
    fn before(&self) -> Result<()>;
    /// The oldest running xid. (PostgreSQL: `GetOldestActiveTransactionId`)
    fn oldest_active_xid(&self) -> Xid;
    /// Runs `body`, which determines the redo pointer, while no commit is between its record and its mark in pg_xact.
    fn with_commits_blocked(&self, body: &mut dyn FnMut());
    /// Fills `next_xid`, `next_oid`, multixact and oldest-xid fields.
    fn fill(&self, checkpoint: &mut CheckPoint, kind: Kind);
    /// Writes everything changed before the redo pointer: SLRUs, buffers, then fsyncs. (PostgreSQL: `CheckPointGuts`)
    fn write_all(&self, kind: Kind) -> Result<()>;
    /// Logs XLOG_RUNNING_XACTS.
    fn log_running_xacts(&self) -> Result<()>;
    /// The checkpoint is durable: files of dropped relations may go.
    fn done(&self) -> Result<()>;
}

/// How a checkpoint went, for `log_checkpoints` and `pg_stat_checkpointer`.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Summary {
    pub segments_removed: usize,
    pub segments_recycled: usize,
}

/// Makes a checkpoint. An online one is skipped (`None`) if nothing important was logged since the last one, unless `force`.
pub fn create(wal: &Wal, hooks: &dyn CheckpointHooks, kind: Kind, force: bool) -> Result<Option<Summary>> {
    let shutdown = kind != Kind::Online;
    hooks.before()?;
    if shutdown {
        wal.control().update(|c| c.state = DbState::Shutdowning)?;
    }
    let replica = wal.wal_level() >= WalLevel::Replica;
    let oldest_active_xid = if shutdown || !replica { Xid::INVALID } else { hooks.oldest_active_xid() };
    let before = wal.control().get();
    if !shutdown && !force && wal.last_important() == before.checkpoint {
        return Ok(None);
    }
    let mut redo = Lsn::INVALID;
    hooks.with_commits_blocked(&mut || {
        redo = match shutdown {
            true => wal.set_redo_to_insert_position(),
            false => log_redo_point(wal),
        };
    });
    let tli = wal.timeline();
    let mut checkpoint = CheckPoint {
        redo,
        tli,
        prev_tli: tli,
        full_page_writes: wal.full_page_writes(),
        wal_level: wal.wal_level(),
        time: unix_time(),
        oldest_active_xid,
        ..before.checkpoint_copy
    };
    hooks.fill(&mut checkpoint, kind);
    hooks.write_all(kind)?;
    if !shutdown && replica {
        hooks.log_running_xacts()?;
    }
    let mut body = Vec::with_capacity(CheckPoint::SIZE);
    checkpoint.encode(&mut body);
    let info = if shutdown { xlog::CHECKPOINT_SHUTDOWN } else { xlog::CHECKPOINT_ONLINE };
    let record = RecordBuilder::new(RmgrId::XLOG, info).main_data(&body);
    let placed = critical(|section| wal.insert_at(section, record));
    wal.flush(placed.end).map_err(panic_level)?;
    if shutdown && placed.start != redo {
        let text = "concurrent write-ahead log activity while database system is shutting down";
        return Err(panic_level(PgError::internal(text)));
    }
    wal.control().update(|c| {
        if shutdown {
            c.state = DbState::Shutdowned;
        }
        c.checkpoint = placed.start;
        c.checkpoint_copy = checkpoint;
        c.min_recovery_point = Lsn::INVALID;
        c.min_recovery_point_tli = TimelineId(0);
    })?;
    hooks.done()?;
    wal.estimate_distance(redo.0.saturating_sub(before.checkpoint_copy.redo.0));
    remove_old_segments(wal, redo, placed.end).map(Some)
}

/// XLOG_CHECKPOINT_REDO: its start is the redo pointer, from the moment it has its place.
fn log_redo_point(wal: &Wal) -> Lsn {
    let level = (wal.wal_level() as i32).to_le_bytes();
    let record = RecordBuilder::new(RmgrId::XLOG, xlog::CHECKPOINT_REDO).main_data(&level).unimportant();
    wal.insert_with(record, |wal, place| place.begins_here(wal)).start
}

/// Segments before the redo pointer are renamed for reuse or removed. (PostgreSQL: `RemoveOldXlogFiles`)
fn remove_old_segments(wal: &Wal, redo: Lsn, end: Lsn) -> Result<Summary> {
    let (segments, options, vfs) = (wal.segments(), wal.options(), wal.vfs());
    let size_mb = segments.size() >> 20;
    let mut keep_from = segments.number(redo);
    if options.wal_keep_size_mb > 0 {
        keep_from = keep_from.min((segments.number(end) + 1).saturating_sub(options.wal_keep_size_mb / size_mb));
    }
    // How far ahead segments are worth having. (PostgreSQL: `XLOGfileslop`)
    let first = segments.number(redo);
    let (min, max) = (options.min_wal_size_mb / size_mb, options.max_wal_size_mb / size_mb);
    let distance = wal.distance.load(Ordering::Relaxed) as f64 * 1.9 * 1.1;
    let wanted = (redo.0 + distance as u64).div_ceil(segments.size());
    let recycle_until = wanted.clamp(first + min.max(1) - 1, first + max.max(min).max(1) - 1);
    let mut summary = Summary::default();
    let mut next = segments.number(end);
    for entry in vfs.list(WAL_DIR).or_pg("open directory", WAL_DIR)? {
        let Some((_, number)) = parse_segment_file_name(&entry.name, segments) else { continue };
        if number >= keep_from || entry.kind != FileKind::File {
            continue;
        }
        let path = format!("{WAL_DIR}/{}", entry.name);
        let recycled = options.recycle && wal.log_file().install(&path, wal.timeline(), &mut next, recycle_until)?;
        if recycled {
            summary.segments_recycled += 1;
        } else {
            vfs.remove_file(&path).or_pg("remove file", &path)?;
            summary.segments_removed += 1;
        }
    }
    Ok(summary)
}

impl Wal {
    /// The usual distance between checkpoints: grows at once, shrinks slowly. (PostgreSQL:
    /// `UpdateCheckPointDistanceEstimate`)
    fn estimate_distance(&self, bytes: u64) {
        let before = self.distance.load(Ordering::Relaxed);
        let now = if before < bytes { bytes } else { (before as f64 * 0.9 + bytes as f64 * 0.1) as u64 };
        self.distance.store(now, Ordering::Relaxed);
    }
    /// Is a checkpoint due because so much was written since the last one? (PostgreSQL: `XLogCheckpointNeeded`)
    pub fn checkpoint_due(&self) -> bool {
        // With pauses, a checkpoint takes almost as long as the time to the next one.
        let segments = (self.options().max_wal_size_mb << 20) as f64 / self.segments().size() as f64 / 1.9;
        let since =
            self.segments().number(self.write_position()).saturating_sub(self.segments().number(self.redo_pointer()));
        since as f64 >= segments.max(1.0) - 1.0 && since > 0
    }
}
