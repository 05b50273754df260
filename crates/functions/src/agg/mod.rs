//! Aggregates: the states of many groups side by side, updated by loops over columns. (PostgreSQL: the `aggtransfn`s)
//!
//! `fold` holds those that fold words (min, max, bits, booleans), `sums` integers and counts, `floats` and `numerics` theirs
//! with variance and regression, `collect` strings, arrays and byte values, `intervals` sums of intervals.

pub mod collect;
pub mod floats;
pub mod fold;
pub mod intervals;
pub mod numerics;
pub mod sums;

use base::{PgError, Result};
use types::{AggStates, BuiltinAggregate, FnCall, Rows};

pub(crate) const fn agg(
    transition: &'static str,
    final_fn: &'static str,
    new: fn(&FnCall) -> Box<dyn AggStates>,
) -> BuiltinAggregate {
    BuiltinAggregate { transition, final_fn, new }
}

/// Visits the rows with their groups.
#[inline]
pub(crate) fn each(groups: &[u32], rows: Rows<'_>, mut f: impl FnMut(usize, usize) -> Result<()>) -> Result<()> {
    if groups.is_empty() {
        for r in rows.iter() {
            f(0, r)?;
        }
    } else {
        for r in rows.iter() {
            f(groups[r] as usize, r)?;
        }
    }
    Ok(())
}

#[cold]
pub(crate) fn mismatch() -> PgError {
    PgError::internal("an aggregate got values or states of another form")
}

/// The other side of a merge.
pub(crate) fn same<T: 'static>(from: &mut dyn AggStates) -> Result<&mut T> {
    from.as_any().downcast_mut().ok_or_else(mismatch)
}
