use std::sync::Arc;

use base::TupleId;
use txn::{Snapshot, Transaction};
use types::{Datum, DatumRef};

use super::*;
use crate::index::Direction;
use crate::testing::Cluster;
use crate::tuple::{Projection, Wanted};

pub(super) fn row(a: i32, b: &str) -> Vec<Datum> {
    vec![Datum::i32(a), Datum::text(b)]
}

/// What a snapshot sees, in order of place.
pub(super) fn rows(rel: &Arc<HeapRelation>, txn: &Transaction, snapshot: Snapshot) -> Vec<(i32, String)> {
    let projection = Projection::all(&rel.layout);
    let mut columns = projection.columns(&rel.layout);
    let mut scan = HeapScan::new(rel.clone(), txn, snapshot, projection, ScanOptions::default()).unwrap();
    while scan.next(txn, Direction::Forward, 7, &mut columns, None).unwrap() > 0 {}
    (0..columns[0].len())
        .map(|i| {
            let text = String::from_utf8_lossy(columns[1].get(i).as_bytes()).into_owned();
            (columns[0].get(i).word() as i32, text)
        })
        .collect()
}

fn find(rel: &Arc<HeapRelation>, txn: &Transaction, a: i32) -> TupleId {
    let projection = Projection::new(&rel.layout, &[Wanted::Attr(0)]);
    let mut columns = projection.columns(&rel.layout);
    let mut tids = Vec::new();
    let snapshot = txn.snapshot().unwrap();
    let mut scan = HeapScan::new(rel.clone(), txn, snapshot, projection, ScanOptions::default()).unwrap();
    while scan.next(txn, Direction::Forward, 100, &mut columns, Some(&mut tids)).unwrap() > 0 {}
    let i = (0..tids.len()).find(|&i| columns[0].get(i) == DatumRef::Word(a as u64)).expect("the row is there");
    tids[i]
}

#[test]
fn insert_and_scan() {
    let c = Cluster::new(1, 64);
    let p = c.session(1);
    let txn = c.begin(&p);
    let rel = Arc::new(c.table(&txn, 20000));
    for i in 0..500 {
        rel.insert(&txn, &row(i, &format!("row {i}")), InsertOptions::default(), None).unwrap();
    }
    assert_eq!(rows(&rel, &txn, txn.snapshot().unwrap()).len(), 0);
    txn.command_counter_increment().unwrap();
    assert_eq!(rows(&rel, &txn, txn.snapshot().unwrap()).len(), 500);
    let q = c.session(2);
    let other = c.begin(&q);
    assert_eq!(rows(&rel, &other, other.snapshot().unwrap()).len(), 0);
    txn.commit().unwrap();
    let seen = rows(&rel, &other, other.snapshot().unwrap());
    assert_eq!(seen.len(), 500);
    assert_eq!(seen[499], (499, "row 499".to_owned()));
    other.commit().unwrap();
}

#[test]
fn delete_update_rollback() {
    let c = Cluster::new(2, 64);
    let p = c.session(1);
    let txn = c.begin(&p);
    let rel = Arc::new(c.table(&txn, 20000));
    let mut tids = Vec::new();
    let many: Vec<_> = (0..300).map(|i| row(i, "x")).collect();
    let mut bulk = BulkInsert::new();
    rel.multi_insert(&txn, &many, InsertOptions::default(), Some(&mut bulk), &mut tids).unwrap();
    bulk.finish(&rel, &txn).unwrap();
    assert_eq!(tids.len(), 300);
    txn.commit().unwrap();

    let txn = c.begin(&p);
    let options = ModifyOptions::new(txn.command_id());
    assert_eq!(rel.delete(&txn, tids[3], options).unwrap(), Outcome::Ok);
    let u = rel.update(&txn, tids[250], &row(1250, "longer than before"), options).unwrap();
    assert_eq!((u.outcome, u.indexes, u.lock), (Outcome::Ok, UpdateIndexes::None, RowLock::NoKeyExclusive));
    // Our own command does not see its work; the next one does.
    assert!(matches!(rel.delete(&txn, tids[250], options).unwrap(), Outcome::SelfModified { .. }));
    txn.command_counter_increment().unwrap();
    let seen = rows(&rel, &txn, txn.snapshot().unwrap());
    assert_eq!(seen.len(), 299);
    assert!(seen.iter().any(|r| r.0 == 1250) && !seen.iter().any(|r| r.0 == 250 || r.0 == 3));
    // Through the index entry of the old version the new one is found.
    let mut fetcher = Fetcher::new(rel.clone(), Projection::all(&rel.layout));
    let mut columns = Projection::all(&rel.layout).columns(&rel.layout);
    let snapshot = txn.snapshot().unwrap();
    let found = fetcher.index_fetch(&txn, tids[250], Look::Mvcc(&snapshot), &mut columns).unwrap();
    assert_eq!(found.tid, Some(u.tid));
    assert_eq!(columns[0].get(0), DatumRef::Word(1250));
    assert_eq!(rel.latest_tid(&txn, tids[250], Look::Mvcc(&snapshot)).unwrap(), u.tid);
    drop(fetcher);
    drop(snapshot);
    txn.abort();

    let txn = c.begin(&p);
    let seen = rows(&rel, &txn, txn.snapshot().unwrap());
    assert_eq!(seen.len(), 300);
    assert!(seen.iter().all(|r| r.0 < 300));
    txn.commit().unwrap();
}

#[test]
fn updates_across_pages_and_pruning() {
    let c = Cluster::new(3, 64);
    let p = c.session(1);
    let txn = c.begin(&p);
    let rel = Arc::new(c.table(&txn, 20000));
    for i in 0..20 {
        rel.insert(&txn, &row(i, &"y".repeat(300)), InsertOptions::default(), None).unwrap();
    }
    txn.commit().unwrap();
    for round in 0..400 {
        let txn = c.begin(&p);
        let tid = find(&rel, &txn, round % 20);
        let new = row(round % 20, &format!("{round:0>320}"));
        let u = rel.update(&txn, tid, &new, ModifyOptions::new(txn.command_id())).unwrap();
        assert_eq!(u.outcome, Outcome::Ok);
        if round % 3 == 0 { txn.abort() } else { txn.commit().unwrap() }
    }
    let txn = c.begin(&p);
    assert_eq!(rows(&rel, &txn, txn.snapshot().unwrap()).len(), 20);
    // Dead versions made room for new ones.
    assert!(rel.nblocks(&txn).unwrap() <= 4, "{} pages", rel.nblocks(&txn).unwrap());
    txn.commit().unwrap();
}

#[test]
fn savepoints() {
    let c = Cluster::new(4, 64);
    let p = c.session(1);
    let txn = c.begin(&p);
    let rel = Arc::new(c.table(&txn, 20000));
    let insert = |txn: &Transaction, i| rel.insert(txn, &row(i, "s"), InsertOptions::default(), None).unwrap();
    let one = insert(&txn, 1);
    txn.begin_sub(Some("s")).unwrap();
    insert(&txn, 2);
    txn.command_counter_increment().unwrap();
    assert_eq!(rel.delete(&txn, one, ModifyOptions::new(txn.command_id())).unwrap(), Outcome::Ok);
    txn.command_counter_increment().unwrap();
    let seen = |txn: &Transaction| rows(&rel, txn, txn.snapshot().unwrap()).iter().map(|r| r.0).collect::<Vec<_>>();
    assert_eq!(seen(&txn), [2]);
    txn.rollback_to_savepoint("s").unwrap();
    assert_eq!(seen(&txn), [1]);
    insert(&txn, 3);
    txn.release_savepoint("s").unwrap();
    txn.command_counter_increment().unwrap();
    assert_eq!(seen(&txn), [1, 3]);
    txn.commit().unwrap();
    let txn = c.begin(&p);
    assert_eq!(seen(&txn), [1, 3]);
    txn.commit().unwrap();
}

/// Sessions add to the same counters; nothing is lost.
#[test]
fn concurrent_updates() {
    let c = Arc::new(Cluster::new(5, 128));
    let p = c.session(1);
    let txn = c.begin(&p);
    let rel = Arc::new(c.table(&txn, 20000));
    for i in 0..4 {
        rel.insert(&txn, &row(i, "0"), InsertOptions::default(), None).unwrap();
    }
    txn.commit().unwrap();
    const EACH: usize = 60;
    let threads: Vec<_> = (0..4)
        .map(|n| {
            let (c, rel) = (c.clone(), rel.clone());
            std::thread::spawn(move || {
                let p = c.session(10 + n);
                for k in 0..EACH {
                    let txn = c.begin(&p);
                    add_one(&rel, &txn, ((n as usize + k) % 4) as i32);
                    if k % 5 == 4 { txn.abort() } else { txn.commit().unwrap() }
                }
                c.manager.unregister(&p);
            })
        })
        .collect();
    threads.into_iter().for_each(|t| t.join().unwrap());
    let txn = c.begin(&p);
    let seen = rows(&rel, &txn, txn.snapshot().unwrap());
    assert_eq!(seen.len(), 4);
    let total: usize = seen.iter().map(|r| r.1.parse::<usize>().unwrap()).sum();
    assert_eq!(total, 4 * EACH * 4 / 5);
    txn.commit().unwrap();
}

/// As READ COMMITTED does: follow the row to its newest version.
fn add_one(rel: &Arc<HeapRelation>, txn: &Transaction, a: i32) {
    // A statement keeps its snapshot, and with it the versions it may come across.
    let _snapshot = txn.snapshot().unwrap();
    let mut tid = find(rel, txn, a);
    let mut fetcher = Fetcher::new(rel.clone(), Projection::all(&rel.layout));
    loop {
        let value = fetcher.fetch_with(txn, tid, Look::Any, |b| Ok(rel.layout.attr(b, 1)?.to_owned())).unwrap();
        let value = String::from_utf8_lossy(value.expect("there").as_ref().as_bytes()).parse::<usize>().unwrap();
        let new = row(a, &(value + 1).to_string());
        fetcher.release();
        let u = rel.update(txn, tid, &new, ModifyOptions::new(txn.command_id())).unwrap();
        match u.outcome {
            Outcome::Ok => return,
            Outcome::Updated { ctid, .. } => tid = ctid,
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn cursors_turn_round() {
    let c = Cluster::new(6, 64);
    let p = c.session(1);
    let txn = c.begin(&p);
    let rel = Arc::new(c.table(&txn, 20000));
    for i in 0..600 {
        rel.insert(&txn, &row(i, "some text here"), InsertOptions::default(), None).unwrap();
    }
    txn.command_counter_increment().unwrap();
    let projection = Projection::new(&rel.layout, &[Wanted::Attr(0)]);
    let snapshot = txn.snapshot().unwrap();
    let mut scan = HeapScan::new(rel.clone(), &txn, snapshot, projection.clone(), ScanOptions::default()).unwrap();
    let mut step = |direction, n| -> Vec<i32> {
        let mut columns = projection.columns(&rel.layout);
        scan.next(&txn, direction, n, &mut columns, None).unwrap();
        (0..columns[0].len()).map(|i| columns[0].get(i).word() as i32).collect()
    };
    assert_eq!(step(Direction::Forward, 3), [0, 1, 2]);
    assert_eq!(step(Direction::Backward, 2), [1, 0]);
    assert_eq!(step(Direction::Backward, 2), []);
    assert_eq!(step(Direction::Forward, 1000).len(), 600);
    assert_eq!(step(Direction::Forward, 1), []);
    assert_eq!(step(Direction::Backward, 700), (0..600).rev().collect::<Vec<_>>());
}

pub(super) fn vacuum_now(rel: &HeapRelation, txn: &Transaction, freeze: bool) -> vacuum::VacuumResult {
    let ages =
        vacuum::FreezeAges { freeze_min_age: if freeze { 0 } else { 50_000_000 }, ..vacuum::FreezeAges::default() };
    let (cutoffs, _) = vacuum::cutoffs(rel, txn, base::Xid::FIRST_NORMAL, base::MultiXactId::FIRST, ages);
    let mut options = vacuum::VacuumOptions {
        cutoffs,
        aggressive: freeze,
        no_skipping: false,
        index_cleanup: true,
        truncate: true,
        memory: 1 << 20,
        strategy: None,
        delay: &mut || Ok(()),
        old_pages: 0,
        old_tuples: -1.0,
    };
    vacuum::vacuum(rel, txn, &[], &mut options).unwrap()
}

#[test]
fn vacuum_cleans_freezes_truncates() {
    let c = Cluster::new(8, 64);
    let p = c.session(1);
    let txn = c.begin(&p);
    let rel = Arc::new(c.table(&txn, 20000));
    let many: Vec<_> = (0..2000).map(|i| row(i, "some text here")).collect();
    let mut tids = Vec::new();
    rel.multi_insert(&txn, &many, InsertOptions::default(), None, &mut tids).unwrap();
    txn.commit().unwrap();
    let txn = c.begin(&p);
    for (i, tid) in tids.iter().enumerate() {
        if i >= 1000 || i % 2 == 0 {
            assert_eq!(rel.delete(&txn, *tid, ModifyOptions::new(txn.command_id())).unwrap(), Outcome::Ok);
        }
    }
    txn.commit().unwrap();
    let txn = c.begin(&p);
    let r = vacuum_now(&rel, &txn, true);
    txn.commit().unwrap();
    assert_eq!((r.tuples_deleted, r.live_tuples as u64), (1500, 500));
    assert!(r.removed_pages > 0 && r.pages <= 8, "{r:?}");
    assert_eq!((r.all_visible, r.all_frozen), (r.pages, r.pages));
    let txn = c.begin(&p);
    assert_eq!(r.relfrozenxid, Some(c.manager.oldest_xmin(txn::HorizonKind::Data, crate::testing::DB)));
    let seen = rows(&rel, &txn, txn.snapshot().unwrap());
    assert_eq!(seen.len(), 500);
    let mut fetcher = Fetcher::new(rel.clone(), Projection::default());
    assert!(fetcher.is_all_visible(&txn, base::BlockNumber(0)).unwrap());
    // A change makes the page not all-visible again.
    let tid = find(&rel, &txn, 1);
    rel.update(&txn, tid, &row(1, "some other text"), ModifyOptions::new(txn.command_id())).unwrap();
    assert!(!fetcher.is_all_visible(&txn, tid.block).unwrap());
    txn.commit().unwrap();
    // The room is used again.
    let txn = c.begin(&p);
    let before = rel.nblocks(&txn).unwrap();
    for i in 0..400 {
        rel.insert(&txn, &row(5000 + i, "some text here"), InsertOptions::default(), None).unwrap();
    }
    assert_eq!(rel.nblocks(&txn).unwrap(), before);
    txn.commit().unwrap();
}

/// Entries of a new index point to the roots of chains.
#[test]
fn index_builds_see_roots() {
    let c = Cluster::new(10, 64);
    let p = c.session(1);
    let txn = c.begin(&p);
    let rel = Arc::new(c.table(&txn, 20000));
    let insert = |txn: &Transaction, i| rel.insert(txn, &row(i, "v"), InsertOptions::default(), None).unwrap();
    let (one, two, three) = (insert(&txn, 1), insert(&txn, 2), insert(&txn, 3));
    txn.commit().unwrap();
    let txn = c.begin(&p);
    rel.update(&txn, one, &row(1, "w"), ModifyOptions::new(txn.command_id())).unwrap();
    rel.delete(&txn, two, ModifyOptions::new(txn.command_id())).unwrap();
    txn.commit().unwrap();
    let scan = |txn: &Transaction| {
        let mut found = Vec::new();
        let r = rel
            .build_scan(txn, None, true, &mut |b, tid, alive| {
                found.push((rel.layout.attr(b, 0)?.word(), tid, alive));
                Ok(())
            })
            .unwrap();
        (found, r.live as u64, r.broken_hot_chain)
    };
    let txn = c.begin(&p);
    assert_eq!(scan(&txn), (vec![(3, three, true), (1, one, true)], 2, false));
    let _four = rel.update(&txn, three, &row(3, "x"), ModifyOptions::new(txn.command_id())).unwrap();
    assert_eq!(scan(&txn), (vec![(1, one, true), (3, three, true)], 2, true));
    txn.commit().unwrap();
}

/// Who locks which row beside whom: a row is held in one mode, asked for in another.
#[test]
fn row_locks_exclude_each_other() {
    use RowLock::{Exclusive, KeyShare, NoKeyExclusive, Share};
    let modes = [KeyShare, Share, NoKeyExclusive, Exclusive];
    // By the manual's table of conflicting row-level locks.
    let table = ["...X", "..XX", ".XXX", "XXXX"];
    let c = Cluster::new(11, 64);
    let (p, q, o) = (c.session(1), c.session(2), c.session(3));
    let txn = c.begin(&p);
    let rel = Arc::new(c.table(&txn, 20000));
    let tid = rel.insert(&txn, &row(1, "v"), InsertOptions::default(), None).unwrap();
    txn.commit().unwrap();
    for (held, line) in modes.into_iter().zip(table) {
        for (wanted, expected) in modes.into_iter().zip(line.chars()) {
            let (a, b, third) = (c.begin(&p), c.begin(&q), c.begin(&o));
            let lock = |t: &Transaction, mode, wait| rel.lock(t, tid, t.command_id(), mode, wait, false);
            assert_eq!(lock(&a, held, WaitPolicy::Block).unwrap(), Outcome::Ok);
            // Two lockers make a multixact, where they may.
            let shared = held <= Share;
            if shared {
                assert_eq!(lock(&third, held, WaitPolicy::Skip).unwrap(), Outcome::Ok);
            }
            let got = lock(&b, wanted, WaitPolicy::Skip).unwrap();
            let expected = if expected == 'X' { Outcome::WouldBlock } else { Outcome::Ok };
            assert_eq!(got, expected, "{held:?} then {wanted:?}");
            if expected == Outcome::WouldBlock {
                let e = lock(&b, wanted, WaitPolicy::Error).unwrap_err();
                assert_eq!(e.message(), "could not obtain lock on row in relation \"t\"");
            }
            // Our own locks never stand in our way.
            assert_eq!(lock(&a, held, WaitPolicy::Skip).unwrap(), Outcome::Ok);
            a.commit().unwrap();
            third.abort();
            b.commit().unwrap();
        }
    }
    // A foreign key's lock and an update of another column go together, and the new version keeps the lock.
    let (a, b) = (c.begin(&p), c.begin(&q));
    assert_eq!(rel.lock(&a, tid, a.command_id(), KeyShare, WaitPolicy::Block, false).unwrap(), Outcome::Ok);
    let u = rel.update(&b, tid, &row(1, "w"), ModifyOptions::new(b.command_id())).unwrap();
    assert_eq!((u.outcome, u.lock), (Outcome::Ok, NoKeyExclusive));
    b.commit().unwrap();
    let b = c.begin(&q);
    let locked = rel.lock(&b, u.tid, b.command_id(), Exclusive, WaitPolicy::Skip, false).unwrap();
    assert_eq!(locked, Outcome::WouldBlock);
    a.commit().unwrap();
    assert_eq!(rel.lock(&b, u.tid, b.command_id(), Exclusive, WaitPolicy::Skip, false).unwrap(), Outcome::Ok);
    b.commit().unwrap();
    // And the other way round: the update runs, the foreign key's lock follows to the new version.
    let (a, b) = (c.begin(&p), c.begin(&q));
    let v = rel.update(&a, u.tid, &row(1, "x"), ModifyOptions::new(a.command_id())).unwrap();
    assert_eq!(rel.lock(&b, u.tid, b.command_id(), KeyShare, WaitPolicy::Skip, true).unwrap(), Outcome::Ok);
    a.commit().unwrap();
    let a = c.begin(&p);
    let deleted = rel.delete(&a, v.tid, ModifyOptions { wait: false, ..ModifyOptions::new(a.command_id()) }).unwrap();
    assert!(matches!(deleted, Outcome::BeingModified { .. }), "{deleted:?}");
    b.commit().unwrap();
    assert_eq!(rel.delete(&a, v.tid, ModifyOptions::new(a.command_id())).unwrap(), Outcome::Ok);
    a.abort();
}
