//! Many threads, few frames: every page keeps what was written to it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use base::{BlockNumber, ForkNumber, Interrupt, Oid, RelFileLocator};

use super::{BufferPool, PoolOptions};
use crate::critical::critical;
use crate::smgr::Smgr;
use crate::vfs::SimVfs;

const REL: RelFileLocator = RelFileLocator { spc: Oid(1663), db: Oid(5), rel: Oid(16384) };
const COUNTER: usize = 100;

fn random(state: &mut u64) -> u64 {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    *state
}

/// Counters on pages: increments add up, and both copies of a counter always agree.
#[test]
fn extend_update_evict() {
    let smgr = Arc::new(Smgr::new(Arc::new(SimVfs::new(1))));
    smgr.create(REL, ForkNumber::Main, false).unwrap();
    let pool = BufferPool::new(PoolOptions { buffers: 32, checksums: true }, smgr);
    let increments = AtomicU64::new(0);
    let stop = AtomicBool::new(false);
    let rounds = if cfg!(miri) { 50 } else { 4000 };
    std::thread::scope(|scope| {
        let workers: Vec<_> = (1..=6u64)
            .map(|seed| {
                let (pool, increments) = (&pool, &increments);
                scope.spawn(move || {
                    let mut state = seed * 0x9E37_79B9;
                    for _ in 0..rounds {
                        step(pool, increments, &mut state, seed == 1);
                    }
                })
            })
            .collect();
        scope.spawn(|| {
            while !stop.load(Ordering::Relaxed) {
                pool.checkpoint(false, &mut |_, _| ()).unwrap();
                pool.background_write(4).unwrap();
                std::thread::yield_now();
            }
        });
        let results: Vec<_> = workers.into_iter().map(|w| w.join()).collect();
        stop.store(true, Ordering::Relaxed);
        assert!(results.iter().all(|r| r.is_ok()));
    });
    let n = pool.nblocks(REL, ForkNumber::Main).unwrap();
    let sum: u64 = (0..n).map(|b| u64::from(pool.read(REL, BlockNumber(b)).unwrap().shared().u32_at(COUNTER))).sum();
    assert_eq!(sum, increments.load(Ordering::Relaxed));
    assert!(pool.statistics().evictions > 10);
}

fn step(pool: &BufferPool, increments: &AtomicU64, state: &mut u64, may_wait_alone: bool) {
    let n = pool.nblocks(REL, ForkNumber::Main).unwrap();
    let choice = random(state) % 100;
    if n < 5 || choice == 0 && n < 200 {
        let mut page = pool.extend_by(REL, ForkNumber::Main, 1 + (choice % 3) as u32, None).unwrap();
        critical(|s| page.write(s).init(0));
        return;
    }
    let block = BlockNumber((random(state) % u64::from(n)) as u32);
    if choice < 50 {
        let page = pool.read_shared(REL, block).unwrap();
        assert_eq!(page.u32_at(COUNTER), page.u32_at(COUNTER + 4000));
        return;
    }
    let buffer = pool.read(REL, block).unwrap();
    let page = match choice {
        // Two that wait to be alone with one page would wait for each other.
        50..60 if may_wait_alone => buffer.cleanup(&Interrupt::new()).ok(),
        50..60 => buffer.try_cleanup(),
        60..70 => buffer.shared().try_upgrade().ok(),
        70..80 => buffer.try_exclusive(),
        _ => Some(buffer.exclusive()),
    };
    let Some(mut page) = page else { return };
    critical(|s| {
        let p = page.write(s);
        if p.is_new() {
            p.init(0);
        }
        let value = p.u32_at(COUNTER) + 1;
        p.set_u32_at(COUNTER, value);
        p.set_u32_at(COUNTER + 4000, value);
    });
    increments.fetch_add(1, Ordering::Relaxed);
}

/// A try that fails leaves the latch with its holder.
#[test]
fn a_failed_try_releases_nothing() {
    let smgr = Arc::new(Smgr::new(Arc::new(SimVfs::new(1))));
    smgr.create(REL, ForkNumber::Main, false).unwrap();
    let pool = BufferPool::new(PoolOptions { buffers: 32, checksums: true }, smgr);
    let first = pool.extend(REL, ForkNumber::Main, None).unwrap().unlatch();
    let second = first.clone();
    let page = first.exclusive();
    for _ in 0..2 {
        assert!(second.try_exclusive().is_none() && second.try_shared().is_none() && second.try_cleanup().is_none());
    }
    drop(page);
    let page = first.shared();
    assert!(second.try_exclusive().is_none() && second.try_shared().is_some());
    drop(page);
    // Free, but pinned twice.
    assert!(second.try_cleanup().is_none() && second.try_exclusive().is_some());
    drop(first);
    assert!(second.try_cleanup().is_some());
}
