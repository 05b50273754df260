//! Locking rows.

use base::{CommandId, PgError, Result, TupleId};
use txn::Transaction;

use super::{HeapRelation, Outcome, RowLock, WaitPolicy};

impl HeapRelation {
    /// Locks a row for the rest of the transaction. If it was updated meanwhile, the outcome says so and the caller
    /// follows and rechecks; with `follow_updates` newer versions get locked, too (for foreign keys).
    /// (PostgreSQL: `heap_lock_tuple`)
    pub fn lock(
        &self,
        txn: &Transaction,
        tid: TupleId,
        cid: CommandId,
        mode: RowLock,
        wait: WaitPolicy,
        follow_updates: bool,
    ) -> Result<Outcome> {
        let _ = (txn, tid, cid, mode, wait, follow_updates);
        Err(PgError::unsupported("row locks"))
    }
}
