//! Parts of dates and times: `extract`, `date_part`, `date_trunc`.

use base::sqlstate::FEATURE_NOT_SUPPORTED;
use base::{PgError, Result};

use super::interval::Interval;
use super::{Civil, DAY, EPOCH_JULIAN, HOUR, MINUTE, SECOND, UNIX_EPOCH_S, days_from, weekday};
use crate::err::{error, invalid_parameter};
use crate::numeric::{Kind, Numeric};

/// A named part.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Part {
    Microseconds,
    Milliseconds,
    Second,
    Minute,
    Hour,
    Day,
    Week,
    Month,
    Quarter,
    Year,
    Decade,
    Century,
    Millennium,
    Dow,
    IsoDow,
    Doy,
    IsoYear,
    Julian,
    Epoch,
    Timezone,
    TimezoneHour,
    TimezoneMinute,
}

impl Part {
    pub fn named(name: &str) -> Option<Part> {
        Some(match &*name.to_ascii_lowercase() {
            "us" | "usec" | "usecs" | "useconds" | "microsecond" | "microseconds" | "microsecon" => Part::Microseconds,
            "ms" | "msec" | "msecs" | "mseconds" | "millisecond" | "milliseconds" | "millisecon" => Part::Milliseconds,
            "s" | "sec" | "secs" | "second" | "seconds" => Part::Second,
            "m" | "min" | "mins" | "minute" | "minutes" => Part::Minute,
            "h" | "hr" | "hrs" | "hour" | "hours" => Part::Hour,
            "d" | "day" | "days" => Part::Day,
            "w" | "week" | "weeks" => Part::Week,
            "mon" | "mons" | "month" | "months" => Part::Month,
            "qtr" | "quarter" => Part::Quarter,
            "y" | "yr" | "yrs" | "year" | "years" => Part::Year,
            "dec" | "decs" | "decade" | "decades" => Part::Decade,
            "c" | "cent" | "century" | "centuries" => Part::Century,
            "mil" | "mils" | "millennium" | "millennia" => Part::Millennium,
            "dow" => Part::Dow,
            "isodow" => Part::IsoDow,
            "doy" => Part::Doy,
            "isoyear" => Part::IsoYear,
            "j" | "jd" | "julian" => Part::Julian,
            "epoch" => Part::Epoch,
            "timezone" => Part::Timezone,
            "timezone_h" | "timezone_hour" => Part::TimezoneHour,
            "timezone_m" | "timezone_minute" => Part::TimezoneMinute,
            _ => return None,
        })
    }
    pub fn find(name: &str, type_name: &str) -> Result<Part> {
        let bad =
            || invalid_parameter(format!("unit \"{}\" not recognized for type {type_name}", name.to_ascii_lowercase()));
        Part::named(name).ok_or_else(bad)
    }
}
pub fn unsupported(name: &str, type_name: &str) -> PgError {
    error(FEATURE_NOT_SUPPORTED, format!("unit \"{}\" not supported for type {type_name}", name.to_ascii_lowercase()))
}

/// A whole number of millionths with `scale` digits after the point.
pub fn micro(v: i128, scale: i32) -> Numeric {
    let unit = 10i128.pow(scale as u32);
    let n = Numeric::from_i128(v).div_to_scale(&Numeric::from_i128(unit), scale);
    Numeric { dscale: scale, ..n }
}

/// ISO year and week.
pub fn iso_week(days: i64) -> (i64, i64) {
    let monday = |y: i64| {
        let fourth = days_from(y, 1, 4);
        fourth - (weekday(fourth) + 6) % 7
    };
    let (y, _, _) = super::civil(days);
    let year = if days >= monday(y + 1) {
        y + 1
    } else if days < monday(y) {
        y - 1
    } else {
        y
    };
    (year, (days - monday(year)) / 7 + 1)
}
fn century(y: i64, n: i64) -> i64 {
    if y > 0 { (y + n - 1) / n } else { -((n - 1 - (y - 1)) / n) }
}

/// The parts of the time of day.
pub fn of_time(part: Part, t: i64) -> Option<Numeric> {
    Some(match part {
        Part::Microseconds => Numeric::from_i64(t % MINUTE),
        Part::Milliseconds => micro((t % MINUTE).into(), 3),
        Part::Second => micro((t % MINUTE).into(), 6),
        Part::Minute => Numeric::from_i64(t / MINUTE % 60),
        Part::Hour => Numeric::from_i64(t / HOUR),
        _ => return None,
    })
}
/// The parts of a civil time; `instant` is what epoch counts (local for a plain timestamp).
pub fn of_civil(part: Part, local: i64, instant: i64) -> Option<Numeric> {
    let c = Civil::of(local);
    if let Some(n) = of_time(part, c.time) {
        return Some(n);
    }
    let days = c.days();
    let int = match part {
        Part::Day => c.day,
        Part::Month => c.month,
        Part::Quarter => (c.month - 1) / 3 + 1,
        Part::Week => iso_week(days).1,
        Part::IsoYear => {
            let y = iso_week(days).0;
            if y > 0 { y } else { y - 1 }
        }
        Part::Year => {
            if c.year > 0 {
                c.year
            } else {
                c.year - 1
            }
        }
        Part::Decade => c.year.div_euclid(10),
        Part::Century => century(c.year, 100),
        Part::Millennium => century(c.year, 1000),
        Part::Dow => weekday(days),
        Part::IsoDow => (weekday(days) + 6) % 7 + 1,
        Part::Doy => days - days_from(c.year, 1, 1) + 1,
        Part::Julian => {
            let whole = Numeric::from_i64(days + i64::from(EPOCH_JULIAN));
            if c.time == 0 {
                return Some(whole);
            }
            let day = Numeric::from_i64(DAY);
            let t = Numeric::from_i64(c.time);
            let part = t.div_to_scale(&day, t.div_scale(&day));
            return Some(whole.add(&part));
        }
        Part::Epoch => return Some(micro(i128::from(instant) + i128::from(UNIX_EPOCH_S) * i128::from(SECOND), 6)),
        _ => return None,
    };
    Some(Numeric::from_i64(int))
}
/// Of infinite values only growing parts are known.
pub fn of_infinite(part: Part, positive: bool) -> Option<Numeric> {
    use Part::*;
    matches!(part, Year | Decade | Century | Millennium | Julian | IsoYear | Epoch)
        .then(|| Numeric::special(if positive { Kind::Infinity } else { Kind::NegInfinity }))
}
pub fn of_interval(part: Part, v: Interval) -> Option<Numeric> {
    let (year, month) = (i64::from(v.month / 12), i64::from(v.month % 12));
    let int = match part {
        Part::Microseconds | Part::Milliseconds | Part::Second | Part::Minute | Part::Hour => {
            return of_time(part, v.time);
        }
        Part::Day => v.day.into(),
        Part::Week => i64::from(v.day / 7),
        Part::Month => month,
        Part::Quarter => {
            if month >= 0 {
                month / 3 + 1
            } else {
                month / 3 - 1
            }
        }
        Part::Year => year,
        Part::Decade => year / 10,
        Part::Century => year / 100,
        Part::Millennium => year / 1000,
        Part::Epoch => {
            // A year is 365.25 days here, a month 30.
            let seconds = i128::from(year) * 31_557_600 + (i128::from(month) * 30 + i128::from(v.day)) * 86_400;
            return Some(micro(seconds * i128::from(SECOND) + i128::from(v.time), 6));
        }
        _ => return None,
    };
    Some(Numeric::from_i64(int))
}

/// A civil time cut to a unit.
pub fn truncate(part: Part, local: i64) -> Option<i64> {
    let mut c = Civil::of(local);
    let cut = |c: &mut Civil, unit: i64| c.time -= c.time % unit;
    match part {
        Part::Microseconds => {}
        Part::Milliseconds => cut(&mut c, 1000),
        Part::Second => cut(&mut c, SECOND),
        Part::Minute => cut(&mut c, MINUTE),
        Part::Hour => cut(&mut c, HOUR),
        Part::Day => c.time = 0,
        Part::Week => {
            let days = c.days();
            let (y, m, d) = super::civil(days - (weekday(days) + 6) % 7);
            c = Civil { year: y, month: m, day: d, time: 0 };
        }
        Part::Month => c = Civil { day: 1, time: 0, ..c },
        Part::Quarter => c = Civil { month: (c.month - 1) / 3 * 3 + 1, day: 1, time: 0, ..c },
        Part::Year => c = Civil { month: 1, day: 1, time: 0, ..c },
        Part::Decade => c = Civil { year: c.year.div_euclid(10) * 10, month: 1, day: 1, time: 0 },
        Part::Century | Part::Millennium => {
            let n = if part == Part::Century { 100 } else { 1000 };
            let year =
                if c.year > 0 { (c.year + n - 1) / n * n - (n - 1) } else { -((n - 1 - (c.year - 1)) / n * n) + 1 };
            c = Civil { year, month: 1, day: 1, time: 0 };
        }
        _ => return None,
    }
    c.timestamp()
}
/// An interval cut to a unit.
pub fn truncate_interval(part: Part, v: Interval) -> Option<Interval> {
    let years = |n: i32| Interval { month: v.month / (12 * n) * 12 * n, day: 0, time: 0 };
    Some(match part {
        Part::Millennium => years(1000),
        Part::Century => years(100),
        Part::Decade => years(10),
        Part::Year => years(1),
        Part::Quarter => Interval { month: v.month / 3 * 3, day: 0, time: 0 },
        Part::Month => Interval { day: 0, time: 0, ..v },
        Part::Day => Interval { time: 0, ..v },
        Part::Hour => Interval { time: v.time / HOUR * HOUR, ..v },
        Part::Minute => Interval { time: v.time / MINUTE * MINUTE, ..v },
        Part::Second => Interval { time: v.time / SECOND * SECOND, ..v },
        Part::Milliseconds => Interval { time: v.time / 1000 * 1000, ..v },
        Part::Microseconds => v,
        _ => return None,
    })
}
