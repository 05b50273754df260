//! Names and types resolved: syntax tree to [`query::Query`]; rewriting (views, rules); node-tree text; deparsing.
//!
//! ```text
//! analyze(cx, stmt, source, &mut params) -> Query      a raw statement analyzed; utility statements pass through
//! analyze_inner(cx, stmt, source, &mut params) -> Query the query that EXPLAIN, PREPARE, CREATE TABLE AS, DECLARE CURSOR carry
//! rewrite(cx, query) -> Vec<Query>                      views expanded, defaults filled
//! expr::*                                               entry points for DDL: defaults, CHECK, index expressions, USING, ..
//! nodes::{write, read}                                  the text of `pg_node_tree`
//! deparse::*                                            pg_get_viewdef and its like
//! ```
//!
//! PostgreSQL: `parser/analyze.c`, `parser/parse_*.c`, `rewrite/`, `nodes/outfuncs.c`, `nodes/readfuncs.c`, `utils/adt/ruleutils.c`.
#![forbid(unsafe_code)]

mod coerce;
mod context;
mod exprtype;
pub mod lookup;
mod poly;
pub mod query;
mod state;
pub mod walk;
pub mod walker;

pub use context::{AnalyzeContext, ColumnHooks, ParamTypes};
