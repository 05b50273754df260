//! ValuesScan: the rows of a VALUES list.

use std::sync::Arc;

use analyze::query::{Expr, RtIndex};
use base::Result;
use planner::Plan;
use types::{Batch, Column};

use crate::build::Builder;
use crate::expr::project::fresh;
use crate::expr::{CExpr, Scope};
use crate::node::Exec;
use crate::scan::ScanOutput;
use crate::state::Run;

pub(crate) struct ValuesScanExec {
    lists: Vec<Vec<CExpr>>,
    next: usize,
    rows: Batch,
    output: ScanOutput,
}

impl ValuesScanExec {
    pub fn build(b: &mut Builder<'_>, plan: &Plan, relid: RtIndex, lists: &[Vec<Expr>]) -> Result<ValuesScanExec> {
        let width = lists.first().map_or(0, Vec::len);
        let mut c = b.compiler(Scope::empty());
        let lists: Result<Vec<Vec<CExpr>>> = lists.iter().map(|l| c.list(l)).collect();
        let lists = lists?;
        let columns = lists.first().map(|l| l.iter().map(|e| Arc::new(Column::new(e.physical))).collect());
        Ok(ValuesScanExec {
            rows: Batch { columns: columns.unwrap_or_default(), rows: 0, selection: None },
            lists,
            next: 0,
            output: ScanOutput::build(b, plan, relid, width)?,
        })
    }
}

impl Exec for ValuesScanExec {
    fn next<'a>(&'a mut self, run: &mut Run<'_>, max: usize) -> Result<Option<&'a Batch>> {
        let one = Batch { columns: Vec::new(), rows: 1, selection: None };
        while self.next < self.lists.len() {
            self.output.release();
            let to = self.lists.len().min(self.next.saturating_add(max));
            for (i, column) in self.rows.columns.iter_mut().enumerate() {
                let column = fresh(column, self.lists[0][i].physical);
                column.clear();
            }
            for list in &mut self.lists[self.next..to] {
                for (e, column) in list.iter_mut().zip(&mut self.rows.columns) {
                    e.eval(run, &one, types::Rows::All(1))?;
                    Arc::make_mut(column).push(e.value(&one, 0));
                }
            }
            (self.rows.rows, self.rows.selection) = (to - self.next, None);
            self.next = to;
            if self.output.apply(run, &mut self.rows)? {
                return Ok(Some(self.output.batch()));
            }
        }
        Ok(None)
    }
    fn rescan(&mut self, _: &mut Run<'_>, _: &[i32]) -> Result<()> {
        self.next = 0;
        Ok(())
    }
}
