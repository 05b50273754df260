//! Moving expressions and queries between query levels: renumbering range-table indexes, shifting `varlevelsup`, replacing
//! Vars wherever they stand, in subqueries too.
//!
//! PostgreSQL: `rewriteManip.c`.

use analyze::query::*;
use analyze::walker::{MutWalker, walk_expr_mut, walk_query_mut, walk_rte_mut};
use base::{PgError, Result};

/// Visits every expression node with the number of subqueries it lies in; `f` says whether to go below the node.
pub(crate) struct Deep<'f> {
    pub depth: u32,
    pub f: &'f mut dyn FnMut(&mut Expr, u32) -> Result<bool>,
    /// Called for each range-table entry on the way.
    pub rte: Option<&'f mut dyn FnMut(&mut RangeTblEntry, u32)>,
}

impl MutWalker for Deep<'_> {
    type Break = PgError;
    fn expr(&mut self, e: &mut Expr) -> Result<()> {
        if (self.f)(e, self.depth)? { walk_expr_mut(self, e) } else { Ok(()) }
    }
    fn query(&mut self, q: &mut Query) -> Result<()> {
        self.depth += 1;
        let done = walk_query_mut(self, q);
        self.depth -= 1;
        done
    }
    fn join_aliases(&self) -> bool {
        false
    }
    fn rte(&mut self, r: &mut RangeTblEntry) -> Result<()> {
        if let Some(f) = &mut self.rte {
            f(r, self.depth);
        }
        walk_rte_mut(self, r)
    }
}

/// Visits an expression and the subqueries in it.
pub(crate) fn deep_expr(e: &mut Expr, f: &mut dyn FnMut(&mut Expr, u32) -> Result<bool>) -> Result<()> {
    Deep { depth: 0, f, rte: None }.expr(e)
}
/// Visits a query's own expressions (depth 0) and those of all subqueries.
pub(crate) fn deep_query(q: &mut Query, f: &mut dyn FnMut(&mut Expr, u32) -> Result<bool>) -> Result<()> {
    walk_query_mut(&mut Deep { depth: 0, f, rte: None }, q)
}

/// How many levels up a node refers, if it is of a kind that does.
pub(crate) fn level_of(e: &Expr) -> Option<u32> {
    match e {
        Expr::Var(v) => Some(v.varlevelsup),
        Expr::Aggref(a) => Some(a.agglevelsup),
        Expr::GroupingFunc(g) => Some(g.agglevelsup),
        Expr::PlaceHolderVar(p) => Some(p.phlevelsup),
        _ => None,
    }
}

fn shift(e: &mut Expr, delta: i32) {
    let slot = match e {
        Expr::Var(v) => &mut v.varlevelsup,
        Expr::Aggref(a) => &mut a.agglevelsup,
        Expr::GroupingFunc(g) => &mut g.agglevelsup,
        Expr::PlaceHolderVar(p) => &mut p.phlevelsup,
        _ => return,
    };
    *slot = slot.saturating_add_signed(delta);
}

fn shift_rte(r: &mut RangeTblEntry, at_least: u32, delta: i32) {
    if let RteKind::Cte { levels_up, .. } = &mut r.kind
        && *levels_up >= at_least
    {
        *levels_up = levels_up.saturating_add_signed(delta);
    }
}

/// Adds to the level of all references that leave `min` levels or more. (PostgreSQL: `IncrementVarSublevelsUp`)
pub(crate) fn shift_levels(e: &mut Expr, delta: i32, min: u32) -> Result<()> {
    if delta == 0 {
        return Ok(());
    }
    let f = &mut |x: &mut Expr, depth: u32| {
        if level_of(x).is_some_and(|l| l >= min + depth) {
            shift(x, delta);
        }
        Ok(true)
    };
    let rte = &mut |r: &mut RangeTblEntry, depth: u32| shift_rte(r, min + depth, delta);
    Deep { depth: 0, f, rte: Some(rte) }.expr(e)
}

/// As [`shift_levels`], of a query; `min` counts from the query's own level.
pub(crate) fn shift_query_levels(q: &mut Query, delta: i32, min: u32) -> Result<()> {
    if delta == 0 {
        return Ok(());
    }
    let f = &mut |x: &mut Expr, depth: u32| {
        if level_of(x).is_some_and(|l| l >= min + depth) {
            shift(x, delta);
        }
        Ok(true)
    };
    let rte = &mut |r: &mut RangeTblEntry, depth: u32| shift_rte(r, min + depth, delta);
    walk_query_mut(&mut Deep { depth: 0, f, rte: Some(rte) }, q)
}

/// Adds to the range-table indexes of Vars of this level. (PostgreSQL: `OffsetVarNodes`)
pub(crate) fn offset_query(q: &mut Query, offset: u32) -> Result<()> {
    deep_query(q, &mut |x, depth| {
        offset_node(x, depth, offset);
        Ok(true)
    })?;
    // The walk leaves join aliases out; they were flattened and stay for names only.
    for r in &mut q.rtable {
        if let RteKind::Join(j) = &mut r.kind {
            for e in &mut j.join_alias_vars {
                deep_expr(e, &mut |x, depth| {
                    offset_node(x, depth, offset);
                    Ok(true)
                })?;
            }
        }
    }
    q.jointree.fromlist.iter_mut().for_each(|n| offset_join_node(n, offset));
    for m in &mut q.row_marks {
        m.rti += offset;
    }
    Ok(())
}

fn offset_node(x: &mut Expr, depth: u32, offset: u32) {
    match x {
        Expr::Var(v) if v.varlevelsup == depth => {
            v.varno += offset;
            v.varnosyn += offset;
            v.varnullingrels.iter_mut().for_each(|n| *n += offset);
        }
        Expr::CurrentOfExpr(c) if depth == 0 => c.cvarno += offset,
        Expr::PlaceHolderVar(p) if p.phlevelsup == depth => {
            p.phrels.iter_mut().chain(&mut p.phnullingrels).for_each(|n| *n += offset);
        }
        _ => {}
    }
}

fn offset_join_node(n: &mut JoinTreeNode, offset: u32) {
    match n {
        JoinTreeNode::RangeTblRef(i) => *i += offset,
        JoinTreeNode::FromExpr(f) => f.fromlist.iter_mut().for_each(|x| offset_join_node(x, offset)),
        JoinTreeNode::JoinExpr(j) => {
            if j.rtindex != 0 {
                j.rtindex += offset;
            }
            offset_join_node(&mut j.larg, offset);
            offset_join_node(&mut j.rarg, offset);
        }
    }
}

/// Whether some reference leaves at least `min` levels (0: this one).
pub(crate) fn refers_up(q: &Query, min: u32) -> Result<bool> {
    let mut copy = q.clone();
    let mut found = false;
    let f = &mut |x: &mut Expr, depth: u32| {
        found = found || level_of(x).is_some_and(|l| l >= min + depth);
        Ok(!found)
    };
    let mut cte = false;
    let rte = &mut |r: &mut RangeTblEntry, depth: u32| {
        if let RteKind::Cte { levels_up, .. } = &r.kind {
            cte = cte || *levels_up >= min + depth;
        }
    };
    walk_query_mut(&mut Deep { depth: 0, f, rte: Some(rte) }, &mut copy)?;
    let _ = cte;
    Ok(found)
}

/// Whether an expression refers at least `min` levels up.
pub(crate) fn expr_refers_up(e: &Expr, min: u32) -> Result<bool> {
    let mut copy = e.clone();
    let mut found = false;
    deep_expr(&mut copy, &mut |x, depth| {
        found = found || level_of(x).is_some_and(|l| l >= min + depth);
        Ok(!found)
    })?;
    Ok(found)
}

/// Adds a subquery's range table and permission infos to an outer one; returns the offset of its indexes.
/// (PostgreSQL: `CombineRangeTables`)
pub(crate) fn combine_range_tables(
    rtable: &mut Vec<RangeTblEntry>,
    perminfos: &mut Vec<RtePermissionInfo>,
    add: Vec<RangeTblEntry>,
    add_infos: Vec<RtePermissionInfo>,
) {
    let base = perminfos.len() as u32;
    perminfos.extend(add_infos);
    for mut r in add {
        match &mut r.kind {
            RteKind::Relation { perminfoindex, .. } if *perminfoindex > 0 => *perminfoindex += base,
            RteKind::Subquery { view: Some(v), .. } if v.perminfoindex > 0 => v.perminfoindex += base,
            _ => {}
        }
        rtable.push(r);
    }
}
