//! A file system in memory that forgets, tears and fails: crash tests are ordinary unit tests, reproducible from a seed.
//!
//! What survives [`SimVfs::crash`]:
//! - content: what was synced; of the rest, each 512-byte sector by a toss of the coin, and a length between the two;
//! - names: creations, removals and renames that [`Vfs::sync_dir`] of their directory made durable; of the others, in
//!   the order they were made, the first few (as a journaling file system does).

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io;
use std::sync::Arc;

use parking_lot::Mutex;

use super::errors::{EEXIST, EIO, EISDIR, ENOENT, ENOSPC, ENOTDIR, ENOTEMPTY};
use super::{DirEntry, FileKind, Metadata, OpenMode, Vfs, VfsFile, parent_of};

const SECTOR: usize = 512;

/// What [`SimVfs::crash`] did.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct CrashReport {
    /// Sectors written but not synced that are gone.
    pub lost_sectors: usize,
    /// Sectors written but not synced that survived by luck.
    pub kept_sectors: usize,
    /// Creations, removals and renames that are undone.
    pub lost_dir_changes: usize,
}

/// A simulated file system; clones are the same file system.
#[derive(Clone)]
pub struct SimVfs(Arc<Mutex<State>>);

struct State {
    random: u64,
    inodes: HashMap<u64, Inode>,
    next_inode: u64,
    /// The names as programs see them, and as a crash now would leave them at least.
    live: BTreeMap<String, Node>,
    durable: BTreeMap<String, Node>,
    /// Changes to `live` that are not yet in `durable`, oldest first.
    journal: Vec<Change>,
    generation: u64,
    operations: u64,
    kill_at: Option<u64>,
    syncs_until_failure: Option<u64>,
    free_space: Option<u64>,
}

/// Contents are shared with forks until one writes.
#[derive(Clone, Default)]
struct Inode {
    live: Arc<Vec<u8>>,
    durable: Arc<Vec<u8>>,
    /// Sectors of `live` that differ from what was synced.
    dirty: BTreeSet<usize>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
enum Node {
    File(u64),
    Dir,
    Symlink(String),
}

#[derive(Clone)]
enum Change {
    Add(String, Node),
    Remove(String),
    Rename(String, String),
}

impl Change {
    fn touches(&self, dir: &str) -> bool {
        match self {
            Change::Add(path, _) | Change::Remove(path) => parent_of(path) == dir,
            Change::Rename(from, to) => parent_of(from) == dir || parent_of(to) == dir,
        }
    }
    fn apply(&self, names: &mut BTreeMap<String, Node>) {
        match self {
            Change::Add(path, node) => _ = names.insert(path.clone(), node.clone()),
            Change::Remove(path) => _ = names.remove(path),
            Change::Rename(from, to) => rename_in(names, from, to),
        }
    }
}

/// Renames a file, or a directory with all below it.
fn rename_in(names: &mut BTreeMap<String, Node>, from: &str, to: &str) {
    if let Some(node) = names.remove(from) {
        names.insert(to.to_string(), node);
    }
    let prefix = format!("{from}/");
    let below: Vec<String> = names.range(prefix.clone()..).map(|(p, _)| p.clone()).collect();
    for path in below.into_iter().take_while(|p| p.starts_with(&prefix)) {
        if let Some(node) = names.remove(&path) {
            names.insert(format!("{to}/{}", &path[prefix.len()..]), node);
        }
    }
}

fn errno(code: i32) -> io::Error {
    io::Error::from_raw_os_error(code)
}

impl SimVfs {
    /// An empty file system; `seed` decides what survives crashes.
    pub fn new(seed: u64) -> SimVfs {
        SimVfs(Arc::new(Mutex::new(State {
            random: seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ 0xD1B5_4A32_D192_ED03,
            inodes: HashMap::new(),
            next_inode: 1,
            live: BTreeMap::new(),
            durable: BTreeMap::new(),
            journal: Vec::new(),
            generation: 0,
            operations: 0,
            kill_at: None,
            syncs_until_failure: None,
            free_space: None,
        })))
    }
    /// A file system of its own with what is durable here, for many runs from one beginning. Costs no copy of contents.
    pub fn fork(&self, seed: u64) -> SimVfs {
        let fork = SimVfs::new(seed);
        let (from, mut to) = (self.0.lock(), fork.0.lock());
        to.live.clone_from(&from.durable);
        to.durable.clone_from(&from.durable);
        let kept =
            |i: &Inode| Inode { live: Arc::clone(&i.durable), durable: Arc::clone(&i.durable), ..Inode::default() };
        to.inodes = from.inodes.iter().map(|(id, i)| (*id, kept(i))).collect();
        to.next_inode = from.next_inode;
        drop(to);
        fork
    }
    /// Power failure: what was not synced survives in part or not at all. Open files become invalid; faults end.
    pub fn crash(&self) -> CrashReport {
        let mut state = self.0.lock();
        let mut report = CrashReport::default();
        state.crash_names(&mut report);
        let mut ids: Vec<u64> = state.inodes.keys().copied().collect();
        ids.sort_unstable();
        for id in ids {
            state.crash_content(id, &mut report);
        }
        state.generation += 1;
        (state.kill_at, state.syncs_until_failure, state.free_space) = (None, None, None);
        report
    }
    /// Only this many more bytes can be allocated; `None` for no limit.
    pub fn set_free_space(&self, bytes: Option<u64>) {
        self.0.lock().free_space = bytes;
    }
    /// The n-th sync from now (1 is the next) fails with an I/O error.
    pub fn fail_sync(&self, nth: u64) {
        self.0.lock().syncs_until_failure = Some(nth);
    }
    /// After this many more operations (0: from now on) every operation fails, as if the machine were gone.
    pub fn kill_after(&self, operations: u64) {
        let mut state = self.0.lock();
        state.kill_at = Some(state.operations + operations);
    }
    /// Does every operation fail now?
    pub fn is_killed(&self) -> bool {
        let state = self.0.lock();
        state.kill_at.is_some_and(|at| state.operations >= at)
    }
    /// How many operations have been made: for choosing where to `kill_after`.
    pub fn operations(&self) -> u64 {
        self.0.lock().operations
    }
    fn begin(&self) -> io::Result<parking_lot::MutexGuard<'_, State>> {
        let mut state = self.0.lock();
        state.begin()?;
        Ok(state)
    }
}

impl State {
    fn begin(&mut self) -> io::Result<()> {
        if self.kill_at.is_some_and(|at| self.operations >= at) {
            return Err(errno(EIO));
        }
        self.operations += 1;
        Ok(())
    }
    fn next_random(&mut self) -> u64 {
        // xorshift*: small and good enough for tossing coins.
        self.random ^= self.random >> 12;
        self.random ^= self.random << 25;
        self.random ^= self.random >> 27;
        self.random.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }
    fn below(&mut self, n: usize) -> usize {
        (self.next_random() >> 11) as usize % n
    }
    fn change(&mut self, change: Change) {
        change.apply(&mut self.live);
        self.journal.push(change);
    }
    fn crash_names(&mut self, report: &mut CrashReport) {
        let journal = std::mem::take(&mut self.journal);
        let keep = self.below(journal.len() + 1);
        for change in &journal[..keep] {
            change.apply(&mut self.durable);
        }
        report.lost_dir_changes = journal.len() - keep;
        // A name in a directory that did not survive is gone.
        let durable = self.durable.clone();
        self.durable.retain(|path, _| {
            let mut at = parent_of(path);
            while !at.is_empty() && durable.get(at) == Some(&Node::Dir) {
                at = parent_of(at);
            }
            at.is_empty()
        });
        self.live = self.durable.clone();
        let used: BTreeSet<u64> =
            self.live.values().filter_map(|n| if let Node::File(i) = n { Some(*i) } else { None }).collect();
        self.inodes.retain(|id, _| used.contains(id));
    }
    fn crash_content(&mut self, id: u64, report: &mut CrashReport) {
        let Some(mut inode) = self.inodes.remove(&id) else { return };
        let (old, new) = (inode.durable.len(), inode.live.len());
        if inode.dirty.is_empty() && old == new {
            self.inodes.insert(id, inode);
            return;
        }
        let len = match self.below(3) {
            0 => old,
            1 => new,
            _ => old.min(new) + self.below(old.abs_diff(new) / SECTOR + 1) * SECTOR,
        };
        let mut durable = std::mem::take(&mut inode.durable);
        let content = Arc::make_mut(&mut durable);
        content.resize(len, 0);
        for sector in &inode.dirty {
            let from = sector * SECTOR;
            let end = (from + SECTOR).min(len).min(inode.live.len());
            if from < end && self.below(2) == 0 {
                content[from..end].copy_from_slice(&inode.live[from..end]);
                report.kept_sectors += 1;
            } else {
                report.lost_sectors += 1;
            }
        }
        self.inodes.insert(id, Inode { live: Arc::clone(&durable), durable, dirty: BTreeSet::new() });
    }
    /// Follows symbolic links in the path.
    fn resolve(&self, path: &str) -> String {
        let mut path = path.trim_start_matches("./").trim_end_matches('/').to_string();
        if path == "." {
            path.clear();
        }
        for _ in 0..8 {
            let link =
                path.char_indices().map(|(i, c)| if c == '/' { i } else { path.len() }).chain([path.len()]).find_map(
                    |end| match self.live.get(&path[..end]) {
                        Some(Node::Symlink(target)) => Some((end, target.clone())),
                        _ => None,
                    },
                );
            let Some((end, target)) = link else { break };
            path = format!("{target}{}", &path[end..]);
        }
        path
    }
    fn check_parent(&self, path: &str) -> io::Result<()> {
        match parent_of(path) {
            "" => Ok(()),
            parent => match self.live.get(parent) {
                Some(Node::Dir) => Ok(()),
                Some(_) => Err(errno(ENOTDIR)),
                None => Err(errno(ENOENT)),
            },
        }
    }
    fn has_children(&self, path: &str) -> bool {
        let prefix = format!("{path}/");
        self.live.range(prefix.clone()..).next().is_some_and(|(p, _)| p.starts_with(&prefix))
    }
    fn take_space(&mut self, bytes: usize) -> io::Result<()> {
        match &mut self.free_space {
            Some(free) if *free < bytes as u64 => Err(errno(ENOSPC)),
            Some(free) => {
                *free -= bytes as u64;
                Ok(())
            }
            None => Ok(()),
        }
    }
    fn sync_point(&mut self) -> io::Result<()> {
        if let Some(n) = &mut self.syncs_until_failure {
            *n -= 1;
            if *n == 0 {
                self.syncs_until_failure = None;
                return Err(errno(EIO));
            }
        }
        Ok(())
    }
    fn resize(&mut self, id: u64, len: usize) -> io::Result<()> {
        let old = self.inodes.get(&id).ok_or_else(|| errno(ENOENT))?.live.len();
        if len > old {
            self.take_space(len - old)?;
        } else if let Some(free) = &mut self.free_space {
            *free += (old - len) as u64;
        }
        let inode = self.inodes.get_mut(&id).ok_or_else(|| errno(ENOENT))?;
        Arc::make_mut(&mut inode.live).resize(len, 0);
        // The zeroes of an extension are content that a crash may take back, also over what was there before.
        inode.dirty.extend(old.min(len) / SECTOR..len.max(old).div_ceil(SECTOR));
        Ok(())
    }
}

impl Vfs for SimVfs {
    fn open(&self, path: &str, mode: OpenMode) -> io::Result<Box<dyn VfsFile>> {
        let mut state = self.begin()?;
        let path = state.resolve(path);
        let existing = match state.live.get(&path) {
            Some(Node::File(id)) => Some(*id),
            Some(_) => return Err(errno(EISDIR)),
            None => None,
        };
        let id = match (existing, mode) {
            (Some(_), OpenMode::CreateNew) => return Err(errno(EEXIST)),
            (Some(id), _) => id,
            (None, OpenMode::Read | OpenMode::ReadWrite) => return Err(errno(ENOENT)),
            (None, _) => {
                state.check_parent(&path)?;
                let id = state.next_inode;
                state.next_inode += 1;
                state.inodes.insert(id, Inode::default());
                state.change(Change::Add(path, Node::File(id)));
                id
            }
        };
        if mode == OpenMode::Truncate {
            state.resize(id, 0)?;
        }
        let generation = state.generation;
        Ok(Box::new(SimFile { vfs: self.clone(), id, generation, writable: mode != OpenMode::Read }))
    }
    fn remove_file(&self, path: &str) -> io::Result<()> {
        let mut state = self.begin()?;
        match state.live.get(path) {
            Some(Node::Dir) => Err(errno(EISDIR)),
            Some(_) => {
                state.change(Change::Remove(path.to_string()));
                Ok(())
            }
            None => {
                let resolved = state.resolve(path);
                match state.live.get(&resolved) {
                    Some(Node::File(_)) => {
                        state.change(Change::Remove(resolved));
                        Ok(())
                    }
                    _ => Err(errno(ENOENT)),
                }
            }
        }
    }
    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let mut state = self.begin()?;
        let (from, to) = (state.resolve(from), state.resolve(to));
        let source = state.live.get(&from).cloned().ok_or_else(|| errno(ENOENT))?;
        state.check_parent(&to)?;
        match (source, state.live.get(&to)) {
            (Node::Dir, Some(Node::Dir)) if state.has_children(&to) => return Err(errno(ENOTEMPTY)),
            (Node::Dir, Some(Node::File(_))) => return Err(errno(ENOTDIR)),
            (Node::File(_), Some(Node::Dir)) => return Err(errno(EISDIR)),
            _ => {}
        }
        state.change(Change::Rename(from, to));
        Ok(())
    }
    fn create_dir(&self, path: &str) -> io::Result<()> {
        let mut state = self.begin()?;
        let path = state.resolve(path);
        if path.is_empty() || state.live.contains_key(&path) {
            return Err(errno(EEXIST));
        }
        state.check_parent(&path)?;
        state.change(Change::Add(path, Node::Dir));
        Ok(())
    }
    fn remove_dir(&self, path: &str) -> io::Result<()> {
        let mut state = self.begin()?;
        let path = state.resolve(path);
        match state.live.get(&path) {
            Some(Node::Dir) if state.has_children(&path) => Err(errno(ENOTEMPTY)),
            Some(Node::Dir) => {
                state.change(Change::Remove(path));
                Ok(())
            }
            Some(_) => Err(errno(ENOTDIR)),
            None => Err(errno(ENOENT)),
        }
    }
    fn list(&self, path: &str) -> io::Result<Vec<DirEntry>> {
        let state = self.begin()?;
        let path = state.resolve(path);
        if !path.is_empty() && state.live.get(&path) != Some(&Node::Dir) {
            return Err(errno(ENOENT));
        }
        let children = state.live.iter().filter(|(p, _)| parent_of(p) == path && !p.is_empty());
        Ok(children
            .map(|(p, node)| DirEntry {
                name: p.rsplit('/').next().unwrap_or(p).to_string(),
                kind: match node {
                    Node::File(_) => FileKind::File,
                    Node::Dir => FileKind::Directory,
                    Node::Symlink(_) => FileKind::Symlink,
                },
            })
            .collect())
    }
    fn metadata(&self, path: &str) -> io::Result<Metadata> {
        let state = self.begin()?;
        let path = state.resolve(path);
        if path.is_empty() {
            return Ok(Metadata { kind: FileKind::Directory, len: 0, modified: 0 });
        }
        match state.live.get(&path) {
            Some(Node::File(id)) => {
                let len = state.inodes.get(id).map_or(0, |i| i.live.len() as u64);
                Ok(Metadata { kind: FileKind::File, len, modified: 0 })
            }
            Some(_) => Ok(Metadata { kind: FileKind::Directory, len: 0, modified: 0 }),
            None => Err(errno(ENOENT)),
        }
    }
    fn sync_dir(&self, path: &str) -> io::Result<()> {
        let mut state = self.begin()?;
        let path = state.resolve(path);
        state.sync_point()?;
        let (now, later): (Vec<Change>, Vec<Change>) = state.journal.drain(..).partition(|c| c.touches(&path));
        for change in now {
            change.apply(&mut state.durable);
        }
        state.journal = later;
        Ok(())
    }
    fn symlink(&self, target: &str, link: &str) -> io::Result<()> {
        let mut state = self.begin()?;
        if state.live.contains_key(link) {
            return Err(errno(EEXIST));
        }
        state.check_parent(link)?;
        state.change(Change::Add(link.to_string(), Node::Symlink(target.to_string())));
        Ok(())
    }
    fn read_link(&self, path: &str) -> io::Result<String> {
        match self.begin()?.live.get(path) {
            Some(Node::Symlink(target)) => Ok(target.clone()),
            Some(_) => Err(errno(super::errors::EINVAL)),
            None => Err(errno(ENOENT)),
        }
    }
}

struct SimFile {
    vfs: SimVfs,
    id: u64,
    generation: u64,
    writable: bool,
}

impl SimFile {
    fn begin(&self) -> io::Result<parking_lot::MutexGuard<'_, State>> {
        let mut state = self.vfs.0.lock();
        if state.generation != self.generation {
            return Err(errno(EIO));
        }
        state.begin()?;
        Ok(state)
    }
    fn begin_write(&self) -> io::Result<parking_lot::MutexGuard<'_, State>> {
        match self.writable {
            true => self.begin(),
            false => Err(errno(super::errors::EBADF)),
        }
    }
    fn sync(&self) -> io::Result<()> {
        let mut state = self.begin()?;
        state.sync_point()?;
        let inode = state.inodes.entry(self.id).or_default();
        let dirty = std::mem::take(&mut inode.dirty);
        if dirty.is_empty() && inode.durable.len() == inode.live.len() {
            return Ok(());
        }
        let durable = Arc::make_mut(&mut inode.durable);
        durable.resize(inode.live.len(), 0);
        for sector in dirty {
            let from = sector * SECTOR;
            let end = (from + SECTOR).min(inode.live.len());
            if from < end {
                durable[from..end].copy_from_slice(&inode.live[from..end]);
            }
        }
        Ok(())
    }
}

impl VfsFile for SimFile {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let state = self.begin()?;
        let content = state.inodes.get(&self.id).map_or(&[][..], |i| &i.live[..]);
        let rest = content.get(offset as usize..).unwrap_or(&[]);
        let n = rest.len().min(buffer.len());
        buffer[..n].copy_from_slice(&rest[..n]);
        Ok(n)
    }
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<usize> {
        let mut state = self.begin_write()?;
        let (from, end) = (offset as usize, offset as usize + bytes.len());
        if state.inodes.get(&self.id).is_none_or(|i| i.live.len() < end) {
            state.resize(self.id, end)?;
        }
        let inode = state.inodes.get_mut(&self.id).ok_or_else(|| errno(ENOENT))?;
        Arc::make_mut(&mut inode.live)[from..end].copy_from_slice(bytes);
        if !bytes.is_empty() {
            inode.dirty.extend(from / SECTOR..=(end - 1) / SECTOR);
        }
        Ok(bytes.len())
    }
    fn len(&self) -> io::Result<u64> {
        Ok(self.begin()?.inodes.get(&self.id).map_or(0, |i| i.live.len() as u64))
    }
    fn set_len(&self, len: u64) -> io::Result<()> {
        self.begin_write()?.resize(self.id, len as usize)
    }
    fn sync_data(&self) -> io::Result<()> {
        self.sync()
    }
    fn sync_all(&self) -> io::Result<()> {
        self.sync()
    }
    fn allocate(&self, offset: u64, len: u64) -> io::Result<()> {
        let mut state = self.begin_write()?;
        let end = (offset + len) as usize;
        if state.inodes.get(&self.id).is_none_or(|i| i.live.len() < end) {
            state.resize(self.id, end)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn synced_survives_unsynced_may_not() {
        let (mut kept, mut lost) = (0, 0);
        for seed in 0..50 {
            let vfs = SimVfs::new(seed);
            vfs.create_dir("d").unwrap();
            vfs.sync_dir("").unwrap();
            let file = vfs.open("d/f", OpenMode::Create).unwrap();
            file.write_all_at(&[1; 4096], 0).unwrap();
            file.sync_data().unwrap();
            vfs.sync_dir("d").unwrap();
            file.write_all_at(&[2; 2048], 1024).unwrap();
            file.write_all_at(&[3; 512], 4096).unwrap();
            vfs.write_file("d/g", b"x").unwrap();
            let report = vfs.crash();
            assert!(file.len().is_err());
            let bytes = vfs.read_file("d/f").unwrap();
            assert!(bytes.len() >= 4096 && bytes[..1024] == [1; 1024] && bytes[3072..4096] == [1; 1024]);
            assert!(bytes[1024..3072].chunks(512).all(|s| s == [1; 512] || s == [2; 512]));
            kept += report.kept_sectors;
            lost += report.lost_sectors;
        }
        assert!(kept > 50 && lost > 50);
    }

    #[test]
    fn durable_write_is_old_or_new() {
        for seed in 0..200 {
            let vfs = SimVfs::new(seed);
            vfs.write_file_durably("f", b"old").unwrap();
            vfs.kill_after(seed % 9);
            let done = vfs.write_file_durably("f", b"new content").is_ok();
            vfs.crash();
            let bytes = vfs.read_file("f").unwrap();
            assert!(bytes == b"new content" || (!done && bytes == b"old"), "seed {seed}: {bytes:?}");
        }
    }

    #[test]
    fn forks_go_their_own_way() {
        let vfs = SimVfs::new(1);
        vfs.write_file_durably("f", b"old").unwrap();
        let fork = vfs.fork(2);
        vfs.write_file_durably("f", b"new").unwrap();
        fork.write_file("g", b"x").unwrap();
        assert_eq!(fork.read_file("f").unwrap(), b"old");
        assert!(!vfs.exists("g"));
    }

    #[test]
    fn faults() {
        let vfs = SimVfs::new(1);
        let file = vfs.open("f", OpenMode::Create).unwrap();
        vfs.set_free_space(Some(1000));
        file.write_all_at(&[0; 1000], 0).unwrap();
        assert_eq!(file.write_all_at(&[0; 1], 1000).unwrap_err().raw_os_error(), Some(ENOSPC));
        vfs.fail_sync(2);
        file.sync_data().unwrap();
        assert!(file.sync_data().is_err());
        file.sync_data().unwrap();
        vfs.kill_after(1);
        file.len().unwrap();
        assert!(file.len().is_err());
    }

    #[test]
    fn names() {
        let vfs = SimVfs::new(1);
        vfs.create_dir_all("a/b").unwrap();
        vfs.write_file("a/b/c", b"1").unwrap();
        vfs.rename("a", "z").unwrap();
        assert_eq!(vfs.read_file("z/b/c").unwrap(), b"1");
        vfs.symlink("z/b", "link").unwrap();
        assert_eq!(vfs.read_file("link/c").unwrap(), b"1");
        assert_eq!(vfs.remove_dir("z").unwrap_err().raw_os_error(), Some(ENOTEMPTY));
        assert!(vfs.open("y/x", OpenMode::Create).is_err());
        vfs.remove_dir_all("z").unwrap();
        assert!(!vfs.exists("z/b/c"));
    }
}
