//! CALL and DO. (PostgreSQL: `ExecuteCallStmt`, `ExecuteDoStmt`)

use std::sync::Arc;

use analyze::AnalyzeContext;
use analyze::plpgsql::AnalyzedCall;
use analyze::query::{Expr, TypeMod};
use base::sqlstate::*;
use base::{PgError, Result};
use executor::expr::compile::attribute_of;
use parser::ast::{CallStmt, DefArg, DoStmt};
use types::oid::RECORDOID;
use types::{Batch, Datum, DatumRef, FnCall, Runtime, TupleDesc};

use crate::{CommandContext, Outcome, options};

fn analyze_call(cmd: &mut CommandContext<'_>, stmt: &CallStmt) -> Result<AnalyzedCall> {
    let catalog = cmd.cx.catalog.clone();
    let mut acx = AnalyzeContext::new(catalog, cmd.cx);
    analyze::plpgsql::call_statement(&mut acx, &stmt.funccall, cmd.source)
}

/// The columns of the row of output arguments.
pub fn result_desc(cmd: &mut CommandContext<'_>, stmt: &CallStmt) -> Result<Option<Arc<TupleDesc>>> {
    let call = analyze_call(cmd, stmt)?;
    let Expr::FuncExpr(f) = &call.call else { return Ok(None) };
    if f.funcresulttype != RECORDOID {
        return Ok(None);
    }
    let proc = cmd.cx.catalog.function_row(f.funcid)?;
    let arg_types: Vec<base::Oid> = f.args.iter().map(Expr::type_oid).collect();
    let catalog = cmd.cx.catalog.clone();
    let Some(columns) = analyze::plpgsql::output_columns(&catalog, &proc, &arg_types)? else { return Ok(None) };
    let mut attrs = Vec::new();
    for (name, oid) in columns {
        let t = cmd.cx.type_info(oid)?;
        attrs.push(attribute_of(&t, &name, TypeMod { oid, typmod: -1, collation: t.collation }));
    }
    Ok(Some(Arc::new(TupleDesc::new(attrs))))
}

pub fn call(cmd: &mut CommandContext<'_>, stmt: &CallStmt) -> Result<Outcome> {
    let atomic = cmd.session.is_atomic();
    let desc = result_desc(cmd, stmt)?;
    let call = analyze_call(cmd, stmt)?;
    let Expr::FuncExpr(f) = &call.call else { return Err(PgError::internal("a call that is none")) };
    let mut args = Vec::new();
    for a in &f.args {
        args.push(executor::row_expr::evaluate(cmd.cx, a)?);
    }
    let refs: Vec<DatumRef<'_>> = args.iter().map(Datum::as_ref).collect();
    let fn_call = FnCall {
        function: f.funcid,
        arg_types: f.args.iter().map(Expr::type_oid).collect(),
        result_type: f.funcresulttype,
        collation: f.inputcollid,
        variadic: f.funcvariadic,
        ..FnCall::default()
    };
    let value = executor::language::call_procedure(cmd.cx, &fn_call, &refs, atomic)?;
    let Some(desc) = desc else { return Ok(Outcome::tag("CALL")) };
    let values = match &value {
        Datum::Null => vec![Datum::Null; desc.len()],
        v => {
            let (oid, typmod) = types::record::type_of(v.as_ref().as_bytes())?;
            let own = cmd.cx.row_type(oid, typmod)?;
            types::record::open(v.as_ref().as_bytes(), &own)?.into_iter().map(DatumRef::to_owned).collect()
        }
    };
    let mut columns = desc.columns();
    columns.iter_mut().zip(&values).for_each(|(c, d)| c.push(d.as_ref()));
    let batch = Batch { columns: columns.into_iter().map(Arc::new).collect(), rows: 1, selection: None };
    Ok(Outcome { tag: "CALL".into(), result: Some((desc, vec![batch])) })
}

pub fn inline(cmd: &mut CommandContext<'_>, stmt: &DoStmt) -> Result<Outcome> {
    let conflicting =
        |o: &parser::ast::DefElem| PgError::new(SYNTAX_ERROR, "conflicting or redundant options").at(o.location);
    let (mut source, mut language) = (None, None);
    for o in &stmt.args {
        match o.defname.as_str() {
            "as" if source.is_some() => return Err(conflicting(o)),
            "language" if language.is_some() => return Err(conflicting(o)),
            "as" => {
                source = Some(match &o.arg {
                    Some(DefArg::Names(parts)) => parts.concat(),
                    _ => options::text(o),
                });
            }
            "language" => language = Some(options::text(o)),
            other => return Err(PgError::internal(format!("option \"{other}\" not recognized"))),
        }
    }
    let source = source.ok_or_else(|| PgError::new(SYNTAX_ERROR, "no inline code specified"))?;
    let language = language.unwrap_or_else(|| "plpgsql".to_owned());
    let row = cmd
        .cx
        .catalog
        .language_by_name(&language)?
        .ok_or_else(|| PgError::new(UNDEFINED_OBJECT, format!("language \"{language}\" does not exist")))?;
    let user = cmd.cx.settings.current_user;
    if row.lanpltrusted {
        let allowed = cmd.cx.catalog.has_privilege(
            user,
            catalog::AclKind::Language,
            row.lanowner,
            row.lanacl.as_deref(),
            catalog::acl::ACL_USAGE,
        )?;
        if !allowed {
            return Err(catalog::lookup::permission_denied("language", &row.lanname));
        }
    } else if !cmd.cx.catalog.is_superuser(user)? {
        return Err(catalog::lookup::permission_denied("language", &row.lanname));
    }
    let handler = if row.laninline.is_valid() { cmd.cx.language(row.oid)? } else { None };
    let Some(handler) = handler else {
        let text = format!("language \"{}\" does not support inline code execution", row.lanname);
        return Err(PgError::new(FEATURE_NOT_SUPPORTED, text));
    };
    let atomic = cmd.session.is_atomic();
    handler.inline(cmd.cx, &source, atomic).map_err(|e| in_statement(e, cmd.source, &source))?;
    Ok(Outcome::tag("DO"))
}

/// Keeps notices back.
struct Kept(Arc<parking_lot::Mutex<Vec<PgError>>>);

impl executor::NoticeSink for Kept {
    fn notice(&mut self, notice: PgError) {
        self.0.lock().push(notice);
    }
}

/// Runs `f`, which looks at a function's text, with its notices and its error placed in the statement.
pub fn noticing(
    cmd: &mut CommandContext<'_>,
    text: &str,
    f: impl FnOnce(&mut executor::ExecContext) -> Result<()>,
) -> Result<()> {
    let kept = Arc::new(parking_lot::Mutex::new(Vec::new()));
    let sink = std::mem::replace(&mut cmd.cx.notices, Box::new(Kept(kept.clone())));
    let done = f(cmd.cx);
    cmd.cx.notices = sink;
    for n in kept.lock().drain(..) {
        cmd.cx.notices.notice(in_statement(n, cmd.source, text));
    }
    done.map_err(|e| in_statement(e, cmd.source, text))
}

/// An error's place in a function's text becomes one in the statement that holds the text as a literal; if it does not, the text is
/// told with the error. (PostgreSQL: `function_parse_error_transpose`)
pub fn in_statement(mut e: PgError, statement: &str, text: &str) -> PgError {
    let Some(position) = e.fields().position else { return e };
    match literal_position(statement, text, position) {
        Some(p) => e.fields_mut().position = Some(p),
        None => {
            let f = e.fields_mut();
            f.position = None;
            f.internal_position = Some(position);
            f.internal_query = Some(text.to_owned());
        }
    }
    e
}

/// Where byte `position` of `text` stands in the one literal of `statement` that has this value.
fn literal_position(statement: &str, text: &str, position: usize) -> Option<usize> {
    let lexed = parser::lexer::lex(statement, &parser::Options::default());
    let mut found = None;
    for t in lexed.tokens.iter().filter(|t| t.tok == parser::lexer::Tok::Sconst) {
        if lexed.text(*t) != text {
            continue;
        }
        let raw = lexed.raw(*t);
        let at = match raw.find(text) {
            // Escapes may stand before the place only.
            Some(offset) => t.start as usize + offset + position,
            None => {
                let body = raw.find('\'')? + 1;
                let mut left = position;
                let mut at = body;
                let bytes = raw.as_bytes();
                while left > 0 {
                    at += if bytes.get(at) == Some(&b'\'') && bytes.get(at + 1) == Some(&b'\'') { 2 } else { 1 };
                    left -= 1;
                }
                t.start as usize + at
            }
        };
        if found.replace(at).is_some() {
            return None;
        }
    }
    found
}
