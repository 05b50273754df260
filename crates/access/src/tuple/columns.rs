//! Bytes to columns: the wanted columns of many tuples at once, as scans do a page at a time.
//!
//! Columns with a known place are read column by column; the rest tuple by tuple.

use base::{Oid, Result, TupleId};
use types::{Column, ColumnData, DatumRef};

use super::Header;
use super::deform::{Parts, Walker};
use super::layout::{Kind, TupleLayout};
use super::varlena::corrupted;

/// A column that a scan is to produce.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Wanted {
    /// A column of the table, numbered from 0.
    Attr(u16),
    /// A system column, by its number: -1 `ctid`, -2 `xmin`, -3 `cmin`, -4 `xmax`, -5 `cmax`, -6 `tableoid`.
    System(i16),
}

impl Wanted {
    /// From `pg_attribute.attnum`.
    pub fn from_attnum(attnum: i16) -> Wanted {
        if attnum > 0 { Wanted::Attr(attnum as u16 - 1) } else { Wanted::System(attnum) }
    }
}

/// A tuple with its place.
#[derive(Clone, Copy)]
pub struct RowBytes<'a> {
    pub tid: TupleId,
    pub bytes: &'a [u8],
}

/// Which columns to read, and into which output columns they go.
#[derive(Clone, Debug, Default)]
pub struct Projection {
    /// (column, output), with a known place.
    fast: Vec<(u16, u16)>,
    /// (column, output), the rest; ascending by column.
    slow: Vec<(u16, u16)>,
    /// All of both, ascending by column.
    all: Vec<(u16, u16)>,
    system: Vec<(i16, u16)>,
    /// Tuples without nulls before this column may be read the fast way.
    prefix: usize,
    outputs: usize,
}

impl Projection {
    /// Output column `k` holds `wanted[k]`.
    pub fn new(layout: &TupleLayout, wanted: &[Wanted]) -> Projection {
        let mut p = Projection { outputs: wanted.len(), ..Projection::default() };
        for (out, w) in wanted.iter().enumerate() {
            match *w {
                Wanted::Attr(i) => p.all.push((i, out as u16)),
                Wanted::System(n) => p.system.push((n, out as u16)),
            }
        }
        p.all.sort_unstable();
        for &(i, out) in &p.all {
            let fast = usize::from(i) < layout.fixed;
            if fast { p.fast.push((i, out)) } else { p.slow.push((i, out)) }
        }
        p.prefix = p.fast.last().map_or(0, |f| usize::from(f.0) + 1);
        p
    }
    /// All columns of the relation, in order.
    pub fn all(layout: &TupleLayout) -> Projection {
        let wanted: Vec<Wanted> = (0..layout.len() as u16).map(Wanted::Attr).collect();
        Projection::new(layout, &wanted)
    }
    /// Empty output columns of the right sorts.
    pub fn columns(&self, layout: &TupleLayout) -> Vec<Column> {
        use types::Physical;
        let mut sorts = vec![Physical::Bytes; self.outputs];
        for &(i, out) in &self.all {
            sorts[usize::from(out)] = layout.desc().attrs[usize::from(i)].physical();
        }
        for &(n, out) in &self.system {
            sorts[usize::from(out)] = if n == -1 { Physical::Bytes } else { Physical::W4 };
        }
        sorts.into_iter().map(Column::new).collect()
    }
    pub fn outputs(&self) -> usize {
        self.outputs
    }

    /// Appends the tuples' wanted columns. A failure leaves the columns of unequal length: throw them away.
    pub fn append(&self, layout: &TupleLayout, table: Oid, rows: &[RowBytes<'_>], out: &mut [Column]) -> Result<()> {
        let mut simple = !self.fast.is_empty() && rows.len() > 1;
        for row in rows {
            simple = simple && Parts::heap(row.bytes)?.none_null_before(self.prefix);
        }
        if simple {
            for &(i, o) in &self.fast {
                append_fixed(layout, usize::from(i), rows, &mut out[usize::from(o)])?;
            }
        }
        let walk = if simple { &self.slow } else { &self.all };
        if !walk.is_empty() {
            for row in rows {
                append_row(layout, walk, Parts::heap(row.bytes)?, out)?;
            }
        }
        for &(n, o) in &self.system {
            for row in rows {
                append_system(n, table, row, &mut out[usize::from(o)])?;
            }
        }
        Ok(())
    }
}

fn append_row<'a>(layout: &'a TupleLayout, walk: &[(u16, u16)], parts: Parts<'a>, out: &mut [Column]) -> Result<()> {
    let mut walker = Walker::new(&layout.attrs, parts);
    let mut last: Option<(u16, DatumRef<'_>)> = None;
    for &(i, o) in walk {
        let n = usize::from(i);
        let value = match last {
            Some((j, v)) if j == i => v,
            _ if n >= parts.natts => layout.missing(n),
            _ if parts.is_null(n) => DatumRef::Null,
            _ => walker.value(n, layout.fixed)?,
        };
        last = Some((i, value));
        out[usize::from(o)].push(value);
    }
    Ok(())
}

/// A column that lies at the same place in all these tuples, and is null in none.
fn append_fixed(layout: &TupleLayout, i: usize, rows: &[RowBytes<'_>], column: &mut Column) -> Result<()> {
    let att = &layout.attrs[i];
    let Some(offset) = att.offset.map(usize::from) else { return Err(corrupted("no known place")) };
    if let Some(bits) = &mut column.validity {
        for _ in rows {
            bits.push(true);
        }
    }
    fn at<const N: usize>(row: &RowBytes<'_>, offset: usize) -> Result<[u8; N]> {
        let from = usize::from(row.bytes[22]) + offset;
        let bytes = row.bytes.get(from..from + N).and_then(|b| b.try_into().ok());
        bytes.ok_or_else(|| corrupted("a column lies beyond its end"))
    }
    match (&mut column.data, att.kind) {
        (ColumnData::W1(v), Kind::W1) => {
            for row in rows {
                v.push(at::<1>(row, offset)?[0]);
            }
        }
        (ColumnData::W2(v), Kind::W2) => {
            for row in rows {
                v.push(i16::from_le_bytes(at(row, offset)?));
            }
        }
        (ColumnData::W4(v), Kind::W4) => {
            for row in rows {
                v.push(i32::from_le_bytes(at(row, offset)?));
            }
        }
        (ColumnData::W8(v), Kind::W8) => {
            for row in rows {
                v.push(i64::from_le_bytes(at(row, offset)?));
            }
        }
        (ColumnData::Bytes(v), _) => {
            for row in rows {
                let parts = Parts::heap(row.bytes)?;
                let value = super::deform::value_at(att, parts.data, offset)?.0;
                v.push(value.as_bytes(), matches!(value, DatumRef::Toasted(_)));
            }
        }
        _ => return Err(base::PgError::internal("an output column is not of its source's physical form")),
    }
    Ok(())
}

fn append_system(n: i16, table: Oid, row: &RowBytes<'_>, column: &mut Column) -> Result<()> {
    let Some(h) = Header::new(row.bytes) else { return Err(corrupted("shorter than a header")) };
    let word = |w: u32| DatumRef::Word(w as i32 as u64);
    match n {
        -1 => column.push(DatumRef::Bytes(&row.tid.to_bytes())),
        -2 => column.push(word(h.raw_xmin().0)),
        -3 | -5 => column.push(word(h.raw_cid().0)),
        -4 => column.push(word(h.raw_xmax().0)),
        -6 => column.push(word(table.0)),
        _ => return Err(base::PgError::internal(format!("invalid attnum: {n}"))),
    }
    Ok(())
}
