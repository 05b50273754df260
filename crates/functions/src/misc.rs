//! What belongs to no type: version, pg_typeof, sizes, input checks.

use base::{Oid, Result};
use types::oid::UNKNOWNOID;
use types::{Datum, DatumRef, FnCx, builtin};

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
