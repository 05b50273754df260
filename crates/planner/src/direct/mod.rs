//! The direct planner: one pass from query to plan. Access paths by rule (an index whose leading columns are compared), joins
//! in a connected order, hash joins where a clause allows; no search over alternatives. Plans are correct, not always
//! cheap; the cost-based search replaces the choices made in `from.rs` and `access.rs`.
//!
//! | file | what |
//! | --- | --- |
//! | `mod.rs` | state, levels, parameters, finishing touches |
//! | `prep.rs` | expressions: join aliases, outer references to parameters, sublinks to subplans |
//! | `from.rs` | FROM and WHERE: scans and joins |
//! | `access.rs` | index conditions |
//! | `upper.rs` | grouping, windows, DISTINCT, ORDER BY, LIMIT, set operations |
//! | `modify.rs` | INSERT, UPDATE, DELETE, row marks |
//!
//! While planning, a [`Rel`] knows for each output column the expression over base relations that it holds; expressions
//! above find their inputs by comparing with those.

mod access;
mod from;
mod modify;
mod prep;
mod upper;

use std::sync::Arc;

use analyze::query::*;
use base::error::Location;
use base::{Oid, PgError, Result};
use types::oid::*;
use types::{Attribute, TupleDesc};

use crate::plan::*;
use crate::{PlanOptions, PlannerContext};

/// A plan in the making with what its columns mean.
pub(super) struct Rel {
    pub plan: Plan,
    pub out: Vec<Expr>,
    pub relids: Vec<RtIndex>,
}

/// One query level.
#[derive(Default)]
pub(super) struct Level {
    /// The query's own range table, for references from below, and where it begins in the flat one.
    pub rtable: Vec<RangeTblEntry>,
    pub offset: u32,
    /// Values that subplans of this level want passed down.
    pub plan_params: Vec<(i32, Expr)>,
    pub init_plans: Vec<SubPlan>,
    /// WITH queries: name, subplan, worktable parameter while the recursive term is planned.
    pub ctes: Vec<(String, Option<usize>, i32)>,
}

/// The state of planning one statement. (PostgreSQL: `PlannerGlobal`)
pub(super) struct Planner<'c, 'a> {
    pub cx: &'c mut PlannerContext<'a>,
    pub rtable: Vec<RangeTblEntry>,
    pub perminfos: Vec<RtePermissionInfo>,
    pub subplans: Vec<Plan>,
    pub exec_params: Vec<Oid>,
    pub levels: Vec<Level>,
    pub result_relations: Vec<RtIndex>,
    pub row_marks: Vec<PlanRowMark>,
    pub relation_oids: Vec<Oid>,
    pub modifying_cte: bool,
}

/// Plans one statement.
pub fn plan(cx: &mut PlannerContext<'_>, query: Query, _options: &PlanOptions) -> Result<PlannedStmt> {
    let (command_type, can_set_tag) = (query.command_type, query.can_set_tag);
    let (stmt_location, stmt_len) = (query.stmt_location, query.stmt_len);
    let has_returning = !query.returning_list.is_empty();
    let mut p = Planner {
        cx,
        rtable: Vec::new(),
        perminfos: Vec::new(),
        subplans: Vec::new(),
        exec_params: Vec::new(),
        levels: Vec::new(),
        result_relations: Vec::new(),
        row_marks: Vec::new(),
        relation_oids: Vec::new(),
        modifying_cte: false,
    };
    let visible: Vec<TargetEntry> = match has_returning {
        true => query.returning_list.iter().filter(|t| !t.resjunk).cloned().collect(),
        false if command_type == CmdType::Select => query.target_list.iter().filter(|t| !t.resjunk).cloned().collect(),
        false => Vec::new(),
    };
    let mut attrs = Vec::with_capacity(visible.len());
    for t in &visible {
        attrs.push(p.attribute(t)?);
    }
    let mut plan = p.query(query)?;
    let mut subplans = std::mem::take(&mut p.subplans);
    for i in 0..subplans.len() {
        let mut plan = std::mem::replace(&mut subplans[i], Plan::new(PlanNode::ProjectSet));
        p.finish(&mut plan, &subplans)?;
        subplans[i] = plan;
    }
    p.finish(&mut plan, &subplans)?;
    Ok(PlannedStmt {
        command_type,
        can_set_tag,
        has_returning,
        has_modifying_cte: p.modifying_cte,
        plan,
        rtable: p.rtable,
        perminfos: p.perminfos,
        result_relations: p.result_relations,
        subplans,
        row_marks: p.row_marks,
        exec_params: p.exec_params,
        result_desc: Arc::new(TupleDesc::new(attrs)),
        relation_oids: p.relation_oids,
        depends_on: Vec::new(),
        depends_on_role: false,
        transient: false,
        stmt_location,
        stmt_len,
    })
}

pub(super) fn var(varno: RtIndex, attno: AttrNumber, ty: TypeMod) -> Expr {
    Expr::Var(Var {
        varno,
        varattno: attno,
        vartype: ty,
        varnullingrels: Vec::new(),
        varlevelsup: 0,
        varreturning: VarReturning::Default,
        varnosyn: 0,
        varattnosyn: 0,
        location: Location::UNKNOWN,
    })
}

pub(super) fn tle(expr: Expr, resno: usize) -> TargetEntry {
    TargetEntry {
        expr,
        resno: resno as i16,
        resname: None,
        ressortgroupref: 0,
        resorigtbl: Oid::INVALID,
        resorigcol: 0,
        resjunk: false,
    }
}

pub(super) fn tlist(exprs: Vec<Expr>) -> Vec<TargetEntry> {
    exprs.into_iter().enumerate().map(|(i, e)| tle(e, i + 1)).collect()
}

/// `e` with whatever an input column holds replaced by that column.
pub(super) fn refer(e: &Expr, inputs: &[(RtIndex, &[Expr])]) -> Expr {
    for (varno, out) in inputs {
        if !matches!(e, Expr::Const(_) | Expr::Param(_))
            && let Some(i) = out.iter().position(|x| x == e)
        {
            return var(*varno, i as i16 + 1, e.type_mod());
        }
    }
    let mut copy = e.clone();
    copy.children_mut(&mut |c| *c = refer(c, inputs));
    copy
}

/// References to an input's columns replaced by what these are.
fn compose(e: &Expr, below: &[Expr]) -> Expr {
    if let Expr::Var(v) = e
        && v.varno == OUTER_VAR
        && let Some(x) = below.get(v.varattno as usize - 1)
    {
        return x.clone();
    }
    let mut copy = e.clone();
    copy.children_mut(&mut |c| *c = compose(c, below));
    copy
}

pub(super) fn relids_of(e: &Expr, out: &mut Vec<RtIndex>) {
    if let Expr::Var(v) = e
        && v.varlevelsup == 0
        && !out.contains(&v.varno)
    {
        out.push(v.varno);
    }
    e.children(&mut |c| relids_of(c, out));
}

pub(super) fn conjuncts(e: Expr, out: &mut Vec<Expr>) {
    match e {
        Expr::BoolExpr(b) if b.boolop == BoolExprType::And => b.args.into_iter().for_each(|a| conjuncts(a, out)),
        e => out.push(e),
    }
}

impl Planner<'_, '_> {
    fn attribute(&mut self, t: &TargetEntry) -> Result<Attribute> {
        let ty = t.expr.type_mod();
        let info = self.cx.rt.type_info(ty.oid)?;
        let name = t.resname.as_deref().unwrap_or("?column?");
        let mut a = Attribute::new(name, ty.oid, info.len, info.byval, info.align);
        (a.typmod, a.collation, a.storage) = (ty.typmod, ty.collation, info.storage);
        Ok(a)
    }
    pub fn new_param(&mut self, ty: Oid) -> i32 {
        self.exec_params.push(ty);
        self.exec_params.len() as i32 - 1
    }
    pub fn level(&mut self) -> &mut Level {
        let last = self.levels.len() - 1;
        &mut self.levels[last]
    }

    /// A node over one input with a target list that is already in terms of its columns.
    pub fn over(node: PlanNode, input: Plan, targetlist: Vec<TargetEntry>) -> Plan {
        Plan {
            startup_cost: input.startup_cost,
            total_cost: input.total_cost + input.rows * 0.0025,
            rows: input.rows,
            width: input.width,
            targetlist,
            outer: Some(Box::new(input)),
            ..Plan::new(node)
        }
    }
    /// A target list over the input's columns, computed by the input itself where that is a node which can.
    pub fn project(input: Plan, targetlist: Vec<TargetEntry>) -> Plan {
        let capable = input.node.scanrelid().is_some()
            || matches!(
                input.node,
                PlanNode::NestLoop { .. }
                    | PlanNode::HashJoin { .. }
                    | PlanNode::MergeJoin { .. }
                    | PlanNode::Agg { .. }
                    | PlanNode::WindowAgg(_)
                    | PlanNode::Result { .. }
            );
        // What is computed must not be computed twice: it may be volatile.
        let simple =
            |e: &Expr| matches!(e, Expr::Var(_) | Expr::Aggref(_) | Expr::GroupingFunc(_) | Expr::WindowFunc(_));
        if !capable || !input.targetlist.iter().all(|t| simple(&t.expr)) {
            return Planner::over(PlanNode::Result { constant_qual: Vec::new() }, input, targetlist);
        }
        let below: Vec<Expr> = input.targetlist.iter().map(|t| t.expr.clone()).collect();
        let list = targetlist.into_iter().map(|t| TargetEntry { expr: compose(&t.expr, &below), ..t }).collect();
        Plan { targetlist: list, ..input }
    }

    /// Hands all columns on.
    pub fn pass(node: PlanNode, input: Plan) -> Plan {
        let list = input
            .targetlist
            .iter()
            .enumerate()
            .map(|(i, t)| TargetEntry { expr: var(OUTER_VAR, i as i16 + 1, t.expr.type_mod()), ..t.clone() })
            .collect();
        Planner::over(node, input, list)
    }

    pub fn is_volatile(&self, e: &Expr) -> Result<bool> {
        let function = match e {
            Expr::FuncExpr(f) => Some(f.funcid),
            Expr::OpExpr(o) | Expr::DistinctExpr(o) | Expr::NullIfExpr(o) => Some(o.opfuncid),
            Expr::NextValueExpr { .. } => return Ok(true),
            _ => None,
        };
        if let Some(f) = function.and_then(Oid::valid)
            && self.cx.catalog.function(f)?.is_some_and(|p| p.provolatile == b'v')
        {
            return Ok(true);
        }
        let mut found = false;
        e.try_children(&mut |c| {
            found = found || self.is_volatile(c)?;
            Ok(())
        })?;
        Ok(found)
    }

    /// Capacities, and the parameters each subtree reads.
    fn finish(&self, plan: &mut Plan, subplans: &[Plan]) -> Result<()> {
        for c in plan.children_mut() {
            self.finish(c, subplans)?;
        }
        let mut exprs: Vec<&Expr> = plan.targetlist.iter().map(|t| &t.expr).chain(&plan.qual).collect();
        match &plan.node {
            PlanNode::Result { constant_qual } => exprs.extend(constant_qual),
            PlanNode::IndexScan { indexqual, .. } => exprs.extend(indexqual),
            PlanNode::TidScan { tidquals, .. } => exprs.extend(tidquals),
            PlanNode::FunctionScan { functions, .. } => exprs.extend(functions.iter().map(|f| &f.funcexpr)),
            PlanNode::ValuesScan { lists, .. } => exprs.extend(lists.iter().flatten()),
            PlanNode::NestLoop { joinqual, params, .. } => {
                exprs.extend(joinqual);
                exprs.extend(params.iter().map(|p| &p.value));
            }
            PlanNode::HashJoin { joinqual, hashclauses, .. } => exprs.extend(joinqual.iter().chain(hashclauses)),
            PlanNode::Limit { offset, count, .. } => exprs.extend(offset.iter().chain(count)),
            PlanNode::WindowAgg(w) => exprs.extend(w.start_offset.iter().chain(&w.end_offset)),
            _ => {}
        }
        let mut params: Vec<i32> = Vec::new();
        let mut volatile = false;
        for e in exprs {
            params_of(e, &mut params, subplans);
            volatile = volatile || self.is_volatile(e)?;
        }
        for s in &plan.init_plans {
            params.extend(subplans.get(s.plan_id).map(|p| p.params.clone()).unwrap_or_default());
        }
        match &plan.node {
            PlanNode::WorkTableScan { wt_param, .. } => params.push(*wt_param),
            PlanNode::CteScan { plan_id, .. } => {
                params.extend(subplans.get(*plan_id).map(|p| p.params.clone()).unwrap_or_default());
            }
            _ => {}
        }
        for c in plan.children() {
            params.extend(&c.params);
        }
        params.sort_unstable();
        params.dedup();
        plan.params = params;
        if volatile || matches!(plan.node, PlanNode::LockRows { .. }) {
            plan.capacity = 1;
        }
        Ok(())
    }
}

fn params_of(e: &Expr, out: &mut Vec<i32>, subplans: &[Plan]) {
    match e {
        Expr::Param(p) if p.kind == ParamKind::Exec => out.push(p.id),
        Expr::SubPlan(s) => out.extend(subplans.get(s.plan_id).map(|p| p.params.clone()).unwrap_or_default()),
        _ => {}
    }
    e.children(&mut |c| params_of(c, out, subplans));
}

pub(super) fn unsupported<T>(what: &str) -> Result<T> {
    Err(PgError::unsupported(what))
}

pub(super) const TID: TypeMod = TypeMod { oid: TIDOID, typmod: -1, collation: Oid(0) };
