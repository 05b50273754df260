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
    let unknown = || PgError::unsupported(format!("DROP {}", format!("{:?}", stmt.remove_type).to_uppercase()));
    let tag = tag(stmt.remove_type).ok_or_else(unknown)?;
    let mut objects = Vec::new();
    for object in &stmt.objects {
        let found = match (stmt.remove_type, object) {
            (ObjectType::Schema, Object::Name(name)) => schema(cmd, name)?,
            (ObjectType::StatisticExt, Object::QualifiedName(parts)) => statistics(cmd, parts)?,
            (ObjectType::Rule, Object::QualifiedName(parts)) => match crate::rule::find(cmd, parts)? {
                Ok(address) => Found::Is(address),
                Err(e) => Found::Missing(e),
            },
            (ObjectType::Trigger, Object::QualifiedName(parts)) => {
                match crate::trigger::find(cmd, parts, LockMode::AccessExclusive)? {
                    Ok(address) => Found::Is(address),
                    Err(e) => Found::Missing(e),
                }
            }
            (kind, _) if !is_relation(kind) => match other(cmd, kind, object)? {
                Ok(address) => Found::Is(address),
                Err((e, _)) if !stmt.missing_ok => return Err(e),
                Err((_, text)) => {
                    cmd.notice(Severity::Notice, SUCCESSFUL_COMPLETION, text);
                    continue;
                }
            },
            (_, Object::QualifiedName(parts)) => relation(cmd, stmt.remove_type, parts, stmt.missing_ok)?,
            (_, Object::Name(name)) => relation(cmd, stmt.remove_type, std::slice::from_ref(name), stmt.missing_ok)?,
            _ => return Err(PgError::internal("an object's name has an unexpected form")),
        };
        match found {
            Found::Is(address) => objects.push(address),
            Found::Missing(e) if !stmt.missing_ok => return Err(e),
            Found::Missing(e) => {
                // The notice says `relation` where the error says `table`.
                let e = match stmt.remove_type {
                    ObjectType::Trigger => {
                        PgError::new(e.sqlstate(), e.message().replace("\" for table \"", "\" for relation \""))
                    }
                    _ => e,
                };
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

/// `DROP ...` of that kind; `None` for those that cannot be dropped so.
pub fn tag(kind: ObjectType) -> Option<&'static str> {
    Some(match kind {
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
        ObjectType::AccessMethod => "DROP ACCESS METHOD",
        ObjectType::Cast => "DROP CAST",
        ObjectType::Collation => "DROP COLLATION",
        ObjectType::Conversion => "DROP CONVERSION",
        ObjectType::Extension => "DROP EXTENSION",
        ObjectType::Fdw => "DROP FOREIGN DATA WRAPPER",
        ObjectType::ForeignServer => "DROP SERVER",
        ObjectType::Language => "DROP LANGUAGE",
        ObjectType::Opclass => "DROP OPERATOR CLASS",
        ObjectType::Opfamily => "DROP OPERATOR FAMILY",
        ObjectType::Operator => "DROP OPERATOR",
        ObjectType::Transform => "DROP TRANSFORM",
        ObjectType::TsConfiguration => "DROP TEXT SEARCH CONFIGURATION",
        ObjectType::TsDictionary => "DROP TEXT SEARCH DICTIONARY",
        ObjectType::TsParser => "DROP TEXT SEARCH PARSER",
        ObjectType::TsTemplate => "DROP TEXT SEARCH TEMPLATE",
        ObjectType::Trigger => "DROP TRIGGER",
        ObjectType::EventTrigger => "DROP EVENT TRIGGER",
        _ => return None,
    })
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

fn is_relation(kind: ObjectType) -> bool {
    use ObjectType as T;
    matches!(kind, T::Table | T::Index | T::View | T::Sequence | T::Matview | T::ForeignTable)
}

/// An object that is no relation. If it is missing: the error, and what IF EXISTS says.
fn other(
    cmd: &mut CommandContext<'_>,
    kind: ObjectType,
    object: &Object,
) -> Result<std::result::Result<ObjectAddress, (PgError, String)>> {
    let found = match object {
        Object::TypeName(t) => type_(cmd, kind, t),
        _ => crate::object::find(cmd, kind, object, LockMode::AccessExclusive),
    };
    let address = match found {
        Ok(address) => address,
        Err(e) => match crate::address::skipping(kind, object, &e) {
            Some(text) => return Ok(Err((e, text))),
            None => return Err(e),
        },
    };
    if address.class == oids::PROCEDURE_RELATION && matches!(kind, ObjectType::Function) {
        let p = cmd.cx.catalog.function_row(address.object)?;
        if p.prokind == b'a' {
            let e = PgError::new(WRONG_OBJECT_TYPE, format!("\"{}\" is an aggregate function", p.proname));
            return Err(e.hint("Use DROP AGGREGATE to drop aggregate functions."));
        }
    }
    // A schema's owner may drop what is in it.
    if let Some(property) = crate::properties::of(address.class) {
        let d = property.describe(cmd, address.object)?;
        if let Some(schema) = d.namespace.valid()
            && let Some(n) = cmd.cx.catalog.namespace(schema)?
            && cmd.cx.catalog.is_owner(cmd.cx.settings.current_user, n.nspowner)?
        {
            return Ok(Ok(address));
        }
    }
    crate::object::check_owner(cmd, kind, &address)?;
    Ok(Ok(address))
}

fn type_(cmd: &mut CommandContext<'_>, kind: ObjectType, t: &parser::ast::TypeName) -> Result<ObjectAddress> {
    let t = parser::ast::TypeName { location: base::error::Location::UNKNOWN, ..t.clone() };
    // Shells can be dropped too.
    let oid = match name::type_or_shell(cmd.cx, &t)? {
        Some((oid, _)) => oid,
        None => name::type_name(cmd.cx, &t)?.0,
    };
    if kind == ObjectType::Domain && cmd.cx.catalog.type_row(oid)?.typtype != b'd' {
        let shown = cmd.cx.catalog.format_type(oid, None)?;
        return Err(PgError::new(WRONG_OBJECT_TYPE, format!("\"{shown}\" is not a domain")));
    }
    Ok(ObjectAddress::type_(oid))
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
    if matches!(rel.kind(), relkind::TABLE | b'p') {
        crate::in_use::check(cmd, &rel, "DROP TABLE")?;
    }
    // Other partitions' conditions and the parent's list of partitions change.
    if let Some(parent) = analyze::partition::parent_of(&cmd.cx.catalog, &rel)? {
        executor::lock_relation(cmd.cx, parent, LockMode::AccessExclusive)?;
    }
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
