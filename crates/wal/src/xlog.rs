//! The log's own records: checkpoints, full-page images, parameter changes. (PostgreSQL: `XLOG_*` of `pg_control.h`,
//! `xlog_redo`)

use std::fmt::Write;
use std::sync::Arc;

use base::Result;
use storage::critical;

use crate::bytes::{Put, Reader};
use crate::control::{CheckPoint, Parameters, WalLevel};
use crate::insert::Wal;
use crate::record::{Record, RecordBuilder};
use crate::redo::{RedoBuffer, RedoContext};
use crate::rmgr::{ResourceManager, RmgrId};

pub const CHECKPOINT_SHUTDOWN: u8 = 0x00;
pub const CHECKPOINT_ONLINE: u8 = 0x10;
pub const NOOP: u8 = 0x20;
pub const NEXTOID: u8 = 0x30;
pub const SWITCH: u8 = 0x40;
pub const BACKUP_END: u8 = 0x50;
pub const PARAMETER_CHANGE: u8 = 0x60;
pub const RESTORE_POINT: u8 = 0x70;
pub const FPW_CHANGE: u8 = 0x80;
pub const END_OF_RECOVERY: u8 = 0x90;
pub const FPI_FOR_HINT: u8 = 0xA0;
pub const FPI: u8 = 0xB0;
pub const OVERWRITE_CONTRECORD: u8 = 0xD0;
pub const CHECKPOINT_REDO: u8 = 0xE0;

/// The resource manager of the log itself. Counters in checkpoints go to [`crate::recovery::RecoveryHooks`].
pub struct XlogManager {
    pub wal: Option<Arc<Wal>>,
}

impl ResourceManager for XlogManager {
    fn redo(&self, cx: &RedoContext, record: &Record) -> Result<()> {
        match record.rmgr_info() {
            FPI | FPI_FOR_HINT => {
                for block in &record.blocks {
                    if !block.applies_image() {
                        match record.rmgr_info() {
                            FPI => return Err(record.damaged("XLOG_FPI record did not contain a full-page image")),
                            _ => continue,
                        }
                    }
                    let RedoBuffer::Restored(_) = cx.read_buffer_for_redo(record, block.id)? else {
                        let text = "unexpected XLogReadBufferForRedo result when restoring backup block";
                        return Err(record.damaged(text));
                    };
                }
                Ok(())
            }
            PARAMETER_CHANGE => {
                let parameters = decode_parameters(&record.main)?;
                match &self.wal {
                    Some(wal) => wal.control().update(|c| c.parameters = parameters),
                    None => Ok(()),
                }
            }
            // Counters are the hooks' business; the others matter to archive recovery and standbys only.
            CHECKPOINT_SHUTDOWN | CHECKPOINT_ONLINE | NEXTOID | CHECKPOINT_REDO | NOOP | SWITCH | BACKUP_END
            | RESTORE_POINT | FPW_CHANGE | END_OF_RECOVERY | OVERWRITE_CONTRECORD => Ok(()),
            info => Err(record.damaged(format!("xlog_redo: unknown op code {info}"))),
        }
    }

    fn identify(&self, info: u8) -> Option<String> {
        let name = match info & 0xF0 {
            CHECKPOINT_SHUTDOWN => "CHECKPOINT_SHUTDOWN",
            CHECKPOINT_ONLINE => "CHECKPOINT_ONLINE",
            NOOP => "NOOP",
            NEXTOID => "NEXTOID",
            SWITCH => "SWITCH",
            BACKUP_END => "BACKUP_END",
            PARAMETER_CHANGE => "PARAMETER_CHANGE",
            RESTORE_POINT => "RESTORE_POINT",
            FPW_CHANGE => "FPW_CHANGE",
            END_OF_RECOVERY => "END_OF_RECOVERY",
            FPI_FOR_HINT => "FPI_FOR_HINT",
            FPI => "FPI",
            OVERWRITE_CONTRECORD => "OVERWRITE_CONTRECORD",
            CHECKPOINT_REDO => "CHECKPOINT_REDO",
            _ => return None,
        };
        Some(name.to_owned())
    }

    fn desc(&self, record: &Record, out: &mut String) {
        // A damaged record is printed as far as it can be read.
        let _ = describe(record, out);
    }
}

fn describe(record: &Record, out: &mut String) -> Result<()> {
    let mut r = record.main_reader();
    let _ = match record.rmgr_info() {
        info @ (CHECKPOINT_SHUTDOWN | CHECKPOINT_ONLINE) => {
            let c = CheckPoint::decode(&mut r)?;
            write!(
                out,
                "redo {}; tli {}; prev tli {}; fpw {}; wal_level {}; xid {}:{}; oid {}; multi {}; offset {}; oldest xid \
                 {} in DB {}; oldest multi {} in DB {}; oldest/newest commit timestamp xid: {}/{}; oldest running xid \
                 {}; {}",
                c.redo,
                c.tli.0,
                c.prev_tli.0,
                c.full_page_writes,
                c.wal_level.as_str(),
                c.next_xid.epoch(),
                c.next_xid.xid(),
                c.next_oid,
                c.next_multi.0,
                c.next_multi_offset,
                c.oldest_xid,
                c.oldest_xid_db,
                c.oldest_multi.0,
                c.oldest_multi_db,
                c.oldest_commit_ts_xid,
                c.newest_commit_ts_xid,
                c.oldest_active_xid,
                if info == CHECKPOINT_SHUTDOWN { "shutdown" } else { "online" }
            )
        }
        NEXTOID => write!(out, "{}", r.u32()?),
        BACKUP_END => write!(out, "{}", r.lsn()?),
        RESTORE_POINT => {
            r.skip(8)?;
            write!(out, "{}", r.cstring()?)
        }
        PARAMETER_CHANGE => {
            let p = decode_parameters(&record.main)?;
            let on_off = |b| if b { "on" } else { "off" };
            write!(
                out,
                "max_connections={} max_worker_processes={} max_wal_senders={} max_prepared_xacts={} \
                 max_locks_per_xact={} wal_level={} wal_log_hints={} track_commit_timestamp={}",
                p.max_connections,
                p.max_worker_processes,
                p.max_wal_senders,
                p.max_prepared_xacts,
                p.max_locks_per_xact,
                p.wal_level.as_str(),
                on_off(p.wal_log_hints),
                on_off(p.track_commit_timestamp)
            )
        }
        FPW_CHANGE => write!(out, "{}", r.u8()? != 0),
        CHECKPOINT_REDO => {
            write!(out, "wal_level {}", WalLevel::from_i32(r.i32()?).map_or("?", WalLevel::as_str))
        }
        OVERWRITE_CONTRECORD => write!(out, "lsn {}", r.lsn()?),
        END_OF_RECOVERY => {
            r.skip(8)?;
            write!(out, "tli {}; prev tli {}", r.u32()?, r.u32()?)
        }
        _ => Ok(()),
    };
    Ok(())
}

/// (PostgreSQL: `xl_parameter_change`)
fn decode_parameters(main: &[u8]) -> Result<Parameters> {
    let mut r = Reader::new(main);
    let (max_connections, max_worker_processes, max_wal_senders) = (r.i32()?, r.i32()?, r.i32()?);
    let (max_prepared_xacts, max_locks_per_xact, level) = (r.i32()?, r.i32()?, r.i32()?);
    let (wal_log_hints, track_commit_timestamp) = (r.u8()? != 0, r.u8()? != 0);
    Ok(Parameters {
        wal_level: WalLevel::from_i32(level).unwrap_or(WalLevel::Replica),
        wal_log_hints,
        max_connections,
        max_worker_processes,
        max_wal_senders,
        max_prepared_xacts,
        max_locks_per_xact,
        track_commit_timestamp,
    })
}

impl Wal {
    /// Logs the settings that standbys must know if they changed, and notes them in pg_control.
    /// (PostgreSQL: `XLogReportParameters`)
    pub(crate) fn report_parameters(&self) -> Result<()> {
        let p = self.options().parameters;
        let known = self.control().get().parameters;
        if p == known {
            return Ok(());
        }
        // Neither a change of hints only, nor anything below "replica", matters to a standby.
        let minimal = p.wal_level == WalLevel::Minimal && known.wal_level == WalLevel::Minimal;
        if !minimal {
            let mut main = Vec::with_capacity(28);
            for n in [p.max_connections, p.max_worker_processes, p.max_wal_senders, p.max_prepared_xacts] {
                main.put_i32(n);
            }
            main.put_i32(p.max_locks_per_xact);
            main.put_i32(p.wal_level as i32);
            main.put(&[u8::from(p.wal_log_hints), u8::from(p.track_commit_timestamp), 0, 0]);
            let record = RecordBuilder::new(RmgrId::XLOG, PARAMETER_CHANGE).main_data(&main);
            let end = critical(|section| self.insert(section, record));
            self.flush(end)?;
        }
        self.control().update(|c| c.parameters = p)
    }
    /// (PostgreSQL: `UpdateFullPageWrites`)
    pub(crate) fn report_full_page_writes(&self, before: bool) {
        let now = self.full_page_writes();
        if now != before {
            let record = RecordBuilder::new(RmgrId::XLOG, FPW_CHANGE).main_data(&[u8::from(now)]);
            critical(|section| self.insert(section, record));
        }
    }
}
