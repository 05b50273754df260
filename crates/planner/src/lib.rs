//! Paths, costs, join order: from a `Query` to a [`PlannedStmt`].
#![forbid(unsafe_code)]

pub mod plan;

pub use plan::*;
