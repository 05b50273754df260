//! Objects in words, as error messages name them: `table t`, `column a of table t`, `function f(integer)`.
//!
//! PostgreSQL: `objectaddress.c` (`getObjectDescription`), `regproc.c` (`format_procedure`, `format_operator`).

use base::{Oid, PgError, Result};
use types::Datum;

use super::ObjectAddress;
use crate::format_type::quote_identifier;
use crate::oids;
use crate::relcache::relkind;
use crate::row::*;
use crate::syscache::{CacheId, Catalog};

impl Catalog {
    /// (PostgreSQL: `getObjectDescription`)
    pub fn describe_object(&self, o: &ObjectAddress) -> Result<String> {
        let id = Datum::oid(o.object);
        let key = std::slice::from_ref(&id);
        let missing = |kind: &str| PgError::internal(format!("cache lookup failed for {kind} {}", o.object));
        Ok(match o.class {
            oids::RELATION_RELATION if o.sub == 0 => self.describe_relation(o.object)?,
            oids::RELATION_RELATION => {
                let a = self.attribute(o.object, o.sub as i16)?.ok_or_else(|| missing("attribute of relation"))?;
                format!("column {} of {}", a.attname, self.describe_relation(o.object)?)
            }
            oids::PROCEDURE_RELATION => format!("function {}", self.format_procedure(o.object, false)?),
            oids::TYPE_RELATION => format!("type {}", self.format_type(o.object, None)?),
            oids::CAST_RELATION => {
                let c = self.find_row::<PgCast>(oids::CAST_OID_INDEX, key)?.ok_or_else(|| missing("cast"))?.row;
                let (from, to) = (self.format_type(c.castsource, None)?, self.format_type(c.casttarget, None)?);
                format!("cast from {from} to {to}")
            }
            oids::COLLATION_RELATION => {
                let c = self.collation(o.object)?.ok_or_else(|| missing("collation"))?;
                format!("collation {}", self.qualified(c.collnamespace, &c.collname)?)
            }
            oids::CONSTRAINT_RELATION => {
                let c = self.constraint(o.object)?.ok_or_else(|| missing("constraint"))?;
                match c.conrelid.valid() {
                    Some(rel) => format!("constraint {} on {}", c.conname, self.describe_relation(rel)?),
                    None => format!("constraint {}", c.conname),
                }
            }
            oids::CONVERSION_RELATION => {
                let c = self.get::<PgConversion>(CacheId::CONVOID, key)?.ok_or_else(|| missing("conversion"))?;
                format!("conversion {}", self.qualified(c.connamespace, &c.conname)?)
            }
            oids::ATTR_DEFAULT_RELATION => {
                let d = self
                    .find_row::<PgAttrdef>(oids::ATTR_DEFAULT_OID_INDEX, key)?
                    .ok_or_else(|| missing("attrdef"))?
                    .row;
                format!("default value for {}", self.describe_object(&ObjectAddress::column(d.adrelid, d.adnum))?)
            }
            oids::LANGUAGE_RELATION => {
                format!("language {}", self.language(o.object)?.ok_or_else(|| missing("language"))?.lanname)
            }
            oids::LARGE_OBJECT_RELATION => format!("large object {}", o.object),
            oids::OPERATOR_RELATION => format!("operator {}", self.format_operator(o.object, false)?),
            oids::OPERATOR_CLASS_RELATION => {
                let c = self.opclass_row(o.object)?;
                let am = self.am(c.opcmethod)?.ok_or_else(|| missing("access method"))?;
                format!(
                    "operator class {} for access method {}",
                    self.qualified(c.opcnamespace, &c.opcname)?,
                    am.amname
                )
            }
            oids::OPERATOR_FAMILY_RELATION => self.describe_opfamily(o.object)?,
            oids::ACCESS_METHOD_RELATION => {
                format!("access method {}", self.am(o.object)?.ok_or_else(|| missing("access method"))?.amname)
            }
            oids::ACCESS_METHOD_OPERATOR_RELATION => {
                let a = self.find_row::<PgAmop>(oids::ACCESS_METHOD_OPERATOR_OID_INDEX, key)?;
                let a = a.ok_or_else(|| missing("amop entry"))?.row;
                let (left, right) = (self.format_type(a.amoplefttype, None)?, self.format_type(a.amoprighttype, None)?);
                let (family, operator) =
                    (self.describe_opfamily(a.amopfamily)?, self.format_operator(a.amopopr, false)?);
                format!("operator {} ({left}, {right}) of {family}: {operator}", a.amopstrategy)
            }
            oids::ACCESS_METHOD_PROCEDURE_RELATION => {
                let a = self.find_row::<PgAmproc>(oids::ACCESS_METHOD_PROCEDURE_OID_INDEX, key)?;
                let a = a.ok_or_else(|| missing("amproc entry"))?.row;
                let (left, right) =
                    (self.format_type(a.amproclefttype, None)?, self.format_type(a.amprocrighttype, None)?);
                let (family, function) =
                    (self.describe_opfamily(a.amprocfamily)?, self.format_procedure(a.amproc, false)?);
                format!("function {} ({left}, {right}) of {family}: {function}", a.amprocnum)
            }
            oids::REWRITE_RELATION => {
                let r = self.find_row::<PgRewrite>(oids::REWRITE_OID_INDEX, key)?.ok_or_else(|| missing("rule"))?.row;
                format!("rule {} on {}", r.rulename, self.describe_relation(r.ev_class)?)
            }
            oids::TRIGGER_RELATION => {
                let t =
                    self.find_row::<PgTrigger>(oids::TRIGGER_OID_INDEX, key)?.ok_or_else(|| missing("trigger"))?.row;
                format!("trigger {} on {}", t.tgname, self.describe_relation(t.tgrelid)?)
            }
            oids::NAMESPACE_RELATION => {
                format!("schema {}", self.namespace_name(o.object)?.ok_or_else(|| missing("namespace"))?)
            }
            oids::STATISTIC_EXT_RELATION => {
                let s = self
                    .get::<PgStatisticExt>(CacheId::STATEXTOID, key)?
                    .ok_or_else(|| missing("statistics object"))?;
                format!("statistics object {}", self.qualified(s.stxnamespace, &s.stxname)?)
            }
            oids::TS_PARSER_RELATION => {
                let t =
                    self.get::<PgTsParser>(CacheId::TSPARSEROID, key)?.ok_or_else(|| missing("text search parser"))?;
                format!("text search parser {}", self.qualified(t.prsnamespace, &t.prsname)?)
            }
            oids::TS_DICTIONARY_RELATION => {
                let t =
                    self.get::<PgTsDict>(CacheId::TSDICTOID, key)?.ok_or_else(|| missing("text search dictionary"))?;
                format!("text search dictionary {}", self.qualified(t.dictnamespace, &t.dictname)?)
            }
            oids::TS_TEMPLATE_RELATION => {
                let t = self
                    .get::<PgTsTemplate>(CacheId::TSTEMPLATEOID, key)?
                    .ok_or_else(|| missing("text search template"))?;
                format!("text search template {}", self.qualified(t.tmplnamespace, &t.tmplname)?)
            }
            oids::TS_CONFIG_RELATION => {
                let t = self
                    .get::<PgTsConfig>(CacheId::TSCONFIGOID, key)?
                    .ok_or_else(|| missing("text search configuration"))?;
                format!("text search configuration {}", self.qualified(t.cfgnamespace, &t.cfgname)?)
            }
            oids::AUTH_ID_RELATION => format!("role {}", self.role_name(o.object)?),
            oids::AUTH_MEM_RELATION => {
                let m = self
                    .find_row::<PgAuthMembers>(oids::AUTH_MEM_OID_INDEX, key)?
                    .ok_or_else(|| missing("role membership"))?
                    .row;
                format!("membership of role {} in role {}", self.role_name(m.member)?, self.role_name(m.roleid)?)
            }
            oids::DATABASE_RELATION => {
                format!("database {}", self.database(o.object)?.ok_or_else(|| missing("database"))?.datname)
            }
            oids::TABLE_SPACE_RELATION => {
                format!("tablespace {}", self.tablespace(o.object)?.ok_or_else(|| missing("tablespace"))?.spcname)
            }
            oids::FOREIGN_DATA_WRAPPER_RELATION => {
                let f = self.get::<PgForeignDataWrapper>(CacheId::FOREIGNDATAWRAPPEROID, key)?;
                format!("foreign-data wrapper {}", f.ok_or_else(|| missing("foreign-data wrapper"))?.fdwname)
            }
            oids::FOREIGN_SERVER_RELATION => format!("server {}", self.server_name(o.object)?),
            oids::USER_MAPPING_RELATION => {
                let u =
                    self.get::<PgUserMapping>(CacheId::USERMAPPINGOID, key)?.ok_or_else(|| missing("user mapping"))?;
                let user = if u.umuser.is_valid() { self.role_name(u.umuser)? } else { "public".into() };
                format!("user mapping for {user} on server {}", self.server_name(u.umserver)?)
            }
            oids::DEFAULT_ACL_RELATION => self.describe_default_acl(key)?,
            oids::EXTENSION_RELATION => {
                let e = self.get::<PgExtension>(CacheId::EXTENSIONOID, key)?.ok_or_else(|| missing("extension"))?;
                format!("extension {}", e.extname)
            }
            oids::EVENT_TRIGGER_RELATION => {
                let e = self
                    .get::<PgEventTrigger>(CacheId::EVENTTRIGGEROID, key)?
                    .ok_or_else(|| missing("event trigger"))?;
                format!("event trigger {}", e.evtname)
            }
            oids::PARAMETER_ACL_RELATION => {
                let p = self
                    .get::<PgParameterAcl>(CacheId::PARAMETERACLOID, key)?
                    .ok_or_else(|| missing("parameter ACL"))?;
                format!("parameter {}", p.parname)
            }
            oids::POLICY_RELATION => {
                let p = self.find_row::<PgPolicy>(oids::POLICY_OID_INDEX, key)?.ok_or_else(|| missing("policy"))?.row;
                format!("policy {} on {}", p.polname, self.describe_relation(p.polrelid)?)
            }
            oids::PUBLICATION_RELATION => format!("publication {}", self.publication_name(o.object)?),
            oids::PUBLICATION_NAMESPACE_RELATION => {
                let p = self.get::<PgPublicationNamespace>(CacheId::PUBLICATIONNAMESPACE, key)?;
                let p = p.ok_or_else(|| missing("publication schema"))?;
                let schema = self.namespace_name(p.pnnspid)?.unwrap_or_default();
                format!("publication of schema {schema} in publication {}", self.publication_name(p.pnpubid)?)
            }
            oids::PUBLICATION_REL_RELATION => {
                let p = self
                    .get::<PgPublicationRel>(CacheId::PUBLICATIONREL, key)?
                    .ok_or_else(|| missing("publication table"))?;
                format!(
                    "publication of {} in publication {}",
                    self.describe_relation(p.prrelid)?,
                    self.publication_name(p.prpubid)?
                )
            }
            oids::SUBSCRIPTION_RELATION => {
                let s = self
                    .get::<PgSubscription>(CacheId::SUBSCRIPTIONOID, key)?
                    .ok_or_else(|| missing("subscription"))?;
                format!("subscription {}", s.subname)
            }
            oids::TRANSFORM_RELATION => {
                let t = self.get::<PgTransform>(CacheId::TRFOID, key)?.ok_or_else(|| missing("transform"))?;
                let language = self.language(t.trflang)?.map(|l| l.lanname.clone()).unwrap_or_default();
                format!("transform for {} language {language}", self.format_type(t.trftype, None)?)
            }
            class => return Err(PgError::internal(format!("unsupported object class: {class}"))),
        })
    }

    /// (PostgreSQL: `getRelationDescription`)
    fn describe_relation(&self, oid: Oid) -> Result<String> {
        let class = self.get::<PgClass>(CacheId::RELOID, &[Datum::oid(oid)])?;
        let class = class.ok_or_else(|| PgError::internal(format!("cache lookup failed for relation {oid}")))?;
        let name = match self.relation_is_visible(class.relnamespace, &class.relname, oid)? {
            true => quote_identifier(&class.relname),
            false => self.with_schema(class.relnamespace, &class.relname)?,
        };
        Ok(format!("{} {name}", relation_kind_name(class.relkind)))
    }

    /// A name, with its schema where the search path does not contain that.
    fn qualified(&self, namespace: Oid, name: &str) -> Result<String> {
        match self.search_path()?.position(namespace) {
            Some(_) => Ok(quote_identifier(name)),
            None => self.with_schema(namespace, name),
        }
    }
    fn with_schema(&self, namespace: Oid, name: &str) -> Result<String> {
        let schema = self.namespace_name(namespace)?.unwrap_or_default();
        Ok(format!("{}.{}", quote_identifier(&schema), quote_identifier(name)))
    }

    fn describe_opfamily(&self, oid: Oid) -> Result<String> {
        let missing = || PgError::internal(format!("cache lookup failed for opfamily {oid}"));
        let f = self.opfamily(oid)?.ok_or_else(missing)?;
        let am = self.am(f.opfmethod)?.ok_or_else(missing)?;
        Ok(format!("operator family {} for access method {}", self.qualified(f.opfnamespace, &f.opfname)?, am.amname))
    }
    fn server_name(&self, oid: Oid) -> Result<String> {
        let s = self.get::<PgForeignServer>(CacheId::FOREIGNSERVEROID, &[Datum::oid(oid)])?;
        s.map(|s| s.srvname.clone())
            .ok_or_else(|| PgError::internal(format!("cache lookup failed for foreign server {oid}")))
    }
    fn publication_name(&self, oid: Oid) -> Result<String> {
        let p = self.get::<PgPublication>(CacheId::PUBLICATIONOID, &[Datum::oid(oid)])?;
        p.map(|p| p.pubname.clone())
            .ok_or_else(|| PgError::internal(format!("cache lookup failed for publication {oid}")))
    }
    fn describe_default_acl(&self, key: &[Datum]) -> Result<String> {
        let d = self.find_row::<PgDefaultAcl>(oids::DEFAULT_ACL_OID_INDEX, key)?;
        let d = d.ok_or_else(|| PgError::internal("could not find tuple for default ACL"))?.row;
        let kind = match d.defaclobjtype {
            b'r' => "relations",
            b'S' => "sequences",
            b'f' => "functions",
            b'T' => "types",
            b'n' => "schemas",
            _ => "large objects",
        };
        let mut text = format!("default privileges on new {kind} belonging to role {}", self.role_name(d.defaclrole)?);
        if d.defaclnamespace.is_valid() {
            text.push_str(&format!(" in schema {}", self.namespace_name(d.defaclnamespace)?.unwrap_or_default()));
        }
        Ok(text)
    }

    /// `f(integer,text)`; with its schema if asked for, or if the search path would find another function.
    /// (PostgreSQL: `format_procedure`)
    pub fn format_procedure(&self, oid: Oid, always_qualified: bool) -> Result<String> {
        let Some(p) = self.function(oid)? else { return Ok(oid.to_string()) };
        let types: Result<Vec<String>> = p.proargtypes.iter().map(|t| self.format_type(*t, None)).collect();
        let name = match always_qualified || !self.function_is_visible(&p)? {
            true => self.with_schema(p.pronamespace, &p.proname)?,
            false => quote_identifier(&p.proname),
        };
        Ok(format!("{name}({})", types?.join(",")))
    }
    /// Whether a call by its bare name and argument types finds this function. (PostgreSQL: `FunctionIsVisible`)
    pub fn function_is_visible(&self, p: &PgProc) -> Result<bool> {
        let path = self.search_path()?;
        let Some(place) = path.function_position(p.pronamespace) else { return Ok(false) };
        let hidden = |other: &PgProc| {
            other.proargtypes == p.proargtypes && path.function_position(other.pronamespace).is_some_and(|o| o < place)
        };
        Ok(!self.functions_by_name(&p.proname)?.iter().any(|other| hidden(other)))
    }
    /// `+(integer,integer)`. (PostgreSQL: `format_operator`)
    pub fn format_operator(&self, oid: Oid, always_qualified: bool) -> Result<String> {
        let Some(o) = self.operator(oid)? else { return Ok(oid.to_string()) };
        let left = if o.oprleft.is_valid() { self.format_type(o.oprleft, None)? } else { "NONE".into() };
        let right = if o.oprright.is_valid() { self.format_type(o.oprright, None)? } else { "NONE".into() };
        let schema = match always_qualified || !self.operator_is_visible(&o)? {
            true => format!("{}.", quote_identifier(&self.namespace_name(o.oprnamespace)?.unwrap_or_default())),
            false => String::new(),
        };
        Ok(format!("{schema}{}({left},{right})", o.oprname))
    }
    /// (PostgreSQL: `OperatorIsVisible`)
    pub fn operator_is_visible(&self, o: &PgOperator) -> Result<bool> {
        let path = self.search_path()?;
        let Some(place) = path.function_position(o.oprnamespace) else { return Ok(false) };
        let hidden = |other: &PgOperator| {
            (other.oprleft, other.oprright) == (o.oprleft, o.oprright)
                && path.function_position(other.oprnamespace).is_some_and(|n| n < place)
        };
        Ok(!self.operators_by_name(&o.oprname)?.iter().any(|other| hidden(other)))
    }
}

/// `table`, `view`, ..
pub fn relation_kind_name(kind: u8) -> &'static str {
    match kind {
        relkind::TABLE | relkind::PARTITIONED_TABLE => "table",
        relkind::INDEX | relkind::PARTITIONED_INDEX => "index",
        relkind::SEQUENCE => "sequence",
        relkind::TOAST => "toast table",
        relkind::VIEW => "view",
        relkind::MATERIALIZED_VIEW => "materialized view",
        relkind::COMPOSITE => "composite type",
        relkind::FOREIGN_TABLE => "foreign table",
        _ => "relation",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn in_words() {
        let c = Catalog::bootstrap();
        for (o, expected) in [
            (ObjectAddress::relation(Oid(1259)), "table pg_class"),
            (ObjectAddress::column(Oid(1259), 2), "column relname of table pg_class"),
            (ObjectAddress::relation(Oid(2836)), "toast table pg_toast.pg_toast_1255"),
            (ObjectAddress::function(oids::fmgr::F_INT4PL), "function int4pl(integer,integer)"),
            (ObjectAddress::new(oids::OPERATOR_RELATION, Oid(96)), "operator =(integer,integer)"),
            (
                ObjectAddress::new(oids::OPERATOR_CLASS_RELATION, Oid(1978)),
                "operator class int4_ops for access method btree",
            ),
            (ObjectAddress::new(oids::AUTH_ID_RELATION, Oid(10)), "role postgres"),
            (ObjectAddress::new(oids::EXTENSION_RELATION, Oid(13678)), "extension plpgsql"),
        ] {
            assert_eq!(c.describe_object(&o).unwrap(), expected);
        }
    }
}
