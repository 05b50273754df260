//! Entry points for DDL: expressions that are stored rather than run, and names of types.
//!
//! PostgreSQL: `cookDefault`, `cookConstraint` (`heap.c`), `transformIndexStmt` (`parse_utilcmd.c`), `parse_type.c`.

use base::{Oid, PgError, Result};
use parser::ast;

use crate::context::AnalyzeContext;
use crate::query::{Expr, Query};

/// What an expression of DDL may refer to: the columns of a relation, by its own name.
#[derive(Clone, Copy, Debug)]
pub struct OfRelation {
    pub relid: Oid,
}

/// A column's default or (with `generated`, `s` or `v`) generation expression, of the column's type.
/// (PostgreSQL: `cookDefault`)
pub fn cook_default(
    _cx: &mut AnalyzeContext<'_>,
    _relid: Oid,
    _raw: &ast::Expr,
    _type_oid: Oid,
    _typmod: i32,
    _column: &str,
    _generated: u8,
    _source: &str,
) -> Result<Expr> {
    Err(PgError::unsupported("DEFAULT"))
}

/// A table's CHECK condition. (PostgreSQL: `cookConstraint`)
pub fn cook_check(_cx: &mut AnalyzeContext<'_>, _relid: Oid, _raw: &ast::Expr, _source: &str) -> Result<Expr> {
    Err(PgError::unsupported("CHECK"))
}

/// A domain's CHECK condition over VALUE. (PostgreSQL: `domainAddCheckConstraint`)
pub fn cook_domain_check(
    _cx: &mut AnalyzeContext<'_>,
    _base_type: Oid,
    _typmod: i32,
    _collation: Oid,
    _raw: &ast::Expr,
    _source: &str,
) -> Result<Expr> {
    Err(PgError::unsupported("CHECK"))
}

/// A domain's default. (PostgreSQL: `cookDefault` without a relation)
pub fn cook_domain_default(
    _cx: &mut AnalyzeContext<'_>,
    _raw: &ast::Expr,
    _type_oid: Oid,
    _typmod: i32,
    _name: &str,
    _source: &str,
) -> Result<Expr> {
    Err(PgError::unsupported("DEFAULT"))
}

/// An index's key expression. (PostgreSQL: `transformIndexStmt`)
pub fn index_expression(_cx: &mut AnalyzeContext<'_>, _relid: Oid, _raw: &ast::Expr, _source: &str) -> Result<Expr> {
    Err(PgError::unsupported("expression indexes"))
}

/// An index's WHERE. (PostgreSQL: `transformIndexStmt`)
pub fn index_predicate(_cx: &mut AnalyzeContext<'_>, _relid: Oid, _raw: &ast::Expr, _source: &str) -> Result<Expr> {
    Err(PgError::unsupported("partial indexes"))
}

/// `ALTER COLUMN TYPE .. USING expr`: the new value over the old columns, coerced to the new type.
pub fn alter_using(_cx: &mut AnalyzeContext<'_>, _relid: Oid, _raw: &ast::Expr, _source: &str) -> Result<Expr> {
    Err(PgError::unsupported("ALTER COLUMN TYPE"))
}

/// COPY's WHERE.
pub fn copy_where(_cx: &mut AnalyzeContext<'_>, _relid: Oid, _raw: &ast::Expr, _source: &str) -> Result<Expr> {
    Err(PgError::unsupported("COPY WHERE"))
}

/// The type that a name means, with its modifier. (PostgreSQL: `typenameTypeIdAndMod`)
pub fn transform_type_name(cx: &mut AnalyzeContext<'_>, name: &ast::TypeName) -> Result<(Oid, i32)> {
    crate::typename::type_and_typmod(cx, name)
}

/// The operator class of that name. (PostgreSQL: `get_opclass_oid`)
pub fn find_opclass(c: &catalog::Catalog, am: Oid, am_name: &str, names: &[String]) -> Result<Oid> {
    let (schema, name) = crate::resolve::split_name(names);
    let mut found = None;
    match schema {
        Some(s) => {
            let ns = c.explicit_namespace(s, false)?.unwrap_or_default();
            found = c.opclass_by_name(am, name, ns)?;
        }
        None => {
            for ns in &c.search_path()?.schemas {
                found = c.opclass_by_name(am, name, *ns)?;
                if found.is_some() {
                    break;
                }
            }
        }
    }
    found.map(|f| f.oid).ok_or_else(|| {
        let m = format!("operator class \"{}\" does not exist for access method \"{am_name}\"", names.join("."));
        PgError::new(base::sqlstate::UNDEFINED_OBJECT, m)
    })
}

/// The query of a view, rule or function body to be stored.
pub fn stored_query(cx: &mut AnalyzeContext<'_>, stmt: &ast::Statement, source: &str) -> Result<Query> {
    crate::analyze_statement(cx, stmt, source, &mut crate::ParamTypes::None)
}
