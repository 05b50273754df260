//! Aggregate: groups its input and runs aggregate functions over each group: all of it (plain), by runs of equal keys
//! (sorted) or by hash; grouping sets run side by side.
//!
//! Hashed groups that outgrow `work_mem * hash_mem_multiplier` stay as they are, and rows of others wait in a file (`agg_spill.rs`).
//!
//! Output rows come in the order of the groups' first rows, which for sorted input is the sort order.

use std::sync::Arc;

use analyze::query::{Aggref, Expr};
use base::{PgError, Result};
use planner::{AggPhase, AggStrategy, GroupCol, Plan, PlanNode};
use types::{Batch, Column, Datum, DatumRef, Physical, Rows, SortKey};

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
    /// Which pass over the input it belongs to.
    phase: usize,
    /// Of sets that share a sorted pass: how many rows were seen, and at which each finished group ended.
    seen: u64,
    ends: Vec<u64>,
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
    /// Further passes: the order they want the input in.
    sorts: Vec<Vec<(usize, SortKey)>>,
    /// Groups of all sets in the order they are given out, by set and number; empty: set by set.
    order: Vec<(u32, u32)>,
    ordered: usize,
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
        let PlanNode::Agg { strategy, columns, phases, .. } = &plan.node else {
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
        let members: Vec<(usize, AggStrategy, Vec<usize>)> = match phases.is_empty() {
            true => vec![(0, *strategy, all.clone())],
            false => {
                let sets = |(n, p): (usize, &AggPhase)| {
                    let strategy = p.strategy;
                    let one = move |s: &Vec<i16>| (n, strategy, s.iter().map(|c| *c as usize).collect());
                    p.sets.iter().map(one).collect::<Vec<_>>()
                };
                phases.iter().enumerate().flat_map(sets).collect()
            }
        };
        let mut sorts = Vec::new();
        for p in phases {
            sorts.push(crate::sort::sort_keys(b, &p.sort)?);
        }
        let mut sets = Vec::new();
        for (phase, strategy, m) in members {
            let cols: Vec<&GroupCol> =
                m.iter().filter_map(|n| columns.iter().find(|c| c.column as usize == *n)).collect();
            let grouping = grouping(b, &input, strategy, &cols)?;
            let calls: Result<Vec<AggCall>> = aggs.iter().map(|a| AggCall::build(b, a, width)).collect();
            sets.push(Set {
                grouping,
                members: m,
                groups: 0,
                phase,
                seen: 0,
                ends: Vec::new(),
                rows: input.output.iter().map(|p| Column::new(*p)).collect(),
                calls: calls?,
                full: false,
                spill: None,
                level: 0,
                parts: Vec::new(),
                spilled: (0, 0, 0),
            });
        }
        let nullable = if phases.is_empty() { Vec::new() } else { all };
        Ok(AggExec {
            input,
            sets,
            computed,
            nullable,
            having,
            projection,
            filled: false,
            sorts,
            order: Vec::new(),
            ordered: 0,
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
        // Passes in other orders read a copy of the input.
        let copies = self.sorts.iter().any(|s| !s.is_empty());
        let mut copy: Vec<Column> = self.input.output.iter().map(|p| Column::new(*p)).collect();
        while let Some(batch) = self.input.next(run, usize::MAX)? {
            for set in &mut self.sets {
                if self.sorts.get(set.phase).is_none_or(Vec::is_empty) {
                    set.take(run, batch)?;
                }
            }
            if copies {
                for (c, from) in copy.iter_mut().zip(&batch.columns) {
                    c.append(from, batch.selected());
                }
            }
        }
        for (phase, keys) in self.sorts.iter().enumerate().filter(|s| !s.1.is_empty()) {
            for (c, _) in keys {
                crate::sort::detoast_column(run, &mut copy[*c])?;
            }
            let n = copy[keys[0].0].len();
            for part in crate::sort::sorted_order(&copy, n, keys, &run.cx.interrupt)?.chunks(1024) {
                run.cx.interrupt.check()?;
                let mut columns = Vec::with_capacity(copy.len());
                for c in &copy {
                    let mut column = Column::with_capacity(c.physical(), part.len());
                    column.append(c, Rows::Some(part));
                    columns.push(Arc::new(column));
                }
                let batch = Batch { columns, rows: part.len(), selection: None };
                for set in self.sets.iter_mut().filter(|s| s.phase == phase) {
                    set.take(run, &batch)?;
                }
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
        self.order_groups();
        (self.filled, self.at, self.ordered) = (true, (0, 0), 0);
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

    /// Sets that share a sorted pass give their groups out as they end, the finer ones first; hashed sets come last.
    fn order_groups(&mut self) {
        self.order.clear();
        if self.sorts.is_empty() {
            return;
        }
        let hashed = |s: &Set| matches!(s.grouping, Grouping::Hashed { .. });
        let mut all: Vec<(bool, usize, u64, usize, usize)> = Vec::new();
        for (i, s) in self.sets.iter().enumerate() {
            for g in 0..s.groups {
                all.push(match hashed(s) {
                    true => (true, i, 0, 0, g),
                    false => (false, s.phase, s.ends.get(g).copied().unwrap_or(u64::MAX), i, g),
                });
            }
        }
        all.sort_unstable();
        let place = |x: (bool, usize, u64, usize, usize)| (if x.0 { x.1 } else { x.3 } as u32, x.4 as u32);
        self.order = all.into_iter().map(place).collect();
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
        (self.work.rows, self.work.selection) = (to - from, None);
        for (what, physical) in &self.computed {
            let mut column = Column::new(*physical);
            match what {
                Computed::Call(i) => {
                    for g in from..to {
                        let v: Datum = set.calls[*i].result_over(run, g, &self.work, g - from)?;
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
        Ok(())
    }
}

fn grouping(b: &mut Builder<'_>, input: &Node, strategy: AggStrategy, columns: &[&GroupCol]) -> Result<Grouping> {
    if columns.is_empty() {
        return Ok(Grouping::All);
    }
    let numbers: Vec<usize> = columns.iter().map(|c| c.column as usize - 1).collect();
    let eq: Vec<_> = columns.iter().map(|c| (c.eqop, c.collation)).collect();
    let eq = KeyEq::for_operators(b.cx, &eq)?;
    if strategy == AggStrategy::Sorted {
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
        (self.groups, self.seen) = (0, 0);
        self.ends.clear();
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
                        if self.groups > 0 {
                            self.ends.push(self.seen);
                        }
                        self.groups += 1;
                    }
                    self.seen += 1;
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
            // The next groups of one set that stand together.
            if !self.sorts.is_empty() {
                let Some(&(set, group)) = self.order.get(self.ordered) else {
                    // Parts of hashed sets that waited.
                    let Some(i) = self.sets.iter().position(|s| !s.parts.is_empty()) else { return Ok(None) };
                    self.sets[i].next_part(run)?;
                    self.note(run);
                    self.order = (0..self.sets[i].groups as u32).map(|g| (i as u32, g)).collect();
                    self.ordered = 0;
                    continue;
                };
                let same = |(k, o): (usize, &(u32, u32))| *o == (set, group + k as u32);
                let rest = &self.order[self.ordered..];
                let n = rest.iter().enumerate().take(max.min(1024)).take_while(|x| same(*x)).count();
                self.ordered += n;
                self.at = (set as usize, group as usize);
                self.emit(run, group as usize, group as usize + n)?;
                if self.having.apply(run, &mut self.work)? > 0 {
                    self.projection.apply(run, &self.work, &mut self.out)?;
                    return Ok(Some(&self.out));
                }
                continue;
            }
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
