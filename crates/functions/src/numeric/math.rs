//! Roots, powers, exponentials and logarithms. The scale of a result is chosen as PostgreSQL does; its digits are computed with
//! enough guard digits in fixed-point arithmetic on [`Big`].

use base::Result;
use base::sqlstate::{INVALID_ARGUMENT_FOR_LOG, INVALID_ARGUMENT_FOR_POWER_FUNCTION};

use super::big::Big;
use super::{Kind, MAX_DISPLAY_SCALE, MAX_RESULT_SCALE, MIN_SIG_DIGITS, Numeric, overflows};
use crate::err::error;

fn clamp(scale: i32) -> i32 {
    scale.clamp(0, MAX_DISPLAY_SCALE)
}

/// A number in fixed point: `value * 10000 ^ -places`, with a sign.
#[derive(Clone)]
struct Fixed {
    big: Big,
    negative: bool,
    places: i64,
}

impl Fixed {
    fn of(n: &Numeric, places: i64) -> Fixed {
        Fixed { big: n.to_big(places), negative: n.negative, places }
    }
    fn int(v: u64, places: i64) -> Fixed {
        Fixed { big: Big::from_u64(v).shift(places), negative: false, places }
    }
    fn mul(&self, o: &Fixed) -> Fixed {
        let big = self.big.mul(&o.big).shift(-self.places);
        Fixed { big, negative: self.negative != o.negative, places: self.places }
    }
    fn div(&self, o: &Fixed) -> Fixed {
        let big = self.big.shift(self.places).div_rem(&o.big).0;
        Fixed { big, negative: self.negative != o.negative, places: self.places }
    }
    fn add(&self, o: &Fixed) -> Fixed {
        let (big, negative) = match (self.negative == o.negative, self.big.cmp(&o.big).is_ge()) {
            (true, _) => (self.big.add(&o.big), self.negative),
            (false, true) => (self.big.sub(&o.big), self.negative),
            (false, false) => (o.big.sub(&self.big), o.negative),
        };
        Fixed { big, negative, places: self.places }
    }
    fn times(&self, m: u32) -> Fixed {
        Fixed { big: self.big.mul_small(m), ..self.clone() }
    }
    fn over(&self, m: u32) -> Fixed {
        Fixed { big: self.big.div_small(m).0, ..self.clone() }
    }
    fn negate(&self) -> Fixed {
        Fixed { negative: !self.negative, ..self.clone() }
    }
    fn sqrt(&self) -> Fixed {
        Fixed { big: self.big.shift(self.places).sqrt(), ..self.clone() }
    }
    fn to_numeric(&self, scale: i32) -> Numeric {
        Numeric::from_big(&self.big, self.places, self.negative && !self.big.is_zero(), scale)
    }
    /// The natural logarithm of a number near 1, by the series of the inverse hyperbolic tangent.
    fn ln_near_one(&self) -> Fixed {
        let one = Fixed::int(1, self.places);
        let x = self.add(&one.negate()).div(&self.add(&one));
        let square = x.mul(&x);
        let (mut sum, mut power, mut n) = (x.clone(), x, 1);
        loop {
            power = power.mul(&square);
            n += 2;
            let term = power.over(n);
            if term.big.is_zero() {
                return sum.times(2);
            }
            sum = sum.add(&term);
        }
    }
    /// The natural logarithm of a number between 0.0001 and 10000.
    fn ln(&self) -> Fixed {
        let (low, high) = (Fixed::int(9, self.places).over(10), Fixed::int(11, self.places).over(10));
        let (mut x, mut doublings) = (self.clone(), 0u32);
        while x.big.cmp(&low.big).is_lt() || x.big.cmp(&high.big).is_gt() {
            x = x.sqrt();
            doublings += 1;
        }
        x.ln_near_one().times(1 << doublings)
    }
}

/// The natural logarithm of a positive number.
fn ln_to_scale(n: &Numeric, scale: i32) -> Numeric {
    // Near 1 the result is as small as the distance; far from it the guard digits suffice.
    let places = i64::from(scale.max(0)) / 4 + 8 + i64::from(n.dscale.min(400)) / 8;
    let places = places.max(n.digits.len() as i64 - i64::from(n.weight).min(0).max(-1) + 4).max(8);
    let mantissa = Numeric { weight: 0, ..n.clone() };
    let near = n.weight == -1 && n.digits[0] >= 1000;
    let (mantissa, exponent) = if near { (n.clone(), 0) } else { (mantissa, n.weight) };
    let mut r = Fixed::of(&mantissa, places).ln();
    if exponent != 0 {
        let base = Fixed::int(10_000, places).ln().times(exponent.unsigned_abs());
        r = r.add(&if exponent < 0 { base.negate() } else { base });
    }
    r.to_numeric(scale)
}

/// (PostgreSQL: `exp_var`)
fn exp_to_scale(n: &Numeric, scale: i32) -> Result<Numeric> {
    let approx = n.to_f64();
    if approx.abs() >= f64::from(MAX_RESULT_SCALE * 3) {
        if approx > 0.0 {
            return Err(overflows());
        }
        return Ok(Numeric { dscale: scale, ..Numeric::zero() });
    }
    let weight = (approx.abs() * 0.4343) as i64;
    if approx < 0.0 && weight > i64::from(scale.max(0)) + 8 {
        // No digit that is shown differs from zero.
        return Ok(Numeric { dscale: scale, ..Numeric::zero() });
    }
    let places = i64::from(scale.max(0)) / 4 + weight / 4 * if approx < 0.0 { 2 } else { 1 } + 10;
    let mut x = Fixed::of(&n.abs(), places);
    // Halves it until the series converges quickly.
    let small = Fixed::int(1, places).over(10_000).over(10_000);
    let mut doublings = 0;
    while x.big.cmp(&small.big).is_gt() {
        x = x.over(2);
        doublings += 1;
    }
    let (mut sum, mut term, mut k) = (Fixed::int(1, places).add(&x), x.clone(), 1);
    loop {
        k += 1;
        term = term.mul(&x).over(k);
        if term.big.is_zero() {
            break;
        }
        sum = sum.add(&term);
    }
    for _ in 0..doublings {
        sum = sum.mul(&sum);
    }
    if n.negative {
        sum = Fixed::int(1, places).div(&sum);
    }
    Ok(sum.to_numeric(scale))
}

impl Numeric {
    pub fn sqrt(&self) -> Result<Numeric> {
        if self.sign() < 0 {
            return Err(error(INVALID_ARGUMENT_FOR_POWER_FUNCTION, "cannot take square root of a negative number"));
        }
        if !self.is_finite() {
            return Ok(self.clone());
        }
        let weight = self.weight * 4 / 2 + 1;
        let scale = clamp((MIN_SIG_DIGITS - weight).max(self.dscale));
        let places = i64::from(scale) / 4 + 2;
        let root = self.to_big(places * 2).sqrt();
        Ok(Numeric::from_big(&root, places, false, scale))
    }
    pub fn exp(&self) -> Result<Numeric> {
        match self.kind {
            Kind::NegInfinity => return Ok(Numeric::zero()),
            Kind::Finite => {}
            _ => return Ok(self.clone()),
        }
        let limit = f64::from(MAX_RESULT_SCALE);
        let weight = (self.to_f64() * 0.434294481903252).clamp(-limit, limit) as i32;
        exp_to_scale(self, clamp((MIN_SIG_DIGITS - weight).max(self.dscale)))
    }
    /// (PostgreSQL: `estimate_ln_dweight`)
    fn ln_weight(&self) -> i32 {
        if self.sign() <= 0 {
            return 0;
        }
        let tenths = |v| Numeric::from_i64(v).div_to_scale(&Numeric::from_i64(10), 1);
        if self.compare(&tenths(9)).is_ge() && self.compare(&tenths(11)).is_le() {
            let x = self.sub(&Numeric::from_i64(1));
            return x.digits.first().map_or(0, |&d| x.weight * 4 + f64::from(d).log10() as i32);
        }
        let (mut digits, mut weight) = (f64::from(self.digits[0]), self.weight * 4);
        if let Some(&d) = self.digits.get(1) {
            digits = digits * 10_000.0 + f64::from(d);
            weight -= 4;
        }
        let ln = digits.ln() + f64::from(weight) * std::f64::consts::LN_10;
        ln.abs().log10() as i32
    }
    fn check_log(&self) -> Result<()> {
        match self.sign() {
            0 => Err(error(INVALID_ARGUMENT_FOR_LOG, "cannot take logarithm of zero")),
            -1 => Err(error(INVALID_ARGUMENT_FOR_LOG, "cannot take logarithm of a negative number")),
            _ => Ok(()),
        }
    }
    pub fn ln(&self) -> Result<Numeric> {
        if self.is_nan() {
            return Ok(self.clone());
        }
        self.check_log()?;
        if self.is_infinite() {
            return Ok(self.clone());
        }
        Ok(ln_to_scale(self, clamp((MIN_SIG_DIGITS - self.ln_weight()).max(self.dscale))))
    }
    /// The logarithm of `num` to the base `self`.
    pub fn log(&self, num: &Numeric) -> Result<Numeric> {
        if self.is_nan() || num.is_nan() {
            return Ok(Numeric::special(Kind::NaN));
        }
        self.check_log()?;
        num.check_log()?;
        match (self.is_infinite(), num.is_infinite()) {
            (true, true) => return Ok(Numeric::special(Kind::NaN)),
            (true, false) => return Ok(Numeric::zero()),
            (false, true) => return Ok(num.clone()),
            _ => {}
        }
        let (wb, wn) = (self.ln_weight(), num.ln_weight());
        let weight = wn - wb;
        let scale = clamp((MIN_SIG_DIGITS - weight).max(self.dscale).max(num.dscale));
        let base = ln_to_scale(self, (scale + weight - wb + 8).max(0));
        let num = ln_to_scale(num, (scale + weight - wn + 8).max(0));
        if base.is_zero() {
            return Err(crate::err::division_by_zero());
        }
        Ok(num.div_to_scale(&base, scale))
    }
    pub fn power(&self, e: &Numeric) -> Result<Numeric> {
        let one = Numeric::from_i64(1);
        let bad = |text: &str| Err(error(INVALID_ARGUMENT_FOR_POWER_FUNCTION, text));
        let complex = "a negative number raised to a non-integer power yields a complex result";
        if self.is_nan() {
            return Ok(if e.is_zero() { one } else { self.clone() });
        }
        if e.is_nan() {
            return Ok(if self.compare(&one).is_eq() { one } else { e.clone() });
        }
        if self.sign() == 0 && e.sign() < 0 {
            return bad("zero raised to a negative power is undefined");
        }
        if self.is_infinite() || e.is_infinite() {
            if self.sign() < 0 && !(e.is_infinite() || e.is_integer()) {
                return bad(complex);
            }
            return Ok(self.power_infinite(e));
        }
        if e.is_integer()
            && let Some(n) = e.to_i128().and_then(|n| i32::try_from(n).ok())
        {
            return self.power_int(n, e.dscale);
        }
        if self.is_zero() {
            return Ok(Numeric { dscale: MIN_SIG_DIGITS, ..Numeric::zero() });
        }
        if self.negative && !e.is_integer() {
            return bad(complex);
        }
        let base = self.abs();
        let negative = self.negative && e.is_odd();
        let weight = base.ln_weight();
        let rough = ln_to_scale(&base, (8 - weight).max(0)).mul(e).to_f64();
        if rough.abs() > f64::from(MAX_RESULT_SCALE) * 3.01 {
            if rough > 0.0 {
                return Err(overflows());
            }
            return Ok(Numeric { dscale: MAX_DISPLAY_SCALE, ..Numeric::zero() });
        }
        let result_weight = (rough * 0.434294481903252) as i32;
        let scale = clamp((MIN_SIG_DIGITS - result_weight).max(self.dscale).max(e.dscale));
        let sig = (scale + result_weight).max(0);
        let ln = ln_to_scale(&base, (sig - weight + 8).max(0));
        let r = exp_to_scale(&ln.mul(e), scale)?;
        Ok(if negative { r.negate() } else { r })
    }
    fn is_odd(&self) -> bool {
        self.digits.len() as i32 == self.weight + 1 && self.digits.last().is_some_and(|d| d & 1 == 1)
    }
    fn power_infinite(&self, e: &Numeric) -> Numeric {
        let one = Numeric::from_i64(1);
        if self.compare(&one).is_eq() || e.sign() == 0 {
            return one;
        }
        if self.sign() == 0 {
            return Numeric::zero();
        }
        if e.is_infinite() {
            let grows = self.is_infinite() || self.abs().compare(&one).is_gt();
            if self.compare(&one.negate()).is_eq() {
                return one;
            }
            return if grows == (e.sign() > 0) { Numeric::special(Kind::Infinity) } else { Numeric::zero() };
        }
        if e.sign() < 0 {
            return Numeric::zero();
        }
        match self.kind {
            Kind::NegInfinity if e.is_odd() => self.clone(),
            _ => Numeric::special(Kind::Infinity),
        }
    }
    /// (PostgreSQL: `power_var_int`)
    fn power_int(&self, e: i32, e_dscale: i32) -> Result<Numeric> {
        let mut weight = 0.0;
        if !self.digits.is_empty() {
            let (mut f, mut p) = (f64::from(self.digits[0]), self.weight * 4);
            for &d in self.digits.iter().skip(1).take(3) {
                f = f * 10_000.0 + f64::from(d);
                p -= 4;
            }
            weight = f64::from(e) * (f.log10() + f64::from(p));
        }
        if weight > f64::from((32_767 + 1) * 4) {
            return Err(overflows());
        }
        if weight + 1.0 < f64::from(-MAX_DISPLAY_SCALE) {
            return Ok(Numeric { dscale: MAX_DISPLAY_SCALE, ..Numeric::zero() });
        }
        let scale = clamp((MIN_SIG_DIGITS - weight as i32).max(self.dscale).max(e_dscale));
        match e {
            0 => return Ok(Numeric { dscale: scale, ..Numeric::from_i64(1) }),
            1 => return Ok(self.rounded(scale)),
            -1 => return Ok(Numeric::from_i64(1).div_to_scale(self, scale)),
            2 => return Ok(self.mul(self).rounded(scale)),
            _ => {}
        }
        if self.is_zero() {
            return Ok(Numeric { dscale: scale, ..Numeric::zero() });
        }
        let sig = 1 + scale + weight as i32 + (e.unsigned_abs() as f64).ln() as i32 + 8;
        let mut product = if e & 1 == 1 { self.clone() } else { Numeric::from_i64(1) };
        let (mut square, mut mask) = (self.clone(), e.unsigned_abs() >> 1);
        // Keeps as many digits as can matter.
        let limit = |n: Numeric| {
            let local = (sig + 4 - n.weight * 4).clamp(0, n.dscale.max(0));
            let exact = n.digits.len() as i32 - 1 - n.weight;
            if exact * 4 > local { Numeric { dscale: local, ..n.rounded(local) } } else { n }
        };
        while mask > 0 {
            square = limit(Numeric { dscale: 16_000, ..square.mul(&square) });
            if mask & 1 == 1 {
                product = limit(Numeric { dscale: 16_000, ..square.mul(&product) });
            }
            if square.weight > 40_000 || product.weight > 40_000 {
                if e > 0 {
                    return Err(overflows());
                }
                return Ok(Numeric { dscale: scale, ..Numeric::zero() });
            }
            mask >>= 1;
        }
        if e < 0 {
            Ok(Numeric::from_i64(1).div_to_scale(&product, scale))
        } else {
            Ok(Numeric { dscale: scale, ..product.rounded(scale) })
        }
    }
}

impl Numeric {
    /// The root of a number that is not negative, rounded to a scale.
    pub fn sqrt_to_scale(&self, scale: i32) -> Numeric {
        let places = i64::from(scale) / 4 + 2;
        Numeric::from_big(&self.to_big(places * 2).sqrt(), places, false, scale)
    }
}
