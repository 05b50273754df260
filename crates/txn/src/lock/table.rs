//! The shared table: who holds a lock, who waits for it. (PostgreSQL: `LOCK`, `PROCLOCK`)

use std::collections::VecDeque;
use std::sync::Arc;

use hashbrown::HashMap;

use super::{LockInfo, LockMode, LockTag, Wait};
use crate::proc::Proc;

pub(super) struct Holder {
    pub proc: Arc<Proc>,
    /// Bits of modes.
    pub modes: u16,
}

pub(super) struct Waiter {
    pub proc: Arc<Proc>,
    pub mode: LockMode,
    pub since: i64,
}

#[derive(Default)]
pub(super) struct Entry {
    pub holders: Vec<Holder>,
    pub queue: VecDeque<Waiter>,
}

#[derive(Default)]
pub(super) struct Shard {
    entries: HashMap<LockTag, Entry>,
}

pub(super) enum Attempt {
    Granted,
    Queued,
    NotAvailable,
    /// This one waits for us in this mode, and we would wait for it: on this very lock.
    Deadlock(Arc<Proc>, LockMode),
}

impl Entry {
    /// Does somebody else hold what this mode conflicts with?
    fn is_blocked(&self, proc: &Arc<Proc>, mode: LockMode) -> bool {
        self.holders.iter().any(|h| h.modes & mode.conflicts() != 0 && !Arc::ptr_eq(&h.proc, proc))
    }
    fn held_by(&self, proc: &Arc<Proc>) -> u16 {
        self.holders.iter().find(|h| Arc::ptr_eq(&h.proc, proc)).map_or(0, |h| h.modes)
    }
    fn grant(&mut self, proc: &Arc<Proc>, mode: LockMode) {
        match self.holders.iter_mut().find(|h| Arc::ptr_eq(&h.proc, proc)) {
            Some(holder) => holder.modes |= mode.bit(),
            None => self.holders.push(Holder { proc: Arc::clone(proc), modes: mode.bit() }),
        }
    }
    /// Where in the queue the session goes: before the first that it blocks itself, since that one must wait for it
    /// anyway; else at the end. (PostgreSQL: `JoinWaitQueue`)
    fn place(&self, proc: &Arc<Proc>) -> usize {
        let held = self.held_by(proc);
        self.queue.iter().position(|w| w.mode.conflicts() & held != 0).unwrap_or(self.queue.len())
    }
    /// The first that waits for us, if it holds what we would wait for: no queue's order helps. (PostgreSQL:
    /// `JoinWaitQueue`)
    fn early_deadlock(&self, proc: &Arc<Proc>, mode: LockMode) -> Option<&Waiter> {
        let held = self.held_by(proc);
        let mut waiting_for_us = self.queue.iter().filter(|w| w.mode.conflicts() & held != 0);
        waiting_for_us.next().filter(|w| self.held_by(&w.proc) & mode.conflicts() != 0)
    }
    /// Grants what can be granted, in order; nobody overtakes a conflicting one. (PostgreSQL: `ProcLockWakeup`)
    pub fn wake(&mut self) {
        let mut ahead = 0;
        let mut i = 0;
        while i < self.queue.len() {
            let (proc, mode) = (Arc::clone(&self.queue[i].proc), self.queue[i].mode);
            if mode.conflicts() & ahead != 0 || self.is_blocked(&proc, mode) {
                ahead |= mode.bit();
                i += 1;
                continue;
            }
            self.queue.remove(i);
            self.grant(&proc, mode);
            proc.wait.lock().granted();
            proc.woken.notify_all();
        }
    }
}

impl Shard {
    pub fn attempt(&mut self, proc: &Arc<Proc>, tag: LockTag, mode: LockMode, wait: Wait) -> Attempt {
        let entry = self.entries.entry(tag).or_default();
        let place = entry.place(proc);
        let ahead = entry.queue.iter().take(place).any(|w| w.mode.conflicts_with(mode));
        if !ahead && !entry.is_blocked(proc, mode) {
            entry.grant(proc, mode);
            return Attempt::Granted;
        }
        if wait == Wait::No {
            self.forget_if_free(tag);
            return Attempt::NotAvailable;
        }
        if let Some(other) = entry.early_deadlock(proc, mode) {
            return Attempt::Deadlock(Arc::clone(&other.proc), other.mode);
        }
        let since = crate::transaction::current_timestamp();
        proc.wait.lock().start(tag, mode);
        entry.queue.insert(place, Waiter { proc: Arc::clone(proc), mode, since });
        Attempt::Queued
    }
    pub fn grant(&mut self, proc: &Arc<Proc>, tag: LockTag, mode: LockMode) {
        self.entries.entry(tag).or_default().grant(proc, mode);
    }
    /// Another place holds what this one did.
    pub fn hand_over(&mut self, from: &Arc<Proc>, to: &Arc<Proc>, tag: LockTag, mode: LockMode) {
        let Some(entry) = self.entries.get_mut(&tag) else { return };
        if let Some(i) = entry.holders.iter().position(|h| Arc::ptr_eq(&h.proc, from)) {
            entry.holders[i].modes &= !mode.bit();
            if entry.holders[i].modes == 0 {
                entry.holders.swap_remove(i);
            }
        }
        entry.grant(to, mode);
    }
    pub fn release(&mut self, proc: &Arc<Proc>, tag: LockTag, mode: LockMode) {
        let Some(entry) = self.entries.get_mut(&tag) else { return };
        if let Some(i) = entry.holders.iter().position(|h| Arc::ptr_eq(&h.proc, proc)) {
            entry.holders[i].modes &= !mode.bit();
            if entry.holders[i].modes == 0 {
                entry.holders.swap_remove(i);
            }
        }
        entry.wake();
        self.forget_if_free(tag);
    }
    /// The session waits no more; `false` if the lock was granted meanwhile.
    pub fn leave_queue(&mut self, proc: &Arc<Proc>, tag: LockTag) -> bool {
        let Some(entry) = self.entries.get_mut(&tag) else { return false };
        let Some(i) = entry.queue.iter().position(|w| Arc::ptr_eq(&w.proc, proc)) else { return false };
        entry.queue.remove(i);
        entry.wake();
        self.forget_if_free(tag);
        true
    }
    fn forget_if_free(&mut self, tag: LockTag) {
        if self.entries.get(&tag).is_some_and(|e| e.holders.is_empty() && e.queue.is_empty()) {
            self.entries.remove(&tag);
        }
    }
    pub fn entry(&mut self, tag: LockTag) -> Option<&mut Entry> {
        self.entries.get_mut(&tag)
    }
    pub fn conflicting(&self, proc: &Arc<Proc>, tag: LockTag, mode: LockMode) -> Vec<Arc<Proc>> {
        let holders = self.entries.get(&tag).map_or(&[][..], |e| &e.holders);
        let conflicting = holders.iter().filter(|h| h.modes & mode.conflicts() != 0);
        conflicting.map(|h| Arc::clone(&h.proc)).filter(|p| !Arc::ptr_eq(p, proc)).collect()
    }
    /// Holders of conflicting locks, and those that wait ahead for one.
    pub fn blockers(&self, proc: &Arc<Proc>, tag: LockTag, mode: LockMode) -> Vec<Arc<Proc>> {
        let mut found = self.conflicting(proc, tag, mode);
        let queue = self.entries.get(&tag).map(|e| &e.queue);
        let ahead = queue.into_iter().flatten().take_while(|w| !Arc::ptr_eq(&w.proc, proc));
        found.extend(ahead.filter(|w| w.mode.conflicts_with(mode)).map(|w| Arc::clone(&w.proc)));
        found
    }
    pub fn describe(&self, out: &mut Vec<LockInfo>) {
        for (tag, entry) in &self.entries {
            let line = |proc: &Proc, mode, wait_start: Option<i64>| LockInfo {
                tag: *tag,
                mode,
                granted: wait_start.is_none(),
                fastpath: false,
                session: proc.id,
                virtual_transaction: proc.virtual_xid(),
                wait_start,
            };
            for holder in &entry.holders {
                let modes = LockMode::ALL.into_iter().filter(|m| holder.modes & m.bit() != 0);
                out.extend(modes.map(|m| line(&holder.proc, m, None)));
            }
            out.extend(entry.queue.iter().map(|w| line(&w.proc, w.mode, Some(w.since))));
        }
    }
}
