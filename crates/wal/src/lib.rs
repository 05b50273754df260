//! The write-ahead log: records, insertion, flush, reader, pg_control, checkpoints, crash recovery.
//!
//! | module | what |
//! | --- | --- |
//! | [`record`] | [`RecordBuilder`] builds, [`Record`] is a record taken apart, [`record::describe`] prints |
//! | [`insert`] | [`Wal`]: [`Wal::insert`] puts a record into the log, [`Wal::flush`] makes it durable |
//! | [`position`] | pages, segments, file names, page headers |
//! | [`reader`] | reads records from segments; tells the end of the log from damage inside it |
//! | [`control`] | `global/pg_control` and the text of `pg_controldata` |
//! | [`checkpoint`] | checkpoints and the removal of old segments |
//! | [`rmgr`], [`redo`] | who replays what, and the pages brought into shape for it |
//! | [`recovery`] | from pg_control to a consistent cluster |
//! | [`bootstrap`] | the first segment and pg_control of a new cluster |
//! | [`bytes`] | reading and writing little-endian fields |
//!
//! Writing a record:
//! ```ignore
//! critical(|section| {
//!     page.write(section).add_item(..);
//!     let record = RecordBuilder::new(RmgrId::HEAP, XLOG_HEAP_INSERT)
//!         .xid(xid)
//!         .main_data(&head)
//!         .register_buffer(0, &page, RegBuf::STANDARD)
//!         .buffer_data(0, &tuple);
//!     let lsn = wal.insert(section, record);
//!     page.set_lsn(section, lsn);
//! });
//! ```
//! `insert` cannot fail: when the log cannot be written any more it is *broken*, accepts and forgets what is inserted,
//! and every flush returns an error of severity PANIC. So nothing becomes durable any more, no page is written, no commit is
//! acknowledged; the server stops and restarts into recovery. (A failed fsync is never retried.)
//!
//! Life of a cluster's log: [`control::Control::open`], [`Wal::new`] (in recovery: pages may be written, hints not),
//! [`storage::BufferPool::set_hooks`], [`recovery::recover`], which ends in [`Wal::start_inserting`] and a checkpoint.
#![forbid(unsafe_code)]

pub mod bootstrap;
pub mod bytes;
pub mod checkpoint;
pub mod control;
pub mod insert;
mod pglz;
pub mod position;
pub mod reader;
pub mod record;
pub mod recovery;
pub mod redo;
pub mod rmgr;
pub mod xlog;

use base::{PgError, Severity};

pub use control::{CheckPoint, Control, ControlFile, DbState, WalLevel};
pub use insert::{Wal, WalOptions};
pub use record::{Inserted, Record, RecordBuilder, RegBuf};
pub use redo::{RedoBuffer, RedoContext};
pub use rmgr::{ResourceManager, RmgrId, RmgrTable};

/// The same error as a PANIC: the server must restart into recovery.
#[must_use]
pub fn panic_level(mut error: PgError) -> PgError {
    error.fields_mut().severity = Severity::Panic;
    error
}
