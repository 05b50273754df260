//! What all sessions of a server share: files, buffer pool, log, transactions, caches, settings. Two clusters can run in one
//! process; nothing is global.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, AtomicI64, AtomicU64, Ordering};

use access::index::IndexAm;
use access::nbtree::Nbtree;
use base::guc::{self, Values};
use base::interrupt::Reason;
use base::{Interrupt, Oid, PgError, Result};
use catalog::{CatalogFiles, Environment, SharedCatalog};
use parking_lot::{Mutex, RwLock};
use storage::{BufferPool, RealVfs, Vfs};
use txn::checkpoint::Pace;
use txn::startup::{self, StartupOptions};
use txn::{ManagerOptions, Proc, TransactionManager};
use types::{Comparator, Registry};
use wal::control::{Parameters, WalLevel};
use wal::insert::{Compression, SyncMethod};
use wal::{Wal, WalOptions};

use crate::auth::hba::{self, HbaLine};
use crate::autovacuum::Autovacuum;
use crate::config::{self, Loaded, Sources};
use crate::log;
use crate::session::PlanCache;
use crate::timers::Timers;

/// A cluster in operation.
pub struct Cluster {
    pub sources: Sources,
    floors: startup::Cluster,
    pub vfs: Arc<dyn Vfs>,
    pub wal: Arc<Wal>,
    pub pool: Arc<BufferPool>,
    pub manager: Arc<TransactionManager>,
    pub catalog: Arc<SharedCatalog>,
    pub registry: Arc<Registry>,
    /// Procedural languages.
    pub languages: Arc<executor::language::Languages>,
    /// The settings that sessions start from; replaced as a whole on reload.
    config: RwLock<Arc<Loaded>>,
    /// Counts reloads, so that sessions notice.
    pub config_generation: AtomicU64,
    pub sessions: Sessions,
    pub plans: PlanCache,
    pub autovacuum: Autovacuum,
    pub timers: Timers,
    pub notifications: crate::notify::Notifications,
    pub snapshots: crate::snapshots::ExportedSnapshots,
    /// The catalogs' files, a database each.
    catalogs: Mutex<HashMap<Oid, Arc<CatalogFiles>>>,
    nbtree: Arc<dyn IndexAm>,
    /// Microseconds since 2000-01-01 UTC.
    pub start_time: i64,
    purpose: Purpose,
    /// When the configuration files were last read, likewise.
    pub config_loaded: AtomicI64,
}

/// Adds the resource managers of the floors between `txn` and the server.
fn register_redo(table: &mut wal::RmgrTable, _: &Arc<TransactionManager>) {
    access::register_redo(table);
    catalog::relmap::register(table);
}

/// What a cluster is opened for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Purpose {
    Serve,
    /// initdb: new objects get ids below the users'.
    Bootstrap,
    /// Inside another program: see [`crate::embed`].
    Embed,
}

/// The open sessions, by the id that clients see.
#[derive(Default)]
pub struct Sessions {
    entries: Mutex<HashMap<i32, Arc<SessionEntry>>>,
    next: AtomicI32,
}

/// What others may know of a session, and how they reach it.
pub struct SessionEntry {
    pub id: i32,
    pub cancel_key: Vec<u8>,
    pub interrupt: Interrupt,
    pub proc: Mutex<Option<Arc<Proc>>>,
    /// Wakes it if it is parked.
    pub wake: Box<dyn Fn() + Send + Sync>,
    pub activity: Mutex<Activity>,
    pub started: i64,
    /// Where the client connected to; `None` on a Unix socket.
    pub server_address: Option<std::net::SocketAddr>,
    /// What the session has prepared, for `pg_prepared_statements`.
    pub objects: Mutex<SessionObjects>,
    pub inbox: crate::notify::Inbox,
}

/// What a session has prepared, kept as the view shows it.
#[derive(Clone, Debug, Default)]
pub struct SessionObjects {
    pub prepared: Vec<PreparedInfo>,
}

/// A row of `pg_prepared_statements`.
#[derive(Clone, Debug)]
pub struct PreparedInfo {
    pub name: String,
    pub statement: Arc<str>,
    pub prepared_at: i64,
    pub parameter_types: Vec<Oid>,
    pub result_types: Option<Vec<Oid>>,
    pub from_sql: bool,
    pub counts: Arc<crate::session::PlanCounts>,
}

/// A row of `pg_stat_activity`.
#[derive(Clone, Debug, Default)]
pub struct Activity {
    pub database: base::Oid,
    pub database_name: String,
    pub user: base::Oid,
    pub user_name: String,
    pub application_name: String,
    pub client_address: Option<std::net::SocketAddr>,
    pub state: &'static str,
    pub state_change: i64,
    pub query: Arc<str>,
    pub query_start: i64,
    pub xact_start: i64,
}

impl SessionEntry {
    /// Asks the session to stop what it does; it is woken wherever it waits.
    pub fn interrupt(&self, reason: Reason) {
        self.interrupt.raise(reason);
        if let Some(proc) = &*self.proc.lock() {
            proc.wake();
        }
        // A cancel of a quiet session means nothing.
        if matches!(reason, Reason::Terminate | Reason::TransactionTimeout) {
            (self.wake)();
        }
    }
}

impl Sessions {
    /// A number that no open session has.
    pub fn new_id(&self) -> i32 {
        let entries = self.entries.lock();
        loop {
            // Small numbers look like process ids, but never are the server's own.
            let id = 100_000 + self.next.fetch_add(1, Ordering::Relaxed).rem_euclid(1 << 30);
            if !entries.contains_key(&id) {
                return id;
            }
        }
    }
    pub fn insert(&self, entry: Arc<SessionEntry>) {
        self.entries.lock().insert(entry.id, entry);
    }
    pub fn remove(&self, id: i32) {
        self.entries.lock().remove(&id);
    }
    pub fn get(&self, id: i32) -> Option<Arc<SessionEntry>> {
        self.entries.lock().get(&id).cloned()
    }
    pub fn len(&self) -> usize {
        self.entries.lock().len()
    }
    pub fn is_empty(&self) -> bool {
        self.entries.lock().is_empty()
    }
    pub fn list(&self) -> Vec<Arc<SessionEntry>> {
        let mut list: Vec<_> = self.entries.lock().values().cloned().collect();
        list.sort_by_key(|e| e.id);
        list
    }
    pub fn terminate_all(&self) {
        self.list().iter().for_each(|e| e.interrupt(Reason::Terminate));
    }
}

fn megabytes(values: &Values, guc: guc::Guc) -> u64 {
    u64::try_from(values.int(guc)).unwrap_or(0)
}

fn count(values: &Values, guc: guc::Guc) -> usize {
    usize::try_from(values.int(guc)).unwrap_or(0)
}

/// The log's settings.
fn wal_options(values: &Values) -> WalOptions {
    let integer = |guc| i32::try_from(values.int(guc)).unwrap_or(i32::MAX);
    WalOptions {
        buffers: count(values, guc::WAL_BUFFERS).max(8),
        sync_method: match values.str(guc::WAL_SYNC_METHOD) {
            "fsync" | "fsync_writethrough" => SyncMethod::Fsync,
            "open_datasync" | "open_sync" => SyncMethod::OpenDatasync,
            _ => SyncMethod::Fdatasync,
        },
        compression: match values.str(guc::WAL_COMPRESSION) {
            "off" => Compression::Off,
            "pglz" => Compression::Pglz,
            _ => Compression::Lz4,
        },
        full_page_writes: values.bool(guc::FULL_PAGE_WRITES),
        init_zero: values.bool(guc::WAL_INIT_ZERO),
        recycle: values.bool(guc::WAL_RECYCLE),
        max_wal_size_mb: megabytes(values, guc::MAX_WAL_SIZE),
        min_wal_size_mb: megabytes(values, guc::MIN_WAL_SIZE),
        wal_keep_size_mb: megabytes(values, guc::WAL_KEEP_SIZE),
        parameters: Parameters {
            wal_level: match values.str(guc::WAL_LEVEL) {
                "minimal" => WalLevel::Minimal,
                "logical" => WalLevel::Logical,
                _ => WalLevel::Replica,
            },
            wal_log_hints: values.bool(guc::WAL_LOG_HINTS),
            max_connections: integer(guc::MAX_CONNECTIONS),
            max_worker_processes: integer(guc::MAX_WORKER_PROCESSES),
            max_wal_senders: integer(guc::MAX_WAL_SENDERS),
            max_prepared_xacts: integer(guc::MAX_PREPARED_TRANSACTIONS),
            max_locks_per_xact: integer(guc::MAX_LOCKS_PER_TRANSACTION),
            track_commit_timestamp: values.bool(guc::TRACK_COMMIT_TIMESTAMP),
        },
    }
}

impl Cluster {
    /// Opens a data directory: reads pg_control, recovers what a crash left, and is ready for transactions.
    pub fn open(sources: Sources, loaded: Loaded, registry: Arc<Registry>, purpose: Purpose) -> Result<Arc<Cluster>> {
        let vfs: Arc<dyn Vfs> = Arc::new(RealVfs::new(&sources.data_directory));
        Cluster::open_on(vfs, sources, loaded, registry, purpose)
    }

    /// As `open`, on any file system: crash tests use the simulated one.
    pub fn open_on(
        vfs: Arc<dyn Vfs>,
        sources: Sources,
        loaded: Loaded,
        registry: Arc<Registry>,
        purpose: Purpose,
    ) -> Result<Arc<Cluster>> {
        let values = &loaded.values;
        vfs.set_fsync(values.bool(guc::FSYNC));
        let options = StartupOptions {
            buffers: count(values, guc::SHARED_BUFFERS).max(16),
            wal: wal_options(values),
            manager: ManagerOptions {
                deadlock_timeout_ms: megabytes(values, guc::DEADLOCK_TIMEOUT),
                system_objects: purpose == Purpose::Bootstrap,
                max_prepared: count(values, guc::MAX_PREPARED_TRANSACTIONS),
                ..ManagerOptions::default()
            },
        };
        let quiet = |_: &str| {};
        let log: &(dyn Fn(&str) + Send + Sync) = if purpose == Purpose::Bootstrap { &quiet } else { &log::message };
        let floors = startup::open(vfs, options, &register_redo, log)?;
        let integer = |guc| values.int(guc);
        floors.manager.ssi().set_limits(
            integer(guc::MAX_PRED_LOCKS_PER_TRANSACTION),
            integer(guc::MAX_PRED_LOCKS_PER_RELATION),
            integer(guc::MAX_PRED_LOCKS_PER_PAGE),
        );
        let pool = &floors.pool;
        pool.set_damage_policy(values.bool(guc::ZERO_DAMAGED_PAGES), values.bool(guc::IGNORE_CHECKSUM_FAILURE));
        let (recovery, stats) = (&floors.recovery, floors.manager.stats());
        crate::stats::load(&*floors.vfs, stats, recovery.checkpoint.redo, recovery.redo.is_some());
        let nbtree: Arc<dyn IndexAm> = Arc::new(Nbtree::new());
        Ok(Arc::new(Cluster {
            sources,
            vfs: Arc::clone(&floors.vfs),
            wal: Arc::clone(&floors.wal),
            pool: Arc::clone(&floors.pool),
            manager: Arc::clone(&floors.manager),
            floors,
            catalog: SharedCatalog::with_environment(Arc::new(Access {
                registry: Arc::clone(&registry),
                nbtree: Arc::clone(&nbtree),
            })),
            registry,
            languages: Arc::new(
                executor::language::Languages::default().with("plpgsql_call_handler", Arc::new(plpgsql::PlPgSql)),
            ),
            config: RwLock::new(Arc::new(loaded)),
            config_generation: AtomicU64::new(1),
            sessions: Sessions::default(),
            plans: PlanCache::default(),
            autovacuum: Autovacuum::default(),
            timers: Timers::default(),
            notifications: crate::notify::Notifications::default(),
            snapshots: crate::snapshots::ExportedSnapshots::default(),
            catalogs: Mutex::default(),
            nbtree,
            start_time: crate::clock::now(),
            purpose,
            config_loaded: AtomicI64::new(crate::clock::now()),
        }))
    }

    /// The settings that sessions start from.
    pub fn config(&self) -> Arc<Loaded> {
        Arc::clone(&self.config.read())
    }

    /// Reads the configuration files again. Settings that need a restart keep their value. (PostgreSQL: SIGHUP)
    pub fn reload(&self) -> Result<()> {
        let mut loaded = config::load(&self.sources)?;
        if let Some(bad) = loaded.error() {
            let text =
                format!("configuration file \"{}\" contains errors; no changes were applied", bad.path.display());
            return Err(PgError::new(base::sqlstate::CONFIG_FILE_ERROR, text));
        }
        let old = self.config();
        for (i, def) in guc::LIST.iter().enumerate() {
            let guc = guc::Guc(u16::try_from(i).unwrap_or(u16::MAX));
            let (before, after) = (old.values.get(guc), loaded.values.get(guc));
            if before == after {
                continue;
            }
            if def.context <= guc::Context::Postmaster {
                if def.context == guc::Context::Postmaster {
                    log::message(&format!(
                        "parameter \"{}\" cannot be changed without restarting the server",
                        def.name
                    ));
                }
                loaded.values.set(guc, before.clone(), old.values.source(guc));
            } else {
                let shown = loaded.values.show(guc);
                log::message(&format!("parameter \"{}\" changed to \"{shown}\"", def.name));
            }
        }
        self.vfs.set_fsync(loaded.values.bool(guc::FSYNC));
        *self.config.write() = Arc::new(loaded);
        self.config_loaded.store(crate::clock::now(), Ordering::Relaxed);
        self.config_generation.fetch_add(1, Ordering::Release);
        Ok(())
    }

    /// A database's catalogs, shared by its sessions.
    pub fn catalog_files(&self, database: Oid, tablespace: Oid) -> Result<Arc<CatalogFiles>> {
        let mut catalogs = self.catalogs.lock();
        if let Some(files) = catalogs.get(&database) {
            return Ok(Arc::clone(files));
        }
        let files = match catalogs.values().next() {
            Some(other) => other.open_other(database, tablespace)?,
            None => CatalogFiles::open(Arc::clone(&self.vfs), database, tablespace, Arc::clone(&self.nbtree))?,
        };
        catalogs.insert(database, Arc::clone(&files));
        Ok(files)
    }

    /// The lines of pg_hba.conf as the file holds them now.
    pub fn hba_lines(&self) -> Result<Vec<HbaLine>> {
        let config = self.config();
        let path = config.values.str(guc::HBA_FILE);
        let text = std::fs::read_to_string(path).map_err(|e| {
            let text = format!("could not open file \"{path}\": {}", config::os_error(&e));
            PgError::new(base::sqlstate::CONFIG_FILE_ERROR, text).fatal()
        })?;
        hba::parse(path, &text).map_err(|errors| {
            for (line, message) in &errors {
                log::message(&format!("{message} (line {line} of configuration file \"{path}\")"));
            }
            PgError::new(base::sqlstate::CONFIG_FILE_ERROR, format!("could not load {path}")).fatal()
        })
    }

    pub fn data_directory(&self) -> &PathBuf {
        &self.sources.data_directory
    }

    /// An online checkpoint now.
    pub fn checkpoint(&self) -> Result<()> {
        txn::checkpoint::run(&self.manager, wal::checkpoint::Kind::Online, Pace::Fast, true).map(drop)
    }

    /// After a failure that only recovery mends nothing may be written any more. The process ends, and its supervisor starts
    /// the next one; in another program only the sessions end.
    pub fn give_up(&self) {
        match self.purpose {
            Purpose::Embed => self.sessions.terminate_all(),
            Purpose::Serve | Purpose::Bootstrap => std::process::abort(),
        }
    }

    /// The last act of an orderly end: nothing runs any more.
    pub fn shut_down(&self) -> Result<()> {
        startup::shutdown(&self.floors)?;
        // initdb's own work is not what databases begin with.
        if self.purpose == Purpose::Bootstrap {
            return Ok(());
        }
        let redo = self.floors.control.get().checkpoint_copy.redo;
        if let Err(e) = crate::stats::save(&*self.vfs, self.manager.stats(), redo) {
            log::message(&format!("could not write the statistics file: {}", config::os_error(&e)));
        }
        Ok(())
    }
}

/// What the catalog's caches need to open relations.
struct Access {
    registry: Arc<Registry>,
    nbtree: Arc<dyn IndexAm>,
}

impl Environment for Access {
    fn registry(&self) -> &Registry {
        &self.registry
    }
    fn index_am(&self, am: Oid) -> Option<Arc<dyn IndexAm>> {
        (am == catalog::oids::BTREE_AM_OID).then(|| Arc::clone(&self.nbtree))
    }
    fn comparator(&self, function: Oid, _collation: Oid) -> Result<Comparator> {
        Err(PgError::unsupported(format!("an index ordered by function {function}")))
    }
}
