//! Average, variance and regression of floats, by the method of Youngs and Cramer.

use std::any::Any;

use base::Result;
use types::{AggStates, Arg, BuiltinAggregate, Datum, FnCall, FnCx, Rows, Word};

use super::{agg, each, mismatch, same};
use crate::float::overflow;

/// Of one variable: number, sum, sum of squared distances from the mean.
#[derive(Clone, Copy, Default)]
struct Moments {
    n: f64,
    sx: f64,
    sxx: f64,
}

impl Moments {
    #[inline]
    fn put(&mut self, v: f64) -> Result<()> {
        if self.n > 0.0 {
            let n = self.n + 1.0;
            let t = v * n - (self.sx + v);
            return self.grow(v, t * t / (n * self.n));
        }
        self.n = 1.0;
        self.sx = v;
        if v.is_nan() || v.is_infinite() {
            self.sxx = f64::NAN;
        }
        Ok(())
    }
    /// Takes in a further value, which adds `squares` to the squared distances.
    #[inline]
    fn grow(&mut self, v: f64, squares: f64) -> Result<()> {
        let old = self.sx;
        self.n += 1.0;
        self.sx += v;
        self.sxx += squares;
        if self.sx.is_infinite() || self.sxx.is_infinite() {
            if !old.is_infinite() && !v.is_infinite() {
                return Err(overflow());
            }
            self.sxx = f64::NAN;
        }
        Ok(())
    }
    fn merge(&mut self, o: &Moments) -> Result<()> {
        if self.n == 0.0 {
            *self = *o;
        } else if o.n > 0.0 {
            let t = self.sx / self.n - o.sx / o.n;
            let n = self.n + o.n;
            self.sxx += o.sxx + self.n * o.n * t * t / n;
            if self.sxx.is_infinite() && !o.sxx.is_infinite() {
                return Err(overflow());
            }
            self.sx += o.sx;
            self.n = n;
        }
        Ok(())
    }
}

#[derive(Clone, Copy)]
enum Finish {
    Average,
    VarPop,
    VarSamp,
    StddevPop,
    StddevSamp,
}

struct One {
    states: Vec<Moments>,
    finish: Finish,
    read: fn(u64) -> f64,
}

impl AggStates for One {
    fn resize(&mut self, groups: usize) {
        self.states.resize(groups, Moments::default());
    }
    fn update(&mut self, _: &mut FnCx<'_>, groups: &[u32], args: &[Arg<'_>], rows: Rows<'_>) -> Result<()> {
        let Some(arg) = args.first() else { return Err(mismatch()) };
        each(groups, rows, |g, r| match arg.get(r) {
            d if d.is_null() => Ok(()),
            d => self.states[g].put((self.read)(d.word())),
        })
    }
    fn finish(&mut self, _: &mut FnCx<'_>, group: usize) -> Result<Datum> {
        let s = self.states[group];
        let value = match self.finish {
            Finish::Average if s.n > 0.0 => s.sx / s.n,
            Finish::VarPop if s.n > 0.0 => s.sxx / s.n,
            Finish::StddevPop if s.n > 0.0 => (s.sxx / s.n).sqrt(),
            Finish::VarSamp if s.n > 1.0 => s.sxx / (s.n - 1.0),
            Finish::StddevSamp if s.n > 1.0 => (s.sxx / (s.n - 1.0)).sqrt(),
            _ => return Ok(Datum::Null),
        };
        Ok(Datum::Word(value.to_word()))
    }
    fn merge(&mut self, _: &mut FnCx<'_>, group: usize, from: &mut dyn AggStates, from_group: usize) -> Result<()> {
        let other = same::<Self>(from)?.states[from_group];
        self.states[group].merge(&other)
    }
    fn as_any(&mut self) -> &mut (dyn Any + 'static) {
        self
    }
    fn memory(&self) -> usize {
        self.states.capacity() * size_of::<Moments>()
    }
}
fn double(finish: Finish) -> Box<dyn AggStates> {
    Box::new(One { states: Vec::new(), finish, read: f64::from_bits })
}
fn single(finish: Finish) -> Box<dyn AggStates> {
    Box::new(One { states: Vec::new(), finish, read: |w| f32::from_word(w).into() })
}

/// Of two variables; the first argument is the dependent one.
#[derive(Clone, Copy, Default)]
struct Pair {
    x: Moments,
    y: Moments,
    sxy: f64,
}

impl Pair {
    fn put(&mut self, y: f64, x: f64) -> Result<()> {
        let before = self.x.n;
        let n = before + 1.0;
        if before > 0.0 {
            // The three sums share the factor, so that they round alike.
            let tx = x * n - (self.x.sx + x);
            let ty = y * n - (self.y.sx + y);
            let scale = 1.0 / (n * before);
            self.sxy += tx * ty * scale;
            self.x.grow(x, tx * tx * scale)?;
            self.y.grow(y, ty * ty * scale)?;
            if self.sxy.is_infinite() {
                return Err(overflow());
            }
            if self.x.sxx.is_nan() || self.y.sxx.is_nan() {
                self.sxy = f64::NAN;
            }
            return Ok(());
        }
        if [x, y].iter().any(|v| v.is_nan() || v.is_infinite()) {
            self.sxy = f64::NAN;
        }
        self.x.put(x)?;
        self.y.put(y)
    }
    fn merge(&mut self, o: &Pair) -> Result<()> {
        if self.x.n > 0.0 && o.x.n > 0.0 {
            let tx = self.x.sx / self.x.n - o.x.sx / o.x.n;
            let ty = self.y.sx / self.y.n - o.y.sx / o.y.n;
            self.sxy += o.sxy + self.x.n * o.x.n * tx * ty / (self.x.n + o.x.n);
        } else if o.x.n > 0.0 {
            self.sxy = o.sxy;
        }
        self.x.merge(&o.x)?;
        self.y.merge(&o.y)
    }
}

struct Two {
    states: Vec<Pair>,
    finish: fn(&Pair) -> Option<f64>,
}

impl AggStates for Two {
    fn resize(&mut self, groups: usize) {
        self.states.resize(groups, Pair::default());
    }
    fn update(&mut self, _: &mut FnCx<'_>, groups: &[u32], args: &[Arg<'_>], rows: Rows<'_>) -> Result<()> {
        let [y, x] = args else { return Err(mismatch()) };
        each(groups, rows, |g, r| match (y.get(r), x.get(r)) {
            (y, x) if y.is_null() || x.is_null() => Ok(()),
            (y, x) => self.states[g].put(f64::from_bits(y.word()), f64::from_bits(x.word())),
        })
    }
    fn finish(&mut self, _: &mut FnCx<'_>, group: usize) -> Result<Datum> {
        Ok((self.finish)(&self.states[group]).map_or(Datum::Null, |v| Datum::Word(v.to_word())))
    }
    fn merge(&mut self, _: &mut FnCx<'_>, group: usize, from: &mut dyn AggStates, from_group: usize) -> Result<()> {
        let other = same::<Self>(from)?.states[from_group];
        self.states[group].merge(&other)
    }
    fn as_any(&mut self) -> &mut (dyn Any + 'static) {
        self
    }
    fn memory(&self) -> usize {
        self.states.capacity() * size_of::<Pair>()
    }
}
fn two(finish: fn(&Pair) -> Option<f64>) -> Box<dyn AggStates> {
    Box::new(Two { states: Vec::new(), finish })
}
fn any(p: &Pair, f: impl FnOnce(&Pair) -> f64) -> Option<f64> {
    (p.x.n > 0.0).then(|| f(p))
}

macro_rules! both {
    ($final_fn:literal, $finish:expr) => {
        [
            agg("float8_accum", $final_fn, |_: &FnCall| double($finish)),
            agg("float4_accum", $final_fn, |_: &FnCall| single($finish)),
        ]
    };
}
pub static AVERAGE: &[BuiltinAggregate] = &both!("float8_avg", Finish::Average);
pub static VAR_POP: &[BuiltinAggregate] = &both!("float8_var_pop", Finish::VarPop);
pub static VAR_SAMP: &[BuiltinAggregate] = &both!("float8_var_samp", Finish::VarSamp);
pub static STDDEV_POP: &[BuiltinAggregate] = &both!("float8_stddev_pop", Finish::StddevPop);
pub static STDDEV_SAMP: &[BuiltinAggregate] = &both!("float8_stddev_samp", Finish::StddevSamp);
pub static REGRESSION: &[BuiltinAggregate] = &[
    agg("float8_regr_accum", "float8_corr", |_| {
        two(|p| {
            if p.x.n < 1.0 || p.x.sxx == 0.0 || p.y.sxx == 0.0 {
                None
            } else {
                Some((p.sxy / (p.x.sxx * p.y.sxx).sqrt()).clamp(-1.0, 1.0))
            }
        })
    }),
    agg("float8_regr_accum", "float8_covar_pop", |_| two(|p| any(p, |p| p.sxy / p.x.n))),
    agg("float8_regr_accum", "float8_covar_samp", |_| two(|p| (p.x.n > 1.0).then(|| p.sxy / (p.x.n - 1.0)))),
    agg("float8_regr_accum", "float8_regr_avgx", |_| two(|p| any(p, |p| p.x.sx / p.x.n))),
    agg("float8_regr_accum", "float8_regr_avgy", |_| two(|p| any(p, |p| p.y.sx / p.x.n))),
    agg("float8_regr_accum", "float8_regr_sxx", |_| two(|p| any(p, |p| p.x.sxx))),
    agg("float8_regr_accum", "float8_regr_syy", |_| two(|p| any(p, |p| p.y.sxx))),
    agg("float8_regr_accum", "float8_regr_sxy", |_| two(|p| any(p, |p| p.sxy))),
    agg("float8_regr_accum", "float8_regr_slope", |_| {
        two(|p| if p.x.n < 1.0 || p.x.sxx == 0.0 { None } else { Some(p.sxy / p.x.sxx) })
    }),
    agg("float8_regr_accum", "float8_regr_intercept", |_| {
        two(|p| if p.x.n < 1.0 || p.x.sxx == 0.0 { None } else { Some((p.y.sx - p.x.sx * p.sxy / p.x.sxx) / p.x.n) })
    }),
    agg("float8_regr_accum", "float8_regr_r2", |_| {
        two(|p| match p {
            p if p.x.n < 1.0 || p.x.sxx == 0.0 => None,
            p if p.y.sxx == 0.0 => Some(1.0),
            p => Some(p.sxy * p.sxy / (p.x.sxx * p.y.sxx)),
        })
    }),
];
