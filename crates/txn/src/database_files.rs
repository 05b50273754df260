//! Directories of databases and tablespaces, and the records about them: for CREATE/DROP DATABASE and TABLESPACE, and for
//! their redo. (PostgreSQL: `dbcommands.c`, `tablespace.c`, `copydir.c`)

use std::io;

use base::sqlstate::{OBJECT_NOT_IN_PREREQUISITE_STATE, UNDEFINED_FILE};
use base::{BlockNumber, ForkNumber, Lsn, Oid, PgError, RelFileLocator, Result};
use storage::vfs::{FileKind, IoContext, OpenMode};
use storage::{BufferPool, Critical, Persistence, Vfs, critical};
use wal::bytes::Put;
use wal::{RecordBuilder, RmgrId, Wal};

pub(crate) const DBASE_CREATE_FILE_COPY: u8 = 0x00;
pub(crate) const DBASE_CREATE_WAL_LOG: u8 = 0x10;
pub(crate) const DBASE_DROP: u8 = 0x20;
pub(crate) const TBLSPC_CREATE: u8 = 0x00;
pub(crate) const TBLSPC_DROP: u8 = 0x10;
/// (PostgreSQL: `XLR_SPECIAL_REL_UPDATE`)
const SPECIAL_REL_UPDATE: u8 = 0x01;

/// `pg_default`.
pub const DEFAULT_TABLESPACE: Oid = Oid(1663);
/// `pg_global`.
pub const GLOBAL_TABLESPACE: Oid = Oid(1664);
/// A tablespace's directory holds one of this name, so that several versions can share a location.
pub const TABLESPACE_VERSION_DIRECTORY: &str = "PG_18_202506291";
/// (PostgreSQL: `SMGR_TRUNCATE_ALL`)
const TRUNCATE_ALL: u32 = 7;
const VERSION: &[u8] = b"18\n";

/// Where a database's files of a tablespace lie. (PostgreSQL: `GetDatabasePath`)
pub fn database_path(spc: Oid, db: Oid) -> String {
    match spc {
        GLOBAL_TABLESPACE => "global".into(),
        DEFAULT_TABLESPACE => format!("base/{db}"),
        _ => format!("pg_tblspc/{spc}/{TABLESPACE_VERSION_DIRECTORY}/{db}"),
    }
}

/// Copies a database's directory durably, replacing what there may be. (PostgreSQL: `copydir`)
pub fn copy_database(vfs: &dyn Vfs, (from_spc, from_db): (Oid, Oid), (spc, db): (Oid, Oid)) -> Result<()> {
    let (from, to) = (database_path(from_spc, from_db), database_path(spc, db));
    if vfs.is_dir(&to) {
        vfs.remove_dir_all(&to).or_pg("remove directory", &to)?;
    }
    vfs.create_dir_all(&to).or_pg("create directory", &to)?;
    for entry in vfs.list(&from).or_pg("open directory", &from)? {
        if entry.kind != FileKind::File {
            continue;
        }
        let (source, target) = (format!("{from}/{}", entry.name), format!("{to}/{}", entry.name));
        vfs.copy_file(&source, &target).or_pg("copy file", &source)?;
        let file = vfs.open(&target, OpenMode::ReadWrite).or_pg("open file", &target)?;
        file.sync_all().or_pg("fsync file", &target)?;
    }
    sync_dir_and_parent(vfs, &to)
}

/// The directory of a new database, with its `PG_VERSION`. (PostgreSQL: `CreateDirAndVersionFile`)
pub fn create_database_dir(vfs: &dyn Vfs, spc: Oid, db: Oid) -> Result<()> {
    let dir = database_path(spc, db);
    vfs.create_dir_all(&dir).or_pg("create directory", &dir)?;
    let path = format!("{dir}/PG_VERSION");
    let file = vfs.open(&path, OpenMode::Truncate).or_pg("create file", &path)?;
    file.write_all_at(VERSION, 0).or_pg("write to file", &path)?;
    file.sync_all().or_pg("fsync file", &path)?;
    sync_dir_and_parent(vfs, &dir)
}

/// Removes the directory if it is there. (PostgreSQL: `remove_dbtablespaces`)
pub fn remove_database_dir(vfs: &dyn Vfs, spc: Oid, db: Oid) -> Result<()> {
    let dir = database_path(spc, db);
    match vfs.remove_dir_all(&dir) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other.or_pg("remove directory", &dir),
    }
}

fn sync_dir_and_parent(vfs: &dyn Vfs, dir: &str) -> Result<()> {
    vfs.sync_dir(dir).or_pg("fsync file", dir)?;
    let parent = storage::vfs::parent_of(dir);
    vfs.sync_dir(parent).or_pg("fsync file", parent)
}

/// The link in `pg_tblspc` and the version's directory behind it; an empty location makes a plain directory there.
/// (PostgreSQL: `create_tablespace_directories`)
pub fn create_tablespace_dir(vfs: &dyn Vfs, oid: Oid, location: &str, in_recovery: bool) -> Result<()> {
    let link = format!("pg_tblspc/{oid}");
    if location.is_empty() {
        let dir = format!("{link}/{TABLESPACE_VERSION_DIRECTORY}");
        return vfs.create_dir_all(&dir).or_pg("create directory", &dir);
    }
    if !vfs.is_dir(location) {
        let error = PgError::new(UNDEFINED_FILE, format!("directory \"{location}\" does not exist"));
        return Err(match in_recovery {
            true => error.hint("Create this directory for the tablespace before restarting the server."),
            false => error,
        });
    }
    let dir = format!("{location}/{TABLESPACE_VERSION_DIRECTORY}");
    match vfs.create_dir(&dir) {
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists && !in_recovery => {
            let text = format!("directory \"{dir}\" already in use as a tablespace");
            return Err(PgError::new(base::sqlstate::OBJECT_IN_USE, text));
        }
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {}
        other => other.or_pg("create directory", &dir)?,
    }
    if in_recovery {
        remove_link(vfs, &link)?;
    }
    vfs.symlink(location, &link).or_pg("create symbolic link", &link)?;
    vfs.sync_dir("pg_tblspc").or_pg("fsync file", "pg_tblspc")
}

/// Undoes `create_tablespace_dir`; directories of databases must be empty, or in recovery may be anything.
/// (PostgreSQL: `destroy_tablespace_directories`)
pub fn remove_tablespace_dir(vfs: &dyn Vfs, oid: Oid, in_recovery: bool) -> Result<()> {
    let link = format!("pg_tblspc/{oid}");
    let dir = format!("{link}/{TABLESPACE_VERSION_DIRECTORY}");
    if vfs.is_dir(&dir) {
        for entry in vfs.list(&dir).or_pg("open directory", &dir)? {
            let path = format!("{dir}/{}", entry.name);
            if in_recovery {
                vfs.remove_dir_all(&path).or_pg("remove directory", &path)?;
            } else if !vfs.list(&path).or_pg("open directory", &path)?.is_empty() {
                let text = format!("tablespace directory \"{path}\" is not empty");
                return Err(PgError::new(OBJECT_NOT_IN_PREREQUISITE_STATE, text));
            } else {
                vfs.remove_dir(&path).or_pg("remove directory", &path)?;
            }
        }
        vfs.remove_dir(&dir).or_pg("remove directory", &dir)?;
    }
    remove_link(vfs, &link)
}

fn remove_link(vfs: &dyn Vfs, link: &str) -> Result<()> {
    let result = match vfs.remove_file(link) {
        Err(_) if vfs.is_dir(link) => vfs.remove_dir(link),
        other => other,
    };
    match result {
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other.or_pg("remove symbolic link", link),
    }
}

/// Shortens a relation to so many pages, with its maps; the caller holds ACCESS EXCLUSIVE. (PostgreSQL: `RelationTruncate`)
pub fn truncate_relation(wal: &Wal, pool: &BufferPool, locator: RelFileLocator, nblocks: u32) -> Result<()> {
    let smgr = pool.smgr();
    let mut cuts = vec![(ForkNumber::Main, nblocks)];
    if smgr.exists(locator, ForkNumber::Fsm)? {
        cuts.extend(storage::fsm::prepare_truncate(pool, locator, nblocks)?.map(|n| (ForkNumber::Fsm, n)));
    }
    if smgr.exists(locator, ForkNumber::Vm)? {
        cuts.extend(storage::vm::prepare_truncate(pool, locator, nblocks)?.map(|n| (ForkNumber::Vm, n)));
    }
    if smgr.persistence(locator) == Persistence::Permanent {
        let lsn = critical(|section| wal.log_smgr_truncate(section, locator, BlockNumber(nblocks), TRUNCATE_ALL));
        // Pages behind the end must not come back after a crash while the record is lost: an index may refer to them no more.
        wal.flush(lsn)?;
    }
    for (fork, nblocks) in cuts {
        pool.discard_from(locator, fork, BlockNumber(nblocks));
        smgr.truncate(locator, fork, nblocks)?;
    }
    Ok(())
}

/// XLOG_DBASE_CREATE_FILE_COPY.
pub fn log_copy_database(wal: &Wal, section: &Critical, from: (Oid, Oid), to: (Oid, Oid)) -> Lsn {
    let mut main = Vec::with_capacity(16);
    for oid in [to.1, to.0, from.1, from.0] {
        main.put_u32(oid.0);
    }
    let record = RecordBuilder::new(RmgrId::DBASE, DBASE_CREATE_FILE_COPY | SPECIAL_REL_UPDATE);
    wal.insert(section, record.main_data(&main))
}
/// XLOG_DBASE_CREATE_WAL_LOG.
pub fn log_create_database(wal: &Wal, section: &Critical, spc: Oid, db: Oid) -> Lsn {
    let mut main = Vec::with_capacity(8);
    main.put_u32(db.0);
    main.put_u32(spc.0);
    wal.insert(section, RecordBuilder::new(RmgrId::DBASE, DBASE_CREATE_WAL_LOG).main_data(&main))
}
/// XLOG_DBASE_DROP.
pub fn log_drop_database(wal: &Wal, section: &Critical, db: Oid, tablespaces: &[Oid]) -> Lsn {
    let mut main = Vec::new();
    main.put_u32(db.0);
    main.put_i32(tablespaces.len() as i32);
    tablespaces.iter().for_each(|spc| main.put_u32(spc.0));
    wal.insert(section, RecordBuilder::new(RmgrId::DBASE, DBASE_DROP | SPECIAL_REL_UPDATE).main_data(&main))
}
/// XLOG_TBLSPC_CREATE.
pub fn log_create_tablespace(wal: &Wal, section: &Critical, oid: Oid, location: &str) -> Lsn {
    let mut main = oid.0.to_le_bytes().to_vec();
    main.put(location.as_bytes());
    main.put_u8(0);
    wal.insert(section, RecordBuilder::new(RmgrId::TBLSPC, TBLSPC_CREATE).main_data(&main))
}
/// XLOG_TBLSPC_DROP.
pub fn log_drop_tablespace(wal: &Wal, section: &Critical, oid: Oid) -> Lsn {
    wal.insert(section, RecordBuilder::new(RmgrId::TBLSPC, TBLSPC_DROP).main_data(&oid.0.to_le_bytes()))
}
