//! SQL/JSON constructors, predicates and query functions.
//!
//! PostgreSQL: `transformJson*` (`parse_expr.c`).

use base::sqlstate::DATATYPE_MISMATCH;
use base::{PgError, Result};
use parser::ast;
use types::oid::*;

use crate::query::*;
use crate::state::Analyzer;

impl Analyzer<'_, '_> {
    pub(crate) fn json_expr(&mut self, e: &ast::Expr) -> Result<Expr> {
        match e {
            ast::Expr::JsonIsPredicate(p) => self.json_is_predicate(p),
            _ => Err(PgError::unsupported("SQL/JSON")),
        }
    }

    fn json_is_predicate(&mut self, p: &ast::JsonIsPredicate) -> Result<Expr> {
        let expr = self.expr(&p.expr)?;
        let t = expr.type_oid();
        let expr = match t {
            UNKNOWNOID => self.coerce_to_specific(expr, TEXTOID, -1, "IS JSON")?,
            TEXTOID | JSONOID | JSONBOID | VARCHAROID | BPCHAROID | BYTEAOID => expr,
            _ => {
                let m = format!("cannot use type {} in IS JSON predicate", self.type_name(t)?);
                return Err(PgError::new(DATATYPE_MISMATCH, m));
            }
        };
        Ok(Expr::JsonIsPredicate(Box::new(JsonIsPredicate {
            expr,
            item_type: match p.item_type {
                ast::JsonValueType::Any => JsonValueType::Any,
                ast::JsonValueType::Object => JsonValueType::Object,
                ast::JsonValueType::Array => JsonValueType::Array,
                ast::JsonValueType::Scalar => JsonValueType::Scalar,
            },
            unique_keys: p.unique_keys,
            location: p.location,
        })))
    }
}
