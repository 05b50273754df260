//! Arrays of text: taken apart and made. The array type itself is in `array_sql`.

use base::Result;
use types::array::{self, ArrayRef, ElementType};
use types::oid::{CSTRINGOID, TEXTOID};
use types::{Align, Datum, DatumRef, FromDatum};

pub const TEXT: ElementType = ElementType { oid: TEXTOID, len: -1, byval: false, align: Align::Int };
pub const CSTRING: ElementType = ElementType { oid: CSTRINGOID, len: -2, byval: false, align: Align::Char };

/// The strings of a `cstring[]`, as type modifiers come.
pub fn cstrings(array: &[u8]) -> Result<Vec<String>> {
    ArrayRef::new(array)?.elements(&CSTRING).map(|v| Ok(<&str>::from_datum(v?)?.to_owned())).collect()
}
/// The strings of a `text[]`; nulls stay.
pub fn texts(array: &[u8]) -> Result<Vec<Option<String>>> {
    ArrayRef::new(array)?.elements(&TEXT).map(|v| Ok(Option::<&str>::from_datum(v?)?.map(str::to_owned))).collect()
}
/// A `text[]` of one dimension.
pub fn text_array<'a>(values: impl Iterator<Item = Option<&'a str>>) -> Result<Datum> {
    let values: Vec<DatumRef<'_>> =
        values.map(|v| v.map_or(DatumRef::Null, |s| DatumRef::Bytes(s.as_bytes()))).collect();
    array::build_vector(&TEXT, &values)
}
