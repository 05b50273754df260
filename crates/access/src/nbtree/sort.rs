//! Sorting index tuples for a build: in memory, and beyond a limit in runs in a temporary file that are merged.
//! (PostgreSQL: `tuplesort.c` as `nbtsort.c` uses it)

use std::cmp::Ordering;
use std::sync::Arc;

use base::{PgError, Result};
use storage::vfs::{IoContext, OpenMode, VfsFile};
use storage::{Vfs, prefetch};
use types::DatumRef;

use super::search::{Tree, compare_plain};
use super::tuple;
use crate::index::KeyOrder;

/// Where temporary files lie. (PostgreSQL: `PG_TEMP_FILES_DIR`)
const DIRECTORY: &str = "base/pgsql_tmp";
/// Sorted tuples lie all over the buffer: how many before its turn one is asked for.
pub(super) const AHEAD: usize = 12;
/// Bytes read at a time from a run.
const CHUNK: usize = 256 * 1024;

/// Tuples to be sorted. They lie in one buffer; a prefix of the first column decides most comparisons.
pub(super) struct Sorter {
    bytes: Vec<u8>,
    entries: Vec<Entry>,
    count: u64,
    /// Bytes that may be used.
    memory: usize,
    runs: Vec<Run>,
    file: Option<TemporaryFile>,
}

#[derive(Clone, Copy)]
struct Entry {
    /// Orders as the first column does, as far as eight bytes can; equal ones are compared in full.
    prefix: u64,
    at: usize,
    /// Dead rows do not count for uniqueness.
    alive: bool,
}

/// Where a sorted run lies in the file: a byte for `alive`, then the tuple, and so on.
#[derive(Clone, Copy)]
struct Run {
    start: u64,
    end: u64,
}

/// Goes away when dropped.
struct TemporaryFile {
    vfs: Arc<dyn Vfs>,
    path: String,
    file: Box<dyn VfsFile>,
    len: u64,
}

impl Drop for TemporaryFile {
    fn drop(&mut self) {
        let _ = self.vfs.remove_file(&self.path);
    }
}

impl Sorter {
    pub fn new(memory: usize) -> Sorter {
        let memory = memory.max(64 * 1024);
        Sorter { bytes: Vec::new(), entries: Vec::new(), count: 0, memory, runs: Vec::new(), file: None }
    }
    pub fn len(&self) -> u64 {
        self.count
    }
    pub fn push(&mut self, tree: &Tree<'_>, t: &[u8], alive: bool) -> Result<()> {
        if self.bytes.len() + t.len() + (self.entries.len() + 1) * size_of::<Entry>() > self.memory {
            self.spill(tree)?;
        }
        let prefix = match tree.index.keys.first() {
            Some(order) => prefix_of(order, tree.index.layout.index_attr(t, tree.all_columns(), 0)?)?,
            None => 0,
        };
        self.entries.push(Entry { prefix, at: self.bytes.len(), alive });
        self.bytes.extend_from_slice(t);
        self.count += 1;
        Ok(())
    }
    fn tuple(&self, at: usize) -> &[u8] {
        let rest = &self.bytes[at..];
        &rest[..tuple::size(rest)]
    }
    fn sort(&mut self, tree: &Tree<'_>) -> Result<()> {
        let mut failure = None;
        let mut entries = std::mem::take(&mut self.entries);
        entries.sort_unstable_by(|a, b| {
            a.prefix.cmp(&b.prefix).then_with(|| {
                compare(tree, self.tuple(a.at), self.tuple(b.at)).unwrap_or_else(|e| {
                    failure = Some(e);
                    Ordering::Equal
                })
            })
        });
        self.entries = entries;
        failure.map_or(Ok(()), Err)
    }
    /// Writes what is in memory as a sorted run.
    fn spill(&mut self, tree: &Tree<'_>) -> Result<()> {
        if self.entries.is_empty() {
            return Ok(());
        }
        self.sort(tree)?;
        if self.file.is_none() {
            self.file = Some(TemporaryFile::create(tree)?);
        }
        let Some(mut file) = self.file.take() else { return Ok(()) };
        let start = file.len;
        let mut chunk = Vec::with_capacity(CHUNK + 8192);
        for (i, e) in self.entries.iter().enumerate() {
            if let Some(soon) = self.entries.get(i + AHEAD) {
                prefetch(&self.bytes, soon.at);
            }
            chunk.push(u8::from(e.alive));
            chunk.extend_from_slice(self.tuple(e.at));
            if chunk.len() >= CHUNK {
                file.append(&chunk)?;
                chunk.clear();
            }
        }
        file.append(&chunk)?;
        self.runs.push(Run { start, end: file.len });
        self.file = Some(file);
        self.entries.clear();
        self.bytes.clear();
        Ok(())
    }
    /// Hands over all tuples in order.
    pub fn drain(mut self, tree: &Tree<'_>, each: &mut dyn FnMut(&[u8], bool) -> Result<()>) -> Result<()> {
        if self.runs.is_empty() {
            self.sort(tree)?;
            return self.entries.iter().enumerate().try_for_each(|(i, e)| {
                if let Some(soon) = self.entries.get(i + AHEAD) {
                    prefetch(&self.bytes, soon.at);
                }
                each(self.tuple(e.at), e.alive)
            });
        }
        self.spill(tree)?;
        let Some(file) = &self.file else { return Err(PgError::internal("sorted runs without a file")) };
        let mut heads = Vec::with_capacity(self.runs.len());
        for run in &self.runs {
            let mut reader = RunReader { next: run.start, end: run.end, buffer: Vec::new(), at: 0 };
            if reader.advance(file)? {
                heads.push(reader);
            }
        }
        // A heap of the runs' first tuples, the least on top.
        for i in (0..heads.len() / 2).rev() {
            sift_down(tree, &mut heads, i)?;
        }
        while let Some(least) = heads.first_mut() {
            let (t, alive) = least.current();
            each(t, alive)?;
            if !least.advance(file)? {
                heads.swap_remove(0);
            }
            sift_down(tree, &mut heads, 0)?;
        }
        Ok(())
    }
}

impl TemporaryFile {
    fn create(tree: &Tree<'_>) -> Result<TemporaryFile> {
        let vfs = tree.pool.smgr().vfs().clone();
        vfs.create_dir_all(DIRECTORY).or_pg("create directory", DIRECTORY)?;
        // An index is built by one at a time.
        let l = tree.index.locator;
        let path = format!("{DIRECTORY}/pgsql_tmp.{}.{}.{}", l.spc, l.db, l.rel);
        let file = vfs.open(&path, OpenMode::Truncate).or_pg("create temporary file", &path)?;
        Ok(TemporaryFile { vfs, path, file, len: 0 })
    }
    fn append(&mut self, bytes: &[u8]) -> Result<()> {
        self.file.write_all_at(bytes, self.len).or_pg("write to file", &self.path)?;
        self.len += bytes.len() as u64;
        Ok(())
    }
}

/// Reads a run, a chunk at a time.
struct RunReader {
    next: u64,
    end: u64,
    buffer: Vec<u8>,
    /// Behind the current tuple's flag.
    at: usize,
}

impl RunReader {
    fn current(&self) -> (&[u8], bool) {
        let rest = &self.buffer[self.at..];
        (&rest[..tuple::size(rest)], self.buffer[self.at - 1] != 0)
    }
    /// Steps to the next tuple; `false` at the end.
    fn advance(&mut self, file: &TemporaryFile) -> Result<bool> {
        if self.at > 0 {
            self.at += tuple::size(&self.buffer[self.at..]);
        }
        // The largest tuple with its flag fits what is left, or more is read.
        if self.buffer.len() - self.at < base::BLCKSZ && self.next < self.end {
            self.buffer.drain(..self.at);
            let old = self.buffer.len();
            let more = (self.end - self.next).min(CHUNK as u64) as usize;
            self.buffer.resize(old + more, 0);
            let n = storage::vfs::read_full(&*file.file, &mut self.buffer[old..], self.next)
                .or_pg("read from file", &file.path)?;
            if n != more {
                return Err(PgError::internal(format!("unexpected end of temporary file \"{}\"", file.path)));
            }
            self.next += more as u64;
            self.at = 0;
        }
        if self.at >= self.buffer.len() {
            return Ok(false);
        }
        self.at += 1;
        Ok(true)
    }
}

fn sift_down(tree: &Tree<'_>, heads: &mut [RunReader], mut i: usize) -> Result<()> {
    loop {
        let mut least = i;
        for child in [2 * i + 1, 2 * i + 2] {
            if child < heads.len()
                && compare(tree, heads[child].current().0, heads[least].current().0)? == Ordering::Less
            {
                least = child;
            }
        }
        if least == i {
            return Ok(());
        }
        heads.swap(i, least);
        i = least;
    }
}

/// By keys, then by row place.
pub(super) fn compare(tree: &Tree<'_>, a: &[u8], b: &[u8]) -> Result<Ordering> {
    Ok(compare_keys(tree, a, b)?.then_with(|| tuple::raw_tid(a).cmp(&tuple::raw_tid(b))))
}
pub(super) fn compare_keys(tree: &Tree<'_>, a: &[u8], b: &[u8]) -> Result<Ordering> {
    let (layout, all) = (&tree.index.layout, tree.all_columns());
    for (i, key) in tree.index.keys.iter().enumerate() {
        let (a, b) = (layout.index_attr(a, all, i)?, layout.index_attr(b, all, i)?);
        let order = match (a.is_null(), b.is_null()) {
            (true, true) => Ordering::Equal,
            (false, false) if key.descending => compare_plain(&key.compare, b, a)?,
            (false, false) => compare_plain(&key.compare, a, b)?,
            (a_null, _) if a_null == key.nulls_first => Ordering::Less,
            _ => Ordering::Greater,
        };
        if order != Ordering::Equal {
            return Ok(order);
        }
    }
    Ok(Ordering::Equal)
}
pub(super) fn prefix_of(order: &KeyOrder, value: DatumRef<'_>) -> Result<u64> {
    let prefix = match value {
        DatumRef::Null => return Ok(if order.nulls_first { 0 } else { u64::MAX }),
        // All the same: compared in full.
        _ if order.compare.has_prefix().is_none() => return Ok(u64::MAX / 2),
        DatumRef::Toasted(_) => order.compare.prefix(super::plain(value)?.as_ref()),
        value => order.compare.prefix(value),
    };
    Ok(if order.descending { !prefix } else { prefix })
}
