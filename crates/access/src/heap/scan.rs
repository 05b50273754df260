//! Sequential scans.

use std::sync::Arc;
use std::sync::atomic::AtomicU32;

use base::{BlockNumber, PgError, Result, TupleId};
use txn::{Snapshot, Transaction};
use types::Column;

use super::HeapRelation;
use crate::index::{BlockRange, Direction};
use crate::tuple::Projection;

/// Hands blocks to the workers of a parallel scan. (PostgreSQL: `ParallelBlockTableScanDesc`)
pub struct SharedScan {
    pub(super) next: AtomicU32,
    pub(super) end: u32,
}

impl SharedScan {
    pub fn new(range: BlockRange) -> SharedScan {
        SharedScan { next: AtomicU32::new(range.start.0), end: range.end.0 }
    }
}

/// How to scan.
#[derive(Clone, Default)]
pub struct ScanOptions {
    /// Only these blocks; all if `None`.
    pub range: Option<BlockRange>,
    /// Shared with other workers; then `range` is not looked at.
    pub shared: Option<Arc<SharedScan>>,
    /// Do not use a ring of buffers even if the table is large, e.g. for catalogs.
    pub no_ring: bool,
}

/// A sequential scan in progress. Holds a pin between calls, no latch. (PostgreSQL: `HeapScanDesc`)
pub struct HeapScan {
    rel: Arc<HeapRelation>,
}

impl HeapScan {
    pub fn new(
        rel: Arc<HeapRelation>,
        txn: &Transaction,
        snapshot: Snapshot,
        projection: Projection,
        options: ScanOptions,
    ) -> Result<HeapScan> {
        let _ = (txn, snapshot, projection, options);
        Ok(HeapScan { rel })
    }
    /// Appends up to `limit` rows to the columns (one an output of the projection), and their places to `tids` if asked
    /// for. Returns how many; 0 at the end. Rows of several pages may come together.
    pub fn next(
        &mut self,
        txn: &Transaction,
        direction: Direction,
        limit: usize,
        columns: &mut [Column],
        tids: Option<&mut Vec<TupleId>>,
    ) -> Result<usize> {
        let _ = (txn, direction, limit, columns, tids, &self.rel);
        Err(PgError::unsupported("sequential scan"))
    }
    /// Starts over, with another snapshot if given. (PostgreSQL: `heap_rescan`)
    pub fn rescan(&mut self, txn: &Transaction, snapshot: Option<Snapshot>) -> Result<()> {
        let _ = (txn, snapshot);
        Err(PgError::unsupported("sequential scan"))
    }
    /// The block scanned last, for progress reports.
    pub fn block(&self) -> Option<BlockNumber> {
        None
    }
}
