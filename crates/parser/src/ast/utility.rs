//! Statements that do rather than define: transactions, settings, COPY, EXPLAIN, VACUUM, prepared statements, cursors, ...
//!
//! PostgreSQL: `TransactionStmt`, `VariableSetStmt`, `CopyStmt`, ... of `parsenodes.h`.

use super::*;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TransactionStmtKind {
    Begin,
    /// START TRANSACTION: as BEGIN, with a command tag of its own.
    Start,
    Commit,
    Rollback,
    Savepoint,
    Release,
    RollbackTo,
    Prepare,
    CommitPrepared,
    RollbackPrepared,
}

#[derive(Debug, Clone, PartialEq)]
pub struct TransactionStmt {
    pub kind: TransactionStmtKind,
    /// `transaction_isolation` (`String`), `transaction_read_only`, `transaction_deferrable` (`Boolean`).
    pub options: Vec<DefElem>,
    pub savepoint_name: Option<String>,
    pub gid: Option<String>,
    /// AND CHAIN
    pub chain: bool,
    pub location: Location,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VariableSetKind {
    Value,
    /// TO DEFAULT
    Default,
    /// FROM CURRENT
    Current,
    /// `SET TRANSACTION ...`: `name` is TRANSACTION, SESSION CHARACTERISTICS or TRANSACTION SNAPSHOT.
    Multi,
    Reset,
    ResetAll,
}

#[derive(Debug, Clone, PartialEq)]
pub struct VariableSetStmt {
    pub kind: VariableSetKind,
    /// Of parts joined by dots; `None` for RESET ALL.
    pub name: Option<String>,
    /// Constants, or for TIME ZONE a constant cast to interval.
    pub args: Vec<Expr>,
    /// Of `Multi`: as in [`TransactionStmt::options`].
    pub options: Vec<DefElem>,
    /// SET LOCAL
    pub is_local: bool,
    pub location: Location,
}

#[derive(Debug, Clone, PartialEq)]
pub struct VariableShowStmt {
    /// `all` for SHOW ALL.
    pub name: String,
}

#[derive(Debug, Clone, PartialEq)]
pub struct AlterSystemStmt {
    pub setstmt: VariableSetStmt,
}

#[derive(Debug, Clone, PartialEq)]
pub struct CopyStmt {
    pub relation: Option<RangeVar>,
    /// Select, Insert, Update, Delete or Merge in parentheses.
    pub query: Option<Statement>,
    pub attlist: Vec<String>,
    pub is_from: bool,
    pub is_program: bool,
    /// `None`: STDIN or STDOUT.
    pub filename: Option<String>,
    pub options: Vec<DefElem>,
    pub where_clause: Option<Expr>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct ExplainStmt {
    pub query: Statement,
    pub options: Vec<DefElem>,
}

/// VACUUM and ANALYZE.
#[derive(Debug, Clone, PartialEq)]
pub struct VacuumStmt {
    pub options: Vec<DefElem>,
    /// Empty: all.
    pub rels: Vec<VacuumRelation>,
    pub is_vacuumcmd: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub struct VacuumRelation {
    pub relation: RangeVar,
    pub va_cols: Vec<String>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct ClusterStmt {
    /// `None`: all that were clustered before.
    pub relation: Option<RangeVar>,
    pub indexname: Option<String>,
    pub params: Vec<DefElem>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReindexObjectType {
    Index,
    Table,
    Schema,
    System,
    Database,
}

#[derive(Debug, Clone, PartialEq)]
pub struct ReindexStmt {
    pub kind: ReindexObjectType,
    pub relation: Option<RangeVar>,
    /// Of the schema or database; the database may be left out.
    pub name: Option<String>,
    pub params: Vec<DefElem>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct PrepareStmt {
    pub name: String,
    pub argtypes: Vec<TypeName>,
    pub query: Statement,
}

#[derive(Debug, Clone, PartialEq)]
pub struct ExecuteStmt {
    pub name: String,
    pub params: Vec<Expr>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct DeallocateStmt {
    /// `None`: ALL.
    pub name: Option<String>,
    pub isall: bool,
    pub location: Location,
}

/// Bits of [`DeclareCursorStmt::options`]. (PostgreSQL: `CURSOR_OPT_*`)
pub mod cursor_opt {
    pub const BINARY: u32 = 0x0001;
    pub const SCROLL: u32 = 0x0002;
    pub const NO_SCROLL: u32 = 0x0004;
    pub const INSENSITIVE: u32 = 0x0008;
    pub const ASENSITIVE: u32 = 0x0010;
    pub const HOLD: u32 = 0x0020;
    pub const FAST_PLAN: u32 = 0x0100;
    pub const GENERIC_PLAN: u32 = 0x0200;
    pub const CUSTOM_PLAN: u32 = 0x0400;
    pub const PARALLEL_OK: u32 = 0x0800;
}

#[derive(Debug, Clone, PartialEq)]
pub struct DeclareCursorStmt {
    pub portalname: String,
    /// Bits of [`cursor_opt`].
    pub options: u32,
    pub query: Box<SelectStmt>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FetchDirection {
    Forward,
    Backward,
    Absolute,
    Relative,
}

/// [`FetchStmt::how_many`] of FETCH ALL.
pub const FETCH_ALL: i64 = i64::MAX;

/// FETCH and MOVE.
#[derive(Debug, Clone, PartialEq)]
pub struct FetchStmt {
    pub direction: FetchDirection,
    pub how_many: i64,
    pub portalname: String,
    pub ismove: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub struct ClosePortalStmt {
    /// `None`: ALL.
    pub portalname: Option<String>,
}

/// The lock modes of LOCK TABLE, numbered as PostgreSQL does (1 to 8). (PostgreSQL: `LOCKMODE`)
pub mod lock_mode {
    pub const ACCESS_SHARE: i32 = 1;
    pub const ROW_SHARE: i32 = 2;
    pub const ROW_EXCLUSIVE: i32 = 3;
    pub const SHARE_UPDATE_EXCLUSIVE: i32 = 4;
    pub const SHARE: i32 = 5;
    pub const SHARE_ROW_EXCLUSIVE: i32 = 6;
    pub const EXCLUSIVE: i32 = 7;
    pub const ACCESS_EXCLUSIVE: i32 = 8;
}

#[derive(Debug, Clone, PartialEq)]
pub struct LockStmt {
    pub relations: Vec<RangeVar>,
    /// One of [`lock_mode`].
    pub mode: i32,
    pub nowait: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub struct ConstraintsSetStmt {
    /// Empty: ALL.
    pub constraints: Vec<RangeVar>,
    pub deferred: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub struct NotifyStmt {
    pub conditionname: String,
    pub payload: Option<String>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct ListenStmt {
    pub conditionname: String,
}

#[derive(Debug, Clone, PartialEq)]
pub struct UnlistenStmt {
    /// `None`: `*`.
    pub conditionname: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DiscardMode {
    All,
    Plans,
    Sequences,
    Temp,
}

#[derive(Debug, Clone, PartialEq)]
pub struct DiscardStmt {
    pub target: DiscardMode,
}

#[derive(Debug, Clone, PartialEq)]
pub struct LoadStmt {
    pub filename: String,
}
