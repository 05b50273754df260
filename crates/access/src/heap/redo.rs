//! Replaying the heap's WAL records.
//!
//! A record that clears bits of the visibility map does so also if the heap page is up to date already: the map's page
//! may be older. What the page looks like afterwards is what the writer left (hint bits, command ids and a speculative
//! insertion's token apart): the tests hold the two against each other.
//!
//! PostgreSQL: `heapam_xlog.c`.

use base::{BLCKSZ, BlockNumber, OffsetNumber, RelFileLocator, Result, TupleId, Xid};
use storage::page::{AddItem, Page};
use storage::{BufferTag, ReadMode, critical, fsm, vm};
use wal::bytes::Reader;
use wal::{Record, RedoBuffer, RedoContext, ResourceManager};

use super::change;
use super::prune;
use super::wal::*;
use crate::tuple::{self, Header, header, infomask};

/// The resource manager of [`wal::RmgrId::HEAP`].
pub struct HeapManager;
/// The resource manager of [`wal::RmgrId::HEAP2`].
pub struct Heap2Manager;

impl ResourceManager for HeapManager {
    fn redo(&self, cx: &RedoContext, record: &Record) -> Result<()> {
        match record.rmgr_info() & op::MASK {
            op::INSERT => redo_insert(cx, record),
            op::DELETE => redo_delete(cx, record),
            op::UPDATE => redo_update(cx, record, false),
            op::HOT_UPDATE => redo_update(cx, record, true),
            // The truncation itself is logged by the storage manager; this record is for logical decoding.
            op::TRUNCATE => Ok(()),
            op::CONFIRM => redo_confirm(cx, record),
            op::LOCK => redo_lock(cx, record, false),
            _ => redo_inplace(cx, record),
        }
    }
    fn identify(&self, info: u8) -> Option<String> {
        identify(info).map(str::to_owned)
    }
    fn desc(&self, record: &Record, out: &mut String) {
        let _ = desc(record, out);
    }
}

impl ResourceManager for Heap2Manager {
    fn redo(&self, cx: &RedoContext, record: &Record) -> Result<()> {
        match record.rmgr_info() & op::MASK {
            op2::PRUNE_ON_ACCESS | op2::PRUNE_VACUUM_SCAN | op2::PRUNE_VACUUM_CLEANUP => redo_prune(cx, record),
            op2::VISIBLE => redo_visible(cx, record),
            op2::MULTI_INSERT => redo_multi_insert(cx, record),
            op2::LOCK_UPDATED => redo_lock(cx, record, true),
            // For logical decoding only.
            op2::NEW_CID => Ok(()),
            _ => Err(base::PgError::unsupported("replaying logical rewrite mappings")),
        }
    }
    fn identify(&self, info: u8) -> Option<String> {
        identify2(info).map(str::to_owned)
    }
    fn desc(&self, record: &Record, out: &mut String) {
        let _ = desc2(record, out);
    }
}

/// The tuple a record speaks of.
fn normal_item<'p>(record: &Record, page: &'p mut Page, offnum: OffsetNumber) -> Result<&'p mut [u8]> {
    if !page.item_id(offnum).is_normal() {
        return Err(record.damaged("invalid lp"));
    }
    match page.item_mut(offnum) {
        Some(t) if t.len() >= tuple::HEADER_SIZE => Ok(t),
        _ => Err(record.damaged("invalid lp")),
    }
}

/// Clears bits of the map for one heap block. Records of older minor releases name no block of the map.
fn clear_vm(cx: &RedoContext, record: &Record, l: RelFileLocator, heap: BlockNumber, id: u8, bits: u8) -> Result<()> {
    if record.block(id).is_some() {
        if let RedoBuffer::NeedsRedo(mut page) = cx.read_buffer_for_redo(record, id)? {
            critical(|section| {
                if vm::clear(page.write(section), heap, bits) {
                    page.set_lsn(section, record.end);
                }
            });
        }
        return Ok(());
    }
    let buffer = vm::pin(&cx.pool, l, heap)?;
    let mut page = buffer.exclusive();
    if vm::bits(&page, heap) & bits != 0 {
        critical(|section| vm::clear(page.write(section), heap, bits));
    }
    Ok(())
}

/// The free-space map hears of pages that run low, and of pages that were cleaned.
fn note_free_space(cx: &RedoContext, l: RelFileLocator, block: BlockNumber, free: Option<usize>) -> Result<()> {
    match free {
        Some(free) => fsm::record(&cx.pool, l, block, free),
        None => Ok(()),
    }
}

fn if_low(free: usize) -> Option<usize> {
    (free < BLCKSZ / 5).then_some(free)
}

/// The page a tuple goes to, made anew where the record says so.
fn target(cx: &RedoContext, record: &Record, id: u8) -> Result<RedoBuffer> {
    if record.info & op::INIT_PAGE == 0 {
        return cx.read_buffer_for_redo(record, id);
    }
    let mut page = cx.init_buffer_for_redo(record, id)?;
    critical(|section| page.write(section).init(0));
    Ok(RedoBuffer::NeedsRedo(page))
}

/// A tuple's bytes from the five logged bytes of its header and what follows the header.
fn rebuild(head: &[u8], body: &[&[u8]], xmin: Xid, tid: TupleId) -> Vec<u8> {
    let mut t = vec![0; tuple::HEADER_SIZE];
    header::set_xmin(&mut t, xmin);
    header::set_ctid(&mut t, tid);
    t[18..23].copy_from_slice(head);
    body.iter().for_each(|b| t.extend_from_slice(b));
    t
}

fn place(record: &Record, page: &mut Page, t: &[u8], offnum: OffsetNumber) -> Result<()> {
    if page.max_offset() + 1 < offnum {
        return Err(record.damaged("invalid max offset number"));
    }
    if t.len() > tuple::MAX_HEAP_TUPLE_SIZE || page.add_item(t, AddItem::OverwriteHeap(offnum)).is_none() {
        return Err(record.damaged("failed to add tuple"));
    }
    Ok(())
}

fn redo_insert(cx: &RedoContext, record: &Record) -> Result<()> {
    let r = Insert::decode(record)?;
    let block = record.require_block(0)?;
    let (l, blkno) = (block.locator, block.block);
    if r.flags & insert_flags::ALL_VISIBLE_CLEARED != 0 {
        clear_vm(cx, record, l, blkno, 1, vm::VALID_BITS)?;
    }
    let Some(mut page) = target(cx, record, 0)?.needs_redo() else { return Ok(()) };
    let mut data = Reader::new(record.block_data(0));
    let head = data.bytes(HEADER_SIZE)?;
    let t = rebuild(head, &[data.rest()], record.xid, TupleId::new(blkno, r.offnum));
    let free = critical(|section| {
        let p = page.write(section);
        place(record, p, &t, r.offnum)?;
        if r.flags & insert_flags::ALL_VISIBLE_CLEARED != 0 {
            p.clear_flag(storage::page::flags::ALL_VISIBLE);
        }
        let free = p.heap_free_space();
        page.set_lsn(section, record.end);
        Ok(free)
    })?;
    drop(page);
    note_free_space(cx, l, blkno, if_low(free))
}

fn redo_multi_insert(cx: &RedoContext, record: &Record) -> Result<()> {
    let r = MultiInsert::decode(record)?;
    let block = record.require_block(0)?;
    let (l, blkno) = (block.locator, block.block);
    if r.flags & insert_flags::ALL_VISIBLE_CLEARED != 0 {
        clear_vm(cx, record, l, blkno, 1, vm::VALID_BITS)?;
    }
    let Some(mut page) = target(cx, record, 0)?.needs_redo() else { return Ok(()) };
    let mut data = Reader::new(record.block_data(0));
    let free = critical(|section| {
        let p = page.write(section);
        for i in 0..r.ntuples {
            let offnum = r.offsets.get(usize::from(i)).copied().unwrap_or(i + 1);
            data.align(2)?;
            let len = data.u16()?;
            let head = data.bytes(HEADER_SIZE)?;
            let body = data.bytes(usize::from(len))?;
            let t = rebuild(head, &[body], record.xid, TupleId::new(blkno, offnum));
            place(record, p, &t, offnum)?;
        }
        if data.remaining() != 0 {
            return Err(record.damaged("total tuple length mismatch"));
        }
        if r.flags & insert_flags::ALL_VISIBLE_CLEARED != 0 {
            p.clear_flag(storage::page::flags::ALL_VISIBLE);
        }
        if r.flags & insert_flags::ALL_FROZEN_SET != 0 {
            p.set_flag(storage::page::flags::ALL_VISIBLE);
        }
        let free = p.heap_free_space();
        page.set_lsn(section, record.end);
        Ok(free)
    })?;
    drop(page);
    note_free_space(cx, l, blkno, if_low(free))
}

fn redo_delete(cx: &RedoContext, record: &Record) -> Result<()> {
    let r = Delete::decode(record)?;
    let block = record.require_block(0)?;
    if r.flags & delete_flags::ALL_VISIBLE_CLEARED != 0 {
        clear_vm(cx, record, block.locator, block.block, 1, vm::VALID_BITS)?;
    }
    let Some(mut page) = cx.read_buffer_for_redo(record, 0)?.needs_redo() else { return Ok(()) };
    let tid = TupleId::new(block.block, r.offnum);
    critical(|section| {
        let p = page.write(section);
        let t = normal_item(record, p, r.offnum)?;
        change::set_xmax_from_infobits(t, r.infobits, Some(false));
        if r.flags & delete_flags::IS_SUPER == 0 {
            header::set_xmax(t, r.xmax);
        } else {
            header::set_xmin(t, Xid::INVALID);
        }
        change::set_first_cmax(t);
        header::set_ctid(
            t,
            if r.flags & delete_flags::IS_PARTITION_MOVE != 0 { change::MOVED_PARTITIONS } else { tid },
        );
        change::set_prunable(p, record.xid);
        if r.flags & delete_flags::ALL_VISIBLE_CLEARED != 0 {
            p.clear_flag(storage::page::flags::ALL_VISIBLE);
        }
        page.set_lsn(section, record.end);
        Ok(())
    })
}

fn redo_update(cx: &RedoContext, record: &Record, hot: bool) -> Result<()> {
    let r = Update::decode(record)?;
    let new_block = record.require_block(0)?;
    let (l, new_blkno) = (new_block.locator, new_block.block);
    let old_blkno = record.block(1).map_or(new_blkno, |b| b.block);
    let new_tid = TupleId::new(new_blkno, r.new_offnum);
    let old_cleared = r.flags & update_flags::OLD_ALL_VISIBLE_CLEARED != 0;
    let new_cleared = r.flags & update_flags::NEW_ALL_VISIBLE_CLEARED != 0;
    redo_update_vm(cx, record, l, (old_blkno, old_cleared), (new_blkno, new_cleared))?;

    let same = old_blkno == new_blkno;
    let mut old = cx.read_buffer_for_redo(record, if same { 0 } else { 1 })?;
    let mut old_bytes = Vec::new();
    let needs = matches!(old, RedoBuffer::NeedsRedo(_));
    if let RedoBuffer::NeedsRedo(page) = &mut old {
        critical(|section| {
            let p = page.write(section);
            let t = normal_item(record, p, r.old_offnum)?;
            if same {
                old_bytes = t.to_vec();
            }
            change::set_xmax_from_infobits(t, r.old_infobits, Some(hot));
            header::set_xmax(t, r.old_xmax);
            change::set_first_cmax(t);
            header::set_ctid(t, new_tid);
            change::set_prunable(p, record.xid);
            if old_cleared {
                p.clear_flag(storage::page::flags::ALL_VISIBLE);
            }
            page.set_lsn(section, record.end);
            Ok(())
        })?;
    }
    let new = match same {
        true if needs => old.into_page(),
        true => None,
        // The old page stays latched until the new version is there.
        false => target(cx, record, 0)?.needs_redo(),
    };
    let Some(mut page) = new else { return Ok(()) };
    let t = updated_tuple(record, &r, &old_bytes, new_tid)?;
    let free = critical(|section| {
        let p = page.write(section);
        place(record, p, &t, r.new_offnum)?;
        if new_cleared {
            p.clear_flag(storage::page::flags::ALL_VISIBLE);
        }
        let free = p.heap_free_space();
        page.set_lsn(section, record.end);
        Ok(free)
    })?;
    drop(page);
    note_free_space(cx, l, new_blkno, if_low(free).filter(|_| !hot))
}

/// The new version: what the record holds, with the ends it shares with the old one.
fn updated_tuple(record: &Record, r: &Update, old: &[u8], tid: TupleId) -> Result<Vec<u8>> {
    let mut data = Reader::new(record.block_data(0));
    let mut common = |flag: u8| -> Result<usize> { Ok(if r.flags & flag != 0 { usize::from(data.u16()?) } else { 0 }) };
    let prefix = common(update_flags::PREFIX_FROM_OLD)?;
    let suffix = common(update_flags::SUFFIX_FROM_OLD)?;
    let head = data.bytes(HEADER_SIZE)?;
    let old_data = Header::new(old).and_then(|h| old.get(h.hoff()..)).unwrap_or(&[]);
    if prefix + suffix > old_data.len() {
        return Err(record.damaged("invalid prefix or suffix length"));
    }
    let bitmap = match prefix {
        0 => &[][..],
        _ => data.bytes(usize::from(head[4]).saturating_sub(tuple::HEADER_SIZE))?,
    };
    let body = [bitmap, &old_data[..prefix], data.rest(), &old_data[old_data.len() - suffix..]];
    let mut t = rebuild(head, &body, record.xid, tid);
    header::set_xmax(&mut t, r.new_xmax);
    Ok(t)
}

fn redo_update_vm(
    cx: &RedoContext,
    record: &Record,
    l: RelFileLocator,
    old: (BlockNumber, bool),
    new: (BlockNumber, bool),
) -> Result<()> {
    const VM_NEW: u8 = 2;
    const VM_OLD: u8 = 3;
    let named = |id| record.block(id).is_some();
    if !named(VM_NEW) && !named(VM_OLD) {
        for (block, cleared) in [old, new] {
            if cleared {
                clear_vm(cx, record, l, block, VM_NEW, vm::VALID_BITS)?;
            }
        }
        return Ok(());
    }
    if named(VM_NEW)
        && let RedoBuffer::NeedsRedo(mut page) = cx.read_buffer_for_redo(record, VM_NEW)?
    {
        // One page of the map may hold the bits of both heap pages; it is then named once.
        let both = old.1 && vm::covers(page.buffer(), old.0);
        critical(|section| {
            let p = page.write(section);
            let changed = both && vm::clear(p, old.0, vm::VALID_BITS);
            if vm::clear(p, new.0, vm::VALID_BITS) || changed {
                page.set_lsn(section, record.end);
            }
        });
    }
    if named(VM_OLD) {
        clear_vm(cx, record, l, old.0, VM_OLD, vm::VALID_BITS)?;
    }
    Ok(())
}

fn redo_confirm(cx: &RedoContext, record: &Record) -> Result<()> {
    let r = Confirm::decode(record)?;
    let Some(mut page) = cx.read_buffer_for_redo(record, 0)?.needs_redo() else { return Ok(()) };
    let tid = TupleId::new(page.block(), r.offnum);
    critical(|section| {
        header::set_ctid(normal_item(record, page.write(section), r.offnum)?, tid);
        page.set_lsn(section, record.end);
        Ok(())
    })
}

fn redo_lock(cx: &RedoContext, record: &Record, updated: bool) -> Result<()> {
    let r = Lock::decode(record)?;
    let block = record.require_block(0)?;
    if r.flags & lock_flags::ALL_FROZEN_CLEARED != 0 {
        clear_vm(cx, record, block.locator, block.block, 1, vm::ALL_FROZEN)?;
    }
    let Some(mut page) = cx.read_buffer_for_redo(record, 0)?.needs_redo() else { return Ok(()) };
    let tid = TupleId::new(block.block, r.offnum);
    critical(|section| {
        let t = normal_item(record, page.write(section), r.offnum)?;
        change::set_xmax_from_infobits(t, r.infobits, None);
        if !updated {
            if Header::new(t).is_some_and(|h| h.xmax_locked_only()) {
                header::change_infomask2(t, tuple::infomask2::HOT_UPDATED, 0);
                header::set_ctid(t, tid);
            }
            change::set_first_cmax(t);
        }
        header::set_xmax(t, r.xmax);
        page.set_lsn(section, record.end);
        Ok(())
    })
}

fn redo_inplace(cx: &RedoContext, record: &Record) -> Result<()> {
    let r = Inplace::decode(record)?;
    // Nobody has caches yet that the messages would concern.
    let Some(mut page) = cx.read_buffer_for_redo(record, 0)?.needs_redo() else { return Ok(()) };
    critical(|section| {
        let t = normal_item(record, page.write(section), r.offnum)?;
        let hoff = usize::from(t[22]);
        match t.get_mut(hoff..) {
            Some(data) if data.len() == record.block_data(0).len() => data.copy_from_slice(record.block_data(0)),
            _ => return Err(record.damaged("wrong tuple length")),
        }
        page.set_lsn(section, record.end);
        Ok(())
    })
}

fn redo_prune(cx: &RedoContext, record: &Record) -> Result<()> {
    let (r, flags) = Prune::decode(record)?;
    let block = record.require_block(0)?;
    let cleanup = flags & prune_flags::CLEANUP_LOCK != 0;
    let found = match cleanup {
        true => cx.read_buffer_for_cleanup(record, 0)?,
        false => cx.read_buffer_for_redo(record, 0)?,
    };
    let page = match found {
        RedoBuffer::NeedsRedo(mut page) => {
            critical(|section| {
                let p = page.write(section);
                prune::apply(p, &r, !cleanup)?;
                page.set_lsn(section, record.end);
                Ok::<_, base::PgError>(())
            })?;
            Some(page)
        }
        other => other.into_page(),
    };
    let freed = prune_flags::HAS_REDIRECTIONS | prune_flags::HAS_DEAD_ITEMS | prune_flags::HAS_NOW_UNUSED_ITEMS;
    let free = page.as_ref().filter(|_| flags & freed != 0).map(|p| p.heap_free_space());
    drop(page);
    note_free_space(cx, block.locator, block.block, free)
}

fn redo_visible(cx: &RedoContext, record: &Record) -> Result<()> {
    let r = Visible::decode(record)?;
    let block = record.require_block(1)?;
    let (l, blkno) = (block.locator, block.block);
    let found = cx.read_buffer_for_redo(record, 1)?;
    let page = match found {
        RedoBuffer::NeedsRedo(mut page) => {
            critical(|section| {
                page.write(section).set_flag(storage::page::flags::ALL_VISIBLE);
                // Where hints are logged, this change may need the page's image, and so its LSN.
                if cx.pool.options().checksums {
                    page.set_lsn(section, record.end);
                }
            });
            Some(page)
        }
        other => other.into_page(),
    };
    let bits = r.flags & vm::VALID_BITS;
    let free = page.as_ref().filter(|_| bits != 0).map(|p| p.free_space());
    drop(page);
    note_free_space(cx, l, blkno, free)?;
    let Some(tag) = record.block(0).map(|b| b.tag()) else { return Ok(()) };
    set_vm(cx, record, tag, blkno, bits)
}

/// The map's page may be damaged or torn: then it is begun anew.
fn set_vm(cx: &RedoContext, record: &Record, tag: BufferTag, heap: BlockNumber, bits: u8) -> Result<()> {
    let applies_image = record.block(0).is_some_and(|b| b.applies_image());
    if applies_image {
        return cx.read_buffer_for_redo(record, 0).map(|_| ());
    }
    if cx.pool.nblocks(tag.locator, tag.fork)? <= tag.block.0 {
        cx.pool.extend_to(tag.locator, tag.fork, tag.block.0 + 1)?;
    }
    let mut page = cx.pool.pin(tag, ReadMode::ZeroOnError, None)?.into_exclusive();
    if page.lsn() >= record.end {
        return Ok(());
    }
    critical(|section| {
        let p = page.write(section);
        if p.is_new() {
            p.init(0);
        }
        if vm::set(p, heap, bits) {
            page.set_lsn(section, record.end);
        }
    });
    Ok(())
}

/// Registers the heap's resource managers.
pub fn register(table: &mut wal::RmgrTable) {
    table.register(wal::RmgrId::HEAP, std::sync::Arc::new(HeapManager));
    table.register(wal::RmgrId::HEAP2, std::sync::Arc::new(Heap2Manager));
}

/// A page as redo and the original must agree on it: hint bits, command ids, speculative tokens and padding are masked,
/// LSN and checksum are zero. (PostgreSQL: `heap_mask`)
pub fn mask(page: &mut Page, block: BlockNumber) {
    page.set_lsn(base::Lsn::INVALID);
    page.set_checksum(0);
    page.set_prune_xid(Xid::INVALID);
    page.clear_flag(storage::page::flags::HAS_FREE_LINES | storage::page::flags::PAGE_FULL);
    page.clear_flag(storage::page::flags::ALL_VISIBLE);
    let (lower, upper) = (page.lower().min(BLCKSZ), page.upper().min(BLCKSZ));
    if lower < upper {
        page.bytes_mut()[lower..upper].fill(0);
    }
    for off in page.offsets() {
        let item = page.item_id(off);
        if item.has_storage() {
            let (end, pad) = (item.offset() + item.len(), storage::page::maxalign(item.len()) - item.len());
            page.bytes_mut()[end..end + pad].fill(0);
        }
        if !item.is_normal() {
            continue;
        }
        let Some(t) = page.item_mut(off).filter(|t| t.len() >= tuple::HEADER_SIZE) else { continue };
        let h = Header::new(t).expect("long enough");
        let (frozen, speculative) = (h.xmin_frozen(), h.is_speculative());
        let hints = if frozen { infomask::XMAX_INVALID | infomask::XMAX_COMMITTED } else { infomask::XACT_MASK };
        header::change_infomask(t, hints, 0);
        header::set_raw_cid(t, base::CommandId(0));
        if speculative {
            header::set_ctid(t, TupleId::new(block, off));
        }
    }
}
