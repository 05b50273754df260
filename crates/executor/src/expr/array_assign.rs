//! Assignment to elements and slices of arrays: the value with the new elements in place.
//!
//! PostgreSQL: `array_set_element`, `array_set_slice`. An array of one dimension grows in both directions, the gap filled
//! with nulls; one of several dimensions does not.

use base::sqlstate::*;
use base::{PgError, Result};
use types::array::{self, ArrayRef, ElementType};
use types::{Datum, DatumRef};

fn subscript_error(text: &str) -> PgError {
    PgError::new(ARRAY_SUBSCRIPT_ERROR, text)
}
fn too_large() -> PgError {
    let text = format!("array size exceeds the maximum allowed ({})", array::MAX_ARRAY_SIZE);
    PgError::new(PROGRAM_LIMIT_EXCEEDED, text)
}

/// An array with one element set.
pub(crate) fn set_element(payload: &[u8], elem: &ElementType, at: &[i32], value: DatumRef<'_>) -> Result<Datum> {
    let array = ArrayRef::new(payload)?;
    if array.ndim() == 0 {
        check_bounds(at.iter().map(|a| i64::from(*a)))?;
        return array::build(elem, &vec![1; at.len()], at, &[value]);
    }
    if array.ndim() != at.len() {
        return Err(subscript_error("wrong number of array subscripts"));
    }
    if let [at] = *at {
        return spliced(&array, elem, (at, at), &[value]);
    }
    let place = array.position(at).ok_or_else(|| subscript_error("array subscript out of range"))?;
    let mut all = array.to_vec(elem)?;
    all[place] = value;
    array::build(elem, &array.dims(), &array.lower_bounds(), &all)
}

/// The highest subscript must be an integer too.
fn check_bounds(mut last: impl Iterator<Item = i64>) -> Result<()> {
    if last.any(|l| l >= i64::from(i32::MAX)) {
        return Err(PgError::new(PROGRAM_LIMIT_EXCEEDED, format!("array lower bound is too large: {}", i32::MAX)));
    }
    Ok(())
}

/// An array of one dimension with the elements from `first` to `last` replaced.
fn spliced(
    array: &ArrayRef<'_>,
    elem: &ElementType,
    (first, last): (i32, i32),
    values: &[DatumRef<'_>],
) -> Result<Datum> {
    let (lb, n) = (i64::from(array.lower_bound(0)), i64::from(array.dim(0)));
    let (first, last) = (i64::from(first), i64::from(last));
    let (low, high) = (lb.min(first), (lb + n - 1).max(last));
    let len = high - low + 1;
    if len > array::MAX_ARRAY_SIZE as i64 {
        return Err(too_large());
    }
    let mut all = vec![DatumRef::Null; len as usize];
    for (slot, v) in all[(lb - low) as usize..].iter_mut().zip(array.elements(elem)) {
        *slot = v?;
    }
    all[(first - low) as usize..=(last - low) as usize].copy_from_slice(values);
    array::build(elem, &[len as i32], &[low as i32], &all)
}

/// An array with a slice set from the elements of another, in order; bounds that are missing are the array's own.
pub(crate) fn set_slice(
    payload: &[u8],
    elem: &ElementType,
    lower: &[Option<i32>],
    upper: &[Option<i32>],
    source: &[u8],
) -> Result<Datum> {
    let array = ArrayRef::new(payload)?;
    let values = ArrayRef::new(source)?.to_vec(elem)?;
    let n = upper.len();
    let too_small = || subscript_error("source array too small");
    if array.ndim() == 0 {
        let (mut dims, mut lbs) = (Vec::new(), Vec::new());
        for (l, u) in lower.iter().zip(upper) {
            let (Some(l), Some(u)) = (*l, *u) else {
                let detail =
                    "When assigning to a slice of an empty array value, slice boundaries must be fully specified.";
                return Err(subscript_error("array slice subscript must provide both boundaries").detail(detail));
            };
            dims.push(u.checked_sub(l).and_then(|d| d.checked_add(1)).ok_or_else(too_large)?);
            lbs.push(l);
        }
        if dims.iter().any(|d| *d < 0) {
            return Err(too_large());
        }
        let wanted: i64 = dims.iter().map(|d| i64::from(*d)).product();
        let part = usize::try_from(wanted).ok().and_then(|w| values.get(..w)).ok_or_else(too_small)?;
        return array::build(elem, &dims, &lbs, part);
    }
    if array.ndim() < n {
        return Err(subscript_error("wrong number of array subscripts"));
    }
    let mut spans = Vec::new();
    for i in 0..array.ndim() {
        let (lb, ub) = (array.lower_bound(i), array.lower_bound(i) + array.dim(i) - 1);
        let l = lower.get(i).copied().flatten().unwrap_or(lb);
        let u = upper.get(i).copied().flatten().unwrap_or(ub);
        if l > u {
            return Err(subscript_error("upper bound cannot be less than lower bound"));
        }
        if array.ndim() > 1 && (l < lb || u > ub) {
            return Err(subscript_error("array subscript out of range"));
        }
        spans.push((l, u));
    }
    let width = |(l, u): &(i32, i32)| i64::from(*u) - i64::from(*l) + 1;
    let wanted = spans.iter().map(width).try_fold(1i64, i64::checked_mul).ok_or_else(too_large)?;
    let part = usize::try_from(wanted).ok().and_then(|w| values.get(..w)).ok_or_else(too_small)?;
    if let [span] = spans[..] {
        return spliced(&array, elem, span, part);
    }
    let mut all = array.to_vec(elem)?;
    let mut at: Vec<i32> = spans.iter().map(|s| s.0).collect();
    for v in part {
        if let Some(p) = array.position(&at) {
            all[p] = *v;
        }
        for i in (0..at.len()).rev() {
            if at[i] < spans[i].1 {
                at[i] += 1;
                break;
            }
            at[i] = spans[i].0;
        }
    }
    array::build(elem, &array.dims(), &array.lower_bounds(), &all)
}

#[cfg(test)]
mod tests {
    use super::*;
    use types::Align;
    use types::oid::INT4OID;

    const INT4: ElementType = ElementType { oid: INT4OID, len: 4, byval: true, align: Align::Int };

    fn ints(d: &Datum) -> (i32, Vec<i64>) {
        let payload = d.as_ref();
        let a = ArrayRef::new(payload.as_bytes()).unwrap();
        let values = a.to_vec(&INT4).unwrap();
        (a.lower_bound(0), values.iter().map(|v| if v.is_null() { -1 } else { v.word() as i64 }).collect())
    }

    #[test]
    fn grows_in_both_directions() {
        let empty = array::build_empty(INT4OID);
        let a = set_element(empty.as_ref().as_bytes(), &INT4, &[3], DatumRef::Word(7)).unwrap();
        assert_eq!(ints(&a), (3, vec![7]));
        let a = set_element(a.as_ref().as_bytes(), &INT4, &[1], DatumRef::Word(5)).unwrap();
        assert_eq!(ints(&a), (1, vec![5, -1, 7]));
        let source = array::build_vector(&INT4, &[DatumRef::Word(8), DatumRef::Word(9)]).unwrap();
        let b = set_slice(a.as_ref().as_bytes(), &INT4, &[Some(3)], &[Some(4)], source.as_ref().as_bytes()).unwrap();
        assert_eq!(ints(&b), (1, vec![5, -1, 8, 9]));
        assert!(set_slice(a.as_ref().as_bytes(), &INT4, &[Some(1)], &[Some(9)], source.as_ref().as_bytes()).is_err());
    }
}
