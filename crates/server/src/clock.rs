//! Time as SQL counts it.

use std::time::{SystemTime, UNIX_EPOCH};

/// From the Unix epoch to 2000-01-01 UTC, in microseconds.
const EPOCH: i64 = 946_684_800_000_000;

/// Microseconds since 2000-01-01 UTC. (PostgreSQL: `GetCurrentTimestamp`)
pub fn now() -> i64 {
    let unix = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(unix.as_micros()).unwrap_or(i64::MAX) - EPOCH
}
