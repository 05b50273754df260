//! SQL inside functions: names become parameters, texts become plans, kept with the function while the catalogs stay the same.
//!
//! An expression without tables, aggregates and such is *simple*: it is evaluated here ([`crate::scalar`]) without an execution.
//! Any other statement is planned once and started anew each time.
//!
//! PostgreSQL: `resolve_column_ref`, `exec_prepare_plan`, `exec_simple_check_plan`, `setup_param_list`.

use std::sync::Arc;

use analyze::query::{CmdType, Expr, Param, ParamKind, Query, TypeMod};
use analyze::{AnalyzeContext, ColumnHooks, NamedRelation, ParamTypes};
use base::error::Location;
use base::sqlstate::*;
use base::{Oid, PgError, Result};
use executor::ExecContext;
use parser::ast::{self, Statement};
use planner::{PlanNode, PlanOptions, PlannedStmt};
use types::oid::RECORDOID;
use types::{Datum, TupleDesc};

use crate::scalar::Scalar;
use crate::tree::*;
use crate::value::{Slot, lost};

/// Where a parameter's value comes from.
#[derive(Clone, Debug)]
pub enum Source {
    Var {
        dno: Dno,
        ty: Oid,
    },
    /// A field of a record, by the row type it had.
    Field {
        dno: Dno,
        at: usize,
        name: String,
        ty: Oid,
    },
    /// A whole record.
    Record {
        dno: Dno,
        ty: Oid,
    },
}

impl Source {
    pub fn value(&self, cx: &mut ExecContext, slots: &[Slot]) -> Result<Datum> {
        match self {
            Source::Var { dno, .. } => match &slots[*dno] {
                Slot::Scalar(d) => Ok(d.clone()),
                Slot::Record(_) => Err(lost()),
            },
            Source::Field { dno, at, .. } => match &slots[*dno] {
                Slot::Record(Some(r)) => r.values.get(*at).cloned().ok_or_else(lost),
                Slot::Record(None) => Ok(Datum::Null),
                Slot::Scalar(_) => Err(lost()),
            },
            Source::Record { dno, .. } => match &slots[*dno] {
                Slot::Record(Some(r)) => r.clone().datum(cx),
                Slot::Record(None) => Ok(Datum::Null),
                Slot::Scalar(_) => Err(lost()),
            },
        }
    }
    fn is_var(&self) -> bool {
        matches!(self, Source::Var { .. })
    }
}

/// A statement of several that a text became.
#[derive(Clone)]
pub enum Unit {
    Plan(Arc<PlannedStmt>),
    Utility(Arc<Statement>),
    Nothing,
}

/// What a text became.
pub enum Prepared {
    /// A simple expression; whether it calls functions that look at data.
    Simple {
        expr: Scalar,
        mutable: bool,
        ty: TypeMod,
    },
    Units(Vec<Unit>),
}

/// A prepared piece of SQL with what it depends on.
pub struct Inst {
    pub key: (u64, u64),
    pub path: usize,
    pub sources: Vec<Source>,
    /// All are scalar variables: their types cannot change.
    pub stable: bool,
    pub prepared: Prepared,
    pub source: Arc<str>,
    /// Its operators at rest, of a single plan.
    pub idle: Option<Box<executor::Execution>>,
}

/// What a name can be looked up in.
pub struct Scope<'a> {
    pub vars: &'a [Var],
    pub names: &'a [Name],
    pub scope: Option<usize>,
    pub conflict: Conflict,
    /// Types of variables that change their type: CASE's hidden ones.
    pub types: &'a [(Dno, VarType)],
    /// The record's columns where they are known.
    pub slots: &'a [Slot],
    /// Row types of records of a named type that are null.
    pub descs: &'a dyn Fn(Dno) -> Result<Option<Arc<TupleDesc>>>,
    pub sources: Vec<Source>,
}

impl Scope<'_> {
    fn param(&mut self, source: Source, ty: TypeMod, location: Location) -> Expr {
        let same = |s: &Source| match (s, &source) {
            (Source::Var { dno: a, .. }, Source::Var { dno: b, .. }) => a == b,
            (Source::Record { dno: a, .. }, Source::Record { dno: b, .. }) => a == b,
            (Source::Field { dno: a, at: i, .. }, Source::Field { dno: b, at: j, .. }) => a == b && i == j,
            _ => false,
        };
        let at = match self.sources.iter().position(same) {
            Some(at) => at,
            None => {
                self.sources.push(source);
                self.sources.len() - 1
            }
        };
        Expr::Param(Param { kind: ParamKind::Extern, id: at as i32 + 1, ty, location })
    }

    pub fn whole(&mut self, dno: Dno, location: Location) -> Expr {
        let var = &self.vars[dno];
        if let VarKind::Record = var.what {
            let ty = match &self.slots.get(dno) {
                Some(Slot::Record(Some(r))) if var.ty.oid == RECORDOID => r.desc.type_oid,
                _ => var.ty.oid,
            };
            let full = TypeMod { oid: ty, typmod: -1, collation: Oid::INVALID };
            return self.param(Source::Record { dno, ty }, full, location);
        }
        let ty = self.types.iter().find(|t| t.0 == dno).map_or(&var.ty, |t| &t.1);
        let full = TypeMod { oid: ty.oid, typmod: ty.typmod, collation: ty.collation };
        self.param(Source::Var { dno, ty: full.oid }, full, location)
    }

    /// (PostgreSQL: `resolve_column_ref`)
    fn resolve(&mut self, c: &ast::ColumnRef, complain: bool) -> Result<Option<Expr>> {
        let mut parts: Vec<&str> = Vec::new();
        let mut star = false;
        for f in &c.fields {
            match f {
                ast::Field::Name(n) => parts.push(n),
                ast::Field::Star => star = true,
            }
        }
        if parts.is_empty() || parts.len() > 3 || (star && parts.len() > 2) {
            return Ok(None);
        }
        let vars = self.vars;
        let is_record = |d: Dno| matches!(vars[d].what, VarKind::Record);
        let mut asked = parts.clone();
        if star {
            // A row's fields: the name must be a record's.
            asked.push("*");
        }
        let Some((dno, used)) = lookup(self.names, self.scope, &asked, &is_record) else { return Ok(None) };
        if used == parts.len() {
            return Ok(match (star, is_record(dno)) {
                (true, false) => None,
                _ => Some(self.whole(dno, c.location)),
            });
        }
        if star || used + 1 != parts.len() {
            return Ok(None);
        }
        let name = parts[used];
        let desc = match &self.slots.get(dno) {
            Some(Slot::Record(Some(r))) => Some(r.desc.clone()),
            _ => (self.descs)(dno)?,
        };
        let Some(desc) = desc else {
            if !complain {
                return Ok(None);
            }
            let text = format!("record \"{}\" is not assigned yet", vars[dno].name);
            let detail = "The tuple structure of a not-yet-assigned record is indeterminate.";
            return Err(PgError::new(OBJECT_NOT_IN_PREREQUISITE_STATE, text).detail(detail));
        };
        match desc.attrs.iter().position(|a| !a.dropped && *a.name == *name) {
            Some(at) => {
                let a = &desc.attrs[at];
                let ty = TypeMod { oid: a.type_oid, typmod: a.typmod, collation: a.collation };
                let source = Source::Field { dno, at, name: name.to_owned(), ty: ty.oid };
                Ok(Some(self.param(source, ty, c.location)))
            }
            None if complain => {
                let text = format!("record \"{}\" has no field \"{name}\"", parts[used - 1]);
                Err(PgError::new(UNDEFINED_COLUMN, text))
            }
            None => Ok(None),
        }
    }
}

impl ColumnHooks for Scope<'_> {
    fn before_column(&mut self, name: &ast::ColumnRef) -> Result<Option<Expr>> {
        match self.conflict {
            Conflict::UseVariable => self.resolve(name, false),
            _ => Ok(None),
        }
    }
    fn after_column(&mut self, name: &ast::ColumnRef, found: Option<&Expr>) -> Result<Option<Expr>> {
        match (self.conflict, found) {
            (Conflict::UseVariable, _) => Ok(None),
            (Conflict::UseColumn, Some(_)) => Ok(None),
            (_, found) => {
                let own = self.resolve(name, found.is_none())?;
                if own.is_some() && found.is_some() {
                    let shown: Vec<&str> = name
                        .fields
                        .iter()
                        .map(|f| match f {
                            ast::Field::Name(n) => n.as_str(),
                            ast::Field::Star => "*",
                        })
                        .collect();
                    let text = format!("column reference \"{}\" is ambiguous", shown.join("."));
                    let detail = "It could refer to either a PL/pgSQL variable or a table column.";
                    return Err(PgError::new(AMBIGUOUS_COLUMN, text).detail(detail).at(name.location));
                }
                Ok(own)
            }
        }
    }
    fn param(&mut self, number: i32, location: Location) -> Result<Option<Expr>> {
        let name = format!("${number}");
        let found = lookup(self.names, self.scope, &[&name], &|_| true);
        Ok(found.map(|(dno, _)| self.whole(dno, location)))
    }
}

/// Gives a text's errors their place in it, and tells what was being run. (PostgreSQL: `_SPI_error_callback`)
pub fn in_query(e: PgError, text: &str, mode: Mode) -> PgError {
    let mut e = e;
    if let Some(p) = e.fields_mut().position.take() {
        let f = e.fields_mut();
        f.internal_position = Some(p);
        f.internal_query = Some(text.to_owned());
        return e;
    }
    // One from a query further in has its own.
    let what = match mode {
        Mode::Statement => "SQL statement",
        Mode::Expression => "PL/pgSQL expression",
        Mode::Assign(_) => "PL/pgSQL assignment",
    };
    e.context(format!("{what} \"{text}\""))
}

/// Analyzes and plans a text. Dynamic ones have their parameters' types in `params`.
pub fn prepare(
    cx: &mut ExecContext,
    text: &str,
    mode: Mode,
    scope: &mut Scope<'_>,
    named: &[NamedRelation],
) -> Result<(Vec<Unit>, Option<(Expr, TypeMod)>)> {
    let options = options(cx);
    let statements = match mode {
        Mode::Statement => parser::parse_with(text, &options)?.stmts,
        Mode::Expression => vec![parser::parse_plpgsql_expr_with(text, &options)?],
        Mode::Assign(n) => vec![parser::parse_plpgsql_assign_with(text, n, &options)?],
    };
    let mut units = Vec::new();
    let mut simple = None;
    for raw in &statements {
        let mut lock = executor::relation_locker(cx)?;
        let catalog = cx.catalog.clone();
        let queries = {
            let mut acx = AnalyzeContext::new(catalog, &mut *cx);
            acx.lock = Some(&mut lock);
            acx.named = named.to_vec();
            acx.hooks = Some(&mut *scope);
            let query = match &raw.stmt {
                Statement::PLAssign(a) => analyze::plpgsql::analyze_assignment(&mut acx, a, text)?,
                _ => analyze::analyze(&mut acx, raw, text, &mut ParamTypes::None)?,
            };
            acx.hooks = None;
            if query.command_type == CmdType::Utility {
                vec![query]
            } else {
                if let Some(e) = simple_of(&query) {
                    simple = Some(e);
                }
                analyze::rewrite(&mut acx, query)?
            }
        };
        drop(lock);
        let is_query = statements.len() == 1 && mode != Mode::Statement;
        plan_all(cx, queries, &mut units)?;
        // What planning made of it: folded and inlined.
        simple = match (simple.take().filter(|_| is_query), units.as_slice()) {
            (Some(ty), [Unit::Plan(p)]) => simple_plan(p).map(|e| (e, ty.1)),
            _ => None,
        };
    }
    Ok((units, simple))
}

fn plan_all(cx: &mut ExecContext, queries: Vec<Query>, units: &mut Vec<Unit>) -> Result<()> {
    if queries.is_empty() {
        units.push(Unit::Nothing);
    }
    for q in queries {
        if q.command_type == CmdType::Utility {
            let stmt = q.utility.ok_or_else(|| PgError::internal("a utility query without its statement"))?;
            units.push(Unit::Utility(stmt));
        } else {
            units.push(Unit::Plan(Arc::new(executor::plan_query(cx, q, &PlanOptions::default())?)));
        }
    }
    Ok(())
}

/// How texts are read in this session.
pub fn options(cx: &ExecContext) -> parser::Options {
    let standard_conforming_strings = cx.settings.standard_conforming_strings;
    parser::Options { standard_conforming_strings, ..parser::Options::default() }
}

/// Plans a dynamic text.
pub fn prepare_dynamic(
    cx: &mut ExecContext,
    text: &str,
    types: &[Oid],
    named: &[NamedRelation],
) -> Result<Vec<(Statement, Vec<Unit>)>> {
    let mut out = Vec::new();
    for raw in parser::parse_with(text, &options(cx))?.stmts {
        let mut lock = executor::relation_locker(cx)?;
        let catalog = cx.catalog.clone();
        let queries = {
            let mut acx = AnalyzeContext::new(catalog, &mut *cx);
            acx.lock = Some(&mut lock);
            acx.named = named.to_vec();
            let mut params = ParamTypes::Fixed(types.to_vec());
            let query = analyze::analyze(&mut acx, &raw, text, &mut params)?;
            if query.command_type == CmdType::Utility { vec![query] } else { analyze::rewrite(&mut acx, query)? }
        };
        let mut units = Vec::new();
        plan_all(cx, queries, &mut units)?;
        out.push((raw.stmt, units));
    }
    Ok(out)
}

/// The one expression of a query that is nothing else. (PostgreSQL: `exec_is_simple_query`)
fn simple_of(q: &Query) -> Option<(Expr, TypeMod)> {
    let plain = q.command_type == CmdType::Select
        && q.rtable.is_empty()
        && !q.has_aggs
        && !q.has_window_funcs
        && !q.has_target_srfs
        && !q.has_sub_links
        && q.cte_list.is_empty()
        && q.jointree.fromlist.is_empty()
        && q.jointree.quals.is_none()
        && q.group_clause.is_empty()
        && q.grouping_sets.is_empty()
        && q.having_qual.is_none()
        && q.window_clause.is_empty()
        && q.distinct_clause.is_empty()
        && q.sort_clause.is_empty()
        && q.limit_offset.is_none()
        && q.limit_count.is_none()
        && q.set_operations.is_none();
    match q.target_list.as_slice() {
        [t] if plain && !t.resjunk => Some((t.expr.clone(), t.expr.type_mod())),
        _ => None,
    }
}

fn simple_plan(p: &PlannedStmt) -> Option<Expr> {
    let is_result = matches!(&p.plan.node, PlanNode::Result { constant_qual } if constant_qual.is_empty());
    match p.plan.targetlist.as_slice() {
        [t] if is_result && p.subplans.is_empty() && p.plan.outer.is_none() => Some(t.expr.clone()),
        _ => None,
    }
}

impl Inst {
    /// Do the parameters still have the types they had?
    pub fn fits(&self, vars: &[Var], slots: &[Slot], types: &[(Dno, VarType)]) -> bool {
        self.stable
            || self.sources.iter().all(|s| match s {
                Source::Var { dno, ty } => types.iter().find(|t| t.0 == *dno).is_none_or(|t| t.1.oid == *ty),
                Source::Field { dno, at, name, ty } => match &slots[*dno] {
                    Slot::Record(Some(r)) => {
                        r.desc.attrs.get(*at).is_some_and(|a| !a.dropped && a.type_oid == *ty && *a.name == **name)
                    }
                    _ => vars[*dno].ty.oid != RECORDOID,
                },
                Source::Record { dno, ty } => match &slots[*dno] {
                    Slot::Record(Some(r)) if vars[*dno].ty.oid == RECORDOID => r.desc.type_oid == *ty,
                    _ => vars[*dno].ty.oid == *ty,
                },
            })
    }

    pub fn is_stable(sources: &[Source], types: &[(Dno, VarType)]) -> bool {
        sources.iter().all(|s| match s {
            Source::Var { dno, .. } => types.iter().all(|t| t.0 != *dno),
            s => s.is_var(),
        })
    }
}
