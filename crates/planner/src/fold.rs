//! Constant folding and simplification of expressions; normal form of conditions.
//!
//! PostgreSQL: `eval_const_expressions`, `negate_clause`, `canonicalize_qual`.

use analyze::query::*;
use analyze::walker::check_depth;
use base::error::Location;
use base::{Oid, PgError, Result};
use types::array::ElementType;
use types::oid::*;
use types::{Datum, DatumRef};

use crate::node::Planner;
use crate::util::*;

/// What is folded.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fold {
    /// What holds for every execution of the plan.
    Safe,
    /// Stable functions too: for estimates only.
    Estimate,
}

fn konst(ty: TypeMod, len: i16, byval: bool, value: Datum) -> Expr {
    Expr::Const(Const { ty, len, byval, value, location: Location::UNKNOWN })
}
fn as_const(e: &Expr) -> Option<&Const> {
    match e {
        Expr::Const(c) => Some(c),
        _ => None,
    }
}
fn all_const(args: &[Expr]) -> bool {
    args.iter().all(|a| matches!(a, Expr::Const(_)))
}
fn bool_value(c: &Const) -> Option<bool> {
    (!c.value.is_null()).then(|| c.value.as_ref().word() & 0xff != 0)
}

impl Planner<'_, '_> {
    pub(crate) fn fold(&mut self, e: &mut Expr) -> Result<()> {
        self.fold_with(e, Fold::Safe)
    }
    /// The value an expression probably has, if that can be said. (PostgreSQL: `estimate_expression_value`)
    pub(crate) fn estimate_value(&mut self, e: &Expr) -> Result<Expr> {
        if matches!(e, Expr::Const(_) | Expr::Var(_)) {
            return Ok(e.clone());
        }
        let mut copy = e.clone();
        self.fold_with(&mut copy, Fold::Estimate)?;
        Ok(copy)
    }

    pub(crate) fn null_const(&mut self, ty: TypeMod) -> Result<Expr> {
        let t = self.cx.catalog.type_row(ty.oid)?;
        Ok(konst(ty, t.typlen, t.typbyval, Datum::Null))
    }

    fn fold_children(&mut self, e: &mut Expr, mode: Fold) -> Result<()> {
        e.try_children_mut(&mut |c| self.fold_with(c, mode))
    }

    pub(crate) fn fold_with(&mut self, e: &mut Expr, mode: Fold) -> Result<()> {
        check_depth()?;
        match e {
            Expr::Var(_) | Expr::Const(_) => return Ok(()),
            Expr::Param(p) => {
                if p.kind == ParamKind::Extern
                    && let Some(values) = &self.params
                    && let Some(v) = usize::try_from(p.id - 1).ok().and_then(|i| values.get(i))
                {
                    let (ty, value) = (p.ty, v.clone());
                    let t = self.cx.catalog.type_row(ty.oid)?;
                    *e = konst(ty, t.typlen, t.typbyval, value);
                }
                return Ok(());
            }
            Expr::FuncExpr(f) => {
                self.complete_arguments(f)?;
            }
            Expr::BoolExpr(_) => return self.fold_bool(e, mode),
            Expr::CaseExpr(_) => return self.fold_case(e, mode),
            Expr::CoalesceExpr(_) => return self.fold_coalesce(e, mode),
            Expr::SubLink(s) => {
                if let Some(t) = &mut s.testexpr {
                    self.fold_with(t, mode)?;
                }
                return Ok(());
            }
            // The element expression contains a CaseTestExpr that nothing here may touch.
            Expr::ArrayCoerceExpr(a) => {
                self.fold_with(&mut a.arg, mode)?;
                let null = matches!(&a.arg, Expr::Const(c) if c.value.is_null());
                if null {
                    let ty = a.resulttype;
                    *e = self.null_const(ty)?;
                } else if let Some(new) = self.relabelled_array(a)? {
                    *e = new;
                }
                return Ok(());
            }
            _ => {}
        }
        self.fold_children(e, mode)?;
        if let Some(new) = self.folded(e, mode)? {
            *e = new;
        }
        Ok(())
    }

    /// A constant array whose elements only change their type's name.
    fn relabelled_array(&mut self, a: &ArrayCoerceExpr) -> Result<Option<Expr>> {
        let Expr::Const(c) = &a.arg else { return Ok(None) };
        let plain = match &a.elemexpr {
            Expr::CaseTestExpr(_) => true,
            Expr::RelabelType(r) => matches!(r.arg, Expr::CaseTestExpr(_)),
            _ => false,
        };
        let Some(elem) = self.cx.catalog.element_type(a.resulttype.oid)? else { return Ok(None) };
        let types::Datum::Bytes(bytes) = &c.value else { return Ok(None) };
        let mut bytes = bytes.to_vec();
        if !plain || bytes.len() < 12 {
            return Ok(None);
        }
        // The element type stands after the number of dimensions and the offset.
        bytes[8..12].copy_from_slice(&elem.0.to_le_bytes());
        Ok(Some(Expr::Const(Const { ty: a.resulttype, value: types::Datum::bytes(bytes), ..c.clone() })))
    }

    /// What a node becomes whose children are folded.
    fn folded(&mut self, e: &Expr, mode: Fold) -> Result<Option<Expr>> {
        match e {
            Expr::FuncExpr(f) => {
                if f.funcretset {
                    return Ok(None);
                }
                let ty = TypeMod { oid: f.funcresulttype, typmod: e.typmod(), collation: f.funccollid };
                self.call_const(f.funcid, ty, f.inputcollid, &f.args, mode, f.funcvariadic)
            }
            Expr::OpExpr(o) => {
                if o.opretset {
                    return Ok(None);
                }
                let func = op_func(&self.cx.catalog, o)?;
                let ty = TypeMod { oid: o.opresulttype, typmod: -1, collation: o.opcollid };
                if let Some(c) = self.call_const(func, ty, o.inputcollid, &o.args, mode, false)? {
                    return Ok(Some(c));
                }
                Ok(simplify_boolean_equality(o))
            }
            Expr::DistinctExpr(o) => {
                if !all_const(&o.args) {
                    return Ok(None);
                }
                let nulls: Vec<bool> = o.args.iter().map(|a| a.is_const_null()).collect();
                match (nulls[0], nulls[1]) {
                    (true, true) => return Ok(Some(Expr::bool_const(Some(false)))),
                    (true, false) | (false, true) => return Ok(Some(Expr::bool_const(Some(true)))),
                    _ => {}
                }
                let func = op_func(&self.cx.catalog, o)?;
                let ty = TypeMod { oid: BOOLOID, typmod: -1, collation: Oid::INVALID };
                let eq = self.call_const(func, ty, o.inputcollid, &o.args, mode, false)?;
                Ok(eq.as_ref().and_then(as_const).map(|c| Expr::bool_const(bool_value(c).map(|b| !b))))
            }
            Expr::NullIfExpr(o) => {
                if o.args.iter().any(Expr::is_const_null) {
                    return Ok(Some(o.args[0].clone()));
                }
                if !all_const(&o.args) {
                    return Ok(None);
                }
                let func = op_func(&self.cx.catalog, o)?;
                let ty = TypeMod { oid: BOOLOID, typmod: -1, collation: Oid::INVALID };
                let eq = self.call_const(func, ty, o.inputcollid, &o.args, mode, false)?;
                let Some(eq) = eq.as_ref().and_then(as_const).map(bool_value) else { return Ok(None) };
                Ok(Some(if eq == Some(true) { self.null_const(o.args[0].type_mod())? } else { o.args[0].clone() }))
            }
            Expr::ScalarArrayOpExpr(s) => self.fold_saop(s, mode),
            Expr::RelabelType(r) => Ok(match &r.arg {
                Expr::Const(c) => {
                    let mut c = c.clone();
                    c.ty = r.resulttype;
                    Some(Expr::Const(c))
                }
                Expr::RelabelType(inner) => {
                    let mut outer = r.clone();
                    outer.arg = inner.arg.clone();
                    if outer.arg.type_mod() == outer.resulttype {
                        Some(outer.arg)
                    } else {
                        Some(Expr::RelabelType(outer))
                    }
                }
                a if a.type_mod() == r.resulttype => Some(r.arg.clone()),
                _ => None,
            }),
            Expr::CollateExpr(c) => {
                let mut ty = c.arg.type_mod();
                ty.collation = c.coll_oid;
                Ok(Some(match &c.arg {
                    Expr::Const(k) => {
                        let mut k = k.clone();
                        k.ty = ty;
                        Expr::Const(k)
                    }
                    arg if arg.collation() == c.coll_oid => arg.clone(),
                    arg => Expr::RelabelType(Box::new(RelabelType {
                        arg: arg.clone(),
                        resulttype: ty,
                        relabelformat: CoercionForm::ImplicitCast,
                        location: c.location,
                    })),
                }))
            }
            Expr::CoerceViaIO(c) => self.fold_via_io(c, mode),
            Expr::ArrayExpr(a) => self.fold_array(a),
            Expr::RowExpr(r) => self.fold_row(r),
            Expr::NullTest(n) => Ok(match &n.arg {
                Expr::Const(c) if !n.argisrow => Some(Expr::bool_const(Some(c.value.is_null() != n.not))),
                Expr::RowExpr(r) if n.argisrow => {
                    let mut tests = Vec::new();
                    for a in &r.args {
                        match a {
                            Expr::Const(c) if c.value.is_null() == n.not => {
                                return Ok(Some(Expr::bool_const(Some(false))));
                            }
                            Expr::Const(_) => {}
                            _ => tests.push(Expr::NullTest(Box::new(NullTest {
                                arg: a.clone(),
                                not: n.not,
                                argisrow: false,
                                location: Location::UNKNOWN,
                            }))),
                        }
                    }
                    Some(Expr::and_all(tests).unwrap_or_else(|| Expr::bool_const(Some(true))))
                }
                _ => None,
            }),
            Expr::BooleanTest(b) => Ok(as_const(&b.arg).map(|c| {
                use BoolTestType::*;
                let v = bool_value(c);
                Expr::bool_const(Some(match b.booltesttype {
                    IsTrue => v == Some(true),
                    IsNotTrue => v != Some(true),
                    IsFalse => v == Some(false),
                    IsNotFalse => v != Some(false),
                    IsUnknown => v.is_none(),
                    IsNotUnknown => v.is_some(),
                }))
            })),
            Expr::FieldSelect(f) => Ok(match &f.arg {
                Expr::RowExpr(r) => {
                    let arg = usize::try_from(f.fieldnum - 1).ok().and_then(|i| r.args.get(i));
                    arg.filter(|a| a.type_oid() == f.resulttype.oid && a.typmod() == f.resulttype.typmod).cloned()
                }
                // A column of a row of a range-table entry.
                Expr::Var(v) if v.varattno == 0 && v.varlevelsup == 0 && v.varreturning == VarReturning::Default => {
                    let mut v = v.clone();
                    (v.varattno, v.varattnosyn, v.vartype) = (f.fieldnum, f.fieldnum, f.resulttype);
                    let same = self.rowtype_field(f)?;
                    same.then_some(Expr::Var(v))
                }
                _ => None,
            }),
            Expr::CoerceToDomain(c) => {
                let constraints = self.cx.catalog.constraints_of_domain(c.resulttype.oid)?;
                let t = self.cx.catalog.type_row(c.resulttype.oid)?;
                let nested = self.cx.catalog.type_row(t.typbasetype)?.typtype == b'd';
                if constraints.is_empty() && !nested && !t.typnotnull {
                    let relabel = Expr::RelabelType(Box::new(RelabelType {
                        arg: c.arg.clone(),
                        resulttype: c.resulttype,
                        relabelformat: c.coercionformat,
                        location: c.location,
                    }));
                    return Ok(Some(match &c.arg {
                        Expr::Const(k) => {
                            let mut k = k.clone();
                            k.ty = c.resulttype;
                            Expr::Const(k)
                        }
                        _ => relabel,
                    }));
                }
                Ok(None)
            }
            Expr::PlaceHolderVar(p) if mode == Fold::Estimate => Ok(Some(p.phexpr.clone())),
            _ => Ok(None),
        }
    }

    /// Whether a column selected from a whole-row Var is still what it was when the query was stored.
    fn rowtype_field(&mut self, f: &FieldSelect) -> Result<bool> {
        let ty = f.arg.type_oid();
        if ty == RECORDOID {
            return Ok(false);
        }
        let Ok(desc) = self.cx.catalog.row_type(ty) else { return Ok(false) };
        let attr = usize::try_from(f.fieldnum - 1).ok().and_then(|i| desc.attrs.get(i));
        Ok(attr.is_some_and(|a| !a.dropped && a.type_oid == f.resulttype.oid && a.typmod == f.resulttype.typmod))
    }

    /// A call that needs no row: of an immutable function with constants, or of a strict one with a null.
    fn call_const(
        &mut self,
        func: Oid,
        ty: TypeMod,
        collation: Oid,
        args: &[Expr],
        mode: Fold,
        variadic: bool,
    ) -> Result<Option<Expr>> {
        if !func.is_valid() || variadic {
            return Ok(None);
        }
        let any_null = args.iter().any(Expr::is_const_null);
        let consts = all_const(args);
        if !any_null && !consts {
            return Ok(None);
        }
        let proc = self.cx.catalog.function_row(func)?;
        if proc.proretset || ty.oid == RECORDOID || proc.prokind != b'f' {
            return Ok(None);
        }
        if proc.proisstrict && any_null {
            return self.null_const(ty).map(Some);
        }
        let foldable = proc.provolatile == b'i' || (proc.provolatile == b's' && mode == Fold::Estimate);
        // Polymorphic functions must know their actual types, which a bare call does not tell.
        let polymorphic = proc.proargtypes.iter().chain([&proc.prorettype]).any(|t| is_polymorphic(*t));
        if !consts || !foldable || polymorphic || !matches!(proc.prolang, Oid(12) | Oid(13)) {
            return Ok(None);
        }
        let values: Vec<DatumRef<'_>> = args.iter().filter_map(as_const).map(|c| c.value.as_ref()).collect();
        let value = match self.cx.rt.call(func, collation, &values) {
            Ok(v) => v,
            // Not there (yet): the execution will say so if it comes to it.
            Err(e) if e.sqlstate() == base::sqlstate::FEATURE_NOT_SUPPORTED => return Ok(None),
            Err(_) if mode == Fold::Estimate => return Ok(None),
            Err(e) => return Err(e),
        };
        let t = self.cx.catalog.type_row(ty.oid)?;
        Ok(Some(konst(ty, t.typlen, t.typbyval, value)))
    }

    fn fold_saop(&mut self, s: &ScalarArrayOpExpr, mode: Fold) -> Result<Option<Expr>> {
        if !all_const(&s.args) {
            return Ok(None);
        }
        let (Some(scalar), Some(array)) = (as_const(&s.args[0]), as_const(&s.args[1])) else { return Ok(None) };
        if array.value.is_null() {
            return Ok(Some(Expr::bool_const(None)));
        }
        let elem = self.cx.catalog.element_type(self.cx.catalog.base_type(array.ty.oid, -1)?.0)?;
        let Some(elem) = elem else { return Ok(None) };
        let info = self.cx.catalog.type_row(elem)?;
        let values = array_values(&array.value, &self.elem_type(elem)?)?;
        let func = match s.opfuncid.valid() {
            Some(f) => f,
            None => self.cx.catalog.operator(s.opno)?.map_or(Oid::INVALID, |o| o.oprcode),
        };
        let ty = TypeMod { oid: BOOLOID, typmod: -1, collation: Oid::INVALID };
        let mut result = Some(!s.use_or);
        for v in values {
            let element =
                konst(TypeMod { oid: elem, typmod: -1, collation: info.typcollation }, info.typlen, info.typbyval, v);
            let args = [Expr::Const(scalar.clone()), element];
            let Some(one) = self.call_const(func, ty, s.inputcollid, &args, mode, false)? else { return Ok(None) };
            match as_const(&one).and_then(bool_value) {
                Some(b) if b == s.use_or => return Ok(Some(Expr::bool_const(Some(b)))),
                Some(_) => {}
                None => result = None,
            }
        }
        Ok(Some(Expr::bool_const(result)))
    }

    pub(crate) fn elem_type(&mut self, elem: Oid) -> Result<ElementType> {
        Ok(ElementType::of(&*self.cx.catalog.type_info(elem)?))
    }

    fn fold_array(&mut self, a: &ArrayExpr) -> Result<Option<Expr>> {
        if !all_const(&a.elements) || a.multidims {
            return Ok(None);
        }
        let elem = self.elem_type(a.element_typeid)?;
        let values: Vec<DatumRef<'_>> = a.elements.iter().filter_map(as_const).map(|c| c.value.as_ref()).collect();
        if values.iter().any(|v| matches!(v, DatumRef::Toasted(_))) {
            return Ok(None);
        }
        let value = types::array::build_vector(&elem, &values)?;
        let typmod = Expr::ArrayExpr(Box::new(a.clone())).typmod();
        let ty = TypeMod { oid: a.array_typeid, typmod, collation: a.array_collid };
        Ok(Some(konst(ty, -1, false, value)))
    }

    /// A row of constants.
    fn fold_row(&mut self, r: &RowExpr) -> Result<Option<Expr>> {
        if !all_const(&r.args) {
            return Ok(None);
        }
        let values: Vec<DatumRef<'_>> = r.args.iter().filter_map(as_const).map(|c| c.value.as_ref()).collect();
        if values.iter().any(|v| matches!(v, DatumRef::Toasted(_))) {
            return Ok(None);
        }
        let desc = if r.row_typeid == RECORDOID {
            let mut attrs = Vec::new();
            for (i, a) in r.args.iter().enumerate() {
                let ty = a.type_mod();
                let info = self.cx.catalog.type_info(ty.oid)?;
                let name = r.colnames.get(i).cloned().unwrap_or_else(|| format!("f{}", i + 1));
                let mut attr = types::Attribute::new(&name, ty.oid, info.len, info.byval, info.align);
                (attr.typmod, attr.collation, attr.storage) = (ty.typmod, ty.collation, info.storage);
                attrs.push(attr);
            }
            self.cx.rt.bless(types::TupleDesc::new(attrs))
        } else {
            let base = self.cx.catalog.base_type(r.row_typeid, -1)?.0;
            self.cx.rt.row_type(base, -1)?
        };
        if desc.attrs.len() != values.len() || desc.attrs.iter().any(|a| a.dropped) {
            return Ok(None);
        }
        let value = types::record::build(&desc, &values)?;
        let ty = TypeMod { oid: r.row_typeid, typmod: -1, collation: Oid::INVALID };
        Ok(Some(konst(ty, -1, false, value)))
    }

    fn fold_via_io(&mut self, c: &CoerceViaIO, mode: Fold) -> Result<Option<Expr>> {
        let Some(arg) = as_const(&c.arg) else { return Ok(None) };
        let ty = TypeMod { oid: c.resulttype, typmod: -1, collation: c.resultcollid };
        if arg.value.is_null() {
            return self.null_const(ty).map(Some);
        }
        let source = self.cx.catalog.type_info(arg.ty.oid)?;
        let target = self.cx.catalog.type_info(c.resulttype)?;
        for f in [source.output, target.input] {
            let v = volatility(&self.cx.catalog, f)?;
            if v == b'v' || (v == b's' && mode == Fold::Safe) {
                return Ok(None);
            }
        }
        let call = |me: &mut Self| -> Result<Datum> {
            let text = me.cx.rt.call(source.output, Oid::INVALID, &[arg.value.as_ref()])?;
            let (p, m) = (Datum::oid(target.ioparam), Datum::i32(-1));
            me.cx.rt.call(target.input, c.resultcollid, &[text.as_ref(), p.as_ref(), m.as_ref()])
        };
        match call(self) {
            Ok(v) => Ok(Some(konst(ty, target.len, target.byval, v))),
            Err(e) if e.sqlstate() == base::sqlstate::FEATURE_NOT_SUPPORTED => Ok(None),
            Err(_) if mode == Fold::Estimate => Ok(None),
            Err(e) => Err(e),
        }
    }

    fn fold_bool(&mut self, e: &mut Expr, mode: Fold) -> Result<()> {
        let Expr::BoolExpr(b) = e else { return Ok(()) };
        let op = b.boolop;
        if op == BoolExprType::Not {
            let mut arg = b.args.swap_remove(0);
            self.fold_with(&mut arg, mode)?;
            *e = self.negate(arg)?;
            return Ok(());
        }
        let stop = op == BoolExprType::Or;
        let (mut out, mut null) = (Vec::new(), false);
        let mut pending: Vec<Expr> = std::mem::take(&mut b.args);
        pending.reverse();
        while let Some(mut a) = pending.pop() {
            if let Expr::BoolExpr(inner) = &mut a
                && inner.boolop == op
            {
                pending.extend(std::mem::take(&mut inner.args).into_iter().rev());
                continue;
            }
            self.fold_with(&mut a, mode)?;
            match &mut a {
                Expr::BoolExpr(inner) if inner.boolop == op => out.append(&mut inner.args),
                Expr::Const(c) => match bool_value(c) {
                    None => null = true,
                    Some(v) if v == stop => {
                        *e = Expr::bool_const(Some(stop));
                        return Ok(());
                    }
                    Some(_) => {}
                },
                _ => out.push(a),
            }
        }
        if null {
            // A null decides nothing against the value that stops, but outweighs the other one.
            out.push(Expr::bool_const(None));
        }
        *e = match out.len() {
            0 => Expr::bool_const(Some(!stop)),
            1 => out.swap_remove(0),
            _ => Expr::BoolExpr(Box::new(BoolExpr { boolop: op, args: out, location: Location::UNKNOWN })),
        };
        Ok(())
    }

    /// The negation, pushed down. (PostgreSQL: `negate_clause`)
    pub(crate) fn negate(&mut self, e: Expr) -> Result<Expr> {
        Ok(match e {
            Expr::Const(c) => Expr::bool_const(bool_value(&c).map(|v| !v)),
            Expr::OpExpr(mut o) => match negator(&self.cx.catalog, o.opno)?.valid() {
                Some(n) => {
                    o.opno = n;
                    o.opfuncid = self.cx.catalog.operator(n)?.map_or(Oid::INVALID, |r| r.oprcode);
                    Expr::OpExpr(o)
                }
                None => not(Expr::OpExpr(o)),
            },
            Expr::ScalarArrayOpExpr(mut s) => match negator(&self.cx.catalog, s.opno)?.valid() {
                Some(n) => {
                    s.opno = n;
                    s.opfuncid = self.cx.catalog.operator(n)?.map_or(Oid::INVALID, |r| r.oprcode);
                    s.use_or = !s.use_or;
                    Expr::ScalarArrayOpExpr(s)
                }
                None => not(Expr::ScalarArrayOpExpr(s)),
            },
            Expr::BoolExpr(mut b) => match b.boolop {
                BoolExprType::Not => b.args.swap_remove(0),
                op => {
                    let args: Result<Vec<Expr>> = b.args.into_iter().map(|a| self.negate(a)).collect();
                    let boolop = if op == BoolExprType::And { BoolExprType::Or } else { BoolExprType::And };
                    Expr::BoolExpr(Box::new(BoolExpr { boolop, args: args?, location: Location::UNKNOWN }))
                }
            },
            Expr::NullTest(mut n) if !n.argisrow => {
                n.not = !n.not;
                Expr::NullTest(n)
            }
            Expr::BooleanTest(mut b) => {
                use BoolTestType::*;
                b.booltesttype = match b.booltesttype {
                    IsTrue => IsNotTrue,
                    IsNotTrue => IsTrue,
                    IsFalse => IsNotFalse,
                    IsNotFalse => IsFalse,
                    IsUnknown => IsNotUnknown,
                    IsNotUnknown => IsUnknown,
                };
                Expr::BooleanTest(b)
            }
            e => not(e),
        })
    }

    fn fold_case(&mut self, e: &mut Expr, mode: Fold) -> Result<()> {
        let Expr::CaseExpr(c) = e else { return Ok(()) };
        if let Some(a) = &mut c.arg {
            self.fold_with(a, mode)?;
        }
        let test = c.arg.as_ref().filter(|a| matches!(a, Expr::Const(_))).cloned();
        let mut kept = Vec::new();
        let mut decided = None;
        for mut w in std::mem::take(&mut c.args) {
            if let Some(t) = &test {
                replace_case_test(&mut w.expr, t);
            }
            self.fold_with(&mut w.expr, mode)?;
            if is_const_false_or_null(&w.expr) {
                continue;
            }
            let always = is_const_true(&w.expr);
            self.fold_with(&mut w.result, mode)?;
            if always {
                decided = Some(w.result);
                break;
            }
            kept.push(w);
        }
        match decided {
            Some(d) => c.defresult = d,
            None => self.fold_with(&mut c.defresult, mode)?,
        }
        if kept.is_empty() {
            *e = c.defresult.clone();
        } else {
            c.args = kept;
            if test.is_some() {
                c.arg = None;
            }
        }
        Ok(())
    }

    fn fold_coalesce(&mut self, e: &mut Expr, mode: Fold) -> Result<()> {
        let Expr::CoalesceExpr(c) = e else { return Ok(()) };
        let mut kept = Vec::new();
        for mut a in std::mem::take(&mut c.args) {
            self.fold_with(&mut a, mode)?;
            match &a {
                Expr::Const(k) if k.value.is_null() => {}
                Expr::Const(_) => {
                    kept.push(a);
                    break;
                }
                _ => kept.push(a),
            }
        }
        match kept.len() {
            0 => {
                let ty = TypeMod { oid: c.coalescetype, typmod: -1, collation: c.coalescecollid };
                *e = self.null_const(ty)?;
            }
            1 => *e = kept.swap_remove(0),
            _ => c.args = kept,
        }
        Ok(())
    }

    /// Named arguments put in order, defaults filled in. (PostgreSQL: `expand_function_arguments`)
    fn complete_arguments(&mut self, f: &mut FuncExpr) -> Result<()> {
        let named = f.args.iter().any(|a| matches!(a, Expr::NamedArgExpr(_)));
        let proc = self.cx.catalog.function_row(f.funcid)?;
        let wanted = proc.pronargs as usize;
        if !named && f.args.len() >= wanted {
            return Ok(());
        }
        let mut slots: Vec<Option<Expr>> = vec![None; wanted.max(f.args.len())];
        for (i, a) in std::mem::take(&mut f.args).into_iter().enumerate() {
            match a {
                Expr::NamedArgExpr(n) => slots[n.argnumber.max(0) as usize] = Some(n.arg),
                a => slots[i] = Some(a),
            }
        }
        if slots.iter().any(Option::is_none) {
            let text = proc.proargdefaults.as_deref().unwrap_or_default();
            let defaults = crate::stored::read_list(text, &self.cx.catalog)?;
            let first = wanted.saturating_sub(defaults.len());
            for (i, d) in defaults.into_iter().enumerate() {
                let slot = &mut slots[first + i];
                if slot.is_none() {
                    let want = proc.proargtypes[first + i];
                    *slot = Some(if d.type_oid() != want && !is_polymorphic(want) {
                        Expr::RelabelType(Box::new(RelabelType {
                            arg: d,
                            resulttype: TypeMod { oid: want, typmod: -1, collation: Oid::INVALID },
                            relabelformat: CoercionForm::ImplicitCast,
                            location: Location::UNKNOWN,
                        }))
                    } else {
                        d
                    });
                }
            }
        }
        let args: Option<Vec<Expr>> = slots.into_iter().collect();
        f.args = args.ok_or_else(|| PgError::internal("not enough default arguments"))?;
        Ok(())
    }

    /// Folded, duplicates among OR arms pulled out. (PostgreSQL: `canonicalize_qual`)
    pub(crate) fn canonical_qual(&mut self, e: Expr) -> Expr {
        pull_common_or(e)
    }
}

/// (PostgreSQL: `IsPolymorphicType`), and `"any"`.
fn is_polymorphic(t: Oid) -> bool {
    t == ANYOID || analyze::definitions::is_polymorphic_type(t)
}

/// An array's elements, copied.
pub(crate) fn array_values(array: &Datum, elem: &ElementType) -> Result<Vec<Datum>> {
    match array {
        Datum::Bytes(b) => types::array::ArrayRef::new(b)?.elements(elem).map(|e| e.map(|v| v.to_owned())).collect(),
        _ => Ok(Vec::new()),
    }
}

fn replace_case_test(e: &mut Expr, value: &Expr) {
    match e {
        Expr::CaseTestExpr(_) => *e = value.clone(),
        // Those have test values of their own.
        Expr::ArrayCoerceExpr(a) => replace_case_test(&mut a.arg, value),
        Expr::CaseExpr(c) if c.arg.is_some() => {
            if let Some(a) = &mut c.arg {
                replace_case_test(a, value);
            }
        }
        e => e.children_mut(&mut |c| replace_case_test(c, value)),
    }
}

pub(crate) fn not(e: Expr) -> Expr {
    Expr::BoolExpr(Box::new(BoolExpr { boolop: BoolExprType::Not, args: vec![e], location: Location::UNKNOWN }))
}

/// `x = true` is x, `x = false` is NOT x, and the like. (PostgreSQL: `simplify_boolean_equality`)
fn simplify_boolean_equality(o: &OpExpr) -> Option<Expr> {
    const BOOL_EQ: Oid = Oid(91);
    const BOOL_NE: Oid = Oid(85);
    if o.opno != BOOL_EQ && o.opno != BOOL_NE {
        return None;
    }
    let [l, r] = &o.args[..] else { return None };
    let (c, other) = match (as_const(l), as_const(r)) {
        (Some(c), None) => (c, r),
        (None, Some(c)) => (c, l),
        _ => return None,
    };
    let v = bool_value(c)?;
    Some(if v == (o.opno == BOOL_EQ) { other.clone() } else { not(other.clone()) })
}

/// `(a AND b) OR (a AND c)` is `a AND (b OR c)`. (PostgreSQL: `find_duplicate_ors`)
fn pull_common_or(e: Expr) -> Expr {
    let Expr::BoolExpr(mut b) = e else { return e };
    match b.boolop {
        BoolExprType::And => {
            let mut out = Vec::new();
            for a in b.args {
                match pull_common_or(a) {
                    Expr::BoolExpr(i) if i.boolop == BoolExprType::And => out.extend(i.args),
                    a => out.push(a),
                }
            }
            b.args = out;
            Expr::BoolExpr(b)
        }
        BoolExprType::Not => Expr::BoolExpr(b),
        BoolExprType::Or => {
            let mut arms: Vec<Vec<Expr>> = Vec::new();
            for a in b.args {
                match pull_common_or(a) {
                    Expr::BoolExpr(i) if i.boolop == BoolExprType::Or => {
                        arms.extend(i.args.into_iter().map(|x| vec![x]));
                    }
                    Expr::BoolExpr(i) if i.boolop == BoolExprType::And => arms.push(i.args),
                    a => arms.push(vec![a]),
                }
            }
            let shortest = arms.iter().min_by_key(|a| a.len()).cloned().unwrap_or_default();
            let mut common: Vec<Expr> = Vec::new();
            for c in shortest {
                if !common.contains(&c) && arms.iter().all(|a| a.contains(&c)) {
                    common.push(c);
                }
            }
            let mut rest: Vec<Expr> = Vec::new();
            let mut covered = false;
            for mut a in arms {
                a.retain(|x| !common.contains(x));
                match Expr::and_all(a) {
                    Some(x) => rest.push(x),
                    None => covered = true,
                }
            }
            if !covered {
                let or = match rest.len() {
                    1 => rest.swap_remove(0),
                    _ => Expr::BoolExpr(Box::new(BoolExpr {
                        boolop: BoolExprType::Or,
                        args: rest,
                        location: b.location,
                    })),
                };
                common.push(or);
            }
            Expr::and_all(common).unwrap_or_else(|| Expr::bool_const(Some(true)))
        }
    }
}
