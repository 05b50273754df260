use std::sync::Arc;
use std::thread;
use std::time::Duration;

use base::sqlstate::{LOCK_NOT_AVAILABLE, QUERY_CANCELED, T_R_DEADLOCK_DETECTED};
use base::{Interrupt, Oid};

use super::*;

fn session(locks: &LockManager, id: i32) -> Arc<Proc> {
    locks.add_proc(|number| Proc::new(SessionId(id), number, Oid(5), Interrupt::new(), 50))
}
fn table(rel: u32) -> LockTag {
    LockTag::Relation { db: Oid(5), rel: Oid(rel) }
}
fn try_lock(locks: &LockManager, proc: &Arc<Proc>, tag: LockTag, mode: LockMode) -> Acquired {
    locks.acquire(proc, tag, mode, LockLevel::Transaction, Wait::No).unwrap()
}
fn wait_until(mut condition: impl FnMut() -> bool) {
    for _ in 0..2000 {
        if condition() {
            return;
        }
        thread::sleep(Duration::from_millis(1));
    }
    panic!("it did not happen");
}

#[test]
fn conflicts_also_with_locks_noted_in_sessions_only() {
    let locks = LockManager::new();
    let (a, b) = (session(&locks, 1), session(&locks, 2));
    for held in LockMode::ALL {
        for wanted in LockMode::ALL {
            assert_eq!(try_lock(&locks, &a, table(1), held), Acquired::Granted);
            let free = try_lock(&locks, &b, table(1), wanted) == Acquired::Granted;
            assert_eq!(free, !held.conflicts_with(wanted), "{held:?} {wanted:?}");
            // One's own locks are never in the way.
            assert_ne!(try_lock(&locks, &a, table(1), held), Acquired::NotAvailable);
            locks.release_transaction(&b);
            locks.release_transaction(&a);
            assert!(locks.all().is_empty());
        }
    }
    assert!(locks.strong.iter().all(|c| c.load(Ordering::Relaxed) == 0));
}

#[test]
fn holds_are_counted_by_level() {
    let locks = LockManager::new();
    let (a, b) = (session(&locks, 1), session(&locks, 2));
    let key = LockTag::Advisory { db: Oid(5), key1: 0, key2: 7, sub: 1 };
    let take = |level| locks.acquire(&a, key, LockMode::Exclusive, level, Wait::No).unwrap();
    assert_eq!(take(LockLevel::Session), Acquired::Granted);
    assert_eq!(take(LockLevel::Session), Acquired::AlreadyHeld);
    assert_eq!(take(LockLevel::Transaction), Acquired::AlreadyHeld);
    locks.release_transaction(&a);
    assert_eq!(try_lock(&locks, &b, key, LockMode::Share), Acquired::NotAvailable);
    assert!(locks.release(&a, key, LockMode::Exclusive, LockLevel::Session));
    assert!(locks.release(&a, key, LockMode::Exclusive, LockLevel::Session));
    assert!(!locks.release(&a, key, LockMode::Exclusive, LockLevel::Session));
    assert_eq!(try_lock(&locks, &b, key, LockMode::Share), Acquired::Granted);
    locks.release_transaction(&b);

    let mark = locks.mark(&a);
    locks.lock(&a, table(1), LockMode::Exclusive).unwrap();
    locks.release_since(&a, mark);
    assert_eq!(try_lock(&locks, &b, table(1), LockMode::Exclusive), Acquired::Granted);
}

#[test]
fn waiting_ends_with_the_lock_a_timeout_or_a_cancel() {
    let locks = LockManager::new();
    let (a, b) = (session(&locks, 1), session(&locks, 2));
    locks.lock(&a, table(1), LockMode::RowExclusive).unwrap();
    thread::scope(|scope| {
        let waiter = scope.spawn(|| locks.lock(&b, table(1), LockMode::AccessExclusive));
        wait_until(|| locks.blockers(SessionId(2)) == [SessionId(1)]);
        // Who comes later queues behind the strong one.
        let c = session(&locks, 3);
        assert_eq!(try_lock(&locks, &c, table(1), LockMode::AccessShare), Acquired::NotAvailable);
        locks.release_transaction(&a);
        waiter.join().unwrap().unwrap();
        assert!(locks.is_held(&b, table(1), LockMode::AccessShare, true));
    });
    a.set_lock_timeout_ms(20);
    let e = locks.lock(&a, table(1), LockMode::AccessShare).unwrap_err();
    assert_eq!((e.sqlstate(), e.message()), (LOCK_NOT_AVAILABLE, "canceling statement due to lock timeout"));
    a.set_lock_timeout_ms(0);
    thread::scope(|scope| {
        let waiter = scope.spawn(|| locks.lock(&a, table(1), LockMode::AccessShare));
        wait_until(|| !locks.blockers(SessionId(1)).is_empty());
        a.interrupt().raise(base::interrupt::Reason::Cancel);
        a.wake();
        assert_eq!(waiter.join().unwrap().unwrap_err().sqlstate(), QUERY_CANCELED);
    });
    locks.release_transaction(&b);
    assert!(locks.all().is_empty());
}

#[test]
fn a_deadlock_is_found_and_reported() {
    let locks = LockManager::new();
    let (a, b) = (session(&locks, 11), session(&locks, 12));
    locks.lock(&a, table(1), LockMode::AccessExclusive).unwrap();
    locks.lock(&b, table(2), LockMode::AccessExclusive).unwrap();
    b.set_deadlock_timeout_ms(60_000);
    thread::scope(|scope| {
        let waiter = scope.spawn(|| locks.lock(&b, table(1), LockMode::AccessShare));
        wait_until(|| !locks.blockers(SessionId(12)).is_empty());
        let e = locks.lock(&a, table(2), LockMode::AccessShare).unwrap_err();
        assert_eq!((e.sqlstate(), e.message()), (T_R_DEADLOCK_DETECTED, "deadlock detected"));
        let detail = "Process 11 waits for AccessShareLock on relation 2 of database 5; blocked by process 12.\n\
                      Process 12 waits for AccessShareLock on relation 1 of database 5; blocked by process 11.";
        assert_eq!(e.fields().detail.as_deref(), Some(detail));
        locks.release_transaction(&a);
        waiter.join().unwrap().unwrap();
    });
}

/// s1 holds 1; s2 waits for 1 exclusively and holds 2 shared; s3 ... a queue order that only overtaking resolves.
#[test]
fn a_soft_circle_is_resolved_by_overtaking() {
    let locks = LockManager::new();
    let (a, b, c) = (session(&locks, 1), session(&locks, 2), session(&locks, 3));
    let (x, y) = (table(1), table(2));
    locks.lock(&a, x, LockMode::AccessShare).unwrap();
    locks.lock(&c, y, LockMode::AccessExclusive).unwrap();
    b.set_deadlock_timeout_ms(60_000);
    thread::scope(|scope| {
        // b waits for a on x; c wants x shared, behind b; a wants y, which c holds.
        let wait_b = scope.spawn(|| locks.lock(&b, x, LockMode::AccessExclusive));
        wait_until(|| !locks.blockers(SessionId(2)).is_empty());
        let wait_c = scope.spawn(|| locks.lock(&c, x, LockMode::AccessShare));
        wait_until(|| !locks.blockers(SessionId(3)).is_empty());
        let wait_a = scope.spawn(|| locks.lock(&a, y, LockMode::AccessShare));
        wait_c.join().unwrap().unwrap();
        locks.release_transaction(&c);
        wait_a.join().unwrap().unwrap();
        locks.release_transaction(&a);
        wait_b.join().unwrap().unwrap();
    });
}

/// Never two holders of conflicting modes, whatever the interleaving.
#[test]
fn exclusion_holds_under_stress() {
    let locks = LockManager::new();
    let inside = AtomicU32::new(0);
    thread::scope(|scope| {
        for n in 0..6 {
            let (locks, inside) = (&locks, &inside);
            scope.spawn(move || {
                let proc = session(locks, n);
                for i in 0..500u32 {
                    let strong = (i + n as u32) % 5 == 0;
                    let mode = if strong { LockMode::AccessExclusive } else { LockMode::RowExclusive };
                    locks.lock(&proc, table(1), mode).unwrap();
                    let weight = if strong { 1000 } else { 1 };
                    let before = inside.fetch_add(weight, Ordering::SeqCst);
                    assert!(if strong { before == 0 } else { before < 1000 }, "{before}");
                    inside.fetch_sub(weight, Ordering::SeqCst);
                    locks.release_transaction(&proc);
                }
            });
        }
    });
    assert!(locks.all().is_empty());
}
