//! Append: inputs one after the other. MergeAppend: sorted inputs merged.

use std::sync::Arc;

use base::Result;
use planner::{Plan, SortCol};
use types::{Batch, Column, SortKey};

use crate::append_prune::Pruner;
use crate::build::Builder;
use crate::node::{Exec, Node};
use crate::state::Run;

pub(crate) struct AppendExec {
    inputs: Vec<Node>,
    current: usize,
    pruner: Option<Pruner>,
}

impl AppendExec {
    pub fn build(b: &mut Builder<'_>, plan: &Plan, plans: &[Plan]) -> Result<AppendExec> {
        let inputs: Result<Vec<Node>> = plans.iter().map(|p| b.node(p)).collect();
        Ok(AppendExec { inputs: inputs?, current: 0, pruner: pruner(b, plan, plans.len())? })
    }
}

impl Exec for AppendExec {
    fn next<'a>(&'a mut self, run: &mut Run<'_>, max: usize) -> Result<Option<&'a Batch>> {
        // The borrow of a batch that is returned would last over the next turn of a loop; hence the split.
        let wanted = match &mut self.pruner {
            Some(p) => Some(p.wanted(run)?),
            None => None,
        };
        let (inputs, current) = (&mut self.inputs, &mut self.current);
        for input in &mut inputs[*current..] {
            if wanted.is_some_and(|w| !w[*current]) {
                *current += 1;
                continue;
            }
            if let Some(batch) = input.next(run, max)? {
                return Ok(Some(batch));
            }
            *current += 1;
        }
        Ok(None)
    }
    fn rescan(&mut self, run: &mut Run<'_>, changed: &[i32]) -> Result<()> {
        self.current = 0;
        if let Some(p) = &mut self.pruner {
            p.reset();
        }
        self.inputs.iter_mut().try_for_each(|n| n.rescan(run, changed))
    }
}

fn pruner(b: &mut Builder<'_>, plan: &Plan, plans: usize) -> Result<Option<Pruner>> {
    plan.prune.as_ref().map(|p| Pruner::build(b.cx, p, plans)).transpose()
}

pub(crate) struct MergeAppendExec {
    pruner: Option<Pruner>,
    inputs: Vec<Node>,
    keys: Vec<(usize, SortKey)>,
    heads: Vec<Option<(Batch, usize)>>,
    started: bool,
    out: Batch,
}

impl MergeAppendExec {
    pub fn build(b: &mut Builder<'_>, plan: &Plan, plans: &[Plan], keys: &[SortCol]) -> Result<MergeAppendExec> {
        let pruner = pruner(b, plan, plans.len())?;
        let inputs: Result<Vec<Node>> = plans.iter().map(|p| b.node(p)).collect();
        let keys: Result<Vec<(usize, SortKey)>> = keys
            .iter()
            .map(|k| Ok((k.column as usize - 1, b.cx.sort_key(k.sortop, k.collation, k.nulls_first)?)))
            .collect();
        let inputs = inputs?;
        let heads = inputs.iter().map(|_| None).collect();
        Ok(MergeAppendExec { pruner, inputs, keys: keys?, heads, started: false, out: Batch::default() })
    }
    fn advance(&mut self, run: &mut Run<'_>, i: usize) -> Result<()> {
        if let Some((batch, at)) = &mut self.heads[i]
            && *at + 1 < batch.rows
        {
            *at += 1;
            return Ok(());
        }
        self.heads[i] = self.inputs[i].next(run, usize::MAX)?.map(|b| (compact(b), 0));
        Ok(())
    }
}

/// A copy with only the selected rows.
pub(crate) fn compact(batch: &Batch) -> Batch {
    if batch.selection.is_none() {
        return batch.clone();
    }
    let columns = batch.columns.iter().map(|c| {
        let mut copy = Column::new(c.physical());
        copy.append(c, batch.selected());
        Arc::new(copy)
    });
    Batch { columns: columns.collect(), rows: batch.selected_len(), selection: None }
}

impl Exec for MergeAppendExec {
    fn next<'a>(&'a mut self, run: &mut Run<'_>, max: usize) -> Result<Option<&'a Batch>> {
        if !std::mem::replace(&mut self.started, true) {
            let wanted = match &mut self.pruner {
                Some(p) => Some(p.wanted(run)?.to_vec()),
                None => None,
            };
            for i in (0..self.inputs.len()).filter(|i| wanted.as_ref().is_none_or(|w| w[*i])) {
                self.advance(run, i)?;
            }
        }
        let physical = self.inputs.first().map(|n| n.output.clone()).unwrap_or_default();
        let mut columns: Vec<Column> = physical.iter().map(|p| Column::new(*p)).collect();
        let mut rows = 0;
        while rows < max.min(1024) {
            let mut best: Option<usize> = None;
            for i in 0..self.heads.len() {
                let Some((batch, at)) = &self.heads[i] else { continue };
                let Some((other, other_at)) = best.and_then(|b| self.heads[b].as_ref()) else {
                    best = Some(i);
                    continue;
                };
                for (c, key) in &self.keys {
                    let order = key.compare(batch.columns[*c].get(*at), other.columns[*c].get(*other_at))?;
                    if order.is_ne() {
                        if order.is_lt() {
                            best = Some(i);
                        }
                        break;
                    }
                }
            }
            let Some(i) = best else { break };
            if let Some((batch, at)) = &self.heads[i] {
                for (c, column) in columns.iter_mut().enumerate() {
                    column.push(batch.columns[c].get(*at));
                }
            }
            rows += 1;
            self.advance(run, i)?;
        }
        self.out = Batch { columns: columns.into_iter().map(Arc::new).collect(), rows, selection: None };
        Ok((rows > 0).then_some(&self.out))
    }
    fn rescan(&mut self, run: &mut Run<'_>, changed: &[i32]) -> Result<()> {
        self.started = false;
        if let Some(p) = &mut self.pruner {
            p.reset();
        }
        self.heads.iter_mut().for_each(|h| *h = None);
        self.inputs.iter_mut().try_for_each(|n| n.rescan(run, changed))
    }
}
