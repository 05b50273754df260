//! Crashes: what redo makes of the log is what was there, and what was acknowledged survives.

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use base::{BlockNumber, ForkNumber, TupleId};
use storage::{BufferTag, Page, ReadMode};
use txn::Transaction;
use types::Datum;

use super::tests::{row, rows, vacuum_now};
use super::*;
use crate::testing::Cluster;
use crate::tuple::tests::Rng;

type Model = BTreeMap<i32, String>;

fn text(r: &mut Rng) -> String {
    let n = if r.below(20) == 0 { r.below(1500) } else { r.below(120) } as usize;
    char::from(b'a' + r.below(26) as u8).to_string().repeat(n)
}

/// One transaction of random changes. `places` tells where the rows are; both change only if it commits.
fn change(
    rel: &HeapRelation,
    txn: &Transaction,
    r: &mut Rng,
    model: &mut Model,
    places: &mut BTreeMap<i32, TupleId>,
) -> base::Result<()> {
    for _ in 0..r.below(12) + 1 {
        txn.command_counter_increment()?;
        let key = r.below(300) as i32;
        let options = ModifyOptions::new(txn.command_id());
        match (places.get(&key).copied(), r.below(10)) {
            (Some(tid), 0..=2) => {
                assert_eq!(rel.delete(txn, tid, options)?, Outcome::Ok);
                model.remove(&key);
                places.remove(&key);
            }
            (Some(tid), 3) => {
                let mode = if r.below(2) == 0 { RowLock::Share } else { RowLock::Exclusive };
                rel.lock(txn, tid, options.cid, mode, WaitPolicy::Block, false)?;
            }
            (Some(tid), _) => {
                let new = text(r);
                let u = rel.update(txn, tid, &row(key, &new), options)?;
                assert_eq!(u.outcome, Outcome::Ok);
                model.insert(key, new);
                places.insert(key, u.tid);
            }
            (None, 0) => {
                let keys: Vec<i32> = (300..310).map(|n| n + 100 * key).filter(|k| !model.contains_key(k)).collect();
                let new: Vec<Vec<Datum>> = keys.iter().map(|k| row(*k, "bulk")).collect();
                let mut tids = Vec::new();
                rel.multi_insert(txn, &new, InsertOptions::default(), None, &mut tids)?;
                for (k, tid) in keys.iter().zip(tids) {
                    model.insert(*k, "bulk".to_owned());
                    places.insert(*k, tid);
                }
            }
            (None, n) => {
                let new = text(r);
                let token = if n == 1 { 9 } else { 0 };
                let options = InsertOptions { speculative_token: token, ..InsertOptions::default() };
                let tid = rel.insert(txn, &row(key, &new), options, None)?;
                if token != 0 {
                    let keep = r.below(2) == 0;
                    rel.finish_speculative(txn, tid, keep)?;
                    if !keep {
                        continue;
                    }
                }
                model.insert(key, new);
                places.insert(key, tid);
            }
        }
    }
    Ok(())
}

/// All pages of a fork, masked.
fn pages(c: &Cluster, rel: &HeapRelation, fork: ForkNumber) -> Vec<Box<Page>> {
    let pool = c.pool();
    if !pool.smgr().exists(rel.locator, fork).unwrap() {
        return Vec::new();
    }
    let n = pool.nblocks(rel.locator, fork).unwrap();
    (0..n)
        .map(|b| {
            let tag = BufferTag::new(rel.locator, fork, BlockNumber(b));
            let mut page = pool.pin(tag, ReadMode::Normal, None).unwrap().shared().to_boxed();
            match fork {
                ForkNumber::Main => redo::mask(&mut page, BlockNumber(b)),
                _ => page.bytes_mut()[..10].fill(0),
            }
            page
        })
        .collect()
}

#[test]
fn redo_makes_the_same_pages() {
    for seed in 1..6 {
        let c = Cluster::new(seed, 512);
        let p = c.session(1);
        let mut r = Rng(seed * 7919);
        let txn = c.begin(&p);
        let rel = Arc::new(c.table(&txn, 20000));
        txn.commit().unwrap();
        let (mut model, mut places) = (Model::new(), BTreeMap::new());
        for n in 0..200 {
            let txn = c.begin(&p);
            let (mut m, mut at) = (model.clone(), places.clone());
            change(&rel, &txn, &mut r, &mut m, &mut at).unwrap();
            if r.below(4) == 0 {
                txn.abort();
            } else {
                txn.commit().unwrap();
                (model, places) = (m, at);
            }
            if n % 40 == 30 {
                let txn = c.begin(&p);
                vacuum_now(&rel, &txn, n % 80 == 30);
                txn.commit().unwrap();
            }
        }
        c.wal.flush(c.wal.insert_position()).unwrap();
        let before: Vec<_> = [ForkNumber::Main, ForkNumber::Vm].iter().map(|f| pages(&c, &rel, *f)).collect();
        c.vfs.crash();
        let c = Cluster::open(c.vfs.clone(), 512);
        assert!(c.lower.recovery.redo.is_some() && before[0].len() > 3 && before[1].len() == 1);
        for (fork, before) in [ForkNumber::Main, ForkNumber::Vm].into_iter().zip(before) {
            let after = pages(&c, &rel, fork);
            assert_eq!(before.len(), after.len(), "seed {seed} {fork:?}");
            for (n, (a, b)) in before.iter().zip(&after).enumerate() {
                if a.bytes() != b.bytes() {
                    let at = (0..8192).find(|&i| a.bytes()[i] != b.bytes()[i]).unwrap();
                    panic!(
                        "seed {seed}: {fork:?} page {n} differs at {at}\n{}\n{}",
                        storage::page::dump(a),
                        storage::page::dump(b)
                    );
                }
            }
        }
        let p = c.session(1);
        let txn = c.begin(&p);
        let seen: Model = rows(&rel, &txn, txn.snapshot().unwrap()).into_iter().collect();
        assert_eq!(seen, model, "seed {seed}");
        txn.commit().unwrap();
    }
}

#[test]
fn acknowledged_changes_survive() {
    for seed in 1..12 {
        let mut c = Cluster::new(seed, 24);
        let mut r = Rng(seed * 104_729);
        let p = c.session(1);
        let txn = c.begin(&p);
        let rel = Arc::new(c.table(&txn, 20000));
        txn.commit().unwrap();
        let mut model = Model::new();
        for round in 0..4 {
            let p = c.session(1);
            let mut places = find_all(&rel, &c, &p);
            c.vfs.kill_after(r.below(600) + 5);
            // Whatever fails first ends the round; the transaction under way may or may not be there.
            let mut in_doubt = model.clone();
            let result = std::panic::catch_unwind(AssertUnwindSafe(|| -> base::Result<()> {
                for n in 0..200 {
                    let txn = Transaction::begin(&c.manager, &p, txn::TransactionOptions::default())?;
                    let mut at = places.clone();
                    in_doubt = model.clone();
                    change(&rel, &txn, &mut r, &mut in_doubt, &mut at)?;
                    txn.commit()?;
                    model = in_doubt.clone();
                    places = at;
                    if n % 20 == 10 {
                        use txn::checkpoint::{Pace, run};
                        run(&c.manager, ::wal::checkpoint::Kind::Online, Pace::Fast, true)?;
                    }
                }
                Ok(())
            }));
            assert!(matches!(result, Ok(Err(_))), "seed {seed}, round {round}");
            c.vfs.crash();
            c = Cluster::open(c.vfs.clone(), 24);
            let p = c.session(1);
            let txn = c.begin(&p);
            let seen: Model = rows(&rel, &txn, txn.snapshot().unwrap()).into_iter().collect();
            assert!(seen == model || seen == in_doubt, "seed {seed}, round {round}");
            model = seen;
            txn.commit().unwrap();
        }
    }
}

fn find_all(rel: &Arc<HeapRelation>, c: &Cluster, p: &Arc<txn::Proc>) -> BTreeMap<i32, TupleId> {
    use crate::tuple::{Projection, Wanted};
    let txn = c.begin(p);
    let projection = Projection::new(&rel.layout, &[Wanted::Attr(0)]);
    let mut columns = projection.columns(&rel.layout);
    let mut tids = Vec::new();
    let snapshot = txn.snapshot().unwrap();
    let mut scan = HeapScan::new(rel.clone(), &txn, snapshot, projection, ScanOptions::default()).unwrap();
    let forward = crate::index::Direction::Forward;
    while scan.next(&txn, forward, 100, &mut columns, Some(&mut tids)).unwrap() > 0 {}
    drop(scan);
    txn.commit().unwrap();
    (0..tids.len()).map(|i| (columns[0].get(i).word() as i32, tids[i])).collect()
}
