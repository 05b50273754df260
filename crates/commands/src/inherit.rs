//! CREATE TABLE ... INHERITS: columns, defaults, NOT NULL and CHECK constraints that come from parents, and the rows that say so.
//! (PostgreSQL: `MergeAttributes`, `StoreCatalogInheritance`)

use std::sync::Arc;

use analyze::query as q;
use base::sqlstate::*;
use base::{Oid, PgError, Result, Severity};
use catalog::{DependencyType, NewConstraint, ObjectAddress, PgAttribute, PgInherits, Relation, relkind};
use parser::ast::RangeVar;
use txn::LockMode;

use crate::create_table::NewColumn;
use crate::{CommandContext, alter_table, constraint, name};

/// The parents, locked and checked.
pub fn parents(
    cmd: &mut CommandContext<'_>,
    list: &[RangeVar],
    persistence: u8,
    partition: bool,
) -> Result<Vec<Arc<Relation>>> {
    let mut out: Vec<Arc<Relation>> = Vec::new();
    for var in list {
        let rel = name::relation(cmd.cx, var, LockMode::ShareUpdateExclusive)?;
        let wrong = |text: String| Err(PgError::new(WRONG_OBJECT_TYPE, text));
        match rel.kind() {
            relkind::PARTITIONED_TABLE if partition => {}
            _ if rel.class.relispartition && !partition => {
                return wrong(format!("cannot inherit from partition \"{}\"", rel.name()));
            }
            relkind::TABLE | relkind::FOREIGN_TABLE => {}
            relkind::PARTITIONED_TABLE => {
                return wrong(format!("cannot inherit from partitioned table \"{}\"", rel.name()));
            }
            _ => return wrong(format!("inherited relation \"{}\" is not a table or foreign table", rel.name())),
        }
        if partition && persistence == b't' && !rel.is_temporary() {
            let text = "cannot create a temporary relation as partition of permanent relation";
            return wrong(format!("{text} \"{}\"", rel.name()));
        }
        let what = match partition {
            true => "cannot create a permanent relation as partition of temporary relation",
            false => "cannot inherit from temporary relation",
        };
        if persistence != b't' && rel.is_temporary() {
            return wrong(format!("{what} \"{}\"", rel.name()));
        }
        if rel.is_temporary() && !cmd.cx.catalog.is_my_temp_schema(rel.namespace()) {
            let what = if partition { "cannot create as partition of" } else { "cannot inherit from" };
            return wrong(format!("{what} temporary relation of another session"));
        }
        name::check_owner(cmd.cx, &rel)?;
        if out.iter().any(|p| p.oid == rel.oid) {
            let text = format!("relation \"{}\" would be inherited from more than once", rel.name());
            return Err(PgError::new(DUPLICATE_TABLE, text));
        }
        out.push(rel);
    }
    Ok(out)
}

fn conflict(cmd: &CommandContext<'_>, text: String, a: &PgAttribute, b: &PgAttribute) -> Result<PgError> {
    let shown = |a: &PgAttribute| cmd.cx.catalog.format_type(a.atttypid, Some(a.atttypmod));
    Ok(PgError::new(DATATYPE_MISMATCH, text).detail(format!("{} versus {}", shown(a)?, shown(b)?)))
}

/// The parents' columns, and then the table's own, merged by name.
/// A partition has no columns of its own: what is written adds to the parent's.
pub fn merge(
    cmd: &mut CommandContext<'_>,
    parents: &[Arc<Relation>],
    own: Vec<NewColumn>,
    partition: bool,
) -> Result<Vec<NewColumn>> {
    let mut columns: Vec<NewColumn> = Vec::new();
    for parent in parents {
        for a in parent.attributes.iter().filter(|a| !a.attisdropped) {
            let name = &a.attname;
            if let Some(i) = columns.iter().position(|c| c.attribute.attname == *name) {
                let text = format!("merging multiple inherited definitions of column \"{name}\"");
                cmd.notice(Severity::Notice, SUCCESSFUL_COMPLETION, text);
                let there = columns[i].attribute.clone();
                if (there.atttypid, there.atttypmod) != (a.atttypid, a.atttypmod) {
                    return Err(conflict(cmd, format!("inherited column \"{name}\" has a type conflict"), &there, a)?);
                }
                if there.attcollation != a.attcollation {
                    let text = format!("inherited column \"{name}\" has a collation conflict");
                    return Err(PgError::new(COLLATION_MISMATCH, text));
                }
                columns[i].attribute.attinhcount += 1;
                columns[i].attribute.attnotnull |= a.attnotnull;
                continue;
            }
            let mut attribute = PgAttribute {
                attislocal: false,
                attinhcount: 1,
                // Only partitions share their parent's identity.
                attidentity: if partition { a.attidentity } else { 0 },
                atthasdef: false,
                atthasmissing: false,
                attmissingval: None,
                attacl: None,
                attstattarget: None,
                attoptions: None,
                ..a.clone()
            };
            let generated = std::mem::take(&mut attribute.attgenerated);
            columns.push(NewColumn { generated, ..NewColumn::new(attribute) });
        }
    }
    let inherited = columns.len();
    for local in own {
        let name = &local.attribute.attname;
        let Some(i) = columns[..inherited].iter().position(|c| c.attribute.attname == *name) else {
            columns.push(local);
            continue;
        };
        if !partition {
            let text = format!("merging column \"{name}\" with inherited definition");
            cmd.notice(Severity::Notice, SUCCESSFUL_COMPLETION, text);
        }
        let there = columns[i].attribute.clone();
        let new = &local.attribute;
        if (there.atttypid, there.atttypmod) != (new.atttypid, new.atttypmod) {
            return Err(conflict(cmd, format!("column \"{name}\" has a type conflict"), &there, new)?);
        }
        if there.attcollation != new.attcollation {
            return Err(PgError::new(COLLATION_MISMATCH, format!("column \"{name}\" has a collation conflict")));
        }
        let was_generated = columns[i].generated != 0;
        let invalid = |text: String| Err(PgError::new(INVALID_COLUMN_DEFINITION, text));
        if was_generated && local.generated == 0 && local.default.is_some() {
            return invalid(format!("column \"{name}\" inherits from generated column but specifies default"));
        }
        if was_generated && local.attribute.attidentity != 0 {
            return invalid(format!("column \"{name}\" inherits from generated column but specifies identity"));
        }
        if !was_generated && local.generated != 0 {
            let e = PgError::new(
                INVALID_COLUMN_DEFINITION,
                format!("child column \"{name}\" specifies generation expression"),
            );
            return Err(e.hint("A child table column cannot be generated unless its parent column is."));
        }
        let generated = if local.generated != 0 { local.generated } else { columns[i].generated };
        let attribute = PgAttribute {
            attislocal: !partition,
            attinhcount: there.attinhcount,
            attnotnull: there.attnotnull || new.attnotnull,
            attidentity: if partition { there.attidentity } else { new.attidentity },
            ..new.clone()
        };
        columns[i] = NewColumn { attribute, generated, ..local };
    }
    Ok(columns)
}

/// An expression over a parent's columns, over the child's of the same names. (PostgreSQL: `map_variable_attnos`)
pub fn mapped(e: &q::Expr, parent: &Relation, child: &Relation) -> Result<q::Expr> {
    let mut e = e.clone();
    renumber(&mut e, parent, child)?;
    Ok(e)
}

fn renumber(e: &mut q::Expr, parent: &Relation, child: &Relation) -> Result<()> {
    if let q::Expr::Var(v) = e
        && v.varattno > 0
        && v.varlevelsup == 0
    {
        let name = &parent.attributes[v.varattno as usize - 1].attname;
        let missing = || PgError::internal(format!("column \"{name}\" is missing in a child table"));
        v.varattno = child.desc.find(name).ok_or_else(missing)?;
        v.varattnosyn = v.varattno;
    }
    e.try_children_mut(&mut |c| renumber(c, parent, child))
}

/// What follows once the table is there: inherited defaults and constraints, and the rows of inheritance.
pub fn finish(
    cmd: &mut CommandContext<'_>,
    child: Oid,
    parents: &[Arc<Relation>],
    columns: &[NewColumn],
    partition: bool,
) -> Result<()> {
    let catalog = cmd.cx.catalog.clone();
    let kind = if partition { DependencyType::Auto } else { DependencyType::Normal };
    for (i, parent) in parents.iter().enumerate() {
        catalog.insert_row(&PgInherits {
            inhrelid: child,
            inhparent: parent.oid,
            inhseqno: i as i32 + 1,
            inhdetachpending: false,
        })?;
        let (me, on) = (ObjectAddress::relation(child), ObjectAddress::relation(parent.oid));
        catalog.record_dependency(&me, &on, kind)?;
        if !parent.class.relhassubclass {
            alter_table::edit_class(cmd, parent.oid, |row| row.relhassubclass = true)?;
        }
        catalog.invalidate_relation(parent.oid);
    }
    catalog.command_counter_increment()?;
    for (i, column) in columns.iter().enumerate() {
        if column.attribute.attinhcount > 0 && column.default.is_none() && column.sequence.is_none() {
            inherited_default(cmd, child, i as i16 + 1, &column.attribute.attname, parents)?;
        }
    }
    for parent in parents {
        for c in parent.checks.iter().filter(|c| !c.connoinherit) {
            match c.contype {
                b'c' => inherited_check(cmd, child, parent, c)?,
                _ => inherited_not_null(cmd, child, parent, c)?,
            }
        }
    }
    Ok(())
}

fn inherited_default(
    cmd: &mut CommandContext<'_>,
    child: Oid,
    attnum: i16,
    column: &str,
    parents: &[Arc<Relation>],
) -> Result<()> {
    let entry = cmd.cx.catalog.relation_entry(child)?;
    let mut found: Option<(q::Expr, u8)> = None;
    for parent in parents {
        let Some(n) = parent.desc.find(column) else { continue };
        let Some(text) = parent.default_of(n) else { continue };
        let e = mapped(&analyze::nodes::read_expr(text, &cmd.cx.catalog)?, parent, &entry)?;
        match &found {
            Some((other, generated)) if !analyze::equal(other, &e)? => {
                let (what, hint) = match generated {
                    0 => ("conflicting default values", "To resolve the conflict, specify a default explicitly."),
                    _ => (
                        "conflicting generation expressions",
                        "To resolve the conflict, specify a generation expression explicitly.",
                    ),
                };
                let text = format!("column \"{column}\" inherits {what}");
                return Err(PgError::new(INVALID_COLUMN_DEFINITION, text).hint(hint));
            }
            _ => found = Some((e, parent.attributes[n as usize - 1].attgenerated)),
        }
    }
    match found {
        Some((e, generated)) => crate::create_table::store_cooked(cmd, child, attnum, &e, generated),
        None => Ok(()),
    }
}

pub fn inherited_check(
    cmd: &mut CommandContext<'_>,
    child: Oid,
    parent: &Relation,
    c: &catalog::PgConstraint,
) -> Result<()> {
    let catalog = cmd.cx.catalog.clone();
    let entry = catalog.relation_entry(child)?;
    let Some(text) = &c.conbin else { return Ok(()) };
    let cooked = mapped(&analyze::nodes::read_expr(text, &catalog)?, parent, &entry)?;
    if let Some(there) = entry.checks.iter().find(|k| k.contype == b'c' && k.conname == c.conname) {
        let same = match &there.conbin {
            Some(text) => analyze::equal(&analyze::nodes::read_expr(text, &catalog)?, &cooked)?,
            None => false,
        };
        if !same {
            let text = format!(
                "check constraint name \"{}\" appears multiple times but with different expressions",
                c.conname
            );
            return Err(PgError::new(DUPLICATE_OBJECT, text));
        }
        if there.conislocal {
            let text = format!("merging constraint \"{}\" with inherited definition", c.conname);
            cmd.notice(Severity::Notice, SUCCESSFUL_COMPLETION, text);
        }
        return constraint::edit(cmd, there.oid, |row| row.coninhcount += 1);
    }
    let columns = constraint::columns_of(&cooked).into_iter().collect();
    let mut new = NewConstraint::new(&c.conname, entry.namespace(), b'c', child, Some(columns));
    new.row.conbin = Some(crate::stored::text(&cooked, &catalog)?);
    (new.row.conislocal, new.row.coninhcount) = (false, 1);
    (new.row.conenforced, new.row.convalidated) = (c.conenforced, c.conenforced);
    new.expression_dependencies = constraint::dependencies_of(&cooked, child);
    catalog.create_constraint(&new)?;
    alter_table::edit_class(cmd, child, |row| row.relchecks += 1)
}

pub fn inherited_not_null(
    cmd: &mut CommandContext<'_>,
    child: Oid,
    parent: &Relation,
    c: &catalog::PgConstraint,
) -> Result<()> {
    let Some([n]) = c.conkey.as_deref() else { return Ok(()) };
    let entry = cmd.cx.catalog.relation_entry(child)?;
    let Some(attnum) = entry.desc.find(&parent.attributes[*n as usize - 1].attname) else { return Ok(()) };
    if let Some(there) = entry.checks.iter().find(|k| k.contype == b'n' && k.conkey.as_deref() == Some(&[attnum])) {
        return constraint::edit(cmd, there.oid, |row| row.coninhcount += 1);
    }
    let taken = cmd.cx.catalog.constraints_of_relation(child)?.iter().any(|k| k.conname == c.conname);
    let name = if taken { None } else { Some(c.conname.as_str()) };
    constraint::add_not_null(cmd, child, attnum, name)?;
    let entry = cmd.cx.catalog.relation_entry(child)?;
    let made = entry.checks.iter().find(|k| k.contype == b'n' && k.conkey.as_deref() == Some(&[attnum]));
    let made = made.ok_or_else(|| PgError::internal("a NOT NULL constraint is gone"))?;
    constraint::edit(cmd, made.oid, |row| (row.conislocal, row.coninhcount) = (false, 1))
}
