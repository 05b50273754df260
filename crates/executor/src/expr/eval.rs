//! Evaluation: each kind of node for the chosen rows of a batch.

use std::sync::Arc;

use analyze::query::BoolTestType;
use base::{PgError, Result};
use types::{Arg, Batch, Column, Datum, DatumRef, Rows};

use super::{CExpr, Kind, is_true};
use crate::state::Run;

/// Empties a result column and gives it the batch's length.
#[inline]
pub(super) fn reset(out: &mut Column, rows: usize) {
    out.clear();
    out.resize(rows);
}

/// Copies the chosen rows of a child's result.
pub(super) fn copy_rows(out: &mut Column, from: Arg<'_>, rows: Rows<'_>) {
    for i in rows.iter() {
        out.set(i, from.get(i));
    }
}

impl CExpr {
    /// Computes the chosen rows.
    pub fn eval(&mut self, run: &mut Run<'_>, input: &Batch, rows: Rows<'_>) -> Result<()> {
        let n = input.rows;
        match &mut self.kind {
            Kind::Input(_) | Kind::Const(_) => {}
            Kind::ExternParam { id, value } => *value = run.extern_param(*id)?,
            Kind::ExecParam { id, value } => *value = run.exec_param(*id)?,
            Kind::SqlValue { op, typmod, value } => *value = super::special::sql_value(run, *op, *typmod)?,
            Kind::Func(f) => {
                reset(&mut self.out, n);
                f.eval(run, input, rows, &mut self.out)?;
            }
            Kind::Distinct(f) => {
                reset(&mut self.out, n);
                f.eval_distinct(run, input, rows, &mut self.out)?;
            }
            Kind::NullIf(f) => {
                reset(&mut self.out, n);
                f.eval_nullif(run, input, rows, &mut self.out)?;
            }
            Kind::And(args) => {
                reset(&mut self.out, n);
                and_or(args, run, input, rows, &mut self.out, false)?;
            }
            Kind::Or(args) => {
                reset(&mut self.out, n);
                and_or(args, run, input, rows, &mut self.out, true)?;
            }
            Kind::Not(arg) => {
                arg.eval(run, input, rows)?;
                reset(&mut self.out, n);
                let a = arg.result(input);
                for i in rows.iter() {
                    match a.get(i) {
                        DatumRef::Null => self.out.set_null(i),
                        d => self.out.set(i, DatumRef::Word(u64::from(!is_true(d)))),
                    }
                }
            }
            Kind::Case { arg, whens, default } => {
                reset(&mut self.out, n);
                case(arg, whens, default, run, input, rows, &mut self.out)?;
            }
            Kind::Coalesce(args) => {
                reset(&mut self.out, n);
                let mut left: Vec<u32> = rows.iter().map(|i| i as u32).collect();
                for arg in args {
                    if left.is_empty() {
                        break;
                    }
                    arg.eval(run, input, Rows::Some(&left))?;
                    let a = arg.result(input);
                    left.retain(|&i| {
                        let v = a.get(i as usize);
                        if !v.is_null() {
                            self.out.set(i as usize, v);
                        }
                        v.is_null()
                    });
                }
                left.iter().for_each(|&i| self.out.set_null(i as usize));
            }
            Kind::NullTest { arg, not } => {
                arg.eval(run, input, rows)?;
                reset(&mut self.out, n);
                let a = arg.result(input);
                for i in rows.iter() {
                    self.out.set(i, DatumRef::Word(u64::from(a.get(i).is_null() != *not)));
                }
            }
            Kind::BoolTest { arg, test } => {
                arg.eval(run, input, rows)?;
                reset(&mut self.out, n);
                let a = arg.result(input);
                for i in rows.iter() {
                    let v = a.get(i);
                    let yes = match test {
                        BoolTestType::IsTrue => is_true(v),
                        BoolTestType::IsNotTrue => !is_true(v),
                        BoolTestType::IsFalse => !v.is_null() && !is_true(v),
                        BoolTestType::IsNotFalse => v.is_null() || is_true(v),
                        BoolTestType::IsUnknown => v.is_null(),
                        BoolTestType::IsNotUnknown => !v.is_null(),
                    };
                    self.out.set(i, DatumRef::Word(u64::from(yes)));
                }
            }
            Kind::SubPlan(s) => {
                reset(&mut self.out, n);
                s.eval(run, input, rows, &mut self.out)?;
            }
            Kind::Unsupported(what) => {
                if rows.len() > 0 {
                    return Err(PgError::unsupported(&*what));
                }
            }
            _ => {
                reset(&mut self.out, n);
                super::special::eval(&mut self.kind, run, input, rows, &mut self.out)?;
            }
        }
        Ok(())
    }

    /// Evaluates for a single row of the batch.
    pub fn eval_row(&mut self, run: &mut Run<'_>, input: &Batch, row: usize) -> Result<Datum> {
        self.eval(run, input, Rows::Some(&[row as u32]))?;
        Ok(self.value(input, row).to_owned())
    }

    /// Evaluates an expression that reads no columns.
    pub fn eval_scalar(&mut self, run: &mut Run<'_>) -> Result<Datum> {
        let input = Batch { columns: Vec::new(), rows: 1, selection: None };
        self.eval_row(run, &input, 0)
    }
}

/// AND (`or` false) and OR: each argument sees only the rows that are not decided yet; nulls wait for the end.
fn and_or(
    args: &mut [CExpr],
    run: &mut Run<'_>,
    input: &Batch,
    rows: Rows<'_>,
    out: &mut Column,
    or: bool,
) -> Result<()> {
    let mut left: Vec<u32> = rows.iter().map(|i| i as u32).collect();
    let mut nulls: Vec<u32> = Vec::new();
    for arg in args {
        if left.is_empty() {
            break;
        }
        arg.eval(run, input, Rows::Some(&left))?;
        let a = arg.result(input);
        left.retain(|&i| match a.get(i as usize) {
            DatumRef::Null => {
                nulls.push(i);
                true
            }
            d if is_true(d) == or => {
                out.set(i as usize, DatumRef::Word(u64::from(or)));
                false
            }
            _ => true,
        });
    }
    left.iter().for_each(|&i| out.set(i as usize, DatumRef::Word(u64::from(!or))));
    if !nulls.is_empty() {
        // Those decided after their null are no longer in `left`.
        for i in nulls {
            if left.binary_search(&i).is_ok() {
                out.set_null(i as usize);
            }
        }
    }
    Ok(())
}

fn case(
    arg: &mut Option<Box<CExpr>>,
    whens: &mut [(CExpr, CExpr)],
    default: &mut CExpr,
    run: &mut Run<'_>,
    input: &Batch,
    rows: Rows<'_>,
    out: &mut Column,
) -> Result<()> {
    let wider;
    let tested = match arg {
        None => input,
        Some(arg) => {
            arg.eval(run, input, rows)?;
            wider = with_column(input, arg, rows);
            &wider
        }
    };
    let mut left: Vec<u32> = rows.iter().map(|i| i as u32).collect();
    let mut taken: Vec<u32> = Vec::new();
    for (condition, result) in whens {
        if left.is_empty() {
            return Ok(());
        }
        condition.eval(run, tested, Rows::Some(&left))?;
        let c = condition.result(tested);
        taken.clear();
        left.retain(|&i| {
            let yes = is_true(c.get(i as usize));
            if yes {
                taken.push(i);
            }
            !yes
        });
        if !taken.is_empty() {
            result.eval(run, tested, Rows::Some(&taken))?;
            copy_rows(out, result.result(tested), Rows::Some(&taken));
        }
    }
    if !left.is_empty() {
        default.eval(run, tested, Rows::Some(&left))?;
        copy_rows(out, default.result(tested), Rows::Some(&left));
    }
    Ok(())
}

/// The input with an expression's result as one more column.
pub(super) fn with_column(input: &Batch, e: &CExpr, rows: Rows<'_>) -> Batch {
    let mut wider = Batch { columns: input.columns.clone(), rows: input.rows, selection: None };
    let column = match e.result(input) {
        Arg::Column(c) => match e.as_input() {
            Some(i) => input.columns[i].clone(),
            None => Arc::new(c.clone()),
        },
        Arg::Const(d) => {
            let mut c = Column::new(e.physical);
            reset(&mut c, input.rows);
            rows.iter().for_each(|i| c.set(i, d));
            Arc::new(c)
        }
    };
    wider.columns.push(column);
    wider
}
