//! Names and types resolved: syntax tree to [`query::Query`]; rewriting (views, rules); node-tree text; deparsing.
//!
//! ```text
//! analyze(cx, stmt, source, &mut params) -> Query     a raw statement analyzed; utility statements pass through
//! inner_query(stmt) -> the statement that EXPLAIN, PREPARE, CREATE TABLE AS, DECLARE CURSOR, COPY carry, to be given to
//! analyze_statement(cx, stmt, source, &mut params) -> Query
//! rewrite(cx, query) -> Vec<Query>                    views expanded, defaults filled; what the planner gets
//! ddl::*                                              for DDL: defaults, CHECK, index expressions, USING, type names, ..
//! lift_constants(query, constants, accept)            constants of a text become parameters, so that texts share a plan
//! nodes::{write, read}                                the text of `pg_node_tree`
//! deparse::*                                          pg_get_viewdef and its like
//! ```
//!
//! PostgreSQL: `parser/analyze.c`, `parser/parse_*.c`, `rewrite/`, `nodes/outfuncs.c`, `nodes/readfuncs.c`, `utils/adt/ruleutils.c`.
#![forbid(unsafe_code)]

mod agg;
mod api;
pub mod builtins;
mod clause;
mod coerce;
mod collate;
mod context;
mod cte;
pub mod ddl;
pub mod definitions;
pub mod deparse;
mod dml;
mod expr;
mod exprtype;
mod from;
mod func;
mod json;
mod level;
mod lift;
pub mod lookup;
mod names;
pub mod nodes;
mod oper;
pub mod partition;
pub mod plpgsql;
mod poly;
pub mod query;
mod recursion;
pub mod references;
mod relation;
mod resolve;
mod rewrite;
pub mod rules;
mod select;
mod state;
mod target;
mod typename;
mod updatable_view;
pub mod walk;
pub mod walker;

pub use agg::{expand_grouping_sets, flatten_group_exprs, flatten_join_aliases};
pub use api::{analyze, analyze_statement, check_cursor, inner_query};
pub use coerce::is_polymorphic as coerce_is_polymorphic;
pub use context::{AnalyzeContext, ColumnHooks, NamedRelation, ParamTypes};
pub use level::{equal, increment_levels, increment_query_levels};
pub use names::system_column;
pub use lift::{LiftedConstant, lift_constants};
pub use rewrite::{fill_arguments, rewrite};

#[cfg(test)]
mod tests;
#[cfg(test)]
mod view_tests;

include!(concat!(env!("OUT_DIR"), "/builtins.rs"));
