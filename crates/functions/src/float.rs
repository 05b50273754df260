//! `float4` and `float8`: input, output, arithmetic, comparison, conversions. Mathematics is in `float_math`.

use std::cmp::Ordering;

use base::sqlstate::NUMERIC_VALUE_OUT_OF_RANGE;
use base::{PgError, Result};
use types::compare::compare_f64;
use types::{Builtin, FnCx, builtin};

use crate::err::{division_by_zero, error, invalid_input, out_of_range};
use crate::hash::{hash_bytes, hash_bytes_extended};
use crate::int::is_space;
use crate::wire::whole;

#[cold]
pub fn overflow() -> PgError {
    error(NUMERIC_VALUE_OUT_OF_RANGE, "value out of range: overflow")
}
#[cold]
pub fn underflow() -> PgError {
    error(NUMERIC_VALUE_OUT_OF_RANGE, "value out of range: underflow")
}

enum Special {
    Number(f64),
    /// A plain decimal number: its text.
    Decimal,
}

/// The length of the number that begins `t`, as C's `strtod` sees it, and its value if it is a special one.
fn scan(t: &str) -> Option<(usize, Special)> {
    let b = t.as_bytes();
    let sign = usize::from(matches!(b.first(), Some(b'+' | b'-')));
    let negative = b.first() == Some(&b'-');
    let rest = &t[sign..];
    let starts = |w: &str| rest.get(..w.len()).is_some_and(|r| r.eq_ignore_ascii_case(w));
    let signed = |v: f64| Special::Number(if negative { -v } else { v });
    for (word, value) in [("nan", f64::NAN), ("infinity", f64::INFINITY), ("inf", f64::INFINITY)] {
        if starts(word) {
            return Some((sign + word.len(), if value.is_nan() { Special::Number(value) } else { signed(value) }));
        }
    }
    if starts("0x") {
        return hexadecimal(&rest[2..]).map(|(n, v)| (sign + 2 + n, signed(v)));
    }
    let r = rest.as_bytes();
    let digits = |from: usize| r[from..].iter().take_while(|c| c.is_ascii_digit()).count();
    let whole = digits(0);
    let mut end = whole;
    let mut fraction = 0;
    if r.get(end) == Some(&b'.') {
        fraction = digits(end + 1);
        if whole + fraction > 0 {
            end += 1 + fraction;
        }
    }
    if whole + fraction == 0 {
        return None;
    }
    if matches!(r.get(end), Some(b'e' | b'E')) {
        let esign = usize::from(matches!(r.get(end + 1), Some(b'+' | b'-')));
        let n = if end + 1 + esign <= r.len() { digits(end + 1 + esign) } else { 0 };
        if n > 0 {
            end += 1 + esign + n;
        }
    }
    Some((sign + end, Special::Decimal))
}

fn hexadecimal(t: &str) -> Option<(usize, f64)> {
    let (mut value, mut exponent, mut any, mut point, mut n) = (0f64, 0i32, false, false, 0);
    for c in t.chars() {
        match c.to_digit(16) {
            Some(d) => {
                value = value * 16.0 + f64::from(d);
                exponent -= if point { 4 } else { 0 };
                any = true;
            }
            None if c == '.' && !point => point = true,
            None => break,
        }
        n += 1;
    }
    if let Some(rest) = t[n..].strip_prefix(['p', 'P']) {
        let digits = rest.trim_start_matches(['+', '-']).bytes().take_while(u8::is_ascii_digit).count();
        let sign = usize::from(rest.starts_with(['+', '-']));
        if digits > 0 {
            exponent += rest[..sign + digits].parse::<i32>().unwrap_or(0);
            n += 1 + sign + digits;
        }
    }
    any.then(|| (n, value * 2f64.powi(exponent)))
}

/// Reads a number, with what comes after it left to the caller. `type_name` and `whole` are for messages.
fn read<T>(
    text: &str,
    type_name: &str,
    parse: impl Fn(&str) -> Option<T>,
    from: impl Fn(f64) -> T,
    bad: impl Fn(&T) -> bool,
) -> Result<T> {
    let t = text.trim_start_matches(is_space);
    let Some((len, special)) = scan(t) else { return Err(invalid_input(type_name, text)) };
    let value = match special {
        Special::Number(v) => from(v),
        Special::Decimal => {
            let v = parse(&t[..len]).ok_or_else(|| invalid_input(type_name, text))?;
            let mantissa = t[..len].split(['e', 'E']).next().unwrap_or_default();
            if bad(&v) && mantissa.bytes().any(|c| (b'1'..=b'9').contains(&c)) {
                let text = format!("\"{}\" is out of range for type {type_name}", &t[..len]);
                return Err(error(NUMERIC_VALUE_OUT_OF_RANGE, text));
            }
            v
        }
    };
    match t[len..].trim_start_matches(is_space).is_empty() {
        true => Ok(value),
        false => Err(invalid_input(type_name, text)),
    }
}

/// (PostgreSQL: `float8in_internal`)
pub fn parse_f64(s: &str, type_name: &str) -> Result<f64> {
    read(s, type_name, |t| t.parse().ok(), |v| v, |v: &f64| *v == 0.0 || v.is_infinite())
}
pub fn parse_f32(s: &str) -> Result<f32> {
    read(s, "real", |t| t.parse().ok(), |v| v as f32, |v: &f32| *v == 0.0 || v.is_infinite())
}

/// The number that begins a text, with the rest after blanks: parts of larger values. (PostgreSQL: `float8in_internal`)
pub(crate) fn parse_f64_prefix<'a>(s: &'a str, type_name: &str, whole: &str) -> Result<(f64, &'a str)> {
    let t = s.trim_start_matches(is_space);
    let Some((len, special)) = scan(t) else { return Err(invalid_input(type_name, whole)) };
    let value = match special {
        Special::Number(v) => v,
        Special::Decimal => parse_f64(&t[..len], "double precision")?,
    };
    Ok((value, t[len..].trim_start_matches(is_space)))
}

#[builtin("float4in")]
fn float4in(s: &str) -> Result<f32> {
    parse_f32(s)
}
#[builtin("float8in")]
fn float8in(s: &str) -> Result<f64> {
    parse_f64(s, "double precision")
}

/// Writes digits as C's `%g` lays them out: `scientific` has the form `d.ddde-x`.
fn lay_out(scientific: &str, limit: i32, out: &mut Vec<u8>) {
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let (sign, mantissa) = match mantissa.strip_prefix('-') {
        Some(m) => ("-", m),
        None => ("", mantissa),
    };
    out.extend_from_slice(sign.as_bytes());
    let digits: Vec<u8> = mantissa.bytes().filter(u8::is_ascii_digit).collect();
    let digits = match digits.iter().rposition(|&d| d != b'0') {
        Some(last) => &digits[..=last],
        None => &digits[..1],
    };
    if !(-4..limit).contains(&exponent) {
        out.push(digits[0]);
        if digits.len() > 1 {
            out.push(b'.');
            out.extend_from_slice(&digits[1..]);
        }
        out.extend_from_slice(format!("e{}{:02}", if exponent < 0 { '-' } else { '+' }, exponent.abs()).as_bytes());
    } else if exponent < 0 {
        out.extend_from_slice(b"0.");
        out.resize(out.len() + (-exponent - 1) as usize, b'0');
        out.extend_from_slice(digits);
    } else {
        let point = exponent as usize + 1;
        if digits.len() <= point {
            out.extend_from_slice(digits);
            out.resize(out.len() + point - digits.len(), b'0');
        } else {
            out.extend_from_slice(&digits[..point]);
            out.push(b'.');
            out.extend_from_slice(&digits[point..]);
        }
    }
}

fn write_special(v: f64, out: &mut Vec<u8>) -> bool {
    let text: &[u8] = match v {
        v if v.is_nan() => b"NaN",
        f64::INFINITY => b"Infinity",
        f64::NEG_INFINITY => b"-Infinity",
        _ => return false,
    };
    out.extend_from_slice(text);
    true
}

/// Shortest text that reads back the same, or `15 + extra` digits if `extra` is not positive. (PostgreSQL:
/// `float8out_internal`)
pub fn write_f64(v: f64, extra: i32, out: &mut Vec<u8>) {
    if write_special(v, out) {
    } else if extra > 0 {
        lay_out(&shortest_f64(v), 15, out);
    } else {
        let digits = (15 + extra).max(1);
        lay_out(&format!("{v:.*e}", digits as usize - 1), digits, out);
    }
}
pub fn write_f32(v: f32, extra: i32, out: &mut Vec<u8>) {
    if write_special(v.into(), out) {
    } else if extra > 0 {
        lay_out(&format!("{v:e}"), 6, out);
    } else {
        let digits = (6 + extra).max(1);
        lay_out(&format!("{v:.*e}", digits as usize - 1), digits, out);
    }
}
fn shortest_f64(v: f64) -> String {
    let text = format!("{v:e}");
    // PostgreSQL does not take a decimal that lies exactly between two numbers. Such a short one is only possible for large
    // integers (1e23); one digit more tells them apart.
    if v.abs() >= 9_007_199_254_740_992.0 && text.len() < 20 {
        let digits = text.bytes().take_while(|&c| c != b'e').filter(u8::is_ascii_digit).count();
        let next = f64::from_bits(v.to_bits() + 1);
        let before = f64::from_bits(v.to_bits() - 1);
        let exact = |x: f64| crate::numeric::Numeric::from_f64_exact(x);
        let decimal = crate::numeric::Numeric::parse_plain(&text);
        if let Some(d) = decimal {
            let twice = d.add(&d);
            if twice.compare(&exact(v).add(&exact(next))).is_eq()
                || twice.compare(&exact(v).add(&exact(before))).is_eq()
            {
                return format!("{v:.*e}", digits.max(15));
            }
        }
    }
    text
}

#[builtin("float4out", write)]
fn float4out(cx: &mut FnCx<'_>, v: f32, out: &mut Vec<u8>) {
    write_f32(v, cx.settings().extra_float_digits, out);
}
#[builtin("float8out", write)]
fn float8out(cx: &mut FnCx<'_>, v: f64, out: &mut Vec<u8>) {
    write_f64(v, cx.settings().extra_float_digits, out);
}
#[builtin("float4recv")]
fn float4recv(b: &[u8]) -> Result<f32> {
    whole(b, |r| Ok(f32::from_bits(r.i32()? as u32)))
}
#[builtin("float8recv")]
fn float8recv(b: &[u8]) -> Result<f64> {
    whole(b, |r| r.f64())
}
#[builtin("float4send")]
fn float4send(v: f32) -> Vec<u8> {
    v.to_be_bytes().to_vec()
}
#[builtin("float8send")]
fn float8send(v: f64) -> Vec<u8> {
    v.to_be_bytes().to_vec()
}

/// A float that is ordered as SQL orders it: NaN above all, zeroes equal.
#[derive(Clone, Copy)]
struct Key(f64);
impl PartialEq for Key {
    fn eq(&self, other: &Key) -> bool {
        compare_f64(self.0, other.0).is_eq()
    }
}
impl Eq for Key {}
impl PartialOrd for Key {
    fn partial_cmp(&self, other: &Key) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Key {
    fn cmp(&self, other: &Key) -> Ordering {
        compare_f64(self.0, other.0)
    }
}
fn key<T: Into<f64>>(v: T) -> Key {
    Key(v.into())
}

pub static FLOAT4_COMPARE: &[Builtin] = &compare_words!(
    f32,
    f32,
    key,
    ["float4eq", "float4ne", "float4lt", "float4le", "float4gt", "float4ge", "btfloat4cmp"]
);
pub static FLOAT8_COMPARE: &[Builtin] = &compare_words!(
    f64,
    f64,
    key,
    ["float8eq", "float8ne", "float8lt", "float8le", "float8gt", "float8ge", "btfloat8cmp"]
);
pub static FLOAT48_COMPARE: &[Builtin] = &compare_words!(
    f32,
    f64,
    key,
    ["float48eq", "float48ne", "float48lt", "float48le", "float48gt", "float48ge", "btfloat48cmp"]
);
pub static FLOAT84_COMPARE: &[Builtin] = &compare_words!(
    f64,
    f32,
    key,
    ["float84eq", "float84ne", "float84lt", "float84le", "float84gt", "float84ge", "btfloat84cmp"]
);

macro_rules! arithmetic {
    ($A:ty, $B:ty, $R:ty, [$pl:literal, $mi:literal, $mul:literal, $div:literal]) => {
        [
            b2!($pl, |a: $A, b: $B| -> $R {
                let r = <$R>::from(a) + <$R>::from(b);
                if r.is_infinite() && !a.is_infinite() && !b.is_infinite() { Err(overflow()) } else { Ok(r) }
            }),
            b2!($mi, |a: $A, b: $B| -> $R {
                let r = <$R>::from(a) - <$R>::from(b);
                if r.is_infinite() && !a.is_infinite() && !b.is_infinite() { Err(overflow()) } else { Ok(r) }
            }),
            b2!($mul, |a: $A, b: $B| -> $R {
                let r = <$R>::from(a) * <$R>::from(b);
                if r.is_infinite() && !a.is_infinite() && !b.is_infinite() {
                    Err(overflow())
                } else if r == 0.0 && a != 0.0 && b != 0.0 {
                    Err(underflow())
                } else {
                    Ok(r)
                }
            }),
            b2!($div, |a: $A, b: $B| -> $R {
                if b == 0.0 && !a.is_nan() {
                    return Err(division_by_zero());
                }
                let r = <$R>::from(a) / <$R>::from(b);
                if r.is_infinite() && !a.is_infinite() {
                    Err(overflow())
                } else if r == 0.0 && a != 0.0 && !b.is_infinite() {
                    Err(underflow())
                } else {
                    Ok(r)
                }
            }),
        ]
    };
}
pub static FLOAT4_ARITHMETIC: &[Builtin] =
    &arithmetic!(f32, f32, f32, ["float4pl", "float4mi", "float4mul", "float4div"]);
pub static FLOAT8_ARITHMETIC: &[Builtin] =
    &arithmetic!(f64, f64, f64, ["float8pl", "float8mi", "float8mul", "float8div"]);
pub static FLOAT48_ARITHMETIC: &[Builtin] =
    &arithmetic!(f32, f64, f64, ["float48pl", "float48mi", "float48mul", "float48div"]);
pub static FLOAT84_ARITHMETIC: &[Builtin] =
    &arithmetic!(f64, f32, f64, ["float84pl", "float84mi", "float84mul", "float84div"]);

/// To an integer, rounding half to even; `limit` is one above the largest value.
fn to_int(v: f64, limit: f64, what: &str) -> Result<i64> {
    let r = v.round_ties_even();
    if r >= -limit && r < limit { Ok(r as i64) } else { Err(out_of_range(what)) }
}
fn hash_f64(v: f64) -> Option<[u8; 8]> {
    match v {
        0.0 => None,
        v if v.is_nan() => Some(f64::NAN.to_bits().to_le_bytes()),
        v => Some(v.to_bits().to_le_bytes()),
    }
}

pub static FLOAT_MORE: &[Builtin] = &[
    b1!("float4um", |a: f32| -> f32 { Ok(-a) }),
    b1!("float4up", |a: f32| -> f32 { Ok(a) }),
    b1!("float4abs", |a: f32| -> f32 { Ok(a.abs()) }),
    b1!("float8um", |a: f64| -> f64 { Ok(-a) }),
    b1!("float8up", |a: f64| -> f64 { Ok(a) }),
    b1!("float8abs", |a: f64| -> f64 { Ok(a.abs()) }),
    b2!("float4larger", |a: f32, b: f32| -> f32 { Ok(if key(a) > key(b) { a } else { b }) }),
    b2!("float4smaller", |a: f32, b: f32| -> f32 { Ok(if key(a) < key(b) { a } else { b }) }),
    b2!("float8larger", |a: f64, b: f64| -> f64 { Ok(if key(a) > key(b) { a } else { b }) }),
    b2!("float8smaller", |a: f64, b: f64| -> f64 { Ok(if key(a) < key(b) { a } else { b }) }),
    b1!("ftod", |a: f32| -> f64 { Ok(a.into()) }),
    b1!("dtof", |a: f64| -> f32 {
        let r = a as f32;
        if r.is_infinite() && !a.is_infinite() {
            return Err(overflow());
        }
        if r == 0.0 && a != 0.0 { Err(underflow()) } else { Ok(r) }
    }),
    b1!("dtoi2", |a: f64| -> i16 { to_int(a, 32_768.0, "smallint").map(|v| v as i16) }),
    b1!("dtoi4", |a: f64| -> i32 { to_int(a, 2_147_483_648.0, "integer").map(|v| v as i32) }),
    b1!("dtoi8", |a: f64| -> i64 { to_int(a, 9_223_372_036_854_775_808.0, "bigint") }),
    b1!("ftoi2", |a: f32| -> i16 { to_int(a.into(), 32_768.0, "smallint").map(|v| v as i16) }),
    b1!("ftoi4", |a: f32| -> i32 { to_int(a.into(), 2_147_483_648.0, "integer").map(|v| v as i32) }),
    b1!("ftoi8", |a: f32| -> i64 { to_int(a.into(), 9_223_372_036_854_775_808.0, "bigint") }),
    b1!("i2tod", |a: i16| -> f64 { Ok(a.into()) }),
    b1!("i4tod", |a: i32| -> f64 { Ok(a.into()) }),
    b1!("i8tod", |a: i64| -> f64 { Ok(a as f64) }),
    b1!("i2tof", |a: i16| -> f32 { Ok(a.into()) }),
    b1!("i4tof", |a: i32| -> f32 { Ok(a as f32) }),
    b1!("i8tof", |a: i64| -> f32 { Ok(a as f32) }),
    b1!("hashfloat8", |a: f64| -> i32 { Ok(hash_f64(a).map_or(0, |b| hash_bytes(&b))) }),
    b2!("hashfloat8extended", |a: f64, s: i64| -> i64 { Ok(hash_f64(a).map_or(s, |b| hash_bytes_extended(&b, s))) }),
    b1!("hashfloat4", |a: f32| -> i32 { Ok(hash_f64(a.into()).map_or(0, |b| hash_bytes(&b))) }),
    b2!("hashfloat4extended", |a: f32, s: i64| -> i64 {
        Ok(hash_f64(a.into()).map_or(s, |b| hash_bytes_extended(&b, s)))
    }),
];

/// As C's `%g` prints it.
pub fn write_g(v: f64, out: &mut Vec<u8>) {
    if !write_special(v, out) {
        lay_out(&format!("{v:.5e}"), 6, out);
    }
}
