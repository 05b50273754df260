//! Constants of a statement become parameters, so that texts that differ only in them can share a plan.
//!
//! A constant is known by its place in the text: an analyzed [`Const`] that stands where one was written came from it. What
//! the analyzer compared with something else (ORDER BY and GROUP BY find their columns by equality), took for a number of
//! rows or columns, or used up, keeps its value: the caller must then ask for the same text there.

use base::{PgError, Result};

use crate::query::*;
use crate::walker::{MutWalker, any_query_expr, walk_expr_mut, walk_from_mut};

/// A parameter and the constant it stands for: the parameter's number is its place in the list, from 1.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct LiftedConstant {
    /// Into the list of places.
    pub constant: usize,
    pub ty: TypeMod,
    /// The text has a minus before it that belongs to the value.
    pub negated: bool,
}

/// Replaces constants of a query, not rewritten yet, by `$1`, `$2`, ...: those that stand at one of the `places` (byte
/// offsets of a constant, and of a sign right before it) and that `accept` takes, as which its callers can make the same
/// value from the text. Gives back what was replaced; nothing for queries of a kind where a constant's value means more
/// than itself (grouping, DISTINCT, windows, set operations, MERGE). After an error the query is of no use.
pub fn lift_constants(
    query: &mut Query,
    places: &[(usize, Option<usize>)],
    accept: &mut dyn FnMut(LiftedConstant, &Const) -> bool,
) -> Result<Vec<LiftedConstant>> {
    let compares = query.command_type == CmdType::Merge
        || query.command_type == CmdType::Utility
        || query.set_operations.is_some()
        || query.having_qual.is_some()
        || !(query.group_clause.is_empty() && query.grouping_sets.is_empty() && query.distinct_clause.is_empty())
        || !(query.window_clause.is_empty() && query.merge_actions.is_empty());
    if compares {
        return Ok(Vec::new());
    }
    let mut lift = Lift { places, accept, found: Vec::new() };
    // A column that ORDER BY refers to was found by comparing expressions.
    for t in query.target_list.iter_mut().chain(&mut query.returning_list).filter(|t| t.ressortgroupref == 0) {
        lift.expr(&mut t.expr)?;
    }
    walk_from_mut(&mut lift, &mut query.jointree)?;
    if query.command_type == CmdType::Insert {
        for rte in &mut query.rtable {
            if let RteKind::Values { lists, .. } = &mut rte.kind {
                lists.iter_mut().flatten().try_for_each(|e| lift.expr(e))?;
            }
        }
    }
    if let Some(c) = &mut query.on_conflict {
        c.on_conflict_set.iter_mut().try_for_each(|t| lift.expr(&mut t.expr))?;
        c.on_conflict_where.iter_mut().try_for_each(|e| lift.expr(e))?;
    }
    let found = lift.found;
    // What the analyzer copied may have been lifted in one place only: then the constant has to stay in all.
    let is_lifted = |c: &Const| {
        usize::try_from(c.location.0)
            .is_ok_and(|at| found.iter().map(|l| places[l.constant]).any(|(p, sign)| p == at || sign == Some(at)))
    };
    match any_query_expr(query, |e| matches!(e, Expr::Const(c) if is_lifted(c)))? {
        true => Err(PgError::internal("a constant was lifted in part")),
        false => Ok(found),
    }
}

struct Lift<'a> {
    places: &'a [(usize, Option<usize>)],
    accept: &'a mut dyn FnMut(LiftedConstant, &Const) -> bool,
    found: Vec<LiftedConstant>,
}

impl MutWalker for Lift<'_> {
    type Break = PgError;
    fn expr(&mut self, e: &mut Expr) -> Result<()> {
        match e {
            Expr::Const(c) => {
                let Ok(at) = usize::try_from(c.location.0) else { return Ok(()) };
                let Some(constant) = self.places.iter().position(|&(p, sign)| p == at || sign == Some(at)) else {
                    return Ok(());
                };
                let lifted = LiftedConstant { constant, ty: c.ty, negated: self.places[constant].0 != at };
                let known = self.found.iter().position(|l| l.constant == constant);
                let id = match known {
                    Some(at) if self.found[at] == lifted => at,
                    Some(_) => return Ok(()),
                    None if (self.accept)(lifted, c) => {
                        self.found.push(lifted);
                        self.found.len() - 1
                    }
                    None => return Ok(()),
                };
                let id = i32::try_from(id + 1).unwrap_or(i32::MAX);
                *e = Expr::Param(Param { kind: ParamKind::Extern, id, ty: c.ty, location: c.location });
                Ok(())
            }
            // Their arguments and their order were compared.
            Expr::Aggref(a) if !a.aggorder.is_empty() || !a.aggdistinct.is_empty() => Ok(()),
            Expr::SubLink(_) => Ok(()),
            e => walk_expr_mut(self, e),
        }
    }
}
