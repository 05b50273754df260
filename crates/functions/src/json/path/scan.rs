//! Tokens of `jsonpath`.

use base::sqlstate::*;
use base::{PgError, Result};

use crate::err::error;

#[derive(Clone, PartialEq, Debug)]
pub enum Token {
    /// A name or key word with its spelling.
    Word(String),
    String(String),
    Variable(String),
    /// A number with a point or exponent.
    Decimal(String),
    Integer(String),
    And,
    Or,
    Not,
    /// `**`
    Any,
    Less,
    LessOrEqual,
    Equal,
    NotEqual,
    GreaterOrEqual,
    Greater,
    Char(char),
    End,
}

pub struct Scanner<'a> {
    text: &'a str,
    at: usize,
    /// What an error message shows of the token read last.
    pub shown: String,
}

fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\r' | '\x0c')
}
fn is_special(c: char) -> bool {
    "?%$.[]{}()|&!=<>@#,*:-+/".contains(c)
}
fn is_other(c: char) -> bool {
    !is_special(c) && !is_blank(c) && c != '"' && c != '\\'
}
fn surrogate(detail: &str) -> PgError {
    error(INVALID_TEXT_REPRESENTATION, "invalid input syntax for type jsonpath").detail(detail)
}
const LOW_AFTER_HIGH: &str = "Unicode low surrogate must follow a high surrogate.";

impl<'a> Scanner<'a> {
    pub fn new(text: &'a str) -> Scanner<'a> {
        Scanner { text, at: 0, shown: String::new() }
    }
    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }
    pub fn bad(&self, what: &str) -> PgError {
        match self.shown.as_str() {
            "" => error(SYNTAX_ERROR, format!("{what} at end of jsonpath input")),
            near => error(SYNTAX_ERROR, format!("{what} at or near \"{near}\" of jsonpath input")),
        }
    }
    fn skip(&mut self) -> Result<()> {
        loop {
            self.at = self.text.len() - self.rest().trim_start_matches(is_blank).len();
            let Some(comment) = self.rest().strip_prefix("/*") else { return Ok(()) };
            match comment.find("*/") {
                Some(end) => self.at += 2 + end + 2,
                None => {
                    self.shown.clear();
                    return Err(self.bad("unexpected end of comment"));
                }
            }
        }
    }
    pub fn next(&mut self) -> Result<Token> {
        self.skip()?;
        let rest = self.rest();
        let Some(c) = rest.chars().next() else {
            self.shown.clear();
            return Ok(Token::End);
        };
        const OPERATORS: [(&str, Token); 11] = [
            ("&&", Token::And),
            ("||", Token::Or),
            ("**", Token::Any),
            ("<=", Token::LessOrEqual),
            ("==", Token::Equal),
            ("<>", Token::NotEqual),
            ("!=", Token::NotEqual),
            (">=", Token::GreaterOrEqual),
            ("<", Token::Less),
            (">", Token::Greater),
            ("!", Token::Not),
        ];
        if c.is_ascii_digit() || c == '.' && rest[1..].starts_with(|d: char| d.is_ascii_digit()) {
            return self.number();
        }
        if let Some((text, token)) = OPERATORS.iter().find(|(t, _)| rest.starts_with(t)) {
            self.at += text.len();
            self.shown = (*text).to_owned();
            return Ok(token.clone());
        }
        match c {
            '"' => {
                self.at += 1;
                self.quoted().map(Token::String)
            }
            '$' if rest[1..].starts_with('"') => {
                self.at += 2;
                self.quoted().map(Token::Variable)
            }
            '$' if rest[1..].starts_with(is_other) => {
                let len = rest[1..].find(|c| !is_other(c)).unwrap_or(rest.len() - 1);
                self.at += 1 + len;
                self.shown = rest[..=len].to_owned();
                Ok(Token::Variable(rest[1..=len].to_owned()))
            }
            c if is_special(c) => {
                self.at += c.len_utf8();
                self.shown = c.to_string();
                Ok(Token::Char(c))
            }
            _ => self.word(),
        }
    }
    /// A name; escapes may stand in it. An error that comes right after it is reported at what ended it.
    fn word(&mut self) -> Result<Token> {
        let mut out = String::new();
        loop {
            let Some(c) = self.rest().chars().next() else {
                self.shown.clear();
                break;
            };
            if c == '\\' {
                self.escape(&mut out)?;
            } else if is_other(c) {
                out.push(c);
                self.at += c.len_utf8();
            } else {
                let blanks = self.rest().find(|c| !is_blank(c)).unwrap_or(self.rest().len());
                self.shown = self.rest()[..blanks].to_owned();
                break;
            }
        }
        Ok(Token::Word(out))
    }
    fn quoted(&mut self) -> Result<String> {
        let mut out = String::new();
        loop {
            match self.rest().chars().next() {
                None => {
                    self.shown.clear();
                    return Err(self.bad("unterminated quoted string"));
                }
                Some('"') => {
                    self.at += 1;
                    self.shown = "\"".to_owned();
                    return Ok(out);
                }
                Some('\\') => self.escape(&mut out)?,
                Some(c) => {
                    out.push(c);
                    self.at += c.len_utf8();
                }
            }
        }
    }
    fn escape(&mut self, out: &mut String) -> Result<()> {
        let Some(c) = self.rest()[1..].chars().next() else {
            self.shown = "\\".to_owned();
            return Err(self.bad("unexpected end after backslash"));
        };
        if c == 'u' {
            return self.unicode(out);
        }
        if c == 'x' {
            let digits = self.rest()[2..].bytes().take(2).take_while(u8::is_ascii_hexdigit).count();
            let hex = &self.rest()[2..2 + digits];
            let code = u32::from_str_radix(hex, 16).ok().filter(|_| digits == 2).and_then(char::from_u32);
            let Some(code) = code else {
                self.shown = self.rest()[..2 + digits].to_owned();
                return Err(self.bad("invalid hexadecimal character sequence"));
            };
            self.at += 4;
            return put(code, out);
        }
        self.at += 1 + c.len_utf8();
        out.push(match c {
            'b' => '\x08',
            'f' => '\x0c',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'v' => '\x0b',
            c => c,
        });
        Ok(())
    }
    /// A run of `\uXXXX` and `\u{X..}`; surrogates come in pairs.
    fn unicode(&mut self, out: &mut String) -> Result<()> {
        let start = self.at;
        let mut high: Option<u32> = None;
        while let Some(r) = self.rest().strip_prefix("\\u") {
            let braces = r.starts_with('{');
            let body = if braces { &r[1..] } else { r };
            let digits = body.bytes().take(if braces { 6 } else { 4 }).take_while(u8::is_ascii_hexdigit).count();
            let complete = if braces { digits > 0 && body[digits..].starts_with('}') } else { digits == 4 };
            let used = 2 + usize::from(braces) + digits;
            if !complete {
                self.shown = self.text[start..self.at + used].to_owned();
                return Err(self.bad("invalid Unicode escape sequence"));
            }
            let code = u32::from_str_radix(&body[..digits], 16).unwrap_or(0);
            self.at += used + usize::from(braces);
            match (high, code) {
                (Some(_), 0xd800..0xdc00) => {
                    return Err(surrogate("Unicode high surrogate must not follow a high surrogate."));
                }
                (None, 0xd800..0xdc00) => high = Some(code),
                (Some(h), 0xdc00..0xe000) => {
                    let c = 0x10000 + ((h - 0xd800) << 10) + (code - 0xdc00);
                    put(char::from_u32(c).unwrap_or('\u{fffd}'), out)?;
                    high = None;
                }
                (Some(_), _) | (None, 0xdc00..0xe000) => return Err(surrogate(LOW_AFTER_HIGH)),
                (None, code) => match char::from_u32(code) {
                    Some(c) => put(c, out)?,
                    None => return Err(error(SYNTAX_ERROR, "could not convert Unicode to server encoding")),
                },
            }
        }
        if high.is_some() { Err(surrogate(LOW_AFTER_HIGH)) } else { Ok(()) }
    }
    fn number(&mut self) -> Result<Token> {
        let rest = self.rest();
        let b = rest.as_bytes();
        // Digits with single underscores between them.
        let digits = |from: usize, ok: fn(&u8) -> bool| -> usize {
            let mut end = from;
            while let Some(c) = b.get(end) {
                if ok(c) {
                    end += 1;
                } else if *c == b'_' && end > from && b.get(end + 1).is_some_and(ok) {
                    end += 2;
                } else {
                    break;
                }
            }
            end
        };
        let prefixed = match (b[0], b.get(1).map(u8::to_ascii_lowercase)) {
            (b'0', Some(b'x')) => digits(2, u8::is_ascii_hexdigit),
            (b'0', Some(b'o')) => digits(2, |c| (b'0'..=b'7').contains(c)),
            (b'0', Some(b'b')) => digits(2, |c| matches!(c, b'0' | b'1')),
            _ => 0,
        };
        if prefixed > 2 {
            self.at += prefixed;
            self.shown = rest[..prefixed].to_owned();
            return Ok(Token::Integer(self.shown.clone()));
        }
        let whole = match b[0] {
            b'0' => 1,
            b'.' => 0,
            _ => digits(0, u8::is_ascii_digit),
        };
        let mut end = whole;
        if b.get(end) == Some(&b'.') {
            end = digits(end + 1, u8::is_ascii_digit);
        }
        let mut decimal = end > whole;
        if matches!(b.get(end), Some(b'e' | b'E')) {
            let sign = usize::from(matches!(b.get(end + 1), Some(b'+' | b'-')));
            let exponent = digits(end + 1 + sign, u8::is_ascii_digit);
            if exponent > end + 1 + sign {
                (end, decimal) = (exponent, true);
            } else if sign == 1 {
                self.shown = rest[..end + 2].to_owned();
                return Err(self.bad("invalid numeric literal"));
            }
        }
        if let Some(c) = rest[end..].chars().next().filter(|c| is_other(*c)) {
            // A longer run of such characters is a name.
            if rest.find(|c| !is_other(c)).unwrap_or(rest.len()) > end + c.len_utf8() {
                return self.word();
            }
            self.shown = rest[..end + c.len_utf8()].to_owned();
            return Err(self.bad("trailing junk after numeric literal"));
        }
        self.at += end;
        self.shown = rest[..end].to_owned();
        let text = self.shown.clone();
        Ok(if decimal { Token::Decimal(text) } else { Token::Integer(text) })
    }
}
fn put(c: char, out: &mut String) -> Result<()> {
    if c == '\0' {
        return Err(error(UNTRANSLATABLE_CHARACTER, "unsupported Unicode escape sequence")
            .detail("\\u0000 cannot be converted to text."));
    }
    out.push(c);
    Ok(())
}
