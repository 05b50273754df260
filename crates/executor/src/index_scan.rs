//! IndexScan and IndexOnlyScan: rows in an index's order, or those that its keys find.
//!
//! The scan keys are made anew from their expressions at the start and at each rescan; scan, fetcher and columns are reused.

use std::sync::Arc;

use access::heap::{Fetcher, Look};
use access::index::{Direction, IndexBatch, IndexScan, IndexScanOptions, ScanKey, ScanStrategy};
use access::tuple::TupleLayout;
use analyze::query::*;
use base::{PgError, Result};
use planner::{Plan, PlanNode};
use txn::stats::TableCounter;
use types::array::ArrayRef;
use types::{Batch, Column, Comparator, Datum, IntoDatum, Physical};

use crate::build::Builder;
use crate::expr::function::plain;
use crate::expr::{CExpr, Elem, Filter, Scope};
use crate::heap::{OpenIndex, OpenTable};
use crate::node::Exec;
use crate::scan::{Fill, RecheckRow, ScanOutput, TableColumns};
use crate::seq_scan::open_scan_table;
use crate::state::Run;

/// A scan key whose value is yet to be computed.
enum KeyPlan {
    Compare { column: u16, strategy: ScanStrategy, value: CExpr, compare: Comparator },
    Any { column: u16, values: CExpr, elem: Elem, compare: Comparator },
    Null { column: u16, not: bool },
    Row { columns: Vec<u16>, values: Vec<CExpr>, compares: Vec<Comparator>, strategy: ScanStrategy },
}

/// The conditions of an index scan.
pub(crate) struct ScanKeys {
    keys: Vec<KeyPlan>,
    /// Memory for the next values.
    spare: Vec<ScanKey>,
}

fn strategy(n: i16) -> Result<ScanStrategy> {
    Ok(match n {
        1 => ScanStrategy::Less,
        2 => ScanStrategy::LessEqual,
        3 => ScanStrategy::Equal,
        4 => ScanStrategy::GreaterEqual,
        5 => ScanStrategy::Greater,
        _ => return Err(PgError::unsupported("this index operator")),
    })
}

impl ScanKeys {
    pub fn build(b: &mut Builder<'_>, index: &OpenIndex, quals: &[Expr]) -> Result<ScanKeys> {
        let mut keys = Vec::with_capacity(quals.len());
        for q in quals {
            keys.push(key_plan(b, index, q)?);
        }
        Ok(ScanKeys { keys, spare: Vec::new() })
    }

    /// The keys with their values. A comparison with null makes the scan empty: the access method sees to that.
    pub fn values(&mut self, run: &mut Run<'_>) -> Result<Vec<ScanKey>> {
        let mut out = std::mem::take(&mut self.spare);
        out.clear();
        out.reserve(self.keys.len());
        for k in &mut self.keys {
            out.push(match k {
                KeyPlan::Compare { column, strategy, value, compare } => {
                    let v = value.eval_scalar(run)?;
                    let value = plain(run, v.as_ref())?;
                    ScanKey::Compare { column: *column, strategy: *strategy, value, compare: compare.clone() }
                }
                KeyPlan::Any { column, values, elem, compare } => {
                    let v = values.eval_scalar(run)?;
                    let v = plain(run, v.as_ref())?;
                    let mut list: Vec<Datum> = Vec::new();
                    if !v.is_null() {
                        for e in ArrayRef::new(v.as_ref().as_bytes())?.elements(elem) {
                            let e = e?;
                            if !e.is_null() {
                                list.push(e.to_owned());
                            }
                        }
                    }
                    ScanKey::Any { column: *column, values: list, compare: compare.clone() }
                }
                KeyPlan::Null { column, not: false } => ScanKey::IsNull { column: *column },
                KeyPlan::Null { column, not: true } => ScanKey::IsNotNull { column: *column },
                KeyPlan::Row { columns, values, compares, strategy } => {
                    let mut parts = Vec::with_capacity(columns.len());
                    for ((c, v), compare) in columns.iter().zip(values).zip(compares) {
                        let v = v.eval_scalar(run)?;
                        parts.push((*c, plain(run, v.as_ref())?, compare.clone()));
                    }
                    ScanKey::Row { parts, strategy: *strategy }
                }
            });
        }
        Ok(out)
    }
}

fn index_column(e: &Expr) -> Result<u16> {
    match e {
        Expr::Var(v) if v.varno == INDEX_VAR => Ok(v.varattno as u16 - 1),
        Expr::RelabelType(r) => index_column(&r.arg),
        _ => Err(PgError::internal("index condition without an index column")),
    }
}

fn key_plan(b: &mut Builder<'_>, index: &OpenIndex, q: &Expr) -> Result<KeyPlan> {
    let info = index.info()?;
    if info.am != base::Oid(403) {
        return Err(PgError::unsupported("scans of this kind of index"));
    }
    let found = |b: &mut Builder<'_>, opno: base::Oid, column: u16| -> Result<(ScanStrategy, Comparator)> {
        let family = info.opfamilies[usize::from(column)];
        let member = b.cx.catalog.operator_in_family(opno, b's', family)?;
        let member =
            member.ok_or_else(|| PgError::internal(format!("operator {opno} is not a member of opfamily {family}")))?;
        let collation = info.collations[usize::from(column)];
        let compare = b.cx.comparator(family, member.amoplefttype, member.amoprighttype, collation)?;
        Ok((strategy(member.amopstrategy)?, compare))
    };
    Ok(match q {
        Expr::OpExpr(o) => {
            let column = index_column(&o.args[0])?;
            let (strategy, compare) = found(b, o.opno, column)?;
            let value = b.compiler(Scope::empty()).expr(&o.args[1])?;
            KeyPlan::Compare { column, strategy, value, compare }
        }
        Expr::ScalarArrayOpExpr(s) => {
            let column = index_column(&s.args[0])?;
            let (strategy, compare) = found(b, s.opno, column)?;
            if strategy != ScanStrategy::Equal {
                return Err(PgError::unsupported("ANY with an inequality as an index condition"));
            }
            let array = s.args[1].type_oid();
            let elem = b.cx.catalog.type_info(b.cx.catalog.base_type(array, -1)?.0)?.elem;
            let mut c = b.compiler(Scope::empty());
            KeyPlan::Any { column, values: c.expr(&s.args[1])?, elem: c.elem(elem)?, compare }
        }
        Expr::NullTest(n) => KeyPlan::Null { column: index_column(&n.arg)?, not: n.not },
        Expr::RowCompareExpr(r) => {
            let (mut columns, mut compares, mut first) = (Vec::new(), Vec::new(), None);
            for (l, op) in r.largs.iter().zip(&r.opnos) {
                let column = index_column(l)?;
                let (s, compare) = found(b, *op, column)?;
                first.get_or_insert(s);
                columns.push(column);
                compares.push(compare);
            }
            let values = b.compiler(Scope::empty()).list(&r.rargs)?;
            let strategy = first.ok_or_else(|| PgError::internal("empty row comparison"))?;
            KeyPlan::Row { columns, values, compares, strategy }
        }
        _ => return Err(PgError::internal("unexpected index condition")),
    })
}

pub(crate) struct IndexScanExec {
    table: Arc<OpenTable>,
    index: Arc<OpenIndex>,
    keys: ScanKeys,
    scan: Option<Box<dyn IndexScan>>,
    restart: bool,
    direction: Direction,
    entries: IndexBatch,
    at: usize,
    ended: bool,
    fetcher: Fetcher,
    /// Of an index-only scan: the index tuple's layout.
    only: Option<Arc<TupleLayout>>,
    /// A cursor's index-only scan: the columns `ctid` and `tableoid` follow the index's.
    places: bool,
    fill: Fill,
    recheck: Option<(RecheckRow, Filter)>,
    output: ScanOutput,
    dead: Vec<usize>,
}

/// The opened index of that OID.
pub(crate) fn find_index(table: &OpenTable, oid: base::Oid) -> Result<Arc<OpenIndex>> {
    let found = table.indexes.iter().find(|i| i.entry.oid == oid);
    found.cloned().ok_or_else(|| PgError::internal(format!("index {oid} is gone")))
}

impl IndexScanExec {
    pub fn build(b: &mut Builder<'_>, plan: &Plan) -> Result<IndexScanExec> {
        let (scanrelid, indexid, indexqual, orig, backward, only) = match &plan.node {
            PlanNode::IndexScan { scanrelid, indexid, indexqual, indexqualorig, indexorderby, backward, .. } => {
                if !indexorderby.is_empty() {
                    return Err(PgError::unsupported("ordering operators of indexes"));
                }
                (*scanrelid, *indexid, indexqual, indexqualorig.as_slice(), *backward, false)
            }
            PlanNode::IndexOnlyScan { scanrelid, indexid, indexqual, backward, .. } => {
                (*scanrelid, *indexid, indexqual, &[][..], *backward, true)
            }
            _ => return Err(PgError::internal("not an index scan")),
        };
        let table = open_scan_table(b, scanrelid)?;
        let index = find_index(&table, indexid)?;
        let keys = ScanKeys::build(b, &index, indexqual)?;
        let direction = if backward { Direction::Backward } else { Direction::Forward };
        let (fill, fetcher, recheck, output, layout);
        let mut places = false;
        if only {
            let l = index.rel.layout.clone();
            let mut columns: Vec<Column> = l.desc().attrs.iter().map(|a| Column::new(a.physical())).collect();
            fetcher = Fetcher::new(table.heap.clone(), access::tuple::Projection::default());
            let mut scope = Scope { ranges: vec![(INDEX_VAR, 0), (scanrelid, 0)], width: l.len(), ..Scope::default() };
            let is_place = |t: &TargetEntry| matches!(&t.expr, Expr::Var(v) if v.varno == scanrelid && v.varattno < 0);
            if plan.targetlist.iter().any(is_place) {
                places = true;
                columns.extend([Column::new(Physical::Bytes), Column::new(Physical::W4)]);
                scope.vars.insert((scanrelid, sysattr::CTID, VarReturning::Default), l.len());
                scope.vars.insert((scanrelid, sysattr::TABLEOID, VarReturning::Default), l.len() + 1);
                scope.width += 2;
            }
            fill = Fill::new(columns);
            output = ScanOutput::with_scope(b, plan, scope)?;
            (layout, recheck) = (Some(l), None);
        } else {
            let columns = TableColumns::of(plan, orig, scanrelid, &table);
            let projection = columns.projection(&table);
            fill = Fill::new(projection.columns(&table.heap.layout));
            fetcher = Fetcher::new(table.heap.clone(), projection.clone());
            let quals = b.compiler(columns.scope.clone()).filter(orig)?;
            recheck = Some((RecheckRow::new(scanrelid, &table, projection), quals));
            output = ScanOutput::with_scope(b, plan, columns.scope)?;
            layout = None;
        }
        Ok(IndexScanExec {
            table,
            index,
            keys,
            scan: None,
            restart: false,
            direction,
            entries: IndexBatch::default(),
            at: 0,
            ended: false,
            fetcher,
            only: layout,
            places,
            fill,
            recheck,
            output,
            dead: Vec::new(),
        })
    }

    fn start(&mut self, run: &mut Run<'_>) -> Result<()> {
        let mut keys = self.keys.values(run)?;
        run.note(|i| *i.searches.get_or_insert(0) += 1);
        let txn = run.cx.txn()?;
        self.index.stats(txn).scanned(txn.start_time());
        match &mut self.scan {
            Some(scan) => {
                scan.rescan(Some(&mut keys))?;
                self.keys.spare = keys;
            }
            none => {
                let txn = run.cx.txn()?.clone();
                let options = IndexScanOptions { want_tuples: self.only.is_some() };
                *none = Some(self.index.rel.am.begin_scan(&txn, &self.index.rel, keys, options)?);
            }
        }
        self.entries.clear();
        (self.at, self.ended, self.restart) = (0, false, false);
        Ok(())
    }

    /// Fills the columns with up to `max` rows; returns how many.
    fn fetch(&mut self, run: &mut Run<'_>, max: usize) -> Result<usize> {
        let txn = run.cx.txn()?;
        let snapshot = run.st.snapshot.as_ref().ok_or_else(crate::state::no_snapshot)?;
        let missing = || PgError::internal("index scan was not started");
        let scan = self.scan.as_mut().ok_or_else(missing)?;
        self.fill.clear();
        let (mut n, mut entries, mut fetched) = (0, 0, 0);
        while n < max {
            if self.at >= self.entries.tids.len() {
                if !self.dead.is_empty() {
                    scan.kill(&self.dead);
                    self.dead.clear();
                }
                if self.ended {
                    break;
                }
                run.cx.interrupt.check()?;
                self.entries.clear();
                self.at = 0;
                let more = scan.next(txn, self.direction, &mut self.entries)?;
                self.ended = !more || self.entries.is_last;
                continue;
            }
            let (at, tid) = (self.at, self.entries.tids[self.at]);
            self.at += 1;
            entries += 1;
            match &self.only {
                None => {
                    let found = self.fetcher.index_fetch(txn, tid, Look::Mvcc(snapshot), &mut self.fill.columns)?;
                    n += usize::from(found.tid.is_some());
                    fetched += i64::from(found.tid.is_some());
                    if found.all_dead {
                        self.dead.push(at);
                    }
                }
                Some(layout) => {
                    let all = self.fetcher.is_all_visible(txn, tid.block)?;
                    if all {
                        self.table.heap.note_page_read(txn, tid.block);
                    }
                    let visible = all || {
                        fetched += 1;
                        self.fetcher.index_fetch_with(txn, tid, Look::Mvcc(snapshot), |_, _| Ok(()))?.is_some()
                    };
                    if visible {
                        let tuple = self.entries.tuple(at);
                        for (i, c) in self.fill.columns.iter_mut().take(layout.len()).enumerate() {
                            c.push(layout.index_attr(tuple, layout.len(), i)?);
                        }
                        if self.places
                            && let [.., ctid, table] = &mut self.fill.columns[..]
                        {
                            ctid.push(tid.into_datum().as_ref());
                            table.push(Datum::oid(self.table.entry.oid).as_ref());
                        }
                        n += 1;
                    }
                }
            }
        }
        let stats = self.index.stats(txn);
        stats.add(TableCounter::RowsReturned, entries);
        stats.add(TableCounter::RowsFetched, fetched);
        if self.only.is_some() {
            run.note(|i| i.heap_fetches += fetched as u64);
        }
        Ok(n)
    }
}

impl Exec for IndexScanExec {
    fn next<'a>(&'a mut self, run: &mut Run<'_>, max: usize) -> Result<Option<&'a Batch>> {
        if let Some((row, quals)) = &mut self.recheck
            && let Some(tid) = row.active(run)
        {
            let found = row.fetch(run, tid, &mut self.fill)?
                && quals.apply(run, &mut self.fill.batch)? > 0
                && self.output.apply(run, &mut self.fill.batch)?;
            return Ok(found.then_some(self.output.batch()));
        }
        if self.scan.is_none() || self.restart {
            self.start(run)?;
        }
        loop {
            if self.ended && self.at >= self.entries.tids.len() && self.dead.is_empty() {
                self.fetcher.release();
                return Ok(None);
            }
            self.output.release();
            let n = self.fetch(run, max)?;
            if n == 0 {
                self.fetcher.release();
                return Ok(None);
            }
            if self.output.apply(run, self.fill.finish(n))? {
                return Ok(Some(self.output.batch()));
            }
        }
    }
    fn rescan(&mut self, _: &mut Run<'_>, _: &[i32]) -> Result<()> {
        self.restart = true;
        self.dead.clear();
        if let Some((row, _)) = &mut self.recheck {
            row.reset();
        }
        Ok(())
    }
    fn rest(&mut self) -> Result<bool> {
        self.restart = true;
        self.dead.clear();
        self.output.release();
        self.fetcher.release();
        if let Some((row, _)) = &mut self.recheck {
            row.reset();
        }
        if let Some(scan) = &mut self.scan {
            scan.rescan(None)?;
        }
        Ok(true)
    }
}
