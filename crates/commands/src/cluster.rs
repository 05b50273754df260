//! CLUSTER and VACUUM FULL: a table's rows, in an index's order or as they lie, into a new file; its indexes are built anew.
//! (PostgreSQL: `cluster.c`)

use access::heap::rewrite::{Rewrite, RewriteResult};
use access::heap::vacuum::{FreezeAges, cutoffs};
use access::index::{Direction, IndexBatch, IndexScanOptions};
use base::sqlstate::*;
use base::{MultiXactId, Oid, PgError, Result, Severity, Xid};
use catalog::{AclKind, PgClass, PgIndex, Relation, oids, relkind};
use executor::lock_relation;
use parser::ast::ClusterStmt;
use txn::LockMode;
use types::Datum;

use crate::vacuum::{freeze_ages, update_class};
use crate::{CommandContext, Outcome, index, name, options, truncate};

pub fn execute(cmd: &mut CommandContext<'_>, stmt: &ClusterStmt) -> Result<Outcome> {
    let mut verbose = false;
    for o in &stmt.params {
        match o.defname.as_str() {
            "verbose" => verbose = o.arg.is_none() || base::guc::boolean(&options::text(o)).unwrap_or(true),
            other => {
                let text = format!("unrecognized CLUSTER option \"{other}\"");
                return Err(PgError::new(SYNTAX_ERROR, text).at(o.location));
            }
        }
    }
    match &stmt.relation {
        Some(var) => {
            let rel = name::relation(cmd.cx, var, LockMode::AccessExclusive)?;
            if !may_maintain(cmd, &rel)? {
                return Err(catalog::lookup::permission_denied(name::kind_name(rel.kind()), rel.name()));
            }
            if !matches!(rel.kind(), relkind::TABLE | relkind::MATERIALIZED_VIEW | relkind::TOAST) {
                return match rel.kind() {
                    relkind::PARTITIONED_TABLE => Err(PgError::unsupported("CLUSTER of a partitioned table")),
                    _ => {
                        let text = format!("\"{}\" is not a table or materialized view", rel.name());
                        Err(PgError::new(WRONG_OBJECT_TYPE, text))
                    }
                };
            }
            let index = match &stmt.indexname {
                Some(name) => {
                    let found = cmd.cx.catalog.relation_by_name(rel.namespace(), name)?;
                    found.ok_or_else(|| {
                        let text = format!("index \"{name}\" for table \"{}\" does not exist", rel.name());
                        PgError::new(UNDEFINED_OBJECT, text)
                    })?
                }
                None => clustered_index(cmd, &rel)?.ok_or_else(|| {
                    let text = format!("there is no previously clustered index for table \"{}\"", rel.name());
                    PgError::new(UNDEFINED_OBJECT, text)
                })?,
            };
            cluster(cmd, &rel, index, verbose)?;
        }
        None => {
            cmd.session.prevent_in_transaction_block("CLUSTER")?;
            let mut all: Vec<(Oid, Oid)> = Vec::new();
            for i in cmd.cx.catalog.rows::<PgIndex>(Oid::INVALID, &[])? {
                if i.indisclustered {
                    all.push((i.indrelid, i.indexrelid));
                }
            }
            all.sort_unstable();
            for (table, index) in all {
                cmd.session.next_transaction(cmd.cx)?;
                lock_relation(cmd.cx, table, LockMode::AccessExclusive)?;
                let Some(rel) = cmd.cx.catalog.relation(table)? else { continue };
                if !may_maintain(cmd, &rel)? {
                    let text = format!("permission denied to cluster \"{}\", skipping it", rel.name());
                    cmd.notice(Severity::Warning, INSUFFICIENT_PRIVILEGE, text);
                    continue;
                }
                if clustered_index(cmd, &rel)? == Some(index) {
                    cluster(cmd, &rel, index, verbose)?;
                }
            }
            cmd.session.next_transaction(cmd.cx)?;
        }
    }
    Ok(Outcome::tag("CLUSTER"))
}

fn may_maintain(cmd: &CommandContext<'_>, rel: &Relation) -> Result<bool> {
    let (role, acl) = (cmd.cx.settings.current_user, rel.class.relacl.as_deref());
    cmd.cx.catalog.has_privilege(role, AclKind::Table, rel.owner(), acl, catalog::acl::ACL_MAINTAIN)
}

fn clustered_index(cmd: &CommandContext<'_>, rel: &Relation) -> Result<Option<Oid>> {
    for i in &rel.indexes {
        let entry = cmd.cx.catalog.relation_entry(*i)?;
        if entry.index.as_ref().is_some_and(|x| x.row.indisclustered) {
            return Ok(Some(*i));
        }
    }
    Ok(None)
}

/// Can the table be ordered by that index? (PostgreSQL: `check_index_is_clusterable`)
pub fn check_clusterable(cmd: &CommandContext<'_>, rel: &Relation, index: Oid) -> Result<()> {
    let entry = cmd.cx.catalog.relation_entry(index)?;
    let Some(info) = entry.index.as_ref().filter(|i| i.table == rel.oid) else {
        let text = format!("\"{}\" is not an index for table \"{}\"", entry.name(), rel.name());
        return Err(PgError::new(WRONG_OBJECT_TYPE, text));
    };
    let refuse = |why: String| Err(PgError::new(FEATURE_NOT_SUPPORTED, why));
    if info.am != oids::BTREE_AM_OID {
        return refuse(format!(
            "cannot cluster on index \"{}\" because access method does not support clustering",
            entry.name()
        ));
    }
    if info.row.indpred.is_some() {
        return refuse(format!("cannot cluster on partial index \"{}\"", entry.name()));
    }
    if !info.row.indisvalid {
        return refuse(format!("cannot cluster on invalid index \"{}\"", entry.name()));
    }
    Ok(())
}

/// Notes by which index the table is ordered; `None`: by none. (PostgreSQL: `mark_index_clustered`)
pub fn mark_clustered(cmd: &mut CommandContext<'_>, rel: &Relation, index: Option<Oid>) -> Result<()> {
    for i in &rel.indexes {
        let found = cmd.cx.catalog.find_row::<PgIndex>(oids::INDEX_RELID_INDEX, &[Datum::oid(*i)])?;
        let Some(found) = found else { continue };
        let wanted = index == Some(*i);
        if found.row.indisclustered != wanted {
            let mut row = found.row.clone();
            row.indisclustered = wanted;
            cmd.cx.catalog.update_row(&found, &row)?;
        }
    }
    cmd.cx.catalog.command_counter_increment()
}

fn check_not_in_use(cmd: &mut CommandContext<'_>, rel: &Relation, what: &str) -> Result<()> {
    if executor::after::pending_on(cmd.cx, rel.oid) {
        let text = format!("cannot {what} \"{}\" because it has pending trigger events", rel.name());
        return Err(PgError::new(OBJECT_IN_USE, text));
    }
    Ok(())
}

fn cluster(cmd: &mut CommandContext<'_>, rel: &Relation, index: Oid, verbose: bool) -> Result<()> {
    check_clusterable(cmd, rel, index)?;
    check_not_in_use(cmd, rel, "CLUSTER")?;
    mark_clustered(cmd, rel, Some(index))?;
    let schema = cmd.cx.catalog.namespace_name(rel.namespace())?.unwrap_or_default();
    if verbose {
        let by = cmd.cx.catalog.relation_entry(index)?.name().to_owned();
        let text = format!("clustering \"{schema}.{}\" using index scan on \"{by}\"", rel.name());
        cmd.notice(Severity::Info, SUCCESSFUL_COMPLETION, text);
    }
    let ages = freeze_ages(cmd.session.values());
    let result = rewrite(cmd, rel.oid, Some(index), ages)?;
    if verbose {
        tell(cmd, &schema, rel.name(), &result);
    }
    Ok(())
}

fn tell(cmd: &mut CommandContext<'_>, schema: &str, name: &str, r: &RewriteResult) {
    let text = format!(
        "\"{schema}.{name}\": found {} removable, {} nonremovable row versions in {} pages",
        r.removed, r.tuples, r.old_pages
    );
    let detail = format!("{} dead row versions cannot be removed yet.", r.recently_dead);
    cmd.cx.notices.notice(PgError::with_severity(Severity::Info, SUCCESSFUL_COMPLETION, text).detail(detail));
}

/// VACUUM FULL of a table that is locked. (PostgreSQL: `cluster_rel`)
pub fn vacuum_full(
    cmd: &mut CommandContext<'_>,
    rel: &Relation,
    ages: FreezeAges,
    verbose: bool,
) -> Result<RewriteResult> {
    check_not_in_use(cmd, rel, "VACUUM")?;
    let schema = cmd.cx.catalog.namespace_name(rel.namespace())?.unwrap_or_default();
    if verbose {
        let text = format!("vacuuming \"{schema}.{}\"", rel.name());
        cmd.notice(Severity::Info, SUCCESSFUL_COMPLETION, text);
    }
    let result = rewrite(cmd, rel.oid, None, ages)?;
    if verbose {
        tell(cmd, &schema, rel.name(), &result);
    }
    Ok(result)
}

/// The table's rows into a new file, in the index's order if one is given; its TOAST table and all indexes likewise.
fn rewrite(cmd: &mut CommandContext<'_>, table: Oid, order: Option<Oid>, ages: FreezeAges) -> Result<RewriteResult> {
    let rel = cmd.cx.catalog.relation_entry(table)?;
    let class = &rel.class;
    let txn = cmd.cx.txn()?.clone();
    // Who has read a row has read it wherever it lies.
    let db = if rel.is_shared() { Oid::INVALID } else { cmd.cx.catalog.database_oid() };
    for part in [table].iter().chain(&rel.indexes) {
        txn.manager().ssi().lock_whole_table(db, *part, table);
    }
    let old = cmd.cx.catalog.heap_of(&rel)?;
    let (cutoffs, _) = cutoffs(&old, &txn, class.relfrozenxid, MultiXactId(class.relminmxid.0), ages);
    let oldest_multi = cutoffs.oldest_mxact;
    let ordered = order.map(|i| cmd.cx.catalog.index(i)).transpose()?;
    truncate::new_file(cmd, &rel)?;
    let new = cmd.cx.catalog.heap_of(&*cmd.cx.catalog.relation_entry(table)?)?;
    let result = {
        let mut rewrite = Rewrite::new(&txn, old, new, cutoffs)?;
        match ordered {
            None => rewrite.copy_all()?,
            Some(index) => {
                let mut scan = index.am.begin_scan(&txn, &index, Vec::new(), IndexScanOptions::default())?;
                let mut batch = IndexBatch::default();
                loop {
                    batch.clear();
                    let more = scan.next(&txn, Direction::Forward, &mut batch)?;
                    batch.tids.iter().try_for_each(|tid| rewrite.copy_chain(*tid))?;
                    if !more {
                        break;
                    }
                }
            }
        }
        rewrite.finish()?
    };
    update_class(cmd, table, |row: &mut PgClass| {
        row.relpages = result.pages as i32;
        row.reltuples = (result.tuples - result.recently_dead) as f32;
        row.relfrozenxid = result.relfrozenxid;
        row.relminmxid = Xid(oldest_multi.0);
    })?;
    cmd.cx.catalog.command_counter_increment()?;
    if let Some(toast) = class.reltoastrelid.valid() {
        lock_relation(cmd.cx, toast, LockMode::AccessExclusive)?;
        rewrite_toast(cmd, toast, ages)?;
    }
    for i in &rel.indexes {
        lock_relation(cmd.cx, *i, LockMode::AccessExclusive)?;
        let entry = cmd.cx.catalog.relation_entry(*i)?;
        truncate::new_file(cmd, &entry)?;
        index::build(cmd, table, *i)?;
    }
    Ok(result)
}

fn rewrite_toast(cmd: &mut CommandContext<'_>, toast: Oid, ages: FreezeAges) -> Result<()> {
    rewrite(cmd, toast, None, ages).map(drop)
}
