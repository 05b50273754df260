//! From page to frame: a hash table of chains through the frames.
//!
//! Readers follow a chain without any lock: a frame they find is pinned and its tag is then compared again. They may
//! stray into another chain when a frame moves meanwhile, and then miss; a miss is confirmed under the bucket's lock,
//! without which no chain changes.

use std::sync::atomic::{AtomicU32, Ordering};

use parking_lot::{Mutex, MutexGuard};

use super::BufferTag;
use super::frame::{Frame, NONE};

const LOCKS: usize = 128;
/// A chain is hardly ever longer than this; a straying reader gives up.
const MAX_STEPS: usize = 40;

pub(super) struct Table {
    heads: Box<[AtomicU32]>,
    locks: [Mutex<()>; LOCKS],
    shift: u32,
}

/// The right to change one bucket's chain.
pub(super) struct Bucket<'a> {
    head: &'a AtomicU32,
    _guard: MutexGuard<'a, ()>,
}

impl Table {
    pub(super) fn new(frames: usize) -> Table {
        let buckets = (frames * 2).next_power_of_two().max(LOCKS);
        Table {
            heads: (0..buckets).map(|_| AtomicU32::new(NONE)).collect(),
            locks: std::array::from_fn(|_| Mutex::new(())),
            shift: 64 - buckets.trailing_zeros(),
        }
    }
    #[inline]
    fn bucket_of(&self, tag: &BufferTag) -> usize {
        let l = &tag.locator;
        let relation = u64::from(l.rel.0) << 32 ^ u64::from(l.db.0) << 8 ^ u64::from(l.spc.0) << 24 ^ tag.fork as u64;
        let mixed = relation.wrapping_mul(0xFF51_AFD7_ED55_8CCD);
        ((mixed ^ mixed >> 32 ^ u64::from(tag.block.0)).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> self.shift) as usize
    }
    /// A frame that seems to hold the page.
    #[inline]
    pub(super) fn peek(&self, frames: &[Frame], tag: &BufferTag) -> Option<u32> {
        let mut at = self.heads[self.bucket_of(tag)].load(Ordering::Acquire);
        for _ in 0..MAX_STEPS {
            let frame = frames.get(at as usize)?;
            if frame.has_tag(tag) {
                return Some(at);
            }
            at = frame.next.load(Ordering::Acquire);
        }
        None
    }
    pub(super) fn lock(&self, tag: &BufferTag) -> Bucket<'_> {
        let n = self.bucket_of(tag);
        Bucket { head: &self.heads[n], _guard: self.locks[n % LOCKS].lock() }
    }
}

impl Bucket<'_> {
    /// The frame that holds the page; final while the bucket is locked.
    pub(super) fn find(&self, frames: &[Frame], tag: &BufferTag) -> Option<u32> {
        let mut at = self.head.load(Ordering::Acquire);
        while at != NONE {
            let frame = &frames[at as usize];
            if frame.has_tag(tag) {
                return Some(at);
            }
            at = frame.next.load(Ordering::Acquire);
        }
        None
    }
    /// The frame's tag is set and hashes to this bucket.
    pub(super) fn insert(&self, frames: &[Frame], index: u32) {
        frames[index as usize].next.store(self.head.load(Ordering::Acquire), Ordering::Release);
        self.head.store(index, Ordering::Release);
    }
    pub(super) fn remove(&self, frames: &[Frame], index: u32) {
        let after = frames[index as usize].next.load(Ordering::Acquire);
        let mut link = self.head;
        loop {
            match link.load(Ordering::Acquire) {
                NONE => return,
                at if at == index => return link.store(after, Ordering::Release),
                at => link = &frames[at as usize].next,
            }
        }
    }
}
