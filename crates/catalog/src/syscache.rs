//! The caches: rows by key, lists by a key's first columns, and what is derived from them; shared by all sessions, with a private
//! overlay for a transaction's own changes.
//!
//! [`SharedCatalog`] belongs to the cluster. A [`Catalog`] is one session's view of it: it knows the database, how to read
//! catalogs ([`CatalogScan`]) and what the open transaction changed. An entry that the transaction changed is *dirty*: it is
//! read into and from the overlay; all others from the shared caches.
//!
//! The life of a change: [`Catalog::invalidate`] queues what a changed row makes stale; [`Catalog::command_end`] makes it
//! dirty, as the next command sees the new row; after the transaction has become visible to others, [`Catalog::commit`] applies it
//! to the shared caches; [`Catalog::abort`] forgets the overlay.
//!
//! Invariant: a value is published only if it was read under a snapshot taken after the slot's count was read, and the
//! committing transaction becomes visible before it invalidates. So a stale value always meets a moved count.
//!
//! PostgreSQL: `syscache.c`, `catcache.c`, `inval.c`; one cache for all sessions instead of one for each.

use std::any::Any;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use base::{Oid, PgError, Result};
use hashbrown::HashSet;
use parking_lot::Mutex;
use types::Datum;

use crate::hash::cache_hash;
use crate::inval::Invalidation;
use crate::namespace::PathState;
use crate::open::Environment;
use crate::row::CatalogRow;
use crate::scan::{CatalogScan, Row};
use crate::slots::{Slot, Value};
use crate::temp::{TempMark, TempState};

/// One cache: the unique index that serves it and that index's key columns with their types.
pub struct CacheDef {
    pub id: CacheId,
    pub catalog: Oid,
    pub index: Oid,
    pub keys: &'static [(i16, Oid)],
    pub shared: bool,
}

mod generated {
    #![allow(clippy::upper_case_acronyms, reason = "PostgreSQL's names")]
    use super::*;
    include!(concat!(env!("OUT_DIR"), "/syscaches.rs"));
}
pub use generated::*;

impl CacheId {
    pub fn from_number(n: u8) -> Option<CacheId> {
        SYSCACHES.get(usize::from(n)).map(|d| d.id)
    }
    pub fn def(self) -> &'static CacheDef {
        &SYSCACHES[self as usize]
    }
}

/// The caches that type, operator and role entries in `Derived` are made of.
const DERIVED_FROM: &[CacheId] = &[
    CacheId::TYPEOID,
    CacheId::CLAOID,
    CacheId::AMOPSTRATEGY,
    CacheId::AMPROCNUM,
    CacheId::RANGETYPE,
    CacheId::CASTSOURCETARGET,
    CacheId::AUTHOID,
    CacheId::AUTHMEMMEMROLE,
    CacheId::DATABASEOID,
    CacheId::ENUMOID,
];

/// Entries of one kind, shared or private.
struct Slots {
    rows: Vec<Slot>,
    lists: Vec<Slot>,
    relations: Slot,
    derived: Slot,
}

impl Slots {
    fn new() -> Slots {
        // Enough for the objects that a busy database uses at a time; a relation with its columns takes some kilobytes.
        let many = |n| SYSCACHES.iter().map(|_| Slot::new(n)).collect();
        Slots { rows: many(16384), lists: many(4096), relations: Slot::new(8192), derived: Slot::new(8192) }
    }
    fn slot(&self, place: Place) -> &Slot {
        match place {
            Place::Row(c) => &self.rows[c as usize],
            Place::List(c) => &self.lists[c as usize],
            Place::Relation => &self.relations,
            Place::Derived => &self.derived,
        }
    }
    fn forget(&self, m: &Invalidation) {
        match *m {
            Invalidation::Cache { cache, db, hash } => {
                self.rows[cache as usize].invalidate(db, hash);
                self.lists[cache as usize].clear();
                if DERIVED_FROM.contains(&cache) {
                    self.derived.clear();
                }
            }
            Invalidation::Catalog { catalog, .. } => {
                SYSCACHES.iter().filter(|d| d.catalog == catalog).for_each(|d| {
                    self.rows[d.id as usize].clear();
                    self.lists[d.id as usize].clear();
                });
                self.derived.clear();
            }
            // A shared relation has an entry for each database.
            Invalidation::Relation { db, rel } if !rel.is_valid() || !db.is_valid() => self.relations.clear(),
            Invalidation::Relation { db, rel } => self.relations.invalidate(db, rel.0),
            Invalidation::RelationMap { .. } => self.relations.clear(),
            Invalidation::Files { .. } | Invalidation::Snapshot { .. } | Invalidation::Replication { .. } => {}
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    Row(CacheId),
    List(CacheId),
    Relation,
    Derived,
}

/// The cluster's catalog caches.
pub struct SharedCatalog {
    slots: Slots,
    generation: AtomicU64,
    environment: Option<Arc<dyn Environment>>,
}

impl SharedCatalog {
    pub fn new() -> Arc<SharedCatalog> {
        SharedCatalog::with(None)
    }
    /// Caches whose relations can be opened for access.
    pub fn with_environment(environment: Arc<dyn Environment>) -> Arc<SharedCatalog> {
        SharedCatalog::with(Some(environment))
    }
    fn with(environment: Option<Arc<dyn Environment>>) -> Arc<SharedCatalog> {
        Arc::new(SharedCatalog { slots: Slots::new(), generation: AtomicU64::new(0), environment })
    }
    pub(crate) fn environment(&self) -> Option<&Arc<dyn Environment>> {
        self.environment.as_ref()
    }
    /// Counts invalidations. A plan made at one count holds as long as the count, or else as long as each entry it
    /// was made from is still the same `Arc`.
    pub fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }
    /// Forgets what has changed: at commit, and when a standby replays a commit.
    pub fn apply(&self, messages: &[Invalidation]) {
        messages.iter().for_each(|m| self.slots.forget(m));
        if !messages.is_empty() {
            self.generation.fetch_add(1, Ordering::AcqRel);
        }
    }
    /// Forgets everything.
    pub fn reset(&self) {
        let s = &self.slots;
        s.rows.iter().chain(&s.lists).chain([&s.relations, &s.derived]).for_each(Slot::clear);
        self.generation.fetch_add(1, Ordering::AcqRel);
    }
}

/// What the open transaction changed.
#[derive(Default)]
struct Overlay {
    /// Changes of the current command, not seen by itself.
    pending: Vec<Invalidation>,
    /// Changes of the earlier commands.
    done: Vec<Invalidation>,
    dirty: HashSet<(CacheId, u32)>,
    dirty_caches: HashSet<CacheId>,
    dirty_relations: HashSet<Oid>,
    all_dirty: bool,
    slots: Option<Arc<Slots>>,
    /// The shared count at which `slots` was last known to be right.
    seen: u64,
}

impl Overlay {
    fn is_dirty(&self, place: Place, hash: u32) -> bool {
        self.all_dirty
            || match place {
                Place::Row(c) => self.dirty.contains(&(c, hash)),
                Place::List(c) => self.dirty_caches.contains(&c),
                Place::Relation => self.dirty_relations.contains(&Oid(hash)),
                Place::Derived => DERIVED_FROM.iter().any(|c| self.dirty_caches.contains(c)),
            }
    }
    fn mark(&mut self, m: &Invalidation) {
        match *m {
            Invalidation::Cache { cache, hash, .. } => {
                self.dirty.insert((cache, hash));
                self.dirty_caches.insert(cache);
            }
            Invalidation::Relation { rel, .. } if rel.is_valid() => {
                self.dirty_relations.insert(rel);
            }
            Invalidation::Catalog { .. } | Invalidation::Relation { .. } | Invalidation::RelationMap { .. } => {
                self.all_dirty = true;
            }
            Invalidation::Files { .. } | Invalidation::Snapshot { .. } | Invalidation::Replication { .. } => {}
        }
        if let Some(slots) = &self.slots {
            slots.forget(m);
        }
    }
}

/// A place in a transaction's changes, to roll back to. (PostgreSQL: a subtransaction's `TransInvalidationInfo`)
#[derive(Clone, Copy, Debug)]
pub struct Mark(usize, TempMark);

/// One session's view of the catalogs. Cheap to clone; clones see the same transaction.
#[derive(Clone)]
pub struct Catalog {
    pub(crate) shared: Arc<SharedCatalog>,
    pub(crate) database: Oid,
    pub(crate) scan: Arc<dyn CatalogScan>,
    local: Arc<Local>,
}

#[derive(Default)]
struct Local {
    /// Whether the overlay holds anything dirty; spares the lock otherwise.
    changed: AtomicBool,
    /// Counts what made entries dirty or clean again.
    changes: AtomicU64,
    overlay: Mutex<Overlay>,
    path: Mutex<PathState>,
    temp: TempState,
}

impl Catalog {
    pub fn new(shared: Arc<SharedCatalog>, database: Oid, scan: Arc<dyn CatalogScan>) -> Catalog {
        Catalog { shared, database, scan, local: Arc::default() }
    }
    /// The published rows, in memory: for tests that need no storage.
    pub fn bootstrap() -> Catalog {
        Catalog::new(SharedCatalog::new(), crate::oids::POSTGRES_DB, Arc::new(crate::BootstrapCatalog::new()))
    }
    pub fn database_oid(&self) -> Oid {
        self.database
    }
    pub fn shared(&self) -> &Arc<SharedCatalog> {
        &self.shared
    }
    /// Whether the transaction has changed catalogs.
    pub fn has_changes(&self) -> bool {
        self.local.changed.load(Ordering::Acquire)
    }
    /// A number that moves whenever this session's own view of the catalogs does: with what its transaction changes, and with
    /// the end of such a transaction. Together with [`SharedCatalog::generation`] it tells whether a plan still holds.
    pub fn change_count(&self) -> u64 {
        self.local.changes.load(Ordering::Acquire)
    }
    pub(crate) fn path_state(&self) -> &Mutex<PathState> {
        &self.local.path
    }
    pub(crate) fn temp_state(&self) -> &TempState {
        &self.local.temp
    }
    /// Reads rows without any cache. (PostgreSQL: `systable_beginscan`)
    pub fn rows<T: CatalogRow>(&self, index: Oid, keys: &[Datum]) -> Result<Vec<T>> {
        self.scan.scan(T::CATALOG, index, keys)?.iter().map(|r| T::from_row(&r.values)).collect()
    }
    /// As `rows`, with their places.
    pub fn scan(&self, catalog: Oid, index: Oid, keys: &[Datum]) -> Result<Vec<Row>> {
        self.scan.scan(catalog, index, keys)
    }

    /// The row with this key. (PostgreSQL: `SearchSysCache`)
    pub fn get<T: CatalogRow>(&self, cache: CacheId, keys: &[Datum]) -> Result<Option<Arc<T>>> {
        let def = cache.def();
        debug_assert!(def.catalog == T::CATALOG && def.keys.len() == keys.len(), "{cache:?}");
        let hash = cache_hash(keys, def.keys.iter().map(|k| k.1));
        let value = self.fetch(Place::Row(cache), self.cache_db(def), hash, keys, &mut || {
            let rows = self.scan.scan(def.catalog, def.index, keys)?;
            let Some(row) = rows.first() else { return Ok(None) };
            Ok(Some(Arc::new(T::from_row(&row.values)?)))
        })?;
        value.map(downcast).transpose()
    }

    /// The rows whose keys begin with these values. (PostgreSQL: `SearchSysCacheList`)
    pub fn list<T: CatalogRow>(&self, cache: CacheId, keys: &[Datum]) -> Result<Arc<[Arc<T>]>> {
        let def = cache.def();
        debug_assert!(def.catalog == T::CATALOG, "{cache:?}");
        let hash = cache_hash(keys, def.keys.iter().map(|k| k.1));
        let value = self.fetch(Place::List(cache), self.cache_db(def), hash, keys, &mut || {
            let rows = self.scan.scan(def.catalog, def.index, keys)?;
            let rows: Result<Vec<Arc<T>>> = rows.iter().map(|r| T::from_row(&r.values).map(Arc::new)).collect();
            Ok(Some(Arc::new(List(rows?.into()))))
        })?;
        let list: Arc<List<T>> = downcast(value.ok_or_else(lost)?)?;
        Ok(list.0.clone())
    }

    fn cache_db(&self, def: &CacheDef) -> Oid {
        if def.shared { Oid::INVALID } else { self.database }
    }

    /// A relation's entry by its id, loaded by `load`.
    pub(crate) fn fetch_relation<T: Any + Send + Sync>(
        &self,
        rel: Oid,
        load: &mut dyn FnMut() -> Result<Option<Arc<T>>>,
    ) -> Result<Option<Arc<T>>> {
        let value = self.fetch(Place::Relation, self.database, rel.0, &[], &mut || {
            Ok(load()?.map(|v| v as Arc<dyn Any + Send + Sync>))
        })?;
        value.map(downcast).transpose()
    }

    /// Something made of rows of the caches in `DERIVED_FROM`. `kind` tells entries of different sorts apart.
    pub(crate) fn fetch_derived<T: Any + Send + Sync>(
        &self,
        kind: u8,
        id: Oid,
        load: &mut dyn FnMut() -> Result<Option<Arc<T>>>,
    ) -> Result<Option<Arc<T>>> {
        let keys = [Datum::char(kind)];
        let value = self.fetch(Place::Derived, self.database, id.0, &keys, &mut || {
            Ok(load()?.map(|v| v as Arc<dyn Any + Send + Sync>))
        })?;
        value.map(downcast).transpose()
    }

    fn fetch(
        &self,
        place: Place,
        db: Oid,
        hash: u32,
        keys: &[Datum],
        load: &mut dyn FnMut() -> Result<Value>,
    ) -> Result<Value> {
        let private = self.private_slots(place, hash);
        let slot = private.as_deref().unwrap_or(&self.shared.slots).slot(place);
        if let Some(value) = slot.get(db, hash, keys) {
            return Ok(value);
        }
        let generation = slot.generation();
        let value = load()?;
        slot.publish(generation, db, hash, keys, value.clone());
        Ok(value)
    }

    /// The overlay's slots if the entry is dirty.
    fn private_slots(&self, place: Place, hash: u32) -> Option<Arc<Slots>> {
        if !self.has_changes() {
            return None;
        }
        let mut overlay = self.local.overlay.lock();
        if !overlay.is_dirty(place, hash) {
            return None;
        }
        // Others may have committed changes to what we hold.
        let now = self.shared.generation();
        if overlay.seen != now {
            (overlay.slots, overlay.seen) = (None, now);
        }
        Some(overlay.slots.get_or_insert_with(|| Arc::new(Slots::new())).clone())
    }

    /// Queues what the current command makes stale. (PostgreSQL: `CacheInvalidateHeapTuple` and its like)
    pub fn invalidate(&self, messages: impl IntoIterator<Item = Invalidation>) {
        let mut overlay = self.local.overlay.lock();
        for m in messages {
            if !overlay.pending.contains(&m) {
                overlay.pending.push(m);
            }
        }
    }

    /// The command's changes become visible to the transaction; to be called right after the command counter moved. Returns the
    /// messages, for the log at `wal_level` logical. (PostgreSQL: `CommandEndInvalidationMessages`)
    pub fn command_end(&self) -> Vec<Invalidation> {
        let mut overlay = self.local.overlay.lock();
        let pending = std::mem::take(&mut overlay.pending);
        for m in &pending {
            overlay.mark(m);
        }
        if !pending.is_empty() {
            overlay.done.extend_from_slice(&pending);
            self.local.changed.store(true, Ordering::Release);
            self.local.changes.fetch_add(1, Ordering::AcqRel);
        }
        pending
    }

    /// What the transaction changed, for its commit record. (PostgreSQL: `xactGetCommittedInvalidationMessages`)
    pub fn messages(&self) -> Vec<Invalidation> {
        let overlay = self.local.overlay.lock();
        overlay.done.iter().chain(&overlay.pending).copied().collect()
    }

    /// The transaction is committed and visible to others, its locks still held: all sessions forget what it changed.
    pub fn commit(&self) {
        let messages = self.messages();
        // The shared caches first: once the overlay is gone, our own look-ups go there.
        self.shared.apply(&messages);
        self.abort();
    }

    /// Forgets the transaction's changes.
    pub fn abort(&self) {
        let mut overlay = self.local.overlay.lock();
        *overlay = Overlay::default();
        if self.local.changed.swap(false, Ordering::AcqRel) {
            self.local.changes.fetch_add(1, Ordering::AcqRel);
        }
    }

    /// Where a subtransaction begins.
    pub fn mark(&self) -> Mark {
        Mark(self.local.overlay.lock().done.len(), self.temp_mark())
    }

    /// A subtransaction has failed: what it changed is as before. (PostgreSQL: `AtEOSubXact_Inval`)
    pub fn abort_to(&self, mark: Mark) {
        self.temp_abort_to(mark.1);
        let mut overlay = self.local.overlay.lock();
        let keep = mark.0.min(overlay.done.len());
        let mut undone = overlay.done.split_off(keep);
        undone.append(&mut overlay.pending);
        // The entries stay dirty, which is merely slower, and are read anew.
        for m in &undone {
            overlay.mark(m);
        }
        if !undone.is_empty() {
            self.local.changed.store(true, Ordering::Release);
            self.local.changes.fetch_add(1, Ordering::AcqRel);
        }
    }
}

struct List<T>(Arc<[Arc<T>]>);

#[cold]
fn lost() -> PgError {
    PgError::internal("a catalog cache entry has another type than expected")
}

fn downcast<T: Any + Send + Sync>(value: Arc<dyn Any + Send + Sync>) -> Result<Arc<T>> {
    value.downcast().map_err(|_| lost())
}
