//! Building an index from its rows: sort, then fill pages from left to right, each level feeding the one above.
//! (PostgreSQL: `nbtsort.c`)
//!
//! Works without a log (initdb, unlogged indexes) and with one, which gets every page as a whole.
//! Different from PostgreSQL: no parallel builds.

use std::cmp::Ordering;

use base::{BLCKSZ, BlockNumber, OffsetNumber, Result, TupleId};
use storage::page::{ITEM_ID_SIZE, maxalign, maxalign_down};
use storage::{ItemId, Page, critical};
use types::Datum;

use super::dedup::Gather;
use super::page::{
    FIRST_KEY, HIGH_KEY, MAX_ITEM_SIZE, META_BLOCK, Meta, NONE, OPAQUE_SIZE, Opaque, add, flags, init, slide_left,
};
use super::search::Tree;
use super::sort::{Sorter, compare_keys};
use super::tuple;
use crate::index::{BuildSource, IndexBuild};

/// Two live rows with equal keys, where there may be none.
struct DuplicateRows {
    pub first: TupleId,
    pub second: TupleId,
    pub tuple: Vec<u8>,
}

pub(super) fn has_null_key(tree: &Tree<'_>, t: &[u8]) -> Result<bool> {
    for i in 0..tree.key_columns() {
        if tree.index.layout.index_attr(t, tree.all_columns(), i)?.is_null() {
            return Ok(true);
        }
    }
    Ok(false)
}
/// A level being filled.
struct Level {
    page: Box<Page>,
    block: BlockNumber,
    level: u32,
    /// What the parent will say about the page being filled.
    low_key: Vec<u8>,
    last: OffsetNumber,
    /// When less is free, the page is full.
    full: usize,
    /// Bytes of the last item's posting list: truncation will take them away if it becomes a high key.
    last_extra: usize,
}

struct Loader<'t, 'a> {
    tree: &'t Tree<'a>,
    levels: Vec<Level>,
    next_block: u32,
}

impl Tree<'_> {
    /// Writes the metapage of an empty index into a new fork. (PostgreSQL: `btbuildempty`)
    pub fn build_empty(&self, fork: base::ForkNumber, all_equal_image: bool) -> Result<()> {
        let mut page = Page::boxed();
        Meta::new(NONE, 0, all_equal_image).store(&mut page);
        self.write_page(fork, META_BLOCK, &page)
    }
    /// Fills an empty index with sorted tuples. Stops at two live rows with equal keys if the index is unique.
    fn load(&self, sorter: Sorter, all_equal_image: bool) -> Result<Option<DuplicateRows>> {
        let mut loader = Loader { tree: self, levels: Vec::new(), next_block: 1 };
        let merge = all_equal_image && self.index.deduplicate && !self.index.unique;
        let mut gather = Gather::new(maxalign_down(BLCKSZ / 10) - ITEM_ID_SIZE);
        // Between two live rows may lie dead ones.
        let mut last_alive: Vec<u8> = Vec::new();
        let mut duplicate = None;
        sorter.drain(self, &mut |t, alive| {
            if t.len() > MAX_ITEM_SIZE {
                return Err(self.too_large(t));
            }
            if self.index.unique && alive && duplicate.is_none() {
                if !last_alive.is_empty() && self.are_duplicates(&last_alive, t)? {
                    let (first, second) = (tuple::raw_tid(&last_alive), tuple::raw_tid(t));
                    duplicate = Some(DuplicateRows { first, second, tuple: t.to_vec() });
                }
                last_alive.clear();
                last_alive.extend_from_slice(t);
            }
            if duplicate.is_some() {
                return Ok(());
            }
            if !merge {
                return loader.add(0, t, 0);
            }
            if !gather.is_empty() {
                let equal = self.columns_to_differ(gather.base(), t)? > self.key_columns();
                if equal && gather.join(t) {
                    return Ok(());
                }
                loader.add_gathered(&mut gather)?;
            }
            gather.start(t, 1);
            Ok(())
        })?;
        if duplicate.is_none() {
            loader.add_gathered(&mut gather)?;
            loader.finish(all_equal_image)?;
        }
        Ok(duplicate)
    }
    fn are_duplicates(&self, a: &[u8], b: &[u8]) -> Result<bool> {
        let equal = compare_keys(self, a, b)? == Ordering::Equal;
        Ok(equal && (self.index.nulls_not_distinct || !has_null_key(self, b)?))
    }
    fn write_page(&self, fork: base::ForkNumber, block: BlockNumber, page: &Page) -> Result<()> {
        let tag = storage::BufferTag::new(self.index.locator, fork, block);
        let mut target = self.pool.pin_zeroed(tag)?;
        critical(|section| {
            target.write(section).copy_from(page);
            // An init fork is logged even though its relation is not.
            if let Some(log) = self.log {
                let lsn = log.new_page(section, tag, &target);
                target.set_lsn(section, lsn);
            }
        });
        Ok(())
    }
}

impl Loader<'_, '_> {
    fn new_level(&mut self, level: u32) -> Level {
        let block = BlockNumber(self.next_block);
        self.next_block += 1;
        let fill = if level == 0 { usize::from(self.tree.fill_factor()) } else { 70 };
        Level {
            page: new_page(level),
            block,
            level,
            low_key: Vec::new(),
            last: HIGH_KEY,
            full: BLCKSZ * (100 - fill) / 100,
            last_extra: 0,
        }
    }
    fn add_gathered(&mut self, gather: &mut Gather) -> Result<()> {
        match gather.finish() {
            Some(t) => {
                let extra = if tuple::is_posting(&t) { t.len() - tuple::key_size(&t) } else { 0 };
                self.add(0, &t, extra)
            }
            None => Ok(()),
        }
    }
    /// Adds the next tuple to a level, starting a new page if this one is full. (PostgreSQL: `_bt_buildadd`)
    fn add(&mut self, level: usize, t: &[u8], extra: usize) -> Result<()> {
        if self.levels.len() == level {
            let mut new = self.new_level(level as u32);
            new.low_key = tuple::minus_infinity(NONE).to_vec();
            self.levels.push(new);
        }
        let is_leaf = level == 0;
        let state = &self.levels[level];
        let free = state.page.free_space();
        let needed = t.len() + if is_leaf { maxalign(tuple::TID_SIZE) } else { 0 };
        let last_extra = state.last_extra;
        if free < needed || free + last_extra < state.full && state.last > FIRST_KEY {
            self.next_page(level)?;
        }
        let state = &mut self.levels[level];
        state.last += 1;
        // The first item of an inner page is lower than everything.
        match !is_leaf && state.last == FIRST_KEY {
            true => add(&mut state.page, &tuple::minus_infinity(tuple::downlink(t)), state.last)?,
            false => add(&mut state.page, t, state.last)?,
        }
        state.last_extra = extra;
        Ok(())
    }
    /// The full page's last item becomes the first of a new page, and, truncated, the old one's high key.
    fn next_page(&mut self, level: usize) -> Result<()> {
        let is_leaf = level == 0;
        let block = BlockNumber(self.next_block);
        self.next_block += 1;
        let tree = self.tree;
        let state = &mut self.levels[level];
        let mut old = std::mem::replace(&mut state.page, new_page(state.level));
        let last = tree.item(&old, state.last)?.to_vec();
        let first = match is_leaf {
            true => last.clone(),
            false => tuple::minus_infinity(tuple::downlink(&last)).to_vec(),
        };
        add(&mut state.page, &first, FIRST_KEY)?;
        // The last line pointer goes; the first one, kept free so far, takes its place.
        let id = old.item_id(state.last);
        old.set_item_id(HIGH_KEY, id);
        old.set_lower(old.lower() - ITEM_ID_SIZE);
        let mut high = last;
        if is_leaf {
            let last_left = tree.item(&old, state.last - 1)?;
            let keep = tree.columns_to_separate(last_left, &high)?;
            high = tuple::truncate(&tree.index.layout, tree.key_columns(), last_left, &high, keep)?;
            if !old.index_tuple_overwrite(HIGH_KEY, &high)? {
                return Err(base::PgError::internal("failed to add high key to the finished page of an index build"));
            }
        }
        let old_block = std::mem::replace(&mut state.block, block);
        let mut low_key = std::mem::replace(&mut state.low_key, high);
        tuple::set_downlink(&mut low_key, old_block);
        state.last = FIRST_KEY;
        state.last_extra = 0;
        super::page::change_opaque(&mut old, |o| o.next = block);
        super::page::change_opaque(&mut state.page, |o| o.prev = old_block);
        tree.write_page(base::ForkNumber::Main, old_block, &old)?;
        self.add(level + 1, &low_key, 0)
    }
    /// Writes the rightmost pages, then the metapage. (PostgreSQL: `_bt_uppershutdown`)
    fn finish(mut self, all_equal_image: bool) -> Result<()> {
        let mut level = 0;
        let mut root = (NONE, 0);
        while level < self.levels.len() {
            let top = level + 1 == self.levels.len();
            let state = &mut self.levels[level];
            let block = state.block;
            if top {
                super::page::change_opaque(&mut state.page, |o| o.flags |= flags::ROOT);
                root = (block, state.level);
            } else {
                let mut low_key = std::mem::take(&mut state.low_key);
                tuple::set_downlink(&mut low_key, block);
                self.add(level + 1, &low_key, 0)?;
            }
            let page = &mut self.levels[level].page;
            slide_left(page);
            self.tree.write_page(base::ForkNumber::Main, block, page)?;
            level += 1;
        }
        let mut meta = Page::boxed();
        Meta::new(root.0, root.1, all_equal_image).store(&mut meta);
        self.tree.write_page(base::ForkNumber::Main, META_BLOCK, &meta)
    }
}

/// An empty page whose first line pointer is kept for the high key.
fn new_page(level: u32) -> Box<Page> {
    let mut page = Page::boxed();
    init(&mut page, Opaque::new(level, if level == 0 { flags::LEAF } else { 0 }));
    page.set_lower(page.lower() + ITEM_ID_SIZE);
    page.set_item_id(HIGH_KEY, ItemId::UNUSED);
    debug_assert_eq!(page.special().len(), OPAQUE_SIZE);
    page
}

impl Tree<'_> {
    /// Sorts what the source brings and fills the empty index with it. `memory`: bytes that sorting may use; `check` is
    /// called once in a while.
    pub fn build(
        &self,
        source: &mut BuildSource<'_>,
        memory: usize,
        check: &mut dyn FnMut() -> Result<()>,
    ) -> Result<IndexBuild> {
        let mut sorter = Sorter::new(memory);
        let mut t = Vec::new();
        source(&mut |values, tid, alive| {
            self.form(values, tid, &mut t)?;
            if sorter.len().is_multiple_of(1024) {
                check()?;
            }
            sorter.push(self, &t, alive)
        })?;
        let index_tuples = sorter.len() as f64;
        let Some(DuplicateRows { first, second, tuple }) = self.load(sorter, self.index.deduplicate)? else {
            return Ok(IndexBuild::Built { index_tuples });
        };
        Ok(IndexBuild::Duplicate { first, second, key: self.key_values(&tuple)? })
    }
    /// The key columns' values of a leaf tuple.
    pub(super) fn key_values(&self, t: &[u8]) -> Result<Vec<Datum>> {
        (0..self.key_columns()).map(|i| super::plain(self.index.layout.index_attr(t, self.all_columns(), i)?)).collect()
    }
}
