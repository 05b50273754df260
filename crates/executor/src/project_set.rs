//! ProjectSet: set-returning functions in a target list. All of a row's sets run side by side until the longest ends.

use std::sync::Arc;

use analyze::query::Expr;
use base::Result;
use planner::Plan;
use types::{Batch, Column, Datum, Rows};

use crate::build::Builder;
use crate::expr::setfn::SetNode;
use crate::expr::special::composite;
use crate::expr::{CExpr, Scope};
use crate::node::{Exec, Node};
use crate::state::Run;

enum Item {
    Plain(CExpr),
    Set { node: SetNode, done: bool },
}

pub(crate) struct ProjectSetExec {
    input: Option<Node>,
    items: Vec<Item>,
    physical: Vec<types::Physical>,
    /// The input rows in work.
    current: Batch,
    rows: Vec<u32>,
    at: usize,
    active: bool,
    finished: bool,
    out: Batch,
}

fn returns_set(e: &Expr) -> bool {
    match e {
        Expr::FuncExpr(f) => f.funcretset,
        Expr::OpExpr(o) => o.opretset,
        _ => false,
    }
}

impl ProjectSetExec {
    pub fn build(b: &mut Builder<'_>, plan: &Plan) -> Result<ProjectSetExec> {
        let input = plan.outer.as_ref().map(|p| b.node(p)).transpose()?;
        let width = input.as_ref().map_or(0, |n| n.output.len());
        let mut c = b.compiler(Scope::outer(width));
        let mut items = Vec::new();
        for t in &plan.targetlist {
            items.push(if returns_set(&t.expr) {
                Item::Set { node: SetNode::compile(&mut c, &t.expr, None)?, done: true }
            } else {
                Item::Plain(c.expr(&t.expr)?)
            });
        }
        Ok(ProjectSetExec {
            physical: c.physicals(&plan.targetlist)?,
            input,
            items,
            current: Batch::default(),
            rows: Vec::new(),
            at: 0,
            active: false,
            finished: false,
            out: Batch::default(),
        })
    }

    /// The next output row of the input row in work; `false` when all its sets have ended.
    fn row(&mut self, run: &mut Run<'_>, out: &mut [Column]) -> Result<bool> {
        let row = self.rows[self.at] as usize;
        let mut any = false;
        let mut values: Vec<Option<Datum>> = Vec::with_capacity(self.items.len());
        for item in &mut self.items {
            let Item::Set { node, done } = item else {
                values.push(None);
                continue;
            };
            let next = if *done { None } else { node.next(run)? };
            values.push(match next {
                None => {
                    *done = true;
                    Some(Datum::Null)
                }
                Some(mut r) => {
                    any = true;
                    match (node.returns_row, &node.call().result_desc) {
                        (true, Some(desc)) if r.len() == desc.len() => {
                            let layout = access::tuple::TupleLayout::new(desc);
                            match r.len() == 1 && desc.len() != 1 {
                                // It came whole.
                                true => r.into_iter().next(),
                                false => Some(composite(run, &layout, r)?),
                            }
                        }
                        _ => Some(r.swap_remove(0)),
                    }
                }
            });
        }
        if !any {
            return Ok(false);
        }
        for (i, (item, value)) in self.items.iter().zip(values).enumerate() {
            match (item, value) {
                (Item::Plain(e), _) => out[i].push(e.value(&self.current, row)),
                (_, Some(v)) => out[i].push(v.as_ref()),
                _ => {}
            }
        }
        Ok(true)
    }
}

impl Exec for ProjectSetExec {
    fn next<'a>(&'a mut self, run: &mut Run<'_>, max: usize) -> Result<Option<&'a Batch>> {
        let mut columns: Vec<Column> = self.physical.iter().map(|p| Column::new(*p)).collect();
        let mut n = 0;
        while n < max.min(1024) {
            if !self.active {
                if self.at >= self.rows.len() {
                    if self.finished {
                        break;
                    }
                    match &mut self.input {
                        None => {
                            self.finished = true;
                            self.current = Batch { columns: Vec::new(), rows: 1, selection: None };
                        }
                        // The input must not run ahead of what is consumed: its functions may be volatile.
                        Some(input) => match input.next(run, max)? {
                            None => {
                                self.finished = true;
                                break;
                            }
                            Some(b) => self.current = b.clone(),
                        },
                    }
                    self.rows = self.current.selected().iter().map(|i| i as u32).collect();
                    self.at = 0;
                    for item in &mut self.items {
                        if let Item::Plain(e) = item {
                            e.eval(run, &self.current, Rows::Some(&self.rows))?;
                        }
                    }
                }
                let row = self.rows[self.at] as usize;
                for item in &mut self.items {
                    if let Item::Set { node, done } = item {
                        node.start(run, &self.current, row)?;
                        *done = false;
                    }
                }
                self.active = true;
            }
            if self.row(run, &mut columns)? {
                n += 1;
            } else {
                self.active = false;
                self.at += 1;
            }
        }
        self.out = Batch { columns: columns.into_iter().map(Arc::new).collect(), rows: n, selection: None };
        Ok((n > 0).then_some(&self.out))
    }
    fn rescan(&mut self, run: &mut Run<'_>, changed: &[i32]) -> Result<()> {
        self.rows.clear();
        (self.at, self.active, self.finished) = (0, false, false);
        self.input.as_mut().map_or(Ok(()), |n| n.rescan(run, changed))
    }
}
