//! Reading and writing node text by one description: [`Archive`] goes through a node's fields in order and either writes each
//! or replaces it by what is read.
//!
//! PostgreSQL: `outfuncs.c`, `readfuncs.c`, `read.c`.

use base::error::Location;
use base::sqlstate::DATA_CORRUPTED;
use base::{Oid, PgError, Result};
use catalog::Catalog;

/// The text that is written, or the tokens still to be read.
pub(super) struct Archive<'a> {
    pub out: String,
    tokens: Option<std::iter::Peekable<Tokens<'a>>>,
    pub catalog: &'a Catalog,
}

/// Splits node text: brackets by themselves, all else by blanks; a backslash protects what follows. (PostgreSQL: `pg_strtok`)
#[derive(Clone)]
struct Tokens<'a>(&'a str);

impl<'a> Iterator for Tokens<'a> {
    type Item = &'a str;
    fn next(&mut self) -> Option<&'a str> {
        let s = self.0.trim_start_matches([' ', '\n', '\t']);
        let b = s.as_bytes();
        let mut n = match b.first()? {
            b'(' | b')' | b'{' | b'}' => 1,
            _ => 0,
        };
        if n == 0 {
            while n < b.len() && !matches!(b[n], b' ' | b'\n' | b'\t' | b'(' | b')' | b'{' | b'}') {
                n += if b[n] == b'\\' && n + 1 < b.len() { 2 } else { 1 };
            }
        }
        while !s.is_char_boundary(n) {
            n += 1;
        }
        let (token, rest) = s.split_at(n);
        self.0 = rest;
        Some(token)
    }
}

#[cold]
pub(super) fn bad(what: impl std::fmt::Display) -> PgError {
    PgError::new(DATA_CORRUPTED, format!("malformed node tree: {what}"))
}

fn unescape(token: &str) -> String {
    let mut out = String::with_capacity(token.len());
    let mut chars = token.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => out.extend(chars.next()),
            c => out.push(c),
        }
    }
    out
}

/// (PostgreSQL: `outToken`)
fn escape(out: &mut String, s: &str) {
    let b = s.as_bytes();
    let signed = matches!(b.first(), Some(b'+' | b'-')) && b.get(1).is_some_and(|c| c.is_ascii_digit() || *c == b'.');
    if matches!(b.first(), Some(b'<' | b'"' | b'0'..=b'9')) || signed {
        out.push('\\');
    }
    for c in s.chars() {
        if matches!(c, ' ' | '\n' | '\t' | '(' | ')' | '{' | '}' | '\\') {
            out.push('\\');
        }
        out.push(c);
    }
}

impl<'a> Archive<'a> {
    pub(super) fn writer(catalog: &'a Catalog) -> Archive<'a> {
        Archive { out: String::new(), tokens: None, catalog }
    }
    pub(super) fn reader(text: &'a str, catalog: &'a Catalog) -> Archive<'a> {
        Archive { out: String::new(), tokens: Some(Tokens(text).peekable()), catalog }
    }
    pub(super) fn reading(&self) -> bool {
        self.tokens.is_some()
    }
    pub(super) fn take(&mut self) -> Result<&'a str> {
        self.tokens.as_mut().and_then(Iterator::next).ok_or_else(|| bad("it ends too early"))
    }
    pub(super) fn peek(&mut self) -> &'a str {
        self.tokens.as_mut().and_then(|t| t.peek().copied()).unwrap_or("")
    }
    pub(super) fn expect(&mut self, token: &str) -> Result<()> {
        let t = self.take()?;
        if t == token { Ok(()) } else { Err(bad(format_args!("\"{t}\" where \"{token}\" was expected"))) }
    }
    /// The label of the node that comes next.
    pub(super) fn label(&mut self) -> Result<&'a str> {
        let mut ahead = self.tokens.as_mut().map(|t| t.clone()).into_iter().flatten();
        match (ahead.next(), ahead.next()) {
            (Some("{"), Some(label)) => Ok(label),
            (t, _) => Err(bad(format_args!("\"{}\" where a node was expected", t.unwrap_or("")))),
        }
    }
    /// Whether the next token is an absent value, which is taken.
    pub(super) fn absent(&mut self) -> Result<bool> {
        if self.peek() == "<>" {
            self.take()?;
            return Ok(true);
        }
        Ok(false)
    }

    /// A field's name.
    pub(super) fn name(&mut self, name: &str) -> Result<()> {
        if self.reading() {
            let t = self.take()?;
            return if t.strip_prefix(':') == Some(name) {
                Ok(())
            } else {
                Err(bad(format_args!("field \"{t}\" where \"{name}\" was expected")))
            };
        }
        self.out.push_str(" :");
        self.out.push_str(name);
        self.out.push(' ');
        Ok(())
    }
    /// `{LABEL fields}`
    pub(super) fn node(&mut self, label: &str, f: impl FnOnce(&mut Self) -> Result<()>) -> Result<()> {
        if self.reading() {
            self.expect("{")?;
            self.expect(label)?;
            f(self)?;
            return self.expect("}");
        }
        self.out.push('{');
        self.out.push_str(label);
        f(self)?;
        self.out.push('}');
        Ok(())
    }

    fn number<T: Copy + std::fmt::Display + std::str::FromStr>(&mut self, v: &mut T) -> Result<()> {
        if self.reading() {
            let t = self.take()?;
            *v = t.parse().map_err(|_| bad(format_args!("\"{t}\" is no number")))?;
        } else {
            self.out.push_str(&v.to_string());
        }
        Ok(())
    }
    pub(super) fn num<T: Copy + std::fmt::Display + std::str::FromStr>(&mut self, name: &str, v: &mut T) -> Result<()> {
        self.name(name)?;
        self.number(v)
    }
    pub(super) fn oid(&mut self, name: &str, v: &mut Oid) -> Result<()> {
        self.num(name, &mut v.0)
    }
    pub(super) fn flag(&mut self, name: &str, v: &mut bool) -> Result<()> {
        self.name(name)?;
        if self.reading() {
            *v = self.take()? == "true";
        } else {
            self.out.push_str(if *v { "true" } else { "false" });
        }
        Ok(())
    }
    /// A place in the text, which is not stored.
    pub(super) fn loc(&mut self, name: &str, v: &mut Location) -> Result<()> {
        let mut n = -1i32;
        self.num(name, &mut n)?;
        if self.reading() {
            *v = Location::UNKNOWN;
        }
        Ok(())
    }
    /// A field that always has this value.
    pub(super) fn fixed(&mut self, name: &str, value: &str) -> Result<()> {
        self.name(name)?;
        if self.reading() {
            self.skip()
        } else {
            self.out.push_str(value);
            Ok(())
        }
    }
    /// Passes over one value.
    pub(super) fn skip(&mut self) -> Result<()> {
        let mut depth = 0;
        loop {
            match self.take()? {
                "(" | "{" => depth += 1,
                ")" | "}" => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                return Ok(());
            }
        }
    }
    pub(super) fn char(&mut self, name: &str, v: &mut u8) -> Result<()> {
        self.name(name)?;
        if self.reading() {
            let t = self.take()?;
            *v = if t == "<>" { 0 } else { unescape(t).bytes().next().unwrap_or(0) };
        } else if *v == 0 {
            self.out.push_str("<>");
        } else {
            escape(&mut self.out, &char::from(*v).to_string());
        }
        Ok(())
    }
    pub(super) fn string(&mut self, name: &str, v: &mut Option<String>) -> Result<()> {
        self.name(name)?;
        if self.reading() {
            let t = self.take()?;
            *v = match t {
                "<>" => None,
                "\"\"" => Some(String::new()),
                t => Some(unescape(t)),
            };
        } else {
            match v {
                None => self.out.push_str("<>"),
                Some(s) if s.is_empty() => self.out.push_str("\"\""),
                Some(s) => escape(&mut self.out, s),
            }
        }
        Ok(())
    }
    pub(super) fn text(&mut self, name: &str, v: &mut String) -> Result<()> {
        let mut s = Some(std::mem::take(v));
        self.string(name, &mut s)?;
        *v = s.unwrap_or_default();
        Ok(())
    }
    /// An enum by PostgreSQL's number.
    pub(super) fn code<T: Copy + PartialEq>(&mut self, name: &str, v: &mut T, all: &[(T, i32)]) -> Result<()> {
        let mut n = all.iter().find(|a| a.0 == *v).map_or(0, |a| a.1);
        self.num(name, &mut n)?;
        if self.reading() {
            let hit = all.iter().find(|a| a.1 == n);
            *v = hit.ok_or_else(|| bad(format_args!("{n} is no value of \"{name}\"")))?.0;
        }
        Ok(())
    }
    /// `(i 1 2)`, `(o 1 2)`, `(b 1 2)`: numbers; empty lists but not empty sets are absent.
    pub(super) fn numbers<T: Copy + std::fmt::Display + std::str::FromStr>(
        &mut self,
        name: &str,
        kind: &str,
        v: &mut Vec<T>,
    ) -> Result<()> {
        self.name(name)?;
        self.plain_numbers(kind, v)
    }
    pub(super) fn plain_numbers<T: Copy + std::fmt::Display + std::str::FromStr>(
        &mut self,
        kind: &str,
        v: &mut Vec<T>,
    ) -> Result<()> {
        if self.reading() {
            v.clear();
            if self.absent()? {
                return Ok(());
            }
            self.expect("(")?;
            self.expect(kind)?;
            while self.peek() != ")" {
                let t = self.take()?;
                v.push(t.parse().map_err(|_| bad(format_args!("\"{t}\" is no number")))?);
            }
            return self.expect(")");
        }
        if v.is_empty() && kind != "b" {
            self.out.push_str("<>");
            return Ok(());
        }
        self.out.push('(');
        self.out.push_str(kind);
        for n in v {
            self.out.push(' ');
            self.out.push_str(&n.to_string());
        }
        self.out.push(')');
        Ok(())
    }
    pub(super) fn oids(&mut self, name: &str, v: &mut Vec<Oid>) -> Result<()> {
        let mut n: Vec<u32> = v.iter().map(|o| o.0).collect();
        self.numbers(name, "o", &mut n)?;
        if self.reading() {
            *v = n.into_iter().map(Oid).collect();
        }
        Ok(())
    }
    /// A list of nodes, each by `f`.
    pub(super) fn list<T: Default>(
        &mut self,
        name: &str,
        v: &mut Vec<T>,
        f: impl FnMut(&mut Self, &mut T) -> Result<()>,
    ) -> Result<()> {
        self.name(name)?;
        self.plain_list(v, f)
    }
    pub(super) fn plain_list<T: Default>(
        &mut self,
        v: &mut Vec<T>,
        mut f: impl FnMut(&mut Self, &mut T) -> Result<()>,
    ) -> Result<()> {
        if self.reading() {
            v.clear();
            if self.absent()? {
                return Ok(());
            }
            self.expect("(")?;
            while self.peek() != ")" {
                let mut x = T::default();
                f(self, &mut x)?;
                v.push(x);
            }
            return self.expect(")");
        }
        if v.is_empty() {
            self.out.push_str("<>");
            return Ok(());
        }
        self.out.push('(');
        for (i, x) in v.iter_mut().enumerate() {
            if i > 0 {
                self.out.push(' ');
            }
            f(self, x)?;
        }
        self.out.push(')');
        Ok(())
    }
    /// A node that may be absent.
    pub(super) fn optional<T: Default>(
        &mut self,
        name: &str,
        v: &mut Option<T>,
        f: impl FnOnce(&mut Self, &mut T) -> Result<()>,
    ) -> Result<()> {
        self.name(name)?;
        if self.reading() {
            *v = None;
            if self.absent()? {
                return Ok(());
            }
            let mut x = T::default();
            f(self, &mut x)?;
            *v = Some(x);
            return Ok(());
        }
        match v {
            None => self.out.push_str("<>"),
            Some(x) => f(self, x)?,
        }
        Ok(())
    }
    /// Names as a list of string nodes.
    pub(super) fn strings(&mut self, name: &str, v: &mut Vec<String>) -> Result<()> {
        self.list(name, v, |a, s| {
            if a.reading() {
                let t = a.take()?;
                let inner = t.strip_prefix('"').and_then(|t| t.strip_suffix('"'));
                *s = unescape(inner.ok_or_else(|| bad(format_args!("\"{t}\" is no string")))?);
            } else {
                a.out.push('"');
                escape(&mut a.out, s);
                a.out.push('"');
            }
            Ok(())
        })
    }
}
