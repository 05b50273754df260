//! After a VACUUM: the oldest transaction ids that a database's tables still hold, and the cluster's with it.
//!
//! 1. The oldest `relfrozenxid` and `relminmxid` of the database go into `pg_database`.
//! 2. The oldest of all databases sets how far ids may go on, and how much of `pg_xact` and `pg_multixact` is needed.
//!
//! PostgreSQL: `vac_update_datfrozenxid`, `vac_truncate_clog`.

use base::sqlstate::WARNING;
use base::{MultiXactId, Oid, PgError, Result, Severity, Xid};
use catalog::{PgClass, PgDatabase, oids, relkind};
use executor::ExecContext;
use txn::{HorizonKind, LockMode, LockTag};
use types::Datum;

/// Ids a file of `pg_xact` holds: nothing can be removed before so many more are old.
const XIDS_A_SEGMENT: u32 = 32 * 32_768;

fn is_newer(multi: MultiXactId, than: MultiXactId) -> bool {
    than.precedes(multi)
}

/// See the module's head. Runs in the current transaction.
pub fn update(cx: &mut ExecContext) -> Result<()> {
    let txn = cx.txn()?.clone();
    let (manager, database) = (txn.manager(), cx.catalog.database_oid());
    // One at a time, or an older result could overwrite a newer one.
    manager.locks().lock(txn.proc(), LockTag::FrozenIds { db: database }, LockMode::Exclusive)?;
    let (next, next_multi) = (manager.next_full_xid().xid(), manager.multixacts().next());
    let mut frozen = manager.oldest_xmin(HorizonKind::Shared, database);
    let mut multi = manager.multixacts().oldest_needed();
    for class in cx.catalog.rows::<PgClass>(Oid::INVALID, &[])? {
        if !matches!(class.relkind, relkind::TABLE | relkind::MATERIALIZED_VIEW | relkind::TOAST) {
            continue;
        }
        let relminmxid = MultiXactId(class.relminmxid.0);
        // Ids of the future are damage: nothing can be concluded then.
        if next.precedes(class.relfrozenxid) || is_newer(relminmxid, next_multi) {
            return Ok(());
        }
        if class.relfrozenxid.is_normal() && class.relfrozenxid.precedes(frozen) {
            frozen = class.relfrozenxid;
        }
        if relminmxid.is_valid() && relminmxid.precedes(multi) {
            multi = relminmxid;
        }
    }
    let found = cx.catalog.find_row::<PgDatabase>(oids::DATABASE_OID_INDEX, &[Datum::oid(database)])?;
    let found = found.ok_or_else(|| PgError::internal(format!("could not find tuple for database {database}")))?;
    let mut row = found.row.clone();
    if row.datfrozenxid.precedes(frozen) || next.precedes(row.datfrozenxid) {
        row.datfrozenxid = frozen;
    }
    let datminmxid = MultiXactId(row.datminmxid.0);
    if datminmxid.precedes(multi) || is_newer(datminmxid, next_multi) {
        row.datminmxid = Xid(multi.0);
    }
    if row == found.row {
        return Ok(());
    }
    cx.catalog.overwrite_row(&found, &row)?;
    truncate(cx, (frozen, multi), (next, next_multi))
}

/// The oldest ids of all databases; removes the status of older transactions. `own` are this database's.
fn truncate(cx: &mut ExecContext, own: (Xid, MultiXactId), next: (Xid, MultiXactId)) -> Result<()> {
    let txn = cx.txn()?.clone();
    let manager = txn.manager();
    let own_database = cx.catalog.database_oid();
    manager.locks().lock(txn.proc(), LockTag::FrozenIds { db: Oid::INVALID }, LockMode::Exclusive)?;
    let (mut oldest, mut oldest_multi) = ((own.0, own_database), (own.1, own_database));
    for d in cx.catalog.rows::<PgDatabase>(Oid::INVALID, &[])? {
        // One whose DROP was interrupted.
        if d.datconnlimit == -2 {
            continue;
        }
        let datminmxid = MultiXactId(d.datminmxid.0);
        if next.0.precedes(d.datfrozenxid) || is_newer(datminmxid, next.1) {
            let text = "some databases have not been vacuumed in over 2 billion transactions";
            cx.notices.notice(
                PgError::with_severity(Severity::Warning, WARNING, text)
                    .detail("You might have already suffered transaction-wraparound data loss."),
            );
            return Ok(());
        }
        if d.datfrozenxid.precedes(oldest.0) {
            oldest = (d.datfrozenxid, d.oid);
        }
        if datminmxid.precedes(oldest_multi.0) {
            oldest_multi = (datminmxid, d.oid);
        }
    }
    let (before, _) = manager.oldest_xid();
    // What a truncation removes must not be asked about: the limit moves first.
    if before.precedes(oldest.0) || manager.oldest_xid().1 != oldest.1 {
        manager.set_xid_limit(oldest.0, oldest.1);
    }
    if before.precedes(oldest.0) && before.0 / XIDS_A_SEGMENT != oldest.0.0 / XIDS_A_SEGMENT {
        manager.truncate_clog(oldest.0, oldest.1)?;
    }
    manager.multixacts().truncate(oldest_multi.0, oldest_multi.1)?;
    manager.multixacts().set_oldest(oldest_multi.0, oldest_multi.1);
    Ok(())
}
