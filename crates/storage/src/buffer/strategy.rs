//! Rings of frames: a bulk operation reuses its own few frames instead of pushing everything else out.
//! (PostgreSQL: `BufferAccessStrategy`; buffer README, "Buffer Ring Replacement Strategy")

use std::cell::{Cell, RefCell};

use base::BLCKSZ;

/// Why a ring is used; this fixes its size.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum StrategyKind {
    /// A sequential scan of a large relation. Dirty pages are left to others.
    BulkRead,
    /// COPY, CREATE TABLE AS and such.
    BulkWrite,
    Vacuum,
}

/// A ring of frames. Belongs to one operation (it is `Send`, not `Sync`).
pub struct Strategy {
    kind: StrategyKind,
    size: usize,
    frames: RefCell<Vec<Option<u32>>>,
    current: Cell<usize>,
}

impl Strategy {
    pub fn new(kind: StrategyKind) -> Strategy {
        let kilobytes = match kind {
            StrategyKind::BulkRead => 256,
            StrategyKind::BulkWrite => 16 * 1024,
            StrategyKind::Vacuum => 2 * 1024,
        };
        Strategy::with_size(kind, kilobytes)
    }
    /// A ring of so many kilobytes. (PostgreSQL: `vacuum_buffer_usage_limit`)
    pub fn with_size(kind: StrategyKind, kilobytes: usize) -> Strategy {
        let size = (kilobytes * 1024 / BLCKSZ).max(4);
        Strategy { kind, size, frames: RefCell::new(Vec::new()), current: Cell::new(0) }
    }
    pub fn kind(&self) -> StrategyKind {
        self.kind
    }
    /// Steps to the next slot, and gives the frame in it. A ring takes at most an eighth of the pool.
    pub(super) fn advance(&self, pool_size: usize) -> Option<u32> {
        let mut frames = self.frames.borrow_mut();
        if frames.is_empty() {
            frames.resize(self.size.min(pool_size / 8).max(1), None);
        }
        let next = (self.current.get() + 1) % frames.len();
        self.current.set(next);
        frames[next]
    }
    /// Puts a frame into the current slot.
    pub(super) fn remember(&self, frame: Option<u32>) {
        if let Some(slot) = self.frames.borrow_mut().get_mut(self.current.get()) {
            *slot = frame;
        }
    }
}
