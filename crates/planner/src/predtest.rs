//! What conditions tell of others: whether one being true makes another one true, or keeps it from being true. Partial indexes,
//! check constraints and partition bounds are weighed against a query's conditions with it.
//!
//! "True" only: a condition that is null counts as not fulfilled on either side. Conditions come folded, without places.
//!
//! PostgreSQL: `predtest.c`.

use analyze::query::*;
use base::{Oid, Result};
use types::Datum;

use crate::node::Planner;
use crate::util::*;

const BTREE: Oid = Oid(403);
const LT: usize = 1;
const LE: usize = 2;
const EQ: usize = 3;
const GE: usize = 4;
const GT: usize = 5;
const NE: usize = 6;

/// `x CLAUSE c` implies `x PRED p` where `p TEST c` holds; 0: never. By clause and predicate operator.
#[rustfmt::skip]
const IMPLIES: [[usize; 6]; 6] = [
    [GE, GE, 0, 0, 0, GE],
    [GT, GE, 0, 0, 0, GT],
    [GT, GE, EQ, LE, LT, NE],
    [0, 0, 0, LE, LT, LT],
    [0, 0, 0, LE, LE, LE],
    [0, 0, 0, 0, 0, EQ],
];
/// The same for "excludes".
#[rustfmt::skip]
const REFUTES: [[usize; 6]; 6] = [
    [0, 0, GE, GE, GE, 0],
    [0, 0, GT, GT, GE, 0],
    [LE, LT, NE, GT, GE, EQ],
    [LE, LT, LT, 0, 0, 0],
    [LE, LE, LE, 0, 0, 0],
    [0, 0, EQ, 0, 0, 0],
];
/// What an operator says of the same two operands: whether the first index's implies, or excludes, the second one's.
const SAME_IMPLIES: [[bool; 6]; 6] = [
    [true, true, false, false, false, true],
    [false, true, false, false, false, false],
    [false, true, true, true, false, false],
    [false, false, false, true, false, false],
    [false, false, false, true, true, true],
    [false, false, false, false, false, true],
];
const SAME_REFUTES: [[bool; 6]; 6] = [
    [false, false, true, true, true, false],
    [false, false, false, false, true, false],
    [true, false, false, false, true, true],
    [true, false, false, false, false, false],
    [true, true, true, false, false, false],
    [false, false, true, false, false, false],
];

/// Arrays longer than this are not taken apart. (PostgreSQL: `MAX_SAOP_ARRAY_SIZE`)
const MAX_ARRAY: usize = 100;

enum Shape {
    And(Vec<Expr>),
    Or(Vec<Expr>),
    Atom,
}

impl Planner<'_, '_> {
    /// Whether all of `wanted` hold wherever all of `known` do. (PostgreSQL: `predicate_implied_by`)
    pub(crate) fn implied_by<'e>(
        &mut self,
        known: impl IntoIterator<Item = &'e Expr>,
        wanted: impl IntoIterator<Item = &'e Expr>,
    ) -> Result<bool> {
        let known: Vec<Expr> = known.into_iter().map(bare).collect();
        for w in wanted {
            let w = bare(w);
            let mut ok = false;
            for k in &known {
                ok = ok || self.implies(k, &w)?;
            }
            if !ok && known.len() > 1 {
                // An OR may need several conditions together.
                if let Some(all) = Expr::and_all(known.clone()) {
                    ok = self.implies(&all, &w)?;
                }
            }
            if !ok {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Whether the conditions of `wanted` cannot all be true where those of `known` are. (PostgreSQL: `predicate_refuted_by`)
    pub(crate) fn excluded_by<'e>(
        &mut self,
        known: impl IntoIterator<Item = &'e Expr>,
        wanted: impl IntoIterator<Item = &'e Expr>,
    ) -> Result<bool> {
        let all = |list: Vec<Expr>| Expr::and_all(list);
        let known = all(known.into_iter().map(bare).collect());
        let wanted = all(wanted.into_iter().map(bare).collect());
        match (known, wanted) {
            (Some(k), Some(w)) => self.excludes(&k, &w),
            _ => Ok(false),
        }
    }

    fn excludes(&mut self, clause: &Expr, pred: &Expr) -> Result<bool> {
        analyze::walker::check_depth()?;
        match (self.shape(clause)?, self.shape(pred)?) {
            (Shape::And(c), Shape::And(p)) => {
                Ok(self.any(&p, |me, x| me.excludes(clause, x))? || self.any(&c, |me, x| me.excludes(x, pred))?)
            }
            (_, Shape::Or(p)) => self.all(&p, |me, x| me.excludes(clause, x)),
            (Shape::Or(c), Shape::And(p)) => self.all(&c, |me, x| me.any(&p, |me, y| me.excludes(x, y))),
            (Shape::Or(c), Shape::Atom) => {
                if let Some(x) = negated(pred)
                    && self.implies(clause, x)?
                {
                    return Ok(true);
                }
                self.all(&c, |me, x| me.excludes(x, pred))
            }
            (Shape::And(c), Shape::Atom) => {
                if let Some(x) = negated(pred)
                    && self.implies(clause, x)?
                {
                    return Ok(true);
                }
                self.any(&c, |me, x| me.excludes(x, pred))
            }
            (Shape::Atom, _) if negated(clause).is_some() => match negated(clause) {
                Some(x) => self.implies(pred, x),
                None => Ok(false),
            },
            (Shape::Atom, Shape::And(p)) => self.any(&p, |me, x| me.excludes(clause, x)),
            (Shape::Atom, Shape::Atom) => {
                if let Some(x) = negated(pred)
                    && self.implies(clause, x)?
                {
                    return Ok(true);
                }
                self.excludes_simply(clause, pred)
            }
        }
    }

    fn excludes_simply(&mut self, clause: &Expr, pred: &Expr) -> Result<bool> {
        for (test, other) in [(pred, clause), (clause, pred)] {
            if let Expr::NullTest(n) = test
                && !n.not
                && !n.argisrow
                && self.strict_for(other, &n.arg)?
            {
                return Ok(true);
            }
        }
        self.operator_proof(clause, pred, true)
    }

    fn shape(&mut self, e: &Expr) -> Result<Shape> {
        Ok(match e {
            Expr::BoolExpr(b) if b.boolop == BoolExprType::And => Shape::And(b.args.clone()),
            Expr::BoolExpr(b) if b.boolop == BoolExprType::Or => Shape::Or(b.args.clone()),
            Expr::ScalarArrayOpExpr(s) => {
                let elements: Vec<Expr> = match &s.args[1] {
                    Expr::Const(c) if !c.value.is_null() => {
                        let Some(elem) = self.cx.catalog.element_type(c.ty.oid)? else { return Ok(Shape::Atom) };
                        let ty = self.elem_type(elem)?;
                        let row = self.cx.catalog.type_row(elem)?;
                        let values = crate::fold::array_values(&c.value, &ty)?;
                        if values.len() > MAX_ARRAY {
                            return Ok(Shape::Atom);
                        }
                        let of = TypeMod { oid: elem, typmod: -1, collation: c.ty.collation };
                        let one = |value: Datum| {
                            let (len, byval) = (row.typlen, row.typbyval);
                            Expr::Const(Const { ty: of, len, byval, value, location: base::error::Location::UNKNOWN })
                        };
                        values.into_iter().map(one).collect()
                    }
                    Expr::ArrayExpr(a) if !a.multidims && a.elements.len() <= MAX_ARRAY => a.elements.clone(),
                    _ => return Ok(Shape::Atom),
                };
                let mut arms = Vec::new();
                for x in elements {
                    arms.push(make_op(&self.cx.catalog, s.opno, s.args[0].clone(), x, s.inputcollid)?);
                }
                match (arms.is_empty(), s.use_or) {
                    (true, _) => Shape::Atom,
                    (_, true) => Shape::Or(arms),
                    (_, false) => Shape::And(arms),
                }
            }
            _ => Shape::Atom,
        })
    }

    fn any(&mut self, list: &[Expr], mut f: impl FnMut(&mut Self, &Expr) -> Result<bool>) -> Result<bool> {
        for x in list {
            if f(self, x)? {
                return Ok(true);
            }
        }
        Ok(false)
    }
    fn all(&mut self, list: &[Expr], mut f: impl FnMut(&mut Self, &Expr) -> Result<bool>) -> Result<bool> {
        for x in list {
            if !f(self, x)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn implies(&mut self, clause: &Expr, pred: &Expr) -> Result<bool> {
        analyze::walker::check_depth()?;
        if clause == pred {
            return Ok(true);
        }
        match (self.shape(clause)?, self.shape(pred)?) {
            (_, Shape::And(p)) => self.all(&p, |me, x| me.implies(clause, x)),
            (Shape::And(c), Shape::Or(p)) => {
                Ok(self.any(&p, |me, x| me.implies(clause, x))? || self.any(&c, |me, x| me.implies(x, pred))?)
            }
            (Shape::And(c), Shape::Atom) => self.any(&c, |me, x| me.implies(x, pred)),
            (Shape::Or(c), Shape::Or(p)) => self.all(&c, |me, x| me.any(&p, |me, y| me.implies(x, y))),
            (Shape::Or(c), Shape::Atom) => self.all(&c, |me, x| me.implies(x, pred)),
            (Shape::Atom, Shape::Or(p)) => self.any(&p, |me, x| me.implies(clause, x)),
            (Shape::Atom, Shape::Atom) => self.implies_simply(clause, pred),
        }
    }

    fn implies_simply(&mut self, clause: &Expr, pred: &Expr) -> Result<bool> {
        if let Expr::NullTest(n) = pred
            && n.not
            && !n.argisrow
            && self.strict_for(clause, &n.arg)?
        {
            return Ok(true);
        }
        match (clause, pred) {
            (Expr::BooleanTest(b), p) if b.booltesttype == BoolTestType::IsTrue && b.arg == *p => return Ok(true),
            (c, Expr::BooleanTest(b)) => {
                let same = *c == b.arg;
                let negated = matches!(c, Expr::BoolExpr(n) if n.boolop == BoolExprType::Not && n.args[0] == b.arg);
                match b.booltesttype {
                    BoolTestType::IsTrue | BoolTestType::IsNotFalse if same => return Ok(true),
                    BoolTestType::IsFalse | BoolTestType::IsNotTrue if negated => return Ok(true),
                    BoolTestType::IsNotUnknown if self.strict_for(c, &b.arg)? => return Ok(true),
                    _ => {}
                }
            }
            _ => {}
        }
        self.operator_proof(clause, pred, false)
    }

    /// Whether the condition cannot be true where `x` is null. (PostgreSQL: `clause_is_strict_for`)
    fn strict_for(&mut self, clause: &Expr, x: &Expr) -> Result<bool> {
        if strip_relabel(clause) == strip_relabel(x) {
            return Ok(true);
        }
        let args = |me: &mut Self, args: &[Expr]| -> Result<bool> {
            for a in args {
                if me.strict_for(a, x)? {
                    return Ok(true);
                }
            }
            Ok(false)
        };
        match clause {
            Expr::OpExpr(o) => Ok(op_strict(&self.cx.catalog, o.opno)? && args(self, &o.args)?),
            Expr::FuncExpr(f) => Ok(is_strict(&self.cx.catalog, f.funcid)? && args(self, &f.args)?),
            Expr::CoerceViaIO(c) => self.strict_for(&c.arg, x),
            Expr::ArrayCoerceExpr(c) => self.strict_for(&c.arg, x),
            Expr::ScalarArrayOpExpr(s) if s.use_or => {
                Ok(op_strict(&self.cx.catalog, s.opno)? && self.strict_for(&s.args[0], x)?)
            }
            Expr::NullTest(n) => Ok(n.not && !n.argisrow && strip_relabel(&n.arg) == strip_relabel(x)),
            Expr::BoolExpr(b) if b.boolop == BoolExprType::Not => self.strict_for(&b.args[0], x),
            _ => Ok(false),
        }
    }

    /// Two comparisons of the same thing. (PostgreSQL: `operator_predicate_proof`)
    fn operator_proof(&mut self, clause: &Expr, pred: &Expr, refute: bool) -> Result<bool> {
        let (Expr::OpExpr(c), Expr::OpExpr(p)) = (clause, pred) else { return Ok(false) };
        if c.args.len() != 2 || p.args.len() != 2 || c.inputcollid != p.inputcollid {
            return Ok(false);
        }
        let turn = |me: &Self, op: Oid| commutator(&me.cx.catalog, op);
        let (mut cop, mut pop) = (c.opno, p.opno);
        let (cr, pr) = if p.args[0] == c.args[0] {
            (&c.args[1], &p.args[1])
        } else if p.args[1] == c.args[1] {
            (cop, pop) = (turn(self, cop)?, turn(self, pop)?);
            (&c.args[0], &p.args[0])
        } else if p.args[0] == c.args[1] {
            cop = turn(self, cop)?;
            (&c.args[0], &p.args[1])
        } else if p.args[1] == c.args[0] {
            pop = turn(self, pop)?;
            (&c.args[1], &p.args[0])
        } else {
            return Ok(false);
        };
        if !cop.is_valid() || !pop.is_valid() {
            return Ok(false);
        }
        if cr == pr {
            return self.same_operands_proof(cop, pop, refute);
        }
        let (Expr::Const(a), Expr::Const(b)) = (cr, pr) else { return Ok(false) };
        if a.value.is_null() {
            // Never true.
            return op_strict(&self.cx.catalog, cop);
        }
        if b.value.is_null() {
            return Ok(refute && op_strict(&self.cx.catalog, pop)?);
        }
        let table = if refute { &REFUTES } else { &IMPLIES };
        for (cf, cs, cl, cright) in self.strategies(cop)? {
            for (pf, ps, pl, pright) in self.strategies(pop)? {
                if cf != pf || cl != pl {
                    continue;
                }
                let test = table[cs - 1][ps - 1];
                if test == 0 {
                    continue;
                }
                let (strategy, negate) = if test == NE { (EQ, true) } else { (test, false) };
                let Some(op) = self.cx.catalog.opfamily_member(cf, pright, cright, strategy as i16)? else { continue };
                let mut e = make_op(&self.cx.catalog, op, pr.clone(), cr.clone(), c.inputcollid)?;
                self.fold(&mut e)?;
                if let Expr::Const(k) = &e
                    && !k.value.is_null()
                {
                    return Ok((k.value.as_ref().word() & 0xff != 0) != negate);
                }
            }
        }
        Ok(false)
    }

    fn same_operands_proof(&mut self, cop: Oid, pop: Oid, refute: bool) -> Result<bool> {
        if !refute && cop == pop {
            return Ok(true);
        }
        if refute && negator(&self.cx.catalog, pop)? == cop {
            return Ok(true);
        }
        let table = if refute { &SAME_REFUTES } else { &SAME_IMPLIES };
        for (cf, cs, ..) in self.strategies(cop)? {
            for (pf, ps, ..) in self.strategies(pop)? {
                if cf == pf && table[cs - 1][ps - 1] {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }

    /// The btree families an operator belongs to, its strategy and operand types there; `<>` by way of its negator.
    fn strategies(&self, op: Oid) -> Result<Vec<(Oid, usize, Oid, Oid)>> {
        let mut out = Vec::new();
        for m in self.cx.catalog.operator_memberships(op)?.iter().filter(|m| m.amopmethod == BTREE) {
            out.push((m.amopfamily, m.amopstrategy as usize, m.amoplefttype, m.amoprighttype));
        }
        if out.is_empty() {
            let not = negator(&self.cx.catalog, op)?;
            if not.is_valid() {
                let list = self.cx.catalog.operator_memberships(not)?;
                for m in list.iter().filter(|m| m.amopmethod == BTREE && m.amopstrategy as usize == EQ) {
                    out.push((m.amopfamily, NE, m.amoplefttype, m.amoprighttype));
                }
            }
        }
        Ok(out.into_iter().filter(|s| matches!(s.1, LT..=NE)).collect())
    }
}

/// What a condition denies.
fn negated(e: &Expr) -> Option<&Expr> {
    match e {
        Expr::BoolExpr(b) if b.boolop == BoolExprType::Not => b.args.first(),
        _ => None,
    }
}

/// The condition without places in the text, so that equal ones are equal.
fn bare(e: &Expr) -> Expr {
    let mut e = e.clone();
    let done = mutate(&mut e, &mut |x| {
        forget_location(x);
        if let Expr::Var(v) = x {
            (v.varnosyn, v.varattnosyn) = (0, 0);
            v.location = base::error::Location::UNKNOWN;
        }
        Ok(true)
    });
    debug_assert!(done.is_ok());
    e
}
