//! A small cluster for this crate's tests: simulated files, a log, a pool, transactions.

use std::sync::Arc;

use base::{Interrupt, Oid, RelFileLocator, SessionId};
use storage::{BufferPool, Persistence, SimVfs, Vfs};
use txn::startup::{self, StartupOptions};
use txn::{Proc, Transaction, TransactionManager, TransactionOptions};
use types::{Align, Attribute, TupleDesc};
use wal::Wal;
use wal::bootstrap::{NewCluster, initial_checkpoint};
use wal::control::Parameters;

use crate::heap::HeapRelation;
use crate::tuple::TupleLayout;

pub const DB: Oid = Oid(5);

pub struct Cluster {
    pub vfs: SimVfs,
    pub wal: Arc<Wal>,
    pub manager: Arc<TransactionManager>,
    pub lower: startup::Cluster,
}

impl Cluster {
    pub fn new(seed: u64, buffers: usize) -> Cluster {
        let vfs = SimVfs::new(seed);
        let new = NewCluster {
            system_identifier: 4711,
            nonce: [1; 32],
            segment_size: 1 << 20,
            checksums: true,
            parameters: Parameters::default(),
            checkpoint: initial_checkpoint(Oid(16384)),
        };
        startup::create(&vfs, &new).unwrap();
        vfs.create_dir_all("base/5").unwrap();
        vfs.sync_dir("base").unwrap();
        Cluster::open(vfs, buffers)
    }

    /// Opens what is there, with recovery if needed.
    pub fn open(vfs: SimVfs, buffers: usize) -> Cluster {
        let options = StartupOptions { buffers, ..StartupOptions::default() };
        let register = |table: &mut wal::RmgrTable, _: &Arc<TransactionManager>| crate::register_redo(table);
        let lower = startup::open(Arc::new(vfs.clone()), options, &register, &|_| ()).unwrap();
        Cluster { vfs, wal: lower.wal.clone(), manager: lower.manager.clone(), lower }
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
