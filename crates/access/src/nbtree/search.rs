//! Finding a place in the tree: comparing with items, binary search, descent.
//!
//! A descent holds one latch at a time. If a page was split since its parent was read, its high key says so, and we move
//! right (Lehman and Yao). PostgreSQL: `nbtsearch.c`, `_bt_search`, `_bt_moveright`, `_bt_binsrch`, `_bt_compare`.

use std::cmp::Ordering;

use base::sqlstate::{FEATURE_NOT_SUPPORTED, INDEX_CORRUPTED};
use base::{BlockNumber, FullXid, OffsetNumber, PgError, Result, TupleId, Xid};
use storage::{BufferPool, BufferTag, ItemId, OwnedExclusive, OwnedShared, Page, ReadMode, Strategy};
use txn::ssi::{Ssi, Target, Watched};
use types::{Comparator, DatumRef};

use super::page::{HIGH_KEY, META_BLOCK, Meta, NONE, OPAQUE_SIZE, Opaque, VERSION, flags};
use super::wal::Log;
use super::{VacuumCycles, tuple};
use crate::index::IndexRelation;
use crate::tuple::index_info;

/// An index with what is needed to work on it.
#[derive(Clone, Copy)]
pub struct Tree<'a> {
    pub pool: &'a BufferPool,
    pub index: &'a IndexRelation,
    /// `None` for an index that is not logged.
    pub log: Option<&'a dyn Log>,
    /// Whose records are written; invalid if none has an id yet.
    pub xid: Xid,
    pub cycles: &'a VacuumCycles,
    /// May pages deleted then be used again?
    pub recyclable: &'a dyn Fn(FullXid) -> bool,
    /// A serializable transaction is at work.
    pub watched: Option<Watched<'a>>,
    /// Who has read pages that are split or go; `None` if nothing is changed.
    pub ssi: Option<&'a Ssi>,
}

impl Tree<'_> {
    /// What lies on the page, or could, was read; it is latched.
    #[inline]
    pub fn note_read(&self, block: BlockNumber) {
        if let Some(w) = &self.watched {
            w.lock(Target::page(self.index.locator.db, self.index.oid, block));
        }
    }
    /// Something comes onto the page, which is latched until it is there.
    #[inline]
    pub fn before_write(&self, block: BlockNumber) -> Result<()> {
        match &self.watched {
            Some(w) => w.conflict_in(self.index.locator.db, self.index.oid, None, Some(block)),
            None => Ok(()),
        }
    }
    /// What was on one page is on another, too.
    pub fn note_moved(&self, from: BlockNumber, to: BlockNumber) {
        if let Some(ssi) = self.ssi {
            ssi.page_split(self.index.locator.db, self.index.oid, from, to);
        }
    }
}

/// A column of a search key.
#[derive(Clone, Copy)]
pub struct KeyColumn<'a> {
    pub value: DatumRef<'a>,
    /// Takes the index's value first.
    pub compare: &'a Comparator,
}

/// The columns of a search key. The usual few need no allocation.
pub struct KeyColumns<'a> {
    few: [KeyColumn<'a>; KeyColumns::FEW],
    len: usize,
    /// All of them, if they are more than a few.
    many: Vec<KeyColumn<'a>>,
}

impl<'a> KeyColumns<'a> {
    const FEW: usize = 3;

    pub fn new() -> KeyColumns<'a> {
        let none = KeyColumn { value: DatumRef::Null, compare: &Comparator::Int4 };
        KeyColumns { few: [none; KeyColumns::FEW], len: 0, many: Vec::new() }
    }
    pub fn push(&mut self, column: KeyColumn<'a>) {
        if self.len < KeyColumns::FEW {
            self.few[self.len] = column;
        } else {
            if self.many.is_empty() {
                self.many.extend_from_slice(&self.few);
            }
            self.many.push(column);
        }
        self.len += 1;
    }
}
impl<'a> std::ops::Deref for KeyColumns<'a> {
    type Target = [KeyColumn<'a>];
    #[inline]
    fn deref(&self) -> &[KeyColumn<'a>] {
        if self.len <= KeyColumns::FEW { &self.few[..self.len] } else { &self.many }
    }
}

/// The first column's value, where it can be compared without taking tuples apart.
#[derive(Clone, Copy)]
enum Fast {
    No,
    /// Four signed bytes at the beginning of the data.
    W4(i32),
    /// Four unsigned bytes.
    Oid(u32),
    /// Eight signed bytes.
    W8(i64),
}

/// Where to go in the tree. (PostgreSQL: `BTScanInsert`)
pub struct SearchKey<'a> {
    /// For the first columns of the index; perhaps none.
    pub columns: KeyColumns<'a>,
    /// A row place, the last column of the key space. Only with all columns.
    pub tid: Option<TupleId>,
    /// To the first item greater than the key, instead of the first not less.
    pub next_key: bool,
    /// For a scan that goes back from there. (PostgreSQL: `backward`)
    pub backward: bool,
    fast: Fast,
}

impl<'a> SearchKey<'a> {
    pub fn new(columns: KeyColumns<'a>, tid: Option<TupleId>, next_key: bool, backward: bool) -> SearchKey<'a> {
        SearchKey { columns, tid, next_key, backward, fast: Fast::No }.prepared()
    }
    /// Notes what makes comparing fast.
    fn prepared(mut self) -> SearchKey<'a> {
        self.fast = match self.columns.first() {
            Some(KeyColumn { value: DatumRef::Word(w), compare: Comparator::Int4 }) => Fast::W4(*w as i32),
            Some(KeyColumn { value: DatumRef::Word(w), compare: Comparator::Oid }) => Fast::Oid(*w as u32),
            Some(KeyColumn { value: DatumRef::Word(w), compare: Comparator::Int8 }) => Fast::W8(*w as i64),
            _ => Fast::No,
        };
        self
    }
    /// Can the first column's values be compared without taking tuples apart?
    #[inline]
    pub fn is_fast(&self) -> bool {
        !matches!(self.fast, Fast::No)
    }
    /// How the first column's value compares with a tuple's, if it can be told from the bytes where it must lie.
    #[inline]
    pub fn compare_first(&self, t: &[u8]) -> Option<Ordering> {
        // The tuple has a header of 8 bytes and no nulls.
        let data = t.get(8..)?;
        if t[7] & (index_info::NULL_MASK >> 8) as u8 != 0 {
            return None;
        }
        Some(match self.fast {
            Fast::No => return None,
            Fast::W4(v) => v.cmp(&i32::from_le_bytes(*data.first_chunk()?)),
            Fast::Oid(v) => v.cmp(&u32::from_le_bytes(*data.first_chunk()?)),
            Fast::W8(v) => v.cmp(&i64::from_le_bytes(*data.first_chunk()?)),
        })
    }

    /// Is an item that compares so before the place we look for?
    #[inline]
    fn goes_right(&self, key_to_item: Ordering) -> bool {
        match self.next_key {
            true => key_to_item != Ordering::Less,
            false => key_to_item == Ordering::Greater,
        }
    }
}

/// The way down: pages above the one we came to, with the downlinks taken. Hints only: pages split. (PostgreSQL: `BTStack`)
pub type Stack = Vec<(BlockNumber, OffsetNumber)>;

/// See [`Tree::narrow`]. `order` tells how the key compares with the value in a tuple's first bytes.
#[inline]
fn narrow(
    page: &Page,
    mut low: OffsetNumber,
    mut high: OffsetNumber,
    descending: bool,
    order: impl Fn(&[u8; 16]) -> Ordering,
) -> (OffsetNumber, OffsetNumber) {
    let items = page.item_ids();
    let goes_right = if descending { Ordering::Less } else { Ordering::Greater };
    while low < high {
        let mid = low + (high - low) / 2;
        let Some(head) = items.get(usize::from(mid) - 1).and_then(|id| page.item_head(ItemId(u32::from_le_bytes(*id))))
        else {
            break;
        };
        let found = order(head);
        if found == Ordering::Equal || head[7] & (index_info::NULL_MASK >> 8) as u8 != 0 {
            break;
        }
        match found == goes_right {
            true => low = mid + 1,
            false => high = mid,
        }
    }
    (low, high)
}

impl<'a> Tree<'a> {
    pub fn tag(&self, block: BlockNumber) -> BufferTag {
        BufferTag::main(self.index.locator, block)
    }
    pub fn all_columns(&self) -> usize {
        self.index.layout.len()
    }
    pub fn key_columns(&self) -> usize {
        self.index.keys.len()
    }
    #[cold]
    pub fn corrupted(&self, text: impl std::fmt::Display) -> PgError {
        PgError::new(INDEX_CORRUPTED, format!("{text} in index \"{}\"", self.index.name))
    }
    #[cold]
    fn bad_page(&self, page: &Page, block: BlockNumber) -> PgError {
        let name = &self.index.name;
        let text = match page.is_new() {
            true => format!("index \"{name}\" contains unexpected zero page at block {block}"),
            false => format!("index \"{name}\" contains corrupted page at block {block}"),
        };
        PgError::new(INDEX_CORRUPTED, text).hint("Please REINDEX it.")
    }
    /// (PostgreSQL: `_bt_checkpage`)
    #[inline]
    pub fn check(&self, page: &Page, block: BlockNumber) -> Result<()> {
        if page.special().len() != OPAQUE_SIZE {
            return Err(self.bad_page(page, block));
        }
        Ok(())
    }
    #[inline]
    pub fn read(&self, block: BlockNumber) -> Result<OwnedShared> {
        let page = self.pool.read_shared(self.index.locator, block)?;
        self.check(&page, block)?;
        Ok(page)
    }
    pub fn read_for_write(&self, block: BlockNumber) -> Result<OwnedExclusive> {
        let page = self.pool.read_exclusive(self.index.locator, block)?;
        self.check(&page, block)?;
        Ok(page)
    }
    /// As `read`, with a ring of frames and without checks.
    pub fn pin(&self, block: BlockNumber, strategy: Option<&Strategy>) -> Result<storage::PinnedBuffer> {
        self.pool.pin(self.tag(block), ReadMode::Normal, strategy)
    }
    pub fn meta_of(&self, page: &Page) -> Result<Meta> {
        let meta = Meta::of(page)
            .ok_or_else(|| PgError::new(INDEX_CORRUPTED, format!("index \"{}\" is not a btree", self.index.name)))?;
        if meta.version != VERSION {
            let text = format!("index \"{}\" of btree version {}", self.index.name, meta.version);
            return Err(
                PgError::new(FEATURE_NOT_SUPPORTED, format!("{text} is not supported")).hint("Please REINDEX it.")
            );
        }
        Ok(meta)
    }
    pub fn meta(&self) -> Result<Meta> {
        self.meta_of(&*self.read(META_BLOCK)?)
    }
    #[inline]
    pub fn item<'p>(&self, page: &'p Page, offnum: OffsetNumber) -> Result<&'p [u8]> {
        match page.item(offnum) {
            Some(item) if item.len() >= 8 => Ok(item),
            _ => Err(self.corrupted(format_args!("invalid item {offnum} on a page"))),
        }
    }

    /// How the key compares with a tuple's columns and row place. (PostgreSQL: `_bt_compare`)
    #[inline]
    pub fn compare_tuple(&self, key: &SearchKey<'_>, t: &[u8]) -> Result<Ordering> {
        match key.compare_first(t) {
            None | Some(Ordering::Equal) => self.compare_columns(key, t),
            Some(order) if self.index.keys[0].descending => Ok(order.reverse()),
            Some(order) => Ok(order),
        }
    }
    fn compare_columns(&self, key: &SearchKey<'_>, t: &[u8]) -> Result<Ordering> {
        let natts = tuple::natts(t, self.all_columns());
        let layout = &self.index.layout;
        for (i, column) in key.columns.iter().take(natts).enumerate() {
            let order = &self.index.keys[i];
            let theirs = layout.index_attr(t, natts, i)?;
            let result = match (column.value.is_null(), theirs.is_null()) {
                (false, false) => {
                    let item_to_key = compare_plain(column.compare, theirs, column.value)?;
                    if order.descending { item_to_key } else { item_to_key.reverse() }
                }
                (true, true) => Ordering::Equal,
                (true, false) if order.nulls_first => Ordering::Less,
                (true, false) => Ordering::Greater,
                (false, true) if order.nulls_first => Ordering::Greater,
                (false, true) => Ordering::Less,
            };
            if result != Ordering::Equal {
                return Ok(result);
            }
        }
        if key.columns.len() > natts {
            // Truncated columns are lower than everything.
            return Ok(Ordering::Greater);
        }
        let theirs = tuple::heap_tid(t);
        match (key.tid, theirs) {
            (None, None) if !key.backward && key.columns.len() == natts && tuple::is_pivot(t) => Ok(Ordering::Greater),
            (None, _) => Ok(Ordering::Equal),
            (Some(_), None) => Ok(Ordering::Greater),
            (Some(ours), Some(theirs)) => match ours.cmp(&theirs) {
                Ordering::Greater if tuple::is_posting(t) => {
                    let last = tuple::max_heap_tid(t).unwrap_or(theirs);
                    Ok(if ours > last { Ordering::Greater } else { Ordering::Equal })
                }
                other => Ok(other),
            },
        }
    }
    /// As `compare_tuple`, with an item of a page: the first one of an inner page is lower than everything.
    #[inline]
    pub fn compare(&self, key: &SearchKey<'_>, page: &Page, opaque: Opaque, offnum: OffsetNumber) -> Result<Ordering> {
        if !opaque.is_leaf() && offnum == opaque.first_data() {
            return Ok(Ordering::Greater);
        }
        self.compare_tuple(key, self.item(page, offnum)?)
    }
    /// On a leaf the first item that is not before the key; on an inner page the last one whose subtree may hold it.
    pub fn binary_search(&self, key: &SearchKey<'_>, page: &Page, opaque: Opaque) -> Result<OffsetNumber> {
        let mut low = opaque.first_data();
        let mut high = page.max_offset() + 1;
        if high <= low && !opaque.is_leaf() {
            return Err(self.corrupted("an inner page without items"));
        }
        if !matches!(key.fast, Fast::No) {
            (low, high) = self.narrow(key, page, low, high);
        }
        while low < high {
            let mid = low + (high - low) / 2;
            match key.goes_right(self.compare(key, page, opaque, mid)?) {
                true => low = mid + 1,
                false => high = mid,
            }
        }
        Ok(if opaque.is_leaf() { low } else { low.saturating_sub(1).max(opaque.first_data()) })
    }
    /// The part of a binary search that the first column decides, by the bytes where its values lie: until it meets an equal
    /// value, or a tuple without one.
    fn narrow(
        &self,
        key: &SearchKey<'_>,
        page: &Page,
        low: OffsetNumber,
        high: OffsetNumber,
    ) -> (OffsetNumber, OffsetNumber) {
        let descending = self.index.keys[0].descending;
        match key.fast {
            Fast::No => (low, high),
            Fast::W4(v) => {
                narrow(page, low, high, descending, |b| v.cmp(&i32::from_le_bytes([b[8], b[9], b[10], b[11]])))
            }
            Fast::Oid(v) => {
                narrow(page, low, high, descending, |b| v.cmp(&u32::from_le_bytes([b[8], b[9], b[10], b[11]])))
            }
            Fast::W8(v) => narrow(page, low, high, descending, |b| {
                v.cmp(&i64::from_le_bytes([b[8], b[9], b[10], b[11], b[12], b[13], b[14], b[15]]))
            }),
        }
    }
    /// As `binary_search` on a leaf, of a key that is not before `from`: quick if its place is near.
    pub fn search_from(&self, key: &SearchKey<'_>, page: &Page, from: OffsetNumber) -> Result<OffsetNumber> {
        let end = page.max_offset() + 1;
        let (mut low, mut step) = (from, 1);
        let mut high = loop {
            let at = low.saturating_add(step - 1).min(end);
            if at >= end || !key.goes_right(self.compare_tuple(key, self.item(page, at)?)?) {
                break at;
            }
            low = at + 1;
            step *= 2;
        };
        while low < high {
            let mid = low + (high - low) / 2;
            match key.goes_right(self.compare_tuple(key, self.item(page, mid)?)?) {
                true => low = mid + 1,
                false => high = mid,
            }
        }
        Ok(low)
    }
    /// Must the search go on with the right sibling? (PostgreSQL: in `_bt_moveright`)
    #[inline]
    pub fn must_move_right(&self, key: &SearchKey<'_>, page: &Page, opaque: Opaque) -> Result<bool> {
        if opaque.is_rightmost() {
            return match opaque.is_ignored() {
                true => Err(self.fell_off()),
                false => Ok(false),
            };
        }
        Ok(opaque.is_ignored() || key.goes_right(self.compare_tuple(key, self.item(page, HIGH_KEY)?)?))
    }
    #[cold]
    pub fn fell_off(&self) -> PgError {
        PgError::new(INDEX_CORRUPTED, format!("fell off the end of index \"{}\"", self.index.name))
    }

    /// The page where searches begin. `None` if the index is empty and has no root yet. (PostgreSQL: `_bt_getroot`)
    pub fn root(&self) -> Result<Option<OwnedShared>> {
        let (block, level) = self.index.start.get();
        // Whatever became of the page: the only one of its level leads everywhere.
        if block != NONE
            && let Ok(page) = self.read(block)
            && let opaque = Opaque::of(&page)
            && opaque.level == level
            && opaque.is_leftmost()
            && opaque.is_rightmost()
            && !opaque.is_ignored()
            && !opaque.has(flags::META)
        {
            return Ok(Some(page));
        }
        let meta = self.meta()?;
        if meta.root == NONE {
            return Ok(None);
        }
        let mut block = meta.fast_root;
        loop {
            let page = self.read(block)?;
            let opaque = Opaque::of(&page);
            if !opaque.is_ignored() {
                if opaque.level != meta.fast_level {
                    let (name, found, wanted) = (&self.index.name, opaque.level, meta.fast_level);
                    let text = format!("root page {block} of index \"{name}\" has level {found}, expected {wanted}");
                    return Err(PgError::new(INDEX_CORRUPTED, text));
                }
                if opaque.level > 0 {
                    self.index.start.set(block, opaque.level);
                }
                return Ok(Some(page));
            }
            if opaque.is_rightmost() {
                return Err(self.corrupted("no live root page found"));
            }
            block = opaque.next;
        }
    }

    /// The leaf to which the inner pages lead, without having looked at it: move right from there.
    /// `for_write`: splits left unfinished that we meet are finished, and the way is put into `stack`.
    fn leaf_block(&self, key: &SearchKey<'_>, for_write: bool, stack: &mut Stack) -> Result<Option<BlockNumber>> {
        let Some(mut page) = self.root()? else { return Ok(None) };
        loop {
            let block = page.block();
            let opaque = Opaque::of(&page);
            if opaque.is_leaf() {
                return Ok(Some(block));
            }
            if for_write && opaque.is_split_incomplete() {
                drop(page);
                self.finish_split_of(block, stack)?;
                page = self.read(block)?;
                continue;
            }
            if self.must_move_right(key, &page, opaque)? {
                drop(page);
                page = self.read(opaque.next)?;
                continue;
            }
            let offnum = self.binary_search(key, &page, opaque)?;
            let child = tuple::downlink(self.item(&page, offnum)?);
            if for_write {
                stack.push((block, offnum));
            }
            drop(page);
            if opaque.level == 1 {
                return Ok(Some(child));
            }
            page = self.read(child)?;
        }
    }
    /// The leaf where the key belongs, for readers. `None`: the index is empty.
    pub fn find_leaf(&self, key: &SearchKey<'_>) -> Result<Option<OwnedShared>> {
        let Some(block) = self.leaf_block(key, false, &mut Stack::new())? else { return Ok(None) };
        let mut page = self.read(block)?;
        loop {
            let opaque = Opaque::of(&page);
            if !self.must_move_right(key, &page, opaque)? {
                return Ok(Some(page));
            }
            drop(page);
            page = self.read(opaque.next)?;
        }
    }
    /// The leaf where the key belongs, for a writer, its split finished; the root is made if there is none.
    pub fn find_leaf_for_write(&self, key: &SearchKey<'_>, stack: &mut Stack) -> Result<OwnedExclusive> {
        let block = loop {
            match self.leaf_block(key, true, stack)? {
                Some(block) => break block,
                None => self.make_root()?,
            }
        };
        let page = self.read_for_write(block)?;
        self.move_right_for_write(key, page, stack)
    }
    pub fn move_right_for_write(
        &self,
        key: &SearchKey<'_>,
        mut page: OwnedExclusive,
        stack: &mut Stack,
    ) -> Result<OwnedExclusive> {
        loop {
            let opaque = Opaque::of(&page);
            if opaque.is_split_incomplete() {
                let block = page.block();
                drop(page);
                self.finish_split_of(block, stack)?;
                page = self.read_for_write(block)?;
                continue;
            }
            if !self.must_move_right(key, &page, opaque)? {
                return Ok(page);
            }
            drop(page);
            page = self.read_for_write(opaque.next)?;
        }
    }
    /// The pages above the leaf where the key belongs.
    pub fn way_to(&self, key: &SearchKey<'_>) -> Result<Stack> {
        let mut stack = Stack::new();
        self.leaf_block(key, true, &mut stack)?;
        Ok(stack)
    }
    /// The first or last page of a level. `None`: the index is empty. (PostgreSQL: `_bt_get_endpoint`)
    pub fn endpoint(&self, level: u32, rightmost: bool) -> Result<Option<OwnedShared>> {
        let page = match level {
            0 => self.root()?,
            // The fast root may be below the level.
            _ => Some(self.read(self.meta()?.root)?),
        };
        let Some(mut page) = page else { return Ok(None) };
        loop {
            let opaque = Opaque::of(&page);
            if opaque.is_ignored() || rightmost && !opaque.is_rightmost() {
                if opaque.is_rightmost() {
                    return Err(self.fell_off());
                }
                drop(page);
                page = self.read(opaque.next)?;
                continue;
            }
            if opaque.level == level {
                return Ok(Some(page));
            }
            if opaque.level < level {
                return Err(self.corrupted(format_args!("btree level {level} not found")));
            }
            let offnum = if rightmost { page.max_offset() } else { opaque.first_data() };
            let child = tuple::downlink(self.item(&page, offnum)?);
            drop(page);
            page = self.read(child)?;
        }
    }

    /// How many leading columns must be kept to tell two tuples apart; one more than there are if all are equal.
    /// (PostgreSQL: `_bt_keep_natts`)
    pub fn columns_to_separate(&self, left: &[u8], right: &[u8]) -> Result<usize> {
        let (layout, all) = (&self.index.layout, self.all_columns());
        let (left_n, right_n) = (tuple::natts(left, all), tuple::natts(right, all));
        for (i, key) in self.index.keys.iter().enumerate() {
            let (l, r) = (layout.index_attr(left, left_n, i)?, layout.index_attr(right, right_n, i)?);
            let equal = match (l.is_null(), r.is_null()) {
                (true, true) => true,
                (false, false) => compare_plain(&key.compare, l, r)? == Ordering::Equal,
                _ => false,
            };
            if !equal {
                return Ok(i + 1);
            }
        }
        Ok(self.key_columns() + 1)
    }
    /// As `columns_to_separate`, comparing bytes: cheaper, and what deduplication goes by. (PostgreSQL:
    /// `_bt_keep_natts_fast`)
    pub fn columns_to_differ(&self, left: &[u8], right: &[u8]) -> Result<usize> {
        let (layout, all) = (&self.index.layout, self.all_columns());
        let (left_n, right_n) = (tuple::natts(left, all), tuple::natts(right, all));
        for i in 0..self.key_columns() {
            if i >= left_n
                || i >= right_n
                || layout.index_attr(left, left_n, i)? != layout.index_attr(right, right_n, i)?
            {
                return Ok(i + 1);
            }
        }
        Ok(self.key_columns() + 1)
    }
}

/// Compares values of which some may be compressed, as long keys are.
#[inline]
pub fn compare_plain(compare: &Comparator, a: DatumRef<'_>, b: DatumRef<'_>) -> Result<Ordering> {
    if matches!(a, DatumRef::Toasted(_)) || matches!(b, DatumRef::Toasted(_)) {
        let (a, b) = (super::plain(a)?, super::plain(b)?);
        return compare.compare(a.as_ref(), b.as_ref());
    }
    compare.compare(a, b)
}
