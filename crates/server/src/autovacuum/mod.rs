//! Autovacuum: tables are vacuumed and analyzed when enough of them has changed, or their ids get old.
//!
//! | file | what |
//! | --- | --- |
//! | `mod.rs` | [`Autovacuum`], what runs now; the launcher: which database is next, and when |
//! | `thresholds.rs` | whether a table needs it |
//! | `worker.rs` | one round through a database |
//!
//! Each database gets a worker every `autovacuum_naptime`, a thread with a session of its own but no client. Databases whose
//! ids get old come first, also when autovacuum is off. Where nothing was counted nothing changed: no worker.
//!
//! A worker holds SHARE UPDATE EXCLUSIVE on the table at hand. Whoever waits for it longer than `deadlock_timeout` gets it:
//! the launcher cancels the worker's table, unless ids run out.
//!
//! PostgreSQL: `autovacuum.c`. Different here: the launcher looks for those who wait; there, their deadlock check does.

mod thresholds;
mod worker;

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use base::guc;
use base::interrupt::Reason;
use base::{Interrupt, MultiXactId, Oid, Result, SessionId};
use catalog::{Catalog, PgDatabase};
use executor::ExecContext;
use parking_lot::Mutex;
use txn::stats::DatabaseCounter;
use txn::{Proc, Transaction, TransactionOptions};

use crate::cluster::Cluster;
use crate::log;
use crate::postmaster::spawn;
use crate::session::Store;
use thresholds::Settings;

/// The workers at work.
#[derive(Default)]
pub struct Autovacuum {
    workers: Mutex<Vec<Arc<Running>>>,
}

/// A worker as others see it.
struct Running {
    session: SessionId,
    database: Oid,
    interrupt: Interrupt,
    proc: Mutex<Option<Arc<Proc>>>,
    /// The table at hand, and whether it must be done.
    table: Mutex<Option<(Oid, bool)>>,
}

impl Running {
    fn interrupt(&self, reason: Reason) {
        self.interrupt.raise(reason);
        if let Some(proc) = &*self.proc.lock() {
            proc.wake();
        }
    }
}

impl Autovacuum {
    fn list(&self) -> Vec<Arc<Running>> {
        self.workers.lock().clone()
    }
    fn in_database(&self, database: Oid) -> usize {
        self.workers.lock().iter().filter(|w| w.database == database).count()
    }
    /// Makes the workers of a database leave it, and waits a while for that. Returns how many are still there.
    /// (PostgreSQL: `CountOtherDBBackends`)
    pub fn leave(&self, database: Oid) -> usize {
        let end = Instant::now() + Duration::from_secs(5);
        while self.in_database(database) > 0 && Instant::now() < end {
            self.list().iter().filter(|w| w.database == database).for_each(|w| w.interrupt(Reason::Terminate));
            thread::sleep(Duration::from_millis(10));
        }
        self.in_database(database)
    }
    /// A table that nobody else works at is the worker's now.
    fn claim(&self, own: &Running, table: Oid, wraparound: bool) -> bool {
        let workers = self.workers.lock();
        let same = |w: &Running| w.table.lock().is_some_and(|(t, _)| t == table);
        let taken = workers.iter().any(|w| w.database == own.database && !std::ptr::eq(&**w, own) && same(w));
        if !taken {
            *own.table.lock() = Some((table, wraparound));
        }
        !taken
    }
}

/// A session without a client, and without a transaction between uses.
struct Alone {
    cluster: Arc<Cluster>,
    proc: Arc<Proc>,
    cx: ExecContext,
    store: Store,
}

impl Alone {
    fn open(cluster: &Arc<Cluster>, id: SessionId, db: Option<&PgDatabase>, interrupt: Interrupt) -> Result<Alone> {
        let (database, tablespace) = db.map_or((Oid::INVALID, Oid::INVALID), |d| (d.oid, d.dattablespace));
        let store = Store::open(cluster, database, tablespace)?;
        let catalog = Catalog::new(Arc::clone(&cluster.catalog), database, store.scan());
        let mut cx = ExecContext::new(catalog, Arc::clone(&cluster.registry));
        cx.interrupt = interrupt.clone();
        let settings = Arc::make_mut(&mut cx.settings);
        crate::session::renew_settings(settings, &cluster.config().values);
        settings.session_id = id.0;
        if let Some(d) = db {
            settings.database = d.oid;
            settings.database_name = d.datname.as_str().into();
            settings.database_collation_is_c = d.is_bytewise();
        }
        // Nothing of the users' own comes before what is meant. (PostgreSQL: `search_path` of workers)
        cx.catalog.set_search_path(&["pg_catalog"], cx.settings.current_user);
        let proc = cluster.manager.register(id, database, interrupt)?;
        Ok(Alone { cluster: Arc::clone(cluster), proc, cx, store })
    }
    fn begin(&mut self) -> Result<()> {
        begin(&self.cluster, &self.proc, &self.store, &mut self.cx)
    }
    fn commit(&mut self) -> Result<()> {
        commit(&self.store, &mut self.cx)
    }
    /// Whatever the transaction did is undone.
    fn abort(&mut self) {
        self.cx.snapshot = None;
        drop(self.store.set_transaction(&mut self.cx, None));
    }
    fn in_transaction<T>(&mut self, body: impl FnOnce(&mut ExecContext) -> Result<T>) -> Result<T> {
        self.begin()?;
        let result = body(&mut self.cx).and_then(|v| self.commit().map(|()| v));
        if result.is_err() {
            self.abort();
        }
        result
    }
}

impl Drop for Alone {
    fn drop(&mut self) {
        self.abort();
        self.cluster.manager.unregister(&self.proc);
    }
}

fn begin(cluster: &Cluster, proc: &Arc<Proc>, store: &Store, cx: &mut ExecContext) -> Result<()> {
    let txn = Transaction::begin(&cluster.manager, proc, TransactionOptions::default())?;
    txn.set_database_tablespace(store.database_tablespace);
    txn.add_callback(store.follower(cx));
    cx.snapshot = Some(txn.snapshot()?);
    store.set_transaction(cx, Some(Arc::new(txn)));
    Ok(())
}

fn commit(store: &Store, cx: &mut ExecContext) -> Result<()> {
    cx.snapshot = None;
    let Some(txn) = store.set_transaction(cx, None) else { return Ok(()) };
    let in_use = || base::PgError::internal("the transaction is still in use at its commit");
    Arc::try_unwrap(txn).map_err(|_| in_use())?.commit()
}

/// How often the launcher looks at its workers.
const TICK: Duration = Duration::from_millis(100);

/// The launcher's life. When it ends, no worker runs any more.
pub fn launcher(cluster: &Arc<Cluster>, stopping: &AtomicBool) {
    let mut due: HashMap<Oid, Instant> = HashMap::new();
    let mut next_look = Instant::now() + naptime(cluster).min(Duration::from_secs(10));
    let mut next_check = Instant::now();
    while !stopping.load(Ordering::Acquire) {
        thread::sleep(TICK);
        let now = Instant::now();
        if now >= next_check {
            next_check = now + Duration::from_secs(1);
            yield_to_others(cluster);
        }
        if now < next_look {
            continue;
        }
        match look(cluster, &mut due) {
            Ok(wait) => next_look = Instant::now() + wait,
            Err(e) => {
                log::error(&e, None);
                next_look = Instant::now() + naptime(cluster);
            }
        }
    }
    while !cluster.autovacuum.workers.lock().is_empty() {
        cluster.autovacuum.list().iter().for_each(|w| w.interrupt(Reason::Terminate));
        thread::sleep(Duration::from_millis(5));
    }
}

fn naptime(cluster: &Cluster) -> Duration {
    Duration::from_secs(u64::try_from(cluster.config().values.int(guc::AUTOVACUUM_NAPTIME)).unwrap_or(60).max(1))
}

/// Starts workers for the databases whose time has come. Returns when to look again.
fn look(cluster: &Arc<Cluster>, due: &mut HashMap<Oid, Instant>) -> Result<Duration> {
    let values = cluster.config().values.clone();
    let (settings, nap, now) = (Settings::of(&values), naptime(cluster), Instant::now());
    let most = usize::try_from(values.int(guc::AUTOVACUUM_MAX_WORKERS)).unwrap_or(1);
    let id = SessionId(cluster.sessions.new_id());
    let mut databases = Alone::open(cluster, id, None, Interrupt::new())?
        .in_transaction(|cx| cx.catalog.rows::<PgDatabase>(Oid::INVALID, &[]))?;
    let stats = cluster.manager.stats();
    stats.retain_databases(|oid| databases.iter().any(|d| d.oid == oid));
    let next = (cluster.manager.next_full_xid().xid(), cluster.manager.multixacts().next());
    let in_danger =
        |d: &PgDatabase| thresholds::is_too_old(d.datfrozenxid, MultiXactId(d.datminmxid.0), &settings, next);
    // One whose DROP was interrupted cannot be opened.
    databases.retain(|d| d.datconnlimit != -2);
    due.retain(|oid, _| databases.iter().any(|d| d.oid == *oid));
    databases.retain(|d| in_danger(d) || settings.enabled && stats.find_database(d.oid).is_some());
    let last = |d: &PgDatabase| stats.find_database(d.oid).map_or(0, |s| s.get(DatabaseCounter::LastAutovacuum));
    databases.sort_by_key(|d| (!in_danger(d), last(d)));
    for d in databases {
        if due.get(&d.oid).is_some_and(|t| now < *t) {
            continue;
        }
        if cluster.autovacuum.workers.lock().len() >= most {
            break;
        }
        due.insert(d.oid, now + nap);
        stats.database(d.oid).set(DatabaseCounter::LastAutovacuum, crate::clock::now());
        start(cluster, d);
    }
    Ok(nap.min(due.values().map(|t| t.saturating_duration_since(now)).min().unwrap_or(nap)).max(TICK))
}

/// Takes the worker off the list, however it ends.
struct Listed(Arc<Cluster>, Arc<Running>);

impl Drop for Listed {
    fn drop(&mut self) {
        self.0.autovacuum.workers.lock().retain(|w| !Arc::ptr_eq(w, &self.1));
    }
}

fn start(cluster: &Arc<Cluster>, database: PgDatabase) {
    let running = Arc::new(Running {
        session: SessionId(cluster.sessions.new_id()),
        database: database.oid,
        interrupt: Interrupt::new(),
        proc: Mutex::new(None),
        table: Mutex::new(None),
    });
    cluster.autovacuum.workers.lock().push(Arc::clone(&running));
    let listed = Listed(Arc::clone(cluster), running);
    spawn("autovacuum worker", move || {
        if let Err(e) = worker::run(&listed.0, &listed.1, &database)
            && !listed.1.interrupt.is_terminating()
        {
            log::error(&e, None);
        }
        drop(listed);
    });
}

/// Cancels the tables that others have waited for long enough.
fn yield_to_others(cluster: &Cluster) {
    let workers = cluster.autovacuum.list();
    if workers.iter().all(|w| w.table.lock().is_none()) {
        return;
    }
    let patience = cluster.config().values.int(guc::DEADLOCK_TIMEOUT) * 1000;
    let (locks, now) = (cluster.manager.locks(), crate::clock::now());
    for waiting in locks.all().into_iter().filter(|l| l.wait_start.is_some_and(|t| now - t >= patience)) {
        let blockers = locks.blockers(waiting.session);
        for w in workers.iter().filter(|w| blockers.contains(&w.session)) {
            if w.table.lock().is_some_and(|(_, wraparound)| !wraparound) {
                w.interrupt(Reason::Cancel);
            }
        }
    }
}
