//! nbtree's WAL records: numbers, redo, description. (PostgreSQL: `nbtxlog.h`, `nbtxlog.c`, `nbtdesc.c`)

use std::fmt::Write;

use base::{BlockNumber, FullXid, Lsn, OffsetNumber, Result};
use storage::{Critical, Page, critical};
use wal::bytes::Reader;
use wal::{Record, RecordBuilder, RedoBuffer, RedoContext, ResourceManager, Wal};

use super::dedup::{self, Interval};
use super::delete::Removal;
use super::page::{self, FIRST_KEY, HIGH_KEY, Meta, NONE, Opaque, add, change_opaque, flags, init};
use super::tuple;

pub const INSERT_LEAF: u8 = 0x00;
pub const INSERT_UPPER: u8 = 0x10;
pub const INSERT_META: u8 = 0x20;
pub const SPLIT_L: u8 = 0x30;
pub const SPLIT_R: u8 = 0x40;
pub const INSERT_POST: u8 = 0x50;
pub const DEDUP: u8 = 0x60;
pub const DELETE: u8 = 0x70;
pub const UNLINK_PAGE: u8 = 0x80;
pub const UNLINK_PAGE_META: u8 = 0x90;
pub const NEWROOT: u8 = 0xA0;
pub const MARK_PAGE_HALFDEAD: u8 = 0xB0;
pub const VACUUM: u8 = 0xC0;
pub const REUSE_PAGE: u8 = 0xD0;
pub const META_CLEANUP: u8 = 0xE0;

/// Where records go: the log, or a test's list.
pub trait Log: Sync {
    fn insert(&self, section: &Critical, record: RecordBuilder<'_>) -> Lsn;
    /// Logs a page as a whole.
    fn new_page(&self, section: &Critical, tag: storage::BufferTag, page: &Page) -> Lsn;
    /// Will the next change of this page be logged with its image?
    fn needs_image(&self, page: &Page) -> bool;
}
impl Log for Wal {
    fn insert(&self, section: &Critical, record: RecordBuilder<'_>) -> Lsn {
        Wal::insert(self, section, record)
    }
    fn new_page(&self, section: &Critical, tag: storage::BufferTag, page: &Page) -> Lsn {
        self.log_new_page(section, tag, page, true)
    }
    fn needs_image(&self, page: &Page) -> bool {
        Wal::needs_image(self, page)
    }
}

/// (PostgreSQL: `xl_btree_metadata`)
pub(super) fn put_meta(meta: &Meta) -> [u8; 28] {
    let mut out = [0; 28];
    let words =
        [meta.version, meta.root.0, meta.level, meta.fast_root.0, meta.fast_level, meta.last_cleanup_num_delpages];
    for (i, word) in words.into_iter().enumerate() {
        out[i * 4..i * 4 + 4].copy_from_slice(&word.to_le_bytes());
    }
    out[24] = u8::from(meta.all_equal_image);
    out
}
fn get_meta(bytes: &[u8]) -> Result<Meta> {
    let mut r = Reader::new(bytes);
    Ok(Meta {
        version: r.u32()?,
        root: r.block()?,
        level: r.u32()?,
        fast_root: r.block()?,
        fast_level: r.u32()?,
        last_cleanup_num_delpages: r.u32()?,
        all_equal_image: r.u8()? != 0,
    })
}
/// (PostgreSQL: `xl_btree_newroot`)
pub(super) fn newroot_data(block: BlockNumber, level: u32) -> [u8; 8] {
    let mut out = [0; 8];
    out[..4].copy_from_slice(&block.0.to_le_bytes());
    out[4..].copy_from_slice(&level.to_le_bytes());
    out
}
/// All items of a page as they lie there, the last one first. (PostgreSQL: read by `_bt_restore_page`)
pub(super) fn items_of(page: &Page) -> &[u8] {
    &page.bytes()[page.upper()..page.special_offset()]
}
fn restore_items(page: &mut Page, bytes: &[u8], record: &Record) -> Result<()> {
    let mut rest = bytes;
    let mut items = Vec::new();
    while rest.len() >= 8 {
        let size = storage::page::maxalign(tuple::size(rest));
        let (item, after) =
            rest.split_at_checked(size.max(8)).ok_or_else(|| record.damaged("page items are cut off"))?;
        items.push(item);
        rest = after;
    }
    items.iter().rev().enumerate().try_for_each(|(i, item)| add(page, item, i as OffsetNumber + 1))
}

/// The last two fields of a page's deletion. (PostgreSQL: `xl_btree_unlink_page`)
pub(super) struct Unlink {
    pub left: BlockNumber,
    pub right: BlockNumber,
    pub level: u32,
    pub safe_xid: FullXid,
    pub leaf_left: BlockNumber,
    pub leaf_right: BlockNumber,
    pub leaf_top_parent: BlockNumber,
}

impl Unlink {
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(36);
        for n in [self.left.0, self.right.0, self.level, 0] {
            out.extend_from_slice(&n.to_le_bytes());
        }
        out.extend_from_slice(&self.safe_xid.0.to_le_bytes());
        for b in [self.leaf_left, self.leaf_right, self.leaf_top_parent] {
            out.extend_from_slice(&b.0.to_le_bytes());
        }
        out
    }
    fn decode(bytes: &[u8]) -> Result<Unlink> {
        let mut r = Reader::new(bytes);
        let (left, right, level) = (r.block()?, r.block()?, r.u32()?);
        r.align(8)?;
        let safe_xid = FullXid(r.u64()?);
        Ok(Unlink {
            left,
            right,
            level,
            safe_xid,
            leaf_left: r.block()?,
            leaf_right: r.block()?,
            leaf_top_parent: r.block()?,
        })
    }
}

/// (PostgreSQL: `xl_btree_mark_page_halfdead`)
pub(super) struct HalfDead {
    pub parent_offnum: OffsetNumber,
    pub leaf: BlockNumber,
    pub left: BlockNumber,
    pub right: BlockNumber,
    pub top_parent: BlockNumber,
}

impl HalfDead {
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(20);
        out.extend_from_slice(&u32::from(self.parent_offnum).to_le_bytes());
        for b in [self.leaf, self.left, self.right, self.top_parent] {
            out.extend_from_slice(&b.0.to_le_bytes());
        }
        out
    }
    fn decode(bytes: &[u8]) -> Result<HalfDead> {
        let mut r = Reader::new(bytes);
        let parent_offnum = r.u16()?;
        r.align(4)?;
        Ok(HalfDead { parent_offnum, leaf: r.block()?, left: r.block()?, right: r.block()?, top_parent: r.block()? })
    }
}

/// A half-dead leaf: no items, and a high key that names the rest of the branch.
pub(super) fn half_dead_leaf(page: &mut Page, left: BlockNumber, right: BlockNumber, top: BlockNumber) -> Result<()> {
    let lsn = page.lsn();
    init(page, Opaque { prev: left, next: right, ..Opaque::new(0, flags::HALF_DEAD | flags::LEAF) });
    page.set_lsn(lsn);
    add(page, &half_dead_high_key(top), HIGH_KEY)
}
pub(super) fn half_dead_high_key(top: BlockNumber) -> [u8; 8] {
    let mut t = [0; 8];
    t[6] = 8;
    tuple::set_top_parent(&mut t, top);
    t
}

/// Replays nbtree's records.
pub struct NbtreeRmgr;

impl ResourceManager for NbtreeRmgr {
    fn redo(&self, cx: &RedoContext, record: &Record) -> Result<()> {
        let redo = Redo { cx, record };
        match record.rmgr_info() {
            INSERT_LEAF | INSERT_UPPER | INSERT_META | INSERT_POST => redo.insert(),
            SPLIT_L => redo.split(true),
            SPLIT_R => redo.split(false),
            DEDUP => redo.dedup(),
            VACUUM => redo.remove(0, |r| r.cx.read_buffer_for_cleanup(r.record, 0)),
            DELETE => redo.remove(4, |r| r.cx.read_buffer_for_redo(r.record, 0)),
            MARK_PAGE_HALFDEAD => redo.mark_half_dead(),
            UNLINK_PAGE | UNLINK_PAGE_META => redo.unlink(),
            NEWROOT => redo.new_root(),
            // Only standbys with readers care.
            REUSE_PAGE => Ok(()),
            META_CLEANUP => redo.meta(0),
            other => Err(record.damaged(format!("btree_redo: unknown op code {other}"))),
        }
    }
    fn identify(&self, info: u8) -> Option<String> {
        let name = match info & 0xF0 {
            INSERT_LEAF => "INSERT_LEAF",
            INSERT_UPPER => "INSERT_UPPER",
            INSERT_META => "INSERT_META",
            SPLIT_L => "SPLIT_L",
            SPLIT_R => "SPLIT_R",
            INSERT_POST => "INSERT_POST",
            DEDUP => "DEDUP",
            DELETE => "DELETE",
            UNLINK_PAGE => "UNLINK_PAGE",
            UNLINK_PAGE_META => "UNLINK_PAGE_META",
            NEWROOT => "NEWROOT",
            MARK_PAGE_HALFDEAD => "MARK_PAGE_HALFDEAD",
            VACUUM => "VACUUM",
            REUSE_PAGE => "REUSE_PAGE",
            META_CLEANUP => "META_CLEANUP",
            _ => return None,
        };
        Some(name.to_string())
    }
    fn desc(&self, record: &Record, out: &mut String) {
        // A record cut short is described as far as it goes.
        let _ = describe(record, out);
    }
}

fn describe(record: &Record, out: &mut String) -> Result<()> {
    let mut r = record.main_reader();
    let text = match record.rmgr_info() {
        INSERT_LEAF | INSERT_UPPER | INSERT_META | INSERT_POST => format!("off: {}", r.u16()?),
        SPLIT_L | SPLIT_R => {
            let (level, first, new, posting) = (r.u32()?, r.u16()?, r.u16()?, r.u16()?);
            format!("level: {level}, firstrightoff: {first}, newitemoff: {new}, postingoff: {posting}")
        }
        DEDUP => format!("nintervals: {}", r.u16()?),
        VACUUM => {
            let (deleted, updated) = (r.u16()?, r.u16()?);
            format!("ndeleted: {deleted}, nupdated: {updated}{}", describe_removal(record, deleted, updated)?)
        }
        DELETE => {
            let (xid, deleted, updated, catalog) = (r.u32()?, r.u16()?, r.u16()?, r.u8()?);
            let catalog = if catalog != 0 { 'T' } else { 'F' };
            let removal = describe_removal(record, deleted, updated)?;
            format!(
                "snapshotConflictHorizon: {xid}, ndeleted: {deleted}, nupdated: {updated}, isCatalogRel: {catalog}{removal}"
            )
        }
        MARK_PAGE_HALFDEAD => {
            let h = HalfDead::decode(&record.main)?;
            format!("topparent: {}, leaf: {}, left: {}, right: {}", h.top_parent, h.leaf, h.left, h.right)
        }
        UNLINK_PAGE | UNLINK_PAGE_META => {
            let u = Unlink::decode(&record.main)?;
            format!(
                "left: {}, right: {}, level: {}, safexid: {}:{}, leafleft: {}, leafright: {}, leaftopparent: {}",
                u.left,
                u.right,
                u.level,
                u.safe_xid.epoch(),
                u.safe_xid.xid(),
                u.leaf_left,
                u.leaf_right,
                u.leaf_top_parent
            )
        }
        NEWROOT => {
            let (_, level) = (r.u32()?, r.u32()?);
            format!("level: {level}")
        }
        REUSE_PAGE => {
            let l = r.locator()?;
            r.block()?;
            let xid = FullXid(r.u64()?);
            let catalog = if r.u8()? != 0 { 'T' } else { 'F' };
            format!(
                "rel: {}/{}/{}, snapshotConflictHorizon: {}:{}, isCatalogRel: {catalog}",
                l.spc,
                l.db,
                l.rel,
                xid.epoch(),
                xid.xid()
            )
        }
        META_CLEANUP => {
            format!("last_cleanup_num_delpages: {}", get_meta(record.block_data(0))?.last_cleanup_num_delpages)
        }
        _ => return Ok(()),
    };
    let _ = write!(out, "{text}");
    Ok(())
}

fn describe_removal(record: &Record, deleted: u16, updated: u16) -> Result<String> {
    if record.block_data(0).is_empty() {
        return Ok(String::new());
    }
    let removal = Removal::decode(record.block_data(0), usize::from(deleted), usize::from(updated))?;
    let update = |u: &super::delete::PostingUpdate| {
        format!("{{ off: {}, nptids: {}, ptids: {:?} }}", u.offnum, u.gone.len(), u.gone)
    };
    let updates: Vec<String> = removal.updated.iter().map(update).collect();
    Ok(format!(", deleted: {:?}, updated: [{}]", removal.deleted, updates.join(", ")))
}

struct Redo<'a> {
    cx: &'a RedoContext,
    record: &'a Record,
}

impl Redo<'_> {
    /// Applies a change to a page that does not have it yet.
    fn apply(&self, buffer: RedoBuffer, change: impl FnOnce(&mut Page) -> Result<()>) -> Result<()> {
        let Some(mut page) = buffer.needs_redo() else { return Ok(()) };
        self.replace(&mut page, change)
    }
    fn replace(&self, page: &mut storage::OwnedExclusive, change: impl FnOnce(&mut Page) -> Result<()>) -> Result<()> {
        let mut new = page.to_boxed();
        change(&mut new)?;
        critical(|section| {
            page.write(section).copy_from(&new);
            page.set_lsn(section, self.record.end);
        });
        Ok(())
    }
    fn read(&self, block_id: u8) -> Result<RedoBuffer> {
        self.cx.read_buffer_for_redo(self.record, block_id)
    }
    fn init(&self, block_id: u8, fill: impl FnOnce(&mut Page) -> Result<()>) -> Result<()> {
        let mut page = self.cx.init_buffer_for_redo(self.record, block_id)?;
        self.replace(&mut page, fill)
    }
    fn item(&self, page: &Page, offnum: OffsetNumber) -> Result<Vec<u8>> {
        match page.item(offnum) {
            Some(item) if item.len() >= 8 => Ok(item.to_vec()),
            _ => Err(self.record.damaged(format!("page has no item {offnum}"))),
        }
    }
    fn meta(&self, block_id: u8) -> Result<()> {
        let meta = get_meta(self.record.block_data(block_id))?;
        self.init(block_id, |page| {
            meta.store(page);
            Ok(())
        })
    }
    fn clear_incomplete_split(&self, block_id: u8) -> Result<()> {
        self.apply(self.read(block_id)?, |page| {
            change_opaque(page, |o| o.flags &= !flags::INCOMPLETE_SPLIT);
            Ok(())
        })
    }

    fn insert(&self) -> Result<()> {
        let info = self.record.rmgr_info();
        // The child first: nobody may find the downlink and a page still marked.
        if matches!(info, INSERT_UPPER | INSERT_META) {
            self.clear_incomplete_split(1)?;
        }
        let offnum = self.record.main_reader().u16()?;
        let data = self.record.block_data(0);
        self.apply(self.read(0)?, |page| {
            if info != INSERT_POST {
                return add(page, data, offnum);
            }
            let mut r = Reader::new(data);
            let at = usize::from(r.u16()?);
            let mut new = r.rest().to_vec();
            let old = self.item(page, offnum.saturating_sub(1))?;
            if new.len() < 8 {
                return Err(self.record.damaged("item is too short"));
            }
            let posting = tuple::swap_posting(&mut new, &old, at)?;
            if let Some(place) = page.item_mut(offnum - 1) {
                place.copy_from_slice(&posting);
            }
            add(page, &new, offnum)
        })?;
        if info == INSERT_META { self.meta(2) } else { Ok(()) }
    }
    fn split(&self, new_on_left: bool) -> Result<()> {
        let mut r = self.record.main_reader();
        let (level, first_right, new_at, posting_at) = (r.u32()?, r.u16()?, r.u16()?, r.u16()?);
        let leaf = if level == 0 { flags::LEAF } else { 0 };
        let block = self.record.require_block(0)?.block;
        let right_block = self.record.require_block(1)?.block;
        let next = self.record.block(2).map_or(NONE, |b| b.block);
        if level > 0 {
            self.clear_incomplete_split(3)?;
        }
        self.init(1, |page| {
            init(page, Opaque { prev: block, next, ..Opaque::new(level, leaf) });
            restore_items(page, self.record.block_data(1), self.record)
        })?;
        self.apply(self.read(0)?, |page| {
            let mut rest = self.record.block_data(0);
            let mut take = || {
                let size = if rest.len() < 8 { usize::MAX } else { storage::page::maxalign(tuple::size(rest)) };
                let (item, after) =
                    rest.split_at_checked(size).ok_or_else(|| self.record.damaged("item is cut off"))?;
                rest = after;
                Ok::<_, base::PgError>(item.to_vec())
            };
            let mut new = if new_on_left || posting_at != 0 { Some(take()?) } else { None };
            let high_key = take()?;
            let mut posting = None;
            if let (true, Some(new)) = (posting_at != 0, &mut new) {
                let old = self.item(page, new_at.saturating_sub(1))?;
                posting = Some(tuple::swap_posting(new, &old, usize::from(posting_at))?);
            }
            let new = new.filter(|_| new_on_left);
            let mut left = page.boxed_with_special_of();
            add(&mut left, &high_key, HIGH_KEY)?;
            for n in Opaque::of(page).first_data()..=first_right {
                if let (true, Some(new)) = (n == new_at, &new) {
                    append(&mut left, new)?;
                }
                if n == first_right {
                    break;
                }
                let item = match &posting {
                    Some(posting) if n == new_at - 1 => posting.clone(),
                    _ => self.item(page, n)?,
                };
                append(&mut left, &item)?;
            }
            change_opaque(&mut left, |o| {
                o.flags = flags::INCOMPLETE_SPLIT | leaf;
                o.next = right_block;
                o.cycle_id = 0;
            });
            page.copy_from(&left);
            Ok(())
        })?;
        if next != NONE {
            self.apply(self.read(2)?, |page| {
                change_opaque(page, |o| o.prev = right_block);
                Ok(())
            })?;
        }
        Ok(())
    }
    fn dedup(&self) -> Result<()> {
        let n = self.record.main_reader().u16()?;
        let mut r = Reader::new(self.record.block_data(0));
        self.apply(self.read(0)?, |page| {
            let mut intervals = Vec::new();
            for _ in 0..n {
                intervals.push(Interval { base: r.u16()?, items: r.u16()? });
            }
            let merged = dedup::redo(page, &intervals, |n| self.item(page, n))?;
            page.copy_from(&merged);
            Ok(())
        })
    }
    /// `at`: where the counts lie in the main data.
    fn remove(&self, at: usize, read: impl FnOnce(&Self) -> Result<RedoBuffer>) -> Result<()> {
        let mut r = self.record.main_reader();
        r.skip(at)?;
        let (deleted, updated) = (usize::from(r.u16()?), usize::from(r.u16()?));
        self.apply(read(self)?, |page| {
            Removal::decode(self.record.block_data(0), deleted, updated)?.apply(page)?;
            change_opaque(page, |o| {
                o.flags &= !flags::HAS_GARBAGE;
                if at == 0 {
                    o.cycle_id = 0;
                }
            });
            Ok(())
        })
    }
    fn mark_half_dead(&self) -> Result<()> {
        let h = HalfDead::decode(&self.record.main)?;
        self.apply(self.read(1)?, |page| remove_downlink(page, h.parent_offnum))?;
        self.init(0, |page| half_dead_leaf(page, h.left, h.right, h.top_parent))
    }
    fn unlink(&self) -> Result<()> {
        let u = Unlink::decode(&self.record.main)?;
        let leaf = if u.level == 0 { flags::LEAF } else { 0 };
        // Siblings and target stay latched together, as when it was done.
        let mut held = Vec::new();
        if u.left != NONE {
            held.push(self.change_sibling(1, |o| o.next = u.right)?);
        }
        let mut target = self.cx.init_buffer_for_redo(self.record, 0)?;
        self.replace(&mut target, |page| {
            init(page, Opaque { prev: u.left, next: u.right, ..Opaque::new(u.level, leaf) });
            page::set_deleted(page, u.safe_xid);
            Ok(())
        })?;
        held.push(self.change_sibling(2, |o| o.prev = u.left)?);
        drop((held, target));
        if self.record.block(3).is_some() {
            self.init(3, |page| half_dead_leaf(page, u.leaf_left, u.leaf_right, u.leaf_top_parent))?;
        }
        if self.record.rmgr_info() == UNLINK_PAGE_META { self.meta(4) } else { Ok(()) }
    }
    fn change_sibling(&self, id: u8, change: impl FnOnce(&mut Opaque)) -> Result<Option<storage::OwnedExclusive>> {
        match self.read(id)? {
            RedoBuffer::NeedsRedo(mut page) => {
                self.replace(&mut page, |p| {
                    change_opaque(p, change);
                    Ok(())
                })?;
                Ok(Some(page))
            }
            other => Ok(other.into_page()),
        }
    }
    fn new_root(&self) -> Result<()> {
        let mut r = self.record.main_reader();
        let (_, level) = (r.block()?, r.u32()?);
        let leaf = if level == 0 { flags::LEAF } else { 0 };
        if level > 0 {
            self.clear_incomplete_split(1)?;
        }
        self.init(0, |page| {
            init(page, Opaque::new(level, flags::ROOT | leaf));
            restore_items(page, self.record.block_data(0), self.record)
        })?;
        self.meta(2)
    }
}

/// In a parent: the deleted child's downlink takes over its right neighbour's child, whose own downlink goes. So the key
/// space of the deleted child goes to the right. (PostgreSQL: in `_bt_mark_page_halfdead`)
pub(super) fn remove_downlink(page: &mut Page, offnum: OffsetNumber) -> Result<()> {
    let missing = || base::PgError::internal("a parent page lacks the downlinks of a page to be deleted");
    let right = tuple::downlink(page.item(offnum + 1).filter(|t| t.len() >= 8).ok_or_else(missing)?);
    tuple::set_downlink(page.item_mut(offnum).filter(|t| t.len() >= 8).ok_or_else(missing)?, right);
    debug_assert!(FIRST_KEY > HIGH_KEY);
    page.index_tuple_delete(offnum + 1)
}

fn append(page: &mut Page, item: &[u8]) -> Result<()> {
    let at = page.max_offset() + 1;
    add(page, item, at)
}
