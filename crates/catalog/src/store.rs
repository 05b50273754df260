//! Catalogs in heap and B-trees: the real [`CatalogScan`].
//!
//! To read a catalog one must know its columns, its indexes and its file. The first two are part of the version: they come from
//! the published rows. Files may change (VACUUM FULL, REINDEX): those of the catalogs that everything starts from are in the
//! relation mapping files, all others in `pg_class`, which is mapped. So nothing here asks a cache.
//!
//! PostgreSQL: `genam.c` (`systable_*`), `indexing.c`, the nailed entries of `relcache.c`.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use access::heap::{
    Fetcher, HeapRelation, HeapScan, InplaceMessages, InsertOptions, Look, ModifyOptions, Outcome, ScanOptions,
    ToastRelation, UpdateIndexes,
};
use access::index::{
    BuildSource, Direction, IndexAm, IndexBatch, IndexInsert, IndexRelation, IndexScanOptions, KeyOrder, ScanKey,
    ScanStrategy, UniqueCheck,
};
use access::tuple::{Projection, TupleLayout};
use base::sqlstate::UNIQUE_VIOLATION;
use base::{Oid, PgError, RelFileLocator, Result, TupleId};
use hashbrown::{HashMap, HashSet};
use parking_lot::RwLock;
use storage::{Persistence, Vfs};
use txn::Transaction;
use types::{Datum, DatumRef, TupleDesc};

use crate::bootstrap::{published_rows, published_rows_where};
use crate::initdb::catalog_comparator;
use crate::inval::{Invalidation, touches_system_relations};
use crate::oids;
use crate::relcache::{attribute, relkind};
use crate::relmap::{RelationMap, database_folder};
use crate::row::*;
use crate::scan::{CatalogScan, Row};

/// What the version says of a catalog, its TOAST table or an index of either.
struct Definition {
    class: PgClass,
    layout: Arc<TupleLayout>,
    index: Option<PgIndex>,
    /// Comparison functions of an index's keys, by `prosrc`, and whether equal keys have equal images.
    orders: Vec<String>,
    deduplicate: bool,
}

/// A catalog, ready for access.
struct Table {
    heap: Arc<HeapRelation>,
    indexes: Vec<(Arc<IndexRelation>, Vec<i16>)>,
}

/// The catalogs of one database: what all its sessions share.
pub struct CatalogFiles {
    vfs: Arc<dyn Vfs>,
    database: Oid,
    tablespace: Oid,
    btree: Arc<dyn IndexAm>,
    /// The same for every database.
    definitions: Arc<HashMap<Oid, Definition>>,
    maps: RwLock<Maps>,
    open: RwLock<HashMap<Oid, Arc<Table>>>,
    generation: AtomicU64,
}

#[derive(Default)]
struct Maps {
    local: RelationMap,
    shared: RelationMap,
}

impl CatalogFiles {
    /// Opens a database's catalogs. `database` and `tablespace` may be 0 before a session has chosen one: then only shared
    /// catalogs can be read.
    pub fn open(
        vfs: Arc<dyn Vfs>,
        database: Oid,
        tablespace: Oid,
        btree: Arc<dyn IndexAm>,
    ) -> Result<Arc<CatalogFiles>> {
        CatalogFiles::with(vfs, database, tablespace, btree, Arc::new(definitions()?))
    }
    /// Opens another database's catalogs.
    pub fn open_other(&self, database: Oid, tablespace: Oid) -> Result<Arc<CatalogFiles>> {
        let (vfs, btree) = (Arc::clone(&self.vfs), Arc::clone(&self.btree));
        CatalogFiles::with(vfs, database, tablespace, btree, Arc::clone(&self.definitions))
    }
    fn with(
        vfs: Arc<dyn Vfs>,
        database: Oid,
        tablespace: Oid,
        btree: Arc<dyn IndexAm>,
        definitions: Arc<HashMap<Oid, Definition>>,
    ) -> Result<Arc<CatalogFiles>> {
        let files = CatalogFiles {
            vfs,
            database,
            tablespace,
            btree,
            definitions,
            maps: RwLock::default(),
            open: RwLock::default(),
            generation: AtomicU64::new(0),
        };
        files.read_maps()?;
        Ok(Arc::new(files))
    }
    fn folder(&self) -> String {
        database_folder(self.database, self.tablespace)
    }
    fn read_maps(&self) -> Result<()> {
        let shared = RelationMap::read(&*self.vfs, "global")?;
        let local = match self.database.is_valid() {
            true => RelationMap::read(&*self.vfs, &self.folder())?,
            false => RelationMap::default(),
        };
        *self.maps.write() = Maps { local, shared };
        Ok(())
    }
    /// To be called with the messages of every commit: a catalog may lie in another file now.
    pub fn apply(&self, messages: &[Invalidation]) -> Result<()> {
        let mut moved = false;
        for m in messages {
            match *m {
                Invalidation::RelationMap { db } if !db.is_valid() || db == self.database => {
                    self.read_maps()?;
                    moved = true;
                }
                Invalidation::Relation { rel, .. } if rel < Oid(12000) => moved = true,
                _ => {}
            }
        }
        if moved {
            self.open.write().clear();
            self.generation.fetch_add(1, Ordering::AcqRel);
        }
        Ok(())
    }

    fn definition(&self, rel: Oid) -> Result<&Definition> {
        self.definitions.get(&rel).ok_or_else(|| PgError::internal(format!("no catalog has OID {rel}")))
    }

    fn locator(&self, def: &Definition, txn: &Transaction) -> Result<RelFileLocator> {
        let class = &def.class;
        let (spc, db) = match class.relisshared {
            true => (oids::GLOBALTABLESPACE_OID, Oid::INVALID),
            false => (self.tablespace, self.database),
        };
        let rel = match class.relfilenode.is_valid() {
            false => {
                let maps = self.maps.read();
                let map = if class.relisshared { &maps.shared } else { &maps.local };
                let missing = || {
                    PgError::internal(format!(
                        "could not find relation mapping for relation \"{}\", OID {}",
                        class.relname, class.oid
                    ))
                };
                map.file_of(class.oid).ok_or_else(missing)?
            }
            true => {
                // pg_class itself is mapped, so this ends.
                let rows = self.scan(txn, oids::RELATION_RELATION, oids::CLASS_OID_INDEX, &[Datum::oid(class.oid)])?;
                let row = rows
                    .first()
                    .ok_or_else(|| PgError::internal(format!("cache lookup failed for relation {}", class.oid)))?;
                PgClass::from_row(&row.values)?.relfilenode
            }
        };
        Ok(RelFileLocator { spc, db, rel })
    }

    fn table(&self, catalog: Oid, txn: &Transaction) -> Result<Arc<Table>> {
        if let Some(t) = self.open.read().get(&catalog) {
            return Ok(t.clone());
        }
        let before = self.generation.load(Ordering::Acquire);
        let table = Arc::new(self.make_table(catalog, txn)?);
        let mut open = self.open.write();
        if self.generation.load(Ordering::Acquire) == before {
            open.insert(catalog, table.clone());
        }
        Ok(table)
    }

    fn make_table(&self, catalog: Oid, txn: &Transaction) -> Result<Table> {
        let def = self.definition(catalog)?;
        let mut heap = HeapRelation::new(catalog, &def.class.relname, self.locator(def, txn)?, def.layout.clone());
        heap.is_catalog = true;
        heap.is_shared = def.class.relisshared;
        heap.is_toast = def.class.relkind == relkind::TOAST;
        let mut indexes = Vec::new();
        let mut own: Vec<&Definition> =
            self.definitions.values().filter(|d| d.index.as_ref().is_some_and(|i| i.indrelid == catalog)).collect();
        own.sort_by_key(|d| d.class.oid);
        for d in own {
            let Some(row) = &d.index else { continue };
            row.indkey.iter().for_each(|k| heap.indexed.insert(*k as usize - 1));
            if row.indisunique {
                row.indkey.iter().for_each(|k| heap.keys.insert(*k as usize - 1));
            }
            indexes.push((Arc::new(self.make_index(d, row, txn)?), row.indkey.clone()));
        }
        if let Some(toast) = def.class.reltoastrelid.valid() {
            let t = self.table(toast, txn)?;
            let index = t.indexes.first().ok_or_else(|| PgError::internal("a TOAST table without index"))?;
            heap.toast = Some(Arc::new(ToastRelation { heap: t.heap.clone(), index: index.0.clone() }));
        }
        Ok(Table { heap: Arc::new(heap), indexes })
    }

    fn make_index(&self, def: &Definition, row: &PgIndex, txn: &Transaction) -> Result<IndexRelation> {
        let keys: Result<Vec<KeyOrder>> = def
            .orders
            .iter()
            .zip(&row.indcollation)
            .map(|(prosrc, collation)| {
                let compare = catalog_comparator(prosrc)?;
                Ok(KeyOrder { compare, descending: false, nulls_first: false, collation: *collation })
            })
            .collect();
        Ok(IndexRelation {
            oid: def.class.oid,
            name: def.class.relname.as_str().into(),
            locator: self.locator(def, txn)?,
            heap: row.indrelid,
            layout: def.layout.clone(),
            keys: keys?,
            unique: row.indisunique,
            nulls_not_distinct: false,
            persistence: Persistence::Permanent,
            is_catalog: true,
            is_shared: def.class.relisshared,
            fillfactor: 0,
            deduplicate: def.deduplicate,
            start: access::index::IndexStart::default(),
            am: self.btree.clone(),
        })
    }

    fn scan(&self, txn: &Transaction, catalog: Oid, index: Oid, keys: &[Datum]) -> Result<Vec<Row>> {
        let table = self.table(catalog, txn)?;
        let snapshot = txn.latest_snapshot()?;
        let mut rows = match index.is_valid() && !keys.is_empty() {
            true => {
                let (index, _) =
                    table.indexes.iter().find(|(i, _)| i.oid == index).ok_or_else(|| {
                        PgError::internal(format!("index {index} is not one of \"{}\"", table.heap.name))
                    })?;
                by_index(txn, &table.heap, index, keys, &snapshot)?
            }
            false => by_heap(txn, &table.heap, snapshot)?,
        };
        for value in rows.iter_mut().flat_map(|r| &mut r.values) {
            if let Datum::Toasted(_) = value {
                *value = access::toast::detoast(txn, table.heap.toast.as_deref(), value.as_ref())?;
            }
        }
        Ok(rows)
    }
}

fn by_index(
    txn: &Transaction,
    heap: &Arc<HeapRelation>,
    index: &Arc<IndexRelation>,
    keys: &[Datum],
    snapshot: &txn::Snapshot,
) -> Result<Vec<Row>> {
    let conditions = keys.iter().zip(&index.keys).enumerate().map(|(i, (value, order))| ScanKey::Compare {
        column: i as u16,
        strategy: ScanStrategy::Equal,
        value: value.clone(),
        compare: order.compare.clone(),
    });
    let mut scan = index.am.begin_scan(txn, index, conditions.collect(), IndexScanOptions::default())?;
    let mut fetcher = Fetcher::new(heap.clone(), Projection::all(&heap.layout));
    let (mut batch, mut rows) = (IndexBatch::default(), Vec::new());
    loop {
        batch.clear();
        let more = scan.next(txn, Direction::Forward, &mut batch)?;
        for tid in &batch.tids {
            let row = fetcher.index_fetch_with(txn, *tid, Look::Mvcc(snapshot), |tid, bytes| {
                let mut values: Vec<DatumRef<'_>> = Vec::with_capacity(heap.layout.len());
                heap.layout.deform_all(bytes, &mut values)?;
                Ok(Row { tid, values: values.into_iter().map(DatumRef::to_owned).collect() })
            })?;
            rows.extend(row);
        }
        if !more {
            return Ok(rows);
        }
    }
}

fn by_heap(txn: &Transaction, heap: &Arc<HeapRelation>, snapshot: txn::Snapshot) -> Result<Vec<Row>> {
    let projection = Projection::all(&heap.layout);
    let mut columns = projection.columns(&heap.layout);
    let options = ScanOptions { no_ring: true, ..ScanOptions::default() };
    let mut scan = HeapScan::new(heap.clone(), txn, snapshot, projection, options)?;
    let (mut rows, mut tids) = (Vec::new(), Vec::new());
    loop {
        tids.clear();
        columns.iter_mut().for_each(types::Column::clear);
        let n = scan.next(txn, Direction::Forward, 1024, &mut columns, Some(&mut tids))?;
        if n == 0 {
            return Ok(rows);
        }
        for (i, tid) in tids.iter().enumerate().take(n) {
            rows.push(Row { tid: *tid, values: columns.iter().map(|c| c.get(i).to_owned()).collect() });
        }
    }
}

/// Layouts of all catalogs, their TOAST tables and indexes.
fn definitions() -> Result<HashMap<Oid, Definition>> {
    fn typed<T: CatalogRow>() -> Result<Vec<T>> {
        let def = catalog_def(T::CATALOG).ok_or_else(|| PgError::internal("no such catalog"))?;
        published_rows(def)?.iter().map(|r| T::from_row(r)).collect()
    }
    let mut columns: HashMap<Oid, Vec<PgAttribute>> = HashMap::new();
    for a in typed::<PgAttribute>()?.into_iter().filter(|a| a.attnum > 0) {
        columns.entry(a.attrelid).or_default().push(a);
    }
    let indexes: HashMap<Oid, PgIndex> = typed::<PgIndex>()?.into_iter().map(|i| (i.indexrelid, i)).collect();
    let classes: HashMap<Oid, PgOpclass> = typed::<PgOpclass>()?.into_iter().map(|c| (c.oid, c)).collect();
    let procs: HashMap<(Oid, Oid, Oid, i16), Oid> = typed::<PgAmproc>()?
        .into_iter()
        .map(|p| ((p.amprocfamily, p.amproclefttype, p.amprocrighttype, p.amprocnum), p.amproc))
        .collect();
    // Few of thousands, which take time to read.
    let support: HashSet<Oid> = procs.values().copied().collect();
    let is_support = |oid: &str| oid.parse().is_ok_and(|oid| support.contains(&Oid(oid)));
    let procedures = catalog_def(PgProc::CATALOG).ok_or_else(|| PgError::internal("no such catalog"))?;
    let mut sources: HashMap<Oid, String> = HashMap::new();
    for row in published_rows_where(procedures, is_support)? {
        let p = PgProc::from_row(&row)?;
        sources.insert(p.oid, p.prosrc);
    }
    let mut out = HashMap::new();
    for class in typed::<PgClass>()? {
        let mut attributes = columns.remove(&class.oid).unwrap_or_default();
        attributes.sort_by_key(|a| a.attnum);
        let desc = TupleDesc { type_oid: class.reltype, ..TupleDesc::new(attributes.iter().map(attribute).collect()) };
        let index = indexes.get(&class.oid).cloned();
        let (mut orders, mut deduplicate) = (Vec::new(), true);
        for opclass in index.iter().flat_map(|i| &i.indclass) {
            let missing = || PgError::internal(format!("unknown operator class {opclass}"));
            let c = classes.get(opclass).ok_or_else(missing)?;
            let proc = |n| procs.get(&(c.opcfamily, c.opcintype, c.opcintype, n));
            orders.push(proc(1).and_then(|p| sources.get(p)).ok_or_else(missing)?.clone());
            deduplicate &= proc(4).is_some();
        }
        let layout = Arc::new(TupleLayout::new(&Arc::new(desc)));
        out.insert(class.oid, Definition { class, layout, index, orders, deduplicate });
    }
    Ok(out)
}

/// One session's access to its database's catalogs, inside its transaction.
pub struct CatalogStore {
    files: Arc<CatalogFiles>,
    txn: RwLock<Option<Arc<Transaction>>>,
}

impl CatalogStore {
    pub fn new(files: Arc<CatalogFiles>) -> Arc<CatalogStore> {
        Arc::new(CatalogStore { files, txn: RwLock::new(None) })
    }
    /// The transaction to read and write in. Set `None` before the transaction ends, so that its owner holds the last `Arc`.
    pub fn set_transaction(&self, txn: Option<Arc<Transaction>>) {
        *self.txn.write() = txn;
    }
    fn txn(&self) -> Result<Arc<Transaction>> {
        self.txn.read().clone().ok_or_else(|| PgError::internal("catalog access outside a transaction"))
    }
    fn table(&self, catalog: Oid, txn: &Transaction) -> Result<Arc<Table>> {
        self.files.table(catalog, txn)
    }

    fn insert_index_entries(&self, txn: &Transaction, table: &Table, row: &[Datum], tid: TupleId) -> Result<()> {
        for (index, columns) in &table.indexes {
            let values: Vec<Datum> = columns.iter().map(|k| row[*k as usize - 1].clone()).collect();
            let check = if index.unique { UniqueCheck::Yes } else { UniqueCheck::No };
            match index.am.insert(txn, index, &table.heap, &values, tid, check, false)? {
                IndexInsert::Inserted | IndexInsert::MaybeDuplicate => {}
                IndexInsert::Duplicate(_) => return Err(duplicate(&table.heap, index, columns, &values)),
            }
        }
        Ok(())
    }
}

#[cold]
fn duplicate(heap: &HeapRelation, index: &IndexRelation, columns: &[i16], values: &[Datum]) -> PgError {
    let names: Vec<&str> = columns.iter().map(|k| &*heap.layout.desc().attrs[*k as usize - 1].name).collect();
    let shown: Vec<String> = values
        .iter()
        .map(|v| match v.as_ref() {
            DatumRef::Null => "null".to_owned(),
            DatumRef::Word(w) => (w as i64).to_string(),
            other => String::from_utf8_lossy(other.as_bytes()).into_owned(),
        })
        .collect();
    PgError::new(UNIQUE_VIOLATION, format!("duplicate key value violates unique constraint \"{}\"", index.name))
        .detail(format!("Key ({})=({}) already exists.", names.join(", "), shown.join(", ")))
        .table("pg_catalog", &*heap.name)
        .constraint(&*index.name)
}

fn outcome(o: Outcome) -> Result<()> {
    match o {
        Outcome::Ok => Ok(()),
        Outcome::SelfModified { .. } => Err(PgError::internal("tuple already updated by self")),
        Outcome::Updated { .. } => Err(PgError::internal("tuple concurrently updated")),
        Outcome::Deleted { .. } => Err(PgError::internal("tuple concurrently deleted")),
        other => Err(PgError::internal(format!("unrecognized outcome of a catalog update: {other:?}"))),
    }
}

impl CatalogScan for CatalogStore {
    fn scan(&self, catalog: Oid, index: Oid, keys: &[Datum]) -> Result<Vec<Row>> {
        let txn = self.txn()?;
        self.files.scan(&txn, catalog, index, keys)
    }
    fn mapped_file(&self, rel: Oid, shared: bool) -> Result<Oid> {
        let maps = self.files.maps.read();
        let map = if shared { &maps.shared } else { &maps.local };
        map.file_of(rel)
            .ok_or_else(|| PgError::internal(format!("could not find relation mapping for relation OID {rel}")))
    }
    fn insert(&self, catalog: Oid, row: &[Datum]) -> Result<TupleId> {
        let txn = self.txn()?;
        let table = self.table(catalog, &txn)?;
        let tid = table.heap.insert(&txn, row, InsertOptions::default(), None)?;
        self.insert_index_entries(&txn, &table, row, tid)?;
        Ok(tid)
    }
    fn update(&self, catalog: Oid, tid: TupleId, row: &[Datum]) -> Result<TupleId> {
        let txn = self.txn()?;
        let table = self.table(catalog, &txn)?;
        let updated = table.heap.update(&txn, tid, row, ModifyOptions::new(txn.command_id()))?;
        outcome(updated.outcome)?;
        if updated.indexes == UpdateIndexes::All {
            self.insert_index_entries(&txn, &table, row, updated.tid)?;
        }
        Ok(updated.tid)
    }
    fn update_in_place(&self, catalog: Oid, tid: TupleId, row: &[Datum], messages: &[Invalidation]) -> Result<bool> {
        let txn = self.txn()?;
        let table = self.table(catalog, &txn)?;
        let messages = InplaceMessages {
            db: self.files.database,
            tablespace: self.files.tablespace,
            relcache_init_file: touches_system_relations(messages),
            messages: messages.iter().map(|m| m.to_bytes()).collect(),
        };
        table.heap.update_in_place(&txn, tid, messages, |_| Ok(row.to_vec()))
    }
    fn delete(&self, catalog: Oid, tid: TupleId) -> Result<()> {
        let txn = self.txn()?;
        let table = self.table(catalog, &txn)?;
        outcome(table.heap.delete(&txn, tid, ModifyOptions::new(txn.command_id()))?)
    }
    fn next_oid(&self) -> Result<Oid> {
        self.txn()?.manager().next_oid()
    }
    fn file_exists(&self, locator: RelFileLocator) -> Result<bool> {
        self.txn()?.manager().pool().smgr().exists(locator, base::ForkNumber::Main)
    }
    fn create_storage(&self, locator: RelFileLocator, persistence: u8) -> Result<()> {
        let txn = self.txn()?;
        txn.create_storage(locator, persistence_of(persistence, &txn))
    }
    fn create_init_fork(&self, locator: RelFileLocator) -> Result<()> {
        self.txn()?.create_fork(locator, base::ForkNumber::Init)
    }
    fn build_empty_index(&self, index: &Arc<IndexRelation>) -> Result<()> {
        let txn = self.txn()?;
        let mut nothing: Box<BuildSource<'_>> = Box::new(|_| Ok(()));
        index.am.build(&txn, index, &mut *nothing, 1 << 20)?;
        match index.persistence {
            Persistence::Unlogged => {
                txn.create_fork(index.locator, base::ForkNumber::Init)?;
                index.am.build_empty(&txn, index)
            }
            _ => Ok(()),
        }
    }
    fn declare_persistence(&self, locator: RelFileLocator, persistence: Persistence) {
        if let Ok(txn) = self.txn() {
            let smgr = txn.manager().pool().smgr();
            if smgr.persistence(locator) != persistence {
                smgr.set_persistence(locator, persistence);
            }
        }
    }
    fn drop_storage(&self, locator: RelFileLocator, persistence: Persistence) -> Result<()> {
        self.declare_persistence(locator, persistence);
        self.txn()?.drop_storage(locator);
        Ok(())
    }
    fn command_counter_increment(&self) -> Result<()> {
        self.txn()?.command_counter_increment()
    }
    fn oldest_ids(&self) -> Result<(base::Xid, base::MultiXactId)> {
        let txn = self.txn()?;
        Ok((txn.latest_snapshot()?.xmin, txn.manager().multixacts().oldest_needed()))
    }
}

fn persistence_of(letter: u8, txn: &Transaction) -> Persistence {
    match letter {
        b'u' => Persistence::Unlogged,
        b't' => Persistence::Temporary(txn.proc().number() as i32),
        _ => Persistence::Permanent,
    }
}
