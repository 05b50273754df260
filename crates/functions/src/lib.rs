//! The bodies of the built-in functions: a module a SQL type with its input, output, operators and functions.
#![forbid(unsafe_code)]

pub mod int;

include!(concat!(env!("OUT_DIR"), "/builtins.rs"));
