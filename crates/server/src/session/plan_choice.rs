//! Which plan a prepared statement runs: the generic one, which sessions share, or one made for its parameters' values.
//!
//! As in PostgreSQL, the first five executions get custom plans; then the generic plan is taken if it costs less than those
//! did on average, planning included. Where no value can change the plan (`planner::suits_any_values`) the choice is made all
//! the same, for `pg_prepared_statements`, but the generic plan serves as either: it costs nothing extra.
//!
//! PostgreSQL: `choose_custom_plan`, `cached_plan_cost`.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use analyze::ParamTypes;
use base::Result;
use planner::PlanOptions;
use types::Datum;

use super::Session;
use super::statement::{GenericPlan, Parsed, Unit};

/// `plan_cache_mode`
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum PlanCacheMode {
    #[default]
    Auto,
    Generic,
    Custom,
}

impl PlanCacheMode {
    pub fn parse(text: &str) -> PlanCacheMode {
        match text {
            "force_generic_plan" => PlanCacheMode::Generic,
            "force_custom_plan" => PlanCacheMode::Custom,
            _ => PlanCacheMode::Auto,
        }
    }
}

/// How often a prepared statement ran with a plan of each kind.
#[derive(Debug, Default)]
pub struct PlanCounts {
    pub generic: AtomicI64,
    pub custom: AtomicI64,
}

/// What a session remembers of a prepared statement's plans.
#[derive(Default)]
pub(super) struct Choice {
    custom: u32,
    custom_cost: f64,
    /// Shared with the system view; only of named statements.
    pub counts: Option<Arc<PlanCounts>>,
}

impl Choice {
    pub fn new(counts: Option<Arc<PlanCounts>>) -> Choice {
        Choice { counts, ..Choice::default() }
    }
    fn is_custom(&self, mode: PlanCacheMode, generic_cost: f64) -> bool {
        match mode {
            PlanCacheMode::Generic => false,
            PlanCacheMode::Custom => true,
            PlanCacheMode::Auto => self.custom < 5 || generic_cost >= self.custom_cost / f64::from(self.custom),
        }
    }
    fn count(&mut self, custom: bool, cost: f64) {
        if custom {
            self.custom = self.custom.saturating_add(1);
            self.custom_cost += cost;
        }
        if let Some(counts) = &self.counts {
            if custom { &counts.custom } else { &counts.generic }.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// The cost of running plans; with `planning`, also a guess at what making them cost.
pub(super) fn plan_cost(units: &[Unit], planning: Option<f64>) -> f64 {
    let cost = |u: &Unit| match u {
        Unit::Plan(p) => {
            p.plan.total_cost + planning.map_or(0.0, |operator| 1000.0 * operator * (p.rtable.len() + 1) as f64)
        }
        _ => 0.0,
    };
    units.iter().map(cost).sum()
}

impl Session {
    /// The plan for one execution of the prepared statement `name`, which is `prepared`.
    pub(super) fn plan_execution(
        &mut self,
        name: &str,
        prepared: &Parsed,
        params: &Arc<[Datum]>,
    ) -> Result<Arc<[Unit]>> {
        let generic = self.generic_plan(prepared)?;
        let has_plan = generic.units.iter().any(|u| matches!(u, Unit::Plan(_)));
        let mode = self.plan_cache_mode;
        let Some(entry) = self.prepared.get_mut(name) else { return Ok(generic.units) };
        let choice = &mut entry.choice;
        if params.is_empty() || !has_plan || !choice.is_custom(mode, generic.cost) {
            choice.count(false, 0.0);
            return Ok(generic.units);
        }
        let operator = self.cx.cost.cpu_operator_cost;
        if generic.any_values {
            choice.count(true, plan_cost(&generic.units, Some(operator)));
            return Ok(generic.units);
        }
        let units = self.custom_plan(prepared, params, &generic)?;
        if let Some(entry) = self.prepared.get_mut(name) {
            entry.choice.count(true, plan_cost(&units, Some(operator)));
        }
        Ok(units)
    }

    fn custom_plan(&mut self, prepared: &Parsed, params: &Arc<[Datum]>, generic: &GenericPlan) -> Result<Arc<[Unit]>> {
        let options = PlanOptions { params: Some(Arc::clone(params)), ..PlanOptions::default() };
        match &generic.queries {
            Some((command, queries)) => self.plan_queries_with(*command, queries.to_vec(), &options),
            None => {
                let Some(raw) = prepared.raw.clone() else { return Ok(Arc::from([])) };
                let mut types = ParamTypes::Fixed(prepared.param_types.clone());
                let (command, queries) = self.queries_of(&raw, &prepared.source, &mut types)?;
                self.plan_queries_with(command, queries, &options)
            }
        }
    }
}
