//! RETURNING: what it may show of a changed row, and the rows it has made of it.
//!
//! Its input is one row of columns: of each of the new row, the old one, and the one meant without saying which (the new one if
//! there is, else the old one) the columns, its place, its table and itself as a whole (null if there is none); then MERGE's
//! action, then the subplan's columns.
//!
//! PostgreSQL: `ExecProcessReturning`.

use std::sync::Arc;

use access::tuple::TupleLayout;
use analyze::query::*;
use base::{Result, TupleId};
use catalog::Relation;
use types::{Batch, Column, Datum, DatumRef, IntoDatum, Physical};

use crate::build::Builder;
use crate::expr::{Projection, Scope};
use crate::state::Run;

/// A row with its place; a view's row has none.
#[derive(Clone, Default)]
pub(crate) struct Version {
    pub tid: Option<TupleId>,
    pub values: Vec<Datum>,
}

/// See the module's head.
pub(crate) struct Returning {
    projection: Projection,
    columns: Vec<Column>,
    rows: usize,
    /// Whole rows are wanted.
    whole: Option<TupleLayout>,
    input: Batch,
    out: Batch,
}

impl Returning {
    pub fn build(
        b: &mut Builder<'_>,
        list: &[TargetEntry],
        rti: RtIndex,
        table: &Relation,
        subplan: &[Physical],
    ) -> Result<Returning> {
        let desc = table.desc.clone();
        let n = desc.len();
        let each = n + 3;
        let mut scope = Scope { width: 3 * each + 1 + subplan.len(), ..Scope::default() };
        for (k, kind) in [VarReturning::New, VarReturning::Old, VarReturning::Default].into_iter().enumerate() {
            let first = k * each;
            for i in 0..n {
                scope.vars.insert((rti, i as i16 + 1, kind), first + i);
            }
            scope.vars.insert((rti, sysattr::CTID, kind), first + n);
            scope.vars.insert((rti, sysattr::TABLEOID, kind), first + n + 1);
            scope.vars.insert((rti, 0, kind), first + n + 2);
        }
        scope.vars.insert((0, 0, VarReturning::Default), 3 * each);
        scope.ranges.push((OUTER_VAR, 3 * each + 1));
        let system = [Physical::Bytes, Physical::W4, Physical::Bytes];
        let row: Vec<Physical> = desc.attrs.iter().map(|a| a.physical()).chain(system).collect();
        let all = row.iter().chain(&row).chain(&row).chain([&Physical::Bytes]).chain(subplan);
        let columns = all.map(|p| Column::new(*p)).collect();
        let mut whole = false;
        for t in list {
            whole |= mentions_whole(&t.expr, rti);
        }
        let whole = whole.then(|| TupleLayout::new(&desc));
        let projection = b.compiler(scope).projection(list)?;
        Ok(Returning { projection, columns, rows: 0, whole, input: Batch::default(), out: Batch::default() })
    }

    pub fn clear(&mut self) {
        self.out.columns.clear();
        self.columns.iter_mut().for_each(Column::clear);
        self.rows = 0;
    }
    pub fn has_rows(&self) -> bool {
        self.rows > 0
    }

    /// Keeps a changed row; `batch` and `i` are the subplan's row for it.
    pub fn push(
        &mut self,
        run: &mut Run<'_>,
        table: &Relation,
        old: Option<&Version>,
        new: Option<&Version>,
        action: Option<&str>,
        batch: &Batch,
        i: usize,
    ) -> Result<()> {
        let n = table.desc.len();
        let mut at = 0;
        for version in [new, old, new.or(old)] {
            for k in 0..n {
                let v = version.and_then(|v| v.values.get(k)).map_or(DatumRef::Null, Datum::as_ref);
                self.columns[at + k].push(v);
            }
            let tid = version.and_then(|v| v.tid).map_or(Datum::Null, IntoDatum::into_datum);
            let tableoid = version.map_or(Datum::Null, |_| Datum::oid(table.oid));
            let whole = match (version, &self.whole) {
                (Some(v), Some(layout)) => crate::expr::special::composite(run, layout, v.values.clone())?,
                _ => Datum::Null,
            };
            for (k, v) in [tid, tableoid, whole].iter().enumerate() {
                self.columns[at + n + k].push(v.as_ref());
            }
            at += n + 3;
        }
        self.columns[at].push(action.map_or(Datum::Null, Datum::text).as_ref());
        for (k, c) in batch.columns.iter().enumerate() {
            self.columns[at + 1 + k].push(c.get(i));
        }
        self.rows += 1;
        Ok(())
    }

    /// The rows made of those kept.
    pub fn rows(&mut self, run: &mut Run<'_>) -> Result<&Batch> {
        let columns = self.columns.iter_mut().map(|c| {
            let empty = Column::new(c.physical());
            Arc::new(std::mem::replace(c, empty))
        });
        self.input = Batch { columns: columns.collect(), rows: std::mem::take(&mut self.rows), selection: None };
        self.projection.apply(run, &self.input, &mut self.out)?;
        Ok(&self.out)
    }
    /// The same, given away.
    pub fn take(&mut self, run: &mut Run<'_>) -> Result<Batch> {
        self.rows(run)?;
        Ok(std::mem::take(&mut self.out))
    }
}

fn mentions_whole(e: &Expr, rti: RtIndex) -> bool {
    if let Expr::Var(v) = e
        && (v.varno, v.varattno) == (rti, 0)
    {
        return true;
    }
    let mut found = false;
    e.children(&mut |c| found = found || mentions_whole(c, rti));
    found
}
