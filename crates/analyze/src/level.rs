//! Query levels inside expressions: which level a variable or aggregate belongs to, and equality of expressions.
//!
//! PostgreSQL: `optimizer/util/var.c`, `rewrite/rewriteManip.c` (`locate_agg_of_level`, `IncrementVarSublevelsUp`), `equalfuncs.c`.

use base::error::Location;
use base::{PgError, Result};

use crate::query::*;
use crate::walker::*;

/// What is found at which level, counted from the expression's own query; the lowest.
#[derive(Default)]
pub(crate) struct Levels {
    depth: u32,
    pub var: Option<(u32, Location)>,
    pub agg: Option<(u32, Location)>,
}

fn lower(slot: &mut Option<(u32, Location)>, level: u32, l: Location) {
    if slot.is_none_or(|s| level < s.0) {
        *slot = Some((level, l));
    }
}

impl Walker for Levels {
    type Break = PgError;
    fn expr(&mut self, e: &Expr) -> Result<()> {
        match e {
            Expr::Var(v) => {
                if let Some(l) = v.varlevelsup.checked_sub(self.depth) {
                    lower(&mut self.var, l, v.location);
                }
            }
            Expr::Aggref(a) => {
                if let Some(l) = a.agglevelsup.checked_sub(self.depth) {
                    lower(&mut self.agg, l, a.location);
                }
            }
            Expr::GroupingFunc(g) => {
                if let Some(l) = g.agglevelsup.checked_sub(self.depth) {
                    lower(&mut self.agg, l, g.location);
                }
            }
            _ => {}
        }
        walk_expr(self, e)
    }
    fn query(&mut self, q: &Query) -> Result<()> {
        self.depth += 1;
        let r = walk_query(self, q);
        self.depth -= 1;
        r
    }
}

pub(crate) fn levels<'a>(exprs: impl IntoIterator<Item = &'a Expr>) -> Result<Levels> {
    let mut w = Levels::default();
    for e in exprs {
        w.expr(e)?;
    }
    Ok(w)
}

/// The lowest level of any variable, and its place.
pub(crate) fn min_var_level(e: &Expr) -> Result<Option<(u32, Location)>> {
    Ok(levels([e])?.var)
}

struct Locate<F: FnMut(&Expr, u32) -> Option<Location>> {
    depth: u32,
    test: F,
    at: Option<Location>,
}

impl<F: FnMut(&Expr, u32) -> Option<Location>> Walker for Locate<F> {
    type Break = Found;
    fn expr(&mut self, e: &Expr) -> Result<(), Found> {
        if let Some(l) = (self.test)(e, self.depth) {
            self.at = Some(l);
            return Err(Found::Yes);
        }
        walk_expr(self, e)
    }
    fn query(&mut self, q: &Query) -> Result<(), Found> {
        self.depth += 1;
        let r = walk_query(self, q);
        self.depth -= 1;
        r
    }
}

/// The place of the first node that the test, given the depth, accepts.
pub(crate) fn locate(e: &Expr, test: impl FnMut(&Expr, u32) -> Option<Location>) -> Result<Option<Location>> {
    let mut w = Locate { depth: 0, test, at: None };
    found(w.expr(e))?;
    Ok(w.at)
}

/// The place of an aggregate of this level. (PostgreSQL: `contain_aggs_of_level`, `locate_agg_of_level`)
pub(crate) fn locate_agg(e: &Expr, level: u32) -> Result<Option<Location>> {
    locate(e, |e, depth| match e {
        Expr::Aggref(a) if a.agglevelsup == level + depth => Some(a.location),
        Expr::GroupingFunc(g) if g.agglevelsup == level + depth => Some(g.location),
        _ => None,
    })
}

/// The place of a variable of this level. (PostgreSQL: `locate_var_of_level`)
pub(crate) fn locate_var(e: &Expr, level: u32) -> Result<Option<Location>> {
    locate(e, |e, depth| match e {
        Expr::Var(v) if v.varlevelsup == level + depth => Some(v.location),
        _ => None,
    })
}

/// The place of a window function of the expression's own level. (PostgreSQL: `locate_windowfunc`)
pub(crate) fn locate_window(e: &Expr) -> Result<Option<Location>> {
    locate(e, |e, depth| match e {
        Expr::WindowFunc(w) if depth == 0 => Some(w.location),
        _ => None,
    })
}

struct Shift {
    delta: i64,
    min: u32,
}

impl MutWalker for Shift {
    type Break = PgError;
    fn expr(&mut self, e: &mut Expr) -> Result<()> {
        let bump = |l: &mut u32| {
            if *l >= self.min {
                *l = (i64::from(*l) + self.delta).max(0) as u32;
            }
        };
        match e {
            Expr::Var(v) => bump(&mut v.varlevelsup),
            Expr::Aggref(a) => bump(&mut a.agglevelsup),
            Expr::GroupingFunc(g) => bump(&mut g.agglevelsup),
            Expr::PlaceHolderVar(p) => bump(&mut p.phlevelsup),
            _ => {}
        }
        walk_expr_mut(self, e)
    }
    fn query(&mut self, q: &mut Query) -> Result<()> {
        self.min += 1;
        let r = walk_query_mut(self, q);
        self.min -= 1;
        r
    }
    fn rte(&mut self, r: &mut RangeTblEntry) -> Result<()> {
        // At depth d the CTEs of the outer query are those at least d levels up.
        if let RteKind::Cte { levels_up, .. } = &mut r.kind
            && *levels_up >= self.min
        {
            *levels_up = (i64::from(*levels_up) + self.delta).max(0) as u32;
        }
        walk_rte_mut(self, r)
    }
}

/// Moves references to levels from `min` on by `delta` levels. (PostgreSQL: `IncrementVarSublevelsUp`)
pub fn increment_levels(e: &mut Expr, delta: i64, min: u32) -> Result<()> {
    Shift { delta, min }.expr(e)
}

/// As [`increment_levels`], of a query whose own level is 0.
pub fn increment_query_levels(q: &mut Query, delta: i64, min: u32) -> Result<()> {
    walk_query_mut(&mut Shift { delta, min }, q)
}

struct Normalize;

impl MutWalker for Normalize {
    type Break = PgError;
    fn expr(&mut self, e: &mut Expr) -> Result<()> {
        const NO: Location = Location::UNKNOWN;
        const PLAIN: CoercionForm = CoercionForm::ExplicitCall;
        match e {
            Expr::Var(v) => (v.location, v.varnosyn, v.varattnosyn) = (NO, 0, 0),
            Expr::Const(c) => c.location = NO,
            Expr::Param(p) => p.location = NO,
            Expr::Aggref(a) => a.location = NO,
            Expr::GroupingFunc(g) => {
                g.location = NO;
                g.refs.clear();
            }
            Expr::WindowFunc(w) => w.location = NO,
            Expr::FuncExpr(f) => (f.location, f.funcformat) = (NO, PLAIN),
            Expr::NamedArgExpr(n) => n.location = NO,
            Expr::OpExpr(o) | Expr::DistinctExpr(o) | Expr::NullIfExpr(o) => o.location = NO,
            Expr::ScalarArrayOpExpr(o) => o.location = NO,
            Expr::BoolExpr(b) => b.location = NO,
            Expr::SubLink(s) => s.location = NO,
            Expr::RelabelType(r) => (r.location, r.relabelformat) = (NO, PLAIN),
            Expr::CoerceViaIO(c) => (c.location, c.coerceformat) = (NO, PLAIN),
            Expr::ArrayCoerceExpr(a) => (a.location, a.coerceformat) = (NO, PLAIN),
            Expr::ConvertRowtypeExpr(c) => (c.location, c.convertformat) = (NO, PLAIN),
            Expr::CollateExpr(c) => c.location = NO,
            Expr::CaseExpr(c) => {
                c.location = NO;
                c.args.iter_mut().for_each(|w| w.location = NO);
            }
            Expr::ArrayExpr(a) => a.location = NO,
            Expr::RowExpr(r) => (r.location, r.row_format) = (NO, PLAIN),
            Expr::CoalesceExpr(c) => c.location = NO,
            Expr::MinMaxExpr(m) => m.location = NO,
            Expr::SQLValueFunction(s) => s.location = NO,
            Expr::XmlExpr(x) => x.location = NO,
            Expr::JsonConstructorExpr(j) => j.location = NO,
            Expr::JsonIsPredicate(j) => j.location = NO,
            Expr::JsonExpr(j) => j.location = NO,
            Expr::NullTest(n) => n.location = NO,
            Expr::BooleanTest(b) => b.location = NO,
            Expr::CoerceToDomain(c) => (c.location, c.coercionformat) = (NO, PLAIN),
            Expr::SetToDefault(_, l) => *l = NO,
            _ => {}
        }
        walk_expr_mut(self, e)
    }
    fn query(&mut self, q: &mut Query) -> Result<()> {
        (q.stmt_location, q.stmt_len) = (Location::UNKNOWN, 0);
        walk_query_mut(self, q)
    }
}

/// The expression without what equality passes over: places, and how casts are shown.
pub(crate) fn normalized(e: &Expr) -> Result<Expr> {
    let mut e = e.clone();
    Normalize.expr(&mut e)?;
    Ok(e)
}

/// Whether two expressions mean the same node for node. (PostgreSQL: `equal`)
pub fn equal(a: &Expr, b: &Expr) -> Result<bool> {
    // Most differ at once.
    if std::mem::discriminant(a) != std::mem::discriminant(b) {
        return Ok(false);
    }
    Ok(normalized(a)? == normalized(b)?)
}
