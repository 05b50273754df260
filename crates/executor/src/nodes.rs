//! Expressions stored in the catalogs: defaults, constraints, index expressions and predicates.

use analyze::query::Expr;
use base::{PgError, Result};

/// Reads one expression from its node text.
pub fn read_expr(text: &str) -> Result<Expr> {
    let _ = text;
    Err(PgError::unsupported("reading stored expressions"))
}
