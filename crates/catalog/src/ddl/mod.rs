//! Changing catalogs inside a transaction.
//!
//! A row is inserted, updated or deleted through [`Catalog::insert_row`] and its like: they change the catalog and its indexes and
//! queue what caches must forget. Other commands see the change after [`Catalog::command_counter_increment`].
//!
//! | file | what |
//! | --- | --- |
//! | `mod.rs` | rows, object ids, file numbers |
//! | `depend.rs` | who depends on whom: `pg_depend`, `pg_shdepend` |
//! | `describe.rs` | objects in words, for messages |
//! | `drop.rs` | removing an object with all that depends on it |
//! | `relation.rs` | new relations with their columns, row types and TOAST tables |
//! | `index.rs` | new indexes and constraints |
//! | `rule.rs` | rules, also those that make views |
//!
//! PostgreSQL: `indexing.c`, `catalog.c`.

mod depend;
pub mod describe;
mod drop;
mod index;
mod relation;
mod rule;

use base::sqlstate::{DUPLICATE_OBJECT, NAME_TOO_LONG};
use base::{NAMEDATALEN, Oid, PgError, RelFileLocator, Result, TupleId};
use types::Datum;

pub use depend::{DependencyType, ObjectAddress, SharedDependencyType};
pub use drop::{DropBehavior, DropOptions};
pub use index::{NewConstraint, NewIndex};
pub use relation::{NewRelation, SYSTEM_COLUMNS, array_type_name, new_attribute};
pub use rule::{NewRule, VIEW_RULE};

use crate::hash::cache_hash;
use crate::inval::Invalidation;
use crate::oids;
use crate::row::*;
use crate::syscache::{Catalog, SYSCACHES};

/// Catalogs that have no cache: changing them makes snapshots stale, nothing else. (PostgreSQL: `RelationInvalidatesSnapshotsOnly`)
const WITHOUT_CACHES: &[Oid] = &[
    oids::DB_ROLE_SETTING_RELATION,
    oids::DEPEND_RELATION,
    oids::SHARED_DEPEND_RELATION,
    oids::DESCRIPTION_RELATION,
    oids::SHARED_DESCRIPTION_RELATION,
    oids::SEC_LABEL_RELATION,
    oids::SHARED_SEC_LABEL_RELATION,
];

/// A row found for changing.
#[derive(Clone, Debug)]
pub struct Found<T> {
    pub tid: TupleId,
    pub row: T,
}

impl Catalog {
    /// Rows with their places, read without a cache.
    pub fn find_rows<T: CatalogRow>(&self, index: Oid, keys: &[Datum]) -> Result<Vec<Found<T>>> {
        let rows = self.scan(T::CATALOG, index, keys)?;
        rows.into_iter().map(|r| Ok(Found { tid: r.tid, row: T::from_row(&r.values)? })).collect()
    }
    /// The one row with this key.
    pub fn find_row<T: CatalogRow>(&self, index: Oid, keys: &[Datum]) -> Result<Option<Found<T>>> {
        Ok(self.find_rows(index, keys)?.into_iter().next())
    }

    /// (PostgreSQL: `CatalogTupleInsert`)
    pub fn insert_row<T: CatalogRow>(&self, row: &T) -> Result<TupleId> {
        let values = row.to_row()?;
        let tid = self.scan.insert(T::CATALOG, &values)?;
        self.invalidate_row(T::CATALOG, &values, None)?;
        Ok(tid)
    }
    /// (PostgreSQL: `CatalogTupleUpdate`)
    pub fn update_row<T: CatalogRow>(&self, found: &Found<T>, new: &T) -> Result<TupleId> {
        let (old, new) = (found.row.to_row()?, new.to_row()?);
        let tid = self.scan.update(T::CATALOG, found.tid, &new)?;
        self.invalidate_row(T::CATALOG, &old, Some(&new))?;
        Ok(tid)
    }
    /// (PostgreSQL: `CatalogTupleDelete`)
    pub fn delete_row<T: CatalogRow>(&self, found: &Found<T>) -> Result<()> {
        self.scan.delete(T::CATALOG, found.tid)?;
        self.invalidate_row(T::CATALOG, &found.row.to_row()?, None)
    }
    /// Changes columns of an object's row, by their numbers; the next command sees it.
    pub fn update_columns(&self, catalog: Oid, oid_index: Oid, oid: Oid, changes: &[(i16, Datum)]) -> Result<()> {
        let found = self.scan(catalog, oid_index, &[Datum::oid(oid)])?.into_iter().next();
        let gone = || PgError::internal(format!("cache lookup failed for object {oid} of catalog {catalog}"));
        let old = found.ok_or_else(gone)?;
        let mut new = old.values.clone();
        for (column, value) in changes {
            new[*column as usize - 1] = value.clone();
        }
        self.scan.update(catalog, old.tid, &new)?;
        self.invalidate_row(catalog, &old.values, Some(&new))?;
        self.command_counter_increment()
    }
    /// Deletes all rows with these keys; says how many.
    pub fn delete_rows<T: CatalogRow>(&self, index: Oid, keys: &[Datum]) -> Result<usize> {
        let rows = self.find_rows::<T>(index, keys)?;
        rows.iter().try_for_each(|r| self.delete_row(r))?;
        Ok(rows.len())
    }
    /// Overwrites a row in place, for statistics in `pg_class` and `pg_database`: seen by all at once, kept if the transaction
    /// aborts. `false`: the row was updated meanwhile, find it again. (PostgreSQL: `systable_inplace_update`)
    pub fn overwrite_row<T: CatalogRow>(&self, found: &Found<T>, new: &T) -> Result<bool> {
        let (old, new) = (found.row.to_row()?, new.to_row()?);
        let messages = self.row_messages(T::CATALOG, &old, Some(&new))?;
        let done = self.scan.update_in_place(T::CATALOG, found.tid, &new, &messages)?;
        if done {
            self.shared.apply(&messages);
            // For entries that are private now.
            self.invalidate(messages);
        }
        Ok(done)
    }

    /// Makes this command's changes visible to the next one. (PostgreSQL: `CommandCounterIncrement`)
    pub fn command_counter_increment(&self) -> Result<()> {
        self.scan.command_counter_increment()?;
        self.command_end();
        Ok(())
    }

    /// Queues what a changed row makes stale. (PostgreSQL: `CacheInvalidateHeapTuple`)
    fn invalidate_row(&self, catalog: Oid, row: &[Datum], new: Option<&[Datum]>) -> Result<()> {
        self.invalidate(self.row_messages(catalog, row, new)?);
        Ok(())
    }

    fn row_messages(&self, catalog: Oid, row: &[Datum], new: Option<&[Datum]>) -> Result<Vec<Invalidation>> {
        let is_shared = catalog_def(catalog).is_some_and(|d| d.shared);
        let db = if is_shared { Oid::INVALID } else { self.database };
        let mut messages = Vec::new();
        if WITHOUT_CACHES.contains(&catalog) {
            messages.push(Invalidation::Snapshot { db, catalog });
        }
        for def in SYSCACHES.iter().filter(|d| d.catalog == catalog) {
            for values in [Some(row), new].into_iter().flatten() {
                let keys: Vec<Datum> = def.keys.iter().map(|(n, _)| values[*n as usize - 1].clone()).collect();
                let hash = cache_hash(&keys, def.keys.iter().map(|k| k.1));
                messages.push(Invalidation::Cache { cache: def.id, db, hash });
            }
        }
        // Which relations' entries are made of such rows: more than PostgreSQL says here, since our entries hold more.
        for column in relation_columns(catalog) {
            for values in [Some(row), new].into_iter().flatten() {
                let rel = <Oid as types::FromDatum>::from_datum(values[*column as usize - 1].as_ref())?;
                if rel.is_valid() {
                    messages.push(Invalidation::Relation { db: self.database, rel });
                }
            }
        }
        // A table's entry holds its TOAST table opened for access.
        if catalog == oids::RELATION_RELATION {
            let class = PgClass::from_row(new.unwrap_or(row))?;
            let owner = class.relname.strip_prefix("pg_toast_").map(|n| n.trim_end_matches("_index"));
            if let Some(rel) = owner.and_then(|n| n.parse().ok()) {
                messages.push(Invalidation::Relation { db: self.database, rel: Oid(rel) });
            }
        }
        Ok(messages)
    }

    /// Says that a relation's entry is stale though none of its rows changed. (PostgreSQL: `CacheInvalidateRelcacheByRelid`)
    pub fn invalidate_relation(&self, rel: Oid) {
        self.invalidate([Invalidation::Relation { db: self.database, rel }]);
    }

    /// A fresh id for an object of this catalog; `index` is that on its `oid`. (PostgreSQL: `GetNewOidWithIndex`)
    pub fn new_oid(&self, catalog: Oid, index: Oid) -> Result<Oid> {
        loop {
            let oid = self.scan.next_oid()?;
            if self.scan(catalog, index, &[Datum::oid(oid)])?.is_empty() {
                return Ok(oid);
            }
        }
    }
    /// A fresh file number, which is also free as an id of a relation. (PostgreSQL: `GetNewRelFileNumber`)
    pub fn new_file_number(&self, tablespace: Oid, shared: bool) -> Result<Oid> {
        let (spc, db) = match (shared, tablespace.valid()) {
            (true, _) => (oids::GLOBALTABLESPACE_OID, Oid::INVALID),
            (false, Some(spc)) => (spc, self.database),
            (false, None) => (self.default_tablespace()?, self.database),
        };
        loop {
            let rel = self.new_oid(oids::RELATION_RELATION, oids::CLASS_OID_INDEX)?;
            if !self.scan.file_exists(RelFileLocator { spc, db, rel })? {
                return Ok(rel);
            }
        }
    }
}

/// The columns of a catalog that name relations whose entries its rows are part of.
fn relation_columns(catalog: Oid) -> &'static [i16] {
    use crate::cols::*;
    match catalog {
        oids::RELATION_RELATION => &[pg_class::OID],
        oids::ATTRIBUTE_RELATION => &[pg_attribute::ATTRELID],
        oids::INDEX_RELATION => &[pg_index::INDEXRELID, pg_index::INDRELID],
        oids::CONSTRAINT_RELATION => &[pg_constraint::CONRELID],
        oids::ATTR_DEFAULT_RELATION => &[pg_attrdef::ADRELID],
        oids::REWRITE_RELATION => &[pg_rewrite::EV_CLASS],
        oids::TRIGGER_RELATION => &[pg_trigger::TGRELID],
        oids::POLICY_RELATION => &[pg_policy::POLRELID],
        oids::PARTITIONED_RELATION => &[pg_partitioned_table::PARTRELID],
        oids::SEQUENCE_RELATION => &[pg_sequence::SEQRELID],
        oids::INHERITS_RELATION => &[pg_inherits::INHRELID, pg_inherits::INHPARENT],
        _ => &[],
    }
}

/// Cuts a name to what catalogs hold, at a character's boundary. (PostgreSQL: `truncate_identifier`)
pub fn truncate_name(name: &str) -> &str {
    let mut end = name.len().min(NAMEDATALEN - 1);
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    &name[..end]
}

/// A name made of others, cut so that it fits: `table_column_key`. (PostgreSQL: `makeObjectName`)
pub fn make_object_name(name1: &str, name2: Option<&str>, label: Option<&str>) -> String {
    let mut overhead = 0;
    overhead += if name2.is_some() { 1 } else { 0 };
    overhead += label.map_or(0, |l| l.len() + 1);
    let available = (NAMEDATALEN - 1).saturating_sub(overhead);
    let (mut len1, mut len2) = (name1.len(), name2.map_or(0, str::len));
    while len1 + len2 > available {
        if len1 > len2 { len1 -= 1 } else { len2 -= 1 }
    }
    let cut = |s: &str, mut n: usize| {
        while !s.is_char_boundary(n) {
            n -= 1;
        }
        s[..n].to_owned()
    };
    let mut out = cut(name1, len1);
    if let Some(n) = name2 {
        out.push('_');
        out.push_str(&cut(n, len2));
    }
    if let Some(l) = label {
        out.push('_');
        out.push_str(l);
    }
    out
}

/// `.. already exists`.
pub fn already_exists(kind: &str, name: &str) -> PgError {
    PgError::new(DUPLICATE_OBJECT, format!("{kind} \"{name}\" already exists"))
}

/// A name that is longer than catalogs can hold, where cutting it would be wrong.
pub fn name_too_long() -> PgError {
    PgError::new(NAME_TOO_LONG, "identifier too long")
        .detail(format!("Identifier must be less than {NAMEDATALEN} characters."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_fit() {
        assert_eq!(make_object_name("t", Some("a"), Some("key")), "t_a_key");
        let long = "x".repeat(80);
        let name = make_object_name(&long, Some(&long), Some("key"));
        assert_eq!(name.len(), 63);
        assert!(name.ends_with("_key"));
        assert_eq!(truncate_name(&"ä".repeat(40)).len(), 62);
    }
}
