//! `timestamp` and `timestamptz`.

use std::cmp::Ordering;
use std::time::{SystemTime, UNIX_EPOCH};

use base::sqlstate::*;
use base::{Oid, Result};
use types::{Builtin, Datum, FnCx, RowSource, builtin};

use super::date::timestamp_range;
use super::fields::{self, Part};
use super::interval::{Interval, interval_range};
use super::parse::{self, Parsed};
use super::zone::Zone;
use super::{Civil, DAY, HOUR, MINUTE, SECOND, UNIX_EPOCH_S, days_from, in_range, is_infinite, month_days, round_to};
use crate::err::{error, invalid_parameter};
use crate::hash::{fold_i64, hash_u32, hash_u32_extended};
use crate::numeric::Numeric;

fn checked(ts: i64) -> Result<i64> {
    if is_infinite(ts) || in_range(ts) { Ok(ts) } else { Err(timestamp_range()) }
}
pub fn session(cx: &FnCx<'_>) -> Zone {
    Zone::session(&cx.settings().time_zone)
}

/// Reads a timestamp; with `zoned`, an instant.
fn read(cx: &FnCx<'_>, s: &str, zoned: bool, typmod: i32) -> Result<i64> {
    let name = if zoned { "timestamp with time zone" } else { "timestamp" };
    let settings = cx.settings();
    let zone = session(cx);
    let out = || error(DATETIME_VALUE_OUT_OF_RANGE, format!("timestamp out of range: \"{s}\""));
    let local = match parse::parse(s, settings).map_err(|e| e.error(name, s))? {
        Parsed::Infinity => return Ok(i64::MAX),
        Parsed::NegInfinity => return Ok(i64::MIN),
        Parsed::Epoch => return Ok(-UNIX_EPOCH_S * SECOND),
        Parsed::Now if zoned => return Ok(round_to(settings.transaction_timestamp, typmod)),
        Parsed::Now => super::date::local_now(settings),
        Parsed::Value(f) => {
            let local = f.local().ok_or_else(out)?;
            if zoned {
                let ts = match f.offset {
                    Some(o) => local - i64::from(o) * SECOND,
                    None => zone.to_utc(local),
                };
                let ts = round_to(ts, typmod);
                return if in_range(ts) { Ok(ts) } else { Err(out()) };
            }
            local
        }
    };
    let ts = round_to(if zoned { zone.to_utc(local) } else { local }, typmod);
    if in_range(ts) { Ok(ts) } else { Err(out()) }
}
#[builtin("timestamp_in")]
fn timestamp_in(cx: &mut FnCx<'_>, s: &str, _elem: Oid, typmod: i32) -> Result<i64> {
    if let Some((days, time)) = parse::iso(s) {
        return Ok(round_to(days * DAY + time.unwrap_or(0), typmod));
    }
    read(cx, s, false, typmod)
}
#[builtin("timestamptz_in")]
fn timestamptz_in(cx: &mut FnCx<'_>, s: &str, _elem: Oid, typmod: i32) -> Result<i64> {
    read(cx, s, true, typmod)
}
fn write_infinite(ts: i64, out: &mut Vec<u8>) -> bool {
    match ts {
        i64::MAX => out.extend_from_slice(b"infinity"),
        i64::MIN => out.extend_from_slice(b"-infinity"),
        _ => return false,
    }
    true
}
#[builtin("timestamp_out", write)]
fn timestamp_out(cx: &mut FnCx<'_>, ts: i64, out: &mut Vec<u8>) {
    if !write_infinite(ts, out) {
        super::format::timestamp(ts, None, cx.settings(), out);
    }
}
#[builtin("timestamptz_out", write)]
fn timestamptz_out(cx: &mut FnCx<'_>, ts: i64, out: &mut Vec<u8>) {
    if !write_infinite(ts, out) {
        super::format::timestamptz(ts, &session(cx), cx.settings(), out);
    }
}
#[builtin("timestamp_recv", "timestamptz_recv")]
fn timestamp_recv(b: &[u8], _elem: Oid, typmod: i32) -> Result<i64> {
    checked(crate::wire::whole(b, |r| r.i64())?).map(|t| if is_infinite(t) { t } else { round_to(t, typmod) })
}
#[builtin("timestamp_send", "timestamptz_send")]
fn timestamp_send(ts: i64) -> Vec<u8> {
    ts.to_be_bytes().to_vec()
}
#[builtin("timestamp_scale", "timestamptz_scale")]
fn timestamp_scale(ts: i64, typmod: i32) -> i64 {
    if is_infinite(ts) { ts } else { round_to(ts, typmod) }
}
#[builtin("timestamptypmodin")]
fn timestamptypmodin(a: &[u8]) -> Result<i32> {
    super::time::precision_in(a, "TIMESTAMP(n)")
}
#[builtin("timestamptztypmodin")]
fn timestamptztypmodin(a: &[u8]) -> Result<i32> {
    super::time::precision_in(a, "TIMESTAMP(n) WITH TIME ZONE")
}

pub static TIMESTAMP_COMPARE: &[Builtin] = &compare_words!(
    i64,
    i64,
    i64::from,
    ["timestamp_eq", "timestamp_ne", "timestamp_lt", "timestamp_le", "timestamp_gt", "timestamp_ge", "timestamp_cmp"]
);
pub static TIMESTAMP_MORE: &[Builtin] = &[
    b1!("timestamp_hash", |a: i64| -> i32 { Ok(hash_u32(fold_i64(a))) }),
    b1!("timestamptz_hash", |a: i64| -> i32 { Ok(hash_u32(fold_i64(a))) }),
    b2!("timestamp_hash_extended", |a: i64, s: i64| -> i64 { Ok(hash_u32_extended(fold_i64(a), s)) }),
    b2!("timestamptz_hash_extended", |a: i64, s: i64| -> i64 { Ok(hash_u32_extended(fold_i64(a), s)) }),
    b1!("timestamp_finite", |a: i64| -> bool { Ok(!is_infinite(a)) }),
    b2!("timestamp_larger", |a: i64, b: i64| -> i64 { Ok(a.max(b)) }),
    b2!("timestamp_smaller", |a: i64, b: i64| -> i64 { Ok(a.min(b)) }),
];

/// A timestamp or date with an instant: the civil side is first taken to the session's zone.
fn zoned<A, B>(cx: &FnCx<'_>, a: A, x: fn(&Zone, A) -> i64, b: B, y: fn(&Zone, B) -> i64) -> Ordering {
    let zone = session(cx);
    x(&zone, a).cmp(&y(&zone, b))
}
fn utc(_: &Zone, ts: i64) -> i64 {
    ts
}
fn local(zone: &Zone, ts: i64) -> i64 {
    if is_infinite(ts) { ts } else { zone.to_utc(ts) }
}
fn midnight(zone: &Zone, d: i32) -> i64 {
    super::date::to_timestamp(d).map_or(i64::MAX - 1, |ts| local(zone, ts))
}
fn as_int(o: Ordering) -> i32 {
    o as i32
}
#[builtin("timestamp_eq_timestamptz")]
fn timestamp_eq_timestamptz(cx: &mut FnCx<'_>, a: i64, b: i64) -> bool {
    Ordering::is_eq(zoned(cx, a, local, b, utc))
}
#[builtin("timestamp_ne_timestamptz")]
fn timestamp_ne_timestamptz(cx: &mut FnCx<'_>, a: i64, b: i64) -> bool {
    Ordering::is_ne(zoned(cx, a, local, b, utc))
}
#[builtin("timestamp_lt_timestamptz")]
fn timestamp_lt_timestamptz(cx: &mut FnCx<'_>, a: i64, b: i64) -> bool {
    Ordering::is_lt(zoned(cx, a, local, b, utc))
}
#[builtin("timestamp_le_timestamptz")]
fn timestamp_le_timestamptz(cx: &mut FnCx<'_>, a: i64, b: i64) -> bool {
    Ordering::is_le(zoned(cx, a, local, b, utc))
}
#[builtin("timestamp_gt_timestamptz")]
fn timestamp_gt_timestamptz(cx: &mut FnCx<'_>, a: i64, b: i64) -> bool {
    Ordering::is_gt(zoned(cx, a, local, b, utc))
}
#[builtin("timestamp_ge_timestamptz")]
fn timestamp_ge_timestamptz(cx: &mut FnCx<'_>, a: i64, b: i64) -> bool {
    Ordering::is_ge(zoned(cx, a, local, b, utc))
}
#[builtin("timestamp_cmp_timestamptz")]
fn timestamp_cmp_timestamptz(cx: &mut FnCx<'_>, a: i64, b: i64) -> i32 {
    as_int(zoned(cx, a, local, b, utc))
}
#[builtin("timestamptz_eq_timestamp")]
fn timestamptz_eq_timestamp(cx: &mut FnCx<'_>, a: i64, b: i64) -> bool {
    Ordering::is_eq(zoned(cx, a, utc, b, local))
}
#[builtin("timestamptz_ne_timestamp")]
fn timestamptz_ne_timestamp(cx: &mut FnCx<'_>, a: i64, b: i64) -> bool {
    Ordering::is_ne(zoned(cx, a, utc, b, local))
}
#[builtin("timestamptz_lt_timestamp")]
fn timestamptz_lt_timestamp(cx: &mut FnCx<'_>, a: i64, b: i64) -> bool {
    Ordering::is_lt(zoned(cx, a, utc, b, local))
}
#[builtin("timestamptz_le_timestamp")]
fn timestamptz_le_timestamp(cx: &mut FnCx<'_>, a: i64, b: i64) -> bool {
    Ordering::is_le(zoned(cx, a, utc, b, local))
}
#[builtin("timestamptz_gt_timestamp")]
fn timestamptz_gt_timestamp(cx: &mut FnCx<'_>, a: i64, b: i64) -> bool {
    Ordering::is_gt(zoned(cx, a, utc, b, local))
}
#[builtin("timestamptz_ge_timestamp")]
fn timestamptz_ge_timestamp(cx: &mut FnCx<'_>, a: i64, b: i64) -> bool {
    Ordering::is_ge(zoned(cx, a, utc, b, local))
}
#[builtin("timestamptz_cmp_timestamp")]
fn timestamptz_cmp_timestamp(cx: &mut FnCx<'_>, a: i64, b: i64) -> i32 {
    as_int(zoned(cx, a, utc, b, local))
}
#[builtin("date_eq_timestamptz")]
fn date_eq_timestamptz(cx: &mut FnCx<'_>, a: i32, b: i64) -> bool {
    Ordering::is_eq(zoned(cx, a, midnight, b, utc))
}
#[builtin("date_ne_timestamptz")]
fn date_ne_timestamptz(cx: &mut FnCx<'_>, a: i32, b: i64) -> bool {
    Ordering::is_ne(zoned(cx, a, midnight, b, utc))
}
#[builtin("date_lt_timestamptz")]
fn date_lt_timestamptz(cx: &mut FnCx<'_>, a: i32, b: i64) -> bool {
    Ordering::is_lt(zoned(cx, a, midnight, b, utc))
}
#[builtin("date_le_timestamptz")]
fn date_le_timestamptz(cx: &mut FnCx<'_>, a: i32, b: i64) -> bool {
    Ordering::is_le(zoned(cx, a, midnight, b, utc))
}
#[builtin("date_gt_timestamptz")]
fn date_gt_timestamptz(cx: &mut FnCx<'_>, a: i32, b: i64) -> bool {
    Ordering::is_gt(zoned(cx, a, midnight, b, utc))
}
#[builtin("date_ge_timestamptz")]
fn date_ge_timestamptz(cx: &mut FnCx<'_>, a: i32, b: i64) -> bool {
    Ordering::is_ge(zoned(cx, a, midnight, b, utc))
}
#[builtin("date_cmp_timestamptz")]
fn date_cmp_timestamptz(cx: &mut FnCx<'_>, a: i32, b: i64) -> i32 {
    as_int(zoned(cx, a, midnight, b, utc))
}
#[builtin("timestamptz_eq_date")]
fn timestamptz_eq_date(cx: &mut FnCx<'_>, a: i64, b: i32) -> bool {
    Ordering::is_eq(zoned(cx, a, utc, b, midnight))
}
#[builtin("timestamptz_ne_date")]
fn timestamptz_ne_date(cx: &mut FnCx<'_>, a: i64, b: i32) -> bool {
    Ordering::is_ne(zoned(cx, a, utc, b, midnight))
}
#[builtin("timestamptz_lt_date")]
fn timestamptz_lt_date(cx: &mut FnCx<'_>, a: i64, b: i32) -> bool {
    Ordering::is_lt(zoned(cx, a, utc, b, midnight))
}
#[builtin("timestamptz_le_date")]
fn timestamptz_le_date(cx: &mut FnCx<'_>, a: i64, b: i32) -> bool {
    Ordering::is_le(zoned(cx, a, utc, b, midnight))
}
#[builtin("timestamptz_gt_date")]
fn timestamptz_gt_date(cx: &mut FnCx<'_>, a: i64, b: i32) -> bool {
    Ordering::is_gt(zoned(cx, a, utc, b, midnight))
}
#[builtin("timestamptz_ge_date")]
fn timestamptz_ge_date(cx: &mut FnCx<'_>, a: i64, b: i32) -> bool {
    Ordering::is_ge(zoned(cx, a, utc, b, midnight))
}
#[builtin("timestamptz_cmp_date")]
fn timestamptz_cmp_date(cx: &mut FnCx<'_>, a: i64, b: i32) -> i32 {
    as_int(zoned(cx, a, utc, b, midnight))
}

// Conversions.

#[builtin("timestamp_timestamptz", "timestamp_at_local")]
fn timestamp_timestamptz(cx: &mut FnCx<'_>, ts: i64) -> Result<i64> {
    checked(local(&session(cx), ts))
}
fn civil_of(zone: &Zone, ts: i64) -> i64 {
    if is_infinite(ts) { ts } else { zone.to_local(ts) }
}
#[builtin("timestamptz_timestamp", "timestamptz_at_local")]
fn timestamptz_timestamp(cx: &mut FnCx<'_>, ts: i64) -> Result<i64> {
    checked(civil_of(&session(cx), ts))
}
#[builtin("timestamp_zone")]
fn timestamp_zone(zone: &str, ts: i64) -> Result<i64> {
    checked(local(&Zone::lookup(zone)?, ts))
}
#[builtin("timestamptz_zone")]
fn timestamptz_zone(zone: &str, ts: i64) -> Result<i64> {
    checked(civil_of(&Zone::lookup(zone)?, ts))
}
/// An interval that stands for a zone, in seconds east.
pub fn interval_zone(v: Interval) -> Result<i32> {
    let mut text = Vec::new();
    super::interval::write(v, types::settings::IntervalStyle::Postgres, &mut text);
    let text = String::from_utf8_lossy(&text).into_owned();
    if v.is_infinite() {
        return Err(invalid_parameter(format!("interval time zone \"{text}\" must be finite")));
    }
    if v.month != 0 || v.day != 0 {
        return Err(invalid_parameter(format!("interval time zone \"{text}\" must not include months or days")));
    }
    Ok((v.time / SECOND) as i32)
}
#[builtin("timestamp_izone")]
fn timestamp_izone(zone: Interval, ts: i64) -> Result<i64> {
    checked(local(&Zone::Fixed(interval_zone(zone)?, None), ts))
}
#[builtin("timestamptz_izone")]
fn timestamptz_izone(zone: Interval, ts: i64) -> Result<i64> {
    checked(civil_of(&Zone::Fixed(interval_zone(zone)?, None), ts))
}
#[builtin("timestamp_time")]
fn timestamp_time(ts: i64) -> Option<i64> {
    (!is_infinite(ts)).then(|| ts.rem_euclid(DAY))
}
#[builtin("timestamptz_time")]
fn timestamptz_time(cx: &mut FnCx<'_>, ts: i64) -> Option<i64> {
    (!is_infinite(ts)).then(|| session(cx).to_local(ts).rem_euclid(DAY))
}
#[builtin("datetime_timestamp")]
fn datetime_timestamp(d: i32, t: i64) -> Result<i64> {
    let ts = super::date::to_timestamp(d)?;
    if is_infinite(ts) { Ok(ts) } else { checked(ts + t) }
}
#[builtin("float8_timestamptz")]
fn float8_timestamptz(s: f64) -> Result<i64> {
    if s.is_nan() {
        return Err(error(DATETIME_VALUE_OUT_OF_RANGE, "timestamp cannot be NaN"));
    }
    if s.is_infinite() {
        return Ok(if s > 0.0 { i64::MAX } else { i64::MIN });
    }
    let us = ((s - UNIX_EPOCH_S as f64) * 1e6).round_ties_even();
    let out = || {
        let mut text = Vec::new();
        crate::float::write_g(s, &mut text);
        error(DATETIME_VALUE_OUT_OF_RANGE, format!("timestamp out of range: \"{}\"", String::from_utf8_lossy(&text)))
    };
    if us.abs() > 9.3e18 || !in_range(us as i64) { Err(out()) } else { Ok(us as i64) }
}

// Now.

/// Microseconds since 2000.
pub fn clock_now() -> i64 {
    let d = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    d.as_micros() as i64 - UNIX_EPOCH_S * SECOND
}
#[builtin("now")]
fn now(cx: &mut FnCx<'_>) -> i64 {
    cx.settings().transaction_timestamp
}
#[builtin("statement_timestamp")]
fn statement_timestamp(cx: &mut FnCx<'_>) -> i64 {
    cx.settings().statement_timestamp
}
#[builtin("clock_timestamp")]
fn clock_timestamp() -> i64 {
    clock_now()
}
#[builtin("timeofday")]
fn timeofday(cx: &mut FnCx<'_>) -> String {
    let (zone, now) = (session(cx), clock_now());
    let c = Civil::of(zone.to_local(now));
    let mut out = Vec::new();
    super::format::time(c.time / SECOND * SECOND, &mut out);
    let time = String::from_utf8_lossy(&out).into_owned();
    let name = &super::WEEKDAYS[super::weekday(c.days()) as usize][..3];
    let month = &super::MONTHS[c.month as usize - 1][..3];
    format!("{name} {month} {:02} {time}.{:06} {:04} {}", c.day, c.time % SECOND, c.year, zone.abbreviation_at(now))
}

// Arithmetic.

/// Adds the months, then the days, to a civil time.
fn shift_civil(local: i64, months: i32, days: i32) -> Result<i64> {
    let mut c = Civil::of(local);
    if months != 0 {
        let m = c.year * 12 + c.month - 1 + i64::from(months);
        (c.year, c.month) = (m.div_euclid(12), m.rem_euclid(12) + 1);
        c.day = c.day.min(month_days(c.year, c.month));
    }
    let total = days_from(c.year, c.month, c.day) + i64::from(days);
    total.checked_mul(DAY).and_then(|t| t.checked_add(c.time)).filter(|t| in_range(*t)).ok_or_else(timestamp_range)
}
fn infinite_sum(ts: i64, v: Interval) -> Option<Result<i64>> {
    if v.is_infinite() {
        let end = if v == Interval::INFINITY { i64::MAX } else { i64::MIN };
        return Some(if is_infinite(ts) && ts != end { Err(timestamp_range()) } else { Ok(end) });
    }
    is_infinite(ts).then_some(Ok(ts))
}
pub fn plus(ts: i64, v: Interval) -> Result<i64> {
    if let Some(r) = infinite_sum(ts, v) {
        return r;
    }
    let ts = if v.month != 0 || v.day != 0 { shift_civil(ts, v.month, v.day)? } else { ts };
    ts.checked_add(v.time).filter(|t| in_range(*t)).ok_or_else(timestamp_range)
}
/// Months and days are added on the zone's calendar.
pub fn plus_zoned(ts: i64, v: Interval, zone: &Zone) -> Result<i64> {
    if let Some(r) = infinite_sum(ts, v) {
        return r;
    }
    let mut ts = ts;
    if v.month != 0 {
        ts = zone.to_utc(shift_civil(zone.to_local(ts), v.month, 0)?);
    }
    if v.day != 0 {
        ts = zone.to_utc(shift_civil(zone.to_local(ts), 0, v.day)?);
    }
    ts.checked_add(v.time).filter(|t| in_range(*t)).ok_or_else(timestamp_range)
}
#[builtin("timestamp_pl_interval")]
fn timestamp_pl_interval(ts: i64, v: Interval) -> Result<i64> {
    plus(ts, v)
}
#[builtin("timestamp_mi_interval")]
fn timestamp_mi_interval(ts: i64, v: Interval) -> Result<i64> {
    plus(ts, v.negate()?)
}
#[builtin("timestamptz_pl_interval")]
fn timestamptz_pl_interval(cx: &mut FnCx<'_>, ts: i64, v: Interval) -> Result<i64> {
    plus_zoned(ts, v, &session(cx))
}
#[builtin("timestamptz_mi_interval")]
fn timestamptz_mi_interval(cx: &mut FnCx<'_>, ts: i64, v: Interval) -> Result<i64> {
    plus_zoned(ts, v.negate()?, &session(cx))
}
#[builtin("timestamptz_pl_interval_at_zone")]
fn timestamptz_pl_interval_at_zone(ts: i64, v: Interval, zone: &str) -> Result<i64> {
    plus_zoned(ts, v, &Zone::lookup(zone)?)
}
#[builtin("timestamptz_mi_interval_at_zone")]
fn timestamptz_mi_interval_at_zone(ts: i64, v: Interval, zone: &str) -> Result<i64> {
    plus_zoned(ts, v.negate()?, &Zone::lookup(zone)?)
}
#[builtin("date_pl_interval")]
fn date_pl_interval(d: i32, v: Interval) -> Result<i64> {
    plus(super::date::to_timestamp(d)?, v)
}
#[builtin("date_mi_interval")]
fn date_mi_interval(d: i32, v: Interval) -> Result<i64> {
    plus(super::date::to_timestamp(d)?, v.negate()?)
}
fn infinite_difference(a: i64, b: i64) -> Option<Result<Interval>> {
    match (is_infinite(a), is_infinite(b)) {
        (false, false) => None,
        (true, true) if a == b => Some(Err(interval_range())),
        (true, _) => Some(Ok(if a > 0 { Interval::INFINITY } else { Interval::NEG_INFINITY })),
        _ => Some(Ok(if b > 0 { Interval::NEG_INFINITY } else { Interval::INFINITY })),
    }
}
#[builtin("timestamp_mi")]
fn timestamp_mi(a: i64, b: i64) -> Result<Interval> {
    if let Some(r) = infinite_difference(a, b) {
        return r;
    }
    let us = a.checked_sub(b).ok_or_else(interval_range)?;
    Ok(Interval { time: us % DAY, day: (us / DAY) as i32, month: 0 })
}
/// Years, months, days and time between two civil times.
fn age(a: i64, b: i64) -> Result<Interval> {
    if let Some(r) = infinite_difference(a, b) {
        return r;
    }
    if a < b {
        return age(b, a)?.negate().map(|_| {
            // Computed with the sides as they are, then turned.
            let v = age_forward(a, b);
            Interval { time: -v.time, day: -v.day, month: -v.month }
        });
    }
    Ok(age_forward(b, a))
}
/// From the earlier to the later; borrowed days are those of the earlier one's month.
fn age_forward(from: i64, to: i64) -> Interval {
    let (f, t) = (Civil::of(from), Civil::of(to));
    let mut months = (t.year * 12 + t.month) - (f.year * 12 + f.month);
    let mut days = t.day - f.day;
    let mut time = t.time - f.time;
    if time < 0 {
        time += DAY;
        days -= 1;
    }
    if days < 0 {
        days += month_days(f.year, f.month);
        months -= 1;
    }
    Interval { time, day: days as i32, month: months as i32 }
}
#[builtin("timestamp_age")]
fn timestamp_age(a: i64, b: i64) -> Result<Interval> {
    age(a, b)
}
#[builtin("timestamptz_age")]
fn timestamptz_age(cx: &mut FnCx<'_>, a: i64, b: i64) -> Result<Interval> {
    let zone = session(cx);
    age(civil_of(&zone, a), civil_of(&zone, b))
}

// Parts.

const PLAIN: &str = "timestamp without time zone";
const ZONED: &str = "timestamp with time zone";

#[builtin("extract_timestamp")]
fn extract_timestamp(name: &str, ts: i64) -> Result<Option<Numeric>> {
    let part = Part::find(name, PLAIN)?;
    if matches!(part, Part::Timezone | Part::TimezoneHour | Part::TimezoneMinute) {
        return Err(fields::unsupported(name, PLAIN));
    }
    if is_infinite(ts) {
        return Ok(fields::of_infinite(part, ts > 0));
    }
    fields::of_civil(part, ts, ts).map(Some).ok_or_else(|| fields::unsupported(name, PLAIN))
}
#[builtin("extract_timestamptz")]
fn extract_timestamptz(cx: &mut FnCx<'_>, name: &str, ts: i64) -> Result<Option<Numeric>> {
    let part = Part::find(name, ZONED)?;
    if is_infinite(ts) {
        return Ok(fields::of_infinite(part, ts > 0));
    }
    let offset = i64::from(session(cx).offset_at(ts));
    let n = match part {
        Part::Timezone => Some(Numeric::from_i64(offset)),
        Part::TimezoneHour => Some(Numeric::from_i64(offset / 3600)),
        Part::TimezoneMinute => Some(Numeric::from_i64(offset / 60 % 60)),
        part => fields::of_civil(part, ts + offset * SECOND, ts),
    };
    n.map(Some).ok_or_else(|| fields::unsupported(name, ZONED))
}
#[builtin("timestamp_part")]
fn timestamp_part(name: &str, ts: i64) -> Result<Option<f64>> {
    Ok(extract_timestamp(name, ts)?.map(|n| n.to_f64()))
}
#[builtin("timestamptz_part")]
fn timestamptz_part(cx: &mut FnCx<'_>, name: &str, ts: i64) -> Result<Option<f64>> {
    Ok(extract_timestamptz(cx, name, ts)?.map(|n| n.to_f64()))
}
#[builtin("extract_interval")]
fn extract_interval(name: &str, v: Interval) -> Result<Option<Numeric>> {
    let part = Part::find(name, "interval")?;
    if v.is_infinite() {
        use Part::*;
        let known = matches!(part, Hour | Day | Week | Year | Decade | Century | Millennium | Epoch);
        let kind = if v.sign() > 0 { crate::numeric::Kind::Infinity } else { crate::numeric::Kind::NegInfinity };
        return Ok(known.then(|| Numeric::special(kind)));
    }
    fields::of_interval(part, v).map(Some).ok_or_else(|| fields::unsupported(name, "interval"))
}
#[builtin("interval_part")]
fn interval_part(name: &str, v: Interval) -> Result<Option<f64>> {
    Ok(extract_interval(name, v)?.map(|n| n.to_f64()))
}
#[builtin("timestamp_trunc")]
fn timestamp_trunc(name: &str, ts: i64) -> Result<i64> {
    let part = Part::find(name, PLAIN)?;
    let cut = fields::truncate(part, if is_infinite(ts) { 0 } else { ts });
    let cut = cut.ok_or_else(|| fields::unsupported(name, PLAIN))?;
    Ok(if is_infinite(ts) { ts } else { cut })
}
fn trunc_zoned(name: &str, ts: i64, zone: &Zone) -> Result<i64> {
    let part = Part::find(name, ZONED)?;
    let local = if is_infinite(ts) { 0 } else { zone.to_local(ts) };
    let cut = fields::truncate(part, local).ok_or_else(|| fields::unsupported(name, ZONED))?;
    if is_infinite(ts) {
        return Ok(ts);
    }
    // Below a day the offset stays, so that a fold's two hours are kept apart.
    Ok(match part {
        Part::Hour | Part::Minute | Part::Second | Part::Milliseconds | Part::Microseconds => ts - (local - cut),
        _ => zone.to_utc(cut),
    })
}
#[builtin("timestamptz_trunc")]
fn timestamptz_trunc(cx: &mut FnCx<'_>, name: &str, ts: i64) -> Result<i64> {
    trunc_zoned(name, ts, &session(cx))
}
#[builtin("timestamptz_trunc_zone")]
fn timestamptz_trunc_zone(name: &str, ts: i64, zone: &str) -> Result<i64> {
    trunc_zoned(name, ts, &Zone::lookup(zone)?)
}
#[builtin("interval_trunc")]
fn interval_trunc(name: &str, v: Interval) -> Result<Interval> {
    let part = Part::find(name, "interval")?;
    if v.is_infinite() {
        return Ok(v);
    }
    let e = fields::unsupported(name, "interval");
    let weeks = "Months usually have fractional weeks.";
    fields::truncate_interval(part, v).ok_or_else(|| if part == Part::Week { e.detail(weeks) } else { e })
}
#[builtin("timestamp_bin", "timestamptz_bin")]
fn timestamp_bin(stride: Interval, ts: i64, origin: i64) -> Result<i64> {
    if is_infinite(ts) {
        return Ok(ts);
    }
    if is_infinite(origin) {
        return Err(error(DATETIME_VALUE_OUT_OF_RANGE, "origin out of range"));
    }
    if stride.is_infinite() {
        return Err(error(DATETIME_VALUE_OUT_OF_RANGE, "timestamps cannot be binned into infinite intervals"));
    }
    if stride.month != 0 {
        let text = "timestamps cannot be binned into intervals containing months or years";
        return Err(error(FEATURE_NOT_SUPPORTED, text));
    }
    let step = i128::from(stride.day) * i128::from(DAY) + i128::from(stride.time);
    let fits = |v: i128| i64::try_from(v).map_err(|_| super::interval::interval_range());
    if fits(step)? <= 0 {
        return Err(error(DATETIME_VALUE_OUT_OF_RANGE, "stride must be greater than zero"));
    }
    fits(i128::from(ts) - i128::from(origin))?;
    let d = (i128::from(ts) - i128::from(origin)).div_euclid(step) * step + i128::from(origin);
    i64::try_from(d).ok().filter(|t| in_range(*t)).ok_or_else(timestamp_range)
}

// Construction.

/// Hours, minutes and seconds as microseconds.
pub fn clock(h: i32, m: i32, s: f64) -> Option<i64> {
    if !(0..=24).contains(&h) || !(0..60).contains(&m) || !(0.0..=60.0).contains(&s) || (h == 24 && (m > 0 || s > 0.0))
    {
        return None;
    }
    Some(i64::from(h) * HOUR + i64::from(m) * MINUTE + (s * 1e6).round_ties_even() as i64)
}
/// Seconds as C's `%02.2f`-like error texts show them.
pub fn seconds_text(s: f64) -> String {
    let mut out = Vec::new();
    crate::float::write_g(s, &mut out);
    let text = String::from_utf8_lossy(&out).into_owned();
    if s.abs() < 10.0 && !text.contains('.') { format!("{text:0>2}") } else { text }
}
fn make(y: i32, mo: i32, d: i32, h: i32, mi: i32, s: f64) -> Result<i64> {
    let year = if y < 0 { i64::from(y) + 1 } else { y.into() };
    if y == 0 || !(1..=12).contains(&mo) || d < 1 || i64::from(d) > month_days(year, mo.into()) {
        return Err(error(DATETIME_FIELD_OVERFLOW, format!("date field value out of range: {y}-{mo:02}-{d:02}")));
    }
    let time = clock(h, mi, s).ok_or_else(|| {
        error(DATETIME_FIELD_OVERFLOW, format!("time field value out of range: {h}:{mi:02}:{}", seconds_text(s)))
    })?;
    let c = Civil { year, month: mo.into(), day: d.into(), time };
    c.timestamp().ok_or_else(|| {
        let text = format!("timestamp out of range: {y}-{mo:02}-{d:02} {h}:{mi:02}:{}", seconds_text(s));
        error(DATETIME_VALUE_OUT_OF_RANGE, text)
    })
}
#[builtin("make_timestamp")]
fn make_timestamp(y: i32, mo: i32, d: i32, h: i32, mi: i32, s: f64) -> Result<i64> {
    make(y, mo, d, h, mi, s)
}
#[builtin("make_timestamptz")]
fn make_timestamptz(cx: &mut FnCx<'_>, y: i32, mo: i32, d: i32, h: i32, mi: i32, s: f64) -> Result<i64> {
    checked(session(cx).to_utc(make(y, mo, d, h, mi, s)?))
}
#[builtin("make_timestamptz_at_timezone")]
fn make_timestamptz_at_timezone(y: i32, mo: i32, d: i32, h: i32, mi: i32, s: f64, zone: &str) -> Result<i64> {
    // Here an offset has the sign of ISO, not of POSIX.
    let zone = match (parse::offset(zone), zone.as_bytes().first()) {
        (Some(o), _) => Zone::Fixed(o, None),
        (None, Some(b'0'..=b'9')) => {
            let e = invalid_parameter(format!("invalid input syntax for type numeric time zone: \"{zone}\""));
            return Err(e.hint("Numeric time zones must have \"-\" or \"+\" as first character."));
        }
        (None, Some(b'+' | b'-')) if zone[1..].bytes().all(|c| c.is_ascii_digit() || c == b':') => {
            return Err(invalid_parameter(format!("numeric time zone \"{zone}\" out of range")));
        }
        _ => Zone::lookup(zone)?,
    };
    checked(zone.to_utc(make(y, mo, d, h, mi, s)?))
}

struct Series {
    next: i64,
    last: i64,
    step: Interval,
    zone: Option<Zone>,
}
impl RowSource for Series {
    fn next(&mut self, _: &mut FnCx<'_>) -> Result<Option<Vec<Datum>>> {
        if if self.step.sign() > 0 { self.next > self.last } else { self.next < self.last } {
            return Ok(None);
        }
        let v = self.next;
        self.next = match &self.zone {
            Some(z) => plus_zoned(v, self.step, z)?,
            None => plus(v, self.step)?,
        };
        Ok(Some(vec![Datum::i64(v)]))
    }
}
fn series(next: i64, last: i64, step: Interval, zone: Option<Zone>) -> Result<Box<dyn RowSource>> {
    if step.sign() == 0 {
        return Err(invalid_parameter("step size cannot equal zero"));
    }
    if step.is_infinite() {
        return Err(invalid_parameter("step size cannot be infinite"));
    }
    Ok(Box::new(Series { next, last, step, zone }))
}
#[builtin("generate_series_timestamp", set)]
fn generate_series_timestamp(from: i64, to: i64, step: Interval) -> Result<Box<dyn RowSource>> {
    series(from, to, step, None)
}
#[builtin("generate_series_timestamptz", set)]
fn generate_series_timestamptz(cx: &mut FnCx<'_>, from: i64, to: i64, step: Interval) -> Result<Box<dyn RowSource>> {
    series(from, to, step, Some(session(cx)))
}
#[builtin("generate_series_timestamptz_at_zone", set)]
fn generate_series_at_zone(from: i64, to: i64, step: Interval, zone: &str) -> Result<Box<dyn RowSource>> {
    series(from, to, step, Some(Zone::lookup(zone)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn iso_is_what_the_general_way_gives() {
        let settings = types::Settings::default();
        let texts = [
            "2024-02-29 23:59:59.999999",
            "2024-02-29 00:00:00",
            "0001-01-01 00:00:00.5",
            "9999-12-31 23:00:59.123",
            "1999-12-31",
        ];
        for text in texts {
            let (days, time) = parse::iso(text).unwrap();
            let Ok(Parsed::Value(f)) = parse::parse(text, &settings) else { panic!("{text}") };
            assert_eq!((Some(days), time.unwrap_or(0)), (f.date, f.time.unwrap_or(0)), "{text}");
        }
        for text in [
            "2023-02-29",
            "2024-13-01",
            "2024-01-01 24:00:00",
            "2024-01-01T00:00:00",
            "2024-01-01 00:00:60",
            "0000-01-01",
            "2024-1-011",
            "2024-01-01 00:00:00Z",
            "2024-01-01 00:00:00 B",
        ] {
            assert_eq!(parse::iso(text), None, "{text}");
        }
    }
}
