//! The file system as the server sees it: all I/O goes through [`Vfs`].
//!
//! Paths are relative to the data directory, with `/`; an absolute path is taken as it is (tablespaces).
//! Methods return [`std::io::Result`], so that callers can look at the kind; [`IoContext`] turns an error into
//! PostgreSQL's text and SQLSTATE: `vfs.open(path, OpenMode::Read).or_pg("open file", path)?` gives
//! `could not open file "base/1/2": No such file or directory` (58P01).
//!
//! [`SimVfs`] keeps everything in memory, forgets at a crash what was not fsynced, and fails on demand.

mod errors;
mod real;
mod sim;

use std::io;

pub use errors::{IoContext, errno_text, io_error, sqlstate_of};
pub use real::RealVfs;
pub use sim::{CrashReport, SimVfs};

/// How to open a file. All but `Read` allow writing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum OpenMode {
    Read,
    /// Must exist.
    ReadWrite,
    /// Created if it does not exist.
    Create,
    /// Created; an error if it exists.
    CreateNew,
    /// Created if it does not exist, emptied if it does.
    Truncate,
}

/// What a directory holds.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct DirEntry {
    pub name: String,
    pub kind: FileKind,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum FileKind {
    File,
    Directory,
    Symlink,
    Other,
}

/// What is known about a file. (PostgreSQL: `pg_stat_file`)
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Metadata {
    pub kind: FileKind,
    pub len: u64,
    /// Seconds since 1970.
    pub modified: i64,
}

/// A file system. Implementations are shared by all threads.
pub trait Vfs: Send + Sync {
    fn open(&self, path: &str, mode: OpenMode) -> io::Result<Box<dyn VfsFile>>;
    fn remove_file(&self, path: &str) -> io::Result<()>;
    /// Replaces `to` if it exists. Durable only after [`Vfs::sync_dir`] of both directories.
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;
    fn create_dir(&self, path: &str) -> io::Result<()>;
    /// Removes an empty directory.
    fn remove_dir(&self, path: &str) -> io::Result<()>;
    /// The entries of a directory, sorted by name.
    fn list(&self, path: &str) -> io::Result<Vec<DirEntry>>;
    /// Follows symbolic links.
    fn metadata(&self, path: &str) -> io::Result<Metadata>;
    /// Makes creations, renames and removals in this directory durable.
    fn sync_dir(&self, path: &str) -> io::Result<()>;
    fn symlink(&self, target: &str, link: &str) -> io::Result<()>;
    fn read_link(&self, path: &str) -> io::Result<String>;
    /// The data directory as the operating system knows it, if there is one.
    fn root(&self) -> Option<&std::path::Path> {
        None
    }

    fn exists(&self, path: &str) -> bool {
        self.metadata(path).is_ok()
    }
    fn is_dir(&self, path: &str) -> bool {
        self.metadata(path).is_ok_and(|m| m.kind == FileKind::Directory)
    }
    /// The directory and those above it that are missing.
    fn create_dir_all(&self, path: &str) -> io::Result<()> {
        if path.is_empty() || self.is_dir(path) {
            return Ok(());
        }
        if let Some((parent, _)) = path.rsplit_once('/') {
            self.create_dir_all(parent)?;
        }
        match self.create_dir(path) {
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            other => other,
        }
    }
    /// The directory with everything in it.
    /// Whether syncing does anything from now on: without it a crash of the machine may cost the cluster. A file system that
    /// is not the machine's may ignore this. (PostgreSQL: the setting `fsync`)
    fn set_fsync(&self, _on: bool) {}
    /// Makes everything durable at once that was written to the file system which holds the root, whatever `set_fsync` says;
    /// `Unsupported` where there is no such call. (`syncfs`)
    fn sync_file_system(&self) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }
    fn remove_dir_all(&self, path: &str) -> io::Result<()> {
        for entry in self.list(path)? {
            let child = format!("{path}/{}", entry.name);
            match entry.kind {
                FileKind::Directory => self.remove_dir_all(&child)?,
                _ => self.remove_file(&child)?,
            }
        }
        self.remove_dir(path)
    }
    fn read_file(&self, path: &str) -> io::Result<Vec<u8>> {
        let file = self.open(path, OpenMode::Read)?;
        let len = usize::try_from(file.len()?).map_err(|_| io::Error::from_raw_os_error(errors::EFBIG))?;
        let mut bytes = vec![0; len];
        let n = read_full(&*file, &mut bytes, 0)?;
        bytes.truncate(n);
        Ok(bytes)
    }
    /// Writes the file without any promise of durability.
    fn write_file(&self, path: &str, bytes: &[u8]) -> io::Result<()> {
        let file = self.open(path, OpenMode::Truncate)?;
        file.write_all_at(bytes, 0)
    }
    /// After this the file holds either its old or its new content, also across a crash: a temporary file
    /// (`path.tmp`) is written, synced and renamed. (PostgreSQL: `durable_rename`)
    fn write_file_durably(&self, path: &str, bytes: &[u8]) -> io::Result<()> {
        let temporary = format!("{path}.tmp");
        let file = self.open(&temporary, OpenMode::Truncate)?;
        file.write_all_at(bytes, 0)?;
        file.sync_all()?;
        drop(file);
        self.rename_durably(&temporary, path)
    }
    /// Renames, and makes the rename durable. The file's content must have been synced before.
    fn rename_durably(&self, from: &str, to: &str) -> io::Result<()> {
        self.rename(from, to)?;
        self.sync_dir(parent_of(from))?;
        if parent_of(from) != parent_of(to) {
            self.sync_dir(parent_of(to))?;
        }
        Ok(())
    }
    fn copy_file(&self, from: &str, to: &str) -> io::Result<()> {
        let source = self.open(from, OpenMode::Read)?;
        let target = self.open(to, OpenMode::Truncate)?;
        let mut chunk = vec![0; 256 * 1024];
        let mut offset = 0;
        loop {
            let n = read_full(&*source, &mut chunk, offset)?;
            if n == 0 {
                return Ok(());
            }
            target.write_all_at(&chunk[..n], offset)?;
            offset += n as u64;
        }
    }
}

/// An open file. All methods take `&self`: a file is shared by threads.
#[expect(clippy::len_without_is_empty, reason = "a file's length is asked for its number")]
pub trait VfsFile: Send + Sync {
    /// Reads up to the buffer's length; fewer bytes at the end of the file.
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize>;
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<usize>;
    fn len(&self) -> io::Result<u64>;
    fn set_len(&self, len: u64) -> io::Result<()>;
    /// Makes the content durable. (`fdatasync`)
    fn sync_data(&self) -> io::Result<()>;
    /// Makes content and metadata durable. (`fsync`)
    fn sync_all(&self) -> io::Result<()>;
    /// Extends the file to at least `offset + len` with zeroes that are really reserved on disk.
    fn allocate(&self, offset: u64, len: u64) -> io::Result<()>;
    /// Asks the operating system to start writing a range, which will not be read soon (a hint; may do nothing).
    fn start_writeback(&self, _offset: u64, _len: u64) {}
    /// Tells the operating system that a range will be read soon (a hint; may do nothing).
    fn prefetch(&self, _offset: u64, _len: u64) {}

    fn write_all_at(&self, mut bytes: &[u8], mut offset: u64) -> io::Result<()> {
        while !bytes.is_empty() {
            match self.write_at(bytes, offset) {
                Ok(0) => return Err(io::Error::from_raw_os_error(errors::ENOSPC)),
                Ok(n) => {
                    bytes = &bytes[n..];
                    offset += n as u64;
                }
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(e),
            }
        }
        Ok(())
    }
}

/// Reads until the buffer is full or the file ends; says how many bytes were read.
pub fn read_full(file: &dyn VfsFile, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    let mut done = 0;
    while done < buffer.len() {
        match file.read_at(&mut buffer[done..], offset + done as u64) {
            Ok(0) => break,
            Ok(n) => done += n,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
    Ok(done)
}

/// The directory a path lies in; empty for the data directory itself.
pub fn parent_of(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(parent, _)| parent)
}
