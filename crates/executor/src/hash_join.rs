//! HashJoin: the inner rows in a hash table, probed with batches of outer rows.
//!
//! The hash only proposes pairs; the hash clauses themselves are evaluated over the batch of proposed pairs together with the
//! other join conditions. All join types are served: matched rows are remembered on both sides.

use std::sync::Arc;

use analyze::query::{Expr, JoinType};
use base::{PgError, Result};
use planner::{Plan, PlanNode};
use types::{Arg, Batch, Column, Rows};

use crate::build::Builder;
use crate::expr::{CExpr, Scope};
use crate::hashing::KeyHasher;
use crate::join::JoinOutput;
use crate::node::{Exec, Node};
use crate::state::Run;

const NONE: u32 = u32::MAX;

/// The inner side.
#[derive(Default)]
struct Table {
    columns: Vec<Arc<Column>>,
    rows: usize,
    hashes: Vec<u64>,
    /// By low bits of the hash: the first row; then `next`.
    heads: Vec<u32>,
    next: Vec<u32>,
    matched: Vec<bool>,
}

impl Table {
    fn head(&self, hash: u64) -> u32 {
        if self.heads.is_empty() { NONE } else { self.heads[hash as usize & (self.heads.len() - 1)] }
    }
}

#[derive(PartialEq)]
enum Phase {
    Build,
    NeedOuter,
    Probe,
    OuterUnmatched,
    InnerUnmatched,
    Done,
}

pub(crate) struct HashJoinExec {
    outer: Node,
    inner: Node,
    jointype: JoinType,
    outer_keys: Vec<CExpr>,
    inner_keys: Vec<CExpr>,
    outer_hasher: KeyHasher,
    inner_hasher: KeyHasher,
    /// A null key matches nothing: all operators are strict.
    output: JoinOutput,
    table: Table,
    phase: Phase,
    current: Batch,
    rows: Vec<u32>,
    hashes: Vec<u64>,
    at: usize,
    chain: u32,
    outer_matched: Vec<bool>,
    inner_at: usize,
}

impl HashJoinExec {
    pub fn build(b: &mut Builder<'_>, plan: &Plan) -> Result<HashJoinExec> {
        let PlanNode::HashJoin { jointype, joinqual, hashclauses, hashkeys, hashoperators, hashcollations, .. } =
            &plan.node
        else {
            return Err(PgError::internal("not a hash join"));
        };
        let outer = b.outer(plan)?;
        let hash = plan.inner.as_deref().ok_or_else(|| PgError::internal("hash join without Hash"))?;
        let PlanNode::Hash { hashkeys: inner_exprs } = &hash.node else {
            return Err(PgError::internal("hash join without Hash"));
        };
        let inner = b.outer(hash)?;
        let output = JoinOutput::build(b, plan, &outer.output, &inner.output, &[hashclauses, joinqual])?;
        let keys = |c: &mut crate::expr::Compiler<'_>, list: &[Expr]| c.list(list);
        let outer_keys = keys(&mut b.compiler(Scope::outer(outer.output.len())), hashkeys)?;
        let inner_keys = keys(&mut b.compiler(Scope::outer(inner.output.len())), inner_exprs)?;
        let ops = |right: bool| -> Vec<_> {
            hashoperators.iter().zip(hashcollations).map(|(o, c)| (*o, *c, right)).collect()
        };
        Ok(HashJoinExec {
            outer_hasher: KeyHasher::for_operators(b.cx, &ops(false))?,
            inner_hasher: KeyHasher::for_operators(b.cx, &ops(true))?,
            outer,
            inner,
            jointype: *jointype,
            outer_keys,
            inner_keys,
            output,
            table: Table::default(),
            phase: Phase::Build,
            current: Batch::default(),
            rows: Vec::new(),
            hashes: Vec::new(),
            at: 0,
            chain: NONE,
            outer_matched: Vec::new(),
            inner_at: 0,
        })
    }

    fn keeps_inner(&self) -> bool {
        matches!(self.jointype, JoinType::Right | JoinType::Full | JoinType::RightAnti)
    }
    fn keeps_outer(&self) -> bool {
        matches!(self.jointype, JoinType::Left | JoinType::Full | JoinType::Anti)
    }

    fn build_table(&mut self, run: &mut Run<'_>) -> Result<()> {
        let mut columns: Vec<Column> = self.inner.output.iter().map(|p| Column::new(*p)).collect();
        let (mut hashes, mut linked) = (Vec::new(), Vec::new());
        let mut scratch = Vec::new();
        let keep_null_keys = self.keeps_inner();
        while let Some(batch) = self.inner.next(run, usize::MAX)? {
            let keys = eval_keys(&mut self.inner_keys, run, batch)?;
            let refs: Vec<&Column> = keys.iter().map(|k| &**k).collect();
            self.inner_hasher.hash_rows(run, &refs, batch.selected(), &mut scratch)?;
            let usable = |i: usize| refs.iter().all(|c| !c.is_null(i));
            let rows: Vec<u32> =
                batch.selected().iter().filter(|i| keep_null_keys || usable(*i)).map(|i| i as u32).collect();
            for (column, from) in columns.iter_mut().zip(&batch.columns) {
                column.append(from, Rows::Some(&rows));
            }
            hashes.extend(rows.iter().map(|i| scratch[*i as usize]));
            linked.extend(rows.iter().map(|i| usable(*i as usize)));
        }
        let n = hashes.len();
        let size = if n == 0 { 0 } else { (n * 2).next_power_of_two() };
        let (mut heads, mut next) = (vec![NONE; size], vec![NONE; n]);
        // Backwards, so that a chain lists its rows in the order they came.
        for i in (0..n).rev().filter(|i| linked[*i]) {
            let slot = hashes[i] as usize & (size - 1);
            next[i] = heads[slot];
            heads[slot] = i as u32;
        }
        for c in &mut columns {
            if let types::ColumnData::Bytes(b) = &mut c.data {
                b.seal();
            }
        }
        let matched = vec![false; n];
        let info = crate::node::HashInfo {
            buckets: n.next_power_of_two().max(1024),
            batches: 1,
            kilobytes: (n * 12 + size * 4 + columns.iter().map(Column::memory).sum::<usize>()).div_ceil(1024) as i64,
            disk_kilobytes: 0,
        };
        run.note(|i| i.hash = Some(info));
        let columns = columns.into_iter().map(Arc::new).collect();
        self.table = Table { columns, rows: n, hashes, heads, next, matched };
        Ok(())
    }

    fn take_outer(&mut self, run: &mut Run<'_>, max: usize) -> Result<bool> {
        self.current.columns.clear();
        let Some(batch) = self.outer.next(run, max)? else { return Ok(false) };
        self.current = batch.clone();
        self.rows = batch.selected().iter().map(|i| i as u32).collect();
        let keys = eval_keys(&mut self.outer_keys, run, &self.current)?;
        let refs: Vec<&Column> = keys.iter().map(|k| &**k).collect();
        self.outer_hasher.hash_rows(run, &refs, Rows::Some(&self.rows), &mut self.hashes)?;
        self.outer_matched.clear();
        self.outer_matched.resize(self.rows.len(), false);
        (self.at, self.chain) = (0, NONE);
        if let Some(first) = self.rows.first() {
            self.chain = self.table.head(self.hashes[*first as usize]);
        }
        Ok(true)
    }

    /// Proposes pairs until there are `max` or the outer batch is done; then keeps those that match.
    fn probe(&mut self, run: &mut Run<'_>, max: usize) -> Result<bool> {
        let (mut outer_rows, mut inner_rows, mut places) = (Vec::new(), Vec::new(), Vec::new());
        while self.at < self.rows.len() && outer_rows.len() < max.min(1024) {
            let hash = self.hashes[self.rows[self.at] as usize];
            // A semi or anti join needs no more once its row has matched.
            let settled = self.outer_matched[self.at] && matches!(self.jointype, JoinType::Semi | JoinType::Anti);
            if self.chain == NONE || settled {
                self.at += 1;
                if let Some(row) = self.rows.get(self.at) {
                    self.chain = self.table.head(self.hashes[*row as usize]);
                }
                continue;
            }
            let i = self.chain as usize;
            self.chain = self.table.next[i];
            if self.table.hashes[i] == hash && !(self.jointype == JoinType::RightSemi && self.table.matched[i]) {
                outer_rows.push(self.rows[self.at]);
                inner_rows.push(i as u32);
                places.push(self.at);
            }
        }
        if self.at >= self.rows.len() {
            self.phase = Phase::OuterUnmatched;
        }
        if outer_rows.is_empty() {
            return Ok(false);
        }
        let n = outer_rows.len();
        self.output.pair(
            Some((&self.current.columns, Rows::Some(&outer_rows))),
            Some((&self.table.columns, Rows::Some(&inner_rows))),
            n,
        );
        if self.output.join.apply(run, &mut self.output.pairs)? == 0 {
            return Ok(false);
        }
        let mut keep = Vec::with_capacity(n);
        for k in self.output.pairs.selected().iter() {
            let (o, i) = (places[k], inner_rows[k] as usize);
            let first = match self.jointype {
                JoinType::Semi => !self.outer_matched[o],
                JoinType::RightSemi => !self.table.matched[i],
                JoinType::Anti | JoinType::RightAnti => false,
                _ => true,
            };
            self.outer_matched[o] = true;
            self.table.matched[i] = true;
            if first {
                keep.push(k as u32);
            }
        }
        self.output.pairs.selection = Some(keep);
        self.output.finish(run)
    }

    fn outer_unmatched(&mut self, run: &mut Run<'_>) -> Result<bool> {
        self.phase = Phase::NeedOuter;
        if !self.keeps_outer() {
            return Ok(false);
        }
        let rows: Vec<u32> = self.rows.iter().zip(&self.outer_matched).filter(|(_, m)| !**m).map(|(r, _)| *r).collect();
        if rows.is_empty() {
            return Ok(false);
        }
        self.output.pair(Some((&self.current.columns, Rows::Some(&rows))), None, rows.len());
        self.output.finish(run)
    }

    fn inner_unmatched(&mut self, run: &mut Run<'_>, max: usize) -> Result<bool> {
        let mut rows = Vec::new();
        while self.inner_at < self.table.rows && rows.len() < max.min(1024) {
            if !self.table.matched[self.inner_at] {
                rows.push(self.inner_at as u32);
            }
            self.inner_at += 1;
        }
        if self.inner_at >= self.table.rows {
            self.phase = Phase::Done;
        }
        if rows.is_empty() {
            return Ok(false);
        }
        self.output.pair(None, Some((&self.table.columns, Rows::Some(&rows))), rows.len());
        self.output.finish(run)
    }
}

/// The keys' values as columns of the batch's length.
pub(crate) fn eval_keys(keys: &mut [CExpr], run: &mut Run<'_>, batch: &Batch) -> Result<Vec<Arc<Column>>> {
    let mut out = Vec::with_capacity(keys.len());
    for k in keys {
        k.eval(run, batch, batch.selected())?;
        out.push(match (k.as_input(), k.result(batch)) {
            (Some(i), _) => batch.columns[i].clone(),
            (None, Arg::Column(c)) => Arc::new(c.clone()),
            (None, Arg::Const(d)) => {
                let mut c = Column::new(k.physical);
                c.resize(batch.rows);
                batch.selected().iter().for_each(|i| c.set(i, d));
                Arc::new(c)
            }
        });
    }
    Ok(out)
}

impl Exec for HashJoinExec {
    fn next<'a>(&'a mut self, run: &mut Run<'_>, max: usize) -> Result<Option<&'a Batch>> {
        loop {
            let found = match self.phase {
                Phase::Build => {
                    self.build_table(run)?;
                    self.phase = Phase::NeedOuter;
                    false
                }
                Phase::NeedOuter => {
                    let empty_decides = matches!(
                        self.jointype,
                        JoinType::Inner | JoinType::Semi | JoinType::Right | JoinType::RightSemi | JoinType::RightAnti
                    );
                    if self.table.rows == 0 && empty_decides {
                        self.phase = Phase::Done;
                    } else if self.take_outer(run, max)? {
                        self.phase = Phase::Probe;
                    } else {
                        self.phase = if self.keeps_inner() { Phase::InnerUnmatched } else { Phase::Done };
                        self.inner_at = 0;
                    }
                    false
                }
                Phase::Probe => self.probe(run, max)?,
                Phase::OuterUnmatched => self.outer_unmatched(run)?,
                Phase::InnerUnmatched => self.inner_unmatched(run, max)?,
                Phase::Done => return Ok(None),
            };
            if found {
                return Ok(Some(self.output.batch()));
            }
        }
    }
    fn rescan(&mut self, run: &mut Run<'_>, changed: &[i32]) -> Result<()> {
        if self.phase != Phase::Build {
            if self.inner.depends_on(changed) {
                self.table = Table::default();
                self.phase = Phase::Build;
                self.inner.rescan(run, changed)?;
            } else {
                self.table.matched.fill(false);
                self.phase = Phase::NeedOuter;
            }
        } else {
            self.inner.rescan(run, changed)?;
        }
        self.outer.rescan(run, changed)
    }
}
