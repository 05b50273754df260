//! What everybody who runs a query around the executor needs: planning in the session's context, and the relation locks that
//! come before a plan is trusted.

use std::sync::Arc;

use analyze::query::{CmdType, Query, RteKind};
use base::{ForkNumber, Oid, Result};
use catalog::Relation;
use parser::ast::Statement;
use planner::{PlanOptions, PlannedStmt, PlannerContext, RelationSizes};
use storage::BufferPool;
use txn::{LockMode, LockTag, Transaction};

use crate::context::ExecContext;

/// Sizes from the files.
struct Sizes(Option<Arc<BufferPool>>);

impl RelationSizes for Sizes {
    fn nblocks(&self, relation: &Relation) -> Result<u32> {
        match &self.0 {
            Some(pool) if relation.locator.rel.is_valid() => pool.nblocks(relation.locator, ForkNumber::Main),
            _ => Ok(0),
        }
    }
}

/// Plans an analyzed and rewritten query with the session's settings.
pub fn plan_query(cx: &mut ExecContext, query: Query, options: &PlanOptions) -> Result<PlannedStmt> {
    let sizes = Sizes(cx.txn.as_ref().map(|t| Arc::clone(t.manager().pool())));
    let cost = cx.cost.clone();
    let mut planner = PlannerContext { catalog: cx.catalog.clone(), rt: cx, cost: &cost, sizes: &sizes };
    planner::plan(&mut planner, query, options)
}

/// Does the statement look at data? The others can precede SET TRANSACTION. (PostgreSQL: `PlannedStmtRequiresSnapshot`)
pub fn needs_snapshot(stmt: &Statement) -> bool {
    !matches!(
        stmt,
        Statement::Transaction(_)
            | Statement::Lock(_)
            | Statement::VariableSet(_)
            | Statement::VariableShow(_)
            | Statement::ConstraintsSet(_)
            | Statement::Fetch(_)
            | Statement::Listen(_)
            | Statement::Notify(_)
            | Statement::Unlisten(_)
            | Statement::Checkpoint
    )
}

/// Locks a relation for the rest of the transaction. (PostgreSQL: `LockRelationOid`)
pub fn lock_relation(cx: &ExecContext, rel: Oid, mode: LockMode) -> Result<()> {
    lock(cx.txn()?, cx.catalog.database_oid(), rel, mode)
}

fn lock(txn: &Arc<Transaction>, database: Oid, rel: Oid, mode: LockMode) -> Result<()> {
    let db = if catalog::row::catalog_def(rel).is_some_and(|d| d.shared) { Oid::INVALID } else { database };
    txn.manager().locks().lock(txn.proc(), LockTag::Relation { db, rel }, mode)
}

/// For the analyzer: locks relations as their names are resolved.
pub fn relation_locker(cx: &ExecContext) -> Result<impl FnMut(Oid, u8) -> Result<()> + use<>> {
    let (txn, database) = (Arc::clone(cx.txn()?), cx.catalog.database_oid());
    Ok(move |rel, mode| lock(&txn, database, rel, LockMode::from_u8(mode).unwrap_or(LockMode::AccessShare)))
}

/// Takes the locks that a plan made earlier relies on. (PostgreSQL: `AcquireExecutorLocks`)
pub fn lock_plan_relations<'p>(cx: &ExecContext, plans: impl Iterator<Item = &'p PlannedStmt>) -> Result<()> {
    let txn = cx.txn()?;
    for plan in plans {
        if plan.command_type == CmdType::Utility {
            continue;
        }
        for rte in &plan.rtable {
            if let RteKind::Relation { relid, lock_mode, .. } = &rte.kind {
                let mode = LockMode::from_u8(*lock_mode).unwrap_or(LockMode::AccessShare);
                lock(txn, cx.catalog.database_oid(), *relid, mode)?;
            }
        }
    }
    Ok(())
}
