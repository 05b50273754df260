//! Blocks and their declarations.

use base::sqlstate::*;
use base::{Oid, PgError, Result, Severity};
use parser::ast::cursor_opt;
use parser::lexer::Tok;
use types::oid::{REFCURSOROID, TEXTOID};

use super::sql::End;
use super::{Found, Parser};
use crate::tree::*;
use crate::vartype;

impl Parser<'_> {
    /// A block whose label has been read.
    pub(super) fn block(&mut self, label: Option<String>) -> Result<Block> {
        let outer = self.scope;
        self.push_label(label.as_deref(), LabelKind::Block);
        let mut init = Vec::new();
        if self.eat("declare") {
            while !self.is("begin") {
                if self.eat("declare") {
                    continue;
                }
                if self.is_op("<<") {
                    let text = "block label must be placed before DECLARE, not after".to_owned();
                    return Err(self.error(SYNTAX_ERROR, text, self.loc()));
                }
                let first = self.vars.len();
                self.declaration()?;
                // A cursor's arguments get their values when it is opened.
                init.extend(first..self.vars.len());
            }
        }
        let line = self.here();
        self.expect("begin")?;
        let body = self.statements()?;
        let exceptions = if self.is("exception") { Some(self.exceptions()?) } else { None };
        self.expect("end")?;
        self.end_label(label.as_deref())?;
        self.scope = outer;
        Ok(Block { line, label, init, body, exceptions })
    }

    /// The name of a new variable. (PostgreSQL: `decl_varname`)
    fn new_name(&mut self) -> Result<String> {
        if !self.is_name() {
            return Err(self.syntax());
        }
        let (at, line) = (self.loc(), self.here());
        let name = self.name_text(0);
        if lookup_here(&self.names, self.scope, &name) {
            return Err(self.bad("duplicate declaration"));
        }
        self.advance();
        self.line = line;
        let asked = (self.warnings.shadowed, self.errors.shadowed);
        if asked != (false, false) && lookup(&self.names, self.scope, &[&name], &|_| true).is_some() {
            let text = format!("variable \"{name}\" shadows a previously defined variable");
            let severity = if asked.1 { Severity::Error } else { Severity::Warning };
            let e = PgError::with_severity(severity, DUPLICATE_ALIAS, text).at(at);
            if asked.1 {
                return Err(e);
            }
            self.notices.push(e);
        }
        Ok(name)
    }

    fn declaration(&mut self) -> Result<()> {
        let name = self.new_name()?;
        let line = self.line;
        if self.is("alias") && self.word_at(1) == Some("for") {
            self.at += 2;
            return self.alias(&name);
        }
        let scroll = match (self.word(), self.word_at(1), self.word_at(2)) {
            (Some("cursor"), ..) => Some((0, 1)),
            (Some("scroll"), Some("cursor"), _) => Some((cursor_opt::SCROLL, 2)),
            (Some("no"), Some("scroll"), Some("cursor")) => Some((cursor_opt::NO_SCROLL, 3)),
            _ => None,
        };
        // `x cursor;` would be a variable of a type of that name.
        if let Some((options, tokens)) = scroll
            && (self.peek_at(tokens) == Tok::Char(b'(') || matches!(self.word_at(tokens), Some("for" | "is")))
        {
            self.at += tokens;
            return self.cursor(&name, options);
        }
        let constant = self.eat("constant");
        let mut ty = self.datatype()?;
        if self.is("collate") {
            self.advance();
            let at = self.loc();
            let collation = self.collation()?;
            if !ty.collation.is_valid() {
                let text =
                    format!("collations are not supported by type {}", self.cx.catalog.format_type(ty.oid, None)?);
                return Err(self.error(DATATYPE_MISMATCH, text, at));
            }
            ty.collation = collation;
        }
        let not_null_at = self.loc();
        let not_null = self.is("not");
        if not_null {
            self.advance();
            self.expect("null")?;
        }
        let default = match self.peek() {
            Tok::Char(b';') => {
                self.advance();
                None
            }
            Tok::ColonEquals | Tok::Char(b'=') => {
                self.advance();
                Some(self.expression_statement()?)
            }
            _ if self.eat("default") => Some(self.expression_statement()?),
            _ => return Err(self.syntax()),
        };
        self.line = line;
        let dno = self.variable(&name, ty)?;
        if not_null && default.is_none() {
            let text = format!("variable \"{name}\" must have a default value, since it's declared NOT NULL");
            return Err(self.error(NULL_VALUE_NOT_ALLOWED, text, not_null_at));
        }
        let var = &mut self.vars[dno];
        (var.constant, var.not_null, var.default) = (constant, not_null, default);
        Ok(())
    }

    /// Makes a variable and its name. (PostgreSQL: `plpgsql_build_variable`)
    pub(crate) fn variable(&mut self, name: &str, ty: VarType) -> Result<Dno> {
        if ty.kind == TypeKind::Pseudo {
            let text = format!("variable \"{name}\" has pseudo-type {}", self.cx.catalog.format_type(ty.oid, None)?);
            return Err(PgError::new(FEATURE_NOT_SUPPORTED, text));
        }
        let dno = self.add_var(name, ty, VarKind::Scalar);
        self.push_name(name, dno);
        Ok(dno)
    }

    fn collation(&mut self) -> Result<Oid> {
        let at = self.loc();
        let (parts, tokens) = self.parts();
        self.at += tokens;
        let (schema, name) = match parts.as_slice() {
            [name] => (None, name.as_str()),
            [schema, name] => (Some(schema.as_str()), name.as_str()),
            _ => return Err(self.syntax()),
        };
        let found = crate::context::find_collation(self.cx, schema, name)?;
        found.ok_or_else(|| {
            let text = format!("collation \"{}\" for encoding \"UTF8\" does not exist", parts.join("."));
            self.error(UNDEFINED_OBJECT, text, at)
        })
    }

    /// A type up to what may follow it in a declaration. (PostgreSQL: `read_datatype`)
    fn datatype(&mut self) -> Result<VarType> {
        let start = self.token().start as usize;
        if self.is_name() {
            let (parts, tokens) = self.parts();
            let suffix = if self.peek_at(tokens) == Tok::Char(b'%') { self.word_at(tokens + 1) } else { None };
            let found = match suffix {
                Some("type") => Some(self.type_of(&parts)?),
                Some("rowtype") => Some(vartype::row_type(self.cx, &parts)?),
                _ => None,
            };
            if let Some(ty) = found {
                self.at += tokens + 2;
                let mut array = self.eat("array");
                while self.eat_char(b'[') {
                    array = true;
                    if matches!(self.peek(), Tok::Iconst(_)) {
                        self.advance();
                    }
                    if !self.eat_char(b']') {
                        return Err(self.bad("syntax error, expected \"]\""));
                    }
                }
                return if array { vartype::array_of(self.cx, &ty) } else { Ok(ty) };
            }
        }
        let (mut depth, mut last) = (0, start);
        loop {
            match self.peek() {
                Tok::Char(b';' | b'=') | Tok::ColonEquals => break,
                Tok::Eof | Tok::Error if depth != 0 => return Err(self.bad("mismatched parentheses")),
                Tok::Eof | Tok::Error => return Err(self.bad("incomplete data type declaration")),
                Tok::Char(b',' | b')') if depth == 0 => break,
                Tok::Char(b'(') => depth += 1,
                Tok::Char(b')') => depth -= 1,
                _ if matches!(self.word(), Some("collate" | "not" | "default")) => break,
                _ => {}
            }
            last = self.token().end as usize;
            self.advance();
        }
        if last == start {
            return Err(self.bad("missing data type declaration"));
        }
        let text = &self.src[start..last];
        vartype::of_text(self.cx, text).map_err(|mut e| {
            if let Some(p) = &mut e.fields_mut().position {
                *p += start;
            }
            e
        })
    }

    /// `name%TYPE`
    fn type_of(&mut self, parts: &[String]) -> Result<VarType> {
        let refs: Vec<&str> = parts.iter().map(String::as_str).collect();
        let is_record = |d: Dno| matches!(self.vars[d].what, VarKind::Record);
        if let Some((dno, used)) = lookup(&self.names, self.scope, &refs, &is_record)
            && used == parts.len()
        {
            return Ok(self.vars[dno].ty.clone());
        }
        match parts {
            [name] => Err(PgError::new(UNDEFINED_OBJECT, format!("variable \"{name}\" does not exist"))),
            parts => vartype::column_type(self.cx, parts),
        }
    }

    fn alias(&mut self, name: &str) -> Result<()> {
        let at = self.loc();
        match self.found() {
            Some(Found::Datum { target: Target::Var(dno), .. }) => {
                self.push_name(name, dno);
                self.expect_char(b';')
            }
            Some(Found::Datum { text, .. }) => {
                Err(self.error(UNDEFINED_OBJECT, format!("variable \"{text}\" does not exist"), at))
            }
            Some(Found::Word(parts)) => {
                Err(self.error(UNDEFINED_OBJECT, format!("variable \"{}\" does not exist", parts.join(".")), at))
            }
            None if matches!(self.peek(), Tok::Param(_)) => {
                let text = format!("variable \"{}\" does not exist", self.lexed.raw(self.token()));
                Err(self.error(UNDEFINED_OBJECT, text, at))
            }
            None => Err(self.syntax()),
        }
    }

    /// `name CURSOR [(arguments)] FOR query;`
    fn cursor(&mut self, name: &str, options: u32) -> Result<()> {
        let (line, outer) = (self.line, self.scope);
        self.push_label(Some(name), LabelKind::Other);
        let mut args = Vec::new();
        if self.eat_char(b'(') {
            loop {
                let arg = self.new_name()?;
                let ty = self.datatype()?;
                args.push(self.variable(&arg, ty)?);
                if !self.eat_char(b',') {
                    break;
                }
            }
            self.expect_char(b')')?;
        }
        if !self.eat("for") && !self.eat("is") {
            return Err(self.syntax());
        }
        let query = self.construct(&[End::Char(b';')], ";", Mode::Statement, true)?;
        self.advance();
        self.scope = outer;
        self.line = line;
        let ty = vartype::of_oid(self.cx, REFCURSOROID, -1, Oid::INVALID)?;
        let dno = self.add_var(name, ty, VarKind::Cursor { query, args, options });
        self.push_name(name, dno);
        Ok(())
    }

    fn exceptions(&mut self) -> Result<Exceptions> {
        self.line = self.here();
        self.advance();
        let text = vartype::of_oid(self.cx, TEXTOID, -1, Oid::INVALID)?;
        let outer = self.scope;
        let sqlstate = self.variable("sqlstate", text.clone())?;
        let sqlerrm = self.variable("sqlerrm", text)?;
        for d in [sqlstate, sqlerrm] {
            self.vars[d].constant = true;
        }
        let mut handlers = Vec::new();
        while self.is("when") {
            self.advance();
            let mut conditions = Vec::new();
            loop {
                self.condition(&mut conditions)?;
                if !self.eat("or") {
                    break;
                }
            }
            self.expect("then")?;
            let action = self.statements()?;
            handlers.push(Handler { conditions, action });
        }
        if handlers.is_empty() {
            return Err(self.syntax());
        }
        self.scope = outer;
        Ok(Exceptions { sqlstate, sqlerrm, handlers })
    }

    fn condition(&mut self, out: &mut Vec<Condition>) -> Result<()> {
        let name = self.any_identifier()?;
        if name == "sqlstate" {
            out.push(Condition::State(self.sqlstate_literal()?));
            return Ok(());
        }
        if name == "others" {
            out.push(Condition::Others);
            return Ok(());
        }
        out.extend(crate::raise::states_of(&name)?.into_iter().map(Condition::State));
        Ok(())
    }

    /// `'22012'`
    pub(super) fn sqlstate_literal(&mut self) -> Result<base::SqlState> {
        if self.peek() != Tok::Sconst {
            return Err(self.syntax());
        }
        let text = self.lexed.text(self.token()).to_owned();
        let state = crate::raise::state_of_code(&text).ok_or_else(|| self.bad("invalid SQLSTATE code"))?;
        self.advance();
        Ok(state)
    }
}
