//! The ground floor: identifiers, the error type, interrupts. Every other crate builds on it and it knows none of them.
#![forbid(unsafe_code)]

pub mod error;
pub mod guc;
pub mod ids;
pub mod interrupt;
pub mod pglz;
pub mod sqlstate;

pub use error::{PgError, Result, Severity, SqlState};
pub use ids::*;
pub use interrupt::Interrupt;

/// Bytes in a page. (PostgreSQL: `BLCKSZ`)
pub const BLCKSZ: usize = 8192;
/// Bytes in a name, with its terminating zero. (PostgreSQL: `NAMEDATALEN`)
pub const NAMEDATALEN: usize = 64;
