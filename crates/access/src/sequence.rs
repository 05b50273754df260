//! Sequences: a relation of one page with one tuple, overwritten in place.

use base::{PgError, RelFileLocator, Result};
use txn::Transaction;

/// What the page holds. (PostgreSQL: `FormData_pg_sequence_data`)
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SequenceData {
    pub last_value: i64,
    pub log_cnt: i64,
    pub is_called: bool,
}

/// The sequence's parameters. (PostgreSQL: `pg_sequence`)
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SequenceDef {
    pub increment: i64,
    pub min: i64,
    pub max: i64,
    pub cache: i64,
    pub cycle: bool,
}

/// Values taken at once: `first`, and so on by the increment up to `last`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Taken {
    pub first: i64,
    pub last: i64,
}

/// Writes the first page of a new sequence, whose file exists and is empty. (PostgreSQL: `fill_seq_with_data`)
pub fn create(txn: &Transaction, locator: RelFileLocator, needs_wal: bool, data: SequenceData) -> Result<()> {
    let _ = (txn, locator, needs_wal, data);
    Err(PgError::unsupported("sequences"))
}
/// (PostgreSQL: `read_seq_tuple`)
pub fn read(txn: &Transaction, locator: RelFileLocator) -> Result<SequenceData> {
    let _ = (txn, locator);
    Err(PgError::unsupported("sequences"))
}
/// Takes `def.cache` values. `None`: the limit is reached and it does not cycle. (PostgreSQL: `nextval_internal`)
pub fn next(txn: &Transaction, l: RelFileLocator, needs_wal: bool, def: &SequenceDef) -> Result<Option<Taken>> {
    let _ = (txn, l, needs_wal, def);
    Err(PgError::unsupported("sequences"))
}
/// (PostgreSQL: `do_setval`, and ALTER SEQUENCE)
pub fn set(txn: &Transaction, l: RelFileLocator, needs_wal: bool, data: SequenceData) -> Result<()> {
    let _ = (txn, l, needs_wal, data);
    Err(PgError::unsupported("sequences"))
}
