//! Batch kernels over by-value types: the loops behind `#[builtin(.., batch)]`.

use base::Result;

use crate::column::{Bitmap, Column, ColumnData, Rows};
use crate::convert::Word;
use crate::datum::DatumRef;
use crate::registry::Arg;

/// A by-value result or argument type that a column holds.
pub trait Fixed: Word {
    type Raw: Copy;
    fn slice(c: &Column) -> Option<&[Self::Raw]>;
    fn slice_mut(c: &mut Column) -> Option<&mut [Self::Raw]>;
    fn from_raw(raw: Self::Raw) -> Self;
    fn to_raw(self) -> Self::Raw;
}

macro_rules! fixed {
    ($($t:ty, $raw:ty, $variant:ident, $from:expr, $to:expr;)*) => {$(
        impl Fixed for $t {
            type Raw = $raw;
            fn slice(c: &Column) -> Option<&[$raw]> {
                match &c.data { ColumnData::$variant(v) => Some(v), _ => None }
            }
            fn slice_mut(c: &mut Column) -> Option<&mut [$raw]> {
                match &mut c.data { ColumnData::$variant(v) => Some(v), _ => None }
            }
            #[inline(always)]
            fn from_raw(raw: $raw) -> $t { let f: fn($raw) -> $t = $from; f(raw) }
            #[inline(always)]
            fn to_raw(self) -> $raw { let f: fn($t) -> $raw = $to; f(self) }
        }
    )*};
}
fixed! {
    bool, u8, W1, |r| r != 0, u8::from;
    u8, u8, W1, |r| r, |v| v;
    i16, i16, W2, |r| r, |v| v;
    i32, i32, W4, |r| r, |v| v;
    i64, i64, W8, |r| r, |v| v;
    f32, i32, W4, |r| f32::from_bits(r as u32), |v| v.to_bits() as i32;
    f64, i64, W8, |r| f64::from_bits(r as u64), |v| v.to_bits() as i64;
    base::Oid, i32, W4, |r| base::Oid(r as u32), |v| v.0 as i32;
    base::Xid, i32, W4, |r| base::Xid(r as u32), |v| v.0 as i32;
}

/// The rows of `rows` at which no argument is null; marks the others null in `out`. `None` if all are valid.
fn valid_rows(args: &[Arg<'_>], rows: Rows<'_>, out: &mut Column) -> Option<Vec<u32>> {
    out.validity = None;
    if args.iter().any(|a| matches!(a, Arg::Const(DatumRef::Null))) {
        out.validity = Some(Bitmap::filled(out.len(), false));
        return Some(Vec::new());
    }
    if args.iter().all(|a| !matches!(a, Arg::Column(c) if c.validity.is_some())) {
        return None;
    }
    let mut keep = Vec::with_capacity(rows.len());
    for i in rows.iter() {
        if args.iter().any(|a| a.get(i).is_null()) { out.set_null(i) } else { keep.push(i as u32) }
    }
    Some(keep)
}

#[cold]
fn wrong_form() -> base::PgError {
    base::PgError::internal("a batch kernel got a column of another physical form")
}

/// Applies a strict function of one argument.
pub fn unary<A: Fixed, R: Fixed>(
    args: &[Arg<'_>],
    rows: Rows<'_>,
    out: &mut Column,
    mut f: impl FnMut(A) -> Result<R>,
) -> Result<()> {
    let valid = valid_rows(args, rows, out);
    let rows = valid.as_deref().map_or(rows, Rows::Some);
    let dst = R::slice_mut(out).ok_or_else(wrong_form)?;
    match args {
        [Arg::Column(a)] => {
            let a = A::slice(a).ok_or_else(wrong_form)?;
            for i in rows.iter() {
                dst[i] = f(A::from_raw(a[i]))?.to_raw();
            }
        }
        [Arg::Const(a)] => {
            for i in rows.iter() {
                dst[i] = f(A::from_word(a.word()))?.to_raw();
            }
        }
        _ => return Err(wrong_form()),
    }
    Ok(())
}

/// Applies a strict function of two arguments.
pub fn binary<A: Fixed, B: Fixed, R: Fixed>(
    args: &[Arg<'_>],
    rows: Rows<'_>,
    out: &mut Column,
    mut f: impl FnMut(A, B) -> Result<R>,
) -> Result<()> {
    let valid = valid_rows(args, rows, out);
    let rows = valid.as_deref().map_or(rows, Rows::Some);
    let dst = R::slice_mut(out).ok_or_else(wrong_form)?;
    match args {
        [Arg::Column(a), Arg::Column(b)] => {
            let a = A::slice(a).ok_or_else(wrong_form)?;
            let b = B::slice(b).ok_or_else(wrong_form)?;
            for i in rows.iter() {
                dst[i] = f(A::from_raw(a[i]), B::from_raw(b[i]))?.to_raw();
            }
        }
        [Arg::Column(a), Arg::Const(b)] => {
            let a = A::slice(a).ok_or_else(wrong_form)?;
            let b = B::from_word(b.word());
            for i in rows.iter() {
                dst[i] = f(A::from_raw(a[i]), b)?.to_raw();
            }
        }
        [Arg::Const(a), Arg::Column(b)] => {
            let a = A::from_word(a.word());
            let b = B::slice(b).ok_or_else(wrong_form)?;
            for i in rows.iter() {
                dst[i] = f(a, B::from_raw(b[i]))?.to_raw();
            }
        }
        [Arg::Const(a), Arg::Const(b)] => {
            let (a, b) = (A::from_word(a.word()), B::from_word(b.word()));
            for i in rows.iter() {
                dst[i] = f(a, b)?.to_raw();
            }
        }
        _ => return Err(wrong_form()),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::column::Physical;
    use crate::datum::Datum;

    #[test]
    fn nulls_and_selection() {
        let mut a = Column::new(Physical::W4);
        for v in [Datum::i32(1), Datum::Null, Datum::i32(i32::MAX), Datum::i32(4)] {
            a.push(v.as_ref());
        }
        let mut out = Column::new(Physical::W4);
        out.resize(4);
        let add = |a: i32, b: i32| a.checked_add(b).ok_or_else(|| base::PgError::internal("overflow"));
        binary(&[Arg::Column(&a), Arg::Const(DatumRef::Word(1))], Rows::Some(&[0, 1, 3]), &mut out, add).unwrap();
        assert_eq!([0, 1, 3].map(|i| out.get(i).to_owned()), [Datum::i32(2), Datum::Null, Datum::i32(5)]);
        let all = binary(&[Arg::Column(&a), Arg::Const(DatumRef::Word(1))], Rows::All(4), &mut out, add);
        assert!(all.is_err());
    }
}
