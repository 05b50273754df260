//! Many sessions at once on a table with a unique index, vacuum among them: money moves between accounts, none is lost.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use base::{MultiXactId, Oid, RelFileLocator, TupleId, Xid};
use storage::Persistence;
use txn::{LockMode, LockTag, Proc, Transaction};
use types::{Align, Attribute, Comparator, Datum, TupleDesc};

use super::tests::rows;
use super::*;
use crate::index::{
    BuildSource, Direction, IndexAm, IndexBatch, IndexInsert, IndexScanOptions, KeyOrder, ScanKey, ScanStrategy,
    UniqueCheck,
};
use crate::nbtree::Nbtree;
use crate::testing::{Cluster, DB};
use crate::tuple::Projection;
use crate::tuple::tests::Rng;

const ACCOUNTS: u64 = 40;
const START: i64 = 1000;

struct Bank {
    cluster: Cluster,
    rel: Arc<HeapRelation>,
    index: Arc<IndexRelation>,
}

fn row(key: u64, balance: i64, r: &mut Rng) -> Vec<Datum> {
    // Of different lengths, so that versions go from page to page.
    let text = format!("{balance}{}", " ".repeat(r.below(200) as usize));
    vec![Datum::i32(key as i32), Datum::text(&text)]
}

impl Bank {
    fn new(seed: u64) -> Bank {
        let cluster = Cluster::new(seed, 64);
        let p = cluster.session(1);
        let txn = cluster.begin(&p);
        let mut rel = cluster.table(&txn, 20000);
        rel.indexed = AttrSet::from_iter([0]);
        rel.keys = rel.indexed.clone();
        let rel = Arc::new(rel);
        let locator = RelFileLocator { spc: Oid(1663), db: DB, rel: Oid(20001) };
        txn.create_storage(locator, Persistence::Permanent).unwrap();
        let key = Attribute::new("a", Oid(23), 4, true, Align::Int);
        let order = KeyOrder { compare: Comparator::Int4, descending: false, nulls_first: false, collation: Oid(0) };
        let am = Arc::new(Nbtree::new());
        let index = Arc::new(IndexRelation {
            oid: Oid(20001),
            name: "t_pkey".into(),
            locator,
            heap: rel.oid,
            layout: Arc::new(TupleLayout::new(&Arc::new(TupleDesc::new(vec![key])))),
            keys: vec![order],
            unique: true,
            nulls_not_distinct: false,
            persistence: Persistence::Permanent,
            is_catalog: false,
            is_shared: false,
            fillfactor: 0,
            deduplicate: true,
            start: crate::index::IndexStart::default(),
            am: am.clone(),
        });
        let nothing: &mut BuildSource<'_> = &mut |_| Ok(());
        am.build(&txn, &index, nothing, 1 << 20).unwrap();
        let bank = Bank { cluster, rel, index };
        let mut r = Rng(seed);
        for k in 0..ACCOUNTS {
            let row = row(k, START, &mut r);
            let tid = bank.rel.insert(&txn, &row, InsertOptions::default(), None).unwrap();
            bank.add_entry(&txn, &row, tid);
        }
        txn.commit().unwrap();
        bank
    }
    /// Starts a transaction with a lock on the table.
    fn begin(&self, proc: &Arc<Proc>, mode: LockMode) -> Transaction {
        let txn = self.cluster.begin(proc);
        let tag = LockTag::Relation { db: DB, rel: self.rel.oid };
        self.cluster.manager.locks().lock(proc, tag, mode).unwrap();
        txn
    }
    fn add_entry(&self, txn: &Transaction, row: &[Datum], tid: TupleId) {
        let am = &self.index.am;
        let got = am.insert(txn, &self.index, &self.rel, &row[..1], tid, UniqueCheck::Yes, false).unwrap();
        assert_eq!(got, IndexInsert::Inserted);
    }
    /// The version of an account that the snapshot sees, with its balance.
    fn look_up(&self, txn: &Transaction, look: Look<'_>, key: u64) -> (TupleId, i64) {
        let key = ScanKey::Compare {
            column: 0,
            strategy: ScanStrategy::Equal,
            value: Datum::i32(key as i32),
            compare: Comparator::Int4,
        };
        let options = IndexScanOptions::default();
        let mut scan = self.index.am.begin_scan(txn, &self.index, vec![key], options).unwrap();
        let mut fetcher = Fetcher::new(self.rel.clone(), Projection::default());
        let mut batch = IndexBatch::default();
        let mut found = Vec::new();
        loop {
            batch.clear();
            if !scan.next(txn, Direction::Forward, &mut batch).unwrap() {
                break;
            }
            let mut dead = Vec::new();
            for (i, &tid) in batch.tids.iter().enumerate() {
                let mut columns = Vec::new();
                let hit = fetcher
                    .index_fetch_with(txn, tid, look, |tid, b| Ok((tid, self.rel.layout.attr(b, 1)?.to_owned())))
                    .unwrap();
                match hit {
                    Some((tid, text)) => found.push((tid, balance(&text))),
                    None if fetcher.index_fetch(txn, tid, look, &mut columns).unwrap().all_dead => dead.push(i),
                    None => {}
                }
            }
            scan.kill(&dead);
        }
        assert_eq!(found.len(), 1, "one version of a row is seen");
        found[0]
    }
    /// Adds to an account as READ COMMITTED does, following it to its newest version.
    fn add(&self, txn: &Transaction, key: u64, amount: i64, r: &mut Rng) {
        let snapshot = txn.snapshot().unwrap();
        let (mut tid, mut old) = self.look_up(txn, Look::Mvcc(&snapshot), key);
        let mut fetcher = Fetcher::new(self.rel.clone(), Projection::default());
        loop {
            let row = row(key, old + amount, r);
            let u = self.rel.update(txn, tid, &row, ModifyOptions::new(txn.command_id())).unwrap();
            match u.outcome {
                Outcome::Ok => {
                    if u.indexes == UpdateIndexes::All {
                        self.add_entry(txn, &row, u.tid);
                    }
                    txn.command_counter_increment().unwrap();
                    return;
                }
                Outcome::Updated { ctid, .. } => {
                    tid = ctid;
                    let text = fetcher
                        .fetch_with(txn, tid, Look::Any, |b| Ok(self.rel.layout.attr(b, 1)?.to_owned()))
                        .unwrap();
                    old = balance(&text.expect("a newer version is there"));
                    fetcher.release();
                }
                other => panic!("{other:?}"),
            }
        }
    }
    fn work(&self, proc: &Arc<Proc>, r: &mut Rng) {
        for _ in 0..150 {
            let txn = self.begin(proc, LockMode::RowExclusive);
            let (a, b) = (r.below(ACCOUNTS), r.below(ACCOUNTS));
            if a != b {
                // In one order, so that nobody waits in a circle.
                let amount = r.below(20) as i64;
                let sub = r.below(4) == 0;
                self.add(&txn, a.min(b), amount, r);
                if sub {
                    txn.begin_sub(Some("s")).unwrap();
                    self.add(&txn, a.max(b), 555, r);
                    txn.rollback_to_savepoint("s").unwrap();
                    txn.release_savepoint("s").unwrap();
                }
                self.add(&txn, a.max(b), -amount, r);
            }
            if r.below(5) == 0 { txn.abort() } else { txn.commit().unwrap() }
        }
    }
    fn check(&self, proc: &Arc<Proc>) {
        let txn = self.begin(proc, LockMode::AccessShare);
        let seen = rows(&self.rel, &txn, txn.snapshot().unwrap());
        assert_eq!(seen.len() as u64, ACCOUNTS);
        let total: i64 = seen.iter().map(|r| r.1.trim().parse::<i64>().unwrap()).sum();
        assert_eq!(total, ACCOUNTS as i64 * START);
        txn.commit().unwrap();
    }
    fn vacuum(&self, proc: &Arc<Proc>, freeze: bool) {
        let txn = self.begin(proc, LockMode::ShareUpdateExclusive);
        let ages =
            vacuum::FreezeAges { freeze_min_age: if freeze { 0 } else { 50_000_000 }, ..vacuum::FreezeAges::default() };
        let (cutoffs, _) = vacuum::cutoffs(&self.rel, &txn, Xid::FIRST_NORMAL, MultiXactId::FIRST, ages);
        let mut options = vacuum::VacuumOptions {
            cutoffs,
            aggressive: false,
            no_skipping: false,
            index_cleanup: true,
            truncate: true,
            memory: 1 << 20,
            strategy: None,
            delay: &mut || Ok(()),
            old_pages: 0,
            old_tuples: -1.0,
        };
        vacuum::vacuum(&self.rel, &txn, std::slice::from_ref(&self.index), &mut options).unwrap();
        txn.commit().unwrap();
    }
}

fn balance(d: &Datum) -> i64 {
    String::from_utf8_lossy(d.as_ref().as_bytes()).trim().parse().unwrap()
}

#[test]
fn nothing_is_lost() {
    let bank = Bank::new(77);
    let stop = AtomicBool::new(false);
    std::thread::scope(|s| {
        let workers: Vec<_> = (0..3u64)
            .map(|n| {
                let bank = &bank;
                s.spawn(move || {
                    let p = bank.cluster.session(10 + n as i32);
                    bank.work(&p, &mut Rng(1000 + n));
                })
            })
            .collect();
        let others = [
            s.spawn(|| {
                let p = bank.cluster.session(20);
                while !stop.load(Ordering::Relaxed) {
                    bank.check(&p);
                }
            }),
            s.spawn(|| {
                let p = bank.cluster.session(21);
                let mut n = 0;
                while !stop.load(Ordering::Relaxed) {
                    n += 1;
                    bank.vacuum(&p, n % 2 == 0);
                }
            }),
        ];
        let results: Vec<_> = workers.into_iter().map(|w| w.join()).collect();
        stop.store(true, Ordering::Relaxed);
        others.into_iter().for_each(|o| o.join().unwrap());
        results.into_iter().for_each(|r| r.unwrap());
    });
    let p = bank.cluster.session(1);
    bank.check(&p);
    bank.vacuum(&p, true);
    // What the index finds is what the table holds, also after a crash.
    let Bank { cluster, rel, index } = bank;
    cluster.wal.flush(cluster.wal.insert_position()).unwrap();
    cluster.vfs.crash();
    let bank = Bank { cluster: Cluster::open(cluster.vfs.clone(), 64), rel, index };
    let p = bank.cluster.session(1);
    bank.check(&p);
    let txn = bank.cluster.begin(&p);
    let snapshot = txn.snapshot().unwrap();
    let total: i64 = (0..ACCOUNTS).map(|k| bank.look_up(&txn, Look::Mvcc(&snapshot), k).1).sum();
    assert_eq!(total, ACCOUNTS as i64 * START);
    drop(snapshot);
    txn.commit().unwrap();
}
