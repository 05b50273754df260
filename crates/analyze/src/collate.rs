//! Collations: derived from the leaves up, explicit ones winning, conflicts kept until somebody needs to know.
//!
//! PostgreSQL: `parser/parse_collate.c`.

use base::error::Location;
use base::sqlstate::COLLATION_MISMATCH;
use base::{Oid, PgError, Result};
use types::oid::*;

use crate::lookup::Lookup;
use crate::query::*;
use crate::state::Analyzer;
use crate::walker::check_depth;

/// How firmly a collation is meant. (PostgreSQL: `CollateStrength`)
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Debug)]
enum Strength {
    #[default]
    None,
    Implicit,
    Conflict,
    Explicit,
}

#[derive(Clone, Copy, Default)]
struct State {
    collation: Oid,
    strength: Strength,
    location: Location,
    /// The other one of a conflict.
    other: Oid,
    other_location: Location,
}

struct Collator<'a> {
    catalog: &'a catalog::Catalog,
}

impl Collator<'_> {
    fn name(&self, oid: Oid) -> Result<String> {
        Ok(self.catalog.collation(oid)?.map_or_else(String::new, |c| c.collname.clone()))
    }

    fn merge(&self, cx: &mut State, new: State) -> Result<()> {
        if new.strength > cx.strength {
            *cx = new;
        } else if new.strength == cx.strength {
            match new.strength {
                Strength::Implicit if new.collation != cx.collation => {
                    // Any collation beats the default one.
                    if cx.collation == DEFAULT_COLLATION {
                        *cx = new;
                    } else if new.collation != DEFAULT_COLLATION {
                        cx.strength = Strength::Conflict;
                        (cx.other, cx.other_location) = (new.collation, new.location);
                    }
                }
                Strength::Explicit if new.collation != cx.collation => {
                    let m = format!(
                        "collation mismatch between explicit collations \"{}\" and \"{}\"",
                        self.name(cx.collation)?,
                        self.name(new.collation)?
                    );
                    return Err(PgError::new(COLLATION_MISMATCH, m).at(new.location));
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// An expression by itself.
    fn alone(&self, e: &mut Expr) -> Result<State> {
        let mut s = State::default();
        self.walk(e, &mut s)?;
        Ok(s)
    }

    fn walk_opt(&self, e: &mut Option<Expr>, cx: &mut State) -> Result<()> {
        e.as_mut().map_or(Ok(()), |e| self.walk(e, cx))
    }

    fn walk(&self, e: &mut Expr, cx: &mut State) -> Result<()> {
        check_depth()?;
        let mut inner = State::default();
        match &mut *e {
            Expr::CollateExpr(c) => {
                self.walk(&mut c.arg, &mut inner)?;
                let s = State {
                    collation: c.coll_oid,
                    strength: Strength::Explicit,
                    location: c.location,
                    ..State::default()
                };
                return self.merge(cx, s);
            }
            Expr::FieldSelect(f) => {
                self.walk(&mut f.arg, &mut inner)?;
                return self.leaf(e, cx);
            }
            Expr::RowExpr(r) => {
                for a in &mut r.args {
                    self.alone(a)?;
                }
                return Ok(());
            }
            Expr::RowCompareExpr(r) => {
                r.inputcollids.clear();
                for (l, rr) in r.largs.iter_mut().zip(&mut r.rargs) {
                    let mut s = State::default();
                    self.walk(l, &mut s)?;
                    self.walk(rr, &mut s)?;
                    let ok = s.strength != Strength::Conflict;
                    r.inputcollids.push(if ok { s.collation } else { Oid::INVALID });
                }
                return Ok(());
            }
            Expr::CoerceToDomain(d) => {
                self.walk(&mut d.arg, &mut inner)?;
                let t = self.catalog.type_collation(d.resulttype.oid)?;
                let s = if t.is_valid() && (t != DEFAULT_COLLATION || inner.strength == Strength::None) {
                    State { collation: t, strength: Strength::Implicit, location: e.location(), ..State::default() }
                } else if t.is_valid() {
                    inner
                } else {
                    State { location: e.location(), ..State::default() }
                };
                e.set_collation(if s.strength == Strength::Conflict { Oid::INVALID } else { s.collation });
                return self.merge(cx, s);
            }
            Expr::Var(_)
            | Expr::Const(_)
            | Expr::Param(_)
            | Expr::CoerceToDomainValue(_)
            | Expr::CaseTestExpr(_)
            | Expr::SetToDefault(..)
            | Expr::CurrentOfExpr(_)
            | Expr::SQLValueFunction(_)
            | Expr::NextValueExpr { .. }
            | Expr::MergeSupportFunc(_)
            | Expr::GroupingFunc(_) => return self.leaf(e, cx),
            Expr::SubLink(s) => {
                self.walk_opt(&mut s.testexpr, &mut inner)?;
                // The subquery was done by itself; what it gives is its column's collation.
                return self.leaf(e, cx);
            }
            Expr::Aggref(a) => self.aggregate(a, &mut inner)?,
            Expr::WindowFunc(w) => {
                for a in &mut w.args {
                    self.walk(a, &mut inner)?;
                }
                if let Some(f) = &mut w.aggfilter {
                    self.alone(f)?;
                }
            }
            Expr::CaseExpr(c) => {
                if let Some(a) = &mut c.arg {
                    self.alone(a)?;
                }
                for w in &mut c.args {
                    self.alone(&mut w.expr)?;
                    self.walk(&mut w.result, &mut inner)?;
                }
                self.walk(&mut c.defresult, &mut inner)?;
            }
            Expr::SubscriptingRef(s) => {
                for i in s.refupperindexpr.iter_mut().chain(&mut s.reflowerindexpr).flatten() {
                    self.alone(i)?;
                }
                self.walk(&mut s.refexpr, &mut inner)?;
                self.walk_opt(&mut s.refassgnexpr, &mut inner)?;
            }
            Expr::JsonExpr(j) => {
                self.walk(&mut j.formatted_expr, &mut inner)?;
                self.alone(&mut j.path_spec)?;
                for v in &mut j.passing_values {
                    self.alone(v)?;
                }
                for b in [&mut j.on_empty, &mut j.on_error].into_iter().flatten() {
                    if let Some(x) = &mut b.expr {
                        self.alone(x)?;
                    }
                }
            }
            Expr::ArrayCoerceExpr(a) => {
                self.walk(&mut a.arg, &mut inner)?;
                // The element conversion sees its input's collation.
                if let Some(t) = case_test(&mut a.elemexpr) {
                    t.collation = if inner.strength == Strength::Conflict { Oid::INVALID } else { inner.collation };
                }
                let mut s = State::default();
                self.walk(&mut a.elemexpr, &mut s)?;
            }
            other => other.try_children_mut(&mut |c| self.walk(c, &mut inner))?,
        }
        let t = self.catalog.type_collation(e.type_oid())?;
        let s = if t.is_valid() {
            if inner.strength > Strength::None {
                inner
            } else {
                State { collation: t, strength: Strength::Implicit, location: e.location(), ..State::default() }
            }
        } else {
            State { location: e.location(), ..State::default() }
        };
        e.set_collation(if s.strength == Strength::Conflict { Oid::INVALID } else { s.collation });
        let input = if inner.strength == Strength::Conflict { Oid::INVALID } else { inner.collation };
        e.set_input_collation(input);
        self.merge(cx, s)
    }

    fn leaf(&self, e: &Expr, cx: &mut State) -> Result<()> {
        let collation = e.collation();
        if !collation.is_valid() {
            return Ok(());
        }
        let s = State { collation, strength: Strength::Implicit, location: e.location(), ..State::default() };
        self.merge(cx, s)
    }

    fn aggregate(&self, a: &mut Aggref, inner: &mut State) -> Result<()> {
        let plain = a.aggkind == b'n';
        for d in &mut a.aggdirectargs {
            self.walk(d, inner)?;
        }
        // Of an ordered-set aggregate with several ordering columns each is by itself.
        let single = a.args.len() == 1;
        for t in &mut a.args {
            if t.resjunk || !(plain || single) {
                self.alone(&mut t.expr)?;
            } else {
                self.walk(&mut t.expr, inner)?;
            }
        }
        if let Some(f) = &mut a.aggfilter {
            self.alone(f)?;
        }
        Ok(())
    }
}

/// The placeholder at the bottom of an element conversion.
fn case_test(e: &mut Expr) -> Option<&mut TypeMod> {
    match e {
        Expr::CaseTestExpr(t) => Some(t),
        Expr::FuncExpr(f) => f.args.first_mut().and_then(case_test),
        Expr::RelabelType(r) => case_test(&mut r.arg),
        Expr::CoerceViaIO(c) => case_test(&mut c.arg),
        Expr::CoerceToDomain(c) => case_test(&mut c.arg),
        Expr::ArrayCoerceExpr(a) => case_test(&mut a.arg),
        Expr::ConvertRowtypeExpr(c) => case_test(&mut c.arg),
        _ => None,
    }
}

impl Analyzer<'_, '_> {
    /// (PostgreSQL: `assign_expr_collations`)
    pub(crate) fn assign_collations(&mut self, e: &mut Expr) -> Result<()> {
        Collator { catalog: self.cat() }.alone(e).map(|_| ())
    }

    /// (PostgreSQL: `select_common_collation`)
    pub(crate) fn common_collation(&mut self, exprs: &mut [Expr], none_ok: bool) -> Result<Oid> {
        let c = Collator { catalog: self.cat() };
        let mut s = State::default();
        for e in exprs {
            c.walk(e, &mut s)?;
        }
        if s.strength == Strength::Conflict {
            if none_ok {
                return Ok(Oid::INVALID);
            }
            let m = format!(
                "collation mismatch between implicit collations \"{}\" and \"{}\"",
                c.name(s.collation)?,
                c.name(s.other)?
            );
            return Err(PgError::new(COLLATION_MISMATCH, m)
                .hint("You can choose the collation by applying the COLLATE clause to one or both expressions.")
                .at(s.other_location));
        }
        Ok(s.collation)
    }

    /// All expressions of a finished query level. (PostgreSQL: `assign_query_collations`)
    pub(crate) fn assign_query_collations(&mut self, q: &mut Query) -> Result<()> {
        let c = Collator { catalog: self.cat() };
        for t in q.target_list.iter_mut().chain(&mut q.returning_list) {
            let s = c.alone(&mut t.expr)?;
            // A column to sort or group by must know its collation.
            if t.ressortgroupref != 0 && s.strength == Strength::Conflict {
                let m = format!(
                    "collation mismatch between implicit collations \"{}\" and \"{}\"",
                    c.name(s.collation)?,
                    c.name(s.other)?
                );
                return Err(PgError::new(COLLATION_MISMATCH, m)
                    .hint("You can choose the collation by applying the COLLATE clause to one or both expressions.")
                    .at(s.other_location));
            }
        }
        // What is in the range table was done when it was made.
        let tables = std::mem::take(&mut q.rtable);
        let targets = std::mem::take(&mut q.target_list);
        let returning = std::mem::take(&mut q.returning_list);
        let r = q.try_for_each_expr_mut(&mut |e| c.alone(e).map(|_| ()));
        (q.rtable, q.target_list, q.returning_list) = (tables, targets, returning);
        r
    }
}
