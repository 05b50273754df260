//! `bytea` and its text forms: hex, escape, base64; functions on byte strings and checksums.

use base::Result;
use base::sqlstate::*;
use types::settings::ByteaOutput;
use types::{Builtin, FnCx, builtin};

use crate::err::{error, invalid_parameter};
use crate::strings::substring_range;

pub fn to_hex(b: &[u8]) -> String {
    let digit = |n: u8| char::from(b"0123456789abcdef"[usize::from(n)]);
    b.iter().flat_map(|&c| [digit(c >> 4), digit(c & 15)]).collect()
}
/// (PostgreSQL: `hex_decode`)
fn from_hex(s: &str) -> Result<Vec<u8>> {
    let digit = |c: char| {
        let bad = || invalid_parameter(format!("invalid hexadecimal digit: \"{c}\""));
        c.to_digit(16).map(|d| d as u8).ok_or_else(bad)
    };
    let mut chars = s.chars().filter(|c| !matches!(c, ' ' | '\n' | '\t' | '\r'));
    let mut out = Vec::with_capacity(s.len() / 2);
    while let Some(c) = chars.next() {
        let high = digit(c)?;
        let low = chars.next().ok_or_else(|| invalid_parameter("invalid hexadecimal data: odd number of digits"))?;
        out.push(high << 4 | digit(low)?);
    }
    Ok(out)
}
fn from_escape(s: &[u8], bad: impl Fn() -> base::PgError) -> Result<Vec<u8>> {
    let (mut out, mut rest) = (Vec::with_capacity(s.len()), s);
    loop {
        match rest {
            [] => return Ok(out),
            [b'\\', b'\\', r @ ..] => {
                out.push(b'\\');
                rest = r;
            }
            [b'\\', a @ b'0'..=b'3', b @ b'0'..=b'7', c @ b'0'..=b'7', r @ ..] => {
                out.push((a - b'0') << 6 | (b - b'0') << 3 | (c - b'0'));
                rest = r;
            }
            [b'\\', ..] => return Err(bad()),
            [c, r @ ..] => {
                out.push(*c);
                rest = r;
            }
        }
    }
}
fn write_escape(b: &[u8], printable_only: bool, out: &mut Vec<u8>) {
    for &c in b {
        match c {
            b'\\' => out.extend_from_slice(b"\\\\"),
            0x80.. => octal(c, out),
            0 => octal(c, out),
            0x01..=0x1f | 0x7f if printable_only => octal(c, out),
            c => out.push(c),
        }
    }
}
fn octal(c: u8, out: &mut Vec<u8>) {
    out.extend_from_slice(&[b'\\', b'0' + (c >> 6), b'0' + (c >> 3 & 7), b'0' + (c & 7)]);
}

#[builtin("byteain")]
fn byteain(s: &str) -> Result<Vec<u8>> {
    let syntax = || error(INVALID_TEXT_REPRESENTATION, "invalid input syntax for type bytea");
    match s.strip_prefix("\\x") {
        Some(hex) => from_hex(hex),
        None => from_escape(s.as_bytes(), syntax),
    }
}
#[builtin("byteaout", write)]
fn byteaout(cx: &mut FnCx<'_>, b: &[u8], out: &mut Vec<u8>) {
    match cx.settings().bytea_output {
        ByteaOutput::Hex => {
            out.extend_from_slice(b"\\x");
            out.extend_from_slice(to_hex(b).as_bytes());
        }
        ByteaOutput::Escape => write_escape(b, true, out),
    }
}
#[builtin("bytearecv", "byteasend")]
fn byteasend(b: &[u8]) -> &[u8] {
    b
}

const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

fn to_base64(b: &[u8]) -> String {
    let mut out = String::new();
    let mut column = 0;
    for chunk in b.chunks(3) {
        let at = |i: usize| u32::from(chunk.get(i).copied().unwrap_or(0));
        let word = at(0) << 16 | at(1) << 8 | at(2);
        for i in 0..4 {
            let c = if i <= chunk.len() { BASE64[(word >> (18 - 6 * i) & 63) as usize] } else { b'=' };
            out.push(c.into());
        }
        column += 4;
        // A line holds 76 characters.
        if column >= 76 {
            out.push('\n');
            column = 0;
        }
    }
    out
}
fn from_base64(s: &str) -> Result<Vec<u8>> {
    let (mut out, mut word, mut pos, mut end) = (Vec::new(), 0u32, 0, 0);
    for c in s.chars() {
        if matches!(c, ' ' | '\t' | '\n' | '\r') {
            continue;
        }
        let bits = if c == '=' {
            if end == 0 {
                end = match pos {
                    2 => 1,
                    3 => 2,
                    _ => return Err(invalid_parameter("unexpected \"=\" while decoding base64 sequence")),
                };
            }
            0
        } else {
            let bad = || invalid_parameter(format!("invalid symbol \"{c}\" found while decoding base64 sequence"));
            u8::try_from(c).ok().and_then(|c| BASE64.iter().position(|&b| b == c)).ok_or_else(bad)? as u32
        };
        word = word << 6 | bits;
        pos += 1;
        if pos == 4 {
            out.push((word >> 16) as u8);
            if end == 0 || end > 1 {
                out.push((word >> 8) as u8);
            }
            if end == 0 {
                out.push(word as u8);
            }
            (word, pos) = (0, 0);
        }
    }
    if pos != 0 {
        return Err(invalid_parameter("invalid base64 end sequence")
            .hint("Input data is missing padding, is truncated, or is otherwise corrupted."));
    }
    Ok(out)
}

fn unknown_encoding(name: &str) -> base::PgError {
    invalid_parameter(format!("unrecognized encoding: \"{name}\""))
}
#[builtin("binary_encode")]
fn binary_encode(b: &[u8], name: &str) -> Result<String> {
    match &*name.to_ascii_lowercase() {
        "hex" => Ok(to_hex(b)),
        "base64" => Ok(to_base64(b)),
        "escape" => {
            let mut out = Vec::new();
            write_escape(b, false, &mut out);
            Ok(String::from_utf8_lossy(&out).into_owned())
        }
        _ => Err(unknown_encoding(name)),
    }
}
#[builtin("binary_decode")]
fn binary_decode(s: &str, name: &str) -> Result<Vec<u8>> {
    match &*name.to_ascii_lowercase() {
        "hex" => from_hex(s),
        "base64" => from_base64(s),
        "escape" => {
            from_escape(s.as_bytes(), || error(INVALID_TEXT_REPRESENTATION, "invalid input syntax for type bytea"))
        }
        _ => Err(unknown_encoding(name)),
    }
}

fn order(a: &[u8], b: &[u8]) -> std::cmp::Ordering {
    a.cmp(b)
}
pub static BYTEA_COMPARE: &[Builtin] =
    &compare_bytes!(order, ["byteaeq", "byteane", "bytealt", "byteale", "byteagt", "byteage", "byteacmp"]);

#[builtin("byteacat")]
fn byteacat(a: &[u8], b: &[u8]) -> Vec<u8> {
    [a, b].concat()
}
fn substr(b: &[u8], start: i32, length: Option<i32>) -> Result<&[u8]> {
    let (first, end) = substring_range(start, length)?;
    Ok(b.get(first.min(b.len())..end.clamp(first.min(b.len()), b.len())).unwrap_or(&[]))
}
#[builtin("bytea_substr")]
fn bytea_substr(b: &[u8], start: i32, length: i32) -> Result<&[u8]> {
    substr(b, start, Some(length))
}
#[builtin("bytea_substr_no_len")]
fn bytea_substr_no_len(b: &[u8], start: i32) -> Result<&[u8]> {
    substr(b, start, None)
}
fn overlay(b: &[u8], new: &[u8], start: i32, length: i32) -> Result<Vec<u8>> {
    if start <= 0 {
        return Err(error(SUBSTRING_ERROR, "negative substring length not allowed"));
    }
    let after = start.checked_add(length).ok_or_else(|| crate::err::out_of_range("integer"))?;
    Ok([substr(b, 1, Some(start - 1))?, new, substr(b, after, None)?].concat())
}
#[builtin("byteaoverlay")]
fn byteaoverlay(b: &[u8], new: &[u8], start: i32, length: i32) -> Result<Vec<u8>> {
    overlay(b, new, start, length)
}
#[builtin("byteaoverlay_no_len")]
fn byteaoverlay_no_len(b: &[u8], new: &[u8], start: i32) -> Result<Vec<u8>> {
    overlay(b, new, start, new.len() as i32)
}
#[builtin("byteapos")]
fn byteapos(b: &[u8], what: &[u8]) -> i32 {
    memchr::memmem::find(b, what).map_or(0, |at| at as i32 + 1)
}
fn trim<'a>(mut b: &'a [u8], set: &[u8], left: bool, right: bool) -> &'a [u8] {
    while left && b.first().is_some_and(|c| set.contains(c)) {
        b = &b[1..];
    }
    while right && b.last().is_some_and(|c| set.contains(c)) {
        b = &b[..b.len() - 1];
    }
    b
}
#[builtin("byteatrim")]
fn byteatrim<'a>(b: &'a [u8], set: &[u8]) -> &'a [u8] {
    trim(b, set, true, true)
}
#[builtin("bytealtrim")]
fn bytealtrim<'a>(b: &'a [u8], set: &[u8]) -> &'a [u8] {
    trim(b, set, true, false)
}
#[builtin("byteartrim")]
fn byteartrim<'a>(b: &'a [u8], set: &[u8]) -> &'a [u8] {
    trim(b, set, false, true)
}
#[builtin("bytea_reverse")]
fn bytea_reverse(b: &[u8]) -> Vec<u8> {
    b.iter().rev().copied().collect()
}
#[builtin("bytea_bit_count")]
fn bytea_bit_count(b: &[u8]) -> i64 {
    b.iter().map(|c| i64::from(c.count_ones())).sum()
}
fn index(n: i64, len: i64) -> Result<usize> {
    let text = format!("index {n} out of valid range, 0..{}", len - 1);
    if (0..len).contains(&n) { Ok(n as usize) } else { Err(error(ARRAY_SUBSCRIPT_ERROR, text)) }
}
#[builtin("byteaGetByte")]
fn bytea_get_byte(b: &[u8], n: i32) -> Result<i32> {
    Ok(b[index(n.into(), b.len() as i64)?].into())
}
#[builtin("byteaSetByte")]
fn bytea_set_byte(b: &[u8], n: i32, v: i32) -> Result<Vec<u8>> {
    let i = index(n.into(), b.len() as i64)?;
    let mut b = b.to_vec();
    b[i] = v as u8;
    Ok(b)
}
#[builtin("byteaGetBit")]
fn bytea_get_bit(b: &[u8], n: i64) -> Result<i32> {
    let i = index(n, b.len() as i64 * 8)?;
    Ok((b[i / 8] >> (i % 8) & 1).into())
}
#[builtin("byteaSetBit")]
fn bytea_set_bit(b: &[u8], n: i64, v: i32) -> Result<Vec<u8>> {
    let i = index(n, b.len() as i64 * 8)?;
    if v != 0 && v != 1 {
        return Err(invalid_parameter("new bit must be 0 or 1"));
    }
    let mut b = b.to_vec();
    b[i / 8] = b[i / 8] & !(1 << (i % 8)) | (v as u8) << (i % 8);
    Ok(b)
}
/// Big-endian bytes to a number, if they fit. (PostgreSQL: `bytea_int4` and its kin)
fn to_int(b: &[u8], width: usize, name: &str) -> Result<i64> {
    if b.len() > width {
        return Err(crate::err::out_of_range(name));
    }
    Ok(b.iter().fold(0i64, |v, &c| v << 8 | i64::from(c)))
}
#[builtin("bytea_int2")]
fn bytea_int2(b: &[u8]) -> Result<i16> {
    to_int(b, 2, "smallint").map(|v| v as i16)
}
#[builtin("bytea_int4")]
fn bytea_int4(b: &[u8]) -> Result<i32> {
    to_int(b, 4, "integer").map(|v| v as i32)
}
#[builtin("bytea_int8")]
fn bytea_int8(b: &[u8]) -> Result<i64> {
    to_int(b, 8, "bigint")
}
#[builtin("crc32c_bytea")]
fn crc32c_bytea(b: &[u8]) -> i64 {
    crc32c::crc32c(b).into()
}
#[builtin("crc32_bytea")]
fn crc32_bytea(b: &[u8]) -> i64 {
    let mut crc = u32::MAX;
    for &c in b {
        crc ^= u32::from(c);
        for _ in 0..8 {
            crc = if crc & 1 == 1 { crc >> 1 ^ 0xEDB8_8320 } else { crc >> 1 };
        }
    }
    (!crc).into()
}

// Encodings: everything is UTF-8 inside.

fn is_utf8(name: &str) -> bool {
    matches!(&*name.to_ascii_lowercase().replace(['-', '_'], ""), "utf8" | "unicode")
}
fn is_latin1(name: &str) -> bool {
    matches!(&*name.to_ascii_lowercase().replace(['-', '_'], ""), "latin1" | "iso88591")
}
fn decode(b: &[u8], name: &str) -> Result<String> {
    if is_utf8(name) || name.eq_ignore_ascii_case("sql_ascii") {
        let bad = |at: usize| {
            let bytes: Vec<String> = b[at..].iter().take(1).map(|c| format!("0x{c:02x}")).collect();
            let text = format!("invalid byte sequence for encoding \"UTF8\": {}", bytes.join(" "));
            error(CHARACTER_NOT_IN_REPERTOIRE, text)
        };
        return std::str::from_utf8(b).map(str::to_owned).map_err(|e| bad(e.valid_up_to()));
    }
    if is_latin1(name) {
        return Ok(b.iter().map(|&c| char::from(c)).collect());
    }
    Err(base::PgError::unsupported(format!("encoding {name}")))
}
fn encode(s: &str, name: &str) -> Result<Vec<u8>> {
    if is_utf8(name) || name.eq_ignore_ascii_case("sql_ascii") {
        return Ok(s.as_bytes().to_vec());
    }
    if is_latin1(name) {
        let one = |c: char| {
            let bytes: Vec<String> = c.to_string().bytes().map(|b| format!("0x{b:02x}")).collect();
            let text = format!(
                "character with byte sequence {} in encoding \"UTF8\" has no equivalent in encoding \"LATIN1\"",
                bytes.join(" ")
            );
            u8::try_from(c).map_err(|_| error(UNTRANSLATABLE_CHARACTER, text))
        };
        return s.chars().map(one).collect();
    }
    Err(base::PgError::unsupported(format!("encoding {name}")))
}
#[builtin("pg_convert_from")]
fn pg_convert_from(b: &[u8], name: &str) -> Result<String> {
    decode(b, name)
}
#[builtin("pg_convert_to")]
fn pg_convert_to(s: &str, name: &str) -> Result<Vec<u8>> {
    encode(s, name)
}
#[builtin("pg_convert")]
fn pg_convert(b: &[u8], from: &str, to: &str) -> Result<Vec<u8>> {
    encode(&decode(b, from)?, to)
}
#[builtin("length_in_encoding")]
fn length_in_encoding(b: &[u8], name: &str) -> Result<i32> {
    Ok(decode(b, name)?.chars().count() as i32)
}
/// PostgreSQL's encodings by number.
const ENCODINGS: &[&str] = &[
    "SQL_ASCII",
    "EUC_JP",
    "EUC_CN",
    "EUC_KR",
    "EUC_TW",
    "EUC_JIS_2004",
    "UTF8",
    "MULE_INTERNAL",
    "LATIN1",
    "LATIN2",
    "LATIN3",
    "LATIN4",
    "LATIN5",
    "LATIN6",
    "LATIN7",
    "LATIN8",
    "LATIN9",
    "LATIN10",
    "WIN1256",
    "WIN1258",
    "WIN866",
    "WIN874",
    "KOI8R",
    "WIN1251",
    "WIN1252",
    "ISO_8859_5",
    "ISO_8859_6",
    "ISO_8859_7",
    "ISO_8859_8",
    "WIN1250",
    "WIN1253",
    "WIN1254",
    "WIN1255",
    "WIN1257",
    "KOI8U",
    "SJIS",
    "BIG5",
    "GBK",
    "UHC",
    "GB18030",
    "JOHAB",
    "SHIFT_JIS_2004",
];
#[builtin("PG_encoding_to_char")]
fn pg_encoding_to_char(n: i32) -> &'static str {
    usize::try_from(n).ok().and_then(|n| ENCODINGS.get(n)).copied().unwrap_or("")
}
#[builtin("PG_char_to_encoding")]
fn pg_char_to_encoding(name: &str) -> i32 {
    let plain = |s: &str| s.to_ascii_lowercase().replace(['-', '_'], "");
    let wanted = match plain(name) {
        n if n == "unicode" => "utf8".to_owned(),
        n => n,
    };
    ENCODINGS.iter().position(|e| plain(e) == wanted).map_or(-1, |i| i as i32)
}
#[builtin("getdatabaseencoding")]
fn getdatabaseencoding() -> &'static str {
    "UTF8"
}
#[builtin("pg_encoding_max_length_sql")]
fn pg_encoding_max_length(n: i32) -> Option<i32> {
    match n {
        6 | 7 | 39 => Some(4),
        1 | 5 => Some(3),
        2 | 3 | 40 => Some(if n == 40 { 3 } else { 2 }),
        4 => Some(4),
        35..=38 | 41 => Some(2),
        0..=41 => Some(1),
        _ => None,
    }
}
