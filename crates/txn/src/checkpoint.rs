//! What a checkpoint does above the log. (PostgreSQL: `CheckPointGuts`)

use std::sync::Arc;
use std::time::{Duration, Instant};

use base::{Result, Xid};
use storage::vfs::IoContext;
use wal::checkpoint::{CheckpointHooks, Kind, Summary};
use wal::{CheckPoint, panic_level};

use crate::manager::TransactionManager;

/// How a checkpoint spreads its writes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Pace {
    /// As fast as possible.
    Fast,
    /// Over this time. (PostgreSQL: `checkpoint_timeout` times `checkpoint_completion_target`)
    Spread(Duration),
}

/// Makes a checkpoint, after one that may be running. `force`: even if nothing happened since the last one. `None`: there
/// was nothing to do.
pub fn run(manager: &Arc<TransactionManager>, kind: Kind, pace: Pace, force: bool) -> Result<Option<Summary>> {
    let _alone = manager.checkpointing.lock();
    let hooks = Hooks { manager, pace };
    wal::checkpoint::create(manager.wal(), &hooks, kind, force)
}

struct Hooks<'a> {
    manager: &'a Arc<TransactionManager>,
    pace: Pace,
}

impl CheckpointHooks for Hooks<'_> {
    fn before(&self) -> Result<()> {
        self.manager.pool().smgr().sync_pre_checkpoint();
        Ok(())
    }
    fn oldest_active_xid(&self) -> Xid {
        self.manager.oldest_running()
    }
    fn with_commits_blocked(&self, body: &mut dyn FnMut()) {
        self.manager.with_commits_blocked(body);
    }
    fn fill(&self, checkpoint: &mut CheckPoint, kind: Kind) {
        let m = self.manager;
        checkpoint.next_xid = m.next_full_xid();
        checkpoint.next_oid = m.checkpoint_oid(kind != Kind::Online);
        (checkpoint.oldest_xid, checkpoint.oldest_xid_db) = m.oldest_xid();
        m.multixacts().fill(checkpoint);
    }
    fn write_all(&self, kind: Kind) -> Result<()> {
        let pool = self.manager.pool();
        self.manager.clog().write_all()?;
        self.manager.multixacts().write_all()?;
        for dir in ["pg_xact", "pg_multixact/offsets", "pg_multixact/members"] {
            pool.smgr().vfs().sync_dir(dir).or_pg("fsync file", dir).map_err(panic_level)?;
        }
        let started = Instant::now();
        let mut pause = |done: usize, total: usize| {
            if let Pace::Spread(time) = self.pace {
                let due = time.mul_f64(done as f64 / total.max(1) as f64);
                let ahead = due.saturating_sub(started.elapsed());
                if ahead > Duration::from_millis(10) {
                    std::thread::sleep(ahead.min(Duration::from_millis(100)));
                }
            }
        };
        self.manager.prepared.checkpoint(self.manager)?;
        pool.checkpoint(kind != Kind::Online, &mut pause)?;
        pool.smgr().sync_all().map(|_| ())
    }
    fn log_running_xacts(&self) -> Result<()> {
        crate::redo::log_running_xacts(self.manager);
        Ok(())
    }
    fn done(&self) -> Result<()> {
        self.manager.pool().smgr().sync_post_checkpoint()
    }
}
