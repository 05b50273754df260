//! What ALTER ... RENAME, OWNER TO and SET SCHEMA need to know of a kind of object: where its row holds name, schema, owner and
//! privileges. With that one piece of code serves all kinds that are no more than a row.
//!
//! PostgreSQL: `ObjectProperty`, `AlterObjectRename_internal`, `AlterObjectNamespace_internal`, `AlterObjectOwner_internal`.

use base::sqlstate::*;
use base::{Oid, PgError, Result};
use catalog::privileges::acl_with_new_owner;
use catalog::{CacheId, ObjectAddress, PgCollation, PgOpclass, PgOpfamily, acl, cols, oids};
use types::{Datum, FromDatum};

use crate::CommandContext;

/// A kind of object. Columns that it lacks are 0.
pub struct Property {
    pub class: Oid,
    pub index: Oid,
    pub noun: &'static str,
    pub name: i16,
    pub namespace: i16,
    pub owner: i16,
    pub acl: i16,
}

macro_rules! properties {
    ($(($class:ident, $index:ident, $noun:literal, $table:ident, $name:ident, $namespace:tt, $owner:tt, $acl:tt)),* $(,)?) => {
        &[$(Property {
            class: oids::$class,
            index: oids::$index,
            noun: $noun,
            name: cols::$table::$name,
            namespace: properties!(@ $table $namespace),
            owner: properties!(@ $table $owner),
            acl: properties!(@ $table $acl),
        }),*]
    };
    (@ $table:ident 0) => { 0 };
    (@ $table:ident $column:ident) => { cols::$table::$column };
}

const PROPERTIES: &[Property] = properties![
    (ACCESS_METHOD_RELATION, AM_OID_INDEX, "access method", pg_am, AMNAME, 0, 0, 0),
    (COLLATION_RELATION, COLLATION_OID_INDEX, "collation", pg_collation, COLLNAME, COLLNAMESPACE, COLLOWNER, 0),
    (CONVERSION_RELATION, CONVERSION_OID_INDEX, "conversion", pg_conversion, CONNAME, CONNAMESPACE, CONOWNER, 0),
    (EVENT_TRIGGER_RELATION, EVENT_TRIGGER_OID_INDEX, "event trigger", pg_event_trigger, EVTNAME, 0, EVTOWNER, 0),
    (EXTENSION_RELATION, EXTENSION_OID_INDEX, "extension", pg_extension, EXTNAME, 0, EXTOWNER, 0),
    (
        FOREIGN_DATA_WRAPPER_RELATION,
        FOREIGN_DATA_WRAPPER_OID_INDEX,
        "foreign-data wrapper",
        pg_foreign_data_wrapper,
        FDWNAME,
        0,
        FDWOWNER,
        FDWACL
    ),
    (FOREIGN_SERVER_RELATION, FOREIGN_SERVER_OID_INDEX, "server", pg_foreign_server, SRVNAME, 0, SRVOWNER, SRVACL),
    (PROCEDURE_RELATION, PROCEDURE_OID_INDEX, "function", pg_proc, PRONAME, PRONAMESPACE, PROOWNER, PROACL),
    (LANGUAGE_RELATION, LANGUAGE_OID_INDEX, "language", pg_language, LANNAME, 0, LANOWNER, LANACL),
    (OPERATOR_CLASS_RELATION, OPCLASS_OID_INDEX, "operator class", pg_opclass, OPCNAME, OPCNAMESPACE, OPCOWNER, 0),
    (OPERATOR_RELATION, OPERATOR_OID_INDEX, "operator", pg_operator, OPRNAME, OPRNAMESPACE, OPROWNER, 0),
    (OPERATOR_FAMILY_RELATION, OPFAMILY_OID_INDEX, "operator family", pg_opfamily, OPFNAME, OPFNAMESPACE, OPFOWNER, 0),
    (PUBLICATION_RELATION, PUBLICATION_OBJECT_INDEX, "publication", pg_publication, PUBNAME, 0, PUBOWNER, 0),
    (SUBSCRIPTION_RELATION, SUBSCRIPTION_OBJECT_INDEX, "subscription", pg_subscription, SUBNAME, 0, SUBOWNER, 0),
    (
        STATISTIC_EXT_RELATION,
        STATISTIC_EXT_OID_INDEX,
        "statistics object",
        pg_statistic_ext,
        STXNAME,
        STXNAMESPACE,
        STXOWNER,
        0
    ),
    (TABLE_SPACE_RELATION, TABLESPACE_OID_INDEX, "tablespace", pg_tablespace, SPCNAME, 0, SPCOWNER, SPCACL),
    (
        TS_CONFIG_RELATION,
        TS_CONFIG_OID_INDEX,
        "text search configuration",
        pg_ts_config,
        CFGNAME,
        CFGNAMESPACE,
        CFGOWNER,
        0
    ),
    (
        TS_DICTIONARY_RELATION,
        TS_DICTIONARY_OID_INDEX,
        "text search dictionary",
        pg_ts_dict,
        DICTNAME,
        DICTNAMESPACE,
        DICTOWNER,
        0
    ),
    (TS_PARSER_RELATION, TS_PARSER_OID_INDEX, "text search parser", pg_ts_parser, PRSNAME, PRSNAMESPACE, 0, 0),
    (
        TS_TEMPLATE_RELATION,
        TS_TEMPLATE_OID_INDEX,
        "text search template",
        pg_ts_template,
        TMPLNAME,
        TMPLNAMESPACE,
        0,
        0
    ),
];

/// The properties of a class of objects, `None` where it is not that simple.
pub fn of(class: Oid) -> Option<&'static Property> {
    PROPERTIES.iter().find(|p| p.class == class)
}

/// An object's row as far as its properties go.
pub struct Described {
    pub name: String,
    pub namespace: Oid,
    pub owner: Oid,
    values: Vec<Datum>,
}

impl Property {
    pub fn describe(&self, cmd: &CommandContext<'_>, oid: Oid) -> Result<Described> {
        let row = cmd.cx.catalog.scan(self.class, self.index, &[Datum::oid(oid)])?.into_iter().next();
        let gone = || PgError::internal(format!("cache lookup failed for {} {oid}", self.noun));
        let values = row.ok_or_else(gone)?.values;
        let id = |column: i16| match column {
            0 => Ok(Oid::INVALID),
            n => Oid::from_datum(values[n as usize - 1].as_ref()),
        };
        let name = <&str>::from_datum(values[self.name as usize - 1].as_ref())?.to_owned();
        Ok(Described { name, namespace: id(self.namespace)?, owner: id(self.owner)?, values })
    }

    /// Only the owner may; where there is none, a superuser.
    pub fn check_owner(&self, cmd: &CommandContext<'_>, d: &Described) -> Result<()> {
        let (catalog, user) = (&cmd.cx.catalog, cmd.cx.settings.current_user);
        if catalog.is_superuser(user)? {
            return Ok(());
        }
        if self.owner == 0 {
            return Err(PgError::new(INSUFFICIENT_PRIVILEGE, format!("must be superuser to alter {}", self.noun)));
        }
        match catalog.is_owner(user, d.owner)? {
            true => Ok(()),
            false => Err(catalog::lookup::must_be_owner(self.noun, &d.name)),
        }
    }

    fn check_schema(&self, cmd: &CommandContext<'_>, role: Oid, schema: Oid) -> Result<()> {
        let catalog = &cmd.cx.catalog;
        if !schema.is_valid() || catalog.is_superuser(cmd.cx.settings.current_user)? {
            return Ok(());
        }
        match catalog.may_schema(role, schema, acl::ACL_CREATE)? {
            true => Ok(()),
            false => {
                let shown = catalog.namespace_name(schema)?.unwrap_or_default();
                Err(catalog::lookup::permission_denied("schema", &shown))
            }
        }
    }

    /// An error if the schema has such an object of that name already.
    fn check_free(&self, cmd: &CommandContext<'_>, oid: Oid, d: &Described, name: &str, schema: Oid) -> Result<()> {
        let catalog = &cmd.cx.catalog;
        let place = || Ok::<_, PgError>(catalog.namespace_name(schema)?.unwrap_or_default());
        let key = |row: &[Datum], column: i16| row[column as usize - 1].clone();
        let duplicate = |text: String| Err(PgError::new(DUPLICATE_OBJECT, text));
        match self.class {
            oids::PROCEDURE_RELATION => {
                let p = catalog.function_row(oid)?;
                let same = |o: &catalog::PgProc| o.pronamespace == schema && o.proargtypes == p.proargtypes;
                if catalog.functions_by_name(name)?.iter().any(|o| same(o)) {
                    let parts = [name.to_owned()];
                    let shown = analyze::definitions::signature(catalog, &parts, &p.proargtypes)?;
                    let text = format!("function {shown} already exists in schema \"{}\"", place()?);
                    return Err(PgError::new(DUPLICATE_FUNCTION, text));
                }
            }
            oids::OPERATOR_RELATION => {}
            oids::COLLATION_RELATION => {
                for encoding in [6, -1] {
                    let key = [Datum::text(name), Datum::i32(encoding), Datum::oid(schema)];
                    if catalog.get::<PgCollation>(CacheId::COLLNAMEENCNSP, &key)?.is_some() {
                        let which = if encoding == 6 { " for encoding \"UTF8\"" } else { "" };
                        let text = format!("collation \"{name}\"{which} already exists in schema \"{}\"", place()?);
                        return duplicate(text);
                    }
                }
            }
            oids::OPERATOR_CLASS_RELATION | oids::OPERATOR_FAMILY_RELATION => {
                let is_class = self.class == oids::OPERATOR_CLASS_RELATION;
                let method =
                    key(&d.values, if is_class { cols::pg_opclass::OPCMETHOD } else { cols::pg_opfamily::OPFMETHOD });
                let keys = [method.clone(), Datum::text(name), Datum::oid(schema)];
                let taken = match is_class {
                    true => catalog.get::<PgOpclass>(CacheId::CLAAMNAMENSP, &keys)?.is_some(),
                    false => catalog.get::<PgOpfamily>(CacheId::OPFAMILYAMNAMENSP, &keys)?.is_some(),
                };
                if taken {
                    let method = catalog.am(Oid::from_datum(method.as_ref())?)?;
                    let method = method.map(|m| m.amname.clone()).unwrap_or_default();
                    let text = format!(
                        "{} \"{name}\" for access method \"{method}\" already exists in schema \"{}\"",
                        self.noun,
                        place()?
                    );
                    return duplicate(text);
                }
            }
            _ => {
                // These are few: look at all.
                for row in catalog.scan(self.class, self.index, &[])? {
                    let same_name = <&str>::from_datum(row.values[self.name as usize - 1].as_ref())? == name;
                    let same_schema = self.namespace == 0
                        || Oid::from_datum(row.values[self.namespace as usize - 1].as_ref())? == schema;
                    if same_name && same_schema {
                        return duplicate(match self.namespace {
                            0 => format!("{} \"{name}\" already exists", self.noun),
                            _ => format!("{} \"{name}\" already exists in schema \"{}\"", self.noun, place()?),
                        });
                    }
                }
            }
        }
        Ok(())
    }

    pub fn rename(&self, cmd: &CommandContext<'_>, oid: Oid, new: &str) -> Result<()> {
        let d = self.describe(cmd, oid)?;
        self.check_owner(cmd, &d)?;
        self.check_schema(cmd, cmd.cx.settings.current_user, d.namespace)?;
        self.check_free(cmd, oid, &d, new, d.namespace)?;
        cmd.cx.catalog.update_columns(self.class, self.index, oid, &[(self.name, Datum::text(new))])
    }

    pub fn set_schema(&self, cmd: &CommandContext<'_>, oid: Oid, schema: Oid) -> Result<()> {
        if self.namespace == 0 {
            return Err(PgError::internal(format!("a {} has no schema", self.noun)));
        }
        let d = self.describe(cmd, oid)?;
        if d.namespace == schema {
            return Ok(());
        }
        check_new_schema(cmd, d.namespace, schema)?;
        self.check_owner(cmd, &d)?;
        self.check_schema(cmd, cmd.cx.settings.current_user, schema)?;
        self.check_free(cmd, oid, &d, &d.name, schema)?;
        let catalog = &cmd.cx.catalog;
        catalog.update_columns(self.class, self.index, oid, &[(self.namespace, Datum::oid(schema))])?;
        let me = ObjectAddress::new(self.class, oid);
        catalog.change_dependency(&me, oids::NAMESPACE_RELATION, d.namespace, schema)?;
        catalog.command_counter_increment()
    }

    pub fn set_owner(&self, cmd: &CommandContext<'_>, oid: Oid, new: Oid) -> Result<()> {
        if self.owner == 0 {
            return Err(PgError::internal(format!("a {} has no owner", self.noun)));
        }
        let d = self.describe(cmd, oid)?;
        if d.owner == new {
            return Ok(());
        }
        self.check_owner(cmd, &d)?;
        let (catalog, user) = (&cmd.cx.catalog, cmd.cx.settings.current_user);
        if !catalog.is_superuser(user)? && !catalog.member_can_set_role(user, new)? {
            let text = format!("must be able to SET ROLE \"{}\"", catalog.role_name(new)?);
            return Err(PgError::new(INSUFFICIENT_PRIVILEGE, text));
        }
        self.check_schema(cmd, new, d.namespace)?;
        let mut changes = vec![(self.owner, Datum::oid(new))];
        if self.acl != 0 && !d.values[self.acl as usize - 1].is_null() {
            let old = catalog::acl::from_datum(d.values[self.acl as usize - 1].as_ref())?;
            changes.push((self.acl, catalog::acl::to_datum(&acl_with_new_owner(&old, d.owner, new))?));
        }
        catalog.update_columns(self.class, self.index, oid, &changes)?;
        catalog.change_owner(&ObjectAddress::new(self.class, oid), new)?;
        catalog.command_counter_increment()
    }
}

/// (PostgreSQL: `CheckSetNamespace`)
pub fn check_new_schema(cmd: &CommandContext<'_>, old: Oid, new: Oid) -> Result<()> {
    let catalog = &cmd.cx.catalog;
    let refuse = |what: &str| {
        let text = format!("cannot move objects into or out of {what}");
        Err(PgError::new(FEATURE_NOT_SUPPORTED, text))
    };
    if catalog.is_any_temp_namespace(old)? || catalog.is_any_temp_namespace(new)? {
        return refuse("temporary schemas");
    }
    if old == oids::PG_TOAST_NAMESPACE || new == oids::PG_TOAST_NAMESPACE {
        return refuse("TOAST schema");
    }
    Ok(())
}
