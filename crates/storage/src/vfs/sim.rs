//! A file system in memory, for tests.
use std::io;

use super::{DirEntry, Metadata, OpenMode, Vfs, VfsFile};

/// What [`SimVfs::crash`] did.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct CrashReport {
    pub lost_sectors: usize,
    pub kept_sectors: usize,
    pub lost_dir_changes: usize,
}

/// A simulated file system; clones are the same file system.
#[derive(Clone)]
pub struct SimVfs {}

impl SimVfs {
    /// An empty file system; `seed` decides what survives crashes.
    pub fn new(_seed: u64) -> SimVfs {
        SimVfs {}
    }
    /// Power failure: what was not fsynced survives in part or not at all. Open files become invalid; faults end.
    pub fn crash(&self) -> CrashReport {
        CrashReport::default()
    }
    /// Only this many more bytes can be allocated; `None` for no limit.
    pub fn set_free_space(&self, _bytes: Option<u64>) {}
    /// The n-th sync from now (1 is the next) fails with an I/O error.
    pub fn fail_sync(&self, _nth: u64) {}
    /// After this many more operations (0: from now on) every operation fails, as if the machine were gone.
    pub fn kill_after(&self, _operations: u64) {}
    /// How many operations have been made: for choosing where to `kill_after`.
    pub fn operations(&self) -> u64 {
        0
    }
}

fn todo_io<T>() -> io::Result<T> {
    Err(io::Error::other("SimVfs is not supported yet"))
}

impl Vfs for SimVfs {
    fn open(&self, _: &str, _: OpenMode) -> io::Result<Box<dyn VfsFile>> {
        todo_io()
    }
    fn remove_file(&self, _: &str) -> io::Result<()> {
        todo_io()
    }
    fn rename(&self, _: &str, _: &str) -> io::Result<()> {
        todo_io()
    }
    fn create_dir(&self, _: &str) -> io::Result<()> {
        todo_io()
    }
    fn remove_dir(&self, _: &str) -> io::Result<()> {
        todo_io()
    }
    fn list(&self, _: &str) -> io::Result<Vec<DirEntry>> {
        todo_io()
    }
    fn metadata(&self, _: &str) -> io::Result<Metadata> {
        todo_io()
    }
    fn sync_dir(&self, _: &str) -> io::Result<()> {
        todo_io()
    }
    fn symlink(&self, _: &str, _: &str) -> io::Result<()> {
        todo_io()
    }
    fn read_link(&self, _: &str) -> io::Result<String> {
        todo_io()
    }
}
