//! CREATE SCHEMA. (PostgreSQL: `schemacmds.c`)

use base::sqlstate::*;
use base::{PgError, Result};
use catalog::{AclKind, ObjectAddress, PgNamespace, oids};
use parser::ast::{CreateSchemaStmt, RoleSpec, RoleSpecType};

use crate::{CommandContext, Outcome};

/// The role that a specification means.
pub fn role(cmd: &CommandContext<'_>, spec: &RoleSpec) -> Result<base::Oid> {
    match spec.roletype {
        RoleSpecType::CString => cmd.cx.catalog.role_oid(spec.rolename.as_deref().unwrap_or_default()),
        RoleSpecType::CurrentRole | RoleSpecType::CurrentUser => Ok(cmd.cx.settings.current_user),
        RoleSpecType::SessionUser => Ok(cmd.cx.settings.session_user),
        RoleSpecType::Public => Err(PgError::new(UNDEFINED_OBJECT, "role \"public\" does not exist")),
    }
}

pub fn create(cmd: &mut CommandContext<'_>, stmt: &CreateSchemaStmt) -> Result<Outcome> {
    if !stmt.schema_elts.is_empty() {
        return Err(PgError::unsupported("CREATE SCHEMA with elements"));
    }
    let user = cmd.cx.settings.current_user;
    let owner = stmt.authrole.as_ref().map(|r| role(cmd, r)).transpose()?.unwrap_or(user);
    let name = match &stmt.schemaname {
        Some(name) => name.clone(),
        None => cmd.cx.catalog.role_name(owner)?,
    };
    let database = cmd.cx.catalog.database(cmd.cx.settings.database)?;
    let database = database.ok_or_else(|| PgError::internal("the session's database is gone"))?;
    let acl = database.datacl.as_deref();
    if !cmd.cx.catalog.has_privilege(user, AclKind::Database, database.datdba, acl, catalog::acl::ACL_CREATE)? {
        return Err(catalog::lookup::permission_denied("database", &database.datname));
    }
    if owner != user && !cmd.cx.catalog.member_can_set_role(user, owner)? {
        let text = format!("must be able to SET ROLE \"{}\"", cmd.cx.catalog.role_name(owner)?);
        return Err(PgError::new(INSUFFICIENT_PRIVILEGE, text));
    }
    if name.starts_with("pg_") {
        let text = format!("unacceptable schema name \"{name}\"");
        let detail = "The prefix \"pg_\" is reserved for system schemas.";
        return Err(PgError::new(RESERVED_NAME, text).detail(detail));
    }
    if cmd.cx.catalog.namespace_by_name(&name)?.is_some() {
        let text = format!("schema \"{name}\" already exists");
        if !stmt.if_not_exists {
            return Err(PgError::new(DUPLICATE_SCHEMA, text));
        }
        cmd.notice(base::Severity::Notice, DUPLICATE_SCHEMA, format!("{text}, skipping"));
        return Ok(Outcome::tag("CREATE SCHEMA"));
    }
    let oid = cmd.cx.catalog.new_oid(oids::NAMESPACE_RELATION, oids::NAMESPACE_OID_INDEX)?;
    cmd.cx.catalog.insert_row(&PgNamespace { oid, nspname: name, nspowner: owner, nspacl: None })?;
    cmd.cx.catalog.record_owner(&ObjectAddress::new(oids::NAMESPACE_RELATION, oid), owner)?;
    cmd.cx.catalog.command_counter_increment()?;
    Ok(Outcome::tag("CREATE SCHEMA"))
}
