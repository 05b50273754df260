//! What a trigger function is told. (PostgreSQL: `TriggerData`, `EventTriggerData`)

use std::sync::Arc;

use analyze::NamedRelation;
use catalog::{PgTrigger, Relation};
use parking_lot::Mutex;
use types::Datum;

use super::transition::TransitionRows;

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum TriggerEvent {
    Insert,
    Delete,
    Update,
    Truncate,
}

impl TriggerEvent {
    /// As `TG_OP` shows it.
    pub fn name(self) -> &'static str {
        match self {
            TriggerEvent::Insert => "INSERT",
            TriggerEvent::Delete => "DELETE",
            TriggerEvent::Update => "UPDATE",
            TriggerEvent::Truncate => "TRUNCATE",
        }
    }
    /// The bit in `tgtype`.
    pub fn bit(self) -> i16 {
        match self {
            TriggerEvent::Insert => 1 << 2,
            TriggerEvent::Delete => 1 << 3,
            TriggerEvent::Update => 1 << 4,
            TriggerEvent::Truncate => 1 << 5,
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum TriggerLevel {
    Row,
    Statement,
}

impl TriggerLevel {
    /// As `TG_LEVEL` shows it.
    pub fn name(self) -> &'static str {
        match self {
            TriggerLevel::Row => "ROW",
            TriggerLevel::Statement => "STATEMENT",
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum TriggerTiming {
    Before,
    After,
    InsteadOf,
}

impl TriggerTiming {
    /// As `TG_WHEN` shows it.
    pub fn name(self) -> &'static str {
        match self {
            TriggerTiming::Before => "BEFORE",
            TriggerTiming::After => "AFTER",
            TriggerTiming::InsteadOf => "INSTEAD OF",
        }
    }
    /// The bits in `tgtype`.
    pub fn bits(self) -> i16 {
        match self {
            TriggerTiming::Before => 1 << 1,
            TriggerTiming::After => 0,
            TriggerTiming::InsteadOf => 1 << 6,
        }
    }
}

/// The rows a statement changed, by the name that a trigger's REFERENCING clause gave them.
#[derive(Clone)]
pub struct TransitionTable {
    pub meta: NamedRelation,
    pub(crate) rows: Arc<Mutex<TransitionRows>>,
}

/// What a trigger function is told.
///
/// Rows have all columns of [`Relation::desc`] in order, dropped ones as nulls; values may still be
/// [`Datum::Toasted`]. In a BEFORE row trigger the stored generated columns of `new` are null.
pub struct TriggerData {
    pub event: TriggerEvent,
    pub level: TriggerLevel,
    pub timing: TriggerTiming,
    /// The table or view that changes.
    pub relation: Arc<Relation>,
    /// Name (`tgname`), function (`tgfoid`) and all else of the trigger.
    pub trigger: Arc<PgTrigger>,
    /// `TG_ARGV`.
    pub args: Vec<String>,
    /// The row before an UPDATE or DELETE.
    pub old: Option<Vec<Datum>>,
    /// The row after an INSERT or UPDATE.
    pub new: Option<Vec<Datum>>,
    /// The columns that UPDATE's SET names.
    pub updated_columns: Arc<[i16]>,
    pub old_table: Option<TransitionTable>,
    pub new_table: Option<TransitionTable>,
}

impl TriggerData {
    /// What statements in the trigger's function may name besides catalogued relations: give it to `AnalyzeContext::named`
    /// (their [`TransitionTable::meta`]) and `StartOptions::named`.
    pub fn transition_tables(&self) -> Arc<[TransitionTable]> {
        self.old_table.iter().chain(&self.new_table).cloned().collect()
    }
}

/// What an event trigger's function is told: `TG_EVENT` and `TG_TAG`.
#[derive(Clone, Debug)]
pub struct EventTriggerData {
    pub event: String,
    pub tag: String,
    /// The event trigger's name.
    pub name: String,
    pub function: base::Oid,
}
