//! Function calls: resolution, casts written as calls, column selection written as a call, aggregates and window functions.
//!
//! PostgreSQL: `parser/parse_func.c`.

use std::sync::Arc;

use base::error::Location;
use base::sqlstate::*;
use base::{Oid, PgError, Result};
use catalog::{Catalog, PgProc};
use parser::ast;
use types::oid::*;

use crate::coerce::{CATEGORY_STRING, Context, Path, find_path, is_complex, type_category};
use crate::lookup::{Lookup, format_type};
use crate::poly;
use crate::query::*;
use crate::resolve::{Candidate, FindFunctions, function_candidates, matching, select};
use crate::state::{Analyzer, ExprKind};

/// `name(type, name => type)`, for messages. (PostgreSQL: `func_signature_string`)
pub(crate) fn signature(c: &Catalog, names: &[String], argnames: &[String], types: &[Oid]) -> Result<String> {
    let positional = types.len() - argnames.len();
    let mut parts = Vec::with_capacity(types.len());
    for (i, t) in types.iter().enumerate() {
        let t = format_type(c, *t)?;
        parts.push(if i >= positional { format!("{} => {t}", argnames[i - positional]) } else { t });
    }
    Ok(format!("{}({})", names.join("."), parts.join(", ")))
}

/// What a name with arguments turned out to be. (PostgreSQL: `FuncDetailCode`)
enum Detail {
    NotFound,
    Multiple,
    Function(Arc<PgProc>, Candidate),
    /// A type's name used as a function.
    Coercion(Oid),
}

/// (PostgreSQL: `func_get_detail`)
fn detail(
    c: &Catalog,
    names: &[String],
    args: &[Oid],
    argnames: &[String],
    how: FindFunctions,
    may_coerce: bool,
) -> Result<Detail> {
    let mut all = function_candidates(c, names, Some(args.len()), argnames, how)?;
    let exact = all.iter().position(|k| k.args[..args.len()] == *args);
    let best = match exact {
        Some(i) => all.swap_remove(i),
        None => {
            if may_coerce && args.len() == 1 && argnames.is_empty() {
                if let Some(target) = name_as_type(c, names)? {
                    let source = args[0];
                    let is_coercion = source == UNKNOWNOID
                        || match find_path(c, target, source, Context::Explicit)? {
                            Some(Path::Relabel) => true,
                            // A row as text is too likely a mistyped function name.
                            Some(Path::ViaIo) => {
                                !((source == RECORDOID || is_complex(c, source)?)
                                    && type_category(c, target)? == CATEGORY_STRING)
                            }
                            _ => false,
                        };
                    if is_coercion {
                        return Ok(Detail::Coercion(target));
                    }
                }
            }
            if all.is_empty() {
                return Ok(Detail::NotFound);
            }
            let mut list = matching(c, args, all)?;
            match list.len() {
                0 => return Ok(Detail::NotFound),
                1 => list.swap_remove(0),
                _ => match select(c, args, list)? {
                    Some(k) => k,
                    None => return Ok(Detail::Multiple),
                },
            }
        }
    };
    if !best.oid.is_valid() {
        return Ok(Detail::Multiple);
    }
    let p = c.function_row(best.oid)?;
    Ok(Detail::Function(p, best))
}

/// An ordinary function that a call with these arguments means, with the types it declares for them.
pub(crate) fn plain_function(
    c: &Catalog,
    names: &[String],
    args: &[Oid],
    how: FindFunctions,
) -> Result<Option<(Arc<PgProc>, Vec<Oid>)>> {
    Ok(match detail(c, names, args, &[], how, false)? {
        Detail::Function(p, best) if p.prokind == b'f' => Some((p, best.args)),
        _ => None,
    })
}

/// A type of that name which is not a row type. (PostgreSQL: `FuncNameAsType`)
fn name_as_type(c: &Catalog, names: &[String]) -> Result<Option<Oid>> {
    let (schema, name) = crate::resolve::split_name(names);
    let t = c.find_type(schema, name, true)?;
    Ok(t.filter(|t| t.typisdefined && !t.typrelid.is_valid()).map(|t| t.oid))
}

/// What a call carries besides its arguments.
pub(crate) struct CallParts<'f> {
    pub call: Option<&'f ast::FuncCall>,
    pub agg_filter: Option<Expr>,
    pub proc_call: bool,
    pub last_srf: usize,
    pub location: Location,
}

impl Analyzer<'_, '_> {
    /// A call, or `a.b` taken as `b(a)`, for which `call` is `None` and `None` means that there is no such function.
    /// (PostgreSQL: `ParseFuncOrColumn`)
    pub(crate) fn parse_func(
        &mut self,
        names: &[String],
        args: Vec<Expr>,
        parts: CallParts<'_>,
    ) -> Result<Option<Expr>> {
        let CallParts { call, agg_filter, proc_call, last_srf, location } = parts;
        let is_column = call.is_none();
        let agg_within_group = call.is_some_and(|f| f.agg_within_group);
        let agg_star = call.is_some_and(|f| f.agg_star);
        let agg_distinct = call.is_some_and(|f| f.agg_distinct);
        let mut func_variadic = call.is_some_and(|f| f.func_variadic);
        let over = call.and_then(|f| f.over.as_deref());
        let funcformat = call.map_or(CoercionForm::ExplicitCall, |f| coercion_form(f.funcformat));
        let agg_order: &[ast::SortBy] = call.map_or(&[], |f| &f.agg_order);
        if args.len() > 100 {
            let m = "cannot pass more than 100 arguments to a function";
            return Err(PgError::new(TOO_MANY_ARGUMENTS, m).at(location));
        }
        // Arguments of type void exist only in CALL and by mistake.
        let mut args: Vec<Expr> = args;
        let mut actual: Vec<Oid> = args.iter().map(Expr::type_oid).collect();
        let mut argnames: Vec<String> = Vec::new();
        for a in &args {
            match a {
                Expr::NamedArgExpr(n) => {
                    if argnames.contains(&n.name) {
                        let m = format!("argument name \"{}\" used more than once", n.name);
                        return Err(PgError::new(SYNTAX_ERROR, m).at(n.location));
                    }
                    argnames.push(n.name.clone());
                }
                a if !argnames.is_empty() => {
                    let m = "positional argument cannot follow named argument";
                    return Err(PgError::new(SYNTAX_ERROR, m).at(a.location()));
                }
                _ => {}
            }
        }
        let could_be_projection = args.len() == 1
            && !proc_call
            && agg_order.is_empty()
            && agg_filter.is_none()
            && !agg_star
            && !agg_distinct
            && over.is_none()
            && !func_variadic
            && argnames.is_empty()
            && names.len() == 1
            && (actual[0] == RECORDOID || is_complex(self.cat(), actual[0])?);
        // Column syntax on a row: a column first.
        if could_be_projection && is_column {
            if let Some(e) = self.complex_projection(&names[0], &args[0], location)? {
                return Ok(Some(e));
            }
        }
        let how = FindFunctions { expand_variadic: !func_variadic, expand_defaults: true, include_out_args: proc_call };
        let found = detail(self.cat(), names, &actual, &argnames, how, true)?;
        let name = names.join(".");
        let sig = |s: &Self| signature(s.cat(), names, &argnames, &actual);
        let wrong = |m: String| Err(PgError::new(WRONG_OBJECT_TYPE, m).at(location));
        let is_agg = |p: &PgProc| p.prokind == b'a';
        let is_win = |p: &PgProc| p.prokind == b'w';
        if let Detail::Function(p, _) = &found {
            if proc_call && p.prokind != b'p' {
                let m = format!("{} is not a procedure", sig(self)?);
                return Err(PgError::new(WRONG_OBJECT_TYPE, m).hint("To call a function, use SELECT.").at(location));
            }
            if !proc_call && p.prokind == b'p' {
                if is_column {
                    return Ok(None);
                }
                let m = format!("{} is a procedure", sig(self)?);
                return Err(PgError::new(WRONG_OBJECT_TYPE, m).hint("To call a procedure, use CALL.").at(location));
            }
        }
        let plain_call = match &found {
            Detail::Function(p, _) => !is_agg(p) && !is_win(p),
            Detail::Coercion(_) => true,
            _ => false,
        };
        if plain_call {
            if agg_star {
                return wrong(format!("{name}(*) specified, but {name} is not an aggregate function"));
            }
            let bad = [
                (agg_distinct, "DISTINCT"),
                (agg_within_group, "WITHIN GROUP"),
                (!agg_order.is_empty(), "ORDER BY"),
                (agg_filter.is_some(), "FILTER"),
            ];
            if let Some((_, what)) = bad.into_iter().find(|b| b.0) {
                return wrong(format!("{what} specified, but {name} is not an aggregate function"));
            }
            if over.is_some() {
                return wrong(format!("OVER specified, but {name} is not a window function nor an aggregate function"));
            }
        }
        let (p, best) = match found {
            Detail::Function(p, best) => (p, best),
            Detail::Coercion(target) => {
                let arg = args.remove(0);
                let (f, cx) = (CoercionForm::ExplicitCall, Context::Explicit);
                return Ok(Some(self.coerce_type(arg, actual[0], target, -1, cx, f, location)?));
            }
            Detail::Multiple => {
                if is_column {
                    return Ok(None);
                }
                let what = if proc_call { "procedure" } else { "function" };
                let m = format!("{what} {} is not unique", sig(self)?);
                let h = format!("Could not choose a best candidate {what}. You might need to add explicit type casts.");
                return Err(PgError::new(AMBIGUOUS_FUNCTION, m).hint(h).at(location));
            }
            Detail::NotFound => {
                if is_column {
                    return Ok(None);
                }
                if could_be_projection {
                    if let Some(e) = self.complex_projection(&names[0], &args[0], location)? {
                        return Ok(Some(e));
                    }
                }
                let what = if proc_call { "procedure" } else { "function" };
                let e = PgError::new(UNDEFINED_FUNCTION, format!("{what} {} does not exist", sig(self)?)).at(location);
                if agg_order.len() > 1 && !agg_within_group {
                    return Err(e.hint(
                        "No aggregate function matches the given name and argument types. Perhaps you misplaced ORDER BY; ORDER BY must appear after all regular arguments of the aggregate.",
                    ));
                }
                return Err(e.hint(format!(
                    "No {what} matches the given name and argument types. You might need to add explicit type casts."
                )));
            }
        };
        let nargs = args.len();
        let nvargs = best.nvargs;
        let mut declared: Vec<Oid> = best.args.clone();
        let mut agg_kind = b'n';
        if is_agg(&p) {
            let row = self.cat().aggregate(p.oid)?;
            let row = row.ok_or_else(|| PgError::internal(format!("cache lookup failed for aggregate {}", p.oid)))?;
            agg_kind = row.aggkind;
            if agg_kind == b'n' {
                if agg_within_group {
                    return wrong(format!("{name} is not an ordered-set aggregate, so it cannot have WITHIN GROUP"));
                }
            } else {
                if !agg_within_group {
                    return wrong(format!("WITHIN GROUP is required for ordered-set aggregate {name}"));
                }
                if over.is_some() {
                    let m = format!("OVER is not supported for ordered-set aggregate {name}");
                    return Err(PgError::new(FEATURE_NOT_SUPPORTED, m).at(location));
                }
                let ordered = agg_order.len();
                let direct = nargs - ordered;
                let wanted = row.aggnumdirectargs.max(0) as usize;
                let no_such = |hint: String| {
                    Err(PgError::new(UNDEFINED_FUNCTION, format!("function {} does not exist", sig(self)?))
                        .hint(hint)
                        .at(location))
                };
                let s = if wanted == 1 { "" } else { "s" };
                let needs = format!(
                    "There is an ordered-set aggregate {name}, but it requires {wanted} direct argument{s}, not {direct}."
                );
                if !p.provariadic.is_valid() {
                    if direct != wanted {
                        return no_such(needs);
                    }
                } else {
                    let pronargs = if nvargs > 1 { nargs - (nvargs - 1) } else { nargs };
                    if wanted < pronargs {
                        if direct != wanted {
                            return no_such(needs);
                        }
                    } else if agg_kind == b'h' {
                        if nvargs != 2 * ordered {
                            return no_such(format!(
                                "To use the hypothetical-set aggregate {name}, the number of hypothetical direct arguments (here {}) must match the number of ordering columns (here {ordered}).",
                                nvargs as i64 - ordered as i64
                            ));
                        }
                    } else if nvargs <= ordered {
                        return no_such(format!(
                            "There is an ordered-set aggregate {name}, but it requires at least {wanted} direct argument{s}."
                        ));
                    }
                }
                if agg_kind == b'h' {
                    self.unify_hypothetical(&mut args, ordered, &mut actual, &declared)?;
                }
            }
        } else if is_win(&p) {
            if over.is_none() {
                return wrong(format!("window function {name} requires an OVER clause"));
            }
            if agg_within_group {
                return wrong(format!("window function {name} cannot have WITHIN GROUP"));
            }
        }
        if let Some(numbers) = &best.argnumbers {
            for (a, n) in args.iter_mut().zip(numbers) {
                if let Expr::NamedArgExpr(x) = a {
                    x.argnumber = *n as i32;
                }
            }
        }
        // Defaults take part in finding polymorphic types; the planner puts them in.
        let mut with_defaults = actual.clone();
        if best.ndargs > 0 {
            for d in default_exprs(self.cat(), &p, &best, nargs)? {
                with_defaults.push(d.type_oid());
            }
        }
        let rettype = poly::enforce(self.cat(), &with_defaults, &mut declared, p.prorettype, false)?;
        if !p.prosecdef {
            self.check_internal(&declared[..nargs.min(declared.len())], rettype, location)?;
        }
        args = self.make_fn_arguments(args, &actual, &declared)?;
        // The arguments of a variadic call become one array, unless it takes "any".
        if nvargs > 0 && p.provariadic != ANYOID {
            let elements: Vec<Expr> = args.split_off(nargs - nvargs);
            let element = elements.first().map_or(Oid::INVALID, Expr::type_oid);
            let array = self.cat().array_of(element)?;
            let at = elements.first().map_or(Location::UNKNOWN, Expr::location);
            if !array.is_valid() {
                let m = format!("could not find array type for data type {}", format_type(self.cat(), element)?);
                return Err(PgError::new(UNDEFINED_OBJECT, m).at(at));
            }
            args.push(Expr::ArrayExpr(Box::new(ArrayExpr {
                array_typeid: array,
                array_collid: Oid::INVALID,
                element_typeid: element,
                elements,
                multidims: false,
                location: at,
            })));
            func_variadic = true;
        }
        // VARIADIC on a "any" function must still be an array.
        if args.len() == nargs && p.provariadic == ANYOID && func_variadic && nargs > 0 {
            let last = &args[nargs - 1];
            if !self.cat().base_elem_of(actual[nargs - 1])?.is_valid() {
                let m = "VARIADIC argument must be an array";
                return Err(PgError::new(DATATYPE_MISMATCH, m).at(last.location()));
            }
        }
        if p.proretset {
            self.check_srf_placement(last_srf, location)?;
        }
        if over.is_none() && !is_agg(&p) {
            if p.proretset {
                self.note_srf(location);
            }
            return Ok(Some(Expr::FuncExpr(Box::new(FuncExpr {
                funcid: p.oid,
                funcresulttype: rettype,
                funcresulttypmod: -1,
                funcretset: p.proretset,
                funcvariadic: func_variadic,
                funcformat,
                funccollid: Oid::INVALID,
                inputcollid: Oid::INVALID,
                args,
                location,
            }))));
        }
        if let Some(over) = over {
            return self
                .window_call(
                    &p,
                    &name,
                    rettype,
                    args,
                    agg_filter,
                    agg_star,
                    agg_distinct,
                    agg_order,
                    over,
                    last_srf,
                    location,
                )
                .map(Some);
        }
        if args.is_empty() && !agg_star && !agg_within_group {
            return wrong(format!("{name}(*) must be used to call a parameterless aggregate function"));
        }
        if p.proretset {
            let m = "aggregates cannot return sets";
            return Err(PgError::new(INVALID_FUNCTION_DEFINITION, m).at(location));
        }
        if !argnames.is_empty() {
            let m = "aggregates cannot use named arguments";
            return Err(PgError::new(FEATURE_NOT_SUPPORTED, m).at(location));
        }
        let agg = Aggref {
            aggfnoid: p.oid,
            aggtype: rettype,
            aggcollid: Oid::INVALID,
            inputcollid: Oid::INVALID,
            aggtranstype: Oid::INVALID,
            aggargtypes: Vec::new(),
            aggdirectargs: Vec::new(),
            args: Vec::new(),
            aggorder: Vec::new(),
            aggdistinct: Vec::new(),
            aggfilter: agg_filter,
            aggstar: agg_star,
            aggvariadic: func_variadic,
            aggkind: agg_kind,
            agglevelsup: 0,
            location,
        };
        self.aggregate_call(agg, args, agg_order, agg_distinct).map(Some)
    }

    fn window_call(
        &mut self,
        p: &PgProc,
        name: &str,
        rettype: Oid,
        args: Vec<Expr>,
        filter: Option<Expr>,
        star: bool,
        distinct: bool,
        order: &[ast::SortBy],
        over: &ast::WindowDef,
        last_srf: usize,
        location: Location,
    ) -> Result<Expr> {
        let unsupported = |m: &str| Err(PgError::new(FEATURE_NOT_SUPPORTED, m).at(location));
        if distinct {
            return unsupported("DISTINCT is not implemented for window functions");
        }
        let winagg = p.prokind == b'a';
        if winagg && args.is_empty() && !star {
            let m = format!("{name}(*) must be used to call a parameterless aggregate function");
            return Err(PgError::new(WRONG_OBJECT_TYPE, m).at(location));
        }
        if !order.is_empty() {
            return unsupported("aggregate ORDER BY is not implemented for window functions");
        }
        if !winagg && filter.is_some() {
            return unsupported("FILTER is not implemented for non-aggregate window functions");
        }
        if self.level().srfs != last_srf {
            let m = "window function calls cannot contain set-returning function calls";
            return Err(PgError::new(FEATURE_NOT_SUPPORTED, m)
                .hint("You might be able to move the set-returning function into a LATERAL FROM item.")
                .at(self.level().last_srf));
        }
        if p.proretset {
            let m = "window functions cannot return sets";
            return Err(PgError::new(INVALID_FUNCTION_DEFINITION, m).at(location));
        }
        let w = WindowFunc {
            winfnoid: p.oid,
            wintype: rettype,
            wincollid: Oid::INVALID,
            inputcollid: Oid::INVALID,
            args,
            aggfilter: filter,
            winref: 0,
            winstar: star,
            winagg,
            location,
        };
        self.window_func_call(w, over)
    }

    /// The direct arguments of a hypothetical-set aggregate are of the ordering columns' types.
    /// (PostgreSQL: `unify_hypothetical_args`)
    fn unify_hypothetical(
        &mut self,
        args: &mut [Expr],
        ordered: usize,
        actual: &mut [Oid],
        declared: &[Oid],
    ) -> Result<()> {
        let direct = args.len() - ordered;
        let first = direct
            .checked_sub(ordered)
            .ok_or_else(|| PgError::internal("incorrect number of arguments to hypothetical-set aggregate"))?;
        for h in first..direct {
            let a = ordered + h;
            if declared[h] != declared[a] {
                return Err(PgError::internal("hypothetical-set aggregate has inconsistent declared argument types"));
            }
            if declared[h] != ANYOID {
                continue;
            }
            // The ordering column decides where there is doubt.
            let pair = [&args[a], &args[h]];
            let Some((t, _)) = self.select_common_type(&pair, Some("WITHIN GROUP"))? else { continue };
            for i in [h, a] {
                let e = std::mem::replace(&mut args[i], crate::coerce::bool_const(false));
                let (f, cx) = (CoercionForm::ImplicitCast, Context::Implicit);
                args[i] = self.coerce_type(e, actual[i], t, -1, cx, f, Location::UNKNOWN)?;
                actual[i] = t;
            }
        }
        Ok(())
    }

    /// A column of a row value; `None` if it has none of that name. (PostgreSQL: `ParseComplexProjection`)
    pub(crate) fn complex_projection(&mut self, name: &str, arg: &Expr, location: Location) -> Result<Option<Expr>> {
        if let Expr::Var(v) = arg
            && v.varattno == 0
        {
            // A whole row's column is the variable itself.
            let level = self.levels.len() - 1 - v.varlevelsup as usize;
            let (no, up, returning) = (v.varno, v.varlevelsup, v.varreturning);
            let rte = self.levels[level].rte(no);
            if !matches!(rte.kind, RteKind::Join(_)) || true {
                let columns = self.rte_columns(&rte.clone())?;
                let names = columns.iter().map(|c| c.name.clone()).collect();
                let item = crate::state::NsItem {
                    names: std::rc::Rc::new(Alias {
                        aliasname: self.levels[level].rte(no).eref.aliasname.clone(),
                        colnames: names,
                    }),
                    rtindex: no,
                    perminfo: 0,
                    columns: columns
                        .iter()
                        .enumerate()
                        .map(|(i, c)| match c.ty {
                            None => crate::state::NsColumn::dropped(),
                            Some(ty) => crate::state::NsColumn {
                                varno: no,
                                varattno: i as i16 + 1,
                                vartype: ty,
                                varreturning: VarReturning::Default,
                                varnosyn: no,
                                varattnosyn: i as i16 + 1,
                                dontexpand: false,
                            },
                        })
                        .collect(),
                    rel_visible: true,
                    cols_visible: true,
                    lateral_only: false,
                    lateral_ok: true,
                    returning,
                };
                return self.scan_item(&item, level, up, name, location);
            }
        }
        let Some(desc) = self.value_row_desc(arg)? else { return Ok(None) };
        let Some(n) = desc.find(name) else { return Ok(None) };
        let a = &desc.attrs[n as usize - 1];
        let resulttype = crate::relation::attr_type(a);
        Ok(Some(Expr::FieldSelect(Box::new(FieldSelect { arg: arg.clone(), fieldnum: n, resulttype }))))
    }

    /// The columns of a row value, as far as they are known. (PostgreSQL: `get_expr_result_tupdesc`, `expandRecordVariable`)
    pub(crate) fn value_row_desc(&mut self, e: &Expr) -> Result<Option<Arc<types::TupleDesc>>> {
        let t = e.type_oid();
        if t == RECORDOID {
            if let Expr::Var(v) = e {
                return self.record_var_desc(v, 0);
            }
            if let crate::relation::FuncClass::Composite(d) = self.func_class(e)? {
                return Ok(Some(d));
            }
            return Ok(None);
        }
        let base = self.cat().base_of(t)?;
        if self.cat().typtype_of(base)? != b'c' {
            return Ok(None);
        }
        Ok(Some(self.cat().row_type(base)?))
    }

    /// What a variable of type `record` holds, by looking into where it comes from. (PostgreSQL: `expandRecordVariable`)
    fn record_var_desc(&mut self, v: &Var, depth: u32) -> Result<Option<Arc<types::TupleDesc>>> {
        crate::walker::check_depth()?;
        let up = v.varlevelsup + depth;
        let Some(level) = (self.levels.len() - 1).checked_sub(up as usize) else { return Ok(None) };
        let rte = self.levels[level].rte(v.varno).clone();
        if v.varattno == 0 {
            let mut attrs = Vec::new();
            for c in self.rte_columns(&rte)? {
                if let Some(ty) = c.ty {
                    attrs.push(self.attribute_of(&c.name, ty)?);
                }
            }
            return Ok(Some(Arc::new(types::TupleDesc::new(attrs))));
        }
        let column =
            |q: &Query| q.target_list.iter().find(|t| t.resno == v.varattno && !t.resjunk).map(|t| t.expr.clone());
        let (inner, query) = match &rte.kind {
            RteKind::Subquery { subquery, .. } => (column(subquery), Some((**subquery).clone())),
            RteKind::Cte { name, levels_up, self_reference: false, .. } => {
                let Some(i) = level.checked_sub(*levels_up as usize) else { return Ok(None) };
                let q = self.levels[i].ctes.iter().find(|c| c.name == *name).and_then(|c| c.query.clone());
                (q.as_ref().and_then(|q| column(q)), q.map(|q| (*q).clone()))
            }
            RteKind::Join(j) => (j.join_alias_vars.get(v.varattno as usize - 1).cloned(), None),
            _ => (None, None),
        };
        let Some(inner) = inner else { return Ok(None) };
        match (&inner, query) {
            (Expr::Var(w), Some(q)) if w.vartype.oid == RECORDOID => {
                // Look at it from inside the subquery.
                let mut lv = crate::state::Level::new();
                lv.rtable = q.rtable;
                let rest = self.levels.split_off(level + 1);
                self.levels.push(lv);
                let r = self.record_var_desc(w, 0);
                self.levels.pop();
                self.levels.extend(rest);
                r
            }
            (Expr::Var(w), None) => self.record_var_desc(w, up),
            _ if inner.type_oid() == RECORDOID => match self.func_class(&inner)? {
                crate::relation::FuncClass::Composite(d) => Ok(Some(d)),
                _ => Ok(None),
            },
            _ => Ok(None),
        }
    }

    /// Remembers a set-returning call, to notice those nested in others' arguments.
    pub(crate) fn note_srf(&mut self, location: Location) {
        let lv = self.lv();
        lv.srfs += 1;
        lv.last_srf = location;
    }

    /// Whether a set may stand here. (PostgreSQL: `check_srf_call_placement`)
    pub(crate) fn check_srf_placement(&mut self, last_srf: usize, location: Location) -> Result<()> {
        use ExprKind::*;
        let what = match self.kind() {
            None | Other | FromSubselect => return Ok(()),
            JoinOn | JoinUsing => "JOIN conditions",
            FromFunction => {
                if self.level().srfs != last_srf {
                    let m = "set-returning functions must appear at top level of FROM";
                    return Err(PgError::new(FEATURE_NOT_SUPPORTED, m).at(self.level().last_srf));
                }
                return Ok(());
            }
            Policy => "policy expressions",
            WindowFrameRange | WindowFrameRows | WindowFrameGroups => "window definitions",
            WindowPartition | WindowOrder | SelectTarget | InsertTarget | GroupBy | OrderBy | DistinctOn
            | ValuesSingle => {
                self.lv().has_target_srfs = true;
                return Ok(());
            }
            MergeWhen => "MERGE WHEN conditions",
            CheckConstraint | DomainCheck => "check constraints",
            ColumnDefault | FunctionDefault => "DEFAULT expressions",
            IndexExpression => "index expressions",
            IndexPredicate => "index predicates",
            StatsExpression => "statistics expressions",
            AlterColTransform => "transform expressions",
            ExecuteParameter => "EXECUTE parameters",
            TriggerWhen => "trigger WHEN conditions",
            PartitionBound => "partition bound",
            PartitionExpression => "partition key expressions",
            CallArgument => "CALL arguments",
            CopyWhere => "COPY FROM WHERE conditions",
            GeneratedColumn => "column generation expressions",
            k => k.name(),
        };
        let m = format!("set-returning functions are not allowed in {what}");
        Err(PgError::new(FEATURE_NOT_SUPPORTED, m).at(location))
    }
}

pub(crate) fn coercion_form(f: ast::CoercionForm) -> CoercionForm {
    match f {
        ast::CoercionForm::ExplicitCall => CoercionForm::ExplicitCall,
        ast::CoercionForm::ExplicitCast => CoercionForm::ExplicitCast,
        ast::CoercionForm::ImplicitCast => CoercionForm::ImplicitCast,
        ast::CoercionForm::SqlSyntax => CoercionForm::SqlSyntax,
    }
}

/// The defaults that a call leaves to the function.
pub(crate) fn default_exprs(c: &Catalog, p: &PgProc, best: &Candidate, nargs: usize) -> Result<Vec<Expr>> {
    let text = p.proargdefaults.as_deref().ok_or_else(|| PgError::internal("not enough default arguments"))?;
    let all = crate::nodes::read_exprs(text, c)?;
    let first = (p.pronargs as usize).saturating_sub(all.len());
    // CALL lists output arguments, too, which have no defaults.
    let modes = p.proargmodes.as_deref().filter(|_| p.prokind == b'p').unwrap_or_default();
    let input = |i: usize| i - modes.iter().take(i).filter(|m| **m == b'o').count();
    let take = |i: usize| {
        let i = input(i);
        let e = i.checked_sub(first).and_then(|i| all.get(i));
        e.cloned().ok_or_else(|| PgError::internal("not enough default arguments"))
    };
    match &best.argnumbers {
        Some(numbers) => numbers[nargs..].iter().map(|i| take(*i)).collect(),
        None => (nargs..nargs + best.ndargs).map(take).collect(),
    }
}
