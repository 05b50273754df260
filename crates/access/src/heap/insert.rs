//! Inserting rows.

use base::{PgError, Result, TupleId};
use storage::{PinnedBuffer, Strategy};
use txn::Transaction;

use super::HeapRelation;
use crate::tuple::Row;

/// How to insert. (PostgreSQL: `TABLE_INSERT_*`)
#[derive(Clone, Copy, Default, Debug)]
pub struct InsertOptions {
    /// Do not look for room in the free-space map: the table is new or bulk loaded.
    pub skip_fsm: bool,
    /// The rows are frozen at once (COPY FREEZE).
    pub frozen: bool,
    /// Speculative (ON CONFLICT): this token, not 0; then [`HeapRelation::finish_speculative`].
    pub speculative_token: u32,
}

/// Keeps the page that a bulk load fills. (PostgreSQL: `BulkInsertState`)
pub struct BulkInsert {
    pub(super) strategy: Strategy,
    pub(super) buffer: Option<PinnedBuffer>,
}

impl BulkInsert {
    pub fn new() -> BulkInsert {
        BulkInsert { strategy: Strategy::new(storage::StrategyKind::BulkWrite), buffer: None }
    }
}

impl HeapRelation {
    /// Inserts a row (its values by column; dropped ones null), toasting what is long. Index entries are the caller's
    /// business. (PostgreSQL: `heap_insert`)
    pub fn insert<R: Row + ?Sized>(
        &self,
        txn: &Transaction,
        row: &R,
        options: InsertOptions,
        bulk: Option<&mut BulkInsert>,
    ) -> Result<TupleId> {
        let _ = (txn, row, options, bulk);
        Err(PgError::unsupported("INSERT"))
    }
    /// Inserts many rows, several a page and record; appends their places. (PostgreSQL: `heap_multi_insert`)
    pub fn multi_insert<R: Row>(
        &self,
        txn: &Transaction,
        rows: &[R],
        options: InsertOptions,
        bulk: Option<&mut BulkInsert>,
        tids: &mut Vec<TupleId>,
    ) -> Result<()> {
        let _ = (txn, rows, options, bulk, tids);
        Err(PgError::unsupported("INSERT"))
    }
    /// A speculative insertion stays, or is taken back. (PostgreSQL: `heap_finish_speculative`,
    /// `heap_abort_speculative`)
    pub fn finish_speculative(&self, txn: &Transaction, tid: TupleId, keep: bool) -> Result<()> {
        let _ = (txn, tid, keep);
        Err(PgError::unsupported("ON CONFLICT"))
    }
}
