//! Wire protocol, authentication, sessions.
#![forbid(unsafe_code)]

pub mod auth;
pub mod config;
pub mod pidfile;
pub mod protocol;
pub mod scheduler;
