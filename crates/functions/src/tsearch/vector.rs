//! `tsvector`: sorted lexemes, each with its positions.
//!
//! Stored: the number of lexemes; for each a word with a bit that says whether positions follow, its length (11 bits) and
//! where it begins (20 bits); then the lexemes, positions after theirs, aligned to two bytes.

use std::cmp::Ordering;

use base::sqlstate::*;
use base::{PgError, Result};
use types::array::{self, ArrayRef, ElementType};
use types::{Builtin, Datum, DatumRef, FromDatum, IntoDatum, RowSource, builtin};

use super::scan::Scanner;
use super::{MAX_LEXEME, MAX_POSITION, MAX_POSITIONS, MAX_TEXT, Position, compare, weight_letter, write_quoted};
use crate::arrays::texts;
use crate::err::{error, invalid_parameter};
use crate::wire::Reader;

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Entry {
    pub word: String,
    pub positions: Vec<Position>,
}
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct TsVector(pub Vec<Entry>);

fn corrupted() -> PgError {
    error(DATA_CORRUPTED, "invalid tsvector value")
}
/// Positions in order, the heaviest of equal ones, so many at most. (PostgreSQL: `uniquePos`)
fn unique(list: &mut Vec<Position>) {
    list.sort_by(|a, b| a.at.cmp(&b.at).then(b.weight.cmp(&a.weight)));
    list.dedup_by_key(|p| p.at);
    list.truncate(MAX_POSITIONS - 1);
    // Nothing can be told apart beyond the last position.
    if let Some(i) = list.iter().position(|p| p.at == MAX_POSITION) {
        list.truncate(i + 1);
    }
}

impl TsVector {
    /// Sorts, and joins equal lexemes. (PostgreSQL: `uniqueentry`)
    pub fn of(mut list: Vec<Entry>) -> TsVector {
        list.sort_by(|a, b| compare(&a.word, &b.word));
        let mut out: Vec<Entry> = Vec::with_capacity(list.len());
        for e in list {
            match out.last_mut() {
                Some(last) if last.word == e.word => last.positions.extend(e.positions),
                _ => out.push(e),
            }
        }
        out.iter_mut().for_each(|e| unique(&mut e.positions));
        TsVector(out)
    }
    pub fn find(&self, word: &str) -> Option<usize> {
        self.0.binary_search_by(|e| compare(&e.word, word)).ok()
    }
    fn encode(&self) -> Vec<u8> {
        let mut data: Vec<u8> = Vec::new();
        let mut out = (self.0.len() as i32).to_le_bytes().to_vec();
        for e in &self.0 {
            let has = u32::from(!e.positions.is_empty());
            let item = has | (e.word.len() as u32) << 1 | (data.len() as u32) << 12;
            out.extend_from_slice(&item.to_le_bytes());
            data.extend_from_slice(e.word.as_bytes());
            if has == 1 {
                data.resize(data.len().next_multiple_of(2), 0);
                data.extend_from_slice(&(e.positions.len() as u16).to_le_bytes());
                for p in &e.positions {
                    data.extend_from_slice(&(u16::from(p.weight) << 14 | p.at).to_le_bytes());
                }
            }
        }
        out.extend_from_slice(&data);
        out
    }
    fn decode(b: &[u8]) -> Result<TsVector> {
        let word =
            |at: usize| b.get(at..at + 4).and_then(|w| w.try_into().ok()).map(u32::from_le_bytes).ok_or_else(corrupted);
        let n = word(0)? as usize;
        let data = b.get(4 + 4 * n..).ok_or_else(corrupted)?;
        let half = |at: usize| data.get(at..at + 2).map(|w| u16::from_le_bytes([w[0], w[1]])).ok_or_else(corrupted);
        let mut out = Vec::with_capacity(n);
        for i in 0..n {
            let item = word(4 + 4 * i)?;
            let (len, at) = ((item >> 1 & 0x7ff) as usize, (item >> 12) as usize);
            let text = data.get(at..at + len).ok_or_else(corrupted)?;
            let word = String::from_utf8(text.to_vec()).map_err(|_| corrupted())?;
            let mut positions = Vec::new();
            if item & 1 == 1 {
                let from = (at + len).next_multiple_of(2);
                for k in 0..usize::from(half(from)?) {
                    let v = half(from + 2 + 2 * k)?;
                    positions.push(Position { at: v & 0x3fff, weight: (v >> 14) as u8 });
                }
            }
            out.push(Entry { word, positions });
        }
        Ok(TsVector(out))
    }
    fn highest(&self) -> u16 {
        self.0.iter().flat_map(|e| &e.positions).map(|p| p.at).max().unwrap_or(0)
    }
    pub(super) fn checked(self) -> Result<TsVector> {
        let size: usize = self.0.iter().map(|e| e.word.len() + 2 * e.positions.len()).sum();
        if size > MAX_TEXT {
            let text = format!("string is too long for tsvector ({size} bytes, max {MAX_TEXT} bytes)");
            return Err(error(PROGRAM_LIMIT_EXCEEDED, text));
        }
        Ok(self)
    }
}
impl<'a> FromDatum<'a> for TsVector {
    fn from_datum(d: DatumRef<'a>) -> Result<TsVector> {
        TsVector::decode(<&[u8]>::from_datum(d)?)
    }
}
impl IntoDatum for TsVector {
    fn into_datum(self) -> Datum {
        Datum::bytes(self.encode())
    }
}

#[builtin("tsvectorin")]
fn tsvectorin(s: &str) -> Result<TsVector> {
    read(s)
}
pub(super) fn read(s: &str) -> Result<TsVector> {
    let mut scan = Scanner { text: s, at: 0, query: false };
    let mut list = Vec::new();
    while let Some((word, positions)) = scan.lexeme()? {
        if word.len() >= MAX_LEXEME {
            let text = format!("word is too long ({} bytes, max {} bytes)", word.len(), MAX_LEXEME - 1);
            return Err(error(PROGRAM_LIMIT_EXCEEDED, text));
        }
        list.push(Entry { word, positions });
    }
    TsVector::of(list).checked()
}
#[builtin("tsvectorout", write)]
fn tsvectorout(v: TsVector, out: &mut Vec<u8>) {
    for (i, e) in v.0.iter().enumerate() {
        if i > 0 {
            out.push(b' ');
        }
        write_quoted(&e.word, out);
        for (k, p) in e.positions.iter().enumerate() {
            out.push(if k == 0 { b':' } else { b',' });
            out.extend_from_slice(p.at.to_string().as_bytes());
            if p.weight > 0 {
                out.extend_from_slice(weight_letter(p.weight).as_bytes());
            }
        }
    }
}
#[builtin("tsvectorsend")]
fn tsvectorsend(v: TsVector) -> Vec<u8> {
    let mut out = (v.0.len() as i32).to_be_bytes().to_vec();
    for e in &v.0 {
        out.extend_from_slice(e.word.as_bytes());
        out.push(0);
        out.extend_from_slice(&(e.positions.len() as u16).to_be_bytes());
        for p in &e.positions {
            out.extend_from_slice(&(u16::from(p.weight) << 14 | p.at).to_be_bytes());
        }
    }
    out
}
#[builtin("tsvectorrecv")]
fn tsvectorrecv(b: &[u8]) -> Result<TsVector> {
    let mut r = Reader::new(b);
    let mut list = Vec::new();
    for _ in 0..r.i32()? {
        let end = r.rest.iter().position(|b| *b == 0).ok_or_else(corrupted)?;
        let word = String::from_utf8(r.take(end)?.to_vec()).map_err(|_| corrupted())?;
        r.take(1)?;
        let mut positions = Vec::new();
        for _ in 0..r.i16()? as u16 {
            let v = r.i16()? as u16;
            positions.push(Position { at: v & 0x3fff, weight: (v >> 14) as u8 });
        }
        list.push(Entry { word, positions });
    }
    r.end()?;
    TsVector::of(list).checked()
}

/// An order without meaning: by size, then by content. (PostgreSQL: `silly_cmp_tsvector`)
pub fn compare_bytes(a: &[u8], b: &[u8]) -> Ordering {
    let (Ok(x), Ok(y)) = (TsVector::decode(a), TsVector::decode(b)) else { return a.cmp(b) };
    let sizes = a.len().cmp(&b.len()).then(x.0.len().cmp(&y.0.len()));
    if sizes.is_ne() {
        return sizes;
    }
    for (p, q) in x.0.iter().zip(&y.0) {
        let has = |e: &Entry| !e.positions.is_empty();
        let o = has(q).cmp(&has(p)).then_with(|| compare(&p.word, &q.word));
        let o = o.then_with(|| q.positions.len().cmp(&p.positions.len()));
        if o.is_ne() {
            return o;
        }
        for (i, j) in p.positions.iter().zip(&q.positions) {
            let o = j.at.cmp(&i.at).then(j.weight.cmp(&i.weight));
            if o.is_ne() {
                return o;
            }
        }
    }
    Ordering::Equal
}
pub static COMPARE: &[Builtin] = &compare_bytes!(
    compare_bytes,
    ["tsvector_eq", "tsvector_ne", "tsvector_lt", "tsvector_le", "tsvector_gt", "tsvector_ge", "tsvector_cmp"]
);

fn weight_of(c: u8) -> Result<u8> {
    match c.to_ascii_uppercase() {
        b'A' => Ok(3),
        b'B' => Ok(2),
        b'C' => Ok(1),
        b'D' => Ok(0),
        _ if c < 128 => Err(invalid_parameter(format!("unrecognized weight: \"{}\"", char::from(c)))),
        _ => Err(invalid_parameter(format!("unrecognized weight: \"\\{c:03o}\""))),
    }
}
#[builtin("tsvector_strip")]
fn tsvector_strip(mut v: TsVector) -> TsVector {
    v.0.iter_mut().for_each(|e| e.positions.clear());
    v
}
#[builtin("tsvector_length")]
fn tsvector_length(v: TsVector) -> i32 {
    v.0.len() as i32
}
#[builtin("tsvector_setweight")]
fn tsvector_setweight(mut v: TsVector, w: u8) -> Result<TsVector> {
    let weight = weight_of(w)?;
    v.0.iter_mut().flat_map(|e| &mut e.positions).for_each(|p| p.weight = weight);
    Ok(v)
}
#[builtin("tsvector_setweight_by_filter")]
fn tsvector_setweight_by_filter(mut v: TsVector, w: u8, words: &[u8]) -> Result<TsVector> {
    let weight = weight_of(w)?;
    for word in texts(words)?.into_iter().flatten() {
        if let Some(i) = v.find(&word) {
            v.0[i].positions.iter_mut().for_each(|p| p.weight = weight);
        }
    }
    Ok(v)
}
/// The second's positions come after the first's.
#[builtin("tsvector_concat")]
fn tsvector_concat(a: TsVector, b: TsVector) -> Result<TsVector> {
    let shift = a.highest();
    let mut list = a.0;
    for mut e in b.0 {
        for p in &mut e.positions {
            p.at = p.at.saturating_add(shift).min(MAX_POSITION);
        }
        list.push(e);
    }
    TsVector::of(list).checked()
}
#[builtin("tsvector_delete_str")]
fn tsvector_delete_str(mut v: TsVector, word: &str) -> TsVector {
    v.0.retain(|e| e.word != word);
    v
}
#[builtin("tsvector_delete_arr")]
fn tsvector_delete_arr(mut v: TsVector, words: &[u8]) -> Result<TsVector> {
    let gone: Vec<String> = texts(words)?.into_iter().flatten().collect();
    v.0.retain(|e| !gone.contains(&e.word));
    Ok(v)
}
const CHARS: ElementType = ElementType { oid: types::oid::CHAROID, len: 1, byval: true, align: types::Align::Char };

#[builtin("tsvector_filter")]
fn tsvector_filter(mut v: TsVector, weights: &[u8]) -> Result<TsVector> {
    let mut wanted = Vec::new();
    for w in ArrayRef::new(weights)?.elements(&CHARS) {
        match w? {
            DatumRef::Null => return Err(error(NULL_VALUE_NOT_ALLOWED, "weight array may not contain nulls")),
            w => wanted.push(weight_of(w.word() as u8)?),
        }
    }
    v.0.iter_mut().for_each(|e| e.positions.retain(|p| wanted.contains(&p.weight)));
    v.0.retain(|e| !e.positions.is_empty());
    Ok(v)
}
#[builtin("tsvector_to_array")]
fn tsvector_to_array(v: TsVector) -> Result<Datum> {
    crate::arrays::text_array(v.0.iter().map(|e| Some(e.word.as_str())))
}
#[builtin("array_to_tsvector")]
fn array_to_tsvector(a: &[u8]) -> Result<TsVector> {
    let mut list = Vec::new();
    for word in texts(a)? {
        let null = || error(NULL_VALUE_NOT_ALLOWED, "lexeme array may not contain nulls");
        let word = word.ok_or_else(null)?;
        if word.is_empty() {
            let text = "lexeme array may not contain empty strings";
            return Err(error(ZERO_LENGTH_CHARACTER_STRING, text));
        }
        list.push(Entry { word, positions: Vec::new() });
    }
    TsVector::of(list).checked()
}
#[builtin("tsvector_unnest", set)]
fn tsvector_unnest(v: TsVector) -> Result<Box<dyn RowSource>> {
    let int2 = ElementType { oid: types::oid::INT2OID, len: 2, byval: true, align: types::Align::Short };
    let row = |e: &Entry| -> Result<Vec<Datum>> {
        if e.positions.is_empty() {
            return Ok(vec![Datum::text(&e.word), Datum::Null, Datum::Null]);
        }
        let places: Vec<DatumRef<'_>> = e.positions.iter().map(|p| DatumRef::Word(u64::from(p.at))).collect();
        let weights = crate::arrays::text_array(e.positions.iter().map(|p| Some(weight_letter(p.weight))))?;
        Ok(vec![Datum::text(&e.word), array::build_vector(&int2, &places)?, weights])
    };
    Ok(crate::json::text::rows(v.0.iter().map(row).collect::<Result<_>>()?))
}
