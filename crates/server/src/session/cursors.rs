//! DECLARE, FETCH, MOVE and CLOSE, for clients and for functions. The cursors themselves are kept by
//! [`executor::cursor`], beside those that PL/pgSQL opens.

use std::sync::Arc;

use analyze::query::CmdType;
use analyze::{AnalyzeContext, ParamTypes};
use base::sqlstate::*;
use base::{PgError, Result};
use executor::cursor::{self, ALL, Cursor, Cursors, FetchTo};
use executor::{ExecContext, Execution, StartOptions, current_of};
use parser::ast::{DeclareCursorStmt, FetchDirection, FetchStmt, RawStmt, Statement, cursor_opt};
use planner::PlanOptions;
use types::{Datum, TupleDesc};

/// DECLARE, of a transaction at that nesting level.
pub(super) fn declare(cx: &mut ExecContext, d: &DeclareCursorStmt, source: &Arc<str>, level: usize) -> Result<()> {
    if cx.extension_or_default::<Cursors>().contains(&d.portalname) {
        return Err(PgError::new(DUPLICATE_CURSOR, format!("cursor \"{}\" already exists", d.portalname)));
    }
    let stmt = Statement::Select(d.query.clone());
    let raw = RawStmt { stmt, location: base::error::Location(0), len: 0 };
    let catalog = cx.catalog.clone();
    let mut lock = executor::relation_locker(cx)?;
    let mut queries = {
        let mut acx = AnalyzeContext::new(catalog, &mut *cx);
        acx.lock = Some(&mut lock);
        let query = analyze::analyze(&mut acx, &raw, source, &mut ParamTypes::None)?;
        analyze::rewrite(&mut acx, query)?
    };
    drop(lock);
    let (Some(query), true) = (queries.pop(), queries.is_empty()) else {
        return Err(PgError::unsupported("DECLARE CURSOR for this statement"));
    };
    if query.command_type != CmdType::Select {
        return Err(PgError::unsupported("DECLARE CURSOR for this statement"));
    }
    analyze::check_cursor(&query, d.options)?;
    let options = plan_options(cx, d.options);
    let planned = Arc::new(executor::plan_query(cx, query, &options)?);
    let mut flags = d.options;
    if flags & (cursor_opt::SCROLL | cursor_opt::NO_SCROLL) == 0 {
        let scroll = cursor::supports_backward_scan(&planned);
        flags |= if scroll { cursor_opt::SCROLL } else { cursor_opt::NO_SCROLL };
    }
    executor::lock_plan_relations(cx, std::iter::once(&*planned))?;
    let options = StartOptions { snapshot: cx.snapshot.clone(), ..StartOptions::default() };
    let (planned, places) = current_of::with_places(&planned);
    let execution = Execution::start(planned, cx, options)?;
    let created = cx.settings.statement_timestamp;
    let cursor = Cursor::new(Arc::clone(source), execution, places, flags, level, created);
    cx.extension_or_default::<Cursors>().insert(d.portalname.clone(), cursor);
    Ok(())
}

/// How a cursor's query is planned.
pub(super) fn plan_options(cx: &ExecContext, options: u32) -> PlanOptions {
    let fraction = cx.cost.cursor_tuple_fraction;
    // All rows, or nearly none: never quite nothing.
    let tuple_fraction = if fraction >= 1.0 { 0.0 } else { fraction.max(1e-10) };
    PlanOptions { tuple_fraction, scroll: options & cursor_opt::SCROLL != 0, ..PlanOptions::default() }
}

/// FETCH's and MOVE's rows.
pub(super) fn fetch(cx: &mut ExecContext, f: &FetchStmt) -> Result<(Arc<TupleDesc>, Vec<Vec<Datum>>)> {
    let count = |n: i64| if n == i64::MAX { ALL } else { n.unsigned_abs() };
    let to = match f.direction {
        FetchDirection::Forward if f.how_many < 0 => FetchTo::Backward(count(f.how_many)),
        FetchDirection::Backward if f.how_many < 0 => FetchTo::Forward(count(f.how_many)),
        FetchDirection::Forward => FetchTo::Forward(count(f.how_many)),
        FetchDirection::Backward => FetchTo::Backward(count(f.how_many)),
        FetchDirection::Absolute => FetchTo::Absolute(f.how_many),
        FetchDirection::Relative => FetchTo::Relative(f.how_many),
    };
    cursor::fetch(cx, &f.portalname, to)?.ok_or_else(|| no_cursor(&f.portalname))
}

/// CLOSE; the command tag.
pub(super) fn close(cx: &mut ExecContext, name: Option<&str>) -> Result<&'static str> {
    let cursors = cx.extension_or_default::<Cursors>();
    match name {
        Some(name) => match cursors.remove(name) {
            Some(_) => Ok("CLOSE CURSOR"),
            None => Err(no_cursor(name)),
        },
        None => {
            cursors.clear();
            Ok("CLOSE CURSOR ALL")
        }
    }
}

/// The columns of a cursor.
pub(super) fn desc(cx: &mut ExecContext, name: &str) -> Option<Arc<TupleDesc>> {
    cx.extension_or_default::<Cursors>().get(name).map(|c| c.desc.clone())
}

pub(super) fn no_cursor(name: &str) -> PgError {
    PgError::new(UNDEFINED_CURSOR, format!("cursor \"{name}\" does not exist"))
}
