//! Triggers: what a trigger function is told ([`data`]), how it is called ([`call`]), which triggers a change of a table sets
//! off ([`set`]).
//!
//! PostgreSQL: `trigger.c`.

pub mod call;
pub mod data;

pub use data::{EventTriggerData, TransitionTable, TriggerData, TriggerEvent, TriggerLevel, TriggerTiming};
