//! Circles. Order and equality of the operators `<`, `=`, `>` go by area.

use std::f64::consts::{PI, SQRT_2};

use base::Result;
use base::sqlstate::*;
use types::builtin;

use super::approx::{eq, ge, gt, le, lt, ne, same, zero};
use super::num::{add, div, hypot, mul, sub};
use super::point::distance;
use super::{Circle, GeoBox, Point, Polygon};
use crate::err::error;

impl Circle {
    pub(crate) fn area(self) -> Result<f64> {
        mul(mul(self.radius, self.radius)?, PI)
    }
    /// Around the mean of the points with their mean distance from it.
    pub(crate) fn of_polygon(p: &Polygon) -> Result<Circle> {
        let n = p.points.len() as f64;
        let mut sum = Point::default();
        for q in &p.points {
            sum = sum.plus(*q)?;
        }
        let center = Point::new(div(sum.x, n)?, div(sum.y, n)?);
        let mut radius = 0.0;
        for q in &p.points {
            radius = add(radius, distance(*q, center)?)?;
        }
        Ok(Circle { center, radius: div(radius, n)? })
    }
}

#[builtin("circle_left")]
fn circle_left(a: Circle, b: Circle) -> Result<bool> {
    Ok(lt(add(a.center.x, a.radius)?, sub(b.center.x, b.radius)?))
}
#[builtin("circle_overleft")]
fn circle_overleft(a: Circle, b: Circle) -> Result<bool> {
    Ok(le(add(a.center.x, a.radius)?, add(b.center.x, b.radius)?))
}
#[builtin("circle_right")]
fn circle_right(a: Circle, b: Circle) -> Result<bool> {
    Ok(gt(sub(a.center.x, a.radius)?, add(b.center.x, b.radius)?))
}
#[builtin("circle_overright")]
fn circle_overright(a: Circle, b: Circle) -> Result<bool> {
    Ok(ge(sub(a.center.x, a.radius)?, sub(b.center.x, b.radius)?))
}
#[builtin("circle_below")]
fn circle_below(a: Circle, b: Circle) -> Result<bool> {
    Ok(lt(add(a.center.y, a.radius)?, sub(b.center.y, b.radius)?))
}
#[builtin("circle_overbelow")]
fn circle_overbelow(a: Circle, b: Circle) -> Result<bool> {
    Ok(le(add(a.center.y, a.radius)?, add(b.center.y, b.radius)?))
}
#[builtin("circle_above")]
fn circle_above(a: Circle, b: Circle) -> Result<bool> {
    Ok(gt(sub(a.center.y, a.radius)?, add(b.center.y, b.radius)?))
}
#[builtin("circle_overabove")]
fn circle_overabove(a: Circle, b: Circle) -> Result<bool> {
    Ok(ge(sub(a.center.y, a.radius)?, sub(b.center.y, b.radius)?))
}
#[builtin("circle_contain")]
fn circle_contain(a: Circle, b: Circle) -> Result<bool> {
    Ok(le(distance(a.center, b.center)?, sub(a.radius, b.radius)?))
}
#[builtin("circle_contained")]
fn circle_contained(a: Circle, b: Circle) -> Result<bool> {
    Ok(le(distance(a.center, b.center)?, sub(b.radius, a.radius)?))
}
#[builtin("circle_overlap")]
fn circle_overlap(a: Circle, b: Circle) -> Result<bool> {
    Ok(le(distance(a.center, b.center)?, add(a.radius, b.radius)?))
}
#[builtin("circle_lt")]
fn circle_lt(a: Circle, b: Circle) -> Result<bool> {
    Ok(lt(a.area()?, b.area()?))
}
#[builtin("circle_gt")]
fn circle_gt(a: Circle, b: Circle) -> Result<bool> {
    Ok(gt(a.area()?, b.area()?))
}
#[builtin("circle_eq")]
fn circle_eq(a: Circle, b: Circle) -> Result<bool> {
    Ok(eq(a.area()?, b.area()?))
}
#[builtin("circle_ne")]
fn circle_ne(a: Circle, b: Circle) -> Result<bool> {
    Ok(ne(a.area()?, b.area()?))
}
#[builtin("circle_le")]
fn circle_le(a: Circle, b: Circle) -> Result<bool> {
    Ok(le(a.area()?, b.area()?))
}
#[builtin("circle_ge")]
fn circle_ge(a: Circle, b: Circle) -> Result<bool> {
    Ok(ge(a.area()?, b.area()?))
}
#[builtin("circle_same")]
fn circle_same(a: Circle, b: Circle) -> bool {
    (a.radius.is_nan() && b.radius.is_nan() || eq(a.radius, b.radius)) && same(a.center, b.center)
}
#[builtin("circle_add_pt")]
fn circle_add_pt(c: Circle, p: Point) -> Result<Circle> {
    Ok(Circle { center: c.center.plus(p)?, ..c })
}
#[builtin("circle_sub_pt")]
fn circle_sub_pt(c: Circle, p: Point) -> Result<Circle> {
    Ok(Circle { center: c.center.minus(p)?, ..c })
}
#[builtin("circle_mul_pt")]
fn circle_mul_pt(c: Circle, p: Point) -> Result<Circle> {
    Ok(Circle { center: c.center.times(p)?, radius: mul(c.radius, hypot(p.x, p.y)?)? })
}
#[builtin("circle_div_pt")]
fn circle_div_pt(c: Circle, p: Point) -> Result<Circle> {
    Ok(Circle { center: c.center.over(p)?, radius: div(c.radius, hypot(p.x, p.y)?)? })
}
#[builtin("circle_area")]
fn circle_area(c: Circle) -> Result<f64> {
    c.area()
}
#[builtin("circle_diameter")]
fn circle_diameter(c: Circle) -> Result<f64> {
    mul(c.radius, 2.0)
}
#[builtin("circle_radius")]
fn circle_radius(c: Circle) -> f64 {
    c.radius
}
#[builtin("circle_center")]
fn circle_center(c: Circle) -> Point {
    c.center
}
#[builtin("cr_circle")]
fn cr_circle(center: Point, radius: f64) -> Circle {
    Circle { center, radius }
}
#[builtin("circle_contain_pt")]
fn circle_contain_pt(c: Circle, p: Point) -> Result<bool> {
    Ok(distance(c.center, p)? <= c.radius)
}
#[builtin("pt_contained_circle")]
fn pt_contained_circle(p: Point, c: Circle) -> Result<bool> {
    Ok(distance(c.center, p)? <= c.radius)
}
#[builtin("circle_box")]
fn circle_box(c: Circle) -> Result<GeoBox> {
    let d = div(c.radius, SQRT_2)?;
    Ok(GeoBox {
        high: Point::new(add(c.center.x, d)?, add(c.center.y, d)?),
        low: Point::new(sub(c.center.x, d)?, sub(c.center.y, d)?),
    })
}
#[builtin("box_circle")]
fn box_circle(b: GeoBox) -> Result<Circle> {
    let center = b.center()?;
    Ok(Circle { center, radius: distance(center, b.high)? })
}
#[builtin("poly_circle")]
fn poly_circle(p: Polygon) -> Result<Circle> {
    Circle::of_polygon(&p)
}
#[builtin("poly_center")]
fn poly_center(p: Polygon) -> Result<Point> {
    Ok(Circle::of_polygon(&p)?.center)
}
#[builtin("circle_poly")]
fn circle_poly(n: i32, c: Circle) -> Result<Polygon> {
    if zero(c.radius) {
        return Err(error(FEATURE_NOT_SUPPORTED, "cannot convert circle with radius zero to polygon"));
    }
    if n < 2 {
        return Err(error(INVALID_PARAMETER_VALUE, "must request at least 2 points"));
    }
    if n >= (i32::MAX - 40) / 16 {
        return Err(error(PROGRAM_LIMIT_EXCEEDED, "too many points requested"));
    }
    let step = div(2.0 * PI, f64::from(n))?;
    let corner = |i: i32| -> Result<Point> {
        let angle = mul(step, f64::from(i))?;
        let x = sub(c.center.x, mul(c.radius, angle.cos())?)?;
        Ok(Point::new(x, add(c.center.y, mul(c.radius, angle.sin())?)?))
    };
    Ok(Polygon::of((0..n).map(corner).collect::<Result<_>>()?))
}
