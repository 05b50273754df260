//! Text in, tree out.
#![forbid(unsafe_code)]
