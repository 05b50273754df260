//! Starting a cluster: recovery, and what surrounds it; stopping it. (PostgreSQL: `StartupXLOG`, `ShutdownXLOG`)
//!
//! ```ignore
//! let cluster = startup::open(vfs, StartupOptions::default(), |table, manager| access::redo::register(table, ..), &log)?;
//! ..
//! startup::shutdown(&cluster)?;
//! ```

use std::sync::Arc;

use base::{FullXid, Oid, Result, Xid};
use storage::vfs::{FileKind, IoContext};
use storage::{BufferPool, HintLogger, PoolOptions, Smgr, Vfs, WalFlush};
use wal::bootstrap::NewCluster;
use wal::checkpoint::Kind;
use wal::recovery::{Outcome, RecoveryHooks};
use wal::{CheckPoint, Control, RmgrTable, Wal, WalOptions};

use crate::checkpoint::{self, Pace};
use crate::database_files::TABLESPACE_VERSION_DIRECTORY;
use crate::manager::{ManagerOptions, TransactionManager};

/// Settings of a cluster's lower floors.
#[derive(Clone, Debug)]
pub struct StartupOptions {
    /// Frames of the buffer pool. (PostgreSQL: `shared_buffers`)
    pub buffers: usize,
    pub wal: WalOptions,
    pub manager: ManagerOptions,
}

impl Default for StartupOptions {
    fn default() -> StartupOptions {
        StartupOptions { buffers: 16384, wal: WalOptions::default(), manager: ManagerOptions::default() }
    }
}

/// The directories of an empty cluster with its log and pg_control, no databases: for tests, and as a base for initdb.
pub fn create(vfs: &dyn Vfs, new: &NewCluster) -> Result<()> {
    let dirs = [
        "global",
        "base",
        "pg_wal",
        "pg_wal/archive_status",
        "pg_xact",
        "pg_multixact/offsets",
        "pg_multixact/members",
        "pg_subtrans",
        "pg_tblspc",
        "pg_twophase",
    ];
    for dir in dirs {
        vfs.create_dir_all(dir).or_pg("create directory", dir)?;
    }
    for file in ["pg_xact/0000", "pg_multixact/offsets/0000", "pg_multixact/members/0000", "pg_subtrans/0000"] {
        vfs.write_file_durably(file, &[0; base::BLCKSZ]).or_pg("write file", file)?;
    }
    for dir in dirs {
        vfs.sync_dir(dir).or_pg("fsync file", dir)?;
        vfs.sync_dir(storage::vfs::parent_of(dir)).or_pg("fsync file", dir)?;
    }
    wal::bootstrap::create(vfs, new).map(|_| ())
}

/// A running cluster's lower floors.
#[derive(Clone)]
pub struct Cluster {
    pub vfs: Arc<dyn Vfs>,
    pub control: Arc<Control>,
    pub wal: Arc<Wal>,
    pub pool: Arc<BufferPool>,
    pub manager: Arc<TransactionManager>,
    /// All resource managers, also for printing records.
    pub managers: RmgrTable,
    pub recovery: Outcome,
}

/// Opens a data directory, with crash recovery if it needs it. `register` adds the resource managers of upper floors.
/// `log` gets messages for the server log.
pub fn open(
    vfs: Arc<dyn Vfs>,
    options: StartupOptions,
    register: &dyn Fn(&mut RmgrTable, &Arc<TransactionManager>),
    log: &(dyn Fn(&str) + Send + Sync),
) -> Result<Cluster> {
    let control = Arc::new(Control::open(Arc::clone(&vfs))?);
    let smgr = Arc::new(Smgr::new(Arc::clone(&vfs)));
    let pool_options = PoolOptions { buffers: options.buffers, checksums: control.get().has_checksums() };
    let pool = BufferPool::new(pool_options, smgr);
    let wal = Wal::new(Arc::clone(&vfs), Arc::clone(&control), options.wal);
    let flush: Arc<dyn WalFlush> = Arc::clone(&wal) as _;
    let hints: Arc<dyn HintLogger> = Arc::clone(&wal) as _;
    pool.set_hooks(flush, hints);
    let manager = TransactionManager::new(Arc::clone(&wal), Arc::clone(&pool), options.manager);
    let mut managers = RmgrTable::new();
    managers.register(wal::RmgrId::XLOG, Arc::new(wal::xlog::XlogManager { wal: None }));
    crate::redo::register(&mut managers, &manager);
    register(&mut managers, &manager);

    remove_temporary_files(&*vfs)?;
    let crashed = control.get().state != wal::DbState::Shutdowned;
    if crashed {
        // Unlogged relations may hold anything; while redo runs only their init forks exist.
        reset_unlogged(&*vfs, Reset::Remove)?;
    }
    let hooks = Hooks { manager: &manager, log };
    let recovery = wal::recovery::recover(&wal, &pool, &managers, &hooks)?;
    if crashed {
        reset_unlogged(&*vfs, Reset::Init)?;
    }
    if recovery.redo.is_some() {
        checkpoint::run(&manager, Kind::EndOfRecovery, Pace::Fast, true)?;
    }
    wal::recovery::enter_production(&wal, &recovery.checkpoint)?;
    Ok(Cluster { vfs, control, wal, pool, manager, managers, recovery })
}

/// Stops in order; no session may run any more. (PostgreSQL: `ShutdownXLOG`)
pub fn shutdown(cluster: &Cluster) -> Result<()> {
    checkpoint::run(&cluster.manager, Kind::Shutdown, Pace::Fast, true).map(|_| ())
}

struct Hooks<'a> {
    manager: &'a Arc<TransactionManager>,
    log: &'a (dyn Fn(&str) + Send + Sync),
}

impl RecoveryHooks for Hooks<'_> {
    fn start(&self, c: &CheckPoint) -> Result<()> {
        self.manager.set_next_xid(c.next_xid);
        self.manager.set_next_oid(c.next_oid);
        self.manager.set_xid_limit(c.oldest_xid, c.oldest_xid_db);
        self.manager.multixacts().start(c);
        self.manager.clog().start(c.next_xid.xid())?;
        self.manager.prepared.read_files(self.manager, self.log)
    }
    fn saw_xid(&self, xid: Xid) {
        self.manager.advance_past(xid);
    }
    fn saw_checkpoint(&self, c: &CheckPoint, online: bool) -> Result<()> {
        self.manager.set_next_xid(FullXid(c.next_xid.0));
        if !online {
            self.manager.set_next_oid(c.next_oid);
        }
        self.manager.multixacts().advance(c.next_multi, c.next_multi_offset);
        self.manager.multixacts().set_oldest(c.oldest_multi, c.oldest_multi_db);
        self.manager.advance_xid_limit(c.oldest_xid, c.oldest_xid_db);
        Ok(())
    }
    fn saw_next_oid(&self, next: Oid) {
        self.manager.set_next_oid(next);
    }
    fn finish(&self) -> Result<()> {
        self.manager.clog().trim(self.manager.next_full_xid().xid())?;
        self.manager.multixacts().finish_recovery()?;
        self.manager.prepared.restore(self.manager, self.log)
    }
    fn log(&self, message: &str) {
        (self.log)(message);
    }
}

/// Each directory that holds databases' directories.
fn database_dirs(vfs: &dyn Vfs) -> Result<Vec<String>> {
    let mut parents = vec!["base".to_owned()];
    if vfs.is_dir("pg_tblspc") {
        let spaces = vfs.list("pg_tblspc").or_pg("open directory", "pg_tblspc")?;
        parents.extend(spaces.iter().map(|e| format!("pg_tblspc/{}/{TABLESPACE_VERSION_DIRECTORY}", e.name)));
    }
    let mut dirs = Vec::new();
    for parent in parents {
        if !vfs.is_dir(&parent) {
            continue;
        }
        let entries = vfs.list(&parent).or_pg("open directory", &parent)?;
        let numbered = entries.iter().filter(|e| e.name.bytes().all(|b| b.is_ascii_digit()));
        dirs.extend(numbered.map(|e| format!("{parent}/{}", e.name)));
    }
    Ok(dirs)
}

/// Files of temporary relations that a crash left (`tN_REL`), and `pgsql_tmp`. (PostgreSQL: `RemovePgTempFiles`)
fn remove_temporary_files(vfs: &dyn Vfs) -> Result<()> {
    if vfs.is_dir("base/pgsql_tmp") {
        vfs.remove_dir_all("base/pgsql_tmp").or_pg("remove directory", "base/pgsql_tmp")?;
    }
    for dir in database_dirs(vfs)? {
        for entry in vfs.list(&dir).or_pg("open directory", &dir)? {
            let temporary = entry.name.strip_prefix('t').is_some_and(|rest| {
                let (number, rel) = rest.split_once('_').unwrap_or(("", ""));
                let digits = |s: &str| s.as_bytes().first().is_some_and(u8::is_ascii_digit);
                entry.kind == FileKind::File && digits(number) && digits(rel)
            });
            if temporary {
                let path = format!("{dir}/{}", entry.name);
                vfs.remove_file(&path).or_pg("remove file", &path)?;
            }
        }
    }
    Ok(())
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Reset {
    /// All forks but the init fork go.
    Remove,
    /// The init fork becomes the main fork.
    Init,
}

/// (PostgreSQL: `ResetUnloggedRelations`)
fn reset_unlogged(vfs: &dyn Vfs, what: Reset) -> Result<()> {
    for dir in database_dirs(vfs)? {
        let entries = vfs.list(&dir).or_pg("open directory", &dir)?;
        let unlogged: Vec<&str> = entries.iter().filter_map(|e| e.name.strip_suffix("_init")).collect();
        if unlogged.is_empty() {
            continue;
        }
        match what {
            Reset::Remove => {
                for entry in &entries {
                    let relation = entry.name.split(['_', '.']).next().unwrap_or("");
                    if unlogged.contains(&relation) && !entry.name.contains("_init") {
                        let path = format!("{dir}/{}", entry.name);
                        vfs.remove_file(&path).or_pg("remove file", &path)?;
                    }
                }
            }
            Reset::Init => {
                for relation in unlogged {
                    let (from, to) = (format!("{dir}/{relation}_init"), format!("{dir}/{relation}"));
                    vfs.copy_file(&from, &to).or_pg("copy file", &from)?;
                    let file = vfs.open(&to, storage::vfs::OpenMode::ReadWrite).or_pg("open file", &to)?;
                    file.sync_all().or_pg("fsync file", &to)?;
                }
            }
        }
        vfs.sync_dir(&dir).or_pg("fsync file", &dir)?;
    }
    Ok(())
}
