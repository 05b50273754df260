//! A session: everything one connection owns. A value that a worker thread runs while there is work and that is parked,
//! without a thread, when its client is quiet.
//!
//! | file | what |
//! | --- | --- |
//! | `startup.rs` | from the first packet to ReadyForQuery |
//! | `transaction.rs` | blocks, savepoints, what happens around a statement |
//! | `twophase.rs` | PREPARE TRANSACTION and what ends it |
//! | `simple.rs`, `extended.rs` | the two query protocols |
//! | `statement.rs` | text to plans, with the cache that sessions share; running them |
//! | `constants.rs` | texts that differ only in their constants share a plan |
//! | `idle.rs` | executions kept for the next run of their statement |
//! | `plan_choice.rs` | custom and generic plans of prepared statements |
//! | `portal.rs` | running statements between messages |
//! | `cursors.rs` | DECLARE, FETCH, CLOSE |
//! | `host.rs` | what functions of procedural languages do to the session |
//! | `utility.rs` | statements that are the session's own business: SET, SHOW, PREPARE, cursors, DISCARD |
//! | `services.rs` | what `commands` asks of a session: COPY's data, transactions |
//! | `variables.rs`, `derived.rs` | settings |
//! | `rows.rs` | rows to the wire |

mod constants;
mod cursors;
mod derived;
mod extended;
mod host;
mod idle;
mod plan_choice;
mod portal;
mod portals;
mod roles;
mod rows;
mod services;
mod simple;
mod startup;
mod statement;
mod store;
mod templates;
mod transaction;
mod twophase;
mod utility;
pub mod variables;

use std::os::fd::AsFd;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use base::error::Severity;
use base::guc;
use base::sqlstate::{IDLE_IN_TRANSACTION_SESSION_TIMEOUT, IDLE_SESSION_TIMEOUT, INTERNAL_ERROR};
use base::{PgError, Result};
use executor::{ExecContext, NoticeSink};
use hashbrown::HashMap;
use parking_lot::Mutex;
use txn::stats::{DatabaseCounter, DatabaseStats};
use txn::{Proc, SyncCommit, Transaction, TransactionOptions};

use crate::cluster::{Cluster, SessionEntry};
use crate::log;
use crate::protocol::{Connection, Fill, Frontend};
use crate::scheduler::{Outcome, Task};
use crate::timers::Alarm;

pub use plan_choice::PlanCounts;
pub use startup::Arrival;
pub use statement::PlanCache;

pub(crate) use derived::renew as renew_settings;
use portals::Portals;
use statement::Prepared;
pub(crate) use store::Store;
use transaction::Block;
use variables::Variables;

/// The settings handle that a session shares with the functions it runs (`set_config`, `current_setting`).
pub type SharedVariables = Arc<Mutex<Variables>>;

/// Notices wait here until the statement writes its next message.
type Notices = Arc<Mutex<Vec<PgError>>>;

struct Sink(Notices);

impl NoticeSink for Sink {
    fn notice(&mut self, notice: PgError) {
        self.0.lock().push(notice);
    }
}

/// See the module's head.
pub struct Session {
    cluster: Arc<Cluster>,
    entry: Arc<SessionEntry>,
    conn: Connection,
    cx: ExecContext,
    proc: Arc<Proc>,
    variables: SharedVariables,
    notices: Notices,
    block: Block,
    /// The open savepoints' names, outermost first.
    savepoints: Vec<String>,
    roles: roles::Roles,
    prepared: HashMap<String, Prepared>,
    portals: Portals,
    idle: idle::Idle,
    templates: templates::Templates,
    /// The current message's body.
    body: Vec<u8>,
    /// After an error in the extended protocol, until Sync.
    skip_to_sync: bool,
    /// The text that errors of the current message refer to.
    source: Option<Arc<str>>,
    user_name: String,
    is_superuser: bool,
    sync_commit: SyncCommit,
    /// What transactions begin with.
    transaction_options: TransactionOptions,
    /// The last transaction, if the next can begin in its place.
    resting: Option<Arc<Transaction>>,
    timeouts: Timeouts,
    statement_alarm: Option<Alarm>,
    transaction_alarm: Option<Alarm>,
    /// When a session that parked has been idle for too long.
    idle_deadline: Option<Instant>,
    store: Arc<Store>,
    /// The statements of the current message share a transaction.
    several: bool,
    /// The database's counters.
    counts: Arc<DatabaseStats>,
    /// What `variables` counted when the derived settings were last renewed.
    seen_generation: u64,
    seen_config: u64,
    /// Names the planner settings and search path in force, for the shared plan cache.
    plan_key: u64,
    plan_cache_mode: plan_choice::PlanCacheMode,
    closing: bool,
    /// Lingering brought bytes that nobody has looked at yet.
    filled: bool,
}

/// How much memory for messages a parked session keeps.
const KEPT_BODY: usize = 1024;
/// `statement_timeout` and `transaction_timeout`, in milliseconds; 0 for none.
#[derive(Clone, Copy, Default)]
struct Timeouts {
    statement: u64,
    transaction: u64,
}

/// Inside a statement, a session that waits for its client looks at its interrupts this often.
const READ_PATIENCE: Duration = Duration::from_millis(5);

impl Session {
    /// Does what the client has sent; `false` when the session has ended.
    fn serve(&mut self) -> Result<bool> {
        let overdue = self.idle_deadline.take().is_some_and(|d| Instant::now() >= d);
        self.follow_config();
        loop {
            let filled = if std::mem::take(&mut self.filled) { Ok(Fill::Data) } else { self.conn.fill_now() };
            match filled {
                Ok(Fill::Data) => {}
                Ok(Fill::Quiet) if overdue && self.idle_deadline().is_some() => return Err(self.idle_too_long()),
                Ok(Fill::Quiet) => {}
                Ok(Fill::End) | Err(_) => return Ok(false),
            }
            while let Some(frame) = self.conn.frame()? {
                self.message(frame)?;
                if self.closing {
                    return Ok(false);
                }
            }
            self.deliver_notifications();
            self.flush()?;
            // Only what comes from now on rings.
            if self.conn.is_drained() {
                break;
            }
        }
        self.entry.interrupt.check().map_err(PgError::fatal).or_else(ignore_cancel)?;
        self.idle_deadline = self.idle_deadline();
        Ok(true)
    }

    /// When the session, parked now, has been idle for too long.
    fn idle_deadline(&self) -> Option<Instant> {
        let variables = self.variables.lock();
        let values = variables.values();
        let timeout = match self.block {
            Block::None | Block::Implicit => values.int(guc::IDLE_SESSION_TIMEOUT),
            Block::Begun | Block::Failed => values.int(guc::IDLE_IN_TRANSACTION_SESSION_TIMEOUT),
        };
        let timeout = u64::try_from(timeout).ok().filter(|t| *t > 0)?;
        Some(Instant::now() + Duration::from_millis(timeout))
    }

    fn idle_too_long(&self) -> PgError {
        match self.block {
            Block::None | Block::Implicit => {
                PgError::new(IDLE_SESSION_TIMEOUT, "terminating connection due to idle-session timeout").fatal()
            }
            Block::Begun | Block::Failed => {
                let text = "terminating connection due to idle-in-transaction timeout";
                PgError::new(IDLE_IN_TRANSACTION_SESSION_TIMEOUT, text).fatal()
            }
        }
    }

    fn flush(&mut self) -> Result<()> {
        self.send_notices();
        self.conn.flush(&self.entry.interrupt)
    }

    /// `false`: the client is quiet.
    fn linger(&mut self) -> bool {
        let outcome = self.conn.fill();
        self.filled = matches!(outcome, Ok(Fill::Data));
        !matches!(outcome, Ok(Fill::Quiet))
    }

    /// The client has been quiet for a while.
    fn cool(&mut self) {
        self.conn.shrink();
        self.body.shrink_to(KEPT_BODY);
        self.resting = None;
        self.portals.shrink();
        self.templates.clear();
    }

    fn follow_config(&mut self) {
        let generation = self.cluster.config_generation.load(Ordering::Acquire);
        if generation != self.seen_config && self.cx.txn.is_none() {
            self.seen_config = generation;
            self.variables.lock().reload(self.cluster.config());
            self.settings_changed();
            self.report_parameters();
        }
    }

    /// Handles one message; errors that only concern its statement are answered here.
    fn message(&mut self, frame: crate::protocol::Frame) -> Result<()> {
        // Those that begin something: the others belong to what they follow.
        if matches!(frame.kind, b'Q' | b'P' | b'B' | b'E') {
            self.now();
        }
        let outcome = catch_unwind(AssertUnwindSafe(|| self.dispatch(frame)));
        let error = match outcome {
            Ok(Ok(())) => return Ok(()),
            Ok(Err(e)) => e,
            Err(panic) => panicked(&*panic),
        };
        if error.severity() >= Severity::Fatal {
            return Err(error);
        }
        self.statement_failed(&error, frame.kind)
    }

    fn dispatch(&mut self, frame: crate::protocol::Frame) -> Result<()> {
        if self.skip_to_sync && !matches!(frame.kind, b'S' | b'X') {
            return Ok(());
        }
        // The body is copied: handlers write to the same connection, and COPY reads from it.
        let mut body = std::mem::take(&mut self.body);
        body.clear();
        body.extend_from_slice(self.conn.body(frame));
        let outcome = self.handle(frame.kind, &body);
        self.body = body;
        outcome
    }

    fn handle(&mut self, kind: u8, body: &[u8]) -> Result<()> {
        match Frontend::parse(kind, body)? {
            Frontend::Query(text) => self.simple_query(text),
            Frontend::Parse { name, query, types } => self.parse_message(name, query, types),
            Frontend::Bind(bind) => self.bind_message(&bind),
            Frontend::Describe(target) => self.describe_message(target),
            Frontend::Execute { portal, limit } => self.execute_message(portal, limit),
            Frontend::Close(target) => self.close_message(target),
            Frontend::Sync => self.sync_message(),
            Frontend::Flush => self.flush(),
            Frontend::Terminate => {
                self.closing = true;
                Ok(())
            }
            Frontend::FunctionCall => Err(PgError::unsupported("the function call protocol")),
            // Left over from a COPY that failed.
            Frontend::CopyData(_) | Frontend::CopyDone | Frontend::CopyFail(_) => Ok(()),
            Frontend::Password(_) => {
                let text = "invalid frontend message type 112";
                Err(PgError::new(base::sqlstate::PROTOCOL_VIOLATION, text).fatal())
            }
        }
    }

    /// Reports an error and puts the transaction and the protocol in order after it.
    fn statement_failed(&mut self, error: &PgError, kind: u8) -> Result<()> {
        let source = self.source.take();
        self.several = false;
        if error.sqlstate() == base::sqlstate::T_R_DEADLOCK_DETECTED {
            self.counts.add(DatabaseCounter::Deadlocks, 1);
        }
        log::error(error, source.as_deref());
        self.cx.nothing_runs();
        self.abort_statement();
        self.send_notices();
        self.conn.out.error(error, source.as_deref());
        match kind {
            b'Q' | b'F' => self.ready(),
            b'S' => self.ready(),
            _ => self.skip_to_sync = true,
        }
        Ok(())
    }

    /// Between transactions: NotificationResponse for what others (or we) have sent.
    fn deliver_notifications(&mut self) {
        if !self.entry.inbox.is_waiting() || self.cx.txn.is_some() {
            return;
        }
        for n in self.entry.inbox.take() {
            self.conn.out.notification(n.sender, &n.channel, &n.payload);
        }
    }

    /// ReadyForQuery.
    fn ready(&mut self) {
        self.deliver_notifications();
        self.report_parameters();
        self.conn.out.ready_for_query(self.block.status());
        self.set_activity(match self.block {
            Block::None | Block::Implicit => "idle",
            Block::Begun => "idle in transaction",
            Block::Failed => "idle in transaction (aborted)",
        });
        self.statement_alarm = None;
        self.cx.interrupt.clear();
    }

    fn set_activity(&self, state: &'static str) {
        let mut activity = self.entry.activity.lock();
        if activity.state != state {
            activity.state = state;
            activity.state_change = self.cx.settings.statement_timestamp;
        }
        if state == "idle" {
            activity.xact_start = 0;
        }
    }

    fn begin_activity(&self, query: &Arc<str>) {
        let now = self.cx.settings.statement_timestamp;
        let mut activity = self.entry.activity.lock();
        (activity.state, activity.state_change, activity.query_start) = ("active", now, now);
        activity.query = Arc::clone(query);
        if activity.xact_start == 0 {
            activity.xact_start = now;
        }
    }

    fn notice(&mut self, notice: PgError) {
        self.cx.notices.notice(notice);
    }

    /// Writes the notices that gathered, as far as the client wants them.
    fn send_notices(&mut self) {
        let notices = std::mem::take(&mut *self.notices.lock());
        if notices.is_empty() {
            return;
        }
        let least = severity(self.variables.lock().values().str(guc::CLIENT_MIN_MESSAGES));
        for notice in notices {
            if notice.severity() >= least || notice.severity() == Severity::Info {
                self.conn.out.error(&notice, self.source.as_deref());
            }
        }
    }

    /// ParameterStatus for what changed.
    fn report_parameters(&mut self) {
        let mut variables = self.variables.lock();
        for guc in variables.take_changed() {
            self.conn.out.parameter_status(guc.name(), &variables.values().show(guc));
        }
    }

    /// Renews what follows from settings, if any changed.
    fn settings_changed(&mut self) {
        let variables = self.variables.lock();
        if variables.generation == self.seen_generation {
            return;
        }
        self.seen_generation = variables.generation;
        let values = variables.values();
        derived::renew(Arc::make_mut(&mut self.cx.settings), values);
        self.cx.cost = derived::costs(values);
        self.transaction_options = transaction::options(values);
        self.sync_commit = transaction::sync_commit(values.str(guc::SYNCHRONOUS_COMMIT));
        let milliseconds = |guc| u64::try_from(values.int(guc)).unwrap_or(0);
        self.proc.set_lock_timeout_ms(milliseconds(guc::LOCK_TIMEOUT));
        self.proc.set_deadlock_timeout_ms(milliseconds(guc::DEADLOCK_TIMEOUT));
        let (statement, transaction) = (guc::STATEMENT_TIMEOUT, guc::TRANSACTION_TIMEOUT);
        self.timeouts = Timeouts { statement: milliseconds(statement), transaction: milliseconds(transaction) };
        let path = catalog::namespace::split_identifiers(values.str(guc::SEARCH_PATH)).unwrap_or_default();
        self.cx.catalog.set_search_path(&path, self.cx.settings.current_user);
        self.plan_key = derived::plan_key(values, &self.cx.settings);
        self.plan_cache_mode = plan_choice::PlanCacheMode::parse(values.str(guc::PLAN_CACHE_MODE));
        self.entry.activity.lock().application_name = values.str(guc::APPLICATION_NAME).to_owned();
    }

    /// Names what a plan depends on besides its text: the settings and the temporary schema, whose tables are found first.
    pub(crate) fn plan_key(&self) -> u64 {
        self.plan_key ^ u64::from(self.cx.catalog.temp_schema().0) << 32
    }

    /// Makes a transaction the current one, wherever it is looked for; gives back the one before.
    fn set_transaction(&mut self, txn: Option<Arc<Transaction>>) -> Option<Arc<Transaction>> {
        self.store.set_transaction(&mut self.cx, txn)
    }

    /// Drops the temporary tables.
    fn drop_temporary(&mut self) -> Result<()> {
        self.start_transaction()?;
        commands::temp::discard(&mut self.cx)?;
        self.commit()
    }

    /// The end of the session: what it holds goes.
    fn end(&mut self) {
        self.abort();
        if self.cx.catalog.temp_schema().is_valid() {
            self.entry.interrupt.end();
            if let Err(e) = self.drop_temporary() {
                log::error(&e, None);
                self.abort();
            }
        }
        self.cluster.notifications.forget(self.proc.database(), &self.entry);
        self.cluster.manager.unregister(&self.proc);
        self.cluster.sessions.remove(self.entry.id);
    }
}

fn ignore_cancel(e: PgError) -> Result<()> {
    if e.severity() >= Severity::Fatal && e.sqlstate() == base::sqlstate::QUERY_CANCELED { Ok(()) } else { Err(e) }
}

fn severity(text: &str) -> Severity {
    match text {
        "error" => Severity::Error,
        "warning" => Severity::Warning,
        "notice" => Severity::Notice,
        "log" => Severity::Log,
        _ => Severity::Debug,
    }
}

/// The error for a panic in a session: our bug, told to the client and the log; no other session is harmed.
fn panicked(panic: &(dyn std::any::Any + Send)) -> PgError {
    let text = panic.downcast_ref::<String>().cloned();
    let text = text.or_else(|| panic.downcast_ref::<&str>().map(|s| (*s).to_owned())).unwrap_or_default();
    PgError::new(INTERNAL_ERROR, format!("internal error: {text}"))
}

impl Drop for Session {
    fn drop(&mut self) {
        if catch_unwind(AssertUnwindSafe(|| self.end())).is_err() {
            self.cluster.sessions.remove(self.entry.id);
        }
    }
}

/// What the scheduler runs: a connection that has just arrived, or a session.
pub enum Work {
    Arrival(Box<Arrival>),
    Session(Box<Session>),
}

impl Task for Work {
    fn id(&self) -> u64 {
        match self {
            Work::Arrival(a) => a.id(),
            Work::Session(s) => s.entry.id as u64,
        }
    }

    fn run(self) -> Outcome<Work> {
        let mut session = match self {
            Work::Session(session) => session,
            Work::Arrival(arrival) => match arrival.run() {
                Some(session) => Box::new(session),
                None => return Outcome::Done,
            },
        };
        match session.serve() {
            Ok(true) => {
                let deadline = session.idle_deadline;
                Outcome::Park(Work::Session(session), deadline)
            }
            Ok(false) => Outcome::Done,
            Err(error) => {
                log::error(&error, session.source.as_deref());
                session.conn.out.error(&error, session.source.as_deref());
                let _ = session.conn.flush(&base::Interrupt::new());
                if error.severity() == Severity::Panic {
                    session.cluster.give_up();
                }
                Outcome::Done
            }
        }
    }

    fn fd(&self) -> impl AsFd {
        match self {
            Work::Arrival(a) => a.fd(),
            Work::Session(s) => s.conn.stream.as_fd(),
        }
    }

    fn linger(&mut self) -> bool {
        match self {
            Work::Arrival(_) => false,
            Work::Session(s) => s.linger(),
        }
    }

    fn cool(&mut self) {
        if let Work::Session(s) = self {
            s.cool();
        }
    }
}
