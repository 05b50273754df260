//! Geometric values as text and in binary.
//!
//! Points may stand in parentheses or not, lists of points in parentheses, brackets (an open path) or bare: [`Scanner`]
//! reads all of these forms.

use base::sqlstate::*;
use base::{PgError, Result};
use types::{FnCx, Settings, builtin};

use super::{Circle, GeoBox, Line, Lseg, Path, Point, Polygon, approx};
use crate::err::{bad_binary, error, invalid_input};
use crate::float::{parse_f64_prefix, write_f64};
use crate::wire::{Reader, whole};

struct Scanner<'a> {
    text: &'a str,
    rest: &'a str,
    type_name: &'static str,
}

fn c_space(s: &str) -> &str {
    s.trim_start_matches([' ', '\t', '\n', '\r', '\x0b', '\x0c'])
}

impl<'a> Scanner<'a> {
    fn new(type_name: &'static str, text: &'a str) -> Scanner<'a> {
        Scanner { text, rest: c_space(text), type_name }
    }
    fn bad(&self) -> PgError {
        invalid_input(self.type_name, self.text)
    }
    fn skip(&mut self) {
        self.rest = c_space(self.rest);
    }
    fn eat(&mut self, c: char) -> bool {
        let Some(r) = self.rest.strip_prefix(c) else { return false };
        self.rest = r;
        true
    }
    fn need(&mut self, c: char) -> Result<()> {
        if self.eat(c) { Ok(()) } else { Err(self.bad()) }
    }
    fn end(&self) -> Result<()> {
        if self.rest.is_empty() { Ok(()) } else { Err(self.bad()) }
    }
    fn number(&mut self) -> Result<f64> {
        let (v, rest) = parse_f64_prefix(self.rest, self.type_name, self.text)?;
        self.rest = rest;
        Ok(v)
    }
    /// `(x,y)` or `x,y`.
    fn pair(&mut self) -> Result<Point> {
        self.skip();
        let enclosed = self.eat('(');
        let x = self.number()?;
        self.need(',')?;
        let y = self.number()?;
        if enclosed {
            self.need(')')?;
            self.skip();
        }
        Ok(Point::new(x, y))
    }
    /// Whether this is the only opening parenthesis, i.e. belongs to the list and not to a point.
    fn only_parenthesis(&self) -> bool {
        self.rest.rfind('(') == Some(0)
    }
    /// `n` points, and whether they stood in brackets.
    fn list(&mut self, n: usize, brackets: bool) -> Result<(Vec<Point>, bool)> {
        self.skip();
        let mut depth = 0;
        let open = self.rest.starts_with('[');
        if open {
            if !brackets {
                return Err(self.bad());
            }
            depth = 1;
            self.rest = &self.rest[1..];
        } else if self.rest.starts_with('(') {
            let inner = c_space(&self.rest[1..]);
            if inner.starts_with('(') || self.only_parenthesis() {
                depth = 1;
                self.rest = inner;
            }
        }
        let mut list = Vec::with_capacity(n);
        for _ in 0..n {
            list.push(self.pair()?);
            self.eat(',');
        }
        if depth == 1 {
            if !self.eat(')') && !(open && self.eat(']')) {
                return Err(self.bad());
            }
            self.skip();
        }
        Ok((list, open))
    }
    /// How many points the text promises by its commas.
    fn count(&self) -> Result<usize> {
        let commas = self.text.bytes().filter(|b| *b == b',').count();
        if commas % 2 == 1 { Ok(commas.div_ceil(2)) } else { Err(self.bad()) }
    }
}

fn write_pair(s: &Settings, p: Point, out: &mut Vec<u8>) {
    out.push(b'(');
    write_f64(p.x, s.extra_float_digits, out);
    out.push(b',');
    write_f64(p.y, s.extra_float_digits, out);
    out.push(b')');
}
fn write_list(s: &Settings, list: &[Point], out: &mut Vec<u8>) {
    for (i, p) in list.iter().enumerate() {
        if i > 0 {
            out.push(b',');
        }
        write_pair(s, *p, out);
    }
}
fn enclosed(s: &Settings, around: [u8; 2], list: &[Point], out: &mut Vec<u8>) {
    out.push(around[0]);
    write_list(s, list, out);
    out.push(around[1]);
}

fn get_point(r: &mut Reader<'_>) -> Result<Point> {
    Ok(Point::new(r.f64()?, r.f64()?))
}
fn put(values: &[f64]) -> Vec<u8> {
    values.iter().flat_map(|v| v.to_be_bytes()).collect()
}
fn put_points(list: &[Point], out: &mut Vec<u8>) {
    list.iter().for_each(|p| out.extend_from_slice(&put(&[p.x, p.y])));
}
fn get_points(r: &mut Reader<'_>, type_name: &str) -> Result<Vec<Point>> {
    let n = r.i32()?;
    if n <= 0 || n as usize >= (i32::MAX as usize - 64) / 16 {
        return Err(bad_binary(&format!("invalid number of points in external \"{type_name}\" value")));
    }
    (0..n).map(|_| get_point(r)).collect()
}

#[builtin("point_in")]
fn point_in(s: &str) -> Result<Point> {
    let mut t = Scanner::new("point", s);
    let p = t.pair()?;
    t.end()?;
    Ok(p)
}
#[builtin("point_out", write)]
fn point_out(cx: &mut FnCx<'_>, p: Point, out: &mut Vec<u8>) {
    write_pair(cx.settings(), p, out);
}
#[builtin("point_recv")]
fn point_recv(b: &[u8]) -> Result<Point> {
    whole(b, get_point)
}
#[builtin("point_send")]
fn point_send(p: Point) -> Vec<u8> {
    put(&[p.x, p.y])
}

#[builtin("lseg_in")]
fn lseg_in(s: &str) -> Result<Lseg> {
    let mut t = Scanner::new("lseg", s);
    let (list, _) = t.list(2, true)?;
    t.end()?;
    Ok(Lseg(list[0], list[1]))
}
#[builtin("lseg_out", write)]
fn lseg_out(cx: &mut FnCx<'_>, l: Lseg, out: &mut Vec<u8>) {
    enclosed(cx.settings(), *b"[]", &[l.0, l.1], out);
}
#[builtin("lseg_recv")]
fn lseg_recv(b: &[u8]) -> Result<Lseg> {
    whole(b, |r| Ok(Lseg(get_point(r)?, get_point(r)?)))
}
#[builtin("lseg_send")]
fn lseg_send(l: Lseg) -> Vec<u8> {
    put(&[l.0.x, l.0.y, l.1.x, l.1.y])
}

const BOTH_ZERO: &str = "invalid line specification: A and B cannot both be zero";

#[builtin("line_in")]
fn line_in(s: &str) -> Result<Line> {
    let mut t = Scanner::new("line", s);
    if t.eat('{') {
        let a = t.number()?;
        t.need(',')?;
        let b = t.number()?;
        t.need(',')?;
        let c = t.number()?;
        t.need('}')?;
        t.skip();
        t.end()?;
        if approx::zero(a) && approx::zero(b) {
            return Err(error(INVALID_TEXT_REPRESENTATION, BOTH_ZERO));
        }
        return Ok(Line { a, b, c });
    }
    let (list, _) = t.list(2, true)?;
    t.end()?;
    if approx::same(list[0], list[1]) {
        return Err(error(INVALID_TEXT_REPRESENTATION, super::line::NOT_DISTINCT));
    }
    Line::through(list[0], super::point::slope(list[0], list[1])?)
}
#[builtin("line_out", write)]
fn line_out(cx: &mut FnCx<'_>, l: Line, out: &mut Vec<u8>) {
    let digits = cx.settings().extra_float_digits;
    for (before, v) in [(b'{', l.a), (b',', l.b), (b',', l.c)] {
        out.push(before);
        write_f64(v, digits, out);
    }
    out.push(b'}');
}
#[builtin("line_recv")]
fn line_recv(b: &[u8]) -> Result<Line> {
    let l = whole(b, |r| Ok(Line { a: r.f64()?, b: r.f64()?, c: r.f64()? }))?;
    if approx::zero(l.a) && approx::zero(l.b) { Err(bad_binary(BOTH_ZERO)) } else { Ok(l) }
}
#[builtin("line_send")]
fn line_send(l: Line) -> Vec<u8> {
    put(&[l.a, l.b, l.c])
}

#[builtin("box_in")]
fn box_in(s: &str) -> Result<GeoBox> {
    let mut t = Scanner::new("box", s);
    let (list, _) = t.list(2, false)?;
    t.end()?;
    Ok(GeoBox::sorted(list[0], list[1]))
}
#[builtin("box_out", write)]
fn box_out(cx: &mut FnCx<'_>, b: GeoBox, out: &mut Vec<u8>) {
    write_list(cx.settings(), &[b.high, b.low], out);
}
#[builtin("box_recv")]
fn box_recv(b: &[u8]) -> Result<GeoBox> {
    whole(b, |r| Ok(GeoBox::sorted(get_point(r)?, get_point(r)?)))
}
#[builtin("box_send")]
fn box_send(b: GeoBox) -> Vec<u8> {
    put(&[b.high.x, b.high.y, b.low.x, b.low.y])
}

#[builtin("path_in")]
fn path_in(s: &str) -> Result<Path> {
    let mut t = Scanner::new("path", s);
    let n = t.count()?;
    let outer = t.rest.starts_with('(') && t.only_parenthesis();
    if outer {
        t.eat('(');
    }
    let (points, open) = t.list(n, true)?;
    if outer {
        t.need(')')?;
        t.skip();
    }
    t.end()?;
    Ok(Path { closed: !open, points })
}
#[builtin("path_out", write)]
fn path_out(cx: &mut FnCx<'_>, p: Path, out: &mut Vec<u8>) {
    enclosed(cx.settings(), if p.closed { *b"()" } else { *b"[]" }, &p.points, out);
}
#[builtin("path_recv")]
fn path_recv(b: &[u8]) -> Result<Path> {
    whole(b, |r| Ok(Path { closed: r.u8()? != 0, points: get_points(r, "path")? }))
}
#[builtin("path_send")]
fn path_send(p: Path) -> Vec<u8> {
    let mut out = vec![u8::from(p.closed)];
    out.extend_from_slice(&(p.points.len() as i32).to_be_bytes());
    put_points(&p.points, &mut out);
    out
}

#[builtin("poly_in")]
fn poly_in(s: &str) -> Result<Polygon> {
    let mut t = Scanner::new("polygon", s);
    let n = t.count()?;
    let (points, _) = t.list(n, false)?;
    t.end()?;
    Ok(Polygon::of(points))
}
#[builtin("poly_out", write)]
fn poly_out(cx: &mut FnCx<'_>, p: Polygon, out: &mut Vec<u8>) {
    enclosed(cx.settings(), *b"()", &p.points, out);
}
#[builtin("poly_recv")]
fn poly_recv(b: &[u8]) -> Result<Polygon> {
    whole(b, |r| Ok(Polygon::of(get_points(r, "polygon")?)))
}
#[builtin("poly_send")]
fn poly_send(p: Polygon) -> Vec<u8> {
    let mut out = (p.points.len() as i32).to_be_bytes().to_vec();
    put_points(&p.points, &mut out);
    out
}

#[builtin("circle_in")]
fn circle_in(s: &str) -> Result<Circle> {
    let mut t = Scanner::new("circle", s);
    let angle = t.eat('<');
    let mut nested = false;
    if !angle && t.rest.starts_with('(') {
        let inner = c_space(&t.rest[1..]);
        nested = inner.starts_with('(');
        if nested {
            t.rest = inner;
        }
    }
    let center = t.pair()?;
    t.eat(',');
    let radius = t.number()?;
    if radius < 0.0 {
        return Err(t.bad());
    }
    if angle || nested {
        if !t.eat(')') {
            t.need('>')?;
        }
        t.skip();
    }
    t.end()?;
    Ok(Circle { center, radius })
}
#[builtin("circle_out", write)]
fn circle_out(cx: &mut FnCx<'_>, c: Circle, out: &mut Vec<u8>) {
    out.push(b'<');
    write_pair(cx.settings(), c.center, out);
    out.push(b',');
    write_f64(c.radius, cx.settings().extra_float_digits, out);
    out.push(b'>');
}
#[builtin("circle_recv")]
fn circle_recv(b: &[u8]) -> Result<Circle> {
    let c = whole(b, |r| Ok(Circle { center: get_point(r)?, radius: r.f64()? }))?;
    if c.radius < 0.0 { Err(bad_binary("invalid radius in external \"circle\" value")) } else { Ok(c) }
}
#[builtin("circle_send")]
fn circle_send(c: Circle) -> Vec<u8> {
    put(&[c.center.x, c.center.y, c.radius])
}
