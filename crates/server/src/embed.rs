//! A server inside another program: a cluster on any file system, and sessions over socket pairs. No process of its own, no
//! listeners, no background workers, so what happens follows from what the clients send: tests of crashes need that.
//!
//! Settings and `pg_hba.conf` are read from `Sources::data_directory` on the real file system, everything else from the given one.

use std::io;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use base::Result;
use storage::Vfs;
use types::Registry;

use crate::cluster::{Cluster, Purpose};
use crate::config::{self, Sources};
use crate::protocol::Stream;
use crate::scheduler::Scheduler;
use crate::session::{Arrival, Work};

/// A running cluster. Ends with [`Embedded::stop`] or [`Embedded::abandon`].
pub struct Embedded {
    cluster: Arc<Cluster>,
    scheduler: Arc<Scheduler<Work>>,
    monitor: JoinHandle<()>,
}

impl Embedded {
    /// Opens a cluster, with recovery if it needs it.
    pub fn open(vfs: Arc<dyn Vfs>, sources: Sources, registry: Arc<Registry>) -> Result<Embedded> {
        let loaded = config::load(&sources)?;
        let cluster = Cluster::open_on(vfs, sources, loaded, registry, Purpose::Embed)?;
        let failed = |e: io::Error| base::PgError::internal(format!("could not create epoll: {e}"));
        let scheduler = Scheduler::new().map_err(failed)?;
        let watch = Arc::clone(&scheduler);
        let monitor = thread::spawn(move || watch.watch());
        Ok(Embedded { cluster, scheduler, monitor })
    }

    /// A client's end of a new connection, before the startup message.
    pub fn connect(&self) -> io::Result<UnixStream> {
        let (client, server) = UnixStream::pair()?;
        let (cluster, scheduler) = (Arc::clone(&self.cluster), Arc::clone(&self.scheduler));
        let arrival = Arrival::new(cluster, scheduler, Stream::Unix(server), None)?;
        self.scheduler.submit(Work::Arrival(Box::new(arrival)));
        Ok(client)
    }

    pub fn cluster(&self) -> &Arc<Cluster> {
        &self.cluster
    }

    /// An orderly end, with a checkpoint.
    pub fn stop(self) -> Result<()> {
        self.end_sessions();
        let done = self.cluster.shut_down();
        self.abandon();
        done
    }

    /// Ends it as it stands. Nothing touches the file system once this returns.
    pub fn abandon(self) {
        self.end_sessions();
        self.scheduler.stop();
        let _ = self.monitor.join();
    }

    fn end_sessions(&self) {
        while !self.cluster.sessions.is_empty() {
            self.cluster.sessions.terminate_all();
            thread::sleep(Duration::from_millis(1));
        }
    }
}
