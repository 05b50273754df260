//! Long values: compressed, or cut into chunks of another table.
//!
//! A tuple that would be longer than [`TUPLE_TARGET`] gets its longest values shortened one by one until it fits:
//! 1. values of storage `x` are compressed, and moved out at once if they alone are too long;
//! 2. then values of storage `x` and `e` are moved out;
//! 3. then those of storage `m` compressed;
//! 4. and at last moved out as well, as long as the tuple does not fit a page.
//!
//! A value moved out leaves a [`ToastPointer`]; its bytes are rows (`chunk_id`, `chunk_seq`, `chunk_data`) of the TOAST
//! table, found through its index. A pointer that an update does not touch is kept as it is.
//!
//! PostgreSQL: `heaptoast.c`, `toast_helper.c`, `toast_internals.c`, `detoast.c`.

mod compress;
mod external;
#[cfg(test)]
mod tests;

use base::{Oid, Result};
use txn::Transaction;
use types::{Datum, DatumRef};

use crate::heap::{HeapRelation, ToastRelation};
use crate::tuple::varlena::{self, Compression, ToastPointer};
use crate::tuple::{HEADER_SIZE, Kind, MAX_HEAP_TUPLE_SIZE, Row, TupleLayout, infomask};

pub use compress::{compress_inline, compression_of, decompress_inline};
pub use external::{delete_value, fetch, store};

/// A tuple longer than this is toasted. (PostgreSQL: `TOAST_TUPLE_TARGET`, `TOAST_TUPLE_THRESHOLD`)
pub const TUPLE_TARGET: usize = 2032;
/// For `m` values that are only moved out if nothing else helps. (PostgreSQL: `TOAST_TUPLE_TARGET_MAIN`)
const TARGET_MAIN: usize = MAX_HEAP_TUPLE_SIZE;
/// Bytes of a value in one row of a TOAST table. (PostgreSQL: `TOAST_MAX_CHUNK_SIZE`)
pub const MAX_CHUNK_SIZE: usize = 1996;
/// Values in index tuples longer than this are compressed. (PostgreSQL: `TOAST_INDEX_TARGET`)
pub const INDEX_TARGET: usize = MAX_HEAP_TUPLE_SIZE / 16;

/// The plain value of a toasted one. `toast` is the table that external values lie in.
/// (PostgreSQL: `detoast_attr`)
pub fn detoast(txn: &Transaction, toast: Option<&ToastRelation>, value: DatumRef<'_>) -> Result<Datum> {
    let DatumRef::Toasted(bytes) = value else { return Ok(value.to_owned()) };
    let Some(pointer) = ToastPointer::read(bytes) else {
        return compress::decompress_inline(bytes, None).map(Datum::bytes);
    };
    let stored = external::fetch(txn, toast, &pointer, None)?;
    match pointer.compression {
        None => Ok(Datum::bytes(stored)),
        Some(method) => compress::decompress(&stored[4..], method, varlena::raw_len(bytes), None).map(Datum::bytes),
    }
}

/// An external value brought in, still compressed if it is. (PostgreSQL: `detoast_external_attr`)
pub fn fetch_external(txn: &Transaction, toast: Option<&ToastRelation>, value: DatumRef<'_>) -> Result<Datum> {
    let (DatumRef::Toasted(bytes), Some(pointer)) = (value, ToastPointer::read(value.as_bytes())) else {
        return Ok(value.to_owned());
    };
    let _ = bytes;
    let stored = external::fetch(txn, toast, &pointer, None)?;
    if pointer.compression.is_none() {
        return Ok(Datum::bytes(stored));
    }
    let mut whole = Vec::with_capacity(stored.len() + 4);
    whole.extend_from_slice(&((((stored.len() + 4) as u32) << 2) | 2).to_le_bytes());
    whole.extend_from_slice(&stored);
    Ok(Datum::Toasted(whole.into()))
}

/// Some bytes of the plain value, from `offset`; all the rest with `len` `None`. (PostgreSQL: `detoast_attr_slice`)
pub fn detoast_slice(
    txn: &Transaction,
    toast: Option<&ToastRelation>,
    value: DatumRef<'_>,
    offset: usize,
    len: Option<usize>,
) -> Result<Datum> {
    let cut = |b: &[u8]| {
        let from = offset.min(b.len());
        let to = len.map_or(b.len(), |n| (offset.saturating_add(n)).min(b.len()));
        Datum::bytes(&b[from..to])
    };
    let end = len.map(|n| offset.saturating_add(n));
    match value {
        DatumRef::Bytes(b) => Ok(cut(b)),
        DatumRef::Toasted(bytes) => match ToastPointer::read(bytes) {
            None => compress::decompress_inline(bytes, end).map(|b| cut(&b)),
            Some(p) => match p.compression {
                None => {
                    let all = p.ext_size as usize;
                    let from = offset.min(all);
                    let to = end.unwrap_or(all).min(all);
                    external::fetch(txn, toast, &p, Some(from..to)).map(Datum::bytes)
                }
                Some(method) => {
                    // pglz needs only the beginning of what is stored.
                    let need = match (method, end) {
                        (Compression::Pglz, Some(end)) => {
                            base::pglz::maximum_compressed_size(end, p.ext_size as usize) + 4
                        }
                        _ => p.ext_size as usize,
                    };
                    let stored = external::fetch(txn, toast, &p, Some(0..need.min(p.ext_size as usize)))?;
                    let raw = varlena::raw_len(bytes);
                    compress::decompress(&stored[4..], method, raw, end).map(|b| cut(&b))
                }
            },
        },
        other => Ok(other.to_owned()),
    }
}

/// Must the tuple's values be looked at before it is stored?
pub(crate) fn is_needed(rel: &HeapRelation, t: &[u8]) -> bool {
    let external = u16::from_le_bytes([t[20], t[21]]) & infomask::HASEXTERNAL != 0;
    !rel.is_toast && (external || t.len() > TUPLE_TARGET)
}

/// A column while its tuple is being shortened.
struct Column {
    /// What is stored, if it differs from the row's value.
    new: Option<Datum>,
    /// Bytes it takes, about; 0 if it cannot be shortened any more.
    size: usize,
    storage: u8,
    incompressible: bool,
}

/// Forms a tuple for insertion behind what `out` holds, its long values compressed or moved out.
pub(crate) fn append_tuple<R: Row + ?Sized>(
    rel: &HeapRelation,
    txn: &Transaction,
    row: &R,
    out: &mut Vec<u8>,
) -> Result<()> {
    let start = out.len();
    rel.layout.append_heap(row, out)?;
    if is_needed(rel, &out[start..]) {
        let mut t = Vec::new();
        form_tuple(rel, txn, row, None, &mut t)?;
        out.truncate(start);
        out.extend_from_slice(&t);
    }
    Ok(())
}

/// Forms a tuple, its long values compressed or moved out. `old`: the version it replaces.
/// (PostgreSQL: `heap_toast_insert_or_update`)
pub(crate) fn form_tuple<R: Row + ?Sized>(
    rel: &HeapRelation,
    txn: &Transaction,
    row: &R,
    old: Option<&[u8]>,
    out: &mut Vec<u8>,
) -> Result<()> {
    rel.layout.form_heap(row, out)?;
    let old_external = old.is_some_and(|o| u16::from_le_bytes([o[20], o[21]]) & infomask::HASEXTERNAL != 0);
    if !is_needed(rel, out) && !old_external {
        return Ok(());
    }
    let layout = &rel.layout;
    let mut columns = Vec::with_capacity(layout.len());
    let mut dropped = Vec::new();
    for i in 0..layout.len() {
        columns.push(prepare_column(rel, txn, row, old, i, &mut dropped)?);
    }
    let natts = layout.len();
    let has_null = (0..natts).any(|i| row.value(i).is_null());
    let head = storage::page::maxalign(HEADER_SIZE + if has_null { natts.div_ceil(8) } else { 0 });
    let target = rel.toast_tuple_target.clamp(128, MAX_HEAP_TUPLE_SIZE) - head;
    let mut work = Work { rel, txn, row, columns, head };

    while work.data_size() > target {
        let Some(i) = work.largest(|c| c.storage == b'x' && !c.incompressible || c.storage == b'e') else { break };
        if work.columns[i].storage == b'x' {
            work.compress(i);
        } else {
            work.columns[i].incompressible = true;
        }
        if work.columns[i].size > target && rel.toast.is_some() {
            work.move_out(i, old)?;
        } else if work.columns[i].storage == b'e' {
            // Not compressed, and not yet moved out: the next step's business.
            work.columns[i].storage = b'E';
        }
    }
    while work.data_size() > target && rel.toast.is_some() {
        let Some(i) = work.largest(|c| matches!(c.storage, b'x' | b'e' | b'E')) else { break };
        work.move_out(i, old)?;
    }
    while work.data_size() > target {
        let Some(i) = work.largest(|c| c.storage == b'm' && !c.incompressible) else { break };
        work.compress(i);
    }
    let target = TARGET_MAIN - head;
    while work.data_size() > target && rel.toast.is_some() {
        let Some(i) = work.largest(|c| c.storage == b'm') else { break };
        work.move_out(i, old)?;
    }
    let values: Vec<DatumRef<'_>> =
        (0..natts).map(|i| work.columns[i].new.as_ref().map_or_else(|| row.value(i), Datum::as_ref)).collect();
    layout.form_heap(&values[..], out)?;
    if let Some(toast) = &rel.toast {
        for value_id in dropped {
            external::delete_value(txn, toast, value_id, false)?;
        }
    }
    Ok(())
}

/// (PostgreSQL: `toast_tuple_init`)
fn prepare_column<R: Row + ?Sized>(
    rel: &HeapRelation,
    txn: &Transaction,
    row: &R,
    old: Option<&[u8]>,
    i: usize,
    dropped: &mut Vec<Oid>,
) -> Result<Column> {
    let layout: &TupleLayout = &rel.layout;
    let att = &layout.desc().attrs[i];
    let value = row.value(i);
    let mut column = Column { new: None, size: 0, storage: b'p', incompressible: false };
    if layout.attrs()[i].kind != Kind::Varlena {
        return Ok(column);
    }
    let before = match old {
        Some(o) => layout.attr(o, i)?,
        None => DatumRef::Null,
    };
    if let DatumRef::Toasted(o) = before
        && let Some(pointer) = ToastPointer::read(o)
    {
        if value == before {
            return Ok(column);
        }
        dropped.push(pointer.value_id);
    }
    match value {
        DatumRef::Null => return Ok(column),
        DatumRef::Toasted(b) if varlena::is_external(b) => {
            let whole = match att.storage {
                b'p' => detoast(txn, rel.toast.as_deref(), value)?,
                _ => fetch_external(txn, rel.toast.as_deref(), value)?,
            };
            column.incompressible = matches!(whole, Datum::Toasted(_));
            column.size = size_of(whole.as_ref());
            column.new = Some(whole);
        }
        _ => {
            column.incompressible = matches!(value, DatumRef::Toasted(_));
            column.size = size_of(value);
        }
    }
    column.storage = att.storage;
    Ok(column)
}

/// Bytes a value takes with its header.
fn size_of(value: DatumRef<'_>) -> usize {
    match value {
        DatumRef::Bytes(b) if b.len() <= varlena::SHORT_PAYLOAD_MAX => b.len() + 1,
        DatumRef::Bytes(b) => b.len() + 4,
        DatumRef::Toasted(b) => b.len(),
        _ => 0,
    }
}

struct Work<'a, R: Row + ?Sized> {
    rel: &'a HeapRelation,
    txn: &'a Transaction,
    row: &'a R,
    columns: Vec<Column>,
    head: usize,
}

impl<R: Row + ?Sized> Work<'_, R> {
    fn value(&self, i: usize) -> DatumRef<'_> {
        self.columns[i].new.as_ref().map_or_else(|| self.row.value(i), Datum::as_ref)
    }
    /// (PostgreSQL: `heap_compute_data_size`)
    fn data_size(&self) -> usize {
        let mut at = 0;
        for (i, att) in self.rel.layout.attrs().iter().enumerate() {
            let value = self.value(i);
            let aligned = match (att.kind, value) {
                (_, DatumRef::Null) => continue,
                (Kind::Varlena, DatumRef::Bytes(b)) => !(att.packable && b.len() <= varlena::SHORT_PAYLOAD_MAX),
                (Kind::Varlena, DatumRef::Toasted(b)) => !varlena::is_external(b),
                _ => true,
            };
            if aligned {
                at = att.align.up(at);
            }
            at += match (att.kind, value) {
                (Kind::Varlena, DatumRef::Bytes(b)) => b.len() + if aligned { 4 } else { 1 },
                (Kind::Varlena, v) => v.as_bytes().len(),
                (Kind::Cstring, v) => v.as_bytes().len() + 1,
                _ => att.len,
            };
        }
        at
    }
    /// The largest column that may be shortened, if shortening it would help. (PostgreSQL:
    /// `toast_tuple_find_biggest_attribute`)
    fn largest(&self, may: impl Fn(&Column) -> bool) -> Option<usize> {
        let least = storage::page::maxalign(varlena::TOAST_POINTER_SIZE);
        let candidates = self.columns.iter().enumerate();
        let candidates = candidates.filter(|(i, c)| {
            let external = matches!(self.value(*i), DatumRef::Toasted(b) if varlena::is_external(b));
            c.size > least && !external && may(c)
        });
        candidates
            .fold(None, |best, (i, c)| match best {
                Some((_, size)) if size >= c.size => best,
                _ => Some((i, c.size)),
            })
            .map(|(i, _)| i)
    }
    fn compress(&mut self, i: usize) {
        let att = &self.rel.layout.desc().attrs[i];
        let method = Compression::from_attribute(att.compression, self.rel.default_compression);
        let compressed = match self.value(i) {
            DatumRef::Bytes(b) => compress::compress_inline(b, method),
            _ => None,
        };
        let column = &mut self.columns[i];
        column.incompressible = true;
        if let Some(c) = compressed {
            column.size = c.len();
            column.new = Some(Datum::Toasted(c.into()));
        }
    }
    fn move_out(&mut self, i: usize, _old: Option<&[u8]>) -> Result<()> {
        let Some(toast) = &self.rel.toast else { return Ok(()) };
        let pointer = external::store(self.txn, toast, self.value(i))?;
        let column = &mut self.columns[i];
        column.size = 0;
        column.storage = b'p';
        column.new = Some(Datum::Toasted(pointer.to_bytes()[..].into()));
        debug_assert!(self.head > 0);
        Ok(())
    }
}

/// Deletes the out-of-line values of a tuple. (PostgreSQL: `heap_toast_delete`)
pub(crate) fn delete_all(rel: &HeapRelation, txn: &Transaction, tuple: &[u8], speculative: bool) -> Result<()> {
    let Some(toast) = &rel.toast else { return Ok(()) };
    for (i, att) in rel.layout.attrs().iter().enumerate() {
        if att.kind != Kind::Varlena {
            continue;
        }
        if let DatumRef::Toasted(b) = rel.layout.attr(tuple, i)?
            && let Some(p) = ToastPointer::read(b)
        {
            external::delete_value(txn, toast, p.value_id, speculative)?;
        }
    }
    Ok(())
}

/// The value as an index tuple holds it: not external, and compressed if it is long and may be.
/// (PostgreSQL: in `index_form_tuple`)
pub fn for_index(
    txn: &Transaction,
    toast: Option<&ToastRelation>,
    value: DatumRef<'_>,
    storage: u8,
    method: Compression,
) -> Result<Datum> {
    let value = fetch_external(txn, toast, value)?;
    if let Datum::Bytes(b) = &value
        && b.len() + 4 > INDEX_TARGET
        && matches!(storage, b'x' | b'm')
        && let Some(c) = compress::compress_inline(b, method)
    {
        return Ok(Datum::Toasted(c.into()));
    }
    Ok(value)
}
