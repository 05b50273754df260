//! Updating rows.

use base::{PgError, Result, TupleId};
use txn::Transaction;

use super::{HeapRelation, ModifyOptions, Outcome, RowLock};
use crate::tuple::Row;

/// Which indexes need an entry for the new version. (PostgreSQL: `TU_UpdateIndexes`)
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum UpdateIndexes {
    /// None: the new version is heap-only.
    None,
    All,
    /// Only summarizing ones (BRIN).
    Summarizing,
}

/// What an update did.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Updated {
    pub outcome: Outcome,
    /// The new version, if `outcome` is `Ok`.
    pub tid: TupleId,
    pub indexes: UpdateIndexes,
    /// How the old version was locked: to be used again when following to a newer version.
    pub lock: RowLock,
}

impl HeapRelation {
    /// Replaces a row by a new version. `row` are all its columns; a value that was not touched may be the old version's
    /// TOAST pointer. (PostgreSQL: `heap_update`)
    pub fn update<R: Row + ?Sized>(
        &self,
        txn: &Transaction,
        tid: TupleId,
        row: &R,
        options: ModifyOptions<'_>,
    ) -> Result<Updated> {
        let _ = (txn, tid, row, options);
        Err(PgError::unsupported("UPDATE"))
    }
}
