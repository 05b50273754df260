//! Background workers: WAL writer, background writer, checkpointer; the autovacuum launcher starts here. (PostgreSQL: auxiliary processes)

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use base::Severity;
use base::guc;

use crate::cluster::Cluster;
use crate::log;
use crate::postmaster::spawn;

/// The running workers.
pub struct Background {
    stopping: Arc<AtomicBool>,
    running: Arc<()>,
}

impl Background {
    pub fn start(cluster: &Arc<Cluster>) -> Background {
        let background = Background { stopping: Arc::default(), running: Arc::new(()) };
        background.worker(cluster, "walwriter", wal_writer);
        background.worker(cluster, "background writer", background_writer);
        background.worker(cluster, "checkpointer", checkpointer);
        let shared = (Arc::clone(cluster), Arc::clone(&background.stopping), Arc::clone(&background.running));
        spawn("autovacuum launcher", move || {
            crate::autovacuum::launcher(&shared.0, &shared.1);
            drop(shared);
        });
        background
    }

    fn worker(&self, cluster: &Arc<Cluster>, name: &str, body: fn(&Cluster, &AtomicBool)) {
        let (cluster, stopping, running) = (Arc::clone(cluster), Arc::clone(&self.stopping), Arc::clone(&self.running));
        spawn(name, move || {
            body(&cluster, &stopping);
            drop(running);
        });
    }

    /// Ends the workers and waits for them.
    pub fn stop(&self) {
        self.stopping.store(true, Ordering::Release);
        while Arc::strong_count(&self.running) > 1 {
            thread::sleep(Duration::from_millis(2));
        }
    }
}

/// Sleeps, but not through a shutdown.
fn pause(time: Duration, stopping: &AtomicBool) {
    let end = Instant::now() + time;
    while !stopping.load(Ordering::Acquire) {
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return;
        }
        thread::sleep(left.min(Duration::from_millis(50)));
    }
}

/// A failed write or sync of the log or of a checkpoint: only recovery tells what is durable.
fn check(result: base::Result<()>) {
    if let Err(e) = result {
        log::error(&e, None);
        if e.severity() == Severity::Panic {
            std::process::abort();
        }
    }
}

fn milliseconds(cluster: &Cluster, guc: guc::Guc) -> Duration {
    Duration::from_millis(u64::try_from(cluster.config().values.int(guc)).unwrap_or(200))
}

/// Flushes what asynchronous commits left behind.
fn wal_writer(cluster: &Cluster, stopping: &AtomicBool) {
    while !stopping.load(Ordering::Acquire) {
        check(cluster.wal.background_flush().map(drop));
        pause(milliseconds(cluster, guc::WAL_WRITER_DELAY), stopping);
    }
}

/// Writes pages that are about to be evicted, so that sessions need not.
fn background_writer(cluster: &Cluster, stopping: &AtomicBool) {
    while !stopping.load(Ordering::Acquire) {
        let limit = usize::try_from(cluster.config().values.int(guc::BGWRITER_LRU_MAXPAGES)).unwrap_or(0);
        check(cluster.pool.background_write(limit).map(drop));
        pause(milliseconds(cluster, guc::BGWRITER_DELAY), stopping);
    }
}

/// A checkpoint when its time has come, or when enough log was written since the last one.
fn checkpointer(cluster: &Cluster, stopping: &AtomicBool) {
    let mut last = Instant::now();
    let mut last_position = cluster.wal.insert_position();
    while !stopping.load(Ordering::Acquire) {
        pause(Duration::from_millis(200), stopping);
        let values = &cluster.config().values;
        let timeout = Duration::from_secs(u64::try_from(values.int(guc::CHECKPOINT_TIMEOUT)).unwrap_or(300));
        // Half of max_wal_size: the segments of the checkpoint before must stay until this one is complete.
        let volume = (u64::try_from(values.int(guc::MAX_WAL_SIZE)).unwrap_or(1024) << 20) / 2;
        let written = cluster.wal.insert_position().0.saturating_sub(last_position.0);
        if stopping.load(Ordering::Acquire) || (last.elapsed() < timeout && written < volume) {
            continue;
        }
        let cause = if written >= volume { "wal" } else { "time" };
        if written > 0 {
            log::message(&format!("checkpoint starting: {cause}"));
        }
        last = Instant::now();
        last_position = cluster.wal.insert_position();
        let share = values.real(guc::CHECKPOINT_COMPLETION_TARGET);
        let pace = txn::checkpoint::Pace::Spread(timeout.mul_f64(share));
        let done = txn::checkpoint::run(&cluster.manager, wal::checkpoint::Kind::Online, pace, false);
        check(done.map(|summary| {
            if let Some(s) = summary {
                log::message(&format!(
                    "checkpoint complete: {} WAL file(s) removed, {} recycled; total={:.3} s",
                    s.segments_removed,
                    s.segments_recycled,
                    last.elapsed().as_secs_f64()
                ));
            }
        }));
    }
}
