//! Text to numeric, and the type modifier.

use base::sqlstate::NUMERIC_VALUE_OUT_OF_RANGE;
use base::{PgError, Result};

use super::big::Big;
use super::{Kind, MAX_DSCALE, Numeric, overflows};
use crate::err::invalid_input;
use crate::int::is_space;

enum Bad {
    Syntax,
    Range,
}

impl Numeric {
    /// A plain decimal number; `None` if it is not one.
    pub fn parse_plain(s: &str) -> Option<Numeric> {
        decimal(s.as_bytes()).ok()
    }
    /// (PostgreSQL: `numeric_in`)
    pub fn parse(text: &str) -> Result<Numeric> {
        if let Some(n) = moderate(text.as_bytes()) {
            return Ok(n);
        }
        let t = text.trim_matches(is_space);
        let (sign, body) = match t.as_bytes() {
            [b'-', ..] => (Some(true), &t[1..]),
            [b'+', ..] => (Some(false), &t[1..]),
            _ => (None, t),
        };
        let negative = sign == Some(true);
        match &*body.to_ascii_lowercase() {
            "nan" if sign.is_none() => return Ok(Numeric::special(Kind::NaN)),
            "infinity" | "inf" => {
                return Ok(Numeric::special(if negative { Kind::NegInfinity } else { Kind::Infinity }));
            }
            _ => {}
        }
        let b = body.as_bytes();
        let value = match b {
            [b'0', b'x' | b'X', rest @ ..] => other_base(rest, 16),
            [b'0', b'o' | b'O', rest @ ..] => other_base(rest, 8),
            [b'0', b'b' | b'B', rest @ ..] => other_base(rest, 2),
            _ => decimal(b),
        };
        match value {
            Ok(v) => {
                let negative = negative && !v.is_zero();
                Numeric { negative, ..v }.checked()
            }
            Err(Bad::Syntax) => Err(invalid_input("numeric", text)),
            Err(Bad::Range) => Err(overflows()),
        }
    }
    /// Rounds to a type modifier and checks the precision. (PostgreSQL: `apply_typmod`)
    pub fn apply_typmod(self, typmod: i32) -> Result<Numeric> {
        if typmod < 4 || self.is_nan() {
            return Ok(self);
        }
        let (precision, scale) = split_typmod(typmod);
        let overflow =
            |detail: String| Err(PgError::new(NUMERIC_VALUE_OUT_OF_RANGE, "numeric field overflow").detail(detail));
        if self.is_infinite() {
            return overflow(format!(
                "A field with precision {precision}, scale {scale} cannot hold an infinite value."
            ));
        }
        let r = self.rounded(scale);
        let r = Numeric { dscale: scale.max(0), ..r };
        if let Some(&first) = r.digits.first() {
            let decimals = (r.weight + 1) * 4
                - [(1000, 0), (100, 1), (10, 2), (1, 3)].iter().find(|(n, _)| first >= *n).map_or(0, |p| p.1);
            let max = precision - scale;
            if decimals > max {
                let (ten, exponent) = if max == 0 { ("", "1".to_owned()) } else { ("10^", max.to_string()) };
                return overflow(format!(
                    "A field with precision {precision}, scale {scale} must round to an absolute value less than {ten}{exponent}."
                ));
            }
        }
        Ok(r)
    }
}

/// Precision and scale.
pub fn split_typmod(typmod: i32) -> (i32, i32) {
    let t = typmod - 4;
    (t >> 16 & 0xffff, ((t & 0x7ff) ^ 1024) - 1024)
}

fn other_base(digits: &[u8], base: u32) -> Result<Numeric, Bad> {
    let (mut big, mut any, mut after_digit) = (Big::new(Vec::new()), false, true);
    for &c in digits {
        if c == b'_' {
            if !after_digit {
                return Err(Bad::Syntax);
            }
            after_digit = false;
            continue;
        }
        let d = (c as char).to_digit(base).ok_or(Bad::Syntax)?;
        big = big.mul_small(base).add(&Big::from_u64(d.into()));
        (any, after_digit) = (true, true);
    }
    if any && after_digit { Ok(Numeric::from_big(&big, 0, false, 0)) } else { Err(Bad::Syntax) }
}

/// A number of up to 18 digits with nothing but a sign and a point besides.
fn moderate(b: &[u8]) -> Option<Numeric> {
    let (negative, b) = match b {
        [b'-', rest @ ..] => (true, rest),
        _ => (false, b),
    };
    if b.is_empty() || b.len() > 19 {
        return None;
    }
    let (mut value, mut point) = (0u64, None);
    for (i, &c) in b.iter().enumerate() {
        match c {
            b'0'..=b'9' => value = value * 10 + u64::from(c - b'0'),
            b'.' if point.is_none() => point = Some(i),
            _ => return None,
        }
    }
    let scale = point.map_or(0, |p| b.len() - 1 - p);
    if b.len() - usize::from(point.is_some()) > 18 || b.len() == usize::from(point.is_some()) {
        return None;
    }
    // Groups of four around the point.
    let unit = 10u64.pow(scale as u32);
    let (mut whole, mut fraction) = (value / unit, value % unit);
    let (mut digits, mut n, mut weight) = ([0i16; 10], 10, -1);
    let groups = scale.div_ceil(4);
    fraction *= 10u64.pow((groups * 4 - scale) as u32);
    for _ in 0..groups {
        n -= 1;
        digits[n] = (fraction % 10_000) as i16;
        fraction /= 10_000;
    }
    while whole > 0 {
        n -= 1;
        digits[n] = (whole % 10_000) as i16;
        whole /= 10_000;
        weight += 1;
    }
    let digits = digits[n..].iter().copied().collect();
    let n = Numeric { kind: Kind::Finite, negative, weight, dscale: scale as i32, digits };
    Some(n.normalize())
}

fn decimal(b: &[u8]) -> Result<Numeric, Bad> {
    let (mut digits, mut point, mut scale) = (Vec::with_capacity(b.len()), None, 0i64);
    let mut i = 0;
    let negative = b.first() == Some(&b'-');
    i += usize::from(negative);
    while i < b.len() {
        match b[i] {
            c @ b'0'..=b'9' => digits.push(c - b'0'),
            b'.' if point.is_none() && b.get(i + 1) != Some(&b'_') && (i == 0 || b[i - 1] != b'_') => {
                point = Some(digits.len())
            }
            b'_' if i > 0 && b[i - 1].is_ascii_digit() && b.get(i + 1).is_some_and(u8::is_ascii_digit) => {}
            b'e' | b'E' if !digits.is_empty() && b[i - 1] != b'_' => {
                let text = std::str::from_utf8(&b[i + 1..]).map_err(|_| Bad::Syntax)?;
                let bare = text.strip_prefix(['+', '-']).unwrap_or(text);
                if bare.is_empty()
                    || !bare.bytes().enumerate().all(|(i, c)| c.is_ascii_digit() || c == b'_' && i > 0)
                    || bare.ends_with('_')
                    || bare.contains("__")
                {
                    return Err(Bad::Syntax);
                }
                let exponent: i64 = text.replace('_', "").trim_start_matches('+').parse().map_err(|_| Bad::Range)?;
                if exponent.abs() > i64::from(i32::MAX / 2) {
                    return Err(Bad::Range);
                }
                scale = exponent;
                i = b.len();
                continue;
            }
            _ => return Err(Bad::Syntax),
        }
        i += 1;
    }
    if digits.is_empty() {
        return Err(Bad::Syntax);
    }
    let whole = point.unwrap_or(digits.len()) as i64 + scale;
    let dscale = (digits.len() as i64 - whole).max(0);
    let lead = digits.iter().take_while(|&&d| d == 0).count();
    if lead == digits.len() {
        return Ok(Numeric { dscale: dscale.min(MAX_DSCALE.into()) as i32, ..Numeric::zero() });
    }
    if dscale > i64::from(MAX_DSCALE) || whole - lead as i64 > 140_000 {
        return Err(Bad::Range);
    }
    // Aligns the decimal digits to groups of four around the point.
    let weight = (whole + 3).div_euclid(4) - 1;
    let pad = ((weight + 1) * 4 - whole) as usize;
    let at = |i: usize| if i < pad { 0 } else { digits.get(i - pad).copied().map_or(0, i16::from) };
    let groups = (pad + digits.len()).div_ceil(4);
    let digits = (0..groups).map(|g| (0..4).fold(0, |v, j| v * 10 + at(g * 4 + j))).collect();
    let n = Numeric { kind: Kind::Finite, negative, weight: weight as i32, dscale: dscale as i32, digits };
    Ok(Numeric { dscale: dscale as i32, ..n.normalize() })
}
