//! Arithmetic that reports overflow and underflow, as `float8`'s operators do.

use base::Result;

use crate::err::division_by_zero;
use crate::float::{overflow, underflow};

fn finite(r: f64, a: f64, b: f64) -> Result<f64> {
    if r.is_infinite() && !a.is_infinite() && !b.is_infinite() { Err(overflow()) } else { Ok(r) }
}
pub fn add(a: f64, b: f64) -> Result<f64> {
    finite(a + b, a, b)
}
pub fn sub(a: f64, b: f64) -> Result<f64> {
    finite(a - b, a, b)
}
pub fn mul(a: f64, b: f64) -> Result<f64> {
    let r = finite(a * b, a, b)?;
    if r == 0.0 && a != 0.0 && b != 0.0 { Err(underflow()) } else { Ok(r) }
}
pub fn div(a: f64, b: f64) -> Result<f64> {
    if b == 0.0 && !a.is_nan() {
        return Err(division_by_zero());
    }
    let r = a / b;
    if r.is_infinite() && !a.is_infinite() {
        return Err(overflow());
    }
    if r == 0.0 && a != 0.0 && !b.is_infinite() { Err(underflow()) } else { Ok(r) }
}
/// The length of a diagonal, computed so that only an unrepresentable result overflows. (PostgreSQL: `pg_hypot`)
pub fn hypot(x: f64, y: f64) -> Result<f64> {
    if x.is_infinite() || y.is_infinite() {
        return Ok(f64::INFINITY);
    }
    if x.is_nan() || y.is_nan() {
        return Ok(f64::NAN);
    }
    let (x, y) = (x.abs(), y.abs());
    let (long, short) = if x < y { (y, x) } else { (x, y) };
    if short == 0.0 {
        return Ok(long);
    }
    let ratio = short / long;
    let r = long * (1.0 + ratio * ratio).sqrt();
    match r {
        r if r.is_infinite() => Err(overflow()),
        0.0 => Err(underflow()),
        r => Ok(r),
    }
}
