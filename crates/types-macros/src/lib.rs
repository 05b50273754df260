//! The `#[builtin]` macro.
#![forbid(unsafe_code)]
