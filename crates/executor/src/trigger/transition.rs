//! Transition tables: the rows that a statement changed, kept for AFTER triggers that name them.
//!
//! A statement's rows are kept by table and event in its [`QueryLevel`](crate::after::QueryLevel), which actions of foreign
//! keys share; a [`Capture`] is the way of one changed table's rows there.
//!
//! PostgreSQL: `TransitionCaptureState`, `AfterTriggersTableData`.

use std::sync::Arc;

use base::{Oid, Result};
use catalog::Relation;
use parking_lot::Mutex;
use types::{Batch, Column, Datum, DatumRef, TupleDesc};

use super::TriggerEvent;
use crate::row_store::RowStore;
use crate::state::Run;

/// Rows gathered before they become a batch.
const BATCH: usize = 1024;

/// The rows of one transition table.
#[derive(Default)]
pub struct TransitionRows {
    columns: Vec<Column>,
    rows: usize,
    store: RowStore,
}

impl TransitionRows {
    fn push<'a>(&mut self, run: &mut Run<'_>, desc: &TupleDesc, row: impl Iterator<Item = DatumRef<'a>>) -> Result<()> {
        if self.columns.is_empty() {
            self.columns = desc.attrs.iter().map(|a| Column::new(a.physical())).collect();
        }
        for (column, value) in self.columns.iter_mut().zip(row) {
            column.push(value);
        }
        self.rows += 1;
        if self.rows >= BATCH { self.seal(run) } else { Ok(()) }
    }
    /// Moves what was gathered to the store.
    fn seal(&mut self, run: &mut Run<'_>) -> Result<()> {
        if self.rows == 0 {
            return Ok(());
        }
        let columns = std::mem::take(&mut self.columns).into_iter().map(Arc::new).collect();
        let batch = Batch { columns, rows: std::mem::take(&mut self.rows), selection: None };
        self.store.push(run, batch)
    }
    /// The batch number `i`; `None` at the end.
    pub(crate) fn batch(&mut self, run: &mut Run<'_>, i: usize) -> Result<Option<Batch>> {
        self.seal(run)?;
        if i < self.store.len() { self.store.get(i).map(Some) } else { Ok(None) }
    }
}

/// The rows before and after of one table's changes by one kind of event.
#[derive(Default)]
pub(crate) struct Captured {
    pub old: Arc<Mutex<TransitionRows>>,
    pub new: Arc<Mutex<TransitionRows>>,
}

/// What is to be kept of a table's changes.
pub struct Capture {
    /// The table the statement names, whose triggers ask for the rows, and its columns.
    table: Oid,
    desc: Arc<TupleDesc>,
    insert_new: bool,
    update_old: bool,
    update_new: bool,
    delete_old: bool,
    /// The changed table's columns in the named one's order, where they differ.
    map: Option<Vec<Option<usize>>>,
}

impl Capture {
    /// `None` if no trigger of the named table asks for rows. (PostgreSQL: `MakeTransitionCaptureState`)
    pub fn of(named: &Relation, is_replica: bool) -> Option<Capture> {
        let wants = |event: TriggerEvent, old: bool| {
            named.triggers.iter().any(|t| {
                super::set::is_enabled(t.tgenabled, is_replica)
                    && t.tgtype & event.bit() != 0
                    && if old { t.tgoldtable.is_some() } else { t.tgnewtable.is_some() }
            })
        };
        let c = Capture {
            table: named.oid,
            desc: named.desc.clone(),
            insert_new: wants(TriggerEvent::Insert, false),
            update_old: wants(TriggerEvent::Update, true),
            update_new: wants(TriggerEvent::Update, false),
            delete_old: wants(TriggerEvent::Delete, true),
            map: None,
        };
        (c.insert_new || c.update_old || c.update_new || c.delete_old).then_some(c)
    }

    /// The same for a child or partition of the table.
    pub fn for_child(&self, child: &Relation) -> Capture {
        let place = |name: &str| child.desc.attrs.iter().position(|a| !a.dropped && *a.name == *name);
        let map = match child.oid == self.table {
            true => None,
            false => Some(self.desc.attrs.iter().map(|a| if a.dropped { None } else { place(&a.name) }).collect()),
        };
        Capture { table: self.table, desc: self.desc.clone(), map, ..*self }
    }

    /// Keeps a changed row. `child` columns are put into the named table's order.
    pub fn add(
        &self,
        run: &mut Run<'_>,
        event: TriggerEvent,
        old: Option<&[Datum]>,
        new: Option<&[Datum]>,
    ) -> Result<()> {
        let (keep_old, keep_new) = match event {
            TriggerEvent::Insert => (false, self.insert_new),
            TriggerEvent::Update => (self.update_old, self.update_new),
            TriggerEvent::Delete => (self.delete_old, false),
            TriggerEvent::Truncate => return Ok(()),
        };
        if !keep_old && !keep_new {
            return Ok(());
        }
        let captured = run.st.after.captured(self.table, event);
        for (keep, row, into) in [(keep_old, old, &captured.old), (keep_new, new, &captured.new)] {
            let Some(row) = row.filter(|_| keep) else { continue };
            let mut into = into.lock();
            match &self.map {
                None => into.push(run, &self.desc, row.iter().map(Datum::as_ref))?,
                Some(map) => {
                    let at = |i: &Option<usize>| i.and_then(|i| row.get(i)).map_or(DatumRef::Null, Datum::as_ref);
                    into.push(run, &self.desc, map.iter().map(at))?;
                }
            }
        }
        Ok(())
    }
}
