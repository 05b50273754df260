//! ModifyTable of a view whose INSTEAD OF triggers do the work: each row, old and new, is handed to them.
//!
//! The subplan reads the view. For UPDATE and DELETE its junk column `wholerow` is the row to change; MERGE's rows without one
//! are those that match nothing in the view.
//!
//! PostgreSQL: `nodeModifyTable.c` (`ExecIRInsertTriggers` and its like), `ApplyRetrieveRule`.

use std::sync::Arc;

use analyze::query::*;
use base::{PgError, Result};
use catalog::Relation;
use planner::{ModifyTable, Plan};
use types::{Batch, Datum};

use crate::build::Builder;
use crate::expr::{CExpr, Filter, Scope, is_true};
use crate::node::{Exec, Node};
use crate::returning::{Returning, Version};
use crate::state::Run;
use crate::trigger::{StatementTriggers, TriggerEvent, TriggerSet, TriggerTiming};

struct Action {
    kind: MergeMatchKind,
    command: CmdType,
    qual: Filter,
    values: Vec<CExpr>,
    columns: Vec<AttrNumber>,
}

pub(crate) struct ViewModifyExec {
    input: Node,
    operation: CmdType,
    view: Arc<Relation>,
    /// A MERGE that does nothing needs none.
    triggers: Option<Box<TriggerSet>>,
    statement: Option<StatementTriggers>,
    update_columns: Vec<AttrNumber>,
    whole_row: Option<usize>,
    actions: Vec<Action>,
    join_condition: Option<CExpr>,
    returning: Option<Returning>,
    can_set_tag: bool,
    done: bool,
}

impl ViewModifyExec {
    pub fn build(b: &mut Builder<'_>, plan: &Plan, m: &ModifyTable, view: Arc<Relation>) -> Result<ViewModifyExec> {
        let input = b.outer(plan)?;
        let [rti] = m.result_relations[..] else {
            return Err(PgError::internal("several views are changed at once"));
        };
        let subplan = plan.outer.as_deref().ok_or_else(|| PgError::internal("ModifyTable without input"))?;
        let whole_row = |t: &TargetEntry| t.resjunk && t.resname.as_deref() == Some("wholerow");
        let (n, width) = (view.desc.len(), input.output.len());
        // Actions read the view's rows from the subplan.
        let scope = || Scope { ranges: vec![(OUTER_VAR, 0)], width, ..Scope::default() };
        let mut actions = Vec::new();
        for a in m.merge_actions.first().into_iter().flatten() {
            let mut c = b.compiler(scope());
            let exprs: Vec<Expr> = a.target_list.iter().filter(|t| !t.resjunk).map(|t| t.expr.clone()).collect();
            let columns = match a.command_type {
                CmdType::Insert => (1..=n as i16).collect(),
                _ => a.update_colnos.clone(),
            };
            let (qual, values) = (c.filter(a.qual.as_slice())?, c.list(&exprs)?);
            actions.push(Action { kind: a.match_kind, command: a.command_type, qual, values, columns });
        }
        let join_condition = match m.merge_join_conditions.first() {
            Some(Some(e)) => Some(b.compiler(scope()).expr(e)?),
            _ => None,
        };
        let returning = match m.returning.first() {
            Some(list) if !list.is_empty() => Some(Returning::build(b, list, rti, &view, &input.output)?),
            _ => None,
        };
        let updated = crate::trigger::statement::updated_columns(m);
        Ok(ViewModifyExec {
            whole_row: subplan.targetlist.iter().position(whole_row),
            operation: m.operation,
            triggers: TriggerSet::of(b.cx, &view, &updated)?,
            statement: StatementTriggers::of(b.cx, &view, m)?,
            update_columns: m.update_columns.first().cloned().unwrap_or_default(),
            actions,
            join_condition,
            returning,
            can_set_tag: m.can_set_tag,
            done: false,
            input,
            view,
        })
    }

    /// The view's row that the subplan's one stands for.
    fn old_row(&self, run: &mut Run<'_>, batch: &Batch, i: usize) -> Result<Option<Vec<Datum>>> {
        let at = self.whole_row.ok_or_else(|| PgError::internal("could not find junk wholerow column"))?;
        let v = crate::expr::function::plain(run, batch.columns[at].get(i))?;
        if v.is_null() {
            return Ok(None);
        }
        let desc = &self.view.desc;
        let v = v.as_ref();
        Ok(Some(types::record::open(v.as_bytes(), desc)?.into_iter().map(types::DatumRef::to_owned).collect()))
    }

    fn row(&mut self, run: &mut Run<'_>, batch: &Batch, i: usize) -> Result<()> {
        let values = |n: usize| -> Vec<Datum> { batch.columns[..n].iter().map(|c| c.get(i).to_owned()).collect() };
        let wrong = || PgError::internal("wholerow is NULL");
        match self.operation {
            CmdType::Insert => {
                let new = values(self.view.desc.len());
                self.change(run, TriggerEvent::Insert, None, Some(new), None, batch, i)
            }
            CmdType::Update => {
                let old = self.old_row(run, batch, i)?.ok_or_else(wrong)?;
                let mut new = old.clone();
                for (c, v) in self.update_columns.iter().zip(values(self.update_columns.len())) {
                    new[*c as usize - 1] = v;
                }
                self.change(run, TriggerEvent::Update, Some(old), Some(new), None, batch, i)
            }
            CmdType::Delete => {
                let old = self.old_row(run, batch, i)?.ok_or_else(wrong)?;
                self.change(run, TriggerEvent::Delete, Some(old), None, None, batch, i)
            }
            CmdType::Merge => self.merge(run, batch, i),
            _ => Err(PgError::internal("unexpected operation of ModifyTable")),
        }
    }

    fn merge(&mut self, run: &mut Run<'_>, batch: &Batch, i: usize) -> Result<()> {
        let old = self.old_row(run, batch, i)?;
        let kind = match (&old, &mut self.join_condition) {
            (None, _) => MergeMatchKind::NotMatchedByTarget,
            (Some(_), None) => MergeMatchKind::Matched,
            (Some(_), Some(e)) => match is_true(e.eval_row(run, batch, i)?.as_ref()) {
                true => MergeMatchKind::Matched,
                false => MergeMatchKind::NotMatchedBySource,
            },
        };
        let mut chosen = None;
        for (k, a) in self.actions.iter_mut().enumerate() {
            if a.kind == kind && a.qual.test(run, batch, i)? {
                chosen = Some(k);
                break;
            }
        }
        let Some(a) = chosen.map(|k| &mut self.actions[k]) else { return Ok(()) };
        let mut values = Vec::with_capacity(a.values.len());
        for e in &mut a.values {
            values.push(e.eval_row(run, batch, i)?);
        }
        match (a.command, old) {
            (CmdType::Insert, _) => {
                self.change(run, TriggerEvent::Insert, None, Some(values), Some("INSERT"), batch, i)
            }
            (CmdType::Update, Some(old)) => {
                let mut new = old.clone();
                for (c, v) in a.columns.iter().zip(values) {
                    new[*c as usize - 1] = v;
                }
                self.change(run, TriggerEvent::Update, Some(old), Some(new), Some("UPDATE"), batch, i)
            }
            (CmdType::Delete, Some(old)) => {
                self.change(run, TriggerEvent::Delete, Some(old), None, Some("DELETE"), batch, i)
            }
            _ => Ok(()),
        }
    }

    /// Hands a row to the triggers.
    fn change(
        &mut self,
        run: &mut Run<'_>,
        event: TriggerEvent,
        old: Option<Vec<Datum>>,
        new: Option<Vec<Datum>>,
        action: Option<&str>,
        batch: &Batch,
        i: usize,
    ) -> Result<()> {
        let missing = || PgError::internal(format!("view \"{}\" has no triggers", self.view.name()));
        let triggers = self.triggers.as_mut().ok_or_else(missing)?;
        let given = triggers.before_row(run, TriggerTiming::InsteadOf, event, old.as_deref(), new)?;
        let Some(row) = given else { return Ok(()) };
        if self.can_set_tag {
            run.st.processed += 1;
        }
        if let Some(r) = &mut self.returning {
            let version = |values| Version { tid: None, values };
            let new = (event != TriggerEvent::Delete).then(|| version(row));
            r.push(run, &self.view, old.map(version).as_ref(), new.as_ref(), action, batch, i)?;
        }
        Ok(())
    }
}

impl Exec for ViewModifyExec {
    fn next<'a>(&'a mut self, run: &mut Run<'_>, _: usize) -> Result<Option<&'a Batch>> {
        loop {
            if self.done {
                return Ok(None);
            }
            if let Some(s) = &mut self.statement {
                s.before(run)?;
            }
            let Some(batch) = self.input.next(run, usize::MAX)? else {
                self.done = true;
                if let Some(s) = &mut self.statement {
                    s.after(run)?;
                }
                return Ok(None);
            };
            let batch = batch.clone();
            if let Some(r) = &mut self.returning {
                r.clear();
            }
            for i in batch.selected().iter() {
                self.row(run, &batch, i)?;
            }
            if self.returning.as_ref().is_some_and(Returning::has_rows) {
                break;
            }
        }
        match &mut self.returning {
            Some(r) => r.rows(run).map(Some),
            None => Ok(None),
        }
    }
    fn rescan(&mut self, _: &mut Run<'_>, _: &[i32]) -> Result<()> {
        match self.done {
            false => Ok(()),
            true => Err(PgError::internal("a data-modifying node cannot be run again")),
        }
    }
}
