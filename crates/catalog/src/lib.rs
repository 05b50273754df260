//! System catalogs.
#![forbid(unsafe_code)]
pub mod scram;
