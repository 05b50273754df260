//! Merging tuples with equal keys into posting lists, when a leaf has no room left. (PostgreSQL: `nbtdedup.c`)
//!
//! Only where equal keys have equal bytes. Redo repeats the merge from a list of intervals.

use base::{BLCKSZ, OffsetNumber, Result, TupleId};
use storage::page::{ITEM_ID_SIZE, maxalign, maxalign_down};
use storage::{OwnedExclusive, Page, critical};
use wal::{RecordBuilder, RegBuf, RmgrId};

use super::page::{HIGH_KEY, MAX_ITEM_SIZE, Opaque, add, change_opaque, flags};
use super::search::Tree;
use super::tuple;
use super::wal::DEDUP;

/// Equal tuples that were merged: the first one's number, and how many.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Interval {
    pub base: OffsetNumber,
    pub items: u16,
}

/// Equal tuples being gathered. (PostgreSQL: `BTDedupState`)
pub(super) struct Gather {
    /// Posting lists get no larger.
    max_size: usize,
    base: Vec<u8>,
    base_offnum: OffsetNumber,
    tids: Vec<TupleId>,
    items: u16,
    pub intervals: Vec<Interval>,
    /// How many lists became as large as allowed.
    full_lists: u32,
}

impl Gather {
    pub fn new(max_size: usize) -> Gather {
        Gather {
            max_size,
            base: Vec::new(),
            base_offnum: 0,
            tids: Vec::new(),
            items: 0,
            intervals: Vec::new(),
            full_lists: 0,
        }
    }
    pub fn is_empty(&self) -> bool {
        self.items == 0
    }
    pub fn base(&self) -> &[u8] {
        &self.base
    }
    pub fn start(&mut self, t: &[u8], offnum: OffsetNumber) {
        self.base.clear();
        self.base.extend_from_slice(t);
        self.base_offnum = offnum;
        self.tids.clear();
        tuple::for_each_tid(t, |tid| self.tids.push(tid));
        self.items = 1;
    }
    /// Adds the row places of an equal tuple; `false` if the list would get too large.
    pub fn join(&mut self, t: &[u8]) -> bool {
        let more = if tuple::is_posting(t) { tuple::posting_count(t) } else { 1 };
        let size = maxalign(tuple::key_size(&self.base) + (self.tids.len() + more) * tuple::TID_SIZE);
        if size > self.max_size {
            self.full_lists += u32::from(self.tids.len() > 50);
            return false;
        }
        tuple::for_each_tid(t, |tid| self.tids.push(tid));
        self.items += 1;
        true
    }
    /// The tuple for what was gathered, if anything was.
    pub fn finish(&mut self) -> Option<Vec<u8>> {
        let items = std::mem::take(&mut self.items);
        match items {
            0 => None,
            1 => Some(self.base.clone()),
            _ => {
                self.intervals.push(Interval { base: self.base_offnum, items });
                Some(tuple::form_posting(&self.base, &self.tids))
            }
        }
    }
}

/// A page with this one's special space and high key, and nothing else.
fn begin_page(tree_item: impl Fn(OffsetNumber) -> Result<Vec<u8>>, page: &Page) -> Result<Box<Page>> {
    let mut new = page.boxed_with_special_of();
    new.set_lsn(page.lsn());
    if !Opaque::of(page).is_rightmost() {
        add(&mut new, &tree_item(HIGH_KEY)?, HIGH_KEY)?;
    }
    Ok(new)
}
fn append(page: &mut Page, item: Option<Vec<u8>>) -> Result<()> {
    match item {
        Some(item) => add(page, &item, page.max_offset() + 1),
        None => Ok(()),
    }
}

impl Tree<'_> {
    /// Merges equal tuples of a leaf that holds no dead ones. (PostgreSQL: `_bt_dedup_pass`)
    pub(super) fn deduplicate(&self, page: &mut OwnedExclusive, new: &[u8]) -> Result<()> {
        let opaque = Opaque::of(page);
        let (first, max) = (opaque.first_data(), page.max_offset());
        let mut gather = Gather::new(MAX_ITEM_SIZE / 2);
        let mut single_value = self.is_single_value(page, first, new)?;
        let mut merged = begin_page(|n| Ok(self.item(page, n)?.to_vec()), page)?;
        let mut merging = true;
        for n in first..=max {
            let item = self.item(page, n)?;
            if gather.is_empty() {
                gather.start(item, n);
                continue;
            }
            let equal = merging && self.columns_to_differ(gather.base(), item)? > self.key_columns();
            if equal && gather.join(item) {
                continue;
            }
            append(&mut merged, gather.finish())?;
            if single_value {
                // A page full of one value will be split so that the left half is nearly full: leave the last ones alone.
                match gather.full_lists {
                    5 => gather.max_size = self.single_value_size(page, gather.max_size, new.len() + ITEM_ID_SIZE),
                    6 => (merging, single_value) = (false, false),
                    _ => {}
                }
            }
            gather.start(item, n);
        }
        append(&mut merged, gather.finish())?;
        if gather.intervals.is_empty() {
            return Ok(());
        }
        change_opaque(&mut merged, |o| o.flags &= !flags::HAS_GARBAGE);
        critical(|section| {
            page.write(section).copy_from(&merged);
            let Some(log) = self.log else { return };
            let mut record = RecordBuilder::new(RmgrId::BTREE, DEDUP)
                .xid(self.xid)
                .main_data(&(gather.intervals.len() as u16).to_le_bytes())
                .register_buffer(0, &*page, RegBuf::STANDARD);
            for interval in &gather.intervals {
                record.push_buffer_data(0, &interval.base.to_le_bytes());
                record.push_buffer_data(0, &interval.items.to_le_bytes());
            }
            let lsn = log.insert(section, record);
            page.set_lsn(section, lsn);
        });
        Ok(())
    }
    /// Are all tuples, and the new one, equal? (PostgreSQL: `_bt_do_singleval`)
    fn is_single_value(&self, page: &Page, first: OffsetNumber, new: &[u8]) -> Result<bool> {
        let columns = self.key_columns();
        Ok(self.columns_to_differ(new, self.item(page, first)?)? > columns
            && self.columns_to_differ(new, self.item(page, page.max_offset())?)? > columns)
    }
    /// How large the sixth list may get so that the split leaves the left page 96% full. (PostgreSQL:
    /// `_bt_singleval_fillfactor`)
    fn single_value_size(&self, page: &Page, max: usize, new_size: usize) -> usize {
        let left_free = BLCKSZ - storage::page::HEADER_SIZE - maxalign(super::page::OPAQUE_SIZE);
        let left_free = left_free.saturating_sub(new_size + maxalign(tuple::TID_SIZE));
        let _ = page;
        let reduction = left_free * (100 - 96) / 100;
        if max > reduction { maxalign_down(max - reduction) } else { 0 }
    }
}

/// Repeats a merge. (PostgreSQL: `btree_xlog_dedup`)
pub(super) fn redo(
    page: &Page,
    intervals: &[Interval],
    item: impl Fn(OffsetNumber) -> Result<Vec<u8>>,
) -> Result<Box<Page>> {
    let opaque = Opaque::of(page);
    let mut gather = Gather::new(BLCKSZ);
    let mut merged = begin_page(&item, page)?;
    let mut n = opaque.first_data();
    let mut todo = intervals.iter().peekable();
    while n <= page.max_offset() {
        gather.start(&item(n)?, n);
        let items = todo.next_if(|i| i.base == n).map_or(1, |i| i.items.max(1));
        for k in 1..items {
            gather.join(&item(n + k)?);
        }
        append(&mut merged, gather.finish())?;
        n += items;
    }
    change_opaque(&mut merged, |o| o.flags &= !flags::HAS_GARBAGE);
    Ok(merged)
}
