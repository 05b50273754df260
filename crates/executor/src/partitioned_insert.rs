//! INSERT into a partitioned table: each row goes to its leaf, in that leaf's column order.
//!
//! A batch is routed as a whole, then each leaf gets its rows, so that a bulk load stays one: a leaf's ModifyTable sees a batch whose
//! columns are the input's own in another order, with the leaf's rows selected. Where rows must be seen one by one (RETURNING,
//! constraints, triggers) they go in the order they come in.
//!
//! UPDATE that moves rows, MERGE and COPY insert through [`RoutedInsert`] too.
//!
//! PostgreSQL: `ExecPrepareTupleRouting`, `ExecInitPartitionInfo`.

use std::collections::VecDeque;
use std::sync::Arc;

use analyze::partition;
use analyze::query::{CmdType, RtIndex};
use base::{Oid, PgError, Result};
use planner::{ModifyTable, OnConflictPlan, Plan};
use types::{Batch, Datum, Physical};

use crate::build::Builder;
use crate::constraints::row_batch;
use crate::context::ExecContext;
use crate::heap::OpenTable;
use crate::modify_table::ModifyTableExec;
use crate::node::{Exec, Node};
use crate::partition::{PartitionCheck, Router};
use crate::state::{Estate, Run};
use crate::trigger::{Capture, StatementTriggers};

/// In place of an input that somebody else reads.
pub(crate) struct Nothing;

impl Exec for Nothing {
    fn next<'a>(&'a mut self, _: &mut Run<'_>, _: usize) -> Result<Option<&'a Batch>> {
        Ok(None)
    }
    fn rescan(&mut self, _: &mut Run<'_>, _: &[i32]) -> Result<()> {
        Ok(())
    }
}

/// A node without rows, of which only the columns matter.
pub(crate) fn nothing(output: Vec<Physical>) -> Node {
    Node {
        exec: Box::new(Nothing),
        capacity: 1,
        params: Vec::new(),
        init: Vec::new(),
        output,
        instrument: None,
        fresh: true,
        pending: None,
        served: None,
    }
}

struct Leaf {
    exec: ModifyTableExec,
    /// For each of the leaf's columns the root's (from 0); `None` if they are the same. A dropped one takes any.
    columns: Option<Vec<usize>>,
    /// Rows of the current batch.
    rows: Vec<u32>,
}

impl Leaf {
    fn values(&self, row: &[Datum]) -> Vec<Datum> {
        match &self.columns {
            None => row.to_vec(),
            Some(map) => map.iter().map(|i| row.get(*i).cloned().unwrap_or(Datum::Null)).collect(),
        }
    }
}

/// Insertion by way of the partitioned table.
pub(crate) struct RoutedInsert {
    router: Router,
    leaves: Vec<Leaf>,
    /// The statement over the root's columns.
    template: ModifyTable,
    plan: Plan,
    output: Vec<Physical>,
    rti: RtIndex,
    /// What is to be kept of the rows for triggers of the table that the statement names.
    capture: Option<Capture>,
    /// Of a table that is a partition itself.
    check: Option<PartitionCheck>,
    /// The row of the current batch that is worked on.
    at: usize,
}

impl RoutedInsert {
    /// `template`: an INSERT into the root, whose range-table index is `rti`.
    pub fn new(
        b: &mut Builder<'_>,
        root: Arc<OpenTable>,
        template: ModifyTable,
        plan: &Plan,
        output: Vec<Physical>,
        rti: RtIndex,
    ) -> Result<RoutedInsert> {
        let capture = StatementTriggers::capture(b.cx, &root.entry);
        let check = PartitionCheck::of(b.cx, &root)?;
        let router = Router::new(b.cx, root)?;
        // The node itself is not run: its target list and its input's are looked at.
        let subplan = plan
            .outer
            .as_deref()
            .map(|p| Plan { targetlist: p.targetlist.clone(), ..Plan::new(planner::PlanNode::ProjectSet) });
        let plan = Plan { outer: subplan.map(Box::new), ..Plan::new(planner::PlanNode::ProjectSet) };
        Ok(RoutedInsert { router, leaves: Vec::new(), template, plan, output, rti, capture, check, at: 0 })
    }
    pub fn root(&self) -> &Arc<OpenTable> {
        self.router.root()
    }

    /// The leaf of a row in the root's columns.
    fn route(&mut self, run: &mut Run<'_>, batch: &Batch, i: usize) -> Result<usize> {
        if let Some(check) = &mut self.check
            && !check.holds(run, batch, i)?
        {
            let root = self.router.root().clone();
            let row: Vec<Datum> = batch.columns[..root.entry.desc.len()].iter().map(|c| c.get(i).to_owned()).collect();
            return Err(crate::constraints::misplaced(run, &root, &row)?);
        }
        let leaf = self.router.route(run, batch, i)?;
        if leaf >= self.leaves.len() {
            self.add_leaf(run, leaf)?;
        }
        Ok(leaf)
    }

    fn add_leaf(&mut self, run: &mut Run<'_>, leaf: usize) -> Result<()> {
        let oid = self.router.leaf_oid(leaf);
        let root = self.router.root().clone();
        let table = run.cx.open_table(oid)?;
        let mut m = self.template.clone();
        m.table = Some(oid);
        let to_leaf = partition::column_map(&root.entry, &table.entry)?;
        let rows = (root.entry.class.reltype, table.entry.class.reltype);
        let same: Vec<i16> = (1..=root.entry.desc.len() as i16).collect();
        let map = to_leaf.as_deref().unwrap_or(&same);
        let rti = self.rti;
        let change = |e: &mut analyze::query::Expr, rti| partition::map_vars(e, rti, map, rows.0, rows.1);
        for t in m.returning.iter_mut().flatten() {
            change(&mut t.expr, rti)?;
        }
        for w in &mut m.with_check_options {
            change(&mut w.qual, rti)?;
        }
        if let Some(c) = &mut m.on_conflict {
            for e in c.set.iter_mut().filter(|t| !t.resjunk).map(|t| &mut t.expr).chain(&mut c.where_) {
                change(e, rti)?;
                change(e, c.excl_rel_rti)?;
            }
            c.set_columns.iter_mut().for_each(|n| *n = map[*n as usize - 1]);
            leaf_arbiters(run, c, &table)?;
        }
        let columns = partition::column_map(&table.entry, &root.entry)?
            .map(|map| map.iter().map(|n| (*n as usize).wrapping_sub(1)).collect());
        let planned = run.st.planned.clone().ok_or_else(|| PgError::internal("rows are routed without a plan"))?;
        let mut b = Builder::new(&mut *run.cx, &mut *run.st, planned);
        let exec = ModifyTableExec::with_input(
            &mut b,
            &self.plan,
            &m,
            nothing(self.output.clone()),
            Vec::new(),
            self.capture.as_ref(),
        )?;
        self.leaves.push(Leaf { exec, columns, rows: Vec::new() });
        Ok(())
    }

    /// All rows of a batch whose first columns are the root's. Gives what RETURNING wants.
    pub fn insert_batch(&mut self, run: &mut Run<'_>, batch: &Batch, ready: &mut VecDeque<Batch>) -> Result<()> {
        let mut routed = Ok(());
        let mut touched: Vec<usize> = Vec::new();
        let mut order: Vec<(usize, u32)> = Vec::new();
        let mut plain = true;
        for i in batch.selected().iter() {
            self.at = i;
            let leaf = match self.route(run, batch, i) {
                Ok(leaf) => leaf,
                // The rows before it are to fail first if they must.
                Err(e) => {
                    routed = Err(e);
                    break;
                }
            };
            let l = &mut self.leaves[leaf];
            plain &= l.exec.is_plain();
            if plain {
                if l.rows.is_empty() {
                    touched.push(leaf);
                }
                l.rows.push(i as u32);
            }
            order.push((leaf, i as u32));
        }
        if !plain {
            touched.iter().for_each(|l| self.leaves[*l].rows.clear());
            self.one_by_one(run, batch, &order, ready)?;
            return routed;
        }
        let n = self.root().entry.desc.len();
        for leaf in touched {
            let l = &mut self.leaves[leaf];
            let rows = std::mem::take(&mut l.rows);
            let columns: Vec<_> = match &l.columns {
                None => batch.columns[..n].to_vec(),
                Some(map) => map.iter().map(|i| column_at(batch, *i, n)).collect(),
            };
            if !l.columns.as_ref().is_some_and(|m| m.contains(&usize::MAX)) {
                let own = Batch { columns, rows: batch.rows, selection: Some(rows) };
                if !l.exec.insert_plain(run, &own)? {
                    for i in own.selected().iter() {
                        l.exec.row(run, &own, i)?;
                    }
                }
                l.rows = own.selection.unwrap_or_default();
            } else {
                for i in &rows {
                    let row: Vec<Datum> = batch.columns[..n].iter().map(|c| c.get(*i as usize).to_owned()).collect();
                    let values = l.values(&row);
                    l.exec.insert_row(run, values, batch, *i as usize, None)?;
                }
                l.rows = rows;
            }
            l.rows.clear();
        }
        routed
    }

    fn one_by_one(
        &mut self,
        run: &mut Run<'_>,
        batch: &Batch,
        order: &[(usize, u32)],
        ready: &mut VecDeque<Batch>,
    ) -> Result<()> {
        let n = self.root().entry.desc.len();
        let mut last: Option<usize> = None;
        for (leaf, i) in order {
            if let Some(before) = last.filter(|l| l != leaf) {
                ready.extend(self.leaves[before].exec.take_returned(run)?);
            }
            last = Some(*leaf);
            self.at = *i as usize;
            let row: Vec<Datum> = batch.columns[..n].iter().map(|c| c.get(*i as usize).to_owned()).collect();
            let l = &mut self.leaves[*leaf];
            let values = l.values(&row);
            l.exec.insert_row(run, values, batch, *i as usize, None)?;
        }
        if let Some(leaf) = last {
            ready.extend(self.leaves[leaf].exec.take_returned(run)?);
        }
        Ok(())
    }

    /// One row in the root's columns, with the subplan's row it stems from. `old`: the row it was before, in the root's columns.
    pub fn insert_one(
        &mut self,
        run: &mut Run<'_>,
        row: Vec<Datum>,
        old: Option<Vec<Datum>>,
        (batch, i): (&Batch, usize),
        action: Option<&str>,
    ) -> Result<Option<Batch>> {
        let one = row_batch(self.router.root(), &row);
        let leaf = self.route(run, &one, 0)?;
        let l = &mut self.leaves[leaf];
        if let Some(old) = old {
            let old = l.values(&old);
            l.exec.set_moved_from(old);
        }
        let values = l.values(&row);
        l.exec.insert_row(run, values, batch, i, action)?;
        l.exec.take_returned(run)
    }

    /// The end of the statement.
    pub fn settle(&mut self, run: &mut Run<'_>) -> Result<()> {
        self.leaves.iter_mut().try_for_each(|l| l.exec.settle(run))
    }
}

fn column_at(batch: &Batch, i: usize, n: usize) -> Arc<types::Column> {
    batch.columns[if i < n { i } else { 0 }].clone()
}

/// Rows for a partitioned table from a writer that runs no plan: COPY.
pub struct RoutedRows {
    routed: RoutedInsert,
    st: Estate,
}

impl RoutedRows {
    pub fn new(cx: &mut ExecContext, root: Oid) -> Result<RoutedRows> {
        let root = cx.open_table(root)?;
        let plan = Plan::new(planner::PlanNode::ProjectSet);
        let plan = Plan { outer: Some(Box::new(plan)), ..Plan::new(planner::PlanNode::ProjectSet) };
        let planned = planner::PlannedStmt {
            command_type: CmdType::Insert,
            can_set_tag: false,
            has_returning: false,
            has_modifying_cte: false,
            plan: plan.clone(),
            rtable: Vec::new(),
            perminfos: Vec::new(),
            result_relations: Vec::new(),
            subplans: Vec::new(),
            row_marks: Vec::new(),
            exec_params: Vec::new(),
            result_desc: Arc::default(),
            relation_oids: Vec::new(),
            depends_on: Vec::new(),
            depends_on_role: false,
            transient: false,
            stmt_location: base::error::Location::UNKNOWN,
            stmt_len: 0,
        };
        let template = ModifyTable {
            operation: CmdType::Insert,
            can_set_tag: false,
            nominal_relation: 1,
            root_relation: None,
            result_relations: vec![1],
            table: None,
            update_columns: Vec::new(),
            with_check_options: Vec::new(),
            returning: Vec::new(),
            root_returning: Vec::new(),
            row_marks: Vec::new(),
            on_conflict: None,
            merge_actions: Vec::new(),
            merge_join_conditions: Vec::new(),
            epq_param: 0,
        };
        let mut st = Estate::detached();
        let planned = Arc::new(planned);
        (st.planned, st.snapshot) = (Some(planned.clone()), cx.snapshot.clone());
        st.output_cid = cx.txn()?.command_id();
        let mut b = Builder::new(cx, &mut st, planned);
        let routed = RoutedInsert::new(&mut b, root, template, &plan, Vec::new(), 1)?;
        Ok(RoutedRows { routed, st })
    }
    /// A batch of rows with the table's columns.
    pub fn insert(&mut self, cx: &mut ExecContext, batch: &Batch) -> Result<()> {
        self.routed.insert_batch(&mut Run { cx, st: &mut self.st }, batch, &mut VecDeque::new())
    }
    /// The row of the last batch that the last error is about, where that is known.
    pub fn at(&self) -> usize {
        self.routed.at
    }
    /// The end: what is left of index entries, then what is due after the statement.
    pub fn finish(mut self, cx: &mut ExecContext) -> Result<()> {
        self.routed.settle(&mut Run { cx, st: &mut self.st })?;
        crate::after::fire(cx, &mut self.st.after)
    }
}

/// A leaf's indexes that are part of the root's.
fn leaf_arbiters(run: &Run<'_>, c: &mut OnConflictPlan, table: &OpenTable) -> Result<()> {
    let catalog = &run.cx.catalog;
    let mut found: Vec<Oid> = Vec::new();
    for index in &table.indexes {
        if partition::ancestors(catalog, index.entry.oid)?.iter().any(|a| c.arbiter_indexes.contains(a)) {
            found.push(index.entry.oid);
        }
    }
    if !c.arbiter_indexes.is_empty() && found.len() != c.arbiter_indexes.len() {
        return Err(PgError::internal("invalid arbiter index list"));
    }
    c.arbiter_indexes = found;
    Ok(())
}

pub(crate) struct PartitionedInsertExec {
    input: Node,
    routed: RoutedInsert,
    /// Of the table that the statement names.
    statement: Option<StatementTriggers>,
    ready: VecDeque<Batch>,
    out: Batch,
    done: bool,
}

impl PartitionedInsertExec {
    pub fn build(b: &mut Builder<'_>, plan: &Plan, m: &ModifyTable) -> Result<PartitionedInsertExec> {
        let input = b.outer(plan)?;
        let rti = m.nominal_relation;
        let root = crate::seq_scan::open_scan_table(b, rti)?;
        let statement = StatementTriggers::of(b.cx, &root.entry, m)?;
        let routed = RoutedInsert::new(b, root, m.clone(), plan, input.output.clone(), rti)?;
        Ok(PartitionedInsertExec {
            input,
            routed,
            statement,
            ready: VecDeque::new(),
            out: Batch::default(),
            done: false,
        })
    }
}

impl Exec for PartitionedInsertExec {
    fn next<'a>(&'a mut self, run: &mut Run<'_>, _: usize) -> Result<Option<&'a Batch>> {
        loop {
            if let Some(batch) = self.ready.pop_front() {
                self.out = batch;
                return Ok(Some(&self.out));
            }
            if self.done {
                return Ok(None);
            }
            if let Some(s) = &mut self.statement {
                s.before(run)?;
            }
            let Some(batch) = self.input.next(run, usize::MAX)? else {
                self.done = true;
                self.routed.settle(run)?;
                if let Some(s) = &mut self.statement {
                    s.after(run)?;
                }
                return Ok(None);
            };
            let batch = batch.clone();
            self.routed.insert_batch(run, &batch, &mut self.ready)?;
        }
    }
    fn rescan(&mut self, _: &mut Run<'_>, _: &[i32]) -> Result<()> {
        match self.done {
            false => Ok(()),
            true => Err(PgError::internal("a data-modifying node cannot be run again")),
        }
    }
}
