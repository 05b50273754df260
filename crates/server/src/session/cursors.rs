//! Cursors: DECLARE, FETCH, MOVE. A cursor keeps the rows it has given, for going back.
//!
//! PostgreSQL: `portalcmds.c`, `DoPortalRunFetch`.

use std::sync::Arc;

use analyze::ParamTypes;
use analyze::query::{CmdType, Query};
use base::sqlstate::*;
use base::{PgError, Result};
use executor::current_of::{CursorPosition, Cursors, expose_places};
use parser::ast::*;
use planner::PlanOptions;
use types::{Batch, Datum, TupleDesc};

use super::Session;
use super::idle::Running;
use super::portal::{Portal, State};
use super::statement::Unit;
use super::transaction::Block;
use crate::protocol::Format;

impl Session {
    pub(super) fn declare_cursor(&mut self, d: &DeclareCursorStmt) -> Result<String> {
        if matches!(self.block, Block::None) && d.options & cursor_opt::HOLD == 0 {
            let text = "DECLARE CURSOR can only be used in transaction blocks";
            return Err(PgError::new(NO_ACTIVE_SQL_TRANSACTION, text));
        }
        if self.portals.contains_key(&d.portalname) {
            return Err(PgError::new(DUPLICATE_CURSOR, format!("cursor \"{}\" already exists", d.portalname)));
        }
        let source = self.source.clone().unwrap_or_default();
        let stmt = Statement::Select(d.query.clone());
        let raw = RawStmt { stmt, location: base::error::Location(0), len: 0 };
        let mut queries: Vec<Query> = self.analyze_and_rewrite(&raw, &source, &mut ParamTypes::None)?;
        let [query] = &mut queries[..] else { return Err(PgError::internal("a cursor without a query")) };
        let query = std::mem::take(query);
        if query.command_type != CmdType::Select {
            return Err(PgError::unsupported("DECLARE CURSOR for this statement"));
        }
        analyze::check_cursor(&query, d.options)?;
        let options = self.cursor_plan_options(d.options);
        let mut planned = executor::plan_query(&mut self.cx, query, &options)?;
        let mut flags = d.options;
        if flags & (cursor_opt::SCROLL | cursor_opt::NO_SCROLL) == 0 {
            let scroll = planned.row_marks.is_empty() && planner::supports_backward_scan(&planned.plan);
            flags |= if scroll { cursor_opt::SCROLL } else { cursor_opt::NO_SCROLL };
        }
        let places = expose_places(&mut planned);
        let planned = Arc::new(planned);
        let units: Arc<[Unit]> = [Unit::Plan(Arc::clone(&planned))].into();
        let desc = units.first().and_then(Unit::result_desc);
        let formats = if d.options & cursor_opt::BINARY != 0 { vec![Format::Binary] } else { Vec::new() };
        let mut running = self.start_plan(&planned, Arc::from([]), &formats)?;
        running.execution.show_junk();
        let portal = Portal {
            source,
            units,
            params: Arc::from([]),
            formats,
            desc,
            state: State::Running(running),
            cursor: true,
            created: self.cx.settings.statement_timestamp,
            level: self.nest_level(),
            position: 0,
            seen: Vec::new(),
            places,
            options: flags,
        };
        self.note_position(&d.portalname, &portal);
        self.portals.insert(d.portalname.clone(), Box::new(portal));
        self.publish_objects();
        Ok("DECLARE CURSOR".into())
    }

    /// How a cursor's query is planned.
    pub(super) fn cursor_plan_options(&self, options: u32) -> PlanOptions {
        let fraction = self.cx.cost.cursor_tuple_fraction;
        // All rows, or nearly none: never quite nothing.
        let tuple_fraction = if fraction >= 1.0 { 0.0 } else { fraction.max(1e-10) };
        PlanOptions { tuple_fraction, scroll: options & cursor_opt::SCROLL != 0, ..PlanOptions::default() }
    }

    /// Tells WHERE CURRENT OF where the cursor stands.
    fn note_position(&mut self, name: &str, portal: &Portal) {
        let row = portal.position.checked_sub(1).and_then(|i| portal.seen.get(i as usize));
        let held = portal.level == 0;
        let position = CursorPosition::new(portal.places.clone(), held, row.map(Vec::as_slice));
        self.cx.extension_or_default::<Cursors>().0.insert(name.to_owned(), position);
    }

    /// FETCH and MOVE. Going back reads the rows kept since the cursor's start. (PostgreSQL: `PerformPortalFetch`)
    pub(super) fn fetch(&mut self, f: &FetchStmt, formats: &[Format]) -> Result<String> {
        let mut portal = self.portals.remove(&f.portalname).ok_or_else(|| no_cursor(&f.portalname))?;
        let result = match portal.state {
            State::Failed => {
                let text = format!("portal \"{}\" cannot be run", f.portalname);
                Err(PgError::new(OBJECT_NOT_IN_PREREQUISITE_STATE, text))
            }
            _ => self.fetch_from(&mut portal, f),
        };
        if result.is_err() {
            portal.state = State::Failed;
        }
        self.note_position(&f.portalname, &portal);
        let desc = portal.desc.clone();
        let formats = if portal.formats.is_empty() { formats.to_vec() } else { portal.formats.clone() };
        self.portals.insert(f.portalname.clone(), portal);
        let rows = result?;
        let count = rows.len();
        if f.ismove {
            return Ok(format!("MOVE {count}"));
        }
        if let Some(desc) = desc {
            let batch = batch_of(&desc, &rows);
            self.send_batches(&desc, &[batch], &formats)?;
        }
        Ok(format!("FETCH {count}"))
    }

    fn fetch_from(&mut self, portal: &mut Portal, f: &FetchStmt) -> Result<Vec<Vec<Datum>>> {
        let all = f.how_many == i64::MAX;
        let backward = match f.direction {
            FetchDirection::Forward => f.how_many < 0,
            FetchDirection::Backward => f.how_many > 0,
            FetchDirection::Absolute | FetchDirection::Relative => false,
        };
        let count = f.how_many.unsigned_abs();
        let started = portal.position > 0;
        let goes_back = match f.direction {
            FetchDirection::Absolute => f.how_many < 0 || (started && count <= portal.position),
            FetchDirection::Relative => f.how_many < 0 || (started && f.how_many == 0),
            _ => backward || (started && f.how_many == 0),
        };
        if goes_back && portal.options & cursor_opt::NO_SCROLL != 0 {
            let text = "cursor can only scan forward";
            let e = PgError::new(OBJECT_NOT_IN_PREREQUISITE_STATE, text);
            return Err(e.hint("Declare it with SCROLL option to enable backward scan."));
        }
        // `position` is the row the cursor stands on, from 1; 0 before the first.
        match f.direction {
            FetchDirection::Absolute | FetchDirection::Relative => {
                let target = match f.direction {
                    FetchDirection::Relative => portal.position as i64 + f.how_many,
                    _ if f.how_many < 0 => {
                        self.read_ahead(portal, u64::MAX)?;
                        portal.seen.len() as i64 + 1 + f.how_many
                    }
                    _ => f.how_many,
                };
                let target = u64::try_from(target).unwrap_or(0);
                self.read_ahead(portal, target)?;
                portal.position = target.min(portal.seen.len() as u64 + 1);
                let row = target.checked_sub(1).and_then(|i| portal.seen.get(i as usize));
                Ok(row.cloned().into_iter().collect())
            }
            _ if backward => {
                let mut rows = Vec::new();
                while rows.len() < usize::try_from(count).unwrap_or(usize::MAX) || all {
                    if portal.position <= 1 {
                        portal.position = 0;
                        break;
                    }
                    portal.position -= 1;
                    rows.push(portal.seen[portal.position as usize - 1].clone());
                }
                Ok(rows)
            }
            _ if f.how_many == 0 => {
                let row = portal.position.checked_sub(1).and_then(|i| portal.seen.get(i as usize));
                Ok(row.cloned().into_iter().collect())
            }
            _ => {
                let until = if all { u64::MAX } else { portal.position.saturating_add(count) };
                self.read_ahead(portal, until)?;
                let end = (portal.seen.len() as u64).min(until);
                let rows = portal.seen[(portal.position as usize).min(end as usize)..end as usize].to_vec();
                // Past the last row the cursor stands after it.
                portal.position = if end < until { end + 1 } else { end };
                Ok(rows)
            }
        }
    }

    /// Runs the cursor's plan until so many rows were seen.
    pub(super) fn read_ahead(&mut self, portal: &mut Portal, until: u64) -> Result<()> {
        let State::Running(Running { execution, .. }) = &mut portal.state else { return Ok(()) };
        let wanted = until.saturating_sub(portal.seen.len() as u64);
        if wanted == 0 || execution.is_done() {
            return Ok(());
        }
        let limit = if until == u64::MAX { 0 } else { wanted };
        execution.run(&mut self.cx, limit, &mut portal.seen)?;
        Ok(())
    }
}

pub(super) fn no_cursor(name: &str) -> PgError {
    PgError::new(UNDEFINED_CURSOR, format!("cursor \"{name}\" does not exist"))
}

fn batch_of(desc: &TupleDesc, rows: &[Vec<Datum>]) -> Batch {
    let mut columns = desc.columns();
    for row in rows {
        columns.iter_mut().zip(row).for_each(|(c, d)| c.push(d.as_ref()));
    }
    Batch { columns: columns.into_iter().map(Arc::new).collect(), rows: rows.len(), selection: None }
}

