//! Text to tokens, all at once: a token is 16 bytes that point into the text.
//!
//! Only what differs from the text (an identifier with capitals, a string with escapes) is copied, into a side table. A text
//! that is wrong somewhere yields the tokens before that place and then [`Tok::Error`], so that the grammar's own complaints
//! about what comes earlier win, as they do where lexer and grammar run in step.
//!
//! Identifiers are folded to lower case (ASCII only) and cut to 63 bytes; the cut is reported in [`Lexed::notices`].
//! `U&"..."` and `U&'...'` are decoded here, with their UESCAPE.
//!
//! PostgreSQL: `parser/scan.l`, and `base_yylex` of `parser/parser.c`.

use crate::keywords::{self, Kw};
use crate::{BackslashQuote, Options};
use base::error::Location;
use base::sqlstate::*;
use base::{NAMEDATALEN, PgError, Result, Severity};
use std::borrow::Cow;

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tok {
    Ident,
    Keyword(Kw),
    /// A keyword whose part in the grammar depends on the word after it: NOT before IN, LIKE, BETWEEN, ..; NULLS before FIRST
    /// and LAST; WITH before TIME and ORDINALITY; WITHOUT before TIME; FORMAT before JSON. (PostgreSQL: `NOT_LA`, ..)
    Ahead(Kw),
    /// A string of any quoting.
    Sconst,
    /// `B'..'`: the digits, unchecked.
    Bconst,
    /// `X'..'`
    Xconst,
    Iconst(i32),
    /// Any other number, as written.
    Fconst,
    /// `$1`
    Param(i32),
    /// An operator other than the single characters of [`Tok::Char`].
    Op,
    /// `::`
    TypeCast,
    /// `..`
    DotDot,
    /// `:=`
    ColonEquals,
    /// `=>`
    EqualsGreater,
    LessEquals,
    GreaterEquals,
    NotEquals,
    /// A character that is a token of its own.
    Char(u8),
    /// Here the text is wrong: [`Lexed::error`].
    Error,
    Eof,
}

/// A token and where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Token {
    pub tok: Tok,
    pub start: u32,
    pub end: u32,
    /// 1 + index into the side table, or 0 when the text itself is the value.
    value: u32,
}

/// The tokens of a text; the last is `Eof` or `Error`.
#[derive(Debug)]
pub struct Lexed<'a> {
    pub sql: &'a str,
    pub tokens: Vec<Token>,
    values: Vec<Cow<'a, str>>,
    /// NOTICE and WARNING reports.
    pub notices: Vec<PgError>,
    /// What `Tok::Error` stands for.
    pub error: Option<PgError>,
}

impl<'a> Lexed<'a> {
    /// The value of an identifier, keyword, string, number or operator.
    pub fn text(&self, token: Token) -> &str {
        match token.value {
            0 => self.raw(token),
            n => &self.values[n as usize - 1],
        }
    }
    /// The token as it stands in the text.
    pub fn raw(&self, token: Token) -> &'a str {
        self.sql.get(token.start as usize..token.end as usize).unwrap_or("")
    }
}

/// `message at or near "text"`, or `at end of input`. (PostgreSQL: `scanner_yyerror`)
#[cold]
pub fn error_near(sql: &str, message: &str, start: usize, end: usize) -> PgError {
    let text = match start >= sql.len() {
        true => format!("{message} at end of input"),
        false => format!("{message} at or near \"{}\"", sql.get(start..end.min(sql.len())).unwrap_or(&sql[start..])),
    };
    PgError::new(SYNTAX_ERROR, text).at(Location::from(start))
}

/// Splits `sql` into tokens.
pub fn lex<'a>(sql: &'a str, options: &Options) -> Lexed<'a> {
    let mut lexer =
        Lexer { sql, bytes: sql.as_bytes(), pos: 0, options, values: Vec::new(), notices: Vec::new(), warned: false };
    let mut tokens = Vec::with_capacity(sql.len() / 4 + 8);
    let error = lexer.run(&mut tokens).err();
    if error.is_some() {
        let at = lexer.pos.min(sql.len()) as u32;
        tokens.push(Token { tok: Tok::Error, start: at, end: at, value: 0 });
    }
    Lexed { sql, tokens, values: lexer.values, notices: lexer.notices, error }
}

struct Lexer<'a, 'o> {
    sql: &'a str,
    bytes: &'a [u8],
    pos: usize,
    options: &'o Options,
    values: Vec<Cow<'a, str>>,
    notices: Vec<PgError>,
    /// The current string has had its warning about escapes.
    warned: bool,
}

/// What `next` found: a token, or one whose Unicode escapes wait for a UESCAPE.
enum Next {
    Token(Token),
    Unicode { start: usize, end: usize, body: String, ident: bool },
}

pub(crate) fn is_ident_start(c: u8) -> bool {
    c.is_ascii_alphabetic() || c == b'_' || c >= 0x80
}
pub(crate) fn is_ident_cont(c: u8) -> bool {
    is_ident_start(c) || c.is_ascii_digit() || c == b'$'
}
fn is_space(c: u8) -> bool {
    matches!(c, b' ' | b'\t' | b'\n' | b'\r' | 0x0b | 0x0c)
}
fn is_op(c: u8) -> bool {
    matches!(
        c,
        b'~' | b'!'
            | b'@'
            | b'#'
            | b'^'
            | b'&'
            | b'|'
            | b'`'
            | b'?'
            | b'+'
            | b'-'
            | b'*'
            | b'/'
            | b'%'
            | b'<'
            | b'>'
            | b'='
    )
}
fn is_self(c: u8) -> bool {
    matches!(
        c,
        b',' | b'('
            | b')'
            | b'['
            | b']'
            | b'.'
            | b';'
            | b':'
            | b'+'
            | b'-'
            | b'*'
            | b'/'
            | b'%'
            | b'^'
            | b'<'
            | b'>'
            | b'='
    )
}

impl<'a> Lexer<'a, '_> {
    fn run(&mut self, tokens: &mut Vec<Token>) -> Result<()> {
        loop {
            let mut next = self.next()?;
            while let Next::Unicode { start, end, body, ident } = next {
                next = self.unicode(tokens, start, end, body, ident)?;
            }
            if let Next::Token(token) = next {
                if let (Tok::Keyword(kw), Some(last)) = (token.tok, tokens.last_mut()) {
                    look_ahead(last, kw);
                }
                tokens.push(token);
                if token.tok == Tok::Eof {
                    return Ok(());
                }
            }
        }
    }

    fn at(&self, i: usize) -> u8 {
        self.bytes.get(i).copied().unwrap_or(0)
    }
    fn error(&self, message: &str, start: usize, end: usize) -> PgError {
        error_near(self.sql, message, start, end)
    }
    fn token(&mut self, tok: Tok, start: usize, end: usize) -> Result<Next> {
        self.pos = end;
        Ok(Next::Token(Token { tok, start: start as u32, end: end as u32, value: 0 }))
    }
    fn valued(&mut self, tok: Tok, start: usize, end: usize, value: Cow<'a, str>) -> Result<Next> {
        self.pos = end;
        self.values.push(value);
        Ok(Next::Token(Token { tok, start: start as u32, end: end as u32, value: self.values.len() as u32 }))
    }

    /// Blanks and comments. What is open at the end of the text is an error.
    fn skip_space(&mut self) -> Result<()> {
        loop {
            match self.at(self.pos) {
                c if is_space(c) => self.pos += 1,
                b'-' if self.at(self.pos + 1) == b'-' => self.pos = self.line_end(self.pos),
                b'/' if self.at(self.pos + 1) == b'*' => self.pos = self.block_comment(self.pos)?,
                _ => return Ok(()),
            }
        }
    }
    fn line_end(&self, from: usize) -> usize {
        memchr::memchr2(b'\n', b'\r', &self.bytes[from..]).map_or(self.bytes.len(), |n| from + n)
    }
    /// Comments nest.
    fn block_comment(&self, start: usize) -> Result<usize> {
        let (mut i, mut depth) = (start + 2, 1);
        while let Some(n) = memchr::memchr2(b'*', b'/', &self.bytes[i.min(self.bytes.len())..]) {
            i += n;
            match (self.bytes[i], self.at(i + 1)) {
                (b'*', b'/') => {
                    depth -= 1;
                    i += 2;
                    if depth == 0 {
                        return Ok(i);
                    }
                }
                (b'/', b'*') => {
                    depth += 1;
                    i += 2;
                }
                _ => i += 1,
            }
        }
        Err(self.error("unterminated /* comment", start, self.bytes.len()))
    }

    fn next(&mut self) -> Result<Next> {
        self.skip_space()?;
        let (start, c) = (self.pos, self.at(self.pos));
        let following = self.at(start + 1);
        match c {
            _ if start >= self.bytes.len() => self.token(Tok::Eof, start, start),
            b'\'' => match self.options.standard_conforming_strings {
                true => self.plain_string(start, start),
                false => self.escape_string(start, start),
            },
            b'e' | b'E' if following == b'\'' => self.escape_string(start, start + 1),
            b'b' | b'B' | b'x' | b'X' if following == b'\'' => {
                let (body, end) = self.quoted(start, start + 1, string_name(c))?;
                let tok = if c | 0x20 == b'b' { Tok::Bconst } else { Tok::Xconst };
                self.valued(tok, start, end, body)
            }
            b'n' | b'N' if following == b'\'' => self.token(Tok::Keyword(Kw::Nchar), start, start + 1),
            b'u' | b'U' if following == b'&' && matches!(self.at(start + 2), b'\'' | b'"') => self.unicode_start(start),
            _ if is_ident_start(c) => self.identifier(start),
            b'"' => {
                let (body, end) = self.quoted_identifier(start, start)?;
                let body = self.truncate(body);
                self.valued(Tok::Ident, start, end, body)
            }
            b'0'..=b'9' => self.number(start),
            b'.' if following.is_ascii_digit() => self.number(start),
            b'$' => self.dollar(start),
            b'.' if following == b'.' => self.token(Tok::DotDot, start, start + 2),
            b':' if following == b':' => self.token(Tok::TypeCast, start, start + 2),
            b':' if following == b'=' => self.token(Tok::ColonEquals, start, start + 2),
            _ if is_op(c) => self.operator(start),
            _ => self.token(Tok::Char(c), start, start + 1),
        }
    }

    fn identifier(&mut self, start: usize) -> Result<Next> {
        let (mut end, mut upper) = (start, false);
        while let Some(&c) = self.bytes.get(end).filter(|&&c| is_ident_cont(c)) {
            upper |= c.is_ascii_uppercase();
            end += 1;
        }
        let word = &self.sql[start..end];
        if let Some(kw) = keywords::lookup(word) {
            return self.token(Tok::Keyword(kw), start, end);
        }
        if !upper && word.len() < NAMEDATALEN {
            return self.token(Tok::Ident, start, end);
        }
        let folded = self.truncate(Cow::Owned(word.to_ascii_lowercase()));
        self.valued(Tok::Ident, start, end, folded)
    }

    /// Cuts a name to 63 bytes between characters. (PostgreSQL: `truncate_identifier`)
    fn truncate(&mut self, name: Cow<'a, str>) -> Cow<'a, str> {
        if name.len() < NAMEDATALEN {
            return name;
        }
        let cut = &name[..name.floor_char_boundary(NAMEDATALEN - 1)];
        let text = format!("identifier \"{name}\" will be truncated to \"{cut}\"");
        self.notices.push(PgError::with_severity(Severity::Notice, NAME_TOO_LONG, text));
        Cow::Owned(cut.to_owned())
    }

    /// The end of a run of operator characters that is not a comment, without the `+` and `-` that SQL takes as signs.
    fn operator(&mut self, start: usize) -> Result<Next> {
        let mut end = start;
        while is_op(self.at(end)) && !matches!((self.at(end), self.at(end + 1)), (b'/', b'*') | (b'-', b'-')) {
            end += 1;
        }
        // A sign at the end belongs to what follows, unless a character says that this is no SQL operator.
        let special = |c: &u8| matches!(c, b'~' | b'!' | b'@' | b'#' | b'^' | b'&' | b'|' | b'`' | b'?' | b'%');
        while end - start > 1
            && matches!(self.bytes[end - 1], b'+' | b'-')
            && !self.bytes[start..end - 1].iter().any(special)
        {
            end -= 1;
        }
        let tok = match &self.bytes[start..end] {
            [c] if is_self(*c) => Tok::Char(*c),
            b"=>" => Tok::EqualsGreater,
            b">=" => Tok::GreaterEquals,
            b"<=" => Tok::LessEquals,
            b"<>" | b"!=" => Tok::NotEquals,
            long if long.len() >= NAMEDATALEN => return Err(self.error("operator too long", start, end)),
            _ => Tok::Op,
        };
        self.token(tok, start, end)
    }

    fn run_of(&self, mut i: usize, member: impl Fn(u8) -> bool) -> usize {
        while i < self.bytes.len() && member(self.bytes[i]) {
            i += 1;
        }
        i
    }
    /// `(_?digit)*` from `i`.
    fn digits(&self, mut i: usize, digit: impl Fn(u8) -> bool) -> usize {
        loop {
            let next = if self.at(i) == b'_' { i + 1 } else { i };
            match next < self.bytes.len() && digit(self.bytes[next]) {
                true => i = next + 1,
                false => return i,
            }
        }
    }
    /// The digits from `i` (at least one), and an identifier glued to them.
    fn junk(&self, i: usize) -> usize {
        let end = self.run_of(i, |c| c.is_ascii_digit());
        match is_ident_start(self.at(end)) {
            true => self.run_of(end, is_ident_cont),
            false => 0,
        }
    }

    /// Of all the patterns of a number, and of a number with something glued to it, the longest wins, the earlier of equals.
    fn number(&mut self, start: usize) -> Result<Next> {
        let decimal = |c: u8| c.is_ascii_digit();
        #[derive(Clone, Copy)]
        enum Kind {
            Integer,
            Float,
            Fail(&'static str),
        }
        let junk = Kind::Fail("trailing junk after numeric literal");
        let mut best = (start, Kind::Integer);
        let mut offer = |end: usize, kind: Kind| {
            if end > best.0 {
                best = (end, kind);
            }
        };
        let whole = match self.at(start) {
            b'.' => start,
            _ => self.digits(start, decimal),
        };
        let mut mantissa = whole;
        offer(whole, Kind::Integer);
        if self.at(start) == b'0' {
            let (radix, name): (u32, _) = match self.at(start + 1) | 0x20 {
                b'x' => (16, "invalid hexadecimal integer"),
                b'o' => (8, "invalid octal integer"),
                b'b' => (2, "invalid binary integer"),
                _ => (10, ""),
            };
            if radix != 10 {
                let end = self.digits(start + 2, |c| (c as char).is_digit(radix));
                match end > start + 2 {
                    true => offer(end, Kind::Integer),
                    false => offer(if self.at(start + 2) == b'_' { start + 3 } else { start + 2 }, Kind::Fail(name)),
                }
            }
        }
        let dotted = self.at(whole) == b'.';
        if dotted && self.at(whole + 1) != b'.' {
            let digit_follows = self.at(whole + 1).is_ascii_digit();
            mantissa = if digit_follows { self.digits(whole + 1, decimal) } else { whole + 1 };
            offer(mantissa, Kind::Float);
        }
        let mut real = 0;
        if self.at(mantissa) | 0x20 == b'e' {
            let sign = matches!(self.at(mantissa + 1), b'+' | b'-') as usize;
            let exponent = mantissa + 1 + sign;
            if self.at(exponent).is_ascii_digit() {
                real = exponent;
                offer(self.digits(exponent, decimal), Kind::Float);
            } else if sign == 1 {
                offer(exponent, junk);
            }
        }
        if whole > start {
            offer(self.junk(start), junk);
        }
        if mantissa > whole {
            offer(self.junk(whole + 1), junk);
        }
        if real > 0 {
            offer(self.junk(real), junk);
        }
        let (end, kind) = best;
        match kind {
            Kind::Fail(message) => Err(self.error(message, start, end)),
            Kind::Float => self.token(Tok::Fconst, start, end),
            Kind::Integer => {
                let tok = parse_integer(&self.bytes[start..end]).map_or(Tok::Fconst, Tok::Iconst);
                self.token(tok, start, end)
            }
        }
    }

    /// `$1`, `$$..$$`, `$tag$..$tag$`.
    fn dollar(&mut self, start: usize) -> Result<Next> {
        let c = self.at(start + 1);
        if c.is_ascii_digit() {
            let end = self.run_of(start + 1, |c| c.is_ascii_digit());
            if is_ident_start(self.at(end)) {
                return Err(self.error("trailing junk after parameter", start, self.run_of(end, is_ident_cont)));
            }
            return match self.sql[start + 1..end].parse() {
                Ok(n) => self.token(Tok::Param(n), start, end),
                Err(_) => Err(self.error("parameter number too large", start, end)),
            };
        }
        let tag = match is_ident_start(c) {
            true => self.run_of(start + 1, |c| is_ident_cont(c) && c != b'$'),
            false => start + 1,
        };
        if self.at(tag) != b'$' {
            return self.token(Tok::Char(b'$'), start, start + 1);
        }
        let delimiter = &self.bytes[start..=tag];
        match memchr::memmem::find(&self.bytes[tag + 1..], delimiter) {
            Some(n) => {
                let body = &self.sql[tag + 1..tag + 1 + n];
                self.valued(Tok::Sconst, start, tag + 1 + n + delimiter.len(), Cow::Borrowed(body))
            }
            None => Err(self.error("unterminated dollar-quoted string", start, self.bytes.len())),
        }
    }

    fn plain_string(&mut self, start: usize, quote: usize) -> Result<Next> {
        let (body, end) = self.quoted(start, quote, "quoted string")?;
        self.valued(Tok::Sconst, start, end, body)
    }

    /// A string that goes on after a newline: the place after the opening quote of its next part.
    fn continuation(&self, end: usize) -> Option<usize> {
        let (mut i, mut newline) = (end, false);
        loop {
            match self.at(i) {
                b'\n' | b'\r' => (newline, i) = (true, i + 1),
                c if is_space(c) => i += 1,
                b'-' if self.at(i + 1) == b'-' => i = self.line_end(i),
                b'\'' if newline => return Some(i + 1),
                _ => return None,
            }
        }
    }

    /// From the quote at `quote` to the end of the string and its continuations; only `''` is special.
    fn quoted(&self, start: usize, quote: usize, what: &str) -> Result<(Cow<'a, str>, usize)> {
        let (mut from, mut i) = (quote + 1, quote + 1);
        let mut body = Cow::Borrowed("");
        loop {
            let Some(n) = memchr::memchr(b'\'', &self.bytes[i..]) else {
                return Err(self.error(&format!("unterminated {what}"), start, self.bytes.len()));
            };
            i += n + 1;
            if self.at(i) == b'\'' {
                append(&mut body, &self.sql[from..i]);
                (from, i) = (i + 1, i + 1);
                continue;
            }
            append(&mut body, &self.sql[from..i - 1]);
            match self.continuation(i) {
                Some(next) => (from, i) = (next, next),
                None => return Ok((body, i)),
            }
        }
    }

    fn quoted_identifier(&self, start: usize, quote: usize) -> Result<(Cow<'a, str>, usize)> {
        let (mut from, mut i) = (quote + 1, quote + 1);
        let mut body = Cow::Borrowed("");
        loop {
            let Some(n) = memchr::memchr(b'"', &self.bytes[i..]) else {
                return Err(self.error("unterminated quoted identifier", start, self.bytes.len()));
            };
            i += n + 1;
            if self.at(i) == b'"' {
                append(&mut body, &self.sql[from..i]);
                (from, i) = (i + 1, i + 1);
                continue;
            }
            append(&mut body, &self.sql[from..i - 1]);
            if body.is_empty() {
                return Err(self.error("zero-length delimited identifier", start, i));
            }
            return Ok((body, i));
        }
    }

    fn warn_escape(&mut self, position: usize, message: &str, hint: &str) {
        if self.options.escape_string_warning && !self.warned {
            self.warned = true;
            let notice =
                PgError::with_severity(Severity::Warning, NONSTANDARD_USE_OF_ESCAPE_CHARACTER, message).hint(hint);
            self.notices.push(notice.at(position));
        }
    }

    /// `E'..'`, or any string while `standard_conforming_strings` is off.
    fn escape_string(&mut self, start: usize, quote: usize) -> Result<Next> {
        let warn = quote == start;
        self.warned = !warn;
        let mut out: Vec<u8> = Vec::new();
        let (mut i, mut raw_bytes) = (quote + 1, false);
        loop {
            let Some(n) = memchr::memchr2(b'\'', b'\\', &self.bytes[i..]) else {
                return Err(self.error("unterminated quoted string", start, self.bytes.len()));
            };
            out.extend_from_slice(&self.bytes[i..i + n]);
            i += n;
            if self.bytes[i] == b'\'' {
                if self.at(i + 1) == b'\'' {
                    out.push(b'\'');
                    i += 2;
                    continue;
                }
                match self.continuation(i + 1) {
                    Some(next) => i = next,
                    None => break,
                }
                continue;
            }
            if i + 1 >= self.bytes.len() {
                return Err(self.error("unterminated quoted string", start, self.bytes.len()));
            }
            if warn {
                self.warn_for(start, self.at(i + 1));
            }
            i = self.escape(i, &mut out, &mut raw_bytes)?;
        }
        let text = self.valid_text(out, raw_bytes)?;
        self.valued(Tok::Sconst, start, i + 1, Cow::Owned(text))
    }

    fn warn_for(&mut self, start: usize, c: u8) {
        match c {
            b'\'' => self.warn_escape(
                start,
                "nonstandard use of \\' in a string literal",
                "Use '' to write quotes in strings, or use the escape string syntax (E'...').",
            ),
            b'\\' => self.warn_escape(
                start,
                "nonstandard use of \\\\ in a string literal",
                "Use the escape string syntax for backslashes, e.g., E'\\\\'.",
            ),
            _ => self.warn_escape(
                start,
                "nonstandard use of escape in a string literal",
                "Use the escape string syntax for escapes, e.g., E'\\r\\n'.",
            ),
        }
    }

    /// One escape at the backslash `i`; the place after it.
    fn escape(&mut self, i: usize, out: &mut Vec<u8>, raw_bytes: &mut bool) -> Result<usize> {
        let c = self.at(i + 1);
        let simple = match c {
            b'b' => 8,
            b'f' => 12,
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'v' => 11,
            b'0'..=b'7' => {
                let end = self.run_of(i + 1, |c| (b'0'..=b'7').contains(&c)).min(i + 4);
                let value = self.bytes[i + 1..end].iter().fold(0u32, |v, d| v * 8 + u32::from(d - b'0'));
                *raw_bytes |= value == 0 || value & 0x80 != 0;
                out.push(value as u8);
                return Ok(end);
            }
            b'x' if self.at(i + 2).is_ascii_hexdigit() => {
                let end = self.run_of(i + 2, |c| c.is_ascii_hexdigit()).min(i + 4);
                let value = u8::from_str_radix(&self.sql[i + 2..end], 16).unwrap_or(0);
                *raw_bytes |= value == 0 || value >= 0x80;
                out.push(value);
                return Ok(end);
            }
            b'u' | b'U' => return self.unicode_escape(i, out),
            b'\'' if self.options.backslash_quote == BackslashQuote::Off => {
                let text = "unsafe use of \\' in a string literal";
                let hint = "Use '' to write quotes in strings. \\' is insecure in client-only encodings.";
                return Err(PgError::new(NONSTANDARD_USE_OF_ESCAPE_CHARACTER, text).hint(hint).at(i));
            }
            c => c,
        };
        out.push(simple);
        Ok(i + 2)
    }

    /// The value of `\uXXXX` or `\UXXXXXXXX` at `i`, and the place after it.
    fn unicode_value(&self, i: usize) -> Result<(u32, usize)> {
        let width = if self.at(i + 1) == b'u' { 4 } else { 8 };
        let end = self.run_of(i + 2, |c| c.is_ascii_hexdigit()).min(i + 2 + width);
        if end < i + 2 + width {
            let error = PgError::new(INVALID_ESCAPE_SEQUENCE, "invalid Unicode escape");
            return Err(error.hint("Unicode escapes must be \\uXXXX or \\UXXXXXXXX.").at(i));
        }
        Ok((u32::from_str_radix(&self.sql[i + 2..end], 16).unwrap_or(u32::MAX), end))
    }

    fn unicode_escape(&mut self, i: usize, out: &mut Vec<u8>) -> Result<usize> {
        let (mut value, mut end) = self.unicode_value(i)?;
        let pair = |at: usize, end: usize| self.error("invalid Unicode surrogate pair", at, end);
        if (0xDC00..0xE000).contains(&value) {
            return Err(pair(i, end));
        }
        if (0xD800..0xDC00).contains(&value) {
            if self.at(end) != b'\\' || self.at(end + 1) | 0x20 != b'u' {
                let next = self.sql[end..].chars().next().map_or(0, char::len_utf8);
                return Err(pair(end, end + next));
            }
            let (low, after) = self.unicode_value(end)?;
            if !(0xDC00..0xE000).contains(&low) {
                return Err(pair(end, after));
            }
            (value, end) = (0x10000 + ((value & 0x3FF) << 10) + (low & 0x3FF), after);
        }
        let Some(c) = char::from_u32(value).filter(|&c| c != '\0') else {
            return Err(self.error("invalid Unicode escape value", i, end));
        };
        out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
        Ok(end)
    }

    /// Escapes may have spelled bytes that are no text. (PostgreSQL: `pg_verifymbstr`)
    fn valid_text(&self, bytes: Vec<u8>, raw_bytes: bool) -> Result<String> {
        let zero = if raw_bytes { memchr::memchr(0, &bytes) } else { None };
        let bad = match std::str::from_utf8(&bytes) {
            Err(e) => Some(zero.map_or(e.valid_up_to(), |z| z.min(e.valid_up_to()))),
            Ok(_) => zero,
        };
        match bad {
            None => Ok(String::from_utf8(bytes).unwrap_or_default()),
            Some(at) => {
                let width = match bytes[at] {
                    0xC0..=0xDF => 2,
                    0xE0..=0xEF => 3,
                    0xF0..=0xF7 => 4,
                    _ => 1,
                };
                let shown: Vec<String> = bytes[at..].iter().take(width).map(|b| format!("0x{b:02x}")).collect();
                let text = format!("invalid byte sequence for encoding \"UTF8\": {}", shown.join(" "));
                Err(PgError::new(CHARACTER_NOT_IN_REPERTOIRE, text))
            }
        }
    }

    fn unicode_start(&mut self, start: usize) -> Result<Next> {
        let ident = self.at(start + 2) == b'"';
        if !ident && !self.options.standard_conforming_strings {
            let error = PgError::new(FEATURE_NOT_SUPPORTED, "unsafe use of string constant with Unicode escapes");
            let detail =
                "String constants with Unicode escapes cannot be used when \"standard_conforming_strings\" is off.";
            return Err(error.detail(detail).at(start));
        }
        let (body, end) = match ident {
            true => self.quoted_identifier(start, start + 2)?,
            false => self.quoted(start, start + 2, "quoted string")?,
        };
        self.pos = end;
        Ok(Next::Unicode { start, end, body: body.into_owned(), ident })
    }

    /// Decodes `U&..` once it is known whether UESCAPE follows, and returns what comes next.
    fn unicode(
        &mut self,
        tokens: &mut Vec<Token>,
        start: usize,
        end: usize,
        body: String,
        ident: bool,
    ) -> Result<Next> {
        let mut next = self.next()?;
        let (mut escape, mut whole) = (b'\\', end);
        if let Next::Token(Token { tok: Tok::Keyword(Kw::Uescape), .. }) = next {
            let (at, found) = match self.next()? {
                Next::Token(t) if t.tok == Tok::Sconst => (t, Some(self.values[t.value as usize - 1].clone())),
                Next::Token(t) => (t, None),
                Next::Unicode { start, end, .. } => {
                    (Token { tok: Tok::Sconst, start: start as u32, end: end as u32, value: 0 }, None)
                }
            };
            let (from, to) = (at.start as usize, at.end as usize);
            let Some(text) = found else {
                return Err(self.error("UESCAPE must be followed by a simple string literal", from, to));
            };
            escape = match text.as_bytes() {
                &[c] if !c.is_ascii_hexdigit() && !matches!(c, b'+' | b'\'' | b'"') && !is_space(c) => c,
                _ => return Err(self.error("invalid Unicode escape character", from, to)),
            };
            whole = to;
            next = self.next()?;
        }
        let text = decode_unicode(&body, escape, start + 3)?;
        let text = if ident { self.truncate(Cow::Owned(text)) } else { Cow::Owned(text) };
        self.values.push(text);
        let tok = if ident { Tok::Ident } else { Tok::Sconst };
        tokens.push(Token { tok, start: start as u32, end: whole as u32, value: self.values.len() as u32 });
        Ok(next)
    }
}

/// Marks `last` when `next` after it changes its part in the grammar. (PostgreSQL: `base_yylex`)
fn look_ahead(last: &mut Token, next: Kw) {
    if let Tok::Keyword(kw @ (Kw::Not | Kw::Nulls | Kw::With | Kw::Without | Kw::Format)) = last.tok {
        let special = match kw {
            Kw::Not => matches!(next, Kw::Between | Kw::In | Kw::Like | Kw::Ilike | Kw::Similar),
            Kw::Nulls => matches!(next, Kw::First | Kw::Last),
            Kw::With => matches!(next, Kw::Time | Kw::Ordinality),
            Kw::Without => next == Kw::Time,
            _ => next == Kw::Json,
        };
        if special {
            last.tok = Tok::Ahead(kw);
        }
    }
}

fn string_name(c: u8) -> &'static str {
    match c | 0x20 {
        b'b' => "bit string literal",
        _ => "hexadecimal string literal",
    }
}

fn append<'a>(body: &mut Cow<'a, str>, part: &'a str) {
    match body.is_empty() {
        true => *body = Cow::Borrowed(part),
        false => body.to_mut().push_str(part),
    }
}

/// An integer of any base that fits 32 bits.
fn parse_integer(text: &[u8]) -> Option<i32> {
    let (radix, digits) = match text {
        [b'0', b'x' | b'X', rest @ ..] => (16, rest),
        [b'0', b'o' | b'O', rest @ ..] => (8, rest),
        [b'0', b'b' | b'B', rest @ ..] => (2, rest),
        _ => (10, text),
    };
    let mut value: i64 = 0;
    for &c in digits.iter().filter(|&&c| c != b'_') {
        value = value * radix + i64::from((c as char).to_digit(radix as u32)?);
        if value > i64::from(i32::MAX) {
            return None;
        }
    }
    Some(value as i32)
}

/// `\XXXX` and `\+XXXXXX`. `offset` is where `body` starts in the text. (PostgreSQL: `str_udeescape`)
fn decode_unicode(body: &str, escape: u8, offset: usize) -> Result<String> {
    let bytes = body.as_bytes();
    let pair_error = |at: usize| PgError::new(SYNTAX_ERROR, "invalid Unicode surrogate pair").at(at + offset);
    let mut out = String::with_capacity(body.len());
    let (mut i, mut first): (usize, Option<u32>) = (0, None);
    while i < bytes.len() {
        if bytes[i] != escape {
            if first.is_some() {
                return Err(pair_error(i));
            }
            let end = bytes[i..].iter().position(|&c| c == escape).map_or(bytes.len(), |n| i + n);
            out.push_str(&body[i..end]);
            i = end;
            continue;
        }
        if bytes.get(i + 1) == Some(&escape) {
            if first.is_some() {
                return Err(pair_error(i));
            }
            out.push(escape as char);
            i += 2;
            continue;
        }
        let (from, to) = if bytes.get(i + 1) == Some(&b'+') { (i + 2, i + 8) } else { (i + 1, i + 5) };
        let digits = bytes.get(from..to).filter(|d| d.iter().all(u8::is_ascii_hexdigit));
        let Some(digits) = digits else {
            let error = PgError::new(SYNTAX_ERROR, "invalid Unicode escape");
            return Err(error.hint("Unicode escapes must be \\XXXX or \\+XXXXXX.").at(i + offset));
        };
        let mut value: u32 = digits.iter().fold(0u32, |v, &d| v * 16 + (d as char).to_digit(16).unwrap_or(0));
        let low = (0xDC00..0xE000).contains(&value);
        match first.take() {
            Some(high) if low => value = 0x10000u32 + ((high & 0x3FF) << 10) + (value & 0x3FF),
            None if !low => {}
            _ => return Err(pair_error(i)),
        }
        if (0xD800..0xDC00).contains(&value) {
            first = Some(value);
        } else {
            let c = char::from_u32(value).filter(|&c| c != '\0');
            out.push(c.ok_or_else(|| PgError::new(SYNTAX_ERROR, "invalid Unicode escape value").at(i + offset))?);
        }
        i = to;
    }
    match first {
        Some(_) => Err(pair_error(i)),
        None => Ok(out),
    }
}
