//! `to_number`. (PostgreSQL: `NUM_numpart_from_char`)

use base::Result;
use base::sqlstate::{FEATURE_NOT_SUPPORTED, INVALID_TEXT_REPRESENTATION};
use types::builtin;

use super::number::{Anchor, Item, Template};
use crate::err::error;
use crate::numeric::Numeric;

struct Scan<'a> {
    t: &'a Template,
    text: &'a str,
    at: usize,
    sign: u8,
    digits: String,
    before: usize,
    after: usize,
    point: bool,
}

impl Scan<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }
    fn step(&mut self) {
        self.at += self.text[self.at..].chars().next().map_or(0, char::len_utf8);
    }
    /// Skips so many characters that are no part of a number.
    fn skip(&mut self, n: usize) {
        for _ in 0..n {
            if self.peek().is_none_or(|c| b"0123456789.,+-".contains(&c)) {
                return;
            }
            self.step();
        }
    }
    fn leading_sign(&mut self) {
        let before = self.t.anchor == Some(Anchor::Before);
        match self.peek() {
            Some(c @ (b'-' | b'+')) => self.sign = c,
            Some(b'<') if !before && self.t.bracket => self.sign = b'-',
            _ => return,
        }
        self.at += 1;
    }
    /// A place of a digit or the point; on return the character there is still to be passed.
    fn place(&mut self, item: Item) {
        if self.peek() == Some(b' ') {
            self.at += 1;
        }
        if self.peek().is_none() {
            return;
        }
        if self.sign == b' ' && item != Item::Point && self.before + self.after == 0 {
            self.leading_sign();
        }
        let mut read = false;
        match self.peek() {
            None => return,
            Some(c) if c.is_ascii_digit() => {
                if self.point && self.after == self.t.post {
                    return;
                }
                self.digits.push(char::from(c));
                *(if self.point { &mut self.after } else { &mut self.before }) += 1;
                read = true;
            }
            Some(b'.') if self.t.decimal && !self.point => {
                self.digits.push('.');
                self.point = true;
                read = true;
            }
            Some(_) => {}
        }
        if self.sign != b' ' || self.before + self.after == 0 {
            return;
        }
        // A sign behind the last digit.
        let next = self.text.as_bytes().get(self.at + 1).copied();
        match next {
            Some(c) if self.t.anchor.is_some() && read && !c.is_ascii_digit() => {
                if let b'-' | b'+' = c {
                    self.at += 1;
                    self.sign = c;
                }
            }
            _ if !read && self.t.anchor.is_none() && (self.t.plus || self.t.minus) => {
                if let Some(c @ (b'-' | b'+')) = self.peek() {
                    self.sign = c;
                }
            }
            _ => {}
        }
    }
    fn roman(&mut self) -> Option<i32> {
        while self.peek().is_some_and(|c| crate::int::is_space(char::from(c))) {
            self.at += 1;
        }
        let value = |c: u8| match c.to_ascii_uppercase() {
            b'I' => 1,
            b'V' => 5,
            b'X' => 10,
            b'L' => 50,
            b'C' => 100,
            b'D' => 500,
            b'M' => 1000,
            _ => 0,
        };
        let rest = &self.text.as_bytes()[self.at..];
        let values: Vec<i32> = rest.iter().take(15).map(|c| value(*c)).take_while(|v| *v > 0).collect();
        self.at += values.len();
        let sum: i32 = values
            .iter()
            .enumerate()
            .map(|(i, v)| if values.get(i + 1).is_some_and(|next| next > v) { -v } else { *v })
            .sum();
        // Of all spellings of a number one is right: the one we would write.
        (spelled(sum) == values && !values.is_empty()).then_some(sum)
    }
    fn item(&mut self, item: Item) -> Result<()> {
        match item {
            Item::Nine | Item::Zero | Item::Point => self.place(item),
            Item::Comma | Item::Group => {
                if self.t.fill || self.peek() != Some(b',') {
                    return Ok(());
                }
            }
            Item::Currency => {
                self.skip(1);
                return Ok(());
            }
            Item::Ordinal { .. } => {
                if !self.t.roman && !self.t.decimal {
                    self.skip(2);
                }
                return Ok(());
            }
            Item::Minus | Item::Plus | Item::Sign => match (self.peek(), item) {
                (Some(b'-'), Item::Minus | Item::Sign) => self.sign = b'-',
                (Some(b'+'), Item::Plus | Item::Sign) => self.sign = b'+',
                _ => {
                    self.skip(1);
                    return Ok(());
                }
            },
            Item::Roman { .. } => {
                let bad = || error(INVALID_TEXT_REPRESENTATION, "invalid Roman numeral");
                self.digits = self.roman().ok_or_else(bad)?.to_string();
                return Ok(());
            }
            Item::Text(_) => {
                self.step();
                return Ok(());
            }
            Item::Silent => return Ok(()),
        }
        self.step();
        Ok(())
    }
}

/// The values of a Roman numeral's letters.
fn spelled(mut n: i32) -> Vec<i32> {
    let mut out = Vec::new();
    if !(1..4000).contains(&n) {
        return out;
    }
    for unit in [1000, 100, 10, 1] {
        let d = n / unit;
        n %= unit;
        match d {
            9 => out.extend([unit, unit * 10]),
            5..=8 => {
                out.push(unit * 5);
                out.extend((5..d).map(|_| unit));
            }
            4 => out.extend([unit, unit * 5]),
            d => out.extend((0..d).map(|_| unit)),
        }
    }
    out
}

#[builtin("numeric_to_number")]
fn numeric_to_number(text: &str, format: &str) -> Result<Option<Numeric>> {
    if format.is_empty() {
        return Ok(None);
    }
    let t = Template::parse(format)?;
    if t.exponent {
        return Err(error(FEATURE_NOT_SUPPORTED, "\"EEEE\" not supported for input"));
    }
    let mut s = Scan { t: &t, text, at: 0, sign: b' ', digits: String::new(), before: 0, after: 0, point: false };
    for item in &t.items {
        if s.at >= text.len() {
            break;
        }
        s.item(*item)?;
    }
    let digits = s.digits.strip_suffix('.').unwrap_or(&s.digits);
    let (before, after) = if t.roman { (digits.len(), 0) } else { (t.pre, s.after) };
    let value = Numeric::parse(&format!("{}{digits}", char::from(s.sign)))?;
    let precision = (before + t.shift + after) as i32;
    let value = value.apply_typmod((precision << 16 | after as i32) + 4)?;
    if !t.shifted {
        return Ok(Some(value));
    }
    let factor = Numeric::from_i64(10).power(&Numeric::from_i64(-(t.shift as i64)))?;
    Ok(Some(value.mul(&factor)))
}
