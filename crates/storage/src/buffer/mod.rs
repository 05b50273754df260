//! The buffer pool: every page in use lies in one of its frames. See the crate's head for how pages are changed.
//!
//! | file | what |
//! | --- | --- |
//! | `frame.rs` | the state word of a frame: pins, usage, flags and latch in 64 bits; waiting |
//! | `memory.rs` | the frames' bytes: the `unsafe` part |
//! | `table.rs` | from page to frame: read without locks, written under one of 128 |
//! | `pool.rs` | pinning, reading, extending, evicting |
//! | `flush.rs` | writing pages: checkpoint, eviction, relations; throwing pages away |
//! | `guard.rs` | [`PinnedBuffer`], [`SharedPage`], [`ExclusivePage`] and the owned ones |
//! | `strategy.rs` | rings for bulk operations |
//!
//! Invariants
//! - Bytes of a frame are reached only by who holds its latch, or who does I/O into a frame that is not yet valid.
//! - **Nothing is changed under a shared latch**, not even a hint: [`SharedPage::try_upgrade`] first. So `&Page` is
//!   really immutable while it lives. (PostgreSQL sets hint bits under a shared lock.)
//! - A frame's tag changes only while nobody but the changer has it pinned, and it is not in the table.
//! - A page is written only after the log is flushed up to its LSN; the checksum is computed on a copy.
//!
//! Different from PostgreSQL: a page is copied under the shared latch and written after the latch is released; no page
//! lock of any kind is held during I/O but the frame's I/O flag.

mod flush;
mod frame;
mod guard;
mod memory;
mod pool;
mod strategy;
#[cfg(test)]
mod stress;
mod table;
mod usage;

use base::{BlockNumber, ForkNumber, Lsn, RelFileLocator, Result};

use crate::critical::Critical;
use crate::page::Page;

pub use guard::{ExclusivePage, OwnedExclusive, OwnedShared, PinnedBuffer, SharedPage};
pub use pool::{BufferPool, PoolOptions, PoolStatistics};
pub use strategy::{Strategy, StrategyKind};
pub use usage::BufferUsage;

/// Names a page. (PostgreSQL: `BufferTag`)
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct BufferTag {
    pub locator: RelFileLocator,
    pub fork: ForkNumber,
    pub block: BlockNumber,
}

impl BufferTag {
    pub fn new(locator: RelFileLocator, fork: ForkNumber, block: BlockNumber) -> BufferTag {
        BufferTag { locator, fork, block }
    }
    /// A page of the main fork.
    pub fn main(locator: RelFileLocator, block: BlockNumber) -> BufferTag {
        BufferTag { locator, fork: ForkNumber::Main, block }
    }
}

/// What `pin` does with a page that is not in the pool.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ReadMode {
    /// Read it; a damaged page is an error.
    Normal,
    /// Read it; a damaged page becomes zeroes. (PostgreSQL: `RBM_ZERO_ON_ERROR`)
    ZeroOnError,
    /// It is zeroed instead of read. See [`BufferPool::pin_zeroed`] for pages that are overwritten at once.
    Zero,
}

/// The log is written up to a page's LSN before the page. The `wal` crate implements it.
pub trait WalFlush: Send + Sync {
    fn flush_up_to(&self, lsn: Lsn) -> Result<()>;
}

/// What [`HintLogger::log_hint`] did.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum HintLog {
    /// No full-page image was needed; the page may become dirty.
    NotNeeded,
    /// A full-page image was logged; its end becomes the page's LSN.
    Logged(Lsn),
    /// In recovery, where no WAL can be written: the page must not become dirty for a hint.
    Refused,
}

/// Before a hint makes a clean page dirty: with checksums (or `wal_log_hints`) its first change after a checkpoint needs
/// a full-page image. The `wal` crate implements it. Called under the page's exclusive latch, the page being marked
/// dirty already, so that a checkpoint that begins meanwhile writes it. The image may leave the hole out only for the main
/// fork: pages of the maps (`tag.fork`) use the room between `pd_lower` and `pd_upper`. (PostgreSQL:
/// `XLogSaveBufferForHint`)
pub trait HintLogger: Send + Sync {
    fn log_hint(&self, section: &Critical, tag: BufferTag, page: &Page) -> Result<HintLog>;
}
