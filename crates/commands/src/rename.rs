//! ALTER ... RENAME. (PostgreSQL: `ExecRenameStmt`)

use base::sqlstate::*;
use base::{Oid, PgError, Result, Severity};
use catalog::ddl::truncate_name;
use catalog::{PgAuthid, PgConstraint, PgDatabase, PgNamespace, PgType, Relation, oids, relkind};
use parser::ast::*;
use txn::LockMode;

use crate::alter_table::{check_column_name, edit_class, edit_column};
use crate::partition::tree;
use crate::{CommandContext, Outcome, alter_table, name, object, owner};

pub fn execute(cmd: &mut CommandContext<'_>, stmt: &RenameStmt) -> Result<Outcome> {
    let new = truncate_name(&stmt.newname).to_owned();
    let tag = match stmt.rename_type {
        ObjectType::Column | ObjectType::Attribute => alter_table::tag(stmt.relation_type),
        kind => object::alter_tag(kind),
    };
    if let Some(var) = &stmt.relation {
        let Some(rel) = name::relation_if_exists(cmd.cx, var, LockMode::AccessExclusive)? else {
            if !stmt.missing_ok {
                return Err(name::missing_relation(var));
            }
            let text = format!("relation \"{}\" does not exist, skipping", var.relname);
            cmd.notice(Severity::Notice, UNDEFINED_TABLE, text);
            return Ok(Outcome::tag(tag));
        };
        if stmt.rename_type == ObjectType::Attribute {
            crate::alter_composite::rename(cmd, &rel, stmt, &new)?;
            return Ok(Outcome::tag("ALTER TYPE"));
        }
        name::check_owner(cmd.cx, &rel)?;
        let old = stmt.subname.as_deref().unwrap_or_default();
        match stmt.rename_type {
            ObjectType::Column => column(cmd, &rel, old, &new, var.inh)?,
            ObjectType::TabConstraint => constraint(cmd, &rel, old, &new, var.inh)?,
            ObjectType::Trigger => crate::trigger::rename(cmd, &rel, old, &new)?,
            ObjectType::Attribute | ObjectType::Policy | ObjectType::Rule => {
                return Err(PgError::unsupported(format!("ALTER {:?} RENAME", stmt.rename_type)));
            }
            _ => relation(cmd, &rel, &new)?,
        }
        return Ok(Outcome::tag(tag));
    }
    let named = match &stmt.object {
        Some(o) => o.clone(),
        None => Object::Name(stmt.subname.clone().unwrap_or_default()),
    };
    other(cmd, stmt.rename_type, &named, &new)?;
    Ok(Outcome::tag(tag))
}

/// A column, in all children too. (PostgreSQL: `renameatt_internal`)
fn column(cmd: &mut CommandContext<'_>, rel: &Relation, old: &str, new: &str, recurse: bool) -> Result<()> {
    crate::alter_children::check_not_typed(rel, "rename column of")?;
    let mut all = vec![rel.oid];
    if rel.class.relhassubclass {
        let found = tree::inheritors(cmd, rel.oid, Some(LockMode::AccessExclusive))?;
        if !recurse && found.len() > 1 {
            let text = format!("inherited column \"{old}\" must be renamed in child tables too");
            return Err(PgError::new(INVALID_TABLE_DEFINITION, text));
        }
        all = found;
    }
    for oid in &all {
        let entry = cmd.cx.catalog.relation_entry(*oid)?;
        let missing = || PgError::new(UNDEFINED_COLUMN, format!("column \"{old}\" does not exist"));
        let attnum = entry.desc.find(old).ok_or_else(missing)?;
        let parents = cmd.cx.catalog.inheritance_parents(*oid)?;
        let known = parents.iter().filter(|p| all.contains(&p.inhparent)).count();
        if i32::from(entry.attributes[attnum as usize - 1].attinhcount) > known as i32 {
            let text = format!("cannot rename inherited column \"{old}\"");
            return Err(PgError::new(INVALID_TABLE_DEFINITION, text));
        }
        check_column_name(&entry, new)?;
        edit_column(cmd, &entry, attnum, |a| a.attname = new.to_owned())?;
    }
    Ok(())
}

/// A constraint; CHECK and NOT NULL in all children too. (PostgreSQL: `rename_constraint_internal`)
fn constraint(cmd: &mut CommandContext<'_>, rel: &Relation, old: &str, new: &str, recurse: bool) -> Result<()> {
    let own = cmd.cx.catalog.constraints_of_relation(rel.oid)?;
    let found = own.iter().find(|c| c.conname == old && matches!(c.contype, b'c' | b'n') && !c.connoinherit);
    if let Some(c) = found {
        let all = match rel.class.relhassubclass {
            true => tree::inheritors(cmd, rel.oid, Some(LockMode::AccessExclusive))?,
            false => vec![rel.oid],
        };
        let refuse = |text: String| Err(PgError::new(INVALID_TABLE_DEFINITION, text));
        if !recurse && all.len() > 1 {
            return refuse(format!("inherited constraint \"{old}\" must be renamed in child tables too"));
        }
        if c.coninhcount > 0 {
            return refuse(format!("cannot rename inherited constraint \"{old}\""));
        }
        for oid in &all[1..] {
            let entry = cmd.cx.catalog.relation_entry(*oid)?;
            let parents = cmd.cx.catalog.inheritance_parents(*oid)?;
            let known = parents.iter().filter(|p| all.contains(&p.inhparent)).count();
            let theirs = cmd.cx.catalog.constraints_of_relation(*oid)?;
            if theirs.iter().any(|k| k.conname == old && i32::from(k.coninhcount) > known as i32) {
                return refuse(format!("cannot rename inherited constraint \"{old}\""));
            }
            if theirs.iter().any(|k| k.conname == old) {
                constraint_of(cmd, &entry, old, new)?;
            }
        }
    }
    constraint_of(cmd, rel, old, new)
}

fn constraint_of(cmd: &mut CommandContext<'_>, rel: &Relation, old: &str, new: &str) -> Result<()> {
    let list = cmd.cx.catalog.constraints_of_relation(rel.oid)?;
    let c = list.iter().find(|c| c.conname == old).ok_or_else(|| {
        PgError::new(UNDEFINED_OBJECT, format!("constraint \"{old}\" for table \"{}\" does not exist", rel.name()))
    })?;
    if list.iter().any(|c| c.conname == new) {
        let text = format!("constraint \"{new}\" for relation \"{}\" already exists", rel.name());
        return Err(PgError::new(DUPLICATE_OBJECT, text));
    }
    match (c.contype, c.conindid.valid()) {
        (b'p' | b'u' | b'x', Some(index)) => {
            let index = cmd.cx.catalog.relation_entry(index)?;
            relation(cmd, &index, new)
        }
        _ => {
            object::edit::<PgConstraint>(cmd, oids::CONSTRAINT_OID_INDEX, c.oid, |c| c.conname = new.to_owned())?;
            cmd.cx.catalog.invalidate_relation(rel.oid);
            Ok(())
        }
    }
}

/// A relation with its row type, and the constraint that an index belongs to. (PostgreSQL: `RenameRelationInternal`)
fn relation(cmd: &mut CommandContext<'_>, rel: &Relation, new: &str) -> Result<()> {
    if cmd.cx.catalog.relation_by_name(rel.namespace(), new)?.is_some() {
        return Err(PgError::new(DUPLICATE_TABLE, format!("relation \"{new}\" already exists")));
    }
    edit_class(cmd, rel.oid, |c| c.relname = new.to_owned())?;
    if let Some(t) = rel.class.reltype.valid() {
        type_(cmd, t, new)?;
    }
    if matches!(rel.kind(), relkind::INDEX | relkind::PARTITIONED_INDEX)
        && let Some(info) = &rel.index
    {
        for c in cmd.cx.catalog.constraints_of_relation(info.table)? {
            if c.conindid == rel.oid && matches!(c.contype, b'p' | b'u' | b'x') {
                object::edit::<PgConstraint>(cmd, oids::CONSTRAINT_OID_INDEX, c.oid, |c| c.conname = new.to_owned())?;
            }
        }
        cmd.cx.catalog.invalidate_relation(info.table);
    }
    Ok(())
}

/// A type and its array type.
fn type_(cmd: &mut CommandContext<'_>, oid: Oid, new: &str) -> Result<()> {
    let t = cmd.cx.catalog.type_row(oid)?;
    cmd.cx.catalog.free_type_name(t.typnamespace, new)?;
    object::edit::<PgType>(cmd, oids::TYPE_OID_INDEX, oid, |t| t.typname = new.to_owned())?;
    if let Some(array) = t.typarray.valid() {
        let name = cmd.cx.catalog.choose_array_name(new, t.typnamespace)?;
        object::edit::<PgType>(cmd, oids::TYPE_OID_INDEX, array, |t| t.typname = name)?;
    }
    Ok(())
}

fn other(cmd: &mut CommandContext<'_>, kind: ObjectType, named: &Object, new: &str) -> Result<()> {
    let address = object::find(cmd, kind, named, LockMode::AccessExclusive)?;
    let oid = address.object;
    let taken = |what: &str, code| Err(PgError::new(code, format!("{what} \"{new}\" already exists")));
    match kind {
        ObjectType::EventTrigger => crate::event_trigger::rename(cmd, oid, new),
        ObjectType::Schema => {
            object::check_owner(cmd, kind, &address)?;
            owner_may_create(cmd)?;
            if cmd.cx.catalog.namespace_by_name(new)?.is_some() {
                return taken("schema", DUPLICATE_SCHEMA);
            }
            if new.starts_with("pg_") {
                let text = format!("unacceptable schema name \"{new}\"");
                let detail = "The prefix \"pg_\" is reserved for system schemas.";
                return Err(PgError::new(RESERVED_NAME, text).detail(detail));
            }
            object::edit::<PgNamespace>(cmd, oids::NAMESPACE_OID_INDEX, oid, |n| n.nspname = new.to_owned())
        }
        ObjectType::Database => {
            object::check_owner(cmd, kind, &address)?;
            crate::database::may_rename(cmd, oid)?;
            if cmd.cx.catalog.database_by_name(new)?.is_some() {
                return taken("database", DUPLICATE_DATABASE);
            }
            object::edit::<PgDatabase>(cmd, oids::DATABASE_OID_INDEX, oid, |d| d.datname = new.to_owned())
        }
        ObjectType::Role => {
            crate::role::may_rename(cmd, oid, new)?;
            if cmd.cx.catalog.role_by_name(new)?.is_some() {
                return taken("role", DUPLICATE_OBJECT);
            }
            object::edit::<PgAuthid>(cmd, oids::AUTH_ID_OID_INDEX, oid, |r| r.rolname = new.to_owned())
        }
        ObjectType::Type | ObjectType::Domain => {
            object::check_owner(cmd, kind, &address)?;
            let t = cmd.cx.catalog.type_row(oid)?;
            if t.typtype == b'c' {
                let rel = cmd.cx.catalog.relation_entry(t.typrelid)?;
                return relation(cmd, &rel, new);
            }
            type_(cmd, oid, new)
        }
        ObjectType::DomConstraint => domain_constraint(cmd, &address, new),
        other => match crate::properties::of(address.class) {
            Some(property) => property.rename(cmd, oid, new),
            None => Err(PgError::unsupported(format!("ALTER {other:?} RENAME"))),
        },
    }
}

fn domain_constraint(cmd: &mut CommandContext<'_>, o: &catalog::ObjectAddress, new: &str) -> Result<()> {
    object::check_owner(cmd, ObjectType::DomConstraint, o)?;
    let c = cmd.cx.catalog.constraint(o.object)?.ok_or_else(|| PgError::internal("a constraint is gone"))?;
    if cmd.cx.catalog.constraints_of_domain(c.contypid)?.iter().any(|c| c.conname == new) {
        let shown = cmd.cx.catalog.format_type(c.contypid, None)?;
        let text = format!("constraint \"{new}\" for domain {shown} already exists");
        return Err(PgError::new(DUPLICATE_OBJECT, text));
    }
    object::edit::<PgConstraint>(cmd, oids::CONSTRAINT_OID_INDEX, o.object, |c| c.conname = new.to_owned())
}

fn owner_may_create(cmd: &CommandContext<'_>) -> Result<()> {
    owner::may_create_in_database(cmd)
}
