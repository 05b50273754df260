//! What the analyzer keeps while it works: a stack of query levels, the innermost last.
//!
//! PostgreSQL: `ParseState`, `ParseNamespaceItem` (`parse_node.h`). A pointer to the parent there is the level below here.

use std::rc::Rc;

use base::error::Location;
use base::{Oid, PgError, Result};
use parser::ast;

use crate::context::{AnalyzeContext, ParamTypes};
use crate::query::*;

/// Where an expression stands, for the checks and messages that depend on it. (PostgreSQL: `ParseExprKind`)
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum ExprKind {
    None,
    Other,
    JoinOn,
    JoinUsing,
    FromSubselect,
    FromFunction,
    Where,
    Having,
    Filter,
    WindowPartition,
    WindowOrder,
    WindowFrameRange,
    WindowFrameRows,
    WindowFrameGroups,
    SelectTarget,
    InsertTarget,
    UpdateSource,
    UpdateTarget,
    MergeWhen,
    GroupBy,
    OrderBy,
    DistinctOn,
    Limit,
    Offset,
    Returning,
    MergeReturning,
    Values,
    ValuesSingle,
    CheckConstraint,
    DomainCheck,
    ColumnDefault,
    FunctionDefault,
    IndexExpression,
    IndexPredicate,
    StatsExpression,
    AlterColTransform,
    ExecuteParameter,
    TriggerWhen,
    Policy,
    PartitionBound,
    PartitionExpression,
    CallArgument,
    CopyWhere,
    GeneratedColumn,
    CycleMark,
}

impl ExprKind {
    /// As messages name it. (PostgreSQL: `ParseExprKindName`)
    pub(crate) fn name(self) -> &'static str {
        use ExprKind::*;
        match self {
            None => "invalid expression context",
            Other => "extension expression",
            JoinOn => "JOIN/ON",
            JoinUsing => "JOIN/USING",
            FromSubselect => "sub-SELECT in FROM",
            FromFunction => "function in FROM",
            Where => "WHERE",
            Policy => "POLICY",
            Having => "HAVING",
            Filter => "FILTER",
            WindowPartition => "window PARTITION BY",
            WindowOrder => "window ORDER BY",
            WindowFrameRange => "window RANGE",
            WindowFrameRows => "window ROWS",
            WindowFrameGroups => "window GROUPS",
            SelectTarget => "SELECT",
            InsertTarget => "INSERT",
            UpdateSource | UpdateTarget => "UPDATE",
            MergeWhen => "MERGE WHEN",
            GroupBy => "GROUP BY",
            OrderBy => "ORDER BY",
            DistinctOn => "DISTINCT ON",
            Limit => "LIMIT",
            Offset => "OFFSET",
            Returning | MergeReturning => "RETURNING",
            Values | ValuesSingle => "VALUES",
            CheckConstraint | DomainCheck => "CHECK",
            ColumnDefault | FunctionDefault => "DEFAULT",
            IndexExpression => "index expression",
            IndexPredicate => "index predicate",
            StatsExpression => "statistics expression",
            AlterColTransform => "USING",
            ExecuteParameter => "EXECUTE",
            TriggerWhen => "WHEN",
            PartitionBound => "partition bound",
            PartitionExpression => "PARTITION BY",
            CallArgument => "CALL",
            CopyWhere => "WHERE",
            GeneratedColumn => "GENERATED AS",
            CycleMark => "CYCLE",
        }
    }
}

/// What a column of a FROM item stands for. (PostgreSQL: `ParseNamespaceColumn`)
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct NsColumn {
    /// 0 for a dropped column.
    pub varno: RtIndex,
    pub varattno: AttrNumber,
    pub vartype: TypeMod,
    pub varreturning: VarReturning,
    pub varnosyn: RtIndex,
    pub varattnosyn: AttrNumber,
    /// Left out of `*`.
    pub dontexpand: bool,
}

impl NsColumn {
    pub(crate) fn dropped() -> NsColumn {
        NsColumn {
            varno: 0,
            varattno: 0,
            vartype: TypeMod { oid: Oid::INVALID, typmod: -1, collation: Oid::INVALID },
            varreturning: VarReturning::Default,
            varnosyn: 0,
            varattnosyn: 0,
            dontexpand: false,
        }
    }
}

/// A FROM item as names see it. (PostgreSQL: `ParseNamespaceItem`)
#[derive(Clone, Debug)]
pub(crate) struct NsItem {
    /// Table and column names; the columns' names may be those of a subset (a join's USING alias).
    pub names: Rc<Alias>,
    pub rtindex: RtIndex,
    /// From 1; 0 none.
    pub perminfo: u32,
    pub columns: Rc<[NsColumn]>,
    pub rel_visible: bool,
    pub cols_visible: bool,
    pub lateral_only: bool,
    pub lateral_ok: bool,
    pub returning: VarReturning,
}

/// A CTE while its WITH is being analyzed.
#[derive(Clone, Debug)]
pub(crate) struct CteEntry {
    pub name: String,
    pub location: Location,
    pub recursive: bool,
    pub refcount: u32,
    /// Known once the query, or a recursive one's first term, is analyzed.
    pub colnames: Vec<String>,
    pub coltypes: Vec<TypeMod>,
    pub query: Option<Rc<Query>>,
    pub raw: Rc<ast::CommonTableExpr>,
    pub search_clause: Option<CteSearchClause>,
    pub cycle_clause: Option<Box<CteCycleClause>>,
}

/// The target of INSERT, UPDATE, DELETE or MERGE.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    pub relid: Oid,
    pub item: NsItem,
}

/// One query level. (PostgreSQL: `ParseState`)
#[derive(Default)]
pub(crate) struct Level {
    pub rtable: Vec<RangeTblEntry>,
    pub perminfos: Vec<RtePermissionInfo>,
    /// The JoinExpr's quals and USING items live in the join list; here only whether an index is a join.
    pub joinlist: Vec<JoinTreeNode>,
    /// For each range-table index the outer joins above it. (PostgreSQL: `p_nullingrels`)
    pub nullingrels: Vec<Vec<RtIndex>>,
    pub namespace: Vec<NsItem>,
    pub lateral_active: bool,
    pub ctes: Vec<CteEntry>,
    /// CTEs that come later in a plain WITH. (PostgreSQL: `p_future_ctes`)
    pub future_ctes: Vec<String>,
    /// Which CTE of the level below this query is (level, index). (PostgreSQL: `p_parent_cte`)
    pub parent_cte: Option<usize>,
    pub target: Option<Target>,
    /// INSERT rather than UPDATE, for indirection errors. (PostgreSQL: `p_is_insert`)
    pub is_insert: bool,
    pub windowdefs: Vec<ast::WindowDef>,
    pub kind: ExprKind,
    pub next_resno: AttrNumber,
    /// The right sides of `SET (a, b) = ..`, with the source they came from. (PostgreSQL: `p_multiassign_exprs`)
    pub multiassign: Vec<MultiAssign>,
    pub locking: Vec<ast::LockingClause>,
    pub locked_from_parent: bool,
    pub resolve_unknowns: bool,
    pub has_aggs: bool,
    pub has_window_funcs: bool,
    pub has_target_srfs: bool,
    pub has_sub_links: bool,
    pub has_modifying_cte: bool,
    /// Set-returning calls made so far, to notice those nested in arguments. (PostgreSQL: `p_last_srf`)
    pub srfs: usize,
    /// The place of the last of them.
    pub last_srf: Location,
    /// The range-table entries that a join's sides are, by the join's.
    pub join_sides: hashbrown::HashMap<RtIndex, (RtIndex, RtIndex)>,
}

impl Default for ExprKind {
    fn default() -> ExprKind {
        ExprKind::None
    }
}

/// A `(a, b) = (SELECT ..)` or `ROW(..)`.
pub(crate) struct MultiAssign {
    pub source: std::sync::Arc<ast::Expr>,
    pub expr: Expr,
    /// The subquery's number, for a sublink.
    pub sublink_id: i32,
}

impl Level {
    pub(crate) fn new() -> Level {
        Level { next_resno: 1, resolve_unknowns: true, ..Level::default() }
    }
    pub(crate) fn rte(&self, index: RtIndex) -> &RangeTblEntry {
        &self.rtable[index as usize - 1]
    }
}

/// The analyzer at work on one statement.
pub(crate) struct Analyzer<'a, 'c> {
    pub cx: &'a mut AnalyzeContext<'c>,
    pub source: &'a str,
    pub params: &'a mut ParamTypes,
    pub levels: Vec<Level>,
    /// What VALUE is in a domain's CHECK.
    pub domain_value: Option<TypeMod>,
    /// The action of a rule: OLD and NEW begin the range table.
    pub in_rule: bool,
    /// An assignment of PL/pgSQL, whose conversions may go by way of text.
    pub plpgsql: bool,
}

impl<'a, 'c> Analyzer<'a, 'c> {
    pub(crate) fn new(cx: &'a mut AnalyzeContext<'c>, source: &'a str, params: &'a mut ParamTypes) -> Analyzer<'a, 'c> {
        Analyzer { cx, source, params, levels: vec![Level::new()], domain_value: None, in_rule: false, plpgsql: false }
    }
    /// The current level.
    pub(crate) fn lv(&mut self) -> &mut Level {
        self.levels.last_mut().expect("a level is pushed at the start")
    }
    pub(crate) fn level(&self) -> &Level {
        self.levels.last().expect("a level is pushed at the start")
    }
    /// The level so many up; 0 is the current one.
    pub(crate) fn level_up(&mut self, up: u32) -> Result<&mut Level> {
        let n = self.levels.len();
        let i = n.checked_sub(1 + up as usize).ok_or_else(|| PgError::internal("no such query level"))?;
        Ok(&mut self.levels[i])
    }
    pub(crate) fn kind(&self) -> ExprKind {
        self.level().kind
    }
    pub(crate) fn cat(&self) -> &catalog::Catalog {
        &self.cx.catalog
    }
    /// Runs `f` with another expression kind in force.
    pub(crate) fn with_kind<T>(&mut self, kind: ExprKind, f: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        let save = std::mem::replace(&mut self.lv().kind, kind);
        let r = f(self);
        self.lv().kind = save;
        r
    }
}
