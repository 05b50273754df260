//! A session's own table of the locks it holds. (PostgreSQL: `LOCALLOCK`, and the fast path of `PGPROC`)
//!
//! The journal keeps the transaction's holds in the order they were taken, so that a subtransaction's can be undone. Taking a
//! lock again within the same subtransaction only counts: a long transaction does not grow it.

use hashbrown::HashMap;

use super::{LockLevel, LockMode, LockTag};

type Key = (LockTag, LockMode);

#[derive(Clone, Copy)]
struct Hold {
    transaction: u32,
    session: u32,
    /// Noted here only, not in the shared table.
    fast: bool,
    /// Where in the journal it was last noted.
    noted_at: usize,
}

struct Entry {
    key: Key,
    /// 0: given back meanwhile.
    count: u32,
}

#[derive(Default)]
pub(crate) struct LocalLocks {
    held: HashMap<Key, Hold>,
    /// The virtual transaction id in progress, and whether it is noted here only.
    virtual_id: Option<(LockTag, bool)>,
    journal: Vec<Entry>,
    /// Entries before this belong to outer subtransactions.
    inner_from: usize,
}

impl LocalLocks {
    /// Counts one more hold if the lock is held in this mode.
    pub fn add_if_held(&mut self, tag: LockTag, mode: LockMode, level: LockLevel) -> bool {
        let key = (tag, mode);
        let Some(hold) = self.held.get_mut(&key) else { return false };
        match level {
            LockLevel::Session => hold.session += 1,
            LockLevel::Transaction => {
                hold.transaction += 1;
                match self.journal.get_mut(hold.noted_at) {
                    Some(entry) if hold.noted_at >= self.inner_from && entry.key == key => entry.count += 1,
                    _ => {
                        hold.noted_at = self.journal.len();
                        self.journal.push(Entry { key, count: 1 });
                    }
                }
            }
        }
        true
    }
    pub fn add(&mut self, tag: LockTag, mode: LockMode, level: LockLevel, fast: bool) {
        let key = (tag, mode);
        let hold = match level {
            LockLevel::Session => Hold { transaction: 0, session: 1, fast, noted_at: usize::MAX },
            LockLevel::Transaction => {
                self.journal.push(Entry { key, count: 1 });
                Hold { transaction: 1, session: 0, fast, noted_at: self.journal.len() - 1 }
            }
        };
        self.held.insert(key, hold);
    }
    /// A lock on an own id: it ends with the id, not with the subtransaction in which it happened to be taken.
    pub fn add_own_id(&mut self, tag: LockTag) {
        let hold = Hold { transaction: 1, session: 0, fast: true, noted_at: usize::MAX };
        self.held.insert((tag, LockMode::Exclusive), hold);
    }
    /// A new virtual transaction's lock on its id.
    pub fn set_virtual_id(&mut self, tag: LockTag) {
        self.virtual_id = Some((tag, true));
    }
    pub fn remove_own_id(&mut self, tag: LockTag) -> Option<Key> {
        let hold = self.held.remove(&(tag, LockMode::Exclusive))?;
        (!hold.fast).then_some((tag, LockMode::Exclusive))
    }
    pub fn holds(&self, tag: LockTag, mode: LockMode) -> bool {
        mode == LockMode::Exclusive && self.virtual_id.is_some_and(|(own, _)| own == tag)
            || self.held.contains_key(&(tag, mode))
    }
    /// The modes of the tag that only this table knows; from now on the shared table does.
    pub fn take_fast(&mut self, tag: LockTag) -> Vec<LockMode> {
        let mut modes = Vec::new();
        if let Some((own, fast)) = &mut self.virtual_id
            && *own == tag
            && std::mem::take(fast)
        {
            modes.push(LockMode::Exclusive);
        }
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
    /// What the transaction holds.
    pub fn of_transaction(&self) -> Vec<Key> {
        self.held.iter().filter(|(_, hold)| hold.transaction > 0).map(|(key, _)| *key).collect()
    }
    /// Is the tag locked for the session, in any mode?
    pub fn has_session_hold(&self, tag: LockTag) -> bool {
        self.held.iter().any(|((t, _), hold)| *t == tag && hold.session > 0)
    }
    /// The lock is another's now; whether only this table knew of it.
    pub fn take_away(&mut self, key: Key) -> bool {
        self.held.remove(&key).is_some_and(|hold| hold.fast)
    }
    pub fn fast(&self) -> Vec<Key> {
        let own = self.virtual_id.filter(|(_, fast)| *fast).map(|(tag, _)| (tag, LockMode::Exclusive));
        self.held.iter().filter(|(_, hold)| hold.fast).map(|(key, _)| *key).chain(own).collect()
    }
    /// Takes one hold away. `None` if there is none; else what must be given back to the shared table.
    pub fn remove(&mut self, tag: LockTag, mode: LockMode, level: LockLevel) -> Option<Option<Key>> {
        let key = (tag, mode);
        let hold = self.held.get_mut(&key)?;
        match level {
            LockLevel::Session => hold.session = hold.session.checked_sub(1)?,
            LockLevel::Transaction => {
                hold.transaction = hold.transaction.checked_sub(1)?;
                let at = hold.noted_at;
                self.forget_note(key, at);
            }
        }
        Some(self.drop_if_free(key))
    }
    fn forget_note(&mut self, key: Key, likely: usize) {
        let noted = |e: &Entry| e.key == key && e.count > 0;
        let at = match self.journal.get(likely) {
            Some(entry) if noted(entry) => Some(likely),
            _ => self.journal.iter().rposition(noted),
        };
        if let Some(at) = at {
            self.journal[at].count -= 1;
        }
        while self.journal.len() > self.inner_from && self.journal.last().is_some_and(|e| e.count == 0) {
            self.journal.pop();
        }
    }
    fn drop_if_free(&mut self, key: Key) -> Option<Key> {
        let hold = self.held.get(&key)?;
        if hold.transaction + hold.session > 0 {
            return None;
        }
        let fast = hold.fast;
        self.held.remove(&key);
        (!fast).then_some(key)
    }
    /// What is taken from now on belongs to a new subtransaction.
    pub fn mark(&mut self) -> usize {
        self.inner_from = self.journal.len();
        self.inner_from
    }
    pub fn remove_since(&mut self, mark: usize) -> Vec<Key> {
        let mut gone = Vec::new();
        while self.journal.len() > mark {
            let Some(Entry { key, count }) = self.journal.pop() else { break };
            if let Some(hold) = self.held.get_mut(&key) {
                hold.transaction = hold.transaction.saturating_sub(count);
                gone.extend(self.drop_if_free(key));
            }
        }
        self.inner_from = mark;
        gone
    }
    pub fn remove_transaction(&mut self) -> Vec<Key> {
        let mut gone = Vec::new();
        self.journal.clear();
        self.inner_from = 0;
        if let Some((own, false)) = self.virtual_id.take() {
            gone.push((own, LockMode::Exclusive));
        }
        self.held.retain(|key, hold| {
            (hold.transaction, hold.noted_at) = (0, usize::MAX);
            let kept = hold.session > 0;
            if !kept && !hold.fast {
                gone.push(*key);
            }
            kept
        });
        gone
    }
    pub fn remove_session(&mut self, only_advisory: bool) -> Vec<Key> {
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

#[cfg(test)]
mod tests {
    use base::Oid;

    use super::*;

    const MODE: LockMode = LockMode::Share;

    fn table(n: u32) -> LockTag {
        LockTag::Relation { db: Oid(5), rel: Oid(n) }
    }
    fn take(l: &mut LocalLocks, n: u32) {
        if !l.add_if_held(table(n), MODE, LockLevel::Transaction) {
            l.add(table(n), MODE, LockLevel::Transaction, false);
        }
    }

    #[test]
    fn the_journal_stays_short() {
        let mut l = LocalLocks::default();
        for _ in 0..1000 {
            take(&mut l, 1);
            take(&mut l, 2);
            assert_eq!(l.remove(table(2), MODE, LockLevel::Transaction), Some(Some((table(2), MODE))));
        }
        assert!(l.journal.len() <= 2);
    }

    #[test]
    fn holds_of_a_subtransaction_are_undone_alone() {
        let mut l = LocalLocks::default();
        take(&mut l, 1);
        let outer = l.mark();
        take(&mut l, 1);
        take(&mut l, 2);
        let inner = l.mark();
        take(&mut l, 2);
        take(&mut l, 3);
        assert_eq!(l.remove_since(inner), [(table(3), MODE)]);
        take(&mut l, 2);
        // One of the outer's holds is given back within.
        assert_eq!(l.remove(table(1), MODE, LockLevel::Transaction), Some(None));
        assert_eq!(l.remove_since(outer), [(table(2), MODE)]);
        assert!(l.holds(table(1), MODE));
        assert_eq!(l.remove_transaction(), [(table(1), MODE)]);
        assert!(l.held.is_empty());
    }
}
