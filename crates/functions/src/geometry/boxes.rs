//! Boxes. Order and equality of the operators `<`, `=`, `>` go by area.

use base::Result;
use types::builtin;

use super::approx::{eq, ge, gt, le, lt, max, min, order, same};
use super::num::{mul, sub};
use super::{GeoBox, Lseg, Point};

impl GeoBox {
    /// Of two opposite corners.
    pub(crate) fn sorted(a: Point, b: Point) -> GeoBox {
        let pick = |x: f64, y: f64| if order(x, y).is_gt() { (x, y) } else { (y, x) };
        let ((hx, lx), (hy, ly)) = (pick(a.x, b.x), pick(a.y, b.y));
        GeoBox { high: Point::new(hx, hy), low: Point::new(lx, ly) }
    }
    /// The smallest around all points.
    pub(crate) fn around(list: &[Point]) -> GeoBox {
        let mut b = GeoBox { high: list[0], low: list[0] };
        for p in &list[1..] {
            b = b.joined(GeoBox { high: *p, low: *p });
        }
        b
    }
    pub(crate) fn joined(self, o: GeoBox) -> GeoBox {
        GeoBox {
            high: Point::new(max(self.high.x, o.high.x), max(self.high.y, o.high.y)),
            low: Point::new(min(self.low.x, o.low.x), min(self.low.y, o.low.y)),
        }
    }
    /// The corners, from the lower left one clockwise.
    pub(crate) fn corners(self) -> [Point; 4] {
        let GeoBox { high, low } = self;
        [low, Point::new(low.x, high.y), high, Point::new(high.x, low.y)]
    }
    /// Left, top, bottom, right; each from its corner among `low` and `high`.
    pub(crate) fn sides(self) -> [Lseg; 4] {
        let [low, left_top, high, right_bottom] = self.corners();
        [Lseg(low, left_top), Lseg(high, left_top), Lseg(low, right_bottom), Lseg(high, right_bottom)]
    }
    pub(crate) fn area(self) -> Result<f64> {
        mul(sub(self.high.x, self.low.x)?, sub(self.high.y, self.low.y)?)
    }
    pub(crate) fn center(self) -> Result<Point> {
        Point::middle(self.high, self.low)
    }
    pub(crate) fn overlaps(self, o: GeoBox) -> bool {
        le(self.low.x, o.high.x) && le(o.low.x, self.high.x) && le(self.low.y, o.high.y) && le(o.low.y, self.high.y)
    }
    pub(crate) fn contains_box(self, o: GeoBox) -> bool {
        ge(self.high.x, o.high.x) && le(self.low.x, o.low.x) && ge(self.high.y, o.high.y) && le(self.low.y, o.low.y)
    }
    /// Exactly, without tolerance.
    pub(crate) fn contains(self, p: Point) -> bool {
        self.high.x >= p.x && self.low.x <= p.x && self.high.y >= p.y && self.low.y <= p.y
    }
    pub(crate) fn meets_lseg(self, l: Lseg) -> Result<bool> {
        if !GeoBox::around(&[l.0, l.1]).overlaps(self) {
            return Ok(false);
        }
        if self.contains(l.0) || self.contains(l.1) {
            return Ok(true);
        }
        for side in self.sides() {
            if side.meets(l)?.is_some() {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

#[builtin("box_left")]
fn box_left(a: GeoBox, b: GeoBox) -> bool {
    lt(a.high.x, b.low.x)
}
#[builtin("box_overleft")]
fn box_overleft(a: GeoBox, b: GeoBox) -> bool {
    le(a.high.x, b.high.x)
}
#[builtin("box_right")]
fn box_right(a: GeoBox, b: GeoBox) -> bool {
    gt(a.low.x, b.high.x)
}
#[builtin("box_overright")]
fn box_overright(a: GeoBox, b: GeoBox) -> bool {
    ge(a.low.x, b.low.x)
}
#[builtin("box_below")]
fn box_below(a: GeoBox, b: GeoBox) -> bool {
    lt(a.high.y, b.low.y)
}
#[builtin("box_overbelow")]
fn box_overbelow(a: GeoBox, b: GeoBox) -> bool {
    le(a.high.y, b.high.y)
}
#[builtin("box_above")]
fn box_above(a: GeoBox, b: GeoBox) -> bool {
    gt(a.low.y, b.high.y)
}
#[builtin("box_overabove")]
fn box_overabove(a: GeoBox, b: GeoBox) -> bool {
    ge(a.low.y, b.low.y)
}
#[builtin("box_below_eq")]
fn box_below_eq(a: GeoBox, b: GeoBox) -> bool {
    le(a.high.y, b.low.y)
}
#[builtin("box_above_eq")]
fn box_above_eq(a: GeoBox, b: GeoBox) -> bool {
    ge(a.low.y, b.high.y)
}
#[builtin("box_overlap")]
fn box_overlap(a: GeoBox, b: GeoBox) -> bool {
    a.overlaps(b)
}
#[builtin("box_contain")]
fn box_contain(a: GeoBox, b: GeoBox) -> bool {
    a.contains_box(b)
}
#[builtin("box_contained")]
fn box_contained(a: GeoBox, b: GeoBox) -> bool {
    b.contains_box(a)
}
#[builtin("box_same")]
fn box_same(a: GeoBox, b: GeoBox) -> bool {
    same(a.high, b.high) && same(a.low, b.low)
}
#[builtin("box_lt")]
fn box_lt(a: GeoBox, b: GeoBox) -> Result<bool> {
    Ok(lt(a.area()?, b.area()?))
}
#[builtin("box_gt")]
fn box_gt(a: GeoBox, b: GeoBox) -> Result<bool> {
    Ok(gt(a.area()?, b.area()?))
}
#[builtin("box_eq")]
fn box_eq(a: GeoBox, b: GeoBox) -> Result<bool> {
    Ok(eq(a.area()?, b.area()?))
}
#[builtin("box_le")]
fn box_le(a: GeoBox, b: GeoBox) -> Result<bool> {
    Ok(le(a.area()?, b.area()?))
}
#[builtin("box_ge")]
fn box_ge(a: GeoBox, b: GeoBox) -> Result<bool> {
    Ok(ge(a.area()?, b.area()?))
}
#[builtin("box_area")]
fn box_area(b: GeoBox) -> Result<f64> {
    b.area()
}
#[builtin("box_width")]
fn box_width(b: GeoBox) -> Result<f64> {
    sub(b.high.x, b.low.x)
}
#[builtin("box_height")]
fn box_height(b: GeoBox) -> Result<f64> {
    sub(b.high.y, b.low.y)
}
#[builtin("box_center")]
fn box_center(b: GeoBox) -> Result<Point> {
    b.center()
}
#[builtin("box_distance")]
fn box_distance(a: GeoBox, b: GeoBox) -> Result<f64> {
    super::point::distance(a.center()?, b.center()?)
}
#[builtin("box_intersect")]
fn box_intersect(a: GeoBox, b: GeoBox) -> Option<GeoBox> {
    a.overlaps(b).then(|| GeoBox {
        high: Point::new(min(a.high.x, b.high.x), min(a.high.y, b.high.y)),
        low: Point::new(max(a.low.x, b.low.x), max(a.low.y, b.low.y)),
    })
}
#[builtin("box_diagonal")]
fn box_diagonal(b: GeoBox) -> Lseg {
    Lseg(b.high, b.low)
}
#[builtin("points_box")]
fn points_box(a: Point, b: Point) -> GeoBox {
    GeoBox::sorted(a, b)
}
#[builtin("boxes_bound_box")]
fn boxes_bound_box(a: GeoBox, b: GeoBox) -> GeoBox {
    a.joined(b)
}
#[builtin("box_contain_pt")]
fn box_contain_pt(b: GeoBox, p: Point) -> bool {
    b.contains(p)
}
#[builtin("on_pb")]
fn on_pb(p: Point, b: GeoBox) -> bool {
    b.contains(p)
}
#[builtin("on_sb")]
fn on_sb(l: Lseg, b: GeoBox) -> bool {
    b.contains(l.0) && b.contains(l.1)
}
#[builtin("inter_sb")]
fn inter_sb(l: Lseg, b: GeoBox) -> Result<bool> {
    b.meets_lseg(l)
}
#[builtin("box_add")]
fn box_add(b: GeoBox, p: Point) -> Result<GeoBox> {
    Ok(GeoBox { high: b.high.plus(p)?, low: b.low.plus(p)? })
}
#[builtin("box_sub")]
fn box_sub(b: GeoBox, p: Point) -> Result<GeoBox> {
    Ok(GeoBox { high: b.high.minus(p)?, low: b.low.minus(p)? })
}
#[builtin("box_mul")]
fn box_mul(b: GeoBox, p: Point) -> Result<GeoBox> {
    Ok(GeoBox::sorted(b.high.times(p)?, b.low.times(p)?))
}
#[builtin("box_div")]
fn box_div(b: GeoBox, p: Point) -> Result<GeoBox> {
    Ok(GeoBox::sorted(b.high.over(p)?, b.low.over(p)?))
}
