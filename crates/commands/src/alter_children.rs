//! ALTER TABLE of a table with inheritance children or partitions: what is done to the table is done to them, and what they have from
//! it cannot be changed in them alone.
//!
//! Columns and constraints count their parents (`attinhcount`, `coninhcount`) and know whether they are also the table's own
//! (`attislocal`, `conislocal`): what comes from a parent goes when the last parent's goes, unless it is local.
//!
//! PostgreSQL: the recursing halves of `ATExecAddColumn`, `ATExecDropColumn`, `ATExecAddConstraint`, `ATExecSetNotNull`,
//! `dropconstraint_internal`, `ATPrepAlterColumnType`.

use std::sync::Arc;

use analyze::partition;
use base::sqlstate::*;
use base::{Oid, PgError, Result, Severity};
use catalog::{ObjectAddress, PgConstraint, Relation, oids, relkind};
use parser::ast::*;
use txn::LockMode;

use crate::alter_table::*;
use crate::partition::tree;
use crate::{CommandContext, constraint, create_table, drop, inherit, name};

fn invalid(text: impl Into<String>) -> PgError {
    PgError::new(INVALID_TABLE_DEFINITION, text.into())
}

/// The direct children, locked.
pub fn children(cmd: &CommandContext<'_>, rel: &Relation) -> Result<Vec<Oid>> {
    if !rel.class.relhassubclass {
        return Ok(Vec::new());
    }
    tree::children(cmd, rel.oid, Some(LockMode::AccessExclusive))
}

/// Whether a change of this column would change the partition key; an error if so.
pub fn check_not_in_key(cmd: &mut CommandContext<'_>, rel: &Relation, attnum: i16, what: &str) -> Result<()> {
    let Some(key) = partition::key(&cmd.cx.catalog, rel)? else { return Ok(()) };
    if key.uses(attnum).is_some() {
        let column = &rel.attributes[attnum as usize - 1].attname;
        let text = format!(
            "cannot {what} column \"{column}\" because it is part of the partition key of relation \"{}\"",
            rel.name()
        );
        return Err(invalid(text));
    }
    Ok(())
}

// ---- columns ----

/// A typed table's columns are its type's.
pub fn check_not_typed(rel: &Relation, what: &str) -> Result<()> {
    match rel.class.reloftype.is_valid() {
        true => Err(PgError::new(WRONG_OBJECT_TYPE, format!("cannot {what} typed table"))),
        false => Ok(()),
    }
}

pub fn add_column(
    cmd: &mut CommandContext<'_>,
    rel: &Arc<Relation>,
    def: &ColumnDef,
    if_not_exists: bool,
    recurse: bool,
) -> Result<()> {
    check_not_typed(rel, "add column to")?;
    if rel.class.relispartition {
        return Err(PgError::new(WRONG_OBJECT_TYPE, "cannot add column to a partition"));
    }
    match check_column_name(rel, &def.colname) {
        Err(e) if if_not_exists => {
            cmd.notice(Severity::Notice, DUPLICATE_COLUMN, format!("{}, skipping", e.message()));
            return Ok(());
        }
        other => other?,
    }
    let below = children(cmd, rel)?;
    let identity = def.constraints.iter().any(|c| c.contype == ConstrType::Identity);
    if identity && recurse && !below.is_empty() && rel.kind() != relkind::PARTITIONED_TABLE {
        return Err(invalid("cannot recursively add identity column to table that has child tables"));
    }
    let (attnum, not_null, constraints) = new_column(cmd, rel, def, false)?;
    if !recurse && !below.is_empty() {
        return Err(invalid("column must be added to child tables too"));
    }
    for child in below {
        column_of_child(cmd, rel.oid, child, def)?;
    }
    if let Some(name) = not_null {
        let entry = cmd.cx.catalog.relation_entry(rel.oid)?;
        set_not_null(cmd, &entry, attnum, name.as_deref(), true)?;
    }
    for (c, column) in &constraints {
        let entry = cmd.cx.catalog.relation_entry(rel.oid)?;
        add_constraint(cmd, &entry, c, Some(column.as_deref().unwrap_or(&def.colname)), true)?;
    }
    Ok(())
}

fn column_of_child(cmd: &mut CommandContext<'_>, parent: Oid, child: Oid, def: &ColumnDef) -> Result<()> {
    let rel = cmd.cx.catalog.relation_entry(child)?;
    let parent = cmd.cx.catalog.relation_entry(parent)?;
    let theirs = parent.desc.find(&def.colname).map(|n| parent.attributes[n as usize - 1].clone());
    let theirs = theirs.ok_or_else(|| PgError::internal("a new column is gone"))?;
    let below = children(cmd, &rel)?;
    if let Some(n) = rel.desc.find(&def.colname) {
        let own = &rel.attributes[n as usize - 1];
        if (own.atttypid, own.atttypmod) != (theirs.atttypid, theirs.atttypmod) {
            let text = format!("child table \"{}\" has different type for column \"{}\"", rel.name(), def.colname);
            return Err(PgError::new(DATATYPE_MISMATCH, text));
        }
        if own.attcollation != theirs.attcollation {
            let text = format!("child table \"{}\" has different collation for column \"{}\"", rel.name(), def.colname);
            return Err(PgError::new(COLLATION_MISMATCH, text));
        }
        edit_column(cmd, &rel, n, |a| a.attinhcount += 1)?;
        let text = format!("merging definition of column \"{}\" for child \"{}\"", def.colname, rel.name());
        cmd.notice(Severity::Notice, SUCCESSFUL_COMPLETION, text);
        // Its own children have it already.
        return Ok(());
    }
    let mut bare = def.clone();
    let identity = theirs.attidentity;
    bare.constraints.retain(|c| !matches!(c.contype, ConstrType::Identity));
    let (attnum, ..) = new_column(cmd, &rel, &bare, true)?;
    if identity != 0 && rel.class.relispartition {
        let rel = cmd.cx.catalog.relation_entry(child)?;
        edit_column(cmd, &rel, attnum, |a| a.attidentity = identity)?;
    }
    for below in below {
        column_of_child(cmd, child, below, def)?;
    }
    Ok(())
}

pub fn drop_column(cmd: &mut CommandContext<'_>, rel: &Relation, c: &AlterTableCmd, recurse: bool) -> Result<()> {
    let column = c.name.as_deref().unwrap_or_default();
    check_not_typed(rel, "drop column from")?;
    if catalog_system_column(column) {
        return Err(PgError::new(FEATURE_NOT_SUPPORTED, format!("cannot drop system column \"{column}\"")));
    }
    let attnum = match name::column(rel, column) {
        Err(e) if c.missing_ok => {
            cmd.notice(Severity::Notice, UNDEFINED_COLUMN, format!("{}, skipping", e.message()));
            return Ok(());
        }
        other => other?,
    };
    if rel.attributes[attnum as usize - 1].attinhcount > 0 {
        return Err(invalid(format!("cannot drop inherited column \"{column}\"")));
    }
    let mut gone = Vec::new();
    drop_columns(cmd, rel, attnum, recurse, &mut gone)?;
    let notice = cmd.cx.catalog.perform_deletion(&gone, drop::behavior(c.behavior), catalog::DropOptions::default())?;
    if let Some(notice) = notice {
        cmd.cx.notices.notice(notice);
    }
    cmd.cx.catalog.command_counter_increment()
}

/// What a dropped column takes along in children.
fn drop_columns(
    cmd: &mut CommandContext<'_>,
    rel: &Relation,
    attnum: i16,
    recurse: bool,
    gone: &mut Vec<ObjectAddress>,
) -> Result<()> {
    check_not_in_key(cmd, rel, attnum, "drop")?;
    let column = rel.attributes[attnum as usize - 1].attname.clone();
    let below = children(cmd, rel)?;
    if !recurse && !below.is_empty() && rel.kind() == relkind::PARTITIONED_TABLE {
        let e = invalid("cannot drop column from only the partitioned table when partitions exist");
        return Err(e.hint("Do not specify the ONLY keyword."));
    }
    for child in below {
        let entry = cmd.cx.catalog.relation_entry(child)?;
        let Some(n) = entry.desc.find(&column) else { continue };
        let a = &entry.attributes[n as usize - 1];
        if a.attinhcount <= 0 {
            return Err(PgError::internal(format!("relation {child} has non-inherited attribute \"{column}\"")));
        }
        if recurse && a.attinhcount == 1 && !a.attislocal {
            drop_columns(cmd, &entry, n, true, gone)?;
        } else {
            edit_column(cmd, &entry, n, |a| {
                a.attinhcount -= 1;
                a.attislocal |= !recurse;
            })?;
        }
    }
    gone.push(ObjectAddress::column(rel.oid, attnum));
    Ok(())
}

/// A change of a column's type, also in all children. (PostgreSQL: `ATPrepAlterColumnType`)
pub fn alter_type(
    cmd: &mut CommandContext<'_>,
    rel: &Arc<Relation>,
    column: &str,
    def: &ColumnDef,
    recurse: bool,
) -> Result<()> {
    check_not_typed(rel, "alter column type of")?;
    let attnum = column_number(rel, column)?;
    if rel.attributes[attnum as usize - 1].attinhcount > 0 {
        return Err(invalid(format!("cannot alter inherited column \"{column}\"")));
    }
    check_not_in_key(cmd, rel, attnum, "alter")?;
    let below = children(cmd, rel)?;
    if !recurse && !below.is_empty() {
        let text = format!("type of inherited column \"{column}\" must be changed in child tables too");
        return Err(invalid(text));
    }
    let all = tree::inheritors(cmd, rel.oid, Some(LockMode::AccessExclusive))?;
    for oid in &all[1..] {
        let entry = cmd.cx.catalog.relation_entry(*oid)?;
        let n = name::column(&entry, column)?;
        let parents = cmd.cx.catalog.inheritance_parents(*oid)?;
        let known = parents.iter().filter(|p| all.contains(&p.inhparent)).count();
        if i32::from(entry.attributes[n as usize - 1].attinhcount) > known as i32 {
            return Err(invalid(format!(
                "cannot alter inherited column \"{column}\" of relation \"{}\"",
                entry.name()
            )));
        }
        check_not_in_key(cmd, &entry, n, "alter")?;
    }
    for oid in all {
        let entry = cmd.cx.catalog.relation_entry(oid)?;
        alter_type_of(cmd, &entry, column, def)?;
    }
    Ok(())
}

/// Does something to the table and, unless ONLY was said, to all that descend from it. (PostgreSQL: `ATSimpleRecursion`)
pub fn each(
    cmd: &mut CommandContext<'_>,
    rel: &Arc<Relation>,
    recurse: bool,
    f: &mut dyn FnMut(&mut CommandContext<'_>, &Arc<Relation>) -> Result<()>,
) -> Result<()> {
    f(cmd, rel)?;
    if !recurse || !rel.class.relhassubclass {
        return Ok(());
    }
    for oid in &tree::inheritors(cmd, rel.oid, Some(LockMode::AccessExclusive))?[1..] {
        let entry = cmd.cx.catalog.relation_entry(*oid)?;
        f(cmd, &entry)?;
    }
    Ok(())
}

// ---- identity ----

fn identity_place(rel: &Relation, recurse: bool, what: &str, of: &str) -> Result<()> {
    if rel.kind() == relkind::PARTITIONED_TABLE && !recurse {
        let e = invalid(format!("cannot {what} {of} of only the partitioned table"));
        return Err(e.hint("Do not specify the ONLY keyword."));
    }
    if rel.class.relispartition {
        return Err(invalid(format!("cannot {what} {of} of a partition")));
    }
    Ok(())
}

/// Partitions have their parent's identity columns, which draw from its sequence.
fn identity_of_partitions(cmd: &mut CommandContext<'_>, rel: &Relation, column: &str, identity: u8) -> Result<()> {
    if rel.kind() != relkind::PARTITIONED_TABLE {
        return Ok(());
    }
    for oid in &tree::inheritors(cmd, rel.oid, Some(LockMode::AccessExclusive))?[1..] {
        let entry = cmd.cx.catalog.relation_entry(*oid)?;
        let n = name::column(&entry, column)?;
        edit_column(cmd, &entry, n, |a| a.attidentity = identity)?;
    }
    Ok(())
}

pub fn add_identity(
    cmd: &mut CommandContext<'_>,
    rel: &Relation,
    column: &str,
    c: &Constraint,
    recurse: bool,
) -> Result<()> {
    if rel.kind() == relkind::PARTITIONED_TABLE && !recurse {
        let e = invalid("cannot add identity to a column of only the partitioned table");
        return Err(e.hint("Do not specify the ONLY keyword."));
    }
    if rel.class.relispartition {
        return Err(invalid("cannot add identity to a column of a partition"));
    }
    add_identity_of(cmd, rel, column, c)?;
    let kind = if matches!(c.generated_when, Some(GeneratedWhen::Always)) { b'a' } else { b'd' };
    identity_of_partitions(cmd, rel, column, kind)
}

pub fn set_identity(
    cmd: &mut CommandContext<'_>,
    rel: &Relation,
    column: &str,
    list: &[DefElem],
    recurse: bool,
) -> Result<()> {
    identity_place(rel, recurse, "change", "identity column")?;
    let attnum = column_number(rel, column)?;
    if rel.attributes[attnum as usize - 1].attidentity == 0 {
        let text = format!("column \"{column}\" of relation \"{}\" is not an identity column", rel.name());
        return Err(PgError::new(OBJECT_NOT_IN_PREREQUISITE_STATE, text));
    }
    let (mut kind, mut options) = (None, Vec::new());
    for o in list {
        match (o.defname.as_str(), &o.arg) {
            ("generated", Some(DefArg::Integer(k))) => {
                if kind.is_some() {
                    return Err(PgError::new(SYNTAX_ERROR, "conflicting or redundant options").at(o.location));
                }
                kind = Some(*k as u8);
            }
            _ => options.push(o.clone()),
        }
    }
    if let Some(kind) = kind {
        edit_column(cmd, rel, attnum, |a| a.attidentity = kind)?;
        identity_of_partitions(cmd, rel, column, kind)?;
    }
    if !options.is_empty() {
        let seq = cmd.cx.catalog.owned_sequences(rel.oid, attnum, None)?;
        let seq = *seq.first().ok_or_else(|| PgError::internal("no owned sequence found"))?;
        crate::sequence::alter_options(cmd, seq, &options)?;
    }
    Ok(())
}

pub fn drop_identity(
    cmd: &mut CommandContext<'_>,
    rel: &Relation,
    column: &str,
    missing_ok: bool,
    recurse: bool,
) -> Result<()> {
    if rel.kind() == relkind::PARTITIONED_TABLE && !recurse {
        let e = invalid("cannot drop identity from a column of only the partitioned table");
        return Err(e.hint("Do not specify the ONLY keyword."));
    }
    if rel.class.relispartition {
        return Err(invalid("cannot drop identity from a column of a partition"));
    }
    drop_identity_of(cmd, rel, column, missing_ok)?;
    identity_of_partitions(cmd, rel, column, 0)
}

// ---- constraints ----

pub fn add_constraint(
    cmd: &mut CommandContext<'_>,
    rel: &Relation,
    c: &Constraint,
    column: Option<&str>,
    recurse: bool,
) -> Result<()> {
    let partitioned = rel.kind() == relkind::PARTITIONED_TABLE;
    match c.contype {
        ConstrType::NotNull => {
            let name = c.keys.first().map_or("", String::as_str);
            let attnum = name::column(rel, name)?;
            if c.is_no_inherit {
                if partitioned {
                    return Err(no_inherit(rel, c.conname.as_deref()));
                }
                return constraint::add(cmd, rel.oid, c, column);
            }
            set_not_null(cmd, rel, attnum, c.conname.as_deref(), recurse)
        }
        ConstrType::Check => {
            if c.is_no_inherit && partitioned {
                let text = format!("cannot add NO INHERIT constraint to partitioned table \"{}\"", rel.name());
                return Err(invalid(text));
            }
            let before: Vec<Oid> = cmd.cx.catalog.constraints_of_relation(rel.oid)?.iter().map(|c| c.oid).collect();
            constraint::add(cmd, rel.oid, c, column)?;
            let after = cmd.cx.catalog.constraints_of_relation(rel.oid)?;
            let Some(made) = after.into_iter().find(|k| !before.contains(&k.oid)) else { return Ok(()) };
            if c.is_no_inherit {
                return Ok(());
            }
            let below = children(cmd, rel)?;
            if !recurse && !below.is_empty() {
                return Err(invalid("constraint must be added to child tables too"));
            }
            for child in below {
                check_of_child(cmd, rel.oid, child, &made)?;
            }
            Ok(())
        }
        ConstrType::Foreign if partitioned && !recurse => {
            let other = c.pktable.as_ref().map_or("", |t| t.relname.as_str());
            let text = format!(
                "cannot use ONLY for foreign key on partitioned table \"{}\" referencing relation \"{other}\"",
                rel.name()
            );
            Err(PgError::new(WRONG_OBJECT_TYPE, text))
        }
        _ => constraint::add_and_recurse(cmd, rel.oid, c, column, recurse),
    }
}

fn no_inherit(rel: &Relation, name: Option<&str>) -> PgError {
    let name = name.unwrap_or_default();
    invalid(format!("not-null constraint \"{name}\" on partitioned table \"{}\" cannot be NO INHERIT", rel.name()))
}

fn check_of_child(cmd: &mut CommandContext<'_>, parent: Oid, child: Oid, c: &PgConstraint) -> Result<()> {
    let parent_entry = cmd.cx.catalog.relation_entry(parent)?;
    inherit::inherited_check(cmd, child, &parent_entry, c)?;
    let entry = cmd.cx.catalog.relation_entry(child)?;
    if let (true, Some(text)) = (c.convalidated, &c.conbin) {
        let e = inherit::mapped(&analyze::nodes::read_expr(text, &cmd.cx.catalog)?, &parent_entry, &entry)?;
        crate::table_scan::verify_check(cmd, &entry, &c.conname, &e)?;
        if let Some(own) = entry.checks.iter().find(|k| k.conname == c.conname && !k.convalidated) {
            constraint::edit(cmd, own.oid, |k| k.convalidated = true)?;
        }
    } else if !c.convalidated
        && let Some(own) = entry.checks.iter().find(|k| k.conname == c.conname && k.coninhcount == 1 && !k.conislocal)
    {
        constraint::edit(cmd, own.oid, |k| k.convalidated = false)?;
    }
    let made = cmd.cx.catalog.constraints_of_relation(child)?;
    let Some(made) = made.into_iter().find(|k| k.conname == c.conname && k.contype == b'c') else { return Ok(()) };
    for below in children(cmd, &entry)? {
        check_of_child(cmd, child, below, &made)?;
    }
    Ok(())
}

/// SET NOT NULL, and ADD CONSTRAINT ... NOT NULL.
pub fn set_not_null(
    cmd: &mut CommandContext<'_>,
    rel: &Relation,
    attnum: i16,
    conname: Option<&str>,
    recurse: bool,
) -> Result<()> {
    let below = children(cmd, rel)?;
    if !recurse && !below.is_empty() {
        let e = invalid("constraint must be added to child tables too");
        return Err(e.hint("Do not specify the ONLY keyword."));
    }
    constraint::set_not_null(cmd, rel, attnum)?;
    constraint::add_not_null(cmd, rel.oid, attnum, conname)?;
    let entry = cmd.cx.catalog.relation_entry(rel.oid)?;
    let made = entry.checks.iter().find(|k| k.contype == b'n' && k.conkey.as_deref() == Some(&[attnum])).cloned();
    let Some(made) = made else { return Ok(()) };
    for child in below {
        not_null_of_child(cmd, &entry, child, &made)?;
    }
    Ok(())
}

fn not_null_of_child(cmd: &mut CommandContext<'_>, parent: &Relation, child: Oid, c: &PgConstraint) -> Result<()> {
    let Some([n]) = c.conkey.as_deref() else { return Ok(()) };
    let entry = cmd.cx.catalog.relation_entry(child)?;
    let attnum = name::column(&entry, &parent.attributes[*n as usize - 1].attname)?;
    constraint::set_not_null(cmd, &entry, attnum)?;
    let has = entry.checks.iter().any(|k| k.contype == b'n' && k.conkey.as_deref() == Some(&[attnum]));
    inherit::inherited_not_null(cmd, child, parent, c)?;
    if has {
        return Ok(());
    }
    let entry = cmd.cx.catalog.relation_entry(child)?;
    let made = entry.checks.iter().find(|k| k.contype == b'n' && k.conkey.as_deref() == Some(&[attnum])).cloned();
    if let Some(made) = made {
        for below in children(cmd, &entry)? {
            not_null_of_child(cmd, &entry, below, &made)?;
        }
    }
    Ok(())
}

pub fn drop_not_null(cmd: &mut CommandContext<'_>, rel: &Relation, attnum: i16, recurse: bool) -> Result<()> {
    let a = &rel.attributes[attnum as usize - 1];
    if let Some(parent) = partition::parent_of(&cmd.cx.catalog, rel)? {
        let parent = cmd.cx.catalog.relation_entry(parent)?;
        let theirs = parent.desc.find(&a.attname).map(|n| &parent.attributes[n as usize - 1]);
        if theirs.is_some_and(|t| t.attnotnull) {
            return Err(invalid(format!("column \"{}\" is marked NOT NULL in parent table", a.attname)));
        }
    }
    let found = cmd.cx.catalog.constraints_of_relation(rel.oid)?;
    let found = found.into_iter().find(|c| c.contype == b'n' && c.conkey.as_deref() == Some(&[attnum]));
    match found {
        Some(c) => drop_one(cmd, rel, &c, DropBehavior::Restrict, recurse, false),
        None => drop_not_null_of(cmd, rel, attnum),
    }
}

pub fn drop_constraint(cmd: &mut CommandContext<'_>, rel: &Relation, c: &AlterTableCmd, recurse: bool) -> Result<()> {
    let name = c.name.as_deref().unwrap_or_default();
    let Some(found) = find_constraint(cmd, rel, name)? else {
        let e = missing_constraint(rel, name);
        if !c.missing_ok {
            return Err(e);
        }
        cmd.notice(Severity::Notice, UNDEFINED_OBJECT, format!("{}, skipping", e.message()));
        return Ok(());
    };
    drop_one(cmd, rel, &found, c.behavior, recurse, false)
}

/// (PostgreSQL: `dropconstraint_internal`)
fn drop_one(
    cmd: &mut CommandContext<'_>,
    rel: &Relation,
    c: &PgConstraint,
    behavior: DropBehavior,
    recurse: bool,
    recursing: bool,
) -> Result<()> {
    if c.coninhcount > 0 && !recursing {
        let text = format!("cannot drop inherited constraint \"{}\" of relation \"{}\"", c.conname, rel.name());
        return Err(invalid(text));
    }
    let below = match c.contype {
        b'c' | b'n' if !c.connoinherit => children(cmd, rel)?,
        _ => Vec::new(),
    };
    match (c.contype, c.conkey.as_deref()) {
        (b'n', Some([attnum])) => drop_not_null_of(cmd, rel, *attnum)?,
        _ => delete(cmd, ObjectAddress::new(oids::CONSTRAINT_RELATION, c.oid), drop::behavior(behavior))?,
    }
    for child in below {
        let entry = cmd.cx.catalog.relation_entry(child)?;
        let column = match (c.contype, c.conkey.as_deref()) {
            (b'n', Some([n])) => entry.desc.find(&rel.attributes[*n as usize - 1].attname),
            _ => None,
        };
        let own = cmd.cx.catalog.constraints_of_relation(child)?.into_iter().find(|k| match column {
            Some(n) => k.contype == b'n' && k.conkey.as_deref() == Some(&[n]),
            None => k.contype == c.contype && k.conname == c.conname,
        });
        let Some(own) = own.filter(|k| k.coninhcount > 0) else { continue };
        if recurse && own.coninhcount == 1 && !own.conislocal {
            constraint::edit(cmd, own.oid, |k| k.coninhcount = 0)?;
            drop_one(cmd, &entry, &own, behavior, true, true)?;
        } else {
            constraint::edit(cmd, own.oid, |k| {
                k.coninhcount -= 1;
                k.conislocal |= !recurse;
            })?;
        }
    }
    Ok(())
}

pub fn validate_constraint(cmd: &mut CommandContext<'_>, rel: &Relation, name: &str, recurse: bool) -> Result<()> {
    let c = find_constraint(cmd, rel, name)?.ok_or_else(|| missing_constraint(rel, name))?;
    if !c.convalidated && matches!(c.contype, b'c' | b'n') && !c.connoinherit {
        let below = children(cmd, rel)?;
        if !recurse && !below.is_empty() {
            return Err(invalid("constraint must be validated on child tables too"));
        }
        for child in below {
            let entry = cmd.cx.catalog.relation_entry(child)?;
            if find_constraint(cmd, &entry, name)?.is_some() {
                validate_constraint(cmd, &entry, name, true)?;
            }
        }
    }
    validate_one(cmd, rel, name)
}

/// A column as ADD COLUMN makes it.
type NewParts = (i16, Option<Option<String>>, Vec<(Constraint, Option<String>)>);

fn new_column(cmd: &mut CommandContext<'_>, rel: &Arc<Relation>, def: &ColumnDef, inherited: bool) -> Result<NewParts> {
    let mut constraints = Vec::new();
    let mut column = create_table::column(cmd, def, &mut constraints)?;
    if inherited {
        (column.attribute.attislocal, column.attribute.attinhcount) = (false, 1);
    }
    let attnum = rel.class.relnatts + 1;
    if attnum > 1600 {
        return Err(PgError::new(TOO_MANY_COLUMNS, "tables can have at most 1600 columns"));
    }
    let is_key = constraints.iter().any(|(c, _)| c.contype == ConstrType::Primary);
    // NOT NULL comes after the rows have their values.
    let not_null = column.not_null_name.take().or(is_key.then_some(None));
    column.attribute.attnotnull = false;
    cmd.cx.catalog.insert_column(rel.oid, &column.attribute, attnum)?;
    edit_class(cmd, rel.oid, |c| c.relnatts = attnum)?;
    cmd.cx.catalog.create_toast_table(rel.oid, None)?;
    cmd.cx.catalog.command_counter_increment()?;
    create_table::finish_column(cmd, rel.oid, attnum, &column)?;
    fill_column(cmd, rel, attnum)?;
    Ok((attnum, not_null, constraints))
}
