//! The end of serializable transactions. A committed one still matters to those that ran at the same time: what it has read,
//! its conflicts, when it committed. (PostgreSQL: `ReleasePredicateLocks`, `ClearOldPredicateLocks`,
//! `SummarizeOldestCommittedSxact`)

use base::Xid;

use super::{FIRST_SEQ, Id, KEEP_FINISHED, NEVER, Ssi, State};

/// How a transaction's part ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum How {
    Commit,
    Rollback,
    /// It reads only, and its snapshot is safe: it goes on unwatched.
    Safe,
}

impl Ssi {
    /// `next`: the next id to be assigned.
    pub(super) fn finish(&self, id: Id, how: How, next: Xid) {
        let mut state = self.state.lock();
        self.finish_in(&mut state, id, how, next);
    }
    pub(super) fn finish_in(&self, state: &mut State, id: Id, how: How, next: Xid) {
        if state.finish(id, how == How::Commit, next) {
            self.decided.notify_all();
        }
        self.note_targets(state);
    }
}

impl State {
    /// Whether somebody may have waited for this.
    fn finish(&mut self, id: Id, commit: bool, next: Xid) -> bool {
        let last_seq = self.last_seq;
        let Some(x) = self.xacts.get_mut(&id) else { return false };
        x.finished_before = next;
        if commit {
            self.last_seq += 1;
            (x.committed, x.commit_seq) = (true, last_seq + 1);
            // A transaction that committed without having written only read.
            x.read_only |= !x.did_write;
        } else {
            (x.doomed, x.rolled_back, x.prepared) = (true, true, false);
        }
        let declared = x.declared_read_only;
        if commit && !x.read_only && x.summary_out {
            (x.earliest_out, x.conflict_out) = (FIRST_SEQ, true);
        }
        if !declared {
            self.writable -= 1;
            if self.writable == 0 {
                // Nobody is left who could write what these have read.
                self.can_clear_through = self.last_seq;
            }
        }
        self.settle_conflicts(id, commit);
        let decided = self.tell_readers(id, commit, declared);
        let xmin = self.xacts.get(&id).map(|x| x.xmin);
        let mut clear = false;
        if xmin == self.global_xmin && xmin.is_some() {
            self.global_xmin_count = self.global_xmin_count.saturating_sub(1);
            if self.global_xmin_count == 0 {
                self.renew_global_xmin();
                clear = true;
            }
        }
        if commit {
            self.finished.push_back(id);
        } else {
            self.forget(id, false);
        }
        if clear {
            self.clear_old();
        }
        while self.finished.len() > KEEP_FINISHED {
            self.summarize_oldest();
        }
        decided
    }

    /// Conflicts that cannot matter any more go.
    fn settle_conflicts(&mut self, id: Id, commit: bool) {
        let Some(x) = self.xacts.get_mut(&id) else { return };
        let (out, into, writes) =
            (std::mem::take(&mut x.out_conflicts), std::mem::take(&mut x.in_conflicts), !x.read_only);
        let (mut kept_out, mut earliest) = (Vec::new(), None::<u64>);
        for other in out {
            let Some(o) = self.xacts.get(&other) else { continue };
            if commit && writes && o.committed {
                earliest = Some(earliest.map_or(o.prepare_seq, |e| e.min(o.prepare_seq)));
            }
            if !commit || o.committed || o.last_commit >= self.last_seq {
                self.unlink(id, other);
            } else {
                kept_out.push(other);
            }
        }
        let mut kept_in = Vec::new();
        for other in into {
            let Some(o) = self.xacts.get_mut(&other) else { continue };
            if !commit || o.committed || o.read_only {
                o.out_conflicts.retain(|w| *w != id);
            } else {
                kept_in.push(other);
            }
        }
        if let Some(x) = self.xacts.get_mut(&id) {
            (x.out_conflicts, x.in_conflicts) = (kept_out, kept_in);
            if let Some(e) = earliest {
                x.earliest_out = if x.conflict_out { x.earliest_out.min(e) } else { e };
                x.conflict_out = true;
            }
        }
    }
    /// The writer forgets that the reader has a conflict to it.
    fn unlink(&mut self, reader: Id, writer: Id) {
        if let Some(w) = self.xacts.get_mut(&writer) {
            w.in_conflicts.retain(|r| *r != reader);
        }
    }

    /// Those that only read, and wait to know whether their snapshots are safe, hear of the end of one that could write.
    fn tell_readers(&mut self, id: Id, commit: bool, declared_read_only: bool) -> bool {
        let Some(x) = self.xacts.get_mut(&id) else { return false };
        let others = std::mem::take(&mut x.possible_unsafe);
        let harmful = commit && x.did_write && x.conflict_out;
        let earliest = x.earliest_out;
        for other in &others {
            let Some(o) = self.xacts.get_mut(other) else { continue };
            o.possible_unsafe.retain(|i| *i != id);
            if declared_read_only {
                continue;
            }
            if harmful && earliest <= o.last_commit {
                o.unsafe_snapshot = true;
                for writer in std::mem::take(&mut o.possible_unsafe) {
                    if let Some(w) = self.xacts.get_mut(&writer) {
                        w.possible_unsafe.retain(|i| i != other);
                    }
                }
            } else if o.possible_unsafe.is_empty() && !o.unsafe_snapshot {
                o.safe = true;
            }
        }
        !declared_read_only && !others.is_empty()
    }

    fn renew_global_xmin(&mut self) {
        (self.global_xmin, self.global_xmin_count) = (None, 0);
        for x in self.xacts.values().filter(|x| !x.rolled_back && !x.committed) {
            match self.global_xmin {
                Some(g) if g == x.xmin => self.global_xmin_count += 1,
                Some(g) if !x.xmin.precedes(g) => {}
                _ => (self.global_xmin, self.global_xmin_count) = (Some(x.xmin), 1),
            }
        }
        match self.global_xmin {
            None => self.old_xids.clear(),
            Some(oldest) => self.old_xids.retain(|xid, _| !xid.precedes(oldest)),
        }
    }

    /// Forgets committed transactions that nobody running overlaps; of others what only those that write could want.
    fn clear_old(&mut self) {
        let mut at = 0;
        while let Some(id) = self.finished.get(at).copied() {
            let Some(x) = self.xacts.get(&id) else {
                self.finished.remove(at);
                continue;
            };
            let over = self.global_xmin.is_none_or(|g| !g.precedes(x.finished_before));
            if over {
                self.finished.remove(at);
                self.forget(id, false);
            } else if x.commit_seq > self.have_cleared_through && x.commit_seq <= self.can_clear_through {
                self.have_cleared_through = x.commit_seq;
                if x.read_only {
                    self.finished.remove(at);
                    self.forget(id, false);
                } else {
                    self.forget_locks(id, false);
                    self.forget_in_conflicts(id, false);
                    at += 1;
                }
            } else {
                break;
            }
        }
        let clear = self.can_clear_through;
        self.old_locks.retain(|_, seq| *seq > clear);
    }
    fn forget_in_conflicts(&mut self, id: Id, summarize: bool) {
        let into = self.xacts.get_mut(&id).map(|x| std::mem::take(&mut x.in_conflicts)).unwrap_or_default();
        for reader in into {
            if let Some(r) = self.xacts.get_mut(&reader) {
                r.out_conflicts.retain(|w| *w != id);
                r.summary_out |= summarize;
            }
        }
    }
    /// (PostgreSQL: `ReleaseOneSerializableXact`)
    fn forget(&mut self, id: Id, summarize: bool) {
        self.forget_locks(id, summarize);
        self.forget_in_conflicts(id, summarize);
        let Some(x) = self.xacts.remove(&id) else { return };
        for writer in x.out_conflicts {
            self.unlink(id, writer);
            if summarize && let Some(w) = self.xacts.get_mut(&writer) {
                w.summary_in = true;
            }
        }
        for xid in x.xids {
            self.by_xid.remove(&xid);
        }
    }
    fn summarize_oldest(&mut self) {
        let Some(id) = self.finished.pop_front() else { return };
        if let Some(x) = self.xacts.get(&id).filter(|x| !x.read_only) {
            let earliest = if x.conflict_out { x.earliest_out } else { NEVER };
            self.old_xids.extend(x.xids.iter().map(|xid| (*xid, earliest)));
        }
        self.forget(id, true);
    }
}
