//! Lexemes as both types write them: bare, or in quotes, with backslashes; in a `tsvector` with positions.
//! (PostgreSQL: `gettoken_tsvector`)

use base::sqlstate::*;
use base::{PgError, Result};

use super::{MAX_POSITION, Position};
use crate::err::error;
use crate::int::is_space;

pub struct Scanner<'a> {
    pub text: &'a str,
    pub at: usize,
    /// Operators end a word, and no positions follow.
    pub query: bool,
}

pub fn is_operator(c: char) -> bool {
    matches!(c, '<' | '!' | '&' | '|' | '(' | ')')
}

impl<'a> Scanner<'a> {
    pub fn peek(&self) -> Option<char> {
        self.text[self.at..].chars().next()
    }
    pub fn step(&mut self) {
        self.at += self.peek().map_or(0, char::len_utf8);
    }
    pub fn skip(&mut self) {
        while self.peek().is_some_and(is_space) {
            self.step();
        }
    }
    pub fn bad(&self) -> PgError {
        let what = if self.query { "tsquery" } else { "tsvector" };
        error(SYNTAX_ERROR, format!("syntax error in {what}: \"{}\"", self.text))
    }
    fn escaped(&mut self) -> Result<char> {
        self.step();
        let c = self
            .peek()
            .ok_or_else(|| error(SYNTAX_ERROR, format!("there is no escaped character: \"{}\"", self.text)))?;
        self.step();
        Ok(c)
    }
    /// The next lexeme; `None` at the end.
    pub fn lexeme(&mut self) -> Result<Option<(String, Vec<Position>)>> {
        self.skip();
        let Some(first) = self.peek() else { return Ok(None) };
        let mut word = String::new();
        if first == '\'' {
            self.step();
            loop {
                match self.peek() {
                    None => return Err(self.bad()),
                    Some('\\') => word.push(self.escaped()?),
                    Some('\'') => {
                        self.step();
                        if self.peek() != Some('\'') {
                            break;
                        }
                        word.push('\'');
                        self.step();
                    }
                    Some(c) => {
                        word.push(c);
                        self.step();
                    }
                }
            }
            if word.is_empty() {
                return Err(self.bad());
            }
        } else {
            if self.query && is_operator(first) {
                return Err(self.bad());
            }
            loop {
                match self.peek() {
                    Some('\\') => word.push(self.escaped()?),
                    Some(':') if !word.is_empty() => break,
                    // The first character is part of the word whatever it is.
                    Some(c) if word.is_empty() && c == first => {
                        word.push(c);
                        self.step();
                    }
                    None => break,
                    Some(c) if is_space(c) || self.query && is_operator(c) => break,
                    Some(c) => {
                        word.push(c);
                        self.step();
                    }
                }
            }
            if word.is_empty() {
                return Err(self.bad());
            }
        }
        let mut positions = Vec::new();
        if !self.query && self.peek() == Some(':') {
            self.step();
            self.positions(&mut positions)?;
        }
        Ok(Some((word, positions)))
    }
    fn positions(&mut self, out: &mut Vec<Position>) -> Result<()> {
        loop {
            let rest = &self.text[self.at..];
            let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
            if digits == 0 {
                return Err(self.bad());
            }
            let v = rest[..digits].parse::<u64>().unwrap_or(u64::MAX).min(u64::from(MAX_POSITION)) as u16;
            if v == 0 {
                return Err(error(SYNTAX_ERROR, format!("wrong position info in tsvector: \"{}\"", self.text)));
            }
            self.at += digits;
            let mut weight = 0;
            loop {
                let w = match self.peek() {
                    Some('a' | 'A' | '*') => 3,
                    Some('b' | 'B') => 2,
                    Some('c' | 'C') => 1,
                    Some('d' | 'D') => 0,
                    // Digits after a weight are passed over.
                    Some(c) if c.is_ascii_digit() => {
                        self.step();
                        continue;
                    }
                    _ => break,
                };
                if weight != 0 {
                    return Err(self.bad());
                }
                weight = w;
                self.step();
            }
            out.push(Position { at: v, weight });
            match self.peek() {
                Some(',') => self.step(),
                None => return Ok(()),
                Some(c) if is_space(c) => return Ok(()),
                Some(_) => return Err(self.bad()),
            }
        }
    }
}
