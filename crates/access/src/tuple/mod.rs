//! Heap and index tuples: bytes made from values, values read from bytes.
//!
//! | file | what |
//! | --- | --- |
//! | `mod.rs` | the heap tuple's header: [`Header`], the `t_infomask` bits |
//! | `layout.rs` | [`TupleLayout`]: what forming and deforming need to know of a [`types::TupleDesc`], prepared once |
//! | `form.rs` | values to bytes: [`TupleLayout::form_heap`], [`TupleLayout::form_index`], [`TupleLayout::form_composite`] |
//! | `deform.rs` | bytes to values, one tuple: [`TupleLayout::deform`], [`TupleLayout::attr`], [`TupleLayout::index_attr`] |
//! | `columns.rs` | bytes to columns, a page of tuples at once: [`Projection`] |
//! | `prefilter.rs` | conditions tested before the other columns are read: [`Prefilter`] |
//! | `varlena.rs` | headers of variable-length values, TOAST pointers |
//!
//! Nothing here needs a running server. Bytes come from disk, so reading them checks every length: damaged ones give an
//! error, never a panic.
//!
//! PostgreSQL: `htup_details.h`, `heaptuple.c`, `itup.h`, `indextuple.c`, `tupmacs.h`.

mod columns;
mod deform;
mod form;
mod layout;
mod prefilter;
pub mod varlena;

use base::{CommandId, TupleId, Xid};

pub use columns::{Projection, RowBytes, Wanted};
pub use deform::index_tid;
pub use form::index_info;
pub use form::{ColumnsRow, INDEX_TUPLE_HEADER, MAX_INDEX_TUPLE_DATA, Row};
pub use layout::{AttLayout, Kind, TupleLayout};
pub use prefilter::{Comparison, PREFILTER_ROWS, Prefilter};
pub use varlena::{Compression, ToastPointer};

/// Bytes of the header before the null bitmap. (PostgreSQL: `SizeofHeapTupleHeader`)
pub const HEADER_SIZE: usize = 23;
/// The largest tuple that fits a page. (PostgreSQL: `MaxHeapTupleSize`)
pub const MAX_HEAP_TUPLE_SIZE: usize = 8192 - 32;
/// (PostgreSQL: `MaxTupleAttributeNumber`)
pub const MAX_TUPLE_ATTRIBUTES: usize = 1664;

/// Bits of `t_infomask`.
pub mod infomask {
    pub const HASNULL: u16 = 0x0001;
    pub const HASVARWIDTH: u16 = 0x0002;
    pub const HASEXTERNAL: u16 = 0x0004;
    pub const XMAX_KEYSHR_LOCK: u16 = 0x0010;
    /// `t_cid` is a combo command id.
    pub const COMBOCID: u16 = 0x0020;
    pub const XMAX_EXCL_LOCK: u16 = 0x0040;
    pub const XMAX_LOCK_ONLY: u16 = 0x0080;
    pub const XMAX_SHR_LOCK: u16 = XMAX_EXCL_LOCK | XMAX_KEYSHR_LOCK;
    pub const LOCK_MASK: u16 = XMAX_SHR_LOCK;
    pub const XMIN_COMMITTED: u16 = 0x0100;
    pub const XMIN_INVALID: u16 = 0x0200;
    pub const XMIN_FROZEN: u16 = XMIN_COMMITTED | XMIN_INVALID;
    pub const XMAX_COMMITTED: u16 = 0x0400;
    pub const XMAX_INVALID: u16 = 0x0800;
    pub const XMAX_IS_MULTI: u16 = 0x1000;
    pub const UPDATED: u16 = 0x2000;
    pub const MOVED_OFF: u16 = 0x4000;
    pub const MOVED_IN: u16 = 0x8000;
    pub const MOVED: u16 = MOVED_OFF | MOVED_IN;
    /// All that speaks of visibility. (PostgreSQL: `HEAP_XACT_MASK`)
    pub const XACT_MASK: u16 = 0xFFF0;
    /// All that speaks of xmax. (PostgreSQL: `HEAP_XMAX_BITS`)
    pub const XMAX_BITS: u16 = XMAX_COMMITTED | XMAX_INVALID | XMAX_IS_MULTI | LOCK_MASK | XMAX_LOCK_ONLY;
}

/// Bits of `t_infomask2`.
pub mod infomask2 {
    pub const NATTS_MASK: u16 = 0x07FF;
    /// The update changed a key column, or it was a delete.
    pub const KEYS_UPDATED: u16 = 0x2000;
    pub const HOT_UPDATED: u16 = 0x4000;
    pub const ONLY_TUPLE: u16 = 0x8000;
    /// All that speaks of visibility. (PostgreSQL: `HEAP2_XACT_MASK`)
    pub const XACT_MASK: u16 = 0xE000;
}

/// A heap tuple's bytes, its header read on demand. The bytes are at least a header long.
#[derive(Clone, Copy)]
pub struct Header<'a>(&'a [u8]);

impl<'a> Header<'a> {
    /// `None` if the bytes are too short.
    #[inline]
    pub fn new(tuple: &'a [u8]) -> Option<Header<'a>> {
        (tuple.len() >= HEADER_SIZE).then_some(Header(tuple))
    }
    #[inline]
    pub fn bytes(self) -> &'a [u8] {
        self.0
    }
    /// Its first bytes.
    #[inline]
    pub fn head<const N: usize>(self) -> Option<&'a [u8; N]> {
        self.0.first_chunk()
    }
    #[inline]
    fn u16(self, at: usize) -> u16 {
        u16::from_le_bytes([self.0[at], self.0[at + 1]])
    }
    /// As stored. (PostgreSQL: `HeapTupleHeaderGetRawXmin`)
    #[inline]
    pub fn raw_xmin(self) -> Xid {
        Xid(varlena::u32_at(self.0, 0))
    }
    /// The frozen id for a frozen tuple. (PostgreSQL: `HeapTupleHeaderGetXmin`)
    #[inline]
    pub fn xmin(self) -> Xid {
        if self.xmin_frozen() { Xid::FROZEN } else { self.raw_xmin() }
    }
    /// As stored: perhaps a multixact, perhaps only a locker. (PostgreSQL: `HeapTupleHeaderGetRawXmax`)
    #[inline]
    pub fn raw_xmax(self) -> Xid {
        Xid(varlena::u32_at(self.0, 4))
    }
    /// As stored: perhaps a combo command id. (PostgreSQL: `HeapTupleHeaderGetRawCommandId`)
    #[inline]
    pub fn raw_cid(self) -> CommandId {
        CommandId(varlena::u32_at(self.0, 8))
    }
    #[inline]
    pub fn ctid(self) -> TupleId {
        let b = self.0;
        TupleId::from_bytes([b[12], b[13], b[14], b[15], b[16], b[17]])
    }
    #[inline]
    pub fn infomask2(self) -> u16 {
        self.u16(18)
    }
    #[inline]
    pub fn infomask(self) -> u16 {
        self.u16(20)
    }
    #[inline]
    pub fn hoff(self) -> usize {
        usize::from(self.0[22])
    }
    #[inline]
    pub fn natts(self) -> usize {
        usize::from(self.infomask2() & infomask2::NATTS_MASK)
    }
    #[inline]
    pub fn has(self, bits: u16) -> bool {
        self.infomask() & bits != 0
    }
    #[inline]
    pub fn xmin_committed(self) -> bool {
        self.has(infomask::XMIN_COMMITTED)
    }
    /// The inserter aborted (a frozen tuple has this bit as well, and is not meant).
    #[inline]
    pub fn xmin_invalid(self) -> bool {
        self.infomask() & infomask::XMIN_FROZEN == infomask::XMIN_INVALID
    }
    #[inline]
    pub fn xmin_frozen(self) -> bool {
        self.infomask() & infomask::XMIN_FROZEN == infomask::XMIN_FROZEN
    }
    /// xmax did not delete or update, it only locked. (PostgreSQL: `HEAP_XMAX_IS_LOCKED_ONLY`)
    #[inline]
    pub fn xmax_locked_only(self) -> bool {
        xmax_locked_only(self.infomask())
    }
    #[inline]
    pub fn xmax_is_multi(self) -> bool {
        self.has(infomask::XMAX_IS_MULTI)
    }
    #[inline]
    pub fn keys_updated(self) -> bool {
        self.infomask2() & infomask2::KEYS_UPDATED != 0
    }
    /// The tuple was updated, and its new version hangs on it. (PostgreSQL: `HeapTupleHeaderIsHotUpdated`)
    #[inline]
    pub fn is_hot_updated(self) -> bool {
        self.infomask2() & infomask2::HOT_UPDATED != 0 && !self.has(infomask::XMAX_INVALID) && !self.xmin_invalid()
    }
    /// No index entry points here. (PostgreSQL: `HeapTupleHeaderIsHeapOnly`)
    #[inline]
    pub fn is_heap_only(self) -> bool {
        self.infomask2() & infomask2::ONLY_TUPLE != 0
    }
    /// An insertion that may yet be taken back. (PostgreSQL: `HeapTupleHeaderIsSpeculative`)
    #[inline]
    pub fn is_speculative(self) -> bool {
        self.ctid().offset == SPEC_TOKEN_OFFSET
    }
    /// Its row went to another partition. (PostgreSQL: `HeapTupleHeaderIndicatesMovedPartitions`)
    #[inline]
    pub fn moved_partitions(self) -> bool {
        let t = self.ctid();
        t.offset == MOVED_PARTITIONS_OFFSET && !t.block.is_valid()
    }
}

/// The offset number in `t_ctid` of a speculative insertion. (PostgreSQL: `SpecTokenOffsetNumber`)
pub const SPEC_TOKEN_OFFSET: u16 = 0xFFFE;
/// The offset number in `t_ctid` of a row that moved to another partition. (PostgreSQL: `MovedPartitionsOffsetNumber`)
pub const MOVED_PARTITIONS_OFFSET: u16 = 0xFFFD;

/// (PostgreSQL: `HEAP_XMAX_IS_LOCKED_ONLY`)
#[inline]
pub fn xmax_locked_only(mask: u16) -> bool {
    use infomask::*;
    mask & XMAX_LOCK_ONLY != 0 || mask & (XMAX_IS_MULTI | LOCK_MASK) == XMAX_EXCL_LOCK
}

/// Writing a header's fields; the bytes are a tuple, at least a header long.
pub mod header {
    use base::{CommandId, TupleId, Xid};

    #[inline]
    pub fn set_xmin(t: &mut [u8], xid: Xid) {
        t[0..4].copy_from_slice(&xid.0.to_le_bytes());
    }
    #[inline]
    pub fn set_xmax(t: &mut [u8], xid: Xid) {
        t[4..8].copy_from_slice(&xid.0.to_le_bytes());
    }
    #[inline]
    pub fn set_raw_cid(t: &mut [u8], cid: CommandId) {
        t[8..12].copy_from_slice(&cid.0.to_le_bytes());
    }
    #[inline]
    pub fn set_ctid(t: &mut [u8], tid: TupleId) {
        t[12..18].copy_from_slice(&tid.to_bytes());
    }
    #[inline]
    pub fn set_infomask2(t: &mut [u8], bits: u16) {
        t[18..20].copy_from_slice(&bits.to_le_bytes());
    }
    #[inline]
    pub fn set_infomask(t: &mut [u8], bits: u16) {
        t[20..22].copy_from_slice(&bits.to_le_bytes());
    }
    /// Clears some bits of `t_infomask`, then sets others.
    #[inline]
    pub fn change_infomask(t: &mut [u8], clear: u16, set: u16) {
        let old = u16::from_le_bytes([t[20], t[21]]);
        set_infomask(t, old & !clear | set);
    }
    /// Clears some bits of `t_infomask2`, then sets others.
    #[inline]
    pub fn change_infomask2(t: &mut [u8], clear: u16, set: u16) {
        let old = u16::from_le_bytes([t[18], t[19]]);
        set_infomask2(t, old & !clear | set);
    }
}

#[cfg(test)]
pub(crate) mod tests;
