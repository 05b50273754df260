//! SIREAD locks: a transaction that holds many on the parts of a page or a relation gets one on the whole instead.

use super::{Id, Ssi, State, Target};

impl Ssi {
    /// (PostgreSQL: `PredicateLockAcquire`, `CheckAndPromotePredicateLockRequest`)
    pub(super) fn acquire(&self, state: &mut State, id: Id, target: Target) {
        let Some(x) = state.xacts.get_mut(&id) else { return };
        if x.locks.contains(&target) || target.ancestors().any(|a| x.locks.contains(&a)) {
            return;
        }
        let mut promoted = None;
        for above in target.ancestors() {
            let count = x.children.entry(above).or_insert(0);
            *count += 1;
            if *count > self.most_children(above) {
                promoted = Some(above);
            }
        }
        let target = match promoted {
            Some(whole) => {
                // It is not taken after all.
                target.ancestors().for_each(|a| x.uncount(a));
                whole.ancestors().for_each(|a| *x.children.entry(a).or_insert(0) += 1);
                whole
            }
            None => target,
        };
        x.locks.insert(target);
        let finer: Vec<Target> = match target.offset {
            0 => x.locks.iter().filter(|t| t.ancestors().any(|a| a == target)).copied().collect(),
            _ => Vec::new(),
        };
        state.locks.entry(target).or_default().push(id);
        finer.into_iter().for_each(|t| state.forget_lock(id, t));
    }
}

impl super::Xact {
    fn uncount(&mut self, target: Target) {
        if let Some(n) = self.children.get_mut(&target) {
            *n -= 1;
            if *n == 0 {
                self.children.remove(&target);
            }
        }
    }
}

impl State {
    pub(super) fn forget_lock(&mut self, id: Id, target: Target) {
        if let Some(x) = self.xacts.get_mut(&id)
            && x.locks.remove(&target)
        {
            target.ancestors().for_each(|a| x.uncount(a));
        }
        self.forget_holder(id, target);
    }
    fn forget_holder(&mut self, id: Id, target: Target) {
        if let Some(holders) = self.locks.get_mut(&target) {
            holders.retain(|h| *h != id);
            if holders.is_empty() {
                self.locks.remove(&target);
            }
        }
    }
    /// All locks of a transaction; `summarize` keeps them as those of nobody in particular.
    pub(super) fn forget_locks(&mut self, id: Id, summarize: bool) {
        let Some(x) = self.xacts.get_mut(&id) else { return };
        let (locks, seq) = (std::mem::take(&mut x.locks), x.commit_seq);
        x.children.clear();
        for target in locks {
            self.forget_holder(id, target);
            if summarize {
                let kept = self.old_locks.entry(target).or_insert(seq);
                *kept = (*kept).max(seq);
            }
        }
    }
}
