//! A worker's round through a database: a list of tables that may need something, then each in transactions of its own.
//!
//! PostgreSQL: `do_autovacuum`, `autovacuum_do_vac_analyze`.

use std::sync::Arc;
use std::time::Instant;

use access::heap::vacuum::FreezeAges;
use base::guc::{self, Values};
use base::sqlstate::{FEATURE_NOT_SUPPORTED, QUERY_CANCELED};
use base::{MultiXactId, Oid, PgError, Result};
use catalog::{PgClass, PgDatabase, oids, relkind};
use commands::CommandContext;
use commands::vacuum::{Cost, VacuumParams, Vacuumed, analyze_one, freeze_ages, vacuum_table};
use executor::ExecContext;
use txn::stats::By;
use types::Datum;

use super::thresholds::{Figures, Need, Settings, need};
use super::{Alone, Running, begin, commit};
use crate::cluster::Cluster;
use crate::log;
use crate::session::Store;

/// `pg_statistic`: what ANALYZE writes is not analyzed.
const PG_STATISTIC: Oid = Oid(2619);

struct Candidate {
    oid: Oid,
    /// Of a TOAST table.
    owner: Option<Oid>,
    /// In `pg_class`: before any transaction of ours.
    is_shared: bool,
}

/// See the module's head.
pub(super) fn run(cluster: &Arc<Cluster>, running: &Arc<Running>, database: &PgDatabase) -> Result<()> {
    let mut session = Alone::open(cluster, running.session, Some(database), running.interrupt.clone())?;
    *running.proc.lock() = Some(Arc::clone(&session.proc));
    let values = cluster.config().values.clone();
    let settings = Settings::of(&values);
    let candidates = session.in_transaction(|cx| candidates(cluster, cx, &settings))?;
    let mut vacuumed = false;
    for c in candidates {
        running.interrupt.clear();
        running.interrupt.check()?;
        // Others may have seen to it meanwhile.
        let found = session.in_transaction(|cx| look(cluster, cx, &c, &settings))?;
        let Some(task) = found.filter(|t| t.need.vacuum || t.need.analyze) else { continue };
        if !cluster.autovacuum.claim(running, c.oid, task.need.wraparound) {
            continue;
        }
        if let Err(e) = work(&mut session, &values, &c, &task) {
            session.abort();
            if running.interrupt.is_terminating() {
                return Err(e);
            }
            report(e, &task);
        }
        vacuumed |= task.need.vacuum;
        *running.table.lock() = None;
    }
    if vacuumed || database.datfrozenxid.precedes(super::thresholds::back(next_xid(cluster), settings.freeze_max_age)) {
        session.in_transaction(commands::frozen::update)?;
    }
    Ok(())
}

fn next_xid(cluster: &Cluster) -> base::Xid {
    cluster.manager.next_full_xid().xid()
}

/// An error concerns its table; the round goes on.
fn report(mut e: PgError, task: &Task) {
    if e.sqlstate() == FEATURE_NOT_SUPPORTED {
        return;
    }
    if e.sqlstate() == QUERY_CANCELED {
        e = PgError::new(QUERY_CANCELED, "canceling autovacuum task");
    }
    let what = if task.need.vacuum { "vacuum" } else { "analyze" };
    e.fields_mut().context = Some(format!("automatic {what} of table \"{}\"", task.name));
    log::error(&e, None);
}

/// What is to be done with a table.
struct Task {
    need: Need,
    /// Database, schema and table.
    name: String,
    /// Storage parameters.
    options: Vec<String>,
}

impl Task {
    fn option<T: std::str::FromStr>(&self, name: &str) -> Option<T> {
        option(&self.options, name).and_then(|v| v.parse().ok())
    }
}

fn option(list: &[String], name: &str) -> Option<String> {
    list.iter().find_map(|o| o.split_once('=').filter(|(n, _)| *n == name).map(|(_, v)| v.to_owned()))
}

fn figures(cluster: &Cluster, database: Oid, class: &PgClass) -> Figures {
    use txn::stats::TableCounter::*;
    let database = if class.relisshared { Oid::INVALID } else { database };
    let counted = cluster.manager.stats().find_table(database, class.oid);
    Figures {
        reltuples: f64::from(class.reltuples),
        relpages: class.relpages,
        relallfrozen: class.relallfrozen,
        relfrozenxid: class.relfrozenxid,
        relminmxid: MultiXactId(class.relminmxid.0),
        counted: counted.map(|t| (t.get(Dead), t.get(InsertedSinceVacuum), t.get(ModSinceAnalyze))),
    }
}

/// A table's own need; a TOAST table without parameters follows its owner's.
fn need_of(cluster: &Cluster, database: Oid, class: &PgClass, options: &[String], settings: &Settings) -> Need {
    let settings = settings.with_options(&|name| option(options, name));
    let next = (next_xid(cluster), cluster.manager.multixacts().next());
    let mut need = need(&figures(cluster, database, class), &settings, next);
    need.analyze &= class.relkind != relkind::TOAST && class.oid != PG_STATISTIC;
    need
}

fn is_vacuumed(class: &PgClass) -> bool {
    let kind = matches!(class.relkind, relkind::TABLE | relkind::MATERIALIZED_VIEW | relkind::TOAST);
    kind && class.relpersistence != b't'
}

/// Tables that need something; the statistics forget those that are gone.
fn candidates(cluster: &Cluster, cx: &mut ExecContext, settings: &Settings) -> Result<Vec<Candidate>> {
    let database = cx.catalog.database_oid();
    let classes = cx.catalog.rows::<PgClass>(Oid::INVALID, &[])?;
    let known: hashbrown::HashSet<Oid> = classes.iter().map(|c| c.oid).collect();
    // One that is being made is not seen yet: its counters start again, no more.
    cluster.manager.stats().retain_tables(database, |oid| known.contains(&oid));
    let owners: hashbrown::HashMap<Oid, &PgClass> =
        classes.iter().filter_map(|c| c.reltoastrelid.valid().map(|toast| (toast, c))).collect();
    let mut list = Vec::new();
    for class in classes.iter().filter(|c| is_vacuumed(c)) {
        let owner = owners.get(&class.oid);
        let own = class.reloptions.as_deref().unwrap_or_default();
        let options = match owner {
            Some(o) if own.is_empty() => o.reloptions.as_deref().unwrap_or_default(),
            _ => own,
        };
        let need = need_of(cluster, database, class, options, settings);
        if need.vacuum || need.analyze {
            let candidate = Candidate { oid: class.oid, owner: owner.map(|o| o.oid), is_shared: class.relisshared };
            list.push((!need.wraparound, candidate));
        }
    }
    list.sort_by_key(|(later, c)| (*later, c.owner.is_some(), c.oid));
    Ok(list.into_iter().map(|(_, c)| c).collect())
}

/// Looks again, before the work. (PostgreSQL: `table_recheck_autovac`)
fn look(cluster: &Cluster, cx: &mut ExecContext, c: &Candidate, settings: &Settings) -> Result<Option<Task>> {
    let row = |oid: Oid| cx.catalog.rows::<PgClass>(oids::CLASS_OID_INDEX, &[Datum::oid(oid)]).map(|mut r| r.pop());
    let Some(class) = row(c.oid)? else { return Ok(None) };
    let mut options = class.reloptions.clone().unwrap_or_default();
    if let (true, Some(owner)) = (options.is_empty(), c.owner) {
        options = row(owner)?.and_then(|o| o.reloptions).unwrap_or_default();
    }
    let schema = cx.catalog.namespace_name(class.relnamespace)?.unwrap_or_default();
    let name = format!("{}.{schema}.{}", cx.settings.database_name, class.relname);
    debug_assert_eq!(class.relisshared, c.is_shared);
    let need = need_of(cluster, cx.catalog.database_oid(), &class, &options, settings);
    Ok(Some(Task { need, name, options }))
}

/// How autovacuum works: by the settings, or the table's own.
fn params(values: &Values, task: &Task) -> VacuumParams {
    let ages = freeze_ages(values);
    let age = |name: &str, or: u32| task.option(&format!("autovacuum_{name}")).unwrap_or(or);
    let limit = match values.int(guc::AUTOVACUUM_VACUUM_COST_LIMIT) {
        n if n > 0 => n,
        _ => values.int(guc::VACUUM_COST_LIMIT),
    };
    let delay = match values.real(guc::AUTOVACUUM_VACUUM_COST_DELAY) {
        d if d >= 0.0 => d,
        _ => values.real(guc::VACUUM_COST_DELAY),
    };
    let memory = Some(values.int(guc::AUTOVACUUM_WORK_MEM)).filter(|kb| *kb >= 0);
    VacuumParams {
        vacuum: task.need.vacuum,
        analyze: task.need.analyze,
        ages: Some(FreezeAges {
            freeze_min_age: age("freeze_min_age", ages.freeze_min_age),
            freeze_table_age: age("freeze_table_age", ages.freeze_table_age),
            multixact_freeze_min_age: age("multixact_freeze_min_age", ages.multixact_freeze_min_age),
            multixact_freeze_table_age: age("multixact_freeze_table_age", ages.multixact_freeze_table_age),
        }),
        truncate: task.option::<String>("vacuum_truncate").and_then(|v| guc::boolean(&v)).unwrap_or(true),
        index_cleanup: task.option::<String>("vacuum_index_cleanup").and_then(|v| guc::boolean(&v)).unwrap_or(true),
        // What others hold is left for the next round, unless ids run out.
        skip_locked: !task.need.wraparound,
        by: By::Autovacuum,
        cost: Cost {
            limit: task.option("autovacuum_vacuum_cost_limit").unwrap_or(limit),
            delay: task.option("autovacuum_vacuum_cost_delay").unwrap_or(delay),
        },
        memory,
        ..VacuumParams::new(values, true)
    }
}

fn work(session: &mut Alone, values: &Values, c: &Candidate, task: &Task) -> Result<()> {
    let params = params(values, task);
    let least = task.option("log_autovacuum_min_duration").unwrap_or(values.int(guc::LOG_AUTOVACUUM_MIN_DURATION));
    let logged = |start: Instant| least >= 0 && start.elapsed().as_millis() >= u128::try_from(least).unwrap_or(0);
    if params.vacuum {
        let start = Instant::now();
        session.begin()?;
        let done = with_command(session, values, |cmd| vacuum_table(cmd, c.oid, &params, false))?;
        session.commit()?;
        if let Some(done) = done.filter(|_| logged(start)) {
            log::message(&vacuum_report(task, &done, start));
        }
    }
    if params.analyze {
        let start = Instant::now();
        session.begin()?;
        with_command(session, values, |cmd| analyze_one(cmd, c.oid, &[], &params, false))?;
        session.commit()?;
        if logged(start) {
            let elapsed = start.elapsed().as_secs_f64();
            log::message(&format!(
                "automatic analyze of table \"{}\"\n\tsystem usage: elapsed: {elapsed:.2} s",
                task.name
            ));
        }
    }
    Ok(())
}

/// (PostgreSQL: the report of `heap_vacuum_rel`)
fn vacuum_report(task: &Task, done: &Vacuumed, start: Instant) -> String {
    let r = &done.result;
    let kind = match task.need.wraparound {
        true => "automatic vacuum to prevent wraparound of table",
        false => "automatic vacuum of table",
    };
    let before = r.pages + r.removed_pages;
    let share = |n: u32| if before == 0 { 100.0 } else { 100.0 * f64::from(n) / f64::from(before) };
    let mut text = format!("{kind} \"{}\": index scans: {}\n", task.name, r.index_scans);
    text += &format!(
        "\tpages: {} removed, {} remain, {} scanned ({:.2}% of total)\n",
        r.removed_pages,
        r.pages,
        r.scanned_pages,
        share(r.scanned_pages)
    );
    text += &format!(
        "\ttuples: {} removed, {:.0} remain, {} are dead but not yet removable\n",
        r.tuples_deleted, r.live_tuples, r.recently_dead
    );
    if let Some(xid) = r.relfrozenxid {
        text += &format!("\tnew relfrozenxid: {}\n", xid.0);
    }
    text += &format!(
        "\tfrozen: {} pages from table ({:.2}% of total) had {} tuples frozen\n",
        r.frozen_pages,
        share(r.frozen_pages),
        r.tuples_frozen
    );
    text += &format!("\tsystem usage: elapsed: {:.2} s", start.elapsed().as_secs_f64());
    text
}

fn with_command<T>(
    session: &mut Alone,
    values: &Values,
    body: impl FnOnce(&mut CommandContext<'_>) -> Result<T>,
) -> Result<T> {
    let Alone { cluster, proc, cx, store } = session;
    let mut services = NoClient { cluster: &*cluster, proc: &*proc, store: &*store, values };
    let result = body(&mut CommandContext { cx: &mut *cx, session: &mut services, source: "" });
    // Nobody reads them.
    cx.notices = Box::new(Vec::new());
    result
}

/// What commands are given for a session.
struct NoClient<'a> {
    cluster: &'a Arc<Cluster>,
    proc: &'a Arc<txn::Proc>,
    store: &'a Store,
    values: &'a Values,
}

impl commands::Session for NoClient<'_> {
    fn values(&self) -> &Values {
        self.values
    }
    fn next_transaction(&mut self, cx: &mut ExecContext) -> Result<()> {
        commit(self.store, cx)?;
        begin(self.cluster, self.proc, self.store, cx)
    }
}
