//! Expressions and SQL statements: prepared at their first use in a call, then run with the variables' values.
//! (PostgreSQL: `exec_eval_expr`, `exec_stmt_execsql`, `exec_stmt_dynexecute`, `exec_stmt_call`)

use std::sync::Arc;

use analyze::query::{CmdType, Expr};
use base::sqlstate::*;
use base::{Oid, PgError, Result, Severity};
use executor::{ExecContext, Execution, StartOptions};
use parser::ast::{Statement, TransactionStmtKind};
use planner::PlannedStmt;
use txn::Snapshot;
use types::oid::*;
use types::{Datum, DatumRef, FnCall, TupleDesc};

use super::{Flow, Frame};
use crate::expr::{Inst, Prepared, Scope, Unit, in_query, prepare, prepare_dynamic};
use crate::scalar::{Inputs, Scalar, is_true};
use crate::tree::*;
use crate::value::{catalog_key, text_of};

/// What a statement gave.
#[derive(Default)]
pub(super) struct Outcome {
    pub rows: Vec<Vec<Datum>>,
    pub desc: Option<Arc<TupleDesc>>,
    pub processed: u64,
    pub command: Option<CmdType>,
    /// It was a utility statement.
    pub utility: bool,
    /// It returns rows.
    pub returns: bool,
}

/// How many rows are wanted.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Want {
    /// All, to be counted only.
    Count,
    /// Up to so many; 0 all.
    Rows(u64),
}

impl<'f> Frame<'f> {
    /// The prepared form of a piece of SQL, to be given back with `keep`.
    pub(super) fn inst(&mut self, cx: &mut ExecContext, e: &SqlExpr) -> Result<Box<Inst>> {
        let key = catalog_key(cx);
        if let Some(inst) = self.insts[e.id].take()
            && inst.key == key
            && inst.path == self.path
            && inst.fits(&self.f.vars, &self.slots, &self.types)
        {
            return Ok(inst);
        }
        self.prepare_inst(cx, e)
    }
    pub(super) fn keep(&mut self, e: &SqlExpr, inst: Box<Inst>) {
        self.insts[e.id] = Some(inst);
    }

    #[cold]
    fn prepare_inst(&mut self, cx: &mut ExecContext, e: &SqlExpr) -> Result<Box<Inst>> {
        self.place.runs(Some((e.text.as_str().into(), e.mode)));
        let done = self.make_inst(cx, e);
        self.place.runs(None);
        done.map_err(|err| in_query(err, &e.text, e.mode))
    }

    fn make_inst(&mut self, cx: &mut ExecContext, e: &SqlExpr) -> Result<Box<Inst>> {
        // Expressions that only functions' arguments would lock for look at the catalogs with a snapshot of their own.
        let named: Vec<_> = self.named.iter().map(|t| t.meta.clone()).collect();
        let catalog = cx.catalog.clone();
        let vars = &self.f.vars;
        let descs = |dno: Dno| match vars[dno].ty.oid {
            RECORDOID => Ok(None),
            oid => {
                let (base, _) = catalog.base_type(oid, -1)?;
                catalog.row_type(base).map(Some)
            }
        };
        let mut scope = Scope {
            vars,
            names: &self.f.names,
            scope: e.scope,
            conflict: self.f.conflict,
            types: &self.types,
            slots: &self.slots,
            descs: &descs,
            sources: Vec::new(),
        };
        let (units, simple) = prepare(cx, &e.text, e.mode, &mut scope, &named)?;
        let sources = scope.sources;
        let prepared = match simple {
            Some((expr, ty)) => {
                let mutable = analyze::ddl::contains_mutable(&cx.catalog, &expr)?;
                Prepared::Simple { expr: Scalar::compile(cx, &expr, &sources)?, mutable, ty }
            }
            None => Prepared::Units(units),
        };
        // What preparing has put into the caches does not count.
        let key = catalog_key(cx);
        let stable = Inst::is_stable(&sources, &self.types);
        let source: Arc<str> = e.text.as_str().into();
        Ok(Box::new(Inst { key, path: self.path, sources, stable, prepared, source, idle: None }))
    }

    pub(super) fn values(&self, cx: &mut ExecContext, inst: &Inst) -> Result<Arc<[Datum]>> {
        let mut values = Vec::with_capacity(inst.sources.len());
        for s in &inst.sources {
            values.push(s.value(cx, &self.slots)?);
        }
        Ok(values.into())
    }

    /// What a statement of this function sees. (PostgreSQL: `GetTransactionSnapshot` after `CommandCounterIncrement`)
    pub(super) fn snapshot(&self, cx: &mut ExecContext) -> Result<Option<Snapshot>> {
        if self.readonly {
            if cx.snapshot.is_none() {
                return Ok(Some(cx.txn()?.snapshot()?));
            }
            return Ok(cx.snapshot.clone());
        }
        cx.catalog.command_counter_increment()?;
        Ok(Some(cx.txn()?.snapshot()?))
    }

    /// An expression's value with its type.
    pub(crate) fn eval(&mut self, cx: &mut ExecContext, e: &SqlExpr) -> Result<(Datum, Oid, i32)> {
        let mut inst = self.inst(cx, e)?;
        let done = match &mut inst.prepared {
            Prepared::Simple { expr, mutable, ty } => {
                let (oid, typmod) = (ty.oid, ty.typmod);
                let mut inputs = Inputs { slots: &self.slots, sources: &inst.sources, params: None };
                let value = if *mutable && !self.readonly {
                    let now = self.snapshot(cx)?;
                    let saved = std::mem::replace(&mut cx.snapshot, now);
                    let value = expr.eval(cx, &mut inputs);
                    cx.snapshot = saved;
                    value
                } else {
                    expr.eval(cx, &mut inputs)
                };
                value.map(|v| (v, oid, typmod))
            }
            Prepared::Units(_) => self.eval_query(cx, e, &mut inst),
        };
        self.keep(e, inst);
        done
    }

    /// An expression that takes a query.
    #[inline(never)]
    fn eval_query(&mut self, cx: &mut ExecContext, e: &SqlExpr, inst: &mut Inst) -> Result<(Datum, Oid, i32)> {
        let out = self.run_inst(cx, e, inst, Want::Rows(2))?;
        let context = |err: PgError| err.context(format!("query: {}", e.text));
        let Some(desc) = out.desc.filter(|_| out.returns) else {
            return Err(context(PgError::new(WRONG_OBJECT_TYPE, "query did not return data")));
        };
        let [column] = desc.attrs.as_slice() else {
            let n = desc.len();
            let s = if n == 1 { "" } else { "s" };
            return Err(context(PgError::new(SYNTAX_ERROR, format!("query returned {n} column{s}"))));
        };
        let (ty, typmod) = (column.type_oid, column.typmod);
        self.processed = out.rows.len() as u64;
        match out.rows.len() {
            0 => Ok((Datum::Null, ty, typmod)),
            1 => {
                let v = out.rows.into_iter().next().and_then(|r| r.into_iter().next()).unwrap_or_default();
                Ok((executor::scalar_expr::plain(cx, v)?, ty, typmod))
            }
            _ => Err(context(PgError::new(CARDINALITY_VIOLATION, "query returned more than one row"))),
        }
    }

    pub(crate) fn condition(&mut self, cx: &mut ExecContext, e: &SqlExpr) -> Result<bool> {
        let (value, ty, typmod) = self.eval(cx, e)?;
        if ty == BOOLOID {
            return Ok(is_true(&value));
        }
        let to = crate::vartype::of_oid(cx, BOOLOID, -1, Oid::INVALID)?;
        Ok(is_true(&self.convert(cx, value, ty, typmod, &to)?))
    }

    /// As `int4`; `None` for a null.
    pub(super) fn integer(&mut self, cx: &mut ExecContext, e: &SqlExpr) -> Result<Option<i32>> {
        let (value, ty, typmod) = self.eval(cx, e)?;
        let value = match ty {
            INT4OID => value,
            _ => {
                let to = crate::vartype::of_oid(cx, INT4OID, -1, Oid::INVALID)?;
                self.convert(cx, value, ty, typmod, &to)?
            }
        };
        Ok(match value {
            Datum::Word(w) => Some(w as i32),
            _ => None,
        })
    }

    /// As text; `None` for a null.
    pub(super) fn text(&mut self, cx: &mut ExecContext, e: &SqlExpr) -> Result<Option<String>> {
        let (value, ty, _) = self.eval(cx, e)?;
        if value.is_null() {
            return Ok(None);
        }
        text_of(cx, &value, ty).map(Some)
    }

    // Statements.

    /// Runs a prepared statement.
    #[inline(never)]
    pub(super) fn run_inst(
        &mut self,
        cx: &mut ExecContext,
        e: &SqlExpr,
        inst: &mut Inst,
        want: Want,
    ) -> Result<Outcome> {
        let params = match &inst.prepared {
            Prepared::Simple { .. } => return Err(crate::scalar::not_simple()),
            Prepared::Units(_) => self.values(cx, inst)?,
        };
        self.place.runs(Some((inst.source.clone(), e.mode)));
        let Prepared::Units(units) = &inst.prepared else { return Err(crate::scalar::not_simple()) };
        let done = match units.as_slice() {
            [Unit::Plan(p)] => self.run_plan(cx, p, params, want, &mut inst.idle),
            units => self.run_units(cx, units, params, &inst.source, want, self.atomic),
        };
        self.place.runs(None);
        done.map_err(|err| in_query(err, &e.text, e.mode))
    }

    pub(super) fn run_units(
        &mut self,
        cx: &mut ExecContext,
        units: &[Unit],
        params: Arc<[Datum]>,
        source: &Arc<str>,
        want: Want,
        atomic: bool,
    ) -> Result<Outcome> {
        let mut out = Outcome::default();
        for unit in units {
            match unit {
                Unit::Nothing => {}
                Unit::Plan(p) => {
                    let one = self.run_plan(cx, p, params.clone(), want, &mut None)?;
                    if p.can_set_tag || units.len() == 1 {
                        out = one;
                    }
                }
                Unit::Utility(stmt) => out = self.run_utility(cx, stmt, source, atomic)?,
            }
        }
        Ok(out)
    }

    fn run_utility(
        &mut self,
        cx: &mut ExecContext,
        stmt: &Arc<Statement>,
        source: &Arc<str>,
        atomic: bool,
    ) -> Result<Outcome> {
        if self.readonly && !is_read_only(stmt) {
            let text = format!("{} is not allowed in a non-volatile function", utility_name(stmt));
            return Err(PgError::new(FEATURE_NOT_SUPPORTED, text));
        }
        let host = cx.host()?;
        let saved = cx.snapshot.clone();
        if executor::needs_snapshot(stmt) {
            cx.snapshot = self.snapshot(cx)?;
        } else if !self.readonly {
            cx.catalog.command_counter_increment()?;
        }
        let done = host.utility(cx, stmt, source, atomic);
        cx.snapshot = if self.atomic { saved } else { None };
        let done = done?;
        // Settings may have changed what names mean.
        self.path = crate::handler::path_of(cx)?;
        let (desc, rows) = done.result.map_or((None, Vec::new()), |(d, r)| (Some(d), r));
        let processed = match &**stmt {
            Statement::CreateTableAs(_) | Statement::CopyStmt(_) => {
                done.tag.rsplit(' ').next().and_then(|n| n.parse().ok()).unwrap_or(0)
            }
            _ => rows.len() as u64,
        };
        Ok(Outcome { returns: desc.is_some(), processed, rows, desc, command: None, utility: true })
    }

    pub(super) fn run_plan(
        &mut self,
        cx: &mut ExecContext,
        p: &Arc<PlannedStmt>,
        params: Arc<[Datum]>,
        want: Want,
        idle: &mut Option<Box<Execution>>,
    ) -> Result<Outcome> {
        let returns = p.command_type == CmdType::Select || p.has_returning;
        let mut e = self.start(cx, p, params, idle)?;
        let mut out = Outcome {
            desc: returns.then(|| p.result_desc.clone()),
            command: Some(p.command_type),
            returns,
            ..Outcome::default()
        };
        let sent = match want {
            Want::Count => e.run(cx, 0, &mut ())?,
            Want::Rows(n) => e.run(cx, n, &mut out.rows)?,
        };
        e.finish(cx)?;
        out.processed = if p.command_type == CmdType::Select || p.has_returning { sent } else { e.processed() };
        if e.rest()? {
            *idle = Some(e);
        }
        Ok(out)
    }

    pub(super) fn start(
        &mut self,
        cx: &mut ExecContext,
        p: &Arc<PlannedStmt>,
        params: Arc<[Datum]>,
        idle: &mut Option<Box<Execution>>,
    ) -> Result<Box<Execution>> {
        if self.readonly && (p.command_type != CmdType::Select || p.has_modifying_cte || !p.row_marks.is_empty()) {
            let name = match p.command_type {
                CmdType::Insert => "INSERT",
                CmdType::Update => "UPDATE",
                CmdType::Delete => "DELETE",
                CmdType::Merge => "MERGE",
                _ if !p.row_marks.is_empty() => "SELECT FOR UPDATE",
                _ => "SELECT",
            };
            let text = format!("{name} is not allowed in a non-volatile function");
            return Err(PgError::new(FEATURE_NOT_SUPPORTED, text));
        }
        executor::lock_plan_relations(cx, std::iter::once(&**p))?;
        let snapshot = self.snapshot(cx)?;
        if let Some(mut e) = idle.take()
            && self.named.is_empty()
        {
            e.restart(cx, params, snapshot)?;
            return Ok(e);
        }
        let options = StartOptions { params, snapshot, named: self.named.clone(), ..StartOptions::default() };
        Execution::start(p.clone(), cx, options).map(Box::new)
    }

    #[inline(never)]
    pub(super) fn perform(&mut self, cx: &mut ExecContext, e: &'f SqlExpr) -> Result<()> {
        let mut inst = self.inst(cx, e)?;
        let done = self.run_inst(cx, e, &mut inst, Want::Count);
        self.keep(e, inst);
        let out = done?;
        self.processed = out.processed;
        self.set_found(out.processed != 0);
        Ok(())
    }

    #[inline(never)]
    pub(super) fn sql_statement(
        &mut self,
        cx: &mut ExecContext,
        e: &'f SqlExpr,
        into: Option<&'f Into>,
        strict: bool,
    ) -> Result<Flow<'f>> {
        let mut inst = self.inst(cx, e)?;
        let Prepared::Units(units) = &inst.prepared else { return Err(crate::scalar::not_simple()) };
        let is_mod = units.iter().any(|u| matches!(u, Unit::Plan(p) if p.command_type != CmdType::Select));
        for u in units {
            if let Unit::Utility(stmt) = u {
                refuse_utility(stmt, false)?;
            }
        }
        let check_many = self.f.errors.too_many_rows || self.f.warnings.too_many_rows;
        let want = match into {
            Some(_) if strict || is_mod || check_many => Want::Rows(2),
            Some(_) => Want::Rows(1),
            // Rows that nobody takes are an error below.
            None => Want::Count,
        };
        // Without INTO a SELECT has nowhere to go: said before it is run.
        if into.is_none()
            && let [Unit::Plan(p)] = units.as_slice()
            && (p.command_type == CmdType::Select || p.has_returning)
        {
            let done = self.run_inst(cx, e, &mut inst, Want::Count);
            self.keep(e, inst);
            let out = done?;
            return Err(no_destination(out.command == Some(CmdType::Select)));
        }
        let done = self.run_inst(cx, e, &mut inst, want);
        self.keep(e, inst);
        let out = done?;
        self.finish_statement(cx, out, into, strict, is_mod, &e.text, None)?;
        Ok(Flow::Next)
    }

    /// FOUND, ROW_COUNT and INTO.
    #[expect(clippy::too_many_arguments, reason = "the two kinds of statements differ in small things")]
    fn finish_statement(
        &mut self,
        cx: &mut ExecContext,
        out: Outcome,
        into: Option<&Into>,
        strict: bool,
        is_mod: bool,
        text: &str,
        dynamic: Option<&[(Datum, Oid, i32)]>,
    ) -> Result<()> {
        if dynamic.is_none() && !out.utility {
            self.set_found(out.processed != 0);
        }
        self.processed = out.processed;
        let Some(into) = into else {
            if out.returns && out.utility && dynamic.is_none() {
                return Err(no_destination(false));
            }
            return Ok(());
        };
        let Some(desc) = out.desc.filter(|_| out.returns) else {
            let text = "INTO used with a command that cannot return data";
            return Err(PgError::new(SYNTAX_ERROR, text));
        };
        let details = |me: &mut Self, cx: &mut ExecContext, e: PgError| -> Result<PgError> {
            if !me.f.print_strict_params {
                return Ok(e);
            }
            let shown = match dynamic {
                Some(params) => show_params(cx, params)?,
                None => me.show_variables(cx, text)?,
            };
            Ok(match shown {
                Some(s) => e.detail(format!("parameters: {s}")),
                None => e,
            })
        };
        let mut rows = out.rows.into_iter();
        match rows.next() {
            None => {
                if strict {
                    let e = PgError::new(NO_DATA_FOUND, "query returned no rows");
                    return Err(details(self, cx, e)?);
                }
                self.store(cx, into, &desc, None)
            }
            Some(row) => {
                if rows.next().is_some() && (strict || is_mod || dynamic.is_none()) {
                    let hint = "Make sure the query returns a single row, or use LIMIT 1.";
                    let fatal = strict || is_mod || self.f.errors.too_many_rows;
                    let severity = if fatal { Severity::Error } else { Severity::Warning };
                    let e = PgError::with_severity(severity, TOO_MANY_ROWS, "query returned more than one row");
                    let e = details(self, cx, e)?;
                    let e = if dynamic.is_some() { e } else { e.hint(hint) };
                    if fatal {
                        return Err(e);
                    }
                    let e = crate::context::with_stack(cx, e);
                    cx.notices.notice(e);
                }
                self.store(cx, into, &desc, Some(row))
            }
        }
    }

    /// The variables that a statement used, as `print_strict_params` shows them.
    fn show_variables(&mut self, cx: &mut ExecContext, text: &str) -> Result<Option<String>> {
        let found = self.insts.iter().flatten().find(|i| *i.source == *text);
        let Some(sources) = found.map(|i| i.sources.clone()) else { return Ok(None) };
        let mut parts = Vec::new();
        for s in &sources {
            let (name, ty) = match s {
                crate::expr::Source::Var { dno, ty } | crate::expr::Source::Record { dno, ty } => {
                    (self.f.vars[*dno].name.clone(), *ty)
                }
                crate::expr::Source::Field { dno, name, ty, .. } => (format!("{}.{name}", self.f.vars[*dno].name), *ty),
            };
            let value = s.value(cx, &self.slots)?;
            parts.push(match value.is_null() {
                true => format!("{name} = NULL"),
                false => format!("{name} = '{}'", text_of(cx, &value, ty)?.replace('\'', "''")),
            });
        }
        Ok((!parts.is_empty()).then(|| parts.join(", ")))
    }

    // EXECUTE

    #[inline(never)]
    pub(super) fn execute(
        &mut self,
        cx: &mut ExecContext,
        query: &'f SqlExpr,
        into: Option<&'f Into>,
        strict: bool,
        params: &'f [SqlExpr],
    ) -> Result<Flow<'f>> {
        let text = self.text(cx, query)?;
        let text =
            text.ok_or_else(|| PgError::new(NULL_VALUE_NOT_ALLOWED, "query string argument of EXECUTE is null"))?;
        let params = self.param_values(cx, params)?;
        let source: Arc<str> = text.as_str().into();
        for raw in parser::parse(&source).map_err(|e| in_query(e, &text, Mode::Statement))? {
            refuse_dynamic(&raw.stmt)?;
        }
        self.place.runs(Some((source.clone(), Mode::Statement)));
        let done = self.run_dynamic(cx, &source, &params, into.is_some());
        self.place.runs(None);
        let out = done.map_err(|e| in_query(e, &text, Mode::Statement))?;
        self.finish_statement(cx, out, into, strict, false, &text, Some(&params))?;
        Ok(Flow::Next)
    }

    pub(super) fn param_values(
        &mut self,
        cx: &mut ExecContext,
        params: &'f [SqlExpr],
    ) -> Result<Vec<(Datum, Oid, i32)>> {
        params
            .iter()
            .map(|p| {
                let (v, ty, typmod) = self.eval(cx, p)?;
                // A literal is text.
                Ok((v, if ty == UNKNOWNOID { TEXTOID } else { ty }, typmod))
            })
            .collect()
    }

    fn run_dynamic(
        &mut self,
        cx: &mut ExecContext,
        source: &Arc<str>,
        params: &[(Datum, Oid, i32)],
        rows: bool,
    ) -> Result<Outcome> {
        let types: Vec<Oid> = params.iter().map(|p| p.1).collect();
        let values: Arc<[Datum]> = params.iter().map(|p| p.0.clone()).collect();
        let named: Vec<_> = self.named.iter().map(|t| t.meta.clone()).collect();
        let mut out = Outcome::default();
        let raws = parser::parse(source)?;
        let several = raws.len() > 1;
        for (i, raw) in raws.iter().enumerate() {
            // Each statement is analyzed after the ones before it have run.
            let text = match several {
                true => statement_text(source, raw),
                false => source.to_string(),
            };
            for (_, units) in prepare_dynamic(cx, &text, &types, &named)? {
                let last = i + 1 == raws.len();
                let want = if last && rows { Want::Rows(2) } else { Want::Count };
                out = self.run_units(cx, &units, values.clone(), source, want, true)?;
            }
        }
        Ok(out)
    }

    /// The one plan of a text that gives rows, for cursors and loops.
    pub(super) fn dynamic_query(
        &mut self,
        cx: &mut ExecContext,
        text: &str,
        params: &[(Datum, Oid, i32)],
        what: &str,
    ) -> Result<(Arc<PlannedStmt>, Arc<[Datum]>)> {
        let types: Vec<Oid> = params.iter().map(|p| p.1).collect();
        let values: Arc<[Datum]> = params.iter().map(|p| p.0.clone()).collect();
        let named: Vec<_> = self.named.iter().map(|t| t.meta.clone()).collect();
        let mut prepared = prepare_dynamic(cx, text, &types, &named)?;
        if prepared.len() > 1 {
            return Err(PgError::new(INVALID_CURSOR_DEFINITION, format!("cannot open multi-query plan as {what}")));
        }
        let Some((_, units)) = prepared.pop() else {
            return Err(PgError::new(INVALID_CURSOR_DEFINITION, format!("cannot open empty query as {what}")));
        };
        Ok((only_query(&units, what)?, values))
    }

    // CALL and DO

    #[inline(never)]
    pub(super) fn call_statement(&mut self, cx: &mut ExecContext, e: &'f SqlExpr, is_call: bool) -> Result<()> {
        if !is_call {
            let mut inst = self.inst(cx, e)?;
            let done = self.run_inst(cx, e, &mut inst, Want::Count);
            self.keep(e, inst);
            return done.map(drop);
        }
        let source: Arc<str> = e.text.as_str().into();
        self.place.runs(Some((source, Mode::Statement)));
        let done = self.call_procedure(cx, e);
        self.place.runs(None);
        let (result, targets) = done?;
        if let Some(into) = targets
            && !result.is_null()
        {
            let row = crate::value::Record::open(cx, &result)?;
            self.store(cx, &into, &row.desc, Some(row.values))?;
        }
        Ok(())
    }

    fn call_procedure(&mut self, cx: &mut ExecContext, e: &'f SqlExpr) -> Result<(Datum, Option<Into>)> {
        let parsed = parser::parse(&e.text)?;
        let [parser::ast::RawStmt { stmt: Statement::Call(call), .. }] = parsed.as_slice() else {
            return Err(PgError::internal("CALL is no CALL"));
        };
        let catalog = cx.catalog.clone();
        let vars = &self.f.vars;
        let descs = |dno: Dno| match vars[dno].ty.oid {
            RECORDOID => Ok(None),
            oid => catalog.row_type(catalog.base_type(oid, -1)?.0).map(Some),
        };
        let mut scope = Scope {
            vars,
            names: &self.f.names,
            scope: e.scope,
            conflict: self.f.conflict,
            types: &self.types,
            slots: &self.slots,
            descs: &descs,
            sources: Vec::new(),
        };
        let analyzed = {
            let catalog = cx.catalog.clone();
            let mut acx = analyze::AnalyzeContext::new(catalog, &mut *cx);
            acx.hooks = Some(&mut scope);
            analyze::plpgsql::call_statement(&mut acx, &call.funccall, &e.text)
                .map_err(|err| in_query(err, &e.text, Mode::Statement))?
        };
        let sources = scope.sources;
        let Expr::FuncExpr(f) = &analyzed.call else { return Err(PgError::internal("a call that is none")) };
        let proc = cx.catalog.function_row(f.funcid)?;
        // Output arguments must be variables.
        let modes = proc.proargmodes.clone().unwrap_or_default();
        let mut targets = Vec::new();
        for (i, mode) in modes.iter().enumerate() {
            if !matches!(mode, b'o' | b'b') {
                continue;
            }
            let given = analyzed.output(i);
            let target = match given {
                Some(Expr::Param(p)) if p.kind == analyze::query::ParamKind::Extern => {
                    usize::try_from(p.id - 1).ok().and_then(|at| sources.get(at)).map(|s| match s {
                        crate::expr::Source::Var { dno, .. } | crate::expr::Source::Record { dno, .. } => {
                            Target::Var(*dno)
                        }
                        crate::expr::Source::Field { dno, name, .. } => {
                            Target::Field { record: *dno, name: name.clone() }
                        }
                    })
                }
                _ => None,
            };
            let Some(target) = target else {
                let names = proc.proargnames.clone().unwrap_or_default();
                let text = match names.get(i).filter(|n| !n.is_empty()) {
                    Some(n) => format!(
                        "procedure parameter \"{n}\" is an output parameter but corresponding argument is not writable"
                    ),
                    None => format!(
                        "procedure parameter {} is an output parameter but corresponding argument is not writable",
                        i + 1
                    ),
                };
                return Err(PgError::new(SYNTAX_ERROR, text));
            };
            if let Target::Var(d) | Target::Field { record: d, .. } = &target
                && self.f.vars[*d].constant
            {
                let text = format!("variable \"{}\" is declared CONSTANT", self.f.vars[*d].name);
                return Err(PgError::new(ERROR_IN_ASSIGNMENT, text));
            }
            targets.push(target);
        }
        let snapshot = self.snapshot(cx)?;
        let saved = std::mem::replace(&mut cx.snapshot, snapshot);
        let done = self.call_with(cx, f, &sources);
        cx.snapshot = if self.atomic { saved } else { None };
        let into = (!targets.is_empty()).then_some(Into::List(targets));
        Ok((done.map_err(|err| in_query(err, &e.text, Mode::Statement))?, into))
    }

    fn call_with(
        &mut self,
        cx: &mut ExecContext,
        f: &analyze::query::FuncExpr,
        sources: &[crate::expr::Source],
    ) -> Result<Datum> {
        let mut args = Vec::new();
        for a in &f.args {
            let mut compiled = Scalar::compile(cx, a, sources)?;
            let mut inputs = Inputs { slots: &self.slots, sources, params: None };
            args.push(compiled.eval(cx, &mut inputs)?);
        }
        let call = FnCall {
            function: f.funcid,
            arg_types: f.args.iter().map(Expr::type_oid).collect(),
            result_type: f.funcresulttype,
            collation: f.inputcollid,
            variadic: f.funcvariadic,
            ..FnCall::default()
        };
        let refs: Vec<DatumRef<'_>> = args.iter().map(Datum::as_ref).collect();
        executor::language::call_procedure(cx, &call, &refs, self.atomic)
    }
}

/// The query among units that gives rows. (PostgreSQL: `SPI_is_cursor_plan`)
pub(super) fn only_query(units: &[Unit], what: &str) -> Result<Arc<PlannedStmt>> {
    let refuse =
        |name: &str| Err(PgError::new(INVALID_CURSOR_DEFINITION, format!("cannot open {name} query as {what}")));
    match units {
        [Unit::Plan(p)] if p.command_type == CmdType::Select || p.has_returning => Ok(p.clone()),
        [Unit::Plan(p)] => refuse(match p.command_type {
            CmdType::Insert => "INSERT",
            CmdType::Update => "UPDATE",
            CmdType::Delete => "DELETE",
            CmdType::Merge => "MERGE",
            _ => "SELECT",
        }),
        [Unit::Utility(stmt)] => refuse(&utility_name(stmt)),
        [] | [Unit::Nothing] => refuse("empty"),
        _ => Err(PgError::new(INVALID_CURSOR_DEFINITION, format!("cannot open multi-query plan as {what}"))),
    }
}

fn statement_text(source: &str, raw: &parser::ast::RawStmt) -> String {
    let from = usize::try_from(raw.location.0).unwrap_or(0);
    let to = if raw.len > 0 { from + raw.len as usize } else { source.len() };
    source.get(from..to).unwrap_or(source).to_owned()
}

fn no_destination(select: bool) -> PgError {
    let e = PgError::new(SYNTAX_ERROR, "query has no destination for result data");
    match select {
        true => e.hint("If you want to discard the results of a SELECT, use PERFORM instead."),
        false => e,
    }
}

fn refuse_utility(stmt: &Statement, _: bool) -> Result<()> {
    match stmt {
        Statement::CopyStmt(c) if c.filename.is_none() => {
            Err(PgError::new(FEATURE_NOT_SUPPORTED, "cannot COPY to/from client in PL/pgSQL"))
        }
        Statement::Transaction(_) => {
            Err(PgError::new(FEATURE_NOT_SUPPORTED, "unsupported transaction command in PL/pgSQL"))
        }
        _ => Ok(()),
    }
}

fn refuse_dynamic(stmt: &Statement) -> Result<()> {
    match stmt {
        Statement::CopyStmt(c) if c.filename.is_none() => {
            Err(PgError::new(FEATURE_NOT_SUPPORTED, "cannot COPY to/from client in PL/pgSQL"))
        }
        Statement::Transaction(t) if t.kind != TransactionStmtKind::Prepare => {
            Err(PgError::new(FEATURE_NOT_SUPPORTED, "EXECUTE of transaction commands is not implemented"))
        }
        Statement::Select(s) if s.into_clause.is_some() => {
            let e = PgError::new(FEATURE_NOT_SUPPORTED, "EXECUTE of SELECT ... INTO is not implemented");
            Err(e.hint("You might want to use EXECUTE ... INTO or EXECUTE CREATE TABLE ... AS instead."))
        }
        _ => Ok(()),
    }
}

fn show_params(cx: &mut ExecContext, params: &[(Datum, Oid, i32)]) -> Result<Option<String>> {
    let mut parts = Vec::new();
    for (i, (v, ty, _)) in params.iter().enumerate() {
        parts.push(match v.is_null() {
            true => format!("${} = NULL", i + 1),
            false => format!("${} = '{}'", i + 1, text_of(cx, v, *ty)?.replace('\'', "''")),
        });
    }
    Ok((!parts.is_empty()).then(|| parts.join(", ")))
}

fn is_read_only(stmt: &Statement) -> bool {
    matches!(
        stmt,
        Statement::VariableShow(_) | Statement::ExplainStmt(_) | Statement::Fetch(_) | Statement::VariableSet(_)
    )
}

/// (PostgreSQL: `CreateCommandName`, as far as it matters here)
fn utility_name(stmt: &Statement) -> String {
    let debug = format!("{stmt:?}");
    let word = debug.split(['(', ' ', '{']).next().unwrap_or_default();
    let known = match word {
        "CreateStmt" => "CREATE TABLE",
        "CreateTableAs" => "CREATE TABLE AS",
        "Truncate" => "TRUNCATE TABLE",
        "Drop" | "DropStmt" => "DROP TABLE",
        "CopyStmt" => "COPY",
        "VariableSet" => "SET",
        "ExplainStmt" => "EXPLAIN",
        "VariableShow" => "SHOW",
        "Call" => "CALL",
        "Do" => "DO",
        "Fetch" => "FETCH",
        "AlterTable" => "ALTER TABLE",
        "IndexStmt" => "CREATE INDEX",
        "Lock" => "LOCK TABLE",
        "Notify" => "NOTIFY",
        other => other,
    };
    known.to_owned()
}
