//! SQL/JSON: query functions with their ON EMPTY and ON ERROR, constructors, IS JSON.
//!
//! PostgreSQL: `ExecEvalJsonExprPath`, `ExecEvalJsonCoercionFinish`, `ExecEvalJsonConstructor`, `ExecEvalJsonIsPredicate`.

use analyze::query::{JsonBehaviorType, JsonConstructorType};
use base::sqlstate::*;
use base::{Oid, PgError, Result};
use types::json::{JsonFns, JsonKind, JsonMaker, JsonOutcome, JsonQuery};
use types::{Batch, Datum, DatumRef, Rows};

use super::CExpr;
use super::function::plain;
use crate::state::Run;

/// What happens on an error or without a result.
pub(crate) struct Behavior {
    pub btype: JsonBehaviorType,
    pub expr: Option<CExpr>,
    /// The expression's `jsonb` or null is to be converted when it is needed.
    pub coerce: bool,
}

impl Behavior {
    fn name(&self) -> &'static str {
        match self.btype {
            JsonBehaviorType::Null => "NULL",
            JsonBehaviorType::Error => "ERROR",
            JsonBehaviorType::Empty => "EMPTY",
            JsonBehaviorType::True => "TRUE",
            JsonBehaviorType::False => "FALSE",
            JsonBehaviorType::Unknown => "UNKNOWN",
            JsonBehaviorType::EmptyArray => "EMPTY ARRAY",
            JsonBehaviorType::EmptyObject => "EMPTY OBJECT",
            JsonBehaviorType::Default => "DEFAULT",
        }
    }
    /// Its value for one row; `clause` is for messages.
    fn value(
        &mut self,
        run: &mut Run<'_>,
        fns: &JsonFns,
        q: &JsonQuery,
        clause: &str,
        input: &Batch,
        row: usize,
    ) -> Result<Datum> {
        let Some(e) = &mut self.expr else { return Ok(Datum::Null) };
        e.eval(run, input, Rows::Some(&[row as u32]))?;
        let v = plain(run, e.value(input, row))?;
        if !self.coerce {
            return Ok(v);
        }
        (fns.coerce)(run.cx, v.as_ref(), q.returning, q.typmod, q.omit_quotes).map_err(|e| {
            if !matches!(e.sqlstate().class(), "22" | "23" | "42") {
                return e;
            }
            let text = format!("could not coerce {clause} expression ({}) to the RETURNING type", self.name());
            PgError::new(DATATYPE_MISMATCH, text).detail(e.message())
        })
    }
}

pub(crate) struct JsonExprNode {
    pub json: CExpr,
    pub path: CExpr,
    pub passing: Vec<CExpr>,
    pub query: JsonQuery,
    pub on_empty: Option<Behavior>,
    pub on_error: Option<Behavior>,
    pub fns: JsonFns,
}

impl JsonExprNode {
    pub fn eval_parts(&mut self, run: &mut Run<'_>, input: &Batch, rows: Rows<'_>) -> Result<()> {
        self.json.eval(run, input, rows)?;
        self.path.eval(run, input, rows)?;
        self.passing.iter_mut().try_for_each(|p| p.eval(run, input, rows))
    }
    pub fn value(&mut self, run: &mut Run<'_>, input: &Batch, row: usize) -> Result<Datum> {
        let json = plain(run, self.json.value(input, row))?;
        let path = plain(run, self.path.value(input, row))?;
        if json.is_null() || path.is_null() {
            return Ok(Datum::Null);
        }
        let passed: Result<Vec<Datum>> = self.passing.iter().map(|p| plain(run, p.value(input, row))).collect();
        let passed = passed?;
        let refs: Vec<DatumRef<'_>> = passed.iter().map(Datum::as_ref).collect();
        let outcome = (self.fns.query)(run.cx, &self.query, json.as_ref(), path.as_ref(), &refs)?;
        let (behavior, clause) = match outcome {
            JsonOutcome::Value(v) => return Ok(v),
            JsonOutcome::Empty => (&mut self.on_empty, "ON EMPTY"),
            JsonOutcome::Error(_) => (&mut self.on_error, "ON ERROR"),
        };
        match behavior {
            Some(b) if b.btype != JsonBehaviorType::Error => b.value(run, &self.fns, &self.query, clause, input, row),
            _ => Err(match &self.query.column {
                Some(c) => {
                    let text = format!("no SQL/JSON item found for specified path of column \"{c}\"");
                    PgError::new(NO_SQL_JSON_ITEM, text)
                }
                None => PgError::new(NO_SQL_JSON_ITEM, "no SQL/JSON item found for specified path"),
            }),
        }
    }
}

/// A constructor that calls no function of its own.
pub(crate) struct JsonMakeNode {
    pub args: Vec<CExpr>,
    pub types: Vec<Oid>,
    pub maker: JsonMaker,
    pub fns: JsonFns,
}

impl JsonMakeNode {
    pub fn value(&mut self, run: &mut Run<'_>, input: &Batch, row: usize) -> Result<Datum> {
        let args: Result<Vec<Datum>> = self.args.iter().map(|a| plain(run, a.value(input, row))).collect();
        let args = args?;
        let refs: Vec<DatumRef<'_>> = args.iter().map(Datum::as_ref).collect();
        (self.fns.make)(run.cx, self.maker, &self.types, &refs)
    }
}

pub(crate) struct IsJsonNode {
    pub arg: CExpr,
    pub kind: JsonKind,
    pub unique: bool,
    pub type_oid: Oid,
    pub fns: JsonFns,
}

impl IsJsonNode {
    pub fn value(&mut self, run: &mut Run<'_>, input: &Batch, row: usize) -> Result<Datum> {
        let v = plain(run, self.arg.value(input, row))?;
        match v.is_null() {
            // Unlike other predicates it is unknown of nothing.
            true => Ok(Datum::Null),
            false => (self.fns.is_json)(self.kind, self.unique, self.type_oid, v.as_ref()).map(Datum::bool),
        }
    }
}

/// What a constructor does by itself; `None` where its argument or function is the value.
pub(crate) fn makes(kind: JsonConstructorType, unique: bool) -> Option<types::json::JsonMake> {
    use types::json::JsonMake;
    match kind {
        JsonConstructorType::Object => Some(JsonMake::Object),
        JsonConstructorType::Array => Some(JsonMake::Array),
        JsonConstructorType::Scalar => Some(JsonMake::Scalar),
        JsonConstructorType::Parse if unique => Some(JsonMake::Parse),
        _ => None,
    }
}
