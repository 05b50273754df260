//! Alarms: what interrupts a session after a while (`statement_timeout`, `transaction_timeout`).
//!
//! One thread waits for the earliest of them. It is there only while there are alarms; most servers never start it.
//! (PostgreSQL: `timeout.c`)

use std::collections::BTreeMap;
use std::sync::{Arc, Weak};
use std::thread;
use std::time::Instant;

use base::interrupt::Reason;
use parking_lot::{Condvar, Mutex};

use crate::cluster::SessionEntry;

/// All sessions' alarms. Clones share them.
#[derive(Clone, Default)]
pub struct Timers(Arc<Shared>);

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// By time, then number.
    alarms: BTreeMap<(Instant, u64), (Weak<SessionEntry>, Reason)>,
    next: u64,
    running: bool,
}

/// An alarm that is set; dropping it calls it off.
pub struct Alarm {
    timers: Arc<Shared>,
    key: (Instant, u64),
}

impl Timers {
    /// Interrupts the session at that time, unless the alarm is dropped before.
    pub fn arm(&self, at: Instant, session: &Arc<SessionEntry>, reason: Reason) -> Alarm {
        let mut state = self.0.state.lock();
        let key = (at, state.next);
        state.next += 1;
        state.alarms.insert(key, (Arc::downgrade(session), reason));
        if !state.running {
            let shared = Arc::clone(&self.0);
            state.running = thread::Builder::new().name("timer".into()).spawn(move || shared.run()).is_ok();
        } else if state.alarms.first_key_value().is_some_and(|(first, _)| *first == key) {
            self.0.changed.notify_one();
        }
        Alarm { timers: Arc::clone(&self.0), key }
    }
}

impl Shared {
    fn run(&self) {
        let mut state = self.state.lock();
        while let Some((&(at, number), _)) = state.alarms.first_key_value() {
            if at > Instant::now() {
                self.changed.wait_until(&mut state, at);
                continue;
            }
            if let Some((session, reason)) = state.alarms.remove(&(at, number))
                && let Some(session) = session.upgrade()
            {
                // The session's own locks are taken without ours.
                drop(state);
                session.interrupt(reason);
                state = self.state.lock();
            }
        }
        state.running = false;
    }
}

impl Drop for Alarm {
    fn drop(&mut self) {
        self.timers.state.lock().alarms.remove(&self.key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_thread_only_while_there_are_alarms() {
        let timers = Timers::default();
        let nobody: Arc<SessionEntry> = Arc::new(SessionEntry {
            id: 1,
            cancel_key: Vec::new(),
            interrupt: base::Interrupt::new(),
            proc: Mutex::default(),
            wake: Box::new(|| {}),
            activity: Mutex::default(),
            started: 0,
            server_address: None,
            objects: Mutex::default(),
            inbox: Default::default(),
        });
        let soon = Instant::now() + Duration::from_millis(5);
        let dropped = timers.arm(soon, &nobody, Reason::Cancel);
        let kept = timers.arm(soon + Duration::from_millis(5), &nobody, Reason::StatementTimeout);
        drop(dropped);
        while timers.0.state.lock().running {
            thread::sleep(Duration::from_millis(1));
        }
        let error = nobody.interrupt.check().unwrap_err();
        assert_eq!(error.message(), "canceling statement due to statement timeout");
        assert!(nobody.interrupt.check().is_ok(), "the dropped alarm did not ring");
        drop(kept);
        assert!(timers.0.state.lock().alarms.is_empty());
    }
}
