//! Unique: the first of each run of equal rows, of sorted input. Group: the same with a target list.

use base::Result;
use planner::{GroupCol, Plan};
use types::{Batch, Column};

use crate::append::compact;
use crate::build::Builder;
use crate::expr::{Filter, Projection, Scope};
use crate::hashing::{KeyEq, columns_of};
use crate::node::{Exec, Node};
use crate::state::Run;

pub(crate) struct UniqueExec {
    input: Node,
    columns: Vec<usize>,
    eq: KeyEq,
    last: Option<Batch>,
    group: Option<(Filter, Projection)>,
    out: Batch,
    projected: Batch,
}

impl UniqueExec {
    pub fn build(b: &mut Builder<'_>, plan: &Plan, columns: &[GroupCol]) -> Result<UniqueExec> {
        let input = b.outer(plan)?;
        let keys: Vec<_> = columns.iter().map(|c| (c.eqop, c.collation)).collect();
        Ok(UniqueExec {
            input,
            columns: columns.iter().map(|c| c.column as usize - 1).collect(),
            eq: KeyEq::for_operators(b.cx, &keys)?,
            last: None,
            group: None,
            out: Batch::default(),
            projected: Batch::default(),
        })
    }
    pub fn build_group(b: &mut Builder<'_>, plan: &Plan, columns: &[GroupCol]) -> Result<UniqueExec> {
        let mut u = UniqueExec::build(b, plan, columns)?;
        let mut c = b.compiler(Scope::outer(u.input.output.len()));
        u.group = Some((c.filter(&plan.qual)?, c.projection(&plan.targetlist)?));
        Ok(u)
    }
}

impl Exec for UniqueExec {
    fn next<'a>(&'a mut self, run: &mut Run<'_>, max: usize) -> Result<Option<&'a Batch>> {
        loop {
            self.out.columns.clear();
            self.projected.columns.clear();
            let Some(batch) = self.input.next(run, max)? else { return Ok(None) };
            let columns = columns_of(batch, &self.columns);
            let mut keep: Vec<u32> = Vec::new();
            let mut previous: Option<usize> = None;
            for i in batch.selected().iter() {
                let same = match (previous, &self.last) {
                    (Some(p), _) => self.eq.rows_equal(run, &columns, p, &columns, i)?,
                    (None, Some(last)) => {
                        let l: Vec<&Column> = columns_of(last, &self.columns);
                        self.eq.rows_equal(run, &l, 0, &columns, i)?
                    }
                    (None, None) => false,
                };
                if !same {
                    keep.push(i as u32);
                }
                previous = Some(i);
            }
            if let Some(p) = previous {
                let one = Batch { columns: batch.columns.clone(), rows: batch.rows, selection: Some(vec![p as u32]) };
                self.last = Some(compact(&one));
            }
            if keep.is_empty() {
                continue;
            }
            self.out.columns.extend(batch.columns.iter().cloned());
            (self.out.rows, self.out.selection) = (batch.rows, Some(keep));
            if let Some((filter, projection)) = &mut self.group {
                if filter.apply(run, &mut self.out)? == 0 {
                    continue;
                }
                projection.apply(run, &self.out, &mut self.projected)?;
                return Ok(Some(&self.projected));
            }
            return Ok(Some(&self.out));
        }
    }
    fn rescan(&mut self, run: &mut Run<'_>, changed: &[i32]) -> Result<()> {
        self.last = None;
        self.input.rescan(run, changed)
    }
}
