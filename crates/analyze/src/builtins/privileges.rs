//! `has_table_privilege` and its like, for tables, schemas, databases and functions.
//!
//! PostgreSQL: `utils/adt/acl.c`.

use base::sqlstate::INVALID_PARAMETER_VALUE;
use base::{Oid, PgError, Result};
use catalog::acl::*;
use catalog::{AclKind, Catalog};
use types::{FnCx, builtin};

use super::regtypes::{catalog_of, class_oid};
use crate::lookup::Lookup;

/// Pairs of a right and whether its grant option is asked. (PostgreSQL: `convert_any_priv_string`)
fn rights(text: &str, known: &[(&str, AclMode)]) -> Result<Vec<(AclMode, bool)>> {
    let mut out = Vec::new();
    for part in text.split(',') {
        let word = part.trim().to_uppercase();
        let (name, option) = match word.strip_suffix(" WITH GRANT OPTION") {
            Some(n) => (n.to_owned(), true),
            None => (word, false),
        };
        let hit = known.iter().find(|k| k.0 == name);
        let Some((_, bit)) = hit else {
            let m = format!("unrecognized privilege type: \"{}\"", part.trim());
            return Err(PgError::new(INVALID_PARAMETER_VALUE, m));
        };
        out.push((*bit, option));
    }
    Ok(out)
}

const TABLE: [(&str, AclMode); 9] = [
    ("SELECT", ACL_SELECT),
    ("INSERT", ACL_INSERT),
    ("UPDATE", ACL_UPDATE),
    ("DELETE", ACL_DELETE),
    ("TRUNCATE", ACL_TRUNCATE),
    ("REFERENCES", ACL_REFERENCES),
    ("TRIGGER", ACL_TRIGGER),
    ("MAINTAIN", ACL_MAINTAIN),
    ("RULE", ACL_NO_RIGHTS),
];
const SCHEMA: [(&str, AclMode); 2] = [("CREATE", ACL_CREATE), ("USAGE", ACL_USAGE)];
const DATABASE: [(&str, AclMode); 4] =
    [("CREATE", ACL_CREATE), ("TEMPORARY", ACL_CREATE_TEMP), ("TEMP", ACL_CREATE_TEMP), ("CONNECT", ACL_CONNECT)];
const FUNCTION: [(&str, AclMode); 1] = [("EXECUTE", ACL_EXECUTE)];

fn user_of(c: &Catalog, name: &str) -> Result<Oid> {
    if name == "public" { Ok(Oid::INVALID) } else { c.role_oid(name) }
}

/// Whether any of the rights is held; `None` where there is no such object.
fn table(c: &Catalog, user: Oid, rel: Oid, text: &str) -> Result<Option<bool>> {
    let rights = rights(text, &TABLE)?;
    let Some(k) = c.class(rel)? else { return Ok(None) };
    for (bit, _) in rights {
        if c.has_privilege(user, AclKind::Table, k.relowner, k.relacl.as_deref(), bit)? {
            return Ok(Some(true));
        }
    }
    Ok(Some(false))
}
fn schema(c: &Catalog, user: Oid, ns: Oid, text: &str) -> Result<Option<bool>> {
    let rights = rights(text, &SCHEMA)?;
    let Some(k) = c.namespace(ns)? else { return Ok(None) };
    for (bit, _) in rights {
        if c.has_privilege(user, AclKind::Schema, k.nspowner, k.nspacl.as_deref(), bit)? {
            return Ok(Some(true));
        }
    }
    Ok(Some(false))
}
fn database(c: &Catalog, user: Oid, db: Oid, text: &str) -> Result<Option<bool>> {
    let rights = rights(text, &DATABASE)?;
    let Some(k) = c.database(db)? else { return Ok(None) };
    for (bit, _) in rights {
        if c.has_privilege(user, AclKind::Database, k.datdba, k.datacl.as_deref(), bit)? {
            return Ok(Some(true));
        }
    }
    Ok(Some(false))
}
fn function(c: &Catalog, user: Oid, f: Oid, text: &str) -> Result<Option<bool>> {
    let rights = rights(text, &FUNCTION)?;
    let Some(k) = c.function(f)? else { return Ok(None) };
    for (bit, _) in rights {
        if c.has_privilege(user, AclKind::Function, k.proowner, k.proacl.as_deref(), bit)? {
            return Ok(Some(true));
        }
    }
    Ok(Some(false))
}

#[builtin("has_table_privilege_name")]
fn table_name(cx: &mut FnCx<'_>, rel: &str, p: &str) -> Result<Option<bool>> {
    let (c, u) = (catalog_of(cx)?, cx.settings().current_user);
    table(&c, u, class_oid(&c, rel)?, p)
}
#[builtin("has_table_privilege_id")]
fn table_id(cx: &mut FnCx<'_>, rel: Oid, p: &str) -> Result<Option<bool>> {
    let (c, u) = (catalog_of(cx)?, cx.settings().current_user);
    table(&c, u, rel, p)
}
#[builtin("has_table_privilege_name_name")]
fn table_name_name(cx: &mut FnCx<'_>, user: &str, rel: &str, p: &str) -> Result<Option<bool>> {
    let c = catalog_of(cx)?;
    table(&c, user_of(&c, user)?, class_oid(&c, rel)?, p)
}
#[builtin("has_table_privilege_name_id")]
fn table_name_id(cx: &mut FnCx<'_>, user: &str, rel: Oid, p: &str) -> Result<Option<bool>> {
    let c = catalog_of(cx)?;
    table(&c, user_of(&c, user)?, rel, p)
}
#[builtin("has_table_privilege_id_name")]
fn table_id_name(cx: &mut FnCx<'_>, user: Oid, rel: &str, p: &str) -> Result<Option<bool>> {
    let c = catalog_of(cx)?;
    table(&c, user, class_oid(&c, rel)?, p)
}
#[builtin("has_table_privilege_id_id")]
fn table_id_id(cx: &mut FnCx<'_>, user: Oid, rel: Oid, p: &str) -> Result<Option<bool>> {
    let c = catalog_of(cx)?;
    table(&c, user, rel, p)
}
#[builtin("has_schema_privilege_id")]
fn schema_id(cx: &mut FnCx<'_>, ns: Oid, p: &str) -> Result<Option<bool>> {
    let (c, u) = (catalog_of(cx)?, cx.settings().current_user);
    schema(&c, u, ns, p)
}
#[builtin("has_schema_privilege_name")]
fn schema_name(cx: &mut FnCx<'_>, ns: &str, p: &str) -> Result<Option<bool>> {
    let (c, u) = (catalog_of(cx)?, cx.settings().current_user);
    let ns = c.explicit_namespace(ns, false)?.unwrap_or_default();
    schema(&c, u, ns, p)
}
#[builtin("has_schema_privilege_name_name")]
fn schema_name_name(cx: &mut FnCx<'_>, user: &str, ns: &str, p: &str) -> Result<Option<bool>> {
    let c = catalog_of(cx)?;
    let ns = c.explicit_namespace(ns, false)?.unwrap_or_default();
    schema(&c, user_of(&c, user)?, ns, p)
}
#[builtin("has_schema_privilege_name_id")]
fn schema_name_id(cx: &mut FnCx<'_>, user: &str, ns: Oid, p: &str) -> Result<Option<bool>> {
    let c = catalog_of(cx)?;
    schema(&c, user_of(&c, user)?, ns, p)
}
#[builtin("has_database_privilege_id")]
fn database_id(cx: &mut FnCx<'_>, db: Oid, p: &str) -> Result<Option<bool>> {
    let (c, u) = (catalog_of(cx)?, cx.settings().current_user);
    database(&c, u, db, p)
}
#[builtin("has_database_privilege_name")]
fn database_name(cx: &mut FnCx<'_>, db: &str, p: &str) -> Result<Option<bool>> {
    let (c, u) = (catalog_of(cx)?, cx.settings().current_user);
    let m = || PgError::new(base::sqlstate::UNDEFINED_DATABASE, format!("database \"{db}\" does not exist"));
    let oid = c.database_by_name(db)?.ok_or_else(m)?.oid;
    database(&c, u, oid, p)
}
#[builtin("has_function_privilege_id")]
fn function_id(cx: &mut FnCx<'_>, f: Oid, p: &str) -> Result<Option<bool>> {
    let (c, u) = (catalog_of(cx)?, cx.settings().current_user);
    function(&c, u, f, p)
}
#[builtin("has_function_privilege_name_id")]
fn function_name_id(cx: &mut FnCx<'_>, user: &str, f: Oid, p: &str) -> Result<Option<bool>> {
    let c = catalog_of(cx)?;
    function(&c, user_of(&c, user)?, f, p)
}

/// `MEMBER`, `USAGE` or `SET`. (PostgreSQL: `pg_role_aclcheck`)
fn role(c: &Catalog, user: Oid, of: Oid, text: &str) -> Result<bool> {
    for part in text.split(',') {
        let word = part.trim().to_uppercase();
        let held = match word.as_str() {
            "USAGE" => c.has_privs_of_role(user, of)?,
            "MEMBER" => c.is_member_of_role(user, of)?,
            "SET" => c.member_can_set_role(user, of)?,
            _ if word.ends_with(" WITH GRANT OPTION") || word.ends_with(" WITH ADMIN OPTION") => {
                c.is_admin_of_role(user, of)?
            }
            _ => {
                let m = format!("unrecognized privilege type: \"{}\"", part.trim());
                return Err(PgError::new(INVALID_PARAMETER_VALUE, m));
            }
        };
        if held {
            return Ok(true);
        }
    }
    Ok(false)
}
#[builtin("pg_has_role_id")]
fn has_role_id(cx: &mut FnCx<'_>, of: Oid, p: &str) -> Result<bool> {
    let (c, u) = (catalog_of(cx)?, cx.settings().current_user);
    role(&c, u, of, p)
}
#[builtin("pg_has_role_name")]
fn has_role_name(cx: &mut FnCx<'_>, of: &str, p: &str) -> Result<bool> {
    let (c, u) = (catalog_of(cx)?, cx.settings().current_user);
    role(&c, u, c.role_oid(of)?, p)
}
#[builtin("pg_has_role_name_name")]
fn has_role_name_name(cx: &mut FnCx<'_>, user: &str, of: &str, p: &str) -> Result<bool> {
    let c = catalog_of(cx)?;
    role(&c, c.role_oid(user)?, c.role_oid(of)?, p)
}
#[builtin("pg_has_role_name_id")]
fn has_role_name_id(cx: &mut FnCx<'_>, user: &str, of: Oid, p: &str) -> Result<bool> {
    let c = catalog_of(cx)?;
    role(&c, c.role_oid(user)?, of, p)
}
#[builtin("pg_has_role_id_id")]
fn has_role_id_id(cx: &mut FnCx<'_>, user: Oid, of: Oid, p: &str) -> Result<bool> {
    let c = catalog_of(cx)?;
    role(&c, user, of, p)
}
