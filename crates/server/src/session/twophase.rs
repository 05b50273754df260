//! PREPARE TRANSACTION, COMMIT PREPARED, ROLLBACK PREPARED.

use std::sync::Arc;

use base::sqlstate::*;
use base::{PgError, Result};
use catalog::inval::Invalidation;
use parser::ast::TransactionStmt;
use txn::twophase::{Finish, Finisher};

use super::Session;
use super::transaction::{Block, warning};

fn refused(what: &str) -> PgError {
    PgError::new(FEATURE_NOT_SUPPORTED, format!("cannot PREPARE a transaction that has {what}"))
}

impl Session {
    /// (PostgreSQL: `PrepareTransactionBlock`, `PrepareTransaction`)
    pub(super) fn prepare_transaction(&mut self, gid: &str) -> Result<&'static str> {
        match self.block {
            Block::None | Block::Implicit => {
                self.notice(warning(NO_ACTIVE_SQL_TRANSACTION, "there is no transaction in progress"));
                self.commit()?;
                return Ok("ROLLBACK");
            }
            Block::Failed => {
                self.abort();
                return Ok("ROLLBACK");
            }
            Block::Begun => {}
        }
        self.start_transaction()?;
        let checked = self.check_preparable().and_then(|()| self.before_commit());
        if let Err(e) = checked {
            self.abort();
            return Err(e);
        }
        self.block = Block::None;
        self.savepoints.clear();
        self.cx.snapshot = None;
        self.transaction_alarm = None;
        let owner = self.cx.settings.current_user;
        let prepared = match self.set_transaction(None).map(Arc::try_unwrap) {
            Some(Ok(txn)) => txn.prepare(gid, owner),
            _ => Err(PgError::internal("the transaction is still in use at its end")),
        };
        match &prepared {
            Ok(()) => self.variables.lock().commit(),
            Err(_) => self.variables.lock().abort(),
        }
        self.settings_changed();
        prepared.map(|()| "PREPARE TRANSACTION")
    }

    /// What cannot outlive its session.
    fn check_preparable(&mut self) -> Result<()> {
        if self.cx.extension_or_default::<executor::cursor::Cursors>().has_held() {
            return Err(refused("created a cursor WITH HOLD"));
        }
        for (db, rel) in self.cluster.manager.locks().locked_relations(&self.proc) {
            if db.is_valid() && self.cx.catalog.relation(rel)?.is_some_and(|r| r.is_temporary()) {
                return Err(refused("operated on temporary objects"));
            }
        }
        if self.cluster.snapshots.has_of(self.cx.txn()?) {
            return Err(refused("exported snapshots"));
        }
        if self.entry.inbox.has_pending() {
            return Err(refused("executed LISTEN, UNLISTEN, or NOTIFY"));
        }
        Ok(())
    }

    /// (PostgreSQL: `FinishPreparedTransaction`)
    pub(super) fn finish_prepared(
        &mut self,
        stmt: &TransactionStmt,
        finish: Finish,
        name: &'static str,
    ) -> Result<&'static str> {
        match self.block {
            Block::None => {}
            Block::Implicit => {
                let text = format!("{name} cannot be executed within a pipeline");
                return Err(PgError::new(ACTIVE_SQL_TRANSACTION, text));
            }
            Block::Begun | Block::Failed => {
                let text = format!("{name} cannot run inside a transaction block");
                return Err(PgError::new(ACTIVE_SQL_TRANSACTION, text));
            }
        }
        let who = Finisher {
            user: self.cx.settings.current_user,
            superuser: self.is_superuser,
            database: self.proc.database(),
            database_tablespace: self.store.database_tablespace,
            sync_commit: self.sync_commit,
        };
        let files = self.cluster.catalog_files(who.database, who.database_tablespace)?;
        let cluster = Arc::clone(&self.cluster);
        let gid = stmt.gid.as_deref().unwrap_or_default();
        self.cluster.manager.finish_prepared(gid, finish, who, &mut |bytes| {
            let messages: Vec<Invalidation> = bytes.iter().filter_map(Invalidation::from_bytes).collect();
            cluster.catalog.apply(&messages);
            files.apply(&messages)
        })?;
        Ok(name)
    }
}
