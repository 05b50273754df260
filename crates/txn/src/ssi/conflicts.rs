//! rw-conflicts: a reader and a writer that ran at the same time, the reader not seeing what the writer wrote.

use base::{Result, Xid};

use super::{Id, NEVER, State, Target, Xact, failure};

/// One end of a conflict.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    Of(Id),
    /// Some transaction of which only a summary is left.
    Old,
}

impl State {
    fn xact(&self, id: Id) -> Option<&Xact> {
        self.xacts.get(&id)
    }
    fn change(&mut self, id: Id, how: impl FnOnce(&mut Xact)) {
        if let Some(x) = self.xacts.get_mut(&id) {
            how(x);
        }
    }
    fn conflict_exists(&self, reader: Id, writer: Id) -> bool {
        self.xact(reader).is_some_and(|x| x.out_conflicts.contains(&writer))
    }

    /// The transaction writes; `doomed_reason` if another has decided that it must not commit.
    pub(super) fn write(&mut self, me: Id, doomed_reason: &str) -> Result<()> {
        match self.xacts.get_mut(&me) {
            Some(x) if x.doomed => Err(failure(doomed_reason.to_owned())),
            Some(x) => {
                x.did_write = true;
                Ok(())
            }
            None => Ok(()),
        }
    }

    /// See [`super::Watched::conflict_out`].
    pub(super) fn conflict_out(&mut self, me: Id, writer_xid: Xid) -> Result<()> {
        let Some(own) = self.xact(me) else { return Ok(()) };
        if own.doomed {
            return Err(failure("Canceled on identification as a pivot, during conflict out checking.".into()));
        }
        let concurrent = own.running.contains(writer_xid);
        let Some(writer) = self.by_xid.get(&writer_xid).copied() else {
            return self.conflict_out_to_old(me, writer_xid);
        };
        let Some(other) = self.xact(writer) else { return Ok(()) };
        if writer == me || other.doomed {
            return Ok(());
        }
        if other.summary_out {
            // It has a conflict to one that committed before it, we cannot tell whether before our snapshot.
            if other.prepared {
                return Err(failure("Canceled on conflict out to old pivot.".into()));
            }
            self.change(writer, |x| x.doomed = true);
            return Ok(());
        }
        // One that only reads can be taken to have run first, unless the writer is itself to come before an earlier commit.
        let first = own.read_only && other.committed && (!other.conflict_out || own.last_commit < other.earliest_out);
        if first || !concurrent || self.conflict_exists(me, writer) {
            return Ok(());
        }
        self.flag(me, End::Of(me), End::Of(writer))
    }
    fn conflict_out_to_old(&mut self, me: Id, xid: Xid) -> Result<()> {
        let (Some(earliest), Some(own)) = (self.old_xids.get(&xid).copied(), self.xact(me)) else { return Ok(()) };
        if !own.running.contains(xid) {
            return Ok(());
        }
        if earliest != NEVER && (!own.read_only || earliest <= own.last_commit) {
            return Err(failure(format!("Canceled on conflict out to old pivot {xid}.")));
        }
        if own.summary_in || !own.in_conflicts.is_empty() {
            return Err(failure(format!(
                "Canceled on identification as a pivot, with conflict out to old committed transaction {xid}."
            )));
        }
        self.change(me, |x| x.summary_out = true);
        Ok(())
    }

    /// Whoever has read the target has a conflict to us. `own_row`: our own lock on it is not needed any more, since
    /// the row is ours now. (PostgreSQL: `CheckTargetForConflictsIn`)
    pub(super) fn conflicts_with_readers(&mut self, me: Id, target: Target, own_row: bool) -> Result<()> {
        if let Some(seq) = self.old_locks.get(&target).copied()
            && let Some(own) = self.xact(me)
            && seq > own.last_commit
            && !own.summary_in
        {
            self.flag(me, End::Old, End::Of(me))?;
        }
        let Some(readers) = self.locks.get(&target) else { return Ok(()) };
        let mut mine = false;
        for reader in readers.clone() {
            if reader == me {
                mine = true;
                continue;
            }
            let (Some(r), Some(own)) = (self.xact(reader), self.xact(me)) else { continue };
            let overlaps = !r.committed || own.xmin.precedes(r.finished_before);
            if !r.doomed && overlaps && !self.conflict_exists(reader, me) {
                self.flag(me, End::Of(reader), End::Of(me))?;
            }
        }
        if mine && own_row {
            self.forget_lock(me, target);
        }
        Ok(())
    }

    /// Notes a conflict, unless it makes one of the transactions fail: us, or another, which is then doomed.
    fn flag(&mut self, me: Id, reader: End, writer: End) -> Result<()> {
        self.check_structure(me, reader, writer)?;
        match (reader, writer) {
            (End::Of(r), End::Of(w)) => {
                self.change(r, |x| x.out_conflicts.push(w));
                self.change(w, |x| x.in_conflicts.push(r));
            }
            (End::Old, End::Of(w)) => self.change(w, |x| x.summary_in = true),
            (End::Of(r), End::Old) => self.change(r, |x| x.summary_out = true),
            (End::Old, End::Old) => {}
        }
        Ok(())
    }

    /// Would this conflict complete a dangerous structure, two conflicts in a row whose last transaction committed first?
    /// (PostgreSQL: `OnConflict_CheckForSerializationFailure`)
    fn check_structure(&mut self, me: Id, reader: End, writer: End) -> Result<()> {
        let End::Of(w) = writer else { return Ok(()) };
        let r = match reader {
            End::Of(r) => self.xact(r),
            End::Old => None,
        };
        let Some(writing) = self.xact(w) else { return Ok(()) };
        let dangerous = is_pivot_out(self, r, writing) || r.is_some_and(|r| is_pivot_in(self, r, writing));
        if !dangerous {
            return Ok(());
        }
        if w == me {
            return Err(failure("Canceled on identification as a pivot, during write.".into()));
        }
        if writing.prepared {
            let xid = writing.xids.first().copied().unwrap_or_default();
            return Err(failure(format!("Canceled on conflict out to pivot {xid}, during read.")));
        }
        self.change(w, |x| x.doomed = true);
        Ok(())
    }

    /// (PostgreSQL: `PreCommit_CheckForSerializationFailure`)
    pub(super) fn pre_commit(&mut self, me: Id) -> Result<()> {
        let Some(own) = self.xact(me) else { return Ok(()) };
        if own.doomed {
            return Err(failure("Canceled on identification as a pivot, during commit attempt.".into()));
        }
        let open = |x: &Xact| !x.committed && !x.doomed;
        let near: Vec<Id> = own.in_conflicts.clone();
        for pivot in near {
            let Some(p) = self.xact(pivot).filter(|p| open(p)) else { continue };
            let far =
                p.in_conflicts.iter().any(|far| *far == me || self.xact(*far).is_some_and(|f| open(f) && !f.read_only));
            if far && p.prepared {
                let text = "Canceled on commit attempt with conflict in from prepared pivot.";
                return Err(failure(text.into()));
            }
            if far {
                // We commit first: the pivot must not. If it is tried again it will see our work.
                self.change(pivot, |x| x.doomed = true);
            }
        }
        self.last_seq += 1;
        let seq = self.last_seq;
        self.change(me, |x| (x.prepare_seq, x.prepared) = (seq, true));
        Ok(())
    }
}

/// Is the writer the middle of reader, writer and a third that commits first? `reader`: `None` for one that is summarized.
fn is_pivot_out(state: &State, reader: Option<&Xact>, writer: &Xact) -> bool {
    if writer.committed && (writer.conflict_out || writer.summary_out) || writer.summary_out {
        return true;
    }
    writer.out_conflicts.iter().filter_map(|id| state.xact(*id)).any(|third| {
        third.prepared
            && reader.is_none_or(|r| {
                (!r.committed || third.prepare_seq <= r.commit_seq)
                    && (!r.read_only || third.prepare_seq <= r.last_commit)
            })
            && (!writer.committed || third.prepare_seq <= writer.commit_seq)
    })
}

/// Is the reader the middle of a first, itself, and the writer, which commits first?
fn is_pivot_in(state: &State, reader: &Xact, writer: &Xact) -> bool {
    if !writer.prepared || reader.read_only {
        return false;
    }
    reader.summary_in
        || reader.in_conflicts.iter().filter_map(|id| state.xact(*id)).any(|first| {
            !first.doomed
                && (!first.committed || first.commit_seq >= writer.prepare_seq)
                && (!first.read_only || first.last_commit >= writer.prepare_seq)
        })
}
