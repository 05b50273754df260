//! Wire protocol, authentication, sessions, background workers: everything between a socket and the engine.
//!
//! [`run`] serves a data directory until it is told to stop. In reading order: [`postmaster`] (start, listen, stop),
//! [`cluster`] (what sessions share), [`scheduler`] (tasks and threads), [`protocol`], [`auth`], [`session`].
#![forbid(unsafe_code)]

pub mod auth;
mod autoconf;
mod autovacuum;
mod background;
pub mod bootstrap;
pub(crate) mod builtins;
mod clock;
pub mod cluster;
pub mod config;
pub mod embed;
pub mod log;
mod notify;
pub mod pidfile;
pub mod postmaster;
pub mod protocol;
pub mod scheduler;
pub mod session;
mod snapshots;
mod stats;
pub mod timers;

pub use postmaster::run;

include!(concat!(env!("OUT_DIR"), "/builtins.rs"));
