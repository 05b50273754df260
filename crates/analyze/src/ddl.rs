//! Entry points for DDL: expressions that are stored rather than run, and names of types.
//!
//! PostgreSQL: `cookDefault`, `cookConstraint` (`heap.c`), `transformIndexStmt` (`parse_utilcmd.c`), `parse_type.c`.

use base::error::Location;
use base::sqlstate::{DATATYPE_MISMATCH, INVALID_OBJECT_DEFINITION};
use base::{Oid, PgError, Result};
use parser::ast;

use crate::coerce::Context;
use crate::context::{AnalyzeContext, ParamTypes};
use crate::lookup::format_type;
use crate::query::{Alias, CoercionForm, Expr, Query, TypeMod};
use crate::relation::lock;
use crate::state::{Analyzer, ExprKind};
use crate::walker::{MutWalker, walk_expr_mut};

/// An expression over the columns of a relation (or over nothing), under the rules of its kind.
fn cook<T>(
    cx: &mut AnalyzeContext<'_>,
    relid: Oid,
    source: &str,
    f: impl FnOnce(&mut Analyzer<'_, '_>) -> Result<T>,
) -> Result<T> {
    let mut params = ParamTypes::None;
    let mut a = Analyzer::new(cx, source, &mut params);
    if relid.is_valid() {
        let rel = a.cat().relation_entry(relid)?;
        let item = a.add_relation(&rel, lock::ACCESS_SHARE, None, false, true, 0)?;
        a.lv().namespace.push(item);
    }
    f(&mut a)
}

/// A boolean condition with its collations.
fn condition(
    cx: &mut AnalyzeContext<'_>,
    relid: Oid,
    raw: &ast::Expr,
    source: &str,
    kind: ExprKind,
    construct: &str,
) -> Result<Expr> {
    cook(cx, relid, source, |a| {
        let mut e = a.where_clause(raw, kind, construct)?;
        a.assign_collations(&mut e)?;
        Ok(e)
    })
}

/// A column's default or (with `generated`, `s` or `v`) generation expression, converted to the column's type.
/// (PostgreSQL: `cookDefault`)
pub fn cook_default(
    cx: &mut AnalyzeContext<'_>,
    relid: Oid,
    raw: &ast::Expr,
    type_oid: Oid,
    typmod: i32,
    column: &str,
    generated: u8,
    source: &str,
) -> Result<Expr> {
    let (kind, rel) = match generated {
        0 => (ExprKind::ColumnDefault, Oid::INVALID),
        _ => (ExprKind::GeneratedColumn, relid),
    };
    cook(cx, rel, source, |a| {
        let e = a.transform_expr(raw, kind)?;
        if generated != 0 {
            check_generated(a, relid, &e)?;
        }
        let from = e.type_oid();
        if !type_oid.is_valid() {
            let mut e = e;
            a.assign_collations(&mut e)?;
            return Ok(e);
        }
        let (f, at) = (CoercionForm::ImplicitCast, e.location());
        let r = a.coerce_to_target_type(e, from, type_oid, typmod, Context::Assignment, f, Location::UNKNOWN)?;
        let Some(mut e) = r else {
            let (to, from) = (format_type(a.cat(), type_oid)?, format_type(a.cat(), from)?);
            let m = format!("column \"{column}\" is of type {to} but default expression is of type {from}");
            let _ = at;
            return Err(PgError::new(DATATYPE_MISMATCH, m).hint("You will need to rewrite or cast the expression."));
        };
        a.assign_collations(&mut e)?;
        Ok(e)
    })
}

/// A generation expression must be immutable and free of other generated columns. (PostgreSQL: `check_nested_generated`)
fn check_generated(a: &Analyzer<'_, '_>, relid: Oid, e: &Expr) -> Result<()> {
    let rel = a.cat().relation_entry(relid)?;
    let mut bad: Option<PgError> = None;
    crate::walker::any_expr_deep(e, |e| {
        if let Expr::Var(v) = e {
            if v.varattno == 0 {
                let m = "cannot use whole-row variable in column generation expression";
                bad = Some(
                    PgError::new(INVALID_OBJECT_DEFINITION, m)
                        .detail("This would cause the generated column to depend on its own value.")
                        .at(v.location),
                );
            } else if let Some(c) = usize::try_from(v.varattno - 1).ok().and_then(|i| rel.desc.attrs.get(i))
                && c.generated != 0
            {
                let m = format!("cannot use generated column \"{}\" in column generation expression", c.name);
                bad = Some(
                    PgError::new(INVALID_OBJECT_DEFINITION, m)
                        .detail("A generated column cannot reference another generated column.")
                        .at(v.location),
                );
            }
        }
        bad.is_some()
    })?;
    if let Some(e) = bad {
        return Err(e);
    }
    if contains_mutable(a.cat(), e)? {
        return Err(PgError::new(INVALID_OBJECT_DEFINITION, "generation expression is not immutable"));
    }
    Ok(())
}

/// Whether it calls something that is not immutable. (PostgreSQL: `contain_mutable_functions`)
pub fn contains_mutable(c: &catalog::Catalog, e: &Expr) -> Result<bool> {
    worst_volatility(c, e).map(|v| v != b'i')
}

/// Whether it calls something volatile. (PostgreSQL: `contain_volatile_functions`)
pub fn contains_volatile(c: &catalog::Catalog, e: &Expr) -> Result<bool> {
    worst_volatility(c, e).map(|v| v == b'v')
}

/// `i`, `s` or `v`: the worst of the functions it calls.
fn worst_volatility(c: &catalog::Catalog, e: &Expr) -> Result<u8> {
    let mut worst = b'i';
    let mut failed = None;
    crate::walker::any_expr_deep(e, |e| {
        let mut look = |f: Oid| match c.function_row(f) {
            Ok(p) => worst = worst.max(p.provolatile),
            Err(e) => failed = Some(e),
        };
        match e {
            Expr::FuncExpr(f) => look(f.funcid),
            Expr::OpExpr(o) | Expr::DistinctExpr(o) | Expr::NullIfExpr(o) => look(o.opfuncid),
            Expr::ScalarArrayOpExpr(o) => look(o.opfuncid),
            Expr::Aggref(a) => look(a.aggfnoid),
            Expr::WindowFunc(w) => look(w.winfnoid),
            Expr::CoerceViaIO(x) => {
                if let (Ok(from), Ok(to)) = (c.type_row(x.arg.type_oid()), c.type_row(x.resulttype)) {
                    look(from.typoutput);
                    look(to.typinput);
                }
            }
            Expr::SQLValueFunction(_) => worst = worst.max(b's'),
            Expr::NextValueExpr { .. } => worst = b'v',
            _ => {}
        }
        false
    })?;
    failed.map_or(Ok(worst), Err)
}

/// A table's CHECK condition. (PostgreSQL: `cookConstraint`)
pub fn cook_check(cx: &mut AnalyzeContext<'_>, relid: Oid, raw: &ast::Expr, source: &str) -> Result<Expr> {
    let e = condition(cx, relid, raw, source, ExprKind::CheckConstraint, "CHECK")?;
    Ok(e)
}

/// A domain's CHECK condition over VALUE. (PostgreSQL: `domainAddCheckConstraint`)
pub fn cook_domain_check(
    cx: &mut AnalyzeContext<'_>,
    base_type: Oid,
    typmod: i32,
    collation: Oid,
    raw: &ast::Expr,
    source: &str,
) -> Result<Expr> {
    cook(cx, Oid::INVALID, source, |a| {
        a.domain_value = Some(TypeMod { oid: base_type, typmod, collation });
        let mut e = a.where_clause(raw, ExprKind::DomainCheck, "CHECK")?;
        a.assign_collations(&mut e)?;
        Ok(e)
    })
}

/// A domain's default. (PostgreSQL: `cookDefault` without a relation)
pub fn cook_domain_default(
    cx: &mut AnalyzeContext<'_>,
    raw: &ast::Expr,
    type_oid: Oid,
    typmod: i32,
    name: &str,
    source: &str,
) -> Result<Expr> {
    cook_default(cx, Oid::INVALID, raw, type_oid, typmod, name, 0, source)
}

/// An index's key expression, unknown literals as text. Immutability is checked. (PostgreSQL: `transformIndexStmt`)
pub fn index_expression(cx: &mut AnalyzeContext<'_>, relid: Oid, raw: &ast::Expr, source: &str) -> Result<Expr> {
    cook(cx, relid, source, |a| {
        let mut e = a.transform_expr(raw, ExprKind::IndexExpression)?;
        a.assign_collations(&mut e)?;
        if contains_mutable(a.cat(), &e)? {
            let m = "functions in index expression must be marked IMMUTABLE";
            return Err(PgError::new(INVALID_OBJECT_DEFINITION, m));
        }
        Ok(e)
    })
}

/// An expression of CREATE STATISTICS. (PostgreSQL: `transformStatsStmt`)
pub fn statistics_expression(cx: &mut AnalyzeContext<'_>, relid: Oid, raw: &ast::Expr, source: &str) -> Result<Expr> {
    cook(cx, relid, source, |a| {
        let mut e = a.transform_expr(raw, ExprKind::StatsExpression)?;
        a.assign_collations(&mut e)?;
        Ok(e)
    })
}

/// An index's WHERE. (PostgreSQL: `transformIndexStmt`)
pub fn index_predicate(cx: &mut AnalyzeContext<'_>, relid: Oid, raw: &ast::Expr, source: &str) -> Result<Expr> {
    let e = condition(cx, relid, raw, source, ExprKind::IndexPredicate, "WHERE")?;
    if contains_mutable(&cx.catalog, &e)? {
        let m = "functions in index predicate must be marked IMMUTABLE";
        return Err(PgError::new(INVALID_OBJECT_DEFINITION, m));
    }
    Ok(e)
}

/// `ALTER COLUMN TYPE .. USING expr`, over the old columns; not yet converted to the new type: see [`assign_to`].
pub fn alter_using(cx: &mut AnalyzeContext<'_>, relid: Oid, raw: &ast::Expr, source: &str) -> Result<Expr> {
    cook(cx, relid, source, |a| {
        let mut e = a.transform_expr(raw, ExprKind::AlterColTransform)?;
        a.assign_collations(&mut e)?;
        Ok(e)
    })
}

/// The expression converted for assignment to a type, or `None` where there is no such conversion.
/// (PostgreSQL: `coerce_to_target_type` with `COERCION_ASSIGNMENT`)
pub fn assign_to(cx: &mut AnalyzeContext<'_>, e: Expr, type_oid: Oid, typmod: i32) -> Result<Option<Expr>> {
    cook(cx, Oid::INVALID, "", |a| {
        let from = e.type_oid();
        let f = CoercionForm::ImplicitCast;
        let r = a.coerce_to_target_type(e, from, type_oid, typmod, Context::Assignment, f, Location::UNKNOWN)?;
        let Some(mut e) = r else { return Ok(None) };
        a.assign_collations(&mut e)?;
        Ok(Some(e))
    })
}

/// A parameter of EXECUTE, converted to the declared type. (PostgreSQL: `EvaluateParams`)
pub fn execute_parameter(
    cx: &mut AnalyzeContext<'_>,
    raw: &ast::Expr,
    number: usize,
    type_oid: Oid,
    source: &str,
) -> Result<Expr> {
    cook(cx, Oid::INVALID, source, |a| {
        let e = a.transform_expr(raw, ExprKind::ExecuteParameter)?;
        let (from, at) = (e.type_oid(), e.location());
        let f = CoercionForm::ImplicitCast;
        let r = a.coerce_to_target_type(e, from, type_oid, -1, Context::Assignment, f, Location::UNKNOWN)?;
        let Some(mut e) = r else {
            let (from, to) = (format_type(a.cat(), from)?, format_type(a.cat(), type_oid)?);
            let m = format!("parameter ${number} of type {from} cannot be coerced to the expected type {to}");
            return Err(PgError::new(DATATYPE_MISMATCH, m)
                .hint("You will need to rewrite or cast the expression.")
                .at(at));
        };
        a.assign_collations(&mut e)?;
        Ok(e)
    })
}

/// The default of a function's parameter. (PostgreSQL: `interpret_function_parameter_list`)
pub fn parameter_default(cx: &mut AnalyzeContext<'_>, raw: &ast::Expr, type_oid: Oid, source: &str) -> Result<Expr> {
    cook(cx, Oid::INVALID, source, |a| {
        let e = a.transform_expr(raw, ExprKind::FunctionDefault)?;
        let mut e = a.coerce_to_specific(e, type_oid, -1, "DEFAULT")?;
        a.assign_collations(&mut e)?;
        Ok(e)
    })
}

/// The call of CALL: a `FuncExpr` of a procedure. (PostgreSQL: `transformCallStmt`)
pub fn call_procedure(cx: &mut AnalyzeContext<'_>, f: &ast::FuncCall, source: &str) -> Result<Expr> {
    cook(cx, Oid::INVALID, source, |a| {
        let mut args = Vec::new();
        for x in &f.args {
            args.push(a.transform_expr(x, ExprKind::CallArgument)?);
        }
        let parts = crate::func::CallParts {
            call: Some(f),
            agg_filter: None,
            proc_call: true,
            last_srf: a.level().srfs,
            location: f.location,
        };
        let e = a.parse_func(&f.funcname, args, parts)?;
        let mut e = e.ok_or_else(|| PgError::internal("a call of nothing"))?;
        a.assign_collations(&mut e)?;
        Ok(e)
    })
}

pub use crate::rewrite::identity_sequence;

/// A partition key's expression. (PostgreSQL: `transformPartitionSpec`)
pub fn partition_expression(cx: &mut AnalyzeContext<'_>, relid: Oid, raw: &ast::Expr, source: &str) -> Result<Expr> {
    cook(cx, relid, source, |a| {
        let mut e = a.transform_expr(raw, ExprKind::PartitionExpression)?;
        a.assign_collations(&mut e)?;
        Ok(e)
    })
}

/// A value of a partition's bound, converted to the key's type, and where it stands. (PostgreSQL: `transformPartitionBoundValue`)
pub fn partition_bound_value(
    cx: &mut AnalyzeContext<'_>,
    raw: &ast::Expr,
    to: TypeMod,
    column: &str,
    source: &str,
) -> Result<(Expr, Location)> {
    cook(cx, Oid::INVALID, source, |a| {
        let e = a.transform_expr(raw, ExprKind::PartitionBound)?;
        let (from, at) = (e.type_oid(), e.location());
        let f = CoercionForm::ImplicitCast;
        let r = a.coerce_to_target_type(e, from, to.oid, to.typmod, Context::Assignment, f, Location::UNKNOWN)?;
        let Some(mut e) = r else {
            let shown = format_type(a.cat(), to.oid)?;
            let m = format!("specified value cannot be cast to type {shown} for column \"{column}\"");
            return Err(PgError::new(DATATYPE_MISMATCH, m).at(at));
        };
        a.assign_collations(&mut e)?;
        Ok((e, at))
    })
}

/// A policy's condition. (PostgreSQL: `CreatePolicy`)
pub fn policy_condition(cx: &mut AnalyzeContext<'_>, relid: Oid, raw: &ast::Expr, source: &str) -> Result<Expr> {
    condition(cx, relid, raw, source, ExprKind::Policy, "POLICY")
}

/// COPY's WHERE.
pub fn copy_where(cx: &mut AnalyzeContext<'_>, relid: Oid, raw: &ast::Expr, source: &str) -> Result<Expr> {
    condition(cx, relid, raw, source, ExprKind::CopyWhere, "WHERE")
}

/// The type that a name means, with its modifier. (PostgreSQL: `typenameTypeIdAndMod`)
pub fn transform_type_name(cx: &mut AnalyzeContext<'_>, name: &ast::TypeName) -> Result<(Oid, i32)> {
    crate::typename::type_and_typmod(cx, name)
}

/// A type and whether it is more than a shell; `None` if there is none of that name. (PostgreSQL: `LookupTypeName`)
pub fn find_type(cx: &mut AnalyzeContext<'_>, name: &ast::TypeName) -> Result<Option<(Oid, bool)>> {
    Ok(crate::typename::lookup_type(cx, name)?.map(|t| (t.oid, t.typisdefined)))
}

/// The operator class of that name. (PostgreSQL: `get_opclass_oid`)
pub fn find_opclass(c: &catalog::Catalog, am: Oid, am_name: &str, names: &[String]) -> Result<Oid> {
    let (schema, name) = crate::resolve::split_name(names);
    let mut found = None;
    match schema {
        Some(s) => {
            let ns = c.explicit_namespace(s, false)?.unwrap_or_default();
            found = c.opclass_by_name(am, name, ns)?;
        }
        None => {
            for ns in &c.search_path()?.schemas {
                found = c.opclass_by_name(am, name, *ns)?;
                if found.is_some() {
                    break;
                }
            }
        }
    }
    found.map(|f| f.oid).ok_or_else(|| {
        let m = format!("operator class \"{}\" does not exist for access method \"{am_name}\"", names.join("."));
        PgError::new(base::sqlstate::UNDEFINED_OBJECT, m)
    })
}

/// Why a view with this query cannot be written through, if so. (PostgreSQL: `view_query_is_auto_updatable`)
pub fn view_not_updatable(q: &Query) -> Option<&'static str> {
    if let Some(why) = crate::rewrite::not_updatable(q) {
        return Some(why);
    }
    let [crate::query::JoinTreeNode::RangeTblRef(i)] = q.jointree.fromlist[..] else { return None };
    let writable = |t: &crate::query::TargetEntry| matches!(&t.expr, Expr::Var(v) if v.varno == i && v.varlevelsup == 0 && v.varattno > 0);
    match q.target_list.iter().any(writable) {
        true => None,
        false => Some("Views that have no updatable columns are not automatically updatable."),
    }
}

/// Whether values of all these types become the target's by themselves. (PostgreSQL: `can_coerce_type`)
pub fn implicitly_coercible(c: &catalog::Catalog, from: &[Oid], to: Oid) -> Result<bool> {
    let targets = vec![to; from.len()];
    crate::coerce::can_coerce(c, from, &targets, crate::coerce::Context::Implicit)
}

/// The query of a view, rule or function body to be stored.
pub fn stored_query(cx: &mut AnalyzeContext<'_>, stmt: &ast::Statement, source: &str) -> Result<Query> {
    crate::analyze_statement(cx, stmt, source, &mut crate::ParamTypes::None)
}

/// A trigger's WHEN condition: the old row is `varno` 1, the new one 2. `tgtype` as in `pg_trigger`.
/// (PostgreSQL: `CreateTriggerFiringOn`)
pub fn trigger_when(
    cx: &mut AnalyzeContext<'_>,
    rel: &catalog::Relation,
    raw: &ast::Expr,
    tgtype: i16,
    source: &str,
) -> Result<Expr> {
    use ast::trigger_type as bit;
    let e = cook(cx, Oid::INVALID, source, |a| {
        for name in ["old", "new"] {
            let alias = Alias { aliasname: name.to_owned(), colnames: Vec::new() };
            let mut item = a.add_relation(rel, lock::ACCESS_SHARE, Some(alias), false, false, 0)?;
            (item.rel_visible, item.cols_visible) = (true, true);
            (item.lateral_only, item.lateral_ok) = (false, true);
            a.lv().namespace.push(item);
        }
        a.where_clause(raw, ExprKind::TriggerWhen, "WHEN").and_then(|mut e| a.assign_collations(&mut e).map(|()| e))
    })?;
    let mut bad: Option<PgError> = None;
    crate::walker::any_expr_deep(&e, |e| {
        let Expr::Var(v) = e else { return false };
        let invalid = |text: &str| PgError::new(INVALID_OBJECT_DEFINITION, text);
        let column = usize::try_from(v.varattno - 1).ok().and_then(|i| rel.desc.attrs.get(i));
        let generated = "BEFORE trigger's WHEN condition cannot reference NEW generated columns";
        let found = if tgtype & bit::ROW == 0 {
            Some(invalid("statement trigger's WHEN condition cannot reference column values"))
        } else if v.varno == 1 {
            (tgtype & bit::INSERT != 0).then(|| invalid("INSERT trigger's WHEN condition cannot reference OLD values"))
        } else if tgtype & bit::DELETE != 0 {
            Some(invalid("DELETE trigger's WHEN condition cannot reference NEW values"))
        } else if tgtype & bit::BEFORE == 0 {
            None
        } else if v.varattno < 0 {
            let text = "BEFORE trigger's WHEN condition cannot reference NEW system columns";
            Some(PgError::new(base::sqlstate::FEATURE_NOT_SUPPORTED, text))
        } else if v.varattno == 0 && rel.desc.attrs.iter().any(|a| a.generated != 0) {
            let detail = "A whole-row reference is used and the table contains generated columns.";
            Some(invalid(generated).detail(detail))
        } else {
            let column = column.filter(|c| c.generated != 0);
            column.map(|c| invalid(generated).detail(format!("Column \"{}\" is a generated column.", c.name)))
        };
        bad = found.map(|e| e.at(v.location));
        bad.is_some()
    })?;
    bad.map_or(Ok(e), Err)
}

/// Puts a table's columns in an expression (of any `varno`) to the places they have in another table.
/// (PostgreSQL: `map_partition_varattnos`)
pub fn map_columns(e: &mut Expr, from: &catalog::Relation, to: &catalog::Relation) -> Result<()> {
    struct Map<'a>(&'a catalog::Relation, &'a catalog::Relation);
    impl MutWalker for Map<'_> {
        type Break = PgError;
        fn expr(&mut self, e: &mut Expr) -> Result<()> {
            if let Expr::Var(v) = e
                && v.varattno > 0
            {
                let name = &self.0.desc.attrs[v.varattno as usize - 1].name;
                let missing = || PgError::internal(format!("column \"{name}\" is missing in \"{}\"", self.1.name()));
                v.varattno = self.1.desc.find(name).ok_or_else(missing)?;
                return Ok(());
            }
            walk_expr_mut(self, e)
        }
    }
    Map(from, to).expr(e)
}
