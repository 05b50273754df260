//! Leaving out partitions when an Append begins, and again whenever its parameters change.
//!
//! PostgreSQL: `execPartition.c` (`ExecInitPartitionExecPruning`, `ExecFindMatchingSubPlans`).

use std::sync::Arc;

use analyze::partition::prune::PruneSteps;
use analyze::partition::{self, PartitionDesc};
use base::Result;
use planner::{AppendPrune, PrunedPart};
use types::Datum;

use crate::context::ExecContext;
use crate::expr::{CExpr, Compiler, Scope};
use crate::state::Run;

struct Steps {
    steps: PruneSteps,
    values: Vec<CExpr>,
}

struct Table {
    desc: Arc<PartitionDesc>,
    starting: Option<Steps>,
    running: Option<Steps>,
    parts: Vec<PrunedPart>,
}

/// Decides which subplans are run.
pub(crate) struct Pruner {
    tables: Vec<Table>,
    plans: usize,
    /// Those that were not excluded when execution began.
    starting: Option<Vec<bool>>,
    current: Option<Vec<bool>>,
}

impl Pruner {
    pub fn build(cx: &mut ExecContext, prune: &AppendPrune, plans: usize) -> Result<Pruner> {
        let catalog = cx.catalog.clone();
        let mut tables = Vec::new();
        for t in &prune.tables {
            let desc = partition::desc_of(&catalog, &*catalog.relation_entry(t.relid)?, cx)?;
            let mut steps = |s: &Option<PruneSteps>| -> Result<Option<Steps>> {
                let Some(s) = s else { return Ok(None) };
                let mut compiler = Compiler::new(cx, Scope::empty());
                let values = s.values.iter().map(|v| compiler.expr(&v.expr)).collect::<Result<_>>()?;
                Ok(Some(Steps { steps: s.clone(), values }))
            };
            let (starting, running) = (steps(&t.starting)?, steps(&t.running)?);
            tables.push(Table { desc, starting, running, parts: t.parts.clone() });
        }
        Ok(Pruner { tables, plans, starting: None, current: None })
    }

    /// Parameters changed.
    pub fn reset(&mut self) {
        if self.tables.iter().any(|t| t.running.is_some()) {
            self.current = None;
        }
    }

    /// Whether each subplan must be run.
    pub fn wanted(&mut self, run: &mut Run<'_>) -> Result<&[bool]> {
        if self.current.is_none() {
            let mut wanted = self.starting(run)?.to_vec();
            if self.tables.iter().any(|t| t.running.is_some()) {
                let mut now = vec![false; self.plans];
                self.mark(run, 0, false, &mut now)?;
                wanted.iter_mut().zip(now).for_each(|(a, b)| *a &= b);
            }
            self.current = Some(wanted);
        }
        Ok(self.current.as_deref().unwrap_or_default())
    }

    /// Whether each subplan is left with what is known at the beginning.
    pub fn starting(&mut self, run: &mut Run<'_>) -> Result<&[bool]> {
        if self.starting.is_none() {
            let mut wanted = vec![false; self.plans];
            self.mark(run, 0, true, &mut wanted)?;
            self.starting = Some(wanted);
        }
        Ok(self.starting.as_deref().unwrap_or_default())
    }

    fn mark(&mut self, run: &mut Run<'_>, table: usize, starting: bool, out: &mut [bool]) -> Result<()> {
        let t = &mut self.tables[table];
        let matching = match if starting { &mut t.starting } else { &mut t.running } {
            Some(s) => {
                let mut values: Vec<Datum> = Vec::with_capacity(s.values.len());
                for e in &mut s.values {
                    let v = e.eval_scalar(run)?;
                    values.push(crate::expr::function::plain(run, v.as_ref())?);
                }
                t.desc.matching(run.cx, &s.steps, &values)?
            }
            None => vec![true; t.parts.len()],
        };
        let below: Vec<usize> = t
            .parts
            .iter()
            .zip(matching)
            .filter_map(|(part, wanted)| match part {
                PrunedPart::Plan(i) => {
                    out[*i] |= wanted;
                    None
                }
                PrunedPart::Table(k) => wanted.then_some(*k),
                PrunedPart::Gone => None,
            })
            .collect();
        below.into_iter().try_for_each(|k| self.mark(run, k, starting, out))
    }
}
