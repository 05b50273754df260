//! `text`, `varchar`, `bpchar`, `name`, `cstring`, `unknown`: input, output, comparison, length coercion, casts.

use std::cmp::Ordering;

use base::sqlstate::STRING_DATA_RIGHT_TRUNCATION;
use base::{NAMEDATALEN, Oid, Result};
use types::{Builtin, builtin};

use crate::err::{error, invalid_parameter};
use crate::hash::{hash_bytes, hash_bytes_extended};

#[builtin("textin", "unknownin", "cstring_in")]
fn textin(s: &str) -> &str {
    s
}
#[builtin("textout", "varcharout", "bpcharout", "nameout", "unknownout", "cstring_out", write)]
fn textout(s: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(s);
}
/// Received bytes must be text in the server's encoding.
fn received(b: &[u8]) -> Result<&str> {
    let bad = |at: usize| {
        let bytes: Vec<String> = b[at..].iter().take(4).map(|c| format!("0x{c:02x}")).collect();
        let text = format!("invalid byte sequence for encoding \"UTF8\": {}", bytes.join(" "));
        error(base::sqlstate::CHARACTER_NOT_IN_REPERTOIRE, text)
    };
    if b.contains(&0) {
        let text = "invalid byte sequence for encoding \"UTF8\": 0x00";
        return Err(error(base::sqlstate::CHARACTER_NOT_IN_REPERTOIRE, text));
    }
    std::str::from_utf8(b).map_err(|e| bad(e.valid_up_to()))
}
#[builtin("textrecv", "unknownrecv", "cstring_recv")]
fn textrecv(b: &[u8]) -> Result<&str> {
    received(b)
}
#[builtin("textsend", "varcharsend", "bpcharsend", "namesend", "unknownsend", "cstring_send")]
fn textsend(s: &[u8]) -> &[u8] {
    s
}

/// The byte offset of character `n`, or the length if there are fewer.
pub fn char_offset(s: &str, n: usize) -> usize {
    if s.is_ascii() { n.min(s.len()) } else { s.char_indices().nth(n).map_or(s.len(), |(i, _)| i) }
}
pub fn char_count(s: &str) -> usize {
    s.bytes().filter(|&b| b & 0xC0 != 0x80).count()
}

fn fit_varchar(s: &str, typmod: i32, truncate: bool) -> Result<&str> {
    let max = typmod - 4;
    if typmod < 4 || s.len() <= max as usize {
        return Ok(s);
    }
    let at = char_offset(s, max as usize);
    if !truncate && s[at..].bytes().any(|c| c != b' ') {
        let text = format!("value too long for type character varying({max})");
        return Err(error(STRING_DATA_RIGHT_TRUNCATION, text));
    }
    Ok(&s[..at])
}
fn fit_bpchar(s: &str, typmod: i32, truncate: bool) -> Result<String> {
    let mut out = s.to_owned();
    if typmod < 4 {
        return Ok(out);
    }
    let max = (typmod - 4) as usize;
    let count = char_count(s);
    if count > max {
        let at = char_offset(s, max);
        if !truncate && s[at..].bytes().any(|c| c != b' ') {
            return Err(error(STRING_DATA_RIGHT_TRUNCATION, format!("value too long for type character({max})")));
        }
        out.truncate(at);
    } else {
        out.extend(std::iter::repeat_n(' ', max - count));
    }
    Ok(out)
}
#[builtin("varcharin")]
fn varcharin(s: &str, _elem: Oid, typmod: i32) -> Result<&str> {
    fit_varchar(s, typmod, false)
}
#[builtin("varcharrecv")]
fn varcharrecv(b: &[u8], _elem: Oid, typmod: i32) -> Result<&str> {
    fit_varchar(received(b)?, typmod, false)
}
#[builtin("varchar")]
fn varchar(s: &str, typmod: i32, explicit: bool) -> Result<&str> {
    fit_varchar(s, typmod, explicit)
}
#[builtin("bpcharin")]
fn bpcharin(s: &str, _elem: Oid, typmod: i32) -> Result<String> {
    fit_bpchar(s, typmod, false)
}
#[builtin("bpcharrecv")]
fn bpcharrecv(b: &[u8], _elem: Oid, typmod: i32) -> Result<String> {
    fit_bpchar(received(b)?, typmod, false)
}
#[builtin("bpchar")]
fn bpchar(s: &str, typmod: i32, explicit: bool) -> Result<String> {
    fit_bpchar(s, typmod, explicit)
}

fn typmod_in(array: &[u8], name: &str) -> Result<i32> {
    let list = crate::arrays::cstrings(array)?;
    let [one] = &list[..] else { return Err(invalid_parameter("invalid type modifier")) };
    let n = crate::int::parse_int(one, "integer", i32::MIN.into(), i32::MAX.into())?;
    if n < 1 {
        return Err(invalid_parameter(format!("length for type {name} must be at least 1")));
    }
    if n > 10_485_760 {
        return Err(invalid_parameter(format!("length for type {name} cannot exceed 10485760")));
    }
    Ok(n as i32 + 4)
}
#[builtin("varchartypmodin")]
fn varchartypmodin(a: &[u8]) -> Result<i32> {
    typmod_in(a, "varchar")
}
#[builtin("bpchartypmodin")]
fn bpchartypmodin(a: &[u8]) -> Result<i32> {
    typmod_in(a, "char")
}
#[builtin("varchartypmodout", "bpchartypmodout")]
fn chartypmodout(typmod: i32) -> String {
    if typmod > 4 { format!("({})", typmod - 4) } else { String::new() }
}

/// A name is cut at 63 bytes, at a character's border.
pub fn cut_name(s: &str) -> &str {
    let mut end = s.len().min(NAMEDATALEN - 1);
    while !s.is_char_boundary(end) {
        end -= 1;
    }
    &s[..end]
}
#[builtin("namein", "text_name")]
fn namein(s: &str) -> &str {
    cut_name(s)
}
#[builtin("bpchar_name")]
fn bpchar_name(s: &str) -> &str {
    cut_name(s.trim_end_matches(' '))
}
#[builtin("namerecv")]
fn namerecv(b: &[u8]) -> Result<&str> {
    let s = received(b)?;
    if s.len() >= NAMEDATALEN {
        return Err(error(base::sqlstate::NAME_TOO_LONG, "identifier too long")
            .detail("Identifier must be less than 64 characters."));
    }
    Ok(s)
}
#[builtin("name_text", "name_bpchar")]
fn name_text(s: &str) -> &str {
    s
}
#[builtin("nameconcatoid")]
fn nameconcatoid(name: &str, id: Oid) -> String {
    let suffix = format!("_{id}");
    let mut end = name.len().min(NAMEDATALEN - 1 - suffix.len());
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}{suffix}", &name[..end])
}

/// Without trailing blanks: the value of a `bpchar`.
pub fn trim_blanks(b: &[u8]) -> &[u8] {
    &b[..b.iter().rposition(|&c| c != b' ').map_or(0, |i| i + 1)]
}
/// (PostgreSQL: `bpcharcmp`)
pub fn compare_bpchar(a: &[u8], b: &[u8]) -> Ordering {
    trim_blanks(a).cmp(trim_blanks(b))
}
fn order(a: &[u8], b: &[u8]) -> Ordering {
    a.cmp(b)
}

/// Equality, quick where lengths differ.
fn equal(a: &[u8], b: &[u8]) -> Ordering {
    if a == b { Ordering::Equal } else { Ordering::Less }
}
pub static TEXT_EQUAL: &[Builtin] = &[
    bytes_test!("texteq", equal, Ordering::is_eq),
    bytes_test!("textne", equal, Ordering::is_ne),
    bytes_test!("nameeq", equal, Ordering::is_eq),
    bytes_test!("namene", equal, Ordering::is_ne),
    bytes_test!("nameeqtext", equal, Ordering::is_eq),
    bytes_test!("namenetext", equal, Ordering::is_ne),
    bytes_test!("texteqname", equal, Ordering::is_eq),
    bytes_test!("textnename", equal, Ordering::is_ne),
    bytes_test!("bpchareq", compare_bpchar, Ordering::is_eq),
    bytes_test!("bpcharne", compare_bpchar, Ordering::is_ne),
    bytes_test!("text_pattern_lt", order, Ordering::is_lt),
    bytes_test!("text_pattern_le", order, Ordering::is_le),
    bytes_test!("text_pattern_ge", order, Ordering::is_ge),
    bytes_test!("text_pattern_gt", order, Ordering::is_gt),
    bytes_test!("bpchar_pattern_lt", compare_bpchar, Ordering::is_lt),
    bytes_test!("bpchar_pattern_le", compare_bpchar, Ordering::is_le),
    bytes_test!("bpchar_pattern_ge", compare_bpchar, Ordering::is_ge),
    bytes_test!("bpchar_pattern_gt", compare_bpchar, Ordering::is_gt),
];
pub static TEXT_ORDER: &[Builtin] = &order_text!(order, ["text_lt", "text_le", "text_gt", "text_ge", "bttextcmp"]);
pub static NAME_ORDER: &[Builtin] = &order_text!(order, ["namelt", "namele", "namegt", "namege", "btnamecmp"]);
pub static NAMETEXT_ORDER: &[Builtin] =
    &order_text!(order, ["namelttext", "nameletext", "namegttext", "namegetext", "btnametextcmp"]);
pub static TEXTNAME_ORDER: &[Builtin] =
    &order_text!(order, ["textltname", "textlename", "textgtname", "textgename", "bttextnamecmp"]);
pub static BPCHAR_ORDER: &[Builtin] =
    &order_text!(compare_bpchar, ["bpcharlt", "bpcharle", "bpchargt", "bpcharge", "bpcharcmp"]);

#[builtin("bttext_pattern_cmp")]
fn bttext_pattern_cmp(a: &[u8], b: &[u8]) -> i32 {
    a.cmp(b) as i32
}
#[builtin("btbpchar_pattern_cmp")]
fn btbpchar_pattern_cmp(a: &[u8], b: &[u8]) -> i32 {
    compare_bpchar(a, b) as i32
}
#[builtin("text_larger", "bytea_larger")]
fn text_larger<'a>(a: &'a [u8], b: &'a [u8]) -> &'a [u8] {
    if a > b { a } else { b }
}
#[builtin("text_smaller", "bytea_smaller")]
fn text_smaller<'a>(a: &'a [u8], b: &'a [u8]) -> &'a [u8] {
    if a < b { a } else { b }
}
#[builtin("bpchar_larger")]
fn bpchar_larger<'a>(a: &'a [u8], b: &'a [u8]) -> &'a [u8] {
    if compare_bpchar(a, b).is_ge() { a } else { b }
}
#[builtin("bpchar_smaller")]
fn bpchar_smaller<'a>(a: &'a [u8], b: &'a [u8]) -> &'a [u8] {
    if compare_bpchar(a, b).is_le() { a } else { b }
}
#[builtin("hashtext", "hashname", "hashbytea", "hashvarlena")]
fn hashtext(s: &[u8]) -> i32 {
    hash_bytes(s)
}
#[builtin("hashtextextended", "hashnameextended", "hashbyteaextended", "hashvarlenaextended")]
fn hashtextextended(s: &[u8], seed: i64) -> i64 {
    hash_bytes_extended(s, seed)
}
#[builtin("hashbpchar")]
fn hashbpchar(s: &[u8]) -> i32 {
    hash_bytes(trim_blanks(s))
}
#[builtin("hashbpcharextended")]
fn hashbpcharextended(s: &[u8], seed: i64) -> i64 {
    hash_bytes_extended(trim_blanks(s), seed)
}

// Pseudo-types.

#[builtin("void_in")]
fn void_in(_s: &str) {}
#[builtin("void_out", write)]
fn void_out(_v: types::DatumRef<'_>, _out: &mut Vec<u8>) {}
#[builtin("void_send")]
fn void_send(_v: types::DatumRef<'_>) -> Vec<u8> {
    Vec::new()
}
#[builtin("void_recv")]
fn void_recv(_b: &[u8]) {}
