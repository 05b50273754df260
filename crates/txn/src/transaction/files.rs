//! Relation files that come and go with the transaction. (PostgreSQL: `storage.c`)

use base::{ForkNumber, RelFileLocator, Result};
use storage::{Persistence, critical};

use super::{PendingFile, Transaction};

impl Transaction {
    /// Creates a relation's file, logs that, and removes it if the (sub)transaction aborts.
    /// (PostgreSQL: `RelationCreateStorage`)
    pub fn create_storage(&self, locator: RelFileLocator, persistence: Persistence) -> Result<()> {
        let smgr = self.manager.pool().smgr();
        smgr.set_persistence(locator, persistence);
        if persistence == Persistence::Permanent {
            // Its removal is part of the outcome's record, which needs an id.
            self.xid()?;
        }
        smgr.create(locator, ForkNumber::Main, false)?;
        let level = self.nest_level();
        self.state.lock().files.push(PendingFile { locator, persistence, at_commit: false, level });
        if persistence == Persistence::Permanent {
            self.log_create(locator, ForkNumber::Main);
        }
        Ok(())
    }
    /// Whether the current (sub)transaction made this file: nobody else can have seen what is in it.
    pub fn created_storage(&self, locator: RelFileLocator) -> bool {
        let level = self.nest_level();
        self.state.lock().files.iter().any(|f| !f.at_commit && f.locator == locator && f.level == level)
    }
    /// Logs and creates one more fork of a relation made by `create_storage`.
    pub fn create_fork(&self, locator: RelFileLocator, fork: ForkNumber) -> Result<()> {
        let smgr = self.manager.pool().smgr();
        smgr.create(locator, fork, false)?;
        // Also an unlogged relation's init fork must be there after a crash.
        if smgr.persistence(locator) == Persistence::Permanent || fork == ForkNumber::Init {
            self.log_create(locator, fork);
        }
        Ok(())
    }
    fn log_create(&self, locator: RelFileLocator, fork: ForkNumber) {
        let end = critical(|section| self.manager.wal().log_smgr_create(section, locator, fork));
        self.note_wal(end);
    }
    /// Removes a relation's files at commit. (PostgreSQL: `RelationDropStorage`)
    pub fn drop_storage(&self, locator: RelFileLocator) {
        let persistence = self.manager.pool().smgr().persistence(locator);
        let mut state = self.state.lock();
        let level = state.stack.len();
        state.files.push(PendingFile { locator, persistence, at_commit: true, level });
    }
    /// The file stays whatever happens. (PostgreSQL: `RelationPreserveStorage`)
    pub fn preserve_storage(&self, locator: RelFileLocator) {
        self.state.lock().files.retain(|f| f.locator != locator);
    }
    pub(super) fn remove_files(&self, files: &[PendingFile]) {
        if files.is_empty() {
            return;
        }
        let locators: Vec<RelFileLocator> = files.iter().map(|f| f.locator).collect();
        let pool = self.manager.pool();
        pool.drop_relations(&locators);
        // The outcome stands already; a file that cannot be removed is garbage only.
        let _ = pool.smgr().unlink(&locators, false);
    }
}

/// Those that a record must name: other sessions' recovery has nothing to do with temporary files.
pub(super) fn logged_files(files: &[PendingFile]) -> Vec<RelFileLocator> {
    let logged = files.iter().filter(|f| !matches!(f.persistence, Persistence::Temporary(_)));
    logged.map(|f| f.locator).collect()
}
