//! Deleting rows.

use base::{CommandId, PgError, Result, TupleId};
use txn::{Snapshot, Transaction};

use super::{HeapRelation, Outcome};

/// How to delete or update.
#[derive(Clone, Copy)]
pub struct ModifyOptions<'a> {
    /// The command: [`Transaction::command_id`].
    pub cid: CommandId,
    /// Wait for other transactions; else [`Outcome::BeingModified`].
    pub wait: bool,
    /// The row must also be seen by this one (REPEATABLE READ, referential actions).
    pub crosscheck: Option<&'a Snapshot>,
    /// The row goes to another partition.
    pub moving: bool,
}

impl<'a> ModifyOptions<'a> {
    pub fn new(cid: CommandId) -> ModifyOptions<'a> {
        ModifyOptions { cid, wait: true, crosscheck: None, moving: false }
    }
}

impl HeapRelation {
    /// Deletes a row, with its TOASTed values. (PostgreSQL: `heap_delete`)
    pub fn delete(&self, txn: &Transaction, tid: TupleId, options: ModifyOptions<'_>) -> Result<Outcome> {
        let _ = (txn, tid, options);
        Err(PgError::unsupported("DELETE"))
    }
}
