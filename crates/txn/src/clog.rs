//! Commit status, two bits a transaction, in `pg_xact`. (PostgreSQL: `clog.c`)

/// What pg_xact says of a transaction.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum XidStatus {
    /// Running, or was when the server crashed.
    InProgress = 0,
    Committed = 1,
    Aborted = 2,
    /// A subtransaction ended and its top-level transaction is about to commit.
    SubCommitted = 3,
}
