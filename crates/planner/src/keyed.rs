//! Plans that are the same whatever the values of their parameters: those that only compute with them, or look rows up with
//! them by a whole unique key, of which an estimate knows, whatever the value, that it finds one row.

use analyze::lookup::Lookup;
use analyze::query::*;
use base::{Oid, Result};
use catalog::Catalog;

use crate::plan::*;
use crate::setrefs::node_exprs;
use crate::util::walk;

/// Whether planning with the values of the parameters `$1`, ... in their place would give the same plan.
pub fn suits_any_values(catalog: &Catalog, planned: &PlannedStmt) -> Result<bool> {
    let mut subplans = Vec::new();
    planned.subplans.iter().for_each(|p| node_exprs_deep(p, &mut subplans));
    let relations = planned.rtable.iter().filter(|r| matches!(r.kind, RteKind::Relation { .. })).count();
    Ok(!subplans.into_iter().any(reads_parameter) && node_suits(catalog, planned, &planned.plan, relations == 1)?)
}

fn node_exprs_deep<'p>(plan: &'p Plan, out: &mut Vec<&'p Expr>) {
    node_exprs(plan, out);
    plan.children().into_iter().for_each(|c| node_exprs_deep(c, out));
}

fn reads_parameter(e: &Expr) -> bool {
    let mut found = false;
    walk(e, &mut |x| {
        found = found || matches!(x, Expr::Param(p) if p.kind == ParamKind::Extern);
        !found
    });
    found
}

fn node_suits(catalog: &Catalog, planned: &PlannedStmt, plan: &Plan, only_relation: bool) -> Result<bool> {
    for child in plan.children() {
        if !node_suits(catalog, planned, child, only_relation)? {
            return Ok(false);
        }
    }
    let relation = |rti: RtIndex| match planned.rtable.get(rti as usize - 1).map(|r| &r.kind) {
        Some(RteKind::Relation { relid, .. }) => *relid,
        _ => Oid::INVALID,
    };
    let filter = || plan.qual.iter().filter(|e| reads_parameter(e));
    match &plan.node {
        PlanNode::ModifyTable(_) | PlanNode::ValuesScan { .. } => Ok(filter().next().is_none()),
        PlanNode::SeqScan { scanrelid } => {
            for e in filter() {
                if !is_unique_key(catalog, relation(*scanrelid), e)? {
                    return Ok(false);
                }
            }
            Ok(true)
        }
        PlanNode::IndexScan { indexid, indexqual, .. } | PlanNode::IndexOnlyScan { indexid, indexqual, .. } => {
            if !filter().chain(indexqual.iter().filter(|e| reads_parameter(e))).any(|_| true) {
                return Ok(true);
            }
            let Some(index) = catalog.relation(*indexid)? else { return Ok(false) };
            let Some(info) = &index.index else { return Ok(false) };
            // More than one relation: the number of rows may decide about joins, and only that of a single column is sure.
            if !info.row.indisunique
                || info.predicate.is_some()
                || !only_relation && (info.key_count != 1 || filter().next().is_some())
            {
                return Ok(false);
            }
            let mut keys = vec![false; info.key_count];
            for e in indexqual {
                let Some((Expr::Var(v), op)) = equality(e) else { return Ok(false) };
                let Some(at) = usize::try_from(v.varattno - 1).ok().filter(|at| *at < keys.len()) else {
                    return Ok(false);
                };
                keys[at] = keys[at] || is_equality(catalog, info.opfamilies[at], op)?;
            }
            Ok(keys.iter().all(|k| *k))
        }
        _ => {
            let mut all = Vec::new();
            node_exprs(plan, &mut all);
            let reading = all.into_iter().filter(|e| reads_parameter(e)).count();
            Ok(reading == plan.targetlist.iter().filter(|t| reads_parameter(&t.expr)).count())
        }
    }
}

/// The column and the operator of `column op value`, the value free of columns.
fn equality(e: &Expr) -> Option<(&Expr, Oid)> {
    let Expr::OpExpr(o) = e else { return None };
    let [column, value] = &o.args[..] else { return None };
    let mut free = true;
    walk(value, &mut |x| {
        free = free && !matches!(x, Expr::Var(_) | Expr::SubPlan(_));
        free
    });
    free.then_some((column, o.opno))
}

fn is_equality(catalog: &Catalog, family: Oid, op: Oid) -> Result<bool> {
    let row = catalog.operator_row(op)?;
    Ok(catalog.opfamily_member(family, row.oprleft, row.oprright, 3)? == Some(op))
}

/// Whether a condition of a scan fixes the only column of a unique index.
fn is_unique_key(catalog: &Catalog, relid: Oid, e: &Expr) -> Result<bool> {
    let Some((Expr::Var(v), op)) = equality(e) else { return Ok(false) };
    let Some(relation) = catalog.relation(relid)? else { return Ok(false) };
    for index in &relation.indexes {
        let Some(index) = catalog.relation(*index)? else { continue };
        let Some(info) = &index.index else { continue };
        if info.row.indisunique
            && info.row.indisvalid
            && info.predicate.is_none()
            && info.key_count == 1
            && info.columns[0] == v.varattno
            && is_equality(catalog, info.opfamilies[0], op)?
        {
            return Ok(true);
        }
    }
    Ok(false)
}
