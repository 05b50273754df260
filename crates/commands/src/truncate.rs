//! TRUNCATE: a new, empty file in place of the old one, for the table, its TOAST table and their indexes.
//! (PostgreSQL: `ExecuteTruncate`, `RelationSetNewRelfilenumber`)

use base::sqlstate::*;
use base::{Oid, PgError, Result};
use catalog::{AclKind, PgClass, Relation, oids, relkind};
use parser::ast::{DropBehavior, TruncateStmt};
use txn::LockMode;
use types::Datum;

use crate::{CommandContext, Outcome, name};

pub fn execute(cmd: &mut CommandContext<'_>, stmt: &TruncateStmt) -> Result<Outcome> {
    let mut relations = Vec::new();
    for var in &stmt.relations {
        let rel = name::relation(cmd.cx, var, LockMode::AccessExclusive)?;
        check(cmd, &rel)?;
        if !relations.contains(&rel.oid) {
            relations.push(rel.oid);
        }
        if var.inh {
            descendants(cmd, rel.oid, &mut relations)?;
        } else if rel.kind() == relkind::PARTITIONED_TABLE {
            let hint = "Do not specify the ONLY keyword, or use TRUNCATE ONLY on the partitions directly.";
            return Err(PgError::new(WRONG_OBJECT_TYPE, "cannot truncate only a partitioned table").hint(hint));
        }
    }
    foreign_keys(cmd, &mut relations, stmt.behavior)?;
    let triggers = executor::trigger::TruncateTriggers::begin(cmd.cx, &relations)?;
    for rel in relations {
        if catalog::relkind::has_storage(cmd.cx.catalog.relation_entry(rel)?.kind()) {
            truncate(cmd, rel)?;
        }
        if stmt.restart_seqs {
            for seq in cmd.cx.catalog.owned_sequences(rel, 0, None)? {
                crate::sequence::restart(cmd, seq)?;
            }
        }
    }
    triggers.end(cmd.cx)?;
    Ok(Outcome::tag("TRUNCATE TABLE"))
}

/// Tables that refer to those to be emptied are emptied too, or in the way. (PostgreSQL: `heap_truncate_check_FKs`)
fn foreign_keys(cmd: &mut CommandContext<'_>, relations: &mut Vec<Oid>, behavior: DropBehavior) -> Result<()> {
    let mut i = 0;
    while i < relations.len() {
        let rel = cmd.cx.catalog.relation_entry(relations[i])?;
        i += 1;
        for other in crate::foreign_key::referencing(&rel) {
            if relations.contains(&other) {
                continue;
            }
            let name = cmd.cx.catalog.relation_entry(other)?.name().to_owned();
            if behavior != DropBehavior::Cascade {
                let text = "cannot truncate a table referenced in a foreign key constraint";
                let detail = format!("Table \"{name}\" references \"{}\".", rel.name());
                let hint = format!("Truncate table \"{name}\" at the same time, or use TRUNCATE ... CASCADE.");
                return Err(PgError::new(FEATURE_NOT_SUPPORTED, text).detail(detail).hint(hint));
            }
            let text = format!("truncate cascades to table \"{name}\"");
            cmd.notice(base::Severity::Notice, SUCCESSFUL_COMPLETION, text);
            executor::lock_relation(cmd.cx, other, LockMode::AccessExclusive)?;
            check(cmd, &*cmd.cx.catalog.relation_entry(other)?)?;
            relations.push(other);
        }
    }
    for rel in relations.iter() {
        if executor::after::pending_on(cmd.cx, *rel) {
            let name = cmd.cx.catalog.relation_entry(*rel)?.name().to_owned();
            let text = format!("cannot TRUNCATE \"{name}\" because it has pending trigger events");
            return Err(PgError::new(OBJECT_IN_USE, text));
        }
    }
    Ok(())
}

/// Locks and adds a table's children, and theirs. The privilege on the parent is enough.
fn descendants(cmd: &CommandContext<'_>, rel: Oid, relations: &mut Vec<Oid>) -> Result<()> {
    for child in cmd.cx.catalog.inheritance_children(rel)? {
        let child = child.inhrelid;
        if !relations.contains(&child) {
            executor::lock_relation(cmd.cx, child, LockMode::AccessExclusive)?;
            relations.push(child);
            descendants(cmd, child, relations)?;
        }
    }
    Ok(())
}

fn check(cmd: &CommandContext<'_>, rel: &Relation) -> Result<()> {
    if !matches!(rel.kind(), relkind::TABLE | relkind::PARTITIONED_TABLE) {
        return Err(PgError::new(WRONG_OBJECT_TYPE, format!("\"{}\" is not a table", rel.name())));
    }
    let (role, acl) = (cmd.cx.settings.current_user, rel.class.relacl.as_deref());
    if !cmd.cx.catalog.has_privilege(role, AclKind::Table, rel.owner(), acl, catalog::acl::ACL_TRUNCATE)? {
        return Err(catalog::lookup::permission_denied("table", rel.name()));
    }
    if rel.oid < Oid(12000) {
        let text = format!("permission denied: \"{}\" is a system catalog", rel.name());
        return Err(PgError::new(INSUFFICIENT_PRIVILEGE, text));
    }
    Ok(())
}

/// Empties a relation with all that belongs to it.
pub fn truncate(cmd: &mut CommandContext<'_>, rel: Oid) -> Result<()> {
    let entry = cmd.cx.catalog.relation_entry(rel)?;
    let heap = cmd.cx.catalog.heap_of(&entry)?;
    let txn = cmd.cx.txn()?;
    txn.count_truncate(heap.stats(txn));
    new_file(cmd, &entry)?;
    if let Some(toast) = entry.class.reltoastrelid.valid() {
        truncate(cmd, toast)?;
    }
    for index in &entry.indexes {
        let entry = cmd.cx.catalog.relation_entry(*index)?;
        new_file(cmd, &entry)?;
    }
    cmd.cx.catalog.command_counter_increment()?;
    for index in &entry.indexes {
        crate::index::build(cmd, rel, *index)?;
    }
    Ok(())
}

/// A new, empty file; the old one goes when the transaction commits. (PostgreSQL: `RelationSetNewRelfilenumber`)
pub fn new_file(cmd: &mut CommandContext<'_>, rel: &Relation) -> Result<()> {
    new_file_in(cmd, rel, rel.class.reltablespace)
}

/// As `new_file`, in another tablespace.
pub fn new_file_in(cmd: &mut CommandContext<'_>, rel: &Relation, tablespace: Oid) -> Result<()> {
    if !rel.class.relfilenode.is_valid() {
        return Err(PgError::unsupported("a new file for a mapped relation"));
    }
    let file = cmd.cx.catalog.new_file_number(tablespace, rel.is_shared())?;
    let found = cmd.cx.catalog.find_row::<PgClass>(oids::CLASS_OID_INDEX, &[Datum::oid(rel.oid)])?;
    let found = found.ok_or_else(|| PgError::internal("a relation is gone"))?;
    let mut row = found.row.clone();
    row.relfilenode = file;
    row.reltablespace = tablespace;
    if row.relkind != relkind::SEQUENCE {
        row.relpages = 0;
        row.reltuples = -1.0;
        row.relallvisible = 0;
        row.relallfrozen = 0;
    }
    let locator = cmd.cx.catalog.locator(&row)?;
    let txn = cmd.cx.txn()?;
    txn.create_storage(locator, cmd.cx.catalog.persistence_of(rel)?)?;
    // An index writes its own, and a sequence's is not empty.
    if row.relpersistence == b'u' && matches!(row.relkind, relkind::TABLE | relkind::MATERIALIZED_VIEW | relkind::TOAST)
    {
        txn.create_fork(locator, base::ForkNumber::Init)?;
    }
    txn.drop_storage(rel.locator);
    cmd.cx.catalog.update_row(&found, &row)?;
    cmd.cx.catalog.command_counter_increment()
}
