//! Lines, and what crosses them.

use base::Result;
use base::sqlstate::INVALID_PARAMETER_VALUE;
use types::builtin;

use super::approx::{eq, order, same, zero};
use super::num::{add, div, hypot, mul, sub};
use super::{GeoBox, Line, Lseg, Point};
use crate::err::error;

pub(crate) const NOT_DISTINCT: &str = "invalid line specification: must be two distinct points";

/// Turns a negative zero into a plain one.
fn unsigned_zero(v: f64) -> f64 {
    if v == 0.0 { 0.0 } else { v }
}

impl Line {
    /// Through a point with a slope, with B = -1 unless it is vertical.
    pub(crate) fn through(p: Point, slope: f64) -> Result<Line> {
        Ok(if slope.is_infinite() {
            Line { a: -1.0, b: 0.0, c: p.x }
        } else if slope == 0.0 {
            Line { a: 0.0, b: -1.0, c: p.y }
        } else {
            Line { a: slope, b: -1.0, c: unsigned_zero(sub(p.y, mul(slope, p.x)?)?) }
        })
    }
    pub(crate) fn slope(self) -> Result<f64> {
        if zero(self.a) {
            Ok(0.0)
        } else if zero(self.b) {
            Ok(f64::INFINITY)
        } else {
            div(self.a, -self.b)
        }
    }
    /// Of a perpendicular.
    pub(crate) fn inverse_slope(self) -> Result<f64> {
        if zero(self.a) {
            Ok(f64::INFINITY)
        } else if zero(self.b) {
            Ok(0.0)
        } else {
            div(self.b, self.a)
        }
    }
    pub(crate) fn contains(self, p: Point) -> Result<bool> {
        Ok(zero(add(add(mul(self.a, p.x)?, mul(self.b, p.y)?)?, self.c)?))
    }
    /// Where both cross; `None` for parallels. The one that is not vertical gives y.
    pub(crate) fn meets(self, other: Line) -> Result<Option<Point>> {
        let (l, m) = if !zero(self.b) {
            (self, other)
        } else if !zero(other.b) {
            (other, self)
        } else {
            return Ok(None);
        };
        if eq(m.a, mul(l.a, div(m.b, l.b)?)?) {
            return Ok(None);
        }
        let determinant = sub(mul(l.a, m.b)?, mul(m.a, l.b)?)?;
        let x = div(sub(mul(l.b, m.c)?, mul(m.b, l.c)?)?, determinant)?;
        let y = div(-add(mul(l.a, x)?, l.c)?, l.b)?;
        Ok(Some(Point::new(unsigned_zero(x), unsigned_zero(y))))
    }
}

#[builtin("line_construct_pp")]
fn line_construct_pp(a: Point, b: Point) -> Result<Line> {
    if same(a, b) {
        return Err(error(INVALID_PARAMETER_VALUE, NOT_DISTINCT));
    }
    Line::through(a, super::point::slope(a, b)?)
}
#[builtin("line_eq")]
fn line_eq(l: Line, m: Line) -> Result<bool> {
    let pairs = [(l.a, m.a), (l.b, m.b), (l.c, m.c)];
    if pairs.iter().any(|(x, y)| x.is_nan() || y.is_nan()) {
        return Ok(pairs.iter().all(|(x, y)| order(*x, *y).is_eq()));
    }
    // Both are scaled alike by the first coefficient that the other has.
    let ratio = match pairs.iter().find(|(_, y)| !zero(*y)) {
        Some((x, y)) => div(*x, *y)?,
        None => 1.0,
    };
    for (x, y) in pairs {
        if !eq(x, mul(ratio, y)?) {
            return Ok(false);
        }
    }
    Ok(true)
}
#[builtin("line_parallel")]
fn line_parallel(l: Line, m: Line) -> Result<bool> {
    Ok(l.meets(m)?.is_none())
}
#[builtin("line_intersect")]
fn line_intersect(l: Line, m: Line) -> Result<bool> {
    Ok(l.meets(m)?.is_some())
}
#[builtin("line_interpt")]
fn line_interpt(l: Line, m: Line) -> Result<Option<Point>> {
    l.meets(m)
}
#[builtin("line_perp")]
fn line_perp(l: Line, m: Line) -> Result<bool> {
    for (own, opposite) in [(l.a, m.b), (m.a, l.b), (l.b, m.a), (m.b, l.a)] {
        if zero(own) {
            return Ok(zero(opposite));
        }
    }
    Ok(eq(div(mul(l.a, m.a)?, mul(l.b, m.b)?)?, -1.0))
}
#[builtin("line_vertical")]
fn line_vertical(l: Line) -> bool {
    zero(l.b)
}
#[builtin("line_horizontal")]
fn line_horizontal(l: Line) -> bool {
    zero(l.a)
}
#[builtin("line_distance")]
fn line_distance(l: Line, m: Line) -> Result<f64> {
    if l.meets(m)?.is_some() {
        return Ok(0.0);
    }
    let usable = |v: f64| !zero(v) && !v.is_nan();
    let ratio = if usable(l.a) && usable(m.a) {
        div(l.a, m.a)?
    } else if usable(l.b) && usable(m.b) {
        div(l.b, m.b)?
    } else {
        1.0
    };
    div(sub(l.c, mul(ratio, m.c)?)?.abs(), hypot(l.a, l.b)?)
}
#[builtin("on_pl")]
fn on_pl(p: Point, l: Line) -> Result<bool> {
    l.contains(p)
}
#[builtin("on_sl")]
fn on_sl(s: Lseg, l: Line) -> Result<bool> {
    Ok(l.contains(s.0)? && l.contains(s.1)?)
}
#[builtin("inter_sl")]
fn inter_sl(s: Lseg, l: Line) -> Result<bool> {
    Ok(s.meets_line(l)?.is_some())
}
#[builtin("inter_lb")]
fn inter_lb(l: Line, b: GeoBox) -> Result<bool> {
    for side in b.sides() {
        if side.meets_line(l)?.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}
