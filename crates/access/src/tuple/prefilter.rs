//! Conditions that a scan tests before it takes a row's other columns out: plain columns with a known place compared with
//! constants. Rows that fail cost little then, however wide they are.

use std::cmp::Ordering;

use base::{Oid, Result};
use types::{Column, ColumnData};

use super::columns::{Projection, RowBytes, Wanted};
use super::layout::TupleLayout;

/// A comparison's operator.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Comparison {
    Less,
    LessEqual,
    Equal,
    NotEqual,
    GreaterEqual,
    Greater,
}

impl Comparison {
    #[inline]
    fn holds(self, found: Ordering) -> bool {
        match self {
            Comparison::Less => found == Ordering::Less,
            Comparison::LessEqual => found != Ordering::Greater,
            Comparison::Equal => found == Ordering::Equal,
            Comparison::NotEqual => found != Ordering::Equal,
            Comparison::GreaterEqual => found != Ordering::Less,
            Comparison::Greater => found == Ordering::Greater,
        }
    }
}

/// Up to this many rows are tested at once.
pub const PREFILTER_ROWS: usize = 64;

/// See the module's head.
pub struct Prefilter {
    /// What each column must be compared with: signed words.
    tests: Vec<(Comparison, i64)>,
    projection: Projection,
    columns: Vec<Column>,
    dropped: usize,
}

impl Prefilter {
    /// Of comparisons of columns (numbered from 0) as signed words. `None` if there is nothing to gain: no comparison, or not
    /// of integers, or a column whose place differs from row to row. Those from the first such on are left out.
    pub fn new(layout: &TupleLayout, comparisons: &[(u16, Comparison, i64)]) -> Option<Prefilter> {
        let simple = |c: &&(u16, Comparison, i64)| {
            let known = usize::from(c.0) < layout.fixed;
            known && matches!(layout.desc().attrs[usize::from(c.0)].len, 2 | 4 | 8)
        };
        let usable: Vec<_> = comparisons.iter().take_while(simple).copied().collect();
        let wanted: Vec<Wanted> = usable.iter().map(|c| Wanted::Attr(c.0)).collect();
        let projection = Projection::new(layout, &wanted);
        let columns = projection.columns(layout);
        let integers = columns.iter().all(|c| !matches!(c.data, ColumnData::W1(_) | ColumnData::Bytes(_)));
        let tests: Vec<_> = usable.iter().map(|c| (c.1, c.2)).collect();
        (!tests.is_empty() && integers).then_some(Prefilter { tests, projection, columns, dropped: 0 })
    }

    /// Moves the rows that meet all conditions (at most [`PREFILTER_ROWS`] are given) to the front; says how many they are.
    pub fn keep(&mut self, layout: &TupleLayout, table: Oid, rows: &mut [RowBytes<'_>]) -> Result<usize> {
        self.columns.iter_mut().for_each(Column::clear);
        self.projection.append(layout, table, rows, &mut self.columns)?;
        let mut passed = u64::MAX >> (PREFILTER_ROWS - rows.len().clamp(1, PREFILTER_ROWS));
        for (column, &(op, value)) in self.columns.iter().zip(&self.tests) {
            let mut found = 0u64;
            let mut note = |i: usize, v: i64| found |= u64::from(op.holds(v.cmp(&value))) << i;
            match &column.data {
                ColumnData::W2(v) => v.iter().enumerate().for_each(|(i, v)| note(i, i64::from(*v))),
                ColumnData::W4(v) => v.iter().enumerate().for_each(|(i, v)| note(i, i64::from(*v))),
                ColumnData::W8(v) => v.iter().enumerate().for_each(|(i, v)| note(i, *v)),
                ColumnData::W1(_) | ColumnData::Bytes(_) => {}
            }
            if column.validity.is_some() {
                (0..rows.len()).filter(|i| column.is_null(*i)).for_each(|i| found &= !(1 << i));
            }
            passed &= found;
        }
        let mut kept = 0;
        for i in 0..rows.len() {
            if passed >> i & 1 != 0 {
                rows[kept] = rows[i];
                kept += 1;
            }
        }
        self.dropped += rows.len() - kept;
        Ok(kept)
    }

    /// How many rows failed since this was last asked.
    pub fn take_dropped(&mut self) -> usize {
        std::mem::take(&mut self.dropped)
    }
}
