//! Waiting for a lock: until it is granted, an interrupt, `lock_timeout`, or a deadlock. (PostgreSQL: `ProcSleep`)

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use base::sqlstate::LOCK_NOT_AVAILABLE;
use base::{PgError, Result};

use super::{LockManager, LockMode, LockTag};
use crate::proc::Proc;

/// What a session waits for. Under the session's own mutex, with its condition variable.
#[derive(Default)]
pub(crate) struct WaitState {
    waiting: Option<(LockTag, LockMode)>,
    granted: bool,
}

impl WaitState {
    pub fn start(&mut self, tag: LockTag, mode: LockMode) {
        *self = WaitState { waiting: Some((tag, mode)), granted: false };
    }
    pub fn granted(&mut self) {
        *self = WaitState { waiting: None, granted: true };
    }
    pub fn waiting_for(&self) -> Option<(LockTag, LockMode)> {
        self.waiting
    }
}

/// An interrupt whose raiser forgot to wake us is noticed after this long.
const POLL: Duration = Duration::from_millis(50);

impl LockManager {
    /// The session is in the queue.
    pub(super) fn sleep(&self, proc: &Arc<Proc>, tag: LockTag, mode: LockMode) -> Result<()> {
        proc.interrupt().before_wait();
        let started = Instant::now();
        let after = |ms: u64| started + Duration::from_millis(ms);
        let mut deadlock_at = Some(after(proc.deadlock_timeout_ms.load(Ordering::Relaxed)));
        let timeout_at = Some(proc.lock_timeout_ms.load(Ordering::Relaxed)).filter(|ms| *ms > 0).map(after);
        let error = loop {
            {
                let mut wait = proc.wait.lock();
                if wait.granted {
                    return Ok(());
                }
                if !proc.interrupt().is_raised() {
                    let until = [deadlock_at, timeout_at, Some(Instant::now() + POLL)].into_iter().flatten().min();
                    if let Some(until) = until {
                        proc.woken.wait_until(&mut wait, until);
                    }
                }
                if wait.granted {
                    return Ok(());
                }
            }
            if let Err(e) = proc.interrupt().check() {
                break e;
            }
            let now = Instant::now();
            if timeout_at.is_some_and(|at| now >= at) {
                break PgError::new(LOCK_NOT_AVAILABLE, "canceling statement due to lock timeout");
            }
            if deadlock_at.is_some_and(|at| now >= at) {
                deadlock_at = None;
                if let Err(e) = self.check_deadlock(proc) {
                    break e;
                }
            }
        };
        let mut shard = self.shard(tag).lock();
        if !shard.leave_queue(proc, tag) {
            // It was granted in this very moment.
            shard.release(proc, tag, mode);
        }
        *proc.wait.lock() = WaitState::default();
        Err(error)
    }
}
