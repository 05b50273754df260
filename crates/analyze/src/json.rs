//! SQL/JSON constructors, predicates and query functions.
//!
//! PostgreSQL: `transformJson*` (`parse_expr.c`).

use base::error::Location;
use base::sqlstate::*;
use base::{Oid, PgError, Result};
use catalog::oids::fmgr;
use parser::ast;
use types::oid::*;
use types::{Datum, DatumRef};

use crate::coerce::{CATEGORY_STRING, Context, plain, type_category};
use crate::lookup::{Lookup, format_type};
use crate::query::*;
use crate::state::{Analyzer, ExprKind};

/// How a value stands in for JSON text: FORMAT JSON, given or implied.
#[derive(Clone, Copy, PartialEq)]
enum Format {
    Default,
    Json,
    Jsonb,
}

fn format_of(f: &ast::JsonFormat) -> Format {
    match f.format_type {
        ast::JsonFormatType::Default => Format::Default,
        ast::JsonFormatType::Json => Format::Json,
        ast::JsonFormatType::Jsonb => Format::Jsonb,
    }
}
fn encoding_name(f: &ast::JsonFormat) -> &'static str {
    match f.encoding {
        ast::JsonEncoding::Utf16 => "UTF16",
        ast::JsonEncoding::Utf32 => "UTF32",
        _ => "UTF8",
    }
}
fn call(funcid: Oid, result: TypeMod, args: Vec<Expr>, location: Location) -> Expr {
    Expr::FuncExpr(Box::new(FuncExpr {
        funcid,
        funcresulttype: result.oid,
        funcresulttypmod: -1,
        funccollid: result.collation,
        args,
        location,
        ..FuncExpr::default()
    }))
}
fn text_type() -> TypeMod {
    TypeMod { oid: TEXTOID, typmod: -1, collation: catalog::oids::DEFAULT_COLLATION_OID }
}

impl Analyzer<'_, '_> {
    pub(crate) fn json_expr(&mut self, e: &ast::Expr) -> Result<Expr> {
        match e {
            ast::Expr::JsonIsPredicate(p) => self.json_is_predicate(p),
            ast::Expr::JsonObjectConstructor(c) => self.json_object(c),
            ast::Expr::JsonArrayConstructor(c) => self.json_array(c),
            ast::Expr::JsonArrayQueryConstructor(c) => self.json_array_query(c),
            ast::Expr::JsonObjectAgg(a) => self.json_object_agg(a),
            ast::Expr::JsonArrayAgg(a) => self.json_array_agg(a),
            ast::Expr::JsonParseExpr(p) => self.json_parse(p),
            ast::Expr::JsonScalarExpr(s) => self.json_scalar(s),
            ast::Expr::JsonSerializeExpr(s) => self.json_serialize(s),
            ast::Expr::JsonFuncExpr(f) => self.json_func(f),
            _ => Err(PgError::unsupported("SQL/JSON")),
        }
    }

    // What goes in.

    /// `convert_from(bytes, encoding)`
    fn bytea_to_text(&self, e: Expr, format: &ast::JsonFormat) -> Expr {
        let location = e.location();
        let encoding = Expr::Const(Const {
            ty: plain(NAMEOID),
            len: 64,
            byval: false,
            value: Datum::text(encoding_name(format)),
            location: Location::UNKNOWN,
        });
        call(fmgr::F_CONVERT_FROM, text_type(), vec![e, encoding], location)
    }
    /// (PostgreSQL: `transformJsonValueExpr`)
    fn json_value(
        &mut self,
        construct: &str,
        v: &ast::JsonValueExpr,
        default: Format,
        target: Option<Oid>,
        is_arg: bool,
    ) -> Result<Expr> {
        let mut expr = self.expr(&v.raw_expr)?;
        if expr.type_oid() == UNKNOWNOID {
            expr = self.coerce_to_specific(expr, TEXTOID, -1, construct)?;
        }
        let raw = expr.clone();
        let mut t = expr.type_oid();
        let location = expr.location();
        let category = type_category(self.cat(), t)?;
        let is_json = matches!(t, JSONOID | JSONBOID);
        let written = format_of(&v.format);
        let format = if written != Format::Default {
            if v.format.encoding != ast::JsonEncoding::Default && t != BYTEAOID {
                let m = "JSON ENCODING clause is only allowed for bytea input type";
                return Err(PgError::new(DATATYPE_MISMATCH, m).at(v.format.location));
            }
            if is_json { Format::Default } else { written }
        } else if is_arg {
            let direct = matches!(
                t,
                BOOLOID
                    | NUMERICOID
                    | INT2OID
                    | INT4OID
                    | INT8OID
                    | FLOAT4OID
                    | FLOAT8OID
                    | TEXTOID
                    | VARCHAROID
                    | DATEOID
                    | TIMEOID
                    | TIMETZOID
                    | TIMESTAMPOID
                    | TIMESTAMPTZOID
            );
            if direct || category == CATEGORY_STRING {
                return Ok(expr);
            }
            default
        } else if is_json {
            Format::Default
        } else {
            default
        };
        if format == Format::Default && target.is_none_or(|w| w == t) {
            return Ok(expr);
        }
        if !is_arg && target.is_none() && t != BYTEAOID && category != CATEGORY_STRING {
            let m = match written {
                Format::Default => "cannot use non-string types with implicit FORMAT JSON clause",
                _ => "cannot use non-string types with explicit FORMAT JSON clause",
            };
            let at = if v.format.location == Location::UNKNOWN { location } else { v.format.location };
            return Err(PgError::new(DATATYPE_MISMATCH, m).at(at));
        }
        if format == Format::Json && t == BYTEAOID {
            expr = self.bytea_to_text(expr, &v.format);
            t = TEXTOID;
        }
        let wanted = target.unwrap_or(if format == Format::Jsonb { JSONBOID } else { JSONOID });
        let (cx, form) = (Context::Explicit, CoercionForm::ExplicitCast);
        let coerced = match self.coerce_to_target_type(expr.clone(), t, wanted, -1, cx, form, location)? {
            Some(c) => c,
            None if target.is_some() => {
                let (from, to) = (format_type(self.cat(), t)?, format_type(self.cat(), wanted)?);
                return Err(PgError::new(CANNOT_COERCE, format!("cannot cast type {from} to {to}")).at(location));
            }
            None => {
                let f = if wanted == JSONOID { fmgr::F_TO_JSON } else { fmgr::F_TO_JSONB };
                call(f, plain(wanted), vec![expr.clone()], location)
            }
        };
        if coerced == raw {
            return Ok(raw);
        }
        Ok(Expr::JsonValueExpr(Box::new(JsonValueExpr {
            raw_expr: raw,
            formatted_expr: coerced,
            format: JsonReturning { jsonb: format == Format::Jsonb, ..JsonReturning::default() },
        })))
    }
    /// The argument of IS JSON and JSON(): text or JSON. (PostgreSQL: `transformJsonParseArg`)
    fn json_text_arg(&mut self, e: &ast::Expr, format: &ast::JsonFormat) -> Result<(Expr, Oid)> {
        let expr = self.expr(e)?;
        let t = expr.type_oid();
        if t == BYTEAOID {
            let text = self.bytea_to_text(expr.clone(), format);
            let v = JsonValueExpr { raw_expr: expr, formatted_expr: text, format: JsonReturning::default() };
            return Ok((Expr::JsonValueExpr(Box::new(v)), TEXTOID));
        }
        let mut out = (expr, t);
        if t == UNKNOWNOID || type_category(self.cat(), t)? == CATEGORY_STRING {
            let (cx, form) = (Context::Implicit, CoercionForm::ImplicitCast);
            let location = out.0.location();
            match self.coerce_to_target_type(out.0, t, TEXTOID, -1, cx, form, Location::UNKNOWN)? {
                Some(e) => out = (e, TEXTOID),
                None => {
                    let m = format!("cannot cast type {} to text", format_type(self.cat(), t)?);
                    return Err(PgError::new(CANNOT_COERCE, m).at(location));
                }
            }
        }
        if format.encoding != ast::JsonEncoding::Default {
            let m = "cannot use JSON FORMAT ENCODING clause for non-bytea input types";
            return Err(PgError::new(FEATURE_NOT_SUPPORTED, m).at(format.location));
        }
        Ok(out)
    }
    fn json_is_predicate(&mut self, p: &ast::JsonIsPredicate) -> Result<Expr> {
        let (expr, t) = self.json_text_arg(&p.expr, &p.format)?;
        if !matches!(t, TEXTOID | JSONOID | JSONBOID) {
            let m = format!("cannot use type {} in IS JSON predicate", format_type(self.cat(), t)?);
            return Err(PgError::new(DATATYPE_MISMATCH, m));
        }
        Ok(Expr::JsonIsPredicate(Box::new(JsonIsPredicate {
            expr,
            item_type: match p.item_type {
                ast::JsonValueType::Any => JsonValueType::Any,
                ast::JsonValueType::Object => JsonValueType::Object,
                ast::JsonValueType::Array => JsonValueType::Array,
                ast::JsonValueType::Scalar => JsonValueType::Scalar,
            },
            unique_keys: p.unique_keys,
            location: p.location,
        })))
    }

    // What comes out.

    /// (PostgreSQL: `transformJsonOutput`) The type is invalid if none was given.
    fn json_output(&mut self, o: Option<&ast::JsonOutput>, allow_format: bool) -> Result<(JsonReturning, Location)> {
        let Some(o) = o else {
            return Ok((JsonReturning { typmod: -1, ..JsonReturning::default() }, Location::UNKNOWN));
        };
        let (typid, typmod) = self.type_and_typmod(&o.type_name)?;
        let unsupported = |m: &str| PgError::new(FEATURE_NOT_SUPPORTED, m);
        if o.type_name.setof {
            return Err(unsupported("returning SETOF types is not supported in SQL/JSON functions"));
        }
        let row = self.cat().type_row(typid)?;
        if row.typtype == b'p' {
            return Err(unsupported("returning pseudo-types is not supported in SQL/JSON functions"));
        }
        let f = &o.format;
        let mut ret = JsonReturning { typid, typmod, jsonb: typid == JSONBOID, ..JsonReturning::default() };
        if f.format_type == ast::JsonFormatType::Default {
            return Ok((ret, f.location));
        }
        if !allow_format && !matches!(typid, BYTEAOID | JSONOID | JSONBOID) && row.typcategory != CATEGORY_STRING {
            return Err(unsupported("cannot use JSON format with non-string output types").at(f.location));
        }
        ret.jsonb = f.format_type == ast::JsonFormatType::Jsonb;
        ret.explicit_format = true;
        if f.encoding != ast::JsonEncoding::Default {
            ret.encoding = Some(encoding_name(f).to_owned());
            if typid != BYTEAOID {
                return Err(unsupported("cannot set JSON encoding for non-bytea output types").at(f.location));
            }
            if f.encoding != ast::JsonEncoding::Utf8 {
                return Err(unsupported("unsupported JSON encoding")
                    .hint("Only UTF8 JSON encoding is supported.")
                    .at(f.location));
            }
        }
        Ok((ret, f.location))
    }
    /// Without RETURNING: `jsonb` if an argument is, else `json`. (PostgreSQL: `transformJsonConstructorOutput`)
    fn json_constructor_output(&mut self, o: Option<&ast::JsonOutput>, args: &[Expr]) -> Result<JsonReturning> {
        let (mut ret, _) = self.json_output(o, true)?;
        if !ret.typid.is_valid() {
            ret.jsonb = args.iter().any(|a| a.type_oid() == JSONBOID);
            ret.typid = if ret.jsonb { JSONBOID } else { JSONOID };
        }
        Ok(ret)
    }
    /// RETURNING of a constructor that gives JSON only. (PostgreSQL: `transformJsonReturning`)
    fn json_only_output(&mut self, o: Option<&ast::JsonOutput>, function: &str) -> Result<JsonReturning> {
        let Some(out) = o else {
            return Ok(JsonReturning { typid: JSONOID, typmod: -1, ..JsonReturning::default() });
        };
        let (ret, _) = self.json_output(o, false)?;
        if !matches!(ret.typid, JSONOID | JSONBOID) {
            let t = format_type(self.cat(), ret.typid)?;
            let m = format!("cannot use type {t} in RETURNING clause of {function}");
            let e = PgError::new(DATATYPE_MISMATCH, m).hint("Try returning json or jsonb.");
            return Err(e.at(out.type_name.location));
        }
        Ok(ret)
    }
    /// (PostgreSQL: `makeJsonConstructorExpr`, `coerceJsonFuncExpr`)
    fn json_constructor(&mut self, mut c: JsonConstructorExpr) -> Result<Expr> {
        let made = match &c.func {
            Some(f) => f.type_mod(),
            None if c.kind == JsonConstructorType::Serialize && c.args.first().is_some() => c.args[0].type_mod(),
            None => plain(if c.returning.jsonb { JSONBOID } else { JSONOID }),
        };
        let placeholder = Expr::CaseTestExpr(made);
        if c.returning.typid == made.oid {
            return Ok(Expr::JsonConstructorExpr(Box::new(c)));
        }
        if c.returning.typid == BYTEAOID && !c.returning.jsonb {
            let text = self.coerce_to_specific(placeholder, TEXTOID, -1, "JSON_FUNCTION")?;
            let encoding = Expr::Const(Const {
                ty: plain(NAMEOID),
                len: 64,
                byval: false,
                value: Datum::text(c.returning.encoding.as_deref().unwrap_or("UTF8")),
                location: Location::UNKNOWN,
            });
            c.coercion = Some(call(fmgr::F_CONVERT_TO, plain(BYTEAOID), vec![text, encoding], c.location));
            return Ok(Expr::JsonConstructorExpr(Box::new(c)));
        }
        let (cx, form) = (Context::Assignment, CoercionForm::ImplicitCast);
        let (to, typmod) = (c.returning.typid, c.returning.typmod);
        match self.coerce_to_target_type(placeholder, made.oid, to, typmod, cx, form, c.location)? {
            Some(e) => c.coercion = Some(e),
            None => {
                let (from, to) = (format_type(self.cat(), made.oid)?, format_type(self.cat(), to)?);
                return Err(PgError::new(CANNOT_COERCE, format!("cannot cast type {from} to {to}")).at(c.location));
            }
        }
        Ok(Expr::JsonConstructorExpr(Box::new(c)))
    }

    // Constructors.

    fn json_object(&mut self, c: &ast::JsonObjectConstructor) -> Result<Expr> {
        let mut args = Vec::new();
        for kv in &c.exprs {
            args.push(self.expr(&kv.key)?);
            args.push(self.json_value("JSON_OBJECT()", &kv.value, Format::Default, None, false)?);
        }
        let returning = self.json_constructor_output(c.output.as_ref(), &args)?;
        self.json_constructor(JsonConstructorExpr {
            kind: JsonConstructorType::Object,
            args,
            returning,
            absent_on_null: c.absent_on_null,
            unique: c.unique,
            location: c.location,
            ..JsonConstructorExpr::default()
        })
    }
    fn json_array(&mut self, c: &ast::JsonArrayConstructor) -> Result<Expr> {
        let mut args = Vec::new();
        for v in &c.exprs {
            args.push(self.json_value("JSON_ARRAY()", v, Format::Default, None, false)?);
        }
        let returning = self.json_constructor_output(c.output.as_ref(), &args)?;
        self.json_constructor(JsonConstructorExpr {
            kind: JsonConstructorType::Array,
            args,
            returning,
            absent_on_null: c.absent_on_null,
            location: c.location,
            ..JsonConstructorExpr::default()
        })
    }
    /// `JSON_ARRAY(SELECT ..)` is `(SELECT JSON_ARRAYAGG(a) FROM (SELECT ..) q(a))`.
    fn json_array_query(&mut self, c: &ast::JsonArrayQueryConstructor) -> Result<Expr> {
        let q = self.sub_analyze(&ast::Statement::Select(c.query.clone()), None, false, true)?;
        if q.target_list.iter().filter(|t| !t.resjunk).count() != 1 {
            return Err(PgError::new(SYNTAX_ERROR, "subquery must return only one column").at(c.location));
        }
        let column = ast::Expr::ColumnRef(ast::ColumnRef {
            fields: vec![ast::Field::Name("q".into()), ast::Field::Name("a".into())],
            location: c.location,
        });
        let agg = ast::JsonArrayAgg {
            constructor: ast::JsonAggConstructor {
                output: c.output.clone(),
                agg_filter: None,
                agg_order: Vec::new(),
                over: None,
                location: c.location,
            },
            arg: ast::JsonValueExpr { raw_expr: column, format: c.format },
            absent_on_null: c.absent_on_null,
        };
        let target = ast::ResTarget {
            name: None,
            indirection: Vec::new(),
            val: Some(ast::Expr::JsonArrayAgg(Box::new(agg))),
            location: c.location,
        };
        let from = ast::FromItem::RangeSubselect(Box::new(ast::RangeSubselect {
            lateral: false,
            subquery: c.query.clone(),
            alias: Some(ast::Alias { aliasname: "q".into(), colnames: vec!["a".into()] }),
        }));
        let select = ast::SelectStmt { target_list: vec![target], from_clause: vec![from], ..Default::default() };
        let link = ast::SubLink {
            sub_link_type: ast::SubLinkType::Expr,
            testexpr: None,
            oper_name: Vec::new(),
            subselect: Box::new(select),
            location: c.location,
        };
        self.expr(&ast::Expr::SubLink(Box::new(link)))
    }
    fn json_aggregate(
        &mut self,
        c: &ast::JsonAggConstructor,
        (name, aggtype): (&str, Oid),
        args: Vec<Expr>,
        mut made: JsonConstructorExpr,
    ) -> Result<Expr> {
        let aggfnoid = self
            .cat()
            .functions_by_name(name)?
            .iter()
            .find(|p| p.pronamespace == Oid(11) && p.prokind == b'a')
            .map(|p| p.oid)
            .ok_or_else(|| PgError::internal(format!("no aggregate {name}")))?;
        let filter = match &c.agg_filter {
            Some(f) => Some(self.where_clause(f, ExprKind::Filter, "FILTER")?),
            None => None,
        };
        let location = c.location;
        let func = if let Some(over) = &c.over {
            if !c.agg_order.is_empty() {
                let m = "aggregate ORDER BY is not implemented for window functions";
                return Err(PgError::new(FEATURE_NOT_SUPPORTED, m).at(location));
            }
            let w = WindowFunc {
                winfnoid: aggfnoid,
                wintype: aggtype,
                args,
                aggfilter: filter,
                winagg: true,
                location,
                ..WindowFunc::default()
            };
            self.window_func_call(w, over)?
        } else {
            let agg = Aggref { aggfnoid, aggtype, aggfilter: filter, aggkind: b'n', location, ..Aggref::default() };
            self.aggregate_call(agg, args, &c.agg_order, false)?
        };
        made.func = Some(func);
        made.location = location;
        self.json_constructor(made)
    }
    fn json_object_agg(&mut self, a: &ast::JsonObjectAgg) -> Result<Expr> {
        let key = self.expr(&a.arg.key)?;
        let value = self.json_value("JSON_OBJECTAGG()", &a.arg.value, Format::Default, None, false)?;
        let args = vec![key, value];
        let returning = self.json_constructor_output(a.constructor.output.as_ref(), &args)?;
        let (prefix, t) = if returning.jsonb { ("jsonb", JSONBOID) } else { ("json", JSONOID) };
        let unique = if a.unique { "_unique" } else { "" };
        let strict = if a.absent_on_null { "_strict" } else { "" };
        let made = JsonConstructorExpr {
            kind: JsonConstructorType::ObjectAgg,
            returning,
            absent_on_null: a.absent_on_null,
            unique: a.unique,
            ..JsonConstructorExpr::default()
        };
        self.json_aggregate(&a.constructor, (&format!("{prefix}_object_agg{unique}{strict}"), t), args, made)
    }
    fn json_array_agg(&mut self, a: &ast::JsonArrayAgg) -> Result<Expr> {
        let args = vec![self.json_value("JSON_ARRAYAGG()", &a.arg, Format::Default, None, false)?];
        let returning = self.json_constructor_output(a.constructor.output.as_ref(), &args)?;
        let (prefix, t) = if returning.jsonb { ("jsonb", JSONBOID) } else { ("json", JSONOID) };
        let strict = if a.absent_on_null { "_strict" } else { "" };
        let made = JsonConstructorExpr {
            kind: JsonConstructorType::ArrayAgg,
            returning,
            absent_on_null: a.absent_on_null,
            ..JsonConstructorExpr::default()
        };
        self.json_aggregate(&a.constructor, (&format!("{prefix}_agg{strict}"), t), args, made)
    }
    fn json_parse(&mut self, p: &ast::JsonParseExpr) -> Result<Expr> {
        let returning = self.json_only_output(p.output.as_ref(), "JSON()")?;
        let arg = if p.unique_keys {
            let (arg, t) = self.json_text_arg(&p.expr.raw_expr, &p.expr.format)?;
            if t != TEXTOID {
                let m = "cannot use non-string types with WITH UNIQUE KEYS clause";
                return Err(PgError::new(DATATYPE_MISMATCH, m).at(p.location));
            }
            arg
        } else {
            self.json_value("JSON()", &p.expr, Format::Json, Some(returning.typid), false)?
        };
        self.json_constructor(JsonConstructorExpr {
            kind: JsonConstructorType::Parse,
            args: vec![arg],
            returning,
            unique: p.unique_keys,
            location: p.location,
            ..JsonConstructorExpr::default()
        })
    }
    fn json_scalar(&mut self, s: &ast::JsonScalarExpr) -> Result<Expr> {
        let mut arg = self.expr(&s.expr)?;
        let returning = self.json_only_output(s.output.as_ref(), "JSON_SCALAR()")?;
        if arg.type_oid() == UNKNOWNOID {
            arg = self.coerce_to_specific(arg, TEXTOID, -1, "JSON_SCALAR")?;
        }
        self.json_constructor(JsonConstructorExpr {
            kind: JsonConstructorType::Scalar,
            args: vec![arg],
            returning,
            location: s.location,
            ..JsonConstructorExpr::default()
        })
    }
    fn json_serialize(&mut self, s: &ast::JsonSerializeExpr) -> Result<Expr> {
        let arg = self.json_value("JSON_SERIALIZE()", &s.expr, Format::Json, None, false)?;
        let returning = match &s.output {
            None => JsonReturning { typid: TEXTOID, typmod: -1, ..JsonReturning::default() },
            Some(_) => {
                let (ret, _) = self.json_output(s.output.as_ref(), true)?;
                if ret.typid != BYTEAOID && type_category(self.cat(), ret.typid)? != CATEGORY_STRING {
                    let t = format_type(self.cat(), ret.typid)?;
                    let m = format!("cannot use type {t} in RETURNING clause of JSON_SERIALIZE()");
                    return Err(PgError::new(DATATYPE_MISMATCH, m).hint("Try returning a string type or bytea."));
                }
                ret
            }
        };
        self.json_constructor(JsonConstructorExpr {
            kind: JsonConstructorType::Serialize,
            args: vec![arg],
            returning,
            location: s.location,
            ..JsonConstructorExpr::default()
        })
    }

    // Query functions.

    fn json_func(&mut self, f: &ast::JsonFuncExpr) -> Result<Expr> {
        use ast::JsonBehaviorType as B;
        let (name, default) = match f.op {
            ast::JsonExprOp::Exists => ("JSON_EXISTS", Format::Default),
            ast::JsonExprOp::Query => ("JSON_QUERY", Format::Jsonb),
            ast::JsonExprOp::Value => ("JSON_VALUE", Format::Default),
            ast::JsonExprOp::Table => ("JSON_TABLE", Format::Jsonb),
        };
        let syntax = |m: String, at: Location| PgError::new(SYNTAX_ERROR, m).at(at);
        if let Some(o) = &f.output
            && f.op != ast::JsonExprOp::Query
            && (o.format.format_type != ast::JsonFormatType::Default || o.format.encoding != ast::JsonEncoding::Default)
        {
            let m = format!("cannot specify FORMAT JSON in RETURNING clause of {name}()");
            return Err(syntax(m, o.format.location));
        }
        let check = |b: Option<&ast::JsonBehavior>, clause: &str, allowed: &[B], list: &str, columns: &str| {
            let Some(b) = b.filter(|b| !allowed.contains(&b.btype)) else { return Ok(()) };
            let (m, place) = match &f.column_name {
                None => (format!("invalid {clause} behavior"), format!("{name}()")),
                Some(c) => (format!("invalid {clause} behavior for column \"{c}\""), format!("{columns} columns")),
            };
            Err(syntax(m, b.location).detail(format!("Only {list} is allowed in {clause} for {place}.")))
        };
        let (on_empty, on_error) = (f.on_empty.as_ref(), f.on_error.as_ref());
        match f.op {
            ast::JsonExprOp::Query => {
                let wraps = matches!(f.wrapper, ast::JsonWrapper::Conditional | ast::JsonWrapper::Unconditional);
                if f.quotes == ast::JsonQuotes::Omit && wraps {
                    let m = "SQL/JSON QUOTES behavior must not be specified when WITH WRAPPER is used";
                    return Err(syntax(m.into(), f.location));
                }
                let allowed = [B::Error, B::Null, B::Empty, B::EmptyArray, B::EmptyObject, B::Default];
                let list = "ERROR, NULL, EMPTY ARRAY, EMPTY OBJECT, or DEFAULT expression";
                check(on_empty, "ON EMPTY", &allowed, list, "formatted")?;
                check(on_error, "ON ERROR", &allowed, list, "formatted")?;
            }
            ast::JsonExprOp::Exists => {
                let allowed = [B::Error, B::True, B::False, B::Unknown];
                check(on_error, "ON ERROR", &allowed, "ERROR, TRUE, FALSE, or UNKNOWN", "EXISTS")?;
            }
            ast::JsonExprOp::Value => {
                let allowed = [B::Error, B::Null, B::Default];
                let list = "ERROR, NULL, or DEFAULT expression";
                check(on_empty, "ON EMPTY", &allowed, list, "scalar")?;
                check(on_error, "ON ERROR", &allowed, list, "scalar")?;
            }
            ast::JsonExprOp::Table => {}
        }

        let formatted_expr = self.json_value(name, &f.context_item, default, Some(JSONBOID), false)?;
        let path = self.expr(&f.pathspec)?;
        let (path_type, path_at) = (path.type_oid(), path.location());
        let (cx, form) = (Context::Explicit, CoercionForm::ImplicitCast);
        let path_spec = match self.coerce_to_target_type(path, path_type, JSONPATHOID, -1, cx, form, path_at)? {
            Some(p) => p,
            None => {
                let t = format_type(self.cat(), path_type)?;
                let m = format!("JSON path expression must be of type jsonpath, not of type {t}");
                return Err(PgError::new(DATATYPE_MISMATCH, m).at(path_at));
            }
        };
        let (mut passing_names, mut passing_values) = (Vec::new(), Vec::new());
        for a in &f.passing {
            passing_values.push(self.json_value(name, &a.val, Format::Jsonb, None, true)?);
            passing_names.push(a.name.clone());
        }
        let (mut returning, _) = self.json_output(f.output.as_ref(), false)?;
        let mut x = JsonExpr {
            column_name: f.column_name.clone(),
            formatted_expr,
            path_spec,
            passing_names,
            passing_values,
            location: f.location,
            ..JsonExpr::default()
        };
        if !returning.typid.is_valid() {
            returning.typid = match f.op {
                ast::JsonExprOp::Exists => BOOLOID,
                ast::JsonExprOp::Value => TEXTOID,
                _ => JSONBOID,
            };
            returning.typmod = -1;
        }
        let typid = returning.typid;
        x.collation = self.cat().type_collation(typid)?;
        match f.op {
            ast::JsonExprOp::Exists => {
                x.op = JsonExprOp::Exists;
                x.use_json_coercion = typid != BOOLOID;
                x.on_error = Some(self.json_behavior(&x, on_error, JsonBehaviorType::False, &returning)?);
            }
            ast::JsonExprOp::Query => {
                x.op = JsonExprOp::Query;
                x.omit_quotes = f.quotes == ast::JsonQuotes::Omit;
                x.wrapper = match f.wrapper {
                    ast::JsonWrapper::Unspec => JsonWrapper::Unspecified,
                    ast::JsonWrapper::None => JsonWrapper::None,
                    ast::JsonWrapper::Conditional => JsonWrapper::Conditional,
                    ast::JsonWrapper::Unconditional => JsonWrapper::Unconditional,
                };
                x.use_json_coercion = typid != JSONBOID || x.omit_quotes;
                x.on_empty = Some(self.json_behavior(&x, on_empty, JsonBehaviorType::Null, &returning)?);
                x.on_error = Some(self.json_behavior(&x, on_error, JsonBehaviorType::Null, &returning)?);
            }
            ast::JsonExprOp::Value => {
                x.op = JsonExprOp::Value;
                x.omit_quotes = true;
                if typid != TEXTOID {
                    // A domain's constraints are tested on the finished value.
                    x.use_json_coercion = crate::coerce::is_domain(self.cat(), typid)?;
                    x.use_io_coercion = !x.use_json_coercion;
                }
                x.on_empty = Some(self.json_behavior(&x, on_empty, JsonBehaviorType::Null, &returning)?);
                x.on_error = Some(self.json_behavior(&x, on_error, JsonBehaviorType::Null, &returning)?);
            }
            ast::JsonExprOp::Table => {
                x.op = JsonExprOp::Table;
                x.on_error = Some(self.json_behavior(&x, on_error, JsonBehaviorType::EmptyArray, &returning)?);
            }
        }
        x.returning = returning;
        Ok(Expr::JsonExpr(Box::new(x)))
    }

    fn jsonb_const(&mut self, text: &str, location: Location) -> Result<Expr> {
        let row = self.cat().type_row(JSONBOID)?;
        let value = self.cx.rt.call(row.typinput, Oid::INVALID, &[DatumRef::Bytes(text.as_bytes())])?;
        Ok(Expr::Const(Const { ty: plain(JSONBOID), len: -1, byval: false, value, location }))
    }
    /// (PostgreSQL: `transformJsonBehavior`)
    fn json_behavior(
        &mut self,
        x: &JsonExpr,
        b: Option<&ast::JsonBehavior>,
        default: JsonBehaviorType,
        returning: &JsonReturning,
    ) -> Result<JsonBehavior> {
        use JsonBehaviorType as B;
        let btype = match b.map(|b| b.btype) {
            None => default,
            Some(ast::JsonBehaviorType::Null) => B::Null,
            Some(ast::JsonBehaviorType::Error) => B::Error,
            Some(ast::JsonBehaviorType::Empty) => B::Empty,
            Some(ast::JsonBehaviorType::True) => B::True,
            Some(ast::JsonBehaviorType::False) => B::False,
            Some(ast::JsonBehaviorType::Unknown) => B::Unknown,
            Some(ast::JsonBehaviorType::EmptyArray) => B::EmptyArray,
            Some(ast::JsonBehaviorType::EmptyObject) => B::EmptyObject,
            Some(ast::JsonBehaviorType::Default) => B::Default,
        };
        let location = b.map_or(Location::UNKNOWN, |b| b.location);
        let mut expr = match btype {
            B::Error => None,
            B::Default => match b.and_then(|b| b.expr.as_ref()) {
                Some(e) => Some(self.json_default(x, e)?),
                None => None,
            },
            B::EmptyArray => Some(self.jsonb_const("[]", location)?),
            B::EmptyObject => Some(self.jsonb_const("{}", location)?),
            B::True | B::False => Some(crate::coerce::bool_const_at(btype == B::True, location)),
            B::Null | B::Unknown | B::Empty => Some(crate::coerce::null_const(INT4OID, 4, true)),
        };
        let mut coerce = false;
        if let Some(e) = expr.take() {
            let t = e.type_oid();
            let is_null = matches!(&e, Expr::Const(c) if c.value.is_null());
            let fits = t == returning.typid && (returning.typmod < 0 || is_null);
            let (base, _) = self.cat().base_type(returning.typid, -1)?;
            expr = Some(if fits {
                e
            } else if is_null || t == JSONBOID || t == BOOLOID && base != INT4OID {
                coerce = true;
                match (t, btype) {
                    (BOOLOID, B::True) => self.jsonb_const("true", location)?,
                    (BOOLOID, B::False) => self.jsonb_const("false", location)?,
                    _ => e,
                }
            } else {
                let category = type_category(self.cat(), returning.typid)?;
                let cx = if matches!(category, b'S' | b'V') { Context::Assignment } else { Context::Explicit };
                let at = e.location();
                let form = CoercionForm::ExplicitCast;
                let target = (returning.typid, returning.typmod);
                match self.coerce_to_target_type(e, t, target.0, target.1, cx, form, location)? {
                    Some(e) => e,
                    None => {
                        let (from, to) = (format_type(self.cat(), t)?, format_type(self.cat(), returning.typid)?);
                        let m = format!("cannot cast behavior expression of type {from} to {to}");
                        let err = PgError::new(CANNOT_COERCE, m).at(at);
                        return Err(match btype {
                            B::Default => {
                                err.hint(format!("You will need to explicitly cast the expression to type {to}."))
                            }
                            _ => err,
                        });
                    }
                }
            });
        }
        Ok(JsonBehavior { btype, expr, coerce, location })
    }
    /// The expression of DEFAULT: constant, without columns.
    fn json_default(&mut self, x: &JsonExpr, e: &ast::Expr) -> Result<Expr> {
        let e = self.expr(e)?;
        let at = e.location();
        let bad = |m: &str| Err(PgError::new(DATATYPE_MISMATCH, m).at(at));
        if !is_simple(&e) {
            return bad("can only specify a constant, non-aggregate function, or operator expression for DEFAULT");
        }
        if crate::expr::contains_vars(&e)? {
            return bad("DEFAULT expression must not contain column references");
        }
        if crate::walker::returns_set(&e)? {
            return bad("DEFAULT expression must not return a set");
        }
        let mut own = e.collation();
        if !own.is_valid() {
            own = self.cat().type_collation(e.type_oid())?;
        }
        if x.collation.is_valid() && own.is_valid() && x.collation != own {
            let name = |o: Oid| -> Result<String> {
                Ok(self.cat().collation(o)?.map(|c| c.collname.clone()).unwrap_or_default())
            };
            let m = "collation of DEFAULT expression conflicts with RETURNING clause";
            let detail = format!("\"{}\" versus \"{}\"", name(own)?, name(x.collation)?);
            return Err(PgError::new(COLLATION_MISMATCH, m).detail(detail).at(at));
        }
        Ok(e)
    }
}

/// What DEFAULT may be: casts around a constant, a function call or an operator. (PostgreSQL:
/// `ValidJsonBehaviorDefaultExpr`)
fn is_simple(e: &Expr) -> bool {
    match e {
        Expr::Const(_) | Expr::FuncExpr(_) | Expr::OpExpr(_) => true,
        Expr::CoerceViaIO(c) => is_simple(&c.arg),
        Expr::CoerceToDomain(c) => is_simple(&c.arg),
        Expr::ArrayCoerceExpr(c) => is_simple(&c.arg),
        Expr::ConvertRowtypeExpr(c) => is_simple(&c.arg),
        Expr::RelabelType(c) => is_simple(&c.arg),
        Expr::CollateExpr(c) => is_simple(&c.arg),
        _ => false,
    }
}
