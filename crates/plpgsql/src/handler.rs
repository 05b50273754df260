//! The language as the executor sees it: functions compiled at their first call in a session, kept while their row in `pg_proc`
//! stays the same, and run.
//!
//! What expressions became is kept beside the function, a set for each call that is active at a time: a recursive function has as
//! many as it was deep.
//!
//! PostgreSQL: `pl_handler.c`, `plpgsql_compile`.

use std::sync::Arc;

use analyze::definitions::is_polymorphic_type;
use base::sqlstate::*;
use base::{Oid, PgError, Result};
use catalog::PgProc;
use executor::ExecContext;
use executor::language::Language;
use executor::trigger::{EventTriggerData, TriggerData, TriggerLevel, TriggerTiming};
use hashbrown::HashMap;
use parking_lot::Mutex;
use types::array::{ElementType, build};
use types::oid::*;
use types::registry::RowSource;
use types::{Datum, DatumRef, FnCall, FnState, RowList, Runtime, TupleDesc};

use crate::compile::{Use, compile, compile_inline};
use crate::context::Calls;
use crate::exec::{Frame, Returned, by_position};
use crate::expr::Inst;
use crate::tree::*;
use crate::value::{Record, Slot, catalog_key};

/// Expressions at rest.
type Insts = Vec<Option<Box<Inst>>>;

/// A compiled function with what its calls left to be used again.
pub struct Compiled {
    pub function: Function,
    /// With the search path and the role that they were prepared under.
    pool: Mutex<Vec<(usize, Oid, Insts)>>,
}

impl Compiled {
    pub fn new(function: Function) -> Compiled {
        Compiled { function, pool: Mutex::new(Vec::new()) }
    }
}

/// What a function was compiled for.
#[derive(PartialEq, Eq, Hash)]
struct Key {
    function: Oid,
    arg_types: Vec<Oid>,
    result: Oid,
    /// Of triggers.
    relation: Oid,
}

/// The session's compiled functions.
#[derive(Default)]
struct Functions(HashMap<Key, (Arc<PgProc>, Arc<Compiled>)>);

/// What a call site remembers.
struct Site {
    key: (u64, u64),
    compiled: Arc<Compiled>,
}

/// Calls that keep their expressions.
const POOL: usize = 64;

/// The search path in force, as a number.
pub fn path_of(cx: &ExecContext) -> Result<usize> {
    use std::hash::{DefaultHasher, Hash, Hasher};
    let path = cx.catalog.search_path()?;
    let mut h = DefaultHasher::new();
    (&path.schemas, path.temp).hash(&mut h);
    Ok(h.finish() as usize)
}

fn compiled(cx: &mut ExecContext, function: Oid, arg_types: &[Oid], result: Oid, usage: Use) -> Result<Arc<Compiled>> {
    let proc = cx.catalog.function_row(function)?;
    let relation = match usage {
        Use::Trigger(rel) => rel,
        _ => Oid::INVALID,
    };
    let polymorphic = proc.proargtypes.iter().chain([&proc.prorettype]).any(|t| is_polymorphic_type(*t));
    let (arg_types, result) = match polymorphic {
        true => (arg_types.to_vec(), result),
        false => (Vec::new(), Oid::INVALID),
    };
    let key = Key { function, arg_types, result, relation };
    if let Some((row, c)) = cx.extension_or_default::<Functions>().0.get(&key)
        && (Arc::ptr_eq(row, &proc) || **row == *proc)
    {
        let c = c.clone();
        // A type may be another one of the same name by now.
        let mut own = c.function.vars.iter().filter(|v| v.ty.oid.0 >= 16384);
        if own.try_fold(true, |ok, v| Ok::<_, PgError>(ok && cx.catalog.type_by_oid(v.ty.oid)?.is_some()))? {
            return Ok(c);
        }
    }
    let f = compile(cx, &proc, &key.arg_types, key.result, usage, false).map_err(|e| in_source(e, &proc.prosrc))?;
    let c = Arc::new(Compiled::new(f));
    cx.extension_or_default::<Functions>().0.insert(key, (proc, c.clone()));
    Ok(c)
}

/// An error's place in a function's text, which is not the statement's.
pub fn in_source(mut e: PgError, source: &str) -> PgError {
    if let Some(p) = e.fields_mut().position.take() {
        let f = e.fields_mut();
        f.internal_position = Some(p);
        f.internal_query = Some(source.to_owned());
    }
    e
}

/// The call site's function, looked up anew only when the catalogs have changed.
fn site(cx: &mut ExecContext, call: &FnCall, state: &mut FnState) -> Result<Arc<Compiled>> {
    let key = catalog_key(cx);
    if let Some(site) = state.as_ref().and_then(|s| s.downcast_ref::<Site>())
        && site.key == key
    {
        return Ok(site.compiled.clone());
    }
    let c = compiled(cx, call.function, &call.arg_types, call.result_type, Use::Call)?;
    *state = Some(Box::new(Site { key: catalog_key(cx), compiled: c.clone() }));
    Ok(c)
}

/// Runs `f` with a new frame of the function.
fn with_frame<R>(
    cx: &mut ExecContext,
    compiled: &Compiled,
    atomic: bool,
    f: impl FnOnce(&mut ExecContext, &mut Frame<'_>) -> Result<R>,
) -> Result<R> {
    analyze::walker::check_depth()?;
    let path = path_of(cx)?;
    let user = cx.settings.current_user;
    let insts = {
        let mut pool = compiled.pool.lock();
        let at = pool.iter().rposition(|p| (p.0, p.1) == (path, user));
        at.map(|at| pool.swap_remove(at).2)
    };
    let insts = insts.unwrap_or_else(|| {
        let mut fresh = Vec::new();
        fresh.resize_with(compiled.function.exprs, || None);
        fresh
    });
    let mut frame = Frame::new(compiled, insts, path);
    frame.atomic = atomic;
    let place = frame.place.clone();
    cx.extension_or_default::<Calls>().0.push(place.clone());
    let depth = cx.extension_or_default::<Calls>().0.len();
    let saved = cx.snapshot.clone();
    let done = f(cx, &mut frame);
    cx.snapshot = if atomic { saved } else { None };
    cx.extension_or_default::<Calls>().0.truncate(depth - 1);
    let told = frame.told;
    let path = frame.path;
    let mut pool = compiled.pool.lock();
    if pool.len() < POOL {
        pool.push((path, user, std::mem::take(&mut frame.insts)));
    }
    drop(pool);
    done.map_err(|e| if told { e } else { e.context(place.text()) })
}

/// The arguments' values into their variables.
fn take_args(cx: &mut ExecContext, frame: &mut Frame<'_>, args: &[DatumRef<'_>]) -> Result<()> {
    let f = frame.f;
    frame.place.at(0, STORING);
    for (dno, a) in f.args.iter().zip(args) {
        match f.vars[*dno].what {
            VarKind::Record => {
                let value = DatumRef::to_owned(*a);
                if !value.is_null() {
                    let row = Record::open(cx, &value)?;
                    // The value is of that type, or of a record's.
                    frame.move_row(cx, *dno, Some((row.desc, row.values)))?;
                }
            }
            _ => frame.slots[*dno] = Slot::Scalar(executor::scalar_expr::plain(cx, DatumRef::to_owned(*a))?),
        }
    }
    Ok(())
}

/// The row type of the result, if it has one.
fn result_desc(cx: &mut ExecContext, f: &Function, call: &FnCall) -> Result<Option<Arc<TupleDesc>>> {
    if let Some(d) = &call.result_desc {
        return Ok(Some(d.clone()));
    }
    if let Some(Out::Row(dnos)) = &f.out {
        let mut attrs = Vec::new();
        for (i, d) in dnos.iter().enumerate() {
            let v = &f.vars[*d];
            let name = if v.name.starts_with('$') { format!("column{}", i + 1) } else { v.name.clone() };
            let t = cx.type_info(v.ty.oid)?;
            let mut a = types::Attribute::new(&name, v.ty.oid, t.len, t.byval, t.align);
            (a.typmod, a.collation, a.storage) = (v.ty.typmod, v.ty.collation, t.storage);
            attrs.push(a);
        }
        return Ok(Some(cx.bless(TupleDesc::new(attrs))));
    }
    match f.returns_row && call.result_type != RECORDOID && call.result_type.is_valid() {
        true => {
            let (base, _) = cx.catalog.base_type(call.result_type, -1)?;
            if base == RECORDOID { Ok(None) } else { cx.catalog.row_type(base).map(Some) }
        }
        false => Ok(None),
    }
}

/// What the function gave as one datum of its result type.
fn result(cx: &mut ExecContext, frame: &mut Frame<'_>, call: &FnCall) -> Result<Datum> {
    let f = frame.f;
    if f.return_type == VOIDOID {
        // Void is not null.
        return Ok(Datum::Word(0));
    }
    frame.place.at(0, CASTING);
    let returned = match (&f.out, f.kind) {
        (Some(Out::One(d)), Kind::Function) => match frame.slots[*d].clone() {
            Slot::Scalar(v) => {
                let ty = frame.f.vars[*d].ty.clone();
                Returned::Value(v, ty.oid, ty.typmod)
            }
            Slot::Record(r) => Returned::Row(r),
        },
        (Some(Out::One(d)), _) => {
            let values = frame.out_row(cx, &[*d])?;
            let desc = procedure_desc(cx, f, &[*d])?;
            Returned::Row(Some(Record { desc, values }))
        }
        (Some(Out::Row(dnos)), Kind::Procedure) => {
            let values = frame.out_row(cx, dnos)?;
            let desc = procedure_desc(cx, f, dnos)?;
            Returned::Row(Some(Record { desc, values }))
        }
        (Some(Out::Row(dnos)), _) => {
            let values = frame.out_row(cx, dnos)?;
            let desc = result_desc(cx, f, call)?.ok_or_else(crate::value::lost)?;
            Returned::Row(Some(Record { desc, values }))
        }
        (None, _) => std::mem::replace(&mut frame.returned, Returned::None),
    };
    let done = match returned {
        Returned::None | Returned::Row(None) => {
            if f.returns_domain {
                cx.check_domain(frame.return_type, DatumRef::Null)?;
            }
            Ok(Datum::Null)
        }
        Returned::Value(v, ty, typmod) => {
            let to = crate::vartype::of_oid(cx, frame.return_type, -1, Oid::INVALID)?;
            frame.convert(cx, v, ty, typmod, &to)
        }
        Returned::Row(Some(mut r)) => {
            if f.kind == Kind::Procedure {
                return r.datum(cx);
            }
            if !f.returns_row {
                let v = r.datum(cx)?;
                let to = crate::vartype::of_oid(cx, frame.return_type, -1, Oid::INVALID)?;
                return frame.convert(cx, v, r.desc.type_oid, -1, &to);
            }
            match result_desc(cx, f, call)? {
                Some(desc) if !Arc::ptr_eq(&desc, &r.desc) => {
                    let message = "returned record type does not match expected record type";
                    let values = by_position(cx, &r.desc, r.values, &desc, message)?;
                    r = Record { desc, values };
                }
                _ => {}
            }
            let v = r.datum(cx)?;
            if f.returns_domain {
                cx.check_domain(frame.return_type, v.as_ref())?;
            }
            Ok(v)
        }
    };
    if done.is_ok() {
        frame.place.at(0, EXIT);
    }
    done
}

fn procedure_desc(cx: &mut ExecContext, f: &Function, dnos: &[Dno]) -> Result<Arc<TupleDesc>> {
    let mut attrs = Vec::new();
    for (i, d) in dnos.iter().enumerate() {
        let v = &f.vars[*d];
        let name = if v.name.starts_with('$') { format!("column{}", i + 1) } else { v.name.clone() };
        let t = cx.type_info(v.ty.oid)?;
        let mut a = types::Attribute::new(&name, v.ty.oid, t.len, t.byval, t.align);
        (a.typmod, a.collation, a.storage) = (v.ty.typmod, v.ty.collation, t.storage);
        attrs.push(a);
    }
    Ok(cx.bless(TupleDesc::new(attrs)))
}

fn run_call(cx: &mut ExecContext, c: &Compiled, call: &FnCall, args: &[DatumRef<'_>], atomic: bool) -> Result<Datum> {
    with_frame(cx, c, atomic, |cx, frame| {
        if call.result_type.is_valid() {
            frame.return_type = call.result_type;
        }
        if c.function.returns_set {
            let text = "set-valued function called in context that cannot accept a set";
            return Err(PgError::new(FEATURE_NOT_SUPPORTED, text));
        }
        take_args(cx, frame, args)?;
        frame.body(cx)?;
        result(cx, frame, call)
    })
}

/// The language.
pub struct PlPgSql;

impl Language for PlPgSql {
    fn call(&self, cx: &mut ExecContext, call: &FnCall, state: &mut FnState, args: &[DatumRef<'_>]) -> Result<Datum> {
        let c = site(cx, call, state)?;
        run_call(cx, &c, call, args, true)
    }

    fn call_set(
        &self,
        cx: &mut ExecContext,
        call: &FnCall,
        state: &mut FnState,
        args: &[DatumRef<'_>],
    ) -> Result<Box<dyn RowSource>> {
        let c = site(cx, call, state)?;
        let rows = with_frame(cx, &c, true, |cx, frame| {
            if call.result_type.is_valid() {
                frame.return_type = call.result_type;
            }
            frame.result_desc = call.result_desc.clone();
            take_args(cx, frame, args)?;
            frame.body(cx)?;
            Ok(std::mem::take(&mut frame.rows))
        })?;
        Ok(Box::new(RowList(rows.into_iter())))
    }

    fn call_procedure(
        &self,
        cx: &mut ExecContext,
        call: &FnCall,
        args: &[DatumRef<'_>],
        atomic: bool,
    ) -> Result<Datum> {
        let c = compiled(cx, call.function, &call.arg_types, call.result_type, Use::Call)?;
        let value = run_call(cx, &c, call, args, atomic)?;
        Ok(if c.function.out.is_none() { Datum::Null } else { value })
    }

    fn call_trigger(&self, cx: &mut ExecContext, data: &TriggerData) -> Result<Option<Vec<Datum>>> {
        let c = compiled(cx, data.trigger.tgfoid, &[], Oid::INVALID, Use::Trigger(data.relation.oid))?;
        with_frame(cx, &c, true, |cx, frame| {
            frame.named = data.transition_tables();
            let f = &c.function;
            {
                let desc = data.relation.desc.clone();
                for (dno, row) in [(f.new, &data.new), (f.old, &data.old)] {
                    let record = match row {
                        Some(values) => {
                            let mut plain = Vec::with_capacity(values.len());
                            for v in values {
                                plain.push(executor::scalar_expr::plain(cx, v.clone())?);
                            }
                            Record { desc: desc.clone(), values: plain }
                        }
                        None => Record::empty(desc.clone()),
                    };
                    frame.slots[dno] = Slot::Record(Some(record));
                }
            }
            promises(cx, frame, data)?;
            frame.body(cx)?;
            if data.level == TriggerLevel::Statement || data.timing == TriggerTiming::After {
                return Ok(None);
            }
            match std::mem::replace(&mut frame.returned, Returned::None) {
                Returned::Row(Some(r)) if Arc::ptr_eq(&r.desc, &data.relation.desc) => Ok(Some(r.values)),
                Returned::Row(Some(r)) => {
                    frame.place.at(0, EXIT);
                    let message = "returned row structure does not match the structure of the triggering table";
                    by_position(cx, &r.desc, r.values, &data.relation.desc, message).map(Some)
                }
                Returned::None | Returned::Row(None) | Returned::Value(..) => Ok(None),
            }
        })
    }

    fn call_event_trigger(&self, cx: &mut ExecContext, data: &EventTriggerData) -> Result<()> {
        let c = compiled(cx, data.function, &[], Oid::INVALID, Use::EventTrigger)?;
        with_frame(cx, &c, true, |cx, frame| {
            for (dno, v) in c.function.vars.iter().enumerate() {
                let value = match v.what {
                    VarKind::Promise(Promise::Event) => &data.event,
                    VarKind::Promise(Promise::Tag) => &data.tag,
                    _ => continue,
                };
                frame.slots[dno] = Slot::Scalar(Datum::text(value));
            }
            frame.body(cx)
        })
    }

    fn inline(&self, cx: &mut ExecContext, source: &str, atomic: bool) -> Result<()> {
        let c = Compiled::new(compile_inline(cx, source)?);
        with_frame(cx, &c, atomic, |cx, frame| frame.body(cx))
    }

    fn validate(&self, cx: &mut ExecContext, function: Oid) -> Result<()> {
        let proc = cx.catalog.function_row(function)?;
        let mut usage = Use::Call;
        let shown = |t: Oid| cx.catalog.format_type(t, None);
        let pseudo = |t: Oid| Ok::<_, PgError>(cx.catalog.type_row(t)?.typtype == b'p');
        if pseudo(proc.prorettype)? {
            match proc.prorettype {
                TRIGGEROID => usage = Use::Trigger(Oid::INVALID),
                EVENTTRIGGEROID => usage = Use::EventTrigger,
                RECORDOID | VOIDOID => {}
                t if is_polymorphic_type(t) => {}
                t => {
                    let text = format!("PL/pgSQL functions cannot return type {}", shown(t)?);
                    return Err(PgError::new(FEATURE_NOT_SUPPORTED, text));
                }
            }
        }
        for t in proc.proallargtypes.as_ref().unwrap_or(&proc.proargtypes) {
            if pseudo(*t)? && *t != RECORDOID && !is_polymorphic_type(*t) {
                let text = format!("PL/pgSQL functions cannot accept type {}", shown(*t)?);
                return Err(PgError::new(FEATURE_NOT_SUPPORTED, text));
            }
        }
        compile(cx, &proc, &[], Oid::INVALID, usage, true).map(drop)
    }
}

/// TG_NAME and its like.
fn promises(cx: &mut ExecContext, frame: &mut Frame<'_>, data: &TriggerData) -> Result<()> {
    let f = frame.f;
    for (dno, v) in f.vars.iter().enumerate() {
        let VarKind::Promise(p) = v.what else { continue };
        let value = match p {
            Promise::Name => Datum::text(&data.trigger.tgname),
            Promise::When => Datum::text(data.timing.name()),
            Promise::Level => Datum::text(data.level.name()),
            Promise::Op => Datum::text(data.event.name()),
            Promise::Relid => Datum::oid(data.relation.oid),
            Promise::TableName => Datum::text(data.relation.name()),
            Promise::TableSchema => {
                Datum::text(&cx.catalog.namespace_name(data.relation.namespace())?.unwrap_or_default())
            }
            Promise::Nargs => Datum::i32(data.args.len() as i32),
            Promise::Argv if data.args.is_empty() => Datum::Null,
            Promise::Argv => {
                let info = cx.type_info(TEXTOID)?;
                let values: Vec<DatumRef<'_>> = data.args.iter().map(|a| DatumRef::Bytes(a.as_bytes())).collect();
                build(&ElementType::of(&info), &[values.len() as i32], &[0], &values)?
            }
            Promise::Event | Promise::Tag => Datum::Null,
        };
        frame.slots[dno] = Slot::Scalar(value);
    }
    Ok(())
}
