//! nbtree's tuples as bytes: plain ones, posting lists (several row places with one key), pivots (keys that only separate).
//!
//! ```text
//! plain    row place            | t_info | keys, included columns
//! posting  offset, count|0x2000 | t_info | keys                   | row places
//! pivot    downlink, natts      | t_info | some keys              | perhaps a row place
//! ```
//! PostgreSQL: `nbtree.h`, "Notes on B-Tree tuple format"; `_bt_truncate`, `_bt_form_posting`, `_bt_swap_posting`.

use base::{BlockNumber, PgError, Result, TupleId};
use storage::page::maxalign;

use crate::tuple::{INDEX_TUPLE_HEADER, Kind, TupleLayout, index_info, varlena};

/// `t_tid` holds something else than a row place. (PostgreSQL: `INDEX_ALT_TID_MASK`)
const ALT_TID: u16 = index_info::AM_RESERVED;
const OFFSET_MASK: u16 = 0x0FFF;
/// (PostgreSQL: `BT_PIVOT_HEAP_TID_ATTR`)
const PIVOT_HAS_TID: u16 = 0x1000;
/// (PostgreSQL: `BT_IS_POSTING`)
const IS_POSTING: u16 = 0x2000;
pub const TID_SIZE: usize = 6;

#[inline]
fn info(t: &[u8]) -> u16 {
    u16::from_le_bytes([t[6], t[7]])
}
fn set_info(t: &mut [u8], info: u16) {
    t[6..8].copy_from_slice(&info.to_le_bytes());
}
#[inline]
fn tid_at(t: &[u8], at: usize) -> Option<TupleId> {
    t.get(at..)?.first_chunk().map(|b| TupleId::from_bytes(*b))
}
/// What lies in `t_tid`.
#[inline]
pub fn raw_tid(t: &[u8]) -> TupleId {
    TupleId::from_bytes([t[0], t[1], t[2], t[3], t[4], t[5]])
}
pub fn set_raw_tid(t: &mut [u8], tid: TupleId) {
    t[..6].copy_from_slice(&tid.to_bytes());
}
/// Bytes, as the tuple itself says.
#[inline]
pub fn size(t: &[u8]) -> usize {
    usize::from(info(t) & index_info::SIZE_MASK)
}
fn set_size(t: &mut [u8], size: usize) {
    let old = info(t) & !index_info::SIZE_MASK;
    set_info(t, old | size as u16);
}
#[inline]
pub fn is_posting(t: &[u8]) -> bool {
    info(t) & ALT_TID != 0 && raw_tid(t).offset & IS_POSTING != 0
}
#[inline]
pub fn is_pivot(t: &[u8]) -> bool {
    info(t) & ALT_TID != 0 && raw_tid(t).offset & IS_POSTING == 0
}
/// How many columns the tuple holds; `all` is how many the index has. (PostgreSQL: `BTreeTupleGetNAtts`)
#[inline]
pub fn natts(t: &[u8], all: usize) -> usize {
    if is_pivot(t) { usize::from(raw_tid(t).offset & OFFSET_MASK) } else { all }
}
/// The page a pivot leads to.
#[inline]
pub fn downlink(t: &[u8]) -> BlockNumber {
    raw_tid(t).block
}
pub fn set_downlink(t: &mut [u8], block: BlockNumber) {
    let offset = raw_tid(t).offset;
    set_raw_tid(t, TupleId::new(block, offset));
}
/// In a half-dead leaf: the topmost page of the branch that goes with it. (PostgreSQL: `BTreeTupleSetTopParent`)
pub fn set_top_parent(t: &mut [u8], block: BlockNumber) {
    set_downlink(t, block);
    set_natts(t, 0, false);
}
fn set_natts(t: &mut [u8], n: usize, with_tid: bool) {
    let block = raw_tid(t).block;
    let status = if with_tid { PIVOT_HAS_TID } else { 0 };
    set_raw_tid(t, TupleId::new(block, n as u16 | status));
    let old = info(t);
    set_info(t, old | ALT_TID);
}
/// The first row place; of a pivot the separating one, if it was not truncated. (PostgreSQL: `BTreeTupleGetHeapTID`)
#[inline]
pub fn heap_tid(t: &[u8]) -> Option<TupleId> {
    let raw = raw_tid(t);
    if info(t) & ALT_TID == 0 {
        return Some(raw);
    }
    if raw.offset & IS_POSTING != 0 {
        return tid_at(t, raw.block.0 as usize);
    }
    match raw.offset & PIVOT_HAS_TID {
        0 => None,
        _ => tid_at(t, size(t).checked_sub(TID_SIZE)?),
    }
}
/// The last row place of a leaf tuple.
pub fn max_heap_tid(t: &[u8]) -> Option<TupleId> {
    match is_posting(t) {
        true => posting_tid(t, posting_count(t).checked_sub(1)?),
        false => heap_tid(t),
    }
}
/// How many row places a posting list has.
#[inline]
pub fn posting_count(t: &[u8]) -> usize {
    usize::from(raw_tid(t).offset & OFFSET_MASK)
}
fn posting_offset(t: &[u8]) -> usize {
    raw_tid(t).block.0 as usize
}
pub fn posting_tid(t: &[u8], i: usize) -> Option<TupleId> {
    tid_at(t, posting_offset(t) + i * TID_SIZE)
}
/// Bytes of a leaf tuple without its posting list.
pub fn key_size(t: &[u8]) -> usize {
    if is_posting(t) { posting_offset(t) } else { size(t) }
}
/// All row places of a leaf tuple.
#[inline]
pub fn for_each_tid(t: &[u8], mut f: impl FnMut(TupleId)) {
    match is_posting(t) {
        false => f(raw_tid(t)),
        true => (0..posting_count(t)).filter_map(|i| posting_tid(t, i)).for_each(f),
    }
}

/// The tuple of `base`'s key with these row places. (PostgreSQL: `_bt_form_posting`)
pub fn form_posting(base: &[u8], tids: &[TupleId]) -> Vec<u8> {
    let keys = key_size(base);
    let mut t = base[..keys.min(base.len())].to_vec();
    let old = info(&t) & !(index_info::SIZE_MASK | ALT_TID);
    match tids {
        [tid] => {
            set_info(&mut t, old | keys as u16);
            set_raw_tid(&mut t, *tid);
        }
        _ => {
            tids.iter().for_each(|tid| t.extend_from_slice(&tid.to_bytes()));
            t.resize(maxalign(t.len()), 0);
            let size = t.len() as u16;
            set_info(&mut t, old | ALT_TID | size);
            set_raw_tid(&mut t, TupleId::new(BlockNumber(keys as u32), tids.len() as u16 | IS_POSTING));
        }
    }
    t
}
/// A posting list without some of its places (numbers ascend). (PostgreSQL: `_bt_update_posting`)
pub fn without_tids(t: &[u8], gone: &[u16]) -> Vec<u8> {
    let mut keep = Vec::with_capacity(posting_count(t));
    let mut i = 0;
    for_each_tid(t, |tid| {
        if gone.binary_search(&i).is_err() {
            keep.push(tid);
        }
        i += 1;
    });
    form_posting(t, &keep)
}
/// The new tuple's row place goes into the middle of a posting list, the list's last place goes into the new tuple: so
/// both stay in order and of the same size. (PostgreSQL: `_bt_swap_posting`)
pub fn swap_posting(new: &mut [u8], old: &[u8], at: usize) -> Result<Vec<u8>> {
    let n = posting_count(old);
    let last = max_heap_tid(old);
    let (true, Some(last)) = (is_posting(old) && at > 0 && at < n, last) else {
        return Err(PgError::internal(format!("posting list tuple with {n} items cannot be split at offset {at}")));
    };
    let mut swapped = old.to_vec();
    let from = posting_offset(old) + at * TID_SIZE;
    swapped.copy_within(from..from + (n - at - 1) * TID_SIZE, from + TID_SIZE);
    swapped[from..from + TID_SIZE].copy_from_slice(&new[..TID_SIZE]);
    set_raw_tid(new, last);
    Ok(swapped)
}

/// A pivot lower than everything: the first on its level. (PostgreSQL: in `_bt_pgaddtup`)
pub fn minus_infinity(downlink: BlockNumber) -> [u8; INDEX_TUPLE_HEADER] {
    let mut t = [0; INDEX_TUPLE_HEADER];
    set_info(&mut t, INDEX_TUPLE_HEADER as u16);
    set_downlink(&mut t, downlink);
    set_natts(&mut t, 0, false);
    t
}

/// The first `n` columns of a tuple as a tuple; `t_tid` is kept. (PostgreSQL: `index_truncate_tuple`)
fn prefix(layout: &TupleLayout, t: &[u8], n: usize) -> Result<Vec<u8>> {
    let damaged = || PgError::new(base::sqlstate::INDEX_CORRUPTED, "index tuple is damaged");
    let has_nulls = info(t) & index_info::NULL_MASK != 0;
    let from = if has_nulls { INDEX_TUPLE_HEADER + 8 } else { INDEX_TUPLE_HEADER };
    let data = t.get(from..).ok_or_else(damaged)?;
    let is_null = |i: usize| has_nulls && t[INDEX_TUPLE_HEADER + i / 8] >> (i % 8) & 1 == 0;
    let (mut end, mut varying) = (0, false);
    for (i, att) in layout.attrs().iter().take(n).enumerate() {
        if is_null(i) {
            continue;
        }
        let aligned = match att.kind {
            Kind::Varlena if data.get(end).is_some_and(|b| *b != 0) => end,
            _ => att.align.up(end),
        };
        end = match att.kind {
            Kind::Varlena => aligned + varlena::size(data.get(aligned..).unwrap_or(&[]))?,
            Kind::Cstring => {
                let rest = data.get(aligned..).ok_or_else(damaged)?;
                aligned + rest.iter().position(|b| *b == 0).ok_or_else(damaged)? + 1
            }
            Kind::W1 => aligned + 1,
            Kind::W2 => aligned + 2,
            Kind::W4 => aligned + 4,
            Kind::W8 => aligned + 8,
            Kind::Fixed | Kind::Name => aligned + att.len,
        };
        varying |= matches!(att.kind, Kind::Varlena | Kind::Cstring);
    }
    let nulls = (0..n).any(is_null);
    let mut out = t[..INDEX_TUPLE_HEADER].to_vec();
    if nulls {
        let mut bitmap = [0; 8];
        for i in (0..n).filter(|i| !is_null(*i)) {
            bitmap[i / 8] |= 1 << (i % 8);
        }
        out.extend_from_slice(&bitmap);
    }
    out.extend_from_slice(data.get(..end).ok_or_else(damaged)?);
    out.resize(maxalign(out.len()), 0);
    let mut new = out.len() as u16;
    if nulls {
        new |= index_info::NULL_MASK;
    }
    if varying {
        new |= index_info::VAR_MASK;
    }
    set_info(&mut out, new);
    Ok(out)
}

/// The pivot that separates two neighbouring leaf tuples, with as few columns as will do; `keep` is how many are needed
/// (one more than there are: the row place as well). (PostgreSQL: `_bt_truncate`)
pub fn truncate(
    layout: &TupleLayout,
    key_columns: usize,
    last_left: &[u8],
    first_right: &[u8],
    keep: usize,
) -> Result<Vec<u8>> {
    let columns = keep.min(key_columns);
    let mut pivot = prefix(layout, first_right, columns)?;
    set_raw_tid(&mut pivot, TupleId::new(BlockNumber(0), 0));
    if keep <= key_columns {
        set_natts(&mut pivot, keep, false);
        return Ok(pivot);
    }
    let tid = max_heap_tid(last_left).unwrap_or(TupleId::INVALID);
    pivot.extend_from_slice(&[0, 0]);
    pivot.extend_from_slice(&tid.to_bytes());
    let len = pivot.len();
    set_size(&mut pivot, len);
    set_natts(&mut pivot, key_columns, true);
    Ok(pivot)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use types::{Align, Attribute, Datum, TupleDesc};

    use super::*;

    fn layout() -> TupleLayout {
        let mut text = Attribute::new("b", base::Oid(25), -1, false, Align::Int);
        text.storage = b'x';
        let int = Attribute::new("a", base::Oid(23), 4, true, Align::Int);
        TupleLayout::new(&Arc::new(TupleDesc::new(vec![int, text])))
    }
    fn tid(n: u32) -> TupleId {
        TupleId::new(BlockNumber(n), 1)
    }
    fn form(a: Datum, b: Datum, n: u32) -> Vec<u8> {
        let mut t = Vec::new();
        layout().form_index(&vec![a, b], tid(n), &mut t).unwrap();
        t
    }
    fn tids(t: &[u8]) -> Vec<u32> {
        let mut all = Vec::new();
        for_each_tid(t, |tid| all.push(tid.block.0));
        all
    }

    #[test]
    fn posting_lists() {
        let base = form(Datum::i32(1), Datum::text("x"), 5);
        let posting = form_posting(&base, &[tid(5), tid(7), tid(9)]);
        assert_eq!((size(&posting), posting.len()), (40, 40));
        assert!(is_posting(&posting) && !is_pivot(&posting));
        assert_eq!(tids(&posting), [5, 7, 9]);
        assert_eq!(tids(&without_tids(&posting, &[1])), [5, 9]);
        let single = without_tids(&posting, &[0, 2]);
        assert!(!is_posting(&single));
        assert_eq!(single, form(Datum::i32(1), Datum::text("x"), 7));
        let mut new = form(Datum::i32(1), Datum::text("x"), 6);
        let swapped = swap_posting(&mut new, &posting, 1).unwrap();
        assert_eq!((tids(&swapped), raw_tid(&new)), (vec![5, 6, 7], tid(9)));
        assert!(swap_posting(&mut new, &posting, 3).is_err());
    }

    #[test]
    fn pivots() {
        let left = form(Datum::i32(1), Datum::text("abc"), 5);
        let right = form(Datum::i32(2), Datum::text("x"), 3);
        let l = layout();
        let one = truncate(&l, 2, &left, &right, 1).unwrap();
        assert_eq!((one.len(), natts(&one, 2), heap_tid(&one)), (16, 1, None));
        let both = truncate(&l, 2, &left, &right, 2).unwrap();
        assert_eq!((both.len(), natts(&both, 2)), (16, 2));
        let full = truncate(&l, 2, &form_posting(&left, &[tid(5), tid(8)]), &right, 3).unwrap();
        assert_eq!((full.len(), natts(&full, 2), heap_tid(&full)), (24, 2, Some(tid(8))));
        let nulls = form(Datum::Null, Datum::text("abc"), 5);
        let t = truncate(&l, 2, &left, &nulls, 1).unwrap();
        assert_eq!(l.index_attr(&t, 1, 0).unwrap(), types::DatumRef::Null);
        let null_later = form(Datum::i32(7), Datum::Null, 5);
        let t = truncate(&l, 2, &left, &null_later, 1).unwrap();
        assert_eq!((t.len(), l.index_attr(&t, 1, 0).unwrap()), (16, Datum::i32(7).as_ref()));
        assert_eq!(natts(&minus_infinity(BlockNumber(4)), 2), 0);
        assert_eq!(downlink(&minus_infinity(BlockNumber(4))), BlockNumber(4));
    }
}
