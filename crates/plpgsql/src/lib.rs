//! PL/pgSQL: functions, procedures, triggers and DO blocks.
//!
//! A function's text becomes a tree ([`tree`], made by `parse`) at its first call in a session. The tree is run statement by
//! statement (`exec`); pieces of SQL in it are analyzed with the function's variables as parameters and planned once (`expr`).
//!
//! | file | what |
//! | --- | --- |
//! | `handler.rs` | [`PlPgSql`], the language as the executor sees it; the cache of functions |
//! | `compile.rs` | parameters, then the text |
//! | `parse/` | the text |
//! | `tree.rs`, `vartype.rs` | what comes of it |
//! | `exec/` | running it |
//! | `expr.rs`, `scalar.rs` | SQL inside functions; simple expressions by the row |
//! | `value.rs` | variables' values, conversions |
//! | `raise.rs`, `context.rs` | errors: conditions by name, CONTEXT |
//!
//! PostgreSQL: `src/pl/plpgsql`. Different here: no copy of a function's variables is kept between calls, and a record's field is
//! looked up when the expression is analyzed.
#![forbid(unsafe_code)]

mod compile;
mod context;
mod exec;
mod expr;
mod handler;
mod parse;
mod raise;
mod scalar;
mod tree;
mod value;
mod vartype;

pub use handler::PlPgSql;
