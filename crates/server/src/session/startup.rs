//! From the first packet to ReadyForQuery.

use std::net::SocketAddr;
use std::os::fd::AsFd;
use std::os::fd::BorrowedFd;
use std::sync::Arc;
use std::time::Duration;

use base::guc::{self, Source};
use base::interrupt::Reason;
use base::sqlstate::*;
use base::{Interrupt, Oid, PgError, Result, SessionId};
use catalog::{Catalog, PgAuthid, PgDatabase};
use executor::ExecContext;
use hashbrown::HashMap;
use parking_lot::Mutex;
use txn::{Transaction, TransactionOptions};

use super::store::Store;
use super::transaction::Block;
use super::variables::{Asker, REPORTED, Scope, Variables};
use super::{READ_PATIENCE, Session, Sink, Timeouts, Work};
use crate::auth::{self, AuthRole, hba};
use crate::cluster::{Activity, Cluster, SessionEntry};
use crate::log;
use crate::protocol::startup::{Startup, StartupMessage, parse, parse_options};
use crate::protocol::{Connection, Stream};
use crate::scheduler::Scheduler;

/// A connection that has just been accepted.
pub struct Arrival {
    cluster: Arc<Cluster>,
    scheduler: Arc<Scheduler<Work>>,
    conn: Connection,
    address: Option<SocketAddr>,
    id: i32,
}

impl Arrival {
    pub fn new(
        cluster: Arc<Cluster>,
        scheduler: Arc<Scheduler<Work>>,
        stream: Stream,
        address: Option<SocketAddr>,
    ) -> std::io::Result<Arrival> {
        stream.set_timeouts(READ_PATIENCE, Duration::from_secs(1))?;
        let id = cluster.sessions.new_id();
        Ok(Arrival { cluster, scheduler, conn: Connection::new(stream), address, id })
    }
    pub(super) fn id(&self) -> u64 {
        self.id as u64
    }
    pub(super) fn fd(&self) -> BorrowedFd<'_> {
        self.conn.stream.as_fd()
    }

    /// The session, or `None` if it came to nothing: refused, cancelled another one, or gone.
    pub(super) fn run(mut self) -> Option<Session> {
        let interrupt = Interrupt::new();
        let (scheduler, id) = (Arc::clone(&self.scheduler), self.id);
        interrupt.on_wait(move || scheduler.before_wait(id as u64));
        let message = match self.first_packet(&interrupt) {
            Ok(Some(message)) => message,
            Ok(None) => return None,
            Err(e) => return self.refuse(&e),
        };
        let (cluster, scheduler, id) = (Arc::clone(&self.cluster), Arc::clone(&self.scheduler), self.id);
        let mut key = vec![0; if message.minor >= 2 { 32 } else { 4 }];
        if let Err(e) = getrandom::fill(&mut key) {
            return self.refuse(&PgError::internal(format!("could not generate random cancel key: {e}")).fatal());
        }
        let entry = Arc::new(SessionEntry {
            id,
            cancel_key: key,
            interrupt: interrupt.clone(),
            proc: Mutex::new(None),
            wake: Box::new(move || scheduler.wake(id as u64)),
            activity: Mutex::new(Activity { client_address: self.address, state: "starting", ..Activity::default() }),
            started: crate::clock::now(),
            server_address: self.conn.stream.local_address(),
            objects: Mutex::default(),
            inbox: Default::default(),
        });
        cluster.sessions.insert(Arc::clone(&entry));
        match self.open(&message, &entry) {
            Ok(session) => Some(session),
            Err((mut conn, e)) => {
                cluster.sessions.remove(id);
                log::error(&e, None);
                conn.out.error(&e.fatal(), None);
                let _ = conn.flush(&interrupt);
                None
            }
        }
    }

    fn refuse(&mut self, e: &PgError) -> Option<Session> {
        log::error(e, None);
        self.conn.out.error(e, None);
        let _ = self.conn.flush(&Interrupt::new());
        None
    }

    /// Up to the startup message, past requests for encryption.
    fn first_packet(&mut self, interrupt: &Interrupt) -> Result<Option<StartupMessage>> {
        loop {
            let body = loop {
                match self.conn.startup_packet()? {
                    Some(body) => break body,
                    // Whoever goes away before a word, e.g. a port check, is no error.
                    None => {
                        if self.conn.fill_blocking(interrupt).is_err() {
                            return Ok(None);
                        }
                    }
                }
            };
            match parse(&body)? {
                Startup::Ssl | Startup::Gss => {
                    self.conn.out.buffer().push(b'N');
                    self.conn.flush(interrupt)?;
                }
                Startup::Cancel { pid, key } => {
                    use subtle::ConstantTimeEq;
                    if let Some(entry) = self.cluster.sessions.get(pid)
                        && bool::from(entry.cancel_key.ct_eq(&key))
                    {
                        entry.interrupt(Reason::Cancel);
                    }
                    return Ok(None);
                }
                Startup::Session(message) => return Ok(Some(message)),
            }
        }
    }

    /// Authenticates and makes the session.
    fn open(self, message: &StartupMessage, entry: &Arc<SessionEntry>) -> Result<Session, (Connection, PgError)> {
        let Arrival { cluster, mut conn, address, .. } = self;
        match open(&cluster, &mut conn, address, message, entry) {
            Ok(parts) => Ok(parts.into_session(cluster, conn, Arc::clone(entry))),
            Err(e) => Err((conn, e)),
        }
    }
}

/// What the opening finds out.
struct Parts {
    cx: ExecContext,
    proc: Arc<txn::Proc>,
    variables: Variables,
    user_name: String,
    is_superuser: bool,
    store: Store,
}

impl Parts {
    fn into_session(self, cluster: Arc<Cluster>, conn: Connection, entry: Arc<SessionEntry>) -> Session {
        let variables = Arc::new(Mutex::new(self.variables));
        let notices = Arc::new(Mutex::new(Vec::new()));
        let mut cx = self.cx;
        cx.notices = Box::new(Sink(Arc::clone(&notices)));
        cx.hooks = Box::new(commands::Hooks);
        cx.set_extension(Arc::clone(&variables));
        cx.set_extension(Arc::clone(&cluster));
        cx.set_extension(Arc::clone(&entry));
        let store = Arc::new(self.store);
        let seen_config = cluster.config_generation.load(std::sync::atomic::Ordering::Acquire);
        let counts = cluster.manager.stats().database(cx.settings.database);
        counts.add(txn::stats::DatabaseCounter::Sessions, 1);
        cx.host = Some(Arc::new(super::host::Host {
            cluster: Arc::clone(&cluster),
            entry: Arc::clone(&entry),
            proc: Arc::clone(&self.proc),
            variables: Arc::clone(&variables),
            store: Arc::clone(&store),
            counts: Arc::clone(&counts),
            entered: Mutex::default(),
        }));
        let mut session = Session {
            counts,
            cluster,
            entry,
            conn,
            cx,
            proc: self.proc,
            variables,
            notices,
            block: Block::None,
            savepoints: Vec::new(),
            roles: super::roles::Roles::default(),
            prepared: HashMap::new(),
            idle: super::idle::Idle::default(),
            body: Vec::new(),
            portals: super::portals::Portals::default(),
            templates: super::templates::Templates::default(),
            skip_to_sync: false,
            source: None,
            user_name: self.user_name,
            is_superuser: self.is_superuser,
            sync_commit: txn::SyncCommit::RemoteFlush,
            transaction_options: txn::TransactionOptions::default(),
            resting: None,
            timeouts: Timeouts::default(),
            statement_alarm: None,
            transaction_alarm: None,
            idle_deadline: None,
            store,
            several: false,
            seen_generation: 0,
            seen_config,
            plan_key: 0,
            plan_cache_mode: Default::default(),
            closing: false,
            filled: false,
        };
        session.now();
        session.settings_changed();
        session.ready();
        session
    }
}

fn open(
    cluster: &Arc<Cluster>,
    conn: &mut Connection,
    address: Option<SocketAddr>,
    message: &StartupMessage,
    entry: &Arc<SessionEntry>,
) -> Result<Parts> {
    if message.replication.as_deref().is_some_and(|r| !matches!(r, "false" | "off" | "no" | "0")) {
        return Err(PgError::unsupported("the replication protocol"));
    }
    let config = cluster.config();
    let limit = usize::try_from(config.values.int(guc::MAX_CONNECTIONS)).unwrap_or(100);
    let reserved = usize::try_from(config.values.int(guc::SUPERUSER_RESERVED_CONNECTIONS)).unwrap_or(0);
    if cluster.sessions.len() > limit {
        return Err(PgError::new(TOO_MANY_CONNECTIONS, "sorry, too many clients already"));
    }
    if message.negotiate {
        conn.out.negotiate_protocol_version(2, &message.unknown_options);
    }

    // The shared catalogs are read in a transaction without a database.
    let proc = cluster.manager.register(SessionId(entry.id), Oid::INVALID, entry.interrupt.clone())?;
    *entry.proc.lock() = Some(Arc::clone(&proc));
    let guard = ProcGuard { cluster, proc: Some(&proc) };
    let (mut cx, store) = context(cluster, Oid::INVALID, Oid::INVALID, entry)?;
    let found = in_transaction(cluster, &proc, &store, &mut cx, |cx| find(cx, message))?;
    authenticate(cluster, conn, address, message, entry, &found)?;
    let Found { role, database, .. } = found;
    let role = role.ok_or_else(|| no_such_role(&message.user))?;
    if !role.rolcanlogin {
        let text = format!("role \"{}\" is not permitted to log in", role.rolname);
        return Err(PgError::new(INVALID_AUTHORIZATION_SPECIFICATION, text));
    }
    if !role.rolsuper && cluster.sessions.len() + reserved > limit {
        let text = "remaining connection slots are reserved for roles with the SUPERUSER attribute";
        return Err(PgError::new(TOO_MANY_CONNECTIONS, text));
    }
    let no_database = || PgError::new(UNDEFINED_DATABASE, format!("database \"{}\" does not exist", message.database));
    let database = database.ok_or_else(no_database)?;
    if !database.datallowconn {
        let text = format!("database \"{}\" is not currently accepting connections", database.datname);
        return Err(PgError::new(OBJECT_NOT_IN_PREREQUISITE_STATE, text));
    }

    proc.set_database(database.oid);
    let (mut cx, store) = context(cluster, database.oid, database.dattablespace, entry)?;
    cx.catalog.set_session_number(proc.number() as u32);
    let settings = Arc::make_mut(&mut cx.settings);
    settings.database = database.oid;
    settings.database_name = database.datname.as_str().into();
    settings.current_user = role.oid;
    settings.session_user = role.oid;
    settings.session_id = entry.id;
    settings.database_collation_is_c = database.is_bytewise();
    {
        let mut activity = entry.activity.lock();
        (activity.database, activity.user) = (database.oid, role.oid);
        (activity.database_name, activity.user_name) = (database.datname.clone(), role.rolname.clone());
    }
    let variables = in_transaction(cluster, &proc, &store, &mut cx, |cx| {
        check_connect(cx, &role, &database)?;
        start_variables(cluster, cx, message, &role, &database)
    })?;
    greet(conn, entry, &variables, &role);
    guard.keep();
    Ok(Parts {
        cx,
        proc: Arc::clone(&proc),
        variables,
        user_name: role.rolname.clone(),
        is_superuser: role.rolsuper,
        store,
    })
}

/// Unregisters the session's place if the opening fails.
struct ProcGuard<'a> {
    cluster: &'a Cluster,
    proc: Option<&'a Arc<txn::Proc>>,
}

impl ProcGuard<'_> {
    fn keep(mut self) {
        self.proc = None;
    }
}

impl Drop for ProcGuard<'_> {
    fn drop(&mut self) {
        if let Some(proc) = self.proc {
            self.cluster.manager.unregister(proc);
        }
    }
}

fn context(
    cluster: &Arc<Cluster>,
    database: Oid,
    tablespace: Oid,
    entry: &Arc<SessionEntry>,
) -> Result<(ExecContext, Store)> {
    let store = Store::open(cluster, database, tablespace)?;
    let catalog = Catalog::new(Arc::clone(&cluster.catalog), database, store.scan());
    let mut cx = ExecContext::new(catalog, Arc::clone(&cluster.registry));
    cx.interrupt = entry.interrupt.clone();
    cx.languages = Arc::clone(&cluster.languages);
    Ok((cx, store))
}

fn in_transaction<T>(
    cluster: &Arc<Cluster>,
    proc: &Arc<txn::Proc>,
    store: &Store,
    cx: &mut ExecContext,
    body: impl FnOnce(&mut ExecContext) -> Result<T>,
) -> Result<T> {
    let txn = Transaction::begin(&cluster.manager, proc, TransactionOptions::default())?;
    store.set_transaction(cx, Some(Arc::new(txn)));
    let result = body(cx);
    if let Some(txn) = store.set_transaction(cx, None)
        && let Ok(txn) = Arc::try_unwrap(txn)
    {
        txn.commit()?;
    }
    result
}

struct Found {
    role: Option<Arc<PgAuthid>>,
    database: Option<PgDatabase>,
    /// Whether the role is a member of another, by name, for `+role` lines.
    member_of: Vec<String>,
}

fn no_such_role(name: &str) -> PgError {
    PgError::new(INVALID_AUTHORIZATION_SPECIFICATION, format!("role \"{name}\" does not exist"))
}

fn find(cx: &mut ExecContext, message: &StartupMessage) -> Result<Found> {
    let role = cx.catalog.role_by_name(&message.user)?;
    let database = cx.catalog.database_by_name(&message.database)?;
    let mut member_of = Vec::new();
    if let Some(role) = &role {
        for other in cx.catalog.rows::<PgAuthid>(Oid::INVALID, &[])? {
            if cx.catalog.is_member_of_role_nosuper(role.oid, other.oid)? {
                member_of.push(other.rolname);
            }
        }
    }
    Ok(Found { role, database, member_of })
}

fn authenticate(
    cluster: &Cluster,
    conn: &mut Connection,
    address: Option<SocketAddr>,
    message: &StartupMessage,
    entry: &SessionEntry,
    found: &Found,
) -> Result<()> {
    let lines = cluster.hba_lines()?;
    let member_of = |role: &str| found.member_of.iter().any(|m| m == role);
    let who = hba::Candidate {
        user: &message.user,
        database: &message.database,
        replication: false,
        address: address.map(|a| a.ip()),
        ssl: false,
        member_of: &member_of,
    };
    let line = hba::find(&lines, &who)?;
    let expired = |r: &PgAuthid| r.rolvaliduntil.is_some_and(|t| t < crate::clock::now());
    let role = found
        .role
        .as_ref()
        .map(|r| AuthRole { name: r.rolname.clone(), password: r.rolpassword.clone().filter(|_| !expired(r)) });
    let peer = conn.peer_user();
    auth::authenticate(conn, &entry.interrupt, line, &message.user, role.as_ref(), peer.as_deref())
}

fn check_connect(cx: &ExecContext, role: &PgAuthid, database: &PgDatabase) -> Result<()> {
    let acl = database.datacl.as_deref();
    let kind = catalog::AclKind::Database;
    if cx.catalog.has_privilege(role.oid, kind, database.datdba, acl, catalog::acl::ACL_CONNECT)? {
        return Ok(());
    }
    let text = format!("permission denied for database \"{}\"", database.datname);
    Err(PgError::new(INSUFFICIENT_PRIVILEGE, text).detail("User does not have CONNECT privilege."))
}

/// The settings a session starts with: the server's, the role's and the database's, the client's.
fn start_variables(
    cluster: &Cluster,
    cx: &ExecContext,
    message: &StartupMessage,
    role: &PgAuthid,
    database: &PgDatabase,
) -> Result<Variables> {
    let mut variables = Variables::new(cluster.config());
    let superuser = role.rolsuper;
    let mut set = |name: &str, value: &str, source: Source| {
        variables.set(name, Some(value), Scope::Session, 0, Asker::Startup { superuser, source })
    };
    let mut rows = cx.catalog.rows::<catalog::PgDbRoleSetting>(Oid::INVALID, &[])?;
    rows.retain(|r| {
        (r.setdatabase == Oid::INVALID || r.setdatabase == database.oid)
            && (r.setrole == Oid::INVALID || r.setrole == role.oid)
    });
    // Weakest first: all, database, role, role in database.
    rows.sort_by_key(|r| (r.setrole.is_valid(), r.setdatabase.is_valid()));
    for row in rows {
        let source = match (row.setrole.is_valid(), row.setdatabase.is_valid()) {
            (false, false) => Source::Global,
            (false, true) => Source::Database,
            (true, false) => Source::User,
            (true, true) => Source::DatabaseUser,
        };
        for setting in row.setconfig.iter().flatten() {
            if let Some((name, value)) = setting.split_once('=') {
                // A stored setting that is no longer valid must not lock anybody out.
                if let Err(e) = set(name, value, source) {
                    log::error(&e, None);
                }
            }
        }
    }
    let options = message.options.as_deref().map(parse_options).transpose()?.unwrap_or_default();
    for (name, value) in options.iter().chain(&message.settings) {
        set(name, value, Source::Client)?;
    }
    Ok(variables)
}

/// What follows AuthenticationOk.
fn greet(conn: &mut Connection, entry: &SessionEntry, variables: &Variables, role: &PgAuthid) {
    for &guc in REPORTED {
        conn.out.parameter_status(guc.name(), &variables.values().show(guc));
    }
    conn.out.parameter_status("is_superuser", if role.rolsuper { "on" } else { "off" });
    conn.out.parameter_status("session_authorization", &role.rolname);
    conn.out.backend_key_data(entry.id, &entry.cancel_key);
}
