//! The crate's main entry points.
//!
//! PostgreSQL: `parse_analyze_fixedparams`, `parse_analyze_varparams`, `QueryRewrite`.

use std::sync::Arc;

use base::sqlstate::{FEATURE_NOT_SUPPORTED, INVALID_CURSOR_DEFINITION};
use base::{PgError, Result};
use parser::ast::{RawStmt, Statement};

use crate::context::{AnalyzeContext, ParamTypes};
use crate::query::{CmdType, LockClauseStrength, Query};
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
    if let Some(ctas) = select_into(stmt) {
        return Ok(utility(&ctas));
    }
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

/// Whether a query may be that of a cursor with these options. (PostgreSQL: `transformDeclareCursorStmt`)
pub fn check_cursor(query: &Query, options: u32) -> Result<()> {
    use parser::ast::cursor_opt::*;
    let invalid = |text: String| PgError::new(INVALID_CURSOR_DEFINITION, text);
    let both = |a: u32, b: u32| options & a != 0 && options & b != 0;
    if both(SCROLL, NO_SCROLL) {
        return Err(invalid("cannot specify both SCROLL and NO SCROLL".into()));
    }
    if both(ASENSITIVE, INSENSITIVE) {
        return Err(invalid("cannot specify both ASENSITIVE and INSENSITIVE".into()));
    }
    if query.has_modifying_cte {
        let text = "DECLARE CURSOR must not contain data-modifying statements in WITH";
        return Err(PgError::new(FEATURE_NOT_SUPPORTED, text));
    }
    let Some(mark) = query.row_marks.first() else { return Ok(()) };
    let lock = match mark.strength {
        LockClauseStrength::ForUpdate => "FOR UPDATE",
        LockClauseStrength::ForNoKeyUpdate => "FOR NO KEY UPDATE",
        LockClauseStrength::ForShare => "FOR SHARE",
        _ => "FOR KEY SHARE",
    };
    let unsupported = |text: String| PgError::new(FEATURE_NOT_SUPPORTED, text);
    if options & HOLD != 0 {
        let e = unsupported(format!("DECLARE CURSOR WITH HOLD ... {lock} is not supported"));
        return Err(e.detail("Holdable cursors must be READ ONLY."));
    }
    if options & SCROLL != 0 {
        let e = unsupported(format!("DECLARE SCROLL CURSOR ... {lock} is not supported"));
        return Err(e.detail("Scrollable cursors must be READ ONLY."));
    }
    if options & INSENSITIVE != 0 {
        let e = invalid(format!("DECLARE INSENSITIVE CURSOR ... {lock} is not valid"));
        return Err(e.detail("Insensitive cursors must be READ ONLY."));
    }
    Ok(())
}

/// SELECT INTO is CREATE TABLE AS.
fn select_into(stmt: &Statement) -> Option<Statement> {
    let Statement::Select(s) = stmt else { return None };
    let mut leftmost = s;
    while let Some(l) = &leftmost.larg {
        leftmost = l;
    }
    let into = leftmost.into_clause.clone()?;
    let mut query = s.clone();
    let mut at = &mut query;
    while at.larg.is_some() {
        at = at.larg.as_mut()?;
    }
    at.into_clause = None;
    Some(Statement::CreateTableAs(Box::new(parser::ast::CreateTableAsStmt {
        query: Statement::Select(query),
        into: *into,
        objtype: parser::ast::ObjectType::Table,
        is_select_into: true,
        if_not_exists: false,
    })))
}

/// A utility statement, passed along.
pub(crate) fn utility(stmt: &Statement) -> Query {
    let mut q = Query::new(CmdType::Utility);
    q.utility = Some(Arc::new(stmt.clone()));
    q
}

impl Analyzer<'_, '_> {
    /// (PostgreSQL: `transformStmt`)
    pub(crate) fn transform_statement(&mut self, stmt: &Statement) -> Result<Query> {
        match stmt {
            Statement::Select(s) => self.select(s),
            Statement::Insert(s) => self.insert(s),
            Statement::Update(s) => self.update(s),
            Statement::Delete(s) => self.delete(s),
            Statement::Merge(s) => self.merge(s),
            Statement::Return(r) => {
                let mut q = Query::new(CmdType::Select);
                q.is_return = true;
                let t = self.target_entry(&r.returnval, None, crate::state::ExprKind::SelectTarget, None, false)?;
                q.target_list.push(t);
                if self.level().resolve_unknowns {
                    let mut list = std::mem::take(&mut q.target_list);
                    self.resolve_unknowns(&mut list)?;
                    q.target_list = list;
                }
                self.finish_level(&mut q, None);
                self.assign_query_collations(&mut q)?;
                Ok(q)
            }
            other => Ok(utility(other)),
        }
    }
}
