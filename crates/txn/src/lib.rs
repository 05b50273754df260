//! Transactions.
#![forbid(unsafe_code)]
