//! Counts, sums, averages and variance of integers.

use std::any::Any;

use base::Result;
use types::kernel::Fixed;
use types::{AggStates, Arg, BuiltinAggregate, Datum, DatumRef, FnCx, IntoDatum, Rows};

use super::{agg, each, mismatch, same};
use crate::numeric::Numeric;

/// `count(*)`, `count(x)`, `regr_count`: the rows that reach it; null arguments do not (the transition functions are strict).
#[derive(Default)]
struct Count(Vec<i64>);

impl AggStates for Count {
    fn resize(&mut self, groups: usize) {
        self.0.resize(groups, 0);
    }
    fn update(&mut self, _: &mut FnCx<'_>, groups: &[u32], args: &[Arg<'_>], rows: Rows<'_>) -> Result<()> {
        let nulls = args.iter().any(|a| match a {
            Arg::Column(c) => c.validity.is_some(),
            Arg::Const(d) => d.is_null(),
        });
        if !nulls && groups.is_empty() {
            self.0[0] += rows.len() as i64;
            return Ok(());
        }
        each(groups, rows, |g, r| {
            self.0[g] += i64::from(!nulls || args.iter().all(|a| !a.get(r).is_null()));
            Ok(())
        })
    }
    fn finish(&mut self, _: &mut FnCx<'_>, group: usize) -> Result<Datum> {
        Ok(Datum::i64(self.0[group]))
    }
    fn merge(&mut self, _: &mut FnCx<'_>, group: usize, from: &mut dyn AggStates, from_group: usize) -> Result<()> {
        self.0[group] += same::<Self>(from)?.0[from_group];
        Ok(())
    }
    fn as_any(&mut self) -> &mut (dyn Any + 'static) {
        self
    }
    fn memory(&self) -> usize {
        self.0.capacity() * 8
    }
}

/// What a sum ends in.
#[derive(Clone, Copy)]
enum Finish {
    /// `sum(int2)`, `sum(int4)`
    Int8,
    /// `sum(int8)`
    Numeric,
    Average,
}

#[derive(Clone, Copy, Default)]
struct SumState {
    sum: i128,
    count: i64,
}

struct Sum<T> {
    states: Vec<SumState>,
    finish: Finish,
    of: std::marker::PhantomData<fn() -> T>,
}

fn sum<T: Fixed + Into<i64> + Send + 'static>(finish: Finish) -> Box<dyn AggStates> {
    Box::new(Sum::<T> { states: Vec::new(), finish, of: std::marker::PhantomData })
}

impl<T: Fixed + Into<i64> + 'static> AggStates for Sum<T> {
    fn resize(&mut self, groups: usize) {
        self.states.resize(groups, SumState::default());
    }
    fn update(&mut self, _: &mut FnCx<'_>, groups: &[u32], args: &[Arg<'_>], rows: Rows<'_>) -> Result<()> {
        let Some(arg) = args.first() else { return Err(mismatch()) };
        if let Arg::Column(c) = arg
            && c.validity.is_none()
        {
            let slice = T::slice(c).ok_or_else(mismatch)?;
            if groups.is_empty() {
                let state = &mut self.states[0];
                if size_of::<T>() < 8 && rows.len() < 1 << 31 {
                    // Cannot overflow: at most 2^31 values below 2^31.
                    let mut total = 0i64;
                    match rows {
                        Rows::All(n) => slice[..n].iter().for_each(|&v| total += T::from_raw(v).into()),
                        Rows::Some(list) => list.iter().for_each(|&r| total += T::from_raw(slice[r as usize]).into()),
                    }
                    state.sum += i128::from(total);
                } else {
                    rows.iter().for_each(|r| state.sum += i128::from(T::from_raw(slice[r]).into()));
                }
                state.count += rows.len() as i64;
                return Ok(());
            }
            for r in rows.iter() {
                let state = &mut self.states[groups[r] as usize];
                state.sum += i128::from(T::from_raw(slice[r]).into());
                state.count += 1;
            }
            return Ok(());
        }
        each(groups, rows, |g, r| {
            if let DatumRef::Word(w) = arg.get(r) {
                self.states[g].sum += i128::from(T::from_word(w).into());
                self.states[g].count += 1;
            }
            Ok(())
        })
    }
    fn finish(&mut self, _: &mut FnCx<'_>, group: usize) -> Result<Datum> {
        let s = self.states[group];
        if s.count == 0 {
            return Ok(Datum::Null);
        }
        Ok(match self.finish {
            Finish::Int8 => Datum::i64(i64::try_from(s.sum).map_err(|_| crate::err::out_of_range("bigint"))?),
            Finish::Numeric => Numeric::from_i128(s.sum).into_datum(),
            Finish::Average => Numeric::from_i128(s.sum).div(&Numeric::from_i64(s.count))?.into_datum(),
        })
    }
    fn merge(&mut self, _: &mut FnCx<'_>, group: usize, from: &mut dyn AggStates, from_group: usize) -> Result<()> {
        let other = same::<Self>(from)?.states[from_group];
        self.states[group].sum += other.sum;
        self.states[group].count += other.count;
        Ok(())
    }
    fn as_any(&mut self) -> &mut (dyn Any + 'static) {
        self
    }
    fn memory(&self) -> usize {
        self.states.capacity() * size_of::<SumState>()
    }
}

pub static AGGREGATES: &[BuiltinAggregate] = &[
    agg("int8inc", "", |_| Box::new(Count::default())),
    agg("int8inc_any", "", |_| Box::new(Count::default())),
    agg("int8inc_float8_float8", "", |_| Box::new(Count::default())),
    agg("int2_sum", "", |_| sum::<i16>(Finish::Int8)),
    agg("int4_sum", "", |_| sum::<i32>(Finish::Int8)),
    agg("int8_avg_accum", "numeric_poly_sum", |_| sum::<i64>(Finish::Numeric)),
    agg("int8_avg_accum", "numeric_poly_avg", |_| sum::<i64>(Finish::Average)),
    agg("int4_avg_accum", "int8_avg", |_| sum::<i32>(Finish::Average)),
    agg("int2_avg_accum", "int8_avg", |_| sum::<i16>(Finish::Average)),
];
