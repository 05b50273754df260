//! Names and types resolved.
#![forbid(unsafe_code)]
