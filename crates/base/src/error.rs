//! The one error type: what a client sees, with every field of the protocol's ErrorResponse.

use std::fmt;

/// Five characters that name a condition. (PostgreSQL: `ERRCODE_*`, see [`crate::sqlstate`])
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct SqlState([u8; 5]);

impl SqlState {
    pub const fn new(code: [u8; 5]) -> SqlState {
        SqlState(code)
    }
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or("XX000")
    }
    /// The first two characters.
    pub fn class(&self) -> &str {
        &self.as_str()[..2]
    }
}
impl fmt::Display for SqlState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
impl fmt::Debug for SqlState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How bad it is. (PostgreSQL: `elevel`)
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Severity {
    Debug,
    Log,
    Info,
    Notice,
    Warning,
    /// The statement ends, its transaction aborts.
    Error,
    /// The session ends.
    Fatal,
    /// The server restarts into recovery.
    Panic,
}

impl Severity {
    pub fn as_str(self) -> &'static str {
        match self {
            Severity::Debug => "DEBUG",
            Severity::Log => "LOG",
            Severity::Info => "INFO",
            Severity::Notice => "NOTICE",
            Severity::Warning => "WARNING",
            Severity::Error => "ERROR",
            Severity::Fatal => "FATAL",
            Severity::Panic => "PANIC",
        }
    }
}

/// What a failed operation returns, and also what a notice carries. Boxed, so that a `Result` stays small.
#[derive(Clone, PartialEq)]
pub struct PgError(Box<Fields>);

/// The fields of an error report. (PostgreSQL: manual, "Error and Notice Message Fields")
#[derive(Clone, PartialEq, Debug)]
pub struct Fields {
    pub severity: Severity,
    pub sqlstate: SqlState,
    pub message: String,
    pub detail: Option<String>,
    /// Goes to the server log only.
    pub detail_log: Option<String>,
    pub hint: Option<String>,
    /// Where in the statement's text, as a **byte** offset from 0; the protocol layer turns it into characters from 1.
    pub position: Option<usize>,
    /// As `position`, within `internal_query`.
    pub internal_position: Option<usize>,
    pub internal_query: Option<String>,
    /// The call stack of functions and such, one line an entry, innermost first.
    pub context: Option<String>,
    pub schema: Option<String>,
    pub table: Option<String>,
    pub column: Option<String>,
    pub datatype: Option<String>,
    pub constraint: Option<String>,
}

pub type Result<T, E = PgError> = std::result::Result<T, E>;

impl PgError {
    /// An ERROR. The text follows PostgreSQL's to the letter.
    #[cold]
    pub fn new(sqlstate: SqlState, message: impl Into<String>) -> PgError {
        PgError::with_severity(Severity::Error, sqlstate, message)
    }
    #[cold]
    pub fn with_severity(severity: Severity, sqlstate: SqlState, message: impl Into<String>) -> PgError {
        PgError(Box::new(Fields {
            severity,
            sqlstate,
            message: message.into(),
            detail: None,
            detail_log: None,
            hint: None,
            position: None,
            internal_position: None,
            internal_query: None,
            context: None,
            schema: None,
            table: None,
            column: None,
            datatype: None,
            constraint: None,
        }))
    }
    /// `XX000`: something that cannot happen unless Tusk has a bug. (PostgreSQL: `elog(ERROR, ..)`)
    #[cold]
    pub fn internal(message: impl Into<String>) -> PgError {
        PgError::new(crate::sqlstate::INTERNAL_ERROR, message)
    }
    /// `0A000`: not built yet. `what` names it as a user would, e.g. `"CREATE RULE"`.
    #[cold]
    pub fn unsupported(what: impl fmt::Display) -> PgError {
        PgError::new(crate::sqlstate::FEATURE_NOT_SUPPORTED, format!("{what} is not supported yet"))
    }
    #[must_use]
    pub fn fatal(mut self) -> PgError {
        self.0.severity = Severity::Fatal;
        self
    }
    #[must_use]
    pub fn detail(mut self, text: impl Into<String>) -> PgError {
        self.0.detail = Some(text.into());
        self
    }
    #[must_use]
    pub fn detail_log(mut self, text: impl Into<String>) -> PgError {
        self.0.detail_log = Some(text.into());
        self
    }
    #[must_use]
    pub fn hint(mut self, text: impl Into<String>) -> PgError {
        self.0.hint = Some(text.into());
        self
    }
    /// Sets the position if none is set yet: the innermost place wins. A negative one means unknown.
    #[must_use]
    pub fn at(mut self, position: impl Into<Location>) -> PgError {
        if let (None, Location(p @ 0..)) = (self.0.position, position.into()) {
            self.0.position = Some(p as usize);
        }
        self
    }
    /// Forgets the position: it refers to another text than the client's.
    #[must_use]
    pub fn without_position(mut self) -> PgError {
        self.0.position = None;
        self
    }
    /// Adds a line below the context so far.
    #[must_use]
    pub fn context(mut self, line: impl Into<String>) -> PgError {
        let line = line.into();
        self.0.context = Some(match self.0.context.take() {
            Some(inner) => inner + "\n" + &line,
            None => line,
        });
        self
    }
    /// Names the table that the error is about.
    #[must_use]
    pub fn table(mut self, schema: impl Into<String>, table: impl Into<String>) -> PgError {
        self.0.schema = Some(schema.into());
        self.0.table = Some(table.into());
        self
    }
    #[must_use]
    pub fn column(mut self, column: impl Into<String>) -> PgError {
        self.0.column = Some(column.into());
        self
    }
    #[must_use]
    pub fn constraint(mut self, constraint: impl Into<String>) -> PgError {
        self.0.constraint = Some(constraint.into());
        self
    }
    #[must_use]
    pub fn datatype(mut self, schema: impl Into<String>, datatype: impl Into<String>) -> PgError {
        self.0.schema = Some(schema.into());
        self.0.datatype = Some(datatype.into());
        self
    }
    pub fn fields(&self) -> &Fields {
        &self.0
    }
    pub fn fields_mut(&mut self) -> &mut Fields {
        &mut self.0
    }
    pub fn sqlstate(&self) -> SqlState {
        self.0.sqlstate
    }
    pub fn severity(&self) -> Severity {
        self.0.severity
    }
    pub fn message(&self) -> &str {
        &self.0.message
    }
}

impl fmt::Display for PgError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:  {}: {}", self.0.severity.as_str(), self.0.sqlstate, self.0.message)
    }
}
impl fmt::Debug for PgError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
impl std::error::Error for PgError {}

/// A place in a statement's text: a byte offset from 0, or -1 where unknown. (PostgreSQL: `ParseLoc`)
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Location(pub i32);

impl Location {
    pub const UNKNOWN: Location = Location(-1);

    pub fn is_known(self) -> bool {
        self.0 >= 0
    }
}
impl Default for Location {
    fn default() -> Location {
        Location::UNKNOWN
    }
}
impl From<usize> for Location {
    fn from(n: usize) -> Location {
        Location(i32::try_from(n).unwrap_or(-1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sqlstate::UNDEFINED_TABLE;

    #[test]
    fn innermost_position_wins() {
        let e = PgError::new(UNDEFINED_TABLE, "x").at(3usize).at(7usize);
        assert_eq!(e.fields().position, Some(3));
        assert_eq!(PgError::internal("x").at(Location::UNKNOWN).fields().position, None);
        assert_eq!(UNDEFINED_TABLE.as_str(), "42P01");
    }
}
