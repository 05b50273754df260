//! From names in statements to objects: relations with their locks and the permission checks that DDL shares.

use std::sync::Arc;

use base::sqlstate::*;
use base::{Oid, PgError, Result};
use catalog::lookup::{must_be_owner, permission_denied};
use catalog::{PgNamespace, Relation, relkind};
use executor::{ExecContext, lock_relation};
use parser::ast::{self, RangeVar, RelPersistence};
use txn::LockMode;

/// What a kind of relation is called in messages.
pub fn kind_name(kind: u8) -> &'static str {
    match kind {
        relkind::INDEX | relkind::PARTITIONED_INDEX => "index",
        relkind::SEQUENCE => "sequence",
        relkind::VIEW => "view",
        relkind::MATERIALIZED_VIEW => "materialized view",
        b'f' => "foreign table",
        b'c' => "composite type",
        _ => "table",
    }
}

/// Parts of a name as written: schema (if any) and name. A database's name in front must be our own.
pub fn split(cx: &ExecContext, parts: &[String]) -> Result<(Option<String>, String)> {
    match parts {
        [name] => Ok((None, name.clone())),
        [schema, name] => Ok((Some(schema.clone()), name.clone())),
        [database, schema, name] if **database == *cx.settings.database_name => {
            Ok((Some(schema.clone()), name.clone()))
        }
        [_, _, _] => {
            let text = format!("cross-database references are not implemented: {}", parts.join("."));
            Err(PgError::new(FEATURE_NOT_SUPPORTED, text))
        }
        _ => {
            let text = format!("improper qualified name (too many dotted names): {}", parts.join("."));
            Err(PgError::new(SYNTAX_ERROR, text))
        }
    }
}

fn check_database(cx: &ExecContext, name: &RangeVar) -> Result<()> {
    match &name.catalogname {
        Some(db) if **db != *cx.settings.database_name => {
            let schema = name.schemaname.as_deref().unwrap_or_default();
            let text = format!("cross-database references are not implemented: \"{db}.{schema}.{}\"", name.relname);
            Err(PgError::new(FEATURE_NOT_SUPPORTED, text).at(name.location))
        }
        _ => Ok(()),
    }
}

/// The relation of that name, locked. `None` if it is missing and may be. The look-up is repeated after the lock was had,
/// since another session may have renamed or dropped it meanwhile. (PostgreSQL: `RangeVarGetRelidExtended`)
pub fn relation_if_exists(cx: &ExecContext, name: &RangeVar, mode: LockMode) -> Result<Option<Arc<Relation>>> {
    check_database(cx, name)?;
    let find = || cx.catalog.find_relation(name.schemaname.as_deref(), &name.relname, true);
    let mut found = find()?;
    while let Some(oid) = found {
        lock_relation(cx, oid, mode)?;
        let again = find()?;
        if again == Some(oid) {
            return cx.catalog.relation(oid);
        }
        found = again;
    }
    Ok(None)
}

/// As `relation_if_exists`, with an error if there is none.
pub fn relation(cx: &ExecContext, name: &RangeVar, mode: LockMode) -> Result<Arc<Relation>> {
    relation_if_exists(cx, name, mode)?.ok_or_else(|| missing_relation(name))
}

pub fn missing_relation(name: &RangeVar) -> PgError {
    let shown = match &name.schemaname {
        Some(schema) => format!("{schema}.{}", name.relname),
        None => name.relname.clone(),
    };
    PgError::new(UNDEFINED_TABLE, format!("relation \"{shown}\" does not exist")).at(name.location)
}

/// Only the owner may change a relation, and nobody a system catalog. (PostgreSQL: `RangeVarCallbackOwnsRelation`)
pub fn check_owner(cx: &ExecContext, rel: &Relation) -> Result<()> {
    if !cx.catalog.is_owner(cx.settings.current_user, rel.owner())? {
        return Err(must_be_owner(kind_name(rel.kind()), rel.name()));
    }
    // Ids below the first one that initdb gives out are the published catalogs'.
    if rel.oid < Oid(12000) {
        let text = format!("permission denied: \"{}\" is a system catalog", rel.name());
        return Err(PgError::new(INSUFFICIENT_PRIVILEGE, text));
    }
    Ok(())
}

/// The schema for a new object of that name. (PostgreSQL: `QualifiedNameGetCreationNamespace`)
pub fn creation_schema(cx: &ExecContext, schema: Option<&str>) -> Result<Arc<PgNamespace>> {
    let oid = match schema {
        Some("pg_temp") => cx.catalog.access_temp_schema()?,
        Some(name) => match cx.catalog.explicit_namespace(name, false)? {
            Some(oid) => oid,
            None => return Err(catalog::namespace::no_such_schema(name)),
        },
        None => cx.catalog.creation_namespace()?,
    };
    let namespace = cx.catalog.namespace(oid)?.ok_or_else(|| PgError::internal("the creation schema is gone"))?;
    if !cx.catalog.may_schema(cx.settings.current_user, oid, catalog::acl::ACL_CREATE)? {
        return Err(permission_denied("schema", &namespace.nspname));
    }
    Ok(namespace)
}

/// The schema for a new relation, and its persistence as in `pg_class`: what is made in the temporary schema is temporary.
/// (PostgreSQL: `RangeVarGetAndCheckCreationNamespace`, `RangeVarAdjustRelationPersistence`)
pub fn relation_schema(cx: &ExecContext, name: &RangeVar) -> Result<(Arc<PgNamespace>, u8)> {
    check_database(cx, name)?;
    let wanted = name.relpersistence;
    let schema = match (&name.schemaname, wanted) {
        (None, RelPersistence::Temp) => Some("pg_temp"),
        (schema, _) => schema.as_deref(),
    };
    let namespace = creation_schema(cx, schema)?;
    let refuse = |text: &str| Err(PgError::new(INVALID_TABLE_DEFINITION, text));
    let (mine, other) = (cx.catalog.is_my_temp_schema(namespace.oid), cx.catalog.is_other_temp_schema(namespace.oid)?);
    let persistence = match wanted {
        _ if other && wanted != RelPersistence::Unlogged => {
            return refuse("cannot create relations in temporary schemas of other sessions");
        }
        RelPersistence::Temp if !mine => return refuse("cannot create temporary relation in non-temporary schema"),
        RelPersistence::Unlogged if mine || other => {
            return refuse("only temporary relations may be created in temporary schemas");
        }
        RelPersistence::Unlogged => b'u',
        _ if mine => b't',
        _ => b'p',
    };
    Ok((namespace, persistence))
}

/// The number of the column of that name.
pub fn column(rel: &Relation, name: &str) -> Result<i16> {
    rel.desc.find(name).ok_or_else(|| {
        let text = format!("column \"{name}\" of relation \"{}\" does not exist", rel.name());
        PgError::new(UNDEFINED_COLUMN, text)
    })
}

/// A type's id and modifier from its name.
pub fn type_name(cx: &mut ExecContext, name: &ast::TypeName) -> Result<(Oid, i32)> {
    let catalog = cx.catalog.clone();
    analyze::ddl::transform_type_name(&mut analyze::AnalyzeContext::new(catalog, cx), name)
}

/// A type's id from its name, and whether it is defined: shells are found too. `None` if there is no such type.
pub fn type_or_shell(cx: &mut ExecContext, name: &ast::TypeName) -> Result<Option<(Oid, bool)>> {
    let catalog = cx.catalog.clone();
    analyze::ddl::find_type(&mut analyze::AnalyzeContext::new(catalog, cx), name)
}

/// As [`type_name`], for statements whose errors do not say where.
pub fn unplaced_type_name(cx: &mut ExecContext, name: &ast::TypeName) -> Result<(Oid, i32)> {
    type_name(cx, &ast::TypeName { location: base::error::Location::UNKNOWN, ..name.clone() })
}

/// The type that a function's argument names, perhaps a shell.
pub fn type_or_shell_oid(cx: &mut ExecContext, name: &ast::TypeName) -> Result<Oid> {
    let plain = ast::TypeName { location: base::error::Location::UNKNOWN, ..name.clone() };
    match type_or_shell(cx, &plain)? {
        Some((oid, _)) => Ok(oid),
        None => Ok(type_name(cx, &plain)?.0),
    }
}

/// A name for an index, constraint or sequence that nothing in the schema has yet. (PostgreSQL: `ChooseRelationName`)
pub fn choose_relation_name(
    cx: &ExecContext,
    name1: &str,
    name2: Option<&str>,
    label: &str,
    namespace: Oid,
    taken: &[String],
) -> Result<String> {
    let mut n = 0;
    loop {
        let label = if n == 0 { label.to_owned() } else { format!("{label}{n}") };
        let name = catalog::ddl::make_object_name(name1, name2, Some(&label));
        if !taken.contains(&name) && cx.catalog.relation_by_name(namespace, &name)?.is_none() {
            return Ok(name);
        }
        n += 1;
    }
}
