//! in_range: does a value lie within the RANGE frame that a base value and an offset bound?
//!
//! `in_range(val, base, offset, sub, less)`: the bound is `base - offset` with `sub`, else `base + offset`; `less` asks for
//! `val <= bound`, else `val >= bound`. A bound outside the type's range lies beyond every value.
//!
//! PostgreSQL: `in_range_int4_int4` and its like, btree support function 3.

use std::cmp::Ordering;

use base::sqlstate::INVALID_PRECEDING_OR_FOLLOWING_SIZE;
use base::{PgError, Result};
use types::{FnCx, builtin};

use crate::datetime::interval::{Interval, compare_bytes};
use crate::datetime::time::TimeTz;
use crate::datetime::{date, timestamp};
use crate::numeric::Numeric;

fn invalid_size() -> PgError {
    PgError::new(INVALID_PRECEDING_OR_FOLLOWING_SIZE, "invalid preceding or following size in window function")
}

/// Is a value on the wanted side of the bound?
fn within(order: Ordering, less: bool) -> bool {
    if less { order != Ordering::Greater } else { order != Ordering::Less }
}

fn integers(val: i64, base: i64, offset: i64, sub: bool, less: bool) -> Result<bool> {
    if offset < 0 {
        return Err(invalid_size());
    }
    let bound = if sub { base.checked_sub(offset) } else { base.checked_add(offset) };
    Ok(match bound {
        Some(bound) => within(val.cmp(&bound), less),
        None => sub != less,
    })
}

#[builtin("in_range_int8_int8")]
fn in_range_int8_int8(val: i64, base: i64, offset: i64, sub: bool, less: bool) -> Result<bool> {
    integers(val, base, offset, sub, less)
}
#[builtin("in_range_int4_int8")]
fn in_range_int4_int8(val: i32, base: i32, offset: i64, sub: bool, less: bool) -> Result<bool> {
    integers(val.into(), base.into(), offset, sub, less)
}
#[builtin("in_range_int4_int4")]
fn in_range_int4_int4(val: i32, base: i32, offset: i32, sub: bool, less: bool) -> Result<bool> {
    integers(val.into(), base.into(), offset.into(), sub, less)
}
#[builtin("in_range_int4_int2")]
fn in_range_int4_int2(val: i32, base: i32, offset: i16, sub: bool, less: bool) -> Result<bool> {
    integers(val.into(), base.into(), offset.into(), sub, less)
}
#[builtin("in_range_int2_int8")]
fn in_range_int2_int8(val: i16, base: i16, offset: i64, sub: bool, less: bool) -> Result<bool> {
    integers(val.into(), base.into(), offset, sub, less)
}
#[builtin("in_range_int2_int4")]
fn in_range_int2_int4(val: i16, base: i16, offset: i32, sub: bool, less: bool) -> Result<bool> {
    integers(val.into(), base.into(), offset.into(), sub, less)
}
#[builtin("in_range_int2_int2")]
fn in_range_int2_int2(val: i16, base: i16, offset: i16, sub: bool, less: bool) -> Result<bool> {
    integers(val.into(), base.into(), offset.into(), sub, less)
}

#[builtin("in_range_float8_float8")]
fn in_range_float8_float8(val: f64, base: f64, offset: f64, sub: bool, less: bool) -> Result<bool> {
    if offset.is_nan() || offset < 0.0 {
        return Err(invalid_size());
    }
    // NaN is greater than all other values and equal to itself.
    if val.is_nan() {
        return Ok(base.is_nan() || !less);
    }
    if base.is_nan() {
        return Ok(less);
    }
    let bound = if sub { base - offset } else { base + offset };
    // The difference of two infinities: everything is as near as that.
    Ok(bound.is_nan() || if less { val <= bound } else { val >= bound })
}
#[builtin("in_range_float4_float8")]
fn in_range_float4_float8(val: f32, base: f32, offset: f64, sub: bool, less: bool) -> Result<bool> {
    in_range_float8_float8(val.into(), base.into(), offset, sub, less)
}

#[builtin("in_range_numeric_numeric")]
fn in_range_numeric_numeric(val: Numeric, base: Numeric, offset: Numeric, sub: bool, less: bool) -> Result<bool> {
    if offset.is_nan() || offset.sign() < 0 {
        return Err(invalid_size());
    }
    if val.is_nan() {
        return Ok(base.is_nan() || !less);
    }
    if base.is_nan() {
        return Ok(less);
    }
    let bound = if sub { base.sub(&offset) } else { base.add(&offset) };
    Ok(bound.is_nan() || within(val.compare(&bound), less))
}

/// Is it the difference of two infinities? Then everything is as near as that.
fn undefined(offset: Interval, sub: bool, begin: bool, end: bool) -> bool {
    offset == Interval::INFINITY && if sub { end } else { begin }
}

fn timestamps(
    val: i64,
    base: i64,
    offset: Interval,
    sub: bool,
    less: bool,
    plus: impl FnOnce(i64, Interval) -> Result<i64>,
) -> Result<bool> {
    if offset.sign() < 0 {
        return Err(invalid_size());
    }
    if undefined(offset, sub, base == i64::MIN, base == i64::MAX) {
        return Ok(true);
    }
    let bound = plus(base, if sub { offset.negate()? } else { offset })?;
    Ok(within(val.cmp(&bound), less))
}

#[builtin("in_range_timestamp_interval")]
fn in_range_timestamp_interval(val: i64, base: i64, offset: Interval, sub: bool, less: bool) -> Result<bool> {
    timestamps(val, base, offset, sub, less, timestamp::plus)
}
#[builtin("in_range_timestamptz_interval")]
fn in_range_timestamptz_interval(
    cx: &mut FnCx<'_>,
    val: i64,
    base: i64,
    offset: Interval,
    sub: bool,
    less: bool,
) -> Result<bool> {
    let zone = timestamp::session(cx);
    timestamps(val, base, offset, sub, less, |t, v| timestamp::plus_zoned(t, v, &zone))
}
#[builtin("in_range_date_interval")]
fn in_range_date_interval(val: i32, base: i32, offset: Interval, sub: bool, less: bool) -> Result<bool> {
    timestamps(date::to_timestamp(val)?, date::to_timestamp(base)?, offset, sub, less, timestamp::plus)
}

#[builtin("in_range_interval_interval")]
fn in_range_interval_interval(val: Interval, base: Interval, offset: Interval, sub: bool, less: bool) -> Result<bool> {
    if offset.sign() < 0 {
        return Err(invalid_size());
    }
    if undefined(offset, sub, base == Interval::NEG_INFINITY, base == Interval::INFINITY) {
        return Ok(true);
    }
    let bound = if sub { base.subtract(offset)? } else { base.add(offset)? };
    Ok(within(compare_bytes(&val.to_bytes(), &bound.to_bytes()), less))
}

#[builtin("in_range_time_interval")]
fn in_range_time_interval(val: i64, base: i64, offset: Interval, sub: bool, less: bool) -> Result<bool> {
    // As in time's arithmetic, months and days do not count; times do not wrap around here.
    integers(val, base, offset.time, sub, less)
}
#[builtin("in_range_timetz_interval")]
fn in_range_timetz_interval(val: TimeTz, base: TimeTz, offset: Interval, sub: bool, less: bool) -> Result<bool> {
    if offset.time < 0 {
        return Err(invalid_size());
    }
    let bound = if sub { base.time.checked_sub(offset.time) } else { base.time.checked_add(offset.time) };
    Ok(match bound {
        Some(time) => within(val.compare(TimeTz { time, ..base }), less),
        None => less,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_beyond_the_type() {
        let check = |val, base, offset, sub, less, expected| {
            assert_eq!(in_range_int4_int8(val, base, offset, sub, less).ok(), expected, "{val} {base} {offset}");
        };
        check(5, 3, 2, false, true, Some(true));
        check(6, 3, 2, false, true, Some(false));
        check(1, 3, 2, true, false, Some(true));
        check(i32::MAX, i32::MAX, i64::MAX, false, true, Some(true));
        check(i32::MAX, i32::MAX, i64::MAX, false, false, Some(false));
        check(i32::MIN, i32::MIN, i64::MAX, true, false, Some(true));
        check(0, 0, -1, true, false, None);
    }

    #[test]
    fn infinities_and_nan() {
        let inf = f64::INFINITY;
        assert!(in_range_float8_float8(1.0, inf, inf, true, true).is_ok_and(|b| b));
        assert!(in_range_float8_float8(f64::NAN, 1.0, 1.0, false, false).is_ok_and(|b| b));
        assert!(in_range_float8_float8(f64::NAN, 1.0, 1.0, false, true).is_ok_and(|b| !b));
        assert!(in_range_float8_float8(1.0, 1.0, f64::NAN, false, true).is_err());
    }
}
