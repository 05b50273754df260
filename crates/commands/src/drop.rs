//! DROP of all kinds of objects that catalogs' dependencies cover. (PostgreSQL: `dropcmds.c`, `RemoveRelations`)

use base::sqlstate::*;
use base::{PgError, Result, Severity};
use catalog::{DropOptions, ObjectAddress, Relation, oids, relkind};
use parser::ast::{DropBehavior, DropStmt, Object, ObjectType, RangeVar, RelPersistence};
use txn::LockMode;

use crate::{CommandContext, Outcome, name};

pub fn behavior(b: DropBehavior) -> catalog::DropBehavior {
    match b {
        DropBehavior::Cascade => catalog::DropBehavior::Cascade,
        DropBehavior::Restrict => catalog::DropBehavior::Restrict,
    }
}

/// A name of parts as the RangeVar it stands for.
pub fn range_var(parts: &[String]) -> RangeVar {
    let (relname, rest) = parts.split_last().map_or((String::new(), &[][..]), |(n, r)| (n.clone(), r));
    RangeVar {
        catalogname: if rest.len() > 1 { rest.first().cloned() } else { None },
        schemaname: rest.last().cloned(),
        relname,
        inh: true,
        relpersistence: RelPersistence::Permanent,
        alias: None,
        location: base::error::Location::UNKNOWN,
    }
}

pub fn execute(cmd: &mut CommandContext<'_>, stmt: &DropStmt) -> Result<Outcome> {
    let tag = match stmt.remove_type {
        ObjectType::Table => "DROP TABLE",
        ObjectType::Index => "DROP INDEX",
        ObjectType::View => "DROP VIEW",
        ObjectType::Sequence => "DROP SEQUENCE",
        ObjectType::Matview => "DROP MATERIALIZED VIEW",
        ObjectType::Schema => "DROP SCHEMA",
        ObjectType::Type => "DROP TYPE",
        ObjectType::Domain => "DROP DOMAIN",
        ObjectType::Function => "DROP FUNCTION",
        ObjectType::Procedure => "DROP PROCEDURE",
        ObjectType::Routine => "DROP ROUTINE",
        ObjectType::Aggregate => "DROP AGGREGATE",
        ObjectType::Rule => "DROP RULE",
        ObjectType::StatisticExt => "DROP STATISTICS",
        other => return Err(PgError::unsupported(format!("DROP {}", format!("{other:?}").to_uppercase()))),
    };
    let mut objects = Vec::new();
    for object in &stmt.objects {
        let found = match (stmt.remove_type, object) {
            (ObjectType::Schema, Object::Name(name)) => schema(cmd, name)?,
            (ObjectType::Type | ObjectType::Domain, Object::TypeName(t)) => type_(cmd, t)?,
            (ObjectType::StatisticExt, Object::QualifiedName(parts)) => statistics(cmd, parts)?,
            (ObjectType::Rule, Object::QualifiedName(parts)) => match crate::rule::find(cmd, parts)? {
                Ok(address) => Found::Is(address),
                Err(e) => Found::Missing(e),
            },
            (kind, Object::WithArgs(f)) => function(cmd, kind, f)?,
            (_, Object::QualifiedName(parts)) => relation(cmd, stmt.remove_type, parts, stmt.missing_ok)?,
            (_, Object::Name(name)) => relation(cmd, stmt.remove_type, std::slice::from_ref(name), stmt.missing_ok)?,
            _ => return Err(PgError::internal("an object's name has an unexpected form")),
        };
        match found {
            Found::Is(address) => objects.push(address),
            Found::Missing(e) if !stmt.missing_ok => return Err(e),
            Found::Missing(e) => {
                cmd.notice(Severity::Notice, SUCCESSFUL_COMPLETION, format!("{}, skipping", e.message()))
            }
        }
    }
    if !objects.is_empty() {
        let notice = cmd.cx.catalog.perform_deletion(&objects, behavior(stmt.behavior), DropOptions::default())?;
        if let Some(notice) = notice {
            cmd.cx.notices.notice(notice);
        }
    }
    Ok(Outcome::tag(tag))
}

enum Found {
    Is(ObjectAddress),
    /// With the error for it.
    Missing(PgError),
}

fn statistics(cmd: &mut CommandContext<'_>, parts: &[String]) -> Result<Found> {
    let Some(s) = crate::statistics::by_name(cmd.cx, parts)? else {
        let text = format!("statistics object \"{}\" does not exist", parts.join("."));
        return Ok(Found::Missing(PgError::new(UNDEFINED_OBJECT, text)));
    };
    if !cmd.cx.catalog.is_owner(cmd.cx.settings.current_user, s.stxowner)? {
        return Err(catalog::lookup::must_be_owner("statistics object", &s.stxname));
    }
    cmd.cx.catalog.invalidate_relation(s.stxrelid);
    Ok(Found::Is(ObjectAddress::new(oids::STATISTIC_EXT_RELATION, s.oid)))
}

fn schema(cmd: &CommandContext<'_>, name: &str) -> Result<Found> {
    let Some(n) = cmd.cx.catalog.namespace_by_name(name)? else {
        return Ok(Found::Missing(catalog::namespace::no_such_schema(name)));
    };
    if !cmd.cx.catalog.is_owner(cmd.cx.settings.current_user, n.nspowner)? {
        return Err(catalog::lookup::must_be_owner("schema", name));
    }
    Ok(Found::Is(ObjectAddress::new(oids::NAMESPACE_RELATION, n.oid)))
}

fn type_(cmd: &mut CommandContext<'_>, t: &parser::ast::TypeName) -> Result<Found> {
    let (oid, _) = match name::type_name(cmd.cx, t) {
        Ok(found) => found,
        Err(e) if e.sqlstate() == UNDEFINED_OBJECT => return Ok(Found::Missing(e)),
        Err(e) => return Err(e),
    };
    let row = cmd.cx.catalog.type_row(oid)?;
    if !cmd.cx.catalog.is_owner(cmd.cx.settings.current_user, row.typowner)? {
        return Err(catalog::lookup::must_be_owner("type", &row.typname));
    }
    Ok(Found::Is(ObjectAddress::new(oids::TYPE_RELATION, oid)))
}

fn function(cmd: &mut CommandContext<'_>, kind: ObjectType, f: &parser::ast::ObjectWithArgs) -> Result<Found> {
    let row = match crate::object::function(cmd, kind, f) {
        Ok(row) => row,
        Err(e) if e.sqlstate() == UNDEFINED_FUNCTION => return Ok(Found::Missing(e)),
        Err(e) => return Err(e),
    };
    if !cmd.cx.catalog.is_owner(cmd.cx.settings.current_user, row.proowner)? {
        return Err(catalog::lookup::must_be_owner("function", &row.proname));
    }
    Ok(Found::Is(ObjectAddress::function(row.oid)))
}

fn relation(cmd: &mut CommandContext<'_>, wanted: ObjectType, parts: &[String], missing_ok: bool) -> Result<Found> {
    let var = range_var(parts);
    let noun = match wanted {
        ObjectType::Index => "index",
        ObjectType::View => "view",
        ObjectType::Sequence => "sequence",
        ObjectType::Matview => "materialized view",
        _ => "table",
    };
    let shown = parts.join(".");
    let missing = || PgError::new(UNDEFINED_TABLE, format!("{noun} \"{shown}\" does not exist"));
    if let Some(schema) = &var.schemaname
        && cmd.cx.catalog.namespace_by_name(schema)?.is_none()
    {
        return match missing_ok {
            true => Ok(Found::Missing(catalog::namespace::no_such_schema(schema))),
            false => Err(catalog::namespace::no_such_schema(schema)),
        };
    }
    let Some(rel) = name::relation_if_exists(cmd.cx, &var, LockMode::AccessExclusive)? else {
        let code = if wanted == ObjectType::Index { UNDEFINED_OBJECT } else { UNDEFINED_TABLE };
        return Ok(Found::Missing(PgError::new(code, missing().message())));
    };
    check_kind(&rel, wanted, noun)?;
    let owner = match &rel.index {
        Some(info) => cmd.cx.catalog.relation_entry(info.table)?,
        None => rel.clone(),
    };
    name::check_owner(cmd.cx, &owner).map_err(|e| if owner.oid == rel.oid { e } else { owner_of_index(&rel) })?;
    Ok(Found::Is(ObjectAddress::relation(rel.oid)))
}

fn owner_of_index(rel: &Relation) -> PgError {
    catalog::lookup::must_be_owner("index", rel.name())
}

fn check_kind(rel: &Relation, wanted: ObjectType, noun: &str) -> Result<()> {
    let fits = match wanted {
        ObjectType::Table => matches!(rel.kind(), relkind::TABLE | b'p'),
        ObjectType::Index => matches!(rel.kind(), relkind::INDEX | relkind::PARTITIONED_INDEX),
        ObjectType::View => rel.kind() == relkind::VIEW,
        ObjectType::Sequence => rel.kind() == relkind::SEQUENCE,
        ObjectType::Matview => rel.kind() == relkind::MATERIALIZED_VIEW,
        _ => true,
    };
    if fits {
        return Ok(());
    }
    let article = if noun == "index" { "an" } else { "a" };
    let text = format!("\"{}\" is not {article} {noun}", rel.name());
    let actual = name::kind_name(rel.kind());
    let article = if actual == "index" { "an" } else { "a" };
    let hint = format!("Use DROP {} to remove {article} {actual}.", actual.to_uppercase());
    Err(PgError::new(WRONG_OBJECT_TYPE, text).hint(hint))
}
