//! INSERT, UPDATE, DELETE; row marks of FOR UPDATE.

use analyze::query::*;
use base::error::Location;
use base::sqlstate::INVALID_COLUMN_REFERENCE;
use base::{PgError, Result};
use types::Datum;

use super::{Planner, TID, refer, tle, unsupported, var};
use crate::plan::*;

fn junk(expr: Expr, name: String) -> TargetEntry {
    TargetEntry { resname: Some(name), resjunk: true, ..tle(expr, 0) }
}

impl Planner<'_, '_> {
    /// The ctid columns that row locks need.
    pub fn row_mark_targets(&mut self, q: &Query, targets: &mut Vec<TargetEntry>) -> Result<Vec<PlanRowMark>> {
        let offset = self.level().offset;
        let mut marks = Vec::new();
        for m in &q.row_marks {
            let rte = &q.rtable[m.rti as usize - 1];
            if !matches!(rte.kind, RteKind::Relation { .. }) {
                continue;
            }
            let id = (self.row_marks.len() + marks.len()) as u32 + 1;
            targets.push(junk(var(m.rti + offset, sysattr::CTID, TID), format!("ctid{id}")));
            marks.push(PlanRowMark {
                rti: m.rti + offset,
                rowmark_id: id,
                mark_type: match m.strength {
                    LockClauseStrength::ForUpdate => RowMarkType::Exclusive,
                    LockClauseStrength::ForNoKeyUpdate => RowMarkType::NoKeyExclusive,
                    LockClauseStrength::ForShare => RowMarkType::Share,
                    _ => RowMarkType::KeyShare,
                },
                strength: m.strength,
                wait_policy: m.wait_policy,
                is_parent: false,
            });
        }
        Ok(marks)
    }

    pub fn modify(&mut self, q: &Query) -> Result<Plan> {
        let offset = self.level().offset;
        let target = q.result_relation.ok_or_else(|| PgError::internal("no result relation"))?;
        let rti = target + offset;
        let RteKind::Relation { relid, .. } = &q.rte(target).kind else { return unsupported("changing a view") };
        let rel = self.cx.catalog.relation_entry(*relid)?;
        if q.command_type == CmdType::Merge {
            return unsupported("MERGE");
        }
        let mut targets = self.prep_tlist(&q.target_list)?;
        let mut update_columns = Vec::new();
        match q.command_type {
            CmdType::Insert => {
                let given = std::mem::take(&mut targets);
                for (i, a) in rel.desc.attrs.iter().enumerate() {
                    let found = given.iter().find(|t| !t.resjunk && t.resno == i as i16 + 1);
                    let null = || {
                        let oid = if a.dropped { types::oid::INT4OID } else { a.type_oid };
                        let ty = TypeMod { oid, typmod: -1, collation: a.collation };
                        let value = Datum::Null;
                        Expr::Const(Const { ty, len: a.len, byval: a.byval, value, location: Location::UNKNOWN })
                    };
                    targets.push(tle(found.map_or_else(null, |t| t.expr.clone()), i + 1));
                }
            }
            CmdType::Update => {
                targets.retain(|t| !t.resjunk);
                update_columns = targets.iter().map(|t| t.resno).collect();
            }
            _ => targets.clear(),
        }
        if q.command_type != CmdType::Insert {
            targets.push(junk(var(rti, sysattr::CTID, TID), "ctid".into()));
        }
        // Other tables' columns that RETURNING shows, and their places for rechecks.
        let returning = self.prep_tlist(&q.returning_list)?;
        let mut wanted = Vec::new();
        returning.iter().for_each(|t| super::from::collect_vars(&t.expr, &mut wanted));
        let conflict_rti = q.on_conflict.as_ref().map(|c| c.excl_rel_index + offset);
        wanted.retain(|e| matches!(e, Expr::Var(v) if v.varno != rti && Some(v.varno) != conflict_rti));
        targets.extend(wanted.into_iter().map(|e| junk(e, String::new())));
        for (i, t) in targets.iter_mut().enumerate() {
            t.resno = i as i16 + 1;
        }
        let mut needed = self.needed(q)?;
        // OLD and NEW of RETURNING are made by the ModifyTable node.
        needed.retain(|e| !matches!(e, Expr::Var(v) if v.varreturning != VarReturning::Default));
        targets.iter().for_each(|t| super::from::collect_vars(&t.expr, &mut needed));
        let from = self.from(&q.jointree, &needed)?;
        let list: Vec<TargetEntry> = targets
            .iter()
            .map(|t| TargetEntry { expr: refer(&t.expr, &[(OUTER_VAR, &from.out)]), ..t.clone() })
            .collect();
        let subplan = match from.plan.outer.is_none() && matches!(from.plan.node, PlanNode::Result { .. }) {
            true => Plan { targetlist: list, ..from.plan },
            false => Planner::project(from.plan, list),
        };
        let columns: Vec<Expr> = targets.iter().map(|t| t.expr.clone()).collect();
        let is_target = |e: &Expr| matches!(e, Expr::Var(v) if v.varno == rti);
        let others: Vec<Expr> =
            columns.iter().map(|e| if is_target(e) { Expr::bool_const(None) } else { e.clone() }).collect();
        let returning: Vec<TargetEntry> =
            returning.into_iter().map(|t| TargetEntry { expr: refer_outside(&t.expr, rti, &others), ..t }).collect();
        let on_conflict = match &q.on_conflict {
            Some(c) => Some(Box::new(self.on_conflict(c, &rel, target)?)),
            None => None,
        };
        self.result_relations.push(rti);
        let m = ModifyTable {
            operation: q.command_type,
            can_set_tag: q.can_set_tag,
            nominal_relation: rti,
            root_relation: None,
            result_relations: vec![rti],
            update_columns: vec![update_columns],
            with_check_options: Vec::new(),
            returning: if returning.is_empty() { Vec::new() } else { vec![returning.clone()] },
            row_marks: Vec::new(),
            on_conflict,
            merge_actions: Vec::new(),
            merge_join_conditions: Vec::new(),
            epq_param: -1,
        };
        let mut plan = Planner::over(PlanNode::ModifyTable(Box::new(m)), subplan, returning);
        if plan.targetlist.is_empty() {
            plan.rows = 0.0;
        }
        Ok(plan)
    }

    fn on_conflict(&mut self, c: &OnConflictExpr, rel: &catalog::Relation, target: RtIndex) -> Result<OnConflictPlan> {
        let mut arbiter_indexes = Vec::new();
        let mut wanted: Vec<i16> = Vec::new();
        for e in &c.arbiter_elems {
            match &e.expr {
                Expr::Var(v) if v.varno == target => wanted.push(v.varattno),
                _ => return unsupported("ON CONFLICT on an expression"),
            }
        }
        wanted.sort_unstable();
        wanted.dedup();
        if c.constraint.is_valid() {
            let index = self.cx.catalog.constraint(c.constraint)?.map(|x| x.conindid).unwrap_or_default();
            arbiter_indexes.push(index);
        } else if !wanted.is_empty() {
            for oid in &rel.indexes {
                let Some(index) = self.cx.catalog.relation(*oid)? else { continue };
                let Some(info) = &index.index else { continue };
                let mut columns: Vec<i16> = info.columns[..info.key_count].to_vec();
                columns.sort_unstable();
                if info.row.indisunique && info.row.indisvalid && info.predicate.is_none() && columns == wanted {
                    arbiter_indexes.push(*oid);
                }
            }
            if arbiter_indexes.is_empty() {
                let text = "there is no unique or exclusion constraint matching the ON CONFLICT specification";
                return Err(PgError::new(INVALID_COLUMN_REFERENCE, text));
            }
        }
        let set = self.prep_tlist(&c.on_conflict_set)?;
        let where_ = self.prep_quals(c.on_conflict_where.as_ref())?;
        Ok(OnConflictPlan {
            update: c.update,
            arbiter_indexes,
            set_columns: set.iter().filter(|t| !t.resjunk).map(|t| t.resno).collect(),
            set,
            where_: Expr::and_all(where_),
            excl_rel_rti: c.excl_rel_index + self.level().offset,
            excl_rel_tlist: Vec::new(),
        })
    }
}

/// References to other tables than the target by columns of the subplan.
fn refer_outside(e: &Expr, rti: RtIndex, out: &[Expr]) -> Expr {
    if matches!(e, Expr::Var(v) if v.varno == rti) {
        return e.clone();
    }
    if matches!(e, Expr::Var(_)) {
        return refer(e, &[(OUTER_VAR, out)]);
    }
    let mut copy = e.clone();
    copy.children_mut(&mut |c| *c = refer_outside(c, rti, out));
    copy
}
