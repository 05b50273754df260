//! Cursors of SQL and of procedural languages: DECLARE's and OPEN's, by name, in one place of the session, so that a function can
//! hand one to its caller. Also the loops over queries that functions have open: a COMMIT inside a loop keeps their rows.
//!
//! Going back reads the rows kept since the cursor's start; a cursor that cannot scroll keeps none.
//!
//! PostgreSQL: `portalmem.c`, `PerformPortalFetch`, `DoPortalRunFetch`.

use std::collections::VecDeque;
use std::sync::Arc;

use analyze::query::CmdType;
use base::sqlstate::OBJECT_NOT_IN_PREREQUISITE_STATE;
use base::{PgError, Result};
use hashbrown::HashMap;
use parser::ast::cursor_opt;
use planner::PlannedStmt;
use types::{Datum, TupleDesc};

use crate::context::ExecContext;
use crate::current_of::Places;
use crate::execution::Execution;
use crate::scalar_expr::plain;

/// Where FETCH goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FetchTo {
    Forward(u64),
    Backward(u64),
    /// From 1; negative ones from the end.
    Absolute(i64),
    Relative(i64),
}

/// FETCH ALL.
pub const ALL: u64 = u64::MAX;

pub struct Cursor {
    pub source: Arc<str>,
    pub desc: Arc<TupleDesc>,
    /// `None` once all rows are kept.
    execution: Option<Execution>,
    pub binary: bool,
    pub created: i64,
    /// The transaction nesting level it was made at: it ends with that. 0 for one that outlived its transaction.
    pub level: usize,
    pub options: u32,
    /// A FOR loop runs over it.
    pub pinned: bool,
    /// For WHERE CURRENT OF.
    places: Places,
    /// A fetch from it ended in an error.
    failed: bool,
    /// The row it stands on, from 1; 0 before the first.
    position: u64,
    /// Rows from the first on, with the columns that tell their places.
    seen: Vec<Vec<Datum>>,
}

/// The session's cursors by name.
#[derive(Default)]
pub struct Cursors {
    map: HashMap<String, Cursor>,
    unnamed: u64,
    loops: Vec<OpenLoop>,
}

/// A loop over a query's rows.
#[derive(Default)]
pub struct OpenLoop {
    execution: Option<Execution>,
    rows: VecDeque<Vec<Datum>>,
    /// It changes rows.
    writes: bool,
}

impl Cursor {
    /// `places` is that of the execution's plan. (See [`crate::current_of::with_places`].)
    pub fn new(
        source: Arc<str>,
        mut execution: Execution,
        places: Places,
        options: u32,
        level: usize,
        created: i64,
    ) -> Cursor {
        execution.show_junk();
        let desc = execution.planned().result_desc.clone();
        Cursor {
            source,
            desc,
            execution: Some(execution),
            binary: options & cursor_opt::BINARY != 0,
            created,
            level,
            options,
            pinned: false,
            places,
            failed: false,
            position: 0,
            seen: Vec::new(),
        }
    }
    /// One whose rows are all there.
    pub fn of_rows(source: Arc<str>, desc: Arc<TupleDesc>, rows: Vec<Vec<Datum>>, level: usize) -> Cursor {
        Cursor {
            source,
            desc,
            execution: None,
            binary: false,
            created: 0,
            level,
            options: cursor_opt::SCROLL,
            pinned: false,
            places: Places::Unknown,
            failed: false,
            position: 0,
            seen: rows,
        }
    }
    pub fn planned(&self) -> Option<&Arc<PlannedStmt>> {
        self.execution.as_ref().map(Execution::planned)
    }

    /// Runs the plan until so many rows were seen.
    fn read_ahead(&mut self, cx: &mut ExecContext, until: u64) -> Result<()> {
        let Some(execution) = &mut self.execution else { return Ok(()) };
        let wanted = until.saturating_sub(self.seen.len() as u64);
        if wanted == 0 || execution.is_done() {
            return Ok(());
        }
        let limit = if until == u64::MAX { 0 } else { wanted };
        execution.run(cx, limit, &mut self.seen).map(drop)
    }

    /// As WHERE CURRENT OF sees it: where the places are, the row it stands on, and whether it outlived its transaction.
    pub(crate) fn standing(&self) -> (&Places, Option<&[Datum]>, bool) {
        (&self.places, self.row(self.position).map(Vec::as_slice), self.level == 0)
    }

    fn row(&self, position: u64) -> Option<&Vec<Datum>> {
        position.checked_sub(1).and_then(|i| self.seen.get(i as usize))
    }

    pub fn fetch(&mut self, cx: &mut ExecContext, to: FetchTo) -> Result<Vec<Vec<Datum>>> {
        let started = self.position > 0;
        let goes_back = match to {
            FetchTo::Absolute(n) => n < 0 || (started && n.unsigned_abs() <= self.position),
            FetchTo::Relative(n) => n < 0 || (started && n == 0),
            FetchTo::Backward(_) => true,
            FetchTo::Forward(n) => started && n == 0,
        };
        if goes_back && self.options & cursor_opt::NO_SCROLL != 0 {
            let e = PgError::new(OBJECT_NOT_IN_PREREQUISITE_STATE, "cursor can only scan forward");
            return Err(e.hint("Declare it with SCROLL option to enable backward scan."));
        }
        match to {
            FetchTo::Absolute(_) | FetchTo::Relative(_) => {
                let target = match to {
                    FetchTo::Relative(n) => (self.position as i64).saturating_add(n),
                    FetchTo::Absolute(n) if n < 0 => {
                        self.read_ahead(cx, u64::MAX)?;
                        self.seen.len() as i64 + 1 + n
                    }
                    FetchTo::Absolute(n) => n,
                    _ => 0,
                };
                let target = u64::try_from(target).unwrap_or(0);
                self.read_ahead(cx, target)?;
                self.position = target.min(self.seen.len() as u64 + 1);
                Ok(self.row(target).cloned().into_iter().collect())
            }
            FetchTo::Backward(0) | FetchTo::Forward(0) => Ok(self.row(self.position).cloned().into_iter().collect()),
            FetchTo::Backward(count) => {
                let mut rows = Vec::new();
                while (rows.len() as u64) < count {
                    if self.position <= 1 {
                        self.position = 0;
                        break;
                    }
                    self.position -= 1;
                    rows.push(self.seen[self.position as usize - 1].clone());
                }
                Ok(rows)
            }
            FetchTo::Forward(count) => {
                let until = self.position.saturating_add(count);
                self.read_ahead(cx, until)?;
                let end = (self.seen.len() as u64).min(until);
                let rows = self.seen[(self.position as usize).min(end as usize)..end as usize].to_vec();
                // Past the last row the cursor stands after it.
                self.position = if end < until { end + 1 } else { end };
                Ok(rows)
            }
        }
    }

    /// Reads what is left, so that nothing of the transaction is needed any more.
    pub fn hold(&mut self, cx: &mut ExecContext) -> Result<()> {
        self.read_ahead(cx, u64::MAX)?;
        for value in self.seen.iter_mut().flatten() {
            if matches!(value, Datum::Toasted(_)) {
                *value = plain(cx, std::mem::take(value))?;
            }
        }
        if let Some(mut e) = self.execution.take() {
            e.finish(cx)?;
        }
        self.level = 0;
        Ok(())
    }
}

impl Cursors {
    pub fn get(&self, name: &str) -> Option<&Cursor> {
        self.map.get(name)
    }
    pub fn contains(&self, name: &str) -> bool {
        self.map.contains_key(name)
    }
    pub fn insert(&mut self, name: String, cursor: Cursor) {
        self.map.insert(name, cursor);
    }
    pub fn remove(&mut self, name: &str) -> Option<Cursor> {
        self.map.remove(name)
    }
    pub fn get_mut(&mut self, name: &str) -> Option<&mut Cursor> {
        self.map.get_mut(name)
    }
    pub fn clear(&mut self) {
        self.map.clear();
    }
    pub fn is_empty(&self) -> bool {
        self.map.is_empty()
    }
    pub fn iter(&self) -> impl Iterator<Item = (&String, &Cursor)> {
        self.map.iter()
    }
    /// (PostgreSQL: `GetNewPortal`)
    pub fn new_name(&mut self) -> String {
        loop {
            self.unnamed += 1;
            let name = format!("<unnamed portal {}>", self.unnamed);
            if !self.map.contains_key(&name) {
                return name;
            }
        }
    }
    /// Is there one WITH HOLD of the current transaction?
    pub fn has_held(&self) -> bool {
        self.map.values().any(|c| c.options & cursor_opt::HOLD != 0 && c.level > 0)
    }
    /// Ends the cursors of nesting level `level` and deeper.
    pub fn close_from(&mut self, level: usize) {
        self.map.retain(|_, c| c.level < level);
    }
    /// A subtransaction at `level` became part of its parent.
    pub fn release(&mut self, level: usize) {
        self.map.values_mut().for_each(|c| c.level = c.level.min(level - 1));
    }
}

/// Fetches from a cursor; `None` if there is none of that name.
pub fn fetch(cx: &mut ExecContext, name: &str, to: FetchTo) -> Result<Option<(Arc<TupleDesc>, Vec<Vec<Datum>>)>> {
    // Its query may use cursors itself.
    let Some(mut cursor) = cx.extension_or_default::<Cursors>().remove(name) else { return Ok(None) };
    let rows = match cursor.failed {
        false => cursor.fetch(cx, to),
        true => Err(PgError::new(OBJECT_NOT_IN_PREREQUISITE_STATE, format!("portal \"{name}\" cannot be run"))),
    };
    cursor.failed = rows.is_err();
    let desc = cursor.desc.clone();
    cx.extension_or_default::<Cursors>().insert(name.to_owned(), cursor);
    let mut rows = rows?;
    rows.iter_mut().for_each(|r| r.truncate(desc.len()));
    Ok(Some((desc, rows)))
}

/// The transaction commits: cursors end, but for those WITH HOLD, and those that loops of a procedure use, which keep their rows.
/// (PostgreSQL: `PreCommit_Portals`, `HoldPinnedPortals`)
pub fn before_commit(cx: &mut ExecContext) -> Result<()> {
    let all = cx.extension_or_default::<Cursors>();
    if all.map.is_empty() && all.loops.is_empty() {
        return Ok(());
    }
    all.map.retain(|_, c| c.pinned || c.options & cursor_opt::HOLD != 0);
    let names: Vec<String> = all.map.iter().filter(|(_, c)| c.level > 0).map(|(n, _)| n.clone()).collect();
    for name in names {
        let Some(mut c) = cx.extension_or_default::<Cursors>().remove(&name) else { continue };
        c.hold(cx)?;
        cx.extension_or_default::<Cursors>().insert(name, c);
    }
    hold_loops(cx)
}

/// How many rows a loop reads at a time, after the first few. (PostgreSQL: `exec_for_query`)
const LOOP_ROWS: u64 = 50;
const FIRST_ROWS: u64 = 10;

/// A loop over a query begins; to be ended with [`loop_end`].
pub fn loop_begin(cx: &mut ExecContext, execution: Execution) -> usize {
    let loops = &mut cx.extension_or_default::<Cursors>().loops;
    let writes = execution.planned().command_type != CmdType::Select;
    loops.push(OpenLoop { execution: Some(execution), rows: VecDeque::new(), writes });
    loops.len() - 1
}

/// As [`loop_begin`], over rows that are there.
pub fn loop_rows(cx: &mut ExecContext, rows: Vec<Vec<Datum>>) -> usize {
    let loops = &mut cx.extension_or_default::<Cursors>().loops;
    loops.push(OpenLoop { execution: None, rows: rows.into(), writes: false });
    loops.len() - 1
}

/// The loop's next row.
pub fn loop_next(cx: &mut ExecContext, at: usize, first: bool) -> Result<Option<Vec<Datum>>> {
    let entry = &mut cx.extension_or_default::<Cursors>().loops[at];
    if let Some(row) = entry.rows.pop_front() {
        return Ok(Some(row));
    }
    let Some(mut e) = entry.execution.take() else { return Ok(None) };
    let mut rows: Vec<Vec<Datum>> = Vec::new();
    e.run(cx, if first { FIRST_ROWS } else { LOOP_ROWS }, &mut rows)?;
    if e.is_done() {
        e.finish(cx)?;
    }
    let entry = &mut cx.extension_or_default::<Cursors>().loops[at];
    if !e.is_done() {
        entry.execution = Some(e);
    }
    entry.rows.extend(rows);
    Ok(entry.rows.pop_front())
}

/// The loop is over, as are those that an error left open inside it.
pub fn loop_end(cx: &mut ExecContext, at: usize) {
    cx.extension_or_default::<Cursors>().loops.truncate(at);
}

impl Cursors {
    /// How many loops are open.
    pub fn open_loops(&self) -> usize {
        self.loops.len()
    }
}

/// The loop's next row, if it was read already.
pub fn loop_buffered(cx: &mut ExecContext, at: usize) -> Option<Vec<Datum>> {
    cx.extension_or_default::<Cursors>().loops.get_mut(at)?.rows.pop_front()
}

/// Can a plan give its rows backwards? Cursors for those that can may scroll without being asked to.
pub fn supports_backward_scan(planned: &PlannedStmt) -> bool {
    planned.row_marks.is_empty() && planner::supports_backward_scan(&planned.plan)
}

/// The transaction is about to be undone by a procedure: loops keep their rows. (PostgreSQL: `HoldPinnedPortals`)
pub fn before_rollback(cx: &mut ExecContext) -> Result<()> {
    let names: Vec<String> = {
        let all = cx.extension_or_default::<Cursors>();
        all.map.iter().filter(|(_, c)| c.pinned && c.level > 0).map(|(n, _)| n.clone()).collect()
    };
    for name in names {
        let Some(mut c) = cx.extension_or_default::<Cursors>().remove(&name) else { continue };
        c.hold(cx)?;
        cx.extension_or_default::<Cursors>().insert(name, c);
    }
    hold_loops(cx)
}

/// The transaction from nesting level `level` on was undone.
pub fn undone(cx: &mut ExecContext, level: usize) {
    let all = cx.extension_or_default::<Cursors>();
    all.close_from(level);
    if level <= 1 {
        all.loops.clear();
    }
}

fn hold_loops(cx: &mut ExecContext) -> Result<()> {
    for i in 0..cx.extension_or_default::<Cursors>().loops.len() {
        let entry = &mut cx.extension_or_default::<Cursors>().loops[i];
        let (writes, taken) = (entry.writes, entry.execution.take());
        if writes {
            let text = "cannot perform transaction commands inside a cursor loop that is not read-only";
            return Err(PgError::new(base::sqlstate::INVALID_TRANSACTION_TERMINATION, text));
        }
        let Some(mut e) = taken else { continue };
        let mut rows: Vec<Vec<Datum>> = Vec::new();
        e.run(cx, 0, &mut rows)?;
        e.finish(cx)?;
        for value in rows.iter_mut().flatten() {
            *value = plain(cx, std::mem::take(value))?;
        }
        cx.extension_or_default::<Cursors>().loops[i].rows.extend(rows);
    }
    Ok(())
}
