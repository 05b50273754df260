//! SQL rows from JSON: `json_populate_record`, `json_to_record`, their sets and their `jsonb` twins.
//!
//! A column takes the member of its name: a JSON array fills an array, an object a composite, anything else goes through the
//! type's input function as text. PostgreSQL: `populate_record` (`jsonfuncs.c`).

use std::sync::Arc;

use base::sqlstate::*;
use base::{Oid, PgError, Result};
use types::oid::*;
use types::{Datum, DatumRef, FnCx, FromDatum, RowSource, Runtime, TupleDesc, array, builtin, record};

use super::text::rows;
use super::{Json, Kind, Node, parse, write_string};
use crate::err::{error, invalid_parameter};

/// A value in either form.
#[derive(Clone, Copy)]
enum Source<'a> {
    Text(&'a Node, &'a str),
    Binary(&'a Json),
}

impl<'a> Source<'a> {
    fn is_null(self) -> bool {
        match self {
            Source::Text(n, _) => matches!(n.kind, Kind::Null),
            Source::Binary(j) => matches!(j, Json::Null),
        }
    }
    fn string(self) -> Option<&'a str> {
        match self {
            Source::Text(Node { kind: Kind::String(s), .. }, _) | Source::Binary(Json::String(s)) => Some(s),
            _ => None,
        }
    }
    fn elements(self) -> Option<Vec<Source<'a>>> {
        match self {
            Source::Text(Node { kind: Kind::Array(l), .. }, t) => Some(l.iter().map(|n| Source::Text(n, t)).collect()),
            Source::Binary(Json::Array(l)) => Some(l.iter().map(Source::Binary).collect()),
            _ => None,
        }
    }
    fn is_object(self) -> bool {
        matches!(self, Source::Text(Node { kind: Kind::Object(_), .. }, _) | Source::Binary(Json::Object(_)))
    }
    /// The member of that name; of several the last.
    fn member(self, name: &str) -> Option<Source<'a>> {
        match self {
            Source::Text(Node { kind: Kind::Object(l), .. }, t) => {
                l.iter().rev().find(|(k, _)| k == name).map(|(_, n)| Source::Text(n, t))
            }
            Source::Binary(Json::Object(l)) => l.iter().find(|(k, _)| k == name).map(|(_, j)| Source::Binary(j)),
            _ => None,
        }
    }
    fn is_empty(self) -> bool {
        match self {
            Source::Text(Node { kind: Kind::Object(l), .. }, _) => l.is_empty(),
            Source::Binary(Json::Object(l)) => l.is_empty(),
            _ => false,
        }
    }
    /// As an input function of that type wants it.
    fn text(self, target: Oid) -> String {
        if let Some(s) = self.string() {
            if !matches!(target, JSONOID | JSONBOID) {
                return s.to_owned();
            }
            let mut out = Vec::new();
            write_string(s, &mut out);
            return String::from_utf8(out).unwrap_or_default();
        }
        match self {
            Source::Text(n, t) => n.raw(t).to_owned(),
            Source::Binary(j) => {
                let mut out = Vec::new();
                j.write(None, &mut out);
                String::from_utf8(out).unwrap_or_default()
            }
        }
    }
    /// Must be an object for that function.
    fn object(self, function: &str) -> Result<()> {
        if self.is_object() {
            return Ok(());
        }
        let what = if self.elements().is_some() { "an array" } else { "a scalar" };
        Err(invalid_parameter(format!("cannot call {function} on {what}")))
    }
}

/// One column's value.
pub(crate) struct Target<'a> {
    pub type_oid: Oid,
    pub typmod: i32,
    pub column: Option<&'a str>,
}

/// (PostgreSQL: `populate_record_field`)
fn field(rt: &mut dyn Runtime, t: &Target<'_>, v: Option<Source<'_>>, old: DatumRef<'_>) -> Result<Datum> {
    let info = rt.type_info(t.type_oid)?;
    let v = v.filter(|v| !v.is_null());
    if info.typtype == b'd' {
        let inner = Target { type_oid: info.base_type, typmod: info.typmod, column: t.column };
        let value = match v {
            Some(v) => field(rt, &inner, Some(v), old)?,
            None => Datum::Null,
        };
        rt.check_domain(t.type_oid, value.as_ref())?;
        return Ok(value);
    }
    let Some(v) = v else { return Ok(Datum::Null) };
    let is_array = info.category == b'A' && info.elem.is_valid() && info.len == -1;
    // Arrays and rows may come as text in the SQL form.
    if v.string().is_none() && is_array {
        return fill_array(rt, info.elem, t, v);
    }
    if v.string().is_none() && (info.typtype == b'c' || t.type_oid == RECORDOID) {
        v.object("populate_composite")?;
        let desc = rt.row_type(t.type_oid, t.typmod)?;
        let old = if old.is_null() { None } else { Some(old) };
        let values = fill_row(rt, &desc, v, old)?;
        return record::build(&desc, &values.iter().map(Datum::as_ref).collect::<Vec<_>>());
    }
    crate::generic::from_text(rt, t.type_oid, t.typmod, &v.text(t.type_oid))
}

/// (PostgreSQL: `populate_array`)
fn fill_array(rt: &mut dyn Runtime, elem: Oid, t: &Target<'_>, v: Source<'_>) -> Result<Datum> {
    let elem_type = crate::generic::element_type(rt, elem)?;
    let mut f = Filler { elem, target: t, dims: Vec::new(), depth_known: None, values: Vec::new() };
    f.dimension(rt, v, &mut Vec::new())?;
    if f.values.is_empty() {
        return Ok(array::build_empty(elem));
    }
    let refs: Vec<DatumRef<'_>> = f.values.iter().map(Datum::as_ref).collect();
    array::build(&elem_type, &f.dims, &vec![1; f.dims.len()], &refs)
}
struct Filler<'a> {
    elem: Oid,
    target: &'a Target<'a>,
    dims: Vec<i32>,
    /// How many dimensions there are: known at the first element that is no array.
    depth_known: Option<usize>,
    values: Vec<Datum>,
}
impl Filler<'_> {
    fn not_array(&self, at: &[i32]) -> PgError {
        let e = error(INVALID_TEXT_REPRESENTATION, "expected JSON array");
        let place: String = at.iter().map(|i| format!("[{i}]")).collect();
        match (self.target.column, at.is_empty()) {
            (None, true) => e,
            (Some(c), true) => e.hint(format!("See the value of key \"{c}\".")),
            (Some(c), false) => e.hint(format!("See the array element {place} of key \"{c}\".")),
            (None, false) => e.hint(format!("See the array element {place}.")),
        }
    }
    fn dimension(&mut self, rt: &mut dyn Runtime, v: Source<'_>, at: &mut Vec<i32>) -> Result<()> {
        let Some(list) = v.elements() else { return Err(self.not_array(at)) };
        let level = at.len();
        if level >= array::MAX_DIMS {
            let text =
                format!("number of array dimensions ({}) exceeds the maximum allowed ({})", level + 1, array::MAX_DIMS);
            return Err(error(PROGRAM_LIMIT_EXCEEDED, text));
        }
        if self.depth_known.is_none() && list.first().is_none_or(|e| e.elements().is_none()) {
            self.depth_known = Some(level + 1);
        }
        match self.dims.get(level) {
            None => self.dims.push(list.len() as i32),
            Some(n) if *n != list.len() as i32 => {
                let detail = "Multidimensional arrays must have sub-arrays with matching dimensions.";
                return Err(error(INVALID_TEXT_REPRESENTATION, "malformed JSON array").detail(detail));
            }
            Some(_) => {}
        }
        for (i, e) in list.into_iter().enumerate() {
            if self.depth_known.is_some_and(|d| level + 1 >= d) {
                let t = Target { type_oid: self.elem, typmod: self.target.typmod, column: None };
                let value = field(rt, &t, Some(e), DatumRef::Null)?;
                self.values.push(value);
            } else {
                at.push(i as i32);
                self.dimension(rt, e, at)?;
                at.pop();
            }
        }
        Ok(())
    }
}

/// The columns of a row; those without a member keep what `old` has.
fn fill_row(rt: &mut dyn Runtime, desc: &TupleDesc, v: Source<'_>, old: Option<DatumRef<'_>>) -> Result<Vec<Datum>> {
    let opened;
    let before: Vec<Datum> = match old {
        Some(DatumRef::Toasted(t)) => {
            opened = rt.detoast(t)?;
            record::open(&opened, desc)?.into_iter().map(DatumRef::to_owned).collect()
        }
        Some(b) => record::open(b.as_bytes(), desc)?.into_iter().map(DatumRef::to_owned).collect(),
        None => vec![Datum::Null; desc.len()],
    };
    if old.is_some() && v.is_empty() {
        return Ok(before);
    }
    let mut out = Vec::with_capacity(desc.len());
    for (a, kept) in desc.attrs.iter().zip(before) {
        if a.dropped {
            out.push(Datum::Null);
            continue;
        }
        let member = v.member(&a.name);
        if old.is_some() && member.is_none() {
            out.push(kept);
            continue;
        }
        let t = Target { type_oid: a.type_oid, typmod: a.typmod, column: Some(&a.name) };
        out.push(field(rt, &t, member, kept.as_ref())?);
    }
    Ok(out)
}

/// A SQL/JSON value coerced to a type. (PostgreSQL: `json_populate_type`)
pub(crate) fn to_type(rt: &mut dyn Runtime, v: &Json, type_oid: Oid, typmod: i32, omit_quotes: bool) -> Result<Datum> {
    let info = rt.type_info(type_oid)?;
    if omit_quotes
        && let Json::String(s) = v
        && info.typtype != b'd'
    {
        return crate::generic::from_text(rt, type_oid, typmod, s);
    }
    field(rt, &Target { type_oid, typmod, column: None }, Some(Source::Binary(v)), DatumRef::Null)
}

/// The row type of a call: of the first argument, or of the query.
struct RowType {
    desc: Arc<TupleDesc>,
    /// To be checked, if the type is a domain.
    domain: Option<Oid>,
}
fn row_type(cx: &mut FnCx<'_>, base: Option<DatumRef<'_>>, function: &str) -> Result<RowType> {
    let unknown = || {
        error(FEATURE_NOT_SUPPORTED, format!("could not determine row type for result of {function}")).hint(
            "Provide a non-null record argument, or call the function in the FROM clause using a column definition list.",
        )
    };
    let Some(base) = base else {
        let desc = cx.call.result_desc.clone().ok_or_else(unknown)?;
        return Ok(RowType { desc, domain: None });
    };
    let t = cx.call.arg_types.first().copied().unwrap_or(RECORDOID);
    if t == RECORDOID {
        let desc = match base {
            DatumRef::Bytes(b) => {
                let (oid, typmod) = record::type_of(b)?;
                cx.rt.row_type(oid, typmod)?
            }
            _ => cx.call.result_desc.clone().ok_or_else(unknown)?,
        };
        return Ok(RowType { desc, domain: None });
    }
    let info = cx.rt.type_info(t)?;
    let domain = if info.typtype == b'd' { Some(t) } else { None };
    let mut composite = info;
    while composite.typtype == b'd' {
        composite = cx.rt.type_info(composite.base_type)?;
    }
    if composite.typtype != b'c' {
        let text = format!("first argument of {function} must be a row type");
        return Err(error(DATATYPE_MISMATCH, text));
    }
    Ok(RowType { desc: cx.rt.row_type(composite.oid, -1)?, domain })
}

/// The JSON argument in one of the two forms, kept alive while it is read.
enum Held<'a> {
    Text(Node, &'a str),
    Binary(Json),
}
impl<'a> Held<'a> {
    fn of(v: DatumRef<'a>, binary: bool) -> Result<Held<'a>> {
        if binary {
            return Json::from_datum(v).map(Held::Binary);
        }
        let text = <&str>::from_datum(v)?;
        Ok(Held::Text(parse(text, true)?, text))
    }
    fn source(&self) -> Source<'_> {
        match self {
            Held::Text(n, t) => Source::Text(n, t),
            Held::Binary(j) => Source::Binary(j),
        }
    }
}

fn one(
    cx: &mut FnCx<'_>,
    base: Option<DatumRef<'_>>,
    json: DatumRef<'_>,
    binary: bool,
    function: &str,
) -> Result<Datum> {
    let t = row_type(cx, base, function)?;
    let old = base.filter(|b| !b.is_null());
    if json.is_null() {
        return Ok(old.map_or(Datum::Null, DatumRef::to_owned));
    }
    let held = Held::of(json, binary)?;
    held.source().object(if function.ends_with("to_record") { function } else { "populate_composite" })?;
    let values = fill_row(cx.rt, &t.desc, held.source(), old)?;
    let row = record::build(&t.desc, &values.iter().map(Datum::as_ref).collect::<Vec<_>>())?;
    if let Some(domain) = t.domain {
        cx.rt.check_domain(domain, row.as_ref())?;
    }
    Ok(row)
}
fn set(
    cx: &mut FnCx<'_>,
    base: Option<DatumRef<'_>>,
    json: DatumRef<'_>,
    binary: bool,
    function: &str,
) -> Result<Box<dyn RowSource>> {
    let t = row_type(cx, base, function)?;
    let old = base.filter(|b| !b.is_null());
    if json.is_null() {
        return Ok(rows(Vec::new()));
    }
    let held = Held::of(json, binary)?;
    let source = held.source();
    let Some(list) = source.elements() else {
        let text = match (binary, source.is_object()) {
            (true, _) => format!("cannot call {function} on a non-array"),
            (false, true) => format!("cannot call {function} on an object"),
            (false, false) => format!("cannot call {function} on a scalar"),
        };
        return Err(invalid_parameter(text));
    };
    let mut out = Vec::with_capacity(list.len());
    for v in list {
        if !v.is_object() {
            return Err(invalid_parameter(format!("argument of {function} must be an array of objects")));
        }
        let values = fill_row(cx.rt, &t.desc, v, old)?;
        if let Some(domain) = t.domain {
            let row = record::build(&t.desc, &values.iter().map(Datum::as_ref).collect::<Vec<_>>())?;
            cx.rt.check_domain(domain, row.as_ref())?;
        }
        // Where nobody knows the columns, rows come whole.
        if cx.call.result_desc.is_none() {
            out.push(vec![record::build(&t.desc, &values.iter().map(Datum::as_ref).collect::<Vec<_>>())?]);
        } else {
            out.push(values);
        }
    }
    if let Some(wanted) = &cx.call.result_desc
        && base.is_some()
    {
        same_columns(cx.rt, &t.desc, wanted)?;
    }
    Ok(rows(out))
}

/// The record given must have the columns that the query names.
fn same_columns(rt: &mut dyn Runtime, got: &TupleDesc, wanted: &TupleDesc) -> Result<()> {
    let bad = |detail: String| {
        let text = "function return row and query-specified return row do not match";
        Err(error(DATATYPE_MISMATCH, text).detail(detail))
    };
    if got.len() != wanted.len() {
        let s = if got.len() == 1 { "" } else { "s" };
        return bad(format!("Returned row contains {} attribute{s}, but query expects {}.", got.len(), wanted.len()));
    }
    for (i, (g, w)) in got.attrs.iter().zip(&wanted.attrs).enumerate() {
        if g.type_oid != w.type_oid {
            let (g, w) = (rt.type_info(g.type_oid)?, rt.type_info(w.type_oid)?);
            let name = |n: &str| if n == "int4" { "integer".to_owned() } else { n.to_owned() };
            let (g, w) = (name(&g.name), name(&w.name));
            return bad(format!("Returned type {g} at ordinal position {}, but query expects {w}.", i + 1));
        }
    }
    Ok(())
}

#[builtin("json_populate_record")]
fn json_populate_record(cx: &mut FnCx<'_>, base: DatumRef<'_>, json: DatumRef<'_>) -> Result<Datum> {
    one(cx, Some(base), json, false, "json_populate_record")
}
#[builtin("json_to_record")]
fn json_to_record(cx: &mut FnCx<'_>, json: DatumRef<'_>) -> Result<Datum> {
    one(cx, None, json, false, "json_to_record")
}
#[builtin("json_populate_recordset", set)]
fn json_populate_recordset(cx: &mut FnCx<'_>, base: DatumRef<'_>, json: DatumRef<'_>) -> Result<Box<dyn RowSource>> {
    set(cx, Some(base), json, false, "json_populate_recordset")
}
#[builtin("json_to_recordset", set)]
fn json_to_recordset(cx: &mut FnCx<'_>, json: DatumRef<'_>) -> Result<Box<dyn RowSource>> {
    set(cx, None, json, false, "json_to_recordset")
}
#[builtin("jsonb_populate_record")]
fn jsonb_populate_record(cx: &mut FnCx<'_>, base: DatumRef<'_>, json: DatumRef<'_>) -> Result<Datum> {
    one(cx, Some(base), json, true, "jsonb_populate_record")
}
#[builtin("jsonb_to_record")]
fn jsonb_to_record(cx: &mut FnCx<'_>, json: DatumRef<'_>) -> Result<Datum> {
    one(cx, None, json, true, "jsonb_to_record")
}
#[builtin("jsonb_populate_recordset", set)]
fn jsonb_populate_recordset(cx: &mut FnCx<'_>, base: DatumRef<'_>, json: DatumRef<'_>) -> Result<Box<dyn RowSource>> {
    set(cx, Some(base), json, true, "jsonb_populate_recordset")
}
#[builtin("jsonb_to_recordset", set)]
fn jsonb_to_recordset(cx: &mut FnCx<'_>, json: DatumRef<'_>) -> Result<Box<dyn RowSource>> {
    set(cx, None, json, true, "jsonb_to_recordset")
}
#[builtin("jsonb_populate_record_valid")]
fn jsonb_populate_record_valid(cx: &mut FnCx<'_>, base: DatumRef<'_>, json: DatumRef<'_>) -> Result<bool> {
    match one(cx, Some(base), json, true, "jsonb_populate_record_valid") {
        Ok(_) => Ok(true),
        Err(e) if matches!(e.sqlstate().class(), "22" | "23") => Ok(false),
        Err(e) => Err(e),
    }
}
