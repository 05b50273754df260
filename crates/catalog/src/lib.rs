//! System catalogs.
#![forbid(unsafe_code)]
