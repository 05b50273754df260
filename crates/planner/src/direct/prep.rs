//! Expressions made ready: join columns by what they stand for, references to outer queries by parameters, sublinks by
//! subplans. (PostgreSQL: `preprocess_expression`, `SS_process_sublinks`, `SS_replace_correlation_vars`)

use analyze::query::*;
use base::error::Location;
use base::{PgError, Result};

use super::Planner;
use crate::plan::*;

impl Planner<'_, '_> {
    pub fn prep(&mut self, e: &Expr) -> Result<Expr> {
        let depth = self.levels.len() - 1;
        self.prep_at(e, depth)
    }
    pub fn prep_quals(&mut self, e: Option<&Expr>) -> Result<Vec<Expr>> {
        let mut out = Vec::new();
        if let Some(e) = e {
            super::conjuncts(self.prep(e)?, &mut out);
        }
        Ok(out)
    }
    pub fn prep_tlist(&mut self, list: &[TargetEntry]) -> Result<Vec<TargetEntry>> {
        list.iter().map(|t| Ok(TargetEntry { expr: self.prep(&t.expr)?, ..t.clone() })).collect()
    }

    /// As seen from the query at `depth`.
    fn prep_at(&mut self, e: &Expr, depth: usize) -> Result<Expr> {
        match e {
            Expr::Var(v) if v.varlevelsup > 0 => {
                let above = depth
                    .checked_sub(v.varlevelsup as usize)
                    .ok_or_else(|| PgError::internal("reference to a query that is not there"))?;
                let own = Expr::Var(Var { varlevelsup: 0, ..v.clone() });
                let value = self.prep_at(&own, above)?;
                // What stands for an outer reference there is no column of ours.
                if let Some((id, _)) = self.levels[above].plan_params.iter().find(|p| p.1 == value) {
                    return Ok(exec_param(*id, value.type_mod()));
                }
                let id = self.new_param(value.type_oid());
                self.levels[above].plan_params.push((id, value.clone()));
                Ok(exec_param(id, value.type_mod()))
            }
            Expr::Var(v) => {
                let (offset, rte) = {
                    let l = &self.levels[depth];
                    (l.offset, l.rtable.get(v.varno as usize - 1).map(|r| r.kind.clone()))
                };
                let alias = match rte {
                    Some(RteKind::Join(j)) if v.varattno > 0 => j.join_alias_vars.get(v.varattno as usize - 1).cloned(),
                    Some(RteKind::Group { exprs }) => exprs.get(v.varattno as usize - 1).cloned(),
                    _ => None,
                };
                if let Some(a) = alias {
                    return self.prep_at(&a, depth);
                }
                Ok(Expr::Var(Var {
                    varno: v.varno + offset,
                    varnullingrels: Vec::new(),
                    varnosyn: 0,
                    varattnosyn: 0,
                    location: Location::UNKNOWN,
                    ..v.clone()
                }))
            }
            Expr::Aggref(a) if a.agglevelsup > 0 => super::unsupported("aggregates of outer queries"),
            Expr::SubLink(link) => {
                if depth + 1 != self.levels.len() {
                    return super::unsupported("a sublink in a join column of an outer query");
                }
                self.sublink(link)
            }
            _ => {
                let mut copy = e.clone();
                if let Expr::OpExpr(o) | Expr::DistinctExpr(o) | Expr::NullIfExpr(o) = &mut copy
                    && !o.opfuncid.is_valid()
                {
                    o.opfuncid = self.cx.catalog.operator(o.opno)?.map(|x| x.oprcode).unwrap_or_default();
                }
                copy.try_children_mut(&mut |c| {
                    *c = self.prep_at(c, depth)?;
                    Ok(())
                })?;
                Ok(copy)
            }
        }
    }

    fn sublink(&mut self, link: &SubLink) -> Result<Expr> {
        let test = link.testexpr.as_ref().map(|t| self.prep(t)).transpose()?;
        let saved = std::mem::take(&mut self.level().plan_params);
        let mut plan = self.query((*link.subselect).clone())?;
        let passed = std::mem::replace(&mut self.level().plan_params, saved);
        let columns: Vec<TypeMod> = plan.targetlist.iter().map(|t| t.expr.type_mod()).collect();
        let first_col = columns.first().copied().unwrap_or(super::TID);
        let kind = link.sub_link_type;
        let correlated = !passed.is_empty();
        let quantified = matches!(kind, SubLinkType::Any | SubLinkType::All);
        let mut s = SubPlan {
            sub_link_type: kind,
            testexpr: None,
            param_ids: Vec::new(),
            plan_id: self.subplans.len(),
            plan_name: String::new(),
            first_col,
            use_hash_table: false,
            unknown_eq_false: false,
            set_param: Vec::new(),
            par_param: passed.iter().map(|p| p.0).collect(),
            args: passed.iter().map(|p| p.1.clone()).collect(),
            startup_cost: plan.startup_cost,
            per_call_cost: plan.total_cost,
        };
        if quantified || kind == SubLinkType::RowCompare {
            for c in &columns {
                let id = self.new_param(c.oid);
                s.param_ids.push(id);
            }
            let ids = s.param_ids.clone();
            s.testexpr = test.map(|t| sublink_params(t, &ids));
            s.use_hash_table = !correlated && kind == SubLinkType::Any && self.hashable(s.testexpr.as_ref(), &ids)?;
        }
        if quantified && !correlated && !s.use_hash_table {
            plan = Planner::pass(PlanNode::Material, plan);
        }
        self.subplans.push(plan);
        let initplan = !correlated && !quantified;
        s.plan_name = format!("{} {}", if initplan { "InitPlan" } else { "SubPlan" }, s.plan_id + 1);
        if !initplan {
            if kind == SubLinkType::MultiExpr {
                return super::unsupported("UPDATE .. SET (..) = (correlated subquery)");
            }
            return Ok(Expr::SubPlan(Box::new(s)));
        }
        let result = match kind {
            SubLinkType::RowCompare => {
                s.set_param = s.param_ids.clone();
                s.testexpr.clone().ok_or_else(|| PgError::internal("row comparison without a test"))?
            }
            SubLinkType::MultiExpr => return super::unsupported("UPDATE .. SET (..) = (subquery)"),
            _ => {
                let ty = Expr::SubPlan(Box::new(s.clone())).type_mod();
                let mut ty = ty;
                if kind == SubLinkType::Array
                    && let Some(a) = self.cx.catalog.array_type(first_col.oid)?
                {
                    ty.oid = a;
                }
                let id = self.new_param(ty.oid);
                s.set_param = vec![id];
                exec_param(id, ty)
            }
        };
        self.level().init_plans.push(s);
        Ok(result)
    }

    /// Whether all comparisons are strict, hashable equalities of ours with a subquery's column.
    fn hashable(&self, test: Option<&Expr>, ids: &[i32]) -> Result<bool> {
        let mut tests = Vec::new();
        match test {
            Some(Expr::BoolExpr(b)) if b.boolop == BoolExprType::And => tests.extend(b.args.iter()),
            Some(t) => tests.push(t),
            None => return Ok(false),
        }
        if tests.len() != ids.len() {
            return Ok(false);
        }
        for (t, id) in tests.iter().zip(ids) {
            let Expr::OpExpr(o) = t else { return Ok(false) };
            let [l, Expr::Param(r)] = &o.args[..] else { return Ok(false) };
            let op = self.cx.catalog.operator(o.opno)?;
            let hashes = op.is_some_and(|x| x.oprcanhash) && self.in_hash_family(o.opno)?;
            if r.id != *id || r.kind != ParamKind::Exec || !hashes || l.any(&mut |e| is_param(e, ids)) {
                return Ok(false);
            }
        }
        Ok(true)
    }
    pub fn in_hash_family(&self, opno: base::Oid) -> Result<bool> {
        Ok(self.cx.catalog.operator_memberships(opno)?.iter().any(|m| m.amopmethod == base::Oid(405)))
    }
}

fn is_param(e: &Expr, ids: &[i32]) -> bool {
    matches!(e, Expr::Param(p) if p.kind == ParamKind::Exec && ids.contains(&p.id))
}

pub(super) fn exec_param(id: i32, ty: TypeMod) -> Expr {
    Expr::Param(Param { kind: ParamKind::Exec, id, ty, location: Location::UNKNOWN })
}

fn sublink_params(mut e: Expr, ids: &[i32]) -> Expr {
    if let Expr::Param(p) = &mut e
        && p.kind == ParamKind::Sublink
    {
        if let Some(id) = ids.get(p.id as usize - 1) {
            (p.kind, p.id) = (ParamKind::Exec, *id);
        }
        return e;
    }
    e.children_mut(&mut |c| *c = sublink_params(c.clone(), ids));
    e
}
