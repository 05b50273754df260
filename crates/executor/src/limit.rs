//! Limit: OFFSET, LIMIT and FETCH FIRST .. WITH TIES.

use analyze::query::Expr;
use base::sqlstate::{INVALID_ROW_COUNT_IN_LIMIT_CLAUSE, INVALID_ROW_COUNT_IN_RESULT_OFFSET_CLAUSE};
use base::{PgError, Result};
use planner::{GroupCol, Plan};
use types::{Batch, Column};

use crate::build::Builder;
use crate::expr::{CExpr, Scope};
use crate::hashing::KeyEq;
use crate::node::{Exec, Node};
use crate::state::Run;

pub(crate) struct LimitExec {
    input: Node,
    offset: Option<CExpr>,
    count: Option<CExpr>,
    ties: Option<(Vec<usize>, KeyEq)>,
    started: bool,
    skip: u64,
    /// Rows still to give; `None` without a limit.
    left: Option<u64>,
    /// The last row within the limit, to compare ties with.
    last: Option<Batch>,
    out: Batch,
}

impl LimitExec {
    pub fn build(
        b: &mut Builder<'_>,
        plan: &Plan,
        offset: &Option<Expr>,
        count: &Option<Expr>,
        with_ties: bool,
        ties: &[GroupCol],
    ) -> Result<LimitExec> {
        let input = b.outer(plan)?;
        let ties = match with_ties {
            true => {
                let keys: Vec<_> = ties.iter().map(|c| (c.eqop, c.collation)).collect();
                Some((ties.iter().map(|c| c.column as usize - 1).collect(), KeyEq::for_operators(b.cx, &keys)?))
            }
            false => None,
        };
        let mut c = b.compiler(Scope::empty());
        Ok(LimitExec {
            input,
            offset: offset.as_ref().map(|e| c.expr(e)).transpose()?,
            count: count.as_ref().map(|e| c.expr(e)).transpose()?,
            ties,
            started: false,
            skip: 0,
            left: None,
            last: None,
            out: Batch::default(),
        })
    }

    fn start(&mut self, run: &mut Run<'_>) -> Result<()> {
        self.started = true;
        self.skip = 0;
        if let Some(e) = &mut self.offset {
            let v = e.eval_scalar(run)?;
            let n = if v.is_null() { 0 } else { v.as_ref().word() as i64 };
            self.skip = u64::try_from(n)
                .map_err(|_| PgError::new(INVALID_ROW_COUNT_IN_RESULT_OFFSET_CLAUSE, "OFFSET must not be negative"))?;
        }
        self.left = None;
        let skip = self.skip;
        if let Some(e) = &mut self.count {
            let v = e.eval_scalar(run)?;
            if !v.is_null() {
                let n = v.as_ref().word() as i64;
                self.left = Some(
                    u64::try_from(n)
                        .map_err(|_| PgError::new(INVALID_ROW_COUNT_IN_LIMIT_CLAUSE, "LIMIT must not be negative"))?,
                );
            }
        }
        let bound = self.left.filter(|_| self.ties.is_none()).map(|n| n.saturating_add(skip));
        self.input.exec.set_bound(bound.and_then(|n| usize::try_from(n).ok()));
        Ok(())
    }
}

impl Exec for LimitExec {
    fn next<'a>(&'a mut self, run: &mut Run<'_>, max: usize) -> Result<Option<&'a Batch>> {
        if !self.started {
            self.start(run)?;
        }
        loop {
            self.out.columns.clear();
            let at_limit = self.left == Some(0);
            if at_limit && (self.ties.is_none() || self.last.is_none()) {
                return Ok(None);
            }
            // Never ask for more than is needed: what lies behind the limit must not be evaluated.
            let wanted = match self.left {
                Some(0) => 1,
                Some(n) => usize::try_from(n.saturating_add(self.skip)).unwrap_or(usize::MAX),
                None => usize::MAX,
            };
            let wanted = wanted.min(max.saturating_add(usize::try_from(self.skip).unwrap_or(usize::MAX)));
            let Some(batch) = self.input.next(run, wanted)? else { return Ok(None) };
            let rows: Vec<u32> = batch.selected().iter().map(|i| i as u32).collect();
            let skipped = (self.skip.min(rows.len() as u64)) as usize;
            self.skip -= skipped as u64;
            let mut rows = rows[skipped..].to_vec();
            if at_limit {
                let (Some((columns, eq)), Some(last)) = (&mut self.ties, &self.last) else { return Ok(None) };
                let a: Vec<&Column> = columns.iter().map(|c| &*last.columns[*c]).collect();
                let b: Vec<&Column> = columns.iter().map(|c| &*batch.columns[*c]).collect();
                if !eq.rows_equal(run, &a, 0, &b, rows[0] as usize)? {
                    self.last = None;
                    return Ok(None);
                }
            } else if let Some(left) = &mut self.left {
                rows.truncate(usize::try_from(*left).unwrap_or(usize::MAX));
                *left -= rows.len() as u64;
                if *left == 0
                    && self.ties.is_some()
                    && let Some(i) = rows.last()
                {
                    let one = Batch { columns: batch.columns.clone(), rows: batch.rows, selection: Some(vec![*i]) };
                    self.last = Some(crate::append::compact(&one));
                }
            }
            if rows.is_empty() {
                continue;
            }
            self.out.columns.extend(batch.columns.iter().cloned());
            self.out.rows = batch.rows;
            self.out.selection = if rows.len() == batch.rows { None } else { Some(rows) };
            return Ok(Some(&self.out));
        }
    }
    fn rescan(&mut self, run: &mut Run<'_>, changed: &[i32]) -> Result<()> {
        (self.started, self.last) = (false, None);
        self.input.rescan(run, changed)
    }
    fn rest(&mut self) -> Result<bool> {
        (self.started, self.last) = (false, None);
        self.input.rest()
    }
}
