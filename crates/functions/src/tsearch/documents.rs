//! `json` and `jsonb` into `tsvector`: of their strings, or of the kinds of values that a filter names.
//!
//! PostgreSQL: `jsonb_to_tsvector_worker` (`to_tsany.c`), `parse_jsonb_index_flags`.

use base::{Oid, Result};
use types::{FnCx, builtin};

use super::convert::{vector_of, with_configuration};
use super::lexize::{Configuration, Placed, parse_text};
use super::vector::TsVector;
use crate::err::invalid_parameter;
use crate::json::{Json, parse};

/// Which values count.
#[derive(Clone, Copy, Default)]
struct Wanted {
    key: bool,
    string: bool,
    numeric: bool,
    boolean: bool,
}

const STRINGS: Wanted = Wanted { key: false, string: true, numeric: false, boolean: false };

impl Wanted {
    fn of(filter: &Json) -> Result<Wanted> {
        let one;
        let list = match filter {
            Json::Array(list) => list.as_slice(),
            other => {
                one = [other.clone()];
                &one
            }
        };
        let mut w = Wanted::default();
        for f in list {
            let Json::String(name) = f else {
                return Err(invalid_parameter("wrong flag type, only arrays and scalars are allowed")
                    .hint("Possible values are: \"string\", \"numeric\", \"boolean\", \"key\", and \"all\"."));
            };
            match name.to_ascii_lowercase().as_str() {
                "all" => w = Wanted { key: true, string: true, numeric: true, boolean: true },
                "key" => w.key = true,
                "string" => w.string = true,
                "numeric" => w.numeric = true,
                "boolean" => w.boolean = true,
                _ => {
                    let text = format!("wrong flag in flag array: \"{name}\"");
                    let hint = "Possible values are: \"string\", \"numeric\", \"boolean\", \"key\", and \"all\".";
                    return Err(invalid_parameter(&text).hint(hint));
                }
            }
        }
        Ok(w)
    }
    /// The texts in order.
    fn texts(self, j: &Json, out: &mut Vec<String>) {
        match j {
            Json::String(s) if self.string => out.push(s.clone()),
            Json::Bool(_) if self.boolean => out.extend(j.as_text()),
            Json::Array(list) => list.iter().for_each(|e| self.texts(e, out)),
            Json::Object(list) => {
                for (k, v) in list {
                    if self.key {
                        out.push(k.clone());
                    }
                    self.texts(v, out);
                }
            }
            Json::Null | Json::String(_) | Json::Bool(_) => {}
            _ if self.numeric => out.extend(j.as_text()),
            _ => {}
        }
    }
}

fn vector(cx: &mut FnCx<'_>, config: Oid, texts: Vec<String>) -> Result<TsVector> {
    with_configuration(cx, config, |cx, c: &Configuration| {
        let mut words: Vec<Placed> = Vec::new();
        let mut after = 0;
        for t in texts {
            let before = words.len();
            let last = parse_text(cx.rt, c, &t, after, &mut words)?;
            // A gap, so that phrases do not reach from one value into the next.
            after = last + u32::from(words.len() > before);
        }
        vector_of(words).checked()
    })
}

fn of_jsonb(cx: &mut FnCx<'_>, config: Oid, j: &Json, w: Wanted) -> Result<TsVector> {
    let mut texts = Vec::new();
    w.texts(j, &mut texts);
    vector(cx, config, texts)
}
fn of_json(cx: &mut FnCx<'_>, config: Oid, s: &str, w: Wanted) -> Result<TsVector> {
    let j = parse(s, true)?.to_json(s)?;
    of_jsonb(cx, config, &j, w)
}

#[builtin("jsonb_string_to_tsvector")]
fn jsonb_string_to_tsvector(cx: &mut FnCx<'_>, j: Json) -> Result<TsVector> {
    of_jsonb(cx, Oid::INVALID, &j, STRINGS)
}
#[builtin("jsonb_string_to_tsvector_byid")]
fn jsonb_string_to_tsvector_byid(cx: &mut FnCx<'_>, config: Oid, j: Json) -> Result<TsVector> {
    of_jsonb(cx, config, &j, STRINGS)
}
#[builtin("jsonb_to_tsvector")]
fn jsonb_to_tsvector(cx: &mut FnCx<'_>, j: Json, filter: Json) -> Result<TsVector> {
    of_jsonb(cx, Oid::INVALID, &j, Wanted::of(&filter)?)
}
#[builtin("jsonb_to_tsvector_byid")]
fn jsonb_to_tsvector_byid(cx: &mut FnCx<'_>, config: Oid, j: Json, filter: Json) -> Result<TsVector> {
    of_jsonb(cx, config, &j, Wanted::of(&filter)?)
}
#[builtin("json_string_to_tsvector")]
fn json_string_to_tsvector(cx: &mut FnCx<'_>, s: &str) -> Result<TsVector> {
    of_json(cx, Oid::INVALID, s, STRINGS)
}
#[builtin("json_string_to_tsvector_byid")]
fn json_string_to_tsvector_byid(cx: &mut FnCx<'_>, config: Oid, s: &str) -> Result<TsVector> {
    of_json(cx, config, s, STRINGS)
}
#[builtin("json_to_tsvector")]
fn json_to_tsvector(cx: &mut FnCx<'_>, s: &str, filter: Json) -> Result<TsVector> {
    of_json(cx, Oid::INVALID, s, Wanted::of(&filter)?)
}
#[builtin("json_to_tsvector_byid")]
fn json_to_tsvector_byid(cx: &mut FnCx<'_>, config: Oid, s: &str, filter: Json) -> Result<TsVector> {
    of_json(cx, config, s, Wanted::of(&filter)?)
}
