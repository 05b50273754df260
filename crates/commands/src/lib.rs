//! Utility statements.
#![forbid(unsafe_code)]
