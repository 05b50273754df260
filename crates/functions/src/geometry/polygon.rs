//! Paths and polygons: containment, overlap, conversions. Distances are in `distance`.

use base::Result;
use base::sqlstate::{INVALID_PARAMETER_VALUE, STATEMENT_TOO_COMPLEX};
use types::builtin;

use super::approx::{ge, gt, le, lt, same, zero};
use super::num::{add, div, mul, sub};
use super::{GeoBox, Lseg, Path, Point, Polygon, edges};
use crate::err::error;

/// How often one segment may be cut when a polygon is tested to lie inside another.
const MAX_DEPTH: u32 = 2000;

/// Where a point lies.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Side {
    Outside,
    Inside,
    Edge,
}

/// How an edge crosses the positive x axis, counted in halves with the sign of its direction; `None` if it touches the
/// origin.
fn crossing(x: f64, y: f64, px: f64, py: f64) -> Result<Option<i32>> {
    if zero(y) {
        if zero(x) {
            return Ok(None);
        }
        let right = gt(x, 0.0);
        if zero(py) {
            let same_side = if right { gt(px, 0.0) } else { lt(px, 0.0) };
            return Ok(same_side.then_some(0));
        }
        return Ok(Some(match (right, lt(py, 0.0)) {
            (true, true) => 1,
            (true, false) => -1,
            (false, _) => 0,
        }));
    }
    let sign = if gt(y, 0.0) { 1 } else { -1 };
    let beyond = |v: f64| if sign < 0 { lt(v, 0.0) } else { gt(v, 0.0) };
    if zero(py) {
        return Ok(Some(if lt(px, 0.0) { 0 } else { sign }));
    }
    if beyond(py) {
        return Ok(Some(0));
    }
    if ge(x, 0.0) && gt(px, 0.0) {
        return Ok(Some(2 * sign));
    }
    if lt(x, 0.0) && le(px, 0.0) {
        return Ok(Some(0));
    }
    let z = sub(mul(sub(x, px)?, y)?, mul(sub(y, py)?, x)?)?;
    if zero(z) {
        return Ok(None);
    }
    Ok(Some(if beyond(z) { 0 } else { 2 * sign }))
}
/// By the winding of the closed line around the point.
pub(crate) fn side_of(p: Point, list: &[Point]) -> Result<Side> {
    let mut total = 0;
    let first = list[0].minus(p)?;
    let mut before = first;
    for q in list[1..].iter().map(|q| q.minus(p)).chain([Ok(first)]) {
        let q = q?;
        match crossing(q.x, q.y, before.x, before.y)? {
            None => return Ok(Side::Edge),
            Some(n) => total += n,
        }
        before = q;
    }
    Ok(if total == 0 { Side::Outside } else { Side::Inside })
}

impl Polygon {
    pub(crate) fn of(points: Vec<Point>) -> Polygon {
        Polygon { bounds: GeoBox::around(&points), points }
    }
    pub(crate) fn touches(&self, p: Point) -> Result<bool> {
        Ok(side_of(p, &self.points)? != Side::Outside)
    }
    pub(crate) fn overlaps(&self, o: &Polygon) -> Result<bool> {
        if !self.bounds.overlaps(o.bounds) {
            return Ok(false);
        }
        for a in edges(&self.points, true) {
            for b in edges(&o.points, true) {
                if a.meets(b)?.is_some() {
                    return Ok(true);
                }
            }
        }
        Ok(o.touches(self.points[0])? || self.touches(o.points[0])?)
    }
    fn contains(&self, o: &Polygon) -> Result<bool> {
        if !self.bounds.contains_box(o.bounds) {
            return Ok(false);
        }
        for edge in edges(&o.points, true) {
            if !self.holds(edge.0, edge.1, 0, 0)? {
                return Ok(false);
            }
        }
        Ok(true)
    }
    /// Whether the way from `a` to `b` stays inside, looking at the edges from `start` on only. (PostgreSQL:
    /// `lseg_inside_poly`)
    fn holds(&self, a: Point, b: Point, start: usize, depth: u32) -> Result<bool> {
        if depth > MAX_DEPTH {
            return Err(error(STATEMENT_TOO_COMPLEX, "stack depth limit exceeded"));
        }
        let way = Lseg(a, b);
        let mut crossed = false;
        let n = self.points.len();
        for i in start..n {
            let edge = Lseg(self.points[if i == 0 { n - 1 } else { i - 1 }], self.points[i]);
            let inside = if edge.contains(a)? {
                if edge.contains(b)? {
                    return Ok(true);
                }
                self.holds_touching(a, b, edge, i + 1, depth)?
            } else if edge.contains(b)? {
                self.holds_touching(b, a, edge, i + 1, depth)?
            } else if let Some(at) = way.meets(edge)? {
                crossed = true;
                self.holds(a, at, i + 1, depth + 1)? && self.holds(b, at, i + 1, depth + 1)?
            } else {
                continue;
            };
            if !inside {
                return Ok(false);
            }
        }
        Ok(crossed || self.touches(Point::middle(a, b)?)?)
    }
    /// The same where `a` lies on an edge: what counts is the part of the way that leaves it.
    fn holds_touching(&self, a: Point, b: Point, edge: Lseg, start: usize, depth: u32) -> Result<bool> {
        let way = Lseg(a, b);
        let ends: &[Point] = if same(a, edge.0) {
            &[edge.1]
        } else if same(a, edge.1) {
            &[edge.0]
        } else {
            &[edge.0, edge.1]
        };
        for end in ends {
            if way.contains(*end)? {
                return self.holds(b, *end, start, depth + 1);
            }
        }
        Ok(true)
    }
}

#[builtin("poly_left")]
fn poly_left(a: Polygon, b: Polygon) -> bool {
    a.bounds.high.x < b.bounds.low.x
}
#[builtin("poly_overleft")]
fn poly_overleft(a: Polygon, b: Polygon) -> bool {
    a.bounds.high.x <= b.bounds.high.x
}
#[builtin("poly_right")]
fn poly_right(a: Polygon, b: Polygon) -> bool {
    a.bounds.low.x > b.bounds.high.x
}
#[builtin("poly_overright")]
fn poly_overright(a: Polygon, b: Polygon) -> bool {
    a.bounds.low.x >= b.bounds.low.x
}
#[builtin("poly_below")]
fn poly_below(a: Polygon, b: Polygon) -> bool {
    a.bounds.high.y < b.bounds.low.y
}
#[builtin("poly_overbelow")]
fn poly_overbelow(a: Polygon, b: Polygon) -> bool {
    a.bounds.high.y <= b.bounds.high.y
}
#[builtin("poly_above")]
fn poly_above(a: Polygon, b: Polygon) -> bool {
    a.bounds.low.y > b.bounds.high.y
}
#[builtin("poly_overabove")]
fn poly_overabove(a: Polygon, b: Polygon) -> bool {
    a.bounds.low.y >= b.bounds.low.y
}
#[builtin("poly_same")]
fn poly_same(a: Polygon, b: Polygon) -> bool {
    let n = a.points.len();
    // The same points from some start on, in either direction.
    let matches = |start: usize, step: usize| (0..n).all(|k| same(b.points[(start + k * step) % n], a.points[k]));
    n == b.points.len() && (0..n).any(|i| matches(i, 1) || matches(i, n - 1))
}
#[builtin("poly_contain")]
fn poly_contain(a: Polygon, b: Polygon) -> Result<bool> {
    a.contains(&b)
}
#[builtin("poly_contained")]
fn poly_contained(a: Polygon, b: Polygon) -> Result<bool> {
    b.contains(&a)
}
#[builtin("poly_overlap")]
fn poly_overlap(a: Polygon, b: Polygon) -> Result<bool> {
    a.overlaps(&b)
}
#[builtin("poly_contain_pt")]
fn poly_contain_pt(a: Polygon, p: Point) -> Result<bool> {
    a.touches(p)
}
#[builtin("pt_contained_poly")]
fn pt_contained_poly(p: Point, a: Polygon) -> Result<bool> {
    a.touches(p)
}
#[builtin("poly_npoints")]
fn poly_npoints(a: Polygon) -> i32 {
    a.points.len() as i32
}
#[builtin("poly_box")]
fn poly_box(a: Polygon) -> GeoBox {
    a.bounds
}
#[builtin("poly_path")]
fn poly_path(a: Polygon) -> Path {
    Path { closed: true, points: a.points }
}
#[builtin("box_poly")]
fn box_poly(b: GeoBox) -> Polygon {
    Polygon { bounds: b, points: b.corners().to_vec() }
}
#[builtin("path_poly")]
fn path_poly(p: Path) -> Result<Polygon> {
    if !p.closed {
        return Err(error(INVALID_PARAMETER_VALUE, "open path cannot be converted to polygon"));
    }
    Ok(Polygon::of(p.points))
}
#[builtin("path_isclosed")]
fn path_isclosed(p: Path) -> bool {
    p.closed
}
#[builtin("path_isopen")]
fn path_isopen(p: Path) -> bool {
    !p.closed
}
#[builtin("path_npoints")]
fn path_npoints(p: Path) -> i32 {
    p.points.len() as i32
}
#[builtin("path_close")]
fn path_close(p: Path) -> Path {
    Path { closed: true, ..p }
}
#[builtin("path_open")]
fn path_open(p: Path) -> Path {
    Path { closed: false, ..p }
}
#[builtin("path_n_lt")]
fn path_n_lt(a: Path, b: Path) -> bool {
    a.points.len() < b.points.len()
}
#[builtin("path_n_gt")]
fn path_n_gt(a: Path, b: Path) -> bool {
    a.points.len() > b.points.len()
}
#[builtin("path_n_eq")]
fn path_n_eq(a: Path, b: Path) -> bool {
    a.points.len() == b.points.len()
}
#[builtin("path_n_le")]
fn path_n_le(a: Path, b: Path) -> bool {
    a.points.len() <= b.points.len()
}
#[builtin("path_n_ge")]
fn path_n_ge(a: Path, b: Path) -> bool {
    a.points.len() >= b.points.len()
}
#[builtin("path_length")]
fn path_length(p: Path) -> Result<f64> {
    edges(&p.points, p.closed).try_fold(0.0, |sum, e| add(sum, e.length()?))
}
#[builtin("path_area")]
fn path_area(p: Path) -> Result<Option<f64>> {
    if !p.closed {
        return Ok(None);
    }
    let mut area = 0.0;
    for (i, q) in p.points.iter().enumerate() {
        let next = p.points[(i + 1) % p.points.len()];
        area = sub(add(area, mul(q.x, next.y)?)?, mul(q.y, next.x)?)?;
    }
    div(area.abs(), 2.0).map(Some)
}
#[builtin("path_add")]
fn path_add(mut a: Path, b: Path) -> Option<Path> {
    if a.closed || b.closed {
        return None;
    }
    a.points.extend(b.points);
    Some(a)
}
#[builtin("path_add_pt")]
fn path_add_pt(mut a: Path, p: Point) -> Result<Path> {
    for q in &mut a.points {
        *q = q.plus(p)?;
    }
    Ok(a)
}
#[builtin("path_sub_pt")]
fn path_sub_pt(mut a: Path, p: Point) -> Result<Path> {
    for q in &mut a.points {
        *q = q.minus(p)?;
    }
    Ok(a)
}
#[builtin("path_mul_pt")]
fn path_mul_pt(mut a: Path, p: Point) -> Result<Path> {
    for q in &mut a.points {
        *q = q.times(p)?;
    }
    Ok(a)
}
#[builtin("path_div_pt")]
fn path_div_pt(mut a: Path, p: Point) -> Result<Path> {
    for q in &mut a.points {
        *q = q.over(p)?;
    }
    Ok(a)
}
#[builtin("path_inter")]
fn path_inter(a: Path, b: Path) -> Result<bool> {
    if !GeoBox::around(&a.points).overlaps(GeoBox::around(&b.points)) {
        return Ok(false);
    }
    for x in edges(&a.points, a.closed) {
        for y in edges(&b.points, b.closed) {
            if x.meets(y)?.is_some() {
                return Ok(true);
            }
        }
    }
    Ok(false)
}
#[builtin("on_ppath")]
fn on_ppath(p: Point, a: Path) -> Result<bool> {
    if a.closed {
        return Ok(side_of(p, &a.points)? != Side::Outside);
    }
    for e in edges(&a.points, false) {
        if e.contains(p)? {
            return Ok(true);
        }
    }
    Ok(false)
}
