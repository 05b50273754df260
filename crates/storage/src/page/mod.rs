//! A page in PostgreSQL's layout: header, line pointers growing up, tuples growing down, special space at the end.
//!
//! ```text
//! 0  pd_lsn (xlogid, xrecoff: two u32)   14 pd_upper       18 pd_pagesize_version (8192 | 4)
//! 8  pd_checksum   10 pd_flags           16 pd_special     20 pd_prune_xid      24 line pointers ..
//! 12 pd_lower
//! ```
//! [`Page`] is a view of 8192 bytes: `&Page` reads, `&mut Page` writes. The guards of the buffer pool deref to it; on
//! other buffers use [`Page::from_bytes`], [`Page::from_bytes_mut`] or [`Page::boxed`]. Functions that could meet
//! damaged bytes return `Option` or `Result`; none panics for what it reads from a page.
//!
//! PostgreSQL: `bufpage.h`, `bufpage.c`, `itemid.h`, `checksum_impl.h`.

mod checksum;
mod dump;
mod items;

use base::{BLCKSZ, BlockNumber, Lsn, OffsetNumber, PgError, Result, Xid};

pub use dump::{dump, dump_with};
pub use items::{AddItem, ItemFlags, ItemId};

/// Bytes of the page header. (PostgreSQL: `SizeOfPageHeaderData`)
pub const HEADER_SIZE: usize = 24;
/// Bytes of a line pointer.
pub const ITEM_ID_SIZE: usize = 4;
/// The version of the layout. (PostgreSQL: `PG_PAGE_LAYOUT_VERSION`)
pub const LAYOUT_VERSION: u16 = 4;
/// More line pointers a heap page may not have. (PostgreSQL: `MaxHeapTuplesPerPage`)
pub const MAX_HEAP_TUPLES_PER_PAGE: usize = (BLCKSZ - HEADER_SIZE) / (24 + ITEM_ID_SIZE);
/// The first line pointer's number.
pub const FIRST_OFFSET: OffsetNumber = 1;

/// Bits of `pd_flags`.
pub mod flags {
    /// There may be unused line pointers. (PostgreSQL: `PD_HAS_FREE_LINES`)
    pub const HAS_FREE_LINES: u16 = 1;
    /// An update did not find room: pruning is worth a try. (PostgreSQL: `PD_PAGE_FULL`)
    pub const PAGE_FULL: u16 = 2;
    /// All tuples are visible to everyone. (PostgreSQL: `PD_ALL_VISIBLE`)
    pub const ALL_VISIBLE: u16 = 4;
    pub const VALID: u16 = 7;
}

/// Rounds up to the strictest alignment. (PostgreSQL: `MAXALIGN`)
#[inline]
pub const fn maxalign(n: usize) -> usize {
    (n + 7) & !7
}
/// Rounds down to the strictest alignment. (PostgreSQL: `MAXALIGN_DOWN`)
#[inline]
pub const fn maxalign_down(n: usize) -> usize {
    n & !7
}

/// 8192 bytes, seen as a page.
#[repr(transparent)]
pub struct Page([u8; BLCKSZ]);

impl Page {
    #[inline]
    pub fn from_bytes(bytes: &[u8; BLCKSZ]) -> &Page {
        // SAFETY: `Page` is a transparent wrapper of the array, so layout, alignment and validity are the same; the
        // lifetime is that of the argument.
        unsafe { &*std::ptr::from_ref(bytes).cast::<Page>() }
    }
    #[inline]
    pub fn from_bytes_mut(bytes: &mut [u8; BLCKSZ]) -> &mut Page {
        // SAFETY: as in `from_bytes`; the exclusive borrow is handed on.
        unsafe { &mut *std::ptr::from_mut(bytes).cast::<Page>() }
    }
    /// The slice as a page if it has a page's length.
    pub fn from_slice(bytes: &[u8]) -> Option<&Page> {
        bytes.try_into().ok().map(Page::from_bytes)
    }
    /// A page of zeroes on the heap, for building pages outside the pool.
    pub fn boxed() -> Box<Page> {
        Box::new(Page([0; BLCKSZ]))
    }
    /// A copy on the heap. (PostgreSQL: `PageGetTempPageCopy`)
    pub fn to_boxed(&self) -> Box<Page> {
        Box::new(Page(self.0))
    }
    /// A fresh page with this one's special space. (PostgreSQL: `PageGetTempPageCopySpecial`)
    pub fn boxed_with_special_of(&self) -> Box<Page> {
        let mut page = Page::boxed();
        page.init(self.special().len());
        let at = page.special_offset();
        page.0[at..].copy_from_slice(self.special());
        page
    }
    /// Becomes a copy of another page. (PostgreSQL: `PageRestoreTempPage`)
    pub fn copy_from(&mut self, other: &Page) {
        self.0 = other.0;
    }
    #[inline]
    pub fn bytes(&self) -> &[u8; BLCKSZ] {
        &self.0
    }
    #[inline]
    pub fn bytes_mut(&mut self) -> &mut [u8; BLCKSZ] {
        &mut self.0
    }

    /// The two bytes at a fixed place, little endian. `at` must lie on the page.
    #[inline]
    pub fn u16_at(&self, at: usize) -> u16 {
        u16::from_le_bytes([self.0[at], self.0[at + 1]])
    }
    #[inline]
    pub fn u32_at(&self, at: usize) -> u32 {
        u32::from_le_bytes([self.0[at], self.0[at + 1], self.0[at + 2], self.0[at + 3]])
    }
    #[inline]
    pub fn set_u16_at(&mut self, at: usize, value: u16) {
        self.0[at..at + 2].copy_from_slice(&value.to_le_bytes());
    }
    #[inline]
    pub fn set_u32_at(&mut self, at: usize, value: u32) {
        self.0[at..at + 4].copy_from_slice(&value.to_le_bytes());
    }

    /// The end of the last WAL record that changed this page.
    #[inline]
    pub fn lsn(&self) -> Lsn {
        Lsn(u64::from(self.u32_at(0)) << 32 | u64::from(self.u32_at(4)))
    }
    /// On a page of the pool use [`crate::ExclusivePage::set_lsn`].
    #[inline]
    pub fn set_lsn(&mut self, lsn: Lsn) {
        self.set_u32_at(0, (lsn.0 >> 32) as u32);
        self.set_u32_at(4, lsn.0 as u32);
    }
    pub fn checksum(&self) -> u16 {
        self.u16_at(8)
    }
    pub fn set_checksum(&mut self, checksum: u16) {
        self.set_u16_at(8, checksum);
    }
    /// Bits of [`flags`].
    #[inline]
    pub fn flags(&self) -> u16 {
        self.u16_at(10)
    }
    #[inline]
    pub fn has_flag(&self, flag: u16) -> bool {
        self.flags() & flag != 0
    }
    pub fn set_flag(&mut self, flag: u16) {
        self.set_u16_at(10, self.flags() | flag);
    }
    pub fn clear_flag(&mut self, flag: u16) {
        self.set_u16_at(10, self.flags() & !flag);
    }
    pub fn is_all_visible(&self) -> bool {
        self.has_flag(flags::ALL_VISIBLE)
    }
    /// Where the line pointers end.
    #[inline]
    pub fn lower(&self) -> usize {
        usize::from(self.u16_at(12))
    }
    /// Where the tuples begin.
    #[inline]
    pub fn upper(&self) -> usize {
        usize::from(self.u16_at(14))
    }
    pub fn set_lower(&mut self, lower: usize) {
        self.set_u16_at(12, lower as u16);
    }
    pub fn set_upper(&mut self, upper: usize) {
        self.set_u16_at(14, upper as u16);
    }
    #[inline]
    pub fn special_offset(&self) -> usize {
        usize::from(self.u16_at(16))
    }
    /// The access method's own space at the end; empty on a heap page, and on a page whose header is damaged.
    #[inline]
    pub fn special(&self) -> &[u8] {
        let at = self.special_offset();
        if at < HEADER_SIZE { &[] } else { self.0.get(at..).unwrap_or(&[]) }
    }
    #[inline]
    pub fn special_mut(&mut self) -> &mut [u8] {
        let at = self.special_offset();
        if at < HEADER_SIZE { &mut [] } else { self.0.get_mut(at..).unwrap_or(&mut []) }
    }
    pub fn pagesize_version(&self) -> u16 {
        self.u16_at(18)
    }
    /// The oldest transaction whose removal of a tuple may let this page be pruned; invalid if none.
    #[inline]
    pub fn prune_xid(&self) -> Xid {
        Xid(self.u32_at(20))
    }
    pub fn set_prune_xid(&mut self, xid: Xid) {
        self.set_u32_at(20, xid.0);
    }
    /// Was never initialised. (PostgreSQL: `PageIsNew`)
    #[inline]
    pub fn is_new(&self) -> bool {
        self.upper() == 0
    }
    /// Has no line pointers. (PostgreSQL: `PageIsEmpty`)
    pub fn is_empty(&self) -> bool {
        self.lower() <= HEADER_SIZE
    }

    /// Makes this an empty page with `special_size` (rounded up) bytes at its end. (PostgreSQL: `PageInit`)
    pub fn init(&mut self, special_size: usize) {
        let special = BLCKSZ - maxalign(special_size).min(BLCKSZ - HEADER_SIZE);
        self.0.fill(0);
        self.set_lower(HEADER_SIZE);
        self.set_upper(special);
        self.set_u16_at(16, special as u16);
        self.set_u16_at(18, BLCKSZ as u16 | LAYOUT_VERSION);
    }

    /// Is the header plausible, so that offsets in it may be used? (PostgreSQL: in `PageIsVerified`)
    pub fn header_is_sane(&self) -> bool {
        let (lower, upper, special) = (self.lower(), self.upper(), self.special_offset());
        self.flags() & !flags::VALID == 0
            && lower <= upper
            && upper <= special
            && special <= BLCKSZ
            && special == maxalign(special)
    }
    pub fn is_all_zeros(&self) -> bool {
        self.0.as_chunks::<64>().0.iter().all(|chunk| chunk.iter().fold(0, |a, b| a | b) == 0)
    }
    /// Checks a page that was just read: `Ok` if it is all zeroes, or its header is plausible and, with `checksums`, its
    /// checksum right. (PostgreSQL: `PageIsVerified`)
    pub fn verify(&self, block: BlockNumber, checksums: bool) -> std::result::Result<(), PageDamage> {
        let mut damage = PageDamage::Header;
        if !self.is_new() {
            let sane = self.header_is_sane();
            let calculated = if checksums { self.compute_checksum(block) } else { self.checksum() };
            if calculated != self.checksum() {
                damage = PageDamage::Checksum { calculated, expected: self.checksum(), header_sane: sane };
            } else if sane {
                return Ok(());
            }
        }
        if self.is_all_zeros() { Ok(()) } else { Err(damage) }
    }
    /// Writes the checksum for this block into the header. A new page gets none. (PostgreSQL: `PageSetChecksumInplace`)
    pub fn stamp_checksum(&mut self, block: BlockNumber) {
        if !self.is_new() {
            self.set_checksum(self.compute_checksum(block));
        }
    }
    /// The error for a page whose pointers cannot be right.
    #[cold]
    pub(crate) fn corrupted(&self) -> PgError {
        PgError::new(
            base::sqlstate::DATA_CORRUPTED,
            format!(
                "corrupted page pointers: lower = {}, upper = {}, special = {}",
                self.lower(),
                self.upper(),
                self.special_offset()
            ),
        )
    }
    pub(crate) fn check_pointers(&self) -> Result<()> {
        let (lower, upper, special) = (self.lower(), self.upper(), self.special_offset());
        let sane = HEADER_SIZE <= lower
            && lower <= upper
            && upper <= special
            && special <= BLCKSZ
            && special == maxalign(special);
        if sane { Ok(()) } else { Err(self.corrupted()) }
    }
}

/// What is wrong with a page that was read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PageDamage {
    Header,
    Checksum { calculated: u16, expected: u16, header_sane: bool },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn header_round_trip() {
        let mut page = Page::boxed();
        assert!(page.is_new() && page.is_all_zeros());
        assert_eq!(page.verify(BlockNumber(0), true), Ok(()));
        page.init(16);
        assert_eq!((page.lower(), page.upper(), page.special_offset()), (24, 8176, 8176));
        assert_eq!(page.pagesize_version(), 0x2004);
        page.set_lsn(Lsn(0x0000_0001_0200_0304));
        assert_eq!(&page.bytes()[..8], [1, 0, 0, 0, 4, 3, 0, 2]);
        assert_eq!(page.lsn(), Lsn(0x0000_0001_0200_0304));
        page.special_mut()[0] = 9;
        assert_eq!(page.special()[0], 9);
        assert_eq!(page.boxed_with_special_of().special()[0], 9);
        assert_eq!(MAX_HEAP_TUPLES_PER_PAGE, 291);
    }

    #[test]
    fn verification() {
        let mut page = Page::boxed();
        page.init(0);
        page.stamp_checksum(BlockNumber(3));
        assert_eq!(page.verify(BlockNumber(3), true), Ok(()));
        assert!(matches!(page.verify(BlockNumber(4), true), Err(PageDamage::Checksum { header_sane: true, .. })));
        assert_eq!(page.verify(BlockNumber(4), false), Ok(()));
        page.set_u16_at(10, 8);
        assert_eq!(page.verify(BlockNumber(3), false), Err(PageDamage::Header));
    }
}
