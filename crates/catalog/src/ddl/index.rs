//! New indexes and constraints: their catalog rows. Filling an index is the business of its access method.
//!
//! PostgreSQL: `index.c` (`index_create`), `pg_constraint.c` (`CreateConstraintEntry`).

use base::sqlstate::DUPLICATE_TABLE;
use base::{Oid, PgError, Result, Xid};
use types::Datum;

use super::{DependencyType, ObjectAddress, new_attribute, truncate_name};
use crate::oids;
use crate::relcache::relkind;
use crate::row::*;
use crate::syscache::Catalog;

/// What a new index is to be. [`NewIndex::new`] is a plain B-tree; fill in the rest.
#[derive(Clone, Debug)]
pub struct NewIndex {
    pub name: String,
    pub table: Oid,
    pub am: Oid,
    /// Column numbers of the table, 0 for an expression; key columns, then included ones.
    pub columns: Vec<i16>,
    pub key_count: usize,
    /// The index's column names; made up if empty.
    pub column_names: Vec<String>,
    /// Type, typmod, and collation of each expression, in order.
    pub expression_types: Vec<(Oid, i32)>,
    /// One a key column.
    pub opclasses: Vec<Oid>,
    pub collations: Vec<Oid>,
    pub options: Vec<i16>,
    pub opclass_options: Vec<Option<Vec<String>>>,
    /// Node text.
    pub expressions: Option<String>,
    pub predicate: Option<String>,
    /// What expressions and predicate refer to. (PostgreSQL: `recordDependencyOnSingleRelExpr`)
    pub expression_dependencies: Vec<ObjectAddress>,
    pub unique: bool,
    pub nulls_not_distinct: bool,
    pub primary: bool,
    pub exclusion: bool,
    /// Checked at once, not at the end.
    pub immediate: bool,
    pub valid: bool,
    pub ready: bool,
    pub tablespace: Oid,
    pub reloptions: Option<Vec<String>>,
    /// An index on a partitioned table: no file.
    pub partitioned: bool,
    /// The index of the parent table that this one is a partition of.
    pub parent: Oid,
    pub oid: Oid,
}

impl NewIndex {
    pub fn new(name: &str, table: Oid, columns: Vec<i16>) -> NewIndex {
        NewIndex {
            name: name.to_owned(),
            table,
            am: oids::BTREE_AM_OID,
            key_count: columns.len(),
            columns,
            column_names: Vec::new(),
            expression_types: Vec::new(),
            opclasses: Vec::new(),
            collations: Vec::new(),
            options: Vec::new(),
            opclass_options: Vec::new(),
            expressions: None,
            predicate: None,
            expression_dependencies: Vec::new(),
            unique: false,
            nulls_not_distinct: false,
            primary: false,
            exclusion: false,
            immediate: true,
            valid: true,
            ready: true,
            tablespace: Oid::INVALID,
            reloptions: None,
            partitioned: false,
            parent: Oid::INVALID,
            oid: Oid::INVALID,
        }
    }
}

/// A constraint's row; `oid` is set here. (PostgreSQL: `CreateConstraintEntry`)
#[derive(Clone, Debug)]
pub struct NewConstraint {
    pub row: PgConstraint,
    /// What the expression of a CHECK refers to.
    pub expression_dependencies: Vec<ObjectAddress>,
}

impl NewConstraint {
    /// A constraint of a table; `kind` as in `contype`.
    pub fn new(name: &str, namespace: Oid, kind: u8, table: Oid, columns: Option<Vec<i16>>) -> NewConstraint {
        NewConstraint {
            row: PgConstraint {
                oid: Oid::INVALID,
                conname: truncate_name(name).to_owned(),
                connamespace: namespace,
                contype: kind,
                condeferrable: false,
                condeferred: false,
                conenforced: true,
                convalidated: true,
                conrelid: table,
                contypid: Oid::INVALID,
                conindid: Oid::INVALID,
                conparentid: Oid::INVALID,
                confrelid: Oid::INVALID,
                confupdtype: b' ',
                confdeltype: b' ',
                confmatchtype: b' ',
                conislocal: true,
                coninhcount: 0,
                connoinherit: matches!(kind, b'p' | b'u' | b'x' | b'f'),
                conperiod: false,
                conkey: columns,
                confkey: None,
                conpfeqop: None,
                conppeqop: None,
                conffeqop: None,
                confdelsetcols: None,
                conexclop: None,
                conbin: None,
            },
            expression_dependencies: Vec::new(),
        }
    }
}

impl Catalog {
    /// Makes an index's rows and its empty file, which the access method has to build; its id is returned. The table's `relhasindex` is set. The command counter
    /// is incremented, so that the index can be opened. (PostgreSQL: `index_create`)
    pub fn create_index(&self, new: &NewIndex) -> Result<Oid> {
        let table = self.relation_entry(new.table)?;
        let name = truncate_name(&new.name);
        if self.relation_by_name(table.namespace(), name)?.is_some() {
            return Err(PgError::new(DUPLICATE_TABLE, format!("relation \"{name}\" already exists")));
        }
        let shared = table.is_shared();
        let oid = match new.oid.valid() {
            Some(oid) => oid,
            None => self.new_file_number(new.tablespace, shared)?,
        };
        let columns = self.index_columns(new, &table)?;
        let class = PgClass {
            oid,
            relname: name.to_owned(),
            reltype: Oid::INVALID,
            reloftype: Oid::INVALID,
            relam: new.am,
            relfilenode: if new.partitioned { Oid::INVALID } else { oid },
            reltablespace: if new.tablespace == self.default_tablespace()? { Oid::INVALID } else { new.tablespace },
            relpages: 0,
            reltuples: -1.0,
            relallvisible: 0,
            relallfrozen: 0,
            reltoastrelid: Oid::INVALID,
            relhasindex: false,
            relkind: if new.partitioned { relkind::PARTITIONED_INDEX } else { relkind::INDEX },
            relnatts: columns.len() as i16,
            relchecks: 0,
            relhasrules: false,
            relhastriggers: false,
            relhassubclass: false,
            relrowsecurity: false,
            relforcerowsecurity: false,
            relispopulated: true,
            relreplident: b'n',
            relispartition: new.parent.is_valid(),
            relrewrite: Oid::INVALID,
            relfrozenxid: Xid::INVALID,
            relminmxid: Xid::INVALID,
            relacl: None,
            reloptions: new.reloptions.clone(),
            relpartbound: None,
            ..table.class.clone()
        };
        if !new.partitioned {
            self.scan.create_storage(self.locator(&class)?, class.relpersistence)?;
        }
        self.insert_row(&class)?;
        for (i, column) in columns.iter().enumerate() {
            self.insert_row(&PgAttribute { attrelid: oid, attnum: i as i16 + 1, ..column.clone() })?;
        }
        self.insert_index_row(new, oid)?;
        self.record_index_dependencies(new, oid)?;
        if !table.class.relhasindex {
            let found = self.find_row::<PgClass>(oids::CLASS_OID_INDEX, &[Datum::oid(new.table)])?;
            let found =
                found.ok_or_else(|| PgError::internal(format!("cache lookup failed for relation {}", new.table)))?;
            self.update_row(&found, &PgClass { relhasindex: true, ..found.row.clone() })?;
        }
        self.invalidate_relation(new.table);
        self.command_counter_increment()?;
        Ok(oid)
    }

    /// (PostgreSQL: `ConstructTupleDescriptor`)
    fn index_columns(&self, new: &NewIndex, table: &crate::Relation) -> Result<Vec<PgAttribute>> {
        let mut out = Vec::with_capacity(new.columns.len());
        let mut expressions = new.expression_types.iter();
        for (i, attnum) in new.columns.iter().enumerate() {
            let mut column = match *attnum {
                0 => {
                    let missing = || PgError::internal("too few entries in indexprs list");
                    let (typid, typmod) = *expressions.next().ok_or_else(missing)?;
                    new_attribute("expr", &*self.type_row(typid)?, typmod, Oid::INVALID)
                }
                n => {
                    let source = table.attributes.get(n as usize - 1);
                    let source = source.ok_or_else(|| PgError::internal(format!("invalid column number {n}")))?;
                    let mut a = new_attribute(
                        &source.attname,
                        &*self.type_row(source.atttypid)?,
                        source.atttypmod,
                        source.attcollation,
                    );
                    a.attndims = source.attndims;
                    a.attstorage = source.attstorage;
                    a.attcompression = source.attcompression;
                    a
                }
            };
            if let Some(collation) = new.collations.get(i) {
                column.attcollation = *collation;
            }
            // What the operator class stores may be another type than the column's.
            if let Some(class) = new.opclasses.get(i) {
                let class = self.opclass_row(*class)?;
                let mut key = class.opckeytype;
                if key == types::oid::ANYELEMENTOID && class.opcintype == types::oid::ANYARRAYOID {
                    key = self.element_type(self.base_type(column.atttypid, -1)?.0)?.unwrap_or(key);
                }
                if key.is_valid() && key != column.atttypid {
                    let t = self.type_row(key)?;
                    let (name, collation) = (column.attname.clone(), column.attcollation);
                    column = new_attribute(&name, &t, -1, collation);
                }
            }
            if let Some(options) = new.opclass_options.get(i) {
                column.attoptions.clone_from(options);
            }
            column.attname = unique_column_name(new.column_names.get(i).unwrap_or(&column.attname), &out);
            out.push(column);
        }
        Ok(out)
    }

    fn insert_index_row(&self, new: &NewIndex, oid: Oid) -> Result<()> {
        let padded = |list: &[Oid]| -> Vec<Oid> {
            (0..new.key_count).map(|i| list.get(i).copied().unwrap_or(Oid::INVALID)).collect()
        };
        let options = (0..new.key_count).map(|i| new.options.get(i).copied().unwrap_or(0)).collect();
        self.insert_row(&PgIndex {
            indexrelid: oid,
            indrelid: new.table,
            indnatts: new.columns.len() as i16,
            indnkeyatts: new.key_count as i16,
            indisunique: new.unique,
            indnullsnotdistinct: new.nulls_not_distinct,
            indisprimary: new.primary,
            indisexclusion: new.exclusion,
            indimmediate: new.immediate,
            indisclustered: false,
            indisvalid: new.valid,
            indcheckxmin: false,
            indisready: new.ready,
            indislive: true,
            indisreplident: false,
            indkey: new.columns.clone(),
            indcollation: padded(&new.collations),
            indclass: padded(&new.opclasses),
            indoption: options,
            indexprs: new.expressions.clone(),
            indpred: new.predicate.clone(),
        })?;
        Ok(())
    }

    fn record_index_dependencies(&self, new: &NewIndex, oid: Oid) -> Result<()> {
        let me = ObjectAddress::relation(oid);
        let mut auto: Vec<ObjectAddress> =
            new.columns.iter().filter(|n| **n != 0).map(|n| ObjectAddress::column(new.table, *n)).collect();
        // An index without plain columns still belongs to its table.
        if auto.is_empty() && new.expression_dependencies.iter().all(|o| o.object != new.table) {
            auto.push(ObjectAddress::relation(new.table));
        }
        let (own, other): (Vec<ObjectAddress>, Vec<ObjectAddress>) = new
            .expression_dependencies
            .iter()
            .partition(|o| o.class == oids::RELATION_RELATION && o.object == new.table);
        auto.extend(own);
        self.record_dependencies(&me, &auto, DependencyType::Auto)?;
        let mut normal = other;
        let collations = new.collations.iter().filter(|c| c.is_valid() && **c != oids::DEFAULT_COLLATION_OID);
        normal.extend(collations.map(|c| ObjectAddress::new(oids::COLLATION_RELATION, *c)));
        normal.extend(new.opclasses.iter().map(|c| ObjectAddress::new(oids::OPERATOR_CLASS_RELATION, *c)));
        self.record_dependencies(&me, &normal, DependencyType::Normal)?;
        if new.parent.is_valid() {
            self.record_dependency(&me, &ObjectAddress::relation(new.parent), DependencyType::PartitionPrimary)?;
            self.record_dependency(&me, &ObjectAddress::relation(new.table), DependencyType::PartitionSecondary)?;
        }
        Ok(())
    }

    /// Adds a constraint with its dependencies; its id is returned. The caller updates `relchecks`, `attnotnull`.
    /// (PostgreSQL: `CreateConstraintEntry`)
    pub fn create_constraint(&self, new: &NewConstraint) -> Result<Oid> {
        let oid = self.new_oid(oids::CONSTRAINT_RELATION, oids::CONSTRAINT_OID_INDEX)?;
        let row = PgConstraint { oid, ..new.row.clone() };
        self.insert_row(&row)?;
        let me = ObjectAddress::new(oids::CONSTRAINT_RELATION, oid);
        let mut auto = Vec::new();
        if row.conrelid.is_valid() {
            match row.conkey.as_deref().unwrap_or_default() {
                [] => auto.push(ObjectAddress::relation(row.conrelid)),
                columns => auto.extend(columns.iter().map(|n| ObjectAddress::column(row.conrelid, *n))),
            }
        }
        if row.contypid.is_valid() {
            auto.push(ObjectAddress::type_(row.contypid));
        }
        self.record_dependencies(&me, &auto, DependencyType::Auto)?;
        let mut normal = Vec::new();
        if row.confrelid.is_valid() {
            match row.confkey.as_deref().unwrap_or_default() {
                [] => normal.push(ObjectAddress::relation(row.confrelid)),
                columns => normal.extend(columns.iter().map(|n| ObjectAddress::column(row.confrelid, *n))),
            }
        }
        // A foreign key needs the other table's unique index; the index of the other kinds belongs to the constraint.
        if row.contype == b'f' && row.conindid.is_valid() {
            normal.push(ObjectAddress::relation(row.conindid));
        }
        for operators in [&row.conpfeqop, &row.conppeqop, &row.conffeqop].into_iter().flatten() {
            normal.extend(operators.iter().map(|o| ObjectAddress::new(oids::OPERATOR_RELATION, *o)));
        }
        let (own, other): (Vec<ObjectAddress>, Vec<ObjectAddress>) = new
            .expression_dependencies
            .iter()
            .partition(|o| o.class == oids::RELATION_RELATION && o.object == row.conrelid);
        self.record_dependencies(&me, &own, DependencyType::Auto)?;
        normal.extend(other);
        self.record_dependencies(&me, &normal, DependencyType::Normal)?;
        if matches!(row.contype, b'p' | b'u' | b'x') && row.conindid.is_valid() {
            self.record_dependency(&ObjectAddress::relation(row.conindid), &me, DependencyType::Internal)?;
        }
        Ok(oid)
    }
}

/// `a`, `a1`, `a2`, .. (PostgreSQL: `ChooseIndexColumnNames`)
fn unique_column_name(name: &str, taken: &[PgAttribute]) -> String {
    let free = |n: &str| taken.iter().all(|c| c.attname != n);
    if free(name) {
        return name.to_owned();
    }
    let mut n = 1u32;
    loop {
        let number = n.to_string();
        let mut end = name.len().min(base::NAMEDATALEN - 1 - number.len());
        while !name.is_char_boundary(end) {
            end -= 1;
        }
        let candidate = format!("{}{number}", &name[..end]);
        if free(&candidate) {
            return candidate;
        }
        n += 1;
    }
}
