//! `record` and composite types: input, output, comparison, hashing.

use std::cmp::Ordering;
use std::sync::Arc;

use base::sqlstate::*;
use base::{Oid, PgError, Result};
use types::{Datum, DatumRef, FnCx, TupleDesc, builtin, record};

use crate::array_sql::Compare;
use crate::err::error;
use crate::int::is_space;
use crate::wire::Reader;

fn open<'a>(cx: &mut FnCx<'_>, b: &'a [u8]) -> Result<(Arc<TupleDesc>, Vec<DatumRef<'a>>)> {
    let (oid, typmod) = record::type_of(b)?;
    let desc = cx.rt.row_type(oid, typmod)?;
    let values = record::open(b, &desc)?;
    Ok((desc, values))
}

#[builtin("record_out", write)]
fn record_out(cx: &mut FnCx<'_>, b: &[u8], out: &mut Vec<u8>) -> Result<()> {
    let (desc, values) = open(cx, b)?;
    out.push(b'(');
    let (mut first, mut text) = (true, Vec::new());
    for (a, v) in desc.attrs.iter().zip(values) {
        if a.dropped {
            continue;
        }
        if !first {
            out.push(b',');
        }
        first = false;
        if v.is_null() {
            continue;
        }
        text.clear();
        crate::generic::write_value(cx.rt, a.type_oid, v, &mut text)?;
        let quote = text.is_empty()
            || text.iter().any(|&c| matches!(c, b'"' | b'\\' | b'(' | b')' | b',') || is_space(char::from(c)));
        if !quote {
            out.extend_from_slice(&text);
            continue;
        }
        out.push(b'"');
        for &c in &text {
            if matches!(c, b'"' | b'\\') {
                out.push(c);
            }
            out.push(c);
        }
        out.push(b'"');
    }
    out.push(b')');
    Ok(())
}

#[builtin("record_in")]
fn record_in(cx: &mut FnCx<'_>, s: &str, oid: Oid, typmod: i32) -> Result<Datum> {
    if oid == types::oid::RECORDOID && typmod < 0 {
        return Err(error(FEATURE_NOT_SUPPORTED, "input of anonymous composite types is not implemented"));
    }
    let desc = cx.rt.row_type(oid, typmod)?;
    let bad =
        |detail: &str| error(INVALID_TEXT_REPRESENTATION, format!("malformed record literal: \"{s}\"")).detail(detail);
    let Some(mut rest) = s.trim_start_matches(is_space).strip_prefix('(') else {
        return Err(bad("Missing left parenthesis."));
    };
    let mut values = Vec::new();
    let mut first = true;
    for a in &desc.attrs {
        if a.dropped {
            values.push(Datum::Null);
            continue;
        }
        if !first {
            rest = rest.strip_prefix(',').ok_or_else(|| bad("Too few columns."))?;
        }
        first = false;
        if rest.starts_with([',', ')']) {
            values.push(Datum::Null);
            continue;
        }
        let (mut text, mut quoted) = (String::new(), false);
        loop {
            let Some(c) = rest.chars().next() else { return Err(bad("Unexpected end of input.")) };
            if !quoted && matches!(c, ',' | ')') {
                break;
            }
            rest = &rest[c.len_utf8()..];
            match c {
                '\\' => {
                    let Some(c) = rest.chars().next() else { return Err(bad("Unexpected end of input.")) };
                    text.push(c);
                    rest = &rest[c.len_utf8()..];
                }
                '"' if quoted && rest.starts_with('"') => {
                    text.push('"');
                    rest = &rest[1..];
                }
                '"' => quoted = !quoted,
                c => text.push(c),
            }
        }
        values.push(crate::generic::from_text(cx.rt, a.type_oid, a.typmod, &text)?);
    }
    let rest = rest.strip_prefix(')').ok_or_else(|| bad("Too many columns."))?;
    if !rest.trim_start_matches(is_space).is_empty() {
        return Err(bad("Junk after right parenthesis."));
    }
    let refs: Vec<DatumRef<'_>> = values.iter().map(Datum::as_ref).collect();
    record::build(&desc, &refs)
}
#[builtin("record_send")]
fn record_send(cx: &mut FnCx<'_>, b: &[u8]) -> Result<Vec<u8>> {
    let (desc, values) = open(cx, b)?;
    let live = desc.attrs.iter().zip(values).filter(|(a, _)| !a.dropped);
    let mut out = (live.clone().count() as i32).to_be_bytes().to_vec();
    for (a, v) in live {
        out.extend_from_slice(&a.type_oid.0.to_be_bytes());
        if v.is_null() {
            out.extend_from_slice(&(-1i32).to_be_bytes());
            continue;
        }
        let info = cx.rt.type_info(a.type_oid)?;
        let sent = cx.rt.call(info.send, Oid::INVALID, &[v])?;
        let sent = sent.as_ref().as_bytes();
        out.extend_from_slice(&(sent.len() as i32).to_be_bytes());
        out.extend_from_slice(sent);
    }
    Ok(out)
}
#[builtin("record_recv")]
fn record_recv(cx: &mut FnCx<'_>, b: &[u8], oid: Oid, typmod: i32) -> Result<Datum> {
    if oid == types::oid::RECORDOID && typmod < 0 {
        return Err(error(FEATURE_NOT_SUPPORTED, "input of anonymous composite types is not implemented"));
    }
    let desc = cx.rt.row_type(oid, typmod)?;
    let mut r = Reader::new(b);
    let (count, live) = (r.i32()?, desc.attrs.iter().filter(|a| !a.dropped).count());
    if count as usize != live {
        return Err(error(DATATYPE_MISMATCH, format!("wrong number of columns: {count}, expected {live}")));
    }
    let mut values = Vec::new();
    for a in &desc.attrs {
        if a.dropped {
            values.push(Datum::Null);
            continue;
        }
        let got = r.i32()? as u32;
        if got != a.type_oid.0 {
            let text = format!(
                "binary data has type {got} instead of expected {} in record column {}",
                a.type_oid,
                values.len() + 1
            );
            return Err(error(DATATYPE_MISMATCH, text));
        }
        let Ok(len) = usize::try_from(r.i32()?) else {
            values.push(Datum::Null);
            continue;
        };
        let info = cx.rt.type_info(a.type_oid)?;
        let (param, typmod) = (Datum::oid(info.ioparam), Datum::i32(a.typmod));
        let args = [DatumRef::Bytes(r.take(len)?), param.as_ref(), typmod.as_ref()];
        values.push(cx.rt.call(info.receive, Oid::INVALID, &args)?);
    }
    r.end()?;
    let refs: Vec<DatumRef<'_>> = values.iter().map(Datum::as_ref).collect();
    record::build(&desc, &refs)
}

/// (PostgreSQL: `record_cmp`)
fn compare(cx: &mut FnCx<'_>, a: &[u8], b: &[u8]) -> Result<Ordering> {
    let ((da, va), (db, vb)) = (open(cx, a)?, open(cx, b)?);
    let mut left = da.attrs.iter().zip(va).filter(|(a, _)| !a.dropped);
    let mut right = db.attrs.iter().zip(vb).filter(|(a, _)| !a.dropped);
    let mut n = 0;
    loop {
        let ((ta, x), (tb, y)) = match (left.next(), right.next()) {
            (None, None) => return Ok(Ordering::Equal),
            (Some(p), Some(q)) => (p, q),
            _ => return Err(error(DATATYPE_MISMATCH, "cannot compare record types with different numbers of columns")),
        };
        n += 1;
        if ta.type_oid != tb.type_oid {
            let (p, q) = (cx.rt.type_info(ta.type_oid)?, cx.rt.type_info(tb.type_oid)?);
            let (p, q) = (shown_type(&p.name), shown_type(&q.name));
            let text = format!("cannot compare dissimilar column types {p} and {q} at record column {n}");
            return Err(error(DATATYPE_MISMATCH, text));
        }
        let order = match (x.is_null(), y.is_null()) {
            (true, true) => continue,
            (true, false) => Ordering::Greater,
            (false, true) => Ordering::Less,
            _ => {
                let info = cx.rt.type_info(ta.type_oid)?;
                let c = Compare::of(cx.rt, &info, ta.collation)?;
                c.compare(cx.rt, x, y)?
            }
        };
        if order.is_ne() {
            return Ok(order);
        }
    }
}
#[builtin("record_eq")]
fn record_eq(cx: &mut FnCx<'_>, a: &[u8], b: &[u8]) -> Result<bool> {
    compare(cx, a, b).map(Ordering::is_eq)
}
#[builtin("record_ne")]
fn record_ne(cx: &mut FnCx<'_>, a: &[u8], b: &[u8]) -> Result<bool> {
    compare(cx, a, b).map(Ordering::is_ne)
}
#[builtin("record_lt")]
fn record_lt(cx: &mut FnCx<'_>, a: &[u8], b: &[u8]) -> Result<bool> {
    compare(cx, a, b).map(Ordering::is_lt)
}
#[builtin("record_le")]
fn record_le(cx: &mut FnCx<'_>, a: &[u8], b: &[u8]) -> Result<bool> {
    compare(cx, a, b).map(Ordering::is_le)
}
#[builtin("record_gt")]
fn record_gt(cx: &mut FnCx<'_>, a: &[u8], b: &[u8]) -> Result<bool> {
    compare(cx, a, b).map(Ordering::is_gt)
}
#[builtin("record_ge")]
fn record_ge(cx: &mut FnCx<'_>, a: &[u8], b: &[u8]) -> Result<bool> {
    compare(cx, a, b).map(Ordering::is_ge)
}
#[builtin("btrecordcmp")]
fn btrecordcmp(cx: &mut FnCx<'_>, a: &[u8], b: &[u8]) -> Result<i32> {
    compare(cx, a, b).map(|o| o as i32)
}
#[builtin("record_larger")]
fn record_larger(cx: &mut FnCx<'_>, a: &[u8], b: &[u8]) -> Result<Vec<u8>> {
    Ok(if compare(cx, a, b)?.is_gt() { a } else { b }.to_vec())
}
#[builtin("record_smaller")]
fn record_smaller(cx: &mut FnCx<'_>, a: &[u8], b: &[u8]) -> Result<Vec<u8>> {
    Ok(if compare(cx, a, b)?.is_lt() { a } else { b }.to_vec())
}
#[builtin("hash_record")]
fn hash_record(cx: &mut FnCx<'_>, b: &[u8]) -> Result<i32> {
    let (desc, values) = open(cx, b)?;
    let mut h = 0u32;
    for (a, v) in desc.attrs.iter().zip(values).filter(|(a, _)| !a.dropped) {
        let info = cx.rt.type_info(a.type_oid)?;
        let one = match v {
            DatumRef::Null => 0,
            v if info.hash_proc.is_valid() => cx.rt.call(info.hash_proc, a.collation, &[v])?.as_ref().word() as u32,
            _ => return Err(missing(&info.name)),
        };
        h = h.wrapping_shl(5).wrapping_sub(h).wrapping_add(one);
    }
    Ok(h as i32)
}
fn missing(name: &str) -> PgError {
    error(UNDEFINED_FUNCTION, format!("could not identify a hash function for type {name}"))
}
#[builtin("hash_record_extended")]
fn hash_record_extended(cx: &mut FnCx<'_>, b: &[u8], seed: i64) -> Result<i64> {
    let (desc, values) = open(cx, b)?;
    let (mut h, seed) = (0u64, Datum::i64(seed));
    for (a, v) in desc.attrs.iter().zip(values).filter(|(a, _)| !a.dropped) {
        let info = cx.rt.type_info(a.type_oid)?;
        let one = match v {
            DatumRef::Null => 0,
            v if info.hash_extended_proc.is_valid() => {
                cx.rt.call(info.hash_extended_proc, a.collation, &[v, seed.as_ref()])?.as_ref().word()
            }
            _ => return Err(missing(&info.name)),
        };
        h = h.wrapping_shl(5).wrapping_sub(h).wrapping_add(one);
    }
    Ok(h as i64)
}

// Comparison of the stored bytes: whether two rows are identical. (PostgreSQL: `record_image_cmp`)

fn compare_images(cx: &mut FnCx<'_>, a: &[u8], b: &[u8]) -> Result<Ordering> {
    let ((da, va), (db, vb)) = (open(cx, a)?, open(cx, b)?);
    let mut left = da.attrs.iter().zip(va).filter(|(a, _)| !a.dropped);
    let mut right = db.attrs.iter().zip(vb).filter(|(a, _)| !a.dropped);
    let mut n = 0;
    let mut order = Ordering::Equal;
    loop {
        let ((ta, x), (tb, y)) = match (left.next(), right.next()) {
            (None, None) => return Ok(order),
            (Some(p), Some(q)) => (p, q),
            // Rows of different length differ once all else is the same.
            _ if order.is_ne() => return Ok(order),
            _ => return Err(error(DATATYPE_MISMATCH, "cannot compare record types with different numbers of columns")),
        };
        n += 1;
        if ta.type_oid != tb.type_oid {
            let (p, q) = (cx.rt.type_info(ta.type_oid)?, cx.rt.type_info(tb.type_oid)?);
            let (p, q) = (shown_type(&p.name), shown_type(&q.name));
            let text = format!("cannot compare dissimilar column types {p} and {q} at record column {n}");
            return Err(error(DATATYPE_MISMATCH, text));
        }
        if order.is_ne() {
            continue;
        }
        order = match (x, y) {
            (DatumRef::Null, DatumRef::Null) => Ordering::Equal,
            (DatumRef::Null, _) => Ordering::Greater,
            (_, DatumRef::Null) => Ordering::Less,
            (DatumRef::Word(p), DatumRef::Word(q)) => {
                let width = ta.len.clamp(1, 8) as u32 * 8;
                let mask = if width == 64 { u64::MAX } else { (1 << width) - 1 };
                (p & mask).cmp(&(q & mask))
            }
            (x, y) => {
                let plain = |cx: &mut FnCx<'_>, d: DatumRef<'_>| match d {
                    DatumRef::Toasted(t) => cx.rt.detoast(t),
                    d => Ok(d.as_bytes().to_vec()),
                };
                let (p, q) = (plain(cx, x)?, plain(cx, y)?);
                let shared = p.len().min(q.len());
                p[..shared].cmp(&q[..shared]).then(p.len().cmp(&q.len()))
            }
        };
    }
}
#[builtin("record_image_eq")]
fn record_image_eq(cx: &mut FnCx<'_>, a: &[u8], b: &[u8]) -> Result<bool> {
    compare_images(cx, a, b).map(Ordering::is_eq)
}
#[builtin("record_image_ne")]
fn record_image_ne(cx: &mut FnCx<'_>, a: &[u8], b: &[u8]) -> Result<bool> {
    compare_images(cx, a, b).map(Ordering::is_ne)
}
#[builtin("record_image_lt")]
fn record_image_lt(cx: &mut FnCx<'_>, a: &[u8], b: &[u8]) -> Result<bool> {
    compare_images(cx, a, b).map(Ordering::is_lt)
}
#[builtin("record_image_le")]
fn record_image_le(cx: &mut FnCx<'_>, a: &[u8], b: &[u8]) -> Result<bool> {
    compare_images(cx, a, b).map(Ordering::is_le)
}
#[builtin("record_image_gt")]
fn record_image_gt(cx: &mut FnCx<'_>, a: &[u8], b: &[u8]) -> Result<bool> {
    compare_images(cx, a, b).map(Ordering::is_gt)
}
#[builtin("record_image_ge")]
fn record_image_ge(cx: &mut FnCx<'_>, a: &[u8], b: &[u8]) -> Result<bool> {
    compare_images(cx, a, b).map(Ordering::is_ge)
}
#[builtin("btrecordimagecmp")]
fn btrecordimagecmp(cx: &mut FnCx<'_>, a: &[u8], b: &[u8]) -> Result<i32> {
    compare_images(cx, a, b).map(|o| o as i32)
}
/// The commonest types by the names that SQL gives them.
fn shown_type(name: &str) -> &str {
    match name {
        "int4" => "integer",
        "int8" => "bigint",
        "int2" => "smallint",
        "float4" => "real",
        "float8" => "double precision",
        "bool" => "boolean",
        "varchar" => "character varying",
        "bpchar" => "character",
        "timestamptz" => "timestamp with time zone",
        "timestamp" => "timestamp without time zone",
        n => n,
    }
}
