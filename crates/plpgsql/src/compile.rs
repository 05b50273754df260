//! From a function's row in `pg_proc` to its tree: parameters become variables, then the text is parsed.
//! (PostgreSQL: `plpgsql_compile_callback`, `plpgsql_compile_inline`)

use analyze::definitions::is_polymorphic_type;
use analyze::plpgsql::PolyTypes;
use base::sqlstate::*;
use base::{Oid, PgError, Result};
use catalog::PgProc;
use executor::ExecContext;
use parser::lexer::lex;
use types::oid::*;

use crate::parse::Parser;
use crate::tree::*;
use crate::vartype;

/// What a function is compiled for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Use {
    Call,
    /// A trigger of that table; of none while it is only checked.
    Trigger(Oid),
    EventTrigger,
}

/// While a function is only checked, its polymorphic types are these.
fn for_checking(t: Oid) -> Oid {
    match t {
        ANYELEMENTOID | ANYNONARRAYOID | ANYENUMOID | ANYCOMPATIBLEOID | ANYCOMPATIBLENONARRAYOID => INT4OID,
        ANYARRAYOID | ANYCOMPATIBLEARRAYOID => INT4ARRAYOID,
        ANYRANGEOID | ANYCOMPATIBLERANGEOID => INT4RANGEOID,
        ANYMULTIRANGEOID | ANYCOMPATIBLEMULTIRANGEOID => INT4MULTIRANGEOID,
        t => t,
    }
}

/// Compiles a function for some actual types; `check` looks at the SQL in it, too.
pub fn compile(
    cx: &mut ExecContext,
    proc: &PgProc,
    arg_types: &[Oid],
    result: Oid,
    usage: Use,
    check: bool,
) -> Result<Function> {
    let options = crate::expr::options(cx);
    let lexed = lex(&proc.prosrc, &options);
    let kind = match usage {
        Use::Call if proc.prokind == b'p' => Kind::Procedure,
        Use::Call => Kind::Function,
        Use::Trigger(_) => Kind::Trigger,
        Use::EventTrigger => Kind::EventTrigger,
    };
    let mut p = Parser::new(cx, &proc.prosrc, &lexed, kind);
    p.check = check;
    p.returns_set = proc.proretset;
    settings(&mut p);
    let done = function(&mut p, proc, arg_types, result, usage, check);
    let (line, notices) = (p.latest_line(), std::mem::take(&mut p.notices));
    for n in notices.into_iter().chain(lexed.notices.iter().cloned()) {
        if check {
            cx.notices.notice(n);
        }
    }
    done.map_err(|e| told(e, &proc.proname, line))
}

/// Errors that have a place need no more words.
fn told(e: PgError, name: &str, line: u32) -> PgError {
    match e.fields().position {
        Some(_) => e,
        None => e.context(format!("compilation of PL/pgSQL function \"{name}\" near line {line}")),
    }
}

/// What the session's settings ask for.
fn settings(p: &mut Parser<'_>) {
    let Some(host) = p.cx.host.clone() else { return };
    let get = |name: &str| host.setting(name).unwrap_or_default();
    p.conflict = match get("plpgsql.variable_conflict").as_str() {
        "use_variable" => Conflict::UseVariable,
        "use_column" => Conflict::UseColumn,
        _ => Conflict::Error,
    };
    p.print_strict_params = matches!(get("plpgsql.print_strict_params").as_str(), "on" | "true" | "yes" | "1");
    let checks = |text: String| {
        let has = |w: &str| text.split(',').any(|t| matches!(t.trim(), "all") || t.trim().eq_ignore_ascii_case(w));
        Checks {
            shadowed: has("shadowed_variables"),
            too_many_rows: has("too_many_rows"),
            multi_assignment: has("strict_multi_assignment"),
        }
    };
    // They count while a function is checked.
    if p.check || p.kind == Kind::Inline {
        p.warnings.shadowed = checks(get("plpgsql.extra_warnings")).shadowed;
        p.errors.shadowed = checks(get("plpgsql.extra_errors")).shadowed;
    }
    let (w, e) = (checks(get("plpgsql.extra_warnings")), checks(get("plpgsql.extra_errors")));
    (p.warnings.too_many_rows, p.warnings.multi_assignment) = (w.too_many_rows, w.multi_assignment);
    (p.errors.too_many_rows, p.errors.multi_assignment) = (e.too_many_rows, e.multi_assignment);
}

fn function(
    p: &mut Parser<'_>,
    proc: &PgProc,
    arg_types: &[Oid],
    result: Oid,
    usage: Use,
    check: bool,
) -> Result<Function> {
    p.push_label(Some(&proc.proname), LabelKind::Block);
    let mut args = Vec::new();
    let mut outs = Vec::new();
    let mut return_type = proc.prorettype;
    let (mut old, mut new) = (0, 0);
    match usage {
        Use::Call => {
            let (a, o, r) = parameters(p, proc, arg_types, result, check)?;
            (args, outs, return_type) = (a, o, r);
        }
        Use::Trigger(_) => {
            if !proc.proargtypes.is_empty() {
                let e = PgError::new(INVALID_FUNCTION_DEFINITION, "trigger functions cannot have declared arguments");
                let hint = "The arguments of the trigger can be accessed through TG_NARGS and TG_ARGV instead.";
                return Err(e.hint(hint));
            }
            let record = vartype::of_oid(p.cx, RECORDOID, -1, Oid::INVALID)?;
            new = p.variable("new", record.clone())?;
            old = p.variable("old", record)?;
            for (name, ty, promise) in [
                ("tg_name", NAMEOID, Promise::Name),
                ("tg_when", TEXTOID, Promise::When),
                ("tg_level", TEXTOID, Promise::Level),
                ("tg_op", TEXTOID, Promise::Op),
                ("tg_relid", OIDOID, Promise::Relid),
                ("tg_relname", NAMEOID, Promise::TableName),
                ("tg_table_name", NAMEOID, Promise::TableName),
                ("tg_table_schema", NAMEOID, Promise::TableSchema),
                ("tg_nargs", INT4OID, Promise::Nargs),
                ("tg_argv", TEXTARRAYOID, Promise::Argv),
            ] {
                promised(p, name, ty, promise)?;
            }
        }
        Use::EventTrigger => {
            if !proc.proargtypes.is_empty() {
                let text = "event trigger functions cannot have declared arguments";
                return Err(PgError::new(INVALID_FUNCTION_DEFINITION, text));
            }
            promised(p, "tg_event", TEXTOID, Promise::Event)?;
            promised(p, "tg_tag", TEXTOID, Promise::Tag)?;
        }
    }
    let found = found_variable(p)?;
    p.has_out = !outs.is_empty();
    p.returns_void = return_type == VOIDOID || (p.kind == Kind::Procedure && outs.is_empty());
    let body = p.function()?;
    let (mut returns_row, mut returns_domain) = (false, false);
    if usage == Use::Call {
        let base = p.cx.catalog.base_type(return_type, -1)?.0;
        returns_row = return_type == RECORDOID || base == RECORDOID || p.cx.catalog.type_row(base)?.typtype == b'c';
        returns_domain = base != return_type;
    } else if matches!(usage, Use::Trigger(_)) {
        returns_row = true;
    }
    let out = match outs.as_slice() {
        [] => None,
        [one] if p.kind != Kind::Procedure => Some(Out::One(*one)),
        _ => Some(Out::Row(outs)),
    };
    Ok(Function {
        oid: proc.oid,
        name: proc.proname.clone(),
        signature: p.cx.catalog.format_procedure(proc.oid, false)?,
        kind: p.kind,
        args,
        out,
        return_type,
        returns_set: proc.proretset,
        returns_row,
        returns_domain,
        readonly: proc.provolatile != b'v',
        vars: std::mem::take(&mut p.vars),
        names: std::mem::take(&mut p.names),
        body,
        found,
        old,
        new,
        conflict: p.conflict,
        print_strict_params: p.print_strict_params,
        warnings: p.warnings,
        errors: p.errors,
        exprs: p.exprs,
    })
}

fn promised(p: &mut Parser<'_>, name: &str, ty: Oid, promise: Promise) -> Result<()> {
    let ty = vartype::of_oid(p.cx, ty, -1, Oid::INVALID)?;
    let dno = p.add_var(name, ty, VarKind::Promise(promise));
    p.push_name(name, dno);
    Ok(())
}

fn found_variable(p: &mut Parser<'_>) -> Result<Dno> {
    let ty = vartype::of_oid(p.cx, BOOLOID, -1, Oid::INVALID)?;
    p.variable("found", ty)
}

/// The parameters' variables: those that take arguments, those that give results; and the result's type.
fn parameters(
    p: &mut Parser<'_>,
    proc: &PgProc,
    arg_types: &[Oid],
    result: Oid,
    check: bool,
) -> Result<(Vec<Dno>, Vec<Dno>, Oid)> {
    let all = proc.proallargtypes.clone().unwrap_or_else(|| proc.proargtypes.clone());
    let modes = proc.proargmodes.clone().unwrap_or_else(|| vec![b'i'; all.len()]);
    let names = proc.proargnames.clone().unwrap_or_default();
    let is_input = |m: u8| matches!(m, b'i' | b'b' | b'v');
    let mut poly = PolyTypes::default();
    if !check {
        for (declared, actual) in proc.proargtypes.iter().zip(arg_types) {
            poly.learn(&p.cx.catalog, *declared, *actual)?;
        }
        if result.is_valid() && !is_polymorphic_type(result) {
            poly.learn(&p.cx.catalog, proc.prorettype, result)?;
        }
    }
    let undetermined = |name: &str| {
        let text = format!("could not determine actual argument type for polymorphic function \"{name}\"");
        PgError::new(FEATURE_NOT_SUPPORTED, text)
    };
    let (mut args, mut outs) = (Vec::new(), Vec::new());
    for (i, (declared, mode)) in all.iter().zip(&modes).enumerate() {
        let oid = match is_polymorphic_type(*declared) {
            true if check => for_checking(*declared),
            true => match poly.resolve(&p.cx.catalog, *declared)? {
                Some(oid) => oid,
                // Columns of the statistics are of no certain array type.
                None if arg_types.contains(declared) => *declared,
                None => return Err(undetermined(&proc.proname)),
            },
            false => *declared,
        };
        let ty = vartype::of_oid(p.cx, oid, -1, Oid::INVALID)?;
        if ty.kind == TypeKind::Pseudo {
            let text = format!("PL/pgSQL functions cannot accept type {}", p.cx.catalog.format_type(oid, None)?);
            return Err(PgError::new(FEATURE_NOT_SUPPORTED, text));
        }
        let number = format!("${}", i + 1);
        let own = names.get(i).filter(|n| !n.is_empty());
        let dno = p.add_var(own.unwrap_or(&number), ty, VarKind::Scalar);
        p.push_name(&number, dno);
        if let Some(name) = own {
            if lookup_here(&p.names, p.scope, name) {
                let text = format!("parameter name \"{name}\" used more than once");
                return Err(PgError::new(INVALID_FUNCTION_DEFINITION, text));
            }
            p.push_name(name, dno);
        }
        if is_input(*mode) {
            args.push(dno);
        }
        if matches!(mode, b'o' | b'b' | b't') {
            outs.push(dno);
        }
    }
    let return_type = match is_polymorphic_type(proc.prorettype) {
        true if check => for_checking(proc.prorettype),
        true => {
            let known = if result.is_valid() && !is_polymorphic_type(result) { Some(result) } else { None };
            let found = match known {
                Some(r) => Some(r),
                None => poly.resolve(&p.cx.catalog, proc.prorettype)?,
            };
            found.ok_or_else(|| {
                let text =
                    format!("could not determine actual return type for polymorphic function \"{}\"", proc.proname);
                PgError::new(FEATURE_NOT_SUPPORTED, text)
            })?
        }
        false => proc.prorettype,
    };
    let t = p.cx.catalog.type_row(return_type)?;
    if t.typtype == b'p' && !matches!(return_type, VOIDOID | RECORDOID) {
        return Err(match return_type {
            TRIGGEROID | EVENTTRIGGEROID => {
                PgError::new(FEATURE_NOT_SUPPORTED, "trigger functions can only be called as triggers")
            }
            t => {
                let text = format!("PL/pgSQL functions cannot return type {}", p.cx.catalog.format_type(t, None)?);
                PgError::new(FEATURE_NOT_SUPPORTED, text)
            }
        });
    }
    Ok((args, outs, return_type))
}

/// DO's text.
pub fn compile_inline(cx: &mut ExecContext, source: &str) -> Result<Function> {
    let name = "inline_code_block";
    let options = crate::expr::options(cx);
    let lexed = lex(source, &options);
    let mut p = Parser::new(cx, source, &lexed, Kind::Inline);
    p.check = true;
    p.returns_void = true;
    settings(&mut p);
    let done = (|| {
        p.push_label(Some(name), LabelKind::Block);
        let found = found_variable(&mut p)?;
        let body = p.function()?;
        Ok((found, body))
    })();
    let line = p.latest_line();
    let (found, body) = match done {
        Ok(done) => done,
        Err(e) => return Err(told(e, name, line)),
    };
    let function = Function {
        oid: Oid::INVALID,
        name: name.to_owned(),
        signature: name.to_owned(),
        kind: Kind::Inline,
        args: Vec::new(),
        out: None,
        return_type: VOIDOID,
        returns_set: false,
        returns_row: false,
        returns_domain: false,
        readonly: false,
        vars: std::mem::take(&mut p.vars),
        names: std::mem::take(&mut p.names),
        body,
        found,
        old: 0,
        new: 0,
        conflict: p.conflict,
        print_strict_params: p.print_strict_params,
        warnings: p.warnings,
        errors: p.errors,
        exprs: p.exprs,
    };
    for n in std::mem::take(&mut p.notices) {
        cx.notices.notice(n);
    }
    Ok(function)
}
