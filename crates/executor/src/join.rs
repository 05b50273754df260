//! What joins share: pairs of rows side by side in one batch, only the columns that somebody reads.

use std::sync::Arc;

use analyze::query::Expr;
use base::Result;
use planner::Plan;
use types::{Batch, Column, Physical, Rows};

use crate::build::Builder;
use crate::expr::{Filter, Projection, Scope};
use crate::state::Run;

/// In a list of inner rows: no row, its columns are null.
pub(crate) const NO_ROW: u32 = u32::MAX;

/// A join's expressions over `outer ++ inner`.
pub(crate) struct JoinOutput {
    pub join: Filter,
    other: Filter,
    projection: Projection,
    used: Vec<bool>,
    outer_width: usize,
    physical: Vec<Physical>,
    pub pairs: Batch,
    out: Batch,
    dummy: Arc<Column>,
}

impl JoinOutput {
    pub fn build(
        b: &mut Builder<'_>,
        plan: &Plan,
        outer: &[Physical],
        inner: &[Physical],
        join: &[&[Expr]],
    ) -> Result<JoinOutput> {
        let mut c = b.compiler(Scope::joined(outer.len(), inner.len()));
        let all: Vec<Expr> = join.iter().flat_map(|l| l.iter().cloned()).collect();
        let (join, other, projection) = (c.filter(&all)?, c.filter(&plan.qual)?, c.projection(&plan.targetlist)?);
        let used = (0..c.scope.width).map(|i| c.scope.is_used(i)).collect();
        Ok(JoinOutput {
            join,
            other,
            projection,
            used,
            outer_width: outer.len(),
            physical: outer.iter().chain(inner).copied().collect(),
            pairs: Batch::default(),
            out: Batch::default(),
            dummy: Arc::new(Column::new(Physical::W1)),
        })
    }

    /// Makes the batch of pairs: outer row `outer_rows[k]` with inner row `inner_rows[k]`; a side that is `None` is null.
    pub fn pair(
        &mut self,
        outer: Option<(&[Arc<Column>], Rows<'_>)>,
        inner: Option<(&[Arc<Column>], Rows<'_>)>,
        n: usize,
    ) {
        self.out.columns.clear();
        self.pairs.columns.clear();
        for i in 0..self.physical.len() {
            if !self.used[i] {
                self.pairs.columns.push(self.dummy.clone());
                continue;
            }
            let side = if i < self.outer_width { &outer } else { &inner };
            let at = if i < self.outer_width { i } else { i - self.outer_width };
            let column = match side {
                Some((columns, Rows::All(m))) if *m == n && columns[at].len() == n => columns[at].clone(),
                Some((columns, rows)) => {
                    let mut c = Column::with_capacity(self.physical[i], n);
                    c.append(&columns[at], *rows);
                    Arc::new(c)
                }
                None => {
                    let mut c = Column::new(self.physical[i]);
                    c.resize(n);
                    c.validity = Some(types::Bitmap::filled(n, false));
                    Arc::new(c)
                }
            };
            self.pairs.columns.push(column);
        }
        (self.pairs.rows, self.pairs.selection) = (n, None);
    }
    /// As `pair`, where a row may be [`NO_ROW`].
    pub fn pair_optional(
        &mut self,
        outer: &[Arc<Column>],
        outer_rows: &[u32],
        inner: &[Arc<Column>],
        inner_rows: &[u32],
    ) {
        let n = outer_rows.len();
        let (some_outer, some_inner) = (outer_rows.contains(&NO_ROW), inner_rows.contains(&NO_ROW));
        if !some_outer && !some_inner {
            return self.pair(Some((outer, Rows::Some(outer_rows))), Some((inner, Rows::Some(inner_rows))), n);
        }
        let optional = |columns: &[Arc<Column>], rows: &[u32], first: usize| -> Vec<Arc<Column>> {
            let column = |(i, from): (usize, &Arc<Column>)| {
                if !self.used[first + i] {
                    return self.dummy.clone();
                }
                let mut c = Column::with_capacity(from.physical(), n);
                for r in rows {
                    c.push(if *r == NO_ROW { types::DatumRef::Null } else { from.get(*r as usize) });
                }
                Arc::new(c)
            };
            columns.iter().enumerate().map(column).collect()
        };
        let inner_columns = optional(inner, inner_rows, self.outer_width);
        if !some_outer {
            return self.pair(Some((outer, Rows::Some(outer_rows))), Some((&inner_columns, Rows::All(n))), n);
        }
        let outer_columns = optional(outer, outer_rows, 0);
        self.pair(Some((&outer_columns, Rows::All(n))), Some((&inner_columns, Rows::All(n))), n);
    }
    /// As `pair`, with one outer row for all inner rows.
    pub fn pair_one(&mut self, outer: &[Arc<Column>], row: usize, inner: &Batch) {
        let rows: Vec<u32> = vec![row as u32; inner.rows];
        self.pair(Some((outer, Rows::Some(&rows))), Some((&inner.columns, Rows::All(inner.rows))), inner.rows);
        self.pairs.selection = inner.selection.clone();
    }
    /// Applies the remaining conditions and the target list to the selected pairs; `false` if none is left.
    pub fn finish(&mut self, run: &mut Run<'_>) -> Result<bool> {
        if self.pairs.selected_len() == 0 || self.other.apply(run, &mut self.pairs)? == 0 {
            return Ok(false);
        }
        self.projection.apply(run, &self.pairs, &mut self.out)?;
        Ok(true)
    }
    pub fn batch(&self) -> &Batch {
        &self.out
    }
}
