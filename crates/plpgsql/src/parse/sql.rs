//! Pieces of SQL: from their first token to their end. (PostgreSQL: `read_sql_construct`, `make_execsql_stmt`)

use base::Result;
use base::error::Location;
use base::sqlstate::*;
use parser::lexer::Tok;

use super::{Found, Parser};
use crate::tree::*;

/// What ends a piece.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum End {
    Char(u8),
    Word(&'static str),
    DotDot,
}

impl Parser<'_> {
    fn is_end(&self, end: End) -> bool {
        match end {
            End::Char(c) => self.is_char(c),
            End::Word(w) => self.is(w),
            End::DotDot => self.peek() == Tok::DotDot,
        }
    }

    pub(super) fn sql_expr(&mut self, text: String, mode: Mode) -> SqlExpr {
        self.exprs += 1;
        SqlExpr { text, mode, scope: self.scope, id: self.exprs - 1 }
    }

    /// A piece of SQL up to one of `ends`, which becomes the current token. `expected` is for messages.
    pub(super) fn construct(&mut self, ends: &[End], expected: &str, mode: Mode, check: bool) -> Result<SqlExpr> {
        let (start, from) = (self.token().start as usize, self.at);
        let mut depth = 0;
        let mut last = start;
        loop {
            if depth == 0 && ends.iter().any(|e| self.is_end(*e)) {
                break;
            }
            match self.peek() {
                Tok::Char(b'(' | b'[') => depth += 1,
                Tok::Char(b')' | b']') => {
                    depth -= 1;
                    if depth < 0 {
                        return Err(self.bad("mismatched parentheses"));
                    }
                }
                Tok::Error => return Err(self.syntax()),
                Tok::Eof | Tok::Char(b';') => {
                    if depth != 0 {
                        return Err(self.bad("mismatched parentheses"));
                    }
                    let what = if mode == Mode::Statement { "statement" } else { "expression" };
                    let text = format!("missing \"{expected}\" at end of SQL {what}");
                    return Err(self.error(SYNTAX_ERROR, text, self.loc()));
                }
                _ => {}
            }
            last = self.token().end as usize;
            self.advance();
        }
        if self.at == from {
            let what = if mode == Mode::Statement { "missing SQL statement" } else { "missing expression" };
            return Err(self.bad(what));
        }
        let text = self.src[start..last].to_owned();
        if check {
            self.check_sql(&text, mode, start)?;
        }
        Ok(self.sql_expr(text, mode))
    }

    /// An expression up to `end`, which stays.
    pub(super) fn expression(&mut self, end: End, expected: &str) -> Result<SqlExpr> {
        self.construct(&[end], expected, Mode::Expression, true)
    }
    /// An expression and the `;` behind it.
    pub(super) fn expression_statement(&mut self) -> Result<SqlExpr> {
        let e = self.expression(End::Char(b';'), ";")?;
        self.advance();
        Ok(e)
    }
    /// A list of expressions up to one of `ends`; between them commas.
    pub(super) fn expressions(&mut self, ends: &[End], expected: &str) -> Result<Vec<SqlExpr>> {
        let mut list = Vec::new();
        let mut all = ends.to_vec();
        all.push(End::Char(b','));
        loop {
            list.push(self.construct(&all, expected, Mode::Expression, true)?);
            if !self.eat_char(b',') {
                return Ok(list);
            }
        }
    }

    /// (PostgreSQL: `check_sql_expr`)
    pub(super) fn check_sql(&mut self, text: &str, mode: Mode, start: usize) -> Result<()> {
        if !self.check {
            return Ok(());
        }
        let options = crate::expr::options(self.cx);
        let parsed = match mode {
            Mode::Statement => parser::parse_with(text, &options).map(drop),
            Mode::Expression => parser::parse_plpgsql_expr_with(text, &options).map(drop),
            Mode::Assign(n) => parser::parse_plpgsql_assign_with(text, n, &options).map(drop),
        };
        parsed.map_err(|mut e| {
            if let Some(p) = &mut e.fields_mut().position {
                *p += start;
            }
            e
        })
    }

    /// A plain SQL statement whose first token is the current one, perhaps with INTO. (PostgreSQL: `make_execsql_stmt`)
    pub(super) fn sql_statement(&mut self, line: u32) -> Result<Stmt> {
        let start = self.token().start as usize;
        let first = self.name_text(0);
        // The routine that a CREATE makes may have a body of statements.
        let mut in_routine = false;
        let (mut begin_depth, mut depth, mut count) = (0, 0, 0);
        let mut into: Option<(Into, bool, usize, usize)> = None;
        let mut previous = String::new();
        let mut last;
        loop {
            last = self.token().start as usize;
            let word = self.word().unwrap_or_default().to_owned();
            match self.peek() {
                Tok::Char(b'(' | b'[') => depth += 1,
                Tok::Char(b')' | b']') => depth -= 1,
                Tok::Error => return Err(self.syntax()),
                Tok::Eof => return Err(self.end_of_function()),
                Tok::Char(b';') if depth <= 0 && begin_depth == 0 => break,
                _ => {}
            }
            count += 1;
            if first == "create" && count <= 4 && matches!(&*word, "function" | "procedure") {
                in_routine = true;
            }
            if in_routine && depth == 0 {
                match &*word {
                    "begin" if begin_depth == 0 || previous != "end" => begin_depth += 1,
                    "case" if begin_depth > 0 => begin_depth += 1,
                    "end" if begin_depth > 0 => begin_depth -= 1,
                    _ => {}
                }
            }
            if word == "into" && !(previous == "insert" || previous == "merge" || first == "import") {
                if into.is_some() {
                    return Err(self.bad("INTO specified more than once"));
                }
                self.advance();
                let (target, strict) = self.into_target()?;
                into = Some((target, strict, last, self.token().start as usize));
                previous = String::new();
                continue;
            }
            previous = word;
            self.advance();
        }
        let mut text = match &into {
            None => self.src[start..last].to_owned(),
            Some((.., from, to)) => {
                format!("{}{}{}", &self.src[start..*from], " ".repeat(to - from), &self.src[*to..last])
            }
        };
        text.truncate(text.trim_end().len());
        self.check_sql(&text, Mode::Statement, start)?;
        self.expect_char(b';')?;
        let sql = self.sql_expr(text, Mode::Statement);
        let (into, strict) = into.map_or((None, false), |(t, s, ..)| (Some(t), s));
        Ok(Stmt { line, kind: StmtKind::Sql { sql, into, strict } })
    }

    /// What follows INTO. (PostgreSQL: `read_into_target`)
    pub(super) fn into_target(&mut self) -> Result<(Into, bool)> {
        let strict = self.eat("strict");
        Ok((self.into_list()?, strict))
    }

    fn into_list(&mut self) -> Result<Into> {
        let at = self.loc();
        match self.found() {
            Some(Found::Datum { target, .. }) => {
                self.check_assignable(&target, at)?;
                if let Target::Var(d) = target
                    && self.is_record(d)
                {
                    if self.is_char(b',') {
                        let text = "record variable cannot be part of multiple-item INTO list".to_owned();
                        return Err(self.error(SYNTAX_ERROR, text, self.loc()));
                    }
                    return Ok(Into::Record(d));
                }
                self.scalar_list(target)
            }
            Some(Found::Word(parts)) => Err(self.not_a_variable(&parts, at)),
            None => Err(self.syntax()),
        }
    }

    /// The rest of a list of scalar variables. (PostgreSQL: `read_into_scalar_list`)
    pub(super) fn scalar_list(&mut self, first: Target) -> Result<Into> {
        let mut list = vec![first];
        while self.eat_char(b',') {
            if list.len() >= 1024 {
                let text = "too many INTO variables specified".to_owned();
                return Err(self.error(PROGRAM_LIMIT_EXCEEDED, text, self.loc()));
            }
            let at: Location = self.loc();
            match self.found() {
                Some(Found::Datum { target, .. }) => {
                    self.check_assignable(&target, at)?;
                    if let Target::Var(d) = target
                        && self.is_record(d)
                    {
                        let text = format!("\"{}\" is not a scalar variable", self.vars[d].name);
                        return Err(self.error(SYNTAX_ERROR, text, at));
                    }
                    list.push(target);
                }
                Some(Found::Word(parts)) => return Err(self.not_a_variable(&parts, at)),
                None => return Err(self.syntax()),
            }
        }
        Ok(Into::List(list))
    }
}
