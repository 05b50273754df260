//! What belongs to no type: version, pg_typeof, sizes, input checks.

use base::{Oid, Result};
use types::oid::UNKNOWNOID;
use types::{Datum, DatumRef, FnCx, builtin, with_plain};

use crate::numeric::Numeric;

#[builtin("pgsql_version")]
fn version() -> String {
    let arch = std::env::consts::ARCH;
    format!(
        "PostgreSQL 18.6 (Tusk {}) on {arch}-unknown-linux-gnu, compiled by rustc, 64-bit",
        env!("CARGO_PKG_VERSION")
    )
}
#[builtin("pg_typeof", raw)]
fn pg_typeof(cx: &mut FnCx<'_>, _args: &[DatumRef<'_>]) -> Result<Datum> {
    Ok(Datum::oid(cx.call.arg_types.first().copied().unwrap_or(UNKNOWNOID)))
}
#[builtin("pg_column_size", raw)]
fn pg_column_size(cx: &mut FnCx<'_>, args: &[DatumRef<'_>]) -> Result<Datum> {
    let Some(value) = args.first().filter(|v| !v.is_null()) else { return Ok(Datum::Null) };
    let t = cx.call.arg_types.first().copied().unwrap_or(UNKNOWNOID);
    let info = cx.rt.type_info(t)?;
    let size = match (*value, info.len) {
        (DatumRef::Toasted(t), _) => t.len(),
        (DatumRef::Bytes(b), -1) => b.len() + 4,
        (DatumRef::Bytes(b), -2) => b.len() + 1,
        (_, len) => len.max(0) as usize,
    };
    Ok(Datum::i32(size as i32))
}
/// (PostgreSQL: `size_pretty_units`)
const UNITS: &[(&str, i128)] = &[
    ("bytes", 10 * 1024),
    ("kB", 20 * 1024 - 1),
    ("MB", 20 * 1024 - 1),
    ("GB", 20 * 1024 - 1),
    ("TB", 20 * 1024 - 1),
    ("PB", 20 * 1024 - 1),
];

fn pretty(size: i128) -> String {
    // From the second unit on, half units are counted, so that the last step rounds.
    let mut n = size;
    for (i, (name, limit)) in UNITS.iter().enumerate() {
        let last = i + 1 == UNITS.len();
        if last || n.abs() < *limit {
            let shown = if i == 0 { n } else { (n + n.signum()) / 2 };
            return format!("{shown} {name}");
        }
        n /= if i == 0 { 512 } else { 1024 };
    }
    String::new()
}
#[builtin("pg_size_pretty")]
fn pg_size_pretty(size: i64) -> String {
    pretty(size.into())
}
#[builtin("pg_size_pretty_numeric")]
fn pg_size_pretty_numeric(size: Numeric) -> String {
    size.truncated(0).to_i128().map_or_else(|| format!("{} bytes", size.to_text()), pretty)
}

/// Whether equal values of a btree operator class are equal bytes, so that duplicates may share one entry.
#[builtin("btequalimage", "btvarstrequalimage")]
fn btequalimage(cx: &mut FnCx<'_>, _opcintype: base::Oid) -> bool {
    crate::bytes::is_bytewise(cx)
}

/// Reads a value of a domain: as the base type does, then the domain's own constraints.
#[builtin("domain_in")]
fn domain_in(cx: &mut FnCx<'_>, text: Option<&str>, domain: Oid, _typmod: i32) -> Result<Datum> {
    let info = cx.rt.type_info(domain)?;
    let value = match text {
        Some(t) => crate::generic::from_text(cx.rt, info.base_type, info.typmod, t)?,
        None => Datum::Null,
    };
    cx.rt.check_domain(domain, value.as_ref())?;
    Ok(value)
}
#[builtin("domain_recv")]
fn domain_recv(cx: &mut FnCx<'_>, bytes: Option<&[u8]>, domain: Oid, _typmod: i32) -> Result<Datum> {
    let info = cx.rt.type_info(domain)?;
    let value = match bytes {
        Some(b) => {
            let base = cx.rt.type_info(info.base_type)?;
            let (param, typmod) = (Datum::oid(base.ioparam), Datum::i32(info.typmod));
            cx.rt.call(base.receive, Oid::INVALID, &[DatumRef::Bytes(b), param.as_ref(), typmod.as_ref()])?
        }
        None => Datum::Null,
    };
    cx.rt.check_domain(domain, value.as_ref())?;
    Ok(value)
}

/// How many of the arguments are null.
fn nulls(cx: &mut FnCx<'_>, args: &[DatumRef<'_>]) -> Result<Option<(i32, i32)>> {
    with_plain(cx, args, |cx, args| {
        let Some(list) = crate::generic::variadic(cx, args, 0)? else { return Ok(None) };
        let n = list.iter().filter(|(_, v)| v.is_null()).count();
        Ok(Some((n as i32, (list.len() - n) as i32)))
    })
}
#[builtin("pg_num_nulls", raw)]
fn pg_num_nulls(cx: &mut FnCx<'_>, args: &[DatumRef<'_>]) -> Result<Option<i32>> {
    Ok(nulls(cx, args)?.map(|n| n.0))
}
#[builtin("pg_num_nonnulls", raw)]
fn pg_num_nonnulls(cx: &mut FnCx<'_>, args: &[DatumRef<'_>]) -> Result<Option<i32>> {
    Ok(nulls(cx, args)?.map(|n| n.1))
}

fn no_value(verb: &str, name: &str) -> base::PgError {
    let text = format!("cannot {verb} a value of type {name}");
    base::PgError::new(base::sqlstate::FEATURE_NOT_SUPPORTED, text)
}
#[builtin("any_in")]
fn any_in(_v: DatumRef<'_>) -> Result<Datum> {
    Err(no_value("accept", "any"))
}
#[builtin("any_out")]
fn any_out(_v: DatumRef<'_>) -> Result<Datum> {
    Err(no_value("display", "any"))
}
#[builtin("anyarray_in")]
fn anyarray_in(_v: DatumRef<'_>) -> Result<Datum> {
    Err(no_value("accept", "anyarray"))
}
#[builtin("anyelement_in")]
fn anyelement_in(_v: DatumRef<'_>) -> Result<Datum> {
    Err(no_value("accept", "anyelement"))
}
#[builtin("anyelement_out")]
fn anyelement_out(_v: DatumRef<'_>) -> Result<Datum> {
    Err(no_value("display", "anyelement"))
}
#[builtin("anynonarray_in")]
fn anynonarray_in(_v: DatumRef<'_>) -> Result<Datum> {
    Err(no_value("accept", "anynonarray"))
}
#[builtin("anynonarray_out")]
fn anynonarray_out(_v: DatumRef<'_>) -> Result<Datum> {
    Err(no_value("display", "anynonarray"))
}
#[builtin("anyenum_in")]
fn anyenum_in(_v: DatumRef<'_>) -> Result<Datum> {
    Err(no_value("accept", "anyenum"))
}
#[builtin("anyrange_in")]
fn anyrange_in(_v: DatumRef<'_>) -> Result<Datum> {
    Err(no_value("accept", "anyrange"))
}
#[builtin("anymultirange_in")]
fn anymultirange_in(_v: DatumRef<'_>) -> Result<Datum> {
    Err(no_value("accept", "anymultirange"))
}
#[builtin("anycompatible_in")]
fn anycompatible_in(_v: DatumRef<'_>) -> Result<Datum> {
    Err(no_value("accept", "anycompatible"))
}
#[builtin("anycompatible_out")]
fn anycompatible_out(_v: DatumRef<'_>) -> Result<Datum> {
    Err(no_value("display", "anycompatible"))
}
#[builtin("anycompatiblearray_in")]
fn anycompatiblearray_in(_v: DatumRef<'_>) -> Result<Datum> {
    Err(no_value("accept", "anycompatiblearray"))
}
#[builtin("anycompatiblenonarray_in")]
fn anycompatiblenonarray_in(_v: DatumRef<'_>) -> Result<Datum> {
    Err(no_value("accept", "anycompatiblenonarray"))
}
#[builtin("anycompatiblenonarray_out")]
fn anycompatiblenonarray_out(_v: DatumRef<'_>) -> Result<Datum> {
    Err(no_value("display", "anycompatiblenonarray"))
}
#[builtin("anycompatiblerange_in")]
fn anycompatiblerange_in(_v: DatumRef<'_>) -> Result<Datum> {
    Err(no_value("accept", "anycompatiblerange"))
}
#[builtin("anycompatiblemultirange_in")]
fn anycompatiblemultirange_in(_v: DatumRef<'_>) -> Result<Datum> {
    Err(no_value("accept", "anycompatiblemultirange"))
}
#[builtin("trigger_in")]
fn trigger_in(_v: DatumRef<'_>) -> Result<Datum> {
    Err(no_value("accept", "trigger"))
}
#[builtin("trigger_out")]
fn trigger_out(_v: DatumRef<'_>) -> Result<Datum> {
    Err(no_value("display", "trigger"))
}
#[builtin("event_trigger_in")]
fn event_trigger_in(_v: DatumRef<'_>) -> Result<Datum> {
    Err(no_value("accept", "event_trigger"))
}
#[builtin("event_trigger_out")]
fn event_trigger_out(_v: DatumRef<'_>) -> Result<Datum> {
    Err(no_value("display", "event_trigger"))
}
#[builtin("internal_in")]
fn internal_in(_v: DatumRef<'_>) -> Result<Datum> {
    Err(no_value("accept", "internal"))
}
#[builtin("internal_out")]
fn internal_out(_v: DatumRef<'_>) -> Result<Datum> {
    Err(no_value("display", "internal"))
}
#[builtin("shell_in")]
fn shell_in(_text: DatumRef<'_>) -> Result<Datum> {
    Err(base::PgError::new(base::sqlstate::FEATURE_NOT_SUPPORTED, "cannot accept a value of a shell type"))
}
#[builtin("shell_out")]
fn shell_out(_v: DatumRef<'_>) -> Result<Datum> {
    Err(base::PgError::new(base::sqlstate::FEATURE_NOT_SUPPORTED, "cannot display a value of a shell type"))
}
#[builtin("pg_node_tree_in")]
fn pg_node_tree_in(_v: DatumRef<'_>) -> Result<Datum> {
    Err(no_value("accept", "pg_node_tree"))
}
#[builtin("pg_ndistinct_in")]
fn pg_ndistinct_in(_v: DatumRef<'_>) -> Result<Datum> {
    Err(no_value("accept", "pg_ndistinct"))
}
#[builtin("pg_dependencies_in")]
fn pg_dependencies_in(_v: DatumRef<'_>) -> Result<Datum> {
    Err(no_value("accept", "pg_dependencies"))
}
#[builtin("pg_mcv_list_in")]
fn pg_mcv_list_in(_v: DatumRef<'_>) -> Result<Datum> {
    Err(no_value("accept", "pg_mcv_list"))
}
#[builtin("pg_ddl_command_in")]
fn pg_ddl_command_in(_v: DatumRef<'_>) -> Result<Datum> {
    Err(no_value("accept", "pg_ddl_command"))
}
#[builtin("pg_ddl_command_out")]
fn pg_ddl_command_out(_v: DatumRef<'_>) -> Result<Datum> {
    Err(no_value("display", "pg_ddl_command"))
}
