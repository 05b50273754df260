//! Expressions stored in the catalogs: defaults, constraints, index expressions and predicates.

use analyze::query::Expr;
use base::Result;
use catalog::Catalog;

/// Reads one expression from its node text.
pub fn read_expr(text: &str, catalog: &Catalog) -> Result<Expr> {
    analyze::nodes::read_expr(text, catalog)
}

/// Reads a list of expressions from its node text; a single expression is a list of one.
pub fn read_list(text: &str, catalog: &Catalog) -> Result<Vec<Expr>> {
    match text.starts_with('(') {
        true => analyze::nodes::read_exprs(text, catalog),
        false => Ok(vec![analyze::nodes::read_expr(text, catalog)?]),
    }
}
