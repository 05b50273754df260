//! A function's text to its tree of statements.
//!
//! The SQL lexer splits the text; words are PL/pgSQL's own keywords only where its grammar expects them. Pieces of SQL are cut out
//! by their first and last token and kept as text; if asked to, their syntax is checked at once.
//!
//! PostgreSQL: `pl_gram.y`, `pl_scanner.c`.

mod decl;
mod loops;
mod sql;
mod stmt;

use base::error::Location;
use base::sqlstate::*;
use base::{PgError, Result};
use executor::ExecContext;
use parser::lexer::{Lexed, Tok, Token};

use crate::tree::*;

/// Words that are never names. (PostgreSQL: `pl_reserved_kwlist.h`)
const RESERVED: &[&str] = &[
    "all", "begin", "by", "case", "declare", "else", "end", "execute", "for", "foreach", "from", "if", "in", "into",
    "loop", "not", "null", "or", "strict", "then", "to", "using", "when", "while",
];

/// What the text is compiled with and into.
pub(crate) struct Parser<'a> {
    pub cx: &'a mut ExecContext,
    pub src: &'a str,
    lexed: &'a Lexed<'a>,
    /// By token: the word in lower case as PL/pgSQL sees it, unless it is quoted.
    words: Vec<Option<Box<str>>>,
    at: usize,
    pub vars: Vec<Var>,
    pub names: Vec<Name>,
    pub scope: Option<usize>,
    pub exprs: usize,
    /// Check the syntax of SQL, too.
    pub check: bool,
    pub kind: Kind,
    pub returns_set: bool,
    pub returns_void: bool,
    pub has_out: bool,
    pub conflict: Conflict,
    pub print_strict_params: bool,
    pub warnings: Checks,
    pub errors: Checks,
    pub notices: Vec<PgError>,
    /// Keep what a DO block or a called function says of the lines before an error.
    pub line: u32,
}

/// What an identifier at the current place stands for.
pub(crate) enum Found {
    Datum {
        target: Target,
        names: i32,
        text: String,
    },
    /// A name, perhaps of several parts.
    Word(Vec<String>),
}

impl<'a> Parser<'a> {
    pub fn new(cx: &'a mut ExecContext, src: &'a str, lexed: &'a Lexed<'a>, kind: Kind) -> Parser<'a> {
        let word = |t: &Token| match t.tok {
            Tok::Ident if lexed.raw(*t).starts_with(['"', 'u', 'U']) && lexed.raw(*t).contains('"') => None,
            Tok::Ident => Some(lexed.text(*t).into()),
            Tok::Keyword(_) | Tok::Ahead(_) => Some(lexed.text(*t).to_ascii_lowercase().into()),
            _ => None,
        };
        let words = lexed.tokens.iter().map(word).collect();
        Parser {
            cx,
            src,
            lexed,
            words,
            at: 0,
            vars: Vec::new(),
            names: Vec::new(),
            scope: None,
            exprs: 0,
            check: false,
            kind,
            returns_set: false,
            returns_void: false,
            has_out: false,
            conflict: Conflict::Error,
            print_strict_params: false,
            warnings: Checks::default(),
            errors: Checks::default(),
            notices: Vec::new(),
            line: 0,
        }
    }

    // Tokens.

    fn token(&self) -> Token {
        self.lexed.tokens[self.at.min(self.lexed.tokens.len() - 1)]
    }
    fn peek(&self) -> Tok {
        self.token().tok
    }
    fn peek_at(&self, ahead: usize) -> Tok {
        self.lexed.tokens[(self.at + ahead).min(self.lexed.tokens.len() - 1)].tok
    }
    fn advance(&mut self) {
        if self.at + 1 < self.lexed.tokens.len() {
            self.at += 1;
        }
    }
    fn loc(&self) -> Location {
        Location::from(self.token().start as usize)
    }
    /// The keyword that the token could be.
    fn word(&self) -> Option<&str> {
        self.word_at(0)
    }
    fn word_at(&self, ahead: usize) -> Option<&str> {
        self.words.get(self.at + ahead)?.as_deref()
    }
    fn is(&self, word: &str) -> bool {
        self.word() == Some(word)
    }
    fn is_char(&self, c: u8) -> bool {
        self.peek() == Tok::Char(c)
    }
    fn eat(&mut self, word: &str) -> bool {
        let yes = self.is(word);
        if yes {
            self.advance();
        }
        yes
    }
    fn eat_char(&mut self, c: u8) -> bool {
        let yes = self.is_char(c);
        if yes {
            self.advance();
        }
        yes
    }
    fn expect(&mut self, word: &str) -> Result<()> {
        if self.eat(word) { Ok(()) } else { Err(self.syntax()) }
    }
    fn expect_char(&mut self, c: u8) -> Result<()> {
        if self.eat_char(c) { Ok(()) } else { Err(self.syntax()) }
    }
    fn is_op(&self, op: &str) -> bool {
        self.peek() == Tok::Op && self.lexed.raw(self.token()) == op
    }
    fn is_assign_at(&self, ahead: usize) -> bool {
        matches!(self.peek_at(ahead), Tok::ColonEquals | Tok::Char(b'='))
    }
    /// (PostgreSQL: `plpgsql_location_to_lineno`)
    fn line_of(&self, start: usize) -> u32 {
        1 + self.src.as_bytes()[..start.min(self.src.len())].iter().filter(|b| **b == b'\n').count() as u32
    }
    fn here(&self) -> u32 {
        self.line_of(self.token().start as usize)
    }

    #[cold]
    fn syntax(&self) -> PgError {
        self.bad("syntax error")
    }
    /// (PostgreSQL: `plpgsql_yyerror`)
    #[cold]
    fn bad(&self, message: &str) -> PgError {
        let t = self.token();
        if t.tok == Tok::Error
            && let Some(e) = &self.lexed.error
        {
            return e.clone();
        }
        parser::lexer::error_near(self.src, message, t.start as usize, t.end as usize)
    }
    fn error(&self, state: base::SqlState, message: String, at: Location) -> PgError {
        PgError::new(state, message).at(at)
    }
    #[cold]
    fn end_of_function(&self) -> PgError {
        self.bad("unexpected end of function definition")
    }
    fn at_end(&self) -> bool {
        matches!(self.peek(), Tok::Eof | Tok::Error)
    }
    /// Where the last error was noticed, for its context.
    pub fn latest_line(&self) -> u32 {
        match self.at.checked_sub(1) {
            Some(before) => self.line_of(self.lexed.tokens[before].start as usize),
            None => 1,
        }
    }

    // Names.

    fn is_reserved(&self) -> bool {
        self.word().is_some_and(|w| RESERVED.contains(&w))
    }
    /// A token that can be a name.
    fn is_name(&self) -> bool {
        matches!(self.peek(), Tok::Ident | Tok::Keyword(_) | Tok::Ahead(_)) && !self.is_reserved()
    }
    fn name_text(&self, ahead: usize) -> String {
        let t = self.lexed.tokens[(self.at + ahead).min(self.lexed.tokens.len() - 1)];
        match self.word_at(ahead) {
            Some(w) => w.to_owned(),
            None => self.lexed.text(t).to_owned(),
        }
    }
    fn name(&mut self) -> Result<String> {
        if !self.is_name() {
            return Err(self.syntax());
        }
        let name = self.name_text(0);
        self.advance();
        Ok(name)
    }
    /// Any word, also a reserved one that names a variable. (PostgreSQL: `any_identifier`)
    fn any_identifier(&mut self) -> Result<String> {
        self.name()
    }

    /// The name's parts at the current place; how many tokens they take.
    fn parts(&self) -> (Vec<String>, usize) {
        if let Tok::Param(n) = self.peek() {
            return (vec![format!("${n}")], 1);
        }
        let mut parts = vec![self.name_text(0)];
        let mut tokens = 1;
        while parts.len() < 3
            && self.peek_at(tokens) == Tok::Char(b'.')
            && matches!(self.peek_at(tokens + 1), Tok::Ident | Tok::Keyword(_) | Tok::Ahead(_))
        {
            parts.push(self.name_text(tokens + 1));
            tokens += 2;
        }
        (parts, tokens)
    }

    pub(crate) fn is_record(&self, dno: Dno) -> bool {
        matches!(self.vars[dno].what, VarKind::Record)
    }

    /// What the name here means; the place moves behind it. (PostgreSQL: `plpgsql_yylex`)
    fn found(&mut self) -> Option<Found> {
        let param = matches!(self.peek(), Tok::Param(_));
        if !param && !self.is_name() {
            return None;
        }
        let (parts, tokens) = self.parts();
        let refs: Vec<&str> = parts.iter().map(String::as_str).collect();
        let is_record = |d: Dno| matches!(self.vars[d].what, VarKind::Record);
        let found = match lookup(&self.names, self.scope, &refs, &is_record) {
            None if param => return None,
            None => {
                self.at += tokens;
                return Some(Found::Word(parts));
            }
            Some((dno, used)) => match parts.get(used) {
                None => (Target::Var(dno), used),
                Some(field) => (Target::Field { record: dno, name: field.clone() }, used + 1),
            },
        };
        let (target, used) = found;
        let text = parts[..used].join(".");
        // What is left of the name belongs to the expression.
        self.at += if param { 1 } else { 2 * used - 1 };
        Some(Found::Datum { target, names: used as i32, text })
    }
    /// As `found`, without moving.
    fn look(&mut self) -> Option<Found> {
        let at = self.at;
        let found = self.found();
        self.at = at;
        found
    }
    fn not_a_variable(&self, parts: &[String], at: Location) -> PgError {
        self.error(SYNTAX_ERROR, format!("\"{}\" is not a known variable", parts.join(".")), at)
    }

    pub(crate) fn push_label(&mut self, label: Option<&str>, kind: LabelKind) {
        self.names.push(Name {
            name: label.unwrap_or_default().to_owned(),
            outer: self.scope,
            what: NameKind::Label(kind),
        });
        self.scope = Some(self.names.len() - 1);
    }
    pub(crate) fn push_name(&mut self, name: &str, dno: Dno) {
        self.names.push(Name { name: name.to_owned(), outer: self.scope, what: NameKind::Var(dno) });
        self.scope = Some(self.names.len() - 1);
    }
    pub(crate) fn add_var(&mut self, name: &str, ty: VarType, what: VarKind) -> Dno {
        let what = match what {
            VarKind::Scalar if ty.kind == TypeKind::Row => VarKind::Record,
            other => other,
        };
        self.vars.push(Var {
            name: name.to_owned(),
            line: self.line,
            ty,
            constant: false,
            not_null: false,
            default: None,
            what,
        });
        self.vars.len() - 1
    }
    /// (PostgreSQL: `check_assignable`)
    fn check_assignable(&self, t: &Target, at: Location) -> Result<()> {
        let dno = match t {
            Target::Var(d) => *d,
            Target::Field { record, .. } => *record,
        };
        match self.vars[dno].constant {
            false => Ok(()),
            true => Err(self.error(
                ERROR_IN_ASSIGNMENT,
                format!("variable \"{}\" is declared CONSTANT", self.vars[dno].name),
                at,
            )),
        }
    }

    // The whole.

    pub fn function(&mut self) -> Result<Block> {
        self.options()?;
        let label = self.block_label()?;
        let body = self.block(label)?;
        self.eat_char(b';');
        match self.peek() {
            Tok::Eof => Ok(body),
            _ => Err(self.syntax()),
        }
    }

    /// `#option` lines.
    fn options(&mut self) -> Result<()> {
        while self.is_op("#") {
            self.advance();
            let option = self.name()?;
            let value = self.name_text(0);
            match (option.as_str(), value.as_str()) {
                ("option", "dump") => {}
                ("print_strict_params", "on") => self.print_strict_params = true,
                ("print_strict_params", "off") => self.print_strict_params = false,
                ("print_strict_params", _) => {
                    let text = format!("unrecognized print_strict_params option {value}");
                    return Err(PgError::internal(text));
                }
                ("variable_conflict", "error") => self.conflict = Conflict::Error,
                ("variable_conflict", "use_variable") => self.conflict = Conflict::UseVariable,
                ("variable_conflict", "use_column") => self.conflict = Conflict::UseColumn,
                _ => return Err(self.syntax()),
            }
            self.advance();
        }
        Ok(())
    }

    /// `<<label>>`
    fn block_label(&mut self) -> Result<Option<String>> {
        if !self.is_op("<<") {
            return Ok(None);
        }
        self.advance();
        let label = self.any_identifier()?;
        if !self.is_op(">>") {
            return Err(self.syntax());
        }
        self.advance();
        Ok(Some(label))
    }

    /// The label after END. (PostgreSQL: `check_labels`)
    fn end_label(&mut self, start: Option<&str>) -> Result<()> {
        if !self.is_name() {
            return Ok(());
        }
        let at = self.loc();
        let end = self.any_identifier()?;
        match start {
            None => {
                let text = format!("end label \"{end}\" specified for unlabeled block");
                Err(self.error(SYNTAX_ERROR, text, at))
            }
            Some(start) if start != end => {
                let text = format!("end label \"{end}\" differs from block's label \"{start}\"");
                Err(self.error(SYNTAX_ERROR, text, at))
            }
            Some(_) => Ok(()),
        }
    }
}
