//! The SQL functions and operators of `jsonpath`.

use base::Result;
use base::sqlstate::*;
use types::{Datum, DatumRef, FnCx, FromDatum, IntoDatum, RowSource, builtin};

use super::exec::{self, Found, Options, Variables};
use super::{JsonPath, binary, parse, print};
use crate::err::{error, invalid_parameter};
use crate::json::Json;

impl<'a> FromDatum<'a> for JsonPath {
    fn from_datum(d: DatumRef<'a>) -> Result<JsonPath> {
        binary::decode(<&[u8]>::from_datum(d)?)
    }
}
impl IntoDatum for JsonPath {
    fn into_datum(self) -> Datum {
        Datum::bytes(binary::encode(&self))
    }
}

#[builtin("jsonpath_in")]
fn jsonpath_in(s: &str) -> Result<JsonPath> {
    parse::parse(s)
}
#[builtin("jsonpath_out")]
fn jsonpath_out(p: JsonPath) -> String {
    print::to_text(&p)
}
#[builtin("jsonpath_recv")]
fn jsonpath_recv(b: &[u8]) -> Result<JsonPath> {
    match b {
        [1, rest @ ..] => {
            let text = std::str::from_utf8(rest)
                .map_err(|_| crate::err::bad_binary("invalid byte sequence for encoding \"UTF8\""))?;
            parse::parse(text)
        }
        [v, ..] => Err(base::PgError::internal(format!("unsupported jsonpath version number: {v}"))),
        [] => Err(error(PROTOCOL_VIOLATION, "no data left in message")),
    }
}
#[builtin("jsonpath_send")]
fn jsonpath_send(p: JsonPath) -> Vec<u8> {
    let mut out = vec![1];
    out.extend_from_slice(print::to_text(&p).as_bytes());
    out
}

/// The members of an object as variables.
struct Members(Option<Json>);

impl Variables for Members {
    fn get(&self, name: &str) -> Option<Found> {
        match &self.0 {
            Some(Json::Object(list)) => list.iter().find(|(k, _)| k == name).map(|(_, v)| Found::Json(v.clone())),
            _ => None,
        }
    }
    fn count(&self) -> i64 {
        i64::from(self.0.is_some())
    }
}
fn members(vars: Option<Json>) -> Result<Members> {
    match vars {
        None | Some(Json::Object(_)) => Ok(Members(vars)),
        _ => Err(invalid_parameter("\"vars\" argument is not an object")
            .detail("Jsonpath parameters should be encoded as key-value pairs of \"vars\" object.")),
    }
}

struct Call {
    json: Json,
    path: JsonPath,
    vars: Option<Json>,
    silent: bool,
    tz: bool,
}
impl Call {
    fn operator(json: Json, path: JsonPath) -> Call {
        Call { json, path, vars: None, silent: true, tz: false }
    }
    /// All results; in silent mode those up to the error.
    fn query(self, cx: &mut FnCx<'_>) -> Result<Vec<Found>> {
        let vars = members(self.vars)?;
        let o = Options { settings: cx.settings(), vars: &vars, tz: self.tz };
        match exec::query(&self.path, &self.json, &o)? {
            (_, Some(e)) if !self.silent => Err(e),
            (list, _) => Ok(list),
        }
    }
    fn exists(self, cx: &mut FnCx<'_>) -> Result<Option<bool>> {
        let vars = members(self.vars)?;
        let o = Options { settings: cx.settings(), vars: &vars, tz: self.tz };
        match exec::exists(&self.path, &self.json, &o)? {
            Ok(found) => Ok(Some(found)),
            Err(_) if self.silent => Ok(None),
            Err(e) => Err(e),
        }
    }
    fn matches(self, cx: &mut FnCx<'_>) -> Result<Option<bool>> {
        let silent = self.silent;
        match &self.query(cx)?[..] {
            [Found::Json(Json::Bool(b))] => Ok(Some(*b)),
            [Found::Json(Json::Null)] => Ok(None),
            _ if silent => Ok(None),
            _ => Err(error(SINGLETON_SQL_JSON_ITEM_REQUIRED, "single boolean result is expected")),
        }
    }
    fn rows(self, cx: &mut FnCx<'_>) -> Result<Box<dyn RowSource>> {
        let list = self.query(cx)?;
        Ok(crate::json::text::rows(list.into_iter().map(|f| vec![f.into_json().into_datum()]).collect()))
    }
    fn array(self, cx: &mut FnCx<'_>) -> Result<Json> {
        Ok(Json::Array(self.query(cx)?.into_iter().map(Found::into_json).collect()))
    }
    fn first(self, cx: &mut FnCx<'_>) -> Result<Option<Json>> {
        Ok(self.query(cx)?.into_iter().next().map(Found::into_json))
    }
}

#[builtin("jsonb_path_exists")]
fn jsonb_path_exists(cx: &mut FnCx<'_>, json: Json, path: JsonPath, vars: Json, silent: bool) -> Result<Option<bool>> {
    Call { json, path, vars: Some(vars), silent, tz: false }.exists(cx)
}
#[builtin("jsonb_path_exists_tz")]
fn jsonb_path_exists_tz(
    cx: &mut FnCx<'_>,
    json: Json,
    path: JsonPath,
    vars: Json,
    silent: bool,
) -> Result<Option<bool>> {
    Call { json, path, vars: Some(vars), silent, tz: true }.exists(cx)
}
#[builtin("jsonb_path_match")]
fn jsonb_path_match(cx: &mut FnCx<'_>, json: Json, path: JsonPath, vars: Json, silent: bool) -> Result<Option<bool>> {
    Call { json, path, vars: Some(vars), silent, tz: false }.matches(cx)
}
#[builtin("jsonb_path_match_tz")]
fn jsonb_path_match_tz(
    cx: &mut FnCx<'_>,
    json: Json,
    path: JsonPath,
    vars: Json,
    silent: bool,
) -> Result<Option<bool>> {
    Call { json, path, vars: Some(vars), silent, tz: true }.matches(cx)
}
#[builtin("jsonb_path_query", set)]
fn jsonb_path_query(
    cx: &mut FnCx<'_>,
    json: Json,
    path: JsonPath,
    vars: Json,
    silent: bool,
) -> Result<Box<dyn RowSource>> {
    Call { json, path, vars: Some(vars), silent, tz: false }.rows(cx)
}
#[builtin("jsonb_path_query_tz", set)]
fn jsonb_path_query_tz(
    cx: &mut FnCx<'_>,
    json: Json,
    path: JsonPath,
    vars: Json,
    silent: bool,
) -> Result<Box<dyn RowSource>> {
    Call { json, path, vars: Some(vars), silent, tz: true }.rows(cx)
}
#[builtin("jsonb_path_query_array")]
fn jsonb_path_query_array(cx: &mut FnCx<'_>, json: Json, path: JsonPath, vars: Json, silent: bool) -> Result<Json> {
    Call { json, path, vars: Some(vars), silent, tz: false }.array(cx)
}
#[builtin("jsonb_path_query_array_tz")]
fn jsonb_path_query_array_tz(cx: &mut FnCx<'_>, json: Json, path: JsonPath, vars: Json, silent: bool) -> Result<Json> {
    Call { json, path, vars: Some(vars), silent, tz: true }.array(cx)
}
#[builtin("jsonb_path_query_first")]
fn jsonb_path_query_first(
    cx: &mut FnCx<'_>,
    json: Json,
    path: JsonPath,
    vars: Json,
    silent: bool,
) -> Result<Option<Json>> {
    Call { json, path, vars: Some(vars), silent, tz: false }.first(cx)
}
#[builtin("jsonb_path_query_first_tz")]
fn jsonb_path_query_first_tz(
    cx: &mut FnCx<'_>,
    json: Json,
    path: JsonPath,
    vars: Json,
    silent: bool,
) -> Result<Option<Json>> {
    Call { json, path, vars: Some(vars), silent, tz: true }.first(cx)
}
#[builtin("jsonb_path_exists_opr")]
fn jsonb_path_exists_opr(cx: &mut FnCx<'_>, json: Json, path: JsonPath) -> Result<Option<bool>> {
    Call::operator(json, path).exists(cx)
}
#[builtin("jsonb_path_match_opr")]
fn jsonb_path_match_opr(cx: &mut FnCx<'_>, json: Json, path: JsonPath) -> Result<Option<bool>> {
    Call::operator(json, path).matches(cx)
}
