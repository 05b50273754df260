//! Sublinks with their plans: EXISTS, scalar, ARRAY, ANY and ALL (hashed where the planner allows it).
//!
//! PostgreSQL: `nodeSubplan.c`.

use std::sync::Arc;

use analyze::query::{Expr, SubLinkType, SubPlan};
use base::{PgError, Result};
use hashbrown::HashMap;
use types::{Batch, Column, Datum, DatumRef, Rows, Runtime, array};

use super::compile::Compiler;
use super::function::{FuncNode, plain};
use super::{CExpr, Elem, is_true};
use crate::hashing::KeyHasher;
use crate::state::{Run, single_row};

/// A sublink within an expression.
pub(crate) struct SubPlanNode {
    plan: Arc<SubPlan>,
    args: Vec<CExpr>,
    test: Option<CExpr>,
    hash: Option<HashedSet>,
    /// The last arguments, to know what changed.
    started: bool,
}

/// The subquery's rows, hashed by their columns. Only for ANY with strict, hashable equalities.
struct HashedSet {
    left: Vec<CExpr>,
    equal: Vec<FuncNode>,
    hasher: KeyHasher,
    right_hasher: KeyHasher,
    rows: HashMap<u64, Vec<Vec<Datum>>>,
    /// Rows with a null among their columns.
    with_nulls: Vec<Vec<Datum>>,
    filled: bool,
}

impl SubPlanNode {
    pub fn compile(c: &mut Compiler<'_>, s: &SubPlan) -> Result<SubPlanNode> {
        let args = c.list(&s.args)?;
        let mut hash = None;
        let mut test = None;
        if s.use_hash_table {
            hash = Some(HashedSet::compile(c, s)?);
        } else if let Some(t) = &s.testexpr {
            test = Some(c.expr(t)?);
        }
        Ok(SubPlanNode { plan: Arc::new(s.clone()), args, test, hash, started: false })
    }

    pub(super) fn is_multi_assignment(&self) -> bool {
        self.plan.sub_link_type == SubLinkType::MultiExpr
    }

    pub(super) fn eval(&mut self, run: &mut Run<'_>, input: &Batch, rows: Rows<'_>, out: &mut Column) -> Result<()> {
        for a in &mut self.args {
            a.eval(run, input, rows)?;
        }
        if let Some(hash) = &mut self.hash {
            return hash.eval(run, &self.plan, input, rows, out);
        }
        for i in rows.iter() {
            let mut changed = Vec::with_capacity(self.plan.par_param.len());
            for (p, a) in self.plan.par_param.iter().zip(&self.args) {
                run.set_exec_param(*p, a.value(input, i).to_owned());
                changed.push(*p);
            }
            let plan = self.plan.clone();
            self.started = true;
            let value = match plan.sub_link_type {
                SubLinkType::Exists => run.with_subplan(plan.plan_id, |run, node| {
                    node.rescan(run, &changed)?;
                    Ok(Datum::bool(node.next(run, 1)?.is_some()))
                })?,
                SubLinkType::Expr => run.with_subplan(plan.plan_id, |run, node| {
                    node.rescan(run, &changed)?;
                    Ok(single_row(run, node, 1)?.map_or(Datum::Null, |mut r| r.swap_remove(0)))
                })?,
                SubLinkType::Array => array_result(run, &plan, &changed)?,
                SubLinkType::Any | SubLinkType::All => self.quantified(run, &plan, &changed, input, i)?,
                SubLinkType::RowCompare => self.row_compare(run, &plan, &changed, input, i)?,
                SubLinkType::MultiExpr => {
                    let row = run.with_subplan(plan.plan_id, |run, node| {
                        node.rescan(run, &changed)?;
                        single_row(run, node, plan.set_param.len())
                    })?;
                    let row = row.unwrap_or_else(|| vec![Datum::Null; plan.set_param.len()]);
                    for (p, v) in plan.set_param.iter().zip(row) {
                        run.set_exec_param(*p, v);
                    }
                    Datum::Null
                }
                SubLinkType::Cte => return Err(PgError::internal("CTE subplan in an expression")),
            };
            out.set(i, value.as_ref());
        }
        Ok(())
    }

    /// ANY and ALL row by row: the test reads the subquery's columns as parameters.
    fn quantified(
        &mut self,
        run: &mut Run<'_>,
        plan: &SubPlan,
        changed: &[i32],
        input: &Batch,
        row: usize,
    ) -> Result<Datum> {
        let any = plan.sub_link_type == SubLinkType::Any;
        let test = self.test.as_mut().ok_or_else(|| PgError::internal("sublink without a test"))?;
        run.with_subplan(plan.plan_id, |run, node| {
            node.rescan(run, changed)?;
            let mut unknown = false;
            loop {
                let Some(batch) = node.next(run, usize::MAX)? else { break };
                let found: Vec<Vec<Datum>> = batch
                    .selected()
                    .iter()
                    .map(|i| batch.columns.iter().map(|c| c.get(i).to_owned()).collect())
                    .collect();
                for values in found {
                    for (p, v) in plan.param_ids.iter().zip(values) {
                        run.set_exec_param(*p, v);
                    }
                    match test.eval_row(run, input, row)?.as_ref() {
                        DatumRef::Null => unknown = true,
                        d if is_true(d) == any => return Ok(Datum::bool(any)),
                        _ => {}
                    }
                }
            }
            Ok(if unknown { Datum::Null } else { Datum::bool(!any) })
        })
    }

    fn row_compare(
        &mut self,
        run: &mut Run<'_>,
        plan: &SubPlan,
        changed: &[i32],
        input: &Batch,
        row: usize,
    ) -> Result<Datum> {
        let found = run.with_subplan(plan.plan_id, |run, node| {
            node.rescan(run, changed)?;
            single_row(run, node, plan.param_ids.len())
        })?;
        let Some(values) = found else { return Ok(Datum::Null) };
        for (p, v) in plan.param_ids.iter().zip(values) {
            run.set_exec_param(*p, v);
        }
        let test = self.test.as_mut().ok_or_else(|| PgError::internal("sublink without a test"))?;
        test.eval_row(run, input, row)
    }
}

impl HashedSet {
    fn compile(c: &mut Compiler<'_>, s: &SubPlan) -> Result<HashedSet> {
        let mut tests: Vec<&Expr> = Vec::new();
        match &s.testexpr {
            Some(Expr::BoolExpr(b)) => tests.extend(&b.args),
            Some(e) => tests.push(e),
            None => return Err(PgError::internal("hashed sublink without a test")),
        }
        let (mut left, mut equal, mut lkeys, mut rkeys) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for t in tests {
            let Expr::OpExpr(o) = t else { return Err(PgError::internal("hashed sublink with another test")) };
            let (l, r) = (o.args[0].type_oid(), o.args[1].type_oid());
            left.push(c.expr(&o.args[0])?);
            let function = c.cx.operator_function(o.opno)?;
            equal.push(c.bare_function(function, &[l, r], types::oid::BOOLOID, o.inputcollid)?);
            lkeys.push((o.opno, o.inputcollid, false));
            rkeys.push((o.opno, o.inputcollid, true));
        }
        Ok(HashedSet {
            left,
            equal,
            hasher: KeyHasher::for_operators(c.cx, &lkeys)?,
            right_hasher: KeyHasher::for_operators(c.cx, &rkeys)?,
            rows: HashMap::new(),
            with_nulls: Vec::new(),
            filled: false,
        })
    }

    fn fill(&mut self, run: &mut Run<'_>, plan: &SubPlan) -> Result<()> {
        if self.filled {
            return Ok(());
        }
        let width = self.left.len();
        let found = run.with_subplan(plan.plan_id, |run, node| {
            node.restart(run)?;
            let mut found: Vec<Vec<Datum>> = Vec::new();
            while let Some(batch) = node.next(run, usize::MAX)? {
                found.extend(
                    batch
                        .selected()
                        .iter()
                        .map(|i| batch.columns[..width].iter().map(|c| c.get(i).to_owned()).collect::<Vec<Datum>>()),
                );
            }
            Ok(found)
        })?;
        for row in found {
            let row: Result<Vec<Datum>> = row.iter().map(|d| plain(run, d.as_ref())).collect();
            let row = row?;
            if row.iter().any(Datum::is_null) {
                self.with_nulls.push(row);
                continue;
            }
            let hash = self.right_hasher.hash_values(run, &row)?;
            self.rows.entry(hash).or_default().push(row);
        }
        self.filled = true;
        Ok(())
    }

    fn eval(
        &mut self,
        run: &mut Run<'_>,
        plan: &SubPlan,
        input: &Batch,
        rows: Rows<'_>,
        out: &mut Column,
    ) -> Result<()> {
        for l in &mut self.left {
            l.eval(run, input, rows)?;
        }
        self.fill(run, plan)?;
        for i in rows.iter() {
            let key: Result<Vec<Datum>> = self.left.iter().map(|l| plain(run, l.value(input, i))).collect();
            let key = key?;
            match self.lookup(run, &key)? {
                Some(b) => out.set(i, DatumRef::Word(u64::from(b))),
                None => out.set_null(i),
            }
        }
        Ok(())
    }

    /// Whether the key is among the rows; `None` where nulls leave it open.
    fn lookup(&mut self, run: &mut Run<'_>, key: &[Datum]) -> Result<Option<bool>> {
        if self.rows.is_empty() && self.with_nulls.is_empty() {
            return Ok(Some(false));
        }
        if key.iter().any(Datum::is_null) {
            // A null matches unless another column differs.
            for row in self.rows.values().flatten().chain(&self.with_nulls) {
                if may_match(&mut self.equal, run, key, row)? {
                    return Ok(None);
                }
            }
            return Ok(Some(false));
        }
        let hash = self.hasher.hash_values(run, key)?;
        if let Some(bucket) = self.rows.get(&hash) {
            for row in bucket {
                if may_match(&mut self.equal, run, key, row)? {
                    return Ok(Some(true));
                }
            }
        }
        for row in &self.with_nulls {
            if may_match(&mut self.equal, run, key, row)? {
                return Ok(None);
            }
        }
        Ok(Some(false))
    }
}

/// Whether no column that both sides have differs.
fn may_match(equal: &mut [FuncNode], run: &mut Run<'_>, a: &[Datum], b: &[Datum]) -> Result<bool> {
    for (i, f) in equal.iter_mut().enumerate() {
        if a[i].is_null() || b[i].is_null() {
            continue;
        }
        if !is_true(f.call(run, &[a[i].as_ref(), b[i].as_ref()])?.as_ref()) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// `ARRAY(SELECT ..)`.
pub(crate) fn array_result(run: &mut Run<'_>, plan: &SubPlan, changed: &[i32]) -> Result<Datum> {
    let values = run.with_subplan(plan.plan_id, |run, node| {
        node.rescan(run, changed)?;
        let mut values = Vec::new();
        while let Some(batch) = node.next(run, usize::MAX)? {
            values.extend(batch.selected().iter().map(|i| batch.columns[0].get(i).to_owned()));
        }
        Ok(values)
    })?;
    let values: Result<Vec<Datum>> = values.iter().map(|d| plain(run, d.as_ref())).collect();
    let values = values?;
    let info = run.cx.type_info(plan.first_col.oid)?;
    // Of arrays a sublink makes an array of one dimension more.
    if info.elem.is_valid() && info.len == -1 {
        let elem = Elem::of(&*run.cx.type_info(info.elem)?);
        let mut shape: Option<(Vec<i32>, Vec<i32>)> = None;
        let mut all: Vec<DatumRef<'_>> = Vec::new();
        for v in &values {
            let a = array::ArrayRef::new(v.as_ref().as_bytes())?;
            match &shape {
                None => shape = Some((a.dims(), a.lower_bounds())),
                Some(s) if s.0 == a.dims() => {}
                Some(_) => {
                    let text = "cannot accumulate arrays of different dimensionality";
                    return Err(PgError::new(base::sqlstate::ARRAY_SUBSCRIPT_ERROR, text));
                }
            }
            all.extend(a.to_vec(&elem)?);
        }
        let (mut dims, mut lbs) = shape.unwrap_or_default();
        dims.insert(0, values.len() as i32);
        lbs.insert(0, 1);
        return array::build(&elem, &dims, &lbs, &all);
    }
    let refs: Vec<DatumRef<'_>> = values.iter().map(Datum::as_ref).collect();
    array::build_vector(&Elem::of(&info), &refs)
}
