//! VACUUM and ANALYZE. (PostgreSQL: `vacuum.c`)
//!
//! VACUUM runs each table in a transaction of its own, under SHARE UPDATE EXCLUSIVE, so that others go on working.

use access::heap::vacuum::{FreezeAges, VacuumOptions, cutoffs, vacuum};
use base::guc;
use base::sqlstate::*;
use base::{MultiXactId, Oid, PgError, Result, Severity, Xid};
use catalog::{AclKind, PgClass, Relation, oids, relkind};
use executor::lock_relation;
use parser::ast::VacuumStmt;
use txn::LockMode;
use types::Datum;

use crate::{CommandContext, Outcome, analyze_table, name, options};

struct Params {
    vacuum: bool,
    analyze: bool,
    freeze: bool,
    verbose: bool,
    index_cleanup: bool,
    truncate: bool,
    no_skipping: bool,
}

fn parse(stmt: &VacuumStmt) -> Result<Params> {
    let mut p = Params {
        vacuum: stmt.is_vacuumcmd,
        analyze: !stmt.is_vacuumcmd,
        freeze: false,
        verbose: false,
        index_cleanup: true,
        truncate: true,
        no_skipping: false,
    };
    for o in &stmt.options {
        let on = || o.arg.is_none() || base::guc::boolean(&options::text(o)).unwrap_or(true);
        match (stmt.is_vacuumcmd, o.defname.as_str()) {
            (_, "verbose") => p.verbose = on(),
            (true, "analyze") => p.analyze = on(),
            (true, "freeze") => p.freeze = on(),
            (true, "truncate") => p.truncate = on(),
            (true, "disable_page_skipping") => p.no_skipping = on(),
            (true, "index_cleanup") => p.index_cleanup = options::text(o) == "auto" || on(),
            (true, "full") if on() => return Err(PgError::unsupported("VACUUM FULL")),
            (true, "full" | "process_main" | "process_toast" | "parallel" | "skip_database_stats") => {}
            (true, "only_database_stats") => p.vacuum = false,
            (_, "skip_locked" | "buffer_usage_limit") => {}
            (is_vacuum, other) => {
                let command = if is_vacuum { "VACUUM" } else { "ANALYZE" };
                let text = format!("unrecognized {command} option \"{other}\"");
                return Err(PgError::new(SYNTAX_ERROR, text).at(o.location));
            }
        }
    }
    Ok(p)
}

pub fn execute(cmd: &mut CommandContext<'_>, stmt: &VacuumStmt) -> Result<Outcome> {
    let params = parse(stmt)?;
    let tag = if stmt.is_vacuumcmd { "VACUUM" } else { "ANALYZE" };
    if stmt.is_vacuumcmd {
        cmd.session.prevent_in_transaction_block("VACUUM")?;
    }
    for r in &stmt.rels {
        if !r.va_cols.is_empty() && !params.analyze {
            let text = "ANALYZE option must be specified when a column list is provided";
            return Err(PgError::new(FEATURE_NOT_SUPPORTED, text));
        }
    }
    let mut targets: Vec<(Oid, Vec<String>)> = Vec::new();
    for r in &stmt.rels {
        let oid = cmd.cx.catalog.find_relation(r.relation.schemaname.as_deref(), &r.relation.relname, true)?;
        let oid = oid.ok_or_else(|| name::missing_relation(&r.relation))?;
        targets.push((oid, r.va_cols.clone()));
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
            let toast = vacuum_one(cmd, oid, &params, &stmt.rels)?;
            if let Some(toast) = toast {
                cmd.session.next_transaction(cmd.cx)?;
                vacuum_one(cmd, toast, &params, &[])?;
            }
        }
        if params.analyze {
            if stmt.is_vacuumcmd {
                cmd.session.next_transaction(cmd.cx)?;
            }
            analyze_one(cmd, oid, &columns, stmt)?;
        }
    }
    if stmt.is_vacuumcmd {
        cmd.session.next_transaction(cmd.cx)?;
    }
    Ok(Outcome::tag(tag))
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

/// Vacuums one table; gives back its TOAST table, which is next.
fn vacuum_one(
    cmd: &mut CommandContext<'_>,
    oid: Oid,
    params: &Params,
    named: &[parser::ast::VacuumRelation],
) -> Result<Option<Oid>> {
    lock_relation(cmd.cx, oid, LockMode::ShareUpdateExclusive)?;
    // It may have been dropped since the list was made.
    let Some(rel) = cmd.cx.catalog.relation(oid)? else { return Ok(None) };
    if !matches!(rel.kind(), relkind::TABLE | relkind::MATERIALIZED_VIEW | relkind::TOAST) {
        if !named.is_empty() {
            let text = format!("skipping \"{}\" --- cannot vacuum non-tables or special system tables", rel.name());
            cmd.notice(Severity::Warning, WARNING, text);
        }
        return Ok(None);
    }
    if rel.kind() != relkind::TOAST && !permitted(cmd, &rel, "vacuum")? {
        return Ok(None);
    }
    let txn = cmd.cx.txn()?.clone();
    let heap = cmd.cx.catalog.heap_of(&rel)?;
    let mut indexes = Vec::new();
    for index in &rel.indexes {
        indexes.push(cmd.cx.catalog.index(*index)?);
    }
    let values = cmd.session.values();
    let age = |g| u32::try_from(values.int(g)).unwrap_or(0);
    let mut ages = FreezeAges {
        freeze_min_age: age(guc::VACUUM_FREEZE_MIN_AGE),
        freeze_table_age: age(guc::VACUUM_FREEZE_TABLE_AGE),
        multixact_freeze_min_age: age(guc::VACUUM_MULTIXACT_FREEZE_MIN_AGE),
        multixact_freeze_table_age: age(guc::VACUUM_MULTIXACT_FREEZE_TABLE_AGE),
    };
    if params.freeze {
        ages = FreezeAges {
            freeze_min_age: 0,
            freeze_table_age: 0,
            multixact_freeze_min_age: 0,
            multixact_freeze_table_age: 0,
        };
    }
    let memory = usize::try_from(values.int(guc::MAINTENANCE_WORK_MEM)).unwrap_or(65_536) << 10;
    let class = &rel.class;
    let (cutoffs, aggressive) = cutoffs(&heap, &txn, class.relfrozenxid, MultiXactId(class.relminmxid.0), ages);
    let interrupt = cmd.cx.interrupt.clone();
    let mut delay = || interrupt.check();
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
    let result = vacuum(&heap, &txn, &indexes, &mut options)?;
    if params.verbose {
        let text = format!(
            "finished vacuuming \"{}.{}.{}\": index scans: {}",
            cmd.cx.settings.database_name,
            cmd.cx.catalog.namespace_name(rel.namespace())?.unwrap_or_default(),
            rel.name(),
            result.index_scans
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
    Ok(class.reltoastrelid.valid())
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

fn analyze_one(cmd: &mut CommandContext<'_>, oid: Oid, columns: &[String], stmt: &VacuumStmt) -> Result<()> {
    lock_relation(cmd.cx, oid, LockMode::ShareUpdateExclusive)?;
    let Some(rel) = cmd.cx.catalog.relation(oid)? else { return Ok(()) };
    if !matches!(rel.kind(), relkind::TABLE | relkind::MATERIALIZED_VIEW) {
        if !stmt.rels.is_empty() {
            let text = format!("skipping \"{}\" --- cannot analyze non-tables or special system tables", rel.name());
            cmd.notice(Severity::Warning, WARNING, text);
        }
        return Ok(());
    }
    if !permitted(cmd, &rel, "analyze")? {
        return Ok(());
    }
    analyze_table::analyze(cmd, &rel, columns)
}
