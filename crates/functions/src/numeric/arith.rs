//! Sums, products, quotients.

use base::Result;

use super::big::Big;
use super::{Kind, MAX_DISPLAY_SCALE, MAX_DSCALE, MIN_SIG_DIGITS, Numeric};
use crate::err::division_by_zero;

impl Numeric {
    pub fn negate(&self) -> Numeric {
        let mut r = self.clone();
        match self.kind {
            Kind::Infinity => r.kind = Kind::NegInfinity,
            Kind::NegInfinity => r.kind = Kind::Infinity,
            Kind::NaN => {}
            Kind::Finite => r.negative = !self.negative && !self.digits.is_empty(),
        }
        r
    }
    pub fn abs(&self) -> Numeric {
        if self.sign() < 0 { self.negate() } else { self.clone() }
    }
    /// Fractional base-10000 digits.
    fn fraction(&self) -> i64 {
        (self.digits.len() as i64 - 1 - i64::from(self.weight)).max(0)
    }
    /// Small numbers as scaled integers with a common fraction.
    fn aligned(&self, fraction: i64) -> Option<i128> {
        if self.weight > 3 || fraction > 3 {
            return None;
        }
        let mut v: i128 = 0;
        let places = i64::from(self.weight) + 1 + fraction;
        for i in 0..places.max(0) {
            v = v * 10_000 + i128::from(self.digits.get(i as usize).copied().unwrap_or(0));
        }
        Some(if self.negative { -v } else { v })
    }
    fn from_aligned(v: i128, fraction: i64, dscale: i32) -> Numeric {
        let mut n = Numeric::from_i128(v);
        if !n.digits.is_empty() {
            n.weight -= fraction as i32;
        }
        n.dscale = dscale;
        n
    }
    pub fn add(&self, o: &Numeric) -> Numeric {
        match (self.kind, o.kind) {
            (Kind::Finite, Kind::Finite) => {}
            (Kind::NaN, _) | (_, Kind::NaN) => return Numeric::special(Kind::NaN),
            (Kind::Finite, k) | (k, Kind::Finite) => return Numeric::special(k),
            (a, b) => return Numeric::special(if a == b { a } else { Kind::NaN }),
        }
        let dscale = self.dscale.max(o.dscale);
        let fraction = self.fraction().max(o.fraction());
        if let (Some(a), Some(b)) = (self.aligned(fraction), o.aligned(fraction)) {
            return Numeric::from_aligned(a + b, fraction, dscale);
        }
        let (a, b) = (self.to_big(fraction), o.to_big(fraction));
        let (big, negative) = match (self.negative == o.negative, a.cmp(&b).is_ge()) {
            (true, _) => (a.add(&b), self.negative),
            (false, true) => (a.sub(&b), self.negative),
            (false, false) => (b.sub(&a), o.negative),
        };
        Numeric::exact(&big, fraction, negative, dscale)
    }
    /// `big / 10000 ^ fraction` with all its digits.
    fn exact(big: &Big, fraction: i64, negative: bool, dscale: i32) -> Numeric {
        let digits: super::Digits = big.0.iter().rev().map(|&d| d as i16).collect();
        let weight = (digits.len() as i64 - 1 - fraction) as i32;
        let n = Numeric { kind: Kind::Finite, negative, weight, dscale, digits }.normalize();
        Numeric { dscale, ..n }
    }
    pub fn sub(&self, o: &Numeric) -> Numeric {
        self.add(&o.negate())
    }
    /// The product with all its digits.
    pub fn mul(&self, o: &Numeric) -> Numeric {
        if !self.is_finite() || !o.is_finite() {
            if self.is_nan() || o.is_nan() || self.sign() * o.sign() == 0 {
                return Numeric::special(Kind::NaN);
            }
            return Numeric::special(if self.sign() * o.sign() > 0 { Kind::Infinity } else { Kind::NegInfinity });
        }
        let dscale = self.dscale + o.dscale;
        let (fa, fb) = (self.fraction(), o.fraction());
        let negative = self.negative != o.negative;
        let r = match (self.aligned(fa), o.aligned(fb)) {
            (Some(a), Some(b)) if a.unsigned_abs() < 1 << 63 && b.unsigned_abs() < 1 << 63 => {
                Numeric::from_aligned(a * b, fa + fb, dscale)
            }
            _ => Numeric::exact(&self.to_big(fa).mul(&o.to_big(fb)), fa + fb, negative, dscale),
        };
        if dscale > MAX_DSCALE { r.rounded(MAX_DSCALE) } else { r }
    }
    /// The scale of a quotient. (PostgreSQL: `select_div_scale`)
    pub fn div_scale(&self, o: &Numeric) -> i32 {
        let first = |n: &Numeric| n.digits.first().map_or((0, 0), |&d| (n.weight, d));
        let ((w1, d1), (w2, d2)) = (first(self), first(o));
        let weight = w1 - w2 - i32::from(d1 <= d2);
        (MIN_SIG_DIGITS - weight * 4).max(self.dscale).max(o.dscale).clamp(0, MAX_DISPLAY_SCALE)
    }
    /// Both finite, the divisor not zero.
    pub fn div_to_scale(&self, o: &Numeric, scale: i32) -> Numeric {
        self.quotient(o, scale).rounded(scale)
    }
    fn quotient(&self, o: &Numeric, scale: i32) -> Numeric {
        let places = i64::from(scale).div_euclid(4) + 2;
        let (fa, fb) = (self.fraction(), o.fraction());
        // a / 10000^fa / (b / 10000^fb), with `places` digits after the point.
        let shift = places + fb - fa;
        let (a, b) = (self.to_big(fa), o.to_big(fb));
        let (q, _) = if shift >= 0 { a.shift(shift).div_rem(&b) } else { a.div_rem(&b.shift(-shift)) };
        let n = Numeric::exact(&q, places, self.negative != o.negative, scale);
        Numeric { dscale: scale, ..n }
    }
    pub fn div(&self, o: &Numeric) -> Result<Numeric> {
        if self.is_nan() || o.is_nan() {
            return Ok(Numeric::special(Kind::NaN));
        }
        if self.is_infinite() {
            if o.is_infinite() {
                return Ok(Numeric::special(Kind::NaN));
            }
            return match o.sign() {
                0 => Err(division_by_zero()),
                1 => Ok(self.clone()),
                _ => Ok(self.negate()),
            };
        }
        if o.is_infinite() {
            return Ok(Numeric::zero());
        }
        if o.is_zero() {
            return Err(division_by_zero());
        }
        Ok(self.div_to_scale(o, self.div_scale(o)))
    }
    /// The whole part of the quotient.
    pub fn div_trunc(&self, o: &Numeric) -> Result<Numeric> {
        if !self.is_finite() || !o.is_finite() {
            return self.div(o);
        }
        if o.is_zero() {
            return Err(division_by_zero());
        }
        Ok(self.quotient(o, 0).truncated(0))
    }
    /// The remainder; it has the dividend's sign.
    pub fn rem(&self, o: &Numeric) -> Result<Numeric> {
        if self.is_nan() || o.is_nan() {
            return Ok(Numeric::special(Kind::NaN));
        }
        if self.is_infinite() {
            return if o.is_zero() { Err(division_by_zero()) } else { Ok(Numeric::special(Kind::NaN)) };
        }
        if o.is_infinite() {
            return Ok(self.clone());
        }
        if o.is_zero() {
            return Err(division_by_zero());
        }
        let fraction = self.fraction().max(o.fraction());
        let (_, r) = self.to_big(fraction).div_rem(&o.to_big(fraction));
        Ok(Numeric::exact(&r, fraction, self.negative, self.dscale.max(o.dscale)))
    }
    pub fn ceil(&self) -> Numeric {
        let t = self.truncated(0);
        if self.is_finite() && !self.negative && t.compare(self).is_lt() { t.add(&Numeric::from_i64(1)) } else { t }
    }
    pub fn floor(&self) -> Numeric {
        let t = self.truncated(0);
        if self.is_finite() && t.compare(self).is_gt() { t.add(&Numeric::from_i64(-1)) } else { t }
    }
    pub fn gcd(&self, o: &Numeric) -> Numeric {
        if !self.is_finite() || !o.is_finite() {
            return Numeric::special(Kind::NaN);
        }
        let fraction = self.fraction().max(o.fraction());
        let (mut a, mut b) = (self.to_big(fraction), o.to_big(fraction));
        while !b.is_zero() {
            let r = a.div_rem(&b).1;
            (a, b) = (b, r);
        }
        Numeric::exact(&a, fraction, false, self.dscale.max(o.dscale))
    }
}
