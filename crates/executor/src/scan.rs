//! What scans share: filter and target list over the rows they produce, and which of a table's columns those read.

use std::sync::Arc;

use access::heap::{Fetcher, Look};
use access::tuple::{Projection as HeapProjection, Wanted};
use analyze::query::*;
use base::{PgError, Result, TupleId};
use planner::Plan;
use types::{Batch, Column, TupleDesc};

use crate::build::Builder;
use crate::expr::{Filter, Projection, Scope};
use crate::heap::OpenTable;
use crate::state::Run;

/// A scan's filter and projection.
pub(crate) struct ScanOutput {
    qual: Filter,
    projection: Projection,
    out: Batch,
}

impl ScanOutput {
    /// Over rows whose columns are those of a range-table entry, in order.
    pub fn build(b: &mut Builder<'_>, plan: &Plan, relid: RtIndex, width: usize) -> Result<ScanOutput> {
        let mut scope = Scope { ranges: vec![(relid, 0)], width, ..Scope::default() };
        let whole = |v: &Var| v.varno == relid && v.varattno == 0;
        let mut used = None;
        each_var(plan, &[], &mut |v| {
            if whole(v) {
                used = Some(v.vartype);
            }
        });
        if let Some(ty) = used {
            let desc = rte_desc(b, relid, ty)?;
            let columns = (0..desc.len()).map(Some).collect();
            scope.rows.push((relid, VarReturning::Default, desc, columns));
        }
        ScanOutput::with_scope(b, plan, scope)
    }
    pub fn with_scope(b: &mut Builder<'_>, plan: &Plan, scope: Scope) -> Result<ScanOutput> {
        let mut c = b.compiler(scope);
        Ok(ScanOutput {
            qual: c.filter(&plan.qual)?,
            projection: c.projection(&plan.targetlist)?,
            out: Batch::default(),
        })
    }
    /// Lets go of shared columns, so that whoever fills the next batch can reuse them.
    pub fn release(&mut self) {
        self.out.columns.clear();
    }
    /// Filters and projects; `false` if no row is left.
    pub fn apply(&mut self, run: &mut Run<'_>, rows: &mut Batch) -> Result<bool> {
        let before = rows.selected_len();
        let left = self.qual.apply(run, rows)?;
        if let Some(at) = run.st.current.filter(|_| left < before) {
            run.st.counters[at].filtered += (before - left) as u64;
        }
        if left == 0 {
            return Ok(false);
        }
        self.projection.apply(run, rows, &mut self.out)?;
        Ok(true)
    }
    pub fn batch(&self) -> &Batch {
        &self.out
    }
}

/// Calls `f` on every Var of a node's own expressions.
pub(crate) fn each_var(plan: &Plan, more: &[Expr], f: &mut dyn FnMut(&Var)) {
    fn walk(e: &Expr, f: &mut dyn FnMut(&Var)) {
        if let Expr::Var(v) = e {
            f(v);
        }
        e.children(&mut |c| walk(c, f));
    }
    plan.targetlist.iter().for_each(|t| walk(&t.expr, f));
    plan.qual.iter().chain(more).for_each(|e| walk(e, f));
}

/// The row type of a range-table entry without a table.
fn rte_desc(b: &mut Builder<'_>, relid: RtIndex, ty: TypeMod) -> Result<Arc<TupleDesc>> {
    if ty.oid != types::oid::RECORDOID {
        return types::Runtime::row_type(b.cx, ty.oid, -1);
    }
    let planned = b.planned.clone();
    let rte = &planned.rtable[relid as usize - 1];
    let columns: Vec<TypeMod> = match &rte.kind {
        RteKind::Values { types, .. } | RteKind::Cte { types, .. } | RteKind::NamedTuplestore { types, .. } => {
            types.clone()
        }
        RteKind::Subquery { subquery, .. } => {
            subquery.target_list.iter().filter(|t| !t.resjunk).map(|t| t.expr.type_mod()).collect()
        }
        RteKind::Function { functions, ordinality } => {
            let mut list: Vec<TypeMod> = functions
                .iter()
                .flat_map(|f| &f.desc.attrs)
                .map(|a| TypeMod { oid: a.type_oid, typmod: a.typmod, collation: a.collation })
                .collect();
            if *ordinality {
                list.push(TypeMod { oid: types::oid::INT8OID, typmod: -1, collation: base::Oid::INVALID });
            }
            list
        }
        _ => return Err(PgError::unsupported("a whole-row reference to this kind of FROM item")),
    };
    let mut attrs = Vec::with_capacity(columns.len());
    for (i, ty) in columns.into_iter().enumerate() {
        let name = rte.eref.colnames.get(i).cloned().unwrap_or_else(|| format!("f{}", i + 1));
        attrs.push(b.cx.attribute(&name, ty)?);
    }
    Ok(Arc::new(TupleDesc::new(attrs)))
}

/// The columns of a table that a scan reads, and the scope in which its expressions find them.
pub(crate) struct TableColumns {
    pub wanted: Vec<Wanted>,
    pub scope: Scope,
}

impl TableColumns {
    /// What a plan node's expressions refer to.
    pub fn of(plan: &Plan, more: &[Expr], relid: RtIndex, table: &OpenTable) -> TableColumns {
        let mut columns = TableColumns { wanted: Vec::new(), scope: Scope::default() };
        let mut whole = false;
        each_var(plan, more, &mut |v| {
            if v.varno == relid {
                match v.varattno {
                    0 => whole = true,
                    n => {
                        columns.add(relid, n);
                    }
                }
            }
        });
        if whole {
            columns.add_whole_row(relid, table);
        }
        columns
    }
    pub(crate) fn add(&mut self, relid: RtIndex, attno: AttrNumber) -> usize {
        let key = (relid, attno, VarReturning::Default);
        if let Some(i) = self.scope.vars.get(&key) {
            return *i;
        }
        let i = self.wanted.len();
        self.wanted.push(Wanted::from_attnum(attno));
        self.scope.vars.insert(key, i);
        self.scope.width = self.wanted.len();
        i
    }
    fn add_whole_row(&mut self, relid: RtIndex, table: &OpenTable) {
        let desc = table.entry.desc.clone();
        let columns = desc
            .attrs
            .iter()
            .enumerate()
            .map(|(i, a)| if a.dropped { None } else { Some(self.add(relid, i as i16 + 1)) })
            .collect();
        self.scope.rows.push((relid, VarReturning::Default, desc, columns));
    }
    pub fn projection(&self, table: &OpenTable) -> HeapProjection {
        HeapProjection::new(&table.heap.layout, &self.wanted)
    }
}

/// Columns that an access method fills and a batch then owns, both reused.
pub(crate) struct Fill {
    pub columns: Vec<Column>,
    pub batch: Batch,
}

impl Fill {
    pub fn new(columns: Vec<Column>) -> Fill {
        let batch = Batch {
            columns: columns.iter().map(|c| Arc::new(Column::new(c.physical()))).collect(),
            rows: 0,
            selection: None,
        };
        Fill { columns, batch }
    }
    pub fn clear(&mut self) {
        self.columns.iter_mut().for_each(Column::clear);
    }
    /// Moves the filled columns into the batch.
    pub fn finish(&mut self, rows: usize) -> &mut Batch {
        for (slot, c) in self.batch.columns.iter_mut().zip(&mut self.columns) {
            match Arc::get_mut(slot) {
                Some(old) => std::mem::swap(old, c),
                None => {
                    let empty = Column::new(c.physical());
                    *slot = Arc::new(std::mem::replace(c, empty));
                }
            }
        }
        (self.batch.rows, self.batch.selection) = (rows, None);
        &mut self.batch
    }
}

/// A table's row in a recheck: only the version it names is seen.
pub(crate) struct RecheckRow {
    relid: RtIndex,
    fetcher: Fetcher,
    done: bool,
}

impl RecheckRow {
    pub fn new(relid: RtIndex, table: &OpenTable, projection: HeapProjection) -> RecheckRow {
        RecheckRow { relid, fetcher: Fetcher::new(table.heap.clone(), projection), done: false }
    }
    pub fn reset(&mut self) {
        self.done = false;
        self.fetcher.release();
    }
    /// The row to see, if this is a recheck that says something of this relation: `Some(None)` for no row.
    pub fn active(&self, run: &Run<'_>) -> Option<Option<TupleId>> {
        let recheck = run.st.recheck.as_ref()?;
        recheck.rows.iter().find(|r| r.0 == self.relid).map(|r| r.1)
    }
    /// Fetches it once.
    pub fn fetch(&mut self, run: &mut Run<'_>, tid: Option<TupleId>, fill: &mut Fill) -> Result<bool> {
        let Some(tid) = tid.filter(|_| !self.done) else { return Ok(false) };
        self.done = true;
        fill.clear();
        let txn = run.cx.txn()?.clone();
        if !self.fetcher.fetch(&txn, tid, Look::Any, &mut fill.columns)? {
            return Ok(false);
        }
        fill.finish(1);
        Ok(true)
    }
}
