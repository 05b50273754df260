//! What PL/pgSQL needs of the analyzer beyond its hooks: assignments, and conversions as only it allows them.
//!
//! PostgreSQL: `transformPLAssignStmt`, `get_cast_hashentry`.

use base::error::Location;
use base::sqlstate::{DATATYPE_MISMATCH, SYNTAX_ERROR};
use base::{Oid, PgError, Result};
use parser::ast;
use types::oid::*;

use crate::coerce::{Context, is_complex};
use crate::context::{AnalyzeContext, ParamTypes};
use crate::lookup::{Lookup, format_type};
use crate::query::*;
use crate::state::Analyzer;

/// `target[indirection] := expr`: a query for the target's new value. The context's hooks know the target.
pub fn analyze_assignment(cx: &mut AnalyzeContext<'_>, stmt: &ast::PLAssignStmt, source: &str) -> Result<Query> {
    let mut params = ParamTypes::None;
    let mut a = Analyzer::new(cx, source, &mut params);
    a.plpgsql = true;
    a.assignment(stmt)
}

/// The conversion of `$1` from a type to another; `None` where nothing is to be done. All else goes by way of text.
pub fn plpgsql_cast(cx: &mut AnalyzeContext<'_>, from: Oid, from_typmod: i32, to: TypeMod) -> Result<Option<Expr>> {
    let from_collation = cx.catalog.type_collation(from)?;
    let ty = TypeMod { oid: from, typmod: from_typmod, collation: from_collation };
    let arg = Expr::Param(Param { kind: ParamKind::Extern, id: 1, ty, location: Location::UNKNOWN });
    let mut params = ParamTypes::None;
    let mut a = Analyzer::new(cx, "", &mut params);
    let form = CoercionForm::ImplicitCast;
    // A value of type void or unknown has no cast; unknown is text for this purpose.
    let cast = match from == UNKNOWNOID || to.oid == RECORDOID {
        true => None,
        false => {
            a.coerce_to_target_type(arg.clone(), from, to.oid, to.typmod, Context::Plpgsql, form, Location::UNKNOWN)?
        }
    };
    let mut e = match cast {
        Some(e) => e,
        None => {
            let e = Expr::CoerceViaIO(Box::new(CoerceViaIO {
                arg,
                resulttype: to.oid,
                resultcollid: to.collation,
                coerceformat: form,
                location: Location::UNKNOWN,
            }));
            let done =
                a.coerce_to_target_type(e, to.oid, to.oid, to.typmod, Context::Assignment, form, Location::UNKNOWN)?;
            done.ok_or_else(|| PgError::internal("a type that does not become itself"))?
        }
    };
    a.assign_collations(&mut e)?;
    let nothing = match &e {
        Expr::Param(_) => true,
        Expr::RelabelType(r) => matches!(r.arg, Expr::Param(_)),
        _ => false,
    };
    Ok((!nothing).then_some(e))
}

/// The conversion of `$1` that an assignment allows: `None` where there is no such, `Some(None)` where nothing is to be done.
/// (PostgreSQL: `coerce_fn_result_column`)
pub fn result_cast(
    cx: &mut AnalyzeContext<'_>,
    from: Oid,
    from_typmod: i32,
    to: Oid,
    to_typmod: i32,
) -> Result<Option<Option<Expr>>> {
    if from == to && (to_typmod < 0 || to_typmod == from_typmod) {
        return Ok(Some(None));
    }
    let ty = TypeMod { oid: from, typmod: from_typmod, collation: cx.catalog.type_collation(from)? };
    let arg = Expr::Param(Param { kind: ParamKind::Extern, id: 1, ty, location: Location::UNKNOWN });
    let mut params = ParamTypes::None;
    let mut a = Analyzer::new(cx, "", &mut params);
    let (form, how) = (CoercionForm::ImplicitCast, Context::Assignment);
    let Some(mut e) = a.coerce_to_target_type(arg, from, to, to_typmod, how, form, Location::UNKNOWN)? else {
        return Ok(None);
    };
    a.assign_collations(&mut e)?;
    let nothing = match &e {
        Expr::Param(_) => true,
        Expr::RelabelType(r) => matches!(r.arg, Expr::Param(_)),
        _ => false,
    };
    Ok(Some((!nothing).then_some(e)))
}

impl Analyzer<'_, '_> {
    fn assignment(&mut self, stmt: &ast::PLAssignStmt) -> Result<Query> {
        // The first names are the variable's.
        let own = (stmt.nnames - 1).clamp(0, stmt.indirection.len() as i32) as usize;
        let mut fields = vec![ast::Field::Name(stmt.name.clone())];
        for step in &stmt.indirection[..own] {
            match step {
                ast::Indirection::Field(f) => fields.push(ast::Field::Name(f.clone())),
                _ => return Err(PgError::internal("a variable's name with subscripts")),
            }
        }
        let steps = &stmt.indirection[own..];
        let target = match stmt.name.strip_prefix('$').and_then(|n| n.parse::<i32>().ok()) {
            Some(number) if own == 0 => {
                let p = ast::ParamRef { number, location: stmt.location };
                self.transform_expr(&ast::Expr::ParamRef(p), crate::state::ExprKind::UpdateTarget)?
            }
            _ => {
                let name = ast::ColumnRef { fields, location: stmt.location };
                self.transform_expr(&ast::Expr::ColumnRef(name), crate::state::ExprKind::UpdateTarget)?
            }
        };
        let ty = target.type_mod();
        self.lv().resolve_unknowns = false;
        let mut q = self.select(&stmt.val)?;
        let mut columns = q.target_list.iter_mut().filter(|t| !t.resjunk);
        let (Some(column), None) = (columns.next(), columns.next()) else {
            let n = q.target_list.iter().filter(|t| !t.resjunk).count();
            let s = if n == 1 { "" } else { "s" };
            return Err(PgError::new(SYNTAX_ERROR, format!("assignment source returned {n} column{s}")));
        };
        let from = column.expr.type_oid();
        let value = std::mem::replace(&mut column.expr, Expr::CaseTestExpr(ty));
        let complex = |a: &Self, t: Oid| Ok::<_, PgError>(t == RECORDOID || is_complex(a.cat(), t)?);
        let value = if !steps.is_empty() {
            let at = target.location();
            self.assignment_indirection(Some(target), &stmt.name, false, ty, steps, value, at)?
        } else if from != ty.oid && complex(self, from)? && complex(self, ty.oid)? {
            // Rows are converted when they are stored.
            value
        } else {
            let at = value.location();
            let (form, cx) = (CoercionForm::ImplicitCast, Context::Plpgsql);
            match self.coerce_to_target_type(value, from, ty.oid, ty.typmod, cx, form, Location::UNKNOWN)? {
                Some(e) => e,
                None => {
                    let (to, from) = (format_type(self.cat(), ty.oid)?, format_type(self.cat(), from)?);
                    let m = format!("variable \"{}\" is of type {to} but expression is of type {from}", stmt.name);
                    let hint = "You will need to rewrite or cast the expression.";
                    return Err(PgError::new(DATATYPE_MISMATCH, m).hint(hint).at(at));
                }
            }
        };
        if let Some(column) = q.target_list.iter_mut().find(|t| !t.resjunk) {
            column.expr = value;
        }
        self.assign_query_collations(&mut q)?;
        Ok(q)
    }
}

/// CALL, its arguments sorted into those that go in and those that take results.
pub struct AnalyzedCall {
    /// A `FuncExpr` over the input arguments alone, defaults filled in.
    pub call: Expr,
    /// Of output arguments what was given for them, by the parameter's place among all.
    outputs: Vec<(usize, Expr)>,
}

impl AnalyzedCall {
    pub fn output(&self, parameter: usize) -> Option<&Expr> {
        self.outputs.iter().find(|o| o.0 == parameter).map(|o| &o.1)
    }
}

/// (PostgreSQL: `transformCallStmt`)
pub fn call_statement(cx: &mut AnalyzeContext<'_>, f: &ast::FuncCall, source: &str) -> Result<AnalyzedCall> {
    let Expr::FuncExpr(mut call) = crate::ddl::call_procedure(cx, f, source)? else {
        return Err(PgError::internal("a call that is none"));
    };
    let proc = cx.catalog.function_row(call.funcid)?;
    let types = proc.proallargtypes.clone().unwrap_or_else(|| proc.proargtypes.clone());
    let modes = proc.proargmodes.clone().unwrap_or_else(|| vec![b'i'; types.len()]);
    let mut slots: Vec<Option<Expr>> = vec![None; types.len()];
    for (i, a) in std::mem::take(&mut call.args).into_iter().enumerate() {
        let (at, e) = match a {
            Expr::NamedArgExpr(x) => (x.argnumber as usize, x.arg),
            e => (i, e),
        };
        let slot = slots.get_mut(at).ok_or_else(|| PgError::internal("an argument of no parameter"))?;
        *slot = Some(e);
    }
    let defaults = match &proc.proargdefaults {
        Some(text) => crate::nodes::read_exprs(text, &cx.catalog)?,
        None => Vec::new(),
    };
    let is_input = |m: &u8| matches!(m, b'i' | b'b' | b'v');
    let inputs = modes.iter().filter(|m| is_input(m)).count();
    let first = inputs.saturating_sub(defaults.len());
    let (mut outputs, mut input) = (Vec::new(), 0usize);
    for (i, (slot, mode)) in slots.into_iter().zip(&modes).enumerate() {
        if matches!(mode, b'o' | b'b')
            && let Some(e) = &slot
        {
            outputs.push((i, e.clone()));
        }
        if is_input(mode) {
            let default = || input.checked_sub(first).and_then(|k: usize| defaults.get(k)).cloned();
            let missing = || PgError::internal("not enough default arguments");
            let e = match slot {
                Some(e) => e,
                None => default().ok_or_else(missing)?,
            };
            call.args.push(e);
            input += 1;
        }
    }
    Ok(AnalyzedCall { call: Expr::FuncExpr(call), outputs })
}

/// The two families of polymorphic types: what their element types are, their ranges.
#[derive(Default)]
pub struct PolyTypes {
    element: [Option<Oid>; 2],
    range: [Option<Oid>; 2],
}

fn family(t: Oid) -> usize {
    usize::from(matches!(
        t,
        ANYCOMPATIBLEOID
            | ANYCOMPATIBLEARRAYOID
            | ANYCOMPATIBLENONARRAYOID
            | ANYCOMPATIBLERANGEOID
            | ANYCOMPATIBLEMULTIRANGEOID
    ))
}

impl PolyTypes {
    /// What an argument's actual type tells.
    pub fn learn(&mut self, c: &catalog::Catalog, declared: Oid, actual: Oid) -> Result<()> {
        let at = family(declared);
        let (base, _) = c.base_type(actual, -1)?;
        match declared {
            ANYELEMENTOID | ANYNONARRAYOID | ANYENUMOID | ANYCOMPATIBLEOID | ANYCOMPATIBLENONARRAYOID => {
                self.element[at].get_or_insert(actual);
            }
            ANYARRAYOID | ANYCOMPATIBLEARRAYOID => {
                if let Some(e) = c.element_type(base)? {
                    self.element[at].get_or_insert(e);
                }
            }
            ANYRANGEOID | ANYCOMPATIBLERANGEOID => {
                self.range[at].get_or_insert(base);
                let subtype = c.range_subtype(base)?;
                if subtype.is_valid() {
                    self.element[at].get_or_insert(subtype);
                }
            }
            ANYMULTIRANGEOID | ANYCOMPATIBLEMULTIRANGEOID => {
                let range = c.multirange_range(base)?;
                if range.is_valid() {
                    self.range[at].get_or_insert(range);
                    let subtype = c.range_subtype(range)?;
                    self.element[at].get_or_insert(subtype);
                }
            }
            _ => {}
        }
        Ok(())
    }
    /// What a declared type is in this call; `None` if that is not known.
    pub fn resolve(&self, c: &catalog::Catalog, declared: Oid) -> Result<Option<Oid>> {
        let at = family(declared);
        Ok(match declared {
            ANYELEMENTOID | ANYNONARRAYOID | ANYENUMOID | ANYCOMPATIBLEOID | ANYCOMPATIBLENONARRAYOID => {
                self.element[at]
            }
            ANYARRAYOID | ANYCOMPATIBLEARRAYOID => match self.element[at] {
                Some(e) => c.array_type(e)?,
                None => None,
            },
            ANYRANGEOID | ANYCOMPATIBLERANGEOID => self.range[at],
            ANYMULTIRANGEOID | ANYCOMPATIBLEMULTIRANGEOID => match self.range[at] {
                Some(r) => c.range_multirange(r)?.valid(),
                None => None,
            },
            other => Some(other),
        })
    }
}

/// The types of a function's output columns in a call with those argument types, with their names; `None` if it has none.
pub fn output_columns(
    c: &catalog::Catalog,
    proc: &catalog::PgProc,
    arg_types: &[Oid],
) -> Result<Option<Vec<(String, Oid)>>> {
    let (Some(types), Some(modes)) = (&proc.proallargtypes, &proc.proargmodes) else { return Ok(None) };
    let names = proc.proargnames.as_deref().unwrap_or_default();
    let mut poly = PolyTypes::default();
    for (declared, actual) in proc.proargtypes.iter().zip(arg_types) {
        poly.learn(c, *declared, *actual)?;
    }
    let mut out = Vec::new();
    for (i, (ty, mode)) in types.iter().zip(modes).enumerate() {
        if matches!(mode, b'o' | b'b' | b't') {
            let name = names.get(i).filter(|n| !n.is_empty()).cloned();
            let name = name.unwrap_or_else(|| format!("column{}", out.len() + 1));
            out.push((name, poly.resolve(c, *ty)?.unwrap_or(*ty)));
        }
    }
    Ok((!out.is_empty()).then_some(out))
}
