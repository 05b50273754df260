//! Text in, tree out: PostgreSQL 18's lexer and grammar, by hand.
//!
//! ```text
//! parse(sql)                 -> Vec<RawStmt>     statements of a string, `SelectStmt` etc. in `ast`
//! parse_with(sql, options)   -> Parsed           the same under other string rules, with notices
//! parse_lexed(lexed, options) -> Parsed          the same, of a text that is split already
//! parse_type_name("int[]")   -> TypeName         for regtype and such
//! parse_plpgsql_expr(text)   -> RawStmt          `SELECT text`, for PL/pgSQL's expressions
//! parse_plpgsql_assign(..)   -> RawStmt          `target := expr`
//! quote_identifier, quote_qualified, quote_literal
//! keywords::lookup, keywords::KEYWORDS
//! lexer::Lexer
//! ```
//!
//! Positions are byte offsets from 0. Nothing here looks at catalogs or settings.
//!
//! PostgreSQL: `parser/scan.l`, `parser/gram.y`, `parser/parser.c`, `common/keywords.c`.
#![forbid(unsafe_code)]

pub mod ast;
pub mod keywords;
pub mod lexer;
mod parser;
#[cfg(test)]
mod tests;

use ast::{RawStmt, TypeName};
use base::{PgError, Result};
use parser::Parser;
use std::borrow::Cow;

/// How `\'` is treated in plain strings. (PostgreSQL: GUC `backslash_quote`)
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum BackslashQuote {
    Off,
    On,
    #[default]
    SafeEncoding,
}

/// The settings that change how text is read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Options {
    pub standard_conforming_strings: bool,
    pub escape_string_warning: bool,
    pub backslash_quote: BackslashQuote,
    /// The longest nesting before `stack depth limit exceeded`.
    pub max_depth: u32,
}

/// Sessions may run on stacks of 2 MB; a level costs far more without optimisation.
const MAX_DEPTH: u32 = if cfg!(debug_assertions) { 250 } else { 2500 };

impl Default for Options {
    fn default() -> Options {
        Options {
            standard_conforming_strings: true,
            escape_string_warning: true,
            backslash_quote: BackslashQuote::SafeEncoding,
            max_depth: MAX_DEPTH,
        }
    }
}

/// What [`parse_with`] returns.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Parsed {
    pub stmts: Vec<RawStmt>,
    /// NOTICE and WARNING reports (identifiers cut to 63 bytes, escapes in plain strings), for the caller to send.
    pub notices: Vec<PgError>,
}

/// The statements of `sql`; none for blanks and comments.
pub fn parse(sql: &str) -> Result<Vec<RawStmt>> {
    Ok(parse_with(sql, &Options::default())?.stmts)
}

/// As [`parse`], under the given settings and with the notices.
pub fn parse_with(sql: &str, options: &Options) -> Result<Parsed> {
    parse_lexed(&lexer::lex(sql, options), options)
}

/// As [`parse_with`], of a text that [`lexer::lex`] has split under the same options.
pub fn parse_lexed(lexed: &lexer::Lexed<'_>, options: &Options) -> Result<Parsed> {
    let stmts = Parser::new(lexed, options).statements()?;
    Ok(Parsed { stmts, notices: lexed.notices.clone() })
}

/// A type alone: `int`, `pg_catalog.text[]`, `varchar(10)`. (PostgreSQL: `typeStringToTypeName`)
pub fn parse_type_name(text: &str) -> Result<TypeName> {
    let options = Options::default();
    Parser::new(&lexer::lex(text, &options), &options).whole_type_name()
}

/// `text` as PL/pgSQL's expressions are: a SELECT without its first word. (PostgreSQL: `RAW_PARSE_PLPGSQL_EXPR`)
pub fn parse_plpgsql_expr(text: &str) -> Result<RawStmt> {
    let options = Options::default();
    Parser::new(&lexer::lex(text, &options), &options).whole_plpgsql_expr()
}

/// As [`parse_plpgsql_expr`], under the given settings.
pub fn parse_plpgsql_expr_with(text: &str, options: &Options) -> Result<RawStmt> {
    Parser::new(&lexer::lex(text, options), options).whole_plpgsql_expr()
}

/// As [`parse_plpgsql_assign`], under the given settings.
pub fn parse_plpgsql_assign_with(text: &str, nnames: i32, options: &Options) -> Result<RawStmt> {
    Parser::new(&lexer::lex(text, options), options).whole_plpgsql_assign(nnames)
}

/// `target := expr`, whose target has `nnames` (1 to 3) names. (PostgreSQL: `RAW_PARSE_PLPGSQL_ASSIGN*`)
pub fn parse_plpgsql_assign(text: &str, nnames: i32) -> Result<RawStmt> {
    let options = Options::default();
    Parser::new(&lexer::lex(text, &options), &options).whole_plpgsql_assign(nnames)
}

/// `name`, in double quotes unless it would read back the same without. (PostgreSQL: `quote_identifier`)
pub fn quote_identifier(name: &str) -> Cow<'_, str> {
    let plain = |c: u8| c.is_ascii_lowercase() || c == b'_' || c.is_ascii_digit();
    let starts = name.bytes().next().is_some_and(|c| plain(c) && !c.is_ascii_digit());
    let reserved = || keywords::lookup(name).is_some_and(|kw| kw.category() != keywords::Category::Unreserved);
    match starts && name.bytes().all(plain) && !reserved() {
        true => Cow::Borrowed(name),
        false => Cow::Owned(format!("\"{}\"", name.replace('"', "\"\""))),
    }
}

/// `schema.name`, each part quoted where needed. (PostgreSQL: `quote_qualified_identifier`)
pub fn quote_qualified(schema: Option<&str>, name: &str) -> String {
    match schema {
        Some(schema) => format!("{}.{}", quote_identifier(schema), quote_identifier(name)),
        None => quote_identifier(name).into_owned(),
    }
}

/// `text` as a literal, with `E''` where it holds backslashes. (PostgreSQL: `quote_literal_cstr`)
pub fn quote_literal(text: &str) -> String {
    let body = text.replace('\'', "''");
    match body.contains('\\') {
        true => format!("E'{}'", body.replace('\\', "\\\\")),
        false => format!("'{body}'"),
    }
}
