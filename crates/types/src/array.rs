//! Arrays: their bytes taken apart and put together. Everything that looks inside an array starts here.
//!
//! Layout of the payload (after the varlena header): number of dimensions, offset of the data if there is a null bitmap (else
//! 0; counted with the header), element type, then the lengths, then the lower bounds of the dimensions, then the null
//! bitmap, then the elements, each aligned. Alignment counts from the varlena's start, four bytes before the payload.
//! (PostgreSQL: `array.h`)

use base::sqlstate::{DATA_CORRUPTED, PROGRAM_LIMIT_EXCEEDED};
use base::{Oid, PgError, Result};

use crate::datum::{Datum, DatumRef};
use crate::registry::TypeInfo;
use crate::tupledesc::Align;

/// (PostgreSQL: `MAXDIM`)
pub const MAX_DIMS: usize = 6;
/// (PostgreSQL: `MaxArraySize`)
pub const MAX_ARRAY_SIZE: usize = 134_217_727;

/// How elements are laid out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ElementType {
    pub oid: Oid,
    pub len: i16,
    pub byval: bool,
    pub align: Align,
}

impl ElementType {
    pub fn of(t: &TypeInfo) -> ElementType {
        ElementType { oid: t.oid, len: t.len, byval: t.byval, align: t.align }
    }
}

#[cold]
fn corrupted() -> PgError {
    PgError::new(DATA_CORRUPTED, "invalid array value")
}

/// An array's payload with its header read.
#[derive(Clone, Copy, Debug)]
pub struct ArrayRef<'a> {
    payload: &'a [u8],
    ndim: usize,
    data_offset: usize,
}

impl<'a> ArrayRef<'a> {
    pub fn new(payload: &'a [u8]) -> Result<ArrayRef<'a>> {
        let word = |at: usize| -> Result<i32> {
            let bytes = payload.get(at..at + 4).and_then(|s| s.try_into().ok()).ok_or_else(corrupted)?;
            Ok(i32::from_le_bytes(bytes))
        };
        let ndim = usize::try_from(word(0)?).map_err(|_| corrupted())?;
        let data_offset = usize::try_from(word(4)?).map_err(|_| corrupted())?;
        if ndim > MAX_DIMS || payload.len() < 12 + ndim * 8 {
            return Err(corrupted());
        }
        Ok(ArrayRef { payload, ndim, data_offset })
    }
    fn word(&self, at: usize) -> i32 {
        let b = &self.payload[at..at + 4];
        i32::from_le_bytes([b[0], b[1], b[2], b[3]])
    }
    pub fn ndim(&self) -> usize {
        self.ndim
    }
    pub fn elem_type(&self) -> Oid {
        Oid(self.word(8) as u32)
    }
    pub fn has_nulls(&self) -> bool {
        self.data_offset != 0
    }
    /// The length of dimension `i`, from 0.
    pub fn dim(&self, i: usize) -> i32 {
        self.word(12 + 4 * i)
    }
    pub fn lower_bound(&self, i: usize) -> i32 {
        self.word(12 + 4 * self.ndim + 4 * i)
    }
    pub fn dims(&self) -> Vec<i32> {
        (0..self.ndim).map(|i| self.dim(i)).collect()
    }
    pub fn lower_bounds(&self) -> Vec<i32> {
        (0..self.ndim).map(|i| self.lower_bound(i)).collect()
    }
    /// The number of elements. (PostgreSQL: `ArrayGetNItems`)
    pub fn count(&self) -> usize {
        if self.ndim == 0 { 0 } else { (0..self.ndim).map(|i| self.dim(i).max(0) as usize).product() }
    }
    pub fn is_null(&self, i: usize) -> bool {
        let at = 12 + 8 * self.ndim + i / 8;
        self.has_nulls() && self.payload.get(at).is_none_or(|b| b >> (i % 8) & 1 == 0)
    }
    /// The elements in storage order.
    pub fn elements(&self, elem: &ElementType) -> Elements<'a> {
        let plain = (12 + 8 * self.ndim + 4).next_multiple_of(8) - 4;
        let at = if self.has_nulls() { self.data_offset.saturating_sub(4) } else { plain };
        Elements { array: *self, elem: *elem, at, next: 0, count: self.count() }
    }
    /// All elements at once.
    pub fn to_vec(&self, elem: &ElementType) -> Result<Vec<DatumRef<'a>>> {
        self.elements(elem).collect()
    }
    /// The storage position of an element given by its subscripts; `None` if out of bounds. (PostgreSQL: `ArrayGetOffset`)
    pub fn position(&self, subscripts: &[i32]) -> Option<usize> {
        if subscripts.len() != self.ndim || self.ndim == 0 {
            return None;
        }
        let mut position = 0usize;
        for (i, &s) in subscripts.iter().enumerate() {
            let offset = i64::from(s) - i64::from(self.lower_bound(i));
            if offset < 0 || offset >= i64::from(self.dim(i)) {
                return None;
            }
            position = position * self.dim(i) as usize + offset as usize;
        }
        Some(position)
    }
}

/// Iterates over an array's elements.
pub struct Elements<'a> {
    array: ArrayRef<'a>,
    elem: ElementType,
    at: usize,
    next: usize,
    count: usize,
}

impl<'a> Iterator for Elements<'a> {
    type Item = Result<DatumRef<'a>>;
    fn next(&mut self) -> Option<Result<DatumRef<'a>>> {
        if self.next >= self.count {
            return None;
        }
        self.next += 1;
        if self.array.is_null(self.next - 1) {
            return Some(Ok(DatumRef::Null));
        }
        let value = read_value(self.array.payload, &mut self.at, &self.elem);
        if value.is_err() {
            self.next = self.count;
        }
        Some(value)
    }
    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.count - self.next, Some(self.count - self.next))
    }
}

/// Reads a value at `at`, an offset into a varlena's payload, and moves on.
pub(crate) fn read_value<'a>(payload: &'a [u8], at: &mut usize, elem: &ElementType) -> Result<DatumRef<'a>> {
    let align = |at: usize| elem.align.up(at + 4) - 4;
    let take = |start: usize, len: usize| payload.get(start..start + len).ok_or_else(corrupted);
    match elem.len {
        -1 => {
            let first = *payload.get(*at).ok_or_else(corrupted)?;
            // A padding byte is zero; a short header never is.
            let start = if first & 1 == 1 { *at } else { align(*at) };
            let first = *payload.get(start).ok_or_else(corrupted)?;
            if first == 1 {
                // External: tag byte tells the size; arrays hold only plain ones, but pass it on.
                let bytes = take(start, 18)?;
                *at = start + 18;
                return Ok(DatumRef::Toasted(bytes));
            }
            if first & 1 == 1 {
                let len = usize::from(first >> 1);
                let bytes = take(start, len)?;
                *at = start + len;
                return bytes.get(1..).map(DatumRef::Bytes).ok_or_else(corrupted);
            }
            let header = take(start, 4)?;
            let word = u32::from_le_bytes([header[0], header[1], header[2], header[3]]);
            let bytes = take(start, (word >> 2) as usize)?;
            *at = start + bytes.len();
            if word & 3 != 0 {
                return Ok(DatumRef::Toasted(bytes));
            }
            bytes.get(4..).map(DatumRef::Bytes).ok_or_else(corrupted)
        }
        -2 => {
            let start = align(*at);
            let rest = payload.get(start..).ok_or_else(corrupted)?;
            let len = rest.iter().position(|&b| b == 0).ok_or_else(corrupted)?;
            *at = start + len + 1;
            Ok(DatumRef::Bytes(&rest[..len]))
        }
        len => {
            let start = align(*at);
            let bytes = take(start, len as usize)?;
            *at = start + len as usize;
            Ok(match (elem.byval, bytes) {
                (true, &[a]) => DatumRef::Word(u64::from(a)),
                (true, &[a, b]) => DatumRef::Word(i16::from_le_bytes([a, b]) as u64),
                (true, &[a, b, c, d]) => DatumRef::Word(i32::from_le_bytes([a, b, c, d]) as u64),
                (true, b) => DatumRef::Word(u64::from_le_bytes(b.try_into().map_err(|_| corrupted())?)),
                // A name is held without its padding.
                (false, b) if len == 64 => DatumRef::Bytes(&b[..b.iter().position(|&c| c == 0).unwrap_or(64)]),
                (false, b) => DatumRef::Bytes(b),
            })
        }
    }
}

pub(crate) fn write_value(out: &mut Vec<u8>, value: DatumRef<'_>, elem: &ElementType) {
    let aligned = elem.align.up(out.len() + 4) - 4;
    out.resize(aligned, 0);
    match (elem.len, value) {
        (-1, DatumRef::Toasted(whole)) => out.extend_from_slice(whole),
        (-1, v) => {
            let bytes = v.as_bytes();
            out.extend_from_slice(&((bytes.len() as u32 + 4) << 2).to_le_bytes());
            out.extend_from_slice(bytes);
        }
        (-2, v) => {
            out.extend_from_slice(v.as_bytes());
            out.push(0);
        }
        (len, v) if elem.byval => out.extend_from_slice(&v.word().to_le_bytes()[..len.clamp(1, 8) as usize]),
        (len, v) => {
            let end = out.len() + len as usize;
            let bytes = v.as_bytes();
            out.extend_from_slice(&bytes[..bytes.len().min(len as usize)]);
            out.resize(end, 0);
        }
    }
}

/// Makes an array's payload. Its values must not be toasted. (PostgreSQL: `construct_md_array`)
pub fn build(elem: &ElementType, dims: &[i32], lower_bounds: &[i32], values: &[DatumRef<'_>]) -> Result<Datum> {
    if values.is_empty() || dims.is_empty() {
        return Ok(build_empty(elem.oid));
    }
    if dims.len() > MAX_DIMS {
        let text = format!("number of array dimensions ({}) exceeds the maximum allowed ({MAX_DIMS})", dims.len());
        return Err(PgError::new(PROGRAM_LIMIT_EXCEEDED, text));
    }
    if values.len() > MAX_ARRAY_SIZE {
        let text = format!("array size exceeds the maximum allowed ({MAX_ARRAY_SIZE})");
        return Err(PgError::new(PROGRAM_LIMIT_EXCEEDED, text));
    }
    let nulls = values.iter().any(|v| v.is_null());
    let mut out = Vec::with_capacity(32 + values.len() * 8);
    out.extend_from_slice(&(dims.len() as i32).to_le_bytes());
    out.extend_from_slice(&0i32.to_le_bytes());
    out.extend_from_slice(&elem.oid.0.to_le_bytes());
    for n in dims.iter().chain(lower_bounds) {
        out.extend_from_slice(&n.to_le_bytes());
    }
    if nulls {
        let start = out.len();
        out.resize(start + values.len().div_ceil(8), 0);
        for (i, v) in values.iter().enumerate() {
            if !v.is_null() {
                out[start + i / 8] |= 1 << (i % 8);
            }
        }
    }
    let data = (out.len() + 4).next_multiple_of(8);
    out.resize(data - 4, 0);
    if nulls {
        out[4..8].copy_from_slice(&(data as i32).to_le_bytes());
    }
    for v in values {
        if !v.is_null() {
            write_value(&mut out, *v, elem);
        }
    }
    Ok(Datum::bytes(out))
}

/// An array of one dimension, from 1.
pub fn build_vector(elem: &ElementType, values: &[DatumRef<'_>]) -> Result<Datum> {
    build(elem, &[values.len() as i32], &[1], values)
}

/// The array without elements or dimensions.
pub fn build_empty(elem: Oid) -> Datum {
    let mut out = [0u8; 12];
    out[8..].copy_from_slice(&elem.0.to_le_bytes());
    Datum::bytes(&out[..])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oid::{INT4OID, TEXTOID};

    #[test]
    fn there_and_back() {
        let int = ElementType { oid: INT4OID, len: 4, byval: true, align: Align::Int };
        let text = ElementType { oid: TEXTOID, len: -1, byval: false, align: Align::Int };
        let ints = [DatumRef::Word(1), DatumRef::Null, DatumRef::Word(-3i64 as u64)];
        let texts = [DatumRef::Bytes(b"a"), DatumRef::Bytes(b""), DatumRef::Bytes(b"hello world"), DatumRef::Null];
        for (elem, values, dims) in [(int, &ints[..], vec![3]), (text, &texts[..], vec![2, 2])] {
            let lbs = vec![1; dims.len()];
            let datum = build(&elem, &dims, &lbs, values).unwrap();
            let array = ArrayRef::new(datum.as_ref().as_bytes()).unwrap();
            assert_eq!((array.dims(), array.lower_bounds(), array.elem_type()), (dims, lbs, elem.oid));
            assert_eq!(array.to_vec(&elem).unwrap(), values);
        }
        // As PostgreSQL stores '{1,2}'::int4[], without the header.
        let two = build_vector(&int, &[DatumRef::Word(1), DatumRef::Word(2)]).unwrap();
        let expected = [1, 0, 23, 2, 1, 1, 2].map(|n: i32| n.to_le_bytes()).concat();
        assert_eq!(two.as_ref().as_bytes(), expected);
        assert_eq!(ArrayRef::new(build_empty(INT4OID).as_ref().as_bytes()).unwrap().count(), 0);
    }
}
