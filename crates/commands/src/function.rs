//! CREATE FUNCTION and PROCEDURE in SQL. (PostgreSQL: `functioncmds.c`, `pg_proc.c`)

use std::sync::Arc;

use base::sqlstate::*;
use base::{Oid, PgError, Result};
use catalog::{DependencyType, ObjectAddress, PgProc, oids};
use parser::ast::*;
use types::Datum;
use types::oid::{RECORDOID, VOIDOID};

use crate::function_options::{Common, conflicting};
use crate::{CommandContext, Outcome, constraint, name, options, shell};

const LANGUAGE_INTERNAL: Oid = Oid(12);
const LANGUAGE_C: Oid = Oid(13);
const LANGUAGE_SQL: Oid = Oid(14);

/// Arguments as `pg_proc` has them.
#[derive(Default)]
struct Arguments {
    input: Vec<Oid>,
    all: Vec<Oid>,
    modes: Vec<u8>,
    names: Vec<String>,
    defaults: Vec<analyze::query::Expr>,
    variadic: Oid,
    /// The OUT parameters' types.
    out: Vec<Oid>,
    is_table: bool,
}

fn arguments(
    cmd: &mut CommandContext<'_>,
    list: &[FunctionParameter],
    is_procedure: bool,
    language: &str,
) -> Result<Arguments> {
    let mut a = Arguments::default();
    for p in list {
        let ty = shell::argument(cmd, &p.arg_type, language)?;
        let mode = match p.mode {
            FunctionParameterMode::In | FunctionParameterMode::Default => b'i',
            FunctionParameterMode::Out => b'o',
            FunctionParameterMode::InOut => b'b',
            FunctionParameterMode::Variadic => b'v',
            FunctionParameterMode::Table => b't',
        };
        let is_input = matches!(mode, b'i' | b'b' | b'v');
        if is_procedure && a.variadic.is_valid() {
            let text = "VARIADIC parameter must be the last parameter";
            return Err(PgError::new(INVALID_FUNCTION_DEFINITION, text).at(p.location));
        }
        if is_procedure && mode == b'o' && !a.defaults.is_empty() {
            let text = "procedure OUT parameters cannot appear after one with a default value";
            return Err(PgError::new(INVALID_FUNCTION_DEFINITION, text).at(p.location));
        }
        if is_input {
            if a.variadic.is_valid() {
                let text = "VARIADIC parameter must be the last input parameter";
                return Err(PgError::new(INVALID_FUNCTION_DEFINITION, text).at(p.location));
            }
            a.input.push(ty);
        }
        if mode == b'v' {
            a.variadic = match ty {
                types::oid::ANYARRAYOID => types::oid::ANYELEMENTOID,
                Oid(5078) => Oid(5077),
                types::oid::ANYOID => types::oid::ANYOID,
                ty => cmd.cx.catalog.element_type(ty)?.ok_or_else(|| {
                    let text = "VARIADIC parameter must be an array";
                    PgError::new(INVALID_FUNCTION_DEFINITION, text).at(p.location)
                })?,
            };
        }
        if matches!(mode, b'o' | b'b' | b't') {
            a.out.push(ty);
        }
        a.is_table |= mode == b't';
        let pname = p.name.clone().unwrap_or_default();
        let clashes = a.names.iter().zip(&a.modes).any(|(n, m)| {
            *n == pname && (matches!(m, b'i' | b'b' | b'v') == is_input || matches!((*m, mode), (b'b', _) | (_, b'b')))
        });
        if !pname.is_empty() && clashes {
            let text = format!("parameter name \"{pname}\" used more than once");
            return Err(PgError::new(INVALID_FUNCTION_DEFINITION, text).at(p.location));
        }
        match &p.defexpr {
            Some(_) if !is_input => {
                let text = "only input parameters can have default values";
                return Err(PgError::new(INVALID_FUNCTION_DEFINITION, text).at(p.location));
            }
            Some(raw) => {
                let (catalog, source) = (cmd.cx.catalog.clone(), cmd.source);
                let mut cx = analyze::AnalyzeContext::new(catalog, cmd.cx);
                a.defaults.push(analyze::ddl::parameter_default(&mut cx, raw, ty, source)?);
            }
            None if is_input && !a.defaults.is_empty() => {
                let text = "input parameters after one with a default value must also have defaults";
                return Err(PgError::new(INVALID_FUNCTION_DEFINITION, text).at(p.location));
            }
            None => {}
        }
        a.all.push(ty);
        a.modes.push(mode);
        a.names.push(pname);
    }
    Ok(a)
}

fn result_type(cmd: &mut CommandContext<'_>, stmt: &CreateFunctionStmt, a: &Arguments) -> Result<(Oid, bool)> {
    let implied = match a.out.as_slice() {
        [] => None,
        [one] => Some(*one),
        _ => Some(RECORDOID),
    };
    if stmt.is_procedure {
        return Ok((if a.out.is_empty() { VOIDOID } else { RECORDOID }, false));
    }
    match &stmt.return_type {
        Some(t) => {
            let (ty, _) = if a.is_table {
                (implied.unwrap_or(RECORDOID), -1)
            } else {
                shell::result(cmd, t, &shell::language_of(stmt))?
            };
            if let Some(implied) = implied
                && implied != ty
            {
                let shown = cmd.cx.catalog.format_type(implied, None)?;
                let text = format!("function result type must be {shown} because of OUT parameters");
                return Err(PgError::new(INVALID_FUNCTION_DEFINITION, text));
            }
            Ok((ty, t.setof || a.is_table))
        }
        None => match implied {
            Some(ty) => Ok((ty, a.is_table)),
            None => Err(PgError::new(INVALID_FUNCTION_DEFINITION, "function result type must be specified")),
        },
    }
}

pub fn create(cmd: &mut CommandContext<'_>, stmt: &CreateFunctionStmt) -> Result<Outcome> {
    let what = if stmt.is_procedure { "CREATE PROCEDURE" } else { "CREATE FUNCTION" };
    let (schema, fname) = name::split(cmd.cx, &stmt.funcname)?;
    let namespace = name::creation_schema(cmd.cx, schema.as_deref())?.oid;
    let language = shell::language_of(stmt);
    let a = arguments(cmd, &stmt.parameters, stmt.is_procedure, &language)?;
    let (result, returns_set) = result_type(cmd, stmt, &a)?;
    shell::check_polymorphic(cmd, &a.input, result, &a.out)?;
    let has_modes = a.modes.iter().any(|m| *m != b'i');
    let has_names = a.names.iter().any(|n| !n.is_empty());
    let defaults = match a.defaults.is_empty() {
        true => None,
        false => Some(crate::stored::list_text(&a.defaults, &cmd.cx.catalog)?),
    };
    let mut row = PgProc {
        oid: Oid::INVALID,
        proname: catalog::ddl::truncate_name(&fname).to_owned(),
        pronamespace: namespace,
        proowner: cmd.cx.settings.current_user,
        prolang: LANGUAGE_SQL,
        procost: 100.0,
        prorows: if returns_set { 1000.0 } else { 0.0 },
        provariadic: a.variadic,
        prosupport: Oid::INVALID,
        prokind: if stmt.is_procedure { b'p' } else { b'f' },
        prosecdef: false,
        proleakproof: false,
        proisstrict: false,
        proretset: returns_set,
        provolatile: b'v',
        proparallel: b'u',
        pronargs: a.input.len() as i16,
        pronargdefaults: a.defaults.len() as i16,
        prorettype: result,
        proargtypes: a.input.clone(),
        proallargtypes: has_modes.then(|| a.all.clone()),
        proargmodes: has_modes.then(|| a.modes.clone()),
        proargnames: has_names.then(|| a.names.clone()),
        proargdefaults: defaults,
        protrftypes: None,
        prosrc: String::new(),
        probin: None,
        prosqlbody: None,
        proconfig: None,
        proacl: None,
    };
    attributes(cmd, stmt, &mut row)?;
    let (language, source) = (row.prolang, row.prosrc.clone());
    let oid = store(cmd, stmt, row, &a)?;
    let check = cmd.session.values().bool(base::guc::CHECK_FUNCTION_BODIES);
    if check && language == LANGUAGE_SQL {
        crate::call::noticing(cmd, &source, |cx| executor::sqlfunction::validate(cx, oid))?;
    }
    if check && let Some(handler) = cmd.cx.language(language)? {
        crate::call::noticing(cmd, &source, |cx| handler.validate(cx, oid))?;
    }
    Ok(Outcome::tag(what))
}

fn attributes(cmd: &mut CommandContext<'_>, stmt: &CreateFunctionStmt, row: &mut PgProc) -> Result<()> {
    let (mut language, mut body, mut window) = (None, None, false);
    let mut common = Common::default();
    for o in &stmt.options {
        match o.defname.as_str() {
            "as" if body.is_some() => return Err(conflicting(o)),
            "language" if language.is_some() => return Err(conflicting(o)),
            "window" if window => return Err(conflicting(o)),
            "language" => language = Some(options::text(o)),
            "as" => {
                body = match &o.arg {
                    Some(DefArg::Names(parts)) => Some(parts.clone()),
                    _ => Some(vec![options::text(o)]),
                }
            }
            "window" if stmt.is_procedure => {
                let text = "invalid attribute in procedure definition";
                return Err(PgError::new(INVALID_FUNCTION_DEFINITION, text).at(o.location));
            }
            "window" => {
                window = true;
                row.prokind = b'w';
            }
            "transform" => return Err(PgError::unsupported("CREATE FUNCTION ... TRANSFORM")),
            other if !common.take(o, stmt.is_procedure)? => {
                return Err(PgError::internal(format!("option \"{other}\" not recognized")));
            }
            _ => {}
        }
    }
    let cost_said = common.said_cost();
    if stmt.sql_body.is_some() && language.is_none() {
        language = Some("sql".to_owned());
    }
    let Some(language) = language else {
        return Err(PgError::new(INVALID_FUNCTION_DEFINITION, "no language specified"));
    };
    let known = cmd.cx.catalog.language_by_name(&language)?;
    let known =
        known.ok_or_else(|| PgError::new(UNDEFINED_OBJECT, format!("language \"{language}\" does not exist")))?;
    row.prolang = known.oid;
    let user = cmd.cx.settings.current_user;
    let allowed = match known.lanpltrusted {
        true => cmd.cx.catalog.has_privilege(
            user,
            catalog::AclKind::Language,
            known.lanowner,
            known.lanacl.as_deref(),
            catalog::acl::ACL_USAGE,
        )?,
        false => cmd.cx.catalog.is_superuser(user)?,
    };
    if !allowed {
        return Err(catalog::lookup::permission_denied("language", &known.lanname));
    }
    common.apply(cmd, row)?;
    if let Some(sql) = &stmt.sql_body {
        if known.oid != LANGUAGE_SQL {
            let text = "inline SQL function body only valid for language SQL";
            return Err(PgError::new(INVALID_FUNCTION_DEFINITION, text));
        }
        if body.is_some() {
            return Err(PgError::new(INVALID_FUNCTION_DEFINITION, "duplicate function body specified"));
        }
        return sql_body(cmd, sql, row);
    }
    let Some(body) = body else {
        return Err(PgError::new(INVALID_FUNCTION_DEFINITION, "no function body specified"));
    };
    match known.oid {
        LANGUAGE_SQL => {
            row.prosrc = body.into_iter().next().unwrap_or_default();
        }
        LANGUAGE_INTERNAL => {
            row.prosrc = body.into_iter().next().unwrap_or_default();
            if !cost_said {
                row.procost = 1.0;
            }
            if cmd.cx.registry.function(&row.prosrc).is_none() {
                let text = format!("there is no built-in function named \"{}\"", row.prosrc);
                return Err(PgError::new(UNDEFINED_FUNCTION, text));
            }
        }
        LANGUAGE_C => return Err(PgError::unsupported("functions in language c")),
        _ => row.prosrc = body.into_iter().next().unwrap_or_default(),
    }
    Ok(())
}

/// A body outside a string: analyzed now, kept as queries. (PostgreSQL: `interpret_AS_clause`)
fn sql_body(cmd: &mut CommandContext<'_>, body: &SqlBody, row: &mut PgProc) -> Result<()> {
    for t in &row.proargtypes {
        if analyze::coerce_is_polymorphic(*t) {
            let text = "SQL function with unquoted function body cannot have polymorphic arguments";
            return Err(PgError::new(FEATURE_NOT_SUPPORTED, text));
        }
    }
    let all = row.proargnames.clone().unwrap_or_default();
    let modes = row.proargmodes.clone();
    let input = |i: &usize| modes.as_ref().is_none_or(|m| matches!(m.get(*i), Some(b'i' | b'b' | b'v')));
    let names: Vec<String> = all.into_iter().enumerate().filter(|(i, _)| input(i)).map(|n| n.1).collect();
    let statements: Vec<Statement> = match body {
        SqlBody::Return(r) => vec![Statement::Return(Box::new(r.clone()))],
        SqlBody::Atomic(list) => list.clone(),
    };
    let mut queries = Vec::new();
    for s in &statements {
        let (name, types, source) = (row.proname.clone(), row.proargtypes.clone(), cmd.source);
        let q = executor::sqlfunction::analyze_body(cmd.cx, &name, &names, &types, s, source)?;
        if q.command_type == analyze::query::CmdType::Utility {
            let name = crate::command_name(s);
            let name = if name == "CREATE" { "CREATE TABLE".to_owned() } else { name };
            let text = format!("{name} is not yet supported in unquoted SQL function body");
            return Err(PgError::new(FEATURE_NOT_SUPPORTED, text));
        }
        queries.push(q);
    }
    row.prosqlbody = Some(analyze::nodes::write_body(&queries, matches!(body, SqlBody::Atomic(_)), &cmd.cx.catalog)?);
    Ok(())
}

/// (PostgreSQL: `ProcedureCreate`)
fn store(cmd: &mut CommandContext<'_>, stmt: &CreateFunctionStmt, mut row: PgProc, a: &Arguments) -> Result<Oid> {
    let catalog = cmd.cx.catalog.clone();
    let same = |p: &Arc<PgProc>| p.pronamespace == row.pronamespace && p.proargtypes == row.proargtypes;
    let old = catalog.functions_by_name(&row.proname)?.iter().find(|p| same(p)).cloned();
    let noun = if stmt.is_procedure { "procedure" } else { "function" };
    if let Some(old) = old {
        if !stmt.replace {
            let text = format!("function \"{}\" already exists with same argument types", row.proname);
            return Err(PgError::new(DUPLICATE_FUNCTION, text));
        }
        if !catalog.is_owner(cmd.cx.settings.current_user, old.proowner)? {
            return Err(catalog::lookup::must_be_owner(noun, &row.proname));
        }
        let shown = catalog.format_procedure(old.oid, false)?;
        if old.prokind != row.prokind {
            let text = "cannot change routine kind";
            let detail = match old.prokind {
                b'p' => format!("\"{}\" is a procedure.", row.proname),
                b'a' => format!("\"{}\" is an aggregate function.", row.proname),
                b'w' => format!("\"{}\" is a window function.", row.proname),
                _ => format!("\"{}\" is a function.", row.proname),
            };
            return Err(PgError::new(WRONG_OBJECT_TYPE, text).detail(detail));
        }
        if old.prorettype != row.prorettype || old.proretset != row.proretset {
            let text = match stmt.is_procedure {
                true => "cannot change whether a procedure has output parameters",
                false => "cannot change return type of existing function",
            };
            let hint = format!("Use DROP {} {shown} first.", noun.to_uppercase());
            return Err(PgError::new(INVALID_FUNCTION_DEFINITION, text).hint(hint));
        }
        if let Some(before) = &old.proargnames {
            let inputs = |names: &[String], modes: &Option<Vec<u8>>| -> Vec<String> {
                let input = |i: usize| modes.as_ref().is_none_or(|m| matches!(m.get(i), Some(b'i' | b'b' | b'v')));
                names.iter().enumerate().filter(|(i, _)| input(*i)).map(|n| n.1.clone()).collect()
            };
            let before = inputs(before, &old.proargmodes);
            let now = row.proargnames.as_ref().map(|n| inputs(n, &row.proargmodes)).unwrap_or_default();
            for (i, name) in before.iter().enumerate() {
                if !name.is_empty() && now.get(i) != Some(name) {
                    let text = format!("cannot change name of input parameter \"{name}\"");
                    let hint = format!("Use DROP {} {shown} first.", noun.to_uppercase());
                    return Err(PgError::new(INVALID_FUNCTION_DEFINITION, text).hint(hint));
                }
            }
        }
        row.oid = old.oid;
        row.proowner = old.proowner;
        row.proacl = old.proacl.clone();
        let found = catalog.find_row::<PgProc>(oids::PROCEDURE_OID_INDEX, &[Datum::oid(old.oid)])?;
        let found = found.ok_or_else(|| PgError::internal("a function is gone"))?;
        catalog.update_row(&found, &row)?;
        catalog.delete_dependencies(&ObjectAddress::function(row.oid), true)?;
    } else {
        row.oid = catalog.new_oid(oids::PROCEDURE_RELATION, oids::PROCEDURE_OID_INDEX)?;
        catalog.insert_row(&row)?;
        catalog.record_owner(&ObjectAddress::function(row.oid), row.proowner)?;
    }
    let me = ObjectAddress::function(row.oid);
    let mut on = vec![
        ObjectAddress::namespace(row.pronamespace),
        ObjectAddress::new(oids::LANGUAGE_RELATION, row.prolang),
        ObjectAddress::type_(row.prorettype),
    ];
    on.extend(a.all.iter().map(|t| ObjectAddress::type_(*t)));
    for e in &a.defaults {
        on.extend(constraint::dependencies_of(e, Oid::INVALID));
    }
    if let Some(text) = &row.prosqlbody {
        for q in analyze::nodes::read_body(text, &catalog)? {
            on.extend(analyze::references::query_references(&catalog, &q)?);
        }
    }
    catalog.record_dependencies(&me, &on, DependencyType::Normal)?;
    catalog.command_counter_increment()?;
    Ok(row.oid)
}
