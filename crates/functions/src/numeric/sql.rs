//! The built-ins of `numeric`.

use std::cmp::Ordering;

use base::sqlstate::*;
use base::{Oid, PgError, Result};
use types::{Builtin, Datum, FnCx, IntoDatum, RowSource, builtin};

use super::digits::Digits;
use super::parse::split_typmod;
use super::{Kind, MAX_DSCALE, Numeric};
use crate::err::{error, invalid_parameter, out_of_range};
use crate::hash::{hash_bytes, hash_bytes_extended};
use crate::wire::whole;

impl IntoDatum for Numeric {
    fn into_datum(self) -> Datum {
        self.to_datum()
    }
}
impl<'a> types::FromDatum<'a> for Numeric {
    fn from_datum(d: types::DatumRef<'a>) -> Result<Self> {
        Numeric::from_bytes(<&[u8]>::from_datum(d)?)
    }
}

/// Sign and weight of a number with a short header as one that orders first, and its digits; `None` for other forms.
#[inline]
fn plain_parts(b: &[u8]) -> Option<(i32, &[u8])> {
    let [low, high, digits @ ..] = b else { return None };
    let head = u16::from_le_bytes([*low, *high]);
    if head >> 14 != 0b10 {
        return None;
    }
    if digits.is_empty() {
        return Some((0, digits));
    }
    // From 1 up.
    let weight = (i32::from(head & 0x7F) ^ 0x40) + 1;
    Some((if head & 0x2000 != 0 { -weight } else { weight }, digits))
}

/// A stored number of moderate size in units of `10000 ^ -fraction`, and its display scale.
#[inline]
pub fn scaled(b: &[u8], fraction: i32) -> Option<(i128, i32)> {
    const POWERS: [i64; 5] = [1, 10_000, 100_000_000, 1_000_000_000_000, 10_000_000_000_000_000];
    let (key, digits) = plain_parts(b)?;
    let dscale = i32::from(b[1]) << 1 & 0x3E | i32::from(b[0]) >> 7;
    let n = (digits.len() / 2) as i32;
    // Places that follow the last digit.
    let missing = key.abs() - 64 + fraction - n;
    if n > 4 || key != 0 && !(0..=4).contains(&missing) {
        return if key == 0 { Some((0, dscale)) } else { None };
    }
    let value = digits.chunks_exact(2).fold(0, |v, d| v * 10_000 + i64::from(u16::from_le_bytes([d[0], d[1]])));
    let value = i128::from(value) * i128::from(POWERS[missing.clamp(0, 4) as usize]);
    Some((if key < 0 { -value } else { value }, dscale))
}

/// Eight bytes that order as the stored numbers do; equal ones may stand for different numbers.
/// (PostgreSQL: `numeric_abbrev_convert`)
pub fn abbreviate(b: &[u8]) -> u64 {
    let Some((key, digits)) = plain_parts(b) else {
        let special = |n: &Numeric| match n.kind {
            Kind::NaN => u64::MAX,
            Kind::Infinity => u64::MAX - 1,
            Kind::NegInfinity => 0,
            // A long header: beyond the others' weights, or of a larger scale.
            Kind::Finite if n.is_zero() => 1 << 63,
            Kind::Finite if n.weight > 63 => {
                if n.negative {
                    1
                } else {
                    u64::MAX - 2
                }
            }
            Kind::Finite if n.weight < -64 => {
                if n.negative {
                    (1 << 63) - 1
                } else {
                    (1 << 63) + 1
                }
            }
            Kind::Finite => abbreviated(if n.negative { -n.weight - 65 } else { n.weight + 65 }, |i| {
                n.digits.get(i).map_or(0, |&d| d as u64)
            }),
        };
        return special(&Numeric::from_bytes(b).unwrap_or(Numeric::special(Kind::NaN)));
    };
    let digit = |i: usize| digits.get(2 * i..2 * i + 2).map_or(0, |d| u64::from(u16::from_le_bytes([d[0], d[1]])));
    abbreviated(key, digit)
}
fn abbreviated(key: i32, digit: impl Fn(usize) -> u64) -> u64 {
    // Zero, and the four greatest of each sign, stay free.
    let magnitude =
        (u64::from(key.unsigned_abs()) << 55 | digit(0) << 41 | digit(1) << 27 | digit(2) << 13 | digit(3) >> 1) >> 1;
    match key {
        0 => 1 << 63,
        k if k < 0 => (1 << 63) - 2 - magnitude,
        _ => (1 << 63) + 2 + magnitude,
    }
}

/// The order of stored numbers; damaged ones sort as NaN.
pub fn compare_bytes(a: &[u8], b: &[u8]) -> Ordering {
    if let (Some((ka, a)), Some((kb, b))) = (plain_parts(a), plain_parts(b)) {
        // Without trailing zeroes, a longer number with the same beginning is larger.
        let digits = |b: &[u8], i: usize| u16::from_le_bytes([b[i], b[i + 1]]);
        return ka.cmp(&kb).then_with(|| {
            let both = a.len().min(b.len()) & !1;
            let differ = (0..both).step_by(2).find(|&i| a[i..i + 2] != b[i..i + 2]);
            let order = differ.map_or(a.len().cmp(&b.len()), |i| digits(a, i).cmp(&digits(b, i)));
            if ka < 0 { order.reverse() } else { order }
        });
    }
    let read = |b| Numeric::from_bytes(b).unwrap_or(Numeric::special(Kind::NaN));
    read(a).compare(&read(b))
}
pub static NUMERIC_COMPARE: &[Builtin] = &compare_bytes!(
    compare_bytes,
    ["numeric_eq", "numeric_ne", "numeric_lt", "numeric_le", "numeric_gt", "numeric_ge", "numeric_cmp"]
);

#[builtin("numeric_in")]
fn numeric_in(s: &str, _elem: Oid, typmod: i32) -> Result<Numeric> {
    Numeric::parse(s)?.apply_typmod(typmod)
}
#[builtin("numeric_out", write)]
fn numeric_out(n: Numeric, out: &mut Vec<u8>) {
    n.write(out);
}
#[builtin("numeric_recv")]
fn numeric_recv(b: &[u8], _elem: Oid, typmod: i32) -> Result<Numeric> {
    let n = whole(b, |r| {
        let (count, weight, sign, dscale) = (r.i16()?, r.i16()?, r.i16()? as u16, r.i16()? as u16);
        let bad = |what: &str| {
            PgError::new(INVALID_BINARY_REPRESENTATION, format!("invalid {what} in external \"numeric\" value"))
        };
        match sign {
            0xC000 => return Ok(Numeric::special(Kind::NaN)),
            0xD000 => return Ok(Numeric::special(Kind::Infinity)),
            0xF000 => return Ok(Numeric::special(Kind::NegInfinity)),
            0 | 0x4000 => {}
            _ => return Err(bad("sign")),
        }
        if i32::from(dscale) > MAX_DSCALE {
            return Err(bad("scale"));
        }
        let mut digits = Digits::new();
        for _ in 0..count {
            let d = r.i16()?;
            if !(0..10_000).contains(&d) {
                return Err(bad("digit"));
            }
            digits.push(d);
        }
        let n = Numeric {
            kind: Kind::Finite,
            negative: sign == 0x4000,
            weight: weight.into(),
            dscale: dscale.into(),
            digits,
        };
        Ok(n.normalize().truncated(dscale.into()))
    })?;
    n.apply_typmod(typmod)
}
#[builtin("numeric_send")]
fn numeric_send(n: Numeric) -> Vec<u8> {
    let sign = match (n.kind, n.negative) {
        (Kind::NaN, _) => 0xC000,
        (Kind::Infinity, _) => 0xD000,
        (Kind::NegInfinity, _) => 0xF000,
        (Kind::Finite, true) => 0x4000,
        (Kind::Finite, false) => 0u16,
    };
    let mut out = Vec::new();
    for w in [n.digits.len() as u16, n.weight as u16, sign, n.dscale as u16] {
        out.extend_from_slice(&w.to_be_bytes());
    }
    n.digits.iter().for_each(|d| out.extend_from_slice(&d.to_be_bytes()));
    out
}
#[builtin("numeric")]
fn numeric(n: Numeric, typmod: i32) -> Result<Numeric> {
    n.apply_typmod(typmod)
}
#[builtin("numerictypmodin")]
fn numerictypmodin(a: &[u8]) -> Result<i32> {
    let list = crate::arrays::cstrings(a)?;
    let numbers = list
        .iter()
        .map(|s| crate::int::parse_int(s, "integer", i32::MIN.into(), i32::MAX.into()))
        .collect::<Result<Vec<_>>>()?;
    let (precision, scale) = match numbers[..] {
        [p] => (p, 0),
        [p, s] => (p, s),
        _ => return Err(invalid_parameter("invalid NUMERIC type modifier")),
    };
    make_typmod(precision as i32, scale as i32)
}
/// (PostgreSQL: `make_numeric_typmod_safe`)
pub(crate) fn make_typmod(precision: i32, scale: i32) -> Result<i32> {
    if !(1..=1000).contains(&precision) {
        return Err(invalid_parameter(format!("NUMERIC precision {precision} must be between 1 and 1000")));
    }
    if !(-1000..=1000).contains(&scale) {
        return Err(invalid_parameter(format!("NUMERIC scale {scale} must be between -1000 and 1000")));
    }
    Ok((precision << 16 | scale & 0x7ff) + 4)
}
#[builtin("numerictypmodout")]
fn numerictypmodout(typmod: i32) -> String {
    let (precision, scale) = split_typmod(typmod);
    if typmod < 4 { String::new() } else { format!("({precision},{scale})") }
}

#[builtin("numeric_add")]
fn numeric_add(a: Numeric, b: Numeric) -> Result<Numeric> {
    a.add(&b).checked()
}
#[builtin("numeric_sub")]
fn numeric_sub(a: Numeric, b: Numeric) -> Result<Numeric> {
    a.sub(&b).checked()
}
#[builtin("numeric_mul")]
fn numeric_mul(a: Numeric, b: Numeric) -> Result<Numeric> {
    a.mul(&b).checked()
}
#[builtin("numeric_div")]
fn numeric_div(a: Numeric, b: Numeric) -> Result<Numeric> {
    a.div(&b)?.checked()
}
#[builtin("numeric_div_trunc")]
fn numeric_div_trunc(a: Numeric, b: Numeric) -> Result<Numeric> {
    a.div_trunc(&b)?.checked()
}
#[builtin("numeric_mod")]
fn numeric_mod(a: Numeric, b: Numeric) -> Result<Numeric> {
    a.rem(&b)
}
#[builtin("numeric_inc")]
fn numeric_inc(a: Numeric) -> Result<Numeric> {
    a.add(&Numeric::from_i64(1)).checked()
}
#[builtin("numeric_uminus")]
fn numeric_uminus(a: Numeric) -> Numeric {
    a.negate()
}
#[builtin("numeric_uplus")]
fn numeric_uplus(a: Numeric) -> Numeric {
    a
}
#[builtin("numeric_abs")]
fn numeric_abs(a: Numeric) -> Numeric {
    a.abs()
}
#[builtin("numeric_sign")]
fn numeric_sign(a: Numeric) -> Numeric {
    if a.is_nan() { a } else { Numeric::from_i64(a.sign().into()) }
}
#[builtin("numeric_round")]
fn numeric_round(a: Numeric, scale: i32) -> Result<Numeric> {
    a.rounded(scale.clamp(-131_072, MAX_DSCALE)).checked()
}
#[builtin("numeric_trunc")]
fn numeric_trunc(a: Numeric, scale: i32) -> Numeric {
    a.truncated(scale.clamp(-131_072, MAX_DSCALE))
}
#[builtin("numeric_ceil")]
fn numeric_ceil(a: Numeric) -> Numeric {
    a.ceil()
}
#[builtin("numeric_floor")]
fn numeric_floor(a: Numeric) -> Numeric {
    a.floor()
}
#[builtin("numeric_sqrt")]
fn numeric_sqrt(a: Numeric) -> Result<Numeric> {
    a.sqrt()
}
#[builtin("numeric_exp")]
fn numeric_exp(a: Numeric) -> Result<Numeric> {
    a.exp()
}
#[builtin("numeric_ln")]
fn numeric_ln(a: Numeric) -> Result<Numeric> {
    a.ln()
}
#[builtin("numeric_log")]
fn numeric_log(base: Numeric, n: Numeric) -> Result<Numeric> {
    base.log(&n)
}
#[builtin("numeric_power")]
fn numeric_power(a: Numeric, b: Numeric) -> Result<Numeric> {
    a.power(&b)?.checked()
}
#[builtin("numeric_gcd")]
fn numeric_gcd(a: Numeric, b: Numeric) -> Numeric {
    a.gcd(&b)
}
#[builtin("numeric_lcm")]
fn numeric_lcm(a: Numeric, b: Numeric) -> Result<Numeric> {
    if !a.is_finite() || !b.is_finite() {
        return Ok(Numeric::special(Kind::NaN));
    }
    let dscale = a.dscale.max(b.dscale);
    if a.is_zero() || b.is_zero() {
        return Ok(Numeric { dscale, ..Numeric::zero() });
    }
    let r = a.div_trunc(&a.gcd(&b))?.mul(&b).abs();
    Numeric { dscale, ..r }.checked()
}
#[builtin("numeric_fac")]
fn numeric_fac(n: i64) -> Result<Numeric> {
    if n < 0 {
        return Err(error(NUMERIC_VALUE_OUT_OF_RANGE, "factorial of a negative number is undefined"));
    }
    if n > 32_177 {
        return Err(super::overflows());
    }
    let big = (2..=n as u32).fold(super::big::Big::from_u64(1), |b, k| b.mul_small(k));
    Ok(Numeric::from_big(&big, 0, false, 0))
}
#[builtin("numeric_larger")]
fn numeric_larger(a: Numeric, b: Numeric) -> Numeric {
    if a.compare(&b).is_gt() { a } else { b }
}
#[builtin("numeric_smaller")]
fn numeric_smaller(a: Numeric, b: Numeric) -> Numeric {
    if a.compare(&b).is_lt() { a } else { b }
}
#[builtin("numeric_scale")]
fn numeric_scale(a: Numeric) -> Option<i32> {
    a.is_finite().then_some(a.dscale)
}
fn min_scale(a: &Numeric) -> i32 {
    let places = (a.digits.len() as i32 - 1 - a.weight).max(0) * 4;
    let last = a.digits.last().copied().unwrap_or(0);
    let zeroes = if places > 0 { [10, 100, 1000].iter().filter(|u| last % **u == 0).count() as i32 } else { 0 };
    (places - zeroes).max(0)
}
#[builtin("numeric_min_scale")]
fn numeric_min_scale(a: Numeric) -> Option<i32> {
    a.is_finite().then(|| min_scale(&a))
}
#[builtin("numeric_trim_scale")]
fn numeric_trim_scale(a: Numeric) -> Numeric {
    let dscale = if a.is_finite() { min_scale(&a) } else { 0 };
    Numeric { dscale, ..a }
}

#[builtin("hash_numeric")]
fn hash_numeric(a: Numeric) -> i32 {
    hash(&a)
}
pub(crate) fn hash(a: &Numeric) -> i32 {
    if !a.is_finite() {
        return 0;
    }
    if a.is_zero() {
        return -1;
    }
    let b: Vec<u8> = a.digits.iter().flat_map(|d| d.to_le_bytes()).collect();
    hash_bytes(&b) ^ a.weight
}
#[builtin("hash_numeric_extended")]
fn hash_numeric_extended(a: Numeric, seed: i64) -> i64 {
    hash_extended(&a, seed)
}
pub(crate) fn hash_extended(a: &Numeric, seed: i64) -> i64 {
    if !a.is_finite() {
        return seed;
    }
    if a.is_zero() {
        return seed.wrapping_sub(1);
    }
    let b: Vec<u8> = a.digits.iter().flat_map(|d| d.to_le_bytes()).collect();
    hash_bytes_extended(&b, seed) ^ i64::from(a.weight)
}

#[builtin("int2_numeric")]
fn int2_numeric(v: i16) -> Numeric {
    Numeric::from_i64(v.into())
}
#[builtin("int4_numeric")]
fn int4_numeric(v: i32) -> Numeric {
    Numeric::from_i64(v.into())
}
#[builtin("int8_numeric")]
fn int8_numeric(v: i64) -> Numeric {
    Numeric::from_i64(v)
}
pub(crate) fn to_int(n: &Numeric, what: &str) -> Result<i128> {
    let kind = match n.kind {
        Kind::NaN => "NaN",
        Kind::Infinity | Kind::NegInfinity => "infinity",
        Kind::Finite => return n.to_i128().ok_or_else(|| out_of_range(what)),
    };
    Err(error(FEATURE_NOT_SUPPORTED, format!("cannot convert {kind} to {what}")))
}
#[builtin("numeric_int2")]
fn numeric_int2(n: Numeric) -> Result<i16> {
    i16::try_from(to_int(&n, "smallint")?).map_err(|_| out_of_range("smallint"))
}
#[builtin("numeric_int4")]
fn numeric_int4(n: Numeric) -> Result<i32> {
    i32::try_from(to_int(&n, "integer")?).map_err(|_| out_of_range("integer"))
}
#[builtin("numeric_int8")]
fn numeric_int8(n: Numeric) -> Result<i64> {
    i64::try_from(to_int(&n, "bigint")?).map_err(|_| out_of_range("bigint"))
}
#[builtin("numeric_float8")]
fn numeric_float8(n: Numeric) -> Result<f64> {
    if n.is_finite() { crate::float::parse_f64(&n.to_text(), "double precision") } else { Ok(n.to_f64()) }
}
#[builtin("numeric_float4")]
fn numeric_float4(n: Numeric) -> Result<f32> {
    if n.is_finite() { crate::float::parse_f32(&n.to_text()) } else { Ok(n.to_f64() as f32) }
}
pub(crate) fn from_float(v: f64, digits: usize) -> Result<Numeric> {
    if v.is_nan() {
        return Ok(Numeric::special(Kind::NaN));
    }
    if v.is_infinite() {
        return Ok(Numeric::special(if v > 0.0 { Kind::Infinity } else { Kind::NegInfinity }));
    }
    let text = format!("{v:.*e}", digits - 1);
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let mantissa = if mantissa.contains('.') { mantissa.trim_end_matches('0').trim_end_matches('.') } else { mantissa };
    Numeric::parse(&format!("{mantissa}e{exponent}"))
}
#[builtin("float8_numeric")]
fn float8_numeric(v: f64) -> Result<Numeric> {
    from_float(v, 15)
}
#[builtin("float4_numeric")]
fn float4_numeric(v: f32) -> Result<Numeric> {
    from_float(v.into(), 6)
}

#[builtin("width_bucket_numeric")]
fn width_bucket_numeric(x: Numeric, low: Numeric, high: Numeric, count: i32) -> Result<i32> {
    let bad = |text: &str| Err(error(INVALID_ARGUMENT_FOR_WIDTH_BUCKET_FUNCTION, text));
    if count <= 0 {
        return bad("count must be greater than zero");
    }
    if x.is_nan() || low.is_nan() || high.is_nan() {
        return bad("operand, lower bound, and upper bound cannot be NaN");
    }
    if low.is_infinite() || high.is_infinite() {
        return bad("lower and upper bounds must be finite");
    }
    let order = low.compare(&high);
    if order.is_eq() {
        return bad("lower bound cannot equal upper bound");
    }
    if x.compare(&low) == order {
        return Ok(0);
    }
    if x.compare(&high) != order {
        return count.checked_add(1).ok_or_else(|| out_of_range("integer"));
    }
    let part = x.sub(&low).abs().mul(&Numeric::from_i64(count.into()));
    let bucket = part.div_trunc(&high.sub(&low).abs())?.to_i128().unwrap_or(0);
    Ok((bucket as i32).min(count - 1) + 1)
}
#[builtin("numeric_random")]
fn numeric_random(cx: &mut FnCx<'_>, min: Numeric, max: Numeric) -> Result<Numeric> {
    let bad = |n: &Numeric, which: &str| {
        let what = if n.is_nan() { "NaN" } else { "infinity" };
        invalid_parameter(format!("{which} bound cannot be {what}"))
    };
    for (n, which) in [(&min, "lower"), (&max, "upper")] {
        if !n.is_finite() {
            return Err(bad(n, which));
        }
    }
    if min.compare(&max).is_gt() {
        return Err(invalid_parameter("lower bound must be less than or equal to upper bound"));
    }
    let scale = min.dscale.max(max.dscale);
    let unit = Numeric::from_i64(10).power(&Numeric::from_i64(scale.into()))?.rounded(0);
    let span = max.sub(&min).mul(&unit).to_i128().and_then(|v| u64::try_from(v).ok());
    let Some(span) = span else { return Err(PgError::unsupported("random(numeric, numeric) over so wide a range")) };
    let v = crate::random::with(cx, |p| p.below_or_at(span))?;
    Ok(min.add(&Numeric::from_i128(v.into()).div_to_scale(&unit, scale)))
}

struct Series {
    next: Numeric,
    last: Numeric,
    step: Numeric,
}
impl RowSource for Series {
    fn next(&mut self, _: &mut FnCx<'_>) -> Result<Option<Vec<Datum>>> {
        let order = self.next.compare(&self.last);
        if if self.step.sign() > 0 { order.is_gt() } else { order.is_lt() } {
            return Ok(None);
        }
        let v = self.next.clone();
        self.next = v.add(&self.step);
        Ok(Some(vec![v.into_datum()]))
    }
}
fn series(from: Numeric, to: Numeric, step: Numeric) -> Result<Box<dyn RowSource>> {
    for (n, what) in [(&from, "start value"), (&to, "stop value"), (&step, "step size")] {
        let kind = if n.is_nan() { "NaN" } else { "infinity" };
        if !n.is_finite() {
            return Err(invalid_parameter(format!("{what} cannot be {kind}")));
        }
    }
    if step.is_zero() {
        return Err(invalid_parameter("step size cannot equal zero"));
    }
    Ok(Box::new(Series { next: from, last: to, step }))
}
#[builtin("generate_series_numeric", set)]
fn generate_series_numeric(from: Numeric, to: Numeric) -> Result<Box<dyn RowSource>> {
    series(from, to, Numeric::from_i64(1))
}
#[builtin("generate_series_step_numeric", set)]
fn generate_series_step_numeric(from: Numeric, to: Numeric, step: Numeric) -> Result<Box<dyn RowSource>> {
    series(from, to, step)
}
