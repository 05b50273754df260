//! LIKE and ILIKE over text, names and bytea. (PostgreSQL: `like_match.c`)

use base::sqlstate::{INVALID_ESCAPE_CHARACTER, INVALID_ESCAPE_SEQUENCE};
use base::{PgError, Result};
use types::{Builtin, Datum, builtin};

use crate::err::error;
use crate::strings::lower_char;

#[cold]
fn ends_with_escape() -> PgError {
    error(INVALID_ESCAPE_SEQUENCE, "LIKE pattern must not end with escape character")
}

fn char_len(b: &[u8], utf8: bool) -> usize {
    match b[0] {
        _ if !utf8 => 1,
        0..=0xBF => 1,
        0xC0..=0xDF => 2,
        0xE0..=0xEF => 3,
        _ => 4,
    }
    .min(b.len())
}

/// Whether `s` matches; at a mismatch it goes back to the last `%` only, which is enough.
pub fn matches(s: &[u8], pattern: &[u8], utf8: bool) -> Result<bool> {
    let (mut s, mut p) = (s, pattern);
    let mut back: Option<(&[u8], &[u8])> = None;
    loop {
        let matched = match p {
            [] => s.is_empty(),
            [b'%', rest @ ..] => {
                if rest.is_empty() {
                    return Ok(true);
                }
                p = rest;
                back = Some((s, rest));
                continue;
            }
            [b'_', rest @ ..] if !s.is_empty() => {
                s = &s[char_len(s, utf8)..];
                p = rest;
                continue;
            }
            [b'_', ..] => false,
            [b'\\'] => return Err(ends_with_escape()),
            [b'\\', c, rest @ ..] | [c, rest @ ..] => {
                if s.first() == Some(c) {
                    s = &s[1..];
                    p = rest;
                    continue;
                }
                false
            }
        };
        if matched {
            return Ok(true);
        }
        // A pattern's dangling escape is an error also where nothing reaches it.
        match back {
            Some((from, rest)) if !from.is_empty() => {
                let from = &from[char_len(from, utf8)..];
                back = Some((from, rest));
                (s, p) = (from, rest);
            }
            _ => return Ok(false),
        }
    }
}

fn lowered(b: &[u8]) -> Vec<u8> {
    match std::str::from_utf8(b) {
        Ok(s) if !s.is_ascii() => s.chars().map(lower_char).collect::<String>().into_bytes(),
        _ => b.to_ascii_lowercase(),
    }
}

/// A pattern without `_` and escapes: the strings between its `%`s.
struct Pieces<'p> {
    first: &'p [u8],
    middle: Vec<memchr::memmem::Finder<'p>>,
    /// `None`: the pattern has no `%`.
    last: Option<&'p [u8]>,
}

impl<'p> Pieces<'p> {
    fn of(pattern: &'p [u8]) -> Option<Pieces<'p>> {
        if memchr::memchr2(b'_', b'\\', pattern).is_some() {
            return None;
        }
        let mut parts = pattern.split(|c| *c == b'%');
        let first = parts.next().unwrap_or_default();
        let last = parts.next_back();
        let middle = parts.filter(|p| !p.is_empty()).map(memchr::memmem::Finder::new).collect();
        Some(Pieces { first, middle, last })
    }
    fn matches(&self, s: &[u8]) -> bool {
        let Some(last) = self.last else { return s == self.first };
        let Some(mut rest) = s.strip_prefix(self.first).and_then(|s| s.strip_suffix(last)) else { return false };
        self.middle.iter().all(|f| match f.find(rest) {
            Some(at) => {
                rest = &rest[at + f.needle().len()..];
                true
            }
            None => false,
        })
    }
}

/// LIKE over a batch with one pattern.
fn like_batch(
    cx: &mut types::FnCx<'_>,
    args: &[types::Arg<'_>],
    rows: types::Rows<'_>,
    out: &mut types::Column,
    utf8: bool,
    positive: bool,
) -> Result<()> {
    if let [_, types::Arg::Const(types::DatumRef::Bytes(p))] = args
        && let Some(pieces) = Pieces::of(p)
    {
        return crate::bytes::test_batch(cx, args, rows, out, |s, _| pieces.matches(s) == positive);
    }
    let failed = std::cell::RefCell::new(None);
    crate::bytes::test_batch(cx, args, rows, out, |s, p| match matches(s, p, utf8) {
        Ok(m) => m == positive,
        Err(e) => {
            failed.borrow_mut().get_or_insert(e);
            false
        }
    })?;
    failed.into_inner().map_or(Ok(()), Err)
}

macro_rules! like {
    ($name:literal, $utf8:literal, $positive:literal) => {
        Builtin {
            batch: Some(|cx, args, rows, out| like_batch(cx, args, rows, out, $utf8, $positive)),
            ..like!($name, same, $utf8, $positive)
        }
    };
    ($name:literal, $fold:expr, $utf8:literal, $positive:literal) => {
        Builtin {
            names: &[$name],
            body: types::Body::Row(|cx, args| {
                crate::bytes::test_row(cx, args, |a, b| {
                    Ok(Datum::bool(matches(&$fold(a), &$fold(b), $utf8)? == $positive))
                })
            }),
            batch: None,
            write: None,
        }
    };
}
fn same(b: &[u8]) -> &[u8] {
    b
}
pub static LIKE: &[Builtin] = &[
    like!("textlike", true, true),
    like!("textnlike", true, false),
    like!("namelike", true, true),
    like!("namenlike", true, false),
    like!("bytealike", false, true),
    like!("byteanlike", false, false),
    like!("texticlike", lowered, true, true),
    like!("texticnlike", lowered, true, false),
    like!("nameiclike", lowered, true, true),
    like!("nameicnlike", lowered, true, false),
];

#[builtin("like_escape_bytea")]
fn like_escape_bytea(pattern: &[u8], escape: &[u8]) -> Result<Vec<u8>> {
    // Bytes as characters: what is special is ASCII.
    let text = |b: &[u8]| b.iter().map(|b| char::from(*b)).collect::<String>();
    let out = like_escape(&text(pattern), &text(escape))?;
    Ok(out.chars().map(|c| u32::from(c) as u8).collect())
}

/// Rewrites a pattern with another escape character into one with backslashes. (PostgreSQL: `like_escape`)
#[builtin("like_escape")]
fn like_escape(pattern: &str, escape: &str) -> Result<String> {
    let mut chars = escape.chars();
    let e = match (chars.next(), chars.next()) {
        (None, _) => return Ok(pattern.replace('\\', "\\\\")),
        (Some(e), None) => e,
        _ => {
            let text = "invalid escape string";
            return Err(error(INVALID_ESCAPE_SEQUENCE, text).hint("Escape string must be empty or one character."));
        }
    };
    if e == '\\' {
        return Ok(pattern.to_owned());
    }
    let (mut out, mut after) = (String::new(), false);
    for c in pattern.chars() {
        if c == e && !after {
            out.push('\\');
            after = true;
        } else if c == '\\' {
            out.push('\\');
            if !after {
                out.push('\\');
            }
            after = false;
        } else {
            out.push(c);
            after = false;
        }
    }
    Ok(out)
}

/// SQL's regular expressions as ARE. (PostgreSQL: `similar_escape_internal`)
fn similar(pattern: &str, escape: Option<&str>) -> Result<String> {
    let bad = || {
        error(INVALID_ESCAPE_SEQUENCE, "invalid escape string").hint("Escape string must be empty or one character.")
    };
    let e = match escape {
        None => Some('\\'),
        Some(s) => {
            let mut chars = s.chars();
            let first = chars.next();
            if chars.next().is_some() {
                return Err(bad());
            }
            first
        }
    };
    let (mut out, mut after, mut quotes) = (String::from("^(?:"), false, 0);
    // How deep inside a bracket expression, whose classes have brackets too; right after its opening.
    let (mut depth, mut start) = (0, false);
    for c in pattern.chars() {
        if after {
            if c == '"' && depth == 0 {
                match quotes {
                    0 => out.push_str("){1,1}?("),
                    1 => out.push_str("){1,1}(?:"),
                    _ => {
                        let text =
                            "SQL regular expression may not contain more than two escape-double-quote separators";
                        return Err(error(INVALID_ESCAPE_CHARACTER, text));
                    }
                }
                quotes += 1;
            } else {
                out.push('\\');
                out.push(c);
            }
            after = false;
            start = false;
        } else if Some(c) == e {
            after = true;
        } else if depth > 0 {
            if c == '\\' {
                out.push('\\');
            }
            out.push(c);
            match c {
                '[' => depth += 1,
                ']' if !start => depth -= 1,
                _ => {}
            }
            start = start && c == '^' && out.ends_with("[^");
        } else {
            match c {
                '[' => {
                    out.push('[');
                    (depth, start) = (1, true);
                }
                '%' => out.push_str(".*"),
                '_' => out.push('.'),
                '(' => out.push_str("(?:"),
                '\\' | '.' | '^' | '$' => {
                    out.push('\\');
                    out.push(c);
                }
                c => out.push(c),
            }
        }
    }
    out.push_str(")$");
    Ok(out)
}
#[builtin("similar_to_escape_1")]
fn similar_to_escape_1(pattern: &str) -> Result<String> {
    similar(pattern, None)
}
#[builtin("similar_to_escape_2")]
fn similar_to_escape_2(pattern: &str, escape: &str) -> Result<String> {
    similar(pattern, Some(escape))
}
#[builtin("similar_escape")]
fn similar_escape(pattern: Option<&str>, escape: Option<&str>) -> Result<Option<String>> {
    pattern.map(|p| similar(p, escape)).transpose()
}

#[cfg(test)]
mod piece_tests {
    use super::*;

    #[test]
    fn pieces_match_as_the_general_way_does() {
        for p in ["", "%", "abc", "a%", "%c", "a%c", "%b%", "a%b%c", "%ab%ab%", "%%a%%", "ab%b"] {
            let pieces = Pieces::of(p.as_bytes()).unwrap();
            for s in ["", "a", "abc", "ac", "aabbcc", "abab", "ababab", "b", "ab", "abb", "abcabc"] {
                assert_eq!(pieces.matches(s.as_bytes()), matches(s.as_bytes(), p.as_bytes(), true).unwrap(), "{s} {p}");
            }
        }
        assert!(Pieces::of(b"a_").is_none() && Pieces::of(b"a\\%").is_none());
    }
}
