//! Loops. (PostgreSQL: `exec_stmt_fori`, `exec_for_query`, `exec_stmt_foreach_a`)

use std::sync::Arc;

use base::sqlstate::*;
use base::{Oid, PgError, Result};
use executor::{ExecContext, cursor};
use types::array::{ArrayRef, ElementType, build};
use types::{Datum, DatumRef, Runtime, TupleDesc};

use super::query::only_query;
use super::{Flow, Frame};
use parser::ast::Statement;

use crate::expr::{Prepared, Unit, in_query};
use crate::tree::*;
use crate::value::Slot;

/// What a loop does after a turn.
enum Turn<'f> {
    Again,
    Leave(Flow<'f>),
}

fn turn<'f>(flow: Flow<'f>, label: Option<&str>) -> Turn<'f> {
    let own = |l: &str| label == Some(l);
    match flow {
        Flow::Next | Flow::Continue(None) => Turn::Again,
        Flow::Continue(Some(l)) if own(l) => Turn::Again,
        Flow::Exit(None) => Turn::Leave(Flow::Next),
        Flow::Exit(Some(l)) if own(l) => Turn::Leave(Flow::Next),
        other => Turn::Leave(other),
    }
}

impl<'f> Frame<'f> {
    #[inline(never)]
    pub(super) fn any_loop(&mut self, cx: &mut ExecContext, s: &'f Stmt) -> Result<Flow<'f>> {
        match &s.kind {
            StmtKind::Loop { label, body } => loop {
                let flow = self.statements(cx, body)?;
                if let Turn::Leave(flow) = turn(flow, label.as_deref()) {
                    return Ok(flow);
                }
                if body.is_empty() {
                    cx.interrupt.check()?;
                }
            },
            StmtKind::While { label, condition, body } => {
                while self.condition(cx, condition)? {
                    cx.interrupt.check()?;
                    let flow = self.statements(cx, body)?;
                    if let Turn::Leave(flow) = turn(flow, label.as_deref()) {
                        return Ok(flow);
                    }
                }
                Ok(Flow::Next)
            }
            StmtKind::ForInt { label, var, lower, upper, step, reverse, body } => {
                self.integers(cx, label.as_deref(), *var, (lower, upper, step.as_ref()), *reverse, body)
            }
            StmtKind::ForQuery { label, into, query, body } => {
                let mut inst = self.inst(cx, query)?;
                let params = self.values(cx, &inst)?;
                let Prepared::Units(units) = &mut inst.prepared else { return Err(crate::scalar::not_simple()) };
                let units = units.clone();
                self.keep(query, inst);
                self.over_units(cx, &units, params, &query.text, into, label.as_deref(), body)
            }
            StmtKind::ForDynamic { label, into, query, params, body } => {
                let text = self.text(cx, query)?;
                let text = text
                    .ok_or_else(|| PgError::new(NULL_VALUE_NOT_ALLOWED, "query string argument of EXECUTE is null"))?;
                let params = self.param_values(cx, params)?;
                let types: Vec<Oid> = params.iter().map(|p| p.1).collect();
                let values: Arc<[Datum]> = params.iter().map(|p| p.0.clone()).collect();
                let named: Vec<_> = self.named.iter().map(|t| t.meta.clone()).collect();
                let prepared = crate::expr::prepare_dynamic(cx, &text, &types, &named);
                let mut prepared = prepared.map_err(|e| in_query(e, &text, Mode::Statement))?;
                let units = match prepared.len() {
                    1 => prepared.swap_remove(0).1,
                    _ => Vec::new(),
                };
                self.over_units(cx, &units, values, &text, into, label.as_deref(), body)
            }
            StmtKind::ForCursor { label, record, cursor, args, body } => {
                self.over_cursor(cx, label.as_deref(), *record, *cursor, args.as_ref(), body)
            }
            StmtKind::Foreach { label, target, slice, array, body } => {
                self.foreach(cx, label.as_deref(), target, *slice, array, body)
            }
            _ => Err(PgError::internal("no loop")),
        }
    }

    /// Over the rows of a query, or of a utility statement that gives some.
    #[expect(clippy::too_many_arguments, reason = "the loop's parts")]
    fn over_units(
        &mut self,
        cx: &mut ExecContext,
        units: &[Unit],
        params: Arc<[Datum]>,
        text: &str,
        into: &'f Into,
        label: Option<&str>,
        body: &'f [Stmt],
    ) -> Result<Flow<'f>> {
        let source: Arc<str> = text.into();
        if let [Unit::Utility(stmt)] = units
            && matches!(&**stmt, Statement::ExplainStmt(_) | Statement::VariableShow(_))
        {
            self.place.runs(Some((source.clone(), Mode::Statement)));
            let done = self.run_units(cx, units, params, &source, super::query::Want::Rows(0), true);
            self.place.runs(None);
            let out = done.map_err(|e| in_query(e, text, Mode::Statement))?;
            let desc = out.desc.unwrap_or_default();
            let at = cursor::loop_rows(cx, out.rows);
            let done = self.rows_loop(cx, at, &source, &desc, into, label, body);
            cursor::loop_end(cx, at);
            return done;
        }
        self.place.runs(Some((source.clone(), Mode::Statement)));
        let started = only_query(units, "cursor").and_then(|p| self.start(cx, &p, params, &mut None));
        self.place.runs(None);
        let execution = started.map_err(|e| in_query(e, text, Mode::Statement))?;
        self.over_rows(cx, *execution, source, into, label, body)
    }

    fn integers(
        &mut self,
        cx: &mut ExecContext,
        label: Option<&str>,
        var: Dno,
        (lower, upper, step): (&'f SqlExpr, &'f SqlExpr, Option<&'f SqlExpr>),
        reverse: bool,
        body: &'f [Stmt],
    ) -> Result<Flow<'f>> {
        let null = |what: &str| PgError::new(NULL_VALUE_NOT_ALLOWED, format!("{what} of FOR loop cannot be null"));
        let from = self.integer(cx, lower)?.ok_or_else(|| null("lower bound"))?;
        let to = self.integer(cx, upper)?.ok_or_else(|| null("upper bound"))?;
        let step = match step {
            None => 1,
            Some(e) => self.integer(cx, e)?.ok_or_else(|| null("BY value"))?,
        };
        if step <= 0 {
            let text = "BY value of FOR loop must be greater than zero";
            return Err(PgError::new(INVALID_PARAMETER_VALUE, text));
        }
        let mut found = false;
        let mut i = from;
        let mut left = Flow::Next;
        while if reverse { i >= to } else { i <= to } {
            found = true;
            self.slots[var] = Slot::Scalar(Datum::i32(i));
            let flow = self.statements(cx, body)?;
            if let Turn::Leave(flow) = turn(flow, label) {
                left = flow;
                break;
            }
            if body.is_empty() {
                cx.interrupt.check()?;
            }
            let next = if reverse { i.checked_sub(step) } else { i.checked_add(step) };
            match next {
                Some(n) => i = n,
                None => break,
            }
        }
        self.set_found(found);
        Ok(left)
    }

    fn over_rows(
        &mut self,
        cx: &mut ExecContext,
        execution: executor::Execution,
        text: Arc<str>,
        into: &'f Into,
        label: Option<&str>,
        body: &'f [Stmt],
    ) -> Result<Flow<'f>> {
        let desc = execution.planned().result_desc.clone();
        let at = cursor::loop_begin(cx, execution);
        let done = self.rows_loop(cx, at, &text, &desc, into, label, body);
        cursor::loop_end(cx, at);
        done
    }

    #[expect(clippy::too_many_arguments, reason = "the loop's parts")]
    fn rows_loop(
        &mut self,
        cx: &mut ExecContext,
        at: usize,
        text: &Arc<str>,
        desc: &Arc<TupleDesc>,
        into: &'f Into,
        label: Option<&str>,
        body: &'f [Stmt],
    ) -> Result<Flow<'f>> {
        let mut found = false;
        loop {
            let row = match cursor::loop_buffered(cx, at) {
                Some(row) => Some(row),
                None => {
                    self.place.runs(Some((text.clone(), Mode::Statement)));
                    let row = cursor::loop_next(cx, at, !found);
                    self.place.runs(None);
                    row.map_err(|e| in_query(e, text, Mode::Statement))?
                }
            };
            let Some(row) = row else { break };
            found = true;
            self.store(cx, into, desc, Some(row))?;
            let flow = self.statements(cx, body)?;
            if let Turn::Leave(flow) = turn(flow, label) {
                self.set_found(true);
                return Ok(flow);
            }
        }
        if !found {
            self.store(cx, into, desc, None)?;
        }
        self.set_found(found);
        Ok(Flow::Next)
    }

    fn over_cursor(
        &mut self,
        cx: &mut ExecContext,
        label: Option<&str>,
        record: Dno,
        var: Dno,
        args: Option<&'f CursorArgs>,
        body: &'f [Stmt],
    ) -> Result<Flow<'f>> {
        let name = self.open_bound(cx, var, args)?;
        let cursors = cx.extension_or_default::<cursor::Cursors>();
        if let Some(c) = cursors.get_mut(&name) {
            c.pinned = true;
        }
        let into = Into::Record(record);
        let done = self.cursor_loop(cx, &name, &into, label, body);
        cx.extension_or_default::<cursor::Cursors>().remove(&name);
        if let Slot::Scalar(v) = &self.slots[var]
            && *v == Datum::text(&name)
            && done.is_ok()
            && self.cursor_was_null(var)
        {
            self.slots[var] = Slot::Scalar(Datum::Null);
        }
        done
    }

    fn cursor_loop(
        &mut self,
        cx: &mut ExecContext,
        name: &str,
        into: &Into,
        label: Option<&str>,
        body: &'f [Stmt],
    ) -> Result<Flow<'f>> {
        let mut found = false;
        let mut desc = None;
        loop {
            let fetched = cursor::fetch(cx, name, cursor::FetchTo::Forward(1))?;
            let Some((d, rows)) = fetched else { break };
            let Some(row) = rows.into_iter().next() else {
                desc = Some(d);
                break;
            };
            found = true;
            self.store(cx, into, &d, Some(row))?;
            let flow = self.statements(cx, body)?;
            if let Turn::Leave(flow) = turn(flow, label) {
                self.set_found(true);
                return Ok(flow);
            }
        }
        if !found && let Some(d) = desc {
            self.store(cx, into, &d, None)?;
        }
        self.set_found(found);
        Ok(Flow::Next)
    }

    fn foreach(
        &mut self,
        cx: &mut ExecContext,
        label: Option<&str>,
        target: &'f Into,
        slice: i32,
        array: &'f SqlExpr,
        body: &'f [Stmt],
    ) -> Result<Flow<'f>> {
        let (value, ty, _) = self.eval(cx, array)?;
        if value.is_null() {
            return Err(PgError::new(NULL_VALUE_NOT_ALLOWED, "FOREACH expression must not be null"));
        }
        let (base, _) = cx.catalog.base_type(ty, -1)?;
        let Some(elem) = cx.catalog.element_type(base)? else {
            let shown = cx.catalog.format_type(ty, None)?;
            let text = format!("FOREACH expression must yield an array, not type {shown}");
            return Err(PgError::new(DATATYPE_MISMATCH, text));
        };
        let info = cx.type_info(elem)?;
        let element = ElementType::of(&info);
        let payload = value.as_ref().as_bytes().to_vec();
        let a = ArrayRef::new(&payload)?;
        let dims = a.dims();
        let slice = usize::try_from(slice).unwrap_or(0);
        if slice > a.ndim() {
            let text = format!("slice dimension ({slice}) is out of the valid range 0..{}", a.ndim());
            return Err(PgError::new(ARRAY_SUBSCRIPT_ERROR, text));
        }
        let single = match target {
            Into::List(l) if l.len() == 1 => Some(&l[0]),
            _ => None,
        };
        let loop_type = match (single, target) {
            (Some(Target::Var(d)), _) | (None, Into::Record(d)) => match single {
                _ if matches!(self.f.vars[*d].what, VarKind::Record) => None,
                _ => Some(self.type_of(*d).oid),
            },
            _ => None,
        };
        let loop_elem = match loop_type {
            Some(t) => cx.catalog.element_type(cx.catalog.base_type(t, -1)?.0)?,
            None => None,
        };
        if slice > 0 && loop_type.is_some() && loop_elem.is_none() {
            let text = "FOREACH ... SLICE loop variable must be of an array type";
            return Err(PgError::new(DATATYPE_MISMATCH, text));
        }
        if slice == 0 && loop_elem.is_some() {
            let text = "FOREACH loop variable must not be of an array type";
            return Err(PgError::new(DATATYPE_MISMATCH, text));
        }
        let values: Vec<Datum> = a.to_vec(&element)?.into_iter().map(DatumRef::to_owned).collect();
        let step: usize = if slice == 0 { 1 } else { dims[dims.len() - slice..].iter().map(|d| *d as usize).product() };
        let bounds = a.lower_bounds();
        let mut found = false;
        let mut left = Flow::Next;
        for chunk in values.chunks(step.max(1)) {
            found = true;
            let (value, from) = if slice == 0 {
                (chunk[0].clone(), elem)
            } else {
                let refs: Vec<DatumRef<'_>> = chunk.iter().map(Datum::as_ref).collect();
                let first = dims.len() - slice;
                (build(&element, &dims[first..], &bounds[first..], &refs)?, base)
            };
            self.take_element(cx, target, value, from)?;
            let flow = self.statements(cx, body)?;
            if let Turn::Leave(flow) = turn(flow, label) {
                left = flow;
                break;
            }
        }
        self.set_found(found);
        Ok(left)
    }

    fn take_element(&mut self, cx: &mut ExecContext, target: &'f Into, value: Datum, from: Oid) -> Result<()> {
        match target {
            Into::Record(d) => self.assign(cx, &Target::Var(*d), value, from, -1),
            Into::List(l) if l.len() == 1 => self.assign(cx, &l[0], value, from, -1),
            Into::List(_) => {
                if value.is_null() {
                    let empty = Arc::new(TupleDesc::new(Vec::new()));
                    return self.store(cx, target, &empty, None);
                }
                let (base, _) = cx.catalog.base_type(from, -1)?;
                if !matches!(cx.catalog.type_row(base)?.typtype, b'c') && base != types::oid::RECORDOID {
                    let text = "cannot assign non-composite value to a row variable";
                    return Err(PgError::new(DATATYPE_MISMATCH, text));
                }
                let row = crate::value::Record::open(cx, &value)?;
                self.store(cx, target, &row.desc, Some(row.values))
            }
        }
    }
}
