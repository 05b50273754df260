//! What upper floors see of an index, whatever its kind: [`IndexRelation`] describes one, [`IndexAm`] is its kind.
//!
//! The upper floors compute index expressions and partial-index predicates, and put a name and values into the message of
//! a unique violation; an access method sees values and row places only. It asks the heap whether a row is alive with
//! [`crate::heap::HeapRelation::check_unique`].
//!
//! PostgreSQL: `amapi.h`, `genam.h`, `indexam.c`.

use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use base::{BlockNumber, Oid, RelFileLocator, Result, TupleId};
use storage::{Persistence, Strategy};
use txn::Transaction;
use types::{Comparator, Datum, DatumRef};

use crate::heap::{HeapRelation, ToastRelation};
use crate::tuple::{Compression, TupleLayout};

/// How a key column is ordered.
#[derive(Clone, Debug)]
pub struct KeyOrder {
    pub compare: Comparator,
    pub descending: bool,
    pub nulls_first: bool,
    pub collation: Oid,
}

/// An index as its access method sees it. Made by the catalog, shared by all who use the index.
pub struct IndexRelation {
    pub oid: Oid,
    pub name: Box<str>,
    pub locator: RelFileLocator,
    /// The table.
    pub heap: Oid,
    /// Of the index's tuples: key columns, then included ones.
    pub layout: Arc<TupleLayout>,
    /// One a key column; included columns have none.
    pub keys: Vec<KeyOrder>,
    pub unique: bool,
    /// Nulls are equal to each other. (PostgreSQL: `indnullsnotdistinct`)
    pub nulls_not_distinct: bool,
    pub persistence: Persistence,
    pub is_catalog: bool,
    pub is_shared: bool,
    /// Percent; 0 for the access method's own.
    pub fillfactor: u16,
    /// Equal keys may share a tuple. (PostgreSQL: `deduplicate_items`, and the operator classes allow it)
    pub deduplicate: bool,
    /// For the access method: where to begin, as far as it knows. A hint.
    pub start: IndexStart,
    pub am: Arc<dyn IndexAm>,
}

/// A page and its level, remembered from the last time. (PostgreSQL: `rd_amcache`)
#[derive(Default)]
pub struct IndexStart(AtomicU64);

impl IndexStart {
    /// 0 and 0 if nothing is known.
    #[inline]
    pub fn get(&self) -> (BlockNumber, u32) {
        let word = self.0.load(Ordering::Relaxed);
        (BlockNumber(word as u32), (word >> 32) as u32)
    }
    pub fn set(&self, block: BlockNumber, level: u32) {
        self.0.store(u64::from(level) << 32 | u64::from(block.0), Ordering::Relaxed);
    }
}

impl IndexRelation {
    pub fn needs_wal(&self) -> bool {
        self.persistence == Persistence::Permanent
    }
}

/// An index's values as its tuples hold them: external ones brought in, long ones compressed where their type allows it.
/// For [`IndexAm::build`]'s source and whoever else forms index tuples; [`IndexAm::insert`] does so itself.
/// (PostgreSQL: in `index_form_tuple`)
pub fn stored_values<'v>(
    txn: &Transaction,
    index: &IndexRelation,
    toast: Option<&ToastRelation>,
    values: &'v [Datum],
) -> Result<Cow<'v, [Datum]>> {
    let long = |d: &Datum| match d {
        Datum::Toasted(_) => true,
        Datum::Bytes(b) => b.len() + 4 > crate::toast::INDEX_TARGET,
        _ => false,
    };
    if !values.iter().any(long) {
        return Ok(Cow::Borrowed(values));
    }
    let mut stored = values.to_vec();
    for (value, att) in stored.iter_mut().zip(&index.layout.desc().attrs) {
        if att.len == -1 && long(value) {
            let method = Compression::from_attribute(att.compression, Compression::Pglz);
            *value = crate::toast::for_index(txn, toast, value.as_ref(), att.storage, method)?;
        }
    }
    Ok(Cow::Owned(stored))
}

/// What a unique index does about a row with equal keys. (PostgreSQL: `IndexUniqueCheck`)
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum UniqueCheck {
    /// The index is not unique, or nobody cares.
    No,
    /// Waits for a transaction that may leave such a row; a row that is there conflicts.
    Yes,
    /// Inserts in any case, without waiting; says whether there may be a conflict.
    Partial,
    /// The entry is there already: only checks again, as `Yes`.
    Existing,
}

/// What became of an insertion.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum IndexInsert {
    /// With [`UniqueCheck::Partial`]: and there is no conflict.
    Inserted,
    /// With [`UniqueCheck::Partial`]: inserted, to be checked again later.
    MaybeDuplicate,
    /// With `Yes` and `Existing`: this row has equal keys. Nothing was inserted. The caller raises 23505.
    Duplicate(TupleId),
}

/// The comparison of a scan key.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(u8)]
pub enum ScanStrategy {
    Less = 1,
    LessEqual = 2,
    Equal = 3,
    GreaterEqual = 4,
    Greater = 5,
}

/// A condition on one key column.
#[derive(Clone, Debug)]
pub enum ScanKey {
    /// `column op value`; a null value matches nothing. `compare` takes the column first (the types may differ).
    Compare {
        column: u16,
        strategy: ScanStrategy,
        value: Datum,
        compare: Comparator,
    },
    /// `column = ANY (values)`; nulls among them are left out.
    Any {
        column: u16,
        values: Vec<Datum>,
        compare: Comparator,
    },
    IsNull {
        column: u16,
    },
    IsNotNull {
        column: u16,
    },
    /// `(first, ..) op (values)`, columns in index order, compared as a row.
    Row {
        parts: Vec<(u16, Datum, Comparator)>,
        strategy: ScanStrategy,
    },
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Direction {
    Forward,
    Backward,
}

/// What a scan is for.
#[derive(Clone, Copy, Default, Debug)]
pub struct IndexScanOptions {
    /// Index tuples are returned along with row places: an index-only scan.
    pub want_tuples: bool,
}

/// Some entries of an index, in order.
#[derive(Default, Debug)]
pub struct IndexBatch {
    pub tids: Vec<TupleId>,
    /// With `want_tuples`: where each entry's index tuple begins and ends in `bytes`.
    pub tuples: Vec<(u32, u32)>,
    pub bytes: Vec<u8>,
    /// Nothing follows in this direction.
    pub is_last: bool,
}

impl IndexBatch {
    pub fn clear(&mut self) {
        self.tids.clear();
        self.tuples.clear();
        self.bytes.clear();
        self.is_last = false;
    }
    /// The index tuple of entry `i`; read it with [`TupleLayout::index_attr`].
    pub fn tuple(&self, i: usize) -> &[u8] {
        let (from, to) = self.tuples[i];
        &self.bytes[from as usize..to as usize]
    }
}

/// A scan in progress. It holds no latch between calls; it may hold a pin.
pub trait IndexScan: Send {
    /// Starts over, with other keys on the same columns if given; the old ones are left in their place, for their memory.
    /// (PostgreSQL: `amrescan`)
    fn rescan(&mut self, keys: Option<&mut Vec<ScanKey>>) -> Result<()>;
    /// Appends some entries (usually those of one page) that follow in this direction; `false` at the end.
    fn next(&mut self, txn: &Transaction, direction: Direction, out: &mut IndexBatch) -> Result<bool>;
    /// These places of the last batch (by position in it) hold rows that nobody can see any more.
    /// (PostgreSQL: `kill_prior_tuple`)
    fn kill(&mut self, positions: &[usize]);
    /// Remembers the place of entry `position` of the last batch, for merge joins. (PostgreSQL: `ammarkpos`)
    fn mark(&mut self, position: usize);
    /// Goes back there: the next batch begins with that entry. (PostgreSQL: `amrestrpos`)
    fn restore(&mut self) -> Result<()>;
}

/// What vacuum learns of an index. (PostgreSQL: `IndexBulkDeleteResult`)
#[derive(Clone, Copy, Default, Debug)]
pub struct IndexVacuumStats {
    pub pages: u32,
    pub tuples: f64,
    /// `tuples` is a guess.
    pub estimated: bool,
    pub tuples_removed: f64,
    pub pages_newly_deleted: u32,
    pub pages_deleted: u32,
    pub pages_free: u32,
}

/// Vacuum's side of an index's cleaning.
pub struct IndexVacuum<'a> {
    pub txn: &'a Transaction,
    pub strategy: Option<&'a Strategy>,
    /// Called once in a while: cost-based delay, interrupts.
    pub delay: &'a mut dyn FnMut() -> Result<()>,
    /// Rows in the table, for what is only estimated.
    pub heap_tuples: f64,
}

/// Hands an index build its entries: calls the sink for each row with the index's values, the row's place, and whether the
/// row is alive (dead ones do not count for uniqueness).
pub type BuildSource<'a> = dyn FnMut(&mut dyn FnMut(&[DatumRef<'_>], TupleId, bool) -> Result<()>) -> Result<()> + 'a;

/// What an index build did.
#[derive(Clone, Debug)]
pub enum IndexBuild {
    Built {
        index_tuples: f64,
    },
    /// Two live rows with equal keys. The caller raises 23505 ("could not create unique index").
    Duplicate {
        first: TupleId,
        second: TupleId,
        key: Vec<Datum>,
    },
}

/// A row whose keys an earlier one has, see [`IndexQueue::flush`].
#[derive(Clone, Debug)]
pub struct QueuedDuplicate {
    /// Its number in the order of queueing.
    pub row: u32,
    pub key: Vec<Datum>,
}

/// The most bytes that a queue should hold, and the fewest that make it worthwhile.
pub fn queue_limit(work_mem_kilobytes: i64) -> usize {
    (work_mem_kilobytes.max(0) as usize).saturating_mul(2048).clamp(16 << 20, 1 << 30)
}

/// Entries that wait to be inserted together: for statements that change many rows. Until then scans do not find the rows, so
/// this is for what only the statement's end shows.
pub trait IndexQueue: Send {
    /// Adds an entry. No value is external. `row`: the caller's number of the row.
    fn push(&mut self, txn: &Transaction, values: &[DatumRef<'_>], tid: TupleId, row: u32) -> Result<()>;
    /// Bytes that wait.
    fn memory(&self) -> usize;
    /// Inserts all that wait. In an index that is checked, rows with equal keys stay out; of these the first one is told, and the
    /// caller raises 23505.
    fn flush(&mut self, txn: &Transaction, heap: &HeapRelation) -> Result<Option<QueuedDuplicate>>;
}

/// A kind of index. (PostgreSQL: `IndexAmRoutine`)
pub trait IndexAm: Send + Sync {
    /// `pg_am.amname`.
    fn name(&self) -> &'static str;
    /// Adds an entry. `unchanged`: an update that did not change any of this index's columns added it (a hint for
    /// bottom-up deletion).
    fn insert(
        &self,
        txn: &Transaction,
        index: &IndexRelation,
        heap: &HeapRelation,
        values: &[Datum],
        tid: TupleId,
        check: UniqueCheck,
        unchanged: bool,
    ) -> Result<IndexInsert>;
    /// A queue for many insertions; `check`: the index is unique, and rows with equal keys are to be found. `None`: only one by
    /// one.
    fn queue(&self, _index: &Arc<IndexRelation>, _check: bool) -> Option<Box<dyn IndexQueue>> {
        None
    }
    /// Starts a scan; all keys must hold.
    fn begin_scan(
        &self,
        txn: &Transaction,
        index: &Arc<IndexRelation>,
        keys: Vec<ScanKey>,
        options: IndexScanOptions,
    ) -> Result<Box<dyn IndexScan>>;
    /// Fills an empty, existing main fork. `memory`: bytes that sorting may use. (PostgreSQL: `ambuild`)
    fn build(
        &self,
        txn: &Transaction,
        index: &IndexRelation,
        source: &mut BuildSource<'_>,
        memory: usize,
    ) -> Result<IndexBuild>;
    /// Writes the init fork of an unlogged index. (PostgreSQL: `ambuildempty`)
    fn build_empty(&self, txn: &Transaction, index: &IndexRelation) -> Result<()>;
    /// Removes the entries of dead rows. (PostgreSQL: `ambulkdelete`)
    fn bulk_delete(
        &self,
        vacuum: &mut IndexVacuum<'_>,
        index: &IndexRelation,
        stats: Option<IndexVacuumStats>,
        is_dead: &mut dyn FnMut(TupleId) -> bool,
    ) -> Result<IndexVacuumStats>;
    /// At the end of a vacuum. (PostgreSQL: `amvacuumcleanup`)
    fn vacuum_cleanup(
        &self,
        vacuum: &mut IndexVacuum<'_>,
        index: &IndexRelation,
        stats: Option<IndexVacuumStats>,
    ) -> Result<Option<IndexVacuumStats>>;
    /// The number of pages, for the planner.
    fn pages(&self, txn: &Transaction, index: &IndexRelation) -> Result<u32> {
        txn.manager().pool().nblocks(index.locator, base::ForkNumber::Main)
    }
    /// Levels above the leaves, for the planner; `None` if that has no meaning. (PostgreSQL: `_bt_getrootheight`)
    fn height(&self, _txn: &Transaction, _index: &IndexRelation) -> Result<Option<u32>> {
        Ok(None)
    }
}

/// A part of a table's blocks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BlockRange {
    pub start: BlockNumber,
    pub end: BlockNumber,
}
