//! Many insertions at once: entries wait, are sorted, and go in leaf by leaf.
//!
//! 1. The first entry that is left finds its leaf, as a lone insertion does.
//! 2. All entries behind it that belong on the same leaf and fit there are given their places.
//! 3. In one critical section they go onto the page. Where they are many, one image of the page is logged instead of a record
//!    for each: smaller, and needed anyway if the page has not changed since the last checkpoint.
//!
//! A leaf without room takes one entry the ordinary way, which makes room or splits the page.
//!
//! Unique indexes: entries are checked in key order, but what is reported is the first row, in the order they were queued, that
//! has an equal one before it. Nothing is undone: the caller's transaction fails.
//!
//! PostgreSQL has nothing like it: it inserts entry by entry.

use std::sync::Arc;

use base::{BLCKSZ, OffsetNumber, Result, TupleId, Xid};
use storage::page::{AddItem, ITEM_ID_SIZE, maxalign};
use storage::{OwnedExclusive, critical, prefetch};
use txn::Transaction;
use types::DatumRef;
use wal::{RecordBuilder, RegBuf, RmgrId};

use super::insert::{DeadRows, Duplicates, InsertRequest, RowState};
use super::page::{MAX_ITEM_SIZE, Opaque};
use super::search::{Stack, Tree};
use super::sort::{AHEAD, compare, prefix_of};
use super::wal::INSERT_LEAF;
use super::{Nbtree, VacuumCycles, build, tuple, wait_for_speculation};
use crate::heap::HeapRelation;
use crate::index::{IndexQueue, IndexRelation, QueuedDuplicate, UniqueCheck};

/// About what a record of an insertion takes besides the tuple.
const RECORD_OVERHEAD: usize = 50;

#[derive(Clone, Copy)]
pub(super) struct Entry {
    prefix: u64,
    at: u32,
    row: u32,
}

/// Leaf tuples, one behind the other, and their order.
#[derive(Default)]
pub(super) struct Entries {
    bytes: Vec<u8>,
    entries: Vec<Entry>,
}

impl Entries {
    pub fn push(&mut self, tree: &Tree<'_>, t: &[u8], row: u32) -> Result<()> {
        let prefix = match tree.index.keys.first() {
            Some(order) => prefix_of(order, tree.index.layout.index_attr(t, tree.all_columns(), 0)?)?,
            None => 0,
        };
        self.entries.push(Entry { prefix, at: self.bytes.len() as u32, row });
        self.bytes.extend_from_slice(t);
        Ok(())
    }
    fn len(&self) -> usize {
        self.entries.len()
    }
    pub fn tuple(&self, i: usize) -> &[u8] {
        self.at(self.entries[i].at)
    }
    /// This one's turn comes soon.
    fn expect(&self, i: usize) {
        if let Some(e) = self.entries.get(i) {
            prefetch(&self.bytes, e.at as usize);
        }
    }
    fn at(&self, at: u32) -> &[u8] {
        let rest = &self.bytes[at as usize..];
        &rest[..tuple::size(rest)]
    }
    pub fn sort(&mut self, tree: &Tree<'_>) -> Result<()> {
        let mut failure = None;
        let mut entries = std::mem::take(&mut self.entries);
        // Not the unstable one: a comparison that failed is no total order, which that one may take ill.
        entries.sort_by(|a, b| {
            a.prefix.cmp(&b.prefix).then_with(|| {
                compare(tree, self.at(a.at), self.at(b.at)).unwrap_or_else(|e| {
                    failure = Some(e);
                    std::cmp::Ordering::Equal
                })
            })
        });
        self.entries = entries;
        failure.map_or(Ok(()), Err)
    }
}

/// What came of an attempt to insert some of the entries.
pub(super) enum Progress {
    /// So many are in.
    Done(usize),
    /// The first one is not: another row has equal keys.
    Duplicate,
    Wait {
        xid: Xid,
        token: u32,
    },
}

impl Tree<'_> {
    /// Inserts sorted entries from `from` on: those of one leaf.
    pub(super) fn insert_some(
        &self,
        all: &Entries,
        from: usize,
        check: bool,
        row_state: &mut RowState<'_>,
        dead_rows: &mut DeadRows<'_>,
    ) -> Result<Progress> {
        let unique = if check { UniqueCheck::Yes } else { UniqueCheck::No };
        let checked = |t: &[u8]| Ok(check && (self.index.nulls_not_distinct || !build::has_null_key(self, t)?));
        let first = all.tuple(from);
        if first.len() > MAX_ITEM_SIZE {
            return Err(self.too_large(first));
        }
        let mut key = self.key_of(first)?;
        let tid = tuple::raw_tid(first);
        let checking = checked(first)?;
        if checking {
            key.tid = None;
        }
        let mut stack = Stack::new();
        let mut page = self.find_leaf_for_write(&key, &mut stack)?;
        let mut request = InsertRequest { tuple: first, check: unique, never_equal: !checking, row_state, dead_rows };
        if checking {
            match self.look_for_duplicates(&key, &mut page, tid, &mut request)? {
                Duplicates::None | Duplicates::Maybe => {}
                Duplicates::Row(_) => return Ok(Progress::Duplicate),
                Duplicates::Wait { xid, token } => return Ok(Progress::Wait { xid, token }),
            }
            key.tid = Some(tid);
            self.before_write(page.block())?;
            page = self.move_right_for_write(&key, page, &mut stack)?;
        }
        self.before_write(page.block())?;

        let opaque = Opaque::of(&page);
        let mut places: Vec<OffsetNumber> = Vec::new();
        let (mut room, mut bytes) = (page.exact_free_space(), 0);
        let mut low = opaque.first_data();
        for i in from..all.len() {
            all.expect(i + AHEAD);
            let t = all.tuple(i);
            if room < maxalign(t.len()) + ITEM_ID_SIZE {
                break;
            }
            if i > from {
                if t.len() > MAX_ITEM_SIZE {
                    break;
                }
                key = self.key_of(t)?;
                if checked(t)? {
                    // An equal one among ours is not on the page yet.
                    if super::sort::compare_keys(self, all.tuple(i - 1), t)?.is_eq() {
                        break;
                    }
                    let own = key.tid.take();
                    request.tuple = t;
                    let none = !self.must_move_right(&key, &page, opaque)?
                        && matches!(
                            self.look_for_duplicates(&key, &mut page, tuple::raw_tid(t), &mut request)?,
                            Duplicates::None | Duplicates::Maybe
                        );
                    if !none {
                        break;
                    }
                    key.tid = own;
                }
                if self.must_move_right(&key, &page, opaque)? {
                    break;
                }
            }
            let offnum = self.search_from(&key, &page, low)?;
            if self.place_in_posting(&page, offnum, t)?.is_some() {
                break;
            }
            places.push(offnum);
            low = offnum;
            room -= maxalign(t.len()) + ITEM_ID_SIZE;
            bytes += t.len() + RECORD_OVERHEAD;
        }
        match places.len() {
            0 => {
                key = self.key_of(first)?;
                request.tuple = first;
                self.insert_on_leaf(&key, page, stack, first, &mut request)?;
                Ok(Progress::Done(1))
            }
            n => {
                self.put_some(&mut page, all, from, &places, bytes);
                Ok(Progress::Done(n))
            }
        }
    }

    /// Puts entries at their places, numbered as the page is now.
    fn put_some(&self, page: &mut OwnedExclusive, all: &Entries, from: usize, places: &[OffsetNumber], records: usize) {
        let image = BLCKSZ - page.exact_free_space();
        let as_image =
            self.log.is_some_and(|log| places.len() > 1 && (log.needs_image(page) || image < records + records / 2));
        critical(|section| {
            for (k, &place) in places.iter().enumerate() {
                let t = all.tuple(from + k);
                let offnum = place + k as OffsetNumber;
                if page.write(section).add_item(t, AddItem::Insert(offnum)).is_none() {
                    panic!("failed to add new item to block {} in index \"{}\"", page.block(), self.index.name);
                }
                // One by one: an image that a record takes with it holds just what came before.
                if let Some(log) = self.log.filter(|_| !as_image) {
                    let record = RecordBuilder::new(RmgrId::BTREE, INSERT_LEAF)
                        .xid(self.xid)
                        .main_data(&offnum.to_le_bytes())
                        .register_buffer(0, &*page, RegBuf::STANDARD)
                        .buffer_data(0, t);
                    let lsn = log.insert(section, record);
                    page.set_lsn(section, lsn);
                }
            }
            if let Some(log) = self.log.filter(|_| as_image) {
                let lsn = log.new_page(section, self.tag(page.block()), page);
                page.set_lsn(section, lsn);
            }
        });
    }
}

/// Entries of one index that wait.
pub(super) struct Queue {
    am: Nbtree,
    index: Arc<IndexRelation>,
    check: bool,
    entries: Entries,
    tuple: Vec<u8>,
}

impl Queue {
    pub fn new(cycles: Arc<VacuumCycles>, index: Arc<IndexRelation>, check: bool) -> Queue {
        Queue { am: Nbtree { cycles }, index, check, entries: Entries::default(), tuple: Vec::new() }
    }
}

impl IndexQueue for Queue {
    fn push(&mut self, txn: &Transaction, values: &[DatumRef<'_>], tid: TupleId, row: u32) -> Result<()> {
        let (t, entries) = (&mut self.tuple, &mut self.entries);
        self.am.with_tree(txn, &self.index, |tree| {
            tree.form(values, tid, t)?;
            entries.push(tree, t, row)
        })
    }
    fn memory(&self) -> usize {
        self.entries.bytes.len() + self.entries.len() * size_of::<Entry>()
    }
    fn flush(&mut self, txn: &Transaction, heap: &HeapRelation) -> Result<Option<QueuedDuplicate>> {
        let mut entries = std::mem::take(&mut self.entries);
        let mut first: Option<QueuedDuplicate> = None;
        self.am.with_tree(txn, &self.index, |tree| {
            entries.sort(tree)?;
            let mut at = 0;
            while at < entries.len() {
                txn.proc().interrupt().check()?;
                let mut row_state = |tid| heap.check_unique(txn, tid);
                let mut dead_rows = |tids: &mut Vec<TupleId>| heap.index_delete_check(txn, tids);
                match tree.insert_some(&entries, at, self.check, &mut row_state, &mut dead_rows)? {
                    Progress::Done(n) => at += n,
                    Progress::Wait { xid, token: 0 } => txn.manager().wait_for_xid(txn.proc(), xid)?,
                    Progress::Wait { xid, token } => wait_for_speculation(txn, xid, token)?,
                    Progress::Duplicate => {
                        let row = entries.entries[at].row;
                        if first.as_ref().is_none_or(|f| row < f.row) {
                            let key = tree.key_values(entries.tuple(at))?;
                            first = Some(QueuedDuplicate { row, key });
                        }
                        at += 1;
                    }
                }
            }
            Ok(())
        })?;
        entries.bytes.clear();
        entries.entries.clear();
        self.entries = entries;
        Ok(first)
    }
}
