//! Multiranges: sorted lists of ranges that neither overlap nor touch.
//!
//! The stored form is the type's OID, the number of ranges, for each range but the first where its bounds begin (each fourth
//! as an offset with the high bit set, the others as the length before it), a byte of flags for each, and the bounds,
//! aligned as the subtype is. PostgreSQL: `multirangetypes.c`.

use std::cmp::Ordering;

use base::sqlstate::*;
use base::{Oid, PgError, Result};
use types::array::ArrayRef;
use types::{AggStates, Arg, BuiltinAggregate, Datum, DatumRef, FnCx, RowList, RowSource, Rows, Runtime, builtin};

use crate::err::error;
use crate::int::is_space;
use crate::range::{self, Bound, Kind, corrupted};

type Pair = [Bound; 2];

/// Each so many ranges an offset is stored instead of a length.
const STRIDE: usize = 4;
const IS_OFFSET: u32 = 0x8000_0000;

/// A multirange type with what its ranges are.
struct Multi {
    oid: Oid,
    kind: Kind,
}

fn word(b: &[u8], at: usize) -> Result<u32> {
    b.get(at..at + 4).and_then(|w| w.try_into().ok()).map(u32::from_le_bytes).ok_or_else(corrupted)
}

impl Multi {
    fn of(rt: &mut dyn Runtime, oid: Oid) -> Result<Multi> {
        let info = rt.type_info(oid)?;
        if info.typtype != b'm' {
            return Err(PgError::internal(format!("type {oid} is not a multirange type")));
        }
        Ok(Multi { oid, kind: Kind::of(rt, info.range_subtype)? })
    }
    fn open(rt: &mut dyn Runtime, b: &[u8]) -> Result<(Multi, Vec<Pair>)> {
        let m = Multi::of(rt, Oid(word(b, 0)?))?;
        let list = m.read(b)?;
        Ok((m, list))
    }
    /// Two of the same type.
    fn pair(rt: &mut dyn Runtime, a: &[u8], b: &[u8]) -> Result<(Multi, Vec<Pair>, Vec<Pair>)> {
        let (m, x) = Multi::open(rt, a)?;
        if a.get(..4) != b.get(..4) {
            return Err(PgError::internal("multirange types do not match"));
        }
        let y = m.read(b)?;
        Ok((m, x, y))
    }
    /// Where flags and bounds of so many ranges begin in the payload.
    fn layout(&self, n: usize) -> (usize, usize) {
        let flags = 8 + n.saturating_sub(1) * 4;
        (flags, self.kind.sub.align.up(flags + n + 4) - 4)
    }
    fn read(&self, b: &[u8]) -> Result<Vec<Pair>> {
        let n = word(b, 4)? as usize;
        if n > b.len() {
            return Err(corrupted());
        }
        let (flags, begin) = self.layout(n);
        let mut offset = 0;
        let mut out = Vec::with_capacity(n);
        for i in 0..n {
            if i > 0 {
                let item = word(b, 4 + i * 4)?;
                offset = if item & IS_OFFSET != 0 { 0 } else { offset } + (item & !IS_OFFSET) as usize;
            }
            let flags = *b.get(flags + i).ok_or_else(corrupted)?;
            out.push(self.kind.read_bounds(b.get(begin + offset..).ok_or_else(corrupted)?, flags)?);
        }
        Ok(out)
    }
    fn write(&self, list: Vec<Pair>) -> Result<Datum> {
        let (flags_at, begin) = self.layout(list.len());
        let mut out = vec![0; begin];
        out[..4].copy_from_slice(&self.oid.0.to_le_bytes());
        out[4..8].copy_from_slice(&(list.len() as u32).to_le_bytes());
        let mut before = 0;
        for (i, r) in list.into_iter().enumerate() {
            let at = out.len() - begin;
            if i > 0 {
                let item = if i % STRIDE == 0 { at as u32 | IS_OFFSET } else { (at - before) as u32 };
                out[4 + i * 4..8 + i * 4].copy_from_slice(&item.to_le_bytes());
            }
            before = at;
            let whole = self.kind.write(&Some(r))?;
            if let Some((flags, [_, _, _, _, bounds @ ..])) = whole.as_ref().as_bytes().split_last() {
                out[flags_at + i] = *flags;
                out.extend_from_slice(bounds);
            }
            let end = self.kind.sub.align.up(out.len() - begin) + begin;
            out.resize(end, 0);
        }
        Ok(Datum::bytes(out))
    }
    /// Sorts, and joins what overlaps or touches. (PostgreSQL: `multirange_canonicalize`)
    fn canonical(&self, rt: &mut dyn Runtime, mut list: Vec<Pair>) -> Result<Vec<Pair>> {
        let k = &self.kind;
        let mut failed = None;
        list.sort_by(|x, y| {
            let mut order = |i: usize| match k.compare(rt, &x[i], &y[i]) {
                Ok(o) => o,
                Err(e) => {
                    failed = Some(e);
                    Ordering::Equal
                }
            };
            order(0).then_with(|| order(1))
        });
        if let Some(e) = failed {
            return Err(e);
        }
        let mut out: Vec<Pair> = Vec::with_capacity(list.len());
        for r in list {
            if let Some(last) = out.last_mut()
                && (range::overlap(k, rt, last, &r)? || range::adjacent(k, rt, last, &r)?)
            {
                if k.compare(rt, &r[1], &last[1])?.is_gt() {
                    let [_, upper] = r;
                    last[1] = upper;
                }
                continue;
            }
            out.push(r);
        }
        Ok(out)
    }
    fn make(&self, rt: &mut dyn Runtime, list: Vec<Pair>) -> Result<Datum> {
        let list = self.canonical(rt, list)?;
        self.write(list)
    }
    fn intersect(&self, rt: &mut dyn Runtime, a: &[Pair], b: &[Pair]) -> Result<Vec<Pair>> {
        let k = &self.kind;
        let mut out = Vec::new();
        let (mut i, mut j) = (0, 0);
        while let (Some(x), Some(y)) = (a.get(i), b.get(j)) {
            if range::overlap(k, rt, x, y)? {
                let low = if k.compare(rt, &x[0], &y[0])?.is_ge() { &x[0] } else { &y[0] };
                let high = if k.compare(rt, &x[1], &y[1])?.is_le() { &x[1] } else { &y[1] };
                out.extend(k.make(rt, [low.clone(), high.clone()])?);
            }
            match k.compare(rt, &x[1], &y[1])? {
                Ordering::Less => i += 1,
                _ => j += 1,
            }
        }
        Ok(out)
    }
    fn minus(&self, rt: &mut dyn Runtime, a: Vec<Pair>, b: &[Pair]) -> Result<Vec<Pair>> {
        let k = &self.kind;
        let mut out = Vec::new();
        for mut rest in a {
            let mut gone = false;
            for cut in b {
                if k.compare(rt, &cut[1], &rest[0])?.is_lt() {
                    continue;
                }
                if k.compare(rt, &cut[0], &rest[1])?.is_gt() {
                    break;
                }
                if k.compare(rt, &rest[0], &cut[0])?.is_lt() {
                    let upper = Bound { inclusive: !cut[0].inclusive, lower: false, ..cut[0].clone() };
                    out.extend(k.make(rt, [rest[0].clone(), upper])?);
                }
                gone = k.compare(rt, &rest[1], &cut[1])?.is_le();
                if gone {
                    break;
                }
                rest[0] = Bound { inclusive: !cut[1].inclusive, lower: true, ..cut[1].clone() };
            }
            if !gone {
                out.extend(k.make(rt, rest)?);
            }
        }
        Ok(out)
    }
    fn overlap(&self, rt: &mut dyn Runtime, a: &[Pair], b: &[Pair]) -> Result<bool> {
        let (mut i, mut j) = (0, 0);
        while let (Some(x), Some(y)) = (a.get(i), b.get(j)) {
            if range::overlap(&self.kind, rt, x, y)? {
                return Ok(true);
            }
            if self.kind.compare(rt, &x[1], &y[1])?.is_lt() { i += 1 } else { j += 1 }
        }
        Ok(false)
    }
    fn contains(&self, rt: &mut dyn Runtime, a: &[Pair], b: &[Pair]) -> Result<bool> {
        let mut own = a.iter();
        let Some(mut x) = own.next() else { return Ok(b.is_empty()) };
        for y in b {
            while self.kind.compare(rt, &x[1], &y[0])?.is_lt() {
                let Some(next) = own.next() else { return Ok(false) };
                x = next;
            }
            if !range::encloses(&self.kind, rt, x, y)? {
                return Ok(false);
            }
        }
        Ok(true)
    }
    fn order(&self, rt: &mut dyn Runtime, a: &[Pair], b: &[Pair]) -> Result<Ordering> {
        for (x, y) in a.iter().zip(b) {
            let low = self.kind.compare(rt, &x[0], &y[0])?;
            let order = if low.is_eq() { self.kind.compare(rt, &x[1], &y[1])? } else { low };
            if order.is_ne() {
                return Ok(order);
            }
        }
        Ok(a.len().cmp(&b.len()))
    }
}
/// From the first lower to the last upper bound.
fn span(list: &[Pair]) -> Option<Pair> {
    Some([list.first()?[0].clone(), list.last()?[1].clone()])
}

// Text and binary.

#[builtin("multirange_in")]
fn multirange_in(cx: &mut FnCx<'_>, s: &str, oid: Oid, typmod: i32) -> Result<Datum> {
    let m = Multi::of(cx.rt, oid)?;
    let bad = |detail: &str| {
        error(INVALID_TEXT_REPRESENTATION, format!("malformed multirange literal: \"{s}\"")).detail(detail)
    };
    let early = || bad("Unexpected end of input.");
    let skip = |t: &str| s.len() - t.trim_start_matches(is_space).len();
    let Some(rest) = s[skip(s)..].strip_prefix('{') else { return Err(bad("Missing left brace.")) };
    let mut at = s.len() - rest.len();
    let mut list = Vec::new();
    let mut first = true;
    loop {
        at = skip(&s[at..]);
        let rest = &s[at..];
        match rest.bytes().next() {
            None => return Err(early()),
            Some(b'}') if first => break,
            Some(b'[' | b'(') => {
                let end = range_end(rest).ok_or_else(early)?;
                let value = crate::generic::from_text(cx.rt, m.kind.oid, typmod, &rest[..end])?;
                list.extend(m.kind.read(value.as_ref().as_bytes())?);
                at += end;
            }
            _ if rest.get(..5).is_some_and(|t| t.eq_ignore_ascii_case("empty")) => at += 5,
            _ => return Err(bad("Expected range start.")),
        }
        first = false;
        at = skip(&s[at..]);
        match s[at..].bytes().next() {
            None => return Err(early()),
            Some(b',') => at += 1,
            Some(b'}') => break,
            _ => return Err(bad("Expected comma or end of multirange.")),
        }
    }
    if !s[at + 1..].trim_matches(is_space).is_empty() {
        return Err(bad("Junk after closing right brace."));
    }
    m.make(cx.rt, list)
}
/// Behind the bracket that closes the range at the text's beginning, quotes and backslashes respected.
fn range_end(s: &str) -> Option<usize> {
    let (mut quoted, mut escaped) = (false, false);
    for (i, b) in s.bytes().enumerate().skip(1) {
        match b {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => quoted = !quoted,
            b')' | b']' if !quoted => return Some(i + 1),
            _ => {}
        }
    }
    None
}
#[builtin("multirange_out")]
fn multirange_out(cx: &mut FnCx<'_>, b: &[u8]) -> Result<String> {
    let (m, list) = Multi::open(cx.rt, b)?;
    let mut out = String::from("{");
    for (i, r) in list.into_iter().enumerate() {
        if i > 0 {
            out.push(',');
        }
        let value = m.kind.write(&Some(r))?;
        out.push_str(&crate::generic::text_of(cx.rt, m.kind.oid, value.as_ref())?);
    }
    out.push('}');
    Ok(out)
}
#[builtin("multirange_recv")]
fn multirange_recv(cx: &mut FnCx<'_>, b: &[u8], oid: Oid, typmod: i32) -> Result<Datum> {
    let m = Multi::of(cx.rt, oid)?;
    let info = cx.rt.type_info(m.kind.oid)?;
    let mut r = crate::wire::Reader::new(b);
    let mut list = Vec::new();
    for _ in 0..r.i32()? {
        let n = usize::try_from(r.i32()?).unwrap_or(usize::MAX);
        let (param, typmod) = (Datum::oid(info.ioparam), Datum::i32(typmod));
        let args = [DatumRef::Bytes(r.take(n)?), param.as_ref(), typmod.as_ref()];
        let value = cx.rt.call(info.receive, Oid::INVALID, &args)?;
        list.extend(m.kind.read(value.as_ref().as_bytes())?);
    }
    r.end()?;
    m.make(cx.rt, list)
}
#[builtin("multirange_send")]
fn multirange_send(cx: &mut FnCx<'_>, b: &[u8]) -> Result<Vec<u8>> {
    let (m, list) = Multi::open(cx.rt, b)?;
    let info = cx.rt.type_info(m.kind.oid)?;
    let mut out = (list.len() as i32).to_be_bytes().to_vec();
    for r in list {
        let value = m.kind.write(&Some(r))?;
        let sent = cx.rt.call(info.send, Oid::INVALID, &[value.as_ref()])?;
        let sent = sent.as_ref().as_bytes();
        out.extend_from_slice(&(sent.len() as i32).to_be_bytes());
        out.extend_from_slice(sent);
    }
    Ok(out)
}

// Making and taking apart.

#[builtin("multirange_constructor0")]
fn multirange_constructor0(cx: &mut FnCx<'_>) -> Result<Datum> {
    Multi::of(cx.rt, cx.call.result_type)?.write(Vec::new())
}
#[builtin("multirange_constructor1")]
fn multirange_constructor1(cx: &mut FnCx<'_>, r: &[u8]) -> Result<Datum> {
    let m = Multi::of(cx.rt, cx.call.result_type)?;
    let list = m.kind.read(r)?.into_iter().collect();
    m.write(list)
}
#[builtin("multirange_constructor2")]
fn multirange_constructor2(cx: &mut FnCx<'_>, a: &[u8]) -> Result<Datum> {
    let m = Multi::of(cx.rt, cx.call.result_type)?;
    let array = ArrayRef::new(a)?;
    if array.ndim() > 1 {
        let text = "multiranges cannot be constructed from multidimensional arrays";
        return Err(error(CARDINALITY_VIOLATION, text));
    }
    let elem = crate::generic::element_type(cx.rt, array.elem_type())?;
    let mut list = Vec::new();
    for v in array.elements(&elem) {
        let v = v?;
        if v.is_null() {
            return Err(error(NULL_VALUE_NOT_ALLOWED, "multirange values cannot contain null members"));
        }
        list.extend(m.kind.read(v.as_bytes())?);
    }
    m.make(cx.rt, list)
}
#[builtin("multirange_unnest", set)]
fn multirange_unnest(cx: &mut FnCx<'_>, b: &[u8]) -> Result<Box<dyn RowSource>> {
    let (m, list) = Multi::open(cx.rt, b)?;
    let rows = list.into_iter().map(|r| Ok(vec![m.kind.write(&Some(r))?])).collect::<Result<Vec<_>>>()?;
    Ok(Box::new(RowList(rows.into_iter())))
}
#[builtin("range_merge_from_multirange")]
fn range_merge_from_multirange(cx: &mut FnCx<'_>, b: &[u8]) -> Result<Datum> {
    let (m, list) = Multi::open(cx.rt, b)?;
    m.kind.write(&span(&list))
}
#[builtin("multirange_lower")]
fn multirange_lower(cx: &mut FnCx<'_>, b: &[u8]) -> Result<Option<Datum>> {
    Ok(span(&Multi::open(cx.rt, b)?.1).and_then(|[l, _]| l.value))
}
#[builtin("multirange_upper")]
fn multirange_upper(cx: &mut FnCx<'_>, b: &[u8]) -> Result<Option<Datum>> {
    Ok(span(&Multi::open(cx.rt, b)?.1).and_then(|[_, u]| u.value))
}
#[builtin("multirange_empty")]
fn multirange_empty(b: &[u8]) -> Result<bool> {
    Ok(word(b, 4)? == 0)
}
#[builtin("multirange_lower_inc")]
fn multirange_lower_inc(cx: &mut FnCx<'_>, b: &[u8]) -> Result<bool> {
    Ok(span(&Multi::open(cx.rt, b)?.1).is_some_and(|[l, _]| l.inclusive))
}
#[builtin("multirange_upper_inc")]
fn multirange_upper_inc(cx: &mut FnCx<'_>, b: &[u8]) -> Result<bool> {
    Ok(span(&Multi::open(cx.rt, b)?.1).is_some_and(|[_, u]| u.inclusive))
}
#[builtin("multirange_lower_inf")]
fn multirange_lower_inf(cx: &mut FnCx<'_>, b: &[u8]) -> Result<bool> {
    Ok(span(&Multi::open(cx.rt, b)?.1).is_some_and(|[l, _]| l.value.is_none()))
}
#[builtin("multirange_upper_inf")]
fn multirange_upper_inf(cx: &mut FnCx<'_>, b: &[u8]) -> Result<bool> {
    Ok(span(&Multi::open(cx.rt, b)?.1).is_some_and(|[_, u]| u.value.is_none()))
}

// Order.

fn order(cx: &mut FnCx<'_>, a: &[u8], b: &[u8]) -> Result<Ordering> {
    let (m, x, y) = Multi::pair(cx.rt, a, b)?;
    m.order(cx.rt, &x, &y)
}
#[builtin("multirange_eq")]
fn multirange_eq(cx: &mut FnCx<'_>, a: &[u8], b: &[u8]) -> Result<bool> {
    Ok(order(cx, a, b)?.is_eq())
}
#[builtin("multirange_ne")]
fn multirange_ne(cx: &mut FnCx<'_>, a: &[u8], b: &[u8]) -> Result<bool> {
    Ok(order(cx, a, b)?.is_ne())
}
#[builtin("multirange_lt")]
fn multirange_lt(cx: &mut FnCx<'_>, a: &[u8], b: &[u8]) -> Result<bool> {
    Ok(order(cx, a, b)?.is_lt())
}
#[builtin("multirange_le")]
fn multirange_le(cx: &mut FnCx<'_>, a: &[u8], b: &[u8]) -> Result<bool> {
    Ok(order(cx, a, b)?.is_le())
}
#[builtin("multirange_gt")]
fn multirange_gt(cx: &mut FnCx<'_>, a: &[u8], b: &[u8]) -> Result<bool> {
    Ok(order(cx, a, b)?.is_gt())
}
#[builtin("multirange_ge")]
fn multirange_ge(cx: &mut FnCx<'_>, a: &[u8], b: &[u8]) -> Result<bool> {
    Ok(order(cx, a, b)?.is_ge())
}
#[builtin("multirange_cmp")]
fn multirange_cmp(cx: &mut FnCx<'_>, a: &[u8], b: &[u8]) -> Result<i32> {
    Ok(order(cx, a, b)? as i32)
}
/// The flags byte that a range would be stored with.
fn flags_of(k: &Kind, r: &Pair) -> Result<u8> {
    Ok(k.write(&Some(r.clone()))?.as_ref().as_bytes().last().copied().unwrap_or(0))
}
#[builtin("hash_multirange")]
fn hash_multirange(cx: &mut FnCx<'_>, b: &[u8]) -> Result<i32> {
    let (m, list) = Multi::open(cx.rt, b)?;
    let mut hash = 1u32;
    for r in list {
        let flags = flags_of(&m.kind, &r)?;
        hash = hash.wrapping_mul(31).wrapping_add(range::hash_bounds(cx.rt, &m.kind, &Some(r), flags)?);
    }
    Ok(hash as i32)
}
#[builtin("hash_multirange_extended")]
fn hash_multirange_extended(cx: &mut FnCx<'_>, b: &[u8], seed: i64) -> Result<i64> {
    let (m, list) = Multi::open(cx.rt, b)?;
    let mut hash = 1u64;
    for r in list {
        let flags = flags_of(&m.kind, &r)?;
        hash = hash.wrapping_mul(31).wrapping_add(range::hash_bounds_extended(cx.rt, &m.kind, &Some(r), flags, seed)?);
    }
    Ok(hash as i64)
}

// Sets.

#[builtin("multirange_union")]
fn multirange_union(cx: &mut FnCx<'_>, a: &[u8], b: &[u8]) -> Result<Datum> {
    let (m, mut x, y) = Multi::pair(cx.rt, a, b)?;
    x.extend(y);
    m.make(cx.rt, x)
}
#[builtin("multirange_minus")]
fn multirange_minus(cx: &mut FnCx<'_>, a: &[u8], b: &[u8]) -> Result<Datum> {
    let (m, x, y) = Multi::pair(cx.rt, a, b)?;
    let list = m.minus(cx.rt, x, &y)?;
    m.make(cx.rt, list)
}
#[builtin("multirange_intersect", "multirange_intersect_agg_transfn")]
fn multirange_intersect(cx: &mut FnCx<'_>, a: &[u8], b: &[u8]) -> Result<Datum> {
    let (m, x, y) = Multi::pair(cx.rt, a, b)?;
    let list = m.intersect(cx.rt, &x, &y)?;
    m.make(cx.rt, list)
}
fn has(cx: &mut FnCx<'_>, b: &[u8], v: DatumRef<'_>) -> Result<Option<bool>> {
    if v.is_null() {
        return Ok(None);
    }
    let (m, list) = Multi::open(cx.rt, b)?;
    for r in &list {
        if range::holds(&m.kind, cx.rt, r, v)? {
            return Ok(Some(true));
        }
    }
    Ok(Some(false))
}
#[builtin("multirange_contains_elem")]
fn multirange_contains_elem(cx: &mut FnCx<'_>, m: Option<&[u8]>, v: DatumRef<'_>) -> Result<Option<bool>> {
    m.map_or(Ok(None), |m| has(cx, m, v))
}
#[builtin("elem_contained_by_multirange")]
fn elem_contained_by_multirange(cx: &mut FnCx<'_>, v: DatumRef<'_>, m: Option<&[u8]>) -> Result<Option<bool>> {
    m.map_or(Ok(None), |m| has(cx, m, v))
}

// Relations: of two multiranges, and of a range on either side. A range counts as a multirange of one or none.

type Test = fn(&Multi, &mut dyn Runtime, &[Pair], &[Pair]) -> Result<bool>;

fn multis(cx: &mut FnCx<'_>, a: &[u8], b: &[u8], test: Test) -> Result<bool> {
    let (m, x, y) = Multi::pair(cx.rt, a, b)?;
    test(&m, cx.rt, &x, &y)
}
fn with_range(cx: &mut FnCx<'_>, multi: &[u8], r: &[u8], range_first: bool, test: Test) -> Result<bool> {
    let (m, list) = Multi::open(cx.rt, multi)?;
    let r: Vec<Pair> = m.kind.read(r)?.into_iter().collect();
    if range_first { test(&m, cx.rt, &r, &list) } else { test(&m, cx.rt, &list, &r) }
}
/// Of the spans, if none is empty.
fn spans(
    m: &Multi,
    rt: &mut dyn Runtime,
    a: &[Pair],
    b: &[Pair],
    test: fn(&Kind, &mut dyn Runtime, &Pair, &Pair) -> Result<bool>,
) -> Result<bool> {
    match (span(a), span(b)) {
        (Some(x), Some(y)) => test(&m.kind, rt, &x, &y),
        _ => Ok(false),
    }
}
const OVERLAPS: Test = |m, rt, a, b| m.overlap(rt, a, b);
const CONTAINS: Test = |m, rt, a, b| m.contains(rt, a, b);
/// A multirange without members is contained in everything, also in an empty range.
const CONTAINED: Test = |m, rt, a, b| m.contains(rt, b, a);
const BEFORE: Test = |m, rt, a, b| spans(m, rt, a, b, |k, rt, x, y| Ok(k.compare(rt, &x[1], &y[0])?.is_lt()));
const AFTER: Test = |m, rt, a, b| spans(m, rt, a, b, |k, rt, x, y| Ok(k.compare(rt, &x[0], &y[1])?.is_gt()));
const OVERLEFT: Test = |m, rt, a, b| spans(m, rt, a, b, |k, rt, x, y| Ok(k.compare(rt, &x[1], &y[1])?.is_le()));
const OVERRIGHT: Test = |m, rt, a, b| spans(m, rt, a, b, |k, rt, x, y| Ok(k.compare(rt, &x[0], &y[0])?.is_ge()));
const ADJACENT: Test = |m, rt, a, b| spans(m, rt, a, b, range::adjacent);

#[builtin("multirange_overlaps_multirange")]
fn multirange_overlaps_multirange(cx: &mut FnCx<'_>, a: &[u8], b: &[u8]) -> Result<bool> {
    multis(cx, a, b, OVERLAPS)
}
#[builtin("multirange_overlaps_range")]
fn multirange_overlaps_range(cx: &mut FnCx<'_>, m: &[u8], r: &[u8]) -> Result<bool> {
    with_range(cx, m, r, false, OVERLAPS)
}
#[builtin("range_overlaps_multirange")]
fn range_overlaps_multirange(cx: &mut FnCx<'_>, r: &[u8], m: &[u8]) -> Result<bool> {
    with_range(cx, m, r, true, OVERLAPS)
}
#[builtin("multirange_before_multirange")]
fn multirange_before_multirange(cx: &mut FnCx<'_>, a: &[u8], b: &[u8]) -> Result<bool> {
    multis(cx, a, b, BEFORE)
}
#[builtin("multirange_before_range")]
fn multirange_before_range(cx: &mut FnCx<'_>, m: &[u8], r: &[u8]) -> Result<bool> {
    with_range(cx, m, r, false, BEFORE)
}
#[builtin("range_before_multirange")]
fn range_before_multirange(cx: &mut FnCx<'_>, r: &[u8], m: &[u8]) -> Result<bool> {
    with_range(cx, m, r, true, BEFORE)
}
#[builtin("multirange_after_multirange")]
fn multirange_after_multirange(cx: &mut FnCx<'_>, a: &[u8], b: &[u8]) -> Result<bool> {
    multis(cx, a, b, AFTER)
}
#[builtin("multirange_after_range")]
fn multirange_after_range(cx: &mut FnCx<'_>, m: &[u8], r: &[u8]) -> Result<bool> {
    with_range(cx, m, r, false, AFTER)
}
#[builtin("range_after_multirange")]
fn range_after_multirange(cx: &mut FnCx<'_>, r: &[u8], m: &[u8]) -> Result<bool> {
    with_range(cx, m, r, true, AFTER)
}
#[builtin("multirange_overleft_multirange")]
fn multirange_overleft_multirange(cx: &mut FnCx<'_>, a: &[u8], b: &[u8]) -> Result<bool> {
    multis(cx, a, b, OVERLEFT)
}
#[builtin("multirange_overleft_range")]
fn multirange_overleft_range(cx: &mut FnCx<'_>, m: &[u8], r: &[u8]) -> Result<bool> {
    with_range(cx, m, r, false, OVERLEFT)
}
#[builtin("range_overleft_multirange")]
fn range_overleft_multirange(cx: &mut FnCx<'_>, r: &[u8], m: &[u8]) -> Result<bool> {
    with_range(cx, m, r, true, OVERLEFT)
}
#[builtin("multirange_overright_multirange")]
fn multirange_overright_multirange(cx: &mut FnCx<'_>, a: &[u8], b: &[u8]) -> Result<bool> {
    multis(cx, a, b, OVERRIGHT)
}
#[builtin("multirange_overright_range")]
fn multirange_overright_range(cx: &mut FnCx<'_>, m: &[u8], r: &[u8]) -> Result<bool> {
    with_range(cx, m, r, false, OVERRIGHT)
}
#[builtin("range_overright_multirange")]
fn range_overright_multirange(cx: &mut FnCx<'_>, r: &[u8], m: &[u8]) -> Result<bool> {
    with_range(cx, m, r, true, OVERRIGHT)
}
#[builtin("multirange_adjacent_multirange")]
fn multirange_adjacent_multirange(cx: &mut FnCx<'_>, a: &[u8], b: &[u8]) -> Result<bool> {
    multis(cx, a, b, ADJACENT)
}
#[builtin("multirange_adjacent_range")]
fn multirange_adjacent_range(cx: &mut FnCx<'_>, m: &[u8], r: &[u8]) -> Result<bool> {
    with_range(cx, m, r, false, ADJACENT)
}
#[builtin("range_adjacent_multirange")]
fn range_adjacent_multirange(cx: &mut FnCx<'_>, r: &[u8], m: &[u8]) -> Result<bool> {
    with_range(cx, m, r, true, ADJACENT)
}
#[builtin("multirange_contains_multirange")]
fn multirange_contains_multirange(cx: &mut FnCx<'_>, a: &[u8], b: &[u8]) -> Result<bool> {
    multis(cx, a, b, CONTAINS)
}
#[builtin("multirange_contains_range")]
fn multirange_contains_range(cx: &mut FnCx<'_>, m: &[u8], r: &[u8]) -> Result<bool> {
    with_range(cx, m, r, false, CONTAINS)
}
#[builtin("range_contains_multirange")]
fn range_contains_multirange(cx: &mut FnCx<'_>, r: &[u8], m: &[u8]) -> Result<bool> {
    with_range(cx, m, r, true, CONTAINS)
}
#[builtin("multirange_contained_by_multirange")]
fn multirange_contained_by_multirange(cx: &mut FnCx<'_>, a: &[u8], b: &[u8]) -> Result<bool> {
    multis(cx, a, b, CONTAINED)
}
#[builtin("multirange_contained_by_range")]
fn multirange_contained_by_range(cx: &mut FnCx<'_>, m: &[u8], r: &[u8]) -> Result<bool> {
    with_range(cx, m, r, false, CONTAINED)
}
#[builtin("range_contained_by_multirange")]
fn range_contained_by_multirange(cx: &mut FnCx<'_>, r: &[u8], m: &[u8]) -> Result<bool> {
    with_range(cx, m, r, true, CONTAINED)
}

// Aggregates.

/// `range_agg`: the ranges of each group; empty ones count as input too.
struct Collect {
    groups: Vec<(bool, Vec<Pair>)>,
    multi: bool,
}

impl AggStates for Collect {
    fn resize(&mut self, groups: usize) {
        self.groups.resize(groups, (false, Vec::new()));
    }
    fn update(&mut self, cx: &mut FnCx<'_>, groups: &[u32], args: &[Arg<'_>], rows: Rows<'_>) -> Result<()> {
        let Some(arg) = args.first() else { return Err(crate::agg::mismatch()) };
        crate::agg::each(groups, rows, |g, r| {
            let opened;
            let bytes = match arg.get(r) {
                DatumRef::Bytes(b) => b,
                DatumRef::Toasted(t) => {
                    opened = cx.rt.detoast(t)?;
                    &opened[..]
                }
                _ => return Ok(()),
            };
            let list: Vec<Pair> = match self.multi {
                true => Multi::open(cx.rt, bytes)?.1,
                false => range::open(cx, bytes)?.1.into_iter().collect(),
            };
            self.groups[g].0 = true;
            self.groups[g].1.extend(list);
            Ok(())
        })
    }
    fn finish(&mut self, cx: &mut FnCx<'_>, group: usize) -> Result<Datum> {
        let (seen, list) = &self.groups[group];
        if !seen {
            return Ok(Datum::Null);
        }
        let list = list.clone();
        Multi::of(cx.rt, cx.call.result_type)?.make(cx.rt, list)
    }
    fn merge(&mut self, _: &mut FnCx<'_>, group: usize, from: &mut dyn AggStates, from_group: usize) -> Result<()> {
        let from = crate::agg::same::<Self>(from)?;
        let (seen, list) = from.groups[from_group].clone();
        self.groups[group].0 |= seen;
        self.groups[group].1.extend(list);
        Ok(())
    }
    fn as_any(&mut self) -> &mut (dyn std::any::Any + 'static) {
        self
    }
    fn memory(&self) -> usize {
        self.groups.iter().map(|g| 32 + g.1.len() * size_of::<Pair>()).sum()
    }
}

pub static AGGREGATES: &[BuiltinAggregate] = &[
    crate::agg::agg("range_agg_transfn", "range_agg_finalfn", |_| {
        Box::new(Collect { groups: Vec::new(), multi: false })
    }),
    crate::agg::agg("multirange_agg_transfn", "range_agg_finalfn", |_| {
        Box::new(Collect { groups: Vec::new(), multi: true })
    }),
];
