//! The stored form of `jsonb`: a container's header (count and kind), an entry for each member (kind and length, or its end
//! offset at every 32nd), then the members' bytes; numbers and containers are aligned to four bytes.
//!
//! PostgreSQL: `jsonb.h`, `convertToJsonb`.

use base::sqlstate::DATA_CORRUPTED;
use base::{PgError, Result};

use super::Json;
use crate::numeric::Numeric;

const SCALAR: u32 = 0x1000_0000;
const OBJECT: u32 = 0x2000_0000;
const ARRAY: u32 = 0x4000_0000;
const COUNT: u32 = 0x0fff_ffff;
const NUMERIC: u32 = 0x1000_0000;
const FALSE: u32 = 0x2000_0000;
const TRUE: u32 = 0x3000_0000;
const NULL: u32 = 0x4000_0000;
const CONTAINER: u32 = 0x5000_0000;
const KIND: u32 = 0x7000_0000;
const HAS_OFFSET: u32 = 0x8000_0000;
const STRIDE: usize = 32;

/// Sorts keys by length, then bytes; of equal ones the last stays.
pub fn normalize(list: &mut Vec<(String, Json)>) {
    list.sort_by(|a, b| a.0.len().cmp(&b.0.len()).then_with(|| a.0.cmp(&b.0)));
    let mut kept: Vec<(String, Json)> = Vec::with_capacity(list.len());
    for pair in list.drain(..) {
        match kept.last_mut() {
            Some(last) if last.0 == pair.0 => *last = pair,
            _ => kept.push(pair),
        }
    }
    *list = kept;
}

pub fn encode(v: &Json) -> Vec<u8> {
    let mut out = Vec::new();
    match v {
        Json::Array(_) | Json::Object(_) => {
            value(v, &mut out);
        }
        scalar => container(ARRAY | SCALAR, &[], std::slice::from_ref(scalar), &mut out),
    }
    out
}
fn pad(out: &mut Vec<u8>) {
    out.resize(out.len().next_multiple_of(4), 0);
}
/// Appends a value; its entry's kind.
fn value(v: &Json, out: &mut Vec<u8>) -> u32 {
    match v {
        Json::Null => NULL,
        Json::Bool(b) => {
            if *b {
                TRUE
            } else {
                FALSE
            }
        }
        Json::String(s) => {
            out.extend_from_slice(s.as_bytes());
            0
        }
        Json::Number(n) => {
            pad(out);
            let b = n.to_bytes();
            out.extend_from_slice(&((b.len() as u32 + 4) << 2).to_le_bytes());
            out.extend_from_slice(&b);
            NUMERIC
        }
        Json::Array(list) => {
            pad(out);
            container(ARRAY, &[], list, out);
            CONTAINER
        }
        Json::Object(list) => {
            pad(out);
            let mut list = list.clone();
            normalize(&mut list);
            let (keys, values): (Vec<String>, Vec<Json>) = list.into_iter().unzip();
            container(OBJECT, &keys, &values, out);
            CONTAINER
        }
    }
}
fn container(kind: u32, keys: &[String], values: &[Json], out: &mut Vec<u8>) {
    out.extend_from_slice(&(kind | values.len() as u32).to_le_bytes());
    let entries = out.len();
    out.resize(entries + 4 * (keys.len() + values.len()), 0);
    let data = out.len();
    for i in 0..keys.len() + values.len() {
        let before = out.len();
        let kind = match keys.get(i) {
            Some(k) => {
                out.extend_from_slice(k.as_bytes());
                0
            }
            None => value(&values[i - keys.len()], out),
        };
        let size = if i % STRIDE == 0 { HAS_OFFSET | (out.len() - data) as u32 } else { (out.len() - before) as u32 };
        out[entries + 4 * i..entries + 4 * i + 4].copy_from_slice(&(kind | size).to_le_bytes());
    }
}

/// Where a container inside another one begins in its stored form; the target is known by its address. (What `.keyvalue()`
/// numbers objects by.)
pub fn offset_of(whole: &Json, target: &Json) -> Option<usize> {
    if std::ptr::eq(whole, target) {
        return Some(0);
    }
    let (keys, values): (Vec<&str>, Vec<&Json>) = match whole {
        Json::Array(list) => (Vec::new(), list.iter().collect()),
        Json::Object(list) => list.iter().map(|(k, v)| (k.as_str(), v)).unzip(),
        _ => return None,
    };
    let mut at = 4 + 4 * (keys.len() + values.len()) + keys.iter().map(|k| k.len()).sum::<usize>();
    for v in values {
        match v {
            Json::Array(_) | Json::Object(_) => {
                at = at.next_multiple_of(4);
                if let Some(inner) = offset_of(v, target) {
                    return Some(at + inner);
                }
                at += encode(v).len();
            }
            Json::Number(n) => at = at.next_multiple_of(4) + 4 + n.to_bytes().len(),
            Json::String(s) => at += s.len(),
            Json::Null | Json::Bool(_) => {}
        }
    }
    None
}

fn corrupted() -> PgError {
    PgError::new(DATA_CORRUPTED, "invalid jsonb value")
}
pub fn decode(b: &[u8]) -> Result<Json> {
    let header = b.get(..4).and_then(|w| w.try_into().ok()).map(u32::from_le_bytes).ok_or_else(corrupted)?;
    let v = open(b, 0)?;
    match v {
        Json::Array(mut list) if header & SCALAR != 0 => list.pop().ok_or_else(corrupted),
        v => Ok(v),
    }
}
fn open(b: &[u8], depth: u32) -> Result<Json> {
    if depth > 3000 {
        return Err(corrupted());
    }
    let word =
        |at: usize| b.get(at..at + 4).and_then(|w| w.try_into().ok()).map(u32::from_le_bytes).ok_or_else(corrupted);
    let header = word(0)?;
    let (n, object) = ((header & COUNT) as usize, header & OBJECT != 0);
    let total = if object { 2 * n } else { n };
    let data = b.get(4 + 4 * total..).ok_or_else(corrupted)?;
    let (mut at, mut keys, mut values) = (0usize, Vec::new(), Vec::with_capacity(n));
    for i in 0..total {
        let entry = word(4 + 4 * i)?;
        let size = (entry & COUNT) as usize;
        let end = if entry & HAS_OFFSET != 0 { size } else { at + size };
        let bytes = data.get(at..end).ok_or_else(corrupted)?;
        // Alignment counts from the container's start, which is itself aligned.
        let aligned = data.get(at.next_multiple_of(4).min(end)..end).ok_or_else(corrupted)?;
        at = end;
        let text = || String::from_utf8(bytes.to_vec()).map_err(|_| corrupted());
        if object && i < n {
            keys.push(text()?);
            continue;
        }
        values.push(match entry & KIND {
            0 => Json::String(text()?),
            NUMERIC => Json::Number(Numeric::from_bytes(match aligned.first() {
                Some(h) if h & 1 == 1 => &aligned[1..],
                _ => aligned.get(4..).ok_or_else(corrupted)?,
            })?),
            FALSE => Json::Bool(false),
            TRUE => Json::Bool(true),
            NULL => Json::Null,
            CONTAINER => open(aligned, depth + 1)?,
            _ => return Err(corrupted()),
        });
    }
    Ok(if object { Json::Object(keys.into_iter().zip(values).collect()) } else { Json::Array(values) })
}
