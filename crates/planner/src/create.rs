//! From the chosen path to plan nodes. Expressions still speak of base relations; [`crate::setrefs`] turns them into
//! references to the nodes below.
//!
//! PostgreSQL: `createplan.c`.

use analyze::query::*;
use base::{Oid, PgError, Result};

use crate::joinpaths::{clause_sides, split_quals};
use crate::node::*;
use crate::pathnode::plan_can_project;
use crate::plan::*;
use crate::relids::Relids;
use crate::sublink::exec_param;
use crate::util::*;

/// A Material node on top of a plan.
pub(crate) fn material_plan(sub: Plan) -> Plan {
    let mut p = over(PlanNode::Material, sub);
    p.startup_cost += 0.0;
    p
}

/// A node with one input and the same columns.
fn over(node: PlanNode, sub: Plan) -> Plan {
    let mut p = Plan::new(node);
    (p.startup_cost, p.total_cost, p.rows, p.width) = (sub.startup_cost, sub.total_cost, sub.rows, sub.width);
    p.disabled_nodes = sub.disabled_nodes;
    p.targetlist = sub.targetlist.clone();
    p.outer = Some(Box::new(sub));
    p
}

fn tlist_of(t: &Target) -> Vec<TargetEntry> {
    t.exprs
        .iter()
        .zip(&t.refs)
        .enumerate()
        .map(|(i, (e, r))| {
            let mut x = tle(e.clone(), i as i16 + 1, None, false);
            x.ressortgroupref = *r;
            x
        })
        .collect()
}

/// Without outer joins' marks and placeholders: what a column is, wherever it stands.
pub(crate) fn bare(e: &Expr) -> Expr {
    let mut e = e.clone();
    bare_mut(&mut e);
    e
}
fn bare_mut(e: &mut Expr) {
    match e {
        Expr::Var(v) => {
            v.varnullingrels.clear();
            v.location = base::error::Location::UNKNOWN;
        }
        Expr::PlaceHolderVar(p) => {
            let mut inner = p.phexpr.clone();
            bare_mut(&mut inner);
            *e = inner;
        }
        e => e.children_mut(&mut bare_mut),
    }
}
/// Whether two expressions are the same column or computation.
pub(crate) fn same(a: &Expr, b: &Expr) -> bool {
    match (a, b) {
        (Expr::Var(a), Expr::Var(b)) => {
            a.varno == b.varno
                && a.varattno == b.varattno
                && a.varlevelsup == b.varlevelsup
                && a.varreturning == b.varreturning
        }
        (Expr::Var(_), Expr::PlaceHolderVar(_)) | (Expr::PlaceHolderVar(_), _) => bare(a) == bare(b),
        (Expr::Var(_), _) => false,
        _ => {
            std::mem::discriminant(a) == std::mem::discriminant(b) && (a == b || bare(a) == bare(b))
                || matches!(b, Expr::PlaceHolderVar(_)) && bare(a) == bare(b)
        }
    }
}

/// What a node's parent wants of its target list: exactly the path's, no more columns than needed, sort and group marks.
/// (PostgreSQL: `CP_EXACT_TLIST` and its like)
const EXACT: u8 = 1;
const SMALL: u8 = 2;
const LABEL: u8 = 4;

/// Gives columns the marks they have in a target. (PostgreSQL: `apply_pathtarget_labeling_to_tlist`)
fn label(tlist: &mut [TargetEntry], target: &Target) {
    for (e, r) in target.exprs.iter().zip(&target.refs) {
        if *r != 0
            && let Some(t) = tlist.iter_mut().find(|t| same(&t.expr, e))
        {
            t.ressortgroupref = *r;
        }
    }
}

fn copy_cost(p: &mut Plan, path: &Path) {
    (p.startup_cost, p.total_cost, p.rows, p.width) = (path.startup, path.total, path.rows, path.target.width);
    p.disabled_nodes = path.disabled;
}

impl Planner<'_, '_> {
    /// (PostgreSQL: `create_plan`)
    pub(crate) fn create_plan(&mut self, root: &mut Root, path: &P) -> Result<Plan> {
        root.cur_outer_params.clear();
        root.cur_outer_rels = Relids::new();
        let mut plan = self.create(root, path, EXACT)?;
        if !matches!(plan.node, PlanNode::ModifyTable(_)) {
            for (t, wanted) in plan.targetlist.iter_mut().zip(&root.tlist) {
                t.resname = wanted.resname.clone();
                t.ressortgroupref = wanted.ressortgroupref;
                (t.resorigtbl, t.resorigcol, t.resjunk) = (wanted.resorigtbl, wanted.resorigcol, wanted.resjunk);
            }
            for t in plan.targetlist.iter_mut().skip(root.tlist.len()) {
                t.resjunk = true;
            }
        }
        let init = std::mem::take(&mut root.init_plans);
        let cost: f64 = init.iter().map(|s| s.startup_cost + s.per_call_cost).sum();
        plan.startup_cost += cost;
        plan.total_cost += cost;
        plan.init_plans = init;
        if !root.cur_outer_params.is_empty() {
            return Err(PgError::internal("failed to assign all NestLoopParams to plan nodes"));
        }
        Ok(plan)
    }

    fn create(&mut self, root: &mut Root, path: &P, flags: u8) -> Result<Plan> {
        analyze::walker::check_depth()?;
        match &path.kind {
            PathKind::SeqScan
            | PathKind::SampleScan
            | PathKind::Index { .. }
            | PathKind::BitmapHeap { .. }
            | PathKind::Tid { .. }
            | PathKind::TidRange { .. }
            | PathKind::Subquery { .. }
            | PathKind::FunctionScan
            | PathKind::ValuesScan
            | PathKind::TableFuncScan
            | PathKind::CteScan { .. }
            | PathKind::WorkTableScan { .. }
            | PathKind::NamedTuplestore => self.create_scan(root, path, flags),
            PathKind::Result { quals } => {
                if path.relids.is_empty() {
                    let mut p = Plan::new(PlanNode::Result { constant_qual: quals.clone() });
                    copy_cost(&mut p, path);
                    p.targetlist = tlist_of(&path.target);
                    return Ok(p);
                }
                self.create_scan(root, path, flags)
            }
            PathKind::BitmapAnd { .. } | PathKind::BitmapOr { .. } => {
                Err(PgError::internal("bitmap outside a bitmap scan"))
            }
            PathKind::NestLoop(j) => self.create_nestloop(root, path, j),
            PathKind::MergeJoin { join, .. } => self.create_merge(root, path, join),
            PathKind::HashJoin { join, clauses } => self.create_hash(root, path, join, clauses),
            PathKind::Append { paths } => {
                if paths.is_empty() {
                    let mut p = Plan::new(PlanNode::Result { constant_qual: vec![Expr::bool_const(Some(false))] });
                    copy_cost(&mut p, path);
                    p.targetlist = tlist_of(&path.target);
                    return Ok(p);
                }
                let mut plans = Vec::new();
                for s in paths {
                    plans.push(self.create(root, s, EXACT)?);
                }
                if plans.len() == 1 {
                    // One input is that input.
                    let mut only = plans.swap_remove(0);
                    if only.targetlist.len() == path.target.exprs.len() {
                        let mut p = Plan::new(PlanNode::Append { plans: Vec::new() });
                        p.targetlist = tlist_of(&path.target);
                        let mut only_t = p.targetlist;
                        std::mem::swap(&mut only_t, &mut only.targetlist);
                        std::mem::swap(&mut only_t, &mut only.targetlist);
                    }
                    plans.push(only);
                }
                let inherited = path.relids.as_single().filter(|r| {
                    root.base.get(*r as usize).and_then(|b| b.as_ref()).is_some_and(|b| !b.members.is_empty())
                });
                let mut p = Plan::new(PlanNode::Append { plans });
                copy_cost(&mut p, path);
                p.targetlist = tlist_of(&path.target);
                p.append_rel = inherited.unwrap_or(0);
                p.prune = self.append_prune(root, path, paths)?;
                Ok(p)
            }
            PathKind::MergeAppend { paths } => {
                let mut p = Plan::new(PlanNode::Append { plans: Vec::new() });
                p.targetlist = tlist_of(&path.target);
                let cols = self.sort_cols(root, &mut p, &path.pathkeys)?;
                let mut plans = Vec::new();
                for s in paths {
                    let n = path.pathkeys.len();
                    let sorted = s.pathkeys.len() >= n && s.pathkeys[..n] == path.pathkeys[..];
                    let plan = self.create(root, s, EXACT)?;
                    plans.push(match sorted {
                        true => plan,
                        false => {
                            let cost = self.cost_sort(s.total, s.rows, s.target.width, -1.0);
                            let mut sort = over(PlanNode::Sort { keys: cols.clone() }, plan);
                            (sort.startup_cost, sort.total_cost, sort.rows) = (cost.startup, cost.total, s.rows);
                            sort
                        }
                    });
                }
                p.node = PlanNode::MergeAppend { plans, keys: cols };
                copy_cost(&mut p, path);
                p.append_rel = path.relids.as_single().unwrap_or(0);
                p.prune = self.append_prune(root, path, paths)?;
                Ok(p)
            }
            PathKind::Material { sub } => {
                let s = self.create(root, sub, flags | SMALL)?;
                let mut p = over(PlanNode::Material, s);
                copy_cost(&mut p, path);
                Ok(p)
            }
            PathKind::Memoize { sub, exprs, ops, single_row, binary, calls, entries, hit_ratio, unique_keys } => {
                let s = self.create(root, sub, flags | SMALL)?;
                let mut list = Vec::new();
                for e in exprs {
                    let mut e = e.clone();
                    self.outer_to_params(root, &mut e)?;
                    list.push(e);
                }
                let mut keys = Vec::new();
                list.iter().for_each(|e| exec_params(e, &mut keys));
                keys.sort_unstable();
                keys.dedup();
                let collations = exprs.iter().map(Expr::collation).collect();
                let mut p = over(
                    PlanNode::Memoize {
                        param_exprs: list,
                        hash_operators: ops.clone(),
                        collations,
                        single_row: *single_row,
                        binary_mode: *binary,
                        est_entries: *entries as u32,
                        est_calls: *calls,
                        est_unique_keys: *unique_keys,
                        est_hit_ratio: *hit_ratio,
                        key_params: keys,
                    },
                    s,
                );
                copy_cost(&mut p, path);
                Ok(p)
            }
            PathKind::Unique { sub, hashed, exprs, ops } => {
                self.create_unique(root, path, sub, *hashed, exprs, ops, flags)
            }
            PathKind::Projection { sub } => self.create_projection(root, path, sub, flags),
            PathKind::ProjectSet { sub } => {
                let s = self.create(root, sub, 0)?;
                let mut p = over(PlanNode::ProjectSet, s);
                copy_cost(&mut p, path);
                p.targetlist = tlist_of(&path.target);
                Ok(p)
            }
            PathKind::Sort { sub } => {
                let s = self.create(root, sub, flags | SMALL)?;
                let mut p = self.sort_plan(root, s, &path.pathkeys, 0)?;
                copy_cost(&mut p, path);
                Ok(p)
            }
            PathKind::IncrementalSort { sub, presorted } => {
                let s = self.create(root, sub, flags | SMALL)?;
                let mut p = self.sort_plan(root, s, &path.pathkeys, *presorted)?;
                copy_cost(&mut p, path);
                Ok(p)
            }
            PathKind::Group { sub, clauses, having } => {
                let s = self.create(root, sub, LABEL)?;
                let columns = self.group_cols(clauses, &s.targetlist)?;
                let mut p = over(PlanNode::Group { columns }, s);
                copy_cost(&mut p, path);
                p.targetlist = tlist_of(&path.target);
                p.qual = self.order_quals(having.clone());
                Ok(p)
            }
            PathKind::UpperUnique { sub, keys } => {
                let s = self.create(root, sub, flags | LABEL)?;
                let columns = self.unique_cols(root, &s, &path.pathkeys[..*keys])?;
                let mut p = over(PlanNode::Unique { columns }, s);
                copy_cost(&mut p, path);
                Ok(p)
            }
            PathKind::Agg { sub, strategy, clauses, having, groups, rollups } => {
                let s = self.create(root, sub, LABEL)?;
                let columns = self.group_cols(clauses, &s.targetlist)?;
                let mut phases = Vec::new();
                let mut sorted_before = false;
                for r in rollups {
                    let mut sets = Vec::new();
                    for set in &r.sets {
                        let of = |x: &u32| sortgroup_tle(&s.targetlist, *x).map(|t| t.resno);
                        sets.push(set.iter().map(of).collect::<Result<Vec<_>>>()?);
                    }
                    let mut sort = Vec::new();
                    if !r.hashed {
                        if std::mem::replace(&mut sorted_before, true) {
                            for (c, g) in r.clause.iter().zip(self.group_cols(&r.clause, &s.targetlist)?) {
                                let (sortop, nulls_first) = (c.sortop, c.nulls_first);
                                sort.push(SortCol { column: g.column, sortop, collation: g.collation, nulls_first });
                            }
                        }
                    }
                    let strategy = match (r.hashed, r.clause.is_empty()) {
                        (true, _) => AggStrategy::Hashed,
                        (false, true) => AggStrategy::Plain,
                        (false, false) => AggStrategy::Sorted,
                    };
                    phases.push(AggPhase { strategy, sort, sets });
                }
                let mut p = over(PlanNode::Agg { strategy: *strategy, columns, num_groups: *groups, phases }, s);
                copy_cost(&mut p, path);
                p.targetlist = tlist_of(&path.target);
                p.qual = self.order_quals(having.clone());
                Ok(p)
            }
            PathKind::MinMaxAgg { inits, having } => {
                for (sub, sub_path, param) in inits {
                    let mut sub_root =
                        sub.borrow_mut().take().ok_or_else(|| PgError::internal("initplan used twice"))?;
                    let plan = self.create_plan(&mut sub_root, sub_path)?;
                    let id = self.glob.subplans.len();
                    root.init_plans.push(SubPlan {
                        sub_link_type: SubLinkType::Expr,
                        testexpr: None,
                        param_ids: Vec::new(),
                        plan_id: id,
                        plan_name: format!("InitPlan {}", id + 1),
                        first_col: param.ty,
                        array_type: Oid::INVALID,
                        use_hash_table: false,
                        unknown_eq_false: false,
                        set_param: vec![param.id],
                        par_param: Vec::new(),
                        args: Vec::new(),
                        startup_cost: plan.startup_cost,
                        per_call_cost: plan.total_cost - plan.startup_cost,
                    });
                    self.push_subplan(plan, *sub_root);
                }
                root.minmax_chosen = true;
                let mut p = Plan::new(PlanNode::Result { constant_qual: having.clone() });
                copy_cost(&mut p, path);
                p.targetlist = tlist_of(&path.target);
                Ok(p)
            }
            PathKind::WindowAgg { sub, clause, top, qual, run_condition, .. } => {
                let s = self.create(root, sub, LABEL | SMALL)?;
                let partition = self.group_cols(&clause.partition_clause, &s.targetlist)?;
                let order = self.group_cols(&clause.order_clause, &s.targetlist)?;
                let mut order_keys = Vec::new();
                for (c, g) in clause.order_clause.iter().zip(&order) {
                    order_keys.push(SortCol {
                        column: g.column,
                        sortop: c.sortop,
                        collation: g.collation,
                        nulls_first: c.nulls_first,
                    });
                }
                let node = WindowAggPlan {
                    winname: clause.name.clone().unwrap_or_default(),
                    winref: clause.winref,
                    partition,
                    order,
                    order_keys,
                    frame_options: clause.frame_options,
                    start_offset: clause.start_offset.clone(),
                    end_offset: clause.end_offset.clone(),
                    start_in_range_func: clause.start_in_range_func,
                    end_in_range_func: clause.end_in_range_func,
                    in_range_coll: clause.in_range_coll,
                    in_range_asc: clause.in_range_asc,
                    in_range_nulls_first: clause.in_range_nulls_first,
                    run_condition: run_condition.clone(),
                    run_condition_orig: run_condition.clone(),
                    top_window: *top,
                };
                let mut p = over(PlanNode::WindowAgg(Box::new(node)), s);
                copy_cost(&mut p, path);
                p.targetlist = tlist_of(&path.target);
                p.qual = qual.clone();
                Ok(p)
            }
            PathKind::SetOp { left, right, cmd, hashed, clauses, groups } => {
                let (l, r) = (self.create(root, left, flags | LABEL)?, self.create(root, right, flags | LABEL)?);
                let (mut keys, mut columns) = (Vec::new(), Vec::new());
                for (i, c) in clauses.iter().enumerate() {
                    let collation = l.targetlist.get(i).map_or(Oid::INVALID, |t| t.expr.collation());
                    let column = i as i16 + 1;
                    keys.push(SortCol { column, sortop: c.sortop, collation, nulls_first: c.nulls_first });
                    columns.push(GroupCol { column, eqop: c.eqop, collation });
                }
                let mut p = over(PlanNode::SetOp { cmd: *cmd, hashed: *hashed, keys, columns, num_groups: *groups }, l);
                p.inner = Some(Box::new(r));
                copy_cost(&mut p, path);
                p.targetlist = tlist_of(&path.target);
                Ok(p)
            }
            PathKind::RecursiveUnion { left, right, clauses, param, groups } => {
                let (l, r) = (self.create(root, left, EXACT)?, self.create(root, right, EXACT)?);
                let mut dedup = Vec::new();
                for (i, c) in clauses.iter().enumerate() {
                    let collation = l.targetlist.get(i).map_or(Oid::INVALID, |t| t.expr.collation());
                    dedup.push(GroupCol { column: i as i16 + 1, eqop: c.eqop, collation });
                }
                let mut p = over(PlanNode::RecursiveUnion { wt_param: *param, dedup, num_groups: *groups }, l);
                p.inner = Some(Box::new(r));
                copy_cost(&mut p, path);
                p.targetlist = tlist_of(&path.target);
                Ok(p)
            }
            PathKind::LockRows { sub, marks, epq } => {
                let mut s = self.create(root, sub, flags)?;
                // The executor finds a row mark's column by its name.
                for (t, wanted) in s.targetlist.iter_mut().zip(&root.tlist) {
                    t.resname = wanted.resname.clone();
                    t.resjunk = wanted.resjunk;
                }
                let mut p = over(PlanNode::LockRows { row_marks: marks.clone(), epq_param: *epq }, s);
                copy_cost(&mut p, path);
                Ok(p)
            }
            PathKind::Limit { sub, offset, count, with_ties } => {
                let s = self.create(root, sub, flags)?;
                let ties = if *with_ties {
                    self.group_cols(&root.parse.sort_clause.clone(), &s.targetlist)?
                } else {
                    Vec::new()
                };
                let node = PlanNode::Limit {
                    offset: offset.clone(),
                    count: count.clone(),
                    with_ties: *with_ties,
                    ties_columns: ties,
                };
                let mut p = over(node, s);
                copy_cost(&mut p, path);
                Ok(p)
            }
            PathKind::ModifyTable { sub, node } => {
                let mut s = self.create(root, sub, EXACT)?;
                for (t, wanted) in s.targetlist.iter_mut().zip(&root.tlist) {
                    t.resname = wanted.resname.clone();
                    t.resjunk = wanted.resjunk;
                }
                let mut p = over(PlanNode::ModifyTable(node.clone()), s);
                copy_cost(&mut p, path);
                p.targetlist = node.returning.first().cloned().unwrap_or_default();
                Ok(p)
            }
        }
    }

    /// Whether PostgreSQL would let the scan hand on whole rows. (PostgreSQL: `use_physical_tlist`)
    fn is_physical(&self, root: &Root, path: &Path, scan: &Path, flags: u8) -> bool {
        if flags & (EXACT | SMALL) != 0 {
            return false;
        }
        let Some(rti) = scan.relids.as_single() else { return false };
        let is_scan = match &scan.kind {
            PathKind::BitmapHeap { .. } => !path.target.exprs.is_empty(),
            PathKind::SeqScan
            | PathKind::SampleScan
            | PathKind::Index { .. }
            | PathKind::Tid { .. }
            | PathKind::TidRange { .. }
            | PathKind::Subquery { .. }
            | PathKind::FunctionScan
            | PathKind::ValuesScan
            | PathKind::TableFuncScan
            | PathKind::CteScan { .. }
            | PathKind::NamedTuplestore => true,
            _ => false,
        };
        let Some(Some(rel)) = root.base.get(rti as usize) else { return false };
        let dropped = rel.relation.as_ref().is_some_and(|r| r.desc.attrs.iter().any(|a| a.dropped));
        let plain =
            |t: &Target| t.exprs.iter().all(|e| matches!(e, Expr::Var(v) if v.varno == rti && v.varlevelsup == 0));
        if !is_scan || dropped || rel.is_child || !plain(&path.target) || !plain(&rel.target) {
            return false;
        }
        if rel.attrs_needed.iter().any(|a| a.0 <= 0) {
            return false;
        }
        // A column can carry one mark only.
        flags & LABEL == 0 || {
            let t = &path.target;
            let marked: Vec<&Expr> = t.exprs.iter().zip(&t.refs).filter(|(_, r)| **r != 0).map(|(e, _)| e).collect();
            (0..marked.len()).all(|i| !marked[..i].contains(&marked[i]))
        }
    }

    // ---- projections, sorts, groups ----

    fn create_projection(&mut self, root: &mut Root, path: &P, sub: &P, flags: u8) -> Result<Plan> {
        let physical = self.is_physical(root, path, sub, flags);
        let mut s = self.create(root, sub, if physical { 0 } else { EXACT })?;
        if physical && matches!(s.node, PlanNode::SubqueryScan { .. }) {
            label(&mut s.targetlist, &path.target);
            return Ok(s);
        }
        let tlist = tlist_of(&path.target);
        let same_exprs =
            s.targetlist.len() == tlist.len() && s.targetlist.iter().zip(&tlist).all(|(a, b)| same(&a.expr, &b.expr));
        if same_exprs || plan_can_project(&s) {
            if same_exprs && !plan_can_project(&s) {
                // The columns stay; only how clauses above find them changes.
                for (a, b) in s.targetlist.iter_mut().zip(&tlist) {
                    a.ressortgroupref = b.ressortgroupref;
                }
            } else {
                let mut tlist = tlist;
                if path.param.is_some() || !root.cur_outer_rels.is_empty() {
                    for t in &mut tlist {
                        self.outer_to_params(root, &mut t.expr)?;
                    }
                }
                s.targetlist = tlist;
            }
            (s.startup_cost, s.total_cost, s.rows, s.width) = (path.startup, path.total, path.rows, path.target.width);
            return Ok(s);
        }
        let mut p = over(PlanNode::Result { constant_qual: Vec::new() }, s);
        copy_cost(&mut p, path);
        p.targetlist = tlist;
        Ok(p)
    }

    fn append_prune(&mut self, root: &Root, path: &Path, paths: &[P]) -> Result<Option<Box<crate::plan::AppendPrune>>> {
        let Some(rti) = path.relids.as_single() else { return Ok(None) };
        let mut tables = Vec::with_capacity(paths.len());
        for p in paths {
            let Some(child) = p.relids.as_single() else { return Ok(None) };
            let RteKind::Relation { relid, .. } = root.parse.rte(child).kind else { return Ok(None) };
            tables.push(relid);
        }
        if tables.len() < 2 {
            return Ok(None);
        }
        Ok(self.prune_later(root, rti, &tables)?.map(Box::new))
    }

    fn sort_plan(&mut self, root: &Root, mut s: Plan, keys: &[PathKey], presorted: usize) -> Result<Plan> {
        let cols = self.sort_cols(root, &mut s, keys)?;
        let node = if presorted > 0 {
            PlanNode::IncrementalSort { keys: cols, presorted }
        } else {
            PlanNode::Sort { keys: cols }
        };
        Ok(over(node, s))
    }

    /// The columns of a plan that an order is about, added if missing. (PostgreSQL: `prepare_sort_from_pathkeys`)
    fn sort_cols(&mut self, root: &Root, s: &mut Plan, keys: &[PathKey]) -> Result<Vec<SortCol>> {
        let mut out: Vec<SortCol> = Vec::new();
        for k in keys {
            let ec = root.ec(k.ec);
            let mut found: Option<(i16, Oid)> = None;
            if ec.has_volatile {
                let t = sortgroup_tle(&s.targetlist, ec.sortref)?;
                found = Some((t.resno, ec.members[0].datatype));
            } else {
                for t in &s.targetlist {
                    let hit = ec
                        .members
                        .iter()
                        .filter(|m| !m.is_const || ec.members.len() == 1)
                        .find(|m| same(&t.expr, &m.expr) || same(strip_relabel(&t.expr), strip_relabel(&m.expr)));
                    if let Some(m) = hit {
                        found = Some((t.resno, m.datatype));
                        break;
                    }
                }
            }
            if found.is_none() {
                // A computed key: some member whose columns are all there.
                let member = ec.members.iter().find(|m| {
                    let mut parts = Vec::new();
                    pull_vars(&m.expr, Pull::Include, Pull::Include, &mut parts);
                    !m.is_const && parts.iter().all(|p| s.targetlist.iter().any(|t| same(&t.expr, p)))
                });
                let member = member.ok_or_else(|| PgError::internal("could not find pathkey item to sort"))?;
                if !plan_can_project(s) {
                    let inner = std::mem::replace(s, Plan::new(PlanNode::Material));
                    *s = over(PlanNode::Result { constant_qual: Vec::new() }, inner);
                }
                let resno = s.targetlist.len() as i16 + 1;
                s.targetlist.push(tle(member.expr.clone(), resno, None, true));
                found = Some((resno, member.datatype));
            }
            let Some((column, ty)) = found else { continue };
            let strategy = if k.descending { 5 } else { 1 };
            let sortop = self.cx.catalog.opfamily_member(k.opfamily, ty, ty, strategy)?;
            let sortop = sortop.ok_or_else(|| {
                PgError::internal(format!("missing operator {strategy}({ty},{ty}) in opfamily {}", k.opfamily))
            })?;
            out.push(SortCol { column, sortop, collation: ec.collation, nulls_first: k.nulls_first });
        }
        Ok(out)
    }

    fn unique_cols(&mut self, root: &Root, s: &Plan, keys: &[PathKey]) -> Result<Vec<GroupCol>> {
        let mut copy = Plan::new(PlanNode::Material);
        copy.targetlist = s.targetlist.clone();
        let cols = self.sort_cols(root, &mut copy, keys)?;
        let mut out = Vec::new();
        for c in cols {
            let eqop = equality_for_ordering(&self.cx.catalog, c.sortop)?;
            out.push(GroupCol { column: c.column, eqop, collation: c.collation });
        }
        Ok(out)
    }

    fn group_cols(&self, clauses: &[SortGroupClause], tlist: &[TargetEntry]) -> Result<Vec<GroupCol>> {
        let mut out: Vec<GroupCol> = Vec::new();
        for c in clauses {
            let t = sortgroup_tle(tlist, c.tle_sort_group_ref)?;
            out.push(GroupCol { column: t.resno, eqop: c.eqop, collation: t.expr.collation() });
        }
        Ok(out)
    }

    fn create_unique(
        &mut self,
        root: &mut Root,
        path: &P,
        sub: &P,
        hashed: bool,
        exprs: &[Expr],
        ops: &[Oid],
        flags: u8,
    ) -> Result<Plan> {
        let mut s = self.create(root, sub, flags)?;
        let missing: Vec<Expr> =
            exprs.iter().filter(|e| !s.targetlist.iter().any(|t| same(&t.expr, e))).cloned().collect();
        if !missing.is_empty() {
            if !plan_can_project(&s) {
                s = over(PlanNode::Result { constant_qual: Vec::new() }, s);
            }
            for e in missing {
                let n = s.targetlist.len() as i16 + 1;
                s.targetlist.push(tle(e, n, None, false));
            }
        }
        let mut columns = Vec::new();
        let mut keys = Vec::new();
        for (e, op) in exprs.iter().zip(ops) {
            let t = s.targetlist.iter().find(|t| same(&t.expr, e));
            let column = t.map(|t| t.resno).ok_or_else(|| PgError::internal("lost a column to make unique"))?;
            let collation = e.collation();
            if hashed {
                let mut eq = None;
                for m in self.cx.catalog.operator_memberships(*op)?.iter() {
                    if m.amopmethod == catalog::oids::HASH_AM_OID && m.amopstrategy == 1 {
                        eq = self.cx.catalog.opfamily_member(m.amopfamily, m.amoprighttype, m.amoprighttype, 1)?;
                        if eq.is_some() {
                            break;
                        }
                    }
                }
                let eqop = eq.ok_or_else(|| PgError::internal("could not find compatible hash operator"))?;
                columns.push(GroupCol { column, eqop, collation });
            } else {
                let sortop = ordering_for_equality(&self.cx.catalog, *op, false)?;
                let eqop = equality_for_ordering(&self.cx.catalog, sortop)?;
                keys.push(SortCol { column, sortop, collation, nulls_first: false });
                columns.push(GroupCol { column, eqop, collation });
            }
        }
        let mut p = if hashed {
            over(PlanNode::Agg { strategy: AggStrategy::Hashed, columns, num_groups: path.rows, phases: Vec::new() }, s)
        } else {
            let mut sort = over(PlanNode::Sort { keys }, s);
            let c = self.cost_sort(sort.total_cost, sort.rows, sort.width, -1.0);
            (sort.startup_cost, sort.total_cost) = (c.startup, c.total);
            over(PlanNode::Unique { columns }, sort)
        };
        (p.startup_cost, p.total_cost, p.rows) = (path.startup, path.total, path.rows);
        Ok(p)
    }

    /// Cheap conditions first, among equals as written. (PostgreSQL: `order_qual_clauses`)
    fn order_quals(&self, list: Vec<Expr>) -> Vec<Expr> {
        if list.len() < 2 {
            return list;
        }
        let mut with: Vec<(f64, Expr)> = list.into_iter().map(|e| (self.expr_cost(&e).1, e)).collect();
        with.sort_by(|a, b| a.0.total_cmp(&b.0));
        with.into_iter().map(|w| w.1).collect()
    }

    fn quals(&self, list: &[Ri]) -> Vec<Expr> {
        self.order_quals(list.iter().filter(|r| !r.pseudoconstant).map(|r| r.clause.clone()).collect())
    }

    // ---- parameters of nested loops ----

    /// Columns of relations further out become parameters. (PostgreSQL: `replace_nestloop_params`)
    fn outer_to_params(&mut self, root: &mut Root, e: &mut Expr) -> Result<()> {
        if root.cur_outer_rels.is_empty() {
            return Ok(());
        }
        mutate(e, &mut |x| {
            let Expr::Var(v) = x else { return Ok(true) };
            if v.varlevelsup != 0 || !root.cur_outer_rels.contains(v.varno) {
                return Ok(false);
            }
            let ty = v.vartype;
            let known = root
                .cur_outer_params
                .iter()
                .find(|p| matches!(&p.value, Expr::Var(o) if o.varno == v.varno && o.varattno == v.varattno));
            let id = match known {
                Some(p) => p.param,
                None => {
                    let id = self.new_exec_param(ty.oid);
                    root.cur_outer_params.push(NestLoopParam { param: id, value: Expr::Var(v.clone()) });
                    id
                }
            };
            *x = exec_param(id, ty);
            Ok(false)
        })
    }
    fn outer_to_params_list(&mut self, root: &mut Root, list: &mut [Expr]) -> Result<()> {
        list.iter_mut().try_for_each(|e| self.outer_to_params(root, e))
    }

    // ---- scans ----

    fn create_scan(&mut self, root: &mut Root, path: &P, flags: u8) -> Result<Plan> {
        let physical = self.is_physical(root, path, path, flags);
        let rti = path.relids.as_single().ok_or_else(|| PgError::internal("a scan of several relations"))?;
        let (mut clauses, gating) = {
            let rel = root.base[rti as usize].as_ref().ok_or_else(crate::joinrels::no_rel)?;
            let mut all: Vec<Ri> = match &path.kind {
                PathKind::Index { index, .. } => index.restrict.borrow().clone(),
                _ => rel.baserestrict.clone(),
            };
            if let Some(p) = &path.param {
                all.extend(p.clauses.iter().cloned());
            }
            let gating: Vec<Expr> = rel
                .baserestrict
                .iter()
                .chain(path.param.iter().flat_map(|p| &p.clauses))
                .filter(|r| r.pseudoconstant)
                .map(|r| r.clause.clone())
                .collect();
            (all, gating)
        };
        clauses.retain(|r| !r.pseudoconstant);
        let parameterised = path.param.is_some();
        let mut tlist = tlist_of(&path.target);
        for t in &mut tlist {
            self.outer_to_params(root, &mut t.expr)?;
        }
        let mut plan = match &path.kind {
            PathKind::SeqScan => self.plain_scan(&clauses, PlanNode::SeqScan { scanrelid: rti }),
            PathKind::SampleScan => {
                let RteKind::Relation { table_sample: Some(s), .. } = &root.parse.rte(rti).kind else {
                    return Err(PgError::internal("no sample clause"));
                };
                let mut sample = s.clone();
                for e in sample.args.iter_mut().chain(&mut sample.repeatable) {
                    self.outer_to_params(root, e)?;
                }
                self.plain_scan(&clauses, PlanNode::SampleScan { scanrelid: rti, sample })
            }
            PathKind::Result { quals } => {
                let mut p = self.plain_scan(&clauses, PlanNode::Result { constant_qual: quals.clone() });
                if let PlanNode::Result { constant_qual } = &mut p.node {
                    constant_qual.extend(gating.iter().cloned());
                }
                p
            }
            PathKind::Index { index, clauses: used, backward, only, .. } => {
                self.index_scan(root, index, used, *backward, *only, &clauses)?
            }
            PathKind::BitmapHeap { bitmap } => {
                let (sub, mut orig, covered, implied) = self.bitmap_plan(root, bitmap)?;
                let mut rest = Vec::new();
                for r in clauses {
                    if covered.iter().any(|c| crate::indexpaths::same_condition(c, &r)) {
                        continue;
                    }
                    let known = !is_mutable(&self.cx.catalog, &r.clause)? && self.implied_by(&implied, [&r.clause])?;
                    if !known {
                        rest.push(r);
                    }
                }
                clauses = rest;
                // What is a filter anyway need not be checked again.
                orig.retain(|o| !clauses.iter().any(|r| r.clause == *o));
                let mut p =
                    self.plain_scan(&clauses, PlanNode::BitmapHeapScan { scanrelid: rti, bitmapqualorig: orig });
                p.outer = Some(Box::new(sub));
                p
            }
            PathKind::Tid { quals, exprs } => {
                // What an OR gave is not checked again either; of its arms' further conditions it is.
                clauses.retain(|r| {
                    !quals.iter().any(|q| std::rc::Rc::ptr_eq(q, r))
                        || (!r.or_arms.is_empty() && r.or_arms.iter().any(|a| a.len() != 1))
                });
                let mut exprs = exprs.clone();
                self.outer_to_params_list(root, &mut exprs)?;
                self.plain_scan(&clauses, PlanNode::TidScan { scanrelid: rti, tidquals: exprs })
            }
            PathKind::TidRange { quals } => {
                clauses.retain(|r| !quals.iter().any(|q| std::rc::Rc::ptr_eq(q, r)));
                let mut exprs: Vec<Expr> = quals.iter().map(|q| q.clause.clone()).collect();
                self.outer_to_params_list(root, &mut exprs)?;
                self.plain_scan(&clauses, PlanNode::TidRangeScan { scanrelid: rti, tidrangequals: exprs })
            }
            PathKind::Subquery { index, path: sub_path } => {
                let slot = root.base[*index as usize].as_mut().ok_or_else(crate::joinrels::no_rel)?;
                let mut sub = slot.subroot.take().ok_or_else(|| PgError::internal("a subquery without its state"))?;
                let made = self.create_plan(&mut sub, sub_path);
                if let Some(slot) = root.base[*index as usize].as_mut() {
                    slot.subroot = Some(sub);
                }
                let made = made?;
                // What it wants set from outside is set by nested loops.
                let params: Vec<(i32, Expr)> =
                    root.subquery_params.iter().filter(|p| p.0 == *index).flat_map(|p| p.1.clone()).collect();
                for (id, value) in params {
                    if !root.cur_outer_params.iter().any(|p| p.param == id) {
                        root.cur_outer_params.push(NestLoopParam { param: id, value });
                    }
                }
                self.plain_scan(&clauses, PlanNode::SubqueryScan { scanrelid: rti, subplan: Box::new(made) })
            }
            PathKind::FunctionScan => {
                let RteKind::Function { functions, ordinality } = root.parse.rte(rti).kind.clone() else {
                    return Err(PgError::internal("not a function"));
                };
                let mut functions = functions;
                for f in &mut functions {
                    self.outer_to_params(root, &mut f.funcexpr)?;
                }
                self.plain_scan(&clauses, PlanNode::FunctionScan { scanrelid: rti, functions, ordinality })
            }
            PathKind::ValuesScan => {
                let RteKind::Values { lists, .. } = root.parse.rte(rti).kind.clone() else {
                    return Err(PgError::internal("not VALUES"));
                };
                let mut lists = lists;
                for e in lists.iter_mut().flatten() {
                    self.outer_to_params(root, e)?;
                }
                self.plain_scan(&clauses, PlanNode::ValuesScan { scanrelid: rti, lists })
            }
            PathKind::TableFuncScan => {
                let RteKind::TableFunc(t) = root.parse.rte(rti).kind.clone() else {
                    return Err(PgError::internal("not a table function"));
                };
                let mut t = t;
                self.outer_to_params(root, &mut t.docexpr)?;
                for e in t.rowexpr.iter_mut().chain(&mut t.passingvalexprs).chain(&mut t.ns_uris) {
                    self.outer_to_params(root, e)?;
                }
                self.plain_scan(&clauses, PlanNode::TableFuncScan { scanrelid: rti, tablefunc: t })
            }
            PathKind::CteScan { plan_id, param } => {
                self.plain_scan(&clauses, PlanNode::CteScan { scanrelid: rti, plan_id: *plan_id, cte_param: *param })
            }
            PathKind::WorkTableScan { param } => {
                self.plain_scan(&clauses, PlanNode::WorkTableScan { scanrelid: rti, wt_param: *param })
            }
            PathKind::NamedTuplestore => self.plain_scan(&clauses, PlanNode::NamedTuplestoreScan { scanrelid: rti }),
            _ => return Err(PgError::internal("not a scan")),
        };
        let _ = parameterised;
        let mut quals = std::mem::take(&mut plan.qual);
        self.outer_to_params_list(root, &mut quals)?;
        plan.qual = quals;
        plan.targetlist = tlist;
        plan.physical = physical;
        if let (true, PlanNode::SubqueryScan { subplan, .. }) = (physical, &plan.node) {
            // All its columns: then the scan often has nothing to do and goes.
            let types = subplan.targetlist.iter().filter(|t| !t.resjunk).map(|t| t.expr.type_mod());
            plan.targetlist = types
                .enumerate()
                .map(|(i, ty)| tle(make_var(rti, i as i16 + 1, ty), i as i16 + 1, None, false))
                .collect();
            label(&mut plan.targetlist, &path.target);
        }
        let outer = plan.outer.take();
        copy_cost(&mut plan, path);
        plan.outer = outer;
        if gating.is_empty() || matches!(plan.node, PlanNode::Result { .. }) {
            return Ok(plan);
        }
        Ok(self.gate(plan, gating))
    }

    /// A Result that lets rows through only while conditions hold that no row influences.
    fn gate(&self, plan: Plan, quals: Vec<Expr>) -> Plan {
        over(PlanNode::Result { constant_qual: self.order_quals(quals) }, plan)
    }

    fn plain_scan(&self, clauses: &[Ri], node: PlanNode) -> Plan {
        let mut p = Plan::new(node);
        p.qual = self.quals(clauses);
        p
    }

    /// Conditions with the index's columns as `INDEX_VAR`. (PostgreSQL: `fix_indexqual_references`)
    fn index_quals(
        &mut self,
        root: &mut Root,
        index: &IndexOpt,
        used: &[IndexClause],
    ) -> Result<(Vec<Expr>, Vec<Expr>)> {
        let (mut quals, mut orig) = (Vec::new(), Vec::new());
        for k in used {
            for q in &k.quals {
                let mut q = q.clone();
                self.outer_to_params(root, &mut q)?;
                orig.push(q.clone());
                let var = Expr::Var(Var {
                    varno: INDEX_VAR,
                    ..new_var(INDEX_VAR, k.column as i16 + 1, index.types[k.column])
                });
                let slot = match &mut q {
                    Expr::OpExpr(o) => &mut o.args[0],
                    Expr::ScalarArrayOpExpr(s) => &mut s.args[0],
                    Expr::NullTest(n) => &mut n.arg,
                    _ => return Err(PgError::internal("unexpected index condition")),
                };
                *slot = var;
                quals.push(q);
            }
        }
        Ok((quals, orig))
    }

    fn index_scan(
        &mut self,
        root: &mut Root,
        index: &std::rc::Rc<IndexOpt>,
        used: &[IndexClause],
        backward: bool,
        only: bool,
        clauses: &[Ri],
    ) -> Result<Plan> {
        let (indexqual, indexqualorig) = self.index_quals(root, index, used)?;
        let rest: Vec<Ri> = clauses
            .iter()
            .filter(|r| !used.iter().any(|k| !k.lossy && crate::indexpaths::same_condition(&k.rinfo, r)))
            .cloned()
            .collect();
        let node = if only {
            let mut list = Vec::new();
            for (i, c) in index.columns.iter().enumerate() {
                let e = match index.exprs.get(i).and_then(|e| e.as_ref()) {
                    Some(e) => e.clone(),
                    None => make_var(index.relid, *c, index.types[i]),
                };
                list.push(tle(e, i as i16 + 1, None, false));
            }
            PlanNode::IndexOnlyScan {
                scanrelid: index.relid,
                indexid: index.oid,
                indexqual,
                recheckqual: indexqualorig,
                indexorderby: Vec::new(),
                indextlist: list,
                backward,
            }
        } else {
            PlanNode::IndexScan {
                scanrelid: index.relid,
                indexid: index.oid,
                indexqual,
                indexqualorig,
                indexorderby: Vec::new(),
                indexorderbyorig: Vec::new(),
                backward,
            }
        };
        Ok(self.plain_scan(&rest, node))
    }

    /// The bitmap's plan, its conditions over the table, the clauses it covers, the predicates that hold.
    fn bitmap_plan(&mut self, root: &mut Root, path: &P) -> Result<(Plan, Vec<Expr>, Vec<Ri>, Vec<Expr>)> {
        match &path.kind {
            PathKind::Index { index, clauses, index_cost, selectivity, .. } => {
                let (indexqual, indexqualorig) = self.index_quals(root, index, clauses)?;
                let mut orig: Vec<Expr> = Vec::new();
                for k in clauses {
                    if !orig.contains(&k.rinfo.clause) {
                        orig.push(k.rinfo.clause.clone());
                    }
                }
                self.outer_to_params_list(root, &mut orig)?;
                for pred in &index.predicate {
                    if !self.implied_by(&orig, [pred])? {
                        orig.push(pred.clone());
                    }
                }
                let mut p = Plan::new(PlanNode::BitmapIndexScan {
                    scanrelid: index.relid,
                    indexid: index.oid,
                    indexqual,
                    indexqualorig,
                });
                p.total_cost = *index_cost;
                p.rows = crate::cost::clamp_row_est(
                    selectivity * root.base[index.relid as usize].as_ref().map_or(1.0, |r| r.tuples),
                );
                let covered = clauses.iter().filter(|k| !k.lossy).map(|k| k.rinfo.clone()).collect();
                // What the index itself ensures: of a lossy clause only what was derived from it.
                let ensured = clauses.iter().flat_map(|k| &k.quals).chain(&index.predicate).cloned().collect();
                Ok((p, orig, covered, ensured))
            }
            PathKind::BitmapAnd { paths, .. } => {
                let (mut plans, mut orig, mut covered, mut preds) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
                for x in paths {
                    let (p, o, c, i) = self.bitmap_plan(root, x)?;
                    plans.push(p);
                    orig.extend(o);
                    covered.extend(c);
                    preds.extend(i);
                }
                let mut p = Plan::new(PlanNode::BitmapAnd { plans });
                (p.startup_cost, p.total_cost, p.rows) = (path.startup, path.total, path.rows);
                Ok((p, orig, covered, preds))
            }
            PathKind::BitmapOr { paths, .. } => {
                let (mut plans, mut arms, mut ensured) = (Vec::new(), Vec::new(), Vec::new());
                for x in paths {
                    let (p, o, _, i) = self.bitmap_plan(root, x)?;
                    plans.push(p);
                    let all = |list| Expr::and_all(list).unwrap_or_else(|| Expr::bool_const(Some(true)));
                    arms.push(all(o));
                    ensured.push(all(i));
                }
                let mut p = Plan::new(PlanNode::BitmapOr { plans });
                (p.startup_cost, p.total_cost, p.rows) = (path.startup, path.total, path.rows);
                let any = |mut arms: Vec<Expr>| match arms.len() {
                    1 => arms.swap_remove(0),
                    _ => Expr::BoolExpr(Box::new(BoolExpr {
                        boolop: BoolExprType::Or,
                        args: arms,
                        location: base::error::Location::UNKNOWN,
                    })),
                };
                Ok((p, vec![any(arms)], Vec::new(), vec![any(ensured)]))
            }
            _ => Err(PgError::internal("not a bitmap")),
        }
    }

    // ---- joins ----

    fn finish_join(
        &mut self,
        root: &mut Root,
        path: &P,
        join: &JoinPath,
        mut plan: Plan,
        outer: Plan,
        inner: Plan,
    ) -> Result<Plan> {
        let gating: Vec<Expr> = join.restrict.iter().filter(|r| r.pseudoconstant).map(|r| r.clause.clone()).collect();
        copy_cost(&mut plan, path);
        plan.targetlist = tlist_of(&path.target);
        if path.param.is_some() {
            let mut q = std::mem::take(&mut plan.qual);
            self.outer_to_params_list(root, &mut q)?;
            plan.qual = q;
        }
        plan.outer = Some(Box::new(outer));
        plan.inner = Some(Box::new(inner));
        if gating.is_empty() {
            return Ok(plan);
        }
        Ok(self.gate(plan, gating))
    }

    fn create_nestloop(&mut self, root: &mut Root, path: &P, j: &JoinPath) -> Result<Plan> {
        let outer = self.create(root, &j.outer, 0)?;
        let saved = root.cur_outer_rels.clone();
        root.cur_outer_rels.add(&j.outer.relids);
        let inner = self.create(root, &j.inner, 0);
        root.cur_outer_rels = saved;
        let inner = inner?;
        let (joinq, otherq) = split_quals(&j.restrict, j.jointype, &path.relids);
        let mut joinqual = self.quals(&joinq);
        let other = self.quals(&otherq);
        if path.param.is_some() {
            self.outer_to_params_list(root, &mut joinqual)?;
        }
        let mut params = Vec::new();
        root.cur_outer_params.retain(|p| {
            let mine = varnos(&p.value).is_subset(&j.outer.relids);
            if mine {
                params.push(p.clone());
            }
            !mine
        });
        let mut p =
            Plan::new(PlanNode::NestLoop { jointype: j.jointype, joinqual, inner_unique: j.inner_unique, params });
        p.qual = other;
        self.finish_join(root, path, j, p, outer, inner)
    }

    /// Clauses turned round so that the outer side stands left. (PostgreSQL: `get_switched_clauses`)
    fn switched(&self, clauses: &[Ri], outer: &Relids, inner: &Relids) -> Result<Vec<Expr>> {
        let mut out = Vec::new();
        for r in clauses {
            match clause_sides(r, outer, inner) {
                Some(false) => {
                    let Expr::OpExpr(o) = &r.clause else {
                        return Err(PgError::internal("join clause without operator"));
                    };
                    let mut o = o.clone();
                    o.opno = commutator(&self.cx.catalog, o.opno)?;
                    o.opfuncid = self.cx.catalog.operator(o.opno)?.map_or(Oid::INVALID, |p| p.oprcode);
                    o.args.swap(0, 1);
                    out.push(Expr::OpExpr(o));
                }
                _ => out.push(r.clause.clone()),
            }
        }
        Ok(out)
    }

    fn create_hash(&mut self, root: &mut Root, path: &P, j: &JoinPath, clauses: &[Ri]) -> Result<Plan> {
        let c = self.cx.cost;
        let memory = c.work_mem * c.hash_mem_multiplier * 1024.0;
        let batches = crate::joinpaths::hash_table_size(j.inner.rows.max(1.0), j.inner.target.width, memory).1;
        let outer = self.create(root, &j.outer, if batches > 1.0 { SMALL } else { 0 })?;
        let inner = self.create(root, &j.inner, SMALL)?;
        let (joinq, otherq) = split_quals(&j.restrict, j.jointype, &path.relids);
        let rest: Vec<Ri> = joinq.into_iter().filter(|r| !clauses.iter().any(|c| std::rc::Rc::ptr_eq(c, r))).collect();
        let mut joinqual = self.quals(&rest);
        let other = self.quals(&otherq);
        let mut hashclauses = self.switched(clauses, &j.outer.relids, &j.inner.relids)?;
        if path.param.is_some() {
            self.outer_to_params_list(root, &mut joinqual)?;
            self.outer_to_params_list(root, &mut hashclauses)?;
        }
        let (mut ops, mut collations, mut outer_keys, mut inner_keys) =
            (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for c in &hashclauses {
            let Expr::OpExpr(o) = c else { return Err(PgError::internal("hash clause without operator")) };
            ops.push(o.opno);
            collations.push(o.inputcollid);
            outer_keys.push(o.args[0].clone());
            inner_keys.push(o.args[1].clone());
        }
        let mut hash = over(PlanNode::Hash { hashkeys: inner_keys }, inner);
        hash.startup_cost = hash.total_cost;
        let mut p = Plan::new(PlanNode::HashJoin {
            jointype: j.jointype,
            joinqual,
            inner_unique: j.inner_unique,
            hashclauses,
            hashkeys: outer_keys,
            hashoperators: ops,
            hashcollations: collations,
        });
        p.qual = other;
        self.finish_join(root, path, j, p, outer, hash)
    }

    fn create_merge(&mut self, root: &mut Root, path: &P, j: &JoinPath) -> Result<Plan> {
        let PathKind::MergeJoin { clauses, outer_sort, inner_sort, outer_presorted, materialize, skip_mark, .. } =
            &path.kind
        else {
            return Err(PgError::internal("not a merge join"));
        };
        let mut outer = self.create(root, &j.outer, if outer_sort.is_empty() { 0 } else { SMALL })?;
        let mut inner = self.create(root, &j.inner, if inner_sort.is_empty() { 0 } else { SMALL })?;
        let (joinq, otherq) = split_quals(&j.restrict, j.jointype, &path.relids);
        let rest: Vec<Ri> = joinq.into_iter().filter(|r| !clauses.iter().any(|c| std::rc::Rc::ptr_eq(c, r))).collect();
        let mut joinqual = self.quals(&rest);
        let other = self.quals(&otherq);
        let mut mergeclauses = self.switched(clauses, &j.outer.relids, &j.inner.relids)?;
        if path.param.is_some() {
            self.outer_to_params_list(root, &mut joinqual)?;
            self.outer_to_params_list(root, &mut mergeclauses)?;
        }
        if !outer_sort.is_empty() {
            let c = self.cost_sort(outer.total_cost, outer.rows, outer.width, -1.0);
            outer = self.sort_plan(root, outer, outer_sort, *outer_presorted)?;
            (outer.startup_cost, outer.total_cost) = (c.startup, c.total);
        }
        if !inner_sort.is_empty() {
            let c = self.cost_sort(inner.total_cost, inner.rows, inner.width, -1.0);
            inner = self.sort_plan(root, inner, inner_sort, 0)?;
            (inner.startup_cost, inner.total_cost) = (c.startup, c.total);
        }
        if *materialize {
            inner = over(PlanNode::Material, inner);
            inner.total_cost += self.cx.cost.cpu_operator_cost * inner.rows;
        }
        // Each clause's order is that of the outer side's key.
        let outer_keys: Vec<PathKey> =
            if outer_sort.is_empty() { j.outer.pathkeys.clone() } else { outer_sort.clone() };
        let mut keys = Vec::new();
        for r in clauses {
            let ec = if r.left_relids.is_subset(&j.outer.relids) { r.left_ec.get() } else { r.right_ec.get() };
            let ec = ec.map(|e| root.ec_id(e));
            let k = outer_keys.iter().find(|k| Some(root.ec_id(k.ec)) == ec);
            let k = k.ok_or_else(|| PgError::internal("outer pathkeys do not match mergeclauses"))?;
            let collation = r.op().map_or(Oid::INVALID, |o| o.inputcollid);
            keys.push(MergeKey { opfamily: k.opfamily, collation, reverse: k.descending, nulls_first: k.nulls_first });
        }
        let mut p = Plan::new(PlanNode::MergeJoin {
            jointype: j.jointype,
            joinqual,
            inner_unique: j.inner_unique,
            mergeclauses,
            keys,
            skip_mark_restore: *skip_mark,
        });
        p.qual = other;
        self.finish_join(root, path, j, p, outer, inner)
    }
}
