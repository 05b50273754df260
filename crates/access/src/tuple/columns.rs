//! Bytes to columns: the wanted columns of many tuples at once, as scans do a page at a time.
//!
//! Tuples without nulls are read column by column, many side by side: from the last column with a known place on each stands
//! where its last value ended. Tuples with nulls are read one by one.

use base::{Oid, Result, TupleId};
use types::{Column, ColumnData, DatumRef};

use super::Header;
use super::deform::{Parts, Walker, align_at, value_at};
use super::layout::{AttLayout, Kind, TupleLayout};
use super::varlena::{self, corrupted};

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
        match rows {
            [] => return Ok(()),
            [row] => self.append_one(layout, row, out)?,
            rows => {
                for part in rows.chunks(PART) {
                    self.append_part(layout, part, out)?;
                }
            }
        }
        for &(n, o) in &self.system {
            for row in rows {
                append_system(n, table, row, &mut out[usize::from(o)])?;
            }
        }
        Ok(())
    }
    fn append_one(&self, layout: &TupleLayout, row: &RowBytes<'_>, out: &mut [Column]) -> Result<()> {
        if self.all.is_empty() { Ok(()) } else { append_row(layout, &self.all, Parts::heap(row.bytes)?, out) }
    }

    /// Column by column, if no tuple has a null where it matters.
    fn append_part(&self, layout: &TupleLayout, rows: &[RowBytes<'_>], out: &mut [Column]) -> Result<()> {
        let Some(&(last, _)) = self.all.last() else { return Ok(()) };
        let mut data: [&[u8]; PART] = [&[]; PART];
        let mut simple = true;
        for (row, data) in rows.iter().zip(&mut data) {
            let parts = Parts::heap(row.bytes)?;
            simple &= parts.none_null_before(usize::from(last) + 1);
            *data = parts.data;
        }
        if !simple {
            return rows.iter().try_for_each(|row| self.append_one(layout, row, out));
        }
        let data = &data[..rows.len()];
        for &(i, o) in &self.fast {
            let att = &layout.attrs[usize::from(i)];
            let Some(offset) = att.offset else { return Err(corrupted("no known place")) };
            let mut at = [u32::from(offset); PART];
            take_column(att, data, &mut at[..data.len()], Some(&mut out[usize::from(o)]))?;
        }
        if self.slow.is_empty() {
            return Ok(());
        }
        // From the last column with a known place on, where each tuple stands.
        let first = layout.fixed.saturating_sub(1);
        let mut at = [layout.attrs[first].offset.map_or(0, u32::from); PART];
        let mut wanted = self.slow.iter().peekable();
        for i in first..=usize::from(last) {
            let att = &layout.attrs[i];
            let mut done = false;
            while let Some(&&(_, o)) = wanted.peek().filter(|w| usize::from(w.0) == i) {
                wanted.next();
                let again = wanted.peek().is_some_and(|w| usize::from(w.0) == i);
                let mut same = at;
                let at = if again { &mut same } else { &mut at };
                take_column(att, data, &mut at[..data.len()], Some(&mut out[usize::from(o)]))?;
                done = !again;
            }
            if !done {
                take_column(att, data, &mut at[..data.len()], None)?;
            }
        }
        Ok(())
    }
}

/// How many tuples are taken apart side by side.
const PART: usize = 64;

/// One column of many tuples in which it is not null, each having come to `at`, which is moved behind it.
fn take_column(att: &AttLayout, data: &[&[u8]], at: &mut [u32], out: Option<&mut Column>) -> Result<()> {
    fn word<const N: usize>(att: &AttLayout, data: &[u8], at: &mut u32) -> Result<[u8; N]> {
        let from = att.align.up(*at as usize);
        *at = (from + N) as u32;
        match data.get(from..).and_then(|d| d.first_chunk()) {
            Some(b) => Ok(*b),
            None => Err(corrupted("a column lies beyond its end")),
        }
    }
    let Some(column) = out else {
        for (data, at) in data.iter().zip(at) {
            let from = align_at(att, data, *at as usize);
            let end = match att.kind {
                Kind::Varlena => from + varlena::size(data.get(from..).unwrap_or(&[]))?,
                Kind::Cstring => value_at(att, data, from)?.1,
                _ => from + att.len,
            };
            *at = end as u32;
        }
        return Ok(());
    };
    if let Some(bits) = &mut column.validity {
        data.iter().for_each(|_| bits.push(true));
    }
    let places = data.iter().zip(at);
    match (&mut column.data, att.kind) {
        (ColumnData::W1(v), Kind::W1) => {
            for (data, at) in places {
                v.push(word::<1>(att, data, at)?[0]);
            }
        }
        (ColumnData::W2(v), Kind::W2) => {
            for (data, at) in places {
                v.push(i16::from_le_bytes(word(att, data, at)?));
            }
        }
        (ColumnData::W4(v), Kind::W4) => {
            for (data, at) in places {
                v.push(i32::from_le_bytes(word(att, data, at)?));
            }
        }
        (ColumnData::W8(v), Kind::W8) => {
            for (data, at) in places {
                v.push(i64::from_le_bytes(word(att, data, at)?));
            }
        }
        (ColumnData::Bytes(v), _) => {
            for (data, at) in places {
                let from = align_at(att, data, *at as usize);
                // The usual case at once: a short header.
                let (value, end) = match data.get(from) {
                    Some(&b) if b & 1 == 1 && b != 1 && att.kind == Kind::Varlena => {
                        let end = from + usize::from(b >> 1);
                        let value = data.get(from + 1..end).ok_or_else(|| corrupted("a column lies beyond its end"))?;
                        (DatumRef::Bytes(value), end)
                    }
                    _ => value_at(att, data, from)?,
                };
                v.push(value.as_bytes(), matches!(value, DatumRef::Toasted(_)));
                *at = end as u32;
            }
        }
        _ => return Err(base::PgError::internal("an output column is not of its source's physical form")),
    }
    Ok(())
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
