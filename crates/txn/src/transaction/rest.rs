//! Transactions that changed nothing begin again in place: a point query's own would otherwise be made and thrown away with
//! all its parts.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use base::{FullXid, Result};

use super::{IsolationLevel, Transaction, TransactionEvent, TransactionOptions};
use crate::snapshot::OwnTransaction;

impl Transaction {
    /// Commits it if it has written nothing and only one callback follows it. After `true` it is at rest: it can only be
    /// dropped, or begun again with [`Transaction::restart`], and the callback then follows it once more. After `false` it is
    /// still in progress; on an error it was aborted.
    pub fn commit_and_rest(&mut self) -> Result<bool> {
        let state = self.state.get_mut();
        let simple = state.stack.len() == 1
            && state.files.is_empty()
            && state.invalidations.is_empty()
            && state.isolation < IsolationLevel::Serializable
            && !state.force_sync;
        let written =
            self.own.top_xid().is_some() || *self.last_wal.get_mut() != 0 || !self.changes.get_mut().is_empty();
        if !simple || written || self.finished || self.callbacks.get_mut().len() != 1 {
            return Ok(false);
        }
        if let Err(e) = self.tell(TransactionEvent::PreCommit) {
            self.finish_abort();
            return Err(e);
        }
        self.finished = true;
        self.tell_all(TransactionEvent::Committed);
        self.release();
        Ok(true)
    }

    /// Begins the session's next transaction in place of one at rest, at `start_time` (microseconds since 2000-01-01 UTC).
    pub fn restart(&mut self, options: TransactionOptions, start_time: i64) {
        self.begin_virtual();
        // Without an id it was never written to; a snapshot may still refer to it.
        if Arc::get_mut(&mut self.own).is_none() {
            self.own = Arc::new(OwnTransaction::new());
        }
        let state = self.state.get_mut();
        (state.isolation, state.read_only, state.deferrable) =
            (options.isolation, options.read_only, options.deferrable);
        (state.snapshot_taken, state.next_sub, state.top_full) = (false, 2, FullXid(0));
        self.start_time = start_time;
        self.command.store(0, Ordering::Relaxed);
        self.command_used.store(false, Ordering::Relaxed);
        self.finished = false;
    }
}
