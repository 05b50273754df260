//! Arrays as catalogs hold them: one dimension, no nulls. The general array type is the business of the functions crate.
//!
//! Layout of the payload (after the varlena header): dimensions, offset of the data if there is a null bitmap (else 0), element
//! type, then length and lower bound of each dimension, then the elements, each aligned. `oidvector` and `int2vector` are the
//! same with a lower bound of 0. (PostgreSQL: `array.h`)

use base::sqlstate::DATA_CORRUPTED;
use base::{Oid, PgError, Result};
use types::Datum;

/// Bytes before the first element, without the varlena header.
const HEADER: usize = 20;

#[cold]
fn corrupted() -> PgError {
    PgError::new(DATA_CORRUPTED, "unexpected array in a catalog row")
}

fn word(b: &[u8], at: usize) -> Result<i32> {
    let bytes = b.get(at..at + 4).and_then(|s| s.try_into().ok()).ok_or_else(corrupted)?;
    Ok(i32::from_le_bytes(bytes))
}

/// The number of elements and the bytes that hold them.
fn open(payload: &[u8]) -> Result<(usize, &[u8])> {
    match (word(payload, 0)?, word(payload, 4)?) {
        (0, _) => Ok((0, &[])),
        (1, 0) => {
            let n = usize::try_from(word(payload, 12)?).map_err(|_| corrupted())?;
            Ok((n, payload.get(HEADER..).unwrap_or(&[])))
        }
        _ => Err(corrupted()),
    }
}

/// Elements of a fixed length.
pub(crate) fn fixed<const N: usize>(payload: &[u8]) -> Result<impl Iterator<Item = [u8; N]> + '_> {
    let (n, data) = open(payload)?;
    let data = data.get(..n * N).ok_or_else(corrupted)?;
    Ok(data.chunks_exact(N).map(|c| {
        let mut a = [0; N];
        a.copy_from_slice(c);
        a
    }))
}

/// Elements of a variable length, such as text.
pub(crate) fn varlena(payload: &[u8]) -> Result<Vec<&[u8]>> {
    let (n, data) = open(payload)?;
    let (mut at, mut out) = (0, Vec::with_capacity(n));
    for _ in 0..n {
        let first = *data.get(at).ok_or_else(corrupted)?;
        let (start, len) = if first & 1 == 1 {
            (at + 1, usize::from(first >> 1).checked_sub(1).ok_or_else(corrupted)?)
        } else {
            at = at.next_multiple_of(4);
            let header = word(data, at)? as u32;
            if header & 3 != 0 {
                return Err(corrupted());
            }
            (at + 4, (header as usize >> 2).checked_sub(4).ok_or_else(corrupted)?)
        };
        out.push(data.get(start..start + len).ok_or_else(corrupted)?);
        at = start + len;
        if data.get(at).is_some_and(|&b| b == 0) {
            at = at.next_multiple_of(4);
        }
    }
    Ok(out)
}

fn header(n: usize, elem: Oid, lower: i32) -> Vec<u8> {
    let mut out = Vec::with_capacity(HEADER + n * 8);
    for w in [1, 0, elem.0 as i32, n as i32, lower] {
        out.extend_from_slice(&w.to_le_bytes());
    }
    out
}

/// An array of elements of a fixed length. An empty one has no dimension, except for the vector types.
pub(crate) fn build_fixed<const N: usize>(
    elem: Oid,
    lower: i32,
    elements: impl ExactSizeIterator<Item = [u8; N]>,
) -> Datum {
    if elements.len() == 0 && lower == 1 {
        return empty(elem);
    }
    let mut out = header(elements.len(), elem, lower);
    elements.for_each(|e| out.extend_from_slice(&e));
    Datum::bytes(out)
}

/// An array of elements of a variable length.
pub(crate) fn build_varlena<'a>(elem: Oid, elements: impl ExactSizeIterator<Item = &'a [u8]>) -> Datum {
    if elements.len() == 0 {
        return empty(elem);
    }
    let mut out = header(elements.len(), elem, 1);
    for e in elements {
        out.extend_from_slice(&((e.len() as u32 + 4) << 2).to_le_bytes());
        out.extend_from_slice(e);
        // The data starts at a multiple of four, so the padding may count from the payload's start.
        out.resize(out.len().next_multiple_of(4), 0);
    }
    Datum::bytes(out)
}

fn empty(elem: Oid) -> Datum {
    let mut out = vec![0; 8];
    out.extend_from_slice(&elem.0.to_le_bytes());
    Datum::bytes(out)
}

/// An `oidvector` or `int2vector`.
pub fn oidvector(ids: &[Oid]) -> Datum {
    build_fixed(types::oid::OIDOID, 0, ids.iter().map(|o| o.0.to_le_bytes()))
}
pub fn int2vector(numbers: &[i16]) -> Datum {
    build_fixed(types::oid::INT2OID, 0, numbers.iter().map(|n| n.to_le_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_and_back() {
        for list in [vec![], vec!["a"], vec!["", "abc", "defg", "x", ""]] {
            let d =
                build_varlena(types::oid::TEXTOID, list.iter().map(|s| s.as_bytes()).collect::<Vec<_>>().into_iter());
            let got = varlena(d.as_ref().as_bytes()).unwrap();
            assert_eq!(got, list.iter().map(|s| s.as_bytes()).collect::<Vec<_>>());
        }
        let d = oidvector(&[Oid(1), Oid(u32::MAX)]);
        let got: Vec<u32> = fixed(d.as_ref().as_bytes()).unwrap().map(u32::from_le_bytes).collect();
        assert_eq!(got, [1, u32::MAX]);
        assert_eq!(d.as_ref().as_bytes().len(), 28);
        assert!(varlena(&[1, 0, 0, 0]).is_err());
    }
}
