//! Functions on character strings: length, substring, position, trim, pad, replace, case, and the like.

use base::sqlstate::*;
use base::{PgError, Result};
use types::{DatumRef, FnCx, builtin};

use crate::err::{error, invalid_parameter, too_large};
use crate::text::{char_count, char_offset};

/// The largest value. (PostgreSQL: `MaxAllocSize`)
const MAX_SIZE: usize = 0x3fff_ffff;

#[builtin("textlen")]
fn textlen(s: &str) -> i32 {
    char_count(s) as i32
}
#[builtin("bpcharlen")]
fn bpcharlen(s: &str) -> i32 {
    char_count(s.trim_end_matches(' ')) as i32
}
#[builtin("textoctetlen", "byteaoctetlen", "bpcharoctetlen")]
fn octetlen(s: &[u8]) -> i32 {
    s.len() as i32
}
#[builtin("textcat")]
fn textcat(a: &[u8], b: &[u8]) -> Vec<u8> {
    [a, b].concat()
}

/// The characters that a substring covers: start (from 0) and end. (PostgreSQL: `text_substring`)
pub fn substring_range(start: i32, length: Option<i32>) -> Result<(usize, usize)> {
    let first = i64::from(start) - 1;
    let end = match length {
        None => i64::MAX,
        Some(n) if n < 0 => return Err(error(SUBSTRING_ERROR, "negative substring length not allowed")),
        Some(n) => first + i64::from(n),
    };
    Ok((first.max(0) as usize, end.max(0) as usize))
}
fn substr(s: &str, start: i32, length: Option<i32>) -> Result<&str> {
    let (first, end) = substring_range(start, length)?;
    if end <= first {
        return Ok("");
    }
    let from = char_offset(s, first);
    let rest = &s[from..];
    Ok(&rest[..char_offset(rest, end - first)])
}
#[builtin("text_substr")]
fn text_substr(s: &str, start: i32, length: i32) -> Result<&str> {
    substr(s, start, Some(length))
}
#[builtin("text_substr_no_len")]
fn text_substr_no_len(s: &str, start: i32) -> Result<&str> {
    substr(s, start, None)
}
fn overlay(s: &str, new: &str, start: i32, length: i32) -> Result<String> {
    if start <= 0 {
        return Err(error(SUBSTRING_ERROR, "negative substring length not allowed"));
    }
    let after = start.checked_add(length).ok_or_else(|| crate::err::out_of_range("integer"))?;
    Ok([substr(s, 1, Some(start - 1))?, new, substr(s, after, None)?].concat())
}
#[builtin("textoverlay")]
fn textoverlay(s: &str, new: &str, start: i32, length: i32) -> Result<String> {
    overlay(s, new, start, length)
}
#[builtin("textoverlay_no_len")]
fn textoverlay_no_len(s: &str, new: &str, start: i32) -> Result<String> {
    overlay(s, new, start, char_count(new) as i32)
}
#[builtin("textpos")]
fn textpos(s: &str, what: &str) -> i32 {
    s.find(what).map_or(0, |at| char_count(&s[..at]) as i32 + 1)
}
#[builtin("text_starts_with")]
fn text_starts_with(s: &[u8], prefix: &[u8]) -> bool {
    s.starts_with(prefix)
}
#[builtin("text_left")]
fn text_left(s: &str, n: i32) -> &str {
    let count = if n < 0 { (char_count(s) as i64 + i64::from(n)).max(0) } else { n.into() };
    &s[..char_offset(s, count as usize)]
}
#[builtin("text_right")]
fn text_right(s: &str, n: i32) -> &str {
    let skip = if n < 0 { -i64::from(n) } else { (char_count(s) as i64 - i64::from(n)).max(0) };
    &s[char_offset(s, skip as usize)..]
}
#[builtin("text_reverse")]
fn text_reverse(s: &str) -> String {
    s.chars().rev().collect()
}
#[builtin("repeat")]
fn repeat(s: &str, n: i32) -> Result<String> {
    let n = n.max(0) as usize;
    if s.len().saturating_mul(n) > MAX_SIZE - 4 {
        return Err(too_large());
    }
    Ok(s.repeat(n))
}
#[builtin("replace_text")]
fn replace_text(s: &str, from: &str, to: &str) -> String {
    if from.is_empty() { s.to_owned() } else { s.replace(from, to) }
}
#[builtin("translate")]
fn translate(s: &str, from: &str, to: &str) -> String {
    let (from, to): (Vec<char>, Vec<char>) = (from.chars().collect(), to.chars().collect());
    let map = |c: char| match from.iter().position(|&f| f == c) {
        None => Some(c),
        Some(i) => to.get(i).copied(),
    };
    s.chars().filter_map(map).collect()
}
#[builtin("split_part")]
fn split_part(s: &str, sep: &str, n: i32) -> Result<String> {
    if n == 0 {
        return Err(invalid_parameter("field position must not be zero"));
    }
    if s.is_empty() {
        return Ok(String::new());
    }
    if sep.is_empty() {
        return Ok(if n == 1 || n == -1 { s.to_owned() } else { String::new() });
    }
    let part = if n > 0 {
        s.split(sep).nth(n as usize - 1)
    } else {
        // Counted from the end, but split from the start.
        let parts: Vec<&str> = s.split(sep).collect();
        let skip = n.unsigned_abs() as usize;
        if skip > parts.len() { None } else { parts.get(parts.len() - skip).copied() }
    };
    Ok(part.unwrap_or_default().to_owned())
}

#[builtin("btrim")]
fn btrim<'a>(s: &'a str, set: &str) -> &'a str {
    s.trim_matches(|c| set.contains(c))
}
#[builtin("btrim1")]
fn btrim1(s: &str) -> &str {
    s.trim_matches(' ')
}
#[builtin("ltrim")]
fn ltrim<'a>(s: &'a str, set: &str) -> &'a str {
    s.trim_start_matches(|c| set.contains(c))
}
#[builtin("ltrim1")]
fn ltrim1(s: &str) -> &str {
    s.trim_start_matches(' ')
}
#[builtin("rtrim")]
fn rtrim<'a>(s: &'a str, set: &str) -> &'a str {
    s.trim_end_matches(|c| set.contains(c))
}
#[builtin("rtrim1")]
fn rtrim1(s: &str) -> &str {
    s.trim_end_matches(' ')
}

fn pad(s: &str, length: i32, fill: &str) -> Result<(usize, String)> {
    let want = length.max(0) as usize;
    let count = char_count(s).min(want);
    if want.saturating_mul(if fill.is_ascii() && s.is_ascii() { 1 } else { 4 }) > MAX_SIZE - 4 {
        return Err(too_large());
    }
    let end = char_offset(s, want);
    Ok((end, fill.chars().cycle().take(if fill.is_empty() { 0 } else { want - count }).collect()))
}
#[builtin("lpad")]
fn lpad(s: &str, length: i32, fill: &str) -> Result<String> {
    let (end, fill) = pad(s, length, fill)?;
    Ok(fill + &s[..end])
}
#[builtin("rpad")]
fn rpad(s: &str, length: i32, fill: &str) -> Result<String> {
    let (end, fill) = pad(s, length, fill)?;
    Ok(s[..end].to_owned() + &fill)
}

#[builtin("ascii")]
fn ascii(s: &str) -> i32 {
    s.chars().next().map_or(0, |c| c as i32)
}
#[builtin("chr")]
fn chr(n: i32) -> Result<String> {
    if n < 0 {
        return Err(invalid_parameter("character number must be positive"));
    }
    if n == 0 {
        return Err(error(PROGRAM_LIMIT_EXCEEDED, "null character not permitted"));
    }
    if n > 0x10ffff {
        let text = format!("requested character too large for encoding: {n}");
        return Err(error(PROGRAM_LIMIT_EXCEEDED, text));
    }
    let bad = || error(PROGRAM_LIMIT_EXCEEDED, format!("requested character not valid for encoding: {n}"));
    char::from_u32(n as u32).map(String::from).ok_or_else(bad)
}

/// One character to one character, as the C library maps them.
pub fn upper_char(c: char) -> char {
    let mut up = c.to_uppercase();
    match (up.next(), up.next()) {
        (Some(u), None) => u,
        _ => c,
    }
}
pub fn lower_char(c: char) -> char {
    let mut low = c.to_lowercase();
    match (low.next(), low.next()) {
        (Some(l), None) => l,
        _ => c,
    }
}
/// Under collation C only ASCII letters have case.
fn ascii_only(cx: &FnCx<'_>) -> bool {
    matches!(cx.call.collation.0, 950 | 951)
}
#[builtin("lower")]
fn lower(cx: &mut FnCx<'_>, s: &str) -> String {
    if ascii_only(cx) || s.is_ascii() { s.to_ascii_lowercase() } else { s.chars().map(lower_char).collect() }
}
#[builtin("upper")]
fn upper(cx: &mut FnCx<'_>, s: &str) -> String {
    if ascii_only(cx) || s.is_ascii() { s.to_ascii_uppercase() } else { s.chars().map(upper_char).collect() }
}
#[builtin("initcap")]
fn initcap(cx: &mut FnCx<'_>, s: &str) -> String {
    let plain = ascii_only(cx);
    let mut inside = false;
    s.chars()
        .map(|c| {
            let cased = !plain || c.is_ascii();
            let r = match (cased, inside) {
                (false, _) => c,
                (true, true) => lower_char(c),
                (true, false) => upper_char(c),
            };
            inside = if plain { c.is_ascii_alphanumeric() } else { c.is_alphanumeric() };
            r
        })
        .collect()
}

#[builtin("md5_text", "md5_bytea")]
fn md5_text(s: &[u8]) -> String {
    use md5::Digest;
    crate::encode::to_hex(&md5::Md5::digest(s))
}
#[builtin("sha224_bytea")]
fn sha224(s: &[u8]) -> Vec<u8> {
    use sha2::Digest;
    sha2::Sha224::digest(s).to_vec()
}
#[builtin("sha256_bytea")]
fn sha256(s: &[u8]) -> Vec<u8> {
    use sha2::Digest;
    sha2::Sha256::digest(s).to_vec()
}
#[builtin("sha384_bytea")]
fn sha384(s: &[u8]) -> Vec<u8> {
    use sha2::Digest;
    sha2::Sha384::digest(s).to_vec()
}
#[builtin("sha512_bytea")]
fn sha512(s: &[u8]) -> Vec<u8> {
    use sha2::Digest;
    sha2::Sha512::digest(s).to_vec()
}

/// `\XXXX`, `\+XXXXXX`, `\uXXXX`, `\UXXXXXXXX` resolved. (PostgreSQL: `unistr`)
#[builtin("unistr")]
fn unistr(s: &str) -> Result<String> {
    let bad = |text: &str| PgError::new(SYNTAX_ERROR, text);
    let (mut out, mut rest, mut high) = (String::new(), s, None::<u32>);
    while let Some(c) = rest.chars().next() {
        if c != '\\' || rest.starts_with("\\\\") {
            if high.is_some() {
                return Err(bad("invalid Unicode surrogate pair"));
            }
            out.push(c);
            rest = &rest[if c == '\\' { 2 } else { c.len_utf8() }..];
            continue;
        }
        let tail = &rest[1..];
        let (skip, n) = match tail.chars().next() {
            Some('+') => (1, 6),
            Some('u') => (1, 4),
            Some('U') => (1, 8),
            _ => (0, 4),
        };
        let code = tail.get(skip..skip + n).filter(|h| h.bytes().all(|c| c.is_ascii_hexdigit()));
        let Some(code) = code.and_then(|h| u32::from_str_radix(h, 16).ok()) else {
            return Err(bad("invalid Unicode escape")
                .hint("Unicode escapes must be \\XXXX, \\+XXXXXX, \\uXXXX, or \\UXXXXXXXX."));
        };
        rest = &tail[skip + n..];
        let code = match (high.take(), code) {
            (Some(h), 0xDC00..=0xDFFF) => 0x10000 + ((h - 0xD800) << 10) + (code - 0xDC00),
            (None, 0xD800..=0xDBFF) => {
                high = Some(code);
                continue;
            }
            (Some(_), _) | (None, 0xDC00..=0xDFFF) => return Err(bad("invalid Unicode surrogate pair")),
            (None, c) => c,
        };
        match char::from_u32(code) {
            Some(c) if code != 0 => out.push(c),
            _ => return Err(invalid_parameter(format!("invalid Unicode code point: {code:04X}"))),
        }
    }
    if high.is_some() { Err(bad("invalid Unicode surrogate pair")) } else { Ok(out) }
}

#[builtin("text_concat", raw)]
fn text_concat(cx: &mut FnCx<'_>, args: &[DatumRef<'_>]) -> Result<types::Datum> {
    concat(cx, args, None)
}
#[builtin("text_concat_ws", raw)]
fn text_concat_ws(cx: &mut FnCx<'_>, args: &[DatumRef<'_>]) -> Result<types::Datum> {
    types::with_plain(cx, args, |cx, args| match args.first() {
        Some(DatumRef::Bytes(sep)) => concat(cx, args, Some(sep)),
        _ => Ok(types::Datum::Null),
    })
}
fn concat(cx: &mut FnCx<'_>, args: &[DatumRef<'_>], sep: Option<&[u8]>) -> Result<types::Datum> {
    let skip = usize::from(sep.is_some());
    let Some(values) = crate::generic::variadic(cx, args, skip)? else { return Ok(types::Datum::Null) };
    let (mut out, mut first) = (Vec::new(), true);
    for (type_oid, value) in values {
        if value.is_null() {
            continue;
        }
        if !first {
            out.extend_from_slice(sep.unwrap_or_default());
        }
        first = false;
        crate::generic::write_value(cx.rt, type_oid, value.as_ref(), &mut out)?;
    }
    Ok(types::Datum::bytes(out))
}

fn format_error(text: &str) -> PgError {
    invalid_parameter(text)
}

/// `format(template, ...)`: `%[position$][flags][width]type`. (PostgreSQL: `text_format`)
#[builtin("text_format", "text_format_nv", raw)]
fn text_format(cx: &mut FnCx<'_>, args: &[DatumRef<'_>]) -> Result<types::Datum> {
    types::with_plain(cx, args, |cx, args| {
        let Some(DatumRef::Bytes(template)) = args.first().copied() else { return Ok(types::Datum::Null) };
        let template = <&str as types::FromDatum>::from_datum(DatumRef::Bytes(template))?;
        let values = crate::generic::variadic(cx, args, 1)?.unwrap_or_default();
        format(cx, template, &values).map(|s| types::Datum::text(&s))
    })
}

fn format(cx: &mut FnCx<'_>, template: &str, values: &[(base::Oid, types::Datum)]) -> Result<String> {
    let unterminated = || format_error("unterminated format() type specifier").hint("For a single \"%\" use \"%%\".");
    let few = || format_error("too few arguments for format()");
    let (mut out, mut next, mut rest) = (String::new(), 1usize, template);
    while let Some(at) = rest.find('%') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        if let Some(r) = rest.strip_prefix('%') {
            out.push('%');
            rest = r;
            continue;
        }
        if rest.is_empty() {
            return Err(unterminated());
        }
        let number = |s: &mut &str| -> Result<Option<i64>> {
            let n = s.bytes().take_while(u8::is_ascii_digit).count();
            if n == 0 {
                return Ok(None);
            }
            let (digits, tail) = s.split_at(n);
            *s = tail;
            if tail.is_empty() {
                return Err(unterminated());
            }
            let v: Option<i32> = digits.parse().ok();
            v.map(|v| Some(v.into())).ok_or_else(|| error(NUMERIC_VALUE_OUT_OF_RANGE, "number is out of range"))
        };
        let position = |n: i64| match n {
            0 => Err(format_error("format specifies argument 0, but arguments are numbered from 1")),
            n => Ok(n as usize),
        };
        let (mut which, mut width, mut left, mut width_from) = (None, 0i64, false, None);
        let mut width_given = false;
        if let Some(n) = number(&mut rest)? {
            match rest.strip_prefix('$') {
                Some(r) => {
                    which = Some(position(n)?);
                    rest = r;
                    if rest.is_empty() {
                        return Err(unterminated());
                    }
                }
                None => (width, width_given) = (n, true),
            }
        }
        if !width_given {
            while let Some(r) = rest.strip_prefix('-') {
                left = true;
                rest = r;
                if rest.is_empty() {
                    return Err(unterminated());
                }
            }
            if let Some(r) = rest.strip_prefix('*') {
                rest = r;
                if rest.is_empty() {
                    return Err(unterminated());
                }
                width_from = Some(0);
                if let Some(n) = number(&mut rest)? {
                    rest = rest
                        .strip_prefix('$')
                        .ok_or_else(|| format_error("width argument position must be ended by \"$\""))?;
                    if rest.is_empty() {
                        return Err(unterminated());
                    }
                    width_from = Some(position(n)?);
                }
            } else if let Some(n) = number(&mut rest)? {
                width = n;
            }
        }
        if let Some(from) = width_from {
            let index = if from == 0 {
                next += 1;
                next - 1
            } else {
                from
            };
            let (t, v) = values.get(index - 1).ok_or_else(few)?;
            width = if v.is_null() {
                0
            } else {
                let text = crate::generic::text_of(cx.rt, *t, v.as_ref())?;
                crate::int::parse_int(&text, "integer", i32::MIN.into(), i32::MAX.into())?
            };
            if width < 0 {
                left = true;
                width = -width;
            }
        }
        let Some(kind) = rest.chars().next() else { return Err(unterminated()) };
        if !matches!(kind, 's' | 'I' | 'L') {
            let text = format!("unrecognized format() type specifier \"{kind}\"");
            return Err(format_error(&text).hint("For a single \"%\" use \"%%\"."));
        }
        rest = &rest[1..];
        let index = match which {
            Some(n) => {
                next = n + 1;
                n
            }
            None => {
                next += 1;
                next - 1
            }
        };
        let (t, v) = values.get(index - 1).ok_or_else(few)?;
        let text = match (kind, v.is_null()) {
            ('s', true) => String::new(),
            ('L', true) => "NULL".to_owned(),
            ('I', true) => {
                let text = "null values cannot be formatted as an SQL identifier";
                return Err(error(NULL_VALUE_NOT_ALLOWED, text));
            }
            ('s', false) => crate::generic::text_of(cx.rt, *t, v.as_ref())?,
            ('L', false) => crate::quote::literal(&crate::generic::text_of(cx.rt, *t, v.as_ref())?),
            _ => {
                let all = cx.settings().quote_all_identifiers;
                crate::quote::identifier(&crate::generic::text_of(cx.rt, *t, v.as_ref())?, all)
            }
        };
        let fill: String = std::iter::repeat_n(' ', (width as usize).saturating_sub(char_count(&text))).collect();
        match left {
            true => out.extend([text, fill]),
            false => out.extend([fill, text]),
        }
    }
    out.push_str(rest);
    Ok(out)
}
