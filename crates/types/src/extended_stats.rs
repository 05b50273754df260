//! Extended statistics as `pg_statistic_ext_data` stores them: numbers of distinct combinations, functional dependencies, most
//! common combinations.
//!
//! PostgreSQL: `MVNDistinct`, `MVDependencies`, `MCVList` and their serialized forms.

use base::{Oid, PgError, Result};

use crate::{Datum, DatumRef};

const NDISTINCT_MAGIC: u32 = 0xA352_BFA4;
const DEPENDENCIES_MAGIC: u32 = 0xB454_9A2C;
const MCV_MAGIC: u32 = 0xE1A6_51C2;
const BASIC: u32 = 1;

/// The number of distinct combinations of these columns (ascending; negative numbers are expressions).
#[derive(Clone, PartialEq, Debug)]
pub struct DistinctItem {
    pub attributes: Vec<i16>,
    pub ndistinct: f64,
}

/// The last column follows from the others in this share of the rows.
#[derive(Clone, PartialEq, Debug)]
pub struct Dependency {
    pub attributes: Vec<i16>,
    pub degree: f64,
}

/// One combination of values with its share of the rows, and what that would be if the columns were independent.
#[derive(Clone, PartialEq, Debug)]
pub struct McvItem {
    pub values: Vec<Datum>,
    pub frequency: f64,
    pub base_frequency: f64,
}

#[derive(Clone, PartialEq, Debug, Default)]
pub struct McvList {
    pub types: Vec<Oid>,
    pub items: Vec<McvItem>,
}

/// Physical form of a dimension's values.
#[derive(Clone, Copy, Debug)]
pub struct Dimension {
    pub type_oid: Oid,
    pub len: i16,
    pub byval: bool,
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, n: usize) -> Result<&'a [u8]> {
        if self.0.len() < n {
            return Err(PgError::internal("extended statistics are too short"));
        }
        let (head, rest) = self.0.split_at(n);
        self.0 = rest;
        Ok(head)
    }
    fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        let mut out = [0; N];
        out.copy_from_slice(self.take(N)?);
        Ok(out)
    }
    fn u16(&mut self) -> Result<u16> {
        self.array().map(u16::from_le_bytes)
    }
    fn u32(&mut self) -> Result<u32> {
        self.array().map(u32::from_le_bytes)
    }
    fn f64(&mut self) -> Result<f64> {
        self.array().map(f64::from_le_bytes)
    }
    fn attributes(&mut self, n: usize) -> Result<Vec<i16>> {
        (0..n).map(|_| self.u16().map(|a| a as i16)).collect()
    }
    /// The header; gives the number of items.
    fn header(&mut self, magic: u32, what: &str) -> Result<usize> {
        let (found, kind, items) = (self.u32()?, self.u32()?, self.u32()?);
        if found != magic {
            return Err(PgError::internal(format!("invalid {what} magic {found:08x} (expected {magic:08x})")));
        }
        if kind != BASIC {
            return Err(PgError::internal(format!("invalid {what} type {kind} (expected {BASIC})")));
        }
        Ok(items as usize)
    }
}

fn header(magic: u32, items: usize) -> Vec<u8> {
    [magic, BASIC, items as u32].iter().flat_map(|w| w.to_le_bytes()).collect()
}

pub fn write_ndistinct(items: &[DistinctItem]) -> Vec<u8> {
    let mut out = header(NDISTINCT_MAGIC, items.len());
    for i in items {
        out.extend(i.ndistinct.to_le_bytes());
        out.extend((i.attributes.len() as u32).to_le_bytes());
        i.attributes.iter().for_each(|a| out.extend(a.to_le_bytes()));
    }
    out
}

pub fn read_ndistinct(bytes: &[u8]) -> Result<Vec<DistinctItem>> {
    let mut r = Reader(bytes);
    let n = r.header(NDISTINCT_MAGIC, "ndistinct")?;
    let mut out = Vec::new();
    for _ in 0..n {
        let (ndistinct, k) = (r.f64()?, r.u32()? as usize);
        out.push(DistinctItem { ndistinct, attributes: r.attributes(k)? });
    }
    Ok(out)
}

pub fn write_dependencies(list: &[Dependency]) -> Vec<u8> {
    let mut out = header(DEPENDENCIES_MAGIC, list.len());
    for d in list {
        out.extend(d.degree.to_le_bytes());
        out.extend((d.attributes.len() as u16).to_le_bytes());
        d.attributes.iter().for_each(|a| out.extend(a.to_le_bytes()));
    }
    out
}

pub fn read_dependencies(bytes: &[u8]) -> Result<Vec<Dependency>> {
    let mut r = Reader(bytes);
    let n = r.header(DEPENDENCIES_MAGIC, "dependency")?;
    let mut out = Vec::new();
    for _ in 0..n {
        let (degree, k) = (r.f64()?, r.u16()?);
        out.push(Dependency { degree, attributes: r.attributes(usize::from(k))? });
    }
    Ok(out)
}

/// A dimension's value as it is stored.
fn put(out: &mut Vec<u8>, d: Dimension, v: DatumRef<'_>) {
    match (d.byval, d.len) {
        (true, len) => out.extend(&v.word().to_le_bytes()[..usize::try_from(len).unwrap_or(8).min(8)]),
        (false, len @ 1..) => {
            let at = out.len();
            out.extend(v.as_bytes());
            // A name is shorter than its place.
            out.resize(at + len as usize, 0);
        }
        (false, -2) => {
            out.extend((v.as_bytes().len() as u32 + 1).to_le_bytes());
            out.extend(v.as_bytes());
            out.push(0);
        }
        (false, _) => {
            out.extend((v.as_bytes().len() as u32).to_le_bytes());
            out.extend(v.as_bytes());
        }
    }
}

fn get(r: &mut Reader<'_>, d: Dimension) -> Result<Datum> {
    Ok(match (d.byval, d.len) {
        (true, 1) => Datum::Word(u64::from(r.array::<1>()?[0])),
        (true, 2) => Datum::i16(r.u16()? as i16),
        (true, 4) => Datum::i32(r.u32()? as i32),
        (true, _) => Datum::Word(r.array().map(u64::from_le_bytes)?),
        (false, len @ 1..) => {
            let bytes = r.take(len as usize)?;
            let name = d.type_oid == crate::oid::NAMEOID;
            let end = if name { bytes.iter().position(|b| *b == 0) } else { None };
            Datum::bytes(&bytes[..end.unwrap_or(bytes.len())])
        }
        (false, len) => {
            let n = r.u32()? as usize;
            let bytes = r.take(n)?;
            Datum::bytes(if len == -2 { &bytes[..n.saturating_sub(1)] } else { bytes })
        }
    })
}

impl McvList {
    /// `values` are each dimension's distinct ones in ascending order; `index` finds an item's among them.
    pub fn write(
        &self,
        dimensions: &[Dimension],
        values: &[Vec<Datum>],
        mut index: impl FnMut(usize, &Datum) -> Result<usize>,
    ) -> Result<Vec<u8>> {
        let mut out = header(MCV_MAGIC, self.items.len());
        out.extend((dimensions.len() as u16).to_le_bytes());
        self.types.iter().for_each(|t| out.extend(t.0.to_le_bytes()));
        let mut stored = Vec::new();
        for (d, list) in dimensions.iter().zip(values) {
            let mut bytes = Vec::new();
            list.iter().for_each(|v| put(&mut bytes, *d, v.as_ref()));
            let aligned: usize = match (d.byval, d.len) {
                (true, _) => 0,
                (false, len @ 1..) => list.len() * (len as usize).next_multiple_of(8),
                (false, -2) => list.iter().map(|v| (v.as_ref().as_bytes().len() + 1).next_multiple_of(8)).sum(),
                (false, _) => list.iter().map(|v| (v.as_ref().as_bytes().len() + 4).next_multiple_of(8)).sum(),
            };
            for word in [list.len() as i32, bytes.len() as i32, aligned as i32, i32::from(d.len)] {
                out.extend(word.to_le_bytes());
            }
            out.extend([u8::from(d.byval), 0, 0, 0]);
            stored.push(bytes);
        }
        stored.iter().for_each(|b| out.extend(b));
        for item in &self.items {
            out.extend(item.values.iter().map(|v| u8::from(v.is_null())));
            out.extend(item.frequency.to_le_bytes());
            out.extend(item.base_frequency.to_le_bytes());
            for (d, v) in item.values.iter().enumerate() {
                let at = if v.is_null() { 0 } else { index(d, v)? };
                out.extend((at as u16).to_le_bytes());
            }
        }
        Ok(out)
    }

    pub fn read(bytes: &[u8]) -> Result<McvList> {
        let mut r = Reader(bytes);
        let items = r.header(MCV_MAGIC, "MCV")?;
        let n = usize::from(r.u16()?);
        let types: Vec<Oid> = (0..n).map(|_| r.u32().map(Oid)).collect::<Result<_>>()?;
        let mut dimensions = Vec::new();
        for t in &types {
            let (count, _, _, len) = (r.u32()?, r.u32()?, r.u32()?, r.u32()? as i32);
            let byval = r.array::<4>()?[0] != 0;
            dimensions.push((count, Dimension { type_oid: *t, len: len as i16, byval }));
        }
        let mut values: Vec<Vec<Datum>> = Vec::new();
        for (count, d) in dimensions {
            values.push((0..count).map(|_| get(&mut r, d)).collect::<Result<_>>()?);
        }
        let mut list = McvList { types, items: Vec::new() };
        for _ in 0..items {
            let nulls = r.take(n)?;
            let (frequency, base_frequency) = (r.f64()?, r.f64()?);
            let mut row = Vec::with_capacity(n);
            for (d, null) in nulls.iter().enumerate() {
                let at = usize::from(r.u16()?);
                let missing = || PgError::internal("an item of an MCV list has no value");
                row.push(if *null != 0 { Datum::Null } else { values[d].get(at).cloned().ok_or_else(missing)? });
            }
            list.items.push(McvItem { values: row, frequency, base_frequency });
        }
        Ok(list)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn round_trips() {
        let items = vec![DistinctItem { attributes: vec![-1, 3], ndistinct: 11.0 }];
        assert_eq!(read_ndistinct(&write_ndistinct(&items)).unwrap(), items);
        let list = vec![Dependency { attributes: vec![2, 5], degree: 0.25 }];
        assert_eq!(read_dependencies(&write_dependencies(&list)).unwrap(), list);
        assert!(read_dependencies(&write_ndistinct(&items)).is_err());

        let dimensions = [
            Dimension { type_oid: crate::oid::INT4OID, len: 4, byval: true },
            Dimension { type_oid: crate::oid::TEXTOID, len: -1, byval: false },
        ];
        let item = |a: Datum, b: Datum| McvItem { values: vec![a, b], frequency: 0.5, base_frequency: 0.25 };
        let mcv = McvList {
            types: dimensions.iter().map(|d| d.type_oid).collect(),
            items: vec![item(Datum::i32(7), Datum::text("x")), item(Datum::Null, Datum::text("yy"))],
        };
        let values = vec![vec![Datum::i32(7)], vec![Datum::text("x"), Datum::text("yy")]];
        let index = |d: usize, v: &Datum| Ok(values[d].iter().position(|x| x == v).unwrap());
        let bytes = mcv.write(&dimensions, &values, index).unwrap();
        assert_eq!(McvList::read(&bytes).unwrap(), mcv);
    }
}
