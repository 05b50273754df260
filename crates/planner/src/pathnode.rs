//! Keeping the paths worth keeping, and making the simple ones.
//!
//! PostgreSQL: `pathnode.c`.

use std::rc::Rc;

use analyze::query::*;
use base::Result;

use crate::cost::clamp_row_est;
use crate::node::*;
use crate::plan::*;
use crate::relids::Relids;

const FUZZ: f64 = 1.01;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Cmp {
    Equal,
    Better,
    Worse,
    Different,
}

/// (PostgreSQL: `compare_path_costs_fuzzily`)
fn compare_fuzzily(a: &Path, b: &Path, startup_matters: bool) -> Cmp {
    if a.disabled != b.disabled {
        return if a.disabled < b.disabled { Cmp::Better } else { Cmp::Worse };
    }
    if a.total > b.total * FUZZ {
        return if startup_matters && b.startup > a.startup * FUZZ { Cmp::Different } else { Cmp::Worse };
    }
    if b.total > a.total * FUZZ {
        return if startup_matters && a.startup > b.startup * FUZZ { Cmp::Different } else { Cmp::Better };
    }
    if a.startup > b.startup * FUZZ {
        return Cmp::Worse;
    }
    if b.startup > a.startup * FUZZ {
        return Cmp::Better;
    }
    Cmp::Equal
}

fn compare_keys(a: &[PathKey], b: &[PathKey]) -> Cmp {
    let n = a.len().min(b.len());
    if a[..n] != b[..n] {
        return Cmp::Different;
    }
    match a.len().cmp(&b.len()) {
        std::cmp::Ordering::Equal => Cmp::Equal,
        std::cmp::Ordering::Greater => Cmp::Better,
        std::cmp::Ordering::Less => Cmp::Worse,
    }
}

/// (PostgreSQL: `compare_path_costs` by total cost)
pub(crate) fn cheaper_total(a: &Path, b: &Path) -> bool {
    (a.disabled, a.total, a.startup) < (b.disabled, b.total, b.startup)
}
pub(crate) fn cheaper_startup(a: &Path, b: &Path) -> bool {
    (a.disabled, a.startup, a.total) < (b.disabled, b.startup, b.total)
}

/// Adds a path to a list unless one there is as good in all respects; drops those it beats. (PostgreSQL: `add_path`)
pub(crate) fn add_path(paths: &mut Vec<P>, new: P, consider_startup: bool, consider_param_startup: bool) {
    let new_keys: &[PathKey] = if new.param.is_some() { &[] } else { &new.pathkeys };
    let startup = if new.param.is_some() { consider_param_startup } else { consider_startup };
    let mut accept = true;
    let none = Relids::new();
    paths.retain(|old| {
        if !accept {
            return true;
        }
        let cost = compare_fuzzily(&new, old, startup);
        if cost == Cmp::Different {
            return true;
        }
        let old_keys: &[PathKey] = if old.param.is_some() { &[] } else { &old.pathkeys };
        let keys = compare_keys(new_keys, old_keys);
        if keys == Cmp::Different {
            return true;
        }
        let nr = new.param.as_ref().map_or(&none, |p| &p.req_outer);
        let or = old.param.as_ref().map_or(&none, |p| &p.req_outer);
        let (sub, sup) = (nr.is_subset(or), or.is_subset(nr));
        match cost {
            Cmp::Equal => match keys {
                Cmp::Better => !(sub && new.rows <= old.rows),
                Cmp::Worse => {
                    if sup && new.rows >= old.rows {
                        accept = false;
                    }
                    true
                }
                _ => {
                    if sub && sup {
                        if new.rows < old.rows {
                            false
                        } else if new.rows > old.rows {
                            accept = false;
                            true
                        } else if compare_exact(&new, old) {
                            false
                        } else {
                            accept = false;
                            true
                        }
                    } else if sub && new.rows <= old.rows {
                        false
                    } else if sup && new.rows >= old.rows {
                        accept = false;
                        true
                    } else {
                        true
                    }
                }
            },
            Cmp::Better => !(keys != Cmp::Worse && sub && new.rows <= old.rows),
            Cmp::Worse => {
                if keys != Cmp::Better && sup && new.rows >= old.rows {
                    accept = false;
                }
                true
            }
            Cmp::Different => true,
        }
    });
    if accept {
        let at = paths.iter().position(|p| (new.disabled, new.total) < (p.disabled, p.total)).unwrap_or(paths.len());
        paths.insert(at, new);
    }
}

/// Nearly equal costs decide after all, so that the first of equals stays.
fn compare_exact(new: &Path, old: &Path) -> bool {
    const TINY: f64 = 1.000_000_000_1;
    new.disabled <= old.disabled
        && (old.total > new.total * TINY || (old.total >= new.total / TINY && old.startup > new.startup * TINY))
}

impl Rel {
    pub(crate) fn add(&mut self, p: P) {
        add_path(&mut self.paths, p, self.consider_startup, self.consider_param_startup);
    }

    /// (PostgreSQL: `set_cheapest`)
    pub(crate) fn set_cheapest(&mut self) -> Result<()> {
        let (mut startup, mut total, mut best_param): (Option<P>, Option<P>, Option<P>) = (None, None, None);
        let mut params = Vec::new();
        for p in &self.paths {
            if let Some(info) = &p.param {
                params.push(p.clone());
                if total.is_some() {
                    continue;
                }
                let better = match &best_param {
                    None => true,
                    Some(b) => {
                        let br = b.req_outer();
                        let (sub, sup) = (info.req_outer.is_subset(&br), br.is_subset(&info.req_outer));
                        match (sub, sup) {
                            (true, true) => cheaper_total(p, b),
                            (true, false) => true,
                            _ => false,
                        }
                    }
                };
                if better {
                    best_param = Some(p.clone());
                }
                continue;
            }
            if startup.as_ref().is_none_or(|s| cheaper_startup(p, s)) {
                startup = Some(p.clone());
            }
            if total.as_ref().is_none_or(|s| cheaper_total(p, s)) {
                total = Some(p.clone());
            }
        }
        if let Some(t) = &total {
            params.insert(0, t.clone());
        }
        if total.is_none() {
            total = best_param;
        }
        if total.is_none() {
            return Err(base::PgError::internal("could not devise a query plan for the given query"));
        }
        (self.cheapest_startup, self.cheapest_total, self.cheapest_param) = (startup, total, params);
        Ok(())
    }
}

pub(crate) fn new_path(kind: PathKind, rel: &Rel, param: Option<Rc<ParamInfo>>, rows: f64, cost: (f64, f64)) -> Path {
    Path {
        kind,
        relids: rel.relids.clone(),
        target: rel.target.clone(),
        param,
        rows,
        startup: cost.0,
        total: cost.1,
        disabled: 0,
        pathkeys: Vec::new(),
    }
}

/// A path on top of another one: the same relation, rows and order unless changed.
pub(crate) fn upper_path(kind: PathKind, sub: &P, target: Rc<Target>) -> Path {
    Path {
        kind,
        relids: sub.relids.clone(),
        target,
        param: sub.param.clone(),
        rows: sub.rows,
        startup: sub.startup,
        total: sub.total,
        disabled: sub.disabled,
        pathkeys: sub.pathkeys.clone(),
    }
}

/// A relation of which nothing comes out.
pub(crate) fn dummy_path(rel: &Rel) -> P {
    Rc::new(new_path(PathKind::Append { paths: Vec::new() }, rel, None, 0.0, (0.0, 0.0)))
}

impl Planner<'_, '_> {
    pub(crate) fn sort_path(&self, sub: &P, keys: Vec<PathKey>, limit: f64) -> P {
        let c = self.cost_sort(sub.total, sub.rows, sub.target.width, limit);
        let mut p = upper_path(PathKind::Sort { sub: sub.clone() }, sub, sub.target.clone());
        (p.startup, p.total, p.pathkeys) = (c.startup, c.total, keys);
        p.disabled += i32::from(!self.cx.cost.enable_sort);
        Rc::new(p)
    }
    pub(crate) fn incremental_sort_path(
        &mut self,
        root: &Root,
        sub: &P,
        keys: Vec<PathKey>,
        presorted: usize,
        limit: f64,
    ) -> Result<P> {
        let c = self.cost_incremental_sort(root, &keys, presorted, sub, limit)?;
        let mut p = upper_path(PathKind::IncrementalSort { sub: sub.clone(), presorted }, sub, sub.target.clone());
        (p.startup, p.total, p.pathkeys) = (c.startup, c.total, keys);
        Ok(Rc::new(p))
    }

    /// The path made to give an order, by a sort if need be.
    pub(crate) fn ordered(&mut self, root: &Root, sub: &P, keys: &[PathKey], limit: f64) -> Result<P> {
        let (all, n) = self.keys_contained(keys, &sub.pathkeys);
        if all {
            return Ok(sub.clone());
        }
        if n > 0 && self.cx.cost.enable_incremental_sort {
            return self.incremental_sort_path(root, sub, keys.to_vec(), n, limit);
        }
        Ok(self.sort_path(sub, keys.to_vec(), limit))
    }

    pub(crate) fn material_path(&self, sub: &P) -> P {
        let c = self.cost_material(sub);
        let mut p = upper_path(PathKind::Material { sub: sub.clone() }, sub, sub.target.clone());
        (p.startup, p.total) = (c.startup, c.total);
        p.disabled += i32::from(!self.cx.cost.enable_material);
        Rc::new(p)
    }

    /// The same rows with other columns. (PostgreSQL: `apply_projection_to_path`)
    pub(crate) fn project(&self, sub: &P, target: Rc<Target>) -> P {
        if sub.target.exprs == target.exprs {
            // Only the references differ: no step is needed, but they must be right.
            if sub.target.refs == target.refs {
                return sub.clone();
            }
        }
        let (inner, old) = match &sub.kind {
            PathKind::Projection { sub: s } => (s, &s.target),
            _ => (sub, &sub.target),
        };
        let c = self.cx.cost;
        let mut p = upper_path(PathKind::Projection { sub: inner.clone() }, inner, target.clone());
        p.pathkeys = sub.pathkeys.clone();
        if can_project(inner) || old.exprs == target.exprs {
            p.startup += target.startup - old.startup;
            p.total += target.startup - old.startup + (target.per_tuple - old.per_tuple) * p.rows;
        } else {
            p.startup += target.startup;
            p.total += target.startup + (c.cpu_tuple_cost + target.per_tuple) * p.rows;
        }
        Rc::new(p)
    }

    pub(crate) fn limit_path(&self, sub: &P, offset: Option<Expr>, count: Option<Expr>, with_ties: bool, est: (f64, f64)) -> P {
        let mut p = upper_path(PathKind::Limit { sub: sub.clone(), offset, count, with_ties }, sub, sub.target.clone());
        let (rows, startup, total) = (sub.rows, sub.startup, sub.total);
        let (offset_est, count_est) = est;
        if offset_est != 0.0 {
            let o = if offset_est > 0.0 { offset_est } else { clamp_row_est(p.rows * 0.1) }.min(p.rows);
            if rows > 0.0 {
                p.startup += (total - startup) * o / rows;
            }
            p.rows = (p.rows - o).max(1.0);
        }
        if count_est != 0.0 {
            let n = if count_est > 0.0 { count_est } else { clamp_row_est(rows * 0.1) }.min(p.rows);
            if rows > 0.0 {
                p.total = p.startup + (total - startup) * n / rows;
            }
            p.rows = n.max(1.0);
        }
        Rc::new(p)
    }
}

/// Whether the node made of a path can compute a target list. (PostgreSQL: `is_projection_capable_path`)
pub(crate) fn can_project(p: &Path) -> bool {
    !matches!(
        p.kind,
        PathKind::Material { .. }
            | PathKind::Memoize { .. }
            | PathKind::Sort { .. }
            | PathKind::IncrementalSort { .. }
            | PathKind::UpperUnique { .. }
            | PathKind::Unique { .. }
            | PathKind::SetOp { .. }
            | PathKind::LockRows { .. }
            | PathKind::Limit { .. }
            | PathKind::ModifyTable { .. }
            | PathKind::MergeAppend { .. }
            | PathKind::RecursiveUnion { .. }
            | PathKind::ProjectSet { .. }
            | PathKind::CteScan { .. }
    ) && !matches!(&p.kind, PathKind::Append { paths } if !paths.is_empty())
        || matches!(p.kind, PathKind::CteScan { .. })
}

/// Whether a plan node can take another target list. (PostgreSQL: `is_projection_capable_plan`)
pub(crate) fn plan_can_project(p: &Plan) -> bool {
    match &p.node {
        PlanNode::Hash { .. }
        | PlanNode::Material
        | PlanNode::Memoize { .. }
        | PlanNode::Sort { .. }
        | PlanNode::IncrementalSort { .. }
        | PlanNode::Unique { .. }
        | PlanNode::SetOp { .. }
        | PlanNode::LockRows { .. }
        | PlanNode::Limit { .. }
        | PlanNode::ModifyTable(_)
        | PlanNode::Append { .. }
        | PlanNode::MergeAppend { .. }
        | PlanNode::RecursiveUnion { .. }
        | PlanNode::ProjectSet => false,
        _ => true,
    }
}
