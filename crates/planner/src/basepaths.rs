//! Sizes and paths of base relations.
//!
//! PostgreSQL: `allpaths.c`.

use std::rc::Rc;

use analyze::query::*;
use base::{PgError, Result};
use types::oid::*;

use crate::cost::clamp_row_est;
use crate::node::*;
use crate::pathnode::*;
use crate::relids::Relids;
use crate::selfuncs::SelContext;
use crate::util::*;

impl Planner<'_, '_> {
    /// Rows and widths of all base relations. (PostgreSQL: `set_base_rel_sizes`)
    pub(crate) fn set_base_sizes(&mut self, root: &mut Root) -> Result<()> {
        let mut pages = 0.0;
        for r in root.base.iter().flatten() {
            pages += f64::from(r.pages);
        }
        root.total_table_pages = pages;
        for rti in 1..root.base.len() as u32 {
            let Some(Some(rel)) = root.base.get(rti as usize) else { continue };
            if rel.is_child {
                continue;
            }
            if !rel.expanded {
                self.set_rel_size(root, rti)?;
            } else {
                self.append_size(root, rti)?;
            }
        }
        Ok(())
    }

    pub(crate) fn set_child_size(&mut self, root: &mut Root, rti: RtIndex) -> Result<()> {
        self.set_rel_size(root, rti)
    }

    fn set_rel_size(&mut self, root: &mut Root, rti: RtIndex) -> Result<()> {
        let rte = root.parse.rte(rti);
        let tuples = match &rte.kind {
            RteKind::Relation { table_sample, .. } => {
                let sample = table_sample.clone();
                self.check_predicates(root, rti)?;
                if let Some(s) = sample {
                    self.sample_size(root, rti, &s)?;
                }
                return self.set_base_size(root, rti);
            }
            RteKind::Subquery { .. } => return self.plan_subquery(root, rti),
            RteKind::Function { functions, .. } => {
                let list: Vec<Expr> = functions.iter().map(|f| f.funcexpr.clone()).collect();
                let mut rows = 0.0f64;
                for f in &list {
                    let n = match f {
                        Expr::FuncExpr(x) if x.funcretset => self.function_rows(x.funcid, &x.args)?,
                        Expr::OpExpr(x) if x.opretset => self.function_rows(x.opfuncid, &x.args)?,
                        _ => 1.0,
                    };
                    rows = rows.max(n);
                }
                clamp_row_est(rows)
            }
            RteKind::TableFunc(_) => 100.0,
            RteKind::Values { lists, .. } => lists.len() as f64,
            RteKind::Cte { name, levels_up, self_reference, .. } => {
                let at = self.levels.len() - 1 - *levels_up as usize;
                if *self_reference {
                    // Ten times what the other term yields.
                    let owner = self.worktable_level(*levels_up)?;
                    let rows = self.levels[owner].nonrecursive.map_or(100.0, |n| n.0);
                    clamp_row_est(10.0 * rows)
                } else {
                    let state = self.levels[at].ctes.iter().find(|c| c.name == *name);
                    clamp_row_est(state.map_or(100.0, |s| s.rows))
                }
            }
            RteKind::NamedTuplestore { .. } => 1000.0,
            RteKind::Result => 1.0,
            RteKind::Join(_) | RteKind::Group { .. } => {
                return Err(PgError::internal("unexpected entry in the join tree"));
            }
        };
        if let Some(Some(rel)) = root.base.get_mut(rti as usize) {
            rel.tuples = tuples;
        }
        self.set_base_size(root, rti)
    }

    /// The level that computes the recursive union a self-reference reads: one inside the level that owns the CTE.
    pub(crate) fn worktable_level(&self, levels_up: u32) -> Result<usize> {
        let owner = self.levels.len().checked_sub(1 + levels_up as usize);
        owner.map(|o| o + 1).ok_or_else(|| PgError::internal("bad levelsup for CTE"))
    }

    /// A condition that nothing can fulfil.
    fn is_contradiction(&self, rel: &Rel) -> bool {
        rel.baserestrict.iter().any(|r| is_const_false_or_null(&r.clause))
    }

    /// Paths of all base relations. (PostgreSQL: `set_base_rel_pathlists`)
    pub(crate) fn set_base_paths(&mut self, root: &mut Root) -> Result<()> {
        for rti in 1..root.base.len() as u32 {
            let Some(Some(rel)) = root.base.get(rti as usize) else { continue };
            if rel.is_child {
                continue;
            }
            if !rel.expanded {
                self.base_paths(root, rti)?;
            } else {
                self.append_paths(root, rti)?;
            }
            if let Some(Some(rel)) = root.base.get_mut(rti as usize) {
                rel.set_cheapest()?;
            }
        }
        Ok(())
    }

    pub(crate) fn add_base(&self, root: &mut Root, rti: RtIndex, p: P) {
        if let Some(Some(rel)) = root.base.get_mut(rti as usize) {
            rel.add(p);
        }
    }

    pub(crate) fn base_paths(&mut self, root: &mut Root, rti: RtIndex) -> Result<()> {
        let Some(Some(rel)) = root.base.get(rti as usize) else { return Ok(()) };
        if rel.is_dummy() {
            return Ok(());
        }
        if self.is_contradiction(rel) {
            let p = dummy_path(rel);
            if let Some(Some(rel)) = root.base.get_mut(rti as usize) {
                rel.rows = 0.0;
                rel.paths = vec![p];
            }
            return Ok(());
        }
        let lateral = rel.lateral.clone();
        let param = self.base_param(root, rti, &lateral)?;
        let Some(Some(rel)) = root.base.get(rti as usize) else { return Ok(()) };
        let c = self.cx.cost;
        let rows = param.as_ref().map_or(rel.rows, |p| p.rows);
        let rte = root.parse.rte(rti);
        match &rte.kind {
            RteKind::Relation { table_sample, .. } => {
                if let Some(s) = table_sample {
                    let page = if self.is_block_sample(s)? { c.random_page_cost } else { c.seq_page_cost };
                    let mut cost = self.cost_seqscan(rel, param.as_deref());
                    cost.total += (page - c.seq_page_cost) * f64::from(rel.pages);
                    let p = new_path(PathKind::SampleScan, rel, param, rows, (cost.startup, cost.total));
                    self.add_base(root, rti, Rc::new(p));
                    return Ok(());
                }
                let cost = self.cost_seqscan(rel, param.as_deref());
                let mut p = new_path(PathKind::SeqScan, rel, param, rows, (cost.startup, cost.total));
                p.disabled = i32::from(!c.enable_seqscan);
                let seq = Rc::new(p);
                // WHERE CURRENT OF allows no other way.
                if !self.tid_paths(root, rti)? {
                    self.add_base(root, rti, seq);
                    self.index_paths(root, rti)?;
                }
            }
            RteKind::Subquery { .. } => {
                let paths = rel.subroot.as_ref().map(|s| s.final_paths.clone()).unwrap_or_default();
                let fraction = 0.0;
                let _ = fraction;
                for sub in paths {
                    let Some(Some(rel)) = root.base.get(rti as usize) else { continue };
                    let cost = self.cost_rows_scan_of(rel, param.as_deref(), sub.rows);
                    let trivial = rel.baserestrict.is_empty() && param.as_ref().is_none_or(|p| p.clauses.is_empty());
                    let extra = if trivial && rel.target.per_tuple == 0.0 && self.trivial_subquery_target(rel, &sub) {
                        (0.0, 0.0)
                    } else {
                        cost
                    };
                    let mut p = new_path(
                        PathKind::Subquery { index: rti, path: sub.clone() },
                        rel,
                        param.clone(),
                        rows,
                        (sub.startup + extra.0, sub.total + extra.1),
                    );
                    p.disabled = sub.disabled;
                    p.pathkeys = self.subquery_pathkeys(root, rti, &sub)?;
                    self.add_base(root, rti, Rc::new(p));
                }
            }
            RteKind::Function { functions, ordinality } => {
                let e = self.exprs_cost(functions.iter().map(|f| &f.funcexpr));
                let ordinality = *ordinality;
                let width = functions.iter().map(|f| f.colcount).sum::<usize>();
                let cost = self.cost_rows_scan(rel, param.as_deref(), e.0 + e.1, 0.0);
                let mut p = new_path(PathKind::FunctionScan, rel, param, rows, (cost.startup, cost.total));
                if ordinality {
                    // Rows come numbered.
                    let var = make_var(
                        rti,
                        width as i16 + 1,
                        TypeMod { oid: INT8OID, typmod: -1, collation: base::Oid::INVALID },
                    );
                    let family = catalog::oids::INTEGER_BTREE_FAM_OID;
                    if let Some(k) =
                        self.pathkey_for(root, &var, family, INT8OID, base::Oid::INVALID, false, false, 0, false)?
                    {
                        p.pathkeys = vec![k];
                    }
                }
                self.add_base(root, rti, Rc::new(p));
            }
            RteKind::TableFunc(t) => {
                let e = self.expr_cost(&t.docexpr);
                let cost = self.cost_rows_scan(rel, param.as_deref(), e.0 + e.1, 0.0);
                let p = new_path(PathKind::TableFuncScan, rel, param, rows, (cost.startup, cost.total));
                self.add_base(root, rti, Rc::new(p));
            }
            RteKind::Values { .. } => {
                let cost = self.cost_rows_scan(rel, param.as_deref(), 0.0, c.cpu_operator_cost);
                let p = new_path(PathKind::ValuesScan, rel, param, rows, (cost.startup, cost.total));
                self.add_base(root, rti, Rc::new(p));
            }
            RteKind::Cte { name, levels_up, self_reference, .. } => {
                let kind = if *self_reference {
                    let owner = self.worktable_level(*levels_up)?;
                    let wt = self.levels[owner].wt_param;
                    let param =
                        wt.ok_or_else(|| PgError::internal(format!("could not find param ID for CTE \"{name}\"")))?;
                    PathKind::WorkTableScan { param }
                } else {
                    let at = self.levels.len() - 1 - *levels_up as usize;
                    let state = self.levels[at].ctes.iter().find(|s| s.name == *name).and_then(|s| s.plan);
                    let (plan_id, param) =
                        state.ok_or_else(|| PgError::internal(format!("no plan was made for CTE \"{name}\"")))?;
                    PathKind::CteScan { plan_id, param }
                };
                let cost = self.cost_rows_scan(rel, param.as_deref(), 0.0, c.cpu_tuple_cost);
                let p = new_path(kind, rel, param, rows, (cost.startup, cost.total));
                self.add_base(root, rti, Rc::new(p));
            }
            RteKind::NamedTuplestore { .. } => {
                let cost = self.cost_rows_scan(rel, param.as_deref(), 0.0, c.cpu_tuple_cost);
                let p = new_path(PathKind::NamedTuplestore, rel, param, rows, (cost.startup, cost.total));
                self.add_base(root, rti, Rc::new(p));
            }
            RteKind::Result => {
                let cost = self.cost_rows_scan(rel, param.as_deref(), 0.0, 0.0);
                let p = new_path(PathKind::Result { quals: Vec::new() }, rel, param, rows, (cost.startup, cost.total));
                self.add_base(root, rti, Rc::new(p));
            }
            RteKind::Join(_) | RteKind::Group { .. } => {}
        }
        Ok(())
    }

    fn cost_rows_scan_of(&self, rel: &Rel, param: Option<&ParamInfo>, sub_rows: f64) -> (f64, f64) {
        let q = self.scan_quals_cost(rel, param);
        let rows = param.map_or(rel.rows, |p| p.rows);
        let startup = q.0 + rel.target.startup;
        (startup, startup + (self.cx.cost.cpu_tuple_cost + q.1) * sub_rows + rel.target.per_tuple * rows)
    }

    /// Whether the scan passes the subquery's columns on as they are.
    fn trivial_subquery_target(&self, rel: &Rel, sub: &P) -> bool {
        rel.target.exprs.len() == sub.target.exprs.len()
            && rel.target.exprs.iter().enumerate().all(|(i, e)| matches!(e, Expr::Var(v) if v.varattno == i as i16 + 1))
    }

    /// What a parameterised scan of a base relation needs and yields. (PostgreSQL: `get_baserel_parampathinfo`)
    pub(crate) fn base_param(
        &mut self,
        root: &mut Root,
        rti: RtIndex,
        req_outer: &Relids,
    ) -> Result<Option<Rc<ParamInfo>>> {
        if req_outer.is_empty() {
            return Ok(None);
        }
        let Some(Some(rel)) = root.base.get(rti as usize) else { return Ok(None) };
        if let Some(known) = rel.param_infos.iter().find(|p| p.req_outer == *req_outer) {
            return Ok(Some(known.clone()));
        }
        let relids = rel.relids.clone();
        let both = relids.union(req_outer);
        let mut clauses: Vec<Ri> = rel.joininfo.iter().filter(|r| movable_into(r, &relids, &both)).cloned().collect();
        let eq = self.join_equalities(root, &both, req_outer, &relids)?;
        for r in eq {
            if !clauses.iter().any(|c| Rc::ptr_eq(c, &r)) && movable_into(&r, &relids, &both) {
                clauses.push(r);
            }
        }
        let Some(Some(rel)) = root.base.get(rti as usize) else { return Ok(None) };
        let mut all = clauses.clone();
        all.extend(rel.baserestrict.iter().cloned());
        let (tuples, max) = (rel.tuples, rel.rows);
        let s = self.list_selectivity(root, &all, SelContext::scan(rti))?;
        let rows = clamp_row_est(tuples * s).min(max);
        let info = Rc::new(ParamInfo { req_outer: req_outer.clone(), rows, clauses });
        if let Some(Some(rel)) = root.base.get_mut(rti as usize) {
            rel.param_infos.push(info.clone());
        }
        Ok(Some(info))
    }

    /// Plans a subquery in FROM. Conditions move into it where they may. (PostgreSQL: `set_subquery_pathlist`)
    fn plan_subquery(&mut self, root: &mut Root, rti: RtIndex) -> Result<()> {
        let RteKind::Subquery { subquery, security_barrier, .. } = &root.parse.rtable[rti as usize - 1].kind else {
            return Ok(());
        };
        let mut query = (**subquery).clone();
        let barrier = *security_barrier;
        let mut run_conditions = Vec::new();
        if let Some(Some(rel)) = root.base.get(rti as usize)
            && !rel.baserestrict.is_empty()
            && self.may_push_into(&query)
        {
            let mut keep = Vec::new();
            let list = rel.baserestrict.clone();
            for r in list {
                if !r.pseudoconstant && !barrier && self.can_push(&query, &r.clause, rti)? {
                    push_qual(&mut query, &r.clause, rti)?;
                    continue;
                }
                let run = if r.pseudoconstant || barrier { None } else { self.run_condition(&query, &r.clause, rti)? };
                let Some((condition, checked_again)) = run else {
                    keep.push(r);
                    continue;
                };
                run_conditions.push(condition);
                if checked_again {
                    keep.push(r);
                }
            }
            if let Some(Some(rel)) = root.base.get_mut(rti as usize) {
                rel.baserestrict = keep;
            }
        }
        // Columns that nobody reads are not computed.
        let used: Relids = root.base[rti as usize]
            .as_ref()
            .map(|r| r.attrs_needed.iter().filter(|a| a.0 > 0).map(|a| a.0 as u32).collect())
            .unwrap_or_default();
        let whole = root.base[rti as usize].as_ref().is_some_and(|r| r.attrs_needed.iter().any(|a| a.0 == 0))
            || root.base[rti as usize].as_ref().is_some_and(|r| {
                r.baserestrict
                    .iter()
                    .any(|q| contains(&q.clause, |x| matches!(x, Expr::Var(v) if v.varno == rti && v.varattno == 0)))
            });
        if !whole {
            let mut used = used;
            for q in root.base[rti as usize].iter().flat_map(|r| &r.baserestrict) {
                walk(&q.clause, &mut |x| {
                    if let Expr::Var(v) = x
                        && v.varno == rti
                        && v.varattno > 0
                    {
                        used.insert(v.varattno as u32);
                    }
                    true
                });
            }
            run_conditions.iter().for_each(|c: &crate::windows::RunCondition| {
                used.insert(c.attno as u32);
            });
            self.drop_unused_columns(&mut query, &used)?;
        }
        let fraction = if root.parse.has_aggs
            || !root.parse.group_clause.is_empty()
            || root.parse.having_qual.is_some()
            || !root.parse.distinct_clause.is_empty()
            || !root.parse.sort_clause.is_empty()
            || root.all_baserels.len() > 1
        {
            0.0
        } else {
            root.tuple_fraction
        };
        let saved = std::mem::take(&mut self.levels[root.level].plan_params);
        self.run_conditions = run_conditions;
        let sub = self.subquery_planner(query, false, fraction, None)?;
        // What it wants set are lateral references: nested loops will do that.
        let params = std::mem::replace(&mut self.levels[root.level].plan_params, saved);
        root.subquery_params.push((rti, params));
        let best = sub.final_paths.iter().fold(None::<P>, |b, p| match b {
            Some(b) if !cheaper_total(p, &b) => Some(b),
            _ => Some(p.clone()),
        });
        let Some(best) = best else { return Err(PgError::internal("a subquery without paths")) };
        let dummy = matches!(&best.kind, PathKind::Append { paths } if paths.is_empty());
        if let Some(Some(rel)) = root.base.get_mut(rti as usize) {
            rel.tuples = best.rows;
            rel.subroot = Some(Box::new(sub));
            if dummy {
                rel.rows = 0.0;
            }
        }
        self.set_base_size(root, rti)?;
        if dummy && let Some(Some(rel)) = root.base.get_mut(rti as usize) {
            rel.rows = 0.0;
        }
        Ok(())
    }

    fn may_push_into(&self, q: &Query) -> bool {
        q.command_type == CmdType::Select
            && q.limit_offset.is_none()
            && q.limit_count.is_none()
            && q.grouping_sets.is_empty()
    }

    /// (PostgreSQL: `qual_is_pushdown_safe`, `check_output_expressions`)
    fn can_push(&mut self, q: &Query, e: &Expr, rti: RtIndex) -> Result<bool> {
        if has_subplan(e) || is_volatile(&self.cx.catalog, e)? {
            return Ok(false);
        }
        let mut vars = Vec::new();
        vars_of(e, &mut vars);
        let mut ids = Vec::new();
        exec_params(e, &mut ids);
        if !ids.is_empty() {
            return Ok(false);
        }
        for v in vars {
            let Expr::Var(v) = v else { continue };
            if v.varno != rti {
                return Ok(false);
            }
            if v.varattno <= 0 || !self.output_is_safe(q, v.varattno)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn output_is_safe(&mut self, q: &Query, attno: i16) -> Result<bool> {
        if let Some(tree) = &q.set_operations {
            return self.setop_is_safe(q, tree, attno);
        }
        let Some(t) = q.target_list.iter().find(|t| t.resno == attno && !t.resjunk) else { return Ok(false) };
        if has_srf(&t.expr) || is_volatile(&self.cx.catalog, &t.expr)? || has_window(&t.expr) {
            return Ok(false);
        }
        if contains(&t.expr, |x| matches!(x, Expr::SubLink(_))) {
            return Ok(false);
        }
        if q.has_distinct_on
            && !q.distinct_clause.iter().any(|c| c.tle_sort_group_ref == t.ressortgroupref && t.ressortgroupref != 0)
        {
            return Ok(false);
        }
        if q.has_window_funcs {
            // Only conditions on what every window partitions by.
            let in_all = !q.window_clause.is_empty()
                && q.window_clause.iter().all(|w| {
                    w.partition_clause
                        .iter()
                        .any(|c| c.tle_sort_group_ref == t.ressortgroupref && t.ressortgroupref != 0)
                });
            if !in_all {
                return Ok(false);
            }
        }
        if q.has_target_srfs && (!q.distinct_clause.is_empty() || q.has_distinct_on) {
            return Ok(false);
        }
        Ok(true)
    }

    fn setop_is_safe(&mut self, q: &Query, tree: &SetOpNode, attno: i16) -> Result<bool> {
        match tree {
            SetOpNode::Leaf(rti) => {
                let RteKind::Subquery { subquery, .. } = &q.rte(*rti).kind else { return Ok(false) };
                if !self.may_push_into(subquery) {
                    return Ok(false);
                }
                // The leaf's type must be the operation's, or comparisons would change their meaning.
                self.output_is_safe(subquery, attno)
            }
            SetOpNode::Op { op, larg, rarg, col_types, .. } => {
                if *op == SetOperation::Except || q.has_recursive {
                    return Ok(false);
                }
                let i = attno as usize - 1;
                for side in [larg, rarg] {
                    if let SetOpNode::Leaf(r) = &**side
                        && let RteKind::Subquery { subquery, .. } = &q.rte(*r).kind
                    {
                        let ty = subquery.target_list.iter().filter(|t| !t.resjunk).nth(i).map(|t| t.expr.type_mod());
                        if ty.map(|t| (t.oid, t.collation)) != col_types.get(i).map(|t| (t.oid, t.collation)) {
                            return Ok(false);
                        }
                    }
                }
                Ok(self.setop_is_safe(q, larg, attno)? && self.setop_is_safe(q, rarg, attno)?)
            }
        }
    }

    /// (PostgreSQL: `remove_unused_subquery_outputs`)
    fn drop_unused_columns(&mut self, q: &mut Query, used: &Relids) -> Result<()> {
        if q.set_operations.is_some() || !q.distinct_clause.is_empty() || q.command_type != CmdType::Select {
            return Ok(());
        }
        for i in 0..q.target_list.len() {
            let t = &q.target_list[i];
            if t.ressortgroupref != 0 || t.resjunk || used.contains(t.resno as u32) || has_srf(&t.expr) {
                continue;
            }
            if is_volatile(&self.cx.catalog, &t.expr)? {
                continue;
            }
            let ty = t.expr.type_mod();
            let e = self.null_const(ty)?;
            q.target_list[i].expr = e;
        }
        Ok(())
    }

    /// The order of a subquery's output, in the terms of the outer query. (PostgreSQL: `convert_subquery_pathkeys`)
    fn subquery_pathkeys(&mut self, root: &mut Root, rti: RtIndex, sub: &P) -> Result<Vec<PathKey>> {
        let mut out: Vec<PathKey> = Vec::new();
        for k in &sub.pathkeys {
            let found = {
                let Some(Some(rel)) = root.base.get(rti as usize) else { return Ok(out) };
                let Some(sr) = &rel.subroot else { return Ok(out) };
                let ec = sr.ec(k.ec);
                let mut hit = None;
                for m in &ec.members {
                    let t = sr.tlist.iter().find(|t| !t.resjunk && strip_relabel(&t.expr) == strip_relabel(&m.expr));
                    if let Some(t) = t {
                        hit = Some((t.resno, t.expr.type_mod(), m.datatype, ec.collation, ec.opfamilies.clone()));
                        break;
                    }
                }
                hit
            };
            let Some((resno, ty, datatype, collation, families)) = found else { break };
            let needed = root.base[rti as usize].as_ref().is_some_and(|r| r.attrs_needed.iter().any(|a| a.0 == resno));
            if !needed {
                break;
            }
            let var = make_var(rti, resno, ty);
            let ec = self.ec_for_sort(root, &var, &families, datatype, collation, 0, false)?;
            let Some(ec) = ec else { break };
            let key = PathKey { ec, ..*k };
            if !self.is_redundant(root, &key, &out) {
                out.push(key);
            }
        }
        Ok(out)
    }
}

/// Whether a join clause can be checked in a scan that is given the other relations' values.
/// (PostgreSQL: `join_clause_is_movable_to`)
pub(crate) fn movable_to(r: &RestrictInfo, rel: &Rel) -> bool {
    r.clause_relids.overlaps(&rel.relids)
        && !r.outer_relids.overlaps(&rel.relids)
        && !r.nullable.overlaps(&rel.relids)
        && !rel.lateral_referencers.overlaps(&r.clause_relids)
}
/// (PostgreSQL: `join_clause_is_movable_into`)
pub(crate) fn movable_into(r: &RestrictInfo, relids: &Relids, with_outer: &Relids) -> bool {
    // Columns that outer joins null must come with those joins done.
    r.clause_relids.is_subset(with_outer)
        && (r.nullable.is_empty() || r.required.is_subset(with_outer))
        && r.clause_relids.overlaps(relids)
        && !r.outer_relids.overlaps(relids)
        && !r.nullable.overlaps(relids)
}

/// Adds a condition to a subquery. (PostgreSQL: `subquery_push_qual`)
fn push_qual(q: &mut Query, e: &Expr, rti: RtIndex) -> Result<()> {
    if let Some(tree) = q.set_operations.clone() {
        return push_setop(q, &tree, e, rti);
    }
    let mut e = e.clone();
    let tlist = q.target_list.clone();
    mutate(&mut e, &mut |x| {
        if let Expr::Var(v) = x
            && v.varno == rti
            && v.varlevelsup == 0
        {
            let t = tlist.iter().find(|t| t.resno == v.varattno);
            *x = t.map(|t| t.expr.clone()).ok_or_else(|| PgError::internal("lost a subquery's column"))?;
            return Ok(false);
        }
        Ok(true)
    })?;
    if q.has_aggs || !q.group_clause.is_empty() || q.having_qual.is_some() {
        let all = implicit_and(q.having_qual.take()).into_iter().chain([e]).collect();
        q.having_qual = Expr::and_all(all);
    } else {
        let all = implicit_and(q.jointree.quals.take()).into_iter().chain([e]).collect();
        q.jointree.quals = Expr::and_all(all);
    }
    Ok(())
}

fn push_setop(q: &mut Query, tree: &SetOpNode, e: &Expr, rti: RtIndex) -> Result<()> {
    match tree {
        SetOpNode::Leaf(r) => match &mut q.rtable[*r as usize - 1].kind {
            RteKind::Subquery { subquery, .. } => push_qual(subquery, e, rti),
            _ => Err(PgError::internal("a set operation's input is not a subquery")),
        },
        SetOpNode::Op { larg, rarg, .. } => {
            push_setop(q, larg, e, rti)?;
            push_setop(q, rarg, e, rti)
        }
    }
}
