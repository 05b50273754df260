//! Reading dates and times: any of the ways in which people write them.
//!
//! The text falls into tokens by the characters they begin with and contain; then each token, in the light of what is
//! known already, gives a year, month, day, time or zone. A part that is given twice is an error. The day's and month's
//! order follows `DateStyle` only where the text leaves it open.
//! PostgreSQL: `ParseDateTime`, `DecodeDateTime`, `DecodeTimeOnly`.

use base::sqlstate::*;
use base::{PgError, Result};
use types::Settings;
use types::settings::DateOrder;

use super::zone::{self, Zone};
use super::{DAY, EPOCH_JULIAN, HOUR, MINUTE, MONTHS, SECOND, days_from, month_days};
use crate::err::error;

/// What the text says.
#[derive(Clone, Debug)]
pub enum Parsed {
    Infinity,
    NegInfinity,
    Epoch,
    /// The transaction's time; nothing else was said.
    Now,
    Value(Fields),
}

#[derive(Clone, Copy, Default, Debug)]
pub struct Fields {
    /// Days since 2000, if a date was given.
    pub date: Option<i64>,
    pub time: Option<i64>,
    /// Seconds east, if a zone was given.
    pub offset: Option<i32>,
}

#[derive(Debug)]
pub enum Bad {
    Format,
    Range,
    /// Out of range, perhaps because of the order of day and month.
    Order,
    Zone(String),
    ZoneRange,
}

impl Bad {
    pub fn error(self, type_name: &str, text: &str) -> PgError {
        let range = || error(DATETIME_FIELD_OVERFLOW, format!("date/time field value out of range: \"{text}\""));
        match self {
            Bad::Format => {
                error(INVALID_DATETIME_FORMAT, format!("invalid input syntax for type {type_name}: \"{text}\""))
            }
            Bad::Range => range(),
            Bad::Order => range().hint("Perhaps you need a different \"DateStyle\" setting."),
            Bad::Zone(name) => error(INVALID_PARAMETER_VALUE, format!("time zone \"{name}\" not recognized")),
            Bad::ZoneRange => {
                let text = format!("time zone displacement out of range: \"{text}\"");
                error(INVALID_TIME_ZONE_DISPLACEMENT_VALUE, text)
            }
        }
    }
}

/// `+hh[[:]mm[[:]ss]]` in seconds east.
pub fn offset(s: &str) -> Option<i32> {
    let (sign, rest) = match s.as_bytes().first()? {
        b'+' => (1, &s[1..]),
        b'-' => (-1, &s[1..]),
        _ => return None,
    };
    let (h, m, sec) = if rest.contains(':') {
        // What is missing after a colon is nothing.
        let int = |p: &str| match p {
            "" => Some(0),
            p => p.parse::<i32>().ok().filter(|_| p.bytes().all(|c| c.is_ascii_digit())),
        };
        let mut parts = rest.split(':').map(int);
        (parts.next()??, parts.next()??, parts.next().unwrap_or(Some(0))?)
    } else {
        let n: i32 = rest.parse().ok().filter(|_| rest.bytes().all(|c| c.is_ascii_digit()))?;
        match rest.len() {
            1 | 2 => (n, 0, 0),
            3 | 4 => (n / 100, n % 100, 0),
            5 | 6 => (n / 10_000, n / 100 % 100, n % 100),
            _ => return None,
        }
    };
    (h <= 15 && m < 60 && sec < 60).then_some(sign * (h * 3600 + m * 60 + sec))
}

pub fn month_named(word: &str) -> Option<i64> {
    let low = word.to_ascii_lowercase();
    let hit = |m: &&str| {
        low == m.to_ascii_lowercase() || low == m[..3].to_ascii_lowercase() || low == "sept" && **m == *"September"
    };
    MONTHS.iter().position(|m| hit(&m)).map(|i| i as i64 + 1)
}

/// `h:m[:s[.f]]` in microseconds.
pub fn clock(s: &str) -> Result<i64, Bad> {
    let mut parts = s.split(':');
    let int = |p: Option<&str>| -> Result<i64, Bad> {
        let p = p.ok_or(Bad::Format)?;
        if p.is_empty() || !p.bytes().all(|c| c.is_ascii_digit()) {
            return Err(Bad::Format);
        }
        p.parse().map_err(|_| Bad::Range)
    };
    let h = int(parts.next())?;
    let second = parts.next().ok_or(Bad::Format)?;
    let (m, sec) = match (second.contains('.'), parts.next()) {
        // With a fraction, two parts are minutes and seconds.
        (true, None) => return Ok(h * MINUTE + seconds(second)?),
        (_, third) => (int(Some(second))?, third.map_or(Ok(0), seconds)?),
    };
    if parts.next().is_some() {
        return Err(Bad::Format);
    }
    if h > 24 || m > 59 || sec > MINUTE || (h == 24 && (m > 0 || sec > 0)) {
        return Err(Bad::Range);
    }
    Ok(h * HOUR + m * MINUTE + sec)
}
/// `s[.f]` in microseconds, rounded.
pub fn seconds(s: &str) -> Result<i64, Bad> {
    let (whole, fraction) = s.split_once('.').unwrap_or((s, ""));
    if whole.is_empty() && fraction.is_empty() || !whole.bytes().chain(fraction.bytes()).all(|c| c.is_ascii_digit()) {
        return Err(Bad::Format);
    }
    let whole: i64 = if whole.is_empty() { 0 } else { whole.parse().map_err(|_| Bad::Range)? };
    let us = if fraction.is_empty() { 0.0 } else { format!("0.{fraction}").parse::<f64>().map_err(|_| Bad::Format)? };
    whole.checked_mul(SECOND).map(|w| w + (us * 1e6).round_ties_even() as i64).ok_or(Bad::Range)
}

// Which parts are known: a set of bits.
const YEAR: u32 = 1;
const MONTH: u32 = 2;
const DAY_OF_MONTH: u32 = 4;
const DATE: u32 = YEAR | MONTH | DAY_OF_MONTH;
const TIME: u32 = 8;
const ZONE: u32 = 16;
const ZONE_MODIFIER: u32 = 32;
const DAY_OF_YEAR: u32 = 64;
const MERIDIEM: u32 = 128;
const ERA: u32 = 256;
const WEEKDAY: u32 = 512;

/// By its looks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    Number,
    Word,
    Date,
    Time,
    Zone,
    /// A sign before a word.
    Special,
}
struct Token {
    kind: Kind,
    text: String,
}

/// (PostgreSQL: `ParseDateTime`)
fn tokens(text: &str) -> Result<Vec<Token>, Bad> {
    // What is not ASCII can only be part of no token.
    let b = text.as_bytes();
    let at = |i: usize| b.get(i).copied().unwrap_or(0);
    let run = |mut i: usize, f: &dyn Fn(u8) -> bool| {
        while i < b.len() && f(b[i]) {
            i += 1;
        }
        i
    };
    let digit = |c: u8| c.is_ascii_digit();
    let mut out = Vec::new();
    let mut i = 0;
    while i < b.len() {
        let c = b[i];
        let start = i;
        let kind;
        if crate::int::is_space(char::from(c)) {
            i += 1;
            continue;
        } else if digit(c) {
            i = run(i, &digit);
            match at(i) {
                b':' => {
                    kind = Kind::Time;
                    i = run(i, &|c| digit(c) || c == b':' || c == b'.');
                }
                delimiter @ (b'-' | b'/' | b'.') => {
                    i += 1;
                    if digit(at(i)) {
                        i = run(i, &digit);
                        // A second delimiter of the same kind makes it a date.
                        kind = if at(i) == delimiter {
                            i = run(i, &|c| digit(c) || c == delimiter);
                            Kind::Date
                        } else if delimiter == b'.' {
                            Kind::Number
                        } else {
                            Kind::Date
                        };
                    } else {
                        kind = Kind::Date;
                        i = run(i, &|c| c.is_ascii_alphanumeric() || c == delimiter);
                    }
                }
                _ => kind = Kind::Number,
            }
        } else if c == b'.' {
            kind = Kind::Number;
            i = run(i + 1, &digit);
        } else if c.is_ascii_alphabetic() {
            i = run(i, &|c| c.is_ascii_alphabetic());
            let joined = match at(i) {
                b'-' | b'/' | b'.' => true,
                // A sign or digit after a word is of a zone's name, unless the word means something itself.
                c if c == b'+' || digit(c) => keyword(&text[start..i].to_ascii_lowercase()).is_none(),
                _ => false,
            };
            kind = if joined {
                i = run(i, &|c| c.is_ascii_alphanumeric() || b"+-/_.:".contains(&c));
                Kind::Date
            } else {
                Kind::Word
            };
        } else if matches!(c, b'+' | b'-') {
            i = run(i + 1, &|c| crate::int::is_space(char::from(c)));
            let from = i;
            if digit(at(i)) {
                kind = Kind::Zone;
                i = run(i, &|c| digit(c) || c == b':' || c == b'.' || c == b'-');
            } else if at(i).is_ascii_alphabetic() {
                kind = Kind::Special;
                i = run(i, &|c| c.is_ascii_alphabetic());
            } else {
                return Err(Bad::Format);
            }
            out.push(Token { kind, text: format!("{}{}", char::from(c), text[from..i].to_ascii_lowercase()) });
            continue;
        } else if c.is_ascii_punctuation() {
            i += 1;
            continue;
        } else {
            return Err(Bad::Format);
        }
        out.push(Token { kind, text: text[start..i].to_ascii_lowercase() });
    }
    if out.len() > 25 { Err(Bad::Format) } else { Ok(out) }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Word {
    Ignored,
    Month(i64),
    Weekday,
    Pm(bool),
    Bc(bool),
    Infinity,
    NegInfinity,
    Epoch,
    Now,
    /// Days from today.
    Day(i64),
    /// Midnight in UTC.
    Allballs,
    /// Seconds that are added to a zone's offset.
    Dst,
    /// The next number is a Julian day.
    Julian,
    /// The next number is a time. (ISO 8601)
    T,
    /// A unit that must stand before a number but means nothing here.
    Unit,
}

fn keyword(w: &str) -> Option<Word> {
    // Key words are told apart by their first ten letters.
    let w = w.get(..10).unwrap_or(w);
    let named = |w: &str, full: &str, shorts: &[&str]| w == full || shorts.contains(&w);
    if let Some(m) = month_named(w) {
        return Some(Word::Month(m));
    }
    let days: [(&str, &[&str]); 7] = [
        ("sunday", &["sun"]),
        ("monday", &["mon"]),
        ("tuesday", &["tue", "tues"]),
        ("wednesday", &["wed", "weds"]),
        ("thursday", &["thu", "thur", "thurs"]),
        ("friday", &["fri"]),
        ("saturday", &["sat"]),
    ];
    if days.iter().any(|(full, shorts)| named(w, full, shorts)) {
        return Some(Word::Weekday);
    }
    Some(match w {
        "at" | "on" => Word::Ignored,
        "am" | "a.m." => Word::Pm(false),
        "pm" | "p.m." => Word::Pm(true),
        "ad" => Word::Bc(false),
        "bc" => Word::Bc(true),
        "infinity" | "+infinity" => Word::Infinity,
        "-infinity" => Word::NegInfinity,
        "epoch" => Word::Epoch,
        "now" => Word::Now,
        "today" => Word::Day(0),
        "tomorrow" => Word::Day(1),
        "yesterday" => Word::Day(-1),
        "allballs" => Word::Allballs,
        "dst" => Word::Dst,
        "j" | "jd" | "julian" => Word::Julian,
        "t" => Word::T,
        "d" | "dow" | "doy" | "h" | "isodow" | "isoyear" | "m" | "mm" | "s" | "y" => Word::Unit,
        _ => return None,
    })
}

/// A zone that can be applied only when the date is known.
enum Later {
    Named(Zone),
    /// An abbreviation whose meaning changes with time.
    Abbreviation(Zone, String),
}

struct State<'a> {
    settings: &'a Settings,
    session: Zone,
    known: u32,
    year: i64,
    month: i64,
    day: i64,
    day_of_year: i64,
    hour: i64,
    minute: i64,
    second: i64,
    us: i64,
    two_digits: bool,
    named_month: bool,
    julian: bool,
    bc: bool,
    pm: Option<bool>,
    /// Seconds east.
    offset: i32,
    later: Option<Later>,
    /// What the word before says of the next number.
    prefix: Option<Word>,
}

fn number(s: &str) -> Result<(i64, &str), Bad> {
    let digits = s.bytes().take_while(u8::is_ascii_digit).count();
    if digits == 0 {
        return Err(Bad::Format);
    }
    let v: i32 = s[..digits].parse().map_err(|_| Bad::Range)?;
    Ok((v.into(), &s[digits..]))
}
/// `.ffffff` in microseconds, rounded; more than all digits is wrong.
fn fraction(s: &str) -> Result<i64, Bad> {
    let digits = s.strip_prefix('.').ok_or(Bad::Format)?;
    if !digits.bytes().all(|c| c.is_ascii_digit()) {
        return Err(Bad::Format);
    }
    let f = if digits.is_empty() { 0.0 } else { format!("0.{digits}").parse::<f64>().map_err(|_| Bad::Format)? };
    Ok((f * 1e6).round_ties_even() as i64)
}
/// (PostgreSQL: `DecodeTimezone`) Seconds east.
fn zone_offset(s: &str) -> Result<i32, Bad> {
    let (sign, rest) = match s.as_bytes().first() {
        Some(b'+') => (1, &s[1..]),
        Some(b'-') => (-1, &s[1..]),
        _ => return Err(Bad::Format),
    };
    let far = |e| if matches!(e, Bad::Range) { Bad::ZoneRange } else { e };
    let (mut h, mut rest) = number(rest).map_err(far)?;
    let (mut m, mut sec) = (0, 0);
    if let Some(r) = rest.strip_prefix(':') {
        (m, rest) = number(r).map_err(far)?;
        if let Some(r) = rest.strip_prefix(':') {
            (sec, rest) = number(r).map_err(far)?;
        }
    } else if rest.is_empty() && s.len() > 3 {
        (h, m) = (h / 100, h % 100);
    }
    if h > 15 || m > 59 || sec > 59 {
        return Err(Bad::ZoneRange);
    }
    if rest.is_empty() { Ok(sign * ((h * 60 + m) * 60 + sec) as i32) } else { Err(Bad::Format) }
}

impl<'a> State<'a> {
    fn new(settings: &'a Settings) -> State<'a> {
        State {
            settings,
            session: Zone::session(&settings.time_zone),
            known: 0,
            year: 0,
            month: 0,
            day: 0,
            day_of_year: 0,
            hour: 0,
            minute: 0,
            second: 0,
            us: 0,
            two_digits: false,
            named_month: false,
            julian: false,
            bc: false,
            pm: None,
            offset: 0,
            later: None,
            prefix: None,
        }
    }
    fn has(&self, parts: u32) -> bool {
        self.known & parts == parts
    }
    /// Takes in what a token gave; nothing may come twice.
    fn add(&mut self, parts: u32) -> Result<(), Bad> {
        if self.known & parts != 0 {
            return Err(Bad::Format);
        }
        self.known |= parts;
        Ok(())
    }
    fn set_days(&mut self, days: i64) {
        (self.year, self.month, self.day) = super::civil(days);
    }
    fn set_time(&mut self, us: i64) {
        (self.hour, self.minute) = (us / HOUR, us / MINUTE % 60);
        (self.second, self.us) = (us / SECOND % 60, us % SECOND);
    }

    /// Digits and words between delimiters. (PostgreSQL: `DecodeDate`)
    fn date(&mut self, s: &str, known: u32) -> Result<u32, Bad> {
        let b = s.as_bytes();
        let (mut parts, mut i) = (Vec::new(), 0);
        while i < b.len() {
            while i < b.len() && !b[i].is_ascii_alphanumeric() {
                i += 1;
            }
            if i >= b.len() {
                return Err(Bad::Format);
            }
            let digits = b[i].is_ascii_digit();
            let start = i;
            while i < b.len() && b[i].is_ascii_digit() == digits && b[i].is_ascii_alphanumeric() {
                i += 1;
            }
            parts.push(&s[start..i]);
            i += 1;
        }
        let (mut known, mut found, mut named) = (known, 0, false);
        let mut add = |known: &mut u32, got: u32| {
            if *known & got != 0 {
                return Err(Bad::Format);
            }
            *known |= got;
            found |= got;
            Ok(())
        };
        for p in parts.iter().filter(|p| p.as_bytes()[0].is_ascii_alphabetic()) {
            match keyword(p) {
                Some(Word::Ignored) => {}
                Some(Word::Month(m)) => {
                    self.month = m;
                    named = true;
                    add(&mut known, MONTH)?;
                }
                _ => return Err(Bad::Format),
            }
        }
        for p in parts.iter().filter(|p| p.as_bytes()[0].is_ascii_digit()) {
            let got = self.number(p, named, known)?;
            add(&mut known, got)?;
        }
        if known & !(DAY_OF_YEAR | ZONE) == DATE { Ok(found) } else { Err(Bad::Format) }
    }
    /// One number; which part it is depends on those that are known. (PostgreSQL: `DecodeNumber`)
    fn number(&mut self, s: &str, named_month: bool, known: u32) -> Result<u32, Bad> {
        let (v, rest) = number(s)?;
        let digits = s.len();
        if rest.starts_with('.') {
            if s.len() - rest.len() > 2 {
                return self.packed(s, known | DATE);
            }
            self.us = fraction(rest)?;
        } else if !rest.is_empty() {
            return Err(Bad::Format);
        }
        if digits == 3 && known & DATE == YEAR && (1..=366).contains(&v) {
            self.day_of_year = v;
            return Ok(DAY_OF_YEAR | MONTH | DAY_OF_MONTH);
        }
        let order = self.settings.date_order;
        let year_first = digits >= 3 || order == DateOrder::Ymd;
        let part = match known & DATE {
            0 if year_first => YEAR,
            0 if order == DateOrder::Dmy => DAY_OF_MONTH,
            0 => MONTH,
            YEAR => MONTH,
            MONTH if named_month && year_first => YEAR,
            MONTH => DAY_OF_MONTH,
            // What was taken for the year was the day.
            YM if named_month && digits >= 3 && self.two_digits => {
                self.day = self.year;
                self.year = v;
                self.two_digits = false;
                return Ok(DAY_OF_MONTH);
            }
            YM => DAY_OF_MONTH,
            DAY_OF_MONTH => MONTH,
            MD => YEAR,
            DATE => return self.packed(s, known),
            _ => return Err(Bad::Format),
        };
        match part {
            YEAR => {
                self.year = v;
                self.two_digits = digits <= 2;
            }
            MONTH => self.month = v,
            _ => self.day = v,
        }
        Ok(part)
    }
    /// Digits run together: a date, or a time. (PostgreSQL: `DecodeNumberField`)
    fn packed(&mut self, s: &str, known: u32) -> Result<u32, Bad> {
        if !s.bytes().all(|c| c.is_ascii_digit() || c == b'.') {
            return Err(Bad::Format);
        }
        let (whole, rest) = s.split_at(s.find('.').unwrap_or(s.len()));
        let int = |s: &str| s.parse::<i64>().map_err(|_| Bad::Range);
        if !rest.is_empty() {
            self.us = fraction(rest)?;
        } else if known & DATE != DATE && whole.len() >= 6 {
            let n = whole.len();
            self.day = int(&whole[n - 2..])?;
            self.month = int(&whole[n - 4..n - 2])?;
            self.year = int(&whole[..n - 4])?;
            self.two_digits = n == 6;
            return Ok(DATE);
        }
        if known & TIME == 0 && matches!(whole.len(), 4 | 6) {
            self.hour = int(&whole[..2])?;
            self.minute = int(&whole[2..4])?;
            self.second = if whole.len() == 6 { int(&whole[4..])? } else { 0 };
            return Ok(TIME);
        }
        Err(Bad::Format)
    }
    /// `h:m[:s[.f]]`; with a fraction, two parts are minutes and seconds. (PostgreSQL: `DecodeTime`)
    fn time(&mut self, s: &str) -> Result<u32, Bad> {
        let (h, rest) = number(s)?;
        let (m, rest) = number(rest.strip_prefix(':').ok_or(Bad::Format)?)?;
        let (h, m, sec, us) = if rest.is_empty() {
            (h, m, 0, 0)
        } else if rest.starts_with('.') {
            (0, h, m, fraction(rest)?)
        } else {
            let (sec, rest) = number(rest.strip_prefix(':').ok_or(Bad::Format)?)?;
            (h, m, sec, if rest.is_empty() { 0 } else { fraction(rest)? })
        };
        if m > 59 || sec > 60 {
            return Err(Bad::Range);
        }
        (self.hour, self.minute, self.second, self.us) = (h, m, sec, us);
        Ok(TIME)
    }
    fn check_time(&self) -> Result<(), Bad> {
        let total = (self.hour * 60 + self.minute) * 60 + self.second;
        let bad = self.hour > 24 || self.minute > 59 || self.second > 60 || total * SECOND + self.us > DAY;
        if bad { Err(Bad::Range) } else { Ok(()) }
    }
    /// A Julian day, perhaps with a fraction that is a time.
    fn julian(&mut self, s: &str) -> Result<u32, Bad> {
        let (v, rest) = number(s)?;
        self.set_days(v - i64::from(EPOCH_JULIAN));
        self.julian = true;
        if rest.is_empty() {
            return Ok(DATE);
        }
        let part: f64 = format!("0{rest}").parse().map_err(|_| Bad::Format)?;
        self.set_time((part * DAY as f64).round_ties_even() as i64);
        Ok(DATE | TIME)
    }
    /// A number that a word before it explains.
    fn prefixed(&mut self, prefix: Word, s: &str) -> Result<u32, Bad> {
        let (_, rest) = number(s)?;
        if !rest.is_empty() && !rest.starts_with('.') {
            return Err(Bad::Format);
        }
        match prefix {
            Word::Julian => self.julian(s),
            Word::T => match self.packed(s, self.known | DATE)? {
                TIME => Ok(TIME),
                _ => Err(Bad::Format),
            },
            _ => Err(Bad::Format),
        }
    }
    /// A time with a zone behind it: `hhmmss-zz`.
    fn packed_with_zone(&mut self, s: &str, known: u32) -> Result<u32, Bad> {
        if self.known & TIME != 0 {
            return Err(Bad::Format);
        }
        let at = s.find('-').ok_or(Bad::Format)?;
        self.offset = zone_offset(&s[at..])?;
        Ok(self.packed(&s[..at], known)? | ZONE)
    }
    fn zone_named(&mut self, name: &str) -> Option<u32> {
        self.later = Some(Later::Named(Zone::named(name)?));
        Some(ZONE)
    }
    /// What a word gives; `None` if it is to be passed over.
    fn word(&mut self, s: &str, time_only: bool) -> Result<Option<u32>, Bad> {
        // Abbreviations of zones come first.
        if let Some(a) = zone::abbreviation_in(s, &self.session) {
            return Ok(Some(match a {
                zone::Abbreviation::Fixed(offset) => {
                    self.offset = offset;
                    ZONE
                }
                zone::Abbreviation::Dynamic(z) => {
                    self.later = Some(Later::Abbreviation(z, s.to_owned()));
                    ZONE
                }
            }));
        }
        let now = || super::date::local_now(self.settings);
        let Some(w) = keyword(s) else {
            return self.zone_named(s).map(Some).ok_or(Bad::Format);
        };
        Ok(Some(match w {
            Word::Ignored => return Ok(None),
            Word::Now => {
                let now = now();
                if !time_only {
                    self.set_days(now.div_euclid(DAY));
                }
                self.set_time(now.rem_euclid(DAY));
                if time_only {
                    TIME
                } else {
                    self.offset = self.session.offset_at(self.settings.transaction_timestamp);
                    DATE | TIME | ZONE
                }
            }
            Word::Allballs => {
                self.set_time(0);
                self.offset = 0;
                TIME | ZONE
            }
            Word::Pm(pm) => {
                self.pm = Some(pm);
                MERIDIEM
            }
            Word::Bc(bc) => {
                self.bc = bc;
                ERA
            }
            Word::Dst => {
                self.offset += 3600;
                ZONE_MODIFIER
            }
            Word::Julian | Word::T | Word::Unit => {
                if self.prefix.is_some() || w == Word::T && !time_only && !self.has(DATE) {
                    return Err(Bad::Format);
                }
                self.prefix = Some(w);
                0
            }
            _ if time_only => return Err(Bad::Format),
            Word::Day(n) => {
                let today = now().div_euclid(DAY);
                self.set_days(today + n);
                self.two_digits = false;
                DATE
            }
            Word::Month(m) => {
                let mut got = MONTH;
                // A number that was taken for the month was the day.
                if self.has(MONTH) && !self.named_month && !self.has(DAY_OF_MONTH) && (1..=31).contains(&self.month) {
                    self.day = self.month;
                    got = DAY_OF_MONTH;
                }
                self.named_month = true;
                self.month = m;
                got
            }
            Word::Weekday => WEEKDAY,
            Word::Infinity | Word::NegInfinity | Word::Epoch => return Err(Bad::Format),
        }))
    }
    /// (PostgreSQL: `ValidateDate`)
    fn validate(&mut self) -> Result<(), Bad> {
        if self.has(YEAR) && !self.julian {
            if self.bc {
                if self.year <= 0 {
                    return Err(Bad::Range);
                }
                self.year = 1 - self.year;
            } else if self.two_digits {
                self.year += match self.year {
                    ..70 => 2000,
                    70..100 => 1900,
                    _ => 0,
                };
            } else if self.year <= 0 {
                return Err(Bad::Range);
            }
        }
        if self.has(DAY_OF_YEAR) {
            self.set_days(days_from(self.year, 1, 1) + self.day_of_year - 1);
        }
        if self.has(MONTH) && !(1..=12).contains(&self.month) || self.has(DAY_OF_MONTH) && !(1..=31).contains(&self.day)
        {
            return Err(Bad::Order);
        }
        if self.has(DATE) && self.day > month_days(self.year, self.month) {
            return Err(Bad::Range);
        }
        Ok(())
    }
    fn meridiem(&mut self) -> Result<(), Bad> {
        let Some(pm) = self.pm else { return Ok(()) };
        match (pm, self.hour) {
            (_, 13..) => return Err(Bad::Range),
            (false, 12) => self.hour = 0,
            (true, h) if h != 12 => self.hour += 12,
            _ => {}
        }
        Ok(())
    }
    fn time_of_day(&self) -> i64 {
        self.hour * HOUR + self.minute * MINUTE + self.second * SECOND + self.us
    }
    /// The offset, now that the civil time is known; of the session's zone if none was given.
    fn resolve(&self, local: i64) -> Result<Option<i32>, Bad> {
        let modified = self.known & ZONE_MODIFIER != 0;
        match &self.later {
            Some(_) if modified => Err(Bad::Format),
            Some(Later::Named(z)) => Ok(Some(z.offset_of_local(local))),
            Some(Later::Abbreviation(z, name)) => Ok(Some(zone::dynamic_offset(z, name, local))),
            None if self.has(ZONE) => Ok(Some(self.offset)),
            None if modified => Err(Bad::Format),
            None => Ok(None),
        }
    }
}
const YM: u32 = YEAR | MONTH;
const MD: u32 = MONTH | DAY_OF_MONTH;

/// Reads a date or timestamp.
pub fn parse(text: &str, settings: &Settings) -> Result<Parsed, Bad> {
    let list = tokens(text)?;
    let mut s = State::new(settings);
    let mut reserved = None;
    for t in &list {
        let got = match t.kind {
            Kind::Date if s.prefix == Some(Word::Julian) => {
                let digits = t.text.bytes().take_while(u8::is_ascii_digit).count();
                let (v, zone) = t.text.split_at(digits);
                s.julian(v)?;
                s.offset = zone_offset(zone)?;
                s.set_time(0);
                s.prefix = None;
                DATE | TIME | ZONE
            }
            Kind::Date if s.prefix.is_some() || s.has(MD) => {
                if t.text.as_bytes()[0].is_ascii_digit() || s.prefix.is_some() {
                    if !matches!(s.prefix.take(), None | Some(Word::T)) {
                        return Err(Bad::Format);
                    }
                    let known = s.known;
                    s.packed_with_zone(&t.text, known)?
                } else {
                    s.zone_named(&t.text).ok_or_else(|| Bad::Zone(t.text.clone()))?
                }
            }
            Kind::Date => {
                let known = s.known;
                s.date(&t.text, known)?
            }
            Kind::Time => {
                if !matches!(s.prefix.take(), None | Some(Word::T)) {
                    return Err(Bad::Format);
                }
                let got = s.time(&t.text)?;
                s.check_time()?;
                got
            }
            Kind::Zone => {
                s.offset = zone_offset(&t.text)?;
                ZONE
            }
            Kind::Number => {
                let (known, len) = (s.known, t.text.len());
                let point = t.text.find('.');
                if let Some(prefix) = s.prefix.take() {
                    s.prefixed(prefix, &t.text)?
                } else if point.is_some() && known & DATE == 0 {
                    s.date(&t.text, known)?
                } else if point.is_some_and(|p| p > 2) || len >= 6 && (known & DATE == 0 || known & TIME == 0) {
                    s.packed(&t.text, known)?
                } else {
                    s.number(&t.text, s.named_month, known)?
                }
            }
            Kind::Word | Kind::Special => {
                match keyword(&t.text) {
                    Some(w @ (Word::Infinity | Word::NegInfinity | Word::Epoch)) => {
                        reserved = Some(w);
                        s.add(DATE | TIME | ZONE)?;
                        continue;
                    }
                    Some(Word::Now) if list.len() == 1 => return Ok(Parsed::Now),
                    _ => {}
                }
                match s.word(&t.text, false)? {
                    Some(got) => got,
                    None => continue,
                }
            }
        };
        s.add(got)?;
    }
    if s.prefix.is_some() {
        return Err(Bad::Format);
    }
    match reserved {
        Some(Word::Infinity) => return Ok(Parsed::Infinity),
        Some(Word::NegInfinity) => return Ok(Parsed::NegInfinity),
        Some(_) => return Ok(Parsed::Epoch),
        None => {}
    }
    s.validate()?;
    s.meridiem()?;
    if !s.has(DATE) {
        return Err(Bad::Format);
    }
    let date = days_from(s.year, s.month, s.day);
    let time = s.time_of_day();
    let offset = s.resolve(date.saturating_mul(DAY).saturating_add(time))?;
    Ok(Parsed::Value(Fields { date: Some(date), time: Some(time), offset }))
}

/// Reads a time of day; a date may stand beside it to tell the zone's offset.
pub fn parse_time(text: &str, settings: &Settings) -> Result<Fields, Bad> {
    let list = tokens(text)?;
    let mut s = State::new(settings);
    // A date is taken only where it cannot be a time.
    let dated = |i: usize| {
        i == 0 && list.len() >= 2 && (list.last().is_some_and(|t| t.kind == Kind::Date) || list[1].kind == Kind::Time)
    };
    let mut session_date = false;
    for (i, t) in list.iter().enumerate() {
        let known = s.known;
        let got = match t.kind {
            Kind::Date if dated(i) => s.date(&t.text, known)?,
            Kind::Date if t.text.as_bytes()[0].is_ascii_digit() => {
                if !matches!(s.prefix.take(), None | Some(Word::T)) {
                    return Err(Bad::Format);
                }
                s.packed_with_zone(&t.text, known | DATE)?
            }
            Kind::Date => s.zone_named(&t.text).ok_or_else(|| Bad::Zone(t.text.clone()))?,
            Kind::Time => {
                if !matches!(s.prefix.take(), None | Some(Word::T)) {
                    return Err(Bad::Format);
                }
                s.time(&t.text)?
            }
            Kind::Zone => {
                s.offset = zone_offset(&t.text)?;
                ZONE
            }
            Kind::Number => {
                let point = t.text.find('.');
                if let Some(prefix) = s.prefix.take() {
                    s.prefixed(prefix, &t.text)?
                } else if point.is_some()
                    && i == 0
                    && list.len() >= 2
                    && list.last().is_some_and(|t| t.kind == Kind::Date)
                {
                    s.date(&t.text, known)?
                } else if let Some(p) = point {
                    if p <= 2 {
                        return Err(Bad::Format);
                    }
                    s.packed(&t.text, known | DATE)?
                } else if t.text.len() > 4 {
                    s.packed(&t.text, known | DATE)?
                } else {
                    s.number(&t.text, false, known | DATE)?
                }
            }
            Kind::Word | Kind::Special => {
                if keyword(&t.text) == Some(Word::Now) {
                    session_date = true;
                }
                match s.word(&t.text, true)? {
                    Some(got) => got,
                    None => continue,
                }
            }
        };
        s.add(got)?;
    }
    if s.prefix.is_some() {
        return Err(Bad::Format);
    }
    s.validate()?;
    s.meridiem()?;
    s.check_time()?;
    if !s.has(TIME) {
        return Err(Bad::Format);
    }
    let time = s.time_of_day();
    let date = (s.has(DATE) && !session_date).then(|| days_from(s.year, s.month, s.day));
    if date.is_none()
        && let Some(Later::Named(z)) = &s.later
        && !z.is_fixed()
    {
        return Err(Bad::Format);
    }
    let today = || super::date::local_now(settings).div_euclid(DAY);
    let offset = s.resolve(date.unwrap_or_else(today).saturating_mul(DAY).saturating_add(time))?;
    Ok(Fields { date, time: Some(time), offset })
}

impl Fields {
    /// The civil time; a time alone has no date.
    pub fn local(&self) -> Option<i64> {
        self.date?.checked_mul(DAY)?.checked_add(self.time.unwrap_or(0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Option<(i64, i64, i64, i64)>) {
        let got = match parse(text, &Settings::default()) {
            Ok(Parsed::Value(f)) => {
                let (y, m, d) = super::super::civil(f.date.unwrap());
                Some((y, m, d, f.time.unwrap() / SECOND))
            }
            _ => None,
        };
        assert_eq!(got, expected, "{text}");
    }

    #[test]
    fn many_forms() {
        check("January 8, 1999", Some((1999, 1, 8, 0)));
        check("1999-01-08 04:05:06", Some((1999, 1, 8, 14706)));
        check("1/8/1999", Some((1999, 1, 8, 0)));
        check("08-Jan-99", Some((1999, 1, 8, 0)));
        check("20011227 040506", Some((2001, 12, 27, 14706)));
        check("2001-12-27T04:05:06.789-08", Some((2001, 12, 27, 14706)));
        check("J2452271", Some((2001, 12, 27, 0)));
        check("1999.008", Some((1999, 1, 8, 0)));
        check("Sat Feb 16 17:32:01 1996 PST", Some((1996, 2, 16, 63121)));
        check("19990108 BC", Some((-1998, 1, 8, 0)));
        check("99-08-Jan", None);
        check("1999-13-01", None);
        check("garbage", None);
    }
}
