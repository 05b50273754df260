//! How catalog rows are read and changed: what this crate needs from below, or from a stand-in.
//!
//! Two implementations: [`crate::BootstrapCatalog`], in memory, without transactions; and the real one over heap and B-tree
//! ([`crate::store`]).

use std::sync::Arc;

use access::index::IndexRelation;
use base::{Oid, PgError, RelFileLocator, Result, TupleId};
use storage::Persistence;
use types::Datum;

use crate::Invalidation;

/// A catalog row with its place.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    pub tid: TupleId,
    pub values: Vec<Datum>,
}

/// Reads and changes catalogs. Each scan sees what is committed when it starts, and the own transaction's earlier commands: never
/// reuse a snapshot across scans, or the shared caches would keep stale rows. Values come plain, also those stored
/// out of line. (PostgreSQL: `systable_beginscan` under `GetCatalogSnapshot`, `CatalogTupleInsert` and its like)
pub trait CatalogScan: Send + Sync {
    /// The rows whose first index columns equal `keys`, in index order. With an invalid index or no keys: all rows.
    fn scan(&self, catalog: Oid, index: Oid, keys: &[Datum]) -> Result<Vec<Row>>;

    /// The file of a mapped relation, from the relation mapping files. (PostgreSQL: `RelationMapOidToFilenumber`)
    fn mapped_file(&self, rel: Oid, shared: bool) -> Result<Oid> {
        let _ = shared;
        Ok(rel)
    }

    /// Inserts a row into a catalog and its indexes. Invalidation is the caller's business, here and below.
    fn insert(&self, catalog: Oid, row: &[Datum]) -> Result<TupleId> {
        let _ = (catalog, row);
        Err(read_only())
    }
    /// Replaces a row; returns the new version's place.
    fn update(&self, catalog: Oid, tid: TupleId, row: &[Datum]) -> Result<TupleId> {
        let _ = (catalog, tid, row);
        Err(read_only())
    }
    /// Overwrites a row in place, without a transaction: same length, no index touched. The messages go into its log record.
    /// `false`: the row was updated meanwhile, look it up again. (PostgreSQL: `systable_inplace_update`)
    fn update_in_place(&self, catalog: Oid, tid: TupleId, row: &[Datum], messages: &[Invalidation]) -> Result<bool> {
        let _ = (catalog, tid, row, messages);
        Err(read_only())
    }
    fn delete(&self, catalog: Oid, tid: TupleId) -> Result<()> {
        let _ = (catalog, tid);
        Err(read_only())
    }
    /// The cluster's next object id; may be in use in a catalog. (PostgreSQL: `GetNewObjectId`)
    fn next_oid(&self) -> Result<Oid> {
        Err(read_only())
    }
    /// Whether a relation's file exists already.
    fn file_exists(&self, locator: RelFileLocator) -> Result<bool> {
        let _ = locator;
        Ok(false)
    }
    /// Tells the storage that a relation is not permanent, which it has forgotten if the server has restarted since.
    fn declare_persistence(&self, locator: RelFileLocator, persistence: Persistence) {
        let _ = (locator, persistence);
    }
    /// Creates a relation's main fork; gone if the transaction aborts. `persistence` as in `pg_class`.
    fn create_storage(&self, locator: RelFileLocator, persistence: u8) -> Result<()> {
        let _ = (locator, persistence);
        Err(read_only())
    }
    /// Creates the empty init fork of an unlogged table.
    fn create_init_fork(&self, locator: RelFileLocator) -> Result<()> {
        let _ = locator;
        Ok(())
    }
    /// Fills the file of a new index of an empty table, and its init fork if it is unlogged.
    fn build_empty_index(&self, index: &Arc<IndexRelation>) -> Result<()> {
        let _ = index;
        Ok(())
    }
    /// Removes a relation's files at commit.
    fn drop_storage(&self, locator: RelFileLocator, persistence: Persistence) -> Result<()> {
        let _ = (locator, persistence);
        Err(read_only())
    }
    /// Makes the command's changes visible to the next one.
    fn command_counter_increment(&self) -> Result<()> {
        Ok(())
    }
    /// What `pg_class.relfrozenxid` and `relminmxid` of a new table are: no row of it will be older.
    /// (PostgreSQL: `RecentXmin`, `GetOldestMultiXactId`)
    fn oldest_ids(&self) -> Result<(base::Xid, base::MultiXactId)> {
        Ok((base::Xid::FIRST_NORMAL, base::MultiXactId::FIRST))
    }
}

#[cold]
fn read_only() -> PgError {
    PgError::internal("this catalog cannot be changed")
}
