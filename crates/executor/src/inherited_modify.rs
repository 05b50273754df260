//! ModifyTable of a table with inheritance children or partitions: each row goes to the table it came from, which its `tableoid`
//! names. A row whose new version belongs to another partition, and MERGE's new rows, are routed from the table that is named.
//!
//! PostgreSQL: `nodeModifyTable.c` (`ExecLookupResultRelByOid`, `ExecCrossPartitionUpdate`).

use std::collections::VecDeque;

use analyze::partition;
use analyze::query::{CmdType, Expr, RtIndex, RteKind};
use base::{Oid, PgError, Result};
use planner::{ModifyTable, Plan};
use types::{Batch, Datum, DatumRef, FromDatum, Physical};

use crate::build::Builder;
use crate::modify_table::ModifyTableExec;
use crate::node::{Exec, Node};
use crate::partitioned_insert::{RoutedInsert, nothing};
use crate::state::Run;
use crate::trigger::StatementTriggers;

/// What is needed to insert through the partitioned table, made when the first row moves.
struct Root {
    rti: RtIndex,
    template: ModifyTable,
    plan: Plan,
    output: Vec<Physical>,
    routed: Option<RoutedInsert>,
}

pub(crate) struct InheritedModifyExec {
    input: Node,
    tableoid: usize,
    targets: Vec<(Oid, ModifyTableExec)>,
    root: Option<Box<Root>>,
    /// Of the table that the statement names.
    statement: Option<StatementTriggers>,
    /// Rows of RETURNING that were not given out yet.
    ready: VecDeque<Batch>,
    out: Batch,
    done: bool,
}

impl InheritedModifyExec {
    pub fn build(b: &mut Builder<'_>, plan: &Plan, m: &ModifyTable) -> Result<InheritedModifyExec> {
        let input = b.outer(plan)?;
        let subplan = plan.outer.as_deref().ok_or_else(|| PgError::internal("ModifyTable without input"))?;
        let tableoid = subplan.targetlist.iter().position(|t| t.resjunk && t.resname.as_deref() == Some("tableoid"));
        let tableoid = tableoid.ok_or_else(|| PgError::internal("could not find junk tableoid column"))?;
        let rte = &b.planned.rtable[m.nominal_relation as usize - 1];
        let RteKind::Relation { relid, .. } = rte.kind else {
            return Err(PgError::internal("ModifyTable of something that is not a relation"));
        };
        let named = b.cx.catalog.relation_entry(relid)?;
        let capture = StatementTriggers::capture(b.cx, &named);
        let mut targets = Vec::new();
        for (k, rti) in m.result_relations.iter().enumerate() {
            if b.is_partitioned(*rti) {
                continue;
            }
            let mut one = m.clone();
            one.result_relations = vec![*rti];
            for w in &mut one.with_check_options {
                for_member(b, &mut w.qual, m.nominal_relation, *rti)?;
            }
            one.update_columns = m.update_columns.get(k).cloned().into_iter().collect();
            one.returning = m.returning.get(k).cloned().into_iter().collect();
            one.merge_actions = m.merge_actions.get(k).cloned().into_iter().collect();
            one.merge_join_conditions = m.merge_join_conditions.get(k).cloned().into_iter().collect();
            let place = nothing(input.output.clone());
            let siblings: Vec<RtIndex> = m.result_relations.iter().copied().filter(|r| r != rti).collect();
            let exec = ModifyTableExec::with_input(b, plan, &one, place, siblings, capture.as_ref())?;
            targets.push((exec.table_oid(), exec));
        }
        let root = m.root_relation.filter(|_| m.operation != CmdType::Delete).map(|rti| {
            let template = ModifyTable {
                operation: CmdType::Insert,
                nominal_relation: rti,
                root_relation: None,
                result_relations: vec![rti],
                update_columns: Vec::new(),
                returning: if m.root_returning.is_empty() { Vec::new() } else { vec![m.root_returning.clone()] },
                merge_actions: Vec::new(),
                merge_join_conditions: Vec::new(),
                ..m.clone()
            };
            let below = Plan { targetlist: subplan.targetlist.clone(), ..Plan::new(planner::PlanNode::ProjectSet) };
            let plan = Plan { outer: Some(Box::new(below)), ..Plan::new(planner::PlanNode::ProjectSet) };
            Box::new(Root { rti, template, plan, output: input.output.clone(), routed: None })
        });
        let statement = StatementTriggers::of(b.cx, &named, m)?;
        Ok(InheritedModifyExec {
            input,
            tableoid,
            targets,
            root,
            statement,
            ready: VecDeque::new(),
            out: Batch::default(),
            done: false,
        })
    }

    /// Inserts a row through the partitioned table; `from`: the table whose columns it has.
    fn route(
        &mut self,
        run: &mut Run<'_>,
        from: Option<usize>,
        old: Option<Vec<Datum>>,
        new: Vec<Datum>,
        at: (&Batch, usize),
        action: Option<&str>,
    ) -> Result<()> {
        let root = self.root.as_mut().ok_or_else(|| PgError::internal("a row moves without a partitioned table"))?;
        if root.routed.is_none() {
            let planned = run.st.planned.clone().ok_or_else(|| PgError::internal("rows are routed without a plan"))?;
            let mut b = Builder::new(&mut *run.cx, &mut *run.st, planned);
            let table = crate::seq_scan::open_scan_table(&mut b, root.rti)?;
            let (template, output) = (root.template.clone(), root.output.clone());
            root.routed = Some(RoutedInsert::new(&mut b, table, template, &root.plan, output, root.rti)?);
        }
        let Some(routed) = &mut root.routed else { return Ok(()) };
        let (mut old, mut new) = (old, new);
        if let Some(from) = from {
            let (table, target) = (self.targets[from].1.table().clone(), routed.root().clone());
            // For each of the root's columns, the table's.
            if let Some(map) = partition::column_map(&target.entry, &table.entry)? {
                let turned = |row: &[Datum]| -> Vec<Datum> {
                    map.iter().map(|n| row.get((*n as usize).wrapping_sub(1)).cloned().unwrap_or(Datum::Null)).collect()
                };
                (old, new) = (old.map(|o| turned(&o)), turned(&new));
            }
        }
        let returned = routed.insert_one(run, new, old, at, action)?;
        self.ready.extend(returned);
        Ok(())
    }

    fn take(&mut self, run: &mut Run<'_>, k: usize) -> Result<()> {
        let returned = self.targets[k].1.take_returned(run)?;
        self.ready.extend(returned);
        Ok(())
    }

    fn batch(&mut self, run: &mut Run<'_>, batch: &Batch) -> Result<()> {
        let mut last: Option<usize> = None;
        for i in batch.selected().iter() {
            let k = match batch.columns[self.tableoid].get(i) {
                // MERGE's source row without a match: any of the targets knows what to do.
                DatumRef::Null => 0,
                oid => {
                    let oid = Oid::from_datum(oid)?;
                    let missing = || PgError::internal("a row of a table that is not changed");
                    self.targets.iter().position(|t| t.0 == oid).ok_or_else(missing)?
                }
            };
            if let Some(before) = last.filter(|l| *l != k) {
                self.take(run, before)?;
            }
            last = Some(k);
            let Some(target) = self.targets.get_mut(k) else { continue };
            target.1.row(run, batch, i)?;
            if let Some((old, new, action)) = target.1.take_moved() {
                // What the rows before it gave comes before what it gives.
                self.take(run, k)?;
                let from = old.is_some().then_some(k);
                self.route(run, from, old, new, (batch, i), action)?;
            }
        }
        match last.filter(|k| *k < self.targets.len()) {
            Some(k) => self.take(run, k),
            None => Ok(()),
        }
    }
}

/// An expression over the table that is named, over one of its members.
fn for_member(b: &mut Builder<'_>, e: &mut Expr, named: RtIndex, member: RtIndex) -> Result<()> {
    let from = crate::seq_scan::open_scan_table(b, named)?;
    let to = crate::seq_scan::open_scan_table(b, member)?;
    let same: Vec<i16> = (1..=from.entry.desc.len() as i16).collect();
    let map = partition::column_map(&from.entry, &to.entry)?.unwrap_or(same);
    partition::map_vars(e, named, &map, from.entry.class.reltype, to.entry.class.reltype)?;
    renamed(e, named, member)
}

fn renamed(e: &mut Expr, from: RtIndex, to: RtIndex) -> Result<()> {
    if let Expr::Var(v) = e
        && v.varno == from
    {
        v.varno = to;
    }
    e.try_children_mut(&mut |c| renamed(c, from, to))
}

impl Exec for InheritedModifyExec {
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
                self.targets.iter_mut().try_for_each(|t| t.1.settle(run))?;
                if let Some(routed) = self.root.as_mut().and_then(|r| r.routed.as_mut()) {
                    routed.settle(run)?;
                }
                if let Some(s) = &mut self.statement {
                    s.after(run)?;
                }
                return Ok(None);
            };
            let batch = batch.clone();
            self.batch(run, &batch)?;
        }
    }
    fn rescan(&mut self, _: &mut Run<'_>, _: &[i32]) -> Result<()> {
        match self.done {
            false => Ok(()),
            true => Err(PgError::internal("a data-modifying node cannot be run again")),
        }
    }
}
