//! `tsquery`: lexemes joined by `&`, `|`, `!` and `<n>`.
//!
//! Stored: the number of items; the items in prefix order, the right operand before the left; then the lexemes, each with a
//! zero behind it. An item of 12 bytes is a lexeme (kind 1, weights, prefix, checksum, length and place) or an operator
//! (kind 2, code, distance, how far away the left operand is).

use std::cmp::Ordering;

use base::sqlstate::*;
use base::{PgError, Result, Severity};
use types::{Builtin, Datum, DatumRef, FnCx, FromDatum, IntoDatum, builtin};

use super::scan::Scanner;
use super::{MAX_LEXEME, compare, write_quoted};
use crate::err::{error, invalid_parameter};
use crate::wire::Reader;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Op {
    Not = 1,
    And = 2,
    Or = 3,
    Phrase = 4,
}
impl Op {
    fn priority(self) -> u8 {
        match self {
            Op::Not => 4,
            Op::Phrase => 3,
            Op::And => 2,
            Op::Or => 1,
        }
    }
}
#[derive(Clone, Debug)]
pub struct Word {
    pub text: String,
    /// A bit for each weight that counts, D first; none for all.
    pub weights: u8,
    pub prefix: bool,
    pub crc: i32,
}
/// Children lie in stored order: the right operand first. `ts_rewrite` works with more than two.
#[derive(Clone, Debug)]
pub enum Node {
    Word(Word),
    Op { op: Op, distance: u16, children: Vec<Node> },
}
/// `None` is the empty query.
#[derive(Clone, Debug)]
pub struct TsQuery(pub Option<Node>);

const MAX_DEPTH: u32 = 1000;

/// The checksum that PostgreSQL keeps with a lexeme: CRC-32's table used in the wrong direction.
fn legacy_crc(s: &str) -> i32 {
    let table = |i: u32| (0..8).fold(i, |c, _| if c & 1 == 1 { c >> 1 ^ 0xedb8_8320 } else { c >> 1 });
    let crc = s.bytes().fold(u32::MAX, |crc, b| table((crc >> 24 ^ u32::from(b)) & 0xff) ^ crc << 8);
    !crc as i32
}
pub fn word(text: String, weights: u8, prefix: bool) -> Node {
    let crc = legacy_crc(&text);
    Node::Word(Word { text, weights, prefix, crc })
}
fn join(op: Op, distance: u16, left: Node, right: Node) -> Node {
    Node::Op { op, distance, children: vec![right, left] }
}
impl Node {
    pub fn count(&self) -> usize {
        match self {
            Node::Word(_) => 1,
            Node::Op { children, .. } => 1 + children.iter().map(Node::count).sum::<usize>(),
        }
    }
    fn text_size(&self) -> usize {
        match self {
            Node::Word(w) => w.text.len() + 1,
            Node::Op { children, .. } => children.iter().map(Node::text_size).sum(),
        }
    }
    pub fn words<'a>(&'a self, out: &mut Vec<&'a Word>) {
        match self {
            Node::Word(w) => out.push(w),
            Node::Op { children, .. } => children.iter().for_each(|c| c.words(out)),
        }
    }
    /// (PostgreSQL: `QTNodeCompare`)
    pub fn order(&self, o: &Node) -> Ordering {
        match (self, o) {
            (Node::Word(_), Node::Op { .. }) => Ordering::Greater,
            (Node::Op { .. }, Node::Word(_)) => Ordering::Less,
            (Node::Word(a), Node::Word(b)) => b.crc.cmp(&a.crc).then_with(|| compare(&a.text, &b.text)),
            (Node::Op { op: a, distance: d, children: x }, Node::Op { op: b, distance: e, children: y }) => {
                (*b as u8).cmp(&(*a as u8)).then(y.len().cmp(&x.len())).then_with(|| {
                    let inner = x.iter().zip(y).map(|(p, q)| p.order(q)).find(|o| o.is_ne());
                    inner.unwrap_or(if *a == Op::Phrase { e.cmp(d) } else { Ordering::Equal })
                })
            }
        }
    }
    fn store(&self, items: &mut Vec<u8>, text: &mut Vec<u8>) {
        match self {
            Node::Word(w) => {
                items.extend_from_slice(&[1, w.weights, u8::from(w.prefix), 0]);
                items.extend_from_slice(&w.crc.to_le_bytes());
                let place = (w.text.len() as u32) | (text.len() as u32) << 12;
                items.extend_from_slice(&place.to_le_bytes());
                text.extend_from_slice(w.text.as_bytes());
                text.push(0);
            }
            Node::Op { op, distance, children } => {
                let left = if children.len() > 1 { 1 + children[0].count() as u32 } else { 1 };
                items.extend_from_slice(&[2, *op as u8]);
                items.extend_from_slice(&distance.to_le_bytes());
                items.extend_from_slice(&left.to_le_bytes());
                items.extend_from_slice(&[0; 4]);
                children.iter().for_each(|c| c.store(items, text));
            }
        }
    }
    /// (PostgreSQL: `infix`)
    fn write(&self, parent: u8, right_of_phrase: bool, out: &mut Vec<u8>) {
        match self {
            Node::Word(w) => {
                write_quoted(&w.text, out);
                if w.weights != 0 || w.prefix {
                    out.push(b':');
                    if w.prefix {
                        out.push(b'*');
                    }
                    for (bit, c) in [(8, b'A'), (4, b'B'), (2, b'C'), (1, b'D')] {
                        if w.weights & bit != 0 {
                            out.push(c);
                        }
                    }
                }
            }
            Node::Op { op, distance, children } => {
                let p = op.priority();
                let parentheses = p < parent || *op == Op::Phrase && right_of_phrase;
                out.extend_from_slice(if parentheses { b"( " } else { b"" });
                if let [right, left] = &children[..] {
                    left.write(p, false, out);
                    let sign = match op {
                        Op::Or => " | ".to_owned(),
                        Op::Phrase if *distance != 1 => format!(" <{distance}> "),
                        Op::Phrase => " <-> ".to_owned(),
                        _ => " & ".to_owned(),
                    };
                    out.extend_from_slice(sign.as_bytes());
                    right.write(p, *op == Op::Phrase, out);
                } else {
                    out.push(b'!');
                    children.iter().for_each(|c| c.write(p, false, out));
                }
                out.extend_from_slice(if parentheses { b" )" } else { b"" });
            }
        }
    }
}
impl TsQuery {
    fn encode(&self) -> Vec<u8> {
        let (mut items, mut text) = (Vec::new(), Vec::new());
        let n = self.0.as_ref().map_or(0, Node::count) as i32;
        if let Some(root) = &self.0 {
            root.store(&mut items, &mut text);
        }
        [&n.to_le_bytes()[..], &items, &text].concat()
    }
    fn decode(b: &[u8]) -> Result<TsQuery> {
        let n = b.get(..4).and_then(|w| w.try_into().ok()).map(i32::from_le_bytes).ok_or_else(corrupted)? as usize;
        if n == 0 {
            return Ok(TsQuery(None));
        }
        let items = b.get(4..4 + 12 * n).ok_or_else(corrupted)?;
        let mut at = 0;
        load(items, &b[4 + 12 * n..], &mut at, 0).map(|r| TsQuery(Some(r)))
    }
    pub fn size(&self) -> usize {
        self.0.as_ref().map_or(0, Node::count)
    }
    fn bytes(&self) -> usize {
        8 + 12 * self.size() + self.0.as_ref().map_or(0, Node::text_size)
    }
    fn order(&self, o: &TsQuery) -> Ordering {
        self.size().cmp(&o.size()).then(self.bytes().cmp(&o.bytes())).then_with(|| match (&self.0, &o.0) {
            (Some(a), Some(b)) => a.order(b),
            _ => Ordering::Equal,
        })
    }
    pub fn to_text(&self) -> Vec<u8> {
        let mut out = Vec::new();
        if let Some(root) = &self.0 {
            root.write(0, false, &mut out);
        }
        out
    }
}
fn corrupted() -> PgError {
    error(DATA_CORRUPTED, "invalid tsquery value")
}
fn load(items: &[u8], text: &[u8], at: &mut usize, depth: u32) -> Result<Node> {
    let item: &[u8; 12] = items.get(*at * 12..*at * 12 + 12).and_then(|i| i.try_into().ok()).ok_or_else(corrupted)?;
    *at += 1;
    if depth > MAX_DEPTH {
        return Err(error(STATEMENT_TOO_COMPLEX, "stack depth limit exceeded"));
    }
    if item[0] == 1 {
        let place = u32::from_le_bytes([item[8], item[9], item[10], item[11]]);
        let (len, from) = ((place & 0xfff) as usize, (place >> 12) as usize);
        let word = text.get(from..from + len).ok_or_else(corrupted)?;
        return Ok(Node::Word(Word {
            text: String::from_utf8(word.to_vec()).map_err(|_| corrupted())?,
            weights: item[1],
            prefix: item[2] != 0,
            crc: i32::from_le_bytes([item[4], item[5], item[6], item[7]]),
        }));
    }
    let op = operator(item[1])?;
    let distance = u16::from_le_bytes([item[2], item[3]]);
    let mut children = vec![load(items, text, at, depth + 1)?];
    if op != Op::Not {
        children.push(load(items, text, at, depth + 1)?);
    }
    Ok(Node::Op { op, distance, children })
}
fn operator(code: u8) -> Result<Op> {
    match code {
        1 => Ok(Op::Not),
        2 => Ok(Op::And),
        3 => Ok(Op::Or),
        4 => Ok(Op::Phrase),
        _ => Err(corrupted()),
    }
}
impl<'a> FromDatum<'a> for TsQuery {
    fn from_datum(d: DatumRef<'a>) -> Result<TsQuery> {
        TsQuery::decode(<&[u8]>::from_datum(d)?)
    }
}
impl IntoDatum for TsQuery {
    fn into_datum(self) -> Datum {
        Datum::bytes(self.encode())
    }
}

/// Reads the standard form, by precedence.
struct Parser<'a> {
    scan: Scanner<'a>,
    open: u32,
}
enum Infix {
    Op(Op, u16),
    Close,
    End,
}
impl Parser<'_> {
    /// What joins an operand to the next; not taken yet unless it binds strongly enough.
    fn infix(&mut self) -> Result<(Infix, usize)> {
        self.scan.skip();
        let start = self.scan.at;
        let rest = &self.scan.text[start..];
        Ok(match rest.chars().next() {
            None if self.open > 0 => return Err(self.scan.bad()),
            None => (Infix::End, 0),
            Some('&') => (Infix::Op(Op::And, 0), 1),
            Some('|') => (Infix::Op(Op::Or, 0), 1),
            Some(')') if self.open > 0 => (Infix::Close, 1),
            Some('<') => match phrase(rest)? {
                Some((d, len)) => (Infix::Op(Op::Phrase, d), len),
                None => return Err(self.scan.bad()),
            },
            Some(_) => return Err(self.scan.bad()),
        })
    }
    fn operand(&mut self, first: bool) -> Result<Option<Node>> {
        if self.open > MAX_DEPTH {
            return Err(error(STATEMENT_TOO_COMPLEX, "stack depth limit exceeded"));
        }
        self.scan.skip();
        match self.scan.peek() {
            Some('!') => {
                let mut nots = 0;
                while self.scan.peek() == Some('!') {
                    self.scan.step();
                    self.scan.skip();
                    nots += 1;
                }
                let inner = self.operand(false)?;
                let wrap = |n| Node::Op { op: Op::Not, distance: 0, children: vec![n] };
                Ok(inner.map(|i| (0..nots).fold(i, |n, _| wrap(n))))
            }
            Some('(') => {
                self.scan.step();
                self.open += 1;
                let inner = self.expression(0, false)?;
                self.scan.skip();
                if self.scan.peek() != Some(')') {
                    return Err(self.scan.bad());
                }
                self.scan.step();
                self.open -= 1;
                Ok(inner)
            }
            Some(':') => Err(self.scan.bad()),
            None if first => Ok(None),
            None => Err(error(SYNTAX_ERROR, format!("no operand in tsquery: \"{}\"", self.scan.text))),
            Some(_) => {
                let Some((text, _)) = self.scan.lexeme()? else { return Err(self.scan.bad()) };
                if text.len() >= MAX_LEXEME {
                    let m = format!("word is too long in tsquery: \"{}\"", self.scan.text);
                    return Err(error(PROGRAM_LIMIT_EXCEEDED, m));
                }
                let (mut weights, mut prefix) = (0, false);
                if self.scan.peek() == Some(':') {
                    self.scan.step();
                    loop {
                        match self.scan.peek() {
                            Some('*') => prefix = true,
                            Some('a' | 'A') => weights |= 8,
                            Some('b' | 'B') => weights |= 4,
                            Some('c' | 'C') => weights |= 2,
                            Some('d' | 'D') => weights |= 1,
                            _ => break,
                        }
                        self.scan.step();
                    }
                }
                Ok(Some(word(text, weights, prefix)))
            }
        }
    }
    fn expression(&mut self, weakest: u8, first: bool) -> Result<Option<Node>> {
        let Some(mut left) = self.operand(first)? else { return Ok(None) };
        loop {
            let (infix, len) = self.infix()?;
            let Infix::Op(op, distance) = infix else { return Ok(Some(left)) };
            if op.priority() <= weakest {
                return Ok(Some(left));
            }
            self.scan.at += len;
            let Some(right) = self.expression(op.priority(), false)? else { return Err(self.scan.bad()) };
            left = join(op, distance, left, right);
        }
    }
}
/// `<->` or `<n>`: the distance and the operator's length.
fn phrase(s: &str) -> Result<Option<(u16, usize)>> {
    if s.starts_with("<->") {
        return Ok(Some((1, 3)));
    }
    let digits = s[1..].bytes().take_while(u8::is_ascii_digit).count();
    if digits == 0 {
        return Ok(None);
    }
    let d = checked_distance(s[1..1 + digits].parse().unwrap_or(i64::MAX))?;
    Ok(s[1 + digits..].starts_with('>').then_some((d, digits + 2)))
}
fn checked_distance(d: i64) -> Result<u16> {
    u16::try_from(d).ok().filter(|d| *d <= 16_384).ok_or_else(|| {
        let m = "distance in phrase operator must be an integer value between zero and 16384 inclusive";
        invalid_parameter(m)
    })
}
pub(super) fn read(s: &str) -> Result<TsQuery> {
    let mut p = Parser { scan: Scanner { text: s, at: 0, query: true }, open: 0 };
    Ok(TsQuery(p.expression(0, true)?))
}
#[builtin("tsqueryin")]
fn tsqueryin(cx: &mut FnCx<'_>, s: &str) -> Result<TsQuery> {
    let query = read(s)?;
    if query.0.is_none() {
        let m = format!("text-search query doesn't contain lexemes: \"{s}\"");
        cx.rt.notice(PgError::with_severity(Severity::Notice, SUCCESSFUL_COMPLETION, m));
    }
    Ok(query)
}
#[builtin("tsqueryout")]
fn tsqueryout(q: TsQuery) -> Vec<u8> {
    q.to_text()
}
#[builtin("tsquerysend")]
fn tsquerysend(q: TsQuery) -> Vec<u8> {
    fn put(n: &Node, out: &mut Vec<u8>) {
        match n {
            Node::Word(w) => {
                out.extend_from_slice(&[1, w.weights, u8::from(w.prefix)]);
                out.extend_from_slice(w.text.as_bytes());
                out.push(0);
            }
            Node::Op { op, distance, children } => {
                out.extend_from_slice(&[2, *op as u8]);
                if *op == Op::Phrase {
                    out.extend_from_slice(&distance.to_be_bytes());
                }
                children.iter().for_each(|c| put(c, out));
            }
        }
    }
    let mut out = (q.size() as i32).to_be_bytes().to_vec();
    if let Some(root) = &q.0 {
        put(root, &mut out);
    }
    out
}
#[builtin("tsqueryrecv")]
fn tsqueryrecv(b: &[u8]) -> Result<TsQuery> {
    fn get(r: &mut Reader<'_>, depth: u32) -> Result<Node> {
        if depth > MAX_DEPTH {
            return Err(error(STATEMENT_TOO_COMPLEX, "stack depth limit exceeded"));
        }
        if r.u8()? == 1 {
            let (weights, prefix) = (r.u8()?, r.u8()? != 0);
            let end = r.rest.iter().position(|b| *b == 0).ok_or_else(corrupted)?;
            let text = String::from_utf8(r.take(end)?.to_vec()).map_err(|_| corrupted())?;
            r.take(1)?;
            return Ok(word(text, weights, prefix));
        }
        let op = operator(r.u8()?)?;
        let distance = if op == Op::Phrase { r.i16()? as u16 } else { 0 };
        let mut children = vec![get(r, depth + 1)?];
        if op != Op::Not {
            children.push(get(r, depth + 1)?);
        }
        Ok(Node::Op { op, distance, children })
    }
    let mut r = Reader::new(b);
    let n = r.i32()?;
    let root = if n > 0 { Some(get(&mut r, 0)?) } else { None };
    r.end()?;
    Ok(TsQuery(root))
}

pub fn compare_bytes(a: &[u8], b: &[u8]) -> Ordering {
    match (TsQuery::decode(a), TsQuery::decode(b)) {
        (Ok(x), Ok(y)) => x.order(&y),
        _ => a.cmp(b),
    }
}
pub static COMPARE: &[Builtin] = &compare_bytes!(
    compare_bytes,
    ["tsquery_eq", "tsquery_ne", "tsquery_lt", "tsquery_le", "tsquery_gt", "tsquery_ge", "tsquery_cmp"]
);

fn joined(op: Op, distance: u16, a: TsQuery, b: TsQuery) -> TsQuery {
    match (a.0, b.0) {
        (Some(a), Some(b)) => TsQuery(Some(join(op, distance, a, b))),
        (a, b) => TsQuery(a.or(b)),
    }
}
#[builtin("tsquery_and")]
fn tsquery_and(a: TsQuery, b: TsQuery) -> TsQuery {
    joined(Op::And, 0, a, b)
}
#[builtin("tsquery_or")]
fn tsquery_or(a: TsQuery, b: TsQuery) -> TsQuery {
    joined(Op::Or, 0, a, b)
}
#[builtin("tsquery_phrase")]
fn tsquery_phrase(a: TsQuery, b: TsQuery) -> TsQuery {
    joined(Op::Phrase, 1, a, b)
}
#[builtin("tsquery_phrase_distance")]
fn tsquery_phrase_distance(a: TsQuery, b: TsQuery, d: i32) -> Result<TsQuery> {
    Ok(joined(Op::Phrase, checked_distance(d.into())?, a, b))
}
#[builtin("tsquery_not")]
fn tsquery_not(a: TsQuery) -> TsQuery {
    TsQuery(a.0.map(|a| Node::Op { op: Op::Not, distance: 0, children: vec![a] }))
}
#[builtin("tsquery_numnode")]
fn tsquery_numnode(a: TsQuery) -> i32 {
    a.size() as i32
}
fn contains(a: &TsQuery, b: &TsQuery) -> bool {
    let words = |q: &TsQuery| -> Vec<String> {
        let mut list = Vec::new();
        if let Some(root) = &q.0 {
            root.words(&mut list);
        }
        list.into_iter().map(|w| w.text.clone()).collect()
    };
    let all = words(a);
    words(b).iter().all(|w| all.contains(w))
}
#[builtin("tsq_mcontains")]
fn tsq_mcontains(a: TsQuery, b: TsQuery) -> bool {
    contains(&a, &b)
}
#[builtin("tsq_mcontained")]
fn tsq_mcontained(a: TsQuery, b: TsQuery) -> bool {
    contains(&b, &a)
}
/// What an index can look for: the query without negations. (PostgreSQL: `clean_NOT`)
fn positive(n: &Node) -> Option<Node> {
    let Node::Op { op, distance, children } = n else { return Some(n.clone()) };
    let kept: Vec<Node> = match op {
        Op::Not => return None,
        Op::Or => children.iter().map(positive).collect::<Option<_>>()?,
        _ => children.iter().filter_map(positive).collect(),
    };
    match kept.len() {
        0 => None,
        1 => kept.into_iter().next(),
        _ => Some(Node::Op { op: *op, distance: *distance, children: kept }),
    }
}
#[builtin("tsquerytree")]
fn tsquerytree(q: TsQuery) -> Vec<u8> {
    match q.0 {
        None => Vec::new(),
        Some(root) => match positive(&root) {
            None => b"T".to_vec(),
            root => TsQuery(root).to_text(),
        },
    }
}
