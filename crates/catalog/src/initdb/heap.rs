//! Tables and B-trees as whole files, built in memory: what the bootstrap leaves behind, frozen.
//!
//! Tuples are those of the bootstrap transaction, frozen, on pages marked all-visible, with the visibility map to match. A tree is
//! packed bottom up from sorted tuples: leaves to 90 %, inner pages to 70 %. Nothing is logged.
//!
//! PostgreSQL: the state after `VACUUM FREEZE` at the end of initdb; `nbtsort.c`, `nbtutils.c` (`_bt_truncate`).

use std::cmp::Ordering;
use std::sync::Arc;

use access::tuple::{Header, INDEX_TUPLE_HEADER, TupleLayout, header, index_info, infomask};
use base::{BLCKSZ, BlockNumber, PgError, Result, TupleId, Xid};
use storage::Page;
use storage::page::{AddItem, flags, maxalign};
use types::{Attribute, Datum, SortKey, TupleDesc};

/// A relation's pages.
pub(crate) type Pages = Vec<Box<Page>>;

/// The pages as a file, each with its checksum if there are to be any.
pub(crate) fn file_bytes(mut pages: Pages, checksums: bool) -> Vec<u8> {
    let mut out = Vec::with_capacity(pages.len() * BLCKSZ);
    for (n, page) in pages.iter_mut().enumerate() {
        if checksums {
            page.stamp_checksum(BlockNumber(n as u32));
        }
        out.extend_from_slice(page.bytes());
    }
    out
}

/// Puts rows into heap pages; returns also where each row went.
pub(crate) fn build_heap(desc: &Arc<TupleDesc>, rows: &[Vec<Datum>]) -> Result<(Pages, Vec<TupleId>)> {
    let layout = TupleLayout::new(desc);
    let (mut pages, mut tids, mut tuple) = (Pages::new(), Vec::with_capacity(rows.len()), Vec::new());
    for row in rows {
        layout.form_heap(row, &mut tuple)?;
        header::set_xmin(&mut tuple, Xid::BOOTSTRAP);
        let mask = Header::new(&tuple).map_or(0, |h| h.infomask());
        header::set_infomask(&mut tuple, mask | infomask::XMIN_FROZEN | infomask::XMAX_INVALID);
        if pages.last().is_none_or(|p: &Box<Page>| p.heap_free_space() < maxalign(tuple.len())) {
            let mut page = Page::boxed();
            page.init(0);
            page.set_flag(flags::ALL_VISIBLE);
            pages.push(page);
        }
        let block = BlockNumber(pages.len() as u32 - 1);
        let page = pages.last_mut().ok_or_else(|| PgError::internal("no page"))?;
        let tid = TupleId::new(block, page.max_offset() + 1);
        header::set_ctid(&mut tuple, tid);
        page.add_item(&tuple, AddItem::AnywhereHeap).ok_or_else(|| too_long(desc))?;
        tids.push(tid);
    }
    Ok((pages, tids))
}

#[cold]
fn too_long(desc: &TupleDesc) -> PgError {
    PgError::internal(format!("a row with {} columns does not fit a page", desc.len()))
}

/// The visibility map of a heap all of whose pages are frozen.
pub(crate) fn visibility_map(heap_pages: usize) -> Pages {
    /// Heap pages that a map page covers: two bits each.
    const COVERED: usize = (BLCKSZ - 24) * 4;
    (0..heap_pages.div_ceil(COVERED))
        .map(|n| {
            let mut page = Page::boxed();
            page.init(0);
            for block in 0..(heap_pages - n * COVERED).min(COVERED) {
                page.bytes_mut()[24 + block / 4] |= 3 << (block % 4 * 2);
            }
            page
        })
        .collect()
}

/// What the builder needs to know of an index.
pub(crate) struct TreeSpec {
    pub attributes: Vec<Attribute>,
    pub keys: Vec<SortKey>,
    /// Equal keys have equal images, so that duplicates may be merged. (PostgreSQL: `_bt_allequalimage`)
    pub all_equal_image: bool,
}

const BTREE_MAGIC: u32 = 0x05_3162;
const BTREE_VERSION: u32 = 4;
const LEAF: u16 = 1;
const ROOT: u16 = 2;
const META: u16 = 8;
/// In `t_info`: the tuple is a pivot, `t_tid` does not point into the heap. (PostgreSQL: `INDEX_ALT_TID_MASK`)
const ALT_TID: u16 = index_info::AM_RESERVED;
/// In a pivot's offset number: the heap's tid is the last key. (PostgreSQL: `BT_PIVOT_HEAP_TID_ATTR`)
const PIVOT_HEAP_TID: u16 = 0x1000;
/// Room that a leaf leaves for later, and an inner page.
const LEAF_SLACK: usize = BLCKSZ * 10 / 100;
const INNER_SLACK: usize = BLCKSZ * 30 / 100;

struct Entry {
    values: Vec<Datum>,
    tid: TupleId,
}

/// One level under construction: finished pages' numbers, each with the least key on it (a pivot tuple; `None` for the leftmost).
type Level = Vec<(u32, Option<Vec<u8>>)>;

/// Builds a B-tree over the entries.
pub(crate) fn build_tree(spec: &TreeSpec, entries: Vec<(Vec<Datum>, TupleId)>) -> Result<Pages> {
    let mut entries: Vec<Entry> = entries.into_iter().map(|(values, tid)| Entry { values, tid }).collect();
    let mut failed = None;
    entries.sort_by(|a, b| {
        compare(spec, a, b).unwrap_or_else(|e| {
            failed.get_or_insert(e);
            Ordering::Equal
        })
    });
    if let Some(e) = failed {
        return Err(e);
    }
    let mut pages = vec![Page::boxed()];
    let (mut root, mut height) = (0, 0);
    if !entries.is_empty() {
        let mut level = build_leaves(spec, &entries, &mut pages)?;
        while level.len() > 1 {
            height += 1;
            level = build_inner(&level, height, &mut pages)?;
        }
        root = level[0].0;
        let special = pages[root as usize].special_mut();
        let bits = u16::from_le_bytes([special[12], special[13]]) | ROOT;
        special[12..14].copy_from_slice(&bits.to_le_bytes());
    }
    pages[0] = meta_page(root, height, spec.all_equal_image);
    Ok(pages)
}

fn compare(spec: &TreeSpec, a: &Entry, b: &Entry) -> Result<Ordering> {
    for (i, key) in spec.keys.iter().enumerate() {
        match key.compare(a.values[i].as_ref(), b.values[i].as_ref())? {
            Ordering::Equal => {}
            other => return Ok(other),
        }
    }
    Ok(a.tid.cmp(&b.tid))
}

fn meta_page(root: u32, height: u32, all_equal_image: bool) -> Box<Page> {
    let mut page = Page::boxed();
    page.init(16);
    for (i, word) in [BTREE_MAGIC, BTREE_VERSION, root, height, root, height, 0].into_iter().enumerate() {
        page.set_u32_at(24 + 4 * i, word);
    }
    // The number of heap tuples at the last cleanup is unknown.
    page.bytes_mut()[56..64].copy_from_slice(&(-1.0f64).to_le_bytes());
    page.bytes_mut()[64] = u8::from(all_equal_image);
    page.set_lower(24 + 48);
    set_opaque(&mut page, 0, 0, 0, META);
    page
}

fn set_opaque(page: &mut Page, left: u32, right: u32, level: u32, bits: u16) {
    let special = page.special_mut();
    special[0..4].copy_from_slice(&left.to_le_bytes());
    special[4..8].copy_from_slice(&right.to_le_bytes());
    special[8..12].copy_from_slice(&level.to_le_bytes());
    special[12..14].copy_from_slice(&bits.to_le_bytes());
}

/// Distributes tuples over pages of one level. `high_key(i)` separates tuple `i` from the one before it.
fn pack(
    tuples: &[Vec<u8>],
    slack: usize,
    height: u32,
    pages: &mut Pages,
    high_key: &mut dyn FnMut(usize) -> Result<Vec<u8>>,
) -> Result<Level> {
    let cost = |t: &[u8]| maxalign(t.len()) + 4;
    let room = BLCKSZ - 24 - 16;
    let (mut level, mut start, mut low) = (Level::new(), 0, None);
    while start < tuples.len() {
        let (mut used, mut end) = (0, start);
        // The page's own high key is as long as the first tuple beyond it at most, plus a tid.
        while end < tuples.len() {
            let next = tuples.get(end + 1).map_or(0, |t| cost(t) + 8);
            let with = used + cost(&tuples[end]);
            if end > start && (with + slack > room || with + next > room) {
                break;
            }
            (used, end) = (with, end + 1);
        }
        // Two tuples at least on each page that is not the last.
        let last = end == tuples.len();
        let high = if last { None } else { Some(high_key(end)?) };
        let number = pages.len() as u32;
        let mut page = Page::boxed();
        page.init(16);
        let body = tuples[start..end].iter().map(Vec::as_slice);
        for t in high.as_deref().into_iter().chain(body) {
            let put = page.add_item(t, AddItem::Anywhere);
            put.ok_or_else(|| PgError::internal("an index page overflows"))?;
        }
        let left = if start == 0 { 0 } else { number - 1 };
        let right = if last { 0 } else { number + 1 };
        set_opaque(&mut page, left, right, height, if height == 0 { LEAF } else { 0 });
        pages.push(page);
        level.push((number, low));
        (start, low) = (end, high);
    }
    Ok(level)
}

fn build_leaves(spec: &TreeSpec, entries: &[Entry], pages: &mut Pages) -> Result<Level> {
    let desc = |n: usize| Arc::new(TupleDesc::new(spec.attributes[..n].to_vec()));
    let layouts: Vec<TupleLayout> = (1..=spec.attributes.len()).map(|n| TupleLayout::new(&desc(n))).collect();
    let full = layouts.last().ok_or_else(|| PgError::internal("an index without columns"))?;
    let mut tuples = Vec::with_capacity(entries.len());
    for e in entries {
        let mut t = Vec::new();
        full.form_index(&e.values, e.tid, &mut t)?;
        tuples.push(t);
    }
    pack(&tuples, LEAF_SLACK, 0, pages, &mut |i| {
        // As few columns as tell the two neighbours apart; if none do, all and the left one's tid.
        let (left, right) = (&entries[i - 1], &entries[i]);
        let mut keep = spec.keys.len();
        let mut equal = true;
        for (n, key) in spec.keys.iter().enumerate() {
            if key.compare(left.values[n].as_ref(), right.values[n].as_ref())? != Ordering::Equal {
                (keep, equal) = (n + 1, false);
                break;
            }
        }
        let mut t = Vec::new();
        let source = if equal { left } else { right };
        layouts[keep - 1].form_index(&source.values[..keep], TupleId::new(BlockNumber(0), keep as u16), &mut t)?;
        if equal {
            // The tid takes the last six bytes of eight more.
            let at = t.len() + 2;
            t.resize(t.len() + 8, 0);
            t[at..at + 6].copy_from_slice(&left.tid.to_bytes());
            let tid = TupleId::new(BlockNumber(0), keep as u16 | PIVOT_HEAP_TID);
            t[..6].copy_from_slice(&tid.to_bytes());
        }
        let info = u16::from_le_bytes([t[6], t[7]]) & !index_info::SIZE_MASK | t.len() as u16 | ALT_TID;
        t[6..8].copy_from_slice(&info.to_le_bytes());
        Ok(t)
    })
}

/// An inner level over the pages of the level below.
fn build_inner(below: &Level, height: u32, pages: &mut Pages) -> Result<Level> {
    let downlink = |key: &[u8], block: u32| {
        let mut t = key.to_vec();
        let mut tid = TupleId::from_bytes([t[0], t[1], t[2], t[3], t[4], t[5]]);
        tid.block = BlockNumber(block);
        t[..6].copy_from_slice(&tid.to_bytes());
        t
    };
    // The first tuple of a level stands for minus infinity: no columns.
    let mut minus_infinity = vec![0; INDEX_TUPLE_HEADER];
    minus_infinity[6..8].copy_from_slice(&(INDEX_TUPLE_HEADER as u16 | ALT_TID).to_le_bytes());
    let keys: Vec<&[u8]> = below.iter().map(|(_, low)| low.as_deref().unwrap_or(&minus_infinity)).collect();
    let tuples: Vec<Vec<u8>> = below.iter().zip(&keys).map(|((block, _), key)| downlink(key, *block)).collect();
    // A page's first tuple is taken as minus infinity, too: its key goes up, a header stays.
    let first = pages.len();
    let level = pack(&tuples, INNER_SLACK, height, pages, &mut |i| Ok(downlink(keys[i], 0)))?;
    for page in &mut pages[first..] {
        truncate_first(page, &minus_infinity)?;
    }
    Ok(level)
}

/// Replaces the first data tuple of an inner page by a bare downlink.
fn truncate_first(page: &mut Box<Page>, minus_infinity: &[u8]) -> Result<()> {
    let rightmost = page.special()[4..8] == [0; 4];
    let first = if rightmost { 1 } else { 2 };
    let old = page.to_boxed();
    page.init(16);
    page.special_mut().copy_from_slice(old.special());
    for offnum in old.offsets() {
        let mut item = old.item(offnum).ok_or_else(|| PgError::internal("an index page without its tuple"))?.to_vec();
        if offnum == first {
            let block = [item[0], item[1], item[2], item[3]];
            item = minus_infinity.to_vec();
            item[..4].copy_from_slice(&block);
        }
        let put = page.add_item(&item, AddItem::Anywhere);
        put.ok_or_else(|| PgError::internal("an index page overflows"))?;
    }
    Ok(())
}
