//! Sum, average and variance of `numeric`, and variance of integers.

use std::any::Any;

use base::Result;
use types::{AggStates, Arg, BuiltinAggregate, Datum, DatumRef, FnCx, IntoDatum, Rows, Word};

use super::{agg, each, mismatch, same};
use crate::numeric::{Kind, Numeric};

/// Base-10000 digits after the point of the quick accumulator.
const FRACTION: i32 = 4;

/// A sum that is an i128 as long as the numbers are moderate.
#[derive(Clone, Default)]
struct Total {
    /// In units of `10000 ^ -FRACTION`.
    small: i128,
    large: Option<Box<Numeric>>,
}

impl Total {
    fn add_small(&mut self, v: i128) {
        match self.small.checked_add(v) {
            Some(s) => self.small = s,
            None => {
                self.flush();
                self.small = v;
            }
        }
    }
    fn flush(&mut self) {
        let small = self.small_value();
        self.small = 0;
        self.add_large(&small);
    }
    fn small_value(&self) -> Numeric {
        let mut n = Numeric::from_i128(self.small);
        if !n.digits.is_empty() {
            n.weight -= FRACTION;
        }
        n
    }
    fn add_large(&mut self, n: &Numeric) {
        self.large = Some(Box::new(self.large.as_ref().map_or_else(|| n.clone(), |l| l.add(n))));
    }
    fn add(&mut self, n: &Numeric) {
        let places = n.digits.len() as i32 - 1 - n.weight;
        if n.weight <= 2 && places <= FRACTION {
            let mut v: i128 = 0;
            for i in 0..n.weight + 1 + FRACTION {
                v = v * 10_000 + i128::from(n.digits.get(i as usize).copied().unwrap_or(0));
            }
            self.add_small(if n.negative { -v } else { v });
        } else {
            self.add_large(n);
        }
    }
    fn value(&self, dscale: i32) -> Numeric {
        let small = self.small_value();
        let n = self.large.as_ref().map_or_else(|| small.clone(), |l| l.add(&small));
        Numeric { dscale, ..n }
    }
}

#[derive(Clone, Default)]
struct State {
    sum: Total,
    squares: Total,
    count: i64,
    dscale: i32,
    nan: i64,
    infinite: [i64; 2],
}

#[derive(Clone, Copy)]
enum Finish {
    Sum,
    Average,
    Variance { sample: bool, root: bool },
}

impl State {
    fn put(&mut self, n: &Numeric, squares: bool) {
        match n.kind {
            Kind::NaN => self.nan += 1,
            Kind::Infinity => self.infinite[0] += 1,
            Kind::NegInfinity => self.infinite[1] += 1,
            Kind::Finite => {
                self.count += 1;
                self.dscale = self.dscale.max(n.dscale);
                self.sum.add(n);
                if squares {
                    self.squares.add(&n.mul(n));
                }
            }
        }
    }
    fn merge(&mut self, o: &State) {
        self.sum.add_large(&o.sum.value(0));
        self.squares.add_large(&o.squares.value(0));
        self.count += o.count;
        self.dscale = self.dscale.max(o.dscale);
        self.nan += o.nan;
        self.infinite[0] += o.infinite[0];
        self.infinite[1] += o.infinite[1];
    }
    fn finish(&self, how: Finish) -> Result<Option<Numeric>> {
        let all = self.count + self.nan + self.infinite[0] + self.infinite[1];
        if all == 0 {
            return Ok(None);
        }
        let special = match self.infinite {
            _ if self.nan > 0 => Some(Kind::NaN),
            [0, 0] => None,
            [_, 0] => Some(Kind::Infinity),
            [0, _] => Some(Kind::NegInfinity),
            _ => Some(Kind::NaN),
        };
        let sum = self.sum.value(self.dscale);
        let n = Numeric::from_i64(self.count);
        match how {
            Finish::Sum => Ok(Some(special.map_or(sum, Numeric::special).checked()?)),
            Finish::Average => match special {
                Some(k) => Ok(Some(Numeric::special(k))),
                None => sum.div(&n).map(Some),
            },
            Finish::Variance { sample, root } => {
                if sample && all <= 1 {
                    return Ok(None);
                }
                if special.is_some() {
                    return Ok(Some(Numeric::special(Kind::NaN)));
                }
                let squares = self.squares.value(self.dscale * 2);
                let top = n.mul(&squares).sub(&sum.mul(&sum));
                if top.sign() <= 0 {
                    return Ok(Some(Numeric::zero()));
                }
                let bottom = n.mul(&Numeric::from_i64(self.count - i64::from(sample)));
                let scale = top.div_scale(&bottom);
                let variance = top.div_to_scale(&bottom, scale);
                Ok(Some(if root { variance.sqrt_to_scale(scale) } else { variance }))
            }
        }
    }
}

struct Numerics {
    states: Vec<State>,
    finish: Finish,
    /// For integer arguments: a word's value.
    word: Option<fn(u64) -> i64>,
}

impl AggStates for Numerics {
    fn resize(&mut self, groups: usize) {
        self.states.resize(groups, State::default());
    }
    fn update(&mut self, cx: &mut FnCx<'_>, groups: &[u32], args: &[Arg<'_>], rows: Rows<'_>) -> Result<()> {
        let Some(arg) = args.first() else { return Err(mismatch()) };
        let squares = matches!(self.finish, Finish::Variance { .. });
        if let (types::Arg::Column(types::Column { data: types::ColumnData::Bytes(v), .. }), None, false) =
            (arg, self.word, squares)
        {
            return each(groups, rows, |g, r| {
                let state = &mut self.states[g];
                match arg.get(r) {
                    DatumRef::Null => {}
                    DatumRef::Bytes(_) => match crate::numeric::scaled(v.get(r), FRACTION) {
                        Some((value, dscale)) => {
                            state.count += 1;
                            state.dscale = state.dscale.max(dscale);
                            state.sum.add_small(value);
                        }
                        None => state.put(&Numeric::from_bytes(v.get(r))?, false),
                    },
                    DatumRef::Toasted(t) => state.put(&Numeric::from_bytes(&cx.rt.detoast(t)?)?, false),
                    DatumRef::Word(_) => return Err(mismatch()),
                }
                Ok(())
            });
        }
        each(groups, rows, |g, r| {
            let n = match (arg.get(r), self.word) {
                (DatumRef::Null, _) => return Ok(()),
                (DatumRef::Word(w), Some(f)) => Numeric::from_i64(f(w)),
                (DatumRef::Bytes(b), None) => Numeric::from_bytes(b)?,
                (DatumRef::Toasted(t), None) => Numeric::from_bytes(&cx.rt.detoast(t)?)?,
                _ => return Err(mismatch()),
            };
            self.states[g].put(&n, squares);
            Ok(())
        })
    }
    fn finish(&mut self, _: &mut FnCx<'_>, group: usize) -> Result<Datum> {
        Ok(self.states[group].finish(self.finish)?.map_or(Datum::Null, Numeric::into_datum))
    }
    fn merge(&mut self, _: &mut FnCx<'_>, group: usize, from: &mut dyn AggStates, from_group: usize) -> Result<()> {
        let from = same::<Self>(from)?;
        self.states[group].merge(&from.states[from_group]);
        Ok(())
    }
    fn as_any(&mut self) -> &mut (dyn Any + 'static) {
        self
    }
    fn memory(&self) -> usize {
        self.states.capacity() * size_of::<State>()
    }
}
fn numerics(finish: Finish, word: Option<fn(u64) -> i64>) -> Box<dyn AggStates> {
    Box::new(Numerics { states: Vec::new(), finish, word })
}
fn i16_word(w: u64) -> i64 {
    i16::from_word(w).into()
}
fn i32_word(w: u64) -> i64 {
    i32::from_word(w).into()
}
fn i64_word(w: u64) -> i64 {
    i64::from_word(w)
}

macro_rules! variance {
    ($accum:literal, $prefix:literal, $word:expr) => {
        [
            agg($accum, concat!($prefix, "_var_pop"), |_| {
                numerics(Finish::Variance { sample: false, root: false }, $word)
            }),
            agg($accum, concat!($prefix, "_var_samp"), |_| {
                numerics(Finish::Variance { sample: true, root: false }, $word)
            }),
            agg($accum, concat!($prefix, "_stddev_pop"), |_| {
                numerics(Finish::Variance { sample: false, root: true }, $word)
            }),
            agg($accum, concat!($prefix, "_stddev_samp"), |_| {
                numerics(Finish::Variance { sample: true, root: true }, $word)
            }),
        ]
    };
}
pub static NUMERIC: &[BuiltinAggregate] = &variance!("numeric_accum", "numeric", None);
pub static INT8: &[BuiltinAggregate] = &variance!("int8_accum", "numeric", Some(i64_word));
pub static INT4: &[BuiltinAggregate] = &variance!("int4_accum", "numeric_poly", Some(i32_word));
pub static INT2: &[BuiltinAggregate] = &variance!("int2_accum", "numeric_poly", Some(i16_word));
pub static SUMS: &[BuiltinAggregate] = &[
    agg("numeric_avg_accum", "numeric_sum", |_| numerics(Finish::Sum, None)),
    agg("numeric_avg_accum", "numeric_avg", |_| numerics(Finish::Average, None)),
];
