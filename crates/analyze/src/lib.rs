//! Names and types resolved: syntax tree to [`query::Query`]; rewriting (views, rules); node-tree text; deparsing.
//!
//! ```text
//! analyze(cx, stmt, source, &mut params) -> Query     a raw statement analyzed; utility statements pass through
//! inner_query(stmt) -> the statement that EXPLAIN, PREPARE, CREATE TABLE AS, DECLARE CURSOR, COPY carry, to be given to
//! analyze_statement(cx, stmt, source, &mut params) -> Query
//! rewrite(cx, query) -> Vec<Query>                    views expanded, defaults filled; what the planner gets
//! ddl::*                                              for DDL: defaults, CHECK, index expressions, USING, type names, ..
//! nodes::{write, read}                                the text of `pg_node_tree`
//! deparse::*                                          pg_get_viewdef and its like
//! ```
//!
//! PostgreSQL: `parser/analyze.c`, `parser/parse_*.c`, `rewrite/`, `nodes/outfuncs.c`, `nodes/readfuncs.c`, `utils/adt/ruleutils.c`.
#![forbid(unsafe_code)]

mod api;
mod coerce;
mod context;
pub mod ddl;
mod exprtype;
pub mod lookup;
mod poly;
pub mod query;
mod state;
pub mod walk;
pub mod walker;

pub use api::{analyze, analyze_statement, inner_query, rewrite};
pub use context::{AnalyzeContext, ColumnHooks, ParamTypes};
