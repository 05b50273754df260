//! Paths, costs, plans: a [`analyze::query::Query`] becomes a [`PlannedStmt`].
//!
//! [`plan`] is the entry point. Plan nodes and their invariants: [`PlannedStmt`]; cost parameters: [`CostSettings`].
//!
//! PostgreSQL: `optimizer/`.
#![forbid(unsafe_code)]

pub mod cost;
mod direct;
pub mod plan;

use std::sync::Arc;

use analyze::query::Query;
use base::Result;
use catalog::{Catalog, Relation};
use types::{Datum, Runtime};

pub use cost::CostSettings;
pub use plan::*;

/// How large relations are on disk: the planner's one look at storage. (PostgreSQL: `RelationGetNumberOfBlocks`)
pub trait RelationSizes {
    /// Blocks of the main fork.
    fn nblocks(&self, relation: &Relation) -> Result<u32>;
}

/// What the planner is given.
pub struct PlannerContext<'a> {
    pub catalog: Catalog,
    /// Folds constants: immutable functions are called while planning.
    pub rt: &'a mut dyn Runtime,
    pub cost: &'a CostSettings,
    pub sizes: &'a dyn RelationSizes,
}

/// What kind of plan is wanted.
#[derive(Clone, Default)]
pub struct PlanOptions {
    /// The values of `$1`, ... for a plan made for them alone (a custom plan); `None`: a generic plan.
    pub params: Option<Arc<[Datum]>>,
    /// The share of the rows that a cursor's reader is expected to fetch, 0: all. (PostgreSQL: `cursor_tuple_fraction`)
    pub tuple_fraction: f64,
    /// The plan must run backwards too (SCROLL).
    pub scroll: bool,
}

/// Plans one analyzed and rewritten query. (PostgreSQL: `standard_planner`)
pub fn plan(cx: &mut PlannerContext<'_>, query: Query, options: &PlanOptions) -> Result<PlannedStmt> {
    direct::plan(cx, query, options)
}
