//! `to_char` of timestamps and intervals. (PostgreSQL: `DCH_to_char`)

use std::fmt::Write;

use base::sqlstate::INVALID_DATETIME_FORMAT;
use base::{PgError, Result};
use types::{FnCx, builtin};

use super::ordinal;
use super::template::{Field, Node, Ordinal, Pattern, parse};
use crate::datetime::interval::Interval;
use crate::datetime::zone::Zone;
use crate::datetime::{
    Civil, EPOCH_JULIAN, HOUR, MINUTE, MONTHS, SECOND, WEEKDAYS, days_from, fields, is_infinite, weekday,
};

/// What a template shows.
struct Moment {
    year: i64,
    month: i64,
    day: i64,
    hour: i64,
    minute: i64,
    second: i64,
    us: i64,
    /// Sunday is 0.
    weekday: i64,
    yearday: i64,
    /// Offset in seconds and abbreviation.
    zone: (i64, Option<String>),
    interval: bool,
}

pub const ROMAN: [&str; 12] = ["I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI", "XII"];

#[cold]
fn not_for_intervals() -> PgError {
    PgError::new(INVALID_DATETIME_FORMAT, "invalid format specification for an interval value")
        .hint("Intervals are not tied to specific calendar dates.")
}

impl Moment {
    fn of_civil(local: i64, zone: (i64, Option<String>)) -> Moment {
        let c = Civil::of(local);
        Moment {
            year: c.year,
            month: c.month,
            day: c.day,
            hour: c.time / HOUR,
            minute: c.time / MINUTE % 60,
            second: c.time / SECOND % 60,
            us: c.time % SECOND,
            weekday: weekday(c.days()),
            yearday: c.days() - days_from(c.year, 1, 1) + 1,
            zone,
            interval: false,
        }
    }
    fn of_interval(v: Interval) -> Moment {
        let (year, month, day) = (i64::from(v.month / 12), i64::from(v.month % 12), i64::from(v.day));
        Moment {
            year,
            month,
            day,
            hour: v.time / HOUR,
            minute: v.time / MINUTE % 60,
            second: v.time / SECOND % 60,
            us: v.time % SECOND,
            weekday: 0,
            yearday: (year * 12 + month) * 30 + day,
            zone: (0, None),
            interval: true,
        }
    }
    fn days(&self) -> i64 {
        days_from(self.year, self.month, self.day)
    }
    /// A year as it is shown: there is no year 0.
    fn shown(&self, year: i64) -> i64 {
        if self.interval || year > 0 { year } else { 1 - year }
    }
    fn iso_year(&self) -> i64 {
        fields::iso_week(self.days()).0
    }
    fn iso_year_day(&self) -> i64 {
        let fourth = days_from(self.iso_year(), 1, 4);
        self.days() - (fourth - (weekday(fourth) + 6) % 7) + 1
    }
    /// A month name has no meaning in an interval, and none if there is no month.
    fn calendar(&self) -> Result<&Moment> {
        if self.interval { Err(not_for_intervals()) } else { Ok(self) }
    }

    fn write(&self, nodes: &[Node]) -> Result<String> {
        let mut out = String::new();
        for node in nodes {
            match node {
                Node::Separator(c) | Node::Space(c) | Node::Text(c) => out.push(*c),
                Node::Pattern(p) => self.field(p, &mut out)?,
            }
        }
        Ok(out)
    }
    fn field(&self, p: &Pattern, out: &mut String) -> Result<()> {
        use Field::*;
        let start = out.len();
        // A negative number is one wider.
        let padded = |out: &mut String, v: i64, width: usize, sign: i64| {
            let width = if p.fill { 0 } else { width + usize::from(sign < 0) };
            let _ = write!(out, "{v:0width$}");
        };
        match p.field {
            Meridiem { dots } => {
                let name = match (self.hour % 24 >= 12, dots) {
                    (true, true) => "P.M.",
                    (true, false) => "PM",
                    (false, true) => "A.M.",
                    (false, false) => "AM",
                };
                return text(p, name, out);
            }
            Era { dots } => {
                let name = match (self.calendar()?.year <= 0, dots) {
                    (true, true) => "B.C.",
                    (true, false) => "BC",
                    (false, true) => "A.D.",
                    (false, false) => "AD",
                };
                return text(p, name, out);
            }
            Month | Mon => {
                let name = MONTHS[(self.calendar()?.month - 1).clamp(0, 11) as usize];
                return text(p, if p.field == Mon { &name[..3] } else { name }, out);
            }
            Day | Dy => {
                let name = WEEKDAYS[self.calendar()?.weekday as usize];
                return text(p, if p.field == Dy { &name[..3] } else { name }, out);
            }
            Roman => {
                if self.month == 0 && self.year == 0 {
                    return Ok(());
                }
                // Whole years of an interval show December or, if negative, January.
                let i = match self.month {
                    0 if self.year >= 0 => 11,
                    0 => 0,
                    m if m < 0 => 12 + m,
                    m => m - 1,
                };
                return text(p, ROMAN[i.clamp(0, 11) as usize], out);
            }
            Zone => {
                if let Some(name) = &self.calendar()?.zone.1 {
                    out.push_str(&if p.name == "tz" { name.to_ascii_lowercase() } else { name.clone() });
                }
                return Ok(());
            }
            ZoneHour | ZoneMinute | Offset => {
                let offset = self.calendar()?.zone.0;
                let (sign, hours, minutes) =
                    (if offset < 0 { '-' } else { '+' }, offset.abs() / 3600, offset.abs() % 3600 / 60);
                let _ = match p.field {
                    ZoneHour => write!(out, "{sign}{hours:02}"),
                    ZoneMinute => write!(out, "{minutes:02}"),
                    _ if p.fill => write!(out, "{sign}{hours}"),
                    _ => write!(out, "{sign}{hours:02}"),
                };
                if p.field == Offset && offset % 3600 != 0 {
                    let _ = write!(out, ":{minutes:02}");
                }
                return Ok(());
            }
            Fixed => return Ok(()),
            Hour12 => padded(out, if self.hour % 12 == 0 { 12 } else { self.hour % 12 }, 2, self.hour),
            Hour24 => padded(out, self.hour, 2, self.hour),
            Minute => padded(out, self.minute, 2, self.minute),
            Second => padded(out, self.second, 2, self.second),
            Fraction(n) => {
                let (v, width) = (self.us / 10i64.pow(6 - n), n as usize);
                let _ = write!(out, "{v:0width$}");
            }
            Millisecond => {
                let _ = write!(out, "{:03}", self.us / 1000);
            }
            Microsecond => {
                let _ = write!(out, "{:06}", self.us);
            }
            SecondsOfDay => {
                let _ = write!(out, "{}", self.hour * 3600 + self.minute * 60 + self.second);
            }
            MonthNumber => padded(out, self.month, 2, self.month),
            DayOfYear => padded(out, self.yearday, 3, 0),
            IsoDayOfYear => padded(out, self.iso_year_day(), 3, 0),
            DayOfMonth => padded(out, self.day, 2, 0),
            DayOfWeek => padded(out, self.calendar()?.weekday + 1, 1, 0),
            IsoDay => padded(out, if self.calendar()?.weekday == 0 { 7 } else { self.weekday }, 1, 0),
            WeekOfYear => padded(out, (self.yearday - 1) / 7 + 1, 2, 0),
            IsoWeek => padded(out, fields::iso_week(self.days()).1, 2, 0),
            Quarter => {
                if self.month == 0 {
                    return Ok(());
                }
                padded(out, (self.month - 1) / 3 + 1, 1, 0);
            }
            Century => {
                let c = match self.year {
                    y if self.interval => y / 100,
                    y if y > 0 => (y - 1) / 100 + 1,
                    y => y / 100 - 1,
                };
                padded(out, c, 2, c);
            }
            CommaYear => {
                let y = self.shown(self.year);
                let _ = write!(out, "{},{:03}", y / 1000, y % 1000);
            }
            Year(n) | IsoYear(n) => {
                let iso = matches!(p.field, IsoYear(_));
                let y = self.shown(if iso { self.iso_year() } else { self.year });
                let y = if n == 4 { y } else { y % 10i64.pow(n) };
                padded(out, y, n as usize, if n == 1 { 0 } else { self.shown(self.year) });
            }
            WeekOfMonth => padded(out, (self.day - 1) / 7 + 1, 1, 0),
            Julian => padded(out, self.days() + i64::from(EPOCH_JULIAN), 1, 0),
        }
        if let Some(o) = p.ordinal {
            let ending = ordinal(&out.as_bytes()[start..], o == Ordinal::Upper)?;
            out.push_str(ending);
        }
        Ok(())
    }
}

/// A name in the letter case of its pattern; month and day names and Roman numerals fill their columns.
fn text(p: &Pattern, name: &str, out: &mut String) -> Result<()> {
    let letters: Vec<char> = p.name.chars().filter(|c| c.is_ascii_alphabetic()).collect();
    let name = match &letters[..] {
        [first, ..] if first.is_lowercase() => name.to_ascii_lowercase(),
        [_, second, ..] if second.is_uppercase() => name.to_ascii_uppercase(),
        _ => name.to_owned(),
    };
    let width = match p.field {
        _ if p.fill || p.translate && p.field != Field::Roman => 0,
        Field::Month | Field::Day => 9,
        Field::Roman => 4,
        _ => 0,
    };
    let _ = write!(out, "{name:<width$}");
    Ok(())
}

fn shown(m: Moment, cx: &mut FnCx<'_>, format: &str) -> Result<Option<String>> {
    // The template is taken apart once for a call site that keeps to it.
    let kept = cx.state_or(|_| Ok((format.to_owned(), parse(format))))?;
    if kept.0 != format {
        *kept = (format.to_owned(), parse(format));
    }
    m.write(&kept.1).map(Some)
}
#[builtin("timestamp_to_char")]
fn timestamp_to_char(cx: &mut FnCx<'_>, ts: i64, format: &str) -> Result<Option<String>> {
    if format.is_empty() || is_infinite(ts) {
        return Ok(None);
    }
    shown(Moment::of_civil(ts, (0, None)), cx, format)
}
#[builtin("timestamptz_to_char")]
fn timestamptz_to_char(cx: &mut FnCx<'_>, ts: i64, format: &str) -> Result<Option<String>> {
    if format.is_empty() || is_infinite(ts) {
        return Ok(None);
    }
    let zone = Zone::session(&cx.settings().time_zone);
    let offset = i64::from(zone.offset_at(ts));
    shown(Moment::of_civil(ts + offset * SECOND, (offset, Some(zone.abbreviation_at(ts)))), cx, format)
}
#[builtin("interval_to_char")]
fn interval_to_char(cx: &mut FnCx<'_>, v: Interval, format: &str) -> Result<Option<String>> {
    if format.is_empty() || v.is_infinite() {
        return Ok(None);
    }
    shown(Moment::of_interval(v), cx, format)
}
