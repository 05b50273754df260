//! Line pointers and the tuples they point at: adding, deleting, compacting, free space.

use std::fmt;

use base::{BLCKSZ, OffsetNumber, PgError, Result};

use super::{FIRST_OFFSET, HEADER_SIZE, ITEM_ID_SIZE, MAX_HEAP_TUPLES_PER_PAGE, Page, flags, maxalign};

/// The state of a line pointer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum ItemFlags {
    /// Free for reuse; has no storage. (PostgreSQL: `LP_UNUSED`)
    Unused = 0,
    /// In use; has storage.
    Normal = 1,
    /// A heap-only chain's root that points to another line pointer; has no storage.
    Redirect = 2,
    /// Dead; an index tuple may still have storage.
    Dead = 3,
}

/// A line pointer. (PostgreSQL: `ItemIdData`: offset 15 bits, flags 2, length 15)
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct ItemId(pub u32);

#[expect(clippy::len_without_is_empty, reason = "the length of what it points at")]
impl ItemId {
    pub const UNUSED: ItemId = ItemId(0);

    pub fn normal(offset: usize, len: usize) -> ItemId {
        ItemId::new(ItemFlags::Normal, offset, len)
    }
    pub fn redirect(to: OffsetNumber) -> ItemId {
        ItemId::new(ItemFlags::Redirect, usize::from(to), 0)
    }
    pub fn dead() -> ItemId {
        ItemId::new(ItemFlags::Dead, 0, 0)
    }
    pub fn new(flags: ItemFlags, offset: usize, len: usize) -> ItemId {
        ItemId(offset as u32 & 0x7FFF | (flags as u32) << 15 | (len as u32 & 0x7FFF) << 17)
    }
    #[inline]
    pub fn offset(self) -> usize {
        (self.0 & 0x7FFF) as usize
    }
    #[inline]
    pub fn len(self) -> usize {
        (self.0 >> 17) as usize
    }
    #[inline]
    pub fn flags(self) -> ItemFlags {
        match self.0 >> 15 & 3 {
            0 => ItemFlags::Unused,
            1 => ItemFlags::Normal,
            2 => ItemFlags::Redirect,
            _ => ItemFlags::Dead,
        }
    }
    pub fn is_used(self) -> bool {
        self.flags() != ItemFlags::Unused
    }
    #[inline]
    pub fn is_normal(self) -> bool {
        self.0 >> 15 & 3 == 1
    }
    pub fn is_redirected(self) -> bool {
        self.flags() == ItemFlags::Redirect
    }
    #[inline]
    pub fn is_dead(self) -> bool {
        self.0 >> 15 & 3 == 3
    }
    pub fn has_storage(self) -> bool {
        self.len() != 0
    }
    /// Where a redirect points.
    pub fn redirect_target(self) -> OffsetNumber {
        self.offset() as OffsetNumber
    }
    /// The same place, marked dead: an index tuple that scans skip. (PostgreSQL: `ItemIdMarkDead`)
    #[must_use]
    pub fn marked_dead(self) -> ItemId {
        ItemId(self.0 | 3 << 15)
    }
    fn at(self, offset: usize) -> ItemId {
        ItemId(self.0 & !0x7FFF | offset as u32)
    }
}
impl fmt::Debug for ItemId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.flags() {
            ItemFlags::Unused => write!(f, "unused"),
            ItemFlags::Redirect => write!(f, "redirect -> {}", self.offset()),
            flags => write!(f, "{flags:?} at {} len {}", self.offset(), self.len()),
        }
    }
}

/// Where [`Page::add_item`] puts an item.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AddItem {
    /// Into the first free line pointer, or a new one. (PostgreSQL: `InvalidOffsetNumber`)
    Anywhere,
    /// As `Anywhere`, within a heap page's limit of line pointers. (PostgreSQL: `PAI_IS_HEAP`)
    AnywhereHeap,
    /// At this number; later line pointers move up by one.
    Insert(OffsetNumber),
    /// At this number, which must be unused or one past the last. (PostgreSQL: `PAI_OVERWRITE`)
    Overwrite(OffsetNumber),
    /// As `Overwrite`, within a heap page's limit of line pointers.
    OverwriteHeap(OffsetNumber),
}

impl Page {
    /// How many line pointers there are; also the last one's number. (PostgreSQL: `PageGetMaxOffsetNumber`)
    #[inline]
    pub fn max_offset(&self) -> OffsetNumber {
        let lower = self.lower().min(BLCKSZ);
        (lower.saturating_sub(HEADER_SIZE) / ITEM_ID_SIZE) as OffsetNumber
    }
    /// All line pointers' numbers.
    pub fn offsets(&self) -> std::ops::RangeInclusive<OffsetNumber> {
        FIRST_OFFSET..=self.max_offset()
    }
    /// All line pointers with their numbers.
    pub fn items(&self) -> impl Iterator<Item = (OffsetNumber, ItemId)> + '_ {
        (FIRST_OFFSET..).zip(self.item_ids().iter().map(|i| ItemId(u32::from_le_bytes(*i))))
    }
    /// All line pointers as they are stored; the first one's number is 1.
    #[inline]
    pub fn item_ids(&self) -> &[[u8; ITEM_ID_SIZE]] {
        let end = HEADER_SIZE + usize::from(self.max_offset()) * ITEM_ID_SIZE;
        self.bytes()[HEADER_SIZE..end].as_chunks::<ITEM_ID_SIZE>().0
    }
    /// The first bytes that a line pointer points at; `None` where there are fewer.
    #[inline]
    pub fn item_head<const N: usize>(&self, item: ItemId) -> Option<&[u8; N]> {
        let at = item.offset();
        if item.len() < N || at < HEADER_SIZE {
            return None;
        }
        self.bytes().get(at..)?.first_chunk()
    }
    /// A line pointer; an unused one beyond the last.
    #[inline]
    pub fn item_id(&self, offnum: OffsetNumber) -> ItemId {
        if offnum == 0 || offnum > self.max_offset() {
            return ItemId::UNUSED;
        }
        ItemId(self.u32_at(item_id_at(offnum)))
    }
    /// Changes a line pointer that exists.
    #[inline]
    pub fn set_item_id(&mut self, offnum: OffsetNumber, item: ItemId) {
        assert!(offnum != 0 && offnum <= self.max_offset(), "line pointer {offnum} does not exist");
        self.set_u32_at(item_id_at(offnum), item.0);
    }
    /// The bytes a line pointer with storage points at; `None` without storage or if they do not lie on the page.
    #[inline]
    pub fn item(&self, offnum: OffsetNumber) -> Option<&[u8]> {
        self.item_at(self.item_id(offnum))
    }
    /// As [`Page::item`], for a line pointer already at hand.
    #[inline]
    pub fn item_at(&self, item: ItemId) -> Option<&[u8]> {
        if item.len() == 0 || item.offset() < HEADER_SIZE {
            return None;
        }
        self.bytes().get(item.offset()..item.offset() + item.len())
    }
    #[inline]
    pub fn item_mut(&mut self, offnum: OffsetNumber) -> Option<&mut [u8]> {
        let item = self.item_id(offnum);
        if item.len() == 0 || item.offset() < HEADER_SIZE {
            return None;
        }
        self.bytes_mut().get_mut(item.offset()..item.offset() + item.len())
    }

    /// Room between line pointers and tuples. (PostgreSQL: `PageGetExactFreeSpace`)
    #[inline]
    pub fn exact_free_space(&self) -> usize {
        self.upper().saturating_sub(self.lower())
    }
    /// Room for one more tuple, its line pointer being paid for. (PostgreSQL: `PageGetFreeSpace`)
    #[inline]
    pub fn free_space(&self) -> usize {
        self.exact_free_space().saturating_sub(ITEM_ID_SIZE)
    }
    /// Room for `n` tuples together. (PostgreSQL: `PageGetFreeSpaceForMultipleTuples`)
    pub fn free_space_for(&self, n: usize) -> usize {
        self.exact_free_space().saturating_sub(n * ITEM_ID_SIZE)
    }
    /// As `free_space`, and none if no line pointer can be had. (PostgreSQL: `PageGetHeapFreeSpace`)
    pub fn heap_free_space(&self) -> usize {
        let full = usize::from(self.max_offset()) >= MAX_HEAP_TUPLES_PER_PAGE;
        if full && !(self.has_flag(flags::HAS_FREE_LINES) && self.first_unused().is_some()) {
            return 0;
        }
        self.free_space()
    }
    fn first_unused(&self) -> Option<OffsetNumber> {
        self.offsets().find(|&n| {
            let item = self.item_id(n);
            !item.is_used() && !item.has_storage()
        })
    }

    /// Adds a tuple. `None`, and an unchanged page, if it does not fit or may not go there.
    /// Panics for a page with damaged pointers, as PostgreSQL does. (PostgreSQL: `PageAddItemExtended`)
    pub fn add_item(&mut self, tuple: &[u8], place: AddItem) -> Option<OffsetNumber> {
        let upper = self.place_item(tuple.len(), place)?;
        self.bytes_mut()[upper.1..upper.1 + tuple.len()].copy_from_slice(tuple);
        Some(upper.0)
    }
    /// As [`Page::add_item`], but only makes room: the caller fills the bytes of the item.
    pub fn reserve_item(&mut self, len: usize, place: AddItem) -> Option<OffsetNumber> {
        self.place_item(len, place).map(|(offnum, _)| offnum)
    }
    fn place_item(&mut self, len: usize, place: AddItem) -> Option<(OffsetNumber, usize)> {
        if let Err(e) = self.check_pointers() {
            panic!("{}", e.message());
        }
        let limit = self.max_offset() + 1;
        let heap = matches!(place, AddItem::AnywhereHeap | AddItem::OverwriteHeap(_));
        let mut shift = false;
        let offnum = match place {
            AddItem::Anywhere | AddItem::AnywhereHeap if self.has_flag(flags::HAS_FREE_LINES) => {
                self.first_unused().unwrap_or_else(|| {
                    self.clear_flag(flags::HAS_FREE_LINES);
                    limit
                })
            }
            AddItem::Anywhere | AddItem::AnywhereHeap => limit,
            AddItem::Insert(n) => {
                shift = n < limit;
                n
            }
            AddItem::Overwrite(n) | AddItem::OverwriteHeap(n) => {
                let item = self.item_id(n);
                if item.is_used() || item.has_storage() {
                    return None;
                }
                n
            }
        };
        if offnum == 0 || offnum > limit || heap && usize::from(offnum) > MAX_HEAP_TUPLES_PER_PAGE {
            return None;
        }
        let grows = offnum == limit || shift;
        let lower = self.lower() + if grows { ITEM_ID_SIZE } else { 0 };
        let upper = self.upper().checked_sub(maxalign(len))?;
        if lower > upper {
            return None;
        }
        if shift {
            let (from, end) = (item_id_at(offnum), self.lower());
            self.bytes_mut().copy_within(from..end, from + ITEM_ID_SIZE);
        }
        self.set_lower(lower);
        self.set_upper(upper);
        self.set_item_id(offnum, ItemId::normal(upper, len));
        Some((offnum, upper))
    }

    /// Closes the gaps that unused line pointers left; trailing ones are given back. (PostgreSQL:
    /// `PageRepairFragmentation`)
    pub fn repair_fragmentation(&mut self) -> Result<()> {
        self.check_pointers()?;
        let mut items = ItemList::new();
        let (mut unused, mut last_used) = (0, 0);
        for n in self.offsets() {
            let item = self.item_id(n);
            if !item.is_used() {
                self.set_item_id(n, ItemId::UNUSED);
                unused += 1;
                continue;
            }
            last_used = n;
            if item.has_storage() {
                items.push(self, n, item)?;
            }
        }
        let special = self.special_offset();
        match items.0.is_empty() {
            true => self.set_upper(special),
            false => self.compact(items)?,
        }
        let max = self.max_offset();
        if last_used != max {
            unused -= usize::from(max - last_used);
            self.set_lower(HEADER_SIZE + usize::from(last_used) * ITEM_ID_SIZE);
        }
        match unused > 0 {
            true => self.set_flag(flags::HAS_FREE_LINES),
            false => self.clear_flag(flags::HAS_FREE_LINES),
        }
        Ok(())
    }

    /// Gives trailing unused line pointers back (one stays). (PostgreSQL: `PageTruncateLinePointerArray`)
    pub fn truncate_line_pointer_array(&mut self) {
        let max = self.max_offset();
        let last_used = self.offsets().rev().find(|&n| self.item_id(n).is_used()).unwrap_or(0);
        let keep = last_used.max(1).min(max);
        let free_left = (1..=keep).any(|n| !self.item_id(n).is_used());
        if keep < max {
            self.set_lower(HEADER_SIZE + usize::from(keep) * ITEM_ID_SIZE);
        }
        match free_left {
            true => self.set_flag(flags::HAS_FREE_LINES),
            false => self.clear_flag(flags::HAS_FREE_LINES),
        }
    }

    /// Removes an index tuple and its line pointer; later ones move down. (PostgreSQL: `PageIndexTupleDelete`)
    pub fn index_tuple_delete(&mut self, offnum: OffsetNumber) -> Result<()> {
        self.check_pointers()?;
        let max = self.max_offset();
        if offnum == 0 || offnum > max {
            return Err(PgError::internal(format!("invalid index offnum: {offnum}")));
        }
        let item = self.item_id(offnum);
        self.check_item(item)?;
        let from = item_id_at(offnum + 1);
        let end = self.lower();
        self.bytes_mut().copy_within(from..end, from - ITEM_ID_SIZE);
        self.set_lower(end - ITEM_ID_SIZE);
        self.remove_bytes(item);
        Ok(())
    }
    /// As `index_tuple_delete`, but the line pointer stays as an unused one, unless it is the last.
    /// (PostgreSQL: `PageIndexTupleDeleteNoCompact`)
    pub fn index_tuple_delete_no_compact(&mut self, offnum: OffsetNumber) -> Result<()> {
        self.check_pointers()?;
        let max = self.max_offset();
        if offnum == 0 || offnum > max {
            return Err(PgError::internal(format!("invalid index offnum: {offnum}")));
        }
        let item = self.item_id(offnum);
        self.check_item(item)?;
        self.set_item_id(offnum, ItemId::UNUSED);
        if offnum == max {
            self.set_lower(self.lower() - ITEM_ID_SIZE);
        }
        self.remove_bytes(item);
        Ok(())
    }
    fn check_item(&self, item: ItemId) -> Result<()> {
        let (at, len) = (item.offset(), item.len());
        if at < self.upper() || at + len > self.special_offset() || at != maxalign(at) {
            let text = format!("corrupted line pointer: offset = {at}, size = {len}");
            return Err(PgError::new(base::sqlstate::DATA_CORRUPTED, text));
        }
        Ok(())
    }
    /// Closes the gap of an item that no line pointer refers to any more.
    fn remove_bytes(&mut self, item: ItemId) {
        let (at, size, upper) = (item.offset(), maxalign(item.len()), self.upper());
        self.bytes_mut().copy_within(upper..at, upper + size);
        self.set_upper(upper + size);
        self.shift_items(at, size as isize);
    }
    /// Adjusts the line pointers of tuples that lay before (or at) `before` and moved by `delta`.
    fn shift_items(&mut self, before: usize, delta: isize) {
        for n in self.offsets() {
            let item = self.item_id(n);
            if item.has_storage() && item.offset() <= before {
                let moved = item.offset().wrapping_add_signed(delta);
                self.set_item_id(n, item.at(moved));
            }
        }
    }

    /// Removes many index tuples with their line pointers; `offnums` ascend. (PostgreSQL: `PageIndexMultiDelete`)
    pub fn index_multi_delete(&mut self, offnums: &[OffsetNumber]) -> Result<()> {
        if offnums.len() <= 2 {
            return offnums.iter().rev().try_for_each(|&n| self.index_tuple_delete(n));
        }
        self.index_delete_and_compact(offnums)
    }
    /// As `index_multi_delete`, closing also the gaps that [`Page::index_tuple_shrink`] left.
    pub fn index_delete_and_compact(&mut self, offnums: &[OffsetNumber]) -> Result<()> {
        self.check_pointers()?;
        let mut items = ItemList::new();
        let mut kept = 0;
        let mut gone = offnums.iter().peekable();
        let mut ids = [ItemId::UNUSED; BLCKSZ / ITEM_ID_SIZE];
        for n in self.offsets() {
            let item = self.item_id(n);
            self.check_item(item)?;
            if gone.next_if(|g| **g == n).is_some() {
                continue;
            }
            ids[kept] = item;
            kept += 1;
            items.push(self, kept as OffsetNumber, item)?;
        }
        if gone.next().is_some() {
            return Err(PgError::internal("incorrect index offsets supplied"));
        }
        self.set_lower(HEADER_SIZE + kept * ITEM_ID_SIZE);
        for (n, id) in ids[..kept].iter().enumerate() {
            self.set_item_id(n as OffsetNumber + 1, *id);
        }
        let special = self.special_offset();
        match items.0.is_empty() {
            true => {
                self.set_upper(special);
                Ok(())
            }
            false => self.compact(items),
        }
    }

    /// Replaces an index tuple, in place; its size may change. `false` if it does not fit.
    /// (PostgreSQL: `PageIndexTupleOverwrite`)
    pub fn index_tuple_overwrite(&mut self, offnum: OffsetNumber, tuple: &[u8]) -> Result<bool> {
        self.check_pointers()?;
        if offnum == 0 || offnum > self.max_offset() {
            return Err(PgError::internal(format!("invalid index offnum: {offnum}")));
        }
        let item = self.item_id(offnum);
        self.check_item(item)?;
        let (at, old, new) = (item.offset(), maxalign(item.len()), maxalign(tuple.len()));
        if new > old + self.exact_free_space() {
            return Ok(false);
        }
        let delta = old as isize - new as isize;
        let start = at.wrapping_add_signed(delta);
        if delta != 0 {
            let upper = self.upper();
            self.bytes_mut().copy_within(upper..at, upper.wrapping_add_signed(delta));
            self.set_upper(upper.wrapping_add_signed(delta));
            self.shift_items(at, delta);
        }
        let id = self.item_id(offnum);
        self.set_item_id(offnum, ItemId::new(id.flags(), start, tuple.len()));
        self.bytes_mut()[start..start + tuple.len()].copy_from_slice(tuple);
        Ok(true)
    }

    /// Replaces an index tuple by one that is not longer, at its old place. The gap behind it stays until the page is compacted:
    /// for many at once, where [`Page::index_tuple_overwrite`] would move the others each time.
    pub fn index_tuple_shrink(&mut self, offnum: OffsetNumber, tuple: &[u8]) -> Result<()> {
        let item = self.item_id(offnum);
        self.check_item(item)?;
        if tuple.len() > item.len() {
            return Err(PgError::internal(format!("index tuple {offnum} does not fit its place")));
        }
        let at = item.offset();
        self.bytes_mut()[at..at + tuple.len()].copy_from_slice(tuple);
        self.set_item_id(offnum, ItemId::new(item.flags(), at, tuple.len()));
        Ok(())
    }

    /// Moves the listed tuples to the end of the page without gaps, in the order of their line pointers.
    fn compact(&mut self, mut items: ItemList) -> Result<()> {
        let total: usize = items.0.iter().map(|i| i.len).sum();
        let special = self.special_offset();
        if total > special - self.lower() {
            let text = format!("corrupted item lengths: total {total}, available space {}", special - self.lower());
            return Err(PgError::new(base::sqlstate::DATA_CORRUPTED, text));
        }
        let mut end = special;
        if items.is_descending() {
            for i in &items.0 {
                end -= i.len;
                if end != i.at {
                    self.bytes_mut().copy_within(i.at..i.at + i.len, end);
                    self.move_item(i.offnum, end);
                }
            }
        } else {
            let copy = *self.bytes();
            for i in &mut items.0 {
                end -= i.len;
                self.bytes_mut()[end..end + i.len].copy_from_slice(&copy[i.at..i.at + i.len]);
                self.move_item(i.offnum, end);
            }
        }
        self.set_upper(end);
        Ok(())
    }
    fn move_item(&mut self, offnum: OffsetNumber, to: usize) {
        let item = self.item_id(offnum);
        self.set_item_id(offnum, item.at(to));
    }
}

fn item_id_at(offnum: OffsetNumber) -> usize {
    HEADER_SIZE + (usize::from(offnum) - 1) * ITEM_ID_SIZE
}

/// Tuples with storage: the input of compaction.
struct ItemList(Vec<Placed>);

struct Placed {
    offnum: OffsetNumber,
    at: usize,
    /// Rounded up.
    len: usize,
}

impl ItemList {
    fn new() -> ItemList {
        ItemList(Vec::with_capacity(MAX_HEAP_TUPLES_PER_PAGE))
    }
    fn push(&mut self, page: &Page, offnum: OffsetNumber, item: ItemId) -> Result<()> {
        let (at, len) = (item.offset(), maxalign(item.len()));
        if at < page.upper() || at + len > page.special_offset() {
            let text = format!("corrupted line pointer: {at}");
            return Err(PgError::new(base::sqlstate::DATA_CORRUPTED, text));
        }
        self.0.push(Placed { offnum, at, len });
        Ok(())
    }
    /// Tuples that lie in line pointer order from the end can be moved without a copy.
    fn is_descending(&self) -> bool {
        self.0.windows(2).all(|w| w[0].at > w[1].at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heap_page() -> Box<Page> {
        let mut page = Page::boxed();
        page.init(0);
        page
    }
    fn tuples(page: &Page) -> Vec<Vec<u8>> {
        page.offsets().map(|n| page.item(n).unwrap_or(b"-").to_vec()).collect()
    }

    #[test]
    fn item_id_bits() {
        // From a page of PostgreSQL: offset 8160, length 28, normal.
        let id = ItemId::normal(8160, 28);
        assert_eq!(id.0, 0x0038_9FE0);
        assert_eq!((id.offset(), id.len(), id.flags()), (8160, 28, ItemFlags::Normal));
        assert_eq!(id.marked_dead().flags(), ItemFlags::Dead);
        assert_eq!(id.marked_dead().len(), 28);
        assert_eq!(ItemId::redirect(7).redirect_target(), 7);
    }

    #[test]
    fn add_insert_overwrite() {
        let mut page = heap_page();
        assert_eq!(page.free_space(), 8192 - 24 - 4);
        assert_eq!(page.add_item(b"one", AddItem::Anywhere), Some(1));
        assert_eq!(page.add_item(b"two", AddItem::AnywhereHeap), Some(2));
        assert_eq!(page.add_item(b"zero", AddItem::Insert(1)), Some(1));
        assert_eq!(tuples(&page), [b"zero".to_vec(), b"one".to_vec(), b"two".to_vec()]);
        assert_eq!((page.lower(), page.upper()), (36, 8168));
        assert_eq!(page.add_item(b"x", AddItem::Overwrite(2)), None);
        assert_eq!(page.add_item(b"x", AddItem::Insert(5)), None);
        assert_eq!(page.add_item(b"x", AddItem::Overwrite(4)), Some(4));
        assert_eq!(page.add_item(&[0; 9000], AddItem::Anywhere), None);
        // A free line pointer is found only if the flag says that there are some.
        page.set_item_id(2, ItemId::UNUSED);
        assert_eq!(page.add_item(b"y", AddItem::Anywhere), Some(5));
        page.set_flag(flags::HAS_FREE_LINES);
        assert_eq!(page.add_item(b"z", AddItem::Anywhere), Some(2));
        assert_eq!(page.add_item(b"z", AddItem::Anywhere), Some(6));
        assert!(!page.has_flag(flags::HAS_FREE_LINES));
    }

    #[test]
    fn fragmentation() {
        let mut page = heap_page();
        for i in 0..10u8 {
            page.add_item(&[i; 20], AddItem::Anywhere).unwrap();
        }
        for n in [2, 5, 9, 10] {
            page.set_item_id(n, ItemId::UNUSED);
        }
        page.set_item_id(3, ItemId::redirect(4));
        page.set_item_id(7, ItemId::dead());
        page.repair_fragmentation().unwrap();
        assert_eq!(page.max_offset(), 8);
        assert_eq!(page.upper(), 8192 - 4 * 24);
        assert!(page.has_flag(flags::HAS_FREE_LINES));
        for n in [1, 4, 6, 8u16] {
            assert_eq!(page.item(n).unwrap(), [n as u8 - 1; 20]);
        }
        page.set_item_id(8, ItemId::UNUSED);
        page.truncate_line_pointer_array();
        assert_eq!(page.max_offset(), 7);
        (1..=7).for_each(|n| page.set_item_id(n, ItemId::UNUSED));
        page.truncate_line_pointer_array();
        assert_eq!(page.max_offset(), 1);
        page.set_item_id(1, ItemId::normal(100, 20));
        assert_eq!(page.repair_fragmentation().unwrap_err().sqlstate(), base::sqlstate::DATA_CORRUPTED);
    }

    #[test]
    fn shrinking_and_compacting_agrees_with_overwriting() {
        let mut page = heap_page();
        for i in 0..20usize {
            page.add_item(&vec![i as u8; 9 + i * 3], AddItem::Insert(1 + (i as u16 * 7) % (i as u16 + 1))).unwrap();
        }
        let mut one_by_one = page.to_boxed();
        for n in [2u16, 5, 6, 17] {
            let shorter = page.item(n).unwrap()[..9].to_vec();
            page.index_tuple_shrink(n, &shorter).unwrap();
            assert!(one_by_one.index_tuple_overwrite(n, &shorter).unwrap());
        }
        assert!(page.index_tuple_shrink(2, &[0; 10]).is_err());
        page.index_delete_and_compact(&[5, 9]).unwrap();
        one_by_one.index_multi_delete(&[5, 9]).unwrap();
        assert_eq!(tuples(&page), tuples(&one_by_one));
        assert_eq!(page.free_space(), one_by_one.free_space());
    }

    #[test]
    fn index_deletes_agree() {
        for gone in [vec![1], vec![20], vec![3, 4], vec![1, 2, 3, 19, 20], (1..=20).collect::<Vec<u16>>()] {
            let mut page = heap_page();
            // Inserted in an order that is not that of the line pointers.
            for i in 0..20usize {
                page.add_item(&vec![i as u8; 5 + i * 3], AddItem::Insert(1 + (i as u16 * 7) % (i as u16 + 1))).unwrap();
            }
            let mut expected = tuples(&page);
            gone.iter().rev().for_each(|n| _ = expected.remove(usize::from(*n) - 1));
            let mut one_by_one = page.to_boxed();
            gone.iter().rev().for_each(|&n| one_by_one.index_tuple_delete(n).unwrap());
            page.index_multi_delete(&gone).unwrap();
            assert_eq!(tuples(&page), expected);
            assert_eq!(tuples(&one_by_one), expected);
            assert_eq!((page.lower(), page.upper()), (one_by_one.lower(), one_by_one.upper()));
        }
    }

    #[test]
    fn overwrite_changes_size() {
        let mut page = heap_page();
        for i in 0..5u8 {
            page.add_item(&[i; 16], AddItem::Anywhere).unwrap();
        }
        assert!(page.index_tuple_overwrite(3, &[9; 40]).unwrap());
        assert!(page.index_tuple_overwrite(1, &[8; 3]).unwrap());
        assert!(!page.index_tuple_overwrite(1, &[8; 8192 - 24]).unwrap());
        assert_eq!(tuples(&page), [vec![8; 3], vec![1; 16], vec![9; 40], vec![3; 16], vec![4; 16]]);
        assert_eq!(page.upper(), 8192 - 8 - 3 * 16 - 40);
        page.index_tuple_delete_no_compact(2).unwrap();
        assert_eq!((page.max_offset(), page.item_id(2)), (5, ItemId::UNUSED));
        assert!(page.index_tuple_delete(6).is_err());
    }

    #[test]
    fn heap_limits() {
        let mut page = heap_page();
        for _ in 0..291 {
            page.add_item(&[1; 1], AddItem::AnywhereHeap).unwrap();
        }
        assert_eq!(page.add_item(&[1; 1], AddItem::AnywhereHeap), None);
        assert_eq!(page.heap_free_space(), 0);
        page.set_item_id(17, ItemId::UNUSED);
        page.set_flag(flags::HAS_FREE_LINES);
        assert_eq!(page.heap_free_space(), page.free_space());
        assert_eq!(page.add_item(&[1; 1], AddItem::AnywhereHeap), Some(17));
    }
}
