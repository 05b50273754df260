//! What statements need to know of a relation, gathered from several catalogs into one immutable entry.
//!
//! An entry is stale as soon as an [`Invalidation::Relation`](crate::inval::Invalidation) names its relation. Parts that a
//! relation rarely has (constraints, rules, triggers, policies) are read only where `pg_class` says that there are some.
//!
//! PostgreSQL: `relcache.c`, `RelationData`.

use std::sync::{Arc, OnceLock};

use base::{Oid, PgError, RelFileLocator, Result};
use types::{Align, Attribute, Datum, TupleDesc};

use crate::oids;
use crate::row::*;
use crate::syscache::{CacheId, Catalog};

/// Kinds of relations: `pg_class.relkind`.
pub mod relkind {
    pub const TABLE: u8 = b'r';
    pub const INDEX: u8 = b'i';
    pub const SEQUENCE: u8 = b'S';
    pub const TOAST: u8 = b't';
    pub const VIEW: u8 = b'v';
    pub const MATERIALIZED_VIEW: u8 = b'm';
    pub const COMPOSITE: u8 = b'c';
    pub const FOREIGN_TABLE: u8 = b'f';
    pub const PARTITIONED_TABLE: u8 = b'p';
    pub const PARTITIONED_INDEX: u8 = b'I';

    /// Whether such a relation has files. (PostgreSQL: `RELKIND_HAS_STORAGE`)
    pub fn has_storage(kind: u8) -> bool {
        matches!(kind, TABLE | INDEX | SEQUENCE | TOAST | MATERIALIZED_VIEW)
    }
}

/// A relation. (PostgreSQL: `Relation`)
pub struct Relation {
    pub oid: Oid,
    pub class: PgClass,
    /// The columns without system columns; dropped ones included.
    pub desc: Arc<TupleDesc>,
    /// The columns' catalog rows, at the same places as in `desc`.
    pub attributes: Vec<PgAttribute>,
    /// Where the files lie; `rel` is 0 if there are none.
    pub locator: RelFileLocator,
    /// All valid-or-not live indexes, by id. (PostgreSQL: `RelationGetIndexList`)
    pub indexes: Vec<Oid>,
    /// Objects of CREATE STATISTICS, by id. (PostgreSQL: `RelationGetStatExtList`)
    pub statistics: Vec<Oid>,
    /// Invalid if there is none.
    pub primary_key: Oid,
    /// The index that identifies rows for logical replication; invalid if there is none. (PostgreSQL: `rd_replidindex`)
    pub replica_identity_index: Oid,
    /// Of columns, by number: node text.
    pub defaults: Vec<(i16, String)>,
    /// CHECK and NOT NULL constraints, by name.
    pub checks: Vec<PgConstraint>,
    /// By name.
    pub rules: Vec<PgRewrite>,
    /// By name, which is the order they fire in.
    pub triggers: Vec<Arc<PgTrigger>>,
    /// By name.
    pub policies: Vec<PgPolicy>,
    /// How a partitioned table is partitioned.
    pub partition_key: Option<PgPartitionedTable>,
    /// What an index is.
    pub index: Option<IndexInfo>,
    /// What a sequence is.
    pub sequence: Option<PgSequence>,
    /// What an upper floor makes of the entry and everything it stands for: of a partitioned table, its partitions.
    pub derived: OnceLock<Arc<dyn std::any::Any + Send + Sync>>,
    /// As the access methods see it; made when first asked for. See [`crate::open`].
    pub(crate) heap: OnceLock<Arc<access::heap::HeapRelation>>,
    pub(crate) index_access: OnceLock<Arc<access::index::IndexRelation>>,
}

impl std::fmt::Debug for Relation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Relation({}, {})", self.oid, self.class.relname)
    }
}

impl Relation {
    pub fn name(&self) -> &str {
        &self.class.relname
    }
    pub fn kind(&self) -> u8 {
        self.class.relkind
    }
    pub fn namespace(&self) -> Oid {
        self.class.relnamespace
    }
    pub fn owner(&self) -> Oid {
        self.class.relowner
    }
    pub fn is_shared(&self) -> bool {
        self.class.relisshared
    }
    /// Belongs to a session, not logged.
    pub fn is_temporary(&self) -> bool {
        self.class.relpersistence == b't'
    }
    /// Changes are logged. (PostgreSQL: `RelationIsPermanent`)
    pub fn is_permanent(&self) -> bool {
        self.class.relpersistence == b'p'
    }
    /// Part of PostgreSQL itself. (PostgreSQL: `IsCatalogRelation`)
    pub fn is_catalog(&self) -> bool {
        self.oid < Oid(16384) && self.class.relnamespace != oids::PG_PUBLIC_NAMESPACE
    }
    pub fn default_of(&self, attnum: i16) -> Option<&str> {
        self.defaults.iter().find(|(n, _)| *n == attnum).map(|(_, text)| text.as_str())
    }
    /// A storage parameter, as in `WITH (name = value)`.
    pub fn option(&self, name: &str) -> Option<&str> {
        let list = self.class.reloptions.as_deref().unwrap_or_default();
        list.iter().find_map(|o| o.split_once('=').filter(|(n, _)| *n == name).map(|(_, v)| v))
    }
    pub fn fillfactor(&self, default: u32) -> u32 {
        self.option("fillfactor").and_then(|v| v.parse().ok()).unwrap_or(default)
    }
    /// The rules for SELECT make a view. (PostgreSQL: `ON SELECT DO INSTEAD`)
    pub fn view_rule(&self) -> Option<&PgRewrite> {
        self.rules.iter().find(|r| r.ev_type == b'1')
    }
}

/// An index's definition, its classes resolved. (PostgreSQL: `Form_pg_index`, `IndexInfo`)
#[derive(Debug)]
pub struct IndexInfo {
    pub row: PgIndex,
    pub table: Oid,
    /// The access method's name: `btree`, ...
    pub am: Oid,
    /// Key columns and then INCLUDE columns: column numbers of the table, 0 for an expression.
    pub columns: Vec<i16>,
    /// Of the key columns only, as all lists below.
    pub key_count: usize,
    pub opclasses: Vec<Oid>,
    pub opfamilies: Vec<Oid>,
    /// The classes' input types. (PostgreSQL: `rd_opcintype`)
    pub input_types: Vec<Oid>,
    pub collations: Vec<Oid>,
    /// Bits: 1 descending, 2 nulls first. (PostgreSQL: `indoption`)
    pub options: Vec<i16>,
    /// Node text of the expressions' list, of the predicate.
    pub expressions: Option<String>,
    pub predicate: Option<String>,
    /// The operators of an exclusion constraint.
    pub exclusion_operators: Vec<Oid>,
}

impl IndexInfo {
    pub fn is_descending(&self, key: usize) -> bool {
        self.options.get(key).is_some_and(|o| o & 1 != 0)
    }
    pub fn nulls_first(&self, key: usize) -> bool {
        self.options.get(key).is_some_and(|o| o & 2 != 0)
    }
}

/// One column for a tuple descriptor.
pub fn attribute(a: &PgAttribute) -> Attribute {
    Attribute {
        name: a.attname.as_str().into(),
        type_oid: a.atttypid,
        typmod: a.atttypmod,
        len: a.attlen,
        byval: a.attbyval,
        align: Align::from_char(a.attalign),
        storage: a.attstorage,
        compression: a.attcompression,
        collation: a.attcollation,
        not_null: a.attnotnull,
        has_default: a.atthasdef,
        dropped: a.attisdropped,
        identity: a.attidentity,
        generated: a.attgenerated,
        ndims: a.attndims,
        is_local: a.attislocal,
        inhcount: a.attinhcount,
        missing: a.attmissingval.as_ref().and_then(|array| missing_value(a, array)),
    }
}

/// The one element of `attmissingval`.
fn missing_value(a: &PgAttribute, array: &Datum) -> Option<Datum> {
    // One dimension of one element: the data begin after the header, see `crate::array`; a "double"-aligned element
    // counts from the varlena header on, which makes the same offset.
    let bytes = array.as_ref();
    let bytes = bytes.as_bytes();
    let word = |at: usize| Some(i32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?));
    let data = match (word(0)?, word(4)?) {
        (1, 0) => bytes.get(20..)?,
        _ => return None,
    };
    Some(match (a.attbyval, a.attlen) {
        (true, 1) => Datum::Word(u64::from(*data.first()?)),
        (true, 2) => Datum::i16(i16::from_le_bytes(data.get(..2)?.try_into().ok()?)),
        (true, 4) => Datum::i32(i32::from_le_bytes(data.get(..4)?.try_into().ok()?)),
        (true, _) => Datum::Word(u64::from_le_bytes(data.get(..8)?.try_into().ok()?)),
        (false, -1) => {
            let elements = crate::array::varlena(bytes).ok()?;
            Datum::bytes(*elements.first()?)
        }
        (false, -2) => Datum::bytes(data.split(|b| *b == 0).next()?),
        (false, n) => {
            let value = data.get(..usize::try_from(n).ok()?)?;
            let end = if a.atttypid == types::oid::NAMEOID { value.iter().position(|b| *b == 0) } else { None };
            Datum::bytes(&value[..end.unwrap_or(value.len())])
        }
    })
}

impl Catalog {
    /// The relation, or `None` if there is none. The caller holds a lock on it, or takes what it gets. (PostgreSQL: `RelationIdGetRelation`)
    pub fn relation(&self, oid: Oid) -> Result<Option<Arc<Relation>>> {
        self.fetch_relation(oid, &mut || Ok(self.load_relation(oid)?.map(Arc::new)))
    }
    /// A relation that must exist.
    pub fn relation_entry(&self, oid: Oid) -> Result<Arc<Relation>> {
        self.relation(oid)?.ok_or_else(|| PgError::internal(format!("could not open relation with OID {oid}")))
    }
    /// A composite type's columns. (PostgreSQL: `lookup_rowtype_tupdesc`)
    pub fn row_type(&self, type_oid: Oid) -> Result<Arc<TupleDesc>> {
        let t = self.type_row(type_oid)?;
        if !t.typrelid.is_valid() {
            let name = self.format_type(type_oid, None)?;
            return Err(PgError::new(base::sqlstate::WRONG_OBJECT_TYPE, format!("type {name} is not composite")));
        }
        Ok(self.relation_entry(t.typrelid)?.desc.clone())
    }

    fn load_relation(&self, oid: Oid) -> Result<Option<Relation>> {
        let key = [Datum::oid(oid)];
        let Some(class) = self.rows::<PgClass>(oids::CLASS_OID_INDEX, &key)?.pop() else { return Ok(None) };
        let mut attributes: Vec<PgAttribute> = self.rows(oids::ATTRIBUTE_RELID_NUM_INDEX, &key)?;
        attributes.retain(|a| a.attnum > 0);
        attributes.sort_by_key(|a| a.attnum);
        if attributes.len() != class.relnatts as usize {
            let missing = i32::from(class.relnatts) - attributes.len() as i32;
            return Err(PgError::internal(format!(
                "pg_attribute catalog is missing {missing} attribute(s) for relation OID {oid}"
            )));
        }
        let desc = TupleDesc {
            attrs: attributes.iter().map(attribute).collect(),
            type_oid: class.reltype.valid().unwrap_or(types::oid::RECORDOID),
            typmod: -1,
        };
        let locator = self.locator(&class)?;
        if class.relpersistence != b'p' && relkind::has_storage(class.relkind) {
            self.scan.declare_persistence(locator, self.class_persistence(&class)?);
        }
        let mut rel = Relation {
            oid,
            locator,
            desc: Arc::new(desc),
            attributes,
            indexes: Vec::new(),
            statistics: Vec::new(),
            primary_key: Oid::INVALID,
            replica_identity_index: Oid::INVALID,
            defaults: Vec::new(),
            checks: Vec::new(),
            rules: Vec::new(),
            triggers: Vec::new(),
            policies: Vec::new(),
            partition_key: None,
            index: None,
            sequence: None,
            derived: OnceLock::new(),
            heap: OnceLock::new(),
            index_access: OnceLock::new(),
            class,
        };
        self.load_parts(&mut rel)?;
        Ok(Some(rel))
    }

    fn load_parts(&self, rel: &mut Relation) -> Result<()> {
        let key = [Datum::oid(rel.oid)];
        if matches!(rel.kind(), relkind::INDEX | relkind::PARTITIONED_INDEX) {
            rel.index = self.load_index(rel)?;
            return Ok(());
        }
        if rel.class.relhasindex {
            self.load_index_list(rel)?;
        }
        let may_have = [relkind::TABLE, relkind::MATERIALIZED_VIEW, relkind::PARTITIONED_TABLE, relkind::FOREIGN_TABLE];
        if rel.oid >= Oid(16384) && may_have.contains(&rel.kind()) {
            let rows: Vec<PgStatisticExt> = self.rows(oids::STATISTIC_EXT_RELID_INDEX, &key)?;
            rel.statistics = rows.iter().map(|s| s.oid).collect();
            rel.statistics.sort_unstable();
        }
        if rel.attributes.iter().any(|a| a.atthasdef) {
            let rows: Vec<PgAttrdef> = self.rows(oids::ATTR_DEFAULT_INDEX, &key)?;
            rel.defaults = rows.into_iter().map(|r| (r.adnum, r.adbin)).collect();
            rel.defaults.sort_unstable_by_key(|d| d.0);
        }
        // Catalogs have NOT NULL columns, but no constraint rows for them.
        let has_checks = rel.class.relchecks > 0 || rel.attributes.iter().any(|a| a.attnotnull);
        if has_checks && rel.oid >= Oid(12000) {
            let mut rows: Vec<PgConstraint> = self.rows(oids::CONSTRAINT_RELID_TYPID_NAME_INDEX, &key)?;
            rows.retain(|c| matches!(c.contype, b'c' | b'n'));
            rel.checks = rows;
        }
        if rel.class.relhasrules {
            rel.rules = self.rows(oids::REWRITE_REL_RULENAME_INDEX, &key)?;
        }
        if rel.class.relhastriggers {
            let mut rows: Vec<PgTrigger> = self.rows(oids::TRIGGER_RELID_NAME_INDEX, &key)?;
            // The order in which they fire.
            rows.sort_by(|a, b| a.tgname.cmp(&b.tgname));
            rel.triggers = rows.into_iter().map(Arc::new).collect();
        }
        if rel.class.relrowsecurity {
            rel.policies = self.rows(oids::POLICY_POLRELID_POLNAME_INDEX, &key)?;
        }
        match rel.kind() {
            relkind::PARTITIONED_TABLE => rel.partition_key = self.rows(oids::PARTITIONED_RELID_INDEX, &key)?.pop(),
            relkind::SEQUENCE => rel.sequence = self.rows(oids::SEQUENCE_RELID_INDEX, &key)?.pop(),
            _ => {}
        }
        Ok(())
    }

    fn load_index_list(&self, rel: &mut Relation) -> Result<()> {
        let mut rows: Vec<PgIndex> = self.rows(oids::INDEX_INDRELID_INDEX, &[Datum::oid(rel.oid)])?;
        rows.retain(|i| i.indislive);
        rows.sort_by_key(|i| i.indexrelid);
        let mut chosen = Oid::INVALID;
        for i in &rows {
            if i.indisprimary && (i.indisvalid || rel.kind() == relkind::PARTITIONED_TABLE) {
                rel.primary_key = i.indexrelid;
            }
            if i.indisvalid && i.indisreplident {
                chosen = i.indexrelid;
            }
        }
        rel.replica_identity_index = match rel.class.relreplident {
            b'd' => rel.primary_key,
            b'i' => chosen,
            _ => Oid::INVALID,
        };
        rel.indexes = rows.iter().map(|i| i.indexrelid).collect();
        Ok(())
    }

    fn load_index(&self, rel: &Relation) -> Result<Option<IndexInfo>> {
        let Some(row) = self.get::<PgIndex>(CacheId::INDEXRELID, &[Datum::oid(rel.oid)])? else { return Ok(None) };
        let row = PgIndex::clone(&row);
        let mut exclusion_operators = Vec::new();
        if row.indisexclusion {
            let constraints = self.constraints_of_relation(row.indrelid)?;
            let own = constraints.into_iter().find(|c| c.conindid == rel.oid && c.contype != b'f');
            exclusion_operators = own.and_then(|c| c.conexclop).unwrap_or_default();
        }
        // The classes of a few indexes are needed to read pg_opclass itself: reading it by a whole scan is the bootstrap
        // catalog's and the heap's business (see `CatalogScan`), so that this does not recurse.
        let (mut opfamilies, mut input_types) = (Vec::new(), Vec::new());
        for class in &row.indclass {
            let class = self.opclass_row(*class)?;
            opfamilies.push(class.opcfamily);
            input_types.push(class.opcintype);
        }
        Ok(Some(IndexInfo {
            table: row.indrelid,
            am: rel.class.relam,
            columns: row.indkey.clone(),
            key_count: row.indnkeyatts as usize,
            opclasses: row.indclass.clone(),
            opfamilies,
            input_types,
            collations: row.indcollation.clone(),
            options: row.indoption.clone(),
            expressions: row.indexprs.clone(),
            predicate: row.indpred.clone(),
            exclusion_operators,
            row,
        }))
    }

    /// Where a relation's files lie. (PostgreSQL: `RelationInitPhysicalAddr`)
    pub fn locator(&self, class: &PgClass) -> Result<RelFileLocator> {
        let (spc, db) = match (class.relisshared, class.reltablespace.valid()) {
            (true, _) => (oids::GLOBALTABLESPACE_OID, Oid::INVALID),
            (false, Some(spc)) => (spc, self.database),
            (false, None) => (self.default_tablespace()?, self.database),
        };
        let rel = match (relkind::has_storage(class.relkind), class.relfilenode.valid()) {
            (false, _) => Oid::INVALID,
            (true, Some(file)) => file,
            (true, None) => self.scan.mapped_file(class.oid, class.relisshared)?,
        };
        Ok(RelFileLocator { spc, db, rel })
    }

    /// The tablespace of the database. (PostgreSQL: `MyDatabaseTableSpace`)
    pub fn default_tablespace(&self) -> Result<Oid> {
        Ok(self.database(self.database)?.map_or(oids::DEFAULTTABLESPACE_OID, |d| d.dattablespace))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn catalogs_are_relations() {
        let c = Catalog::bootstrap();
        let r = c.relation(oids::RELATION_RELATION).unwrap().unwrap();
        assert_eq!((r.name(), r.kind(), r.desc.len()), ("pg_class", relkind::TABLE, 34));
        assert_eq!(
            r.indexes,
            [oids::CLASS_OID_INDEX, oids::CLASS_NAME_NSP_INDEX, oids::CLASS_TBLSPC_RELFILENODE_INDEX]
        );
        assert_eq!(r.primary_key, oids::CLASS_OID_INDEX);
        assert_eq!(r.locator, RelFileLocator { spc: Oid(1663), db: Oid(5), rel: Oid(1259) });
        assert!(Arc::ptr_eq(&r, &c.relation(oids::RELATION_RELATION).unwrap().unwrap()));
        let i = c.relation(oids::CLASS_NAME_NSP_INDEX).unwrap().unwrap();
        let i = i.index.as_ref().unwrap();
        assert_eq!((i.columns.as_slice(), i.key_count, i.table), ([2i16, 3].as_slice(), 2, oids::RELATION_RELATION));
        let shared = c.relation(oids::DATABASE_RELATION).unwrap().unwrap();
        assert_eq!(shared.locator, RelFileLocator { spc: Oid(1664), db: Oid(0), rel: Oid(1262) });
        assert!(c.relation(Oid(99999)).unwrap().is_none());
        assert_eq!(c.row_type(Oid(83)).unwrap().len(), 34);
    }

    #[test]
    fn a_changed_relation_is_read_anew() {
        use crate::inval::Invalidation;
        let c = Catalog::bootstrap();
        let other = Catalog::new(c.shared().clone(), c.database_oid(), c.scan.clone());
        let get = |c: &Catalog| c.relation(oids::RELATION_RELATION).unwrap().unwrap();
        let before = get(&c);
        c.invalidate([Invalidation::Relation { db: c.database_oid(), rel: oids::RELATION_RELATION }]);
        assert!(Arc::ptr_eq(&before, &get(&c)), "not before the command's end");
        c.command_end();
        let own = get(&c);
        assert!(!Arc::ptr_eq(&before, &own) && Arc::ptr_eq(&own, &get(&c)));
        assert!(Arc::ptr_eq(&before, &get(&other)), "others see it at commit");
        c.commit();
        assert!(!Arc::ptr_eq(&before, &get(&other)));
        assert!(Arc::ptr_eq(&get(&c), &get(&other)));
    }
}
