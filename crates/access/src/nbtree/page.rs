//! nbtree's pages: the metapage and the special space of all others. (PostgreSQL: `nbtree.h`)

use base::{BlockNumber, FullXid, OffsetNumber, PgError, Result};
use storage::page::{AddItem, HEADER_SIZE, maxalign, maxalign_down};
use storage::{ItemId, Page};

pub const META_BLOCK: BlockNumber = BlockNumber(0);
/// Where a sibling would be, and there is none. (PostgreSQL: `P_NONE`)
pub const NONE: BlockNumber = BlockNumber(0);
pub const MAGIC: u32 = 0x0005_3162;
/// Heap row places are part of the key, pivots are truncated. Older versions are not supported.
pub const VERSION: u32 = 4;
/// Bytes of the special space. (PostgreSQL: `BTPageOpaqueData`)
pub const OPAQUE_SIZE: usize = 16;
/// The high key's place on a page that has one.
pub const HIGH_KEY: OffsetNumber = 1;
pub const FIRST_KEY: OffsetNumber = 2;
/// Cycle ids go up to this. (PostgreSQL: `MAX_BT_CYCLE_ID`)
pub const MAX_CYCLE_ID: u16 = 0xFF7F;

const USABLE: usize = base::BLCKSZ - maxalign(HEADER_SIZE + 3 * 4) - maxalign(OPAQUE_SIZE);
/// The largest leaf tuple: three must fit a page, also after a row place was added to one. (PostgreSQL: `BTMaxItemSize`)
pub const MAX_ITEM_SIZE: usize = maxalign_down(USABLE / 3) - maxalign(6);
/// (PostgreSQL: `MaxTIDsPerBTreePage`)
pub const MAX_TIDS_PER_PAGE: usize = (base::BLCKSZ - HEADER_SIZE - OPAQUE_SIZE) / 6;

/// Bits of `btpo_flags`.
pub mod flags {
    pub const LEAF: u16 = 1 << 0;
    pub const ROOT: u16 = 1 << 1;
    /// Out of the tree; kept while a scan may still arrive.
    pub const DELETED: u16 = 1 << 2;
    pub const META: u16 = 1 << 3;
    /// Empty, the parent does not know it any more, its siblings still do.
    pub const HALF_DEAD: u16 = 1 << 4;
    pub const SPLIT_END: u16 = 1 << 5;
    /// There are tuples marked dead: a hint.
    pub const HAS_GARBAGE: u16 = 1 << 6;
    /// The right sibling has no downlink yet.
    pub const INCOMPLETE_SPLIT: u16 = 1 << 7;
    pub const HAS_FULLXID: u16 = 1 << 8;
}

/// A page's special space. (PostgreSQL: `BTPageOpaqueData`)
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Opaque {
    pub prev: BlockNumber,
    pub next: BlockNumber,
    /// 0 for leaves.
    pub level: u32,
    pub flags: u16,
    /// Of the vacuum that was running when the page was last split.
    pub cycle_id: u16,
}

impl Opaque {
    pub fn new(level: u32, flags: u16) -> Opaque {
        Opaque { prev: NONE, next: NONE, level, flags, cycle_id: 0 }
    }
    /// Of a page whose special space was checked.
    #[inline]
    pub fn of(page: &Page) -> Opaque {
        let Some(s) = page.special().first_chunk::<OPAQUE_SIZE>() else {
            return Opaque::new(0, flags::DELETED);
        };
        let u32_at = |i: usize| u32::from_le_bytes([s[i], s[i + 1], s[i + 2], s[i + 3]]);
        Opaque {
            prev: BlockNumber(u32_at(0)),
            next: BlockNumber(u32_at(4)),
            level: u32_at(8),
            flags: u16::from_le_bytes([s[12], s[13]]),
            cycle_id: u16::from_le_bytes([s[14], s[15]]),
        }
    }
    pub fn store(self, page: &mut Page) {
        let mut s = [0; OPAQUE_SIZE];
        s[..4].copy_from_slice(&self.prev.0.to_le_bytes());
        s[4..8].copy_from_slice(&self.next.0.to_le_bytes());
        s[8..12].copy_from_slice(&self.level.to_le_bytes());
        s[12..14].copy_from_slice(&self.flags.to_le_bytes());
        s[14..].copy_from_slice(&self.cycle_id.to_le_bytes());
        page.special_mut()[..OPAQUE_SIZE].copy_from_slice(&s);
    }
    pub fn has(self, flag: u16) -> bool {
        self.flags & flag != 0
    }
    pub fn is_leaf(self) -> bool {
        self.has(flags::LEAF)
    }
    pub fn is_root(self) -> bool {
        self.has(flags::ROOT)
    }
    pub fn is_leftmost(self) -> bool {
        self.prev == NONE
    }
    #[inline]
    pub fn is_rightmost(self) -> bool {
        self.next == NONE
    }
    /// Deleted or half-dead: nothing to be found here, go right. (PostgreSQL: `P_IGNORE`)
    #[inline]
    pub fn is_ignored(self) -> bool {
        self.has(flags::DELETED | flags::HALF_DEAD)
    }
    pub fn is_deleted(self) -> bool {
        self.has(flags::DELETED)
    }
    pub fn is_half_dead(self) -> bool {
        self.has(flags::HALF_DEAD)
    }
    pub fn is_split_incomplete(self) -> bool {
        self.has(flags::INCOMPLETE_SPLIT)
    }
    /// Where data items begin: behind the high key, if there is one. (PostgreSQL: `P_FIRSTDATAKEY`)
    #[inline]
    pub fn first_data(self) -> OffsetNumber {
        if self.is_rightmost() { HIGH_KEY } else { FIRST_KEY }
    }
}

/// Changes a page's special space.
pub fn change_opaque(page: &mut Page, change: impl FnOnce(&mut Opaque)) {
    let mut opaque = Opaque::of(page);
    change(&mut opaque);
    opaque.store(page);
}

/// An empty page. (PostgreSQL: `_bt_pageinit`)
pub fn init(page: &mut Page, opaque: Opaque) {
    page.init(OPAQUE_SIZE);
    opaque.store(page);
}

/// Adds an item where there is room for it, by a check made before.
pub fn add(page: &mut Page, item: &[u8], offnum: OffsetNumber) -> Result<()> {
    match page.add_item(item, AddItem::Insert(offnum)) {
        Some(_) => Ok(()),
        None => Err(PgError::internal(format!("failed to add item {offnum} to an index page"))),
    }
}

/// The metapage. (PostgreSQL: `BTMetaPageData`)
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Meta {
    pub version: u32,
    pub root: BlockNumber,
    pub level: u32,
    /// Where searches begin: the lowest level with a single page.
    pub fast_root: BlockNumber,
    pub fast_level: u32,
    pub last_cleanup_num_delpages: u32,
    /// Equal keys have equal bytes, so that tuples may be merged.
    pub all_equal_image: bool,
}

impl Meta {
    const BYTES: usize = 48;

    pub fn new(root: BlockNumber, level: u32, all_equal_image: bool) -> Meta {
        Meta {
            version: VERSION,
            root,
            level,
            fast_root: root,
            fast_level: level,
            last_cleanup_num_delpages: 0,
            all_equal_image,
        }
    }
    /// `None` if this is not a metapage.
    pub fn of(page: &Page) -> Option<Meta> {
        let at = |i: usize| page.u32_at(HEADER_SIZE + i);
        if !Opaque::of(page).has(flags::META) || at(0) != MAGIC {
            return None;
        }
        Some(Meta {
            version: at(4),
            root: BlockNumber(at(8)),
            level: at(12),
            fast_root: BlockNumber(at(16)),
            fast_level: at(20),
            last_cleanup_num_delpages: at(24),
            all_equal_image: page.bytes()[HEADER_SIZE + 40] != 0,
        })
    }
    /// Makes the whole page. (PostgreSQL: `_bt_initmetapage`, `_bt_restore_meta`)
    pub fn store(&self, page: &mut Page) {
        let lsn = page.lsn();
        init(page, Opaque::new(0, flags::META));
        page.set_lsn(lsn);
        let words = [
            MAGIC,
            self.version,
            self.root.0,
            self.level,
            self.fast_root.0,
            self.fast_level,
            self.last_cleanup_num_delpages,
        ];
        for (i, word) in words.into_iter().enumerate() {
            page.set_u32_at(HEADER_SIZE + i * 4, word);
        }
        let bytes = page.bytes_mut();
        bytes[HEADER_SIZE + 32..HEADER_SIZE + 40].copy_from_slice(&(-1.0f64).to_le_bytes());
        bytes[HEADER_SIZE + 40] = u8::from(self.all_equal_image);
        // So that a full-page image keeps it.
        page.set_lower(HEADER_SIZE + Meta::BYTES);
    }
}

/// Marks a page as deleted. (PostgreSQL: `BTPageSetDeleted`)
pub fn set_deleted(page: &mut Page, safe_xid: FullXid) {
    change_opaque(page, |o| {
        o.flags &= !flags::HALF_DEAD;
        o.flags |= flags::DELETED | flags::HAS_FULLXID;
    });
    page.set_lower(HEADER_SIZE + 8);
    page.set_upper(page.special_offset());
    page.bytes_mut()[HEADER_SIZE..HEADER_SIZE + 8].copy_from_slice(&safe_xid.0.to_le_bytes());
}
/// When the page was deleted: it may be reused when nobody who was there then still runs.
pub fn deleted_at(page: &Page) -> Option<FullXid> {
    let opaque = Opaque::of(page);
    match (opaque.is_deleted(), opaque.has(flags::HAS_FULLXID)) {
        (false, _) => None,
        (true, false) => Some(FullXid(3)),
        (true, true) => {
            Some(FullXid(u64::from(page.u32_at(HEADER_SIZE)) | u64::from(page.u32_at(HEADER_SIZE + 4)) << 32))
        }
    }
}

/// The first line pointer goes; the others move down, their tuples stay. (PostgreSQL: `_bt_slideleft`)
pub fn slide_left(page: &mut Page) {
    let max = page.max_offset();
    for n in 1..max {
        let item: ItemId = page.item_id(n + 1);
        page.set_item_id(n, item);
    }
    page.set_lower(page.lower() - 4);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_postgresql() {
        assert_eq!((MAX_ITEM_SIZE, MAX_TIDS_PER_PAGE), (2704, 1358));
        let mut page = Page::boxed();
        let mut meta = Meta::new(BlockNumber(3), 1, true);
        meta.fast_root = BlockNumber(4);
        meta.store(&mut page);
        assert_eq!(Meta::of(&page), Some(meta));
        assert_eq!(page.lower(), 72);
        let opaque = Opaque { prev: BlockNumber(1), next: BlockNumber(2), level: 3, flags: 5, cycle_id: 6 };
        init(&mut page, opaque);
        assert_eq!(Opaque::of(&page), opaque);
        assert_eq!(Meta::of(&page), None);
        set_deleted(&mut page, FullXid(0x1_0000_0007));
        assert_eq!(deleted_at(&page), Some(FullXid(0x1_0000_0007)));
    }
}
