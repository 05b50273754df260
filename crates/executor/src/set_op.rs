//! SetOp: INTERSECT and EXCEPT, counting equal rows of both inputs by hash.

use base::Result;
use planner::{GroupCol, Plan, SetOpCmd};
use types::{Batch, Column, Rows};

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
            let times = match self.cmd {
                SetOpCmd::Intersect => u64::from(r > 0),
                SetOpCmd::IntersectAll => l.min(r),
                SetOpCmd::Except => u64::from(r == 0),
                SetOpCmd::ExceptAll => l.saturating_sub(r),
            };
            out.extend((0..times).map(|_| g as u32));
        }
        Ok(out)
    }
}

impl Exec for SetOpExec {
    fn next<'a>(&'a mut self, run: &mut Run<'_>, max: usize) -> Result<Option<&'a Batch>> {
        if self.pending.is_none() {
            self.pending = Some(self.fill(run)?);
            self.at = 0;
        }
        let rows = self.pending.as_deref().unwrap_or_default();
        let to = rows.len().min(self.at.saturating_add(max.min(1024)));
        if self.at >= to {
            return Ok(None);
        }
        self.out.columns.clear();
        for c in &self.rows {
            let mut column = Column::new(c.physical());
            column.append(c, Rows::Some(&rows[self.at..to]));
            self.out.columns.push(Arc::new(column));
        }
        (self.out.rows, self.out.selection) = (to - self.at, None);
        self.at = to;
        Ok(Some(&self.out))
    }
    fn rescan(&mut self, run: &mut Run<'_>, changed: &[i32]) -> Result<()> {
        self.pending = None;
        self.left.rescan(run, changed)?;
        self.right.rescan(run, changed)
    }
}
