//! Relations as access methods see them: from a relation's entry to [`HeapRelation`] and [`IndexRelation`].
//!
//! They are made once per entry and shared. What comes from the floors above (which access methods there are, how functions
//! compare values) is handed in as an [`Environment`] when the caches are made.
//!
//! PostgreSQL: what `relcache.c` puts into `RelationData` for access methods (`rd_indam`, `rd_support`, `rd_options`,
//! `RelationGetIndexAttrBitmap`).

use std::sync::Arc;

use access::heap::{AttrSet, HeapRelation, ToastRelation};
use access::index::{IndexAm, IndexRelation, KeyOrder};
use access::tuple::{Compression, TupleLayout};
use base::{Oid, PgError, Result};
use storage::Persistence;
use types::{Comparator, Registry};

use crate::oids;
use crate::relcache::{Relation, relkind};
use crate::row::PgClass;
use crate::syscache::Catalog;

/// What the upper floors contribute.
pub trait Environment: Send + Sync {
    fn registry(&self) -> &Registry;
    /// The access method of that id, `None` if it is not built in.
    fn index_am(&self, am: Oid) -> Option<Arc<dyn IndexAm>>;
    /// An order that has no built-in comparator: calls the function.
    fn comparator(&self, function: Oid, collation: Oid) -> Result<Comparator>;
    /// (PostgreSQL: `default_toast_compression`)
    fn default_compression(&self) -> Compression {
        Compression::Pglz
    }
}

impl Catalog {
    fn environment(&self) -> Result<&Arc<dyn Environment>> {
        self.shared.environment().ok_or_else(|| PgError::internal("the catalog has no access methods"))
    }

    /// A table, materialized view or TOAST table, ready for access.
    pub fn heap(&self, oid: Oid) -> Result<Arc<HeapRelation>> {
        let rel = self.relation_entry(oid)?;
        self.heap_of(&rel)
    }
    pub fn heap_of(&self, rel: &Relation) -> Result<Arc<HeapRelation>> {
        if rel.is_temporary() {
            self.check_not_other_temp(rel.namespace())?;
        }
        if let Some(heap) = rel.heap.get() {
            return Ok(heap.clone());
        }
        let heap = Arc::new(self.make_heap(rel)?);
        // Another session may have been faster; both are the same.
        Ok(rel.heap.get_or_init(|| heap).clone())
    }
    /// An index, ready for access.
    pub fn index(&self, oid: Oid) -> Result<Arc<IndexRelation>> {
        let rel = self.relation_entry(oid)?;
        if let Some(index) = rel.index_access.get() {
            return Ok(index.clone());
        }
        let index = Arc::new(self.make_index(&rel)?);
        Ok(rel.index_access.get_or_init(|| index).clone())
    }

    /// How long a relation's files last.
    pub fn persistence_of(&self, rel: &Relation) -> Result<Persistence> {
        self.class_persistence(&rel.class)
    }
    pub(crate) fn class_persistence(&self, class: &PgClass) -> Result<Persistence> {
        Ok(match class.relpersistence {
            b'u' => Persistence::Unlogged,
            b't' => Persistence::Temporary(self.temporary_number(class.relnamespace)?),
            _ => Persistence::Permanent,
        })
    }
    /// The number in the file names of a session's temporary relations, which is that of its schema.
    fn temporary_number(&self, schema: Oid) -> Result<i32> {
        let name = self.namespace_name(schema)?.unwrap_or_default();
        crate::temp::session_number(&name)
            .ok_or_else(|| PgError::internal(format!("a temporary relation lies in schema \"{name}\"")))
    }

    fn make_heap(&self, rel: &Relation) -> Result<HeapRelation> {
        let layout = Arc::new(TupleLayout::new(&rel.desc));
        let mut heap = HeapRelation::new(rel.oid, rel.name(), rel.locator, layout);
        heap.persistence = self.persistence_of(rel)?;
        heap.is_catalog = rel.is_catalog();
        heap.is_shared = rel.is_shared();
        heap.is_toast = rel.kind() == relkind::TOAST;
        heap.fillfactor = rel.fillfactor(100) as u16;
        if let Some(target) = rel.option("toast_tuple_target").and_then(|v| v.parse().ok()) {
            heap.toast_tuple_target = target;
        }
        heap.default_compression = self.environment()?.default_compression();
        if let Some(toast) = rel.class.reltoastrelid.valid() {
            let index = self.relation_entry(toast)?.indexes.first().copied();
            let index = index.ok_or_else(|| {
                PgError::internal(format!("no valid index found for toast relation with Oid {toast}"))
            })?;
            heap.toast = Some(Arc::new(ToastRelation { heap: self.heap(toast)?, index: self.index(index)? }));
        }
        for index in &rel.indexes {
            let index = self.relation_entry(*index)?;
            let Some(info) = &index.index else { continue };
            let set = if info.am == oids::BRIN_AM_OID { &mut heap.summarized } else { &mut heap.indexed };
            used_columns(info, set);
            // What a foreign key may refer to.
            if info.row.indisunique && info.expressions.is_none() && info.predicate.is_none() {
                info.columns[..info.key_count].iter().for_each(|n| heap.keys.insert(*n as usize - 1));
            }
        }
        Ok(heap)
    }

    fn make_index(&self, rel: &Relation) -> Result<IndexRelation> {
        let not_an_index = || PgError::internal(format!("\"{}\" is not an index", rel.name()));
        let info = rel.index.as_ref().ok_or_else(not_an_index)?;
        let environment = self.environment()?;
        let unknown = || PgError::unsupported(format!("access method {}", info.am));
        let am = environment.index_am(info.am).ok_or_else(unknown)?;
        let (mut keys, mut all_equal_image) = (Vec::with_capacity(info.key_count), true);
        for i in 0..info.key_count {
            let (family, input, collation) = (info.opfamilies[i], info.input_types[i], info.collations[i]);
            // Support function 1 is the comparison of a B-tree only; other kinds look up their own.
            let compare = match info.am {
                oids::BTREE_AM_OID => {
                    let proc = self.opfamily_proc(family, input, input, 1)?;
                    let proc = proc.ok_or_else(|| {
                        PgError::internal(format!("missing support function 1({input},{input}) in opfamily {family}"))
                    })?;
                    let actual = rel.desc.attrs.get(i).map_or(input, |a| a.type_oid);
                    match self.structural_order(proc, actual, collation)? {
                        Some(order) => order,
                        None => self.comparator(proc, collation)?,
                    }
                }
                _ => Comparator::Bytes,
            };
            let bytewise = !collation.is_valid() || self.is_deterministic(collation)?;
            all_equal_image &= bytewise && self.opfamily_proc(family, input, input, 4)?.is_some();
            keys.push(KeyOrder {
                compare,
                descending: info.is_descending(i),
                nulls_first: info.nulls_first(i),
                collation,
            });
        }
        let table = self.relation_entry(info.table)?;
        Ok(IndexRelation {
            oid: rel.oid,
            name: rel.name().into(),
            locator: rel.locator,
            heap: info.table,
            layout: Arc::new(TupleLayout::new(&rel.desc)),
            keys,
            unique: info.row.indisunique,
            nulls_not_distinct: info.row.indnullsnotdistinct,
            persistence: self.persistence_of(rel)?,
            is_catalog: table.is_catalog(),
            is_shared: rel.is_shared(),
            fillfactor: rel.option("fillfactor").and_then(|v| v.parse().ok()).unwrap_or(0),
            deduplicate: all_equal_image
                && info.columns.len() == info.key_count
                && rel.option("deduplicate_items") != Some("off"),
            start: access::index::IndexStart::default(),
            am,
        })
    }

    /// How a comparison function orders values under a collation.
    pub fn comparator(&self, function: Oid, collation: Oid) -> Result<Comparator> {
        let environment = self.environment()?;
        let proc = self.function_row(function)?;
        if proc.prolang == oids::INTERNAL_LANGUAGE {
            let bytewise = self.is_bytewise(collation)?;
            if let Some(c) = Comparator::builtin(&proc.prosrc, bytewise, environment.registry()) {
                return Ok(c);
            }
            if let Ok(c) = crate::initdb::catalog_comparator(&proc.prosrc) {
                return Ok(c);
            }
        }
        environment.comparator(function, collation)
    }

    /// Whether a collation compares bytes: those of the providers `builtin` and libc's C. (PostgreSQL: `pg_locale_t.collate_is_c`)
    pub fn is_bytewise(&self, collation: Oid) -> Result<bool> {
        let libc_c = |name: Option<&str>| name.is_some_and(libc_is_bytewise);
        if collation == oids::C_COLLATION_OID || !collation.is_valid() {
            return Ok(true);
        }
        if collation == oids::DEFAULT_COLLATION_OID {
            let Some(db) = self.database(self.database)? else { return Ok(true) };
            return Ok(db.is_bytewise());
        }
        let Some(c) = self.collation(collation)? else { return Ok(false) };
        Ok(c.collprovider == b'b' || c.collprovider == b'c' && libc_c(c.collcollate.as_deref()))
    }
    fn is_deterministic(&self, collation: Oid) -> Result<bool> {
        Ok(self.collation(collation)?.is_none_or(|c| c.collisdeterministic))
    }
}

impl crate::PgDatabase {
    /// Whether its default collation compares bytes.
    pub fn is_bytewise(&self) -> bool {
        self.datlocprovider == b'b' || self.datlocprovider == b'c' && libc_is_bytewise(&self.datcollate)
    }
}

/// Whether a locale of the host's C library orders by bytes: with UTF-8 that is the order of code points.
pub fn libc_is_bytewise(name: &str) -> bool {
    matches!(name, "C" | "POSIX" | "C.UTF-8" | "C.utf8")
}

/// The columns of the table that an index uses, in keys, expressions or its predicate.
fn used_columns(info: &crate::IndexInfo, set: &mut AttrSet) {
    info.columns.iter().filter(|n| **n > 0).for_each(|n| set.insert(*n as usize - 1));
    for text in [&info.expressions, &info.predicate].into_iter().flatten() {
        for n in columns_in_nodes(text) {
            set.insert(n as usize - 1);
        }
    }
}

/// The column numbers of all variables in node text; expressions of an index speak of one table only.
fn columns_in_nodes(text: &str) -> impl Iterator<Item = i16> + '_ {
    let number = |s: &str| s.split([' ', '}', ')']).next()?.parse::<i16>().ok();
    text.split(":varattno ").skip(1).filter_map(number).filter(|n| *n > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_found() {
        let text =
            "({FUNCEXPR :funcid 870 :args ({VAR :varno 1 :varattno 3 :vartype 25} {VAR :varno 1 :varattno 12})})";
        assert_eq!(columns_in_nodes(text).collect::<Vec<_>>(), [3, 12]);
    }
}
