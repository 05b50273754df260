//! A frame's state in one 64-bit word, so that pin and latch can be taken in a single atomic step; and waiting.
//!
//! ```text
//! 0-17 pins | 18-20 usage | 21-31 flags | 32-49 readers holding the latch
//! ```
//! A waiter sets `WAITERS` under the mutex of its frame's waiting room and sleeps; whoever makes a change that may let
//! it go on (latch released, I/O over, last but one pin gone) and sees the flag, clears it and wakes the room.
//!
//! PostgreSQL: `BufferDesc`, content lock, buffer header.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use base::{BlockNumber, ForkNumber, Oid, RelFileLocator};
use parking_lot::{Condvar, Mutex};

use super::BufferTag;

pub(super) const PIN: u64 = 1;
pub(super) const PINS: u64 = (1 << 18) - 1;
pub(super) const USAGE_ONE: u64 = 1 << 18;
pub(super) const USAGE: u64 = 7 << 18;
const USAGE_MAX: u64 = 5 << 18;
/// The tag is set and in the table.
pub(super) const TAGGED: u64 = 1 << 21;
/// The bytes are the page's.
pub(super) const VALID: u64 = 1 << 22;
/// Differs from the file.
pub(super) const DIRTY: u64 = 1 << 23;
/// Made dirty since the last write began.
pub(super) const JUST_DIRTIED: u64 = 1 << 24;
/// Being read or written.
pub(super) const IO: u64 = 1 << 25;
/// Was dirty when the running checkpoint began.
pub(super) const CHECKPOINT: u64 = 1 << 26;
/// Of a relation that survives crashes: the log goes first, checkpoints write it.
pub(super) const PERMANENT: u64 = 1 << 27;
/// Somebody sleeps in the waiting room.
pub(super) const WAITERS: u64 = 1 << 28;
/// The latch is held by a writer.
pub(super) const EXCLUSIVE: u64 = 1 << 29;
pub(super) const SHARED: u64 = 1 << 32;
pub(super) const SHARERS: u64 = ((1 << 18) - 1) << 32;

pub(super) const NONE: u32 = u32::MAX;
const ROOMS: usize = 64;

#[repr(align(64))]
pub(super) struct Frame {
    pub(super) state: AtomicU64,
    /// The tag, in pieces so that it can be read while it may change: whoever reads it without a pin checks again.
    spc_db: AtomicU64,
    rel_block: AtomicU64,
    fork: AtomicU32,
    /// The next frame in the table's chain.
    pub(super) next: AtomicU32,
}

impl Frame {
    pub(super) fn new() -> Frame {
        Frame {
            state: AtomicU64::new(0),
            spc_db: AtomicU64::new(0),
            rel_block: AtomicU64::new(0),
            fork: AtomicU32::new(0),
            next: AtomicU32::new(NONE),
        }
    }
    /// Meaningful only while the frame is pinned and tagged; otherwise to be checked again.
    pub(super) fn tag(&self) -> BufferTag {
        let (spc_db, rel_block) = (self.spc_db.load(Ordering::Relaxed), self.rel_block.load(Ordering::Relaxed));
        let fork = ForkNumber::from_u8(self.fork.load(Ordering::Relaxed) as u8).unwrap_or(ForkNumber::Main);
        let locator = RelFileLocator {
            spc: Oid((spc_db >> 32) as u32),
            db: Oid(spc_db as u32),
            rel: Oid((rel_block >> 32) as u32),
        };
        BufferTag { locator, fork, block: BlockNumber(rel_block as u32) }
    }
    #[inline]
    pub(super) fn has_tag(&self, tag: &BufferTag) -> bool {
        let l = &tag.locator;
        self.rel_block.load(Ordering::Relaxed) == u64::from(l.rel.0) << 32 | u64::from(tag.block.0)
            && self.spc_db.load(Ordering::Relaxed) == u64::from(l.spc.0) << 32 | u64::from(l.db.0)
            && self.fork.load(Ordering::Relaxed) == tag.fork as u32
    }
    /// Only by who has the frame to itself: the one pin, not tagged.
    pub(super) fn set_tag(&self, tag: &BufferTag) {
        let l = &tag.locator;
        self.spc_db.store(u64::from(l.spc.0) << 32 | u64::from(l.db.0), Ordering::Relaxed);
        self.rel_block.store(u64::from(l.rel.0) << 32 | u64::from(tag.block.0), Ordering::Relaxed);
        self.fork.store(tag.fork as u32, Ordering::Relaxed);
    }
    #[inline]
    pub(super) fn load(&self) -> u64 {
        self.state.load(Ordering::Acquire)
    }
    /// Changes the state by `change` until that succeeds, or `change` gives `None`: then `Err` of what it saw.
    #[inline]
    pub(super) fn update(&self, mut change: impl FnMut(u64) -> Option<u64>) -> Result<u64, u64> {
        let mut old = self.state.load(Ordering::Acquire);
        loop {
            let Some(new) = change(old) else { return Err(old) };
            match self.state.compare_exchange_weak(old, new, Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) => return Ok(old),
                Err(seen) => old = seen,
            }
        }
    }
    /// Adds a pin if the frame is tagged. `extra` is added in the same step (a shared latch).
    #[inline]
    pub(super) fn try_pin(&self, ring: bool) -> Result<u64, u64> {
        self.update(|s| (s & TAGGED != 0).then(|| bump_usage(s + PIN, ring)))
    }
}

/// A use counts up to five; in a ring, up to one.
#[inline]
pub(super) fn bump_usage(state: u64, ring: bool) -> u64 {
    let max = if ring { USAGE_ONE } else { USAGE_MAX };
    if state & USAGE < max { state + USAGE_ONE } else { state }
}

/// Where threads sleep that wait for a frame. Shared by many frames: a wake-up may be for another one.
pub(super) struct WaitingRooms([(Mutex<()>, Condvar); ROOMS]);

impl WaitingRooms {
    pub(super) fn new() -> WaitingRooms {
        WaitingRooms(std::array::from_fn(|_| (Mutex::new(()), Condvar::new())))
    }
    /// Sleeps until woken, unless the frame's state is no longer `blocked`. May also return early.
    #[cold]
    pub(super) fn wait(&self, index: u32, frame: &Frame, timeout: Option<Duration>, blocked: impl Fn(u64) -> bool) {
        let (mutex, condvar) = &self.0[index as usize % ROOMS];
        let mut guard = mutex.lock();
        // Pairs with `wake`: who changes the state after this step sees the flag, and must take the mutex to wake us.
        let state = frame.state.fetch_or(WAITERS, Ordering::AcqRel);
        if blocked(state) {
            match timeout {
                Some(timeout) => _ = condvar.wait_for(&mut guard, timeout),
                None => condvar.wait(&mut guard),
            }
        }
    }
    /// After a change of the state whose old value had `WAITERS`.
    #[cold]
    pub(super) fn wake(&self, index: u32, frame: &Frame) {
        frame.state.fetch_and(!WAITERS, Ordering::AcqRel);
        let (mutex, condvar) = &self.0[index as usize % ROOMS];
        drop(mutex.lock());
        condvar.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tag_round_trip() {
        let frame = Frame::new();
        let locator = RelFileLocator { spc: Oid(1663), db: Oid(5), rel: Oid(u32::MAX) };
        let tag = BufferTag::new(locator, ForkNumber::Vm, BlockNumber(0xFFFF_FFFE));
        frame.set_tag(&tag);
        assert_eq!(frame.tag(), tag);
        assert!(frame.has_tag(&tag));
        assert!(!frame.has_tag(&BufferTag { fork: ForkNumber::Fsm, ..tag }));
    }

    #[test]
    fn usage_is_capped() {
        let s = (0..9).fold(PIN, |s, _| bump_usage(s, false));
        assert_eq!(s & USAGE, USAGE_MAX);
        assert_eq!(bump_usage(bump_usage(0, true), true), USAGE_ONE);
        assert_eq!(std::mem::size_of::<Frame>(), 64);
    }
}
