//! `date`.

use base::sqlstate::*;
use base::{PgError, Result};
use types::{Builtin, FnCx, Settings, builtin};

use super::fields::{self, Part};
use super::parse::{self, Parsed};
use super::zone::Zone;
use super::{DAY, END_TIMESTAMP, EPOCH_JULIAN, UNIX_EPOCH_S, days_from, month_days};
use crate::err::error;
use crate::hash::{hash_u32, hash_u32_extended};
use crate::numeric::Numeric;

const MIN: i64 = -(EPOCH_JULIAN as i64);
/// 5874898-01-01
const END: i64 = 2_145_031_949;

#[cold]
fn range() -> PgError {
    error(DATETIME_VALUE_OUT_OF_RANGE, "date out of range")
}
#[cold]
pub fn timestamp_range() -> PgError {
    error(DATETIME_VALUE_OUT_OF_RANGE, "timestamp out of range")
}
fn checked(days: i64) -> Result<i32> {
    if (MIN..END).contains(&days) { Ok(days as i32) } else { Err(range()) }
}
pub fn is_infinite(d: i32) -> bool {
    d == i32::MIN || d == i32::MAX
}
/// The session's civil time now, in days and microseconds.
pub fn local_now(s: &Settings) -> i64 {
    Zone::session(&s.time_zone).to_local(s.transaction_timestamp)
}

#[builtin("date_in")]
fn date_in(cx: &mut FnCx<'_>, s: &str) -> Result<i32> {
    if let Some((days, None)) = parse::iso(s) {
        return checked(days);
    }
    let parsed = parse::parse(s, cx.settings()).map_err(|e| e.error("date", s))?;
    let days = match parsed {
        Parsed::Infinity => return Ok(i32::MAX),
        Parsed::NegInfinity => return Ok(i32::MIN),
        Parsed::Epoch => -UNIX_EPOCH_S / 86_400,
        Parsed::Now => local_now(cx.settings()).div_euclid(DAY),
        Parsed::Value(f) => f.date.ok_or_else(|| parse::Bad::Format.error("date", s))?,
    };
    checked(days).map_err(|_| error(DATETIME_VALUE_OUT_OF_RANGE, format!("date out of range: \"{s}\"")))
}
#[builtin("date_out", write)]
fn date_out(cx: &mut FnCx<'_>, d: i32, out: &mut Vec<u8>) {
    match d {
        i32::MAX => out.extend_from_slice(b"infinity"),
        i32::MIN => out.extend_from_slice(b"-infinity"),
        d => super::format::date(d.into(), cx.settings(), out),
    }
}
#[builtin("date_recv")]
fn date_recv(b: &[u8]) -> Result<i32> {
    let d = crate::wire::whole(b, |r| r.i32())?;
    if is_infinite(d) { Ok(d) } else { checked(d.into()) }
}
#[builtin("date_send")]
fn date_send(d: i32) -> Vec<u8> {
    d.to_be_bytes().to_vec()
}
pub static DATE_COMPARE: &[Builtin] = &compare_words!(
    i32,
    i32,
    i64::from,
    ["date_eq", "date_ne", "date_lt", "date_le", "date_gt", "date_ge", "date_cmp"]
);

/// As an instant for comparison: dates beyond timestamps keep their order.
fn stamp(d: i32) -> i64 {
    match d {
        i32::MAX => i64::MAX,
        i32::MIN => i64::MIN,
        d => i64::from(d).checked_mul(DAY).unwrap_or(END_TIMESTAMP),
    }
}
fn same(ts: i64) -> i64 {
    ts
}
macro_rules! mixed {
    ($A:ty, $B:ty, $a:expr, $b:expr, [$eq:literal, $ne:literal, $lt:literal, $le:literal, $gt:literal, $ge:literal, $cmp:literal]) => {
        [
            b2!($eq, |a: $A, b: $B| -> bool { Ok($a(a) == $b(b)) }),
            b2!($ne, |a: $A, b: $B| -> bool { Ok($a(a) != $b(b)) }),
            b2!($lt, |a: $A, b: $B| -> bool { Ok($a(a) < $b(b)) }),
            b2!($le, |a: $A, b: $B| -> bool { Ok($a(a) <= $b(b)) }),
            b2!($gt, |a: $A, b: $B| -> bool { Ok($a(a) > $b(b)) }),
            b2!($ge, |a: $A, b: $B| -> bool { Ok($a(a) >= $b(b)) }),
            b2!($cmp, |a: $A, b: $B| -> i32 { Ok($a(a).cmp(&$b(b)) as i32) }),
        ]
    };
}
pub static DATE_TIMESTAMP: &[Builtin] = &mixed!(
    i32,
    i64,
    stamp,
    same,
    [
        "date_eq_timestamp",
        "date_ne_timestamp",
        "date_lt_timestamp",
        "date_le_timestamp",
        "date_gt_timestamp",
        "date_ge_timestamp",
        "date_cmp_timestamp"
    ]
);
pub static TIMESTAMP_DATE: &[Builtin] = &mixed!(
    i64,
    i32,
    same,
    stamp,
    [
        "timestamp_eq_date",
        "timestamp_ne_date",
        "timestamp_lt_date",
        "timestamp_le_date",
        "timestamp_gt_date",
        "timestamp_ge_date",
        "timestamp_cmp_date"
    ]
);
pub static DATE_MORE: &[Builtin] = &[
    b1!("hashdate", |a: i32| -> i32 { Ok(hash_u32(a as u32)) }),
    b2!("hashdateextended", |a: i32, s: i64| -> i64 { Ok(hash_u32_extended(a as u32, s)) }),
    b1!("date_finite", |a: i32| -> bool { Ok(!is_infinite(a)) }),
    b2!("date_larger", |a: i32, b: i32| -> i32 { Ok(a.max(b)) }),
    b2!("date_smaller", |a: i32, b: i32| -> i32 { Ok(a.min(b)) }),
    b2!("date_mi", |a: i32, b: i32| -> i32 {
        if is_infinite(a) || is_infinite(b) {
            return Err(error(DATETIME_VALUE_OUT_OF_RANGE, "cannot subtract infinite dates"));
        }
        Ok(a - b)
    }),
    b2!("date_pli", |a: i32, n: i32| -> i32 {
        if is_infinite(a) { Ok(a) } else { checked(i64::from(a) + i64::from(n)) }
    }),
    b2!("date_mii", |a: i32, n: i32| -> i32 {
        if is_infinite(a) { Ok(a) } else { checked(i64::from(a) - i64::from(n)) }
    }),
    b1!("date_timestamp", |a: i32| -> i64 { to_timestamp(a) }),
    b1!("timestamp_date", |a: i64| -> i32 { Ok(from_timestamp(a)) }),
];
/// Midnight of a date. (PostgreSQL: `date2timestamp`)
pub fn to_timestamp(d: i32) -> Result<i64> {
    match d {
        i32::MAX => Ok(i64::MAX),
        i32::MIN => Ok(i64::MIN),
        d => i64::from(d)
            .checked_mul(DAY)
            .filter(|t| *t < END_TIMESTAMP)
            .ok_or_else(|| error(DATETIME_VALUE_OUT_OF_RANGE, "date out of range for timestamp")),
    }
}
pub fn from_timestamp(ts: i64) -> i32 {
    match ts {
        i64::MAX => i32::MAX,
        i64::MIN => i32::MIN,
        ts => ts.div_euclid(DAY) as i32,
    }
}
#[builtin("date_timestamptz")]
fn date_timestamptz(cx: &mut FnCx<'_>, d: i32) -> Result<i64> {
    let local = to_timestamp(d)?;
    if is_infinite(d) {
        return Ok(local);
    }
    Ok(Zone::session(&cx.settings().time_zone).to_utc(local))
}
#[builtin("timestamptz_date")]
fn timestamptz_date(cx: &mut FnCx<'_>, ts: i64) -> i32 {
    if super::is_infinite(ts) {
        from_timestamp(ts)
    } else {
        from_timestamp(Zone::session(&cx.settings().time_zone).to_local(ts))
    }
}
#[builtin("make_date")]
fn make_date(y: i32, m: i32, d: i32) -> Result<i32> {
    let year = if y < 0 { i64::from(y) + 1 } else { y.into() };
    let (m64, d64) = (i64::from(m), i64::from(d));
    if y == 0 || !(1..=12).contains(&m) || d < 1 || d64 > month_days(year, m64) {
        return Err(error(DATETIME_FIELD_OVERFLOW, format!("date field value out of range: {y}-{m:02}-{d:02}")));
    }
    if y == i32::MIN {
        return Err(error(DATETIME_FIELD_OVERFLOW, format!("date field value out of range: {y}-{m:02}-{d:02}")));
    }
    let out = || error(DATETIME_VALUE_OUT_OF_RANGE, format!("date out of range: {y}-{m:02}-{d:02}"));
    checked(days_from(year, m64, d64)).map_err(|_| out())
}
#[builtin("extract_date")]
fn extract_date(name: &str, d: i32) -> Result<Option<Numeric>> {
    let part = Part::find(name, "date")?;
    use Part::*;
    if matches!(part, Microseconds | Milliseconds | Second | Minute | Hour | Timezone | TimezoneHour | TimezoneMinute) {
        return Err(fields::unsupported(name, "date"));
    }
    if is_infinite(d) {
        return Ok(fields::of_infinite(part, d > 0));
    }
    let ts = i64::from(d).checked_mul(DAY);
    let n = match (part, ts) {
        (Epoch, _) => Some(Numeric::from_i64((i64::from(d)) * 86_400 + UNIX_EPOCH_S)),
        (part, Some(ts)) => fields::of_civil(part, ts, ts),
        _ => return Err(range()),
    };
    n.map(Some).ok_or_else(|| fields::unsupported(name, "date"))
}
