//! A small cluster for this crate's tests: simulated files, a log, a pool, transactions.

use std::sync::Arc;

use base::{ForkNumber, Interrupt, Oid, RelFileLocator, SessionId, TimelineId};
use storage::{BufferPool, Persistence, PoolOptions, SimVfs, Smgr, Vfs};
use txn::{ManagerOptions, Proc, Transaction, TransactionManager, TransactionOptions};
use types::{Align, Attribute, TupleDesc};
use wal::bootstrap::{NewCluster, create, initial_checkpoint};
use wal::control::{Control, Parameters};
use wal::insert::LogEnd;
use wal::reader::{Next, Reader};
use wal::{Wal, WalOptions};

use crate::heap::HeapRelation;
use crate::tuple::TupleLayout;

pub const DB: Oid = Oid(5);

pub struct Cluster {
    pub vfs: SimVfs,
    pub wal: Arc<Wal>,
    pub manager: Arc<TransactionManager>,
}

impl Cluster {
    pub fn new(seed: u64, buffers: usize) -> Cluster {
        let vfs = SimVfs::new(seed);
        for dir in
            ["global", "pg_wal", "pg_xact", "pg_subtrans", "pg_multixact/members", "pg_multixact/offsets", "base/5"]
        {
            vfs.create_dir_all(dir).unwrap();
        }
        let new = NewCluster {
            system_identifier: 4711,
            nonce: [1; 32],
            segment_size: 16 << 20,
            checksums: true,
            parameters: Parameters::default(),
            checkpoint: initial_checkpoint(Oid(16384)),
        };
        create(&vfs, &new).unwrap();
        Cluster::open(vfs, buffers)
    }

    fn open(vfs: SimVfs, buffers: usize) -> Cluster {
        let shared: Arc<dyn Vfs> = Arc::new(vfs.clone());
        let control = Arc::new(Control::open(shared.clone()).unwrap());
        let wal = Wal::new(shared.clone(), control.clone(), WalOptions::default());
        let mut reader = Reader::new(shared.clone(), wal.segments(), TimelineId(1), 4711);
        reader.seek(control.get().checkpoint);
        let mut prev = control.get().checkpoint;
        while let Next::Record(r) = reader.next().unwrap() {
            prev = r.lsn;
        }
        let end = LogEnd { tli: TimelineId(1), end: reader.position(), prev, aborted_contrecord: None };
        wal.start_inserting(end).unwrap();
        let smgr = Arc::new(Smgr::new(shared));
        let pool = BufferPool::new(PoolOptions { buffers, checksums: true }, smgr);
        pool.set_hooks(wal.clone(), wal.clone());
        let manager = TransactionManager::new(wal.clone(), pool, ManagerOptions::default());
        Cluster { vfs, wal, manager }
    }

    pub fn pool(&self) -> &Arc<BufferPool> {
        self.manager.pool()
    }
    pub fn session(&self, id: i32) -> Arc<Proc> {
        self.manager.register(SessionId(id), DB, Interrupt::new()).unwrap()
    }
    pub fn begin(&self, proc: &Arc<Proc>) -> Transaction {
        Transaction::begin(&self.manager, proc, TransactionOptions::default()).unwrap()
    }
    /// A table `(a int4, b text)` with its files.
    pub fn table(&self, txn: &Transaction, rel: u32) -> HeapRelation {
        let locator = RelFileLocator { spc: Oid(1663), db: DB, rel: Oid(rel) };
        txn.create_storage(locator, Persistence::Permanent).unwrap();
        HeapRelation::new(Oid(rel), "t", locator, layout_ab())
    }
}

pub fn layout_ab() -> Arc<TupleLayout> {
    let a = Attribute::new("a", Oid(23), 4, true, Align::Int);
    let b = Attribute::new("b", Oid(25), -1, false, Align::Int);
    Arc::new(TupleLayout::new(&Arc::new(TupleDesc::new(vec![a, b]))))
}

/// A page of a relation as it is in the pool.
pub fn page_of(c: &Cluster, rel: &HeapRelation, fork: ForkNumber, block: u32) -> Box<storage::Page> {
    let tag = storage::BufferTag::new(rel.locator, fork, base::BlockNumber(block));
    c.pool().pin(tag, storage::ReadMode::Normal, None).unwrap().shared().to_boxed()
}
