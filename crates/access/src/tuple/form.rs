//! Values to bytes. (PostgreSQL: `heap_form_tuple`, `heap_fill_tuple`, `index_form_tuple`)

use std::borrow::Borrow;

use base::sqlstate::{PROGRAM_LIMIT_EXCEEDED, TOO_MANY_COLUMNS};
use base::{PgError, Result, TupleId};
use storage::page::maxalign;
use types::{Column, Datum, DatumRef};

use super::layout::{AttLayout, Kind, TupleLayout};
use super::{HEADER_SIZE, MAX_TUPLE_ATTRIBUTES, header, infomask, varlena};

/// Bytes of an index tuple's header. (PostgreSQL: `IndexTupleData`)
pub const INDEX_TUPLE_HEADER: usize = 8;
/// The longest index tuple its header can tell. (PostgreSQL: `INDEX_SIZE_MASK`)
pub const MAX_INDEX_TUPLE_DATA: usize = 0x1FFF;
/// Bits of `t_info` in an index tuple.
pub mod index_info {
    pub const SIZE_MASK: u16 = 0x1FFF;
    /// For the access method's own use. (PostgreSQL: `INDEX_AM_RESERVED_BIT`)
    pub const AM_RESERVED: u16 = 0x2000;
    pub const VAR_MASK: u16 = 0x4000;
    pub const NULL_MASK: u16 = 0x8000;
}

/// A row's values by column, from 0.
pub trait Row {
    fn value(&self, i: usize) -> DatumRef<'_>;
    fn natts(&self) -> usize;
}
impl Row for [Datum] {
    #[inline]
    fn value(&self, i: usize) -> DatumRef<'_> {
        self[i].as_ref()
    }
    fn natts(&self) -> usize {
        self.len()
    }
}
impl Row for [DatumRef<'_>] {
    #[inline]
    fn value(&self, i: usize) -> DatumRef<'_> {
        self[i]
    }
    fn natts(&self) -> usize {
        self.len()
    }
}
impl Row for Vec<Datum> {
    #[inline]
    fn value(&self, i: usize) -> DatumRef<'_> {
        self[i].as_ref()
    }
    fn natts(&self) -> usize {
        self.len()
    }
}
impl<R: Row + ?Sized> Row for &R {
    #[inline]
    fn value(&self, i: usize) -> DatumRef<'_> {
        (**self).value(i)
    }
    fn natts(&self) -> usize {
        (**self).natts()
    }
}

/// A row of columns, as batches hold them.
#[derive(Clone, Copy)]
pub struct ColumnsRow<'a, C> {
    pub columns: &'a [C],
    pub row: usize,
}
impl<C: Borrow<Column>> Row for ColumnsRow<'_, C> {
    #[inline]
    fn value(&self, i: usize) -> DatumRef<'_> {
        self.columns[i].borrow().get(self.row)
    }
    fn natts(&self) -> usize {
        self.columns.len()
    }
}

impl TupleLayout {
    /// Makes a heap tuple in `out`, which is emptied first. Its header tells the columns; `xmin`, `xmax`, `t_cid` and
    /// `t_ctid` are zero for now. Values that are too long must have been toasted before.
    pub fn form_heap<R: Row + ?Sized>(&self, row: &R, out: &mut Vec<u8>) -> Result<()> {
        out.clear();
        self.append_heap(row, out)
    }

    /// Makes a composite value: the payload of its varlena, i.e. a heap tuple without the first four bytes, with the
    /// row's type. Its values must not be external. (PostgreSQL: `heap_form_tuple` with `HeapTupleGetDatum`)
    pub fn form_composite<R: Row + ?Sized>(&self, row: &R) -> Result<Vec<u8>> {
        let mut t = Vec::new();
        self.append_heap(row, &mut t)?;
        let desc = self.desc();
        t[4..8].copy_from_slice(&desc.typmod.to_le_bytes());
        t[8..12].copy_from_slice(&desc.type_oid.0.to_le_bytes());
        header::set_ctid(&mut t, TupleId::INVALID);
        t.drain(..4);
        Ok(t)
    }

    /// As `form_heap`, behind what `out` holds.
    pub fn append_heap<R: Row + ?Sized>(&self, row: &R, out: &mut Vec<u8>) -> Result<()> {
        let natts = self.attrs.len();
        if natts > MAX_TUPLE_ATTRIBUTES {
            let text = format!("number of columns ({natts}) exceeds limit ({MAX_TUPLE_ATTRIBUTES})");
            return Err(PgError::new(TOO_MANY_COLUMNS, text));
        }
        if row.natts() < natts {
            return Err(PgError::internal("a tuple's values are fewer than its columns"));
        }
        let has_null = (0..natts).any(|i| row.value(i).is_null());
        let hoff = maxalign(HEADER_SIZE + if has_null { natts.div_ceil(8) } else { 0 });
        let base = out.len();
        out.resize(base + hoff, 0);
        let mask = self.fill(row, out, base, base + hoff, has_null.then_some(HEADER_SIZE))?;
        let t = &mut out[base..];
        header::set_infomask2(t, natts as u16);
        header::set_infomask(t, mask);
        t[22] = hoff as u8;
        Ok(())
    }

    /// Makes an index tuple in `out`, which is emptied first, pointing to `tid`. Values must not be external; whoever
    /// wants long ones compressed did so. (PostgreSQL: `index_form_tuple`, without its call of TOAST)
    pub fn form_index<R: Row + ?Sized>(&self, row: &R, tid: TupleId, out: &mut Vec<u8>) -> Result<()> {
        out.clear();
        let natts = self.attrs.len();
        if row.natts() < natts {
            return Err(PgError::internal("a tuple's values are fewer than its columns"));
        }
        let has_null = (0..natts).any(|i| row.value(i).is_null());
        // The bitmap always has room for the most columns an index may have (32).
        let hoff = if has_null { maxalign(INDEX_TUPLE_HEADER + 4) } else { INDEX_TUPLE_HEADER };
        out.resize(hoff, 0);
        let mask = self.fill(row, out, 0, hoff, has_null.then_some(INDEX_TUPLE_HEADER))?;
        if mask & infomask::HASEXTERNAL != 0 {
            return Err(PgError::internal("an index tuple cannot hold an external value"));
        }
        let size = maxalign(out.len());
        if size > MAX_INDEX_TUPLE_DATA {
            let text = format!("index row requires {size} bytes, maximum size is {MAX_INDEX_TUPLE_DATA}");
            return Err(PgError::new(PROGRAM_LIMIT_EXCEEDED, text));
        }
        out.resize(size, 0);
        let mut info = size as u16;
        if has_null {
            info |= index_info::NULL_MASK;
        }
        if mask & infomask::HASVARWIDTH != 0 {
            info |= index_info::VAR_MASK;
        }
        out[..6].copy_from_slice(&tid.to_bytes());
        out[6..8].copy_from_slice(&info.to_le_bytes());
        Ok(())
    }

    /// Appends the data; `base` is where the tuple begins in `out`, `data` where its data does. Returns the infomask.
    fn fill<R: Row + ?Sized>(
        &self,
        row: &R,
        out: &mut Vec<u8>,
        base: usize,
        data: usize,
        bitmap: Option<usize>,
    ) -> Result<u16> {
        let mut mask = if bitmap.is_some() { infomask::HASNULL } else { 0 };
        for (i, att) in self.attrs.iter().enumerate() {
            let value = row.value(i);
            if value.is_null() {
                continue;
            }
            if let Some(at) = bitmap {
                out[base + at + i / 8] |= 1 << (i % 8);
            }
            mask |= put(att, value, out, data).map_err(|e| self.name_column(e, i))?;
        }
        Ok(mask)
    }

    #[cold]
    fn name_column(&self, e: PgError, i: usize) -> PgError {
        e.detail(format!("Column {} ({}).", i + 1, self.desc().attrs[i].name))
    }
}

#[inline]
fn pad(out: &mut Vec<u8>, att: &AttLayout, data: usize) {
    let at = data + att.align.up(out.len() - data);
    out.resize(at, 0);
}

#[inline]
fn put(att: &AttLayout, value: DatumRef<'_>, out: &mut Vec<u8>, data: usize) -> Result<u16> {
    match (att.kind, value) {
        (Kind::W1, DatumRef::Word(w)) => out.push(w as u8),
        (Kind::W2, DatumRef::Word(w)) => {
            pad(out, att, data);
            out.extend_from_slice(&(w as u16).to_le_bytes());
        }
        (Kind::W4, DatumRef::Word(w)) => {
            pad(out, att, data);
            out.extend_from_slice(&(w as u32).to_le_bytes());
        }
        (Kind::W8, DatumRef::Word(w)) => {
            pad(out, att, data);
            out.extend_from_slice(&w.to_le_bytes());
        }
        (Kind::Varlena, DatumRef::Bytes(b)) => {
            if att.packable && b.len() <= varlena::SHORT_PAYLOAD_MAX {
                out.push(((b.len() + 1) << 1 | 1) as u8);
            } else if b.len() + varlena::HEADER > varlena::SIZE_MASK as usize {
                return Err(PgError::new(PROGRAM_LIMIT_EXCEEDED, "value is too long"));
            } else {
                pad(out, att, data);
                out.extend_from_slice(&varlena::header(b.len()));
            }
            out.extend_from_slice(b);
            return Ok(infomask::HASVARWIDTH);
        }
        (Kind::Varlena, DatumRef::Toasted(b)) if varlena::is_external(b) => {
            out.extend_from_slice(b);
            return Ok(infomask::HASVARWIDTH | infomask::HASEXTERNAL);
        }
        (Kind::Varlena, DatumRef::Toasted(b)) => {
            pad(out, att, data);
            out.extend_from_slice(b);
            return Ok(infomask::HASVARWIDTH);
        }
        (Kind::Cstring, DatumRef::Bytes(b)) => {
            pad(out, att, data);
            out.extend_from_slice(b);
            out.push(0);
            return Ok(infomask::HASVARWIDTH);
        }
        (Kind::Name, DatumRef::Bytes(b)) if b.len() <= att.len => {
            pad(out, att, data);
            out.extend_from_slice(b);
            out.resize(out.len() + att.len - b.len(), 0);
        }
        (Kind::Fixed, DatumRef::Bytes(b)) if b.len() == att.len => {
            pad(out, att, data);
            out.extend_from_slice(b);
        }
        _ => return Err(PgError::internal("a value does not have the physical form of its column")),
    }
    Ok(0)
}
