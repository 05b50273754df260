//! A server in this process on the simulated file system, from a data directory that initdb made once.

use std::path::Path;
use std::sync::Arc;

use server::config::Sources;
use server::embed::Embedded;
use storage::vfs::OpenMode;
use storage::{SimVfs, Vfs};
use testkit::Client;
use types::{Builtin, Registry};

use super::DataDirectory;

/// A fresh cluster in memory; each run works on a fork of it.
pub struct Template {
    dir: DataDirectory,
    files: SimVfs,
    registry: Arc<Registry>,
}

impl Template {
    /// `extra`: built-ins of the test's own.
    pub fn new(name: &str, extra: &[Builtin]) -> Template {
        let dir = DataDirectory::with(name, &["-A", "trust", "--no-sync", "--wal-segsize=1"]);
        let files = SimVfs::new(0);
        load(dir.path(), "", &files);
        let lists = [analyze::BUILTINS, commands::BUILTINS, server::BUILTINS, extra];
        let registry = lists.iter().fold(functions::registry(), |r, list| r.with_functions(list));
        Template { dir, files, registry: Arc::new(registry) }
    }
    /// A file system that holds the fresh cluster; `seed` decides what crashes leave.
    pub fn fork(&self, seed: u64) -> SimVfs {
        self.files.fork(seed)
    }
    /// A server on it, with recovery if it needs it.
    pub fn open(&self, vfs: &SimVfs, settings: &[(&str, &str)]) -> base::Result<Embedded> {
        let command_line = settings.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
        let sources = Sources { data_directory: self.dir.path().to_owned(), command_line };
        Embedded::open(Arc::new(vfs.clone()), sources, Arc::clone(&self.registry))
    }
}

/// Copies a directory, durably.
fn load(from: &Path, to: &str, files: &SimVfs) {
    for entry in std::fs::read_dir(from).expect("a directory") {
        let entry = entry.expect("an entry");
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = if to.is_empty() { name } else { format!("{to}/{name}") };
        if entry.file_type().expect("a type").is_dir() {
            files.create_dir(&path).expect("a directory");
            load(&entry.path(), &path, files);
        } else {
            let file = files.open(&path, OpenMode::CreateNew).expect("a file");
            file.write_all_at(&std::fs::read(entry.path()).expect("a file"), 0).expect("written");
            file.sync_all().expect("synced");
        }
    }
    files.sync_dir(to).expect("synced");
}

pub fn connect(server: &Embedded) -> Client {
    Client::on_stream(server.connect().expect("a connection")).expect("a session")
}
