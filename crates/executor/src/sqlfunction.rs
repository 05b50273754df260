//! SQL-language functions: the body is planned at the first call and run like any statement.
//!
//! PostgreSQL: `functions.c`.

use base::{Oid, PgError, Result};
use catalog::PgProc;
use types::{Datum, DatumRef};

use crate::state::Run;

/// A call site of a SQL-language function.
pub(crate) struct SqlFunction {
    name: String,
    #[allow(dead_code)]
    arg_types: Vec<Oid>,
}

impl SqlFunction {
    pub fn new(proc: &PgProc, arg_types: &[Oid]) -> SqlFunction {
        SqlFunction { name: proc.proname.clone(), arg_types: arg_types.to_vec() }
    }
    /// The first row's first column.
    pub fn call_scalar(&mut self, run: &mut Run<'_>, args: &[DatumRef<'_>]) -> Result<Datum> {
        let _ = (run, args);
        Err(PgError::unsupported(format!("calling SQL function {}", self.name)))
    }
    /// All rows: of one column, or of the result row's.
    pub fn call_set(&mut self, run: &mut Run<'_>, args: &[DatumRef<'_>]) -> Result<Vec<Vec<Datum>>> {
        let _ = (run, args);
        Err(PgError::unsupported(format!("calling SQL function {}", self.name)))
    }
}
