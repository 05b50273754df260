//! Ties a session's view of the catalogs to its transaction.
//!
//! Before the commit record is written the transaction is handed the invalidations; once it is visible to others the shared caches
//! forget what changed; an abort, also of a subtransaction, makes the view forget what the transaction had changed.
//!
//! PostgreSQL: `AtEOXact_Inval`, `AtEOSubXact_Inval`.

use std::sync::Arc;

use base::Result;
use txn::Transaction;
use txn::transaction::{TransactionCallback, TransactionEvent};

use crate::store::CatalogFiles;
use crate::syscache::{Catalog, Mark};

/// Register one with [`Transaction::add_callback`] when a transaction starts.
pub struct CatalogFollower {
    catalog: Catalog,
    files: Arc<CatalogFiles>,
    /// One an open subtransaction.
    marks: Vec<Mark>,
}

impl CatalogFollower {
    pub fn new(catalog: Catalog, files: Arc<CatalogFiles>) -> CatalogFollower {
        CatalogFollower { catalog, files, marks: Vec::new() }
    }
}

impl TransactionCallback for CatalogFollower {
    fn event(&mut self, txn: &Transaction, event: TransactionEvent) -> Result<()> {
        match event {
            TransactionEvent::PreCommit => {
                self.catalog.command_end();
                if self.catalog.has_changes() {
                    let messages = self.catalog.messages();
                    let bytes: Vec<[u8; 16]> = messages.iter().map(|m| m.to_bytes()).collect();
                    txn.add_invalidations(&bytes, crate::inval::touches_system_relations(&messages));
                }
            }
            TransactionEvent::Committed => {
                self.catalog.temp_end(true);
                if self.catalog.has_changes() {
                    let messages = self.catalog.messages();
                    self.catalog.commit();
                    self.files.apply(&messages)?;
                }
            }
            TransactionEvent::Aborted => {
                self.catalog.abort();
                self.catalog.temp_end(false);
            }
            TransactionEvent::SubStart { .. } => {
                self.catalog.command_end();
                self.marks.push(self.catalog.mark());
            }
            TransactionEvent::SubCommitted { .. } => {
                self.marks.pop();
            }
            TransactionEvent::SubAborted { .. } => {
                if let Some(mark) = self.marks.pop() {
                    self.catalog.abort_to(mark);
                }
            }
        }
        Ok(())
    }
}
