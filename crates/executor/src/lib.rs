//! Operators over batches.
#![forbid(unsafe_code)]
