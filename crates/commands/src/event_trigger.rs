//! CREATE and ALTER EVENT TRIGGER, and the functions that run before and after a command.
//!
//! PostgreSQL: `event_trigger.c`.

use base::sqlstate::*;
use base::{Oid, PgError, Result, guc};
use catalog::{DependencyType, ObjectAddress, PgEventTrigger, oids};
use executor::trigger::EventTriggerData;
use parser::ast::{AlterEventTrigStmt, CreateEventTrigStmt, DefArg, ObjectType, Statement};
use types::Datum;

use crate::{CommandContext, Outcome, object};

/// Commands that event triggers hear of. (PostgreSQL: `cmdtaglist.h`)
const TAGS: &[&str] = &[
    "ALTER ACCESS METHOD",
    "ALTER AGGREGATE",
    "ALTER CAST",
    "ALTER COLLATION",
    "ALTER CONSTRAINT",
    "ALTER CONVERSION",
    "ALTER DEFAULT PRIVILEGES",
    "ALTER DOMAIN",
    "ALTER EXTENSION",
    "ALTER FOREIGN DATA WRAPPER",
    "ALTER FOREIGN TABLE",
    "ALTER FUNCTION",
    "ALTER INDEX",
    "ALTER LANGUAGE",
    "ALTER LARGE OBJECT",
    "ALTER MATERIALIZED VIEW",
    "ALTER OPERATOR",
    "ALTER OPERATOR CLASS",
    "ALTER OPERATOR FAMILY",
    "ALTER POLICY",
    "ALTER PROCEDURE",
    "ALTER PUBLICATION",
    "ALTER ROUTINE",
    "ALTER RULE",
    "ALTER SCHEMA",
    "ALTER SEQUENCE",
    "ALTER SERVER",
    "ALTER STATISTICS",
    "ALTER SUBSCRIPTION",
    "ALTER TABLE",
    "ALTER TEXT SEARCH CONFIGURATION",
    "ALTER TEXT SEARCH DICTIONARY",
    "ALTER TEXT SEARCH PARSER",
    "ALTER TEXT SEARCH TEMPLATE",
    "ALTER TRANSFORM",
    "ALTER TRIGGER",
    "ALTER TYPE",
    "ALTER USER MAPPING",
    "ALTER VIEW",
    "COMMENT",
    "CREATE ACCESS METHOD",
    "CREATE AGGREGATE",
    "CREATE CAST",
    "CREATE COLLATION",
    "CREATE CONSTRAINT",
    "CREATE CONVERSION",
    "CREATE DOMAIN",
    "CREATE EXTENSION",
    "CREATE FOREIGN DATA WRAPPER",
    "CREATE FOREIGN TABLE",
    "CREATE FUNCTION",
    "CREATE INDEX",
    "CREATE LANGUAGE",
    "CREATE MATERIALIZED VIEW",
    "CREATE OPERATOR",
    "CREATE OPERATOR CLASS",
    "CREATE OPERATOR FAMILY",
    "CREATE POLICY",
    "CREATE PROCEDURE",
    "CREATE PUBLICATION",
    "CREATE ROUTINE",
    "CREATE RULE",
    "CREATE SCHEMA",
    "CREATE SEQUENCE",
    "CREATE SERVER",
    "CREATE STATISTICS",
    "CREATE SUBSCRIPTION",
    "CREATE TABLE",
    "CREATE TABLE AS",
    "CREATE TEXT SEARCH CONFIGURATION",
    "CREATE TEXT SEARCH DICTIONARY",
    "CREATE TEXT SEARCH PARSER",
    "CREATE TEXT SEARCH TEMPLATE",
    "CREATE TRANSFORM",
    "CREATE TRIGGER",
    "CREATE TYPE",
    "CREATE USER MAPPING",
    "CREATE VIEW",
    "DROP ACCESS METHOD",
    "DROP AGGREGATE",
    "DROP CAST",
    "DROP COLLATION",
    "DROP CONSTRAINT",
    "DROP CONVERSION",
    "DROP DOMAIN",
    "DROP EXTENSION",
    "DROP FOREIGN DATA WRAPPER",
    "DROP FOREIGN TABLE",
    "DROP FUNCTION",
    "DROP INDEX",
    "DROP LANGUAGE",
    "DROP MATERIALIZED VIEW",
    "DROP OPERATOR",
    "DROP OPERATOR CLASS",
    "DROP OPERATOR FAMILY",
    "DROP OWNED",
    "DROP POLICY",
    "DROP PROCEDURE",
    "DROP PUBLICATION",
    "DROP ROUTINE",
    "DROP RULE",
    "DROP SCHEMA",
    "DROP SEQUENCE",
    "DROP SERVER",
    "DROP STATISTICS",
    "DROP SUBSCRIPTION",
    "DROP TABLE",
    "DROP TEXT SEARCH CONFIGURATION",
    "DROP TEXT SEARCH DICTIONARY",
    "DROP TEXT SEARCH PARSER",
    "DROP TEXT SEARCH TEMPLATE",
    "DROP TRANSFORM",
    "DROP TRIGGER",
    "DROP TYPE",
    "DROP USER MAPPING",
    "DROP VIEW",
    "GRANT",
    "IMPORT FOREIGN SCHEMA",
    "REFRESH MATERIALIZED VIEW",
    "REINDEX",
    "REVOKE",
    "SECURITY LABEL",
    "SELECT INTO",
];

/// Known commands that they do not hear of, as far as users are likely to name them.
const OTHERS: &[&str] = &[
    "ALTER DATABASE",
    "ALTER EVENT TRIGGER",
    "ALTER ROLE",
    "ALTER SYSTEM",
    "ALTER TABLESPACE",
    "CALL",
    "CHECKPOINT",
    "CLUSTER",
    "COPY",
    "CREATE DATABASE",
    "CREATE EVENT TRIGGER",
    "CREATE ROLE",
    "CREATE TABLESPACE",
    "DELETE",
    "DO",
    "DROP DATABASE",
    "DROP EVENT TRIGGER",
    "DROP ROLE",
    "DROP TABLESPACE",
    "EXECUTE",
    "EXPLAIN",
    "GRANT ROLE",
    "INSERT",
    "LISTEN",
    "LOAD",
    "LOCK TABLE",
    "MERGE",
    "NOTIFY",
    "PREPARE",
    "REASSIGN OWNED",
    "REVOKE ROLE",
    "SELECT",
    "SET",
    "SHOW",
    "TRUNCATE TABLE",
    "UNLISTEN",
    "UPDATE",
    "VACUUM",
];

pub fn create(cmd: &mut CommandContext<'_>, stmt: &CreateEventTrigStmt) -> Result<Outcome> {
    let user = cmd.cx.settings.current_user;
    if !cmd.cx.catalog.is_superuser(user)? {
        let text = format!("permission denied to create event trigger \"{}\"", stmt.trigname);
        let hint = "Must be superuser to create an event trigger.";
        return Err(PgError::new(INSUFFICIENT_PRIVILEGE, text).hint(hint));
    }
    let syntax = |text: String| Err(PgError::new(SYNTAX_ERROR, text));
    let event = stmt.eventname.as_str();
    if !matches!(event, "ddl_command_start" | "ddl_command_end" | "sql_drop" | "login" | "table_rewrite") {
        return syntax(format!("unrecognized event name \"{event}\""));
    }
    let mut tags: Option<Vec<String>> = None;
    for d in &stmt.whenclause {
        if d.defname != "tag" {
            return syntax(format!("unrecognized filter variable \"{}\"", d.defname));
        }
        if tags.is_some() {
            return syntax(format!("filter variable \"{}\" specified more than once", d.defname));
        }
        if let Some(DefArg::Names(list)) = &d.arg {
            tags = Some(list.clone());
        }
    }
    check_tags(event, tags.as_deref().unwrap_or_default())?;
    let name = catalog::ddl::truncate_name(&stmt.trigname).to_owned();
    let key = [Datum::text(&*name)];
    let catalog = cmd.cx.catalog.clone();
    if catalog.get::<PgEventTrigger>(catalog::CacheId::EVENTTRIGGERNAME, &key)?.is_some() {
        return Err(PgError::new(DUPLICATE_OBJECT, format!("event trigger \"{name}\" already exists")));
    }
    let wanted = parser::ast::ObjectWithArgs { objname: stmt.funcname.clone(), ..Default::default() };
    let function = object::function(cmd, ObjectType::Function, &wanted)?;
    if function.prorettype != types::oid::EVENTTRIGGEROID {
        let text = format!("function {} must return type event_trigger", stmt.funcname.join("."));
        return Err(PgError::new(INVALID_OBJECT_DEFINITION, text));
    }
    if matches!(event, "login" | "table_rewrite") {
        return Err(PgError::unsupported(format!("event triggers on {event}")));
    }
    let oid = catalog.new_oid(oids::EVENT_TRIGGER_RELATION, oids::EVENT_TRIGGER_OID_INDEX)?;
    catalog.insert_row(&PgEventTrigger {
        oid,
        evtname: name,
        evtevent: event.to_owned(),
        evtowner: user,
        evtfoid: function.oid,
        evtenabled: b'O',
        evttags: tags.map(|l| l.iter().map(|t| t.to_ascii_uppercase()).collect()),
    })?;
    let me = ObjectAddress::new(oids::EVENT_TRIGGER_RELATION, oid);
    catalog.record_owner(&me, user)?;
    catalog.record_dependency(&me, &ObjectAddress::function(function.oid), DependencyType::Normal)?;
    catalog.command_counter_increment()?;
    Ok(Outcome::tag("CREATE EVENT TRIGGER"))
}

fn check_tags(event: &str, tags: &[String]) -> Result<()> {
    let unsupported =
        |tag: &str| Err(PgError::new(FEATURE_NOT_SUPPORTED, format!("event triggers are not supported for {tag}")));
    if event == "login" && !tags.is_empty() {
        let text = "tag filtering is not supported for login event triggers";
        return Err(PgError::new(FEATURE_NOT_SUPPORTED, text));
    }
    for tag in tags {
        let upper = tag.to_ascii_uppercase();
        if event == "table_rewrite" {
            if !matches!(&*upper, "ALTER TABLE" | "ALTER TYPE" | "ALTER MATERIALIZED VIEW") {
                return unsupported(tag);
            }
        } else if OTHERS.contains(&&*upper) {
            return unsupported(tag);
        } else if !TAGS.contains(&&*upper) {
            let text = format!("filter value \"{tag}\" not recognized for filter variable \"tag\"");
            return Err(PgError::new(SYNTAX_ERROR, text));
        }
    }
    Ok(())
}

/// ALTER EVENT TRIGGER ... ENABLE, DISABLE.
pub fn alter(cmd: &mut CommandContext<'_>, stmt: &AlterEventTrigStmt) -> Result<Outcome> {
    let key = [Datum::text(&*stmt.trigname)];
    let found = cmd.cx.catalog.get::<PgEventTrigger>(catalog::CacheId::EVENTTRIGGERNAME, &key)?;
    let missing = || PgError::new(UNDEFINED_OBJECT, format!("event trigger \"{}\" does not exist", stmt.trigname));
    let found = found.ok_or_else(missing)?;
    check_owner(cmd, &found)?;
    let enabled = stmt.tgenabled as u8;
    object::edit::<PgEventTrigger>(cmd, oids::EVENT_TRIGGER_OID_INDEX, found.oid, |t| t.evtenabled = enabled)?;
    Ok(Outcome::tag("ALTER EVENT TRIGGER"))
}

fn check_owner(cmd: &CommandContext<'_>, t: &PgEventTrigger) -> Result<()> {
    match cmd.cx.catalog.is_owner(cmd.cx.settings.current_user, t.evtowner)? {
        true => Ok(()),
        false => Err(catalog::lookup::must_be_owner("event trigger", &t.evtname)),
    }
}

/// ALTER EVENT TRIGGER ... RENAME.
pub fn rename(cmd: &mut CommandContext<'_>, oid: Oid, new: &str) -> Result<()> {
    let row = cmd.cx.catalog.rows::<PgEventTrigger>(oids::EVENT_TRIGGER_OID_INDEX, &[Datum::oid(oid)])?.pop();
    let row = row.ok_or_else(|| PgError::internal("an event trigger is gone"))?;
    check_owner(cmd, &row)?;
    let key = [Datum::text(new)];
    if cmd.cx.catalog.get::<PgEventTrigger>(catalog::CacheId::EVENTTRIGGERNAME, &key)?.is_some() {
        return Err(PgError::new(DUPLICATE_OBJECT, format!("event trigger \"{new}\" already exists")));
    }
    object::edit::<PgEventTrigger>(cmd, oids::EVENT_TRIGGER_OID_INDEX, oid, |t| t.evtname = new.to_owned())
}

/// ALTER EVENT TRIGGER ... OWNER TO.
pub fn set_owner(cmd: &mut CommandContext<'_>, oid: Oid, role: Oid) -> Result<()> {
    let row = cmd.cx.catalog.rows::<PgEventTrigger>(oids::EVENT_TRIGGER_OID_INDEX, &[Datum::oid(oid)])?.pop();
    let row = row.ok_or_else(|| PgError::internal("an event trigger is gone"))?;
    if row.evtowner == role {
        return Ok(());
    }
    check_owner(cmd, &row)?;
    if !cmd.cx.catalog.is_superuser(role)? {
        let text = format!("permission denied to change owner of event trigger \"{}\"", row.evtname);
        let hint = "The owner of an event trigger must be a superuser.";
        return Err(PgError::new(INSUFFICIENT_PRIVILEGE, text).hint(hint));
    }
    object::edit::<PgEventTrigger>(cmd, oids::EVENT_TRIGGER_OID_INDEX, oid, |t| t.evtowner = role)?;
    let me = ObjectAddress::new(oids::EVENT_TRIGGER_RELATION, oid);
    cmd.cx.catalog.change_owner(&me, role)
}

/// A statement's tag where event triggers hear of it before it runs. (PostgreSQL: `CreateCommandTag`)
fn tag(stmt: &Statement) -> Option<&'static str> {
    let find = |text: String| TAGS.iter().find(|t| **t == text).copied();
    Some(match stmt {
        Statement::CreateStmt(_) => "CREATE TABLE",
        Statement::CreateTableAs(s) if s.objtype == ObjectType::Matview => "CREATE MATERIALIZED VIEW",
        Statement::CreateTableAs(s) if s.is_select_into => "SELECT INTO",
        Statement::CreateTableAs(_) => "CREATE TABLE AS",
        Statement::RefreshMatView(_) => "REFRESH MATERIALIZED VIEW",
        Statement::IndexStmt(_) => "CREATE INDEX",
        Statement::ViewStmt(_) => "CREATE VIEW",
        Statement::CreateTrigger(_) => "CREATE TRIGGER",
        Statement::CreateRule(_) => "CREATE RULE",
        Statement::CreatePolicy(_) => "CREATE POLICY",
        Statement::AlterPolicy(_) => "ALTER POLICY",
        Statement::CreateSeq(_) => "CREATE SEQUENCE",
        Statement::AlterSeq(_) => "ALTER SEQUENCE",
        Statement::CreateSchema(_) => "CREATE SCHEMA",
        Statement::CreateFunction(s) if s.is_procedure => "CREATE PROCEDURE",
        Statement::CreateFunction(_) => "CREATE FUNCTION",
        Statement::CreateDomain(_) => "CREATE DOMAIN",
        Statement::AlterDomain(_) => "ALTER DOMAIN",
        Statement::CreateEnum(_) | Statement::CreateRange(_) | Statement::CompositeType(_) => "CREATE TYPE",
        Statement::AlterEnum(_) | Statement::AlterType(_) => "ALTER TYPE",
        Statement::CreateCast(_) => "CREATE CAST",
        Statement::CreateConversion(_) => "CREATE CONVERSION",
        Statement::CreateExtension(_) => "CREATE EXTENSION",
        Statement::CommentStmt(s) if s.objtype == ObjectType::EventTrigger => return None,
        Statement::CommentStmt(_) => "COMMENT",
        Statement::Grant(s) => {
            if s.is_grant {
                "GRANT"
            } else {
                "REVOKE"
            }
        }
        Statement::AlterDefaultPrivileges(_) => "ALTER DEFAULT PRIVILEGES",
        Statement::Reindex(_) => "REINDEX",
        Statement::DropOwned(_) => "DROP OWNED",
        Statement::AlterTable(s) => find(crate::alter_table::tag(s.objtype).to_owned())?,
        Statement::Rename(s) => find(object::alter_tag(s.rename_type).to_owned())?,
        Statement::AlterOwner(s) => find(object::alter_tag(s.object_type).to_owned())?,
        Statement::AlterObjectSchema(s) => find(object::alter_tag(s.object_type).to_owned())?,
        Statement::DropStmt(s) => crate::drop::tag(s.remove_type).filter(|t| TAGS.contains(t))?,
        _ => return None,
    })
}

/// Runs a command with the event triggers that it sets off.
pub fn around(
    cmd: &mut CommandContext<'_>,
    stmt: &Statement,
    run: fn(&mut CommandContext<'_>, &Statement) -> Result<Outcome>,
) -> Result<Outcome> {
    let Some(tag) = tag(stmt) else { return run(cmd, stmt) };
    let mut all = cmd.cx.catalog.rows::<PgEventTrigger>(oids::EVENT_TRIGGER_OID_INDEX, &[])?;
    if all.is_empty() || !cmd.session.values().bool(guc::EVENT_TRIGGERS) {
        return run(cmd, stmt);
    }
    all.sort_by(|a, b| a.evtname.cmp(&b.evtname));
    fire(cmd, &all, "ddl_command_start", tag)?;
    let outcome = run(cmd, stmt)?;
    // The command may have dropped a trigger, or made one that is not to hear of it.
    if matches!(stmt, Statement::DropStmt(_)) {
        fire(cmd, &all, "sql_drop", tag)?;
    }
    fire(cmd, &all, "ddl_command_end", tag)?;
    Ok(outcome)
}

fn fire(cmd: &mut CommandContext<'_>, all: &[PgEventTrigger], event: &str, tag: &str) -> Result<()> {
    for t in all {
        let listens = t.evttags.as_ref().is_none_or(|l| l.iter().any(|x| x == tag));
        let enabled = match t.evtenabled {
            b'A' => true,
            b'R' => cmd.cx.settings.is_replica,
            b'O' => !cmd.cx.settings.is_replica,
            _ => false,
        };
        if t.evtevent != event || !listens || !enabled {
            continue;
        }
        cmd.cx.catalog.command_counter_increment()?;
        let data = EventTriggerData {
            event: event.to_owned(),
            tag: tag.to_owned(),
            name: t.evtname.clone(),
            function: t.evtfoid,
        };
        executor::trigger::call::call_event(cmd.cx, &data)?;
    }
    Ok(())
}
