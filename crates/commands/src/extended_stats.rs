//! What ANALYZE makes of CREATE STATISTICS: numbers of distinct combinations, functional dependencies, most common combinations,
//! statistics of expressions.
//!
//! A *dimension* is a column or an expression of the statistics object; expressions come after the columns and have the
//! numbers -1, -2, ...
//!
//! PostgreSQL: `extended_stats.c` (`BuildRelationExtStatistics`), `mvdistinct.c`, `dependencies.c`, `mcv.c`.

use std::cmp::Ordering;

use base::{Oid, Result, Severity};
use catalog::{CatalogRow, PgStatistic, PgStatisticExt, PgStatisticExtData, Relation, oids};
use types::array::{ElementType, build_vector};
use types::extended_stats::{
    Dependency, Dimension, DistinctItem, McvItem, McvList, write_dependencies, write_ndistinct,
};
use types::{Datum, DatumRef, Runtime, SortKey};

use crate::CommandContext;
use crate::analyze_table::{Expressions, expression_statistics};

/// Values longer than this are not compared.
const WIDTH_THRESHOLD: usize = 1024;

/// The dimensions of a statistics object over the sampled rows.
struct Data {
    numbers: Vec<i16>,
    keys: Vec<SortKey>,
    physical: Vec<Dimension>,
    /// By dimension, then by row.
    values: Vec<Vec<Datum>>,
    rows: usize,
}

/// A table's statistics objects, made ready before its rows are sampled.
pub(crate) struct Objects(Vec<(PgStatisticExt, Option<Expressions>)>);

impl Objects {
    pub fn of(cmd: &mut CommandContext<'_>, rel: &Relation) -> Result<Objects> {
        let mut list = Vec::new();
        for oid in &rel.statistics {
            let Some(object) = cmd.cx.catalog.statistics_object(*oid)? else { continue };
            let exprs = match &object.stxexprs {
                Some(text) => {
                    let exprs = analyze::nodes::read_exprs(text, &cmd.cx.catalog)?;
                    Some(Expressions::new(cmd.cx, rel, exprs)?)
                }
                None => None,
            };
            list.push(((*object).clone(), exprs));
        }
        Ok(Objects(list))
    }

    /// Builds and stores all of them. `columns` are the numbers of the sampled columns with their targets, `rows` whole rows.
    pub fn build(
        &mut self,
        cmd: &mut CommandContext<'_>,
        rel: &Relation,
        columns: &[(i16, Option<usize>)],
        rows: &[Vec<Datum>],
        total_rows: f64,
        inherited: bool,
    ) -> Result<()> {
        for (object, exprs) in &mut self.0 {
            if object.stxkeys.iter().any(|k| !columns.iter().any(|c| c.0 == *k)) {
                let namespace = |oid| cmd.cx.catalog.namespace_name(oid);
                let text = format!(
                    "statistics object \"{}.{}\" could not be computed for relation \"{}.{}\"",
                    namespace(object.stxnamespace)?.unwrap_or_default(),
                    object.stxname,
                    namespace(rel.namespace())?.unwrap_or_default(),
                    rel.name()
                );
                cmd.notice(Severity::Warning, base::sqlstate::INVALID_OBJECT_DEFINITION, text);
                continue;
            }
            let target = target(cmd, object, columns);
            if target == 0 {
                continue;
            }
            one(cmd, rel, object, exprs.as_mut(), rows, total_rows, target, inherited)?;
        }
        Ok(())
    }
}

/// (PostgreSQL: `statext_compute_stattarget`)
fn target(cmd: &CommandContext<'_>, object: &PgStatisticExt, columns: &[(i16, Option<usize>)]) -> usize {
    if let Some(t) = object.stxstattarget {
        return usize::try_from(t).unwrap_or(0);
    }
    let of_columns = columns.iter().filter(|c| object.stxkeys.contains(&c.0)).filter_map(|c| c.1).max();
    let default = || cmd.session.values().int(base::guc::DEFAULT_STATISTICS_TARGET);
    of_columns.unwrap_or_else(|| usize::try_from(default()).unwrap_or(100))
}

fn one(
    cmd: &mut CommandContext<'_>,
    rel: &Relation,
    object: &PgStatisticExt,
    exprs: Option<&mut Expressions>,
    rows: &[Vec<Datum>],
    total_rows: f64,
    target: usize,
    inherited: bool,
) -> Result<()> {
    let mut data = Data { numbers: Vec::new(), keys: Vec::new(), physical: Vec::new(), values: Vec::new(), rows: rows.len() };
    for k in &object.stxkeys {
        let a = &rel.desc.attrs[*k as usize - 1];
        let mut values = Vec::with_capacity(rows.len());
        for row in rows {
            values.push(match &row[*k as usize - 1] {
                Datum::Toasted(b) => Datum::bytes(cmd.cx.detoast(b)?),
                v => v.clone(),
            });
        }
        data.add(cmd, *k, a.type_oid, a.collation, values)?;
    }
    let mut stxdexpr = None;
    if let Some(exprs) = exprs {
        let values = exprs.values(cmd.cx, rows)?;
        if object.stxkind.contains(&b'e') && !rows.is_empty() {
            let mut list = Vec::new();
            for (e, v) in exprs.list().iter().zip(&values) {
                list.push(expression_statistics(cmd, e, v, total_rows, target)?);
            }
            stxdexpr = Some(pg_statistics(cmd, &list)?);
        }
        for (i, (e, v)) in exprs.list().to_vec().iter().zip(values).enumerate() {
            let ty = e.type_mod();
            data.add(cmd, -(i as i16) - 1, ty.oid, ty.collation, v)?;
        }
    }
    let wants = |kind: u8| object.stxkind.contains(&kind) && data.rows > 0 && data.numbers.len() > 1;
    let stxdndistinct =
        if wants(b'd') { Some(data.ndistinct(total_rows)?).map(|l| write_ndistinct(&l)) } else { None };
    let dependencies = if wants(b'f') { data.dependencies()? } else { Vec::new() };
    let stxddependencies = (!dependencies.is_empty()).then(|| write_dependencies(&dependencies));
    let stxdmcv = if wants(b'm') { data.mcv(total_rows, target)? } else { None };
    let row = PgStatisticExtData {
        stxoid: object.oid,
        stxdinherit: inherited,
        stxdndistinct,
        stxddependencies,
        stxdmcv,
        stxdexpr,
    };
    let key = [Datum::oid(object.oid), Datum::bool(inherited)];
    let index = oids::STATISTIC_EXT_DATA_STXOID_INH_INDEX;
    match cmd.cx.catalog.find_row::<PgStatisticExtData>(index, &key)? {
        Some(found) => drop(cmd.cx.catalog.update_row(&found, &row)?),
        None => drop(cmd.cx.catalog.insert_row(&row)?),
    }
    cmd.cx.catalog.invalidate_relation(rel.oid);
    Ok(())
}

/// Rows of `pg_statistic` as an array of composite values; null where there is none. (PostgreSQL: `serialize_expr_stats`)
fn pg_statistics(cmd: &mut CommandContext<'_>, list: &[Option<PgStatistic>]) -> Result<Datum> {
    let class = cmd.cx.catalog.relation_entry(PgStatistic::CATALOG)?;
    let row_type = class.class.reltype;
    let desc = cmd.cx.row_type(row_type, -1)?;
    let mut values = Vec::new();
    for s in list {
        values.push(match s {
            None => Datum::Null,
            Some(s) => {
                let row = s.to_row()?;
                let refs: Vec<DatumRef<'_>> = row.iter().map(Datum::as_ref).collect();
                types::record::build(&desc, &refs)?
            }
        });
    }
    let element = ElementType::of(&*cmd.cx.type_info(row_type)?);
    let refs: Vec<DatumRef<'_>> = values.iter().map(Datum::as_ref).collect();
    build_vector(&element, &refs)
}

impl Data {
    fn add(
        &mut self,
        cmd: &mut CommandContext<'_>,
        number: i16,
        type_oid: Oid,
        collation: Oid,
        values: Vec<Datum>,
    ) -> Result<()> {
        let info = cmd.cx.type_info(type_oid)?;
        self.numbers.push(number);
        self.keys.push(cmd.cx.sort_key_for_type(type_oid, collation)?);
        self.physical.push(Dimension { type_oid, len: info.len, byval: info.byval });
        self.values.push(values);
        Ok(())
    }

    fn compare(&self, dimension: usize, a: usize, b: usize) -> Result<Ordering> {
        let values = &self.values[dimension];
        self.keys[dimension].compare(values[a].as_ref(), values[b].as_ref())
    }
    fn compare_all(&self, dimensions: &[usize], a: usize, b: usize) -> Result<Ordering> {
        for d in dimensions {
            let o = self.compare(*d, a, b)?;
            if o != Ordering::Equal {
                return Ok(o);
            }
        }
        Ok(Ordering::Equal)
    }
    fn sorted(&self, dimensions: &[usize], narrow: bool) -> Result<Vec<usize>> {
        let is_wide = |r: usize| {
            dimensions.iter().any(|d| {
                self.physical[*d].len == -1
                    && matches!(&self.values[*d][r], Datum::Bytes(b) if b.len() > WIDTH_THRESHOLD)
            })
        };
        let mut rows: Vec<usize> = (0..self.rows).filter(|r| !narrow || !is_wide(*r)).collect();
        let mut failed = None;
        rows.sort_by(|a, b| {
            self.compare_all(dimensions, *a, *b).unwrap_or_else(|e| {
                failed = Some(e);
                Ordering::Equal
            })
        });
        failed.map_or(Ok(rows), Err)
    }

    /// (PostgreSQL: `statext_ndistinct_build`, `estimate_ndistinct`)
    fn ndistinct(&self, total_rows: f64) -> Result<Vec<DistinctItem>> {
        let mut out = Vec::new();
        for k in 2..=self.numbers.len() {
            for combination in combinations(self.numbers.len(), k) {
                let rows = self.sorted(&combination, false)?;
                let (mut distinct, mut once, mut run) = (1.0, 0.0, 1);
                for pair in rows.windows(2) {
                    if self.compare_all(&combination, pair[0], pair[1])? == Ordering::Equal {
                        run += 1;
                        continue;
                    }
                    once += if run == 1 { 1.0 } else { 0.0 };
                    distinct += 1.0;
                    run = 1;
                }
                once += if run == 1 { 1.0 } else { 0.0 };
                let n = self.rows as f64;
                let estimate: f64 = n * distinct / ((n - once) + once * n / total_rows);
                let ndistinct = (estimate.max(distinct).min(total_rows) + 0.5).floor();
                out.push(DistinctItem { attributes: combination.iter().map(|d| self.numbers[*d]).collect(), ndistinct });
            }
        }
        Ok(out)
    }

    /// (PostgreSQL: `statext_dependencies_build`)
    fn dependencies(&self) -> Result<Vec<Dependency>> {
        let n = self.numbers.len();
        let mut out = Vec::new();
        for k in 2..=n {
            for determinants in combinations(n, k - 1) {
                for last in (0..n).filter(|d| !determinants.contains(d)) {
                    let degree = self.degree(&determinants, last)?;
                    if degree > 0.0 {
                        let attributes = determinants.iter().chain([&last]).map(|d| self.numbers[*d]).collect();
                        out.push(Dependency { attributes, degree });
                    }
                }
            }
        }
        Ok(out)
    }

    /// The share of rows in whose group, by the determinants, the last dimension has one value only.
    fn degree(&self, determinants: &[usize], last: usize) -> Result<f64> {
        let all: Vec<usize> = determinants.iter().copied().chain([last]).collect();
        let rows = self.sorted(&all, true)?;
        let (mut supporting, mut size, mut violated) = (0, 1, false);
        for i in 1..=rows.len() {
            if i == rows.len() || self.compare_all(determinants, rows[i - 1], rows[i])? != Ordering::Equal {
                if !violated && !rows.is_empty() {
                    supporting += size;
                }
                (size, violated) = (1, false);
                continue;
            }
            violated = violated || self.compare(last, rows[i - 1], rows[i])? != Ordering::Equal;
            size += 1;
        }
        Ok(f64::from(supporting) / self.rows as f64)
    }

    /// (PostgreSQL: `statext_mcv_build`, `statext_mcv_serialize`)
    fn mcv(&self, total_rows: f64, target: usize) -> Result<Option<Vec<u8>>> {
        let all: Vec<usize> = (0..self.numbers.len()).collect();
        let rows = self.sorted(&all, true)?;
        let mut groups: Vec<(usize, usize)> = Vec::new();
        for r in &rows {
            match groups.last_mut() {
                Some((first, count)) if self.compare_all(&all, *first, *r)? == Ordering::Equal => *count += 1,
                _ => groups.push((*r, 1)),
            }
        }
        groups.sort_by(|a, b| b.1.cmp(&a.1));
        let n = self.rows as f64;
        let numerator = n * (total_rows - n);
        let denominator = total_rows - n + 0.04 * n * (total_rows - 1.0);
        let least = if denominator == 0.0 { 0.0 } else { numerator / denominator };
        let kept: Vec<(usize, usize)> =
            groups.iter().take(target).take_while(|g| g.1 as f64 >= least).copied().collect();
        if kept.is_empty() {
            return Ok(None);
        }
        // How often each value of a dimension occurs, and the listed values in order.
        let mut shares: Vec<Vec<(usize, usize)>> = Vec::new();
        for d in &all {
            let mut counts: Vec<(usize, usize)> = Vec::new();
            let sorted = self.sorted(&[*d], false)?;
            for r in sorted {
                match counts.last_mut() {
                    Some((first, count)) if self.compare(*d, *first, r)? == Ordering::Equal => *count += 1,
                    _ => counts.push((r, 1)),
                }
            }
            shares.push(counts);
        }
        let find = |d: usize, r: usize| -> Result<usize> {
            let list = &shares[d];
            let (mut low, mut high) = (0, list.len());
            while low < high {
                let middle = (low + high) / 2;
                match self.compare(d, list[middle].0, r)? {
                    Ordering::Equal => return Ok(list[middle].1),
                    Ordering::Less => low = middle + 1,
                    Ordering::Greater => high = middle,
                }
            }
            Ok(0)
        };
        let mut list = McvList { types: self.physical.iter().map(|p| p.type_oid).collect(), items: Vec::new() };
        for (r, count) in &kept {
            let mut base = 1.0;
            for d in &all {
                base *= find(*d, *r)? as f64 / n;
            }
            let values = all.iter().map(|d| self.values[*d][*r].clone()).collect();
            list.items.push(McvItem { values, frequency: *count as f64 / n, base_frequency: base });
        }
        let mut values: Vec<Vec<Datum>> = Vec::new();
        for d in &all {
            let mut distinct: Vec<Datum> = Vec::new();
            let mut mine: Vec<usize> = kept.iter().map(|k| k.0).filter(|r| !self.values[*d][*r].is_null()).collect();
            mine.sort_by(|a, b| self.compare(*d, *a, *b).unwrap_or(Ordering::Equal));
            for r in mine {
                let v = &self.values[*d][r];
                let known = match distinct.last() {
                    Some(l) => self.keys[*d].compare(l.as_ref(), v.as_ref())?.is_eq(),
                    None => false,
                };
                if !known {
                    distinct.push(v.clone());
                }
            }
            values.push(distinct);
        }
        let index = |d: usize, v: &Datum| -> Result<usize> {
            for (i, x) in values[d].iter().enumerate() {
                if self.keys[d].compare(x.as_ref(), v.as_ref())?.is_eq() {
                    return Ok(i);
                }
            }
            Ok(0)
        };
        list.write(&self.physical, &values, index).map(Some)
    }
}

/// All ascending choices of `k` out of `n`, in lexical order.
fn combinations(n: usize, k: usize) -> Vec<Vec<usize>> {
    fn more(n: usize, k: usize, from: usize, now: &mut Vec<usize>, out: &mut Vec<Vec<usize>>) {
        if now.len() == k {
            out.push(now.clone());
            return;
        }
        for i in from..n {
            now.push(i);
            more(n, k, i + 1, now, out);
            now.pop();
        }
    }
    let mut out = Vec::new();
    more(n, k, 0, &mut Vec::new(), &mut out);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn data(columns: &[&[i32]]) -> Data {
        Data {
            numbers: (1..=columns.len() as i16).collect(),
            keys: columns.iter().map(|_| SortKey::ascending(types::Comparator::Int4)).collect(),
            physical: columns
                .iter()
                .map(|_| Dimension { type_oid: types::oid::INT4OID, len: 4, byval: true })
                .collect(),
            values: columns.iter().map(|c| c.iter().map(|v| Datum::i32(*v)).collect()).collect(),
            rows: columns[0].len(),
        }
    }

    #[test]
    fn combinations_ascend() {
        assert_eq!(combinations(3, 2), [vec![0, 1], vec![0, 2], vec![1, 2]]);
    }

    #[test]
    fn the_second_column_follows_from_the_first() {
        let d = data(&[&[1, 1, 2, 2, 3, 3, 4, 4], &[1, 1, 1, 1, 2, 2, 2, 2]]);
        let list = d.dependencies().unwrap();
        assert_eq!(list, [Dependency { attributes: vec![1, 2], degree: 1.0 }]);
        let n = d.ndistinct(8.0).unwrap();
        assert_eq!(n, [DistinctItem { attributes: vec![1, 2], ndistinct: 4.0 }]);
        let mcv = McvList::read(&d.mcv(8.0, 100).unwrap().unwrap()).unwrap();
        assert_eq!(mcv.items.len(), 4);
        assert_eq!((mcv.items[0].frequency, mcv.items[0].base_frequency), (0.25, 0.125));
    }
}
