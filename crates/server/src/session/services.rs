//! What `commands` asks of the session: settings, transactions, the client's side of COPY.

use std::sync::Arc;

use base::guc::Values;
use base::sqlstate::*;
use base::{Interrupt, Oid, PgError, Result};
use executor::ExecContext;
use txn::{Proc, SyncCommit, Transaction, TransactionOptions};

use super::Session;
use super::store::Store;
use super::transaction::Block;
use crate::cluster::Cluster;
use crate::protocol::{Connection, Format, Frontend};

/// The session but for its execution context, which commands hold at the same time.
pub(super) struct Services<'a> {
    cluster: &'a Arc<Cluster>,
    conn: &'a mut Connection,
    proc: &'a Arc<Proc>,
    interrupt: Interrupt,
    values: Values,
    block: Block,
    sync_commit: SyncCommit,
    own_id: i32,
    store: &'a Store,
    several: bool,
}

impl<'a> Services<'a> {
    pub fn split(session: &'a mut Session) -> (&'a mut ExecContext, Services<'a>) {
        let values = session.variables.lock().values().clone();
        let services = Services {
            cluster: &session.cluster,
            conn: &mut session.conn,
            proc: &session.proc,
            interrupt: session.entry.interrupt.clone(),
            values,
            block: session.block,
            sync_commit: session.sync_commit,
            own_id: session.entry.id,
            store: &*session.store,
            several: session.several,
        };
        (&mut session.cx, services)
    }
}

impl commands::Session for Services<'_> {
    fn values(&self) -> &Values {
        &self.values
    }

    fn is_atomic(&self) -> bool {
        match self.block {
            Block::None => false,
            Block::Implicit => self.several,
            Block::Begun | Block::Failed => true,
        }
    }

    fn prevent_in_transaction_block(&mut self, name: &str) -> Result<()> {
        match self.block {
            Block::None => Ok(()),
            Block::Begun | Block::Failed => {
                let text = format!("{name} cannot run inside a transaction block");
                Err(PgError::new(ACTIVE_SQL_TRANSACTION, text))
            }
            Block::Implicit => {
                let text = format!("{name} cannot be executed within a pipeline");
                Err(PgError::new(ACTIVE_SQL_TRANSACTION, text))
            }
        }
    }

    fn next_transaction(&mut self, cx: &mut ExecContext) -> Result<()> {
        cx.snapshot = None;
        if let Some(txn) = self.store.set_transaction(cx, None) {
            let in_use = || PgError::internal("the transaction is still in use at its commit");
            Arc::try_unwrap(txn).map_err(|_| in_use())?.commit()?;
        }
        let txn = Transaction::begin(&self.cluster.manager, self.proc, TransactionOptions::default())?;
        txn.set_sync_commit(self.sync_commit);
        txn.set_database_tablespace(self.store.database_tablespace);
        txn.add_callback(self.store.follower(cx));
        cx.snapshot = Some(txn.snapshot()?);
        self.store.set_transaction(cx, Some(Arc::new(txn)));
        Ok(())
    }

    fn copy_in_begin(&mut self, binary: bool, columns: usize) -> Result<()> {
        let format = if binary { Format::Binary } else { Format::Text };
        self.conn.out.copy_response(b'G', format, columns);
        self.conn.flush(&self.interrupt)
    }

    fn copy_in_read(&mut self, data: &mut Vec<u8>) -> Result<bool> {
        loop {
            let frame = self.conn.frame_blocking(&self.interrupt)?;
            match Frontend::parse(frame.kind, self.conn.body(frame))? {
                Frontend::CopyData(bytes) => {
                    data.extend_from_slice(bytes);
                    return Ok(true);
                }
                Frontend::CopyDone => return Ok(false),
                Frontend::CopyFail(reason) => {
                    let text = format!("COPY from stdin failed: {reason}");
                    return Err(PgError::new(QUERY_CANCELED, text));
                }
                // A client of the extended protocol may have sent these ahead.
                Frontend::Flush | Frontend::Sync => {}
                _ => {
                    let text = format!("unexpected message type 0x{:02X} during COPY from stdin", frame.kind);
                    return Err(PgError::new(PROTOCOL_VIOLATION, text));
                }
            }
        }
    }

    fn copy_out_begin(&mut self, binary: bool, columns: usize) -> Result<()> {
        let format = if binary { Format::Binary } else { Format::Text };
        self.conn.out.copy_response(b'H', format, columns);
        Ok(())
    }
    fn copy_out_write(&mut self, row: &[u8]) -> Result<()> {
        self.conn.out.copy_data(row);
        self.conn.flush_if_full(&self.interrupt)
    }
    fn copy_out_end(&mut self) -> Result<()> {
        self.conn.out.copy_done();
        Ok(())
    }

    fn count_sessions(&self, database: Oid) -> usize {
        let others = self.cluster.sessions.list();
        let workers = self.cluster.autovacuum.leave(database);
        workers + others.iter().filter(|s| s.id != self.own_id && s.activity.lock().database == database).count()
    }
    fn terminate_sessions(&mut self, database: Oid) -> Result<()> {
        for s in self.cluster.sessions.list() {
            if s.id != self.own_id && s.activity.lock().database == database {
                s.interrupt(base::interrupt::Reason::Terminate);
            }
        }
        Ok(())
    }
}
