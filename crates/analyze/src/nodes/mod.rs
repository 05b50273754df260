//! The text of `pg_node_tree`: what `pg_attrdef.adbin`, `pg_constraint.conbin`, `pg_index.indexprs`, `pg_rewrite.ev_action` and
//! their like hold, in PostgreSQL 18's format. Each node's fields stand in one place, [`expr`] or [`query`], and serve both ways.
//!
//! PostgreSQL: `nodeToString`, `stringToNode`.

mod archive;
mod bound;
mod expr;
mod query;

use base::Result;
use catalog::Catalog;

use crate::query::{Expr, PartitionBoundSpec, Query};
use archive::Archive;

/// The text of an expression.
pub fn write_expr(e: &Expr, c: &Catalog) -> Result<String> {
    let mut a = Archive::writer(c);
    expr::expr(&mut a, &mut e.clone())?;
    Ok(a.out)
}

/// The text of a list of expressions, as `pg_index.indexprs` and `pg_proc.proargdefaults` hold it.
pub fn write_exprs(list: &[Expr], c: &Catalog) -> Result<String> {
    let mut a = Archive::writer(c);
    a.plain_list(&mut list.to_vec(), expr::expr)?;
    Ok(a.out)
}

/// The text of a rule's actions, as `pg_rewrite.ev_action` holds it.
pub fn write_queries(list: &[Query], c: &Catalog) -> Result<String> {
    let mut a = Archive::writer(c);
    a.plain_list(&mut list.to_vec(), query::query)?;
    Ok(a.out)
}

/// The text of a SQL function's body outside a string, as `pg_proc.prosqlbody` holds it: the query of RETURN, or those of BEGIN
/// ATOMIC as a list in a list.
pub fn write_body(list: &[Query], atomic: bool, c: &Catalog) -> Result<String> {
    match list {
        [q] if !atomic => {
            let mut a = Archive::writer(c);
            query::query(&mut a, &mut q.clone())?;
            Ok(a.out)
        }
        [] => Ok("(<>)".to_owned()),
        list => Ok(format!("({})", write_queries(list, c)?)),
    }
}

/// Reads a body.
pub fn read_body(text: &str, c: &Catalog) -> Result<Vec<Query>> {
    if text.starts_with('{') {
        let mut q = Query::new(crate::query::CmdType::Select);
        query::query(&mut Archive::reader(text, c), &mut q)?;
        return Ok(vec![q]);
    }
    match text.strip_prefix('(').and_then(|t| t.strip_suffix(')')) {
        Some("<>") | None => Ok(Vec::new()),
        Some(inner) => read_queries(inner, c),
    }
}

/// Reads an expression.
pub fn read_expr(text: &str, c: &Catalog) -> Result<Expr> {
    let mut e = Expr::default();
    expr::expr(&mut Archive::reader(text, c), &mut e)?;
    Ok(e)
}

/// Reads a list of expressions; a single one is a list of itself.
pub fn read_exprs(text: &str, c: &Catalog) -> Result<Vec<Expr>> {
    let mut a = Archive::reader(text, c);
    if a.peek() == "{" {
        return Ok(vec![read_expr(text, c)?]);
    }
    let mut list = Vec::new();
    a.plain_list(&mut list, expr::expr)?;
    Ok(list)
}

/// Reads a rule's actions.
pub fn read_queries(text: &str, c: &Catalog) -> Result<Vec<Query>> {
    let mut list = Vec::new();
    Archive::reader(text, c).plain_list(&mut list, query::query)?;
    Ok(list)
}

/// The text of a partition's bound, as `pg_class.relpartbound` holds it.
pub fn write_bound(b: &PartitionBoundSpec, c: &Catalog) -> Result<String> {
    let mut a = Archive::writer(c);
    bound::bound(&mut a, &mut b.clone())?;
    Ok(a.out)
}

/// Reads a partition's bound.
pub fn read_bound(text: &str, c: &Catalog) -> Result<PartitionBoundSpec> {
    let mut b = PartitionBoundSpec::default();
    bound::bound(&mut Archive::reader(text, c), &mut b)?;
    Ok(b)
}
