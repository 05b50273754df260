//! The bodies of the built-in functions.
#![forbid(unsafe_code)]
