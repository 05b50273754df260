//! What a thread did to buffers, for `EXPLAIN (BUFFERS)` and statistics. (PostgreSQL: `pgBufferUsage`)

use std::cell::Cell;

/// Counters of the current thread, which only grow: take the difference of two readings.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct BufferUsage {
    pub hit: u64,
    pub read: u64,
    pub dirtied: u64,
    pub written: u64,
}

thread_local! {
    static USAGE: Cell<BufferUsage> = const { Cell::new(BufferUsage { hit: 0, read: 0, dirtied: 0, written: 0 }) };
}

impl BufferUsage {
    pub fn of_this_thread() -> BufferUsage {
        USAGE.get()
    }
    #[must_use]
    pub fn since(self, earlier: BufferUsage) -> BufferUsage {
        BufferUsage {
            hit: self.hit - earlier.hit,
            read: self.read - earlier.read,
            dirtied: self.dirtied - earlier.dirtied,
            written: self.written - earlier.written,
        }
    }
}

#[inline]
pub(super) fn count(change: impl FnOnce(&mut BufferUsage)) {
    let mut usage = USAGE.get();
    change(&mut usage);
    USAGE.set(usage);
}
