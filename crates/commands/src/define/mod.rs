//! CREATE of things that are described by a list of attributes: aggregates, operators, base types, collations, text search
//! objects; and of operator classes, casts, conversions.
//!
//! | file | what |
//! | --- | --- |
//! | `mod.rs` | reading attributes, checks that all share |
//! | `aggregate.rs` | CREATE AGGREGATE |
//! | `operator.rs` | CREATE and ALTER OPERATOR |
//! | `base_type.rs` | CREATE TYPE of shells and base types, ALTER TYPE ... SET |
//! | `opclass.rs` | operator classes and families |
//! | `cast.rs` | CREATE CAST, CREATE TRANSFORM |
//! | `language.rs` | CREATE LANGUAGE |
//! | `collation.rs` | CREATE COLLATION and CONVERSION |
//! | `search.rs` | text search parsers, dictionaries, templates, configurations |
//!
//! PostgreSQL: `define.c`, `DefineStmt`.

mod aggregate;
pub mod base_type;
pub mod cast;
pub mod collation;
pub mod language;
pub mod opclass;
pub mod operator;
pub mod search;

use std::sync::Arc;

use base::sqlstate::*;
use base::{Oid, PgError, Result};
use catalog::{AclKind, PgProc, acl};
use parser::ast::*;

use crate::{CommandContext, Outcome, name};

pub fn execute(cmd: &mut CommandContext<'_>, stmt: &DefineStmt) -> Result<Outcome> {
    match stmt.kind {
        ObjectType::Aggregate => aggregate::create(cmd, stmt),
        ObjectType::Operator => operator::create(cmd, stmt),
        ObjectType::Type => base_type::create(cmd, stmt),
        ObjectType::Collation => collation::create(cmd, stmt),
        ObjectType::TsParser => search::create_parser(cmd, stmt),
        ObjectType::TsDictionary => search::create_dictionary(cmd, stmt),
        ObjectType::TsTemplate => search::create_template(cmd, stmt),
        ObjectType::TsConfiguration => search::create_configuration(cmd, stmt),
        other => Err(PgError::internal(format!("unrecognized define stmt type: {other:?}"))),
    }
}

// Attributes.

fn requires(d: &DefElem, what: &str) -> PgError {
    PgError::new(SYNTAX_ERROR, format!("{} requires a {what}", d.defname))
}

/// (PostgreSQL: `errorConflictingDefElem`)
pub(super) fn conflicting(d: &DefElem) -> PgError {
    PgError::new(SYNTAX_ERROR, "conflicting or redundant options").at(d.location)
}

/// (PostgreSQL: `defGetQualifiedName`)
pub(super) fn names(d: &DefElem) -> Result<Vec<String>> {
    match &d.arg {
        Some(DefArg::TypeName(t)) => Ok(t.names.clone()),
        Some(DefArg::Names(n)) => Ok(n.clone()),
        Some(DefArg::String(s)) => Ok(vec![s.clone()]),
        None => Err(requires(d, "parameter")),
        _ => Err(PgError::new(SYNTAX_ERROR, format!("argument of {} must be a name", d.defname))),
    }
}

/// (PostgreSQL: `defGetTypeName`)
pub(super) fn type_name(d: &DefElem) -> Result<TypeName> {
    match &d.arg {
        Some(DefArg::TypeName(t)) => Ok(t.clone()),
        Some(DefArg::String(s)) => Ok(TypeName { names: vec![s.clone()], typemod: -1, ..TypeName::default() }),
        None => Err(requires(d, "parameter")),
        _ => Err(PgError::new(SYNTAX_ERROR, format!("argument of {} must be a type name", d.defname))),
    }
}

/// (PostgreSQL: `defGetString`)
pub(super) fn string(d: &DefElem) -> Result<String> {
    Ok(match &d.arg {
        Some(DefArg::Integer(i)) => i.to_string(),
        Some(DefArg::Float(s) | DefArg::String(s)) => s.clone(),
        Some(DefArg::Boolean(b)) => b.to_string(),
        Some(DefArg::TypeName(t)) => t.names.join("."),
        Some(DefArg::Names(n)) => n.join("."),
        Some(DefArg::Star) => "*".to_owned(),
        None => return Err(requires(d, "parameter")),
        _ => return Err(PgError::internal("unrecognized node type in an attribute")),
    })
}

/// (PostgreSQL: `defGetBoolean`)
pub(super) fn boolean(d: &DefElem) -> Result<bool> {
    match &d.arg {
        None => return Ok(true),
        Some(DefArg::Boolean(b)) => return Ok(*b),
        Some(DefArg::Integer(0)) => return Ok(false),
        Some(DefArg::Integer(1)) => return Ok(true),
        Some(DefArg::Integer(_)) => {}
        _ => match string(d)?.to_ascii_lowercase().as_str() {
            "true" | "on" => return Ok(true),
            "false" | "off" => return Ok(false),
            _ => {}
        },
    }
    Err(requires(d, "Boolean value"))
}

/// (PostgreSQL: `defGetInt32`)
pub(super) fn integer(d: &DefElem) -> Result<i32> {
    match d.arg {
        Some(DefArg::Integer(i)) => Ok(i),
        _ => Err(PgError::new(SYNTAX_ERROR, format!("{} requires an integer value", d.defname))),
    }
}

// Names and permissions.

/// Schema, which the user may create in, and name of a new object.
pub(super) fn new_object(cmd: &CommandContext<'_>, parts: &[String]) -> Result<(Oid, String)> {
    let (schema, oname) = name::split(cmd.cx, parts)?;
    let namespace = name::creation_schema(cmd.cx, schema.as_deref())?.oid;
    Ok((namespace, catalog::ddl::truncate_name(&oname).to_owned()))
}

pub(super) fn is_superuser(cmd: &CommandContext<'_>) -> Result<bool> {
    cmd.cx.catalog.is_superuser(cmd.cx.settings.current_user)
}

pub(super) fn must_be_superuser(cmd: &CommandContext<'_>, to: &str) -> Result<()> {
    match is_superuser(cmd)? {
        true => Ok(()),
        false => Err(PgError::new(INSUFFICIENT_PRIVILEGE, format!("must be superuser to {to}"))),
    }
}

/// The user must be allowed to use the type.
pub(crate) fn check_usage(cmd: &CommandContext<'_>, type_oid: Oid) -> Result<()> {
    let catalog = &cmd.cx.catalog;
    let mut t = catalog.type_row(type_oid)?;
    if let Some(element) = catalog.element_type(type_oid)? {
        t = catalog.type_row(element)?;
    }
    // A multirange has no privileges of its own.
    if t.typtype == b'm'
        && let Some(range) = catalog.range_of_multirange(t.oid)?
    {
        t = catalog.type_row(range.rngtypid)?;
    }
    let user = cmd.cx.settings.current_user;
    if catalog.has_privilege(user, AclKind::Type, t.typowner, t.typacl.as_deref(), acl::ACL_USAGE)? {
        return Ok(());
    }
    let shown = catalog.format_type(catalog.element_type(type_oid)?.unwrap_or(type_oid), None)?;
    Err(PgError::new(INSUFFICIENT_PRIVILEGE, format!("permission denied for type {shown}")))
}

/// The user must be allowed to call the function.
pub(super) fn check_execute(cmd: &CommandContext<'_>, p: &PgProc) -> Result<()> {
    let user = cmd.cx.settings.current_user;
    let granted = p.proacl.as_deref();
    match cmd.cx.catalog.has_privilege(user, AclKind::Function, p.proowner, granted, acl::ACL_EXECUTE)? {
        true => Ok(()),
        false => Err(catalog::lookup::permission_denied("function", &p.proname)),
    }
}

/// The function of that name with exactly these arguments. (PostgreSQL: `LookupFuncName`)
pub(super) fn exact_function(cmd: &CommandContext<'_>, parts: &[String], args: &[Oid]) -> Result<Option<Arc<PgProc>>> {
    let catalog = &cmd.cx.catalog;
    let (schema, fname) = name::split(cmd.cx, parts)?;
    let schemas = match &schema {
        Some(s) => vec![catalog.explicit_namespace(s, false)?.unwrap_or_default()],
        None => catalog.search_path()?.schemas.clone(),
    };
    let all = catalog.functions_by_name(&fname)?;
    let fits = |p: &PgProc, s: Oid| p.pronamespace == s && p.proargtypes == args;
    Ok(schemas.iter().find_map(|s| all.iter().find(|p| fits(p, *s))).cloned())
}

/// `function name(types) does not exist`.
pub(super) fn no_function(cmd: &CommandContext<'_>, parts: &[String], args: &[Oid]) -> Result<PgError> {
    let shown = analyze::definitions::signature(&cmd.cx.catalog, parts, args)?;
    Ok(PgError::new(UNDEFINED_FUNCTION, format!("function {shown} does not exist")))
}

pub(super) fn required_function(cmd: &CommandContext<'_>, parts: &[String], args: &[Oid]) -> Result<Arc<PgProc>> {
    match exact_function(cmd, parts, args)? {
        Some(p) => Ok(p),
        None => Err(no_function(cmd, parts, args)?),
    }
}

pub(super) fn bad_definition(text: impl Into<String>) -> PgError {
    PgError::new(INVALID_FUNCTION_DEFINITION, text)
}

pub(super) fn bad_object(text: impl Into<String>) -> PgError {
    PgError::new(INVALID_OBJECT_DEFINITION, text)
}
