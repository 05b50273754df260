//! WindowAgg: window functions and aggregates over frames. The input comes sorted by partition and order; a partition is held
//! whole.
//!
//! PostgreSQL: `nodeWindowAgg.c`, `windowfuncs.c`.

use std::sync::Arc;

use analyze::query::{Aggref, Expr, TargetEntry, WindowFunc};
use base::error::Location;
use base::sqlstate::*;
use base::{Oid, PgError, Result};
use planner::{Plan, WindowAggPlan};
use types::{Batch, Column, Datum, DatumRef, Rows};

use crate::agg_state::AggCall;
use crate::append::compact;
use crate::build::Builder;
use crate::expr::function::{FuncNode, plain};
use crate::expr::{CExpr, Filter, Projection, Scope, is_true};
use crate::hashing::{KeyEq, columns_of};
use crate::node::{Exec, Node};
use crate::state::Run;

/// Bits of the frame options. (PostgreSQL: `FRAMEOPTION_*`)
mod frame {
    pub const RANGE: u32 = 0x2;
    pub const ROWS: u32 = 0x4;
    pub const GROUPS: u32 = 0x8;
    pub const START_UNBOUNDED_PRECEDING: u32 = 0x20;
    pub const END_UNBOUNDED_FOLLOWING: u32 = 0x100;
    pub const START_CURRENT_ROW: u32 = 0x200;
    pub const END_CURRENT_ROW: u32 = 0x400;
    pub const START_PRECEDING: u32 = 0x800;
    pub const END_PRECEDING: u32 = 0x1000;
    pub const START_FOLLOWING: u32 = 0x2000;
    pub const END_FOLLOWING: u32 = 0x4000;
    pub const EXCLUDE_CURRENT_ROW: u32 = 0x8000;
    pub const EXCLUDE_GROUP: u32 = 0x1_0000;
    pub const EXCLUDE_TIES: u32 = 0x2_0000;
    pub const EXCLUSION: u32 = EXCLUDE_CURRENT_ROW | EXCLUDE_GROUP | EXCLUDE_TIES;
}

enum Call {
    Aggregate(Box<AggCall>),
    /// By `prosrc`, with its arguments.
    Builtin {
        name: String,
        args: Vec<CExpr>,
    },
}

pub(crate) struct WindowAggExec {
    input: Node,
    plan: WindowAggPlan,
    partition: (Vec<usize>, KeyEq),
    order: (Vec<usize>, KeyEq),
    start: Option<CExpr>,
    end: Option<CExpr>,
    in_range: [Option<FuncNode>; 2],
    calls: Vec<(Call, types::Physical)>,
    filter: Filter,
    run_condition: Filter,
    projection: Projection,
    /// Rows that belong to the next partition.
    ahead: Option<Batch>,
    ended: bool,
    work: Batch,
    at: usize,
    narrowed: Batch,
    out: Batch,
}

/// One partition's rows and peer groups.
struct Partition {
    batch: Batch,
    /// Number of each row's peer group, and where each group begins (with the end at last).
    group_of: Vec<usize>,
    groups: Vec<usize>,
}

impl WindowAggExec {
    pub fn build(b: &mut Builder<'_>, plan: &Plan, w: &WindowAggPlan) -> Result<WindowAggExec> {
        let input = b.outer(plan)?;
        let width = input.output.len();
        let mut list: Vec<Expr> = Vec::new();
        fn collect(e: &Expr, winref: u32, out: &mut Vec<Expr>) {
            match e {
                Expr::WindowFunc(f) if f.winref == winref => {
                    if !out.contains(e) {
                        out.push(e.clone());
                    }
                }
                _ => e.children(&mut |c| collect(c, winref, out)),
            }
        }
        plan.targetlist.iter().for_each(|t| collect(&t.expr, w.winref, &mut list));
        plan.qual.iter().chain(&w.run_condition).for_each(|q| collect(q, w.winref, &mut list));
        let scope = Scope {
            width: width + list.len(),
            computed_base: width,
            computed: Some(list.clone()),
            ..Scope::outer(width)
        };
        let mut c = b.compiler(scope);
        let (filter, projection) = (c.filter(&plan.qual)?, c.projection(&plan.targetlist)?);
        // Below another WindowAgg all rows go on: that one's filter leaves out those that are not wanted.
        let run_condition = c.filter(if w.top_window { &w.run_condition } else { &[] })?;
        let mut calls = Vec::new();
        for e in &list {
            if let Expr::WindowFunc(f) = e {
                let physical = b.compiler(Scope::empty()).physical(f.wintype)?;
                calls.push((call(b, f, width)?, physical));
            }
        }
        let keys = |b: &mut Builder<'_>, list: &[planner::GroupCol]| -> Result<(Vec<usize>, KeyEq)> {
            let ops: Vec<_> = list.iter().map(|c| (c.eqop, c.collation)).collect();
            Ok((list.iter().map(|c| c.column as usize - 1).collect(), KeyEq::for_operators(b.cx, &ops)?))
        };
        let (partition, order) = (keys(b, &w.partition)?, keys(b, &w.order)?);
        let mut c = b.compiler(Scope::empty());
        let (start, end) = (
            w.start_offset.as_ref().map(|e| c.expr(e)).transpose()?,
            w.end_offset.as_ref().map(|e| c.expr(e)).transpose()?,
        );
        let mut in_range = |f: Oid| -> Result<Option<FuncNode>> {
            match f.valid() {
                None => Ok(None),
                Some(f) => {
                    let types = c.cx.catalog.function_row(f)?.proargtypes.clone();
                    c.bare_function(f, &types, types::oid::BOOLOID, w.in_range_coll).map(Some)
                }
            }
        };
        let in_range = [in_range(w.start_in_range_func)?, in_range(w.end_in_range_func)?];
        Ok(WindowAggExec {
            input,
            plan: w.clone(),
            partition,
            order,
            start,
            end,
            in_range,
            calls,
            filter,
            run_condition,
            projection,
            ahead: None,
            ended: false,
            work: Batch::default(),
            at: 0,
            narrowed: Batch::default(),
            out: Batch::default(),
        })
    }

    /// Reads a whole partition.
    fn read(&mut self, run: &mut Run<'_>) -> Result<Option<Partition>> {
        let mut columns: Vec<Column> = self.input.output.iter().map(|p| Column::new(*p)).collect();
        let mut first: Option<Batch> = None;
        let mut rows = 0;
        loop {
            let batch = match self.ahead.take() {
                Some(b) => b,
                None if self.ended => break,
                None => match self.input.next(run, usize::MAX)? {
                    Some(b) => compact(b),
                    None => {
                        self.ended = true;
                        break;
                    }
                },
            };
            let (numbers, eq) = &mut self.partition;
            let head = first.get_or_insert_with(|| {
                compact(&Batch { columns: batch.columns.clone(), rows: batch.rows, selection: Some(vec![0]) })
            });
            let (a, c) = (columns_of(head, numbers), columns_of(&batch, numbers));
            let mut same = 0;
            while same < batch.rows && eq.rows_equal(run, &a, 0, &c, same)? {
                same += 1;
            }
            let taken: Vec<u32> = (0..same as u32).collect();
            for (to, from) in columns.iter_mut().zip(&batch.columns) {
                to.append(from, Rows::Some(&taken));
            }
            rows += same;
            if same < batch.rows {
                let rest = (same as u32..batch.rows as u32).collect();
                self.ahead =
                    Some(compact(&Batch { columns: batch.columns.clone(), rows: batch.rows, selection: Some(rest) }));
                break;
            }
        }
        if rows == 0 {
            return Ok(None);
        }
        let batch = Batch { columns: columns.into_iter().map(Arc::new).collect(), rows, selection: None };
        let (mut group_of, mut groups) = (Vec::with_capacity(rows), vec![0]);
        let (numbers, eq) = &mut self.order;
        let cols = columns_of(&batch, numbers);
        for i in 0..rows {
            // Without ORDER BY all rows are peers.
            if i > 0 && !numbers.is_empty() && !eq.rows_equal(run, &cols, i - 1, &cols, i)? {
                groups.push(i);
            }
            group_of.push(groups.len() - 1);
        }
        groups.push(rows);
        drop(cols);
        Ok(Some(Partition { batch, group_of, groups }))
    }

    fn offset(e: &mut Option<CExpr>, run: &mut Run<'_>, which: &str) -> Result<Datum> {
        let Some(e) = e else { return Ok(Datum::Null) };
        let v = e.eval_scalar(run)?;
        if v.is_null() {
            return Err(PgError::new(NULL_VALUE_NOT_ALLOWED, format!("frame {which} offset must not be null")));
        }
        Ok(v)
    }

    /// The frame of row `i`: from, to (exclusive), before exclusions.
    fn frame(
        &mut self,
        run: &mut Run<'_>,
        p: &Partition,
        i: usize,
        start: &Datum,
        end: &Datum,
    ) -> Result<(usize, usize)> {
        let o = self.plan.frame_options;
        let n = p.batch.rows;
        let g = p.group_of[i];
        let groups = p.groups.len() - 1;
        let (s, e) = (start.as_ref().word() as i64, end.as_ref().word() as i64);
        let row = |at: i64| at.clamp(0, n as i64) as usize;
        let group = |at: i64| p.groups[at.clamp(0, groups as i64) as usize];
        let from = if o & frame::START_UNBOUNDED_PRECEDING != 0 {
            0
        } else if o & frame::START_CURRENT_ROW != 0 {
            if o & frame::ROWS != 0 { i } else { p.groups[g] }
        } else {
            let sign = if o & frame::START_PRECEDING != 0 { -1 } else { 1 };
            match o & (frame::ROWS | frame::GROUPS | frame::RANGE) {
                frame::ROWS => row((i as i64).saturating_add(s.saturating_mul(sign))),
                frame::GROUPS => group((g as i64).saturating_add(s.saturating_mul(sign))),
                _ => self.range_bound(run, p, i, start, sign < 0, 0)?,
            }
        };
        let to = if o & frame::END_UNBOUNDED_FOLLOWING != 0 {
            n
        } else if o & frame::END_CURRENT_ROW != 0 {
            if o & frame::ROWS != 0 { i + 1 } else { p.groups[g + 1] }
        } else {
            let sign = if o & frame::END_PRECEDING != 0 { -1 } else { 1 };
            match o & (frame::ROWS | frame::GROUPS | frame::RANGE) {
                frame::ROWS => row((i as i64).saturating_add(e.saturating_mul(sign)).saturating_add(1)),
                frame::GROUPS => group((g as i64).saturating_add(e.saturating_mul(sign)).saturating_add(1)),
                _ => self.range_bound(run, p, i, end, sign < 0, 1)?,
            }
        };
        let _ = (frame::START_FOLLOWING, frame::END_FOLLOWING);
        Ok((from, to.max(from)))
    }

    /// A RANGE bound with an offset, by the type's in_range function.
    fn range_bound(
        &mut self,
        run: &mut Run<'_>,
        p: &Partition,
        i: usize,
        offset: &Datum,
        preceding: bool,
        which: usize,
    ) -> Result<usize> {
        let column = *self.order.0.first().ok_or_else(|| PgError::internal("RANGE frame without an order"))?;
        let values = &p.batch.columns[column];
        let g = p.group_of[i];
        // Nulls are peers of nulls only.
        if values.is_null(i) {
            return Ok(if which == 0 { p.groups[g] } else { p.groups[g + 1] });
        }
        let Some(f) = &mut self.in_range[which] else { return Err(PgError::internal("no in_range function")) };
        let asc = self.plan.in_range_asc;
        // With descending order "preceding" means greater.
        let sub = preceding == asc;
        let less = if which == 0 { !asc } else { asc };
        let base = plain(run, values.get(i))?;
        for k in 0..p.groups.len() - 1 {
            let at = p.groups[k];
            if values.is_null(at) {
                if self.plan.in_range_nulls_first || which == 0 {
                    if self.plan.in_range_nulls_first {
                        continue;
                    }
                    return Ok(at);
                }
                return Ok(at);
            }
            let v = plain(run, values.get(at))?;
            let args = [
                v.as_ref(),
                base.as_ref(),
                offset.as_ref(),
                Datum::bool(sub).as_ref().word().into_ref(),
                Datum::bool(less).as_ref().word().into_ref(),
            ];
            let inside = is_true(f.call(run, &args)?.as_ref());
            if which == 0 && inside {
                return Ok(at);
            }
            if which == 1 && !inside {
                return Ok(at);
            }
        }
        Ok(p.batch.rows)
    }

    /// The rows of the frame that are not excluded.
    fn frame_rows(&self, p: &Partition, i: usize, from: usize, to: usize) -> Vec<u32> {
        let o = self.plan.frame_options;
        let g = p.group_of[i];
        let peers = p.groups[g]..p.groups[g + 1];
        let excluded = |k: usize| {
            (o & frame::EXCLUDE_CURRENT_ROW != 0 && k == i)
                || (o & frame::EXCLUDE_GROUP != 0 && peers.contains(&k))
                || (o & frame::EXCLUDE_TIES != 0 && k != i && peers.contains(&k))
        };
        (from..to).filter(|k| !excluded(*k)).map(|k| k as u32).collect()
    }

    /// Computes all functions for a partition.
    fn compute(&mut self, run: &mut Run<'_>, p: &Partition) -> Result<()> {
        let n = p.batch.rows;
        let (mut s, mut e) = (std::mem::take(&mut self.start), std::mem::take(&mut self.end));
        let start = Self::offset(&mut s, run, "starting");
        let end = Self::offset(&mut e, run, "ending");
        (self.start, self.end) = (s, e);
        let (start, end) = (start?, end?);
        if self.plan.frame_options & frame::RANGE == 0 {
            for (v, which) in [(&start, "starting"), (&end, "ending")] {
                if !v.is_null() && (v.as_ref().word() as i64) < 0 {
                    let text = format!("frame {which} offset must not be negative");
                    return Err(PgError::new(INVALID_PRECEDING_OR_FOLLOWING_SIZE, text));
                }
            }
        }
        let mut frames = Vec::with_capacity(n);
        for i in 0..n {
            frames.push(self.frame(run, p, i, &start, &end)?);
        }
        self.work = p.batch.clone();
        let mut calls = std::mem::take(&mut self.calls);
        let result = self.compute_calls(run, p, &frames, &mut calls);
        self.calls = calls;
        result
    }

    fn compute_calls(
        &mut self,
        run: &mut Run<'_>,
        p: &Partition,
        frames: &[(usize, usize)],
        calls: &mut [(Call, types::Physical)],
    ) -> Result<()> {
        let simple = self.plan.frame_options & frame::EXCLUSION == 0;
        for (call, physical) in calls {
            let mut column = Column::new(*physical);
            match call {
                Call::Aggregate(agg) => {
                    agg.reset();
                    agg.resize(run, 1)?;
                    // While frames only grow at their end, the state carries on.
                    let (mut done, mut last, mut value) = (0usize, None, Datum::Null);
                    for (i, &(from, to)) in frames.iter().enumerate() {
                        run.cx.interrupt.check()?;
                        if simple && last == Some((from, to)) {
                            column.push(value.as_ref());
                            continue;
                        }
                        let grows = simple && from == 0 && to >= done && (i == 0 || frames[i - 1].0 == 0);
                        let rows: Vec<u32> = if grows {
                            (done as u32..to as u32).collect()
                        } else {
                            agg.reset();
                            agg.resize(run, 1)?;
                            self.frame_rows(p, i, from, to)
                        };
                        done = to;
                        if !rows.is_empty() {
                            let some =
                                Batch { columns: p.batch.columns.clone(), rows: p.batch.rows, selection: Some(rows) };
                            agg.update(run, &some, &[])?;
                        }
                        value = agg.result(run, 0)?;
                        last = Some((from, to));
                        column.push(value.as_ref());
                    }
                }
                Call::Builtin { name, args } => {
                    for a in args.iter_mut() {
                        a.eval(run, &p.batch, Rows::All(p.batch.rows))?;
                    }
                    for i in 0..p.batch.rows {
                        let v = builtin(name, args, p, i, frames[i], |from, to| self.frame_rows(p, i, from, to))?;
                        column.push(v);
                    }
                }
            }
            self.work.columns.push(Arc::new(column));
        }
        Ok(())
    }
}

trait IntoRef {
    fn into_ref(self) -> DatumRef<'static>;
}
impl IntoRef for u64 {
    fn into_ref(self) -> DatumRef<'static> {
        DatumRef::Word(self)
    }
}

fn call(b: &mut Builder<'_>, f: &WindowFunc, width: usize) -> Result<Call> {
    let proc = b.cx.catalog.function_row(f.winfnoid)?;
    if f.winagg {
        let entry = |(i, expr): (usize, &Expr)| TargetEntry {
            expr: expr.clone(),
            resno: i as i16 + 1,
            resname: None,
            ressortgroupref: 0,
            resorigtbl: Oid::INVALID,
            resorigcol: 0,
            resjunk: false,
        };
        let agg = Aggref {
            aggfnoid: f.winfnoid,
            aggtype: f.wintype,
            aggcollid: f.wincollid,
            inputcollid: f.inputcollid,
            aggtranstype: Oid::INVALID,
            aggargtypes: f.args.iter().map(Expr::type_oid).collect(),
            aggdirectargs: Vec::new(),
            args: f.args.iter().enumerate().map(entry).collect(),
            aggorder: Vec::new(),
            aggdistinct: Vec::new(),
            aggfilter: f.aggfilter.clone(),
            aggstar: f.winstar,
            aggvariadic: false,
            aggkind: b'n',
            agglevelsup: 0,
            location: Location::UNKNOWN,
        };
        return Ok(Call::Aggregate(Box::new(AggCall::build(b, &agg, width)?)));
    }
    let args = b.compiler(Scope::outer(width)).list(&f.args)?;
    Ok(Call::Builtin { name: proc.prosrc.clone(), args })
}

/// The window functions that are no aggregates.
fn builtin<'a>(
    name: &str,
    args: &'a [CExpr],
    p: &'a Partition,
    i: usize,
    (from, to): (usize, usize),
    rows: impl Fn(usize, usize) -> Vec<u32>,
) -> Result<DatumRef<'a>> {
    let n = p.batch.rows;
    let (g, group) = (p.group_of[i], p.groups[p.group_of[i]]);
    let number = |v: usize| Ok(DatumRef::Word(v as u64));
    let float = |v: f64| Ok(DatumRef::Word(v.to_bits()));
    let arg = |k: usize, row: usize| args[k].value(&p.batch, row);
    match name {
        "window_row_number" => number(i + 1),
        "window_rank" => number(group + 1),
        "window_dense_rank" => number(g + 1),
        "window_percent_rank" => float(if n > 1 { group as f64 / (n - 1) as f64 } else { 0.0 }),
        "window_cume_dist" => float(p.groups[g + 1] as f64 / n as f64),
        "window_ntile" => {
            let buckets = match arg(0, 0) {
                DatumRef::Null => return Ok(DatumRef::Null),
                d => d.word() as i32,
            };
            if buckets <= 0 {
                let text = "argument of ntile must be greater than zero";
                return Err(PgError::new(INVALID_ARGUMENT_FOR_NTILE, text));
            }
            let buckets = buckets as usize;
            let (size, larger) = (n / buckets, n % buckets);
            let boundary = larger * (size + 1);
            let bucket = if i < boundary { i / (size + 1) } else { larger + (i - boundary) / size.max(1) };
            Ok(DatumRef::Word(bucket as u64 + 1))
        }
        "window_lag"
        | "window_lag_with_offset"
        | "window_lag_with_offset_and_default"
        | "window_lead"
        | "window_lead_with_offset"
        | "window_lead_with_offset_and_default" => {
            let offset = match args.get(1) {
                None => 1,
                Some(_) => match arg(1, i) {
                    DatumRef::Null => return Ok(DatumRef::Null),
                    d => i64::from(d.word() as i32),
                },
            };
            let at = if name.starts_with("window_lag") { i as i64 - offset } else { i as i64 + offset };
            if (0..n as i64).contains(&at) {
                Ok(arg(0, at as usize))
            } else if args.len() > 2 {
                Ok(arg(2, i))
            } else {
                Ok(DatumRef::Null)
            }
        }
        "window_first_value" => Ok(rows(from, to).first().map_or(DatumRef::Null, |r| arg(0, *r as usize))),
        "window_last_value" => Ok(rows(from, to).last().map_or(DatumRef::Null, |r| arg(0, *r as usize))),
        "window_nth_value" => {
            let nth = match arg(1, i) {
                DatumRef::Null => return Ok(DatumRef::Null),
                d => d.word() as i32,
            };
            if nth <= 0 {
                let text = "argument of nth_value must be greater than zero";
                return Err(PgError::new(INVALID_ARGUMENT_FOR_NTH_VALUE, text));
            }
            Ok(rows(from, to).get(nth as usize - 1).map_or(DatumRef::Null, |r| arg(0, *r as usize)))
        }
        _ => Err(PgError::unsupported(format!("window function {name}"))),
    }
}

impl Exec for WindowAggExec {
    fn next<'a>(&'a mut self, run: &mut Run<'_>, max: usize) -> Result<Option<&'a Batch>> {
        loop {
            self.out.columns.clear();
            if self.at >= self.work.rows || self.work.columns.is_empty() && self.work.rows == 0 {
                let Some(p) = self.read(run)? else { return Ok(None) };
                self.compute(run, &p)?;
                self.at = 0;
            }
            let to = self.work.rows.min(self.at.saturating_add(max.min(1024)));
            let rows = (self.at as u32..to as u32).collect();
            self.at = to;
            self.narrowed = Batch { columns: self.work.columns.clone(), rows: self.work.rows, selection: Some(rows) };
            if self.run_condition.apply(run, &mut self.narrowed)? == 0
                || self.filter.apply(run, &mut self.narrowed)? == 0
            {
                continue;
            }
            self.projection.apply(run, &self.narrowed, &mut self.out)?;
            return Ok(Some(&self.out));
        }
    }
    fn rescan(&mut self, run: &mut Run<'_>, changed: &[i32]) -> Result<()> {
        (self.ahead, self.ended, self.at) = (None, false, 0);
        self.work = Batch::default();
        self.input.rescan(run, changed)
    }
}
