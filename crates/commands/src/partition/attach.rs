//! ALTER TABLE ... ATTACH and DETACH PARTITION, INHERIT and NO INHERIT: a table that is there joins a parent, or leaves it.
//!
//! PostgreSQL: `ATExecAttachPartition`, `ATExecDetachPartition`, `CreateInheritance`, `RemoveInheritance`.

use std::sync::Arc;

use analyze::partition;
use analyze::query as q;
use base::sqlstate::*;
use base::{Oid, PgError, Result};
use catalog::{DependencyType, ObjectAddress, PgConstraint, PgInherits, Relation, oids, relkind};
use parser::ast::{PartitionCmd, RangeVar};
use txn::LockMode;
use types::Datum;

use super::{indexes, tree};
use crate::{CommandContext, alter_table, constraint, name, table_scan};

fn wrong(text: String) -> PgError {
    PgError::new(WRONG_OBJECT_TYPE, text)
}

/// The column that a NOT NULL constraint is for.
fn not_null_column(c: &PgConstraint) -> Option<i16> {
    match (c.contype, c.conkey.as_deref()) {
        (b'n', Some([n])) => Some(*n),
        _ => None,
    }
}

/// The child's columns and constraints become the parent's too; the row of inheritance. (PostgreSQL: `CreateInheritance`)
fn join(cmd: &mut CommandContext<'_>, child: &Relation, parent: &Relation, is_partition: bool) -> Result<()> {
    let catalog = cmd.cx.catalog.clone();
    let existing = catalog.inheritance_parents(child.oid)?;
    if existing.iter().any(|p| p.inhparent == parent.oid) {
        let text = format!("relation \"{}\" would be inherited from more than once", parent.name());
        return Err(PgError::new(DUPLICATE_TABLE, text));
    }
    merge_columns(cmd, child, parent, is_partition)?;
    merge_constraints(cmd, child, parent)?;
    let number = existing.iter().map(|p| p.inhseqno).max().unwrap_or(0) + 1;
    catalog.insert_row(&PgInherits {
        inhrelid: child.oid,
        inhparent: parent.oid,
        inhseqno: number,
        inhdetachpending: false,
    })?;
    let kind = if is_partition { DependencyType::Auto } else { DependencyType::Normal };
    let (me, on) = (ObjectAddress::relation(child.oid), ObjectAddress::relation(parent.oid));
    catalog.record_dependency(&me, &on, kind)?;
    if !parent.class.relhassubclass {
        alter_table::edit_class(cmd, parent.oid, |c| c.relhassubclass = true)?;
    }
    catalog.invalidate_relation(parent.oid);
    catalog.invalidate_relation(child.oid);
    catalog.command_counter_increment()
}

/// (PostgreSQL: `MergeAttributesIntoExisting`)
fn merge_columns(cmd: &mut CommandContext<'_>, child: &Relation, parent: &Relation, is_partition: bool) -> Result<()> {
    let mismatch = |text: String| PgError::new(DATATYPE_MISMATCH, text);
    for a in parent.attributes.iter().filter(|a| !a.attisdropped) {
        let column = &a.attname;
        let Some(n) = child.desc.find(column) else {
            return Err(mismatch(format!("child table is missing column \"{column}\"")));
        };
        let own = &child.attributes[n as usize - 1];
        if (own.atttypid, own.atttypmod) != (a.atttypid, a.atttypmod) {
            let text = format!("child table \"{}\" has different type for column \"{column}\"", child.name());
            return Err(mismatch(text));
        }
        if own.attcollation != a.attcollation {
            let text = format!("child table \"{}\" has different collation for column \"{column}\"", child.name());
            return Err(PgError::new(COLLATION_MISMATCH, text));
        }
        if a.attnotnull && !own.attnotnull {
            let inherits = |c: &&PgConstraint| not_null_column(c) == Some(a.attnum) && !c.connoinherit;
            if parent.checks.iter().any(|c| inherits(&c)) {
                let text = format!("column \"{column}\" in child table \"{}\" must be marked NOT NULL", child.name());
                return Err(mismatch(text));
            }
        }
        if a.attgenerated != 0 && own.attgenerated == 0 {
            return Err(mismatch(format!("column \"{column}\" in child table must be a generated column")));
        }
        if own.attgenerated != 0 && a.attgenerated == 0 {
            return Err(mismatch(format!("column \"{column}\" in child table must not be a generated column")));
        }
        if own.attgenerated != a.attgenerated {
            let word = |g: u8| if g == b's' { "STORED" } else { "VIRTUAL" };
            let text = format!("column \"{column}\" inherits from generated column of different kind");
            let detail =
                format!("Parent column is {}, child column is {}.", word(a.attgenerated), word(own.attgenerated));
            return Err(mismatch(text).detail(detail));
        }
        let identity = a.attidentity;
        let partitioned = parent.kind() == relkind::PARTITIONED_TABLE;
        alter_table::edit_column(cmd, child, n, |row| {
            row.attinhcount += 1;
            if is_partition {
                row.attidentity = identity;
            }
            if partitioned {
                row.attislocal = false;
            }
        })?;
    }
    Ok(())
}

/// (PostgreSQL: `MergeConstraintsIntoExisting`)
fn merge_constraints(cmd: &mut CommandContext<'_>, child: &Relation, parent: &Relation) -> Result<()> {
    let catalog = cmd.cx.catalog.clone();
    let own = catalog.constraints_of_relation(child.oid)?;
    let mut theirs = catalog.constraints_of_relation(parent.oid)?;
    theirs.sort_by(|a, b| a.conname.cmp(&b.conname));
    for c in theirs.iter().filter(|c| matches!(c.contype, b'c' | b'n') && !c.connoinherit) {
        let column = not_null_column(c).map(|n| parent.attributes[n as usize - 1].attname.clone());
        let same = |k: &&PgConstraint| match &column {
            Some(column) => not_null_column(k).is_some_and(|n| child.attributes[n as usize - 1].attname == *column),
            None => k.contype == b'c' && k.conname == c.conname,
        };
        let Some(k) = own.iter().find(same) else {
            let text = match column {
                Some(column) => {
                    format!("column \"{column}\" in child table \"{}\" must be marked NOT NULL", child.name())
                }
                None => format!("child table is missing constraint \"{}\"", c.conname),
            };
            return Err(PgError::new(DATATYPE_MISMATCH, text));
        };
        if let (Some(a), Some(b)) = (&c.conbin, &k.conbin) {
            let wanted = crate::inherit::mapped(&analyze::nodes::read_expr(a, &catalog)?, parent, child)?;
            if !analyze::equal(&wanted, &analyze::nodes::read_expr(b, &catalog)?)? {
                let text = format!(
                    "child table \"{}\" has different definition for check constraint \"{}\"",
                    child.name(),
                    c.conname
                );
                return Err(PgError::new(DATATYPE_MISMATCH, text));
            }
        }
        let conflict = |what: &str| {
            let text = format!(
                "constraint \"{}\" conflicts with {what} constraint on child table \"{}\"",
                k.conname,
                child.name()
            );
            Err(PgError::new(INVALID_OBJECT_DEFINITION, text))
        };
        if k.connoinherit {
            return conflict("non-inherited");
        }
        if c.convalidated && k.conenforced && !k.convalidated {
            return conflict("NOT VALID");
        }
        if c.conenforced && !k.conenforced {
            return conflict("NOT ENFORCED");
        }
        let partitioned = parent.kind() == relkind::PARTITIONED_TABLE;
        constraint::edit(cmd, k.oid, |row| {
            row.coninhcount += 1;
            if partitioned {
                row.conislocal = false;
            }
        })?;
    }
    Ok(())
}

/// (PostgreSQL: `RemoveInheritance`)
fn leave(cmd: &mut CommandContext<'_>, child: &Relation, parent: &Relation) -> Result<()> {
    let catalog = cmd.cx.catalog.clone();
    let rows = catalog.find_rows::<PgInherits>(oids::INHERITS_RELID_SEQNO_INDEX, &[Datum::oid(child.oid)])?;
    let Some(row) = rows.into_iter().find(|r| r.row.inhparent == parent.oid) else {
        let text = match parent.kind() {
            relkind::PARTITIONED_TABLE => {
                format!("relation \"{}\" is not a partition of relation \"{}\"", child.name(), parent.name())
            }
            _ => format!("relation \"{}\" is not a parent of relation \"{}\"", parent.name(), child.name()),
        };
        return Err(PgError::new(UNDEFINED_TABLE, text));
    };
    catalog.delete_row(&row)?;
    for a in child.attributes.iter().filter(|a| !a.attisdropped && a.attinhcount > 0) {
        if parent.desc.find(&a.attname).is_some() {
            alter_table::edit_column(cmd, child, a.attnum, |row| {
                row.attinhcount -= 1;
                row.attislocal |= row.attinhcount == 0;
            })?;
        }
    }
    let own = catalog.constraints_of_relation(child.oid)?;
    for c in catalog.constraints_of_relation(parent.oid)?.iter().filter(|c| !c.connoinherit) {
        let column = not_null_column(c).map(|n| parent.attributes[n as usize - 1].attname.clone());
        let same = |k: &&PgConstraint| match (&column, c.contype) {
            (Some(column), _) => {
                not_null_column(k).is_some_and(|n| child.attributes[n as usize - 1].attname == *column)
            }
            (None, b'c') => k.contype == b'c' && k.conname == c.conname,
            _ => false,
        };
        if let Some(k) = own.iter().find(same).filter(|k| k.coninhcount > 0) {
            constraint::edit(cmd, k.oid, |row| {
                row.coninhcount -= 1;
                row.conislocal |= row.coninhcount == 0;
            })?;
        }
    }
    let (me, on) = (ObjectAddress::relation(child.oid), ObjectAddress::relation(parent.oid));
    catalog.delete_dependency(&me, &on)?;
    catalog.invalidate_relation(parent.oid);
    catalog.invalidate_relation(child.oid);
    catalog.command_counter_increment()
}

fn check_not_circular(cmd: &CommandContext<'_>, child: &Relation, parent: &Relation, shown: &str) -> Result<()> {
    if tree::inheritors(cmd, child.oid, Some(LockMode::AccessShare))?.contains(&parent.oid) {
        let detail = format!("\"{shown}\" is already a child of \"{}\".", child.name());
        return Err(PgError::new(DUPLICATE_TABLE, "circular inheritance not allowed").detail(detail));
    }
    Ok(())
}

fn check_triggers(child: &Relation, what: &str, detail: &str) -> Result<()> {
    const ROW: i16 = 1;
    let bad = child.triggers.iter().find(|t| t.tgtype & ROW != 0 && (t.tgoldtable.is_some() || t.tgnewtable.is_some()));
    match bad {
        Some(t) => {
            let text = format!("trigger \"{}\" prevents table \"{}\" from becoming {what}", t.tgname, child.name());
            Err(PgError::new(FEATURE_NOT_SUPPORTED, text).detail(detail))
        }
        None => Ok(()),
    }
}

/// ALTER TABLE child INHERIT parent.
pub fn add_inherit(cmd: &mut CommandContext<'_>, child: &Arc<Relation>, var: &RangeVar) -> Result<()> {
    prepare_inherit(child)?;
    let parent = name::relation(cmd.cx, var, LockMode::ShareUpdateExclusive)?;
    if !matches!(parent.kind(), relkind::TABLE | relkind::PARTITIONED_TABLE | relkind::FOREIGN_TABLE) {
        let text = format!("ALTER action INHERIT cannot be performed on relation \"{}\"", parent.name());
        let detail = format!("This operation is not supported for {}.", alter_table::plural(parent.kind()));
        return Err(wrong(text).detail(detail));
    }
    name::check_owner(cmd.cx, &parent)?;
    let (p, c) = (parent.is_temporary(), child.is_temporary());
    if p && !c {
        return Err(wrong(format!("cannot inherit from temporary relation \"{}\"", parent.name())));
    }
    if p && !cmd.cx.catalog.is_my_temp_schema(parent.namespace()) {
        return Err(wrong("cannot inherit from temporary relation of another session".into()));
    }
    if c && !cmd.cx.catalog.is_my_temp_schema(child.namespace()) {
        return Err(wrong("cannot inherit to temporary relation of another session".into()));
    }
    if parent.kind() == relkind::PARTITIONED_TABLE {
        return Err(wrong(format!("cannot inherit from partitioned table \"{}\"", var.relname)));
    }
    if parent.class.relispartition {
        return Err(wrong("cannot inherit from a partition".into()));
    }
    check_not_circular(cmd, child, &parent, &var.relname)?;
    let detail = "ROW triggers with transition tables are not supported in inheritance hierarchies.";
    check_triggers(child, "an inheritance child", detail)?;
    join(cmd, child, &parent, false)
}

fn prepare_inherit(child: &Relation) -> Result<()> {
    if child.class.reloftype.is_valid() {
        return Err(wrong("cannot change inheritance of typed table".into()));
    }
    if child.class.relispartition {
        return Err(wrong("cannot change inheritance of a partition".into()));
    }
    if child.kind() == relkind::PARTITIONED_TABLE {
        return Err(wrong("cannot change inheritance of partitioned table".into()));
    }
    Ok(())
}

/// ALTER TABLE child NO INHERIT parent.
pub fn drop_inherit(cmd: &mut CommandContext<'_>, child: &Arc<Relation>, var: &RangeVar) -> Result<()> {
    if child.class.relispartition {
        return Err(wrong("cannot change inheritance of a partition".into()));
    }
    let parent = name::relation(cmd.cx, var, LockMode::AccessShare)?;
    leave(cmd, child, &parent)
}

/// ALTER TABLE parent ATTACH PARTITION child FOR VALUES ...
pub fn attach(cmd: &mut CommandContext<'_>, parent: &Arc<Relation>, given: &PartitionCmd) -> Result<()> {
    let bound = given.bound.as_ref().ok_or_else(|| PgError::internal("ATTACH PARTITION without a bound"))?;
    let spec = super::transform_bound(cmd, parent, bound)?;
    let desc = super::desc(cmd, parent)?;
    if let Some(d) = desc.default {
        executor::lock_relation(cmd.cx, desc.parts[d].oid, LockMode::AccessExclusive)?;
    }
    let child = name::relation(cmd.cx, &given.name, LockMode::AccessExclusive)?;
    if !matches!(child.kind(), relkind::TABLE | relkind::PARTITIONED_TABLE | relkind::FOREIGN_TABLE) {
        let text = format!("ALTER action ATTACH PARTITION cannot be performed on relation \"{}\"", child.name());
        let detail = format!("This operation is not supported for {}.", alter_table::plural(child.kind()));
        return Err(wrong(text).detail(detail));
    }
    name::check_owner(cmd.cx, &child)?;
    if child.class.relispartition {
        return Err(wrong(format!("\"{}\" is already a partition", child.name())));
    }
    if child.class.reloftype.is_valid() {
        return Err(wrong("cannot attach a typed table as partition".into()));
    }
    let catalog = cmd.cx.catalog.clone();
    if !catalog.inheritance_parents(child.oid)?.is_empty() {
        return Err(wrong("cannot attach inheritance child as partition".into()));
    }
    if child.kind() == relkind::TABLE && !catalog.inheritance_children(child.oid)?.is_empty() {
        return Err(wrong("cannot attach inheritance parent as partition".into()));
    }
    check_not_circular(cmd, &child, parent, parent.name())?;
    let (p, c) = (parent.is_temporary(), child.is_temporary());
    if c && !p {
        let text = "cannot attach a temporary relation as partition of permanent relation";
        return Err(wrong(format!("{text} \"{}\"", parent.name())));
    }
    if p && !c {
        let text = "cannot attach a permanent relation as partition of temporary relation";
        return Err(wrong(format!("{text} \"{}\"", parent.name())));
    }
    for a in child.attributes.iter().filter(|a| !a.attisdropped) {
        if a.attidentity != 0 {
            let text =
                format!("table \"{}\" being attached contains an identity column \"{}\"", child.name(), a.attname);
            let e = PgError::new(OBJECT_NOT_IN_PREREQUISITE_STATE, text);
            return Err(e.detail("The new partition may not contain an identity column."));
        }
        if parent.desc.find(&a.attname).is_none() {
            let text = format!(
                "table \"{}\" contains column \"{}\" not found in parent \"{}\"",
                child.name(),
                a.attname,
                parent.name()
            );
            let e = PgError::new(DATATYPE_MISMATCH, text);
            return Err(e.detail("The new partition may contain only the columns present in parent."));
        }
    }
    let detail = "ROW triggers with transition tables are not supported on partitions.";
    check_triggers(&child, "a partition", detail)?;
    desc.check_new(&catalog, cmd.cx, child.name(), &spec)?;
    join(cmd, &child, parent, true)?;
    super::store_bound(cmd, child.oid, parent.oid, &spec)?;
    indexes::ensure_all(cmd, parent.oid, child.oid)?;
    crate::trigger::clone_row_triggers(cmd, parent.oid, child.oid)?;
    super::foreign_keys::clone_to(cmd, parent.oid, child.oid, true)?;

    // The rows that are there must fit, and none of the default partition's may belong here.
    let entry = catalog.relation_entry(child.oid)?;
    let all = partition::quals::of_partition(&catalog, cmd.cx, &entry)?;
    verify(cmd, &entry, all)?;
    super::check_default(cmd, parent, &desc, &spec)?;
    for oid in tree::inheritors(cmd, child.oid, None)? {
        catalog.invalidate_relation(oid);
    }
    Ok(())
}

/// All rows of a table and its partitions satisfy a condition.
fn verify(cmd: &mut CommandContext<'_>, rel: &Relation, all: Vec<q::Expr>) -> Result<()> {
    let condition = match all.len() {
        0 => return Ok(()),
        1 => all.into_iter().next().unwrap_or_default(),
        _ => super::bool_expr(q::BoolExprType::And, all),
    };
    let catalog = cmd.cx.catalog.clone();
    for oid in tree::inheritors(cmd, rel.oid, None)? {
        let part = catalog.relation_entry(oid)?;
        if part.kind() != relkind::TABLE {
            continue;
        }
        let mut e = super::bool_expr(q::BoolExprType::Not, vec![condition.clone()]);
        if let Some(map) = partition::column_map(rel, &part)? {
            partition::quals::renumber(&mut e, &map)?;
        }
        if table_scan::holds_for_some(cmd, &part, &e)? {
            let text = format!("partition constraint of relation \"{}\" is violated by some row", part.name());
            let schema = catalog.namespace_name(part.namespace())?.unwrap_or_default();
            return Err(PgError::new(CHECK_VIOLATION, text).table(schema, part.name()));
        }
    }
    Ok(())
}

/// ALTER TABLE parent DETACH PARTITION child.
pub fn detach(cmd: &mut CommandContext<'_>, parent: &Arc<Relation>, given: &PartitionCmd) -> Result<()> {
    if given.concurrent {
        return Err(PgError::unsupported("DETACH PARTITION CONCURRENTLY"));
    }
    let desc = super::desc(cmd, parent)?;
    if let Some(d) = desc.default {
        executor::lock_relation(cmd.cx, desc.parts[d].oid, LockMode::AccessExclusive)?;
    }
    let child = name::relation(cmd.cx, &given.name, LockMode::AccessExclusive)?;
    leave(cmd, &child, parent)?;
    super::foreign_keys::check_not_referenced(cmd, &child)?;
    drop_cloned_triggers(cmd, child.oid)?;
    super::foreign_keys::detach(cmd, child.oid)?;
    indexes::detach_all(cmd, child.oid)?;
    alter_table::edit_class(cmd, child.oid, |c| {
        c.relispartition = false;
        c.relpartbound = None;
    })?;
    for a in child.attributes.iter().filter(|a| a.attidentity != 0 && !a.attisdropped) {
        alter_table::edit_column(cmd, &child, a.attnum, |a| a.attidentity = 0)?;
    }
    let catalog = cmd.cx.catalog.clone();
    catalog.forget_default(parent.oid, child.oid)?;
    catalog.invalidate_relation(parent.oid);
    for oid in tree::inheritors(cmd, child.oid, None)? {
        catalog.invalidate_relation(oid);
    }
    catalog.command_counter_increment()
}

/// The triggers that came from the parent go. (PostgreSQL: `DropClonedTriggersFromPartition`)
fn drop_cloned_triggers(cmd: &mut CommandContext<'_>, child: Oid) -> Result<()> {
    let entry = cmd.cx.catalog.relation_entry(child)?;
    let catalog = cmd.cx.catalog.clone();
    let mut gone = Vec::new();
    for t in entry.triggers.iter().filter(|t| t.tgparentid.is_valid() && !t.tgisinternal) {
        let me = ObjectAddress::new(oids::TRIGGER_RELATION, t.oid);
        catalog.delete_dependencies_on_class(&me, oids::TRIGGER_RELATION, DependencyType::PartitionPrimary)?;
        catalog.delete_dependencies_on_class(&me, oids::RELATION_RELATION, DependencyType::PartitionSecondary)?;
        gone.push(me);
    }
    if gone.is_empty() {
        return Ok(());
    }
    catalog.command_counter_increment()?;
    catalog.perform_deletion(&gone, catalog::DropBehavior::Restrict, catalog::DropOptions::default())?;
    catalog.command_counter_increment()
}
