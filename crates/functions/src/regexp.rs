//! SQL's regular expression operators and functions over the engine in `regex`.

use std::sync::Arc;

use base::Result;
use base::sqlstate::INVALID_PARAMETER_VALUE;
use types::{Builtin, Datum, DatumRef, FnCx, FromDatum, RowList, RowSource, builtin, with_plain};

use crate::arrays::text_array;
use crate::err::{error, invalid_parameter};
use crate::regex::{Captures, Flags, Regex};

/// A call site keeps the last pattern it compiled.
struct Cached {
    pattern: String,
    flags: Flags,
    regex: Arc<Regex>,
}

fn compile(cx: &mut FnCx<'_>, pattern: &str, flags: Flags) -> Result<Arc<Regex>> {
    if let Some(c) = cx.state.as_ref().and_then(|s| s.downcast_ref::<Cached>())
        && c.pattern == pattern
        && c.flags == flags
    {
        return Ok(c.regex.clone());
    }
    let regex = Arc::new(Regex::new(pattern, flags)?);
    *cx.state = Some(Box::new(Cached { pattern: pattern.to_owned(), flags, regex: regex.clone() }));
    Ok(regex)
}

/// A pattern without special characters between `^(` and `)$`, or without anchors: compared without the engine.
fn plain(pattern: &str) -> Option<&str> {
    let inner = pattern.strip_prefix("^(")?.strip_suffix(")$")?;
    inner.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'_').then_some(inner)
}

fn operator(cx: &mut FnCx<'_>, args: &[DatumRef<'_>], icase: bool, positive: bool) -> Result<Datum> {
    with_plain(cx, args, |cx, args| {
        let [s @ DatumRef::Bytes(_), p @ DatumRef::Bytes(_), ..] = args else { return Ok(Datum::Null) };
        let (s, p) = (<&str>::from_datum(*s)?, <&str>::from_datum(*p)?);
        if !icase && let Some(word) = plain(p) {
            return Ok(Datum::bool((s == word) == positive));
        }
        let regex = compile(cx, p, Flags { icase, ..Flags::NONE })?;
        let chars: Vec<char> = s.chars().collect();
        Ok(Datum::bool(regex.is_match(&chars) == positive))
    })
}
macro_rules! op {
    ($name:literal, $icase:literal, $positive:literal) => {
        Builtin {
            names: &[$name],
            body: types::Body::Row(|cx, args| operator(cx, args, $icase, $positive)),
            batch: None,
            write: None,
        }
    };
}
pub static REGEX_OPERATORS: &[Builtin] = &[
    op!("textregexeq", false, true),
    op!("textregexne", false, false),
    op!("texticregexeq", true, true),
    op!("texticregexne", true, false),
    op!("nameregexeq", false, true),
    op!("nameregexne", false, false),
    op!("nameicregexeq", true, true),
    op!("nameicregexne", true, false),
];

fn slice(chars: &[char], span: Option<(usize, usize)>) -> Option<String> {
    span.map(|(a, b)| chars[a..b].iter().collect())
}
fn no_global(flags: Flags, function: &str, hint: Option<&str>) -> Result<()> {
    if !flags.global {
        return Ok(());
    }
    let e = error(INVALID_PARAMETER_VALUE, format!("{function} does not support the \"global\" option"));
    Err(match hint {
        Some(h) => e.hint(h),
        None => e,
    })
}
/// All matches, as PostgreSQL walks on after an empty one.
fn all(regex: &Regex, chars: &[char], from: usize, global: bool) -> Vec<Captures> {
    let (mut out, mut at) = (Vec::new(), from);
    while at <= chars.len() {
        let Some(c) = regex.find(chars, at) else { break };
        let (start, end) = c[0].unwrap_or((at, at));
        out.push(c);
        if !global {
            break;
        }
        at = if end == start { end + 1 } else { end };
    }
    out
}

#[builtin("textregexsubstr")]
fn textregexsubstr(cx: &mut FnCx<'_>, s: &str, p: &str) -> Result<Option<String>> {
    let regex = compile(cx, p, Flags::NONE)?;
    let chars: Vec<char> = s.chars().collect();
    let found = regex.find(&chars, 0);
    Ok(found.and_then(|c| slice(&chars, if regex.groups > 0 { c[1] } else { c[0] })))
}
fn groups_array(chars: &[char], c: &Captures) -> Result<Datum> {
    let from = usize::from(c.len() > 1);
    let texts: Vec<Option<String>> = c[from..].iter().map(|g| slice(chars, *g)).collect();
    text_array(texts.iter().map(|t| t.as_deref()))
}
fn do_match(cx: &mut FnCx<'_>, s: &str, p: &str, flags: Flags) -> Result<Datum> {
    no_global(flags, "regexp_match()", Some("Use the regexp_matches function instead."))?;
    let regex = compile(cx, p, flags)?;
    let chars: Vec<char> = s.chars().collect();
    regex.find(&chars, 0).map_or(Ok(Datum::Null), |c| groups_array(&chars, &c))
}
#[builtin("regexp_match_no_flags")]
fn regexp_match_no_flags(cx: &mut FnCx<'_>, s: &str, p: &str) -> Result<Datum> {
    do_match(cx, s, p, Flags::NONE)
}
#[builtin("regexp_match")]
fn regexp_match(cx: &mut FnCx<'_>, s: &str, p: &str, flags: &str) -> Result<Datum> {
    do_match(cx, s, p, Flags::parse(flags)?)
}
fn rows(list: Vec<Datum>) -> Box<dyn RowSource> {
    Box::new(RowList(list.into_iter().map(|d| vec![d]).collect::<Vec<_>>().into_iter()))
}
fn do_matches(cx: &mut FnCx<'_>, s: &str, p: &str, flags: Flags) -> Result<Box<dyn RowSource>> {
    let regex = compile(cx, p, flags)?;
    let chars: Vec<char> = s.chars().collect();
    let list = all(&regex, &chars, 0, flags.global);
    Ok(rows(list.iter().map(|c| groups_array(&chars, c)).collect::<Result<_>>()?))
}
#[builtin("regexp_matches_no_flags", set)]
fn regexp_matches_no_flags(cx: &mut FnCx<'_>, s: &str, p: &str) -> Result<Box<dyn RowSource>> {
    do_matches(cx, s, p, Flags::NONE)
}
#[builtin("regexp_matches", set)]
fn regexp_matches(cx: &mut FnCx<'_>, s: &str, p: &str, flags: &str) -> Result<Box<dyn RowSource>> {
    do_matches(cx, s, p, Flags::parse(flags)?)
}
fn split(cx: &mut FnCx<'_>, s: &str, p: &str, flags: Flags, function: &str) -> Result<Vec<String>> {
    no_global(flags, function, None)?;
    let regex = compile(cx, p, flags)?;
    let chars: Vec<char> = s.chars().collect();
    let (mut out, mut at) = (Vec::new(), 0);
    for c in all(&regex, &chars, 0, true) {
        let Some((start, end)) = c[0] else { continue };
        // Empty matches at the end or right after a match split nothing.
        if start == end && (start >= chars.len() || start <= at && start == 0 || end == at) {
            continue;
        }
        out.push(chars[at..start].iter().collect());
        at = end;
    }
    out.push(chars[at..].iter().collect());
    Ok(out)
}
#[builtin("regexp_split_to_array_no_flags")]
fn regexp_split_to_array_no_flags(cx: &mut FnCx<'_>, s: &str, p: &str) -> Result<Datum> {
    let parts = split(cx, s, p, Flags::NONE, "regexp_split_to_array()")?;
    text_array(parts.iter().map(|p| Some(p.as_str())))
}
#[builtin("regexp_split_to_array")]
fn regexp_split_to_array(cx: &mut FnCx<'_>, s: &str, p: &str, flags: &str) -> Result<Datum> {
    let parts = split(cx, s, p, Flags::parse(flags)?, "regexp_split_to_array()")?;
    text_array(parts.iter().map(|p| Some(p.as_str())))
}
#[builtin("regexp_split_to_table_no_flags", set)]
fn regexp_split_to_table_no_flags(cx: &mut FnCx<'_>, s: &str, p: &str) -> Result<Box<dyn RowSource>> {
    Ok(rows(split(cx, s, p, Flags::NONE, "regexp_split_to_table()")?.iter().map(|p| Datum::text(p)).collect()))
}
#[builtin("regexp_split_to_table", set)]
fn regexp_split_to_table(cx: &mut FnCx<'_>, s: &str, p: &str, flags: &str) -> Result<Box<dyn RowSource>> {
    let parts = split(cx, s, p, Flags::parse(flags)?, "regexp_split_to_table()")?;
    Ok(rows(parts.iter().map(|p| Datum::text(p)).collect()))
}

/// `n` is the match to replace, 0 for all.
fn replace(cx: &mut FnCx<'_>, s: &str, p: &str, with: &str, flags: Flags, start: usize, n: usize) -> Result<String> {
    let regex = compile(cx, p, flags)?;
    let chars: Vec<char> = s.chars().collect();
    let (mut out, mut at, mut search, mut count) = (String::new(), 0, start, 0);
    while search <= chars.len() {
        let Some(c) = regex.find(&chars, search) else { break };
        let (from, to) = c[0].unwrap_or((search, search));
        count += 1;
        if n == 0 || count == n {
            out.extend(&chars[at..from]);
            let mut rest = with.chars();
            while let Some(ch) = rest.next() {
                match ch {
                    '\\' => match rest.next() {
                        Some('&') => out.extend(&chars[from..to]),
                        Some(d @ '1'..='9') => {
                            let group = c.get(d as usize - '0' as usize).copied().flatten();
                            if let Some((a, b)) = group {
                                out.extend(&chars[a..b]);
                            }
                        }
                        Some('\\') | None => out.push('\\'),
                        Some(other) => out.extend(['\\', other]),
                    },
                    ch => out.push(ch),
                }
            }
            at = to;
            if count == n {
                break;
            }
        }
        search = if from == to { to + 1 } else { to };
    }
    out.extend(&chars[at..]);
    Ok(out)
}
#[builtin("textregexreplace_noopt")]
fn textregexreplace_noopt(cx: &mut FnCx<'_>, s: &str, p: &str, with: &str) -> Result<String> {
    replace(cx, s, p, with, Flags::NONE, 0, 1)
}
#[builtin("textregexreplace")]
fn textregexreplace(cx: &mut FnCx<'_>, s: &str, p: &str, with: &str, flags: &str) -> Result<String> {
    if let Some(c) = flags.chars().next().filter(char::is_ascii_digit) {
        return Err(invalid_parameter(format!("invalid regular expression option: \"{c}\""))
            .hint("If you meant to use regexp_replace() with a start parameter, cast the fourth argument to integer explicitly."));
    }
    let flags = Flags::parse(flags)?;
    replace(cx, s, p, with, flags, 0, usize::from(!flags.global))
}
fn positive(name: &str, v: i32, least: i32) -> Result<usize> {
    if v < least {
        return Err(invalid_parameter(format!("invalid value for parameter \"{name}\": {v}")));
    }
    Ok(v as usize)
}
#[builtin("textregexreplace_extended")]
fn replace_extended(
    cx: &mut FnCx<'_>,
    s: &str,
    p: &str,
    with: &str,
    start: i32,
    n: i32,
    flags: &str,
) -> Result<String> {
    let flags = Flags::parse(flags)?;
    // The option "g" is ignored here.
    replace(cx, s, p, with, Flags { global: false, ..flags }, positive("start", start, 1)? - 1, positive("n", n, 0)?)
}
#[builtin("textregexreplace_extended_no_flags")]
fn replace_no_flags(cx: &mut FnCx<'_>, s: &str, p: &str, with: &str, start: i32, n: i32) -> Result<String> {
    replace(cx, s, p, with, Flags::NONE, positive("start", start, 1)? - 1, positive("n", n, 0)?)
}
#[builtin("textregexreplace_extended_no_n")]
fn replace_no_n(cx: &mut FnCx<'_>, s: &str, p: &str, with: &str, start: i32) -> Result<String> {
    replace(cx, s, p, with, Flags::NONE, positive("start", start, 1)? - 1, 1)
}
#[builtin("regexp_like_no_flags")]
fn regexp_like_no_flags(cx: &mut FnCx<'_>, s: &str, p: &str) -> Result<bool> {
    let chars: Vec<char> = s.chars().collect();
    Ok(compile(cx, p, Flags::NONE)?.is_match(&chars))
}
#[builtin("regexp_like")]
fn regexp_like(cx: &mut FnCx<'_>, s: &str, p: &str, flags: &str) -> Result<bool> {
    let flags = Flags::parse(flags)?;
    no_global(flags, "regexp_like()", None)?;
    let chars: Vec<char> = s.chars().collect();
    Ok(compile(cx, p, flags)?.is_match(&chars))
}
fn count(cx: &mut FnCx<'_>, s: &str, p: &str, start: i32, flags: Flags) -> Result<i32> {
    let start = positive("start", start, 1)? - 1;
    no_global(flags, "regexp_count()", None)?;
    let chars: Vec<char> = s.chars().collect();
    let regex = compile(cx, p, flags)?;
    Ok(all(&regex, &chars, start, true).len() as i32)
}
#[builtin("regexp_count")]
fn regexp_count(cx: &mut FnCx<'_>, s: &str, p: &str, start: i32, flags: &str) -> Result<i32> {
    count(cx, s, p, start, Flags::parse(flags)?)
}
#[builtin("regexp_count_no_flags")]
fn regexp_count_no_flags(cx: &mut FnCx<'_>, s: &str, p: &str, start: i32) -> Result<i32> {
    count(cx, s, p, start, Flags::NONE)
}
#[builtin("regexp_count_no_start")]
fn regexp_count_no_start(cx: &mut FnCx<'_>, s: &str, p: &str) -> Result<i32> {
    count(cx, s, p, 1, Flags::NONE)
}
/// The `n`-th match's group `group`.
fn nth(
    cx: &mut FnCx<'_>,
    s: &str,
    p: &str,
    start: i32,
    n: i32,
    flags: Flags,
    group: i32,
    function: &str,
) -> Result<(Vec<char>, Option<(usize, usize)>)> {
    let (start, n) = (positive("start", start, 1)? - 1, positive("n", n, 1)?);
    let group = positive("subexpr", group, 0)?;
    no_global(flags, function, None)?;
    let chars: Vec<char> = s.chars().collect();
    let regex = compile(cx, p, flags)?;
    let span = all(&regex, &chars, start, true).get(n - 1).and_then(|c| c.get(group).copied().flatten());
    Ok((chars, span))
}
fn instr(cx: &mut FnCx<'_>, s: &str, p: &str, start: i32, n: i32, end: i32, flags: Flags, group: i32) -> Result<i32> {
    if end != 0 && end != 1 {
        return Err(invalid_parameter(format!("invalid value for parameter \"endoption\": {end}")));
    }
    let (_, span) = nth(cx, s, p, start, n, flags, group, "regexp_instr()")?;
    Ok(span.map_or(0, |(a, b)| (if end == 1 { b } else { a }) as i32 + 1))
}
#[builtin("regexp_instr")]
fn regexp_instr(
    cx: &mut FnCx<'_>,
    s: &str,
    p: &str,
    start: i32,
    n: i32,
    end: i32,
    flags: &str,
    group: i32,
) -> Result<i32> {
    instr(cx, s, p, start, n, end, Flags::parse(flags)?, group)
}
#[builtin("regexp_instr_no_subexpr")]
fn regexp_instr_no_subexpr(
    cx: &mut FnCx<'_>,
    s: &str,
    p: &str,
    start: i32,
    n: i32,
    end: i32,
    flags: &str,
) -> Result<i32> {
    instr(cx, s, p, start, n, end, Flags::parse(flags)?, 0)
}
#[builtin("regexp_instr_no_flags")]
fn regexp_instr_no_flags(cx: &mut FnCx<'_>, s: &str, p: &str, start: i32, n: i32, end: i32) -> Result<i32> {
    instr(cx, s, p, start, n, end, Flags::NONE, 0)
}
#[builtin("regexp_instr_no_endoption")]
fn regexp_instr_no_endoption(cx: &mut FnCx<'_>, s: &str, p: &str, start: i32, n: i32) -> Result<i32> {
    instr(cx, s, p, start, n, 0, Flags::NONE, 0)
}
#[builtin("regexp_instr_no_n")]
fn regexp_instr_no_n(cx: &mut FnCx<'_>, s: &str, p: &str, start: i32) -> Result<i32> {
    instr(cx, s, p, start, 1, 0, Flags::NONE, 0)
}
#[builtin("regexp_instr_no_start")]
fn regexp_instr_no_start(cx: &mut FnCx<'_>, s: &str, p: &str) -> Result<i32> {
    instr(cx, s, p, 1, 1, 0, Flags::NONE, 0)
}
fn sub(cx: &mut FnCx<'_>, s: &str, p: &str, start: i32, n: i32, flags: Flags, group: i32) -> Result<Option<String>> {
    let (chars, span) = nth(cx, s, p, start, n, flags, group, "regexp_substr()")?;
    Ok(slice(&chars, span))
}
#[builtin("regexp_substr")]
fn regexp_substr(
    cx: &mut FnCx<'_>,
    s: &str,
    p: &str,
    start: i32,
    n: i32,
    flags: &str,
    group: i32,
) -> Result<Option<String>> {
    sub(cx, s, p, start, n, Flags::parse(flags)?, group)
}
#[builtin("regexp_substr_no_subexpr")]
fn regexp_substr_no_subexpr(
    cx: &mut FnCx<'_>,
    s: &str,
    p: &str,
    start: i32,
    n: i32,
    flags: &str,
) -> Result<Option<String>> {
    sub(cx, s, p, start, n, Flags::parse(flags)?, 0)
}
#[builtin("regexp_substr_no_flags")]
fn regexp_substr_no_flags(cx: &mut FnCx<'_>, s: &str, p: &str, start: i32, n: i32) -> Result<Option<String>> {
    sub(cx, s, p, start, n, Flags::NONE, 0)
}
#[builtin("regexp_substr_no_n")]
fn regexp_substr_no_n(cx: &mut FnCx<'_>, s: &str, p: &str, start: i32) -> Result<Option<String>> {
    sub(cx, s, p, start, 1, Flags::NONE, 0)
}
#[builtin("regexp_substr_no_start")]
fn regexp_substr_no_start(cx: &mut FnCx<'_>, s: &str, p: &str) -> Result<Option<String>> {
    sub(cx, s, p, 1, 1, Flags::NONE, 0)
}
