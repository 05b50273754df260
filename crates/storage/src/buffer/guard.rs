//! Pins and latches as values: dropping one releases it.
//!
//! A latch is held through a [`PinnedBuffer`] (borrowed: [`SharedPage`], [`ExclusivePage`]) or together with a pin
//! ([`OwnedShared`], [`OwnedExclusive`]). Latches are not recursive: a thread that latches a page twice, one of the two
//! exclusively, waits for itself.

use std::mem::ManuallyDrop;
use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use base::{BlockNumber, Interrupt, Lsn, Result};
use parking_lot::RwLock;

use super::frame::{
    DIRTY, EXCLUSIVE, Frame, JUST_DIRTIED, PERMANENT, PIN, PINS, SHARED, SHARERS, WAITERS, WaitingRooms, bump_usage,
};
use super::memory::PageMemory;
use super::{BufferTag, HintLog, HintLogger, usage};
use crate::critical::{Critical, critical};
use crate::page::Page;

/// A latch is tried so often before its waiter sleeps: most are held for less than a microsecond.
const SPINS: u32 = 100;

/// What pins need of the pool. It is never freed (64 bytes a frame), so that a pin may outlive the pool's handle: only
/// the page memory is given back, and only if nothing is pinned.
pub(super) struct Core {
    pub(super) frames: Box<[Frame]>,
    pub(super) memory: PageMemory,
    pub(super) rooms: WaitingRooms,
    pub(super) hints: RwLock<Option<Arc<dyn HintLogger>>>,
}

impl Core {
    #[inline]
    pub(super) fn frame(&self, index: u32) -> &Frame {
        &self.frames[index as usize]
    }
    pub(super) fn wait(&self, index: u32, blocked: impl Fn(u64) -> bool) {
        self.rooms.wait(index, self.frame(index), None, blocked);
    }
    pub(super) fn wake(&self, index: u32) {
        self.rooms.wake(index, self.frame(index));
    }
    #[inline]
    fn latch(&self, index: u32, blocked_by: u64, step: impl Fn(u64) -> u64) {
        let frame = self.frame(index);
        let mut spins = 0;
        while frame.update(|s| (s & blocked_by == 0).then(|| step(s))).is_err() {
            if spins < SPINS {
                spins += 1;
                std::hint::spin_loop();
            } else {
                self.wait(index, |s| s & blocked_by != 0);
            }
        }
    }
    #[inline]
    fn latch_shared(&self, index: u32) {
        self.latch(index, EXCLUSIVE, |s| s + SHARED);
    }
    #[inline]
    fn latch_exclusive(&self, index: u32) {
        self.latch(index, EXCLUSIVE | SHARERS, |s| s | EXCLUSIVE);
    }
    pub(super) fn try_latch_shared(&self, index: u32) -> bool {
        self.frame(index).update(|s| (s & EXCLUSIVE == 0).then_some(s + SHARED)).is_ok()
    }
    fn try_latch_exclusive(&self, index: u32) -> bool {
        self.frame(index).update(|s| (s & (EXCLUSIVE | SHARERS) == 0).then_some(s | EXCLUSIVE)).is_ok()
    }
    #[inline]
    fn unlatch_shared(&self, index: u32, and_pin: u64) {
        let old = self.frame(index).state.fetch_sub(SHARED + and_pin, Ordering::AcqRel);
        if old & WAITERS != 0 && (old & SHARERS == SHARED || and_pin != 0 && old & PINS == 2) {
            self.wake(index);
        }
    }
    #[inline]
    fn unlatch_exclusive(&self, index: u32) {
        let old = self.frame(index).state.fetch_and(!EXCLUSIVE, Ordering::AcqRel);
        if old & WAITERS != 0 {
            self.wake(index);
        }
    }
    /// Shared becomes exclusive if nobody else has the latch.
    fn try_upgrade(&self, index: u32) -> bool {
        let alone = |s| s & (SHARERS | EXCLUSIVE) == SHARED;
        self.frame(index).update(|s| alone(s).then_some((s - SHARED) | EXCLUSIVE)).is_ok()
    }
    fn downgrade(&self, index: u32) {
        let old = self.frame(index).state.fetch_add(SHARED.wrapping_sub(EXCLUSIVE), Ordering::AcqRel);
        if old & WAITERS != 0 {
            self.wake(index);
        }
    }
    #[inline]
    fn unpin(&self, index: u32) {
        let old = self.frame(index).state.fetch_sub(PIN, Ordering::AcqRel);
        // Who waits to be alone holds the other pin.
        if old & WAITERS != 0 && old & PINS == 2 {
            self.wake(index);
        }
    }
    /// Under the exclusive latch.
    #[inline]
    fn mark_dirty(&self, index: u32) -> u64 {
        let frame = self.frame(index);
        let both = DIRTY | JUST_DIRTIED;
        let old = frame.load();
        if old & both == both {
            return old;
        }
        let old = frame.state.fetch_or(both, Ordering::AcqRel);
        if old & DIRTY == 0 {
            usage::count(|u| u.dirtied += 1);
        }
        old
    }
    fn mark_dirty_hint(&self, index: u32, page: &mut Page) -> Result<()> {
        let both = DIRTY | JUST_DIRTIED;
        let old = self.mark_dirty(index);
        if old & both == both || old & PERMANENT == 0 {
            return Ok(());
        }
        let Some(logger) = self.hints.read().clone() else { return Ok(()) };
        let frame = self.frame(index);
        let outcome = critical(|section| logger.log_hint(section, frame.tag(), page));
        match &outcome {
            Ok(HintLog::NotNeeded) => {}
            Ok(HintLog::Logged(lsn)) => page.set_lsn(*lsn),
            // We hold the latch alone, so nobody has begun to write the page since it was clean.
            Ok(HintLog::Refused) | Err(_) if old & DIRTY == 0 => {
                frame.state.fetch_and(!both, Ordering::AcqRel);
            }
            Ok(HintLog::Refused) | Err(_) => {}
        }
        outcome.map(|_| ())
    }
    /// The page's bytes for a reader.
    ///
    /// # Safety
    /// The caller holds the latch, shared or exclusive, as long as the result is used.
    #[inline]
    unsafe fn page(&self, index: u32) -> &Page {
        // SAFETY: the pointer is to 8192 initialised bytes that live as long as a pin does; the latch keeps writers out.
        Page::from_bytes(unsafe { &*self.memory.page(index) })
    }
    /// The page's bytes for a writer.
    ///
    /// # Safety
    /// The caller holds the exclusive latch, or does I/O into a frame that is not valid, as long as the result is used,
    /// and has no other reference to the bytes.
    #[expect(clippy::mut_from_ref, reason = "the latch, not the borrow, makes the reference unique")]
    pub(super) unsafe fn page_mut(&self, index: u32) -> &mut Page {
        // SAFETY: as for `page`; the exclusive latch (or the I/O flag on an invalid frame) keeps everybody else out.
        Page::from_bytes_mut(unsafe { &mut *self.memory.page(index) })
    }
}

/// A page that cannot be evicted while this lives. Cloning adds a pin. Not tied to a lifetime, so it can be kept in scans.
pub struct PinnedBuffer {
    core: &'static Core,
    index: u32,
}

impl Clone for PinnedBuffer {
    fn clone(&self) -> PinnedBuffer {
        self.core.frame(self.index).state.fetch_add(PIN, Ordering::AcqRel);
        PinnedBuffer { core: self.core, index: self.index }
    }
}
impl Drop for PinnedBuffer {
    #[inline]
    fn drop(&mut self) {
        self.core.unpin(self.index);
    }
}

impl PinnedBuffer {
    /// Takes over a pin that the caller has added.
    #[inline]
    pub(super) fn adopt(core: &'static Core, index: u32) -> PinnedBuffer {
        PinnedBuffer { core, index }
    }
    pub(super) fn index(&self) -> u32 {
        self.index
    }
    pub(super) fn frame(&self) -> &'static Frame {
        self.core.frame(self.index)
    }
    pub fn tag(&self) -> BufferTag {
        self.frame().tag()
    }
    pub fn block(&self) -> BlockNumber {
        self.frame().tag().block
    }
    /// Are both pins on the same page?
    pub fn same_page(&self, other: &PinnedBuffer) -> bool {
        self.index == other.index && std::ptr::eq(self.core, other.core)
    }
    /// A sign of use for the clock sweep, where a pin is kept over many accesses.
    pub fn touch(&self) {
        let _ = self.frame().update(|s| Some(bump_usage(s, false)));
    }
    /// Waits for the latch, shared with other readers.
    #[inline]
    pub fn shared(&self) -> SharedPage<'_> {
        self.core.latch_shared(self.index);
        SharedPage { buffer: self }
    }
    /// Waits for the latch, alone.
    #[inline]
    pub fn exclusive(&self) -> ExclusivePage<'_> {
        self.core.latch_exclusive(self.index);
        ExclusivePage { buffer: self }
    }
    // The guard is made only once the latch is held: to drop one would release somebody else's.
    pub fn try_shared(&self) -> Option<SharedPage<'_>> {
        self.core.try_latch_shared(self.index).then(|| SharedPage { buffer: self })
    }
    pub fn try_exclusive(&self) -> Option<ExclusivePage<'_>> {
        self.core.try_latch_exclusive(self.index).then(|| ExclusivePage { buffer: self })
    }
    /// Waits until this is the only pin on the page, then holds the latch alone. Two threads that do this with the same
    /// page wait for each other: the relation's lock must allow only one. (PostgreSQL: `LockBufferForCleanup`)
    pub fn cleanup(&self, interrupt: &Interrupt) -> Result<ExclusivePage<'_>> {
        loop {
            if let Some(page) = self.alone(self.exclusive()) {
                return Ok(page);
            }
            interrupt.check()?;
            let (core, index) = (self.core, self.index);
            core.rooms.wait(index, self.frame(), Some(Duration::from_millis(50)), |s| s & PINS != PIN);
        }
    }
    /// As `cleanup`, if that is possible at once. (PostgreSQL: `ConditionalLockBufferForCleanup`)
    pub fn try_cleanup(&self) -> Option<ExclusivePage<'_>> {
        self.alone(self.try_exclusive()?)
    }
    /// Is this the only pin, so that the latch that is held is a cleanup lock? (PostgreSQL: `IsBufferCleanupOK`)
    pub fn is_only_pin(&self) -> bool {
        self.frame().load() & PINS == PIN
    }
    fn alone<'a>(&'a self, page: ExclusivePage<'a>) -> Option<ExclusivePage<'a>> {
        self.is_only_pin().then_some(page)
    }
    /// Pin and latch in one value.
    #[inline]
    pub fn into_exclusive(self) -> OwnedExclusive {
        self.core.latch_exclusive(self.index);
        OwnedExclusive { buffer: self }
    }
    pub fn try_into_exclusive(self) -> std::result::Result<OwnedExclusive, PinnedBuffer> {
        match self.core.try_latch_exclusive(self.index) {
            true => Ok(OwnedExclusive { buffer: self }),
            false => Err(self),
        }
    }
    /// As [`PinnedBuffer::cleanup`], pin and latch in one value.
    pub fn into_cleanup(self, interrupt: &Interrupt) -> Result<OwnedExclusive> {
        std::mem::forget(self.cleanup(interrupt)?);
        Ok(OwnedExclusive { buffer: self })
    }
    #[inline]
    pub fn into_shared(self) -> OwnedShared {
        self.core.latch_shared(self.index);
        OwnedShared { buffer: ManuallyDrop::new(self) }
    }
}

/// A page latched by readers. Nobody changes it while this lives.
pub struct SharedPage<'a> {
    buffer: &'a PinnedBuffer,
}

impl<'a> SharedPage<'a> {
    pub fn buffer(&self) -> &'a PinnedBuffer {
        self.buffer
    }
    /// The exclusive latch if nobody else holds the latch now, else the shared one back: for hint bits.
    pub fn try_upgrade(self) -> std::result::Result<ExclusivePage<'a>, SharedPage<'a>> {
        match self.buffer.core.try_upgrade(self.buffer.index) {
            true => Ok(ExclusivePage { buffer: ManuallyDrop::new(self).buffer }),
            false => Err(self),
        }
    }
}
impl Drop for SharedPage<'_> {
    #[inline]
    fn drop(&mut self) {
        self.buffer.core.unlatch_shared(self.buffer.index, 0);
    }
}
impl Deref for SharedPage<'_> {
    type Target = Page;
    #[inline]
    fn deref(&self) -> &Page {
        // SAFETY: this guard holds the shared latch, and the result borrows the guard.
        unsafe { self.buffer.core.page(self.buffer.index) }
    }
}

/// A page latched by one writer.
pub struct ExclusivePage<'a> {
    buffer: &'a PinnedBuffer,
}

impl<'a> ExclusivePage<'a> {
    pub fn buffer(&self) -> &'a PinnedBuffer {
        self.buffer
    }
    /// The page for a logged change; marks it dirty.
    #[inline]
    pub fn write(&mut self, section: &Critical) -> &mut Page {
        self.mark_dirty(section);
        self.hint_write()
    }
    /// The page for a change of hints only: nothing that matters if it is lost. Then call `mark_dirty_hint`.
    #[inline]
    pub fn hint_write(&mut self) -> &mut Page {
        // SAFETY: this guard holds the exclusive latch; the result borrows the guard mutably.
        unsafe { self.buffer.core.page_mut(self.buffer.index) }
    }
    /// Marks the page dirty (`write` does so already).
    #[inline]
    pub fn mark_dirty(&mut self, _section: &Critical) {
        self.buffer.core.mark_dirty(self.buffer.index);
    }
    /// After hints were changed: marks the page dirty, logging a full-page image where the rules ask for it. In recovery
    /// the page may stay clean, and the hint be lost. (PostgreSQL: `MarkBufferDirtyHint`)
    pub fn mark_dirty_hint(&mut self) -> Result<()> {
        let (core, index) = (self.buffer.core, self.buffer.index);
        core.mark_dirty_hint(index, self.hint_write())
    }
    /// The end of the record that logged the change.
    #[inline]
    pub fn set_lsn(&mut self, _section: &Critical, lsn: Lsn) {
        self.hint_write().set_lsn(lsn);
    }
    /// Lets other readers in; nobody changed the page in between.
    pub fn downgrade(self) -> SharedPage<'a> {
        let buffer = ManuallyDrop::new(self).buffer;
        buffer.core.downgrade(buffer.index);
        SharedPage { buffer }
    }
}
impl Drop for ExclusivePage<'_> {
    #[inline]
    fn drop(&mut self) {
        self.buffer.core.unlatch_exclusive(self.buffer.index);
    }
}
impl Deref for ExclusivePage<'_> {
    type Target = Page;
    #[inline]
    fn deref(&self) -> &Page {
        // SAFETY: this guard holds the exclusive latch, and the result borrows the guard.
        unsafe { self.buffer.core.page(self.buffer.index) }
    }
}

/// A pin and the exclusive latch in one value. Has the methods of [`ExclusivePage`].
pub struct OwnedExclusive {
    buffer: PinnedBuffer,
}

impl OwnedExclusive {
    /// Takes over the pin and an exclusive latch that the caller has taken.
    pub(super) fn adopt(buffer: PinnedBuffer) -> OwnedExclusive {
        OwnedExclusive { buffer }
    }
    pub fn buffer(&self) -> &PinnedBuffer {
        &self.buffer
    }
    pub fn tag(&self) -> BufferTag {
        self.buffer.tag()
    }
    pub fn block(&self) -> BlockNumber {
        self.buffer.block()
    }
    /// The page for a logged change; marks it dirty.
    #[inline]
    pub fn write(&mut self, section: &Critical) -> &mut Page {
        self.mark_dirty(section);
        self.hint_write()
    }
    /// The page for a change of hints only. Then call `mark_dirty_hint`.
    #[inline]
    pub fn hint_write(&mut self) -> &mut Page {
        // SAFETY: this guard holds the exclusive latch; the result borrows the guard mutably.
        unsafe { self.buffer.core.page_mut(self.buffer.index) }
    }
    #[inline]
    pub fn mark_dirty(&mut self, _section: &Critical) {
        self.buffer.core.mark_dirty(self.buffer.index);
    }
    /// As [`ExclusivePage::mark_dirty_hint`].
    pub fn mark_dirty_hint(&mut self) -> Result<()> {
        let (core, index) = (self.buffer.core, self.buffer.index);
        core.mark_dirty_hint(index, self.hint_write())
    }
    #[inline]
    pub fn set_lsn(&mut self, _section: &Critical, lsn: Lsn) {
        self.hint_write().set_lsn(lsn);
    }
    /// Releases the latch, keeps the pin.
    pub fn unlatch(self) -> PinnedBuffer {
        let (core, index) = self.dissolve();
        core.unlatch_exclusive(index);
        PinnedBuffer { core, index }
    }
    /// Lets other readers in; nobody changed the page in between.
    pub fn downgrade(self) -> OwnedShared {
        let (core, index) = self.dissolve();
        core.downgrade(index);
        OwnedShared::adopt(PinnedBuffer { core, index })
    }
    /// Releases nothing: pin and latch go to the caller.
    fn dissolve(self) -> (&'static Core, u32) {
        let parts = (self.buffer.core, self.buffer.index);
        std::mem::forget(self);
        parts
    }
}
impl Drop for OwnedExclusive {
    #[inline]
    fn drop(&mut self) {
        self.buffer.core.unlatch_exclusive(self.buffer.index);
    }
}
impl Deref for OwnedExclusive {
    type Target = Page;
    #[inline]
    fn deref(&self) -> &Page {
        // SAFETY: this guard holds the exclusive latch, and the result borrows the guard.
        unsafe { self.buffer.core.page(self.buffer.index) }
    }
}

/// A pin and the shared latch in one value; both are released in one step.
pub struct OwnedShared {
    /// Its pin is released together with the latch.
    buffer: ManuallyDrop<PinnedBuffer>,
}

impl OwnedShared {
    pub(super) fn adopt(buffer: PinnedBuffer) -> OwnedShared {
        OwnedShared { buffer: ManuallyDrop::new(buffer) }
    }
    pub fn buffer(&self) -> &PinnedBuffer {
        &self.buffer
    }
    pub fn tag(&self) -> BufferTag {
        self.buffer.tag()
    }
    pub fn block(&self) -> BlockNumber {
        self.buffer.block()
    }
    /// The exclusive latch if nobody else holds the latch now, else the shared one back.
    pub fn try_upgrade(self) -> std::result::Result<OwnedExclusive, OwnedShared> {
        let (core, index) = (self.buffer.core, self.buffer.index);
        match core.try_upgrade(index) {
            true => {
                std::mem::forget(self);
                Ok(OwnedExclusive { buffer: PinnedBuffer { core, index } })
            }
            false => Err(self),
        }
    }
    /// Releases the latch, keeps the pin.
    pub fn unlatch(self) -> PinnedBuffer {
        let (core, index) = (self.buffer.core, self.buffer.index);
        std::mem::forget(self);
        core.unlatch_shared(index, 0);
        PinnedBuffer { core, index }
    }
}
impl Drop for OwnedShared {
    #[inline]
    fn drop(&mut self) {
        self.buffer.core.unlatch_shared(self.buffer.index, PIN);
    }
}
impl Deref for OwnedShared {
    type Target = Page;
    #[inline]
    fn deref(&self) -> &Page {
        // SAFETY: this guard holds the shared latch, and the result borrows the guard.
        unsafe { self.buffer.core.page(self.buffer.index) }
    }
}
