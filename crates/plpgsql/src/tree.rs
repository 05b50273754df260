//! What a function's text compiles to: its variables and a tree of statements.
//!
//! Immutable once made: sessions keep one compiled function for each use (argument types, trigger's table) and share it between
//! calls within calls. What changes while it runs is in [`crate::exec`].
//!
//! PostgreSQL: `plpgsql.h`.

use base::{Oid, SqlState};
/// The number of a variable.
pub type Dno = usize;

/// A variable's type. (PostgreSQL: `PLpgSQL_type`)
#[derive(Clone, Debug, PartialEq)]
pub struct VarType {
    pub oid: Oid,
    pub typmod: i32,
    pub collation: Oid,
    pub kind: TypeKind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TypeKind {
    Scalar,
    /// A composite type, a domain over one, or `record`.
    Row,
    Pseudo,
}

/// How an expression's text is to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// A whole statement.
    Statement,
    /// What may follow SELECT.
    Expression,
    /// `target := expr`, the target having so many names.
    Assign(i32),
}

/// A piece of SQL inside a function. (PostgreSQL: `PLpgSQL_expr`)
#[derive(Clone, Debug)]
pub struct SqlExpr {
    pub text: String,
    pub mode: Mode,
    /// The innermost name in sight.
    pub scope: Option<usize>,
    /// Its place among the function's expressions.
    pub id: usize,
}

/// What a variable is.
#[derive(Clone, Debug)]
pub struct Var {
    pub name: String,
    pub line: u32,
    pub ty: VarType,
    pub constant: bool,
    pub not_null: bool,
    pub default: Option<SqlExpr>,
    pub what: VarKind,
}

#[derive(Clone, Debug)]
pub enum VarKind {
    Scalar,
    /// Of a named composite type, or of none yet.
    Record,
    /// A cursor that is bound to a query; its arguments' variables.
    Cursor {
        query: SqlExpr,
        args: Vec<Dno>,
        options: u32,
    },
    /// What a trigger is told; filled in when the function is called.
    Promise(Promise),
}

/// (PostgreSQL: `PLpgSQL_promise_type`)
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Promise {
    Name,
    When,
    Level,
    Op,
    Relid,
    TableName,
    TableSchema,
    Nargs,
    Argv,
    Event,
    Tag,
}

/// What is assigned to.
#[derive(Clone, Debug, PartialEq)]
pub enum Target {
    Var(Dno),
    Field { record: Dno, name: String },
}

/// Where a row goes.
#[derive(Clone, Debug)]
pub enum Into {
    Record(Dno),
    List(Vec<Target>),
}

/// A name in a function: blocks' labels and variables, each pointing outwards.
#[derive(Clone, Debug)]
pub struct Name {
    pub name: String,
    pub outer: Option<usize>,
    pub what: NameKind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NameKind {
    /// The beginning of a block's names.
    Label(LabelKind),
    Var(Dno),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LabelKind {
    Block,
    Loop,
    Other,
}

/// How a name that means both a variable and a column is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Conflict {
    Error,
    UseVariable,
    UseColumn,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Function,
    Procedure,
    Trigger,
    EventTrigger,
    /// DO.
    Inline,
}

/// Checks that may be asked for. (PostgreSQL: `PLPGSQL_XCHECK_*`)
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Checks {
    pub shadowed: bool,
    pub too_many_rows: bool,
    pub multi_assignment: bool,
}

/// A compiled function. (PostgreSQL: `PLpgSQL_function`)
#[derive(Debug)]
pub struct Function {
    pub oid: Oid,
    pub name: String,
    /// As messages name it: `f(integer)`.
    pub signature: String,
    pub kind: Kind,
    pub args: Vec<Dno>,
    /// The OUT parameters: one variable, or a list of them as a row.
    pub out: Option<Out>,
    pub return_type: Oid,
    pub returns_set: bool,
    /// The result is a composite value or a record.
    pub returns_row: bool,
    /// The result's type is a domain.
    pub returns_domain: bool,
    pub readonly: bool,
    pub vars: Vec<Var>,
    pub names: Vec<Name>,
    pub body: Block,
    pub found: Dno,
    /// Of triggers.
    pub old: Dno,
    pub new: Dno,
    pub conflict: Conflict,
    pub print_strict_params: bool,
    pub warnings: Checks,
    pub errors: Checks,
    /// How many expressions there are.
    pub exprs: usize,
}

#[derive(Clone, Debug)]
pub enum Out {
    One(Dno),
    Row(Vec<Dno>),
}

#[derive(Clone, Debug)]
pub struct Block {
    pub line: u32,
    pub label: Option<String>,
    /// The variables that it initialises.
    pub init: Vec<Dno>,
    pub body: Vec<Stmt>,
    pub exceptions: Option<Exceptions>,
}

#[derive(Clone, Debug)]
pub struct Exceptions {
    pub sqlstate: Dno,
    pub sqlerrm: Dno,
    pub handlers: Vec<Handler>,
}

#[derive(Clone, Debug)]
pub struct Handler {
    pub conditions: Vec<Condition>,
    pub action: Vec<Stmt>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Condition {
    Others,
    /// A state, or with `000` at its end its class.
    State(SqlState),
}

#[derive(Clone, Debug)]
pub struct Stmt {
    pub line: u32,
    pub kind: StmtKind,
}

#[derive(Clone, Debug)]
pub enum StmtKind {
    Block(Block),
    Assign {
        target: Target,
        expr: SqlExpr,
    },
    Perform(SqlExpr),
    Call {
        expr: SqlExpr,
        is_call: bool,
    },
    If {
        branches: Vec<(u32, SqlExpr, Vec<Stmt>)>,
        otherwise: Vec<Stmt>,
    },
    Case {
        operand: Option<(SqlExpr, Dno)>,
        whens: Vec<(u32, SqlExpr, Vec<Stmt>)>,
        otherwise: Option<Vec<Stmt>>,
    },
    Loop {
        label: Option<String>,
        body: Vec<Stmt>,
    },
    While {
        label: Option<String>,
        condition: SqlExpr,
        body: Vec<Stmt>,
    },
    ForInt {
        label: Option<String>,
        var: Dno,
        lower: SqlExpr,
        upper: SqlExpr,
        step: Option<SqlExpr>,
        reverse: bool,
        body: Vec<Stmt>,
    },
    ForQuery {
        label: Option<String>,
        into: Into,
        query: SqlExpr,
        body: Vec<Stmt>,
    },
    ForCursor {
        label: Option<String>,
        record: Dno,
        cursor: Dno,
        args: Option<CursorArgs>,
        body: Vec<Stmt>,
    },
    ForDynamic {
        label: Option<String>,
        into: Into,
        query: SqlExpr,
        params: Vec<SqlExpr>,
        body: Vec<Stmt>,
    },
    Foreach {
        label: Option<String>,
        target: Into,
        slice: i32,
        array: SqlExpr,
        body: Vec<Stmt>,
    },
    Exit {
        is_exit: bool,
        label: Option<String>,
        when: Option<SqlExpr>,
    },
    Return {
        expr: Option<SqlExpr>,
        var: Option<Dno>,
    },
    ReturnNext {
        expr: Option<SqlExpr>,
        var: Option<Dno>,
    },
    ReturnQuery {
        query: Option<SqlExpr>,
        dynamic: Option<SqlExpr>,
        params: Vec<SqlExpr>,
    },
    Raise(Raise),
    Assert {
        condition: SqlExpr,
        message: Option<SqlExpr>,
    },
    Sql {
        sql: SqlExpr,
        into: Option<Into>,
        strict: bool,
    },
    Execute {
        query: SqlExpr,
        into: Option<Into>,
        strict: bool,
        params: Vec<SqlExpr>,
    },
    GetDiagnostics {
        stacked: bool,
        items: Vec<(Diagnostic, Target)>,
    },
    Open {
        cursor: Dno,
        options: u32,
        args: Option<CursorArgs>,
        query: Option<SqlExpr>,
        dynamic: Option<SqlExpr>,
        params: Vec<SqlExpr>,
    },
    Fetch {
        cursor: Dno,
        into: Option<Into>,
        fetch: Fetch,
        is_move: bool,
    },
    Close {
        cursor: Dno,
    },
    Commit {
        chain: bool,
    },
    Rollback {
        chain: bool,
    },
}

/// The arguments given to a bound cursor, as one SELECT of them in order.
#[derive(Clone, Debug)]
pub struct CursorArgs(pub SqlExpr);

#[derive(Clone, Debug)]
pub struct Raise {
    pub level: RaiseLevel,
    pub condition: Option<String>,
    pub message: Option<String>,
    pub params: Vec<SqlExpr>,
    pub options: Vec<(RaiseOption, SqlExpr)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RaiseLevel {
    Debug,
    Log,
    Info,
    Notice,
    Warning,
    Exception,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RaiseOption {
    Errcode,
    Message,
    Detail,
    Hint,
    Column,
    Constraint,
    Datatype,
    Table,
    Schema,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Diagnostic {
    RowCount,
    RoutineOid,
    Context,
    ExceptionContext,
    ExceptionDetail,
    ExceptionHint,
    ReturnedSqlstate,
    ColumnName,
    ConstraintName,
    DatatypeName,
    MessageText,
    TableName,
    SchemaName,
}

impl Diagnostic {
    pub fn name(self) -> &'static str {
        match self {
            Diagnostic::RowCount => "ROW_COUNT",
            Diagnostic::RoutineOid => "PG_ROUTINE_OID",
            Diagnostic::Context => "PG_CONTEXT",
            Diagnostic::ExceptionContext => "PG_EXCEPTION_CONTEXT",
            Diagnostic::ExceptionDetail => "PG_EXCEPTION_DETAIL",
            Diagnostic::ExceptionHint => "PG_EXCEPTION_HINT",
            Diagnostic::ReturnedSqlstate => "RETURNED_SQLSTATE",
            Diagnostic::ColumnName => "COLUMN_NAME",
            Diagnostic::ConstraintName => "CONSTRAINT_NAME",
            Diagnostic::DatatypeName => "PG_DATATYPE_NAME",
            Diagnostic::MessageText => "MESSAGE_TEXT",
            Diagnostic::TableName => "TABLE_NAME",
            Diagnostic::SchemaName => "SCHEMA_NAME",
        }
    }
}

/// Which rows FETCH and MOVE mean.
#[derive(Clone, Debug)]
pub struct Fetch {
    pub direction: Direction,
    /// How many, or where; `None` with no expression: `count`.
    pub expr: Option<SqlExpr>,
    pub count: i64,
    pub several: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    Forward,
    Backward,
    Absolute,
    Relative,
}

/// What a function is at: the kinds of statements as CONTEXT names them (PostgreSQL: `plpgsql_stmt_typename`), then what is no
/// statement.
pub const DOING: &[&str] = &[
    "",
    "statement block",
    "assignment",
    "PERFORM",
    "CALL",
    "DO",
    "IF",
    "CASE",
    "LOOP",
    "WHILE",
    "FOR with integer loop variable",
    "FOR over SELECT rows",
    "FOR over cursor",
    "FOR over EXECUTE statement",
    "FOREACH over array",
    "EXIT",
    "CONTINUE",
    "RETURN",
    "RETURN NEXT",
    "RETURN QUERY",
    "RAISE",
    "ASSERT",
    "SQL statement",
    "EXECUTE",
    "GET STACKED DIAGNOSTICS",
    "GET DIAGNOSTICS",
    "OPEN",
    "MOVE",
    "FETCH",
    "CLOSE",
    "COMMIT",
    "ROLLBACK",
    "during function entry",
    "during function exit",
    "during statement block local variable initialization",
    "during statement block entry",
    "during statement block exit",
    "during exception cleanup",
    "while storing call arguments into local variables",
    "while casting return value to function's return type",
];

/// From here on [`DOING`] lists what is no statement.
pub const NO_STATEMENT: u32 = 32;
pub const ENTRY: u32 = 32;
pub const EXIT: u32 = 33;
pub const INIT: u32 = 34;
pub const BLOCK_ENTRY: u32 = 35;
pub const BLOCK_EXIT: u32 = 36;
pub const CLEANUP: u32 = 37;
pub const STORING: u32 = 38;
pub const CASTING: u32 = 39;

impl StmtKind {
    /// Its place in [`DOING`].
    pub fn code(&self) -> u32 {
        match self {
            StmtKind::Block(_) => 1,
            StmtKind::Assign { .. } => 2,
            StmtKind::Perform(_) => 3,
            StmtKind::Call { is_call: true, .. } => 4,
            StmtKind::Call { .. } => 5,
            StmtKind::If { .. } => 6,
            StmtKind::Case { .. } => 7,
            StmtKind::Loop { .. } => 8,
            StmtKind::While { .. } => 9,
            StmtKind::ForInt { .. } => 10,
            StmtKind::ForQuery { .. } => 11,
            StmtKind::ForCursor { .. } => 12,
            StmtKind::ForDynamic { .. } => 13,
            StmtKind::Foreach { .. } => 14,
            StmtKind::Exit { is_exit: true, .. } => 15,
            StmtKind::Exit { .. } => 16,
            StmtKind::Return { .. } => 17,
            StmtKind::ReturnNext { .. } => 18,
            StmtKind::ReturnQuery { .. } => 19,
            StmtKind::Raise(_) => 20,
            StmtKind::Assert { .. } => 21,
            StmtKind::Sql { .. } => 22,
            StmtKind::Execute { .. } => 23,
            StmtKind::GetDiagnostics { stacked: true, .. } => 24,
            StmtKind::GetDiagnostics { .. } => 25,
            StmtKind::Open { .. } => 26,
            StmtKind::Fetch { is_move: true, .. } => 27,
            StmtKind::Fetch { .. } => 28,
            StmtKind::Close { .. } => 29,
            StmtKind::Commit { .. } => 30,
            StmtKind::Rollback { .. } => 31,
        }
    }
}

/// Whether a name may have fields.
pub type IsRecord<'a> = &'a dyn Fn(Dno) -> bool;

/// The variable that `parts` begin with, from `scope` outwards, and how many parts its name took. A scalar must be named by
/// all of them. (PostgreSQL: `plpgsql_ns_lookup`)
pub fn lookup(names: &[Name], scope: Option<usize>, parts: &[&str], is_record: IsRecord<'_>) -> Option<(Dno, usize)> {
    let block = |top: Option<usize>, wanted: &str, last: bool| {
        let mut i = top;
        while let Some(n) = i.map(|i| &names[i]) {
            match n.what {
                NameKind::Label(_) => break,
                NameKind::Var(dno) if n.name == wanted && (last || is_record(dno)) => return (Some(dno), i),
                NameKind::Var(_) => i = n.outer,
            }
        }
        while let Some(n) = i.map(|i| &names[i]) {
            if matches!(n.what, NameKind::Label(_)) {
                break;
            }
            i = n.outer;
        }
        (None, i)
    };
    let mut at = scope;
    while at.is_some() {
        let (found, label) = block(at, parts[0], parts.len() == 1);
        if let Some(dno) = found {
            return Some((dno, 1));
        }
        let label = label?;
        if parts.len() > 1
            && names[label].name == parts[0]
            && let (Some(dno), _) = block(at, parts[1], parts.len() == 2)
        {
            return Some((dno, 2));
        }
        at = names[label].outer;
    }
    None
}

/// The innermost variable of that name in the current block alone.
pub fn lookup_here(names: &[Name], scope: Option<usize>, name: &str) -> bool {
    let mut i = scope;
    while let Some(n) = i.map(|i| &names[i]) {
        match n.what {
            NameKind::Label(_) => return false,
            NameKind::Var(_) if n.name == name => return true,
            NameKind::Var(_) => i = n.outer,
        }
    }
    false
}

/// What has that label around `scope`.
pub fn lookup_label(names: &[Name], scope: Option<usize>, label: &str) -> Option<LabelKind> {
    let mut i = scope;
    while let Some(n) = i.map(|i| &names[i]) {
        if let NameKind::Label(kind) = n.what
            && n.name == label
        {
            return Some(kind);
        }
        i = n.outer;
    }
    None
}

/// Is a loop around `scope`?
pub fn inside_loop(names: &[Name], scope: Option<usize>) -> bool {
    let mut i = scope;
    while let Some(n) = i.map(|i| &names[i]) {
        if n.what == NameKind::Label(LabelKind::Loop) {
            return true;
        }
        i = n.outer;
    }
    false
}
