//! Schemas and the search path: which of several objects with one name is meant.
//!
//! A path is a list of schemas to look in, in order. `pg_catalog` and the session's temporary schema stand first unless the
//! setting names them. Schemas that do not exist, or that the user may not use, are passed over.
//!
//! PostgreSQL: `namespace.c`.

use std::sync::Arc;

use base::sqlstate::{DUPLICATE_SCHEMA, INVALID_NAME, INVALID_SCHEMA_NAME, UNDEFINED_SCHEMA};
use base::{Oid, PgError, Result};
use types::Datum;

use crate::acl::{ACL_USAGE, AclKind};
use crate::oids::{PG_CATALOG_NAMESPACE, PG_TOAST_NAMESPACE};
use crate::row::PgNamespace;
use crate::syscache::{CacheId, Catalog};

/// What a session's path is made of, and the path made of it.
pub(crate) struct PathState {
    names: Arc<[String]>,
    user: Oid,
    /// With the generation of the shared caches at which it was made.
    made: Option<(u64, Arc<SearchPath>)>,
}

impl Default for PathState {
    fn default() -> PathState {
        PathState {
            names: ["$user".to_owned(), "public".to_owned()].into(),
            user: crate::oids::BOOTSTRAP_SUPERUSERID,
            made: None,
        }
    }
}

/// A resolved search path.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct SearchPath {
    /// Where names are looked up, in order, implicit schemas included. (PostgreSQL: `fetch_search_path(true)`)
    pub schemas: Vec<Oid>,
    /// As the setting says, without implicit ones. (PostgreSQL: `fetch_search_path(false)`)
    pub explicit: Vec<Oid>,
    /// Where new objects go; invalid if there is none. (PostgreSQL: `activeCreationNamespace`)
    pub creation: Oid,
    /// New objects are temporary: `pg_temp` stands first, but the session has no temporary schema yet.
    pub temp_creation_pending: bool,
    /// The session's temporary schema. It is never searched for functions and operators.
    pub temp: Oid,
}

impl SearchPath {
    /// The place of a schema in the path.
    pub fn position(&self, schema: Oid) -> Option<usize> {
        self.schemas.iter().position(|s| *s == schema)
    }
    /// As `position`, for functions and operators.
    pub fn function_position(&self, schema: Oid) -> Option<usize> {
        if schema == self.temp { None } else { self.position(schema) }
    }
}

impl Catalog {
    /// Sets what the path is made of besides the session's temporary schema: the setting's names, the current user.
    pub fn set_search_path(&self, names: &[impl AsRef<str>], user: Oid) {
        let names = names.iter().map(|n| n.as_ref().to_owned()).collect();
        *self.path_state().lock() = PathState { names, user, made: None };
    }
    pub(crate) fn path_user(&self) -> Oid {
        self.path_state().lock().user
    }
    /// The path is stale: the session's temporary schema changed.
    pub(crate) fn forget_search_path(&self) {
        self.path_state().lock().made = None;
    }

    /// The search path as it is now. (PostgreSQL: `recomputeNamespacePath`)
    pub fn search_path(&self) -> Result<Arc<SearchPath>> {
        let generation = self.shared.generation();
        let (names, user) = {
            let state = self.path_state().lock();
            match &state.made {
                Some((at, path)) if *at == generation && !self.has_changes() => return Ok(path.clone()),
                _ => (state.names.clone(), state.user),
            }
        };
        let path = Arc::new(self.resolve_path(&names, user, self.temp_schema())?);
        self.path_state().lock().made = Some((generation, path.clone()));
        Ok(path)
    }

    fn resolve_path(&self, names: &[String], user: Oid, temp: Oid) -> Result<SearchPath> {
        let mut path = SearchPath { temp, ..SearchPath::default() };
        let mut first_is_temp = false;
        for (i, name) in names.iter().enumerate() {
            let found = match name.as_str() {
                "$user" => match self.role(user)? {
                    Some(role) => self.namespace_by_name(&role.rolname)?.map(|n| n.oid),
                    None => None,
                },
                "pg_temp" if temp.is_valid() => Some(temp),
                "pg_temp" => {
                    first_is_temp |= i == 0;
                    None
                }
                name => self.namespace_by_name(name)?.map(|n| n.oid),
            };
            let Some(schema) = found else { continue };
            if !path.explicit.contains(&schema) && (schema == temp || self.may_use_schema(schema, user)?) {
                path.explicit.push(schema);
            }
        }
        path.creation = path.explicit.first().copied().unwrap_or(Oid::INVALID);
        path.temp_creation_pending = first_is_temp;
        path.schemas.clone_from(&path.explicit);
        if !path.schemas.contains(&PG_CATALOG_NAMESPACE) {
            path.schemas.insert(0, PG_CATALOG_NAMESPACE);
        }
        if temp.is_valid() && !path.schemas.contains(&temp) {
            path.schemas.insert(0, temp);
        }
        Ok(path)
    }

    fn may_use_schema(&self, schema: Oid, user: Oid) -> Result<bool> {
        let Some(n) = self.namespace(schema)? else { return Ok(false) };
        self.has_privilege(user, AclKind::Schema, n.nspowner, n.nspacl.as_deref(), ACL_USAGE)
    }

    pub fn namespace(&self, oid: Oid) -> Result<Option<Arc<PgNamespace>>> {
        self.get(CacheId::NAMESPACEOID, &[Datum::oid(oid)])
    }
    pub fn namespace_by_name(&self, name: &str) -> Result<Option<Arc<PgNamespace>>> {
        self.get(CacheId::NAMESPACENAME, &[Datum::text(name)])
    }
    /// A schema's name; `None` if there is none. (PostgreSQL: `get_namespace_name`)
    pub fn namespace_name(&self, oid: Oid) -> Result<Option<String>> {
        Ok(self.namespace(oid)?.map(|n| n.nspname.clone()))
    }
    /// A schema that a statement names; `pg_temp` is the session's own. (PostgreSQL: `LookupExplicitNamespace`)
    pub fn explicit_namespace(&self, name: &str, missing_ok: bool) -> Result<Option<Oid>> {
        if name == "pg_temp"
            && let Some(temp) = self.temp_schema().valid()
        {
            return Ok(Some(temp));
        }
        match self.namespace_by_name(name)? {
            Some(n) => Ok(Some(n.oid)),
            None if missing_ok => Ok(None),
            None => Err(PgError::new(UNDEFINED_SCHEMA, format!("schema \"{name}\" does not exist"))),
        }
    }
    /// Where an unqualified new object goes; the temporary schema is made if it is that. (PostgreSQL: `RangeVarGetCreationNamespace`)
    pub fn creation_namespace(&self) -> Result<Oid> {
        let path = self.search_path()?;
        if path.temp_creation_pending {
            return self.access_temp_schema();
        }
        let none = || PgError::new(UNDEFINED_SCHEMA, "no schema has been selected to create in");
        path.creation.valid().ok_or_else(none)
    }

    /// Adds a schema. (PostgreSQL: `NamespaceCreate`)
    pub fn create_namespace(&self, name: &str, owner: Oid, acl: Option<Vec<crate::AclItem>>) -> Result<Oid> {
        if self.namespace_by_name(name)?.is_some() {
            return Err(PgError::new(DUPLICATE_SCHEMA, format!("schema \"{name}\" already exists")));
        }
        let oid = self.new_oid(crate::oids::NAMESPACE_RELATION, crate::oids::NAMESPACE_OID_INDEX)?;
        let row = PgNamespace { oid, nspname: name.to_owned(), nspowner: owner, nspacl: acl };
        self.insert_row(&row)?;
        let me = crate::ObjectAddress::namespace(oid);
        self.record_owner(&me, owner)?;
        if let Some(acl) = &row.nspacl {
            self.record_acl(&me, owner, acl)?;
        }
        Ok(oid)
    }

    /// The relation of that name in a schema. (PostgreSQL: `get_relname_relid`)
    pub fn relation_by_name(&self, namespace: Oid, name: &str) -> Result<Option<Oid>> {
        let row = self.get::<crate::PgClass>(CacheId::RELNAMENSP, &[Datum::text(name), Datum::oid(namespace)])?;
        Ok(row.map(|r| r.oid))
    }
    /// The relation that a name means; `None` if there is none. A named schema must exist, unless `missing_ok`.
    /// (PostgreSQL: `RangeVarGetRelid`, `RelnameGetRelid`)
    pub fn find_relation(&self, schema: Option<&str>, name: &str, missing_ok: bool) -> Result<Option<Oid>> {
        if let Some(schema) = schema {
            return match self.explicit_namespace(schema, missing_ok)? {
                Some(ns) => self.relation_by_name(ns, name),
                None => Ok(None),
            };
        }
        for ns in &self.search_path()?.schemas {
            if let Some(oid) = self.relation_by_name(*ns, name)? {
                return Ok(Some(oid));
            }
        }
        Ok(None)
    }
    /// Whether a relation is found by its bare name. (PostgreSQL: `RelationIsVisible`)
    pub fn relation_is_visible(&self, namespace: Oid, name: &str, oid: Oid) -> Result<bool> {
        let path = self.search_path()?;
        if path.position(namespace).is_none() {
            return Ok(false);
        }
        Ok(self.find_relation(None, name, true)? == Some(oid))
    }

    /// The type of that name in a schema. (PostgreSQL: `TYPENAMENSP`)
    pub fn type_by_name(&self, namespace: Oid, name: &str) -> Result<Option<Arc<crate::PgType>>> {
        self.get(CacheId::TYPENAMENSP, &[Datum::text(name), Datum::oid(namespace)])
    }
    /// The type that a name means. (PostgreSQL: `LookupTypeName`, `TypenameGetTypid`)
    pub fn find_type(&self, schema: Option<&str>, name: &str, missing_ok: bool) -> Result<Option<Arc<crate::PgType>>> {
        if let Some(schema) = schema {
            return match self.explicit_namespace(schema, missing_ok)? {
                Some(ns) => self.type_by_name(ns, name),
                None => Ok(None),
            };
        }
        for ns in &self.search_path()?.schemas {
            if let Some(t) = self.type_by_name(*ns, name)? {
                return Ok(Some(t));
            }
        }
        Ok(None)
    }
    /// Whether a type is found by its bare name. (PostgreSQL: `TypeIsVisible`)
    pub fn type_is_visible(&self, t: &crate::PgType) -> Result<bool> {
        let path = self.search_path()?;
        if path.position(t.typnamespace).is_none() {
            return Ok(false);
        }
        Ok(self.find_type(None, &t.typname, true)?.is_some_and(|found| found.oid == t.oid))
    }

    /// Whether it belongs to some session's temporary objects. (PostgreSQL: `isAnyTempNamespace`)
    pub fn is_any_temp_namespace(&self, oid: Oid) -> Result<bool> {
        let name = self.namespace_name(oid)?.unwrap_or_default();
        Ok(name.starts_with("pg_temp_") || name.starts_with("pg_toast_temp_"))
    }
    /// Whether it holds system objects. (PostgreSQL: `IsCatalogNamespace`, `IsToastNamespace`)
    pub fn is_system_namespace(&self, oid: Oid) -> bool {
        oid == PG_CATALOG_NAMESPACE || oid == PG_TOAST_NAMESPACE
    }
}

/// Splits a value of `search_path` into names: folded to lower case unless quoted. (PostgreSQL: `SplitIdentifierString`)
pub fn split_identifiers(text: &str) -> Result<Vec<String>> {
    let bad = || PgError::new(INVALID_NAME, "List syntax is invalid.");
    let space = |c: char| matches!(c, ' ' | '\t' | '\n' | '\r' | '\x0b' | '\x0c');
    let (mut out, mut rest) = (Vec::new(), text.trim_matches(space));
    if rest.is_empty() {
        return Ok(out);
    }
    loop {
        let name;
        if let Some(quoted) = rest.strip_prefix('"') {
            let (mut end, mut s) = (None, String::new());
            let mut chars = quoted.char_indices().peekable();
            while let Some((i, c)) = chars.next() {
                match (c, chars.peek()) {
                    ('"', Some((_, '"'))) => {
                        chars.next();
                        s.push('"');
                    }
                    ('"', _) => {
                        end = Some(i + 1);
                        break;
                    }
                    _ => s.push(c),
                }
            }
            rest = &quoted[end.ok_or_else(bad)?..];
            name = s;
        } else {
            let end = rest.find(|c| c == ',' || space(c)).unwrap_or(rest.len());
            if end == 0 {
                return Err(bad());
            }
            name = rest[..end].to_lowercase();
            rest = &rest[end..];
        }
        let mut name = name;
        while name.len() >= base::NAMEDATALEN {
            name.pop();
        }
        out.push(name);
        rest = rest.trim_start_matches(space);
        match rest.strip_prefix(',') {
            Some(r) => rest = r.trim_start_matches(space),
            None if rest.is_empty() => return Ok(out),
            None => return Err(bad()),
        }
    }
}

/// The error for a schema that a statement needs. (PostgreSQL: `get_namespace_oid`)
pub fn no_such_schema(name: &str) -> PgError {
    PgError::new(INVALID_SCHEMA_NAME, format!("schema \"{name}\" does not exist"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn path_of_a_fresh_session() {
        let c = Catalog::bootstrap();
        assert_eq!(c.search_path().unwrap().schemas, [Oid(11), Oid(2200)]);
        assert_eq!(c.creation_namespace().unwrap(), Oid(2200));
        assert_eq!(c.find_relation(None, "pg_class", false).unwrap(), Some(Oid(1259)));
        assert_eq!(c.find_relation(Some("public"), "pg_class", false).unwrap(), None);
        assert_eq!(
            c.find_relation(Some("nope"), "pg_class", false).unwrap_err().message(),
            "schema \"nope\" does not exist"
        );
        c.set_search_path(&["public", "pg_catalog", "nope"], Oid(10));
        assert_eq!(c.search_path().unwrap().schemas, [Oid(2200), Oid(11)]);
    }

    #[test]
    fn identifiers() {
        assert_eq!(split_identifiers(" A, \"B\"\"c\" ,d").unwrap(), ["a", "B\"c", "d"]);
        assert!(split_identifiers("a,,b").is_err());
        assert!(split_identifiers("\"a").is_err());
        assert!(split_identifiers("").unwrap().is_empty());
    }
}
