//! Single rows by their place.

use std::sync::Arc;

use base::{BlockNumber, PgError, Result, TupleId, Xid};
use txn::Transaction;
use types::Column;

use super::{HeapRelation, visibility::Look};
use crate::tuple::Projection;

/// What [`Fetcher::index_fetch`] found.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Fetched {
    /// The version seen, of the chain that the index entry points to.
    pub tid: Option<TupleId>,
    /// No version can be seen by anybody any more: tell the index ([`crate::index::IndexScan::kill`]).
    pub all_dead: bool,
}

/// What a unique index wants to know of a row. (PostgreSQL: `SnapshotDirty`)
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum UniqueRow {
    /// No version is alive. `for_all`: nor can anybody see one, so that the index entry may be killed.
    Dead { for_all: bool },
    /// This version is alive and committed, or our own.
    Alive(TupleId),
    /// It depends on a running transaction: wait for it, then ask again. `token` is not 0 for a speculative insertion:
    /// wait for [`txn::LockTag::SpeculativeToken`] instead.
    Wait { xid: Xid, token: u32 },
}

/// Fetches rows one by one, reading from the pinned page. Keep one a plan node: it remembers the page. Allocates nothing
/// a row. (PostgreSQL: `IndexFetchHeapData`)
pub struct Fetcher {
    rel: Arc<HeapRelation>,
}

impl Fetcher {
    pub fn new(rel: Arc<HeapRelation>, projection: Projection) -> Fetcher {
        let _ = projection;
        Fetcher { rel }
    }
    pub fn relation(&self) -> &Arc<HeapRelation> {
        &self.rel
    }
    /// The row an index entry points to: the first version of its chain that `look` sees is appended to the columns.
    /// (PostgreSQL: `heap_hot_search_buffer`)
    pub fn index_fetch(
        &mut self,
        txn: &Transaction,
        tid: TupleId,
        look: Look<'_>,
        out: &mut [Column],
    ) -> Result<Fetched> {
        let _ = (txn, tid, look, out);
        Err(PgError::unsupported("index fetch"))
    }
    /// Exactly this version; `false` if it is not there or not seen. (PostgreSQL: `heap_fetch`)
    pub fn fetch(&mut self, txn: &Transaction, tid: TupleId, look: Look<'_>, out: &mut [Column]) -> Result<bool> {
        let _ = (txn, tid, look, out);
        Err(PgError::unsupported("row fetch"))
    }
    /// As `index_fetch`, handing the tuple's bytes to `read` under the page's latch (it must not touch other pages).
    pub fn index_fetch_with<R>(
        &mut self,
        txn: &Transaction,
        tid: TupleId,
        look: Look<'_>,
        read: impl FnOnce(TupleId, &[u8]) -> Result<R>,
    ) -> Result<Option<R>> {
        let _ = (txn, tid, look, read);
        Err(PgError::unsupported("index fetch"))
    }
    /// As `fetch`, handing the tuple's bytes to `read` under the page's latch.
    pub fn fetch_with<R>(
        &mut self,
        txn: &Transaction,
        tid: TupleId,
        look: Look<'_>,
        read: impl FnOnce(&[u8]) -> Result<R>,
    ) -> Result<Option<R>> {
        let _ = (txn, tid, look, read);
        Err(PgError::unsupported("row fetch"))
    }
    /// Does every snapshot see all of this page, by the visibility map? Then an index-only scan need not look.
    pub fn is_all_visible(&mut self, txn: &Transaction, block: BlockNumber) -> Result<bool> {
        let _ = (txn, block);
        Ok(false)
    }
    /// Lets go of the page.
    pub fn release(&mut self) {}
}

impl HeapRelation {
    /// For unique indexes: the state of the row an index entry points to. (PostgreSQL: `table_index_fetch_tuple_check`)
    pub fn check_unique(&self, txn: &Transaction, tid: TupleId) -> Result<UniqueRow> {
        let _ = (txn, tid);
        Err(PgError::unsupported("unique check"))
    }
    /// The newest version of a row, following updates, that `look` sees. (PostgreSQL: `heap_get_latest_tid`)
    pub fn latest_tid(&self, txn: &Transaction, tid: TupleId, look: Look<'_>) -> Result<TupleId> {
        let _ = (txn, tid, look);
        Err(PgError::unsupported("latest tid"))
    }
    /// The highest of these transactions that removed rows the index entries point to; entries whose rows are not all
    /// dead are taken out of the list. For deleting index entries. (PostgreSQL: `heap_index_delete_tuples`)
    pub fn index_delete_check(&self, txn: &Transaction, tids: &mut Vec<TupleId>) -> Result<Xid> {
        let _ = (txn, tids);
        Err(PgError::unsupported("index deletion"))
    }
}
