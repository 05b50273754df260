//! Starting, running and ending a plan.
//!
//! PostgreSQL: `execMain.c`.

use std::sync::Arc;

use analyze::query::CmdType;
use base::sqlstate::{INSUFFICIENT_PRIVILEGE, READ_ONLY_SQL_TRANSACTION};
use base::{Oid, PgError, Result};
use catalog::AclKind;
use planner::{PlanNode, PlannedStmt};
use txn::Snapshot;
use types::{Batch, Datum, TupleDesc};

use crate::build::Builder;
use crate::context::ExecContext;
use crate::node::{Instrumentation, Node};
use crate::state::{Estate, ExecParam, Run, SharedRows};
use crate::trigger::TransitionTable;

/// Takes the rows of a statement, a batch at a time. The server encodes them straight from the columns.
pub trait Destination {
    /// Called once, before any row. Statements without result columns do not call it.
    fn start(&mut self, cx: &mut ExecContext, desc: &Arc<TupleDesc>) -> Result<()> {
        let _ = (cx, desc);
        Ok(())
    }
    /// Some rows: those selected in the batch. `false` stops the execution.
    fn receive(&mut self, cx: &mut ExecContext, batch: &Batch) -> Result<bool>;
}

/// Collects rows.
impl Destination for Vec<Vec<Datum>> {
    fn receive(&mut self, _: &mut ExecContext, batch: &Batch) -> Result<bool> {
        self.extend(batch.selected().iter().map(|i| batch.row(i)));
        Ok(true)
    }
}

/// Throws rows away.
impl Destination for () {
    fn receive(&mut self, _: &mut ExecContext, _: &Batch) -> Result<bool> {
        Ok(true)
    }
}

/// How to start.
#[derive(Default)]
pub struct StartOptions {
    /// Values of `$1`, ...
    pub params: Arc<[Datum]>,
    /// What the statement sees; taken from the transaction if `None`.
    pub snapshot: Option<Snapshot>,
    /// Count rows and time of each node.
    pub instrument: bool,
    /// EXPLAIN without ANALYZE: nothing will be run.
    pub explain_only: bool,
    /// The transition tables that the statement may read. (PostgreSQL: `QueryEnvironment`)
    pub named: Arc<[TransitionTable]>,
    /// An action of a foreign key: its events are those of the statement that set it off. (PostgreSQL: `EXEC_FLAG_SKIP_TRIGGERS`)
    pub shares_level: bool,
}

/// A running plan. Keeps all it needs between calls; the session lends its context to each.
pub struct Execution {
    planned: Arc<PlannedStmt>,
    st: Estate,
    root: Node,
    started: bool,
    done: bool,
    /// Columns of the result; the plan's further ones are junk.
    visible: usize,
    trimmed: Batch,
    shares_level: bool,
}

impl Execution {
    /// The values of `$1`, ...
    pub(crate) fn params(&self) -> Arc<[types::Datum]> {
        self.st.params.clone()
    }
    /// Checks permissions and prepares the plan's operators. (PostgreSQL: `ExecutorStart`)
    pub fn start(planned: Arc<PlannedStmt>, cx: &mut ExecContext, options: StartOptions) -> Result<Execution> {
        check_permissions(cx, &planned)?;
        if !options.explain_only {
            check_read_only(cx, &planned)?;
        }
        let mut st = Estate::detached();
        st.params = options.params;
        st.instrument = options.instrument;
        st.named = options.named;
        st.after.times = st.instrument.then(Box::default);
        st.exec.resize_with(planned.exec_params.len(), ExecParam::default);
        st.ctes.resize_with(planned.subplans.len(), SharedRows::default);
        st.snapshot = match (options.snapshot, &cx.txn) {
            (Some(s), _) => Some(s),
            (None, Some(t)) if !options.explain_only => Some(t.snapshot()?),
            _ => None,
        };
        if let Some(t) = cx.txn.as_ref().filter(|_| writes(&planned) && !options.explain_only) {
            st.output_cid = t.command_id();
        }
        st.planned = Some(planned.clone());
        let mut builder = Builder::new(cx, &mut st, planned.clone());
        let mut subplans = Vec::with_capacity(planned.subplans.len());
        for plan in &planned.subplans {
            subplans.push(Some(builder.node(plan)?));
        }
        let root = builder.node(&planned.plan)?;
        st.subplans = subplans;
        let visible = match planned.result_desc.len() {
            0 => planned.plan.targetlist.iter().filter(|t| !t.resjunk).count(),
            n => n,
        };
        let (shares_level, trimmed) = (options.shares_level, Batch::default());
        if shares_level {
            st.after = cx.extension_or_default::<crate::after::Outer>().0.take().unwrap_or_default();
            st.after.times = None;
        }
        Ok(Execution { planned, st, root, started: false, done: false, visible, trimmed, shares_level })
    }
    /// Puts a finished execution to rest: it holds no page, row, snapshot or transaction any more, and [`Execution::restart`]
    /// runs its statement again without building the operators anew. `false` if its plan does not allow that.
    pub fn rest(&mut self) -> Result<bool> {
        // Without subplans, parameters are set before they are read (or, of a recheck, not used).
        let simple = self.st.subplans.is_empty();
        self.st.exec.fill_with(ExecParam::default);
        self.st.snapshot = None;
        self.st.after = crate::after::QueryLevel::default();
        self.st.params = Arc::default();
        self.trimmed.columns.clear();
        (self.started, self.done, self.st.processed) = (false, false, 0);
        Ok(simple && self.root.rest()?)
    }

    /// As `start`, for an execution at rest. The caller knows that since then neither catalogs nor settings nor the role
    /// have changed, hence neither have permissions.
    pub fn restart(&mut self, cx: &mut ExecContext, params: Arc<[Datum]>, snapshot: Option<Snapshot>) -> Result<()> {
        check_read_only(cx, &self.planned)?;
        if let Some(t) = cx.txn.as_ref().filter(|_| writes(&self.planned)) {
            self.st.output_cid = t.command_id();
        }
        self.st.params = params;
        self.st.snapshot = match (snapshot, &cx.txn) {
            (None, Some(t)) => Some(t.snapshot()?),
            (given, _) => given,
        };
        Ok(())
    }

    /// Gives the plan's junk columns too, after the others.
    pub fn show_junk(&mut self) {
        self.visible = usize::MAX;
    }
    pub fn planned(&self) -> &Arc<PlannedStmt> {
        &self.planned
    }
    /// Rows inserted, updated, deleted or merged, for the command tag.
    pub fn processed(&self) -> u64 {
        self.st.processed
    }
    /// No rows are left.
    pub fn is_done(&self) -> bool {
        self.done
    }

    /// The next rows, up to `max`; `None` at the end.
    pub fn next_batch(&mut self, cx: &mut ExecContext, max: usize) -> Result<Option<&Batch>> {
        if self.done {
            return Ok(None);
        }
        let saved = self.lend_snapshot(cx);
        let result = self.root.next(&mut Run { cx: &mut *cx, st: &mut self.st }, max);
        if let Some(saved) = saved {
            cx.snapshot = saved;
        }
        let batch = result?;
        if batch.is_none() {
            self.done = true;
        }
        Ok(batch.map(|b| trim(b, self.visible, &mut self.trimmed)))
    }

    /// Makes the plan's snapshot the session's; what that was before, if it was another one.
    fn lend_snapshot(&self, cx: &mut ExecContext) -> Option<Option<Snapshot>> {
        if let (Some(own), Some(current)) = (&self.st.snapshot, &cx.snapshot)
            && own.is_same(current)
        {
            return None;
        }
        Some(std::mem::replace(&mut cx.snapshot, self.st.snapshot.clone()))
    }

    /// Runs on until `limit` rows were sent (0: all). Returns how many were sent; a portal that is not done may go on
    /// later. (PostgreSQL: `ExecutorRun`)
    pub fn run(&mut self, cx: &mut ExecContext, limit: u64, dest: &mut dyn Destination) -> Result<u64> {
        if self.planned.result_relations.is_empty() {
            return self.run_rows(cx, limit, dest);
        }
        // Triggers may try to change the tables that are being changed.
        cx.changing.push(self.planned.clone());
        let done = self.run_rows(cx, limit, dest);
        cx.changing.pop();
        done
    }

    fn run_rows(&mut self, cx: &mut ExecContext, limit: u64, dest: &mut dyn Destination) -> Result<u64> {
        let sends = self.planned.command_type == CmdType::Select || self.planned.has_returning;
        if !std::mem::replace(&mut self.started, true) && sends {
            let desc = self.planned.result_desc.clone();
            dest.start(cx, &desc)?;
        }
        let mut sent = 0;
        loop {
            let left = if limit == 0 { u64::MAX } else { limit - sent };
            if left == 0 {
                return Ok(sent);
            }
            // The batch borrows from the plan, not from the context.
            let saved = self.lend_snapshot(cx);
            let max = usize::try_from(left).unwrap_or(usize::MAX);
            let result = self.root.next(&mut Run { cx: &mut *cx, st: &mut self.st }, max);
            if let Some(saved) = saved {
                cx.snapshot = saved;
            }
            let Some(batch) = result? else {
                self.done = true;
                return Ok(sent);
            };
            sent += batch.selected_len() as u64;
            if sends {
                let batch = trim(batch, self.visible, &mut self.trimmed);
                let more = dest.receive(cx, batch)?;
                // The plan reuses its columns once nobody else holds them.
                self.trimmed.columns.clear();
                if !more {
                    return Ok(sent);
                }
            }
        }
    }

    /// Runs a data-modifying plan's remaining rows (CTEs that nobody read), then lets go of everything.
    /// (PostgreSQL: `ExecutorFinish`, `ExecutorEnd`)
    pub fn finish(&mut self, cx: &mut ExecContext) -> Result<()> {
        self.done = true;
        let planned = self.planned.clone();
        for (i, plan) in planned.subplans.iter().enumerate() {
            if matches!(plan.node, PlanNode::ModifyTable(_)) {
                crate::cte::drain(&mut Run { cx: &mut *cx, st: &mut self.st }, i)?;
            }
        }
        if self.shares_level {
            // Its events are the outer statement's.
            cx.extension_or_default::<crate::after::Outer>().0 = Some(std::mem::take(&mut self.st.after));
            return Ok(());
        }
        if self.st.after.is_empty() {
            return Ok(());
        }
        cx.changing.push(planned);
        let done = crate::after::fire(cx, &mut self.st.after);
        cx.changing.pop();
        done
    }

    /// What its triggers took, where that was asked for.
    pub fn trigger_times(&self) -> Option<&crate::trigger::TriggerTimes> {
        self.st.after.times.as_deref()
    }

    /// Counters of a node of this statement's plan, where they were asked for.
    pub fn counters(&self, plan: &planner::Plan) -> Option<Instrumentation> {
        let own = match &plan.node {
            // A Hash node has no operator of its own.
            PlanNode::Hash { .. } => plan.outer.as_deref()?,
            _ => plan,
        };
        let at = self.st.counter_of.get(&std::ptr::from_ref(own).addr())?;
        self.st.counters.get(*at).cloned()
    }
}

/// The batch without its junk columns.
fn trim<'a>(batch: &'a Batch, visible: usize, trimmed: &'a mut Batch) -> &'a Batch {
    if batch.columns.len() <= visible {
        return batch;
    }
    trimmed.columns.clear();
    trimmed.columns.extend_from_slice(&batch.columns[..visible]);
    (trimmed.rows, trimmed.selection) = (batch.rows, batch.selection.clone());
    trimmed
}

fn writes(planned: &PlannedStmt) -> bool {
    !planned.result_relations.is_empty() || !planned.row_marks.is_empty() || planned.has_modifying_cte
}

/// (PostgreSQL: `ExecCheckXactReadOnly`)
fn check_read_only(cx: &ExecContext, planned: &PlannedStmt) -> Result<()> {
    let Some(txn) = &cx.txn else { return Ok(()) };
    let writes = planned.command_type != CmdType::Select || planned.has_modifying_cte;
    if !txn.is_read_only() || !writes {
        return Ok(());
    }
    // What only this session sees may change.
    use catalog::acl::{ACL_DELETE, ACL_INSERT, ACL_UPDATE};
    let mut temporary = true;
    for info in planned.perminfos.iter().filter(|i| i.required_perms & (ACL_INSERT | ACL_UPDATE | ACL_DELETE) != 0) {
        temporary &= cx.catalog.relation_entry(info.relid)?.is_temporary();
    }
    if temporary {
        return Ok(());
    }
    let tag = match planned.command_type {
        CmdType::Insert => "INSERT",
        CmdType::Update => "UPDATE",
        CmdType::Delete => "DELETE",
        CmdType::Merge => "MERGE",
        _ => "SELECT",
    };
    Err(PgError::new(READ_ONLY_SQL_TRANSACTION, format!("cannot execute {tag} in a read-only transaction")))
}

/// (PostgreSQL: `ExecCheckPermissions`)
fn check_permissions(cx: &mut ExecContext, planned: &PlannedStmt) -> Result<()> {
    use catalog::acl::{ACL_INSERT, ACL_SELECT, ACL_UPDATE};
    for info in &planned.perminfos {
        if info.required_perms == 0 {
            continue;
        }
        let role = info.check_as_user.valid().unwrap_or(cx.settings.current_user);
        if cx.catalog.is_superuser(role)? {
            continue;
        }
        let Some(rel) = cx.catalog.relation(info.relid)? else { continue };
        let kind = if rel.kind() == b'S' { AclKind::Sequence } else { AclKind::Table };
        let needed = info.required_perms as catalog::AclMode;
        let how = catalog::acl::AclMaskHow::All;
        let acl = rel.class.relacl.as_deref();
        let held = cx.catalog.privileges(role, kind, rel.owner(), acl, needed, how)?;
        let missing = needed & !held;
        let by_column =
            [(ACL_SELECT, &info.selected_cols), (ACL_INSERT, &info.inserted_cols), (ACL_UPDATE, &info.updated_cols)];
        let mut left = missing;
        for (mode, columns) in by_column {
            if missing & mode != 0 && columns_allowed(cx, role, &rel, columns, mode)? {
                left &= !mode;
            }
        }
        if left != 0 {
            let what = match rel.kind() {
                b'S' => "sequence",
                b'v' => "view",
                b'm' => "materialized view",
                b'f' => "foreign table",
                _ => "table",
            };
            return Err(PgError::new(INSUFFICIENT_PRIVILEGE, format!("permission denied for {what} {}", rel.name())));
        }
    }
    Ok(())
}

/// Whether column privileges make up for the missing one on the table.
fn columns_allowed(
    cx: &ExecContext,
    role: Oid,
    rel: &catalog::Relation,
    columns: &[i16],
    mode: catalog::AclMode,
) -> Result<bool> {
    let has = |attnum: i16| -> Result<bool> {
        let Some(a) = rel.attributes.iter().find(|a| a.attnum == attnum) else { return Ok(false) };
        match a.attacl.as_deref() {
            Some(acl) => cx.catalog.has_privilege(role, AclKind::Column, rel.owner(), Some(acl), mode),
            None => Ok(false),
        }
    };
    if columns.is_empty() {
        for a in rel.attributes.iter().filter(|a| !a.attisdropped) {
            if has(a.attnum)? {
                return Ok(true);
            }
        }
        return Ok(false);
    }
    for c in columns {
        if *c == 0 {
            for a in rel.attributes.iter().filter(|a| !a.attisdropped) {
                if !has(a.attnum)? {
                    return Ok(false);
                }
            }
        } else if !has(*c)? {
            return Ok(false);
        }
    }
    Ok(true)
}
