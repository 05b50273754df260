//! What a new row of a table must satisfy: NOT NULL, CHECK, and what its generated columns hold.
//!
//! PostgreSQL: `ExecConstraints`, `ExecComputeStoredGenerated`, `ExecBuildSlotValueDescription`.

use std::sync::Arc;

use analyze::query::{Const, Expr, VarReturning, sysattr};
use base::sqlstate::{CHECK_VIOLATION, NOT_NULL_VIOLATION};
use base::{Oid, PgError, Result};
use types::{Batch, Column, Datum};

use crate::context::ExecContext;
use crate::expr::{CExpr, Compiler, Scope, is_true};
use crate::heap::OpenTable;
use crate::partition::PartitionCheck;
use crate::state::Run;

/// A table's constraints, compiled.
pub(crate) struct Constraints {
    table: Arc<OpenTable>,
    checks: Vec<(String, CExpr)>,
    /// Stored generated columns: number from 0, expression.
    generated: Vec<(usize, CExpr)>,
    not_null: Vec<usize>,
    /// Of a partition that rows may come to without having been routed.
    partition: Option<PartitionCheck>,
}

/// The scope of expressions over a single row of a table, all columns in order: `varno` 1.
pub(crate) fn row_scope(varno: u32, table: &OpenTable) -> Scope {
    let desc = table.entry.desc.clone();
    let columns = (0..desc.len()).map(Some).collect();
    let width = desc.len();
    Scope {
        ranges: vec![(varno, 0)],
        rows: vec![(varno, VarReturning::Default, desc, columns)],
        width,
        ..Scope::default()
    }
}

/// A constraint may look at `tableoid`, which a new row has no column for.
fn name_table(e: &mut Expr, table: Oid) -> Result<()> {
    if let Expr::Var(v) = e
        && v.varattno == sysattr::TABLEOID
    {
        let (ty, value) = (v.vartype, Datum::oid(table));
        *e = Expr::Const(Const { ty, len: 4, byval: true, value, ..Const::default() });
        return Ok(());
    }
    e.try_children_mut(&mut |c| name_table(c, table))
}

/// A row as a batch of one.
pub(crate) fn row_batch(table: &OpenTable, values: &[Datum]) -> Batch {
    let columns = table.entry.desc.attrs.iter().zip(values).map(|(a, v)| {
        let mut c = Column::new(a.physical());
        c.push(v.as_ref());
        Arc::new(c)
    });
    Batch { columns: columns.collect(), rows: 1, selection: None }
}

impl Constraints {
    pub fn build(cx: &mut ExecContext, table: &Arc<OpenTable>) -> Result<Constraints> {
        let entry = table.entry.clone();
        let (mut checks, mut generated) = (Vec::new(), Vec::new());
        for c in entry.checks.iter().filter(|c| c.contype == b'c' && c.conenforced) {
            if let Some(text) = &c.conbin {
                let mut e = crate::nodes::read_expr(text, &cx.catalog)?;
                name_table(&mut e, entry.oid)?;
                checks.push((c.conname.clone(), Compiler::new(cx, row_scope(1, table)).expr(&e)?));
            }
        }
        for (i, a) in entry.desc.attrs.iter().enumerate() {
            if a.generated == b's'
                && let Some(text) = entry.default_of(i as i16 + 1)
            {
                let e = crate::nodes::read_expr(text, &cx.catalog)?;
                generated.push((i, Compiler::new(cx, row_scope(1, table)).expr(&e)?));
            }
        }
        let not_null = entry.desc.attrs.iter().enumerate().filter(|(_, a)| a.not_null && !a.dropped).map(|(i, _)| i);
        Ok(Constraints { not_null: not_null.collect(), table: table.clone(), checks, generated, partition: None })
    }

    /// Rows must belong to this partition from now on.
    pub fn check_partition(&mut self, check: Option<PartitionCheck>) {
        self.partition = check;
    }
    /// Whether a row belongs to this partition.
    pub fn is_at_home(&mut self, run: &mut Run<'_>, row: &[Datum]) -> Result<bool> {
        match &mut self.partition {
            Some(p) => p.holds(run, &row_batch(&self.table, row), 0),
            None => Ok(true),
        }
    }

    /// Computes stored generated columns.
    pub fn generate(&mut self, run: &mut Run<'_>, row: &mut [Datum]) -> Result<()> {
        if self.generated.is_empty() {
            return Ok(());
        }
        let batch = row_batch(&self.table, row);
        for (i, e) in &mut self.generated {
            row[*i] = e.eval_row(run, &batch, 0)?;
        }
        Ok(())
    }

    /// Whether there is nothing to compute or check but NOT NULL.
    pub fn is_plain(&self) -> bool {
        self.checks.is_empty() && self.generated.is_empty() && self.partition.is_none()
    }
    /// Columns (from 0) that must have values.
    pub fn not_null(&self) -> &[usize] {
        &self.not_null
    }

    pub fn check(&mut self, run: &mut Run<'_>, row: &[Datum]) -> Result<()> {
        if let Some(i) = self.not_null.iter().find(|i| row[**i].is_null()) {
            let (rel, column) = (self.table.entry.clone(), &*self.table.entry.desc.attrs[*i].name);
            let text = format!(
                "null value in column \"{column}\" of relation \"{}\" violates not-null constraint",
                rel.name()
            );
            let e = PgError::new(NOT_NULL_VIOLATION, text).detail(failing_row(run, &self.table, row)?);
            return Err(named(run, &self.table, e)?.column(column));
        }
        if self.checks.is_empty() && self.partition.is_none() {
            return Ok(());
        }
        let batch = row_batch(&self.table, row);
        for (name, e) in &mut self.checks {
            let v = e.eval_row(run, &batch, 0)?;
            if !v.is_null() && !is_true(v.as_ref()) {
                let text = format!(
                    "new row for relation \"{}\" violates check constraint \"{name}\"",
                    self.table.entry.name()
                );
                let e = PgError::new(CHECK_VIOLATION, text).detail(failing_row(run, &self.table, row)?);
                return Err(named(run, &self.table, e)?.constraint(&**name));
            }
        }
        if let Some(p) = &mut self.partition
            && !p.holds(run, &batch, 0)?
        {
            return misplaced(run, &self.table, row).and_then(Err);
        }
        Ok(())
    }
}

/// A row does not belong to a partition. (PostgreSQL: `ExecPartitionCheckEmitError`)
#[cold]
pub(crate) fn misplaced(run: &mut Run<'_>, table: &OpenTable, row: &[Datum]) -> Result<PgError> {
    let text = format!("new row for relation \"{}\" violates partition constraint", table.entry.name());
    let e = PgError::new(CHECK_VIOLATION, text).detail(failing_row(run, table, row)?);
    named(run, table, e)
}

/// Adds the table's name to an error.
pub(crate) fn named(run: &Run<'_>, table: &OpenTable, e: PgError) -> Result<PgError> {
    let schema = run.cx.catalog.namespace_name(table.entry.namespace())?.unwrap_or_default();
    Ok(e.table(schema, table.entry.name()))
}

/// `Failing row contains (..).` Long values are cut after 64 bytes.
pub(crate) fn failing_row(run: &mut Run<'_>, table: &OpenTable, row: &[Datum]) -> Result<String> {
    let mut parts = Vec::with_capacity(row.len());
    for (a, v) in table.entry.desc.attrs.iter().zip(row).filter(|(a, _)| !a.dropped) {
        if a.generated == b'v' {
            parts.push("virtual".to_owned());
            continue;
        }
        parts.push(if v.is_null() { "null".to_owned() } else { clipped(run.cx.output(a.type_oid, v.as_ref())?) });
    }
    Ok(format!("Failing row contains ({}).", parts.join(", ")))
}

fn clipped(text: String) -> String {
    if text.len() <= 64 {
        return text;
    }
    let end = (0..=64).rev().find(|i| text.is_char_boundary(*i)).unwrap_or(0);
    format!("{}...", &text[..end])
}
