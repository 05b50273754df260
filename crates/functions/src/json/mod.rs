//! `json` and `jsonb`: the parser and values in common. `text` has the functions of `json`, `binary` the stored form of
//! `jsonb`, `jsonb` its functions, `build` the making of JSON from SQL values, `aggregate` json_agg and its kin.
//!
//! PostgreSQL: `json.c`, `jsonapi.c`, `jsonb.c`.

pub mod aggregate;
pub mod binary;
pub mod build;
pub mod jsonb;
pub mod path;
pub mod query;
pub mod record;
pub mod text;

use base::sqlstate::{INVALID_TEXT_REPRESENTATION, STATEMENT_TOO_COMPLEX, UNTRANSLATABLE_CHARACTER};
use base::{PgError, Result};

use crate::err::error;
use crate::numeric::Numeric;

/// A value; objects keep their pairs in written order until they are made `jsonb`.
#[derive(Clone, Debug)]
pub enum Json {
    Null,
    Bool(bool),
    Number(Numeric),
    String(String),
    Array(Vec<Json>),
    Object(Vec<(String, Json)>),
}

/// A value of a text with its place there.
pub struct Node {
    pub start: usize,
    pub end: usize,
    pub kind: Kind,
}
pub enum Kind {
    Null,
    Bool(bool),
    Number,
    String(String),
    Array(Vec<Node>),
    Object(Vec<(String, Node)>),
}

impl Node {
    pub fn raw<'a>(&self, text: &'a str) -> &'a str {
        &text[self.start..self.end]
    }
    pub fn to_json(&self, text: &str) -> Result<Json> {
        Ok(match &self.kind {
            Kind::Null => Json::Null,
            Kind::Bool(b) => Json::Bool(*b),
            Kind::Number => Json::Number(Numeric::parse(self.raw(text))?),
            Kind::String(s) => Json::String(s.clone()),
            Kind::Array(list) => Json::Array(list.iter().map(|n| n.to_json(text)).collect::<Result<_>>()?),
            Kind::Object(list) => {
                Json::Object(list.iter().map(|(k, n)| Ok((k.clone(), n.to_json(text)?))).collect::<Result<_>>()?)
            }
        })
    }
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
    depth: u32,
    /// `jsonb` cannot hold the character zero.
    strict: bool,
}

pub fn parse(text: &str, strict: bool) -> Result<Node> {
    let mut p = Parser { text, at: 0, depth: 0, strict };
    let node = p.value()?;
    p.skip();
    if p.at < text.len() {
        return Err(p.expected("end of input"));
    }
    Ok(node)
}
#[cold]
fn syntax(detail: String) -> PgError {
    error(INVALID_TEXT_REPRESENTATION, "invalid input syntax for type json").detail(detail)
}
/// How much of a line an error shows.
const CONTEXT_BYTES: usize = 50;

/// The line that an error is in, up to its place. (PostgreSQL: `report_json_context`)
#[cold]
fn context(text: &str, end: usize) -> String {
    let end = end.min(text.len());
    let before = &text[..end];
    let line = before.rfind('\n').map_or(0, |i| i + 1);
    let mut start = line;
    while end - start >= CONTEXT_BYTES {
        start += text[start..].chars().next().map_or(1, char::len_utf8);
    }
    if start - line <= 3 {
        start = line;
    }
    let prefix = if start > line { "..." } else { "" };
    let suffix = if text[end..].is_empty() || text[end..].starts_with(['\n', '\r']) { "" } else { "..." };
    let number = before.matches('\n').count() + 1;
    format!("JSON data, line {number}: {prefix}{}{suffix}", &text[start..end])
}

impl Parser<'_> {
    fn skip(&mut self) {
        while matches!(self.text.as_bytes().get(self.at), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }
    fn peek(&mut self) -> Option<u8> {
        self.skip();
        self.text.as_bytes().get(self.at).copied()
    }
    /// The token at hand, for messages.
    fn token(&self) -> &str {
        let rest = &self.text[self.at..];
        let word =
            rest.find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '+' | '.') || !c.is_ascii()));
        match word.unwrap_or(rest.len()) {
            0 => &rest[..rest.chars().next().map_or(0, char::len_utf8)],
            n => &rest[..n],
        }
    }
    /// An error at the place reached.
    fn syntax(&self, detail: String) -> PgError {
        syntax(detail).context(context(self.text, self.at))
    }
    /// An error about a token that lies ahead.
    fn syntax_at(&self, detail: String, length: usize) -> PgError {
        syntax(detail).context(context(self.text, self.at + length))
    }
    fn expected(&mut self, what: &str) -> PgError {
        self.skip();
        if self.at >= self.text.len() {
            return self.syntax("The input string ended unexpectedly.".into());
        }
        let token = self.token().to_owned();
        let c = token.as_bytes()[0];
        let known = matches!(c, b'{' | b'}' | b'[' | b']' | b',' | b':' | b'"')
            || matches!(&*token, "true" | "false" | "null")
            || token.parse::<f64>().is_ok() && c != b'+' && !c.is_ascii_alphabetic();
        if !known {
            return self.syntax_at(format!("Token \"{token}\" is invalid."), token.len());
        }
        let shown = match c {
            b'"' => {
                let start = self.at;
                match self.string() {
                    Ok(_) => self.text[start..self.at].to_owned(),
                    Err(e) => return e,
                }
            }
            _ => {
                self.at += token.len();
                token
            }
        };
        self.syntax(format!("Expected {what}, but found \"{shown}\"."))
    }
    fn value(&mut self) -> Result<Node> {
        let first = self.peek();
        let start = self.at;
        let kind = match first {
            Some(b'{') => self.object()?,
            Some(b'[') => self.array()?,
            Some(b'"') => Kind::String(self.string()?),
            Some(b'-' | b'0'..=b'9') => self.number()?,
            Some(c) if c.is_ascii_alphabetic() => {
                let word = self.token().to_owned();
                self.at += word.len();
                match &*word {
                    "null" => Kind::Null,
                    "true" => Kind::Bool(true),
                    "false" => Kind::Bool(false),
                    _ => return Err(self.syntax(format!("Token \"{word}\" is invalid."))),
                }
            }
            _ => return Err(self.expected("JSON value")),
        };
        Ok(Node { start, end: self.at, kind })
    }
    fn enter(&mut self) -> Result<()> {
        self.depth += 1;
        self.at += 1;
        if self.depth > 1500 {
            return Err(error(STATEMENT_TOO_COMPLEX, "stack depth limit exceeded"));
        }
        Ok(())
    }
    fn array(&mut self) -> Result<Kind> {
        self.enter()?;
        let mut list = Vec::new();
        if self.peek() == Some(b']') {
            self.at += 1;
        } else {
            loop {
                list.push(self.value()?);
                match self.peek() {
                    Some(b',') => self.at += 1,
                    Some(b']') => {
                        self.at += 1;
                        break;
                    }
                    _ => return Err(self.expected("\",\" or \"]\"")),
                }
            }
        }
        self.depth -= 1;
        Ok(Kind::Array(list))
    }
    fn object(&mut self) -> Result<Kind> {
        self.enter()?;
        let mut list = Vec::new();
        if self.peek() == Some(b'}') {
            self.at += 1;
        } else {
            loop {
                if self.peek() != Some(b'"') {
                    return Err(self.expected(if list.is_empty() { "string or \"}\"" } else { "string" }));
                }
                let key = self.string()?;
                if self.peek() != Some(b':') {
                    return Err(self.expected("\":\""));
                }
                self.at += 1;
                list.push((key, self.value()?));
                match self.peek() {
                    Some(b',') => self.at += 1,
                    Some(b'}') => {
                        self.at += 1;
                        break;
                    }
                    _ => return Err(self.expected("\",\" or \"}\"")),
                }
            }
        }
        self.depth -= 1;
        Ok(Kind::Object(list))
    }
    fn number(&mut self) -> Result<Kind> {
        let token = self.token().to_owned();
        let body = token.strip_prefix('-').unwrap_or(&token);
        let (mantissa, exponent) = body.split_once(['e', 'E']).map_or((body, None), |(m, e)| (m, Some(e)));
        let (whole, fraction) = mantissa.split_once('.').map_or((mantissa, None), |(w, f)| (w, Some(f)));
        let digits = |s: &str| !s.is_empty() && s.bytes().all(|c| c.is_ascii_digit());
        let good = digits(whole)
            && (whole == "0" || !whole.starts_with('0'))
            && fraction.is_none_or(digits)
            && exponent.is_none_or(|e| digits(e.strip_prefix(['+', '-']).unwrap_or(e)));
        if !good {
            return Err(self.syntax_at(format!("Token \"{token}\" is invalid."), token.len()));
        }
        self.at += token.len();
        Ok(Kind::Number)
    }
    fn hex4(&mut self) -> Result<u32> {
        let bad = || {
            let digits = self.text[self.at..].bytes().take(4).take_while(u8::is_ascii_hexdigit).count();
            let next = self.text[self.at + digits..].chars().next().map_or(0, char::len_utf8);
            self.syntax_at("\"\\u\" must be followed by four hexadecimal digits.".into(), digits + next)
        };
        let h =
            self.text.get(self.at..self.at + 4).filter(|h| h.bytes().all(|c| c.is_ascii_hexdigit())).ok_or_else(bad)?;
        let code = u32::from_str_radix(h, 16).map_err(|_| bad())?;
        self.at += 4;
        Ok(code)
    }
    fn string(&mut self) -> Result<String> {
        let start = self.at;
        self.at += 1;
        let mut out = String::new();
        loop {
            let Some(c) = self.text[self.at..].chars().next() else {
                return Err(self.syntax(format!("Token \"{}\" is invalid.", &self.text[start..])));
            };
            self.at += c.len_utf8();
            match c {
                '"' => return Ok(out),
                '\\' => {
                    let Some(e) = self.text[self.at..].chars().next() else {
                        return Err(self.syntax(format!("Token \"{}\" is invalid.", &self.text[start..])));
                    };
                    self.at += e.len_utf8();
                    out.push(match e {
                        '"' | '\\' | '/' => e,
                        'b' => '\x08',
                        'f' => '\x0c',
                        'n' => '\n',
                        'r' => '\r',
                        't' => '\t',
                        'u' => self.unicode()?,
                        e => return Err(self.syntax(format!("Escape sequence \"\\{e}\" is invalid."))),
                    });
                }
                c if (c as u32) < 32 => {
                    self.at -= c.len_utf8();
                    return Err(self.syntax(format!("Character with value 0x{:02x} must be escaped.", c as u32)));
                }
                c => out.push(c),
            }
        }
    }
    fn unicode(&mut self) -> Result<char> {
        let start = self.at;
        match self.code_point() {
            // Text that stays as written need not make sense as characters.
            Err(_) if !self.strict && self.hex_follows(start) => {
                self.at = start + 4;
                Ok(char::REPLACEMENT_CHARACTER)
            }
            r => r,
        }
    }
    fn hex_follows(&self, at: usize) -> bool {
        self.text.get(at..at + 4).is_some_and(|h| h.bytes().all(|c| c.is_ascii_hexdigit()))
    }
    fn code_point(&mut self) -> Result<char> {
        const LOW: &str = "Unicode low surrogate must follow a high surrogate.";
        let mut code = self.hex4()?;
        if (0xD800..0xDC00).contains(&code) {
            if !self.text[self.at..].starts_with("\\u") {
                let next = self.text[self.at..].chars().next().map_or(0, char::len_utf8);
                return Err(self.syntax_at(LOW.into(), next));
            }
            self.at += 2;
            let low = self.hex4()?;
            if (0xD800..0xDC00).contains(&low) {
                return Err(self.syntax("Unicode high surrogate must not follow a high surrogate.".into()));
            }
            if !(0xDC00..0xE000).contains(&low) {
                return Err(self.syntax(LOW.into()));
            }
            code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
        } else if (0xDC00..0xE000).contains(&code) {
            return Err(self.syntax(LOW.into()));
        }
        if code == 0 && self.strict {
            return Err(error(UNTRANSLATABLE_CHARACTER, "unsupported Unicode escape sequence")
                .detail("\\u0000 cannot be converted to text.")
                .context(context(self.text, self.at)));
        }
        char::from_u32(code).ok_or_else(|| self.syntax("Escape sequence is invalid.".into()))
    }
}

/// A string with its quotes. (PostgreSQL: `escape_json`)
pub fn write_string(s: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    for &c in s.as_bytes() {
        match c {
            b'"' => out.extend_from_slice(b"\\\""),
            b'\\' => out.extend_from_slice(b"\\\\"),
            8 => out.extend_from_slice(b"\\b"),
            12 => out.extend_from_slice(b"\\f"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            0..32 => out.extend_from_slice(format!("\\u{c:04x}").as_bytes()),
            c => out.push(c),
        }
    }
    out.push(b'"');
}
impl Json {
    /// As `jsonb` prints it; `indent` for `jsonb_pretty`.
    pub fn write(&self, indent: Option<usize>, out: &mut Vec<u8>) {
        let line = |out: &mut Vec<u8>, n: usize| {
            out.push(b'\n');
            out.resize(out.len() + 4 * n, b' ');
        };
        match self {
            Json::Null => out.extend_from_slice(b"null"),
            Json::Bool(b) => out.extend_from_slice(if *b { b"true" } else { b"false" }),
            Json::Number(n) => n.write(out),
            Json::String(s) => write_string(s, out),
            Json::Array(list) => {
                out.push(b'[');
                for (i, v) in list.iter().enumerate() {
                    if i > 0 {
                        out.extend_from_slice(if indent.is_some() { b"," } else { b", " });
                    }
                    if let Some(n) = indent {
                        line(out, n + 1);
                    }
                    v.write(indent.map(|n| n + 1), out);
                }
                if let Some(n) = indent {
                    line(out, n);
                }
                out.push(b']');
            }
            Json::Object(list) => {
                out.push(b'{');
                for (i, (k, v)) in list.iter().enumerate() {
                    if i > 0 {
                        out.extend_from_slice(if indent.is_some() { b"," } else { b", " });
                    }
                    if let Some(n) = indent {
                        line(out, n + 1);
                    }
                    write_string(k, out);
                    out.extend_from_slice(b": ");
                    v.write(indent.map(|n| n + 1), out);
                }
                if let Some(n) = indent {
                    line(out, n);
                }
                out.push(b'}');
            }
        }
    }
    pub fn type_name(&self) -> &'static str {
        match self {
            Json::Null => "null",
            Json::Bool(_) => "boolean",
            Json::Number(_) => "number",
            Json::String(_) => "string",
            Json::Array(_) => "array",
            Json::Object(_) => "object",
        }
    }
    /// The text of a value as `->>` gives it; `None` for null.
    pub fn as_text(&self) -> Option<String> {
        match self {
            Json::Null => None,
            Json::String(s) => Some(s.clone()),
            v => {
                let mut out = Vec::new();
                v.write(None, &mut out);
                Some(String::from_utf8(out).unwrap_or_default())
            }
        }
    }
}
