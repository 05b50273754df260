//! Calls of functions and operators: the batch form where there is one, else the row form in a loop.

use std::sync::Arc;

use base::{Oid, PgError, Result};
use types::registry::{BatchFn, RowFn};
use types::{Arg, Batch, Column, Datum, DatumRef, FnCall, FnCx, FnState, Rows, Runtime};

use super::CExpr;
use crate::sqlfunction::SqlFunction;
use crate::state::Run;

/// What runs.
pub(crate) enum Impl {
    Row(RowFn),
    Batch(BatchFn, RowFn),
    Sql(Box<SqlFunction>),
    /// Of a procedural language.
    Language(Arc<dyn crate::language::Language>),
    /// With settings or a role of its own.
    Guarded(Box<(Arc<catalog::PgProc>, Impl)>),
    /// Fails when called.
    Missing(String),
}

/// A call site.
pub struct FuncNode {
    pub(crate) body: Impl,
    pub(crate) strict: bool,
    /// Wants compressed and external values as they are (`pg_column_size`).
    pub(crate) raw_toast: bool,
    pub args: Vec<CExpr>,
    pub(crate) call: FnCall,
    pub(crate) state: FnState,
}

/// One call by value: arguments must be plain.
pub(crate) fn call_row(
    body: &mut Impl,
    strict: bool,
    call: &FnCall,
    state: &mut FnState,
    run: &mut Run<'_>,
    args: &[DatumRef<'_>],
) -> Result<Datum> {
    if strict && args.iter().any(|a| a.is_null()) {
        return Ok(Datum::Null);
    }
    match body {
        Impl::Row(f) | Impl::Batch(_, f) => f(&mut FnCx { rt: run.cx, call, state }, args),
        Impl::Sql(f) => f.call_scalar(run, call, args),
        Impl::Language(l) => l.call(run.cx, call, state, args),
        Impl::Guarded(guarded) => {
            let (proc, inner) = &mut **guarded;
            let (cx, st) = (&mut *run.cx, &mut *run.st);
            crate::language::guarded(cx, proc, |cx| call_row(inner, strict, call, state, &mut Run { cx, st }, args))
        }
        Impl::Missing(what) => Err(PgError::unsupported(&*what)),
    }
}

impl FuncNode {
    /// Calls with the given values; toasted ones are fetched first.
    pub fn call(&mut self, run: &mut Run<'_>, args: &[DatumRef<'_>]) -> Result<Datum> {
        if !self.raw_toast && args.iter().any(|a| matches!(a, DatumRef::Toasted(_))) {
            let owned: Result<Vec<Datum>> = args.iter().map(|a| plain(run, *a)).collect();
            let owned = owned?;
            let refs: Vec<DatumRef<'_>> = owned.iter().map(Datum::as_ref).collect();
            return call_row(&mut self.body, self.strict, &self.call, &mut self.state, run, &refs);
        }
        call_row(&mut self.body, self.strict, &self.call, &mut self.state, run, args)
    }

    pub(crate) fn eval(&mut self, run: &mut Run<'_>, input: &Batch, rows: Rows<'_>, out: &mut Column) -> Result<()> {
        // A strict function whose argument is null is not called, but its other arguments are evaluated.
        for a in &mut self.args {
            a.eval(run, input, rows)?;
        }
        self.call_over(run, input, rows, out)
    }

    /// The call itself, its arguments being evaluated.
    fn call_over(&mut self, run: &mut Run<'_>, input: &Batch, rows: Rows<'_>, out: &mut Column) -> Result<()> {
        if let Impl::Batch(batch, _) = self.body {
            let mut slots = [Arg::Const(DatumRef::Null); 4];
            let args: Vec<Arg<'_>>;
            let args = if self.args.len() <= slots.len() {
                for (slot, a) in slots.iter_mut().zip(&self.args) {
                    *slot = a.result(input);
                }
                &slots[..self.args.len()]
            } else {
                args = self.args.iter().map(|a| a.result(input)).collect();
                &args[..]
            };
            if !args.iter().any(|a| has_toasted(a)) {
                let mut cx = FnCx { rt: run.cx, call: &self.call, state: &mut self.state };
                return batch(&mut cx, args, rows, out);
            }
        }
        let (body, call, state) = (&mut self.body, &self.call, &mut self.state);
        let mut fixed = [DatumRef::Null; 4];
        for i in rows.iter() {
            let mut more = Vec::new();
            let args: &[DatumRef<'_>] = if self.args.len() <= fixed.len() {
                for (slot, a) in fixed.iter_mut().zip(&self.args) {
                    *slot = a.value(input, i);
                }
                &fixed[..self.args.len()]
            } else {
                more.extend(self.args.iter().map(|a| a.value(input, i)));
                &more
            };
            let value = if !self.raw_toast && args.iter().any(|a| matches!(a, DatumRef::Toasted(_))) {
                let owned: Result<Vec<Datum>> = args.iter().map(|a| plain(run, *a)).collect();
                let owned = owned?;
                let refs: Vec<DatumRef<'_>> = owned.iter().map(Datum::as_ref).collect();
                call_row(body, self.strict, call, state, run, &refs)?
            } else {
                call_row(body, self.strict, call, state, run, args)?
            };
            out.set(i, value.as_ref());
        }
        Ok(())
    }

    /// `a IS DISTINCT FROM b`: the function is the equality operator's.
    pub(crate) fn eval_distinct(
        &mut self,
        run: &mut Run<'_>,
        input: &Batch,
        rows: Rows<'_>,
        out: &mut Column,
    ) -> Result<()> {
        for a in &mut self.args {
            a.eval(run, input, rows)?;
        }
        for i in rows.iter() {
            let (a, b) = (plain(run, self.args[0].value(input, i))?, plain(run, self.args[1].value(input, i))?);
            let distinct = match (a.is_null(), b.is_null()) {
                (true, true) => false,
                (false, false) => {
                    let args = [a.as_ref(), b.as_ref()];
                    let equal = call_row(&mut self.body, self.strict, &self.call, &mut self.state, run, &args)?;
                    !super::is_true(equal.as_ref())
                }
                _ => true,
            };
            out.set(i, DatumRef::Word(u64::from(distinct)));
        }
        Ok(())
    }

    pub(crate) fn eval_nullif(
        &mut self,
        run: &mut Run<'_>,
        input: &Batch,
        rows: Rows<'_>,
        out: &mut Column,
    ) -> Result<()> {
        for a in &mut self.args {
            a.eval(run, input, rows)?;
        }
        for i in rows.iter() {
            let (first, second) = (self.args[0].value(input, i), self.args[1].value(input, i));
            if first.is_null() || second.is_null() {
                out.set(i, first);
                continue;
            }
            let (a, b) = (plain(run, first)?, plain(run, second)?);
            let args = [a.as_ref(), b.as_ref()];
            let equal = call_row(&mut self.body, self.strict, &self.call, &mut self.state, run, &args)?;
            if super::is_true(equal.as_ref()) { out.set_null(i) } else { out.set(i, first) }
        }
        Ok(())
    }

    pub fn function(&self) -> Oid {
        self.call.function
    }
}

fn has_toasted(a: &Arg<'_>) -> bool {
    match a {
        Arg::Column(c) => matches!(&c.data, types::ColumnData::Bytes(b) if b.has_toasted()),
        Arg::Const(d) => matches!(d, DatumRef::Toasted(_)),
    }
}

/// The value with its bytes at hand. (PostgreSQL: `PG_DETOAST_DATUM`)
pub fn plain(run: &mut Run<'_>, d: DatumRef<'_>) -> Result<Datum> {
    match d {
        DatumRef::Toasted(b) => Ok(Datum::bytes(run.cx.detoast(b)?)),
        d => Ok(d.to_owned()),
    }
}
