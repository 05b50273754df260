//! SQL-language functions: the body is planned at the first call and run like any statement.
//!
//! PostgreSQL: `functions.c`.

use std::sync::Arc;

use analyze::query::{CmdType, Expr, FieldSelect, FuncExpr, Param, ParamKind, Query, TypeMod};
use analyze::{AnalyzeContext, ColumnHooks, ParamTypes};
use base::error::Location;
use base::sqlstate::STATEMENT_TOO_COMPLEX;
use base::{Oid, PgError, Result};
use catalog::PgProc;
use parser::ast;
use planner::{PlanOptions, PlannedStmt};
use types::{Batch, Datum, DatumRef, FnCall};

use crate::context::ExecContext;
use crate::execution::{Destination, Execution, StartOptions};
use crate::scalar_expr::ScalarExpr;
use crate::state::Run;

/// Calls within calls, before the stack would run out.
const MAX_DEPTH: usize = 200;

/// A statement of the body.
enum Piece {
    Raw(Box<ast::RawStmt>),
    /// Of a body outside a string.
    Query(Box<Query>),
}

/// What a statement became.
#[derive(Clone)]
enum Unit {
    Plan(Arc<PlannedStmt>),
    Utility(Arc<ast::Statement>),
    Call(Arc<FuncExpr>),
}

/// A call site of a SQL-language function.
pub(crate) struct SqlFunction {
    function: Oid,
    name: String,
    source: Arc<str>,
    body: Option<String>,
    arg_types: Vec<Oid>,
    arg_names: Vec<String>,
    returns: Oid,
    volatile: bool,
    pieces: Option<Arc<[Piece]>>,
    /// By statement, made when it is first reached: those before it may create what it names.
    plans: Vec<Option<Arc<[Unit]>>>,
    /// What the last statement's columns must go through.
    casts: Vec<Option<ScalarExpr>>,
    is_procedure: bool,
    /// The call site has told `returns` and `desc`.
    known: bool,
    /// The columns of the result, where it is a row.
    desc: Option<Arc<types::TupleDesc>>,
}

/// The function's arguments by name. (PostgreSQL: `sql_fn_post_column_ref`)
pub struct Names<'a> {
    pub function: &'a str,
    pub names: &'a [String],
    pub types: &'a [Oid],
    pub catalog: catalog::Catalog,
}

impl Names<'_> {
    fn argument(&self, name: &str, location: Location) -> Result<Option<Expr>> {
        let Some(i) = self.names.iter().position(|n| n == name && !n.is_empty()) else { return Ok(None) };
        let Some(&oid) = self.types.get(i) else { return Ok(None) };
        let collation = self.catalog.type_by_oid(oid)?.map_or(Oid::INVALID, |t| t.typcollation);
        let ty = TypeMod { oid, typmod: -1, collation };
        Ok(Some(Expr::Param(Param { kind: ParamKind::Extern, id: i as i32 + 1, ty, location })))
    }
    fn field(&self, arg: Expr, name: &str) -> Result<Option<Expr>> {
        let (base, _) = self.catalog.base_type(arg.type_oid(), -1)?;
        if self.catalog.type_row(base)?.typtype != b'c' {
            return Ok(None);
        }
        let desc = self.catalog.row_type(base)?;
        let Some(at) = desc.attrs.iter().position(|a| !a.dropped && *a.name == *name) else { return Ok(None) };
        let a = &desc.attrs[at];
        let resulttype = TypeMod { oid: a.type_oid, typmod: a.typmod, collation: a.collation };
        Ok(Some(Expr::FieldSelect(Box::new(FieldSelect { arg, fieldnum: at as i16 + 1, resulttype }))))
    }
}

impl ColumnHooks for Names<'_> {
    fn param(&mut self, number: i32, location: Location) -> Result<Option<Expr>> {
        let at = usize::try_from(number - 1).ok();
        let Some(&oid) = at.and_then(|at| self.types.get(at)) else { return Ok(None) };
        let collation = self.catalog.type_by_oid(oid)?.map_or(Oid::INVALID, |t| t.typcollation);
        let ty = TypeMod { oid, typmod: -1, collation };
        Ok(Some(Expr::Param(Param { kind: ParamKind::Extern, id: number, ty, location })))
    }
    fn after_column(&mut self, name: &ast::ColumnRef, found: Option<&Expr>) -> Result<Option<Expr>> {
        // A column wins over an argument of the same name.
        if found.is_some() {
            return Ok(None);
        }
        let mut parts: Vec<&str> = Vec::new();
        let mut star = false;
        for f in &name.fields {
            match f {
                ast::Field::Name(n) => parts.push(n),
                ast::Field::Star => star = true,
            }
        }
        let at = name.location;
        match (parts.as_slice(), star) {
            ([n], _) => self.argument(n, at),
            ([f, n], _) if *f == self.function && self.names.iter().any(|m| m == n) => self.argument(n, at),
            ([n, field], false) => match self.argument(n, at)? {
                Some(arg) => self.field(arg, field),
                None => Ok(None),
            },
            ([f, n, field], false) if *f == self.function => match self.argument(n, at)? {
                Some(arg) => self.field(arg, field),
                None => Ok(None),
            },
            _ => Ok(None),
        }
    }
}

/// Analyzes statements as a function's, whose arguments they may name.
pub fn analyze_body(
    cx: &mut ExecContext,
    function: &str,
    names: &[String],
    types: &[Oid],
    stmt: &ast::Statement,
    source: &str,
) -> Result<Query> {
    let catalog = cx.catalog.clone();
    let mut lock = crate::support::relation_locker(cx)?;
    let mut hook = Names { function, names, types, catalog: catalog.clone() };
    let mut acx = AnalyzeContext::new(catalog, cx);
    acx.hooks = Some(&mut hook);
    acx.lock = Some(&mut lock);
    let mut params = ParamTypes::Fixed(types.to_vec());
    analyze::analyze_statement(&mut acx, stmt, source, &mut params)
}

/// Checks that a function's last statement gives what the function says it returns. (PostgreSQL: `check_sql_fn_retval`)
pub fn check_result(
    cx: &mut ExecContext,
    proc: &PgProc,
    returns: Oid,
    desc: Option<Arc<types::TupleDesc>>,
    last: Option<&Query>,
) -> Result<()> {
    use base::sqlstate::INVALID_FUNCTION_DEFINITION;
    if returns == types::oid::VOIDOID {
        return Ok(());
    }
    let shown = cx.catalog.format_type(returns, None)?;
    let mismatch = |detail: String| {
        let text = format!("return type mismatch in function declared to return {shown}");
        Err(PgError::new(INVALID_FUNCTION_DEFINITION, text).detail(detail))
    };
    let list = match last {
        Some(q) if q.command_type == CmdType::Select => Some(&q.target_list),
        Some(q) if q.command_type != CmdType::Utility && !q.returning_list.is_empty() => Some(&q.returning_list),
        _ => None,
    };
    let Some(list) = list else {
        let detail = "Function's final statement must be SELECT or INSERT/UPDATE/DELETE/MERGE RETURNING.";
        return mismatch(detail.to_owned());
    };
    let columns: Vec<&analyze::query::TargetEntry> = list.iter().filter(|t| !t.resjunk).collect();
    let coercible = |cx: &mut ExecContext, from: Oid, to: Oid| -> Result<bool> {
        if from == types::oid::UNKNOWNOID {
            return Ok(true);
        }
        let catalog = cx.catalog.clone();
        let mut acx = AnalyzeContext::new(catalog, cx);
        // What a row's fields are is seen when they are converted.
        if from == types::oid::RECORDOID {
            return Ok(acx.catalog.type_row(to)?.typtype == b'c' || to == from);
        }
        Ok(analyze::plpgsql::result_cast(&mut acx, from, -1, to, -1)?.is_some())
    };
    let kind = cx.catalog.type_row(returns)?.typtype;
    let (base, _) = cx.catalog.base_type(returns, -1)?;
    let row = returns == types::oid::RECORDOID || cx.catalog.type_row(base)?.typtype == b'c';
    if !row {
        if kind == b'p' {
            return match analyze::coerce_is_polymorphic(returns) {
                // Only its validator sees these.
                true => Ok(()),
                false => {
                    let text = format!("return type {shown} is not supported for SQL functions");
                    Err(PgError::new(INVALID_FUNCTION_DEFINITION, text))
                }
            };
        }
        let [column] = columns.as_slice() else {
            return mismatch("Final statement must return exactly one column.".to_owned());
        };
        let from = column.expr.type_oid();
        if !coercible(cx, from, returns)? {
            let actual = cx.catalog.format_type(from, None)?;
            return mismatch(format!("Actual return type is {actual}."));
        }
        return Ok(());
    }
    if let [column] = columns.as_slice()
        && proc.prokind != b'p'
    {
        let from = column.expr.type_oid();
        let is_row = from == types::oid::RECORDOID || from == returns;
        if is_row
            || (returns != types::oid::RECORDOID && from != types::oid::UNKNOWNOID && {
                let (b, _) = cx.catalog.base_type(from, -1)?;
                b == base
            })
        {
            return Ok(());
        }
    }
    let Some(desc) = desc else { return Ok(()) };
    let wanted: Vec<&types::Attribute> = desc.attrs.iter().filter(|a| !a.dropped).collect();
    for (i, c) in columns.iter().enumerate() {
        let Some(w) = wanted.get(i) else {
            return mismatch("Final statement returns too many columns.".to_owned());
        };
        let from = c.expr.type_oid();
        if !coercible(cx, from, w.type_oid)? {
            let (from, to) = (cx.catalog.format_type(from, None)?, cx.catalog.format_type(w.type_oid, None)?);
            let n = i + 1;
            return mismatch(format!("Final statement returns {from} instead of {to} at column {n}."));
        }
    }
    if columns.len() < wanted.len() {
        return mismatch("Final statement returns too few columns.".to_owned());
    }
    Ok(())
}

/// Checks a SQL-language function whose row was just written. (PostgreSQL: `fmgr_sql_validator`)
pub fn validate(cx: &mut ExecContext, function: Oid) -> Result<()> {
    use base::sqlstate::INVALID_FUNCTION_DEFINITION;
    let proc = cx.catalog.function_row(function)?;
    let pseudo = |cx: &ExecContext, t: Oid| Ok::<_, PgError>(cx.catalog.type_row(t)?.typtype == b'p');
    let poly = analyze::coerce_is_polymorphic;
    let returns = proc.prorettype;
    if pseudo(cx, returns)? && !matches!(returns, types::oid::RECORDOID | types::oid::VOIDOID) && !poly(returns) {
        let text = format!("SQL functions cannot return type {}", cx.catalog.format_type(returns, None)?);
        return Err(PgError::new(INVALID_FUNCTION_DEFINITION, text));
    }
    let mut any_poly = false;
    for t in &proc.proargtypes {
        if pseudo(cx, *t)? {
            if !poly(*t) {
                let text = format!("SQL functions cannot have arguments of type {}", cx.catalog.format_type(*t, None)?);
                return Err(PgError::new(INVALID_FUNCTION_DEFINITION, text));
            }
            any_poly = true;
        }
    }
    validate_body(cx, &proc, any_poly).map_err(|e| match e.fields().position {
        Some(_) => e,
        None => e.context(format!("SQL function \"{}\"", proc.proname)),
    })
}

fn validate_body(cx: &mut ExecContext, proc: &PgProc, any_poly: bool) -> Result<()> {
    let (names, _) = input_names(proc);
    let mut last = None;
    if let Some(text) = &proc.prosqlbody {
        last = analyze::nodes::read_body(text, &cx.catalog.clone())?.into_iter().rfind(|q| q.can_set_tag);
    } else {
        let statements = parser::parse(&proc.prosrc)?;
        if any_poly {
            return Ok(());
        }
        for s in &statements {
            let q = analyze_body(cx, &proc.proname, &names, &proc.proargtypes, &s.stmt, &proc.prosrc)?;
            refuse(&q)?;
            if let Some(ast::Statement::Call(call)) = q.utility.as_deref() {
                call_of(cx, &proc.proname, &names, &proc.proargtypes, call, &proc.prosrc)?;
            }
            last = Some(q);
        }
    }
    if any_poly {
        return Ok(());
    }
    let desc = cx.result_desc(proc.oid, proc.prorettype, &proc.proargtypes)?;
    check_result(cx, proc, proc.prorettype, desc, last.as_ref())
}

/// Statements that no SQL function may hold. (PostgreSQL: `check_sql_fn_statement`, `init_execution_state`)
fn refuse(q: &Query) -> Result<()> {
    let Some(stmt) = &q.utility else { return Ok(()) };
    let refused = |text: String| Err(PgError::new(base::sqlstate::FEATURE_NOT_SUPPORTED, text));
    match &**stmt {
        ast::Statement::CopyStmt(c) if c.filename.is_none() => {
            refused("cannot COPY to/from client in an SQL function".to_owned())
        }
        ast::Statement::Transaction(t) => {
            let name = match t.kind {
                ast::TransactionStmtKind::Begin => "BEGIN",
                ast::TransactionStmtKind::Start => "START TRANSACTION",
                ast::TransactionStmtKind::Commit => "COMMIT",
                ast::TransactionStmtKind::Rollback => "ROLLBACK",
                ast::TransactionStmtKind::Savepoint => "SAVEPOINT",
                ast::TransactionStmtKind::Release => "RELEASE",
                ast::TransactionStmtKind::RollbackTo => "ROLLBACK TO SAVEPOINT",
                ast::TransactionStmtKind::Prepare => "PREPARE TRANSACTION",
                ast::TransactionStmtKind::CommitPrepared => "COMMIT PREPARED",
                ast::TransactionStmtKind::RollbackPrepared => "ROLLBACK PREPARED",
            };
            refused(format!("{name} is not allowed in an SQL function"))
        }
        _ => Ok(()),
    }
}

/// CALL, without results.
fn call_of(
    cx: &mut ExecContext,
    function: &str,
    names: &[String],
    types: &[Oid],
    call: &ast::CallStmt,
    source: &str,
) -> Result<FuncExpr> {
    let catalog = cx.catalog.clone();
    let mut hook = Names { function, names, types, catalog: catalog.clone() };
    let analyzed = {
        let mut acx = AnalyzeContext::new(catalog, &mut *cx);
        acx.hooks = Some(&mut hook);
        analyze::plpgsql::call_statement(&mut acx, &call.funccall, source)?
    };
    let Expr::FuncExpr(f) = analyzed.call else { return Err(PgError::internal("a call that is none")) };
    let proc = cx.catalog.function_row(f.funcid)?;
    if proc.proargmodes.iter().flatten().any(|m| matches!(m, b'o' | b'b')) {
        let text = "calling procedures with output arguments is not supported in SQL functions";
        return Err(PgError::new(base::sqlstate::FEATURE_NOT_SUPPORTED, text));
    }
    Ok(*f)
}

fn input_names(proc: &PgProc) -> (Vec<String>, usize) {
    let all = proc.proargnames.clone().unwrap_or_default();
    let input = |i: usize| proc.proargmodes.as_ref().is_none_or(|m| matches!(m.get(i), Some(b'i' | b'b' | b'v')));
    let names: Vec<String> = all.into_iter().enumerate().filter(|(i, _)| input(*i)).map(|(_, n)| n).collect();
    let n = names.len();
    (names, n)
}

impl SqlFunction {
    pub fn new(proc: &PgProc, arg_types: &[Oid]) -> SqlFunction {
        SqlFunction {
            function: proc.oid,
            name: proc.proname.clone(),
            source: proc.prosrc.as_str().into(),
            body: proc.prosqlbody.clone(),
            arg_types: arg_types.to_vec(),
            arg_names: input_names(proc).0,
            returns: proc.prorettype,
            volatile: proc.provolatile == b'v',
            pieces: None,
            plans: Vec::new(),
            casts: Vec::new(),
            is_procedure: proc.prokind == b'p',
            known: false,
            desc: None,
        }
    }

    fn pieces(&mut self, cx: &mut ExecContext) -> Result<Arc<[Piece]>> {
        if let Some(pieces) = &self.pieces {
            return Ok(pieces.clone());
        }
        let pieces: Arc<[Piece]> = match &self.body {
            Some(text) => {
                let catalog = cx.catalog.clone();
                let list = analyze::nodes::read_body(text, &catalog)?;
                list.into_iter().map(|q| Piece::Query(Box::new(q))).collect()
            }
            None => parser::parse(&self.source)?.into_iter().map(|s| Piece::Raw(Box::new(s))).collect(),
        };
        self.plans = vec![None; pieces.len()];
        self.pieces = Some(pieces.clone());
        Ok(pieces)
    }

    fn plan(&mut self, cx: &mut ExecContext, piece: &Piece, last: bool) -> Result<Arc<[Unit]>> {
        let mut query = match piece {
            Piece::Query(q) => (**q).clone(),
            Piece::Raw(s) => {
                let mut q = analyze_body(cx, &self.name, &self.arg_names, &self.arg_types, &s.stmt, &self.source)?;
                q.stmt_location = s.location;
                q
            }
        };
        refuse(&query)?;
        if last && !analyze::coerce_is_polymorphic(self.returns) {
            let proc = cx.catalog.function_row(self.function)?;
            check_result(cx, &proc, self.returns, self.desc.clone(), Some(&query))?;
            query = self.fitted(cx, query)?;
        }
        if let Some(stmt) = &query.utility {
            if let ast::Statement::Call(call) = &**stmt {
                let f = call_of(cx, &self.name, &self.arg_names, &self.arg_types, call, &self.source)?;
                return Ok(Arc::from([Unit::Call(Arc::new(f))]));
            }
            return Ok(Arc::from([Unit::Utility(stmt.clone())]));
        }
        let catalog = cx.catalog.clone();
        let queries = {
            let mut acx = AnalyzeContext::new(catalog, &mut *cx);
            analyze::rewrite(&mut acx, query)?
        };
        let mut units = Vec::new();
        for q in queries {
            units.push(Unit::Plan(Arc::new(crate::support::plan_query(cx, q, &PlanOptions::default())?)));
        }
        if last && let Some(Unit::Plan(p)) = units.iter().rfind(|u| matches!(u, Unit::Plan(p) if p.can_set_tag)) {
            self.casts = self.casts_of(cx, p)?;
        }
        Ok(units.into())
    }

    /// The types that the last statement's columns must have; empty where any will do.
    fn wanted(&self) -> Vec<(Oid, i32)> {
        match &self.desc {
            Some(d) => d.attrs.iter().filter(|a| !a.dropped).map(|a| (a.type_oid, a.typmod)).collect(),
            None if matches!(self.returns, types::oid::VOIDOID | types::oid::RECORDOID) => Vec::new(),
            None if analyze::coerce_is_polymorphic(self.returns) => Vec::new(),
            None => vec![(self.returns, -1)],
        }
    }

    /// Converts the columns of a plain SELECT where they stand.
    fn fitted(&self, cx: &mut ExecContext, mut q: Query) -> Result<Query> {
        let wanted = self.wanted();
        let columns = q.target_list.iter().filter(|t| !t.resjunk).count();
        let whole = columns == 1 && wanted.len() == 1 && self.desc.is_some() && !self.is_procedure;
        if q.command_type != CmdType::Select || q.set_operations.is_some() || wanted.len() != columns || whole {
            return Ok(q);
        }
        let catalog = cx.catalog.clone();
        let mut acx = AnalyzeContext::new(catalog, cx);
        for (t, (to, typmod)) in q.target_list.iter_mut().filter(|t| !t.resjunk).zip(wanted) {
            let from = t.expr.type_mod();
            let fits = from.oid == to && (typmod < 0 || typmod == from.typmod);
            if fits || t.ressortgroupref != 0 || analyze::coerce_is_polymorphic(to) {
                continue;
            }
            if let Some(e) = analyze::ddl::assign_to(&mut acx, t.expr.clone(), to, typmod)? {
                t.expr = e;
            }
        }
        Ok(q)
    }

    fn casts_of(&self, cx: &mut ExecContext, planned: &PlannedStmt) -> Result<Vec<Option<ScalarExpr>>> {
        let got: Vec<(Oid, i32)> = planned.result_desc.attrs.iter().map(|a| (a.type_oid, a.typmod)).collect();
        let wanted = self.wanted();
        // A row that comes whole stays what it is.
        if wanted.len() != got.len() {
            return Ok(Vec::new());
        }
        let mut casts = Vec::new();
        for ((from, typmod), (to, to_typmod)) in got.into_iter().zip(wanted) {
            let catalog = cx.catalog.clone();
            let poly = analyze::coerce_is_polymorphic(to);
            let e = match poly {
                true => None,
                false => analyze::plpgsql::result_cast(
                    &mut AnalyzeContext::new(catalog, &mut *cx),
                    from,
                    typmod,
                    to,
                    to_typmod,
                )?
                .flatten(),
            };
            casts.push(e.map(|e| ScalarExpr::new(cx, &e)).transpose()?);
        }
        Ok(if casts.iter().all(Option::is_none) { Vec::new() } else { casts })
    }

    /// Runs all statements; the last one's rows.
    fn run(&mut self, run: &mut Run<'_>, args: &[DatumRef<'_>], limit: u64) -> Result<Vec<Vec<Datum>>> {
        let cx = &mut *run.cx;
        cx.depth += 1;
        if cx.depth > MAX_DEPTH {
            cx.depth -= 1;
            let hint = "Increase the configuration parameter \"max_stack_depth\" (currently 2048kB), after ensuring the platform's stack depth limit is adequate.";
            return Err(PgError::new(STATEMENT_TOO_COMPLEX, "stack depth limit exceeded").hint(hint));
        }
        let mut at = 0;
        let result = self.run_inner(cx, args, limit, &mut at);
        cx.depth -= 1;
        result.map_err(|mut e| {
            if let Some(p) = e.fields_mut().position.take() {
                let f = e.fields_mut();
                f.internal_position = Some(p);
                f.internal_query = Some(self.source.to_string());
            }
            match at {
                0 => e.context(format!("SQL function \"{}\" during startup", self.name)),
                n => e.context(format!("SQL function \"{}\" statement {n}", self.name)),
            }
        })
    }

    fn run_inner(
        &mut self,
        cx: &mut ExecContext,
        args: &[DatumRef<'_>],
        limit: u64,
        at: &mut usize,
    ) -> Result<Vec<Vec<Datum>>> {
        let params: Arc<[Datum]> = args.iter().map(|a| DatumRef::to_owned(*a)).collect();
        let pieces = self.pieces(cx)?;
        let mut rows = Rows { rows: Vec::new() };
        if pieces.is_empty() {
            let proc = cx.catalog.function_row(self.function)?;
            check_result(cx, &proc, self.returns, self.desc.clone(), None)?;
        }
        for (i, piece) in pieces.iter().enumerate() {
            *at = i + 1;
            let last = i + 1 == pieces.len();
            // A volatile function sees what its earlier statements and the caller did.
            let snapshot = match (&cx.txn, self.volatile) {
                (Some(_), true) => {
                    cx.catalog.command_counter_increment()?;
                    Some(cx.txn()?.snapshot()?)
                }
                _ => cx.snapshot.clone(),
            };
            let units = match &self.plans[i] {
                Some(units) => units.clone(),
                None => {
                    let units = self.plan(cx, piece, last)?;
                    self.plans[i] = Some(units.clone());
                    units
                }
            };
            for unit in units.iter() {
                let planned = match unit {
                    Unit::Plan(p) => p,
                    Unit::Call(f) => {
                        let mut values = Vec::new();
                        for a in &f.args {
                            values.push(ScalarExpr::new(cx, a)?.eval(cx, params.clone())?);
                        }
                        let call = FnCall {
                            function: f.funcid,
                            arg_types: f.args.iter().map(Expr::type_oid).collect(),
                            result_type: f.funcresulttype,
                            collation: f.inputcollid,
                            variadic: f.funcvariadic,
                            ..FnCall::default()
                        };
                        let refs: Vec<DatumRef<'_>> = values.iter().map(Datum::as_ref).collect();
                        let saved = std::mem::replace(&mut cx.snapshot, snapshot.clone());
                        let done = crate::language::call_procedure(cx, &call, &refs, true);
                        cx.snapshot = saved;
                        done?;
                        rows.rows.clear();
                        continue;
                    }
                    Unit::Utility(stmt) => {
                        if !self.volatile {
                            let text = "a utility statement is not allowed in a non-volatile function";
                            return Err(PgError::new(base::sqlstate::FEATURE_NOT_SUPPORTED, text));
                        }
                        let host = cx.host()?;
                        let saved = std::mem::replace(&mut cx.snapshot, snapshot.clone());
                        let done = host.utility(cx, stmt, &self.source, true);
                        cx.snapshot = saved;
                        done?;
                        rows.rows.clear();
                        continue;
                    }
                };
                let options =
                    StartOptions { params: params.clone(), snapshot: snapshot.clone(), ..StartOptions::default() };
                let mut e = Execution::start(planned.clone(), cx, options)?;
                let limit = if last && planned.command_type == CmdType::Select { limit } else { 0 };
                if planned.can_set_tag || units.len() == 1 {
                    rows.rows.clear();
                    e.run(cx, limit, &mut rows)?;
                } else {
                    e.run(cx, limit, &mut ())?;
                }
                e.finish(cx)?;
            }
        }
        if !self.casts.is_empty() {
            for row in &mut rows.rows {
                for (v, cast) in row.iter_mut().zip(&mut self.casts) {
                    if let Some(cast) = cast {
                        *v = cast.eval(cx, Arc::from([std::mem::take(v)]))?;
                    }
                }
            }
        }
        Ok(rows.rows)
    }

    /// The columns of the last statement.
    fn last_desc(&self) -> Option<Arc<types::TupleDesc>> {
        match self.plans.last()?.as_deref()?.iter().rfind(|u| matches!(u, Unit::Plan(p) if p.can_set_tag))? {
            Unit::Plan(p) => Some(p.result_desc.clone()),
            Unit::Utility(_) | Unit::Call(_) => None,
        }
    }

    /// Learns from the call site what the function is to return.
    fn know(&mut self, cx: &mut ExecContext, call: &FnCall) -> Result<()> {
        if self.known {
            return Ok(());
        }
        self.known = true;
        if call.result_type.is_valid() && !analyze::coerce_is_polymorphic(call.result_type) {
            self.returns = call.result_type;
        }
        self.desc = match &call.result_desc {
            Some(d) => Some(d.clone()),
            None => cx.result_desc(self.function, self.returns, &self.arg_types)?,
        };
        Ok(())
    }

    /// A row as one value of the result's type.
    fn whole(&self, run: &mut Run<'_>, mut row: Vec<Datum>) -> Result<Datum> {
        let own = self.last_desc();
        let one_row = match &own {
            Some(d) if d.len() == 1 && !self.is_procedure => is_row(run, d.attrs[0].type_oid)?,
            _ => false,
        };
        let shape = match &self.desc {
            Some(d) if !one_row && d.attrs.iter().filter(|a| !a.dropped).count() == row.len() => Some(d.clone()),
            None if self.returns == types::oid::RECORDOID && !one_row => {
                own.map(|d| types::Runtime::bless(run.cx, (*d).clone()))
            }
            _ => None,
        };
        let Some(desc) = shape else {
            return Ok(if row.is_empty() { Datum::Null } else { row.swap_remove(0) });
        };
        let desc = match desc.type_oid == types::oid::RECORDOID && desc.typmod < 0 {
            true => types::Runtime::bless(run.cx, (*desc).clone()),
            false => desc,
        };
        if row.len() != desc.len() {
            let mut given = row.into_iter();
            row = desc.attrs.iter().map(|a| if a.dropped { None } else { given.next() }.unwrap_or_default()).collect();
        }
        let layout = access::tuple::TupleLayout::new(&desc);
        crate::expr::special::composite(run, &layout, row)
    }

    /// The first row's value.
    pub fn call_scalar(&mut self, run: &mut Run<'_>, call: &FnCall, args: &[DatumRef<'_>]) -> Result<Datum> {
        self.know(run.cx, call)?;
        let mut rows = self.run(run, args, 1)?;
        if self.returns == types::oid::VOIDOID || rows.is_empty() {
            return Ok(Datum::Null);
        }
        let row = rows.swap_remove(0);
        self.whole(run, row)
    }
    /// All rows: of one value, or of the columns that the call names.
    pub fn call_set(&mut self, run: &mut Run<'_>, call: &FnCall, args: &[DatumRef<'_>]) -> Result<Vec<Vec<Datum>>> {
        self.know(run.cx, call)?;
        let rows = self.run(run, args, 0)?;
        if self.returns == types::oid::VOIDOID {
            return Ok(Vec::new());
        }
        if call.result_desc.is_none() && self.returns == types::oid::RECORDOID {
            return rows.into_iter().map(|r| Ok(vec![self.whole(run, r)?])).collect();
        }
        let dropped = call.result_desc.as_ref().filter(|d| d.attrs.iter().any(|a| a.dropped)).cloned();
        let Some(desc) = dropped else { return Ok(rows) };
        let spread = |row: Vec<Datum>| {
            let mut given = row.into_iter();
            desc.attrs.iter().map(|a| if a.dropped { None } else { given.next() }.unwrap_or_default()).collect()
        };
        Ok(rows.into_iter().map(spread).collect())
    }
}

fn is_row(run: &mut Run<'_>, t: Oid) -> Result<bool> {
    Ok(t == types::oid::RECORDOID || types::Runtime::type_info(run.cx, t)?.typtype == b'c')
}

struct Rows {
    rows: Vec<Vec<Datum>>,
}

impl Destination for Rows {
    fn receive(&mut self, _: &mut ExecContext, batch: &Batch) -> Result<bool> {
        self.rows.extend(batch.selected().iter().map(|i| batch.row(i)));
        Ok(true)
    }
}
