//! The text form of a record, as `pg_waldump` prints it.

use std::fmt::Write;

use base::{ForkNumber, Lsn};

use super::{
    BKPIMAGE_APPLY, BKPIMAGE_COMPRESS_LZ4, BKPIMAGE_COMPRESS_PGLZ, BKPIMAGE_COMPRESS_ZSTD, BlockImage, HEADER_SIZE,
    Record,
};
use crate::rmgr::{RmgrId, RmgrTable};

/// The record in one line, as `pg_waldump` prints it.
pub fn describe(record: &Record, table: &RmgrTable) -> String {
    let images: usize = record.blocks.iter().filter_map(|b| b.image.as_ref()).map(|i| i.bytes.len()).sum();
    let manager = table.get(record.rmgr);
    let name = manager
        .and_then(|m| m.identify(record.info))
        .unwrap_or_else(|| format!("UNKNOWN ({:x})", record.info & !super::XLR_INFO_MASK));
    let mut out = String::new();
    let _ = write!(
        out,
        "rmgr: {:<11} len (rec/tot): {:6}/{:6}, tx: {:10}, lsn: {}, prev {}, desc: {name} ",
        RmgrId(record.rmgr).to_string(),
        (record.total_len as usize).saturating_sub(images).max(HEADER_SIZE.min(record.total_len as usize)),
        record.total_len,
        record.xid.0,
        padded(record.lsn),
        padded(record.prev),
    );
    if let Some(manager) = manager {
        manager.desc(record, &mut out);
    }
    describe_blocks(record, &mut out);
    out
}

fn padded(lsn: Lsn) -> String {
    format!("{:X}/{:08X}", lsn.0 >> 32, lsn.0 as u32)
}

/// The block references, in `pg_waldump`'s short form.
pub fn describe_blocks(record: &Record, out: &mut String) {
    for b in &record.blocks {
        let _ = write!(out, ", blkref #{}: rel {}/{}/{}", b.id, b.locator.spc, b.locator.db, b.locator.rel);
        let _ = match b.fork {
            ForkNumber::Main => write!(out, " blk {}", b.block),
            fork => write!(out, " fork {} blk {}", fork.suffix().trim_start_matches('_'), b.block),
        };
        if let Some(image) = &b.image {
            out.push_str(match image.info & BKPIMAGE_APPLY != 0 {
                true => " FPW",
                false => " FPW for WAL verification",
            });
        }
    }
}

impl BlockImage {
    /// How the image is compressed, if it is.
    pub fn compression(&self) -> Option<&'static str> {
        match self.info {
            i if i & BKPIMAGE_COMPRESS_PGLZ != 0 => Some("pglz"),
            i if i & BKPIMAGE_COMPRESS_LZ4 != 0 => Some("lz4"),
            i if i & BKPIMAGE_COMPRESS_ZSTD != 0 => Some("zstd"),
            _ => None,
        }
    }
}
