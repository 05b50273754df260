//! MergeJoin: both inputs in the order of the join keys. The inner rows are kept, the outer ones stream by; for each outer row
//! the group of inner rows with equal keys is known from where the last one ended.
//!
//! The output keeps the outer order, also of rows without a match.

use std::cmp::Ordering;
use std::sync::Arc;

use analyze::query::{Expr, INNER_VAR, JoinType, OUTER_VAR};
use base::{PgError, Result};
use planner::{Plan, PlanNode};
use types::{Batch, Column, Rows, SortKey};

use crate::build::Builder;
use crate::expr::{CExpr, Scope};
use crate::hash_join::eval_keys;
use crate::join::{JoinOutput, NO_ROW};
use crate::node::{Exec, Node};
use crate::sort::detoast_column;
use crate::state::Run;

pub(crate) struct MergeJoinExec {
    outer: Node,
    inner: Node,
    jointype: JoinType,
    outer_keys: Vec<CExpr>,
    inner_keys: Vec<CExpr>,
    keys: Vec<SortKey>,
    output: JoinOutput,
    filled: bool,
    columns: Vec<Arc<Column>>,
    key_columns: Vec<Column>,
    rows: usize,
    matched: Vec<bool>,
    /// Where the group of the outer row in work begins.
    start: usize,
    current: Batch,
    current_keys: Vec<Arc<Column>>,
    outer_rows: Vec<u32>,
    at: usize,
    outer_done: bool,
    inner_at: usize,
}

impl MergeJoinExec {
    pub fn build(b: &mut Builder<'_>, plan: &Plan) -> Result<MergeJoinExec> {
        let PlanNode::MergeJoin { jointype, joinqual, mergeclauses, keys, .. } = &plan.node else {
            return Err(PgError::internal("not a merge join"));
        };
        let (outer, inner) = (b.outer(plan)?, b.inner(plan)?);
        let output = JoinOutput::build(b, plan, &outer.output, &inner.output, &[mergeclauses, joinqual])?;
        let (mut outer_keys, mut inner_keys, mut sort_keys) = (Vec::new(), Vec::new(), Vec::new());
        for (clause, key) in mergeclauses.iter().zip(keys) {
            let Expr::OpExpr(o) = clause else { return Err(PgError::internal("unexpected merge clause")) };
            let scope = |varno, width| Scope { ranges: vec![(varno, 0)], width, ..Scope::default() };
            outer_keys.push(b.compiler(scope(OUTER_VAR, outer.output.len())).expr(&o.args[0])?);
            inner_keys.push(b.compiler(scope(INNER_VAR, inner.output.len())).expr(&o.args[1])?);
            let op = b.cx.catalog.operator_in_family(o.opno, b's', key.opfamily)?;
            let op = op.ok_or_else(|| PgError::internal("merge clause's operator is not in its family"))?;
            let comparator = b.cx.comparator(key.opfamily, op.amoplefttype, op.amoprighttype, key.collation)?;
            sort_keys.push(SortKey { comparator, descending: key.reverse, nulls_first: key.nulls_first });
        }
        Ok(MergeJoinExec {
            outer,
            inner,
            jointype: *jointype,
            outer_keys,
            inner_keys,
            keys: sort_keys,
            output,
            filled: false,
            columns: Vec::new(),
            key_columns: Vec::new(),
            rows: 0,
            matched: Vec::new(),
            start: 0,
            current: Batch::default(),
            current_keys: Vec::new(),
            outer_rows: Vec::new(),
            at: 0,
            outer_done: false,
            inner_at: 0,
        })
    }

    fn fill(&mut self, run: &mut Run<'_>) -> Result<()> {
        let mut columns: Vec<Column> = self.inner.output.iter().map(|p| Column::new(*p)).collect();
        self.key_columns = self.inner_keys.iter().map(|k| Column::new(k.physical)).collect();
        self.rows = 0;
        while let Some(batch) = self.inner.next(run, usize::MAX)? {
            let keys = eval_keys(&mut self.inner_keys, run, batch)?;
            for (c, from) in self.key_columns.iter_mut().zip(&keys) {
                c.append(from, batch.selected());
            }
            for (c, from) in columns.iter_mut().zip(&batch.columns) {
                c.append(from, batch.selected());
            }
            self.rows += batch.selected_len();
        }
        for c in &mut self.key_columns {
            detoast_column(run, c)?;
        }
        self.columns = columns.into_iter().map(Arc::new).collect();
        self.matched = vec![false; self.rows];
        (self.filled, self.start, self.inner_at, self.outer_done) = (true, 0, 0, false);
        Ok(())
    }

    fn compare(&self, outer: usize, inner: usize) -> Result<Ordering> {
        for (k, key) in self.keys.iter().enumerate() {
            let order = key.compare(self.current_keys[k].get(outer), self.key_columns[k].get(inner))?;
            if order.is_ne() {
                return Ok(order);
            }
        }
        Ok(Ordering::Equal)
    }

    /// The inner rows whose keys equal the outer row's.
    fn group(&mut self, outer: usize) -> Result<std::ops::Range<usize>> {
        if self.current_keys.iter().any(|c| c.is_null(outer)) {
            return Ok(0..0);
        }
        while self.start < self.rows && self.compare(outer, self.start)?.is_gt() {
            self.start += 1;
        }
        let mut end = self.start;
        while end < self.rows && self.compare(outer, end)?.is_eq() {
            end += 1;
        }
        Ok(self.start..end)
    }

    fn take_outer(&mut self, run: &mut Run<'_>, max: usize) -> Result<bool> {
        self.current.columns.clear();
        let Some(batch) = self.outer.next(run, max)? else { return Ok(false) };
        self.current = batch.clone();
        self.outer_rows = batch.selected().iter().map(|i| i as u32).collect();
        let mut keys = eval_keys(&mut self.outer_keys, run, &self.current)?;
        for k in &mut keys {
            if matches!(&k.data, types::ColumnData::Bytes(b) if b.has_toasted()) {
                detoast_column(run, Arc::make_mut(k))?;
            }
        }
        self.current_keys = keys;
        self.at = 0;
        Ok(true)
    }

    /// Joins some outer rows, each with its whole group.
    fn step(&mut self, run: &mut Run<'_>, max: usize) -> Result<bool> {
        let fills_inner = matches!(self.jointype, JoinType::Right | JoinType::Full | JoinType::RightAnti);
        let (mut outer, mut inner, mut starts) = (Vec::new(), Vec::new(), Vec::new());
        let mut behind = Vec::new();
        let first = self.at;
        while self.at < self.outer_rows.len() && outer.len() < max.min(1024) {
            let row = self.outer_rows[self.at];
            starts.push(outer.len());
            for i in self.group(row as usize)? {
                outer.push(row);
                inner.push(i as u32);
            }
            behind.push(self.start);
            self.at += 1;
        }
        let mut keep: Vec<u32> = Vec::new();
        if !outer.is_empty() {
            let n = outer.len();
            self.output.pair(
                Some((&self.current.columns, Rows::Some(&outer))),
                Some((&self.columns, Rows::Some(&inner))),
                n,
            );
            self.output.join.apply(run, &mut self.output.pairs)?;
            keep.extend(self.output.pairs.selected().iter().map(|k| k as u32));
        }
        // In outer order: the pairs that are left, or the row alone.
        let (mut out_outer, mut out_inner): (Vec<u32>, Vec<u32>) = (Vec::new(), Vec::new());
        let mut k = 0;
        for (n, place) in (first..self.at).enumerate() {
            let end = starts.get(n + 1).copied().unwrap_or(outer.len()) as u32;
            let before = k;
            // Inner rows that no outer row can match any more come before this one.
            while fills_inner && self.inner_at < behind[n] {
                if !self.matched[self.inner_at] {
                    out_outer.push(NO_ROW);
                    out_inner.push(self.inner_at as u32);
                }
                self.inner_at += 1;
            }
            while k < keep.len() && keep[k] < end {
                let i = inner[keep[k] as usize];
                let seen = std::mem::replace(&mut self.matched[i as usize], true);
                let emit = match self.jointype {
                    JoinType::Semi => k == before,
                    JoinType::RightSemi => !seen,
                    JoinType::Anti | JoinType::RightAnti => false,
                    _ => true,
                };
                if emit {
                    out_outer.push(self.outer_rows[place]);
                    out_inner.push(i);
                }
                k += 1;
            }
            if k == before && matches!(self.jointype, JoinType::Left | JoinType::Full | JoinType::Anti) {
                out_outer.push(self.outer_rows[place]);
                out_inner.push(NO_ROW);
            }
        }
        if out_outer.is_empty() {
            return Ok(false);
        }
        self.output.pair_optional(&self.current.columns, &out_outer, &self.columns, &out_inner);
        self.output.finish(run)
    }

    fn inner_unmatched(&mut self, run: &mut Run<'_>, max: usize) -> Result<Option<bool>> {
        if !matches!(self.jointype, JoinType::Right | JoinType::Full | JoinType::RightAnti) {
            return Ok(None);
        }
        let mut rows = Vec::new();
        while self.inner_at < self.rows && rows.len() < max.min(1024) {
            if !self.matched[self.inner_at] {
                rows.push(self.inner_at as u32);
            }
            self.inner_at += 1;
        }
        if rows.is_empty() {
            return Ok(if self.inner_at >= self.rows { None } else { Some(false) });
        }
        self.output.pair(None, Some((&self.columns, Rows::Some(&rows))), rows.len());
        self.output.finish(run).map(Some)
    }
}

impl Exec for MergeJoinExec {
    fn next<'a>(&'a mut self, run: &mut Run<'_>, max: usize) -> Result<Option<&'a Batch>> {
        if !self.filled {
            self.fill(run)?;
        }
        loop {
            let found = if self.outer_done {
                match self.inner_unmatched(run, max)? {
                    None => return Ok(None),
                    Some(found) => found,
                }
            } else if self.at < self.outer_rows.len() {
                self.step(run, max)?
            } else {
                if !self.take_outer(run, max)? {
                    self.outer_done = true;
                }
                false
            };
            if found {
                return Ok(Some(self.output.batch()));
            }
        }
    }
    fn rescan(&mut self, run: &mut Run<'_>, changed: &[i32]) -> Result<()> {
        self.outer_rows.clear();
        (self.at, self.start, self.inner_at, self.outer_done) = (0, 0, 0, false);
        self.matched.fill(false);
        if !self.filled || self.inner.depends_on(changed) {
            self.filled = false;
            self.inner.rescan(run, changed)?;
        }
        self.outer.rescan(run, changed)
    }
}
