//! Wire protocol, authentication, sessions.
#![forbid(unsafe_code)]

pub mod auth;
pub mod protocol;
