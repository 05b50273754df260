//! Where functions are at: one frame a call, from the outermost on, for CONTEXT lines and PG_CONTEXT.
//! (PostgreSQL: `plpgsql_exec_error_callback`, the error context stack)

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use base::{Oid, PgError, Result};
use executor::ExecContext;
use parking_lot::Mutex;

use crate::tree::{DOING, Mode, NO_STATEMENT};

/// A call's place, which its statements keep up to date.
pub struct Place {
    pub signature: String,
    line: AtomicU32,
    /// An index of [`DOING`].
    doing: AtomicU32,
    sql: Mutex<Option<(Arc<str>, Mode)>>,
}

impl Place {
    pub fn new(signature: String) -> Place {
        Place { signature, line: AtomicU32::new(0), doing: AtomicU32::new(0), sql: Mutex::default() }
    }
    /// At a statement, or at something else; `line` 0 if it has none.
    pub fn at(&self, line: u32, doing: u32) {
        self.line.store(line, Ordering::Relaxed);
        self.doing.store(doing, Ordering::Relaxed);
    }
    pub fn save(&self) -> (u32, u32) {
        (self.line.load(Ordering::Relaxed), self.doing.load(Ordering::Relaxed))
    }
    /// The SQL that runs now.
    pub fn runs(&self, sql: Option<(Arc<str>, Mode)>) {
        *self.sql.lock() = sql;
    }
    pub fn text(&self) -> String {
        let (line, doing) = self.save();
        let what = DOING.get(doing as usize).copied().unwrap_or_default();
        match (line, what, doing < NO_STATEMENT) {
            (_, "", _) => format!("PL/pgSQL function {}", self.signature),
            (0, what, _) => format!("PL/pgSQL function {} {what}", self.signature),
            (line, what, false) => format!("PL/pgSQL function {} line {line} {what}", self.signature),
            (line, what, true) => format!("PL/pgSQL function {} line {line} at {what}", self.signature),
        }
    }
    fn sql_text(&self) -> Option<String> {
        self.sql.lock().as_ref().map(|(text, mode)| match mode {
            Mode::Statement => format!("SQL statement \"{text}\""),
            Mode::Expression => format!("PL/pgSQL expression \"{text}\""),
            Mode::Assign(_) => format!("PL/pgSQL assignment \"{text}\""),
        })
    }
}

/// The session's calls, the outermost first.
#[derive(Default)]
pub struct Calls(pub Vec<Arc<Place>>);

/// The lines of the calls around the innermost one and of itself.
pub fn stack(cx: &mut ExecContext) -> String {
    let mut lines = Vec::new();
    for (i, place) in cx.extension_or_default::<Calls>().0.iter().rev().enumerate() {
        if i > 0 {
            lines.extend(place.sql_text());
        }
        lines.push(place.text());
    }
    lines.join("\n")
}

/// An error or notice that is told at once: with all lines.
pub fn with_stack(cx: &mut ExecContext, e: PgError) -> PgError {
    let lines = stack(cx);
    if lines.is_empty() { e } else { e.context(lines) }
}

pub fn find_collation(cx: &ExecContext, schema: Option<&str>, name: &str) -> Result<Option<Oid>> {
    // UTF8, or any encoding.
    for namespace in match schema {
        Some(s) => cx.catalog.explicit_namespace(s, true)?.into_iter().collect::<Vec<_>>(),
        None => cx.catalog.search_path()?.schemas.clone(),
    } {
        for encoding in [6, -1] {
            if let Some(c) = cx.catalog.collation_by_name(name, encoding, namespace)? {
                return Ok(Some(c.oid));
            }
        }
    }
    Ok(None)
}
