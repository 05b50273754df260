//! Replay of records about files: relations, databases, tablespaces. (PostgreSQL: `smgr_redo`, `dbase_redo`,
//! `tblspc_redo`)

use std::fmt::Write;

use base::{BlockNumber, ForkNumber, RelFileLocator, Result};
use wal::{Record, RedoContext, ResourceManager};

use super::name;
use crate::database_files as dirs;

const SMGR_CREATE: u8 = 0x10;
const SMGR_TRUNCATE: u8 = 0x20;
const TRUNCATE_HEAP: u32 = 1;
const TRUNCATE_VM: u32 = 2;
const TRUNCATE_FSM: u32 = 4;

pub(super) struct SmgrManager;

impl ResourceManager for SmgrManager {
    fn redo(&self, cx: &RedoContext, record: &Record) -> Result<()> {
        let mut r = record.main_reader();
        match record.rmgr_info() {
            SMGR_CREATE => {
                let (locator, fork) = (r.locator()?, r.fork()?);
                cx.smgr().create(locator, fork, true)
            }
            SMGR_TRUNCATE => {
                let (first, locator, flags) = (r.block()?, r.locator()?, r.u32()?);
                truncate(cx, locator, first, flags)
            }
            info => Err(record.damaged(format!("smgr_redo: unknown op code {info}"))),
        }
    }
    fn identify(&self, info: u8) -> Option<String> {
        name(info & 0xF0, &[(SMGR_CREATE, "CREATE"), (SMGR_TRUNCATE, "TRUNCATE")])
    }
    fn desc(&self, record: &Record, out: &mut String) {
        // A damaged record is printed as far as it can be read.
        let _ = describe_smgr(record, out);
    }
}

fn describe_smgr(record: &Record, out: &mut String) -> Result<()> {
    let path = |l: RelFileLocator| format!("{}/{}", dirs::database_path(l.spc, l.db), l.rel);
    let mut r = record.main_reader();
    if record.rmgr_info() == SMGR_CREATE {
        let (locator, fork) = (r.locator()?, r.fork()?);
        let _ = write!(out, "{}{}", path(locator), fork.suffix());
    } else {
        let (first, locator, flags) = (r.block()?, r.locator()?, r.u32()?);
        let _ = write!(out, "{} to {first} blocks flags {flags}", path(locator));
    }
    Ok(())
}

fn truncate(cx: &RedoContext, locator: RelFileLocator, first: BlockNumber, flags: u32) -> Result<()> {
    let smgr = cx.smgr();
    smgr.create(locator, ForkNumber::Main, true)?;
    let mut cuts = Vec::new();
    if flags & TRUNCATE_HEAP != 0 {
        cuts.push((ForkNumber::Main, first.0));
        cx.forget_from(locator, ForkNumber::Main, first);
    }
    if flags & TRUNCATE_FSM != 0 && smgr.exists(locator, ForkNumber::Fsm)? {
        cuts.extend(storage::fsm::prepare_truncate(&cx.pool, locator, first.0)?.map(|n| (ForkNumber::Fsm, n)));
    }
    if flags & TRUNCATE_VM != 0 && smgr.exists(locator, ForkNumber::Vm)? {
        cuts.extend(storage::vm::prepare_truncate(&cx.pool, locator, first.0)?.map(|n| (ForkNumber::Vm, n)));
    }
    for (fork, nblocks) in cuts {
        if smgr.nblocks(locator, fork)? > nblocks {
            cx.pool.discard_from(locator, fork, BlockNumber(nblocks));
            smgr.truncate(locator, fork, nblocks)?;
        }
    }
    Ok(())
}

pub(super) struct DbaseManager;

impl ResourceManager for DbaseManager {
    fn redo(&self, cx: &RedoContext, record: &Record) -> Result<()> {
        let mut r = record.main_reader();
        match record.rmgr_info() {
            dirs::DBASE_CREATE_FILE_COPY => {
                let (db, spc, source_db, source_spc) = (r.oid()?, r.oid()?, r.oid()?, r.oid()?);
                // What the copied files hold must be as of this record.
                cx.pool.flush_database(source_db)?;
                dirs::copy_database(&*cx.vfs, (source_spc, source_db), (spc, db))
            }
            dirs::DBASE_CREATE_WAL_LOG => {
                let (db, spc) = (r.oid()?, r.oid()?);
                dirs::create_database_dir(&*cx.vfs, spc, db)
            }
            dirs::DBASE_DROP => {
                let db = r.oid()?;
                cx.pool.drop_database(db);
                cx.smgr().forget_database(db);
                cx.forget_database(db);
                for _ in 0..r.count(4)? {
                    dirs::remove_database_dir(&*cx.vfs, r.oid()?, db)?;
                }
                Ok(())
            }
            info => Err(record.damaged(format!("dbase_redo: unknown op code {info}"))),
        }
    }
    fn identify(&self, info: u8) -> Option<String> {
        let names = [
            (dirs::DBASE_CREATE_FILE_COPY, "CREATE_FILE_COPY"),
            (dirs::DBASE_CREATE_WAL_LOG, "CREATE_WAL_LOG"),
            (dirs::DBASE_DROP, "DROP"),
        ];
        name(info & 0xF0, &names)
    }
    fn desc(&self, record: &Record, out: &mut String) {
        let mut r = record.main_reader();
        let mut describe = || -> Result<()> {
            let db = r.oid()?;
            let _ = match record.rmgr_info() {
                dirs::DBASE_CREATE_FILE_COPY => {
                    let (spc, source_db, source_spc) = (r.oid()?, r.oid()?, r.oid()?);
                    write!(out, "copy dir {source_spc}/{source_db} to {spc}/{db}")
                }
                dirs::DBASE_CREATE_WAL_LOG => write!(out, "create dir {}/{db}", r.oid()?),
                _ => {
                    out.push_str("dir");
                    for _ in 0..r.count(4)? {
                        let _ = write!(out, " {}/{db}", r.oid()?);
                    }
                    Ok(())
                }
            };
            Ok(())
        };
        // A damaged record is printed as far as it can be read.
        let _ = describe();
    }
}

pub(super) struct TblspcManager;

impl ResourceManager for TblspcManager {
    fn redo(&self, cx: &RedoContext, record: &Record) -> Result<()> {
        let mut r = record.main_reader();
        match record.rmgr_info() {
            dirs::TBLSPC_CREATE => {
                let (oid, path) = (r.oid()?, r.cstring()?);
                dirs::create_tablespace_dir(&*cx.vfs, oid, &path, true)
            }
            dirs::TBLSPC_DROP => dirs::remove_tablespace_dir(&*cx.vfs, r.oid()?, true),
            info => Err(record.damaged(format!("tblspc_redo: unknown op code {info}"))),
        }
    }
    fn identify(&self, info: u8) -> Option<String> {
        name(info & 0xF0, &[(dirs::TBLSPC_CREATE, "CREATE"), (dirs::TBLSPC_DROP, "DROP")])
    }
    fn desc(&self, record: &Record, out: &mut String) {
        let mut r = record.main_reader();
        let text = r.oid().map(|oid| match r.cstring() {
            Ok(path) if record.rmgr_info() == dirs::TBLSPC_CREATE => format!("{oid} \"{path}\""),
            _ => oid.to_string(),
        });
        out.push_str(&text.unwrap_or_default());
    }
}
