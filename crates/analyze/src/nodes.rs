//! The text of `pg_node_tree`.
use crate::query::*;
use base::{PgError, Result};
/// Reads a list of expressions.
pub fn read_exprs(_text: &str, _c: &catalog::Catalog) -> Result<Vec<Expr>> {
    Err(PgError::unsupported("node trees"))
}
