//! UNION, INTERSECT, EXCEPT and recursive unions.
//!
//! Every input is a subquery planned by itself; its rows are brought to the operation's column types, then appended, merged
//! or compared. Vars of the result have varno 0 until the plan is finished: they name the operation's columns.
//!
//! PostgreSQL: `prepunion.c`.

use std::rc::Rc;

use analyze::query::*;
use base::error::Location;
use base::{Oid, PgError, Result};

use crate::node::*;
use crate::pathnode::*;
use crate::plan::*;
use crate::relids::Relids;
use crate::upper::cheapest;
use crate::util::*;

impl Planner<'_, '_> {
    pub(crate) fn plan_set_operations(&mut self, root: &mut Root) -> Result<Vec<P>> {
        let tree = root.parse.set_operations.clone().ok_or_else(|| PgError::internal("no set operation"))?;
        root.base = (0..=root.parse.rtable.len()).map(|_| None).collect();
        let names: Vec<TargetEntry> = root.parse.target_list.clone();
        let SetOpNode::Op { col_types, .. } = &*tree else {
            return Err(PgError::internal("a set operation of one input"));
        };
        let col_types = col_types.clone();
        // The target list refers to the first leaf; it now names the operation's columns.
        let mut tlist = Vec::new();
        for (i, ty) in col_types.iter().enumerate() {
            let mut t = tle(make_var(0, i as i16 + 1, *ty), i as i16 + 1, None, false);
            if let Some(n) = names.get(i) {
                (t.resname, t.ressortgroupref, t.resorigtbl, t.resorigcol) =
                    (n.resname.clone(), n.ressortgroupref, n.resorigtbl, n.resorigcol);
            }
            tlist.push(t);
        }
        root.tlist = tlist;
        if root.has_recursion {
            return Ok(vec![self.recursive_union(root, &tree)?]);
        }
        self.setop_paths(root, &tree, &col_types)
    }

    fn setop_target(&mut self, root: &Root, types: &[TypeMod]) -> Result<Rc<Target>> {
        let mut t = Target::default();
        for (i, ty) in types.iter().enumerate() {
            t.push(make_var(0, i as i16 + 1, *ty), 0);
        }
        self.cost_target(root, t)
    }

    /// Paths of a node of the tree, with columns of these types.
    fn setop_paths(&mut self, root: &mut Root, node: &SetOpNode, types: &[TypeMod]) -> Result<Vec<P>> {
        analyze::walker::check_depth()?;
        let paths = match node {
            SetOpNode::Leaf(rti) => return Ok(vec![self.setop_leaf(root, *rti, types)?]),
            SetOpNode::Op { op: SetOperation::Union, .. } => self.union_paths(root, node)?,
            SetOpNode::Op { .. } => self.nonunion_paths(root, node)?,
        };
        let SetOpNode::Op { col_types, .. } = node else { return Ok(paths) };
        if col_types == types {
            return Ok(paths);
        }
        let t = self.coerced_target(root, 0, col_types, types)?;
        Ok(paths.iter().map(|p| self.project(p, t.clone())).collect())
    }

    /// Columns of `varno` brought to other types.
    fn coerced_target(&mut self, root: &Root, varno: RtIndex, from: &[TypeMod], to: &[TypeMod]) -> Result<Rc<Target>> {
        let mut t = Target::default();
        for (i, (f, w)) in from.iter().zip(to).enumerate() {
            let var = make_var(varno, i as i16 + 1, *f);
            t.push(self.coerced(var, *w)?, 0);
        }
        self.cost_target(root, t)
    }

    fn coerced(&mut self, e: Expr, to: TypeMod) -> Result<Expr> {
        let from = e.type_mod();
        if from.oid == to.oid {
            if from.collation != to.collation {
                return Ok(Expr::RelabelType(Box::new(RelabelType {
                    arg: e,
                    resulttype: TypeMod { typmod: from.typmod, ..to },
                    relabelformat: CoercionForm::ImplicitCast,
                    location: Location::UNKNOWN,
                })));
            }
            return Ok(e);
        }
        if self.cx.catalog.binary_coercible(from.oid, to.oid)? {
            return Ok(Expr::RelabelType(Box::new(RelabelType {
                arg: e,
                resulttype: to,
                relabelformat: CoercionForm::ImplicitCast,
                location: Location::UNKNOWN,
            })));
        }
        if let Some(c) = self.cx.catalog.cast(from.oid, to.oid)?
            && c.castmethod == b'f'
        {
            return Ok(Expr::FuncExpr(Box::new(FuncExpr {
                funcid: c.castfunc,
                funcresulttype: to.oid,
                funcresulttypmod: -1,
                funcretset: false,
                funcvariadic: false,
                funcformat: CoercionForm::ImplicitCast,
                funccollid: to.collation,
                inputcollid: Oid::INVALID,
                args: vec![e],
                location: Location::UNKNOWN,
            })));
        }
        Ok(Expr::CoerceViaIO(Box::new(CoerceViaIO {
            arg: e,
            resulttype: to.oid,
            resultcollid: to.collation,
            coerceformat: CoercionForm::ImplicitCast,
            location: Location::UNKNOWN,
        })))
    }

    fn setop_leaf(&mut self, root: &mut Root, rti: RtIndex, types: &[TypeMod]) -> Result<P> {
        let RteKind::Subquery { subquery, .. } = &root.parse.rtable[rti as usize - 1].kind else {
            return Err(PgError::internal("a set operation's input is not a subquery"));
        };
        let query = (**subquery).clone();
        let saved = std::mem::take(&mut self.levels[root.level].plan_params);
        let fraction = root.tuple_fraction;
        let sub = self.subquery_planner(query, false, fraction, None)?;
        let params = std::mem::replace(&mut self.levels[root.level].plan_params, saved);
        root.subquery_params.push((rti, params));
        let path = self.choose_final(&sub, fraction)?;
        let from: Vec<TypeMod> = sub.tlist.iter().filter(|t| !t.resjunk).map(|t| t.expr.type_mod()).collect();
        let mut rel = Rel::new(Relids::single(rti));
        rel.relid = rti;
        (rel.rows, rel.tuples) = (path.rows, path.rows);
        rel.subroot = Some(Box::new(sub));
        rel.paths = Vec::new();
        // A step that only passes columns on costs nothing.
        let mut t = Target::default();
        let mut trivial = true;
        for (i, (f, w)) in from.iter().zip(types).enumerate() {
            let e = self.coerced(make_var(rti, i as i16 + 1, *f), *w)?;
            trivial = trivial && matches!(e, Expr::Var(_));
            t.push(e, 0);
        }
        root.base[rti as usize] = Some(Box::new(rel));
        let t = self.cost_target(root, t)?;
        let Some(Some(rel)) = root.base.get(rti as usize) else { return Err(PgError::internal("no such relation")) };
        let extra = if trivial { 0.0 } else { (self.cx.cost.cpu_tuple_cost + t.per_tuple) * path.rows };
        let mut p = new_path(
            PathKind::Subquery { index: rti, path: path.clone() },
            rel,
            None,
            path.rows,
            (path.startup + t.startup, path.total + t.startup + extra),
        );
        p.target = t;
        p.disabled = path.disabled;
        Ok(Rc::new(p))
    }

    /// The inputs of nested UNIONs of the same kind, side by side. (PostgreSQL: `plan_union_children`)
    fn union_inputs<'n>(&self, node: &'n SetOpNode, all: bool, types: &[TypeMod], out: &mut Vec<&'n SetOpNode>) {
        if let SetOpNode::Op { op: SetOperation::Union, all: a, larg, rarg, col_types, .. } = node
            && (*a || !all)
            && col_types == types
            && (*a == all || !all)
        {
            self.union_inputs(larg, all, types, out);
            self.union_inputs(rarg, all, types, out);
            return;
        }
        out.push(node);
    }

    fn union_paths(&mut self, root: &mut Root, node: &SetOpNode) -> Result<Vec<P>> {
        let SetOpNode::Op { all, larg, rarg, col_types, group_clauses, .. } = node else {
            return Err(PgError::internal("not a union"));
        };
        let mut inputs = Vec::new();
        self.union_inputs(larg, *all, col_types, &mut inputs);
        self.union_inputs(rarg, *all, col_types, &mut inputs);
        let saved = root.tuple_fraction;
        if !*all {
            root.tuple_fraction = 0.0;
        }
        let mut paths = Vec::new();
        for i in inputs {
            let p = self.setop_paths(root, i, col_types)?;
            paths.push(cheapest(&p)?);
        }
        root.tuple_fraction = saved;
        // Inputs that yield nothing are left out.
        if paths.len() > 1 {
            let some: Vec<P> = paths.iter().filter(|p| !is_empty(p)).cloned().collect();
            if !some.is_empty() {
                paths = some;
            }
        }
        let target = self.setop_target(root, col_types)?;
        let append = self.append_path(paths, target.clone());
        if *all {
            return Ok(vec![append]);
        }
        let (clauses, tlist) = self.setop_clauses(group_clauses, col_types)?;
        let mut out = Vec::new();
        let rows = append.rows;
        let c = self.cx.cost.clone();
        if clauses.is_empty() {
            // No columns: at most one row.
            let t = append.target.clone();
            return Ok(vec![Rc::new(upper_path(PathKind::UpperUnique { sub: append.clone(), keys: 0 }, &append, t))]);
        }
        if clauses.iter().all(|c| c.hashable) {
            let cost = self.cost_agg(
                AggStrategy::Hashed,
                &Default::default(),
                clauses.len(),
                rows,
                &(0.0, 0.0),
                (append.startup, append.total),
                rows,
                append.target.width,
            );
            let kind = PathKind::Agg {
                sub: append.clone(),
                strategy: AggStrategy::Hashed,
                clauses: clauses.clone(),
                having: Vec::new(),
                groups: rows,
                rollups: Vec::new(),
            };
            let t = self.ref_target(root, &tlist)?;
            let sub = self.retarget(&append, t.clone());
            let kind = match kind {
                PathKind::Agg { strategy, clauses, having, groups, rollups, .. } => {
                    PathKind::Agg { sub: sub.clone(), strategy, clauses, having, groups, rollups }
                }
                k => k,
            };
            let mut p = upper_path(kind, &sub, t);
            (p.startup, p.total) = (cost.startup, cost.total);
            p.disabled += i32::from(!c.enable_hashagg);
            add_path(&mut out, Rc::new(p), root.tuple_fraction > 0.0, false);
        }
        if clauses.iter().all(|c| c.sortop.is_valid()) {
            let t = self.ref_target(root, &tlist)?;
            let sub = self.retarget(&append, t.clone());
            let (keys, _, _) = self.pathkeys_for_clauses_ext(root, &clauses, &tlist)?;
            let n = keys.len();
            let s = self.sort_path(&sub, keys, -1.0);
            let mut u = upper_path(PathKind::UpperUnique { sub: s.clone(), keys: n }, &s, t);
            u.total += c.cpu_operator_cost * s.rows * n as f64;
            add_path(&mut out, Rc::new(u), root.tuple_fraction > 0.0, false);
        }
        if out.is_empty() {
            return Err(PgError::new(base::sqlstate::FEATURE_NOT_SUPPORTED, "could not implement UNION")
                .detail("Some of the datatypes only support hashing, while others only support sorting."));
        }
        Ok(out)
    }

    fn ref_target(&mut self, root: &Root, tlist: &[TargetEntry]) -> Result<Rc<Target>> {
        self.target_of(root, tlist)
    }

    pub(crate) fn append_path(&mut self, paths: Vec<P>, target: Rc<Target>) -> P {
        let mut rel = Rel::new(Relids::new());
        paths.iter().for_each(|p| rel.relids.add(&p.relids));
        rel.target = target;
        let (mut rows, mut total, mut disabled) = (0.0, 0.0, 0);
        for p in &paths {
            rows += p.rows;
            total += p.total;
            disabled += p.disabled;
        }
        total += self.cx.cost.cpu_tuple_cost * 0.5 * rows;
        let startup = paths.first().map_or(0.0, |p| p.startup);
        let mut p = new_path(PathKind::Append { paths }, &rel, None, rows, (startup, total));
        p.disabled = disabled;
        Rc::new(p)
    }

    /// The operation's grouping clauses, numbered, with a target list that they refer to.
    fn setop_clauses(
        &mut self,
        given: &[SortGroupClause],
        types: &[TypeMod],
    ) -> Result<(Vec<SortGroupClause>, Vec<TargetEntry>)> {
        let mut tlist = Vec::new();
        let mut clauses = Vec::new();
        for (i, ty) in types.iter().enumerate() {
            let mut t = tle(make_var(0, i as i16 + 1, *ty), i as i16 + 1, None, false);
            t.ressortgroupref = i as u32 + 1;
            tlist.push(t);
            if let Some(c) = given.get(i) {
                let mut c = c.clone();
                c.tle_sort_group_ref = i as u32 + 1;
                clauses.push(c);
            }
        }
        Ok((clauses, tlist))
    }

    /// INTERSECT and EXCEPT. (PostgreSQL: `generate_nonunion_paths`)
    fn nonunion_paths(&mut self, root: &mut Root, node: &SetOpNode) -> Result<Vec<P>> {
        let SetOpNode::Op { op, all, larg, rarg, col_types, group_clauses } = node else {
            return Err(PgError::internal("not a set operation"));
        };
        let saved = std::mem::replace(&mut root.tuple_fraction, 0.0);
        let l = self.setop_paths(root, larg, col_types)?;
        let r = self.setop_paths(root, rarg, col_types)?;
        root.tuple_fraction = saved;
        let (mut l, mut r) = (cheapest(&l)?, cheapest(&r)?);
        let (mut groups, right_groups) = (self.setop_groups(root, &l)?, self.setop_groups(root, &r)?);
        // Of INTERSECT's inputs the one with fewer groups comes first.
        if *op == SetOperation::Intersect && groups > right_groups {
            std::mem::swap(&mut l, &mut r);
            groups = right_groups;
        }
        let cmd = match (op, all) {
            (SetOperation::Intersect, false) => SetOpCmd::Intersect,
            (SetOperation::Intersect, true) => SetOpCmd::IntersectAll,
            (_, false) => SetOpCmd::Except,
            (_, true) => SetOpCmd::ExceptAll,
        };
        let (clauses, _) = self.setop_clauses(group_clauses, col_types)?;
        let rows = match (all, op) {
            (false, _) => groups,
            (true, SetOperation::Except) => l.rows,
            (true, _) => l.rows.min(r.rows),
        };
        let c = self.cx.cost.clone();
        let target = self.setop_target(root, col_types)?;
        let comparing = |l: &P, r: &P| c.cpu_operator_cost * (l.rows + r.rows) * clauses.len() as f64;
        let mut out = Vec::new();
        // Hashed, unless there is nothing to hash.
        if !clauses.is_empty() && clauses.iter().all(|c| c.hashable) {
            let startup = l.total + r.total + comparing(&l, &r);
            let kind = PathKind::SetOp {
                left: l.clone(),
                right: r.clone(),
                cmd,
                hashed: true,
                clauses: clauses.clone(),
                groups,
            };
            let mut p = upper_path(kind, &l, target.clone());
            p.relids.add(&r.relids);
            (p.rows, p.startup, p.total) = (rows, startup, startup + c.cpu_operator_cost * rows);
            let entry = f64::from((l.target.width + 7) & !7) + 24.0;
            let fits = entry * groups < c.work_mem * 1024.0 * c.hash_mem_multiplier;
            p.disabled = l.disabled + r.disabled + i32::from(!c.enable_hashagg) + i32::from(!fits);
            p.pathkeys = Vec::new();
            add_path(&mut out, Rc::new(p), false, false);
        }
        if clauses.iter().all(|c| c.sortop.is_valid()) {
            let (ls, rs) = (self.sorted_input(root, &l, &clauses)?, self.sorted_input(root, &r, &clauses)?);
            let total = ls.total + rs.total + comparing(&ls, &rs) + c.cpu_operator_cost * rows;
            let startup = ls.startup + rs.startup;
            let kind = PathKind::SetOp { left: ls.clone(), right: rs.clone(), cmd, hashed: false, clauses, groups };
            let mut p = upper_path(kind, &ls, target);
            p.relids.add(&rs.relids);
            (p.rows, p.startup, p.total) = (rows, startup, total);
            p.disabled = ls.disabled + rs.disabled;
            p.pathkeys = Vec::new();
            add_path(&mut out, Rc::new(p), false, false);
        }
        if out.is_empty() {
            let what = if *op == SetOperation::Intersect { "INTERSECT" } else { "EXCEPT" };
            return Err(PgError::new(base::sqlstate::FEATURE_NOT_SUPPORTED, format!("could not implement {what}"))
                .detail("Some of the datatypes only support hashing, while others only support sorting."));
        }
        Ok(out)
    }

    /// An input sorted by all of its columns.
    fn sorted_input(&mut self, root: &mut Root, p: &P, clauses: &[SortGroupClause]) -> Result<P> {
        if clauses.is_empty() {
            return Ok(p.clone());
        }
        let mut target = (*p.target).clone();
        let mut tlist = Vec::new();
        for (i, e) in p.target.exprs.iter().enumerate() {
            target.refs[i] = i as u32 + 1;
            let mut t = tle(e.clone(), i as i16 + 1, None, false);
            t.ressortgroupref = i as u32 + 1;
            tlist.push(t);
        }
        let target = Rc::new(target);
        let sub = self.retarget(p, target);
        let (keys, _, _) = self.pathkeys_for_clauses_ext(root, clauses, &tlist)?;
        Ok(self.sort_path(&sub, keys, -1.0))
    }

    /// How many distinct rows an input has. (PostgreSQL: `build_setop_child_paths`)
    fn setop_groups(&mut self, root: &mut Root, p: &P) -> Result<f64> {
        let PathKind::Subquery { index, path } = &p.kind else { return Ok(p.rows) };
        let rows = path.rows;
        let Some(Some(rel)) = root.base.get_mut(*index as usize) else { return Ok(rows) };
        let Some(sub) = rel.subroot.take() else { return Ok(rows) };
        let q = &sub.parse;
        let grouped = !q.group_clause.is_empty()
            || !q.grouping_sets.is_empty()
            || !q.distinct_clause.is_empty()
            || q.has_aggs
            || sub.has_having
            || q.set_operations.is_some();
        let found = if grouped {
            Ok(rows)
        } else {
            let exprs: Vec<Expr> = sub.tlist.iter().filter(|t| !t.resjunk).map(|t| t.expr.clone()).collect();
            self.num_groups(&sub, &exprs, rows)
        };
        if let Some(Some(rel)) = root.base.get_mut(*index as usize) {
            rel.subroot = Some(sub);
        }
        found
    }

    /// (PostgreSQL: `generate_recursion_path`)
    fn recursive_union(&mut self, root: &mut Root, node: &SetOpNode) -> Result<P> {
        let SetOpNode::Op { op: SetOperation::Union, all, larg, rarg, col_types, group_clauses } = node else {
            return Err(PgError::internal("only UNION queries can be recursive"));
        };
        let param = self.levels[root.level].wt_param.ok_or_else(|| PgError::internal("no worktable"))?;
        let saved = std::mem::replace(&mut root.tuple_fraction, 0.0);
        let l = self.setop_paths(root, larg, col_types)?;
        let l = cheapest(&l)?;
        self.levels[root.level].nonrecursive = Some((l.rows, l.target.width));
        let r = self.setop_paths(root, rarg, col_types)?;
        self.levels[root.level].nonrecursive = None;
        root.tuple_fraction = saved;
        let r = cheapest(&r)?;
        let clauses = if *all { Vec::new() } else { self.setop_clauses(group_clauses, col_types)?.0 };
        if clauses.iter().any(|c| !c.hashable) {
            return Err(PgError::new(base::sqlstate::FEATURE_NOT_SUPPORTED, "could not implement recursive UNION")
                .detail("All column datatypes must be hashable."));
        }
        let target = self.setop_target(root, col_types)?;
        let groups = if *all { 0.0 } else { l.rows + r.rows * 10.0 };
        let c = self.cx.cost.clone();
        let rows = l.rows + 10.0 * r.rows;
        let total = l.total + 10.0 * r.total + c.cpu_tuple_cost * rows;
        let kind = PathKind::RecursiveUnion { left: l.clone(), right: r.clone(), clauses, param, groups };
        let mut p = upper_path(kind, &l, target);
        p.relids.add(&r.relids);
        (p.rows, p.total) = (rows, total);
        p.disabled = l.disabled + r.disabled;
        p.pathkeys = Vec::new();
        Ok(Rc::new(p))
    }
}

fn is_empty(p: &P) -> bool {
    match &p.kind {
        PathKind::Append { paths } => paths.is_empty(),
        PathKind::Subquery { path, .. } => is_empty(path),
        PathKind::Projection { sub } => is_empty(sub),
        _ => false,
    }
}
