//! Sort: all input rows in memory, then in order; past `work_mem` in sorted runs in a temporary file that are merged. Under a
//! Limit only the first rows are kept.
//!
//! Equal rows come as in PostgreSQL where they are few (`quick_sort`); otherwise they keep the order they came in.
//!
//! PostgreSQL: `nodeSort.c`, `tuplesort.c`. Different here: rows stay in columns; what is sorted is eight bytes of the first key
//! and the row's number. Memory is counted as PostgreSQL counts it, so that a sort spills where it would there.

use std::cmp::Ordering;
use std::sync::Arc;

use base::Result;
use planner::{Plan, SortCol};
use types::{Batch, Bitmap, Column, ColumnData, Comparator, Datum, DatumRef, Physical, Rows, SortKey};

use crate::build::Builder;
use crate::expr::function::plain;
use crate::node::{Exec, Node, SortInfo};
use crate::quick_sort::{FEW, first_sorted, quick_sort};
use crate::spill::{BLOCK_ROWS, Block, SpillFile};
use crate::state::Run;

pub(crate) struct SortExec {
    input: Node,
    keys: Vec<(usize, SortKey)>,
    rows: Vec<Column>,
    order: Vec<u32>,
    at: usize,
    sorted: bool,
    /// Only the first so many rows are wanted.
    bound: Option<usize>,
    /// The input must start over before it is read.
    stale: bool,
    memory: Memory,
    merge: Option<Merge>,
    out: Batch,
}

/// The keys of sort columns.
pub(crate) fn sort_keys(b: &mut Builder<'_>, keys: &[SortCol]) -> Result<Vec<(usize, SortKey)>> {
    keys.iter().map(|k| Ok((k.column as usize - 1, b.cx.sort_key(k.sortop, k.collation, k.nulls_first)?))).collect()
}

/// What PostgreSQL would use for these rows: an array that doubles, and a tuple for each.
#[derive(Default)]
struct Memory {
    rows: usize,
    tuples: usize,
}

impl Memory {
    const FIRST: usize = 1024;
    const ENTRY: usize = 24;

    fn add(&mut self, columns: &[Arc<Column>], rows: Rows<'_>) {
        self.rows += rows.len();
        if let [one] = columns
            && one.physical() != Physical::Bytes
        {
            return;
        }
        let mut fixed = 16 + columns.len() / 8;
        for c in columns {
            match &c.data {
                ColumnData::W1(_) => fixed += 1,
                ColumnData::W2(_) => fixed += 2,
                ColumnData::W4(_) => fixed += 4,
                ColumnData::W8(_) => fixed += 8,
                ColumnData::Bytes(v) => {
                    let long = |n: usize| n + if n < 127 { 1 } else { 4 };
                    self.tuples += rows.iter().map(|i| long(v.views()[i].len())).sum::<usize>();
                }
            }
        }
        self.tuples += rows.len() * fixed.next_multiple_of(8);
    }
    fn bytes(&self) -> usize {
        self.rows.next_power_of_two().max(Memory::FIRST) * Memory::ENTRY + self.tuples
    }
}

impl SortExec {
    pub fn build(b: &mut Builder<'_>, plan: &Plan, keys: &[SortCol], _presorted: usize) -> Result<SortExec> {
        let input = b.outer(plan)?;
        let keys = sort_keys(b, keys)?;
        let rows = input.output.iter().map(|p| Column::new(*p)).collect();
        Ok(SortExec {
            input,
            keys,
            rows,
            order: Vec::new(),
            at: 0,
            sorted: false,
            bound: None,
            stale: false,
            memory: Memory::default(),
            merge: None,
            out: Batch::default(),
        })
    }

    fn fill(&mut self, run: &mut Run<'_>) -> Result<()> {
        if std::mem::take(&mut self.stale) {
            self.input.rescan(run, &[])?;
        }
        self.rows.iter_mut().for_each(Column::clear);
        (self.memory, self.merge) = (Memory::default(), None);
        let limit = (run.cx.settings.work_mem.max(64) as usize) * 1024;
        let mut runs: Vec<Vec<Block>> = Vec::new();
        let mut file: Option<SpillFile> = None;
        let (mut n, mut narrowed, mut kept) = (0, false, Vec::new());
        while let Some(batch) = self.input.next(run, usize::MAX)? {
            let mut rows = batch.selected();
            if narrowed {
                // The last of the first rows is known: what does not precede it is not wanted.
                kept.clear();
                let last = self.bound.unwrap_or(n).min(n) - 1;
                for i in rows.iter() {
                    if precedes(run, &self.keys, &batch.columns, i, &self.rows, last)? {
                        kept.push(i as u32);
                    }
                }
                rows = Rows::Some(&kept);
            }
            self.memory.add(&batch.columns, rows);
            for (column, from) in self.rows.iter_mut().zip(&batch.columns) {
                column.append(from, rows);
            }
            n += rows.len();
            if let Some(bound) = self.bound.filter(|b| file.is_none() && n > b.saturating_mul(2).max(FEW)) {
                self.sort_rows(run, n, None)?;
                self.keep_first(bound);
                (n, narrowed) = (bound, bound > 0);
            } else if self.memory.bytes() > limit && n > 0 && run.cx.txn.is_some() {
                self.sort_rows(run, n, None)?;
                let file = match &mut file {
                    Some(f) => f,
                    none => none.insert(SpillFile::create(run)?),
                };
                runs.push(self.write_run(run, file)?);
                (n, narrowed, self.memory) = (0, false, Memory::default());
            }
        }
        let seen_all = !narrowed && self.bound.is_none_or(|b| n <= b.saturating_mul(2));
        let whole = !narrowed && file.is_none();
        self.sort_rows(run, n, self.bound.filter(|_| whole))?;
        if let Some(mut file) = file {
            if n > 0 {
                runs.push(self.write_run(run, &mut file)?);
            }
            let method = if runs.len() == 1 { "external sort" } else { "external merge" };
            run.note(|i| i.sort = Some(SortInfo { method, kilobytes: file.kilobytes(), disk: true }));
            let physical: Vec<Physical> = self.rows.iter().map(Column::physical).collect();
            self.merge = Some(Merge::start(file, runs, &physical, &self.keys)?);
        } else {
            if let Some(bound) = self.bound {
                self.order.truncate(bound);
            }
            let kilobytes = match seen_all {
                true => self.memory.bytes().div_ceil(1024) as i64,
                // Of what was kept: a tuple of each of the first rows with its entry.
                false => {
                    let each = self.memory.tuples / self.memory.rows.max(1) + 8;
                    (Memory::FIRST.max(self.order.len() * 2) * Memory::ENTRY + self.order.len() * each).div_ceil(1024)
                        as i64
                }
            };
            let method = if seen_all { "quicksort" } else { "top-N heapsort" };
            run.note(|i| i.sort = Some(SortInfo { method, kilobytes: kilobytes.max(25), disk: false }));
            // What is given out then shares the bytes.
            for c in &mut self.rows {
                if let ColumnData::Bytes(b) = &mut c.data {
                    b.seal();
                }
            }
        }
        (self.sorted, self.at) = (true, 0);
        Ok(())
    }

    fn sort_rows(&mut self, run: &mut Run<'_>, n: usize, bound: Option<usize>) -> Result<()> {
        // Comparisons look inside values: fetch the toasted ones once.
        for (c, _) in &self.keys {
            detoast_column(run, &mut self.rows[*c])?;
        }
        self.order = if n <= FEW {
            few_sorted(&self.rows, n, &self.keys, bound)
        } else {
            sorted_order(&self.rows, n, &self.keys)
        }?;
        Ok(())
    }

    /// Forgets all but the first rows, which are then in order.
    fn keep_first(&mut self, bound: usize) {
        let first = &self.order[..bound.min(self.order.len())];
        for c in &mut self.rows {
            let mut column = Column::with_capacity(c.physical(), first.len());
            column.append(c, Rows::Some(first));
            *c = column;
        }
    }

    /// Writes the sorted rows and forgets them.
    fn write_run(&mut self, run: &mut Run<'_>, file: &mut SpillFile) -> Result<Vec<Block>> {
        let mut blocks = Vec::with_capacity(self.order.len() / BLOCK_ROWS + 1);
        for part in self.order.chunks(BLOCK_ROWS) {
            run.cx.interrupt.check()?;
            blocks.push(file.write(self.rows.iter(), Rows::Some(part))?);
        }
        self.order.clear();
        self.rows.iter_mut().for_each(Column::clear);
        Ok(blocks)
    }
}

/// Whether row `i` of a batch sorts before a kept row.
fn precedes(
    run: &mut Run<'_>,
    keys: &[(usize, SortKey)],
    batch: &[Arc<Column>],
    i: usize,
    kept: &[Column],
    last: usize,
) -> Result<bool> {
    for (c, key) in keys {
        let (a, b) = (batch[*c].get(i), kept[*c].get(last));
        let order = match a {
            DatumRef::Toasted(_) => key.compare(plain(run, a)?.as_ref(), b)?,
            a => key.compare(a, b)?,
        };
        if order != Ordering::Equal {
            return Ok(order == Ordering::Less);
        }
    }
    Ok(false)
}

/// Fetches the toasted values of a column.
pub(crate) fn detoast_column(run: &mut Run<'_>, column: &mut Column) -> Result<()> {
    if !matches!(&column.data, ColumnData::Bytes(b) if b.has_toasted()) {
        return Ok(());
    }
    for i in 0..column.len() {
        if let DatumRef::Toasted(b) = column.get(i) {
            let v: Datum = plain(run, DatumRef::Toasted(b))?;
            column.set(i, v.as_ref());
        }
    }
    Ok(())
}

fn compare_rows(keys: &[(usize, SortKey)], a: &[Column], i: usize, b: &[Column], j: usize) -> Result<Ordering> {
    for (c, key) in keys {
        let order = key.compare(a[*c].get(i), b[*c].get(j))?;
        if order != Ordering::Equal {
            return Ok(order);
        }
    }
    Ok(Ordering::Equal)
}

/// A value's first eight bytes so that they order as the values do; the flag: equal ones mean equal values.
fn prefixes(column: &Column, n: usize, comparator: &Comparator) -> Option<(Vec<u64>, bool)> {
    let float = |bits: u64| {
        // Minus zero equals zero; every NaN is the greatest.
        let f = f64::from_bits(bits);
        let bits = if f == 0.0 {
            0
        } else if f.is_nan() {
            f64::NAN.to_bits() & (u64::MAX >> 1)
        } else {
            bits
        };
        if bits >> 63 != 0 { !bits } else { bits | 1 << 63 }
    };
    Some(match (&column.data, comparator) {
        (ColumnData::W4(v), Comparator::Int4 | Comparator::Integer) => {
            (v[..n].iter().map(|x| (i64::from(*x) as u64) ^ (1 << 63)).collect(), true)
        }
        (ColumnData::W4(v), Comparator::Oid) => (v[..n].iter().map(|x| u64::from(*x as u32)).collect(), true),
        (ColumnData::W2(v), Comparator::Int2 | Comparator::Integer) => {
            (v[..n].iter().map(|x| (i64::from(*x) as u64) ^ (1 << 63)).collect(), true)
        }
        (ColumnData::W8(v), Comparator::Int8 | Comparator::Integer) => {
            (v[..n].iter().map(|x| (*x as u64) ^ (1 << 63)).collect(), true)
        }
        (ColumnData::W1(v), Comparator::Bool | Comparator::Char) => {
            (v[..n].iter().map(|x| u64::from(*x)).collect(), true)
        }
        (ColumnData::W8(v), Comparator::Float8) => (v[..n].iter().map(|x| float(*x as u64)).collect(), true),
        (ColumnData::W4(v), Comparator::Float4) => {
            (v[..n].iter().map(|x| float(f64::from(f32::from_bits(*x as u32)).to_bits())).collect(), true)
        }
        (ColumnData::Bytes(v), Comparator::Bytes) => {
            let first = |i: usize| {
                let (b, mut head) = (v.get(i), [0u8; 8]);
                let len = b.len().min(8);
                head[..len].copy_from_slice(&b[..len]);
                u64::from_be_bytes(head)
            };
            ((0..n).map(first).collect(), false)
        }
        _ => return None,
    })
}

/// The rows' numbers in order, or the first so many of them, equal rows as PostgreSQL's sort leaves them.
fn few_sorted(rows: &[Column], n: usize, keys: &[(usize, SortKey)], bound: Option<usize>) -> Result<Vec<u32>> {
    let mut order: Vec<u32> = (0..n as u32).collect();
    let Some((first, key)) = keys.first() else { return Ok(order) };
    let column = &rows[*first];
    let prefix = if column.validity.is_none() { prefixes(column, n, &key.comparator) } else { None };
    let (mut failed, descending) = (None, key.descending);
    let mut cmp = |a: &u32, b: &u32| {
        let (i, j) = (*a as usize, *b as usize);
        let mut rest = keys;
        if let Some((p, exact)) = &prefix {
            let order = p[i].cmp(&p[j]);
            if order.is_ne() {
                return if descending { order.reverse() } else { order };
            }
            if *exact {
                rest = &keys[1..];
            }
        }
        compare_rows(rest, rows, i, rows, j).unwrap_or_else(|e| {
            failed.get_or_insert(e);
            Ordering::Equal
        })
    };
    match bound {
        Some(bound) => first_sorted(&mut order, bound, &mut cmp),
        None => quick_sort(&mut order, &mut cmp),
    }
    failed.map_or(Ok(order), Err)
}

/// The rows' numbers in order. Where there are many, equal rows keep the order they came in.
pub(crate) fn sorted_order(rows: &[Column], n: usize, keys: &[(usize, SortKey)]) -> Result<Vec<u32>> {
    if n <= FEW {
        return few_sorted(rows, n, keys, None);
    }
    let Some((first, key)) = keys.first() else { return Ok((0..n as u32).collect()) };
    let mut failed = None;
    let mut by_keys = |keys: &[(usize, SortKey)], a: u32, b: u32| {
        let order = compare_rows(keys, rows, a as usize, rows, b as usize).unwrap_or_else(|e| {
            failed.get_or_insert(e);
            Ordering::Equal
        });
        order.then(a.cmp(&b))
    };
    let column = &rows[*first];
    let Some((prefix, exact)) = prefixes(column, n, &key.comparator) else {
        let mut order: Vec<u32> = (0..n as u32).collect();
        // Not the unstable one: a comparison that failed is no total order, which that one may take ill.
        order.sort_by(|a, b| by_keys(keys, *a, *b));
        return failed.map_or(Ok(order), Err);
    };
    let flip = if key.descending { u64::MAX } else { 0 };
    let null = |i: u32| column.validity.as_ref().is_some_and(|v: &Bitmap| !v.get(i as usize));
    let mut entries: Vec<(u64, u32)> =
        prefix.iter().zip(0..n as u32).filter(|(_, i)| !null(*i)).map(|(p, i)| (p ^ flip, i)).collect();
    drop(prefix);
    let rest = if exact { &keys[1..] } else { keys };
    match rest.is_empty() {
        true => entries.sort_unstable(),
        false => entries.sort_by(|a, b| a.0.cmp(&b.0).then_with(|| by_keys(rest, a.1, b.1))),
    }
    let mut nulls: Vec<u32> = match column.validity {
        Some(_) => (0..n as u32).filter(|i| null(*i)).collect(),
        None => Vec::new(),
    };
    if keys.len() > 1 {
        nulls.sort_by(|a, b| by_keys(&keys[1..], *a, *b));
    }
    if let Some(e) = failed {
        return Err(e);
    }
    let values = entries.iter().map(|e| e.1);
    Ok(match key.nulls_first {
        true => nulls.into_iter().chain(values).collect(),
        false => values.chain(nulls).collect(),
    })
}

/// Sorted runs in a file, read side by side.
struct Merge {
    file: SpillFile,
    physical: Vec<Physical>,
    runs: Vec<Vec<Block>>,
    /// Of each run: the rows at hand, the next row, the next block.
    heads: Vec<(Vec<Column>, usize, usize)>,
    /// Runs that have rows, the least first. Equal ones in the order of the runs.
    heap: Vec<usize>,
}

impl Merge {
    fn start(
        file: SpillFile,
        runs: Vec<Vec<Block>>,
        physical: &[Physical],
        keys: &[(usize, SortKey)],
    ) -> Result<Merge> {
        let mut m = Merge { file, physical: physical.to_vec(), runs, heads: Vec::new(), heap: Vec::new() };
        m.rewind(keys)?;
        Ok(m)
    }
    fn rewind(&mut self, keys: &[(usize, SortKey)]) -> Result<()> {
        self.heads.clear();
        for run in &self.runs {
            self.heads.push((self.file.read(run[0], &self.physical)?, 0, 1));
        }
        self.heap = (0..self.runs.len()).collect();
        for i in (0..self.heap.len() / 2).rev() {
            self.sift(keys, i)?;
        }
        Ok(())
    }
    fn before(&self, keys: &[(usize, SortKey)], a: usize, b: usize) -> Result<bool> {
        let (x, y) = (&self.heads[a], &self.heads[b]);
        Ok(compare_rows(keys, &x.0, x.1, &y.0, y.1)?.then(a.cmp(&b)) == Ordering::Less)
    }
    fn sift(&mut self, keys: &[(usize, SortKey)], mut i: usize) -> Result<()> {
        loop {
            let mut least = i;
            for child in [2 * i + 1, 2 * i + 2] {
                if child < self.heap.len() && self.before(keys, self.heap[child], self.heap[least])? {
                    least = child;
                }
            }
            if least == i {
                return Ok(());
            }
            self.heap.swap(i, least);
            i = least;
        }
    }
    /// The next rows, up to `max`.
    fn next(&mut self, keys: &[(usize, SortKey)], max: usize) -> Result<(Vec<Column>, usize)> {
        let mut out: Vec<Column> = self.physical.iter().map(|p| Column::with_capacity(*p, max)).collect();
        let mut n = 0;
        while n < max {
            let Some(&least) = self.heap.first() else { break };
            let (columns, row, next) = &mut self.heads[least];
            for (to, from) in out.iter_mut().zip(&*columns) {
                to.push(from.get(*row));
            }
            (n, *row) = (n + 1, *row + 1);
            let blocks = &self.runs[least];
            if *row == blocks[*next - 1].rows {
                if *next < blocks.len() {
                    *columns = self.file.read(blocks[*next], &self.physical)?;
                    (*row, *next) = (0, *next + 1);
                } else {
                    columns.clear();
                    self.heap.swap_remove(0);
                }
            }
            self.sift(keys, 0)?;
        }
        Ok((out, n))
    }
}

impl Exec for SortExec {
    fn next<'a>(&'a mut self, run: &mut Run<'_>, max: usize) -> Result<Option<&'a Batch>> {
        if !self.sorted {
            self.fill(run)?;
        }
        self.out.columns.clear();
        let n = match &mut self.merge {
            Some(merge) => {
                let (columns, n) = merge.next(&self.keys, max.min(BLOCK_ROWS))?;
                self.out.columns.extend(columns.into_iter().map(Arc::new));
                n
            }
            None => {
                let to = self.order.len().min(self.at.saturating_add(max.min(BLOCK_ROWS)));
                let rows = &self.order[self.at.min(to)..to];
                for c in &self.rows {
                    let mut column = Column::with_capacity(c.physical(), rows.len());
                    column.append(c, Rows::Some(rows));
                    self.out.columns.push(Arc::new(column));
                }
                self.at = to;
                rows.len()
            }
        };
        (self.out.rows, self.out.selection) = (n, None);
        Ok((n > 0).then_some(&self.out))
    }
    fn rescan(&mut self, run: &mut Run<'_>, changed: &[i32]) -> Result<()> {
        self.at = 0;
        if self.sorted && !self.input.depends_on(changed) {
            if let Some(merge) = &mut self.merge {
                merge.rewind(&self.keys)?;
            }
            return Ok(());
        }
        (self.sorted, self.stale) = (false, false);
        self.input.rescan(run, changed)
    }
    fn set_bound(&mut self, bound: Option<usize>) {
        if self.sorted && self.bound != bound && self.bound.is_some() {
            // Rows that are wanted now were thrown away.
            (self.sorted, self.stale) = (false, true);
        }
        self.bound = bound;
    }
}
