//! Long values: compressed, or cut into chunks of another table.

use base::{PgError, Result};
use txn::Transaction;
use types::{Datum, DatumRef};

use crate::heap::{HeapRelation, ToastRelation};
use crate::tuple::Row;

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

/// Forms a tuple, its long values compressed or moved out.
pub(crate) fn form_tuple<R: Row + ?Sized>(
    rel: &HeapRelation,
    txn: &Transaction,
    row: &R,
    old: Option<&[u8]>,
    out: &mut Vec<u8>,
) -> Result<()> {
    let _ = (txn, old);
    rel.layout.form_heap(row, out)
}

/// Deletes the out-of-line values of a tuple.
pub(crate) fn delete_all(rel: &HeapRelation, txn: &Transaction, tuple: &[u8], speculative: bool) -> Result<()> {
    let _ = (rel, txn, tuple, speculative);
    Err(PgError::unsupported("TOAST"))
}

/// Must the tuple's values be looked at before it is stored?
pub(crate) fn is_needed(rel: &HeapRelation, t: &[u8]) -> bool {
    let external = u16::from_le_bytes([t[20], t[21]]) & crate::tuple::infomask::HASEXTERNAL != 0;
    !rel.is_toast && (external || t.len() > TUPLE_TARGET)
}
