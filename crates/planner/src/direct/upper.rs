//! What lies above FROM and WHERE: grouping, windows, set-returning functions, DISTINCT, ORDER BY, LIMIT, set operations, WITH.

use analyze::query::*;
use base::{Oid, PgError, Result};

use super::{Level, Planner, Rel, refer, tle, tlist, unsupported, var};
use crate::plan::*;

impl Planner<'_, '_> {
    /// Plans a query. The plan's columns are the target list without junk, for a data-modifying one its RETURNING list.
    pub fn query(&mut self, mut q: Query) -> Result<Plan> {
        let offset = self.rtable.len() as u32;
        let perm_offset = self.perminfos.len() as u32;
        self.levels.push(Level { rtable: q.rtable.clone(), offset, ..Level::default() });
        self.perminfos.append(&mut q.rteperminfos);
        for rte in &q.rtable {
            let mut rte = rte.clone();
            if let RteKind::Relation { relid, perminfoindex, .. } = &mut rte.kind {
                self.relation_oids.push(*relid);
                if *perminfoindex > 0 {
                    *perminfoindex += perm_offset;
                }
            }
            self.rtable.push(rte);
        }
        let plan = self.query_body(&q);
        let level = self.levels.pop().unwrap_or_default();
        let mut plan = plan?;
        plan.init_plans.extend(level.init_plans);
        if let Some(above) = self.levels.last_mut() {
            // A FROM item's wishes to its own query were met; others went to the levels they concern.
            let _ = above;
        }
        Ok(plan)
    }

    fn query_body(&mut self, q: &Query) -> Result<Plan> {
        if q.group_distinct {
            return unsupported("GROUP BY DISTINCT");
        }
        if q.command_type == CmdType::Utility {
            return Err(PgError::internal("a utility statement has no plan"));
        }
        for cte in &q.cte_list {
            self.cte(cte)?;
        }
        if q.set_operations.is_some() {
            return self.set_operation_query(q);
        }
        if q.command_type != CmdType::Select {
            return self.modify(q);
        }
        let mut targets = self.prep_tlist(&q.target_list)?;
        let marks = self.row_mark_targets(q, &mut targets)?;
        let needed = self.needed(q)?;
        let rel = self.from(&q.jointree, &with_marks(needed, &targets))?;
        self.finish_select(q, rel, targets, marks)
    }

    /// The columns of base relations that the level's expressions read.
    pub fn needed(&mut self, q: &Query) -> Result<Vec<Expr>> {
        let mut bare = q.clone();
        for rte in &mut bare.rtable {
            match &mut rte.kind {
                RteKind::Join(j) => j.join_alias_vars.clear(),
                RteKind::Group { exprs } => exprs.clear(),
                _ => {}
            }
        }
        let mut found: Vec<Var> = Vec::new();
        bare.for_each_expr(&mut |e| super::from::level_refs(e, 0, &mut found));
        for rte in &bare.rtable {
            if let RteKind::Subquery { subquery, .. } = &rte.kind {
                super::from::outer_refs(subquery, 1, &mut found);
            }
        }
        let mut out: Vec<Expr> = Vec::new();
        for v in found {
            let e = self.prep(&Expr::Var(Var { varlevelsup: 0, ..v }))?;
            super::from::collect_vars(&e, &mut out);
        }
        Ok(out)
    }

    pub fn finish_select(
        &mut self,
        q: &Query,
        mut rel: Rel,
        mut targets: Vec<TargetEntry>,
        marks: Vec<PlanRowMark>,
    ) -> Result<Plan> {
        let mut having = self.prep_quals(q.having_qual.as_ref())?;
        if q.has_aggs || !q.group_clause.is_empty() || !q.grouping_sets.is_empty() || q.having_qual.is_some() {
            let exprs: Vec<Expr> = targets.iter().map(|t| t.expr.clone()).collect();
            rel = self.aggregate(q, rel, &targets, &exprs, std::mem::take(&mut having))?;
        }
        if q.has_window_funcs {
            for w in &q.window_clause {
                rel = self.window(w, rel, &targets)?;
            }
        }
        if q.has_target_srfs {
            rel = self.project_set(rel, &mut targets)?;
        }
        self.order_and_limit(q, rel, targets, marks)
    }

    /// Appends computed columns to a relation.
    fn extend(&mut self, rel: Rel, more: Vec<Expr>) -> Rel {
        let more: Vec<Expr> = more.into_iter().filter(|e| !rel.out.contains(e)).collect();
        if more.is_empty() {
            return rel;
        }
        let mut plan = Planner::pass(PlanNode::Result { constant_qual: Vec::new() }, rel.plan);
        let mut out = rel.out;
        for e in more {
            plan.targetlist.push(tle(refer(&e, &[(OUTER_VAR, &out)]), plan.targetlist.len() + 1));
            out.push(e);
        }
        Rel { plan, out, relids: rel.relids }
    }

    fn column(out: &[Expr], e: &Expr) -> Result<i16> {
        let at = out.iter().position(|x| x == e);
        at.map(|i| i as i16 + 1).ok_or_else(|| PgError::internal("expression not found in subplan target list"))
    }
    fn by_ref(targets: &[TargetEntry], r: u32) -> Result<&TargetEntry> {
        let found = targets.iter().find(|t| t.ressortgroupref == r);
        found.ok_or_else(|| PgError::internal("ORDER/GROUP BY expression not found in targetlist"))
    }
    fn sort_cols(&self, clauses: &[SortGroupClause], targets: &[TargetEntry], out: &[Expr]) -> Result<Vec<SortCol>> {
        let mut cols: Vec<SortCol> = Vec::new();
        for c in clauses {
            let t = Self::by_ref(targets, c.tle_sort_group_ref)?;
            let column = Self::column(out, &t.expr)?;
            if cols.iter().all(|x| x.column != column) && c.sortop.is_valid() {
                cols.push(SortCol {
                    column,
                    sortop: c.sortop,
                    collation: t.expr.collation(),
                    nulls_first: c.nulls_first,
                });
            }
        }
        Ok(cols)
    }
    fn group_cols(&self, clauses: &[SortGroupClause], targets: &[TargetEntry], out: &[Expr]) -> Result<Vec<GroupCol>> {
        let mut cols: Vec<GroupCol> = Vec::new();
        for c in clauses {
            let t = Self::by_ref(targets, c.tle_sort_group_ref)?;
            let column = Self::column(out, &t.expr)?;
            if cols.iter().all(|x| x.column != column) {
                cols.push(GroupCol { column, eqop: c.eqop, collation: t.expr.collation() });
            }
        }
        Ok(cols)
    }

    fn aggregate(
        &mut self,
        q: &Query,
        rel: Rel,
        targets: &[TargetEntry],
        exprs: &[Expr],
        having: Vec<Expr>,
    ) -> Result<Rel> {
        let mut group_exprs = Vec::new();
        for c in &q.group_clause {
            group_exprs.push(Self::by_ref(targets, c.tle_sort_group_ref)?.expr.clone());
        }
        let rel = self.extend(rel, group_exprs.clone());
        let columns = self.group_cols(&q.group_clause, targets, &rel.out)?;
        let mut sets = Vec::new();
        for set in grouping_sets(&q.grouping_sets) {
            let mut cols = Vec::new();
            for r in set {
                let column = Self::column(&rel.out, &Self::by_ref(targets, r)?.expr)?;
                if !cols.contains(&column) {
                    cols.push(column);
                }
            }
            sets.push(GroupingSetPlan { columns: cols });
        }
        // Outputs: grouping expressions, aggregates, and columns that depend on the grouping.
        let mut out = group_exprs;
        for e in exprs.iter().chain(&having) {
            agg_outputs(e, &mut out);
        }
        for a in out.iter_mut() {
            if let Expr::Aggref(a) = a
                && !a.aggtranstype.is_valid()
            {
                a.aggtranstype = Oid::INVALID;
            }
        }
        let sides = [(OUTER_VAR, &rel.out[..])];
        let targetlist = tlist(out.iter().map(|e| refer(e, &sides)).collect());
        let qual = having.iter().map(|e| refer(e, &sides)).collect();
        let hashable = q.group_clause.iter().all(|c| c.hashable);
        let (strategy, input) = if columns.is_empty() && sets.is_empty() {
            (AggStrategy::Plain, rel.plan)
        } else if hashable {
            (AggStrategy::Hashed, rel.plan)
        } else if sets.is_empty() {
            let keys = self.sort_cols(&q.group_clause, targets, &rel.out)?;
            (AggStrategy::Sorted, Planner::pass(PlanNode::Sort { keys }, rel.plan))
        } else {
            return unsupported("grouping sets of types that cannot be hashed");
        };
        let rows = if columns.is_empty() { 1.0 } else { (input.rows / 10.0).max(1.0) };
        let node = PlanNode::Agg { strategy, columns, num_groups: rows, grouping_sets: sets };
        let mut plan = Planner::over(node, input, targetlist);
        (plan.qual, plan.rows) = (qual, rows);
        Ok(Rel { plan, out, relids: rel.relids })
    }

    fn window(&mut self, w: &WindowClause, rel: Rel, targets: &[TargetEntry]) -> Result<Rel> {
        let mut calls: Vec<Expr> = Vec::new();
        fn find(e: &Expr, winref: u32, out: &mut Vec<Expr>) {
            match e {
                Expr::WindowFunc(f) if f.winref == winref => {
                    if !out.contains(e) {
                        out.push(e.clone());
                    }
                }
                _ => e.children(&mut |c| find(c, winref, out)),
            }
        }
        targets.iter().for_each(|t| find(&t.expr, w.winref, &mut calls));
        if calls.is_empty() {
            return Ok(rel);
        }
        let mut keys = Vec::new();
        for c in w.partition_clause.iter().chain(&w.order_clause) {
            keys.push(Self::by_ref(targets, c.tle_sort_group_ref)?.expr.clone());
        }
        let mut rel = self.extend(rel, keys);
        let all: Vec<SortGroupClause> = w.partition_clause.iter().chain(&w.order_clause).cloned().collect();
        let sort = self.sort_cols(&all, targets, &rel.out)?;
        if !sort.is_empty() {
            rel.plan = Planner::pass(PlanNode::Sort { keys: sort }, rel.plan);
        }
        let node = WindowAggPlan {
            winname: w.name.clone().unwrap_or_else(|| format!("w{}", w.winref)),
            winref: w.winref,
            partition: self.group_cols(&w.partition_clause, targets, &rel.out)?,
            order: self.group_cols(&w.order_clause, targets, &rel.out)?,
            order_keys: self.sort_cols(&w.order_clause, targets, &rel.out)?,
            frame_options: w.frame_options,
            start_offset: w.start_offset.as_ref().map(|e| self.prep(e)).transpose()?,
            end_offset: w.end_offset.as_ref().map(|e| self.prep(e)).transpose()?,
            start_in_range_func: w.start_in_range_func,
            end_in_range_func: w.end_in_range_func,
            in_range_coll: w.in_range_coll,
            in_range_asc: w.in_range_asc,
            in_range_nulls_first: w.in_range_nulls_first,
            run_condition: Vec::new(),
            run_condition_orig: Vec::new(),
            top_window: true,
        };
        let mut plan = Planner::pass(PlanNode::WindowAgg(Box::new(node)), rel.plan);
        let mut out = rel.out;
        for c in calls {
            plan.targetlist.push(tle(refer(&c, &[(OUTER_VAR, &out)]), plan.targetlist.len() + 1));
            out.push(c);
        }
        Ok(Rel { plan, out, relids: rel.relids })
    }

    fn project_set(&mut self, rel: Rel, targets: &mut [TargetEntry]) -> Result<Rel> {
        let mut sets: Vec<Expr> = Vec::new();
        targets.iter().for_each(|t| find_sets(&t.expr, &mut sets));
        let mut inner = Vec::new();
        sets.iter().for_each(|s| s.children(&mut |c| find_sets(c, &mut inner)));
        if !inner.is_empty() {
            return unsupported("set-returning functions within each other");
        }
        let mut plan = Planner::pass(PlanNode::ProjectSet, rel.plan);
        let mut out = rel.out;
        for s in sets {
            plan.targetlist.push(tle(refer(&s, &[(OUTER_VAR, &out)]), plan.targetlist.len() + 1));
            out.push(s);
        }
        plan.rows *= 10.0;
        Ok(Rel { plan, out, relids: rel.relids })
    }

    /// DISTINCT, ORDER BY, row locks, LIMIT, and the target list without junk.
    fn order_and_limit(
        &mut self,
        q: &Query,
        rel: Rel,
        targets: Vec<TargetEntry>,
        marks: Vec<PlanRowMark>,
    ) -> Result<Plan> {
        let exprs: Vec<Expr> = targets.iter().map(|t| t.expr.clone()).collect();
        let list: Vec<TargetEntry> = targets
            .iter()
            .enumerate()
            .map(|(i, t)| TargetEntry {
                expr: refer(&t.expr, &[(OUTER_VAR, &rel.out)]),
                resno: i as i16 + 1,
                ..t.clone()
            })
            .collect();
        let mut plan = match rel.plan.outer.is_none() && matches!(rel.plan.node, PlanNode::Result { .. }) {
            // Without FROM the Result itself computes the list.
            true => Plan { targetlist: list, ..rel.plan },
            false => Planner::project(rel.plan, list),
        };
        if !q.distinct_clause.is_empty() {
            let mut clauses = q.sort_clause.clone();
            let leading =
                |c: &SortGroupClause| q.distinct_clause.iter().any(|d| d.tle_sort_group_ref == c.tle_sort_group_ref);
            if !q.has_distinct_on {
                clauses.retain(leading);
            }
            for d in &q.distinct_clause {
                if clauses.iter().all(|c| c.tle_sort_group_ref != d.tle_sort_group_ref) {
                    clauses.push(d.clone());
                }
            }
            let columns = self.group_cols(&q.distinct_clause, &targets, &exprs)?;
            let sortable = clauses.iter().all(|c| c.sortop.is_valid());
            if sortable {
                let keys = self.sort_cols(&clauses, &targets, &exprs)?;
                plan = Planner::pass(PlanNode::Sort { keys }, plan);
                plan = Planner::pass(PlanNode::Unique { columns }, plan);
            } else {
                let node = PlanNode::Agg {
                    strategy: AggStrategy::Hashed,
                    columns,
                    num_groups: plan.rows,
                    grouping_sets: Vec::new(),
                };
                plan = Planner::pass(node, plan);
            }
        }
        if !q.sort_clause.is_empty() && (q.distinct_clause.is_empty() || !matches!(plan.node, PlanNode::Unique { .. }))
        {
            let keys = self.sort_cols(&q.sort_clause, &targets, &exprs)?;
            plan = Planner::pass(PlanNode::Sort { keys }, plan);
        }
        if !marks.is_empty() {
            self.row_marks.extend(marks.iter().cloned());
            plan = Planner::pass(PlanNode::LockRows { row_marks: marks, epq_param: -1 }, plan);
        }
        if q.limit_count.is_some() || q.limit_offset.is_some() {
            let offset = q.limit_offset.as_ref().map(|e| self.prep(e)).transpose()?;
            let count = q.limit_count.as_ref().map(|e| self.prep(e)).transpose()?;
            let ties_columns = match q.limit_with_ties {
                true => self.group_cols(&q.sort_clause, &targets, &exprs)?,
                false => Vec::new(),
            };
            if let Some(Expr::Const(c)) = &count {
                plan.rows = plan.rows.min((c.value.as_ref().word() as f64).max(1.0));
            }
            plan = Planner::pass(PlanNode::Limit { offset, count, with_ties: q.limit_with_ties, ties_columns }, plan);
        }
        // At the top the executor leaves out junk that comes last.
        let last = targets.iter().skip_while(|t| !t.resjunk).all(|t| t.resjunk);
        if targets.iter().any(|t| t.resjunk) && (self.levels.len() > 1 || !last) {
            let list: Vec<TargetEntry> = targets
                .iter()
                .enumerate()
                .filter(|(_, t)| !t.resjunk)
                .map(|(i, t)| TargetEntry { expr: var(OUTER_VAR, i as i16 + 1, t.expr.type_mod()), ..t.clone() })
                .collect();
            plan = Planner::project(plan, list);
        }
        Ok(plan)
    }

    fn set_operation_query(&mut self, q: &Query) -> Result<Plan> {
        let Some(tree) = &q.set_operations else { return Err(PgError::internal("no set operation")) };
        let targets = self.prep_tlist(&q.target_list)?;
        let types: Vec<TypeMod> = targets.iter().filter(|t| !t.resjunk).map(|t| t.expr.type_mod()).collect();
        let plan = self.set_op(tree, &types)?;
        let out = targets.iter().filter(|t| !t.resjunk).map(|t| t.expr.clone()).collect();
        self.order_and_limit(q, Rel { plan, out, relids: Vec::new() }, targets, Vec::new())
    }

    fn set_op(&mut self, node: &SetOpNode, types: &[TypeMod]) -> Result<Plan> {
        let (op, all, larg, rarg, clauses) = match node {
            SetOpNode::Leaf(r) => {
                let rte = self.level().rtable[*r as usize - 1].clone();
                let rti = r + self.level().offset;
                let RteKind::Subquery { subquery, .. } = rte.kind else {
                    return Err(PgError::internal("set operation over something that is no query"));
                };
                let subplan = self.query(*subquery)?;
                let mut list = Vec::new();
                for (i, t) in types.iter().enumerate() {
                    let from = subplan.targetlist[i].expr.type_mod();
                    let column = var(rti, i as i16 + 1, from);
                    list.push(self.coerce(column, *t)?);
                }
                let rows = subplan.rows;
                let total_cost = subplan.total_cost;
                let scan = PlanNode::SubqueryScan { scanrelid: rti, subplan: Box::new(subplan) };
                return Ok(Plan { rows, total_cost, targetlist: tlist(list), ..Plan::new(scan) });
            }
            SetOpNode::Op { op, all, larg, rarg, group_clauses, .. } => (op, *all, larg, rarg, group_clauses),
        };
        let (left, right) = (self.set_op(larg, types)?, self.set_op(rarg, types)?);
        let columns: Vec<GroupCol> = clauses
            .iter()
            .enumerate()
            .map(|(i, c)| GroupCol { column: i as i16 + 1, eqop: c.eqop, collation: types[i].collation })
            .collect();
        let list = tlist((0..types.len()).map(|i| var(OUTER_VAR, i as i16 + 1, types[i])).collect());
        let rows = left.rows + right.rows;
        let total_cost = left.total_cost + right.total_cost;
        if *op == SetOperation::Union {
            let append = PlanNode::Append { plans: vec![left, right] };
            let plan = Plan { rows, total_cost, targetlist: list, ..Plan::new(append) };
            if all {
                return Ok(plan);
            }
            if clauses.iter().all(|c| c.hashable) {
                let node = PlanNode::Agg {
                    strategy: AggStrategy::Hashed,
                    columns,
                    num_groups: rows,
                    grouping_sets: Vec::new(),
                };
                return Ok(Planner::pass(node, plan));
            }
            let keys = clauses
                .iter()
                .enumerate()
                .map(|(i, c)| SortCol {
                    column: i as i16 + 1,
                    sortop: c.sortop,
                    collation: types[i].collation,
                    nulls_first: false,
                })
                .collect();
            let plan = Planner::pass(PlanNode::Sort { keys }, plan);
            return Ok(Planner::pass(PlanNode::Unique { columns }, plan));
        }
        let cmd = match (op, all) {
            (SetOperation::Intersect, false) => SetOpCmd::Intersect,
            (SetOperation::Intersect, true) => SetOpCmd::IntersectAll,
            (_, false) => SetOpCmd::Except,
            (_, true) => SetOpCmd::ExceptAll,
        };
        let node = PlanNode::SetOp { cmd, hashed: true, keys: Vec::new(), columns, num_groups: left.rows };
        let plan = Plan { rows: left.rows, total_cost, targetlist: list, ..Plan::new(node) };
        Ok(Plan { outer: Some(Box::new(left)), inner: Some(Box::new(right)), ..plan })
    }

    /// A column as the set operation's type.
    fn coerce(&self, e: Expr, to: TypeMod) -> Result<Expr> {
        let from = e.type_oid();
        if from == to.oid {
            return Ok(e);
        }
        let location = base::error::Location::UNKNOWN;
        if self.cx.catalog.binary_coercible(from, to.oid)? {
            let format = CoercionForm::ImplicitCast;
            return Ok(Expr::RelabelType(Box::new(RelabelType {
                arg: e,
                resulttype: to,
                relabelformat: format,
                location,
            })));
        }
        match self.cx.catalog.cast(from, to.oid)? {
            Some(c) if c.castmethod == b'f' => Ok(Expr::FuncExpr(Box::new(FuncExpr {
                funcid: c.castfunc,
                funcresulttype: to.oid,
                funcresulttypmod: -1,
                funcretset: false,
                funcvariadic: false,
                funcformat: CoercionForm::ImplicitCast,
                funccollid: to.collation,
                inputcollid: e.collation(),
                args: vec![e],
                location,
            }))),
            _ => Ok(Expr::CoerceViaIO(Box::new(CoerceViaIO {
                arg: e,
                resulttype: to.oid,
                resultcollid: to.collation,
                coerceformat: CoercionForm::ImplicitCast,
                location,
            }))),
        }
    }

    fn cte(&mut self, cte: &CommonTableExpr) -> Result<()> {
        let modifying = cte.ctequery.command_type != CmdType::Select;
        if cte.cterefcount == 0 && !modifying {
            return Ok(());
        }
        if cte.search_clause.is_some() || cte.cycle_clause.is_some() {
            return unsupported("SEARCH and CYCLE");
        }
        self.modifying_cte |= modifying;
        let param = self.new_param(types::oid::INTERNALOID);
        let plan = if cte.cterecursive && references(&cte.ctequery, &cte.ctename) {
            self.recursive(cte)?
        } else {
            self.query((*cte.ctequery).clone())?
        };
        if !self.level().plan_params.is_empty() {
            return unsupported("WITH queries that refer to outer columns here");
        }
        let plan_id = self.subplans.len();
        let s = SubPlan {
            sub_link_type: SubLinkType::Cte,
            testexpr: None,
            param_ids: Vec::new(),
            plan_id,
            plan_name: format!("CTE {}", cte.ctename),
            first_col: super::TID,
            use_hash_table: false,
            unknown_eq_false: false,
            set_param: vec![param],
            par_param: Vec::new(),
            args: Vec::new(),
            startup_cost: plan.startup_cost,
            per_call_cost: plan.total_cost,
        };
        self.subplans.push(plan);
        self.level().init_plans.push(s);
        self.level().ctes.push((cte.ctename.clone(), Some(plan_id), param));
        Ok(())
    }

    fn recursive(&mut self, cte: &CommonTableExpr) -> Result<Plan> {
        let mut q = (*cte.ctequery).clone();
        let Some(tree) = q.set_operations.take() else {
            return Err(PgError::internal("recursive query without UNION"));
        };
        let SetOpNode::Op { op: SetOperation::Union, all, larg, rarg, group_clauses, .. } = *tree else {
            return unsupported("this recursive query");
        };
        let wt_param = self.new_param(types::oid::INTERNALOID);
        let offset = self.rtable.len() as u32;
        self.levels.push(Level { rtable: q.rtable.clone(), offset, ..Level::default() });
        self.rtable.extend(q.rtable.iter().cloned());
        let types: Vec<TypeMod> = q.target_list.iter().filter(|t| !t.resjunk).map(|t| t.expr.type_mod()).collect();
        let result = (|| {
            for inner in &q.cte_list {
                self.cte(inner)?;
            }
            let seed = self.set_op(&larg, &types)?;
            let depth = self.levels.len() - 2;
            self.levels[depth].ctes.push((cte.ctename.clone(), None, wt_param));
            let step = self.set_op(&rarg, &types);
            self.levels[depth].ctes.pop();
            Ok((seed, step?))
        })();
        let level = self.levels.pop().unwrap_or_default();
        let (seed, step) = result?;
        let dedup = match all {
            true => Vec::new(),
            false => group_clauses
                .iter()
                .enumerate()
                .map(|(i, c)| GroupCol { column: i as i16 + 1, eqop: c.eqop, collation: types[i].collation })
                .collect(),
        };
        let list = tlist((0..types.len()).map(|i| var(OUTER_VAR, i as i16 + 1, types[i])).collect());
        let rows = seed.rows * 10.0;
        let node = PlanNode::RecursiveUnion { wt_param, dedup, num_groups: rows };
        let plan = Plan { rows, targetlist: list, init_plans: level.init_plans, ..Plan::new(node) };
        Ok(Plan { outer: Some(Box::new(seed)), inner: Some(Box::new(step)), ..plan })
    }
}

fn with_marks(mut needed: Vec<Expr>, targets: &[TargetEntry]) -> Vec<Expr> {
    targets.iter().for_each(|t| super::from::collect_vars(&t.expr, &mut needed));
    needed
}

fn references(q: &Query, name: &str) -> bool {
    let mut found = false;
    for rte in &q.rtable {
        match &rte.kind {
            RteKind::Cte { name: n, self_reference: true, .. } if n == name => found = true,
            RteKind::Subquery { subquery, .. } => found = found || references(subquery, name),
            _ => {}
        }
    }
    q.for_each_expr(&mut |e| {
        found = found || e.any(&mut |x| matches!(x, Expr::SubLink(s) if references(&s.subselect, name)));
    });
    found || q.cte_list.iter().any(|c| references(&c.ctequery, name))
}

fn find_sets(e: &Expr, out: &mut Vec<Expr>) {
    let set = match e {
        Expr::FuncExpr(f) => f.funcretset,
        Expr::OpExpr(o) => o.opretset,
        _ => false,
    };
    if set {
        if !out.contains(e) {
            out.push(e.clone());
        }
    } else {
        e.children(&mut |c| find_sets(c, out));
    }
}

/// What an aggregation must put out for an expression above it.
fn agg_outputs(e: &Expr, out: &mut Vec<Expr>) {
    if out.contains(e) {
        return;
    }
    match e {
        Expr::Aggref(_) | Expr::GroupingFunc(_) | Expr::Var(_) => out.push(e.clone()),
        _ => e.children(&mut |c| agg_outputs(c, out)),
    }
}

/// All sets that GROUP BY GROUPING SETS, ROLLUP and CUBE stand for: the product of its items.
fn grouping_sets(items: &[GroupingSet]) -> Vec<Vec<u32>> {
    if items.is_empty() {
        return Vec::new();
    }
    let mut all: Vec<Vec<u32>> = vec![Vec::new()];
    for item in items {
        let one = expand(item);
        all = all.iter().flat_map(|a| one.iter().map(move |b| a.iter().chain(b).copied().collect())).collect();
    }
    all
}

fn expand(set: &GroupingSet) -> Vec<Vec<u32>> {
    let flat = |s: &GroupingSet| -> Vec<u32> { expand(s).into_iter().flatten().collect() };
    match set {
        GroupingSet::Empty => vec![Vec::new()],
        GroupingSet::Simple(refs) => vec![refs.clone()],
        GroupingSet::Rollup(list) => {
            let parts: Vec<Vec<u32>> = list.iter().map(flat).collect();
            (0..=parts.len()).rev().map(|n| parts[..n].concat()).collect()
        }
        GroupingSet::Cube(list) => {
            let parts: Vec<Vec<u32>> = list.iter().map(flat).collect();
            let n = parts.len();
            (0..1usize << n)
                .rev()
                .map(|bits| (0..n).filter(|i| bits >> (n - 1 - i) & 1 != 0).flat_map(|i| parts[i].clone()).collect())
                .collect()
        }
        GroupingSet::Sets(list) => list.iter().flat_map(expand).collect(),
    }
}
