//! Foreign keys from and to partitioned tables.
//!
//! A partition of the referencing table has a constraint of its own under its parent's, with the triggers that check its rows; what
//! happens to referenced rows acts on the whole table and belongs to the topmost constraint. A partition of the referenced table
//! has a constraint from the whole referencing table to it, with the triggers that act when its rows go.
//!
//! PostgreSQL: `addFkRecurseReferencing`, `addFkRecurseReferenced`, `CloneForeignKeyConstraints`, `tryAttachPartitionForeignKey`,
//! `ATDetachCheckNoForeignKeyRefs`.

use analyze::partition::column_map;
use base::sqlstate::*;
use base::{Oid, PgError, Result};
use catalog::{DependencyType, NewConstraint, ObjectAddress, PgConstraint, PgTrigger, Relation, oids, relkind};
use types::Datum;

use super::{indexes, tree};
use crate::{CommandContext, constraint, foreign_key};

fn row(cmd: &CommandContext<'_>, oid: Oid) -> Result<PgConstraint> {
    let found = cmd.cx.catalog.rows::<PgConstraint>(oids::CONSTRAINT_OID_INDEX, &[Datum::oid(oid)])?.pop();
    found.ok_or_else(|| PgError::internal("a foreign key is gone"))
}

/// The foreign keys that refer to a table.
fn referring_to(cmd: &CommandContext<'_>, table: &Relation) -> Result<Vec<PgConstraint>> {
    let mut out: Vec<PgConstraint> = Vec::new();
    for other in foreign_key::referencing(table) {
        for c in cmd.cx.catalog.constraints_of_relation(other)? {
            if c.contype == b'f' && c.confrelid == table.oid && !out.iter().any(|o| o.oid == c.oid) {
                out.push(c);
            }
        }
    }
    Ok(out)
}

fn mapped(columns: Option<&Vec<i16>>, map: Option<&[i16]>) -> Option<Vec<i16>> {
    let columns = columns?;
    Some(match map {
        Some(map) => columns.iter().map(|n| map[*n as usize - 1]).collect(),
        None => columns.clone(),
    })
}

/// After a foreign key was added: constraints for the partitions of both tables.
pub fn to_partitions(cmd: &mut CommandContext<'_>, conoid: Oid) -> Result<()> {
    let c = row(cmd, conoid)?;
    to_referenced(cmd, &c)?;
    to_referencing(cmd, &c)
}

fn to_referencing(cmd: &mut CommandContext<'_>, c: &PgConstraint) -> Result<()> {
    if cmd.cx.catalog.relation_entry(c.conrelid)?.kind() != relkind::PARTITIONED_TABLE {
        return Ok(());
    }
    for child in tree::children(cmd, c.conrelid, Some(txn::LockMode::ShareRowExclusive))? {
        referencing_child(cmd, c, child, false)?;
    }
    Ok(())
}

fn to_referenced(cmd: &mut CommandContext<'_>, c: &PgConstraint) -> Result<()> {
    if cmd.cx.catalog.relation_entry(c.confrelid)?.kind() != relkind::PARTITIONED_TABLE {
        return Ok(());
    }
    for child in tree::children(cmd, c.confrelid, Some(txn::LockMode::ShareRowExclusive))? {
        referenced_child(cmd, c, child)?;
    }
    Ok(())
}

fn new_constraint(
    cmd: &mut CommandContext<'_>,
    rel: Oid,
    parent: &PgConstraint,
    own: PgConstraint,
) -> Result<PgConstraint> {
    let entry = cmd.cx.catalog.relation_entry(rel)?;
    let taken = cmd.cx.catalog.constraints_of_relation(rel)?.iter().any(|k| k.conname == parent.conname);
    let name = match taken {
        false => parent.conname.clone(),
        true => numbered(cmd, rel, &parent.conname)?,
    };
    let mut new = NewConstraint::new(&name, entry.namespace(), b'f', rel, own.conkey.clone());
    new.row = PgConstraint {
        conname: name,
        connamespace: entry.namespace(),
        conrelid: rel,
        conparentid: parent.oid,
        conislocal: false,
        coninhcount: 1,
        connoinherit: false,
        ..own
    };
    let oid = cmd.cx.catalog.create_constraint(&new)?;
    cmd.cx.catalog.command_counter_increment()?;
    row(cmd, oid)
}

/// `name_1`, `name_2`, ...
fn numbered(cmd: &CommandContext<'_>, rel: Oid, name: &str) -> Result<String> {
    let taken: Vec<String> = cmd.cx.catalog.constraints_of_relation(rel)?.into_iter().map(|c| c.conname).collect();
    for n in 1.. {
        let candidate = catalog::ddl::make_object_name(name, None, Some(&n.to_string()));
        if !taken.contains(&candidate) {
            return Ok(candidate);
        }
    }
    Err(PgError::internal("no name is free"))
}

/// The constraint of one partition of the referencing table.
fn referencing_child(cmd: &mut CommandContext<'_>, parent: &PgConstraint, child: Oid, attaching: bool) -> Result<()> {
    let (table, entry) = (cmd.cx.catalog.relation_entry(parent.conrelid)?, cmd.cx.catalog.relation_entry(child)?);
    if entry.kind() == relkind::FOREIGN_TABLE {
        return Err(PgError::unsupported("foreign keys of foreign tables"));
    }
    let map = column_map(&table, &entry)?;
    let conkey = mapped(parent.conkey.as_ref(), map.as_deref());
    if attaching && let Some(own) = same_key(cmd, parent, child, &conkey)? {
        return adopt(cmd, parent, &own, child);
    }
    let confdelsetcols = mapped(parent.confdelsetcols.as_ref(), map.as_deref());
    let own = PgConstraint { conkey, confdelsetcols, ..parent.clone() };
    let made = new_constraint(cmd, child, parent, own)?;
    let catalog = cmd.cx.catalog.clone();
    let me = ObjectAddress::new(oids::CONSTRAINT_RELATION, made.oid);
    let on = ObjectAddress::new(oids::CONSTRAINT_RELATION, parent.oid);
    catalog.record_dependency(&me, &on, DependencyType::PartitionPrimary)?;
    catalog.record_dependency(&me, &ObjectAddress::relation(child), DependencyType::PartitionSecondary)?;
    if made.conenforced {
        foreign_key::check_triggers(cmd, &made, child, Some(parent.oid))?;
        if attaching && made.convalidated && entry.kind() != relkind::PARTITIONED_TABLE {
            foreign_key::validate(cmd, made.oid)?;
        }
    }
    if entry.kind() == relkind::PARTITIONED_TABLE {
        for below in tree::children(cmd, child, None)? {
            referencing_child(cmd, &made, below, attaching)?;
        }
    }
    Ok(())
}

/// A foreign key that a table to be attached has already. (PostgreSQL: `tryAttachPartitionForeignKey`)
fn same_key(
    cmd: &CommandContext<'_>,
    parent: &PgConstraint,
    child: Oid,
    conkey: &Option<Vec<i16>>,
) -> Result<Option<PgConstraint>> {
    let all = cmd.cx.catalog.constraints_of_relation(child)?;
    Ok(all.into_iter().find(|k| {
        k.contype == b'f'
            && !k.conparentid.is_valid()
            && k.confrelid == parent.confrelid
            && k.conkey == *conkey
            && k.confkey == parent.confkey
            && k.conpfeqop == parent.conpfeqop
            && (k.condeferrable, k.condeferred) == (parent.condeferrable, parent.condeferred)
            && (k.confupdtype, k.confdeltype, k.confmatchtype)
                == (parent.confupdtype, parent.confdeltype, parent.confmatchtype)
            && (k.conenforced, k.convalidated) == (parent.conenforced, parent.convalidated)
    }))
}

/// Takes it as the partition's: the actions are the parent's from now on.
fn adopt(cmd: &mut CommandContext<'_>, parent: &PgConstraint, own: &PgConstraint, child: Oid) -> Result<()> {
    drop_triggers(cmd, own.oid, own.confrelid)?;
    for below in cmd.cx.catalog.constraints_of_relation(child)? {
        // What it had for partitions of the referenced table.
        if below.contype == b'f' && below.conparentid == own.oid && below.conrelid == child {
            remove(cmd, below.oid)?;
        }
    }
    indexes::attach_constraint(cmd, own.oid, parent.oid, child)
}

fn drop_triggers(cmd: &mut CommandContext<'_>, conoid: Oid, table: Oid) -> Result<()> {
    let catalog = cmd.cx.catalog.clone();
    let found = catalog.find_rows::<PgTrigger>(oids::TRIGGER_RELID_NAME_INDEX, &[Datum::oid(table)])?;
    for t in found.into_iter().filter(|t| t.row.tgconstraint == conoid) {
        catalog.delete_dependencies(&ObjectAddress::new(oids::TRIGGER_RELATION, t.row.oid), false)?;
        catalog.delete_row(&t)?;
    }
    catalog.invalidate_relation(table);
    catalog.command_counter_increment()
}

/// The constraint to one partition of the referenced table.
fn referenced_child(cmd: &mut CommandContext<'_>, parent: &PgConstraint, child: Oid) -> Result<()> {
    let (table, entry) = (cmd.cx.catalog.relation_entry(parent.confrelid)?, cmd.cx.catalog.relation_entry(child)?);
    let map = column_map(&table, &entry)?;
    let confkey = mapped(parent.confkey.as_ref(), map.as_deref());
    let mut conindid = Oid::INVALID;
    for index in &entry.indexes {
        if cmd.cx.catalog.inheritance_parents(*index)?.iter().any(|p| p.inhparent == parent.conindid) {
            conindid = *index;
        }
    }
    if !conindid.is_valid() {
        return Err(PgError::internal(format!(
            "index for {} not found in partition {}",
            parent.conindid,
            entry.name()
        )));
    }
    let own = PgConstraint { confkey, conindid, confrelid: child, ..parent.clone() };
    let made = new_constraint(cmd, parent.conrelid, parent, own)?;
    let catalog = cmd.cx.catalog.clone();
    let me = ObjectAddress::new(oids::CONSTRAINT_RELATION, made.oid);
    let on = ObjectAddress::new(oids::CONSTRAINT_RELATION, parent.oid);
    catalog.record_dependency(&me, &on, DependencyType::Internal)?;
    if made.conenforced {
        foreign_key::action_triggers(cmd, &made, child, Some(parent.oid))?;
    }
    to_referenced(cmd, &made)
}

/// Gives a new or attached partition its parent's foreign keys, in both roles. (PostgreSQL: `CloneForeignKeyConstraints`)
pub fn clone_to(cmd: &mut CommandContext<'_>, parent: Oid, child: Oid, attaching: bool) -> Result<()> {
    let entry = cmd.cx.catalog.relation_entry(parent)?;
    if !entry.class.relhastriggers {
        return Ok(());
    }
    for c in referring_to(cmd, &entry)? {
        referenced_child(cmd, &c, child)?;
    }
    let own = cmd.cx.catalog.constraints_of_relation(parent)?;
    for c in own.iter().filter(|c| c.contype == b'f') {
        // Those for partitions of the referenced table belong to another one of this table's.
        if own.iter().any(|o| o.oid == c.conparentid) {
            continue;
        }
        referencing_child(cmd, c, child, attaching)?;
    }
    Ok(())
}

/// A partition that rows refer to cannot be detached. (PostgreSQL: `ATDetachCheckNoForeignKeyRefs`)
pub fn check_not_referenced(cmd: &mut CommandContext<'_>, child: &Relation) -> Result<()> {
    if !child.class.relhastriggers {
        return Ok(());
    }
    for c in referring_to(cmd, child)?.into_iter().filter(|c| c.conparentid.is_valid()) {
        if let Some(detail) = executor::foreign_key::refers_to(cmd.cx, &c)? {
            let text =
                format!("removing partition \"{}\" violates foreign key constraint \"{}\"", child.name(), c.conname);
            return Err(PgError::new(FOREIGN_KEY_VIOLATION, text).detail(detail));
        }
    }
    Ok(())
}

/// A constraint's triggers on a table are no longer parts of others. (PostgreSQL: `TriggerSetParentTrigger`)
fn free_triggers(cmd: &mut CommandContext<'_>, conoid: Oid, table: Oid) -> Result<()> {
    let catalog = cmd.cx.catalog.clone();
    let found = catalog.find_rows::<PgTrigger>(oids::TRIGGER_RELID_NAME_INDEX, &[Datum::oid(table)])?;
    for t in found.into_iter().filter(|t| t.row.tgconstraint == conoid && t.row.tgparentid.is_valid()) {
        catalog.update_row(&t, &PgTrigger { tgparentid: Oid::INVALID, ..t.row.clone() })?;
    }
    catalog.invalidate_relation(table);
    catalog.command_counter_increment()
}

fn remove(cmd: &mut CommandContext<'_>, oid: Oid) -> Result<()> {
    let c = row(cmd, oid)?;
    free_triggers(cmd, oid, c.confrelid)?;
    let me = ObjectAddress::new(oids::CONSTRAINT_RELATION, oid);
    let catalog = cmd.cx.catalog.clone();
    constraint::edit(cmd, oid, |c| (c.conparentid, c.conislocal, c.coninhcount) = (Oid::INVALID, true, 0))?;
    for kind in [DependencyType::Internal, DependencyType::PartitionPrimary] {
        catalog.delete_dependencies_on_class(&me, oids::CONSTRAINT_RELATION, kind)?;
    }
    catalog.command_counter_increment()?;
    let options = catalog::DropOptions { quietly: true, ..catalog::DropOptions::default() };
    catalog.perform_deletion(&[me], catalog::DropBehavior::Cascade, options)?;
    catalog.command_counter_increment()
}

/// A detached partition keeps its foreign keys as its own, and those to it go.
pub fn detach(cmd: &mut CommandContext<'_>, child: Oid) -> Result<()> {
    let entry = cmd.cx.catalog.relation_entry(child)?;
    if !entry.class.relhastriggers {
        return Ok(());
    }
    let own = cmd.cx.catalog.constraints_of_relation(child)?;
    for c in own.iter().filter(|c| c.contype == b'f' && c.conparentid.is_valid()) {
        if own.iter().any(|o| o.oid == c.conparentid) {
            continue;
        }
        indexes::detach_constraint(cmd, c.oid)?;
        free_triggers(cmd, c.oid, child)?;
        let c = row(cmd, c.oid)?;
        if c.conenforced {
            foreign_key::action_triggers(cmd, &c, c.confrelid, None)?;
        }
        to_referenced(cmd, &c)?;
    }
    for c in referring_to(cmd, &entry)?.into_iter().filter(|c| c.conparentid.is_valid()) {
        remove(cmd, c.oid)?;
    }
    Ok(())
}
