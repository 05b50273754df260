//! Resource managers: who writes a kind of record also replays it. The table is filled at start by the crates' owners.
//! (PostgreSQL: `rmgrlist.h`, `rmgr.c`)

use std::fmt;
use std::sync::Arc;

use base::{PgError, Result};

use crate::record::Record;
use crate::redo::RedoContext;

/// The number of a resource manager.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct RmgrId(pub u8);

impl RmgrId {
    pub const XLOG: RmgrId = RmgrId(0);
    pub const XACT: RmgrId = RmgrId(1);
    pub const SMGR: RmgrId = RmgrId(2);
    pub const CLOG: RmgrId = RmgrId(3);
    pub const DBASE: RmgrId = RmgrId(4);
    pub const TBLSPC: RmgrId = RmgrId(5);
    pub const MULTIXACT: RmgrId = RmgrId(6);
    pub const RELMAP: RmgrId = RmgrId(7);
    pub const STANDBY: RmgrId = RmgrId(8);
    pub const HEAP2: RmgrId = RmgrId(9);
    pub const HEAP: RmgrId = RmgrId(10);
    pub const BTREE: RmgrId = RmgrId(11);
    pub const HASH: RmgrId = RmgrId(12);
    pub const GIN: RmgrId = RmgrId(13);
    pub const GIST: RmgrId = RmgrId(14);
    pub const SEQ: RmgrId = RmgrId(15);
    pub const SPGIST: RmgrId = RmgrId(16);
    pub const BRIN: RmgrId = RmgrId(17);
    pub const COMMIT_TS: RmgrId = RmgrId(18);
    pub const REPLORIGIN: RmgrId = RmgrId(19);
    pub const GENERIC: RmgrId = RmgrId(20);
    pub const LOGICALMSG: RmgrId = RmgrId(21);
    /// The last one PostgreSQL has built in.
    pub const MAX_BUILTIN: u8 = 21;

    /// The name `pg_waldump` prints.
    pub fn name(self) -> Option<&'static str> {
        const NAMES: [&str; 22] = [
            "XLOG",
            "Transaction",
            "Storage",
            "CLOG",
            "Database",
            "Tablespace",
            "MultiXact",
            "RelMap",
            "Standby",
            "Heap2",
            "Heap",
            "Btree",
            "Hash",
            "Gin",
            "Gist",
            "Sequence",
            "SPGist",
            "BRIN",
            "CommitTs",
            "ReplicationOrigin",
            "Generic",
            "LogicalMessage",
        ];
        NAMES.get(usize::from(self.0)).copied()
    }
    /// A number that a record may carry: built in or of an extension.
    pub fn is_valid(n: u8) -> bool {
        n <= RmgrId::MAX_BUILTIN || n >= 128
    }
}
impl fmt::Display for RmgrId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "custom{:03}", self.0),
        }
    }
}

/// Replays and describes one kind of records.
pub trait ResourceManager: Send + Sync {
    /// Replays a record.
    fn redo(&self, cx: &RedoContext, record: &Record) -> Result<()>;
    /// The record's name, e.g. `INSERT+INIT`. (PostgreSQL: `rm_identify`)
    fn identify(&self, info: u8) -> Option<String>;
    /// What the record says, as `pg_waldump` prints it. (PostgreSQL: `rm_desc`)
    fn desc(&self, record: &Record, out: &mut String);
    /// Before the first record is replayed.
    fn startup(&self) -> Result<()> {
        Ok(())
    }
    /// After the last record was replayed.
    fn cleanup(&self, _cx: &RedoContext) -> Result<()> {
        Ok(())
    }
}

/// The resource managers of a cluster.
#[derive(Clone)]
pub struct RmgrTable {
    managers: Vec<Option<Arc<dyn ResourceManager>>>,
}

impl RmgrTable {
    /// An empty table. [`crate::recovery`] adds XLOG itself.
    pub fn new() -> RmgrTable {
        RmgrTable { managers: vec![None; 256] }
    }
    pub fn register(&mut self, id: RmgrId, manager: Arc<dyn ResourceManager>) {
        self.managers[usize::from(id.0)] = Some(manager);
    }
    pub fn get(&self, id: u8) -> Option<&Arc<dyn ResourceManager>> {
        self.managers[usize::from(id)].as_ref()
    }
    /// The manager, or the error that stops recovery.
    pub fn require(&self, record: &Record) -> Result<&Arc<dyn ResourceManager>> {
        self.get(record.rmgr).ok_or_else(|| {
            PgError::unsupported(format!("replaying WAL records of resource manager {}", RmgrId(record.rmgr)))
                .detail(format!("The record lies at {}.", record.lsn))
        })
    }
}
