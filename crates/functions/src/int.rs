//! `int2`, `int4`, `int8`: arithmetic, comparison, input and output.

use base::sqlstate::NUMERIC_VALUE_OUT_OF_RANGE;
use base::{PgError, Result};
use types::builtin;

#[cold]
fn integer_out_of_range() -> PgError {
    PgError::new(NUMERIC_VALUE_OUT_OF_RANGE, "integer out of range")
}

#[builtin("int4pl", batch)]
fn int4pl(a: i32, b: i32) -> Result<i32> {
    a.checked_add(b).ok_or_else(integer_out_of_range)
}

#[builtin("int4eq", batch)]
fn int4eq(a: i32, b: i32) -> bool {
    a == b
}

#[builtin("int4out", write)]
fn int4out(v: i32, out: &mut Vec<u8>) -> Result<()> {
    out.extend_from_slice(v.to_string().as_bytes());
    Ok(())
}
