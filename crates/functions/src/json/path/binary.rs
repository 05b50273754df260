//! The stored form of `jsonpath`: a header (version 1, the high bit for lax mode), then the items. An item is its code, the
//! distance to the next one (0 for none), both aligned, and what its kind needs; operands are distances too.
//!
//! PostgreSQL: `flattenJsonPathParseItem`, `jspInitByBuffer`.

use base::sqlstate::DATA_CORRUPTED;
use base::{PgError, Result};

use super::*;

const VERSION: u32 = 1;
const LAX: u32 = 0x8000_0000;

pub fn encode(path: &JsonPath) -> Vec<u8> {
    let mut w = Writer(Vec::new());
    w.item(&path.expr);
    let mut out = (VERSION | if path.lax { LAX } else { 0 }).to_le_bytes().to_vec();
    out.extend_from_slice(&w.0);
    out
}
struct Writer(Vec<u8>);

impl Writer {
    fn word(&mut self, v: u32) -> usize {
        self.0.extend_from_slice(&v.to_le_bytes());
        self.0.len() - 4
    }
    fn patch(&mut self, at: usize, v: usize) {
        self.0[at..at + 4].copy_from_slice(&(v as u32).to_le_bytes());
    }
    fn string(&mut self, s: &str) {
        self.word(s.len() as u32);
        self.0.extend_from_slice(s.as_bytes());
        self.0.push(0);
    }
    fn child(&mut self, base: usize, slot: usize, child: Option<&Item>) {
        if let Some(c) = child {
            let at = self.item(c);
            self.patch(slot, at - base);
        }
    }
    fn item(&mut self, v: &Item) -> usize {
        let base = self.0.len();
        self.0.push(code(&v.op));
        self.0.resize(self.0.len().next_multiple_of(4), 0);
        let next = self.word(0);
        match &v.op {
            Op::String(s) | Op::Variable(s) | Op::Key(s) => self.string(s),
            Op::Number(n) => {
                let b = n.to_bytes();
                self.word((b.len() as u32 + 4) << 2);
                self.0.extend_from_slice(&b);
            }
            Op::Bool(b) => self.0.push(u8::from(*b)),
            Op::Any(first, last) => {
                self.word(*first);
                self.word(*last);
            }
            Op::Binary(_, a, b) => {
                let (left, right) = (self.word(0), self.word(0));
                self.child(base, left, Some(a));
                self.child(base, right, Some(b));
            }
            Op::Decimal(a, b) => {
                let (left, right) = (self.word(0), self.word(0));
                self.child(base, left, a.as_deref());
                self.child(base, right, b.as_deref());
            }
            Op::Unary(_, a) => {
                let slot = self.word(0);
                self.child(base, slot, Some(a));
            }
            Op::Datetime(_, a) => {
                let slot = self.word(0);
                self.child(base, slot, a.as_deref());
            }
            Op::LikeRegex { expr, pattern, flags } => {
                self.word(*flags);
                let slot = self.word(0);
                self.string(pattern);
                self.child(base, slot, Some(expr));
            }
            Op::Index(list) => {
                self.word(list.len() as u32);
                let slots = self.0.len();
                self.0.resize(slots + 8 * list.len(), 0);
                for (i, (from, to)) in list.iter().enumerate() {
                    self.child(base, slots + 8 * i, Some(from));
                    self.child(base, slots + 8 * i + 4, to.as_ref());
                }
            }
            Op::Null | Op::Root | Op::Current | Op::Last | Op::AnyKey | Op::AnyArray | Op::Method(_) => {}
        }
        if let Some(n) = &v.next {
            let at = self.item(n);
            self.patch(next, at - base);
        }
        base
    }
}
fn code(op: &Op) -> u8 {
    match op {
        Op::Null => 0,
        Op::String(_) => 1,
        Op::Number(_) => 2,
        Op::Bool(_) => 3,
        Op::AnyArray => 21,
        Op::AnyKey => 22,
        Op::Index(_) => 23,
        Op::Any(..) => 24,
        Op::Key(_) => 25,
        Op::Current => 26,
        Op::Root => 27,
        Op::Variable(_) => 28,
        Op::Last => 40,
        Op::LikeRegex { .. } => 42,
        Op::Decimal(..) => Method::Decimal as u8,
        Op::Binary(b, ..) => *b as u8,
        Op::Unary(u, _) => *u as u8,
        Op::Method(m) | Op::Datetime(m, _) => *m as u8,
    }
}

fn corrupted() -> PgError {
    PgError::new(DATA_CORRUPTED, "invalid jsonpath value")
}
pub fn decode(b: &[u8]) -> Result<JsonPath> {
    let (header, data) = b.split_first_chunk::<4>().ok_or_else(corrupted)?;
    let header = u32::from_le_bytes(*header);
    if header & !LAX != VERSION {
        return Err(PgError::internal(format!("unsupported jsonpath version: {}", header & !LAX)));
    }
    Ok(JsonPath { lax: header & LAX != 0, expr: Reader { data }.item(0, 0)? })
}
struct Reader<'a> {
    data: &'a [u8],
}
impl Reader<'_> {
    fn word(&self, at: usize) -> Result<u32> {
        self.data.get(at..at + 4).and_then(|w| w.try_into().ok()).map(u32::from_le_bytes).ok_or_else(corrupted)
    }
    fn string(&self, at: usize) -> Result<String> {
        let len = self.word(at)? as usize;
        let bytes = self.data.get(at + 4..).and_then(|d| d.get(..len)).ok_or_else(corrupted)?;
        String::from_utf8(bytes.to_vec()).map_err(|_| corrupted())
    }
    fn child(&self, base: usize, slot: usize, depth: u32) -> Result<Option<Item>> {
        match self.word(slot)? as usize {
            0 => Ok(None),
            distance => self.item(base + distance, depth + 1).map(Some),
        }
    }
    fn needed(&self, base: usize, slot: usize, depth: u32) -> Result<Box<Item>> {
        self.child(base, slot, depth)?.map(Box::new).ok_or_else(corrupted)
    }
    fn item(&self, base: usize, depth: u32) -> Result<Item> {
        if depth > 5000 {
            return Err(corrupted());
        }
        let code = *self.data.get(base).ok_or_else(corrupted)?;
        let at = (base + 1).next_multiple_of(4);
        let body = at + 4;
        let binary = BINARIES.into_iter().find(|b| *b as u8 == code);
        let unary = UNARIES.into_iter().find(|u| *u as u8 == code);
        let method = METHODS.into_iter().find(|m| *m as u8 == code);
        let op = match code {
            0 => Op::Null,
            1 => Op::String(self.string(body)?),
            2 => {
                let len = (self.word(body)? >> 2) as usize;
                let bytes = self.data.get(body + 4..body + len).ok_or_else(corrupted)?;
                Op::Number(Numeric::from_bytes(bytes)?)
            }
            3 => Op::Bool(*self.data.get(body).ok_or_else(corrupted)? != 0),
            21 => Op::AnyArray,
            22 => Op::AnyKey,
            23 => {
                let n = self.word(body)? as usize;
                let part = |i: usize| -> Result<(Item, Option<Item>)> {
                    let slot = body + 4 + 8 * i;
                    Ok((*self.needed(base, slot, depth)?, self.child(base, slot + 4, depth)?))
                };
                Op::Index((0..n).map(part).collect::<Result<_>>()?)
            }
            24 => Op::Any(self.word(body)?, self.word(body + 4)?),
            25 => Op::Key(self.string(body)?),
            26 => Op::Current,
            27 => Op::Root,
            28 => Op::Variable(self.string(body)?),
            40 => Op::Last,
            42 => Op::LikeRegex {
                flags: self.word(body)?,
                expr: self.needed(base, body + 4, depth)?,
                pattern: self.string(body + 8)?,
            },
            _ => match (binary, unary, method) {
                (Some(b), ..) => Op::Binary(b, self.needed(base, body, depth)?, self.needed(base, body + 4, depth)?),
                (_, Some(u), _) => Op::Unary(u, self.needed(base, body, depth)?),
                (.., Some(Method::Decimal)) => Op::Decimal(
                    self.child(base, body, depth)?.map(Box::new),
                    self.child(base, body + 4, depth)?.map(Box::new),
                ),
                (
                    ..,
                    Some(
                        m
                        @ (Method::Datetime | Method::Time | Method::TimeTz | Method::Timestamp | Method::TimestampTz),
                    ),
                ) => Op::Datetime(m, self.child(base, body, depth)?.map(Box::new)),
                (.., Some(m)) => Op::Method(m),
                _ => return Err(corrupted()),
            },
        };
        Ok(Item { op, next: self.child(base, at, depth)?.map(Box::new) })
    }
}
