//! Sum and average of `interval`: infinite ones are counted apart, so that they can leave a window frame again.
//! (PostgreSQL: `interval_avg_accum`)

use std::any::Any;

use base::Result;
use types::{AggStates, Arg, BuiltinAggregate, Datum, FnCx, FromDatum, IntoDatum, Rows};

use super::{agg, each, mismatch, same};
use crate::datetime::interval::{Interval, interval_range};

#[derive(Clone, Copy, Default)]
struct State {
    count: i64,
    sum: Interval,
    positive: i64,
    negative: i64,
}

struct Intervals {
    states: Vec<State>,
    average: bool,
}

impl AggStates for Intervals {
    fn resize(&mut self, groups: usize) {
        self.states.resize(groups, State::default());
    }
    fn update(&mut self, _: &mut FnCx<'_>, groups: &[u32], args: &[Arg<'_>], rows: Rows<'_>) -> Result<()> {
        let Some(arg) = args.first() else { return Err(mismatch()) };
        each(groups, rows, |g, r| {
            let Some(v) = Option::<Interval>::from_datum(arg.get(r))? else { return Ok(()) };
            let s = &mut self.states[g];
            match v {
                Interval::INFINITY => s.positive += 1,
                Interval::NEG_INFINITY => s.negative += 1,
                v => {
                    s.sum = s.sum.add(v)?;
                    s.count += 1;
                }
            }
            Ok(())
        })
    }
    fn finish(&mut self, _: &mut FnCx<'_>, group: usize) -> Result<Datum> {
        let s = self.states[group];
        let value = match (s.positive > 0, s.negative > 0) {
            (true, true) => return Err(interval_range()),
            (true, false) => Interval::INFINITY,
            (false, true) => Interval::NEG_INFINITY,
            (false, false) if s.count == 0 => return Ok(Datum::Null),
            (false, false) if self.average => s.sum.divide(s.count as f64)?,
            (false, false) => s.sum,
        };
        Ok(value.into_datum())
    }
    fn merge(&mut self, _: &mut FnCx<'_>, group: usize, from: &mut dyn AggStates, from_group: usize) -> Result<()> {
        let from = same::<Self>(from)?.states[from_group];
        let s = &mut self.states[group];
        s.sum = s.sum.add(from.sum)?;
        s.count += from.count;
        s.positive += from.positive;
        s.negative += from.negative;
        Ok(())
    }
    fn as_any(&mut self) -> &mut (dyn Any + 'static) {
        self
    }
    fn memory(&self) -> usize {
        self.states.capacity() * size_of::<State>()
    }
}
fn intervals(average: bool) -> Box<dyn AggStates> {
    Box::new(Intervals { states: Vec::new(), average })
}

pub static AGGREGATES: &[BuiltinAggregate] = &[
    agg("interval_avg_accum", "interval_sum", |_| intervals(false)),
    agg("interval_avg_accum", "interval_avg", |_| intervals(true)),
];
