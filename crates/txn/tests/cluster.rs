//! Transactions on a cluster in memory, with crashes.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use base::{ForkNumber, Interrupt, Oid, RelFileLocator, SessionId, Xid};
use storage::{Persistence, SimVfs, Vfs};
use txn::manager::Fate;
use txn::startup::{Cluster, StartupOptions, create, open, shutdown};
use txn::{
    HorizonKind, IsolationLevel, MultiXactMember, MultiXactStatus, Proc, SyncCommit, Transaction, TransactionOptions,
    checkpoint,
};
use wal::bootstrap::{NewCluster, initial_checkpoint};
use wal::control::{DbState, Parameters};

const DB: Oid = Oid(5);

fn new_cluster(seed: u64) -> (SimVfs, Cluster) {
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
    vfs.create_dir_all("base/5").unwrap();
    vfs.sync_dir("base").unwrap();
    let cluster = start(&vfs);
    (vfs, cluster)
}

fn start(vfs: &SimVfs) -> Cluster {
    let options = StartupOptions { buffers: 64, ..StartupOptions::default() };
    open(Arc::new(vfs.clone()), options, &|_, _| (), &|_| ()).unwrap()
}

fn session(c: &Cluster, id: i32) -> Arc<Proc> {
    c.manager.register(SessionId(id), DB, Interrupt::new()).unwrap()
}
fn begin(c: &Cluster, proc: &Arc<Proc>) -> Transaction {
    Transaction::begin(&c.manager, proc, TransactionOptions::default()).unwrap()
}

#[test]
fn a_snapshot_sees_what_was_committed_before_it() {
    let (_vfs, c) = new_cluster(1);
    let (p, q) = (session(&c, 1), session(&c, 2));
    let (a, b) = (begin(&c, &p), begin(&c, &q));
    assert_eq!(a.xid_if_assigned(), None);
    let xid = a.xid().unwrap();
    assert_eq!(xid, Xid::FIRST_NORMAL);
    let before = b.snapshot().unwrap();
    assert!(before.in_progress(xid) && !before.is_own(xid) && a.is_current(xid));
    assert_eq!(c.manager.fate(xid).unwrap(), Fate::InProgress);
    assert_eq!(c.manager.oldest_xmin(HorizonKind::Data, DB), xid);
    a.commit().unwrap();
    assert_eq!(c.manager.fate(xid).unwrap(), Fate::Committed);
    assert!(c.manager.may_hint_committed(xid));
    assert!(before.in_progress(xid));
    let after = b.snapshot().unwrap();
    assert!(!after.in_progress(xid));
    // The old snapshot holds the horizon back, its end lets it go.
    let horizon = c.manager.visibility_horizon(HorizonKind::Data, DB);
    assert!(!horizon.is_removable(xid));
    drop((before, after));
    b.abort();
    begin(&c, &p).xid().unwrap();
    assert!(horizon.is_removable(xid));
}

#[test]
fn repeatable_read_keeps_its_snapshot() {
    let (_vfs, c) = new_cluster(2);
    let (p, q) = (session(&c, 1), session(&c, 2));
    let options = TransactionOptions { isolation: IsolationLevel::RepeatableRead, ..TransactionOptions::default() };
    let reader = Transaction::begin(&c.manager, &p, options).unwrap();
    reader.snapshot().unwrap();
    let writer = begin(&c, &q);
    let xid = writer.xid().unwrap();
    writer.commit().unwrap();
    assert!(reader.snapshot().unwrap().in_progress(xid));
    assert!(!reader.latest_snapshot().unwrap().in_progress(xid));
}

/// Two that read what the other writes: the one that commits second fails.
#[test]
fn serializable_write_skew() {
    use txn::ssi::Target;
    let (_vfs, c) = new_cluster(12);
    let (p, q) = (session(&c, 1), session(&c, 2));
    let options = TransactionOptions { isolation: IsolationLevel::Serializable, ..TransactionOptions::default() };
    let begin = |p| {
        let txn = Transaction::begin(&c.manager, p, options).unwrap();
        txn.snapshot().unwrap();
        txn
    };
    let rel = Oid(20000);
    let tid = |n| base::TupleId::new(base::BlockNumber(n), 1);
    let read = |txn: &Transaction, n| txn.watched().unwrap().lock(Target::row(DB, rel, tid(n)));
    let write = |txn: &Transaction, n| {
        txn.xid().unwrap();
        txn.watched().unwrap().conflict_in(DB, rel, Some(tid(n)), Some(base::BlockNumber(n)))
    };
    let (a, b) = (begin(&p), begin(&q));
    read(&a, 1);
    read(&b, 2);
    write(&a, 2).unwrap();
    write(&b, 1).unwrap();
    a.commit().unwrap();
    assert_eq!(b.commit().unwrap_err().sqlstate(), base::sqlstate::T_R_SERIALIZATION_FAILURE);
    // What they have read does not matter to the next ones, and nothing is left of it.
    let (a, b) = (begin(&p), begin(&q));
    write(&a, 1).unwrap();
    write(&b, 2).unwrap();
    a.commit().unwrap();
    b.commit().unwrap();
    assert!(c.manager.ssi().all_locks().is_empty());
    // Rows of one page become the page, pages of one relation the relation.
    let a = begin(&p);
    begin(&q).xid().unwrap();
    (1..=4).for_each(|n| a.watched().unwrap().lock(Target::row(DB, rel, base::TupleId::new(base::BlockNumber(7), n))));
    assert_eq!(c.manager.ssi().all_locks().len(), 1);
    (100..200).for_each(|n| read(&a, n));
    assert_eq!(c.manager.ssi().all_locks()[0].target, Target::relation(DB, rel));
}

#[test]
fn savepoints() {
    let (_vfs, c) = new_cluster(3);
    let (p, q) = (session(&c, 1), session(&c, 2));
    let t = begin(&c, &p);
    t.begin_sub(None).unwrap();
    t.xid().unwrap();
    t.rollback_sub().unwrap();
    t.begin_sub(Some("a")).unwrap();
    let kept = t.xid().unwrap();
    let top = t.top_xid().unwrap();
    assert!(top.precedes(kept));
    t.release_savepoint("a").unwrap();
    t.begin_sub(Some("b")).unwrap();
    t.begin_sub(Some("c")).unwrap();
    let undone = t.xid().unwrap();
    assert!(t.is_current(undone) && t.is_current(kept));
    assert_eq!(c.manager.top_of(undone), top);
    t.rollback_to_savepoint("b").unwrap();
    assert_eq!(t.nest_level(), 2);
    assert!(!t.is_current(undone) && t.is_current(kept) && t.is_current(top));
    assert_eq!(c.manager.fate(undone).unwrap(), Fate::Aborted);
    // The top level's id was assigned within a subtransaction; it stays locked when that is undone.
    assert!(!c.manager.wait_for_xid_if(&q, top, txn::lock::Wait::No).unwrap());
    // Who waits for a subtransaction that was rolled back need not wait for the rest.
    c.manager.wait_for_xid(&q, undone).unwrap();
    assert_eq!(t.release_savepoint("c").unwrap_err().message(), "savepoint \"c\" does not exist");
    let many: Vec<Xid> = (0..200)
        .map(|_| {
            t.begin_sub(None).unwrap();
            t.xid().unwrap()
        })
        .collect();
    let other = begin(&c, &q).snapshot().unwrap();
    assert!(many.iter().all(|x| other.in_progress(*x) && t.is_current(*x)));
    t.commit().unwrap();
    for xid in many.iter().chain([&top, &kept]) {
        assert_eq!(c.manager.fate(*xid).unwrap(), Fate::Committed, "{xid}");
    }
    assert_eq!(c.manager.fate(undone).unwrap(), Fate::Aborted);
}

#[test]
fn command_ids_and_combo_ids() {
    let (_vfs, c) = new_cluster(4);
    let p = session(&c, 1);
    let t = begin(&c, &p);
    t.command_counter_increment().unwrap();
    assert_eq!(t.command_id_for_reading().0, 0);
    let first = t.command_id();
    t.command_counter_increment().unwrap();
    let second = t.command_id();
    assert_eq!((first.0, second.0), (0, 1));
    let combo = t.own().combo_cid(first, second).unwrap();
    assert_eq!(t.own().combo_cid(first, second).unwrap(), combo);
    assert_eq!(t.own().combo_parts(combo), Some((first, second)));
}

#[test]
fn files_follow_the_outcome() {
    let (_vfs, c) = new_cluster(5);
    let p = session(&c, 1);
    let rel = |n| RelFileLocator { spc: Oid(1663), db: DB, rel: Oid(n) };
    let smgr = c.pool.smgr();
    let t = begin(&c, &p);
    t.create_storage(rel(20000), Persistence::Permanent).unwrap();
    t.begin_sub(None).unwrap();
    t.create_storage(rel(20001), Persistence::Permanent).unwrap();
    t.rollback_sub().unwrap();
    assert!(smgr.exists(rel(20000), ForkNumber::Main).unwrap());
    t.commit().unwrap();
    let t = begin(&c, &p);
    t.drop_storage(rel(20000));
    t.abort();
    assert_eq!(smgr.nblocks(rel(20000), ForkNumber::Main).unwrap(), 0);
    let t = begin(&c, &p);
    t.xid().unwrap();
    t.drop_storage(rel(20000));
    t.commit().unwrap();
    checkpoint::run(&c.manager, wal::checkpoint::Kind::Online, checkpoint::Pace::Fast, true).unwrap();
    for n in [20000, 20001] {
        assert!(!c.vfs.exists(&format!("base/5/{n}")), "{n}");
    }
}

#[test]
fn multixacts_keep_their_members() {
    let (vfs, c) = new_cluster(6);
    let (p, q) = (session(&c, 1), session(&c, 2));
    let (a, b) = (begin(&c, &p), begin(&c, &q));
    let m = c.manager.multixacts();
    let member = |t: &Transaction, status| MultiXactMember { xid: t.xid().unwrap(), status };
    m.set_oldest_member(&a);
    let share = [member(&a, MultiXactStatus::ForShare), member(&b, MultiXactStatus::ForKeyShare)];
    let mut sets = Vec::new();
    for _ in 0..3000 {
        sets.push(m.create(&a, &share).unwrap());
    }
    assert_eq!(m.oldest_needed(), sets[0]);
    let more = m.expand(&a, sets[7], member(&a, MultiXactStatus::NoKeyUpdate)).unwrap();
    assert_eq!(m.members(more, false).unwrap().len(), 3);
    assert!(m.is_running(&a, more, false).unwrap());
    a.commit().unwrap();
    b.commit().unwrap();
    vfs.crash();
    let c = start(&vfs);
    let m = c.manager.multixacts();
    for set in sets {
        assert_eq!(m.members(set, true).unwrap(), share);
    }
    assert!(m.members(m.next(), true).is_err());
    assert!(m.next().0 > more.0);
}

/// A commit that was acknowledged is there after the crash; one that was not may or may not be; what aborted is not.
#[test]
fn acknowledged_commits_survive_crashes() {
    for seed in 0..30 {
        let (vfs, mut c) = new_cluster(seed);
        // An id that was lost in a crash may be assigned again.
        let mut expected: BTreeMap<u32, Option<bool>> = BTreeMap::new();
        for round in 0..4u64 {
            let p = session(&c, 1);
            vfs.kill_after(200 + (seed * 37 + round * 101) % 900);
            for i in 0..200 {
                let t = begin(&c, &p);
                let Ok(xid) = t.xid() else { break };
                expected.insert(xid.0, None);
                if i % 5 == 0 {
                    t.begin_sub(None).unwrap();
                    if let Ok(sub) = t.xid() {
                        expected.insert(sub.0, None);
                    }
                }
                if i % 7 == 0 {
                    t.abort();
                    expected.insert(xid.0, Some(false));
                    continue;
                }
                let asynchronous = i % 11 == 0;
                if asynchronous {
                    t.set_sync_commit(SyncCommit::Off);
                }
                match t.commit() {
                    Ok(()) if !asynchronous => _ = expected.insert(xid.0, Some(true)),
                    Ok(()) => {}
                    Err(_) => break,
                }
                if i % 50 == 49 {
                    let kind = wal::checkpoint::Kind::Online;
                    let _ = checkpoint::run(&c.manager, kind, checkpoint::Pace::Fast, true);
                }
            }
            drop(p);
            drop(c);
            vfs.crash();
            c = start(&vfs);
            assert_eq!(c.control.get().state, DbState::InProduction);
            for (xid, outcome) in &mut expected {
                let found = c.manager.fate(Xid(*xid)).unwrap() == Fate::Committed;
                assert!(outcome.is_none_or(|o| o == found), "seed {seed} round {round} xid {xid}: {found}");
                // What one crash left, the next must not change.
                *outcome = Some(found);
            }
            let durable = expected.iter().filter(|(_, o)| **o == Some(true)).map(|(x, _)| *x).max().unwrap_or(0);
            assert!(c.manager.next_full_xid().0 > u64::from(durable));
        }
        shutdown(&c).unwrap();
        assert_eq!(c.control.get().state, DbState::Shutdowned);
        drop(c);
        let c = start(&vfs);
        assert!(c.recovery.redo.is_none());
        for (xid, outcome) in &expected {
            assert_eq!(Some(c.manager.fate(Xid(*xid)).unwrap() == Fate::Committed), *outcome, "seed {seed} xid {xid}");
        }
    }
}

/// Who sees a commit sees all that lie before it in the log.
#[test]
fn commits_become_visible_in_the_logs_order() {
    let (_vfs, c) = new_cluster(8);
    let stop = AtomicBool::new(false);
    let (writers, each) = (4, 300);
    std::thread::scope(|scope| {
        let watcher = scope.spawn(|| {
            let p = session(&c, 100);
            let mut snapshots = Vec::new();
            while !stop.load(Ordering::Relaxed) {
                snapshots.push(begin(&c, &p).latest_snapshot().unwrap().running().clone());
            }
            snapshots
        });
        let run = |n: i32| {
            let c = &c;
            scope.spawn(move || {
                let p = session(c, n);
                for _ in 0..each {
                    let t = begin(c, &p);
                    t.xid().unwrap();
                    t.commit().unwrap();
                }
            })
        };
        let handles: Vec<_> = (0..writers).map(run).collect();
        handles.into_iter().for_each(|h| h.join().unwrap());
        stop.store(true, Ordering::Relaxed);
        let snapshots = watcher.join().unwrap();
        let mut order = Vec::new();
        let mut reader = wal::reader::Reader::new(Arc::clone(&c.vfs), c.wal.segments(), c.wal.timeline(), 4711);
        reader.seek(c.control.get().checkpoint);
        while let wal::reader::Next::Record(r) = reader.next().unwrap() {
            if r.rmgr == wal::RmgrId::XACT.0 {
                order.push(r.xid);
            }
        }
        assert_eq!(order.len(), writers as usize * each);
        for set in snapshots {
            let seen: Vec<bool> = order.iter().map(|x| !set.contains(*x)).collect();
            let first_unseen = seen.iter().position(|s| !s).unwrap_or(seen.len());
            assert!(seen[first_unseen..].iter().all(|s| !s));
        }
    });
}

#[test]
fn waiting_for_a_transaction() {
    let (_vfs, c) = new_cluster(9);
    let (p, q) = (session(&c, 1), session(&c, 2));
    let t = begin(&c, &p);
    let xid = t.xid().unwrap();
    assert!(!c.manager.wait_for_xid_if(&q, xid, txn::lock::Wait::No).unwrap());
    std::thread::scope(|scope| {
        let waiter = scope.spawn(|| c.manager.wait_for_xid(&q, xid).map(|()| c.manager.fate(xid).unwrap()));
        while c.manager.locks().blockers(SessionId(2)) != [SessionId(1)] {
            std::thread::yield_now();
        }
        t.commit().unwrap();
        assert_eq!(waiter.join().unwrap().unwrap(), Fate::Committed);
    });
}

/// A failed fsync of the log is the end: nothing is acknowledged any more, and after the restart everything that was is
/// there.
#[test]
fn a_failed_sync_breaks_the_log() {
    let (vfs, c) = new_cluster(10);
    let p = session(&c, 1);
    let t = begin(&c, &p);
    let good = t.xid().unwrap();
    t.commit().unwrap();
    vfs.fail_sync(1);
    let t = begin(&c, &p);
    t.xid().unwrap();
    assert_eq!(t.commit().unwrap_err().severity(), base::Severity::Panic);
    let t = begin(&c, &p);
    t.xid().unwrap();
    assert_eq!(t.commit().unwrap_err().severity(), base::Severity::Panic);
    assert!(c.wal.failure().is_some());
    drop(c);
    vfs.crash();
    let c = start(&vfs);
    assert_eq!(c.manager.fate(good).unwrap(), Fate::Committed);
}
