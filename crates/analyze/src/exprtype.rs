//! More of what an expression is: its place in the text, its input collation, and setting collations. Its type, modifier and
//! collation are in [`crate::walk`].
//!
//! PostgreSQL: `nodes/nodeFuncs.c` (`exprInputCollation`, `exprLocation`, `exprSetCollation`).

use base::Oid;
use base::error::Location;
use types::oid::*;

use crate::query::*;

impl Expr {
    /// The modifier that a length coercion function enforces. (PostgreSQL: `exprIsLengthCoercion`)
    pub fn length_coercion_typmod(&self) -> Option<i32> {
        match self {
            Expr::FuncExpr(f) => {
                if !matches!(f.funcformat, CoercionForm::ExplicitCast | CoercionForm::ImplicitCast) {
                    return None;
                }
                match &f.args[..] {
                    [_, Expr::Const(c)] | [_, Expr::Const(c), _] if c.ty.oid == INT4OID && !c.value.is_null() => {
                        Some(c.value.as_ref().word() as i32)
                    }
                    _ => None,
                }
            }
            Expr::ArrayCoerceExpr(a) if a.resulttype.typmod >= 0 => Some(a.resulttype.typmod),
            _ => None,
        }
    }

    /// The collation that the node's function uses. (PostgreSQL: `exprInputCollation`)
    pub fn input_collation(&self) -> Oid {
        match self {
            Expr::Aggref(a) => a.inputcollid,
            Expr::WindowFunc(w) => w.inputcollid,
            Expr::FuncExpr(f) => f.inputcollid,
            Expr::OpExpr(o) | Expr::DistinctExpr(o) | Expr::NullIfExpr(o) => o.inputcollid,
            Expr::ScalarArrayOpExpr(s) => s.inputcollid,
            Expr::MinMaxExpr(m) => m.inputcollid,
            _ => Oid::INVALID,
        }
    }

    pub fn set_collation(&mut self, collation: Oid) {
        match self {
            Expr::Var(v) => v.vartype.collation = collation,
            Expr::Const(c) => c.ty.collation = collation,
            Expr::Param(p) => p.ty.collation = collation,
            Expr::Aggref(a) => a.aggcollid = collation,
            Expr::WindowFunc(w) => w.wincollid = collation,
            Expr::SubscriptingRef(s) => s.refcollid = collation,
            Expr::FuncExpr(f) => f.funccollid = collation,
            Expr::NamedArgExpr(n) => n.arg.set_collation(collation),
            Expr::OpExpr(o) | Expr::DistinctExpr(o) | Expr::NullIfExpr(o) => o.opcollid = collation,
            Expr::FieldSelect(f) => f.resulttype.collation = collation,
            Expr::RelabelType(r) => r.resulttype.collation = collation,
            Expr::CoerceViaIO(c) => c.resultcollid = collation,
            Expr::ArrayCoerceExpr(a) => a.resulttype.collation = collation,
            Expr::CaseExpr(c) => c.casecollid = collation,
            Expr::ArrayExpr(a) => a.array_collid = collation,
            Expr::CoalesceExpr(c) => c.coalescecollid = collation,
            Expr::MinMaxExpr(m) => m.minmaxcollid = collation,
            Expr::CoerceToDomain(c) => c.resulttype.collation = collation,
            Expr::CoerceToDomainValue(t) | Expr::CaseTestExpr(t) | Expr::MergeSupportFunc(t) => t.collation = collation,
            Expr::SetToDefault(t, _) => t.collation = collation,
            Expr::JsonValueExpr(j) => j.formatted_expr.set_collation(collation),
            Expr::JsonConstructorExpr(j) => {
                if let Some(c) = &mut j.coercion {
                    c.set_collation(collation);
                }
            }
            Expr::JsonExpr(j) => j.collation = collation,
            _ => {}
        }
    }

    pub fn set_input_collation(&mut self, collation: Oid) {
        match self {
            Expr::Aggref(a) => a.inputcollid = collation,
            Expr::WindowFunc(w) => w.inputcollid = collation,
            Expr::FuncExpr(f) => f.inputcollid = collation,
            Expr::OpExpr(o) | Expr::DistinctExpr(o) | Expr::NullIfExpr(o) => o.inputcollid = collation,
            Expr::ScalarArrayOpExpr(s) => s.inputcollid = collation,
            Expr::MinMaxExpr(m) => m.inputcollid = collation,
            _ => {}
        }
    }

    /// The leftmost place of the expression's text. (PostgreSQL: `exprLocation`)
    pub fn location(&self) -> Location {
        let least = |own: Location, arg: Option<&Expr>| leftmost(own, arg.map_or(Location::UNKNOWN, Expr::location));
        match self {
            Expr::Var(v) => v.location,
            Expr::Const(c) => c.location,
            Expr::Param(p) => p.location,
            Expr::Aggref(a) => a.location,
            Expr::GroupingFunc(g) => g.location,
            Expr::WindowFunc(w) => w.location,
            Expr::SubscriptingRef(s) => s.refexpr.location(),
            Expr::FuncExpr(f) => f.args.iter().fold(f.location, |l, a| leftmost(l, a.location())),
            Expr::NamedArgExpr(n) => least(n.location, Some(&n.arg)),
            Expr::OpExpr(o) | Expr::DistinctExpr(o) | Expr::NullIfExpr(o) => {
                o.args.iter().fold(o.location, |l, a| leftmost(l, a.location()))
            }
            Expr::ScalarArrayOpExpr(o) => o.args.iter().fold(o.location, |l, a| leftmost(l, a.location())),
            Expr::BoolExpr(b) => b.args.iter().fold(b.location, |l, a| leftmost(l, a.location())),
            Expr::SubLink(s) => least(s.location, s.testexpr.as_ref()),
            Expr::FieldSelect(f) => f.arg.location(),
            Expr::FieldStore(f) => f.arg.location(),
            Expr::RelabelType(r) => least(r.location, Some(&r.arg)),
            Expr::CoerceViaIO(c) => least(c.location, Some(&c.arg)),
            Expr::ArrayCoerceExpr(c) => least(c.location, Some(&c.arg)),
            Expr::ConvertRowtypeExpr(c) => least(c.location, Some(&c.arg)),
            Expr::CollateExpr(c) => c.arg.location(),
            Expr::CaseExpr(c) => c.location,
            Expr::ArrayExpr(a) => a.location,
            Expr::RowExpr(r) => r.location,
            Expr::RowCompareExpr(r) => r.largs.iter().fold(Location::UNKNOWN, |l, a| leftmost(l, a.location())),
            Expr::CoalesceExpr(c) => c.location,
            Expr::MinMaxExpr(m) => m.location,
            Expr::SQLValueFunction(s) => s.location,
            Expr::XmlExpr(x) => x.args.iter().fold(x.location, |l, a| leftmost(l, a.location())),
            Expr::JsonValueExpr(j) => j.raw_expr.location(),
            Expr::JsonConstructorExpr(j) => j.location,
            Expr::JsonIsPredicate(j) => j.location,
            Expr::JsonExpr(j) => least(j.location, Some(&j.formatted_expr)),
            Expr::NullTest(n) => least(n.location, Some(&n.arg)),
            Expr::BooleanTest(n) => least(n.location, Some(&n.arg)),
            Expr::CoerceToDomain(c) => least(c.location, Some(&c.arg)),
            Expr::SetToDefault(_, l) => *l,
            Expr::InferenceElem(i) => i.expr.location(),
            Expr::PlaceHolderVar(p) => p.phexpr.location(),
            _ => Location::UNKNOWN,
        }
    }

    pub fn is_const_null(&self) -> bool {
        matches!(self, Expr::Const(c) if c.value.is_null())
    }
}

/// The left of two places, unknown ones aside.
pub fn leftmost(a: Location, b: Location) -> Location {
    match (a.is_known(), b.is_known()) {
        (false, _) => b,
        (_, false) => a,
        _ => a.min(b),
    }
}

impl SubLink {
    /// The first output column of the subquery that is not junk.
    pub fn first_column(&self) -> Option<&Expr> {
        self.subselect.target_list.iter().find(|t| !t.resjunk).map(|t| &t.expr)
    }
}
