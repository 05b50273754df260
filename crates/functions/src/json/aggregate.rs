//! json_agg, jsonb_agg, json_object_agg, jsonb_object_agg.

use std::any::Any;
use std::collections::HashSet;

use base::{Oid, Result};
use types::{AggStates, Arg, BuiltinAggregate, Datum, FnCall, FnCx, Rows};

use super::{Json, binary, build, write_string};
use crate::agg::{agg, each, mismatch, same};
use crate::err::error;

#[derive(Clone, Copy, PartialEq)]
enum Form {
    Text,
    Binary,
}

/// Values, with keys for objects.
struct Collect {
    groups: Vec<Option<Vec<(String, Vec<u8>)>>>,
    form: Form,
    object: bool,
    strict: bool,
    /// The keys so far, where they must differ.
    unique: Option<Vec<HashSet<String>>>,
    types: Vec<Oid>,
    bytes: usize,
}

impl AggStates for Collect {
    fn resize(&mut self, groups: usize) {
        self.groups.resize(groups, None);
        if let Some(keys) = &mut self.unique {
            keys.resize(groups, HashSet::new());
        }
    }
    fn update(&mut self, cx: &mut FnCx<'_>, groups: &[u32], args: &[Arg<'_>], rows: Rows<'_>) -> Result<()> {
        let Some(value) = args.last() else { return Err(mismatch()) };
        let type_at = |i: usize| self.types.get(i).copied().unwrap_or(types::oid::UNKNOWNOID);
        let (key_type, value_type) = (type_at(0), type_at(args.len() - 1));
        each(groups, rows, |g, r| {
            let list = self.groups[g].get_or_insert_default();
            let v = value.get(r);
            let mut key = String::new();
            if self.object {
                let k = args[0].get(r);
                if k.is_null() {
                    let text = if self.form == Form::Text {
                        "null value not allowed for object key"
                    } else {
                        "field name must not be null"
                    };
                    let code = if self.form == Form::Text {
                        base::sqlstate::NULL_VALUE_NOT_ALLOWED
                    } else {
                        base::sqlstate::INVALID_PARAMETER_VALUE
                    };
                    return Err(error(code, text));
                }
                key = build::key(cx.rt, key_type, k)?;
                if let Some(keys) = &mut self.unique
                    && !keys[g].insert(key.clone())
                {
                    return Err(duplicate_key(&key, self.form));
                }
            }
            if self.strict && v.is_null() {
                return Ok(());
            }
            let mut text = Vec::new();
            build::write(cx.rt, value_type, v, &mut text)?;
            self.bytes += 48 + key.len() + text.len();
            list.push((key, text));
            Ok(())
        })
    }
    fn finish(&mut self, cx: &mut FnCx<'_>, group: usize) -> Result<Datum> {
        let Some(list) = &self.groups[group] else { return Ok(Datum::Null) };
        if self.form == Form::Binary {
            let parse = |b: &[u8]| {
                let s = String::from_utf8_lossy(b).into_owned();
                super::parse(&s, true)?.to_json(&s)
            };
            let v = match self.object {
                true => Json::Object(list.iter().map(|(k, v)| Ok((k.clone(), parse(v)?))).collect::<Result<_>>()?),
                false => Json::Array(list.iter().map(|(_, v)| parse(v)).collect::<Result<_>>()?),
            };
            return Ok(Datum::bytes(binary::encode(&v)));
        }
        let mut out = Vec::from(if self.object { "{ " } else { "[" });
        let value_type = self.types.last().copied().unwrap_or(types::oid::UNKNOWNOID);
        let lines = !self.object && !list.is_empty() && is_structured(cx, value_type)?;
        for (i, (k, v)) in list.iter().enumerate() {
            if i > 0 {
                out.extend_from_slice(b", ");
                // Rows and arrays stand on lines of their own.
                if lines && v != b"null" {
                    out.extend_from_slice(b"\n ");
                }
            }
            if self.object {
                write_string(k, &mut out);
                out.extend_from_slice(b" : ");
            }
            out.extend_from_slice(v);
        }
        out.extend_from_slice(if self.object { b" }" } else { b"]" });
        Ok(Datum::bytes(out))
    }
    fn merge(&mut self, _: &mut FnCx<'_>, group: usize, from: &mut dyn AggStates, from_group: usize) -> Result<()> {
        let from = same::<Self>(from)?;
        if let (Some(ours), Some(theirs)) = (&mut self.unique, &mut from.unique) {
            for key in theirs[from_group].drain() {
                if let Some(twice) = ours[group].replace(key) {
                    return Err(duplicate_key(&twice, self.form));
                }
            }
        }
        if let Some(list) = from.groups[from_group].clone() {
            self.groups[group].get_or_insert_default().extend(list);
        }
        Ok(())
    }
    fn as_any(&mut self) -> &mut (dyn Any + 'static) {
        self
    }
    fn memory(&self) -> usize {
        self.bytes
    }
}
/// Arrays and composites.
fn is_structured(cx: &mut FnCx<'_>, t: Oid) -> Result<bool> {
    let info = cx.rt.type_info(t)?;
    Ok(info.typtype == b'c' || t == types::oid::RECORDOID || info.len == -1 && info.elem.is_valid())
}
fn duplicate_key(key: &str, form: Form) -> base::PgError {
    let mut text = Vec::from("duplicate JSON object key value");
    if form == Form::Text {
        text.extend_from_slice(b": ");
        write_string(key, &mut text);
    }
    error(base::sqlstate::DUPLICATE_JSON_OBJECT_KEY_VALUE, String::from_utf8_lossy(&text))
}
fn new(call: &FnCall, form: Form, object: bool, strict: bool) -> Box<dyn AggStates> {
    Box::new(collect(call, form, object, strict))
}
fn collect(call: &FnCall, form: Form, object: bool, strict: bool) -> Collect {
    Collect { groups: Vec::new(), form, object, strict, unique: None, types: call.arg_types.clone(), bytes: 0 }
}
fn unique(call: &FnCall, form: Form, strict: bool) -> Box<dyn AggStates> {
    Box::new(Collect { unique: Some(Vec::new()), ..collect(call, form, true, strict) })
}

pub static AGGREGATES: &[BuiltinAggregate] = &[
    agg("json_agg_transfn", "json_agg_finalfn", |c| new(c, Form::Text, false, false)),
    agg("json_agg_strict_transfn", "json_agg_finalfn", |c| new(c, Form::Text, false, true)),
    agg("json_object_agg_unique_transfn", "json_object_agg_finalfn", |c| unique(c, Form::Text, false)),
    agg("json_object_agg_unique_strict_transfn", "json_object_agg_finalfn", |c| unique(c, Form::Text, true)),
    agg("jsonb_object_agg_unique_transfn", "jsonb_object_agg_finalfn", |c| unique(c, Form::Binary, false)),
    agg("jsonb_object_agg_unique_strict_transfn", "jsonb_object_agg_finalfn", |c| unique(c, Form::Binary, true)),
    agg("json_object_agg_transfn", "json_object_agg_finalfn", |c| new(c, Form::Text, true, false)),
    agg("json_object_agg_strict_transfn", "json_object_agg_finalfn", |c| new(c, Form::Text, true, true)),
    agg("jsonb_agg_transfn", "jsonb_agg_finalfn", |c| new(c, Form::Binary, false, false)),
    agg("jsonb_agg_strict_transfn", "jsonb_agg_finalfn", |c| new(c, Form::Binary, false, true)),
    agg("jsonb_object_agg_transfn", "jsonb_object_agg_finalfn", |c| new(c, Form::Binary, true, false)),
    agg("jsonb_object_agg_strict_transfn", "jsonb_object_agg_finalfn", |c| new(c, Form::Binary, true, true)),
];
