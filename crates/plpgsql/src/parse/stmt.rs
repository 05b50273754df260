//! Statements.

use base::Result;
use base::sqlstate::*;
use parser::ast::cursor_opt;
use parser::lexer::Tok;
use types::oid::{INT4OID, REFCURSOROID};

use super::sql::End;
use super::{Found, Parser};
use crate::tree::*;
use crate::vartype;

/// Words that begin a statement unless they are a variable that is assigned to.
const STATEMENTS: &[&str] = &[
    "perform", "call", "do", "assert", "exit", "continue", "return", "raise", "get", "open", "fetch", "move", "close",
    "commit", "rollback", "insert", "import", "merge",
];

impl Parser<'_> {
    /// Statements up to END, ELSE, WHEN, EXCEPTION and such.
    pub(super) fn statements(&mut self) -> Result<Vec<Stmt>> {
        let mut list = Vec::new();
        loop {
            match self.word() {
                Some("end" | "else" | "when") => return Ok(list),
                Some("elsif" | "elseif" | "exception") if !self.is_assign_at(1) => return Ok(list),
                _ if self.at_end() => {
                    return Err(self.syntax());
                }
                _ => {}
            }
            if let Some(s) = self.statement()? {
                list.push(s);
            }
        }
    }

    fn statement(&mut self) -> Result<Option<Stmt>> {
        let line = self.here();
        let done = |kind| Ok(Some(Stmt { line, kind }));
        if self.is_op("<<") {
            let label = self.block_label()?;
            return match self.word() {
                Some("declare" | "begin") => {
                    let b = self.block(label)?;
                    self.expect_char(b';')?;
                    done(StmtKind::Block(b)).map(|s| {
                        s.map(|mut s| {
                            if let StmtKind::Block(b) = &s.kind {
                                s.line = b.line;
                            }
                            s
                        })
                    })
                }
                Some("loop" | "while" | "for" | "foreach") => {
                    let line = self.here();
                    Ok(Some(Stmt { line, kind: self.any_loop(label)? }))
                }
                _ => Err(self.syntax()),
            };
        }
        let Some(word) = self.word().map(str::to_owned) else { return self.other(line).map(Some) };
        match &*word {
            "declare" | "begin" => {
                let b = self.block(None)?;
                self.expect_char(b';')?;
                Ok(Some(Stmt { line: b.line, kind: StmtKind::Block(b) }))
            }
            "if" => done(self.if_statement()?),
            "case" => done(self.case_statement()?),
            "loop" | "while" | "for" | "foreach" => done(self.any_loop(None)?),
            "null" => {
                self.advance();
                self.expect_char(b';')?;
                Ok(None)
            }
            "execute" => done(self.execute()?),
            w if STATEMENTS.contains(&w) && !self.is_assign_at(1) && !matches!(self.peek_at(1), Tok::Char(b'[')) => {
                self.keyword_statement(w, line)
            }
            // A reserved word that begins SQL: none does.
            w if super::RESERVED.contains(&w) => Err(self.syntax()),
            _ => self.other(line).map(Some),
        }
    }

    /// An assignment or plain SQL.
    fn other(&mut self, line: u32) -> Result<Stmt> {
        let (from, at) = (self.at, self.loc());
        // A single name is a variable only if it is assigned to.
        let alone = !matches!(self.peek(), Tok::Param(_)) && self.peek_at(1) != Tok::Char(b'.');
        let assigned = self.is_assign_at(1) || self.peek_at(1) == Tok::Char(b'[');
        match self.found() {
            Some(Found::Datum { .. }) if alone && !assigned => {
                self.at = from;
                self.sql_statement(line)
            }
            Some(Found::Datum { target, names, .. }) => {
                self.check_assignable(&target, at)?;
                self.at = from;
                let mode = Mode::Assign(names);
                let expr = self.construct(&[End::Char(b';')], ";", mode, true)?;
                self.advance();
                Ok(Stmt { line, kind: StmtKind::Assign { target, expr } })
            }
            Some(Found::Word(parts)) => {
                if self.is_assign_at(0) || matches!(self.peek(), Tok::Char(b'[' | b'.')) {
                    return Err(self.not_a_variable(&parts, at));
                }
                self.at = from;
                self.sql_statement(line)
            }
            None => Err(self.syntax()),
        }
    }

    fn keyword_statement(&mut self, word: &str, line: u32) -> Result<Option<Stmt>> {
        let kind = match word {
            "perform" => {
                let start = self.token().start as usize;
                self.advance();
                let mut e = self.construct(&[End::Char(b';')], ";", Mode::Statement, false)?;
                // An ordinary SELECT.
                e.text = format!("SELECT {}", e.text);
                self.check_perform(&e.text, start)?;
                self.advance();
                StmtKind::Perform(e)
            }
            "call" | "do" => {
                let expr = self.construct(&[End::Char(b';')], ";", Mode::Statement, true)?;
                self.advance();
                StmtKind::Call { expr, is_call: word == "call" }
            }
            "assert" => {
                self.advance();
                let condition =
                    self.construct(&[End::Char(b','), End::Char(b';')], ", or ;", Mode::Expression, true)?;
                let message = match self.eat_char(b',') {
                    true => Some(self.expression_statement()?),
                    false => {
                        self.advance();
                        None
                    }
                };
                StmtKind::Assert { condition, message }
            }
            "exit" | "continue" => self.exit(word == "exit")?,
            "return" => self.return_statement()?,
            "raise" => self.raise()?,
            "get" => self.diagnostics()?,
            "open" => self.open()?,
            "fetch" | "move" => self.fetch(word == "move")?,
            "close" => {
                self.advance();
                let cursor = self.cursor_variable()?;
                self.expect_char(b';')?;
                StmtKind::Close { cursor }
            }
            "commit" | "rollback" => {
                self.advance();
                let mut chain = false;
                if self.eat("and") {
                    chain = !self.eat("no");
                    self.expect("chain")?;
                }
                self.expect_char(b';')?;
                if word == "commit" { StmtKind::Commit { chain } } else { StmtKind::Rollback { chain } }
            }
            _ => return self.sql_statement(line).map(Some),
        };
        Ok(Some(Stmt { line, kind }))
    }

    /// Positions count from PERFORM, which SELECT replaces.
    fn check_perform(&mut self, text: &str, start: usize) -> Result<()> {
        let extra = "perform".len() - "select".len();
        self.check_sql(text, Mode::Statement, start + extra)
    }

    fn if_statement(&mut self) -> Result<StmtKind> {
        let mut branches = Vec::new();
        let mut otherwise = Vec::new();
        loop {
            let line = self.here();
            self.advance();
            let condition = self.expression(End::Word("then"), "THEN")?;
            self.advance();
            branches.push((line, condition, self.statements()?));
            match self.word() {
                Some("elsif" | "elseif") => continue,
                Some("else") => {
                    self.advance();
                    otherwise = self.statements()?;
                }
                _ => {}
            }
            break;
        }
        self.expect("end")?;
        self.expect("if")?;
        self.expect_char(b';')?;
        Ok(StmtKind::If { branches, otherwise })
    }

    fn case_statement(&mut self) -> Result<StmtKind> {
        self.advance();
        let operand = match self.is("when") {
            true => None,
            false => {
                let e = self.expression(End::Word("when"), "WHEN")?;
                let name = format!("__Case__Variable_{}__", self.vars.len());
                let ty = vartype::of_oid(self.cx, INT4OID, -1, base::Oid::INVALID)?;
                let dno = self.add_var(&name, ty, VarKind::Scalar);
                Some((e, dno, name))
            }
        };
        let outer = self.scope;
        if let Some((_, dno, name)) = &operand {
            self.push_name(&name.clone(), *dno);
        }
        let mut whens = Vec::new();
        while self.is("when") {
            let line = self.here();
            self.advance();
            let mut e = self.expression(End::Word("then"), "THEN")?;
            if let Some((.., name)) = &operand {
                e.text = format!("\"{name}\" IN ({})", e.text);
            }
            self.advance();
            whens.push((line, e, self.statements()?));
        }
        if whens.is_empty() {
            return Err(self.syntax());
        }
        let otherwise = if self.eat("else") { Some(self.statements()?) } else { None };
        self.expect("end")?;
        self.expect("case")?;
        self.expect_char(b';')?;
        self.scope = outer;
        Ok(StmtKind::Case { operand: operand.map(|o| (o.0, o.1)), whens, otherwise })
    }

    fn exit(&mut self, is_exit: bool) -> Result<StmtKind> {
        let at = self.loc();
        self.advance();
        let mut label = None;
        if !self.is_char(b';') && !self.is("when") {
            let label_at = self.loc();
            let name = self.any_identifier()?;
            match lookup_label(&self.names, self.scope, &name) {
                None => {
                    let text =
                        format!("there is no label \"{name}\" attached to any block or loop enclosing this statement");
                    return Err(self.error(SYNTAX_ERROR, text, label_at));
                }
                Some(kind) if !is_exit && kind != LabelKind::Loop => {
                    let text = format!("block label \"{name}\" cannot be used in CONTINUE");
                    return Err(self.error(SYNTAX_ERROR, text, label_at));
                }
                Some(_) => label = Some(name),
            }
        } else if !inside_loop(&self.names, self.scope) {
            let text = match is_exit {
                true => "EXIT cannot be used outside a loop, unless it has a label",
                false => "CONTINUE cannot be used outside a loop",
            };
            return Err(self.error(SYNTAX_ERROR, text.to_owned(), at));
        }
        let when = match self.eat("when") {
            true => Some(self.expression_statement()?),
            false => {
                self.expect_char(b';')?;
                None
            }
        };
        Ok(StmtKind::Exit { is_exit, label, when })
    }

    fn return_statement(&mut self) -> Result<StmtKind> {
        let at = self.loc();
        self.advance();
        if self.eat("next") {
            return self.return_next(at);
        }
        if self.eat("query") {
            return self.return_query(at);
        }
        let refuse = match () {
            _ if self.returns_set => Some("RETURN cannot have a parameter in function returning set"),
            _ if self.kind == Kind::Procedure && self.returns_void => {
                Some("RETURN cannot have a parameter in a procedure")
            }
            _ if self.returns_void => Some("RETURN cannot have a parameter in function returning void"),
            _ if self.has_out => Some("RETURN cannot have a parameter in function with OUT parameters"),
            _ => None,
        };
        if let Some(text) = refuse {
            if !self.is_char(b';') {
                let mut e = self.error(DATATYPE_MISMATCH, text.to_owned(), self.loc());
                if self.returns_set {
                    e = e.hint("Use RETURN NEXT or RETURN QUERY.");
                }
                return Err(e);
            }
            self.advance();
            return Ok(StmtKind::Return { expr: None, var: None });
        }
        let (expr, var) = self.returned()?;
        Ok(StmtKind::Return { expr, var })
    }

    /// A variable alone, or an expression.
    fn returned(&mut self) -> Result<(Option<SqlExpr>, Option<Dno>)> {
        let from = self.at;
        if let Some(Found::Datum { target: Target::Var(d), .. }) = self.found()
            && self.is_char(b';')
        {
            self.advance();
            return Ok((None, Some(d)));
        }
        self.at = from;
        Ok((Some(self.expression_statement()?), None))
    }

    fn return_next(&mut self, at: base::error::Location) -> Result<StmtKind> {
        if !self.returns_set {
            let text = "cannot use RETURN NEXT in a non-SETOF function".to_owned();
            return Err(self.error(DATATYPE_MISMATCH, text, at));
        }
        if self.has_out {
            if !self.is_char(b';') {
                let text = "RETURN NEXT cannot have a parameter in function with OUT parameters".to_owned();
                return Err(self.error(DATATYPE_MISMATCH, text, self.loc()));
            }
            self.advance();
            return Ok(StmtKind::ReturnNext { expr: None, var: None });
        }
        let (expr, var) = self.returned()?;
        Ok(StmtKind::ReturnNext { expr, var })
    }

    fn return_query(&mut self, at: base::error::Location) -> Result<StmtKind> {
        if !self.returns_set {
            let text = "cannot use RETURN QUERY in a non-SETOF function".to_owned();
            return Err(self.error(DATATYPE_MISMATCH, text, at));
        }
        if !self.eat("execute") {
            let query = self.construct(&[End::Char(b';')], ";", Mode::Statement, true)?;
            self.advance();
            return Ok(StmtKind::ReturnQuery { query: Some(query), dynamic: None, params: Vec::new() });
        }
        let ends = [End::Char(b';'), End::Word("using")];
        let dynamic = self.construct(&ends, "; or USING", Mode::Expression, true)?;
        let params = self.using(&[End::Char(b';')])?;
        self.advance();
        Ok(StmtKind::ReturnQuery { query: None, dynamic: Some(dynamic), params })
    }

    /// `USING a, b` if it is there, up to one of `ends`.
    pub(super) fn using(&mut self, ends: &[End]) -> Result<Vec<SqlExpr>> {
        match self.eat("using") {
            true => self.expressions(ends, ", or ;"),
            false => Ok(Vec::new()),
        }
    }

    fn execute(&mut self) -> Result<StmtKind> {
        self.advance();
        let ends = [End::Word("into"), End::Word("using"), End::Char(b';')];
        let query = self.construct(&ends, "INTO or USING or ;", Mode::Expression, true)?;
        let (mut into, mut strict, mut params) = (None, false, Vec::new());
        loop {
            if self.is("into") {
                if into.is_some() {
                    return Err(self.syntax());
                }
                self.advance();
                let (target, is_strict) = self.into_target()?;
                (into, strict) = (Some(target), is_strict);
            } else if self.is("using") {
                if !params.is_empty() {
                    return Err(self.syntax());
                }
                self.advance();
                params = self.expressions(&[End::Char(b';'), End::Word("into")], ", or ; or INTO")?;
            } else {
                break;
            }
        }
        self.expect_char(b';')?;
        Ok(StmtKind::Execute { query, into, strict, params })
    }

    // RAISE

    fn raise(&mut self) -> Result<StmtKind> {
        self.advance();
        let mut r = Raise {
            level: RaiseLevel::Exception,
            condition: None,
            message: None,
            params: Vec::new(),
            options: Vec::new(),
        };
        if self.at_end() {
            return Err(self.end_of_function());
        }
        if !self.is_char(b';') {
            let level = match self.word() {
                Some("exception") => Some(RaiseLevel::Exception),
                Some("warning") => Some(RaiseLevel::Warning),
                Some("notice") => Some(RaiseLevel::Notice),
                Some("info") => Some(RaiseLevel::Info),
                Some("log") => Some(RaiseLevel::Log),
                Some("debug") => Some(RaiseLevel::Debug),
                _ => None,
            };
            if let Some(level) = level {
                r.level = level;
                self.advance();
            }
            if self.at_end() {
                return Err(self.end_of_function());
            }
            if self.peek() == Tok::Sconst {
                r.message = Some(self.lexed.text(self.token()).to_owned());
                self.advance();
                if !matches!(self.peek(), Tok::Char(b',' | b';')) && !self.is("using") {
                    return Err(self.syntax());
                }
                if self.eat_char(b',') {
                    r.params = self.expressions(&[End::Char(b';'), End::Word("using")], ", or ; or USING")?;
                }
            } else if !self.is("using") && !self.is_char(b';') {
                if self.is("sqlstate") {
                    self.advance();
                    r.condition = Some(self.sqlstate_literal()?.as_str().to_owned());
                } else {
                    if !self.is_name() {
                        return Err(self.syntax());
                    }
                    let name = self.name_text(0);
                    crate::raise::states_of(&name)?;
                    r.condition = Some(name);
                    self.advance();
                }
                if !self.is_char(b';') && !self.is("using") {
                    return Err(self.syntax());
                }
            }
            if self.eat("using") {
                self.raise_options(&mut r)?;
            }
        }
        self.expect_char(b';')?;
        crate::raise::check_params(&r)?;
        Ok(StmtKind::Raise(r))
    }

    fn raise_options(&mut self, r: &mut Raise) -> Result<()> {
        loop {
            if self.at_end() {
                return Err(self.end_of_function());
            }
            let option = match self.word() {
                Some("errcode") => RaiseOption::Errcode,
                Some("message") => RaiseOption::Message,
                Some("detail") => RaiseOption::Detail,
                Some("hint") => RaiseOption::Hint,
                Some("column") => RaiseOption::Column,
                Some("constraint") => RaiseOption::Constraint,
                Some("datatype") => RaiseOption::Datatype,
                Some("table") => RaiseOption::Table,
                Some("schema") => RaiseOption::Schema,
                _ => return Err(self.bad("unrecognized RAISE statement option")),
            };
            self.advance();
            if !self.is_assign_at(0) {
                return Err(self.bad("syntax error, expected \"=\""));
            }
            self.advance();
            let e = self.construct(&[End::Char(b','), End::Char(b';')], ", or ;", Mode::Expression, true)?;
            r.options.push((option, e));
            if !self.eat_char(b',') {
                return Ok(());
            }
        }
    }

    fn diagnostics(&mut self) -> Result<StmtKind> {
        let at = self.loc();
        self.advance();
        let stacked = match self.word() {
            Some("stacked") => {
                self.advance();
                true
            }
            Some("current") => {
                self.advance();
                false
            }
            _ => false,
        };
        self.expect("diagnostics")?;
        let mut items = Vec::new();
        loop {
            let target_at = self.loc();
            let target = match self.found() {
                Some(Found::Datum { target, .. }) => target,
                Some(Found::Word(parts)) => return Err(self.not_a_variable(&parts, target_at)),
                None => return Err(self.syntax()),
            };
            if let Target::Var(d) = target
                && self.is_record(d)
            {
                let text = format!("\"{}\" is not a scalar variable", self.vars[d].name);
                return Err(self.error(SYNTAX_ERROR, text, target_at));
            }
            self.check_assignable(&target, target_at)?;
            if !self.is_assign_at(0) {
                return Err(self.syntax());
            }
            self.advance();
            let item = match self.word() {
                Some("row_count") => Diagnostic::RowCount,
                Some("pg_routine_oid") => Diagnostic::RoutineOid,
                Some("pg_context") => Diagnostic::Context,
                Some("pg_exception_detail") => Diagnostic::ExceptionDetail,
                Some("pg_exception_hint") => Diagnostic::ExceptionHint,
                Some("pg_exception_context") => Diagnostic::ExceptionContext,
                Some("column_name") => Diagnostic::ColumnName,
                Some("constraint_name") => Diagnostic::ConstraintName,
                Some("pg_datatype_name") => Diagnostic::DatatypeName,
                Some("message_text") => Diagnostic::MessageText,
                Some("table_name") => Diagnostic::TableName,
                Some("schema_name") => Diagnostic::SchemaName,
                Some("returned_sqlstate") => Diagnostic::ReturnedSqlstate,
                _ => return Err(self.bad("unrecognized GET DIAGNOSTICS item")),
            };
            self.advance();
            items.push((item, target));
            if !self.eat_char(b',') {
                break;
            }
        }
        self.expect_char(b';')?;
        for (item, _) in &items {
            let current = matches!(item, Diagnostic::RowCount | Diagnostic::RoutineOid | Diagnostic::Context);
            let wrong = match (stacked, current) {
                (true, true) if *item != Diagnostic::Context || stacked => Some("STACKED"),
                (false, false) => Some("CURRENT"),
                _ => None,
            };
            if let Some(which) = wrong {
                let text = format!("diagnostics item {} is not allowed in GET {which} DIAGNOSTICS", item.name());
                return Err(self.error(SYNTAX_ERROR, text, at));
            }
        }
        Ok(StmtKind::GetDiagnostics { stacked, items })
    }

    // Cursors

    pub(super) fn cursor_variable(&mut self) -> Result<Dno> {
        let at = self.loc();
        match self.found() {
            Some(Found::Datum { target: Target::Var(d), .. }) if !self.is_record(d) => {
                if self.vars[d].ty.oid != REFCURSOROID {
                    let text = format!("variable \"{}\" must be of type cursor or refcursor", self.vars[d].name);
                    return Err(self.error(DATATYPE_MISMATCH, text, at));
                }
                Ok(d)
            }
            Some(Found::Datum { .. }) => {
                Err(self.error(DATATYPE_MISMATCH, "cursor variable must be a simple variable".to_owned(), at))
            }
            Some(Found::Word(parts)) => Err(self.not_a_variable(&parts, at)),
            None => Err(self.syntax()),
        }
    }

    fn open(&mut self) -> Result<StmtKind> {
        self.advance();
        let cursor = self.cursor_variable()?;
        let mut s = (0, None, None, None, Vec::new());
        if matches!(self.vars[cursor].what, VarKind::Cursor { .. }) {
            s.1 = self.cursor_args(cursor, End::Char(b';'))?;
            self.expect_char(b';')?;
        } else {
            if self.eat("no") {
                self.expect("scroll")?;
                s.0 = cursor_opt::NO_SCROLL;
            } else if self.eat("scroll") {
                s.0 = cursor_opt::SCROLL;
            }
            if !self.is("for") {
                return Err(self.bad("syntax error, expected \"FOR\""));
            }
            self.advance();
            if self.eat("execute") {
                let ends = [End::Word("using"), End::Char(b';')];
                s.3 = Some(self.construct(&ends, "USING or ;", Mode::Expression, true)?);
                s.4 = self.using(&[End::Char(b';')])?;
                self.expect_char(b';')?;
            } else {
                s.2 = Some(self.construct(&[End::Char(b';')], ";", Mode::Statement, true)?);
                self.advance();
            }
        }
        let (options, args, query, dynamic, params) = s;
        Ok(StmtKind::Open { cursor, options, args, query, dynamic, params })
    }

    /// The arguments given to a bound cursor, up to `end`. (PostgreSQL: `read_cursor_args`)
    pub(super) fn cursor_args(&mut self, cursor: Dno, end: End) -> Result<Option<CursorArgs>> {
        let VarKind::Cursor { args, .. } = &self.vars[cursor].what else { return Ok(None) };
        let args = args.clone();
        let cname = self.vars[cursor].name.clone();
        if args.is_empty() {
            if self.is_char(b'(') {
                let text = format!("cursor \"{cname}\" has no arguments");
                return Err(self.error(SYNTAX_ERROR, text, self.loc()));
            }
            return match end {
                End::Char(c) if !self.is_char(c) => Err(self.syntax()),
                End::Word(w) if !self.is(w) => Err(self.syntax()),
                _ => Ok(None),
            };
        }
        if !self.is_char(b'(') {
            let text = format!("cursor \"{cname}\" has arguments");
            return Err(self.error(SYNTAX_ERROR, text, self.loc()));
        }
        self.advance();
        let mut given: Vec<Option<String>> = vec![None; args.len()];
        let mut any_named = false;
        for i in 0..args.len() {
            let mut at = i;
            let arg_at = self.loc();
            let named = matches!(self.peek_at(1), Tok::ColonEquals | Tok::EqualsGreater)
                && matches!(self.peek(), Tok::Ident | Tok::Keyword(_) | Tok::Ahead(_));
            if named {
                let name = self.name_text(0);
                let found = args.iter().position(|d| self.vars[*d].name == name);
                at = match found {
                    Some(p) => p,
                    None => {
                        let text = format!("cursor \"{cname}\" has no argument named \"{name}\"");
                        return Err(self.error(SYNTAX_ERROR, text, self.loc()));
                    }
                };
                self.at += 2;
                any_named = true;
            }
            if given[at].is_some() {
                let text = format!(
                    "value for parameter \"{}\" of cursor \"{cname}\" specified more than once",
                    self.vars[args[at]].name
                );
                return Err(self.error(SYNTAX_ERROR, text, arg_at));
            }
            let ends = [End::Char(b','), End::Char(b')')];
            let e = self.construct(&ends, ",\" or \")", Mode::Expression, true)?;
            given[at] = Some(e.text);
            let last = i + 1 == args.len();
            if self.is_char(b')') && !last {
                let text = format!("not enough arguments for cursor \"{cname}\"");
                return Err(self.error(SYNTAX_ERROR, text, self.loc()));
            }
            if self.is_char(b',') && last {
                let text = format!("too many arguments for cursor \"{cname}\"");
                return Err(self.error(SYNTAX_ERROR, text, self.loc()));
            }
            self.advance();
        }
        let mut parts = Vec::new();
        for (i, g) in given.into_iter().enumerate() {
            let text = g.unwrap_or_default();
            parts.push(match any_named {
                true => format!("{text} AS {}", parser::quote_identifier(&self.vars[args[i]].name)),
                false => text,
            });
        }
        let e = self.sql_expr(parts.join(", "), Mode::Expression);
        let ended = match end {
            End::Char(c) => self.is_char(c),
            End::Word(w) => self.is(w),
            End::DotDot => false,
        };
        if ended { Ok(Some(CursorArgs(e))) } else { Err(self.syntax()) }
    }

    fn fetch(&mut self, is_move: bool) -> Result<StmtKind> {
        let at = self.loc();
        self.advance();
        let fetch = self.direction()?;
        let cursor = self.cursor_variable()?;
        let into = match is_move {
            true => None,
            false => {
                self.expect("into")?;
                Some(self.into_target()?.0)
            }
        };
        self.expect_char(b';')?;
        if !is_move && fetch.several {
            let text = "FETCH statement cannot return multiple rows".to_owned();
            return Err(self.error(FEATURE_NOT_SUPPORTED, text, at));
        }
        Ok(StmtKind::Fetch { cursor, into, fetch, is_move })
    }

    /// (PostgreSQL: `read_fetch_direction`)
    fn direction(&mut self) -> Result<Fetch> {
        let mut f = Fetch { direction: Direction::Forward, expr: None, count: 1, several: false };
        if self.at_end() {
            return Err(self.end_of_function());
        }
        let mut check_from = true;
        let both = [End::Word("from"), End::Word("in")];
        match self.word().map(str::to_owned).as_deref() {
            Some("next") => self.advance(),
            Some("prior") => {
                self.advance();
                f.direction = Direction::Backward;
            }
            Some("first") => {
                self.advance();
                f.direction = Direction::Absolute;
            }
            Some("last") => {
                self.advance();
                (f.direction, f.count) = (Direction::Absolute, -1);
            }
            Some(w @ ("absolute" | "relative")) => {
                f.direction = if w == "absolute" { Direction::Absolute } else { Direction::Relative };
                self.advance();
                f.expr = Some(self.construct(&both, "FROM or IN", Mode::Expression, true)?);
                check_from = false;
            }
            Some("all") => {
                self.advance();
                (f.count, f.several) = (i64::MAX, true);
            }
            Some(w @ ("forward" | "backward")) => {
                f.direction = if w == "forward" { Direction::Forward } else { Direction::Backward };
                self.advance();
                match self.word().map(str::to_owned).as_deref() {
                    Some("from" | "in") => {}
                    Some("all") => {
                        self.advance();
                        (f.count, f.several) = (i64::MAX, true);
                    }
                    _ if matches!(self.look(), Some(Found::Datum { .. })) => check_from = false,
                    _ => {
                        f.expr = Some(self.construct(&both, "FROM or IN", Mode::Expression, true)?);
                        f.several = true;
                        check_from = false;
                    }
                }
            }
            Some("from" | "in") => {}
            _ if matches!(self.look(), Some(Found::Datum { .. })) => check_from = false,
            _ => {
                f.expr = Some(self.construct(&both, "FROM or IN", Mode::Expression, true)?);
                f.several = true;
                check_from = false;
            }
        }
        if self.is("from") || self.is("in") {
            self.advance();
        } else if check_from {
            return Err(self.bad("expected FROM or IN"));
        }
        Ok(f)
    }
}
