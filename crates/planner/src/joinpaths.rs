//! Ways to join two relations: nested loops, merge joins, hash joins.
//!
//! PostgreSQL: `joinpath.c`, the join costs of `costsize.c`.

use std::rc::Rc;

use analyze::query::*;
use base::{Oid, Result};

use crate::cost::clamp_row_est;
use crate::costsize::{page_size, relation_bytes};
use crate::joinrels::{Side, no_rel};
use crate::node::*;
use crate::pathnode::*;
use crate::plan::AggStrategy;
use crate::relids::Relids;
use crate::selfuncs::SelContext;
use crate::util::*;

/// What holds for all paths of one pair of sides.
struct Pair<'p> {
    join: &'p Relids,
    jointype: JoinType,
    sj: &'p Rc<SpecialJoin>,
    clauses: &'p [Ri],
    inner_unique: bool,
    /// Share of outer rows with a match, matches of such a row.
    semi: (f64, f64),
    rows: f64,
    target: Rc<Target>,
    /// Relations that parameters may come from.
    param_source: Relids,
}

fn is_outer(t: JoinType) -> bool {
    matches!(t, JoinType::Left | JoinType::Right | JoinType::Full | JoinType::Anti | JoinType::RightAnti)
}

/// Clauses that the join itself checks, and those that filter its output. (PostgreSQL: `extract_actual_join_clauses`)
pub(crate) fn split_quals(clauses: &[Ri], jointype: JoinType, join: &Relids) -> (Vec<Ri>, Vec<Ri>) {
    if is_outer(jointype) {
        clauses.iter().cloned().partition(|r| !r.is_pushed_down(join))
    } else {
        (clauses.to_vec(), Vec::new())
    }
}

impl Planner<'_, '_> {
    /// (PostgreSQL: `add_paths_to_joinrel`)
    pub(crate) fn join_paths(
        &mut self,
        root: &mut Root,
        join: &Relids,
        outer: &Side,
        inner: &Side,
        jointype: JoinType,
        sj: &Rc<SpecialJoin>,
        clauses: &[Ri],
    ) -> Result<()> {
        let inner_unique = match jointype {
            JoinType::Semi | JoinType::Anti | JoinType::RightSemi | JoinType::RightAnti => {
                matches!(jointype, JoinType::Semi | JoinType::Anti) && false
            }
            _ => self.inner_is_unique(root, &outer.relids, &inner.relids, jointype, join, clauses)?,
        };
        let rel = root.rel(join).ok_or_else(no_rel)?;
        let (rows, target) = (rel.rows, rel.target.clone());
        let mut param_source = Relids::new();
        for s in &root.sj {
            if s.jointype == JoinType::Full {
                if join.overlaps(&s.min_left) && !join.overlaps(&s.min_right) {
                    param_source.add(&root.all_baserels.minus(&s.min_right));
                }
                if join.overlaps(&s.min_right) && !join.overlaps(&s.min_left) {
                    param_source.add(&root.all_baserels.minus(&s.min_left));
                }
            } else if join.overlaps(&s.min_right) && !join.overlaps(&s.min_left) {
                param_source.add(&root.all_baserels.minus(&s.min_right));
            }
        }
        param_source.add(&rel.lateral);
        let semi = if matches!(jointype, JoinType::Semi | JoinType::Anti) || inner_unique {
            self.semi_factors(root, outer, inner, jointype, sj, clauses, join)?
        } else {
            (1.0, 1.0)
        };
        let pair = Pair { join, jointype, sj, clauses, inner_unique, semi, rows, target, param_source };
        let (merge, merge_ok) = self.merge_clauses(root, &pair, outer, inner);
        if merge_ok {
            self.sort_both(root, &pair, outer, inner, &merge)?;
            self.from_outer_order(root, &pair, outer, inner, &merge)?;
        } else {
            self.from_outer_order(root, &pair, outer, inner, &[])?;
        }
        self.hash_joins(root, &pair, outer, inner)
    }

    /// Whether at most one inner row matches an outer one. (PostgreSQL: `innerrel_is_unique`)
    pub(crate) fn inner_is_unique(
        &mut self,
        root: &Root,
        outer: &Relids,
        inner: &Relids,
        jointype: JoinType,
        join: &Relids,
        clauses: &[Ri],
    ) -> Result<bool> {
        let Some(rti) = inner.as_single() else { return Ok(false) };
        let Some(Some(rel)) = root.base.get(rti as usize) else { return Ok(false) };
        let mut exprs: Vec<(Expr, Oid, Vec<Oid>)> = Vec::new();
        for r in clauses {
            if (is_outer(jointype) && r.is_pushed_down(join)) || !r.can_join || r.merge_families.is_empty() {
                continue;
            }
            let Some(o) = r.op() else { continue };
            if r.left_relids.is_subset(outer) && r.right_relids.is_subset(inner) {
                exprs.push((o.args[1].clone(), o.inputcollid, r.merge_families.clone()));
            } else if r.right_relids.is_subset(outer) && r.left_relids.is_subset(inner) {
                exprs.push((o.args[0].clone(), o.inputcollid, r.merge_families.clone()));
            }
        }
        if exprs.is_empty() {
            return Ok(false);
        }
        if rel.relation.is_none() {
            return Ok(self.subquery_unique(rel, rti, &exprs));
        }
        for r in &rel.baserestrict {
            if r.merge_families.is_empty() {
                continue;
            }
            let Some(o) = r.op() else { continue };
            if r.left_relids.is_empty() {
                exprs.push((o.args[1].clone(), o.inputcollid, r.merge_families.clone()));
            } else if r.right_relids.is_empty() {
                exprs.push((o.args[0].clone(), o.inputcollid, r.merge_families.clone()));
            }
        }
        for i in rel.indexes.iter().filter(|i| i.unique && i.immediate && (i.predicate.is_empty() || i.pred_ok.get())) {
            let all = (0..i.nkeys).all(|c| {
                let column = self.index_column_expr(i, c);
                exprs.iter().any(|(e, coll, families)| {
                    families.contains(&i.opfamilies[c])
                        && (!i.collations[c].is_valid() || i.collations[c] == *coll)
                        && strip_relabel(e) == strip_relabel(&column)
                })
            });
            if all {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Whether a subquery's DISTINCT or GROUP BY makes these columns unique. (PostgreSQL: `query_is_distinct_for`)
    fn subquery_unique(&self, rel: &Rel, rti: RtIndex, exprs: &[(Expr, Oid, Vec<Oid>)]) -> bool {
        let Some(sub) = &rel.subroot else { return false };
        let q = &sub.parse;
        if q.has_target_srfs || q.set_operations.is_some() || !q.grouping_sets.is_empty() {
            return false;
        }
        let list = if !q.distinct_clause.is_empty() { &q.distinct_clause } else { &q.group_clause };
        if list.is_empty() {
            return q.distinct_clause.is_empty()
                && q.group_clause.is_empty()
                && (q.has_aggs || q.having_qual.is_some());
        }
        list.iter().all(|c| {
            sub.tlist.iter().any(|t| {
                t.ressortgroupref == c.tle_sort_group_ref
                    && !t.resjunk
                    && exprs.iter().any(
                        |(e, _, _)| matches!(strip_relabel(e), Expr::Var(v) if v.varno == rti && v.varattno == t.resno),
                    )
            })
        })
    }

    /// (PostgreSQL: `compute_semi_anti_join_factors`)
    fn semi_factors(
        &mut self,
        root: &Root,
        outer: &Side,
        inner: &Side,
        jointype: JoinType,
        sj: &SpecialJoin,
        clauses: &[Ri],
        join: &Relids,
    ) -> Result<(f64, f64)> {
        let list: Vec<Ri> = if is_outer(jointype) {
            clauses.iter().filter(|r| !r.is_pushed_down(join)).cloned().collect()
        } else {
            clauses.to_vec()
        };
        let mut as_semi = crate::joinrels::plain_join(&outer.relids, &inner.relids);
        let j = if jointype == JoinType::Anti { JoinType::Anti } else { JoinType::Semi };
        as_semi.jointype = j;
        let _ = sj;
        let fraction = {
            let list: Vec<Ri> = list.clone();
            let mut s = 1.0;
            for r in &list {
                s *= self.rinfo_selectivity(root, r, SelContext { rel: 0, jointype: j, sj: Some(&as_semi) })?;
            }
            s
        };
        let plain = crate::joinrels::plain_join(&outer.relids, &inner.relids);
        let mut n = 1.0;
        for r in &list {
            n *= self.rinfo_selectivity(root, r, SelContext { rel: 0, jointype: JoinType::Inner, sj: Some(&plain) })?;
        }
        let matches = if fraction > 0.0 { (n * inner.rows / fraction).max(1.0) } else { 1.0 };
        Ok((fraction, matches))
    }

    // ---- nested loops ----

    /// What is left to be given from outside when `inner` runs under `outer`.
    fn nestloop_req(outer: &Path, inner: &Path) -> Relids {
        outer.req_outer().union(&inner.req_outer().minus(&outer.relids))
    }
    fn nonnestloop_req(outer: &Path, inner: &Path) -> Option<Relids> {
        // Neither side may depend on the other one.
        if outer.needs(&inner.relids) || inner.needs(&outer.relids) {
            return None;
        }
        Some(outer.req_outer().union(&inner.req_outer()))
    }

    fn param_ok(root: &Root, pair: &Pair<'_>, req: &Relids, outer: Option<&Path>) -> bool {
        if req.is_empty() {
            return true;
        }
        if req.overlaps(&pair.param_source) {
            return true;
        }
        // The star schema exception: the inner one needs the outer one and more.
        let _ = root;
        outer.is_some_and(|o| {
            let r = o.relids.clone();
            !r.is_empty() && false
        })
    }

    /// Rows and clauses of a parameterised join. (PostgreSQL: `get_joinrel_parampathinfo`)
    fn join_param(
        &mut self,
        root: &mut Root,
        pair: &Pair<'_>,
        outer: &P,
        inner: &P,
        req: &Relids,
    ) -> Result<(Option<Rc<ParamInfo>>, Vec<Ri>, f64)> {
        // Clauses that the inner path checks already are not checked again.
        let mut clauses: Vec<Ri> = pair.clauses.to_vec();
        if let Some(p) = &inner.param
            && p.req_outer.overlaps(&outer.relids)
        {
            let mut enforced = Vec::new();
            enforced_serials(inner, &mut enforced);
            clauses.retain(|r| !enforced.contains(&r.serial));
        }
        if req.is_empty() {
            return Ok((None, clauses, pair.rows));
        }
        let with = pair.join.union(req);
        let mut extra: Vec<Ri> = Vec::new();
        let outer_with = outer.relids.union(&outer.req_outer());
        let inner_with = inner.relids.union(&inner.req_outer());
        let rel = root.rel(pair.join).ok_or_else(no_rel)?;
        for r in rel.joininfo.clone() {
            if crate::basepaths::movable_into(&r, pair.join, &with)
                && !crate::basepaths::movable_into(&r, &outer.relids, &outer_with)
                && !crate::basepaths::movable_into(&r, &inner.relids, &inner_with)
            {
                extra.push(r);
            }
        }
        let eqs = self.join_equalities(root, &with, req, pair.join)?;
        for r in eqs {
            if crate::basepaths::movable_into(&r, pair.join, &with)
                && !crate::basepaths::movable_into(&r, &outer.relids, &outer_with)
                && !crate::basepaths::movable_into(&r, &inner.relids, &inner_with)
                && !extra.iter().any(|c| Rc::ptr_eq(c, &r))
            {
                extra.push(r);
            }
        }
        clauses.extend(extra.iter().cloned());
        let rel = root.rel(pair.join).ok_or_else(no_rel)?;
        if let Some(known) = rel.param_infos.iter().find(|p| p.req_outer == *req) {
            return Ok((Some(known.clone()), clauses, known.rows));
        }
        let rows = self.join_rows(root, pair.join, outer.rows, inner.rows, pair.sj, &clauses)?.min(pair.rows);
        let info = Rc::new(ParamInfo { req_outer: req.clone(), rows, clauses: Vec::new() });
        let rel = root.rel_mut(pair.join).ok_or_else(no_rel)?;
        rel.param_infos.push(info.clone());
        Ok((Some(info), clauses, rows))
    }

    fn try_nestloop(
        &mut self,
        root: &mut Root,
        pair: &Pair<'_>,
        outer: &P,
        inner: &P,
        keys: Vec<PathKey>,
    ) -> Result<()> {
        if !matches!(pair.jointype, JoinType::Inner | JoinType::Left | JoinType::Semi | JoinType::Anti) {
            return Ok(());
        }
        if outer.needs(&inner.relids) {
            return Ok(());
        }
        let req = Self::nestloop_req(outer, inner);
        if !req.is_empty() {
            // Allowed where the join itself needs it, or where the inner index could profit from several sides.
            let star = inner.needs(&outer.relids) && !inner.req_outer().is_subset(&outer.relids);
            if !Self::param_ok(root, pair, &req, Some(outer)) && !star {
                return Ok(());
            }
        }
        let (param, clauses, rows) = self.join_param(root, pair, outer, inner, &req)?;
        let cost = self.cost_nestloop(pair, outer, inner, &clauses, rows);
        let p = Path {
            kind: PathKind::NestLoop(JoinPath {
                jointype: pair.jointype,
                inner_unique: pair.inner_unique,
                outer: outer.clone(),
                inner: inner.clone(),
                restrict: clauses,
            }),
            relids: pair.join.clone(),
            target: pair.target.clone(),
            param,
            rows,
            startup: cost.0,
            total: cost.1,
            disabled: outer.disabled + inner.disabled + i32::from(!self.cx.cost.enable_nestloop),
            pathkeys: keys,
        };
        root.rel_mut(pair.join).ok_or_else(no_rel)?.add(Rc::new(p));
        Ok(())
    }

    /// Startup and total cost of running a path once more. (PostgreSQL: `cost_rescan`)
    fn rescan_cost(&self, p: &P, calls_outer: f64) -> (f64, f64) {
        let c = self.cx.cost;
        let spill = |rows: f64, width: i32| {
            if relation_bytes(rows, width) > c.work_mem * 1024.0 {
                c.seq_page_cost * page_size(rows, width)
            } else {
                0.0
            }
        };
        match &p.kind {
            PathKind::FunctionScan => (0.0, p.total - p.startup),
            PathKind::HashJoin { join, .. } if join.inner.param.is_none() => {
                // One batch: the hash table is kept.
                if relation_bytes(join.inner.rows, join.inner.target.width)
                    <= c.work_mem * c.hash_mem_multiplier * 1024.0
                {
                    (0.0, p.total - p.startup)
                } else {
                    (p.startup, p.total)
                }
            }
            PathKind::CteScan { .. } | PathKind::WorkTableScan { .. } => {
                (0.0, c.cpu_tuple_cost * p.rows + spill(p.rows, p.target.width))
            }
            PathKind::Material { .. } | PathKind::Sort { .. } => {
                (0.0, c.cpu_operator_cost * p.rows + spill(p.rows, p.target.width))
            }
            PathKind::Memoize { sub, hit_ratio, .. } => {
                let _ = calls_outer;
                let hit = *hit_ratio;
                let startup = sub.startup * (1.0 - hit) + c.cpu_tuple_cost;
                let mut total = sub.total * (1.0 - hit) + c.cpu_operator_cost;
                total += c.cpu_tuple_cost + c.cpu_operator_cost * sub.rows;
                (startup, total.max(startup))
            }
            _ => (p.startup, p.total),
        }
    }

    /// (PostgreSQL: `initial_cost_nestloop`, `final_cost_nestloop`)
    fn cost_nestloop(&self, pair: &Pair<'_>, outer: &P, inner: &P, clauses: &[Ri], rows: f64) -> (f64, f64) {
        let c = self.cx.cost;
        let outer_rows = outer.rows.max(1.0);
        let inner_rows = inner.rows.max(1.0);
        let (rescan_start, rescan_total) = self.rescan_cost(inner, outer_rows);
        let mut startup = outer.startup + inner.startup;
        let mut run = outer.total - outer.startup;
        if outer_rows > 1.0 {
            run += (outer_rows - 1.0) * rescan_start;
        }
        let inner_run = inner.total - inner.startup;
        let rescan_run = rescan_total - rescan_start;
        let ntuples;
        if matches!(pair.jointype, JoinType::Semi | JoinType::Anti) || pair.inner_unique {
            let mut matched = (outer_rows * pair.semi.0).round_ties_even();
            let mut unmatched = outer_rows - matched;
            let frac = 2.0 / (pair.semi.1 + 1.0);
            let mut n = matched * inner_rows * frac;
            if indexed_join_quals(inner, clauses, outer) {
                run += inner_run * frac;
                if matched > 1.0 {
                    run += (matched - 1.0) * rescan_run * frac;
                }
                run += unmatched * rescan_run / inner_rows;
            } else {
                n += unmatched * inner_rows;
                run += inner_run;
                if unmatched >= 1.0 {
                    unmatched -= 1.0;
                } else {
                    matched -= 1.0;
                }
                if matched > 0.0 {
                    run += matched * rescan_run * frac;
                }
                if unmatched > 0.0 {
                    run += unmatched * rescan_run;
                }
            }
            ntuples = n;
        } else {
            run += inner_run;
            if outer_rows > 1.0 {
                run += (outer_rows - 1.0) * rescan_run;
            }
            ntuples = outer_rows * inner_rows;
        }
        let q = self.rinfos_cost(clauses);
        startup += q.0 + pair.target.startup;
        run += (c.cpu_tuple_cost + q.1) * ntuples + pair.target.per_tuple * rows;
        (startup, startup + run)
    }

    /// (PostgreSQL: `match_unsorted_outer`)
    fn from_outer_order(
        &mut self,
        root: &mut Root,
        pair: &Pair<'_>,
        outer: &Side,
        inner: &Side,
        merge: &[Ri],
    ) -> Result<()> {
        let nestloop_ok = matches!(pair.jointype, JoinType::Inner | JoinType::Left | JoinType::Semi | JoinType::Anti);
        let use_all =
            pair.jointype == JoinType::Right || pair.jointype == JoinType::Full || pair.jointype == JoinType::RightAnti;
        if matches!(pair.jointype, JoinType::RightSemi) {
            return Ok(());
        }
        let mut inner_total = Some(inner.cheapest_total.clone());
        if inner_total.as_ref().is_some_and(|p| p.needs(&outer.relids)) {
            inner_total = None;
        }
        let material = match &inner_total {
            Some(p)
                if nestloop_ok
                    && self.cx.cost.enable_material
                    && p.param.is_none()
                    && !matches!(
                        p.kind,
                        PathKind::Material { .. }
                            | PathKind::FunctionScan
                            | PathKind::CteScan { .. }
                            | PathKind::WorkTableScan { .. }
                            | PathKind::Sort { .. }
                    ) =>
            {
                Some(self.material_path(p))
            }
            _ => None,
        };
        for o in &outer.paths {
            if o.needs(&inner.relids) {
                continue;
            }
            let keys = join_keys(pair.jointype, &o.pathkeys);
            if nestloop_ok {
                for i in &inner.cheapest_param {
                    self.try_nestloop(root, pair, o, i, keys.clone())?;
                    if let Some(m) = self.memoize_path(root, pair, o, i, inner)? {
                        self.try_nestloop(root, pair, o, &m, keys.clone())?;
                    }
                }
                if inner.cheapest_param.is_empty() && inner_total.is_none() {
                    self.try_nestloop(root, pair, o, &inner.cheapest_total, keys.clone())?;
                }
                // A side that is only there with parameters.
                if inner.cheapest_total.param.is_some()
                    && !inner.cheapest_param.iter().any(|p| Rc::ptr_eq(p, &inner.cheapest_total))
                {
                    self.try_nestloop(root, pair, o, &inner.cheapest_total, keys.clone())?;
                }
                if let Some(m) = &material {
                    self.try_nestloop(root, pair, o, m, keys.clone())?;
                }
            }
            if let Some(total) = &inner_total {
                self.merge_from_outer(root, pair, o, inner, total, merge, use_all)?;
            }
        }
        Ok(())
    }

    /// (PostgreSQL: `get_memoize_path`)
    fn memoize_path(&mut self, root: &Root, pair: &Pair<'_>, outer: &P, inner: &P, side: &Side) -> Result<Option<P>> {
        if !self.cx.cost.enable_memoize || outer.rows < 2.0 {
            return Ok(None);
        }
        let Some(param) = &inner.param else { return Ok(None) };
        if param.clauses.is_empty() && side.lateral.is_empty() {
            return Ok(None);
        }
        if !pair.inner_unique && matches!(pair.jointype, JoinType::Semi | JoinType::Anti) {
            return Ok(None);
        }
        let Some(rti) = side.relids.as_single() else { return Ok(None) };
        let Some(Some(rel)) = root.base.get(rti as usize) else { return Ok(None) };
        if pair.inner_unique {
            // All conditions of the join must be in the inner path, or the first row might not be the right one.
            let both = inner.relids.union(&param.req_outer);
            let all = pair.clauses.iter().all(|r| crate::basepaths::movable_into(r, &inner.relids, &both));
            if !all {
                return Ok(None);
            }
        }
        for r in rel.baserestrict.iter() {
            if r.has_volatile {
                return Ok(None);
            }
        }
        let (mut exprs, mut ops, mut binary): (Vec<Expr>, Vec<Oid>, bool) = (Vec::new(), Vec::new(), false);
        let note = |me: &Self, e: &Expr, exprs: &mut Vec<Expr>, ops: &mut Vec<Oid>| -> Result<bool> {
            let info = me.cx.catalog.type_info(e.type_oid())?;
            if !info.hash_proc.is_valid() || !info.eq_opr.is_valid() {
                return Ok(false);
            }
            if !exprs.contains(e) {
                exprs.push(e.clone());
                ops.push(info.eq_opr);
            }
            Ok(true)
        };
        for r in &param.clauses {
            let Some(o) = r.op() else { return Ok(None) };
            if o.args.len() != 2 {
                return Ok(None);
            }
            let e = if r.left_relids.is_subset(&outer.relids) && !r.left_relids.is_empty() {
                &o.args[0]
            } else if r.right_relids.is_subset(&outer.relids) && !r.right_relids.is_empty() {
                &o.args[1]
            } else {
                return Ok(None);
            };
            if !note(self, e, &mut exprs, &mut ops)? {
                return Ok(None);
            }
            if !r.hash_op.is_valid() {
                binary = true;
            }
        }
        for e in rel.lateral_vars.clone() {
            if is_volatile(&self.cx.catalog, &e)? || !varnos(&e).is_subset(&outer.relids) {
                return Ok(None);
            }
            if !note(self, &e, &mut exprs, &mut ops)? {
                return Ok(None);
            }
            binary = true;
        }
        if exprs.is_empty() || !param.req_outer.is_subset(&outer.relids) {
            return Ok(None);
        }
        let c = self.cx.cost;
        let calls = clamp_row_est(outer.rows);
        let entry_bytes = relation_bytes(inner.rows, inner.target.width) + 64.0;
        let mem = c.work_mem * c.hash_mem_multiplier * 1024.0;
        let cache = (mem / entry_bytes).floor().max(1.0);
        // A guess of the number of keys alone is no ground for caching.
        for e in &exprs {
            if let Some(v) = self.examine(root, e, 0)?
                && self.num_distinct(&v).1
            {
                return Ok(None);
            }
        }
        let distinct = self.num_groups(root, &exprs, calls)?;
        let evict = 1.0 - cache.min(distinct) / distinct;
        let hit = ((calls - distinct) / calls).max(0.0) * (cache / distinct.max(cache));
        let hit = hit.clamp(0.0, 1.0);
        let entries = distinct.min(cache).min(f64::from(u32::MAX));
        let _ = evict;
        let kind = PathKind::Memoize {
            sub: inner.clone(),
            exprs,
            ops,
            single_row: pair.inner_unique,
            binary,
            calls,
            entries,
            hit_ratio: hit,
            unique_keys: distinct,
        };
        let mut p = upper_path(kind, inner, inner.target.clone());
        p.total += c.cpu_tuple_cost;
        p.startup += c.cpu_tuple_cost;
        p.total = inner.total + c.cpu_tuple_cost + c.cpu_tuple_cost * inner.rows;
        Ok(Some(Rc::new(p)))
    }

    // ---- merge joins ----

    /// Clauses a merge join can use; whether merging is possible at all. (PostgreSQL: `select_mergejoin_clauses`)
    fn merge_clauses(&self, root: &Root, pair: &Pair<'_>, outer: &Side, inner: &Side) -> (Vec<Ri>, bool) {
        let full = pair.jointype == JoinType::Full;
        if !self.cx.cost.enable_mergejoin && !full {
            return (Vec::new(), false);
        }
        if pair.jointype == JoinType::RightSemi {
            return (Vec::new(), false);
        }
        let (mut out, mut other) = (Vec::new(), false);
        for r in pair.clauses {
            if is_outer(pair.jointype) && r.is_pushed_down(pair.join) {
                continue;
            }
            let usable =
                r.can_join && !r.merge_families.is_empty() && clause_sides(r, &outer.relids, &inner.relids).is_some();
            if !usable {
                if !matches!(r.clause, Expr::Const(_)) {
                    other = true;
                }
                continue;
            }
            let redundant = [r.left_ec.get(), r.right_ec.get()].into_iter().flatten().any(|e| {
                let ec = root.ec(e);
                ec.has_const && !ec.has_volatile
            });
            if redundant || r.left_ec.get().is_none() || r.right_ec.get().is_none() {
                other = true;
                continue;
            }
            out.push(r.clone());
        }
        // Right, right-anti and full merge joins cannot check further conditions.
        let strict = matches!(pair.jointype, JoinType::Right | JoinType::RightAnti | JoinType::Full);
        let ok = !(strict && other);
        (out, ok)
    }

    /// Sorts both sides by the clauses in several orders. (PostgreSQL: `sort_inner_and_outer`)
    fn sort_both(&mut self, root: &mut Root, pair: &Pair<'_>, outer: &Side, inner: &Side, merge: &[Ri]) -> Result<()> {
        if merge.is_empty() {
            return Ok(());
        }
        let (o, i) = (outer.cheapest_total.clone(), inner.cheapest_total.clone());
        if o.needs(&inner.relids) || i.needs(&outer.relids) || o.param.is_some() || i.param.is_some() {
            return Ok(());
        }
        let all = self.outer_keys(root, pair, outer, merge);
        for n in 0..all.len() {
            let mut keys = all.clone();
            if n > 0 {
                let k = keys.remove(n);
                keys.insert(0, k);
            }
            let clauses = self.clauses_for_keys(root, &keys, merge, outer);
            if clauses.len() != merge.len() && n == 0 && clauses.is_empty() {
                continue;
            }
            let inner_keys = self.inner_keys(root, &clauses, &keys, outer);
            let result = join_keys(pair.jointype, &keys);
            self.try_merge(root, pair, &o, &i, clauses, keys, inner_keys, result)?;
        }
        Ok(())
    }

    /// Sort orders of the outer side that the clauses suggest, the wanted result order first.
    /// (PostgreSQL: `select_outer_pathkeys_for_merge`)
    fn outer_keys(&self, root: &Root, pair: &Pair<'_>, outer: &Side, merge: &[Ri]) -> Vec<PathKey> {
        let mut ecs: Vec<EcId> = Vec::new();
        for r in merge {
            let e = outer_ec(root, r, &outer.relids);
            if let Some(e) = e
                && !ecs.contains(&e)
            {
                ecs.push(e);
            }
        }
        let mut keys: Vec<PathKey> = Vec::new();
        let _ = pair;
        let wanted = &root.query_pathkeys;
        if !wanted.is_empty() && wanted.iter().all(|k| ecs.contains(&root.ec_id(k.ec))) {
            keys.extend(wanted.iter().copied());
            ecs.retain(|e| !wanted.iter().any(|k| root.ec_id(k.ec) == *e));
        }
        for e in ecs {
            let family = root.ecs[e].opfamilies.first().copied().unwrap_or_default();
            keys.push(PathKey { ec: e, opfamily: family, descending: false, nulls_first: false });
        }
        keys
    }

    /// The clauses that an order of the outer side supports, in that order. (PostgreSQL: `find_mergeclauses_for_outer_pathkeys`)
    fn clauses_for_keys(&self, root: &Root, keys: &[PathKey], merge: &[Ri], outer: &Side) -> Vec<Ri> {
        let mut out = Vec::new();
        for k in keys {
            let id = root.ec_id(k.ec);
            let before = out.len();
            for r in merge {
                if outer_ec(root, r, &outer.relids) == Some(id) {
                    out.push(r.clone());
                }
            }
            if out.len() == before {
                break;
            }
        }
        out
    }

    /// (PostgreSQL: `make_inner_pathkeys_for_merge`)
    fn inner_keys(&self, root: &Root, clauses: &[Ri], outer_keys: &[PathKey], outer: &Side) -> Vec<PathKey> {
        let mut out: Vec<PathKey> = Vec::new();
        for r in clauses {
            let Some(oe) = outer_ec(root, r, &outer.relids) else { continue };
            let Some(ie) = inner_ec(root, r, &outer.relids) else { continue };
            let Some(k) = outer_keys.iter().find(|k| root.ec_id(k.ec) == oe) else { continue };
            let key = PathKey { ec: ie, ..*k };
            if !self.is_redundant(root, &key, &out) {
                out.push(key);
            }
        }
        out
    }

    fn merge_from_outer(
        &mut self,
        root: &mut Root,
        pair: &Pair<'_>,
        outer: &P,
        inner: &Side,
        inner_total: &P,
        merge: &[Ri],
        use_all: bool,
    ) -> Result<()> {
        // A full join without any clause can only be done by merging.
        let full = pair.jointype == JoinType::Full;
        if merge.is_empty() && !full || inner_total.needs(&outer.relids) {
            return Ok(());
        }
        let side = Side {
            relids: outer.relids.clone(),
            rows: outer.rows,
            paths: Vec::new(),
            cheapest_startup: None,
            cheapest_total: outer.clone(),
            cheapest_param: Vec::new(),
            lateral: Relids::new(),
            dummy: false,
        };
        let clauses = self.clauses_for_keys(root, &outer.pathkeys, merge, &side);
        if clauses.is_empty() && !full || (use_all && clauses.len() != merge.len()) {
            return Ok(());
        }
        let inner_keys = self.inner_keys(root, &clauses, &outer.pathkeys, &side);
        let keys = join_keys(pair.jointype, &outer.pathkeys);
        self.try_merge(root, pair, outer, inner_total, clauses.clone(), Vec::new(), inner_keys.clone(), keys.clone())?;
        // Inner paths that are ordered already, also for fewer clauses.
        let mut n = inner_keys.len();
        let mut cheapest: Option<P> = None;
        while n > 0 {
            let want = &inner_keys[..n];
            let mut best: Option<P> = None;
            for p in &inner.paths {
                if p.param.is_none()
                    && self.satisfies(&p.pathkeys, want)
                    && best.as_ref().is_none_or(|b| cheaper_total(p, b))
                {
                    best = Some(p.clone());
                }
            }
            if let Some(b) = best
                && cheapest.as_ref().is_none_or(|c| cheaper_total(&b, c))
            {
                let some = if n == inner_keys.len() {
                    clauses.clone()
                } else {
                    self.clauses_for_inner(root, &clauses, want, &side)
                };
                if !some.is_empty() && (!use_all || some.len() == merge.len()) {
                    self.try_merge(root, pair, outer, &b, some, Vec::new(), Vec::new(), keys.clone())?;
                }
                cheapest = Some(b);
            }
            if use_all {
                break;
            }
            n -= 1;
        }
        Ok(())
    }

    /// (PostgreSQL: `trim_mergeclauses_for_inner_pathkeys`)
    fn clauses_for_inner(&self, root: &Root, clauses: &[Ri], keys: &[PathKey], outer: &Side) -> Vec<Ri> {
        let mut out = Vec::new();
        let mut at = 0;
        for r in clauses {
            let Some(e) = inner_ec(root, r, &outer.relids) else { break };
            if at < keys.len() && root.ec_id(keys[at].ec) == e {
                out.push(r.clone());
                continue;
            }
            if at + 1 < keys.len() && root.ec_id(keys[at + 1].ec) == e {
                at += 1;
                out.push(r.clone());
                continue;
            }
            break;
        }
        out
    }

    /// (PostgreSQL: `try_mergejoin_path`, `initial_cost_mergejoin`, `final_cost_mergejoin`)
    fn try_merge(
        &mut self,
        root: &mut Root,
        pair: &Pair<'_>,
        outer: &P,
        inner: &P,
        clauses: Vec<Ri>,
        mut outer_sort: Vec<PathKey>,
        mut inner_sort: Vec<PathKey>,
        keys: Vec<PathKey>,
    ) -> Result<()> {
        let Some(req) = Self::nonnestloop_req(outer, inner) else { return Ok(()) };
        if clauses.is_empty() && pair.jointype != JoinType::Full || !Self::param_ok(root, pair, &req, None) {
            return Ok(());
        }
        let mut presorted = 0;
        if !outer_sort.is_empty() {
            let (all, n) = self.keys_contained(&outer_sort, &outer.pathkeys);
            presorted = n;
            if all {
                outer_sort.clear();
            }
        }
        if !inner_sort.is_empty() && self.satisfies(&inner.pathkeys, &inner_sort) {
            inner_sort.clear();
        }
        let (param, all_clauses, rows) = self.join_param(root, pair, outer, inner, &req)?;
        let c = self.cx.cost.clone();
        let (orows, irows) = (outer.rows.max(1.0), inner.rows.max(1.0));
        let (mut startup, mut run) = (0.0, 0.0);
        let mut disabled = outer.disabled + inner.disabled + i32::from(!c.enable_mergejoin);
        let (o_start, o_total) = if outer_sort.is_empty() {
            (outer.startup, outer.total)
        } else {
            disabled += i32::from(!c.enable_sort);
            if presorted > 0 && c.enable_incremental_sort {
                let s = self.cost_incremental_sort(root, &outer_sort, presorted, outer, -1.0)?;
                (s.startup, s.total)
            } else {
                presorted = 0;
                let s = self.cost_sort(outer.total, orows, outer.target.width, -1.0);
                (s.startup, s.total)
            }
        };
        let (i_start, i_total) = if inner_sort.is_empty() {
            (inner.startup, inner.total)
        } else {
            disabled += i32::from(!c.enable_sort);
            let s = self.cost_sort(inner.total, irows, inner.target.width, -1.0);
            (s.startup, s.total)
        };
        // Where one side has no more values, or none yet, the other one is not read.
        let mut sel = [0.0, 1.0, 0.0, 1.0];
        if pair.jointype != JoinType::Full
            && let Some(first) = clauses.first()
        {
            let outer_keys = if outer_sort.is_empty() { &outer.pathkeys } else { &outer_sort };
            if let Some(k) = outer_keys.first()
                && !k.descending
            {
                sel = self.merge_scan_selectivity(root, first, k.opfamily)?;
                if !first.left_relids.is_subset(&outer.relids) {
                    sel = [sel[2], sel[3], sel[0], sel[1]];
                }
                if matches!(pair.jointype, JoinType::Left | JoinType::Anti) {
                    (sel[0], sel[1]) = (0.0, 1.0);
                } else if matches!(pair.jointype, JoinType::Right | JoinType::RightAnti) {
                    (sel[2], sel[3]) = (0.0, 1.0);
                }
            }
        }
        let oskip = (orows * sel[0]).round_ties_even();
        let iskip = (irows * sel[2]).round_ties_even();
        let (orows, irows) = (clamp_row_est(orows * sel[1]), clamp_row_est(irows * sel[3]));
        let (o_run, i_run) = (o_total - o_start, i_total - i_start);
        startup += o_start + o_run * sel[0];
        run += o_run * (sel[1] - sel[0]);
        startup += i_start + i_run * sel[2];
        let inner_run = i_run * (sel[3] - sel[2]);
        let skip_mark = (pair.inner_unique || matches!(pair.jointype, JoinType::Semi | JoinType::Anti)) && {
            let (join, _) = split_quals(&all_clauses, pair.jointype, pair.join);
            join.len() == clauses.len()
        };
        // Rows that the merge clauses alone let through.
        let plain = crate::joinrels::plain_join(&outer.relids, &inner.relids);
        let mut s = 1.0;
        for r in &clauses {
            s *= self.rinfo_selectivity(root, r, SelContext { rel: 0, jointype: JoinType::Inner, sj: Some(&plain) })?;
        }
        let merge_tuples = clamp_row_est(s * outer.rows * inner.rows);
        let rescanned = if skip_mark { 0.0 } else { (merge_tuples - irows).max(0.0) };
        let ratio = 1.0 + rescanned / irows;
        let bare_inner = inner_run * ratio;
        let mat_inner = inner_run + c.cpu_operator_cost * irows * ratio;
        let mut materialize = if skip_mark {
            false
        } else if c.enable_material && mat_inner < bare_inner {
            true
        } else if inner_sort.is_empty() && !supports_mark(inner) {
            true
        } else {
            c.enable_material
                && !inner_sort.is_empty()
                && relation_bytes(irows, inner.target.width) > c.work_mem * 1024.0
        };
        // A sort can go back by itself.
        if !inner_sort.is_empty()
            && mat_inner >= bare_inner
            && relation_bytes(irows, inner.target.width) <= c.work_mem * 1024.0
        {
            materialize = false;
        }
        run += if materialize { mat_inner } else { bare_inner };
        let mq = self.rinfos_cost(&clauses);
        let qp: Vec<Ri> = all_clauses.iter().filter(|r| !clauses.iter().any(|m| Rc::ptr_eq(m, r))).cloned().collect();
        let qq = self.rinfos_cost(&qp);
        startup += mq.0 + mq.1 * (oskip + iskip * ratio);
        run += mq.1 * ((orows - oskip) + (irows - iskip) * ratio);
        startup += qq.0 + pair.target.startup;
        run += (c.cpu_tuple_cost + qq.1) * merge_tuples + pair.target.per_tuple * rows;
        let p = Path {
            kind: PathKind::MergeJoin {
                join: JoinPath {
                    jointype: pair.jointype,
                    inner_unique: pair.inner_unique,
                    outer: outer.clone(),
                    inner: inner.clone(),
                    restrict: all_clauses,
                },
                clauses,
                outer_sort,
                inner_sort,
                outer_presorted: presorted,
                materialize,
                skip_mark,
            },
            relids: pair.join.clone(),
            target: pair.target.clone(),
            param,
            rows,
            startup,
            total: startup + run,
            disabled,
            pathkeys: keys,
        };
        root.rel_mut(pair.join).ok_or_else(no_rel)?.add(Rc::new(p));
        Ok(())
    }

    // ---- hash joins ----

    /// (PostgreSQL: `hash_inner_and_outer`)
    fn hash_joins(&mut self, root: &mut Root, pair: &Pair<'_>, outer: &Side, inner: &Side) -> Result<()> {
        if !self.cx.cost.enable_hashjoin && pair.jointype != JoinType::Full {
            return Ok(());
        }
        let mut clauses = Vec::new();
        for r in pair.clauses {
            if is_outer(pair.jointype) && r.is_pushed_down(pair.join) {
                continue;
            }
            if r.can_join && r.hash_op.is_valid() && clause_sides(r, &outer.relids, &inner.relids).is_some() {
                clauses.push(r.clone());
            }
        }
        if clauses.is_empty() {
            return Ok(());
        }
        let (o, i) = (outer.cheapest_total.clone(), inner.cheapest_total.clone());
        if o.needs(&inner.relids) || i.needs(&outer.relids) {
            return Ok(());
        }
        self.try_hash(root, pair, &o, &i, &clauses)?;
        if let Some(s) = &outer.cheapest_startup
            && !Rc::ptr_eq(s, &o)
        {
            self.try_hash(root, pair, s, &i, &clauses)?;
        }
        for po in &outer.cheapest_param {
            if po.needs(&inner.relids) {
                continue;
            }
            for pi in &inner.cheapest_param {
                if pi.needs(&outer.relids) || (Rc::ptr_eq(po, &o) && Rc::ptr_eq(pi, &i)) {
                    continue;
                }
                self.try_hash(root, pair, po, pi, &clauses)?;
            }
        }
        Ok(())
    }

    /// (PostgreSQL: `initial_cost_hashjoin`, `final_cost_hashjoin`)
    fn try_hash(&mut self, root: &mut Root, pair: &Pair<'_>, outer: &P, inner: &P, clauses: &[Ri]) -> Result<()> {
        let Some(req) = Self::nonnestloop_req(outer, inner) else { return Ok(()) };
        if !Self::param_ok(root, pair, &req, None) {
            return Ok(());
        }
        let (param, all_clauses, rows) = self.join_param(root, pair, outer, inner, &req)?;
        let c = self.cx.cost.clone();
        let n = clauses.len() as f64;
        let (orows, irows) = (outer.rows.max(1.0), inner.rows.max(1.0));
        let mut startup = outer.startup + inner.total;
        let mut run = outer.total - outer.startup;
        startup += (c.cpu_operator_cost * n + c.cpu_tuple_cost) * irows;
        run += c.cpu_operator_cost * n * orows;
        let (buckets, batches) =
            hash_table_size(irows, inner.target.width, c.work_mem * c.hash_mem_multiplier * 1024.0);
        if batches > 1.0 {
            let (op, ip) = (page_size(orows, outer.target.width), page_size(irows, inner.target.width));
            startup += c.seq_page_cost * ip;
            run += c.seq_page_cost * (ip + 2.0 * op);
        }
        let virtual_buckets = buckets * batches;
        let (mut bucket, mut mcv) = (1.0f64, 1.0f64);
        for r in clauses {
            let right_is_inner = r.right_relids.is_subset(&inner.relids);
            let cell = if right_is_inner { &r.right_bucket } else { &r.left_bucket };
            let (b, m) = match cell.get() {
                Some(x) => x,
                None => {
                    let e = if right_is_inner { r.right() } else { r.left() };
                    let x = match e.cloned() {
                        Some(e) => self.bucket_stats(root, &e, virtual_buckets)?,
                        None => (1.0, 0.0),
                    };
                    cell.set(Some(x));
                    x
                }
            };
            bucket = bucket.min(b);
            mcv = mcv.min(m);
        }
        if matches!(inner.kind, PathKind::Unique { .. }) {
            bucket = 1.0 / virtual_buckets;
            mcv = 0.0;
        }
        let mut disabled = outer.disabled + inner.disabled + i32::from(!c.enable_hashjoin);
        if relation_bytes(clamp_row_est(irows * mcv), inner.target.width) > c.work_mem * c.hash_mem_multiplier * 1024.0
        {
            disabled += 1;
        }
        let hq = self.rinfos_cost(clauses);
        let qp: Vec<Ri> = all_clauses.iter().filter(|r| !clauses.iter().any(|m| Rc::ptr_eq(m, r))).cloned().collect();
        let qq = self.rinfos_cost(&qp);
        let tuples;
        startup += hq.0;
        if matches!(pair.jointype, JoinType::Semi | JoinType::Anti) || pair.inner_unique {
            let matched = (orows * pair.semi.0).round_ties_even();
            let frac = 2.0 / (pair.semi.1 + 1.0);
            run += hq.1 * matched * clamp_row_est(irows * bucket * frac) * 0.5;
            run += hq.1 * (orows - matched) * clamp_row_est(irows / virtual_buckets) * 0.05;
            tuples = if pair.jointype == JoinType::Anti { orows - matched } else { matched };
        } else {
            run += hq.1 * orows * clamp_row_est(irows * bucket) * 0.5;
            let plain = crate::joinrels::plain_join(&outer.relids, &inner.relids);
            let mut s = 1.0;
            for r in clauses {
                s *= self.rinfo_selectivity(
                    root,
                    r,
                    SelContext { rel: 0, jointype: JoinType::Inner, sj: Some(&plain) },
                )?;
            }
            tuples = clamp_row_est(s * outer.rows * inner.rows);
        }
        startup += qq.0 + pair.target.startup;
        run += (c.cpu_tuple_cost + qq.1) * tuples + pair.target.per_tuple * rows;
        let p = Path {
            kind: PathKind::HashJoin {
                join: JoinPath {
                    jointype: pair.jointype,
                    inner_unique: pair.inner_unique,
                    outer: outer.clone(),
                    inner: inner.clone(),
                    restrict: all_clauses,
                },
                clauses: clauses.to_vec(),
            },
            relids: pair.join.clone(),
            target: pair.target.clone(),
            param,
            rows,
            startup,
            total: startup + run,
            disabled,
            pathkeys: Vec::new(),
        };
        root.rel_mut(pair.join).ok_or_else(no_rel)?.add(Rc::new(p));
        Ok(())
    }

    /// The share of rows in a key's bucket, that of the commonest value. (PostgreSQL: `estimate_hash_bucket_stats`)
    fn bucket_stats(&mut self, root: &Root, e: &Expr, buckets: f64) -> Result<(f64, f64)> {
        let Some(v) = self.examine(root, e, 0)? else { return Ok((0.1, 0.0)) };
        let mcv = self.commonest(&v)?;
        let (mut d, default) = self.num_distinct(&v);
        if default {
            return Ok((mcv.max(0.1), mcv));
        }
        let null = v.stats.as_ref().map_or(0.0, |s| f64::from(s.stanullfrac));
        let avg = (1.0 - null) / d;
        if v.tuples > 0.0 {
            d *= v.rel_rows / v.tuples;
            d = clamp_row_est(d);
        }
        let mut est = if d > buckets { 1.0 / buckets } else { 1.0 / d };
        if avg > 0.0 && mcv > avg {
            est *= mcv / avg;
        }
        Ok((est.clamp(1.0e-6, 1.0), mcv))
    }

    // ---- the unique inner side of a semijoin ----

    /// (PostgreSQL: `create_unique_path`)
    pub(crate) fn unique_side(&mut self, root: &mut Root, side: &Side, sj: &SpecialJoin) -> Result<Option<Side>> {
        if !sj.semi_can_btree && !sj.semi_can_hash {
            return Ok(None);
        }
        let sub = side.cheapest_total.clone();
        if sub.param.is_some() {
            return Ok(None);
        }
        let c = self.cx.cost.clone();
        let groups = self.num_groups(root, &sj.semi_rhs, sub.rows)?;
        let n = sj.semi_rhs.len();
        let sort = sj.semi_can_btree.then(|| {
            let s = self.cost_sort(sub.total, sub.rows, sub.target.width, -1.0);
            (s.startup, s.total + c.cpu_operator_cost * sub.rows * n as f64)
        });
        let entry = f64::from(sub.target.width) + 64.0;
        let hash = (sj.semi_can_hash
            && (c.enable_hashagg || sort.is_none())
            && (sort.is_none() || entry * groups <= c.work_mem * c.hash_mem_multiplier * 1024.0))
            .then(|| {
                let a = self.cost_agg(
                    AggStrategy::Hashed,
                    &Default::default(),
                    n,
                    groups,
                    &(0.0, 0.0),
                    (sub.startup, sub.total),
                    sub.rows,
                    sub.target.width,
                );
                (a.startup, a.total)
            });
        let (hashed, cost) = match (sort, hash) {
            (Some(s), Some(h)) => {
                if h.1 < s.1 {
                    (true, h)
                } else {
                    (false, s)
                }
            }
            (Some(s), None) => (false, s),
            (None, Some(h)) => (true, h),
            (None, None) => return Ok(None),
        };
        let kind =
            PathKind::Unique { sub: sub.clone(), hashed, exprs: sj.semi_rhs.clone(), ops: sj.semi_operators.clone() };
        let mut p = upper_path(kind, &sub, sub.target.clone());
        (p.startup, p.total, p.rows) = (cost.0, cost.1, groups);
        p.pathkeys = Vec::new();
        let p = Rc::new(p);
        Ok(Some(Side {
            relids: side.relids.clone(),
            rows: groups,
            paths: vec![p.clone()],
            cheapest_startup: Some(p.clone()),
            cheapest_total: p.clone(),
            cheapest_param: vec![p],
            lateral: side.lateral.clone(),
            dummy: false,
        }))
    }
}

/// Which side a two-sided clause's operands lie on: outer one on the left?
pub(crate) fn clause_sides(r: &RestrictInfo, outer: &Relids, inner: &Relids) -> Option<bool> {
    if r.left_relids.is_subset(outer) && r.right_relids.is_subset(inner) {
        Some(true)
    } else if r.left_relids.is_subset(inner) && r.right_relids.is_subset(outer) {
        Some(false)
    } else {
        None
    }
}

fn outer_ec(root: &Root, r: &RestrictInfo, outer: &Relids) -> Option<EcId> {
    let e = if r.left_relids.is_subset(outer) { r.left_ec.get() } else { r.right_ec.get() };
    e.map(|e| root.ec_id(e))
}
fn inner_ec(root: &Root, r: &RestrictInfo, outer: &Relids) -> Option<EcId> {
    let e = if r.left_relids.is_subset(outer) { r.right_ec.get() } else { r.left_ec.get() };
    e.map(|e| root.ec_id(e))
}

/// The order that a join keeps of its outer side's. (PostgreSQL: `build_join_pathkeys`)
fn join_keys(jointype: JoinType, outer: &[PathKey]) -> Vec<PathKey> {
    match jointype {
        JoinType::Full | JoinType::Right | JoinType::RightAnti | JoinType::RightSemi => Vec::new(),
        _ => outer.to_vec(),
    }
}

/// Whether the inner path is an index scan that checks all the join's conditions. (PostgreSQL: `has_indexed_join_quals`)
fn indexed_join_quals(inner: &P, clauses: &[Ri], outer: &P) -> bool {
    let Some(p) = &inner.param else { return false };
    let _ = outer;
    clauses.is_empty()
        && match &inner.kind {
            PathKind::Index { clauses: ix, .. } => {
                p.clauses.iter().all(|r| ix.iter().any(|k| crate::indexpaths::same_ec(&k.rinfo, r)))
                    && !p.clauses.is_empty()
            }
            PathKind::BitmapHeap { .. } => !p.clauses.is_empty(),
            _ => false,
        }
}

/// The conditions that a parameterised path checks itself. (PostgreSQL: `get_param_path_clause_serials`)
fn enforced_serials(p: &P, out: &mut Vec<u32>) {
    let Some(info) = &p.param else { return };
    match &p.kind {
        PathKind::NestLoop(j) | PathKind::MergeJoin { join: j, .. } | PathKind::HashJoin { join: j, .. } => {
            out.extend(j.restrict.iter().map(|r| r.serial));
            enforced_serials(&j.outer, out);
            enforced_serials(&j.inner, out);
        }
        PathKind::Append { paths } | PathKind::MergeAppend { paths } => {
            let mut all: Option<Vec<u32>> = None;
            for s in paths {
                let mut these = Vec::new();
                enforced_serials(s, &mut these);
                all = Some(match all {
                    None => these,
                    Some(a) => a.into_iter().filter(|x| these.contains(x)).collect(),
                });
            }
            out.extend(all.unwrap_or_default());
        }
        PathKind::Material { sub }
        | PathKind::Memoize { sub, .. }
        | PathKind::Unique { sub, .. }
        | PathKind::Projection { sub } => enforced_serials(sub, out),
        _ => out.extend(info.clauses.iter().map(|r| r.serial)),
    }
}

/// (PostgreSQL: `ExecSupportsMarkRestore`)
fn supports_mark(p: &P) -> bool {
    matches!(p.kind, PathKind::Index { .. } | PathKind::Material { .. } | PathKind::Sort { .. })
}

/// Buckets and batches. (PostgreSQL: `ExecChooseHashTableSize`)
pub(crate) fn hash_table_size(rows: f64, width: i32, mem: f64) -> (f64, f64) {
    let tuple = 16.0 + 16.0 + f64::from((width + 7) & !7);
    let bytes = rows * tuple;
    let max_pointers = (mem / 8.0).max(1024.0);
    let pow2 = |x: f64| 2f64.powf(x.max(1.0).log2().ceil());
    let buckets = pow2(rows.ceil().min(max_pointers)).max(1024.0);
    if bytes + buckets * 8.0 <= mem {
        return (buckets, 1.0);
    }
    let buckets = pow2((mem / (tuple + 8.0)).floor()).max(1024.0) / 2.0;
    let room = (mem - buckets * 8.0).max(1.0);
    (buckets.max(1024.0), pow2((bytes / room).ceil()).max(2.0))
}

impl Planner<'_, '_> {
    /// The share of a column's commonest value, 0 if not known.
    fn commonest(&mut self, v: &crate::selfuncs::VarStats) -> Result<f64> {
        self.first_mcv(v)
    }
}
