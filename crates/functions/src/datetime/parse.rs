//! Reading dates and times: any of the ways in which people write them. (PostgreSQL: `ParseDateTime`, `DecodeDateTime`)

use base::sqlstate::*;
use base::{PgError, Result};
use types::Settings;
use types::settings::DateOrder;

use super::zone::{Zone, abbreviation};
use super::{Civil, DAY, EPOCH_JULIAN, HOUR, MINUTE, MONTHS, SECOND, WEEKDAYS, days_from, month_days};
use crate::err::error;

/// What the text says.
#[derive(Clone, Debug)]
pub enum Parsed {
    Infinity,
    NegInfinity,
    Epoch,
    Now,
    /// Days from today, at midnight: yesterday, today, tomorrow.
    Day(i64),
    Value(Fields),
}

#[derive(Clone, Default, Debug)]
pub struct Fields {
    /// Days since 2000, if a date was given.
    pub date: Option<i64>,
    pub time: Option<i64>,
    pub zone: Option<Zone>,
    /// The offset's text was given as numbers or an abbreviation.
    pub has_zone: bool,
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
        let mut parts =
            rest.split(':').map(|p| p.parse::<i32>().ok().filter(|_| p.bytes().all(|c| c.is_ascii_digit())));
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
fn is_weekday(word: &str) -> bool {
    let low = word.to_ascii_lowercase();
    low.len() >= 3 && WEEKDAYS.iter().any(|d| d.to_ascii_lowercase().starts_with(&low))
}

/// `yyyy-mm-dd[ hh:mm:ss[.ffffff]]` and nothing else: days since 2000 and microseconds, if there is a time. All that is not
/// exactly so is left to [`parse`].
pub fn iso(s: &str) -> Option<(i64, Option<i64>)> {
    let b = s.as_bytes();
    let number = |part: &[u8]| part.iter().try_fold(0, |n, c| c.is_ascii_digit().then(|| n * 10 + i64::from(c - b'0')));
    let (day, time) = match b.len() {
        10 => (b, None),
        19 | 21..=26 => (&b[..10], Some(&b[11..])),
        _ => return None,
    };
    if day[4] != b'-' || day[7] != b'-' {
        return None;
    }
    let (y, m, d) = (number(&day[..4])?, number(&day[5..7])?, number(&day[8..])?);
    if y == 0 || !(1..=12).contains(&m) || d == 0 || d > month_days(y, m) {
        return None;
    }
    let days = days_from(y, m, d);
    let Some(t) = time else { return Some((days, None)) };
    if b[10] != b' ' || t[2] != b':' || t[5] != b':' {
        return None;
    }
    let (h, m, s) = (number(&t[..2])?, number(&t[3..5])?, number(&t[6..8])?);
    if h > 23 || m > 59 || s > 59 {
        return None;
    }
    let fraction = match &t[8..] {
        [] => 0,
        [b'.', f @ ..] => number(f)? * 10i64.pow(6 - f.len() as u32),
        _ => return None,
    };
    Some((days, Some(h * HOUR + m * MINUTE + s * SECOND + fraction)))
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

struct State {
    order: DateOrder,
    year: Option<i64>,
    month: Option<i64>,
    day: Option<i64>,
    two_digit_year: bool,
    /// A month came as a word.
    named_month: bool,
    date: Option<i64>,
    time: Option<i64>,
    pm: Option<bool>,
    bc: bool,
    fields: Fields,
    /// A `T` was read: the next number is a time.
    time_next: bool,
}

/// Reads a date, time or timestamp.
pub fn parse(text: &str, settings: &Settings) -> Result<Parsed, Bad> {
    let low = text.trim_matches(crate::int::is_space).to_ascii_lowercase();
    match low.as_str() {
        "infinity" | "+infinity" => return Ok(Parsed::Infinity),
        "-infinity" => return Ok(Parsed::NegInfinity),
        "epoch" => return Ok(Parsed::Epoch),
        "now" => return Ok(Parsed::Now),
        "yesterday" => return Ok(Parsed::Day(-1)),
        "today" => return Ok(Parsed::Day(0)),
        "tomorrow" => return Ok(Parsed::Day(1)),
        "" => return Err(Bad::Format),
        _ => {}
    }
    let mut s = State {
        order: settings.date_order,
        year: None,
        month: None,
        day: None,
        two_digit_year: false,
        named_month: false,
        date: None,
        time: None,
        pm: None,
        bc: false,
        fields: Fields::default(),
        time_next: false,
    };
    let b = text.as_bytes();
    let mut i = 0;
    while i < b.len() {
        let c = b[i];
        let take = |from: usize, f: &dyn Fn(u8) -> bool| from + b[from..].iter().take_while(|c| f(**c)).count();
        if crate::int::is_space(char::from(c)) || c == b',' {
            i += 1;
        } else if c.is_ascii_digit() || c == b'.' && b.get(i + 1).is_some_and(u8::is_ascii_digit) {
            let end = take(i, &|c| c.is_ascii_digit());
            match b.get(end) {
                Some(b':') => {
                    let end = take(i, &|c| c.is_ascii_digit() || c == b':' || c == b'.');
                    if s.time.is_some() {
                        return Err(Bad::Format);
                    }
                    s.time = Some(clock(&text[i..end])?);
                    i = end;
                }
                Some(&sep @ (b'-' | b'/' | b'.'))
                    if s.date.is_none()
                        && !s.time_next
                        && !(s.has_date() && sep == b'-')
                        && b.get(end + 1).is_some_and(u8::is_ascii_alphanumeric) =>
                {
                    // A word ends the date where it begins a time: 2024-01-02T03:04.
                    let mut end = i;
                    while end < b.len() && (b[end].is_ascii_alphanumeric() || b[end] == sep) {
                        let t = matches!(b[end], b'T' | b't')
                            && end > i
                            && b[end - 1].is_ascii_digit()
                            && b.get(end + 1).is_some_and(u8::is_ascii_digit);
                        let zulu = matches!(b[end], b'Z' | b'z') && b[end - 1].is_ascii_digit();
                        if t || zulu {
                            break;
                        }
                        end += 1;
                    }
                    let parts: Vec<&str> = text[i..end].split(char::from(sep)).collect();
                    s.separated(&parts, sep)?;
                    i = end;
                }
                _ => {
                    let end = take(i, &|c| c.is_ascii_digit() || c == b'.');
                    s.number(&text[i..end])?;
                    i = end;
                }
            }
        } else if c == b'+' || c == b'-' {
            let mut end = take(i + 1, &|c| c.is_ascii_digit() || c == b':');
            if end == i + 1 {
                return Err(Bad::Format);
            }
            if s.time.is_none() && !s.has_date() {
                return Err(Bad::Format);
            }
            while b[end - 1] == b':' {
                end -= 1;
            }
            let o = offset(&text[i..end]).ok_or(Bad::ZoneRange)?;
            let zone = s.fields.zone.take();
            s.fields.zone = Some(match zone {
                // An abbreviation with an offset, as in UTC+3, follows POSIX: west is positive.
                Some(Zone::Fixed(base, _)) => Zone::Fixed(base - o, None),
                _ => Zone::Fixed(o, None),
            });
            s.fields.has_zone = true;
            i = end;
        } else if c.is_ascii_alphabetic() {
            let end = take(i, &|c| c.is_ascii_alphabetic() || c == b'_' || c == b'/');
            let mut word = &text[i..end];
            let slash = word.contains('/');
            let mut next = end;
            if slash
                || b.get(end) == Some(&b'-')
                    && Zone::named(
                        &text[i..take(i, &|c| c.is_ascii_alphanumeric() || matches!(c, b'_' | b'/' | b'-' | b'+'))],
                    )
                    .is_some()
            {
                next = take(i, &|c| c.is_ascii_alphanumeric() || matches!(c, b'_' | b'/' | b'-' | b'+'));
                word = &text[i..next];
            } else if month_named(word).is_some()
                && matches!(b.get(end), Some(b'-'))
                && b.get(end + 1).is_some_and(u8::is_ascii_digit)
                && !s.has_date()
            {
                next = take(i, &|c| c.is_ascii_alphanumeric() || c == b'-');
                let parts: Vec<&str> = text[i..next].split('-').collect();
                s.separated(&parts, b'-')?;
                i = next;
                continue;
            }
            // J2451187 is a Julian day.
            if word.eq_ignore_ascii_case("j") && b.get(end).is_some_and(u8::is_ascii_digit) {
                let stop = take(end, &|c| c.is_ascii_digit());
                s.date = Some(text[end..stop].parse::<i64>().map_err(|_| Bad::Range)? - i64::from(EPOCH_JULIAN));
                i = stop;
                continue;
            }
            s.word(word)?;
            i = next;
        } else {
            return Err(Bad::Format);
        }
    }
    s.finish()
}

impl State {
    fn has_date(&self) -> bool {
        self.date.is_some() || (self.year.is_some() && self.month.is_some() && self.day.is_some())
    }
    fn set_year(&mut self, digits: &str) -> Result<(), Bad> {
        if self.year.is_some() {
            return Err(Bad::Format);
        }
        self.two_digit_year = digits.len() <= 2;
        self.year = Some(digits.parse().map_err(|_| Bad::Range)?);
        Ok(())
    }
    fn separated(&mut self, parts: &[&str], sep: u8) -> Result<(), Bad> {
        if self.has_date() {
            return Err(Bad::Format);
        }
        let number = |p: &str| -> Result<i64, Bad> {
            if p.is_empty() || !p.bytes().all(|c| c.is_ascii_digit()) {
                return Err(Bad::Format);
            }
            p.parse().map_err(|_| Bad::Range)
        };
        if let [year, doy] = parts
            && year.len() == 4
            && doy.len() == 3
        {
            let days = number(doy)?;
            let y = number(year)?;
            if !(1..=366).contains(&days) {
                return Err(Bad::Range);
            }
            self.date = Some(days_from(y, 1, 1) + days - 1);
            return Ok(());
        }
        let [a, b, c] = parts else { return Err(Bad::Format) };
        if let Some(i) = parts.iter().position(|p| month_named(p).is_some()) {
            self.month = month_named(parts[i]);
            self.named_month = true;
            let rest: Vec<&str> = parts.iter().enumerate().filter(|(j, _)| *j != i).map(|(_, p)| *p).collect();
            let (day, year) = match rest[0].len() > 2
                || self.order == DateOrder::Ymd && i > 0 && rest[1].len() <= 2 && rest[0].len() == 2
            {
                true => (rest[1], rest[0]),
                false => (rest[0], rest[1]),
            };
            self.day = Some(number(day)?);
            number(year)?;
            return self.set_year(year);
        }
        let (y, m, d) = if a.len() > 2 {
            (a, b, c)
        } else {
            match self.order {
                DateOrder::Ymd if sep != b'.' || c.len() <= 2 => (a, b, c),
                DateOrder::Dmy => (c, b, a),
                DateOrder::Ymd | DateOrder::Mdy => (c, a, b),
            }
        };
        number(y)?;
        (self.month, self.day) = (Some(number(m)?), Some(number(d)?));
        self.set_year(y)
    }
    fn number(&mut self, s: &str) -> Result<(), Bad> {
        let (whole, fraction) = s.split_once('.').map_or((s, None), |(w, f)| (w, Some(f)));
        let n: i64 = if whole.is_empty() { return Err(Bad::Format) } else { whole.parse().map_err(|_| Bad::Range)? };
        let packed_time = |whole: &str| -> Result<i64, Bad> {
            let (h, m, sec) = match whole.len() {
                2 => (n, 0, 0),
                4 => (n / 100, n % 100, 0),
                6 => (n / 10_000, n / 100 % 100, n % 100),
                _ => return Err(Bad::Format),
            };
            let part = seconds(&format!("0.{}", fraction.unwrap_or("0")))?;
            if h > 24 || m > 59 || sec > 60 {
                return Err(Bad::Range);
            }
            Ok(h * HOUR + m * MINUTE + sec * SECOND + part)
        };
        if (self.time_next || self.has_date() && matches!(whole.len(), 4 | 6)) && self.time.is_none() {
            self.time_next = false;
            self.time = Some(packed_time(whole)?);
            return Ok(());
        }
        if fraction.is_some() {
            return Err(Bad::Format);
        }
        match whole.len() {
            8 if !self.has_date() && self.month.is_none() => {
                (self.month, self.day) = (Some(n / 100 % 100), Some(n % 100));
                self.set_year(&whole[..4])
            }
            6 if !self.has_date() && self.month.is_none() => {
                (self.month, self.day) = (Some(n / 100 % 100), Some(n % 100));
                self.set_year(&whole[..2])
            }
            1 | 2
                if self.month.is_some()
                    && self.day.is_none()
                    && !(self.order == DateOrder::Ymd && self.year.is_none() && !self.named_month) =>
            {
                self.day = Some(n);
                Ok(())
            }
            1 | 2 if self.month.is_none() && self.day.is_none() => {
                if self.year.is_some() && !self.two_digit_year
                    || self.order == DateOrder::Mdy && self.year.is_none() && false
                {
                    self.month = Some(n);
                } else {
                    self.day = Some(n);
                }
                Ok(())
            }
            3.. if self.year.is_none() => self.set_year(whole),
            _ if self.year.is_none() => self.set_year(whole),
            _ => Err(Bad::Format),
        }
    }
    fn word(&mut self, word: &str) -> Result<(), Bad> {
        match &*word.to_ascii_lowercase() {
            "am" | "a.m." => self.pm = Some(false),
            "pm" | "p.m." => self.pm = Some(true),
            "bc" => self.bc = true,
            "ad" | "at" | "on" => {}
            "t" if !self.time_next => self.time_next = true,
            "allballs" => {
                self.time = Some(0);
                self.fields.zone = Some(Zone::UTC);
                self.fields.has_zone = true;
            }
            "dst" => {}
            w if month_named(w).is_some() => {
                if self.month.is_some() {
                    // What was taken for a month was the day.
                    if self.named_month || self.day.is_some() {
                        return Err(Bad::Format);
                    }
                    self.day = self.month;
                }
                self.month = month_named(w);
                self.named_month = true;
            }
            w if is_weekday(w) => {}
            w => {
                if self.fields.zone.is_some() {
                    return Err(Bad::Format);
                }
                let zone = match abbreviation(w) {
                    Some(o) => Some(Zone::Fixed(o, Some(word.to_ascii_uppercase()))),
                    None if self.time.is_some() || self.has_date() => Zone::named(word),
                    None => None,
                };
                let missing = || if word.contains('/') { Bad::Zone(word.to_ascii_lowercase()) } else { Bad::Format };
                self.fields.zone = Some(zone.ok_or_else(missing)?);
                self.fields.has_zone = true;
            }
        }
        Ok(())
    }
    fn finish(mut self) -> Result<Parsed, Bad> {
        if let Some(pm) = self.pm {
            let t = self.time.ok_or(Bad::Format)?;
            if t >= 13 * HOUR {
                return Err(Bad::Range);
            }
            let twelve = t >= 12 * HOUR;
            self.time = Some(match (pm, twelve) {
                (true, false) => t + 12 * HOUR,
                (false, true) => t - 12 * HOUR,
                _ => t,
            });
        }
        if self.date.is_none() && (self.year.is_some() || self.month.is_some() || self.day.is_some()) {
            let (Some(mut y), Some(m), Some(d)) = (self.year, self.month, self.day) else { return Err(Bad::Format) };
            if self.bc {
                if y <= 0 {
                    return Err(Bad::Range);
                }
                y = 1 - y;
            } else if self.two_digit_year {
                y += if y < 70 { 2000 } else { 1900 };
            } else if y == 0 {
                return Err(Bad::Range);
            }
            if !(1..=12).contains(&m) {
                return Err(Bad::Order);
            }
            if d < 1 || d > 31 {
                return Err(Bad::Order);
            }
            if d > month_days(y, m) {
                return Err(Bad::Range);
            }
            self.date = Some(days_from(y, m, d));
        } else if self.bc && self.date.is_none() {
            return Err(Bad::Format);
        }
        if self.date.is_none() && self.time.is_none() {
            return Err(Bad::Format);
        }
        self.fields.date = self.date;
        self.fields.time = self.time;
        Ok(Parsed::Value(self.fields))
    }
}

impl Fields {
    /// The civil time; a time alone has no date.
    pub fn local(&self) -> Option<i64> {
        self.date?.checked_mul(DAY)?.checked_add(self.time.unwrap_or(0))
    }
    pub fn civil(&self) -> Option<Civil> {
        self.local().map(Civil::of)
    }
}
