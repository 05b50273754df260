//! WHERE CURRENT OF: which row of a table a cursor stands on.
//!
//! A cursor's plan gives the places of its rows in columns that its reader does not see: those of its row marks where it locks
//! rows, else two columns that [`expose_places`] adds where the plan is a plain scan. The TidScan of the UPDATE or DELETE asks
//! [`Cursors`] where the cursor stands.
//!
//! PostgreSQL: `execCurrent.c`.

use analyze::query::{Expr, OUTER_VAR, RtIndex, RteKind, TargetEntry, TypeMod, Var, VarReturning, sysattr};
use base::error::Location;
use base::sqlstate::{INVALID_CURSOR_STATE, UNDEFINED_CURSOR};
use base::{Oid, PgError, Result, TupleId};
use planner::{Plan, PlanNode, PlannedStmt, RowMarkType};
use types::oid::{OIDOID, TIDOID};
use types::{Datum, FromDatum};

use std::sync::Arc;

use crate::cursor::Cursors;

/// Where in a cursor's rows the places of the tables' rows are.
#[derive(Clone, Debug, PartialEq)]
pub enum Places {
    /// The plan is no plain scan.
    Unknown,
    /// The cursor locks rows: tables and columns of `ctid`s.
    Marks(Vec<(Oid, usize)>),
    /// A scan of these tables: the column of the `ctid`, the next one tells the table.
    Scan(Vec<Oid>, usize),
}

impl Places {
    fn of(&self, row: &[Datum]) -> Vec<(Oid, TupleId)> {
        let tid = |column: usize| row.get(column).and_then(|d| TupleId::from_datum(d.as_ref()).ok());
        match self {
            Places::Unknown => Vec::new(),
            Places::Marks(list) => list.iter().filter_map(|(table, column)| Some((*table, tid(*column)?))).collect(),
            Places::Scan(_, column) => {
                let table = row.get(column + 1).filter(|d| !d.is_null()).map(|d| Oid(d.as_ref().word() as u32));
                table.zip(tid(*column)).into_iter().collect()
            }
        }
    }
}

impl Cursors {
    /// The place of the row of `table` that the cursor stands on. (PostgreSQL: `execCurrentOf`)
    pub(crate) fn current(&self, name: &str, table: Oid, table_name: &str) -> Result<Option<TupleId>> {
        let unknown = || PgError::new(UNDEFINED_CURSOR, format!("cursor \"{name}\" does not exist"));
        let (places, row, held) = self.get(name).ok_or_else(unknown)?.standing();
        let refuse = |what: String| Err(PgError::new(INVALID_CURSOR_STATE, format!("cursor \"{name}\" {what}")));
        if held {
            return refuse("is held from a previous transaction".into());
        }
        match places {
            Places::Marks(list) => match list.iter().filter(|m| m.0 == table).count() {
                0 => {
                    return refuse(format!("does not have a FOR UPDATE/SHARE reference to table \"{table_name}\""));
                }
                1 => {}
                _ => {
                    return refuse(format!("has multiple FOR UPDATE/SHARE references to table \"{table_name}\""));
                }
            },
            Places::Scan(tables, _) if tables.iter().filter(|t| **t == table).count() == 1 => {}
            _ => return refuse(format!("is not a simply updatable scan of table \"{table_name}\"")),
        }
        match row {
            None => refuse("is not positioned on a row".into()),
            Some(row) => Ok(places.of(row).into_iter().find(|r| r.0 == table).map(|r| r.1)),
        }
    }
}

/// A plan for a cursor, which tells the places of its rows.
pub fn with_places(planned: &Arc<PlannedStmt>) -> (Arc<PlannedStmt>, Places) {
    let mut own = PlannedStmt::clone(planned);
    let places = expose_places(&mut own);
    (Arc::new(own), places)
}

/// Makes a cursor's plan tell the places of its rows. (PostgreSQL: `search_plan_tree`)
fn expose_places(planned: &mut PlannedStmt) -> Places {
    let table = |rtable: &[analyze::query::RangeTblEntry], rti: RtIndex| match rtable
        .get(rti as usize - 1)
        .map(|r| &r.kind)
    {
        Some(RteKind::Relation { relid, .. }) => Some(*relid),
        _ => None,
    };
    if !planned.row_marks.is_empty() {
        let mut list = Vec::new();
        for m in &planned.row_marks {
            if m.is_parent || matches!(m.mark_type, RowMarkType::Reference | RowMarkType::Copy) {
                continue;
            }
            let name = format!("ctid{}", m.rowmark_id);
            let column = planned.plan.targetlist.iter().position(|t| t.resname.as_deref() == Some(&name));
            list.extend(table(&planned.rtable, m.rti).zip(column));
        }
        return Places::Marks(list);
    }
    let mut tables = Vec::new();
    if !is_plain_scan(&planned.plan, &mut |rti| table(&planned.rtable, rti).map(|t| tables.push(t)).is_some()) {
        return Places::Unknown;
    }
    let column = planned.plan.targetlist.len();
    expose(&mut planned.plan);
    Places::Scan(tables, column)
}

fn is_plain_scan(plan: &Plan, table: &mut dyn FnMut(RtIndex) -> bool) -> bool {
    match &plan.node {
        PlanNode::SeqScan { scanrelid }
        | PlanNode::SampleScan { scanrelid, .. }
        | PlanNode::IndexScan { scanrelid, .. }
        | PlanNode::IndexOnlyScan { scanrelid, .. }
        | PlanNode::BitmapHeapScan { scanrelid, .. }
        | PlanNode::TidScan { scanrelid, .. }
        | PlanNode::TidRangeScan { scanrelid, .. } => table(*scanrelid),
        PlanNode::Append { plans } => {
            let width = plans.first().map(|p| p.targetlist.len());
            plans.iter().all(|p| Some(p.targetlist.len()) == width && is_plain_scan(p, table))
        }
        PlanNode::Result { .. } | PlanNode::Limit { .. } => {
            plan.outer.as_deref().is_some_and(|p| is_plain_scan(p, table))
        }
        PlanNode::SubqueryScan { subplan, .. } => is_plain_scan(subplan, table),
        _ => false,
    }
}

/// Adds the columns `ctid` and `tableoid` to a plan that [`is_plain_scan`].
fn expose(plan: &mut Plan) {
    let below = |p: &mut Plan| {
        let at = p.targetlist.len() as i16;
        expose(p);
        [at + 1, at + 2]
    };
    let (varno, columns) = match &mut plan.node {
        PlanNode::Append { plans } => {
            let columns = plans.iter_mut().map(below).last();
            (OUTER_VAR, columns.unwrap_or_default())
        }
        PlanNode::SubqueryScan { scanrelid, subplan } => (*scanrelid, below(subplan)),
        node => match (node.scanrelid(), plan.outer.as_deref_mut()) {
            (Some(rti), _) => (rti, [sysattr::CTID, sysattr::TABLEOID]),
            (None, Some(outer)) => (OUTER_VAR, below(outer)),
            (None, None) => return,
        },
    };
    for (column, oid) in columns.into_iter().zip([TIDOID, OIDOID]) {
        let var = Var {
            varno,
            varattno: column,
            vartype: TypeMod { oid, typmod: -1, collation: Oid::INVALID },
            varnullingrels: Vec::new(),
            varlevelsup: 0,
            varreturning: VarReturning::Default,
            varnosyn: 0,
            varattnosyn: 0,
            location: Location::UNKNOWN,
        };
        plan.targetlist.push(TargetEntry {
            expr: Expr::Var(var),
            resno: plan.targetlist.len() as i16 + 1,
            resname: None,
            ressortgroupref: 0,
            resorigtbl: Oid::INVALID,
            resorigcol: 0,
            resjunk: true,
        });
    }
}
