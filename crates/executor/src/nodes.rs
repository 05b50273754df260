//! Expressions stored in the catalogs: defaults, constraints, index expressions and predicates.

use analyze::query::Expr;
use base::Result;
use catalog::Catalog;

/// Reads one expression from its node text.
pub fn read_expr(text: &str, catalog: &Catalog) -> Result<Expr> {
    analyze::nodes::read_expr(text, catalog)
}

/// Reads expressions from node text: a list, or one expression whose top-level AND is taken apart.
pub fn read_list(text: &str, catalog: &Catalog) -> Result<Vec<Expr>> {
    if text.trim_start().starts_with('(') {
        return analyze::nodes::read_exprs(text, catalog);
    }
    Ok(vec![analyze::nodes::read_expr(text, catalog)?])
}
