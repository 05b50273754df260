//! The text form of intervals: quantities with units, the SQL standard's fields and ISO 8601.
//!
//! PostgreSQL: `ParseDateTime`, `DecodeInterval`, `DecodeISO8601Interval`.

use base::sqlstate::*;
use base::{PgError, Result};
use types::settings::IntervalStyle;

use super::interval::{Interval, fields, interval_range};
use super::parse::Bad;
use super::{DAY, HOUR, MINUTE, SECOND};
use crate::err::error;

#[derive(Clone, Copy, PartialEq)]
enum Unit {
    /// This many microseconds.
    Time(i64),
    Day,
    Week,
    Month,
    /// This many years.
    Year(i32),
}
impl Unit {
    fn of(word: &str) -> Option<Unit> {
        // Words count up to their tenth letter.
        let w = &word[..word.len().min(10)];
        Some(match w {
            "us" | "usec" | "usecs" | "usecond" | "useconds" | "microsecon" => Unit::Time(1),
            "ms" | "msec" | "msecs" | "msecond" | "mseconds" | "millisecon" => Unit::Time(1000),
            "s" | "sec" | "secs" | "second" | "seconds" => Unit::Time(SECOND),
            "m" | "min" | "mins" | "minute" | "minutes" => Unit::Time(MINUTE),
            "h" | "hr" | "hrs" | "hour" | "hours" => Unit::Time(HOUR),
            "d" | "day" | "days" => Unit::Day,
            "w" | "week" | "weeks" => Unit::Week,
            "mon" | "mons" | "month" | "months" => Unit::Month,
            "y" | "yr" | "yrs" | "year" | "years" => Unit::Year(1),
            "dec" | "decs" | "decade" | "decades" => Unit::Year(10),
            "c" | "cent" | "century" | "centuries" => Unit::Year(100),
            "mil" | "mils" | "millennium" | "millennia" => Unit::Year(1000),
            _ => return None,
        })
    }
    /// What a quantity of this unit gives: the same thing is not given twice.
    fn mask(self, fraction: bool) -> u32 {
        match self {
            Unit::Time(1) => 1,
            Unit::Time(1000) => 2,
            Unit::Time(SECOND) => 4 | if fraction { 3 } else { 0 },
            Unit::Time(MINUTE) => 8,
            Unit::Time(_) => 16,
            Unit::Day => 32,
            Unit::Week => 64,
            Unit::Month => 128,
            Unit::Year(1) => 256,
            Unit::Year(10) => 512,
            Unit::Year(100) => 1024,
            Unit::Year(_) => 2048,
        }
    }
}
const CLOCK: u32 = 31;

#[derive(Default)]
struct Parts {
    time: i64,
    day: i32,
    month: i32,
    year: i32,
}
fn sum(v: &mut i32, by: i64) -> Result<(), Bad> {
    *v = i32::try_from(by).ok().and_then(|by| v.checked_add(by)).ok_or(Bad::Range)?;
    Ok(())
}
impl Parts {
    fn add_time(&mut self, value: i64, fraction: f64, scale: i64) -> Result<(), Bad> {
        let whole = value.checked_mul(scale).ok_or(Bad::Range)?;
        self.time = self.time.checked_add(whole).ok_or(Bad::Range)?;
        self.add_part(fraction, scale)
    }
    fn add_part(&mut self, fraction: f64, scale: i64) -> Result<(), Bad> {
        let us = fraction * scale as f64;
        let left = us - us.trunc();
        let us = us as i64 + i64::from(left > 0.5) - i64::from(left < -0.5);
        self.time = self.time.checked_add(us).ok_or(Bad::Range)?;
        Ok(())
    }
    fn add_days(&mut self, fraction: f64, scale: i32) -> Result<(), Bad> {
        let days = fraction * f64::from(scale);
        sum(&mut self.day, days as i64)?;
        self.add_part(days - days.trunc(), DAY)
    }
    /// (PostgreSQL: the cases of `DecodeInterval`)
    fn add(&mut self, value: i64, fraction: f64, unit: Unit) -> Result<(), Bad> {
        match unit {
            Unit::Time(scale) => self.add_time(value, fraction, scale),
            Unit::Day => {
                sum(&mut self.day, value)?;
                self.add_part(fraction, DAY)
            }
            Unit::Week => {
                sum(&mut self.day, value.checked_mul(7).ok_or(Bad::Range)?)?;
                self.add_days(fraction, 7)
            }
            Unit::Month => {
                sum(&mut self.month, value)?;
                self.add_days(fraction, 30)
            }
            Unit::Year(n) => {
                sum(&mut self.year, value.checked_mul(n.into()).ok_or(Bad::Range)?)?;
                sum(&mut self.month, (fraction * f64::from(n) * 12.0).round_ties_even() as i64)
            }
        }
    }
    fn negate(&mut self) -> Result<(), Bad> {
        self.time = self.time.checked_neg().ok_or(Bad::Range)?;
        for v in [&mut self.day, &mut self.month, &mut self.year] {
            *v = v.checked_neg().ok_or(Bad::Range)?;
        }
        Ok(())
    }
}

enum Token<'a> {
    /// Digits, with a point perhaps, or with `-` within.
    Number(&'a str),
    /// With a colon.
    Clock(&'a str),
    /// With a sign; spaces may follow it.
    Signed(bool, &'a str),
    Word(String),
}

fn take<'a>(s: &mut &'a str, more: impl Fn(u8) -> bool) -> &'a str {
    let n = s.bytes().take_while(|c| more(*c)).count();
    let (token, rest) = s.split_at(n);
    *s = rest;
    token
}
fn tokens(mut s: &str) -> Result<Vec<Token<'_>>, Bad> {
    let mut out = Vec::new();
    while let Some(c) = s.bytes().next() {
        let digit = |c: u8| c.is_ascii_digit();
        match c {
            b' ' | b'\t'..=b'\r' => s = &s[1..],
            b'0'..=b'9' | b'.' => {
                let n = s.bytes().take_while(u8::is_ascii_digit).count();
                out.push(match s.as_bytes().get(n) {
                    Some(b':') => Token::Clock(take(&mut s, |c| digit(c) || matches!(c, b':' | b'.'))),
                    Some(b'-') => Token::Number(take(&mut s, |c| digit(c) || c == b'-')),
                    Some(b'.') => Token::Number(take(&mut s, |c| digit(c) || c == b'.')),
                    _ => Token::Number(take(&mut s, digit)),
                });
            }
            b'+' | b'-' => {
                s = s[1..].trim_start_matches(crate::int::is_space);
                match s.bytes().next() {
                    Some(d) if digit(d) || d == b'.' => {
                        let body = take(&mut s, |c| digit(c) || matches!(c, b':' | b'.' | b'-'));
                        out.push(Token::Signed(c == b'-', body));
                    }
                    Some(d) if d.is_ascii_alphabetic() => {
                        let word = take(&mut s, |c| c.is_ascii_alphabetic());
                        out.push(Token::Word(format!("{}{}", char::from(c), word.to_ascii_lowercase())));
                    }
                    _ => return Err(Bad::Format),
                }
            }
            c if c.is_ascii_alphabetic() => {
                out.push(Token::Word(take(&mut s, |c| c.is_ascii_alphabetic()).to_ascii_lowercase()));
            }
            c if c.is_ascii_punctuation() => s = &s[1..],
            _ => return Err(Bad::Format),
        }
    }
    Ok(out)
}

fn int(s: &str) -> Result<i64, Bad> {
    if s.is_empty() {
        return Ok(0);
    }
    if !s.bytes().all(|c| c.is_ascii_digit()) {
        return Err(Bad::Format);
    }
    s.parse().map_err(|_| Bad::Range)
}
fn fraction(s: &str) -> Result<f64, Bad> {
    match s {
        "" => Ok(0.0),
        s if s.bytes().all(|c| c.is_ascii_digit()) => format!("0.{s}").parse().map_err(|_| Bad::Format),
        _ => Err(Bad::Format),
    }
}

/// (PostgreSQL: `DecodeTimeForInterval`)
fn clock(s: &str, range: i32) -> Result<i64, Bad> {
    let mut parts = s.split(':');
    let (first, second, third) = (parts.next().unwrap_or(""), parts.next(), parts.next());
    let second = second.ok_or(Bad::Format)?;
    if parts.next().is_some() {
        return Err(Bad::Format);
    }
    let seconds = |s: &str| -> Result<(i64, i64), Bad> {
        let (whole, part) = s.split_once('.').unwrap_or((s, ""));
        Ok((int(whole)?, (fraction(part)? * 1e6).round_ties_even() as i64))
    };
    let (h, m, (s, us)) = match third {
        None if second.contains('.') || range == fields::MINUTE_SECOND => (0, int(first)?, seconds(second)?),
        None => (int(first)?, int(second)?, (0, 0)),
        Some(third) => (int(first)?, int(second)?, seconds(third)?),
    };
    if m > 59 || s > 60 || us > SECOND {
        return Err(Bad::Range);
    }
    let hours = h.checked_mul(HOUR).ok_or(Bad::Range)?;
    hours.checked_add(m * MINUTE + s * SECOND + us).ok_or(Bad::Range)
}

/// The unit of a number without one, by the type modifier's last field.
fn default_unit(range: i32) -> Unit {
    use fields::*;
    match range {
        YEAR => Unit::Year(1),
        MONTH | YEAR_MONTH => Unit::Month,
        DAY_FIELD => Unit::Day,
        HOUR_FIELD | DAY_HOUR => Unit::Time(HOUR),
        MINUTE_FIELD | HOUR_MINUTE | DAY_MINUTE => Unit::Time(MINUTE),
        _ => Unit::Time(SECOND),
    }
}

/// Units stand after their numbers, so the list is read from its end.
fn decode(list: &[Token<'_>], range: i32, style: IntervalStyle) -> Result<Parts, Bad> {
    let (mut parts, mut seen, mut ago) = (Parts::default(), 0u32, false);
    // The unit for the numbers to come, and whether it still wants one.
    let (mut unit, mut waiting): (Option<Unit>, bool) = (None, false);
    // In the SQL standard's style, a minus in front is that of all fields.
    let all_negative = style == IntervalStyle::SqlStandard
        && matches!(list.first(), Some(Token::Signed(true, _)))
        && !list[1..].iter().any(|t| matches!(t, Token::Signed(..)));
    for (i, token) in list.iter().enumerate().rev() {
        let (negative, body) = match token {
            Token::Word(w) => {
                if waiting {
                    return Err(Bad::Format);
                }
                if w == "ago" {
                    if i + 1 != list.len() {
                        return Err(Bad::Format);
                    }
                    ago = true;
                } else {
                    unit = Some(Unit::of(w).ok_or(Bad::Format)?);
                    waiting = true;
                }
                continue;
            }
            Token::Clock(body) | Token::Number(body) => (all_negative, *body),
            Token::Signed(negative, body) => (all_negative || *negative, *body),
        };
        let mask;
        if body.contains(':') {
            let us = clock(body, range)?;
            let us = if negative { -us } else { us };
            parts.time = parts.time.checked_add(us).ok_or(Bad::Range)?;
            (mask, unit, waiting) = (CLOCK, Some(Unit::Day), false);
        } else {
            let mut of = unit.unwrap_or_else(|| default_unit(range));
            let (value, part) = if let Some((years, months)) = body.split_once('-') {
                let m = int(months)?;
                if m >= 12 {
                    return Err(Bad::Range);
                }
                of = Unit::Month;
                (int(years)?.checked_mul(12).and_then(|y| y.checked_add(m)).ok_or(Bad::Range)?, 0.0)
            } else {
                let (whole, part) = body.split_once('.').unwrap_or((body, ""));
                let whole = match (negative, whole) {
                    (true, "9223372036854775808") => i64::MIN,
                    _ => int(whole)?,
                };
                (whole, fraction(part)?)
            };
            let value = if negative { value.wrapping_neg() } else { value };
            let part = if negative { -part } else { part };
            parts.add(value, part, of)?;
            mask = of.mask(part != 0.0);
            unit = Some(if of == Unit::Time(HOUR) { Unit::Day } else { of });
            waiting = false;
        }
        if seen & mask != 0 {
            return Err(Bad::Format);
        }
        seen |= mask;
    }
    if seen == 0 || waiting {
        return Err(Bad::Format);
    }
    if ago {
        parts.negate()?;
    }
    Ok(parts)
}

/// A number of ISO 8601, which may have an exponent, and the digits of its whole part.
fn iso_number(s: &mut &str) -> Result<(i64, f64, usize), Bad> {
    let b = s.as_bytes();
    let sign = usize::from(matches!(b.first(), Some(b'-' | b'+')));
    let run = |from: usize| b.get(from..).unwrap_or(&[]).iter().take_while(|c| c.is_ascii_digit()).count();
    let width = run(sign);
    let mut n = sign + width;
    let mut digits = width;
    if b.get(n) == Some(&b'.') {
        digits += run(n + 1);
        n += 1 + run(n + 1);
    }
    if digits == 0 {
        return Err(Bad::Format);
    }
    if matches!(b.get(n), Some(b'e' | b'E')) {
        let from = n + 1 + usize::from(matches!(b.get(n + 1), Some(b'-' | b'+')));
        if run(from) > 0 {
            n = from + run(from);
        }
    }
    let text = &s[..n];
    *s = &s[n..];
    // Whole numbers are exact.
    if n == sign + width {
        return Ok((text.parse().map_err(|_| Bad::Range)?, 0.0, width));
    }
    if let Some((whole, part)) = text.split_once('.').filter(|(_, p)| p.bytes().all(|c| c.is_ascii_digit())) {
        let negative = whole.starts_with('-');
        let value = match whole.trim_start_matches(['-', '+']) {
            "" => 0,
            _ => whole.parse().map_err(|_| Bad::Range)?,
        };
        let part = fraction(part)?;
        return Ok((value, if negative { -part } else { part }, width));
    }
    let v: f64 = text.parse().map_err(|_| Bad::Format)?;
    if !(-9.3e18..=9.3e18).contains(&v) {
        return Err(Bad::Range);
    }
    Ok((v as i64, v - v.trunc(), width))
}
fn next(s: &mut &str) -> Option<u8> {
    let c = s.bytes().next()?;
    *s = s.get(1..)?;
    Some(c)
}

fn iso(text: &str) -> Result<Parts, Bad> {
    let mut s = text.strip_prefix('P').filter(|s| !s.is_empty()).ok_or(Bad::Format)?;
    let (mut parts, mut date, mut any) = (Parts::default(), true, false);
    while !s.is_empty() {
        if let Some(rest) = s.strip_prefix('T') {
            (date, any, s) = (false, false, rest);
            continue;
        }
        let (value, part, width) = iso_number(&mut s)?;
        let letter = next(&mut s);
        if date {
            match letter {
                Some(b'Y') => parts.add(value, part, Unit::Year(1))?,
                Some(b'M') => parts.add(value, part, Unit::Month)?,
                Some(b'W') => parts.add(value, part, Unit::Week)?,
                Some(b'D') => parts.add(value, part, Unit::Day)?,
                // 20021015
                None | Some(b'T') if width == 8 && !any => {
                    parts.add(value / 10_000, 0.0, Unit::Year(1))?;
                    parts.add(value / 100 % 100, 0.0, Unit::Month)?;
                    parts.add(value % 100, part, Unit::Day)?;
                    (date, any) = (false, false);
                    continue;
                }
                // 2002-10-15
                None | Some(b'T' | b'-') if !any => {
                    parts.add(value, part, Unit::Year(1))?;
                    let mut end = letter;
                    for unit in [Unit::Month, Unit::Day] {
                        if end != Some(b'-') {
                            break;
                        }
                        let (value, part, _) = iso_number(&mut s)?;
                        parts.add(value, part, unit)?;
                        end = next(&mut s);
                    }
                    if !matches!(end, None | Some(b'T')) {
                        return Err(Bad::Format);
                    }
                    (date, any) = (false, false);
                    continue;
                }
                _ => return Err(Bad::Format),
            }
        } else {
            match letter {
                Some(b'H') => parts.add(value, part, Unit::Time(HOUR))?,
                Some(b'M') => parts.add(value, part, Unit::Time(MINUTE))?,
                Some(b'S') => parts.add(value, part, Unit::Time(SECOND))?,
                // 103020
                None if width == 6 && !any => {
                    parts.add(value / 10_000, 0.0, Unit::Time(HOUR))?;
                    parts.add(value / 100 % 100, 0.0, Unit::Time(MINUTE))?;
                    parts.add(value % 100, part, Unit::Time(SECOND))?;
                }
                // 10:30:20
                None | Some(b':') if !any => {
                    parts.add(value, part, Unit::Time(HOUR))?;
                    let mut end = letter;
                    for scale in [MINUTE, SECOND] {
                        if end != Some(b':') {
                            break;
                        }
                        let (value, part, _) = iso_number(&mut s)?;
                        parts.add(value, part, Unit::Time(scale))?;
                        end = next(&mut s);
                    }
                    if end.is_some() {
                        return Err(Bad::Format);
                    }
                }
                _ => return Err(Bad::Format),
            }
        }
        any = true;
    }
    Ok(parts)
}

/// (PostgreSQL: `interval_in`)
pub fn parse(text: &str, range: i32, style: IntervalStyle) -> Result<Interval, PgError> {
    let bad = |e: Bad| match e {
        Bad::Range => error(INTERVAL_FIELD_OVERFLOW, format!("interval field value out of range: \"{text}\"")),
        e => e.error("interval", text),
    };
    let list = match tokens(text) {
        Ok(list) => list,
        Err(_) => return finish(iso(text).map_err(bad)?),
    };
    if let [Token::Word(w)] = &list[..] {
        match w.as_str() {
            "infinity" | "+infinity" => return Ok(Interval::INFINITY),
            "-infinity" => return Ok(Interval::NEG_INFINITY),
            _ => {}
        }
    }
    let parts = match decode(&list, range, style) {
        Err(Bad::Format) => iso(text),
        done => done,
    };
    finish(parts.map_err(bad)?)
}
fn finish(parts: Parts) -> Result<Interval> {
    let months = i64::from(parts.year) * 12 + i64::from(parts.month);
    let month = i32::try_from(months).map_err(|_| interval_range())?;
    let r = Interval { time: parts.time, day: parts.day, month };
    if r.is_infinite() { Err(interval_range()) } else { Ok(r) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(s: &str) -> Option<(i32, i32, i64)> {
        let v = parse(s, fields::FULL_RANGE, IntervalStyle::Postgres).ok()?;
        Some((v.month, v.day, v.time))
    }

    #[test]
    fn quantities() {
        assert_eq!(read("1 year 2 mons 3 days 04:05:06"), Some((14, 3, 14_706_000_000)));
        assert_eq!(read("@ 1 minute 1.5 sec ago"), Some((0, 0, -61_500_000)));
        assert_eq!(read("1-2 3 4:00"), Some((14, 3, 14_400_000_000)));
        assert_eq!(read("1.5 weeks"), Some((0, 10, DAY / 2)));
        assert_eq!(read("4 millenniums"), Some((48_000, 0, 0)));
        for s in
            ["1 day 1 day", "1:20:05 5 microseconds", "1 2", "day", "1 day ago 2 hours", "5 eons", "", "hour 5 months"]
        {
            assert_eq!(read(s), None, "{s}");
        }
    }
    #[test]
    fn iso_8601() {
        assert_eq!(read("P1Y2M3DT4H5M6S"), Some((14, 3, 14_706_000_000)));
        assert_eq!(read("P00021015T103020"), Some((34, 15, 37_820_000_000)));
        assert_eq!(read("P0002-10-15T10:30:20"), Some((34, 15, 37_820_000_000)));
        assert_eq!(read("P10.5e4Y"), Some((1_260_000, 0, 0)));
        assert_eq!(read("P"), None);
    }
}
