//! Analyzed trees as SQL again: expressions, queries of views, and the definitions made of them.
//!
//! PostgreSQL: `utils/adt/ruleutils.c`. What is not covered answers 0A000 rather than a wrong text.

mod dml;
mod function;
mod partition;
mod statistics;
mod trigger;

use base::sqlstate::UNDEFINED_TABLE;
use base::{Oid, PgError, Result};
use catalog::Catalog;
use parser::{quote_identifier, quote_qualified};
use types::oid::*;
use types::{DatumRef, Runtime};

use crate::clause::strip_implicit;
use crate::lookup::Lookup;
use crate::oper::find_operator_if;
use crate::query::*;
use crate::walker::check_depth;

/// How the text is laid out. (PostgreSQL: `PRETTYFLAG_*`)
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Pretty {
    /// Only needed parentheses.
    pub paren: bool,
    /// One clause a line.
    pub indent: bool,
    /// Schemas only where needed.
    pub schema: bool,
}

impl Pretty {
    /// What `pg_get_viewdef(.., false)` uses.
    pub const INDENT: Pretty = Pretty { paren: false, indent: true, schema: false };
    /// What `pg_get_viewdef(.., true)` uses.
    pub const FULL: Pretty = Pretty { paren: true, indent: true, schema: true };
}

/// The names of one query level's tables and their columns.
struct Names {
    tables: Vec<String>,
    columns: Vec<Vec<String>>,
    /// Columns are shown with their table.
    prefix: bool,
}

pub use dml::rule_definition;
pub use statistics::{statistics_definition, statistics_expressions};
pub use partition::{partition_bound, partition_condition, partition_key, range_end};
pub use trigger::trigger_definition;

/// Writes trees as text.
pub struct Deparser<'a> {
    rt: &'a mut dyn Runtime,
    catalog: Catalog,
    pretty: Pretty,
    out: String,
    levels: Vec<Names>,
    /// The queries of those levels, for what variables stand for.
    queries: Vec<Query>,
    /// The left edge of the current query.
    indent: usize,
    /// How much further in its expressions' own lines are.
    inner: usize,
    /// The view's column names, which its outermost targets must show.
    result: Option<Vec<String>>,
    /// Whether anybody sees the current query's column names.
    visible: bool,
    /// For the next expression: implicit casts at its top are shown. (PostgreSQL: `showimplicit`)
    implicit: bool,
    /// The function whose body it is, with its arguments' names.
    function: Option<(String, Vec<String>)>,
}

impl<'a> Deparser<'a> {
    pub fn new(rt: &'a mut dyn Runtime, catalog: Catalog, pretty: Pretty) -> Deparser<'a> {
        Deparser {
            rt,
            catalog,
            pretty,
            out: String::new(),
            levels: Vec::new(),
            queries: Vec::new(),
            indent: 0,
            inner: 0,
            result: None,
            visible: true,
            implicit: false,
            function: None,
        }
    }

    /// An expression over the columns of one relation, which are shown bare. (PostgreSQL: `deparse_expression`)
    pub fn expr_of_relation(mut self, e: &Expr, relid: Oid) -> Result<String> {
        let mut names = Names { tables: Vec::new(), columns: Vec::new(), prefix: false };
        if relid.is_valid() {
            let Some(rel) = self.catalog.relation(relid)? else { return Ok(String::new()) };
            names.tables.push(rel.name().to_owned());
            names.columns.push(rel.desc.attrs.iter().map(|a| a.name.to_string()).collect());
        }
        self.levels.push(names);
        self.expr(e)?;
        Ok(self.out)
    }

    /// A view's query, without the closing semicolon; `names` are its columns' present names.
    pub fn view(mut self, q: &Query, names: Option<Vec<String>>) -> Result<String> {
        self.result = names;
        self.query(q)?;
        Ok(self.out)
    }

    /// A statement of a function's body.
    pub fn body_statement(mut self, q: &Query, function: &str, args: Vec<String>) -> Result<String> {
        self.function = Some((function.to_owned(), args));
        self.visible = false;
        self.indent = usize::from(self.pretty.indent);
        self.query(q)?;
        Ok(self.out)
    }

    fn put(&mut self, s: &str) {
        self.out.push_str(s);
    }
    fn ident(&mut self, s: &str) {
        let q = quote_identifier(s).into_owned();
        self.put(&q);
    }

    // ---- expressions ----

    fn list(&mut self, list: &[Expr]) -> Result<()> {
        for (i, e) in list.iter().enumerate() {
            if i > 0 {
                self.put(", ");
            }
            self.shown(e)?;
        }
        Ok(())
    }

    /// An expression with the implicit casts at its top, where the place does not tell its type.
    fn shown(&mut self, e: &Expr) -> Result<()> {
        self.implicit = true;
        self.expr(e)
    }
    fn wrapped_shown(&mut self, e: &Expr, parent: &Expr) -> Result<()> {
        self.implicit = true;
        self.wrapped(e, parent)
    }

    /// In parentheses unless pretty-printing finds them needless.
    fn wrapped(&mut self, e: &Expr, parent: &Expr) -> Result<()> {
        if self.pretty.paren && !is_simple(e, parent, &self.catalog) {
            self.put("(");
            self.expr(e)?;
            self.put(")");
            return Ok(());
        }
        self.expr(e)
    }

    /// `(text)` around a composite unless pretty.
    fn paren(&mut self, f: impl FnOnce(&mut Self) -> Result<()>) -> Result<()> {
        if !self.pretty.paren {
            self.put("(");
        }
        f(self)?;
        if !self.pretty.paren {
            self.put(")");
        }
        Ok(())
    }

    fn type_name(&mut self, oid: Oid, typmod: i32) -> Result<String> {
        self.catalog.format_type(oid, Some(typmod))
    }

    fn operator_name(&self, op: Oid, left: Oid, right: Oid) -> Result<String> {
        let o = self.catalog.operator_row(op)?;
        let names = [o.oprname.clone()];
        let found = find_operator_if(&self.catalog, &names, left, right, base::error::Location::UNKNOWN)?;
        if found.is_ok_and(|f| f == op) {
            return Ok(o.oprname.clone());
        }
        let ns = self.catalog.namespace_name(o.oprnamespace)?.unwrap_or_default();
        Ok(format!("OPERATOR({}.{})", quote_identifier(&ns), o.oprname))
    }

    fn function_name(&self, f: Oid, types: &[Oid], variadic: bool) -> Result<String> {
        use crate::resolve::{FindFunctions, function_candidates, matching, select};
        let p = self.catalog.function_row(f)?;
        let how = FindFunctions { expand_variadic: !variadic, expand_defaults: true, include_out_args: false };
        let names = [p.proname.clone()];
        let all = function_candidates(&self.catalog, &names, Some(types.len()), &[], how)?;
        let exact = all.iter().find(|k| k.args[..types.len()] == *types).map(|k| k.oid);
        let found = match exact {
            Some(o) => Some(o),
            None => {
                let mut m = matching(&self.catalog, types, all)?;
                match m.len() {
                    0 => None,
                    1 => m.pop().map(|k| k.oid),
                    _ => select(&self.catalog, types, m)?.map(|k| k.oid),
                }
            }
        };
        if found == Some(f) {
            return Ok(quote_identifier(&p.proname).into_owned());
        }
        Ok(quote_qualified(self.catalog.namespace_name(p.pronamespace)?.as_deref(), &p.proname))
    }

    /// (PostgreSQL: `get_const_expr`) `label`: 1 always, 0 where needed, -1 never.
    fn constant(&mut self, c: &Const, label: i32) -> Result<()> {
        let name = self.type_name(c.ty.oid, c.ty.typmod)?;
        if c.value.is_null() {
            self.put("NULL");
            if label >= 0 {
                self.put("::");
                self.put(&name);
            }
            return Ok(());
        }
        let t = self.catalog.type_row(c.ty.oid)?;
        let text = match c.value.as_ref() {
            DatumRef::Bytes(b) if matches!(c.ty.oid, TEXTOID | VARCHAROID | UNKNOWNOID | NAMEOID | BPCHAROID) => {
                String::from_utf8_lossy(b).into_owned()
            }
            DatumRef::Word(w) if matches!(c.ty.oid, INT2OID | INT4OID | INT8OID) => (w as i64).to_string(),
            DatumRef::Word(w) if c.ty.oid == BOOLOID => if w != 0 { "true" } else { "false" }.to_owned(),
            DatumRef::Word(w) if c.ty.oid == OIDOID => (w as u32).to_string(),
            d => {
                let out = self.rt.call(t.typoutput, Oid::INVALID, &[d])?;
                String::from_utf8_lossy(out.as_ref().as_bytes()).into_owned()
            }
        };
        let mut needs = true;
        match c.ty.oid {
            INT4OID if !text.starts_with('-') => {
                self.put(&text);
                needs = false;
            }
            INT4OID => self.put(&format!("'{text}'")),
            NUMERICOID
                if text.starts_with(|ch: char| ch.is_ascii_digit())
                    && text.bytes().all(|b| b.is_ascii_digit() || b"+-eE.".contains(&b)) =>
            {
                self.put(&text);
                // What reads back as a numeric by itself needs no label.
                needs = c.ty.typmod >= 0 || !text.contains(['.', 'e', 'E']);
            }
            BOOLOID => {
                self.put(&text);
                needs = false;
            }
            BITOID => {
                self.put(&format!("B'{text}'"));
                needs = c.ty.typmod < 0;
            }
            UNKNOWNOID => {
                self.put(&parser::quote_literal(&text));
                needs = false;
            }
            _ => self.put(&simple_literal(&text)),
        }
        if label > 0 || (label == 0 && needs) {
            self.put("::");
            self.put(&name);
        }
        if c.ty.collation.is_valid() && c.ty.collation != t.typcollation {
            let k = crate::builtins::regtypes::collation_text(&self.catalog, c.ty.collation)?;
            self.put(&format!(" COLLATE {k}"));
        }
        Ok(())
    }

    /// (PostgreSQL: `get_coercion_expr`)
    fn cast(&mut self, arg: &Expr, oid: Oid, typmod: i32, parent: &Expr) -> Result<()> {
        match arg {
            Expr::Const(c) if c.ty.oid == oid && c.ty.typmod == -1 => self.constant(c, -1)?,
            _ => {
                if !self.pretty.paren {
                    self.put("(");
                    self.expr(arg)?;
                    self.put(")");
                } else {
                    self.wrapped_cast(arg, parent)?;
                }
            }
        }
        let name = self.type_name(oid, typmod)?;
        self.put("::");
        self.put(&name);
        Ok(())
    }
    fn wrapped_cast(&mut self, arg: &Expr, parent: &Expr) -> Result<()> {
        if is_simple(arg, parent, &self.catalog) {
            return self.expr(arg);
        }
        self.put("(");
        self.expr(arg)?;
        self.put(")");
        Ok(())
    }

    /// An expression. (PostgreSQL: `get_rule_expr`)
    fn expr(&mut self, e: &Expr) -> Result<()> {
        check_depth()?;
        let implicit = std::mem::take(&mut self.implicit);
        match e {
            Expr::Var(v) => self.var(v),
            Expr::Const(c) => self.constant(c, 0),
            Expr::Param(p) => {
                let own = self.function.as_ref().filter(|_| p.kind == ParamKind::Extern);
                let named = own.and_then(|f| Some((f, f.1.get(usize::try_from(p.id - 1).ok()?)?)));
                let Some((function, name)) = named.filter(|n| !n.1.is_empty()) else {
                    self.put(&format!("${}", p.id));
                    return Ok(());
                };
                let (function, name) = (function.0.clone(), name.clone());
                // A column could have that name.
                if self.queries.iter().any(|q| !q.rtable.is_empty()) {
                    self.ident(&function);
                    self.put(".");
                }
                self.ident(&name);
                Ok(())
            }
            Expr::Aggref(a) => self.aggregate(a),
            Expr::GroupingFunc(g) => {
                self.put("GROUPING(");
                self.list(&g.args)?;
                self.put(")");
                Ok(())
            }
            Expr::WindowFunc(w) => self.window_func(w),
            Expr::SubscriptingRef(s) if s.refassgnexpr.is_none() => {
                let bare = matches!(s.refexpr, Expr::Var(_) | Expr::FieldSelect(_));
                if !bare {
                    self.put("(");
                }
                self.expr(&s.refexpr)?;
                if !bare {
                    self.put(")");
                }
                for (i, u) in s.refupperindexpr.iter().enumerate() {
                    self.put("[");
                    if !s.reflowerindexpr.is_empty() {
                        if let Some(Some(l)) = s.reflowerindexpr.get(i) {
                            self.expr(l)?;
                        }
                        self.put(":");
                    }
                    if let Some(u) = u {
                        self.expr(u)?;
                    }
                    self.put("]");
                }
                Ok(())
            }
            Expr::FuncExpr(f) => self.func(f, e, implicit),
            Expr::NamedArgExpr(n) => {
                self.ident(&n.name);
                self.put(" => ");
                self.expr(&n.arg)
            }
            Expr::OpExpr(o) => self.paren(|d| match &o.args[..] {
                [l, r] => {
                    d.wrapped_shown(l, e)?;
                    let name = d.operator_name(o.opno, l.type_oid(), r.type_oid())?;
                    d.put(&format!(" {name} "));
                    d.wrapped_shown(r, e)
                }
                [r] => {
                    let name = d.operator_name(o.opno, Oid::INVALID, r.type_oid())?;
                    d.put(&format!("{name} "));
                    d.wrapped_shown(r, e)
                }
                _ => Err(PgError::internal("an operator of many arguments")),
            }),
            Expr::DistinctExpr(o) => self.paren(|d| {
                d.wrapped_shown(&o.args[0], e)?;
                d.put(" IS DISTINCT FROM ");
                d.wrapped_shown(&o.args[1], e)
            }),
            Expr::NullIfExpr(o) => {
                self.put("NULLIF(");
                self.list(&o.args)?;
                self.put(")");
                Ok(())
            }
            Expr::ScalarArrayOpExpr(o) => self.paren(|d| {
                let (l, r) = (&o.args[0], &o.args[1]);
                d.wrapped_shown(l, e)?;
                let elem = d.catalog.base_elem_of(r.type_oid())?;
                let name = d.operator_name(o.opno, l.type_oid(), elem)?;
                d.put(&format!(" {name} {} (", if o.use_or { "ANY" } else { "ALL" }));
                d.wrapped_shown(r, e)?;
                if let Expr::SubLink(s) = r
                    && s.sub_link_type == SubLinkType::Expr
                {
                    let t = d.type_name(r.type_oid(), r.typmod())?;
                    d.put(&format!("::{t}"));
                }
                d.put(")");
                Ok(())
            }),
            Expr::BoolExpr(b) => match b.boolop {
                BoolExprType::Not => self.paren(|d| {
                    d.put("NOT ");
                    d.wrapped(&b.args[0], e)
                }),
                op => self.paren(|d| {
                    for (i, a) in b.args.iter().enumerate() {
                        if i > 0 {
                            d.put(if op == BoolExprType::And { " AND " } else { " OR " });
                        }
                        d.wrapped(a, e)?;
                    }
                    Ok(())
                }),
            },
            Expr::SubLink(s) => self.sub_link(s),
            Expr::FieldSelect(f) => {
                let simple = matches!(f.arg, Expr::SubscriptingRef(_) | Expr::FieldSelect(_));
                if !simple {
                    self.put("(");
                }
                self.shown(&f.arg)?;
                if !simple {
                    self.put(")");
                }
                let t = f.arg.type_oid();
                if t == RECORDOID {
                    return Err(PgError::unsupported("showing a field of an anonymous record"));
                }
                let desc = self.catalog.row_type(self.catalog.base_of(t)?)?;
                let name = desc.attrs.get(f.fieldnum as usize - 1).map(|a| a.name.to_string());
                self.put(".");
                self.ident(&name.unwrap_or_default());
                Ok(())
            }
            Expr::RelabelType(r) => match r.relabelformat {
                CoercionForm::ImplicitCast if !implicit => self.wrapped(&r.arg, e),
                _ => self.cast(&r.arg, r.resulttype.oid, r.resulttype.typmod, e),
            },
            Expr::CoerceViaIO(c) => match c.coerceformat {
                CoercionForm::ImplicitCast if !implicit => self.wrapped(&c.arg, e),
                _ => self.cast(&c.arg, c.resulttype, -1, e),
            },
            Expr::ArrayCoerceExpr(c) => match c.coerceformat {
                CoercionForm::ImplicitCast if !implicit => self.wrapped(&c.arg, e),
                _ => self.cast(&c.arg, c.resulttype.oid, c.resulttype.typmod, e),
            },
            Expr::ConvertRowtypeExpr(c) => match c.convertformat {
                CoercionForm::ImplicitCast if !implicit => self.wrapped(&c.arg, e),
                _ => self.cast(&c.arg, c.resulttype, -1, e),
            },
            Expr::CoerceToDomain(c) => match c.coercionformat {
                CoercionForm::ImplicitCast if !implicit => self.wrapped(&c.arg, e),
                _ => self.cast(&c.arg, c.resulttype.oid, c.resulttype.typmod, e),
            },
            Expr::CollateExpr(c) => self.paren(|d| {
                d.implicit = implicit;
                d.wrapped(&c.arg, e)?;
                let k = crate::builtins::regtypes::collation_text(&d.catalog, c.coll_oid)?;
                d.put(&format!(" COLLATE {k}"));
                Ok(())
            }),
            Expr::CaseExpr(c) => self.case(c),
            Expr::ArrayExpr(a) => {
                self.put("ARRAY[");
                self.list(&a.elements)?;
                self.put("]");
                if a.elements.is_empty() {
                    let t = self.type_name(a.array_typeid, -1)?;
                    self.put(&format!("::{t}"));
                }
                Ok(())
            }
            Expr::RowExpr(r) => {
                self.put("ROW(");
                self.list(&r.args)?;
                self.put(")");
                if r.row_format == CoercionForm::ExplicitCast {
                    let t = self.type_name(r.row_typeid, -1)?;
                    self.put(&format!("::{t}"));
                }
                Ok(())
            }
            Expr::RowCompareExpr(r) => {
                self.put("(ROW(");
                self.list(&r.largs)?;
                let name = self.operator_name(r.opnos[0], r.largs[0].type_oid(), r.rargs[0].type_oid())?;
                self.put(&format!(") {name} ROW("));
                self.list(&r.rargs)?;
                self.put("))");
                Ok(())
            }
            Expr::CoalesceExpr(c) => {
                self.put("COALESCE(");
                self.list(&c.args)?;
                self.put(")");
                Ok(())
            }
            Expr::MinMaxExpr(m) => {
                self.put(if m.greatest { "GREATEST(" } else { "LEAST(" });
                self.list(&m.args)?;
                self.put(")");
                Ok(())
            }
            Expr::SQLValueFunction(s) => {
                let (name, precise) = match s.op {
                    SvfOp::CurrentDate => ("CURRENT_DATE", false),
                    SvfOp::CurrentTime => ("CURRENT_TIME", false),
                    SvfOp::CurrentTimeN => ("CURRENT_TIME", true),
                    SvfOp::CurrentTimestamp => ("CURRENT_TIMESTAMP", false),
                    SvfOp::CurrentTimestampN => ("CURRENT_TIMESTAMP", true),
                    SvfOp::LocalTime => ("LOCALTIME", false),
                    SvfOp::LocalTimeN => ("LOCALTIME", true),
                    SvfOp::LocalTimestamp => ("LOCALTIMESTAMP", false),
                    SvfOp::LocalTimestampN => ("LOCALTIMESTAMP", true),
                    SvfOp::CurrentRole => ("CURRENT_ROLE", false),
                    SvfOp::CurrentUser => ("CURRENT_USER", false),
                    SvfOp::User => ("USER", false),
                    SvfOp::SessionUser => ("SESSION_USER", false),
                    SvfOp::CurrentCatalog => ("CURRENT_CATALOG", false),
                    SvfOp::CurrentSchema => ("CURRENT_SCHEMA", false),
                };
                self.put(name);
                if precise {
                    self.put(&format!("({})", s.typmod));
                }
                Ok(())
            }
            Expr::NullTest(n) => self.paren(|d| {
                d.wrapped_shown(&n.arg, e)?;
                // Of a row that is not a row constructor the test means less than IS NOT NULL says.
                let scalar_row = !n.argisrow && d.catalog.is_rowtype(n.arg.type_oid())?;
                d.put(match (scalar_row, n.not) {
                    (false, false) => " IS NULL",
                    (false, true) => " IS NOT NULL",
                    (true, false) => " IS NOT DISTINCT FROM NULL",
                    (true, true) => " IS DISTINCT FROM NULL",
                });
                Ok(())
            }),
            Expr::BooleanTest(b) => self.paren(|d| {
                d.wrapped(&b.arg, e)?;
                d.put(match b.booltesttype {
                    BoolTestType::IsTrue => " IS TRUE",
                    BoolTestType::IsNotTrue => " IS NOT TRUE",
                    BoolTestType::IsFalse => " IS FALSE",
                    BoolTestType::IsNotFalse => " IS NOT FALSE",
                    BoolTestType::IsUnknown => " IS UNKNOWN",
                    BoolTestType::IsNotUnknown => " IS NOT UNKNOWN",
                });
                Ok(())
            }),
            Expr::CoerceToDomainValue(_) => {
                self.put("VALUE");
                Ok(())
            }
            Expr::SetToDefault(..) => {
                self.put("DEFAULT");
                Ok(())
            }
            Expr::NextValueExpr { seqid, .. } => {
                let name = crate::builtins::regtypes::regclass_text(&self.catalog, *seqid)?;
                self.put(&format!("nextval({}::regclass)", simple_literal(&name)));
                Ok(())
            }
            _ => Err(PgError::unsupported("showing this kind of expression")),
        }
    }

    fn case(&mut self, c: &CaseExpr) -> Result<()> {
        self.own_line();
        self.put("CASE");
        self.inner += 4;
        if let Some(a) = &c.arg {
            self.put(" ");
            self.shown(a)?;
        }
        for w in &c.args {
            self.line_break();
            self.put("WHEN ");
            match (&c.arg, &w.expr) {
                // `CASE x WHEN y` is stored as `x = y`.
                (Some(_), Expr::OpExpr(o))
                    if o.args.len() == 2 && matches!(strip_implicit(&o.args[0]), Expr::CaseTestExpr(_)) =>
                {
                    self.expr(&o.args[1])?;
                }
                _ => self.expr(&w.expr)?,
            }
            self.put(" THEN ");
            self.shown(&w.result)?;
        }
        self.line_break();
        self.put("ELSE ");
        self.shown(&c.defresult)?;
        self.inner -= 4;
        self.line_break();
        self.put("END");
        Ok(())
    }

    /// A new line where lines are kept apart.
    fn own_line(&mut self) {
        if self.pretty.indent {
            self.out.truncate(self.out.trim_end_matches(' ').len());
            self.out.push('\n');
            self.out.extend(std::iter::repeat_n(' ', self.indent + self.inner));
        }
    }

    /// A new line where lines are kept apart, else a blank.
    fn line_break(&mut self) {
        if self.pretty.indent {
            self.own_line();
        } else {
            self.out.push(' ');
        }
    }

    fn var(&mut self, v: &Var) -> Result<()> {
        let i = self.levels.len().checked_sub(1 + v.varlevelsup as usize);
        let i = i.ok_or_else(|| PgError::internal("bogus varlevelsup"))?;
        let (no, att) = if v.varnosyn > 0 { (v.varnosyn, v.varattnosyn) } else { (v.varno, v.varattno) };
        let names = &self.levels[i];
        let mut table = names.tables.get(no as usize - 1).cloned().unwrap_or_default();
        match v.varreturning {
            VarReturning::Old => table = "old".to_owned(),
            VarReturning::New => table = "new".to_owned(),
            VarReturning::Default => {}
        }
        // A join without a name is seen through.
        if table.is_empty()
            && let Some(q) = self.queries.get(i)
            && let RteKind::Join(j) = &q.rte(no).kind
            && att > 0
        {
            let mut inner = j.join_alias_vars[att as usize - 1].clone();
            let column = names.columns[no as usize - 1].get(att as usize - 1).cloned().unwrap_or_default();
            crate::level::increment_levels(&mut inner, i64::from(v.varlevelsup), 0)?;
            if matches!(inner, Expr::Var(_)) {
                return self.expr(&inner);
            }
            // A merged column has no table.
            self.ident(&column);
            return Ok(());
        }
        let column = match att {
            0 => None,
            n if n < 0 => crate::names::system_column_by_number(n).map(|c| c.0.to_owned()),
            n => names.columns.get(no as usize - 1).and_then(|c| c.get(n as usize - 1)).cloned(),
        };
        let shown = self.levels.last().is_some_and(|l| l.prefix);
        let prefix = shown || v.varreturning != VarReturning::Default || att == 0;
        if prefix && !table.is_empty() {
            self.ident(&table);
            self.put(".");
        }
        match column {
            Some(c) => self.ident(&c),
            None => self.put("*"),
        }
        Ok(())
    }

    fn func(&mut self, f: &FuncExpr, e: &Expr, implicit: bool) -> Result<()> {
        match f.funcformat {
            CoercionForm::ImplicitCast if !implicit => return self.wrapped(&f.args[0], e),
            CoercionForm::ExplicitCast | CoercionForm::ImplicitCast => {
                let typmod = e.length_coercion_typmod().unwrap_or(-1);
                return self.cast(&f.args[0], f.funcresulttype, typmod, e);
            }
            CoercionForm::SqlSyntax => {
                if self.sql_syntax(f)? {
                    return Ok(());
                }
            }
            CoercionForm::ExplicitCall => {}
        }
        let types: Vec<Oid> = f.args.iter().map(Expr::type_oid).collect();
        let variadic_any = f.funcvariadic;
        let name = self.function_name(f.funcid, &types, variadic_any)?;
        self.put(&name);
        self.put("(");
        for (i, a) in f.args.iter().enumerate() {
            if i > 0 {
                self.put(", ");
            }
            if f.funcvariadic && i + 1 == f.args.len() {
                self.put("VARIADIC ");
            }
            self.shown(a)?;
        }
        self.put(")");
        Ok(())
    }

    /// (PostgreSQL: `get_func_sql_syntax`)
    fn sql_syntax(&mut self, f: &FuncExpr) -> Result<bool> {
        let p = self.catalog.function_row(f.funcid)?;
        match (p.proname.as_str(), &f.args[..]) {
            ("timezone", [zone, x]) => {
                self.put("(");
                self.wrapped(x, &Expr::FuncExpr(Box::new(f.clone())))?;
                self.put(" AT TIME ZONE ");
                self.expr(zone)?;
                self.put(")");
            }
            ("timezone", [x]) => {
                self.put("(");
                self.expr(x)?;
                self.put(" AT LOCAL)");
            }
            ("extract", [Expr::Const(c), x]) => {
                let field = String::from_utf8_lossy(c.value.as_ref().as_bytes()).into_owned();
                self.put(&format!("EXTRACT({field} FROM "));
                self.expr(x)?;
                self.put(")");
            }
            ("overlaps", [a, b, c, d]) => {
                self.put("((");
                self.list(&[a.clone(), b.clone()])?;
                self.put(") OVERLAPS (");
                self.list(&[c.clone(), d.clone()])?;
                self.put("))");
            }
            ("position", [x, sub]) => {
                self.put("POSITION((");
                self.expr(sub)?;
                self.put(") IN (");
                self.expr(x)?;
                self.put("))");
            }
            ("substring", [x, from]) => {
                self.put("SUBSTRING(");
                self.expr(x)?;
                self.put(" FROM ");
                self.expr(from)?;
                self.put(")");
            }
            ("substring", [x, from, n]) => {
                self.put("SUBSTRING(");
                self.expr(x)?;
                self.put(" FROM ");
                self.expr(from)?;
                self.put(" FOR ");
                self.expr(n)?;
                self.put(")");
            }
            ("btrim" | "ltrim" | "rtrim", args) => {
                let side = match p.proname.as_str() {
                    "btrim" => "BOTH",
                    "ltrim" => "LEADING",
                    _ => "TRAILING",
                };
                self.put(&format!("TRIM({side}"));
                if let [_, what] = args {
                    self.put(" ");
                    self.expr(what)?;
                }
                self.put(" FROM ");
                self.expr(&args[0])?;
                self.put(")");
            }
            ("system_user", []) => self.put("SYSTEM_USER"),
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn aggregate(&mut self, a: &Aggref) -> Result<()> {
        let name = self.function_name(a.aggfnoid, &a.aggargtypes, a.aggvariadic)?;
        self.put(&name);
        self.put("(");
        if !a.aggdistinct.is_empty() {
            self.put("DISTINCT ");
        }
        if a.aggkind != b'n' {
            self.list(&a.aggdirectargs)?;
            self.put(") WITHIN GROUP (ORDER BY ");
            self.order_by(&a.aggorder, &a.args)?;
        } else {
            if a.aggstar {
                self.put("*");
            }
            let args: Vec<Expr> = a.args.iter().filter(|t| !t.resjunk).map(|t| t.expr.clone()).collect();
            for (i, x) in args.iter().enumerate() {
                if i > 0 {
                    self.put(", ");
                }
                if a.aggvariadic && i + 1 == args.len() {
                    self.put("VARIADIC ");
                }
                self.shown(x)?;
            }
            if !a.aggorder.is_empty() {
                self.put(" ORDER BY ");
                self.order_by(&a.aggorder, &a.args)?;
            }
        }
        if let Some(f) = &a.aggfilter {
            self.put(") FILTER (WHERE ");
            self.expr(f)?;
        }
        self.put(")");
        Ok(())
    }

    fn window_func(&mut self, w: &WindowFunc) -> Result<()> {
        let types: Vec<Oid> = w.args.iter().map(Expr::type_oid).collect();
        let name = self.function_name(w.winfnoid, &types, false)?;
        self.put(&name);
        self.put("(");
        if w.winstar {
            self.put("*");
        } else {
            self.list(&w.args)?;
        }
        if let Some(f) = &w.aggfilter {
            self.put(") FILTER (WHERE ");
            self.expr(f)?;
        }
        self.put(") OVER ");
        let q = self.queries.last().cloned().ok_or_else(|| PgError::internal("a window without a query"))?;
        let c = q.window_clause.iter().find(|c| c.winref == w.winref);
        let c = c.ok_or_else(|| PgError::internal("could not find window clause"))?;
        match &c.name {
            Some(n) => self.ident(n),
            None => self.window_spec(c, &q.target_list)?,
        }
        Ok(())
    }

    /// (PostgreSQL: `get_rule_windowspec`)
    fn window_spec(&mut self, w: &WindowClause, list: &[TargetEntry]) -> Result<()> {
        use parser::ast::frame_option as fo;
        self.put("(");
        let mut sep = "";
        if let Some(r) = &w.refname {
            self.ident(r);
            sep = " ";
        }
        if !w.partition_clause.is_empty() && w.refname.is_none() {
            self.put(sep);
            self.put("PARTITION BY ");
            for (i, g) in w.partition_clause.iter().enumerate() {
                if i > 0 {
                    self.put(", ");
                }
                self.sort_expr(g, list)?;
            }
            sep = " ";
        }
        if !w.order_clause.is_empty() && !w.copied_order {
            self.put(sep);
            self.put("ORDER BY ");
            self.order_by(&w.order_clause, list)?;
            sep = " ";
        }
        let o = w.frame_options;
        if o & fo::NONDEFAULT != 0 {
            self.put(sep);
            self.put(if o & fo::RANGE != 0 {
                "RANGE "
            } else if o & fo::ROWS != 0 {
                "ROWS "
            } else {
                "GROUPS "
            });
            if o & fo::BETWEEN != 0 {
                self.put("BETWEEN ");
            }
            self.frame_bound(
                o & fo::START_UNBOUNDED_PRECEDING != 0,
                false,
                o & fo::START_CURRENT_ROW != 0,
                o & fo::START_OFFSET_PRECEDING != 0,
                w.start_offset.as_ref(),
            )?;
            if o & fo::BETWEEN != 0 {
                self.put("AND ");
                self.frame_bound(
                    false,
                    o & fo::END_UNBOUNDED_FOLLOWING != 0,
                    o & fo::END_CURRENT_ROW != 0,
                    o & fo::END_OFFSET_PRECEDING != 0,
                    w.end_offset.as_ref(),
                )?;
            }
            if o & fo::EXCLUDE_CURRENT_ROW != 0 {
                self.put("EXCLUDE CURRENT ROW ");
            } else if o & fo::EXCLUDE_GROUP != 0 {
                self.put("EXCLUDE GROUP ");
            } else if o & fo::EXCLUDE_TIES != 0 {
                self.put("EXCLUDE TIES ");
            }
            self.out.pop();
        }
        self.put(")");
        Ok(())
    }

    fn frame_bound(
        &mut self,
        first: bool,
        last: bool,
        current: bool,
        preceding: bool,
        offset: Option<&Expr>,
    ) -> Result<()> {
        if first {
            self.put("UNBOUNDED PRECEDING ");
        } else if last {
            self.put("UNBOUNDED FOLLOWING ");
        } else if current {
            self.put("CURRENT ROW ");
        } else if let Some(e) = offset {
            self.expr(e)?;
            self.put(if preceding { " PRECEDING " } else { " FOLLOWING " });
        }
        Ok(())
    }

    fn sort_expr(&mut self, s: &SortGroupClause, list: &[TargetEntry]) -> Result<Oid> {
        let i = crate::clause::sort_group_ref(list, s.tle_sort_group_ref)?;
        let e = list[i].expr.clone();
        let label = matches!(&e, Expr::Const(_));
        if label {
            if let Expr::Const(c) = &e {
                self.constant(c, 1)?;
            }
        } else {
            let own = matches!(e, Expr::Var(_) | Expr::FuncExpr(_) | Expr::Aggref(_) | Expr::WindowFunc(_));
            let needs = self.pretty.paren && !own;
            if needs {
                self.put("(");
            }
            self.shown(&e)?;
            if needs {
                self.put(")");
            }
        }
        Ok(e.type_oid())
    }

    fn order_by(&mut self, sort: &[SortGroupClause], list: &[TargetEntry]) -> Result<()> {
        for (i, s) in sort.iter().enumerate() {
            if i > 0 {
                self.put(", ");
            }
            let t = self.sort_expr(s, list)?;
            let ops = crate::oper::sort_group_ops(&self.catalog, t)?;
            if s.sortop == ops.lt {
                if s.nulls_first {
                    self.put(" NULLS FIRST");
                }
            } else if s.sortop == ops.gt {
                self.put(" DESC");
                if !s.nulls_first {
                    self.put(" NULLS LAST");
                }
            } else {
                let name = self.operator_name(s.sortop, t, t)?;
                self.put(&format!(" USING {name}"));
                self.put(if s.nulls_first { " NULLS FIRST" } else { " NULLS LAST" });
            }
        }
        Ok(())
    }

    fn sub_link(&mut self, s: &SubLink) -> Result<()> {
        if s.sub_link_type == SubLinkType::Array {
            self.put("ARRAY(");
        } else {
            self.put("(");
        }
        let mut op = String::new();
        if let Some(t) = &s.testexpr {
            match t {
                Expr::OpExpr(o) => {
                    self.shown(&o.args[0])?;
                    op = self.operator_name(o.opno, o.args[0].type_oid(), o.args[1].type_oid())?;
                }
                Expr::BoolExpr(b) => {
                    self.put("(");
                    for (i, x) in b.args.iter().enumerate() {
                        let Expr::OpExpr(o) = x else { return Err(PgError::internal("a row test of no operators")) };
                        if i > 0 {
                            self.put(", ");
                        }
                        self.shown(&o.args[0])?;
                        if i == 0 {
                            op = self.operator_name(o.opno, o.args[0].type_oid(), o.args[1].type_oid())?;
                        }
                    }
                    self.put(")");
                }
                Expr::RowCompareExpr(r) => {
                    self.put("(");
                    self.list(&r.largs)?;
                    self.put(")");
                    op = self.operator_name(r.opnos[0], r.largs[0].type_oid(), r.rargs[0].type_oid())?;
                }
                _ => return Err(PgError::internal("an unknown test expression")),
            }
        }
        let mut need_paren = true;
        match s.sub_link_type {
            SubLinkType::Exists => self.put("EXISTS "),
            SubLinkType::Any if op == "=" => self.put(" IN "),
            SubLinkType::Any => self.put(&format!(" {op} ANY ")),
            SubLinkType::All => self.put(&format!(" {op} ALL ")),
            SubLinkType::RowCompare => self.put(&format!(" {op} ")),
            _ => need_paren = false,
        }
        if need_paren {
            self.put("(");
        }
        let saved = self.indent;
        if self.pretty.indent {
            self.indent += 8;
        }
        self.nested(&s.subselect, false)?;
        self.indent = saved;
        self.put(if need_paren { "))" } else { ")" });
        Ok(())
    }

    // ---- queries ----

    fn query(&mut self, q: &Query) -> Result<()> {
        check_depth()?;
        let mut q = q.clone();
        let groups = usize::from(q.has_group_rte);
        crate::agg::flatten_group_exprs(&mut q)?;
        let prefix = !self.levels.is_empty() || q.rtable.len() - groups != 1;
        let names = self.names(&q, prefix)?;
        self.levels.push(names);
        self.queries.push(q.clone());
        let saved = std::mem::replace(&mut self.inner, 8);
        let r = match q.command_type {
            CmdType::Select => self.select(&q),
            _ => self.modification(&q),
        };
        self.inner = saved;
        self.levels.pop();
        self.queries.pop();
        r
    }

    /// A query inside another: nobody asks for the view's column names there.
    fn nested(&mut self, q: &Query, visible: bool) -> Result<()> {
        let result = self.result.take();
        let saved = std::mem::replace(&mut self.visible, visible);
        let r = self.query(q);
        (self.result, self.visible) = (result, saved);
        r
    }

    /// Names for a level's tables, each different. (PostgreSQL: `set_rtable_names`)
    fn names(&mut self, q: &Query, prefix: bool) -> Result<Names> {
        let mut taken: Vec<String> = self.levels.iter().flat_map(|l| l.tables.iter().cloned()).collect();
        let mut tables = Vec::new();
        let mut columns = Vec::new();
        for r in &q.rtable {
            let own = match (&r.kind, &r.alias) {
                (RteKind::Join(_), None) | (RteKind::Group { .. }, _) => String::new(),
                (RteKind::Relation { relid, .. }, None) => self.catalog.class_row(*relid)?.relname.clone(),
                _ => r.eref.aliasname.clone(),
            };
            let mut name = own.clone();
            let mut n = 0;
            while !name.is_empty() && taken.contains(&name) {
                n += 1;
                name = format!("{own}_{n}");
            }
            if !name.is_empty() {
                taken.push(name.clone());
            }
            tables.push(name);
            let mut cols = r.eref.colnames.clone();
            // A table's columns by their present names, where the view gave none.
            if let RteKind::Relation { relid, .. } = &r.kind
                && let Some(rel) = self.catalog.relation(*relid)?
            {
                let given = r.alias.as_ref().map_or(0, |a| a.colnames.len());
                for (i, a) in rel.desc.attrs.iter().enumerate().skip(given) {
                    match cols.get_mut(i) {
                        Some(c) => *c = a.name.to_string(),
                        None => cols.push(a.name.to_string()),
                    }
                }
            }
            columns.push(cols);
        }
        Ok(Names { tables, columns, prefix })
    }

    /// A keyword at the start of its own line, indented so much from the query's left edge.
    fn clause(&mut self, word: &str, back: usize) {
        if self.pretty.indent {
            self.out.push('\n');
            let n = self.indent + back;
            self.out.extend(std::iter::repeat_n(' ', n));
            self.put(word);
        } else {
            self.put(" ");
            self.put(word);
        }
    }

    fn select(&mut self, q: &Query) -> Result<()> {
        if !q.cte_list.is_empty() {
            self.put(if q.has_recursive { " WITH RECURSIVE " } else { " WITH " });
            for (i, c) in q.cte_list.iter().enumerate() {
                if i > 0 {
                    self.put(", ");
                }
                self.ident(&c.ctename);
                if !c.aliascolnames.is_empty() {
                    let list: Vec<_> = c.aliascolnames.iter().map(|n| quote_identifier(n).into_owned()).collect();
                    self.put(&format!("({})", list.join(", ")));
                }
                if c.search_clause.is_some() || c.cycle_clause.is_some() {
                    return Err(PgError::unsupported("showing SEARCH and CYCLE"));
                }
                self.put(" AS ");
                match c.ctematerialized {
                    CteMaterialize::Default => {}
                    CteMaterialize::Always => self.put("MATERIALIZED "),
                    CteMaterialize::Never => self.put("NOT MATERIALIZED "),
                }
                self.put("(");
                let saved = self.indent;
                self.own_line();
                if self.pretty.indent {
                    self.indent += 8;
                }
                self.nested(&c.ctequery, true)?;
                self.indent = saved;
                self.own_line();
                self.put(")");
            }
            if self.pretty.indent {
                self.out.push('\n');
                self.out.extend(std::iter::repeat_n(' ', self.indent));
            } else {
                self.put(" ");
            }
        }
        let force_sort = match &q.set_operations {
            Some(node) => {
                self.set_op(node, q)?;
                true
            }
            None => {
                self.basic_select(q)?;
                false
            }
        };
        let _ = force_sort;
        if !q.sort_clause.is_empty() {
            self.clause("ORDER BY ", 2);
            if q.set_operations.is_some() {
                for (i, s) in q.sort_clause.iter().enumerate() {
                    if i > 0 {
                        self.put(", ");
                    }
                    let k = crate::clause::sort_group_ref(&q.target_list, s.tle_sort_group_ref)?;
                    let no = q.target_list[k].resno;
                    self.put(&no.to_string());
                    if s.reverse_sort {
                        self.put(" DESC");
                        if !s.nulls_first {
                            self.put(" NULLS LAST");
                        }
                    } else if s.nulls_first {
                        self.put(" NULLS FIRST");
                    }
                }
            } else {
                self.order_by(&q.sort_clause, &q.target_list)?;
            }
        }
        if let Some(o) = &q.limit_offset {
            self.clause("OFFSET ", 1);
            self.expr(o)?;
        }
        if let Some(l) = &q.limit_count {
            if q.limit_with_ties {
                self.clause("FETCH FIRST (", 0);
                self.expr(l)?;
                self.put(") ROWS WITH TIES");
            } else {
                self.clause("LIMIT ", 1);
                match l {
                    Expr::Const(c) if c.value.is_null() => self.put("ALL"),
                    e => self.expr(e)?,
                }
            }
        }
        for m in q.row_marks.iter().filter(|m| !m.pushed_down) {
            let word = match m.strength {
                LockClauseStrength::ForKeyShare => "FOR KEY SHARE",
                LockClauseStrength::ForShare => "FOR SHARE",
                LockClauseStrength::ForNoKeyUpdate => "FOR NO KEY UPDATE",
                _ => "FOR UPDATE",
            };
            self.clause(word, 1);
            let name = self.levels.last().map(|l| l.tables[m.rti as usize - 1].clone()).unwrap_or_default();
            self.put(" OF ");
            self.ident(&name);
            match m.wait_policy {
                LockWaitPolicy::Error => self.put(" NOWAIT"),
                LockWaitPolicy::Skip => self.put(" SKIP LOCKED"),
                LockWaitPolicy::Block => {}
            }
        }
        Ok(())
    }

    fn set_op(&mut self, n: &SetOpNode, q: &Query) -> Result<()> {
        match n {
            SetOpNode::Leaf(i) => {
                let RteKind::Subquery { subquery, .. } = &q.rte(*i).kind else {
                    return Err(PgError::internal("a set operation of no query"));
                };
                let paren = !subquery.cte_list.is_empty()
                    || !subquery.sort_clause.is_empty()
                    || !subquery.row_marks.is_empty()
                    || subquery.limit_count.is_some()
                    || subquery.limit_offset.is_some();
                if paren {
                    self.put("(");
                }
                self.query(subquery)?;
                if paren {
                    self.put(")");
                }
                Ok(())
            }
            SetOpNode::Op { op, all, larg, rarg, .. } => {
                let nested = |x: &SetOpNode| match x {
                    SetOpNode::Op { op: o, all: a, .. } => !(o == op && a == all),
                    SetOpNode::Leaf(_) => false,
                };
                let (lp, rp) = (nested(larg), matches!(**rarg, SetOpNode::Op { .. }));
                if lp {
                    self.put("(");
                }
                self.set_op(larg, q)?;
                if lp {
                    self.put(")");
                }
                let word = match op {
                    SetOperation::Union => "UNION ",
                    SetOperation::Intersect => "INTERSECT ",
                    SetOperation::Except => "EXCEPT ",
                };
                self.clause(word, 0);
                if *all {
                    self.put("ALL ");
                }
                if self.pretty.indent {
                    self.out.truncate(self.out.trim_end_matches(' ').len());
                    self.out.push('\n');
                    self.out.extend(std::iter::repeat_n(' ', self.indent));
                }
                if rp {
                    self.put("(");
                }
                self.set_op(rarg, q)?;
                if rp {
                    self.put(")");
                }
                Ok(())
            }
        }
    }

    fn basic_select(&mut self, q: &Query) -> Result<()> {
        if self.pretty.indent {
            self.put(" ");
        }
        // `SELECT * FROM (VALUES ..)` made of VALUES is VALUES again.
        if let [JoinTreeNode::RangeTblRef(i)] = &q.jointree.fromlist[..]
            && let RteKind::Values { lists, .. } = &q.rte(*i).kind
            && q.rte(*i).alias.is_none()
            && q.jointree.quals.is_none()
            && q.target_list.iter().all(|t| matches!(&t.expr, Expr::Var(v) if v.varno == *i))
        {
            return self.values(lists);
        }
        self.put(if q.is_return { "RETURN" } else { "SELECT" });
        if !q.distinct_clause.is_empty() {
            if q.has_distinct_on {
                self.put(" DISTINCT ON (");
                for (i, d) in q.distinct_clause.iter().enumerate() {
                    if i > 0 {
                        self.put(", ");
                    }
                    self.sort_expr(d, &q.target_list)?;
                }
                self.put(")");
            } else {
                self.put(" DISTINCT");
            }
        }
        let mut sep = " ";
        let mut colno = 0;
        for t in q.target_list.iter().filter(|t| !t.resjunk) {
            self.put(sep);
            if sep != " " && self.pretty.indent {
                self.out.pop();
                self.out.push('\n');
                let n = self.indent + 4;
                self.out.extend(std::iter::repeat_n(' ', n));
            }
            sep = ", ";
            let start = self.out.len();
            self.shown(&t.expr)?;
            // A plain column needs no name of its own.
            let shown = match &t.expr {
                Expr::Var(v) if v.varattno != 0 => {
                    let text = &self.out[start..];
                    text.rsplit('.').next().map(|s| s.trim_matches('"').to_owned())
                }
                _ if self.visible => None,
                _ => Some("?column?".to_owned()),
            };
            let given = self.result.as_ref().and_then(|r| r.get(colno)).cloned();
            colno += 1;
            if let Some(n) = given.as_ref().or(t.resname.as_ref())
                && shown.as_ref() != Some(n)
            {
                self.put(" AS ");
                self.ident(n);
            }
        }
        if !q.jointree.fromlist.is_empty() {
            self.from(q)?;
        }
        if let Some(w) = &q.jointree.quals {
            self.clause("WHERE ", 2);
            self.expr(w)?;
        }
        if !q.group_clause.is_empty() || !q.grouping_sets.is_empty() {
            self.clause("GROUP BY ", 2);
            if q.group_distinct {
                self.put("DISTINCT ");
            }
            if q.grouping_sets.is_empty() {
                for (i, g) in q.group_clause.iter().enumerate() {
                    if i > 0 {
                        self.put(", ");
                    }
                    self.sort_expr(g, &q.target_list)?;
                }
            } else {
                for (i, g) in q.grouping_sets.iter().enumerate() {
                    if i > 0 {
                        self.put(", ");
                    }
                    self.grouping_set(g, &q.target_list, true)?;
                }
            }
        }
        if let Some(h) = &q.having_qual {
            self.clause("HAVING ", 1);
            self.expr(h)?;
        }
        let named: Vec<_> = q.window_clause.iter().filter(|w| w.name.is_some()).collect();
        for (i, w) in named.iter().enumerate() {
            if i == 0 {
                self.clause("WINDOW ", 2);
            } else {
                self.put(", ");
            }
            self.ident(&w.name.clone().unwrap_or_default());
            self.put(" AS ");
            self.window_spec(w, &q.target_list)?;
        }
        Ok(())
    }

    fn grouping_set(&mut self, g: &GroupingSet, list: &[TargetEntry], omit: bool) -> Result<()> {
        let (word, parts) = match g {
            GroupingSet::Empty => {
                self.put("()");
                return Ok(());
            }
            GroupingSet::Simple(refs) => {
                let paren = !omit || refs.len() != 1;
                if paren {
                    self.put("(");
                }
                for (i, r) in refs.iter().enumerate() {
                    if i > 0 {
                        self.put(", ");
                    }
                    let s = SortGroupClause { tle_sort_group_ref: *r, ..SortGroupClause::default() };
                    self.sort_expr(&s, list)?;
                }
                if paren {
                    self.put(")");
                }
                return Ok(());
            }
            GroupingSet::Rollup(p) => ("ROLLUP(", p),
            GroupingSet::Cube(p) => ("CUBE(", p),
            GroupingSet::Sets(p) => ("GROUPING SETS (", p),
        };
        self.put(word);
        for (i, p) in parts.iter().enumerate() {
            if i > 0 {
                self.put(", ");
            }
            self.grouping_set(p, list, !matches!(g, GroupingSet::Sets(_)))?;
        }
        self.put(")");
        Ok(())
    }

    fn values(&mut self, lists: &[Vec<Expr>]) -> Result<()> {
        self.put("VALUES ");
        for (i, row) in lists.iter().enumerate() {
            if i > 0 {
                self.put(", ");
            }
            self.put("(");
            for (k, e) in row.iter().enumerate() {
                if k > 0 {
                    self.put(",");
                }
                self.expr(e)?;
            }
            self.put(")");
        }
        Ok(())
    }

    fn from(&mut self, q: &Query) -> Result<()> {
        let mut first = true;
        for n in &q.jointree.fromlist {
            if let JoinTreeNode::RangeTblRef(i) = n
                && !q.rte(*i).in_from_cl
            {
                continue;
            }
            if first {
                self.clause("FROM ", 3);
                first = false;
            } else {
                self.put(",");
                if self.pretty.indent {
                    self.out.push('\n');
                    let k = self.indent + 4;
                    self.out.extend(std::iter::repeat_n(' ', k));
                } else {
                    self.put(" ");
                }
            }
            self.from_item(n, q)?;
        }
        Ok(())
    }

    fn from_item(&mut self, n: &JoinTreeNode, q: &Query) -> Result<()> {
        check_depth()?;
        match n {
            JoinTreeNode::RangeTblRef(i) => self.table(*i, q),
            JoinTreeNode::FromExpr(_) => Err(PgError::internal("a join tree inside FROM")),
            JoinTreeNode::JoinExpr(j) => {
                let paren = !self.pretty.paren || j.alias.is_some();
                if paren {
                    self.put("(");
                }
                self.from_item(&j.larg, q)?;
                let bare = j.quals.is_none() && j.using_clause.is_empty();
                let word = match j.jointype {
                    JoinType::Inner if bare => "CROSS JOIN ",
                    JoinType::Inner => "JOIN ",
                    JoinType::Left => "LEFT JOIN ",
                    JoinType::Full => "FULL JOIN ",
                    JoinType::Right => "RIGHT JOIN ",
                    _ => return Err(PgError::internal("a join of a planner's kind")),
                };
                self.clause(word, 5);
                let rp = self.pretty.paren && matches!(&j.rarg, JoinTreeNode::JoinExpr(r) if r.alias.is_none());
                if rp {
                    self.put("(");
                }
                self.from_item(&j.rarg, q)?;
                if rp {
                    self.put(")");
                }
                if !j.using_clause.is_empty() {
                    let list: Vec<_> = j.using_clause.iter().map(|n| quote_identifier(n).into_owned()).collect();
                    self.put(&format!(" USING ({})", list.join(", ")));
                    if let Some(a) = &j.join_using_alias {
                        self.put(" AS ");
                        self.ident(&a.aliasname);
                    }
                } else if let Some(e) = &j.quals {
                    self.put(" ON ");
                    // Without pretty-printing an operator's own parentheses are there already.
                    let add = !self.pretty.paren
                        && !matches!(
                            e,
                            Expr::OpExpr(_)
                                | Expr::BoolExpr(_)
                                | Expr::NullTest(_)
                                | Expr::ScalarArrayOpExpr(_)
                                | Expr::DistinctExpr(_)
                                | Expr::SubLink(_)
                        );
                    if add {
                        self.put("(");
                    }
                    if !self.pretty.paren && !add {
                        self.put("(");
                    }
                    self.expr(e)?;
                    if !self.pretty.paren {
                        self.put(")");
                    }
                }
                if paren {
                    self.put(")");
                }
                if let Some(a) = &j.alias {
                    self.put(" ");
                    self.ident(&a.aliasname);
                    self.alias_columns(&a.colnames);
                }
                Ok(())
            }
        }
    }

    fn alias_columns(&mut self, cols: &[String]) {
        if !cols.is_empty() {
            let list: Vec<_> = cols.iter().map(|n| quote_identifier(n).into_owned()).collect();
            self.put(&format!("({})", list.join(", ")));
        }
    }

    fn table(&mut self, i: RtIndex, q: &Query) -> Result<()> {
        let r = q.rte(i);
        let name = self.levels.last().map(|l| l.tables[i as usize - 1].clone()).unwrap_or_default();
        if r.lateral {
            self.put("LATERAL ");
        }
        let mut show_alias = r.alias.is_some();
        let mut all_columns = false;
        match &r.kind {
            RteKind::Relation { relid, inh, table_sample, .. } => {
                if !inh {
                    self.put("ONLY ");
                }
                let text = crate::builtins::regtypes::regclass_text(&self.catalog, *relid)?;
                self.put(&text);
                show_alias |= name != self.catalog.class_row(*relid)?.relname;
                if table_sample.is_some() {
                    return Err(PgError::unsupported("showing TABLESAMPLE"));
                }
            }
            RteKind::Subquery { subquery, .. } => {
                self.put("(");
                let saved = self.indent;
                if self.pretty.indent {
                    self.indent += 8;
                }
                self.nested(subquery, true)?;
                self.indent = saved;
                self.put(")");
                show_alias = r.alias.is_some() || name != r.eref.aliasname;
            }
            RteKind::Values { lists, .. } => {
                self.put("(");
                self.values(lists)?;
                self.put(")");
                show_alias = true;
                all_columns = true;
            }
            RteKind::Cte { name: own, .. } | RteKind::NamedTuplestore { name: own, .. } => {
                self.ident(own);
                show_alias |= name != *own;
            }
            RteKind::Function { functions, ordinality } => {
                if functions.len() > 1 {
                    return Err(PgError::unsupported("showing ROWS FROM"));
                }
                self.expr(&functions[0].funcexpr)?;
                if *ordinality {
                    self.put(" WITH ORDINALITY");
                }
                if functions[0].has_coldeflist {
                    self.put(" ");
                    self.ident(&name);
                    let mut list = Vec::new();
                    for a in &functions[0].desc.attrs {
                        let t = self.type_name(a.type_oid, a.typmod)?;
                        list.push(format!("{} {t}", quote_identifier(&a.name)));
                    }
                    self.put(&format!("({})", list.join(", ")));
                    return Ok(());
                }
                show_alias = true;
                all_columns = true;
            }
            _ => return Err(PgError::unsupported("showing this kind of FROM item")),
        }
        if show_alias {
            self.put(" ");
            self.ident(&name);
            match &r.alias {
                _ if all_columns => self.alias_columns(&r.eref.colnames),
                Some(a) => self.alias_columns(&a.colnames),
                None => {}
            }
        }
        Ok(())
    }
}

/// A literal as it is written with `standard_conforming_strings`: never with `E''`. (PostgreSQL: `simple_quote_literal`)
pub(crate) fn simple_literal(s: &str) -> String {
    format!("'{}'", s.replace('\'', "''"))
}

/// Whether the child needs no parentheses inside the parent. (PostgreSQL: `isSimpleNode`)
fn is_simple(e: &Expr, parent: &Expr, catalog: &Catalog) -> bool {
    match e {
        Expr::Var(_) | Expr::Const(_) | Expr::Param(_) | Expr::CoerceToDomainValue(_) | Expr::SetToDefault(..) => true,
        Expr::SubscriptingRef(_)
        | Expr::ArrayExpr(_)
        | Expr::RowExpr(_)
        | Expr::CoalesceExpr(_)
        | Expr::MinMaxExpr(_)
        | Expr::SQLValueFunction(_)
        | Expr::NextValueExpr { .. }
        | Expr::NullIfExpr(_)
        | Expr::Aggref(_)
        | Expr::GroupingFunc(_)
        | Expr::WindowFunc(_)
        | Expr::FuncExpr(_)
        | Expr::CaseExpr(_) => true,
        Expr::FieldSelect(_) => !matches!(parent, Expr::FieldSelect(_)),
        Expr::CoerceToDomain(c) => is_simple(&c.arg, e, catalog),
        Expr::RelabelType(r) => is_simple(&r.arg, e, catalog),
        Expr::CoerceViaIO(c) => is_simple(&c.arg, e, catalog),
        Expr::ArrayCoerceExpr(c) => is_simple(&c.arg, e, catalog),
        Expr::ConvertRowtypeExpr(c) => is_simple(&c.arg, e, catalog),
        Expr::OpExpr(o) => match parent {
            Expr::OpExpr(p) => binds_tighter(o, p, catalog),
            Expr::BoolExpr(_) => true,
            _ => encloses(parent),
        },
        Expr::SubLink(_) | Expr::NullTest(_) | Expr::BooleanTest(_) | Expr::DistinctExpr(_) => {
            matches!(parent, Expr::BoolExpr(_)) || encloses(parent)
        }
        Expr::BoolExpr(b) => match parent {
            Expr::BoolExpr(p) => match b.boolop {
                BoolExprType::Not | BoolExprType::And => p.boolop != BoolExprType::Not,
                BoolExprType::Or => p.boolop == BoolExprType::Or,
            },
            _ => encloses(parent),
        },
        _ => false,
    }
}

/// Whether the parent's own syntax sets its arguments apart.
fn encloses(parent: &Expr) -> bool {
    use CoercionForm::{ExplicitCast, ImplicitCast, SqlSyntax};
    match parent {
        Expr::FuncExpr(f) => !matches!(f.funcformat, ExplicitCast | ImplicitCast | SqlSyntax),
        Expr::SubscriptingRef(_)
        | Expr::ArrayExpr(_)
        | Expr::RowExpr(_)
        | Expr::CoalesceExpr(_)
        | Expr::MinMaxExpr(_)
        | Expr::NullIfExpr(_)
        | Expr::Aggref(_)
        | Expr::GroupingFunc(_)
        | Expr::WindowFunc(_)
        | Expr::CaseExpr(_) => true,
        _ => false,
    }
}

/// Of the well-known arithmetic operators the precedence is relied on. (PostgreSQL: `get_simple_binary_op_name`)
fn binds_tighter(child: &OpExpr, parent: &OpExpr, catalog: &Catalog) -> bool {
    let level = |o: &OpExpr| {
        let name = catalog.operator_row(o.opno).ok().filter(|_| o.args.len() == 2)?.oprname.clone();
        match name.as_str() {
            "+" | "-" => Some(1),
            "*" | "/" | "%" => Some(2),
            _ => None,
        }
    };
    let (Some(c), Some(p)) = (level(child), level(parent)) else { return false };
    let first = matches!(&parent.args[0], Expr::OpExpr(l) if **l == *child);
    c > p || c == p && first
}

// ---- definitions ----

/// A view's query with its semicolon. (PostgreSQL: `pg_get_viewdef`)
pub fn view_definition(rt: &mut dyn Runtime, c: &Catalog, oid: Oid, pretty: Pretty) -> Result<Option<String>> {
    let Some(rel) = c.relation(oid)? else { return Ok(None) };
    let Some(rule) = rel.view_rule() else { return Ok(None) };
    let mut list = crate::nodes::read_queries(&rule.ev_action, c)?;
    let Some(q) = list.pop() else { return Ok(None) };
    let names = rel.desc.attrs.iter().map(|a| a.name.to_string()).collect();
    Ok(Some(Deparser::new(rt, c.clone(), pretty).view(&q, Some(names))? + ";"))
}

/// Stored expression text, of one expression or a list, shown over a relation's columns. (PostgreSQL: `pg_get_expr`)
pub fn expression(rt: &mut dyn Runtime, c: &Catalog, text: &str, relid: Oid, pretty: bool) -> Result<Option<String>> {
    if relid.is_valid() && c.relation(relid)?.is_none() {
        return Ok(None);
    }
    if text.starts_with("{PARTITIONBOUNDSPEC") {
        return partition_bound(rt, c, &crate::nodes::read_bound(text, c)?).map(Some);
    }
    let list = crate::nodes::read_exprs(text, c)?;
    let p = Pretty { paren: pretty, indent: pretty, schema: pretty };
    let mut out = Vec::new();
    for e in &list {
        out.push(Deparser::new(rt, c.clone(), p).expr_of_relation(e, relid)?);
    }
    Ok(Some(out.join(", ")))
}

/// The definition of an index, or with `column` (from 1) of one of its keys. (PostgreSQL: `pg_get_indexdef_worker`)
pub fn index_definition(
    rt: &mut dyn Runtime,
    c: &Catalog,
    oid: Oid,
    column: usize,
    pretty: bool,
) -> Result<Option<String>> {
    let Some(rel) = c.relation(oid)? else { return Ok(None) };
    let Some(info) = &rel.index else { return Ok(None) };
    let table = c.relation_entry(info.table)?;
    let p = Pretty { paren: pretty, indent: false, schema: pretty };
    let mut exprs = match &info.expressions {
        Some(t) => crate::nodes::read_exprs(t, c)?.into_iter(),
        None => Vec::new().into_iter(),
    };
    let am = c.am(info.am)?.map_or_else(String::new, |a| a.amname.clone());
    let qualified = |rel: &catalog::Relation| -> Result<String> {
        Ok(quote_qualified(c.namespace_name(rel.namespace())?.as_deref(), rel.name()))
    };
    let mut keys = Vec::new();
    let mut included = Vec::new();
    for (i, att) in info.columns.iter().enumerate() {
        let (mut text, ty) = if *att == 0 {
            let e = exprs.next().ok_or_else(|| PgError::internal("too few entries in indexprs list"))?;
            let s = Deparser::new(rt, c.clone(), p).expr_of_relation(&e, info.table)?;
            let call = matches!(&e, Expr::FuncExpr(f) if f.funcformat == CoercionForm::ExplicitCall);
            (if call { s } else { format!("({s})") }, e.type_mod())
        } else {
            let a = &table.desc.attrs[*att as usize - 1];
            (quote_identifier(&a.name).into_owned(), crate::relation::attr_type(a))
        };
        if i >= info.key_count {
            if column == 0 {
                included.push(text);
            } else {
                keys.push(text);
            }
            continue;
        }
        if column == 0 {
            let coll = info.collations.get(i).copied().unwrap_or_default();
            if coll.is_valid() && coll != ty.collation {
                text.push_str(&format!(" COLLATE {}", crate::builtins::regtypes::collation_text(c, coll)?));
            }
            let class = c.opclass_row(info.opclasses[i])?;
            let default = c.default_opclass(ty.oid, info.am)?.is_some_and(|d| d.oid == class.oid);
            if !default {
                let visible = crate::ddl::find_opclass(c, info.am, &am, std::slice::from_ref(&class.opcname))
                    .is_ok_and(|f| f == class.oid);
                text.push(' ');
                text.push_str(&match visible {
                    true => quote_identifier(&class.opcname).into_owned(),
                    false => quote_qualified(c.namespace_name(class.opcnamespace)?.as_deref(), &class.opcname),
                });
            }
            if am == "btree" {
                match (info.is_descending(i), info.nulls_first(i)) {
                    (true, true) => text.push_str(" DESC"),
                    (true, false) => text.push_str(" DESC NULLS LAST"),
                    (false, true) => text.push_str(" NULLS FIRST"),
                    _ => {}
                }
            }
        }
        keys.push(text);
    }
    if column > 0 {
        return Ok(Some(keys.get(column - 1).cloned().unwrap_or_default()));
    }
    let unique = if info.row.indisunique { "UNIQUE " } else { "" };
    let only = if rel.kind() == b'I' { "ONLY " } else { "" };
    let name = quote_identifier(rel.name()).into_owned();
    let on = if pretty { crate::builtins::regtypes::regclass_text(c, info.table)? } else { qualified(&table)? };
    let mut s =
        format!("CREATE {unique}INDEX {name} ON {only}{on} USING {} ({})", quote_identifier(&am), keys.join(", "));
    if !included.is_empty() {
        s.push_str(&format!(" INCLUDE ({})", included.join(", ")));
    }
    if info.row.indnullsnotdistinct {
        s.push_str(" NULLS NOT DISTINCT");
    }
    if let Some(options) = &rel.class.reloptions
        && !options.is_empty()
    {
        let list: Vec<String> = options
            .iter()
            .map(|o| match o.split_once('=') {
                Some((k, v)) => format!("{}={}", quote_identifier(k), simple_option(v)),
                None => o.clone(),
            })
            .collect();
        s.push_str(&format!(" WITH ({})", list.join(", ")));
    }
    if let Some(pred) = &info.predicate {
        let list = crate::nodes::read_exprs(pred, c)?;
        let e = match list.len() {
            1 => list.into_iter().next().unwrap_or_default(),
            _ => crate::expr::bool_expr(BoolExprType::And, list, base::error::Location::UNKNOWN),
        };
        let text = Deparser::new(rt, c.clone(), p).expr_of_relation(&e, info.table)?;
        s.push_str(&format!(" WHERE {text}"));
    }
    Ok(Some(s))
}

/// An option's value: bare if it is a word, else quoted.
fn simple_option(v: &str) -> String {
    if quote_identifier(v) == v { v.to_owned() } else { simple_literal(v) }
}

/// A constraint's definition, as after ADD CONSTRAINT. (PostgreSQL: `pg_get_constraintdef_worker`)
pub fn constraint_definition(rt: &mut dyn Runtime, c: &Catalog, oid: Oid, pretty: bool) -> Result<Option<String>> {
    let Some(k) = c.constraint(oid)? else { return Ok(None) };
    let columns = |rel: Oid, list: &[i16]| -> Result<String> {
        let r = c.relation_entry(rel)?;
        let names: Vec<String> =
            list.iter().map(|n| quote_identifier(&r.desc.attrs[*n as usize - 1].name).into_owned()).collect();
        Ok(names.join(", "))
    };
    let p = Pretty { paren: pretty, indent: false, schema: pretty };
    let key = k.conkey.clone().unwrap_or_default();
    let mut s = match k.contype {
        b'p' | b'u' => {
            let word = if k.contype == b'p' { "PRIMARY KEY " } else { "UNIQUE " };
            let mut s = word.to_owned();
            let idx = c.relation(k.conindid)?;
            if idx.as_ref().and_then(|i| i.index.as_ref()).is_some_and(|i| i.row.indnullsnotdistinct) {
                s.push_str("NULLS NOT DISTINCT ");
            }
            s.push_str(&format!("({}", columns(k.conrelid, &key)?));
            if k.conperiod {
                s.push_str(" WITHOUT OVERLAPS");
            }
            s.push(')');
            if let Some(info) = idx.as_ref().and_then(|i| i.index.as_ref())
                && info.columns.len() > info.key_count
            {
                s.push_str(&format!(" INCLUDE ({})", columns(k.conrelid, &info.columns[info.key_count..])?));
            }
            s
        }
        b'c' => {
            let text = k.conbin.as_deref().ok_or_else(|| PgError::internal("a CHECK without an expression"))?;
            let e = crate::nodes::read_expr(text, c)?;
            let inner = Deparser::new(rt, c.clone(), p).expr_of_relation(&e, k.conrelid)?;
            let mut s = format!("CHECK ({inner})");
            if k.connoinherit {
                s.push_str(" NO INHERIT");
            }
            s
        }
        b'n' => {
            let mut s = match k.conrelid.is_valid() {
                true => format!("NOT NULL {}", columns(k.conrelid, &key)?),
                false => "NOT NULL".to_owned(),
            };
            if k.connoinherit {
                s.push_str(" NO INHERIT");
            }
            s
        }
        b'f' => {
            let fkey = k.confkey.clone().unwrap_or_default();
            let target = match pretty {
                true => crate::builtins::regtypes::regclass_text(c, k.confrelid)?,
                false => crate::builtins::regtypes::regclass_text(c, k.confrelid)?,
            };
            let mut s = format!(
                "FOREIGN KEY ({}) REFERENCES {target}({})",
                columns(k.conrelid, &key)?,
                columns(k.confrelid, &fkey)?
            );
            if k.confmatchtype == b'f' {
                s.push_str(" MATCH FULL");
            }
            let action = |a: u8| match a {
                b'r' => Some("RESTRICT"),
                b'c' => Some("CASCADE"),
                b'n' => Some("SET NULL"),
                b'd' => Some("SET DEFAULT"),
                _ => None,
            };
            if let Some(a) = action(k.confupdtype) {
                s.push_str(&format!(" ON UPDATE {a}"));
            }
            if let Some(a) = action(k.confdeltype) {
                s.push_str(&format!(" ON DELETE {a}"));
                if let Some(cols) = &k.confdelsetcols
                    && !cols.is_empty()
                {
                    s.push_str(&format!(" ({})", columns(k.conrelid, cols)?));
                }
            }
            s
        }
        b't' => "TRIGGER".to_owned(),
        _ => return Err(PgError::unsupported("showing EXCLUDE constraints")),
    };
    if k.condeferrable {
        s.push_str(" DEFERRABLE");
    }
    if k.condeferred {
        s.push_str(" INITIALLY DEFERRED");
    }
    if !k.conenforced {
        s.push_str(" NOT ENFORCED");
    } else if !k.convalidated {
        s.push_str(" NOT VALID");
    }
    Ok(Some(s))
}

pub use function::{function_argument_default, function_body, function_definition};

/// How arguments are listed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum ArgsFor {
    /// `pg_get_function_arguments`
    Full,
    /// `pg_get_function_identity_arguments`
    Identity,
    /// The columns of RETURNS TABLE.
    Table,
}

/// A function's arguments. (PostgreSQL: `print_function_arguments`)
pub fn function_arguments(rt: &mut dyn Runtime, c: &Catalog, oid: Oid, how: ArgsFor) -> Result<Option<String>> {
    let Some(p) = c.function(oid)? else { return Ok(None) };
    let types = p.proallargtypes.clone().unwrap_or_else(|| p.proargtypes.clone());
    let modes = p.proargmodes.clone();
    let names = p.proargnames.clone();
    let mut defaults = match (&p.proargdefaults, how) {
        (Some(t), ArgsFor::Full) => crate::nodes::read_exprs(t, c)?,
        _ => Vec::new(),
    }
    .into_iter();
    let inputs = p.proargtypes.len();
    let first_default = inputs - p.pronargdefaults.max(0) as usize;
    let mut out: Vec<String> = Vec::new();
    let mut input = 0;
    for (i, t) in types.iter().enumerate() {
        let mode = modes.as_ref().map_or(b'i', |m| m[i]);
        let (word, is_input) = match mode {
            b'i' => (if p.prokind == b'p' { "IN " } else { "" }, true),
            b'b' => ("INOUT ", true),
            b'o' => ("OUT ", false),
            b'v' => ("VARIADIC ", true),
            _ => ("", false),
        };
        if is_input {
            input += 1;
        }
        let table = mode == b't';
        if table != (how == ArgsFor::Table) {
            continue;
        }
        if how == ArgsFor::Identity && mode == b'o' {
            continue;
        }
        let mut s = word.to_owned();
        if let Some(n) = names.as_ref().and_then(|n| n.get(i)).filter(|n| !n.is_empty()) {
            s.push_str(&quote_identifier(n));
            s.push(' ');
        }
        s.push_str(&c.format_type(*t, None)?);
        if how == ArgsFor::Full
            && is_input
            && input > first_default
            && let Some(d) = defaults.next()
        {
            let d = Deparser::new(rt, c.clone(), Pretty::default()).expr_of_relation(&d, Oid::INVALID)?;
            s.push_str(&format!(" DEFAULT {d}"));
        }
        out.push(s);
    }
    Ok(Some(out.join(", ")))
}

/// What a function returns. (PostgreSQL: `print_function_rettype`)
pub fn function_result(rt: &mut dyn Runtime, c: &Catalog, oid: Oid) -> Result<Option<String>> {
    let Some(p) = c.function(oid)? else { return Ok(None) };
    if p.prokind == b'p' {
        return Ok(None);
    }
    if p.proretset {
        let table = function_arguments(rt, c, oid, ArgsFor::Table)?.unwrap_or_default();
        if !table.is_empty() {
            return Ok(Some(format!("TABLE({table})")));
        }
        return Ok(Some(format!("SETOF {}", c.format_type(p.prorettype, None)?)));
    }
    Ok(Some(c.format_type(p.prorettype, None)?))
}

/// The view of that name, for `pg_get_viewdef(text)`.
pub fn view_by_name(c: &Catalog, name: &str) -> Result<Oid> {
    let names = crate::builtins::regtypes::split_qualified(name)?;
    let (schema, rel) = crate::resolve::split_name(&names);
    c.find_relation(schema, rel, true)?
        .ok_or_else(|| PgError::new(UNDEFINED_TABLE, format!("relation \"{}\" does not exist", names.join("."))))
}
