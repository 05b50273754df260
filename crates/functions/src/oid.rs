//! `oid`, `xid`, `xid8`, `cid`, `tid`, `pg_lsn`, and the vectors `oidvector` and `int2vector`.

use std::cmp::Ordering;

use base::sqlstate::NUMERIC_VALUE_OUT_OF_RANGE;
use base::{CommandId, FullXid, Lsn, Oid, Result, TupleId, Xid};
use types::{Builtin, builtin};

use crate::err::{error, invalid_input, out_of_range, value_out_of_range};
use crate::hash::{fold_i64, hash_bytes, hash_bytes_extended, hash_u32, hash_u32_extended};
use crate::int::{is_space, write_i64};
use crate::wire::whole;

/// As C's `strtoul` with base 0 reads it: sign, blanks, hexadecimal and octal prefixes; the rest is left over.
fn strtoul(s: &str) -> Option<(Option<u64>, bool, &str)> {
    let t = s.trim_start_matches(is_space);
    let (negative, t) = match t.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, t.strip_prefix('+').unwrap_or(t)),
    };
    let hex = t
        .strip_prefix("0x")
        .or_else(|| t.strip_prefix("0X"))
        .filter(|h| h.starts_with(|c: char| c.is_ascii_hexdigit()));
    let (base, t) = match hex {
        Some(h) => (16, h),
        None if t.starts_with('0') => (8, t),
        None => (10, t),
    };
    let end = t.find(|c: char| !c.is_digit(base)).unwrap_or(t.len());
    if end == 0 {
        return None;
    }
    Some((u64::from_str_radix(&t[..end], base).ok(), negative, &t[end..]))
}

fn parse_u32(s: &str, type_name: &str) -> Result<u32> {
    let Some((value, negative, rest)) = strtoul(s) else { return Err(invalid_input(type_name, s)) };
    let Some(v) = value else { return Err(value_out_of_range(type_name, s)) };
    if !rest.trim_start_matches(is_space).is_empty() {
        return Err(invalid_input(type_name, s));
    }
    // A negative number is taken modulo 2^32, if it fits an int4.
    let wide = if negative { -i128::from(v) } else { i128::from(v) };
    match wide {
        w if w > i128::from(u32::MAX) || w < i128::from(i32::MIN) => Err(value_out_of_range(type_name, s)),
        w => Ok(w as u32),
    }
}

/// (PostgreSQL: `oidin`)
pub fn parse_oid(s: &str) -> Result<Oid> {
    parse_u32(s, "oid").map(Oid)
}

#[builtin("oidin")]
fn oidin(s: &str) -> Result<Oid> {
    parse_oid(s)
}
#[builtin("oidout", write)]
fn oidout(v: Oid, out: &mut Vec<u8>) {
    write_i64(v.0.into(), out);
}
#[builtin("oidrecv")]
fn oidrecv(b: &[u8]) -> Result<Oid> {
    whole(b, |r| Ok(Oid(r.i32()? as u32)))
}
#[builtin("oidsend")]
fn oidsend(v: Oid) -> Vec<u8> {
    v.0.to_be_bytes().to_vec()
}
#[builtin("xidin")]
fn xidin(s: &str) -> Result<Xid> {
    parse_u32(s, "xid").map(Xid)
}
#[builtin("xidout", write)]
fn xidout(v: Xid, out: &mut Vec<u8>) {
    write_i64(v.0.into(), out);
}
#[builtin("xidrecv")]
fn xidrecv(b: &[u8]) -> Result<Xid> {
    whole(b, |r| Ok(Xid(r.i32()? as u32)))
}
#[builtin("xidsend")]
fn xidsend(v: Xid) -> Vec<u8> {
    v.0.to_be_bytes().to_vec()
}
#[builtin("cidin")]
fn cidin(s: &str) -> Result<CommandId> {
    parse_u32(s, "cid").map(CommandId)
}
#[builtin("cidout", write)]
fn cidout(v: CommandId, out: &mut Vec<u8>) {
    write_i64(v.0.into(), out);
}
#[builtin("cidrecv")]
fn cidrecv(b: &[u8]) -> Result<CommandId> {
    whole(b, |r| Ok(CommandId(r.i32()? as u32)))
}
#[builtin("cidsend")]
fn cidsend(v: CommandId) -> Vec<u8> {
    v.0.to_be_bytes().to_vec()
}
#[builtin("xid8in")]
fn xid8in(s: &str) -> Result<FullXid> {
    let Some((value, negative, rest)) = strtoul(s) else { return Err(invalid_input("xid8", s)) };
    let Some(v) = value else { return Err(value_out_of_range("xid8", s)) };
    if !rest.trim_start_matches(is_space).is_empty() {
        return Err(invalid_input("xid8", s));
    }
    Ok(FullXid(if negative { v.wrapping_neg() } else { v }))
}
#[builtin("xid8out", write)]
fn xid8out(v: FullXid, out: &mut Vec<u8>) {
    out.extend_from_slice(v.0.to_string().as_bytes());
}
#[builtin("xid8recv")]
fn xid8recv(b: &[u8]) -> Result<FullXid> {
    whole(b, |r| Ok(FullXid(r.i64()? as u64)))
}
#[builtin("xid8send")]
fn xid8send(v: FullXid) -> Vec<u8> {
    v.0.to_be_bytes().to_vec()
}
#[builtin("xid8toxid")]
fn xid8toxid(v: FullXid) -> Xid {
    Xid(v.0 as u32)
}

pub static OID_COMPARE: &[Builtin] =
    &compare_words!(Oid, Oid, |o: Oid| o.0, ["oideq", "oidne", "oidlt", "oidle", "oidgt", "oidge", "btoidcmp"]);
pub static XID8_COMPARE: &[Builtin] = &compare_words!(
    i64,
    i64,
    |v: i64| v as u64,
    ["xid8eq", "xid8ne", "xid8lt", "xid8le", "xid8gt", "xid8ge", "xid8cmp"]
);
pub static LSN_COMPARE: &[Builtin] = &compare_words!(
    i64,
    i64,
    |v: i64| v as u64,
    ["pg_lsn_eq", "pg_lsn_ne", "pg_lsn_lt", "pg_lsn_le", "pg_lsn_gt", "pg_lsn_ge", "pg_lsn_cmp"]
);
pub static OID_MORE: &[Builtin] = &[
    b2!("oidlarger", |a: Oid, b: Oid| -> Oid { Ok(a.max(b)) }),
    b2!("oidsmaller", |a: Oid, b: Oid| -> Oid { Ok(a.min(b)) }),
    b1!("oidtoi8", |a: Oid| -> i64 { Ok(a.0.into()) }),
    b1!("i8tooid", |a: i64| -> Oid { u32::try_from(a).map(Oid).map_err(|_| out_of_range("OID")) }),
    b1!("hashenum", |a: Oid| -> i32 { Ok(hash_u32(a.0)) }),
    b2!("hashenumextended", |a: Oid, s: i64| -> i64 { Ok(hash_u32_extended(a.0, s)) }),
    b1!("hashoid", |a: Oid| -> i32 { Ok(hash_u32(a.0)) }),
    b2!("hashoidextended", |a: Oid, s: i64| -> i64 { Ok(hash_u32_extended(a.0, s)) }),
    b2!("xideq", |a: Xid, b: Xid| -> bool { Ok(a == b) }),
    b2!("xidneq", |a: Xid, b: Xid| -> bool { Ok(a != b) }),
    b1!("hashxid", |a: i32| -> i32 { Ok(hash_u32(a as u32)) }),
    b2!("hashxidextended", |a: i32, s: i64| -> i64 { Ok(hash_u32_extended(a as u32, s)) }),
    b1!("hashcid", |a: i32| -> i32 { Ok(hash_u32(a as u32)) }),
    b2!("hashcidextended", |a: i32, s: i64| -> i64 { Ok(hash_u32_extended(a as u32, s)) }),
    b2!("cideq", |a: i32, b: i32| -> bool { Ok(a == b) }),
    b1!("hashxid8", |a: i64| -> i32 { Ok(hash_u32(fold_i64(a))) }),
    b2!("hashxid8extended", |a: i64, s: i64| -> i64 { Ok(hash_u32_extended(fold_i64(a), s)) }),
    b1!("pg_lsn_hash", |a: i64| -> i32 { Ok(hash_u32(fold_i64(a))) }),
    b2!("pg_lsn_hash_extended", |a: i64, s: i64| -> i64 { Ok(hash_u32_extended(fold_i64(a), s)) }),
    b2!("xid8_larger", |a: i64, b: i64| -> i64 { Ok((a as u64).max(b as u64) as i64) }),
    b2!("xid8_smaller", |a: i64, b: i64| -> i64 { Ok((a as u64).min(b as u64) as i64) }),
    b2!("pg_lsn_larger", |a: i64, b: i64| -> i64 { Ok((a as u64).max(b as u64) as i64) }),
    b2!("pg_lsn_smaller", |a: i64, b: i64| -> i64 { Ok((a as u64).min(b as u64) as i64) }),
];

// Log positions.

/// (PostgreSQL: `pg_lsn_in_safe`)
pub fn parse_lsn(s: &str) -> Option<Lsn> {
    let (hi, lo) = s.split_once('/')?;
    let part = |p: &str| match (1..=8).contains(&p.len()) && p.bytes().all(|c| c.is_ascii_hexdigit()) {
        true => u64::from_str_radix(p, 16).ok(),
        false => None,
    };
    Some(Lsn(part(hi)? << 32 | part(lo)?))
}
#[builtin("pg_lsn_in")]
fn pg_lsn_in(s: &str) -> Result<Lsn> {
    parse_lsn(s).ok_or_else(|| invalid_input("pg_lsn", s))
}
#[builtin("pg_lsn_out", write)]
fn pg_lsn_out(v: Lsn, out: &mut Vec<u8>) {
    out.extend_from_slice(format!("{:X}/{:X}", v.0 >> 32, v.0 as u32).as_bytes());
}
#[builtin("pg_lsn_recv")]
fn pg_lsn_recv(b: &[u8]) -> Result<Lsn> {
    whole(b, |r| Ok(Lsn(r.i64()? as u64)))
}
#[builtin("pg_lsn_send")]
fn pg_lsn_send(v: Lsn) -> Vec<u8> {
    v.0.to_be_bytes().to_vec()
}
#[builtin("pg_lsn_mi")]
fn pg_lsn_mi(cx: &mut types::FnCx<'_>, a: Lsn, b: Lsn) -> Vec<u8> {
    let _ = cx;
    crate::numeric::Numeric::from_i128(i128::from(a.0) - i128::from(b.0)).to_bytes()
}
fn lsn_plus(a: Lsn, n: &[u8], sign: i128) -> Result<Lsn> {
    let n = crate::numeric::Numeric::from_bytes(n)?;
    if n.is_nan() {
        let verb = if sign > 0 { "add NaN to" } else { "subtract NaN from" };
        return Err(crate::err::invalid_parameter(format!("cannot {verb} pg_lsn")));
    }
    let range = || error(NUMERIC_VALUE_OUT_OF_RANGE, "pg_lsn out of range");
    let delta = n.to_i128().ok_or_else(range)?;
    let sum = i128::from(a.0).checked_add(sign * delta).ok_or_else(range)?;
    u64::try_from(sum).map(Lsn).map_err(|_| range())
}
#[builtin("pg_lsn_pli")]
fn pg_lsn_pli(a: Lsn, n: &[u8]) -> Result<Lsn> {
    lsn_plus(a, n, 1)
}
#[builtin("pg_lsn_mii")]
fn pg_lsn_mii(a: Lsn, n: &[u8]) -> Result<Lsn> {
    lsn_plus(a, n, -1)
}
#[builtin("numeric_pg_lsn")]
fn numeric_pg_lsn(n: &[u8]) -> Result<Lsn> {
    let n = crate::numeric::Numeric::from_bytes(n)?;
    if n.is_nan() {
        return Err(error(base::sqlstate::FEATURE_NOT_SUPPORTED, "cannot convert NaN to pg_lsn"));
    }
    if n.is_infinite() {
        return Err(error(base::sqlstate::FEATURE_NOT_SUPPORTED, "cannot convert infinity to pg_lsn"));
    }
    let v = n.to_i128().and_then(|v| u64::try_from(v).ok());
    v.map(Lsn).ok_or_else(|| error(NUMERIC_VALUE_OUT_OF_RANGE, "pg_lsn out of range"))
}

// Tuple ids.

#[builtin("tidin")]
fn tidin(s: &str) -> Result<TupleId> {
    let bad = || invalid_input("tid", s);
    let inner = s.trim_start_matches(is_space).strip_prefix('(').ok_or_else(bad)?;
    let (block, rest) = inner.split_once(',').ok_or_else(bad)?;
    let (offset, _) = rest.split_once(')').ok_or_else(bad)?;
    let number = |t: &str| match strtoul(t) {
        Some((Some(v), negative, "")) => Ok(if negative { -i128::from(v) } else { i128::from(v) }),
        _ => Err(bad()),
    };
    let (block, offset) = (number(block)?, number(offset)?);
    if block > i128::from(u32::MAX) || block < i128::from(i32::MIN) || !(0..=65535).contains(&offset) {
        return Err(bad());
    }
    Ok(make_tid(block as u32, offset as u16))
}
fn make_tid(block: u32, offset: u16) -> TupleId {
    let (b, o) = (block.to_le_bytes(), offset.to_le_bytes());
    TupleId::from_bytes([b[2], b[3], b[0], b[1], o[0], o[1]])
}
/// Block and offset of the six bytes.
fn split_tid(t: &[u8]) -> (u32, u16) {
    match *t {
        [a, b, c, d, e, f] => (u32::from_le_bytes([c, d, a, b]), u16::from_le_bytes([e, f])),
        _ => (0, 0),
    }
}
#[builtin("tidout", write)]
fn tidout(t: &[u8], out: &mut Vec<u8>) {
    let (b, o) = split_tid(t);
    out.extend_from_slice(format!("({b},{o})").as_bytes());
}
#[builtin("tidrecv")]
fn tidrecv(b: &[u8]) -> Result<TupleId> {
    whole(b, |r| Ok(make_tid(r.i32()? as u32, r.i16()? as u16)))
}
#[builtin("tidsend")]
fn tidsend(t: &[u8]) -> Vec<u8> {
    let (b, o) = split_tid(t);
    [&b.to_be_bytes()[..], &o.to_be_bytes()[..]].concat()
}
/// The order of tuple ids.
pub fn compare_tids(a: &[u8], b: &[u8]) -> Ordering {
    split_tid(a).cmp(&split_tid(b))
}
pub static TID_COMPARE: &[Builtin] =
    &compare_bytes!(compare_tids, ["tideq", "tidne", "tidlt", "tidle", "tidgt", "tidge", "bttidcmp"]);
#[builtin("tidlarger")]
fn tidlarger<'a>(a: &'a [u8], b: &'a [u8]) -> &'a [u8] {
    if compare_tids(a, b).is_ge() { a } else { b }
}
#[builtin("tidsmaller")]
fn tidsmaller<'a>(a: &'a [u8], b: &'a [u8]) -> &'a [u8] {
    if compare_tids(a, b).is_le() { a } else { b }
}
#[builtin("hashtid")]
fn hashtid(t: &[u8]) -> i32 {
    hash_bytes(t)
}
#[builtin("hashtidextended")]
fn hashtidextended(t: &[u8], seed: i64) -> i64 {
    hash_bytes_extended(t, seed)
}

// Vectors: arrays of one dimension from 0, without nulls.

fn vector(elem: Oid, items: impl ExactSizeIterator<Item = Vec<u8>>) -> Vec<u8> {
    let mut out = Vec::with_capacity(20 + items.len() * 4);
    for w in [1, 0, elem.0 as i32, items.len() as i32, 0] {
        out.extend_from_slice(&w.to_le_bytes());
    }
    items.for_each(|i| out.extend_from_slice(&i));
    out
}
fn elements<const N: usize>(v: &[u8]) -> impl Iterator<Item = [u8; N]> + '_ {
    v.get(20..).unwrap_or(&[]).chunks_exact(N).map(|c| {
        let mut a = [0; N];
        a.copy_from_slice(c);
        a
    })
}
/// Makes an `oidvector`'s payload.
pub fn make_oidvector(ids: &[Oid]) -> Vec<u8> {
    vector(types::oid::OIDOID, ids.iter().map(|o| o.0.to_le_bytes().to_vec()))
}
#[builtin("oidvectorin")]
fn oidvectorin(s: &str) -> Result<Vec<u8>> {
    let ids = s.split(is_space).filter(|p| !p.is_empty()).map(parse_oid).collect::<Result<Vec<_>>>()?;
    Ok(make_oidvector(&ids))
}
#[builtin("oidvectorout", write)]
fn oidvectorout(v: &[u8], out: &mut Vec<u8>) {
    for (i, e) in elements::<4>(v).enumerate() {
        if i > 0 {
            out.push(b' ');
        }
        write_i64(u32::from_le_bytes(e).into(), out);
    }
}
#[builtin("int2vectorin")]
fn int2vectorin(s: &str) -> Result<Vec<u8>> {
    let parse = |p: &str| crate::int::parse_int(p, "smallint", i16::MIN.into(), i16::MAX.into());
    let items = s.split(is_space).filter(|p| !p.is_empty()).map(parse).collect::<Result<Vec<_>>>()?;
    Ok(vector(types::oid::INT2OID, items.into_iter().map(|v| (v as i16).to_le_bytes().to_vec())))
}
#[builtin("int2vectorout", write)]
fn int2vectorout(v: &[u8], out: &mut Vec<u8>) {
    for (i, e) in elements::<2>(v).enumerate() {
        if i > 0 {
            out.push(b' ');
        }
        write_i64(i16::from_le_bytes(e).into(), out);
    }
}
fn vector_recv<const N: usize>(b: &[u8], elem: Oid, what: &str) -> Result<Vec<u8>> {
    let bad = || crate::err::bad_binary(&format!("invalid {what} data"));
    whole(b, |r| {
        let (ndim, flags, oid) = (r.i32()?, r.i32()?, r.i32()?);
        if ndim != 1 || flags != 0 || oid as u32 != elem.0 {
            return Err(bad());
        }
        let (n, lower) = (r.i32()?, r.i32()?);
        if lower != 0 || n < 0 {
            return Err(bad());
        }
        let mut items = Vec::new();
        for _ in 0..n {
            if r.i32()? != N as i32 {
                return Err(bad());
            }
            items.push(r.take(N)?.iter().rev().copied().collect::<Vec<u8>>());
        }
        Ok(vector(elem, items.into_iter()))
    })
}
fn vector_send<const N: usize>(v: &[u8], elem: Oid) -> Vec<u8> {
    let items: Vec<[u8; N]> = elements::<N>(v).collect();
    let mut out = Vec::new();
    for w in [1, 0, elem.0 as i32, items.len() as i32, 0] {
        out.extend_from_slice(&w.to_be_bytes());
    }
    for i in items {
        out.extend_from_slice(&(N as i32).to_be_bytes());
        out.extend(i.iter().rev());
    }
    out
}
#[builtin("oidvectorrecv")]
fn oidvectorrecv(b: &[u8]) -> Result<Vec<u8>> {
    vector_recv::<4>(b, types::oid::OIDOID, "oidvector")
}
#[builtin("oidvectorsend")]
fn oidvectorsend(v: &[u8]) -> Vec<u8> {
    vector_send::<4>(v, types::oid::OIDOID)
}
#[builtin("int2vectorrecv")]
fn int2vectorrecv(b: &[u8]) -> Result<Vec<u8>> {
    vector_recv::<2>(b, types::oid::INT2OID, "int2vector")
}
#[builtin("int2vectorsend")]
fn int2vectorsend(v: &[u8]) -> Vec<u8> {
    vector_send::<2>(v, types::oid::INT2OID)
}
/// Shorter vectors sort first. (PostgreSQL: `btoidvectorcmp`)
pub fn compare_oidvectors(a: &[u8], b: &[u8]) -> Ordering {
    let ids = |v| elements::<4>(v).map(u32::from_le_bytes);
    a.len().cmp(&b.len()).then_with(|| ids(a).cmp(ids(b)))
}
pub static OIDVECTOR_COMPARE: &[Builtin] = &compare_bytes!(
    compare_oidvectors,
    ["oidvectoreq", "oidvectorne", "oidvectorlt", "oidvectorle", "oidvectorgt", "oidvectorge", "btoidvectorcmp"]
);
#[builtin("hashoidvector")]
fn hashoidvector(v: &[u8]) -> i32 {
    hash_bytes(v.get(20..).unwrap_or(&[]))
}
#[builtin("hashoidvectorextended")]
fn hashoidvectorextended(v: &[u8], seed: i64) -> i64 {
    hash_bytes_extended(v.get(20..).unwrap_or(&[]), seed)
}
