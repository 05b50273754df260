//! Records: building, taking apart, printing. (PostgreSQL: `xlogrecord.h`)

mod build;
mod decode;
mod desc;
mod encode;

pub use build::{Inserted, RecordBuilder, RegBuf, RegisteredPage};
pub use decode::{BlockImage, BlockRef, Record};
pub use desc::{describe, describe_blocks};
pub(crate) use encode::ImageRules;

/// Bytes of a record's header: `xl_tot_len` 0, `xl_xid` 4, `xl_prev` 8, `xl_info` 16, `xl_rmid` 17, `xl_crc` 20.
pub const HEADER_SIZE: usize = 24;
/// Longer records are refused. (PostgreSQL: `XLogRecordMaxSize`)
pub const MAX_SIZE: usize = 1020 * 1024 * 1024;

pub const XLR_INFO_MASK: u8 = 0x0F;
/// The record changes relation files in a way that only the manager knows.
pub const XLR_SPECIAL_REL_UPDATE: u8 = 0x01;
/// The images are for comparing after redo.
pub const XLR_CHECK_CONSISTENCY: u8 = 0x02;

pub(crate) const BLOCK_ID_DATA_SHORT: u8 = 255;
pub(crate) const BLOCK_ID_DATA_LONG: u8 = 254;
pub(crate) const BLOCK_ID_ORIGIN: u8 = 253;
pub(crate) const BLOCK_ID_TOPLEVEL_XID: u8 = 252;
pub(crate) const MAX_BLOCK_ID: u8 = 32;

pub(crate) const BKPBLOCK_FORK_MASK: u8 = 0x0F;
pub(crate) const BKPBLOCK_HAS_IMAGE: u8 = 0x10;
pub(crate) const BKPBLOCK_HAS_DATA: u8 = 0x20;
pub(crate) const BKPBLOCK_WILL_INIT: u8 = 0x40;
pub(crate) const BKPBLOCK_SAME_REL: u8 = 0x80;

pub const BKPIMAGE_HAS_HOLE: u8 = 0x01;
pub const BKPIMAGE_APPLY: u8 = 0x02;
pub const BKPIMAGE_COMPRESS_PGLZ: u8 = 0x04;
pub const BKPIMAGE_COMPRESS_LZ4: u8 = 0x08;
pub const BKPIMAGE_COMPRESS_ZSTD: u8 = 0x10;
