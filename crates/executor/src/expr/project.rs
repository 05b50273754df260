//! Target lists and filters over batches.

use std::sync::Arc;

use base::Result;
use types::{Arg, Batch, Column, ColumnData, Rows};

use super::{CExpr, is_true};
use crate::state::Run;

/// Implicitly ANDed conditions that narrow a batch's selection.
#[derive(Default)]
pub struct Filter {
    quals: Vec<CExpr>,
    rows: Vec<u32>,
}

impl Filter {
    pub fn new(quals: Vec<CExpr>) -> Filter {
        Filter { quals, rows: Vec::new() }
    }
    pub fn is_empty(&self) -> bool {
        self.quals.is_empty()
    }
    /// The rows of `rows` at which all conditions are true.
    pub fn select(&mut self, run: &mut Run<'_>, input: &Batch, rows: Rows<'_>) -> Result<&[u32]> {
        self.rows.clear();
        self.rows.extend(rows.iter().map(|i| i as u32));
        for qual in &mut self.quals {
            if self.rows.is_empty() {
                break;
            }
            qual.eval(run, input, Rows::Some(&self.rows))?;
            let q = qual.result(input);
            match q {
                Arg::Column(Column { data: ColumnData::W1(v), validity: None }) => {
                    self.rows.retain(|&i| v[i as usize] != 0)
                }
                q => self.rows.retain(|&i| is_true(q.get(i as usize))),
            }
        }
        Ok(&self.rows)
    }
    /// Narrows the batch's selection; returns how many rows are left.
    pub fn apply(&mut self, run: &mut Run<'_>, batch: &mut Batch) -> Result<usize> {
        if self.quals.is_empty() {
            return Ok(batch.selected_len());
        }
        self.select(run, batch, batch.selected())?;
        let n = self.rows.len();
        if n < batch.rows || batch.selection.is_some() {
            match &mut batch.selection {
                Some(s) => {
                    s.clear();
                    s.extend_from_slice(&self.rows);
                }
                None => batch.selection = Some(self.rows.clone()),
            }
        }
        Ok(n)
    }
    /// Whether the conditions hold in one row.
    pub fn test(&mut self, run: &mut Run<'_>, input: &Batch, row: usize) -> Result<bool> {
        Ok(self.quals.is_empty() || !self.select(run, input, Rows::Some(&[row as u32]))?.is_empty())
    }
}

/// A target list.
#[derive(Default)]
pub struct Projection {
    exprs: Vec<CExpr>,
}

impl Projection {
    pub fn new(exprs: Vec<CExpr>) -> Projection {
        Projection { exprs }
    }
    pub fn len(&self) -> usize {
        self.exprs.len()
    }
    pub fn is_empty(&self) -> bool {
        self.exprs.is_empty()
    }
    /// Whether it hands the first `n` input columns on as they are.
    pub fn is_identity(&self, n: usize) -> bool {
        self.exprs.len() == n && self.exprs.iter().enumerate().all(|(i, e)| e.as_input() == Some(i))
    }
    /// Computes the target list for the input's selected rows. Plain columns are shared, not copied.
    pub fn apply(&mut self, run: &mut Run<'_>, input: &Batch, out: &mut Batch) -> Result<()> {
        self.apply_rows(run, input, input.selected(), out)?;
        out.rows = input.rows;
        match (&mut out.selection, &input.selection) {
            (Some(to), Some(from)) => {
                to.clear();
                to.extend_from_slice(from);
            }
            (to, from) => *to = from.clone(),
        }
        Ok(())
    }
    fn apply_rows(&mut self, run: &mut Run<'_>, input: &Batch, rows: Rows<'_>, out: &mut Batch) -> Result<()> {
        // Multi-column assignments set the parameters that the other columns read.
        for e in self.exprs.iter_mut().filter(|e| e.is_multi_assignment()) {
            e.eval(run, input, rows)?;
        }
        for (i, e) in self.exprs.iter_mut().enumerate() {
            if !e.is_multi_assignment() {
                e.eval(run, input, rows)?;
            }
            let slot = match (out.columns.get_mut(i), e.as_input()) {
                (Some(slot), _) => slot,
                (None, Some(c)) => {
                    out.columns.push(input.columns[c].clone());
                    continue;
                }
                (None, None) => {
                    out.columns.push(Arc::new(Column::new(e.physical)));
                    &mut out.columns[i]
                }
            };
            if let Some(c) = e.as_input() {
                if !Arc::ptr_eq(slot, &input.columns[c]) {
                    *slot = input.columns[c].clone();
                }
                continue;
            }
            let constant = matches!(e.result(input), Arg::Const(_));
            let column = fresh(slot, e.physical);
            if constant {
                let Arg::Const(d) = e.result(input) else { continue };
                super::eval::reset(column, input.rows);
                rows.iter().for_each(|r| column.set(r, d));
            } else {
                std::mem::swap(column, &mut e.out);
            }
        }
        Ok(())
    }
}

/// The column for writing from scratch: its memory is reused unless another batch still shares it.
pub fn fresh(slot: &mut Arc<Column>, physical: types::Physical) -> &mut Column {
    if Arc::get_mut(slot).is_none_or(|c| c.physical() != physical) {
        *slot = Arc::new(Column::new(physical));
    }
    // Just made or found to be unshared, so this copies nothing.
    Arc::make_mut(slot)
}
