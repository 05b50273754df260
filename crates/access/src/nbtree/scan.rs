//! Scanning: all matching entries of a page are copied under its latch, then the latch is dropped.
//!
//! The scan goes on to the sibling that the page named when it was read: entries that move right by a split in between
//! were copied already. A step to the left checks that the page there still leads to ours.
//!
//! An index-only scan keeps its pin until it goes on, so that vacuum cannot remove entries, and their rows' places be
//! used again, while it still trusts the visibility map. PostgreSQL: `_bt_readpage`, `_bt_steppage`, `_bt_killitems`.

use std::cmp::Ordering;
use std::sync::Arc;

use base::{BlockNumber, FullXid, Lsn, OffsetNumber, Result, TupleId, Xid};
use storage::{BufferPool, OwnedShared, PinnedBuffer};
use txn::Transaction;
use txn::ssi::{Target, Watched};

use super::page::{NONE, Opaque, change_opaque, flags};
use super::scankeys::{Conditions, Verdict};
use super::search::{SearchKey, Tree};
use super::{VacuumCycles, tuple};
use crate::index::{Direction, IndexBatch, IndexRelation, IndexScan, IndexScanOptions, ScanKey};

/// A scan of a btree.
pub struct NbtreeScan {
    pool: Arc<BufferPool>,
    index: Arc<IndexRelation>,
    cycles: Arc<VacuumCycles>,
    conditions: Conditions,
    options: IndexScanOptions,
    place: Place,
    /// What the last batch was made from.
    current: Option<PageItems>,
    mark: Option<Mark>,
    /// After `restore`: entries of `current` to be returned again, from this one on.
    replay_from: Option<usize>,
    /// Buffers of the page before, to be used again.
    spare: Buffers,
}

/// What a page's entries are collected in.
#[derive(Clone, Default)]
struct Buffers {
    /// In the scan's order.
    items: Vec<(TupleId, OffsetNumber)>,
    tuples: Vec<(u32, u32)>,
    bytes: Vec<u8>,
}

/// Where the scan stands between batches.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Place {
    /// Before the first search.
    Start,
    /// Between pages: `current` says which.
    Page,
    End(Direction),
}

/// The matching entries of a page.
#[derive(Clone)]
struct PageItems {
    block: BlockNumber,
    prev: BlockNumber,
    next: BlockNumber,
    /// To tell whether the page changed before entries are marked dead.
    lsn: Lsn,
    direction: Direction,
    found: Buffers,
    /// No entry beyond this page matches, in either direction.
    ends_forward: bool,
    ends_backward: bool,
    elements: Vec<usize>,
    pin: Option<PinnedBuffer>,
}

struct Mark {
    page: PageItems,
    position: usize,
}

impl NbtreeScan {
    pub(super) fn new(
        pool: Arc<BufferPool>,
        index: Arc<IndexRelation>,
        cycles: Arc<VacuumCycles>,
        keys: Vec<ScanKey>,
        options: IndexScanOptions,
    ) -> Result<NbtreeScan> {
        let conditions = Conditions::new(&index, keys)?;
        Ok(NbtreeScan {
            pool,
            index,
            cycles,
            conditions,
            options,
            place: Place::Start,
            current: None,
            mark: None,
            replay_from: None,
            spare: Buffers::default(),
        })
    }
    fn tree<'t>(&'t self, watched: Option<Watched<'t>>) -> Tree<'t> {
        const NEVER: &dyn Fn(FullXid) -> bool = &|_| false;
        Tree {
            pool: &self.pool,
            index: &self.index,
            log: None,
            xid: Xid::INVALID,
            cycles: &self.cycles,
            recyclable: NEVER,
            watched,
            ssi: None,
        }
    }
    /// The next page's entries that match; `false` at the end.
    pub(super) fn next_batch(
        &mut self,
        direction: Direction,
        out: &mut IndexBatch,
        watched: Option<Watched<'_>>,
    ) -> Result<bool> {
        if let (Some(from), Some(current)) = (self.replay_from.take(), &mut self.current) {
            if current.direction == direction {
                if from > 0 {
                    current.found.items.drain(..from);
                    if self.options.want_tuples {
                        current.found.tuples.drain(..from);
                    }
                }
                if !current.found.items.is_empty() {
                    current.give(out);
                    return Ok(true);
                }
            }
        }
        loop {
            let mut page = match self.place {
                Place::End(d) if d == direction => return Ok(false),
                Place::Start | Place::End(_) if self.conditions.is_impossible() => None,
                Place::Start | Place::End(_) => {
                    // From the end backwards is the same as beginning backwards.
                    self.conditions.first_elements(direction);
                    self.first_page(direction, watched)?
                }
                Place::Page => self.step(direction, watched)?,
            };
            if page.is_none() && !self.conditions.is_impossible() && self.conditions.next_elements(direction) {
                page = self.first_page(direction, watched)?;
            }
            let Some(page) = page else {
                if let Some(old) = self.current.take() {
                    self.spare = old.found;
                }
                self.place = Place::End(direction);
                return Ok(false);
            };
            self.place = Place::Page;
            let some = !page.found.items.is_empty();
            if some {
                page.give(out);
                out.is_last = !self.conditions.has_arrays() && page.is_last();
            }
            if let Some(old) = self.current.replace(page) {
                self.spare = old.found;
            }
            if some {
                return Ok(true);
            }
        }
    }
    /// The page where the current search begins. `None`: the index is empty.
    fn first_page(&mut self, direction: Direction, watched: Option<Watched<'_>>) -> Result<Option<PageItems>> {
        let buffers = std::mem::take(&mut self.spare);
        let tree = self.tree(watched);
        let key = self.conditions.start(&self.index, direction)?;
        let find = || match key.columns.is_empty() {
            true => tree.endpoint(0, direction == Direction::Backward),
            false => tree.find_leaf(&key),
        };
        let mut leaf = find()?;
        if let (None, Some(w)) = (&leaf, watched) {
            // There is no page that could stand for what was read; and there may be one by now.
            w.lock(Target::relation(self.index.locator.db, self.index.oid));
            leaf = find()?;
        }
        let Some(leaf) = leaf else { return Ok(None) };
        let opaque = Opaque::of(&leaf);
        let start = match (key.columns.is_empty(), direction) {
            (true, Direction::Forward) => opaque.first_data(),
            (true, Direction::Backward) => leaf.max_offset(),
            (false, Direction::Forward) => tree.binary_search(&key, &leaf, opaque)?,
            (false, Direction::Backward) => tree.binary_search(&key, &leaf, opaque)? - 1,
        };
        let exact = (key.is_fast() && self.conditions.is_single_equality(&self.index)).then_some(&key);
        self.read_page(&tree, leaf, direction, start, exact, buffers).map(Some)
    }
    /// The page after the current one, `None` if nothing can match there. When the scan turns around after a batch, that is
    /// the neighbour on the other side: a page's entries are returned as a whole, the caller walks back through them.
    fn step(&mut self, direction: Direction, watched: Option<Watched<'_>>) -> Result<Option<PageItems>> {
        let buffers = std::mem::take(&mut self.spare);
        let Some(current) = &self.current else { return Ok(None) };
        let tree = self.tree(watched);
        match direction {
            Direction::Forward if current.ends_forward => Ok(None),
            Direction::Backward if current.ends_backward => Ok(None),
            Direction::Forward => {
                let mut block = current.next;
                while block != NONE {
                    let page = tree.read(block)?;
                    let opaque = Opaque::of(&page);
                    if !opaque.is_ignored() {
                        return self.read_page(&tree, page, direction, opaque.first_data(), None, buffers).map(Some);
                    }
                    block = opaque.next;
                }
                Ok(None)
            }
            Direction::Backward => {
                let Some(page) = step_left(&tree, current.block, current.prev)? else { return Ok(None) };
                let last = page.max_offset();
                self.read_page(&tree, page, direction, last, None, buffers).map(Some)
            }
        }
    }
    /// Copies the matching entries from `start` on. `exact`: those equal to this key, which come first.
    fn read_page(
        &self,
        tree: &Tree<'_>,
        page: OwnedShared,
        direction: Direction,
        start: OffsetNumber,
        exact: Option<&SearchKey<'_>>,
        mut buffers: Buffers,
    ) -> Result<PageItems> {
        buffers.items.clear();
        buffers.tuples.clear();
        buffers.bytes.clear();
        tree.note_read(page.block());
        let opaque = Opaque::of(&page);
        let mut found = PageItems {
            block: page.block(),
            prev: opaque.prev,
            next: opaque.next,
            lsn: page.lsn(),
            direction,
            found: buffers,
            ends_forward: opaque.is_rightmost(),
            ends_backward: opaque.is_leftmost(),
            elements: self.conditions.elements(),
            pin: None,
        };
        let (first, max) = (opaque.first_data(), page.max_offset());
        let layout = &self.index.layout;
        let all = tree.all_columns();
        let mut n = start;
        while n >= first && n <= max {
            let id = page.item_id(n);
            if !id.is_dead() {
                let t = tree.item(&page, n)?;
                let verdict = match exact.and_then(|key| key.compare_first(t)) {
                    Some(Ordering::Equal) => Verdict::Match,
                    Some(_) => Verdict::End,
                    None => self.conditions.check(&self.index, direction, |i| layout.index_attr(t, all, i))?,
                };
                match verdict {
                    Verdict::Match => found.take(t, n, direction, self.options.want_tuples),
                    Verdict::Skip => {}
                    Verdict::End => {
                        match direction {
                            Direction::Forward => found.ends_forward = true,
                            Direction::Backward => found.ends_backward = true,
                        }
                        break;
                    }
                }
            }
            n = match direction {
                Direction::Forward => n + 1,
                Direction::Backward => n - 1,
            };
        }
        if direction == Direction::Forward && n > max && !found.ends_forward {
            // The high key may tell already that the next page has nothing.
            let high = tree.item(&page, super::page::HIGH_KEY)?;
            if tuple::natts(high, all) >= tree.key_columns()
                && self.conditions.check(&self.index, direction, |i| layout.index_attr(high, tree.key_columns(), i))?
                    == Verdict::End
            {
                found.ends_forward = true;
            }
        }
        // Without a log, an unchanged LSN would not tell that entries are still what they were when they are marked dead.
        if (self.options.want_tuples || !self.index.needs_wal()) && !found.found.items.is_empty() {
            found.pin = Some(page.unlatch());
        }
        Ok(found)
    }
}

impl PageItems {
    fn take(&mut self, t: &[u8], offnum: OffsetNumber, direction: Direction, want_tuple: bool) {
        let Buffers { items, tuples, bytes } = &mut self.found;
        let from = items.len();
        tuple::for_each_tid(t, |tid| items.push((tid, offnum)));
        if direction == Direction::Backward {
            items[from..].reverse();
        }
        if want_tuple {
            let begin = bytes.len() as u32;
            // Without the posting list it is a plain tuple.
            match tuple::is_posting(t) {
                true => bytes.extend_from_slice(&tuple::form_posting(t, &[items[from].0])),
                false => bytes.extend_from_slice(t),
            }
            let end = bytes.len() as u32;
            tuples.resize(items.len(), (begin, end));
        }
    }
    fn is_last(&self) -> bool {
        match self.direction {
            Direction::Forward => self.ends_forward,
            Direction::Backward => self.ends_backward,
        }
    }
    fn give(&self, out: &mut IndexBatch) {
        let base = out.bytes.len() as u32;
        out.tids.extend(self.found.items.iter().map(|(tid, _)| *tid));
        out.tuples.extend(self.found.tuples.iter().map(|(from, to)| (from + base, to + base)));
        out.bytes.extend_from_slice(&self.found.bytes);
    }
}

/// The page to the left of `block`, whose left link said `prev`. (PostgreSQL: `_bt_lock_and_validate_left`)
fn step_left(tree: &Tree<'_>, block: BlockNumber, prev: BlockNumber) -> Result<Option<OwnedShared>> {
    let (mut block, mut prev) = (block, prev);
    loop {
        if prev == NONE {
            return Ok(None);
        }
        // The left page may have been split: then ours lies a few pages to the right.
        let mut page = tree.read(prev)?;
        for _ in 0..5 {
            let opaque = Opaque::of(&page);
            if !opaque.is_deleted() && opaque.next == block {
                if !opaque.is_half_dead() {
                    return Ok(Some(page));
                }
                // Nothing on it; go on to its left.
                (block, prev) = (page.block(), opaque.prev);
                break;
            }
            if opaque.is_rightmost() {
                break;
            }
            let next = opaque.next;
            drop(page);
            page = tree.read(next)?;
        }
        if prev == NONE {
            return Ok(None);
        }
        drop(page);
        // Perhaps our page was deleted: then the place where we were is at its next live page to the right.
        let mut ours = tree.read(block)?;
        let mut opaque = Opaque::of(&ours);
        if opaque.is_deleted() {
            while opaque.is_deleted() {
                if opaque.is_rightmost() {
                    return Err(tree.fell_off());
                }
                let next = opaque.next;
                drop(ours);
                ours = tree.read(next)?;
                opaque = Opaque::of(&ours);
            }
            block = ours.block();
        }
        prev = opaque.prev;
    }
}

impl IndexScan for NbtreeScan {
    fn rescan(&mut self, keys: Option<&mut Vec<ScanKey>>) -> Result<()> {
        if let Some(keys) = keys {
            let new = Conditions::new(&self.index, std::mem::take(keys))?;
            *keys = std::mem::replace(&mut self.conditions, new).into_keys();
        }
        self.place = Place::Start;
        if let Some(old) = self.current.take() {
            self.spare = old.found;
        }
        self.mark = None;
        self.replay_from = None;
        Ok(())
    }
    fn next(&mut self, txn: &Transaction, direction: Direction, out: &mut IndexBatch) -> Result<bool> {
        txn.proc().interrupt().check()?;
        self.next_batch(direction, out, super::watched(txn, &self.index))
    }
    fn kill(&mut self, positions: &[usize]) {
        let Some(current) = &self.current else { return };
        let mut dead: Vec<(OffsetNumber, TupleId)> =
            positions.iter().filter_map(|p| current.found.items.get(*p)).map(|(tid, n)| (*n, *tid)).collect();
        dead.sort_unstable();
        // A hint: what goes wrong does not matter.
        let _ = self.mark_dead(current, &dead);
    }
    fn mark(&mut self, position: usize) {
        self.mark = self.current.as_ref().map(|page| Mark { page: page.clone(), position });
    }
    fn restore(&mut self) -> Result<()> {
        if let Some(mark) = &self.mark {
            self.conditions.set_elements(&mark.page.elements);
            self.current = Some(mark.page.clone());
            self.place = Place::Page;
            self.replay_from = Some(mark.position);
        }
        Ok(())
    }
}

impl NbtreeScan {
    /// Marks entries whose rows are all dead. (PostgreSQL: `_bt_killitems`)
    fn mark_dead(&self, current: &PageItems, dead: &[(OffsetNumber, TupleId)]) -> Result<()> {
        let tree = self.tree(None);
        let Ok(mut page) = tree.read(current.block)?.try_upgrade() else { return Ok(()) };
        // Without a pin in between, vacuum may have removed entries and rows may have come to their places.
        if current.pin.is_none() && page.lsn() != current.lsn {
            return Ok(());
        }
        let mut changed = false;
        let mut i = 0;
        while i < dead.len() {
            let n = dead[i].0;
            let end = dead[i..].iter().position(|d| d.0 != n).map_or(dead.len(), |k| i + k);
            let group = &dead[i..end];
            i = end;
            let id = page.item_id(n);
            let Some(t) = page.item(n).filter(|t| t.len() >= 8) else { continue };
            let mut all = true;
            tuple::for_each_tid(t, |tid| all &= group.iter().any(|d| d.1 == tid));
            if all && !id.is_dead() {
                page.hint_write().set_item_id(n, id.marked_dead());
                changed = true;
            }
        }
        if changed {
            change_opaque(page.hint_write(), |o| o.flags |= flags::HAS_GARBAGE);
            page.mark_dirty_hint()?;
        }
        Ok(())
    }
}
