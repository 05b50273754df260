//! Expressions stored in the catalogs: defaults, constraints, index expressions and predicates.

use analyze::query::Expr;
use base::{PgError, Result};
use catalog::Catalog;

/// Reads one expression from its node text.
pub fn read_expr(text: &str, catalog: &Catalog) -> Result<Expr> {
    let mut list = read_list(text, catalog)?;
    match list.len() {
        1 => Ok(list.swap_remove(0)),
        _ => Err(PgError::internal("unexpected list of expressions")),
    }
}

/// Reads a list of expressions from its node text.
pub fn read_list(text: &str, catalog: &Catalog) -> Result<Vec<Expr>> {
    let _ = (text, catalog);
    Err(PgError::unsupported("reading stored expressions"))
}
