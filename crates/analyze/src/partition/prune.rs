//! Which partitions may hold rows that satisfy conditions on the key: evaluating [`PruneSteps`] made by the planner, with the values
//! known at plan time or those of a run.
//!
//! A condition selects *slots*: places between bounds (or values of a list, or remainders), each owned by a partition or by none,
//! which then is the default partition's; besides, the null and the default partition. Slots are intersected and united as the
//! conditions are, and turned into partitions at the end.
//!
//! PostgreSQL: `get_matching_partitions`, `perform_pruning_base_step`, `perform_pruning_combine_step`.

use std::cmp::Ordering;

use base::{Oid, PgError, Result};
use types::{Comparator, Datum, Runtime};

use super::bounds::{Bounds, PartitionDesc, RangeEnd, partition_point};
use crate::query::Expr;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Op {
    Lt,
    Le,
    Eq,
    Ge,
    Gt,
    Ne,
}

/// A condition, by numbers of values.
#[derive(Clone, PartialEq, Debug)]
pub enum Step {
    And(Vec<Step>),
    Or(Vec<Step>),
    /// The first key columns equal the prefix; the next compares with a value. With `open` the first columns may also lie further
    /// on the operator's side, as in `a <= 10 AND b < 5`.
    Compare {
        prefix: Vec<usize>,
        op: Op,
        value: usize,
        open: bool,
    },
    /// All key columns of a hash: values, or null.
    Hash(Vec<Option<usize>>),
    Null,
    /// All key columns have values.
    NotNull,
    /// Cannot be true.
    Never,
}

/// A value that key columns are compared with.
#[derive(Clone, Debug)]
pub struct PruneValue {
    pub expr: Expr,
    /// The key's order against the value's type.
    pub compare: Option<Comparator>,
    /// For hash keys: the extended hash function of the value's type.
    pub support: Oid,
    pub collation: Oid,
}

#[derive(Clone, Debug)]
pub struct PruneSteps {
    pub step: Step,
    pub values: Vec<PruneValue>,
}

/// What a condition selects.
#[derive(Clone)]
struct Found {
    slots: Vec<bool>,
    null: bool,
    default: bool,
}

/// A place in the order of keys: a prefix of values, and before or after everything that begins with it.
#[derive(Clone, Copy)]
enum Place<'a> {
    Before(&'a [usize]),
    After(&'a [usize]),
}

impl PartitionDesc {
    fn slots(&self) -> usize {
        match &self.bounds {
            Bounds::List { values, .. } => values.len(),
            Bounds::Range { owner, .. } => owner.len(),
            Bounds::Hash { owner, .. } => owner.len(),
        }
    }

    /// Whether each partition may hold matching rows. `values` are those of the steps, none of them toasted.
    pub fn matching(&self, rt: &mut dyn Runtime, steps: &PruneSteps, values: &[Datum]) -> Result<Vec<bool>> {
        let found = self.find(rt, steps, values, &steps.step)?;
        let mut out = vec![false; self.parts.len()];
        let mut default = found.default;
        for (slot, _) in found.slots.iter().enumerate().filter(|(_, s)| **s) {
            let owner = match &self.bounds {
                Bounds::List { owner, .. } => Some(owner[slot]),
                Bounds::Range { owner, .. } | Bounds::Hash { owner, .. } => owner[slot],
            };
            match owner {
                Some(i) => out[i] = true,
                None => default = true,
            }
        }
        if let Some(i) = self.null.filter(|_| found.null) {
            out[i] = true;
        }
        if let Some(i) = self.default.filter(|_| default) {
            out[i] = true;
        }
        Ok(out)
    }

    fn nothing(&self) -> Found {
        Found { slots: vec![false; self.slots()], null: false, default: false }
    }

    fn find(&self, rt: &mut dyn Runtime, s: &PruneSteps, v: &[Datum], step: &Step) -> Result<Found> {
        let mut out = self.nothing();
        match step {
            Step::Never => {}
            Step::And(list) => {
                out = Found { slots: vec![true; self.slots()], null: true, default: true };
                for x in list {
                    let f = self.find(rt, s, v, x)?;
                    out.slots.iter_mut().zip(&f.slots).for_each(|(a, b)| *a &= b);
                    (out.null, out.default) = (out.null & f.null, out.default & f.default);
                }
            }
            Step::Or(list) => {
                for x in list {
                    let f = self.find(rt, s, v, x)?;
                    out.slots.iter_mut().zip(&f.slots).for_each(|(a, b)| *a |= b);
                    (out.null, out.default) = (out.null | f.null, out.default | f.default);
                }
            }
            Step::Null => match (&self.bounds, self.null) {
                (Bounds::List { .. }, Some(_)) => out.null = true,
                (Bounds::List { .. } | Bounds::Range { .. }, _) => out.default = true,
                (Bounds::Hash { .. }, _) => out.slots.iter_mut().for_each(|x| *x = true),
            },
            Step::NotNull => {
                out.slots.iter_mut().for_each(|x| *x = true);
                out.default = true;
                if let Bounds::Range { ends, .. } = &self.bounds {
                    self.trim_infinite(ends, &mut out.slots);
                }
            }
            Step::Hash(keys) => {
                if out.slots.is_empty() {
                    return Ok(out);
                }
                let mut hash = 0;
                for k in keys.iter().flatten() {
                    if v[*k].is_null() {
                        return Ok(out);
                    }
                    let value = &s.values[*k];
                    hash = super::combine(hash, super::hash_value(rt, value.support, value.collation, v[*k].as_ref())?);
                }
                let n = out.slots.len() as u64;
                out.slots[(hash % n) as usize] = true;
            }
            Step::Compare { prefix, value, .. } if v[*value].is_null() || prefix.iter().any(|p| v[*p].is_null()) => {}
            Step::Compare { prefix, op, value, open } => match &self.bounds {
                Bounds::List { values, .. } => {
                    let compare = comparator(s, *value)?;
                    let wanted = v[*value].as_ref();
                    let at = partition_point(values, |x| Ok(compare.compare(x.as_ref(), wanted)?.is_lt()))?;
                    let equal = match values.get(at) {
                        Some(x) => compare.compare(x.as_ref(), wanted)?.is_eq(),
                        None => false,
                    };
                    let after = at + usize::from(equal);
                    let n = values.len();
                    let (range, default) = match op {
                        Op::Eq => (at..after, !equal),
                        Op::Lt => (0..at, true),
                        Op::Le => (0..after, true),
                        Op::Gt => (after..n, true),
                        Op::Ge => (at..n, true),
                        Op::Ne => (0..n, true),
                    };
                    out.slots[range].iter_mut().for_each(|x| *x = true);
                    if *op == Op::Ne && equal {
                        out.slots[at] = false;
                    }
                    out.default = default;
                }
                Bounds::Range { ends, owner } => {
                    let mut all = prefix.clone();
                    all.push(*value);
                    let prefix: &[usize] = if *open { &[] } else { prefix };
                    let (low, high) = match op {
                        Op::Eq => (Place::Before(&all), Place::After(&all)),
                        Op::Lt => (Place::Before(prefix), Place::Before(&all)),
                        Op::Le => (Place::Before(prefix), Place::After(&all)),
                        Op::Gt => (Place::After(&all), Place::After(prefix)),
                        Op::Ge => (Place::Before(&all), Place::After(prefix)),
                        Op::Ne => return Err(PgError::internal("<> does not prune ranges")),
                    };
                    // A slot ends at its end and begins at the one before.
                    let first = partition_point(ends, |e| Ok(self.against(s, v, e, low)?.is_le()))?;
                    let last = partition_point(ends, |e| Ok(self.against(s, v, e, high)?.is_lt()))?;
                    for slot in first..=last.min(owner.len() - 1) {
                        out.slots[slot] = true;
                    }
                    out.default = all.len() < self.key.columns.len();
                    if ends.is_empty() {
                        out.default = true;
                    }
                }
                Bounds::Hash { .. } => return Err(PgError::internal("hash partitions have no order")),
            },
        }
        Ok(out)
    }

    /// What lies below an end at MINVALUE, or above one at MAXVALUE, is empty.
    fn trim_infinite(&self, ends: &[RangeEnd], slots: &mut [bool]) {
        if let Some(first) = slots.first_mut()
            && ends.first().is_some_and(|e| e.kinds[0] == -1)
        {
            *first = false;
        }
        if let Some(last) = slots.last_mut()
            && ends.last().is_some_and(|e| e.kinds[0] == 1)
        {
            *last = false;
        }
        // Beyond the last finite end there is a gap, which belongs to the default partition anyway.
    }

    /// How an end compares with a place.
    fn against(&self, s: &PruneSteps, v: &[Datum], end: &RangeEnd, place: Place<'_>) -> Result<Ordering> {
        let (values, after) = match place {
            Place::Before(p) => (p, false),
            Place::After(p) => (p, true),
        };
        for (i, k) in values.iter().enumerate() {
            match end.kinds[i] {
                -1 => return Ok(Ordering::Less),
                1 => return Ok(Ordering::Greater),
                _ => {}
            }
            let order = comparator(s, *k)?.compare(end.values[i].as_ref(), v[*k].as_ref())?;
            if order.is_ne() {
                return Ok(order);
            }
        }
        let next = end.kinds.get(values.len()).copied();
        Ok(match (after, next) {
            // The end of a whole key stands before that key's rows.
            (false, None | Some(-1)) => Ordering::Equal,
            (false, _) => Ordering::Greater,
            (true, Some(1)) => Ordering::Equal,
            (true, _) => Ordering::Less,
        })
    }
}

fn comparator(s: &PruneSteps, value: usize) -> Result<&Comparator> {
    s.values[value].compare.as_ref().ok_or_else(|| PgError::internal("a value without an order"))
}
