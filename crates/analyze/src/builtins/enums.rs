//! Enum types: labels in and out, order, first and last. Values are OIDs of `pg_enum`; those made with the type are even and
//! in order, so that most comparisons need no look-up.
//!
//! PostgreSQL: `utils/adt/enum.c`.

use std::cmp::Ordering;
use std::sync::Arc;

use base::sqlstate::*;
use base::{Oid, PgError, Result};
use catalog::Catalog;
use types::array::{self, ElementType};
use types::{Datum, DatumRef, FnCx, builtin};

use super::regtypes::catalog_of;
use crate::lookup::format_type;

fn by_label(cx: &mut FnCx<'_>, label: &str, enum_type: Oid) -> Result<Oid> {
    let c = catalog_of(cx)?;
    let found = if label.len() < base::NAMEDATALEN { c.enum_by_label(enum_type, label)? } else { None };
    match found {
        Some(e) => Ok(e.oid),
        None => {
            let text = format!("invalid input value for enum {}: \"{label}\"", format_type(&c, enum_type)?);
            Err(PgError::new(INVALID_TEXT_REPRESENTATION, text))
        }
    }
}
#[builtin("enum_in")]
fn enum_in(cx: &mut FnCx<'_>, label: &str, enum_type: Oid) -> Result<Oid> {
    by_label(cx, label, enum_type)
}
#[builtin("enum_recv")]
fn enum_recv(cx: &mut FnCx<'_>, label: &str, enum_type: Oid) -> Result<Oid> {
    by_label(cx, label, enum_type)
}
fn unknown_value(v: Oid) -> PgError {
    PgError::new(INVALID_BINARY_REPRESENTATION, format!("invalid internal value for enum: {}", v.0))
}
fn label_of(cx: &mut FnCx<'_>, v: Oid) -> Result<String> {
    let e = catalog_of(cx)?.enum_by_oid(v)?.ok_or_else(|| unknown_value(v))?;
    Ok(e.enumlabel.clone())
}
#[builtin("enum_out")]
fn enum_out(cx: &mut FnCx<'_>, v: Oid) -> Result<String> {
    label_of(cx, v)
}
#[builtin("enum_send")]
fn enum_send(cx: &mut FnCx<'_>, v: Oid) -> Result<Vec<u8>> {
    label_of(cx, v).map(String::into_bytes)
}

fn compare(cx: &mut FnCx<'_>, a: Oid, b: Oid) -> Result<Ordering> {
    if a == b || a.0 % 2 == 0 && b.0 % 2 == 0 {
        return Ok(a.cmp(&b));
    }
    let c = catalog_of(cx)?;
    let place = |v: Oid| -> Result<f32> { Ok(c.enum_by_oid(v)?.ok_or_else(|| unknown_value(v))?.enumsortorder) };
    Ok(place(a)?.total_cmp(&place(b)?))
}
#[builtin("enum_cmp")]
fn enum_cmp(cx: &mut FnCx<'_>, a: Oid, b: Oid) -> Result<i32> {
    Ok(compare(cx, a, b)? as i32)
}
#[builtin("enum_eq")]
fn enum_eq(a: Oid, b: Oid) -> bool {
    a == b
}
#[builtin("enum_ne")]
fn enum_ne(a: Oid, b: Oid) -> bool {
    a != b
}
#[builtin("enum_lt")]
fn enum_lt(cx: &mut FnCx<'_>, a: Oid, b: Oid) -> Result<bool> {
    Ok(compare(cx, a, b)?.is_lt())
}
#[builtin("enum_le")]
fn enum_le(cx: &mut FnCx<'_>, a: Oid, b: Oid) -> Result<bool> {
    Ok(compare(cx, a, b)?.is_le())
}
#[builtin("enum_gt")]
fn enum_gt(cx: &mut FnCx<'_>, a: Oid, b: Oid) -> Result<bool> {
    Ok(compare(cx, a, b)?.is_gt())
}
#[builtin("enum_ge")]
fn enum_ge(cx: &mut FnCx<'_>, a: Oid, b: Oid) -> Result<bool> {
    Ok(compare(cx, a, b)?.is_ge())
}
#[builtin("enum_larger")]
fn enum_larger(cx: &mut FnCx<'_>, a: Oid, b: Oid) -> Result<Oid> {
    Ok(if compare(cx, a, b)?.is_ge() { a } else { b })
}
#[builtin("enum_smaller")]
fn enum_smaller(cx: &mut FnCx<'_>, a: Oid, b: Oid) -> Result<Oid> {
    Ok(if compare(cx, a, b)?.is_le() { a } else { b })
}

/// The call's enum type with its labels; the argument's value does not matter.
fn labels(cx: &mut FnCx<'_>) -> Result<(Catalog, Oid, Arc<Vec<catalog::PgEnum>>)> {
    let unknown = || PgError::new(FEATURE_NOT_SUPPORTED, "could not determine actual enum type");
    let t = cx.call.arg_types.first().copied().filter(|t| t.0 != 0).ok_or_else(unknown)?;
    let c = catalog_of(cx)?;
    let list = c.enum_labels(t)?;
    Ok((c, t, list))
}
fn end(cx: &mut FnCx<'_>, last: bool) -> Result<Oid> {
    let (c, t, list) = labels(cx)?;
    match if last { list.last() } else { list.first() } {
        Some(e) => Ok(e.oid),
        None => {
            let text = format!("enum {} contains no values", format_type(&c, t)?);
            Err(PgError::new(OBJECT_NOT_IN_PREREQUISITE_STATE, text))
        }
    }
}
#[builtin("enum_first")]
fn enum_first(cx: &mut FnCx<'_>, _any: Option<Oid>) -> Result<Oid> {
    end(cx, false)
}
#[builtin("enum_last")]
fn enum_last(cx: &mut FnCx<'_>, _any: Option<Oid>) -> Result<Oid> {
    end(cx, true)
}
/// The labels between two, either of which may be missing.
fn range(cx: &mut FnCx<'_>, from: Option<Oid>, to: Option<Oid>) -> Result<Datum> {
    let (_, t, list) = labels(cx)?;
    let start = from.map_or(Some(0), |f| list.iter().position(|e| e.oid == f)).unwrap_or(list.len());
    let stop =
        to.map_or(Some(list.len()), |t| list.iter().position(|e| e.oid == t).map(|i| i + 1)).unwrap_or(list.len());
    let values: Vec<Datum> = list.get(start..stop).unwrap_or(&[]).iter().map(|e| Datum::oid(e.oid)).collect();
    let refs: Vec<DatumRef<'_>> = values.iter().map(Datum::as_ref).collect();
    array::build_vector(&ElementType::of(&*cx.rt.type_info(t)?), &refs)
}
#[builtin("enum_range_all")]
fn enum_range_all(cx: &mut FnCx<'_>, _any: Option<Oid>) -> Result<Datum> {
    range(cx, None, None)
}
#[builtin("enum_range_bounds")]
fn enum_range_bounds(cx: &mut FnCx<'_>, from: Option<Oid>, to: Option<Oid>) -> Result<Datum> {
    range(cx, from, to)
}
