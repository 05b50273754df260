//! Values cut into chunks: rows (`chunk_id` oid, `chunk_seq` int4, `chunk_data` bytea) of a TOAST table.
//! (PostgreSQL: `toast_save_datum`, `heap_fetch_toast_slice`, `toast_delete_datum`)

use std::ops::Range;

use base::sqlstate::DATA_CORRUPTED;
use base::{Oid, PgError, Result, TupleId};
use txn::Transaction;
use types::{Comparator, Datum, DatumRef};

use super::MAX_CHUNK_SIZE;
use crate::heap::{Fetcher, InsertOptions, Look, ModifyOptions, Outcome, ToastRelation};
use crate::index::{Direction, IndexBatch, IndexScanOptions, ScanKey, ScanStrategy, UniqueCheck};
use crate::tuple::Projection;
use crate::tuple::varlena::{self, ToastPointer};

/// Calls `each` for the chunks of a value with numbers in `range`, ascending.
fn for_each_chunk(
    txn: &Transaction,
    toast: &ToastRelation,
    value: Oid,
    range: Option<Range<u32>>,
    look: Look<'_>,
    mut each: impl FnMut(TupleId, u32, &[u8]) -> Result<()>,
) -> Result<()> {
    let compare = |column, strategy, value, compare| ScanKey::Compare { column, strategy, value, compare };
    let mut keys = vec![compare(0, ScanStrategy::Equal, Datum::oid(value), Comparator::Oid)];
    if let Some(r) = &range {
        keys.push(compare(1, ScanStrategy::GreaterEqual, Datum::i32(r.start as i32), Comparator::Int4));
        keys.push(compare(1, ScanStrategy::Less, Datum::i32(r.end as i32), Comparator::Int4));
    }
    let options = IndexScanOptions::default();
    let mut scan = toast.index.am.begin_scan(txn, &toast.index, keys, options)?;
    let mut batch = IndexBatch::default();
    let mut fetcher = Fetcher::new(toast.heap.clone(), Projection::default());
    let layout = &toast.heap.layout;
    loop {
        batch.clear();
        if !scan.next(txn, Direction::Forward, &mut batch)? {
            return Ok(());
        }
        for &tid in &batch.tids {
            let row = fetcher.index_fetch_with(txn, tid, look, |tid, bytes| {
                let seq = layout.attr(bytes, 1)?.word() as u32;
                Ok((tid, seq, layout.attr(bytes, 2)?.to_owned()))
            })?;
            if let Some((tid, seq, data)) = row {
                each(tid, seq, data.as_ref().as_bytes())?;
            }
        }
    }
}

/// What is stored of a value, or some bytes of it. (PostgreSQL: `toast_fetch_datum_slice`)
pub fn fetch(
    txn: &Transaction,
    toast: Option<&ToastRelation>,
    pointer: &ToastPointer,
    range: Option<Range<usize>>,
) -> Result<Vec<u8>> {
    let toast = toast.filter(|t| t.heap.oid == pointer.toast_relation).ok_or_else(|| {
        PgError::internal(format!("the TOAST table {} of a value is not at hand", pointer.toast_relation))
    })?;
    let total = pointer.ext_size as usize;
    let range = range.unwrap_or(0..total);
    let range = range.start.min(total)..range.end.min(total);
    let mut out = Vec::with_capacity(range.len());
    if range.is_empty() {
        return Ok(out);
    }
    let whole = range == (0..total);
    let last_chunk = (total - 1) / MAX_CHUNK_SIZE;
    let mut expected = range.start / MAX_CHUNK_SIZE;
    let end = (range.end - 1) / MAX_CHUNK_SIZE + 1;
    let name = &toast.heap.name;
    let value = pointer.value_id;
    let chunks = (!whole).then(|| expected as u32..end as u32);
    for_each_chunk(txn, toast, value, chunks, Look::Toast, |_, seq, data| {
        if seq as usize != expected {
            let text = format!("unexpected chunk number {seq} (expected {expected}) for toast value {value} in {name}");
            return Err(PgError::new(DATA_CORRUPTED, text));
        }
        if expected > last_chunk {
            let text = format!(
                "unexpected chunk number {seq} (out of range 0..{last_chunk}) for toast value {value} in {name}"
            );
            return Err(PgError::new(DATA_CORRUPTED, text));
        }
        let size = if expected < last_chunk { MAX_CHUNK_SIZE } else { total - last_chunk * MAX_CHUNK_SIZE };
        if data.len() != size {
            let chunks = last_chunk + 1;
            let text = format!(
                "unexpected chunk size {} (expected {size}) in chunk {seq} of {chunks} for toast value {value} in {name}",
                data.len()
            );
            return Err(PgError::new(DATA_CORRUPTED, text));
        }
        let at = expected * MAX_CHUNK_SIZE;
        let from = range.start.saturating_sub(at);
        let to = (range.end - at).min(size);
        out.extend_from_slice(&data[from..to]);
        expected += 1;
        Ok(())
    })?;
    if expected < end {
        let text = format!("missing chunk number {expected} for toast value {value} in {name}");
        return Err(PgError::new(DATA_CORRUPTED, text));
    }
    Ok(out)
}

/// Moves a value (plain, or compressed in line) out. (PostgreSQL: `toast_save_datum`)
pub fn store(txn: &Transaction, toast: &ToastRelation, value: DatumRef<'_>) -> Result<ToastPointer> {
    let (data, raw_len, compression) = match value {
        DatumRef::Bytes(b) => (b, b.len(), None),
        DatumRef::Toasted(b) if varlena::is_inline_compressed(b) && b.len() >= 8 => {
            (&b[4..], varlena::raw_len(b), super::compression_of(b))
        }
        _ => return Err(PgError::internal("this value cannot be moved out")),
    };
    let value_id = new_value_id(txn, toast)?;
    let options = InsertOptions::default();
    for (seq, chunk) in data.chunks(MAX_CHUNK_SIZE).enumerate() {
        txn.proc().interrupt().check()?;
        let row = [Datum::oid(value_id), Datum::i32(seq as i32), Datum::bytes(chunk)];
        let tid = toast.heap.insert(txn, &row[..], options, None)?;
        let check = if toast.index.unique { UniqueCheck::Yes } else { UniqueCheck::No };
        toast.index.am.insert(txn, &toast.index, &toast.heap, &row[..2], tid, check, false)?;
    }
    Ok(ToastPointer {
        raw_size: (raw_len + varlena::HEADER) as u32,
        ext_size: data.len() as u32,
        compression,
        value_id,
        toast_relation: toast.heap.oid,
    })
}

/// An id that no value in the table has, dead ones included. (PostgreSQL: `GetNewOidWithIndex`)
fn new_value_id(txn: &Transaction, toast: &ToastRelation) -> Result<Oid> {
    loop {
        txn.proc().interrupt().check()?;
        let id = txn.manager().next_oid()?;
        let mut used = false;
        for_each_chunk(txn, toast, id, None, Look::Any, |_, _, _| {
            used = true;
            Ok(())
        })?;
        if !used {
            return Ok(id);
        }
    }
}

/// Deletes the chunks of a value. (PostgreSQL: `toast_delete_datum`)
pub fn delete_value(txn: &Transaction, toast: &ToastRelation, value: Oid, speculative: bool) -> Result<()> {
    let mut tids = Vec::new();
    for_each_chunk(txn, toast, value, None, Look::Toast, |tid, _, _| {
        tids.push(tid);
        Ok(())
    })?;
    for tid in tids {
        let _ = speculative;
        match toast.heap.delete(txn, tid, ModifyOptions { wait: true, ..ModifyOptions::new(txn.command_id()) })? {
            Outcome::Ok => {}
            Outcome::SelfModified { .. } => return Err(PgError::internal("tuple already updated by self")),
            Outcome::Invisible => return Err(PgError::internal("attempted to delete invisible tuple")),
            _ => return Err(PgError::internal("tuple concurrently updated")),
        }
    }
    Ok(())
}
