//! Aggregates that fold by-value arguments into one of the same type: min, max, bit_and, bool_or, float sums.

use std::any::Any;

use base::{Oid, Result};
use types::compare::compare_f64;
use types::kernel::Fixed;
use types::{AggStates, Arg, BuiltinAggregate, Datum, FnCx, Rows};

use super::{agg, each, mismatch, same};

/// How two values become one.
trait Op<T>: Send + 'static {
    fn apply(a: T, b: T) -> Result<T>;
}

struct Fold<T, O> {
    values: Vec<Option<T>>,
    op: std::marker::PhantomData<fn() -> O>,
}

fn new<T: Fixed + Send + 'static, O: Op<T>>() -> Box<dyn AggStates> {
    Box::new(Fold::<T, O> { values: Vec::new(), op: std::marker::PhantomData })
}

impl<T: Fixed + Send + 'static, O: Op<T>> Fold<T, O> {
    #[inline]
    fn put(&mut self, g: usize, v: T) -> Result<()> {
        self.values[g] = Some(match self.values[g] {
            Some(old) => O::apply(old, v)?,
            None => v,
        });
        Ok(())
    }
}

impl<T: Fixed + Send + 'static, O: Op<T>> AggStates for Fold<T, O> {
    fn resize(&mut self, groups: usize) {
        self.values.resize(groups, None);
    }
    fn update(&mut self, _: &mut FnCx<'_>, groups: &[u32], args: &[Arg<'_>], rows: Rows<'_>) -> Result<()> {
        let Some(arg) = args.first() else { return Err(mismatch()) };
        if let Arg::Column(c) = arg
            && c.validity.is_none()
        {
            let slice = T::slice(c).ok_or_else(mismatch)?;
            if groups.is_empty() {
                let mut it = rows.iter();
                let mut acc = match self.values[0] {
                    Some(v) => v,
                    None => match it.next() {
                        Some(r) => T::from_raw(slice[r]),
                        None => return Ok(()),
                    },
                };
                for r in it {
                    acc = O::apply(acc, T::from_raw(slice[r]))?;
                }
                self.values[0] = Some(acc);
                return Ok(());
            }
            return each(groups, rows, |g, r| self.put(g, T::from_raw(slice[r])));
        }
        each(groups, rows, |g, r| match arg.get(r) {
            d if d.is_null() => Ok(()),
            d => self.put(g, T::from_word(d.word())),
        })
    }
    fn finish(&mut self, _: &mut FnCx<'_>, group: usize) -> Result<Datum> {
        Ok(self.values[group].map_or(Datum::Null, |v| Datum::Word(v.to_word())))
    }
    fn merge(&mut self, _: &mut FnCx<'_>, group: usize, from: &mut dyn AggStates, from_group: usize) -> Result<()> {
        match same::<Self>(from)?.values[from_group] {
            Some(v) => self.put(group, v),
            None => Ok(()),
        }
    }
    fn as_any(&mut self) -> &mut (dyn Any + 'static) {
        self
    }
    fn memory(&self) -> usize {
        self.values.capacity() * size_of::<Option<T>>()
    }
}

macro_rules! op {
    ($name:ident, $($t:ty)*, |$a:ident, $b:ident| $body:expr) => {
        struct $name;
        $(impl Op<$t> for $name {
            #[inline(always)]
            fn apply($a: $t, $b: $t) -> Result<$t> { $body }
        })*
    };
}
op!(Max, i16 i32 i64 u8, |a, b| Ok(a.max(b)));
op!(Min, i16 i32 i64 u8, |a, b| Ok(a.min(b)));
op!(And, i16 i32 i64 bool, |a, b| Ok(a & b));
op!(Or, i16 i32 i64 bool, |a, b| Ok(a | b));
op!(Xor, i16 i32 i64, |a, b| Ok(a ^ b));
op!(MaxFloat, f32 f64, |a, b| Ok(if compare_f64(a.into(), b.into()).is_ge() { a } else { b }));
op!(MinFloat, f32 f64, |a, b| Ok(if compare_f64(a.into(), b.into()).is_le() { a } else { b }));
op!(MaxUnsigned, i64, |a, b| Ok(if (a as u64) >= b as u64 { a } else { b }));
op!(MinUnsigned, i64, |a, b| Ok(if (a as u64) <= b as u64 { a } else { b }));
op!(MaxOid, Oid, |a, b| Ok(a.max(b)));
op!(MinOid, Oid, |a, b| Ok(a.min(b)));
op!(Sum, f32 f64, |a, b| {
    let r = a + b;
    if r.is_infinite() && !a.is_infinite() && !b.is_infinite() { Err(crate::float::overflow()) } else { Ok(r) }
});

pub static AGGREGATES: &[BuiltinAggregate] = &[
    agg("int2larger", "", |_| new::<i16, Max>()),
    agg("int2smaller", "", |_| new::<i16, Min>()),
    agg("int4larger", "", |_| new::<i32, Max>()),
    agg("int4smaller", "", |_| new::<i32, Min>()),
    agg("int8larger", "", |_| new::<i64, Max>()),
    agg("int8smaller", "", |_| new::<i64, Min>()),
    agg("date_larger", "", |_| new::<i32, Max>()),
    agg("date_smaller", "", |_| new::<i32, Min>()),
    agg("time_larger", "", |_| new::<i64, Max>()),
    agg("time_smaller", "", |_| new::<i64, Min>()),
    agg("timestamp_larger", "", |_| new::<i64, Max>()),
    agg("timestamp_smaller", "", |_| new::<i64, Min>()),
    agg("cashlarger", "", |_| new::<i64, Max>()),
    agg("cashsmaller", "", |_| new::<i64, Min>()),
    agg("oidlarger", "", |_| new::<Oid, MaxOid>()),
    agg("oidsmaller", "", |_| new::<Oid, MinOid>()),
    agg("float4larger", "", |_| new::<f32, MaxFloat>()),
    agg("float4smaller", "", |_| new::<f32, MinFloat>()),
    agg("float8larger", "", |_| new::<f64, MaxFloat>()),
    agg("float8smaller", "", |_| new::<f64, MinFloat>()),
    agg("xid8_larger", "", |_| new::<i64, MaxUnsigned>()),
    agg("xid8_smaller", "", |_| new::<i64, MinUnsigned>()),
    agg("pg_lsn_larger", "", |_| new::<i64, MaxUnsigned>()),
    agg("pg_lsn_smaller", "", |_| new::<i64, MinUnsigned>()),
    agg("int2and", "", |_| new::<i16, And>()),
    agg("int4and", "", |_| new::<i32, And>()),
    agg("int8and", "", |_| new::<i64, And>()),
    agg("int2or", "", |_| new::<i16, Or>()),
    agg("int4or", "", |_| new::<i32, Or>()),
    agg("int8or", "", |_| new::<i64, Or>()),
    agg("int2xor", "", |_| new::<i16, Xor>()),
    agg("int4xor", "", |_| new::<i32, Xor>()),
    agg("int8xor", "", |_| new::<i64, Xor>()),
    agg("booland_statefunc", "", |_| new::<bool, And>()),
    agg("boolor_statefunc", "", |_| new::<bool, Or>()),
    agg("float4pl", "", |_| new::<f32, Sum>()),
    agg("float8pl", "", |_| new::<f64, Sum>()),
];
