//! Names and types resolved: syntax tree to `Query`; rewriting; node-tree text; deparsing.
#![forbid(unsafe_code)]

pub mod exprtype;
pub mod query;
pub mod walk;
