//! The crate's main entry points.
//!
//! PostgreSQL: `parse_analyze_fixedparams`, `parse_analyze_varparams`, `QueryRewrite`.

use std::sync::Arc;

use base::{PgError, Result};
use parser::ast::{RawStmt, Statement};

use crate::context::{AnalyzeContext, ParamTypes};
use crate::query::{CmdType, Query};
use crate::state::Analyzer;

/// Analyzes one raw statement of `source`. Utility statements come back as they are, with `CmdType::Utility`; what they carry is
/// analyzed on demand: [`inner_query`], [`analyze_statement`]. With [`ParamTypes::Variable`] the inferred types are left in `params`.
pub fn analyze(cx: &mut AnalyzeContext<'_>, stmt: &RawStmt, source: &str, params: &mut ParamTypes) -> Result<Query> {
    let mut q = analyze_statement(cx, &stmt.stmt, source, params)?;
    q.stmt_location = stmt.location;
    q.stmt_len = usize::try_from(stmt.len).unwrap_or(0);
    Ok(q)
}

/// As [`analyze`], of a statement that another one carries.
pub fn analyze_statement(
    cx: &mut AnalyzeContext<'_>,
    stmt: &Statement,
    source: &str,
    params: &mut ParamTypes,
) -> Result<Query> {
    let mut a = Analyzer::new(cx, source, params);
    let q = a.transform_statement(stmt)?;
    a.check_params(&q)?;
    Ok(q)
}

/// The statement inside EXPLAIN, PREPARE, CREATE TABLE AS, DECLARE CURSOR or COPY.
pub fn inner_query(stmt: &Statement) -> Option<Statement> {
    match stmt {
        Statement::ExplainStmt(e) => Some(e.query.clone()),
        Statement::Prepare(p) => Some(p.query.clone()),
        Statement::CreateTableAs(c) => Some(c.query.clone()),
        Statement::DeclareCursor(d) => Some(Statement::Select(d.query.clone())),
        Statement::CopyStmt(c) => c.query.clone(),
        _ => None,
    }
}

/// What the planner gets: views expanded, defaults filled in. (PostgreSQL: `QueryRewrite`)
pub fn rewrite(_cx: &mut AnalyzeContext<'_>, query: Query) -> Result<Vec<Query>> {
    Ok(vec![query])
}

/// A utility statement, passed along.
pub(crate) fn utility(stmt: &Statement) -> Query {
    let mut q = Query::new(CmdType::Utility);
    q.utility = Some(Arc::new(stmt.clone()));
    q
}

impl Analyzer<'_, '_> {
    pub(crate) fn transform_statement(&mut self, stmt: &Statement) -> Result<Query> {
        match stmt {
            Statement::Select(_) | Statement::Insert(_) | Statement::Update(_) => {
                Err(PgError::unsupported("the analyzer"))
            }
            other => Ok(utility(other)),
        }
    }
    pub(crate) fn expand_rte_vars(
        &mut self,
        _: crate::query::RtIndex,
        _: u32,
        _: base::error::Location,
    ) -> Result<Vec<crate::query::Expr>> {
        Err(PgError::unsupported("whole-row variables"))
    }
}
