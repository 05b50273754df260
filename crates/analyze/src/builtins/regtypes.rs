//! `regclass`, `regtype`, `regproc` and their like: objects by name, in and out; `format_type`; visibility.
//!
//! PostgreSQL: `utils/adt/regproc.c`, `pg_*_is_visible` (`namespace.c`).

use base::sqlstate::*;
use base::{Oid, PgError, Result};
use catalog::Catalog;
use parser::{quote_identifier, quote_qualified};
use types::{FnCx, builtin};

use crate::AnalyzeContext;
use crate::lookup::Lookup;
use crate::resolve::{FindFunctions, exact_operator, function_candidates, operator_candidates};

pub(crate) fn catalog_of(cx: &mut FnCx<'_>) -> Result<Catalog> {
    Ok(cx.extension::<Catalog>()?.clone())
}

/// `-` or a number, which every such type takes. (PostgreSQL: `parseDashOrOid`)
pub(crate) fn dash_or_oid(s: &str) -> Option<Oid> {
    if s == "-" {
        return Some(Oid::INVALID);
    }
    let digits = !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit());
    if digits { s.parse().ok().map(Oid) } else { None }
}

/// The parts of a dotted name, folded unless quoted. (PostgreSQL: `stringToQualifiedNameList`)
pub(crate) fn split_qualified(s: &str) -> Result<Vec<String>> {
    let bad = || PgError::new(INVALID_NAME, "invalid name syntax");
    let mut out = Vec::new();
    let mut rest = s.trim();
    loop {
        let name;
        if let Some(q) = rest.strip_prefix('"') {
            let mut text = String::new();
            let mut i = 0;
            let b = q.as_bytes();
            loop {
                let next = q[i..].find('"').map(|k| i + k).ok_or_else(bad)?;
                text.push_str(&q[i..next]);
                if b.get(next + 1) == Some(&b'"') {
                    text.push('"');
                    i = next + 2;
                } else {
                    rest = &q[next + 1..];
                    break;
                }
            }
            name = text;
        } else {
            let end = rest.find(|c: char| c == '.' || c.is_whitespace()).unwrap_or(rest.len());
            name = rest[..end].to_lowercase();
            rest = &rest[end..];
        }
        if name.is_empty() {
            return Err(bad());
        }
        let mut name = name;
        while name.len() >= base::NAMEDATALEN {
            name.pop();
        }
        out.push(name);
        rest = rest.trim_start();
        match rest.strip_prefix('.') {
            Some(r) => rest = r.trim_start(),
            None if rest.is_empty() => return Ok(out),
            None => return Err(bad()),
        }
    }
}

/// Schema and name, or the error for too many parts.
fn schema_and_name(names: &[String]) -> Result<(Option<&str>, &str)> {
    match names {
        [n] => Ok((None, n)),
        [s, n] | [_, s, n] => Ok((Some(s), n)),
        _ => {
            let m = format!("improper relation name (too many dotted names): {}", names.join("."));
            Err(PgError::new(SYNTAX_ERROR, m))
        }
    }
}

// ---- looking up ----

fn find_class(c: &Catalog, s: &str) -> Result<Option<Oid>> {
    let names = split_qualified(s)?;
    let (schema, name) = schema_and_name(&names)?;
    c.find_relation(schema, name, true)
}
pub(crate) fn class_oid(c: &Catalog, s: &str) -> Result<Oid> {
    find_class(c, s)?.ok_or_else(|| {
        let shown = split_qualified(s).map_or_else(|_| s.to_owned(), |n| n.join("."));
        PgError::new(UNDEFINED_TABLE, format!("relation \"{shown}\" does not exist"))
    })
}

fn find_proc(c: &Catalog, s: &str) -> Result<Result<Oid>> {
    let names = split_qualified(s)?;
    let all = function_candidates(c, &names, None, &[], FindFunctions::default())?;
    Ok(match &all[..] {
        [] => Err(PgError::new(UNDEFINED_FUNCTION, format!("function \"{s}\" does not exist"))),
        [one] if one.oid.is_valid() => Ok(one.oid),
        _ => Err(PgError::new(AMBIGUOUS_FUNCTION, format!("more than one function named \"{s}\""))),
    })
}

/// Name and argument types of `name(type, ..)`. (PostgreSQL: `parseNameAndArgTypes`)
fn name_and_types(cx: &mut FnCx<'_>, c: &Catalog, s: &str, none: bool) -> Result<(Vec<String>, Vec<Oid>)> {
    let bad = |m: &str| PgError::new(INVALID_TEXT_REPRESENTATION, m);
    let mut quoted = false;
    let open = s
        .char_indices()
        .find(|(_, ch)| {
            if *ch == '"' {
                quoted = !quoted;
            }
            *ch == '(' && !quoted
        })
        .map(|x| x.0)
        .ok_or_else(|| bad("expected a left parenthesis"))?;
    let inner = s[open + 1..].trim_end().strip_suffix(')').ok_or_else(|| bad("expected a right parenthesis"))?;
    let names = split_qualified(&s[..open])?;
    let mut types = Vec::new();
    let (mut depth, mut quoted, mut start) = (0, false, 0);
    let mut parts = Vec::new();
    for (i, ch) in inner.char_indices() {
        match ch {
            '"' => quoted = !quoted,
            '(' | '[' if !quoted => depth += 1,
            ')' | ']' if !quoted => depth -= 1,
            ',' if !quoted && depth == 0 => {
                parts.push(&inner[start..i]);
                start = i + 1;
            }
            _ => {}
        }
    }
    if !inner.trim().is_empty() {
        parts.push(&inner[start..]);
    }
    for p in parts {
        if none && p.trim().eq_ignore_ascii_case("none") {
            types.push(Oid::INVALID);
            continue;
        }
        types.push(parse_type(cx, c, p)?.0);
    }
    Ok((names, types))
}

/// (PostgreSQL: `parseTypeString`)
pub(crate) fn parse_type(cx: &mut FnCx<'_>, c: &Catalog, s: &str) -> Result<(Oid, i32)> {
    let t = parser::parse_type_name(s)?;
    let mut ac = AnalyzeContext::new(c.clone(), cx.rt);
    let r = crate::ddl::transform_type_name(&mut ac, &t);
    // The name was written by nobody in this statement.
    r.map_err(|mut e| {
        e.fields_mut().position = None;
        e
    })
}

fn find_procedure(cx: &mut FnCx<'_>, c: &Catalog, s: &str) -> Result<Option<Oid>> {
    let (names, types) = name_and_types(cx, c, s, false)?;
    let all = function_candidates(c, &names, Some(types.len()), &[], FindFunctions::default())?;
    Ok(all.into_iter().find(|k| k.args == types).map(|k| k.oid))
}
fn find_oper(c: &Catalog, s: &str) -> Result<Result<Oid>> {
    let (schema, op) = match s.rfind('.') {
        Some(i) if i > 0 => (Some(&s[..i]), &s[i + 1..]),
        _ => (None, s),
    };
    let mut names = match schema {
        Some(q) => split_qualified(q)?,
        None => Vec::new(),
    };
    names.push(op.to_owned());
    let mut all = operator_candidates(c, &names, b'b')?;
    all.extend(operator_candidates(c, &names, b'l')?);
    Ok(match &all[..] {
        [] => Err(PgError::new(UNDEFINED_FUNCTION, format!("operator does not exist: {s}"))),
        [one] => Ok(one.oid),
        _ => Err(PgError::new(AMBIGUOUS_FUNCTION, format!("more than one operator named {s}"))),
    })
}
fn find_operator_sig(cx: &mut FnCx<'_>, c: &Catalog, s: &str) -> Result<Option<Oid>> {
    let open = s.find('(').ok_or_else(|| PgError::new(INVALID_TEXT_REPRESENTATION, "expected a left parenthesis"))?;
    let (head, tail) = s.split_at(open);
    let (schema, op) = match head.rfind('.') {
        Some(i) if i > 0 => (Some(&head[..i]), &head[i + 1..]),
        _ => (None, head),
    };
    let (_, types) = name_and_types(cx, c, &format!("x{tail}"), true)?;
    let mut names = match schema {
        Some(q) => split_qualified(q)?,
        None => Vec::new(),
    };
    names.push(op.trim().to_owned());
    match types[..] {
        [_] => Err(PgError::new(UNDEFINED_PARAMETER, "missing argument")
            .hint("Use NONE to denote the missing argument of a unary operator.")),
        [l, r] => Ok(exact_operator(c, &names, l, r)?.valid()),
        _ => {
            Err(PgError::new(TOO_MANY_ARGUMENTS, "too many arguments").hint("Provide two argument types for operator."))
        }
    }
}
fn find_namespace(c: &Catalog, s: &str) -> Result<Option<Oid>> {
    let names = split_qualified(s)?;
    match &names[..] {
        [n] => Ok(c.namespace_by_name(n)?.map(|n| n.oid)),
        _ => Err(PgError::new(INVALID_NAME, "invalid name syntax")),
    }
}
fn find_role(c: &Catalog, s: &str) -> Result<Option<Oid>> {
    let names = split_qualified(s)?;
    match &names[..] {
        [n] => Ok(c.role_by_name(n)?.map(|n| n.oid)),
        _ => Err(PgError::new(INVALID_NAME, "invalid name syntax")),
    }
}

// ---- input ----

#[builtin("text_regclass")]
fn text_regclass(cx: &mut FnCx<'_>, s: &str) -> Result<Oid> {
    let c = catalog_of(cx)?;
    let parts = catalog::namespace::split_identifiers(&s.replace('.', ",")).unwrap_or_default();
    if let [schema, _] = parts.as_slice()
        && !s.contains('"')
    {
        c.explicit_namespace(schema, false)?;
    }
    class_oid(&c, s)
}
#[builtin("regclassin")]
fn regclassin(cx: &mut FnCx<'_>, s: &str) -> Result<Oid> {
    let c = catalog_of(cx)?;
    dash_or_oid(s).map_or_else(|| class_oid(&c, s), Ok)
}
#[builtin("regtypein")]
fn regtypein(cx: &mut FnCx<'_>, s: &str) -> Result<Oid> {
    let c = catalog_of(cx)?;
    match dash_or_oid(s) {
        Some(o) => Ok(o),
        None => Ok(parse_type(cx, &c, s)?.0),
    }
}
#[builtin("regprocin")]
fn regprocin(cx: &mut FnCx<'_>, s: &str) -> Result<Oid> {
    let c = catalog_of(cx)?;
    dash_or_oid(s).map_or_else(|| find_proc(&c, s)?, Ok)
}
#[builtin("regprocedurein")]
fn regprocedurein(cx: &mut FnCx<'_>, s: &str) -> Result<Oid> {
    let c = catalog_of(cx)?;
    match dash_or_oid(s) {
        Some(o) => Ok(o),
        None => find_procedure(cx, &c, s)?
            .ok_or_else(|| PgError::new(UNDEFINED_FUNCTION, format!("function \"{s}\" does not exist"))),
    }
}
#[builtin("regoperin")]
fn regoperin(cx: &mut FnCx<'_>, s: &str) -> Result<Oid> {
    let c = catalog_of(cx)?;
    if s == "0" {
        return Ok(Oid::INVALID);
    }
    dash_or_oid(s).filter(|_| s != "-").map_or_else(|| find_oper(&c, s)?, Ok)
}
#[builtin("regoperatorin")]
fn regoperatorin(cx: &mut FnCx<'_>, s: &str) -> Result<Oid> {
    let c = catalog_of(cx)?;
    match dash_or_oid(s).filter(|_| s != "-") {
        Some(o) => Ok(o),
        None => find_operator_sig(cx, &c, s)?
            .ok_or_else(|| PgError::new(UNDEFINED_FUNCTION, format!("operator does not exist: {s}"))),
    }
}
#[builtin("regnamespacein")]
fn regnamespacein(cx: &mut FnCx<'_>, s: &str) -> Result<Oid> {
    let c = catalog_of(cx)?;
    let name = split_qualified(s).map(|n| n.join(".")).unwrap_or_else(|_| s.to_owned());
    let missing = || PgError::new(UNDEFINED_SCHEMA, format!("schema \"{name}\" does not exist"));
    dash_or_oid(s).map_or_else(|| find_namespace(&c, s)?.ok_or_else(missing), Ok)
}
#[builtin("regrolein")]
fn regrolein(cx: &mut FnCx<'_>, s: &str) -> Result<Oid> {
    let c = catalog_of(cx)?;
    let name = split_qualified(s).map(|n| n.join(".")).unwrap_or_else(|_| s.to_owned());
    let missing = || PgError::new(UNDEFINED_OBJECT, format!("role \"{name}\" does not exist"));
    dash_or_oid(s).map_or_else(|| find_role(&c, s)?.ok_or_else(missing), Ok)
}
#[builtin("regcollationin")]
fn regcollationin(cx: &mut FnCx<'_>, s: &str) -> Result<Oid> {
    let c = catalog_of(cx)?;
    dash_or_oid(s).map_or_else(|| crate::typename::find_collation(&c, &split_qualified(s)?), Ok)
}

/// A look-up that fails softly.
fn soft(r: Result<Oid>) -> Result<Option<Oid>> {
    match r {
        Ok(o) => Ok(Some(o)),
        Err(e) if matches!(e.sqlstate().class(), "42" | "3F") => Ok(None),
        Err(e) => Err(e),
    }
}
#[builtin("to_regclass")]
fn to_regclass(cx: &mut FnCx<'_>, s: &str) -> Result<Option<Oid>> {
    soft(regclassin(cx, s))
}
#[builtin("to_regtype")]
fn to_regtype(cx: &mut FnCx<'_>, s: &str) -> Result<Option<Oid>> {
    soft(regtypein(cx, s))
}
#[builtin("to_regproc")]
fn to_regproc(cx: &mut FnCx<'_>, s: &str) -> Result<Option<Oid>> {
    soft(regprocin(cx, s))
}
#[builtin("to_regprocedure")]
fn to_regprocedure(cx: &mut FnCx<'_>, s: &str) -> Result<Option<Oid>> {
    soft(regprocedurein(cx, s))
}
#[builtin("to_regoper")]
fn to_regoper(cx: &mut FnCx<'_>, s: &str) -> Result<Option<Oid>> {
    soft(regoperin(cx, s))
}
#[builtin("to_regoperator")]
fn to_regoperator(cx: &mut FnCx<'_>, s: &str) -> Result<Option<Oid>> {
    soft(regoperatorin(cx, s))
}
#[builtin("to_regnamespace")]
fn to_regnamespace(cx: &mut FnCx<'_>, s: &str) -> Result<Option<Oid>> {
    soft(regnamespacein(cx, s))
}
#[builtin("to_regrole")]
fn to_regrole(cx: &mut FnCx<'_>, s: &str) -> Result<Option<Oid>> {
    soft(regrolein(cx, s))
}
#[builtin("to_regcollation")]
fn to_regcollation(cx: &mut FnCx<'_>, s: &str) -> Result<Option<Oid>> {
    soft(regcollationin(cx, s))
}
#[builtin("to_regtypemod")]
fn to_regtypemod(cx: &mut FnCx<'_>, s: &str) -> Result<Option<i32>> {
    let c = catalog_of(cx)?;
    match parse_type(cx, &c, s) {
        Ok((_, m)) => Ok(Some(m)),
        Err(e) if e.sqlstate().class() == "42" => Ok(None),
        Err(e) => Err(e),
    }
}

// ---- output ----

/// The name, with its schema where the bare one would not be found.
fn shown(c: &Catalog, schema: Oid, name: &str, visible: bool) -> Result<String> {
    if visible {
        return Ok(quote_identifier(name).into_owned());
    }
    Ok(quote_qualified(c.namespace_name(schema)?.as_deref(), name))
}
fn put(out: &mut Vec<u8>, s: &str) {
    out.extend_from_slice(s.as_bytes());
}
fn or_number(o: Oid, s: Option<String>) -> String {
    match s {
        Some(s) => s,
        None if o.is_valid() => o.to_string(),
        None => "-".to_owned(),
    }
}

/// A relation's name as `regclass` shows it.
pub fn regclass_text(c: &Catalog, o: Oid) -> Result<String> {
    let row = if o.is_valid() { c.class(o)? } else { None };
    let name = match row {
        Some(r) => {
            let visible = c.relation_is_visible(r.relnamespace, &r.relname, o)?;
            Some(shown(c, r.relnamespace, &r.relname, visible)?)
        }
        None => None,
    };
    Ok(or_number(o, name))
}
fn function_visible(c: &Catalog, p: &catalog::PgProc) -> Result<bool> {
    let all = function_candidates(
        c,
        std::slice::from_ref(&p.proname),
        Some(p.proargtypes.len()),
        &[],
        FindFunctions::default(),
    )?;
    Ok(all.iter().any(|k| k.oid == p.oid))
}
/// `name(type, ..)` as `regprocedure` shows it. (PostgreSQL: `format_procedure`)
pub fn regprocedure_text(c: &Catalog, o: Oid) -> Result<String> {
    let Some(p) = (if o.is_valid() { c.function(o)? } else { None }) else { return Ok(or_number(o, None)) };
    let mut types = Vec::new();
    for t in &p.proargtypes {
        types.push(c.format_type(*t, None)?);
    }
    let name = shown(c, p.pronamespace, &p.proname, function_visible(c, &p)?)?;
    Ok(format!("{name}({})", types.join(",")))
}
/// `name(left,right)` as `regoperator` shows it. (PostgreSQL: `format_operator`)
pub fn regoperator_text(c: &Catalog, o: Oid) -> Result<String> {
    let Some(p) = (if o.is_valid() { c.operator(o)? } else { None }) else {
        return Ok(if o.is_valid() { o.to_string() } else { "0".to_owned() });
    };
    let visible = exact_operator(c, std::slice::from_ref(&p.oprname), p.oprleft, p.oprright)? == o;
    let schema = if visible {
        String::new()
    } else {
        format!("{}.", quote_identifier(&c.namespace_name(p.oprnamespace)?.unwrap_or_default()))
    };
    let side = |t: Oid| if t.is_valid() { c.format_type(t, None) } else { Ok("NONE".to_owned()) };
    Ok(format!("{schema}{}({},{})", p.oprname, side(p.oprleft)?, side(p.oprright)?))
}

#[builtin("regclassout", write)]
fn regclassout(cx: &mut FnCx<'_>, o: Oid, out: &mut Vec<u8>) -> Result<()> {
    let c = catalog_of(cx)?;
    put(out, &regclass_text(&c, o)?);
    Ok(())
}
#[builtin("regtypeout", write)]
fn regtypeout(cx: &mut FnCx<'_>, o: Oid, out: &mut Vec<u8>) -> Result<()> {
    let c = catalog_of(cx)?;
    let known = o.is_valid() && c.type_by_oid(o)?.is_some();
    let name = if known { Some(c.format_type(o, None)?) } else { None };
    put(out, &or_number(o, name));
    Ok(())
}
#[builtin("regprocout", write)]
fn regprocout(cx: &mut FnCx<'_>, o: Oid, out: &mut Vec<u8>) -> Result<()> {
    let c = catalog_of(cx)?;
    let name = match if o.is_valid() { c.function(o)? } else { None } {
        Some(p) => {
            let names = std::slice::from_ref(&p.proname);
            let all = function_candidates(&c, names, None, &[], FindFunctions::default())?;
            let only = matches!(&all[..], [one] if one.oid == o);
            Some(shown(&c, p.pronamespace, &p.proname, only)?)
        }
        None => None,
    };
    put(out, &or_number(o, name));
    Ok(())
}
#[builtin("regprocedureout", write)]
fn regprocedureout(cx: &mut FnCx<'_>, o: Oid, out: &mut Vec<u8>) -> Result<()> {
    let c = catalog_of(cx)?;
    put(out, &regprocedure_text(&c, o)?);
    Ok(())
}
#[builtin("regoperout", write)]
fn regoperout(cx: &mut FnCx<'_>, o: Oid, out: &mut Vec<u8>) -> Result<()> {
    let c = catalog_of(cx)?;
    let text = match if o.is_valid() { c.operator(o)? } else { None } {
        Some(p) => match find_oper(&c, &p.oprname)? {
            Ok(found) if found == o => p.oprname.clone(),
            _ => format!("{}.{}", quote_identifier(&c.namespace_name(p.oprnamespace)?.unwrap_or_default()), p.oprname),
        },
        None if o.is_valid() => o.to_string(),
        None => "0".to_owned(),
    };
    put(out, &text);
    Ok(())
}
#[builtin("regoperatorout", write)]
fn regoperatorout(cx: &mut FnCx<'_>, o: Oid, out: &mut Vec<u8>) -> Result<()> {
    let c = catalog_of(cx)?;
    put(out, &regoperator_text(&c, o)?);
    Ok(())
}
#[builtin("regnamespaceout", write)]
fn regnamespaceout(cx: &mut FnCx<'_>, o: Oid, out: &mut Vec<u8>) -> Result<()> {
    let c = catalog_of(cx)?;
    let name = c.namespace_name(o)?.map(|n| quote_identifier(&n).into_owned());
    put(out, &or_number(o, name));
    Ok(())
}
#[builtin("regroleout", write)]
fn regroleout(cx: &mut FnCx<'_>, o: Oid, out: &mut Vec<u8>) -> Result<()> {
    let c = catalog_of(cx)?;
    let name = c.role(o)?.map(|n| quote_identifier(&n.rolname).into_owned());
    put(out, &or_number(o, name));
    Ok(())
}
#[builtin("regcollationout", write)]
fn regcollationout(cx: &mut FnCx<'_>, o: Oid, out: &mut Vec<u8>) -> Result<()> {
    let c = catalog_of(cx)?;
    put(out, &collation_text(&c, o)?);
    Ok(())
}
/// A collation's name as `regcollation` shows it.
pub fn collation_text(c: &Catalog, o: Oid) -> Result<String> {
    let name = match c.collation(o)? {
        Some(k) => {
            let names = std::slice::from_ref(&k.collname);
            let visible = matches!(crate::typename::find_collation(c, names), Ok(found) if found == o);
            Some(shown(c, k.collnamespace, &k.collname, visible)?)
        }
        None => None,
    };
    Ok(or_number(o, name))
}

// ---- names and visibility ----

#[builtin("format_type")]
fn format_type(cx: &mut FnCx<'_>, oid: Option<Oid>, typmod: Option<i32>) -> Result<Option<String>> {
    let c = catalog_of(cx)?;
    match oid {
        None => Ok(None),
        Some(oid) => Ok(Some(c.format_type(oid, typmod)?)),
    }
}
#[builtin("pg_table_is_visible")]
fn pg_table_is_visible(cx: &mut FnCx<'_>, o: Oid) -> Result<Option<bool>> {
    let c = catalog_of(cx)?;
    match c.class(o)? {
        Some(r) => Ok(Some(c.relation_is_visible(r.relnamespace, &r.relname, o)?)),
        None => Ok(None),
    }
}
#[builtin("pg_type_is_visible")]
fn pg_type_is_visible(cx: &mut FnCx<'_>, o: Oid) -> Result<Option<bool>> {
    let c = catalog_of(cx)?;
    c.type_by_oid(o)?.map(|t| c.type_is_visible(&t)).transpose()
}
#[builtin("pg_function_is_visible")]
fn pg_function_is_visible(cx: &mut FnCx<'_>, o: Oid) -> Result<Option<bool>> {
    let c = catalog_of(cx)?;
    c.function(o)?.map(|p| function_visible(&c, &p)).transpose()
}
#[builtin("pg_operator_is_visible")]
fn pg_operator_is_visible(cx: &mut FnCx<'_>, o: Oid) -> Result<Option<bool>> {
    let c = catalog_of(cx)?;
    let Some(p) = c.operator(o)? else { return Ok(None) };
    Ok(Some(exact_operator(&c, std::slice::from_ref(&p.oprname), p.oprleft, p.oprright)? == o))
}
#[builtin("pg_opclass_is_visible")]
fn pg_opclass_is_visible(cx: &mut FnCx<'_>, o: Oid) -> Result<Option<bool>> {
    let c = catalog_of(cx)?;
    let Some(k) = c.opclass(o)? else { return Ok(None) };
    let found = crate::ddl::find_opclass(&c, k.opcmethod, "", std::slice::from_ref(&k.opcname));
    Ok(Some(matches!(found, Ok(f) if f == o)))
}
#[builtin("pg_opfamily_is_visible")]
fn pg_opfamily_is_visible(cx: &mut FnCx<'_>, o: Oid) -> Result<Option<bool>> {
    let c = catalog_of(cx)?;
    let Some(k) = c.opfamily(o)? else { return Ok(None) };
    Ok(Some(c.search_path()?.position(k.opfnamespace).is_some()))
}
#[builtin("pg_collation_is_visible")]
fn pg_collation_is_visible(cx: &mut FnCx<'_>, o: Oid) -> Result<Option<bool>> {
    let c = catalog_of(cx)?;
    let Some(k) = c.collation(o)? else { return Ok(None) };
    let found = crate::typename::find_collation(&c, std::slice::from_ref(&k.collname));
    Ok(Some(matches!(found, Ok(f) if f == o)))
}
#[builtin("pg_get_userbyid")]
fn pg_get_userbyid(cx: &mut FnCx<'_>, o: Oid) -> Result<String> {
    catalog_of(cx)?.role_name(o)
}
#[builtin("current_schema")]
fn current_schema(cx: &mut FnCx<'_>) -> Result<Option<String>> {
    let c = catalog_of(cx)?;
    let path = c.search_path()?;
    match path.explicit.first() {
        Some(ns) => c.namespace_name(*ns),
        None => Ok(None),
    }
}

/// All take and give four bytes. (PostgreSQL: `regclassrecv` and the others, which are `oidrecv`)
#[builtin(
    "regprocrecv",
    "regprocedurerecv",
    "regoperrecv",
    "regoperatorrecv",
    "regclassrecv",
    "regcollationrecv",
    "regtyperecv",
    "regrolerecv",
    "regnamespacerecv",
    "regconfigrecv",
    "regdictionaryrecv"
)]
fn regrecv(b: &[u8]) -> Result<Oid> {
    let bytes = <[u8; 4]>::try_from(b);
    let bytes = bytes.map_err(|_| PgError::new(INVALID_BINARY_REPRESENTATION, "incorrect binary data format"))?;
    Ok(Oid(u32::from_be_bytes(bytes)))
}
#[builtin(
    "regprocsend",
    "regproceduresend",
    "regopersend",
    "regoperatorsend",
    "regclasssend",
    "regcollationsend",
    "regtypesend",
    "regrolesend",
    "regnamespacesend",
    "regconfigsend",
    "regdictionarysend"
)]
fn regsend(o: Oid) -> Vec<u8> {
    o.0.to_be_bytes().to_vec()
}

/// A `name[]`: fixed elements of 64 bytes.
fn name_array(names: &[String]) -> Vec<u8> {
    let mut b = Vec::new();
    let n = names.len() as i32;
    let dims = i32::from(n > 0);
    b.extend_from_slice(&dims.to_le_bytes());
    b.extend_from_slice(&0i32.to_le_bytes());
    b.extend_from_slice(&types::oid::NAMEOID.0.to_le_bytes());
    if n > 0 {
        b.extend_from_slice(&n.to_le_bytes());
        b.extend_from_slice(&1i32.to_le_bytes());
    }
    for s in names {
        let mut name = [0u8; base::NAMEDATALEN];
        let k = s.len().min(base::NAMEDATALEN - 1);
        name[..k].copy_from_slice(&s.as_bytes()[..k]);
        b.extend_from_slice(&name);
    }
    b
}
#[builtin("current_schemas")]
fn current_schemas(cx: &mut FnCx<'_>, implicit: bool) -> Result<Vec<u8>> {
    let c = catalog_of(cx)?;
    let path = c.search_path()?;
    let mut names = Vec::new();
    for ns in if implicit { &path.schemas } else { &path.explicit } {
        names.extend(c.namespace_name(*ns)?);
    }
    Ok(name_array(&names))
}
#[builtin("pg_get_serial_sequence")]
fn pg_get_serial_sequence(cx: &mut FnCx<'_>, table: &str, column: &str) -> Result<Option<String>> {
    let c = catalog_of(cx)?;
    let rel = class_oid(&c, table)?;
    let name = c.class_row(rel)?.relname.clone();
    let missing =
        || PgError::new(UNDEFINED_COLUMN, format!("column \"{column}\" of relation \"{name}\" does not exist"));
    let att = c.attribute_by_name(rel, column)?.ok_or_else(missing)?;
    let keys = [
        types::Datum::oid(catalog::oids::RELATION_RELATION),
        types::Datum::oid(rel),
        types::Datum::i32(i32::from(att.attnum)),
    ];
    let deps: Vec<catalog::PgDepend> = c.rows(catalog::oids::DEPEND_REFERENCE_INDEX, &keys)?;
    for d in deps {
        if d.classid != catalog::oids::RELATION_RELATION || !matches!(d.deptype, b'a' | b'i') {
            continue;
        }
        if let Some(s) = c.class(d.objid)?.filter(|k| k.relkind == b'S') {
            return Ok(Some(quote_qualified(c.namespace_name(s.relnamespace)?.as_deref(), &s.relname)));
        }
    }
    Ok(None)
}
