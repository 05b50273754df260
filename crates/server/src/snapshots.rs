//! Exported snapshots: a transaction lets others see the database just as it does. (PostgreSQL: `snapmgr.c`)
//!
//! A snapshot is kept here under its name until the exporting transaction ends, and as a file in `pg_snapshots`, as
//! PostgreSQL writes it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use base::sqlstate::*;
use base::{Oid, PgError, Result};
use hashbrown::HashMap;
use parking_lot::Mutex;
use storage::vfs::IoContext;
use txn::transaction::{TransactionCallback, TransactionEvent};
use txn::{IsolationLevel, Snapshot, Transaction};

use crate::cluster::Cluster;

struct Exported {
    snapshot: Snapshot,
    database: Oid,
    isolation: IsolationLevel,
    read_only: bool,
}

/// The exported snapshots of a cluster.
#[derive(Default)]
pub struct ExportedSnapshots {
    list: Mutex<HashMap<String, Exported>>,
    next: AtomicU32,
}

/// `pg_export_snapshot`. (PostgreSQL: `ExportSnapshot`)
pub fn export(cluster: &Arc<Cluster>, txn: &Transaction) -> Result<String> {
    if txn.nest_level() > 1 {
        let text = "cannot export a snapshot from a subtransaction";
        return Err(PgError::new(ACTIVE_SQL_TRANSACTION, text));
    }
    let snapshot = txn.snapshot()?;
    let (proc, local) = txn.proc().virtual_xid();
    let exports = &cluster.snapshots;
    let number = exports.next.fetch_add(1, Ordering::Relaxed).wrapping_add(1);
    let name = format!("{proc:08X}-{local:08X}-{number}");
    let (database, isolation, read_only) = (txn.proc().database(), txn.isolation(), txn.is_read_only());
    let path = format!("pg_snapshots/{name}");
    let text = describe(txn, &snapshot, database, isolation, read_only);
    let vfs = &cluster.vfs;
    vfs.create_dir_all("pg_snapshots").or_pg("create directory", "pg_snapshots")?;
    let file = vfs.open(&path, storage::vfs::OpenMode::Truncate).or_pg("create file", &path)?;
    file.write_all_at(text.as_bytes(), 0).or_pg("write to file", &path)?;
    exports.list.lock().insert(name.clone(), Exported { snapshot, database, isolation, read_only });
    txn.add_callback(Box::new(Ending { cluster: Arc::clone(cluster), name: name.clone() }));
    Ok(name)
}

fn describe(txn: &Transaction, s: &Snapshot, database: Oid, isolation: IsolationLevel, read_only: bool) -> String {
    let (proc, local) = txn.proc().virtual_xid();
    let level = match isolation {
        IsolationLevel::ReadUncommitted => 0,
        IsolationLevel::ReadCommitted => 1,
        IsolationLevel::RepeatableRead => 2,
        IsolationLevel::Serializable => 3,
    };
    let xids = s.running().xids();
    let mut text = format!(
        "vxid:{proc}/{local}\npid:{}\ndbid:{database}\niso:{level}\nro:{}\nxmin:{}\nxmax:{}\nxcnt:{}\n",
        txn.proc().session_id().0,
        u8::from(read_only),
        s.xmin,
        s.xmax,
        xids.len()
    );
    xids.iter().for_each(|x| text.push_str(&format!("xip:{x}\n")));
    text.push_str("sof:0\nsxcnt:0\nrec:0\n");
    text
}

/// Takes the snapshot away when its transaction ends.
struct Ending {
    cluster: Arc<Cluster>,
    name: String,
}

impl TransactionCallback for Ending {
    fn event(&mut self, _: &Transaction, event: TransactionEvent) -> Result<()> {
        if matches!(event, TransactionEvent::Committed | TransactionEvent::Aborted) {
            self.cluster.snapshots.list.lock().remove(&self.name);
            let path = format!("pg_snapshots/{}", self.name);
            self.cluster.vfs.remove_file(&path).or_pg("remove file", &path)?;
        }
        Ok(())
    }
}

impl ExportedSnapshots {
    /// Has the transaction exported one?
    pub fn has_of(&self, txn: &Transaction) -> bool {
        let (proc, local) = txn.proc().virtual_xid();
        let prefix = format!("{proc:08X}-{local:08X}-");
        self.list.lock().keys().any(|name| name.starts_with(&prefix))
    }
}

/// SET TRANSACTION SNAPSHOT. (PostgreSQL: `ImportSnapshot`)
pub fn import(cluster: &Cluster, txn: &Transaction, name: &str) -> Result<()> {
    if txn.has_snapshot() {
        let text = "SET TRANSACTION SNAPSHOT must be called before any query";
        return Err(PgError::new(ACTIVE_SQL_TRANSACTION, text));
    }
    if txn.nest_level() > 1 {
        let text = "SET TRANSACTION SNAPSHOT must not be called in a subtransaction";
        return Err(PgError::new(ACTIVE_SQL_TRANSACTION, text));
    }
    let refuse = |text: &str| Err(PgError::new(FEATURE_NOT_SUPPORTED, text));
    let isolation = txn.isolation();
    if !isolation.uses_transaction_snapshot() {
        return refuse("a snapshot-importing transaction must have isolation level SERIALIZABLE or REPEATABLE READ");
    }
    if !name.bytes().all(|b| b.is_ascii_digit() || (b'A'..=b'F').contains(&b) || b == b'-') {
        return Err(PgError::new(INVALID_PARAMETER_VALUE, format!("invalid snapshot identifier: \"{name}\"")));
    }
    let list = cluster.snapshots.list.lock();
    let Some(found) = list.get(name) else {
        return Err(PgError::new(UNDEFINED_OBJECT, format!("snapshot \"{name}\" does not exist")));
    };
    if isolation == IsolationLevel::Serializable {
        if found.isolation != IsolationLevel::Serializable {
            return refuse("a serializable transaction cannot import a snapshot from a non-serializable transaction");
        }
        if found.read_only && !txn.is_read_only() {
            return refuse(
                "a non-read-only serializable transaction cannot import a snapshot from a read-only transaction",
            );
        }
    }
    if found.database != txn.proc().database() {
        return refuse("cannot import a snapshot from a different database");
    }
    txn.import_snapshot(&found.snapshot)
}
