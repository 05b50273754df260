//! Expressions over single rows of a table outside any plan: what DDL and COPY need of checks, defaults, index expressions.
//!
//! PostgreSQL: `ExecPrepareExpr`, `ExecPrepareQual` with a slot of the table; `ExecConstraints`.

use std::sync::Arc;

use analyze::query::Expr;
use base::{Oid, Result};
use types::Datum;

use crate::constraints::{Constraints, row_batch, row_scope};
use crate::context::ExecContext;
use crate::expr::{CExpr, Compiler, Filter, Scope, is_true};
use crate::heap::OpenTable;
use crate::state::{Estate, Run};

/// The value of an expression without columns, e.g. a default.
pub fn evaluate(cx: &mut ExecContext, e: &Expr) -> Result<Datum> {
    let mut compiled = Compiler::new(cx, Scope::empty()).expr(e)?;
    let mut st = Estate::detached();
    st.snapshot = cx.snapshot.clone();
    let v = compiled.eval_scalar(&mut Run { cx, st: &mut st })?;
    plain(cx, v)
}

fn plain(cx: &mut ExecContext, v: Datum) -> Result<Datum> {
    match v {
        Datum::Toasted(b) => Ok(Datum::bytes(crate::heap::detoast(cx, &b)?)),
        v => Ok(v),
    }
}

/// Expressions and a condition over a table's rows, compiled.
pub struct RowExprs {
    table: Arc<OpenTable>,
    exprs: Vec<CExpr>,
    quals: Filter,
    st: Estate,
}

impl RowExprs {
    /// The table's columns are `varno` 1.
    pub fn new(cx: &mut ExecContext, table: Oid, exprs: &[Expr], quals: &[Expr]) -> Result<RowExprs> {
        let table = cx.open_table(table)?;
        let mut st = Estate::detached();
        st.snapshot = cx.snapshot.clone();
        let mut c = Compiler::new(cx, row_scope(1, &table));
        Ok(RowExprs { exprs: c.list(exprs)?, quals: c.filter(quals)?, table, st })
    }
    /// Whether the condition holds: it is true.
    pub fn test(&mut self, cx: &mut ExecContext, row: &[Datum]) -> Result<bool> {
        let batch = row_batch(&self.table, row);
        self.quals.test(&mut Run { cx, st: &mut self.st }, &batch, 0)
    }
    /// The expressions' values, none of them toasted.
    pub fn values(&mut self, cx: &mut ExecContext, row: &[Datum]) -> Result<Vec<Datum>> {
        let batch = row_batch(&self.table, row);
        let mut out = Vec::with_capacity(self.exprs.len());
        for e in &mut self.exprs {
            let v = e.eval_row(&mut Run { cx, st: &mut self.st }, &batch, 0)?;
            out.push(plain(cx, v)?);
        }
        Ok(out)
    }
    /// Whether the first expression, a CHECK, is not violated: true or unknown.
    pub fn satisfied(&mut self, cx: &mut ExecContext, row: &[Datum]) -> Result<bool> {
        let batch = row_batch(&self.table, row);
        match self.exprs.first_mut() {
            Some(e) => {
                let v = e.eval_row(&mut Run { cx, st: &mut self.st }, &batch, 0)?;
                Ok(v.is_null() || is_true(v.as_ref()))
            }
            None => Ok(true),
        }
    }
}

/// What new rows of a table must satisfy, for writers that run no plan: COPY.
pub struct RowChecks {
    inner: Constraints,
    st: Estate,
}

impl RowChecks {
    pub fn new(cx: &mut ExecContext, table: Oid) -> Result<RowChecks> {
        let table = cx.open_table(table)?;
        let mut st = Estate::detached();
        st.snapshot = cx.snapshot.clone();
        let mut inner = Constraints::build(cx, &table)?;
        inner.check_partition(crate::partition::PartitionCheck::of(cx, &table)?);
        Ok(RowChecks { inner, st })
    }
    /// Computes stored generated columns, then checks NOT NULL and CHECK constraints.
    pub fn apply(&mut self, cx: &mut ExecContext, row: &mut [Datum]) -> Result<()> {
        let mut run = Run { cx, st: &mut self.st };
        self.inner.generate(&mut run, row)?;
        self.inner.check(&mut run, row)
    }
}
