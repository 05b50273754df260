//! Comparisons of by-reference values over rows and batches: what the comparison macros expand to.

use base::{PgError, Result};
use types::{Arg, Bitmap, Column, ColumnData, Datum, DatumRef, FnCx, Rows, with_plain};

/// A strict function of two by-reference arguments.
pub fn test_row(
    cx: &mut FnCx<'_>,
    args: &[DatumRef<'_>],
    f: impl FnOnce(&[u8], &[u8]) -> Result<Datum>,
) -> Result<Datum> {
    with_plain(cx, args, |_, args| match args {
        [DatumRef::Bytes(a), DatumRef::Bytes(b), ..] => f(a, b),
        _ => Ok(Datum::Null),
    })
}

/// A strict test of two by-reference arguments over a batch.
pub fn test_batch(
    cx: &mut FnCx<'_>,
    args: &[Arg<'_>],
    rows: Rows<'_>,
    out: &mut Column,
    f: impl Fn(&[u8], &[u8]) -> bool,
) -> Result<()> {
    let [a, b] = args else { return Err(PgError::internal("a comparison takes two arguments")) };
    let len = out.len();
    let ColumnData::W1(dst) = &mut out.data else {
        return Err(PgError::internal("a batch kernel got a column of another physical form"));
    };
    let mut validity: Option<Bitmap> = None;
    for i in rows.iter() {
        let value = match (a.get(i), b.get(i)) {
            (DatumRef::Bytes(x), DatumRef::Bytes(y)) => f(x, y),
            (DatumRef::Null, _) | (_, DatumRef::Null) => {
                validity.get_or_insert_with(|| Bitmap::filled(len, true)).set(i, false);
                false
            }
            (x, y) => with_plain(cx, &[x, y], |_, args| match args {
                [DatumRef::Bytes(x), DatumRef::Bytes(y)] => Ok(f(x, y)),
                _ => Err(PgError::internal("a comparison got values of another physical form")),
            })?,
        };
        dst[i] = u8::from(value);
    }
    out.validity = validity;
    Ok(())
}

/// Whether a collation compares bytewise: C, POSIX, ucs_basic, pg_c_utf8, pg_unicode_fast, or the database's if it does so.
pub fn is_bytewise(cx: &FnCx<'_>) -> bool {
    match cx.call.collation.0 {
        100 => cx.settings().database_collation_is_c,
        0 | 950 | 951 | 962 | 811 | 6411 => true,
        _ => false,
    }
}
#[cold]
fn other_collation() -> PgError {
    PgError::unsupported("comparison under a collation other than C")
}
/// As [`test_row`] for text: only under bytewise collations.
pub fn text_row(
    cx: &mut FnCx<'_>,
    args: &[DatumRef<'_>],
    f: impl FnOnce(&[u8], &[u8]) -> Result<Datum>,
) -> Result<Datum> {
    if is_bytewise(cx) { test_row(cx, args, f) } else { Err(other_collation()) }
}
pub fn text_batch(
    cx: &mut FnCx<'_>,
    args: &[Arg<'_>],
    rows: Rows<'_>,
    out: &mut Column,
    f: impl Fn(&[u8], &[u8]) -> bool,
) -> Result<()> {
    if is_bytewise(cx) { test_batch(cx, args, rows, out, f) } else { Err(other_collation()) }
}
