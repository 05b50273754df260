//! Orders of values that are made of other values: arrays, rows, ranges, multiranges, enums. They are put together once, from
//! the orders of the parts, and then compare without a session.
//!
//! PostgreSQL: `array_cmp`, `record_cmp`, `range_cmp`, `multirange_cmp`, `enum_cmp`.

use std::cmp::Ordering;
use std::sync::Arc;

use base::sqlstate::{DATA_CORRUPTED, DATATYPE_MISMATCH, UNDEFINED_FUNCTION};
use base::{Oid, PgError, Result};
use hashbrown::HashMap;

use crate::array::{ArrayRef, ElementType, read_value};
use crate::compare::Comparator;
use crate::datum::DatumRef;
use crate::record;
use crate::tupledesc::TupleDesc;

fn function(f: impl Fn(DatumRef<'_>, DatumRef<'_>) -> Result<Ordering> + Send + Sync + 'static) -> Comparator {
    Comparator::Function(Arc::new(f))
}

/// Nulls come last.
fn with_nulls(c: &Comparator, a: DatumRef<'_>, b: DatumRef<'_>) -> Result<Ordering> {
    match (a.is_null(), b.is_null()) {
        (true, true) => Ok(Ordering::Equal),
        (true, false) => Ok(Ordering::Greater),
        (false, true) => Ok(Ordering::Less),
        _ => c.compare(a, b),
    }
}

/// Element by element, then by number and shape.
pub fn array(elem: ElementType, order: Comparator) -> Comparator {
    function(move |a, b| {
        let (x, y) = (ArrayRef::new(a.as_bytes())?, ArrayRef::new(b.as_bytes())?);
        if x.elem_type() != y.elem_type() {
            let text = "cannot compare arrays of different element types";
            return Err(PgError::new(DATATYPE_MISMATCH, text));
        }
        for (p, q) in x.elements(&elem).zip(y.elements(&elem)) {
            let order = with_nulls(&order, p?, q?)?;
            if order.is_ne() {
                return Ok(order);
            }
        }
        Ok(x.count()
            .cmp(&y.count())
            .then_with(|| x.ndim().cmp(&y.ndim()))
            .then_with(|| x.dims().cmp(&y.dims()))
            .then_with(|| x.lower_bounds().cmp(&y.lower_bounds())))
    })
}

/// Column by column. A column whose type has no order is an error when it matters; its type's name stands for it.
pub fn row(desc: Arc<TupleDesc>, columns: Vec<std::result::Result<Comparator, String>>) -> Comparator {
    function(move |a, b| {
        let (x, y) = (record::open(a.as_bytes(), &desc)?, record::open(b.as_bytes(), &desc)?);
        for (i, c) in columns.iter().enumerate().filter(|(i, _)| !desc.attrs[*i].dropped) {
            let order = match c {
                Ok(c) => with_nulls(c, x[i], y[i])?,
                Err(_) if x[i].is_null() && y[i].is_null() => Ordering::Equal,
                Err(name) => {
                    let text = format!("could not identify a comparison function for type {name}");
                    return Err(PgError::new(UNDEFINED_FUNCTION, text));
                }
            };
            if order.is_ne() {
                return Ok(order);
            }
        }
        Ok(Ordering::Equal)
    })
}

/// By the labels' places; labels that are in order by their numbers need no look-up.
pub fn labels(places: HashMap<Oid, f32>) -> Comparator {
    function(move |a, b| {
        let (x, y) = (a.word() as u32, b.word() as u32);
        if x == y {
            return Ok(Ordering::Equal);
        }
        if x % 2 == 0 && y % 2 == 0 {
            return Ok(x.cmp(&y));
        }
        let place = |oid: u32| {
            let found = places.get(&Oid(oid)).copied();
            found.ok_or_else(|| PgError::internal(format!("enum value {oid} not found in cache for enum")))
        };
        Ok(place(x)?.total_cmp(&place(y)?))
    })
}

const EMPTY: u8 = 0x01;
const LOWER_INCLUSIVE: u8 = 0x02;
const UPPER_INCLUSIVE: u8 = 0x04;
const LOWER_INFINITE: u8 = 0x08;
const UPPER_INFINITE: u8 = 0x10;

struct Bound<'a> {
    /// Without one it is infinite.
    value: Option<DatumRef<'a>>,
    inclusive: bool,
    lower: bool,
}

#[cold]
fn corrupted() -> PgError {
    PgError::new(DATA_CORRUPTED, "invalid range value")
}

fn bounds<'a>(payload: &'a [u8], mut at: usize, flags: u8, elem: &ElementType) -> Result<[Bound<'a>; 2]> {
    let mut bound = |infinite: u8, inclusive: u8, lower: bool| -> Result<Bound<'a>> {
        let value = if flags & infinite != 0 { None } else { Some(read_value(payload, &mut at, elem)?) };
        Ok(Bound { value, inclusive: flags & inclusive != 0, lower })
    };
    let lower = bound(LOWER_INFINITE, LOWER_INCLUSIVE, true)?;
    Ok([lower, bound(UPPER_INFINITE, UPPER_INCLUSIVE, false)?])
}

/// (PostgreSQL: `range_cmp_bounds`)
fn compare_bounds(c: &Comparator, a: &Bound<'_>, b: &Bound<'_>) -> Result<Ordering> {
    let side = |low: bool| if low { Ordering::Less } else { Ordering::Greater };
    let (x, y) = match (a.value, b.value) {
        (None, None) if a.lower == b.lower => return Ok(Ordering::Equal),
        (None, _) => return Ok(side(a.lower)),
        (_, None) => return Ok(side(!b.lower)),
        (Some(x), Some(y)) => (x, y),
    };
    Ok(c.compare(x, y)?.then_with(|| match (a.inclusive, b.inclusive) {
        (false, false) if a.lower == b.lower => Ordering::Equal,
        (false, _) => side(!a.lower),
        (true, false) => side(b.lower),
        (true, true) => Ordering::Equal,
    }))
}

fn compare_pairs(c: &Comparator, a: &[Bound<'_>; 2], b: &[Bound<'_>; 2]) -> Result<Ordering> {
    let low = compare_bounds(c, &a[0], &b[0])?;
    if low.is_eq() { compare_bounds(c, &a[1], &b[1]) } else { Ok(low) }
}

/// The empty range first, then by lower and upper bound.
pub fn range(elem: ElementType, order: Comparator) -> Comparator {
    function(move |a, b| {
        let (x, y) = (a.as_bytes(), b.as_bytes());
        let flags = |p: &[u8]| p.last().copied().ok_or_else(corrupted);
        let (fx, fy) = (flags(x)?, flags(y)?);
        match (fx & EMPTY != 0, fy & EMPTY != 0) {
            (true, true) => return Ok(Ordering::Equal),
            (true, false) => return Ok(Ordering::Less),
            (false, true) => return Ok(Ordering::Greater),
            _ => {}
        }
        compare_pairs(&order, &bounds(x, 4, fx, &elem)?, &bounds(y, 4, fy, &elem)?)
    })
}

/// Where range `i` of a multirange's payload lies, with its flags; `n` is the number of ranges. The type comes first, then
/// the number, then a word for each range but the first: the length of the one before, or an offset.
fn range_at(p: &[u8], n: usize, i: usize, elem: &ElementType) -> Result<(usize, u8)> {
    const IS_OFFSET: u32 = 0x8000_0000;
    let word = |at: usize| p.get(at..at + 4).and_then(|w| w.try_into().ok()).map(u32::from_le_bytes);
    let mut offset = 0;
    for k in (1..=i).rev() {
        let item = word(4 + 4 * k).ok_or_else(corrupted)?;
        offset += (item & !IS_OFFSET) as usize;
        if item & IS_OFFSET != 0 {
            break;
        }
    }
    let flags = 8 + n.saturating_sub(1) * 4;
    let begin = elem.align.up(flags + n + 4) - 4;
    Ok((begin + offset, *p.get(flags + i).ok_or_else(corrupted)?))
}

/// Range by range, then by their number.
pub fn multirange(elem: ElementType, order: Comparator) -> Comparator {
    function(move |a, b| {
        let (x, y) = (a.as_bytes(), b.as_bytes());
        let count = |p: &[u8]| {
            let n = p.get(4..8).and_then(|w| w.try_into().ok()).map(u32::from_le_bytes).ok_or_else(corrupted)? as usize;
            if n > p.len() { Err(corrupted()) } else { Ok(n) }
        };
        let (nx, ny) = (count(x)?, count(y)?);
        for i in 0..nx.min(ny) {
            let ((ax, fx), (ay, fy)) = (range_at(x, nx, i, &elem)?, range_at(y, ny, i, &elem)?);
            let order = compare_pairs(&order, &bounds(x, ax, fx, &elem)?, &bounds(y, ay, fy, &elem)?)?;
            if order.is_ne() {
                return Ok(order);
            }
        }
        Ok(nx.cmp(&ny))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::datum::Datum;

    #[test]
    fn labels_between_others() {
        let c = labels([(Oid(10), 1.0), (Oid(12), 2.0), (Oid(13), 1.5)].into_iter().collect());
        let compare = |a: u32, b: u32| c.compare(Datum::oid(Oid(a)).as_ref(), Datum::oid(Oid(b)).as_ref()).unwrap();
        assert_eq!(compare(10, 13), Ordering::Less);
        assert_eq!(compare(12, 13), Ordering::Greater);
        assert_eq!(compare(10, 12), Ordering::Less);
        assert_eq!(compare(13, 13), Ordering::Equal);
    }
}
