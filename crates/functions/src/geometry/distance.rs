//! Distances and closest points between kinds of objects.
//!
//! Each helper gives a distance with the point of its first argument that is closest to the second. NaN sorts last, so that
//! a usable distance wins over it.

use base::Result;
use types::builtin;

use super::approx::order;
use super::num::sub;
use super::point::{distance, inverse_slope};
use super::{Circle, GeoBox, Line, Lseg, Path, Point, Polygon, edges};

type Near = (f64, Point);

fn nearer(best: Near, other: Near) -> Near {
    if order(other.0, best.0).is_lt() { other } else { best }
}
fn line_point(l: Line, p: Point) -> Result<Near> {
    let normal = Line::through(p, l.inverse_slope()?)?;
    Ok(match normal.meets(l)? {
        Some(at) => (distance(at, p)?, at),
        None => (f64::NAN, p),
    })
}
fn lseg_line(s: Lseg, l: Line) -> Result<Near> {
    if let Some(at) = s.meets_line(l)? {
        return Ok((0.0, at));
    }
    let (a, b) = (line_point(l, s.0)?.0, line_point(l, s.1)?.0);
    Ok(if a < b { (a, s.0) } else { (b, s.1) })
}
fn lseg_point(s: Lseg, p: Point) -> Result<Near> {
    let normal = Line::through(p, inverse_slope(s.0, s.1)?)?;
    let at = lseg_line(s, normal)?.1;
    Ok((distance(at, p)?, at))
}
fn lseg_lseg(s: Lseg, t: Lseg) -> Result<Near> {
    if let Some(at) = s.meets(t)? {
        return Ok((0.0, at));
    }
    let mut best = nearer(lseg_point(s, t.0)?, lseg_point(s, t.1)?);
    for end in [s.0, s.1] {
        best = nearer(best, (lseg_point(t, end)?.0, end));
    }
    Ok(best)
}
fn box_point(b: GeoBox, p: Point) -> Result<Near> {
    if b.contains(p) {
        return Ok((0.0, p));
    }
    let mut best = None;
    for side in b.sides() {
        let near = lseg_point(side, p)?;
        best = Some(best.map_or(near, |n| nearer(n, near)));
    }
    Ok(best.unwrap_or((f64::NAN, p)))
}
fn box_lseg(b: GeoBox, s: Lseg) -> Result<Near> {
    if b.meets_lseg(s)? {
        return Ok((0.0, lseg_point(s, b.center()?)?.1));
    }
    let mut best = None;
    for side in b.sides() {
        let near = lseg_lseg(side, s)?;
        best = Some(best.map_or(near, |n| nearer(n, near)));
    }
    Ok(best.unwrap_or((f64::NAN, s.0)))
}
fn polygon_point(a: &Polygon, p: Point) -> Result<f64> {
    if a.touches(p)? {
        return Ok(0.0);
    }
    smallest(edges(&a.points, true).map(|e| Ok(lseg_point(e, p)?.0))).map(Option::unwrap_or_default)
}
fn smallest(all: impl Iterator<Item = Result<f64>>) -> Result<Option<f64>> {
    let mut best: Option<f64> = None;
    for d in all {
        let d = d?;
        best = Some(best.map_or(d, |b| if order(d, b).is_lt() { d } else { b }));
    }
    Ok(best)
}
fn pairwise(a: &[Point], a_closed: bool, b: &[Point], b_closed: bool) -> Result<Option<f64>> {
    let all = edges(a, a_closed).flat_map(|x| edges(b, b_closed).map(move |y| Ok(lseg_lseg(x, y)?.0)));
    smallest(all)
}
/// From an outline to a circle's line, or zero within it.
fn beyond(d: f64, radius: f64) -> Result<f64> {
    let d = sub(d, radius)?;
    Ok(if d < 0.0 { 0.0 } else { d })
}
fn found((d, at): Near) -> Option<Point> {
    (!d.is_nan()).then_some(at)
}

#[builtin("dist_pl")]
fn dist_pl(p: Point, l: Line) -> Result<f64> {
    Ok(line_point(l, p)?.0)
}
#[builtin("dist_lp")]
fn dist_lp(l: Line, p: Point) -> Result<f64> {
    Ok(line_point(l, p)?.0)
}
#[builtin("dist_ps")]
fn dist_ps(p: Point, s: Lseg) -> Result<f64> {
    Ok(lseg_point(s, p)?.0)
}
#[builtin("dist_sp")]
fn dist_sp(s: Lseg, p: Point) -> Result<f64> {
    Ok(lseg_point(s, p)?.0)
}
#[builtin("dist_pb")]
fn dist_pb(p: Point, b: GeoBox) -> Result<f64> {
    Ok(box_point(b, p)?.0)
}
#[builtin("dist_bp")]
fn dist_bp(b: GeoBox, p: Point) -> Result<f64> {
    Ok(box_point(b, p)?.0)
}
#[builtin("dist_sl")]
fn dist_sl(s: Lseg, l: Line) -> Result<f64> {
    Ok(lseg_line(s, l)?.0)
}
#[builtin("dist_ls")]
fn dist_ls(l: Line, s: Lseg) -> Result<f64> {
    Ok(lseg_line(s, l)?.0)
}
#[builtin("dist_sb")]
fn dist_sb(s: Lseg, b: GeoBox) -> Result<f64> {
    Ok(box_lseg(b, s)?.0)
}
#[builtin("dist_bs")]
fn dist_bs(b: GeoBox, s: Lseg) -> Result<f64> {
    Ok(box_lseg(b, s)?.0)
}
#[builtin("dist_pc")]
fn dist_pc(p: Point, c: Circle) -> Result<f64> {
    beyond(distance(p, c.center)?, c.radius)
}
#[builtin("dist_cpoint")]
fn dist_cpoint(c: Circle, p: Point) -> Result<f64> {
    beyond(distance(p, c.center)?, c.radius)
}
#[builtin("dist_ppoly")]
fn dist_ppoly(p: Point, a: Polygon) -> Result<f64> {
    polygon_point(&a, p)
}
#[builtin("dist_polyp")]
fn dist_polyp(a: Polygon, p: Point) -> Result<f64> {
    polygon_point(&a, p)
}
#[builtin("dist_cpoly")]
fn dist_cpoly(c: Circle, a: Polygon) -> Result<f64> {
    beyond(polygon_point(&a, c.center)?, c.radius)
}
#[builtin("dist_polyc")]
fn dist_polyc(a: Polygon, c: Circle) -> Result<f64> {
    beyond(polygon_point(&a, c.center)?, c.radius)
}
#[builtin("dist_ppath")]
fn dist_ppath(p: Point, a: Path) -> Result<f64> {
    let all = edges(&a.points, a.closed).map(|e| Ok(lseg_point(e, p)?.0));
    Ok(smallest(all)?.unwrap_or(0.0))
}
#[builtin("dist_pathp")]
fn dist_pathp(a: Path, p: Point) -> Result<f64> {
    let all = edges(&a.points, a.closed).map(|e| Ok(lseg_point(e, p)?.0));
    Ok(smallest(all)?.unwrap_or(0.0))
}
#[builtin("lseg_distance")]
fn lseg_distance(a: Lseg, b: Lseg) -> Result<f64> {
    Ok(lseg_lseg(a, b)?.0)
}
#[builtin("circle_distance")]
fn circle_distance(a: Circle, b: Circle) -> Result<f64> {
    beyond(distance(a.center, b.center)?, super::num::add(a.radius, b.radius)?)
}
#[builtin("path_distance")]
fn path_distance(a: Path, b: Path) -> Result<Option<f64>> {
    pairwise(&a.points, a.closed, &b.points, b.closed)
}
#[builtin("poly_distance")]
fn poly_distance(a: Polygon, b: Polygon) -> Result<Option<f64>> {
    if a.overlaps(&b)? {
        return Ok(Some(0.0));
    }
    pairwise(&a.points, true, &b.points, true)
}
#[builtin("close_pl")]
fn close_pl(p: Point, l: Line) -> Result<Option<Point>> {
    Ok(found(line_point(l, p)?))
}
#[builtin("close_ps")]
fn close_ps(p: Point, s: Lseg) -> Result<Option<Point>> {
    Ok(found(lseg_point(s, p)?))
}
#[builtin("close_pb")]
fn close_pb(p: Point, b: GeoBox) -> Result<Option<Point>> {
    Ok(found(box_point(b, p)?))
}
#[builtin("close_sb")]
fn close_sb(s: Lseg, b: GeoBox) -> Result<Option<Point>> {
    Ok(found(box_lseg(b, s)?))
}
#[builtin("close_ls")]
fn close_ls(l: Line, s: Lseg) -> Result<Option<Point>> {
    if s.slope()? == l.slope()? {
        return Ok(None);
    }
    Ok(found(lseg_line(s, l)?))
}
#[builtin("close_lseg")]
fn close_lseg(a: Lseg, b: Lseg) -> Result<Option<Point>> {
    if a.slope()? == b.slope()? {
        return Ok(None);
    }
    Ok(found(lseg_lseg(b, a)?))
}
