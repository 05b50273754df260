//! The free-space map: which heap page has room. One byte a page, in steps of 32 bytes, in a tree of three levels of
//! pages, each of which is a tree itself ([`tree`]). (PostgreSQL: `freespace.c`, `indexfsm.c`)
//!
//! The map is a hint: it is not logged, wrong entries are corrected when met, and damaged pages are zeroed.

mod tree;

use base::{BLCKSZ, BlockNumber, ForkNumber, PgError, RelFileLocator, Result};

use crate::buffer::{BufferPool, BufferTag, ExclusivePage, PinnedBuffer, ReadMode};
use crate::critical::critical;
use crate::page::{HEADER_SIZE, ITEM_ID_SIZE, maxalign};
use tree::{Found, SLOTS};

const STEP: usize = BLCKSZ / 256;
/// The largest request: a tuple that fills a page. (PostgreSQL: `MaxFSMRequestSize`)
const MAX_REQUEST: usize = BLCKSZ - maxalign(HEADER_SIZE + ITEM_ID_SIZE);
const BOTTOM: u32 = 0;
const ROOT_LEVEL: u32 = 2;
const ROOT: Address = Address { level: ROOT_LEVEL, number: 0 };
/// A search that is led astray so often gives up.
const MAX_RESTARTS: u32 = 10_000;

/// A page of the map, by level and number within it.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Address {
    level: u32,
    number: u32,
}

impl Address {
    /// The bottom page that covers a heap page, and the slot there.
    fn of_heap_block(block: BlockNumber) -> (Address, u32) {
        (Address { level: BOTTOM, number: block.0 / SLOTS }, block.0 % SLOTS)
    }
    fn heap_block(self, slot: u32) -> BlockNumber {
        BlockNumber(self.number.wrapping_mul(SLOTS).wrapping_add(slot))
    }
    fn parent(self) -> (Address, u32) {
        (Address { level: self.level + 1, number: self.number / SLOTS }, self.number % SLOTS)
    }
    fn child(self, slot: u32) -> Address {
        Address { level: self.level - 1, number: self.number * SLOTS + slot }
    }
    /// Pages lie in the file in depth-first order.
    fn block(self) -> BlockNumber {
        let mut leaf = self.number * SLOTS.pow(self.level);
        let mut pages = 0;
        for _ in BOTTOM..=ROOT_LEVEL {
            pages += leaf + 1;
            leaf /= SLOTS;
        }
        BlockNumber(pages - self.level - 1)
    }
}

fn category_of(free: usize) -> u8 {
    match free {
        MAX_REQUEST.. => 255,
        _ => (free / STEP).min(254) as u8,
    }
}
fn category_for(needed: usize) -> Result<u8> {
    match needed {
        0 => Ok(1),
        n if n > MAX_REQUEST => Err(PgError::internal(format!("invalid FSM request size {n}"))),
        n => Ok(n.div_ceil(STEP).min(255) as u8),
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Missing {
    Skip,
    Extend,
}

fn read(pool: &BufferPool, l: RelFileLocator, address: Address, missing: Missing) -> Result<Option<PinnedBuffer>> {
    let block = address.block();
    if pool.smgr().nblocks_or_zero(l, ForkNumber::Fsm)? <= block.0 {
        if missing == Missing::Skip {
            return Ok(None);
        }
        if !pool.smgr().exists(l, ForkNumber::Fsm)? {
            pool.smgr().create(l, ForkNumber::Fsm, true)?;
        }
        pool.extend_to(l, ForkNumber::Fsm, block.0 + 1)?;
    }
    let buffer = pool.pin(BufferTag::new(l, ForkNumber::Fsm, block), ReadMode::ZeroOnError, None)?;
    if buffer.shared().is_new() {
        let mut page = buffer.exclusive();
        if page.is_new() {
            page.hint_write().init(0);
        }
    }
    Ok(Some(buffer))
}
fn set(page: &mut ExclusivePage<'_>, slot: u32, value: u8) -> Result<()> {
    if tree::needs_set(page, slot, value) {
        tree::set(page.hint_write(), slot, value);
        page.mark_dirty_hint()?;
    }
    Ok(())
}
/// A slot of at least `min` in a page; a damaged page is mended.
fn search_page(page: &mut ExclusivePage<'_>, address: Address, min: u8) -> Result<Option<u32>> {
    let mut found = tree::search(page, min);
    if found == Found::Damaged {
        tree::rebuild(page.hint_write());
        page.mark_dirty_hint()?;
        found = tree::search(page, min);
    }
    let Found::Slot(slot) = found else { return Ok(None) };
    // On the bottom the next search goes on behind this slot, so that inserters spread over pages.
    let next = if address.level == BOTTOM { slot + 1 } else { slot };
    if tree::next_slot(page) != next {
        tree::set_next_slot(page.hint_write(), next);
    }
    Ok(Some(slot))
}

/// A page with at least `needed` bytes free, if the map knows one. The map may be wrong: then call
/// [`record_and_search`]. (PostgreSQL: `GetPageWithFreeSpace`)
pub fn search(pool: &BufferPool, locator: RelFileLocator, needed: usize) -> Result<Option<BlockNumber>> {
    search_category(pool, locator, category_for(needed)?)
}
fn search_category(pool: &BufferPool, l: RelFileLocator, min: u8) -> Result<Option<BlockNumber>> {
    let mut address = ROOT;
    for _ in 0..MAX_RESTARTS {
        let mut max = 0;
        let mut slot = None;
        if let Some(buffer) = read(pool, l, address, Missing::Skip)? {
            // Most often there is nothing, which a reader can tell.
            max = tree::max(&buffer.shared());
            if max >= min {
                let mut page = buffer.exclusive();
                slot = search_page(&mut page, address, min)?;
                max = tree::max(&page);
            }
        }
        match slot {
            Some(slot) if address.level > BOTTOM => address = address.child(slot),
            Some(slot) => {
                let block = address.heap_block(slot);
                if exists(pool, l, block)? {
                    return Ok(Some(block));
                }
                // Beyond the end: an entry that a truncation or a crash left.
                record_at(pool, l, address, slot, 0)?;
                address = ROOT;
            }
            None if address == ROOT => return Ok(None),
            None => {
                // The level above promised too much.
                let (parent, slot) = address.parent();
                record_at(pool, l, parent, slot, max)?;
                address = ROOT;
            }
        }
    }
    Ok(None)
}
fn exists(pool: &BufferPool, l: RelFileLocator, block: BlockNumber) -> Result<bool> {
    Ok(block.0 < pool.nblocks(l, ForkNumber::Main)?)
}
fn record_at(pool: &BufferPool, l: RelFileLocator, address: Address, slot: u32, value: u8) -> Result<()> {
    match read(pool, l, address, Missing::Extend)? {
        Some(buffer) => set(&mut buffer.exclusive(), slot, value),
        None => Ok(()),
    }
}

/// The map was wrong about `old` (it has `old_free` bytes): records that and searches again.
/// (PostgreSQL: `RecordAndGetPageWithFreeSpace`)
pub fn record_and_search(
    pool: &BufferPool,
    locator: RelFileLocator,
    old: BlockNumber,
    old_free: usize,
    needed: usize,
) -> Result<Option<BlockNumber>> {
    let min = category_for(needed)?;
    let (address, slot) = Address::of_heap_block(old);
    if let Some(buffer) = read(pool, locator, address, Missing::Extend)? {
        let mut page = buffer.exclusive();
        set(&mut page, slot, category_of(old_free))?;
        let near = search_page(&mut page, address, min)?;
        drop(page);
        if let Some(slot) = near {
            let block = address.heap_block(slot);
            if exists(pool, locator, block)? {
                return Ok(Some(block));
            }
        }
    }
    search_category(pool, locator, min)
}
/// Records how many bytes a heap page has free. Searches from the root see more room only after [`vacuum`].
/// (PostgreSQL: `RecordPageWithFreeSpace`)
pub fn record(pool: &BufferPool, locator: RelFileLocator, block: BlockNumber, free: usize) -> Result<()> {
    let (address, slot) = Address::of_heap_block(block);
    record_at(pool, locator, address, slot, category_of(free))
}
/// As [`record`], in recovery, where hints would be lost. (PostgreSQL: `XLogRecordPageWithFreeSpace`)
pub fn record_in_recovery(pool: &BufferPool, l: RelFileLocator, block: BlockNumber, free: usize) -> Result<()> {
    let (address, slot) = Address::of_heap_block(block);
    if let Some(buffer) = read(pool, l, address, Missing::Extend)? {
        let mut page = buffer.exclusive();
        if tree::needs_set(&page, slot, category_of(free)) {
            critical(|section| tree::set(page.write(section), slot, category_of(free)));
        }
    }
    Ok(())
}
/// What the map says about a page. (PostgreSQL: `GetRecordedFreeSpace`)
pub fn recorded(pool: &BufferPool, locator: RelFileLocator, block: BlockNumber) -> Result<usize> {
    let (address, slot) = Address::of_heap_block(block);
    let Some(buffer) = read(pool, locator, address, Missing::Skip)? else { return Ok(0) };
    let category = tree::get(&buffer.shared(), slot);
    Ok(if category == 255 { MAX_REQUEST } else { usize::from(category) * STEP })
}

/// Brings the upper levels up to date for heap pages `start..end`. (PostgreSQL: `FreeSpaceMapVacuumRange`)
pub fn vacuum(pool: &BufferPool, l: RelFileLocator, start: BlockNumber, end: BlockNumber) -> Result<()> {
    if start < end {
        vacuum_page(pool, l, ROOT, start, end)?;
    }
    Ok(())
}
/// The page's maximum, its children being brought up to date; `None` beyond the end of the map.
fn vacuum_page(
    pool: &BufferPool,
    l: RelFileLocator,
    address: Address,
    start: BlockNumber,
    end: BlockNumber,
) -> Result<Option<u8>> {
    let Some(buffer) = read(pool, l, address, Missing::Skip)? else { return Ok(None) };
    if address.level > BOTTOM {
        let mut at_end = false;
        for slot in slots_to_visit(address, start, end) {
            let max = match at_end {
                true => None,
                false => vacuum_page(pool, l, address.child(slot), start, end)?,
            };
            at_end = max.is_none();
            let max = max.unwrap_or(0);
            if tree::get(&buffer.shared(), slot) != max {
                set(&mut buffer.exclusive(), slot, max)?;
            }
        }
    }
    let page = buffer.shared();
    let max = tree::max(&page);
    // Searches begin at low numbers again, so that the relation's end may become empty and be truncated.
    if tree::next_slot(&page) != 0
        && let Ok(mut page) = page.try_upgrade()
    {
        tree::set_next_slot(page.hint_write(), 0);
    }
    Ok(Some(max))
}
/// The slots of an upper page below which the heap pages `start..end` lie.
fn slots_to_visit(address: Address, start: BlockNumber, end: BlockNumber) -> std::ops::Range<u32> {
    let (mut first, mut first_slot) = Address::of_heap_block(start);
    let (mut last, mut last_slot) = Address::of_heap_block(BlockNumber(end.0 - 1));
    while first.level < address.level {
        (first, first_slot) = first.parent();
        (last, last_slot) = last.parent();
    }
    let from = if first.number == address.number { first_slot } else { 0 };
    let to = if last.number == address.number { last_slot + 1 } else { SLOTS };
    from..to
}

/// The heap is about to be truncated to `nblocks`: clears what lies beyond, and says how many pages of the map remain
/// (`None`: the map need not be truncated). (PostgreSQL: `FreeSpaceMapPrepareTruncateRel`)
pub fn prepare_truncate(pool: &BufferPool, locator: RelFileLocator, nblocks: u32) -> Result<Option<u32>> {
    let (address, slot) = Address::of_heap_block(BlockNumber(nblocks));
    let size = pool.smgr().nblocks_or_zero(locator, ForkNumber::Fsm)?;
    let block = address.block().0;
    if slot == 0 {
        return Ok((size > block).then_some(block));
    }
    let Some(buffer) = read(pool, locator, address, Missing::Skip)? else { return Ok(None) };
    let mut page = buffer.exclusive();
    tree::truncate(page.hint_write(), slot);
    page.mark_dirty_hint()?;
    Ok(Some(block + 1))
}

/// For indexes, whose map holds wholly free pages: takes one out. (PostgreSQL: `GetFreeIndexPage`)
pub fn take_free_index_page(pool: &BufferPool, locator: RelFileLocator) -> Result<Option<BlockNumber>> {
    let found = search(pool, locator, BLCKSZ / 2)?;
    if let Some(block) = found {
        record(pool, locator, block, 0)?;
    }
    Ok(found)
}
/// (PostgreSQL: `RecordFreeIndexPage`)
pub fn record_free_index_page(pool: &BufferPool, locator: RelFileLocator, block: BlockNumber) -> Result<()> {
    record(pool, locator, block, BLCKSZ - 1)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use base::Oid;

    use super::*;
    use crate::{PoolOptions, SimVfs, Smgr};

    const REL: RelFileLocator = RelFileLocator { spc: Oid(1663), db: Oid(5), rel: Oid(16384) };

    fn pool(nblocks: u32) -> Arc<BufferPool> {
        let smgr = Arc::new(Smgr::new(Arc::new(SimVfs::new(1))));
        smgr.create(REL, ForkNumber::Main, false).unwrap();
        smgr.zero_extend(REL, ForkNumber::Main, BlockNumber(0), nblocks).unwrap();
        BufferPool::new(PoolOptions { buffers: 32, checksums: true }, smgr)
    }

    #[test]
    fn places_in_the_file() {
        for (level, number, block) in
            [(2, 0, 0), (1, 0, 1), (0, 0, 2), (0, 1, 3), (0, 4068, 4070), (1, 1, 4071), (0, 4069, 4072)]
        {
            assert_eq!(Address { level, number }.block(), BlockNumber(block), "{level} {number}");
        }
        for (free, category) in [(0, 0), (31, 0), (32, 1), (8127, 253), (8128, 254), (8159, 254), (8160, 255)] {
            assert_eq!(category_of(free), category);
        }
        for (needed, category) in [(0, 1), (1, 1), (32, 1), (33, 2), (8160, 255)] {
            assert_eq!(category_for(needed).unwrap(), category);
        }
        assert!(category_for(8161).is_err());
    }

    #[test]
    fn record_search_vacuum() {
        let pool = pool(6000);
        assert_eq!(search(&pool, REL, 100).unwrap(), None);
        record(&pool, REL, BlockNumber(5000), 3000).unwrap();
        record(&pool, REL, BlockNumber(10), 500).unwrap();
        assert_eq!(recorded(&pool, REL, BlockNumber(5000)).unwrap(), 2976);
        assert_eq!(search(&pool, REL, 100).unwrap(), None, "upper levels follow with vacuum");
        vacuum(&pool, REL, BlockNumber(0), BlockNumber(6000)).unwrap();
        assert_eq!(search(&pool, REL, 400).unwrap(), Some(BlockNumber(10)));
        assert_eq!(search(&pool, REL, 2000).unwrap(), Some(BlockNumber(5000)));
        assert_eq!(record_and_search(&pool, REL, BlockNumber(10), 0, 400).unwrap(), Some(BlockNumber(5000)));
        assert_eq!(record_and_search(&pool, REL, BlockNumber(5000), 0, 400).unwrap(), None);
        record(&pool, REL, BlockNumber(20), 8000).unwrap();
        record(&pool, REL, BlockNumber(5999), 8000).unwrap();
        assert_eq!(prepare_truncate(&pool, REL, 5000).unwrap(), Some(4));
        assert_eq!(recorded(&pool, REL, BlockNumber(5999)).unwrap(), 0);
        assert_eq!(prepare_truncate(&pool, REL, 4069).unwrap(), Some(3));
    }

    #[test]
    fn entries_beyond_the_end_are_corrected() {
        let pool = pool(10);
        record(&pool, REL, BlockNumber(50), 5000).unwrap();
        vacuum(&pool, REL, BlockNumber(0), BlockNumber(100)).unwrap();
        assert_eq!(search(&pool, REL, 100).unwrap(), None);
        assert_eq!(recorded(&pool, REL, BlockNumber(50)).unwrap(), 0);
        record_free_index_page(&pool, REL, BlockNumber(3)).unwrap();
        vacuum(&pool, REL, BlockNumber(0), BlockNumber(10)).unwrap();
        assert_eq!(take_free_index_page(&pool, REL).unwrap(), Some(BlockNumber(3)));
        assert_eq!(take_free_index_page(&pool, REL).unwrap(), None);
    }
}
