//! Triggers: what a trigger function is told ([`data`]), how it is called ([`call`]), which triggers a change of a table sets
//! off ([`set`]).
//!
//! PostgreSQL: `trigger.c`.

pub mod call;
pub mod command;
pub mod data;
pub(crate) mod set;
pub(crate) mod statement;
pub(crate) mod transition;

use std::sync::Arc;
use std::time::Duration;

use catalog::PgTrigger;

pub use command::{CommandTriggers, TruncateTriggers};
pub use data::{EventTriggerData, TransitionTable, TriggerData, TriggerEvent, TriggerLevel, TriggerTiming};
pub use set::TriggerSet;
pub use statement::StatementTriggers;
pub use transition::{Capture, TransitionRows};

/// How often and how long triggers ran. (PostgreSQL: `ri_TrigInstrument`)
#[derive(Default)]
pub struct TriggerTimes(pub Vec<TriggerTime>);

pub struct TriggerTime {
    pub trigger: Arc<PgTrigger>,
    pub calls: u64,
    pub time: Duration,
}

impl TriggerTimes {
    pub(crate) fn add(&mut self, trigger: &Arc<PgTrigger>, time: Duration) {
        let at = match self.0.iter().position(|t| t.trigger.oid == trigger.oid) {
            Some(at) => at,
            None => {
                self.0.push(TriggerTime { trigger: trigger.clone(), calls: 0, time: Duration::ZERO });
                self.0.len() - 1
            }
        };
        self.0[at].calls += 1;
        self.0[at].time += time;
    }
}
