//! Deadlocks: circles of sessions that wait for each other. (PostgreSQL: `deadlock.c`)
//!
//! A session that has waited for `deadlock_timeout` looks for a circle through itself. *Hard* edges lead to holders of
//! conflicting locks, *soft* ones to sessions that merely wait ahead in the same queue. A circle of hard edges only is a
//! deadlock. One with a soft edge may be resolved by letting a session overtake in that queue; if that does not help it is
//! a deadlock as well.

use std::sync::Arc;

use base::sqlstate::T_R_DEADLOCK_DETECTED;
use base::{PgError, Result, SessionId};
use parking_lot::MutexGuard;

use super::table::Shard;
use super::{LockManager, LockMode, LockTag, SHARDS};
use crate::proc::Proc;

#[derive(Clone)]
struct Edge {
    from: Arc<Proc>,
    to: Arc<Proc>,
    tag: LockTag,
    mode: LockMode,
    soft: bool,
}

struct Graph<'a> {
    shards: Vec<MutexGuard<'a, Shard>>,
    manager: &'a LockManager,
}

impl LockManager {
    /// The error if the waiting session is part of a deadlock.
    pub(super) fn check_deadlock(&self, proc: &Arc<Proc>) -> Result<()> {
        let mut graph = Graph { shards: self.shards.iter().map(|s| s.lock()).collect(), manager: self };
        debug_assert_eq!(graph.shards.len(), SHARDS);
        for _ in 0..8 {
            let Some(circle) = graph.circle(proc, false).or_else(|| graph.circle(proc, true)) else { return Ok(()) };
            let Some(soft) = circle.iter().rfind(|e| e.soft) else { return Err(report(&circle)) };
            graph.overtake(soft);
            if proc.wait.lock().waiting_for().is_none() {
                return Ok(());
            }
        }
        match graph.circle(proc, true) {
            Some(circle) => Err(report(&circle)),
            None => Ok(()),
        }
    }
}

/// Two that would wait for each other on one lock. (PostgreSQL: `RememberSimpleDeadLock`)
#[cold]
pub(super) fn early(own: &Arc<Proc>, mode: LockMode, other: &Arc<Proc>, other_mode: LockMode, tag: LockTag) -> PgError {
    let edge = |from: &Arc<Proc>, to: &Arc<Proc>, mode| Edge {
        from: Arc::clone(from),
        to: Arc::clone(to),
        tag,
        mode,
        soft: false,
    };
    report(&[edge(own, other, mode), edge(other, own, other_mode)])
}

impl Graph<'_> {
    fn shard(&mut self, tag: LockTag) -> &mut Shard {
        &mut self.shards[self.manager.hash(tag) % SHARDS]
    }
    /// Whom the session waits for.
    fn edges(&mut self, from: &Arc<Proc>, soft: bool) -> Vec<Edge> {
        let Some((tag, mode)) = from.wait.lock().waiting_for() else { return Vec::new() };
        let edge = |to: &Arc<Proc>, soft| Edge { from: Arc::clone(from), to: Arc::clone(to), tag, mode, soft };
        let Some(entry) = self.shard(tag).entry(tag) else { return Vec::new() };
        let blocking = entry.holders.iter().filter(|h| h.modes & mode.conflicts() != 0 && !Arc::ptr_eq(&h.proc, from));
        let mut edges: Vec<Edge> = blocking.map(|h| edge(&h.proc, false)).collect();
        if soft {
            let ahead = entry.queue.iter().take_while(|w| !Arc::ptr_eq(&w.proc, from));
            edges.extend(ahead.filter(|w| w.mode.conflicts_with(mode)).map(|w| edge(&w.proc, true)));
        }
        edges
    }
    /// A circle that leads back to the start, its edges in order.
    fn circle(&mut self, start: &Arc<Proc>, soft: bool) -> Option<Vec<Edge>> {
        let mut visited: Vec<SessionId> = Vec::new();
        let mut path: Vec<Edge> = Vec::new();
        let mut todo: Vec<Vec<Edge>> = vec![self.edges(start, soft)];
        while let Some(edges) = todo.last_mut() {
            let Some(edge) = edges.pop() else {
                todo.pop();
                path.pop();
                continue;
            };
            if Arc::ptr_eq(&edge.to, start) {
                path.push(edge);
                return Some(path);
            }
            if visited.contains(&edge.to.id) {
                continue;
            }
            visited.push(edge.to.id);
            let next = self.edges(&edge.to, soft);
            path.push(edge);
            todo.push(next);
        }
        None
    }
    /// Moves the waiter of a soft edge before the one it waits for, and grants what that makes possible.
    fn overtake(&mut self, edge: &Edge) {
        let Some(entry) = self.shard(edge.tag).entry(edge.tag) else { return };
        let at = |proc: &Arc<Proc>| entry.queue.iter().position(|w| Arc::ptr_eq(&w.proc, proc));
        let (Some(from), Some(to)) = (at(&edge.from), at(&edge.to)) else { return };
        if from > to
            && let Some(waiter) = entry.queue.remove(from)
        {
            entry.queue.insert(to, waiter);
        }
        entry.wake();
    }
}

#[cold]
fn report(circle: &[Edge]) -> PgError {
    let lines: Vec<String> = circle
        .iter()
        .map(|e| {
            let (from, to, mode) = (e.from.id.0, e.to.id.0, e.mode.as_str());
            format!("Process {from} waits for {mode} on {}; blocked by process {to}.", e.tag.describe())
        })
        .collect();
    PgError::new(T_R_DEADLOCK_DETECTED, "deadlock detected")
        .detail(lines.join("\n"))
        .hint("See server log for query details.")
}
