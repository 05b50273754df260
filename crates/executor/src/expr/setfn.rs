//! Calls of set-returning functions.

use base::{Oid, PgError, Result};
use types::registry::SetFn;
use types::{Datum, FnCall, FnCx, FnState, RowList, RowSource};

use super::CExpr;
use super::compile::Compiler;
use super::function::{FuncNode, plain};
use crate::sqlfunction::SqlFunction;
use crate::state::Run;
use analyze::query::Expr;
use types::Batch;

enum SetBody {
    Builtin(SetFn),
    Sql(Box<SqlFunction>),
    Language(std::sync::Arc<dyn crate::language::Language>),
    /// Not a set after all: one row.
    Scalar(FuncNode),
    Expr(CExpr),
    Missing(String),
}

/// A call site of a set-returning function.
pub(crate) struct SetNode {
    body: SetBody,
    args: Vec<CExpr>,
    strict: bool,
    call: FnCall,
    state: FnState,
    source: Option<Box<dyn RowSource>>,
    /// The result is a composite value or a record, given column by column.
    pub returns_row: bool,
    /// Has settings or a role of its own.
    guard: Option<std::sync::Arc<catalog::PgProc>>,
}

impl SetNode {
    pub fn compile(c: &mut Compiler<'_>, e: &Expr, desc: Option<std::sync::Arc<types::TupleDesc>>) -> Result<SetNode> {
        let (function, args, result, collation, variadic, retset) = match e {
            Expr::FuncExpr(f) => (f.funcid, &f.args, f.funcresulttype, f.inputcollid, f.funcvariadic, f.funcretset),
            Expr::OpExpr(o) => {
                let f = c.cx.operator_function(o.opno)?;
                (f, &o.args, o.opresulttype, o.inputcollid, false, o.opretset)
            }
            other => {
                let body = SetBody::Expr(c.expr(other)?);
                return Ok(SetNode::with(body, Vec::new(), false, FnCall::default(), false));
            }
        };
        let arg_types: Vec<Oid> = args.iter().map(Expr::type_oid).collect();
        let result_desc = match desc {
            Some(d) if result == types::oid::RECORDOID => Some(d),
            _ => c.cx.result_desc(function, result, &arg_types)?,
        };
        let returns_row = result_desc.is_some();
        let call =
            FnCall { function, arg_types: arg_types.clone(), result_type: result, collation, variadic, result_desc };
        if !retset {
            // A function that returns `record` is told the columns that the query names.
            if result == types::oid::RECORDOID && returns_row {
                let mut node = c.function(function, args, result, collation, variadic)?;
                node.call.result_desc = call.result_desc.clone();
                let kind = super::Kind::Func(Box::new(node));
                let body = SetBody::Expr(CExpr::new(kind, types::Physical::Bytes, result));
                return Ok(SetNode::with(body, Vec::new(), false, call, returns_row));
            }
            return Ok(SetNode::with(SetBody::Expr(c.expr(e)?), Vec::new(), false, call, returns_row));
        }
        let proc = c.cx.catalog.function_row(function)?;
        c.cx.check_execute(&proc)?;
        let body = match proc.prolang {
            Oid(12) | Oid(13) => match c.cx.set_function(&proc.prosrc) {
                Some(f) => SetBody::Builtin(f),
                None if c.cx.registry.function(&proc.prosrc).is_some() => {
                    SetBody::Scalar(c.bare_function(function, &arg_types, result, collation)?)
                }
                None => SetBody::Missing(format!("function {}", proc.proname)),
            },
            Oid(14) => SetBody::Sql(Box::new(SqlFunction::new(&proc, &arg_types))),
            other => match c.cx.language(other)? {
                Some(language) => SetBody::Language(language),
                None => SetBody::Missing(format!("calling function {} of its language", proc.proname)),
            },
        };
        let args = c.list(args)?;
        let mut node = SetNode::with(body, args, proc.proisstrict, call, returns_row);
        node.guard = (proc.prosecdef || proc.proconfig.is_some()).then_some(proc);
        Ok(node)
    }
    fn with(body: SetBody, args: Vec<CExpr>, strict: bool, call: FnCall, returns_row: bool) -> SetNode {
        SetNode { body, args, strict, call, state: None, source: None, returns_row, guard: None }
    }

    /// Calls the function for one row of the input.
    pub fn start(&mut self, run: &mut Run<'_>, input: &Batch, row: usize) -> Result<()> {
        let mut values = Vec::with_capacity(self.args.len());
        for a in &mut self.args {
            a.eval(run, input, types::Rows::Some(&[row as u32]))?;
            values.push(plain(run, a.value(input, row))?);
        }
        self.source = None;
        if self.strict && values.iter().any(Datum::is_null) {
            return Ok(());
        }
        let refs: Vec<_> = values.iter().map(Datum::as_ref).collect();
        if let Some(proc) = self.guard.clone() {
            let (cx, st) = (&mut *run.cx, &mut *run.st);
            return crate::language::guarded(cx, &proc, |cx| self.run(&mut Run { cx, st }, input, row, &refs));
        }
        self.run(run, input, row, &refs)
    }

    fn run(&mut self, run: &mut Run<'_>, input: &Batch, row: usize, refs: &[types::DatumRef<'_>]) -> Result<()> {
        self.source = Some(match &mut self.body {
            SetBody::Builtin(f) => f(&mut FnCx { rt: run.cx, call: &self.call, state: &mut self.state }, refs)?,
            SetBody::Sql(f) => Box::new(RowList(f.call_set(run, &self.call, refs)?.into_iter())),
            SetBody::Language(l) => l.call_set(run.cx, &self.call, &mut self.state, refs)?,
            SetBody::Scalar(f) => Box::new(RowList(vec![vec![f.call(run, refs)?]].into_iter())),
            SetBody::Expr(e) => {
                let v = plain_row(run, e, input, row)?;
                let values = if self.returns_row { explode(run, &v, &self.call)? } else { vec![v] };
                Box::new(RowList(vec![values].into_iter()))
            }
            SetBody::Missing(what) => return Err(PgError::unsupported(&*what)),
        });
        Ok(())
    }
    /// The next row of the call; `None` at the end.
    pub fn next(&mut self, run: &mut Run<'_>) -> Result<Option<Vec<Datum>>> {
        let Some(source) = &mut self.source else { return Ok(None) };
        let row = source.next(&mut FnCx { rt: run.cx, call: &self.call, state: &mut self.state })?;
        if row.is_none() {
            self.source = None;
        }
        Ok(row)
    }
    pub fn stop(&mut self) {
        self.source = None;
    }
    pub fn call(&self) -> &FnCall {
        &self.call
    }
}

fn plain_row(run: &mut Run<'_>, e: &mut CExpr, input: &Batch, row: usize) -> Result<Datum> {
    e.eval(run, input, types::Rows::Some(&[row as u32]))?;
    plain(run, e.value(input, row))
}

/// The fields of a composite value.
pub(crate) fn explode(run: &mut Run<'_>, v: &Datum, call: &FnCall) -> Result<Vec<Datum>> {
    let width = call.result_desc.as_ref().map_or(1, |d| d.len());
    if v.is_null() {
        return Ok(vec![Datum::Null; width]);
    }
    let payload = v.as_ref();
    let (oid, typmod) = types::record::type_of(payload.as_bytes())?;
    let desc = match &call.result_desc {
        // A record that names no shape has that of the call.
        Some(wanted) if oid == types::oid::RECORDOID && typmod < 0 => wanted.clone(),
        wanted => {
            let desc = types::Runtime::row_type(run.cx, oid, typmod)?;
            if let Some(wanted) = wanted {
                check_columns(run, &desc, wanted)?;
            }
            desc
        }
    };
    Ok(types::record::open(payload.as_bytes(), &desc)?.into_iter().map(types::DatumRef::to_owned).collect())
}

/// What a function returned must be what the query says. (PostgreSQL: `tupledesc_match`)
pub(crate) fn check_columns(run: &mut Run<'_>, got: &types::TupleDesc, wanted: &types::TupleDesc) -> Result<()> {
    let bad = |detail: String| {
        let text = "function return row and query-specified return row do not match";
        Err(PgError::new(base::sqlstate::DATATYPE_MISMATCH, text).detail(detail))
    };
    if got.len() != wanted.len() {
        let s = if got.len() == 1 { "" } else { "s" };
        return bad(format!("Returned row contains {} attribute{s}, but query expects {}.", got.len(), wanted.len()));
    }
    for (i, (g, w)) in got.attrs.iter().zip(&wanted.attrs).enumerate() {
        if g.type_oid == w.type_oid || run.cx.catalog.binary_coercible(g.type_oid, w.type_oid)? {
            continue;
        }
        let name = |o| run.cx.catalog.format_type(o, None);
        let (g, w) = (name(g.type_oid)?, name(w.type_oid)?);
        return bad(format!("Returned type {g} at ordinal position {}, but query expects {w}.", i + 1));
    }
    Ok(())
}
