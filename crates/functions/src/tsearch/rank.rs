//! `ts_rank` and `ts_rank_cd`. The arithmetic is PostgreSQL's, single precision where it uses that. (PostgreSQL: `tsrank.c`)

use base::Result;
use base::sqlstate::*;
use types::array::{ArrayRef, ElementType};
use types::{DatumRef, builtin};

use super::matching::matches;
use super::query::{Node, Op, TsQuery, Word};
use super::vector::{Entry, TsVector};
use super::{MAX_POSITION, Position, compare};
use crate::err::{error, invalid_parameter};

/// Of the weights D, C, B, A.
const WEIGHTS: [f32; 4] = [0.1, 0.2, 0.4, 1.0];
const FLOATS: ElementType = ElementType { oid: types::oid::FLOAT4OID, len: 4, byval: true, align: types::Align::Int };

/// How a rank is scaled: bits of the last argument.
const LOG_LENGTH: i32 = 1;
const LENGTH: i32 = 2;
const EXTENT_DISTANCE: i32 = 4;
const UNIQUE: i32 = 8;
const LOG_UNIQUE: i32 = 16;
const OVER_ONE_MORE: i32 = 32;

/// (PostgreSQL: `getWeights`)
fn weights(a: &[u8]) -> Result<[f32; 4]> {
    let a = ArrayRef::new(a)?;
    if a.ndim() != 1 {
        return Err(error(ARRAY_SUBSCRIPT_ERROR, "array of weight must be one-dimensional"));
    }
    let list: Vec<DatumRef<'_>> = a.elements(&FLOATS).collect::<Result<_>>()?;
    if list.len() < 4 {
        return Err(error(ARRAY_SUBSCRIPT_ERROR, "array of weight is too short"));
    }
    if list.iter().any(|w| matches!(w, DatumRef::Null)) {
        return Err(error(NULL_VALUE_NOT_ALLOWED, "array of weight must not contain nulls"));
    }
    let mut out = WEIGHTS;
    for (w, given) in out.iter_mut().zip(&list) {
        let given = f32::from_bits(given.word() as u32);
        if given >= 0.0 {
            *w = given;
        }
        if *w > 1.0 {
            return Err(invalid_parameter("weight out of range"));
        }
    }
    Ok(out)
}
/// All positions; a lexeme without them counts once.
fn length(v: &TsVector) -> usize {
    v.0.iter().map(|e| e.positions.len().max(1)).sum()
}
fn found<'a>(v: &'a TsVector, w: &Word) -> &'a [Entry] {
    let first = v.0.partition_point(|e| compare(&e.word, &w.text).is_lt());
    let fits = |e: &&Entry| if w.prefix { e.word.starts_with(&w.text) } else { e.word == w.text };
    let n = v.0[first..].iter().take_while(fits).count();
    &v.0[first..first + n]
}
/// The query's words, each once.
fn unique_words(root: &Node) -> Vec<&Word> {
    let mut list = Vec::new();
    root.words(&mut list);
    list.sort_by(|a, b| compare(&a.text, &b.text));
    list.dedup_by(|a, b| a.text == b.text);
    list
}
/// Stands for the positions of a lexeme that has none.
const NOWHERE: [Position; 1] = [Position { at: MAX_POSITION, weight: 0 }];

fn places(e: &Entry) -> (&[Position], bool) {
    if e.positions.is_empty() { (&NOWHERE, true) } else { (&e.positions, false) }
}
/// (PostgreSQL: `word_distance`)
fn closeness(distance: u32) -> f32 {
    if distance > 100 {
        return 1e-30;
    }
    (1.0 / (1.005 + 0.05 * (f64::from(distance as f32 / 1.5 - 2.0)).exp())) as f32
}
fn rank_and(weights: &[f32; 4], v: &TsVector, root: &Node) -> f32 {
    let words = unique_words(root);
    if words.len() < 2 {
        return rank_or(weights, v, root);
    }
    let weight = |p: &Position| weights[usize::from(p.weight & 3)];
    let mut res = -1.0f32;
    let mut seen: Vec<Option<(&[Position], bool)>> = vec![None; words.len()];
    for (i, w) in words.iter().enumerate() {
        for e in found(v, w) {
            let here = places(e);
            seen[i] = Some(here);
            for there in seen[..i].iter().flatten() {
                for p in here.0 {
                    for q in there.0 {
                        let mut distance = u32::from(p.at.abs_diff(q.at));
                        if distance == 0 {
                            if !here.1 && !there.1 {
                                continue;
                            }
                            distance = u32::from(MAX_POSITION) + 1;
                        }
                        let one = f64::from(weight(p) * weight(q) * closeness(distance)).sqrt() as f32;
                        res = match res < 0.0 {
                            true => one,
                            false => (1.0 - (1.0 - f64::from(res)) * (1.0 - f64::from(one))) as f32,
                        };
                    }
                }
            }
        }
    }
    res
}
fn rank_or(weights: &[f32; 4], v: &TsVector, root: &Node) -> f32 {
    let words = unique_words(root);
    let mut res = 0.0f32;
    for w in &words {
        for e in found(v, w) {
            let (mut sum, mut heaviest, mut at) = (0.0f32, -1.0f32, 0);
            for (j, p) in places(e).0.iter().enumerate() {
                let weight = weights[usize::from(p.weight & 3)];
                sum += weight / ((j + 1) * (j + 1)) as f32;
                if weight > heaviest {
                    (heaviest, at) = (weight, j);
                }
            }
            // The sum's limit is pi squared over six; the heaviest position counts as the first.
            let one = heaviest + sum - heaviest / ((at + 1) * (at + 1)) as f32;
            res = (f64::from(res) + f64::from(one) / 1.644_934_066_85) as f32;
        }
    }
    if words.is_empty() { res } else { res / words.len() as f32 }
}
/// (PostgreSQL: `calc_rank`)
fn rank(weights: &[f32; 4], v: &TsVector, q: &TsQuery, method: i32) -> f32 {
    let Some(root) = q.0.as_ref().filter(|_| !v.0.is_empty()) else { return 0.0 };
    let mut res = match root {
        Node::Op { op: Op::And | Op::Phrase, .. } => rank_and(weights, v, root),
        _ => rank_or(weights, v, root),
    };
    if res < 0.0 {
        res = 1e-20;
    }
    let log2 = |n: usize| (n as f64).ln() / 2f64.ln();
    if method & LOG_LENGTH != 0 {
        res = (f64::from(res) / log2(length(v) + 1)) as f32;
    }
    if method & LENGTH != 0 {
        res /= length(v) as f32;
    }
    if method & UNIQUE != 0 {
        res /= v.0.len() as f32;
    }
    if method & LOG_UNIQUE != 0 {
        res = (f64::from(res) / log2(v.0.len() + 1)) as f32;
    }
    if method & OVER_ONE_MORE != 0 { res / (res + 1.0) } else { res }
}

/// A place of a document where words of the query stand.
struct Place<'a> {
    word: &'a str,
    position: Position,
}
/// (PostgreSQL: `get_docrep`)
fn document<'a>(v: &'a TsVector, root: &Node) -> Vec<Place<'a>> {
    let mut words = Vec::new();
    root.words(&mut words);
    let mut out = Vec::new();
    for w in words {
        for e in found(v, w) {
            let counts = |p: &&Position| w.weights == 0 || w.weights >> p.weight & 1 == 1;
            out.extend(e.positions.iter().filter(counts).map(|p| Place { word: &e.word, position: *p }));
        }
    }
    let key = |p: &Place<'_>| (p.position.at, p.position.weight);
    out.sort_by(|a, b| key(a).cmp(&key(b)).then_with(|| compare(a.word, b.word)));
    out.dedup_by(|a, b| a.position == b.position && a.word == b.word);
    out
}
/// What has been met of a document so far.
#[derive(Default)]
struct Met(TsVector);
impl Met {
    fn add(&mut self, p: &Place<'_>) {
        let at = self.0.0.partition_point(|e| compare(&e.word, p.word).is_lt());
        match self.0.0.get_mut(at).filter(|e| e.word == p.word) {
            Some(e) => e.positions.push(p.position),
            None => self.0.0.insert(at, Entry { word: p.word.to_owned(), positions: vec![p.position] }),
        }
    }
}
/// A shortest stretch of the document from place `from` on that matches: its first and last place.
/// (PostgreSQL: `Cover`)
fn cover(doc: &[Place<'_>], q: &TsQuery, from: &mut usize) -> Result<Option<(usize, usize)>> {
    while *from < doc.len() {
        let (mut met, mut end) = (Met::default(), None);
        for (i, place) in doc.iter().enumerate().skip(*from) {
            met.add(place);
            if matches(&met.0, q)? {
                end = Some(i);
                break;
            }
        }
        let Some(end) = end.filter(|i| doc[*i].position.at > 0) else { return Ok(None) };
        let (mut met, mut begin) = (Met::default(), None);
        for i in (*from..=end).rev() {
            met.add(&doc[i]);
            if matches(&met.0, q)? {
                begin = Some(i);
                break;
            }
        }
        if let Some(begin) = begin {
            *from = begin + 1;
            return Ok(Some((begin, end)));
        }
        *from += 1;
    }
    Ok(None)
}
/// (PostgreSQL: `calc_rank_cd`)
fn rank_cd(weights: &[f32; 4], v: &TsVector, q: &TsQuery, method: i32) -> Result<f32> {
    let Some(root) = &q.0 else { return Ok(0.0) };
    let doc = document(v, root);
    if doc.is_empty() {
        return Ok(0.0);
    }
    let (mut res, mut count, mut closeness, mut last, mut from) = (0.0f64, 0u32, 0.0f64, 0.0f64, 0);
    while let Some((begin, end)) = cover(&doc, q, &mut from)? {
        let inverse = |p: &Place<'_>| 1.0 / f64::from(weights[usize::from(p.position.weight & 3)]);
        let inverses: f64 = doc[begin..=end].iter().map(inverse).sum();
        let width = (end - begin) as i32;
        let (p, q) = (i32::from(doc[begin].position.at), i32::from(doc[end].position.at));
        // In big documents positions stop growing; then half the words are taken for noise.
        let noise = if q - p < width { width / 2 } else { q - p - width };
        res += f64::from(width + 1) / inverses / f64::from(1 + noise);
        let centre = f64::from(p + q) / 2.0;
        if count > 0 && centre > last {
            closeness += 1.0 / (centre - last);
        }
        last = centre;
        count += 1;
    }
    if method & LOG_LENGTH != 0 {
        res /= ((length(v) + 1) as f64).ln();
    }
    if method & LENGTH != 0 {
        res /= length(v) as f64;
    }
    if method & EXTENT_DISTANCE != 0 && count > 0 && closeness > 0.0 {
        res /= f64::from(count) / closeness;
    }
    if method & UNIQUE != 0 {
        res /= v.0.len() as f64;
    }
    if method & LOG_UNIQUE != 0 {
        res /= ((v.0.len() + 1) as f64).ln() / 2f64.ln();
    }
    if method & OVER_ONE_MORE != 0 {
        res /= res + 1.0;
    }
    Ok(res as f32)
}

#[builtin("ts_rank_wttf")]
fn ts_rank_wttf(w: &[u8], v: TsVector, q: TsQuery, method: i32) -> Result<f32> {
    Ok(rank(&weights(w)?, &v, &q, method))
}
#[builtin("ts_rank_wtt")]
fn ts_rank_wtt(w: &[u8], v: TsVector, q: TsQuery) -> Result<f32> {
    Ok(rank(&weights(w)?, &v, &q, 0))
}
#[builtin("ts_rank_ttf")]
fn ts_rank_ttf(v: TsVector, q: TsQuery, method: i32) -> f32 {
    rank(&WEIGHTS, &v, &q, method)
}
#[builtin("ts_rank_tt")]
fn ts_rank_tt(v: TsVector, q: TsQuery) -> f32 {
    rank(&WEIGHTS, &v, &q, 0)
}
#[builtin("ts_rankcd_wttf")]
fn ts_rankcd_wttf(w: &[u8], v: TsVector, q: TsQuery, method: i32) -> Result<f32> {
    rank_cd(&weights(w)?, &v, &q, method)
}
#[builtin("ts_rankcd_wtt")]
fn ts_rankcd_wtt(w: &[u8], v: TsVector, q: TsQuery) -> Result<f32> {
    rank_cd(&weights(w)?, &v, &q, 0)
}
#[builtin("ts_rankcd_ttf")]
fn ts_rankcd_ttf(v: TsVector, q: TsQuery, method: i32) -> Result<f32> {
    rank_cd(&WEIGHTS, &v, &q, method)
}
#[builtin("ts_rankcd_tt")]
fn ts_rankcd_tt(v: TsVector, q: TsQuery) -> Result<f32> {
    rank_cd(&WEIGHTS, &v, &q, 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_postgresql() {
        let cases: &[(&str, &str, &str, f32)] = &[
            ("ts_rank", "a:1 s:2C d g", "a | s", 0.0911891),
            ("ts_rank", "a:1 sa:2C d g", "a | s", 0.0303964),
            ("ts_rank", "a:1 sa:2C d g", "a | s:*", 0.0911891),
            ("ts_rank", "a:1 sa:2C d g", "a | sa:*", 0.0911891),
            ("ts_rank", "a:1 s:2B d g", "a | s", 0.151982),
            ("ts_rank", "a:1 s:2 d g", "a | s", 0.0607927),
            ("ts_rank", "a:1 s:2C d g", "a & s", 0.140153),
            ("ts_rank", "a:1 s:2B d g", "a & s", 0.198206),
            ("ts_rank", "a:1 s:2 d g", "a & s", 0.0991032),
            ("ts_rank_cd", "a:1 s:2C d g", "a | s", 0.3),
            ("ts_rank_cd", "a:1 sa:2C d g", "a | s", 0.1),
            ("ts_rank_cd", "a:1 sa:2C d g", "a | s:*", 0.3),
            ("ts_rank_cd", "a:1 sa:2C d g", "a | sa:*", 0.3),
            ("ts_rank_cd", "a:1 sa:3C sab:2c d g", "a | sa:*", 0.5),
            ("ts_rank_cd", "a:1 s:2B d g", "a | s", 0.5),
            ("ts_rank_cd", "a:1 s:2 d g", "a | s", 0.2),
            ("ts_rank_cd", "a:1 s:2C d g", "a & s", 0.133333),
            ("ts_rank_cd", "a:1 s:2B d g", "a & s", 0.16),
            ("ts_rank_cd", "a:1 s:2 d g", "a & s", 0.1),
            ("ts_rank_cd", "a:1 s:2A d g", "a <-> s", 0.181818),
            ("ts_rank_cd", "a:1 s:2C d g", "a <-> s", 0.133333),
            ("ts_rank_cd", "a:1 s:2 d g", "a <-> s", 0.1),
            ("ts_rank_cd", "a:1 s:2 d:2A g", "a <-> s", 0.1),
            ("ts_rank_cd", "a:1 s:2,3A d:2A g", "a <2> s:A", 0.0909091),
            ("ts_rank_cd", "a:1 b:2 s:3A d:2A g", "a <2> s:A", 0.0909091),
            ("ts_rank_cd", "a:1 sa:2D sb:2A g", "a <-> s:*", 0.1),
            ("ts_rank_cd", "a:1 sa:2A sb:2D g", "a <-> s:*", 0.1),
            ("ts_rank_cd", "a:1 sa:2A sb:2D g", "a <-> s:* <-> sa:A", 0.0),
            ("ts_rank_cd", "a:1 sa:2A sb:2D g", "a <-> s:* <-> sa:B", 0.0),
        ];
        for (name, v, q, want) in cases {
            let v = super::super::vector::read(v).unwrap();
            let q = super::super::query::read(q).unwrap();
            let got = if *name == "ts_rank" { ts_rank_tt(v, q) } else { ts_rankcd_tt(v, q).unwrap() };
            assert!((got - want).abs() < 1e-6, "{name} {want}: {got}");
        }
    }
}
