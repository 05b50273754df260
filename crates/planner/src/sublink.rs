//! Sublinks that stay sublinks, CTEs, and references to outer query levels: all become subplans and Exec parameters.
//!
//! PostgreSQL: `subselect.c`, `paramassign.c`.

use analyze::query::*;
use base::error::Location;
use base::{Oid, PgError, Result};
use types::oid::*;

use crate::levels::*;
use crate::node::*;
use crate::plan::*;
use crate::util::*;

pub(crate) fn exec_param(id: i32, ty: TypeMod) -> Expr {
    Expr::Param(Param { kind: ParamKind::Exec, id, ty, location: Location::UNKNOWN })
}

impl Planner<'_, '_> {
    pub(crate) fn new_exec_param(&mut self, ty: Oid) -> i32 {
        self.glob.exec_params.push(ty);
        self.glob.exec_params.len() as i32 - 1
    }

    /// References to outer levels become parameters. (PostgreSQL: `SS_replace_correlation_vars`)
    pub(crate) fn replace_outer_refs(&mut self, e: &mut Expr) -> Result<()> {
        mutate(e, &mut |x| {
            let Some(up) = level_of(x).filter(|l| *l > 0) else { return Ok(true) };
            *x = self.outer_ref(x, up)?;
            Ok(false)
        })
    }

    fn outer_ref(&mut self, x: &Expr, up: u32) -> Result<Expr> {
        let at = self.levels.len().checked_sub(1 + up as usize);
        let at = at.ok_or_else(|| PgError::internal("reference to a query level that does not exist"))?;
        let mut e = x.clone();
        shift_levels(&mut e, -(up as i32), up)?;
        let ty = e.type_mod();
        if let Some((id, _)) = self.levels[at].plan_params.iter().find(|(_, p)| same_but_place(p, &e)) {
            return Ok(exec_param(*id, ty));
        }
        let id = self.new_exec_param(ty.oid);
        self.levels[at].plan_params.push((id, e));
        Ok(exec_param(id, ty))
    }

    /// Sublinks become subplans. `qual`: a top-level condition, where null counts as false. (PostgreSQL: `SS_process_sublinks`)
    pub(crate) fn process_sublinks(&mut self, root: &mut Root, e: &mut Expr, qual: bool) -> Result<()> {
        analyze::walker::check_depth()?;
        match e {
            Expr::SubLink(_) => {
                let Expr::SubLink(mut s) = std::mem::replace(e, Expr::bool_const(None)) else { return Ok(()) };
                if let Some(t) = &mut s.testexpr {
                    self.process_sublinks(root, t, false)?;
                }
                *e = self.make_subplan(root, *s, qual)?;
                Ok(())
            }
            // Arguments of outer aggregates belong to the outer level.
            Expr::Aggref(a) if a.agglevelsup > 0 => Ok(()),
            Expr::BoolExpr(b) => {
                let below = qual && b.boolop != BoolExprType::Not;
                for a in &mut b.args {
                    self.process_sublinks(root, a, below)?;
                }
                Ok(())
            }
            _ => e.try_children_mut(&mut |c| self.process_sublinks(root, c, false)),
        }
    }

    fn make_subplan(&mut self, root: &mut Root, s: SubLink, qual: bool) -> Result<Expr> {
        let mut query = *s.subselect;
        let kind = s.sub_link_type;
        let simple_exists = kind == SubLinkType::Exists && self.simplify_exists(&mut query)?;
        let _ = simple_exists;
        let fraction = match kind {
            SubLinkType::Exists => 1.0,
            SubLinkType::Any | SubLinkType::All => 0.5,
            _ => 0.0,
        };
        let saved = std::mem::take(&mut self.levels[root.level].plan_params);
        let mut sub = self.subquery_planner(query, false, fraction, None)?;
        let path = self.choose_final(&sub, fraction)?;
        let plan = self.create_plan(&mut sub, &path)?;
        let params = std::mem::replace(&mut self.levels[root.level].plan_params, saved);
        self.build_subplan(root, plan, sub, params, kind, s.testexpr, s.array_type, s.sub_link_id, qual)
    }

    /// (PostgreSQL: `build_subplan`)
    #[expect(clippy::too_many_lines, reason = "one case a kind of sublink")]
    fn build_subplan(
        &mut self,
        root: &mut Root,
        plan: Plan,
        sub: Root,
        plan_params: Vec<(i32, Expr)>,
        kind: SubLinkType,
        testexpr: Option<Expr>,
        array_type: Oid,
        link_id: i32,
        qual: bool,
    ) -> Result<Expr> {
        let columns: Vec<TypeMod> = plan.targetlist.iter().filter(|t| !t.resjunk).map(|t| t.expr.type_mod()).collect();
        let none = TypeMod { oid: VOIDOID, typmod: -1, collation: Oid::INVALID };
        let mut splan = SubPlan {
            sub_link_type: kind,
            testexpr: None,
            param_ids: Vec::new(),
            plan_id: 0,
            plan_name: String::new(),
            first_col: columns.first().copied().unwrap_or(none),
            array_type,
            use_hash_table: false,
            unknown_eq_false: qual,
            set_param: Vec::new(),
            par_param: plan_params.iter().map(|p| p.0).collect(),
            args: plan_params.into_iter().map(|p| p.1).collect(),
            startup_cost: 0.0,
            per_call_cost: 0.0,
        };
        // Outer aggregates among the arguments may have sublinks.
        let mut args = std::mem::take(&mut splan.args);
        for a in &mut args {
            if matches!(a, Expr::Aggref(_) | Expr::GroupingFunc(_)) {
                self.process_sublinks(root, a, false)?;
            }
        }
        splan.args = args;
        let mut plan = plan;
        let mut is_init = false;
        let uncorrelated = splan.par_param.is_empty();
        let bool_ty = TypeMod { oid: BOOLOID, typmod: -1, collation: Oid::INVALID };
        let result = match kind {
            SubLinkType::Exists if uncorrelated => {
                let p = self.new_exec_param(BOOLOID);
                splan.set_param = vec![p];
                is_init = true;
                Some(exec_param(p, bool_ty))
            }
            SubLinkType::Expr if uncorrelated => {
                let p = self.new_exec_param(splan.first_col.oid);
                splan.set_param = vec![p];
                is_init = true;
                Some(exec_param(p, splan.first_col))
            }
            SubLinkType::Array if uncorrelated => {
                let ty = TypeMod { oid: array_type, ..splan.first_col };
                let p = self.new_exec_param(array_type);
                splan.set_param = vec![p];
                is_init = true;
                Some(exec_param(p, ty))
            }
            SubLinkType::RowCompare if uncorrelated => {
                let (ids, test) = self.sublink_params(testexpr.clone(), &columns)?;
                splan.set_param = ids;
                is_init = true;
                test
            }
            SubLinkType::MultiExpr => {
                let mut ids = Vec::new();
                for c in &columns {
                    ids.push(self.new_exec_param(c.oid));
                }
                self.multiexpr_params(root, link_id, &ids);
                splan.set_param = ids;
                is_init = uncorrelated;
                if is_init {
                    Some(self.null_const(TypeMod { oid: RECORDOID, typmod: -1, collation: Oid::INVALID })?)
                } else {
                    None
                }
            }
            _ => {
                if kind == SubLinkType::Array {
                    splan.first_col = columns.first().copied().unwrap_or(none);
                }
                let (ids, test) = self.sublink_params(testexpr.clone(), &columns)?;
                (splan.param_ids, splan.testexpr) = (ids, test);
                if kind == SubLinkType::Any
                    && uncorrelated
                    && !self.uses_outer_params(&plan, root.level)
                    && self.is_hashable_subplan(&plan, splan.testexpr.as_ref())?
                {
                    splan.use_hash_table = true;
                } else if uncorrelated && self.cx.cost.enable_material && !materializes(&plan) {
                    plan = crate::create::material_plan(plan);
                }
                None
            }
        };
        splan.plan_id = self.glob.subplans.len();
        let what = if is_init { "InitPlan" } else { "SubPlan" };
        splan.plan_name = format!("{what} {}", splan.plan_id + 1);
        self.cost_subplan(&mut splan, &plan);
        self.push_subplan(plan, sub);
        match result {
            Some(e) => {
                if is_init {
                    root.init_plans.push(splan);
                }
                Ok(e)
            }
            None => Ok(Expr::SubPlan(Box::new(splan))),
        }
    }

    pub(crate) fn push_subplan(&mut self, plan: Plan, sub: Root) {
        self.glob.subplan_exec.push(SubCost {
            startup: plan.startup_cost,
            total: plan.total_cost,
            rows: plan.rows,
            width: plan.width,
        });
        self.glob.subplans.push(Some(plan));
        self.glob.subroots.push(Some(Box::new(sub)));
    }

    /// A test's `Sublink` parameters replaced by Exec ones.
    fn sublink_params(&mut self, test: Option<Expr>, columns: &[TypeMod]) -> Result<(Vec<i32>, Option<Expr>)> {
        let Some(mut test) = test else { return Ok((Vec::new(), None)) };
        let mut ids = Vec::new();
        for c in columns {
            ids.push(self.new_exec_param(c.oid));
        }
        mutate(&mut test, &mut |x| {
            if let Expr::Param(p) = x
                && p.kind == ParamKind::Sublink
            {
                *x = exec_param(ids[p.id as usize - 1], p.ty);
            }
            Ok(true)
        })?;
        Ok((ids, Some(test)))
    }

    /// Multi-column assignment: the target list's parameters now name Exec parameters.
    fn multiexpr_params(&mut self, root: &mut Root, link_id: i32, ids: &[i32]) {
        let replace = |e: &mut Expr| {
            let done = mutate(e, &mut |x| {
                if let Expr::Param(p) = x
                    && p.kind == ParamKind::Multiexpr
                    && p.id >> 16 == link_id
                {
                    (p.kind, p.id) = (ParamKind::Exec, ids[(p.id & 0xffff) as usize - 1]);
                }
                Ok(true)
            });
            debug_assert!(done.is_ok());
        };
        root.tlist.iter_mut().chain(&mut root.parse.target_list).for_each(|t| replace(&mut t.expr));
        for a in &mut root.parse.merge_actions {
            a.target_list.iter_mut().for_each(|t| replace(&mut t.expr));
        }
        if let Some(c) = &mut root.parse.on_conflict {
            c.on_conflict_set.iter_mut().for_each(|t| replace(&mut t.expr));
        }
        self.multi.push((link_id, ids.to_vec()));
    }

    /// Whether a plan reads what levels above this one pass down.
    fn uses_outer_params(&self, plan: &Plan, level: usize) -> bool {
        let ids: Vec<i32> = self.levels[..level].iter().flat_map(|l| l.plan_params.iter().map(|p| p.0)).collect();
        !ids.is_empty() && self.reads_params(plan, &ids)
    }
    fn reads_params(&self, plan: &Plan, ids: &[i32]) -> bool {
        let mut exprs = Vec::new();
        crate::setrefs::node_exprs(plan, &mut exprs);
        let mut subs: Vec<usize> = plan.init_plans.iter().map(|s| s.plan_id).collect();
        let mut found = false;
        for e in exprs {
            walk(e, &mut |x| {
                match x {
                    Expr::Param(p) if p.kind == ParamKind::Exec => found = found || ids.contains(&p.id),
                    Expr::SubPlan(s) => subs.push(s.plan_id),
                    _ => {}
                }
                !found
            });
        }
        if let PlanNode::CteScan { plan_id, .. } = &plan.node {
            subs.push(*plan_id);
        }
        let below = |i: &usize| self.glob.subplans.get(*i).and_then(|p| p.as_ref());
        found
            || plan.children().into_iter().any(|c| self.reads_params(c, ids))
            || subs.iter().filter_map(below).any(|p| self.reads_params(p, ids))
    }

    fn is_hashable_subplan(&mut self, plan: &Plan, test: Option<&Expr>) -> Result<bool> {
        let bytes = plan.rows * (f64::from((plan.width + 7) & !7) + 24.0);
        if bytes > self.cx.cost.work_mem * 1024.0 * self.cx.cost.hash_mem_multiplier {
            return Ok(false);
        }
        let parts: Vec<&Expr> = match test {
            Some(Expr::BoolExpr(b)) if b.boolop == BoolExprType::And => b.args.iter().collect(),
            Some(e) => vec![e],
            None => return Ok(false),
        };
        for p in parts {
            let Expr::OpExpr(o) = p else { return Ok(false) };
            if o.args.len() != 2
                || !op_hashjoinable(&self.cx.catalog, o.opno, o.args[0].type_oid())?
                || !op_strict(&self.cx.catalog, o.opno)?
            {
                return Ok(false);
            }
            // The left side must not use the parameters, the right side nothing else.
            let mut used = Vec::new();
            exec_params(&o.args[0], &mut used);
            let right_is_param = matches!(strip_relabel(&o.args[1]), Expr::Param(p) if p.kind == ParamKind::Exec);
            let plain = matches!(&o.args[1], Expr::Param(_));
            if has_subplan(&o.args[0]) || !right_is_param || !plain || !varnos(&o.args[1]).is_empty() {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn cost_subplan(&mut self, s: &mut SubPlan, plan: &Plan) {
        let c = self.cx.cost;
        let per_tuple = match &s.testexpr {
            Some(t) => self.expr_cost(t).1,
            None => 0.0,
        };
        if s.use_hash_table {
            s.startup_cost = plan.total_cost + (c.cpu_operator_cost + per_tuple) * plan.rows;
            s.per_call_cost = per_tuple;
            return;
        }
        let run = plan.total_cost - plan.startup_cost;
        let mut per_call = match s.sub_link_type {
            SubLinkType::Exists => run / clamp_rows(plan.rows),
            SubLinkType::All | SubLinkType::Any => 0.5 * run + 0.5 * plan.rows * c.cpu_operator_cost,
            _ => run,
        };
        let mut startup = 0.0;
        if s.par_param.is_empty() && materializes(plan) {
            startup += plan.startup_cost;
        } else {
            per_call += plan.startup_cost;
        }
        (s.startup_cost, s.per_call_cost) = (startup, per_call);
    }

    // ---- CTEs ----

    /// (PostgreSQL: `SS_process_ctes`)
    pub(crate) fn process_ctes(&mut self, root: &mut Root) -> Result<()> {
        for i in 0..root.parse.cte_list.len() {
            let mut cte = root.parse.cte_list[i].clone();
            crate::searchcycle::rewrite(&self.cx.catalog, &mut cte)?;
            let mut state = CteState { name: cte.ctename.clone(), plan: None, rows: 0.0, width: 0 };
            let select = cte.ctequery.command_type == CmdType::Select;
            if cte.cterefcount == 0 && select {
                self.levels[root.level].ctes.push(state);
                continue;
            }
            let wanted = match cte.ctematerialized {
                CteMaterialize::Never => true,
                CteMaterialize::Default => cte.cterefcount == 1,
                CteMaterialize::Always => false,
            };
            if wanted
                && !cte.cterecursive
                && select
                && !contains_dml(&cte.ctequery)
                && cte.ctequery.row_marks.is_empty()
                && !query_is_volatile(&self.cx.catalog, &cte.ctequery)?
            {
                inline_cte(&mut root.parse, &cte)?;
                self.levels[root.level].ctes.push(state);
                continue;
            }
            let mut sub = self.subquery_planner(*cte.ctequery, cte.cterecursive, 0.0, None)?;
            let path = self.choose_final(&sub, 0.0)?;
            let plan = self.create_plan(&mut sub, &path)?;
            let p = self.new_exec_param(INTERNALOID);
            let first = plan.targetlist.iter().find(|t| !t.resjunk).map(|t| t.expr.type_mod());
            let plan_id = self.glob.subplans.len();
            let splan = SubPlan {
                sub_link_type: SubLinkType::Cte,
                testexpr: None,
                param_ids: Vec::new(),
                plan_id,
                plan_name: format!("CTE {}", cte.ctename),
                first_col: first.unwrap_or(TypeMod { oid: VOIDOID, typmod: -1, collation: Oid::INVALID }),
                array_type: Oid::INVALID,
                use_hash_table: false,
                unknown_eq_false: false,
                set_param: vec![p],
                par_param: Vec::new(),
                args: Vec::new(),
                startup_cost: plan.startup_cost,
                per_call_cost: plan.total_cost - plan.startup_cost,
            };
            (state.plan, state.rows, state.width) = (Some((plan_id, p)), plan.rows, plan.width);
            self.push_subplan(plan, sub);
            root.init_plans.push(splan);
            self.levels[root.level].ctes.push(state);
        }
        Ok(())
    }
}

fn clamp_rows(r: f64) -> f64 {
    crate::cost::clamp_row_est(r)
}

/// Whether a rescan finds the node's rows kept. (PostgreSQL: `ExecMaterializesOutput`)
pub(crate) fn materializes(plan: &Plan) -> bool {
    matches!(
        plan.node,
        PlanNode::Material
            | PlanNode::FunctionScan { .. }
            | PlanNode::TableFuncScan { .. }
            | PlanNode::CteScan { .. }
            | PlanNode::WorkTableScan { .. }
            | PlanNode::Sort { .. }
    )
}

/// Equal but for the places in the text.
fn same_but_place(a: &Expr, b: &Expr) -> bool {
    match (a, b) {
        (Expr::Var(a), Expr::Var(b)) => {
            (a.varno, a.varattno, a.vartype, a.varreturning) == (b.varno, b.varattno, b.vartype, b.varreturning)
                && a.varnullingrels == b.varnullingrels
        }
        _ => a == b,
    }
}

fn contains_dml(q: &Query) -> bool {
    if q.command_type != CmdType::Select || !q.row_marks.is_empty() {
        return true;
    }
    let mut found = false;
    let done = q.clone().for_each_subquery_mut(&mut |s| {
        found = found || contains_dml(s);
        Ok(())
    });
    debug_assert!(done.is_ok());
    found
}

/// References to a CTE become subqueries. (PostgreSQL: `inline_cte`)
fn inline_cte(q: &mut Query, cte: &CommonTableExpr) -> Result<()> {
    let name = &cte.ctename;
    let mut failed = None;
    let f = &mut |_: &mut Expr, _: u32| Ok(true);
    let rte = &mut |r: &mut RangeTblEntry, depth: u32| {
        if let RteKind::Cte { name: n, levels_up, .. } = &r.kind
            && n == name
            && *levels_up == depth
        {
            let mut sub = cte.ctequery.clone();
            if let Err(e) = shift_query_levels(&mut sub, depth as i32, 1) {
                failed = Some(e);
            }
            r.kind = RteKind::Subquery { subquery: sub, security_barrier: false, view: None };
        }
    };
    // CTEs of this level see only those before them; the walk goes there too.
    analyze::walker::walk_query_mut(&mut Deep { depth: 0, f, rte: Some(rte) }, q)?;
    failed.map_or(Ok(()), Err)
}
