//! OWNER TO and SET SCHEMA. (PostgreSQL: `alter.c`, `ATExecChangeOwner`, `AlterTableNamespace`)

use base::sqlstate::*;
use base::{Oid, PgError, Result};
use catalog::privileges::acl_with_new_owner;
use catalog::{
    AclItem, ObjectAddress, PgClass, PgConstraint, PgDatabase, PgNamespace, PgType, Relation, oids, relkind,
};
use parser::ast::*;
use txn::LockMode;

use crate::alter_table::edit_class;
use crate::{CommandContext, Outcome, alter_table, name, object, schema};

/// The role must be one that the user may set himself to; who is not a superuser needs CREATE on the schema for the new owner.
fn check_new_owner(cmd: &CommandContext<'_>, new: Oid, namespace: Oid) -> Result<()> {
    let (catalog, user) = (&cmd.cx.catalog, cmd.cx.settings.current_user);
    if catalog.is_superuser(user)? {
        return Ok(());
    }
    if !catalog.member_can_set_role(user, new)? {
        let text = format!("must be able to SET ROLE \"{}\"", catalog.role_name(new)?);
        return Err(PgError::new(INSUFFICIENT_PRIVILEGE, text));
    }
    if namespace.is_valid() && !catalog.may_schema(new, namespace, catalog::acl::ACL_CREATE)? {
        let shown = catalog.namespace_name(namespace)?.unwrap_or_default();
        return Err(catalog::lookup::permission_denied("schema", &shown));
    }
    Ok(())
}

fn swapped(acl: &Option<Vec<AclItem>>, old: Oid, new: Oid) -> Option<Vec<AclItem>> {
    acl.as_ref().map(|a| acl_with_new_owner(a, old, new))
}

/// A relation with its row type, indexes, TOAST table and owned sequences.
pub fn relation(cmd: &mut CommandContext<'_>, rel: &Relation, new: Oid) -> Result<()> {
    if rel.owner() != new {
        check_new_owner(cmd, new, rel.namespace())?;
    }
    change_relation(cmd, rel.oid, new)
}

fn change_relation(cmd: &mut CommandContext<'_>, rel: Oid, new: Oid) -> Result<()> {
    let entry = cmd.cx.catalog.relation_entry(rel)?;
    let old = entry.owner();
    if old == new {
        return Ok(());
    }
    edit_class(cmd, rel, |c| {
        c.relacl = swapped(&c.relacl, old, new);
        c.relowner = new;
    })?;
    let kind = entry.kind();
    if !matches!(kind, relkind::INDEX | relkind::TOAST) {
        cmd.cx.catalog.change_owner(&ObjectAddress::relation(rel), new)?;
    }
    if entry.class.reltype.is_valid() {
        change_type(cmd, entry.class.reltype, new, false)?;
    }
    for index in &entry.indexes {
        change_relation(cmd, *index, new)?;
    }
    if let Some(toast) = entry.class.reltoastrelid.valid() {
        change_relation(cmd, toast, new)?;
    }
    if kind == relkind::TABLE {
        for seq in cmd.cx.catalog.owned_sequences(rel, 0, None)? {
            change_relation(cmd, seq, new)?;
        }
    }
    cmd.cx.catalog.command_counter_increment()
}

/// A type and its array type.
fn change_type(cmd: &mut CommandContext<'_>, oid: Oid, new: Oid, own_dependency: bool) -> Result<()> {
    let mut array = Oid::INVALID;
    object::edit::<PgType>(cmd, oids::TYPE_OID_INDEX, oid, |t| {
        array = t.typarray;
        t.typacl = swapped(&t.typacl, t.typowner, new);
        t.typowner = new;
    })?;
    if own_dependency {
        cmd.cx.catalog.change_owner(&ObjectAddress::type_(oid), new)?;
    }
    match array.valid() {
        Some(array) => object::edit::<PgType>(cmd, oids::TYPE_OID_INDEX, array, |t| t.typowner = new),
        None => Ok(()),
    }
}

pub fn execute(cmd: &mut CommandContext<'_>, stmt: &AlterOwnerStmt) -> Result<Outcome> {
    let new = schema::role(cmd, &stmt.newowner)?;
    let address = object::find(cmd, stmt.object_type, &stmt.object, LockMode::AccessExclusive)?;
    object::check_owner(cmd, stmt.object_type, &address)?;
    match stmt.object_type {
        ObjectType::Schema => {
            check_new_owner(cmd, new, Oid::INVALID)?;
            object::edit::<PgNamespace>(cmd, oids::NAMESPACE_OID_INDEX, address.object, |n| {
                n.nspacl = swapped(&n.nspacl, n.nspowner, new);
                n.nspowner = new;
            })?;
            cmd.cx.catalog.change_owner(&address, new)?;
        }
        ObjectType::Database => {
            check_new_owner(cmd, new, Oid::INVALID)?;
            object::edit::<PgDatabase>(cmd, oids::DATABASE_OID_INDEX, address.object, |d| {
                d.datacl = swapped(&d.datacl, d.datdba, new);
                d.datdba = new;
            })?;
            cmd.cx.catalog.change_owner(&address, new)?;
        }
        ObjectType::Type | ObjectType::Domain => {
            let t = cmd.cx.catalog.type_row(address.object)?;
            check_new_owner(cmd, new, t.typnamespace)?;
            if t.typtype == b'c' {
                change_relation(cmd, t.typrelid, new)?;
            }
            change_type(cmd, address.object, new, true)?;
        }
        ObjectType::EventTrigger => crate::event_trigger::set_owner(cmd, address.object, new)?,
        other => match crate::properties::of(address.class) {
            Some(property) => property.set_owner(cmd, address.object, new)?,
            None => return Err(PgError::unsupported(format!("ALTER {other:?} OWNER"))),
        },
    }
    cmd.cx.catalog.command_counter_increment()?;
    Ok(Outcome::tag(object::alter_tag(stmt.object_type)))
}

/// ALTER ... SET SCHEMA.
pub fn set_schema(cmd: &mut CommandContext<'_>, stmt: &AlterObjectSchemaStmt) -> Result<Outcome> {
    let tag = object::alter_tag(stmt.object_type);
    let to = name::creation_schema(cmd.cx, Some(&stmt.newschema))?.oid;
    if let Some(var) = &stmt.relation {
        let Some(rel) = name::relation_if_exists(cmd.cx, var, LockMode::AccessExclusive)? else {
            if !stmt.missing_ok {
                return Err(name::missing_relation(var));
            }
            let text = format!("relation \"{}\" does not exist, skipping", var.relname);
            cmd.notice(base::Severity::Notice, UNDEFINED_TABLE, text);
            return Ok(Outcome::tag(tag));
        };
        name::check_owner(cmd.cx, &rel)?;
        if rel.namespace() != to {
            move_relation(cmd, &rel, to)?;
        }
        return Ok(Outcome::tag(alter_table::tag(stmt.object_type)));
    }
    let named = stmt.object.as_ref().ok_or_else(|| PgError::internal("SET SCHEMA of nothing"))?;
    let address = object::find(cmd, stmt.object_type, named, LockMode::AccessExclusive)?;
    object::check_owner(cmd, stmt.object_type, &address)?;
    let from = match stmt.object_type {
        ObjectType::Type | ObjectType::Domain => {
            let t = cmd.cx.catalog.type_row(address.object)?;
            move_type(cmd, address.object, to)?;
            t.typnamespace
        }
        other => {
            match crate::properties::of(address.class) {
                Some(property) => property.set_schema(cmd, address.object, to)?,
                None => return Err(PgError::unsupported(format!("ALTER {other:?} SET SCHEMA"))),
            }
            return Ok(Outcome::tag(tag));
        }
    };
    cmd.cx.catalog.change_dependency(&address, oids::NAMESPACE_RELATION, from, to)?;
    Ok(Outcome::tag(tag))
}

fn move_type(cmd: &mut CommandContext<'_>, oid: Oid, to: Oid) -> Result<()> {
    let t = cmd.cx.catalog.type_row(oid)?;
    if cmd.cx.catalog.type_by_name(to, &t.typname)?.is_some() {
        let shown = cmd.cx.catalog.namespace_name(to)?.unwrap_or_default();
        let text = format!("type \"{}\" already exists in schema \"{shown}\"", t.typname);
        return Err(PgError::new(DUPLICATE_OBJECT, text));
    }
    object::edit::<PgType>(cmd, oids::TYPE_OID_INDEX, oid, |t| t.typnamespace = to)?;
    if let Some(array) = t.typarray.valid() {
        let element = cmd.cx.catalog.type_row(oid)?;
        let name = cmd.cx.catalog.choose_array_name(&element.typname, to)?;
        object::edit::<PgType>(cmd, oids::TYPE_OID_INDEX, array, |t| {
            t.typnamespace = to;
            t.typname = name;
        })?;
    }
    Ok(())
}

fn move_relation(cmd: &mut CommandContext<'_>, rel: &Relation, to: Oid) -> Result<()> {
    if cmd.cx.catalog.relation_by_name(to, rel.name())?.is_some() {
        let shown = cmd.cx.catalog.namespace_name(to)?.unwrap_or_default();
        let text = format!("relation \"{}\" already exists in schema \"{shown}\"", rel.name());
        return Err(PgError::new(DUPLICATE_TABLE, text));
    }
    let from = rel.namespace();
    edit_class(cmd, rel.oid, |c: &mut PgClass| c.relnamespace = to)?;
    let me = ObjectAddress::relation(rel.oid);
    cmd.cx.catalog.change_dependency(&me, oids::NAMESPACE_RELATION, from, to)?;
    if rel.class.reltype.is_valid() {
        move_type(cmd, rel.class.reltype, to)?;
    }
    for c in cmd.cx.catalog.constraints_of_relation(rel.oid)? {
        object::edit::<PgConstraint>(cmd, oids::CONSTRAINT_OID_INDEX, c.oid, |c| c.connamespace = to)?;
    }
    for index in rel.indexes.clone() {
        edit_class(cmd, index, |c| c.relnamespace = to)?;
    }
    if rel.kind() == relkind::TABLE {
        for seq in cmd.cx.catalog.owned_sequences(rel.oid, 0, None)? {
            let entry = cmd.cx.catalog.relation_entry(seq)?;
            move_relation(cmd, &entry, to)?;
        }
    }
    Ok(())
}

/// Whether the user may make schemas here.
pub fn may_create_in_database(cmd: &CommandContext<'_>) -> Result<()> {
    let user = cmd.cx.settings.current_user;
    let database = cmd.cx.catalog.database(cmd.cx.settings.database)?;
    let database = database.ok_or_else(|| PgError::internal("the session's database is gone"))?;
    let (kind, acl) = (catalog::AclKind::Database, database.datacl.as_deref());
    if cmd.cx.catalog.has_privilege(user, kind, database.datdba, acl, catalog::acl::ACL_CREATE)? {
        return Ok(());
    }
    Err(catalog::lookup::permission_denied("database", &database.datname))
}
