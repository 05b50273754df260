//! The end of the log, its middle, and what recovery makes of damage.

use std::sync::Arc;

use base::sqlstate::DATA_CORRUPTED;
use base::{Interrupt, Lsn, Oid, SessionId, Xid};
use storage::vfs::OpenMode;
use storage::{SimVfs, Vfs, critical};
use txn::manager::Fate;
use txn::startup::{Cluster, StartupOptions, create, open};
use txn::{Transaction, TransactionOptions};
use wal::bootstrap::{NewCluster, initial_checkpoint};
use wal::control::Parameters;
use wal::reader::{Next, Reader};
use wal::{Inserted, RecordBuilder, RmgrId, xlog};

fn new_cluster(seed: u64) -> SimVfs {
    let vfs = SimVfs::new(seed);
    let new = NewCluster {
        system_identifier: 4711,
        nonce: [1; 32],
        segment_size: 1 << 20,
        checksums: true,
        parameters: Parameters::default(),
        checkpoint: initial_checkpoint(Oid(16384)),
    };
    create(&vfs, &new).unwrap();
    vfs
}
fn try_start(vfs: &SimVfs) -> base::Result<Cluster> {
    let options = StartupOptions { buffers: 16, ..StartupOptions::default() };
    open(Arc::new(vfs.clone()), options, &|_, _| (), &|_| ())
}
fn start(vfs: &SimVfs) -> Cluster {
    try_start(vfs).unwrap()
}
fn commit(c: &Cluster) -> Xid {
    let proc = c.manager.register(SessionId(1), Oid(5), Interrupt::new()).unwrap();
    let t = Transaction::begin(&c.manager, &proc, TransactionOptions::default()).unwrap();
    let xid = t.xid().unwrap();
    t.commit().unwrap();
    c.manager.unregister(&proc);
    xid
}
fn noop(c: &Cluster, len: usize) -> Inserted {
    let record = RecordBuilder::new(RmgrId::XLOG, xlog::NOOP).main_data(&vec![7; len]);
    let placed = critical(|section| c.wal.insert_at(section, record));
    c.wal.flush(placed.end).unwrap();
    placed
}
fn overwrite(vfs: &SimVfs, c: &Cluster, at: Lsn, bytes: &[u8]) {
    let path = wal::position::segment_path(c.wal.timeline(), c.wal.segments().number(at), c.wal.segments());
    let file = vfs.open(&path, OpenMode::ReadWrite).unwrap();
    file.write_all_at(bytes, c.wal.segments().offset(at)).unwrap();
    file.sync_all().unwrap();
}
fn kinds(c: &Cluster, from: Lsn) -> Vec<u8> {
    let mut reader = Reader::new(Arc::clone(&c.vfs), c.wal.segments(), c.wal.timeline(), 4711);
    reader.seek(from);
    let mut kinds = Vec::new();
    while let Next::Record(record) = reader.next().unwrap() {
        kinds.push(if record.rmgr == RmgrId::XLOG.0 { record.rmgr_info() } else { 0xFF });
    }
    kinds
}

/// The rest of the last record is missing: it is overwritten in a way that a standby that has its beginning understands.
#[test]
fn a_record_cut_short_is_overwritten() {
    let vfs = new_cluster(1);
    let c = start(&vfs);
    let good = commit(&c);
    let from = c.control.get().checkpoint;
    let cut = noop(&c, 30_000);
    let page = Lsn((cut.start.0 / 8192 + 2) * 8192);
    overwrite(&vfs, &c, page, &[0; 8192 * 2]);
    drop(c);
    let c = start(&vfs);
    assert_eq!(c.recovery.end.aborted_contrecord, Some(cut.start));
    assert_eq!(c.recovery.end.end, page);
    let later = commit(&c);
    drop(c);
    vfs.crash();
    let c = start(&vfs);
    assert!(kinds(&c, from).contains(&xlog::OVERWRITE_CONTRECORD));
    for xid in [good, later] {
        assert_eq!(c.manager.fate(xid).unwrap(), Fate::Committed);
    }
}

/// A flipped bit with a valid later segment behind it must not silently end recovery.
#[test]
fn damage_inside_the_log_is_refused() {
    let vfs = new_cluster(2);
    let c = start(&vfs);
    commit(&c);
    let hit = noop(&c, 5000);
    for _ in 0..300 {
        noop(&c, 8000);
    }
    overwrite(&vfs, &c, Lsn(hit.start.0 + 100), &[8]);
    drop(c);
    let e = try_start(&vfs).err().unwrap();
    assert_eq!((e.sqlstate(), e.severity()), (DATA_CORRUPTED, base::Severity::Panic));
    assert_eq!(e.message(), format!("write-ahead log is damaged at {}", hit.start));
    // The same damage near the end is an ordinary torn write.
    let vfs = new_cluster(3);
    let c = start(&vfs);
    let good = commit(&c);
    let hit = noop(&c, 5000);
    overwrite(&vfs, &c, Lsn(hit.start.0 + 100), &[8]);
    drop(c);
    let c = start(&vfs);
    assert_eq!(c.recovery.end.end, hit.start);
    assert_eq!(c.manager.fate(good).unwrap(), Fate::Committed);
}

/// Old segments are reused or removed once a checkpoint has passed them.
#[test]
fn old_segments_go() {
    let vfs = new_cluster(4);
    let c = start(&vfs);
    for _ in 0..600 {
        noop(&c, 8000);
    }
    let run = || {
        let kind = wal::checkpoint::Kind::Online;
        txn::checkpoint::run(&c.manager, kind, txn::checkpoint::Pace::Fast, true).unwrap().unwrap()
    };
    let summary = run();
    assert!(summary.segments_recycled > 0);
    let first = c.wal.segments().number(c.wal.redo_pointer());
    for _ in 0..600 {
        noop(&c, 8000);
    }
    commit(&c);
    run();
    let names = vfs.list("pg_wal").unwrap();
    let oldest = names.iter().filter_map(|e| wal::position::parse_segment_file_name(&e.name, c.wal.segments()));
    assert!(oldest.map(|(_, n)| n).min().unwrap() >= first);
    drop(c);
    vfs.crash();
    start(&vfs);
}

/// An unknown kind of record stops recovery and is named.
#[test]
fn an_unknown_resource_manager_is_named() {
    let vfs = new_cluster(5);
    let c = start(&vfs);
    let record = RecordBuilder::new(RmgrId::SPGIST, 0x10).main_data(b"x");
    let end = critical(|section| c.wal.insert(section, record));
    c.wal.flush(end).unwrap();
    drop(c);
    let e = try_start(&vfs).err().unwrap();
    assert_eq!(e.message(), "replaying WAL records of resource manager SPGist is not supported yet");
}
