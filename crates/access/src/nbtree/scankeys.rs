//! From conditions to a stretch of the index: where a scan begins, when it ends, which tuples between match.
//!
//! Conditions are grouped by column. From the first column on, as long as there is an equality, the columns make up the
//! place where the scan begins; the first column with only a bound ends it. A condition that fails ends the scan if no
//! later tuple could meet it, else the tuple is skipped. `= ANY` on such a leading column becomes one search an element.
//!
//! PostgreSQL: `_bt_preprocess_keys`, `_bt_first`, `_bt_checkkeys`. Different here: no skip scan.

use std::cmp::Ordering;

use base::Result;
use types::{Comparator, Datum, DatumRef};

use super::search::{KeyColumn, KeyColumns, SearchKey, compare_plain};
use crate::index::{Direction, IndexRelation, ScanKey, ScanStrategy};

/// What a tuple means for the scan.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Verdict {
    Match,
    Skip,
    /// Neither this one nor any later one matches.
    End,
}

/// The conditions of a scan, with the current element of each array.
pub(super) struct Conditions {
    keys: Vec<ScanKey>,
    arrays: Vec<Array>,
    /// No tuple can match.
    impossible: bool,
}

/// An `= ANY` on a leading column: one search an element, in index order.
struct Array {
    column: u16,
    values: Vec<Datum>,
    compare: Comparator,
    at: usize,
}

impl Conditions {
    pub fn new(index: &IndexRelation, keys: Vec<ScanKey>) -> Result<Conditions> {
        let impossible = keys.iter().any(|key| match key {
            ScanKey::Compare { value, .. } => value.is_null(),
            ScanKey::Row { parts, .. } => parts.first().is_none_or(|p| p.1.is_null()),
            ScanKey::Any { values, .. } => values.iter().all(Datum::is_null),
            ScanKey::IsNull { .. } | ScanKey::IsNotNull { .. } => false,
        });
        let mut all = Conditions { keys, arrays: Vec::new(), impossible };
        if !all.impossible {
            all.take_arrays(index)?;
        }
        Ok(all)
    }
    /// Moves arrays on columns with only equalities before them out of the keys.
    fn take_arrays(&mut self, index: &IndexRelation) -> Result<()> {
        for (i, order) in index.keys.iter().enumerate() {
            let column = i as u16;
            if self.keys.iter().any(|k| is_equality(k, column)) {
                continue;
            }
            let is_array = |k: &ScanKey| matches!(k, ScanKey::Any { column: c, .. } if *c == column);
            let Some(at) = self.keys.iter().position(is_array) else { break };
            let ScanKey::Any { values, compare, .. } = self.keys.swap_remove(at) else { break };
            let values = sorted(values, &order.compare, order.descending)?;
            self.arrays.push(Array { column, values, compare, at: 0 });
        }
        Ok(())
    }
    pub fn into_keys(self) -> Vec<ScanKey> {
        self.keys
    }
    pub fn has_arrays(&self) -> bool {
        !self.arrays.is_empty()
    }
    pub fn is_impossible(&self) -> bool {
        self.impossible
    }
    /// The first elements of all arrays, or the last ones.
    pub fn first_elements(&mut self, direction: Direction) {
        for a in &mut self.arrays {
            a.at = if direction == Direction::Forward { 0 } else { a.values.len() - 1 };
        }
    }
    /// The next combination of elements; the last column's array turns fastest. `false` at the end.
    pub fn next_elements(&mut self, direction: Direction) -> bool {
        for a in self.arrays.iter_mut().rev() {
            match direction {
                Direction::Forward if a.at + 1 < a.values.len() => a.at += 1,
                Direction::Backward if a.at > 0 => a.at -= 1,
                Direction::Forward => {
                    a.at = 0;
                    continue;
                }
                Direction::Backward => {
                    a.at = a.values.len() - 1;
                    continue;
                }
            }
            return true;
        }
        false
    }
    pub fn elements(&self) -> Vec<usize> {
        self.arrays.iter().map(|a| a.at).collect()
    }
    pub fn set_elements(&mut self, at: &[usize]) {
        self.arrays.iter_mut().zip(at).for_each(|(a, at)| a.at = *at);
    }
    fn array(&self, column: u16) -> Option<(&Datum, &Comparator)> {
        let a = self.arrays.iter().find(|a| a.column == column)?;
        Some((&a.values[a.at], &a.compare))
    }
    fn on(&self, column: u16) -> impl Iterator<Item = &ScanKey> {
        self.keys.iter().filter(move |k| column_of(k) == Some(column))
    }

    /// Where the scan begins; without columns: at the end of the index.
    pub fn start<'k>(&'k self, index: &'k IndexRelation, direction: Direction) -> Result<SearchKey<'k>> {
        let forward = direction == Direction::Forward;
        let mut columns = KeyColumns::new();
        // Forward: to the first tuple not before the key. Backward: to the last one not behind it.
        let mut next_key = !forward;
        for (i, order) in index.keys.iter().enumerate() {
            let column = i as u16;
            if let Some((value, compare)) = self.equality(column) {
                columns.push(KeyColumn { value, compare: compare.unwrap_or(&order.compare) });
                continue;
            }
            // The best of the bounds on the side where the scan begins.
            let mut bound: Option<(&'k Datum, &'k Comparator, bool)> = None;
            for k in self.on(column) {
                let Some((value, compare, low, strict)) = bound_of(k, order.descending) else { continue };
                if low != forward {
                    continue;
                }
                // Only bounds of one type can be compared with each other; any will do.
                let better = match bound {
                    None => true,
                    Some((_, _, was_strict)) => strict && !was_strict,
                };
                if better {
                    bound = Some((value, compare, strict));
                }
            }
            if let Some((value, compare, strict)) = bound {
                columns.push(KeyColumn { value: value.as_ref(), compare });
                next_key = strict == forward;
            } else if self.wants_non_null(column) && order.nulls_first == forward {
                // Begin behind the nulls.
                columns.push(KeyColumn { value: DatumRef::Null, compare: &order.compare });
                next_key = forward;
            }
            break;
        }
        Ok(SearchKey::new(columns, None, next_key, !forward))
    }
    /// Is one value of the index's only key column all that is asked for?
    pub fn is_single_equality(&self, index: &IndexRelation) -> bool {
        let one = matches!(&*self.keys, [ScanKey::Compare { strategy: ScanStrategy::Equal, .. }]);
        one && self.arrays.is_empty() && index.keys.len() == 1
    }
    /// The value that a column must have, if there is only one; null for IS NULL.
    fn equality(&self, column: u16) -> Option<(DatumRef<'_>, Option<&Comparator>)> {
        if let Some((value, compare)) = self.array(column) {
            return Some((value.as_ref(), Some(compare)));
        }
        self.on(column).find_map(|k| match k {
            ScanKey::Compare { strategy: ScanStrategy::Equal, value, compare, .. } => {
                Some((value.as_ref(), Some(compare)))
            }
            ScanKey::IsNull { .. } => Some((DatumRef::Null, None)),
            _ => None,
        })
    }
    /// Does any condition exclude nulls?
    fn wants_non_null(&self, column: u16) -> bool {
        self.on(column).any(|k| !matches!(k, ScanKey::IsNull { .. }))
    }

    /// Does a tuple match? `columns` gives the tuple's values.
    pub fn check<'t>(
        &self,
        index: &IndexRelation,
        direction: Direction,
        columns: impl Fn(usize) -> Result<DatumRef<'t>>,
    ) -> Result<Verdict> {
        let forward = direction == Direction::Forward;
        let mut verdict = Verdict::Match;
        // As long as all columns before were held to one value, a column only grows (or shrinks) along the scan.
        let mut ordered = true;
        for (i, order) in index.keys.iter().enumerate() {
            let column = i as u16;
            let has_equality = self.equality(column).is_some();
            if !has_equality && self.on(column).next().is_none() {
                ordered = false;
                continue;
            }
            let value = columns(i)?;
            let past = |position: Ordering| match forward {
                true => position == Ordering::Greater,
                false => position == Ordering::Less,
            };
            let mut fail = |position: Ordering| {
                if ordered && past(position) {
                    return true;
                }
                verdict = Verdict::Skip;
                false
            };
            if let Some((wanted, compare)) = self.array(column)
                && let Some(position) = position(value, wanted.as_ref(), compare, order.descending, order.nulls_first)?
                && fail(position)
            {
                return Ok(Verdict::End);
            }
            for k in self.on(column) {
                let failed = match k {
                    ScanKey::IsNull { .. } if !value.is_null() => Some(null_position(order.nulls_first).reverse()),
                    ScanKey::IsNull { .. } => None,
                    _ if value.is_null() => Some(null_position(order.nulls_first)),
                    ScanKey::IsNotNull { .. } => None,
                    ScanKey::Compare { strategy, value: wanted, compare, .. } => {
                        let found = compare_plain(compare, value, wanted.as_ref())?;
                        match holds(*strategy, found) {
                            true => None,
                            false if *strategy == ScanStrategy::Equal => Some(flip(found, order.descending)),
                            // Above an upper bound or below a lower one.
                            false if matches!(strategy, ScanStrategy::Less | ScanStrategy::LessEqual) => {
                                Some(flip(Ordering::Greater, order.descending))
                            }
                            false => Some(flip(Ordering::Less, order.descending)),
                        }
                    }
                    // Not on a leading column, or a second array on one: no order to rely on.
                    ScanKey::Any { values, compare, .. } => {
                        let mut found = false;
                        for v in values.iter().filter(|v| !v.is_null()) {
                            found |= compare_plain(compare, value, v.as_ref())? == Ordering::Equal;
                        }
                        (!found).then_some(Ordering::Equal)
                    }
                    ScanKey::Row { parts, strategy } => self.row_fails(parts, *strategy, order.descending, &columns)?,
                };
                if let Some(position) = failed
                    && fail(position)
                {
                    return Ok(Verdict::End);
                }
            }
            ordered &= has_equality;
        }
        Ok(verdict)
    }
    /// Where a row stands that does not meet a row comparison.
    fn row_fails<'t>(
        &self,
        parts: &[(u16, Datum, Comparator)],
        strategy: ScanStrategy,
        descending: bool,
        columns: &impl Fn(usize) -> Result<DatumRef<'t>>,
    ) -> Result<Option<Ordering>> {
        for (n, (column, wanted, compare)) in parts.iter().enumerate() {
            let value = columns(usize::from(*column))?;
            if value.is_null() || wanted.is_null() {
                // Unknown. Only of the first column do we know where nulls lie, and that was handled.
                return Ok(Some(Ordering::Equal));
            }
            let found = compare_plain(compare, value, wanted.as_ref())?;
            if found != Ordering::Equal || n + 1 == parts.len() {
                if holds(strategy, found) {
                    return Ok(None);
                }
                // The first column decides alone whether the scan can end.
                let decided = n == 0 && found != Ordering::Equal;
                return Ok(Some(if decided { flip(found, descending) } else { Ordering::Equal }));
            }
        }
        Ok(None)
    }
}

fn flip(order: Ordering, descending: bool) -> Ordering {
    if descending { order.reverse() } else { order }
}
/// Where nulls lie in the index, compared with any value.
fn null_position(nulls_first: bool) -> Ordering {
    if nulls_first { Ordering::Less } else { Ordering::Greater }
}
/// Where a value lies in the index compared with the one wanted; `None` if it is that.
fn position(
    value: DatumRef<'_>,
    wanted: DatumRef<'_>,
    compare: &Comparator,
    descending: bool,
    nulls_first: bool,
) -> Result<Option<Ordering>> {
    if value.is_null() {
        return Ok(Some(null_position(nulls_first)));
    }
    let found = flip(compare_plain(compare, value, wanted)?, descending);
    Ok((found != Ordering::Equal).then_some(found))
}
fn holds(strategy: ScanStrategy, found: Ordering) -> bool {
    match strategy {
        ScanStrategy::Less => found == Ordering::Less,
        ScanStrategy::LessEqual => found != Ordering::Greater,
        ScanStrategy::Equal => found == Ordering::Equal,
        ScanStrategy::GreaterEqual => found != Ordering::Less,
        ScanStrategy::Greater => found == Ordering::Greater,
    }
}
fn column_of(key: &ScanKey) -> Option<u16> {
    match key {
        ScanKey::Compare { column, .. }
        | ScanKey::Any { column, .. }
        | ScanKey::IsNull { column }
        | ScanKey::IsNotNull { column } => Some(*column),
        ScanKey::Row { parts, .. } => parts.first().map(|p| p.0),
    }
}
fn is_equality(key: &ScanKey, on: u16) -> bool {
    match key {
        ScanKey::Compare { column, strategy: ScanStrategy::Equal, .. } => *column == on,
        ScanKey::IsNull { column } => *column == on,
        _ => false,
    }
}
/// Value, comparator, whether it bounds the index from below, whether the value itself is excluded.
fn bound_of(key: &ScanKey, descending: bool) -> Option<(&Datum, &Comparator, bool, bool)> {
    let (value, compare, strategy, strict_possible) = match key {
        ScanKey::Compare { value, compare, strategy, .. } => (value, compare, *strategy, true),
        // Only the first column is used, and there the value itself may match.
        ScanKey::Row { parts, strategy } => {
            let (_, value, compare) = parts.first()?;
            (value, compare, *strategy, parts.len() == 1)
        }
        _ => return None,
    };
    let (low, strict) = match strategy {
        ScanStrategy::Less => (false, true),
        ScanStrategy::LessEqual => (false, false),
        ScanStrategy::GreaterEqual => (true, false),
        ScanStrategy::Greater => (true, true),
        ScanStrategy::Equal => return None,
    };
    Some((value, compare, low != descending, strict && strict_possible))
}
/// Without nulls and duplicates, in index order.
fn sorted(values: Vec<Datum>, compare: &Comparator, descending: bool) -> Result<Vec<Datum>> {
    let mut values: Vec<Datum> = values.into_iter().filter(|v| !v.is_null()).collect();
    let mut failure = None;
    let mut order = |a: &Datum, b: &Datum| {
        compare_plain(compare, a.as_ref(), b.as_ref()).unwrap_or_else(|e| {
            failure = Some(e);
            Ordering::Equal
        })
    };
    values.sort_by(|a, b| flip(order(a, b), descending));
    values.dedup_by(|a, b| order(a, b) == Ordering::Equal);
    match failure {
        Some(e) => Err(e),
        None => Ok(values),
    }
}
