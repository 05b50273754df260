//! Paths, costs, join order: from a `Query` to a [`PlannedStmt`].
#![forbid(unsafe_code)]

pub mod cost;
pub mod plan;

pub use cost::CostSettings;
pub use plan::*;
