//! Who is asking, and where: `current_user`, `session_user`, `current_database` called as functions; `oidvectortypes`,
//! `pg_collation_for`.

use base::sqlstate::DATATYPE_MISMATCH;
use base::{Oid, PgError, Result};
use types::{DatumRef, FnCx, builtin};

use super::regtypes::catalog_of;

#[builtin("current_database")]
fn current_database(cx: &mut FnCx<'_>) -> String {
    cx.settings().database_name.to_string()
}
#[builtin("current_user")]
fn current_user(cx: &mut FnCx<'_>) -> Result<String> {
    let role = cx.settings().current_user;
    catalog_of(cx)?.role_name(role)
}
#[builtin("session_user")]
fn session_user(cx: &mut FnCx<'_>) -> Result<String> {
    let role = cx.settings().session_user;
    catalog_of(cx)?.role_name(role)
}
/// The names of types, separated by commas.
#[builtin("oidvectortypes")]
fn oidvectortypes(cx: &mut FnCx<'_>, list: &[u8]) -> Result<String> {
    let c = catalog_of(cx)?;
    let element = types::array::ElementType { oid: types::oid::OIDOID, len: 4, byval: true, align: types::Align::Int };
    let mut names = Vec::new();
    for o in types::array::ArrayRef::new(list)?.elements(&element) {
        names.push(c.format_type(Oid(o?.word() as u32), None)?);
    }
    Ok(names.join(", "))
}
/// The collation of an expression, by name. (PostgreSQL: `pg_collation_for`)
#[builtin("pg_collation_for", raw)]
fn pg_collation_for(cx: &mut FnCx<'_>, _args: &[DatumRef<'_>]) -> Result<Option<String>> {
    let c = catalog_of(cx)?;
    let t = cx.call.arg_types.first().copied().unwrap_or_default();
    let row = c.type_row(t)?;
    if !row.typcollation.is_valid() && t != types::oid::UNKNOWNOID {
        let m = format!("collations are not supported by type {}", c.format_type(t, None)?);
        return Err(PgError::new(DATATYPE_MISMATCH, m));
    }
    let Some(collation) = cx.call.collation.valid() else { return Ok(None) };
    let Some(row) = c.collation(collation)? else { return Ok(None) };
    let schema = c.namespace_name(row.collnamespace)?;
    let visible = matches!(schema.as_deref(), Some("pg_catalog"));
    let quoted = format!("\"{}\"", row.collname.replace('"', "\"\""));
    Ok(Some(match schema {
        Some(s) if !visible => format!("{}.{quoted}", parser::quote_identifier(&s)),
        _ => quoted,
    }))
}
