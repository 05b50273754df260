//! CREATE VIEW: a relation without rows of its own and the rule that reads it. (PostgreSQL: `view.c`, `rewriteDefine.c`)

use analyze::query::Query;
use base::sqlstate::*;
use base::{Oid, PgError, Result};
use catalog::ddl::{NewRule, new_attribute};
use catalog::{NewRelation, ObjectAddress, PgClass, Relation, oids, relkind};
use parser::ast::{RelPersistence, SelectStmt, Statement, ViewCheckOption, ViewStmt};
use txn::LockMode;
use types::Datum;

use crate::{CommandContext, Outcome, name, options};

pub fn execute(cmd: &mut CommandContext<'_>, stmt: &ViewStmt) -> Result<Outcome> {
    if stmt.view.relpersistence == RelPersistence::Unlogged {
        return Err(PgError::new(SYNTAX_ERROR, "views cannot be unlogged because they do not have storage"));
    }
    if stmt.query.into_clause.is_some() {
        return Err(PgError::new(FEATURE_NOT_SUPPORTED, "views must not contain SELECT INTO"));
    }
    let mut query = analyze_body(cmd, &stmt.query)?;
    name_columns(&mut query, &stmt.aliases)?;
    let reloptions = view_options(stmt)?;
    if reloptions.iter().flatten().any(|o| o.starts_with("check_option="))
        && let Some(why) = analyze::ddl::view_not_updatable(&query)
    {
        let text = "WITH CHECK OPTION is supported only on automatically updatable views";
        return Err(PgError::new(FEATURE_NOT_SUPPORTED, text).hint(why));
    }
    let mut target = stmt.view.clone();
    if target.relpersistence == RelPersistence::Permanent && uses_temporary(cmd, &query)? {
        target.relpersistence = RelPersistence::Temp;
        let text = format!("view \"{}\" will be a temporary view", target.relname);
        cmd.notice(base::Severity::Notice, SUCCESSFUL_COMPLETION, text);
    }
    let (namespace, persistence) = name::relation_schema(cmd.cx, &target)?;
    let columns = columns(cmd, &query)?;
    let view = match cmd.cx.catalog.relation_by_name(namespace.oid, &stmt.view.relname)? {
        Some(oid) if stmt.replace => replace(cmd, oid, &columns, reloptions)?,
        _ => {
            let owner = cmd.cx.settings.current_user;
            let mut new = NewRelation::new(&stmt.view.relname, namespace.oid, owner, columns);
            new.kind = relkind::VIEW;
            new.persistence = persistence;
            new.has_rules = true;
            new.am = Oid::INVALID;
            new.options = reloptions;
            cmd.cx.catalog.create_relation(&new)?
        }
    };
    cmd.cx.catalog.command_counter_increment()?;
    store_rule(cmd, view, &query)?;
    Ok(Outcome::tag("CREATE VIEW"))
}

fn analyze_body(cmd: &mut CommandContext<'_>, body: &SelectStmt) -> Result<Query> {
    analyze_stored(cmd, &Statement::Select(Box::new(body.clone())), "views")
}

/// The query of a view, or of `what` else.
pub fn analyze_stored(cmd: &mut CommandContext<'_>, body: &Statement, what: &str) -> Result<Query> {
    let mut lock = executor::relation_locker(cmd.cx)?;
    let (catalog, source) = (cmd.cx.catalog.clone(), cmd.source);
    let mut cx = analyze::AnalyzeContext::new(catalog, cmd.cx);
    cx.lock = Some(&mut lock);
    let query = analyze::ddl::stored_query(&mut cx, body, source)?;
    if query.has_modifying_cte {
        let verb = if what == "views" { "contain" } else { "use" };
        let text = format!("{what} must not {verb} data-modifying statements in WITH");
        return Err(PgError::new(FEATURE_NOT_SUPPORTED, text));
    }
    Ok(query)
}

/// (PostgreSQL: `isQueryUsingTempRelation`)
pub fn uses_temporary(cmd: &CommandContext<'_>, query: &Query) -> Result<bool> {
    let objects = analyze::references::query_references(&cmd.cx.catalog, query)?;
    for o in objects.iter().filter(|o| o.class == oids::RELATION_RELATION) {
        if cmd.cx.catalog.relation_entry(o.object)?.is_temporary() {
            return Ok(true);
        }
    }
    Ok(false)
}

pub fn name_columns(query: &mut Query, aliases: &[String]) -> Result<()> {
    let mut visible = query.target_list.iter_mut().filter(|t| !t.resjunk);
    for alias in aliases {
        match visible.next() {
            Some(target) => target.resname = Some(alias.clone()),
            None => {
                let text = "CREATE VIEW specifies more column names than columns";
                return Err(PgError::new(SYNTAX_ERROR, text));
            }
        }
    }
    Ok(())
}

fn view_options(stmt: &ViewStmt) -> Result<Option<Vec<String>>> {
    let mut out = Vec::new();
    for o in &stmt.options {
        let value = options::text(o);
        match o.defname.as_str() {
            "security_barrier" | "security_invoker" => out.push(format!("{}={value}", o.defname)),
            "check_option" if matches!(value.as_str(), "local" | "cascaded") => {
                out.push(format!("check_option={value}"))
            }
            "check_option" => {
                let text = format!("invalid value for enum option \"check_option\": {value}");
                let detail = "Valid values are \"local\" and \"cascaded\".";
                return Err(PgError::new(INVALID_PARAMETER_VALUE, text).detail(detail));
            }
            other => {
                let text = format!("unrecognized parameter \"{other}\"");
                return Err(PgError::new(INVALID_PARAMETER_VALUE, text));
            }
        }
    }
    match stmt.with_check_option {
        ViewCheckOption::None => {}
        ViewCheckOption::Local => out.push("check_option=local".into()),
        ViewCheckOption::Cascaded => out.push("check_option=cascaded".into()),
    }
    Ok((!out.is_empty()).then_some(out))
}

pub fn columns(cmd: &CommandContext<'_>, query: &Query) -> Result<Vec<catalog::PgAttribute>> {
    let mut columns: Vec<catalog::PgAttribute> = Vec::new();
    for target in query.target_list.iter().filter(|t| !t.resjunk) {
        let ty = target.expr.type_mod();
        let name = target.resname.clone().unwrap_or_default();
        if columns.iter().any(|c| c.attname == name) {
            return Err(PgError::new(DUPLICATE_COLUMN, format!("column \"{name}\" specified more than once")));
        }
        if ty.oid == types::oid::UNKNOWNOID {
            return Err(PgError::internal("a view's column of unknown type"));
        }
        let t = cmd.cx.catalog.type_row(ty.oid)?;
        columns.push(new_attribute(&name, &t, ty.typmod, ty.collation));
    }
    Ok(columns)
}

/// CREATE OR REPLACE over an existing view: columns may only be added at the end.
fn replace(
    cmd: &mut CommandContext<'_>,
    oid: Oid,
    columns: &[catalog::PgAttribute],
    reloptions: Option<Vec<String>>,
) -> Result<Oid> {
    executor::lock_relation(cmd.cx, oid, LockMode::AccessExclusive)?;
    let rel = cmd.cx.catalog.relation_entry(oid)?;
    if rel.kind() != relkind::VIEW {
        return Err(PgError::new(WRONG_OBJECT_TYPE, format!("\"{}\" is not a view", rel.name())));
    }
    name::check_owner(cmd.cx, &rel)?;
    check_same_columns(cmd, &rel, columns)?;
    for (i, column) in columns.iter().enumerate().skip(rel.attributes.len()) {
        cmd.cx.catalog.insert_column(oid, column, i as i16 + 1)?;
    }
    let found = cmd.cx.catalog.find_row::<PgClass>(oids::CLASS_OID_INDEX, &[Datum::oid(oid)])?;
    let found = found.ok_or_else(|| PgError::internal("a view is gone"))?;
    let mut row = found.row.clone();
    (row.relnatts, row.reloptions) = (columns.len() as i16, reloptions);
    cmd.cx.catalog.update_row(&found, &row)?;
    Ok(oid)
}

fn check_same_columns(cmd: &CommandContext<'_>, rel: &Relation, columns: &[catalog::PgAttribute]) -> Result<()> {
    let refuse = |text: String| Err(PgError::new(INVALID_TABLE_DEFINITION, text));
    if columns.len() < rel.attributes.len() {
        return refuse("cannot drop columns from view".into());
    }
    for (old, new) in rel.attributes.iter().zip(columns) {
        if old.attname != new.attname {
            let text = format!("cannot change name of view column \"{}\" to \"{}\"", old.attname, new.attname);
            let hint = "Use ALTER VIEW ... RENAME COLUMN ... to change name of view column instead.";
            return Err(PgError::new(INVALID_TABLE_DEFINITION, text).hint(hint));
        }
        if (old.atttypid, old.atttypmod) != (new.atttypid, new.atttypmod) {
            let before = cmd.cx.catalog.format_type(old.atttypid, Some(old.atttypmod))?;
            let after = cmd.cx.catalog.format_type(new.atttypid, Some(new.atttypmod))?;
            return refuse(format!(
                "cannot change data type of view column \"{}\" from {before} to {after}",
                old.attname
            ));
        }
    }
    Ok(())
}

/// The `_RETURN` rule with its dependencies. (PostgreSQL: `StoreViewQuery`)
pub fn store_rule(cmd: &mut CommandContext<'_>, view: Oid, query: &Query) -> Result<()> {
    let catalog = cmd.cx.catalog.clone();
    let action = analyze::nodes::write_queries(std::slice::from_ref(query), &catalog)?;
    let mut on = analyze::references::query_references(&catalog, query)?;
    // A view that is replaced by a query over itself will be refused where it is read.
    on.retain(|o| *o != ObjectAddress::relation(view));
    catalog.create_rule(&NewRule::view(view, action, on))?;
    catalog.command_counter_increment()
}
