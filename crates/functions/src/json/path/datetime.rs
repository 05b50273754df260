//! Dates and times within `jsonpath`: made by `.datetime()` and its kin, compared across types, printed as ISO 8601.

use std::cmp::Ordering;

use base::sqlstate::*;
use base::{PgError, Result};
use types::Settings;

use super::Method;
use crate::datetime::zone::Zone;
use crate::datetime::{DAY, SECOND, civil, date, format, is_infinite, round_to};
use crate::err::error;
use crate::formatting::date_in::{Parsed, parse_strictly};

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    Date,
    Time,
    TimeTz,
    Timestamp,
    TimestampTz,
}

#[derive(Clone, Copy, Debug)]
pub struct Datetime {
    pub kind: Kind,
    /// Days, or microseconds.
    pub value: i64,
    /// Seconds east: of a `timetz`, and where a `timestamptz` came from.
    pub offset: i64,
}

impl Kind {
    /// As `.type()` names it.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Date => "date",
            Kind::Time => "time without time zone",
            Kind::TimeTz => "time with time zone",
            Kind::Timestamp => "timestamp without time zone",
            Kind::TimestampTz => "timestamp with time zone",
        }
    }
    fn short(self) -> &'static str {
        match self {
            Kind::Date => "date",
            Kind::Time => "time",
            Kind::TimeTz => "timetz",
            Kind::Timestamp => "timestamp",
            Kind::TimestampTz => "timestamptz",
        }
    }
}

/// The layouts that `.datetime()` tries without a template, in order.
const FORMATS: [&str; 13] = [
    "yyyy-mm-dd",
    "HH24:MI:SS.USTZ",
    "HH24:MI:SSTZ",
    "HH24:MI:SS.US",
    "HH24:MI:SS",
    "yyyy-mm-dd HH24:MI:SS.USTZ",
    "yyyy-mm-dd HH24:MI:SSTZ",
    "yyyy-mm-dd\"T\"HH24:MI:SS.USTZ",
    "yyyy-mm-dd\"T\"HH24:MI:SSTZ",
    "yyyy-mm-dd HH24:MI:SS.US",
    "yyyy-mm-dd HH24:MI:SS",
    "yyyy-mm-dd\"T\"HH24:MI:SS.US",
    "yyyy-mm-dd\"T\"HH24:MI:SS",
];

fn datetime_of(p: &Parsed, text: &str) -> Result<Datetime> {
    let round = |v: i64| p.precision.map_or(v, |n| round_to(v, n as i32));
    let out = |what: &str| error(DATETIME_VALUE_OUT_OF_RANGE, format!("{what} out of range"));
    let made = |kind, value| Ok(Datetime { kind, value, offset: p.offset });
    if !p.timed {
        let range = || error(DATETIME_VALUE_OUT_OF_RANGE, format!("date out of range: \"{text}\""));
        return made(Kind::Date, i64::from(i32::try_from(p.days).map_err(|_| range())?));
    }
    if !p.dated {
        return made(if p.zoned { Kind::TimeTz } else { Kind::Time }, round(p.time));
    }
    let local = p.days.checked_mul(DAY).and_then(|d| d.checked_add(p.time));
    let (kind, name) = if p.zoned { (Kind::TimestampTz, "timestamptz") } else { (Kind::Timestamp, "timestamp") };
    let shift = if p.zoned { p.offset * SECOND } else { 0 };
    match local.and_then(|l| l.checked_sub(shift)).filter(|v| crate::datetime::in_range(*v)) {
        Some(v) => made(kind, round(v)),
        None => Err(out(name)),
    }
}

/// By a template, or by the first standard layout that fits.
pub fn read(text: &str, template: Option<&str>, m: Method) -> Result<Datetime> {
    if let Some(t) = template {
        return datetime_of(&parse_strictly(text, t)?, text);
    }
    for f in FORMATS {
        if let Ok(d) = parse_strictly(text, f).and_then(|p| datetime_of(&p, text)) {
            return Ok(d);
        }
    }
    let e = not_recognized(m.name(), text);
    Err(if m == Method::Datetime {
        e.hint("Use a datetime template argument to specify the input data format.")
    } else {
        e
    })
}
pub fn not_recognized(name: &str, text: &str) -> PgError {
    let text = format!("{name} format is not recognized: \"{text}\"");
    error(INVALID_ARGUMENT_FOR_SQL_JSON_DATETIME_FUNCTION, text)
}

/// What conversions between kinds depend on.
pub struct Context<'a> {
    pub settings: &'a Settings,
    /// Whether the session's time zone may be used.
    pub tz: bool,
}

impl Context<'_> {
    fn zone(&self) -> Zone {
        Zone::session(&self.settings.time_zone)
    }
    /// A conversion that depends on the time zone; refused where that must not be.
    fn zoned(&self, from: Kind, to: Kind) -> Result<Zone> {
        if self.tz {
            return Ok(self.zone());
        }
        let text = format!("cannot convert value from {} to {} without time zone usage", from.short(), to.short());
        Err(error(FEATURE_NOT_SUPPORTED, text).hint("Use *_tz() function for time zone support."))
    }
    /// A value as another kind; `None` if there is no such conversion.
    pub fn cast(&self, d: Datetime, to: Kind) -> Result<Option<Datetime>> {
        use Kind::*;
        let made = |value: i64, offset: i64| Ok(Some(Datetime { kind: to, value, offset }));
        match (d.kind, to) {
            (a, b) if a == b => Ok(Some(d)),
            (Timestamp, Date) => made(i64::from(date::from_timestamp(d.value)), 0),
            (TimestampTz, Date) => {
                let zone = self.zoned(d.kind, to)?;
                made(i64::from(date::from_timestamp(local(&zone, d.value))), 0)
            }
            (TimeTz, Time) => {
                self.zoned(d.kind, to)?;
                made(d.value, 0)
            }
            (Timestamp, Time) => made(d.value.rem_euclid(DAY), 0),
            (TimestampTz, Time) => {
                let zone = self.zoned(d.kind, to)?;
                made(local(&zone, d.value).rem_euclid(DAY), 0)
            }
            (Time, TimeTz) => {
                let zone = self.zoned(d.kind, to)?;
                let today = date::local_now(self.settings).div_euclid(DAY);
                made(d.value, i64::from(zone.offset_of_local(today * DAY + d.value)))
            }
            (TimestampTz, TimeTz) => {
                let zone = self.zone();
                let offset = i64::from(zone.offset_at(d.value));
                made((d.value + offset * SECOND).rem_euclid(DAY), offset)
            }
            (Date, Timestamp) => made(date::to_timestamp(d.value as i32)?, 0),
            (TimestampTz, Timestamp) => {
                let zone = self.zoned(d.kind, to)?;
                made(local(&zone, d.value), 0)
            }
            (Date | Timestamp, TimestampTz) => {
                let zone = self.zoned(d.kind, to)?;
                let civil = if d.kind == Date { date::to_timestamp(d.value as i32)? } else { d.value };
                if is_infinite(civil) {
                    return made(civil, 0);
                }
                made(zone.to_utc(civil), i64::from(zone.offset_of_local(civil)))
            }
            _ => Ok(None),
        }
    }
    /// The order of two values; `None` if their kinds cannot be compared. (PostgreSQL: `compareDatetime`)
    pub fn compare(&self, a: Datetime, b: Datetime) -> Result<Option<Ordering>> {
        use Kind::*;
        let common = match (a.kind, b.kind) {
            (x, y) if x == y => x,
            (Date, Timestamp) | (Timestamp, Date) => Timestamp,
            (Date | Timestamp, TimestampTz) | (TimestampTz, Date | Timestamp) => TimestampTz,
            (Time, TimeTz) | (TimeTz, Time) => TimeTz,
            _ => return Ok(None),
        };
        let (Some(x), Some(y)) = (self.cast(a, common)?, self.cast(b, common)?) else { return Ok(None) };
        if common == TimeTz {
            // By the instant, then by the zone.
            let key = |d: Datetime| (d.value - d.offset * SECOND, -d.offset);
            return Ok(Some(key(x).cmp(&key(y))));
        }
        Ok(Some(x.value.cmp(&y.value)))
    }
}
fn local(zone: &Zone, ts: i64) -> i64 {
    if is_infinite(ts) { ts } else { zone.to_local(ts) }
}

impl Datetime {
    /// As a JSON string holds it. (PostgreSQL: `JsonEncodeDateTime`)
    pub fn to_text(self) -> String {
        let mut out = Vec::new();
        let offset = |out: &mut Vec<u8>| {
            let o = self.offset.abs();
            let sign = if self.offset < 0 { '-' } else { '+' };
            let mut text = format!("{sign}{:02}:{:02}", o / 3600, o / 60 % 60);
            if o % 60 != 0 {
                text.push_str(&format!(":{:02}", o % 60));
            }
            out.extend_from_slice(text.as_bytes());
        };
        match self.kind {
            Kind::Date => iso_date(self.value, &mut out),
            Kind::Time => format::time(self.value, &mut out),
            Kind::TimeTz => {
                format::time(self.value, &mut out);
                offset(&mut out);
            }
            Kind::Timestamp | Kind::TimestampTz if is_infinite(self.value) => {
                out.extend_from_slice(if self.value > 0 { b"infinity" } else { b"-infinity" });
            }
            Kind::Timestamp | Kind::TimestampTz => {
                let zoned = self.kind == Kind::TimestampTz;
                let local = self.value + if zoned { self.offset * SECOND } else { 0 };
                let (y, m, d) = civil(local.div_euclid(DAY));
                let bc = y <= 0;
                let y = if bc { 1 - y } else { y };
                out.extend_from_slice(format!("{y:04}-{m:02}-{d:02}T").as_bytes());
                format::time(local.rem_euclid(DAY), &mut out);
                if zoned {
                    offset(&mut out);
                }
                out.extend_from_slice(if bc { b" BC" } else { b"" });
            }
        }
        String::from_utf8(out).unwrap_or_default()
    }
}
fn iso_date(days: i64, out: &mut Vec<u8>) {
    match i32::try_from(days) {
        Ok(i32::MAX) => out.extend_from_slice(b"infinity"),
        Ok(i32::MIN) => out.extend_from_slice(b"-infinity"),
        _ => {
            let (y, m, d) = civil(days);
            let (y, bc) = if y <= 0 { (1 - y, " BC") } else { (y, "") };
            out.extend_from_slice(format!("{y:04}-{m:02}-{d:02}{bc}").as_bytes());
        }
    }
}
