//! LOOP, WHILE, FOR, FOREACH.

use base::sqlstate::*;
use base::{Oid, Result};
use parser::lexer::Tok;
use types::oid::{INT4OID, RECORDOID, REFCURSOROID};

use super::sql::End;
use super::{Found, Parser};
use crate::tree::*;
use crate::vartype;

/// What stands between FOR and IN.
struct LoopVar {
    name: String,
    /// A record, or a list of scalars.
    row: Option<Into>,
    scalar: Option<Target>,
    is_list: bool,
    at: base::error::Location,
}

impl Parser<'_> {
    pub(super) fn any_loop(&mut self, label: Option<String>) -> Result<StmtKind> {
        let outer = self.scope;
        self.push_label(label.as_deref(), LabelKind::Loop);
        let kind = match self.word() {
            Some("loop") => {
                let body = self.loop_body(label.as_deref())?;
                StmtKind::Loop { label, body }
            }
            Some("while") => {
                self.advance();
                let condition = self.expression(End::Word("loop"), "LOOP")?;
                let body = self.loop_body(label.as_deref())?;
                StmtKind::While { label, condition, body }
            }
            Some("for") => {
                self.advance();
                self.for_loop(label)?
            }
            _ => {
                self.advance();
                self.foreach(label)?
            }
        };
        self.scope = outer;
        Ok(kind)
    }

    /// From LOOP to the `;` after END LOOP.
    fn loop_body(&mut self, label: Option<&str>) -> Result<Vec<Stmt>> {
        self.expect("loop")?;
        let body = self.statements()?;
        self.expect("end")?;
        self.expect("loop")?;
        self.end_label(label)?;
        self.expect_char(b';')?;
        Ok(body)
    }

    fn loop_variable(&mut self) -> Result<LoopVar> {
        let at = self.loc();
        let name = self.name_text(0);
        let mut v = LoopVar { name, row: None, scalar: None, is_list: false, at };
        match self.found() {
            Some(Found::Datum { target, text, .. }) => {
                v.name = text;
                if let Target::Var(d) = target
                    && self.is_record(d)
                {
                    v.row = Some(Into::Record(d));
                    return Ok(v);
                }
                v.scalar = Some(target.clone());
                if self.is_char(b',') {
                    v.is_list = true;
                    self.check_assignable(&target, at)?;
                    v.row = Some(self.scalar_list(target)?);
                }
                Ok(v)
            }
            Some(Found::Word(parts)) if parts.len() > 1 || self.is_char(b',') => Err(self.not_a_variable(&parts, at)),
            Some(Found::Word(parts)) => {
                v.name = parts.into_iter().next().unwrap_or_default();
                Ok(v)
            }
            None => Err(self.syntax()),
        }
    }

    fn rows_into(&mut self, v: LoopVar) -> Result<Into> {
        match (v.row, v.scalar) {
            (Some(row), _) => {
                if let Into::Record(d) = &row {
                    self.check_assignable(&Target::Var(*d), v.at)?;
                }
                Ok(row)
            }
            (None, Some(scalar)) => {
                self.check_assignable(&scalar, v.at)?;
                Ok(Into::List(vec![scalar]))
            }
            (None, None) => {
                let text = "loop variable of loop over rows must be a record variable or list of scalar variables";
                Err(self.error(DATATYPE_MISMATCH, text.to_owned(), v.at))
            }
        }
    }

    fn for_loop(&mut self, label: Option<String>) -> Result<StmtKind> {
        self.line = self.here();
        let v = self.loop_variable()?;
        self.expect("in")?;
        if self.eat("execute") {
            let ends = [End::Word("loop"), End::Word("using")];
            let query = self.construct(&ends, "LOOP or USING", Mode::Expression, true)?;
            let into = self.rows_into(v)?;
            let params = match self.eat("using") {
                true => self.expressions(&[End::Word("loop")], ", or LOOP")?,
                false => Vec::new(),
            };
            let body = self.loop_body(label.as_deref())?;
            return Ok(StmtKind::ForDynamic { label, into, query, params, body });
        }
        let at = self.loc();
        if let Some(Found::Datum { target: Target::Var(d), .. }) = self.look()
            && self.vars[d].ty.oid == REFCURSOROID
            && !self.is_record(d)
        {
            return self.for_cursor(label, v, d, at);
        }
        let reverse_at = self.loc();
        let reverse = self.is("reverse") && !matches!(self.peek_at(1), Tok::DotDot);
        if reverse {
            self.advance();
        }
        let from = self.token().start as usize;
        let mut first = self.construct(&[End::DotDot, End::Word("loop")], "LOOP", Mode::Statement, false)?;
        if self.peek() == Tok::DotDot {
            self.advance();
            first.mode = Mode::Expression;
            self.check_sql(&first.text.clone(), Mode::Expression, from)?;
            let ends = [End::Word("loop"), End::Word("by")];
            let upper = self.construct(&ends, "LOOP", Mode::Expression, true)?;
            let step = match self.eat("by") {
                true => Some(self.expression(End::Word("loop"), "LOOP")?),
                false => None,
            };
            if v.is_list {
                let text = "integer FOR loop must have only one target variable".to_owned();
                return Err(self.error(SYNTAX_ERROR, text, v.at));
            }
            let ty = vartype::of_oid(self.cx, INT4OID, -1, Oid::INVALID)?;
            let name = v.name.rsplit('.').next().unwrap_or_default().to_owned();
            let var = self.variable(&name, ty)?;
            let body = self.loop_body(label.as_deref())?;
            return Ok(StmtKind::ForInt { label, var, lower: first, upper, step, reverse, body });
        }
        if reverse {
            let text = "cannot specify REVERSE in query FOR loop".to_owned();
            return Err(self.error(SYNTAX_ERROR, text, reverse_at));
        }
        self.check_sql(&first.text.clone(), Mode::Statement, from)?;
        let into = self.rows_into(v)?;
        let body = self.loop_body(label.as_deref())?;
        Ok(StmtKind::ForQuery { label, into, query: first, body })
    }

    fn for_cursor(
        &mut self,
        label: Option<String>,
        v: LoopVar,
        cursor: Dno,
        at: base::error::Location,
    ) -> Result<StmtKind> {
        self.found();
        if v.is_list {
            let text = "cursor FOR loop must have only one target variable".to_owned();
            return Err(self.error(SYNTAX_ERROR, text, v.at));
        }
        if !matches!(self.vars[cursor].what, VarKind::Cursor { .. }) {
            let text = "cursor FOR loop must use a bound cursor variable".to_owned();
            return Err(self.error(SYNTAX_ERROR, text, at));
        }
        let args = self.cursor_args(cursor, End::Word("loop"))?;
        let ty = vartype::of_oid(self.cx, RECORDOID, -1, Oid::INVALID)?;
        let record = self.variable(&v.name, ty)?;
        let body = self.loop_body(label.as_deref())?;
        Ok(StmtKind::ForCursor { label, record, cursor, args, body })
    }

    fn foreach(&mut self, label: Option<String>) -> Result<StmtKind> {
        let v = self.loop_variable()?;
        let mut slice = 0;
        if self.eat("slice") {
            match self.peek() {
                Tok::Iconst(n) => {
                    slice = n;
                    self.advance();
                }
                _ => return Err(self.syntax()),
            }
        }
        self.expect("in")?;
        self.expect("array")?;
        let array = self.expression(End::Word("loop"), "LOOP")?;
        let target = match (v.row, v.scalar) {
            (Some(row), _) => row,
            (None, Some(scalar)) => {
                self.check_assignable(&scalar, v.at)?;
                Into::List(vec![scalar])
            }
            (None, None) => {
                let text = "loop variable of FOREACH must be a known variable or list of variables".to_owned();
                return Err(self.error(SYNTAX_ERROR, text, v.at));
            }
        };
        let body = self.loop_body(label.as_deref())?;
        Ok(StmtKind::Foreach { label, target, slice, array, body })
    }
}
