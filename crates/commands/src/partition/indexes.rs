//! Indexes of partitioned tables: one without a file, and one like it on each partition.
//!
//! A partition's index that already serves is taken as the part, else one is made. The parent's index is valid when every partition
//! has a valid part.
//!
//! PostgreSQL: `DefineIndex` (its second half), `generateClonedIndexStmt`, `AttachPartitionEnsureIndexes`, `ATExecAttachPartitionIdx`.

use std::sync::Arc;

use analyze::partition::{self, column_map};
use analyze::query as q;
use base::sqlstate::*;
use base::{Oid, PgError, Result};
use catalog::{
    DependencyType, IndexInfo, NewConstraint, NewIndex, ObjectAddress, PgConstraint, PgIndex, PgInherits, Relation,
    oids, relkind,
};
use parser::ast::RangeVar;
use txn::LockMode;
use types::Datum;

use super::tree;
use crate::{CommandContext, alter_table, constraint, index, name};

fn info(entry: &Relation) -> Result<&IndexInfo> {
    entry.index.as_ref().ok_or_else(|| PgError::internal("an index without its definition"))
}

/// The constraint that owns an index.
fn constraint_of(cmd: &CommandContext<'_>, table: Oid, index: Oid) -> Result<Option<PgConstraint>> {
    let all = cmd.cx.catalog.constraints_of_relation(table)?;
    Ok(all.into_iter().find(|c| c.conindid == index && matches!(c.contype, b'p' | b'u' | b'x')))
}

fn is_part(entry: &Relation) -> bool {
    entry.class.relispartition
}

/// A unique key must contain all columns of the partition key, so that no two partitions can hold equal rows.
pub fn check_key(cmd: &mut CommandContext<'_>, rel: &Relation, new: &NewIndex, what: &str) -> Result<()> {
    if !new.unique && !new.primary && !new.exclusion {
        return Ok(());
    }
    let desc = super::desc(cmd, rel)?;
    for k in &desc.key.columns {
        if k.attnum == 0 {
            let text = format!("unsupported {what} constraint with partition key definition");
            let detail = format!("{what} constraints cannot be used when partition keys include expressions.");
            return Err(PgError::new(FEATURE_NOT_SUPPORTED, text).detail(detail));
        }
        let at = new.columns[..new.key_count].iter().position(|c| *c == k.attnum);
        let fits = match at {
            Some(i) => {
                let class = cmd.cx.catalog.opclass_row(new.opclasses[i])?;
                let same_family = class.opcfamily == k.opfamily || desc.key.strategy == partition::Strategy::Hash;
                same_family && new.collations[i] == k.collation
            }
            None => false,
        };
        if !fits {
            let column = &rel.attributes[k.attnum as usize - 1].attname;
            let text = "unique constraint on partitioned table must include all partitioning columns";
            let detail = format!(
                "{what} constraint on table \"{}\" lacks column \"{column}\" which is part of the partition key.",
                rel.name()
            );
            return Err(PgError::new(FEATURE_NOT_SUPPORTED, text).detail(detail));
        }
    }
    Ok(())
}

/// Gives each partition a part of a new index, or with `only` leaves that for later.
pub fn to_partitions(cmd: &mut CommandContext<'_>, table: Oid, index: Oid, only: bool) -> Result<()> {
    let children = tree::children(cmd, table, Some(LockMode::Share))?;
    if only {
        if !children.is_empty() {
            set_valid(cmd, index, false)?;
        }
        return Ok(());
    }
    let mut all_valid = true;
    for child in children {
        all_valid &= ensure(cmd, child, index)?;
    }
    if !all_valid {
        set_valid(cmd, index, false)?;
    }
    Ok(())
}

fn set_valid(cmd: &mut CommandContext<'_>, index: Oid, valid: bool) -> Result<()> {
    let found = cmd.cx.catalog.find_row::<PgIndex>(oids::INDEX_RELID_INDEX, &[Datum::oid(index)])?;
    let found = found.ok_or_else(|| PgError::internal("an index's row is gone"))?;
    let row = PgIndex { indisvalid: valid, ..found.row.clone() };
    cmd.cx.catalog.update_row(&found, &row)?;
    cmd.cx.catalog.invalidate_relation(row.indrelid);
    cmd.cx.catalog.invalidate_relation(index);
    cmd.cx.catalog.command_counter_increment()
}

/// Makes sure that a partition has its part of an index; whether that is valid.
fn ensure(cmd: &mut CommandContext<'_>, child: Oid, parent_index: Oid) -> Result<bool> {
    let parent_entry = cmd.cx.catalog.relation_entry(parent_index)?;
    let parent_table = cmd.cx.catalog.relation_entry(info(&parent_entry)?.table)?;
    let entry = cmd.cx.catalog.relation_entry(child)?;
    if entry.kind() == relkind::FOREIGN_TABLE {
        return Ok(true);
    }
    let owner = constraint_of(cmd, parent_table.oid, parent_index)?;
    for oid in &entry.indexes {
        let candidate = cmd.cx.catalog.relation_entry(*oid)?;
        if is_part(&candidate) || !info(&candidate)?.row.indisvalid {
            continue;
        }
        if !same_definition(cmd, &parent_table, &parent_entry, &entry, &candidate)? {
            continue;
        }
        let own = constraint_of(cmd, child, *oid)?;
        if let Some(owner) = &owner {
            match &own {
                Some(own) if own.contype == owner.contype => {}
                _ => continue,
            }
        }
        attach(cmd, *oid, parent_index)?;
        if let (Some(owner), Some(own)) = (&owner, &own) {
            attach_constraint(cmd, own.oid, owner.oid, child)?;
        }
        return Ok(true);
    }
    let made = clone_index(cmd, &parent_table, &parent_entry, &entry, owner.as_ref())?;
    Ok(info(&*cmd.cx.catalog.relation_entry(made)?)?.row.indisvalid)
}

/// Parts of all of a parent's indexes for a new or attached partition.
pub fn ensure_all(cmd: &mut CommandContext<'_>, parent: Oid, child: Oid) -> Result<()> {
    let parent = cmd.cx.catalog.relation_entry(parent)?;
    for index in &parent.indexes {
        if cmd.cx.catalog.relation_entry(*index)?.kind() == relkind::PARTITIONED_INDEX {
            ensure(cmd, child, *index)?;
        }
    }
    Ok(())
}

/// An index's stored expressions, over the columns of another table.
fn mapped(cmd: &CommandContext<'_>, text: Option<&String>, map: Option<&[i16]>) -> Result<Vec<q::Expr>> {
    let Some(text) = text else { return Ok(Vec::new()) };
    let mut list = analyze::nodes::read_exprs(text, &cmd.cx.catalog)?;
    if let Some(map) = map {
        list.iter_mut().try_for_each(|e| partition::quals::renumber(e, map))?;
    }
    Ok(list)
}

fn map_number(map: Option<&[i16]>, n: i16) -> i16 {
    match map {
        Some(map) if n > 0 => map[n as usize - 1],
        _ => n,
    }
}

/// (PostgreSQL: `CompareIndexInfo`)
fn same_definition(
    cmd: &CommandContext<'_>,
    parent_table: &Relation,
    parent: &Relation,
    table: &Relation,
    child: &Relation,
) -> Result<bool> {
    let (a, b) = (info(parent)?, info(child)?);
    let map = column_map(parent_table, table)?;
    let map = map.as_deref();
    let columns = a.columns.iter().map(|n| map_number(map, *n)).eq(b.columns.iter().copied());
    let plain = a.row.indisunique == b.row.indisunique
        && a.row.indnullsnotdistinct == b.row.indnullsnotdistinct
        && a.am == b.am
        && a.key_count == b.key_count
        && a.collations == b.collations
        && a.opfamilies == b.opfamilies
        && a.row.indisexclusion == b.row.indisexclusion;
    if !columns || !plain || a.expressions.is_some() != b.expressions.is_some() {
        return Ok(false);
    }
    let lists = [(&a.expressions, &b.expressions), (&a.predicate, &b.predicate)];
    for (x, y) in lists {
        let (x, y) = (mapped(cmd, x.as_ref(), map)?, mapped(cmd, y.as_ref(), None)?);
        if x.len() != y.len() {
            return Ok(false);
        }
        for (p, r) in x.iter().zip(&y) {
            if !analyze::equal(p, r)? {
                return Ok(false);
            }
        }
    }
    Ok(true)
}

/// An index on a partition like its parent's. (PostgreSQL: `generateClonedIndexStmt`)
fn clone_index(
    cmd: &mut CommandContext<'_>,
    parent_table: &Relation,
    parent: &Arc<Relation>,
    table: &Relation,
    owner: Option<&PgConstraint>,
) -> Result<Oid> {
    let i = info(parent)?;
    let map = column_map(parent_table, table)?;
    let map = map.as_deref();
    let expressions = mapped(cmd, i.expressions.as_ref(), map)?;
    let predicate = mapped(cmd, i.predicate.as_ref(), map)?;
    let columns: Vec<i16> = i.columns.iter().map(|n| map_number(map, *n)).collect();
    let names: Vec<String> = columns
        .iter()
        .zip(&parent.attributes)
        .map(|(n, a)| match n {
            0 => a.attname.clone(),
            n => table.attributes[*n as usize - 1].attname.clone(),
        })
        .collect();
    let label = match owner {
        _ if i.row.indisprimary => "pkey",
        Some(c) if c.contype == b'x' => "excl",
        Some(_) => "key",
        None => "idx",
    };
    let addition = names[..i.key_count].join("_");
    let addition = if i.row.indisprimary { None } else { Some(addition.as_str()) };
    let name = name::choose_relation_name(cmd.cx, table.name(), addition, label, table.namespace(), &[])?;
    let mut new = NewIndex::new(&name, table.oid, columns);
    new.am = i.am;
    new.key_count = i.key_count;
    new.column_names = names;
    new.expression_types = expressions.iter().map(|e| (e.type_oid(), e.type_mod().typmod)).collect();
    new.opclasses = i.opclasses.clone();
    new.collations = i.collations.clone();
    new.options = i.options.clone();
    (new.unique, new.nulls_not_distinct) = (i.row.indisunique, i.row.indnullsnotdistinct);
    (new.primary, new.immediate) = (i.row.indisprimary, i.row.indimmediate);
    new.reloptions = parent.class.reloptions.clone();
    for e in expressions.iter().chain(&predicate) {
        new.expression_dependencies.extend(constraint::dependencies_of(e, table.oid));
    }
    if !expressions.is_empty() {
        new.expressions = Some(crate::stored::list_text(&expressions, &cmd.cx.catalog)?);
    }
    if let [p] = predicate.as_slice() {
        new.predicate = Some(crate::stored::text(p, &cmd.cx.catalog)?);
    }
    new.partitioned = table.kind() == relkind::PARTITIONED_TABLE;
    new.parent = parent.oid;
    if new.partitioned {
        check_key(cmd, table, &new, if new.primary { "PRIMARY KEY" } else { "UNIQUE" })?;
    }
    if new.primary {
        for n in new.columns[..new.key_count].to_vec() {
            let entry = cmd.cx.catalog.relation_entry(table.oid)?;
            if !entry.attributes[n as usize - 1].attnotnull {
                constraint::set_not_null(cmd, &entry, n)?;
            }
            constraint::add_not_null(cmd, table.oid, n, None)?;
        }
    }
    finish(cmd, &new, owner.map(|c| (c.contype, c.clone())))
}

/// Makes an index that is all thought out, with its constraint and, of a partitioned table, its parts.
fn finish(cmd: &mut CommandContext<'_>, new: &NewIndex, owner: Option<(u8, PgConstraint)>) -> Result<Oid> {
    let table = cmd.cx.catalog.relation_entry(new.table)?;
    let index = cmd.cx.catalog.create_index(new)?;
    if new.parent.is_valid() {
        inherits(cmd, index, new.parent)?;
    }
    if let Some((kind, parent)) = owner {
        let columns = new.columns[..new.key_count].to_vec();
        let mut c = NewConstraint::new(&new.name, table.namespace(), kind, new.table, Some(columns));
        c.row.conindid = index;
        (c.row.condeferrable, c.row.condeferred) = (parent.condeferrable, parent.condeferred);
        (c.row.conparentid, c.row.conislocal, c.row.coninhcount) = (parent.oid, false, 1);
        c.row.connoinherit = false;
        let oid = cmd.cx.catalog.create_constraint(&c)?;
        let me = ObjectAddress::relation(index);
        cmd.cx.catalog.delete_dependencies_on_class(&me, oids::RELATION_RELATION, DependencyType::Auto)?;
        let on = ObjectAddress::new(oids::CONSTRAINT_RELATION, parent.oid);
        let child = ObjectAddress::new(oids::CONSTRAINT_RELATION, oid);
        cmd.cx.catalog.record_dependency(&child, &on, DependencyType::PartitionPrimary)?;
        cmd.cx.catalog.record_dependency(
            &child,
            &ObjectAddress::relation(new.table),
            DependencyType::PartitionSecondary,
        )?;
    }
    cmd.cx.catalog.command_counter_increment()?;
    if new.partitioned {
        mark_indexed(cmd, new.table)?;
        to_partitions(cmd, new.table, index, false)?;
    } else {
        index::build(cmd, new.table, index)?;
    }
    Ok(index)
}

/// A partitioned table has indexes: without a file there is no build to note it.
pub fn mark_indexed(cmd: &mut CommandContext<'_>, table: Oid) -> Result<()> {
    if !cmd.cx.catalog.relation_entry(table)?.class.relhasindex {
        alter_table::edit_class(cmd, table, |c| c.relhasindex = true)?;
    }
    Ok(())
}

fn inherits(cmd: &mut CommandContext<'_>, index: Oid, parent: Oid) -> Result<()> {
    cmd.cx.catalog.insert_row(&PgInherits {
        inhrelid: index,
        inhparent: parent,
        inhseqno: 1,
        inhdetachpending: false,
    })?;
    if !cmd.cx.catalog.relation_entry(parent)?.class.relhassubclass {
        alter_table::edit_class(cmd, parent, |c| c.relhassubclass = true)?;
    }
    Ok(())
}

/// Makes an index that is there a part of its parent's. (PostgreSQL: `IndexSetParentIndex`)
fn attach(cmd: &mut CommandContext<'_>, index: Oid, parent: Oid) -> Result<()> {
    inherits(cmd, index, parent)?;
    alter_table::edit_class(cmd, index, |c| c.relispartition = true)?;
    let table = info(&*cmd.cx.catalog.relation_entry(index)?)?.table;
    let me = ObjectAddress::relation(index);
    let catalog = cmd.cx.catalog.clone();
    catalog.record_dependency(&me, &ObjectAddress::relation(parent), DependencyType::PartitionPrimary)?;
    catalog.record_dependency(&me, &ObjectAddress::relation(table), DependencyType::PartitionSecondary)?;
    catalog.command_counter_increment()
}

/// (PostgreSQL: `ConstraintSetParentConstraint`)
pub fn attach_constraint(cmd: &mut CommandContext<'_>, child: Oid, parent: Oid, table: Oid) -> Result<()> {
    constraint::edit(cmd, child, |c| (c.conislocal, c.coninhcount, c.conparentid) = (false, 1, parent))?;
    let me = ObjectAddress::new(oids::CONSTRAINT_RELATION, child);
    let on = ObjectAddress::new(oids::CONSTRAINT_RELATION, parent);
    let catalog = cmd.cx.catalog.clone();
    catalog.record_dependency(&me, &on, DependencyType::PartitionPrimary)?;
    catalog.record_dependency(&me, &ObjectAddress::relation(table), DependencyType::PartitionSecondary)?;
    catalog.command_counter_increment()
}

/// Takes a partition's indexes out of its parent's, since it is detached.
pub fn detach_all(cmd: &mut CommandContext<'_>, child: Oid) -> Result<()> {
    let entry = cmd.cx.catalog.relation_entry(child)?;
    let catalog = cmd.cx.catalog.clone();
    for index in &entry.indexes {
        if !is_part(&*catalog.relation_entry(*index)?) {
            continue;
        }
        catalog.delete_rows::<PgInherits>(oids::INHERITS_RELID_SEQNO_INDEX, &[Datum::oid(*index)])?;
        alter_table::edit_class(cmd, *index, |c| c.relispartition = false)?;
        let me = ObjectAddress::relation(*index);
        for kind in [DependencyType::PartitionPrimary, DependencyType::PartitionSecondary] {
            catalog.delete_dependencies_on_class(&me, oids::RELATION_RELATION, kind)?;
        }
        match constraint_of(cmd, child, *index)? {
            Some(c) => {
                if c.conparentid.is_valid() {
                    detach_constraint(cmd, c.oid)?;
                }
            }
            // It depends on its table's columns again.
            None => {
                let deps = info(&*catalog.relation_entry(*index)?)?.columns.clone();
                let on: Vec<ObjectAddress> =
                    deps.iter().filter(|n| **n > 0).map(|n| ObjectAddress::column(child, *n)).collect();
                catalog.delete_dependencies_on_class(&me, oids::RELATION_RELATION, DependencyType::Auto)?;
                catalog.record_dependencies(&me, &on, DependencyType::Auto)?;
            }
        }
    }
    catalog.command_counter_increment()
}

/// A constraint without its parent.
pub fn detach_constraint(cmd: &mut CommandContext<'_>, oid: Oid) -> Result<()> {
    constraint::edit(cmd, oid, |c| (c.conislocal, c.coninhcount, c.conparentid) = (true, 0, Oid::INVALID))?;
    let me = ObjectAddress::new(oids::CONSTRAINT_RELATION, oid);
    let catalog = cmd.cx.catalog.clone();
    catalog.delete_dependencies_on_class(&me, oids::CONSTRAINT_RELATION, DependencyType::PartitionPrimary)?;
    catalog.delete_dependencies_on_class(&me, oids::RELATION_RELATION, DependencyType::PartitionSecondary).map(drop)
}

/// ALTER INDEX parent ATTACH PARTITION part.
pub fn attach_by_name(cmd: &mut CommandContext<'_>, parent: &Relation, part: &RangeVar) -> Result<()> {
    let entry = name::relation_if_exists(cmd.cx, part, LockMode::AccessExclusive)?;
    let missing = || PgError::new(UNDEFINED_OBJECT, format!("index \"{}\" does not exist", part.relname));
    let entry = entry.ok_or_else(missing)?;
    if !matches!(entry.kind(), relkind::INDEX | relkind::PARTITIONED_INDEX) {
        return Err(PgError::new(WRONG_OBJECT_TYPE, format!("\"{}\" is not an index", entry.name())));
    }
    let (parent_info, part_info) = (info(parent)?, info(&entry)?);
    let parent_table = cmd.cx.catalog.relation_entry(parent_info.table)?;
    let table = cmd.cx.catalog.relation_entry(part_info.table)?;
    name::check_owner(cmd.cx, &table)?;
    let current = partition::parent_of(&cmd.cx.catalog, &entry)?;
    if current == Some(parent.oid) {
        return if parent_info.row.indisvalid { Ok(()) } else { validate(cmd, parent.oid) };
    }
    let refuse = |code, detail: String| {
        let text = format!("cannot attach index \"{}\" as a partition of index \"{}\"", entry.name(), parent.name());
        Err(PgError::new(code, text).detail(detail))
    };
    for other in &table.indexes {
        let o = cmd.cx.catalog.relation_entry(*other)?;
        if partition::parent_of(&cmd.cx.catalog, &o)? == Some(parent.oid) {
            let detail = format!("Another index is already attached for partition \"{}\".", table.name());
            return refuse(OBJECT_NOT_IN_PREREQUISITE_STATE, detail);
        }
    }
    if current.is_some() {
        let detail = format!("Index \"{}\" is already attached to another index.", entry.name());
        return refuse(OBJECT_NOT_IN_PREREQUISITE_STATE, detail);
    }
    if partition::parent_of(&cmd.cx.catalog, &table)? != Some(parent_table.oid) {
        let detail = format!(
            "Index \"{}\" is not an index on any partition of table \"{}\".",
            entry.name(),
            parent_table.name()
        );
        return refuse(OBJECT_NOT_IN_PREREQUISITE_STATE, detail);
    }
    if !same_definition(cmd, &parent_table, parent, &table, &entry)? {
        return refuse(INVALID_OBJECT_DEFINITION, "The index definitions do not match.".into());
    }
    let owner = constraint_of(cmd, parent_table.oid, parent.oid)?;
    let own = constraint_of(cmd, table.oid, entry.oid)?;
    if owner.is_some() && own.is_none() {
        let detail = format!(
            "The index \"{}\" belongs to a constraint in table \"{}\" but no constraint exists for index \"{}\".",
            parent.name(),
            parent_table.name(),
            entry.name()
        );
        return refuse(INVALID_OBJECT_DEFINITION, detail);
    }
    attach(cmd, entry.oid, parent.oid)?;
    if let (Some(owner), Some(own)) = (owner, own) {
        attach_constraint(cmd, own.oid, owner.oid, table.oid)?;
    }
    validate(cmd, parent.oid)
}

/// Marks a partitioned index valid if all its parts are there and valid. (PostgreSQL: `validatePartitionedIndex`)
fn validate(cmd: &mut CommandContext<'_>, index: Oid) -> Result<()> {
    let entry = cmd.cx.catalog.relation_entry(index)?;
    let table = info(&entry)?.table;
    let mut valid = 0;
    for part in cmd.cx.catalog.inheritance_children(index)? {
        let part = cmd.cx.catalog.relation_entry(part.inhrelid)?;
        valid += usize::from(info(&part)?.row.indisvalid);
    }
    if valid < tree::children(cmd, table, None)?.len() || info(&entry)?.row.indisvalid {
        return Ok(());
    }
    set_valid(cmd, index, true)?;
    match partition::parent_of(&cmd.cx.catalog, &entry)? {
        Some(parent) => validate(cmd, parent),
        None => Ok(()),
    }
}
