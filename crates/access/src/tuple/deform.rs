//! Bytes to values, one tuple. (PostgreSQL: `heap_deform_tuple`, `nocachegetattr`, `index_deform_tuple`)
//!
//! A column whose place is the same in every tuple without nulls before it is read there; others are reached by walking
//! the tuple from the last known place.

use base::{Result, TupleId};
use types::{Datum, DatumRef};

use super::form::{INDEX_TUPLE_HEADER, index_info};
use super::layout::{AttLayout, Kind, TupleLayout};
use super::varlena::{self, corrupted};
use super::{HEADER_SIZE, Header, infomask};

/// A tuple's parts, of whichever sort it is.
#[derive(Clone, Copy)]
pub(super) struct Parts<'a> {
    pub data: &'a [u8],
    /// One bit a column, set if there is a value; `None` if all have one.
    pub bitmap: Option<&'a [u8]>,
    /// Columns stored; later ones are missing.
    pub natts: usize,
}

impl<'a> Parts<'a> {
    #[inline]
    pub fn heap(tuple: &'a [u8]) -> Result<Parts<'a>> {
        let Some(h) = Header::new(tuple) else { return Err(corrupted("shorter than a header")) };
        let (hoff, natts) = (h.hoff(), h.natts());
        let Some(data) = tuple.get(hoff..) else { return Err(corrupted("its data lie beyond its end")) };
        let bitmap = match h.has(infomask::HASNULL) {
            true => {
                let end = HEADER_SIZE + natts.div_ceil(8);
                let bits = tuple.get(HEADER_SIZE..end).filter(|_| end <= hoff);
                Some(bits.ok_or_else(|| corrupted("its null bitmap is too short"))?)
            }
            false => None,
        };
        Ok(Parts { data, bitmap, natts })
    }
    #[inline]
    pub fn index(tuple: &'a [u8], natts: usize) -> Result<Parts<'a>> {
        if tuple.len() < INDEX_TUPLE_HEADER {
            return Err(corrupted("shorter than a header"));
        }
        let info = u16::from_le_bytes([tuple[6], tuple[7]]);
        let (hoff, bitmap) = match info & index_info::NULL_MASK != 0 {
            true => (INDEX_TUPLE_HEADER + 8, tuple.get(INDEX_TUPLE_HEADER..INDEX_TUPLE_HEADER + 4)),
            false => (INDEX_TUPLE_HEADER, None),
        };
        let end = usize::from(info & index_info::SIZE_MASK).min(tuple.len());
        match tuple.get(hoff..end) {
            Some(data) => Ok(Parts { data, bitmap, natts }),
            None => Err(corrupted("its data lie beyond its end")),
        }
    }
    #[inline]
    pub fn is_null(&self, i: usize) -> bool {
        match self.bitmap {
            Some(b) => b.get(i / 8).is_none_or(|byte| byte >> (i % 8) & 1 == 0),
            None => false,
        }
    }
    /// Does every column before the `n`-th have a value?
    #[inline]
    pub fn none_null_before(&self, n: usize) -> bool {
        self.natts >= n
            && match self.bitmap {
                None => true,
                Some(b) => (0..n / 8).all(|i| b[i] == 0xFF) && (n % 8 == 0 || !b[n / 8] & ((1 << (n % 8)) - 1) == 0),
            }
    }
}

#[inline]
fn bytes_at(data: &[u8], at: usize, len: usize) -> Result<&[u8]> {
    data.get(at..at + len).ok_or_else(|| corrupted("a column lies beyond its end"))
}

/// The value at a place, which is aligned but for varlenas, and the place after it.
#[inline]
pub(super) fn value_at<'a>(att: &AttLayout, data: &'a [u8], at: usize) -> Result<(DatumRef<'a>, usize)> {
    Ok(match att.kind {
        Kind::W1 => (DatumRef::Word(u64::from(bytes_at(data, at, 1)?[0])), at + 1),
        Kind::W2 => {
            let b = bytes_at(data, at, 2)?;
            (DatumRef::Word(i16::from_le_bytes([b[0], b[1]]) as u64), at + 2)
        }
        Kind::W4 => {
            let b = bytes_at(data, at, 4)?;
            (DatumRef::Word(i32::from_le_bytes([b[0], b[1], b[2], b[3]]) as u64), at + 4)
        }
        Kind::W8 => {
            let b = bytes_at(data, at, 8)?;
            let w = u64::from_le_bytes([b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7]]);
            (DatumRef::Word(w), at + 8)
        }
        Kind::Fixed => (DatumRef::Bytes(bytes_at(data, at, att.len)?), at + att.len),
        Kind::Name => {
            let b = bytes_at(data, at, att.len)?;
            let n = b.iter().position(|&c| c == 0).unwrap_or(b.len());
            (DatumRef::Bytes(&b[..n]), at + att.len)
        }
        Kind::Varlena => {
            let rest = data.get(at..).unwrap_or(&[]);
            let len = varlena::size(rest)?;
            (varlena::datum(&rest[..len]), at + len)
        }
        Kind::Cstring => {
            let rest = data.get(at..).unwrap_or(&[]);
            let n = rest.iter().position(|&c| c == 0).ok_or_else(|| corrupted("a string does not end"))?;
            (DatumRef::Bytes(&rest[..n]), at + n + 1)
        }
    })
}

/// The place of a column's value, the one before having ended at `at`. (PostgreSQL: `att_pointer_alignby`)
#[inline]
pub(super) fn align_at(att: &AttLayout, data: &[u8], at: usize) -> usize {
    // Padding is zero, and no short header is: the first byte tells whether a varlena is aligned.
    match att.kind {
        Kind::Varlena if data.get(at).is_some_and(|&b| b != 0) => at,
        _ => att.align.up(at),
    }
}

/// Goes through a tuple's columns in order.
pub(super) struct Walker<'l, 'a> {
    attrs: &'l [AttLayout],
    parts: Parts<'a>,
    next: usize,
    at: usize,
}

impl<'l, 'a> Walker<'l, 'a> {
    #[inline]
    pub fn new(attrs: &'l [AttLayout], parts: Parts<'a>) -> Walker<'l, 'a> {
        Walker { attrs, parts, next: 0, at: 0 }
    }
    /// The value of column `i`, which is stored, not null, and not before the ones already asked for.
    #[inline]
    pub fn value(&mut self, i: usize, fixed: usize) -> Result<DatumRef<'a>> {
        let data = self.parts.data;
        // Jump as far as the place is known. The column there needs a value as well: its place includes its padding.
        if self.next < fixed && self.next < i {
            let to = i.min(fixed - 1);
            if let Some(offset) =
                self.attrs[to].offset.filter(|_| to > self.next && self.parts.none_null_before(to + 1))
            {
                (self.next, self.at) = (to, usize::from(offset));
            }
        }
        while self.next < i {
            if !self.parts.is_null(self.next) {
                let att = &self.attrs[self.next];
                let at = align_at(att, data, self.at);
                self.at = match att.kind {
                    Kind::Varlena => at + varlena::size(data.get(at..).unwrap_or(&[]))?,
                    Kind::Cstring => value_at(att, data, at)?.1,
                    _ => at + att.len,
                };
            }
            self.next += 1;
        }
        let att = &self.attrs[i];
        let (value, end) = value_at(att, data, align_at(att, data, self.at))?;
        (self.next, self.at) = (i + 1, end);
        Ok(value)
    }
}

impl TupleLayout {
    /// What a row that was stored before column `i` was added has there.
    #[inline]
    pub(super) fn missing(&self, i: usize) -> DatumRef<'_> {
        match self.attrs[i].has_missing {
            true => self.desc().attrs[i].missing.as_ref().map_or(DatumRef::Null, Datum::as_ref),
            false => DatumRef::Null,
        }
    }

    fn read<'a>(&'a self, parts: Parts<'a>, wanted: &[u16], out: &mut Vec<DatumRef<'a>>) -> Result<()> {
        let mut walker = Walker::new(&self.attrs, parts);
        for &i in wanted {
            let i = usize::from(i);
            out.push(if i >= parts.natts {
                self.missing(i)
            } else if parts.is_null(i) {
                DatumRef::Null
            } else {
                walker.value(i, self.fixed)?
            });
        }
        Ok(())
    }

    /// Appends all columns of a heap tuple.
    pub fn deform_all<'a>(&'a self, tuple: &'a [u8], out: &mut Vec<DatumRef<'a>>) -> Result<()> {
        let parts = Parts::heap(tuple)?;
        let mut walker = Walker::new(&self.attrs, parts);
        for i in 0..self.attrs.len() {
            out.push(if i >= parts.natts {
                self.missing(i)
            } else if parts.is_null(i) {
                DatumRef::Null
            } else {
                walker.value(i, 0)?
            });
        }
        Ok(())
    }

    /// All columns of a heap tuple into as many places.
    pub(crate) fn deform_into<'a>(&'a self, tuple: &'a [u8], out: &mut [DatumRef<'a>]) -> Result<()> {
        let parts = Parts::heap(tuple)?;
        let mut walker = Walker::new(&self.attrs, parts);
        for (i, out) in out.iter_mut().enumerate().take(self.attrs.len()) {
            *out = if i >= parts.natts {
                self.missing(i)
            } else if parts.is_null(i) {
                DatumRef::Null
            } else {
                walker.value(i, 0)?
            };
        }
        Ok(())
    }

    /// Appends some columns of a heap tuple, numbered from 0 and ascending.
    pub fn deform<'a>(&'a self, tuple: &'a [u8], wanted: &[u16], out: &mut Vec<DatumRef<'a>>) -> Result<()> {
        self.read(Parts::heap(tuple)?, wanted, out)
    }

    /// One column of a heap tuple, numbered from 0. (PostgreSQL: `heap_getattr`)
    #[inline]
    pub fn attr<'a>(&'a self, tuple: &'a [u8], i: usize) -> Result<DatumRef<'a>> {
        self.one(Parts::heap(tuple)?, i)
    }

    /// One column of an index tuple, numbered from 0; `natts` tells how many it holds (a pivot tuple may hold fewer).
    /// (PostgreSQL: `index_getattr`)
    #[inline]
    pub fn index_attr<'a>(&'a self, tuple: &'a [u8], natts: usize, i: usize) -> Result<DatumRef<'a>> {
        self.one(Parts::index(tuple, natts)?, i)
    }

    /// Appends the columns of an index tuple that holds `natts`. (PostgreSQL: `index_deform_tuple`)
    pub fn deform_index<'a>(&'a self, tuple: &'a [u8], natts: usize, out: &mut Vec<DatumRef<'a>>) -> Result<()> {
        let parts = Parts::index(tuple, natts)?;
        let mut walker = Walker::new(&self.attrs, parts);
        for i in 0..natts.min(self.attrs.len()) {
            let null = parts.is_null(i);
            out.push(if null { DatumRef::Null } else { walker.value(i, 0)? });
        }
        Ok(())
    }

    /// Appends the columns of a composite value's payload (see [`TupleLayout::form_composite`]).
    pub fn deform_composite<'a>(&'a self, payload: &'a [u8], out: &mut Vec<DatumRef<'a>>) -> Result<()> {
        if payload.len() < HEADER_SIZE - 4 {
            return Err(corrupted("shorter than a header"));
        }
        let u16_at = |at: usize| u16::from_le_bytes([payload[at - 4], payload[at - 3]]);
        let natts = usize::from(u16_at(18) & super::infomask2::NATTS_MASK);
        let hoff = usize::from(payload[22 - 4]);
        let bits = HEADER_SIZE - 4..HEADER_SIZE - 4 + natts.div_ceil(8);
        let bitmap = match u16_at(20) & infomask::HASNULL != 0 {
            true => Some(payload.get(bits).ok_or_else(|| corrupted("its null bitmap is too short"))?),
            false => None,
        };
        let data = hoff.checked_sub(4).and_then(|h| payload.get(h..));
        let data = data.ok_or_else(|| corrupted("its data lie beyond its end"))?;
        let parts = Parts { data, bitmap, natts };
        let mut walker = Walker::new(&self.attrs, parts);
        for i in 0..self.attrs.len() {
            out.push(if i >= natts {
                self.missing(i)
            } else if parts.is_null(i) {
                DatumRef::Null
            } else {
                walker.value(i, 0)?
            });
        }
        Ok(())
    }

    #[inline]
    fn one<'a>(&'a self, parts: Parts<'a>, i: usize) -> Result<DatumRef<'a>> {
        if i >= parts.natts {
            return Ok(self.missing(i));
        }
        if parts.is_null(i) {
            return Ok(DatumRef::Null);
        }
        if let Some(offset) = self.attrs[i].offset.filter(|_| i < self.fixed && parts.none_null_before(i)) {
            return Ok(value_at(&self.attrs[i], parts.data, usize::from(offset))?.0);
        }
        Walker::new(&self.attrs, parts).value(i, self.fixed)
    }
}

/// Where an index tuple points. (PostgreSQL: `IndexTupleData.t_tid`)
#[inline]
pub fn index_tid(tuple: &[u8]) -> TupleId {
    TupleId::from_bytes([tuple[0], tuple[1], tuple[2], tuple[3], tuple[4], tuple[5]])
}
