//! What follows scans and joins: grouping, window functions, DISTINCT, ORDER BY, row locks, LIMIT, changes of tables.
//!
//! PostgreSQL: `grouping_planner` and what it calls in `planner.c`.

use std::rc::Rc;

use analyze::query::*;
use base::{Oid, PgError, Result};

use crate::cost::clamp_row_est;
use crate::costsize::AggCosts;
use crate::node::*;
use crate::pathnode::*;
use crate::plan::*;
use crate::relids::Relids;
use crate::util::*;

impl Planner<'_, '_> {
    pub(crate) fn grouping_planner(&mut self, root: &mut Root) -> Result<()> {
        let (mut offset_est, mut count_est) = (0.0, 0.0);
        if root.parse.limit_count.is_some() || root.parse.limit_offset.is_some() {
            (root.tuple_fraction, offset_est, count_est) = self.preprocess_limit(root)?;
            if count_est > 0.0 && offset_est >= 0.0 {
                root.limit_tuples = count_est + offset_est;
            }
        }
        let final_target;
        let mut paths: Vec<P>;
        let mut srf_final: Vec<(Target, bool)> = Vec::new();
        if root.parse.set_operations.is_some() {
            if root.parse.sort_clause.is_empty() {
                // Nothing above sorts: the inputs may be read in part.
            } else {
                root.tuple_fraction = 0.0;
            }
            if !root.parse.row_marks.is_empty() {
                return Err(PgError::new(
                    base::sqlstate::FEATURE_NOT_SUPPORTED,
                    "FOR UPDATE is not allowed with UNION/INTERSECT/EXCEPT",
                ));
            }
            paths = self.plan_set_operations(root)?;
            let (clauses, tlist) = (root.parse.sort_clause.clone(), root.tlist.clone());
            root.sort_pathkeys = self.pathkeys_for_clauses(root, &clauses, &tlist)?;
            final_target = self.target_of(root, &tlist)?;
            let t = final_target.clone();
            paths =
                paths
                    .into_iter()
                    .map(|p| {
                        if p.target.exprs == t.exprs {
                            self.retarget(&p, t.clone())
                        } else {
                            self.project(&p, t.clone())
                        }
                    })
                    .collect();
        } else {
            (paths, final_target, srf_final) = self.plan_select(root)?;
        }

        // ORDER BY
        if !root.parse.sort_clause.is_empty() {
            paths = self.ordered_paths(
                root,
                paths,
                &final_target,
                &srf_final,
                if root.limit_tuples > 0.0 { root.limit_tuples } else { -1.0 },
            )?;
        }
        let keys = root.sort_pathkeys.clone();
        let _ = keys;
        let mut out: Vec<P> = Vec::new();
        for mut p in paths {
            if !root.parse.row_marks.is_empty() {
                let epq = self.new_exec_param(types::oid::INTERNALOID);
                let mut l = upper_path(
                    PathKind::LockRows { sub: p.clone(), marks: root.row_marks.clone(), epq },
                    &p,
                    p.target.clone(),
                );
                l.total += self.cx.cost.cpu_tuple_cost * p.rows;
                // Rows may change places when locked.
                p = Rc::new(l);
            }
            if self.limit_needed(&root.parse) {
                p = self.limit_path(
                    &p,
                    root.parse.limit_offset.clone(),
                    root.parse.limit_count.clone(),
                    root.parse.limit_with_ties,
                    (offset_est, count_est),
                );
            }
            if root.parse.command_type != CmdType::Select {
                p = self.modify_path(root, p)?;
            }
            add_path(&mut out, p, root.tuple_fraction > 0.0 || root.level > 0, false);
        }
        root.final_rows = out.first().map_or(0.0, |p| p.rows);
        root.final_paths = out;
        Ok(())
    }

    /// A `Target` for a target list.
    pub(crate) fn target_of(&mut self, root: &Root, tlist: &[TargetEntry]) -> Result<Rc<Target>> {
        let mut t = Target::default();
        for e in tlist {
            t.push(e.expr.clone(), e.ressortgroupref);
        }
        self.cost_target(root, t)
    }

    /// The same path under a target that differs only in its references.
    pub(crate) fn retarget(&self, p: &P, target: Rc<Target>) -> P {
        if p.target.refs == target.refs {
            return p.clone();
        }
        let mut n = upper_path(PathKind::Projection { sub: p.clone() }, p, target);
        n.rows = p.rows;
        Rc::new(n)
    }

    fn plan_select(&mut self, root: &mut Root) -> Result<(Vec<P>, Rc<Target>, Vec<(Target, bool)>)> {
        self.mark_rows(root)?;
        self.preprocess_targetlist(root)?;
        if root.parse.has_aggs {
            self.set_agg_types(root)?;
        }
        root.processed_groups = root.parse.group_clause.clone();
        if !root.parse.grouping_sets.is_empty() {
            let sets = expand_grouping_sets(&root.parse)?;
            root.grouping_sets = Some(self.prepare_grouping_sets(root, sets)?);
        }
        if root.parse.grouping_sets.is_empty() && !root.parse.group_clause.is_empty() {
            root.processed_groups = group_order(&root.parse);
            self.drop_dependent_groups(root)?;
        }
        let mut windows = Vec::new();
        if root.parse.has_window_funcs {
            self.optimize_windows(root)?;
            windows = self.active_windows(root)?;
        }
        let grouped = !root.parse.group_clause.is_empty()
            || !root.parse.grouping_sets.is_empty()
            || root.parse.has_aggs
            || root.has_having;
        // What stands above needs all rows before the first one comes out.
        let saved_fraction = root.tuple_fraction;
        if grouped || !windows.is_empty() || !root.parse.distinct_clause.is_empty() {
            if root.limit_tuples > 0.0 {
                root.limit_tuples = if grouped
                    || !windows.is_empty()
                    || !root.parse.distinct_clause.is_empty()
                    || root.parse.has_target_srfs
                {
                    -1.0
                } else {
                    root.limit_tuples
                };
            }
            if saved_fraction >= 1.0 {
                root.tuple_fraction = 0.0;
            }
        }
        if root.parse.has_target_srfs {
            root.limit_tuples = -1.0;
        }
        let win = windows.clone();
        let mut keys = move |me: &mut Self, root: &mut Root| me.query_keys(root, &win);
        let all = self.query_planner(root, &mut keys)?;
        if root.parse.limit_count.is_some()
            && root.limit_tuples < 0.0
            && !grouped
            && windows.is_empty()
            && root.parse.distinct_clause.is_empty()
            && !root.parse.has_target_srfs
        {
            // Unchanged: kept for clarity of the cases above.
        }
        let tlist = root.tlist.clone();
        let final_target = self.target_of(root, &tlist)?;
        let (sort_input, postponed) = if root.parse.sort_clause.is_empty() {
            (final_target.clone(), false)
        } else {
            self.sort_input_target(root, &final_target)?
        };
        let grouping_target = if windows.is_empty() {
            sort_input.clone()
        } else {
            self.window_input_target(root, &final_target, &windows)?
        };
        let scan_target =
            if grouped { self.group_input_target(root, &grouping_target)? } else { grouping_target.clone() };

        // The scans' and joins' paths with the columns wanted above.
        let rel = root.rel(&all).ok_or_else(crate::joinrels::no_rel)?;
        let mut input: Vec<P> = rel.paths.iter().filter(|p| p.param.is_none()).cloned().collect();
        if input.is_empty() {
            input.extend(rel.cheapest_total.clone());
        }
        let mut paths = self.with_target(root, input, &scan_target)?;

        if grouped {
            // What grouping compares was computed below it.
            let group_refs: Vec<u32> = root.parse.group_clause.iter().map(|c| c.tle_sort_group_ref).collect();
            for t in root.tlist.iter().filter(|t| group_refs.contains(&t.ressortgroupref)) {
                if has_srf(&t.expr) {
                    root.computed_srfs.push(t.expr.clone());
                }
            }
            let clean = if root.parse.has_target_srfs && windows.is_empty() {
                self.without_srfs(root, &grouping_target)?
            } else {
                grouping_target.clone()
            };
            let clean = if windows.is_empty() { clean } else { self.without_srfs(root, &grouping_target)? };
            paths = self.grouping_paths(root, paths, &clean, &all)?;
            paths = self.with_target(root, paths, &grouping_target)?;
        }
        if !windows.is_empty() {
            let out =
                if root.parse.has_target_srfs { self.without_srfs(root, &sort_input)? } else { sort_input.clone() };
            paths = self.window_paths(root, paths, &windows, &grouping_target, &out)?;
            paths = self.with_target(root, paths, &sort_input)?;
        }
        if !root.parse.distinct_clause.is_empty() {
            paths = self.distinct_paths(root, paths)?;
        }
        let srf_final =
            if postponed && root.parse.has_target_srfs { self.split_srfs(root, &final_target)? } else { Vec::new() };
        Ok((paths, final_target, srf_final))
    }

    /// The orders the query wants, once classes exist. (PostgreSQL: `standard_qp_callback`)
    fn query_keys(&mut self, root: &mut Root, windows: &[WindowClause]) -> Result<()> {
        let tlist = root.tlist.clone();
        if let Some(sets) = &root.grouping_sets {
            let clause = sets.rollups.first().map(|r| r.clause.clone()).unwrap_or_default();
            if clause.iter().all(|c| c.sortop.is_valid()) {
                // The columns as they are before grouping nulls some of them.
                let mut below = tlist.clone();
                for t in &mut below {
                    t.expr = strip_group_nulling(&t.expr, root.group_rti);
                }
                root.group_pathkeys = self.pathkeys_for_clauses(root, &clause, &below)?;
            }
        } else if !root.processed_groups.is_empty() {
            let list = root.processed_groups.clone();
            let (keys, kept, sortable) = self.pathkeys_for_clauses_ext(root, &list, &tlist)?;
            root.group_pathkeys = if sortable { keys } else { Vec::new() };
            // Constant keys need no comparison, but without any there would be a group of no rows.
            if sortable && !kept.is_empty() {
                root.processed_groups = kept;
            } else if sortable {
                root.processed_groups.truncate(1);
            }
        }
        root.num_groupby_pathkeys = root.group_pathkeys.len();
        if let Some(w) = windows.first() {
            root.window_pathkeys = self.window_keys(root, w)?;
        }
        if !root.parse.distinct_clause.is_empty() {
            let list = root.parse.distinct_clause.clone();
            let (keys, kept, sortable) = self.pathkeys_for_clauses_ext(root, &list, &tlist)?;
            root.distinct_pathkeys = if sortable { keys } else { Vec::new() };
            root.processed_distinct = if sortable { kept } else { list };
        }
        let list = root.parse.sort_clause.clone();
        root.sort_pathkeys = self.pathkeys_for_clauses(root, &list, &tlist)?;
        root.query_pathkeys = if !root.group_pathkeys.is_empty() {
            root.group_pathkeys.clone()
        } else if !root.window_pathkeys.is_empty() {
            root.window_pathkeys.clone()
        } else if root.distinct_pathkeys.len() > root.sort_pathkeys.len() {
            root.distinct_pathkeys.clone()
        } else {
            root.sort_pathkeys.clone()
        };
        Ok(())
    }

    // ---- targets ----

    /// Paths that yield a target, set-returning functions in steps of their own.
    fn with_target(&mut self, root: &Root, paths: Vec<P>, target: &Rc<Target>) -> Result<Vec<P>> {
        if !target.exprs.iter().any(|e| srf_depth(e, &root.computed_srfs) > 0) {
            let mut out = Vec::with_capacity(paths.len());
            for p in &paths {
                out.push(match self.project_members(root, p, target)? {
                    Some(p) => p,
                    None => self.project(p, target.clone()),
                });
            }
            return Ok(out);
        }
        let steps = self.split_srfs(root, target)?;
        self.in_steps(root, paths, &steps)
    }

    fn in_steps(&mut self, root: &Root, paths: Vec<P>, steps: &[(Target, bool)]) -> Result<Vec<P>> {
        let mut out = Vec::new();
        for p in paths {
            let mut p = p;
            for (t, srf) in steps {
                let t = self.cost_target(root, t.clone())?;
                if *srf {
                    let mut rows = 1.0f64;
                    for e in &t.exprs {
                        rows = rows.max(self.srf_rows(e)?);
                    }
                    let c = self.cx.cost;
                    let mut s = upper_path(PathKind::ProjectSet { sub: p.clone() }, &p, t.clone());
                    s.rows = p.rows * rows;
                    s.startup += t.startup;
                    s.total += t.startup
                        + (c.cpu_tuple_cost + t.per_tuple) * p.rows
                        + (s.rows - p.rows) * c.cpu_tuple_cost / 2.0;
                    p = Rc::new(s);
                } else {
                    p = self.project(&p, t);
                }
            }
            out.push(p);
        }
        Ok(out)
    }

    /// Steps that compute a target with set-returning functions, innermost first. (PostgreSQL: `split_pathtarget_at_srfs`)
    fn split_srfs(&mut self, root: &Root, target: &Target) -> Result<Vec<(Target, bool)>> {
        let done = &root.computed_srfs[..];
        let srf_depth = |e: &Expr| srf_depth(e, done);
        let max = target.exprs.iter().map(srf_depth).max().unwrap_or(0);
        if max == 0 {
            return Ok(vec![(target.clone(), false)]);
        }
        // What lies below all the functions, and stays available on the way up.
        let mut base = Target::default();
        for (e, r) in target.exprs.iter().zip(&target.refs) {
            if srf_depth(e) == 0 {
                if *r != 0 || !matches!(e, Expr::Const(_)) {
                    if *r != 0 {
                        base.push(e.clone(), *r);
                    } else {
                        base.push_new(e);
                    }
                }
            } else {
                let mut parts = Vec::new();
                pull_parts(e, done, &mut parts);
                parts.iter().for_each(|p| base.push_new(p));
            }
        }
        let mut steps = vec![(base.clone(), false)];
        let mut carried = base;
        for d in 1..=max {
            let mut found = Vec::new();
            target.exprs.iter().for_each(|e| srfs_at(e, d, done, &mut found));
            let last = d == max;
            if last && target.exprs.iter().all(|e| srf_depth(e) < max || (is_srf_node(e) && srf_depth(e) == max)) {
                steps.push((target.clone(), true));
                return Ok(steps);
            }
            let mut t = carried.clone();
            found.iter().for_each(|e| t.push_new(e));
            steps.push((t.clone(), true));
            carried = t;
        }
        steps.push((target.clone(), false));
        Ok(steps)
    }

    /// A target whose set-returning functions are replaced by what they read.
    fn without_srfs(&mut self, root: &Root, target: &Rc<Target>) -> Result<Rc<Target>> {
        if !target.exprs.iter().any(|e| srf_depth(e, &root.computed_srfs) > 0) {
            return Ok(target.clone());
        }
        let steps = self.split_srfs(root, target)?;
        self.cost_target(root, steps[0].0.clone())
    }

    /// (PostgreSQL: `make_group_input_target`)
    fn group_input_target(&mut self, root: &Root, target: &Target) -> Result<Rc<Target>> {
        let mut t = Target::default();
        let mut others: Vec<Expr> = Vec::new();
        let group_refs: Vec<u32> = root.parse.group_clause.iter().map(|c| c.tle_sort_group_ref).collect();
        for (e, r) in target.exprs.iter().zip(&target.refs) {
            if *r != 0 && group_refs.contains(r) {
                t.push(strip_group_nulling(e, root.group_rti), *r);
            } else {
                others.push(e.clone());
            }
        }
        // Grouping expressions that the select list does not show are junk entries of the target list.
        for c in &root.parse.group_clause {
            if !t.refs.contains(&c.tle_sort_group_ref) {
                let e = sortgroup_tle(&root.tlist, c.tle_sort_group_ref)?;
                t.push(strip_group_nulling(&e.expr, root.group_rti), c.tle_sort_group_ref);
            }
        }
        others.extend(root.parse.having_qual.clone());
        for e in others {
            let e = strip_group_nulling(&e, root.group_rti);
            let mut parts = Vec::new();
            pull_vars(&e, Pull::Recurse, Pull::Recurse, &mut parts);
            parts.iter().for_each(|p| t.push_new(p));
        }
        self.cost_target(root, t)
    }

    /// (PostgreSQL: `make_window_input_target`)
    fn window_input_target(&mut self, root: &Root, target: &Target, windows: &[WindowClause]) -> Result<Rc<Target>> {
        let mut refs: Vec<u32> = Vec::new();
        for w in windows {
            refs.extend(w.partition_clause.iter().chain(&w.order_clause).map(|c| c.tle_sort_group_ref));
        }
        refs.extend(root.parse.group_clause.iter().map(|c| c.tle_sort_group_ref));
        let mut t = Target::default();
        let mut others = Vec::new();
        for (e, r) in target.exprs.iter().zip(&target.refs) {
            if *r != 0 && refs.contains(r) {
                t.push(e.clone(), *r);
            } else {
                others.push(e.clone());
            }
        }
        for e in others {
            let mut parts = Vec::new();
            pull_vars(&e, Pull::Include, Pull::Recurse, &mut parts);
            parts.iter().for_each(|p| t.push_new(p));
        }
        self.cost_target(root, t)
    }

    /// The target to sort: what is volatile, expensive or set-returning and not sorted by comes later.
    /// (PostgreSQL: `make_sort_input_target`)
    fn sort_input_target(&mut self, root: &Root, target: &Rc<Target>) -> Result<(Rc<Target>, bool)> {
        let mut late = vec![false; target.exprs.len()];
        let (mut any, mut have_srf_kept) = (false, false);
        let limited = root.parse.limit_count.is_some() || root.tuple_fraction > 0.0;
        for (i, (e, r)) in target.exprs.iter().zip(&target.refs).enumerate() {
            if *r != 0 {
                have_srf_kept |= has_srf(e);
                continue;
            }
            if has_srf(e) {
                late[i] = true;
                any = true;
            } else if is_volatile(&self.cx.catalog, e)? {
                late[i] = true;
                any = true;
            } else if limited && self.expr_cost(e).1 > 10.0 * self.cx.cost.cpu_operator_cost {
                late[i] = true;
                any = true;
            }
        }
        // Functions that return sets must not run at different times.
        if have_srf_kept {
            for (i, e) in target.exprs.iter().enumerate() {
                if has_srf(e) {
                    late[i] = false;
                }
            }
            any = late.iter().any(|l| *l);
        }
        if !any {
            return Ok((target.clone(), false));
        }
        let mut t = Target::default();
        for (i, (e, r)) in target.exprs.iter().zip(&target.refs).enumerate() {
            if !late[i] {
                t.push(e.clone(), *r);
            }
        }
        for (i, e) in target.exprs.iter().enumerate() {
            if late[i] {
                let mut parts = Vec::new();
                pull_vars(e, Pull::Include, Pull::Include, &mut parts);
                parts.iter().for_each(|p| t.push_new(p));
            }
        }
        Ok((self.cost_target(root, t)?, true))
    }

    // ---- grouping ----

    fn grouping_paths(&mut self, root: &mut Root, input: Vec<P>, target: &Rc<Target>, all: &Relids) -> Result<Vec<P>> {
        let having = implicit_and(root.parse.having_qual.clone());
        let has_aggs = root.parse.has_aggs;
        let cheapest = cheapest(&input)?;
        if !has_aggs && root.parse.group_clause.is_empty() && root.parse.grouping_sets.is_empty() {
            // HAVING alone: one row or none.
            let mut rel = Rel::new(Relids::new());
            rel.target = target.clone();
            let mut p =
                new_path(PathKind::Result { quals: having }, &rel, None, 1.0, (0.0, self.cx.cost.cpu_tuple_cost));
            p.target = target.clone();
            return Ok(vec![Rc::new(p)]);
        }
        let mut exprs: Vec<&Expr> = target.exprs.iter().collect();
        exprs.extend(&having);
        let costs = self.agg_costs(&exprs)?;
        let having_cost = self.exprs_cost(&having);
        let groups = root.processed_groups.clone();
        let group_exprs: Result<Vec<Expr>> =
            groups.iter().map(|c| Ok(sortgroup_tle(&root.tlist, c.tle_sort_group_ref)?.expr.clone())).collect();
        let group_exprs = group_exprs?;
        let mut n_groups = if root.parse.grouping_sets.is_empty() {
            if root.parse.group_clause.is_empty() { 1.0 } else { self.num_groups(root, &group_exprs, cheapest.rows)? }
        } else {
            let mut data = root.grouping_sets.take().unwrap_or_default();
            let n = self.count_set_groups(root, &mut data, cheapest.rows)?;
            root.grouping_sets = Some(data);
            n
        };
        let mut having_sel = 1.0;
        for h in &having {
            having_sel *= self.clause_selectivity(root, h, crate::selfuncs::SelContext::scan(0))?;
        }
        n_groups = clamp_row_est(n_groups);
        let mut out: Vec<P> = Vec::new();
        let agg = |me: &Self, sub: &P, strategy: AggStrategy, clauses: &[SortGroupClause], keys: Vec<PathKey>| -> P {
            let c = me.cost_agg(
                strategy,
                &costs,
                clauses.len(),
                n_groups,
                &having_cost,
                (sub.startup, sub.total),
                sub.rows,
                sub.target.width,
            );
            let kind = PathKind::Agg {
                sub: sub.clone(),
                strategy,
                clauses: clauses.to_vec(),
                having: having.clone(),
                groups: n_groups,
                rollups: Vec::new(),
            };
            let mut p = upper_path(kind, sub, target.clone());
            p.rows = clamp_row_est(n_groups * having_sel);
            (p.startup, p.total, p.pathkeys) = (c.startup, c.total, keys);
            p.startup += target.startup;
            p.total += target.startup + target.per_tuple * p.rows;
            if strategy == AggStrategy::Hashed && !me.cx.cost.enable_hashagg {
                p.disabled += 1;
            }
            Rc::new(p)
        };
        if let Some(data) = root.grouping_sets.clone() {
            let cx = crate::groupingsets::SetsContext {
                costs: &costs,
                having: &having,
                having_cost,
                having_selectivity: having_sel,
                target,
            };
            let ordered_aggs = exprs.iter().any(|e| contains(e, is_ordered_agg));
            let can_hash = !ordered_aggs && root.parse.group_clause.iter().any(|c| c.hashable);
            let keys = root.group_pathkeys.clone();
            for p in &input {
                let presorted = self.keys_contained(&keys, &p.pathkeys);
                if !Rc::ptr_eq(p, &cheapest) && !presorted.0 {
                    continue;
                }
                let s = self.ordered(root, p, &keys, -1.0)?;
                for g in self.grouping_sets_paths(root, &cx, &data, &s, true, can_hash) {
                    add_path(&mut out, g, false, false);
                }
            }
            if can_hash {
                for g in self.grouping_sets_paths(root, &cx, &data, &cheapest, false, true) {
                    add_path(&mut out, g, false, false);
                }
            }
            if out.is_empty() {
                return Err(PgError::new(base::sqlstate::FEATURE_NOT_SUPPORTED, "could not implement GROUP BY")
                    .detail("Some of the datatypes only support hashing, while others only support sorting."));
            }
            return Ok(out);
        }
        if root.parse.group_clause.is_empty() {
            if let Some(p) = self.minmax_path(root, target, &having, all)? {
                out.push(p);
            }
            let p = agg(self, &cheapest, AggStrategy::Plain, &[], Vec::new());
            add_path(&mut out, p, false, false);
            return Ok(out);
        }
        let sortable = root.parse.group_clause.iter().all(|c| c.sortop.is_valid());
        let ordered_aggs = exprs.iter().any(|e| contains(e, is_ordered_agg));
        let hashable = root.parse.group_clause.iter().all(|c| c.hashable) && !ordered_aggs;
        if sortable {
            let keys = root.group_pathkeys.clone();
            for p in &input {
                let presorted = self.keys_contained(&keys, &p.pathkeys);
                if !Rc::ptr_eq(p, &cheapest)
                    && !presorted.0
                    && (presorted.1 == 0 || !self.cx.cost.enable_incremental_sort)
                {
                    continue;
                }
                let s = self.ordered(root, p, &keys, -1.0)?;
                let g = if has_aggs {
                    agg(self, &s, AggStrategy::Sorted, &groups, s.pathkeys.clone())
                } else {
                    let c = self.cx.cost;
                    let kind = PathKind::Group { sub: s.clone(), clauses: groups.clone(), having: having.clone() };
                    let mut g = upper_path(kind, &s, target.clone());
                    g.rows = clamp_row_est(n_groups * having_sel);
                    g.total += c.cpu_operator_cost * s.rows * groups.len() as f64;
                    g.startup += having_cost.0 + target.startup;
                    g.total += having_cost.0 + n_groups * having_cost.1 + target.startup + target.per_tuple * g.rows;
                    Rc::new(g)
                };
                add_path(&mut out, g, root.tuple_fraction > 0.0, false);
            }
        }
        if hashable {
            let p = agg(self, &cheapest, AggStrategy::Hashed, &groups, Vec::new());
            add_path(&mut out, p, root.tuple_fraction > 0.0, false);
        }
        if out.is_empty() {
            return Err(PgError::new(base::sqlstate::FEATURE_NOT_SUPPORTED, "could not implement GROUP BY")
                .detail("Some of the datatypes only support hashing, while others only support sorting."));
        }
        Ok(out)
    }

    /// (PostgreSQL: `preprocess_aggrefs`, as far as the types go)
    fn set_agg_types(&mut self, root: &mut Root) -> Result<()> {
        let cat = self.cx.catalog.clone();
        let fix = |e: &mut Expr| {
            mutate(e, &mut |x| {
                if let Expr::Aggref(a) = x
                    && !a.aggtranstype.is_valid()
                {
                    if let Some(row) = cat.aggregate(a.aggfnoid)? {
                        a.aggtranstype = row.aggtranstype;
                    }
                }
                Ok(true)
            })
        };
        for t in &mut root.tlist {
            fix(&mut t.expr)?;
        }
        if let Some(h) = &mut root.parse.having_qual {
            fix(h)?;
        }
        Ok(())
    }

    /// MIN and MAX without GROUP BY, each by the end of an index. (PostgreSQL: `preprocess_minmax_aggregates`)
    fn minmax_path(
        &mut self,
        root: &mut Root,
        target: &Rc<Target>,
        having: &[Expr],
        all: &Relids,
    ) -> Result<Option<P>> {
        if root.parse.has_window_funcs || !root.parse.cte_list.is_empty() || !root.parse.row_marks.is_empty() {
            return Ok(None);
        }
        let Some(rti) = all.as_single() else { return Ok(None) };
        if !matches!(root.parse.rte(rti).kind, RteKind::Relation { .. }) {
            return Ok(None);
        }
        let mut aggs: Vec<Aggref> = Vec::new();
        let mut other = false;
        for e in target.exprs.iter().chain(having) {
            walk(e, &mut |x| {
                match x {
                    Expr::Aggref(a) => {
                        if !aggs.contains(a) {
                            aggs.push((**a).clone());
                        }
                        return false;
                    }
                    Expr::GroupingFunc(_) => other = true,
                    _ => {}
                }
                true
            });
        }
        if other || aggs.is_empty() {
            return Ok(None);
        }
        let mut inits = Vec::new();
        let mut cost = 0.0;
        let mut replaced = Vec::new();
        for a in aggs {
            let row = self.cx.catalog.aggregate(a.aggfnoid)?;
            let sortop = row.map_or(Oid::INVALID, |r| r.aggsortop);
            let plain = sortop.is_valid()
                && a.args.len() == 1
                && a.aggorder.is_empty()
                && a.aggdistinct.is_empty()
                && a.aggfilter.is_none()
                && a.aggkind == b'n';
            if !plain {
                return Ok(None);
            }
            let arg = a.args[0].expr.clone();
            if is_mutable(&self.cx.catalog, &arg)? || has_subplan(&arg) || arg.type_oid() == types::oid::RECORDOID {
                return Ok(None);
            }
            // Only worth a try if some index could give the order.
            let possible = root.base[rti as usize].as_ref().is_some_and(|r| {
                r.indexes.iter().any(|i| {
                    (0..i.nkeys).any(|c| {
                        let e = self.index_column_expr(i, c);
                        strip_relabel(&e) == strip_relabel(&arg)
                    })
                })
            });
            if !possible {
                return Ok(None);
            }
            let Some((_, _, desc)) = ordering_op(&self.cx.catalog, sortop)? else { return Ok(None) };
            let Some((sub, path)) = self.minmax_subquery(root, rti, &arg, sortop, desc)? else { return Ok(None) };
            let ty = TypeMod { oid: a.aggtype, typmod: -1, collation: a.aggcollid };
            let id = self.new_exec_param(a.aggtype);
            let param = Param { kind: ParamKind::Exec, id, ty, location: base::error::Location::UNKNOWN };
            cost += path.total;
            inits.push((std::cell::RefCell::new(Some(Box::new(sub))), path, param.clone()));
            replaced.push((a, param));
        }
        let mut rel = Rel::new(Relids::new());
        rel.target = target.clone();
        root.minmax_params = replaced;
        let hq = self.exprs_cost(having);
        let start = cost + target.startup + hq.0 + hq.1;
        let kind = PathKind::MinMaxAgg { inits, having: having.to_vec() };
        let p = new_path(kind, &rel, None, 1.0, (start, start + target.per_tuple + self.cx.cost.cpu_tuple_cost));
        Ok(Some(Rc::new(p)))
    }

    /// `SELECT arg FROM .. WHERE .. AND arg IS NOT NULL ORDER BY arg LIMIT 1`, if an index gives the order.
    fn minmax_subquery(
        &mut self,
        root: &Root,
        rti: RtIndex,
        arg: &Expr,
        sortop: Oid,
        desc: bool,
    ) -> Result<Option<(Root, P)>> {
        // SubPlans in conditions belong to this level and could not be copied.
        let has_sub =
            root.base[rti as usize].as_ref().is_some_and(|r| r.baserestrict.iter().any(|q| has_subplan(&q.clause)));
        if has_sub {
            return Ok(None);
        }
        let mut q = root.parse.clone();
        q.target_list = vec![tle(arg.clone(), 1, Some("agg_target".into()), false)];
        q.target_list[0].ressortgroupref = 1;
        let eqop = equality_for_ordering(&self.cx.catalog, sortop)?;
        q.sort_clause = vec![SortGroupClause {
            tle_sort_group_ref: 1,
            eqop,
            sortop,
            reverse_sort: desc,
            nulls_first: desc,
            hashable: false,
        }];
        q.having_qual = None;
        q.has_aggs = false;
        q.distinct_clause.clear();
        q.has_distinct_on = false;
        q.has_sub_links = false;
        q.limit_offset = None;
        q.limit_with_ties = false;
        q.command_type = CmdType::Select;
        q.limit_count = Some(Expr::Const(Const {
            ty: TypeMod { oid: types::oid::INT8OID, typmod: -1, collation: Oid::INVALID },
            len: 8,
            byval: true,
            value: types::Datum::i64(1),
            location: base::error::Location::UNKNOWN,
        }));
        let not_null = Expr::NullTest(Box::new(NullTest {
            arg: arg.clone(),
            not: true,
            argisrow: false,
            location: base::error::Location::UNKNOWN,
        }));
        let all = [not_null].into_iter().chain(implicit_and(q.jointree.quals.take())).collect();
        q.jointree.quals = Expr::and_all(all);
        q.rteperminfos.clear();
        for r in &mut q.rtable {
            match &mut r.kind {
                RteKind::Relation { perminfoindex, .. } => *perminfoindex = 0,
                RteKind::Subquery { view: Some(v), .. } => v.perminfoindex = 0,
                _ => {}
            }
        }
        let sub = self.subquery_planner(q, false, 1.0, None)?;
        // Without a sort: then an index gave the order.
        let best = sub
            .final_paths
            .iter()
            .filter(|p| !has_sort(p))
            .fold(None::<&P>, |b, p| if b.is_none_or(|b| p.total < b.total) { Some(p) } else { b })
            .cloned();
        Ok(best.map(|p| (sub, p)))
    }

    // ---- windows ----

    /// The windows in use, those first that sort most alike. (PostgreSQL: `select_active_windows`)
    fn active_windows(&mut self, root: &mut Root) -> Result<Vec<WindowClause>> {
        let mut used: Vec<u32> = Vec::new();
        for t in &root.tlist {
            walk(&t.expr, &mut |x| {
                if let Expr::WindowFunc(w) = x
                    && !used.contains(&w.winref)
                {
                    used.push(w.winref);
                }
                true
            });
        }
        let mut list: Vec<WindowClause> =
            root.parse.window_clause.iter().filter(|w| used.contains(&w.winref)).cloned().collect();
        let keys = |w: &WindowClause| -> Vec<(u32, u32, bool)> {
            w.partition_clause
                .iter()
                .chain(&w.order_clause)
                .map(|c| (c.tle_sort_group_ref, c.sortop.0, c.nulls_first))
                .collect()
        };
        // Longer orders come first so that shorter ones, their prefixes, need no sort; then as written.
        list.sort_by(|a, b| {
            let (x, y) = (keys(a), keys(b));
            for (k, l) in x.iter().zip(&y) {
                match l.0.cmp(&k.0).then(l.1.cmp(&k.1)).then(l.2.cmp(&k.2)) {
                    std::cmp::Ordering::Equal => {}
                    o => return o,
                }
            }
            y.len().cmp(&x.len())
        });
        let taken: Vec<String> = list.iter().filter_map(|w| w.name.clone()).collect();
        let mut next = 0;
        for w in list.iter_mut().filter(|w| w.name.is_none()) {
            loop {
                next += 1;
                let name = format!("w{next}");
                if !taken.contains(&name) {
                    w.name = Some(name);
                    break;
                }
            }
        }
        Ok(list)
    }

    fn window_keys(&mut self, root: &mut Root, w: &WindowClause) -> Result<Vec<PathKey>> {
        let tlist = root.tlist.clone();
        let list: Vec<SortGroupClause> = w.partition_clause.iter().chain(&w.order_clause).cloned().collect();
        if list.iter().any(|c| !c.sortop.is_valid()) {
            return Err(PgError::new(base::sqlstate::FEATURE_NOT_SUPPORTED, "could not implement window PARTITION BY")
                .detail("Window partitioning columns must be of sortable datatypes."));
        }
        self.pathkeys_for_clauses(root, &list, &tlist)
    }

    /// The window without keys that are constant or the same as earlier ones, and its order.
    /// (PostgreSQL: `make_pathkeys_for_window`)
    fn reduced_window(&mut self, root: &mut Root, w: &WindowClause) -> Result<(Vec<PathKey>, WindowClause)> {
        let tlist = root.tlist.clone();
        let mut w = w.clone();
        let keys = self.window_keys(root, &w)?;
        let (_, partition, sortable) = self.pathkeys_for_clauses_ext(root, &w.partition_clause, &tlist)?;
        if sortable {
            w.partition_clause = partition;
        }
        Ok((keys, w))
    }

    fn window_paths(
        &mut self,
        root: &mut Root,
        input: Vec<P>,
        windows: &[WindowClause],
        input_target: &Rc<Target>,
        output: &Rc<Target>,
    ) -> Result<Vec<P>> {
        let best = cheapest(&input)?;
        let mut out = Vec::new();
        for p in &input {
            let first = self.window_keys(root, &windows[0])?;
            if !Rc::ptr_eq(p, &best) && !self.satisfies(&p.pathkeys, &first) {
                continue;
            }
            let mut p = p.clone();
            let mut target = (**input_target).clone();
            let mut below: Vec<Expr> = Vec::new();
            for (i, w) in windows.iter().enumerate() {
                let (keys, w) = self.reduced_window(root, w)?;
                let w = &w;
                p = self.ordered(root, &p, &keys, -1.0)?;
                let mut funcs: Vec<Expr> = Vec::new();
                for t in &root.tlist {
                    walk(&t.expr, &mut |x| {
                        if let Expr::WindowFunc(f) = x {
                            if f.winref == w.winref && !funcs.contains(x) {
                                funcs.push(x.clone());
                            }
                            return false;
                        }
                        true
                    });
                }
                let top = i + 1 == windows.len();
                let t = if top {
                    output.clone()
                } else {
                    funcs.iter().for_each(|f| target.push_new(f));
                    self.cost_target(root, target.clone())?
                };
                let c = self.cx.cost;
                let mut per_row = 0.0;
                for f in &funcs {
                    if let Expr::WindowFunc(f) = f {
                        let proc = self.cx.catalog.function_row(f.winfnoid)?;
                        let args = self.exprs_cost(f.args.iter().chain(&f.aggfilter));
                        per_row += f64::from(proc.procost) * c.cpu_operator_cost + args.1;
                    }
                }
                let n = w.partition_clause.len() + w.order_clause.len();
                let run = self.run_conditions(root, w.winref)?;
                let c = self.cx.cost;
                let kind = PathKind::WindowAgg {
                    sub: p.clone(),
                    clause: Box::new(w.clone()),
                    funcs: funcs.len(),
                    top,
                    qual: if top { below.clone() } else { Vec::new() },
                    run_condition: run.clone(),
                };
                if !top {
                    below.extend(run);
                }
                let mut x = upper_path(kind, &p, t.clone());
                x.total += (per_row + c.cpu_operator_cost * n as f64 + c.cpu_tuple_cost) * p.rows;
                // The first row waits for its frame.
                x.startup += if w.order_clause.is_empty() {
                    x.total - p.startup
                } else {
                    (x.total - p.startup) / p.rows.max(1.0)
                };
                x.startup += t.startup;
                x.total += t.startup + t.per_tuple * x.rows;
                p = Rc::new(x);
            }
            add_path(&mut out, p, root.tuple_fraction > 0.0, false);
        }
        Ok(out)
    }

    // ---- DISTINCT ----

    fn distinct_paths(&mut self, root: &mut Root, input: Vec<P>) -> Result<Vec<P>> {
        let best = cheapest(&input)?;
        let clauses = root.processed_distinct.clone();
        let exprs: Result<Vec<Expr>> = root
            .parse
            .distinct_clause
            .iter()
            .map(|c| Ok(sortgroup_tle(&root.tlist, c.tle_sort_group_ref)?.expr.clone()))
            .collect();
        let rows = if !root.parse.group_clause.is_empty() || !root.parse.grouping_sets.is_empty() || root.parse.has_aggs
        {
            best.rows
        } else {
            self.num_groups(root, &exprs?, best.rows)?
        };
        let c = self.cx.cost.clone();
        let mut out = Vec::new();
        let sortable = root.parse.distinct_clause.iter().all(|c| c.sortop.is_valid());
        if sortable {
            // DISTINCT ON takes the first row in the order that was asked for.
            let mut needed = root.distinct_pathkeys.clone();
            if root.parse.has_distinct_on && root.distinct_pathkeys.len() < root.sort_pathkeys.len() {
                needed = root.sort_pathkeys.clone();
            }
            let ncols = root.distinct_pathkeys.len();
            for p in &input {
                let (all, n) = self.keys_contained(&needed, &p.pathkeys);
                if !Rc::ptr_eq(p, &best) && !all && (n == 0 || !c.enable_incremental_sort) {
                    continue;
                }
                let s = self.ordered(root, p, &needed, -1.0)?;
                let u = if ncols == 0 {
                    // All columns are constant: one row.
                    let one = Expr::Const(Const {
                        ty: TypeMod { oid: types::oid::INT8OID, typmod: -1, collation: Oid::INVALID },
                        len: 8,
                        byval: true,
                        value: types::Datum::i64(1),
                        location: base::error::Location::UNKNOWN,
                    });
                    self.limit_path(&s, None, Some(one), false, (0.0, 1.0))
                } else {
                    let mut u = upper_path(PathKind::UpperUnique { sub: s.clone(), keys: ncols }, &s, s.target.clone());
                    u.total += c.cpu_operator_cost * s.rows * ncols as f64;
                    u.rows = rows;
                    Rc::new(u)
                };
                add_path(&mut out, u, root.tuple_fraction > 0.0, false);
            }
        }
        let hashable = !root.parse.has_distinct_on && root.parse.distinct_clause.iter().all(|c| c.hashable);
        if hashable && !clauses.is_empty() && (c.enable_hashagg || out.is_empty()) {
            let cost = self.cost_agg(
                AggStrategy::Hashed,
                &AggCosts::default(),
                clauses.len(),
                rows,
                &(0.0, 0.0),
                (best.startup, best.total),
                best.rows,
                best.target.width,
            );
            let kind = PathKind::Agg {
                sub: best.clone(),
                strategy: AggStrategy::Hashed,
                clauses,
                having: Vec::new(),
                groups: rows,
                rollups: Vec::new(),
            };
            let mut p = upper_path(kind, &best, best.target.clone());
            (p.startup, p.total, p.rows) = (cost.startup, cost.total, rows);
            p.pathkeys = Vec::new();
            add_path(&mut out, Rc::new(p), root.tuple_fraction > 0.0, false);
        }
        if out.is_empty() {
            return Err(PgError::new(base::sqlstate::FEATURE_NOT_SUPPORTED, "could not implement DISTINCT")
                .detail("Some of the datatypes only support hashing, while others only support sorting."));
        }
        Ok(out)
    }

    // ---- ORDER BY, LIMIT ----

    fn ordered_paths(
        &mut self,
        root: &mut Root,
        input: Vec<P>,
        target: &Rc<Target>,
        srfs: &[(Target, bool)],
        limit: f64,
    ) -> Result<Vec<P>> {
        let best = cheapest(&input)?;
        let keys = root.sort_pathkeys.clone();
        let mut out = Vec::new();
        for p in &input {
            let (all, n) = self.keys_contained(&keys, &p.pathkeys);
            let mut sorted = Vec::new();
            if all {
                sorted.push(p.clone());
            } else {
                if Rc::ptr_eq(p, &best) {
                    sorted.push(self.sort_path(p, keys.clone(), limit));
                }
                if n > 0 && self.cx.cost.enable_incremental_sort {
                    sorted.push(self.incremental_sort_path(root, p, keys.clone(), n, limit)?);
                }
            }
            for s in sorted {
                let s = if s.target.exprs == target.exprs && s.target.refs == target.refs {
                    s
                } else if !srfs.is_empty() {
                    self.in_steps(root, vec![s], &srfs[1..])?.swap_remove(0)
                } else {
                    self.project(&s, target.clone())
                };
                add_path(&mut out, s, root.tuple_fraction > 0.0, false);
            }
        }
        Ok(out)
    }

    fn limit_needed(&self, q: &Query) -> bool {
        match &q.limit_count {
            None => {}
            Some(Expr::Const(c)) if c.value.is_null() => {}
            Some(_) => return true,
        }
        match &q.limit_offset {
            None => false,
            Some(Expr::Const(c)) => !c.value.is_null() && c.value.as_ref().word() != 0,
            Some(_) => true,
        }
    }

    /// The share of rows wanted, the estimates of offset and count (0 none, -1 unknown). (PostgreSQL: `preprocess_limit`)
    fn preprocess_limit(&mut self, root: &Root) -> Result<(f64, f64, f64)> {
        let estimate = |me: &mut Self, e: &Option<Expr>| -> Result<f64> {
            let Some(e) = e else { return Ok(0.0) };
            Ok(match me.estimate_value(e)? {
                Expr::Const(c) if c.value.is_null() => 0.0,
                Expr::Const(c) => (c.value.as_ref().word() as i64 as f64).max(0.0),
                _ => -1.0,
            })
        };
        let mut count = estimate(self, &root.parse.limit_count)?;
        if root.parse.limit_count.is_some() && count == 0.0 {
            // LIMIT 0 is planned as LIMIT 1; a null one is none.
            let null = matches!(&root.parse.limit_count, Some(e) if e.is_const_null());
            count = if null { 0.0 } else { 1.0 };
        }
        let offset = estimate(self, &root.parse.limit_offset)?;
        let mut fraction = root.tuple_fraction;
        if count != 0.0 {
            let limit = if count < 0.0 || offset < 0.0 { 0.10 } else { count + offset };
            fraction = if fraction >= 1.0 {
                if limit >= 1.0 { fraction.min(limit) } else { fraction }
            } else if fraction > 0.0 {
                if limit >= 1.0 { limit } else { fraction * limit }
            } else {
                limit
            };
        } else if offset != 0.0 && fraction > 0.0 {
            let limit = if offset < 0.0 { 0.10 } else { offset };
            fraction = if fraction >= 1.0 {
                if limit >= 1.0 { fraction + limit } else { limit }
            } else if limit >= 1.0 {
                fraction
            } else {
                fraction + limit
            };
            if fraction > 0.0 && fraction < 1.0 && limit < 1.0 && fraction >= 1.0 {
                fraction = 0.0;
            }
        }
        Ok((fraction, offset, count))
    }
}

/// An aggregate whose input must be sorted or made unique for each group.
fn is_ordered_agg(e: &Expr) -> bool {
    matches!(e, Expr::Aggref(a) if !a.aggdistinct.is_empty() || !a.aggorder.is_empty() || a.aggkind != b'n')
}

/// The cheapest one without parameters.
pub(crate) fn cheapest(paths: &[P]) -> Result<P> {
    let best = paths.iter().fold(None::<&P>, |b, p| if b.is_none_or(|b| cheaper_total(p, b)) { Some(p) } else { b });
    best.cloned().ok_or_else(|| PgError::internal("no path to build on"))
}

fn has_sort(p: &P) -> bool {
    match &p.kind {
        PathKind::Sort { .. } | PathKind::IncrementalSort { .. } => true,
        PathKind::Limit { sub, .. } | PathKind::Projection { sub } => has_sort(sub),
        PathKind::Append { paths } => paths.is_empty(),
        PathKind::Index { .. } => false,
        _ => true,
    }
}

/// How deep set-returning functions are nested in an expression, but for those that were `done` below.
fn srf_depth(e: &Expr, done: &[Expr]) -> usize {
    if matches!(e, Expr::Aggref(_) | Expr::GroupingFunc(_) | Expr::WindowFunc(_)) || done.contains(e) {
        return 0;
    }
    let mut d = 0;
    e.children(&mut |c| d = d.max(srf_depth(c, done)));
    d + usize::from(is_srf_node(e))
}

fn srfs_at(e: &Expr, depth: usize, done: &[Expr], out: &mut Vec<Expr>) {
    if done.contains(e) {
        return;
    }
    if is_srf_node(e) && srf_depth(e, done) == depth {
        if !out.contains(e) {
            out.push(e.clone());
        }
        return;
    }
    e.children(&mut |c| srfs_at(c, depth, done, out));
}

/// The Vars, aggregates and window functions of an expression, and whole what was computed below.
fn pull_parts(e: &Expr, done: &[Expr], out: &mut Vec<Expr>) {
    if done.contains(e) {
        out.push(e.clone());
        return;
    }
    if done.is_empty() || matches!(e, Expr::Var(_) | Expr::Aggref(_) | Expr::GroupingFunc(_) | Expr::WindowFunc(_)) {
        pull_vars(e, Pull::Include, Pull::Include, out);
        return;
    }
    e.children(&mut |c| pull_parts(c, done, out));
}

/// The expression as it was before grouping sets could null it.
pub(crate) fn strip_group_nulling(e: &Expr, rti: RtIndex) -> Expr {
    if rti == 0 {
        return e.clone();
    }
    let mut e = e.clone();
    let done = mutate(&mut e, &mut |x| {
        match x {
            Expr::Var(v) => v.varnullingrels.retain(|n| *n != rti),
            Expr::PlaceHolderVar(p) if p.phnullingrels == [rti] => {
                let inner = p.phexpr.clone();
                *x = strip_group_nulling(&inner, rti);
            }
            _ => {}
        }
        Ok(true)
    });
    debug_assert!(done.is_ok());
    e
}

/// GROUP BY columns in ORDER BY's order, as far as it goes. (PostgreSQL: `preprocess_groupclause`)
fn group_order(q: &Query) -> Vec<SortGroupClause> {
    let mut out: Vec<SortGroupClause> = Vec::new();
    for s in &q.sort_clause {
        match q.group_clause.iter().find(|g| g.eqop == s.eqop && g.tle_sort_group_ref == s.tle_sort_group_ref) {
            Some(_) => out.push(s.clone()),
            None => break,
        }
    }
    if out.is_empty() {
        return q.group_clause.clone();
    }
    for g in &q.group_clause {
        if !out.iter().any(|o| o.tle_sort_group_ref == g.tle_sort_group_ref) {
            if !g.sortop.is_valid() && !out.is_empty() && !g.hashable {
                return q.group_clause.clone();
            }
            out.push(g.clone());
        }
    }
    // Hashability is the grouping's, not the sort's.
    for o in &mut out {
        if let Some(g) = q.group_clause.iter().find(|g| g.tle_sort_group_ref == o.tle_sort_group_ref) {
            o.hashable = g.hashable;
        }
    }
    out
}

/// All grouping sets, each as a list of sort/group references. (PostgreSQL: `expand_grouping_sets`)
fn expand_grouping_sets(q: &Query) -> Result<Vec<Vec<u32>>> {
    const LIMIT: usize = 4096;
    fn expand(s: &GroupingSet) -> Result<Vec<Vec<u32>>> {
        Ok(match s {
            GroupingSet::Empty => vec![Vec::new()],
            GroupingSet::Simple(refs) => vec![refs.clone()],
            GroupingSet::Rollup(parts) => {
                let mut out = Vec::new();
                for n in (0..=parts.len()).rev() {
                    out.push(join(&parts[..n])?);
                }
                out
            }
            GroupingSet::Cube(parts) => {
                if parts.len() > 12 {
                    return Err(PgError::new(base::sqlstate::TOO_MANY_COLUMNS, "CUBE is limited to 12 elements"));
                }
                let mut out = Vec::new();
                for bits in 0..1usize << parts.len() {
                    let chosen: Vec<GroupingSet> =
                        parts.iter().enumerate().filter(|(i, _)| bits >> i & 1 == 1).map(|(_, p)| p.clone()).collect();
                    out.push(join(&chosen)?);
                }
                out.sort_by_key(|s| std::cmp::Reverse(s.len()));
                out
            }
            GroupingSet::Sets(parts) => {
                let mut out = Vec::new();
                for p in parts {
                    out.extend(expand(p)?);
                }
                out
            }
        })
    }
    /// The columns of simple parts side by side.
    fn join(parts: &[GroupingSet]) -> Result<Vec<u32>> {
        let mut all = Vec::new();
        for p in parts {
            match p {
                GroupingSet::Simple(refs) => {
                    all.extend(refs.iter().filter(|r| !all.contains(*r)).copied().collect::<Vec<_>>())
                }
                GroupingSet::Empty => {}
                other => {
                    for s in expand(other)? {
                        all.extend(s);
                    }
                }
            }
        }
        Ok(all)
    }
    let mut result: Vec<Vec<u32>> = vec![Vec::new()];
    for s in &q.grouping_sets {
        let these = expand(s)?;
        let mut next = Vec::new();
        for a in &result {
            for b in &these {
                let mut u = a.clone();
                b.iter().for_each(|x| {
                    if !u.contains(x) {
                        u.push(*x);
                    }
                });
                next.push(u);
            }
        }
        if next.len() > LIMIT {
            return Err(PgError::new(
                base::sqlstate::STATEMENT_TOO_COMPLEX,
                "too many grouping sets present (maximum 4096)",
            ));
        }
        result = next;
    }
    if q.group_distinct {
        let mut seen: Vec<Vec<u32>> = Vec::new();
        result.retain(|s| {
            let mut k = s.clone();
            k.sort_unstable();
            let new = !seen.contains(&k);
            seen.push(k);
            new
        });
    }
    result.sort_by_key(|s| std::cmp::Reverse(s.len()));
    Ok(result)
}
