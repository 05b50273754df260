//! The functions of `jsonb`.

use std::cmp::Ordering;

use base::Result;
use base::sqlstate::*;
use types::{Builtin, Datum, DatumRef, FromDatum, IntoDatum, RowSource, builtin};

use super::text::{rows, strip};
use super::{Json, binary, parse};
use crate::arrays::texts;
use crate::err::{error, invalid_parameter};

impl<'a> FromDatum<'a> for Json {
    fn from_datum(d: DatumRef<'a>) -> Result<Json> {
        binary::decode(<&[u8]>::from_datum(d)?)
    }
}
impl IntoDatum for Json {
    fn into_datum(self) -> Datum {
        Datum::bytes(binary::encode(&self))
    }
}

#[builtin("jsonb_in")]
fn jsonb_in(s: &str) -> Result<Json> {
    parse(s, true)?.to_json(s)
}
#[builtin("jsonb_out", write)]
fn jsonb_out(v: Json, out: &mut Vec<u8>) {
    v.write(None, out);
}
#[builtin("jsonb_recv")]
fn jsonb_recv(b: &[u8]) -> Result<Json> {
    match b {
        [1, rest @ ..] => {
            let s = std::str::from_utf8(rest)
                .map_err(|_| crate::err::bad_binary("invalid byte sequence for encoding \"UTF8\""))?;
            parse(s, true)?.to_json(s)
        }
        [v, ..] => Err(base::PgError::internal(format!("unsupported jsonb version number {v}"))),
        [] => Err(error(PROTOCOL_VIOLATION, "no data left in message")),
    }
}
#[builtin("jsonb_send")]
fn jsonb_send(v: Json) -> Vec<u8> {
    let mut out = vec![1];
    v.write(None, &mut out);
    out
}
#[builtin("jsonb_pretty")]
fn jsonb_pretty(v: Json) -> Vec<u8> {
    let mut out = Vec::new();
    v.write(Some(0), &mut out);
    out
}
#[builtin("jsonb_typeof")]
fn jsonb_typeof(v: Json) -> &'static str {
    v.type_name()
}
fn rank(v: &Json) -> u8 {
    match v {
        Json::Null => 0,
        Json::String(_) => 1,
        Json::Number(_) => 2,
        Json::Bool(_) => 3,
        Json::Array(_) => 4,
        Json::Object(_) => 5,
    }
}
/// (PostgreSQL: `compareJsonbContainers`) Object > Array > Boolean > Number > String > Null; more members are greater.
pub fn compare(a: &Json, b: &Json) -> Ordering {
    match (a, b) {
        (Json::String(x), Json::String(y)) => x.cmp(y),
        (Json::Number(x), Json::Number(y)) => x.compare(y),
        (Json::Bool(x), Json::Bool(y)) => x.cmp(y),
        (Json::Array(x), Json::Array(y)) => x
            .len()
            .cmp(&y.len())
            .then_with(|| x.iter().zip(y).map(|(p, q)| compare(p, q)).find(|o| o.is_ne()).unwrap_or(Ordering::Equal)),
        (Json::Object(x), Json::Object(y)) => x.len().cmp(&y.len()).then_with(|| {
            let pairs = x.iter().zip(y);
            pairs
                .map(|(p, q)| p.0.cmp(&q.0).then_with(|| compare(&p.1, &q.1)))
                .find(|o| o.is_ne())
                .unwrap_or(Ordering::Equal)
        }),
        (x, y) => rank(x).cmp(&rank(y)),
    }
}
/// The order of stored values. An empty array sorts below scalars, as PostgreSQL has it.
pub fn compare_bytes(a: &[u8], b: &[u8]) -> Ordering {
    let (Ok(x), Ok(y)) = (binary::decode(a), binary::decode(b)) else { return a.cmp(b) };
    let empty = |v: &Json| matches!(v, Json::Array(l) if l.is_empty());
    match (empty(&x), empty(&y)) {
        (true, false) if rank(&y) <= 4 => Ordering::Less,
        (false, true) if rank(&x) <= 4 => Ordering::Greater,
        _ => compare(&x, &y),
    }
}
pub static JSONB_COMPARE: &[Builtin] = &compare_bytes!(
    compare_bytes,
    ["jsonb_eq", "jsonb_ne", "jsonb_lt", "jsonb_le", "jsonb_gt", "jsonb_ge", "jsonb_cmp"]
);

fn get(v: &Json, name: &str) -> Option<Json> {
    match v {
        Json::Object(list) => list.iter().find(|(k, _)| k == name).map(|(_, v)| v.clone()),
        _ => None,
    }
}
fn at(v: &Json, i: i64) -> Option<Json> {
    match v {
        Json::Array(list) => {
            let i = if i < 0 { list.len() as i64 + i } else { i };
            usize::try_from(i).ok().and_then(|i| list.get(i).cloned())
        }
        _ => None,
    }
}
#[builtin("jsonb_object_field")]
fn jsonb_object_field(v: Json, name: &str) -> Option<Json> {
    get(&v, name)
}
#[builtin("jsonb_object_field_text")]
fn jsonb_object_field_text(v: Json, name: &str) -> Option<String> {
    get(&v, name)?.as_text()
}
#[builtin("jsonb_array_element")]
fn jsonb_array_element(v: Json, i: i32) -> Option<Json> {
    at(&v, i.into())
}
#[builtin("jsonb_array_element_text")]
fn jsonb_array_element_text(v: Json, i: i32) -> Option<String> {
    at(&v, i.into())?.as_text()
}
fn walk(v: Json, path: &[Option<String>]) -> Option<Json> {
    path.iter().try_fold(v, |v, step| {
        let step = step.as_deref()?;
        if matches!(v, Json::Object(_)) { get(&v, step) } else { at(&v, step.parse().ok()?) }
    })
}
#[builtin("jsonb_extract_path")]
fn jsonb_extract_path(v: Json, path: &[u8]) -> Result<Option<Json>> {
    Ok(walk(v, &texts(path)?))
}
#[builtin("jsonb_extract_path_text")]
fn jsonb_extract_path_text(v: Json, path: &[u8]) -> Result<Option<String>> {
    Ok(walk(v, &texts(path)?).and_then(|v| v.as_text()))
}
#[builtin("jsonb_array_length")]
fn jsonb_array_length(v: Json) -> Result<i32> {
    match v {
        Json::Array(list) => Ok(list.len() as i32),
        Json::Object(_) => Err(invalid_parameter("cannot get array length of a non-array")),
        _ => Err(invalid_parameter("cannot get array length of a scalar")),
    }
}
fn elements(v: Json, text: bool) -> Result<Box<dyn RowSource>> {
    let Json::Array(list) = v else {
        let what = if matches!(v, Json::Object(_)) { "an object" } else { "a scalar" };
        return Err(invalid_parameter(format!("cannot extract elements from {what}")));
    };
    let one = |v: Json| if text { v.as_text().into_datum() } else { v.into_datum() };
    Ok(rows(list.into_iter().map(|v| vec![one(v)]).collect()))
}
#[builtin("jsonb_array_elements", set)]
fn jsonb_array_elements(v: Json) -> Result<Box<dyn RowSource>> {
    elements(v, false)
}
#[builtin("jsonb_array_elements_text", set)]
fn jsonb_array_elements_text(v: Json) -> Result<Box<dyn RowSource>> {
    elements(v, true)
}
fn each(v: Json, function: &str, text: bool) -> Result<Box<dyn RowSource>> {
    let Json::Object(list) = v else {
        return Err(invalid_parameter(format!("cannot call {function} on a non-object")));
    };
    let one = |v: Json| if text { v.as_text().into_datum() } else { v.into_datum() };
    Ok(rows(list.into_iter().map(|(k, v)| vec![Datum::text(&k), one(v)]).collect()))
}
#[builtin("jsonb_each", set)]
fn jsonb_each(v: Json) -> Result<Box<dyn RowSource>> {
    each(v, "jsonb_each", false)
}
#[builtin("jsonb_each_text", set)]
fn jsonb_each_text(v: Json) -> Result<Box<dyn RowSource>> {
    each(v, "jsonb_each_text", true)
}
#[builtin("jsonb_object_keys", set)]
fn jsonb_object_keys(v: Json) -> Result<Box<dyn RowSource>> {
    match v {
        Json::Object(list) => Ok(rows(list.into_iter().map(|(k, _)| vec![Datum::text(&k)]).collect())),
        Json::Array(_) => Err(invalid_parameter("cannot call jsonb_object_keys on an array")),
        _ => Err(invalid_parameter("cannot call jsonb_object_keys on a scalar")),
    }
}
fn contains(a: &Json, b: &Json) -> bool {
    match (a, b) {
        (Json::Object(x), Json::Object(y)) => y.iter().all(|(k, v)| x.iter().any(|(p, w)| p == k && contains(w, v))),
        (Json::Array(x), Json::Array(y)) => y.iter().all(|v| x.iter().any(|w| same_or_contains(w, v))),
        // An array may contain a primitive.
        (Json::Array(x), v) if rank(v) < 4 => x.iter().any(|w| compare(w, v).is_eq()),
        (x, y) => rank(x) == rank(y) && compare(x, y).is_eq(),
    }
}
fn same_or_contains(a: &Json, b: &Json) -> bool {
    if rank(b) < 4 || rank(a) < 4 {
        rank(a) == rank(b) && compare(a, b).is_eq()
    } else {
        rank(a) == rank(b) && contains(a, b)
    }
}
#[builtin("jsonb_contains")]
fn jsonb_contains(a: Json, b: Json) -> bool {
    contains(&a, &b)
}
#[builtin("jsonb_contained")]
fn jsonb_contained(a: Json, b: Json) -> bool {
    contains(&b, &a)
}
fn exists(v: &Json, key: &str) -> bool {
    match v {
        Json::Object(list) => list.iter().any(|(k, _)| k == key),
        Json::Array(list) => list.iter().any(|v| matches!(v, Json::String(s) if s == key)),
        Json::String(s) => s == key,
        _ => false,
    }
}
#[builtin("jsonb_exists")]
fn jsonb_exists(v: Json, key: &str) -> bool {
    exists(&v, key)
}
#[builtin("jsonb_exists_any")]
fn jsonb_exists_any(v: Json, keys: &[u8]) -> Result<bool> {
    Ok(texts(keys)?.iter().flatten().any(|k| exists(&v, k)))
}
#[builtin("jsonb_exists_all")]
fn jsonb_exists_all(v: Json, keys: &[u8]) -> Result<bool> {
    Ok(texts(keys)?.iter().flatten().all(|k| exists(&v, k)))
}
#[builtin("jsonb_concat")]
fn jsonb_concat(a: Json, b: Json) -> Json {
    match (a, b) {
        (Json::Object(mut x), Json::Object(y)) => {
            x.extend(y);
            Json::Object(x)
        }
        (a, b) => {
            let list = |v| if let Json::Array(l) = v { l } else { vec![v] };
            let mut x = list(a);
            x.extend(list(b));
            Json::Array(x)
        }
    }
}
fn no_scalar(v: &Json, text: &str) -> Result<()> {
    if rank(v) < 4 { Err(invalid_parameter(text)) } else { Ok(()) }
}
fn without(v: Json, key: &str) -> Json {
    match v {
        Json::Object(list) => Json::Object(list.into_iter().filter(|(k, _)| k != key).collect()),
        Json::Array(list) => {
            Json::Array(list.into_iter().filter(|v| !matches!(v, Json::String(s) if s == key)).collect())
        }
        v => v,
    }
}
#[builtin("jsonb_delete")]
fn jsonb_delete(v: Json, key: &str) -> Result<Json> {
    no_scalar(&v, "cannot delete from scalar")?;
    Ok(without(v, key))
}
#[builtin("jsonb_delete_array")]
fn jsonb_delete_array(v: Json, keys: &[u8]) -> Result<Json> {
    no_scalar(&v, "cannot delete from scalar")?;
    Ok(texts(keys)?.iter().flatten().fold(v, |v, k| without(v, k)))
}
#[builtin("jsonb_delete_idx")]
fn jsonb_delete_idx(v: Json, i: i32) -> Result<Json> {
    no_scalar(&v, "cannot delete from scalar")?;
    let Json::Array(mut list) = v else {
        return Err(invalid_parameter("cannot delete from object using integer index"));
    };
    let i = if i < 0 { list.len() as i64 + i64::from(i) } else { i.into() };
    if let Some(i) = usize::try_from(i).ok().filter(|i| *i < list.len()) {
        list.remove(i);
    }
    Ok(Json::Array(list))
}
#[derive(Clone, Copy, PartialEq)]
enum Change {
    Set { create: bool },
    Insert { after: bool },
    Delete,
}
/// Changes the value at a path. (PostgreSQL: `setPath`)
fn change(v: Json, path: &[Option<String>], depth: usize, new: &Json, how: Change) -> Result<Json> {
    let Some(step) = path.get(depth) else { return Ok(v) };
    let last = depth + 1 == path.len();
    let null = || error(NULL_VALUE_NOT_ALLOWED, format!("path element at position {} is null", depth + 1));
    let step = step.as_deref().ok_or_else(null)?;
    match v {
        Json::Object(mut list) => {
            match list.iter().position(|(k, _)| k == step) {
                Some(i) if last => match how {
                    Change::Delete => {
                        list.remove(i);
                    }
                    Change::Set { .. } => list[i].1 = new.clone(),
                    Change::Insert { .. } => {
                        return Err(invalid_parameter("cannot replace existing key")
                            .hint("Try using the function jsonb_set to replace key value."));
                    }
                },
                Some(i) => {
                    let old = std::mem::replace(&mut list[i].1, Json::Null);
                    list[i].1 = change(old, path, depth + 1, new, how)?;
                }
                None if last && !matches!(how, Change::Delete | Change::Set { create: false }) => {
                    list.push((step.to_owned(), new.clone()));
                }
                None => {}
            }
            Ok(Json::Object(list))
        }
        Json::Array(mut list) => {
            let bad = || {
                let text = format!("path element at position {} is not an integer: \"{step}\"", depth + 1);
                error(INVALID_TEXT_REPRESENTATION, text)
            };
            let n: i64 = step.trim().parse::<i32>().map_err(|_| bad())?.into();
            let len = list.len() as i64;
            let i = if n < 0 { len + n } else { n };
            if (0..len).contains(&i) {
                let i = i as usize;
                if !last {
                    let old = std::mem::replace(&mut list[i], Json::Null);
                    list[i] = change(old, path, depth + 1, new, how)?;
                } else {
                    match how {
                        Change::Delete => {
                            list.remove(i);
                        }
                        Change::Set { .. } => list[i] = new.clone(),
                        Change::Insert { after } => list.insert(i + usize::from(after), new.clone()),
                    }
                }
            } else if last && !matches!(how, Change::Delete | Change::Set { create: false }) {
                if i < 0 { list.insert(0, new.clone()) } else { list.push(new.clone()) }
            }
            Ok(Json::Array(list))
        }
        v => Ok(v),
    }
}
#[builtin("jsonb_set")]
fn jsonb_set(v: Json, path: &[u8], new: Json, create: bool) -> Result<Json> {
    no_scalar(&v, "cannot set path in scalar")?;
    change(v, &texts(path)?, 0, &new, Change::Set { create })
}
#[builtin("jsonb_insert")]
fn jsonb_insert(v: Json, path: &[u8], new: Json, after: bool) -> Result<Json> {
    no_scalar(&v, "cannot set path in scalar")?;
    change(v, &texts(path)?, 0, &new, Change::Insert { after })
}
#[builtin("jsonb_delete_path")]
fn jsonb_delete_path(v: Json, path: &[u8]) -> Result<Json> {
    no_scalar(&v, "cannot delete path in scalar")?;
    change(v, &texts(path)?, 0, &Json::Null, Change::Delete)
}
#[builtin("jsonb_strip_nulls")]
fn jsonb_strip_nulls(v: Json, arrays: bool) -> Json {
    strip(v, arrays)
}
fn number(v: Json, name: &str) -> Result<Option<crate::numeric::Numeric>> {
    let text = |v: &Json| match v {
        Json::Array(_) | Json::Object(_) => format!("cannot cast jsonb {} to type {name}", v.type_name()),
        v => format!("cannot cast jsonb {} to type {name}", v.type_name()),
    };
    match v {
        Json::Number(n) => Ok(Some(n)),
        Json::Null => Ok(None),
        v => Err(invalid_parameter(text(&v))),
    }
}
#[builtin("jsonb_numeric")]
fn jsonb_numeric(v: Json) -> Result<Option<crate::numeric::Numeric>> {
    number(v, "numeric")
}
fn integer(v: Json, name: &str) -> Result<Option<i64>> {
    let out = || crate::err::out_of_range(name);
    number(v, name)?.map(|n| n.to_i128().and_then(|n| i64::try_from(n).ok()).ok_or_else(out)).transpose()
}
#[builtin("jsonb_int2")]
fn jsonb_int2(v: Json) -> Result<Option<i16>> {
    integer(v, "smallint")?.map(|n| i16::try_from(n).map_err(|_| crate::err::out_of_range("smallint"))).transpose()
}
#[builtin("jsonb_int4")]
fn jsonb_int4(v: Json) -> Result<Option<i32>> {
    integer(v, "integer")?.map(|n| i32::try_from(n).map_err(|_| crate::err::out_of_range("integer"))).transpose()
}
#[builtin("jsonb_int8")]
fn jsonb_int8(v: Json) -> Result<Option<i64>> {
    integer(v, "bigint")
}
#[builtin("jsonb_float8")]
fn jsonb_float8(v: Json) -> Result<Option<f64>> {
    Ok(number(v, "double precision")?.map(|n| n.to_f64()))
}
#[builtin("jsonb_float4")]
fn jsonb_float4(v: Json) -> Result<Option<f32>> {
    Ok(number(v, "real")?.map(|n| n.to_f64() as f32))
}
#[builtin("jsonb_bool")]
fn jsonb_bool(v: Json) -> Result<Option<bool>> {
    match v {
        Json::Bool(b) => Ok(Some(b)),
        Json::Null => Ok(None),
        v => Err(invalid_parameter(format!("cannot cast jsonb {} to type boolean", v.type_name()))),
    }
}
/// (PostgreSQL: `JsonbHashScalarValue`) Keys, values and elements in stored order.
fn hash_into(v: &Json, hash: &mut u32) {
    let mut mix = |tmp: u32| *hash = hash.rotate_left(1) ^ tmp;
    match v {
        Json::Null => mix(1),
        Json::String(s) => mix(crate::hash::hash_bytes(s.as_bytes()) as u32),
        Json::Number(n) => mix(crate::numeric::sql::hash(n) as u32),
        Json::Bool(b) => mix(if *b { 2 } else { 4 }),
        Json::Array(list) => {
            *hash ^= 0x4000_0000;
            list.iter().for_each(|v| hash_into(v, hash));
        }
        Json::Object(list) => {
            *hash ^= 0x2000_0000;
            for (k, v) in list {
                *hash = hash.rotate_left(1) ^ crate::hash::hash_bytes(k.as_bytes()) as u32;
                hash_into(v, hash);
            }
        }
    }
}
fn hash_into_extended(v: &Json, seed: u64, hash: &mut u64) {
    let rotated = |h: u64| (h << 1 & 0xffff_fffe_ffff_fffe) | (h >> 31 & 0x0000_0001_0000_0001);
    let text = |s: &str| crate::hash::hash_bytes_extended(s.as_bytes(), seed as i64) as u64;
    let tmp = match v {
        Json::Null => seed.wrapping_add(1),
        Json::String(s) => text(s),
        Json::Number(n) => crate::numeric::sql::hash_extended(n, seed as i64) as u64,
        Json::Bool(b) if seed != 0 => crate::hash::hash_u32_extended(u32::from(*b), seed as i64) as u64,
        Json::Bool(b) => {
            if *b {
                2
            } else {
                4
            }
        }
        Json::Array(list) => {
            *hash ^= 0x4000_0000_4000_0000;
            return list.iter().for_each(|v| hash_into_extended(v, seed, hash));
        }
        Json::Object(list) => {
            *hash ^= 0x2000_0000_2000_0000;
            for (k, v) in list {
                *hash = rotated(*hash) ^ text(k);
                hash_into_extended(v, seed, hash);
            }
            return;
        }
    };
    *hash = rotated(*hash) ^ tmp;
}
fn is_empty(v: &Json) -> bool {
    match v {
        Json::Array(l) => l.is_empty(),
        Json::Object(l) => l.is_empty(),
        _ => false,
    }
}
#[builtin("jsonb_hash")]
fn jsonb_hash(v: Json) -> i32 {
    let mut hash = 0;
    if is_empty(&v) {
        return 0;
    }
    // A scalar is stored as an array of one.
    if rank(&v) < 4 {
        hash ^= 0x4000_0000;
    }
    hash_into(&v, &mut hash);
    hash as i32
}
#[builtin("jsonb_hash_extended")]
fn jsonb_hash_extended(v: Json, seed: i64) -> i64 {
    let mut hash = 0;
    if is_empty(&v) {
        return seed;
    }
    if rank(&v) < 4 {
        hash ^= 0x4000_0000_4000_0000;
    }
    hash_into_extended(&v, seed as u64, &mut hash);
    hash as i64
}
#[builtin("jsonb_set_lax")]
fn jsonb_set_lax(
    v: Option<Json>,
    path: Option<&[u8]>,
    new: Option<Json>,
    create: Option<bool>,
    how: Option<&str>,
) -> Result<Option<Json>> {
    let (Some(v), Some(path), Some(create)) = (v, path, create) else { return Ok(None) };
    let bad =
        "null_value_treatment must be \"delete_key\", \"return_target\", \"use_json_null\", or \"raise_exception\"";
    let how = how.ok_or_else(|| invalid_parameter(bad))?;
    if let Some(new) = new {
        return jsonb_set(v, path, new, create).map(Some);
    }
    match how {
        "raise_exception" => Err(error(NULL_VALUE_NOT_ALLOWED, "JSON value must not be null")
            .detail("Exception was raised because null_value_treatment is \"raise_exception\".")
            .hint(
                "To avoid, either change the null_value_treatment argument or ensure that an SQL NULL is not passed.",
            )),
        "use_json_null" => jsonb_set(v, path, Json::Null, create).map(Some),
        "delete_key" => jsonb_delete_path(v, path).map(Some),
        "return_target" => Ok(Some(v)),
        _ => Err(invalid_parameter(bad)),
    }
}
/// Keys and values of text arrays.
fn text_pairs(a: &[u8]) -> Result<Vec<(String, Option<String>)>> {
    let array = types::array::ArrayRef::new(a)?;
    let bad = |text: &str| Err(error(ARRAY_SUBSCRIPT_ERROR, text));
    match array.ndim() {
        0 => return Ok(Vec::new()),
        1 if array.dim(0) % 2 != 0 => return bad("array must have even number of elements"),
        1 => {}
        2 if array.dim(1) != 2 => return bad("array must have two columns"),
        2 => {}
        _ => return bad("wrong number of array subscripts"),
    }
    let mut list = texts(a)?.into_iter();
    let mut out = Vec::new();
    while let Some(k) = list.next() {
        out.push((k.ok_or_else(null_key)?, list.next().flatten()));
    }
    Ok(out)
}
fn null_key() -> base::PgError {
    error(NULL_VALUE_NOT_ALLOWED, "null value not allowed for object key")
}
fn zipped(keys: &[u8], values: &[u8]) -> Result<Vec<(String, Option<String>)>> {
    let dims = |a: &[u8]| Ok::<_, base::PgError>(types::array::ArrayRef::new(a)?.ndim());
    if dims(keys)? > 1 || dims(keys)? != dims(values)? {
        return Err(error(ARRAY_SUBSCRIPT_ERROR, "wrong number of array subscripts"));
    }
    let (keys, values) = (texts(keys)?, texts(values)?);
    if keys.len() != values.len() {
        return Err(error(ARRAY_SUBSCRIPT_ERROR, "mismatched array dimensions"));
    }
    keys.into_iter().zip(values).map(|(k, v)| Ok((k.ok_or_else(null_key)?, v))).collect()
}
fn object_text(list: Vec<(String, Option<String>)>) -> Vec<u8> {
    let mut out = vec![b'{'];
    for (i, (k, v)) in list.iter().enumerate() {
        if i > 0 {
            out.extend_from_slice(b", ");
        }
        super::write_string(k, &mut out);
        out.extend_from_slice(b" : ");
        match v {
            Some(v) => super::write_string(v, &mut out),
            None => out.extend_from_slice(b"null"),
        }
    }
    out.push(b'}');
    out
}
fn object_of(list: Vec<(String, Option<String>)>) -> Json {
    Json::Object(list.into_iter().map(|(k, v)| (k, v.map_or(Json::Null, Json::String))).collect())
}
#[builtin("json_object")]
fn json_object(a: &[u8]) -> Result<Vec<u8>> {
    text_pairs(a).map(object_text)
}
#[builtin("json_object_two_arg")]
fn json_object_two_arg(keys: &[u8], values: &[u8]) -> Result<Vec<u8>> {
    zipped(keys, values).map(object_text)
}
#[builtin("jsonb_object")]
fn jsonb_object(a: &[u8]) -> Result<Json> {
    text_pairs(a).map(object_of)
}
#[builtin("jsonb_object_two_arg")]
fn jsonb_object_two_arg(keys: &[u8], values: &[u8]) -> Result<Json> {
    zipped(keys, values).map(object_of)
}
/// Not callable from SQL by this name's signature: element access and assignment by subscripts. Arguments are the value,
/// whether something is assigned, what is assigned, and the subscripts as text. (PostgreSQL: `jsonbsubs.c`)
#[builtin("jsonb_subscript_handler", raw)]
fn jsonb_subscript(cx: &mut types::FnCx<'_>, args: &[DatumRef<'_>]) -> Result<Datum> {
    types::with_plain(cx, args, |_, args| {
        let [container, assign, new, path @ ..] = args else { return Ok(Datum::Null) };
        let step = |p: &DatumRef<'_>| match p {
            DatumRef::Word(w) => Ok(Some((*w as i32).to_string())),
            p => <Option<&str>>::from_datum(*p).map(|s| s.map(str::to_owned)),
        };
        let steps: Vec<Option<String>> = path.iter().map(step).collect::<Result<_>>()?;
        if assign.word() == 0 {
            if container.is_null() || steps.iter().any(Option::is_none) {
                return Ok(Datum::Null);
            }
            return Ok(walk(Json::from_datum(*container)?, &steps).into_datum());
        }
        if steps.iter().any(Option::is_none) {
            return Err(error(NULL_VALUE_NOT_ALLOWED, "jsonb subscript in assignment must not be null"));
        }
        let steps: Vec<String> = steps.into_iter().flatten().collect();
        let whole = match container.is_null() {
            // What is made from nothing is an array if the first subscript is a number.
            true if matches!(path.first(), Some(DatumRef::Word(_))) => Json::Array(Vec::new()),
            true => Json::Object(Vec::new()),
            false => Json::from_datum(*container)?,
        };
        let new = if new.is_null() { Json::Null } else { Json::from_datum(*new)? };
        if rank(&whole) < 4 {
            return Err(invalid_parameter("cannot replace existing key")
                .detail("The path assumes key is a composite object, but it is a scalar value."));
        }
        assign_at(whole, &steps, 1, new).map(IntoDatum::into_datum)
    })
}
/// What a path from here on makes of nothing.
fn made(steps: &[String], new: Json) -> Json {
    let Some((step, rest)) = steps.split_first() else { return new };
    let inner = made(rest, new);
    match step.parse::<i32>() {
        Ok(i) if i >= 0 => {
            let mut list = vec![Json::Null; i as usize];
            list.push(inner);
            Json::Array(list)
        }
        _ => Json::Object(vec![(step.clone(), inner)]),
    }
}
fn assign_at(v: Json, steps: &[String], level: u32, new: Json) -> Result<Json> {
    let Some((step, rest)) = steps.split_first() else { return Ok(new) };
    match v {
        Json::Object(mut list) => {
            match list.iter_mut().find(|(k, _)| k == step) {
                Some((_, old)) => *old = assign_at(std::mem::replace(old, Json::Null), rest, level + 1, new)?,
                None => list.push((step.clone(), made(rest, new))),
            }
            Ok(Json::Object(list))
        }
        Json::Array(mut list) => {
            let bad = || {
                let text = format!("path element at position {level} is not an integer: \"{step}\"");
                error(INVALID_TEXT_REPRESENTATION, text)
            };
            let n = i64::from(step.trim().parse::<i32>().map_err(|_| bad())?);
            let at = if n < 0 { n + list.len() as i64 } else { n };
            let Ok(at) = usize::try_from(at) else {
                let text = format!("path element at position {level} is out of range: {n}");
                return Err(invalid_parameter(text));
            };
            if at >= list.len() {
                list.resize(at, Json::Null);
                list.push(made(rest, new));
            } else {
                let old = std::mem::replace(&mut list[at], Json::Null);
                list[at] = assign_at(old, rest, level + 1, new)?;
            }
            Ok(Json::Array(list))
        }
        _ => Err(invalid_parameter("cannot replace existing key")
            .detail("The path assumes key is a composite object, but it is a scalar value.")),
    }
}
