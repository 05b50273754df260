//! Material: keeps its input's rows, so that a rescan without changed parameters reads them again. Memoize keeps them for
//! each set of parameter values.

use base::Result;
use hashbrown::HashMap;
use planner::{Plan, PlanNode};
use types::{Batch, Datum, Rows};

use crate::append::compact;
use crate::build::Builder;
use crate::expr::{CExpr, Scope};
use crate::node::{Exec, Node};
use crate::row_store::RowStore;
use crate::state::Run;

/// Rows kept for one set of parameters.
#[derive(Default)]
struct Kept {
    batches: RowStore,
    complete: bool,
}

pub(crate) struct MaterialExec {
    input: Node,
    kept: Kept,
    at: usize,
    /// Of Memoize: the parameters' expressions and what was kept for other values of them.
    memo: Option<Memo>,
    /// The input must be started over before it is read.
    stale: bool,
    /// What was given out last, and how many of its rows have been.
    served: Batch,
    from: usize,
}

struct Memo {
    keys: Vec<CExpr>,
    current: Option<Vec<Datum>>,
    others: HashMap<Vec<Datum>, Kept>,
    bytes: usize,
    limit: usize,
}

impl MaterialExec {
    pub fn build(b: &mut Builder<'_>, plan: &Plan) -> Result<MaterialExec> {
        let input = b.outer(plan)?;
        let limit = (b.cx.settings.work_mem.max(64) as usize) * 1024 * 2;
        let memo = match &plan.node {
            PlanNode::Memoize { param_exprs, .. } => {
                let keys = b.compiler(Scope::empty()).list(param_exprs)?;
                Some(Memo { keys, current: None, others: HashMap::new(), bytes: 0, limit })
            }
            _ => None,
        };
        Ok(MaterialExec { input, kept: Kept::default(), at: 0, memo, stale: false, served: Batch::default(), from: 0 })
    }
}

impl Exec for MaterialExec {
    fn next<'a>(&'a mut self, run: &mut Run<'_>, max: usize) -> Result<Option<&'a Batch>> {
        if let Some(memo) = &mut self.memo
            && memo.current.is_none()
        {
            let one = Batch { columns: Vec::new(), rows: 1, selection: None };
            let mut key = Vec::with_capacity(memo.keys.len());
            for k in &mut memo.keys {
                k.eval(run, &one, Rows::All(1))?;
                key.push(k.value(&one, 0).to_owned());
            }
            match memo.others.remove(&key) {
                Some(kept) => self.kept = kept,
                None => self.kept = Kept::default(),
            }
            memo.current = Some(key);
        }
        if self.from > 0 || self.at < self.kept.batches.len() {
            if self.from == 0 {
                self.served = self.kept.batches.get(self.at)?;
                self.at += 1;
            }
            // The consumer may want fewer rows than there are.
            let (from, rows) = (self.from, self.served.rows);
            let to = rows.min(from.saturating_add(max));
            self.from = if to < rows { to } else { 0 };
            self.served.selection = (to - from < rows).then(|| (from as u32..to as u32).collect());
            return Ok(Some(&self.served));
        }
        if self.kept.complete {
            return Ok(None);
        }
        if std::mem::take(&mut self.stale) {
            self.input.rescan(run, &[])?;
        }
        match self.input.next(run, max)? {
            None => {
                self.kept.complete = true;
                Ok(None)
            }
            Some(batch) => {
                // A copy of its own: the input reuses its columns.
                self.served = own(batch);
                self.kept.batches.push(run, self.served.clone())?;
                self.at += 1;
                Ok(Some(&self.served))
            }
        }
    }
    fn rescan(&mut self, run: &mut Run<'_>, changed: &[i32]) -> Result<()> {
        (self.at, self.from) = (0, 0);
        if let Some(memo) = &mut self.memo {
            let complete = self.kept.complete;
            if let Some(key) = memo.current.take()
                && complete
            {
                let kept = std::mem::take(&mut self.kept);
                let bytes = kept.batches.bytes();
                if memo.bytes + bytes > memo.limit {
                    memo.others.clear();
                    memo.bytes = 0;
                }
                memo.bytes += bytes;
                memo.others.insert(key, kept);
            }
            self.kept = Kept::default();
            self.stale = false;
            return self.input.rescan(run, changed);
        }
        if self.input.depends_on(changed) {
            self.kept = Kept::default();
            return self.input.rescan(run, changed);
        }
        Ok(())
    }
}

/// The selected rows in columns that nobody else fills.
pub(crate) fn own(batch: &Batch) -> Batch {
    if batch.selection.is_some() { compact(batch) } else { batch.clone() }
}
