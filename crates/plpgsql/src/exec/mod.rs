//! Running a function: a frame of variables for each call, statements one after the other.
//!
//! | file | what |
//! | --- | --- |
//! | `assign.rs` | values and rows into variables |
//! | `query.rs` | expressions and SQL statements |
//! | `loops.rs` | loops |
//! | `cursors.rs` | OPEN, FETCH, MOVE, CLOSE |
//! | `returns.rs` | RETURN, RETURN NEXT, RETURN QUERY |
//! | `messages.rs` | RAISE, ASSERT, GET DIAGNOSTICS |
//!
//! PostgreSQL: `pl_exec.c`.

mod assign;
mod cursors;
mod loops;
mod messages;
mod query;
mod returns;

use std::sync::Arc;

use base::sqlstate::*;
use base::{Oid, PgError, Result, Severity};
use executor::ExecContext;
use executor::cursor;
use executor::trigger::TransitionTable;
use types::oid::*;
use types::{Datum, TupleDesc};

use crate::context::Place;
use crate::expr::Inst;
use crate::handler::Compiled;
use crate::tree::*;
use crate::value::{Record, Slot};

pub use returns::by_position;

/// What a statement leaves to be done.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Flow<'f> {
    Next,
    Exit(Option<&'f str>),
    Continue(Option<&'f str>),
    Return,
}

/// What a function returns.
#[derive(Clone, Debug)]
pub enum Returned {
    None,
    Value(Datum, Oid, i32),
    Row(Option<Record>),
}

/// An error that a handler works on.
#[derive(Clone)]
pub struct Caught {
    /// With the lines up to the block that caught it.
    error: PgError,
    /// The lines around.
    context: String,
}

/// A call of a function.
pub struct Frame<'f> {
    pub f: &'f Function,
    pub place: Arc<Place>,
    pub slots: Vec<Slot>,
    pub insts: Vec<Option<Box<Inst>>>,
    /// Types of variables that change theirs.
    pub types: Vec<(Dno, VarType)>,
    pub error: Option<Caught>,
    /// The error on its way out already has this call's line.
    pub told: bool,
    pub rows: Vec<Vec<Datum>>,
    pub returned: Returned,
    /// Rows of the last statement.
    pub processed: u64,
    pub atomic: bool,
    pub readonly: bool,
    /// The columns of the result, where it is a row.
    pub result_desc: Option<Arc<TupleDesc>>,
    /// The actual type of the result.
    pub return_type: Oid,
    pub named: Arc<[TransitionTable]>,
    pub path: usize,
    /// Cursor variables that OPEN named.
    pub given_names: Vec<Dno>,
}

impl<'f> Frame<'f> {
    pub fn new(compiled: &'f Compiled, insts: Vec<Option<Box<Inst>>>, path: usize) -> Frame<'f> {
        let f = &compiled.function;
        let slots = f
            .vars
            .iter()
            .map(|v| match v.what {
                VarKind::Record => Slot::Record(None),
                _ => Slot::Scalar(Datum::Null),
            })
            .collect();
        Frame {
            f,
            place: Arc::new(Place::new(f.signature.clone())),
            slots,
            insts,
            types: Vec::new(),
            error: None,
            told: false,
            rows: Vec::new(),
            returned: Returned::None,
            processed: 0,
            atomic: true,
            readonly: f.readonly,
            result_desc: None,
            return_type: f.return_type,
            named: Arc::from([]),
            path,
            given_names: Vec::new(),
        }
    }

    /// A variable's type.
    pub(crate) fn type_of(&self, dno: Dno) -> &VarType {
        match self.types.is_empty() {
            true => &self.f.vars[dno].ty,
            false => self.types.iter().find(|t| t.0 == dno).map_or(&self.f.vars[dno].ty, |t| &t.1),
        }
    }

    pub fn body(&mut self, cx: &mut ExecContext) -> Result<()> {
        self.place.at(0, ENTRY);
        self.slots[self.f.found] = Slot::Scalar(Datum::bool(false));
        let body = &self.f.body;
        self.place.at(body.line, 1);
        let flow = self.block(cx, body)?;
        match flow {
            Flow::Return => Ok(()),
            Flow::Exit(Some(l)) if Some(l) == self.f.body.label.as_deref() => self.end_reached(),
            Flow::Exit(_) => {
                self.place.at(0, 0);
                Err(PgError::new(SYNTAX_ERROR, "EXIT cannot be used outside a loop, unless it has a label"))
            }
            Flow::Continue(_) => {
                self.place.at(0, 0);
                Err(PgError::new(SYNTAX_ERROR, "CONTINUE cannot be used outside a loop"))
            }
            Flow::Next => self.end_reached(),
        }
    }

    fn end_reached(&mut self) -> Result<()> {
        let f = self.f;
        let needs = match f.kind {
            Kind::Function => !(f.returns_set || f.out.is_some() || f.return_type == VOIDOID),
            Kind::Trigger => true,
            Kind::EventTrigger | Kind::Inline | Kind::Procedure => false,
        };
        if needs {
            self.place.at(0, 0);
            let text = match f.kind {
                Kind::Trigger => "control reached end of trigger procedure without RETURN",
                _ => "control reached end of function without RETURN",
            };
            return Err(PgError::new(S_R_E_FUNCTION_EXECUTED_NO_RETURN_STATEMENT, text));
        }
        Ok(())
    }

    pub(crate) fn statements(&mut self, cx: &mut ExecContext, list: &'f [Stmt]) -> Result<Flow<'f>> {
        let saved = self.place.save();
        for s in list {
            self.place.at(s.line, s.kind.code());
            cx.interrupt.check()?;
            let flow = self.statement(cx, s)?;
            if flow != Flow::Next {
                self.place.at(saved.0, saved.1);
                return Ok(flow);
            }
        }
        self.place.at(saved.0, saved.1);
        Ok(Flow::Next)
    }

    fn statement(&mut self, cx: &mut ExecContext, s: &'f Stmt) -> Result<Flow<'f>> {
        match &s.kind {
            StmtKind::Assign { target, expr } => {
                self.assign_expr(cx, target, expr)?;
                Ok(Flow::Next)
            }
            StmtKind::If { branches, otherwise } => {
                for (_, condition, body) in branches {
                    if self.condition(cx, condition)? {
                        return self.statements(cx, body);
                    }
                }
                self.statements(cx, otherwise)
            }
            StmtKind::Block(b) => self.block(cx, b),
            StmtKind::Perform(e) => {
                self.perform(cx, e)?;
                Ok(Flow::Next)
            }
            StmtKind::Call { expr, is_call } => {
                self.call_statement(cx, expr, *is_call)?;
                Ok(Flow::Next)
            }
            StmtKind::Case { operand, whens, otherwise } => self.case(cx, operand, whens, otherwise),
            StmtKind::Loop { .. }
            | StmtKind::While { .. }
            | StmtKind::ForInt { .. }
            | StmtKind::ForQuery { .. }
            | StmtKind::ForCursor { .. }
            | StmtKind::ForDynamic { .. }
            | StmtKind::Foreach { .. } => self.any_loop(cx, s),
            StmtKind::Exit { is_exit, label, when } => {
                if let Some(when) = when
                    && !self.condition(cx, when)?
                {
                    return Ok(Flow::Next);
                }
                let label = label.as_deref();
                Ok(if *is_exit { Flow::Exit(label) } else { Flow::Continue(label) })
            }
            StmtKind::Return { expr, var } => self.return_statement(cx, expr.as_ref(), *var),
            StmtKind::ReturnNext { expr, var } => self.return_next(cx, expr.as_ref(), *var),
            StmtKind::ReturnQuery { query, dynamic, params } => {
                self.return_query(cx, query.as_ref(), dynamic.as_ref(), params)
            }
            StmtKind::Raise(r) => self.raise(cx, r),
            StmtKind::Assert { condition, message } => self.assert(cx, condition, message.as_ref()),
            StmtKind::Sql { sql, into, strict } => self.sql_statement(cx, sql, into.as_ref(), *strict),
            StmtKind::Execute { query, into, strict, params } => {
                self.execute(cx, query, into.as_ref(), *strict, params)
            }
            StmtKind::GetDiagnostics { stacked, items } => self.diagnostics(cx, *stacked, items),
            StmtKind::Open { .. } | StmtKind::Fetch { .. } | StmtKind::Close { .. } => self.cursor_statement(cx, s),
            StmtKind::Commit { chain } => {
                self.end_transaction(cx, true, *chain)?;
                Ok(Flow::Next)
            }
            StmtKind::Rollback { chain } => {
                self.end_transaction(cx, false, *chain)?;
                Ok(Flow::Next)
            }
        }
    }

    /// COMMIT and ROLLBACK. (PostgreSQL: `_SPI_commit`)
    #[inline(never)]
    fn end_transaction(&mut self, cx: &mut ExecContext, commit: bool, chain: bool) -> Result<()> {
        if self.atomic {
            return Err(PgError::new(INVALID_TRANSACTION_TERMINATION, "invalid transaction termination"));
        }
        if cx.txn()?.nest_level() > 1 {
            let what = if commit { "commit" } else { "roll back" };
            let text = format!("cannot {what} while a subtransaction is active");
            return Err(PgError::new(INVALID_TRANSACTION_TERMINATION, text));
        }
        let host = cx.host()?;
        if commit { host.commit(cx, chain) } else { host.rollback(cx, chain) }
    }

    /// (PostgreSQL: `exec_stmt_block`)
    fn block(&mut self, cx: &mut ExecContext, b: &'f Block) -> Result<Flow<'f>> {
        self.initialize(cx, b)?;
        let (line, doing) = self.place.save();
        let flow = match &b.exceptions {
            None => self.statements(cx, &b.body)?,
            Some(ex) => self.guarded(cx, b, ex)?,
        };
        self.place.at(line, doing);
        Ok(match flow {
            Flow::Exit(Some(l)) if b.label.as_deref() == Some(l) => Flow::Next,
            flow => flow,
        })
    }

    #[inline(never)]
    fn initialize(&mut self, cx: &mut ExecContext, b: &'f Block) -> Result<()> {
        let saved = self.place.save();
        for &dno in &b.init {
            let var = &self.f.vars[dno];
            self.place.at(var.line, INIT);
            match (&var.what, &var.default) {
                (_, Some(default)) => self.assign_value_of(cx, dno, default)?,
                (VarKind::Record, None) => {
                    self.slots[dno] = Slot::Record(None);
                    if var.not_null || self.is_domain(cx, dno)? {
                        self.assign(cx, &Target::Var(dno), Datum::Null, UNKNOWNOID, -1)?;
                    }
                }
                (_, None) => {
                    self.slots[dno] = Slot::Scalar(Datum::Null);
                    // A domain may not allow it.
                    if self.is_domain(cx, dno)? {
                        self.assign(cx, &Target::Var(dno), Datum::Null, UNKNOWNOID, -1)?;
                    }
                }
            }
        }
        self.place.at(saved.0, saved.1);
        Ok(())
    }

    fn is_domain(&self, cx: &ExecContext, dno: Dno) -> Result<bool> {
        // Built-in types are none, but for those of information_schema.
        let oid = self.f.vars[dno].ty.oid;
        Ok(oid.0 >= 12000 && cx.catalog.type_row(oid)?.typtype == b'd')
    }

    /// A block with handlers: a subtransaction.
    #[inline(never)]
    fn guarded(&mut self, cx: &mut ExecContext, b: &'f Block, ex: &'f Exceptions) -> Result<Flow<'f>> {
        let host = cx.host()?;
        let (line, doing) = self.place.save();
        self.place.at(line, BLOCK_ENTRY);
        let depth = cx.extension_or_default::<cursor::Cursors>().open_loops();
        host.begin_sub(cx)?;
        self.place.at(line, doing);
        let snapshot = cx.snapshot.clone();
        let error = match self.statements(cx, &b.body) {
            Ok(flow) => {
                self.place.at(line, BLOCK_EXIT);
                host.release_sub(cx)?;
                return Ok(flow);
            }
            Err(e) => e,
        };
        if error.severity() >= Severity::Fatal {
            return Err(error);
        }
        let failed_at = self.place.save();
        let told = std::mem::take(&mut self.told);
        self.place.runs(None);
        let lines = crate::context::stack(cx);
        self.place.at(line, CLEANUP);
        cursor::loop_end(cx, depth);
        host.rollback_sub(cx)?;
        cx.snapshot = snapshot;
        let state = error.sqlstate();
        let caught = ex.handlers.iter().find(|h| {
            h.conditions.iter().any(|c| match c {
                Condition::Others => state != QUERY_CANCELED && state != ASSERT_FAILURE,
                Condition::State(s) => crate::raise::catches(*s, state),
            })
        });
        let Some(handler) = caught else {
            self.place.at(failed_at.0, failed_at.1);
            self.told = told;
            return Err(error);
        };
        // Its own line is the first of the stack's.
        let full = match (&error.fields().context, told) {
            (Some(inner), false) => format!("{inner}\n{lines}"),
            (Some(inner), true) => {
                let outer = lines.split_once('\n').map_or("", |l| l.1);
                if outer.is_empty() { inner.clone() } else { format!("{inner}\n{outer}") }
            }
            (None, _) => lines.clone(),
        };
        let error = if told { error } else { error.context(lines.split('\n').next().unwrap_or_default().to_owned()) };
        self.slots[ex.sqlstate] = Slot::Scalar(Datum::text(state.as_str()));
        self.slots[ex.sqlerrm] = Slot::Scalar(Datum::text(error.message()));
        self.place.at(line, doing);
        let outer = self.error.replace(Caught { error, context: full });
        let done = self.statements(cx, &handler.action);
        self.error = outer;
        done
    }

    #[inline(never)]
    fn case(
        &mut self,
        cx: &mut ExecContext,
        operand: &'f Option<(SqlExpr, Dno)>,
        whens: &'f [(u32, SqlExpr, Vec<Stmt>)],
        otherwise: &'f Option<Vec<Stmt>>,
    ) -> Result<Flow<'f>> {
        if let Some((e, dno)) = operand {
            let (value, ty, typmod) = self.eval(cx, e)?;
            // The hidden variable takes on the operand's type.
            if self.type_of(*dno).oid != ty || self.type_of(*dno).typmod != typmod {
                let full = crate::vartype::of_oid(cx, ty, typmod, Oid::INVALID)?;
                self.types.retain(|t| t.0 != *dno);
                self.types.push((*dno, full));
            }
            self.slots[*dno] = Slot::Scalar(value);
        }
        for (_, condition, body) in whens {
            if self.condition(cx, condition)? {
                return self.statements(cx, body);
            }
        }
        match otherwise {
            Some(body) => self.statements(cx, body),
            None => Err(PgError::new(CASE_NOT_FOUND, "case not found").hint("CASE statement is missing ELSE part.")),
        }
    }

    pub(crate) fn set_found(&mut self, found: bool) {
        self.slots[self.f.found] = Slot::Scalar(Datum::bool(found));
    }
}
