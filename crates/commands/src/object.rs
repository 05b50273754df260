//! Objects of any kind by the names that COMMENT, ALTER ... OWNER, RENAME and GRANT use for them.
//!
//! PostgreSQL: `get_object_address`, `check_object_ownership`.

use base::sqlstate::*;
use base::{Oid, PgError, Result};
use catalog::{CatalogRow, ObjectAddress, PgProc, Relation, oids, relkind};
use parser::ast::*;
use std::sync::Arc;
use txn::LockMode;
use types::Datum;

use crate::{CommandContext, drop, name};

/// Changes the row with that id; the next command sees it.
pub fn edit<T: CatalogRow>(cmd: &CommandContext<'_>, index: Oid, oid: Oid, change: impl FnOnce(&mut T)) -> Result<()> {
    let found = cmd.cx.catalog.find_row::<T>(index, &[Datum::oid(oid)])?;
    let found =
        found.ok_or_else(|| PgError::internal(format!("cache lookup failed for object {oid} of {}", T::NAME)))?;
    let mut row = found.row.clone();
    change(&mut row);
    cmd.cx.catalog.update_row(&found, &row)?;
    cmd.cx.catalog.command_counter_increment()
}

/// `ALTER ...` of that kind.
pub fn alter_tag(kind: ObjectType) -> &'static str {
    match kind {
        ObjectType::Schema => "ALTER SCHEMA",
        ObjectType::Database => "ALTER DATABASE",
        ObjectType::Function => "ALTER FUNCTION",
        ObjectType::Procedure => "ALTER PROCEDURE",
        ObjectType::Routine => "ALTER ROUTINE",
        ObjectType::Aggregate => "ALTER AGGREGATE",
        ObjectType::Type | ObjectType::Attribute => "ALTER TYPE",
        ObjectType::Domain | ObjectType::DomConstraint => "ALTER DOMAIN",
        ObjectType::Role => "ALTER ROLE",
        ObjectType::Index => "ALTER INDEX",
        ObjectType::Sequence => "ALTER SEQUENCE",
        ObjectType::StatisticExt => "ALTER STATISTICS",
        ObjectType::View => "ALTER VIEW",
        ObjectType::Matview => "ALTER MATERIALIZED VIEW",
        ObjectType::Collation => "ALTER COLLATION",
        ObjectType::Conversion => "ALTER CONVERSION",
        ObjectType::EventTrigger => "ALTER EVENT TRIGGER",
        ObjectType::Extension => "ALTER EXTENSION",
        ObjectType::Fdw => "ALTER FOREIGN DATA WRAPPER",
        ObjectType::ForeignServer => "ALTER SERVER",
        ObjectType::Language => "ALTER LANGUAGE",
        ObjectType::LargeObject => "ALTER LARGE OBJECT",
        ObjectType::Opclass => "ALTER OPERATOR CLASS",
        ObjectType::Opfamily => "ALTER OPERATOR FAMILY",
        ObjectType::Operator => "ALTER OPERATOR",
        ObjectType::Policy => "ALTER POLICY",
        ObjectType::Publication => "ALTER PUBLICATION",
        ObjectType::Rule => "ALTER RULE",
        ObjectType::Subscription => "ALTER SUBSCRIPTION",
        ObjectType::Tablespace => "ALTER TABLESPACE",
        ObjectType::Trigger => "ALTER TRIGGER",
        ObjectType::TsConfiguration => "ALTER TEXT SEARCH CONFIGURATION",
        ObjectType::TsDictionary => "ALTER TEXT SEARCH DICTIONARY",
        ObjectType::TsParser => "ALTER TEXT SEARCH PARSER",
        ObjectType::TsTemplate => "ALTER TEXT SEARCH TEMPLATE",
        _ => "ALTER TABLE",
    }
}

/// The function that a name, perhaps with argument types, means. (PostgreSQL: `LookupFuncWithArgs`)
pub fn function(cmd: &mut CommandContext<'_>, kind: ObjectType, f: &ObjectWithArgs) -> Result<Arc<PgProc>> {
    let (schema, fname) = name::split(cmd.cx, &f.objname)?;
    let mut args = Vec::new();
    for a in f.objargs.iter().flatten() {
        args.push(name::type_or_shell_oid(cmd.cx, a)?);
    }
    let wanted_schema = match &schema {
        Some(s) => Some(cmd.cx.catalog.explicit_namespace(s, false)?.unwrap_or_default()),
        None => None,
    };
    let path = cmd.cx.catalog.search_path()?;
    let mut found: Vec<(usize, Arc<PgProc>)> = Vec::new();
    for p in cmd.cx.catalog.functions_by_name(&fname)?.iter() {
        let place = match wanted_schema {
            Some(s) if s == p.pronamespace => Some(0),
            Some(_) => None,
            None => path.function_position(p.pronamespace),
        };
        let kind_fits = match kind {
            ObjectType::Aggregate => p.prokind == b'a',
            ObjectType::Procedure => p.prokind == b'p',
            ObjectType::Function => p.prokind != b'p',
            _ => true,
        };
        if let Some(place) = place
            && kind_fits
            && (f.args_unspecified || p.proargtypes == args || by_all_arguments(cmd, kind, f, p)?)
        {
            found.push((place, p.clone()));
        }
    }
    found.sort_by_key(|f| f.0);
    let noun = match kind {
        ObjectType::Aggregate => "aggregate",
        ObjectType::Procedure => "procedure",
        ObjectType::Routine => "routine",
        _ => "function",
    };
    let same_place = found.len() > 1 && found[0].0 == found[1].0;
    if f.args_unspecified && found.len() > 1
        || same_place && matches!(kind, ObjectType::Procedure | ObjectType::Routine)
    {
        let text = format!("{noun} name \"{}\" is not unique", f.objname.join("."));
        let hint = format!("Specify the argument list to select the {noun} unambiguously.");
        let e = PgError::new(AMBIGUOUS_FUNCTION, text);
        return Err(if f.args_unspecified { e.hint(hint) } else { e });
    }
    if kind == ObjectType::Aggregate && found.is_empty() && !f.args_unspecified {
        let any = |p: &&Arc<PgProc>| {
            let place = match wanted_schema {
                Some(s) => s == p.pronamespace,
                None => path.function_position(p.pronamespace).is_some(),
            };
            place && p.proargtypes == args && p.prokind != b'a'
        };
        if cmd.cx.catalog.functions_by_name(&fname)?.iter().any(|p| any(&p)) {
            let shown = analyze::definitions::signature(&cmd.cx.catalog, &f.objname, &args)?;
            return Err(PgError::new(WRONG_OBJECT_TYPE, format!("function {shown} is not an aggregate")));
        }
    }
    match found.into_iter().next() {
        Some((_, p)) => Ok(p),
        None if kind == ObjectType::Aggregate && args.is_empty() && !f.args_unspecified => {
            let text = format!("aggregate {}(*) does not exist", f.objname.join("."));
            Err(PgError::new(UNDEFINED_FUNCTION, text))
        }
        None if f.args_unspecified => {
            let text = format!("could not find a {noun} named \"{}\"", f.objname.join("."));
            Err(PgError::new(UNDEFINED_FUNCTION, text))
        }
        None => {
            // One of another kind?
            if matches!(kind, ObjectType::Function | ObjectType::Procedure) {
                let visible = |p: &Arc<PgProc>| match wanted_schema {
                    Some(s) => s == p.pronamespace,
                    None => path.function_position(p.pronamespace).is_some(),
                };
                if cmd.cx.catalog.functions_by_name(&fname)?.iter().any(|p| visible(p) && p.proargtypes == args) {
                    let shown = analyze::definitions::signature(&cmd.cx.catalog, &f.objname, &args)?;
                    return Err(PgError::new(WRONG_OBJECT_TYPE, format!("{shown} is not a {noun}")));
                }
            }
            let mut shown = Vec::new();
            for a in args {
                shown.push(cmd.cx.catalog.format_type(a, None)?);
            }
            let text = format!("{noun} {}({}) does not exist", f.objname.join("."), shown.join(", "));
            Err(PgError::new(UNDEFINED_FUNCTION, text))
        }
    }
}

/// A procedure can be named by all its parameters, too. (PostgreSQL: `LookupFuncWithArgs`)
fn by_all_arguments(cmd: &mut CommandContext<'_>, kind: ObjectType, f: &ObjectWithArgs, p: &PgProc) -> Result<bool> {
    use parser::ast::FunctionParameterMode as Mode;
    let Some(all) = &p.proallargtypes else { return Ok(false) };
    let plain = f.objfuncargs.iter().all(|a| a.mode == Mode::Default);
    if !matches!(kind, ObjectType::Procedure | ObjectType::Routine)
        || p.prokind != b'p'
        || !plain
        || f.objfuncargs.len() != all.len()
    {
        return Ok(false);
    }
    for (a, t) in f.objfuncargs.iter().zip(all) {
        if name::type_or_shell_oid(cmd.cx, &a.arg_type)? != *t {
            return Ok(false);
        }
    }
    Ok(true)
}

fn parts(o: &Object) -> Vec<String> {
    match o {
        Object::Name(n) => vec![n.clone()],
        Object::QualifiedName(p) => p.clone(),
        Object::TypeName(t) => t.names.clone(),
        Object::RangeVar(v) => v.schemaname.iter().cloned().chain([v.relname.clone()]).collect(),
        _ => Vec::new(),
    }
}

fn relation_of_kind(cmd: &CommandContext<'_>, kind: ObjectType, o: &Object, mode: LockMode) -> Result<Arc<Relation>> {
    let var = match o {
        Object::RangeVar(v) => v.clone(),
        other => drop::range_var(&parts(other)),
    };
    let rel = name::relation(cmd.cx, &var, mode)?;
    let (fits, noun) = match kind {
        ObjectType::Table => (matches!(rel.kind(), relkind::TABLE | b'p'), "a table"),
        ObjectType::Index => (matches!(rel.kind(), relkind::INDEX | relkind::PARTITIONED_INDEX), "an index"),
        ObjectType::View => (rel.kind() == relkind::VIEW, "a view"),
        ObjectType::Sequence => (rel.kind() == relkind::SEQUENCE, "a sequence"),
        ObjectType::Matview => (rel.kind() == relkind::MATERIALIZED_VIEW, "a materialized view"),
        _ => (true, ""),
    };
    match fits {
        true => Ok(rel),
        false => Err(PgError::new(WRONG_OBJECT_TYPE, format!("\"{}\" is not {noun}", rel.name()))),
    }
}

/// The object of that name; relations are locked.
pub fn find(cmd: &mut CommandContext<'_>, kind: ObjectType, o: &Object, mode: LockMode) -> Result<ObjectAddress> {
    use ObjectType as T;
    let words = parts(o);
    let last = words.last().cloned().unwrap_or_default();
    let missing = |noun: &str| PgError::new(UNDEFINED_OBJECT, format!("{noun} \"{last}\" does not exist"));
    Ok(match (kind, o) {
        (T::Table | T::Index | T::View | T::Sequence | T::Matview, _) => {
            ObjectAddress::relation(relation_of_kind(cmd, kind, o, mode)?.oid)
        }
        (T::Column, _) => {
            let table = words.get(..words.len().saturating_sub(1)).unwrap_or_default();
            let rel = name::relation(cmd.cx, &drop::range_var(table), mode)?;
            ObjectAddress::column(rel.oid, name::column(&rel, &last)?)
        }
        (T::TabConstraint, _) => {
            let table = words.get(..words.len().saturating_sub(1)).unwrap_or_default();
            let rel = name::relation(cmd.cx, &drop::range_var(table), mode)?;
            let list = cmd.cx.catalog.constraints_of_relation(rel.oid)?;
            let c = list.iter().find(|c| c.conname == last).ok_or_else(|| {
                let text = format!("constraint \"{last}\" for table \"{}\" does not exist", rel.name());
                PgError::new(UNDEFINED_OBJECT, text)
            })?;
            ObjectAddress::new(oids::CONSTRAINT_RELATION, c.oid)
        }
        (T::Trigger, _) => crate::trigger::find(cmd, &words, mode)??,
        (T::Rule, _) => crate::rule::find(cmd, &words)??,
        (T::Schema, _) => {
            let n = cmd.cx.catalog.namespace_by_name(&last)?;
            ObjectAddress::namespace(n.ok_or_else(|| catalog::namespace::no_such_schema(&last))?.oid)
        }
        (T::Database, _) => {
            let d = cmd.cx.catalog.database_by_name(&last)?;
            let missing = || PgError::new(UNDEFINED_DATABASE, format!("database \"{last}\" does not exist"));
            ObjectAddress::new(oids::DATABASE_RELATION, d.ok_or_else(missing)?.oid)
        }
        (T::Role, _) => ObjectAddress::new(oids::AUTH_ID_RELATION, cmd.cx.catalog.role_oid(&last)?),
        (T::Tablespace, _) => {
            let t = cmd.cx.catalog.tablespace_by_name(&last)?;
            ObjectAddress::new(oids::TABLE_SPACE_RELATION, t.ok_or_else(|| missing("tablespace"))?.oid)
        }
        (T::Language, _) => {
            let l = cmd.cx.catalog.language_by_name(&last)?;
            ObjectAddress::new(oids::LANGUAGE_RELATION, l.ok_or_else(|| missing("language"))?.oid)
        }
        (T::Extension, _) => {
            let e = cmd.cx.catalog.extension_by_name(&last)?;
            ObjectAddress::new(oids::EXTENSION_RELATION, e.ok_or_else(|| missing("extension"))?.oid)
        }
        (T::Collation, _) => {
            ObjectAddress::new(oids::COLLATION_RELATION, crate::index::collation_by_name(cmd.cx, &words)?)
        }
        (T::StatisticExt, _) => {
            let missing = || PgError::new(UNDEFINED_OBJECT, format!("statistics object \"{}\" does not exist", words.join(".")));
            let s = crate::statistics::by_name(cmd.cx, &words)?.ok_or_else(missing)?;
            ObjectAddress::new(oids::STATISTIC_EXT_RELATION, s.oid)
        }
        (T::Type | T::Domain, Object::TypeName(t)) => ObjectAddress::type_(name::unplaced_type_name(cmd.cx, t)?.0),
        (T::Type | T::Domain, _) => {
            let (schema, tname) = name::split(cmd.cx, &words)?;
            let t = cmd.cx.catalog.find_type(schema.as_deref(), &tname, true)?;
            let missing = || PgError::new(UNDEFINED_OBJECT, format!("type \"{}\" does not exist", words.join(".")));
            ObjectAddress::type_(t.ok_or_else(missing)?.oid)
        }
        (T::Function | T::Procedure | T::Routine | T::Aggregate, Object::WithArgs(f)) => {
            ObjectAddress::function(function(cmd, kind, f)?.oid)
        }
        _ => return crate::address::find(cmd, kind, o, &words, mode),
    })
}

/// Only its owner may change an object. (PostgreSQL: `check_object_ownership`)
pub fn check_owner(cmd: &mut CommandContext<'_>, kind: ObjectType, o: &ObjectAddress) -> Result<()> {
    let user = cmd.cx.settings.current_user;
    let catalog = cmd.cx.catalog.clone();
    let (owner, noun, shown) = match o.class {
        oids::RELATION_RELATION => {
            let rel = catalog.relation_entry(o.object)?;
            (rel.owner(), name::kind_name(rel.kind()), rel.name().to_owned())
        }
        oids::CONSTRAINT_RELATION => {
            let c = catalog.constraint(o.object)?.ok_or_else(|| PgError::internal("a constraint is gone"))?;
            if let Some(domain) = c.contypid.valid() {
                return check_owner(cmd, kind, &ObjectAddress::type_(domain));
            }
            let rel = catalog.relation_entry(c.conrelid)?;
            (rel.owner(), name::kind_name(rel.kind()), rel.name().to_owned())
        }
        // Checked when it was found.
        oids::TRIGGER_RELATION | oids::REWRITE_RELATION => return Ok(()),
        oids::NAMESPACE_RELATION => {
            let n = catalog.namespace(o.object)?.ok_or_else(|| PgError::internal("a schema is gone"))?;
            (n.nspowner, "schema", n.nspname.clone())
        }
        oids::DATABASE_RELATION => {
            let d = catalog.database(o.object)?.ok_or_else(|| PgError::internal("a database is gone"))?;
            (d.datdba, "database", d.datname.clone())
        }
        oids::PROCEDURE_RELATION => {
            let p = catalog.function_row(o.object)?;
            (p.proowner, "function", p.proname.clone())
        }
        oids::TYPE_RELATION => {
            let t = catalog.type_row(o.object)?;
            (t.typowner, "type", catalog.format_type(o.object, None)?)
        }
        oids::STATISTIC_EXT_RELATION => {
            let s = catalog.statistics_object(o.object)?;
            let s = s.ok_or_else(|| PgError::internal("a statistics object is gone"))?;
            (s.stxowner, "statistics object", s.stxname.clone())
        }
        _ if catalog.is_superuser(user)? => return Ok(()),
        oids::CAST_RELATION => {
            let c = catalog.find_row::<catalog::PgCast>(oids::CAST_OID_INDEX, &[Datum::oid(o.object)])?;
            let c = c.ok_or_else(|| PgError::internal("a cast is gone"))?.row;
            let (s, t) = (catalog.type_row(c.castsource)?, catalog.type_row(c.casttarget)?);
            if catalog.is_owner(user, s.typowner)? || catalog.is_owner(user, t.typowner)? {
                return Ok(());
            }
            let (s, t) = (catalog.format_type(s.oid, None)?, catalog.format_type(t.oid, None)?);
            let text = format!("must be owner of type {s} or type {t}");
            return Err(PgError::new(INSUFFICIENT_PRIVILEGE, text));
        }
        class if crate::properties::of(class).is_some_and(|p| p.owner != 0) => {
            let Some(property) = crate::properties::of(class) else { return Ok(()) };
            let d = property.describe(cmd, o.object)?;
            return property.check_owner(cmd, &d);
        }
        oids::POLICY_RELATION => {
            let rel = catalog
                .dependencies_of(o)?
                .into_iter()
                .find(|d| d.refclassid == oids::RELATION_RELATION && matches!(d.deptype, b'a' | b'i'));
            let rel = rel.ok_or_else(|| PgError::internal("an object without its table"))?.refobjid;
            return check_owner(cmd, ObjectType::Table, &ObjectAddress::relation(rel));
        }
        _ => {
            let text = format!("must be superuser to change this {}", format!("{kind:?}").to_lowercase());
            return Err(PgError::new(INSUFFICIENT_PRIVILEGE, text));
        }
    };
    match catalog.is_owner(user, owner)? {
        true => Ok(()),
        false => Err(catalog::lookup::must_be_owner(noun, &shown)),
    }
}
