//! `interval`: months, days and microseconds, each with its own sign.

use std::cmp::Ordering;

use base::sqlstate::*;
use base::{Oid, PgError, Result};
use types::settings::IntervalStyle;
use types::{Builtin, Datum, DatumRef, FnCx, FromDatum, IntoDatum, builtin};

use super::{DAY, HOUR, MINUTE, SECOND};
use crate::err::{division_by_zero, error, invalid_parameter, out_of_range};
use crate::hash::{fold_i64, hash_u32, hash_u32_extended};

#[derive(Clone, Copy, Default, PartialEq, Debug)]
pub struct Interval {
    pub time: i64,
    pub day: i32,
    pub month: i32,
}

impl<'a> FromDatum<'a> for Interval {
    fn from_datum(d: DatumRef<'a>) -> Result<Interval> {
        Interval::from_bytes(<&[u8]>::from_datum(d)?).ok_or_else(|| PgError::internal("invalid interval"))
    }
}
impl IntoDatum for Interval {
    fn into_datum(self) -> Datum {
        Datum::bytes(&self.to_bytes()[..])
    }
}
#[cold]
pub fn interval_range() -> PgError {
    out_of_range("interval")
}

impl Interval {
    pub const INFINITY: Interval = Interval { time: i64::MAX, day: i32::MAX, month: i32::MAX };
    pub const NEG_INFINITY: Interval = Interval { time: i64::MIN, day: i32::MIN, month: i32::MIN };

    pub fn from_bytes(b: &[u8]) -> Option<Interval> {
        let word = |at: usize| b.get(at..at + 4).and_then(|w| w.try_into().ok()).map(i32::from_le_bytes);
        Some(Interval {
            time: b.get(..8).and_then(|w| w.try_into().ok()).map(i64::from_le_bytes)?,
            day: word(8)?,
            month: word(12)?,
        })
    }
    pub fn to_bytes(self) -> [u8; 16] {
        let mut b = [0; 16];
        b[..8].copy_from_slice(&self.time.to_le_bytes());
        b[8..12].copy_from_slice(&self.day.to_le_bytes());
        b[12..].copy_from_slice(&self.month.to_le_bytes());
        b
    }
    pub fn is_infinite(self) -> bool {
        self == Interval::INFINITY || self == Interval::NEG_INFINITY
    }
    /// Microseconds with months of 30 days.
    fn span(self) -> i128 {
        i128::from(self.time) + (i128::from(self.day) + i128::from(self.month) * 30) * i128::from(DAY)
    }
    pub fn sign(self) -> i32 {
        self.span().signum() as i32
    }
    pub fn negate(self) -> Result<Interval> {
        match self {
            Interval::INFINITY => return Ok(Interval::NEG_INFINITY),
            Interval::NEG_INFINITY => return Ok(Interval::INFINITY),
            _ => {}
        }
        let r = Interval {
            time: self.time.checked_neg().ok_or_else(interval_range)?,
            day: self.day.checked_neg().ok_or_else(interval_range)?,
            month: self.month.checked_neg().ok_or_else(interval_range)?,
        };
        r.finite()
    }
    fn finite(self) -> Result<Interval> {
        if self.is_infinite() { Err(interval_range()) } else { Ok(self) }
    }
    pub fn add(self, o: Interval) -> Result<Interval> {
        if self.is_infinite() || o.is_infinite() {
            return match (self.is_infinite(), o.is_infinite()) {
                (true, true) if self != o => Err(interval_range()),
                (true, _) => Ok(self),
                _ => Ok(o),
            };
        }
        let r = Interval {
            time: self.time.checked_add(o.time).ok_or_else(interval_range)?,
            day: self.day.checked_add(o.day).ok_or_else(interval_range)?,
            month: self.month.checked_add(o.month).ok_or_else(interval_range)?,
        };
        r.finite()
    }
    pub fn subtract(self, o: Interval) -> Result<Interval> {
        if self.is_infinite() || o.is_infinite() {
            return self.add(o.negate()?);
        }
        let r = Interval {
            time: self.time.checked_sub(o.time).ok_or_else(interval_range)?,
            day: self.day.checked_sub(o.day).ok_or_else(interval_range)?,
            month: self.month.checked_sub(o.month).ok_or_else(interval_range)?,
        };
        r.finite()
    }
    pub fn scale(self, f: f64) -> Result<Interval> {
        if f.is_nan() {
            return Err(interval_range());
        }
        if self.is_infinite() || f.is_infinite() {
            let sign = f64::from(self.sign()) * f;
            return if sign > 0.0 {
                Ok(Interval::INFINITY)
            } else if sign < 0.0 {
                Ok(Interval::NEG_INFINITY)
            } else {
                Err(interval_range())
            };
        }
        self.spread(f64::from(self.month) * f, f64::from(self.day) * f, self.time as f64 * f)
    }
    pub fn divide(self, f: f64) -> Result<Interval> {
        if f == 0.0 {
            return Err(division_by_zero());
        }
        if f.is_nan() || self.is_infinite() && f.is_infinite() {
            return Err(interval_range());
        }
        if self.is_infinite() {
            return if f < 0.0 { self.negate() } else { Ok(self) };
        }
        self.spread(f64::from(self.month) / f, f64::from(self.day) / f, self.time as f64 / f)
    }
    /// Fractions of months become days, fractions of days time. (PostgreSQL: `interval_mul`)
    fn spread(self, month: f64, day: f64, time: f64) -> Result<Interval> {
        let int =
            |v: f64| if v > -2_147_483_649.0 && v < 2_147_483_648.0 { Ok(v as i32) } else { Err(interval_range()) };
        let round = |v: f64| (v * 1e6).round_ties_even() / 1e6;
        let (months, days) = (int(month)?, int(day)?);
        let month_days = round((month - f64::from(months)) * 30.0);
        let mut secs = round((day - f64::from(days) + month_days - month_days.trunc()) * 86_400.0);
        let mut extra = month_days.trunc();
        if secs.abs() >= 86_400.0 {
            extra += (secs / 86_400.0).trunc();
            secs -= (secs / 86_400.0).trunc() * 86_400.0;
        }
        let total = int(f64::from(days) + extra)?;
        let us = (time + secs * 1e6).round_ties_even();
        if us.is_nan() || us.abs() >= 9.223_372_036_854_775e18 {
            return Err(interval_range());
        }
        Interval { time: us as i64, day: total, month: months }.finite()
    }
}

/// The order of stored intervals.
pub fn compare_bytes(a: &[u8], b: &[u8]) -> Ordering {
    let span = |b| Interval::from_bytes(b).unwrap_or_default().span();
    span(a).cmp(&span(b))
}
pub static INTERVAL_COMPARE: &[Builtin] = &compare_bytes!(
    compare_bytes,
    ["interval_eq", "interval_ne", "interval_lt", "interval_le", "interval_gt", "interval_ge", "interval_cmp"]
);

// Type modifiers: a mask of fields and a precision.

pub(super) mod fields {
    pub const YEAR: i32 = 1 << 2;
    pub const MONTH: i32 = 1 << 1;
    pub const DAY_FIELD: i32 = 1 << 3;
    pub const HOUR_FIELD: i32 = 1 << 10;
    pub const MINUTE_FIELD: i32 = 1 << 11;
    pub const SECOND_FIELD: i32 = 1 << 12;
    pub const YEAR_MONTH: i32 = YEAR | MONTH;
    pub const DAY_HOUR: i32 = DAY_FIELD | HOUR_FIELD;
    pub const DAY_MINUTE: i32 = DAY_HOUR | MINUTE_FIELD;
    pub const DAY_SECOND: i32 = DAY_MINUTE | SECOND_FIELD;
    pub const HOUR_MINUTE: i32 = HOUR_FIELD | MINUTE_FIELD;
    pub const HOUR_SECOND: i32 = HOUR_MINUTE | SECOND_FIELD;
    pub const MINUTE_SECOND: i32 = MINUTE_FIELD | SECOND_FIELD;
    pub const FULL_RANGE: i32 = 0x7fff;
    pub const FULL_PRECISION: i32 = 0xffff;
}
use fields::*;

fn split_typmod(typmod: i32) -> (i32, i32) {
    if typmod < 0 { (FULL_RANGE, FULL_PRECISION) } else { (typmod >> 16 & 0x7fff, typmod & 0xffff) }
}
/// (PostgreSQL: `AdjustIntervalForTypmod`)
fn adjust(mut v: Interval, typmod: i32) -> Result<Interval> {
    let (range, precision) = split_typmod(typmod);
    if typmod < 0 || v.is_infinite() {
        return Ok(v);
    }
    match range {
        YEAR => v = Interval { month: v.month / 12 * 12, day: 0, time: 0 },
        MONTH | YEAR_MONTH => v = Interval { day: 0, time: 0, ..v },
        DAY_FIELD => v.time = 0,
        HOUR_FIELD | DAY_HOUR => v.time = v.time / HOUR * HOUR,
        MINUTE_FIELD | HOUR_MINUTE | DAY_MINUTE => v.time = v.time / MINUTE * MINUTE,
        _ => {}
    }
    if precision != FULL_PRECISION {
        let half = if (0..6).contains(&precision) { 10i64.pow(6 - precision as u32) / 2 } else { 0 };
        let fits = if v.time >= 0 { v.time.checked_add(half) } else { v.time.checked_sub(half) };
        if fits.is_none() {
            return Err(error(DATETIME_VALUE_OUT_OF_RANGE, "interval out of range"));
        }
        v.time = super::round_to(v.time, precision);
    }
    Ok(v)
}
#[builtin("interval_in")]
fn interval_in(cx: &mut FnCx<'_>, s: &str, _elem: Oid, typmod: i32) -> Result<Interval> {
    let (range, _) = split_typmod(typmod);
    adjust(super::interval_in::parse(s, range, cx.settings().interval_style)?, typmod)
}
#[builtin("interval_scale")]
fn interval_scale(v: Interval, typmod: i32) -> Result<Interval> {
    adjust(v, typmod)
}
#[builtin("intervaltypmodin")]
fn intervaltypmodin(a: &[u8]) -> Result<i32> {
    let list = crate::arrays::cstrings(a)?;
    let numbers = list
        .iter()
        .map(|s| crate::int::parse_int(s, "integer", 0, i64::from(i32::MAX)).map(|n| n as i32))
        .collect::<Result<Vec<_>>>()?;
    match numbers[..] {
        [range] => Ok(if range == FULL_RANGE { -1 } else { FULL_PRECISION | range << 16 }),
        [range, precision] => Ok(precision.min(6) | range << 16),
        _ => Err(invalid_parameter("invalid INTERVAL type modifier")),
    }
}
#[builtin("intervaltypmodout")]
fn intervaltypmodout(typmod: i32) -> String {
    let (range, precision) = split_typmod(typmod);
    if typmod < 0 {
        return String::new();
    }
    let fields = match range {
        YEAR => " year",
        MONTH => " month",
        DAY_FIELD => " day",
        HOUR_FIELD => " hour",
        MINUTE_FIELD => " minute",
        SECOND_FIELD => " second",
        YEAR_MONTH => " year to month",
        DAY_HOUR => " day to hour",
        DAY_MINUTE => " day to minute",
        DAY_SECOND => " day to second",
        HOUR_MINUTE => " hour to minute",
        HOUR_SECOND => " hour to second",
        MINUTE_SECOND => " minute to second",
        _ => "",
    };
    if precision == FULL_PRECISION { fields.into() } else { format!("{fields}({precision})") }
}

// Output.

/// (PostgreSQL: `EncodeInterval`)
pub fn write(v: Interval, style: IntervalStyle, out: &mut Vec<u8>) {
    match v {
        Interval::INFINITY => return out.extend_from_slice(b"infinity"),
        Interval::NEG_INFINITY => return out.extend_from_slice(b"-infinity"),
        _ => {}
    }
    let (year, mon, day) = (i64::from(v.month / 12), i64::from(v.month % 12), i64::from(v.day));
    let (hour, min, us) = (v.time / HOUR, v.time / MINUTE % 60, v.time % MINUTE);
    let fraction = |us: i64| {
        let mut f = Vec::new();
        super::format::fraction((us % SECOND).abs(), &mut f);
        String::from_utf8(f).unwrap_or_default()
    };
    let text = match style {
        IntervalStyle::Postgres => {
            let (mut t, mut before) = (String::new(), false);
            for (n, name) in [(year, "year"), (mon, "mon"), (day, "day")] {
                if n != 0 {
                    let space = if t.is_empty() { "" } else { " " };
                    let plus = if before && n > 0 { "+" } else { "" };
                    t += &format!("{space}{plus}{n} {name}{}", if n == 1 { "" } else { "s" });
                    before = n < 0;
                }
            }
            if t.is_empty() || v.time != 0 {
                let sign = if v.time < 0 {
                    "-"
                } else if before {
                    "+"
                } else {
                    ""
                };
                let space = if t.is_empty() { "" } else { " " };
                t += &format!(
                    "{space}{sign}{:02}:{:02}:{:02}{}",
                    hour.abs(),
                    min.abs(),
                    (us / SECOND).abs(),
                    fraction(us)
                );
            }
            t
        }
        IntervalStyle::PostgresVerbose => {
            let (mut t, mut before, mut zero) = (String::from("@"), false, true);
            for (n, name) in [(year, "year"), (mon, "mon"), (day, "day"), (hour, "hour"), (min, "min")] {
                if n != 0 {
                    if zero {
                        before = n < 0;
                    }
                    let n = if before { -n } else { n };
                    t += &format!(" {n} {name}{}", if n == 1 { "" } else { "s" });
                    zero = false;
                }
            }
            if us != 0 {
                if zero {
                    before = us < 0;
                }
                let shown = if before { -us } else { us };
                let sign = if shown < 0 { "-" } else { "" };
                let plural = if shown.abs() == SECOND && false || (us / SECOND).abs() == 1 && us % SECOND == 0 {
                    ""
                } else {
                    "s"
                };
                t += &format!(" {sign}{}{} sec{plural}", (us / SECOND).abs(), fraction(us));
                zero = false;
            }
            if zero {
                t += " 0";
            }
            if before {
                t += " ago";
            }
            t
        }
        IntervalStyle::Iso8601 => {
            if v == Interval::default() {
                "PT0S".into()
            } else {
                let mut t = String::from("P");
                for (n, c) in [(year, 'Y'), (mon, 'M'), (day, 'D')] {
                    if n != 0 {
                        t += &format!("{n}{c}");
                    }
                }
                if v.time != 0 {
                    t.push('T');
                }
                for (n, c) in [(hour, 'H'), (min, 'M')] {
                    if n != 0 {
                        t += &format!("{n}{c}");
                    }
                }
                if us != 0 {
                    let sign = if us < 0 { "-" } else { "" };
                    t += &format!("{sign}{}{}S", (us / SECOND).abs(), fraction(us));
                }
                t
            }
        }
        IntervalStyle::SqlStandard => {
            let parts = [v.month.into(), day, v.time];
            let (neg, pos) = (parts.iter().any(|&p| p < 0), parts.iter().any(|&p| p > 0));
            let months = v.month != 0;
            let days_time = day != 0 || v.time != 0;
            let clock = format!("{}:{:02}:{:02}{}", hour.abs(), min.abs(), (us / SECOND).abs(), fraction(us));
            let sign = |n: i64| if n < 0 { '-' } else { '+' };
            if !neg && !pos {
                "0".into()
            } else if neg && pos || months && days_time {
                format!(
                    "{}{}-{} {}{} {}{clock}",
                    sign(v.month.into()),
                    year.abs(),
                    mon.abs(),
                    sign(day),
                    day.abs(),
                    sign(v.time)
                )
            } else if months {
                format!("{}{}-{}", if neg { "-" } else { "" }, year.abs(), mon.abs())
            } else if day != 0 {
                format!("{day} {clock}")
            } else {
                format!("{}{clock}", if neg { "-" } else { "" })
            }
        }
    };
    out.extend_from_slice(text.as_bytes());
}
#[builtin("interval_out", write)]
fn interval_out(cx: &mut FnCx<'_>, v: Interval, out: &mut Vec<u8>) {
    write(v, cx.settings().interval_style, out);
}
#[builtin("interval_recv")]
fn interval_recv(b: &[u8], _elem: Oid, typmod: i32) -> Result<Interval> {
    let v = crate::wire::whole(b, |r| Ok(Interval { time: r.i64()?, day: r.i32()?, month: r.i32()? }))?;
    adjust(v, typmod)
}
#[builtin("interval_send")]
fn interval_send(v: Interval) -> Vec<u8> {
    [&v.time.to_be_bytes()[..], &v.day.to_be_bytes()[..], &v.month.to_be_bytes()[..]].concat()
}

// Arithmetic.

#[builtin("interval_um")]
fn interval_um(v: Interval) -> Result<Interval> {
    v.negate()
}
#[builtin("interval_pl")]
fn interval_pl(a: Interval, b: Interval) -> Result<Interval> {
    a.add(b)
}
#[builtin("interval_mi")]
fn interval_mi(a: Interval, b: Interval) -> Result<Interval> {
    a.subtract(b)
}
#[builtin("interval_mul")]
fn interval_mul(a: Interval, f: f64) -> Result<Interval> {
    a.scale(f)
}
#[builtin("mul_d_interval")]
fn mul_d_interval(f: f64, a: Interval) -> Result<Interval> {
    a.scale(f)
}
#[builtin("interval_div")]
fn interval_div(a: Interval, f: f64) -> Result<Interval> {
    a.divide(f)
}
#[builtin("interval_larger")]
fn interval_larger(a: Interval, b: Interval) -> Interval {
    if a.span() > b.span() { a } else { b }
}
#[builtin("interval_smaller")]
fn interval_smaller(a: Interval, b: Interval) -> Interval {
    if a.span() < b.span() { a } else { b }
}
#[builtin("interval_finite")]
fn interval_finite(a: Interval) -> bool {
    !a.is_infinite()
}
#[builtin("interval_hash")]
fn interval_hash(a: Interval) -> i32 {
    hash_u32(fold_i64(a.span() as i64))
}
#[builtin("interval_hash_extended")]
fn interval_hash_extended(a: Interval, seed: i64) -> i64 {
    hash_u32_extended(fold_i64(a.span() as i64), seed)
}
/// Carries from a smaller to a larger field, so that both have the same sign.
fn carry(small: i64, unit: i64, large: i32) -> Result<(i64, i32)> {
    let over = i32::try_from(small / unit).map_err(|_| interval_range())?;
    let (mut s, mut l) = (small % unit, large.checked_add(over).ok_or_else(interval_range)?);
    if l > 0 && s < 0 {
        s += unit;
        l -= 1;
    } else if l < 0 && s > 0 {
        s -= unit;
        l += 1;
    }
    Ok((s, l))
}
#[builtin("interval_justify_hours")]
fn interval_justify_hours(a: Interval) -> Result<Interval> {
    if a.is_infinite() {
        return Ok(a);
    }
    let (time, day) = carry(a.time, DAY, a.day)?;
    Ok(Interval { time, day, ..a })
}
#[builtin("interval_justify_days")]
fn interval_justify_days(a: Interval) -> Result<Interval> {
    if a.is_infinite() {
        return Ok(a);
    }
    let (day, month) = carry(a.day.into(), 30, a.month)?;
    Ok(Interval { day: day as i32, month, ..a })
}
#[builtin("interval_justify_interval")]
fn interval_justify_interval(a: Interval) -> Result<Interval> {
    if a.is_infinite() {
        return Ok(a);
    }
    let mut r = a;
    // Days first where hours would take them too far.
    if r.day > 0 && r.time > 0 || r.day < 0 && r.time < 0 {
        r.month = r.month.checked_add(r.day / 30).ok_or_else(interval_range)?;
        r.day %= 30;
    }
    let over = i32::try_from(r.time / DAY).map_err(|_| interval_range())?;
    r.time %= DAY;
    r.day = r.day.checked_add(over).ok_or_else(interval_range)?;
    r.month = r.month.checked_add(r.day / 30).ok_or_else(interval_range)?;
    r.day %= 30;
    if r.month > 0 && (r.day < 0 || r.day == 0 && r.time < 0) {
        r.day += 30;
        r.month -= 1;
    } else if r.month < 0 && (r.day > 0 || r.day == 0 && r.time > 0) {
        r.day -= 30;
        r.month += 1;
    }
    if r.day > 0 && r.time < 0 {
        r.time += DAY;
        r.day -= 1;
    } else if r.day < 0 && r.time > 0 {
        r.time -= DAY;
        r.day += 1;
    }
    Ok(r)
}
#[builtin("make_interval")]
fn make_interval(years: i32, months: i32, weeks: i32, days: i32, hours: i32, mins: i32, secs: f64) -> Result<Interval> {
    if secs.is_nan() || secs.is_infinite() {
        return Err(interval_range());
    }
    let month = years.checked_mul(12).and_then(|y| y.checked_add(months)).ok_or_else(interval_range)?;
    let day = weeks.checked_mul(7).and_then(|w| w.checked_add(days)).ok_or_else(interval_range)?;
    let us = (secs * 1e6).round_ties_even();
    if us.abs() > 9.2e18 {
        return Err(interval_range());
    }
    let time = i64::from(hours) * HOUR + i64::from(mins) * MINUTE;
    let time = time.checked_add(us as i64).ok_or_else(interval_range)?;
    Interval { time, day, month }.finite()
}
