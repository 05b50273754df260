//! `numeric`: exact decimal numbers of any size, in PostgreSQL's form of base-10000 digits.
//!
//! `value = sign * sum(digits[i] * 10000 ^ (weight - i))`; `dscale` decimal digits are shown after the point. Digits have no
//! leading and no trailing zeroes; zero has none at all. The stored form has a two-byte header that holds a small scale and
//! weight, or a four-byte one. Files: `big` (integers), `arith` (operators), `math` (roots, powers, logarithms), `sql` (the
//! built-ins), `parse` (text).
//!
//! PostgreSQL: `numeric.c`, `NumericChoice`.

mod arith;
pub mod big;
mod digits;
mod math;
mod parse;
pub mod sql;

use std::cmp::Ordering;

use base::sqlstate::{DATA_CORRUPTED, NUMERIC_VALUE_OUT_OF_RANGE};
use base::{PgError, Result};

use big::Big;
use digits::Digits;

pub use sql::{abbreviate, compare_bytes, scaled};

/// Digits that a result of division and such has at least. (PostgreSQL: `NUMERIC_MIN_SIG_DIGITS`)
pub const MIN_SIG_DIGITS: i32 = 16;
/// (PostgreSQL: `NUMERIC_MAX_DISPLAY_SCALE`)
pub const MAX_DISPLAY_SCALE: i32 = 1000;
/// (PostgreSQL: `NUMERIC_MAX_RESULT_SCALE`)
pub const MAX_RESULT_SCALE: i32 = 2000;
/// (PostgreSQL: `NUMERIC_DSCALE_MAX`)
pub const MAX_DSCALE: i32 = 0x3fff;
/// (PostgreSQL: `NUMERIC_WEIGHT_MAX`)
const MAX_WEIGHT: i32 = 32_767;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    Finite,
    NaN,
    Infinity,
    NegInfinity,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Numeric {
    pub kind: Kind,
    pub negative: bool,
    pub weight: i32,
    pub dscale: i32,
    pub digits: Digits,
}

#[cold]
pub fn overflows() -> PgError {
    PgError::new(NUMERIC_VALUE_OUT_OF_RANGE, "value overflows numeric format")
}

impl Numeric {
    pub const fn zero() -> Numeric {
        Numeric { kind: Kind::Finite, negative: false, weight: 0, dscale: 0, digits: Digits::new() }
    }
    pub const fn special(kind: Kind) -> Numeric {
        Numeric { kind, negative: false, weight: 0, dscale: 0, digits: Digits::new() }
    }
    pub fn is_nan(&self) -> bool {
        self.kind == Kind::NaN
    }
    pub fn is_infinite(&self) -> bool {
        matches!(self.kind, Kind::Infinity | Kind::NegInfinity)
    }
    pub fn is_finite(&self) -> bool {
        self.kind == Kind::Finite
    }
    pub fn is_zero(&self) -> bool {
        self.is_finite() && self.digits.is_empty()
    }
    /// -1, 0 or 1; NaN counts as positive.
    pub fn sign(&self) -> i32 {
        match self.kind {
            Kind::NegInfinity => -1,
            Kind::Finite if self.digits.is_empty() => 0,
            Kind::Finite if self.negative => -1,
            _ => 1,
        }
    }
    /// Without a fractional part.
    pub fn is_integer(&self) -> bool {
        !self.is_nan() && self.digits.len() as i32 <= self.weight + 1
    }
    /// Drops zeroes at both ends.
    pub(crate) fn normalize(mut self) -> Numeric {
        let lead = self.digits.iter().take_while(|&&d| d == 0).count();
        if lead > 0 {
            self.digits.remove_first(lead);
            self.weight -= lead as i32;
        }
        while self.digits.last() == Some(&0) {
            self.digits.pop();
        }
        if self.digits.is_empty() {
            self.weight = 0;
            self.negative = false;
        }
        self
    }
    pub fn from_i64(v: i64) -> Numeric {
        Numeric::from_i128(v.into())
    }
    pub fn from_i128(v: i128) -> Numeric {
        let mut digits = Digits::new();
        let mut rest = v.unsigned_abs();
        while rest > 0 {
            digits.push((rest % 10_000) as i16);
            rest /= 10_000;
        }
        digits.reverse();
        let weight = digits.len() as i32 - 1;
        Numeric { kind: Kind::Finite, negative: v < 0, weight, dscale: 0, digits }.normalize()
    }
    /// The integer nearest to it, halves away from zero; `None` if it does not fit or is not a number.
    pub fn to_i128(&self) -> Option<i128> {
        if !self.is_finite() {
            return None;
        }
        let r = self.rounded(0);
        if r.weight > 10 {
            return None;
        }
        let mut v: i128 = 0;
        for i in 0..=r.weight.max(-1) {
            v = v.checked_mul(10_000)?.checked_add(r.digits.get(i as usize).copied().unwrap_or(0).into())?;
        }
        if r.digits.is_empty() {
            v = 0;
        }
        Some(if r.negative { -v } else { v })
    }
    /// Reads the stored form.
    pub fn from_bytes(b: &[u8]) -> Result<Numeric> {
        let bad = || PgError::new(DATA_CORRUPTED, "invalid numeric value");
        let word = |at: usize| b.get(at..at + 2).map(|w| u16::from_le_bytes([w[0], w[1]])).ok_or_else(bad);
        let head = word(0)?;
        let (negative, dscale, weight, start) = match head >> 14 {
            0b11 => {
                return Ok(Numeric::special(match head & 0xF000 {
                    0xC000 => Kind::NaN,
                    0xD000 => Kind::Infinity,
                    _ => Kind::NegInfinity,
                }));
            }
            0b10 => {
                let w = i32::from(head & 0x3F) | if head & 0x40 != 0 { !0x3F } else { 0 };
                (head & 0x2000 != 0, i32::from(head >> 7 & 0x3F), w, 2)
            }
            sign => (sign == 0b01, i32::from(head & 0x3FFF), i32::from(word(2)? as i16), 4),
        };
        let digits = b[start..].chunks_exact(2).map(|c| i16::from_le_bytes([c[0], c[1]])).collect();
        Ok(Numeric { kind: Kind::Finite, negative, weight, dscale, digits })
    }
    /// The stored form; the weight must be in range (`checked`).
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(4 + self.digits.len() * 2);
        self.store(&mut |w| out.extend_from_slice(&w.to_le_bytes()));
        out
    }
    fn store(&self, put: &mut dyn FnMut(u16)) {
        match self.kind {
            Kind::NaN => put(0xC000),
            Kind::Infinity => put(0xD000),
            Kind::NegInfinity => put(0xF000),
            Kind::Finite => {
                if self.dscale <= 0x3F && (-64..=63).contains(&self.weight) {
                    let sign = if self.negative { 0x2000 } else { 0 };
                    put(0x8000 | sign | (self.dscale as u16) << 7 | (self.weight as u16 & 0x7F));
                } else {
                    put(if self.negative { 0x4000 } else { 0 } | (self.dscale as u16 & 0x3FFF));
                    put(self.weight as i16 as u16);
                }
                self.digits.iter().for_each(|&d| put(d as u16));
            }
        }
    }
    /// The stored form as a value; a short one needs no allocation.
    pub fn to_datum(&self) -> types::Datum {
        if self.digits.len() > digits::FEW {
            return types::Datum::bytes(self.to_bytes());
        }
        let (mut bytes, mut n) = ([0u8; 4 + 2 * digits::FEW], 0);
        self.store(&mut |w| {
            bytes[n..n + 2].copy_from_slice(&w.to_le_bytes());
            n += 2;
        });
        types::Datum::bytes(&bytes[..n])
    }
    /// Refuses what the stored form cannot hold. (PostgreSQL: `make_result_safe`)
    pub fn checked(self) -> Result<Numeric> {
        if self.weight > MAX_WEIGHT || self.weight < -MAX_WEIGHT - 1 || self.dscale > MAX_DSCALE {
            return Err(overflows());
        }
        Ok(self)
    }

    // Rounding.

    /// Keeps `scale` decimal digits (negative: so many before the point become zero); `up` tells whether a half rounds up.
    fn cut(&self, scale: i32, up: bool) -> Numeric {
        if !self.is_finite() {
            return self.clone();
        }
        let mut r = self.clone();
        r.dscale = scale.max(0);
        // Decimal digits from the first base-10000 digit to the last one kept.
        let keep = i64::from(r.weight + 1) * 4 + i64::from(scale);
        if keep < 0 || (keep == 0 && !up) {
            return Numeric { dscale: r.dscale, ..Numeric::zero() };
        }
        let (whole, part) = ((keep / 4) as usize, (keep % 4) as u32);
        if whole >= r.digits.len() {
            return r;
        }
        let mut carry = false;
        if part == 0 {
            carry = up && r.digits[whole] >= 5000;
            r.digits.truncate(whole);
        } else {
            let unit = 10i16.pow(4 - part);
            let rest = r.digits[whole] % unit;
            r.digits.truncate(whole + 1);
            r.digits[whole] -= rest;
            if up && rest >= unit / 2 {
                r.digits[whole] += unit;
                if r.digits[whole] >= 10_000 {
                    r.digits[whole] -= 10_000;
                    carry = true;
                }
            }
        }
        let mut i = whole;
        while carry {
            if i == 0 {
                r.digits.insert_first(1);
                r.weight += 1;
                break;
            }
            i -= 1;
            r.digits[i] += 1;
            carry = r.digits[i] >= 10_000;
            if carry {
                r.digits[i] = 0;
            }
        }
        let dscale = r.dscale;
        Numeric { dscale, ..r.normalize() }
    }
    /// Halves away from zero. (PostgreSQL: `round_var`)
    pub fn rounded(&self, scale: i32) -> Numeric {
        self.cut(scale, true)
    }
    pub fn truncated(&self, scale: i32) -> Numeric {
        self.cut(scale, false)
    }

    // As integers.

    /// The magnitude times `10000 ^ fraction`, cut off.
    pub(crate) fn to_big(&self, fraction: i64) -> Big {
        let d: Vec<u32> = self.digits.iter().rev().map(|&d| d as u32).collect();
        let places = self.digits.len() as i64 - 1 - i64::from(self.weight);
        Big::new(d).shift(fraction - places)
    }
    /// `big / 10000 ^ fraction`, rounded to `scale`.
    pub(crate) fn from_big(big: &Big, fraction: i64, negative: bool, scale: i32) -> Numeric {
        let digits: Digits = big.0.iter().rev().map(|&d| d as i16).collect();
        let weight = (digits.len() as i64 - 1 - fraction) as i32;
        let n = Numeric { kind: Kind::Finite, negative, weight, dscale: scale, digits }.normalize();
        Numeric { dscale: scale, ..n.rounded(scale) }
    }

    // Comparison.

    fn rank(&self) -> i32 {
        match self.kind {
            Kind::NegInfinity => -1,
            Kind::Finite => 0,
            Kind::Infinity => 1,
            Kind::NaN => 2,
        }
    }
    pub fn compare_magnitude(&self, o: &Numeric) -> Ordering {
        match (self.digits.is_empty(), o.digits.is_empty()) {
            (true, true) => Ordering::Equal,
            (true, false) => Ordering::Less,
            (false, true) => Ordering::Greater,
            // Without trailing zeroes, a longer number with the same beginning is larger.
            _ => self.weight.cmp(&o.weight).then_with(|| self.digits.cmp(&o.digits)),
        }
    }
    /// NaN is equal to itself and above everything else.
    pub fn compare(&self, o: &Numeric) -> Ordering {
        self.rank().cmp(&o.rank()).then_with(|| match (self.negative, o.negative) {
            (false, false) => self.compare_magnitude(o),
            (true, true) => o.compare_magnitude(self),
            (a, _) if self.is_zero() && o.is_zero() => a.cmp(&a),
            (true, false) => Ordering::Less,
            (false, true) => Ordering::Greater,
        })
    }

    // Text.

    /// (PostgreSQL: `numeric_out`)
    pub fn write(&self, out: &mut Vec<u8>) {
        match self.kind {
            Kind::NaN => return out.extend_from_slice(b"NaN"),
            Kind::Infinity => return out.extend_from_slice(b"Infinity"),
            Kind::NegInfinity => return out.extend_from_slice(b"-Infinity"),
            Kind::Finite => {}
        }
        if self.negative {
            out.push(b'-');
        }
        let digit = |i: i32| usize::try_from(i).ok().and_then(|i| self.digits.get(i)).copied().unwrap_or(0);
        let four = |d: i16| {
            [b'0' + (d / 1000) as u8, b'0' + (d / 100 % 10) as u8, b'0' + (d / 10 % 10) as u8, b'0' + (d % 10) as u8]
        };
        if self.weight < 0 {
            out.push(b'0');
        } else {
            crate::int::write_i64(digit(0).into(), out);
            for i in 1..=self.weight {
                out.extend_from_slice(&four(digit(i)));
            }
        }
        if self.dscale > 0 {
            out.push(b'.');
            let end = out.len() + self.dscale as usize;
            let mut i = self.weight.max(-1) + 1;
            if self.weight < -1 {
                i = 0;
                for _ in 0..(-self.weight - 1) {
                    if out.len() >= end {
                        break;
                    }
                    out.extend_from_slice(b"0000");
                }
            } else if self.weight == -1 {
                i = 0;
            }
            while out.len() < end {
                out.extend_from_slice(&four(digit(i)));
                i += 1;
            }
            out.truncate(end);
        }
    }
    pub fn to_text(&self) -> String {
        let mut out = Vec::new();
        self.write(&mut out);
        String::from_utf8(out).unwrap_or_default()
    }
    /// Only for finite doubles that are whole.
    pub fn from_f64_exact(v: f64) -> Numeric {
        Numeric::parse_plain(&format!("{v:.0}")).unwrap_or(Numeric::zero())
    }
    /// The nearest double; infinite if it is too large.
    pub fn to_f64(&self) -> f64 {
        match self.kind {
            Kind::NaN => f64::NAN,
            Kind::Infinity => f64::INFINITY,
            Kind::NegInfinity => f64::NEG_INFINITY,
            Kind::Finite => self.to_text().parse().unwrap_or(f64::NAN),
        }
    }
}
