//! Ranges over any ordered type: bounds that may be missing (infinite) and belong to the range or not.
//!
//! The stored form is the range type's OID, the lower and the upper bound as they lie in tuples, and a byte of flags.
//! Ranges of whole numbers and dates are kept as `[lower, upper)`. Canonical functions of users are not called.
//! PostgreSQL: `rangetypes.c`.

use std::cmp::Ordering;
use std::sync::Arc;

use base::sqlstate::*;
use base::{Oid, PgError, Result};
use types::oid::*;
use types::{Datum, DatumRef, FnCx, Runtime, TypeInfo, builtin};

use crate::err::{error, out_of_range};
use crate::hash::hash_u32;
use crate::int::is_space;

pub(crate) const EMPTY: u8 = 0x01;
const LOWER_INCLUSIVE: u8 = 0x02;
const UPPER_INCLUSIVE: u8 = 0x04;
const LOWER_INFINITE: u8 = 0x08;
const UPPER_INFINITE: u8 = 0x10;

/// One end; without a value it is infinite.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Bound {
    pub value: Option<Datum>,
    pub inclusive: bool,
    pub lower: bool,
}

/// `None` is the empty range.
pub(crate) type Range = Option<[Bound; 2]>;

/// A range type with what its bounds are.
pub(crate) struct Kind {
    pub oid: Oid,
    pub sub: Arc<TypeInfo>,
}

pub(crate) fn corrupted() -> PgError {
    PgError::new(DATA_CORRUPTED, "invalid range value")
}

impl Kind {
    pub(crate) fn of(rt: &mut dyn Runtime, oid: Oid) -> Result<Kind> {
        let info = rt.type_info(oid)?;
        if info.typtype != b'r' || info.range_subtype == Oid::INVALID {
            return Err(PgError::internal(format!("type {oid} is not a range type")));
        }
        Ok(Kind { oid, sub: rt.type_info(info.range_subtype)? })
    }
    /// Of a stored range.
    pub(crate) fn of_value(rt: &mut dyn Runtime, b: &[u8]) -> Result<Kind> {
        let oid = b.get(..4).and_then(|w| w.try_into().ok()).map(u32::from_le_bytes).ok_or_else(corrupted)?;
        Kind::of(rt, Oid(oid))
    }
    pub(crate) fn read(&self, b: &[u8]) -> Result<Range> {
        let (data, flags) = (b.get(4..).ok_or_else(corrupted)?, *b.last().ok_or_else(corrupted)?);
        if flags & EMPTY != 0 { Ok(None) } else { self.read_bounds(data, flags).map(Some) }
    }
    /// The bounds from where they lie, aligned, with the range's flags.
    pub(crate) fn read_bounds(&self, b: &[u8], flags: u8) -> Result<[Bound; 2]> {
        let mut at = 0;
        let mut bound = |infinite: u8, inclusive: u8, lower: bool| -> Result<Bound> {
            let value = if flags & infinite != 0 { None } else { Some(self.read_value(b, &mut at)?) };
            Ok(Bound { value, inclusive: flags & inclusive != 0, lower })
        };
        let lower = bound(LOWER_INFINITE, LOWER_INCLUSIVE, true)?;
        Ok([lower, bound(UPPER_INFINITE, UPPER_INCLUSIVE, false)?])
    }
    /// Alignment counts from the varlena's header, four bytes before.
    fn align(&self, at: usize) -> usize {
        self.sub.align.up(at + 4) - 4
    }
    fn read_value(&self, b: &[u8], at: &mut usize) -> Result<Datum> {
        let take = |start: usize, len: usize| b.get(start..start + len).ok_or_else(corrupted);
        if self.sub.len == -1 {
            let first = take(*at, 1)?[0];
            if first & 1 == 1 {
                let len = usize::from(first >> 1);
                let value = take(*at, len)?;
                *at += len;
                return Ok(Datum::bytes(value.get(1..).ok_or_else(corrupted)?));
            }
            let start = self.sub.align.up(*at);
            let head: [u8; 4] = take(start, 4)?.try_into().map_err(|_| corrupted())?;
            let len = (u32::from_le_bytes(head) >> 2) as usize;
            *at = start + len;
            return Ok(Datum::bytes(take(start, len)?.get(4..).ok_or_else(corrupted)?));
        }
        let len = usize::try_from(self.sub.len).map_err(|_| corrupted())?;
        let start = self.sub.align.up(*at);
        let value = take(start, len)?;
        *at = start + len;
        Ok(match (self.sub.byval, value) {
            (true, &[a]) => Datum::Word(a.into()),
            (true, &[a, b]) => Datum::i16(i16::from_le_bytes([a, b])),
            (true, &[a, b, c, d]) => Datum::i32(i32::from_le_bytes([a, b, c, d])),
            (true, v) => Datum::Word(u64::from_le_bytes(v.try_into().map_err(|_| corrupted())?)),
            (false, v) => Datum::bytes(v),
        })
    }
    pub(crate) fn write(&self, r: &Range) -> Result<Datum> {
        let mut out = self.oid.0.to_le_bytes().to_vec();
        let mut flags = 0;
        match r {
            None => flags = EMPTY,
            Some([lower, upper]) => {
                for b in [lower, upper] {
                    let (infinite, inclusive) = match b.lower {
                        true => (LOWER_INFINITE, LOWER_INCLUSIVE),
                        false => (UPPER_INFINITE, UPPER_INCLUSIVE),
                    };
                    flags |= if b.inclusive { inclusive } else { 0 };
                    match &b.value {
                        None => flags |= infinite,
                        Some(v) => self.write_value(v, &mut out),
                    }
                }
            }
        }
        out.push(flags);
        Ok(Datum::bytes(out))
    }
    fn write_value(&self, v: &Datum, out: &mut Vec<u8>) {
        let bytes = v.as_ref().as_bytes();
        if self.sub.len == -1 && self.sub.storage != b'p' && bytes.len() <= 126 {
            out.push((bytes.len() as u8 + 1) << 1 | 1);
            return out.extend_from_slice(bytes);
        }
        out.resize(self.align(out.len()), 0);
        match self.sub.len {
            -1 => {
                out.extend_from_slice(&((bytes.len() as u32 + 4) << 2).to_le_bytes());
                out.extend_from_slice(bytes);
            }
            len if self.sub.byval => {
                out.extend_from_slice(&v.as_ref().word().to_le_bytes()[..len.clamp(1, 8) as usize]);
            }
            _ => out.extend_from_slice(bytes),
        }
    }
    pub(crate) fn compare_values(&self, rt: &mut dyn Runtime, a: DatumRef<'_>, b: DatumRef<'_>) -> Result<Ordering> {
        match self.sub.oid {
            INT4OID | INT8OID | DATEOID | TIMESTAMPOID | TIMESTAMPTZOID => {
                Ok((a.word() as i64).cmp(&(b.word() as i64)))
            }
            NUMERICOID => Ok(crate::numeric::compare_bytes(a.as_bytes(), b.as_bytes())),
            _ => Ok((rt.call(self.sub.cmp_proc, self.sub.collation, &[a, b])?.as_ref().word() as i32).cmp(&0)),
        }
    }
    /// (PostgreSQL: `range_cmp_bounds`)
    pub(crate) fn compare(&self, rt: &mut dyn Runtime, a: &Bound, b: &Bound) -> Result<Ordering> {
        let side = |low: bool| if low { Ordering::Less } else { Ordering::Greater };
        let (x, y) = match (&a.value, &b.value) {
            (None, None) if a.lower == b.lower => return Ok(Ordering::Equal),
            (None, _) => return Ok(side(a.lower)),
            (_, None) => return Ok(side(!b.lower)),
            (Some(x), Some(y)) => (x, y),
        };
        let order = self.compare_values(rt, x.as_ref(), y.as_ref())?;
        Ok(order.then_with(|| match (a.inclusive, b.inclusive) {
            (false, false) if a.lower == b.lower => Ordering::Equal,
            (false, _) => side(!a.lower),
            (true, false) => side(b.lower),
            (true, true) => Ordering::Equal,
        }))
    }
    /// (PostgreSQL: `make_range`)
    pub(crate) fn make(&self, rt: &mut dyn Runtime, mut bounds: [Bound; 2]) -> Result<Range> {
        for b in &mut bounds {
            b.inclusive &= b.value.is_some();
        }
        if self.is_void(rt, &bounds)? {
            return Ok(None);
        }
        let discrete = matches!(self.oid, INT4RANGEOID | INT8RANGEOID | DATERANGEOID);
        if discrete {
            for b in &mut bounds {
                if b.inclusive != b.lower
                    && let Some(v) = &mut b.value
                {
                    let word = v.as_ref().word() as i64;
                    let infinite = self.oid == DATERANGEOID && crate::datetime::date::is_infinite(word as i32);
                    if !infinite {
                        *v = self.next(word)?;
                        b.inclusive = b.lower;
                    }
                }
            }
            if self.is_void(rt, &bounds)? {
                return Ok(None);
            }
        }
        Ok(Some(bounds))
    }
    fn next(&self, v: i64) -> Result<Datum> {
        match self.oid {
            INT8RANGEOID => v.checked_add(1).map(Datum::i64).ok_or_else(|| out_of_range("bigint")),
            INT4RANGEOID => i32::try_from(v + 1).map(Datum::i32).map_err(|_| out_of_range("integer")),
            _ => match v + 1 {
                ..2_145_031_949 => Ok(Datum::i32((v + 1) as i32)),
                _ => Err(error(DATETIME_VALUE_OUT_OF_RANGE, "date out of range")),
            },
        }
    }
    fn is_void(&self, rt: &mut dyn Runtime, [lower, upper]: &[Bound; 2]) -> Result<bool> {
        let (Some(l), Some(u)) = (&lower.value, &upper.value) else { return Ok(false) };
        match self.compare_values(rt, l.as_ref(), u.as_ref())? {
            Ordering::Greater => {
                let text = "range lower bound must be less than or equal to range upper bound";
                Err(error(DATA_EXCEPTION, text))
            }
            Ordering::Equal => Ok(!(lower.inclusive && upper.inclusive)),
            Ordering::Less => Ok(false),
        }
    }
}

fn flags(text: &str) -> Result<(bool, bool)> {
    Ok(match text {
        "[]" => (true, true),
        "[)" => (true, false),
        "(]" => (false, true),
        "()" => (false, false),
        _ => {
            return Err(error(SYNTAX_ERROR, "invalid range bound flags")
                .hint("Valid values are \"[]\", \"[)\", \"(]\", and \"()\"."));
        }
    })
}
fn construct(cx: &mut FnCx<'_>, low: Datum, high: Datum, (a, b): (bool, bool)) -> Result<Datum> {
    let kind = Kind::of(cx.rt, cx.call.result_type)?;
    let bound =
        |v: Datum, inclusive, lower| Bound { value: if v.is_null() { None } else { Some(v) }, inclusive, lower };
    let r = kind.make(cx.rt, [bound(low, a, true), bound(high, b, false)])?;
    kind.write(&r)
}
#[builtin("range_constructor2")]
fn range_constructor2(cx: &mut FnCx<'_>, low: Datum, high: Datum) -> Result<Datum> {
    construct(cx, low, high, (true, false))
}
#[builtin("range_constructor3")]
fn range_constructor3(cx: &mut FnCx<'_>, low: Datum, high: Datum, how: Option<&str>) -> Result<Datum> {
    let null = || error(DATA_EXCEPTION, "range constructor flags argument must not be null");
    let how = flags(how.ok_or_else(null)?)?;
    construct(cx, low, high, how)
}

// Text.

/// A bound's text up to the character that ends it; `None` if there is none.
fn bound_text(s: &str, at: &mut usize, bad: &dyn Fn(&str) -> PgError) -> Result<Option<String>> {
    let mut out = String::new();
    let mut quoted = false;
    let start = *at;
    let mut chars = s[start..].char_indices().peekable();
    loop {
        let Some((i, c)) = chars.next() else { return Err(bad("Unexpected end of input.")) };
        match c {
            ',' | ')' | ']' if !quoted => {
                *at = start + i;
                return Ok(if i == 0 { None } else { Some(out) });
            }
            '\\' => out.push(chars.next().ok_or_else(|| bad("Unexpected end of input."))?.1),
            '"' if quoted && chars.peek().is_some_and(|(_, c)| *c == '"') => {
                chars.next();
                out.push('"');
            }
            '"' => quoted = !quoted,
            c => out.push(c),
        }
    }
}
#[builtin("range_in")]
fn range_in(cx: &mut FnCx<'_>, s: &str, oid: Oid, typmod: i32) -> Result<Datum> {
    let kind = Kind::of(cx.rt, oid)?;
    let bad =
        |detail: &str| error(INVALID_TEXT_REPRESENTATION, format!("malformed range literal: \"{s}\"")).detail(detail);
    let text = s.trim_start_matches(is_space);
    if text.get(..5).is_some_and(|t| t.eq_ignore_ascii_case("empty")) {
        if !text[5..].trim_matches(is_space).is_empty() {
            return Err(bad("Junk after \"empty\" key word."));
        }
        return kind.write(&None);
    }
    let low_inclusive = match text.as_bytes().first() {
        Some(b'[') => true,
        Some(b'(') => false,
        _ => return Err(bad("Missing left parenthesis or bracket.")),
    };
    let mut at = 1;
    let low = bound_text(text, &mut at, &bad)?;
    if text.as_bytes()[at] != b',' {
        return Err(bad("Missing comma after lower bound."));
    }
    at += 1;
    let high = bound_text(text, &mut at, &bad)?;
    let high_inclusive = match text.as_bytes()[at] {
        b']' => true,
        b')' => false,
        _ => return Err(bad("Too many commas.")),
    };
    if !text[at + 1..].trim_matches(is_space).is_empty() {
        return Err(bad("Junk after right parenthesis or bracket."));
    }
    let mut value = |t: Option<String>| -> Result<Option<Datum>> {
        t.map(|t| crate::generic::from_text(cx.rt, kind.sub.oid, typmod, &t)).transpose()
    };
    let (low, high) = (value(low)?, value(high)?);
    let bounds = [
        Bound { value: low, inclusive: low_inclusive, lower: true },
        Bound { value: high, inclusive: high_inclusive, lower: false },
    ];
    let r = kind.make(cx.rt, bounds)?;
    kind.write(&r)
}
#[builtin("range_recv")]
fn range_recv(cx: &mut FnCx<'_>, b: &[u8], oid: Oid, typmod: i32) -> Result<Datum> {
    let kind = Kind::of(cx.rt, oid)?;
    let mut r = crate::wire::Reader::new(b);
    let flags = r.u8()? & 0x1f;
    let mut value = |infinite: u8| -> Result<Option<Datum>> {
        if flags & (EMPTY | infinite) != 0 {
            return Ok(None);
        }
        let n = usize::try_from(r.i32()?).unwrap_or(usize::MAX);
        let (param, typmod) = (Datum::oid(kind.sub.ioparam), Datum::i32(typmod));
        let args = [DatumRef::Bytes(r.take(n)?), param.as_ref(), typmod.as_ref()];
        cx.rt.call(kind.sub.receive, Oid::INVALID, &args).map(Some)
    };
    let (low, high) = (value(LOWER_INFINITE)?, value(UPPER_INFINITE)?);
    r.end()?;
    if flags & EMPTY != 0 {
        return kind.write(&None);
    }
    let bounds = [
        Bound { value: low, inclusive: flags & LOWER_INCLUSIVE != 0, lower: true },
        Bound { value: high, inclusive: flags & UPPER_INCLUSIVE != 0, lower: false },
    ];
    let r = kind.make(cx.rt, bounds)?;
    kind.write(&r)
}
#[builtin("range_send")]
fn range_send(cx: &mut FnCx<'_>, b: &[u8]) -> Result<Vec<u8>> {
    let (kind, r) = open(cx, b)?;
    let mut out = vec![b.last().copied().unwrap_or(EMPTY) & 0x1f];
    for v in r.iter().flatten().filter_map(|b| b.value.as_ref()) {
        let sent = cx.rt.call(kind.sub.send, Oid::INVALID, &[v.as_ref()])?;
        let sent = sent.as_ref().as_bytes();
        out.extend_from_slice(&(sent.len() as i32).to_be_bytes());
        out.extend_from_slice(sent);
    }
    Ok(out)
}
#[builtin("range_out")]
fn range_out(cx: &mut FnCx<'_>, b: &[u8]) -> Result<String> {
    let kind = Kind::of_value(cx.rt, b)?;
    let Some([low, high]) = kind.read(b)? else { return Ok("empty".into()) };
    let mut out = String::from(if low.inclusive { "[" } else { "(" });
    for (bound, after) in [(&low, ","), (&high, if high.inclusive { "]" } else { ")" })] {
        if let Some(v) = &bound.value {
            let text = crate::generic::text_of(cx.rt, kind.sub.oid, v.as_ref())?;
            let special = |c: char| matches!(c, '"' | '\\' | '(' | ')' | '[' | ']' | ',') || is_space(c);
            if text.is_empty() || text.contains(special) {
                out.push('"');
                out.push_str(&text.replace('\\', "\\\\").replace('"', "\"\""));
                out.push('"');
            } else {
                out.push_str(&text);
            }
        }
        out.push_str(after);
    }
    Ok(out)
}

// Parts.

/// A range argument opened.
pub(crate) fn open(cx: &mut FnCx<'_>, b: &[u8]) -> Result<(Kind, Range)> {
    let kind = Kind::of_value(cx.rt, b)?;
    let r = kind.read(b)?;
    Ok((kind, r))
}
fn pair(cx: &mut FnCx<'_>, a: &[u8], b: &[u8]) -> Result<(Kind, Range, Range)> {
    let (kind, x) = open(cx, a)?;
    if a.get(..4) != b.get(..4) {
        return Err(PgError::internal("range types do not match"));
    }
    let y = kind.read(b)?;
    Ok((kind, x, y))
}
#[builtin("range_lower")]
fn range_lower(cx: &mut FnCx<'_>, r: &[u8]) -> Result<Option<Datum>> {
    Ok(open(cx, r)?.1.and_then(|[l, _]| l.value))
}
#[builtin("range_upper")]
fn range_upper(cx: &mut FnCx<'_>, r: &[u8]) -> Result<Option<Datum>> {
    Ok(open(cx, r)?.1.and_then(|[_, u]| u.value))
}
fn flag(r: &[u8], bit: u8) -> bool {
    r.last().is_some_and(|f| f & bit != 0)
}
#[builtin("range_empty")]
fn range_empty(r: &[u8]) -> bool {
    flag(r, EMPTY)
}
#[builtin("range_lower_inc")]
fn range_lower_inc(r: &[u8]) -> bool {
    flag(r, LOWER_INCLUSIVE)
}
#[builtin("range_upper_inc")]
fn range_upper_inc(r: &[u8]) -> bool {
    flag(r, UPPER_INCLUSIVE)
}
#[builtin("range_lower_inf")]
fn range_lower_inf(r: &[u8]) -> bool {
    flag(r, LOWER_INFINITE)
}
#[builtin("range_upper_inf")]
fn range_upper_inf(r: &[u8]) -> bool {
    flag(r, UPPER_INFINITE)
}

// Order.

fn order(cx: &mut FnCx<'_>, a: &[u8], b: &[u8]) -> Result<Ordering> {
    Ok(match pair(cx, a, b)? {
        (_, None, None) => Ordering::Equal,
        (_, None, _) => Ordering::Less,
        (_, _, None) => Ordering::Greater,
        (k, Some(x), Some(y)) => {
            let low = k.compare(cx.rt, &x[0], &y[0])?;
            if low.is_eq() { k.compare(cx.rt, &x[1], &y[1])? } else { low }
        }
    })
}
#[builtin("range_cmp")]
fn range_cmp(cx: &mut FnCx<'_>, a: &[u8], b: &[u8]) -> Result<i32> {
    Ok(order(cx, a, b)? as i32)
}
#[builtin("range_eq")]
fn range_eq(cx: &mut FnCx<'_>, a: &[u8], b: &[u8]) -> Result<bool> {
    Ok(order(cx, a, b)?.is_eq())
}
#[builtin("range_ne")]
fn range_ne(cx: &mut FnCx<'_>, a: &[u8], b: &[u8]) -> Result<bool> {
    Ok(order(cx, a, b)?.is_ne())
}
#[builtin("range_lt")]
fn range_lt(cx: &mut FnCx<'_>, a: &[u8], b: &[u8]) -> Result<bool> {
    Ok(order(cx, a, b)?.is_lt())
}
#[builtin("range_le")]
fn range_le(cx: &mut FnCx<'_>, a: &[u8], b: &[u8]) -> Result<bool> {
    Ok(order(cx, a, b)?.is_le())
}
#[builtin("range_gt")]
fn range_gt(cx: &mut FnCx<'_>, a: &[u8], b: &[u8]) -> Result<bool> {
    Ok(order(cx, a, b)?.is_gt())
}
#[builtin("range_ge")]
fn range_ge(cx: &mut FnCx<'_>, a: &[u8], b: &[u8]) -> Result<bool> {
    Ok(order(cx, a, b)?.is_ge())
}
/// A hash of bounds and flags. (PostgreSQL: `hash_range`)
pub(crate) fn hash_bounds(rt: &mut dyn Runtime, kind: &Kind, r: &Range, flags: u8) -> Result<u32> {
    let mut hash = |v: Option<&Datum>| -> Result<u32> {
        let Some(v) = v else { return Ok(0) };
        let f = hash_function(kind, kind.sub.hash_proc)?;
        Ok(rt.call(f, kind.sub.collation, &[v.as_ref()])?.as_ref().word() as u32)
    };
    let (low, high) = match r {
        None => (0, 0),
        Some([l, u]) => (hash(l.value.as_ref())?, hash(u.value.as_ref())?),
    };
    let start = hash_u32(flags.into()) as u32;
    Ok((start ^ low).rotate_left(1) ^ high)
}
fn hash_function(kind: &Kind, f: Oid) -> Result<Oid> {
    let text = || format!("could not identify a hash function for type {}", kind.sub.name);
    f.valid().ok_or_else(|| error(UNDEFINED_FUNCTION, text()))
}
pub(crate) fn hash_bounds_extended(rt: &mut dyn Runtime, kind: &Kind, r: &Range, flags: u8, seed: i64) -> Result<u64> {
    let mut hash = |v: Option<&Datum>| -> Result<u64> {
        let Some(v) = v else { return Ok(0) };
        let f = hash_function(kind, kind.sub.hash_extended_proc)?;
        Ok(rt.call(f, kind.sub.collation, &[v.as_ref(), Datum::i64(seed).as_ref()])?.as_ref().word())
    };
    let (low, high) = match r {
        None => (0, 0),
        Some([l, u]) => (hash(l.value.as_ref())?, hash(u.value.as_ref())?),
    };
    let mixed = crate::hash::hash_u32_extended(flags.into(), seed) as u64 ^ low;
    // Each half is turned by one bit.
    let turned = (mixed << 1 & 0xffff_fffe_ffff_fffe) | (mixed >> 31 & 0x0000_0001_0000_0001);
    Ok(turned ^ high)
}
#[builtin("hash_range")]
fn hash_range(cx: &mut FnCx<'_>, b: &[u8]) -> Result<i32> {
    let (kind, r) = open(cx, b)?;
    Ok(hash_bounds(cx.rt, &kind, &r, b.last().copied().unwrap_or(0))? as i32)
}
#[builtin("hash_range_extended")]
fn hash_range_extended(cx: &mut FnCx<'_>, b: &[u8], seed: i64) -> Result<i64> {
    let (kind, r) = open(cx, b)?;
    Ok(hash_bounds_extended(cx.rt, &kind, &r, b.last().copied().unwrap_or(0), seed)? as i64)
}

// Relations.

type Test = fn(&Kind, &mut dyn Runtime, &[Bound; 2], &[Bound; 2]) -> Result<bool>;

/// A relation that no empty range is in.
fn both(cx: &mut FnCx<'_>, a: &[u8], b: &[u8], test: Test) -> Result<bool> {
    match pair(cx, a, b)? {
        (k, Some(x), Some(y)) => test(&k, cx.rt, &x, &y),
        _ => Ok(false),
    }
}
#[builtin("range_before")]
fn range_before(cx: &mut FnCx<'_>, a: &[u8], b: &[u8]) -> Result<bool> {
    both(cx, a, b, |k, rt, x, y| Ok(k.compare(rt, &x[1], &y[0])?.is_lt()))
}
#[builtin("range_after")]
fn range_after(cx: &mut FnCx<'_>, a: &[u8], b: &[u8]) -> Result<bool> {
    both(cx, a, b, |k, rt, x, y| Ok(k.compare(rt, &x[0], &y[1])?.is_gt()))
}
#[builtin("range_overleft")]
fn range_overleft(cx: &mut FnCx<'_>, a: &[u8], b: &[u8]) -> Result<bool> {
    both(cx, a, b, |k, rt, x, y| Ok(k.compare(rt, &x[1], &y[1])?.is_le()))
}
#[builtin("range_overright")]
fn range_overright(cx: &mut FnCx<'_>, a: &[u8], b: &[u8]) -> Result<bool> {
    both(cx, a, b, |k, rt, x, y| Ok(k.compare(rt, &x[0], &y[0])?.is_ge()))
}
pub(crate) fn overlap(k: &Kind, rt: &mut dyn Runtime, x: &[Bound; 2], y: &[Bound; 2]) -> Result<bool> {
    Ok(k.compare(rt, &x[0], &y[1])?.is_le() && k.compare(rt, &y[0], &x[1])?.is_le())
}
#[builtin("range_overlaps")]
fn range_overlaps(cx: &mut FnCx<'_>, a: &[u8], b: &[u8]) -> Result<bool> {
    both(cx, a, b, overlap)
}
/// An upper bound and the lower bound that goes on from it.
pub(crate) fn meet(k: &Kind, rt: &mut dyn Runtime, upper: &Bound, lower: &Bound) -> Result<bool> {
    let (Some(u), Some(l)) = (&upper.value, &lower.value) else { return Ok(false) };
    match k.compare_values(rt, u.as_ref(), l.as_ref())? {
        Ordering::Greater => Ok(false),
        Ordering::Equal => Ok(upper.inclusive != lower.inclusive),
        Ordering::Less => {
            // Nothing lies between them.
            let from = Bound { inclusive: !upper.inclusive, lower: true, ..upper.clone() };
            let to = Bound { inclusive: !lower.inclusive, lower: false, ..lower.clone() };
            Ok(k.make(rt, [from, to])?.is_none())
        }
    }
}
pub(crate) fn adjacent(k: &Kind, rt: &mut dyn Runtime, x: &[Bound; 2], y: &[Bound; 2]) -> Result<bool> {
    Ok(meet(k, rt, &x[1], &y[0])? || meet(k, rt, &y[1], &x[0])?)
}
#[builtin("range_adjacent")]
fn range_adjacent(cx: &mut FnCx<'_>, a: &[u8], b: &[u8]) -> Result<bool> {
    both(cx, a, b, adjacent)
}
pub(crate) fn encloses(k: &Kind, rt: &mut dyn Runtime, x: &[Bound; 2], y: &[Bound; 2]) -> Result<bool> {
    Ok(k.compare(rt, &x[0], &y[0])?.is_le() && k.compare(rt, &x[1], &y[1])?.is_ge())
}
#[builtin("range_contains")]
fn range_contains(cx: &mut FnCx<'_>, a: &[u8], b: &[u8]) -> Result<bool> {
    if flag(b, EMPTY) {
        return Ok(true);
    }
    both(cx, a, b, encloses)
}
#[builtin("range_contained_by")]
fn range_contained_by(cx: &mut FnCx<'_>, a: &[u8], b: &[u8]) -> Result<bool> {
    range_contains(cx, b, a)
}
pub(crate) fn holds(k: &Kind, rt: &mut dyn Runtime, r: &[Bound; 2], v: DatumRef<'_>) -> Result<bool> {
    for b in r {
        if let Some(edge) = &b.value {
            let order = k.compare_values(rt, edge.as_ref(), v)?;
            let wrong = if b.lower { Ordering::Greater } else { Ordering::Less };
            if order == wrong || order.is_eq() && !b.inclusive {
                return Ok(false);
            }
        }
    }
    Ok(true)
}
fn has(cx: &mut FnCx<'_>, r: &[u8], v: DatumRef<'_>) -> Result<Option<bool>> {
    if v.is_null() {
        return Ok(None);
    }
    let (k, Some(r)) = open(cx, r)? else { return Ok(Some(false)) };
    holds(&k, cx.rt, &r, v).map(Some)
}
#[builtin("range_contains_elem")]
fn range_contains_elem(cx: &mut FnCx<'_>, r: Option<&[u8]>, v: DatumRef<'_>) -> Result<Option<bool>> {
    r.map_or(Ok(None), |r| has(cx, r, v))
}
#[builtin("elem_contained_by_range")]
fn elem_contained_by_range(cx: &mut FnCx<'_>, v: DatumRef<'_>, r: Option<&[u8]>) -> Result<Option<bool>> {
    r.map_or(Ok(None), |r| has(cx, r, v))
}

// Sets.

pub(crate) fn wider(k: &Kind, rt: &mut dyn Runtime, x: [Bound; 2], y: [Bound; 2]) -> Result<[Bound; 2]> {
    let low = k.compare(rt, &x[0], &y[0])?.is_lt();
    let high = k.compare(rt, &x[1], &y[1])?.is_gt();
    let ([xl, xu], [yl, yu]) = (x, y);
    Ok([if low { xl } else { yl }, if high { xu } else { yu }])
}
fn joined(cx: &mut FnCx<'_>, a: &[u8], b: &[u8], strict: bool) -> Result<Datum> {
    let (k, x, y) = pair(cx, a, b)?;
    let r = match (x, y) {
        (None, r) | (r, None) => r,
        (Some(x), Some(y)) => {
            if strict && !overlap(&k, cx.rt, &x, &y)? && !adjacent(&k, cx.rt, &x, &y)? {
                return Err(error(DATA_EXCEPTION, "result of range union would not be contiguous"));
            }
            let w = wider(&k, cx.rt, x, y)?;
            k.make(cx.rt, w)?
        }
    };
    k.write(&r)
}
#[builtin("range_union")]
fn range_union(cx: &mut FnCx<'_>, a: &[u8], b: &[u8]) -> Result<Datum> {
    joined(cx, a, b, true)
}
#[builtin("range_merge")]
fn range_merge(cx: &mut FnCx<'_>, a: &[u8], b: &[u8]) -> Result<Datum> {
    joined(cx, a, b, false)
}
#[builtin("range_intersect", "range_intersect_agg_transfn")]
fn range_intersect(cx: &mut FnCx<'_>, a: &[u8], b: &[u8]) -> Result<Datum> {
    let r = match pair(cx, a, b)? {
        (k, Some(x), Some(y)) if overlap(&k, cx.rt, &x, &y)? => {
            let low = k.compare(cx.rt, &x[0], &y[0])?.is_ge();
            let high = k.compare(cx.rt, &x[1], &y[1])?.is_le();
            let ([xl, xu], [yl, yu]) = (x, y);
            k.make(cx.rt, [if low { xl } else { yl }, if high { xu } else { yu }])?
        }
        _ => None,
    };
    Kind::of_value(cx.rt, a)?.write(&r)
}
#[builtin("range_minus")]
fn range_minus(cx: &mut FnCx<'_>, a: &[u8], b: &[u8]) -> Result<Datum> {
    let (k, x, y) = pair(cx, a, b)?;
    let (Some(x), Some(y)) = (x.clone(), y) else { return k.write(&x) };
    if !overlap(&k, cx.rt, &x, &y)? {
        return k.write(&Some(x));
    }
    let left = k.compare(cx.rt, &x[0], &y[0])?.is_lt();
    let right = k.compare(cx.rt, &x[1], &y[1])?.is_gt();
    let ([xl, xu], [yl, yu]) = (x, y);
    let r = match (left, right) {
        (true, true) => {
            return Err(error(DATA_EXCEPTION, "result of range difference would not be contiguous"));
        }
        (true, false) => k.make(cx.rt, [xl, Bound { inclusive: !yl.inclusive, lower: false, ..yl }])?,
        (false, true) => k.make(cx.rt, [Bound { inclusive: !yu.inclusive, lower: true, ..yu }, xu])?,
        (false, false) => None,
    };
    k.write(&r)
}

// What a range type's definition names: canonical forms and differences.

#[builtin("int4range_canonical", "int8range_canonical", "daterange_canonical")]
fn canonical(cx: &mut FnCx<'_>, b: &[u8]) -> Result<Datum> {
    match open(cx, b)? {
        (k, Some(bounds)) => {
            let r = k.make(cx.rt, bounds)?;
            k.write(&r)
        }
        (k, None) => k.write(&None),
    }
}
#[builtin("int4range_subdiff", "daterange_subdiff")]
fn int4range_subdiff(a: i32, b: i32) -> f64 {
    f64::from(a) - f64::from(b)
}
#[builtin("int8range_subdiff")]
fn int8range_subdiff(a: i64, b: i64) -> f64 {
    a as f64 - b as f64
}
#[builtin("tsrange_subdiff", "tstzrange_subdiff")]
fn tsrange_subdiff(a: i64, b: i64) -> f64 {
    (a as f64 - b as f64) / 1_000_000.0
}
#[builtin("numrange_subdiff")]
fn numrange_subdiff(cx: &mut FnCx<'_>, a: DatumRef<'_>, b: DatumRef<'_>) -> Result<f64> {
    let mut float =
        |d| crate::generic::text_of(cx.rt, NUMERICOID, d).and_then(|t| crate::float::parse_f64(&t, "numeric"));
    Ok(float(a)? - float(b)?)
}
