//! Errors that many types raise.

use base::sqlstate::*;
use base::{PgError, SqlState};

#[cold]
pub fn invalid_input(type_name: &str, text: &str) -> PgError {
    PgError::new(INVALID_TEXT_REPRESENTATION, format!("invalid input syntax for type {type_name}: \"{text}\""))
}
#[cold]
pub fn value_out_of_range(type_name: &str, text: &str) -> PgError {
    PgError::new(NUMERIC_VALUE_OUT_OF_RANGE, format!("value \"{text}\" is out of range for type {type_name}"))
}
#[cold]
pub fn out_of_range(what: &str) -> PgError {
    PgError::new(NUMERIC_VALUE_OUT_OF_RANGE, format!("{what} out of range"))
}
#[cold]
pub fn division_by_zero() -> PgError {
    PgError::new(DIVISION_BY_ZERO, "division by zero")
}
#[cold]
pub fn invalid_parameter(text: impl Into<String>) -> PgError {
    PgError::new(INVALID_PARAMETER_VALUE, text)
}
#[cold]
pub fn error(code: SqlState, text: impl Into<String>) -> PgError {
    PgError::new(code, text)
}
#[cold]
pub fn too_large() -> PgError {
    PgError::new(PROGRAM_LIMIT_EXCEEDED, "requested length too large")
}
#[cold]
pub fn bad_binary(what: &str) -> PgError {
    PgError::new(INVALID_BINARY_REPRESENTATION, what)
}
