//! A session's own table of the locks it holds. (PostgreSQL: `LOCALLOCK`, and the fast path of `PGPROC`)

use hashbrown::HashMap;

use super::{LockLevel, LockMode, LockTag};

#[derive(Clone, Copy, Default)]
struct Hold {
    transaction: u32,
    session: u32,
    /// Noted here only, not in the shared table.
    fast: bool,
}

#[derive(Default)]
pub(crate) struct LocalLocks {
    held: HashMap<(LockTag, LockMode), Hold>,
    /// The transaction's holds in the order they were taken.
    journal: Vec<(LockTag, LockMode)>,
}

impl LocalLocks {
    /// Counts one more hold if the lock is held in this mode.
    pub fn add_if_held(&mut self, tag: LockTag, mode: LockMode, level: LockLevel) -> bool {
        let Some(hold) = self.held.get_mut(&(tag, mode)) else { return false };
        match level {
            LockLevel::Transaction => {
                hold.transaction += 1;
                self.journal.push((tag, mode));
            }
            LockLevel::Session => hold.session += 1,
        }
        true
    }
    pub fn add(&mut self, tag: LockTag, mode: LockMode, level: LockLevel, fast: bool) {
        self.held.insert((tag, mode), Hold { transaction: 0, session: 0, fast });
        self.add_if_held(tag, mode, level);
    }
    /// A lock on an own id: it ends with the id, not with the subtransaction in which it happened to be taken.
    pub fn add_own_id(&mut self, tag: LockTag) {
        self.held.insert((tag, LockMode::Exclusive), Hold { transaction: 1, session: 0, fast: true });
    }
    pub fn remove_own_id(&mut self, tag: LockTag) -> Option<(LockTag, LockMode)> {
        let hold = self.held.remove(&(tag, LockMode::Exclusive))?;
        (!hold.fast).then_some((tag, LockMode::Exclusive))
    }
    pub fn holds(&self, tag: LockTag, mode: LockMode) -> bool {
        self.held.contains_key(&(tag, mode))
    }
    /// The modes of the tag that only this table knows; from now on the shared table does.
    pub fn take_fast(&mut self, tag: LockTag) -> Vec<LockMode> {
        let mut modes = Vec::new();
        for mode in tag.fast_modes() {
            if let Some(hold) = self.held.get_mut(&(tag, *mode))
                && hold.fast
            {
                hold.fast = false;
                modes.push(*mode);
            }
        }
        modes
    }
    pub fn fast(&self) -> Vec<(LockTag, LockMode)> {
        self.held.iter().filter(|(_, hold)| hold.fast).map(|(key, _)| *key).collect()
    }
    /// Takes one hold away. `None` if there is none; else what must be given back to the shared table.
    pub fn remove(&mut self, tag: LockTag, mode: LockMode, level: LockLevel) -> Option<Vec<(LockTag, LockMode)>> {
        let hold = self.held.get_mut(&(tag, mode))?;
        match level {
            LockLevel::Transaction => {
                hold.transaction = hold.transaction.checked_sub(1)?;
                if let Some(at) = self.journal.iter().rposition(|j| *j == (tag, mode)) {
                    self.journal.remove(at);
                }
            }
            LockLevel::Session => hold.session = hold.session.checked_sub(1)?,
        }
        Some(self.drop_if_free((tag, mode)).into_iter().collect())
    }
    fn drop_if_free(&mut self, key: (LockTag, LockMode)) -> Option<(LockTag, LockMode)> {
        let hold = self.held.get(&key)?;
        if hold.transaction + hold.session > 0 {
            return None;
        }
        let fast = hold.fast;
        self.held.remove(&key);
        (!fast).then_some(key)
    }
    pub fn mark(&self) -> usize {
        self.journal.len()
    }
    pub fn remove_since(&mut self, mark: usize) -> Vec<(LockTag, LockMode)> {
        let mut gone = Vec::new();
        while self.journal.len() > mark {
            let Some(key) = self.journal.pop() else { break };
            if let Some(hold) = self.held.get_mut(&key) {
                hold.transaction = hold.transaction.saturating_sub(1);
                gone.extend(self.drop_if_free(key));
            }
        }
        gone
    }
    pub fn remove_transaction(&mut self) -> Vec<(LockTag, LockMode)> {
        let mut gone = Vec::new();
        self.journal.clear();
        self.held.retain(|key, hold| {
            hold.transaction = 0;
            let kept = hold.session > 0;
            if !kept && !hold.fast {
                gone.push(*key);
            }
            kept
        });
        gone
    }
    pub fn remove_session(&mut self, only_advisory: bool) -> Vec<(LockTag, LockMode)> {
        let keys: Vec<_> = self.held.keys().copied().collect();
        let mut gone = Vec::new();
        for key in keys {
            if only_advisory && !matches!(key.0, LockTag::Advisory { .. }) {
                continue;
            }
            if let Some(hold) = self.held.get_mut(&key) {
                hold.session = 0;
            }
            gone.extend(self.drop_if_free(key));
        }
        gone
    }
}
