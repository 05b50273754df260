//! Long values: compressed, or cut into chunks of another table.

use base::{PgError, Result};
use txn::Transaction;
use types::{Datum, DatumRef};

use crate::heap::ToastRelation;

/// A tuple longer than this is toasted. (PostgreSQL: `TOAST_TUPLE_TARGET`)
pub const TUPLE_TARGET: usize = 2032;

/// The plain value of a toasted one. `toast` is the table that external values lie in.
/// (PostgreSQL: `detoast_attr`)
pub fn detoast(txn: &Transaction, toast: Option<&ToastRelation>, value: DatumRef<'_>) -> Result<Datum> {
    let _ = (txn, toast, value);
    Err(PgError::unsupported("TOAST"))
}

/// Some bytes of the plain value, from `offset`; all the rest with `len` `None`. (PostgreSQL: `detoast_attr_slice`)
pub fn detoast_slice(
    txn: &Transaction,
    toast: Option<&ToastRelation>,
    value: DatumRef<'_>,
    offset: usize,
    len: Option<usize>,
) -> Result<Datum> {
    let _ = (txn, toast, value, offset, len);
    Err(PgError::unsupported("TOAST"))
}
