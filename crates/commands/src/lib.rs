//! Utility statements: DDL, COPY, EXPLAIN, VACUUM, ANALYZE, roles, databases, ... one file a statement.
//!
//! The session calls [`execute`] for every utility statement but those that are the session's own business (transactions,
//! settings, prepared statements, cursors, LISTEN/NOTIFY, DISCARD), inside a transaction and with a snapshot taken. What a
//! statement needs of the session beyond its [`ExecContext`] comes through [`Session`].
#![forbid(unsafe_code)]

mod address;
mod alter_children;
mod alter_composite;
mod alter_domain;
mod alter_function;
mod alter_table;
mod analyze_table;
mod call;
mod cluster;
mod comment;
mod constraint;
mod copy;
mod create_range;
mod create_table;
pub mod create_table_as;
mod create_type;
mod database;
mod define;
mod drop;
mod event_trigger;
pub mod explain;
mod extended_stats;
pub mod foreign_key;
pub mod frozen;
mod function;
mod function_options;
mod grant;
mod in_use;
mod index;
mod inherit;
mod like;
mod lock;
mod matview;
mod name;
mod object;
mod options;
mod owner;
mod partition;
mod properties;
mod query;
mod reindex;
mod rename;
mod role;
mod rule;
mod schema;
mod sequence;
mod sequence_functions;
pub mod setting;
mod statistics;
mod shell;
mod stored;
mod table_scan;
mod tablespace;
pub mod temp;
pub mod trigger;
mod truncate;
pub mod vacuum;
mod view;

use std::sync::Arc;

use base::guc::Values;
use base::{PgError, Result};
use executor::ExecContext;
use parser::ast::Statement;
use types::{Batch, TupleDesc};

pub use sequence_functions::{Hooks, Sequences};

include!(concat!(env!("OUT_DIR"), "/builtins.rs"));

/// What commands ask of the session that runs them. What is given here is for one that runs alone, without a client.
pub trait Session {
    /// The settings in force.
    fn values(&self) -> &Values;
    /// May a procedure not end the transaction? (PostgreSQL: `isAtomicContext`)
    fn is_atomic(&self) -> bool {
        true
    }
    /// An error if the statement runs inside a transaction block, a function, or a pipeline (25001): it must be alone in its
    /// transaction. `name` as users write it, e.g. `"VACUUM"`. (PostgreSQL: `PreventInTransactionBlock`)
    fn prevent_in_transaction_block(&mut self, name: &str) -> Result<()> {
        let _ = name;
        Ok(())
    }
    /// Commits the transaction and starts another, for commands that run in several (VACUUM, CREATE INDEX CONCURRENTLY).
    /// A fresh snapshot is in the context afterwards.
    fn next_transaction(&mut self, cx: &mut ExecContext) -> Result<()>;
    /// COPY FROM STDIN: tells the client to send. (CopyInResponse)
    fn copy_in_begin(&mut self, binary: bool, columns: usize) -> Result<()> {
        let _ = (binary, columns);
        Err(no_client())
    }
    /// Appends the client's next piece to `data`; `false` at its end. An error if the client gave up.
    fn copy_in_read(&mut self, data: &mut Vec<u8>) -> Result<bool> {
        let _ = data;
        Err(no_client())
    }
    /// COPY TO STDOUT. (CopyOutResponse)
    fn copy_out_begin(&mut self, binary: bool, columns: usize) -> Result<()> {
        let _ = (binary, columns);
        Err(no_client())
    }
    /// One CopyData message: a row.
    fn copy_out_write(&mut self, row: &[u8]) -> Result<()> {
        let _ = row;
        Err(no_client())
    }
    fn copy_out_end(&mut self) -> Result<()> {
        Err(no_client())
    }
    /// The other sessions that use a database, for DROP and CREATE DATABASE.
    fn count_sessions(&self, database: base::Oid) -> usize {
        let _ = database;
        0
    }
    /// Ends the other sessions of a database. (DROP DATABASE ... WITH (FORCE))
    fn terminate_sessions(&mut self, database: base::Oid) -> Result<()> {
        let _ = database;
        Ok(())
    }
}

#[cold]
fn no_client() -> PgError {
    PgError::internal("there is no client")
}

/// What a command is given.
pub struct CommandContext<'a> {
    pub cx: &'a mut ExecContext,
    pub session: &'a mut dyn Session,
    /// The text that the statement's locations refer to.
    pub source: &'a str,
}

/// What a command gives.
pub struct Outcome {
    /// The command tag, e.g. `CREATE TABLE` or `COPY 5`.
    pub tag: String,
    /// Rows for the client, e.g. of EXPLAIN.
    pub result: Option<(Arc<TupleDesc>, Vec<Batch>)>,
}

impl Outcome {
    pub fn tag(tag: impl Into<String>) -> Outcome {
        Outcome { tag: tag.into(), result: None }
    }
}

impl CommandContext<'_> {
    /// Tells the client something.
    pub fn notice(&mut self, severity: base::Severity, code: base::SqlState, text: impl Into<String>) {
        self.cx.notices.notice(PgError::with_severity(severity, code, text));
    }
}

/// Runs a utility statement.
pub fn execute(cmd: &mut CommandContext<'_>, stmt: &Statement) -> Result<Outcome> {
    event_trigger::around(cmd, stmt, dispatch)
}

fn dispatch(cmd: &mut CommandContext<'_>, stmt: &Statement) -> Result<Outcome> {
    match stmt {
        Statement::CreateEventTrigger(s) => event_trigger::create(cmd, s),
        Statement::AlterEventTrigger(s) => event_trigger::alter(cmd, s),
        Statement::CreateStmt(s) => create_table::execute(cmd, s),
        Statement::IndexStmt(s) => index::execute(cmd, s),
        Statement::DropStmt(s) => drop::execute(cmd, s),
        Statement::TruncateStmt(s) => truncate::execute(cmd, s),
        Statement::CopyStmt(s) => copy::execute(cmd, s),
        Statement::CreateSeq(s) => sequence::create(cmd, s),
        Statement::AlterSeq(s) => sequence::alter(cmd, s),
        Statement::CreateSchema(s) => schema::create(cmd, s),
        Statement::ViewStmt(s) => view::execute(cmd, s),
        Statement::ExplainStmt(s) => explain::execute(cmd, s),
        Statement::VacuumStmt(s) => vacuum::execute(cmd, s),
        Statement::CreateTableSpace(s) => tablespace::create(cmd, s),
        Statement::DropTableSpace(s) => tablespace::drop_tablespace(cmd, s),
        Statement::AlterTableSpaceOptions(s) => tablespace::alter_options(cmd, s),
        Statement::Cluster(s) => cluster::execute(cmd, s),
        Statement::AlterTable(s) => alter_table::execute(cmd, s),
        Statement::Rename(s) => rename::execute(cmd, s),
        Statement::AlterOwner(s) => owner::execute(cmd, s),
        Statement::AlterObjectSchema(s) => owner::set_schema(cmd, s),
        Statement::CommentStmt(s) => comment::execute(cmd, s),
        Statement::CreateDatabase(s) => database::create(cmd, s),
        Statement::AlterDatabase(s) => database::alter(cmd, s),
        Statement::DropDatabase(s) => database::drop_database(cmd, s),
        Statement::CreateRole(s) => role::create(cmd, s),
        Statement::AlterRole(s) => role::alter(cmd, s),
        Statement::DropRole(s) => role::drop_role(cmd, s),
        Statement::CreateTableAs(s) => create_table_as::execute(cmd, s),
        Statement::RefreshMatView(s) => matview::refresh(cmd, s),
        Statement::Reindex(s) => reindex::execute(cmd, s),
        Statement::Lock(s) => lock::execute(cmd, s),
        Statement::CreateFunction(s) => function::create(cmd, s),
        Statement::AlterFunction(s) => alter_function::execute(cmd, s),
        Statement::Call(s) => call::call(cmd, s),
        Statement::Do(s) => call::inline(cmd, s),
        Statement::CreateDomain(s) => create_type::create_domain(cmd, s),
        Statement::CreateEnum(s) => create_type::create_enum(cmd, s),
        Statement::CreateRange(s) => create_range::create(cmd, s),
        Statement::AlterEnum(s) => create_type::alter_enum(cmd, s),
        Statement::CompositeType(s) => create_type::create_composite(cmd, s),
        Statement::CreateStats(s) => statistics::create(cmd, s),
        Statement::AlterStats(s) => statistics::alter(cmd, s),
        Statement::Define(s) => define::execute(cmd, s),
        Statement::AlterDomain(s) => alter_domain::execute(cmd, s),
        Statement::AlterType(s) => define::base_type::alter(cmd, s),
        Statement::CreateCast(s) => define::cast::create(cmd, s),
        Statement::CreateTransform(s) => define::cast::create_transform(cmd, s),
        Statement::CreatePLang(s) => define::language::create(cmd, s),
        Statement::CreateConversion(s) => define::collation::create_conversion(cmd, s),
        Statement::AlterCollation(s) => define::collation::refresh(cmd, s),
        Statement::AlterOperator(s) => define::operator::alter(cmd, s),
        Statement::CreateOpClass(s) => define::opclass::create_class(cmd, s),
        Statement::CreateOpFamily(s) => define::opclass::create_family(cmd, s),
        Statement::AlterOpFamily(s) => define::opclass::alter_family(cmd, s),
        Statement::AlterTSDictionary(s) => define::search::alter_dictionary(cmd, s),
        Statement::AlterTSConfiguration(s) => define::search::alter_configuration(cmd, s),
        Statement::CreateRule(s) => rule::create(cmd, s),
        Statement::CreateTrigger(s) => trigger::create(cmd, s),
        Statement::Grant(s) => grant::execute(cmd, s),
        Statement::GrantRole(s) => role::grant(cmd, s),
        Statement::Checkpoint => {
            let (kind, pace) = (wal::checkpoint::Kind::Online, txn::checkpoint::Pace::Fast);
            txn::checkpoint::run(cmd.cx.txn()?.manager(), kind, pace, true)?;
            Ok(Outcome::tag("CHECKPOINT"))
        }
        other => Err(PgError::unsupported(command_name(other))),
    }
}

/// The columns a utility statement will return, for Describe; `None` where it returns no rows.
/// (PostgreSQL: `UtilityTupleDescriptor`)
pub fn result_desc(cmd: &mut CommandContext<'_>, stmt: &Statement) -> Result<Option<Arc<TupleDesc>>> {
    Ok(match stmt {
        Statement::ExplainStmt(s) => Some(explain::result_desc(s)),
        Statement::Call(s) => call::result_desc(cmd, s)?,
        _ => None,
    })
}

/// An operating system error's text without Rust's suffix.
pub(crate) fn os_error(e: &std::io::Error) -> String {
    let text = e.to_string();
    text.split(" (os error").next().unwrap_or(&text).to_owned()
}

/// A statement's name for messages: its variant's, in words.
pub fn command_name(stmt: &Statement) -> String {
    let variant = format!("{stmt:?}");
    let variant = variant.split(['(', ' ', '{']).next().unwrap_or_default();
    let mut name = String::new();
    for c in variant.trim_end_matches("Stmt").chars() {
        if c.is_ascii_uppercase() && !name.is_empty() {
            name.push(' ');
        }
        name.push(c.to_ascii_uppercase());
    }
    name
}
