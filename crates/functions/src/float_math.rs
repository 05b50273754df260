//! Mathematics of `float8`: roots, powers, logarithms, trigonometry in radians and degrees, special functions, random numbers.

use base::Result;
use base::sqlstate::*;
use types::{Builtin, FnCx, builtin};

use crate::err::{error, out_of_range};
use crate::float::{overflow, underflow};
use crate::random;

/// What the result of a function may not be: infinite (of finite arguments), or zero.
fn checked(r: f64, infinite_ok: bool) -> Result<f64> {
    if r.is_infinite() && !infinite_ok { Err(overflow()) } else { Ok(r) }
}
fn input_range() -> base::PgError {
    error(NUMERIC_VALUE_OUT_OF_RANGE, "input is out of range")
}
fn finite(a: f64, f: impl Fn(f64) -> f64) -> Result<f64> {
    match a {
        a if a.is_nan() => Ok(f64::NAN),
        a if a.is_infinite() => Err(input_range()),
        a => checked(f(a), true),
    }
}
fn within_one(a: f64, f: impl Fn(f64) -> f64) -> Result<f64> {
    match a {
        a if a.is_nan() => Ok(f64::NAN),
        a if !(-1.0..=1.0).contains(&a) => Err(input_range()),
        a => Ok(f(a)),
    }
}
fn logarithm(a: f64, f: impl Fn(f64) -> f64) -> Result<f64> {
    if a == 0.0 {
        return Err(error(INVALID_ARGUMENT_FOR_LOG, "cannot take logarithm of zero"));
    }
    if a < 0.0 {
        return Err(error(INVALID_ARGUMENT_FOR_LOG, "cannot take logarithm of a negative number"));
    }
    let r = f(a);
    if r.is_infinite() && !a.is_infinite() {
        return Err(overflow());
    }
    if r == 0.0 && a != 1.0 { Err(underflow()) } else { Ok(r) }
}

/// (PostgreSQL: `dpow`)
pub fn power(a: f64, b: f64) -> Result<f64> {
    if a.is_nan() {
        return Ok(if b == 0.0 { 1.0 } else { f64::NAN });
    }
    if b.is_nan() {
        return Ok(if a == 1.0 { 1.0 } else { f64::NAN });
    }
    if a == 0.0 && b < 0.0 {
        let text = "zero raised to a negative power is undefined";
        return Err(error(INVALID_ARGUMENT_FOR_POWER_FUNCTION, text));
    }
    if a < 0.0 && b.floor() != b {
        let text = "a negative number raised to a non-integer power yields a complex result";
        return Err(error(INVALID_ARGUMENT_FOR_POWER_FUNCTION, text));
    }
    if b.is_infinite() {
        let magnitude = a.abs();
        return Ok(match magnitude {
            1.0 => 1.0,
            m if (m > 1.0) == (b > 0.0) => f64::INFINITY,
            _ => 0.0,
        });
    }
    if a.is_infinite() {
        return Ok(if b == 0.0 {
            1.0
        } else if a > 0.0 {
            if b > 0.0 { a } else { 0.0 }
        } else {
            let odd = (b / 2.0).floor() != b / 2.0;
            if b > 0.0 {
                if odd { a } else { -a }
            } else if odd {
                -0.0
            } else {
                0.0
            }
        });
    }
    let r = a.powf(b);
    if r.is_infinite() {
        return Err(overflow());
    }
    if r == 0.0 && a != 0.0 { Err(underflow()) } else { Ok(r) }
}

fn exponential(a: f64) -> Result<f64> {
    if a.is_nan() || a.is_infinite() {
        return Ok(if a == f64::NEG_INFINITY { 0.0 } else { a });
    }
    let r = a.exp();
    if r.is_infinite() {
        return Err(overflow());
    }
    if r == 0.0 { Err(underflow()) } else { Ok(r) }
}

// Degrees: exact at the multiples of 30 and 45.

const PER_DEGREE: f64 = 0.017_453_292_519_943_295;

/// Keeps the compiler from computing these differently than the run-time calls that they are compared with.
fn rad(x: f64) -> f64 {
    std::hint::black_box(x) * PER_DEGREE
}
fn sin_0_30(x: f64) -> f64 {
    rad(x).sin() / rad(30.0).sin() / 2.0
}
fn cos_0_60(x: f64) -> f64 {
    1.0 - (1.0 - rad(x).cos()) / (1.0 - rad(60.0).cos()) / 2.0
}
fn sin_q1(x: f64) -> f64 {
    if x <= 30.0 { sin_0_30(x) } else { cos_0_60(90.0 - x) }
}
fn cos_q1(x: f64) -> f64 {
    if x <= 60.0 { cos_0_60(x) } else { sin_0_30(90.0 - x) }
}
fn sind(a: f64) -> f64 {
    let (mut x, mut sign) = (a % 360.0, 1.0);
    if x < 0.0 {
        (x, sign) = (-x, -sign);
    }
    if x > 180.0 {
        (x, sign) = (360.0 - x, -sign);
    }
    if x > 90.0 {
        x = 180.0 - x;
    }
    sign * sin_q1(x)
}
fn cosd(a: f64) -> f64 {
    let (mut x, mut sign) = ((a % 360.0).abs(), 1.0);
    if x > 180.0 {
        x = 360.0 - x;
    }
    if x > 90.0 {
        (x, sign) = (180.0 - x, -sign);
    }
    sign * cos_q1(x)
}
fn fold_tangent(a: f64) -> (f64, f64) {
    let (mut x, mut sign) = (a % 360.0, 1.0);
    if x < 0.0 {
        (x, sign) = (-x, -sign);
    }
    if x > 180.0 {
        (x, sign) = (360.0 - x, -sign);
    }
    if x > 90.0 {
        (x, sign) = (180.0 - x, -sign);
    }
    (x, sign)
}
fn tand(a: f64) -> f64 {
    let (x, sign) = fold_tangent(a);
    let tan_45 = sin_q1(45.0) / cos_q1(45.0);
    let r = sign * ((sin_q1(x) / cos_q1(x)) / tan_45);
    if r == 0.0 { 0.0 } else { r }
}
fn cotd(a: f64) -> f64 {
    let (x, sign) = fold_tangent(a);
    let cot_45 = cos_q1(45.0) / sin_q1(45.0);
    let r = sign * ((cos_q1(x) / sin_q1(x)) / cot_45);
    if r == 0.0 { 0.0 } else { r }
}
fn asin_q1(x: f64) -> f64 {
    let one = std::hint::black_box(1.0f64);
    let half = std::hint::black_box(0.5f64);
    if x <= 0.5 { x.asin() / half.asin() * 30.0 } else { 90.0 - x.acos() / (one - half).acos() * 60.0 }
}
fn acos_q1(x: f64) -> f64 {
    let half = std::hint::black_box(0.5f64);
    if x <= 0.5 { 90.0 - x.asin() / half.asin() * 30.0 } else { x.acos() / half.acos() * 60.0 }
}
fn atand(a: f64) -> f64 {
    a.atan() / std::hint::black_box(1.0f64).atan() * 45.0
}

pub static FLOAT_MATH: &[Builtin] = &[
    b1!("dround", |a: f64| -> f64 { Ok(a.round_ties_even()) }),
    b1!("dceil", |a: f64| -> f64 { Ok(a.ceil()) }),
    b1!("dfloor", |a: f64| -> f64 { Ok(a.floor()) }),
    b1!("dtrunc", |a: f64| -> f64 { Ok(a.trunc()) }),
    b1!("dsign", |a: f64| -> f64 {
        Ok(if a > 0.0 {
            1.0
        } else if a < 0.0 {
            -1.0
        } else {
            0.0
        })
    }),
    b1!("dsqrt", |a: f64| -> f64 {
        if a < 0.0 {
            return Err(error(INVALID_ARGUMENT_FOR_POWER_FUNCTION, "cannot take square root of a negative number"));
        }
        Ok(a.sqrt())
    }),
    b1!("dcbrt", |a: f64| -> f64 { Ok(a.cbrt()) }),
    b2!("dpow", |a: f64, b: f64| -> f64 { power(a, b) }),
    b1!("dexp", |a: f64| -> f64 { exponential(a) }),
    b1!("dlog1", |a: f64| -> f64 { logarithm(a, f64::ln) }),
    b1!("dlog10", |a: f64| -> f64 { logarithm(a, f64::log10) }),
    b1!("dsin", |a: f64| -> f64 { finite(a, f64::sin) }),
    b1!("dcos", |a: f64| -> f64 { finite(a, f64::cos) }),
    b1!("dtan", |a: f64| -> f64 { finite(a, f64::tan) }),
    b1!("dcot", |a: f64| -> f64 { finite(a, |a| 1.0 / a.tan()) }),
    b1!("dasin", |a: f64| -> f64 { within_one(a, f64::asin) }),
    b1!("dacos", |a: f64| -> f64 { within_one(a, f64::acos) }),
    b1!("datan", |a: f64| -> f64 { Ok(a.atan()) }),
    b2!("datan2", |a: f64, b: f64| -> f64 { Ok(a.atan2(b)) }),
    b1!("dsinh", |a: f64| -> f64 { Ok(libm::sinh(a)) }),
    b1!("dcosh", |a: f64| -> f64 { Ok(a.cosh()) }),
    b1!("dtanh", |a: f64| -> f64 { Ok(a.tanh()) }),
    b1!("dasinh", |a: f64| -> f64 { Ok(libm::asinh(a)) }),
    b1!("dacosh", |a: f64| -> f64 { if a < 1.0 { Err(input_range()) } else { Ok(libm::acosh(a)) } }),
    b1!("datanh", |a: f64| -> f64 {
        match a {
            a if !a.is_nan() && !(-1.0..=1.0).contains(&a) => Err(input_range()),
            -1.0 => Ok(f64::NEG_INFINITY),
            1.0 => Ok(f64::INFINITY),
            a => Ok(libm::atanh(a)),
        }
    }),
    b1!("dsind", |a: f64| -> f64 { finite(a, sind) }),
    b1!("dcosd", |a: f64| -> f64 { finite(a, cosd) }),
    b1!("dtand", |a: f64| -> f64 { finite(a, tand) }),
    b1!("dcotd", |a: f64| -> f64 { finite(a, cotd) }),
    b1!("dasind", |a: f64| -> f64 { within_one(a, |a| if a >= 0.0 { asin_q1(a) } else { -asin_q1(-a) }) }),
    b1!("dacosd", |a: f64| -> f64 { within_one(a, |a| if a >= 0.0 { acos_q1(a) } else { 90.0 + asin_q1(-a) }) }),
    b1!("datand", |a: f64| -> f64 { Ok(atand(a)) }),
    b2!("datan2d", |a: f64, b: f64| -> f64 { Ok(a.atan2(b) / std::hint::black_box(1.0f64).atan() * 45.0) }),
    b1!("degrees", |a: f64| -> f64 { checked(a / PER_DEGREE, a.is_infinite()) }),
    b1!("radians", |a: f64| -> f64 { Ok(a * PER_DEGREE) }),
    b1!("derf", |a: f64| -> f64 { Ok(libm::erf(a)) }),
    b1!("derfc", |a: f64| -> f64 { Ok(libm::erfc(a)) }),
    b1!("dgamma", |a: f64| -> f64 {
        match a {
            a if a.is_nan() => Ok(a),
            f64::INFINITY => Ok(a),
            f64::NEG_INFINITY => Err(overflow()),
            a => {
                let r = if a == 0.0 || (a < 0.0 && a.floor() == a) { f64::INFINITY } else { libm::tgamma(a) };
                if r.is_infinite() {
                    Err(overflow())
                } else if r == 0.0 {
                    Err(underflow())
                } else {
                    Ok(r)
                }
            }
        }
    }),
    b1!("dlgamma", |a: f64| -> f64 {
        let r = libm::lgamma(a);
        if r.is_infinite() && !a.is_infinite() { Err(overflow()) } else { Ok(r) }
    }),
];

#[builtin("dpi")]
fn dpi() -> f64 {
    std::f64::consts::PI
}

/// (PostgreSQL: `width_bucket(float8, ...)`)
#[builtin("width_bucket_float8")]
fn width_bucket_float8(x: f64, low: f64, high: f64, count: i32) -> Result<i32> {
    let bad = |text: &str| Err(error(INVALID_ARGUMENT_FOR_WIDTH_BUCKET_FUNCTION, text));
    if count <= 0 {
        return bad("count must be greater than zero");
    }
    if low.is_nan() || high.is_nan() {
        return bad("lower and upper bounds cannot be NaN");
    }
    if low.is_infinite() || high.is_infinite() {
        return bad("lower and upper bounds must be finite");
    }
    if low == high {
        return bad("lower bound cannot equal upper bound");
    }
    let overflow = || out_of_range("integer");
    let up = low < high;
    // NaN sorts above everything.
    let before = if up { x < low } else { x > low || x.is_nan() };
    let after = if up { x >= high || x.is_nan() } else { x <= high };
    if before {
        return Ok(0);
    }
    if after {
        return count.checked_add(1).ok_or_else(overflow);
    }
    let span = if up { high - low } else { low - high };
    let part = if up { x - low } else { low - x };
    let ratio = if span.is_finite() {
        part / span
    } else if up {
        (x / 2.0 - low / 2.0) / (high / 2.0 - low / 2.0)
    } else {
        (low / 2.0 - x / 2.0) / (low / 2.0 - high / 2.0)
    };
    let bucket = ((f64::from(count) * ratio) as i64).min(i64::from(count) - 1);
    Ok(bucket as i32 + 1)
}

// Random numbers.

#[builtin("drandom")]
fn drandom(cx: &mut FnCx<'_>) -> Result<f64> {
    random::with(cx, |p| p.f64())
}
#[builtin("drandom_normal")]
fn drandom_normal(cx: &mut FnCx<'_>, mean: f64, stddev: f64) -> Result<f64> {
    random::with(cx, |p| p.normal()).map(|z| mean + stddev * z)
}
#[builtin("setseed")]
fn setseed(cx: &mut FnCx<'_>, seed: f64) -> Result<()> {
    if !(-1.0..=1.0).contains(&seed) {
        let mut text = Vec::new();
        crate::float::write_g(seed, &mut text);
        let text = String::from_utf8_lossy(&text).into_owned();
        return Err(crate::err::invalid_parameter(format!("setseed parameter {text} is out of allowed range [-1,1]")));
    }
    random::seed(cx, seed)
}
fn bounds<T: PartialOrd>(min: T, max: T) -> Result<()> {
    let text = "lower bound must be less than or equal to upper bound";
    if min > max { Err(crate::err::invalid_parameter(text)) } else { Ok(()) }
}
#[builtin("int4random")]
fn int4random(cx: &mut FnCx<'_>, min: i32, max: i32) -> Result<i32> {
    bounds(min, max)?;
    random::with(cx, |p| p.between(min.into(), max.into()) as i32)
}
#[builtin("int8random")]
fn int8random(cx: &mut FnCx<'_>, min: i64, max: i64) -> Result<i64> {
    bounds(min, max)?;
    random::with(cx, |p| p.between(min, max))
}
