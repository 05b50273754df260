//! Going through expressions and queries: read-only ([`Walker`]) and changing ([`MutWalker`]).
//!
//! A walker's `expr` is called for a node and calls [`walk_expr`] to go on below it; `query` is called for the subquery of a
//! SubLink, a FROM item or a CTE, and calls [`walk_query`] to go on. An `Err` ends the walk. Both check the stack's depth.
//!
//! PostgreSQL: `expression_tree_walker`, `query_tree_walker`, `expression_tree_mutator`.

use base::PgError;
use base::sqlstate::STATEMENT_TOO_COMPLEX;

use crate::query::*;

/// Bytes of stack that must be left for a recursive routine to go deeper.
const RED_ZONE: usize = 96 * 1024;

/// Fails with 54001 where the stack is nearly used up. (PostgreSQL: `check_stack_depth`)
pub fn check_depth() -> Result<(), PgError> {
    match stacker::remaining_stack() {
        Some(left) if left < RED_ZONE => Err(too_deep()),
        _ => Ok(()),
    }
}

#[cold]
fn too_deep() -> PgError {
    PgError::new(STATEMENT_TOO_COMPLEX, "stack depth limit exceeded").hint(
        "Increase the configuration parameter \"max_stack_depth\" (currently 2048kB), after ensuring the platform's stack depth limit is adequate.",
    )
}

macro_rules! children {
    ($e:expr, $iter:ident, $as:ident, $f:expr, $q:expr) => {{
        #[allow(unused_mut)]
        let mut f = $f;
        match $e {
            Expr::Var(_)
            | Expr::Const(_)
            | Expr::Param(_)
            | Expr::CaseTestExpr(_)
            | Expr::SQLValueFunction(_)
            | Expr::MergeSupportFunc(_)
            | Expr::CoerceToDomainValue(_)
            | Expr::SetToDefault(..)
            | Expr::CurrentOfExpr(_)
            | Expr::NextValueExpr { .. } => {}
            Expr::Aggref(a) => {
                for e in a.aggdirectargs.$iter() {
                    f(e)?;
                }
                for t in a.args.$iter() {
                    f(children!(@r $as t.expr))?;
                }
                if let Some(e) = a.aggfilter.$as() {
                    f(e)?;
                }
            }
            Expr::GroupingFunc(g) => {
                for e in g.args.$iter() {
                    f(e)?;
                }
            }
            Expr::WindowFunc(w) => {
                for e in w.args.$iter() {
                    f(e)?;
                }
                if let Some(e) = w.aggfilter.$as() {
                    f(e)?;
                }
            }
            Expr::SubscriptingRef(s) => {
                for e in s.refupperindexpr.$iter().chain(s.reflowerindexpr.$iter()) {
                    if let Some(e) = e {
                        f(e)?;
                    }
                }
                f(children!(@r $as s.refexpr))?;
                if let Some(e) = s.refassgnexpr.$as() {
                    f(e)?;
                }
            }
            Expr::FuncExpr(x) => {
                for e in x.args.$iter() {
                    f(e)?;
                }
            }
            Expr::NamedArgExpr(n) => f(children!(@r $as n.arg))?,
            Expr::OpExpr(o) | Expr::DistinctExpr(o) | Expr::NullIfExpr(o) => {
                for e in o.args.$iter() {
                    f(e)?;
                }
            }
            Expr::ScalarArrayOpExpr(o) => {
                for e in o.args.$iter() {
                    f(e)?;
                }
            }
            Expr::BoolExpr(b) => {
                for e in b.args.$iter() {
                    f(e)?;
                }
            }
            Expr::SubLink(s) => {
                if let Some(e) = s.testexpr.$as() {
                    f(e)?;
                }
                $q(children!(@b $as s.subselect))?;
            }
            Expr::FieldSelect(x) => f(children!(@r $as x.arg))?,
            Expr::FieldStore(x) => {
                f(children!(@r $as x.arg))?;
                for e in x.newvals.$iter() {
                    f(e)?;
                }
            }
            Expr::RelabelType(x) => f(children!(@r $as x.arg))?,
            Expr::CoerceViaIO(x) => f(children!(@r $as x.arg))?,
            Expr::ArrayCoerceExpr(x) => {
                f(children!(@r $as x.arg))?;
                f(children!(@r $as x.elemexpr))?;
            }
            Expr::ConvertRowtypeExpr(x) => f(children!(@r $as x.arg))?,
            Expr::CollateExpr(x) => f(children!(@r $as x.arg))?,
            Expr::CaseExpr(c) => {
                if let Some(e) = c.arg.$as() {
                    f(e)?;
                }
                for w in c.args.$iter() {
                    f(children!(@r $as w.expr))?;
                    f(children!(@r $as w.result))?;
                }
                f(children!(@r $as c.defresult))?;
            }
            Expr::ArrayExpr(a) => {
                for e in a.elements.$iter() {
                    f(e)?;
                }
            }
            Expr::RowExpr(r) => {
                for e in r.args.$iter() {
                    f(e)?;
                }
            }
            Expr::RowCompareExpr(r) => {
                for e in r.largs.$iter().chain(r.rargs.$iter()) {
                    f(e)?;
                }
            }
            Expr::CoalesceExpr(c) => {
                for e in c.args.$iter() {
                    f(e)?;
                }
            }
            Expr::MinMaxExpr(m) => {
                for e in m.args.$iter() {
                    f(e)?;
                }
            }
            Expr::XmlExpr(x) => {
                for e in x.named_args.$iter().chain(x.args.$iter()) {
                    f(e)?;
                }
            }
            Expr::JsonValueExpr(j) => {
                f(children!(@r $as j.raw_expr))?;
                f(children!(@r $as j.formatted_expr))?;
            }
            Expr::JsonConstructorExpr(j) => {
                for e in j.args.$iter() {
                    f(e)?;
                }
                if let Some(e) = j.func.$as() {
                    f(e)?;
                }
                if let Some(e) = j.coercion.$as() {
                    f(e)?;
                }
            }
            Expr::JsonIsPredicate(j) => f(children!(@r $as j.expr))?,
            Expr::JsonExpr(j) => {
                f(children!(@r $as j.formatted_expr))?;
                f(children!(@r $as j.path_spec))?;
                for e in j.passing_values.$iter() {
                    f(e)?;
                }
                if let Some(b) = j.on_empty.$as() {
                    if let Some(e) = b.expr.$as() {
                        f(e)?;
                    }
                }
                if let Some(b) = j.on_error.$as() {
                    if let Some(e) = b.expr.$as() {
                        f(e)?;
                    }
                }
            }
            Expr::NullTest(n) => f(children!(@r $as n.arg))?,
            Expr::BooleanTest(n) => f(children!(@r $as n.arg))?,
            Expr::CoerceToDomain(c) => f(children!(@r $as c.arg))?,
            Expr::InferenceElem(i) => f(children!(@r $as i.expr))?,
            Expr::SubPlan(s) => {
                if let Some(e) = s.testexpr.$as() {
                    f(e)?;
                }
                for e in s.args.$iter() {
                    f(e)?;
                }
            }
            Expr::PlaceHolderVar(p) => f(children!(@r $as p.phexpr))?,
        }
    }};
    (@r as_ref $p:expr) => { &$p };
    (@r as_mut $p:expr) => { &mut $p };
    (@b as_ref $p:expr) => { &*$p };
    (@b as_mut $p:expr) => { &mut *$p };
}

macro_rules! query_rest {
    ($w:expr, $q:expr, $iter:ident, $as:ident, $from:ident) => {{
        let (w, q) = ($w, $q);
        for a in q.merge_actions.$iter() {
            if let Some(e) = a.qual.$as() {
                w.expr(e)?;
            }
            for t in a.target_list.$iter() {
                w.expr(children!(@r $as t.expr))?;
            }
        }
        if let Some(e) = q.merge_join_condition.$as() {
            w.expr(e)?;
        }
        if let Some(oc) = q.on_conflict.$as() {
            for i in oc.arbiter_elems.$iter() {
                w.expr(children!(@r $as i.expr))?;
            }
            if let Some(e) = oc.arbiter_where.$as() {
                w.expr(e)?;
            }
            for t in oc.on_conflict_set.$iter() {
                w.expr(children!(@r $as t.expr))?;
            }
            if let Some(e) = oc.on_conflict_where.$as() {
                w.expr(e)?;
            }
            for t in oc.excl_rel_tlist.$iter() {
                w.expr(children!(@r $as t.expr))?;
            }
        }
        $from(w, children!(@r $as q.jointree))?;
        for e in [q.having_qual.$as(), q.limit_offset.$as(), q.limit_count.$as()].into_iter().flatten() {
            w.expr(e)?;
        }
        for c in q.window_clause.$iter() {
            for e in [c.start_offset.$as(), c.end_offset.$as()].into_iter().flatten() {
                w.expr(e)?;
            }
        }
        for c in q.cte_list.$iter() {
            w.query(children!(@b $as c.ctequery))?;
            if let Some(cy) = c.cycle_clause.$as() {
                w.expr(children!(@r $as cy.mark_value))?;
                w.expr(children!(@r $as cy.mark_default))?;
            }
        }
        for r in q.rtable.$iter() {
            w.rte(r)?;
        }
    }};
}

macro_rules! rte_children {
    ($w:expr, $r:expr, $iter:ident, $as:ident) => {{
        let (w, r) = ($w, $r);
        match children!(@r $as r.kind) {
            RteKind::Relation { table_sample, .. } => {
                if let Some(s) = table_sample {
                    for e in s.args.$iter() {
                        w.expr(e)?;
                    }
                    if let Some(e) = s.repeatable.$as() {
                        w.expr(e)?;
                    }
                }
            }
            RteKind::Subquery { subquery, .. } => w.query(subquery)?,
            RteKind::Join(j) => {
                if w.join_aliases() {
                    for e in j.join_alias_vars.$iter() {
                        w.expr(e)?;
                    }
                }
            }
            RteKind::Function { functions, .. } => {
                for f in functions.$iter() {
                    w.expr(children!(@r $as f.funcexpr))?;
                }
            }
            RteKind::TableFunc(t) => {
                for e in t.ns_uris.$iter().chain(t.passingvalexprs.$iter()) {
                    w.expr(e)?;
                }
                w.expr(children!(@r $as t.docexpr))?;
                if let Some(e) = t.rowexpr.$as() {
                    w.expr(e)?;
                }
                for e in t.colexprs.$iter().chain(t.coldefexprs.$iter()).chain(t.colvalexprs.$iter()) {
                    if let Some(e) = e {
                        w.expr(e)?;
                    }
                }
            }
            RteKind::Values { lists, .. } => {
                for e in lists.$iter().flatten() {
                    w.expr(e)?;
                }
            }
            RteKind::Group { exprs } => {
                for e in exprs.$iter() {
                    w.expr(e)?;
                }
            }
            RteKind::Cte { .. } | RteKind::NamedTuplestore { .. } | RteKind::Result => {}
        }
        for e in r.security_quals.$iter() {
            w.expr(e)?;
        }
    }};
}

/// A read-only walk; see the module's head.
pub trait Walker {
    type Break: From<PgError>;
    fn expr(&mut self, e: &Expr) -> Result<(), Self::Break>;
    fn query(&mut self, _: &Query) -> Result<(), Self::Break> {
        Ok(())
    }
    /// Whether [`walk_query`] goes into the alias variables of joins.
    fn join_aliases(&self) -> bool {
        true
    }
    fn rte(&mut self, r: &RangeTblEntry) -> Result<(), Self::Break>
    where
        Self: Sized,
    {
        walk_rte(self, r)
    }
}

/// A walk that may replace what it meets.
pub trait MutWalker {
    type Break: From<PgError>;
    fn expr(&mut self, e: &mut Expr) -> Result<(), Self::Break>;
    fn query(&mut self, _: &mut Query) -> Result<(), Self::Break> {
        Ok(())
    }
    /// Whether [`walk_query_mut`] goes into the alias variables of joins.
    fn join_aliases(&self) -> bool {
        true
    }
    fn rte(&mut self, r: &mut RangeTblEntry) -> Result<(), Self::Break>
    where
        Self: Sized,
    {
        walk_rte_mut(self, r)
    }
}

/// Visits what is directly below an expression.
pub fn walk_expr<W: Walker>(w: &mut W, e: &Expr) -> Result<(), W::Break> {
    check_depth()?;
    // Two closures cannot both borrow the walker: the subquery goes last, by itself.
    children!(e, iter, as_ref, |c: &Expr| w.expr(c), |_: &Query| Ok::<(), W::Break>(()));
    if let Expr::SubLink(s) = e {
        w.query(&s.subselect)?;
    }
    Ok(())
}

/// Visits what is directly below an expression.
pub fn walk_expr_mut<W: MutWalker>(w: &mut W, e: &mut Expr) -> Result<(), W::Break> {
    check_depth()?;
    children!(&mut *e, iter_mut, as_mut, |c: &mut Expr| w.expr(c), |_: &mut Query| Ok::<(), W::Break>(()));
    if let Expr::SubLink(s) = e {
        w.query(&mut s.subselect)?;
    }
    Ok(())
}

/// Visits all expressions and subqueries of a query.
pub fn walk_query<W: Walker>(w: &mut W, q: &Query) -> Result<(), W::Break> {
    check_depth()?;
    for t in q.target_list.iter().chain(&q.returning_list) {
        w.expr(&t.expr)?;
    }
    query_rest!(w, q, iter, as_ref, walk_from);
    Ok(())
}

/// Visits all expressions and subqueries of a query.
pub fn walk_query_mut<W: MutWalker>(w: &mut W, q: &mut Query) -> Result<(), W::Break> {
    check_depth()?;
    for t in q.target_list.iter_mut().chain(&mut q.returning_list) {
        w.expr(&mut t.expr)?;
    }
    query_rest!(w, q, iter_mut, as_mut, walk_from_mut);
    Ok(())
}

/// Visits the conditions of FROM and WHERE.
pub fn walk_from<W: Walker>(w: &mut W, f: &FromExpr) -> Result<(), W::Break> {
    for n in &f.fromlist {
        walk_join_tree(w, n)?;
    }
    f.quals.iter().try_for_each(|e| w.expr(e))
}

fn walk_join_tree<W: Walker>(w: &mut W, n: &JoinTreeNode) -> Result<(), W::Break> {
    check_depth()?;
    match n {
        JoinTreeNode::RangeTblRef(_) => Ok(()),
        JoinTreeNode::FromExpr(f) => walk_from(w, f),
        JoinTreeNode::JoinExpr(j) => {
            walk_join_tree(w, &j.larg)?;
            walk_join_tree(w, &j.rarg)?;
            j.quals.iter().try_for_each(|e| w.expr(e))
        }
    }
}

/// Visits the conditions of FROM and WHERE.
pub fn walk_from_mut<W: MutWalker>(w: &mut W, f: &mut FromExpr) -> Result<(), W::Break> {
    for n in &mut f.fromlist {
        walk_join_tree_mut(w, n)?;
    }
    f.quals.iter_mut().try_for_each(|e| w.expr(e))
}

fn walk_join_tree_mut<W: MutWalker>(w: &mut W, n: &mut JoinTreeNode) -> Result<(), W::Break> {
    check_depth()?;
    match n {
        JoinTreeNode::RangeTblRef(_) => Ok(()),
        JoinTreeNode::FromExpr(f) => walk_from_mut(w, f),
        JoinTreeNode::JoinExpr(j) => {
            walk_join_tree_mut(w, &mut j.larg)?;
            walk_join_tree_mut(w, &mut j.rarg)?;
            j.quals.iter_mut().try_for_each(|e| w.expr(e))
        }
    }
}

/// Visits what a range-table entry holds.
pub fn walk_rte<W: Walker>(w: &mut W, r: &RangeTblEntry) -> Result<(), W::Break> {
    rte_children!(w, r, iter, as_ref);
    Ok(())
}

/// Visits what a range-table entry holds.
pub fn walk_rte_mut<W: MutWalker>(w: &mut W, r: &mut RangeTblEntry) -> Result<(), W::Break> {
    rte_children!(w, r, iter_mut, as_mut);
    Ok(())
}

/// What a search returns: found, or an error.
pub enum Found {
    Yes,
    Error(PgError),
}

impl From<PgError> for Found {
    fn from(e: PgError) -> Found {
        Found::Error(e)
    }
}

struct Search<F: FnMut(&Expr) -> bool> {
    test: F,
    subqueries: bool,
}

impl<F: FnMut(&Expr) -> bool> Walker for Search<F> {
    type Break = Found;
    fn expr(&mut self, e: &Expr) -> Result<(), Found> {
        if (self.test)(e) { Err(Found::Yes) } else { walk_expr(self, e) }
    }
    fn query(&mut self, q: &Query) -> Result<(), Found> {
        if self.subqueries { walk_query(self, q) } else { Ok(()) }
    }
}

/// Whether some node of the expression, subqueries left out, passes the test.
pub fn any_expr(e: &Expr, test: impl FnMut(&Expr) -> bool) -> Result<bool, PgError> {
    found(Search { test, subqueries: false }.expr(e))
}

/// Whether some node of the expression or its subqueries passes the test.
pub fn any_expr_deep(e: &Expr, test: impl FnMut(&Expr) -> bool) -> Result<bool, PgError> {
    found(Search { test, subqueries: true }.expr(e))
}

/// Whether some node of the query or its subqueries passes the test.
pub fn any_query_expr(q: &Query, test: impl FnMut(&Expr) -> bool) -> Result<bool, PgError> {
    found(Search { test, subqueries: true }.query(q))
}

/// The result of a search.
pub fn found(r: Result<(), Found>) -> Result<bool, PgError> {
    match r {
        Ok(()) => Ok(false),
        Err(Found::Yes) => Ok(true),
        Err(Found::Error(e)) => Err(e),
    }
}

/// Whether it gives a set. (PostgreSQL: `expression_returns_set`)
pub fn returns_set(e: &Expr) -> Result<bool, PgError> {
    struct Srf;
    impl Walker for Srf {
        type Break = Found;
        fn expr(&mut self, e: &Expr) -> Result<(), Found> {
            match e {
                Expr::FuncExpr(f) if f.funcretset => Err(Found::Yes),
                Expr::OpExpr(o) if o.opretset => Err(Found::Yes),
                // A set cannot come out of these.
                Expr::Aggref(_) | Expr::GroupingFunc(_) | Expr::WindowFunc(_) => Ok(()),
                _ => walk_expr(self, e),
            }
        }
    }
    found(Srf.expr(e))
}
