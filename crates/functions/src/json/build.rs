//! SQL values as JSON: to_json, row_to_json, json_build_object and their `jsonb` twins. (PostgreSQL: `datum_to_json`)

use base::{Oid, Result};
use types::oid::*;
use types::{Datum, DatumRef, FnCx, Runtime, builtin, record};

use super::{Json, binary, parse, write_string};
use crate::array_sql::Parts;
use crate::err::{error, invalid_parameter};

/// Appends a value as JSON text.
pub fn write(rt: &mut dyn Runtime, type_oid: Oid, v: DatumRef<'_>, out: &mut Vec<u8>) -> Result<()> {
    let opened;
    let v = match v {
        DatumRef::Toasted(t) => {
            opened = rt.detoast(t)?;
            DatumRef::Bytes(&opened)
        }
        v => v,
    };
    if v.is_null() {
        out.extend_from_slice(b"null");
        return Ok(());
    }
    match type_oid {
        BOOLOID => out.extend_from_slice(if v.word() & 1 != 0 { b"true" } else { b"false" }),
        INT2OID | INT4OID | INT8OID | FLOAT4OID | FLOAT8OID | NUMERICOID => {
            let at = out.len();
            crate::generic::write_value(rt, type_oid, v, out)?;
            // What is not a JSON number (NaN, infinities) becomes a string.
            if out[at..].iter().any(|c| matches!(c, b'N' | b'I')) {
                let text = String::from_utf8_lossy(&out[at..]).into_owned();
                out.truncate(at);
                write_string(&text, out);
            }
        }
        JSONOID => out.extend_from_slice(v.as_bytes()),
        JSONBOID => binary::decode(v.as_bytes())?.write(None, out),
        DATEOID | TIMESTAMPOID | TIMESTAMPTZOID => {
            use super::path::datetime::{Datetime, Kind};
            let value = v.word() as i64;
            let (kind, offset) = match type_oid {
                DATEOID => (Kind::Date, 0),
                TIMESTAMPOID => (Kind::Timestamp, 0),
                _ if crate::datetime::is_infinite(value) => (Kind::Timestamp, 0),
                _ => {
                    let zone = crate::datetime::zone::Zone::session(&rt.settings().time_zone);
                    (Kind::TimestampTz, i64::from(zone.offset_at(value)))
                }
            };
            write_string(&Datetime { kind, value, offset }.to_text(), out);
        }
        _ => {
            let info = rt.type_info(type_oid)?;
            if info.len == -1 && info.elem.is_valid() {
                let p = Parts::open(rt, v.as_bytes())?;
                return dimension(rt, &p, 0, &mut 0, false, out);
            }
            if info.typtype == b'c' || type_oid == RECORDOID {
                return row(rt, v.as_bytes(), false, out);
            }
            let text = crate::generic::text_of(rt, type_oid, v)?;
            write_string(&text, out);
        }
    }
    Ok(())
}
fn dimension(
    rt: &mut dyn Runtime,
    p: &Parts,
    d: usize,
    next: &mut usize,
    pretty: bool,
    out: &mut Vec<u8>,
) -> Result<()> {
    out.push(b'[');
    for i in 0..p.dims.get(d).copied().unwrap_or(0) {
        if i > 0 {
            out.extend_from_slice(if pretty { b",\n " } else { b"," });
        }
        if d + 1 < p.dims.len() {
            dimension(rt, p, d + 1, next, false, out)?;
        } else {
            write(rt, p.elem.oid, p.values[*next].as_ref(), out)?;
            *next += 1;
        }
    }
    out.push(b']');
    Ok(())
}
fn row(rt: &mut dyn Runtime, b: &[u8], pretty: bool, out: &mut Vec<u8>) -> Result<()> {
    let (oid, typmod) = record::type_of(b)?;
    let desc = rt.row_type(oid, typmod)?;
    let values = record::open(b, &desc)?;
    out.push(b'{');
    let mut first = true;
    for (a, v) in desc.attrs.iter().zip(values).filter(|(a, _)| !a.dropped) {
        if !first {
            out.extend_from_slice(if pretty { b",\n " } else { b"," });
        }
        first = false;
        write_string(&a.name, out);
        out.push(b':');
        write(rt, a.type_oid, v, out)?;
    }
    out.push(b'}');
    Ok(())
}
fn text(rt: &mut dyn Runtime, t: Oid, v: DatumRef<'_>) -> Result<Vec<u8>> {
    let mut out = Vec::new();
    write(rt, t, v, &mut out)?;
    Ok(out)
}
/// A value as `jsonb` sees it.
pub fn value(rt: &mut dyn Runtime, t: Oid, v: DatumRef<'_>) -> Result<Json> {
    let out = text(rt, t, v)?;
    let s = String::from_utf8(out).unwrap_or_default();
    parse(&s, true)?.to_json(&s)
}
fn arg_type(cx: &FnCx<'_>) -> Oid {
    cx.call.arg_types.first().copied().unwrap_or(UNKNOWNOID)
}
#[builtin("to_json", "array_to_json")]
fn to_json(cx: &mut FnCx<'_>, v: DatumRef<'_>) -> Result<Option<Vec<u8>>> {
    let t = arg_type(cx);
    if v.is_null() { Ok(None) } else { text(cx.rt, t, v).map(Some) }
}
#[builtin("array_to_json_pretty")]
fn array_to_json_pretty(cx: &mut FnCx<'_>, b: &[u8], pretty: bool) -> Result<Vec<u8>> {
    let p = Parts::open(cx.rt, b)?;
    let mut out = Vec::new();
    dimension(cx.rt, &p, 0, &mut 0, pretty, &mut out)?;
    Ok(out)
}
#[builtin("to_jsonb")]
fn to_jsonb(cx: &mut FnCx<'_>, v: DatumRef<'_>) -> Result<Option<Vec<u8>>> {
    let t = arg_type(cx);
    if v.is_null() { Ok(None) } else { Ok(Some(binary::encode(&value(cx.rt, t, v)?))) }
}
#[builtin("row_to_json")]
fn row_to_json(cx: &mut FnCx<'_>, b: &[u8]) -> Result<Vec<u8>> {
    let mut out = Vec::new();
    row(cx.rt, b, false, &mut out)?;
    Ok(out)
}
#[builtin("row_to_json_pretty")]
fn row_to_json_pretty(cx: &mut FnCx<'_>, b: &[u8], pretty: bool) -> Result<Vec<u8>> {
    let mut out = Vec::new();
    row(cx.rt, b, pretty, &mut out)?;
    Ok(out)
}
/// An object's key: the value's text.
pub fn key(rt: &mut dyn Runtime, t: Oid, v: DatumRef<'_>) -> Result<String> {
    let structured = match t {
        JSONOID | JSONBOID | RECORDOID => true,
        _ => {
            let info = rt.type_info(t)?;
            info.typtype == b'c' || info.category == b'A' && info.elem.is_valid()
        }
    };
    if structured {
        return Err(invalid_parameter("key value must be scalar, not array, composite, or json"));
    }
    crate::generic::text_of(rt, t, v)
}
fn pairs(values: &[(Oid, Datum)], hint: &str) -> Result<()> {
    if values.len() % 2 != 0 {
        return Err(invalid_parameter("argument list must have even number of elements")
            .hint(format!("The arguments of {hint} must consist of alternating keys and values.")));
    }
    for (i, pair) in values.chunks(2).enumerate() {
        if pair[0].1.is_null() {
            if hint.starts_with("jsonb") {
                return Err(invalid_parameter(format!("argument {}: key must not be null", 2 * i + 1)));
            }
            return Err(error(base::sqlstate::NULL_VALUE_NOT_ALLOWED, "null value not allowed for object key"));
        }
    }
    Ok(())
}
#[builtin("json_build_object", "json_build_object_noargs", raw)]
fn json_build_object(cx: &mut FnCx<'_>, args: &[DatumRef<'_>]) -> Result<Datum> {
    let Some(values) = crate::generic::variadic(cx, args, 0)? else { return Ok(Datum::Null) };
    pairs(&values, "json_build_object()")?;
    let mut out = vec![b'{'];
    for (i, pair) in values.chunks(2).enumerate() {
        if i > 0 {
            out.extend_from_slice(b", ");
        }
        write_string(&key(cx.rt, pair[0].0, pair[0].1.as_ref())?, &mut out);
        out.extend_from_slice(b" : ");
        write(cx.rt, pair[1].0, pair[1].1.as_ref(), &mut out)?;
    }
    out.push(b'}');
    Ok(Datum::bytes(out))
}
#[builtin("json_build_array", "json_build_array_noargs", raw)]
fn json_build_array(cx: &mut FnCx<'_>, args: &[DatumRef<'_>]) -> Result<Datum> {
    let Some(values) = crate::generic::variadic(cx, args, 0)? else { return Ok(Datum::Null) };
    let mut out = vec![b'['];
    for (i, (t, v)) in values.iter().enumerate() {
        if i > 0 {
            out.extend_from_slice(b", ");
        }
        write(cx.rt, *t, v.as_ref(), &mut out)?;
    }
    out.push(b']');
    Ok(Datum::bytes(out))
}
#[builtin("jsonb_build_object", "jsonb_build_object_noargs", raw)]
fn jsonb_build_object(cx: &mut FnCx<'_>, args: &[DatumRef<'_>]) -> Result<Datum> {
    let Some(values) = crate::generic::variadic(cx, args, 0)? else { return Ok(Datum::Null) };
    pairs(&values, "jsonb_build_object()")?;
    let mut list = Vec::new();
    for pair in values.chunks(2) {
        let k = key(cx.rt, pair[0].0, pair[0].1.as_ref())?;
        list.push((k, value(cx.rt, pair[1].0, pair[1].1.as_ref())?));
    }
    Ok(Datum::bytes(binary::encode(&Json::Object(list))))
}
#[builtin("jsonb_build_array", "jsonb_build_array_noargs", raw)]
fn jsonb_build_array(cx: &mut FnCx<'_>, args: &[DatumRef<'_>]) -> Result<Datum> {
    let Some(values) = crate::generic::variadic(cx, args, 0)? else { return Ok(Datum::Null) };
    let list = values.iter().map(|(t, v)| value(cx.rt, *t, v.as_ref())).collect::<Result<_>>()?;
    Ok(Datum::bytes(binary::encode(&Json::Array(list))))
}
