//! Converting expressions to a type: which conversions exist, in which context, and the nodes that make them.
//!
//! PostgreSQL: `parser/parse_coerce.c`. The polymorphic pseudo-types are in [`crate::poly`].

use base::error::Location;
use base::sqlstate::{
    AMBIGUOUS_PARAMETER, CANNOT_COERCE, DATATYPE_MISMATCH, INDETERMINATE_DATATYPE, UNDEFINED_PARAMETER,
};
use base::{Oid, PgError, Result};
use types::oid::*;
use types::{Datum, DatumRef};

use crate::context::ParamTypes;
use crate::exprtype::leftmost;
use crate::lookup::format_type;
use crate::lookup::{Lookup, typtype};
use crate::poly;
use crate::query::*;
use crate::state::Analyzer;

/// How much a conversion may do. (PostgreSQL: `CoercionContext`)
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Context {
    Implicit,
    Assignment,
    Plpgsql,
    Explicit,
}

/// How a conversion is made. (PostgreSQL: `CoercionPathType`)
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Path {
    Func(Oid),
    Relabel,
    Array,
    ViaIo,
}

/// Type categories. (PostgreSQL: `TYPCATEGORY_*`)
pub(crate) const CATEGORY_STRING: u8 = b'S';

pub fn is_polymorphic(t: Oid) -> bool {
    is_poly_family1(t) || is_poly_family2(t)
}
pub(crate) fn is_poly_family1(t: Oid) -> bool {
    matches!(t, ANYELEMENTOID | ANYARRAYOID | ANYNONARRAYOID | ANYENUMOID | ANYRANGEOID | ANYMULTIRANGEOID)
}
pub(crate) fn is_poly_family2(t: Oid) -> bool {
    matches!(
        t,
        ANYCOMPATIBLEOID
            | ANYCOMPATIBLEARRAYOID
            | ANYCOMPATIBLENONARRAYOID
            | ANYCOMPATIBLERANGEOID
            | ANYCOMPATIBLEMULTIRANGEOID
    )
}

/// The conversion between two types that a context allows. (PostgreSQL: `find_coercion_pathway`)
pub(crate) fn find_path(c: &catalog::Catalog, target: Oid, source: Oid, cx: Context) -> Result<Option<Path>> {
    let (source, target) = (c.base_of(source)?, c.base_of(target)?);
    if source == target {
        return Ok(Some(Path::Relabel));
    }
    if let Some(cast) = c.cast(source, target)? {
        let needed = match cast.castcontext {
            b'i' => Context::Implicit,
            b'a' => Context::Assignment,
            _ => Context::Explicit,
        };
        if cx >= needed {
            return Ok(Some(match cast.castmethod {
                b'f' => Path::Func(cast.castfunc),
                b'i' => Path::ViaIo,
                _ => Path::Relabel,
            }));
        }
    } else {
        if target != OIDVECTOROID && target != INT2VECTOROID {
            let (te, se) = (c.elem_of(target)?, c.elem_of(source)?);
            if te.is_valid() && se.is_valid() && find_path(c, te, se, cx)?.is_some() {
                return Ok(Some(Path::Array));
            }
        }
        if (cx >= Context::Assignment && type_category(c, target)? == CATEGORY_STRING)
            || (cx >= Context::Explicit && type_category(c, source)? == CATEGORY_STRING)
        {
            return Ok(Some(Path::ViaIo));
        }
    }
    Ok((cx == Context::Plpgsql).then_some(Path::ViaIo))
}

/// The function that applies a type's modifier. (PostgreSQL: `find_typmod_coercion_function`)
pub(crate) fn find_typmod_path(c: &catalog::Catalog, mut t: Oid) -> Result<Option<Path>> {
    let elem = c.elem_of(t)?;
    let array = elem.is_valid();
    if array {
        t = elem;
    }
    Ok(match c.cast(t, t)? {
        Some(cast) if cast.castfunc.is_valid() => Some(if array { Path::Array } else { Path::Func(cast.castfunc) }),
        _ => None,
    })
}

pub(crate) fn type_category(c: &catalog::Catalog, t: Oid) -> Result<u8> {
    Ok(c.type_by_oid(t)?.map_or(0, |t| t.typcategory))
}
pub(crate) fn category_preferred(c: &catalog::Catalog, t: Oid) -> Result<(u8, bool)> {
    Ok(c.type_by_oid(t)?.map_or((0, false), |t| (t.typcategory, t.typispreferred)))
}
/// Whether it is the preferred type of its category. (PostgreSQL: `IsPreferredType`)
pub(crate) fn is_preferred(c: &catalog::Catalog, category: u8, t: Oid) -> Result<bool> {
    let (cat, pref) = category_preferred(c, t)?;
    Ok(if category == 0 || cat == category { pref } else { false })
}

/// A composite type or a domain over one. (PostgreSQL: `ISCOMPLEX`)
pub(crate) fn is_complex(c: &catalog::Catalog, t: Oid) -> Result<bool> {
    Ok(c.type_relid(t)?.is_valid())
}
fn is_complex_array(c: &catalog::Catalog, t: Oid) -> Result<bool> {
    let e = c.elem_of(t)?;
    Ok(e.is_valid() && is_complex(c, e)?)
}

/// Whether a row type is another's descendant by inheritance. (PostgreSQL: `typeInheritsFrom`)
pub(crate) fn inherits_from(c: &catalog::Catalog, sub: Oid, sup: Oid) -> Result<bool> {
    let (subrel, suprel) = (c.type_relid(sub)?, c.type_relid(sup)?);
    if !subrel.is_valid() || !suprel.is_valid() {
        return Ok(false);
    }
    let mut queue = vec![subrel];
    let mut i = 0;
    while i < queue.len() {
        for p in c.inheritance_parents(queue[i])? {
            if p.inhparent == suprel {
                return Ok(true);
            }
            if !queue.contains(&p.inhparent) {
                queue.push(p.inhparent);
            }
        }
        i += 1;
    }
    Ok(false)
}
/// (PostgreSQL: `typeIsOfTypedTable`)
fn is_of_typed_table(c: &catalog::Catalog, t: Oid, of: Oid) -> Result<bool> {
    let rel = c.type_relid(t)?;
    Ok(rel.is_valid() && c.class(rel)?.is_some_and(|r| r.reloftype == of && of.is_valid()))
}

/// Whether values of these types can become the others'. (PostgreSQL: `can_coerce_type`)
pub(crate) fn can_coerce(c: &catalog::Catalog, input: &[Oid], target: &[Oid], cx: Context) -> Result<bool> {
    let mut generics = false;
    for (&i, &t) in input.iter().zip(target) {
        if i == t || t == ANYOID {
            continue;
        }
        if is_polymorphic(t) {
            generics = true;
            continue;
        }
        if i == UNKNOWNOID || find_path(c, t, i, cx)?.is_some() {
            continue;
        }
        if (i == RECORDOID && is_complex(c, t)?)
            || (t == RECORDOID && is_complex(c, i)?)
            || (t == RECORDARRAYOID && is_complex_array(c, i)?)
            || inherits_from(c, i, t)?
            || is_of_typed_table(c, i, t)?
        {
            continue;
        }
        return Ok(false);
    }
    if generics { poly::check(c, input, target) } else { Ok(true) }
}

/// Marks the outermost conversion as one that is not shown. (PostgreSQL: `hide_coercion_node`)
fn hide(e: &mut Expr) {
    match e {
        Expr::FuncExpr(f) => f.funcformat = CoercionForm::ImplicitCast,
        Expr::RelabelType(r) => r.relabelformat = CoercionForm::ImplicitCast,
        Expr::CoerceViaIO(c) => c.coerceformat = CoercionForm::ImplicitCast,
        Expr::ArrayCoerceExpr(a) => a.coerceformat = CoercionForm::ImplicitCast,
        Expr::ConvertRowtypeExpr(r) => r.convertformat = CoercionForm::ImplicitCast,
        Expr::RowExpr(r) => r.row_format = CoercionForm::ImplicitCast,
        Expr::CoerceToDomain(d) => d.coercionformat = CoercionForm::ImplicitCast,
        _ => {}
    }
}

/// The same value as another type that looks alike. (PostgreSQL: `applyRelabelType`)
pub fn apply_relabel(mut arg: Expr, ty: TypeMod, format: CoercionForm, location: Location) -> Expr {
    while let Expr::RelabelType(r) = arg {
        arg = r.arg;
    }
    if let Expr::Const(c) = &mut arg {
        c.ty = ty;
        return arg;
    }
    if arg.type_mod() == ty {
        return arg;
    }
    Expr::RelabelType(Box::new(RelabelType { arg, resulttype: ty, relabelformat: format, location }))
}

impl Analyzer<'_, '_> {
    /// Converts to the type and modifier, or `None` where there is no such conversion. (PostgreSQL: `coerce_to_target_type`)
    pub(crate) fn coerce_to_target_type(
        &mut self,
        e: Expr,
        input: Oid,
        target: Oid,
        typmod: i32,
        cx: Context,
        form: CoercionForm,
        location: Location,
    ) -> Result<Option<Expr>> {
        if !can_coerce(self.cat(), &[input], &[target], cx)? {
            return Ok(None);
        }
        let (mut e, mut collate) = (e, None);
        while let Expr::CollateExpr(c) = e {
            collate.get_or_insert((c.coll_oid, c.location));
            e = c.arg;
        }
        let (r, changed) = self.coerce_type_changed(e, input, target, typmod, cx, form, location)?;
        let hide_input = changed && !matches!(r, Expr::Const(_));
        let mut r = self.coerce_type_typmod(r, target, typmod, cx, form, location, hide_input)?;
        if let Some((coll_oid, location)) = collate
            && self.cat().is_collatable(target)?
        {
            r = Expr::CollateExpr(Box::new(CollateExpr { arg: r, coll_oid, location }));
        }
        Ok(Some(r))
    }

    /// Converts to the type; that this is possible has been checked. (PostgreSQL: `coerce_type`)
    pub(crate) fn coerce_type(
        &mut self,
        e: Expr,
        input: Oid,
        target: Oid,
        typmod: i32,
        cx: Context,
        form: CoercionForm,
        location: Location,
    ) -> Result<Expr> {
        Ok(self.coerce_type_changed(e, input, target, typmod, cx, form, location)?.0)
    }

    fn coerce_type_changed(
        &mut self,
        e: Expr,
        input: Oid,
        target: Oid,
        typmod: i32,
        cx: Context,
        form: CoercionForm,
        location: Location,
    ) -> Result<(Expr, bool)> {
        if input == target
            || matches!(target, ANYOID | ANYELEMENTOID | ANYNONARRAYOID | ANYCOMPATIBLEOID | ANYCOMPATIBLENONARRAYOID)
        {
            return Ok((e, false));
        }
        if is_polymorphic(target) && input != UNKNOWNOID {
            let base = self.cat().base_of(input)?;
            if base == input {
                return Ok((e, false));
            }
            let ty = TypeMod { oid: base, typmod: -1, collation: Oid::INVALID };
            let r = RelabelType { arg: e, resulttype: ty, relabelformat: form, location };
            return Ok((Expr::RelabelType(Box::new(r)), true));
        }
        if input == UNKNOWNOID {
            match e {
                Expr::Const(c) => return Ok((self.coerce_literal(c, target, typmod, cx, form, location)?, true)),
                Expr::Param(p) if self.is_variable_param(&p) => {
                    let (p, changed) = self.coerce_param(p, target, location)?;
                    return Ok((p, changed));
                }
                e => return self.coerce_known(e, input, target, typmod, cx, form, location),
            }
        }
        self.coerce_known(e, input, target, typmod, cx, form, location)
    }

    fn coerce_known(
        &mut self,
        e: Expr,
        input: Oid,
        target: Oid,
        typmod: i32,
        cx: Context,
        form: CoercionForm,
        location: Location,
    ) -> Result<(Expr, bool)> {
        if let Expr::CollateExpr(c) = e {
            let arg = self.coerce_type(c.arg, input, target, typmod, cx, form, location)?;
            let r = match self.cat().is_collatable(target)? {
                true => Expr::CollateExpr(Box::new(CollateExpr { arg, ..*c })),
                false => arg,
            };
            return Ok((r, true));
        }
        match find_path(self.cat(), target, input, cx)? {
            Some(Path::Relabel) => {
                let base = self.cat().base_type(target, -1)?;
                if base.0 != target {
                    let r = self.coerce_to_domain(e, Oid::INVALID, -1, target, cx, form, location, false)?;
                    return Ok((r, true));
                }
                let ty = TypeMod { oid: target, typmod: -1, collation: Oid::INVALID };
                let r = RelabelType { arg: e, resulttype: ty, relabelformat: form, location };
                return Ok((Expr::RelabelType(Box::new(r)), true));
            }
            Some(path) => {
                let (base, basemod) = self.cat().base_type(target, typmod)?;
                let r = self.build_coercion(e, path, base, basemod, cx, form, location)?;
                let r = match target == base {
                    true => r,
                    false => self.coerce_to_domain(r, base, basemod, target, cx, form, location, true)?,
                };
                return Ok((r, true));
            }
            None => {}
        }
        let c = self.cat();
        if input == RECORDOID && is_complex(c, target)? {
            return Ok((self.coerce_record(e, target, cx, form, location)?, true));
        }
        if (target == RECORDOID && is_complex(c, input)?) || (target == RECORDARRAYOID && is_complex_array(c, input)?) {
            return Ok((e, false));
        }
        if inherits_from(c, input, target)? || is_of_typed_table(c, input, target)? {
            let base = c.base_of(input)?;
            let arg = if base == input {
                e
            } else {
                let ty = TypeMod { oid: base, typmod: -1, collation: Oid::INVALID };
                let f = CoercionForm::ImplicitCast;
                Expr::RelabelType(Box::new(RelabelType { arg: e, resulttype: ty, relabelformat: f, location }))
            };
            let r = ConvertRowtypeExpr { arg, resulttype: target, convertformat: form, location };
            return Ok((Expr::ConvertRowtypeExpr(Box::new(r)), true));
        }
        let (from, to) = (format_type(c, input)?, format_type(c, target)?);
        Err(PgError::internal(format!("failed to find conversion function from {from} to {to}")))
    }

    /// A literal of no type yet becomes one by the type's input function.
    fn coerce_literal(
        &mut self,
        lit: Const,
        target: Oid,
        typmod: i32,
        cx: Context,
        form: CoercionForm,
        location: Location,
    ) -> Result<Expr> {
        let (base, basemod) = self.cat().base_type(target, typmod)?;
        // An interval's modifier says which fields a literal is made of, so the input function must know it.
        let inputmod = if base == INTERVALOID { basemod } else { -1 };
        let t = self.cat().type_row(base)?;
        let value = if lit.value.is_null() {
            Datum::Null
        } else {
            input_literal(self.cx, &t, lit.value.as_ref().as_bytes(), inputmod).map_err(|e| e.at(lit.location))?
        };
        let ty = TypeMod { oid: base, typmod: inputmod, collation: t.typcollation };
        let c = Expr::Const(Const { ty, len: t.typlen, byval: t.typbyval, value, location: lit.location });
        if base == target {
            return Ok(c);
        }
        self.coerce_to_domain(c, base, basemod, target, cx, form, location, false)
    }

    fn is_variable_param(&self, p: &Param) -> bool {
        p.kind == ParamKind::Extern && matches!(self.params, ParamTypes::Variable(_))
    }

    /// The type of `$n` follows from its first use. (PostgreSQL: `variable_coerce_param_hook`)
    fn coerce_param(&mut self, mut p: Param, target: Oid, location: Location) -> Result<(Expr, bool)> {
        let n = p.id;
        let ParamTypes::Variable(known) = &mut *self.params else { return Ok((Expr::Param(p), false)) };
        let Some(slot) = known.get_mut((n - 1).max(0) as usize) else {
            return Err(PgError::new(UNDEFINED_PARAMETER, format!("there is no parameter ${n}")).at(p.location));
        };
        if *slot == UNKNOWNOID {
            *slot = target;
        } else if *slot != target {
            let (a, b) = (format_type(&self.cx.catalog, *slot)?, format_type(&self.cx.catalog, target)?);
            return Err(PgError::new(AMBIGUOUS_PARAMETER, format!("inconsistent types deduced for parameter ${n}"))
                .detail(format!("{a} versus {b}"))
                .at(p.location));
        }
        p.ty = TypeMod { oid: target, typmod: -1, collation: self.cx.catalog.type_collation(target)? };
        p.location = leftmost(p.location, location);
        Ok((Expr::Param(p), true))
    }

    /// (PostgreSQL: `coerce_to_domain`) An invalid base means that it is to be looked up.
    pub(crate) fn coerce_to_domain(
        &mut self,
        mut arg: Expr,
        mut base: Oid,
        mut basemod: i32,
        target: Oid,
        cx: Context,
        form: CoercionForm,
        location: Location,
        hide_input: bool,
    ) -> Result<Expr> {
        if !base.is_valid() {
            (base, basemod) = self.cat().base_type(target, basemod)?;
        }
        if base == target {
            return Ok(arg);
        }
        if hide_input {
            hide(&mut arg);
        }
        let f = CoercionForm::ImplicitCast;
        let arg = self.coerce_type_typmod(arg, base, basemod, cx, f, location, false)?;
        let resulttype = TypeMod { oid: target, typmod: -1, collation: Oid::INVALID };
        Ok(Expr::CoerceToDomain(Box::new(CoerceToDomain { arg, resulttype, coercionformat: form, location })))
    }

    /// Applies a modifier, such as a length. (PostgreSQL: `coerce_type_typmod`)
    pub(crate) fn coerce_type_typmod(
        &mut self,
        mut e: Expr,
        target: Oid,
        typmod: i32,
        cx: Context,
        form: CoercionForm,
        location: Location,
        hide_input: bool,
    ) -> Result<Expr> {
        if typmod == e.typmod() {
            return Ok(e);
        }
        if hide_input {
            hide(&mut e);
        }
        let path = if typmod < 0 { None } else { find_typmod_path(self.cat(), target)? };
        match path {
            Some(path) => self.build_coercion(e, path, target, typmod, cx, form, location),
            None => {
                let ty = TypeMod { oid: target, typmod, collation: e.collation() };
                Ok(apply_relabel(e, ty, form, location))
            }
        }
    }

    fn build_coercion(
        &mut self,
        e: Expr,
        path: Path,
        target: Oid,
        typmod: i32,
        cx: Context,
        form: CoercionForm,
        location: Location,
    ) -> Result<Expr> {
        Ok(match path {
            Path::Func(funcid) => {
                let nargs = self.cat().function_row(funcid)?.pronargs;
                let mut args = vec![e];
                if nargs >= 2 {
                    args.push(int4_const(typmod));
                }
                if nargs >= 3 {
                    args.push(bool_const(cx == Context::Explicit));
                }
                Expr::FuncExpr(Box::new(FuncExpr {
                    funcid,
                    funcresulttype: target,
                    funcresulttypmod: -1,
                    funcretset: false,
                    funcvariadic: false,
                    funcformat: form,
                    funccollid: Oid::INVALID,
                    inputcollid: Oid::INVALID,
                    args,
                    location,
                }))
            }
            Path::Array => {
                let (sbase, smod) = self.cat().base_type(e.type_oid(), e.typmod())?;
                let selem = self.cat().elem_of(sbase)?;
                let telem = self.cat().elem_of(target)?;
                let test = Expr::CaseTestExpr(TypeMod { oid: selem, typmod: smod, collation: Oid::INVALID });
                let elemexpr = self
                    .coerce_to_target_type(test, selem, telem, typmod, cx, form, location)?
                    .ok_or_else(|| PgError::internal("failed to coerce array element type as expected"))?;
                let resulttype = TypeMod { oid: target, typmod: elemexpr.typmod(), collation: Oid::INVALID };
                let a = ArrayCoerceExpr { arg: e, elemexpr, resulttype, coerceformat: form, location };
                Expr::ArrayCoerceExpr(Box::new(a))
            }
            Path::ViaIo => Expr::CoerceViaIO(Box::new(CoerceViaIO {
                arg: e,
                resulttype: target,
                resultcollid: Oid::INVALID,
                coerceformat: form,
                location,
            })),
            Path::Relabel => {
                let resulttype = TypeMod { oid: target, typmod: -1, collation: Oid::INVALID };
                Expr::RelabelType(Box::new(RelabelType { arg: e, resulttype, relabelformat: form, location }))
            }
        })
    }

    /// A row constructor or whole-row variable as a named row type. (PostgreSQL: `coerce_record_to_complex`)
    fn coerce_record(&mut self, e: Expr, target: Oid, cx: Context, form: CoercionForm, at: Location) -> Result<Expr> {
        let target_name = format_type(self.cat(), target)?;
        let cannot = || PgError::new(CANNOT_COERCE, format!("cannot cast type record to {target_name}"));
        let place = if at.is_known() { at } else { e.location() };
        let (args, location) = match e {
            Expr::RowExpr(r) => (r.args, r.location),
            Expr::Var(v) if v.varattno == 0 => {
                let up = v.varlevelsup;
                (self.expand_rte_vars(v.varno, up, v.location)?, v.location)
            }
            _ => return Err(cannot().at(place)),
        };
        let (base, basemod) = self.cat().base_type(target, -1)?;
        let _ = basemod;
        let relid = self.cat().type_relid(base)?;
        let attrs = self.cat().attributes(relid)?;
        let mut args = args.into_iter();
        let mut new = Vec::with_capacity(attrs.len());
        let mut n = 1;
        for a in &attrs {
            if a.attisdropped {
                new.push(null_const(INT4OID, 4, true));
                continue;
            }
            let Some(arg) = args.next() else {
                return Err(cannot().detail("Input has too few columns.").at(place));
            };
            let (t, l) = (arg.type_oid(), arg.location());
            let f = CoercionForm::ImplicitCast;
            match self.coerce_to_target_type(arg, t, a.atttypid, a.atttypmod, cx, f, Location::UNKNOWN)? {
                Some(e) => new.push(e),
                None => {
                    let (from, to) = (format_type(self.cat(), t)?, format_type(self.cat(), a.atttypid)?);
                    let l = if at.is_known() { at } else { l };
                    return Err(cannot().detail(format!("Cannot cast type {from} to {to} in column {n}.")).at(l));
                }
            }
            n += 1;
        }
        if args.next().is_some() {
            return Err(cannot().detail("Input has too many columns.").at(place));
        }
        let row = Expr::RowExpr(Box::new(RowExpr {
            args: new,
            row_typeid: base,
            row_format: form,
            colnames: Vec::new(),
            location,
        }));
        if base == target {
            return Ok(row);
        }
        let mut row = row;
        if let Expr::RowExpr(r) = &mut row {
            r.row_format = CoercionForm::ImplicitCast;
        }
        self.coerce_to_domain(row, base, -1, target, cx, form, location, false)
    }

    /// For WHERE, AND and such. (PostgreSQL: `coerce_to_boolean`)
    pub(crate) fn coerce_to_boolean(&mut self, e: Expr, construct: &str) -> Result<Expr> {
        let t = e.type_oid();
        let l = e.location();
        if t != BOOLOID {
            let f = CoercionForm::ImplicitCast;
            let r = self.coerce_to_target_type(e, t, BOOLOID, -1, Context::Assignment, f, Location::UNKNOWN)?;
            let Some(r) = r else {
                let name = format_type(self.cat(), t)?;
                let m = format!("argument of {construct} must be type boolean, not type {name}");
                return Err(PgError::new(DATATYPE_MISMATCH, m).at(l));
            };
            return self.no_set(r, l, construct);
        }
        self.no_set(e, l, construct)
    }

    fn no_set(&self, e: Expr, l: Location, construct: &str) -> Result<Expr> {
        if crate::walker::returns_set(&e)? {
            let m = format!("argument of {construct} must not return a set");
            return Err(PgError::new(DATATYPE_MISMATCH, m).at(l));
        }
        Ok(e)
    }

    /// (PostgreSQL: `coerce_to_specific_type_typmod`)
    pub(crate) fn coerce_to_specific(&mut self, e: Expr, target: Oid, typmod: i32, construct: &str) -> Result<Expr> {
        let t = e.type_oid();
        let l = e.location();
        let mut e = e;
        if t != target {
            let f = CoercionForm::ImplicitCast;
            match self.coerce_to_target_type(e, t, target, typmod, Context::Assignment, f, Location::UNKNOWN)? {
                Some(r) => e = r,
                None => {
                    let (to, from) = (format_type(self.cat(), target)?, format_type(self.cat(), t)?);
                    let m = format!("argument of {construct} must be type {to}, not type {from}");
                    return Err(PgError::new(DATATYPE_MISMATCH, m).at(l));
                }
            }
        }
        self.no_set(e, l, construct)
    }

    /// The type that several expressions can share, and which of them gave it. Without a context `None` where there is none.
    /// (PostgreSQL: `select_common_type`)
    pub(crate) fn select_common_type(&self, exprs: &[&Expr], context: Option<&str>) -> Result<Option<(Oid, usize)>> {
        let c = self.cat();
        let types: Vec<Oid> = exprs.iter().map(|e| e.type_oid()).collect();
        match common_type(c, &types)? {
            Common::Type(t, i) => Ok(Some((t, i))),
            Common::Mismatch(a, b, i) => match context {
                None => Ok(None),
                Some(context) => {
                    let (a, b) = (format_type(c, a)?, format_type(c, b)?);
                    let m = format!("{context} types {a} and {b} cannot be matched");
                    Err(PgError::new(DATATYPE_MISMATCH, m).at(exprs[i].location()))
                }
            },
        }
    }

    /// (PostgreSQL: `coerce_to_common_type`)
    pub(crate) fn coerce_to_common_type(&mut self, e: Expr, target: Oid, context: &str) -> Result<Expr> {
        let t = e.type_oid();
        if t == target {
            return Ok(e);
        }
        if can_coerce(self.cat(), &[t], &[target], Context::Implicit)? {
            let f = CoercionForm::ImplicitCast;
            return self.coerce_type(e, t, target, -1, Context::Implicit, f, Location::UNKNOWN);
        }
        let (a, b) = (format_type(self.cat(), t)?, format_type(self.cat(), target)?);
        Err(PgError::new(CANNOT_COERCE, format!("{context} could not convert type {a} to {b}")).at(e.location()))
    }

    /// Whether all can become the type. (PostgreSQL: `verify_common_type`)
    pub(crate) fn verify_common_type(&self, t: Oid, exprs: &[&Expr]) -> Result<bool> {
        for e in exprs {
            if !can_coerce(self.cat(), &[e.type_oid()], &[t], Context::Implicit)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// All `$n` got one type each. (PostgreSQL: `check_variable_parameters`)
    pub(crate) fn check_params(&self, q: &Query) -> Result<()> {
        struct Check<'a>(&'a [Oid]);
        impl crate::walker::Walker for Check<'_> {
            type Break = PgError;
            fn expr(&mut self, e: &Expr) -> Result<()> {
                if let Expr::Param(p) = e
                    && p.kind == ParamKind::Extern
                {
                    let known = usize::try_from(p.id - 1).ok().and_then(|i| self.0.get(i));
                    let Some(&t) = known else {
                        let m = format!("there is no parameter ${}", p.id);
                        return Err(PgError::new(UNDEFINED_PARAMETER, m).at(p.location));
                    };
                    if p.ty.oid != t {
                        let m = format!("could not determine data type of parameter ${}", p.id);
                        return Err(PgError::new(AMBIGUOUS_PARAMETER, m).at(p.location));
                    }
                }
                crate::walker::walk_expr(self, e)
            }
            fn query(&mut self, q: &Query) -> Result<()> {
                crate::walker::walk_query(self, q)
            }
        }
        let ParamTypes::Variable(known) = &*self.params else { return Ok(()) };
        if known.is_empty() {
            return Ok(());
        }
        use crate::walker::Walker;
        Check(known).query(q)?;
        // Declared but never used in a way that tells their type.
        for (i, t) in known.iter().enumerate() {
            if *t == UNKNOWNOID || !t.is_valid() {
                let m = format!("could not determine data type of parameter ${}", i + 1);
                return Err(PgError::new(INDETERMINATE_DATATYPE, m));
            }
        }
        Ok(())
    }
}

/// What several types have in common.
pub(crate) enum Common {
    Type(Oid, usize),
    /// Two of different categories, and the place of the second.
    Mismatch(Oid, Oid, usize),
}

/// (PostgreSQL: `select_common_type`, `select_common_type_from_oids`)
pub(crate) fn common_type(c: &catalog::Catalog, types: &[Oid]) -> Result<Common> {
    let Some(&first) = types.first() else { return Ok(Common::Type(TEXTOID, 0)) };
    let mut from = 1;
    if first != UNKNOWNOID {
        match types.iter().position(|t| *t != first) {
            None => return Ok(Common::Type(first, 0)),
            Some(i) => from = i,
        }
    }
    let (mut t, mut which) = (c.base_of(first)?, 0);
    let (mut category, mut preferred) = category_preferred(c, t)?;
    for (i, &n) in types.iter().enumerate().skip(from) {
        let n = c.base_of(n)?;
        if n == UNKNOWNOID || n == t {
            continue;
        }
        let (ncategory, npreferred) = category_preferred(c, n)?;
        let take = if t == UNKNOWNOID {
            true
        } else if ncategory != category {
            return Ok(Common::Mismatch(t, n, i));
        } else {
            !preferred
                && can_coerce(c, &[t], &[n], Context::Implicit)?
                && !can_coerce(c, &[n], &[t], Context::Implicit)?
        };
        if take {
            (t, which, category, preferred) = (n, i, ncategory, npreferred);
        }
    }
    Ok(Common::Type(if t == UNKNOWNOID { TEXTOID } else { t }, which))
}

/// The value that a type's input function makes of a literal.
pub(crate) fn input_literal(
    cx: &mut crate::AnalyzeContext<'_>,
    t: &catalog::PgType,
    text: &[u8],
    typmod: i32,
) -> Result<Datum> {
    // The commonest ones need no call.
    match t.oid {
        TEXTOID => return Ok(Datum::bytes(text)),
        VARCHAROID if typmod < 0 => return Ok(Datum::bytes(text)),
        _ => {}
    }
    let ioparam = if t.typelem.is_valid() { t.typelem } else { t.oid };
    let m = Datum::i32(typmod);
    let args = [DatumRef::Bytes(text), DatumRef::Word(Datum::oid(ioparam).as_ref().word()), m.as_ref()];
    let nargs = cx.catalog.function_row(t.typinput)?.pronargs as usize;
    cx.rt.call(t.typinput, Oid::INVALID, &args[..nargs.clamp(1, 3)])
}

pub(crate) fn plain(oid: Oid) -> TypeMod {
    TypeMod { oid, typmod: -1, collation: Oid::INVALID }
}
pub(crate) fn int4_const(v: i32) -> Expr {
    Expr::Const(Const { ty: plain(INT4OID), len: 4, byval: true, value: Datum::i32(v), location: Location::UNKNOWN })
}
pub(crate) fn bool_const(v: bool) -> Expr {
    bool_const_at(v, Location::UNKNOWN)
}
pub(crate) fn bool_const_at(v: bool, location: Location) -> Expr {
    Expr::Const(Const { ty: plain(BOOLOID), len: 1, byval: true, value: Datum::bool(v), location })
}
pub(crate) fn null_const(oid: Oid, len: i16, byval: bool) -> Expr {
    Expr::Const(Const { ty: plain(oid), len, byval, value: Datum::Null, location: Location::UNKNOWN })
}
/// A literal whose type is to be found out.
pub(crate) fn unknown_const(value: Datum, location: Location) -> Expr {
    Expr::Const(Const { ty: plain(UNKNOWNOID), len: -2, byval: false, value, location })
}

/// Whether it is an array or a domain over one. (PostgreSQL: `type_is_array_domain`)
pub(crate) fn is_array_domain(c: &catalog::Catalog, t: Oid) -> Result<bool> {
    Ok(c.base_elem_of(t)?.is_valid())
}

/// Whether it is a composite type or a domain over one, or `record`.
pub(crate) fn is_domain(c: &catalog::Catalog, t: Oid) -> Result<bool> {
    Ok(c.typtype_of(t)? == typtype::DOMAIN)
}
