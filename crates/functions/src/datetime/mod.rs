//! Dates and times: `date`, `time`, `timetz`, `timestamp`, `timestamptz`, `interval`.
//!
//! Days and microseconds count from 2000-01-01; the extreme values of their integers are the infinities. The calendar is the
//! proleptic Gregorian one; year 0 is 1 BC. Files: `zone` (time zones), `parse` (text in), `format` (text out), `interval`,
//! `fields` (extract, trunc), `date`, `time`, `timestamp` (the built-ins).
//!
//! PostgreSQL: `datetime.c`, `date.c`, `timestamp.c`.

pub mod date;
pub mod fields;
pub mod format;
pub mod interval;
mod interval_in;
pub mod parse;
pub mod time;
pub mod timestamp;
pub mod zone;

pub const SECOND: i64 = 1_000_000;
pub const MINUTE: i64 = 60 * SECOND;
pub const HOUR: i64 = 60 * MINUTE;
pub const DAY: i64 = 24 * HOUR;
/// The Julian day of 2000-01-01.
pub const EPOCH_JULIAN: i32 = 2_451_545;
/// Seconds from 1970-01-01 to 2000-01-01.
pub const UNIX_EPOCH_S: i64 = 946_684_800;
pub const MIN_TIMESTAMP: i64 = -211_813_488_000_000_000;
/// The first instant out of range.
pub const END_TIMESTAMP: i64 = 9_223_371_331_200_000_000;

pub const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
pub const WEEKDAYS: [&str; 7] = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];

/// A calendar date as a day number. (PostgreSQL: `date2j`)
pub fn days_from(y: i64, m: i64, d: i64) -> i64 {
    let y = if m <= 2 { y - 1 } else { y };
    let era = y.div_euclid(400);
    let yoe = y - era * 400;
    let doy = (153 * (m + if m > 2 { -3 } else { 9 }) + 2) / 5 + d - 1;
    let doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
    era * 146_097 + doe - 730_425
}
/// Year, month and day of a day number.
pub fn civil(days: i64) -> (i64, i64, i64) {
    let z = days + 730_425;
    let era = z.div_euclid(146_097);
    let doe = z - era * 146_097;
    let yoe = (doe - doe / 1460 + doe / 36_524 - doe / 146_096) / 365;
    let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    let mp = (5 * doy + 2) / 153;
    let m = if mp < 10 { mp + 3 } else { mp - 9 };
    (yoe + era * 400 + i64::from(m <= 2), m, doy - (153 * mp + 2) / 5 + 1)
}
pub fn is_leap(y: i64) -> bool {
    y % 4 == 0 && (y % 100 != 0 || y % 400 == 0)
}
pub fn month_days(y: i64, m: i64) -> i64 {
    match m {
        2 => 28 + i64::from(is_leap(y)),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}
/// Sunday is 0.
pub fn weekday(days: i64) -> i64 {
    (days + 6).rem_euclid(7)
}
/// Days and the time of day.
pub fn split(ts: i64) -> (i64, i64) {
    (ts.div_euclid(DAY), ts.rem_euclid(DAY))
}

/// A broken-down time.
#[derive(Clone, Copy, Default, PartialEq, Debug)]
pub struct Civil {
    pub year: i64,
    pub month: i64,
    pub day: i64,
    /// Microseconds of the day.
    pub time: i64,
}

impl Civil {
    pub fn of(ts: i64) -> Civil {
        let (days, time) = split(ts);
        let (year, month, day) = civil(days);
        Civil { year, month, day, time }
    }
    pub fn days(&self) -> i64 {
        days_from(self.year, self.month, self.day)
    }
    pub fn timestamp(&self) -> Option<i64> {
        let ts = self.days().checked_mul(DAY)?.checked_add(self.time)?;
        in_range(ts).then_some(ts)
    }
}
pub fn in_range(ts: i64) -> bool {
    (MIN_TIMESTAMP..END_TIMESTAMP).contains(&ts)
}
pub fn is_infinite(ts: i64) -> bool {
    ts == i64::MIN || ts == i64::MAX
}
/// Rounds microseconds to a precision, halves away from zero. What would not fit stays at the last unit that does.
pub fn round_to(us: i64, precision: i32) -> i64 {
    if !(0..6).contains(&precision) {
        return us;
    }
    let unit = 10i64.pow(6 - precision as u32);
    if us >= 0 { us.saturating_add(unit / 2) / unit * unit } else { us.saturating_sub(unit / 2) / unit * unit }
}
