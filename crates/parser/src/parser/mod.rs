//! The grammar by recursive descent: one function a rule or a family of rules, in files by subject.
//!
//! - `mod` (here): the token cursor, names, the list of statements
//! - `expr`, `func`, `json`, `types`: expressions
//! - `select`, `from`, `dml`: queries
//! - `table`, `alter_table`: tables and their parts; `object`: DROP, COMMENT, RENAME and such; `define`, `function`, `role`,
//!   `foreign`, `utility`: the rest
//!
//! Wherever a list has no bound on its length, it is read by a loop; each nesting passes through [`Parser::nested`], which
//! counts the depth. Left-leaning chains other than of operators count as nesting, too, since dropping them recurses.
//!
//! PostgreSQL: `gram.y`.

use crate::Options;
use crate::ast::*;
use crate::keywords::{Category, Kw};
use crate::lexer::{self, Lexed, Tok, Token};
use base::sqlstate::*;
use base::{PgError, Result};

mod alter_table;
mod define;
mod dml;
mod expr;
mod foreign;
mod from;
mod func;
mod function;
mod json;
mod object;
mod role;
mod select;
mod table;
mod types;
mod utility;

pub(crate) struct Parser<'a> {
    lexed: &'a Lexed<'a>,
    pos: usize,
    depth: u32,
    max_depth: u32,
}

/// A function that reads one element.
type Rule<'a, T> = fn(&mut Parser<'a>) -> Result<T>;

impl<'a> Parser<'a> {
    pub(crate) fn new(lexed: &'a Lexed<'a>, options: &Options) -> Parser<'a> {
        Parser { lexed, pos: 0, depth: 0, max_depth: options.max_depth }
    }

    // The cursor.

    fn token(&self) -> Token {
        self.lexed.tokens[self.pos]
    }
    fn token_at(&self, ahead: usize) -> Token {
        self.lexed.tokens[(self.pos + ahead).min(self.lexed.tokens.len() - 1)]
    }
    fn peek(&self) -> Tok {
        self.token().tok
    }
    fn peek_at(&self, ahead: usize) -> Tok {
        self.token_at(ahead).tok
    }
    fn loc(&self) -> Location {
        Location(self.token().start as i32)
    }
    /// The end of the token before the current one.
    fn last_end(&self) -> u32 {
        if self.pos == 0 { 0 } else { self.lexed.tokens[self.pos - 1].end }
    }
    /// The last token, `Eof` or `Error`, is never passed.
    fn advance(&mut self) {
        if self.pos + 1 < self.lexed.tokens.len() {
            self.pos += 1;
        }
    }
    fn text(&self) -> &str {
        self.lexed.text(self.token())
    }
    fn is(&self, kw: Kw) -> bool {
        self.peek() == Tok::Keyword(kw)
    }
    fn is_at(&self, ahead: usize, kw: Kw) -> bool {
        self.peek_at(ahead) == Tok::Keyword(kw)
    }
    fn is_char(&self, c: u8) -> bool {
        self.peek() == Tok::Char(c)
    }
    fn is_char_at(&self, ahead: usize, c: u8) -> bool {
        self.peek_at(ahead) == Tok::Char(c)
    }
    fn eat_tok(&mut self, tok: Tok) -> bool {
        let found = self.peek() == tok;
        if found {
            self.advance();
        }
        found
    }
    fn eat(&mut self, kw: Kw) -> bool {
        self.eat_tok(Tok::Keyword(kw))
    }
    fn eat2(&mut self, first: Kw, second: Kw) -> bool {
        let found = self.is(first) && self.is_at(1, second);
        if found {
            self.advance();
            self.advance();
        }
        found
    }
    fn eat_char(&mut self, c: u8) -> bool {
        self.eat_tok(Tok::Char(c))
    }
    fn expect(&mut self, kw: Kw) -> Result<()> {
        if self.eat(kw) { Ok(()) } else { Err(self.syntax_error()) }
    }
    /// WITH, whatever follows it.
    fn eat_any_with(&mut self) -> bool {
        self.eat(Kw::With) || self.eat_tok(Tok::Ahead(Kw::With))
    }
    fn expect_all(&mut self, words: &[Kw]) -> Result<()> {
        words.iter().try_for_each(|&kw| self.expect(kw))
    }
    fn expect_char(&mut self, c: u8) -> Result<()> {
        if self.eat_char(c) { Ok(()) } else { Err(self.syntax_error()) }
    }

    // Errors.

    /// At the current token; where the lexer gave up, its error.
    #[cold]
    fn syntax_error(&self) -> PgError {
        self.error_here("syntax error")
    }
    #[cold]
    fn error_here(&self, message: &str) -> PgError {
        let token = self.token();
        match (&self.lexed.error, token.tok) {
            (Some(error), Tok::Error) => error.clone(),
            _ => lexer::error_near(self.lexed.sql, message, token.start as usize, token.end as usize),
        }
    }
    fn fail<T>(&self) -> Result<T> {
        Err(self.syntax_error())
    }

    /// Runs `rule` one level deeper.
    fn nested<T>(&mut self, rule: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        self.deeper(1)?;
        let result = rule(self)?;
        self.depth -= 1;
        Ok(result)
    }
    fn deeper(&mut self, levels: u32) -> Result<()> {
        self.depth += levels;
        if self.depth > self.max_depth { Err(too_deep()) } else { Ok(()) }
    }

    // Lists.

    fn list<T>(&mut self, rule: Rule<'a, T>) -> Result<Vec<T>> {
        let mut list = vec![rule(self)?];
        while self.eat_char(b',') {
            list.push(rule(self)?);
        }
        Ok(list)
    }
    fn paren_list<T>(&mut self, rule: Rule<'a, T>) -> Result<Vec<T>> {
        self.expect_char(b'(')?;
        let list = self.list(rule)?;
        self.expect_char(b')')?;
        Ok(list)
    }
    /// Nothing, or a list in parentheses.
    fn opt_paren_list<T>(&mut self, rule: Rule<'a, T>) -> Result<Vec<T>> {
        if self.is_char(b'(') { self.paren_list(rule) } else { Ok(Vec::new()) }
    }

    // Names.

    fn name_of(&mut self, allowed: fn(Tok) -> bool) -> Result<String> {
        match allowed(self.peek()) {
            true => {
                let name = match self.peek() {
                    Tok::Keyword(kw) => kw.word().to_owned(),
                    _ => self.text().to_owned(),
                };
                self.advance();
                Ok(name)
            }
            false => self.fail(),
        }
    }
    /// The name of a column, table, or nearly anything.
    fn col_id(&mut self) -> Result<String> {
        self.name_of(is_col_id)
    }
    /// The name of a function or type.
    fn type_function_name(&mut self) -> Result<String> {
        self.name_of(is_type_function_name)
    }
    /// Any word, after AS or a dot.
    fn col_label(&mut self) -> Result<String> {
        self.name_of(is_col_label)
    }
    fn non_reserved_word(&mut self) -> Result<String> {
        self.name_of(is_non_reserved)
    }
    fn name_list(&mut self) -> Result<Vec<String>> {
        self.list(Self::col_id)
    }
    fn opt_col_id_if(&mut self, kw: Kw) -> Result<Option<String>> {
        if self.eat(kw) { self.col_id().map(Some) } else { Ok(None) }
    }
    /// `a.b.c`. (PostgreSQL: `any_name`)
    fn any_name(&mut self) -> Result<Vec<String>> {
        let mut names = vec![self.col_id()?];
        self.attrs(&mut names)?;
        Ok(names)
    }
    fn attrs(&mut self, names: &mut Vec<String>) -> Result<()> {
        while self.eat_char(b'.') {
            names.push(self.col_label()?);
        }
        Ok(())
    }
    /// The name of a function: one that may be one, or a qualified one.
    fn func_name(&mut self) -> Result<Vec<String>> {
        if is_col_id(self.peek()) && self.is_char_at(1, b'.') {
            return self.any_name();
        }
        Ok(vec![self.type_function_name()?])
    }
    /// A relation's name of up to three parts.
    fn qualified_name(&mut self) -> Result<RangeVar> {
        let location = self.loc();
        let names = self.any_name()?;
        make_range_var(names, location)
    }

    /// Its location is that of the name. (PostgreSQL: `makeRangeVarFromAnyName`)
    fn string(&mut self) -> Result<String> {
        match self.peek() {
            Tok::Sconst => {
                let text = self.text().to_owned();
                self.advance();
                Ok(text)
            }
            _ => self.fail(),
        }
    }
    fn iconst(&mut self) -> Result<i32> {
        match self.peek() {
            Tok::Iconst(n) => {
                self.advance();
                Ok(n)
            }
            _ => self.fail(),
        }
    }
    fn signed_iconst(&mut self) -> Result<i32> {
        if self.eat_char(b'-') {
            return self.iconst().map(|n| -n);
        }
        self.eat_char(b'+');
        self.iconst()
    }
    fn opt_string_if(&mut self, kw: Kw) -> Result<Option<String>> {
        if self.eat(kw) { self.string().map(Some) } else { Ok(None) }
    }

    fn if_exists(&mut self) -> Result<bool> {
        if self.is(Kw::If) && self.is_at(1, Kw::Exists) {
            self.advance();
            self.advance();
            return Ok(true);
        }
        Ok(false)
    }
    fn if_not_exists(&mut self) -> Result<bool> {
        if self.is(Kw::If) && self.is_at(1, Kw::Not) {
            self.advance();
            self.advance();
            self.expect(Kw::Exists)?;
            return Ok(true);
        }
        Ok(false)
    }
    fn or_replace(&mut self) -> bool {
        self.eat2(Kw::Or, Kw::Replace)
    }
    fn drop_behavior(&mut self) -> DropBehavior {
        if self.eat(Kw::Cascade) {
            return DropBehavior::Cascade;
        }
        self.eat(Kw::Restrict);
        DropBehavior::Restrict
    }

    // Texts.

    /// A string of statements.
    pub(crate) fn statements(&mut self) -> Result<Vec<RawStmt>> {
        let mut stmts: Vec<RawStmt> = Vec::new();
        loop {
            while self.eat_char(b';') {}
            if self.peek() == Tok::Eof {
                return Ok(stmts);
            }
            let location = self.loc();
            let stmt = self.toplevel_statement()?;
            let ended = self.is_char(b';');
            if !ended && self.peek() != Tok::Eof {
                return self.fail();
            }
            let len = if ended { self.loc().0 - location.0 } else { 0 };
            stmts.push(RawStmt { stmt, location, len });
        }
    }

    fn toplevel_statement(&mut self) -> Result<Statement> {
        match self.peek() {
            Tok::Keyword(Kw::Begin | Kw::End) => self.transaction_legacy(),
            _ => self.statement(),
        }
    }

    pub(crate) fn whole_type_name(&mut self) -> Result<TypeName> {
        let name = self.type_name()?;
        if self.peek() == Tok::Eof { Ok(name) } else { self.fail() }
    }

    pub(crate) fn whole_plpgsql_expr(&mut self) -> Result<RawStmt> {
        let location = self.loc();
        let select = self.plpgsql_expr()?;
        self.expect_eof()?;
        Ok(RawStmt { stmt: Statement::Select(Box::new(select)), location, len: 0 })
    }

    pub(crate) fn whole_plpgsql_assign(&mut self, nnames: i32) -> Result<RawStmt> {
        let location = self.loc();
        let name = match self.peek() {
            Tok::Param(n) => {
                self.advance();
                format!("${n}")
            }
            _ => self.col_id()?,
        };
        let indirection = self.indirection()?;
        self.check_indirection(&indirection)?;
        if !self.eat_tok(Tok::ColonEquals) {
            self.expect_char(b'=')?;
        }
        let val = Box::new(self.plpgsql_expr()?);
        self.expect_eof()?;
        let stmt = PLAssignStmt { name, indirection, nnames, val, location };
        Ok(RawStmt { stmt: Statement::PLAssign(Box::new(stmt)), location, len: 0 })
    }

    fn expect_eof(&self) -> Result<()> {
        if self.peek() == Tok::Eof { Ok(()) } else { self.fail() }
    }

    /// Any statement but BEGIN and END of a transaction.
    fn statement(&mut self) -> Result<Statement> {
        let Tok::Keyword(kw) = self.peek() else {
            return match self.peek() {
                Tok::Char(b'(') => self.select_statement(),
                Tok::Ahead(Kw::With) => self.with_statement(),
                _ => self.fail(),
            };
        };
        match kw {
            Kw::Select | Kw::Values | Kw::Table => self.select_statement(),
            Kw::With => self.with_statement(),
            Kw::Insert => self.insert(None),
            Kw::Update => self.update(None),
            Kw::Delete => self.delete(None),
            Kw::Merge => self.merge(None),
            Kw::Create => self.create(),
            Kw::Alter => self.alter(),
            Kw::Drop => self.drop(),
            Kw::Truncate => self.truncate(),
            Kw::Comment => self.comment(),
            Kw::Security => self.security_label(),
            Kw::Grant => self.grant(),
            Kw::Revoke => self.revoke(),
            Kw::Reassign => self.reassign_owned(),
            Kw::Import => self.import_foreign_schema(),
            Kw::Refresh => self.refresh_mat_view(),
            _ => self.utility(kw),
        }
    }

    /// CREATE, by the word after it.
    fn create(&mut self) -> Result<Statement> {
        self.advance();
        let replace = self.or_replace();
        let Tok::Keyword(kw) = self.peek() else { return self.fail() };
        let replaceable = matches!(
            kw,
            Kw::View
                | Kw::Recursive
                | Kw::Temp
                | Kw::Temporary
                | Kw::Local
                | Kw::Global
                | Kw::Unlogged
                | Kw::Function
                | Kw::Procedure
                | Kw::Trigger
                | Kw::Constraint
                | Kw::Rule
                | Kw::Language
                | Kw::Trusted
                | Kw::Procedural
                | Kw::Transform
                | Kw::Aggregate
        );
        if replace && !replaceable {
            return self.fail();
        }
        match kw {
            Kw::Temp | Kw::Temporary | Kw::Local | Kw::Global | Kw::Unlogged | Kw::Table | Kw::View | Kw::Recursive => {
                self.create_relation(replace)
            }
            Kw::Sequence => self.create_sequence(RelPersistence::Permanent),
            Kw::Materialized => self.create_mat_view(RelPersistence::Permanent),
            Kw::Unique | Kw::Index => self.create_index(),
            Kw::Statistics => self.create_statistics(),
            Kw::Trigger | Kw::Constraint => self.create_trigger(replace),
            Kw::Rule => self.create_rule(replace),
            Kw::Policy => self.create_policy(),
            Kw::Function | Kw::Procedure => self.create_function(replace),
            Kw::Aggregate => self.create_aggregate(replace),
            Kw::Operator => self.create_operator(),
            Kw::Type => self.create_type(),
            Kw::Domain => self.create_domain(),
            Kw::Text => self.create_text_search(),
            Kw::Collation => self.create_collation(),
            Kw::Cast => self.create_cast(),
            Kw::Transform => self.create_transform(replace),
            Kw::Default | Kw::Conversion => self.create_conversion(),
            Kw::Access => self.create_access_method(),
            Kw::Trusted | Kw::Procedural | Kw::Language => self.create_language(replace),
            Kw::Event => self.create_event_trigger(),
            Kw::Extension => self.create_extension(),
            Kw::Schema => self.create_schema(),
            Kw::Database => self.create_database(),
            Kw::Tablespace => self.create_tablespace(),
            Kw::Role | Kw::Group => self.create_role(),
            Kw::User if self.is_at(1, Kw::Mapping) => self.create_user_mapping(),
            Kw::User => self.create_role(),
            Kw::Foreign => self.create_foreign(),
            Kw::Server => self.create_server(),
            Kw::Publication => self.create_publication(),
            Kw::Subscription => self.create_subscription(),
            Kw::Assertion => self.create_assertion(),
            _ => self.fail(),
        }
    }

    /// CREATE ASSERTION is read to its end, then refused.
    fn create_assertion(&mut self) -> Result<Statement> {
        self.advance();
        self.any_name()?;
        self.expect(Kw::Check)?;
        self.expect_char(b'(')?;
        self.a_expr()?;
        self.expect_char(b')')?;
        self.constraint_attributes(&mut Constraint::new(ConstrType::Check, Location::UNKNOWN), "ASSERTION", true)?;
        Err(PgError::new(FEATURE_NOT_SUPPORTED, "CREATE ASSERTION is not yet implemented"))
    }
}

fn is_col_id(tok: Tok) -> bool {
    match tok {
        Tok::Ident => true,
        Tok::Keyword(kw) => matches!(kw.category(), Category::Unreserved | Category::ColName),
        _ => false,
    }
}
fn is_type_function_name(tok: Tok) -> bool {
    match tok {
        Tok::Ident => true,
        Tok::Keyword(kw) => matches!(kw.category(), Category::Unreserved | Category::TypeFuncName),
        _ => false,
    }
}
fn is_non_reserved(tok: Tok) -> bool {
    match tok {
        Tok::Ident => true,
        Tok::Keyword(kw) => kw.category() != Category::Reserved,
        _ => false,
    }
}
fn is_col_label(tok: Tok) -> bool {
    matches!(tok, Tok::Ident | Tok::Keyword(_))
}
fn is_bare_label(tok: Tok) -> bool {
    match tok {
        Tok::Ident => true,
        Tok::Keyword(kw) => kw.info().bare_label,
        _ => false,
    }
}

#[cold]
fn too_deep() -> PgError {
    let hint = "Increase the configuration parameter \"max_stack_depth\" (currently 2048kB), \
                after ensuring the platform's stack depth limit is adequate.";
    PgError::new(STATEMENT_TOO_COMPLEX, "stack depth limit exceeded").hint(hint)
}

/// An error of the grammar's own at a place.
#[cold]
fn error_at(message: impl Into<String>, location: Location) -> PgError {
    PgError::new(SYNTAX_ERROR, message).at(location)
}
#[cold]
fn unsupported_at(message: impl Into<String>, location: Location) -> PgError {
    PgError::new(FEATURE_NOT_SUPPORTED, message).at(location)
}

/// (PostgreSQL: `makeRangeVarFromAnyName`, `makeRangeVarFromQualifiedName`)
fn make_range_var(mut names: Vec<String>, location: Location) -> Result<RangeVar> {
    if names.len() > 3 {
        let text = format!("improper qualified name (too many dotted names): {}", names.join("."));
        return Err(error_at(text, location));
    }
    let relname = names.pop().unwrap_or_default();
    let schemaname = names.pop();
    let catalogname = names.pop();
    Ok(RangeVar { catalogname, schemaname, relname, inh: true, location, ..RangeVar::default() })
}

fn system_name(name: &str) -> Vec<String> {
    vec!["pg_catalog".to_owned(), name.to_owned()]
}

fn system_type(name: &str, typmods: Vec<Expr>, location: Location) -> TypeName {
    TypeName { names: system_name(name), typmods, typemod: -1, location, ..TypeName::default() }
}

fn def_elem(name: &str, arg: Option<DefArg>, location: Location) -> DefElem {
    DefElem { defnamespace: None, defname: name.to_owned(), arg, defaction: DefElemAction::Unspec, location }
}

fn int_const(value: i32, location: Location) -> Expr {
    Expr::AConst(AConst { val: Value::Integer(value), location })
}
fn string_const(value: impl Into<String>, location: Location) -> Expr {
    Expr::AConst(AConst { val: Value::String(value.into()), location })
}
