//! The heap's WAL records: their bytes, their names, their text. Replaying them is in `redo.rs`.
//!
//! A record's main data is a small struct of this file; tuples are data of block 0. Fields are little endian at the
//! places PostgreSQL's C structs have them.
//!
//! PostgreSQL: `heapam_xlog.h`, `heapdesc.c`.

use std::fmt::Write;

use base::{CommandId, OffsetNumber, RelFileLocator, Result, TupleId, Xid};
use wal::Record;
use wal::bytes::{Put, Reader};

/// Operations of the heap's first resource manager.
pub mod op {
    pub const INSERT: u8 = 0x00;
    pub const DELETE: u8 = 0x10;
    pub const UPDATE: u8 = 0x20;
    pub const TRUNCATE: u8 = 0x30;
    pub const HOT_UPDATE: u8 = 0x40;
    pub const CONFIRM: u8 = 0x50;
    pub const LOCK: u8 = 0x60;
    pub const INPLACE: u8 = 0x70;
    pub const MASK: u8 = 0x70;
    /// The tuple is the page's first: redo makes the page anew.
    pub const INIT_PAGE: u8 = 0x80;
}

/// Operations of its second.
pub mod op2 {
    pub const REWRITE: u8 = 0x00;
    pub const PRUNE_ON_ACCESS: u8 = 0x10;
    pub const PRUNE_VACUUM_SCAN: u8 = 0x20;
    pub const PRUNE_VACUUM_CLEANUP: u8 = 0x30;
    pub const VISIBLE: u8 = 0x40;
    pub const MULTI_INSERT: u8 = 0x50;
    pub const LOCK_UPDATED: u8 = 0x60;
    pub const NEW_CID: u8 = 0x70;
}

/// Flags of [`Insert`] and [`MultiInsert`]. (PostgreSQL: `XLH_INSERT_*`)
pub mod insert_flags {
    pub const ALL_VISIBLE_CLEARED: u8 = 1;
    pub const LAST_IN_MULTI: u8 = 2;
    pub const IS_SPECULATIVE: u8 = 4;
    pub const CONTAINS_NEW_TUPLE: u8 = 8;
    pub const ON_TOAST_RELATION: u8 = 16;
    pub const ALL_FROZEN_SET: u8 = 32;
}

/// Flags of [`Update`]. (PostgreSQL: `XLH_UPDATE_*`)
pub mod update_flags {
    pub const OLD_ALL_VISIBLE_CLEARED: u8 = 1;
    pub const NEW_ALL_VISIBLE_CLEARED: u8 = 2;
    pub const CONTAINS_OLD_TUPLE: u8 = 4;
    pub const CONTAINS_OLD_KEY: u8 = 8;
    pub const CONTAINS_NEW_TUPLE: u8 = 16;
    pub const PREFIX_FROM_OLD: u8 = 32;
    pub const SUFFIX_FROM_OLD: u8 = 64;
}

/// Flags of [`Delete`]. (PostgreSQL: `XLH_DELETE_*`)
pub mod delete_flags {
    pub const ALL_VISIBLE_CLEARED: u8 = 1;
    pub const CONTAINS_OLD_TUPLE: u8 = 2;
    pub const CONTAINS_OLD_KEY: u8 = 4;
    /// A speculative insertion is taken back.
    pub const IS_SUPER: u8 = 8;
    pub const IS_PARTITION_MOVE: u8 = 16;
}

/// Flags of [`Lock`]. (PostgreSQL: `XLH_LOCK_*`)
pub mod lock_flags {
    pub const ALL_FROZEN_CLEARED: u8 = 1;
}

/// Flags of [`Prune`]. (PostgreSQL: `XLHP_*`)
pub mod prune_flags {
    pub const IS_CATALOG_REL: u8 = 1 << 1;
    pub const CLEANUP_LOCK: u8 = 1 << 2;
    pub const HAS_CONFLICT_HORIZON: u8 = 1 << 3;
    pub const HAS_FREEZE_PLANS: u8 = 1 << 4;
    pub const HAS_REDIRECTIONS: u8 = 1 << 5;
    pub const HAS_DEAD_ITEMS: u8 = 1 << 6;
    pub const HAS_NOW_UNUSED_ITEMS: u8 = 1 << 7;
}

/// Bits of an xmax, in short. (PostgreSQL: `XLHL_*`)
pub mod infobits {
    pub const XMAX_IS_MULTI: u8 = 1;
    pub const XMAX_LOCK_ONLY: u8 = 2;
    pub const XMAX_EXCL_LOCK: u8 = 4;
    pub const XMAX_KEYSHR_LOCK: u8 = 8;
    pub const KEYS_UPDATED: u8 = 16;
}

/// The five bytes of a tuple header that are logged; the rest is known. (PostgreSQL: `xl_heap_header`)
pub const HEADER_SIZE: usize = 5;
/// The VM flag in [`Visible`] that tells a catalog. (PostgreSQL: `VISIBILITYMAP_XLOG_CATALOG_REL`)
pub const VISIBLE_CATALOG_REL: u8 = 4;

/// Appends the logged part of a tuple's header.
pub fn put_header(out: &mut Vec<u8>, tuple: &[u8]) {
    out.put(&tuple[18..23]);
}

pub struct Insert {
    pub offnum: OffsetNumber,
    pub flags: u8,
}

impl Insert {
    pub fn encode(&self) -> [u8; 3] {
        let o = self.offnum.to_le_bytes();
        [o[0], o[1], self.flags]
    }
    pub fn decode(record: &Record) -> Result<Insert> {
        let mut r = record.main_reader();
        Ok(Insert { offnum: r.u16()?, flags: r.u8()? })
    }
}

pub struct Delete {
    pub xmax: Xid,
    pub offnum: OffsetNumber,
    pub infobits: u8,
    pub flags: u8,
}

impl Delete {
    pub fn encode(&self) -> [u8; 8] {
        eight(self.xmax, self.offnum, self.infobits, self.flags)
    }
    pub fn decode(record: &Record) -> Result<Delete> {
        let mut r = record.main_reader();
        Ok(Delete { xmax: r.xid()?, offnum: r.u16()?, infobits: r.u8()?, flags: r.u8()? })
    }
}

fn eight(xmax: Xid, offnum: OffsetNumber, infobits: u8, flags: u8) -> [u8; 8] {
    let (x, o) = (xmax.0.to_le_bytes(), offnum.to_le_bytes());
    [x[0], x[1], x[2], x[3], o[0], o[1], infobits, flags]
}

/// Also [`op2::LOCK_UPDATED`]: a later version of the row was locked.
pub struct Lock {
    pub xmax: Xid,
    pub offnum: OffsetNumber,
    pub infobits: u8,
    pub flags: u8,
}

impl Lock {
    pub fn encode(&self) -> [u8; 8] {
        eight(self.xmax, self.offnum, self.infobits, self.flags)
    }
    pub fn decode(record: &Record) -> Result<Lock> {
        let mut r = record.main_reader();
        Ok(Lock { xmax: r.xid()?, offnum: r.u16()?, infobits: r.u8()?, flags: r.u8()? })
    }
}

pub struct Update {
    pub old_xmax: Xid,
    pub old_offnum: OffsetNumber,
    pub old_infobits: u8,
    pub flags: u8,
    pub new_xmax: Xid,
    pub new_offnum: OffsetNumber,
}

impl Update {
    pub fn encode(&self) -> Vec<u8> {
        let mut b = Vec::with_capacity(14);
        b.put(&eight(self.old_xmax, self.old_offnum, self.old_infobits, self.flags));
        b.put_u32(self.new_xmax.0);
        b.put_u16(self.new_offnum);
        b
    }
    pub fn decode(record: &Record) -> Result<Update> {
        let mut r = record.main_reader();
        Ok(Update {
            old_xmax: r.xid()?,
            old_offnum: r.u16()?,
            old_infobits: r.u8()?,
            flags: r.u8()?,
            new_xmax: r.xid()?,
            new_offnum: r.u16()?,
        })
    }
}

/// Several tuples on one page. `offsets` is empty if the page is made anew: then they are numbered from 1.
pub struct MultiInsert {
    pub flags: u8,
    pub ntuples: u16,
    pub offsets: Vec<OffsetNumber>,
}

impl MultiInsert {
    pub fn encode(&self) -> Vec<u8> {
        let mut b = vec![self.flags, 0];
        b.put_u16(self.ntuples);
        self.offsets.iter().for_each(|o| b.put_u16(*o));
        b
    }
    pub fn decode(record: &Record) -> Result<MultiInsert> {
        let mut r = record.main_reader();
        let flags = r.u8()?;
        r.skip(1)?;
        let ntuples = r.u16()?;
        let offsets = match record.info & op::INIT_PAGE != 0 {
            true => Vec::new(),
            false => (0..ntuples).map(|_| r.u16()).collect::<Result<_>>()?,
        };
        Ok(MultiInsert { flags, ntuples, offsets })
    }
    /// Appends one tuple to block 0's data. (PostgreSQL: `xl_multi_insert_tuple`)
    pub fn put_tuple(out: &mut Vec<u8>, tuple: &[u8]) {
        if out.len() % 2 != 0 {
            out.put_u8(0);
        }
        out.put_u16((tuple.len() - crate::tuple::HEADER_SIZE) as u16);
        put_header(out, tuple);
        out.put(&tuple[crate::tuple::HEADER_SIZE..]);
    }
}

pub struct Confirm {
    pub offnum: OffsetNumber,
}

impl Confirm {
    pub fn encode(&self) -> [u8; 2] {
        self.offnum.to_le_bytes()
    }
    pub fn decode(record: &Record) -> Result<Confirm> {
        Ok(Confirm { offnum: record.main_reader().u16()? })
    }
}

/// A tuple overwritten in place. The invalidation messages are PostgreSQL's, 16 bytes each.
pub struct Inplace {
    pub offnum: OffsetNumber,
    pub db: base::Oid,
    pub tablespace: base::Oid,
    pub relcache_init_file: bool,
    pub messages: Vec<[u8; 16]>,
}

impl Inplace {
    pub fn encode(&self) -> Vec<u8> {
        let mut b = Vec::with_capacity(20);
        b.put_u16(self.offnum);
        b.put_u16(0);
        b.put_u32(self.db.0);
        b.put_u32(self.tablespace.0);
        b.put_u32(u32::from(self.relcache_init_file));
        b.put_i32(self.messages.len() as i32);
        self.messages.iter().for_each(|m| b.put(m));
        b
    }
    pub fn decode(record: &Record) -> Result<Inplace> {
        let mut r = record.main_reader();
        let offnum = r.u16()?;
        r.skip(2)?;
        let (db, tablespace) = (r.oid()?, r.oid()?);
        let relcache_init_file = r.u8()? != 0;
        r.skip(3)?;
        let mut messages = Vec::new();
        for _ in 0..r.count(16)? {
            let mut m = [0; 16];
            m.copy_from_slice(r.bytes(16)?);
            messages.push(m);
        }
        Ok(Inplace { offnum, db, tablespace, relcache_init_file, messages })
    }
}

/// Bits of the visibility map were set: block 0 is the map's page, block 1 the heap's.
pub struct Visible {
    pub conflict_horizon: Xid,
    pub flags: u8,
}

impl Visible {
    pub fn encode(&self) -> [u8; 5] {
        let x = self.conflict_horizon.0.to_le_bytes();
        [x[0], x[1], x[2], x[3], self.flags]
    }
    pub fn decode(record: &Record) -> Result<Visible> {
        let mut r = record.main_reader();
        Ok(Visible { conflict_horizon: r.xid()?, flags: r.u8()? })
    }
}

/// For logical decoding: which commands of a transaction wrote a catalog tuple.
pub struct NewCid {
    pub top_xid: Xid,
    pub cmin: CommandId,
    pub cmax: CommandId,
    pub combo: CommandId,
    pub locator: RelFileLocator,
    pub tid: TupleId,
}

impl NewCid {
    pub fn encode(&self) -> Vec<u8> {
        let mut b = Vec::with_capacity(34);
        for n in [self.top_xid.0, self.cmin.0, self.cmax.0, self.combo.0] {
            b.put_u32(n);
        }
        b.put_locator(self.locator);
        b.put(&self.tid.to_bytes());
        b
    }
    pub fn decode(record: &Record) -> Result<NewCid> {
        let mut r = record.main_reader();
        let top_xid = r.xid()?;
        let (cmin, cmax, combo) = (CommandId(r.u32()?), CommandId(r.u32()?), CommandId(r.u32()?));
        let locator = r.locator()?;
        let mut tid = [0; 6];
        tid.copy_from_slice(r.bytes(6)?);
        Ok(NewCid { top_xid, cmin, cmax, combo, locator, tid: TupleId::from_bytes(tid) })
    }
}

/// How some tuples of a page are frozen. (PostgreSQL: `xlhp_freeze_plan`)
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FreezePlan {
    pub xmax: Xid,
    pub infomask2: u16,
    pub infomask: u16,
    pub frzflags: u8,
    pub offsets: Vec<OffsetNumber>,
}

/// A page was pruned, frozen, or rid of dead line pointers. (PostgreSQL: `xl_heap_prune` and what follows it)
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Prune {
    /// Only [`prune_flags::IS_CATALOG_REL`] and [`prune_flags::CLEANUP_LOCK`]; the others follow from the content.
    pub flags: u8,
    pub conflict_horizon: Option<Xid>,
    pub plans: Vec<FreezePlan>,
    pub redirected: Vec<(OffsetNumber, OffsetNumber)>,
    pub now_dead: Vec<OffsetNumber>,
    pub now_unused: Vec<OffsetNumber>,
}

impl Prune {
    /// Main data, and block 0's data.
    pub fn encode(&self) -> (Vec<u8>, Vec<u8>) {
        let mut flags = self.flags;
        let mut data = Vec::new();
        if !self.plans.is_empty() {
            flags |= prune_flags::HAS_FREEZE_PLANS;
            data.put_u16(self.plans.len() as u16);
            data.put_u16(0);
            for p in &self.plans {
                data.put_u32(p.xmax.0);
                data.put_u16(p.infomask2);
                data.put_u16(p.infomask);
                data.put(&[p.frzflags, 0]);
                data.put_u16(p.offsets.len() as u16);
            }
        }
        if !self.redirected.is_empty() {
            flags |= prune_flags::HAS_REDIRECTIONS;
            data.put_u16(self.redirected.len() as u16);
            for (from, to) in &self.redirected {
                data.put_u16(*from);
                data.put_u16(*to);
            }
        }
        for (items, flag) in
            [(&self.now_dead, prune_flags::HAS_DEAD_ITEMS), (&self.now_unused, prune_flags::HAS_NOW_UNUSED_ITEMS)]
        {
            if !items.is_empty() {
                flags |= flag;
                data.put_u16(items.len() as u16);
                items.iter().for_each(|o| data.put_u16(*o));
            }
        }
        self.plans.iter().flat_map(|p| &p.offsets).for_each(|o| data.put_u16(*o));
        // The byte before the flags holds nothing; the operation tells the reason.
        let mut main = vec![0, flags];
        if let Some(xid) = self.conflict_horizon {
            main[1] |= prune_flags::HAS_CONFLICT_HORIZON;
            main.put_u32(xid.0);
        }
        (main, data)
    }
    /// Block 0's part is empty if the record has none, e.g. because it carries the page's image.
    pub fn decode(record: &Record) -> Result<(Prune, u8)> {
        let mut r = record.main_reader();
        r.skip(1)?;
        let flags = r.u8()?;
        let mut p = Prune { flags: flags & 6, ..Prune::default() };
        if flags & prune_flags::HAS_CONFLICT_HORIZON != 0 {
            p.conflict_horizon = Some(r.xid()?);
        }
        let data = record.block_data(0);
        if data.is_empty() {
            return Ok((p, flags));
        }
        let mut r = Reader::new(data);
        let mut counts = Vec::new();
        if flags & prune_flags::HAS_FREEZE_PLANS != 0 {
            let n = r.u16()?;
            r.skip(2)?;
            for _ in 0..n {
                let (xmax, infomask2, infomask, frzflags) = (r.xid()?, r.u16()?, r.u16()?, r.u8()?);
                r.skip(1)?;
                counts.push(r.u16()?);
                p.plans.push(FreezePlan { xmax, infomask2, infomask, frzflags, offsets: Vec::new() });
            }
        }
        if flags & prune_flags::HAS_REDIRECTIONS != 0 {
            let n = r.u16()?;
            p.redirected = (0..n).map(|_| Ok((r.u16()?, r.u16()?))).collect::<Result<_>>()?;
        }
        if flags & prune_flags::HAS_DEAD_ITEMS != 0 {
            p.now_dead = offsets(&mut r)?;
        }
        if flags & prune_flags::HAS_NOW_UNUSED_ITEMS != 0 {
            p.now_unused = offsets(&mut r)?;
        }
        for (plan, n) in p.plans.iter_mut().zip(counts) {
            plan.offsets = (0..n).map(|_| r.u16()).collect::<Result<_>>()?;
        }
        Ok((p, flags))
    }
}

fn offsets(r: &mut Reader<'_>) -> Result<Vec<OffsetNumber>> {
    let n = r.u16()?;
    (0..n).map(|_| r.u16()).collect()
}

/// The name of an operation. (PostgreSQL: `heap_identify`)
pub fn identify(info: u8) -> Option<&'static str> {
    Some(match info & 0xF0 {
        op::INSERT => "INSERT",
        0x80 => "INSERT+INIT",
        op::DELETE => "DELETE",
        op::UPDATE => "UPDATE",
        0xA0 => "UPDATE+INIT",
        op::HOT_UPDATE => "HOT_UPDATE",
        0xC0 => "HOT_UPDATE+INIT",
        op::TRUNCATE => "TRUNCATE",
        op::CONFIRM => "HEAP_CONFIRM",
        op::LOCK => "LOCK",
        op::INPLACE => "INPLACE",
        _ => return None,
    })
}

/// (PostgreSQL: `heap2_identify`)
pub fn identify2(info: u8) -> Option<&'static str> {
    Some(match info & 0xF0 {
        op2::REWRITE => "REWRITE",
        op2::PRUNE_ON_ACCESS => "PRUNE_ON_ACCESS",
        op2::PRUNE_VACUUM_SCAN => "PRUNE_VACUUM_SCAN",
        op2::PRUNE_VACUUM_CLEANUP => "PRUNE_VACUUM_CLEANUP",
        op2::VISIBLE => "VISIBLE",
        op2::MULTI_INSERT => "MULTI_INSERT",
        0xD0 => "MULTI_INSERT+INIT",
        op2::LOCK_UPDATED => "LOCK_UPDATED",
        op2::NEW_CID => "NEW_CID",
        _ => return None,
    })
}

fn infobits_text(bits: u8) -> String {
    const NAMES: [&str; 5] = ["IS_MULTI", "LOCK_ONLY", "EXCL_LOCK", "KEYSHR_LOCK", "KEYS_UPDATED"];
    let set: Vec<&str> = NAMES.iter().enumerate().filter(|(i, _)| bits >> i & 1 != 0).map(|(_, n)| *n).collect();
    format!("[{}]", set.join(", "))
}

fn list<T>(items: &[T], text: impl Fn(&T) -> String) -> String {
    format!(" [{}]", items.iter().map(text).collect::<Vec<_>>().join(", "))
}

/// What a record of the first resource manager says. (PostgreSQL: `heap_desc`)
pub fn desc(record: &Record, out: &mut String) -> Result<()> {
    let _ = match record.rmgr_info() & op::MASK {
        op::INSERT => {
            let r = Insert::decode(record)?;
            write!(out, "off: {}, flags: 0x{:02X}", r.offnum, r.flags)
        }
        op::DELETE => {
            let r = Delete::decode(record)?;
            let bits = infobits_text(r.infobits);
            write!(out, "xmax: {}, off: {}, infobits: {bits}, flags: 0x{:02X}", r.xmax, r.offnum, r.flags)
        }
        op::UPDATE | op::HOT_UPDATE => {
            let r = Update::decode(record)?;
            let bits = infobits_text(r.old_infobits);
            let _ = write!(out, "old_xmax: {}, old_off: {}, old_infobits: {bits}", r.old_xmax, r.old_offnum);
            write!(out, ", flags: 0x{:02X}, new_xmax: {}, new_off: {}", r.flags, r.new_xmax, r.new_offnum)
        }
        op::TRUNCATE => {
            let mut r = record.main_reader();
            r.skip(4)?;
            let n = r.u32()?;
            let flags = r.u8()?;
            r.skip(3)?;
            let ids: Vec<u32> = (0..n).map(|_| r.u32()).collect::<Result<_>>()?;
            let names: Vec<&str> =
                [(1, "CASCADE"), (2, "RESTART_SEQS")].iter().filter(|f| flags & f.0 != 0).map(|f| f.1).collect();
            let ids = list(&ids, u32::to_string);
            write!(out, "flags: [{}], nrelids: {n}, relids:{ids}", names.join(", "))
        }
        op::CONFIRM => write!(out, "off: {}", Confirm::decode(record)?.offnum),
        op::LOCK => desc_lock(&Lock::decode(record)?, out),
        _ => desc_inplace(&Inplace::decode(record)?, out),
    };
    Ok(())
}

fn desc_lock(r: &Lock, out: &mut String) -> std::fmt::Result {
    let bits = infobits_text(r.infobits);
    write!(out, "xmax: {}, off: {}, infobits: {bits}, flags: 0x{:02X}", r.xmax, r.offnum, r.flags)
}

fn desc_inplace(r: &Inplace, out: &mut String) -> std::fmt::Result {
    write!(out, "off: {}", r.offnum)?;
    if r.messages.is_empty() {
        return Ok(());
    }
    if r.relcache_init_file {
        write!(out, "; relcache init file inval dbid {} tsid {}", r.db, r.tablespace)?;
    }
    out.push_str("; inval msgs:");
    for m in &r.messages {
        let u32_at = |i: usize| u32::from_le_bytes([m[i], m[i + 1], m[i + 2], m[i + 3]]);
        match m[0] as i8 {
            id @ 0.. => write!(out, " catcache {id}")?,
            -1 => write!(out, " catalog {}", u32_at(8))?,
            -2 => write!(out, " relcache {}", u32_at(8))?,
            -3 => write!(out, " smgr")?,
            -4 => write!(out, " relmap db {}", u32_at(4))?,
            -5 => write!(out, " snapshot {}", u32_at(8))?,
            -6 => write!(out, " relsync {}", u32_at(8))?,
            id => write!(out, " unrecognized id {id}")?,
        }
    }
    Ok(())
}

/// What a record of the second says. (PostgreSQL: `heap2_desc`)
pub fn desc2(record: &Record, out: &mut String) -> Result<()> {
    let _ = match record.rmgr_info() & op::MASK {
        op2::PRUNE_ON_ACCESS | op2::PRUNE_VACUUM_SCAN | op2::PRUNE_VACUUM_CLEANUP => {
            let (p, flags) = Prune::decode(record)?;
            if let Some(xid) = p.conflict_horizon {
                let _ = write!(out, "snapshotConflictHorizon: {xid}");
            }
            let catalog = if flags & prune_flags::IS_CATALOG_REL != 0 { 'T' } else { 'F' };
            let _ = write!(out, ", isCatalogRel: {catalog}");
            if !record.block_data(0).is_empty() {
                desc_prune(&p, out);
            }
            Ok(())
        }
        op2::VISIBLE => {
            let r = Visible::decode(record)?;
            write!(out, "snapshotConflictHorizon: {}, flags: 0x{:02X}", r.conflict_horizon, r.flags)
        }
        op2::MULTI_INSERT => {
            let r = MultiInsert::decode(record)?;
            let _ = write!(out, "ntuples: {}, flags: 0x{:02X}", r.ntuples, r.flags);
            if !record.block_data(0).is_empty() && !r.offsets.is_empty() {
                let _ = write!(out, ", offsets:{}", list(&r.offsets, u16::to_string));
            }
            Ok(())
        }
        op2::LOCK_UPDATED => desc_lock(&Lock::decode(record)?, out),
        op2::NEW_CID => {
            let r = NewCid::decode(record)?;
            let (l, t) = (r.locator, r.tid);
            let _ = write!(out, "rel: {}/{}/{}, tid: {}/{}", l.spc, l.db, l.rel, t.block, t.offset);
            write!(out, ", cmin: {}, cmax: {}, combo: {}", r.cmin.0, r.cmax.0, r.combo.0)
        }
        _ => Ok(()),
    };
    Ok(())
}

fn desc_prune(p: &Prune, out: &mut String) {
    let (np, nr, nd, nu) = (p.plans.len(), p.redirected.len(), p.now_dead.len(), p.now_unused.len());
    let _ = write!(out, ", nplans: {np}, nredirected: {nr}, ndead: {nd}, nunused: {nu}");
    if np > 0 {
        let text = |f: &FreezePlan| {
            let offsets = list(&f.offsets, u16::to_string);
            let (x, m, m2, n) = (f.xmax, f.infomask, f.infomask2, f.offsets.len());
            format!("{{ xmax: {x}, infomask: {m}, infomask2: {m2}, ntuples: {n}, offsets:{offsets} }}")
        };
        let _ = write!(out, ", plans:{}", list(&p.plans, text));
    }
    if nr > 0 {
        let _ = write!(out, ", redirected:{}", list(&p.redirected, |(a, b)| format!("{a}->{b}")));
    }
    if nd > 0 {
        let _ = write!(out, ", dead:{}", list(&p.now_dead, u16::to_string));
    }
    if nu > 0 {
        let _ = write!(out, ", unused:{}", list(&p.now_unused, u16::to_string));
    }
}
