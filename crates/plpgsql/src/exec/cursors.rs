//! OPEN, FETCH, MOVE, CLOSE. (PostgreSQL: `exec_stmt_open`, `exec_stmt_fetch`, `exec_stmt_close`)

use std::sync::Arc;

use base::sqlstate::*;
use base::{PgError, Result};
use executor::cursor::{self, ALL, Cursor, Cursors, FetchTo};
use executor::{ExecContext, Execution, StartOptions};
use parser::ast::cursor_opt;
use planner::PlannedStmt;
use types::Datum;
use types::oid::TEXTOID;

use super::query::only_query;
use super::{Flow, Frame};
use crate::expr::{Prepared, in_query};
use crate::tree::*;
use crate::value::Slot;

impl<'f> Frame<'f> {
    #[inline(never)]
    pub(super) fn cursor_statement(&mut self, cx: &mut ExecContext, s: &'f Stmt) -> Result<Flow<'f>> {
        match &s.kind {
            StmtKind::Open { cursor, options, args, query, dynamic, params } => {
                match (query, dynamic) {
                    (None, None) => {
                        self.open_bound(cx, *cursor, args.as_ref())?;
                    }
                    (Some(query), _) => {
                        let name = self.free_name(cx, *cursor)?;
                        let (plan, values) = self.query_plan(cx, query)?;
                        self.open(cx, *cursor, name, &query.text, plan, values, *options)?;
                    }
                    (None, Some(dynamic)) => {
                        let name = self.free_name(cx, *cursor)?;
                        let text = self.text(cx, dynamic)?;
                        let text = text.ok_or_else(|| {
                            PgError::new(NULL_VALUE_NOT_ALLOWED, "query string argument of EXECUTE is null")
                        })?;
                        let params = self.param_values(cx, params)?;
                        let planned = self.dynamic_query(cx, &text, &params, "cursor");
                        let (plan, values) = planned.map_err(|e| in_query(e, &text, Mode::Statement))?;
                        self.open(cx, *cursor, name, &text, plan, values, *options)?;
                    }
                }
                Ok(Flow::Next)
            }
            StmtKind::Fetch { cursor, into, fetch, is_move } => self.fetch(cx, *cursor, into.as_ref(), fetch, *is_move),
            StmtKind::Close { cursor } => {
                let name = self.cursor_name(*cursor)?;
                match cx.extension_or_default::<Cursors>().remove(&name) {
                    Some(c) if c.pinned => {
                        cx.extension_or_default::<Cursors>().insert(name.clone(), c);
                        let text = format!("cannot drop pinned portal \"{name}\"");
                        Err(PgError::new(INVALID_CURSOR_STATE, text))
                    }
                    Some(_) => Ok(Flow::Next),
                    None => Err(missing(&name)),
                }
            }
            _ => Err(PgError::internal("no statement of cursors")),
        }
    }

    fn cursor_name(&self, var: Dno) -> Result<String> {
        match &self.slots[var] {
            Slot::Scalar(v) if !v.is_null() => Ok(String::from_utf8_lossy(v.as_ref().as_bytes()).into_owned()),
            _ => {
                let text = format!("cursor variable \"{}\" is null", self.f.vars[var].name);
                Err(PgError::new(NULL_VALUE_NOT_ALLOWED, text))
            }
        }
    }

    /// The name that the variable gives, if it gives one; it must be free.
    fn free_name(&self, cx: &mut ExecContext, var: Dno) -> Result<Option<String>> {
        let Ok(name) = self.cursor_name(var) else { return Ok(None) };
        if cx.extension_or_default::<Cursors>().contains(&name) {
            return Err(PgError::new(DUPLICATE_CURSOR, format!("cursor \"{name}\" already in use")));
        }
        Ok(Some(name))
    }

    fn query_plan(&mut self, cx: &mut ExecContext, query: &SqlExpr) -> Result<(Arc<PlannedStmt>, Arc<[Datum]>)> {
        let mut inst = self.inst(cx, query)?;
        let values = self.values(cx, &inst)?;
        let Prepared::Units(units) = &mut inst.prepared else { return Err(crate::scalar::not_simple()) };
        let plan = only_query(units, "cursor");
        self.keep(query, inst);
        Ok((plan.map_err(|e| in_query(e, &query.text, Mode::Statement))?, values))
    }

    /// Opens a cursor that is bound to a query. Gives its name.
    pub(super) fn open_bound(
        &mut self,
        cx: &mut ExecContext,
        var: Dno,
        given: Option<&'f CursorArgs>,
    ) -> Result<String> {
        let VarKind::Cursor { query, args, options } = &self.f.vars[var].what else {
            return Err(PgError::internal("a cursor without a query"));
        };
        let name = self.free_name(cx, var)?;
        if let Some(CursorArgs(e)) = given {
            if let [one] = args.as_slice() {
                self.assign_value_of(cx, *one, e)?;
            } else {
                let mut inst = self.inst(cx, e)?;
                let done = self.run_inst(cx, e, &mut inst, super::query::Want::Rows(1));
                self.keep(e, inst);
                let out = done?;
                let targets = Into::List(args.iter().map(|d| Target::Var(*d)).collect());
                if let Some(desc) = out.desc {
                    self.store(cx, &targets, &desc, out.rows.into_iter().next())?;
                }
            }
        } else if !args.is_empty() {
            return Err(PgError::new(SYNTAX_ERROR, "arguments required for cursor"));
        }
        let (plan, values) = self.query_plan(cx, query)?;
        self.open(cx, var, name, &query.text, plan, values, *options)
    }

    #[expect(clippy::too_many_arguments, reason = "a cursor's parts")]
    fn open(
        &mut self,
        cx: &mut ExecContext,
        var: Dno,
        name: Option<String>,
        text: &str,
        plan: Arc<PlannedStmt>,
        params: Arc<[Datum]>,
        options: u32,
    ) -> Result<String> {
        executor::lock_plan_relations(cx, std::iter::once(&*plan))?;
        let snapshot = self.snapshot(cx)?;
        let mut flags = options;
        if flags & (cursor_opt::SCROLL | cursor_opt::NO_SCROLL) == 0 {
            let scroll = cursor::supports_backward_scan(&plan);
            flags |= if scroll { cursor_opt::SCROLL } else { cursor_opt::NO_SCROLL };
        }
        let start = StartOptions { params, snapshot, named: self.named.clone(), ..StartOptions::default() };
        let (plan, places) = executor::current_of::with_places(&plan);
        let execution = Execution::start(plan, cx, start).map_err(|e| in_query(e, text, Mode::Statement))?;
        let (level, created) = (cx.txn()?.nest_level(), cx.settings.statement_timestamp);
        let cursors = cx.extension_or_default::<Cursors>();
        let unnamed = name.is_none();
        let name = name.unwrap_or_else(|| cursors.new_name());
        cursors.insert(name.clone(), Cursor::new(text.into(), execution, places, flags, level, created));
        if unnamed {
            if self.f.vars[var].constant {
                cx.extension_or_default::<Cursors>().remove(&name);
                let text = format!("variable \"{}\" is declared CONSTANT", self.f.vars[var].name);
                return Err(PgError::new(ERROR_IN_ASSIGNMENT, text));
            }
            self.assign(cx, &Target::Var(var), Datum::text(&name), TEXTOID, -1)?;
            self.given_names.push(var);
        }
        Ok(name)
    }

    /// Did OPEN give the variable its name?
    pub(super) fn cursor_was_null(&mut self, var: Dno) -> bool {
        let found = self.given_names.iter().position(|d| *d == var);
        found.map(|at| self.given_names.remove(at)).is_some()
    }

    fn fetch(
        &mut self,
        cx: &mut ExecContext,
        var: Dno,
        into: Option<&'f Into>,
        fetch: &'f Fetch,
        is_move: bool,
    ) -> Result<Flow<'f>> {
        let name = self.cursor_name(var)?;
        if !cx.extension_or_default::<Cursors>().contains(&name) {
            return Err(missing(&name));
        }
        let count = match &fetch.expr {
            None => fetch.count,
            Some(e) => {
                let n = self.integer(cx, e)?;
                let null = "relative or absolute cursor position is null";
                i64::from(n.ok_or_else(|| PgError::new(NULL_VALUE_NOT_ALLOWED, null))?)
            }
        };
        let many = |n: i64| if n == i64::MAX { ALL } else { n.unsigned_abs() };
        let to = match fetch.direction {
            Direction::Forward if count < 0 => FetchTo::Backward(many(count)),
            Direction::Backward if count < 0 => FetchTo::Forward(many(count)),
            Direction::Forward => FetchTo::Forward(many(count)),
            Direction::Backward => FetchTo::Backward(many(count)),
            Direction::Absolute => FetchTo::Absolute(count),
            Direction::Relative => FetchTo::Relative(count),
        };
        let Some((desc, rows)) = cursor::fetch(cx, &name, to)? else { return Err(missing(&name)) };
        let n = rows.len() as u64;
        if let Some(into) = into.filter(|_| !is_move) {
            self.store(cx, into, &desc, rows.into_iter().next())?;
        }
        self.processed = n;
        self.set_found(n != 0);
        Ok(Flow::Next)
    }
}

fn missing(name: &str) -> PgError {
    PgError::new(UNDEFINED_CURSOR, format!("cursor \"{name}\" does not exist"))
}
