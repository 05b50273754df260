//! The state of one execution: parameters, subplans, counters. It outlives a message when a portal is suspended, so it
//! owns what it holds; the session's [`ExecContext`] is lent to it for each call as a [`Run`].

use std::sync::Arc;

use analyze::query::{SubLinkType, SubPlan};
use base::sqlstate::{CARDINALITY_VIOLATION, UNDEFINED_PARAMETER};
use base::{PgError, Result};
use planner::PlannedStmt;
use txn::Snapshot;
use types::{Datum, DatumRef};

use crate::context::ExecContext;
use crate::expr::function::plain;
use crate::node::Node;

/// What every operator and expression is given: the session's context and the execution's state.
pub struct Run<'a> {
    pub cx: &'a mut ExecContext,
    pub st: &'a mut Estate,
}

/// An Exec parameter: its value, or the initplan that will give it.
#[derive(Default)]
pub(crate) struct ExecParam {
    pub value: Datum,
    pub pending: Option<Arc<SubPlan>>,
}

/// A running CTE shared by its readers.
#[derive(Default)]
pub(crate) struct SharedRows {
    pub batches: crate::row_store::RowStore,
    pub done: bool,
}

/// The worktable of a recursive query.
#[derive(Default)]
pub(crate) struct WorkTable {
    pub batches: Vec<types::Batch>,
}

/// See the module's head. (PostgreSQL: `EState`)
pub struct Estate {
    pub(crate) planned: Option<Arc<PlannedStmt>>,
    pub(crate) params: Arc<[Datum]>,
    pub(crate) named: Arc<[crate::trigger::TransitionTable]>,
    pub(crate) exec: Vec<ExecParam>,
    pub(crate) subplans: Vec<Option<Node>>,
    /// By subplan number.
    pub(crate) ctes: Vec<SharedRows>,
    /// By worktable parameter.
    pub(crate) worktables: hashbrown::HashMap<i32, WorkTable>,
    pub snapshot: Option<Snapshot>,
    /// Changed rows to be looked at when the statement is done.
    pub after: crate::after::QueryLevel,
    /// The command that marks changed rows.
    pub(crate) output_cid: base::CommandId,
    /// Rows inserted, updated, deleted or merged. (PostgreSQL: `es_processed`)
    pub processed: u64,
    /// In a recheck of a changed row: what the relations' scans give instead of reading. (PostgreSQL: `EPQState`)
    pub(crate) recheck: Option<Recheck>,
    pub(crate) instrument: bool,
    pub(crate) counters: Vec<crate::node::Instrumentation>,
    /// By the plan node's place in memory, which its statement keeps.
    pub(crate) counter_of: hashbrown::HashMap<usize, usize>,
    /// The node that runs.
    pub(crate) current: Option<usize>,
}

/// The rows that a recheck works on, by range-table index. (PostgreSQL: `EvalPlanQual`)
#[derive(Default, Clone)]
pub(crate) struct Recheck {
    pub rows: Vec<(u32, Option<base::TupleId>)>,
}

impl Estate {
    /// A state for expressions outside any plan.
    pub fn detached() -> Estate {
        Estate {
            planned: None,
            params: Arc::new([]),
            named: Arc::default(),
            exec: Vec::new(),
            subplans: Vec::new(),
            ctes: Vec::new(),
            worktables: hashbrown::HashMap::new(),
            snapshot: None,
            after: crate::after::QueryLevel::default(),
            output_cid: base::CommandId::FIRST,
            processed: 0,
            recheck: None,
            instrument: false,
            counters: Vec::new(),
            counter_of: hashbrown::HashMap::new(),
            current: None,
        }
    }
}

impl Run<'_> {
    pub(crate) fn extern_param(&self, id: i32) -> Result<Datum> {
        let found = usize::try_from(id - 1).ok().and_then(|i| self.st.params.get(i));
        let missing = || PgError::new(UNDEFINED_PARAMETER, format!("no value found for parameter {id}"));
        found.cloned().ok_or_else(missing)
    }

    /// Changes the counters of the node that runs, where they were asked for.
    pub(crate) fn note(&mut self, change: impl FnOnce(&mut crate::node::Instrumentation)) {
        if let Some(at) = self.st.current {
            change(&mut self.st.counters[at]);
        }
    }

    /// What the statement sees.
    pub(crate) fn snapshot(&self) -> Result<Snapshot> {
        self.st.snapshot.clone().ok_or_else(no_snapshot)
    }

    /// An Exec parameter's value; runs its initplan if that has not happened yet.
    pub(crate) fn exec_param(&mut self, id: usize) -> Result<Datum> {
        if let Some(plan) = self.st.exec.get_mut(id).and_then(|p| p.pending.take()) {
            self.run_initplan(&plan)?;
        }
        let found = self.st.exec.get(id).map(|p| p.value.clone());
        found.ok_or_else(|| PgError::internal(format!("no Exec parameter {id}")))
    }
    pub(crate) fn set_exec_param(&mut self, id: i32, value: Datum) {
        let id = id as usize;
        if self.st.exec.len() <= id {
            self.st.exec.resize_with(id + 1, ExecParam::default);
        }
        self.st.exec[id] = ExecParam { value, pending: None };
    }

    /// Runs `f` with a subplan's node taken out of the state.
    pub(crate) fn with_subplan<T>(
        &mut self,
        id: usize,
        f: impl FnOnce(&mut Run<'_>, &mut Node) -> Result<T>,
    ) -> Result<T> {
        let mut node = self
            .st
            .subplans
            .get_mut(id)
            .and_then(Option::take)
            .ok_or_else(|| PgError::internal(format!("subplan {id} is in use or missing")))?;
        let result = f(self, &mut node);
        self.st.subplans[id] = Some(node);
        result
    }

    /// (PostgreSQL: `ExecSetParamPlan`)
    fn run_initplan(&mut self, plan: &Arc<SubPlan>) -> Result<()> {
        for p in &plan.set_param {
            if let Some(slot) = self.st.exec.get_mut(*p as usize) {
                slot.pending = None;
            }
        }
        match plan.sub_link_type {
            // A CTE's readers fill it.
            SubLinkType::Cte => Ok(()),
            SubLinkType::Exists => {
                let found = self.with_subplan(plan.plan_id, |run, node| {
                    node.restart(run)?;
                    Ok(node.next(run, 1)?.is_some_and(|b| b.selected_len() > 0))
                })?;
                self.set_exec_param(plan.set_param[0], Datum::bool(found));
                Ok(())
            }
            SubLinkType::Array => {
                let array = crate::expr::subplan_array(self, plan)?;
                self.set_exec_param(plan.set_param[0], array);
                Ok(())
            }
            _ => {
                let columns = plan.set_param.len();
                let row = self.with_subplan(plan.plan_id, |run, node| {
                    node.restart(run)?;
                    single_row(run, node, columns)
                })?;
                let row = row.unwrap_or_else(|| vec![Datum::Null; columns]);
                for (p, v) in plan.set_param.iter().zip(row) {
                    self.set_exec_param(*p, v);
                }
                Ok(())
            }
        }
    }
}

/// The only row of a subplan; an error if there are more.
pub(crate) fn single_row(run: &mut Run<'_>, node: &mut Node, columns: usize) -> Result<Option<Vec<Datum>>> {
    let mut row: Option<Vec<Datum>> = None;
    while let Some(batch) = node.next(run, 2)? {
        for i in batch.selected().iter() {
            if row.is_some() {
                let text = "more than one row returned by a subquery used as an expression";
                return Err(PgError::new(CARDINALITY_VIOLATION, text));
            }
            row = Some(batch.columns[..columns].iter().map(|c| c.get(i).to_owned()).collect());
        }
    }
    // What a parameter holds is looked into many times: fetch it once.
    row.map(|r| {
        r.iter()
            .map(|d| if matches!(d.as_ref(), DatumRef::Toasted(_)) { plain(run, d.as_ref()) } else { Ok(d.clone()) })
            .collect()
    })
    .transpose()
}

#[cold]
pub(crate) fn no_snapshot() -> PgError {
    PgError::internal("no snapshot in this context")
}
