//! ANALYZE of one table: a sample of its rows becomes the planner's statistics.
//!
//! 1. [`sample`] picks blocks at random, and rows of them at random: 300 for each unit of the statistics target.
//! 2. [`scalar`] makes a column's statistics of them: most common values, histogram, correlation, distinct values.
//! 3. Index expressions and statistics objects (`extended_stats.rs`) are computed over the same rows.
//! 4. The results replace the rows in `pg_statistic`; sizes go into `pg_class`.
//!
//! PostgreSQL: `analyze.c` (`do_analyze_rel`, `acquire_sample_rows`, `compute_scalar_stats`). The number of distinct values
//! is estimated as Haas and Stokes propose (IBM Research Report RJ 10025, 1998).

use access::heap::{HeapScan, ScanOptions};
use access::index::{BlockRange, Direction};
use access::tuple::varlena::raw_len;
use access::tuple::{Projection, Wanted};
use analyze::query::Expr;
use base::guc;
use base::sqlstate::*;
use base::{BlockNumber, Oid, PgError, Result};
use catalog::{PgAttribute, PgStatistic, Relation, oids, relkind};
use executor::ExecContext;
use executor::row_expr::RowExprs;
use types::array::{ElementType, build_vector};
use types::{Comparator, Datum, DatumRef, Runtime, TypeInfo};

use crate::extended_stats::Objects;
use crate::{CommandContext, vacuum};

/// Values longer than this are not compared. (PostgreSQL: `WIDTH_THRESHOLD`)
const WIDTH_THRESHOLD: usize = 1024;

const KIND_MCV: i16 = 1;
const KIND_HISTOGRAM: i16 = 2;
const KIND_CORRELATION: i16 = 3;

/// A small generator of random numbers (xorshift), good enough to choose rows.
struct Random(u64);

impl Random {
    fn new() -> Random {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        Random(now.map_or(1, |d| d.as_nanos() as u64) | 1)
    }
    /// At least 0, less than 1.
    fn next(&mut self) -> f64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as f64 / (1u64 << 53) as f64
    }
    fn below(&mut self, n: usize) -> usize {
        ((self.next() * n as f64) as usize).min(n.saturating_sub(1))
    }
}

/// A column that is looked at.
struct Column {
    attribute: PgAttribute,
    target: usize,
    info: std::sync::Arc<TypeInfo>,
}

/// Sampled rows in the order they lie in the table, and what they say about its size.
struct Sample {
    rows: Vec<Vec<Datum>>,
    total_rows: f64,
    pages: u32,
}

/// Expressions over a table's rows: those of an index or of a statistics object.
pub(crate) struct Expressions {
    list: Vec<Expr>,
    compiled: RowExprs,
}

impl Expressions {
    pub fn new(cx: &mut ExecContext, rel: &Relation, list: Vec<Expr>) -> Result<Expressions> {
        Ok(Expressions { compiled: RowExprs::new(cx, rel.oid, &list, &[])?, list })
    }
    pub fn list(&self) -> &[Expr] {
        &self.list
    }
    /// The expressions' values by expression, then by row.
    pub fn values(&mut self, cx: &mut ExecContext, rows: &[Vec<Datum>]) -> Result<Vec<Vec<Datum>>> {
        let mut out: Vec<Vec<Datum>> = self.list.iter().map(|_| Vec::with_capacity(rows.len())).collect();
        for row in rows {
            for (list, v) in out.iter_mut().zip(self.compiled.values(cx, row)?) {
                list.push(v);
            }
        }
        Ok(out)
    }
}

/// Statistics of an expression's values.
pub(crate) fn expression_statistics(
    cmd: &mut CommandContext<'_>,
    e: &Expr,
    values: &[Datum],
    total_rows: f64,
    target: usize,
) -> Result<Option<PgStatistic>> {
    let column = expression_column(cmd, e, Oid::INVALID, 0, target)?;
    let refs: Vec<DatumRef<'_>> = values.iter().map(Datum::as_ref).collect();
    statistics(cmd, &column, &refs, total_rows)
}

/// An expression as if it were a column.
fn expression_column(
    cmd: &mut CommandContext<'_>,
    e: &Expr,
    relation: Oid,
    number: i16,
    target: usize,
) -> Result<Column> {
    let ty = e.type_mod();
    let row = cmd.cx.catalog.type_row(ty.oid)?;
    let mut attribute = catalog::ddl::new_attribute("expr", &row, ty.typmod, ty.collation);
    (attribute.attrelid, attribute.attnum) = (relation, number);
    Ok(Column { attribute, target, info: cmd.cx.type_info(ty.oid)? })
}

/// The table's indexes over expressions: index, column numbers, the expressions and the index's predicate.
type IndexExpressions = (Oid, Vec<i16>, Expressions, Option<RowExprs>);

fn index_expressions(cmd: &mut CommandContext<'_>, rel: &Relation) -> Result<Vec<IndexExpressions>> {
    let mut out = Vec::new();
    for index in &rel.indexes {
        let entry = cmd.cx.catalog.relation_entry(*index)?;
        let Some(info) = &entry.index else { continue };
        let Some(text) = &info.expressions else { continue };
        let list = analyze::nodes::read_exprs(text, &cmd.cx.catalog)?;
        let keys = info.columns.iter().take(info.key_count).enumerate();
        let numbers = keys.filter(|k| *k.1 == 0).map(|k| k.0 as i16 + 1).collect();
        let predicate = match &info.predicate {
            Some(text) => {
                let quals = analyze::nodes::read_exprs(text, &cmd.cx.catalog)?;
                Some(RowExprs::new(cmd.cx, rel.oid, &[], &quals)?)
            }
            None => None,
        };
        out.push((*index, numbers, Expressions::new(cmd.cx, rel, list)?, predicate));
    }
    Ok(out)
}

/// Samples the table and writes `pg_statistic` and `pg_class`; `columns` empty: all. Returns how many rows it has, estimated.
pub fn analyze(cmd: &mut CommandContext<'_>, rel: &Relation, names: &[String]) -> Result<f64> {
    let columns = chosen(cmd, rel, names)?;
    let mut objects = Objects::of(cmd, rel)?;
    // Indexes are looked at when all columns are.
    let mut indexes = if names.is_empty() { index_expressions(cmd, rel)? } else { Vec::new() };
    let target = columns.iter().map(|c| c.target).max().unwrap_or(0).max(1);
    let sample = sample(cmd, rel, &columns, target * 300)?;
    for (i, column) in columns.iter().enumerate() {
        let values: Vec<DatumRef<'_>> = sample.rows.iter().map(|r| r[i].as_ref()).collect();
        let stats = statistics(cmd, column, &values, sample.total_rows)?;
        if let Some(row) = stats {
            store(cmd, row)?;
        }
    }
    if !indexes.is_empty() || !rel.statistics.is_empty() {
        let rows = whole_rows(rel, &columns, &sample);
        for (index, numbers, exprs, predicate) in &mut indexes {
            let mut part = Vec::new();
            for row in &rows {
                if predicate.as_mut().map_or(Ok(true), |p| p.test(cmd.cx, row))? {
                    part.push(row.clone());
                }
            }
            let share = part.len() as f64 / rows.len().max(1) as f64;
            let values = exprs.values(cmd.cx, &part)?;
            for ((number, e), v) in numbers.iter().zip(exprs.list().to_vec()).zip(&values) {
                let column = expression_column(cmd, &e, *index, *number, target)?;
                let refs: Vec<DatumRef<'_>> = v.iter().map(Datum::as_ref).collect();
                let total = (sample.total_rows * share).ceil();
                if let Some(row) = statistics(cmd, &column, &refs, total)? {
                    store(cmd, row)?;
                }
            }
        }
        let targets: Vec<(i16, Option<usize>)> = columns
            .iter()
            .map(|c| (c.attribute.attnum, c.attribute.attstattarget.map(|_| c.target)))
            .collect();
        objects.build(cmd, rel, &targets, &rows, sample.total_rows, false)?;
    }
    let (pages, rows) = (sample.pages, sample.total_rows);
    vacuum::update_class(cmd, rel.oid, |row| {
        row.relpages = pages as i32;
        row.reltuples = rows as f32;
        row.relhasindex = !rel.indexes.is_empty();
    })?;
    for index in &rel.indexes {
        let access = cmd.cx.catalog.index(*index)?;
        let pages = access.am.pages(cmd.cx.txn()?, &access)?;
        let partial = cmd.cx.catalog.relation_entry(*index)?.index.as_ref().is_some_and(|i| i.predicate.is_some());
        vacuum::update_class(cmd, *index, |row| {
            row.relpages = pages as i32;
            // How many rows satisfy a predicate is not sampled: what the last build or VACUUM counted stays.
            if !partial {
                row.reltuples = rows as f32;
            }
        })?;
    }
    cmd.cx.catalog.command_counter_increment()?;
    Ok(rows)
}

/// The sampled rows with their columns at their places; null where a column was not looked at.
fn whole_rows(rel: &Relation, columns: &[Column], sample: &Sample) -> Vec<Vec<Datum>> {
    let whole = |row: &Vec<Datum>| {
        let mut out = vec![Datum::Null; rel.desc.len()];
        for (c, v) in columns.iter().zip(row) {
            out[c.attribute.attnum as usize - 1] = v.clone();
        }
        out
    };
    sample.rows.iter().map(whole).collect()
}

/// Statistics of a table together with all that descend from it. (PostgreSQL: `acquire_inherited_sample_rows`)
pub fn analyze_tree(cmd: &mut CommandContext<'_>, rel: &Relation, columns: &[String]) -> Result<()> {
    let columns = chosen(cmd, rel, columns)?;
    let target = columns.iter().map(|c| c.target).max().unwrap_or(0).max(1) * 300;
    let mut members = Vec::new();
    let mut pages = 0.0;
    for oid in crate::partition::tree::inheritors(cmd, rel.oid, Some(txn::LockMode::AccessShare))? {
        let entry = cmd.cx.catalog.relation_entry(oid)?;
        if !matches!(entry.kind(), relkind::TABLE | relkind::MATERIALIZED_VIEW) {
            continue;
        }
        let blocks = f64::from(cmd.cx.catalog.heap_of(&entry)?.nblocks(cmd.cx.txn()?)?);
        pages += blocks;
        members.push((entry, blocks));
    }
    if members.len() < 2 && rel.kind() != relkind::PARTITIONED_TABLE {
        return Ok(());
    }
    let (mut rows, mut total_rows) = (Vec::new(), 0.0);
    for (entry, blocks) in members.iter().filter(|m| m.1 > 0.0) {
        let mut own = Vec::new();
        for c in &columns {
            let n = crate::name::column(entry, &c.attribute.attname)?;
            let attribute = entry.attributes[n as usize - 1].clone();
            own.push(Column { attribute, target: c.target, info: c.info.clone() });
        }
        let share = ((target as f64 * blocks / pages).round() as usize).max(1);
        let sample = sample(cmd, entry, &own, share)?;
        total_rows += sample.total_rows;
        rows.extend(sample.rows);
    }
    for (i, column) in columns.iter().enumerate() {
        let values: Vec<DatumRef<'_>> = rows.iter().map(|r| r[i].as_ref()).collect();
        if let Some(row) = statistics(cmd, column, &values, total_rows)? {
            store(cmd, PgStatistic { stainherit: true, ..row })?;
        }
    }
    if rel.kind() == relkind::PARTITIONED_TABLE {
        vacuum::update_class(cmd, rel.oid, |row| {
            (row.relpages, row.reltuples) = (-1, total_rows as f32);
        })?;
    }
    cmd.cx.catalog.command_counter_increment()
}

fn chosen(cmd: &mut CommandContext<'_>, rel: &Relation, names: &[String]) -> Result<Vec<Column>> {
    let default = usize::try_from(cmd.session.values().int(guc::DEFAULT_STATISTICS_TARGET)).unwrap_or(100);
    let mut numbers: Vec<i16> = Vec::new();
    for name in names {
        let n = crate::name::column(rel, name)?;
        if numbers.contains(&n) {
            let text = format!("column \"{name}\" of relation \"{}\" appears more than once", rel.name());
            return Err(PgError::new(DUPLICATE_COLUMN, text));
        }
        numbers.push(n);
    }
    let mut out = Vec::new();
    for a in &rel.attributes {
        let wanted = names.is_empty() || numbers.contains(&a.attnum);
        let target = a.attstattarget.map_or(default, |t| usize::try_from(t).unwrap_or(default));
        if a.attisdropped || a.attgenerated == b'v' || !wanted || target == 0 || a.attnum <= 0 {
            continue;
        }
        let info = cmd.cx.type_info(a.atttypid)?;
        out.push(Column { attribute: a.clone(), target, info });
    }
    Ok(out)
}

/// (PostgreSQL: `acquire_sample_rows`)
fn sample(cmd: &mut CommandContext<'_>, rel: &Relation, columns: &[Column], wanted: usize) -> Result<Sample> {
    let txn = cmd.cx.txn()?.clone();
    let heap = cmd.cx.catalog.heap_of(rel)?;
    let pages = heap.nblocks(&txn)?;
    let snapshot = cmd.cx.snapshot.clone().ok_or_else(|| PgError::internal("ANALYZE without a snapshot"))?;
    let attrs: Vec<Wanted> = columns.iter().map(|c| Wanted::from_attnum(c.attribute.attnum)).collect();
    let projection = Projection::new(&heap.layout, &attrs);
    let mut random = Random::new();
    let (mut seen, mut blocks_read) = (0usize, 0u32);
    let mut kept: Vec<(usize, Vec<Datum>)> = Vec::new();
    for (start, end) in block_ranges(pages, wanted, &mut random) {
        blocks_read += end - start;
        let range = BlockRange { start: BlockNumber(start), end: BlockNumber(end) };
        let options = ScanOptions { range: Some(range), ..ScanOptions::default() };
        let mut scan = HeapScan::new(heap.clone(), &txn, snapshot.clone(), projection.clone(), options)?;
        loop {
            cmd.cx.interrupt.check()?;
            let mut batch = projection.columns(&heap.layout);
            let n = scan.next(&txn, Direction::Forward, 1024, &mut batch, None)?;
            if n == 0 {
                break;
            }
            for r in 0..n {
                let row = || batch.iter().map(|c| c.get(r).to_owned()).collect();
                // Each row seen so far is in the sample with the same probability.
                if kept.len() < wanted {
                    kept.push((seen, row()));
                } else {
                    let k = random.below(seen + 1);
                    if k < wanted {
                        kept[k] = (seen, row());
                    }
                }
                seen += 1;
            }
        }
    }
    kept.sort_unstable_by_key(|(position, _)| *position);
    let total_rows =
        if blocks_read == 0 { 0.0 } else { (seen as f64 / f64::from(blocks_read) * f64::from(pages) + 0.5).floor() };
    Ok(Sample { rows: kept.into_iter().map(|(_, row)| row).collect(), total_rows, pages })
}

/// The blocks to read, ascending, neighbours together: all, or as many as rows are wanted, each equally likely.
/// (PostgreSQL: `BlockSampler_Next`; Knuth's algorithm S)
fn block_ranges(pages: u32, wanted: usize, random: &mut Random) -> Vec<(u32, u32)> {
    if pages as usize <= wanted {
        return if pages == 0 { Vec::new() } else { vec![(0, pages)] };
    }
    let mut out: Vec<(u32, u32)> = Vec::new();
    let mut left = wanted;
    for block in 0..pages {
        let remaining = f64::from(pages - block);
        if left > 0 && random.next() * remaining < left as f64 {
            left -= 1;
            match out.last_mut() {
                Some((_, end)) if *end == block => *end += 1,
                _ => out.push((block, block + 1)),
            }
        }
    }
    out
}

/// What is known of a column before its kind of statistics is.
struct Basics {
    null_fraction: f64,
    width: i32,
    distinct: f64,
}

fn empty_row(column: &Column, basics: &Basics) -> PgStatistic {
    PgStatistic {
        starelid: column.attribute.attrelid,
        staattnum: column.attribute.attnum,
        stainherit: false,
        stanullfrac: basics.null_fraction as f32,
        stawidth: basics.width,
        stadistinct: basics.distinct as f32,
        stakind1: 0,
        stakind2: 0,
        stakind3: 0,
        stakind4: 0,
        stakind5: 0,
        staop1: Oid::INVALID,
        staop2: Oid::INVALID,
        staop3: Oid::INVALID,
        staop4: Oid::INVALID,
        staop5: Oid::INVALID,
        stacoll1: Oid::INVALID,
        stacoll2: Oid::INVALID,
        stacoll3: Oid::INVALID,
        stacoll4: Oid::INVALID,
        stacoll5: Oid::INVALID,
        stanumbers1: None,
        stanumbers2: None,
        stanumbers3: None,
        stanumbers4: None,
        stanumbers5: None,
        stavalues1: None,
        stavalues2: None,
        stavalues3: None,
        stavalues4: None,
        stavalues5: None,
    }
}

/// The bytes a value takes in a row. (PostgreSQL: `VARSIZE_ANY`)
fn stored_len(v: DatumRef<'_>) -> usize {
    match v {
        DatumRef::Toasted(b) => b.len(),
        DatumRef::Bytes(b) => b.len() + if b.len() <= 126 { 1 } else { 4 },
        _ => 0,
    }
}

/// A column's row for `pg_statistic`; `None` if there was nothing to look at.
fn statistics(
    cmd: &mut CommandContext<'_>,
    column: &Column,
    values: &[DatumRef<'_>],
    total_rows: f64,
) -> Result<Option<PgStatistic>> {
    if values.is_empty() {
        return Ok(None);
    }
    let mut plain: Vec<(Datum, usize)> = Vec::new();
    let (mut nulls, mut width, mut too_wide) = (0usize, 0usize, 0usize);
    for v in values {
        match v {
            DatumRef::Null => {
                nulls += 1;
                continue;
            }
            DatumRef::Toasted(b) => {
                width += stored_len(*v);
                if raw_len(b) > WIDTH_THRESHOLD {
                    too_wide += 1;
                    continue;
                }
                let bytes = cmd.cx.detoast(b)?;
                plain.push((Datum::bytes(bytes), plain.len()));
            }
            v => {
                width += stored_len(*v);
                if column.info.len < 0 && stored_len(*v) > WIDTH_THRESHOLD {
                    too_wide += 1;
                    continue;
                }
                plain.push(((*v).to_owned(), plain.len()));
            }
        }
    }
    let non_null = values.len() - nulls;
    let width = match column.info.len {
        len if len > 0 => i32::from(len),
        _ if non_null == 0 => 0,
        _ => (width as f64 / non_null as f64) as i32,
    };
    let mut basics = Basics { null_fraction: nulls as f64 / values.len() as f64, width, distinct: 0.0 };
    if non_null == 0 {
        return Ok(Some(empty_row(column, &basics)));
    }
    if !is_ordered(cmd, column.attribute.atttypid)? {
        return Ok(Some(empty_row(column, &basics)));
    }
    if plain.is_empty() {
        // All too wide: they are assumed to be distinct.
        basics.distinct = -(1.0 - basics.null_fraction);
        return Ok(Some(empty_row(column, &basics)));
    }
    let collation = column.attribute.attcollation;
    let key = cmd.cx.sort_key_for_type(column.attribute.atttypid, collation)?;
    let counts = Counts { sampled: values.len(), nulls, too_wide, total_rows };
    let found = scalar(&key.comparator, plain, &counts, basics.null_fraction, column.target)?;
    basics.distinct = found.distinct;
    let mut row = empty_row(column, &basics);
    fill(&mut row, column, &found)?;
    Ok(Some(row))
}

/// Whether the type's values can be compared: an array's if its elements can, a row's are not looked at.
fn is_ordered(cmd: &mut CommandContext<'_>, type_oid: Oid) -> Result<bool> {
    let (base, _) = cmd.cx.catalog.base_type(type_oid, -1)?;
    let info = cmd.cx.type_info(base)?;
    if !info.cmp_proc.is_valid() || info.typtype == b'c' || info.typtype == b'p' {
        return Ok(false);
    }
    match (info.category, info.elem.valid()) {
        (b'A', Some(element)) => is_ordered(cmd, element),
        _ => Ok(true),
    }
}

struct Counts {
    sampled: usize,
    nulls: usize,
    too_wide: usize,
    total_rows: f64,
}

/// What [`scalar`] finds.
struct Scalar {
    distinct: f64,
    /// Value and share.
    common: Vec<(Datum, f32)>,
    histogram: Vec<Datum>,
    correlation: Option<f32>,
}

/// Statistics of values that have an order. (PostgreSQL: `compute_scalar_stats`)
fn scalar(
    order: &Comparator,
    mut values: Vec<(Datum, usize)>,
    counts: &Counts,
    null_fraction: f64,
    target: usize,
) -> Result<Scalar> {
    let mut failed = None;
    values.sort_by(|a, b| {
        let by_value = order.compare(a.0.as_ref(), b.0.as_ref());
        by_value.unwrap_or_else(|e| {
            failed = Some(e);
            std::cmp::Ordering::Equal
        })
    });
    if let Some(e) = failed {
        return Err(e);
    }
    // Runs of equal values: first and length.
    let mut runs: Vec<(usize, usize)> = Vec::new();
    for i in 0..values.len() {
        match runs.last_mut() {
            Some((first, n)) if order.compare(values[*first].0.as_ref(), values[i].0.as_ref())?.is_eq() => *n += 1,
            _ => runs.push((i, 1)),
        }
    }
    let distinct_seen = runs.len();
    let mut repeated: Vec<(usize, usize)> = runs.iter().filter(|r| r.1 > 1).copied().collect();
    let repeated_seen = repeated.len();
    let distinct = distinct_values(distinct_seen, repeated_seen, counts, null_fraction);

    repeated.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(&b.0)));
    repeated.truncate(target);
    let all = repeated.len() == distinct_seen && counts.too_wide == 0 && distinct > 0.0;
    if !all {
        let lengths: Vec<usize> = repeated.iter().map(|r| r.1).collect();
        repeated.truncate(worthwhile(&lengths, distinct, null_fraction, counts));
    }
    let share = |n: usize| (n as f64 / counts.sampled as f64) as f32;
    let common = repeated.iter().map(|(first, n)| (values[*first].0.clone(), share(*n))).collect();

    let mut histogram = Vec::new();
    let bounds = distinct_seen.saturating_sub(repeated.len()).min(target + 1);
    if bounds >= 2 {
        let is_common = |first: usize| repeated.iter().any(|r| r.0 == first);
        let rest: Vec<usize> =
            runs.iter().filter(|r| !is_common(r.0)).flat_map(|(first, n)| *first..*first + *n).collect();
        for i in 0..bounds {
            histogram.push(values[rest[i * (rest.len() - 1) / (bounds - 1)]].0.clone());
        }
    }
    Ok(Scalar { distinct, common, histogram, correlation: correlation(&values) })
}

/// How the physical order follows that of the values: 1 is the same, -1 the reverse.
fn correlation(values: &[(Datum, usize)]) -> Option<f32> {
    if values.len() < 2 {
        return None;
    }
    let n = values.len() as f64;
    let xy: f64 = values.iter().enumerate().map(|(i, (_, place))| i as f64 * *place as f64).sum();
    let sum = (n - 1.0) * n / 2.0;
    let squares = (n - 1.0) * n * (2.0 * n - 1.0) / 6.0;
    Some(((n * xy - sum * sum) / (n * squares - sum * sum)) as f32)
}

/// The number of distinct values in the table; negative: as a share of its rows.
fn distinct_values(seen: usize, repeated: usize, c: &Counts, null_fraction: f64) -> f64 {
    let found = if repeated == 0 {
        return -(1.0 - null_fraction);
    } else if c.too_wide == 0 && repeated == seen {
        seen as f64
    } else {
        let once = (seen - repeated + c.too_wide) as f64;
        let d = once + repeated as f64;
        let n = (c.sampled - c.nulls) as f64;
        let total = c.total_rows * (1.0 - null_fraction);
        let estimate = if total > 0.0 { n * d / ((n - once) + once * n / total) } else { 0.0 };
        (estimate.max(d).min(total) + 0.5).floor()
    };
    if found > 0.1 * c.total_rows { -(found / c.total_rows) } else { found }
}

/// How many of the most common values stand out from the rest enough to be listed. (PostgreSQL: `analyze_mcv_list`)
fn worthwhile(lengths: &[usize], distinct: f64, null_fraction: f64, c: &Counts) -> usize {
    let (n, total) = (c.sampled as f64, c.total_rows);
    if n == total || total <= 1.0 {
        return lengths.len();
    }
    let distinct = if distinct < 0.0 { -distinct * total } else { distinct };
    let mut count = lengths.len();
    let mut others: f64 = lengths.iter().rev().skip(1).map(|l| *l as f64).sum();
    while count > 0 {
        let last = lengths[count - 1] as f64;
        let mut selectivity = (1.0 - others / n - null_fraction).clamp(0.0, 1.0);
        let other_distinct = distinct - (count - 1) as f64;
        if other_distinct > 1.0 {
            selectivity /= other_distinct;
        }
        let k = total * last / n;
        let variance = n * k * (total - k) * (total - n) / (total * total * (total - 1.0));
        if last > selectivity * n + 2.0 * variance.sqrt() + 0.5 {
            break;
        }
        count -= 1;
        if count > 0 {
            others -= lengths[count - 1] as f64;
        }
    }
    count
}

fn fill(row: &mut PgStatistic, column: &Column, found: &Scalar) -> Result<()> {
    let element = ElementType::of(&column.info);
    let array = |values: &mut dyn Iterator<Item = &Datum>| {
        let refs: Vec<DatumRef<'_>> = values.map(Datum::as_ref).collect();
        build_vector(&element, &refs)
    };
    let collation = column.attribute.attcollation;
    let mut slot = 0;
    let mut next = |kind, operator, numbers: Option<Vec<f32>>, values: Option<Datum>| {
        slot += 1;
        let (k, o, c, n, v) = match slot {
            1 => (&mut row.stakind1, &mut row.staop1, &mut row.stacoll1, &mut row.stanumbers1, &mut row.stavalues1),
            2 => (&mut row.stakind2, &mut row.staop2, &mut row.stacoll2, &mut row.stanumbers2, &mut row.stavalues2),
            _ => (&mut row.stakind3, &mut row.staop3, &mut row.stacoll3, &mut row.stanumbers3, &mut row.stavalues3),
        };
        (*k, *o, *c, *n, *v) = (kind, operator, collation, numbers, values);
    };
    if !found.common.is_empty() {
        let shares = found.common.iter().map(|c| c.1).collect();
        let values = array(&mut found.common.iter().map(|c| &c.0))?;
        next(KIND_MCV, column.info.eq_opr, Some(shares), Some(values));
    }
    if !found.histogram.is_empty() {
        let values = array(&mut found.histogram.iter())?;
        next(KIND_HISTOGRAM, column.info.lt_opr, None, Some(values));
    }
    if let Some(correlation) = found.correlation {
        next(KIND_CORRELATION, column.info.lt_opr, Some(vec![correlation]), None);
    }
    Ok(())
}

/// (PostgreSQL: `update_attstats`)
fn store(cmd: &mut CommandContext<'_>, row: PgStatistic) -> Result<()> {
    let key = [Datum::oid(row.starelid), Datum::i16(row.staattnum), Datum::bool(row.stainherit)];
    match cmd.cx.catalog.find_row::<PgStatistic>(oids::STATISTIC_RELID_ATTNUM_INH_INDEX, &key)? {
        Some(found) => drop(cmd.cx.catalog.update_row(&found, &row)?),
        None => drop(cmd.cx.catalog.insert_row(&row)?),
    }
    cmd.cx.catalog.invalidate_relation(row.starelid);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(sampled: usize, total_rows: f64) -> Counts {
        Counts { sampled, nulls: 0, too_wide: 0, total_rows }
    }

    #[test]
    fn distinct_values_are_found_or_estimated() {
        // Every value once: as many as rows.
        assert_eq!(distinct_values(100, 0, &counts(100, 1000.0), 0.0), -1.0);
        // Every value more than once: all were seen.
        assert_eq!(distinct_values(10, 10, &counts(100, 1000.0), 0.0), 10.0);
        // Between them, the estimate.
        let d = distinct_values(60, 30, &counts(100, 1000.0), 0.0);
        assert!((60.0..=1000.0).contains(&d) || (-1.0..0.0).contains(&d));
    }

    #[test]
    fn a_sorted_column_has_correlation_one_and_an_even_histogram() {
        let values = (0..1000).map(|i| (Datum::i32(i), i as usize)).collect();
        let s = scalar(&Comparator::Int4, values, &counts(1000, 1000.0), 0.0, 10).unwrap();
        assert!(s.common.is_empty());
        assert_eq!(s.correlation, Some(1.0));
        let bounds: Vec<i32> = s.histogram.iter().map(|d| d.as_ref().word() as i32).collect();
        assert_eq!(bounds, [0, 99, 199, 299, 399, 499, 599, 699, 799, 899, 999]);
    }

    #[test]
    fn few_values_are_all_listed() {
        let values = (0..900).map(|i| (Datum::i32(i % 3), i as usize)).collect();
        let s = scalar(&Comparator::Int4, values, &counts(900, 9000.0), 0.0, 100).unwrap();
        assert_eq!(s.distinct, 3.0);
        assert_eq!(s.common.len(), 3);
        assert!(s.histogram.is_empty());
    }

    #[test]
    fn blocks_are_drawn_without_repetition() {
        let ranges = block_ranges(10_000, 300, &mut Random(42));
        let n: u32 = ranges.iter().map(|(a, b)| b - a).sum();
        assert_eq!(n, 300);
        assert!(ranges.windows(2).all(|w| w[0].1 < w[1].0));
        assert_eq!(block_ranges(5, 300, &mut Random(1)), [(0, 5)]);
    }
}
