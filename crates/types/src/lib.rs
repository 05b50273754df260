//! Datums, columns, batches, the registry of built-ins.
#![forbid(unsafe_code)]
