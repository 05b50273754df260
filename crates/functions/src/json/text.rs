//! The functions of `json`, which keeps its text as written.

use base::Result;
use types::{Datum, RowList, RowSource, builtin};

use super::{Json, Kind, Node, parse};
use crate::arrays::texts;
use crate::err::invalid_parameter;

#[builtin("json_in")]
fn json_in(s: &str) -> Result<&str> {
    parse(s, false)?;
    Ok(s)
}
#[builtin("json_out", write)]
fn json_out(s: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(s);
}
#[builtin("json_recv")]
fn json_recv(b: &[u8]) -> Result<&str> {
    let s =
        std::str::from_utf8(b).map_err(|_| crate::err::bad_binary("invalid byte sequence for encoding \"UTF8\""))?;
    json_in(s)
}
#[builtin("json_send")]
fn json_send(s: &[u8]) -> &[u8] {
    s
}
#[builtin("json_typeof")]
fn json_typeof(s: &str) -> Result<&'static str> {
    Ok(match parse(s, false)?.kind {
        Kind::Null => "null",
        Kind::Bool(_) => "boolean",
        Kind::Number => "number",
        Kind::String(_) => "string",
        Kind::Array(_) => "array",
        Kind::Object(_) => "object",
    })
}
fn field<'a>(n: &'a Node, name: &str) -> Option<&'a Node> {
    match &n.kind {
        Kind::Object(list) => list.iter().rev().find(|(k, _)| k == name).map(|(_, n)| n),
        _ => None,
    }
}
fn element(n: &Node, i: i32) -> Option<&Node> {
    match &n.kind {
        Kind::Array(list) => {
            let i = if i < 0 { list.len() as i64 + i64::from(i) } else { i.into() };
            usize::try_from(i).ok().and_then(|i| list.get(i))
        }
        _ => None,
    }
}
fn as_text(n: &Node, s: &str) -> Result<Option<String>> {
    Ok(match &n.kind {
        Kind::Null => None,
        // Now its escapes must make sense.
        Kind::String(_) => match parse(n.raw(s), true)?.kind {
            Kind::String(s) => Some(s),
            _ => None,
        },
        _ => Some(n.raw(s).to_owned()),
    })
}
#[builtin("json_object_field")]
fn json_object_field(s: &str, name: &str) -> Result<Option<String>> {
    Ok(field(&parse(s, false)?, name).map(|n| n.raw(s).to_owned()))
}
#[builtin("json_object_field_text")]
fn json_object_field_text(s: &str, name: &str) -> Result<Option<String>> {
    field(&parse(s, false)?, name).map_or(Ok(None), |n| as_text(n, s))
}
#[builtin("json_array_element")]
fn json_array_element(s: &str, i: i32) -> Result<Option<String>> {
    Ok(element(&parse(s, false)?, i).map(|n| n.raw(s).to_owned()))
}
#[builtin("json_array_element_text")]
fn json_array_element_text(s: &str, i: i32) -> Result<Option<String>> {
    element(&parse(s, false)?, i).map_or(Ok(None), |n| as_text(n, s))
}
fn walk<'a>(root: &'a Node, path: &[Option<String>]) -> Option<&'a Node> {
    path.iter().try_fold(root, |n, step| {
        let step = step.as_deref()?;
        match n.kind {
            Kind::Object(_) => field(n, step),
            _ => element(n, step.parse().ok()?),
        }
    })
}
#[builtin("json_extract_path")]
fn json_extract_path(s: &str, path: &[u8]) -> Result<Option<String>> {
    Ok(walk(&parse(s, false)?, &texts(path)?).map(|n| n.raw(s).to_owned()))
}
#[builtin("json_extract_path_text")]
fn json_extract_path_text(s: &str, path: &[u8]) -> Result<Option<String>> {
    walk(&parse(s, false)?, &texts(path)?).map_or(Ok(None), |n| as_text(n, s))
}
fn list<'a>(n: &'a Node, function: &str) -> Result<&'a [Node]> {
    match &n.kind {
        Kind::Array(list) => Ok(list),
        Kind::Object(_) => Err(invalid_parameter(format!("cannot {function} a non-array"))),
        _ => Err(invalid_parameter(format!("cannot {function} a scalar"))),
    }
}
#[builtin("json_strip_nulls")]
fn json_strip_nulls(s: &str, arrays: bool) -> Result<Vec<u8>> {
    let mut out = Vec::new();
    write_stripped(&parse(s, false)?, s, arrays, &mut out);
    Ok(out)
}
/// Without nulls and without blanks; everything else as written.
fn write_stripped(n: &Node, s: &str, arrays: bool, out: &mut Vec<u8>) {
    let is_null = |n: &Node| matches!(n.kind, Kind::Null);
    match &n.kind {
        Kind::Array(list) => {
            out.push(b'[');
            for (i, e) in list.iter().filter(|e| !arrays || !is_null(e)).enumerate() {
                if i > 0 {
                    out.push(b',');
                }
                write_stripped(e, s, arrays, out);
            }
            out.push(b']');
        }
        Kind::Object(list) => {
            out.push(b'{');
            for (i, (k, v)) in list.iter().filter(|(_, v)| !is_null(v)).enumerate() {
                if i > 0 {
                    out.push(b',');
                }
                super::write_string(k, out);
                out.push(b':');
                write_stripped(v, s, arrays, out);
            }
            out.push(b'}');
        }
        Kind::String(text) => super::write_string(text, out),
        _ => out.extend_from_slice(n.raw(s).as_bytes()),
    }
}
#[builtin("json_array_length")]
fn json_array_length(s: &str) -> Result<i32> {
    Ok(list(&parse(s, false)?, "get array length of")?.len() as i32)
}
pub fn rows(list: Vec<Vec<Datum>>) -> Box<dyn RowSource> {
    Box::new(RowList(list.into_iter()))
}
fn call_on(n: &Node, array: bool, function: &str) -> Result<()> {
    match (&n.kind, array) {
        (Kind::Array(_), true) | (Kind::Object(_), false) => Ok(()),
        (Kind::Object(_), true) => Err(invalid_parameter(format!("cannot call {function} on a non-array"))),
        (Kind::Array(_), false) => Err(invalid_parameter(format!("cannot call {function} on an array"))),
        _ => Err(invalid_parameter(format!("cannot call {function} on a scalar"))),
    }
}
/// A value as written, or as text.
fn value(n: &Node, s: &str, text: bool) -> Result<Datum> {
    match text {
        true => Ok(as_text(n, s)?.map_or(Datum::Null, |t| Datum::text(&t))),
        false => Ok(Datum::text(n.raw(s))),
    }
}
fn elements(s: &str, function: &str, text: bool) -> Result<Box<dyn RowSource>> {
    let n = parse(s, false)?;
    call_on(&n, true, function)?;
    let Kind::Array(list) = &n.kind else { return Ok(rows(Vec::new())) };
    Ok(rows(list.iter().map(|n| Ok(vec![value(n, s, text)?])).collect::<Result<_>>()?))
}
#[builtin("json_array_elements", set)]
fn json_array_elements(s: &str) -> Result<Box<dyn RowSource>> {
    elements(s, "json_array_elements", false)
}
#[builtin("json_array_elements_text", set)]
fn json_array_elements_text(s: &str) -> Result<Box<dyn RowSource>> {
    elements(s, "json_array_elements_text", true)
}
fn each(s: &str, text: bool) -> Result<Box<dyn RowSource>> {
    let n = parse(s, false)?;
    let Kind::Object(list) = &n.kind else {
        return Err(invalid_parameter(format!(
            "cannot deconstruct {} as an object",
            if matches!(n.kind, Kind::Array(_)) { "an array" } else { "a scalar" }
        )));
    };
    Ok(rows(list.iter().map(|(k, n)| Ok(vec![Datum::text(k), value(n, s, text)?])).collect::<Result<_>>()?))
}
#[builtin("json_each", set)]
fn json_each(s: &str) -> Result<Box<dyn RowSource>> {
    each(s, false)
}
#[builtin("json_each_text", set)]
fn json_each_text(s: &str) -> Result<Box<dyn RowSource>> {
    each(s, true)
}
#[builtin("json_object_keys", set)]
fn json_object_keys(s: &str) -> Result<Box<dyn RowSource>> {
    let n = parse(s, false)?;
    call_on(&n, false, "json_object_keys")?;
    let Kind::Object(list) = &n.kind else { return Ok(rows(Vec::new())) };
    Ok(rows(list.iter().map(|(k, _)| vec![Datum::text(k)]).collect()))
}
/// Removes null fields.
pub fn strip(v: Json, arrays: bool) -> Json {
    match v {
        Json::Object(list) => {
            let kept = list.into_iter().filter(|(_, v)| !matches!(v, Json::Null));
            Json::Object(kept.map(|(k, v)| (k, strip(v, arrays))).collect())
        }
        Json::Array(list) => {
            let kept = list.into_iter().filter(|v| !arrays || !matches!(v, Json::Null));
            Json::Array(kept.map(|v| strip(v, arrays)).collect())
        }
        v => v,
    }
}
