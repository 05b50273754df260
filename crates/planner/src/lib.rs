//! Paths, costs, plans.
#![forbid(unsafe_code)]
