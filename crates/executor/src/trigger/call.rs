//! Calling a trigger's function: a native one of this floor, or one of a procedural language.
//!
//! PostgreSQL: `ExecCallTriggerFunc`.

use analyze::query::Expr;
use base::sqlstate::E_R_I_E_TRIGGER_PROTOCOL_VIOLATED;
use base::{Oid, PgError, Result};
use types::Datum;

use super::{TriggerData, TriggerEvent, TriggerLevel, TriggerTiming};
use crate::context::ExecContext;
use crate::state::Run;

const INTERNAL: Oid = Oid(12);

/// How deep triggers are in triggers. (PostgreSQL: `MyTriggerDepth`)
#[derive(Default)]
pub struct TriggerDepth(pub i32);

/// A trigger function of this floor.
pub(crate) type Native = fn(&mut ExecContext, &TriggerData) -> Result<Option<Vec<Datum>>>;

fn native(prosrc: &str) -> Option<Native> {
    Some(match prosrc {
        "suppress_redundant_updates_trigger" => suppress_redundant_updates,
        _ => return None,
    })
}

/// Calls the trigger's function; see [`crate::language::Language::call_trigger`] for the result.
pub(crate) fn call(cx: &mut ExecContext, data: &mut TriggerData) -> Result<Option<Vec<Datum>>> {
    cx.interrupt.check()?;
    analyze::walker::check_depth()?;
    cx.extension_or_default::<TriggerDepth>().0 += 1;
    let done = run(cx, data);
    cx.extension_or_default::<TriggerDepth>().0 -= 1;
    done
}

fn run(cx: &mut ExecContext, data: &mut TriggerData) -> Result<Option<Vec<Datum>>> {
    let proc = cx.catalog.function_row(data.trigger.tgfoid)?;
    cx.check_execute(&proc)?;
    if proc.prolang == INTERNAL {
        let missing = || PgError::unsupported(format!("trigger function {}", proc.proname));
        return native(&proc.prosrc).ok_or_else(missing)?(cx, data);
    }
    let language = cx.language(proc.prolang)?;
    let language = language.ok_or_else(|| PgError::unsupported(format!("trigger function {}", proc.proname)))?;
    // Their values are computed after the trigger.
    if (data.timing, data.level) == (TriggerTiming::Before, TriggerLevel::Row)
        && let Some(new) = &mut data.new
    {
        for (value, a) in new.iter_mut().zip(&data.relation.desc.attrs) {
            if a.generated == b's' {
                *value = Datum::Null;
            }
        }
    }
    crate::language::guarded(cx, &proc, |cx| language.call_trigger(cx, data))
}

fn misused(text: &str) -> PgError {
    PgError::new(E_R_I_E_TRIGGER_PROTOCOL_VIOLATED, format!("suppress_redundant_updates_trigger: {text}"))
}

/// (PostgreSQL: `suppress_redundant_updates_trigger`)
fn suppress_redundant_updates(_: &mut ExecContext, data: &TriggerData) -> Result<Option<Vec<Datum>>> {
    if data.event != TriggerEvent::Update {
        return Err(misused("must be called on update"));
    }
    if data.timing != TriggerTiming::Before {
        return Err(misused("must be called before update"));
    }
    if data.level != TriggerLevel::Row {
        return Err(misused("must be called for each row"));
    }
    Ok(if data.old == data.new { None } else { data.new.clone() })
}

/// Calls an event trigger's function. (PostgreSQL: `EventTriggerInvoke`)
pub fn call_event(cx: &mut ExecContext, data: &super::EventTriggerData) -> Result<()> {
    cx.interrupt.check()?;
    analyze::walker::check_depth()?;
    let proc = cx.catalog.function_row(data.function)?;
    let language = cx.language(proc.prolang)?;
    let missing = || PgError::unsupported(format!("event trigger function {}", proc.proname));
    language.ok_or_else(missing)?.call_event_trigger(cx, data)
}

/// As `call`, counted for EXPLAIN ANALYZE.
pub(crate) fn call_timed(run: &mut Run<'_>, data: &mut TriggerData) -> Result<Option<Vec<Datum>>> {
    if !run.st.instrument {
        return call(run.cx, data);
    }
    let start = std::time::Instant::now();
    let done = call(run.cx, data);
    let times = run.st.after.times.get_or_insert_default();
    times.add(&data.trigger, start.elapsed());
    done
}

/// Whether an expression over a table's row (`varno` 1) reads one of the columns.
pub(crate) fn mentions(e: &Expr, columns: &[i16]) -> bool {
    if let Expr::Var(v) = e {
        return v.varattno == 0 || columns.contains(&v.varattno);
    }
    let mut found = false;
    e.children(&mut |c| found = found || mentions(c, columns));
    found
}
