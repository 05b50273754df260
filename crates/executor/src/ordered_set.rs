//! Ordered-set and hypothetical-set aggregates: percentiles, mode, rank and its like. All rows of a group are kept and sorted;
//! the final function looks at them.
//!
//! PostgreSQL: `orderedsetaggs.c`.

use std::cmp::Ordering;

use analyze::query::Aggref;
use base::sqlstate::NUMERIC_VALUE_OUT_OF_RANGE;
use base::{Oid, PgError, Result};
use types::array::{ArrayRef, build};
use types::oid::FLOAT8OID;
use types::{Batch, Column, Datum, DatumRef, Runtime, SortKey};

use crate::build::Builder;
use crate::expr::{CExpr, Elem, Scope};
use crate::hashing::KeyEq;
use crate::state::Run;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Discrete,
    Float,
    Interval,
    Mode,
    Rank,
    PercentRank,
    DenseRank,
    CumeDist,
}

pub(crate) struct OrderedSet {
    kind: Kind,
    /// Many percentiles at once: element types of the direct argument and of the result.
    multi: Option<(Elem, Elem)>,
    direct: Vec<CExpr>,
    keys: Vec<(usize, SortKey)>,
    eq: KeyEq,
    /// Nulls do not count.
    pub skip_nulls: bool,
    /// The rows of all groups in their order, and where each group's begin and end.
    pub order: Vec<u32>,
    pub bounds: Vec<(usize, usize)>,
}

const INTERVAL_PL: Oid = Oid(1169);
const INTERVAL_MI: Oid = Oid(1170);
const INTERVAL_MUL: Oid = Oid(1618);

impl OrderedSet {
    pub fn build(
        b: &mut Builder<'_>,
        a: &Aggref,
        (transition, finish): (&str, &str),
        keys: Vec<(usize, SortKey)>,
        width: usize,
    ) -> Result<OrderedSet> {
        let (kind, multi) = match finish {
            "percentile_disc_final" => (Kind::Discrete, false),
            "percentile_disc_multi_final" => (Kind::Discrete, true),
            "percentile_cont_float8_final" => (Kind::Float, false),
            "percentile_cont_float8_multi_final" => (Kind::Float, true),
            "percentile_cont_interval_final" => (Kind::Interval, false),
            "percentile_cont_interval_multi_final" => (Kind::Interval, true),
            "mode_final" => (Kind::Mode, false),
            "hypothetical_rank_final" => (Kind::Rank, false),
            "hypothetical_percent_rank_final" => (Kind::PercentRank, false),
            "hypothetical_dense_rank_final" => (Kind::DenseRank, false),
            "hypothetical_cume_dist_final" => (Kind::CumeDist, false),
            _ => return Err(unsupported(b, a)),
        };
        if !transition.starts_with("ordered_set_transition") {
            return Err(unsupported(b, a));
        }
        let mut ops = Vec::new();
        for s in &a.aggorder {
            let at = a.args.iter().find(|t| t.ressortgroupref == s.tle_sort_group_ref);
            ops.push((s.eqop, at.map_or(Oid::INVALID, |t| t.expr.collation())));
        }
        let eq = KeyEq::for_operators(b.cx, &ops)?;
        let element = a.args.first().map_or(Oid::INVALID, |t| t.expr.type_oid());
        let mut c = b.compiler(Scope::outer(width));
        let direct = c.list(&a.aggdirectargs)?;
        let multi = if multi { Some((c.elem(FLOAT8OID)?, c.elem(element)?)) } else { None };
        let skip_nulls = transition == "ordered_set_transition";
        Ok(OrderedSet { kind, multi, direct, keys, eq, skip_nulls, order: Vec::new(), bounds: Vec::new() })
    }

    pub fn clear(&mut self) {
        self.order.clear();
        self.bounds.clear();
    }

    /// The result for a group, whose direct arguments are computed over `row` of `batch`.
    pub fn result(
        &mut self,
        run: &mut Run<'_>,
        columns: &[Column],
        group: usize,
        batch: &Batch,
        row: usize,
    ) -> Result<Datum> {
        let (from, to) = self.bounds.get(group).copied().unwrap_or_default();
        let mut direct = Vec::with_capacity(self.direct.len());
        for e in &mut self.direct {
            let v = e.eval_row(run, batch, row)?;
            direct.push(crate::expr::function::plain(run, v.as_ref())?);
        }
        let rows = &self.order[from..to];
        match self.kind {
            Kind::Mode => self.eq_runs(run, columns, from, to),
            Kind::Discrete | Kind::Float | Kind::Interval => {
                let Some(argument) = direct.first().filter(|d| !d.is_null()) else { return Ok(Datum::Null) };
                let Some((elem, result)) = &self.multi else {
                    let fraction = fraction(argument.as_ref())?;
                    return percentile(run, self.kind, &columns[0], rows, fraction);
                };
                let array = ArrayRef::new(argument.as_ref().as_bytes())?;
                let mut values = Vec::new();
                let mut wanted = Vec::new();
                for e in array.elements(elem) {
                    let e = e?;
                    wanted.push(if e.is_null() { None } else { Some(fraction(e)?) });
                }
                if rows.is_empty() {
                    return Ok(Datum::Null);
                }
                if wanted.is_empty() {
                    return Ok(types::array::build_empty(result.oid));
                }
                for f in wanted {
                    values.push(match f {
                        None => Datum::Null,
                        Some(f) => percentile(run, self.kind, &columns[0], rows, f)?,
                    });
                }
                let refs: Vec<DatumRef<'_>> = values.iter().map(Datum::as_ref).collect();
                build(result, &array.dims(), &array.lower_bounds(), &refs)
            }
            Kind::Rank | Kind::PercentRank | Kind::DenseRank | Kind::CumeDist => {
                self.hypothetical(run, columns, from, to, &direct)
            }
        }
    }

    /// The most frequent value, the first of several.
    fn eq_runs(&mut self, run: &mut Run<'_>, columns: &[Column], from: usize, to: usize) -> Result<Datum> {
        let rows = &self.order[from..to];
        let (mut best, mut most, mut start) = (None, 0, 0);
        for i in 0..rows.len() {
            let same = i + 1 < rows.len() && {
                let cols = [&columns[0]];
                self.eq.rows_equal(run, &cols, rows[i] as usize, &cols, rows[i + 1] as usize)?
            };
            if !same {
                if i + 1 - start > most {
                    (best, most) = (Some(rows[start]), i + 1 - start);
                }
                start = i + 1;
            }
        }
        Ok(best.map_or(Datum::Null, |i| columns[0].get(i as usize).to_owned()))
    }

    fn hypothetical(
        &mut self,
        run: &mut Run<'_>,
        columns: &[Column],
        from: usize,
        to: usize,
        direct: &[Datum],
    ) -> Result<Datum> {
        let rows = &self.order[from..to];
        let order = |i: u32| -> Result<Ordering> {
            for (at, key) in &self.keys {
                let o = key.compare(columns[*at].get(i as usize), direct[*at].as_ref())?;
                if o != Ordering::Equal {
                    return Ok(o);
                }
            }
            Ok(Ordering::Equal)
        };
        let (mut before, mut equal, mut last, mut distinct) = (0i64, 0i64, None::<u32>, 0i64);
        let cols: Vec<&Column> = columns.iter().collect();
        for &i in rows {
            match order(i)? {
                Ordering::Less => {
                    before += 1;
                    let repeated = match last {
                        Some(l) => self.eq.rows_equal(run, &cols, l as usize, &cols, i as usize)?,
                        None => false,
                    };
                    distinct += i64::from(!repeated);
                    last = Some(i);
                }
                Ordering::Equal => equal += 1,
                Ordering::Greater => break,
            }
        }
        let n = rows.len() as f64;
        let float = |v: f64| Datum::Word(v.to_bits());
        Ok(match self.kind {
            Kind::Rank => Datum::i64(before + 1),
            Kind::DenseRank => Datum::i64(distinct + 1),
            Kind::PercentRank => float(if rows.is_empty() { 0.0 } else { before as f64 / n }),
            _ => float((before + equal + 1) as f64 / (n + 1.0)),
        })
    }
}

fn unsupported(b: &Builder<'_>, a: &Aggref) -> PgError {
    match b.cx.catalog.function_row(a.aggfnoid) {
        Ok(proc) => PgError::unsupported(format!("ordered-set aggregate {}", proc.proname)),
        Err(e) => e,
    }
}

fn fraction(d: DatumRef<'_>) -> Result<f64> {
    let f = f64::from_bits(d.word());
    if (0.0..=1.0).contains(&f) {
        return Ok(f);
    }
    let shown = if f.is_nan() { "nan".to_owned() } else { f.to_string() };
    Err(PgError::new(NUMERIC_VALUE_OUT_OF_RANGE, format!("percentile value {shown} is not between 0 and 1")))
}

fn percentile(run: &mut Run<'_>, kind: Kind, column: &Column, rows: &[u32], fraction: f64) -> Result<Datum> {
    if rows.is_empty() {
        return Ok(Datum::Null);
    }
    let value = |at: usize| column.get(rows[at] as usize);
    if kind == Kind::Discrete {
        let at = (fraction * rows.len() as f64).ceil() as usize;
        return Ok(value(at.max(1) - 1).to_owned());
    }
    let place = fraction * (rows.len() - 1) as f64;
    let (first, second) = (place.floor(), place.ceil());
    let (low, high) = (value(first as usize), value(second as usize));
    if first == second {
        return Ok(low.to_owned());
    }
    let share = place - first;
    if kind == Kind::Float {
        let (low, high) = (f64::from_bits(low.word()), f64::from_bits(high.word()));
        return Ok(Datum::Word((low + share * (high - low)).to_bits()));
    }
    let difference = run.cx.call(INTERVAL_MI, Oid::INVALID, &[high, low])?;
    let part = run.cx.call(INTERVAL_MUL, Oid::INVALID, &[difference.as_ref(), DatumRef::Word(share.to_bits())])?;
    run.cx.call(INTERVAL_PL, Oid::INVALID, &[part.as_ref(), low])
}
