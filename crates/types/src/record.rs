//! Composite values: their bytes taken apart and put together.
//!
//! The payload (after the varlena header) is a heap tuple's header without its first word, then its columns: typmod, type,
//! an invalid item pointer, the number of columns and flags, the offset of the data, a null bitmap, the data. Offsets and
//! alignment count from the varlena's start, four bytes before the payload. (PostgreSQL: `HeapTupleHeader` as a datum)

use base::sqlstate::DATA_CORRUPTED;
use base::{Oid, PgError, Result};

use crate::array::{ElementType, read_value, write_value};
use crate::datum::{Datum, DatumRef};
use crate::tupledesc::{Attribute, TupleDesc};

/// Where the null bitmap begins in the payload.
const BITS: usize = 19;
const HAS_NULL: u16 = 1;
const HAS_VARWIDTH: u16 = 2;

#[cold]
fn corrupted() -> PgError {
    PgError::new(DATA_CORRUPTED, "invalid composite value")
}

fn element(a: &Attribute) -> ElementType {
    ElementType { oid: a.type_oid, len: a.len, byval: a.byval, align: a.align }
}

/// Type and typmod of a composite value, by which its row type is found.
pub fn type_of(payload: &[u8]) -> Result<(Oid, i32)> {
    let word = |at: usize| payload.get(at..at + 4).and_then(|b| b.try_into().ok()).map(i32::from_le_bytes);
    match (word(0), word(4)) {
        (Some(typmod), Some(oid)) => Ok((Oid(oid as u32), typmod)),
        _ => Err(corrupted()),
    }
}

/// The columns of a composite value; those that it ends before are null. (PostgreSQL: `heap_deform_tuple`)
pub fn open<'a>(payload: &'a [u8], desc: &TupleDesc) -> Result<Vec<DatumRef<'a>>> {
    let half = |at: usize| payload.get(at..at + 2).map(|b| u16::from_le_bytes([b[0], b[1]])).ok_or_else(corrupted);
    let (columns, flags) = (usize::from(half(14)? & 0x7ff), half(16)?);
    let mut at = usize::from(*payload.get(18).ok_or_else(corrupted)?).saturating_sub(4);
    let mut out = Vec::with_capacity(desc.len());
    for (i, attr) in desc.attrs.iter().enumerate() {
        let null = flags & HAS_NULL != 0 && payload.get(BITS + i / 8).is_none_or(|b| b >> (i % 8) & 1 == 0);
        if i >= columns || null {
            out.push(DatumRef::Null);
        } else {
            let value = read_value(payload, &mut at, &element(attr))?;
            out.push(if attr.dropped { DatumRef::Null } else { value });
        }
    }
    Ok(out)
}

/// Makes a composite value; the descriptor must be of a named type or blessed. (PostgreSQL: `heap_form_tuple`)
pub fn build(desc: &TupleDesc, values: &[DatumRef<'_>]) -> Result<Datum> {
    let nulls = values.iter().any(|v| v.is_null());
    let bitmap = if nulls { values.len().div_ceil(8) } else { 0 };
    let data = (BITS + 4 + bitmap).next_multiple_of(8);
    let mut out = vec![0u8; data - 4];
    let mut flags = if nulls { HAS_NULL } else { 0 };
    for (i, (value, attr)) in values.iter().zip(&desc.attrs).enumerate() {
        if value.is_null() {
            continue;
        }
        if nulls {
            out[BITS + i / 8] |= 1 << (i % 8);
        }
        if attr.len < 0 {
            flags |= HAS_VARWIDTH;
        }
        match value {
            DatumRef::Bytes(b) if attr.len == -1 && attr.storage != b'p' && b.len() <= 126 => {
                out.push((b.len() as u8 + 1) << 1 | 1);
                out.extend_from_slice(b);
            }
            v => write_value(&mut out, *v, &element(attr)),
        }
    }
    out[..4].copy_from_slice(&desc.typmod.to_le_bytes());
    out[4..8].copy_from_slice(&desc.type_oid.0.to_le_bytes());
    out[8..12].copy_from_slice(&u32::MAX.to_le_bytes());
    out[14..16].copy_from_slice(&(values.len() as u16).to_le_bytes());
    out[16..18].copy_from_slice(&flags.to_le_bytes());
    out[18] = data as u8;
    Ok(Datum::bytes(out))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oid::{INT4OID, TEXTOID};
    use crate::tupledesc::Align;

    #[test]
    fn there_and_back() {
        let desc = TupleDesc::new(vec![
            Attribute::new("a", INT4OID, 4, true, Align::Int),
            Attribute::new("b", TEXTOID, -1, false, Align::Int),
            Attribute::new("c", INT4OID, 4, true, Align::Int),
        ]);
        let long = [b'x'; 200];
        for values in [
            [DatumRef::Word(1), DatumRef::Bytes(b"abc"), DatumRef::Word(-1i64 as u64)],
            [DatumRef::Null, DatumRef::Bytes(&long), DatumRef::Word(7)],
            [DatumRef::Word(5), DatumRef::Null, DatumRef::Null],
        ] {
            let d = build(&desc, &values).unwrap();
            assert_eq!(open(d.as_ref().as_bytes(), &desc).unwrap(), values);
        }
    }
}
