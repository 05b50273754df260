//! Operators over batches, expressions, DML: runs what the planner made.
//!
//! A session owns an [`ExecContext`]. For a statement: `let mut e = Execution::start(planned, &mut cx, options)?`, then
//! `e.run(&mut cx, limit, &mut destination)?` as often as rows are wanted (a suspended portal keeps the `Execution` between
//! messages), or `e.next_batch(&mut cx)?`, and at the end `e.finish(&mut cx)?`.
//!
//! | file | what |
//! | --- | --- |
//! | `execution.rs` | [`Execution`], [`Destination`], the read-only and permission checks before a start |
//! | `context.rs` | [`ExecContext`], which implements `types::Runtime` |
//! | `state.rs` | one execution's parameters and subplans |
//! | `node.rs` | what operators have in common |
//! | `build.rs` | plan nodes to operators |
//! | `expr/` | expressions |
//! | a file per plan node | named as EXPLAIN prints it |
#![forbid(unsafe_code)]

pub mod after;
mod agg;
mod agg_spill;
mod agg_state;
mod append;
mod append_prune;
mod bitmap_scan;
mod build;
mod constraints;
pub mod context;
mod cte;
pub mod current_of;
pub mod cursor;
mod execution;
pub mod explain;
pub mod expr;
pub mod foreign_key;
mod function_scan;
mod hash_batches;
mod hash_join;
mod hashing;
pub mod heap;
mod index_insert;
mod index_scan;
mod inherited_modify;
mod join;
pub mod language;
mod limit;
mod lock_rows;
mod material;
mod merge_join;
pub mod modify_table;
mod named_tuplestore_scan;
mod nest_loop;
mod node;
pub mod nodes;
mod ordered_set;
mod partition;
pub mod partitioned_insert;
mod project_set;
mod quick_sort;
mod recheck;
mod recursive_union;
mod result;
mod returning;
pub mod row_expr;
mod row_store;
mod sample_scan;
pub mod scalar_expr;
mod scan;
mod seq_scan;
mod set_op;
mod sort;
mod spill;
pub mod sqlfunction;
pub mod state;
mod subquery_scan;
mod support;
mod tid_range_scan;
mod tid_scan;
pub mod trigger;
mod unique;
mod values_scan;
mod view_modify;
mod window_agg;

pub use context::{ExecContext, FunctionHost, NoHooks, NoticeSink, SessionHooks, UtilityOutcome};
pub use execution::{Destination, Execution, StartOptions};
pub use node::Instrumentation;
pub use state::{Estate, Run};
pub use support::{lock_plan_relations, lock_relation, needs_snapshot, plan_query, relation_locker};

#[cfg(test)]
mod tests;
