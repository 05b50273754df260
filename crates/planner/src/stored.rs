//! Expressions stored in the catalogs: index expressions and predicates, argument defaults.

use analyze::query::Expr;
use base::{PgError, Result};

/// A list of expressions from its node text.
pub(crate) fn read_list(text: &str) -> Result<Vec<Expr>> {
    let _ = text;
    Err(PgError::unsupported("reading stored expressions"))
}
