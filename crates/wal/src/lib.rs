//! The write-ahead log.
#![forbid(unsafe_code)]
