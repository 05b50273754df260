//! Evaluation of `jsonpath`.
//!
//! A step is applied to a value and hands its results to the next step; what comes out of the last one goes into a
//! [`Sink`]. An error of SQL/JSON is [`Fail::Soft`]: predicates turn it into "unknown", silent mode drops it. Other errors
//! pass through. In lax mode arrays are unwrapped and scalars wrapped as steps need it.
//! PostgreSQL: `executeItemOptUnwrapTarget` and its helpers.

use std::cmp::Ordering;

use base::sqlstate::*;
use base::{PgError, Result, SqlState};
use types::Settings;

use super::datetime::{self, Context, Datetime, Kind};
use super::*;
use crate::err::error;
use crate::json::Json;
use crate::regex::Regex;

/// A value on the way.
#[derive(Clone, Copy)]
pub enum Value<'a> {
    Json(&'a Json),
    Time(Datetime),
}
/// A result.
#[derive(Clone, Debug)]
pub enum Found {
    Json(Json),
    Time(Datetime),
}
impl Found {
    pub fn as_value(&self) -> Value<'_> {
        match self {
            Found::Json(j) => Value::Json(j),
            Found::Time(d) => Value::Time(*d),
        }
    }
    pub fn into_json(self) -> Json {
        match self {
            Found::Json(j) => j,
            Found::Time(d) => Json::String(d.to_text()),
        }
    }
}
impl Value<'_> {
    fn to_found(self) -> Found {
        match self {
            Value::Json(j) => Found::Json(j.clone()),
            Value::Time(d) => Found::Time(d),
        }
    }
}

pub enum Fail {
    Soft(PgError),
    Hard(PgError),
}
impl From<PgError> for Fail {
    fn from(e: PgError) -> Fail {
        Fail::Hard(e)
    }
}
type Outcome = std::result::Result<bool, Fail>;

fn soft<T>(code: SqlState, text: impl Into<String>) -> std::result::Result<T, Fail> {
    Err(Fail::Soft(error(code, text)))
}

/// Where results go. One that wants to know only whether there is any stops at the first.
#[derive(Default)]
struct Sink {
    list: Vec<Found>,
    first: bool,
}

/// What surrounds a step.
#[derive(Clone, Copy)]
struct Env<'v> {
    root: Value<'v>,
    /// `@`
    current: Value<'v>,
    /// The object that `.keyvalue()` counts from, and its number.
    base: (Option<&'v Json>, i64),
    /// What `last` refers to.
    size: Option<i64>,
    /// Structural errors are overlooked.
    forgiving: bool,
}

/// Named values for a path: of the `vars` argument, or of PASSING.
pub trait Variables {
    fn get(&self, name: &str) -> Option<Found>;
    /// The value that contains the variable and its number, for `.keyvalue()`.
    fn count(&self) -> i64;
}

pub struct Executor<'a> {
    settings: &'a Settings,
    vars: &'a dyn Variables,
    lax: bool,
    tz: bool,
    next_object: i64,
    regexes: Vec<(*const Item, Regex)>,
}

/// How a path is run.
pub struct Options<'a> {
    pub settings: &'a Settings,
    pub vars: &'a dyn Variables,
    /// The session's time zone may be used.
    pub tz: bool,
}

/// All results and the SQL/JSON error that ended the search, if any.
pub fn query(path: &JsonPath, json: &Json, o: &Options<'_>) -> Result<(Vec<Found>, Option<PgError>)> {
    let mut sink = Sink::default();
    match run(path, json, o, &mut sink) {
        Ok(_) => Ok((sink.list, None)),
        Err(Fail::Soft(e)) => Ok((sink.list, Some(e))),
        Err(Fail::Hard(e)) => Err(e),
    }
}
/// Whether there is any result.
pub fn exists(path: &JsonPath, json: &Json, o: &Options<'_>) -> Result<std::result::Result<bool, PgError>> {
    // In strict mode an error after the first result counts.
    let mut sink = Sink { list: Vec::new(), first: path.lax };
    match run(path, json, o, &mut sink) {
        Ok(found) => Ok(Ok(found || !sink.list.is_empty())),
        Err(Fail::Soft(e)) => Ok(Err(e)),
        Err(Fail::Hard(e)) => Err(e),
    }
}
fn run(path: &JsonPath, json: &Json, o: &Options<'_>, sink: &mut Sink) -> Outcome {
    let mut x = Executor {
        settings: o.settings,
        vars: o.vars,
        lax: path.lax,
        tz: o.tz,
        next_object: 1 + o.vars.count(),
        regexes: Vec::new(),
    };
    let root = Value::Json(json);
    let env = Env { root, current: root, base: (Some(json), 0), size: None, forgiving: path.lax };
    let unwrap = path.lax;
    x.item(&path.expr, root, env, sink, unwrap, 0)
}

const MAX_DEPTH: u32 = 1000;

/// A truth value; `None` is unknown.
type Truth = Option<bool>;

impl Executor<'_> {
    fn next(&mut self, item: &Item, v: Value<'_>, env: Env<'_>, sink: &mut Sink, depth: u32) -> Outcome {
        match &item.next {
            Some(next) => {
                let lax = self.lax;
                self.item(next, v, env, sink, lax, depth + 1)
            }
            None => {
                if !sink.first {
                    sink.list.push(v.to_found());
                }
                Ok(true)
            }
        }
    }
    fn next_json(&mut self, item: &Item, j: Json, env: Env<'_>, sink: &mut Sink, depth: u32) -> Outcome {
        self.next(item, Value::Json(&j), env, sink, depth)
    }
    /// Applies the step to each element.
    fn each(
        &mut self,
        item: Option<&Item>,
        list: &[Json],
        env: Env<'_>,
        sink: &mut Sink,
        unwrap: bool,
        depth: u32,
    ) -> Outcome {
        let mut any = false;
        for v in list {
            let found = match item {
                Some(i) => self.item(i, Value::Json(v), env, sink, unwrap, depth + 1)?,
                None => {
                    if !sink.first {
                        sink.list.push(Found::Json(v.clone()));
                    }
                    true
                }
            };
            any |= found;
            if found && sink.first {
                break;
            }
        }
        Ok(any)
    }
    fn item(&mut self, item: &Item, v: Value<'_>, env: Env<'_>, sink: &mut Sink, unwrap: bool, depth: u32) -> Outcome {
        if depth > MAX_DEPTH {
            return Err(Fail::Hard(error(STATEMENT_TOO_COMPLEX, "stack depth limit exceeded")));
        }
        // Steps that look into an array's elements where they need something else.
        let unwraps = matches!(
            item.op,
            Op::AnyKey | Op::Key(_) | Op::Unary(Unary::Filter, _) | Op::Decimal(..) | Op::Datetime(..)
        ) || matches!(item.op, Op::Method(m) if !matches!(m, Method::Type | Method::Size));
        if unwrap
            && unwraps
            && let Value::Json(Json::Array(list)) = v
        {
            return self.each(Some(item), list, env, sink, false, depth);
        }
        match &item.op {
            Op::Null | Op::Bool(_) | Op::Number(_) | Op::String(_) => {
                if sink.first && item.next.is_none() {
                    return Ok(true);
                }
                self.next_json(item, literal(&item.op), env, sink, depth)
            }
            Op::Variable(name) => {
                let missing = || error(UNDEFINED_OBJECT, format!("could not find jsonpath variable \"{name}\""));
                let found = self.vars.get(name).ok_or_else(missing)?;
                let base = match &found {
                    Found::Json(j) => (Some(j), 1),
                    Found::Time(_) => (None, 1),
                };
                self.next(item, found.as_value(), Env { base, ..env }, sink, depth)
            }
            Op::Root => self.next(item, env.root, Env { base: (json_of(env.root), 0), ..env }, sink, depth),
            Op::Current => self.next(item, env.current, env, sink, depth),
            Op::Last => {
                let size =
                    env.size.ok_or_else(|| PgError::internal("evaluating jsonpath LAST outside of array subscript"))?;
                self.next_json(item, Json::Number(Numeric::from_i64(size - 1)), env, sink, depth)
            }
            Op::Binary(op, a, b) if matches!(op.priority(), 3 | 4) => {
                self.arithmetic(item, *op, a, b, v, env, sink, depth)
            }
            Op::Unary(op @ (Unary::Plus | Unary::Minus), a) => self.signed(item, *op, a, v, env, sink, depth),
            Op::Unary(Unary::Filter, condition) => {
                let inner = Env { current: v, ..env };
                match self.truth(condition, v, inner, depth + 1)? {
                    Some(true) => self.next(item, v, env, sink, depth),
                    _ => Ok(false),
                }
            }
            Op::Binary(..) | Op::Unary(..) | Op::LikeRegex { .. } => {
                let t = self.truth(item, v, env, depth + 1)?;
                if sink.first && item.next.is_none() {
                    return Ok(true);
                }
                self.next_json(item, t.map_or(Json::Null, Json::Bool), env, sink, depth)
            }
            Op::AnyArray => match v {
                Value::Json(Json::Array(list)) => {
                    let lax = self.lax;
                    self.each(item.next.as_deref(), list, env, sink, lax, depth)
                }
                v if self.lax => self.next(item, v, env, sink, depth),
                _ if env.forgiving => Ok(false),
                _ => soft(SQL_JSON_ARRAY_NOT_FOUND, "jsonpath wildcard array accessor can only be applied to an array"),
            },
            Op::AnyKey => match v {
                Value::Json(Json::Object(list)) => {
                    let mut any = false;
                    for (_, member) in list {
                        let found = self.next(item, Value::Json(member), env, sink, depth)?;
                        any |= found;
                        if found && sink.first {
                            break;
                        }
                    }
                    Ok(any)
                }
                _ if env.forgiving => Ok(false),
                _ => soft(
                    SQL_JSON_OBJECT_NOT_FOUND,
                    "jsonpath wildcard member accessor can only be applied to an object",
                ),
            },
            Op::Key(name) => match v {
                Value::Json(Json::Object(list)) => match list.iter().find(|(k, _)| k == name) {
                    Some((_, member)) => self.next(item, Value::Json(member), env, sink, depth),
                    None if env.forgiving => Ok(false),
                    None => soft(SQL_JSON_MEMBER_NOT_FOUND, format!("JSON object does not contain key \"{name}\"")),
                },
                _ if env.forgiving => Ok(false),
                _ => soft(SQL_JSON_MEMBER_NOT_FOUND, "jsonpath member accessor can only be applied to an object"),
            },
            Op::Index(list) => self.subscripts(item, list, v, env, sink, depth),
            Op::Any(first, last) => {
                let mut any = false;
                if *first == 0 {
                    any = self.next(item, v, Env { forgiving: true, ..env }, sink, depth)?;
                    if any && sink.first {
                        return Ok(true);
                    }
                }
                let inner = Env { forgiving: true, ..env };
                Ok(self.descend(item, v, (1, *first, *last), inner, sink, depth)? || any)
            }
            Op::Method(m) => self.method(item, *m, v, env, sink, depth),
            Op::Datetime(m, arg) => {
                let d = self.datetime(*m, arg.as_deref(), v)?;
                self.next(item, Value::Time(d), env, sink, depth)
            }
            Op::Decimal(precision, scale) => {
                let n = self.decimal(v, precision.as_deref(), scale.as_deref())?;
                self.next_json(item, Json::Number(n), env, sink, depth)
            }
        }
    }
    /// Members of members down to a level. (PostgreSQL: `executeAnyItem`)
    fn descend(
        &mut self,
        item: &Item,
        v: Value<'_>,
        (level, first, last): (u32, u32, u32),
        env: Env<'_>,
        sink: &mut Sink,
        depth: u32,
    ) -> Outcome {
        if level > last || depth > MAX_DEPTH {
            return Ok(false);
        }
        let members: Vec<&Json> = match v {
            Value::Json(Json::Array(list)) => list.iter().collect(),
            Value::Json(Json::Object(list)) => list.iter().map(|(_, m)| m).collect(),
            _ => return Ok(false),
        };
        let mut any = false;
        for m in members {
            let container = matches!(m, Json::Array(_) | Json::Object(_));
            if level >= first || first == u32::MAX && last == u32::MAX && !container {
                any |= self.next(item, Value::Json(m), env, sink, depth)?;
            }
            if any && sink.first {
                return Ok(true);
            }
            if container {
                any |= self.descend(item, Value::Json(m), (level + 1, first, last), env, sink, depth + 1)?;
            }
            if any && sink.first {
                return Ok(true);
            }
        }
        Ok(any)
    }
    fn subscripts(
        &mut self,
        item: &Item,
        list: &[(Item, Option<Item>)],
        v: Value<'_>,
        env: Env<'_>,
        sink: &mut Sink,
        depth: u32,
    ) -> Outcome {
        let array: Option<&[Json]> = match v {
            Value::Json(Json::Array(a)) => Some(a),
            _ if self.lax => None,
            _ if env.forgiving => return Ok(false),
            _ => return soft(SQL_JSON_ARRAY_NOT_FOUND, "jsonpath array accessor can only be applied to an array"),
        };
        let size = array.map_or(1, |a| a.len() as i64);
        let inner = Env { size: Some(size), ..env };
        let mut any = false;
        for (from, to) in list {
            let first = self.index(from, v, inner, depth)?;
            let last = match to {
                Some(to) => self.index(to, v, inner, depth)?,
                None => first,
            };
            if !env.forgiving && (first < 0 || first > last || last >= size) {
                return soft(INVALID_SQL_JSON_SUBSCRIPT, "jsonpath array subscript is out of bounds");
            }
            for i in first.max(0)..=last.min(size - 1) {
                let element = array.map_or(v, |a| Value::Json(&a[i as usize]));
                let found = self.next(item, element, inner, sink, depth)?;
                any |= found;
                if found && sink.first {
                    return Ok(true);
                }
            }
        }
        Ok(any)
    }
    fn index(&mut self, item: &Item, v: Value<'_>, env: Env<'_>, depth: u32) -> std::result::Result<i64, Fail> {
        let mut sink = Sink::default();
        let lax = self.lax;
        self.item(item, v, env, &mut sink, lax, depth + 1)?;
        let [Found::Json(Json::Number(n))] = &sink.list[..] else {
            return soft(INVALID_SQL_JSON_SUBSCRIPT, "jsonpath array subscript is not a single numeric value");
        };
        match n.truncated(0).to_i128().and_then(|n| i32::try_from(n).ok()) {
            Some(i) => Ok(i.into()),
            None => soft(INVALID_SQL_JSON_SUBSCRIPT, "jsonpath array subscript is out of integer range"),
        }
    }

    /// An operand's values; arrays among them are unwrapped in lax mode if `unwrap`.
    fn operand(
        &mut self,
        item: &Item,
        v: Value<'_>,
        env: Env<'_>,
        unwrap: bool,
        depth: u32,
    ) -> std::result::Result<Vec<Found>, Fail> {
        let mut sink = Sink::default();
        let lax = self.lax;
        self.item(item, v, env, &mut sink, lax, depth + 1)?;
        if !unwrap || !lax {
            return Ok(sink.list);
        }
        let mut out = Vec::with_capacity(sink.list.len());
        for f in sink.list {
            match f {
                Found::Json(Json::Array(list)) => out.extend(list.into_iter().map(Found::Json)),
                f => out.push(f),
            }
        }
        Ok(out)
    }
    #[expect(clippy::too_many_arguments, reason = "a step's whole surroundings")]
    fn arithmetic(
        &mut self,
        item: &Item,
        op: Binary,
        a: &Item,
        b: &Item,
        v: Value<'_>,
        env: Env<'_>,
        sink: &mut Sink,
        depth: u32,
    ) -> Outcome {
        let left = self.operand(a, v, env, true, depth)?;
        let right = self.operand(b, v, env, true, depth)?;
        let single = |list: &[Found], side: &str| match list {
            [Found::Json(Json::Number(n))] => Ok(n.clone()),
            _ => soft(
                SINGLETON_SQL_JSON_ITEM_REQUIRED,
                format!("{side} operand of jsonpath operator {} is not a single numeric value", op.name()),
            ),
        };
        let (x, y) = (single(&left, "left")?, single(&right, "right")?);
        let result = match op {
            Binary::Add => Ok(x.add(&y)),
            Binary::Sub => Ok(x.sub(&y)),
            Binary::Mul => Ok(x.mul(&y)),
            Binary::Div => x.div(&y),
            _ => x.rem(&y),
        };
        let n = result.and_then(Numeric::checked).map_err(Fail::Soft)?;
        if sink.first && item.next.is_none() {
            return Ok(true);
        }
        self.next_json(item, Json::Number(n), env, sink, depth)
    }
    #[expect(clippy::too_many_arguments, reason = "a step's whole surroundings")]
    fn signed(
        &mut self,
        item: &Item,
        op: Unary,
        a: &Item,
        v: Value<'_>,
        env: Env<'_>,
        sink: &mut Sink,
        depth: u32,
    ) -> Outcome {
        let mut any = false;
        let only_test = sink.first && item.next.is_none();
        for f in self.operand(a, v, env, true, depth)? {
            match f {
                Found::Json(Json::Number(_)) if only_test => return Ok(true),
                Found::Json(Json::Number(n)) => {
                    let n = if op == Unary::Minus { n.negate() } else { n };
                    any |= self.next_json(item, Json::Number(n), env, sink, depth)?;
                    if any && sink.first {
                        return Ok(true);
                    }
                }
                _ if only_test => {}
                _ => {
                    let sign = if op == Unary::Minus { "-" } else { "+" };
                    let text = format!("operand of unary jsonpath operator {sign} is not a numeric value");
                    return soft(SQL_JSON_NUMBER_NOT_FOUND, text);
                }
            }
        }
        Ok(any)
    }

    /// A predicate's truth. (PostgreSQL: `executeBoolItem`)
    fn truth(&mut self, item: &Item, v: Value<'_>, env: Env<'_>, depth: u32) -> std::result::Result<Truth, Fail> {
        if depth > MAX_DEPTH {
            return Err(Fail::Hard(error(STATEMENT_TOO_COMPLEX, "stack depth limit exceeded")));
        }
        match &item.op {
            Op::Binary(Binary::And, a, b) => {
                let x = self.truth(a, v, env, depth + 1)?;
                if x == Some(false) {
                    return Ok(x);
                }
                let y = self.truth(b, v, env, depth + 1)?;
                Ok(if y == Some(true) { x } else { y })
            }
            Op::Binary(Binary::Or, a, b) => {
                let x = self.truth(a, v, env, depth + 1)?;
                if x == Some(true) {
                    return Ok(x);
                }
                let y = self.truth(b, v, env, depth + 1)?;
                Ok(if y == Some(false) { x } else { y })
            }
            Op::Unary(Unary::Not, a) => Ok(self.truth(a, v, env, depth + 1)?.map(|t| !t)),
            Op::Unary(Unary::IsUnknown, a) => Ok(Some(self.truth(a, v, env, depth + 1)?.is_none())),
            Op::Unary(Unary::Exists, a) => {
                let mut sink = Sink { list: Vec::new(), first: self.lax };
                let lax = self.lax;
                match self.item(a, v, env, &mut sink, lax, depth + 1) {
                    Ok(found) => Ok(Some(if lax { found } else { !sink.list.is_empty() })),
                    Err(Fail::Soft(_)) => Ok(None),
                    Err(e) => Err(e),
                }
            }
            Op::Binary(op, a, b) => {
                let unwrap_right = *op != Binary::StartsWith;
                let Some(left) = self.quiet(a, v, env, true, depth)? else { return Ok(None) };
                let Some(right) = self.quiet(b, v, env, unwrap_right, depth)? else { return Ok(None) };
                let op = *op;
                self.any_pair(&left, Some(&right), |x, l, r| match (op, r) {
                    (Binary::StartsWith, Some(r)) => Ok(starts_with(l, r)),
                    (op, Some(r)) => x.compare(op, l, r),
                    _ => Ok(None),
                })
            }
            Op::LikeRegex { expr, pattern, flags } => {
                let Some(left) = self.quiet(expr, v, env, true, depth)? else { return Ok(None) };
                let key: *const Item = item;
                if !self.regexes.iter().any(|(k, _)| *k == key) {
                    self.regexes.push((key, parse::regex(pattern, *flags)?));
                }
                self.any_pair(&left, None, |x, l, _| {
                    let Value::Json(Json::String(s)) = l else { return Ok(None) };
                    let chars: Vec<char> = s.chars().collect();
                    Ok(x.regexes.iter().find(|(k, _)| *k == key).map(|(_, r)| r.is_match(&chars)))
                })
            }
            _ => Err(Fail::Hard(PgError::internal("invalid boolean jsonpath item"))),
        }
    }
    /// An operand of a predicate; `None` after an error.
    fn quiet(
        &mut self,
        item: &Item,
        v: Value<'_>,
        env: Env<'_>,
        unwrap: bool,
        depth: u32,
    ) -> std::result::Result<Option<Vec<Found>>, Fail> {
        match self.operand(item, v, env, unwrap, depth) {
            Ok(list) => Ok(Some(list)),
            Err(Fail::Soft(_)) => Ok(None),
            Err(e) => Err(e),
        }
    }
    /// Whether any pair satisfies the test; in strict mode one unknown makes all unknown. (PostgreSQL: `executePredicate`)
    fn any_pair(
        &mut self,
        left: &[Found],
        right: Option<&[Found]>,
        test: impl Fn(&Executor<'_>, Value<'_>, Option<Value<'_>>) -> std::result::Result<Truth, Fail>,
    ) -> std::result::Result<Truth, Fail> {
        let (mut unknown, mut found) = (false, false);
        for l in left {
            let rights: Vec<Option<Value<'_>>> = match right {
                Some(r) => r.iter().map(|r| Some(r.as_value())).collect(),
                None => vec![None],
            };
            for r in rights {
                match test(self, l.as_value(), r)? {
                    None if !self.lax => return Ok(None),
                    None => unknown = true,
                    Some(true) if self.lax => return Ok(Some(true)),
                    Some(true) => found = true,
                    Some(false) => {}
                }
            }
        }
        Ok(if found {
            Some(true)
        } else if unknown {
            None
        } else {
            Some(false)
        })
    }
    fn compare(&self, op: Binary, a: Value<'_>, b: Value<'_>) -> std::result::Result<Truth, Fail> {
        let order = match (a, b) {
            (Value::Json(Json::Null), Value::Json(Json::Null)) => Ordering::Equal,
            (Value::Json(Json::Null), _) | (_, Value::Json(Json::Null)) => {
                return Ok(Some(op == Binary::NotEqual));
            }
            (Value::Json(Json::Bool(x)), Value::Json(Json::Bool(y))) => x.cmp(y),
            (Value::Json(Json::Number(x)), Value::Json(Json::Number(y))) => x.compare(y),
            (Value::Json(Json::String(x)), Value::Json(Json::String(y))) => x.cmp(y),
            (Value::Time(x), Value::Time(y)) => {
                let cx = Context { settings: self.settings, tz: self.tz };
                match cx.compare(x, y)? {
                    Some(o) => o,
                    None => return Ok(None),
                }
            }
            _ => return Ok(None),
        };
        Ok(Some(match op {
            Binary::Equal => order.is_eq(),
            Binary::NotEqual => order.is_ne(),
            Binary::Less => order.is_lt(),
            Binary::Greater => order.is_gt(),
            Binary::LessOrEqual => order.is_le(),
            _ => order.is_ge(),
        }))
    }

    fn method(&mut self, item: &Item, m: Method, v: Value<'_>, env: Env<'_>, sink: &mut Sink, depth: u32) -> Outcome {
        let text = |n: &Numeric| n.to_text();
        let invalid = |arg: &str, kind: &str| {
            let text = format!("argument \"{arg}\" of jsonpath item method .{}() is invalid for type {kind}", m.name());
            Fail::Soft(error(NON_NUMERIC_SQL_JSON_ITEM, text))
        };
        let only = |what: &str| -> Fail {
            let text = format!("jsonpath item method .{}() can only be applied to {what}", m.name());
            Fail::Soft(error(NON_NUMERIC_SQL_JSON_ITEM, text))
        };
        let integer = |kind: &str, min: i128, max: i128| -> std::result::Result<Numeric, Fail> {
            let n = match v {
                Value::Json(Json::Number(n)) => {
                    let whole = if n.is_finite() { n.rounded(0).to_i128() } else { None };
                    whole.filter(|i| (min..=max).contains(i)).ok_or_else(|| invalid(&text(n), kind))?
                }
                Value::Json(Json::String(s)) => {
                    let parsed = crate::int::parse_int(s, kind, i64::MIN, i64::MAX).ok().map(i128::from);
                    parsed.filter(|i| (min..=max).contains(i)).ok_or_else(|| invalid(s, kind))?
                }
                _ => return Err(only("a string or numeric value")),
            };
            Ok(Numeric::from_i128(n))
        };
        let result = match m {
            Method::Type => Json::String(
                match v {
                    Value::Json(j) => j.type_name(),
                    Value::Time(d) => d.kind.name(),
                }
                .to_owned(),
            ),
            Method::Size => {
                let n = match v {
                    Value::Json(Json::Array(list)) => list.len(),
                    _ if self.lax => 1,
                    _ if env.forgiving => return Ok(false),
                    _ => {
                        let text = "jsonpath item method .size() can only be applied to an array";
                        return soft(SQL_JSON_ARRAY_NOT_FOUND, text);
                    }
                };
                Json::Number(Numeric::from_i64(n as i64))
            }
            Method::Abs | Method::Floor | Method::Ceiling => {
                let Value::Json(Json::Number(n)) = v else { return Err(only("a numeric value")) };
                Json::Number(match m {
                    Method::Abs => n.abs(),
                    Method::Floor => n.floor(),
                    _ => n.ceil(),
                })
            }
            Method::Double => {
                let shown = match v {
                    Value::Json(Json::Number(n)) => text(n),
                    Value::Json(Json::String(s)) => s.clone(),
                    _ => return Err(only("a string or numeric value")),
                };
                let f = crate::float::parse_f64(&shown, "double precision")
                    .map_err(|_| invalid(&shown, "double precision"))?;
                if !f.is_finite() {
                    return Err(infinite(m));
                }
                match v {
                    Value::Json(Json::Number(n)) => Json::Number(n.clone()),
                    _ => Json::Number(crate::numeric::sql::from_float(f, 15).map_err(Fail::Soft)?),
                }
            }
            Method::Bigint => Json::Number(integer("bigint", i64::MIN.into(), i64::MAX.into())?),
            Method::Integer => Json::Number(integer("integer", i32::MIN.into(), i32::MAX.into())?),
            Method::Boolean => Json::Bool(match v {
                Value::Json(Json::Bool(b)) => *b,
                Value::Json(Json::Number(n)) => {
                    let shown = text(n);
                    let parsed = crate::int::parse_int(&shown, "integer", i64::MIN, i64::MAX)
                        .ok()
                        .filter(|i| i32::try_from(*i).is_ok());
                    parsed.ok_or_else(|| invalid(&shown, "boolean"))? != 0
                }
                Value::Json(Json::String(s)) => crate::boolean::parse_bool(s).ok_or_else(|| invalid(s, "boolean"))?,
                _ => return Err(only("a boolean, string, or numeric value")),
            }),
            Method::Number => Json::Number(self.number(v, m)?),
            Method::String => Json::String(match v {
                Value::Json(Json::String(s)) => s.clone(),
                Value::Json(Json::Number(n)) => text(n),
                Value::Json(Json::Bool(b)) => b.to_string(),
                Value::Time(d) => d.to_text(),
                _ => return Err(only("a boolean, string, numeric, or datetime value")),
            }),
            Method::KeyValue => return self.key_value(item, v, env, sink, depth),
            Method::Date => {
                let d = self.datetime(m, None, v)?;
                return self.next(item, Value::Time(d), env, sink, depth);
            }
            _ => return Err(Fail::Hard(PgError::internal("unexpected jsonpath method"))),
        };
        if sink.first && item.next.is_none() {
            return Ok(true);
        }
        self.next_json(item, result, env, sink, depth)
    }
    fn number(&self, v: Value<'_>, m: Method) -> std::result::Result<Numeric, Fail> {
        let n = match v {
            Value::Json(Json::Number(n)) => n.clone(),
            Value::Json(Json::String(s)) => Numeric::parse(s).map_err(|_| {
                let text =
                    format!("argument \"{s}\" of jsonpath item method .{}() is invalid for type numeric", m.name());
                Fail::Soft(error(NON_NUMERIC_SQL_JSON_ITEM, text))
            })?,
            _ => {
                let text =
                    format!("jsonpath item method .{}() can only be applied to a string or numeric value", m.name());
                return soft(NON_NUMERIC_SQL_JSON_ITEM, text);
            }
        };
        if n.is_finite() { Ok(n) } else { Err(infinite(m)) }
    }
    fn decimal(&self, v: Value<'_>, p: Option<&Item>, s: Option<&Item>) -> std::result::Result<Numeric, Fail> {
        let n = self.number(v, Method::Decimal)?;
        let Some(p) = p else { return Ok(n) };
        let int = |i: &Item, what: &str| -> std::result::Result<i32, Fail> {
            let Op::Number(n) = &i.op else { return Err(Fail::Hard(PgError::internal("a number was expected"))) };
            match n.rounded(0).to_i128().and_then(|n| i32::try_from(n).ok()) {
                Some(i) => Ok(i),
                None => soft(
                    NON_NUMERIC_SQL_JSON_ITEM,
                    format!("{what} of jsonpath item method .decimal() is out of range for type integer"),
                ),
            }
        };
        let precision = int(p, "precision")?;
        let scale = s.map_or(Ok(0), |s| int(s, "scale"))?;
        let typmod = crate::numeric::sql::make_typmod(precision, scale).map_err(Fail::Soft)?;
        let shown = match v {
            Value::Json(Json::String(s)) => s.clone(),
            _ => n.to_text(),
        };
        n.apply_typmod(typmod).map_err(|_| {
            let text = format!("argument \"{shown}\" of jsonpath item method .decimal() is invalid for type numeric");
            Fail::Soft(error(NON_NUMERIC_SQL_JSON_ITEM, text))
        })
    }
    fn datetime(&self, m: Method, arg: Option<&Item>, v: Value<'_>) -> std::result::Result<Datetime, Fail> {
        let Value::Json(Json::String(s)) = v else {
            return soft(
                INVALID_ARGUMENT_FOR_SQL_JSON_DATETIME_FUNCTION,
                format!("jsonpath item method .{}() can only be applied to a string", m.name()),
            );
        };
        let template = match arg.map(|a| &a.op) {
            Some(Op::String(t)) if m == Method::Datetime => Some(t.as_str()),
            _ => None,
        };
        let precision = match arg.map(|a| &a.op) {
            Some(Op::Number(n)) => match n.rounded(0).to_i128().and_then(|n| i32::try_from(n).ok()) {
                Some(p) => Some(p),
                None => {
                    let text = format!(
                        "time precision of jsonpath item method .{}() is out of range for type integer",
                        m.name()
                    );
                    return soft(INVALID_ARGUMENT_FOR_SQL_JSON_DATETIME_FUNCTION, text);
                }
            },
            _ => None,
        };
        let d = datetime::read(s, template, m).map_err(Fail::Soft)?;
        let to = match m {
            Method::Date => Kind::Date,
            Method::Time => Kind::Time,
            Method::TimeTz => Kind::TimeTz,
            Method::Timestamp => Kind::Timestamp,
            Method::TimestampTz => Kind::TimestampTz,
            _ => return Ok(d),
        };
        let cx = Context { settings: self.settings, tz: self.tz };
        let Some(mut d) = cx.cast(d, to)? else {
            return Err(Fail::Soft(datetime::not_recognized(m.name(), s)));
        };
        if let Some(p) = precision {
            let name = if matches!(to, Kind::Time | Kind::TimeTz) { "TIME" } else { "TIMESTAMP" };
            let zoned = if matches!(to, Kind::TimeTz | Kind::TimestampTz) { " WITH TIME ZONE" } else { "" };
            if p < 0 {
                let text = format!("{name}({p}){zoned} precision must not be negative");
                return Err(Fail::Hard(error(INVALID_PARAMETER_VALUE, text)));
            }
            d.value = crate::datetime::round_to(d.value, p.min(6));
        }
        Ok(d)
    }
    fn key_value(&mut self, item: &Item, v: Value<'_>, env: Env<'_>, sink: &mut Sink, depth: u32) -> Outcome {
        let Value::Json(object @ Json::Object(list)) = v else {
            let text = "jsonpath item method .keyvalue() can only be applied to an object";
            return soft(SQL_JSON_OBJECT_NOT_FOUND, text);
        };
        if sink.first && item.next.is_none() {
            return Ok(!list.is_empty());
        }
        let (base, number) = env.base;
        let offset = base.and_then(|b| crate::json::binary::offset_of(b, object)).unwrap_or(0);
        let id = offset as i64 + number * 10_000_000_000;
        let mut any = false;
        for (k, member) in list {
            let made = Json::Object(vec![
                ("id".to_owned(), Json::Number(Numeric::from_i64(id))),
                ("key".to_owned(), Json::String(k.clone())),
                ("value".to_owned(), member.clone()),
            ]);
            let number = self.next_object;
            self.next_object += 1;
            let inner = Env { base: (Some(&made), number), ..env };
            let found = self.next(item, Value::Json(&made), inner, sink, depth)?;
            any |= found;
            if found && sink.first {
                break;
            }
        }
        Ok(any)
    }
}
fn infinite(m: Method) -> Fail {
    let text = format!("NaN or Infinity is not allowed for jsonpath item method .{}()", m.name());
    Fail::Soft(error(NON_NUMERIC_SQL_JSON_ITEM, text))
}
fn json_of(v: Value<'_>) -> Option<&Json> {
    match v {
        Value::Json(j) => Some(j),
        Value::Time(_) => None,
    }
}
fn literal(op: &Op) -> Json {
    match op {
        Op::Bool(b) => Json::Bool(*b),
        Op::Number(n) => Json::Number(n.clone()),
        Op::String(s) => Json::String(s.clone()),
        _ => Json::Null,
    }
}
fn starts_with(whole: Value<'_>, initial: Value<'_>) -> Truth {
    match (whole, initial) {
        (Value::Json(Json::String(w)), Value::Json(Json::String(i))) => Some(w.starts_with(i.as_str())),
        _ => None,
    }
}
