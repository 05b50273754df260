//! RETURNING: what it may show of a changed row, and the rows it has made of it.
//!
//! Its input is one row of columns: new row, old row, their places, the table, MERGE's action, then the subplan's columns.
//!
//! PostgreSQL: `ExecProcessReturning`.

use std::sync::Arc;

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
    input: Batch,
    out: Batch,
}

impl Returning {
    pub fn build(
        b: &mut Builder<'_>,
        list: &[TargetEntry],
        rti: RtIndex,
        table: &Relation,
        operation: CmdType,
        subplan: &[Physical],
    ) -> Result<Returning> {
        let desc = table.desc.clone();
        let n = desc.len();
        let mut scope = Scope { width: 2 * n + 5 + subplan.len(), ..Scope::default() };
        let default_old = operation == CmdType::Delete;
        let (new, old) = ((0, 2 * n, 2 * n + 2), (n, 2 * n + 1, 2 * n + 3));
        for (kind, (first, tid, tableoid)) in [
            (VarReturning::Default, if default_old { old } else { new }),
            (VarReturning::New, new),
            (VarReturning::Old, old),
        ] {
            for k in 0..n {
                scope.vars.insert((rti, k as i16 + 1, kind), first + k);
            }
            scope.vars.insert((rti, sysattr::CTID, kind), tid);
            scope.vars.insert((rti, sysattr::TABLEOID, kind), tableoid);
            scope.rows.push((rti, kind, desc.clone(), (first..first + n).map(Some).collect()));
        }
        scope.vars.insert((0, 0, VarReturning::Default), 2 * n + 4);
        scope.ranges.push((OUTER_VAR, 2 * n + 5));
        let row: Vec<Physical> = desc.attrs.iter().map(|a| a.physical()).collect();
        let system = [Physical::Bytes, Physical::Bytes, Physical::W4, Physical::W4, Physical::Bytes];
        let columns = row.iter().chain(&row).chain(&system).chain(subplan).map(|p| Column::new(*p)).collect();
        let projection = b.compiler(scope).projection(list)?;
        Ok(Returning { projection, columns, rows: 0, input: Batch::default(), out: Batch::default() })
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
        table: &Relation,
        old: Option<&Version>,
        new: Option<&Version>,
        action: Option<&str>,
        batch: &Batch,
        i: usize,
    ) {
        let n = table.desc.len();
        let mut at = 0;
        let mut put = |v: DatumRef<'_>| {
            self.columns[at].push(v);
            at += 1;
        };
        for version in [new, old] {
            for k in 0..n {
                put(version.and_then(|v| v.values.get(k)).map_or(DatumRef::Null, Datum::as_ref));
            }
        }
        for version in [new, old] {
            let tid = version.and_then(|v| v.tid).map_or(Datum::Null, IntoDatum::into_datum);
            put(tid.as_ref());
        }
        for version in [new, old] {
            let tableoid = version.map_or(Datum::Null, |_| Datum::oid(table.oid));
            put(tableoid.as_ref());
        }
        put(action.map_or(Datum::Null, Datum::text).as_ref());
        for c in &batch.columns {
            put(c.get(i));
        }
        self.rows += 1;
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
