//! What the executor needs of tables beyond their scans.

use base::{PgError, Result};

use crate::context::ExecContext;

/// The payload of a compressed or external value.
pub(crate) fn detoast(cx: &mut ExecContext, varlena: &[u8]) -> Result<Vec<u8>> {
    let _ = (cx, varlena);
    Err(PgError::unsupported("TOAST"))
}
