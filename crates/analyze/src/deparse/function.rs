//! `pg_get_functiondef` and what it is made of.

use base::{Oid, Result};
use catalog::{Catalog, PgProc};
use types::Runtime;

use super::{ArgsFor, Deparser, Pretty, function_arguments, function_result};

/// A function's body outside a string; `None` if it has none. (PostgreSQL: `pg_get_function_sqlbody`)
pub fn function_body(rt: &mut dyn Runtime, c: &Catalog, oid: Oid) -> Result<Option<String>> {
    match c.function(oid)? {
        Some(p) => body_of(rt, c, &p),
        None => Ok(None),
    }
}

fn body_of(rt: &mut dyn Runtime, c: &Catalog, p: &PgProc) -> Result<Option<String>> {
    let Some(text) = &p.prosqlbody else { return Ok(None) };
    let names = p.proargnames.clone().unwrap_or_default();
    let modes = p.proargmodes.clone();
    let input = |i: &usize| modes.as_ref().is_none_or(|m| matches!(m.get(*i), Some(b'i' | b'b' | b'v')));
    let args: Vec<String> = names.into_iter().enumerate().filter(|(i, _)| input(i)).map(|n| n.1).collect();
    let list = crate::nodes::read_body(text, c)?;
    let atomic = !text.starts_with('{');
    let mut out = String::new();
    if atomic {
        out.push_str("BEGIN ATOMIC\n");
    }
    for q in &list {
        let pretty = Pretty { paren: false, indent: atomic, schema: false };
        let text = Deparser::new(rt, c.clone(), pretty).body_statement(q, &p.proname, args.clone())?;
        if !atomic {
            return Ok(Some(text.trim_start().to_owned()));
        }
        if !text.starts_with(' ') {
            out.push(' ');
        }
        out.push_str(&text);
        out.push_str(";\n");
    }
    out.push_str("END");
    Ok(Some(out))
}

/// Settings that are lists of names. (PostgreSQL: `GUC_LIST_QUOTE`)
fn is_list(g: base::guc::Guc) -> bool {
    use base::guc;
    [
        guc::SEARCH_PATH,
        guc::TEMP_TABLESPACES,
        guc::SESSION_PRELOAD_LIBRARIES,
        guc::LOCAL_PRELOAD_LIBRARIES,
        guc::SHARED_PRELOAD_LIBRARIES,
        guc::UNIX_SOCKET_DIRECTORIES,
    ]
    .contains(&g)
}

fn literal(s: &str) -> String {
    format!("'{}'", s.replace('\'', "''"))
}

/// The default of a parameter, which is counted among all of them. (PostgreSQL: `pg_get_function_arg_default`)
pub fn function_argument_default(rt: &mut dyn Runtime, c: &Catalog, oid: Oid, n: i32) -> Result<Option<String>> {
    let Some(p) = c.function(oid)? else { return Ok(None) };
    let modes = p.proargmodes.clone().unwrap_or_else(|| vec![b'i'; p.proargtypes.len()]);
    let is_input = |m: &u8| matches!(m, b'i' | b'b' | b'v');
    let Some(at) = usize::try_from(n - 1).ok().filter(|at| modes.get(*at).is_some_and(is_input)) else {
        return Ok(None);
    };
    let input = modes[..at].iter().filter(|m| is_input(m)).count();
    let defaults = match &p.proargdefaults {
        Some(text) => crate::nodes::read_exprs(text, c)?,
        None => return Ok(None),
    };
    let first = p.proargtypes.len().saturating_sub(defaults.len());
    match input.checked_sub(first).and_then(|i| defaults.get(i)) {
        Some(e) => Deparser::new(rt, c.clone(), Pretty::default()).expr_of_relation(e, Oid::INVALID).map(Some),
        None => Ok(None),
    }
}

/// (PostgreSQL: `pg_get_functiondef`)
pub fn function_definition(rt: &mut dyn Runtime, c: &Catalog, oid: Oid) -> Result<Option<String>> {
    let Some(p) = c.function(oid)? else { return Ok(None) };
    if p.prokind == b'a' {
        let text = format!("\"{}\" is an aggregate function", p.proname);
        return Err(base::PgError::new(base::sqlstate::WRONG_OBJECT_TYPE, text));
    }
    let procedure = p.prokind == b'p';
    let schema = c.namespace_name(p.pronamespace)?.unwrap_or_default();
    let name = parser::quote_qualified(Some(&schema), &p.proname);
    let kind = if procedure { "PROCEDURE" } else { "FUNCTION" };
    let args = function_arguments(rt, c, oid, ArgsFor::Full)?.unwrap_or_default();
    let mut s = format!("CREATE OR REPLACE {kind} {name}({args})\n");
    if let Some(result) = function_result(rt, c, oid)? {
        s.push_str(&format!(" RETURNS {result}\n"));
    }
    let language = c.language(p.prolang)?.map(|l| l.lanname.clone()).unwrap_or_default();
    s.push_str(&format!(" LANGUAGE {}\n", parser::quote_identifier(&language)));
    let mut line = String::new();
    if p.prokind == b'w' {
        line.push_str(" WINDOW");
    }
    match p.provolatile {
        b'i' => line.push_str(" IMMUTABLE"),
        b's' => line.push_str(" STABLE"),
        _ => {}
    }
    match p.proparallel {
        b's' => line.push_str(" PARALLEL SAFE"),
        b'r' => line.push_str(" PARALLEL RESTRICTED"),
        _ => {}
    }
    for (set, word) in [(p.proisstrict, " STRICT"), (p.prosecdef, " SECURITY DEFINER"), (p.proleakproof, " LEAKPROOF")]
    {
        if set {
            line.push_str(word);
        }
    }
    let usual: f32 = if matches!(p.prolang, Oid(12) | Oid(13)) { 1.0 } else { 100.0 };
    if p.procost != usual {
        line.push_str(&format!(" COST {}", p.procost));
    }
    if p.prorows > 0.0 && p.prorows != 1000.0 {
        line.push_str(&format!(" ROWS {}", p.prorows));
    }
    if p.prosupport.is_valid()
        && let Some(f) = c.function(p.prosupport)?
    {
        line.push_str(&format!(" SUPPORT {}", parser::quote_identifier(&f.proname)));
    }
    if !line.is_empty() {
        s.push_str(&line);
        s.push('\n');
    }
    for entry in p.proconfig.iter().flatten() {
        let Some((name, value)) = entry.split_once('=') else { continue };
        s.push_str(&format!(" SET {} TO ", parser::quote_identifier(name)));
        let list = base::guc::Guc::find(name).is_some_and(|g| is_list(g));
        match catalog::namespace::split_identifiers(value) {
            Ok(parts) if list => {
                let parts: Vec<String> = parts.iter().map(|v| literal(v)).collect();
                s.push_str(&parts.join(", "));
            }
            _ => s.push_str(&literal(value)),
        }
        s.push('\n');
    }
    match body_of(rt, c, &p)? {
        Some(body) => s.push_str(&body),
        None => {
            s.push_str("AS ");
            if let Some(file) = &p.probin {
                s.push_str(&format!("{}, ", literal(file)));
            }
            let mut tag = String::from(if procedure { "$procedure" } else { "$function" });
            while p.prosrc.contains(&tag) {
                tag.push('x');
            }
            s.push_str(&format!("{tag}${}{tag}$", p.prosrc));
        }
    }
    s.push('\n');
    Ok(Some(s))
}
