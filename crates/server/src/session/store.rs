//! A session's way to its database's catalogs: it follows the session's transaction.

use std::sync::Arc;

use base::{Oid, Result};
use catalog::{CatalogFiles, CatalogFollower, CatalogScan, CatalogStore};
use executor::ExecContext;
use txn::Transaction;
use txn::transaction::TransactionCallback;

use crate::cluster::Cluster;

pub(crate) struct Store {
    files: Arc<CatalogFiles>,
    store: Arc<CatalogStore>,
    pub database_tablespace: Oid,
}

impl Store {
    pub fn open(cluster: &Cluster, database: Oid, tablespace: Oid) -> Result<Store> {
        let files = cluster.catalog_files(database, tablespace)?;
        Ok(Store { store: CatalogStore::new(Arc::clone(&files)), files, database_tablespace: tablespace })
    }
    pub fn scan(&self) -> Arc<dyn CatalogScan> {
        Arc::clone(&self.store) as Arc<dyn CatalogScan>
    }
    /// Makes a transaction the current one for everything that asks; gives back the one before, which nobody else holds now.
    pub fn set_transaction(&self, cx: &mut ExecContext, txn: Option<Arc<Transaction>>) -> Option<Arc<Transaction>> {
        self.store.set_transaction(txn.clone());
        std::mem::replace(&mut cx.txn, txn)
    }
    /// To be told of the transaction's fate.
    pub fn follower(&self, cx: &ExecContext) -> Box<dyn TransactionCallback> {
        Box::new(CatalogFollower::new(cx.catalog.clone(), Arc::clone(&self.files)))
    }
}
