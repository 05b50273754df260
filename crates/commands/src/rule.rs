//! CREATE RULE, DROP RULE, ALTER TABLE ... ENABLE RULE. What a rule does to statements is `analyze::rules`' business.
//! (PostgreSQL: `rewriteDefine.c`, `rewriteRemove.c`)

use analyze::query::{CmdType, Query};
use base::sqlstate::*;
use base::{PgError, Result};
use catalog::ddl::{NewRule, VIEW_RULE};
use catalog::{ObjectAddress, PgRewrite, Relation, oids, relkind};
use parser::ast::{self, RuleStmt};
use txn::LockMode;
use types::Datum;

use crate::{CommandContext, Outcome, name};

pub fn create(cmd: &mut CommandContext<'_>, stmt: &RuleStmt) -> Result<Outcome> {
    let rel = name::relation(cmd.cx, &stmt.relation, LockMode::AccessExclusive)?;
    if !matches!(rel.kind(), relkind::TABLE | relkind::VIEW | relkind::MATERIALIZED_VIEW | relkind::PARTITIONED_TABLE) {
        let text = format!("relation \"{}\" cannot have rules", rel.name());
        let detail = format!("This operation is not supported for {}.", crate::alter_table::plural(rel.kind()));
        return Err(PgError::new(WRONG_OBJECT_TYPE, text).detail(detail));
    }
    name::check_owner(cmd.cx, &rel)?;
    let mut lock = executor::relation_locker(cmd.cx)?;
    let (catalog, source) = (cmd.cx.catalog.clone(), cmd.source);
    let rule = {
        let mut cx = analyze::AnalyzeContext::new(catalog.clone(), cmd.cx);
        cx.lock = Some(&mut lock);
        analyze::rules::analyze_rule(&mut cx, &rel, stmt, source)?
    };
    let event = match stmt.event {
        ast::CmdType::Select => b'1',
        ast::CmdType::Update => b'2',
        ast::CmdType::Insert => b'3',
        _ => b'4',
    };
    if event == b'1' {
        let text = match rel.kind() {
            relkind::VIEW => format!("\"{}\" is already a view", rel.name()),
            _ => format!("relation \"{}\" cannot have ON SELECT rules", rel.name()),
        };
        let e = PgError::new(
            if rel.kind() == relkind::VIEW { OBJECT_NOT_IN_PREREQUISITE_STATE } else { WRONG_OBJECT_TYPE },
            text,
        );
        return Err(match rel.kind() {
            relkind::VIEW => e,
            kind => e.detail(format!("This operation is not supported for {}.", crate::alter_table::plural(kind))),
        });
    }
    if stmt.rulename == VIEW_RULE {
        let text = format!("non-view rule for \"{}\" must not be named \"{VIEW_RULE}\"", rel.name());
        return Err(PgError::new(INVALID_OBJECT_DEFINITION, text));
    }
    check_returning(cmd, &rel, &rule.actions, rule.qual.is_some(), stmt.instead)?;
    let mut on = Vec::new();
    for q in &rule.actions {
        on.extend(analyze::references::query_references(&catalog, q)?);
    }
    if let Some(e) = &rule.qual {
        let table = |name: &str| analyze::query::RangeTblEntry {
            eref: analyze::query::Alias { aliasname: name.to_owned(), colnames: Vec::new() },
            kind: analyze::query::RteKind::Relation {
                relid: rel.oid,
                relkind: rel.kind(),
                lock_mode: 1,
                inh: false,
                perminfoindex: 0,
                table_sample: None,
            },
            ..analyze::query::RangeTblEntry::default()
        };
        on.extend(analyze::references::expr_references(&catalog, e, &[table("old"), table("new")])?);
    }
    catalog.create_rule(&NewRule {
        name: stmt.rulename.clone(),
        relation: rel.oid,
        event,
        instead: stmt.instead,
        qual: match &rule.qual {
            Some(e) => crate::stored::text(e, &catalog)?,
            None => "<>".into(),
        },
        action: analyze::nodes::write_queries(&rule.actions, &catalog)?,
        replace: stmt.replace,
        dependencies: on,
    })?;
    catalog.command_counter_increment()?;
    Ok(Outcome::tag("CREATE RULE"))
}

/// RETURNING of an action must look like the table. (PostgreSQL: `checkRuleResultList`)
fn check_returning(
    cmd: &CommandContext<'_>,
    rel: &Relation,
    actions: &[Query],
    conditional: bool,
    instead: bool,
) -> Result<()> {
    let refuse = |text: &str| Err(PgError::new(FEATURE_NOT_SUPPORTED, text));
    let returning: Vec<&Query> =
        actions.iter().filter(|q| q.command_type != CmdType::Select && !q.returning_list.is_empty()).collect();
    let Some(q) = returning.first() else { return Ok(()) };
    if returning.len() > 1 {
        return refuse("cannot have multiple RETURNING lists in a rule");
    }
    if conditional {
        return refuse("RETURNING lists are not supported in conditional rules");
    }
    if !instead {
        return refuse("RETURNING lists are not supported in non-INSTEAD rules");
    }
    let wrong = |text: String| PgError::new(INVALID_OBJECT_DEFINITION, text);
    let list: Vec<_> = q.returning_list.iter().filter(|t| !t.resjunk).collect();
    let columns: Vec<_> = rel.desc.attrs.iter().filter(|a| !a.dropped).collect();
    for (i, t) in list.iter().enumerate() {
        let Some(a) = columns.get(i) else { return Err(wrong("RETURNING list has too many entries".into())) };
        let ty = t.expr.type_mod();
        if ty.oid != a.type_oid {
            let text = format!("RETURNING list's entry {} has different type from column \"{}\"", i + 1, a.name);
            let shown = |t| cmd.cx.catalog.format_type(t, None);
            let detail = format!(
                "RETURNING list entry has type {}, but column has type {}.",
                shown(ty.oid)?,
                shown(a.type_oid)?
            );
            return Err(wrong(text).detail(detail));
        }
    }
    if list.len() < columns.len() {
        return Err(wrong("RETURNING list has too few entries".into()));
    }
    Ok(())
}

/// The rule that DROP RULE names: the table's name and then the rule's. `None` with the message if it is missing.
pub fn find(cmd: &CommandContext<'_>, parts: &[String]) -> Result<Result<ObjectAddress, PgError>> {
    let Some((rule, table)) = parts.split_last().filter(|(_, t)| !t.is_empty()) else {
        return Err(PgError::internal("a rule's name without its table"));
    };
    let var = crate::drop::range_var(table);
    if let Some(schema) = &var.schemaname
        && cmd.cx.catalog.namespace_by_name(schema)?.is_none()
    {
        return Ok(Err(catalog::namespace::no_such_schema(schema)));
    }
    let Some(rel) = name::relation_if_exists(cmd.cx, &var, LockMode::AccessExclusive)? else {
        return Ok(Err(name::missing_relation(&var)));
    };
    let found = rel.rules.iter().find(|r| r.rulename == *rule);
    let Some(found) = found else {
        let text = format!("rule \"{rule}\" for relation \"{}\" does not exist", rel.name());
        return Ok(Err(PgError::new(UNDEFINED_OBJECT, text)));
    };
    name::check_owner(cmd.cx, &rel)?;
    Ok(Ok(ObjectAddress::new(oids::REWRITE_RELATION, found.oid)))
}

/// ENABLE and DISABLE RULE. (PostgreSQL: `EnableDisableRule`)
pub fn set_enabled(cmd: &mut CommandContext<'_>, rel: &Relation, rule: &str, enabled: u8) -> Result<()> {
    let key = [Datum::oid(rel.oid), Datum::text(rule)];
    let found = cmd.cx.catalog.find_row::<PgRewrite>(oids::REWRITE_REL_RULENAME_INDEX, &key)?;
    let found = found.ok_or_else(|| {
        let text = format!("rule \"{rule}\" for relation \"{}\" does not exist", rel.name());
        PgError::new(UNDEFINED_OBJECT, text)
    })?;
    if found.row.ev_enabled != enabled {
        cmd.cx.catalog.update_row(&found, &PgRewrite { ev_enabled: enabled, ..found.row.clone() })?;
        cmd.cx.catalog.command_counter_increment()?;
    }
    Ok(())
}
