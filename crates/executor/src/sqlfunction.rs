//! SQL-language functions: the body is planned at the first call and run like any statement.
//!
//! PostgreSQL: `functions.c`.

use std::sync::Arc;

use analyze::query::{CmdType, Expr, Param, ParamKind, Query, TypeMod};
use analyze::{AnalyzeContext, ColumnHooks, ParamTypes};
use base::error::Location;
use base::sqlstate::STATEMENT_TOO_COMPLEX;
use base::{Oid, PgError, Result};
use catalog::PgProc;
use parser::ast;
use planner::{PlanOptions, PlannedStmt};
use types::{Batch, Datum, DatumRef};

use crate::context::ExecContext;
use crate::execution::{Destination, Execution, StartOptions};
use crate::state::Run;

/// Calls within calls, before the stack would run out.
const MAX_DEPTH: usize = 200;

/// A call site of a SQL-language function.
pub(crate) struct SqlFunction {
    function: Oid,
    name: String,
    source: String,
    body: Option<String>,
    arg_types: Vec<Oid>,
    arg_names: Vec<String>,
    returns: Oid,
    volatile: bool,
    plans: Option<Vec<Arc<PlannedStmt>>>,
}

/// The function's arguments by name.
struct Names<'a> {
    function: &'a str,
    names: &'a [String],
    types: &'a [Oid],
}

impl Names<'_> {
    fn argument(&self, i: usize, location: Location) -> Option<Expr> {
        let ty = TypeMod { oid: *self.types.get(i)?, typmod: -1, collation: Oid::INVALID };
        Some(Expr::Param(Param { kind: ParamKind::Extern, id: i as i32 + 1, ty, location }))
    }
}

impl ColumnHooks for Names<'_> {
    fn after_column(&mut self, name: &ast::ColumnRef, found: Option<&Expr>) -> Result<Option<Expr>> {
        // A column wins over an argument of the same name.
        if found.is_some() {
            return Ok(None);
        }
        let wanted = match &name.fields[..] {
            [ast::Field::Name(n)] => n,
            [ast::Field::Name(f), ast::Field::Name(n)] if f == self.function => n,
            _ => return Ok(None),
        };
        let at = self.names.iter().position(|n| n == wanted && !n.is_empty());
        Ok(at.and_then(|i| self.argument(i, name.location)))
    }
}

impl SqlFunction {
    pub fn new(proc: &PgProc, arg_types: &[Oid]) -> SqlFunction {
        let all = proc.proargnames.clone().unwrap_or_default();
        let input = |i: usize| proc.proargmodes.as_ref().is_none_or(|m| matches!(m.get(i), Some(b'i' | b'b' | b'v')));
        SqlFunction {
            function: proc.oid,
            name: proc.proname.clone(),
            source: proc.prosrc.clone(),
            body: proc.prosqlbody.clone(),
            arg_types: arg_types.to_vec(),
            arg_names: all.into_iter().enumerate().filter(|(i, _)| input(*i)).map(|(_, n)| n).collect(),
            returns: proc.prorettype,
            volatile: proc.provolatile == b'v',
            plans: None,
        }
    }

    fn plans(&mut self, cx: &mut ExecContext) -> Result<Vec<Arc<PlannedStmt>>> {
        if let Some(plans) = &self.plans {
            return Ok(plans.clone());
        }
        if let Some(text) = &self.body {
            let mut plans = Vec::new();
            let catalog = cx.catalog.clone();
            for query in analyze::nodes::read_queries(text, &catalog)? {
                let mut acx = AnalyzeContext::new(catalog.clone(), &mut *cx);
                for query in analyze::rewrite(&mut acx, query)? {
                    plans.push(query);
                }
            }
            let options = PlanOptions::default();
            let plans: Result<Vec<Arc<PlannedStmt>>> =
                plans.into_iter().map(|q| crate::support::plan_query(cx, q, &options).map(Arc::new)).collect();
            let plans = plans?;
            self.plans = Some(plans.clone());
            return Ok(plans);
        }
        let mut plans = Vec::new();
        for stmt in parser::parse(&self.source)? {
            for query in self.analyze(cx, &stmt)? {
                plans.push(Arc::new(crate::support::plan_query(cx, query, &PlanOptions::default())?));
            }
        }
        self.plans = Some(plans.clone());
        Ok(plans)
    }

    fn analyze(&self, cx: &mut ExecContext, stmt: &ast::RawStmt) -> Result<Vec<Query>> {
        let catalog = cx.catalog.clone();
        let mut names = Names { function: &self.name, names: &self.arg_names, types: &self.arg_types };
        let mut acx = AnalyzeContext::new(catalog, cx);
        acx.hooks = Some(&mut names);
        let mut params = ParamTypes::Fixed(self.arg_types.clone());
        let query = analyze::analyze(&mut acx, stmt, &self.source, &mut params)?;
        if query.command_type == CmdType::Utility {
            return Err(PgError::unsupported(format!("utility statements in SQL function {}", self.name)));
        }
        analyze::rewrite(&mut acx, query)
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
        let result = self.run_inner(cx, args, limit);
        cx.depth -= 1;
        result.map_err(|e| e.context(format!("SQL function \"{}\"", self.name)))
    }

    fn run_inner(&mut self, cx: &mut ExecContext, args: &[DatumRef<'_>], limit: u64) -> Result<Vec<Vec<Datum>>> {
        let params: Arc<[Datum]> = args.iter().map(|a| DatumRef::to_owned(*a)).collect();
        let plans = self.plans(cx)?;
        let mut rows = Rows { rows: Vec::new() };
        for (i, planned) in plans.iter().enumerate() {
            let last = i + 1 == plans.len();
            // A volatile function sees what its earlier statements and the caller did.
            let snapshot = match (&cx.txn, self.volatile) {
                (Some(txn), true) => {
                    txn.command_counter_increment()?;
                    Some(txn.snapshot()?)
                }
                _ => cx.snapshot.clone(),
            };
            let options = StartOptions { params: params.clone(), snapshot, ..StartOptions::default() };
            let mut e = Execution::start(planned.clone(), cx, options)?;
            rows.rows.clear();
            let limit = if last && planned.command_type == CmdType::Select { limit } else { 0 };
            e.run(cx, limit, &mut rows)?;
            e.finish(cx)?;
        }
        Ok(rows.rows)
    }

    /// The first row's first column.
    pub fn call_scalar(&mut self, run: &mut Run<'_>, args: &[DatumRef<'_>]) -> Result<Datum> {
        let mut rows = self.run(run, args, 1)?;
        if self.returns == types::oid::VOIDOID {
            return Ok(Datum::Null);
        }
        if rows.is_empty() {
            return Ok(Datum::Null);
        }
        let mut row = rows.swap_remove(0);
        if self.returns == types::oid::RECORDOID
            && let Some(desc) = run.cx.result_desc(self.function, self.returns)?
            && desc.len() == row.len()
        {
            let layout = access::tuple::TupleLayout::new(&desc);
            return crate::expr::special::composite(run, &layout, row);
        }
        if self.returns == types::oid::RECORDOID
            && let Some(desc) = self.plans.as_ref().and_then(|p| p.last()).map(|p| p.result_desc.clone())
            && !(row.len() == 1 && is_row(run, desc.attrs[0].type_oid)?)
        {
            let desc = types::Runtime::bless(run.cx, (*desc).clone());
            let layout = access::tuple::TupleLayout::new(&desc);
            return crate::expr::special::composite(run, &layout, row);
        }
        let composite = types::Runtime::type_info(run.cx, self.returns)?.typtype == b'c';
        if composite && row.len() != 1 {
            let desc = types::Runtime::row_type(run.cx, self.returns, -1)?;
            let layout = access::tuple::TupleLayout::new(&desc);
            return crate::expr::special::composite(run, &layout, row);
        }
        Ok(if row.is_empty() { Datum::Null } else { row.swap_remove(0) })
    }
    /// All rows: of one column, or of the result row's.
    pub fn call_set(&mut self, run: &mut Run<'_>, args: &[DatumRef<'_>]) -> Result<Vec<Vec<Datum>>> {
        self.run(run, args, 0)
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
