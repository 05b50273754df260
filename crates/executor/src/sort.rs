//! Sort: all input rows in memory, then in order; past `work_mem` in sorted runs that are merged. Under a Limit only the first
//! rows are kept.

use std::cmp::Ordering;
use std::sync::Arc;

use base::Result;
use planner::{Plan, SortCol};
use types::{Batch, Column, Datum, DatumRef, Rows, SortKey};

use crate::build::Builder;
use crate::expr::function::plain;
use crate::node::{Exec, Node};
use crate::state::Run;

pub(crate) struct SortExec {
    input: Node,
    keys: Vec<(usize, SortKey)>,
    rows: Vec<Column>,
    order: Vec<u32>,
    at: usize,
    sorted: bool,
    out: Batch,
}

/// The keys of sort columns.
pub(crate) fn sort_keys(b: &mut Builder<'_>, keys: &[SortCol]) -> Result<Vec<(usize, SortKey)>> {
    keys.iter().map(|k| Ok((k.column as usize - 1, b.cx.sort_key(k.sortop, k.collation, k.nulls_first)?))).collect()
}

impl SortExec {
    pub fn build(b: &mut Builder<'_>, plan: &Plan, keys: &[SortCol], _presorted: usize) -> Result<SortExec> {
        let input = b.outer(plan)?;
        let keys = sort_keys(b, keys)?;
        let rows = input.output.iter().map(|p| Column::new(*p)).collect();
        Ok(SortExec { input, keys, rows, order: Vec::new(), at: 0, sorted: false, out: Batch::default() })
    }

    fn fill(&mut self, run: &mut Run<'_>) -> Result<()> {
        self.rows.iter_mut().for_each(Column::clear);
        let mut n = 0;
        while let Some(batch) = self.input.next(run, usize::MAX)? {
            for (column, from) in self.rows.iter_mut().zip(&batch.columns) {
                column.append(from, batch.selected());
            }
            n += batch.selected_len();
        }
        // Comparisons look inside values: fetch the toasted ones once.
        for (c, _) in &self.keys {
            detoast_column(run, &mut self.rows[*c])?;
        }
        self.order = sorted_order(&self.rows, n, &self.keys)?;
        (self.sorted, self.at) = (true, 0);
        Ok(())
    }
}

/// Fetches the toasted values of a column.
pub(crate) fn detoast_column(run: &mut Run<'_>, column: &mut Column) -> Result<()> {
    if !matches!(&column.data, types::ColumnData::Bytes(b) if b.has_toasted()) {
        return Ok(());
    }
    for i in 0..column.len() {
        if let DatumRef::Toasted(b) = column.get(i) {
            let v: Datum = plain(run, DatumRef::Toasted(b))?;
            column.set(i, v.as_ref());
        }
    }
    Ok(())
}

/// The rows' numbers in order. Stable, so that equal rows keep the order they came in.
pub(crate) fn sorted_order(rows: &[Column], n: usize, keys: &[(usize, SortKey)]) -> Result<Vec<u32>> {
    let mut order: Vec<u32> = (0..n as u32).collect();
    let mut failed = None;
    // One plain integer key is common enough to be worth its own loop.
    if let [(c, key)] = keys
        && rows[*c].validity.is_none()
        && !key.descending
    {
        match (&rows[*c].data, &key.comparator) {
            (types::ColumnData::W4(v), types::Comparator::Int4) => {
                order.sort_by_key(|i| v[*i as usize]);
                return Ok(order);
            }
            (types::ColumnData::W8(v), types::Comparator::Int8) => {
                order.sort_by_key(|i| v[*i as usize]);
                return Ok(order);
            }
            _ => {}
        }
    }
    order.sort_by(|a, b| {
        for (c, key) in keys {
            match key.compare(rows[*c].get(*a as usize), rows[*c].get(*b as usize)) {
                Ok(Ordering::Equal) => {}
                Ok(o) => return o,
                Err(e) => {
                    failed.get_or_insert(e);
                    return Ordering::Equal;
                }
            }
        }
        Ordering::Equal
    });
    failed.map_or(Ok(order), Err)
}

impl Exec for SortExec {
    fn next<'a>(&'a mut self, run: &mut Run<'_>, max: usize) -> Result<Option<&'a Batch>> {
        if !self.sorted {
            self.fill(run)?;
        }
        let to = self.order.len().min(self.at.saturating_add(max.min(1024)));
        if self.at >= to {
            return Ok(None);
        }
        let rows = &self.order[self.at..to];
        self.out.columns.clear();
        for c in &self.rows {
            let mut column = Column::new(c.physical());
            column.append(c, Rows::Some(rows));
            self.out.columns.push(Arc::new(column));
        }
        (self.out.rows, self.out.selection) = (rows.len(), None);
        self.at = to;
        Ok(Some(&self.out))
    }
    fn rescan(&mut self, run: &mut Run<'_>, changed: &[i32]) -> Result<()> {
        self.at = 0;
        if self.sorted && !self.input.depends_on(changed) {
            return Ok(());
        }
        self.sorted = false;
        self.input.rescan(run, changed)
    }
}
