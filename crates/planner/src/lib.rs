//! Paths, costs, plans: a [`analyze::query::Query`] becomes a [`PlannedStmt`].
//!
//! [`plan`] is the entry point. Plan nodes and their invariants: [`PlannedStmt`]; cost parameters: [`CostSettings`]; plans as
//! text for tests and debugging: [`dump`]; plans that values of parameters cannot change: [`suits_any_values`].
//!
//! A query level's way: `level` (preparation: `pullup`, `fold`, `sublink`) → `init` (conditions and columns of relations, `equiv`)
//! → `relinfo`, `basepaths`, `indexpaths` → `joinrels`, `joinpaths` → `upper` (grouping, windows, ORDER BY, ..), `setop`, `modify` →
//! `create` (plan nodes) → `setrefs` (final references). Estimates: `selfuncs`, `extstats`, `costsize`. What they share: `node`.
//!
//! PostgreSQL: `optimizer/`.
#![forbid(unsafe_code)]

mod basepaths;
pub mod cost;
mod costsize;
mod create;
pub mod dump;
mod equiv;
mod extstats;
mod fold;
mod groupcolumns;
mod groupingsets;
mod indexpaths;
mod inherit;
mod init;
mod joinpaths;
mod joinrels;
mod keyed;
mod level;
mod levels;
mod modify;
mod node;
mod orclauses;
mod partprune;
mod pathnode;
pub mod plan;
mod predtest;
mod pullup;
mod relids;
mod relinfo;
mod searchcycle;
mod selfuncs;
mod setop;
mod setrefs;
mod stored;
mod sublink;
mod tidpaths;
mod upper;
mod uselessjoins;
mod util;
mod valuesany;
mod windows;

use std::sync::Arc;

use analyze::query::{CmdType, Query, TargetEntry};
use base::{PgError, Result};
use catalog::{Catalog, Relation};
use types::{Attribute, Datum, Runtime, TupleDesc};

pub use cost::CostSettings;
pub use keyed::suits_any_values;
pub use plan::*;
pub use setrefs::node_exprs;

/// How large relations are on disk: the planner's one look at storage. (PostgreSQL: `RelationGetNumberOfBlocks`)
pub trait RelationSizes {
    /// Blocks of the main fork.
    fn nblocks(&self, relation: &Relation) -> Result<u32>;
}

/// What the planner is given.
pub struct PlannerContext<'a> {
    pub catalog: Catalog,
    /// Folds constants: immutable functions are called while planning.
    pub rt: &'a mut dyn Runtime,
    pub cost: &'a CostSettings,
    pub sizes: &'a dyn RelationSizes,
}

/// What kind of plan is wanted.
#[derive(Clone, Default)]
pub struct PlanOptions {
    /// The values of `$1`, ... for a plan made for them alone (a custom plan); `None`: a generic plan.
    pub params: Option<Arc<[Datum]>>,
    /// The share of the rows that a cursor's reader is expected to fetch, 0: all. (PostgreSQL: `cursor_tuple_fraction`)
    pub tuple_fraction: f64,
    /// The plan must run backwards too (SCROLL).
    pub scroll: bool,
}

/// Plans one analyzed and rewritten query. (PostgreSQL: `standard_planner`)
pub fn plan(cx: &mut PlannerContext<'_>, query: Query, options: &PlanOptions) -> Result<PlannedStmt> {
    if query.command_type == CmdType::Utility {
        return Err(PgError::internal("utility statements are not planned"));
    }
    let mut query = query;
    pullup::strip_query(&mut query)?;
    let mut p = node::Planner {
        cx,
        options,
        glob: node::Glob::default(),
        levels: Vec::new(),
        multi: Vec::new(),
        params: options.params.clone(),
        run_conditions: Vec::new(),
    };
    let (command_type, can_set_tag) = (query.command_type, query.can_set_tag);
    let has_modifying_cte = query.has_modifying_cte;
    let has_returning = !query.returning_list.is_empty();
    let (stmt_location, stmt_len) = (query.stmt_location, query.stmt_len);
    let mut root = p.subquery_planner(query, false, options.tuple_fraction, None)?;
    let path = p.choose_final(&root, options.tuple_fraction)?;
    let mut plan = p.create_plan(&mut root, &path)?;
    if options.scroll && !supports_backward_scan(&plan) {
        let init = std::mem::take(&mut plan.init_plans);
        plan = create::material_plan(plan);
        plan.init_plans = init;
    }
    p.set_references(&mut root, &mut plan)?;
    let mut subplans = Vec::new();
    for i in 0..p.glob.subplans.len() {
        let (sub, sub_root) = (p.glob.subplans[i].take(), p.glob.subroots[i].take());
        let (Some(mut sub), Some(mut sub_root)) = (sub, sub_root) else {
            return Err(PgError::internal("a subplan was lost"));
        };
        p.set_references(&mut sub_root, &mut sub)?;
        subplans.push(sub);
    }
    // A subplan's own subplans were made before it.
    let mut params: Vec<Vec<i32>> = Vec::new();
    for s in &mut subplans {
        let set = p.finalize(s, &params)?;
        params.push(set);
    }
    p.finalize(&mut plan, &params)?;
    let columns: &[TargetEntry] = match (command_type, &plan.node) {
        (CmdType::Select, _) => &plan.targetlist,
        (_, PlanNode::ModifyTable(m)) => m.returning.first().map_or(&[], |r| r.as_slice()),
        _ => &[],
    };
    let result_desc = result_desc(&p.cx.catalog, columns)?;
    let glob = p.glob;
    Ok(PlannedStmt {
        command_type,
        can_set_tag,
        has_returning,
        has_modifying_cte,
        plan,
        rtable: glob.rtable,
        perminfos: glob.perminfos,
        result_relations: glob.result_relations,
        subplans,
        row_marks: glob.row_marks,
        exec_params: glob.exec_params,
        result_desc,
        relation_oids: glob.relation_oids,
        depends_on: glob.depends_on,
        depends_on_role: glob.depends_on_role,
        transient: glob.transient,
        stmt_location,
        stmt_len,
    })
}

/// Can a plan give its rows backwards? Cursors for those that can may scroll without being asked to.
/// (PostgreSQL: `ExecSupportsBackwardScan`)
pub fn supports_backward_scan(plan: &Plan) -> bool {
    match &plan.node {
        PlanNode::Append { plans, .. } => plans.iter().all(supports_backward_scan),
        PlanNode::Result { .. } | PlanNode::Limit { .. } | PlanNode::LockRows { .. } => {
            plan.outer.as_deref().is_some_and(supports_backward_scan)
        }
        PlanNode::SubqueryScan { subplan, .. } => supports_backward_scan(subplan),
        PlanNode::SeqScan { .. }
        | PlanNode::IndexScan { .. }
        | PlanNode::IndexOnlyScan { .. }
        | PlanNode::TidScan { .. }
        | PlanNode::FunctionScan { .. }
        | PlanNode::ValuesScan { .. }
        | PlanNode::CteScan { .. }
        | PlanNode::Material
        | PlanNode::Sort { .. } => true,
        _ => false,
    }
}

/// The result's columns. (PostgreSQL: `ExecCleanTypeFromTL`)
fn result_desc(catalog: &Catalog, tlist: &[TargetEntry]) -> Result<Arc<TupleDesc>> {
    let mut attrs = Vec::new();
    for t in tlist.iter().filter(|t| !t.resjunk) {
        let ty = t.expr.type_mod();
        let info = catalog.type_info(ty.oid)?;
        let name = t.resname.as_deref().unwrap_or("?column?");
        let mut a = Attribute::new(name, ty.oid, info.len, info.byval, info.align);
        (a.typmod, a.collation, a.storage) = (ty.typmod, ty.collation, info.storage);
        attrs.push(a);
    }
    Ok(Arc::new(TupleDesc::new(attrs)))
}
