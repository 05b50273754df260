//! How catalog rows are read: the one thing that caches need from below.

use base::{Oid, Result, TupleId};
use types::Datum;

/// A catalog row with its place.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    pub tid: TupleId,
    pub values: Vec<Datum>,
}

/// Reads catalogs. Each scan sees what is committed when it starts, and the own transaction's earlier commands: never reuse a
/// snapshot across scans, or the shared caches would keep stale rows. Values come plain, also those stored out of line.
/// (PostgreSQL: `systable_beginscan` under `GetCatalogSnapshot`)
pub trait CatalogScan: Send + Sync {
    /// The rows whose first index columns equal `keys`, in index order. With an invalid index or no keys: all rows.
    fn scan(&self, catalog: Oid, index: Oid, keys: &[Datum]) -> Result<Vec<Row>>;

    /// The file of a mapped relation, from the relation mapping files. (PostgreSQL: `RelationMapOidToFilenumber`)
    fn mapped_file(&self, rel: Oid, shared: bool) -> Result<Oid> {
        let _ = shared;
        Ok(rel)
    }
}
