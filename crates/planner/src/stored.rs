//! Expressions stored in the catalogs: index expressions and predicates, argument defaults.

use analyze::query::Expr;
use base::Result;
use catalog::Catalog;

/// A list of expressions from its node text.
pub(crate) fn read_list(text: &str, catalog: &Catalog) -> Result<Vec<Expr>> {
    analyze::nodes::read_exprs(text, catalog)
}
