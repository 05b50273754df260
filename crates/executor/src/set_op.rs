//! SetOp: INTERSECT and EXCEPT, counting equal rows of both inputs by hash.

use base::Result;
use planner::{GroupCol, Plan, SetOpCmd, SortCol};
use types::{Batch, Column, Rows, SortKey};

use std::cmp::Ordering;
use std::sync::Arc;

use crate::build::Builder;
use crate::hashing::{GroupTable, KeyEq, KeyHasher, columns_of};
use crate::node::{Exec, Node};
use crate::state::Run;

pub(crate) struct SetOpExec {
    left: Node,
    right: Node,
    cmd: SetOpCmd,
    columns: Vec<usize>,
    table: GroupTable,
    rows: Vec<Column>,
    /// Rows of the left and right input in each group.
    counts: Vec<(u64, u64)>,
    pending: Option<Vec<u32>>,
    at: usize,
    out: Batch,
}

/// A table over some columns of an input.
pub(crate) fn group_table(b: &mut Builder<'_>, input: &Node, columns: &[GroupCol]) -> Result<GroupTable> {
    let hash: Vec<_> = columns.iter().map(|c| (c.eqop, c.collation, false)).collect();
    let eq: Vec<_> = columns.iter().map(|c| (c.eqop, c.collation)).collect();
    let physical: Vec<_> = columns.iter().map(|c| input.output[c.column as usize - 1]).collect();
    Ok(GroupTable::new(&physical, KeyHasher::for_operators(b.cx, &hash)?, KeyEq::for_operators(b.cx, &eq)?))
}

impl SetOpExec {
    pub fn build(b: &mut Builder<'_>, plan: &Plan, cmd: SetOpCmd, columns: &[GroupCol]) -> Result<SetOpExec> {
        let (left, right) = (b.outer(plan)?, b.inner(plan)?);
        Ok(SetOpExec {
            table: group_table(b, &left, columns)?,
            rows: left.output.iter().map(|p| Column::new(*p)).collect(),
            columns: columns.iter().map(|c| c.column as usize - 1).collect(),
            left,
            right,
            cmd,
            counts: Vec::new(),
            pending: None,
            at: 0,
            out: Batch::default(),
        })
    }

    fn fill(&mut self, run: &mut Run<'_>) -> Result<Vec<u32>> {
        self.table.clear();
        self.counts.clear();
        self.rows.iter_mut().for_each(Column::clear);
        let mut groups = Vec::new();
        while let Some(batch) = self.left.next(run, usize::MAX)? {
            let columns = columns_of(batch, &self.columns);
            self.table.assign(run, &columns, batch.selected(), &mut groups)?;
            for i in batch.selected().iter() {
                let g = groups[i] as usize;
                if g == self.counts.len() {
                    self.counts.push((0, 0));
                    for (c, from) in self.rows.iter_mut().zip(&batch.columns) {
                        c.push(from.get(i));
                    }
                }
                self.counts[g].0 += 1;
            }
        }
        while let Some(batch) = self.right.next(run, usize::MAX)? {
            let columns = columns_of(batch, &self.columns);
            self.table.lookup(run, &columns, batch.selected(), &mut groups)?;
            for i in batch.selected().iter().filter(|i| groups[*i] != u32::MAX) {
                self.counts[groups[i] as usize].1 += 1;
            }
        }
        let mut out = Vec::new();
        for (g, &(l, r)) in self.counts.iter().enumerate() {
            out.extend((0..times(self.cmd, l, r)).map(|_| g as u32));
        }
        Ok(out)
    }
}

/// Copies the next of the listed rows into `out`; `false` if there are no more.
fn hand_out(columns: &[Column], rows: &[u32], at: &mut usize, max: usize, out: &mut Batch) -> bool {
    let to = rows.len().min(at.saturating_add(max.min(1024)));
    if *at >= to {
        return false;
    }
    out.columns.clear();
    for c in columns {
        let mut column = Column::new(c.physical());
        column.append(c, Rows::Some(&rows[*at..to]));
        out.columns.push(Arc::new(column));
    }
    (out.rows, out.selection) = (to - *at, None);
    *at = to;
    true
}

impl Exec for SetOpExec {
    fn next<'a>(&'a mut self, run: &mut Run<'_>, max: usize) -> Result<Option<&'a Batch>> {
        if self.pending.is_none() {
            self.pending = Some(self.fill(run)?);
            self.at = 0;
        }
        let rows = self.pending.as_deref().unwrap_or_default();
        Ok(hand_out(&self.rows, rows, &mut self.at, max, &mut self.out).then_some(&self.out))
    }
    fn rescan(&mut self, run: &mut Run<'_>, changed: &[i32]) -> Result<()> {
        self.pending = None;
        self.left.rescan(run, changed)?;
        self.right.rescan(run, changed)
    }
}

/// How often a row comes out that is there so often on the left and on the right.
fn times(cmd: SetOpCmd, left: u64, right: u64) -> u64 {
    match cmd {
        SetOpCmd::Intersect => u64::from(left > 0 && right > 0),
        SetOpCmd::IntersectAll => left.min(right),
        SetOpCmd::Except => u64::from(left > 0 && right == 0),
        SetOpCmd::ExceptAll => left.saturating_sub(right),
    }
}

/// Over inputs that are sorted: runs of equal rows are counted on both sides. (PostgreSQL: `setop_retrieve_sorted`)
pub(crate) struct SortedSetOpExec {
    left: Node,
    right: Node,
    cmd: SetOpCmd,
    keys: Vec<(usize, SortKey)>,
    pending: Option<(Vec<Column>, Vec<u32>)>,
    at: usize,
    out: Batch,
}

/// All rows of an input, its long values fetched where they are compared.
fn read_all(run: &mut Run<'_>, input: &mut Node, keys: &[(usize, SortKey)]) -> Result<(Vec<Column>, usize)> {
    let mut columns: Vec<Column> = input.output.iter().map(|p| Column::new(*p)).collect();
    let mut rows = 0;
    while let Some(batch) = input.next(run, usize::MAX)? {
        rows += batch.selected_len();
        for (c, from) in columns.iter_mut().zip(&batch.columns) {
            c.append(from, batch.selected());
        }
    }
    for (c, _) in keys {
        crate::sort::detoast_column(run, &mut columns[*c])?;
    }
    Ok((columns, rows))
}

impl SortedSetOpExec {
    pub fn build(b: &mut Builder<'_>, plan: &Plan, cmd: SetOpCmd, keys: &[SortCol]) -> Result<SortedSetOpExec> {
        let (left, right) = (b.outer(plan)?, b.inner(plan)?);
        let keys = crate::sort::sort_keys(b, keys)?;
        Ok(SortedSetOpExec { left, right, cmd, keys, pending: None, at: 0, out: Batch::default() })
    }

    fn fill(&mut self, run: &mut Run<'_>) -> Result<(Vec<Column>, Vec<u32>)> {
        let (left, n) = read_all(run, &mut self.left, &self.keys)?;
        // Of nothing nothing comes.
        if n == 0 {
            return Ok((left, Vec::new()));
        }
        let (right, m) = read_all(run, &mut self.right, &self.keys)?;
        let compare = |a: &[Column], i: usize, b: &[Column], k: usize| -> Result<Ordering> {
            for (c, key) in &self.keys {
                let o = key.compare(a[*c].get(i), b[*c].get(k))?;
                if o != Ordering::Equal {
                    return Ok(o);
                }
            }
            Ok(Ordering::Equal)
        };
        let (mut out, mut i, mut k) = (Vec::new(), 0, 0);
        while i < n {
            run.cx.interrupt.check()?;
            let first = i;
            while i < n && compare(&left, first, &left, i)? == Ordering::Equal {
                i += 1;
            }
            while k < m && compare(&right, k, &left, first)? == Ordering::Less {
                k += 1;
            }
            let start = k;
            while k < m && compare(&right, k, &left, first)? == Ordering::Equal {
                k += 1;
            }
            let times = times(self.cmd, (i - first) as u64, (k - start) as u64);
            out.extend((0..times).map(|_| first as u32));
        }
        Ok((left, out))
    }
}

impl Exec for SortedSetOpExec {
    fn next<'a>(&'a mut self, run: &mut Run<'_>, max: usize) -> Result<Option<&'a Batch>> {
        if self.pending.is_none() {
            self.pending = Some(self.fill(run)?);
            self.at = 0;
        }
        let Some((columns, rows)) = &self.pending else { return Ok(None) };
        Ok(hand_out(columns, rows, &mut self.at, max, &mut self.out).then_some(&self.out))
    }
    fn rescan(&mut self, run: &mut Run<'_>, changed: &[i32]) -> Result<()> {
        self.pending = None;
        self.left.rescan(run, changed)?;
        self.right.rescan(run, changed)
    }
}
