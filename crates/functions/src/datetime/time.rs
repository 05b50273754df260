//! `time` and `timetz`. A timetz is the civil time and the zone in seconds **west** of Greenwich, twelve bytes.

use std::cmp::Ordering;

use base::sqlstate::*;
use base::{Oid, Result};
use types::{Builtin, Datum, DatumRef, FnCx, FromDatum, IntoDatum, builtin};

use super::fields::{self, Part};
use super::interval::Interval;
use super::parse;
use super::zone::Zone;
use super::{DAY, SECOND, round_to};
use crate::err::{error, invalid_parameter};
use crate::hash::{fold_i64, hash_u32, hash_u32_extended};
use crate::numeric::Numeric;

#[derive(Clone, Copy, PartialEq, Debug)]
pub struct TimeTz {
    pub time: i64,
    pub west: i32,
}
impl TimeTz {
    fn from_bytes(b: &[u8]) -> Option<TimeTz> {
        let time = b.get(..8).and_then(|w| w.try_into().ok()).map(i64::from_le_bytes)?;
        let west = b.get(8..12).and_then(|w| w.try_into().ok()).map(i32::from_le_bytes)?;
        Some(TimeTz { time, west })
    }
    fn key(self) -> (i64, i32) {
        (self.time + i64::from(self.west) * SECOND, self.west)
    }
    pub fn compare(self, o: TimeTz) -> Ordering {
        self.key().cmp(&o.key())
    }
}
impl<'a> FromDatum<'a> for TimeTz {
    fn from_datum(d: DatumRef<'a>) -> Result<TimeTz> {
        TimeTz::from_bytes(<&[u8]>::from_datum(d)?).ok_or_else(|| base::PgError::internal("invalid timetz"))
    }
}
impl IntoDatum for TimeTz {
    fn into_datum(self) -> Datum {
        Datum::bytes([&self.time.to_le_bytes()[..], &self.west.to_le_bytes()[..]].concat())
    }
}

fn read(cx: &FnCx<'_>, s: &str, type_name: &str) -> Result<(i64, Option<i64>, Option<i32>)> {
    let f = parse::parse_time(s, cx.settings()).map_err(|e| e.error(type_name, s))?;
    Ok((f.time.unwrap_or(0), f.date, f.offset))
}
#[builtin("time_in")]
fn time_in(cx: &mut FnCx<'_>, s: &str, _elem: Oid, typmod: i32) -> Result<i64> {
    read(cx, s, "time").map(|(t, ..)| round_to(t, typmod))
}
#[builtin("time_out", write)]
fn time_out(t: i64, out: &mut Vec<u8>) {
    super::format::time(t, out);
}
#[builtin("time_recv")]
fn time_recv(b: &[u8], _elem: Oid, typmod: i32) -> Result<i64> {
    let t = crate::wire::whole(b, |r| r.i64())?;
    if !(0..=DAY).contains(&t) {
        return Err(error(DATETIME_VALUE_OUT_OF_RANGE, "time out of range"));
    }
    Ok(round_to(t, typmod))
}
#[builtin("time_send")]
fn time_send(t: i64) -> Vec<u8> {
    t.to_be_bytes().to_vec()
}
#[builtin("time_scale")]
fn time_scale(t: i64, typmod: i32) -> i64 {
    round_to(t, typmod)
}
/// Precision of time types.
pub fn precision_in(a: &[u8], name: &str) -> Result<i32> {
    let list = crate::arrays::cstrings(a)?;
    let [one] = &list[..] else { return Err(invalid_parameter("invalid type modifier")) };
    let n = crate::int::parse_int(one, "integer", i32::MIN.into(), i32::MAX.into())?;
    if n < 0 {
        return Err(invalid_parameter(format!("{name} precision must not be negative")));
    }
    Ok(n.min(6) as i32)
}
#[builtin("timetypmodin")]
fn timetypmodin(a: &[u8]) -> Result<i32> {
    precision_in(a, "TIME(n)")
}
#[builtin("timetztypmodin")]
fn timetztypmodin(a: &[u8]) -> Result<i32> {
    precision_in(a, "TIME(n) WITH TIME ZONE")
}
#[builtin("timetypmodout", "timestamptypmodout")]
fn timetypmodout(typmod: i32) -> String {
    if typmod >= 0 { format!("({typmod}) without time zone") } else { " without time zone".into() }
}
#[builtin("timetztypmodout", "timestamptztypmodout")]
fn timetztypmodout(typmod: i32) -> String {
    if typmod >= 0 { format!("({typmod}) with time zone") } else { " with time zone".into() }
}
pub static TIME_COMPARE: &[Builtin] = &compare_words!(
    i64,
    i64,
    i64::from,
    ["time_eq", "time_ne", "time_lt", "time_le", "time_gt", "time_ge", "time_cmp"]
);
pub static TIME_MORE: &[Builtin] = &[
    b1!("time_hash", |a: i64| -> i32 { Ok(hash_u32(fold_i64(a))) }),
    b2!("time_hash_extended", |a: i64, s: i64| -> i64 { Ok(hash_u32_extended(fold_i64(a), s)) }),
    b2!("time_larger", |a: i64, b: i64| -> i64 { Ok(a.max(b)) }),
    b2!("time_smaller", |a: i64, b: i64| -> i64 { Ok(a.min(b)) }),
];
#[builtin("time_interval")]
fn time_interval(t: i64) -> Interval {
    Interval { time: t, day: 0, month: 0 }
}
fn finite(v: Interval, verb: &str) -> Result<()> {
    if v.is_infinite() {
        Err(error(DATETIME_VALUE_OUT_OF_RANGE, format!("cannot {verb} infinite interval from time")))
    } else {
        Ok(())
    }
}
#[builtin("interval_time")]
fn interval_time(v: Interval) -> Result<i64> {
    if v.is_infinite() {
        return Err(error(DATETIME_VALUE_OUT_OF_RANGE, "cannot convert infinite interval to time"));
    }
    Ok(v.time.rem_euclid(DAY))
}
#[builtin("time_pl_interval")]
fn time_pl_interval(t: i64, v: Interval) -> Result<i64> {
    if v.is_infinite() {
        return Err(error(DATETIME_VALUE_OUT_OF_RANGE, "cannot add infinite interval to time"));
    }
    Ok(t.wrapping_add(v.time).rem_euclid(DAY))
}
#[builtin("time_mi_interval")]
fn time_mi_interval(t: i64, v: Interval) -> Result<i64> {
    finite(v, "subtract")?;
    Ok(t.wrapping_sub(v.time).rem_euclid(DAY))
}
#[builtin("time_mi_time")]
fn time_mi_time(a: i64, b: i64) -> Interval {
    Interval { time: a - b, day: 0, month: 0 }
}
#[builtin("make_time")]
fn make_time(h: i32, m: i32, s: f64) -> Result<i64> {
    super::timestamp::clock(h, m, s).ok_or_else(|| {
        error(
            DATETIME_FIELD_OVERFLOW,
            format!("time field value out of range: {h}:{m:02}:{}", super::timestamp::seconds_text(s)),
        )
    })
}
#[builtin("extract_time")]
fn extract_time(name: &str, t: i64) -> Result<Numeric> {
    const TYPE: &str = "time without time zone";
    let n = match Part::find(name, TYPE)? {
        Part::Epoch => Some(fields::micro(t.into(), 6)),
        part => fields::of_time(part, t),
    };
    n.ok_or_else(|| fields::unsupported(name, TYPE))
}
#[builtin("time_part")]
fn time_part(name: &str, t: i64) -> Result<f64> {
    extract_time(name, t).map(|n| n.to_f64())
}

// With time zone.

#[builtin("timetz_in")]
fn timetz_in(cx: &mut FnCx<'_>, s: &str, _elem: Oid, typmod: i32) -> Result<TimeTz> {
    let (time, date, zone) = read(cx, s, "time with time zone")?;
    let today = || super::date::local_now(cx.settings()).div_euclid(DAY);
    let local = date.unwrap_or_else(today) * DAY + time;
    let offset = zone.unwrap_or_else(|| Zone::session(&cx.settings().time_zone).offset_of_local(local));
    Ok(TimeTz { time: round_to(time, typmod), west: -offset })
}
#[builtin("timetz_out", write)]
fn timetz_out(t: TimeTz, out: &mut Vec<u8>) {
    super::format::time(t.time, out);
    out.extend_from_slice(super::format::offset_text(-t.west).as_bytes());
}
#[builtin("timetz_recv")]
fn timetz_recv(b: &[u8], _elem: Oid, typmod: i32) -> Result<TimeTz> {
    let t = crate::wire::whole(b, |r| Ok(TimeTz { time: r.i64()?, west: r.i32()? }))?;
    if !(0..=DAY).contains(&t.time) {
        return Err(error(DATETIME_VALUE_OUT_OF_RANGE, "time out of range"));
    }
    if t.west.abs() >= 16 * 3600 {
        return Err(error(INVALID_TIME_ZONE_DISPLACEMENT_VALUE, "time zone displacement out of range"));
    }
    Ok(TimeTz { time: round_to(t.time, typmod), ..t })
}
#[builtin("timetz_send")]
fn timetz_send(t: TimeTz) -> Vec<u8> {
    [&t.time.to_be_bytes()[..], &t.west.to_be_bytes()[..]].concat()
}
#[builtin("timetz_scale")]
fn timetz_scale(t: TimeTz, typmod: i32) -> TimeTz {
    TimeTz { time: round_to(t.time, typmod), ..t }
}
/// The order of stored values.
pub fn compare_timetz(a: &[u8], b: &[u8]) -> Ordering {
    let key = |b| TimeTz::from_bytes(b).map(TimeTz::key);
    key(a).cmp(&key(b))
}
pub static TIMETZ_COMPARE: &[Builtin] = &compare_bytes!(
    compare_timetz,
    ["timetz_eq", "timetz_ne", "timetz_lt", "timetz_le", "timetz_gt", "timetz_ge", "timetz_cmp"]
);
#[builtin("timetz_larger")]
fn timetz_larger(a: TimeTz, b: TimeTz) -> TimeTz {
    if a.key() > b.key() { a } else { b }
}
#[builtin("timetz_smaller")]
fn timetz_smaller(a: TimeTz, b: TimeTz) -> TimeTz {
    if a.key() < b.key() { a } else { b }
}
#[builtin("timetz_hash")]
fn timetz_hash(t: TimeTz) -> i32 {
    hash_u32(fold_i64(t.time)) ^ hash_u32(t.west as u32)
}
#[builtin("timetz_hash_extended")]
fn timetz_hash_extended(t: TimeTz, seed: i64) -> i64 {
    hash_u32_extended(fold_i64(t.time), seed) ^ hash_u32_extended(t.west as u32, seed)
}
#[builtin("timetz_time")]
fn timetz_time(t: TimeTz) -> i64 {
    t.time
}
#[builtin("time_timetz")]
fn time_timetz(cx: &mut FnCx<'_>, t: i64) -> TimeTz {
    let zone = Zone::session(&cx.settings().time_zone);
    let today = super::date::local_now(cx.settings()).div_euclid(DAY);
    TimeTz { time: t, west: -zone.offset_of_local(today * DAY + t) }
}
#[builtin("timestamptz_timetz")]
fn timestamptz_timetz(cx: &mut FnCx<'_>, ts: i64) -> Option<TimeTz> {
    let offset = Zone::session(&cx.settings().time_zone).offset_at(ts);
    let time = (ts + i64::from(offset) * SECOND).rem_euclid(DAY);
    (!super::is_infinite(ts)).then_some(TimeTz { time, west: -offset })
}
#[builtin("timetz_pl_interval")]
fn timetz_pl_interval(t: TimeTz, v: Interval) -> Result<TimeTz> {
    if v.is_infinite() {
        return Err(error(DATETIME_VALUE_OUT_OF_RANGE, "cannot add infinite interval to time"));
    }
    Ok(TimeTz { time: t.time.wrapping_add(v.time).rem_euclid(DAY), ..t })
}
#[builtin("timetz_mi_interval")]
fn timetz_mi_interval(t: TimeTz, v: Interval) -> Result<TimeTz> {
    finite(v, "subtract")?;
    Ok(TimeTz { time: t.time.wrapping_sub(v.time).rem_euclid(DAY), ..t })
}
fn shift(t: TimeTz, offset: i32) -> TimeTz {
    let utc = t.time + i64::from(t.west) * SECOND;
    TimeTz { time: (utc + i64::from(offset) * SECOND).rem_euclid(DAY), west: -offset }
}
#[builtin("timetz_zone")]
fn timetz_zone(cx: &mut FnCx<'_>, zone: &str, t: TimeTz) -> Result<TimeTz> {
    Ok(shift(t, Zone::lookup(zone)?.offset_at(cx.settings().transaction_timestamp)))
}
#[builtin("timetz_at_local")]
fn timetz_at_local(cx: &mut FnCx<'_>, t: TimeTz) -> TimeTz {
    let zone = Zone::session(&cx.settings().time_zone);
    shift(t, zone.offset_at(cx.settings().transaction_timestamp))
}
#[builtin("timetz_izone")]
fn timetz_izone(zone: Interval, t: TimeTz) -> Result<TimeTz> {
    Ok(shift(t, super::timestamp::interval_zone(zone)?))
}
#[builtin("datetimetz_timestamptz")]
fn datetimetz_timestamptz(d: i32, t: TimeTz) -> Result<i64> {
    let ts = super::date::to_timestamp(d)?;
    if super::is_infinite(ts) {
        return Ok(ts);
    }
    let ts = ts + t.time + i64::from(t.west) * SECOND;
    if super::in_range(ts) { Ok(ts) } else { Err(super::date::timestamp_range()) }
}
#[builtin("extract_timetz")]
fn extract_timetz(name: &str, t: TimeTz) -> Result<Numeric> {
    const TYPE: &str = "time with time zone";
    let n = match Part::find(name, TYPE)? {
        Part::Epoch => Some(fields::micro(i128::from(t.time) + i128::from(t.west) * 1_000_000, 6)),
        Part::Timezone => Some(Numeric::from_i64((-t.west).into())),
        Part::TimezoneHour => Some(Numeric::from_i64((-t.west / 3600).into())),
        Part::TimezoneMinute => Some(Numeric::from_i64((-t.west / 60 % 60).into())),
        part => fields::of_time(part, t.time),
    };
    n.ok_or_else(|| fields::unsupported(name, TYPE))
}
#[builtin("timetz_part")]
fn timetz_part(name: &str, t: TimeTz) -> Result<f64> {
    extract_timetz(name, t).map(|n| n.to_f64())
}
/// Do two spans have a moment in common? (PostgreSQL: `overlaps_timestamp`; nulls as SQL wants them)
pub fn overlaps<T: PartialOrd + Copy>(a: [Option<T>; 2], b: [Option<T>; 2]) -> Option<bool> {
    let order = |[x, y]: [Option<T>; 2]| match (x, y) {
        (Some(p), Some(q)) if p > q => Some((q, Some(p))),
        (Some(p), y) => Some((p, y)),
        (None, Some(q)) => Some((q, None)),
        _ => None,
    };
    let ((s1, e1), (s2, e2)) = (order(a)?, order(b)?);
    let earlier = |s: T, e: Option<T>, later: T| {
        match e {
            Some(e) if later < e => Some(true),
            Some(_) => Some(false),
            None => None,
        }
        .or(if s == later { Some(true) } else { None })
    };
    if s1 > s2 {
        earlier(s2, e2, s1)
    } else if s1 < s2 {
        earlier(s1, e1, s2)
    } else {
        (e1.is_some() && e2.is_some()).then_some(true)
    }
}
#[builtin("overlaps_time")]
fn overlaps_time(a: Option<i64>, b: Option<i64>, c: Option<i64>, d: Option<i64>) -> Option<bool> {
    overlaps([a, b], [c, d])
}
#[builtin("overlaps_timestamp")]
fn overlaps_timestamp(a: Option<i64>, b: Option<i64>, c: Option<i64>, d: Option<i64>) -> Option<bool> {
    overlaps([a, b], [c, d])
}
/// By the instant, then by the zone.
#[builtin("overlaps_timetz")]
fn overlaps_timetz(a: Option<TimeTz>, b: Option<TimeTz>, c: Option<TimeTz>, d: Option<TimeTz>) -> Option<bool> {
    let key = |t: Option<TimeTz>| t.map(|t| (t.time + i64::from(t.west) * SECOND, t.west));
    overlaps([key(a), key(b)], [key(c), key(d)])
}
