//! Pages, files and the buffer pool: the floor on which everything that is stored stands.
//!
//! | module | what |
//! | --- | --- |
//! | [`vfs`] | [`vfs::Vfs`]: every file access goes through it; [`vfs::RealVfs`] and the simulated [`vfs::SimVfs`] |
//! | [`page`] | [`Page`]: 8192 bytes in PostgreSQL's page layout, line pointers, free space, checksum, a printer |
//! | [`smgr`] | [`Smgr`]: relations as segment files; sizes, extension, truncation, unlink, the fsync queue |
//! | [`buffer`] | [`BufferPool`], [`PinnedBuffer`], [`SharedPage`], [`ExclusivePage`] |
//! | [`critical`](mod@critical) | [`critical()`] and its token [`Critical`]: pages change, WAL is written, nothing may fail |
//! | [`prefetch`](fn@prefetch) | a hint to the processor |
//! | [`fsm`], [`vm`] | the free-space map and the visibility map |
//!
//! How to change a page:
//! ```ignore
//! let buffer = pool.pin(tag, ReadMode::Normal, None)?;   // PinnedBuffer: cannot be evicted while it lives
//! let mut page = buffer.exclusive();                     // ExclusivePage<'_>: latched until dropped; derefs to Page
//! if page.heap_free_space() < size { .. }                // whatever can fail comes before the section
//! critical(|section| {
//!     page.write(section).add_item(..);                  // `write` also marks the buffer dirty
//!     let lsn = wal.insert(section, ..);
//!     page.set_lsn(section, lsn);
//! });
//! ```
//! Hint bits: `shared.try_upgrade()` gives an [`ExclusivePage`] if nobody else is latching; set them through
//! [`ExclusivePage::hint_write`], then call [`ExclusivePage::mark_dirty_hint`].
//!
//! This is the only crate with `unsafe`: page memory in `buffer/memory.rs`, the view of bytes as a
//! [`Page`], and the prefetch hint.
//! Latch order: see this crate's `README.md`.

pub mod buffer;
pub mod critical;
pub mod fsm;
pub mod page;
mod prefetch;
pub mod smgr;
pub mod vfs;
pub mod vm;

pub use buffer::{
    BufferPool, BufferTag, BufferUsage, ExclusivePage, HintLog, HintLogger, OwnedExclusive, OwnedShared, PinnedBuffer,
    PoolOptions, PoolStatistics, ReadMode, SharedPage, Strategy, StrategyKind, WalFlush,
};
pub use critical::{Critical, critical};
pub use page::{ItemFlags, ItemId, Page};
pub use prefetch::prefetch;
pub use smgr::{Persistence, Smgr};
pub use vfs::{RealVfs, SimVfs, Vfs, VfsFile};
