//! PREPARE TRANSACTION: the session's transaction goes on without it. (PostgreSQL: `PrepareTransaction`)

use std::sync::atomic::Ordering;

use base::sqlstate::FEATURE_NOT_SUPPORTED;
use base::{Interrupt, MultiXactId, Oid, PgError, Result, SessionId, Xid};
use storage::Persistence;

use super::files::logged_files;
use super::{Transaction, TransactionEvent, current_timestamp};
use crate::lock::LockTag;
use crate::twophase::State;

impl Transaction {
    /// Prepares the transaction for a commit or rollback by anybody, later. On an error it was aborted.
    pub fn prepare(mut self, gid: &str, owner: Oid) -> Result<()> {
        let prepared = self.try_prepare(gid, owner);
        match &prepared {
            Ok(()) => self.finished = true,
            // With a record that may or may not have reached the disk only recovery knows.
            Err(e) if e.severity() >= base::Severity::Panic => self.finished = true,
            Err(_) => self.finish_abort(),
        }
        prepared
    }
    fn try_prepare(&mut self, gid: &str, owner: Oid) -> Result<()> {
        while self.nest_level() > 1 {
            self.release_sub()?;
        }
        self.tell(TransactionEvent::PreCommit)?;
        self.manager.serializable_pre_commit(&self.ssi)?;
        let temporary = |p: Persistence| matches!(p, Persistence::Temporary(_));
        if self.state.lock().files.iter().any(|f| temporary(f.persistence)) {
            let text = "cannot PREPARE a transaction that has operated on temporary objects";
            return Err(PgError::new(FEATURE_NOT_SUPPORTED, text));
        }
        let xid = self.top_xid()?;
        let (manager, database) = (self.manager.clone(), self.proc.database());
        let locks = manager.locks().for_prepare(&self.proc)?;
        let prepared_at = current_timestamp();
        manager.prepared.reserve(gid, xid, owner, database, prepared_at)?;
        let state = self.state_of(gid, xid, owner, prepared_at, locks);
        if let Err(e) = manager.log_prepared(&state) {
            manager.prepared.forget(xid);
            return Err(e);
        }
        let place = manager.register(SessionId(0), database, Interrupt::new())?;
        place.oldest_member.store(state.oldest_member.unwrap_or_default().0, Ordering::Release);
        manager.hand_over_xid(&self.proc, &place);
        manager.serializable_prepared(&self.ssi, &place);
        manager.locks().hand_over(&self.proc, &place);
        self.changes.lock().handed_over();
        // For this session everything is as if it had been rolled back: it does not see the changes.
        self.tell_all(TransactionEvent::Aborted);
        self.release();
        manager.prepared_is_ready(xid, place);
        Ok(())
    }
    fn state_of(
        &self,
        gid: &str,
        xid: Xid,
        owner: Oid,
        prepared_at: i64,
        locks: Vec<(LockTag, crate::lock::LockMode)>,
    ) -> State {
        let mut state = self.state.lock();
        let mut subs = std::mem::take(&mut state.stack[0].children);
        subs.sort_unstable_by_key(|x| x.0.wrapping_sub(xid.0));
        let (dropped, created): (Vec<_>, Vec<_>) =
            std::mem::take(&mut state.files).into_iter().partition(|f| f.at_commit);
        State {
            xid,
            database: self.proc.database(),
            prepared_at,
            owner,
            gid: gid.to_owned(),
            subs,
            dropped: logged_files(&dropped),
            created: logged_files(&created),
            invalidations: std::mem::take(&mut state.invalidations),
            relcache_init_file: state.relcache_init_file,
            locks,
            changes: self.changes.lock().prepared(),
            oldest_member: Some(MultiXactId(self.proc.oldest_member.load(Ordering::Acquire))).filter(|m| m.is_valid()),
        }
    }
}
