//! `bool` and `"char"`.

use base::sqlstate::NUMERIC_VALUE_OUT_OF_RANGE;
use base::{PgError, Result};
use types::{Builtin, builtin};

use crate::err::invalid_input;
use crate::hash::{hash_u32, hash_u32_extended};
use crate::wire::whole;

/// A truth value as SQL writes it: unique prefixes count, case and outer blanks do not. (PostgreSQL: `parse_bool`)
pub fn parse_bool(s: &str) -> Option<bool> {
    let s = s.trim_matches(crate::int::is_space).to_ascii_lowercase();
    let prefix = |word: &str, least: usize| s.len() >= least && word.starts_with(&*s);
    if prefix("true", 1) || prefix("yes", 1) || prefix("on", 2) || s == "1" {
        Some(true)
    } else if prefix("false", 1) || prefix("no", 1) || prefix("off", 2) || s == "0" {
        Some(false)
    } else {
        None
    }
}

#[builtin("boolin")]
fn boolin(s: &str) -> Result<bool> {
    parse_bool(s).ok_or_else(|| invalid_input("boolean", s))
}
#[builtin("boolout", write)]
fn boolout(v: bool, out: &mut Vec<u8>) {
    out.push(if v { b't' } else { b'f' });
}
#[builtin("boolrecv")]
fn boolrecv(b: &[u8]) -> Result<bool> {
    whole(b, |r| Ok(r.u8()? != 0))
}
#[builtin("boolsend")]
fn boolsend(v: bool) -> Vec<u8> {
    vec![u8::from(v)]
}
#[builtin("booltext")]
fn booltext(v: bool) -> &'static str {
    if v { "true" } else { "false" }
}

pub static BOOL_COMPARE: &[Builtin] =
    &compare_words!(bool, bool, u8::from, ["booleq", "boolne", "boollt", "boolle", "boolgt", "boolge", "btboolcmp"]);
pub static BOOL_MORE: &[Builtin] = &[
    b2!("booland_statefunc", |a: bool, b: bool| -> bool { Ok(a && b) }),
    b2!("boolor_statefunc", |a: bool, b: bool| -> bool { Ok(a || b) }),
    b1!("int4_bool", |a: i32| -> bool { Ok(a != 0) }),
    b1!("bool_int4", |a: bool| -> i32 { Ok(i32::from(a)) }),
    b1!("hashbool", |a: bool| -> i32 { Ok(hash_u32(u32::from(a))) }),
    b2!("hashboolextended", |a: bool, s: i64| -> i64 { Ok(hash_u32_extended(u32::from(a), s)) }),
];

/// A backslash and three octal digits, or the first byte. (PostgreSQL: `charin`)
pub fn parse_char(s: &[u8]) -> u8 {
    match s {
        [b'\\', a @ b'0'..=b'3', b @ b'0'..=b'7', c @ b'0'..=b'7'] => (a - b'0') << 6 | (b - b'0') << 3 | (c - b'0'),
        [b'\\', a @ b'4'..=b'7', b @ b'0'..=b'7', c @ b'0'..=b'7'] => {
            (u32::from(a - b'0') << 6) as u8 | (b - b'0') << 3 | (c - b'0')
        }
        _ => s.first().copied().unwrap_or(0),
    }
}
fn write_char(c: u8, out: &mut Vec<u8>) {
    match c {
        0 => {}
        0x80.. => out.extend_from_slice(&[b'\\', b'0' + (c >> 6), b'0' + (c >> 3 & 7), b'0' + (c & 7)]),
        _ => out.push(c),
    }
}

#[builtin("charin", "text_char")]
fn charin(s: &[u8]) -> u8 {
    parse_char(s)
}
#[builtin("charout", write)]
fn charout(c: u8, out: &mut Vec<u8>) {
    write_char(c, out);
}
#[builtin("charrecv")]
fn charrecv(b: &[u8]) -> Result<u8> {
    whole(b, |r| r.u8())
}
#[builtin("charsend")]
fn charsend(c: u8) -> Vec<u8> {
    vec![c]
}
#[builtin("char_text", "char_bpchar")]
fn char_text(c: u8) -> Vec<u8> {
    let mut out = Vec::new();
    write_char(c, &mut out);
    out
}

pub static CHAR_COMPARE: &[Builtin] =
    &compare_words!(u8, u8, |c: u8| c, ["chareq", "charne", "charlt", "charle", "chargt", "charge", "btcharcmp"]);
pub static CHAR_MORE: &[Builtin] = &[
    b1!("chartoi4", |c: u8| -> i32 { Ok(i32::from(c as i8)) }),
    b1!("i4tochar", |v: i32| -> u8 {
        i8::try_from(v).map(|v| v as u8).map_err(|_| PgError::new(NUMERIC_VALUE_OUT_OF_RANGE, "\"char\" out of range"))
    }),
    b1!("hashchar", |c: u8| -> i32 { Ok(hash_u32(i32::from(c as i8) as u32)) }),
    b2!("hashcharextended", |c: u8, s: i64| -> i64 { Ok(hash_u32_extended(i32::from(c as i8) as u32, s)) }),
];
