//! The page that takes a new tuple.
//!
//! First the page that took this session's last one, then what the free-space map knows, then the table's last page, then
//! a new one. The page comes back pinned and exclusively latched; if all its tuples are visible to everyone, with the page
//! of the visibility map whose bits must be cleared.
//!
//! PostgreSQL: `hio.c`. Different here: the page of the last insertion is remembered with the relation, a few of them by
//! session number, so that sessions mostly keep to different pages.

use std::sync::atomic::{AtomicU32, Ordering};

use base::sqlstate::PROGRAM_LIMIT_EXCEEDED;
use base::{BlockNumber, ForkNumber, PgError, Result};
use storage::page::{ITEM_ID_SIZE, MAX_HEAP_TUPLES_PER_PAGE, maxalign};
use storage::{BufferTag, OwnedExclusive, PinnedBuffer, ReadMode, critical, fsm, vm};
use txn::Transaction;

use super::{BulkInsert, HeapRelation};
use crate::tuple::MAX_HEAP_TUPLE_SIZE;

/// The pages that took the last tuples, by session number.
#[derive(Debug)]
pub struct Targets([AtomicU32; 16]);

impl Targets {
    pub fn new() -> Targets {
        Targets(std::array::from_fn(|_| AtomicU32::new(u32::MAX)))
    }
    fn slot(&self, txn: &Transaction) -> &AtomicU32 {
        &self.0[txn.proc().number() as usize % self.0.len()]
    }
    pub fn get(&self, txn: &Transaction) -> Option<BlockNumber> {
        Some(BlockNumber(self.slot(txn).load(Ordering::Relaxed))).filter(|b| b.is_valid())
    }
    pub fn set(&self, txn: &Transaction, block: BlockNumber) {
        self.slot(txn).store(block.0, Ordering::Relaxed);
    }
    /// The table was truncated.
    pub fn forget(&self) {
        self.0.iter().for_each(|t| t.store(u32::MAX, Ordering::Relaxed));
    }
}

/// A latched page, and the page of the visibility map that covers it if it is needed.
pub struct Place {
    pub page: OwnedExclusive,
    pub map: Option<PinnedBuffer>,
}

impl Place {
    /// The map's page, if bits must be cleared.
    pub fn map_to_clear(&self) -> Option<&PinnedBuffer> {
        self.map.as_ref().filter(|_| self.page.is_all_visible())
    }
}

/// The error for a tuple that cannot fit any page.
pub fn check_size(len: usize) -> Result<()> {
    if maxalign(len) > MAX_HEAP_TUPLE_SIZE {
        let text = format!("row is too big: size {}, maximum size {MAX_HEAP_TUPLE_SIZE}", maxalign(len));
        return Err(PgError::new(PROGRAM_LIMIT_EXCEEDED, text));
    }
    Ok(())
}

/// A page with room for a tuple of `len` bytes. `total`: what the caller is going to insert altogether, for the size of an
/// extension. (PostgreSQL: `RelationGetBufferForTuple`)
pub fn page_for(
    rel: &HeapRelation,
    txn: &Transaction,
    len: usize,
    total: usize,
    use_fsm: bool,
    mut bulk: Option<&mut BulkInsert>,
) -> Result<Place> {
    let len = maxalign(len);
    check_size(len)?;
    let pool = txn.manager().pool();
    let reserve = rel.target_free_space();
    // A tuple larger than what the fill factor leaves gets an (almost) empty page.
    let nearly_empty = MAX_HEAP_TUPLE_SIZE - MAX_HEAP_TUPLES_PER_PAGE / 8 * ITEM_ID_SIZE;
    let wanted = if len + reserve > nearly_empty { len.max(nearly_empty) } else { len + reserve };
    let blocks = rel.nblocks(txn)?;

    let bulk_block = bulk.as_ref().and_then(|b| b.target());
    let mut candidate = bulk_block.or_else(|| rel.targets.get(txn)).filter(|b| b.0 < blocks);
    if candidate.is_none() && use_fsm && blocks > 0 {
        candidate = fsm::search(pool, rel.locator, wanted)?.filter(|b| b.0 < blocks);
        candidate = candidate.or(Some(BlockNumber(blocks - 1)));
    }
    while let Some(block) = candidate {
        txn.proc().interrupt().check()?;
        let place = latch(rel, txn, block, bulk.as_deref())?;
        let free = match place.page.is_new() {
            true => MAX_HEAP_TUPLE_SIZE,
            false => place.page.heap_free_space(),
        };
        if free >= wanted || place.page.is_new() {
            rel.targets.set(txn, block);
            if let Some(b) = &mut bulk {
                b.buffer = Some(place.page.buffer().clone());
            }
            return Ok(place);
        }
        drop(place);
        candidate = match &mut bulk {
            // The rest of what we added ourselves.
            Some(b) if b.next_extended < b.end_extended => {
                b.buffer = None;
                b.next_extended += 1;
                Some(BlockNumber(b.next_extended - 1))
            }
            _ if !use_fsm => None,
            _ => {
                fsm::record_and_search(pool, rel.locator, block, free, wanted)?.filter(|b| b.0 < blocks && *b != block)
            }
        };
    }
    extend(rel, txn, total, wanted, use_fsm, bulk)
}

/// Adds pages at the end, and takes the first of them.
fn extend(
    rel: &HeapRelation,
    txn: &Transaction,
    total: usize,
    wanted: usize,
    use_fsm: bool,
    bulk: Option<&mut BulkInsert>,
) -> Result<Place> {
    let pool = txn.manager().pool();
    let pages = match &bulk {
        Some(b) => (total.div_ceil(MAX_HEAP_TUPLE_SIZE) as u32).max(b.grown).clamp(1, pool.extension_limit()),
        None => 1,
    };
    let strategy = bulk.as_ref().and_then(|b| b.strategy.as_ref());
    let mut page = pool.extend_by(rel.locator, ForkNumber::Main, pages, strategy)?;
    let block = page.block();
    critical(|section| page.write(section).init(0));
    debug_assert!(page.heap_free_space() >= wanted.min(MAX_HEAP_TUPLE_SIZE));
    rel.targets.set(txn, block);
    if let Some(b) = bulk {
        b.buffer = Some(page.buffer().clone());
        (b.next_extended, b.end_extended) = (block.0 + 1, block.0 + pages);
        b.grown = pages * 2;
    } else if use_fsm && pages > 1 {
        for n in 1..pages {
            fsm::record(pool, rel.locator, BlockNumber(block.0 + n), MAX_HEAP_TUPLE_SIZE)?;
        }
    }
    Ok(Place { page, map: None })
}

/// Pins and latches a page; the map's page is pinned first if the page turns out to need it.
fn latch(rel: &HeapRelation, txn: &Transaction, block: BlockNumber, bulk: Option<&BulkInsert>) -> Result<Place> {
    let pool = txn.manager().pool();
    let held = bulk.and_then(|b| b.buffer.as_ref()).filter(|b| b.block() == block);
    let buffer = match held {
        Some(b) => b.clone(),
        None => {
            let tag = BufferTag::main(rel.locator, block);
            pool.pin(tag, ReadMode::Normal, bulk.and_then(|b| b.strategy.as_ref()))?
        }
    };
    let mut page = buffer.into_exclusive();
    let mut map = None;
    while page.is_all_visible() && map.is_none() {
        let buffer = page.unlatch();
        map = Some(vm::pin(pool, rel.locator, block)?);
        page = buffer.into_exclusive();
    }
    Ok(Place { page, map })
}
