//! Tables and indexes as the access methods see them, opened from catalog entries and kept while these stay the same.

use std::sync::{Arc, OnceLock};

use access::heap::{HeapRelation, ToastRelation};
use access::index::IndexRelation;
use access::tuple::ToastPointer;
use analyze::query::Expr;
use base::{Oid, PgError, Result};
use catalog::Relation;
use txn::Transaction;
use txn::stats::TableStats;
use types::{Datum, DatumRef};

use crate::context::ExecContext;

/// An index of an opened table.
pub struct OpenIndex {
    pub entry: Arc<Relation>,
    pub rel: Arc<IndexRelation>,
    /// For key columns with number 0, in order.
    pub expressions: Vec<Expr>,
    pub predicate: Vec<Expr>,
    stats: OnceLock<Arc<TableStats>>,
}

impl OpenIndex {
    /// The index's cumulative statistics.
    pub fn stats(&self, txn: &Transaction) -> &TableStats {
        let database = if self.entry.is_shared() { Oid::INVALID } else { txn.proc().database() };
        self.stats.get_or_init(|| txn.manager().stats().table(database, self.entry.oid))
    }
    pub fn info(&self) -> Result<&catalog::IndexInfo> {
        self.entry.index.as_ref().ok_or_else(|| PgError::internal("relation is not an index"))
    }
}

/// A table ready for scans and changes.
pub struct OpenTable {
    pub entry: Arc<Relation>,
    pub heap: Arc<HeapRelation>,
    pub indexes: Vec<Arc<OpenIndex>>,
}

impl ExecContext {
    /// Opens a table with its indexes. The caller holds a lock on it. (PostgreSQL: `table_open`, `ExecOpenIndices`)
    pub fn open_table(&mut self, oid: Oid) -> Result<Arc<OpenTable>> {
        let entry = self.catalog.relation_entry(oid)?;
        if let Some(known) = self.tables.get(&oid)
            && Arc::ptr_eq(&known.entry, &entry)
        {
            let mut same = true;
            for i in &known.indexes {
                same = same && self.catalog.relation(i.entry.oid)?.is_some_and(|e| Arc::ptr_eq(&e, &i.entry));
            }
            if same {
                return Ok(known.clone());
            }
        }
        let mut indexes = Vec::new();
        for i in &entry.indexes {
            indexes.push(Arc::new(self.open_index(*i)?));
        }
        let heap = self.catalog.heap_of(&entry)?;
        let table = Arc::new(OpenTable { entry, heap, indexes });
        self.tables.insert(oid, table.clone());
        Ok(table)
    }

    fn open_index(&mut self, oid: Oid) -> Result<OpenIndex> {
        let entry = self.catalog.relation_entry(oid)?;
        let info = entry.index.as_ref().ok_or_else(|| PgError::internal(format!("relation {oid} is not an index")))?;
        let read =
            |text: &Option<String>| text.as_ref().map_or(Ok(Vec::new()), |t| crate::nodes::read_list(t, &self.catalog));
        let (expressions, predicate) = (read(&info.expressions)?, read(&info.predicate)?);
        Ok(OpenIndex { rel: self.catalog.index(oid)?, entry, expressions, predicate, stats: OnceLock::new() })
    }
}

/// The payload of a compressed or external value. (PostgreSQL: `detoast_attr`)
pub(crate) fn detoast(cx: &mut ExecContext, varlena: &[u8]) -> Result<Vec<u8>> {
    let toast = match ToastPointer::read(varlena) {
        Some(pointer) => {
            let entry = cx.catalog.relation_entry(pointer.toast_relation)?;
            let missing =
                || PgError::internal(format!("no valid index found for toast relation with Oid {}", entry.oid));
            let index = cx.catalog.index(*entry.indexes.first().ok_or_else(missing)?)?;
            Some(ToastRelation { heap: cx.catalog.heap_of(&entry)?, index })
        }
        None => None,
    };
    let txn = cx.txn()?.clone();
    let plain = access::toast::detoast(&txn, toast.as_ref(), DatumRef::Toasted(varlena))?;
    Ok(plain.as_ref().as_bytes().to_vec())
}

/// Fetches values that lie in another table's TOAST table: a row may only point into its own.
pub(crate) fn bring_in(cx: &mut ExecContext, heap: &HeapRelation, row: &mut [Datum]) -> Result<()> {
    let own = heap.toast.as_ref().map(|t| t.heap.oid);
    for value in row {
        let Datum::Toasted(bytes) = &*value else { continue };
        if ToastPointer::read(bytes).is_some_and(|p| Some(p.toast_relation) != own) {
            *value = Datum::bytes(detoast(cx, &bytes.clone())?);
        }
    }
    Ok(())
}
