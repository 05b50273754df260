//! `to_timestamp` and `to_date`. (PostgreSQL: `DCH_from_char`, `do_to_timestamp`)

use base::sqlstate::*;
use base::{PgError, Result};
use types::{FnCx, builtin};

use super::date_out::ROMAN;
use super::template::{Convention, Field, Node, Pattern, ends_digits, is_separator, parse};
use crate::datetime::parse::Bad;
use crate::datetime::zone::{Zone, abbreviation};
use crate::datetime::{
    EPOCH_JULIAN, HOUR, MINUTE, MONTHS, SECOND, WEEKDAYS, civil, days_from, in_range, is_leap, month_days, round_to,
    weekday,
};
use crate::err::error;

/// What the text said; zero where it said nothing.
#[derive(Default)]
struct Found {
    convention: Option<Convention>,
    hour: i32,
    twelve: bool,
    pm: i32,
    minute: i32,
    second: i32,
    second_of_day: i32,
    /// Sunday is 1.
    weekday: i32,
    day: i32,
    day_of_year: i32,
    month: i32,
    ms: i32,
    year: i32,
    /// How many digits the year's pattern has.
    year_digits: u32,
    bc: i32,
    week: i32,
    week_of_month: i32,
    century: i32,
    julian: i32,
    us: i32,
    precision: Option<u32>,
    /// Sign of the offset, 0 if none was given.
    zone_sign: i32,
    zone_hour: i32,
    zone_minute: i32,
    /// An abbreviation's offset in seconds east.
    zone: Option<i32>,
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    /// Characters skipped beyond what the template asked for.
    extra: i32,
}

fn set(target: &mut i32, value: i32, p: &Pattern) -> Result<()> {
    if *target != 0 && *target != value {
        let text = format!("conflicting values for \"{}\" field in formatting string", p.name);
        return Err(error(INVALID_DATETIME_FORMAT, text)
            .detail("This value contradicts a previous setting for the same field type."));
    }
    *target = value;
    Ok(())
}

/// As C's `strtol`: the value, saturated, and the length of its text; 0 if there is none.
fn integer(s: &[u8]) -> (i128, usize) {
    let blank = s.iter().take_while(|c| crate::int::is_space(char::from(**c))).count();
    let sign = usize::from(matches!(s.get(blank), Some(b'+' | b'-')));
    let digits = s[blank + sign..].iter().take_while(|c| c.is_ascii_digit()).count();
    if digits == 0 {
        return (0, 0);
    }
    let end = blank + sign + digits;
    let magnitude =
        s[blank + sign..end].iter().fold(0i128, |v, c| (v * 10 + i128::from(c - b'0')).min(i128::from(u64::MAX)));
    (if sign == 1 && s[blank] == b'-' { -magnitude } else { magnitude }, end)
}

impl<'a> Reader<'a> {
    fn rest(&self) -> &'a [u8] {
        &self.text.as_bytes()[self.at..]
    }
    fn done(&self) -> bool {
        self.at >= self.text.len()
    }
    fn step(&mut self) {
        self.at += self.text[self.at..].chars().next().map_or(0, char::len_utf8);
    }
    fn blanks(&mut self) {
        while self.rest().first().is_some_and(|c| crate::int::is_space(char::from(*c))) {
            self.at += 1;
            self.extra += 1;
        }
    }
    /// Reads a number of `len` digits, or as many as there are; gives it with the length of its text.
    fn number(&mut self, nodes: &[Node], i: usize, p: &Pattern, len: usize) -> Result<(i32, usize)> {
        let start = self.at;
        let blank = self.rest().iter().take_while(|c| crate::int::is_space(char::from(**c))).count();
        let body = &self.rest()[blank..];
        let copy = &body[..len.min(body.len())];
        let shown = String::from_utf8_lossy(copy).into_owned();
        let fixed_hint = "If your source string is not fixed-width, try using the \"FM\" modifier.";
        let value;
        if p.fill || ends_digits(nodes, i) {
            let (v, used) = integer(self.rest());
            (value, self.at) = (v, start + used);
        } else {
            if copy.len() < len {
                let text = format!("source string too short for \"{}\" formatting field", p.name);
                return Err(error(INVALID_DATETIME_FORMAT, text)
                    .detail(format!("Field requires {len} characters, but only {} remain.", copy.len()))
                    .hint(fixed_hint));
            }
            let (v, used) = integer(copy);
            if used > 0 && used < len {
                return Err(error(INVALID_DATETIME_FORMAT, format!("invalid value \"{shown}\" for \"{}\"", p.name))
                    .detail(format!("Field requires {len} characters, but only {used} could be parsed."))
                    .hint(fixed_hint));
            }
            (value, self.at) = (v, start + blank + used);
        }
        if self.at == start {
            return Err(error(INVALID_DATETIME_FORMAT, format!("invalid value \"{shown}\" for \"{}\"", p.name))
                .detail("Value must be an integer."));
        }
        let range = || {
            let text = format!("value for \"{}\" in source string is out of range", p.name);
            error(DATETIME_VALUE_OUT_OF_RANGE, text).detail(format!(
                "Value must be in the range {} to {}.",
                i32::MIN,
                i32::MAX
            ))
        };
        Ok((i32::try_from(value).map_err(|_| range())?, self.at - start))
    }
    /// The first of the names that the text begins with, in any letter case.
    fn name<'b>(&mut self, p: &Pattern, names: impl Iterator<Item = &'b str>) -> Result<i32> {
        for (i, name) in names.enumerate() {
            if self.rest().get(..name.len()).is_some_and(|t| t.eq_ignore_ascii_case(name.as_bytes())) {
                self.at += name.len();
                return Ok(i as i32);
            }
        }
        let word = self.text[self.at..].split(crate::int::is_space).next().unwrap_or("");
        Err(error(INVALID_DATETIME_FORMAT, format!("invalid value \"{word}\" for \"{}\"", p.name))
            .detail("The given value did not match any of the allowed values for this field."))
    }
    fn zone_sign(&mut self) -> i32 {
        match self.rest().first() {
            Some(c @ (b'+' | b'-' | b' ')) => {
                self.at += 1;
                if *c == b'-' { -1 } else { 1 }
            }
            // The minus may have been taken for a separator.
            _ if self.extra > 0 && self.at > 0 && self.text.as_bytes()[self.at - 1] == b'-' => -1,
            _ => 1,
        }
    }
}

/// Years of fewer than four digits are those nearest to 2020.
fn near_2020(year: i32) -> i32 {
    match year {
        ..70 => year + 2000,
        70..100 => year + 1900,
        100..520 => year + 2000,
        520..1000 => year + 1000,
        _ => year,
    }
}

fn read(text: &str, nodes: &[Node], strict: bool) -> Result<Found> {
    let mut f = Found::default();
    let mut r = Reader { text, at: 0, extra: 0 };
    let mut fixed = strict;
    let mut used = 0;
    for (i, node) in nodes.iter().enumerate() {
        if r.done() {
            break;
        }
        used = i + 1;
        let is_fx = matches!(node, Node::Pattern(Pattern { field: Field::Fixed, .. }));
        if !fixed && !is_fx && (i == 0 || matches!(node, Node::Pattern(_))) {
            r.blanks();
        }
        match node {
            Node::Separator(c) | Node::Space(c) if strict && !r.text[r.at..].starts_with(*c) => {
                return Err(error(INVALID_DATETIME_FORMAT, format!("unmatched format separator \"{c}\"")));
            }
            Node::Text(c) if strict && !r.text[r.at..].starts_with(*c) => {
                return Err(error(INVALID_DATETIME_FORMAT, format!("unmatched format character \"{c}\"")));
            }
            Node::Separator(_) | Node::Space(_) if fixed => r.step(),
            Node::Separator(_) | Node::Space(_) => {
                r.extra -= 1;
                if r.rest().first().is_some_and(|&c| crate::int::is_space(char::from(c)) || is_separator(c)) {
                    r.at += 1;
                    r.extra += 1;
                }
            }
            Node::Text(_) if !fixed && r.extra > 0 => r.extra -= 1,
            Node::Text(_) => r.step(),
            Node::Pattern(p) => {
                if let Some(c) = p.field.convention()
                    && *f.convention.get_or_insert(c) != c
                {
                    return Err(error(INVALID_DATETIME_FORMAT, "invalid combination of date conventions")
                        .hint("Do not mix Gregorian and ISO week date conventions in a formatting template."));
                }
                fixed |= is_fx;
                field(&mut f, &mut r, nodes, i, p)?;
                if !fixed {
                    r.extra = 0;
                    r.blanks();
                }
            }
        }
    }
    if strict {
        if used < nodes.len() {
            return Err(error(INVALID_DATETIME_FORMAT, "input string is too short for datetime format"));
        }
        if !r.text[r.at..].trim_start_matches(crate::int::is_space).is_empty() {
            let text = "trailing characters remain in input string after datetime format";
            return Err(error(INVALID_DATETIME_FORMAT, text));
        }
    }
    Ok(f)
}

fn field(f: &mut Found, r: &mut Reader<'_>, nodes: &[Node], i: usize, p: &Pattern) -> Result<()> {
    use Field::*;
    let number = |r: &mut Reader<'_>, len: usize| r.number(nodes, i, p, len);
    match p.field {
        Fixed => return Ok(()),
        Meridiem { dots } => {
            let names = if dots { ["a.m.", "p.m."] } else { ["am", "pm"] };
            set(&mut f.pm, r.name(p, names.into_iter())?, p)?;
            f.twelve = true;
            return Ok(());
        }
        Era { dots } => {
            let names = if dots { ["a.d.", "b.c."] } else { ["ad", "bc"] };
            return set(&mut f.bc, r.name(p, names.into_iter())?, p);
        }
        Month => return set(&mut f.month, r.name(p, MONTHS.into_iter())? + 1, p),
        Mon => return set(&mut f.month, r.name(p, MONTHS.iter().map(|m| &m[..3]))? + 1, p),
        Roman => return set(&mut f.month, 12 - r.name(p, ROMAN.into_iter().rev())?, p),
        Day | Dy => {
            let short = p.field == Dy;
            let d = r.name(p, WEEKDAYS.iter().map(|d| if short { &d[..3] } else { *d }))?;
            set(&mut f.weekday, d, p)?;
            f.weekday += 1;
            return Ok(());
        }
        Zone => {
            let letters = r.rest().iter().take_while(|c| c.is_ascii_alphabetic()).count();
            let word = |n: usize| &r.text[r.at..r.at + n];
            if let Some((n, offset)) = (1..=letters).rev().find_map(|n| abbreviation(word(n)).map(|o| (n, o))) {
                f.zone = Some(offset);
                f.zone_sign = 0;
                r.at += n;
                return Ok(());
            }
            if letters > 0 {
                let text = format!("invalid value \"{}\" for \"{}\"", &r.text[r.at..], p.name);
                return Err(error(INVALID_DATETIME_FORMAT, text).detail("Time zone abbreviation is not recognized."));
            }
            return offset(f, r, nodes, i, p);
        }
        Offset => return offset(f, r, nodes, i, p),
        ZoneHour => {
            f.zone_sign = r.zone_sign();
            return set(&mut f.zone_hour, number(r, 2)?.0, p);
        }
        ZoneMinute => {
            if f.zone_sign == 0 {
                f.zone_sign = 1;
            }
            return set(&mut f.zone_minute, number(r, 2)?.0, p);
        }
        Hour12 => {
            set(&mut f.hour, number(r, 2)?.0, p)?;
            f.twelve = true;
        }
        Hour24 => set(&mut f.hour, number(r, 2)?.0, p)?,
        Minute => set(&mut f.minute, number(r, 2)?.0, p)?,
        Second => set(&mut f.second, number(r, 2)?.0, p)?,
        Millisecond => {
            let (v, len) = number(r, 3)?;
            set(&mut f.ms, v, p)?;
            f.ms = f.ms.wrapping_mul([1, 100, 10][if len > 2 { 0 } else { len }]);
        }
        Microsecond | Fraction(_) => {
            let digits = if let Fraction(n) = p.field { n } else { 6 };
            if let Fraction(n) = p.field {
                f.precision = Some(n);
            }
            let (v, len) = number(r, digits as usize)?;
            set(&mut f.us, v, p)?;
            f.us = f.us.wrapping_mul(if len < 6 { 10i32.pow(6 - len as u32) } else { 1 });
        }
        SecondsOfDay => set(&mut f.second_of_day, number(r, p.name.len())?.0, p)?,
        MonthNumber => set(&mut f.month, number(r, 2)?.0, p)?,
        DayOfYear | IsoDayOfYear => set(&mut f.day_of_year, number(r, 3)?.0, p)?,
        DayOfMonth => set(&mut f.day, number(r, 2)?.0, p)?,
        DayOfWeek => set(&mut f.weekday, number(r, 1)?.0, p)?,
        IsoDay => {
            set(&mut f.weekday, number(r, 1)?.0, p)?;
            f.weekday = if f.weekday >= 7 { 1 } else { f.weekday + 1 };
        }
        WeekOfYear | IsoWeek => set(&mut f.week, number(r, 2)?.0, p)?,
        // Which day of the quarter would be meant is unclear.
        Quarter => drop(number(r, 1)?),
        Century => set(&mut f.century, number(r, 2)?.0, p)?,
        CommaYear => {
            let bad = || {
                let text = format!("invalid value \"{}\" for \"Y,YYY\"", &r.text[r.at..]);
                error(INVALID_DATETIME_FORMAT, text)
            };
            let (thousands, used) = integer(r.rest());
            if used == 0 || r.rest().get(used) != Some(&b',') {
                return Err(bad());
            }
            let after = &r.rest()[used + 1..];
            let (years, more) = integer(&after[..after.len().min(3)]);
            if more == 0 {
                return Err(bad());
            }
            let range = || {
                let text = "value for \"Y,YYY\" in source string is out of range";
                error(DATETIME_FIELD_OVERFLOW, text)
            };
            let year = i32::try_from(thousands * 1000 + years).map_err(|_| range())?;
            set(&mut f.year, year, p)?;
            f.year_digits = 4;
            r.at += used + 1 + more;
        }
        Year(n) | IsoYear(n) => {
            let (v, len) = number(r, n as usize)?;
            set(&mut f.year, v, p)?;
            if n < 4 && len < 4 {
                f.year = near_2020(f.year);
            }
            f.year_digits = n;
        }
        WeekOfMonth => set(&mut f.week_of_month, number(r, 1)?.0, p)?,
        Julian => set(&mut f.julian, number(r, 1)?.0, p)?,
    }
    if p.ordinal.is_some() {
        r.step();
        r.step();
    }
    Ok(())
}

fn offset(f: &mut Found, r: &mut Reader<'_>, nodes: &[Node], i: usize, p: &Pattern) -> Result<()> {
    f.zone_sign = r.zone_sign();
    set(&mut f.zone_hour, r.number(nodes, i, p, 2)?.0, p)?;
    if r.rest().first() == Some(&b':') {
        r.at += 1;
        set(&mut f.zone_minute, r.number(nodes, i, p, 2)?.0, p)?;
    }
    Ok(())
}

/// A civil time, and an offset in seconds east if the text gave one.
struct Meant {
    days: i64,
    time: i64,
    offset: Option<i64>,
    precision: Option<u32>,
}

/// Monday of an ISO week, in days from 2000.
fn iso_monday(year: i64, week: i64) -> i64 {
    let fourth = days_from(year, 1, 4);
    fourth - (weekday(fourth) + 6) % 7 + (week - 1) * 7
}

impl Found {
    /// Year, if the text told one. Year 0 is 1 BC.
    fn full_year(&self, overflow: impl Fn() -> PgError) -> Result<Option<i64>> {
        let century = i64::from(if self.bc != 0 { self.century.wrapping_neg() } else { self.century });
        let year = i64::from(self.year);
        let y = if self.year != 0 && self.century != 0 && self.year_digits <= 2 {
            match year % 100 {
                0 => century * 100 + i64::from(century < 0),
                y if century >= 0 => (century - 1) * 100 + y,
                y => (century + 1) * 100 - y + 1,
            }
        } else if self.year != 0 {
            let y = if self.bc != 0 { -year } else { year };
            if y < 0 { y + 1 } else { y }
        } else if self.century != 0 {
            if century >= 0 { (century - 1) * 100 + 1 } else { century * 100 + 1 }
        } else {
            return Ok(None);
        };
        if i32::try_from(y).is_err() { Err(overflow()) } else { Ok(Some(y)) }
    }
    fn time(&self, overflow: impl Fn() -> PgError) -> Result<i64> {
        let s = self.second_of_day;
        let pick = |given: i32, other: i32| if given != 0 { given } else { other };
        let mut hour = pick(self.hour, s / 3600);
        let (minute, second) = (pick(self.minute, s % 3600 / 60), pick(self.second, s % 60));
        if self.twelve {
            if !(1..=12).contains(&hour) {
                let text = format!("hour \"{hour}\" is invalid for the 12-hour clock");
                return Err(error(INVALID_DATETIME_FORMAT, text)
                    .hint("Use the 24-hour clock, or give an hour between 1 and 12."));
            }
            hour = hour % 12 + if self.pm != 0 { 12 } else { 0 };
        }
        let us = i64::from(self.ms) * 1000 + i64::from(self.us);
        let fits = (0..24).contains(&hour) && (0..60).contains(&minute) && (0..60).contains(&second);
        if !fits || !(0..SECOND).contains(&us) {
            return Err(overflow());
        }
        Ok(i64::from(hour) * HOUR + i64::from(minute) * MINUTE + i64::from(second) * SECOND + us)
    }
    fn date(&self, overflow: impl Fn() -> PgError) -> Result<i64> {
        let given = self.full_year(&overflow)?;
        let (mut year, mut month, mut day) = (given.unwrap_or(0), 1, 1);
        let (mut has_year, mut has_month, mut has_day) = (given.is_some(), false, false);
        let iso = self.convention == Some(Convention::IsoWeek);
        let mut day_of_year = i64::from(self.day_of_year);
        let mut whole = None;
        if self.julian != 0 {
            whole = Some(i64::from(self.julian) - i64::from(EPOCH_JULIAN));
        }
        if self.week != 0 {
            if iso {
                let monday = iso_monday(whole.map_or(year, |d| civil(d).0), self.week.into());
                whole = Some(match self.weekday {
                    0 => monday,
                    1 => monday + 6,
                    d => monday + i64::from(d) - 2,
                });
            } else {
                day_of_year = (i64::from(self.week) - 1) * 7 + 1;
            }
        }
        if let Some(days) = whole {
            (year, month, day) = civil(days);
            (has_year, has_month, has_day) = (true, true, true);
        }
        let week_day = (i64::from(self.week_of_month) - 1) * 7 + 1;
        let day_given = if self.week_of_month != 0 { week_day } else { self.day.into() };
        if i32::try_from(day_of_year).is_err() || i32::try_from(day_given).is_err() {
            return Err(overflow());
        }
        if day_given != 0 {
            (day, has_day) = (day_given, true);
        }
        if self.month != 0 {
            (month, has_month) = (self.month.into(), true);
        }
        if day_of_year != 0 && (month <= 1 || day <= 1) {
            if year == 0 && self.bc == 0 {
                let text = "cannot calculate day of year without year information";
                return Err(error(INVALID_DATETIME_FORMAT, text));
            }
            if iso {
                (year, month, day) = civil(iso_monday(year, 1) - 1 + day_of_year);
                has_year = true;
            } else {
                let mut m = 1;
                let mut before = 0;
                while m <= 12 && day_of_year > before + month_days(year, m) {
                    before += month_days(year, m);
                    m += 1;
                }
                if month <= 1 {
                    month = m;
                }
                if day <= 1 {
                    // Behind the year's end counts from there.
                    day = day_of_year - before.min(365 + i64::from(is_leap(year)));
                }
            }
            (has_month, has_day) = (true, true);
        }
        let bad = has_month && !(1..=12).contains(&month)
            || has_day && !(1..=31).contains(&day)
            || has_year && has_month && has_day && day > month_days(year, month);
        if bad { Err(overflow()) } else { Ok(days_from(year, month, day)) }
    }
    fn meant(&self, text: &str) -> Result<Meant> {
        let overflow = || Bad::Range.error("timestamp", text);
        // The errors of the hour come first, then the date's, then the other parts of the time.
        let time = self.time(overflow);
        if let Err(e) = &time
            && e.sqlstate() == INVALID_DATETIME_FORMAT
        {
            return Err(e.clone());
        }
        let days = self.date(overflow)?;
        let offset = match (self.zone_sign, self.zone) {
            (0, zone) => zone.map(i64::from),
            (sign, _) => {
                if !(0..=15).contains(&self.zone_hour) || !(0..60).contains(&self.zone_minute) {
                    return Err(time.err().unwrap_or_else(|| Bad::ZoneRange.error("timestamp", text)));
                }
                Some(i64::from(sign) * (i64::from(self.zone_hour) * 3600 + i64::from(self.zone_minute) * 60))
            }
        };
        Ok(Meant { days, time: time?, offset, precision: self.precision })
    }
}

fn meaning(cx: &mut FnCx<'_>, text: &str, format: &str) -> Result<Meant> {
    let kept = cx.state_or(|_| Ok((format.to_owned(), parse(format))))?;
    if kept.0 != format {
        *kept = (format.to_owned(), parse(format));
    }
    read(text, &kept.1, false)?.meant(text)
}

/// What a text said by a strict template: which parts, and their value.
pub(crate) struct Parsed {
    /// Whether the template has a date, a time, a zone.
    pub dated: bool,
    pub timed: bool,
    pub zoned: bool,
    pub days: i64,
    pub time: i64,
    /// Seconds east.
    pub offset: i64,
    pub precision: Option<u32>,
}

/// Reads a text that must match its template exactly; SQL/JSON's `datetime()`. (PostgreSQL: `parse_datetime`)
pub(crate) fn parse_strictly(text: &str, format: &str) -> Result<Parsed> {
    let nodes = parse(format);
    let plain = |c: char| "-./,':; ".contains(c);
    let mut quoted = false;
    for (i, n) in nodes.iter().enumerate() {
        // Text in quotes may be anything.
        quoted = matches!(n, Node::Text(_)) && (quoted || format.contains('"') && i > 0);
        if let Node::Separator(c) | Node::Space(c) | Node::Text(c) = n
            && !quoted
            && !plain(*c)
        {
            let text = format!("invalid datetime format separator: \"{c}\"");
            return Err(error(INVALID_DATETIME_FORMAT, text));
        }
    }
    let (mut dated, mut timed, mut zoned) = (false, false, false);
    for n in &nodes {
        use Field::*;
        let Node::Pattern(p) = n else { continue };
        match p.field {
            Fixed => {}
            Zone | Offset | ZoneHour | ZoneMinute => zoned = true,
            Hour24
            | Hour12
            | Minute
            | Second
            | Millisecond
            | Microsecond
            | Fraction(_)
            | SecondsOfDay
            | Meridiem { .. } => timed = true,
            _ => dated = true,
        }
    }
    let m = read(text, &nodes, true)?.meant(text)?;
    let bad = |text: &str| Err(error(INVALID_DATETIME_FORMAT, text));
    if !timed {
        if zoned {
            return bad("datetime format is zoned but not timed");
        }
        if !dated {
            return bad("datetime format is not dated and not timed");
        }
    }
    let offset = match m.offset {
        None if zoned => {
            let kind = if dated { "timestamptz" } else { "timetz" };
            return bad(&format!("missing time zone in input string for type {kind}"));
        }
        o => o.unwrap_or(0),
    };
    Ok(Parsed { dated, timed, zoned, days: m.days, time: m.time, offset, precision: m.precision })
}

#[builtin("to_timestamp")]
fn to_timestamp(cx: &mut FnCx<'_>, text: &str, format: &str) -> Result<i64> {
    let m = meaning(cx, text, format)?;
    let range = || error(DATETIME_VALUE_OUT_OF_RANGE, "timestamp out of range");
    let local = m.days.checked_mul(24 * HOUR).and_then(|d| d.checked_add(m.time)).ok_or_else(range)?;
    let ts = match m.offset {
        Some(o) => local - o * SECOND,
        None => Zone::session(&cx.settings().time_zone).to_utc(local),
    };
    if !in_range(ts) {
        return Err(range());
    }
    Ok(m.precision.map_or(ts, |p| round_to(ts, p as i32)))
}
#[builtin("to_date")]
fn to_date(cx: &mut FnCx<'_>, text: &str, format: &str) -> Result<i32> {
    let m = meaning(cx, text, format)?;
    let range = || error(DATETIME_VALUE_OUT_OF_RANGE, format!("date out of range: \"{text}\""));
    // The last date is 5874897-12-31.
    if !(-i64::from(EPOCH_JULIAN)..2_145_031_949).contains(&m.days) {
        return Err(range());
    }
    i32::try_from(m.days).map_err(|_| range())
}
