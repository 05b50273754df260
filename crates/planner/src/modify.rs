//! Target lists of statements that change tables, row marks, ON CONFLICT, and the ModifyTable step.
//!
//! The subplan of INSERT yields a whole row in the table's column order. That of UPDATE yields the new values of
//! `update_columns`, then junk; DELETE's only junk. Junk columns: `ctid` (the target's row), `ctidN` for the row
//! mark number N. MERGE's subplan yields the columns that its actions read, and `ctid`.
//!
//! PostgreSQL: `preptlist.c`, `preprocess_rowmarks`, `infer_arbiter_indexes`.

use std::rc::Rc;

use analyze::query::*;
use base::{Oid, PgError, Result};
use types::oid::*;

use crate::node::*;
use crate::pathnode::*;
use crate::plan::*;
use crate::util::*;

const TID: TypeMod = TypeMod { oid: TIDOID, typmod: -1, collation: Oid::INVALID };

impl Planner<'_, '_> {
    /// Which rows of which relations are locked or remembered. (PostgreSQL: `preprocess_rowmarks`)
    pub(crate) fn mark_rows(&mut self, root: &mut Root) -> Result<()> {
        let q = &root.parse;
        if q.row_marks.is_empty() && !matches!(q.command_type, CmdType::Update | CmdType::Delete | CmdType::Merge) {
            return Ok(());
        }
        let mut rels = crate::init::from_relids(&q.jointree);
        if let Some(r) = q.result_relation {
            rels.remove(r);
        }
        let mut marks = Vec::new();
        for m in &q.row_marks {
            let RteKind::Relation { .. } = q.rte(m.rti).kind else { continue };
            if !rels.contains(m.rti) {
                continue;
            }
            rels.remove(m.rti);
            let is_parent = self.has_members(q.rte(m.rti))?;
            self.glob.last_rowmark += 1;
            marks.push(PlanRowMark {
                rti: m.rti,
                rowmark_id: self.glob.last_rowmark,
                mark_type: match m.strength {
                    LockClauseStrength::ForKeyShare => RowMarkType::KeyShare,
                    LockClauseStrength::ForShare => RowMarkType::Share,
                    LockClauseStrength::ForNoKeyUpdate => RowMarkType::NoKeyExclusive,
                    LockClauseStrength::ForUpdate => RowMarkType::Exclusive,
                    LockClauseStrength::None => RowMarkType::Reference,
                },
                strength: m.strength,
                wait_policy: m.wait_policy,
                is_parent,
                members: Vec::new(),
            });
        }
        for i in rels.iter() {
            let mark_type = match &q.rte(i).kind {
                _ if self.has_members(q.rte(i))? => RowMarkType::Copy,
                RteKind::Relation { relkind: b'r' | b'm' | b't' | b'p', .. } => RowMarkType::Reference,
                RteKind::Result => continue,
                _ => RowMarkType::Copy,
            };
            self.glob.last_rowmark += 1;
            marks.push(PlanRowMark {
                rti: i,
                rowmark_id: self.glob.last_rowmark,
                mark_type,
                strength: LockClauseStrength::None,
                wait_policy: LockWaitPolicy::Block,
                is_parent: false,
                members: Vec::new(),
            });
        }
        root.row_marks = marks;
        Ok(())
    }

    /// The members that the marks of inherited tables stand for, now that they are known.
    pub(crate) fn mark_members(&self, root: &mut Root) {
        let mut marks = std::mem::take(&mut root.row_marks);
        for m in marks.iter_mut().filter(|m| m.is_parent) {
            let Some(Some(rel)) = root.base.get(m.rti as usize) else { continue };
            let of = |m: &crate::inherit::Member| match root.parse.rte(m.rti).kind {
                RteKind::Relation { relid, .. } => Some((relid, m.rti)),
                _ => None,
            };
            m.members = rel.members.iter().filter_map(of).collect();
        }
        root.row_marks = marks;
    }

    /// (PostgreSQL: `preprocess_targetlist`)
    pub(crate) fn preprocess_targetlist(&mut self, root: &mut Root) -> Result<()> {
        let mut tlist = root.parse.target_list.clone();
        let target = root.parse.result_relation.unwrap_or(0);
        match root.parse.command_type {
            CmdType::Insert => tlist = self.complete_insert(root, tlist, target)?,
            CmdType::Update => {
                root.update_columns = tlist.iter().filter(|t| !t.resjunk).map(|t| t.resno).collect();
                for (i, t) in tlist.iter_mut().enumerate() {
                    t.resno = i as i16 + 1;
                }
            }
            _ => {}
        }
        fn add(tlist: &mut Vec<TargetEntry>, e: Expr, name: String) {
            let n = tlist.len() as i16 + 1;
            tlist.push(tle(e, n, Some(name), true));
        }
        // The rows of a view are told by its whole row, which the rewriter added.
        let is_view = matches!(root.parse.rte(target.max(1)).kind, RteKind::Relation { relkind: b'v', .. });
        if matches!(root.parse.command_type, CmdType::Update | CmdType::Delete | CmdType::Merge) && !is_view {
            add(&mut tlist, make_var(target, sysattr::CTID, TID), "ctid".into());
            if self.has_members(root.parse.rte(target))? {
                let ty = TypeMod { oid: OIDOID, typmod: -1, collation: Oid::INVALID };
                add(&mut tlist, make_var(target, sysattr::TABLEOID, ty), "tableoid".into());
            }
        }
        if root.parse.command_type == CmdType::Merge {
            let mut vars = Vec::new();
            let q = &root.parse;
            for a in &q.merge_actions {
                for e in a.qual.iter().chain(a.target_list.iter().map(|t| &t.expr)) {
                    crate::init::pull_all_vars(e, &mut vars);
                }
            }
            if let Some(c) = &q.merge_join_condition {
                crate::init::pull_all_vars(c, &mut vars);
            }
            for v in vars {
                let of_target = matches!(&v, Expr::Var(x) if x.varno == target);
                if !of_target && !tlist.iter().any(|t| t.expr == v) {
                    add(&mut tlist, v, String::new());
                }
            }
        }
        for m in &root.row_marks.clone() {
            match m.mark_type {
                // Rechecks evaluate those anew.
                RowMarkType::Copy => {}
                _ => {
                    add(&mut tlist, make_var(m.rti, sysattr::CTID, TID), format!("ctid{}", m.rowmark_id));
                    if m.is_parent {
                        let ty = TypeMod { oid: OIDOID, typmod: -1, collation: Oid::INVALID };
                        let name = format!("tableoid{}", m.rowmark_id);
                        add(&mut tlist, make_var(m.rti, sysattr::TABLEOID, ty), name);
                    }
                }
            }
        }
        // RETURNING may show columns of other relations.
        let rels = crate::init::from_relids(&root.parse.jointree);
        if !root.parse.returning_list.is_empty() && rels.len() > 1 {
            let mut vars = Vec::new();
            for t in &root.parse.returning_list {
                crate::init::pull_all_vars(&t.expr, &mut vars);
            }
            for v in vars {
                let of_target = matches!(&v, Expr::Var(x) if x.varno == target);
                if !of_target && !tlist.iter().any(|t| t.expr == v) {
                    add(&mut tlist, v, String::new());
                }
            }
        }
        root.tlist = tlist;
        Ok(())
    }

    /// A value for every column, in order. (PostgreSQL: `expand_insert_targetlist`)
    fn complete_insert(&mut self, root: &Root, tlist: Vec<TargetEntry>, target: RtIndex) -> Result<Vec<TargetEntry>> {
        let RteKind::Relation { relid, .. } = root.parse.rte(target).kind else {
            return Err(PgError::internal("INSERT into something that is not a relation"));
        };
        let rel = self.cx.catalog.relation_entry(relid)?;
        let mut out = Vec::new();
        for (i, a) in rel.desc.attrs.iter().enumerate() {
            let attno = i as i16 + 1;
            let given = tlist.iter().find(|t| t.resno == attno && !t.resjunk).cloned();
            out.push(match given {
                Some(t) => t,
                None => {
                    let ty = if a.dropped {
                        TypeMod { oid: INT4OID, typmod: -1, collation: Oid::INVALID }
                    } else {
                        TypeMod { oid: a.type_oid, typmod: a.typmod, collation: a.collation }
                    };
                    // A domain may refuse a null.
                    let t = self.cx.catalog.type_row(ty.oid)?;
                    let mut e = self.null_const(ty)?;
                    if t.typtype == b'd' && !a.dropped {
                        let (base, typmod) = self.cx.catalog.base_type(ty.oid, ty.typmod)?;
                        e = Expr::CoerceToDomain(Box::new(CoerceToDomain {
                            arg: self.null_const(TypeMod { oid: base, typmod, collation: ty.collation })?,
                            resulttype: ty,
                            coercionformat: CoercionForm::ImplicitCast,
                            location: base::error::Location::UNKNOWN,
                        }));
                    }
                    tle(e, attno, Some(a.name.to_string()), false)
                }
            });
        }
        for mut t in tlist.into_iter().filter(|t| t.resjunk) {
            t.resno = out.len() as i16 + 1;
            out.push(t);
        }
        Ok(out)
    }

    /// (PostgreSQL: `create_modifytable_path`)
    pub(crate) fn modify_path(&mut self, root: &mut Root, sub: P) -> Result<P> {
        let q = &root.parse;
        let target = q.result_relation.ok_or_else(|| PgError::internal("no result relation"))?;
        let members = root.base.get(target as usize).and_then(|b| b.as_ref()).map_or(Vec::new(), |b| b.members.clone());
        let is_partitioned = matches!(q.rte(target).kind, RteKind::Relation { relkind: b'p', .. });
        let is_root = is_partitioned && q.command_type != CmdType::Insert;
        if let RteKind::Relation { relkind, relid, .. } = q.rte(target).kind {
            match relkind {
                b'r' | b't' | b'm' | b'p' => {}
                // Its INSTEAD OF triggers do the work.
                b'v' => {}
                _ => return Err(PgError::internal(format!("cannot change relation {relid}"))),
            }
        }
        let on_conflict = match q.on_conflict.clone() {
            Some(c) => Some(Box::new(self.on_conflict_plan(root, &c, target)?)),
            None => None,
        };
        let q = &root.parse;
        let returning = if q.returning_list.is_empty() { Vec::new() } else { vec![q.returning_list.clone()] };
        let epq = self.new_exec_param(INTERNALOID);
        let q = &root.parse;
        let mut merge_actions = Vec::new();
        if q.command_type == CmdType::Merge {
            let mut actions = q.merge_actions.clone();
            for a in &mut actions {
                if a.command_type == CmdType::Insert {
                    let list = std::mem::take(&mut a.target_list);
                    a.target_list = self.complete_insert(root, list, target)?;
                } else if a.command_type == CmdType::Update && a.update_colnos.is_empty() {
                    a.update_colnos = a.target_list.iter().filter(|t| !t.resjunk).map(|t| t.resno).collect();
                }
            }
            merge_actions.push(actions);
        }
        let q = &root.parse;
        let mut merge_join_conditions = match q.command_type {
            CmdType::Merge => vec![q.merge_join_condition.clone()],
            _ => Vec::new(),
        };
        if !members.is_empty()
            && let (Some(actions), Some(join)) = (merge_actions.pop(), merge_join_conditions.pop())
        {
            for m in &members {
                let mut own: Vec<MergeAction> = actions.clone();
                for a in &mut own {
                    if let Some(e) = &mut a.qual {
                        *e = self.for_member(root, e, target, m)?;
                    }
                    for t in &mut a.target_list {
                        t.expr = self.for_member(root, &t.expr, target, m)?;
                    }
                    a.update_colnos.iter_mut().for_each(|c| *c = m.columns[*c as usize - 1]);
                }
                merge_actions.push(own);
                merge_join_conditions.push(match &join {
                    Some(e) => Some(self.for_member(root, e, target, m)?),
                    None => None,
                });
            }
        }
        let (mut targets, mut columns, mut lists) = (vec![target], vec![root.update_columns.clone()], returning);
        if !members.is_empty() {
            targets = members.iter().map(|m| m.rti).collect();
            let own = |m: &crate::inherit::Member| {
                root.update_columns.iter().map(|c| m.columns[*c as usize - 1]).collect::<Vec<AttrNumber>>()
            };
            columns = members.iter().map(own).collect();
            let mut all = Vec::new();
            for m in members.iter().filter(|_| !lists.is_empty()) {
                let mut list = q.returning_list.clone();
                for t in &mut list {
                    t.expr = self.for_member(root, &t.expr, target, m)?;
                }
                all.push(list);
            }
            lists = all;
        }
        let node = ModifyTable {
            operation: q.command_type,
            can_set_tag: q.can_set_tag,
            nominal_relation: target,
            root_relation: is_root.then_some(target),
            result_relations: targets,
            table: None,
            update_columns: if q.command_type == CmdType::Update { columns } else { Vec::new() },
            with_check_options: q
                .with_check_options
                .iter()
                .map(|w| crate::plan::WithCheckOption {
                    relname: w.relname.clone(),
                    polname: None,
                    qual: w.qual.clone(),
                    is_rls: false,
                })
                .collect(),
            returning: lists,
            root_returning: if is_root { q.returning_list.clone() } else { Vec::new() },
            row_marks: root.row_marks.clone(),
            on_conflict,
            merge_actions,
            merge_join_conditions,
            epq_param: epq,
        };
        let has_returning = !q.returning_list.is_empty();
        let c = self.cx.cost;
        let mut p =
            upper_path(PathKind::ModifyTable { sub: sub.clone(), node: Box::new(node) }, &sub, sub.target.clone());
        p.total += c.cpu_tuple_cost * 0.0;
        p.rows = if has_returning { sub.rows } else { 0.0 };
        p.pathkeys = Vec::new();
        Ok(Rc::new(p))
    }

    fn on_conflict_plan(&mut self, root: &Root, c: &OnConflictExpr, target: RtIndex) -> Result<OnConflictPlan> {
        let arbiters = self.arbiter_indexes(root, c, target)?;
        let set_columns = c.on_conflict_set.iter().filter(|t| !t.resjunk).map(|t| t.resno).collect();
        let mut set: Vec<TargetEntry> = c.on_conflict_set.clone();
        for (i, t) in set.iter_mut().enumerate() {
            t.resno = i as i16 + 1;
        }
        Ok(OnConflictPlan {
            update: c.update,
            arbiter_indexes: arbiters,
            set,
            set_columns,
            where_: c.on_conflict_where.clone(),
            excl_rel_rti: c.excl_rel_index,
            excl_rel_tlist: c.excl_rel_tlist.clone(),
        })
    }

    /// The unique indexes that decide about conflicts. (PostgreSQL: `infer_arbiter_indexes`)
    fn arbiter_indexes(&mut self, root: &Root, c: &OnConflictExpr, target: RtIndex) -> Result<Vec<Oid>> {
        if c.arbiter_elems.is_empty() && !c.constraint.is_valid() {
            return Ok(Vec::new());
        }
        let RteKind::Relation { relid, .. } = root.parse.rte(target).kind else { return Ok(Vec::new()) };
        let rel = self.cx.catalog.relation_entry(relid)?;
        let constraint_index = match c.constraint.valid() {
            Some(k) => self.cx.catalog.constraint(k)?.map_or(Oid::INVALID, |r| r.conindid),
            None => Oid::INVALID,
        };
        let (mut attrs, mut exprs): (Vec<i16>, Vec<&InferenceElem>) = (Vec::new(), Vec::new());
        for e in &c.arbiter_elems {
            match &e.expr {
                Expr::Var(v) if v.varattno > 0 => {
                    if !attrs.contains(&v.varattno) {
                        attrs.push(v.varattno);
                    }
                }
                Expr::Var(v) if v.varattno == 0 => {
                    return Err(PgError::new(
                        base::sqlstate::FEATURE_NOT_SUPPORTED,
                        "whole row unique index inference specifications are not supported",
                    ));
                }
                _ => exprs.push(e),
            }
        }
        attrs.sort_unstable();
        let mut found = Vec::new();
        for oid in &rel.indexes {
            let Some(entry) = self.cx.catalog.relation(*oid)? else { continue };
            let Some(info) = &entry.index else { continue };
            if !info.row.indisvalid {
                continue;
            }
            if constraint_index.is_valid() {
                if *oid == constraint_index {
                    if !info.row.indisunique && c.update {
                        return Err(PgError::new(
                            base::sqlstate::WRONG_OBJECT_TYPE,
                            "ON CONFLICT DO UPDATE not supported with exclusion constraints",
                        ));
                    }
                    return Ok(vec![*oid]);
                }
                continue;
            }
            if !info.row.indisunique {
                continue;
            }
            let mut columns: Vec<i16> = info.columns[..info.key_count].iter().copied().filter(|n| *n != 0).collect();
            columns.sort_unstable();
            columns.dedup();
            if columns != attrs {
                continue;
            }
            let mut index_exprs = Vec::new();
            if let Some(text) = &info.expressions {
                for mut e in crate::stored::read_list(text, &self.cx.catalog)? {
                    mutate(&mut e, &mut |x| {
                        forget_location(x);
                        if let Expr::Var(v) = x {
                            v.varno = target;
                        }
                        Ok(true)
                    })?;
                    self.fold(&mut e)?;
                    index_exprs.push(e);
                }
            }
            let all = exprs.iter().all(|e| index_exprs.iter().any(|x| strip_relabel(x) == strip_relabel(&e.expr)));
            let every = index_exprs.iter().all(|x| exprs.iter().any(|e| strip_relabel(x) == strip_relabel(&e.expr)));
            if !all || !every {
                continue;
            }
            let classes = c.arbiter_elems.iter().all(|e| {
                let opclass_ok = !e.inferopclass.is_valid() || info.opclasses.contains(&e.inferopclass);
                let coll_ok = !e.infercollid.is_valid() || info.collations.contains(&e.infercollid);
                opclass_ok && coll_ok
            });
            if !classes {
                continue;
            }
            if let Some(text) = &info.predicate {
                let mut ok = true;
                let known: Vec<Expr> = implicit_and(c.arbiter_where.clone());
                for mut p in crate::stored::read_list(text, &self.cx.catalog)? {
                    mutate(&mut p, &mut |x| {
                        forget_location(x);
                        if let Expr::Var(v) = x {
                            v.varno = target;
                        }
                        Ok(true)
                    })?;
                    self.fold(&mut p)?;
                    for part in implicit_and(Some(p)) {
                        ok = ok && self.implied_by(&known, [&part])?;
                    }
                }
                if !ok {
                    continue;
                }
            }
            found.push(*oid);
        }
        if found.is_empty() {
            return Err(PgError::new(
                base::sqlstate::INVALID_COLUMN_REFERENCE,
                "there is no unique or exclusion constraint matching the ON CONFLICT specification",
            ));
        }
        Ok(found)
    }
}
