//! B-trees, on PostgreSQL's pages (version 4) and with its WAL records.
//!
//! | file | what |
//! | --- | --- |
//! | `page.rs` | special space, metapage |
//! | `tuple.rs` | leaf tuples, posting lists, pivots as bytes |
//! | `search.rs` | [`search::Tree`]; comparing, binary search, descent |
//! | `scan.rs`, `scankeys.rs` | scans, and what their conditions mean for the stretch to read |
//! | `insert.rs` | unique checks, finding the place, inserting |
//! | `queue.rs` | many insertions at once, sorted |
//! | `split.rs`, `splitloc.rs` | dividing pages, unfinished splits; where to divide |
//! | `dedup.rs`, `delete.rs` | making room on a leaf |
//! | `build.rs`, `sort.rs` | bulk build from sorted tuples |
//! | `vacuum.rs` | removing entries, deleting and recycling pages |
//! | `wal.rs` | records: encoding, redo, description |
//!
//! Invariants
//! - On a level, pages are chained in both directions; a page's high key is not less than its items and not greater than
//!   those to its right. A search that finds its key beyond the high key goes right. (Lehman and Yao)
//! - Latches are coupled to the right and upwards only. A descent holds one at a time.
//! - Entries are unique: the row place is the last key column. Pivots hold as few columns as separate their neighbours.
//!
//! Different from PostgreSQL: no latch on the metapage is avoided by a cache, since reading it costs two atomic steps; no
//! bottom-up deletion, no skip scan; indexes of versions 2 and 3 are refused.
//!
//! PostgreSQL: `src/backend/access/nbtree`, its README.

mod build;
mod dedup;
mod delete;
pub mod insert;
pub mod page;
mod queue;
#[cfg(test)]
mod queue_tests;
mod scan;
mod scankeys;
pub mod search;
mod sort;
mod split;
mod splitloc;
#[cfg(test)]
mod tests;
pub mod tuple;
mod vacuum;
pub mod wal;

use std::sync::Arc;

use base::{FullXid, Interrupt, PgError, Result, TupleId, Xid};
use types::{Datum, DatumRef};

use crate::heap::HeapRelation;
use crate::index::{
    BuildSource, IndexAm, IndexBuild, IndexInsert, IndexQueue, IndexRelation, IndexScan, IndexScanOptions, IndexVacuum,
    IndexVacuumStats, ScanKey, UniqueCheck,
};
use crate::toast;
use crate::tuple::varlena;
use insert::{Attempt, InsertRequest};
use search::Tree;
use storage::Persistence;
use txn::lock::LockLevel;
use txn::ssi::Watched;
use txn::{HorizonKind, LockMode, LockTag, Transaction};
pub use vacuum::VacuumCycles;

/// The access method. One for a cluster: it knows the vacuums that are under way.
#[derive(Default)]
pub struct Nbtree {
    cycles: Arc<VacuumCycles>,
}

impl Nbtree {
    pub fn new() -> Nbtree {
        Nbtree::default()
    }
    /// Runs `body` with what is needed to work on the index.
    fn with_tree<R>(
        &self,
        txn: &Transaction,
        index: &IndexRelation,
        body: impl FnOnce(&Tree<'_>) -> Result<R>,
    ) -> Result<R> {
        let manager = txn.manager();
        let horizon = manager.visibility_horizon(horizon_kind(index), txn.proc().database());
        let recyclable = |xid: FullXid| {
            let next = manager.next_full_xid();
            // Older than half the circle: nobody can be left from then.
            next.0.saturating_sub(xid.0) > u64::from(u32::MAX / 2) || horizon.is_removable(xid.xid())
        };
        body(&Tree {
            pool: manager.pool(),
            index,
            log: if index.needs_wal() { Some(&**manager.wal()) } else { None },
            xid: txn.xid_if_assigned().unwrap_or(Xid::INVALID),
            cycles: &self.cycles,
            recyclable: &recyclable,
            watched: watched(txn, index),
            ssi: Some(manager.ssi()),
        })
    }
}

/// Whom to tell of reads and writes: only serializable transactions are watched.
#[inline]
fn watched<'t>(txn: &'t Transaction, index: &IndexRelation) -> Option<Watched<'t>> {
    let watched = txn.watched()?;
    let temporary = matches!(index.persistence, Persistence::Temporary(_));
    (index.oid >= crate::heap::FIRST_WATCHED && !temporary).then_some(watched)
}

fn horizon_kind(index: &IndexRelation) -> HorizonKind {
    match index.persistence {
        Persistence::Temporary(_) => HorizonKind::Temp,
        _ if index.is_shared => HorizonKind::Shared,
        _ if index.is_catalog => HorizonKind::Catalog,
        _ => HorizonKind::Data,
    }
}

impl Tree<'_> {
    /// How full leaves are packed where they will not soon be inserted into, in percent.
    pub fn fill_factor(&self) -> u16 {
        if self.index.fillfactor == 0 { 90 } else { self.index.fillfactor.clamp(10, 100) }
    }
    /// Makes a leaf tuple; long values are compressed. None may be external: see [`crate::index::stored_values`].
    pub fn form(&self, values: &[DatumRef<'_>], tid: TupleId, out: &mut Vec<u8>) -> Result<()> {
        let layout = &self.index.layout;
        let is_long =
            |v: &DatumRef<'_>| matches!(v, DatumRef::Bytes(b) if b.len() + varlena::HEADER > toast::INDEX_TARGET);
        if !values.iter().any(is_long) {
            return layout.form_index(values, tid, out);
        }
        let mut stored: Vec<Datum> = Vec::with_capacity(values.len());
        for (value, att) in values.iter().zip(&layout.desc().attrs) {
            let compressible = att.len == -1 && matches!(att.storage, b'x' | b'm') && is_long(value);
            let method = varlena::Compression::from_attribute(att.compression, varlena::Compression::Pglz);
            stored.push(match compressible.then(|| toast::compress_inline(value.as_bytes(), method)).flatten() {
                Some(whole) => Datum::Toasted(whole.into()),
                None => (*value).to_owned(),
            });
        }
        layout.form_index(&stored, tid, out)
    }
}

/// A value in plain form; it may be compressed in line.
pub(crate) fn plain(value: DatumRef<'_>) -> Result<Datum> {
    let DatumRef::Toasted(bytes) = value else { return Ok(value.to_owned()) };
    if varlena::is_external(bytes) {
        return Err(PgError::internal("an index tuple holds an external value"));
    }
    toast::decompress_inline(bytes, None).map(Datum::bytes)
}

impl IndexAm for Nbtree {
    fn name(&self) -> &'static str {
        "btree"
    }
    fn insert(
        &self,
        txn: &Transaction,
        index: &IndexRelation,
        heap: &HeapRelation,
        values: &[Datum],
        tid: TupleId,
        check: UniqueCheck,
        _unchanged: bool,
    ) -> Result<IndexInsert> {
        let keys = &values[..index.keys.len().min(values.len())];
        let never_equal = !index.nulls_not_distinct && keys.iter().any(Datum::is_null);
        let values = crate::index::stored_values(txn, index, heap.toast.as_deref(), values)?;
        let values: Vec<DatumRef<'_>> = values.iter().map(Datum::as_ref).collect();
        let mut new = Vec::new();
        self.with_tree(txn, index, |tree| {
            tree.form(&values, tid, &mut new)?;
            loop {
                let mut row_state = |tid| heap.check_unique(txn, tid);
                let mut dead_rows = |tids: &mut Vec<TupleId>| heap.index_delete_check(txn, tids);
                let mut request = InsertRequest {
                    tuple: &new,
                    check,
                    never_equal,
                    row_state: &mut row_state,
                    dead_rows: &mut dead_rows,
                };
                match tree.insert(&mut request)? {
                    Attempt::Done(outcome) => return Ok(outcome),
                    Attempt::Wait { xid, token: 0 } => txn.manager().wait_for_xid(txn.proc(), xid)?,
                    Attempt::Wait { xid, token } => wait_for_speculation(txn, xid, token)?,
                }
            }
        })
    }
    fn queue(&self, index: &Arc<IndexRelation>, check: bool) -> Option<Box<dyn IndexQueue>> {
        Some(Box::new(queue::Queue::new(self.cycles.clone(), index.clone(), check)))
    }
    fn begin_scan(
        &self,
        txn: &Transaction,
        index: &Arc<IndexRelation>,
        keys: Vec<ScanKey>,
        options: IndexScanOptions,
    ) -> Result<Box<dyn IndexScan>> {
        let pool = txn.manager().pool().clone();
        Ok(Box::new(scan::NbtreeScan::new(pool, index.clone(), self.cycles.clone(), keys, options)?))
    }
    fn build(
        &self,
        txn: &Transaction,
        index: &IndexRelation,
        source: &mut BuildSource<'_>,
        memory: usize,
    ) -> Result<IndexBuild> {
        self.with_tree(txn, index, |tree| tree.build(source, memory, &mut || txn.proc().interrupt().check()))
    }
    fn build_empty(&self, txn: &Transaction, index: &IndexRelation) -> Result<()> {
        self.with_tree(txn, index, |tree| {
            // The init fork survives crashes, so it is logged.
            let logged = Tree { log: Some(&**txn.manager().wal()), ..*tree };
            logged.build_empty(base::ForkNumber::Init, index.deduplicate)
        })
    }
    fn bulk_delete(
        &self,
        vacuum: &mut IndexVacuum<'_>,
        index: &IndexRelation,
        stats: Option<IndexVacuumStats>,
        is_dead: &mut dyn FnMut(TupleId) -> bool,
    ) -> Result<IndexVacuumStats> {
        let cycle = self.cycles.start(index.locator);
        self.run_vacuum(vacuum, index, stats.unwrap_or_default(), cycle.id, Some(is_dead))
    }
    fn vacuum_cleanup(
        &self,
        vacuum: &mut IndexVacuum<'_>,
        index: &IndexRelation,
        stats: Option<IndexVacuumStats>,
    ) -> Result<Option<IndexVacuumStats>> {
        let txn = vacuum.txn;
        let mut stats = match stats {
            Some(stats) => stats,
            None if self.with_tree(txn, index, |tree| tree.needs_cleanup())? => {
                let mut stats = self.run_vacuum(vacuum, index, IndexVacuumStats::default(), 0, None)?;
                stats.estimated = true;
                stats
            }
            None => return Ok(None),
        };
        let left = stats.pages_deleted.saturating_sub(stats.pages_free);
        self.with_tree(txn, index, |tree| tree.set_cleanup_info(left))?;
        stats.tuples = stats.tuples.min(vacuum.heap_tuples.max(0.0));
        Ok(Some(stats))
    }
    fn height(&self, txn: &Transaction, index: &IndexRelation) -> Result<Option<u32>> {
        self.with_tree(txn, index, |tree| Ok(Some(tree.meta()?.fast_level)))
    }
}

impl Nbtree {
    fn run_vacuum(
        &self,
        vacuum: &mut IndexVacuum<'_>,
        index: &IndexRelation,
        stats: IndexVacuumStats,
        cycle_id: u16,
        is_dead: Option<&mut dyn FnMut(TupleId) -> bool>,
    ) -> Result<IndexVacuumStats> {
        let txn = vacuum.txn;
        let interrupt: &Interrupt = txn.proc().interrupt();
        let next_xid = || txn.manager().next_full_xid();
        let mut run = vacuum::VacuumRun {
            strategy: vacuum.strategy,
            interrupt,
            delay: &mut *vacuum.delay,
            next_xid: &next_xid,
            cycle_id,
            deleted: Vec::new(),
            stats,
        };
        self.with_tree(txn, index, |tree| tree.vacuum(&mut run, is_dead))?;
        Ok(run.stats)
    }
}

/// Waits until a speculative insertion is confirmed or given up. (PostgreSQL: `SpeculativeInsertionWait`)
fn wait_for_speculation(txn: &Transaction, xid: Xid, token: u32) -> Result<()> {
    let tag = LockTag::SpeculativeToken { xid, token };
    let locks = txn.manager().locks();
    locks.lock(txn.proc(), tag, LockMode::Share)?;
    locks.release(txn.proc(), tag, LockMode::Share, LockLevel::Transaction);
    Ok(())
}
