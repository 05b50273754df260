//! One aggregate call: its arguments, FILTER, DISTINCT and ORDER BY, and the states of all groups.

use std::sync::Arc;

use analyze::query::Aggref;
use base::{Oid, PgError, Result};
use types::registry::AggStates;
use types::{Arg, Batch, Column, Datum, DatumRef, FnCall, FnCx, FnState, Rows, SortKey};

use crate::build::Builder;
use crate::expr::function::FuncNode;
use crate::expr::{CExpr, Filter, Scope};
use crate::hash_join::eval_keys;
use crate::hashing::KeyEq;
use crate::ordered_set::OrderedSet;
use crate::sort::{detoast_column, sorted_order};
use crate::state::Run;

/// How states are kept.
enum States {
    /// By a registered aggregate.
    Builtin(Box<dyn AggStates>),
    /// By the transition and final functions, a row at a time.
    Functions(Box<Functions>),
    /// All rows are kept.
    OrderedSet(Box<OrderedSet>),
}

struct Functions {
    transition: FuncNode,
    finish: Option<FuncNode>,
    /// Arguments of the final function after the state, all null. (PostgreSQL: `aggfinalextra`)
    extra: usize,
    initial: Datum,
    states: Vec<Datum>,
    /// No value yet: the first one becomes the state, see `strict`.
    empty: Vec<bool>,
}

/// Rows kept until the end of input, for DISTINCT and ORDER BY.
struct Ordered {
    keys: Vec<(usize, SortKey)>,
    distinct: Option<(Vec<usize>, KeyEq)>,
    columns: Vec<Column>,
    groups: Vec<u32>,
}

pub(crate) struct AggCall {
    call: FnCall,
    state: FnState,
    states: States,
    make: Option<fn(&FnCall) -> Box<dyn AggStates>>,
    args: Vec<CExpr>,
    /// The plain arguments among `args`; the rest only sort.
    plain_args: usize,
    filter: Filter,
    strict: bool,
    ordered: Option<Ordered>,
    groups: usize,
}

impl AggCall {
    pub fn build(b: &mut Builder<'_>, a: &Aggref, width: usize) -> Result<AggCall> {
        let missing = || PgError::internal(format!("cache lookup failed for aggregate {}", a.aggfnoid));
        let row = b.cx.catalog.aggregate(a.aggfnoid)?.ok_or_else(missing)?;
        let proc = b.cx.catalog.function_row(a.aggfnoid)?;
        b.cx.check_execute(&proc)?;
        let trans = b.cx.catalog.function_row(row.aggtransfn)?;
        let final_src = match row.aggfinalfn.valid() {
            Some(f) => b.cx.catalog.function_row(f)?.prosrc.clone(),
            None => String::new(),
        };
        let arg_types: Vec<Oid> = a.args.iter().filter(|t| !t.resjunk).map(|t| t.expr.type_oid()).collect();
        let call = FnCall {
            function: a.aggfnoid,
            arg_types: arg_types.clone(),
            result_type: a.aggtype,
            collation: a.inputcollid,
            variadic: a.aggvariadic,
            result_desc: None,
        };
        let builtin = b.cx.registry.aggregate(&trans.prosrc, &final_src).copied();
        let mut c = b.compiler(Scope::outer(width));
        let exprs: Vec<_> = a.args.iter().map(|t| t.expr.clone()).collect();
        let args = c.list(&exprs)?;
        let filter = c.filter(a.aggfilter.as_slice())?;
        let mut ordered = ordered(b, a, &args)?;
        let states = match &builtin {
            _ if row.aggkind != b'n' => {
                // Without ORDER BY columns that can be sorted there is nothing to keep: an ordered set always has them.
                let keys = ordered.as_mut().map(|o| o.keys.clone()).unwrap_or_default();
                States::OrderedSet(Box::new(OrderedSet::build(b, a, (&trans.prosrc, &final_src), keys, width)?))
            }
            Some(x) => States::Builtin((x.new)(&call)),
            None => States::Functions(Box::new(functions(b, a, &row, &arg_types)?)),
        };
        Ok(AggCall {
            call,
            state: None,
            states,
            make: builtin.map(|x| x.new),
            plain_args: arg_types.len(),
            args,
            filter,
            strict: trans.proisstrict,
            ordered,
            groups: 0,
        })
    }

    pub fn reset(&mut self) {
        self.groups = 0;
        match (&mut self.states, self.make) {
            (States::Builtin(s), Some(make)) => *s = make(&self.call),
            (States::Functions(f), _) => {
                f.states.clear();
                f.empty.clear();
            }
            (States::OrderedSet(o), _) => o.clear(),
            _ => {}
        }
        if let Some(o) = &mut self.ordered {
            o.columns.iter_mut().for_each(Column::clear);
            o.groups.clear();
        }
    }

    /// Bytes of memory held, about.
    pub fn memory(&self) -> usize {
        let states = match &self.states {
            States::Builtin(s) => s.memory(),
            States::Functions(f) => {
                let long = |d: &Datum| d.as_ref().as_bytes().len();
                // The states of a few groups stand for all.
                let some: usize = f.states.iter().take(64).map(long).sum();
                let each = some / f.states.len().clamp(1, 64);
                f.states.len() * (size_of::<Datum>() + each)
            }
            States::OrderedSet(o) => o.order.capacity() * 4,
        };
        let kept = |o: &Ordered| o.columns.iter().map(Column::memory).sum::<usize>() + o.groups.capacity() * 4;
        states + self.ordered.as_ref().map_or(0, kept)
    }

    pub fn resize(&mut self, _: &mut Run<'_>, groups: usize) -> Result<()> {
        if groups <= self.groups {
            return Ok(());
        }
        self.groups = groups;
        match &mut self.states {
            States::Builtin(s) => s.resize(groups),
            States::Functions(f) => {
                f.states.resize(groups, f.initial.clone());
                f.empty.resize(groups, f.initial.is_null());
            }
            States::OrderedSet(o) => o.bounds.resize(groups, (0, 0)),
        }
        Ok(())
    }

    /// Takes in a batch; row `r` belongs to group `groups[r]`, or all to group 0.
    pub fn update(&mut self, run: &mut Run<'_>, batch: &Batch, groups: &[u32]) -> Result<()> {
        let chosen;
        let rows = if self.filter.is_empty() {
            batch.selected()
        } else {
            chosen = self.filter.select(run, batch, batch.selected())?.to_vec();
            Rows::Some(&chosen)
        };
        if rows.len() == 0 {
            return Ok(());
        }
        if let Some(o) = &mut self.ordered {
            let narrowed = Batch {
                columns: batch.columns.clone(),
                rows: batch.rows,
                selection: Some(rows.iter().map(|i| i as u32).collect()),
            };
            let values = eval_keys(&mut self.args, run, &narrowed)?;
            for (c, from) in o.columns.iter_mut().zip(&values) {
                c.append(from, rows);
            }
            o.groups.extend(rows.iter().map(|i| groups.get(i).copied().unwrap_or(0)));
            return Ok(());
        }
        for a in &mut self.args {
            a.eval(run, batch, rows)?;
        }
        let args: Vec<Arg<'_>> = self.args[..self.plain_args].iter().map(|a| a.result(batch)).collect();
        apply(&mut self.states, &self.call, &mut self.state, self.strict, run, groups, &args, rows)
    }

    /// The input has ended: rows that had to be sorted are taken in now.
    pub fn finish_input(&mut self, run: &mut Run<'_>) -> Result<()> {
        let Some(o) = &mut self.ordered else { return Ok(()) };
        let n = o.groups.len();
        if n == 0 {
            return Ok(());
        }
        for (c, _) in &o.keys {
            detoast_column(run, &mut o.columns[*c])?;
        }
        let mut order = sorted_order(&o.columns, n, &o.keys, &run.cx.interrupt)?;
        // Stable, so that within a group the order stays.
        order.sort_by_key(|i| o.groups[*i as usize]);
        if let Some((columns, eq)) = &mut o.distinct {
            let cols: Vec<&Column> = columns.iter().map(|c| &o.columns[*c]).collect();
            let mut kept: Vec<u32> = Vec::with_capacity(order.len());
            for i in order {
                let same = match kept.last() {
                    Some(&p) => {
                        o.groups[p as usize] == o.groups[i as usize]
                            && eq.rows_equal(run, &cols, p as usize, &cols, i as usize)?
                    }
                    None => false,
                };
                if !same {
                    kept.push(i);
                }
            }
            order = kept;
        }
        if let States::OrderedSet(set) = &mut self.states {
            if set.skip_nulls {
                order.retain(|i| !o.columns[0].is_null(*i as usize));
            }
            let mut at = 0;
            while at < order.len() {
                let group = o.groups[order[at] as usize];
                let end = order[at..].iter().position(|i| o.groups[*i as usize] != group).map_or(order.len(), |n| at + n);
                set.bounds[group as usize] = (at, end);
                at = end;
            }
            set.order = order;
            return Ok(());
        }
        let args: Vec<Arg<'_>> = o.columns[..self.plain_args].iter().map(Arg::Column).collect();
        apply(&mut self.states, &self.call, &mut self.state, self.strict, run, &o.groups, &args, Rows::Some(&order))
    }

    /// As [`AggCall::result`]; an ordered set's direct arguments are computed over a row of the group.
    pub fn result_over(&mut self, run: &mut Run<'_>, group: usize, batch: &Batch, row: usize) -> Result<Datum> {
        match (&mut self.states, &self.ordered) {
            (States::OrderedSet(set), Some(o)) => set.result(run, &o.columns, group, batch, row),
            _ => self.result(run, group),
        }
    }

    pub fn result(&mut self, run: &mut Run<'_>, group: usize) -> Result<Datum> {
        match &mut self.states {
            States::OrderedSet(_) => Err(PgError::internal("an ordered-set aggregate outside Aggregate")),
            States::Builtin(s) => s.finish(&mut FnCx { rt: run.cx, call: &self.call, state: &mut self.state }, group),
            States::Functions(f) => {
                let state = f.states[group].clone();
                match &mut f.finish {
                    None => Ok(state),
                    Some(finish) => {
                        let mut args = vec![state.as_ref()];
                        args.resize(1 + f.extra, DatumRef::Null);
                        finish.call(run, &args)
                    }
                }
            }
        }
    }
}

fn functions(b: &mut Builder<'_>, a: &Aggref, row: &catalog::PgAggregate, arg_types: &[Oid]) -> Result<Functions> {
    let trans_type = a.aggtranstype.valid().unwrap_or(row.aggtranstype);
    if trans_type == types::oid::INTERNALOID {
        let name = b.cx.catalog.function_row(a.aggfnoid)?.proname.clone();
        return Err(PgError::unsupported(format!("aggregate {name}")));
    }
    let mut types = vec![trans_type];
    types.extend_from_slice(arg_types);
    let initial = match &row.agginitval {
        Some(text) => b.cx.input(trans_type, -1, Some(text))?,
        None => Datum::Null,
    };
    let mut c = b.compiler(Scope::empty());
    let transition = c.bare_function(row.aggtransfn, &types, trans_type, a.inputcollid)?;
    let finish = match row.aggfinalfn.valid() {
        Some(f) => Some(c.bare_function(f, &types, a.aggtype, a.inputcollid)?),
        None => None,
    };
    let extra = if row.aggfinalextra { arg_types.len() } else { 0 };
    Ok(Functions { transition, finish, extra, initial, states: Vec::new(), empty: Vec::new() })
}

fn ordered(b: &mut Builder<'_>, a: &Aggref, args: &[CExpr]) -> Result<Option<Ordered>> {
    if a.aggorder.is_empty() && a.aggdistinct.is_empty() {
        return Ok(None);
    }
    let place = |r: u32| {
        a.args
            .iter()
            .position(|t| t.ressortgroupref == r)
            .ok_or_else(|| PgError::internal("aggregate's sort column is missing"))
    };
    let mut keys = Vec::new();
    for s in a.aggorder.iter().chain(&a.aggdistinct) {
        let at = place(s.tle_sort_group_ref)?;
        if keys.iter().any(|(k, _)| *k == at) || !s.sortop.is_valid() {
            continue;
        }
        keys.push((at, b.cx.sort_key(s.sortop, a.args[at].expr.collation(), s.nulls_first)?));
    }
    let distinct = if a.aggdistinct.is_empty() {
        None
    } else {
        let columns: Result<Vec<usize>> = a.aggdistinct.iter().map(|s| place(s.tle_sort_group_ref)).collect();
        let columns = columns?;
        let ops: Vec<_> =
            a.aggdistinct.iter().zip(&columns).map(|(s, c)| (s.eqop, a.args[*c].expr.collation())).collect();
        Some((columns, KeyEq::for_operators(b.cx, &ops)?))
    };
    let columns = args.iter().map(|a| Column::new(a.physical)).collect();
    Ok(Some(Ordered { keys, distinct, columns, groups: Vec::new() }))
}

/// Feeds rows to the states.
fn apply(
    states: &mut States,
    call: &FnCall,
    state: &mut FnState,
    strict: bool,
    run: &mut Run<'_>,
    groups: &[u32],
    args: &[Arg<'_>],
    rows: Rows<'_>,
) -> Result<()> {
    // Functions look inside values: fetch toasted ones first.
    if args.iter().any(|a| rows.iter().any(|i| matches!(a.get(i), DatumRef::Toasted(_)))) {
        let mut fetched = Vec::new();
        for a in args {
            let mut c = match a {
                Arg::Column(c) => (*c).clone(),
                Arg::Const(d) => {
                    let mut c = Column::new(types::Physical::Bytes);
                    (0..rows.iter().max().map_or(0, |m| m + 1)).for_each(|_| c.push(*d));
                    c
                }
            };
            detoast_column(run, &mut c)?;
            fetched.push(Arc::new(c));
        }
        let args: Vec<Arg<'_>> = fetched.iter().map(|c| Arg::Column(c)).collect();
        return apply(states, call, state, strict, run, groups, &args, rows);
    }
    let kept;
    let has_null = |a: &Arg<'_>| match a {
        Arg::Column(c) => c.validity.is_some(),
        Arg::Const(d) => d.is_null(),
    };
    let rows = if strict && args.iter().any(has_null) {
        kept =
            rows.iter().filter(|i| args.iter().all(|a| !a.get(*i).is_null())).map(|i| i as u32).collect::<Vec<u32>>();
        Rows::Some(&kept)
    } else {
        rows
    };
    if rows.len() == 0 {
        return Ok(());
    }
    match states {
        States::OrderedSet(_) => Err(PgError::internal("an ordered set is not computed row by row")),
        States::Builtin(s) => s.update(&mut FnCx { rt: run.cx, call, state }, groups, args, rows),
        States::Functions(f) => {
            let mut values = Vec::with_capacity(1 + args.len());
            for i in rows.iter() {
                let g = groups.get(i).copied().unwrap_or(0) as usize;
                if strict {
                    if f.empty[g] {
                        f.states[g] = args.first().map_or(Datum::Null, |a| a.get(i).to_owned());
                        f.empty[g] = false;
                        continue;
                    }
                    // A strict function that once gave null stays null.
                    if f.states[g].is_null() {
                        continue;
                    }
                }
                let old = std::mem::take(&mut f.states[g]);
                values.clear();
                values.push(old.as_ref());
                values.extend(args.iter().map(|a| a.get(i)));
                let new = f.transition.call(run, &values)?;
                values.clear();
                drop(values);
                values = Vec::with_capacity(1 + args.len());
                f.states[g] = new;
            }
            Ok(())
        }
    }
}
