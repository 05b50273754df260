use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use base::{Oid, Xid};
use storage::{RealVfs, critical};

use super::*;
use crate::bootstrap::{NewCluster, create, initial_checkpoint};
use crate::control::Parameters;
use crate::reader::{Next, Reader};

fn cluster(vfs: &Arc<dyn Vfs>, segment_size: u32) -> Arc<Wal> {
    for dir in ["global", "pg_wal"] {
        vfs.create_dir_all(dir).unwrap();
    }
    let new = NewCluster {
        system_identifier: 4711,
        nonce: [1; 32],
        segment_size,
        checksums: true,
        parameters: Parameters::default(),
        checkpoint: initial_checkpoint(Oid(16384)),
    };
    create(&**vfs, &new).unwrap();
    open(vfs)
}

fn open(vfs: &Arc<dyn Vfs>) -> Arc<Wal> {
    let control = Arc::new(Control::open(Arc::clone(vfs)).unwrap());
    let wal = Wal::new(Arc::clone(vfs), Arc::clone(&control), WalOptions { buffers: 16, ..WalOptions::default() });
    let (records, end) = read_all(&wal, control.get().checkpoint);
    let last = records.last().unwrap();
    assert_eq!(end, last.end);
    wal.start_inserting(LogEnd { tli: TimelineId(1), end, prev: last.lsn, aborted_contrecord: None }).unwrap();
    wal
}

fn read_all(wal: &Wal, from: Lsn) -> (Vec<crate::Record>, Lsn) {
    let mut reader = Reader::new(Arc::clone(wal.vfs()), wal.segments(), TimelineId(1), 4711);
    reader.seek(from);
    let mut records = Vec::new();
    loop {
        match reader.next().unwrap() {
            Next::Record(record) => records.push(*record),
            Next::End(_) => return (records, reader.position()),
        }
    }
}

struct TempDir(std::path::PathBuf);
impl Drop for TempDir {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
fn temp(name: &str) -> (TempDir, Arc<dyn Vfs>) {
    let path = std::env::temp_dir().join(format!("tusk-wal-{name}-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&path);
    std::fs::create_dir_all(&path).unwrap();
    (TempDir(path.clone()), Arc::new(RealVfs::new(&path)))
}

fn message(n: u64, len: usize) -> Vec<u8> {
    let mut bytes = n.to_le_bytes().to_vec();
    bytes.resize(len.max(8), n as u8);
    bytes
}

/// Many threads insert and flush; every record is there once, whole, in the order of its position.
#[test]
fn threads_insert_in_parallel() {
    let (_dir, vfs) = temp("parallel");
    let wal = cluster(&vfs, 1 << 20);
    let from = wal.control().get().checkpoint;
    let (threads, each) = (6, 400);
    let counter = AtomicU64::new(0);
    let mut ends: Vec<(u64, Inserted)> = std::thread::scope(|scope| {
        let run = || {
            let mut mine = Vec::new();
            for i in 0..each {
                let n = counter.fetch_add(1, Ordering::Relaxed);
                // Some records are longer than the whole ring (16 pages).
                let len = match n % 50 {
                    0 => 200_000,
                    1..5 => 20_000,
                    _ => (n * 37 % 300) as usize,
                };
                let body = message(n, len);
                let record = RecordBuilder::new(RmgrId::XLOG, xlog::NOOP).xid(Xid(n as u32)).main_data(&body);
                let placed = critical(|section| wal.insert_at(section, record));
                if i % 7 == 0 {
                    wal.flush(placed.end).unwrap();
                    assert!(wal.flush_position() >= placed.end);
                }
                mine.push((n, placed));
            }
            mine
        };
        let handles: Vec<_> = (0..threads).map(|_| scope.spawn(run)).collect();
        handles.into_iter().flat_map(|h| h.join().unwrap()).collect()
    });
    wal.flush(wal.insert_position()).unwrap();
    ends.sort_by_key(|(_, placed)| placed.start);
    let (records, end) = read_all(&wal, from);
    assert_eq!(records.len(), 1 + threads * each);
    assert_eq!(end, wal.insert_position());
    for (record, (n, placed)) in records[1..].iter().zip(&ends) {
        assert_eq!((record.lsn, record.end), (placed.start, placed.end));
        assert_eq!(record.main[..8], n.to_le_bytes());
        assert!(record.main[8..].iter().all(|b| *b == *n as u8));
    }
    // The log is taken up again where it ended.
    drop(wal);
    let wal = open(&vfs);
    assert_eq!(wal.insert_position(), end);
    let record = RecordBuilder::new(RmgrId::XLOG, xlog::NOOP).main_data(b"again");
    let last = critical(|section| wal.insert(section, record));
    wal.flush(last).unwrap();
    assert_eq!(read_all(&wal, from).1, last);
}

#[test]
fn switch_begins_a_new_segment() {
    let (_dir, vfs) = temp("switch");
    let wal = cluster(&vfs, 1 << 20);
    let first = wal.insert_position();
    let end = wal.switch_segment().unwrap();
    assert_eq!(end, Lsn(first.0 + 24));
    assert_eq!(wal.insert_position(), Lsn(2 << 20));
    // Nothing was written since: no second switch.
    assert_eq!(wal.switch_segment().unwrap(), Lsn(2 << 20));
    let record = RecordBuilder::new(RmgrId::XLOG, xlog::NOOP).main_data(b"x");
    let placed = critical(|section| wal.insert_at(section, record));
    wal.flush(placed.end).unwrap();
    assert_eq!(placed.start, Lsn((2 << 20) + 40));
    let (records, _) = read_all(&wal, wal.control().get().checkpoint);
    assert_eq!(records.len(), 3);
    assert_eq!(records[1].end, Lsn(2 << 20));
}

/// All positions at which a record can end relative to a page's end.
#[test]
fn records_of_every_length() {
    let (_dir, vfs) = temp("lengths");
    let wal = cluster(&vfs, 1 << 20);
    for len in 1..2200 {
        let record = RecordBuilder::new(RmgrId::XLOG, xlog::NOOP).main_data(&message(len as u64, len));
        critical(|section| wal.insert(section, record));
    }
    wal.flush(wal.insert_position()).unwrap();
    let (records, end) = read_all(&wal, wal.control().get().checkpoint);
    assert_eq!(records.len(), 2200);
    assert_eq!(end, wal.insert_position());
}
