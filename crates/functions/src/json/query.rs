//! What stands behind SQL/JSON's syntax: JSON_EXISTS, JSON_QUERY, JSON_VALUE, the constructors, IS JSON.
//!
//! PostgreSQL: `JsonPathExists`, `JsonPathQuery`, `JsonPathValue`, `ExecEvalJsonExprPath`, `json_build_object_worker`.

use std::collections::HashSet;

use base::sqlstate::*;
use base::{Oid, PgError, Result};
use types::json::{JsonFns, JsonKind, JsonMake, JsonMaker, JsonOutcome, JsonQuery, JsonQueryOp, JsonWrap};
use types::oid::*;
use types::{Datum, DatumRef, FromDatum, IntoDatum, Runtime};

use super::path::JsonPath;
use super::path::datetime::{Datetime, Kind as TimeKind};
use super::path::exec::{self, Found, Options, Variables};
use super::{Json, Kind, Node, binary, build, parse, record, write_string};
use crate::err::{error, invalid_parameter};

pub const FUNCTIONS: JsonFns = JsonFns { query, coerce, make, is_json };

/// PASSING's values.
struct Passed<'a> {
    names: &'a [String],
    values: Vec<Found>,
}
impl Variables for Passed<'_> {
    fn get(&self, name: &str) -> Option<Found> {
        self.names.iter().position(|n| n == name).map(|i| self.values[i].clone())
    }
    fn count(&self) -> i64 {
        self.names.len() as i64
    }
}
/// (PostgreSQL: `JsonItemFromDatum`)
fn item(rt: &mut dyn Runtime, t: Oid, v: DatumRef<'_>) -> Result<Found> {
    let time = |kind, value, offset| Ok(Found::Time(Datetime { kind, value, offset }));
    let word = v.word() as i64;
    if v.is_null() {
        return Ok(Found::Json(Json::Null));
    }
    match t {
        DATEOID => time(TimeKind::Date, word, 0),
        TIMEOID => time(TimeKind::Time, word, 0),
        TIMESTAMPOID => time(TimeKind::Timestamp, word, 0),
        TIMESTAMPTZOID => time(TimeKind::TimestampTz, word, 0),
        TIMETZOID => {
            let t = crate::datetime::time::TimeTz::from_datum(v)?;
            time(TimeKind::TimeTz, t.time, -i64::from(t.west))
        }
        TEXTOID | VARCHAROID => Ok(Found::Json(Json::String(<&str>::from_datum(v)?.to_owned()))),
        JSONBOID => Ok(Found::Json(Json::from_datum(v)?)),
        JSONOID | BOOLOID | NUMERICOID | INT2OID | INT4OID | INT8OID | FLOAT4OID | FLOAT8OID => {
            build::value(rt, t, v).map(Found::Json)
        }
        _ => {
            let name = rt.type_info(t)?.name.to_string();
            Err(invalid_parameter(format!("could not convert value of type {name} to jsonpath")))
        }
    }
}

/// Errors of values, which ON ERROR catches.
fn is_soft(e: &PgError) -> bool {
    matches!(e.sqlstate().class(), "22" | "23" | "42")
}
fn query(
    rt: &mut dyn Runtime,
    q: &JsonQuery,
    json: DatumRef<'_>,
    path: DatumRef<'_>,
    passed: &[DatumRef<'_>],
) -> Result<JsonOutcome> {
    let (json, path) = (Json::from_datum(json)?, JsonPath::from_datum(path)?);
    let values = q.types.iter().zip(passed).map(|(t, v)| item(rt, *t, *v)).collect::<Result<_>>()?;
    let vars = Passed { names: &q.names, values };
    let settings = rt.settings().clone();
    let o = Options { settings: &settings, vars: &vars, tz: true };
    let failed = |e: PgError| if q.throw { Err(e) } else { Ok(JsonOutcome::Error(e)) };
    let coerced = |rt: &mut dyn Runtime, v: &Json| match record::to_type(rt, v, q.returning, q.typmod, q.omit_quotes) {
        Ok(v) => Ok(JsonOutcome::Value(v)),
        Err(e) if is_soft(&e) => failed(e),
        Err(e) => Err(e),
    };
    if q.op == JsonQueryOp::Exists {
        let found = match exec::exists(&path, &json, &o)? {
            Ok(found) => found,
            Err(e) => return failed(e),
        };
        if !q.json_coercion {
            return Ok(JsonOutcome::Value(Datum::bool(found)));
        }
        let mut base = rt.type_info(q.returning)?;
        while base.typtype == b'd' {
            base = rt.type_info(base.base_type)?;
        }
        if base.oid == INT4OID {
            let value = Datum::i32(found.into());
            if base.oid != q.returning
                && let Err(e) = rt.check_domain(q.returning, value.as_ref())
            {
                return failed(e);
            }
            return Ok(JsonOutcome::Value(value));
        }
        return coerced(rt, &Json::Bool(found));
    }
    let list = match exec::query(&path, &json, &o)? {
        (_, Some(e)) => return failed(e),
        (list, None) => list,
    };
    if q.op == JsonQueryOp::Query {
        let wrap = match q.wrap {
            JsonWrap::Never => false,
            JsonWrap::Conditional => list.len() > 1,
            JsonWrap::Always => !list.is_empty(),
        };
        let mut list: Vec<Json> = list.into_iter().map(Found::into_json).collect();
        let value = if wrap {
            Json::Array(list)
        } else {
            if list.len() > 1 {
                let text = match &q.column {
                    Some(c) => format!(
                        "JSON path expression for column \"{c}\" must return single item when no wrapper is requested"
                    ),
                    None => "JSON path expression in JSON_QUERY must return single item when no wrapper is requested"
                        .to_owned(),
                };
                let hint = "Use the WITH WRAPPER clause to wrap SQL/JSON items into an array.";
                return failed(error(MORE_THAN_ONE_SQL_JSON_ITEM, text).hint(hint));
            }
            match list.pop() {
                Some(v) => v,
                None => return Ok(JsonOutcome::Empty),
            }
        };
        if q.json_coercion {
            return coerced(rt, &value);
        }
        return Ok(JsonOutcome::Value(value.into_datum()));
    }
    let single = || match &q.column {
        Some(c) => format!("JSON path expression for column \"{c}\" must return single scalar item"),
        None => "JSON path expression in JSON_VALUE must return single scalar item".to_owned(),
    };
    let value = match &list[..] {
        [] => return Ok(JsonOutcome::Empty),
        [one] => one,
        _ => return failed(error(MORE_THAN_ONE_SQL_JSON_ITEM, single())),
    };
    let text = match value {
        Found::Json(Json::Array(_) | Json::Object(_)) => {
            return failed(error(SQL_JSON_SCALAR_REQUIRED, single()));
        }
        Found::Json(Json::Null) => return Ok(JsonOutcome::Value(Datum::Null)),
        v if q.json_coercion => {
            let json = v.clone().into_json();
            return coerced(rt, &json);
        }
        v if matches!(q.returning, JSONOID | JSONBOID) => {
            let mut out = Vec::new();
            v.clone().into_json().write(None, &mut out);
            String::from_utf8(out).unwrap_or_default()
        }
        Found::Json(Json::Bool(b)) => if *b { "t" } else { "f" }.to_owned(),
        v => v.clone().into_json().as_text().unwrap_or_default(),
    };
    if !q.io_coercion {
        return Ok(JsonOutcome::Value(Datum::text(&text)));
    }
    match crate::generic::from_text(rt, q.returning, q.typmod, &text) {
        Ok(v) => Ok(JsonOutcome::Value(v)),
        Err(e) if is_soft(&e) => failed(e),
        Err(e) => Err(e),
    }
}

fn coerce(rt: &mut dyn Runtime, v: DatumRef<'_>, t: Oid, typmod: i32, omit_quotes: bool) -> Result<Datum> {
    if v.is_null() {
        if rt.type_info(t)?.typtype == b'd' {
            rt.check_domain(t, DatumRef::Null)?;
        }
        return Ok(Datum::Null);
    }
    let v = Json::from_datum(v)?;
    record::to_type(rt, &v, t, typmod, omit_quotes)
}

fn key_error(position: usize, jsonb: bool) -> PgError {
    match jsonb {
        true => invalid_parameter(format!("argument {position}: key must not be null")),
        false => error(NULL_VALUE_NOT_ALLOWED, "null value not allowed for object key"),
    }
}
fn duplicate(key: &str, jsonb: bool) -> PgError {
    let mut text = Vec::from("duplicate JSON object key value");
    if !jsonb {
        text.extend_from_slice(b": ");
        write_string(key, &mut text);
    }
    error(DUPLICATE_JSON_OBJECT_KEY_VALUE, String::from_utf8_lossy(&text))
}
fn make(rt: &mut dyn Runtime, m: JsonMaker, arg_types: &[Oid], args: &[DatumRef<'_>]) -> Result<Datum> {
    match m.make {
        JsonMake::Scalar => {
            let (Some(t), Some(v)) = (arg_types.first(), args.first()) else { return Ok(Datum::Null) };
            if v.is_null() {
                return Ok(Datum::Null);
            }
            if m.jsonb {
                return build::value(rt, *t, *v).map(Json::into_datum);
            }
            let mut out = Vec::new();
            build::write(rt, *t, *v, &mut out)?;
            Ok(Datum::bytes(out))
        }
        JsonMake::Parse => {
            let Some(v) = args.first().filter(|v| !v.is_null()) else { return Ok(Datum::Null) };
            let text = <&str>::from_datum(*v)?;
            let node = parse(text, m.jsonb)?;
            if m.unique && !unique(&node) {
                return Err(duplicate(&first_duplicate(&node).unwrap_or_default(), false));
            }
            if m.jsonb { node.to_json(text).map(Json::into_datum) } else { Ok(Datum::text(text)) }
        }
        JsonMake::Array if m.jsonb => {
            let mut list = Vec::new();
            for (t, v) in arg_types.iter().zip(args) {
                if !v.is_null() || !m.absent_on_null {
                    list.push(build::value(rt, *t, *v)?);
                }
            }
            Ok(Datum::bytes(binary::encode(&Json::Array(list))))
        }
        JsonMake::Array => {
            let mut out = vec![b'['];
            for (t, v) in arg_types.iter().zip(args) {
                if v.is_null() && m.absent_on_null {
                    continue;
                }
                if out.len() > 1 {
                    out.extend_from_slice(b", ");
                }
                build::write(rt, *t, *v, &mut out)?;
            }
            out.push(b']');
            Ok(Datum::bytes(out))
        }
        JsonMake::Object => object(rt, m, arg_types, args),
    }
}
fn object(rt: &mut dyn Runtime, m: JsonMaker, arg_types: &[Oid], args: &[DatumRef<'_>]) -> Result<Datum> {
    let mut seen = HashSet::new();
    let mut list = Vec::new();
    let mut out = vec![b'{'];
    for i in (0..args.len().min(arg_types.len()) / 2).map(|i| 2 * i) {
        let (key, value) = (args[i], args[i + 1]);
        if key.is_null() {
            return Err(key_error(i + 1, m.jsonb));
        }
        let skip = value.is_null() && m.absent_on_null;
        if skip && !m.unique {
            continue;
        }
        let name = build::key(rt, arg_types[i], key)?;
        // A key counts as used although its value is left out.
        if m.unique && !seen.insert(name.clone()) {
            return Err(duplicate(&name, m.jsonb));
        }
        if skip {
            continue;
        }
        if m.jsonb {
            list.push((name, build::value(rt, arg_types[i + 1], value)?));
            continue;
        }
        if out.len() > 1 {
            out.extend_from_slice(b", ");
        }
        write_string(&name, &mut out);
        out.extend_from_slice(b" : ");
        build::write(rt, arg_types[i + 1], value, &mut out)?;
    }
    if m.jsonb {
        return Ok(Datum::bytes(binary::encode(&Json::Object(list))));
    }
    out.push(b'}');
    Ok(Datum::bytes(out))
}

/// Whether no object within has a key twice.
fn unique(n: &Node) -> bool {
    first_duplicate(n).is_none()
}
fn first_duplicate(n: &Node) -> Option<String> {
    match &n.kind {
        Kind::Array(list) => list.iter().find_map(first_duplicate),
        Kind::Object(list) => {
            let mut seen = HashSet::new();
            list.iter().find_map(|(k, v)| if seen.insert(k.as_str()) { first_duplicate(v) } else { Some(k.clone()) })
        }
        _ => None,
    }
}
fn is_json(kind: JsonKind, keys: bool, t: Oid, v: DatumRef<'_>) -> Result<bool> {
    let fits = |array: bool, object: bool| match kind {
        JsonKind::Any => true,
        JsonKind::Array => array,
        JsonKind::Object => object,
        JsonKind::Scalar => !array && !object,
    };
    if t == JSONBOID {
        let v = Json::from_datum(v)?;
        return Ok(fits(matches!(v, Json::Array(_)), matches!(v, Json::Object(_))));
    }
    let text = <&str>::from_datum(v)?;
    let Ok(node) = parse(text, false) else { return Ok(false) };
    Ok(fits(matches!(node.kind, Kind::Array(_)), matches!(node.kind, Kind::Object(_))) && (!keys || unique(&node)))
}
