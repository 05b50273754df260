//! From pg_control to a consistent cluster. (PostgreSQL: `StartupXLOG`, `PerformWalRecovery`)
//!
//! 1. pg_control says where the last checkpoint lies and whether the server stopped in order.
//! 2. If not, every record from the checkpoint's redo point on is replayed, up to the end of the log.
//! 3. The log accepts records behind that end.
//!
//! The caller then makes the end-of-recovery checkpoint and calls [`enter_production`].

use std::sync::Arc;

use base::sqlstate::DATA_CORRUPTED;
use base::{Lsn, Oid, PgError, Result, Xid};
use storage::vfs::{FileKind, IoContext, OpenMode};
use storage::{BufferPool, Vfs, critical};

use crate::bytes::Put;
use crate::control::{CheckPoint, ControlFile, DbState, ctime_utc};
use crate::insert::{LogEnd, Wal};
use crate::position::WAL_DIR;
use crate::reader::{End, Next, Reader};
use crate::record::{Record, RecordBuilder};
use crate::redo::RedoContext;
use crate::rmgr::{RmgrId, RmgrTable};
use crate::{panic_level, xlog};

/// What recovery reports, and asks, while it runs. `txn` implements it.
pub trait RecoveryHooks: Send + Sync {
    /// The checkpoint recovery starts from: counters and SLRUs are set up from it.
    fn start(&self, checkpoint: &CheckPoint) -> Result<()>;
    /// A record with this xid is about to be replayed: the next xid lies beyond it.
    fn saw_xid(&self, xid: Xid);
    /// A checkpoint record is replayed: counters are at least these; exactly these if nothing ran (`online` is false).
    fn saw_checkpoint(&self, checkpoint: &CheckPoint, online: bool) -> Result<()>;
    fn saw_next_oid(&self, next: Oid);
    /// Everything is replayed, the log does not yet accept records.
    fn finish(&self) -> Result<()>;
    /// For the server log.
    fn log(&self, message: &str) {
        let _ = message;
    }
}

/// What recovery found.
#[derive(Clone, Debug)]
pub struct Outcome {
    pub end: LogEnd,
    /// Where redo began and the last record; `None` after a clean shutdown. `Some` asks for an end-of-recovery checkpoint.
    pub redo: Option<(Lsn, Lsn)>,
    /// The checkpoint recovery started from.
    pub checkpoint: CheckPoint,
}

/// Brings the cluster to a consistent state and lets the log accept records.
pub fn recover(
    wal: &Arc<Wal>,
    pool: &Arc<BufferPool>,
    managers: &RmgrTable,
    hooks: &dyn RecoveryHooks,
) -> Result<Outcome> {
    let control = wal.control().get();
    hooks.log(&state_message(&control));
    refuse_archive_recovery(&**wal.vfs())?;
    remove_temporary_segments(&**wal.vfs())?;
    let mut reader =
        Reader::new(Arc::clone(wal.vfs()), wal.segments(), control.checkpoint_copy.tli, control.system_identifier);
    let (record, checkpoint) = read_checkpoint(&mut reader, control.checkpoint)?;
    let clean = record.rmgr_info() == xlog::CHECKPOINT_SHUTDOWN;
    if checkpoint.redo > record.lsn {
        return Err(panic("invalid redo in checkpoint record".into()));
    }
    if checkpoint.redo < record.lsn && clean {
        return Err(panic("invalid redo record in shutdown checkpoint".into()));
    }
    let needed = checkpoint.redo < record.lsn || control.state != DbState::Shutdowned;
    wal.set_redo_pointer(checkpoint.redo);
    hooks.start(&checkpoint)?;
    let tli = checkpoint.tli;
    let mut end = LogEnd { tli, end: record.end, prev: record.lsn, aborted_contrecord: None };
    let mut redo = None;
    if needed {
        hooks.log("database system was not properly shut down; automatic recovery in progress");
        sync_everything(&**wal.vfs(), "")?;
        wal.control().update(|c| {
            c.state = DbState::InCrashRecovery;
            c.checkpoint_copy = checkpoint;
        })?;
        let (from, last) = replay(wal, pool, managers, hooks, &mut reader, (&record, &checkpoint), &mut end)?;
        redo = Some((from, last));
    }
    hooks.finish()?;
    wal.start_inserting(end)?;
    if let Some(start) = end.aborted_contrecord {
        log_overwritten(wal, start)?;
    }
    Ok(Outcome { end, redo, checkpoint })
}

/// The cluster is ready: pg_control says "in production".
pub fn enter_production(wal: &Wal, before: &CheckPoint) -> Result<()> {
    wal.report_full_page_writes(before.full_page_writes);
    wal.report_parameters()?;
    wal.control().update(|c| c.state = DbState::InProduction)
}

fn panic(message: String) -> PgError {
    panic_level(PgError::new(DATA_CORRUPTED, message))
}

fn state_message(control: &ControlFile) -> String {
    let at = ctime_utc(control.time);
    match control.state {
        DbState::Shutdowned => format!("database system was shut down at {at}"),
        DbState::ShutdownedInRecovery => format!("database system was shut down in recovery at {at}"),
        DbState::Shutdowning => format!("database system shutdown was interrupted; last known up at {at}"),
        DbState::InCrashRecovery => format!("database system was interrupted while in recovery at {at}"),
        DbState::InArchiveRecovery => format!(
            "database system was interrupted while in recovery at log time {}",
            ctime_utc(control.checkpoint_copy.time)
        ),
        DbState::Startup | DbState::InProduction => {
            format!("database system was interrupted; last known up at {at}")
        }
    }
}

fn refuse_archive_recovery(vfs: &dyn Vfs) -> Result<()> {
    for (file, what) in [
        ("backup_label", "recovery from a base backup"),
        ("recovery.signal", "archive recovery"),
        ("standby.signal", "standby mode"),
    ] {
        if vfs.exists(file) {
            return Err(PgError::unsupported(what).fatal());
        }
    }
    Ok(())
}

/// What a crash left of segments in the making. (PostgreSQL: `RemoveTempXlogFiles`)
fn remove_temporary_segments(vfs: &dyn Vfs) -> Result<()> {
    for entry in vfs.list(WAL_DIR).or_pg("open directory", WAL_DIR)? {
        if entry.name.starts_with("xlogtemp.") {
            let path = format!("{WAL_DIR}/{}", entry.name);
            vfs.remove_file(&path).or_pg("remove file", &path)?;
        }
    }
    Ok(())
}

fn read_checkpoint(reader: &mut Reader, at: Lsn) -> Result<(Record, CheckPoint)> {
    reader.seek(at);
    let missing = |why: &str| {
        panic_level(
            PgError::new(DATA_CORRUPTED, format!("could not locate a valid checkpoint record at {at}"))
                .detail(why.to_owned()),
        )
    };
    let record = match reader.next()? {
        Next::Record(record) => record,
        Next::End(end) => return Err(missing(&end.reason)),
    };
    let is_checkpoint = record.rmgr == RmgrId::XLOG.0
        && matches!(record.rmgr_info(), xlog::CHECKPOINT_SHUTDOWN | xlog::CHECKPOINT_ONLINE);
    if !is_checkpoint {
        return Err(missing("The record there is no checkpoint."));
    }
    let checkpoint = CheckPoint::decode(&mut record.main_reader())?;
    Ok((*record, checkpoint))
}

/// Replays from the redo point to the end of the log. Returns the first and the last record.
fn replay(
    wal: &Arc<Wal>,
    pool: &Arc<BufferPool>,
    managers: &RmgrTable,
    hooks: &dyn RecoveryHooks,
    reader: &mut Reader,
    (record, checkpoint): (&Record, &CheckPoint),
    end: &mut LogEnd,
) -> Result<(Lsn, Lsn)> {
    let mut managers = managers.clone();
    managers.register(RmgrId::XLOG, Arc::new(xlog::XlogManager { wal: Some(Arc::clone(wal)) }));
    let cx = RedoContext::new(Arc::clone(pool), Arc::clone(wal.vfs()));
    if checkpoint.redo < record.lsn {
        reader.seek(checkpoint.redo);
    }
    let each = |f: &dyn Fn(&dyn crate::ResourceManager) -> Result<()>| {
        (0..=u8::MAX).filter_map(|id| managers.get(id)).try_for_each(|m| f(&**m))
    };
    each(&|m| m.startup())?;
    let mut first = None;
    let mut last = record.lsn;
    let stop = loop {
        let record = match reader.next()? {
            Next::Record(record) => record,
            Next::End(stop) => break stop,
        };
        if first.is_none() {
            first = Some(record.lsn);
            hooks.log(&format!("redo starts at {}", record.lsn));
            let expected = checkpoint.redo < end.prev;
            if expected && !(record.rmgr == RmgrId::XLOG.0 && record.rmgr_info() == xlog::CHECKPOINT_REDO) {
                return Err(panic(format!("unexpected record type found at redo point {}", record.lsn)).fatal());
            }
        }
        hooks.saw_xid(record.xid);
        if record.rmgr == RmgrId::XLOG.0 {
            saw_own_record(&record, hooks)?;
        }
        managers.require(&record)?.redo(&cx, &record).map_err(|e| {
            e.context(format!("WAL redo at {} for {}", record.lsn, crate::record::describe(&record, &managers)))
        })?;
        last = record.lsn;
        (end.end, end.prev) = (record.end, record.lsn);
    };
    if first.is_none() {
        // Nothing follows the shutdown checkpoint.
        hooks.log("redo is not required");
    }
    end_of_log(reader, &stop, end)?;
    each(&|m| m.cleanup(&cx))?;
    cx.check_invalid_pages()?;
    if let Some(first) = first {
        hooks.log(&format!("redo done at {last}"));
        return Ok((first, last));
    }
    Ok((checkpoint.redo, last))
}

fn saw_own_record(record: &Record, hooks: &dyn RecoveryHooks) -> Result<()> {
    let mut r = record.main_reader();
    match record.rmgr_info() {
        xlog::CHECKPOINT_SHUTDOWN => hooks.saw_checkpoint(&CheckPoint::decode(&mut r)?, false),
        xlog::CHECKPOINT_ONLINE => hooks.saw_checkpoint(&CheckPoint::decode(&mut r)?, true),
        xlog::NEXTOID => {
            hooks.saw_next_oid(r.oid()?);
            Ok(())
        }
        _ => Ok(()),
    }
}

/// Makes sure that this is the end, and where records go on.
fn end_of_log(reader: &mut Reader, stop: &End, end: &mut LogEnd) -> Result<()> {
    if let Some(later) = reader.later_record(stop)? {
        return Err(panic_level(
            PgError::new(DATA_CORRUPTED, format!("write-ahead log is damaged at {}", stop.at))
                .detail(format!("{}; but there is a valid record at {later}.", stop.reason))
                .hint("Restore from a backup, or use pg_resetwal if you accept to lose what follows."),
        ));
    }
    if let Some(page) = stop.missing_page {
        end.aborted_contrecord = Some(stop.at);
        end.end = page;
    }
    Ok(())
}

/// (PostgreSQL: `CreateOverwriteContrecordRecord`)
fn log_overwritten(wal: &Wal, start: Lsn) -> Result<()> {
    let mut main = Vec::with_capacity(16);
    main.put_u64(start.0);
    main.put_i64(0);
    let record = RecordBuilder::new(RmgrId::XLOG, xlog::OVERWRITE_CONTRECORD).main_data(&main);
    let end = critical(|section| wal.insert(section, record));
    wal.flush(end)
}

/// After a crash, what files hold may be in the operating system's cache only; redo relies on it being durable.
/// (PostgreSQL: `SyncDataDirectory`)
fn sync_everything(vfs: &dyn Vfs, dir: &str) -> Result<()> {
    let entries = vfs.list(dir).or_pg("open directory", dir)?;
    for entry in entries {
        let path = if dir.is_empty() { entry.name.clone() } else { format!("{dir}/{}", entry.name) };
        let is_tablespace = dir == "pg_tblspc" && entry.kind == FileKind::Symlink;
        match entry.kind {
            FileKind::Directory => sync_everything(vfs, &path)?,
            FileKind::Symlink if is_tablespace || path == "pg_wal" => sync_everything(vfs, &path)?,
            FileKind::File => {
                // A file that we may not open is none of ours.
                if let Ok(file) = vfs.open(&path, OpenMode::Read) {
                    file.sync_all().or_pg("fsync file", &path).map_err(panic_level)?;
                }
            }
            _ => {}
        }
    }
    vfs.sync_dir(dir).or_pg("fsync file", dir).map_err(panic_level)
}
