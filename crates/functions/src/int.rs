//! `int2`, `int4`, `int8`: input and output, arithmetic, comparison, bits, conversions, series.

use base::{PgError, Result};
use types::{Batch, Builtin, ColumnData, Datum, FnCx, RowSource, builtin};

use crate::err::{division_by_zero, invalid_input, invalid_parameter, out_of_range, value_out_of_range};
use crate::hash::{fold_i64, hash_u32, hash_u32_extended};
use crate::wire::whole;

/// What C's `isspace` accepts.
pub fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\r' | '\x0b' | '\x0c')
}

enum Bad {
    Syntax,
    Range,
}

/// Digits of any base with single underscores between them, as a magnitude.
fn magnitude(digits: &[u8]) -> Result<u64, Bad> {
    let (base, digits, prefixed) = match digits {
        [b'0', b'x' | b'X', rest @ ..] => (16, rest, true),
        [b'0', b'o' | b'O', rest @ ..] => (8, rest, true),
        [b'0', b'b' | b'B', rest @ ..] => (2, rest, true),
        _ => (10, digits, false),
    };
    let (mut value, mut overflow, mut any, mut after_digit) = (0u64, false, false, prefixed);
    for &c in digits {
        if c == b'_' {
            if !after_digit {
                return Err(Bad::Syntax);
            }
            after_digit = false;
            continue;
        }
        let d = (c as char).to_digit(base).ok_or(Bad::Syntax)?;
        match value.checked_mul(u64::from(base)).and_then(|v| v.checked_add(u64::from(d))) {
            Some(v) => value = v,
            None => overflow = true,
        }
        (any, after_digit) = (true, true);
    }
    match (any && after_digit, overflow) {
        (false, _) => Err(Bad::Syntax),
        (true, true) => Err(Bad::Range),
        (true, false) => Ok(value),
    }
}

/// (PostgreSQL: `pg_strtoint64_safe` and its smaller kin)
pub fn parse_int(s: &str, type_name: &str, min: i64, max: i64) -> Result<i64> {
    let t = s.trim_matches(is_space).as_bytes();
    let (negative, digits) = match t {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, t),
    };
    let value = match magnitude(digits) {
        Ok(m) => {
            let wide = if negative { -i128::from(m) } else { i128::from(m) };
            i64::try_from(wide).map_err(|_| Bad::Range)
        }
        Err(e) => Err(e),
    };
    match value {
        Ok(v) if v >= min && v <= max => Ok(v),
        Ok(_) | Err(Bad::Range) => Err(value_out_of_range(type_name, s)),
        Err(Bad::Syntax) => Err(invalid_input(type_name, s)),
    }
}

#[builtin("int2in")]
fn int2in(s: &str) -> Result<i16> {
    parse_int(s, "smallint", i16::MIN.into(), i16::MAX.into()).map(|v| v as i16)
}
#[builtin("int4in")]
fn int4in(s: &str) -> Result<i32> {
    parse_int(s, "integer", i32::MIN.into(), i32::MAX.into()).map(|v| v as i32)
}
#[builtin("int8in")]
fn int8in(s: &str) -> Result<i64> {
    parse_int(s, "bigint", i64::MIN, i64::MAX)
}

/// Appends a decimal number.
pub fn write_i64(v: i64, out: &mut Vec<u8>) {
    let mut digits = [0u8; 20];
    let mut at = digits.len();
    let mut rest = v.unsigned_abs();
    loop {
        at -= 1;
        digits[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    if v < 0 {
        out.push(b'-');
    }
    out.extend_from_slice(&digits[at..]);
}

#[builtin("int2out", write)]
fn int2out(v: i16, out: &mut Vec<u8>) {
    write_i64(v.into(), out);
}
#[builtin("int4out", write)]
fn int4out(v: i32, out: &mut Vec<u8>) {
    write_i64(v.into(), out);
}
#[builtin("int8out", write)]
fn int8out(v: i64, out: &mut Vec<u8>) {
    write_i64(v, out);
}
#[builtin("int2recv")]
fn int2recv(b: &[u8]) -> Result<i16> {
    whole(b, |r| r.i16())
}
#[builtin("int4recv")]
fn int4recv(b: &[u8]) -> Result<i32> {
    whole(b, |r| r.i32())
}
#[builtin("int8recv")]
fn int8recv(b: &[u8]) -> Result<i64> {
    whole(b, |r| r.i64())
}
#[builtin("int2send", "int2_bytea")]
fn int2send(v: i16) -> Vec<u8> {
    v.to_be_bytes().to_vec()
}
#[builtin("int4send", "int4_bytea")]
fn int4send(v: i32) -> Vec<u8> {
    v.to_be_bytes().to_vec()
}
#[builtin("int8send", "int8_bytea")]
fn int8send(v: i64) -> Vec<u8> {
    v.to_be_bytes().to_vec()
}

#[cold]
fn range2() -> PgError {
    out_of_range("smallint")
}
#[cold]
fn range4() -> PgError {
    out_of_range("integer")
}
#[cold]
fn range8() -> PgError {
    out_of_range("bigint")
}

pub static INT2_COMPARE: &[Builtin] =
    &compare_words!(i16, i16, i64::from, ["int2eq", "int2ne", "int2lt", "int2le", "int2gt", "int2ge", "btint2cmp"]);
pub static INT4_COMPARE: &[Builtin] =
    &compare_words!(i32, i32, i64::from, ["int4eq", "int4ne", "int4lt", "int4le", "int4gt", "int4ge", "btint4cmp"]);
pub static INT8_COMPARE: &[Builtin] =
    &compare_words!(i64, i64, i64::from, ["int8eq", "int8ne", "int8lt", "int8le", "int8gt", "int8ge", "btint8cmp"]);
pub static INT24_COMPARE: &[Builtin] = &compare_words!(
    i16,
    i32,
    i64::from,
    ["int24eq", "int24ne", "int24lt", "int24le", "int24gt", "int24ge", "btint24cmp"]
);
pub static INT42_COMPARE: &[Builtin] = &compare_words!(
    i32,
    i16,
    i64::from,
    ["int42eq", "int42ne", "int42lt", "int42le", "int42gt", "int42ge", "btint42cmp"]
);
pub static INT28_COMPARE: &[Builtin] = &compare_words!(
    i16,
    i64,
    i64::from,
    ["int28eq", "int28ne", "int28lt", "int28le", "int28gt", "int28ge", "btint28cmp"]
);
pub static INT82_COMPARE: &[Builtin] = &compare_words!(
    i64,
    i16,
    i64::from,
    ["int82eq", "int82ne", "int82lt", "int82le", "int82gt", "int82ge", "btint82cmp"]
);
pub static INT48_COMPARE: &[Builtin] = &compare_words!(
    i32,
    i64,
    i64::from,
    ["int48eq", "int48ne", "int48lt", "int48le", "int48gt", "int48ge", "btint48cmp"]
);
pub static INT84_COMPARE: &[Builtin] = &compare_words!(
    i64,
    i32,
    i64::from,
    ["int84eq", "int84ne", "int84lt", "int84le", "int84gt", "int84ge", "btint84cmp"]
);

/// Plus, minus, times, divided by; `$R` holds both sides and the result.
macro_rules! arithmetic {
    ($A:ty, $B:ty, $R:ty, $range:expr, [$pl:literal, $mi:literal, $mul:literal, $div:literal]) => {
        [
            b2!($pl, |a: $A, b: $B| -> $R { <$R>::from(a).checked_add(<$R>::from(b)).ok_or_else($range) }),
            b2!($mi, |a: $A, b: $B| -> $R { <$R>::from(a).checked_sub(<$R>::from(b)).ok_or_else($range) }),
            b2!($mul, |a: $A, b: $B| -> $R { <$R>::from(a).checked_mul(<$R>::from(b)).ok_or_else($range) }),
            b2!($div, |a: $A, b: $B| -> $R {
                if b == 0 {
                    return Err(division_by_zero());
                }
                <$R>::from(a).checked_div(<$R>::from(b)).ok_or_else($range)
            }),
        ]
    };
}
pub static INT2_ARITHMETIC: &[Builtin] =
    &arithmetic!(i16, i16, i16, range2, ["int2pl", "int2mi", "int2mul", "int2div"]);
pub static INT4_ARITHMETIC: &[Builtin] =
    &arithmetic!(i32, i32, i32, range4, ["int4pl", "int4mi", "int4mul", "int4div"]);
pub static INT8_ARITHMETIC: &[Builtin] =
    &arithmetic!(i64, i64, i64, range8, ["int8pl", "int8mi", "int8mul", "int8div"]);
pub static INT24_ARITHMETIC: &[Builtin] =
    &arithmetic!(i16, i32, i32, range4, ["int24pl", "int24mi", "int24mul", "int24div"]);
pub static INT42_ARITHMETIC: &[Builtin] =
    &arithmetic!(i32, i16, i32, range4, ["int42pl", "int42mi", "int42mul", "int42div"]);
pub static INT28_ARITHMETIC: &[Builtin] =
    &arithmetic!(i16, i64, i64, range8, ["int28pl", "int28mi", "int28mul", "int28div"]);
pub static INT82_ARITHMETIC: &[Builtin] =
    &arithmetic!(i64, i16, i64, range8, ["int82pl", "int82mi", "int82mul", "int82div"]);
pub static INT48_ARITHMETIC: &[Builtin] =
    &arithmetic!(i32, i64, i64, range8, ["int48pl", "int48mi", "int48mul", "int48div"]);
pub static INT84_ARITHMETIC: &[Builtin] =
    &arithmetic!(i64, i32, i64, range8, ["int84pl", "int84mi", "int84mul", "int84div"]);

/// What each width has alone. Shifts take the count modulo the width, as the processor does.
macro_rules! one_width {
    ($T:ty, $range:expr, [$um:literal, $up:literal, $abs:literal, $md:literal, $and:literal, $or:literal, $xor:literal, $not:literal, $shl:literal, $shr:literal, $larger:literal, $smaller:literal]) => {
        [
            b1!($um, |a: $T| -> $T { a.checked_neg().ok_or_else($range) }),
            b1!($up, |a: $T| -> $T { Ok(a) }),
            b1!($abs, |a: $T| -> $T { a.checked_abs().ok_or_else($range) }),
            b2!($md, |a: $T, b: $T| -> $T { if b == 0 { Err(division_by_zero()) } else { Ok(a.wrapping_rem(b)) } }),
            b2!($and, |a: $T, b: $T| -> $T { Ok(a & b) }),
            b2!($or, |a: $T, b: $T| -> $T { Ok(a | b) }),
            b2!($xor, |a: $T, b: $T| -> $T { Ok(a ^ b) }),
            b1!($not, |a: $T| -> $T { Ok(!a) }),
            b2!($shl, |a: $T, n: i32| -> $T { Ok(i64::from(a).wrapping_shl((n as u32) % <$T>::BITS.max(32)) as $T) }),
            b2!($shr, |a: $T, n: i32| -> $T { Ok(i64::from(a).wrapping_shr((n as u32) % <$T>::BITS.max(32)) as $T) }),
            b2!($larger, |a: $T, b: $T| -> $T { Ok(a.max(b)) }),
            b2!($smaller, |a: $T, b: $T| -> $T { Ok(a.min(b)) }),
        ]
    };
}
pub static INT2_ONE: &[Builtin] = &one_width!(
    i16,
    range2,
    [
        "int2um",
        "int2up",
        "int2abs",
        "int2mod",
        "int2and",
        "int2or",
        "int2xor",
        "int2not",
        "int2shl",
        "int2shr",
        "int2larger",
        "int2smaller"
    ]
);
pub static INT4_ONE: &[Builtin] = &one_width!(
    i32,
    range4,
    [
        "int4um",
        "int4up",
        "int4abs",
        "int4mod",
        "int4and",
        "int4or",
        "int4xor",
        "int4not",
        "int4shl",
        "int4shr",
        "int4larger",
        "int4smaller"
    ]
);
pub static INT8_ONE: &[Builtin] = &one_width!(
    i64,
    range8,
    [
        "int8um",
        "int8up",
        "int8abs",
        "int8mod",
        "int8and",
        "int8or",
        "int8xor",
        "int8not",
        "int8shl",
        "int8shr",
        "int8larger",
        "int8smaller"
    ]
);

fn gcd(mut a: u64, mut b: u64) -> u64 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}
fn lcm(a: i64, b: i64, range: fn() -> PgError) -> Result<i64> {
    if a == 0 || b == 0 {
        return Ok(0);
    }
    let (x, y) = (a.unsigned_abs(), b.unsigned_abs());
    let v = (x / gcd(x, y)).checked_mul(y).ok_or_else(range)?;
    i64::try_from(v).map_err(|_| range())
}
fn narrow4(v: i64) -> Result<i32> {
    i32::try_from(v).map_err(|_| range4())
}

pub static INT_MORE: &[Builtin] = &[
    b1!("int4inc", |a: i32| -> i32 { a.checked_add(1).ok_or_else(range4) }),
    b1!("int8inc", |a: i64| -> i64 { a.checked_add(1).ok_or_else(range8) }),
    b1!("int8dec", |a: i64| -> i64 { a.checked_sub(1).ok_or_else(range8) }),
    b2!("int4gcd", |a: i32, b: i32| -> i32 {
        let g = gcd(a.unsigned_abs().into(), b.unsigned_abs().into());
        i32::try_from(g).map_err(|_| range4())
    }),
    b2!("int8gcd", |a: i64, b: i64| -> i64 {
        i64::try_from(gcd(a.unsigned_abs(), b.unsigned_abs())).map_err(|_| range8())
    }),
    b2!("int4lcm", |a: i32, b: i32| -> i32 { lcm(a.into(), b.into(), range4).and_then(narrow4) }),
    b2!("int8lcm", |a: i64, b: i64| -> i64 { lcm(a, b, range8) }),
    b1!("i2toi4", |a: i16| -> i32 { Ok(a.into()) }),
    b1!("int28", |a: i16| -> i64 { Ok(a.into()) }),
    b1!("int48", |a: i32| -> i64 { Ok(a.into()) }),
    b1!("i4toi2", |a: i32| -> i16 { i16::try_from(a).map_err(|_| range2()) }),
    b1!("int82", |a: i64| -> i16 { i16::try_from(a).map_err(|_| range2()) }),
    b1!("int84", |a: i64| -> i32 { narrow4(a) }),
    b1!("hashint2", |a: i16| -> i32 { Ok(hash_u32(i32::from(a) as u32)) }),
    b2!("hashint2extended", |a: i16, s: i64| -> i64 { Ok(hash_u32_extended(i32::from(a) as u32, s)) }),
    b1!("hashint4", |a: i32| -> i32 { Ok(hash_u32(a as u32)) }),
    b2!("hashint4extended", |a: i32, s: i64| -> i64 { Ok(hash_u32_extended(a as u32, s)) }),
    b1!("hashint8", |a: i64| -> i32 { Ok(hash_u32(fold_i64(a))) }),
    b2!("hashint8extended", |a: i64, s: i64| -> i64 { Ok(hash_u32_extended(fold_i64(a), s)) }),
];

#[builtin("int8inc_any")]
fn int8inc_any(n: i64, _any: types::DatumRef<'_>) -> Result<i64> {
    n.checked_add(1).ok_or_else(range8)
}
#[builtin("int8dec_any")]
fn int8dec_any(n: i64, _any: types::DatumRef<'_>) -> Result<i64> {
    n.checked_sub(1).ok_or_else(range8)
}
#[builtin("int8inc_float8_float8")]
fn int8inc_float8_float8(n: i64, _y: f64, _x: f64) -> Result<i64> {
    n.checked_add(1).ok_or_else(range8)
}

#[builtin("to_hex32")]
fn to_hex32(v: i32) -> String {
    format!("{v:x}")
}
#[builtin("to_hex64")]
fn to_hex64(v: i64) -> String {
    format!("{v:x}")
}
#[builtin("to_oct32")]
fn to_oct32(v: i32) -> String {
    format!("{v:o}")
}
#[builtin("to_oct64")]
fn to_oct64(v: i64) -> String {
    format!("{v:o}")
}
#[builtin("to_bin32")]
fn to_bin32(v: i32) -> String {
    format!("{v:b}")
}
#[builtin("to_bin64")]
fn to_bin64(v: i64) -> String {
    format!("{v:b}")
}

/// Numbers from one to another.
struct Series {
    next: Option<i64>,
    last: i64,
    step: i64,
}

impl Series {
    fn advance(&mut self) -> Option<i64> {
        let v = self.next?;
        if (self.step > 0 && v > self.last) || (self.step < 0 && v < self.last) {
            self.next = None;
            return None;
        }
        self.next = v.checked_add(self.step);
        Some(v)
    }
}

impl RowSource for Series {
    fn next(&mut self, _: &mut FnCx<'_>) -> Result<Option<Vec<Datum>>> {
        Ok(self.advance().map(|v| vec![Datum::i64(v)]))
    }
    fn fill(&mut self, _: &mut FnCx<'_>, limit: usize, out: &mut Batch) -> Result<bool> {
        let column = out.column_mut(0);
        let mut n = 0;
        while n < limit {
            let Some(v) = self.advance() else { break };
            match &mut column.data {
                ColumnData::W8(c) => c.push(v),
                ColumnData::W4(c) => c.push(v as i32),
                _ => return Err(PgError::internal("a series got a column of another physical form")),
            }
            n += 1;
        }
        if let Some(bits) = &mut column.validity {
            bits.resize(bits.len() + n, true);
        }
        out.rows += n;
        Ok(n == limit)
    }
}

fn series(from: i64, to: i64, step: i64) -> Result<Box<dyn RowSource>> {
    if step == 0 {
        return Err(invalid_parameter("step size cannot equal zero"));
    }
    Ok(Box::new(Series { next: Some(from), last: to, step }))
}

#[builtin("generate_series_int4", set)]
fn generate_series_int4(from: i32, to: i32) -> Result<Box<dyn RowSource>> {
    series(from.into(), to.into(), 1)
}
#[builtin("generate_series_step_int4", set)]
fn generate_series_step_int4(from: i32, to: i32, step: i32) -> Result<Box<dyn RowSource>> {
    series(from.into(), to.into(), step.into())
}
#[builtin("generate_series_int8", set)]
fn generate_series_int8(from: i64, to: i64) -> Result<Box<dyn RowSource>> {
    series(from, to, 1)
}
#[builtin("generate_series_step_int8", set)]
fn generate_series_step_int8(from: i64, to: i64, step: i64) -> Result<Box<dyn RowSource>> {
    series(from, to, step)
}
