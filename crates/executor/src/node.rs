//! What all operators have in common: the pull interface, rescans, initplans, instrumentation.
//!
//! A node is asked for its next batch with the most rows its consumer will take. It may give fewer, never more, and it must
//! not run ahead: where rows have side effects the planner gave it a capacity of one.

use std::sync::Arc;
use std::time::{Duration, Instant};

use analyze::query::SubPlan;
use base::Result;
use storage::BufferUsage;
use types::{Batch, Physical};

use crate::state::{ExecParam, Run};

/// An operator.
pub(crate) trait Exec: Send {
    /// The next rows: at least one selected, at most `max`; `None` at the end.
    fn next<'a>(&'a mut self, run: &mut Run<'_>, max: usize) -> Result<Option<&'a Batch>>;
    /// Starts over. `changed` are the Exec parameters with new values since the last run.
    fn rescan(&mut self, run: &mut Run<'_>, changed: &[i32]) -> Result<()>;
    /// Lets go of pages, rows and the snapshot, and makes the operator ready for another execution of its statement, with
    /// other parameters, another snapshot and in another transaction. `false`: it must be built anew.
    fn rest(&mut self) -> Result<bool> {
        Ok(false)
    }
    /// Only the first so many rows will be read after the next start. (PostgreSQL: `ExecSetTupleBound`)
    fn set_bound(&mut self, bound: Option<usize>) {
        let _ = bound;
    }
}

/// How a Sort went.
#[derive(Clone, Debug)]
pub struct SortInfo {
    pub method: &'static str,
    pub kilobytes: i64,
    pub disk: bool,
}

/// A hash table: of a join, or (without buckets) of an aggregation.
#[derive(Clone, Debug, Default)]
pub struct HashInfo {
    pub buckets: usize,
    pub batches: usize,
    pub kilobytes: i64,
    pub disk_kilobytes: i64,
}

/// What Memoize did.
#[derive(Clone, Debug, Default)]
pub struct MemoInfo {
    pub hits: u64,
    pub misses: u64,
    pub evictions: u64,
    pub overflows: u64,
    pub kilobytes: i64,
}

/// Counters for EXPLAIN ANALYZE.
#[derive(Clone, Default, Debug)]
pub struct Instrumentation {
    pub startup: Duration,
    pub total: Duration,
    pub rows: u64,
    pub loops: u64,
    pub filtered: u64,
    /// Pairs that a join's own conditions let through and its filter did not, rows that failed an index condition's recheck.
    pub filtered_more: u64,
    /// Index descents, of index scans.
    pub searches: Option<u64>,
    pub heap_fetches: u64,
    /// Pages of a bitmap heap scan.
    pub exact_pages: u64,
    pub sort: Option<SortInfo>,
    pub hash: Option<HashInfo>,
    pub memo: Option<MemoInfo>,
    /// Rows kept in memory for reading again, in kilobytes.
    pub stored: Option<i64>,
    pub buffers: BufferUsage,
    running: bool,
}

impl Instrumentation {
    fn count(&mut self, spent: Duration, rows: usize) {
        if !std::mem::replace(&mut self.running, true) {
            self.loops += 1;
            self.startup += spent;
        }
        self.total += spent;
        self.rows += rows as u64;
    }
}

/// An operator with its parts of the plan.
pub(crate) struct Node {
    pub exec: Box<dyn Exec>,
    pub capacity: usize,
    /// Exec parameters that the subtree reads.
    pub params: Vec<i32>,
    pub init: Vec<Arc<SubPlan>>,
    /// The output columns.
    pub output: Vec<Physical>,
    /// Its counters' place in the state, where they were asked for.
    pub instrument: Option<usize>,
    /// Nothing was read since the start or the last rescan.
    pub fresh: bool,
    /// What the operator gave beyond what was asked for, see [`Node::next`].
    pub pending: Option<(Batch, Vec<u32>)>,
    pub served: Option<Batch>,
}

impl Node {
    pub fn next<'a>(&'a mut self, run: &mut Run<'_>, max: usize) -> Result<Option<&'a Batch>> {
        run.cx.interrupt.check()?;
        self.fresh = false;
        let max = max.clamp(1, self.capacity);
        if let Some((batch, rest)) = &mut self.pending {
            let now: Vec<u32> = rest.drain(..rest.len().min(max)).collect();
            batch.selection = Some(now);
            if rest.is_empty() {
                self.served = self.pending.take().map(|p| p.0);
                return Ok(self.served.as_ref());
            }
            return Ok(self.pending.as_ref().map(|p| &p.0));
        }
        let batch = match self.instrument {
            None => self.exec.next(run, max)?,
            Some(at) => {
                let outside = run.st.current.replace(at);
                let (start, buffers) = (Instant::now(), BufferUsage::of_this_thread());
                let batch = self.exec.next(run, max);
                let spent = start.elapsed();
                run.st.current = outside;
                let used = BufferUsage::of_this_thread().since(buffers);
                let sum = &mut run.st.counters[at].buffers;
                sum.hit += used.hit;
                sum.read += used.read;
                sum.dirtied += used.dirtied;
                sum.written += used.written;
                let batch = batch?;
                run.st.counters[at].count(spent, batch.map_or(0, Batch::selected_len));
                batch
            }
        };
        match batch {
            Some(batch) if batch.selected_len() > max => {
                Ok(Some(split(batch, max, &mut self.served, &mut self.pending)))
            }
            other => Ok(other),
        }
    }

    /// Starts over; initplans that read a changed parameter will run again.
    pub fn rescan(&mut self, run: &mut Run<'_>, changed: &[i32]) -> Result<()> {
        if let Some(at) = self.instrument {
            run.st.counters[at].running = false;
        }
        let mut all = changed.to_vec();
        for plan in &self.init {
            let depends = run
                .st
                .planned
                .as_ref()
                .and_then(|p| p.subplans.get(plan.plan_id))
                // Initplans may read earlier ones' values.
                .is_some_and(|p| p.params.iter().any(|x| all.contains(x)));
            if depends {
                arm(run, plan);
                all.extend_from_slice(&plan.set_param);
            }
        }
        if self.fresh && all.is_empty() {
            return Ok(());
        }
        self.fresh = true;
        self.pending = None;
        self.exec.rescan(run, &all)
    }

    /// Starts over where any of the parameters may have changed: an initplan or CTE that is run again.
    pub fn restart(&mut self, run: &mut Run<'_>) -> Result<()> {
        let all = self.params.clone();
        self.rescan(run, &all)
    }

    /// See [`Exec::rest`].
    pub fn rest(&mut self) -> Result<bool> {
        (self.fresh, self.pending, self.served) = (true, None, None);
        Ok(self.init.is_empty() && self.instrument.is_none() && self.exec.rest()?)
    }

    /// Whether a rescan with these changes gives other rows.
    pub fn depends_on(&self, changed: &[i32]) -> bool {
        self.params.iter().any(|p| changed.contains(p))
    }
}

/// The first `max` rows of a batch; the others wait.
fn split<'a>(
    batch: &Batch,
    max: usize,
    served: &'a mut Option<Batch>,
    pending: &mut Option<(Batch, Vec<u32>)>,
) -> &'a Batch {
    let mut rows: Vec<u32> = batch.selected().iter().map(|i| i as u32).collect();
    let rest = rows.split_off(max);
    let mut now = batch.clone();
    *pending = Some((Batch { columns: now.columns.clone(), rows: now.rows, selection: None }, rest));
    now.selection = Some(rows);
    served.insert(now)
}

/// Makes an initplan run when its value is next asked for.
pub(crate) fn arm(run: &mut Run<'_>, plan: &Arc<SubPlan>) {
    for p in &plan.set_param {
        let id = *p as usize;
        if run.st.exec.len() <= id {
            run.st.exec.resize_with(id + 1, ExecParam::default);
        }
        run.st.exec[id].pending = Some(plan.clone());
    }
    if plan.sub_link_type == analyze::query::SubLinkType::Cte
        && let Some(cte) = run.st.ctes.get_mut(plan.plan_id)
    {
        cte.batches.clear();
        cte.done = false;
    }
}
