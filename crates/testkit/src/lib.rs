//! What tests share: a small client that speaks the real protocol, and the runner of SQL golden files. It knows nothing of
//! the server's crates, so that the same files and checks run against PostgreSQL.
#![forbid(unsafe_code)]

pub mod client;
pub mod golden;
pub mod layers;
pub mod ledger;

pub use client::{Client, ServerError};
