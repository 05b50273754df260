//! Aggregate: groups its input and runs aggregate functions over each group: all of it (plain), by runs of equal keys
//! (sorted) or by hash; grouping sets run side by side.
//!
//! Hashed groups that outgrow `work_mem * hash_mem_multiplier` stay as they are, and rows of others wait in a file (`agg_spill.rs`).
//!
//! Output rows come in the order of the groups' first rows, which for sorted input is the sort order.

use std::sync::Arc;

use analyze::query::{Aggref, Expr};
use base::{PgError, Result};
use planner::{AggStrategy, GroupCol, Plan, PlanNode};
use types::{Batch, Column, Datum, DatumRef, Physical, Rows};

use crate::agg_spill::{AggPart, AggSpill};
use crate::agg_state::AggCall;
use crate::build::Builder;
use crate::expr::{Filter, Projection, Scope};
use crate::hash_batches::hash_memory;
use crate::hashing::{GroupTable, KeyEq, KeyHasher, columns_of};
use crate::node::{Exec, Node};
use crate::state::Run;

/// How rows find their group.
enum Grouping {
    All,
    Sorted { columns: Vec<usize>, eq: KeyEq, last: Option<Batch> },
    Hashed { columns: Vec<usize>, table: GroupTable },
}

/// One grouping set.
struct Set {
    grouping: Grouping,
    /// Input columns (from 1) that this set groups by.
    members: Vec<usize>,
    groups: usize,
    /// First row of each group.
    rows: Vec<Column>,
    calls: Vec<AggCall>,
    /// Of hashed groups: the memory is full, and rows that belong to no group in it wait.
    full: bool,
    spill: Option<AggSpill>,
    level: u32,
    /// Parts of the input that are to be aggregated when the groups in memory have been given out.
    parts: Vec<AggPart>,
    /// For EXPLAIN: parts so far, kilobytes written, the most memory in bytes.
    spilled: (usize, i64, usize),
}

/// What stands in a computed column.
enum Computed {
    Call(usize),
    /// GROUPING(..): the input columns of its arguments.
    Grouping(Vec<usize>),
}

pub(crate) struct AggExec {
    input: Node,
    sets: Vec<Set>,
    computed: Vec<(Computed, Physical)>,
    /// Columns that group in any set; null in sets that do not have them.
    nullable: Vec<usize>,
    having: Filter,
    projection: Projection,
    filled: bool,
    at: (usize, usize),
    work: Batch,
    out: Batch,
}

fn collect(e: &Expr, out: &mut Vec<Expr>) {
    match e {
        Expr::Aggref(_) | Expr::GroupingFunc(_) => {
            if !out.contains(e) {
                out.push(e.clone());
            }
        }
        _ => e.children(&mut |c| collect(c, out)),
    }
}

impl AggExec {
    pub fn build(b: &mut Builder<'_>, plan: &Plan) -> Result<AggExec> {
        let PlanNode::Agg { strategy, columns, grouping_sets, .. } = &plan.node else {
            return Err(PgError::internal("not an Agg"));
        };
        let input = b.outer(plan)?;
        let width = input.output.len();
        let mut list = Vec::new();
        plan.targetlist.iter().for_each(|t| collect(&t.expr, &mut list));
        plan.qual.iter().for_each(|q| collect(q, &mut list));
        let mut scope = Scope::outer(width);
        scope.width = width + list.len();
        scope.computed_base = width;
        scope.computed = Some(list.clone());
        let mut c = b.compiler(scope);
        let (having, projection) = (c.filter(&plan.qual)?, c.projection(&plan.targetlist)?);

        let (mut computed, mut aggs): (Vec<(Computed, Physical)>, Vec<Aggref>) = (Vec::new(), Vec::new());
        for e in &list {
            let physical = c.physical(e.type_oid())?;
            match e {
                Expr::Aggref(a) => {
                    computed.push((Computed::Call(aggs.len()), physical));
                    aggs.push((**a).clone());
                }
                Expr::GroupingFunc(g) => {
                    let columns = g.args.iter().map(|a| match a {
                        Expr::Var(v) if v.varattno > 0 => Ok(v.varattno as usize),
                        _ => Err(PgError::internal("GROUPING of something that is not grouped")),
                    });
                    computed.push((Computed::Grouping(columns.collect::<Result<_>>()?), physical));
                }
                _ => {}
            }
        }
        let all: Vec<usize> = columns.iter().map(|c| c.column as usize).collect();
        let members: Vec<Vec<usize>> = match grouping_sets.is_empty() {
            true => vec![all.clone()],
            false => grouping_sets.iter().map(|s| s.columns.iter().map(|c| *c as usize).collect()).collect(),
        };
        let mut sets = Vec::new();
        for m in members {
            let cols: Vec<&GroupCol> =
                m.iter().filter_map(|n| columns.iter().find(|c| c.column as usize == *n)).collect();
            let grouping = grouping(b, &input, *strategy, &cols, grouping_sets.is_empty())?;
            let calls: Result<Vec<AggCall>> = aggs.iter().map(|a| AggCall::build(b, a, width)).collect();
            sets.push(Set {
                grouping,
                members: m,
                groups: 0,
                rows: input.output.iter().map(|p| Column::new(*p)).collect(),
                calls: calls?,
                full: false,
                spill: None,
                level: 0,
                parts: Vec::new(),
                spilled: (0, 0, 0),
            });
        }
        let nullable = if grouping_sets.is_empty() { Vec::new() } else { all };
        Ok(AggExec {
            input,
            sets,
            computed,
            nullable,
            having,
            projection,
            filled: false,
            at: (0, 0),
            work: Batch::default(),
            out: Batch::default(),
        })
    }

    fn fill(&mut self, run: &mut Run<'_>) -> Result<()> {
        for set in &mut self.sets {
            set.reset();
            (set.level, set.spilled) = (0, (0, 0, 0));
            set.parts.clear();
        }
        while let Some(batch) = self.input.next(run, usize::MAX)? {
            for set in &mut self.sets {
                set.take(run, batch)?;
            }
        }
        for set in &mut self.sets {
            // Without GROUP BY there is one group even of no rows.
            if set.members.is_empty() && set.groups == 0 {
                set.groups = 1;
                set.rows.iter_mut().for_each(|c| c.push(DatumRef::Null));
            }
            set.end_input(run)?;
        }
        self.note(run);
        (self.filled, self.at) = (true, (0, 0));
        Ok(())
    }
    /// What EXPLAIN shows.
    fn note(&self, run: &mut Run<'_>) {
        let hashed = || self.sets.iter().filter(|s| matches!(s.grouping, Grouping::Hashed { .. }));
        if hashed().next().is_some() {
            let kilobytes = hashed().map(|s| s.spilled.2).sum::<usize>().div_ceil(1024).max(32) as i64;
            let (parts, disk) = hashed().fold((0, 0), |a, s| (a.0 + s.spilled.0, a.1 + s.spilled.1));
            let info =
                crate::node::HashInfo { batches: 1 + parts, kilobytes, disk_kilobytes: disk, ..Default::default() };
            run.note(|i| i.hash = Some(info));
        }
    }

    /// The groups `from..to` of a set as input columns and computed ones.
    fn emit(&mut self, run: &mut Run<'_>, from: usize, to: usize) -> Result<()> {
        let set = &mut self.sets[self.at.0];
        let rows: Vec<u32> = (from as u32..to as u32).collect();
        self.out.columns.clear();
        self.work.columns.clear();
        for (i, c) in set.rows.iter().enumerate() {
            let mut column = Column::new(c.physical());
            if self.nullable.contains(&(i + 1)) && !set.members.contains(&(i + 1)) {
                rows.iter().for_each(|_| column.push(DatumRef::Null));
            } else {
                column.append(c, Rows::Some(&rows));
            }
            self.work.columns.push(Arc::new(column));
        }
        for (what, physical) in &self.computed {
            let mut column = Column::new(*physical);
            match what {
                Computed::Call(i) => {
                    for g in from..to {
                        let v: Datum = set.calls[*i].result(run, g)?;
                        column.push(v.as_ref());
                    }
                }
                Computed::Grouping(columns) => {
                    let bits = columns.iter().fold(0u64, |b, c| b << 1 | u64::from(!set.members.contains(c)));
                    rows.iter().for_each(|_| column.push(DatumRef::Word(bits)));
                }
            }
            self.work.columns.push(Arc::new(column));
        }
        (self.work.rows, self.work.selection) = (to - from, None);
        Ok(())
    }
}

fn grouping(
    b: &mut Builder<'_>,
    input: &Node,
    strategy: AggStrategy,
    columns: &[&GroupCol],
    only_set: bool,
) -> Result<Grouping> {
    if columns.is_empty() {
        return Ok(Grouping::All);
    }
    let numbers: Vec<usize> = columns.iter().map(|c| c.column as usize - 1).collect();
    let eq: Vec<_> = columns.iter().map(|c| (c.eqop, c.collation)).collect();
    let eq = KeyEq::for_operators(b.cx, &eq)?;
    if strategy == AggStrategy::Sorted && only_set {
        return Ok(Grouping::Sorted { columns: numbers, eq, last: None });
    }
    let keys: Vec<_> = columns.iter().map(|c| (c.eqop, c.collation, false)).collect();
    let hasher = KeyHasher::for_operators(b.cx, &keys)?;
    let physical: Vec<Physical> = numbers.iter().map(|n| input.output[*n]).collect();
    Ok(Grouping::Hashed { columns: numbers, table: GroupTable::new(&physical, hasher, eq) })
}

impl Set {
    fn memory(&self) -> usize {
        let table = match &self.grouping {
            Grouping::Hashed { table, .. } => table.memory(),
            _ => 0,
        };
        let calls: usize = self.calls.iter().map(AggCall::memory).sum();
        table + calls + self.rows.iter().map(Column::memory).sum::<usize>()
    }
    /// All rows have come, or all of a part.
    fn end_input(&mut self, run: &mut Run<'_>) -> Result<()> {
        for call in &mut self.calls {
            call.resize(run, self.groups)?;
            call.finish_input(run)?;
        }
        self.spilled.2 = self.spilled.2.max(self.memory());
        if let Some(spill) = self.spill.take() {
            let (parts, kilobytes) = spill.finish()?;
            self.spilled.0 += parts.len();
            self.spilled.1 += kilobytes;
            self.parts.extend(parts);
        }
        Ok(())
    }
    /// The groups in memory have been given out: aggregates a part of the rows that waited. `false`: there is none.
    fn next_part(&mut self, run: &mut Run<'_>) -> Result<bool> {
        let Some(mut part) = self.parts.pop() else { return Ok(false) };
        self.reset();
        self.level = part.level;
        while let Some(batch) = part.next()? {
            run.cx.interrupt.check()?;
            self.take(run, &batch)?;
        }
        self.end_input(run)?;
        Ok(true)
    }
    /// Finds the groups of a batch when no more groups may be made: puts the other rows aside, and gives those that stay.
    fn take_known(&mut self, run: &mut Run<'_>, batch: &Batch, groups: &mut Vec<u32>) -> Result<Batch> {
        let Grouping::Hashed { columns, table } = &mut self.grouping else { return Ok(batch.clone()) };
        table.lookup(run, &columns_of(batch, columns), batch.selected(), groups)?;
        let (mut known, mut others) = (Vec::new(), Vec::new());
        for i in batch.selected().iter() {
            let list = if groups[i] == u32::MAX { &mut others } else { &mut known };
            list.push(i as u32);
        }
        if !others.is_empty() {
            let spill = match &mut self.spill {
                Some(s) => s,
                none => {
                    let physical: Vec<Physical> = self.rows.iter().map(Column::physical).collect();
                    none.insert(AggSpill::create(run, &physical, self.level)?)
                }
            };
            spill.put(batch, &others, table.last_hashes())?;
        }
        Ok(Batch { columns: batch.columns.clone(), rows: batch.rows, selection: Some(known) })
    }

    fn reset(&mut self) {
        self.groups = 0;
        (self.full, self.spill) = (false, None);
        self.rows.iter_mut().for_each(Column::clear);
        self.calls.iter_mut().for_each(AggCall::reset);
        match &mut self.grouping {
            Grouping::All => {}
            Grouping::Sorted { last, .. } => *last = None,
            Grouping::Hashed { table, .. } => table.clear(),
        }
    }

    fn take(&mut self, run: &mut Run<'_>, batch: &Batch) -> Result<()> {
        let mut groups: Vec<u32> = Vec::new();
        // The first row of each new group.
        let mut firsts: Vec<u32> = Vec::new();
        if self.full {
            let known = self.take_known(run, batch, &mut groups)?;
            return self.calls.iter_mut().try_for_each(|call| call.update(run, &known, &groups));
        }
        match &mut self.grouping {
            Grouping::All => {
                if self.groups == 0 {
                    self.groups = 1;
                    firsts.extend(batch.selected().iter().next().map(|i| i as u32));
                }
            }
            Grouping::Sorted { columns, eq, last } => {
                let cols = columns_of(batch, columns);
                groups.resize(batch.rows, 0);
                let mut previous: Option<usize> = None;
                for i in batch.selected().iter() {
                    let same = match (previous, &*last) {
                        (Some(p), _) => eq.rows_equal(run, &cols, p, &cols, i)?,
                        (None, Some(l)) => eq.rows_equal(run, &columns_of(l, columns), 0, &cols, i)?,
                        (None, None) => false,
                    };
                    if !same {
                        firsts.push(i as u32);
                        self.groups += 1;
                    }
                    groups[i] = self.groups as u32 - 1;
                    previous = Some(i);
                }
                if let Some(p) = previous {
                    let one =
                        Batch { columns: batch.columns.clone(), rows: batch.rows, selection: Some(vec![p as u32]) };
                    *last = Some(crate::append::compact(&one));
                }
            }
            Grouping::Hashed { columns, table } => {
                table.assign(run, &columns_of(batch, columns), batch.selected(), &mut groups)?;
                for i in batch.selected().iter() {
                    if groups[i] as usize == self.groups {
                        firsts.push(i as u32);
                        self.groups += 1;
                    }
                }
            }
        }
        if !firsts.is_empty() {
            for (c, from) in self.rows.iter_mut().zip(&batch.columns) {
                c.append(from, Rows::Some(&firsts));
            }
        }
        for call in &mut self.calls {
            call.resize(run, self.groups)?;
            call.update(run, batch, &groups)?;
        }
        if matches!(self.grouping, Grouping::Hashed { .. }) && AggSpill::is_possible(run, self.level) {
            self.full = self.memory() > hash_memory(run);
        }
        Ok(())
    }
}

impl Exec for AggExec {
    fn next<'a>(&'a mut self, run: &mut Run<'_>, max: usize) -> Result<Option<&'a Batch>> {
        if !self.filled {
            self.fill(run)?;
        }
        loop {
            let Some(set) = self.sets.get(self.at.0) else { return Ok(None) };
            if self.at.1 >= set.groups {
                if self.sets[self.at.0].next_part(run)? {
                    self.at.1 = 0;
                    self.note(run);
                } else {
                    self.at = (self.at.0 + 1, 0);
                }
                continue;
            }
            let (from, to) = (self.at.1, set.groups.min(self.at.1.saturating_add(max.min(1024))));
            self.emit(run, from, to)?;
            self.at.1 = to;
            if self.having.apply(run, &mut self.work)? > 0 {
                self.projection.apply(run, &self.work, &mut self.out)?;
                return Ok(Some(&self.out));
            }
        }
    }
    fn rescan(&mut self, run: &mut Run<'_>, changed: &[i32]) -> Result<()> {
        self.filled = false;
        self.input.rescan(run, changed)
    }
}
