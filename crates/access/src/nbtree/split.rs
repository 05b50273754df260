//! Splitting a page, and telling its parent. (PostgreSQL: `_bt_split`, `_bt_insert_parent`, `_bt_newlevel`)
//!
//! Two steps, each logged: the page is divided, the left half marked as incompletely split; then the parent gets a downlink
//! to the right half, in the same record that takes the mark away. Between the two (and after a crash there) the right
//! half is reached through its left sibling; whoever comes along to write finishes the split first.
//!
//! Latches: a page, then its right sibling; a child, then its parent. Never the other way round.

use base::{BlockNumber, OffsetNumber, PgError, Result};
use storage::page::ITEM_ID_SIZE;
use storage::{OwnedExclusive, Page, critical};
use wal::{RecordBuilder, RegBuf, RmgrId};

use super::insert::NewItem;
use super::page::{FIRST_KEY, HIGH_KEY, META_BLOCK, Meta, NONE, Opaque, add, change_opaque, flags, init};
use super::search::{Stack, Tree};
use super::splitloc::{self, SplitPoint};
use super::tuple;
use super::wal::{NEWROOT, SPLIT_L, SPLIT_R, items_of, newroot_data, put_meta};

impl Tree<'_> {
    /// Divides a page, adding the new item at `new_at`. `child`: the page whose split the new item completes. Returns both
    /// halves latched. (PostgreSQL: `_bt_split`)
    pub(super) fn split(
        &self,
        mut page: OwnedExclusive,
        mut child: Option<OwnedExclusive>,
        new: NewItem<'_>,
        new_at: OffsetNumber,
    ) -> Result<(OwnedExclusive, OwnedExclusive)> {
        let old = Opaque::of(&page);
        let point = splitloc::find(self, &page, new_at, new.tuple)?;
        let plan = SplitPlan { point, new, new_at };
        let high_key = plan.left_high_key(self, &page)?;

        let block = page.block();
        let gone = flags::ROOT | flags::SPLIT_END | flags::HAS_GARBAGE;
        let cycle_id = self.cycles.current(self.index.locator);
        let mut left_opaque = Opaque { flags: old.flags & !gone | flags::INCOMPLETE_SPLIT, cycle_id, ..old };
        let mut right_opaque = Opaque { flags: old.flags & !gone, prev: block, cycle_id, ..old };
        let mut left = Page::boxed();
        let mut right = Page::boxed();
        init(&mut left, left_opaque);
        init(&mut right, right_opaque);
        plan.fill(self, &page, &high_key, &mut left, &mut right)?;
        left.set_lsn(page.lsn());

        let mut right_page = self.allocate()?;
        left_opaque.next = right_page.block();
        left_opaque.store(&mut left);
        let mut sibling = None;
        if old.next != NONE {
            let s = self.read_for_write(old.next)?;
            let theirs = Opaque::of(&s);
            if theirs.prev != block {
                return Err(self.corrupted(format_args!(
                    "right sibling's left-link doesn't match: block {} links to {} instead of expected {block}",
                    old.next, theirs.prev
                )));
            }
            if theirs.cycle_id != right_opaque.cycle_id {
                right_opaque.flags |= flags::SPLIT_END;
            }
            sibling = Some(s);
        }
        right_opaque.store(&mut right);

        if old.is_leaf() {
            self.note_moved(block, right_page.block());
        }
        critical(|section| {
            page.write(section).copy_from(&left);
            right_page.write(section).copy_from(&right);
            if let Some(s) = &mut sibling {
                let right_block = right_page.block();
                change_opaque(s.write(section), |o| o.prev = right_block);
            }
            if let Some(c) = &mut child {
                change_opaque(c.write(section), |o| o.flags &= !flags::INCOMPLETE_SPLIT);
            }
            let Some(log) = self.log else { return };
            // The posting list on the left is changed by redo as well; one that went right is in the right page's image.
            let posting_at = if new.posting.is_some() && new_at - 1 < point.first_right { new.posting_at } else { 0 };
            let mut main = Vec::with_capacity(10);
            main.extend_from_slice(&old.level.to_le_bytes());
            for n in [point.first_right, new_at, posting_at] {
                main.extend_from_slice(&n.to_le_bytes());
            }
            let info = if point.new_item_on_left { SPLIT_L } else { SPLIT_R };
            let mut record = RecordBuilder::new(RmgrId::BTREE, info).xid(self.xid).main_data(&main).register_buffer(
                0,
                &page,
                RegBuf::STANDARD,
            );
            if posting_at != 0 {
                record.push_buffer_data(0, new.original);
            } else if point.new_item_on_left {
                record.push_buffer_data(0, new.tuple);
            }
            record.push_buffer_data(0, &high_key);
            record = record.register_buffer(1, &right_page, RegBuf::WILL_INIT).buffer_data(1, items_of(&right));
            if let Some(s) = &sibling {
                record = record.register_buffer(2, s, RegBuf::STANDARD);
            }
            if let Some(c) = &child {
                record = record.register_buffer(3, c, RegBuf::STANDARD);
            }
            let lsn = log.insert(section, record);
            page.set_lsn(section, lsn);
            right_page.set_lsn(section, lsn);
            for other in sibling.iter_mut().chain(child.iter_mut()) {
                other.set_lsn(section, lsn);
            }
        });
        Ok((page, right_page))
    }

    /// Gives the parent a downlink to the right half. (PostgreSQL: `_bt_insert_parent`)
    pub(super) fn insert_parent(
        &self,
        left: OwnedExclusive,
        right: OwnedExclusive,
        mut stack: Stack,
        was_root: bool,
        was_only: bool,
    ) -> Result<()> {
        if was_root {
            return self.new_level(left, &right);
        }
        let (left_block, right_block) = (left.block(), right.block());
        if stack.is_empty() {
            // The root was split since we came down, or we began below the root.
            let level = Opaque::of(&left).level + 1;
            let parent = self.endpoint(level, false)?.ok_or_else(|| self.fell_off())?;
            stack.push((parent.block(), 0));
        }
        let mut downlink = self.item(&left, HIGH_KEY)?.to_vec();
        tuple::set_downlink(&mut downlink, right_block);
        let found = self.find_downlink(&mut stack, left_block)?;
        drop(right);
        let Some((parent, offnum)) = found else {
            let text = format!(
                "failed to re-find parent key in index \"{}\" for split pages {left_block}/{right_block}",
                self.index.name
            );
            return Err(PgError::new(base::sqlstate::INDEX_CORRUPTED, text));
        };
        stack.pop();
        self.insert_on_page(parent, Some(left), stack, NewItem::plain(&downlink), offnum + 1, was_only)
    }
    /// The page with the downlink to `child`, latched, at or to the right of where the stack's last entry points.
    /// (PostgreSQL: `_bt_getstackbuf`)
    pub(super) fn find_downlink(
        &self,
        stack: &mut Stack,
        child: BlockNumber,
    ) -> Result<Option<(OwnedExclusive, OffsetNumber)>> {
        let Some(&(mut block, mut start)) = stack.last() else { return Ok(None) };
        loop {
            let page = self.read_for_write(block)?;
            let opaque = Opaque::of(&page);
            if opaque.is_split_incomplete() {
                drop(page);
                let mut above = stack[..stack.len() - 1].to_vec();
                self.finish_split_of(block, &mut above)?;
                continue;
            }
            if !opaque.is_ignored() {
                let (first, max) = (opaque.first_data(), page.max_offset());
                let start = start.clamp(first, max.max(first));
                // Most often it moved right a little.
                for n in (start..=max).chain((first..start).rev()) {
                    if tuple::downlink(self.item(&page, n)?) == child {
                        if let Some(entry) = stack.last_mut() {
                            *entry = (block, n);
                        }
                        return Ok(Some((page, n)));
                    }
                }
            }
            if opaque.is_rightmost() {
                return Ok(None);
            }
            block = opaque.next;
            start = 0;
        }
    }
    /// If this page's split is unfinished, finishes it. `stack`: the way to its parent, perhaps empty.
    /// (PostgreSQL: `_bt_finish_split`)
    pub(super) fn finish_split_of(&self, block: BlockNumber, stack: &mut Stack) -> Result<()> {
        let left = self.read_for_write(block)?;
        let opaque = Opaque::of(&left);
        if !opaque.is_split_incomplete() {
            return Ok(());
        }
        let right = self.read_for_write(opaque.next)?;
        let was_root = stack.is_empty() && self.meta()?.root == block;
        let was_only = opaque.is_leftmost() && Opaque::of(&right).is_rightmost();
        self.insert_parent(left, right, stack.clone(), was_root, was_only)
    }
    /// The root was split: a new one above both halves. (PostgreSQL: `_bt_newlevel`)
    fn new_level(&self, mut left: OwnedExclusive, right: &OwnedExclusive) -> Result<()> {
        let mut root = self.allocate()?;
        let mut meta_page = self.read_for_write(META_BLOCK)?;
        let level = Opaque::of(&left).level + 1;
        let block = root.block();
        let meta = Meta { root: block, level, fast_root: block, fast_level: level, ..self.meta_of(&meta_page)? };
        let mut to_right = self.item(&left, HIGH_KEY)?.to_vec();
        tuple::set_downlink(&mut to_right, right.block());
        let mut new = Page::boxed();
        init(&mut new, Opaque::new(level, flags::ROOT));
        add(&mut new, &tuple::minus_infinity(left.block()), HIGH_KEY)?;
        add(&mut new, &to_right, FIRST_KEY)?;
        critical(|section| {
            root.write(section).copy_from(&new);
            meta.store(meta_page.write(section));
            change_opaque(left.write(section), |o| o.flags &= !flags::INCOMPLETE_SPLIT);
            let Some(log) = self.log else { return };
            let record = RecordBuilder::new(RmgrId::BTREE, NEWROOT)
                .xid(self.xid)
                .main_data(&newroot_data(block, level))
                .register_buffer(0, &root, RegBuf::WILL_INIT)
                .buffer_data(0, items_of(&new))
                .register_buffer(1, &left, RegBuf::STANDARD)
                .register_buffer(2, &meta_page, RegBuf::WILL_INIT | RegBuf::STANDARD)
                .buffer_data(2, &put_meta(&meta));
            let lsn = log.insert(section, record);
            for page in [&mut root, &mut left, &mut meta_page] {
                page.set_lsn(section, lsn);
            }
        });
        Ok(())
    }
}

/// A division, decided upon.
struct SplitPlan<'a> {
    point: SplitPoint,
    new: NewItem<'a>,
    new_at: OffsetNumber,
}

impl SplitPlan<'_> {
    /// An item of the old page; the posting list that is split appears with its new content.
    fn old_item<'p>(&'p self, tree: &Tree<'_>, page: &'p Page, n: OffsetNumber) -> Result<&'p [u8]> {
        match self.new.posting {
            Some(posting) if n == self.new_at - 1 => Ok(posting),
            _ => tree.item(page, n),
        }
    }
    fn left_high_key(&self, tree: &Tree<'_>, page: &Page) -> Result<Vec<u8>> {
        let SplitPoint { first_right: at, new_item_on_left, .. } = self.point;
        let first_right = match !new_item_on_left && at == self.new_at {
            true => self.new.tuple,
            false => self.old_item(tree, page, at)?,
        };
        if !Opaque::of(page).is_leaf() {
            return Ok(first_right.to_vec());
        }
        let last_left = match new_item_on_left && at == self.new_at {
            true => self.new.tuple,
            false => self.old_item(tree, page, at - 1)?,
        };
        let keep = tree.columns_to_separate(last_left, first_right)?;
        tuple::truncate(&tree.index.layout, tree.key_columns(), last_left, first_right, keep)
    }
    fn fill(&self, tree: &Tree<'_>, page: &Page, high_key: &[u8], left: &mut Page, right: &mut Page) -> Result<()> {
        let opaque = Opaque::of(page);
        add(left, high_key, HIGH_KEY)?;
        if !opaque.is_rightmost() {
            add(right, tree.item(page, HIGH_KEY)?, HIGH_KEY)?;
        }
        // The first item of an inner page is lower than everything: its key is not kept.
        let mut strip_next = !opaque.is_leaf();
        let mut put_right = |right: &mut Page, item: &[u8]| {
            let at = right.max_offset() + 1;
            match std::mem::take(&mut strip_next) {
                true => add(right, &tuple::minus_infinity(tuple::downlink(item)), at),
                false => add(right, item, at),
            }
        };
        let max = page.max_offset();
        for n in opaque.first_data()..=max + 1 {
            if n == self.new_at {
                match self.point.new_item_on_left {
                    true => add(left, self.new.tuple, left.max_offset() + 1)?,
                    false => put_right(right, self.new.tuple)?,
                }
            }
            if n <= max {
                let item = self.old_item(tree, page, n)?;
                match n < self.point.first_right {
                    true => add(left, item, left.max_offset() + 1)?,
                    false => put_right(right, item)?,
                }
            }
        }
        debug_assert!(left.exact_free_space() % ITEM_ID_SIZE == 0);
        Ok(())
    }
}
