//! Changes of a tuple's header, shared by those who make them and by redo.

use base::{BlockNumber, CommandId, TupleId, Xid};
use storage::Page;

use super::wal::infobits;
use crate::tuple::{MOVED_PARTITIONS_OFFSET, header, infomask, infomask2};

/// What `t_ctid` is when a row went to another partition.
pub const MOVED_PARTITIONS: TupleId = TupleId { block: BlockNumber::INVALID, offset: MOVED_PARTITIONS_OFFSET };

/// An xmax with the bits that tell what it means.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NewXmax {
    pub xmax: Xid,
    pub infomask: u16,
    pub infomask2: u16,
}

impl NewXmax {
    /// In short, for a record. (PostgreSQL: `compute_infobits`)
    pub fn infobits(&self) -> u8 {
        let pairs = [
            (self.infomask & infomask::XMAX_IS_MULTI, infobits::XMAX_IS_MULTI),
            (self.infomask & infomask::XMAX_LOCK_ONLY, infobits::XMAX_LOCK_ONLY),
            (self.infomask & infomask::XMAX_EXCL_LOCK, infobits::XMAX_EXCL_LOCK),
            (self.infomask & infomask::XMAX_KEYSHR_LOCK, infobits::XMAX_KEYSHR_LOCK),
            (self.infomask2 & infomask2::KEYS_UPDATED, infobits::KEYS_UPDATED),
        ];
        pairs.iter().filter(|p| p.0 != 0).fold(0, |bits, p| bits | p.1)
    }
    /// Puts it into a tuple. `hot`: whether a heap-only version follows; `None` leaves that as it is.
    pub fn apply(&self, t: &mut [u8], hot: Option<bool>) {
        header::change_infomask(t, infomask::XMAX_BITS | infomask::MOVED, self.infomask);
        header::change_infomask2(t, infomask2::KEYS_UPDATED, self.infomask2);
        set_hot(t, hot);
        header::set_xmax(t, self.xmax);
    }
}

/// The bits of a tuple's xmax, in short. (PostgreSQL: `compute_infobits`)
pub fn infobits_of(t: &[u8]) -> u8 {
    let infomask = u16::from_le_bytes([t[20], t[21]]);
    let infomask2 = u16::from_le_bytes([t[18], t[19]]);
    NewXmax { xmax: Xid::INVALID, infomask, infomask2 }.infobits()
}

fn set_hot(t: &mut [u8], hot: Option<bool>) {
    match hot {
        Some(true) => header::change_infomask2(t, 0, infomask2::HOT_UPDATED),
        Some(false) => header::change_infomask2(t, infomask2::HOT_UPDATED, 0),
        None => {}
    }
}

/// The bits of a logged xmax. (PostgreSQL: `fix_infomask_from_infobits`)
pub fn set_xmax_from_infobits(t: &mut [u8], bits: u8, hot: Option<bool>) {
    let pairs = [
        (infobits::XMAX_IS_MULTI, infomask::XMAX_IS_MULTI),
        (infobits::XMAX_LOCK_ONLY, infomask::XMAX_LOCK_ONLY),
        (infobits::XMAX_EXCL_LOCK, infomask::XMAX_EXCL_LOCK),
        (infobits::XMAX_KEYSHR_LOCK, infomask::XMAX_KEYSHR_LOCK),
    ];
    let mask = pairs.iter().filter(|p| bits & p.0 != 0).fold(0, |m, p| m | p.1);
    let keys = if bits & infobits::KEYS_UPDATED != 0 { infomask2::KEYS_UPDATED } else { 0 };
    header::change_infomask(t, infomask::XMAX_BITS | infomask::MOVED, mask);
    header::change_infomask2(t, infomask2::KEYS_UPDATED, keys);
    set_hot(t, hot);
}

/// (PostgreSQL: `HeapTupleHeaderSetCmax`)
pub fn set_cmax(t: &mut [u8], cid: CommandId, combo: bool) {
    header::set_raw_cid(t, cid);
    let bit = if combo { infomask::COMBOCID } else { 0 };
    header::change_infomask(t, infomask::COMBOCID, bit);
}

/// As redo does, which knows no commands.
pub fn set_first_cmax(t: &mut [u8]) {
    set_cmax(t, CommandId::FIRST, false);
}

/// (PostgreSQL: `PageSetPrunable`)
pub fn set_prunable(page: &mut Page, xid: Xid) {
    let old = page.prune_xid();
    if !old.is_valid() || xid.precedes(old) {
        page.set_prune_xid(xid);
    }
}
