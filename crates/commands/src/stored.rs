//! Expressions as catalogs store them.

use analyze::query::Expr;
use base::Result;
use catalog::Catalog;

/// The node text of an expression.
pub fn text(expr: &Expr, catalog: &Catalog) -> Result<String> {
    analyze::nodes::write_expr(expr, catalog)
}

/// The node text of a list of expressions.
pub fn list_text(exprs: &[Expr], catalog: &Catalog) -> Result<String> {
    analyze::nodes::write_exprs(exprs, catalog)
}
