//! Expressions as catalogs store them.

use analyze::query::Expr;
use base::{PgError, Result};

/// The node text of an expression.
pub fn text(expr: &Expr) -> Result<String> {
    let _ = expr;
    Err(PgError::unsupported("storing an expression"))
}

/// The node text of a list of expressions.
pub fn list_text(exprs: &[Expr]) -> Result<String> {
    let _ = exprs;
    Err(PgError::unsupported("storing expressions"))
}
