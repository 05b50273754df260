//! VACUUM and ANALYZE. (PostgreSQL: `vacuum.c`)
//!
//! VACUUM runs each table in a transaction of its own, under SHARE UPDATE EXCLUSIVE, so that others go on working. Autovacuum
//! does its work here, too: [`vacuum_table`], [`analyze_one`].

use std::sync::Arc;
use std::time::Duration;

use access::heap::vacuum::{FreezeAges, VacuumOptions, VacuumResult, cutoffs, vacuum};
use base::guc;
use base::guc::Values;
use base::sqlstate::*;
use base::{MultiXactId, Oid, PgError, Result, Severity, Xid};
use catalog::{AclKind, PgClass, Relation, oids, relkind};
use executor::lock_relation;
use parser::ast::{DefElem, VacuumStmt};
use txn::lock::{Acquired, LockLevel, Wait};
use txn::stats::By;
use txn::{LockMode, LockTag, Proc};
use types::Datum;

use crate::{CommandContext, Outcome, analyze_table, frozen, name, options};

/// What a table needs. (PostgreSQL: `VacuumParams`)
#[derive(Clone, Debug)]
pub struct VacuumParams {
    pub vacuum: bool,
    pub analyze: bool,
    /// Other ages than the settings'; `FREEZE` is 0.
    pub ages: Option<FreezeAges>,
    pub verbose: bool,
    pub index_cleanup: bool,
    pub truncate: bool,
    /// Into a new file. (VACUUM FULL)
    pub full: bool,
    pub process_main: bool,
    pub process_toast: bool,
    pub no_skipping: bool,
    /// A table that is locked otherwise is left out.
    pub skip_locked: bool,
    /// Brings the database's oldest ids up to date afterwards.
    pub database_stats: bool,
    pub by: By,
    pub cost: Cost,
    /// Kilobytes for dead line pointers; `None`: `maintenance_work_mem`.
    pub memory: Option<i64>,
}

/// How much work, before VACUUM sleeps a while. (PostgreSQL: `vacuum_cost_limit`, `vacuum_cost_delay`)
#[derive(Clone, Copy, Debug)]
pub struct Cost {
    pub limit: i64,
    /// Milliseconds; 0: never.
    pub delay: f64,
}

/// What a page costs: between one that was only read and one that was made dirty. (PostgreSQL: `vacuum_cost_page_*`)
const PAGE_COST: i64 = 10;

/// A table that was vacuumed.
pub struct Vacuumed {
    /// Its TOAST table, which is next.
    pub toast: Option<Oid>,
    pub result: VacuumResult,
}

impl VacuumParams {
    /// Those of a plain VACUUM or ANALYZE under these settings.
    pub fn new(values: &Values, is_vacuum: bool) -> VacuumParams {
        VacuumParams {
            vacuum: is_vacuum,
            analyze: !is_vacuum,
            ages: None,
            verbose: false,
            index_cleanup: true,
            truncate: true,
            full: false,
            process_main: true,
            process_toast: true,
            no_skipping: false,
            skip_locked: false,
            database_stats: is_vacuum,
            by: By::Command,
            cost: Cost { limit: values.int(guc::VACUUM_COST_LIMIT), delay: values.real(guc::VACUUM_COST_DELAY) },
            memory: None,
        }
    }
}

const NO_AGE: FreezeAges =
    FreezeAges { freeze_min_age: 0, freeze_table_age: 0, multixact_freeze_min_age: 0, multixact_freeze_table_age: 0 };

/// The ages of the settings. A table is scanned in whole before autovacuum must do so. (PostgreSQL: `vacuum_get_cutoffs`)
pub fn freeze_ages(values: &Values) -> FreezeAges {
    let age = |g| u32::try_from(values.int(g)).unwrap_or(0);
    let most = age(guc::AUTOVACUUM_FREEZE_MAX_AGE);
    let most_multi = age(guc::AUTOVACUUM_MULTIXACT_FREEZE_MAX_AGE);
    FreezeAges {
        freeze_min_age: age(guc::VACUUM_FREEZE_MIN_AGE).min(most / 2),
        freeze_table_age: age(guc::VACUUM_FREEZE_TABLE_AGE).min(most / 20 * 19),
        multixact_freeze_min_age: age(guc::VACUUM_MULTIXACT_FREEZE_MIN_AGE).min(most_multi / 2),
        multixact_freeze_table_age: age(guc::VACUUM_MULTIXACT_FREEZE_TABLE_AGE).min(most_multi / 20 * 19),
    }
}

/// What the options of a statement say besides.
#[derive(Default)]
struct Given {
    full: bool,
    freeze: bool,
    parallel: Option<i64>,
    skip_database_stats: bool,
    only_database_stats: bool,
    buffer_usage_limit: Option<i64>,
    disable_page_skipping: bool,
    process_main: Option<bool>,
    process_toast: Option<bool>,
}

/// An option's truth; alone it is true. (PostgreSQL: `defGetBoolean`)
fn truth(o: &DefElem) -> Result<bool> {
    if o.arg.is_none() {
        return Ok(true);
    }
    base::guc::boolean(&options::text(o))
        .ok_or_else(|| PgError::new(SYNTAX_ERROR, format!("{} requires a Boolean value", o.defname)))
}

/// (PostgreSQL: `ExecVacuum`)
fn parse(values: &Values, stmt: &VacuumStmt) -> Result<(VacuumParams, Given)> {
    let mut p = VacuumParams::new(values, stmt.is_vacuumcmd);
    let mut g = Given::default();
    for o in &stmt.options {
        match (stmt.is_vacuumcmd, o.defname.as_str()) {
            (_, "verbose") => p.verbose = truth(o)?,
            (_, "skip_locked") => p.skip_locked = truth(o)?,
            (_, "buffer_usage_limit") => g.buffer_usage_limit = Some(buffer_limit(o)?),
            (true, "analyze") => p.analyze = truth(o)?,
            (true, "freeze") => g.freeze = truth(o)?,
            (true, "truncate") => p.truncate = truth(o)?,
            (true, "disable_page_skipping") => g.disable_page_skipping = truth(o)?,
            (true, "index_cleanup") => match options::text(o).as_str() {
                _ if o.arg.is_none() => p.index_cleanup = true,
                "auto" => {}
                _ => p.index_cleanup = truth(o)?,
            },
            (true, "full") => g.full = truth(o)?,
            (true, "process_main") => g.process_main = Some(truth(o)?),
            (true, "process_toast") => g.process_toast = Some(truth(o)?),
            (true, "parallel") => g.parallel = Some(parallel(o)?),
            (true, "skip_database_stats") => g.skip_database_stats = truth(o)?,
            (true, "only_database_stats") => g.only_database_stats = truth(o)?,
            (is_vacuum, other) => {
                let command = if is_vacuum { "VACUUM" } else { "ANALYZE" };
                let text = format!("unrecognized {command} option \"{other}\"");
                return Err(PgError::new(SYNTAX_ERROR, text).at(o.location));
            }
        }
    }
    p.full = g.full;
    p.no_skipping = g.disable_page_skipping;
    p.ages = g.freeze.then_some(NO_AGE);
    p.database_stats = stmt.is_vacuumcmd && !g.skip_database_stats;
    p.process_main = g.process_main.unwrap_or(true);
    p.process_toast = g.process_toast.unwrap_or(true);
    check(stmt, &p, &g)?;
    Ok((p, g))
}

/// (PostgreSQL: `MAX_PARALLEL_WORKER_LIMIT`)
const MOST_WORKERS: i64 = 1024;

fn parallel(o: &DefElem) -> Result<i64> {
    if o.arg.is_none() {
        let text = format!("parallel option requires a value between 0 and {MOST_WORKERS}");
        return Err(PgError::new(SYNTAX_ERROR, text).at(o.location));
    }
    let n = options::text(o).parse().unwrap_or(-1);
    if !(0..=MOST_WORKERS).contains(&n) {
        let text = format!("parallel workers for vacuum must be between 0 and {MOST_WORKERS}");
        return Err(PgError::new(SYNTAX_ERROR, text).at(o.location));
    }
    Ok(n)
}

/// Kilobytes. (PostgreSQL: `MIN_BAS_VAC_RING_SIZE_KB`, `MAX_BAS_VAC_RING_SIZE_KB`)
fn buffer_limit(o: &DefElem) -> Result<i64> {
    let found = guc::parse_value(guc::VACUUM_BUFFER_USAGE_LIMIT, &options::text(o));
    match found {
        Ok(guc::Value::Int(n)) if n == 0 || (128..=16_777_216).contains(&n) => Ok(n),
        other => {
            let text = "BUFFER_USAGE_LIMIT option must be 0 or between 128 kB and 16777216 kB";
            let e = PgError::new(INVALID_PARAMETER_VALUE, text);
            Err(match other.err().and_then(|e| e.fields().hint.clone()) {
                Some(hint) => e.hint(hint),
                None => e,
            })
        }
    }
}

/// Which options do not go together.
fn check(stmt: &VacuumStmt, p: &VacuumParams, g: &Given) -> Result<()> {
    let refuse = |text: &str| Err(PgError::new(FEATURE_NOT_SUPPORTED, text));
    if g.full && g.parallel.is_some_and(|n| n > 0) {
        return refuse("VACUUM FULL cannot be performed in parallel");
    }
    if g.full && !p.analyze && g.buffer_usage_limit.is_some() {
        return refuse("BUFFER_USAGE_LIMIT cannot be specified for VACUUM FULL");
    }
    if !p.analyze && stmt.rels.iter().any(|r| !r.va_cols.is_empty()) {
        return refuse("ANALYZE option must be specified when a column list is provided");
    }
    if g.full && g.disable_page_skipping {
        return refuse("VACUUM option DISABLE_PAGE_SKIPPING cannot be used with FULL");
    }
    if g.full && g.process_toast == Some(false) {
        return refuse("PROCESS_TOAST required with VACUUM FULL");
    }
    if g.only_database_stats {
        if !stmt.rels.is_empty() {
            return refuse("ONLY_DATABASE_STATS cannot be specified with a list of tables");
        }
        let others = g.full
            || g.freeze
            || p.analyze
            || g.disable_page_skipping
            || g.skip_database_stats
            || p.skip_locked
            || g.process_main == Some(false)
            || g.process_toast == Some(false);
        if others {
            return refuse("ONLY_DATABASE_STATS cannot be specified with other VACUUM options");
        }
    }
    Ok(())
}

pub fn execute(cmd: &mut CommandContext<'_>, stmt: &VacuumStmt) -> Result<Outcome> {
    let (params, given) = parse(cmd.session.values(), stmt)?;
    let tag = if stmt.is_vacuumcmd { "VACUUM" } else { "ANALYZE" };
    if stmt.is_vacuumcmd {
        cmd.session.prevent_in_transaction_block("VACUUM")?;
    }
    let mut targets: Vec<(Oid, Vec<String>)> = Vec::new();
    for r in &stmt.rels {
        let oid = cmd.cx.catalog.find_relation(r.relation.schemaname.as_deref(), &r.relation.relname, true)?;
        let oid = oid.ok_or_else(|| name::missing_relation(&r.relation))?;
        targets.push((oid, r.va_cols.clone()));
        // Whatever inherits from it is worked on too. (PostgreSQL: `expand_vacuum_rel`)
        if r.relation.inh && cmd.cx.catalog.relation_entry(oid)?.class.relhassubclass {
            for child in &crate::partition::tree::inheritors(cmd, oid, None)?[1..] {
                targets.push((*child, r.va_cols.clone()));
            }
        }
    }
    if given.only_database_stats {
        frozen::update(cmd.cx)?;
        return Ok(Outcome::tag(tag));
    }
    if stmt.rels.is_empty() {
        for class in cmd.cx.catalog.rows::<PgClass>(Oid::INVALID, &[])? {
            if matches!(class.relkind, relkind::TABLE | relkind::MATERIALIZED_VIEW) && class.relpersistence != b't' {
                targets.push((class.oid, Vec::new()));
            }
        }
        targets.sort();
    }
    for (oid, columns) in targets {
        if params.vacuum {
            cmd.session.next_transaction(cmd.cx)?;
            if !params.process_main {
                // Only the TOAST table.
                if let Some(toast) = toast_of(cmd, oid, &params)? {
                    cmd.session.next_transaction(cmd.cx)?;
                    vacuum_table(cmd, toast, &VacuumParams { process_main: true, ..params.clone() }, false)?;
                }
                continue;
            }
            let done = vacuum_table(cmd, oid, &params, !stmt.rels.is_empty())?;
            if let Some(toast) = done.and_then(|d| d.toast).filter(|_| params.process_toast && !params.full) {
                cmd.session.next_transaction(cmd.cx)?;
                vacuum_table(cmd, toast, &params, false)?;
            }
        }
        if params.analyze {
            if stmt.is_vacuumcmd {
                cmd.session.next_transaction(cmd.cx)?;
            }
            analyze_one(cmd, oid, &columns, &params, !stmt.rels.is_empty())?;
        }
    }
    if stmt.is_vacuumcmd {
        cmd.session.next_transaction(cmd.cx)?;
        if params.database_stats {
            frozen::update(cmd.cx)?;
            cmd.session.next_transaction(cmd.cx)?;
        }
    }
    Ok(Outcome::tag(tag))
}

/// The TOAST table of a table that the user may vacuum.
fn toast_of(cmd: &mut CommandContext<'_>, oid: Oid, params: &VacuumParams) -> Result<Option<Oid>> {
    let Some(rel) = open(cmd, oid, params, "vacuum", LockMode::ShareUpdateExclusive)? else { return Ok(None) };
    let fits = matches!(rel.kind(), relkind::TABLE | relkind::MATERIALIZED_VIEW) && permitted(cmd, &rel, "vacuum")?;
    Ok(rel.class.reltoastrelid.valid().filter(|_| fits && params.process_toast))
}

/// Whether the user may; a warning if not. (PostgreSQL: `vacuum_is_permitted_for_relation`)
fn permitted(cmd: &mut CommandContext<'_>, rel: &Relation, verb: &str) -> Result<bool> {
    let (role, acl) = (cmd.cx.settings.current_user, rel.class.relacl.as_deref());
    if cmd.cx.catalog.has_privilege(role, AclKind::Table, rel.owner(), acl, catalog::acl::ACL_MAINTAIN)? {
        return Ok(true);
    }
    let text = format!("permission denied to {verb} \"{}\", skipping it", rel.name());
    cmd.notice(Severity::Warning, INSUFFICIENT_PRIVILEGE, text);
    Ok(false)
}

/// Locks a table and finds it; `None` if it has been dropped since the list was made, or others hold it and it is to be
/// skipped then. (PostgreSQL: `vacuum_open_relation`)
fn open(
    cmd: &mut CommandContext<'_>,
    oid: Oid,
    params: &VacuumParams,
    verb: &str,
    mode: LockMode,
) -> Result<Option<Arc<Relation>>> {
    if !params.skip_locked {
        lock_relation(cmd.cx, oid, mode)?;
        return cmd.cx.catalog.relation(oid);
    }
    let Some(rel) = cmd.cx.catalog.relation(oid)? else { return Ok(None) };
    let txn = cmd.cx.txn()?;
    let tag =
        LockTag::Relation { db: if rel.is_shared() { Oid::INVALID } else { cmd.cx.catalog.database_oid() }, rel: oid };
    let locks = txn.manager().locks();
    if locks.acquire(txn.proc(), tag, mode, LockLevel::Transaction, Wait::No)? == Acquired::NotAvailable {
        let text = format!("skipping {verb} of \"{}\" --- lock not available", rel.name());
        cmd.notice(Severity::Warning, LOCK_NOT_AVAILABLE, text);
        return Ok(None);
    }
    cmd.cx.catalog.relation(oid)
}

/// Vacuums one table, in the current transaction, which should be fresh; `None` if it was skipped. `named`: by the user.
pub fn vacuum_table(
    cmd: &mut CommandContext<'_>,
    oid: Oid,
    params: &VacuumParams,
    named: bool,
) -> Result<Option<Vacuumed>> {
    let mode = if params.full { LockMode::AccessExclusive } else { LockMode::ShareUpdateExclusive };
    let Some(rel) = open(cmd, oid, params, "vacuum", mode)? else { return Ok(None) };
    if rel.kind() == relkind::PARTITIONED_TABLE {
        return Ok(None);
    }
    if !matches!(rel.kind(), relkind::TABLE | relkind::MATERIALIZED_VIEW | relkind::TOAST) {
        if named {
            let text = format!("skipping \"{}\" --- cannot vacuum non-tables or special system tables", rel.name());
            cmd.notice(Severity::Warning, WARNING, text);
        }
        return Ok(None);
    }
    if rel.kind() != relkind::TOAST && !permitted(cmd, &rel, "vacuum")? {
        return Ok(None);
    }
    if params.full {
        // A catalog whose file is found through a map is only cleaned.
        if rel.class.relfilenode.is_valid() && !rel.is_shared() {
            let ages = params.ages.unwrap_or_else(|| freeze_ages(cmd.session.values()));
            crate::cluster::vacuum_full(cmd, &rel, ages, params.verbose)?;
            return Ok(Some(Vacuumed { toast: None, result: VacuumResult::default() }));
        }
    }
    let txn = cmd.cx.txn()?.clone();
    if params.verbose {
        let text = format!("vacuuming \"{}\"", full_name(cmd, &rel)?);
        cmd.notice(Severity::Info, SUCCESSFUL_COMPLETION, text);
    }
    let heap = cmd.cx.catalog.heap_of(&rel)?;
    let mut indexes = Vec::new();
    for index in &rel.indexes {
        indexes.push(cmd.cx.catalog.index(*index)?);
    }
    let start = txn::transaction::current_timestamp();
    let values = cmd.session.values();
    let ages = params.ages.unwrap_or_else(|| freeze_ages(values));
    let kilobytes = params.memory.unwrap_or_else(|| values.int(guc::MAINTENANCE_WORK_MEM));
    let memory = usize::try_from(kilobytes).unwrap_or(65_536) << 10;
    let class = &rel.class;
    let (cutoffs, aggressive) = cutoffs(&heap, &txn, class.relfrozenxid, MultiXactId(class.relminmxid.0), ages);
    let interrupt = cmd.cx.interrupt.clone();
    let (cost, mut spent) = (params.cost, 0);
    let mut delay = || {
        spent += PAGE_COST;
        if cost.delay > 0.0 && spent >= cost.limit {
            spent = 0;
            std::thread::sleep(Duration::from_secs_f64(cost.delay / 1000.0));
        }
        interrupt.check()
    };
    let oldest_xmin = cutoffs.oldest_xmin;
    let mut options = VacuumOptions {
        cutoffs,
        aggressive,
        no_skipping: params.no_skipping,
        index_cleanup: params.index_cleanup,
        truncate: params.truncate,
        memory,
        strategy: None,
        delay: &mut delay,
        old_pages: class.relpages as u32,
        old_tuples: f64::from(class.reltuples),
    };
    let result = {
        let _flag = InVacuum::start(txn.proc());
        vacuum(&heap, &txn, &indexes, &mut options)?
    };
    // What cannot be removed yet is still dead.
    let dead = result.recently_dead.saturating_add(result.dead_items_left);
    heap.stats(&txn).vacuumed(params.by, start, result.live_tuples as i64, i64::try_from(dead).unwrap_or(i64::MAX));
    if params.verbose {
        let old_pages = result.pages + result.removed_pages;
        let percent =
            if old_pages == 0 { 100.0 } else { f64::from(result.scanned_pages) * 100.0 / f64::from(old_pages) };
        let next = txn.manager().next_full_xid().xid();
        let text = format!(
            "finished vacuuming \"{}\": index scans: {}\npages: {} removed, {} remain, {} scanned ({percent:.2}% of total), 0 \
             eagerly scanned\ntuples: {} removed, {} remain, {} are dead but not yet removable\nremovable cutoff: {}, which \
             was {} XIDs old when operation ended\n",
            full_name(cmd, &rel)?,
            result.index_scans,
            result.removed_pages,
            result.pages,
            result.scanned_pages,
            result.tuples_deleted,
            result.live_tuples as i64 + dead as i64,
            dead,
            oldest_xmin,
            next.0.wrapping_sub(oldest_xmin.0),
        );
        cmd.notice(Severity::Info, SUCCESSFUL_COMPLETION, text);
    }
    update_class(cmd, oid, |row| {
        row.relpages = result.pages as i32;
        row.reltuples = result.live_tuples as f32;
        row.relallvisible = result.all_visible as i32;
        row.relallfrozen = result.all_frozen as i32;
        row.relhasindex = !rel.indexes.is_empty();
        if let Some(xid) = result.relfrozenxid {
            row.relfrozenxid = xid;
        }
        if let Some(multi) = result.relminmxid {
            row.relminmxid = Xid(multi.0);
        }
    })?;
    for (index, stats) in &result.indexes {
        if !stats.estimated {
            update_class(cmd, *index, |row| {
                row.relpages = stats.pages as i32;
                row.reltuples = stats.tuples as f32;
            })?;
        }
    }
    Ok(Some(Vacuumed { toast: class.reltoastrelid.valid(), result }))
}

fn full_name(cmd: &CommandContext<'_>, rel: &Relation) -> Result<String> {
    let schema = cmd.cx.catalog.namespace_name(rel.namespace())?.unwrap_or_default();
    Ok(format!("{}.{schema}.{}", cmd.cx.settings.database_name, rel.name()))
}

/// While a table is vacuumed its transaction reads nothing that others could remove: it does not keep them from removing.
/// (PostgreSQL: `PROC_IN_VACUUM`)
struct InVacuum<'a>(&'a Proc);

impl<'a> InVacuum<'a> {
    fn start(proc: &'a Proc) -> InVacuum<'a> {
        proc.set_in_vacuum(true);
        InVacuum(proc)
    }
}

impl Drop for InVacuum<'_> {
    fn drop(&mut self) {
        self.0.set_in_vacuum(false);
    }
}

/// Overwrites a relation's figures in `pg_class` in place: they are no one transaction's. (PostgreSQL: `vac_update_relstats`)
pub fn update_class(cmd: &mut CommandContext<'_>, rel: Oid, change: impl FnOnce(&mut PgClass)) -> Result<()> {
    let found = cmd.cx.catalog.find_row::<PgClass>(oids::CLASS_OID_INDEX, &[Datum::oid(rel)])?;
    let Some(found) = found else { return Ok(()) };
    let mut row = found.row.clone();
    change(&mut row);
    if row != found.row {
        cmd.cx.catalog.overwrite_row(&found, &row)?;
    }
    Ok(())
}

/// Analyzes one table: these columns, all if none are named.
pub fn analyze_one(
    cmd: &mut CommandContext<'_>,
    oid: Oid,
    columns: &[String],
    params: &VacuumParams,
    named: bool,
) -> Result<()> {
    let Some(rel) = open(cmd, oid, params, "analyze", LockMode::ShareUpdateExclusive)? else { return Ok(()) };
    if !matches!(rel.kind(), relkind::TABLE | relkind::MATERIALIZED_VIEW | relkind::PARTITIONED_TABLE) {
        if named {
            let text = format!("skipping \"{}\" --- cannot analyze non-tables or special system tables", rel.name());
            cmd.notice(Severity::Warning, WARNING, text);
        }
        return Ok(());
    }
    if !permitted(cmd, &rel, "analyze")? {
        return Ok(());
    }
    if rel.class.relhassubclass {
        analyze_table::analyze_tree(cmd, &rel, columns)?;
    }
    if rel.kind() == relkind::PARTITIONED_TABLE {
        return Ok(());
    }
    let start = txn::transaction::current_timestamp();
    let live = analyze_table::analyze(cmd, &rel, columns)?;
    if columns.is_empty() {
        let txn = cmd.cx.txn()?;
        cmd.cx.catalog.heap_of(&rel)?.stats(txn).analyzed(params.by, start, live as i64);
    }
    Ok(())
}
