//! Types of functions that are made before their types are: the support functions of a base type take and give a shell.
//! Also whether a polymorphic result can be told from the arguments.
//!
//! PostgreSQL: `compute_return_type`, `interpret_function_parameter_list` (`functioncmds.c`).

use base::sqlstate::*;
use base::{Oid, PgError, Result, Severity};
use parser::ast::{CreateFunctionStmt, TypeName};
use types::oid::INTERNALOID;

use crate::{CommandContext, define, name, options};

/// The language a function is written in, as its statement says.
pub fn language_of(stmt: &CreateFunctionStmt) -> String {
    let said = stmt.options.iter().find(|o| o.defname == "language");
    said.map_or_else(|| "sql".to_owned(), |o| options::text(o).to_ascii_lowercase())
}

/// An argument's type.
pub fn argument(cmd: &mut CommandContext<'_>, t: &TypeName, language: &str) -> Result<Oid> {
    match name::type_or_shell(cmd.cx, t)? {
        Some((oid, false)) => {
            shell(cmd, t, language, "accept", "argument")?;
            Ok(oid)
        }
        _ => name::type_name(cmd.cx, t).map(|t| t.0),
    }
}

fn shell(cmd: &mut CommandContext<'_>, t: &TypeName, language: &str, verb: &str, what: &str) -> Result<()> {
    let shown = t.names.join(".");
    if language == "sql" {
        let text = format!("SQL function cannot {verb} shell type {shown}");
        return Err(PgError::new(INVALID_FUNCTION_DEFINITION, text));
    }
    let notice =
        PgError::with_severity(Severity::Notice, WRONG_OBJECT_TYPE, format!("{what} type {shown} is only a shell"));
    cmd.cx.notices.notice(notice.at(t.location));
    Ok(())
}

/// The result's type. One that is not there yet is made, as a shell, for functions in C and built-in ones.
pub fn result(cmd: &mut CommandContext<'_>, t: &TypeName, language: &str) -> Result<(Oid, i32)> {
    match name::type_or_shell(cmd.cx, t)? {
        Some((oid, false)) => {
            let shown = t.names.join(".");
            if language == "sql" {
                let text = format!("SQL function cannot return shell type {shown}");
                return Err(PgError::new(INVALID_FUNCTION_DEFINITION, text));
            }
            cmd.notice(Severity::Notice, WRONG_OBJECT_TYPE, format!("return type {shown} is only a shell"));
            Ok((oid, -1))
        }
        None if matches!(language, "internal" | "c") && t.array_bounds.is_empty() && !t.pct_type => {
            let shown = t.names.join(".");
            if !t.typmods.is_empty() {
                let text = format!("type modifier cannot be specified for shell type \"{shown}\"");
                return Err(PgError::new(SYNTAX_ERROR, text));
            }
            let text = format!("type \"{shown}\" is not yet defined");
            let notice = PgError::with_severity(Severity::Notice, UNDEFINED_OBJECT, text);
            cmd.cx.notices.notice(notice.detail("Creating a shell type definition."));
            let (schema, tname) = name::split(cmd.cx, &t.names)?;
            let namespace = name::creation_schema(cmd.cx, schema.as_deref())?.oid;
            Ok((define::base_type::make_shell(cmd, namespace, &tname)?, -1))
        }
        _ => name::type_name(cmd.cx, t),
    }
}

/// Result and output types must follow from the arguments. (PostgreSQL: `ProcedureCreate`)
pub fn check_polymorphic(cmd: &CommandContext<'_>, input: &[Oid], result: Oid, out: &[Oid]) -> Result<()> {
    let catalog = &cmd.cx.catalog;
    for t in std::iter::once(&result).chain(out) {
        if let Some(detail) = analyze::definitions::polymorphic_problem(catalog, *t, input)? {
            let e = PgError::new(INVALID_FUNCTION_DEFINITION, "cannot determine result data type");
            return Err(e.detail(detail));
        }
        if *t == INTERNALOID && !input.contains(&INTERNALOID) {
            let e = PgError::new(INVALID_FUNCTION_DEFINITION, "unsafe use of pseudo-type \"internal\"");
            return Err(e.detail("A result of type internal requires at least one input of type internal."));
        }
    }
    Ok(())
}
