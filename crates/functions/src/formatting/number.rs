//! Numeric templates taken apart. (PostgreSQL: `NUM_keywords`, `NUMDesc_prepare`)

use base::sqlstate::SYNTAX_ERROR;
use base::{PgError, Result};

use super::template::literal;
use crate::err::error;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Item {
    Nine,
    Zero,
    /// `.` and `D`
    Point,
    Comma,
    /// `G`
    Group,
    /// `L`
    Currency,
    /// `MI`
    Minus,
    /// `PL`
    Plus,
    /// `SG`
    Sign,
    /// `RN`
    Roman {
        upper: bool,
    },
    Ordinal {
        upper: bool,
    },
    Text(char),
    /// Patterns that only change the description: `FM`, `S`, `PR`, `V`, `B`, ..
    Silent,
}

/// Where `S` puts the sign.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Anchor {
    Before,
    After,
}

/// A numeric template.
#[derive(Clone, Default, Debug)]
pub struct Template {
    pub items: Vec<Item>,
    /// Digits before and after the point, and after `V`.
    pub pre: usize,
    pub post: usize,
    pub shift: usize,
    /// The first `0` before the point, counted from 1; 0 if none.
    pub zero_start: usize,
    pub zero_end: usize,
    /// `S`, with the digits before it.
    pub anchor: Option<Anchor>,
    pub digits_before_sign: usize,
    pub fill: bool,
    pub decimal: bool,
    pub has_zero: bool,
    pub blank: bool,
    pub bracket: bool,
    pub minus: bool,
    pub plus: bool,
    pub roman: bool,
    pub shifted: bool,
    pub exponent: bool,
}

/// The patterns, longer ones first.
const PATTERNS: &[&str] = &[
    ",", ".", "0", "9", "B", "C", "D", "EEEE", "FM", "G", "L", "MI", "PL", "PR", "RN", "SG", "SP", "S", "TH", "V", "b",
    "c", "d", "eeee", "fm", "g", "l", "mi", "pl", "pr", "rn", "sg", "sp", "s", "th", "v",
];

#[cold]
fn syntax(text: &str) -> PgError {
    error(SYNTAX_ERROR, text)
}

impl Template {
    pub fn parse(format: &str) -> Result<Template> {
        let mut t = Template::default();
        let mut rest = format;
        while !rest.is_empty() {
            if let Some(name) = PATTERNS.iter().find(|name| rest.starts_with(**name)) {
                t.pattern(name)?;
                rest = &rest[name.len()..];
            } else {
                let used = literal(rest, |c, _| t.items.push(Item::Text(c)));
                rest = &rest[used..];
            }
        }
        Ok(t)
    }
    fn pattern(&mut self, name: &str) -> Result<()> {
        let folded = name.to_ascii_uppercase();
        if self.exponent && folded != "EEEE" {
            return Err(syntax("\"EEEE\" must be the last pattern used"));
        }
        let upper = name == folded;
        let mut item = Item::Silent;
        match &*folded {
            "9" => {
                if self.bracket {
                    return Err(syntax("\"9\" must be ahead of \"PR\""));
                }
                *(if self.shifted {
                    &mut self.shift
                } else if self.decimal {
                    &mut self.post
                } else {
                    &mut self.pre
                }) += 1;
                item = Item::Nine;
            }
            "0" => {
                if self.bracket {
                    return Err(syntax("\"0\" must be ahead of \"PR\""));
                }
                if !self.has_zero && !self.decimal {
                    self.has_zero = true;
                    self.zero_start = self.pre + 1;
                }
                *(if self.decimal { &mut self.post } else { &mut self.pre }) += 1;
                self.zero_end = self.pre + self.post;
                item = Item::Zero;
            }
            "B" => self.blank |= self.pre == 0 && self.post == 0 && !self.has_zero,
            "." | "D" => {
                if self.decimal {
                    return Err(syntax("multiple decimal points"));
                }
                if self.shifted {
                    return Err(syntax("cannot use \"V\" and decimal point together"));
                }
                self.decimal = true;
                item = Item::Point;
            }
            "FM" => self.fill = true,
            "S" => {
                if self.anchor.is_some() {
                    return Err(syntax("cannot use \"S\" twice"));
                }
                if self.plus || self.minus || self.bracket {
                    return Err(syntax("cannot use \"S\" and \"PL\"/\"MI\"/\"SG\"/\"PR\" together"));
                }
                if self.decimal {
                    self.anchor = Some(Anchor::After);
                } else {
                    self.anchor = Some(Anchor::Before);
                    self.digits_before_sign = self.pre;
                }
            }
            "MI" => {
                if self.anchor.is_some() {
                    return Err(syntax("cannot use \"S\" and \"MI\" together"));
                }
                self.minus = true;
                item = Item::Minus;
            }
            "PL" => {
                if self.anchor.is_some() {
                    return Err(syntax("cannot use \"S\" and \"PL\" together"));
                }
                self.plus = true;
                item = Item::Plus;
            }
            "SG" => {
                if self.anchor.is_some() {
                    return Err(syntax("cannot use \"S\" and \"SG\" together"));
                }
                (self.minus, self.plus) = (true, true);
                item = Item::Sign;
            }
            "PR" => {
                if self.anchor.is_some() || self.plus || self.minus {
                    return Err(syntax("cannot use \"PR\" and \"S\"/\"PL\"/\"MI\"/\"SG\" together"));
                }
                self.bracket = true;
            }
            "RN" => {
                if self.roman {
                    return Err(syntax("cannot use \"RN\" twice"));
                }
                self.roman = true;
                item = Item::Roman { upper };
            }
            "V" => {
                if self.decimal {
                    return Err(syntax("cannot use \"V\" and decimal point together"));
                }
                self.shifted = true;
            }
            "EEEE" => {
                if self.exponent {
                    return Err(syntax("cannot use \"EEEE\" twice"));
                }
                let other = self.blank || self.fill || self.anchor.is_some() || self.bracket;
                if other || self.minus || self.plus || self.roman || self.shifted {
                    return Err(syntax("\"EEEE\" is incompatible with other formats")
                        .detail("\"EEEE\" may only be used together with digit and decimal point patterns."));
                }
                self.exponent = true;
            }
            "," => item = Item::Comma,
            "G" => item = Item::Group,
            "L" => item = Item::Currency,
            "TH" => item = Item::Ordinal { upper },
            _ => {}
        }
        let other = self.has_zero || self.blank || self.decimal || self.anchor.is_some() || self.bracket;
        if self.roman && (other || self.minus || self.plus || self.shifted || self.exponent) {
            return Err(syntax("\"RN\" is incompatible with other formats")
                .detail("\"RN\" may only be used together with \"FM\"."));
        }
        self.items.push(item);
        Ok(())
    }
}
