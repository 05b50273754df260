//! Definitions as SQL: `pg_get_expr`, `pg_get_viewdef` and their like.
//!
//! PostgreSQL: `utils/adt/ruleutils.c`.

use base::{Oid, Result};
use types::array::{ElementType, build_vector};
use types::{Datum, DatumRef, FnCx, builtin};

use super::regtypes::catalog_of;
use crate::deparse::*;

fn layout(pretty: bool) -> Pretty {
    if pretty { Pretty::FULL } else { Pretty::INDENT }
}

#[builtin("pg_get_expr")]
fn pg_get_expr(cx: &mut FnCx<'_>, text: &str, rel: Oid) -> Result<Option<String>> {
    let c = catalog_of(cx)?;
    expression(cx.rt, &c, text, rel, false)
}
#[builtin("pg_get_expr_ext")]
fn pg_get_expr_ext(cx: &mut FnCx<'_>, text: &str, rel: Oid, pretty: bool) -> Result<Option<String>> {
    let c = catalog_of(cx)?;
    expression(cx.rt, &c, text, rel, pretty)
}
#[builtin("pg_get_viewdef")]
fn pg_get_viewdef(cx: &mut FnCx<'_>, rel: Oid) -> Result<Option<String>> {
    let c = catalog_of(cx)?;
    view_definition(cx.rt, &c, rel, layout(false))
}
#[builtin("pg_get_viewdef_ext")]
fn pg_get_viewdef_ext(cx: &mut FnCx<'_>, rel: Oid, pretty: bool) -> Result<Option<String>> {
    let c = catalog_of(cx)?;
    view_definition(cx.rt, &c, rel, layout(pretty))
}
#[builtin("pg_get_viewdef_wrap")]
fn pg_get_viewdef_wrap(cx: &mut FnCx<'_>, rel: Oid, _columns: i32) -> Result<Option<String>> {
    let c = catalog_of(cx)?;
    view_definition(cx.rt, &c, rel, layout(true))
}
#[builtin("pg_get_viewdef_name")]
fn pg_get_viewdef_name(cx: &mut FnCx<'_>, name: &str) -> Result<Option<String>> {
    let c = catalog_of(cx)?;
    let rel = view_by_name(&c, name)?;
    view_definition(cx.rt, &c, rel, layout(false))
}
#[builtin("pg_get_viewdef_name_ext")]
fn pg_get_viewdef_name_ext(cx: &mut FnCx<'_>, name: &str, pretty: bool) -> Result<Option<String>> {
    let c = catalog_of(cx)?;
    let rel = view_by_name(&c, name)?;
    view_definition(cx.rt, &c, rel, layout(pretty))
}
#[builtin("pg_get_ruledef")]
fn pg_get_ruledef(cx: &mut FnCx<'_>, rule: Oid) -> Result<Option<String>> {
    let c = catalog_of(cx)?;
    rule_definition(cx.rt, &c, rule, layout(false))
}
#[builtin("pg_get_ruledef_ext")]
fn pg_get_ruledef_ext(cx: &mut FnCx<'_>, rule: Oid, pretty: bool) -> Result<Option<String>> {
    let c = catalog_of(cx)?;
    rule_definition(cx.rt, &c, rule, layout(pretty))
}
#[builtin("pg_get_triggerdef")]
fn pg_get_triggerdef(cx: &mut FnCx<'_>, trigger: Oid) -> Result<Option<String>> {
    let c = catalog_of(cx)?;
    trigger_definition(cx.rt, &c, trigger, false)
}
#[builtin("pg_get_triggerdef_ext")]
fn pg_get_triggerdef_ext(cx: &mut FnCx<'_>, trigger: Oid, pretty: bool) -> Result<Option<String>> {
    let c = catalog_of(cx)?;
    trigger_definition(cx.rt, &c, trigger, pretty)
}
#[builtin("pg_get_indexdef")]
fn pg_get_indexdef(cx: &mut FnCx<'_>, index: Oid) -> Result<Option<String>> {
    let c = catalog_of(cx)?;
    index_definition(cx.rt, &c, index, 0, false)
}
#[builtin("pg_get_indexdef_ext")]
fn pg_get_indexdef_ext(cx: &mut FnCx<'_>, index: Oid, column: i32, pretty: bool) -> Result<Option<String>> {
    let c = catalog_of(cx)?;
    index_definition(cx.rt, &c, index, usize::try_from(column).unwrap_or(0), pretty)
}
#[builtin("pg_get_constraintdef")]
fn pg_get_constraintdef(cx: &mut FnCx<'_>, constraint: Oid) -> Result<Option<String>> {
    let c = catalog_of(cx)?;
    constraint_definition(cx.rt, &c, constraint, false)
}
#[builtin("pg_get_constraintdef_ext")]
fn pg_get_constraintdef_ext(cx: &mut FnCx<'_>, constraint: Oid, pretty: bool) -> Result<Option<String>> {
    let c = catalog_of(cx)?;
    constraint_definition(cx.rt, &c, constraint, pretty)
}
#[builtin("pg_describe_object")]
fn pg_describe_object(cx: &mut FnCx<'_>, class: Oid, object: Oid, sub: i32) -> Result<Option<String>> {
    let c = catalog_of(cx)?;
    if !class.is_valid() && !object.is_valid() {
        return Ok(None);
    }
    match c.describe_object(&catalog::ObjectAddress { class, object, sub }) {
        Ok(text) => Ok(Some(text)),
        // What is gone has no description.
        Err(e) if e.message().starts_with("cache lookup failed") => Ok(None),
        Err(e) => Err(e),
    }
}
#[builtin("pg_get_statisticsobjdef")]
fn pg_get_statisticsobjdef(cx: &mut FnCx<'_>, object: Oid) -> Result<Option<String>> {
    let c = catalog_of(cx)?;
    statistics_definition(cx.rt, &c, object, false)
}
#[builtin("pg_get_statisticsobjdef_columns")]
fn pg_get_statisticsobjdef_columns(cx: &mut FnCx<'_>, object: Oid) -> Result<Option<String>> {
    let c = catalog_of(cx)?;
    statistics_definition(cx.rt, &c, object, true)
}
#[builtin("pg_get_statisticsobjdef_expressions")]
fn pg_get_statisticsobjdef_expressions(cx: &mut FnCx<'_>, object: Oid) -> Result<Datum> {
    let c = catalog_of(cx)?;
    let Some(list) = statistics_expressions(cx.rt, &c, object)? else { return Ok(Datum::Null) };
    let texts: Vec<Datum> = list.iter().map(|s| Datum::text(s)).collect();
    let refs: Vec<DatumRef<'_>> = texts.iter().map(Datum::as_ref).collect();
    let element = ElementType::of(&*cx.rt.type_info(types::oid::TEXTOID)?);
    build_vector(&element, &refs)
}
#[builtin("pg_statistics_obj_is_visible")]
fn pg_statistics_obj_is_visible(cx: &mut FnCx<'_>, object: Oid) -> Result<Option<bool>> {
    let c = catalog_of(cx)?;
    let Some(s) = c.statistics_object(object)? else { return Ok(None) };
    for namespace in c.search_path()?.schemas.iter() {
        if let Some(found) = c.statistics_by_name(&s.stxname, *namespace)? {
            return Ok(Some(found.oid == object));
        }
    }
    Ok(Some(false))
}
#[builtin("pg_get_function_arguments")]
fn pg_get_function_arguments(cx: &mut FnCx<'_>, f: Oid) -> Result<Option<String>> {
    let c = catalog_of(cx)?;
    function_arguments(cx.rt, &c, f, ArgsFor::Full)
}
#[builtin("pg_get_function_identity_arguments")]
fn pg_get_function_identity_arguments(cx: &mut FnCx<'_>, f: Oid) -> Result<Option<String>> {
    let c = catalog_of(cx)?;
    function_arguments(cx.rt, &c, f, ArgsFor::Identity)
}
#[builtin("pg_get_function_arg_default")]
fn pg_get_function_arg_default(cx: &mut FnCx<'_>, f: Oid, n: i32) -> Result<Option<String>> {
    let c = catalog_of(cx)?;
    function_argument_default(cx.rt, &c, f, n)
}
#[builtin("pg_get_functiondef")]
fn pg_get_functiondef(cx: &mut FnCx<'_>, f: Oid) -> Result<Option<String>> {
    let c = catalog_of(cx)?;
    function_definition(cx.rt, &c, f)
}
#[builtin("pg_get_function_sqlbody")]
fn pg_get_function_sqlbody(cx: &mut FnCx<'_>, f: Oid) -> Result<Option<String>> {
    let c = catalog_of(cx)?;
    function_body(cx.rt, &c, f)
}
#[builtin("pg_get_function_result")]
fn pg_get_function_result(cx: &mut FnCx<'_>, f: Oid) -> Result<Option<String>> {
    let c = catalog_of(cx)?;
    function_result(cx.rt, &c, f)
}
