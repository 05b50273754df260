//! An expression over parameters alone, compiled once and evaluated often: what PL/pgSQL's simple expressions and its conversions
//! of values are. (PostgreSQL: `exec_eval_simple_expr`)

use std::sync::Arc;

use analyze::query::Expr;
use base::Result;
use types::{Batch, Datum};

use crate::context::ExecContext;
use crate::expr::{CExpr, Compiler, Scope};
use crate::state::{Estate, Run};

pub struct ScalarExpr {
    compiled: CExpr,
    st: Estate,
    input: Batch,
}

impl ScalarExpr {
    pub fn new(cx: &mut ExecContext, e: &Expr) -> Result<ScalarExpr> {
        let compiled = Compiler::new(cx, Scope::empty()).expr(e)?;
        let input = Batch { columns: Vec::new(), rows: 1, selection: None };
        Ok(ScalarExpr { compiled, st: Estate::detached(), input })
    }

    /// Its value, never toasted. `$n` is `params[n - 1]`.
    pub fn eval(&mut self, cx: &mut ExecContext, params: Arc<[Datum]>) -> Result<Datum> {
        self.st.params = params;
        self.st.snapshot = cx.snapshot.clone();
        let value = self.compiled.eval_row(&mut Run { cx: &mut *cx, st: &mut self.st }, &self.input, 0);
        self.st.snapshot = None;
        self.st.params = Arc::default();
        plain(cx, value?)
    }
}

/// The value with its bytes at hand.
pub fn plain(cx: &mut ExecContext, v: Datum) -> Result<Datum> {
    match v {
        Datum::Toasted(b) => Ok(Datum::bytes(crate::heap::detoast(cx, &b)?)),
        v => Ok(v),
    }
}
