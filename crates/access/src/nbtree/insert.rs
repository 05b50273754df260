//! Inserting a tuple: check for duplicates, find the place, make room, place it, log it.
//!
//! 1. Descend to the leaf, latched exclusively. For a unique index look for rows with equal keys, there and to the right.
//! 2. Find the exact page and place (equal keys are ordered by row place; within a posting list it is split).
//! 3. If there is no room: remove entries known to be dead, merge equal ones, else split the page.
//! 4. In a critical section the tuple goes onto the page and the record into the log.
//!
//! PostgreSQL: `nbtinsert.c`, `_bt_doinsert`.

use std::cmp::Ordering;

use base::sqlstate::PROGRAM_LIMIT_EXCEEDED;
use base::{BlockNumber, OffsetNumber, PgError, Result, TupleId, Xid};
use storage::page::{AddItem, maxalign};
use storage::{OwnedExclusive, Page, critical};
use wal::{RecordBuilder, RegBuf, RmgrId};

use super::page::{HIGH_KEY, MAX_ITEM_SIZE, META_BLOCK, Meta, NONE, Opaque, change_opaque, flags, init};
use super::search::{KeyColumn, KeyColumns, SearchKey, Stack, Tree};
use super::tuple;
use super::wal::{INSERT_LEAF, INSERT_POST, NEWROOT, newroot_data, put_meta};
use crate::heap::UniqueRow;
use crate::index::{IndexInsert, UniqueCheck};

/// Asks the heap about the row an entry points to.
pub type RowState<'a> = dyn FnMut(TupleId) -> Result<UniqueRow> + 'a;
/// Takes the places of rows that are dead for everybody out of a list of entries known to be dead; says the newest of the
/// transactions that removed them.
pub type DeadRows<'a> = dyn FnMut(&mut Vec<TupleId>) -> Result<Xid> + 'a;

/// What came of an attempt.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Attempt {
    Done(IndexInsert),
    /// Nothing was inserted: a running transaction decides. Wait for it and try again.
    Wait {
        xid: Xid,
        token: u32,
    },
}

/// What the caller wants.
pub struct InsertRequest<'a, 'f> {
    /// A plain leaf tuple, with its row place.
    pub tuple: &'a [u8],
    pub check: UniqueCheck,
    /// Does any key column hold a null (and are nulls distinct)? Then nothing is equal to it.
    pub never_equal: bool,
    pub row_state: &'a mut RowState<'f>,
    pub dead_rows: &'a mut DeadRows<'f>,
}

/// What the look for duplicates found.
pub(super) enum Duplicates {
    None,
    /// With [`UniqueCheck::Partial`].
    Maybe,
    Row(TupleId),
    Wait {
        xid: Xid,
        token: u32,
    },
}

impl Tree<'_> {
    /// The columns of a tuple as a search key.
    pub fn key_of<'k>(&'k self, t: &'k [u8]) -> Result<SearchKey<'k>> {
        let all = self.all_columns();
        let natts = tuple::natts(t, all);
        let mut columns = KeyColumns::new();
        for (i, key) in self.index.keys.iter().enumerate().take(natts) {
            columns.push(KeyColumn { value: self.index.layout.index_attr(t, natts, i)?, compare: &key.compare });
        }
        Ok(SearchKey::new(columns, tuple::heap_tid(t), false, false))
    }

    /// Inserts a leaf tuple.
    pub fn insert(&self, request: &mut InsertRequest<'_, '_>) -> Result<Attempt> {
        let new = request.tuple;
        let tid = tuple::raw_tid(new);
        let mut key = self.key_of(new)?;
        let checking = request.check != UniqueCheck::No && !request.never_equal;
        if checking {
            key.tid = None;
        }
        let mut stack = Stack::new();
        let mut page = self.find_leaf_for_write(&key, &mut stack)?;
        let mut maybe_duplicate = false;
        if checking {
            match self.look_for_duplicates(&key, &mut page, tid, request)? {
                Duplicates::None => {}
                Duplicates::Maybe => maybe_duplicate = true,
                Duplicates::Row(row) => {
                    // Rather a failure that a new attempt cures than one that looks like the client's fault.
                    self.before_write(page.block())?;
                    return Ok(Attempt::Done(IndexInsert::Duplicate(row)));
                }
                Duplicates::Wait { xid, token } => return Ok(Attempt::Wait { xid, token }),
            }
            key.tid = Some(tid);
        }
        if request.check == UniqueCheck::Existing {
            return Ok(Attempt::Done(IndexInsert::Inserted));
        }
        if new.len() > MAX_ITEM_SIZE {
            return Err(self.too_large(new));
        }
        self.before_write(page.block())?;
        page = self.move_right_for_write(&key, page, &mut stack)?;
        self.insert_on_leaf(&key, page, stack, new, request)?;
        Ok(Attempt::Done(if maybe_duplicate { IndexInsert::MaybeDuplicate } else { IndexInsert::Inserted }))
    }
    #[cold]
    pub(super) fn too_large(&self, new: &[u8]) -> PgError {
        let (size, name) = (new.len(), &self.index.name);
        let text =
            format!("index row size {size} exceeds btree version {} maximum {MAX_ITEM_SIZE} for index \"{name}\"", 4);
        PgError::new(PROGRAM_LIMIT_EXCEEDED, text)
            .detail(format!("Index row references tuple {} in relation with OID {}.", tuple::raw_tid(new), self.index.heap))
            .hint(
                "Values larger than 1/3 of a buffer page cannot be indexed.\nConsider a function index of an MD5 hash of \
                 the value, or use full text indexing.",
            )
    }

    /// Rows with equal keys, on this leaf and to the right. Entries whose rows are dead are marked.
    /// (PostgreSQL: `_bt_check_unique`)
    pub(super) fn look_for_duplicates(
        &self,
        key: &SearchKey<'_>,
        leaf: &mut OwnedExclusive,
        own: TupleId,
        request: &mut InsertRequest<'_, '_>,
    ) -> Result<Duplicates> {
        let mut found_own = false;
        let mut maybe = false;
        let opaque = Opaque::of(leaf);
        let mut offnum = self.binary_search(key, leaf, opaque)?;
        let mut next = self.look_on_page(key, leaf, opaque, &mut offnum, own, request, &mut found_own, &mut maybe)?;
        let mut right: Option<OwnedExclusive>;
        while let Look::Further(block) = next {
            let page = self.read_for_write(block)?;
            let opaque = Opaque::of(&page);
            if opaque.is_ignored() {
                if opaque.is_rightmost() {
                    return Err(self.fell_off());
                }
                next = Look::Further(opaque.next);
                continue;
            }
            offnum = opaque.first_data();
            right = Some(page);
            if let Some(page) = &mut right {
                next = self.look_on_page(key, page, opaque, &mut offnum, own, request, &mut found_own, &mut maybe)?;
            }
        }
        match next {
            Look::Found(duplicates) => return Ok(duplicates),
            _ if request.check == UniqueCheck::Existing && !found_own => {
                let text = format!("failed to re-find tuple within index \"{}\"", self.index.name);
                return Err(PgError::internal(text).hint("This may be because of a non-immutable index expression."));
            }
            _ => {}
        }
        Ok(if maybe { Duplicates::Maybe } else { Duplicates::None })
    }
    #[expect(clippy::too_many_arguments, reason = "the state of one walk over pages")]
    fn look_on_page(
        &self,
        key: &SearchKey<'_>,
        page: &mut OwnedExclusive,
        opaque: Opaque,
        offnum: &mut OffsetNumber,
        own: TupleId,
        request: &mut InsertRequest<'_, '_>,
        found_own: &mut bool,
        maybe: &mut bool,
    ) -> Result<Look> {
        let max = page.max_offset();
        while *offnum <= max {
            let n = *offnum;
            *offnum += 1;
            let id = page.item_id(n);
            if id.is_dead() {
                continue;
            }
            let item = self.item(page, n)?;
            if self.compare_tuple(key, item)? != Ordering::Equal {
                return Ok(Look::End);
            }
            let mut tids = Vec::new();
            tuple::for_each_tid(item, |tid| tids.push(tid));
            let mut all_dead = true;
            for tid in tids {
                if request.check == UniqueCheck::Existing && tid == own {
                    *found_own = true;
                    all_dead = false;
                    continue;
                }
                match (request.row_state)(tid)? {
                    UniqueRow::Dead { for_all } => all_dead &= for_all,
                    _ if request.check == UniqueCheck::Partial => {
                        *maybe = true;
                        return Ok(Look::End);
                    }
                    UniqueRow::Alive(row) => return Ok(Look::Found(Duplicates::Row(row))),
                    UniqueRow::Wait { xid, token } => return Ok(Look::Found(Duplicates::Wait { xid, token })),
                }
            }
            if all_dead {
                let p = page.hint_write();
                p.set_item_id(n, id.marked_dead());
                change_opaque(p, |o| o.flags |= flags::HAS_GARBAGE);
                page.mark_dirty_hint()?;
            }
        }
        // Only a high key with all columns and a row place can be equal to a key without one.
        if opaque.is_rightmost() || self.compare_tuple(key, self.item(page, HIGH_KEY)?)? != Ordering::Equal {
            return Ok(Look::End);
        }
        Ok(Look::Further(opaque.next))
    }

    /// Puts a tuple onto the leaf where it belongs, making room first. (PostgreSQL: `_bt_findinsertloc`)
    pub(super) fn insert_on_leaf(
        &self,
        key: &SearchKey<'_>,
        mut page: OwnedExclusive,
        stack: Stack,
        new: &[u8],
        request: &mut InsertRequest<'_, '_>,
    ) -> Result<()> {
        let opaque = Opaque::of(&page);
        if page.free_space() < new.len() {
            self.make_room(&mut page, new, request)?;
        }
        let mut offnum = self.binary_search(key, &page, opaque)?;
        let mut split_at = self.place_in_posting(&page, offnum, new)?;
        if split_at == Some(None) {
            // It belongs into a posting list that is marked dead: that must go first.
            self.delete_dead(&mut page, request.dead_rows)?;
            offnum = self.binary_search(key, &page, opaque)?;
            split_at = self.place_in_posting(&page, offnum, new)?;
            if split_at == Some(None) {
                return Err(self.corrupted(format_args!(
                    "table tid from new index tuple {} overlaps with invalid duplicate tuple at offset {offnum} of block {}",
                    tuple::raw_tid(new),
                    page.block()
                )));
            }
        }
        match split_at.flatten() {
            None => self.insert_on_page(page, None, stack, NewItem::plain(new), offnum, false),
            Some(at) => {
                let old = self.item(&page, offnum)?;
                let mut swapped = new.to_vec();
                let posting = tuple::swap_posting(&mut swapped, old, at)?;
                let item = NewItem { tuple: &swapped, original: new, posting: Some(&posting), posting_at: at as u16 };
                self.insert_on_page(page, None, stack, item, offnum + 1, false)
            }
        }
    }
    /// Where in a posting list the new row place belongs; `Some(None)` if that list is marked dead.
    /// (PostgreSQL: `_bt_binsrch_posting`)
    pub(super) fn place_in_posting(
        &self,
        page: &Page,
        offnum: OffsetNumber,
        new: &[u8],
    ) -> Result<Option<Option<usize>>> {
        if offnum > page.max_offset() {
            return Ok(None);
        }
        let item = self.item(page, offnum)?;
        let tid = tuple::raw_tid(new);
        let inside = tuple::is_posting(item)
            && tuple::heap_tid(item).is_some_and(|first| first < tid)
            && tuple::max_heap_tid(item).is_some_and(|last| tid <= last)
            && self.compare_tuple(&self.key_of(new)?, item)? == Ordering::Equal;
        if !inside {
            return Ok(None);
        }
        if page.item_id(offnum).is_dead() {
            return Ok(Some(None));
        }
        let mut at = 0;
        tuple::for_each_tid(item, |t| at += usize::from(t < tid));
        Ok(Some(Some(at)))
    }
    /// Room on a full leaf without a split, if that can be had. (PostgreSQL: `_bt_delete_or_dedup_one_page`)
    fn make_room(&self, page: &mut OwnedExclusive, new: &[u8], request: &mut InsertRequest<'_, '_>) -> Result<()> {
        self.delete_dead(page, request.dead_rows)?;
        if page.free_space() >= new.len() || !self.index.deduplicate {
            return Ok(());
        }
        if page.offsets().any(|n| page.item_id(n).is_dead()) || !self.meta_all_equal_image()? {
            return Ok(());
        }
        self.deduplicate(page, new)
    }
    fn meta_all_equal_image(&self) -> Result<bool> {
        Ok(self.meta()?.all_equal_image)
    }

    /// Puts a tuple at its place on the page, or splits the page. `child`: the page whose split this completes.
    /// (PostgreSQL: `_bt_insertonpg`)
    pub(super) fn insert_on_page(
        &self,
        mut page: OwnedExclusive,
        child: Option<OwnedExclusive>,
        stack: Stack,
        new: NewItem<'_>,
        offnum: OffsetNumber,
        only_page_split: bool,
    ) -> Result<()> {
        let opaque = Opaque::of(&page);
        if page.free_space() < maxalign(new.tuple.len()) {
            let was_only = opaque.is_leftmost() && opaque.is_rightmost();
            let (left, right) = self.split(page, child, new, offnum)?;
            return self.insert_parent(left, right, stack, opaque.is_root(), was_only);
        }
        let mut child = child;
        let mut meta = None;
        if only_page_split {
            let m = self.read_for_write(META_BLOCK)?;
            let mut data = self.meta_of(&m)?;
            if data.fast_level < opaque.level {
                data.fast_root = page.block();
                data.fast_level = opaque.level;
                meta = Some((m, data));
            }
        }
        critical(|section| {
            let p = page.write(section);
            if let (Some(posting), Some(old)) = (new.posting, p.item_mut(offnum - 1)) {
                old.copy_from_slice(posting);
            }
            if p.add_item(new.tuple, AddItem::Insert(offnum)).is_none() {
                panic!("failed to add new item to block {} in index \"{}\"", page.block(), self.index.name);
            }
            if let Some(child) = &mut child {
                change_opaque(child.write(section), |o| o.flags &= !flags::INCOMPLETE_SPLIT);
            }
            if let Some((m, data)) = &mut meta {
                data.store(m.write(section));
            }
            let Some(log) = self.log else { return };
            let info = match (opaque.is_leaf(), new.posting.is_some(), meta.is_some()) {
                (true, false, _) => INSERT_LEAF,
                (true, true, _) => INSERT_POST,
                (false, _, false) => super::wal::INSERT_UPPER,
                (false, _, true) => super::wal::INSERT_META,
            };
            let mut record = RecordBuilder::new(RmgrId::BTREE, info)
                .xid(self.xid)
                .main_data(&offnum.to_le_bytes())
                .register_buffer(0, &page, RegBuf::STANDARD);
            if new.posting.is_some() {
                record.push_buffer_data(0, &new.posting_at.to_le_bytes());
            }
            record.push_buffer_data(0, new.original);
            if let Some(child) = &child {
                record = record.register_buffer(1, child, RegBuf::STANDARD);
            }
            if let Some((m, data)) = &meta {
                record =
                    record.register_buffer(2, m, RegBuf::WILL_INIT | RegBuf::STANDARD).buffer_data(2, &put_meta(data));
            }
            let lsn = log.insert(section, record);
            page.set_lsn(section, lsn);
            if let Some(child) = &mut child {
                child.set_lsn(section, lsn);
            }
            if let Some((m, _)) = &mut meta {
                m.set_lsn(section, lsn);
            }
        });
        Ok(())
    }

    /// Makes the first root, an empty leaf. Others may have been faster. (PostgreSQL: in `_bt_getroot`)
    pub(super) fn make_root(&self) -> Result<()> {
        let mut meta_page = self.read_for_write(META_BLOCK)?;
        let old = self.meta_of(&meta_page)?;
        if old.root != NONE {
            return Ok(());
        }
        let mut root = self.allocate()?;
        let block = root.block();
        let meta = Meta { root: block, level: 0, fast_root: block, fast_level: 0, ..old };
        critical(|section| {
            init(root.write(section), Opaque::new(0, flags::LEAF | flags::ROOT));
            meta.store(meta_page.write(section));
            let Some(log) = self.log else { return };
            let record = RecordBuilder::new(RmgrId::BTREE, NEWROOT)
                .xid(self.xid)
                .main_data(&newroot_data(block, 0))
                .register_buffer(0, &root, RegBuf::WILL_INIT)
                .register_buffer(2, &meta_page, RegBuf::WILL_INIT | RegBuf::STANDARD)
                .buffer_data(2, &put_meta(&meta));
            let lsn = log.insert(section, record);
            root.set_lsn(section, lsn);
            meta_page.set_lsn(section, lsn);
        });
        Ok(())
    }
    /// A page for new content, its old content to be overwritten: one from the free-space map, or a new one at the end.
    /// (PostgreSQL: `_bt_allocbuf`)
    pub(super) fn allocate(&self) -> Result<OwnedExclusive> {
        while let Some(block) = storage::fsm::take_free_index_page(self.pool, self.index.locator)? {
            // Only if nobody else latches it: the map may be wrong, and we hold other latches.
            let Ok(page) = self.pin(block, None)?.try_into_exclusive() else { continue };
            if page.is_new() {
                return Ok(page);
            }
            self.check(&page, block)?;
            if let Some(xid) = super::page::deleted_at(&page)
                && (self.recyclable)(xid)
            {
                self.log_reuse(block, xid);
                return Ok(page);
            }
        }
        self.pool.extend(self.index.locator, base::ForkNumber::Main, None)
    }
    fn log_reuse(&self, block: BlockNumber, xid: base::FullXid) {
        let Some(log) = self.log else { return };
        let mut data = Vec::with_capacity(25);
        for oid in [self.index.locator.spc, self.index.locator.db, self.index.locator.rel] {
            data.extend_from_slice(&oid.0.to_le_bytes());
        }
        data.extend_from_slice(&block.0.to_le_bytes());
        data.extend_from_slice(&xid.0.to_le_bytes());
        data.push(u8::from(self.index.is_catalog));
        critical(|section| {
            let record = RecordBuilder::new(RmgrId::BTREE, super::wal::REUSE_PAGE).xid(self.xid).main_data(&data);
            log.insert(section, record);
        });
    }
}

/// Where a walk over equal keys goes on.
enum Look {
    End,
    Further(BlockNumber),
    Found(Duplicates),
}

/// A tuple to be inserted, perhaps with the posting list that it splits.
#[derive(Clone, Copy)]
pub(super) struct NewItem<'a> {
    /// What goes onto the page: with a posting split, the list's last row place.
    pub tuple: &'a [u8],
    /// What the caller brought: this is logged.
    pub original: &'a [u8],
    /// The posting list before the new item, with the new row place in it.
    pub posting: Option<&'a [u8]>,
    /// Where in the list the new row place went.
    pub posting_at: u16,
}

impl<'a> NewItem<'a> {
    pub fn plain(tuple: &'a [u8]) -> NewItem<'a> {
        NewItem { tuple, original: tuple, posting: None, posting_at: 0 }
    }
}
