//! Operators of points and of line segments with themselves.

use base::Result;
use types::builtin;

use super::approx::{eq, ge, gt, le, lt, same};
use super::num::{add, div, hypot, mul, sub};
use super::{GeoBox, Line, Lseg, Point};

pub(crate) fn distance(a: Point, b: Point) -> Result<f64> {
    hypot(sub(a.x, b.x)?, sub(a.y, b.y)?)
}
/// The slope of the line through both; infinite if it is vertical.
pub(crate) fn slope(a: Point, b: Point) -> Result<f64> {
    if eq(a.x, b.x) {
        Ok(f64::INFINITY)
    } else if eq(a.y, b.y) {
        Ok(0.0)
    } else {
        div(sub(a.y, b.y)?, sub(a.x, b.x)?)
    }
}
/// The slope of a perpendicular to the line through both.
pub(crate) fn inverse_slope(a: Point, b: Point) -> Result<f64> {
    if eq(a.x, b.x) {
        Ok(0.0)
    } else if eq(a.y, b.y) {
        Ok(f64::INFINITY)
    } else {
        div(sub(a.x, b.x)?, sub(b.y, a.y)?)
    }
}
impl Point {
    pub(crate) fn plus(self, o: Point) -> Result<Point> {
        Ok(Point::new(add(self.x, o.x)?, add(self.y, o.y)?))
    }
    pub(crate) fn minus(self, o: Point) -> Result<Point> {
        Ok(Point::new(sub(self.x, o.x)?, sub(self.y, o.y)?))
    }
    /// As complex numbers multiply: turns and scales.
    pub(crate) fn times(self, o: Point) -> Result<Point> {
        let x = sub(mul(self.x, o.x)?, mul(self.y, o.y)?)?;
        Ok(Point::new(x, add(mul(self.x, o.y)?, mul(self.y, o.x)?)?))
    }
    pub(crate) fn over(self, o: Point) -> Result<Point> {
        let norm = add(mul(o.x, o.x)?, mul(o.y, o.y)?)?;
        let x = div(add(mul(self.x, o.x)?, mul(self.y, o.y)?)?, norm)?;
        Ok(Point::new(x, div(sub(mul(self.y, o.x)?, mul(self.x, o.y)?)?, norm)?))
    }
    pub(crate) fn middle(a: Point, b: Point) -> Result<Point> {
        Ok(Point::new(div(add(a.x, b.x)?, 2.0)?, div(add(a.y, b.y)?, 2.0)?))
    }
}

#[builtin("construct_point")]
fn construct_point(x: f64, y: f64) -> Point {
    Point::new(x, y)
}
#[builtin("point_left")]
fn point_left(a: Point, b: Point) -> bool {
    lt(a.x, b.x)
}
#[builtin("point_right")]
fn point_right(a: Point, b: Point) -> bool {
    gt(a.x, b.x)
}
#[builtin("point_above")]
fn point_above(a: Point, b: Point) -> bool {
    gt(a.y, b.y)
}
#[builtin("point_below")]
fn point_below(a: Point, b: Point) -> bool {
    lt(a.y, b.y)
}
#[builtin("point_vert")]
fn point_vert(a: Point, b: Point) -> bool {
    eq(a.x, b.x)
}
#[builtin("point_horiz")]
fn point_horiz(a: Point, b: Point) -> bool {
    eq(a.y, b.y)
}
#[builtin("point_eq")]
fn point_eq(a: Point, b: Point) -> bool {
    same(a, b)
}
#[builtin("point_ne")]
fn point_ne(a: Point, b: Point) -> bool {
    !same(a, b)
}
#[builtin("point_distance")]
fn point_distance(a: Point, b: Point) -> Result<f64> {
    distance(a, b)
}
#[builtin("point_slope")]
fn point_slope(a: Point, b: Point) -> Result<f64> {
    slope(a, b)
}
#[builtin("point_add")]
fn point_add(a: Point, b: Point) -> Result<Point> {
    a.plus(b)
}
#[builtin("point_sub")]
fn point_sub(a: Point, b: Point) -> Result<Point> {
    a.minus(b)
}
#[builtin("point_mul")]
fn point_mul(a: Point, b: Point) -> Result<Point> {
    a.times(b)
}
#[builtin("point_div")]
fn point_div(a: Point, b: Point) -> Result<Point> {
    a.over(b)
}
#[builtin("point_box")]
fn point_box(p: Point) -> GeoBox {
    GeoBox { high: p, low: p }
}

impl Lseg {
    pub(crate) fn slope(self) -> Result<f64> {
        slope(self.0, self.1)
    }
    pub(crate) fn length(self) -> Result<f64> {
        distance(self.0, self.1)
    }
    /// The line it lies on.
    pub(crate) fn line(self) -> Result<Line> {
        Line::through(self.0, self.slope()?)
    }
    /// Whether the way over the point is no longer than the segment.
    pub(crate) fn contains(self, p: Point) -> Result<bool> {
        Ok(eq(distance(p, self.0)? + distance(p, self.1)?, self.length()?))
    }
    /// Where a line crosses it; an end point is met exactly.
    pub(crate) fn meets_line(self, line: Line) -> Result<Option<Point>> {
        let Some(at) = self.line()?.meets(line)? else { return Ok(None) };
        if !self.contains(at)? {
            return Ok(None);
        }
        Ok(Some([self.0, self.1].into_iter().find(|end| same(*end, at)).unwrap_or(at)))
    }
    pub(crate) fn meets(self, o: Lseg) -> Result<Option<Point>> {
        match self.meets_line(o.line()?)? {
            Some(at) if o.contains(at)? => Ok(Some(at)),
            _ => Ok(None),
        }
    }
}

#[builtin("lseg_construct")]
fn lseg_construct(a: Point, b: Point) -> Lseg {
    Lseg(a, b)
}
#[builtin("lseg_length")]
fn lseg_length(l: Lseg) -> Result<f64> {
    l.length()
}
#[builtin("lseg_center")]
fn lseg_center(l: Lseg) -> Result<Point> {
    Point::middle(l.0, l.1)
}
#[builtin("lseg_intersect")]
fn lseg_intersect(a: Lseg, b: Lseg) -> Result<bool> {
    Ok(a.meets(b)?.is_some())
}
#[builtin("lseg_interpt")]
fn lseg_interpt(a: Lseg, b: Lseg) -> Result<Option<Point>> {
    a.meets(b)
}
#[builtin("lseg_parallel")]
fn lseg_parallel(a: Lseg, b: Lseg) -> Result<bool> {
    Ok(eq(a.slope()?, b.slope()?))
}
#[builtin("lseg_perp")]
fn lseg_perp(a: Lseg, b: Lseg) -> Result<bool> {
    Ok(eq(a.slope()?, inverse_slope(b.0, b.1)?))
}
#[builtin("lseg_vertical")]
fn lseg_vertical(l: Lseg) -> bool {
    eq(l.0.x, l.1.x)
}
#[builtin("lseg_horizontal")]
fn lseg_horizontal(l: Lseg) -> bool {
    eq(l.0.y, l.1.y)
}
#[builtin("lseg_eq")]
fn lseg_eq(a: Lseg, b: Lseg) -> bool {
    same(a.0, b.0) && same(a.1, b.1)
}
#[builtin("lseg_ne")]
fn lseg_ne(a: Lseg, b: Lseg) -> bool {
    !lseg_eq(a, b)
}
#[builtin("lseg_lt")]
fn lseg_lt(a: Lseg, b: Lseg) -> Result<bool> {
    Ok(lt(a.length()?, b.length()?))
}
#[builtin("lseg_le")]
fn lseg_le(a: Lseg, b: Lseg) -> Result<bool> {
    Ok(le(a.length()?, b.length()?))
}
#[builtin("lseg_gt")]
fn lseg_gt(a: Lseg, b: Lseg) -> Result<bool> {
    Ok(gt(a.length()?, b.length()?))
}
#[builtin("lseg_ge")]
fn lseg_ge(a: Lseg, b: Lseg) -> Result<bool> {
    Ok(ge(a.length()?, b.length()?))
}
#[builtin("on_ps")]
fn on_ps(p: Point, l: Lseg) -> Result<bool> {
    l.contains(p)
}
