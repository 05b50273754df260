//! Wire protocol and sessions.
#![forbid(unsafe_code)]
