//! What an expression is: its type, modifier, collation and place in the text.
//!
//! PostgreSQL: `nodes/nodeFuncs.c` (`exprType`, `exprTypmod`, `exprCollation`, `exprInputCollation`, `exprLocation`).

use base::Oid;
use base::error::Location;
use types::oid::*;

use crate::query::*;

/// Who knows the array type over an element type; asked for `ARRAY(SELECT ..)`.
pub trait ArrayTypes {
    fn array_type_of(&self, elem: Oid) -> Oid;
}

impl Expr {
    /// The result type. (PostgreSQL: `exprType`)
    pub fn type_oid(&self) -> Oid {
        match self {
            Expr::Var(v) => v.vartype.oid,
            Expr::Const(c) => c.ty.oid,
            Expr::Param(p) => p.ty.oid,
            Expr::Aggref(a) => a.aggtype,
            Expr::GroupingFunc(_) => INT4OID,
            Expr::WindowFunc(w) => w.wintype,
            Expr::SubscriptingRef(s) => s.refrestype,
            Expr::FuncExpr(f) => f.funcresulttype,
            Expr::NamedArgExpr(n) => n.arg.type_oid(),
            Expr::OpExpr(o) | Expr::DistinctExpr(o) | Expr::NullIfExpr(o) => o.opresulttype,
            Expr::ScalarArrayOpExpr(_) | Expr::BoolExpr(_) | Expr::RowCompareExpr(_) => BOOLOID,
            Expr::SubLink(s) => s.type_mod().oid,
            Expr::FieldSelect(f) => f.resulttype.oid,
            Expr::FieldStore(f) => f.resulttype,
            Expr::RelabelType(r) => r.resulttype.oid,
            Expr::CoerceViaIO(c) => c.resulttype,
            Expr::ArrayCoerceExpr(a) => a.resulttype.oid,
            Expr::ConvertRowtypeExpr(c) => c.resulttype,
            Expr::CollateExpr(c) => c.arg.type_oid(),
            Expr::CaseExpr(c) => c.casetype,
            Expr::CaseTestExpr(t) | Expr::MergeSupportFunc(t) | Expr::CoerceToDomainValue(t) => t.oid,
            Expr::SetToDefault(t, _) => t.oid,
            Expr::ArrayExpr(a) => a.array_typeid,
            Expr::RowExpr(r) => r.row_typeid,
            Expr::CoalesceExpr(c) => c.coalescetype,
            Expr::MinMaxExpr(m) => m.minmaxtype,
            Expr::SQLValueFunction(s) => s.type_oid,
            Expr::XmlExpr(x) => match x.op {
                XmlExprOp::Document => BOOLOID,
                XmlExprOp::Serialize => TEXTOID,
                _ => XMLOID,
            },
            Expr::JsonValueExpr(j) => j.formatted_expr.type_oid(),
            Expr::JsonConstructorExpr(j) => j.returning.typid,
            Expr::JsonIsPredicate(_) => BOOLOID,
            Expr::JsonExpr(j) => j.returning.typid,
            Expr::NullTest(_) | Expr::BooleanTest(_) | Expr::CurrentOfExpr(_) => BOOLOID,
            Expr::CoerceToDomain(c) => c.resulttype.oid,
            Expr::NextValueExpr { type_oid, .. } => *type_oid,
            Expr::InferenceElem(i) => i.expr.type_oid(),
        }
    }

    /// The type modifier where it is known, else -1. (PostgreSQL: `exprTypmod`)
    pub fn typmod(&self) -> i32 {
        match self {
            Expr::Var(v) => v.vartype.typmod,
            Expr::Const(c) => c.ty.typmod,
            Expr::Param(p) => p.ty.typmod,
            Expr::SubscriptingRef(s) => s.reftypmod,
            Expr::FuncExpr(_) => self.length_coercion_typmod().unwrap_or(-1),
            Expr::NamedArgExpr(n) => n.arg.typmod(),
            Expr::NullIfExpr(o) => o.args.first().map_or(-1, Expr::typmod),
            Expr::SubLink(s) => s.type_mod().typmod,
            Expr::FieldSelect(f) => f.resulttype.typmod,
            Expr::RelabelType(r) => r.resulttype.typmod,
            Expr::ArrayCoerceExpr(a) => a.resulttype.typmod,
            Expr::CollateExpr(c) => c.arg.typmod(),
            Expr::CaseExpr(c) => {
                let all = std::iter::once(&c.defresult).chain(c.args.iter().map(|w| &w.result));
                common_typmod(all, c.casetype)
            }
            Expr::CaseTestExpr(t) | Expr::CoerceToDomainValue(t) => t.typmod,
            Expr::SetToDefault(t, _) => t.typmod,
            Expr::ArrayExpr(a) => {
                let t = if a.multidims { a.array_typeid } else { a.element_typeid };
                common_typmod(a.elements.iter(), t)
            }
            Expr::CoalesceExpr(c) => common_typmod(c.args.iter(), c.coalescetype),
            Expr::MinMaxExpr(m) => common_typmod(m.args.iter(), m.minmaxtype),
            Expr::SQLValueFunction(s) => s.typmod,
            Expr::JsonValueExpr(j) => j.formatted_expr.typmod(),
            Expr::JsonConstructorExpr(j) => j.returning.typmod,
            Expr::JsonExpr(j) => j.returning.typmod,
            Expr::CoerceToDomain(c) => c.resulttype.typmod,
            _ => -1,
        }
    }

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

    /// The collation of the result. (PostgreSQL: `exprCollation`)
    pub fn collation(&self) -> Oid {
        match self {
            Expr::Var(v) => v.vartype.collation,
            Expr::Const(c) => c.ty.collation,
            Expr::Param(p) => p.ty.collation,
            Expr::Aggref(a) => a.aggcollid,
            Expr::WindowFunc(w) => w.wincollid,
            Expr::SubscriptingRef(s) => s.refcollid,
            Expr::FuncExpr(f) => f.funccollid,
            Expr::NamedArgExpr(n) => n.arg.collation(),
            Expr::OpExpr(o) | Expr::DistinctExpr(o) | Expr::NullIfExpr(o) => o.opcollid,
            Expr::SubLink(s) => match s.sub_link_type {
                SubLinkType::Expr | SubLinkType::Array => s.first_column().map_or(Oid::INVALID, Expr::collation),
                _ => Oid::INVALID,
            },
            Expr::FieldSelect(f) => f.resulttype.collation,
            Expr::RelabelType(r) => r.resulttype.collation,
            Expr::CoerceViaIO(c) => c.resultcollid,
            Expr::ArrayCoerceExpr(a) => a.resulttype.collation,
            Expr::CollateExpr(c) => c.coll_oid,
            Expr::CaseExpr(c) => c.casecollid,
            Expr::CaseTestExpr(t) | Expr::CoerceToDomainValue(t) | Expr::MergeSupportFunc(t) => t.collation,
            Expr::SetToDefault(t, _) => t.collation,
            Expr::ArrayExpr(a) => a.array_collid,
            Expr::CoalesceExpr(c) => c.coalescecollid,
            Expr::MinMaxExpr(m) => m.minmaxcollid,
            Expr::SQLValueFunction(s) => {
                if s.type_oid == NAMEOID {
                    C_COLLATION
                } else {
                    Oid::INVALID
                }
            }
            Expr::XmlExpr(x) if x.op == XmlExprOp::Serialize => DEFAULT_COLLATION,
            Expr::JsonValueExpr(j) => j.formatted_expr.collation(),
            Expr::JsonConstructorExpr(j) => {
                j.coercion.as_ref().map_or(Oid::INVALID, Expr::collation)
            }
            Expr::JsonExpr(j) => j.collation,
            Expr::CoerceToDomain(c) => c.resulttype.collation,
            Expr::InferenceElem(i) => i.expr.collation(),
            _ => Oid::INVALID,
        }
    }

    /// Type, modifier and collation at once.
    pub fn type_mod(&self) -> TypeMod {
        TypeMod { oid: self.type_oid(), typmod: self.typmod(), collation: self.collation() }
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
            _ => Location::UNKNOWN,
        }
    }

    /// Whether it gives a set. (PostgreSQL: `expression_returns_set` looks deeper; see [`crate::walk::returns_set`])
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

/// The modifier that all results of type `t` share, else -1.
fn common_typmod<'a>(mut all: impl Iterator<Item = &'a Expr>, t: Oid) -> i32 {
    let Some(first) = all.next() else { return -1 };
    if first.type_oid() != t {
        return -1;
    }
    let typmod = first.typmod();
    if typmod < 0 || all.any(|e| e.type_oid() != t || e.typmod() != typmod) { -1 } else { typmod }
}

impl SubLink {
    /// The first output column of the subquery that is not junk.
    pub fn first_column(&self) -> Option<&Expr> {
        self.subselect.target_list.iter().find(|t| !t.resjunk).map(|t| &t.expr)
    }
    fn type_mod(&self) -> TypeMod {
        let plain = |oid| TypeMod { oid, typmod: -1, collation: Oid::INVALID };
        match self.sub_link_type {
            SubLinkType::Expr => self.first_column().map_or(plain(UNKNOWNOID), |e| TypeMod {
                oid: e.type_oid(),
                typmod: e.typmod(),
                collation: e.collation(),
            }),
            SubLinkType::Array => self.first_column().map_or(plain(UNKNOWNOID), |e| TypeMod {
                oid: self.array_type,
                typmod: e.typmod(),
                collation: e.collation(),
            }),
            SubLinkType::MultiExpr => plain(RECORDOID),
            _ => plain(BOOLOID),
        }
    }
}
