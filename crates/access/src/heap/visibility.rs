//! Who sees a tuple.
use txn::Snapshot;

/// Through whose eyes a tuple is looked at. (PostgreSQL: `SnapshotType`)
#[derive(Clone, Copy)]
pub enum Look<'a> {
    /// What the snapshot sees.
    Mvcc(&'a Snapshot),
    /// What is valid now, this transaction's work included. (PostgreSQL: `SnapshotSelf`)
    SelfNow,
    /// Every tuple.
    Any,
    /// As `SelfNow`, and what running transactions inserted, or deleted without having committed.
    Dirty,
    /// Chunks of TOASTed values: their owner was seen, so they are there.
    Toast,
}
