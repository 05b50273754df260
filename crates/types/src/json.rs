//! SQL/JSON's hook: what the executor asks of the JSON functions beyond calls from SQL. The `functions` crate registers it.

use base::{Oid, PgError, Result};

use crate::datum::{Datum, DatumRef};
use crate::registry::Runtime;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum JsonQueryOp {
    Exists,
    Query,
    Value,
}
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum JsonWrap {
    Never,
    /// More than one item.
    Conditional,
    Always,
}

/// JSON_EXISTS, JSON_QUERY or JSON_VALUE: what does not change from row to row.
#[derive(Clone, Debug)]
pub struct JsonQuery {
    pub op: JsonQueryOp,
    pub wrap: JsonWrap,
    /// ERROR ON ERROR: errors are raised, not given back.
    pub throw: bool,
    pub omit_quotes: bool,
    /// Of JSON_TABLE, for messages.
    pub column: Option<String>,
    pub returning: Oid,
    pub typmod: i32,
    /// The result goes through the type's input function; or is made from JSON as rows are.
    pub io_coercion: bool,
    pub json_coercion: bool,
    /// PASSING.
    pub names: Vec<String>,
    pub types: Vec<Oid>,
}

/// What came of a query.
#[derive(Debug)]
pub enum JsonOutcome {
    Value(Datum),
    Empty,
    Error(PgError),
}

/// Makes a JSON value by constructor.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum JsonMake {
    Object,
    Array,
    Scalar,
    Parse,
}
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct JsonMaker {
    pub make: JsonMake,
    pub jsonb: bool,
    pub absent_on_null: bool,
    pub unique: bool,
}

/// IS JSON.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum JsonKind {
    Any,
    Object,
    Array,
    Scalar,
}

/// The functions behind SQL/JSON's syntax.
#[derive(Clone, Copy)]
pub struct JsonFns {
    /// Arguments: the query, the `jsonb` value, the path, the passed values.
    pub query: fn(&mut dyn Runtime, &JsonQuery, DatumRef<'_>, DatumRef<'_>, &[DatumRef<'_>]) -> Result<JsonOutcome>,
    /// A `jsonb` value as another type: value, type, typmod, whether strings lose their quotes.
    pub coerce: fn(&mut dyn Runtime, DatumRef<'_>, Oid, i32, bool) -> Result<Datum>,
    pub make: fn(&mut dyn Runtime, JsonMaker, &[Oid], &[DatumRef<'_>]) -> Result<Datum>,
    /// Whether a value of type `text`, `json` or `jsonb` is JSON of that kind, if asked without repeated keys.
    pub is_json: fn(JsonKind, bool, Oid, DatumRef<'_>) -> Result<bool>,
}
