//! New relations: their rows in `pg_class` and `pg_attribute`, their row type and its array type, their file, their TOAST table.
//!
//! PostgreSQL: `heap.c` (`heap_create_with_catalog`), `pg_type.c` (`TypeCreate`), `toasting.c`.

use base::sqlstate::{DUPLICATE_COLUMN, DUPLICATE_OBJECT, DUPLICATE_TABLE, INVALID_TABLE_DEFINITION, TOO_MANY_COLUMNS};
use base::{Oid, PgError, Result, Xid};
use types::oid::{CIDOID, OIDOID, TIDOID, XIDOID};
use types::{Align, Datum};

use super::{DependencyType, NewIndex, ObjectAddress, truncate_name};
use crate::acl::AclItem;
use crate::oids::{self, fmgr};
use crate::relcache::relkind;
use crate::row::*;
use crate::syscache::{CacheId, Catalog};

/// The most columns a table may have. (PostgreSQL: `MaxHeapAttributeNumber`)
const MAX_COLUMNS: usize = 1600;

/// Columns that every table has besides its own, with their types. (PostgreSQL: `SysAtt`)
pub const SYSTEM_COLUMNS: &[(&str, i16, Oid, i16, bool, Align)] = &[
    ("ctid", -1, TIDOID, 6, false, Align::Short),
    ("xmin", -2, XIDOID, 4, true, Align::Int),
    ("cmin", -3, CIDOID, 4, true, Align::Int),
    ("xmax", -4, XIDOID, 4, true, Align::Int),
    ("cmax", -5, CIDOID, 4, true, Align::Int),
    ("tableoid", -6, OIDOID, 4, true, Align::Int),
];

/// What a new relation is to be. [`NewRelation::new`] is an ordinary table; fill in the rest.
#[derive(Clone, Debug)]
pub struct NewRelation {
    pub name: String,
    pub namespace: Oid,
    pub owner: Oid,
    pub kind: u8,
    /// `p`ermanent, `u`nlogged, `t`emporary.
    pub persistence: u8,
    /// 0 for the database's own.
    pub tablespace: Oid,
    /// The table access method; 0 for relations without.
    pub am: Oid,
    /// Made by [`new_attribute`]; `attrelid` and `attnum` are set here.
    pub columns: Vec<PgAttribute>,
    /// `CREATE TABLE .. OF type`.
    pub of_type: Oid,
    pub options: Option<Vec<String>>,
    /// `None` for the defaults.
    pub acl: Option<Vec<AclItem>>,
    pub is_partition: bool,
    /// A view, whose rule follows.
    pub has_rules: bool,
    /// A transient copy of this relation. (PostgreSQL: `relrewrite`)
    pub rewrite_of: Oid,
    /// Ids chosen before (by `pg_upgrade`, or a rewrite), or invalid.
    pub oid: Oid,
}

impl NewRelation {
    pub fn new(name: &str, namespace: Oid, owner: Oid, columns: Vec<PgAttribute>) -> NewRelation {
        NewRelation {
            name: name.to_owned(),
            namespace,
            owner,
            kind: relkind::TABLE,
            persistence: b'p',
            tablespace: Oid::INVALID,
            am: oids::HEAP_TABLE_AM_OID,
            columns,
            of_type: Oid::INVALID,
            options: None,
            acl: None,
            is_partition: false,
            has_rules: false,
            rewrite_of: Oid::INVALID,
            oid: Oid::INVALID,
        }
    }
}

/// A column of that type; change what differs from a plain nullable one.
pub fn new_attribute(name: &str, t: &PgType, typmod: i32, collation: Oid) -> PgAttribute {
    PgAttribute {
        attrelid: Oid::INVALID,
        attname: truncate_name(name).to_owned(),
        atttypid: t.oid,
        attlen: t.typlen,
        attnum: 0,
        atttypmod: typmod,
        attndims: 0,
        attbyval: t.typbyval,
        attalign: t.typalign,
        attstorage: t.typstorage,
        attcompression: 0,
        attnotnull: false,
        atthasdef: false,
        atthasmissing: false,
        attidentity: 0,
        attgenerated: 0,
        attisdropped: false,
        attislocal: true,
        attinhcount: 0,
        attcollation: collation,
        attstattarget: None,
        attacl: None,
        attoptions: None,
        attfdwoptions: None,
        attmissingval: None,
    }
}

fn system_attribute(
    rel: Oid,
    (name, attnum, typid, len, byval, align): (&str, i16, Oid, i16, bool, Align),
) -> PgAttribute {
    PgAttribute {
        attrelid: rel,
        attname: name.to_owned(),
        atttypid: typid,
        attlen: len,
        attnum,
        atttypmod: -1,
        attndims: 0,
        attbyval: byval,
        attalign: align.to_char(),
        attstorage: b'p',
        attcompression: 0,
        attnotnull: true,
        atthasdef: false,
        atthasmissing: false,
        attidentity: 0,
        attgenerated: 0,
        attisdropped: false,
        attislocal: true,
        attinhcount: 0,
        attcollation: Oid::INVALID,
        attstattarget: None,
        attacl: None,
        attoptions: None,
        attfdwoptions: None,
        attmissingval: None,
    }
}

/// The name that an array type gets, if it is free: an underscore before the element type's name. (PostgreSQL: `makeArrayTypeName`)
pub fn array_type_name(name: &str, extra_underscores: usize) -> String {
    let name = format!("{}{name}", "_".repeat(extra_underscores + 1));
    truncate_name(&name).to_owned()
}

impl Catalog {
    /// Makes a relation with everything that belongs to it but indexes, constraints and defaults; its id is returned. The
    /// caller has checked privileges and increments the command counter afterwards. (PostgreSQL: `heap_create_with_catalog`)
    pub fn create_relation(&self, new: &NewRelation) -> Result<Oid> {
        check_columns(new)?;
        let name = truncate_name(&new.name);
        if self.relation_by_name(new.namespace, name)?.is_some() {
            return Err(PgError::new(DUPLICATE_TABLE, format!("relation \"{name}\" already exists")));
        }
        let has_type =
            !matches!(new.kind, relkind::SEQUENCE | relkind::TOAST | relkind::INDEX | relkind::PARTITIONED_INDEX);
        if has_type {
            self.free_type_name(new.namespace, name)?;
        }
        let oid = match new.oid.valid() {
            Some(oid) => oid,
            None => self.new_file_number(new.tablespace, false)?,
        };
        let has_storage = relkind::has_storage(new.kind);
        let type_oid = match has_type {
            true => self.create_row_type(new, name, oid)?,
            false => Oid::INVALID,
        };
        let class = self.class_row(new, name, oid, type_oid)?;
        if has_storage {
            let locator = self.locator(&class)?;
            self.scan.create_storage(locator, new.persistence)?;
            if new.persistence == b'u' && new.kind != relkind::SEQUENCE {
                self.scan.create_init_fork(locator)?;
            }
        }
        self.insert_row(&class)?;
        self.insert_columns(new, oid)?;
        self.record_relation_dependencies(new, oid)?;
        Ok(oid)
    }

    fn class_row(&self, new: &NewRelation, name: &str, oid: Oid, type_oid: Oid) -> Result<PgClass> {
        let has_storage = relkind::has_storage(new.kind);
        let (xid, multi) = match new.kind {
            relkind::TABLE | relkind::TOAST | relkind::MATERIALIZED_VIEW => self.scan.oldest_ids()?,
            _ => (Xid::INVALID, base::MultiXactId::INVALID),
        };
        let (pages, tuples) = if new.kind == relkind::SEQUENCE { (1, 1.0) } else { (0, -1.0) };
        let spc = if new.tablespace == self.default_tablespace()? { Oid::INVALID } else { new.tablespace };
        Ok(PgClass {
            oid,
            relname: name.to_owned(),
            relnamespace: new.namespace,
            reltype: type_oid,
            reloftype: new.of_type,
            relowner: new.owner,
            relam: new.am,
            relfilenode: if has_storage { oid } else { Oid::INVALID },
            reltablespace: spc,
            relpages: pages,
            reltuples: tuples,
            relallvisible: 0,
            relallfrozen: 0,
            reltoastrelid: Oid::INVALID,
            relhasindex: false,
            relisshared: false,
            relpersistence: new.persistence,
            relkind: new.kind,
            relnatts: new.columns.len() as i16,
            relchecks: 0,
            relhasrules: new.has_rules,
            relhastriggers: false,
            relhassubclass: false,
            relrowsecurity: false,
            relforcerowsecurity: false,
            relispopulated: true,
            relreplident: match new.kind {
                relkind::TABLE | relkind::MATERIALIZED_VIEW | relkind::PARTITIONED_TABLE
                    if new.namespace != oids::PG_CATALOG_NAMESPACE =>
                {
                    b'd'
                }
                _ => b'n',
            },
            relispartition: new.is_partition,
            relrewrite: new.rewrite_of,
            relfrozenxid: xid,
            relminmxid: Xid(multi.0),
            relacl: new.acl.clone(),
            reloptions: new.options.clone(),
            relpartbound: None,
        })
    }

    /// Adds one column to a relation, at the end; the caller updates `pg_class.relnatts`.
    pub fn insert_column(&self, rel: Oid, column: &PgAttribute, attnum: i16) -> Result<()> {
        let row = PgAttribute { attrelid: rel, attnum, ..column.clone() };
        self.insert_row(&row)?;
        let me = ObjectAddress::column(rel, attnum);
        self.record_dependency(&me, &ObjectAddress::type_(column.atttypid), DependencyType::Normal)?;
        if column.attcollation.is_valid() && column.attcollation != oids::DEFAULT_COLLATION_OID {
            let collation = ObjectAddress::new(oids::COLLATION_RELATION, column.attcollation);
            self.record_dependency(&me, &collation, DependencyType::Normal)?;
        }
        Ok(())
    }

    fn insert_columns(&self, new: &NewRelation, oid: Oid) -> Result<()> {
        for (i, column) in new.columns.iter().enumerate() {
            self.insert_column(oid, column, i as i16 + 1)?;
        }
        if !matches!(new.kind, relkind::VIEW | relkind::COMPOSITE) {
            for column in SYSTEM_COLUMNS {
                self.insert_row(&system_attribute(oid, *column))?;
            }
        }
        Ok(())
    }

    fn record_relation_dependencies(&self, new: &NewRelation, oid: Oid) -> Result<()> {
        let me = ObjectAddress::relation(oid);
        // TOAST tables and rewritten copies depend on their table only, composite types on their type.
        if matches!(new.kind, relkind::COMPOSITE | relkind::TOAST) {
            return Ok(());
        }
        self.record_owner(&me, new.owner)?;
        if let Some(acl) = &new.acl {
            self.record_acl(&me, new.owner, acl)?;
        }
        let mut on = vec![ObjectAddress::namespace(new.namespace)];
        if new.of_type.is_valid() {
            on.push(ObjectAddress::type_(new.of_type));
        }
        if new.am.is_valid() {
            on.push(ObjectAddress::new(oids::ACCESS_METHOD_RELATION, new.am));
        }
        self.record_dependencies(&me, &on, DependencyType::Normal)
    }

    /// Makes sure that a type of that name can be made; an array type that stands in the way is renamed.
    /// (PostgreSQL: `moveArrayTypeName`)
    pub fn free_type_name(&self, namespace: Oid, name: &str) -> Result<()> {
        let Some(old) = self.type_by_name(namespace, name)? else { return Ok(()) };
        let is_automatic_array = old.typelem.is_valid()
            && self.type_by_oid(old.typelem)?.is_some_and(|e| e.typarray == old.oid)
            && old.typname.starts_with('_');
        if !is_automatic_array {
            let e = PgError::new(DUPLICATE_OBJECT, format!("type \"{name}\" already exists"));
            return Err(e.hint(
                "A relation has an associated type of the same name, so you must use a name that doesn't conflict with any \
                 existing type.",
            ));
        }
        let free = self.choose_array_name(old.typname.trim_start_matches('_'), namespace)?;
        let found = self.find_row::<PgType>(oids::TYPE_OID_INDEX, &[Datum::oid(old.oid)])?;
        let found = found.ok_or_else(|| PgError::internal(format!("cache lookup failed for type {}", old.oid)))?;
        self.update_row(&found, &PgType { typname: free, ..found.row.clone() })?;
        self.command_counter_increment()
    }

    /// A free name for the array type over a type of that name.
    pub fn choose_array_name(&self, name: &str, namespace: Oid) -> Result<String> {
        for n in 0..base::NAMEDATALEN {
            let candidate = array_type_name(name, n);
            if self.type_by_name(namespace, &candidate)?.is_none() {
                return Ok(candidate);
            }
        }
        Err(PgError::new(DUPLICATE_OBJECT, format!("could not form array type name for type \"{name}\"")))
    }

    fn create_row_type(&self, new: &NewRelation, name: &str, rel: Oid) -> Result<Oid> {
        let oid = self.new_oid(oids::TYPE_RELATION, oids::TYPE_OID_INDEX)?;
        let array = self.new_oid(oids::TYPE_RELATION, oids::TYPE_OID_INDEX)?;
        let row = PgType {
            oid,
            typname: name.to_owned(),
            typnamespace: new.namespace,
            typowner: new.owner,
            typlen: -1,
            typbyval: false,
            typtype: b'c',
            typcategory: b'C',
            typispreferred: false,
            typisdefined: true,
            typdelim: b',',
            typrelid: rel,
            typsubscript: Oid::INVALID,
            typelem: Oid::INVALID,
            typarray: array,
            typinput: fmgr::F_RECORD_IN,
            typoutput: fmgr::F_RECORD_OUT,
            typreceive: fmgr::F_RECORD_RECV,
            typsend: fmgr::F_RECORD_SEND,
            typmodin: Oid::INVALID,
            typmodout: Oid::INVALID,
            typanalyze: Oid::INVALID,
            typalign: b'd',
            typstorage: b'x',
            typnotnull: false,
            typbasetype: Oid::INVALID,
            typtypmod: -1,
            typndims: 0,
            typcollation: Oid::INVALID,
            typdefaultbin: None,
            typdefault: None,
            typacl: None,
        };
        self.insert_row(&row)?;
        let me = ObjectAddress::type_(oid);
        if new.kind == relkind::COMPOSITE {
            // The type is the object that users see; its relation belongs to it.
            self.record_owner(&me, new.owner)?;
            self.record_dependency(&me, &ObjectAddress::namespace(new.namespace), DependencyType::Normal)?;
            self.record_dependency(&ObjectAddress::relation(rel), &me, DependencyType::Internal)?;
        } else {
            self.record_dependency(&me, &ObjectAddress::relation(rel), DependencyType::Internal)?;
        }
        self.create_array_type(&row, array)?;
        Ok(oid)
    }

    /// The array type over a new type, whose `typarray` is `array` already. Returns its name.
    pub fn create_array_type(&self, element: &PgType, array: Oid) -> Result<String> {
        let name = self.choose_array_name(&element.typname, element.typnamespace)?;
        let row = PgType {
            oid: array,
            typname: name.clone(),
            typlen: -1,
            typbyval: false,
            typtype: b'b',
            typcategory: b'A',
            typispreferred: false,
            typisdefined: true,
            typrelid: Oid::INVALID,
            typsubscript: fmgr::F_ARRAY_SUBSCRIPT_HANDLER,
            typelem: element.oid,
            typarray: Oid::INVALID,
            typinput: fmgr::F_ARRAY_IN,
            typoutput: fmgr::F_ARRAY_OUT,
            typreceive: fmgr::F_ARRAY_RECV,
            typsend: fmgr::F_ARRAY_SEND,
            typanalyze: fmgr::F_ARRAY_TYPANALYZE,
            typalign: if element.typalign == b'd' { b'd' } else { b'i' },
            typstorage: b'x',
            typnotnull: false,
            typbasetype: Oid::INVALID,
            typtypmod: -1,
            typndims: 0,
            typdefaultbin: None,
            typdefault: None,
            typacl: None,
            ..element.clone()
        };
        self.insert_row(&row)?;
        let on = ObjectAddress::type_(element.oid);
        self.record_dependency(&ObjectAddress::type_(array), &on, DependencyType::Internal)?;
        Ok(name)
    }

    /// Makes a TOAST table for a table if a row of it may be too long for a page. To be called after the command counter
    /// was incremented. (PostgreSQL: `NewRelationCreateToastTable`, `create_toast_table`)
    pub fn create_toast_table(&self, rel: Oid, options: Option<Vec<String>>) -> Result<Option<Oid>> {
        let table = self.relation_entry(rel)?;
        let toastable = matches!(table.kind(), relkind::TABLE | relkind::MATERIALIZED_VIEW);
        if !toastable || table.class.reltoastrelid.is_valid() || !needs_toast(&table.attributes) {
            return Ok(None);
        }
        let column = |name: &str, typid| -> Result<PgAttribute> {
            let mut a = new_attribute(name, &*self.type_row(typid)?, -1, Oid::INVALID);
            // The chunks are long values already.
            a.attstorage = b'p';
            Ok(a)
        };
        let columns = vec![
            column("chunk_id", OIDOID)?,
            column("chunk_seq", types::oid::INT4OID)?,
            column("chunk_data", types::oid::BYTEAOID)?,
        ];
        let namespace = match table.is_temporary() {
            true => self.toast_namespace_of(table.namespace())?,
            false => oids::PG_TOAST_NAMESPACE,
        };
        let name = format!("pg_toast_{rel}");
        let new = NewRelation {
            kind: relkind::TOAST,
            persistence: table.class.relpersistence,
            tablespace: table.class.reltablespace,
            am: table.class.relam,
            options,
            ..NewRelation::new(&name, namespace, table.owner(), columns)
        };
        let toast = self.create_relation(&new)?;
        self.command_counter_increment()?;
        let mut index = NewIndex::new(&format!("{name}_index"), toast, vec![1, 2]);
        index.unique = true;
        index.primary = true;
        index.opclasses = vec![oids::OID_BTREE_OPS_OID, oids::INT4_BTREE_OPS_OID];
        let index = self.create_index(&index)?;
        if self.shared.environment().is_some() {
            self.scan.build_empty_index(&self.index(index)?)?;
        }
        let found = self.find_row::<PgClass>(oids::CLASS_OID_INDEX, &[Datum::oid(rel)])?;
        let found = found.ok_or_else(|| PgError::internal(format!("cache lookup failed for relation {rel}")))?;
        self.update_row(&found, &PgClass { reltoastrelid: toast, ..found.row.clone() })?;
        let (me, on) = (ObjectAddress::relation(toast), ObjectAddress::relation(rel));
        self.record_dependency(&me, &on, DependencyType::Internal)?;
        self.command_counter_increment()?;
        Ok(Some(toast))
    }

    /// The TOAST schema that goes with a temporary schema.
    fn toast_namespace_of(&self, temp: Oid) -> Result<Oid> {
        let name = self.namespace_name(temp)?.unwrap_or_default();
        let toast = name.replacen("pg_temp_", "pg_toast_temp_", 1);
        let found = self.get::<PgNamespace>(CacheId::NAMESPACENAME, &[Datum::text(&toast)])?;
        found.map(|n| n.oid).ok_or_else(|| PgError::internal(format!("schema \"{toast}\" does not exist")))
    }
}

/// May a row be longer than a page likes? (PostgreSQL: `heapam_relation_needs_toast_table`)
fn needs_toast(columns: &[PgAttribute]) -> bool {
    let (mut length, mut unlimited, mut has_long) = (0usize, false, false);
    for c in columns.iter().filter(|c| !c.attisdropped && c.attgenerated != b'v') {
        length = Align::from_char(c.attalign).up(length);
        match usize::try_from(c.attlen) {
            Ok(n) => length += n,
            Err(_) => {
                match maximum_length(c) {
                    Some(n) => length += n,
                    None => unlimited = true,
                }
                has_long |= c.attstorage != b'p';
            }
        }
    }
    if !has_long {
        return false;
    }
    let header = Align::Double.up(23 + columns.len().div_ceil(8));
    unlimited || header + Align::Double.up(length) > 2032
}

/// The bytes a value may take at most, with UTF-8's four bytes a character. (PostgreSQL: `type_maximum_size`)
fn maximum_length(c: &PgAttribute) -> Option<usize> {
    let typmod = usize::try_from(c.atttypmod).ok()?;
    match c.atttypid {
        types::oid::BPCHAROID | types::oid::VARCHAROID => Some(typmod.checked_sub(4)? * 4 + 4),
        types::oid::NUMERICOID => {
            let precision = typmod.checked_sub(4)? >> 16 & 0xffff;
            Some(precision.div_ceil(4) * 2 + 8 + 4)
        }
        types::oid::BITOID | types::oid::VARBITOID => Some(typmod.div_ceil(8) + 8),
        _ => None,
    }
}

/// Names must differ, also from those of system columns. (PostgreSQL: `CheckAttributeNamesTypes`)
fn check_columns(new: &NewRelation) -> Result<()> {
    if new.columns.len() > MAX_COLUMNS {
        return Err(PgError::new(TOO_MANY_COLUMNS, format!("tables can have at most {MAX_COLUMNS} columns")));
    }
    for (i, c) in new.columns.iter().enumerate() {
        let name = &c.attname;
        let with_system = !matches!(new.kind, relkind::VIEW | relkind::COMPOSITE);
        if with_system && SYSTEM_COLUMNS.iter().any(|s| s.0 == name) {
            let text = format!("column name \"{name}\" conflicts with a system column name");
            return Err(PgError::new(DUPLICATE_COLUMN, text));
        }
        if new.columns[..i].iter().any(|other| other.attname == *name) {
            return Err(PgError::new(DUPLICATE_COLUMN, format!("column \"{name}\" specified more than once")));
        }
        if c.atttypid == types::oid::UNKNOWNOID || c.atttypid == types::oid::ANYOID {
            let text = format!(
                "column \"{name}\" has pseudo-type {}",
                if c.atttypid == types::oid::ANYOID { "\"any\"" } else { "unknown" }
            );
            return Err(PgError::new(INVALID_TABLE_DEFINITION, text));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use types::oid::{INT4OID, TEXTOID};

    #[test]
    fn a_table_appears() {
        let c = Catalog::bootstrap();
        let column =
            |name: &str, t| new_attribute(name, &c.type_row(t).unwrap(), -1, c.type_row(t).unwrap().typcollation);
        let new = NewRelation::new("t", Oid(2200), Oid(10), vec![column("a", INT4OID), column("b", TEXTOID)]);
        let oid = c.create_relation(&new).unwrap();
        c.command_counter_increment().unwrap();
        assert_eq!(c.find_relation(None, "t", false).unwrap(), Some(oid));
        let rel = c.relation_entry(oid).unwrap();
        assert_eq!((rel.desc.len(), rel.desc.find("b"), rel.locator.rel), (2, Some(2), oid));
        assert_eq!(c.format_type(rel.class.reltype, None).unwrap(), "t");
        assert_eq!(c.find_type(None, "_t", false).unwrap().unwrap().typelem, rel.class.reltype);
        assert_eq!(c.create_relation(&new).unwrap_err().message(), "relation \"t\" already exists");

        let toast = c.create_toast_table(oid, None).unwrap().unwrap();
        let toast = c.relation_entry(toast).unwrap();
        assert_eq!(
            (toast.kind(), toast.indexes.len(), toast.namespace()),
            (relkind::TOAST, 1, oids::PG_TOAST_NAMESPACE)
        );
        assert_eq!(c.relation_entry(oid).unwrap().class.reltoastrelid, toast.oid);
    }
}
