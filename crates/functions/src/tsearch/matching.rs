//! `tsvector @@ tsquery`. (PostgreSQL: `TS_execute`, `TS_phrase_execute`)
//!
//! A phrase is decided by positions: each part gives the places where it ends and how wide it is, or the places where it
//! does not match (negated). Lexemes without positions make a phrase undecidable, which counts as no match.

use base::Result;
use base::sqlstate::STATEMENT_TOO_COMPLEX;
use types::builtin;

use super::query::{Node, Op, TsQuery, Word};
use super::vector::{Entry, TsVector};
use crate::err::error;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Truth {
    No,
    Yes,
    Maybe,
}
/// Where a part of a phrase matches.
#[derive(Default)]
struct Places {
    list: Vec<u32>,
    /// They are the places where it does not match.
    negated: bool,
    width: u32,
}

fn entries<'a>(v: &'a TsVector, w: &'a Word) -> impl Iterator<Item = &'a Entry> {
    let first = v.0.partition_point(|e| super::compare(&e.word, &w.text).is_lt());
    v.0[first..].iter().take_while(move |e| if w.prefix { e.word.starts_with(&w.text) } else { e.word == w.text })
}
fn counts(w: &Word, weight: u8) -> bool {
    w.weights == 0 || w.weights >> weight & 1 == 1
}
fn word(v: &TsVector, w: &Word) -> Truth {
    // Without positions there are no weights to object to.
    let found = entries(v, w).any(|e| e.positions.is_empty() || e.positions.iter().any(|p| counts(w, p.weight)));
    if found { Truth::Yes } else { Truth::No }
}
fn word_places(v: &TsVector, w: &Word, out: &mut Places) -> Truth {
    let mut list = Vec::new();
    for e in entries(v, w) {
        if e.positions.is_empty() {
            return Truth::Maybe;
        }
        list.extend(e.positions.iter().filter(|p| counts(w, p.weight)).map(|p| u32::from(p.at)));
    }
    list.sort_unstable();
    list.dedup();
    let truth = if list.is_empty() { Truth::No } else { Truth::Yes };
    out.list = list;
    truth
}
fn deep(depth: u32) -> Result<()> {
    if depth > 1000 { Err(error(STATEMENT_TOO_COMPLEX, "stack depth limit exceeded")) } else { Ok(()) }
}
fn execute(v: &TsVector, n: &Node, depth: u32) -> Result<Truth> {
    deep(depth)?;
    let Node::Op { op, children, .. } = n else {
        let Node::Word(w) = n else { return Ok(Truth::No) };
        return Ok(word(v, w));
    };
    let child = |i: usize| children.get(i).map_or(Ok(Truth::No), |c| execute(v, c, depth + 1));
    Ok(match op {
        Op::Not => match child(0)? {
            Truth::No => Truth::Yes,
            Truth::Yes => Truth::No,
            Truth::Maybe => Truth::Maybe,
        },
        Op::And => match child(1)? {
            Truth::No => Truth::No,
            left => match child(0)? {
                Truth::Yes => left,
                right => right,
            },
        },
        Op::Or => match child(1)? {
            Truth::Yes => Truth::Yes,
            left => match child(0)? {
                Truth::No => left,
                right => right,
            },
        },
        Op::Phrase => match phrase(v, n, &mut Places::default(), depth + 1)? {
            Truth::Yes => Truth::Yes,
            _ => Truth::No,
        },
    })
}
/// Joins two lists of places, shifted; which of them count depends on the side.
fn merge(l: &Places, r: &Places, (both, left_only, right_only): (bool, bool, bool), shift: (u32, u32)) -> Vec<u32> {
    let (mut i, mut j) = (0, 0);
    let mut out = Vec::new();
    loop {
        let x = l.list.get(i).map(|p| p + shift.0);
        let y = r.list.get(j).map(|p| p + shift.1);
        let (place, wanted) = match (x, y) {
            (None, None) => return out,
            (Some(x), None) => {
                i += 1;
                (x, left_only)
            }
            (None, Some(y)) => {
                j += 1;
                (y, right_only)
            }
            (Some(x), Some(y)) if x < y => {
                i += 1;
                (x, left_only)
            }
            (Some(x), Some(y)) if x > y => {
                j += 1;
                (y, right_only)
            }
            (Some(x), Some(_)) => {
                i += 1;
                j += 1;
                (x, both)
            }
        };
        if wanted && place > 0 {
            out.push(place);
        }
    }
}
fn phrase(v: &TsVector, n: &Node, out: &mut Places, depth: u32) -> Result<Truth> {
    deep(depth)?;
    let Node::Op { op, distance, children } = n else {
        let Node::Word(w) = n else { return Ok(Truth::No) };
        return Ok(word_places(v, w, out));
    };
    if *op == Op::Not {
        return Ok(match phrase(v, &children[0], out, depth + 1)? {
            Truth::No => {
                out.negated = true;
                Truth::Yes
            }
            Truth::Yes if !out.list.is_empty() => {
                out.negated = !out.negated;
                Truth::Yes
            }
            Truth::Yes => {
                out.negated = false;
                Truth::No
            }
            Truth::Maybe => Truth::Maybe,
        });
    }
    let [right, left] = &children[..] else { return Ok(Truth::No) };
    let (mut l, mut r) = (Places::default(), Places::default());
    let lt = phrase(v, left, &mut l, depth + 1)?;
    if lt == Truth::No && *op != Op::Or {
        return Ok(Truth::No);
    }
    let rt = phrase(v, right, &mut r, depth + 1)?;
    if rt == Truth::No && (*op != Op::Or || lt == Truth::No) {
        return Ok(Truth::No);
    }
    if lt == Truth::Maybe || rt == Truth::Maybe {
        return Ok(Truth::Maybe);
    }
    if *op == Op::Or {
        l.width = if lt == Truth::No { 0 } else { l.width };
        r.width = if rt == Truth::No { 0 } else { r.width };
    }
    let shift = if *op == Op::Phrase {
        out.width = u32::from(*distance) + l.width + r.width;
        (u32::from(*distance) + r.width, 0)
    } else {
        out.width = l.width.max(r.width);
        (out.width - l.width, out.width - r.width)
    };
    // What is wanted of each side, and whether the outcome is a list of non-matches.
    let (wanted, negated) = match (*op == Op::Or, l.negated, r.negated) {
        (false, true, true) => ((true, true, true), true),
        (false, true, false) => ((false, false, true), false),
        (false, false, true) => ((false, true, false), false),
        (false, false, false) => ((true, false, false), false),
        (true, true, true) => ((true, false, false), true),
        (true, true, false) => ((false, true, false), true),
        (true, false, true) => ((false, false, true), true),
        (true, false, false) => ((true, true, true), false),
    };
    out.list = merge(&l, &r, wanted, shift);
    out.negated = negated;
    Ok(if negated || !out.list.is_empty() { Truth::Yes } else { Truth::No })
}
pub fn matches(v: &TsVector, q: &TsQuery) -> Result<bool> {
    match &q.0 {
        Some(root) if !v.0.is_empty() => Ok(execute(v, root, 0)? != Truth::No),
        _ => Ok(false),
    }
}
#[builtin("ts_match_vq")]
fn ts_match_vq(v: TsVector, q: TsQuery) -> Result<bool> {
    matches(&v, &q)
}
#[builtin("ts_match_qv")]
fn ts_match_qv(q: TsQuery, v: TsVector) -> Result<bool> {
    matches(&v, &q)
}
