//! What the planner asks of expressions: the relations they use, volatility, strictness, shape.
//!
//! PostgreSQL: `optimizer/util/clauses.c`, `var.c`, `tlist.c`.

use analyze::query::*;
use base::error::Location;
use base::{Oid, Result};
use catalog::{Catalog, oids};
use types::oid::*;

use crate::relids::Relids;

/// Calls `f` on every node, top down; `f` says whether to go below it.
pub(crate) fn walk<'a>(e: &'a Expr, f: &mut dyn FnMut(&'a Expr) -> bool) {
    if f(e) {
        e.children(&mut |c| walk(c, f));
    }
}

/// As [`walk`], with change; `f` says whether to go below it.
pub(crate) fn mutate(e: &mut Expr, f: &mut dyn FnMut(&mut Expr) -> Result<bool>) -> Result<()> {
    analyze::walker::check_depth()?;
    if f(e)? {
        e.try_children_mut(&mut |c| mutate(c, f))?;
    }
    Ok(())
}

/// The relations whose columns an expression uses. (PostgreSQL: `pull_varnos`)
pub(crate) fn varnos(e: &Expr) -> Relids {
    let mut r = Relids::new();
    walk(e, &mut |x| {
        match x {
            Expr::Var(v) if v.varlevelsup == 0 => r.insert(v.varno),
            Expr::CurrentOfExpr(c) => r.insert(c.cvarno),
            _ => {}
        }
        true
    });
    r
}

/// The outer joins that may null some column in it.
pub(crate) fn nulling_rels(e: &Expr) -> Relids {
    let mut r = Relids::new();
    walk(e, &mut |x| {
        if let Expr::Var(v) = x {
            v.varnullingrels.iter().for_each(|n| r.insert(*n));
        }
        true
    });
    r
}

/// The Vars of this query level, aggregates and window functions entered. (PostgreSQL: `pull_var_clause`)
pub(crate) fn vars_of<'a>(e: &'a Expr, out: &mut Vec<&'a Expr>) {
    walk(e, &mut |x| {
        if let Expr::Var(v) = x
            && v.varlevelsup == 0
            && !out.contains(&x)
        {
            out.push(x);
        }
        true
    });
}

/// How [`pull_vars`] treats aggregates and window functions.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pull {
    Include,
    Recurse,
}

/// Vars, and aggregates and window functions as told.
pub(crate) fn pull_vars(e: &Expr, aggs: Pull, windows: Pull, out: &mut Vec<Expr>) {
    let take = match e {
        Expr::Var(v) => v.varlevelsup == 0,
        Expr::PlaceHolderVar(_) => true,
        Expr::Aggref(_) | Expr::GroupingFunc(_) => aggs == Pull::Include,
        Expr::WindowFunc(_) => windows == Pull::Include,
        _ => false,
    };
    if take {
        if !out.contains(e) {
            out.push(e.clone());
        }
        return;
    }
    e.children(&mut |c| pull_vars(c, aggs, windows, out));
}

/// The functions that a node itself calls.
pub(crate) fn node_functions(cat: &Catalog, e: &Expr, f: &mut dyn FnMut(Oid)) -> Result<()> {
    let op = |o: &Oid, known: Oid| -> Result<Oid> {
        match known.valid() {
            Some(k) => Ok(k),
            None => Ok(cat.operator(*o)?.map_or(Oid::INVALID, |r| r.oprcode)),
        }
    };
    match e {
        Expr::FuncExpr(x) => f(x.funcid),
        Expr::OpExpr(o) | Expr::DistinctExpr(o) | Expr::NullIfExpr(o) => f(op(&o.opno, o.opfuncid)?),
        Expr::ScalarArrayOpExpr(o) => f(op(&o.opno, o.opfuncid)?),
        Expr::Aggref(a) => f(a.aggfnoid),
        Expr::WindowFunc(w) => f(w.winfnoid),
        Expr::CoerceViaIO(c) => {
            f(cat.type_row(c.arg.type_oid())?.typoutput);
            f(cat.type_row(c.resulttype)?.typinput);
        }
        Expr::RowCompareExpr(r) => {
            for o in &r.opnos {
                f(op(o, Oid::INVALID)?);
            }
        }
        _ => {}
    }
    Ok(())
}

pub(crate) fn volatility(cat: &Catalog, func: Oid) -> Result<u8> {
    if !func.is_valid() {
        return Ok(b'i');
    }
    Ok(cat.function_row(func)?.provolatile)
}
pub(crate) fn is_strict(cat: &Catalog, func: Oid) -> Result<bool> {
    if !func.is_valid() {
        return Ok(false);
    }
    Ok(cat.function_row(func)?.proisstrict)
}
pub(crate) fn op_func(cat: &Catalog, o: &OpExpr) -> Result<Oid> {
    match o.opfuncid.valid() {
        Some(f) => Ok(f),
        None => Ok(cat.operator(o.opno)?.map_or(Oid::INVALID, |r| r.oprcode)),
    }
}
pub(crate) fn op_strict(cat: &Catalog, opno: Oid) -> Result<bool> {
    match cat.operator(opno)? {
        Some(o) => is_strict(cat, o.oprcode),
        None => Ok(false),
    }
}

/// The worst volatility in an expression: `i`, `s` or `v`.
pub(crate) fn worst_volatility(cat: &Catalog, e: &Expr) -> Result<u8> {
    let mut worst = b'i';
    let mut failed = None;
    walk(e, &mut |x| {
        if worst == b'v' {
            return false;
        }
        match x {
            Expr::NextValueExpr { .. } => worst = b'v',
            Expr::SQLValueFunction(_) | Expr::CurrentOfExpr(_) => worst = worst.max(b's'),
            Expr::Var(_) | Expr::Const(_) | Expr::Param(_) => return false,
            _ => {
                let done = node_functions(cat, x, &mut |f| match volatility(cat, f) {
                    Ok(v) if v > worst => worst = v,
                    Ok(_) => {}
                    Err(err) => failed = Some(err),
                });
                if let Err(err) = done {
                    failed = Some(err);
                }
            }
        }
        if let Expr::SubLink(s) = x
            && query_is_volatile(cat, &s.subselect).unwrap_or(true)
        {
            worst = b'v';
        }
        true
    });
    // The letters happen to be in order: i < s < v.
    failed.map_or(Ok(worst), Err)
}
/// (PostgreSQL: `contain_volatile_functions`)
pub(crate) fn is_volatile(cat: &Catalog, e: &Expr) -> Result<bool> {
    Ok(worst_volatility(cat, e)? == b'v')
}
/// (PostgreSQL: `contain_mutable_functions`)
pub(crate) fn is_mutable(cat: &Catalog, e: &Expr) -> Result<bool> {
    Ok(worst_volatility(cat, e)? != b'i')
}
/// Whether some expression of a query or its subqueries is volatile.
pub(crate) fn query_is_volatile(cat: &Catalog, q: &Query) -> Result<bool> {
    let mut copy = q.clone();
    let mut found = false;
    copy.try_for_each_expr_mut(&mut |e| {
        found = found || is_volatile(cat, e)?;
        Ok(())
    })?;
    if found {
        return Ok(true);
    }
    copy.for_each_subquery_mut(&mut |s| {
        found = found || query_is_volatile(cat, s)?;
        Ok(())
    })?;
    Ok(found)
}

pub(crate) fn contains(e: &Expr, mut test: impl FnMut(&Expr) -> bool) -> bool {
    e.any(&mut test)
}
pub(crate) fn has_aggs(e: &Expr) -> bool {
    contains(e, |x| matches!(x, Expr::Aggref(_) | Expr::GroupingFunc(_)))
}
pub(crate) fn has_window(e: &Expr) -> bool {
    contains(e, |x| matches!(x, Expr::WindowFunc(_)))
}
pub(crate) fn has_subplan(e: &Expr) -> bool {
    contains(e, |x| matches!(x, Expr::SubPlan(_) | Expr::SubLink(_)))
}
pub(crate) fn is_srf_node(e: &Expr) -> bool {
    match e {
        Expr::FuncExpr(f) => f.funcretset,
        Expr::OpExpr(o) => o.opretset,
        _ => false,
    }
}
pub(crate) fn has_srf(e: &Expr) -> bool {
    match e {
        Expr::Aggref(_) | Expr::GroupingFunc(_) | Expr::WindowFunc(_) => false,
        _ if is_srf_node(e) => true,
        _ => {
            let mut found = false;
            e.children(&mut |c| found = found || has_srf(c));
            found
        }
    }
}
/// Exec parameters in an expression.
pub(crate) fn exec_params(e: &Expr, out: &mut Vec<i32>) {
    walk(e, &mut |x| {
        if let Expr::Param(p) = x
            && p.kind == ParamKind::Exec
        {
            out.push(p.id);
        }
        true
    });
}

/// Relations (by Vars) of which a row of all nulls makes the condition not true. (PostgreSQL: `find_nonnullable_rels`)
pub(crate) fn nonnullable_rels(cat: &Catalog, e: &Expr, top: bool) -> Result<Relids> {
    let mut out = Vec::new();
    nonnullable(cat, e, top, &mut out)?;
    Ok(out.iter().map(|v: &(RtIndex, AttrNumber)| v.0).collect())
}

/// As `nonnullable_rels`, by column.
pub(crate) fn nonnullable_vars(cat: &Catalog, e: &Expr) -> Result<Vec<(RtIndex, AttrNumber)>> {
    let mut out = Vec::new();
    nonnullable(cat, e, true, &mut out)?;
    Ok(out)
}

fn nonnullable(cat: &Catalog, e: &Expr, top: bool, out: &mut Vec<(RtIndex, AttrNumber)>) -> Result<()> {
    match e {
        Expr::Var(v) if v.varlevelsup == 0 => out.push((v.varno, v.varattno)),
        Expr::FuncExpr(f) if is_strict(cat, f.funcid)? && !f.funcretset => {
            for a in &f.args {
                nonnullable(cat, a, false, out)?;
            }
        }
        Expr::OpExpr(o) if is_strict(cat, op_func(cat, o)?)? => {
            for a in &o.args {
                nonnullable(cat, a, false, out)?;
            }
        }
        Expr::ScalarArrayOpExpr(s) if saop_strict(cat, s, true)? => {
            for a in &s.args {
                nonnullable(cat, a, false, out)?;
            }
        }
        Expr::BoolExpr(b) => match b.boolop {
            BoolExprType::Not => nonnullable(cat, &b.args[0], false, out)?,
            BoolExprType::And if top => {
                for a in &b.args {
                    nonnullable(cat, a, top, out)?;
                }
            }
            // All arms must agree.
            _ => {
                let mut common: Option<Vec<(RtIndex, AttrNumber)>> = None;
                for a in &b.args {
                    let mut these = Vec::new();
                    nonnullable(cat, a, top, &mut these)?;
                    common = Some(match common {
                        None => these,
                        Some(c) => {
                            // By relation, since different columns of it do as well.
                            let rels: Vec<RtIndex> = these.iter().map(|t| t.0).collect();
                            c.into_iter().filter(|x| rels.contains(&x.0)).collect()
                        }
                    });
                }
                // Columns are exact only where all arms name the same one.
                for x in common.unwrap_or_default() {
                    let mut same = true;
                    for a in &b.args {
                        let mut these = Vec::new();
                        nonnullable(cat, a, top, &mut these)?;
                        same = same && these.contains(&x);
                    }
                    out.push(if same { x } else { (x.0, AttrNumber::MAX) });
                }
            }
        },
        Expr::RelabelType(r) => nonnullable(cat, &r.arg, top, out)?,
        Expr::CoerceViaIO(c) => nonnullable(cat, &c.arg, false, out)?,
        Expr::ArrayCoerceExpr(c) => nonnullable(cat, &c.arg, false, out)?,
        Expr::ConvertRowtypeExpr(c) => nonnullable(cat, &c.arg, top, out)?,
        Expr::CollateExpr(c) => nonnullable(cat, &c.arg, top, out)?,
        Expr::NullTest(n) if top && n.not && !n.argisrow => nonnullable(cat, &n.arg, false, out)?,
        Expr::BooleanTest(b) => {
            use BoolTestType::*;
            if top && matches!(b.booltesttype, IsTrue | IsFalse | IsNotUnknown) {
                nonnullable(cat, &b.arg, false, out)?;
            }
        }
        Expr::SubPlan(s)
            if (top && s.sub_link_type == SubLinkType::Any) || s.sub_link_type == SubLinkType::RowCompare =>
        {
            if let Some(t) = &s.testexpr {
                nonnullable(cat, t, top, out)?;
            }
        }
        Expr::PlaceHolderVar(p) => nonnullable(cat, &p.phexpr, top, out)?,
        _ => {}
    }
    Ok(())
}

/// Whether the array comparison gives null (or false, if that does) for a null scalar. (PostgreSQL: `is_strict_saop`)
fn saop_strict(cat: &Catalog, s: &ScalarArrayOpExpr, false_ok: bool) -> Result<bool> {
    if !op_strict(cat, s.opno)? {
        return Ok(false);
    }
    if s.use_or && false_ok {
        return Ok(true);
    }
    Ok(match &s.args[1] {
        Expr::Const(c) if !c.value.is_null() => {
            types::array::ArrayRef::new(c.value.as_ref().as_bytes()).map(|a| a.count() > 0).unwrap_or(false)
        }
        Expr::ArrayExpr(a) => !a.elements.is_empty() && !a.multidims,
        _ => false,
    })
}

/// Columns that are null in every row that passes. (PostgreSQL: `find_forced_null_vars`)
pub(crate) fn forced_null_vars(e: &Expr, out: &mut Vec<(RtIndex, AttrNumber)>) {
    match e {
        Expr::NullTest(n) if !n.not && !n.argisrow => {
            if let Expr::Var(v) = &n.arg
                && v.varlevelsup == 0
            {
                out.push((v.varno, v.varattno));
            }
        }
        Expr::BooleanTest(b) if b.booltesttype == BoolTestType::IsUnknown => {
            if let Expr::Var(v) = &b.arg
                && v.varlevelsup == 0
            {
                out.push((v.varno, v.varattno));
            }
        }
        Expr::BoolExpr(b) if b.boolop == BoolExprType::And => b.args.iter().for_each(|a| forced_null_vars(a, out)),
        _ => {}
    }
}

/// The conditions of an AND, or the one condition; a constant true is none. (PostgreSQL: `make_ands_implicit`)
pub(crate) fn implicit_and(e: Option<Expr>) -> Vec<Expr> {
    match e {
        None => Vec::new(),
        Some(Expr::BoolExpr(b)) if b.boolop == BoolExprType::And => {
            b.args.into_iter().flat_map(|a| implicit_and(Some(a))).collect()
        }
        Some(e) if is_const_true(&e) => Vec::new(),
        Some(e) => vec![e],
    }
}
pub(crate) fn is_const_true(e: &Expr) -> bool {
    matches!(e, Expr::Const(c) if !c.value.is_null() && c.ty.oid == BOOLOID && c.value.as_ref().word() & 0xff != 0)
}
pub(crate) fn is_const_false_or_null(e: &Expr) -> bool {
    matches!(e, Expr::Const(c) if c.value.is_null() || (c.ty.oid == BOOLOID && c.value.as_ref().word() & 0xff == 0))
}

/// Without casts that keep the value's bits.
pub(crate) fn strip_relabel(e: &Expr) -> &Expr {
    match e {
        Expr::RelabelType(r) => strip_relabel(&r.arg),
        e => e,
    }
}

pub(crate) fn make_var(varno: RtIndex, attno: AttrNumber, ty: TypeMod) -> Expr {
    Expr::Var(new_var(varno, attno, ty))
}
pub(crate) fn new_var(varno: RtIndex, attno: AttrNumber, ty: TypeMod) -> Var {
    Var {
        varno,
        varattno: attno,
        vartype: ty,
        varnullingrels: Vec::new(),
        varlevelsup: 0,
        varreturning: VarReturning::Default,
        varnosyn: 0,
        varattnosyn: 0,
        location: Location::UNKNOWN,
    }
}
pub(crate) fn make_op(cat: &Catalog, opno: Oid, left: Expr, right: Expr, collation: Oid) -> Result<Expr> {
    let func = cat.operator(opno)?.map_or(Oid::INVALID, |o| o.oprcode);
    Ok(Expr::OpExpr(Box::new(OpExpr {
        opno,
        opfuncid: func,
        opresulttype: BOOLOID,
        opretset: false,
        opcollid: Oid::INVALID,
        inputcollid: collation,
        args: vec![left, right],
        location: Location::UNKNOWN,
    })))
}
pub(crate) fn tle(expr: Expr, resno: AttrNumber, name: Option<String>, resjunk: bool) -> TargetEntry {
    TargetEntry { expr, resno, resname: name, ressortgroupref: 0, resorigtbl: Oid::INVALID, resorigcol: 0, resjunk }
}
pub(crate) fn sortgroup_tle<'a>(tlist: &'a [TargetEntry], sortref: u32) -> Result<&'a TargetEntry> {
    let missing = || base::PgError::internal("ORDER/GROUP BY expression not found in targetlist");
    tlist.iter().find(|t| t.ressortgroupref == sortref && sortref != 0).ok_or_else(missing)
}

pub(crate) fn commutator(cat: &Catalog, opno: Oid) -> Result<Oid> {
    Ok(cat.operator(opno)?.map_or(Oid::INVALID, |o| o.oprcom))
}
pub(crate) fn negator(cat: &Catalog, opno: Oid) -> Result<Oid> {
    Ok(cat.operator(opno)?.map_or(Oid::INVALID, |o| o.oprnegate))
}

/// The btree families in which the operator is equality. (PostgreSQL: `get_mergejoin_opfamilies`)
pub(crate) fn mergejoin_families(cat: &Catalog, opno: Oid) -> Result<Vec<Oid>> {
    let members = cat.operator_memberships(opno)?;
    Ok(members
        .iter()
        .filter(|m| m.amopmethod == oids::BTREE_AM_OID && m.amopstrategy == 3)
        .map(|m| m.amopfamily)
        .collect())
}
/// (PostgreSQL: `op_mergejoinable`)
pub(crate) fn op_mergejoinable(cat: &Catalog, opno: Oid, input: Oid) -> Result<bool> {
    let Some(op) = cat.operator(opno)? else { return Ok(false) };
    Ok(match op.oprname.as_str() {
        "=" if op.oprleft == ANYARRAYOID => element_supports(cat, input, true)?,
        "=" if op.oprleft == RECORDOID => true,
        _ => op.oprcanmerge,
    })
}
/// (PostgreSQL: `op_hashjoinable`)
pub(crate) fn op_hashjoinable(cat: &Catalog, opno: Oid, input: Oid) -> Result<bool> {
    let Some(op) = cat.operator(opno)? else { return Ok(false) };
    Ok(match op.oprname.as_str() {
        "=" if op.oprleft == ANYARRAYOID => op.oprcanhash && element_supports(cat, input, false)?,
        // The fields' types are not known here.
        "=" if op.oprleft == RECORDOID => false,
        _ => op.oprcanhash,
    })
}
fn element_supports(cat: &Catalog, array: Oid, order: bool) -> Result<bool> {
    let Some(elem) = cat.element_type(cat.base_type(array, -1)?.0)? else { return Ok(true) };
    let info = cat.type_info(elem)?;
    Ok(if order { info.cmp_proc.is_valid() } else { info.hash_proc.is_valid() })
}

/// The ordering operator's family, type, whether it is `>`. (PostgreSQL: `get_ordering_op_properties`)
pub(crate) fn ordering_op(cat: &Catalog, opno: Oid) -> Result<Option<(Oid, Oid, bool)>> {
    for m in cat.operator_memberships(opno)?.iter() {
        if m.amopmethod == oids::BTREE_AM_OID && m.amoplefttype == m.amoprighttype && matches!(m.amopstrategy, 1 | 5) {
            return Ok(Some((m.amopfamily, m.amoplefttype, m.amopstrategy == 5)));
        }
    }
    Ok(None)
}
/// The equality that goes with an ordering operator. (PostgreSQL: `get_equality_op_for_ordering_op`)
pub(crate) fn equality_for_ordering(cat: &Catalog, opno: Oid) -> Result<Oid> {
    match ordering_op(cat, opno)? {
        Some((family, ty, _)) => Ok(cat.opfamily_member(family, ty, ty, 3)?.unwrap_or_default()),
        None => Ok(Oid::INVALID),
    }
}
/// The ordering operator `<` that goes with an equality. (PostgreSQL: `get_ordering_op_for_equality_op`)
pub(crate) fn ordering_for_equality(cat: &Catalog, opno: Oid, lhs: bool) -> Result<Oid> {
    for m in cat.operator_memberships(opno)?.iter() {
        if m.amopmethod == oids::BTREE_AM_OID && m.amopstrategy == 3 {
            let ty = if lhs { m.amoplefttype } else { m.amoprighttype };
            if let Some(o) = cat.opfamily_member(m.amopfamily, ty, ty, 1)? {
                return Ok(o);
            }
        }
    }
    Ok(Oid::INVALID)
}

/// Forgets where a node stood in the text, so that equal expressions are equal. (PostgreSQL: `equal()` ignores locations)
pub(crate) fn forget_location(e: &mut Expr) {
    const NO: Location = Location::UNKNOWN;
    match e {
        Expr::Var(v) => (v.location, v.varnosyn, v.varattnosyn) = (NO, 0, 0),
        Expr::Const(x) => x.location = NO,
        Expr::Param(x) => x.location = NO,
        Expr::Aggref(x) => x.location = NO,
        Expr::GroupingFunc(x) => x.location = NO,
        Expr::WindowFunc(x) => x.location = NO,
        Expr::FuncExpr(x) => x.location = NO,
        Expr::NamedArgExpr(x) => x.location = NO,
        Expr::OpExpr(x) | Expr::DistinctExpr(x) | Expr::NullIfExpr(x) => x.location = NO,
        Expr::ScalarArrayOpExpr(x) => x.location = NO,
        Expr::BoolExpr(x) => x.location = NO,
        Expr::SubLink(x) => x.location = NO,
        Expr::RelabelType(x) => x.location = NO,
        Expr::CoerceViaIO(x) => x.location = NO,
        Expr::ArrayCoerceExpr(x) => x.location = NO,
        Expr::ConvertRowtypeExpr(x) => x.location = NO,
        Expr::CollateExpr(x) => x.location = NO,
        Expr::CaseExpr(x) => {
            x.location = NO;
            x.args.iter_mut().for_each(|w| w.location = NO);
        }
        Expr::ArrayExpr(x) => x.location = NO,
        Expr::RowExpr(x) => x.location = NO,
        Expr::CoalesceExpr(x) => x.location = NO,
        Expr::MinMaxExpr(x) => x.location = NO,
        Expr::SQLValueFunction(x) => x.location = NO,
        Expr::XmlExpr(x) => x.location = NO,
        Expr::JsonConstructorExpr(x) => x.location = NO,
        Expr::JsonIsPredicate(x) => x.location = NO,
        Expr::JsonExpr(x) => x.location = NO,
        Expr::NullTest(x) => x.location = NO,
        Expr::BooleanTest(x) => x.location = NO,
        Expr::CoerceToDomain(x) => x.location = NO,
        Expr::SetToDefault(_, l) => *l = NO,
        _ => {}
    }
}
