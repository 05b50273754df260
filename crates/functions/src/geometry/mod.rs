//! Geometric types: `point`, `lseg`, `line`, `box`, `path`, `polygon`, `circle`.
//!
//! Stored as PostgreSQL stores them: little-endian doubles; a path and a polygon are varlenas with a count before their points.
//! Comparisons allow for a tolerance of 1e-6 ([`approx`]) unless said otherwise; arithmetic reports overflow and underflow
//! ([`num`]). A closest point comes with its distance, so that one function serves `<->`, `##` and the intersections.
//! PostgreSQL: `geo_ops.c`.

pub mod approx;
pub mod boxes;
pub mod circle;
pub mod distance;
pub mod io;
pub mod line;
pub mod num;
pub mod point;
pub mod polygon;

use base::{PgError, Result};
use types::{Datum, DatumRef, FromDatum, IntoDatum};

#[derive(Clone, Copy, Debug, PartialEq, Default)]
pub struct Point {
    pub x: f64,
    pub y: f64,
}
/// A line segment.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Lseg(pub Point, pub Point);
/// The line Ax + By + C = 0.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Line {
    pub a: f64,
    pub b: f64,
    pub c: f64,
}
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GeoBox {
    pub high: Point,
    pub low: Point,
}
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Circle {
    pub center: Point,
    pub radius: f64,
}
#[derive(Clone, Debug)]
pub struct Path {
    pub closed: bool,
    pub points: Vec<Point>,
}
#[derive(Clone, Debug)]
pub struct Polygon {
    pub bounds: GeoBox,
    pub points: Vec<Point>,
}

impl Point {
    pub fn new(x: f64, y: f64) -> Point {
        Point { x, y }
    }
}

/// The doubles of a value whose points begin at `from`.
fn doubles(b: &[u8], from: usize) -> Result<impl Iterator<Item = f64> + '_> {
    let body = b.get(from..).ok_or_else(corrupted)?;
    Ok(body.chunks_exact(8).map(|c| f64::from_le_bytes(c.try_into().unwrap_or_default())))
}
fn corrupted() -> PgError {
    PgError::internal("invalid geometric value")
}
fn fixed<const N: usize>(d: DatumRef<'_>) -> Result<[f64; N]> {
    let b = <&[u8]>::from_datum(d)?;
    let mut out = [0.0; N];
    if b.len() != N * 8 {
        return Err(corrupted());
    }
    for (o, v) in out.iter_mut().zip(doubles(b, 0)?) {
        *o = v;
    }
    Ok(out)
}
fn pack(values: &[f64]) -> Datum {
    let mut out = [0; 32];
    for (o, v) in out.chunks_exact_mut(8).zip(values) {
        o.copy_from_slice(&v.to_le_bytes());
    }
    Datum::bytes(&out[..values.len() * 8])
}
fn points(b: &[u8], from: usize) -> Result<Vec<Point>> {
    let n = b.get(..4).and_then(|w| w.try_into().ok()).map(i32::from_le_bytes).ok_or_else(corrupted)?;
    let all: Vec<f64> = doubles(b, from)?.collect();
    let list: Vec<Point> = all.chunks_exact(2).map(|c| Point::new(c[0], c[1])).collect();
    if usize::try_from(n).ok() == Some(list.len()) && n > 0 { Ok(list) } else { Err(corrupted()) }
}
fn push_points(list: &[Point], out: &mut Vec<u8>) {
    for p in list {
        out.extend_from_slice(&p.x.to_le_bytes());
        out.extend_from_slice(&p.y.to_le_bytes());
    }
}

macro_rules! fixed_type {
    ($t:ty, $n:literal, |$v:ident| $read:expr, |$s:ident| $write:expr) => {
        impl<'a> FromDatum<'a> for $t {
            fn from_datum(d: DatumRef<'a>) -> Result<$t> {
                let $v: [f64; $n] = fixed(d)?;
                Ok($read)
            }
        }
        impl IntoDatum for $t {
            fn into_datum(self) -> Datum {
                let $s = self;
                pack(&$write)
            }
        }
    };
}
fixed_type!(Point, 2, |v| Point::new(v[0], v[1]), |s| [s.x, s.y]);
fixed_type!(Lseg, 4, |v| Lseg(Point::new(v[0], v[1]), Point::new(v[2], v[3])), |s| [s.0.x, s.0.y, s.1.x, s.1.y]);
fixed_type!(Line, 3, |v| Line { a: v[0], b: v[1], c: v[2] }, |s| [s.a, s.b, s.c]);
fixed_type!(GeoBox, 4, |v| GeoBox { high: Point::new(v[0], v[1]), low: Point::new(v[2], v[3]) }, |s| [
    s.high.x, s.high.y, s.low.x, s.low.y
]);
fixed_type!(Circle, 3, |v| Circle { center: Point::new(v[0], v[1]), radius: v[2] }, |s| [
    s.center.x, s.center.y, s.radius
]);

impl<'a> FromDatum<'a> for Path {
    fn from_datum(d: DatumRef<'a>) -> Result<Path> {
        let b = <&[u8]>::from_datum(d)?;
        Ok(Path { points: points(b, 12)?, closed: b[4..8].iter().any(|b| *b != 0) })
    }
}
impl IntoDatum for Path {
    fn into_datum(self) -> Datum {
        let mut out = Vec::with_capacity(12 + self.points.len() * 16);
        out.extend_from_slice(&(self.points.len() as i32).to_le_bytes());
        out.extend_from_slice(&i32::from(self.closed).to_le_bytes());
        out.extend_from_slice(&[0; 4]);
        push_points(&self.points, &mut out);
        Datum::bytes(out)
    }
}
impl<'a> FromDatum<'a> for Polygon {
    fn from_datum(d: DatumRef<'a>) -> Result<Polygon> {
        let b = <&[u8]>::from_datum(d)?;
        let list = points(b, 36)?;
        let c: Vec<f64> = doubles(&b[..36], 4)?.collect();
        Ok(Polygon { bounds: GeoBox { high: Point::new(c[0], c[1]), low: Point::new(c[2], c[3]) }, points: list })
    }
}
impl IntoDatum for Polygon {
    fn into_datum(self) -> Datum {
        let mut out = Vec::with_capacity(36 + self.points.len() * 16);
        out.extend_from_slice(&(self.points.len() as i32).to_le_bytes());
        push_points(&[self.bounds.high, self.bounds.low], &mut out);
        push_points(&self.points, &mut out);
        Datum::bytes(out)
    }
}

/// The edges of a list of points, each from its predecessor; with the closing one first if `closed`.
pub(crate) fn edges(list: &[Point], closed: bool) -> impl Iterator<Item = Lseg> + '_ {
    let last = list.len() - 1;
    (usize::from(!closed)..list.len()).map(move |i| Lseg(list[if i == 0 { last } else { i - 1 }], list[i]))
}
