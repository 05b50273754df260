//! Objects of the kinds that have no statement of their own, by name; what IF EXISTS says of those that are missing.
//!
//! PostgreSQL: `get_object_address`, `does_not_exist_skipping`.

use base::sqlstate::*;
use base::{Oid, PgError, Result};
use catalog::{
    CacheId, ObjectAddress, PgConversion, PgEventTrigger, PgForeignDataWrapper, PgForeignServer, PgLargeobjectMetadata,
    PgPolicy, PgPublication, PgRewrite, PgStatisticExt, PgSubscription, PgTransform, PgTrigger, oids,
};
use parser::ast::*;
use txn::LockMode;
use types::Datum;

use crate::define::{opclass, operator, search};
use crate::{CommandContext, drop, name};

fn missing(noun: &str, shown: &str) -> PgError {
    PgError::new(UNDEFINED_OBJECT, format!("{noun} \"{shown}\" does not exist"))
}

/// A row of a cache over name and schema, along the search path.
fn in_path<T: catalog::CatalogRow>(
    cmd: &CommandContext<'_>,
    parts: &[String],
    get: impl Fn(&str, Oid) -> Result<Option<std::sync::Arc<T>>>,
) -> Result<Option<std::sync::Arc<T>>> {
    let (schema, oname) = name::split(cmd.cx, parts)?;
    let schemas = match &schema {
        Some(s) => cmd.cx.catalog.explicit_namespace(s, false)?.into_iter().collect(),
        None => cmd.cx.catalog.search_path()?.schemas.clone(),
    };
    for s in schemas {
        if let Some(row) = get(&oname, s)? {
            return Ok(Some(row));
        }
    }
    Ok(None)
}

/// Something that belongs to a table: its name is the last part.
fn on_table(
    cmd: &CommandContext<'_>,
    words: &[String],
    mode: LockMode,
) -> Result<(std::sync::Arc<catalog::Relation>, String)> {
    let Some((last, table)) = words.split_last() else { return Err(PgError::internal("no name")) };
    let var = drop::range_var(table);
    if let Some(schema) = &var.schemaname {
        cmd.cx.catalog.explicit_namespace(schema, false)?;
    }
    Ok((name::relation(cmd.cx, &var, mode)?, last.clone()))
}

/// Kinds that [`crate::object::find`] leaves to us.
pub fn find(
    cmd: &mut CommandContext<'_>,
    kind: ObjectType,
    o: &Object,
    words: &[String],
    mode: LockMode,
) -> Result<ObjectAddress> {
    use ObjectType as T;
    let catalog = cmd.cx.catalog.clone();
    let last = words.last().cloned().unwrap_or_default();
    let shown = words.join(".");
    let by_name = |cache: CacheId| (cache, [Datum::text(&last)]);
    Ok(match (kind, o) {
        (T::AccessMethod, _) => {
            let am = catalog.am_by_name(&last)?.ok_or_else(|| missing("access method", &last))?;
            ObjectAddress::new(oids::ACCESS_METHOD_RELATION, am.oid)
        }
        (T::Conversion, _) => {
            let get =
                |n: &str, s: Oid| catalog.get::<PgConversion>(CacheId::CONNAMENSP, &[Datum::text(n), Datum::oid(s)]);
            let c = in_path(cmd, words, get)?.ok_or_else(|| missing("conversion", &shown))?;
            ObjectAddress::new(oids::CONVERSION_RELATION, c.oid)
        }
        (T::StatisticExt, _) => {
            let get = |n: &str, s: Oid| {
                catalog.get::<PgStatisticExt>(CacheId::STATEXTNAMENSP, &[Datum::text(n), Datum::oid(s)])
            };
            let s = in_path(cmd, words, get)?.ok_or_else(|| missing("statistics object", &shown))?;
            ObjectAddress::new(oids::STATISTIC_EXT_RELATION, s.oid)
        }
        (T::TsParser | T::TsDictionary | T::TsTemplate | T::TsConfiguration, _) => {
            if let [.., schema, _] = words {
                catalog.explicit_namespace(schema, false)?;
            }
            search::find(cmd, kind, words)?
        }
        (T::Operator, Object::WithArgs(named)) => {
            if let [.., schema, _] = &named.objname[..] {
                catalog.explicit_namespace(schema, false)?;
            }
            ObjectAddress::new(oids::OPERATOR_RELATION, operator::lookup(cmd, named)?.oid)
        }
        (T::Opclass | T::Opfamily, _) => {
            let Some((method, parts)) = words.split_first() else { return Err(PgError::internal("no name")) };
            let am = opclass::method_oid(cmd, method)?;
            if let [.., schema, _] = parts {
                catalog.explicit_namespace(schema, false)?;
            }
            if kind == T::Opfamily {
                let found = opclass::family(cmd, am, parts)?;
                let found = found.map_or_else(|| Err(opclass::missing_family(cmd, am, parts)), |f| Ok(Ok(f)));
                return match found {
                    Ok(f) => Ok(ObjectAddress::new(oids::OPERATOR_FAMILY_RELATION, f?)),
                    Err(e) => Err(e?),
                };
            }
            let get = |n: &str, s: Oid| catalog.opclass_by_name(am, n, s);
            let found = in_path(cmd, parts, get)?.ok_or_else(|| {
                let shown = parts.join(".");
                let text = format!("operator class \"{shown}\" does not exist for access method \"{method}\"");
                PgError::new(UNDEFINED_OBJECT, text)
            })?;
            ObjectAddress::new(oids::OPERATOR_CLASS_RELATION, found.oid)
        }
        (T::Cast, Object::Cast { source, target }) => {
            let s = name::unplaced_type_name(cmd.cx, source)?.0;
            let t = name::unplaced_type_name(cmd.cx, target)?.0;
            let Some(c) = catalog.cast(s, t)? else {
                let (s, t) = (catalog.format_type(s, None)?, catalog.format_type(t, None)?);
                let text = format!("cast from type {s} to type {t} does not exist");
                return Err(PgError::new(UNDEFINED_OBJECT, text));
            };
            ObjectAddress::new(oids::CAST_RELATION, c.oid)
        }
        (T::Transform, Object::Transform { type_name, lang }) => {
            let t = name::unplaced_type_name(cmd.cx, type_name)?.0;
            let language = catalog.language_by_name(lang)?.ok_or_else(|| missing("language", lang))?.oid;
            let found = catalog.get::<PgTransform>(CacheId::TRFTYPELANG, &[Datum::oid(t), Datum::oid(language)])?;
            let Some(found) = found else {
                let t = catalog.format_type(t, None)?;
                let text = format!("transform for type {t} language \"{lang}\" does not exist");
                return Err(PgError::new(UNDEFINED_OBJECT, text));
            };
            ObjectAddress::new(oids::TRANSFORM_RELATION, found.oid)
        }
        (T::DomConstraint, Object::DomainConstraint { type_name, name: cname }) => {
            let t = name::unplaced_type_name(cmd.cx, type_name)?.0;
            let found = catalog.constraints_of_domain(t)?.into_iter().find(|c| c.conname == *cname);
            let Some(c) = found else {
                let t = catalog.format_type(t, None)?;
                let text = format!("constraint \"{cname}\" for domain {t} does not exist");
                return Err(PgError::new(UNDEFINED_OBJECT, text));
            };
            ObjectAddress::new(oids::CONSTRAINT_RELATION, c.oid)
        }
        (T::Trigger, _) => {
            let (rel, tname) = on_table(cmd, words, mode)?;
            let key = [Datum::oid(rel.oid), Datum::text(&tname)];
            let found = catalog.rows::<PgTrigger>(oids::TRIGGER_RELID_NAME_INDEX, &key)?.into_iter().next();
            let found = found.ok_or_else(|| {
                let text = format!("trigger \"{tname}\" for table \"{}\" does not exist", rel.name());
                PgError::new(UNDEFINED_OBJECT, text)
            })?;
            ObjectAddress::new(oids::TRIGGER_RELATION, found.oid)
        }
        (T::Policy, _) => {
            let (rel, pname) = on_table(cmd, words, mode)?;
            let key = [Datum::oid(rel.oid), Datum::text(&pname)];
            let found = catalog.rows::<PgPolicy>(oids::POLICY_POLRELID_POLNAME_INDEX, &key)?.into_iter().next();
            let found = found.ok_or_else(|| {
                let text = format!("policy \"{pname}\" for table \"{}\" does not exist", rel.name());
                PgError::new(UNDEFINED_OBJECT, text)
            })?;
            ObjectAddress::new(oids::POLICY_RELATION, found.oid)
        }
        (T::Rule, _) => {
            let (rel, rname) = on_table(cmd, words, mode)?;
            let key = [Datum::oid(rel.oid), Datum::text(&rname)];
            let found = catalog.rows::<PgRewrite>(oids::REWRITE_REL_RULENAME_INDEX, &key)?.into_iter().next();
            let found = found.ok_or_else(|| {
                let text = format!("rule \"{rname}\" for relation \"{}\" does not exist", rel.name());
                PgError::new(UNDEFINED_OBJECT, text)
            })?;
            ObjectAddress::new(oids::REWRITE_RELATION, found.oid)
        }
        (T::EventTrigger, _) => {
            let (cache, key) = by_name(CacheId::EVENTTRIGGERNAME);
            let e = catalog.get::<PgEventTrigger>(cache, &key)?.ok_or_else(|| missing("event trigger", &last))?;
            ObjectAddress::new(oids::EVENT_TRIGGER_RELATION, e.oid)
        }
        (T::Fdw, _) => {
            let (cache, key) = by_name(CacheId::FOREIGNDATAWRAPPERNAME);
            let f = catalog.get::<PgForeignDataWrapper>(cache, &key)?;
            let f = f.ok_or_else(|| missing("foreign-data wrapper", &last))?;
            ObjectAddress::new(oids::FOREIGN_DATA_WRAPPER_RELATION, f.oid)
        }
        (T::ForeignServer, _) => {
            let (cache, key) = by_name(CacheId::FOREIGNSERVERNAME);
            let s = catalog.get::<PgForeignServer>(cache, &key)?.ok_or_else(|| missing("server", &last))?;
            ObjectAddress::new(oids::FOREIGN_SERVER_RELATION, s.oid)
        }
        (T::Publication, _) => {
            let (cache, key) = by_name(CacheId::PUBLICATIONNAME);
            let p = catalog.get::<PgPublication>(cache, &key)?.ok_or_else(|| missing("publication", &last))?;
            ObjectAddress::new(oids::PUBLICATION_RELATION, p.oid)
        }
        (T::Subscription, _) => {
            let key = [Datum::oid(cmd.cx.settings.database), Datum::text(&last)];
            let s = catalog.get::<PgSubscription>(CacheId::SUBSCRIPTIONNAME, &key)?;
            ObjectAddress::new(oids::SUBSCRIPTION_RELATION, s.ok_or_else(|| missing("subscription", &last))?.oid)
        }
        (T::LargeObject, Object::LargeObject(value)) => {
            let oid = match value {
                Value::Integer(n) => Oid(*n as u32),
                Value::Float(text) => Oid(text.parse().map_err(|_| {
                    let text = format!("invalid input syntax for type oid: \"{text}\"");
                    PgError::new(INVALID_TEXT_REPRESENTATION, text)
                })?),
                _ => Oid::INVALID,
            };
            let key = [Datum::oid(oid)];
            let rows = catalog.rows::<PgLargeobjectMetadata>(oids::LARGE_OBJECT_METADATA_OID_INDEX, &key)?;
            if rows.is_empty() {
                return Err(PgError::new(UNDEFINED_OBJECT, format!("large object {oid} does not exist")));
            }
            ObjectAddress::new(oids::LARGE_OBJECT_RELATION, oid)
        }
        (other, _) => return Err(PgError::unsupported(format!("names of {other:?}"))),
    })
}

/// A type as written. (PostgreSQL: `TypeNameToString`)
fn written(t: &TypeName) -> String {
    let mut s = t.names.join(".");
    if !t.array_bounds.is_empty() {
        s.push_str("[]");
    }
    s
}

/// What IF EXISTS says about a missing object, from the error that its look-up gave; `None` if the error is another one.
pub fn skipping(kind: ObjectType, o: &Object, e: &PgError) -> Option<String> {
    let code = e.sqlstate();
    if ![UNDEFINED_OBJECT, UNDEFINED_FUNCTION, UNDEFINED_TABLE, INVALID_SCHEMA_NAME].contains(&code) {
        return None;
    }
    let text = e.message();
    // A missing schema, type or table on the way is what is said, a missing access method is an error all the same.
    if code == INVALID_SCHEMA_NAME || code == UNDEFINED_TABLE {
        return Some(format!("{text}, skipping"));
    }
    if text.starts_with("type \"") {
        return Some(format!("{text}, skipping"));
    }
    if matches!(kind, ObjectType::Opclass | ObjectType::Opfamily) && text.starts_with("access method") {
        return None;
    }
    let on_table = |noun: &str| match o {
        Object::QualifiedName(parts) => {
            let (last, table) = parts.split_last()?;
            Some(format!("{noun} \"{last}\" for relation \"{}\" does not exist, skipping", table.join(".")))
        }
        _ => None,
    };
    Some(match (kind, o) {
        (ObjectType::Operator, Object::WithArgs(f)) => {
            format!("operator {} does not exist, skipping", f.objname.join("."))
        }
        (_, Object::WithArgs(f)) if !f.args_unspecified && code == UNDEFINED_FUNCTION => {
            let noun = match kind {
                ObjectType::Aggregate => "aggregate",
                ObjectType::Procedure => "procedure",
                ObjectType::Routine => "routine",
                _ => "function",
            };
            let args: Vec<String> = f.objargs.iter().flatten().map(written).collect();
            format!("{noun} {}({}) does not exist, skipping", f.objname.join("."), args.join(","))
        }
        (_, Object::WithArgs(f)) if f.args_unspecified => {
            let noun = match kind {
                ObjectType::Aggregate => "aggregate",
                ObjectType::Procedure => "procedure",
                ObjectType::Routine => "routine",
                _ => "function",
            };
            format!("{noun} {}() does not exist, skipping", f.objname.join("."))
        }
        (ObjectType::Cast, Object::Cast { source, target }) => {
            format!("cast from type {} to type {} does not exist, skipping", written(source), written(target))
        }
        (ObjectType::Transform, Object::Transform { type_name, lang }) => {
            format!("transform for type {} language \"{lang}\" does not exist, skipping", written(type_name))
        }
        (ObjectType::Trigger, _) => on_table("trigger")?,
        (ObjectType::Policy, _) => on_table("policy")?,
        (ObjectType::Rule, _) => on_table("rule")?,
        _ => format!("{text}, skipping"),
    })
}
