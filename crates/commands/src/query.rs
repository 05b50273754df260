//! Queries inside commands: COPY (query), CREATE TABLE AS, EXPLAIN.

use analyze::query::{CmdType, Query};
use analyze::{AnalyzeContext, ParamTypes};
use base::sqlstate::FEATURE_NOT_SUPPORTED;
use base::{PgError, Result};
use parser::ast::Statement;
use planner::{PlanOptions, PlannedStmt};

use crate::CommandContext;

/// Analyzes and rewrites a statement that a command carries.
pub fn rewrite(cmd: &mut CommandContext<'_>, stmt: &Statement) -> Result<Vec<Query>> {
    rewrite_with(cmd, stmt, &mut ParamTypes::None)
}

/// As [`rewrite`], with parameters.
pub fn rewrite_with(cmd: &mut CommandContext<'_>, stmt: &Statement, params: &mut ParamTypes) -> Result<Vec<Query>> {
    let mut lock = executor::relation_locker(cmd.cx)?;
    let catalog = cmd.cx.catalog.clone();
    let mut cx = AnalyzeContext::new(catalog, cmd.cx);
    cx.lock = Some(&mut lock);
    let query = analyze::analyze_statement(&mut cx, stmt, cmd.source, params)?;
    if query.command_type == CmdType::Utility { Ok(vec![query]) } else { analyze::rewrite(&mut cx, query) }
}

/// The plan of a statement that must be one query.
pub fn plan(cmd: &mut CommandContext<'_>, stmt: &Statement) -> Result<PlannedStmt> {
    let mut queries = rewrite(cmd, stmt)?;
    match (queries.pop(), queries.is_empty()) {
        (Some(query), true) if query.command_type != CmdType::Utility => {
            executor::plan_query(cmd.cx, query, &PlanOptions::default())
        }
        _ => Err(PgError::new(FEATURE_NOT_SUPPORTED, "the statement must be a single query here")),
    }
}
