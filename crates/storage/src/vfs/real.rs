//! The real file system, rooted at the data directory.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::UNIX_EPOCH;

use super::{DirEntry, FileKind, Metadata, OpenMode, Vfs, VfsFile};

/// Files under a directory of the operating system.
pub struct RealVfs {
    root: PathBuf,
    file_mode: u32,
    dir_mode: u32,
    /// Whether syncing does anything; its open files share it.
    fsync: Arc<AtomicBool>,
}

impl RealVfs {
    /// `root` is the data directory; files and directories are created for their owner only.
    pub fn new(root: impl Into<PathBuf>) -> RealVfs {
        RealVfs { root: root.into(), file_mode: 0o600, dir_mode: 0o700, fsync: Arc::new(AtomicBool::new(true)) }
    }
    /// As `new`, but the group may read. (PostgreSQL: `initdb --allow-group-access`)
    pub fn with_group_access(root: impl Into<PathBuf>) -> RealVfs {
        RealVfs { file_mode: 0o640, dir_mode: 0o750, ..RealVfs::new(root) }
    }
    fn full(&self, path: &str) -> PathBuf {
        match path {
            "" => self.root.clone(),
            _ => self.root.join(path),
        }
    }
}

fn kind_of(t: fs::FileType) -> FileKind {
    if t.is_file() {
        FileKind::File
    } else if t.is_dir() {
        FileKind::Directory
    } else if t.is_symlink() {
        FileKind::Symlink
    } else {
        FileKind::Other
    }
}

impl Vfs for RealVfs {
    fn open(&self, path: &str, mode: OpenMode) -> io::Result<Box<dyn VfsFile>> {
        let mut options = OpenOptions::new();
        options.read(true).mode(self.file_mode);
        match mode {
            OpenMode::Read => {}
            OpenMode::ReadWrite => _ = options.write(true),
            OpenMode::Create => _ = options.write(true).create(true),
            OpenMode::CreateNew => _ = options.write(true).create_new(true),
            OpenMode::Truncate => _ = options.write(true).create(true).truncate(true),
        }
        Ok(Box::new(RealFile(options.open(self.full(path))?, Arc::clone(&self.fsync))))
    }
    fn remove_file(&self, path: &str) -> io::Result<()> {
        fs::remove_file(self.full(path))
    }
    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        fs::rename(self.full(from), self.full(to))
    }
    fn create_dir(&self, path: &str) -> io::Result<()> {
        fs::DirBuilder::new().mode(self.dir_mode).create(self.full(path))
    }
    fn remove_dir(&self, path: &str) -> io::Result<()> {
        fs::remove_dir(self.full(path))
    }
    fn list(&self, path: &str) -> io::Result<Vec<DirEntry>> {
        let mut entries = Vec::new();
        for entry in fs::read_dir(self.full(path))? {
            let entry = entry?;
            // A name that is not UTF-8 is none of ours.
            if let Ok(name) = entry.file_name().into_string() {
                entries.push(DirEntry { name, kind: kind_of(entry.file_type()?) });
            }
        }
        entries.sort();
        Ok(entries)
    }
    fn metadata(&self, path: &str) -> io::Result<Metadata> {
        let m = fs::metadata(self.full(path))?;
        let since = m.modified()?.duration_since(UNIX_EPOCH).map_or(0, |d| d.as_secs());
        Ok(Metadata { kind: kind_of(m.file_type()), len: m.len(), modified: since as i64 })
    }
    fn sync_dir(&self, path: &str) -> io::Result<()> {
        if !self.fsync.load(Ordering::Relaxed) {
            return Ok(());
        }
        File::open(self.full(path))?.sync_all()
    }
    fn set_fsync(&self, on: bool) {
        self.fsync.store(on, Ordering::Relaxed);
    }
    fn sync_file_system(&self) -> io::Result<()> {
        Ok(rustix::fs::syncfs(File::open(&self.root)?)?)
    }
    fn symlink(&self, target: &str, link: &str) -> io::Result<()> {
        std::os::unix::fs::symlink(target, self.full(link))
    }
    fn read_link(&self, path: &str) -> io::Result<String> {
        Ok(fs::read_link(self.full(path))?.to_string_lossy().into_owned())
    }
    fn root(&self) -> Option<&Path> {
        Some(&self.root)
    }
    fn copy_file(&self, from: &str, to: &str) -> io::Result<()> {
        // The kernel copies, or shares the blocks where the file system can.
        let mut source = File::open(self.full(from))?;
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true).mode(self.file_mode);
        io::copy(&mut source, &mut options.open(self.full(to))?).map(|_| ())
    }
}

struct RealFile(File, Arc<AtomicBool>);

impl RealFile {
    fn fsync(&self) -> bool {
        self.1.load(Ordering::Relaxed)
    }
}

impl VfsFile for RealFile {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        self.0.read_at(buffer, offset)
    }
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<usize> {
        self.0.write_at(bytes, offset)
    }
    fn len(&self) -> io::Result<u64> {
        Ok(self.0.metadata()?.len())
    }
    fn set_len(&self, len: u64) -> io::Result<()> {
        self.0.set_len(len)
    }
    fn sync_data(&self) -> io::Result<()> {
        if self.fsync() { self.0.sync_data() } else { Ok(()) }
    }
    fn sync_all(&self) -> io::Result<()> {
        if self.fsync() { self.0.sync_all() } else { Ok(()) }
    }
    fn allocate(&self, offset: u64, len: u64) -> io::Result<()> {
        match rustix::fs::fallocate(&self.0, rustix::fs::FallocateFlags::empty(), offset, len) {
            Ok(()) => Ok(()),
            Err(rustix::io::Errno::OPNOTSUPP | rustix::io::Errno::INVAL) => write_zeros(self, offset, len),
            Err(e) => Err(e.into()),
        }
    }
    fn start_writeback(&self, offset: u64, len: u64) {
        // What is dirty cannot be dropped from the cache, so its writing begins. A hint only, as below.
        let _ = rustix::fs::fadvise(&self.0, offset, std::num::NonZeroU64::new(len), rustix::fs::Advice::DontNeed);
    }
    fn prefetch(&self, offset: u64, len: u64) {
        // A hint only: that it failed does not matter.
        let _ = rustix::fs::fadvise(&self.0, offset, std::num::NonZeroU64::new(len), rustix::fs::Advice::WillNeed);
    }
}

/// Extends by writing, where the file system cannot reserve. What the file already holds stays.
fn write_zeros(file: &RealFile, offset: u64, len: u64) -> io::Result<()> {
    let zeros = [0; 65536];
    let end = offset + len;
    let mut at = file.len()?.max(offset);
    while at < end {
        let n = (end - at).min(zeros.len() as u64);
        file.write_all_at(&zeros[..n as usize], at)?;
        at += n;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_and_directories() {
        let root = std::env::temp_dir().join(format!("tusk-vfs-{}", std::process::id()));
        fs::create_dir_all(&root).unwrap();
        let vfs = RealVfs::new(&root);
        vfs.create_dir_all("a/b").unwrap();
        vfs.write_file_durably("a/b/c", b"hello").unwrap();
        assert_eq!(vfs.read_file("a/b/c").unwrap(), b"hello");
        let file = vfs.open("a/b/c", OpenMode::ReadWrite).unwrap();
        file.allocate(0, 8192).unwrap();
        assert_eq!(file.len().unwrap(), 8192);
        assert_eq!(&vfs.read_file("a/b/c").unwrap()[..6], b"hello\0");
        vfs.copy_file("a/b/c", "a/d").unwrap();
        let names: Vec<_> = vfs.list("a").unwrap().into_iter().map(|e| (e.name, e.kind)).collect();
        assert_eq!(names, [("b".into(), FileKind::Directory), ("d".into(), FileKind::File)]);
        assert!(vfs.open("a/b/c", OpenMode::CreateNew).is_err());
        vfs.remove_dir_all("a").unwrap();
        assert!(!vfs.exists("a"));
        fs::remove_dir_all(&root).unwrap();
    }
}
