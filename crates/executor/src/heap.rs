//! Tables and indexes as the access methods see them, opened from catalog entries and kept while these stay the same.

use std::sync::Arc;

use access::heap::{AttrSet, HeapRelation, ToastRelation};
use access::index::{IndexRelation, KeyOrder};
use access::tuple::{Compression, ToastPointer, TupleLayout};
use analyze::query::Expr;
use base::{Oid, PgError, Result};
use catalog::Relation;
use storage::Persistence;
use types::{Comparator, DatumRef};

use crate::context::ExecContext;

/// An index of an opened table.
pub struct OpenIndex {
    pub entry: Arc<Relation>,
    pub rel: Arc<IndexRelation>,
    /// For key columns with number 0, in order.
    pub expressions: Vec<Expr>,
    pub predicate: Vec<Expr>,
}

impl OpenIndex {
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

fn persistence(cx: &ExecContext, rel: &Relation) -> Persistence {
    match rel.class.relpersistence {
        b'u' => Persistence::Unlogged,
        b't' => Persistence::Temporary(cx.settings.session_id),
        _ => Persistence::Permanent,
    }
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
            indexes.push(Arc::new(self.make_index(*i)?));
        }
        let mut heap =
            HeapRelation::new(oid, entry.name(), entry.locator, Arc::new(TupleLayout::new(&entry.desc)));
        heap.persistence = persistence(self, &entry);
        heap.is_catalog = entry.is_catalog();
        heap.is_shared = entry.is_shared();
        heap.is_toast = entry.kind() == catalog::relkind::TOAST;
        heap.fillfactor = entry.fillfactor(100) as u16;
        heap.default_compression = Compression::Pglz;
        for i in &indexes {
            let info = i.info()?;
            let mut columns: Vec<usize> = info.columns.iter().filter(|c| **c > 0).map(|c| *c as usize - 1).collect();
            let plain = i.expressions.is_empty() && i.predicate.is_empty();
            if info.row.indisunique && info.row.indimmediate && plain {
                columns.iter().take(info.key_count).for_each(|c| heap.keys.insert(*c));
            }
            for e in i.expressions.iter().chain(&i.predicate) {
                vars(e, &mut columns);
            }
            let set: &mut AttrSet = if info.am == Oid(3580) { &mut heap.summarized } else { &mut heap.indexed };
            columns.iter().for_each(|c| set.insert(*c));
        }
        if let Some(toast) = entry.class.reltoastrelid.valid() {
            heap.toast = Some(Arc::new(self.toast_relation(toast)?));
        }
        let table = Arc::new(OpenTable { entry, heap: Arc::new(heap), indexes });
        self.tables.insert(oid, table.clone());
        Ok(table)
    }

    fn toast_relation(&mut self, oid: Oid) -> Result<ToastRelation> {
        let table = self.open_table(oid)?;
        let missing = || PgError::internal(format!("no valid index found for toast relation with Oid {oid}"));
        let index = table.indexes.first().ok_or_else(missing)?.rel.clone();
        Ok(ToastRelation { heap: table.heap.clone(), index })
    }

    fn make_index(&mut self, oid: Oid) -> Result<OpenIndex> {
        let entry = self.catalog.relation_entry(oid)?;
        let info = entry.index.as_ref().ok_or_else(|| PgError::internal(format!("relation {oid} is not an index")))?;
        let mut keys = Vec::with_capacity(info.key_count);
        for i in 0..info.key_count {
            let (family, ty, collation) = (info.opfamilies[i], info.input_types[i], info.collations[i]);
            let compare = match info.am {
                Oid(403) => self.comparator(family, ty, ty, collation)?,
                _ => Comparator::Bytes,
            };
            keys.push(KeyOrder { compare, descending: info.is_descending(i), nulls_first: info.nulls_first(i), collation });
        }
        let am = self.index_ams.get(&info.am).cloned();
        let am = am.ok_or_else(|| PgError::unsupported(format!("access method of index \"{}\"", entry.name())))?;
        let rel = IndexRelation {
            oid,
            name: entry.name().into(),
            locator: entry.locator,
            heap: info.table,
            layout: Arc::new(TupleLayout::new(&entry.desc)),
            keys,
            unique: info.row.indisunique,
            nulls_not_distinct: info.row.indnullsnotdistinct,
            persistence: persistence(self, &entry),
            is_catalog: entry.oid < Oid(16384),
            is_shared: entry.is_shared(),
            fillfactor: entry.fillfactor(0) as u16,
            deduplicate: entry.option("deduplicate_items").is_none_or(|v| v == "on" || v == "true"),
            am,
        };
        let expressions = match &info.expressions {
            Some(text) => crate::nodes::read_list(text)?,
            None => Vec::new(),
        };
        let predicate = match &info.predicate {
            Some(text) => crate::nodes::read_list(text)?,
            None => Vec::new(),
        };
        Ok(OpenIndex { rel: Arc::new(rel), entry, expressions, predicate })
    }
}

fn vars(e: &Expr, out: &mut Vec<usize>) {
    if let Expr::Var(v) = e
        && v.varattno > 0
    {
        out.push(v.varattno as usize - 1);
    }
    e.children(&mut |c| vars(c, out));
}

/// The payload of a compressed or external value. (PostgreSQL: `detoast_attr`)
pub(crate) fn detoast(cx: &mut ExecContext, varlena: &[u8]) -> Result<Vec<u8>> {
    let toast = match ToastPointer::read(varlena) {
        Some(pointer) => Some(cx.toast_relation(pointer.toast_rel)?),
        None => None,
    };
    let txn = cx.txn()?.clone();
    let plain = access::toast::detoast(&txn, toast.as_ref(), DatumRef::Toasted(varlena))?;
    Ok(plain.as_ref().as_bytes().to_vec())
}
