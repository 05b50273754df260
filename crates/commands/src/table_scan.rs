//! Reading a whole table inside a command: to verify constraints, to rewrite it.
//!
//! PostgreSQL: `ATRewriteTable`, `validateCheckConstraint`.

use std::sync::Arc;

use access::heap::{BulkInsert, HeapRelation, HeapScan, InsertOptions, ScanOptions};
use access::index::Direction;
use access::tuple::{Projection, Wanted};
use analyze::query::Expr;
use base::sqlstate::*;
use base::{PgError, Result};
use catalog::Relation;
use executor::ExecContext;
use executor::row_expr::RowExprs;
use types::{Column, Datum};

use crate::CommandContext;

/// Hands over the chosen columns of all rows, some hundred rows at a time, with their number.
fn batches(
    cx: &mut ExecContext,
    heap: &Arc<HeapRelation>,
    projection: &Projection,
    each: &mut dyn FnMut(&mut ExecContext, &[Column], usize) -> Result<()>,
) -> Result<()> {
    let txn = cx.txn()?.clone();
    let snapshot = txn.latest_snapshot()?;
    let mut scan = HeapScan::new(heap.clone(), &txn, snapshot, projection.clone(), ScanOptions::default())?;
    loop {
        cx.interrupt.check()?;
        let mut columns = projection.columns(&heap.layout);
        let n = scan.next(&txn, Direction::Forward, 512, &mut columns, None)?;
        if n == 0 {
            return Ok(());
        }
        each(cx, &columns, n)?;
    }
}

/// Hands over each row of a table.
pub fn rows(
    cx: &mut ExecContext,
    heap: &Arc<HeapRelation>,
    each: &mut dyn FnMut(&mut ExecContext, Vec<Datum>) -> Result<()>,
) -> Result<()> {
    let projection = Projection::all(&heap.layout);
    batches(cx, heap, &projection, &mut |cx, columns, n| {
        for r in 0..n {
            each(cx, columns.iter().map(|c| c.get(r).to_owned()).collect())?;
        }
        Ok(())
    })
}

/// Whether a condition is true for some row.
pub fn holds_for_some(cmd: &mut CommandContext<'_>, rel: &Relation, condition: &Expr) -> Result<bool> {
    let heap = cmd.cx.catalog.heap_of(rel)?;
    let not = analyze::query::BoolExpr {
        boolop: analyze::query::BoolExprType::Not,
        args: vec![condition.clone()],
        ..Default::default()
    };
    let mut check = RowExprs::new(cmd.cx, rel.oid, &[Expr::BoolExpr(Box::new(not))], &[])?;
    let mut violated = false;
    rows(cmd.cx, &heap, &mut |cx, row| {
        violated = violated || !check.satisfied(cx, &row)?;
        Ok(())
    })?;
    Ok(violated)
}

/// No row may hold a null there. (23502)
pub fn verify_not_null(cmd: &mut CommandContext<'_>, rel: &Relation, attnum: i16) -> Result<()> {
    if !catalog::relkind::has_storage(rel.kind()) {
        return Ok(());
    }
    let heap = cmd.cx.catalog.heap_of(rel)?;
    if heap.nblocks(cmd.cx.txn()?)? == 0 {
        return Ok(());
    }
    let projection = Projection::new(&heap.layout, &[Wanted::from_attnum(attnum)]);
    let mut found = false;
    batches(cmd.cx, &heap, &projection, &mut |_, columns, n| {
        found = found || (0..n).any(|r| columns[0].is_null(r));
        Ok(())
    })?;
    if found {
        let column = &rel.attributes[attnum as usize - 1].attname;
        let text = format!("column \"{column}\" of relation \"{}\" contains null values", rel.name());
        let schema = cmd.cx.catalog.namespace_name(rel.namespace())?.unwrap_or_default();
        return Err(PgError::new(NOT_NULL_VIOLATION, text).table(schema, rel.name()).column(&**column));
    }
    Ok(())
}

/// No row may violate the condition. (23514)
pub fn verify_check(cmd: &mut CommandContext<'_>, rel: &Relation, name: &str, condition: &Expr) -> Result<()> {
    if !catalog::relkind::has_storage(rel.kind()) {
        return Ok(());
    }
    let heap = cmd.cx.catalog.heap_of(rel)?;
    if heap.nblocks(cmd.cx.txn()?)? == 0 {
        return Ok(());
    }
    let mut check = RowExprs::new(cmd.cx, rel.oid, std::slice::from_ref(condition), &[])?;
    let mut violated = false;
    rows(cmd.cx, &heap, &mut |cx, row| {
        violated = violated || !check.satisfied(cx, &row)?;
        Ok(())
    })?;
    if violated {
        let text = format!("check constraint \"{name}\" of relation \"{}\" is violated by some row", rel.name());
        let schema = cmd.cx.catalog.namespace_name(rel.namespace())?.unwrap_or_default();
        return Err(PgError::new(CHECK_VIOLATION, text).table(schema, rel.name()).constraint(name));
    }
    Ok(())
}

/// Rows on their way into a table's new file.
pub struct Writer {
    heap: Arc<HeapRelation>,
    bulk: BulkInsert,
    pending: Vec<Vec<Datum>>,
}

impl Writer {
    pub fn new(heap: Arc<HeapRelation>) -> Writer {
        Writer { heap, bulk: BulkInsert::new(), pending: Vec::new() }
    }
    pub fn add(&mut self, cx: &mut ExecContext, row: Vec<Datum>) -> Result<()> {
        self.pending.push(row);
        if self.pending.len() >= 500 { self.flush(cx) } else { Ok(()) }
    }
    fn flush(&mut self, cx: &mut ExecContext) -> Result<()> {
        if self.pending.is_empty() {
            return Ok(());
        }
        let txn = cx.txn()?.clone();
        let options = InsertOptions { skip_fsm: true, ..InsertOptions::default() };
        let mut tids = Vec::with_capacity(self.pending.len());
        self.heap.multi_insert(&txn, &self.pending, options, Some(&mut self.bulk), &mut tids)?;
        self.pending.clear();
        Ok(())
    }
    /// Writes what is left.
    pub fn finish(mut self, cx: &mut ExecContext) -> Result<()> {
        self.flush(cx)?;
        let txn = cx.txn()?.clone();
        self.bulk.finish(&self.heap, &txn)
    }
}
