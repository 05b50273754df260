//! Partitions in the order of their bounds, and the search for a row's partition.
//!
//! - Lists: all values sorted, each with its partition.
//! - Ranges: all ends sorted, a lower end that meets an upper one dropped; `owner[i]` owns what lies below end `i` and not below
//!   the one before; the last what lies above all.
//! - Hash: a partition for each remainder of the greatest modulus.
//!
//! PostgreSQL: `partition_bounds_create`, `get_partition_for_tuple`, `check_new_partition_bound`.

use std::cmp::Ordering;

use base::error::Location;
use base::sqlstate::INVALID_OBJECT_DEFINITION;
use base::{Oid, PgError, Result};
use catalog::Catalog;
use types::{Datum, DatumRef, Runtime};

use super::{PartitionKey, Strategy};
use crate::query::{Const, Expr, PartitionBoundSpec, PartitionRangeDatum};

/// A partition.
#[derive(Debug)]
pub struct Part {
    pub oid: Oid,
    pub is_leaf: bool,
    pub spec: PartitionBoundSpec,
}

/// One end of a range: a kind and value for each column of the key.
#[derive(Clone, Debug)]
pub struct RangeEnd {
    pub kinds: Vec<i32>,
    pub values: Vec<Datum>,
    pub lower: bool,
}

/// See the module's head.
#[derive(Debug)]
pub enum Bounds {
    List { values: Vec<Datum>, owner: Vec<usize> },
    Range { ends: Vec<RangeEnd>, owner: Vec<Option<usize>> },
    Hash { owner: Vec<Option<usize>>, moduli: Vec<(i32, i32, usize)> },
}

/// How a table is partitioned, and into what. (PostgreSQL: `PartitionDescData`, `PartitionBoundInfoData`)
#[derive(Debug)]
pub struct PartitionDesc {
    pub key: PartitionKey,
    /// In the order of their bounds, the default one last.
    pub parts: Vec<Part>,
    pub bounds: Bounds,
    pub default: Option<usize>,
    /// Of a list: who takes nulls.
    pub null: Option<usize>,
}

fn constant(e: &Expr) -> Result<&Const> {
    match e {
        Expr::Const(c) => Ok(c),
        _ => Err(PgError::internal("a partition bound is not constant")),
    }
}

/// A value for comparing: never toasted.
fn plain(rt: &mut dyn Runtime, d: &Datum) -> Result<Datum> {
    match d {
        Datum::Toasted(b) => Ok(Datum::bytes(rt.detoast(b)?)),
        d => Ok(d.clone()),
    }
}

impl RangeEnd {
    fn new(rt: &mut dyn Runtime, list: &[PartitionRangeDatum], lower: bool) -> Result<RangeEnd> {
        let mut values = Vec::with_capacity(list.len());
        for d in list {
            values.push(match &d.value {
                Some(e) => plain(rt, &constant(e)?.value)?,
                None => Datum::Null,
            });
        }
        Ok(RangeEnd { kinds: list.iter().map(|d| d.kind).collect(), values, lower })
    }
}

impl PartitionKey {
    pub fn compare(&self, column: usize, a: DatumRef<'_>, b: DatumRef<'_>) -> Result<Ordering> {
        match &self.columns[column].compare {
            Some(c) => c.compare(a, b),
            None => Err(PgError::internal("hash partitions have no order")),
        }
    }

    /// How two ends compare, and at which column (from 1) they differ. An exclusive end comes first.
    /// (PostgreSQL: `partition_rbound_cmp`)
    pub fn compare_ends(&self, a: &RangeEnd, b: &RangeEnd) -> Result<(Ordering, usize)> {
        let mut column = 0;
        for i in 0..self.columns.len() {
            column = i + 1;
            match a.kinds[i].cmp(&b.kinds[i]) {
                Ordering::Equal if a.kinds[i] != 0 => break,
                Ordering::Equal => {}
                other => return Ok((other, column)),
            }
            let order = self.compare(i, a.values[i].as_ref(), b.values[i].as_ref())?;
            if order != Ordering::Equal {
                return Ok((order, column));
            }
        }
        let order = match (a.lower, b.lower) {
            (true, false) => Ordering::Greater,
            (false, true) => Ordering::Less,
            _ => return Ok((Ordering::Equal, 0)),
        };
        Ok((order, column))
    }

    /// How an end compares with the first values of a key, as many as are given. (PostgreSQL: `partition_rbound_datum_cmp`)
    pub fn compare_end(&self, end: &RangeEnd, values: &[DatumRef<'_>]) -> Result<Ordering> {
        for (i, v) in values.iter().enumerate() {
            match end.kinds[i] {
                -1 => return Ok(Ordering::Less),
                1 => return Ok(Ordering::Greater),
                _ => {}
            }
            let order = self.compare(i, end.values[i].as_ref(), *v)?;
            if order != Ordering::Equal {
                return Ok(order);
            }
        }
        Ok(Ordering::Equal)
    }
}

/// Sorts with a comparison that may fail.
fn sort<T>(list: &mut [T], mut compare: impl FnMut(&T, &T) -> Result<Ordering>) -> Result<()> {
    let mut failed = None;
    list.sort_by(|a, b| {
        compare(a, b).unwrap_or_else(|e| {
            failed = Some(e);
            Ordering::Equal
        })
    });
    failed.map_or(Ok(()), Err)
}

/// The number of elements, from the first, for which `before` holds. (A partition point that may fail)
pub fn partition_point<T>(list: &[T], mut before: impl FnMut(&T) -> Result<bool>) -> Result<usize> {
    let (mut low, mut high) = (0, list.len());
    while low < high {
        let middle = (low + high) / 2;
        match before(&list[middle])? {
            true => low = middle + 1,
            false => high = middle,
        }
    }
    Ok(low)
}

impl PartitionDesc {
    /// Sorts the partitions: (oid, is a leaf, bound).
    pub fn new(
        key: PartitionKey,
        given: Vec<(Oid, bool, PartitionBoundSpec)>,
        rt: &mut dyn Runtime,
    ) -> Result<PartitionDesc> {
        let n = given.len();
        let mut place: Vec<Option<usize>> = vec![None; n];
        let mut next = 0;
        let mut claim = |i: usize| {
            *place[i].get_or_insert_with(|| {
                next += 1;
                next - 1
            })
        };
        let mut null = None;
        let bounds = match key.strategy {
            Strategy::List => {
                let mut all = Vec::new();
                for (i, (_, _, spec)) in given.iter().enumerate() {
                    for e in &spec.listdatums {
                        match &constant(e)?.value {
                            Datum::Null => null = Some(i),
                            v => all.push((plain(rt, v)?, i)),
                        }
                    }
                }
                sort(&mut all, |a, b| key.compare(0, a.0.as_ref(), b.0.as_ref()))?;
                let owner = all.iter().map(|(_, i)| claim(*i)).collect();
                null = null.map(&mut claim);
                Bounds::List { values: all.into_iter().map(|(v, _)| v).collect(), owner }
            }
            Strategy::Range => {
                let mut all = Vec::new();
                for (i, (_, _, spec)) in given.iter().enumerate().filter(|(_, g)| !g.2.is_default) {
                    all.push((RangeEnd::new(rt, &spec.lowerdatums, true)?, i));
                    all.push((RangeEnd::new(rt, &spec.upperdatums, false)?, i));
                }
                sort(&mut all, |a, b| Ok(key.compare_ends(&a.0, &b.0)?.0))?;
                let (mut ends, mut owner): (Vec<RangeEnd>, Vec<Option<usize>>) = (Vec::new(), Vec::new());
                for (end, i) in all {
                    let same = match ends.last() {
                        Some(l) => key.compare_ends(l, &RangeEnd { lower: l.lower, ..end.clone() })?.0.is_eq(),
                        None => false,
                    };
                    if !same {
                        owner.push((!end.lower).then(|| claim(i)));
                        ends.push(end);
                    }
                }
                owner.push(None);
                Bounds::Range { ends, owner }
            }
            Strategy::Hash => {
                let mut moduli: Vec<(i32, i32, usize)> =
                    given.iter().enumerate().map(|(i, g)| (g.2.modulus, g.2.remainder, i)).collect();
                moduli.sort_unstable();
                moduli.iter_mut().for_each(|m| m.2 = claim(m.2));
                let greatest = moduli.last().map_or(0, |m| m.0.max(0) as usize);
                let mut owner = vec![None; greatest];
                for (modulus, remainder, i) in &moduli {
                    let step = usize::try_from(*modulus).unwrap_or(0).max(1);
                    owner.iter_mut().skip(*remainder as usize).step_by(step).for_each(|o| *o = Some(*i));
                }
                Bounds::Hash { owner, moduli }
            }
        };
        let default = given.iter().position(|g| g.2.is_default).map(&mut claim);
        let mut parts: Vec<Option<Part>> = (0..n).map(|_| None).collect();
        for (place, (oid, is_leaf, spec)) in place.into_iter().zip(given) {
            let place = place.ok_or_else(|| PgError::internal("a partition without a bound"))?;
            parts[place] = Some(Part { oid, is_leaf, spec });
        }
        Ok(PartitionDesc { key, parts: parts.into_iter().flatten().collect(), bounds, default, null })
    }

    /// The partition of a row, by the values of its key, none of them toasted. (PostgreSQL: `get_partition_for_tuple`)
    pub fn route(&self, rt: &mut dyn Runtime, values: &[DatumRef<'_>]) -> Result<Option<usize>> {
        let found = match &self.bounds {
            Bounds::Hash { owner, .. } => {
                if owner.is_empty() {
                    return Ok(None);
                }
                let hash = self.key.hash(rt, values)?;
                return Ok(owner[(hash % owner.len() as u64) as usize]);
            }
            Bounds::List { .. } if values[0].is_null() => self.null,
            Bounds::List { values: all, owner } => {
                let at = partition_point(all, |v| Ok(self.key.compare(0, v.as_ref(), values[0])?.is_lt()))?;
                match all.get(at) {
                    Some(v) if self.key.compare(0, v.as_ref(), values[0])?.is_eq() => Some(owner[at]),
                    _ => None,
                }
            }
            Bounds::Range { .. } if values.iter().any(|v| v.is_null()) => None,
            Bounds::Range { ends, owner } => {
                owner[partition_point(ends, |e| Ok(self.key.compare_end(e, values)?.is_le()))?]
            }
        };
        Ok(found.or(self.default))
    }

    /// The place of a partition.
    pub fn position(&self, oid: Oid) -> Option<usize> {
        self.parts.iter().position(|p| p.oid == oid)
    }

    /// Fails if a new partition's rows would also belong to another one. (PostgreSQL: `check_new_partition_bound`)
    pub fn check_new(&self, c: &Catalog, rt: &mut dyn Runtime, name: &str, spec: &PartitionBoundSpec) -> Result<()> {
        let named = |i: usize| -> Result<String> { Ok(c.relation_entry(self.parts[i].oid)?.name().to_owned()) };
        let error = |text: String, at: Location| PgError::new(INVALID_OBJECT_DEFINITION, text).at(at);
        if spec.is_default {
            let Some(d) = self.default else { return Ok(()) };
            let text = format!("partition \"{name}\" conflicts with existing default partition \"{}\"", named(d)?);
            return Err(error(text, spec.location));
        }
        let overlaps = |i: usize, at: Location| -> Result<()> {
            Err(error(format!("partition \"{name}\" would overlap partition \"{}\"", named(i)?), at))
        };
        match &self.bounds {
            Bounds::List { .. } => {
                for e in &spec.listdatums {
                    let k = constant(e)?;
                    let taken = match &k.value {
                        Datum::Null => self.null,
                        v => {
                            let v = plain(rt, v)?;
                            self.route(rt, &[v.as_ref()])?.filter(|i| Some(*i) != self.default)
                        }
                    };
                    if let Some(i) = taken {
                        return overlaps(i, k.location);
                    }
                }
                Ok(())
            }
            Bounds::Hash { owner, moduli } => {
                if moduli.is_empty() {
                    return Ok(());
                }
                let wrong = |detail: String| {
                    let text = "every hash partition modulus must be a factor of the next larger modulus";
                    Err(PgError::new(INVALID_OBJECT_DEFINITION, text).detail(detail))
                };
                let no_factor = |(next, _, i): &(i32, i32, usize)| {
                    wrong(format!(
                        "The new modulus {} is not a factor of {next}, the modulus of existing partition \"{}\".",
                        spec.modulus,
                        named(*i)?
                    ))
                };
                let at = moduli.partition_point(|m| (m.0, m.1) <= (spec.modulus, spec.remainder));
                if let Some((before, _, i)) = at.checked_sub(1).map(|i| &moduli[i])
                    && spec.modulus % before != 0
                {
                    return wrong(format!(
                        "The new modulus {} is not divisible by {before}, the modulus of existing partition \"{}\".",
                        spec.modulus,
                        named(*i)?
                    ));
                }
                if let Some(next) = moduli.get(at).filter(|m| m.0 % spec.modulus != 0) {
                    return no_factor(next);
                }
                let (greatest, step) = (owner.len(), spec.modulus as usize);
                let first = spec.remainder as usize % greatest;
                match owner.iter().skip(first).step_by(step).find_map(|o| *o) {
                    Some(i) => overlaps(i, spec.location),
                    None => Ok(()),
                }
            }
            Bounds::Range { ends, owner } => {
                let lower = RangeEnd::new(rt, &spec.lowerdatums, true)?;
                let upper = RangeEnd::new(rt, &spec.upperdatums, false)?;
                let (order, column) = self.key.compare_ends(&lower, &upper)?;
                if order.is_ge() {
                    let at = spec.lowerdatums[column.max(1) - 1].location;
                    let (l, u) = (
                        crate::deparse::range_end(rt, c, &spec.lowerdatums)?,
                        crate::deparse::range_end(rt, c, &spec.upperdatums)?,
                    );
                    return Err(error(format!("empty range bound specified for partition \"{name}\""), at)
                        .detail(format!("Specified lower bound {l} is greater than or equal to upper bound {u}.")));
                }
                // The ends up to the new lower one, that one included.
                let at = partition_point(ends, |e| Ok(self.key.compare_ends(e, &lower)?.0.is_le()))?;
                match owner[at] {
                    Some(i) => {
                        let column = match at.checked_sub(1) {
                            Some(k) => self.key.compare_ends(&ends[k], &lower)?.1,
                            None => 1,
                        };
                        overlaps(i, spec.lowerdatums[column.max(1) - 1].location)
                    }
                    None => match ends.get(at) {
                        Some(end) => {
                            let (order, column) = self.key.compare_ends(end, &upper)?;
                            match owner.get(at + 1).copied().flatten() {
                                Some(i) if order.is_lt() => overlaps(i, spec.upperdatums[column.max(1) - 1].location),
                                _ => Ok(()),
                            }
                        }
                        None => Ok(()),
                    },
                }
            }
        }
    }

    /// Whether all rows of each of these partitions come before those of the next, nulls last. (PostgreSQL:
    /// `partitions_are_ordered`)
    pub fn is_ordered(&self, places: &[usize]) -> bool {
        if self.default.is_some_and(|d| places.contains(&d)) {
            return false;
        }
        match &self.bounds {
            Bounds::Range { .. } => true,
            Bounds::List { owner, .. } => {
                // One that also takes nulls has them after its other values, but before the next partition's.
                let nulls = self.null.filter(|n| places.contains(n));
                if nulls.is_some_and(|n| owner.contains(&n)) {
                    return false;
                }
                let mut last = None;
                let mut seen: Vec<usize> = Vec::new();
                for o in owner.iter().filter(|o| places.contains(o)) {
                    if last != Some(*o) && seen.contains(o) {
                        return false;
                    }
                    last = Some(*o);
                    seen.push(*o);
                }
                true
            }
            Bounds::Hash { .. } => false,
        }
    }
}
