//! Text search types: `tsvector` (lexemes with positions) and `tsquery` (a boolean expression over lexemes). `vector` and
//! `query` hold the types with their text and stored forms, `matching` decides `@@`,
//! `rank` orders documents, `rewrite` is `ts_rewrite`.
//!
//! PostgreSQL: `tsvector.c`, `tsquery.c`, `tsvector_op.c`, `tsquery_op.c`.

pub mod convert;
pub mod dict;
pub mod documents;
mod lexize;
pub mod matching;
pub mod parser;
pub mod query;
pub mod rank;
pub mod rewrite;
mod rules;
mod scan;
pub mod vector;

use std::cmp::Ordering;

/// What upper floors ask of text search.
pub const SEARCH: types::search::SearchFns = types::search::SearchFns { check_dictionary: dict::check };

/// Positions go up to this.
pub(crate) const MAX_POSITION: u16 = 16_383;
/// Longest lexeme and longest text of all lexemes.
pub(crate) const MAX_LEXEME: usize = 2047;
pub(crate) const MAX_TEXT: usize = 1_048_575;
pub(crate) const MAX_POSITIONS: usize = 256;

/// A lexeme's place and importance: 3 is A, 0 is D.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Position {
    pub at: u16,
    pub weight: u8,
}

/// (PostgreSQL: `tsCompareString`)
pub(crate) fn compare(a: &str, b: &str) -> Ordering {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    let n = a.len().min(b.len());
    a[..n].cmp(&b[..n]).then(a.len().cmp(&b.len()))
}
/// In quotes, which are doubled within, as are backslashes.
pub(crate) fn write_quoted(s: &str, out: &mut Vec<u8>) {
    out.push(b'\'');
    for b in s.bytes() {
        if matches!(b, b'\'' | b'\\') {
            out.push(b);
        }
        out.push(b);
    }
    out.push(b'\'');
}
pub(crate) fn weight_letter(w: u8) -> &'static str {
    ["D", "C", "B", "A"][usize::from(w & 3)]
}
