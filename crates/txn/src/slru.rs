//! Pages of `pg_xact` and its like, cached and written back. (PostgreSQL: `slru.c`)
//!
//! A page is number `n` of a series; 32 pages make a file named in hexadecimal. Pages are written before their log only
//! up to what was flushed: each remembers the LSN that must be durable first.
//!
//! Latch order: the cache's map, then a page's bytes.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use base::{BLCKSZ, Lsn, PgError, Result, Xid};
use hashbrown::HashMap;
use parking_lot::{Mutex, RwLock, RwLockReadGuard};
use storage::Smgr;
use storage::vfs::{FileKind, IoContext, OpenMode, read_full};
use wal::Wal;

/// (PostgreSQL: `SLRU_PAGES_PER_SEGMENT`)
const PAGES_PER_SEGMENT: u64 = 32;

pub(crate) struct SlruPage {
    number: u64,
    bytes: RwLock<Box<[u8]>>,
    dirty: AtomicBool,
    /// The log must be flushed up to here before the page is written.
    lsn: AtomicU64,
    used: AtomicU64,
}

impl SlruPage {
    pub fn read(&self) -> RwLockReadGuard<'_, Box<[u8]>> {
        self.bytes.read()
    }
    /// Changes the page; it is written back later, after the log up to `lsn`.
    pub fn change<T>(&self, lsn: Lsn, change: impl FnOnce(&mut [u8]) -> T) -> T {
        let mut bytes = self.bytes.write();
        let result = change(&mut bytes);
        self.lsn.fetch_max(lsn.0, Ordering::AcqRel);
        self.dirty.store(true, Ordering::Release);
        result
    }
}

pub(crate) struct Slru {
    dir: &'static str,
    wal: Arc<Wal>,
    smgr: Arc<Smgr>,
    capacity: usize,
    pages: Mutex<HashMap<u64, Arc<SlruPage>>>,
    clock: AtomicU64,
    /// Never evicted.
    latest: AtomicU64,
}

impl Slru {
    pub fn new(dir: &'static str, wal: Arc<Wal>, smgr: Arc<Smgr>, capacity: usize) -> Slru {
        Slru {
            dir,
            wal,
            smgr,
            capacity: capacity.max(8),
            pages: Mutex::default(),
            clock: AtomicU64::new(0),
            latest: AtomicU64::new(0),
        }
    }
    fn path(&self, page: u64) -> String {
        format!("{}/{:04X}", self.dir, page / PAGES_PER_SEGMENT)
    }
    fn offset(page: u64) -> u64 {
        page % PAGES_PER_SEGMENT * BLCKSZ as u64
    }
    pub fn set_latest(&self, page: u64) {
        self.latest.store(page, Ordering::Relaxed);
    }

    /// The page, read if it is not here. `xid` is for the error.
    pub fn page(&self, number: u64, xid: Xid) -> Result<Arc<SlruPage>> {
        let mut pages = self.pages.lock();
        let now = self.clock.fetch_add(1, Ordering::Relaxed);
        if let Some(page) = pages.get(&number) {
            page.used.store(now, Ordering::Relaxed);
            return Ok(Arc::clone(page));
        }
        self.make_room(&mut pages)?;
        let bytes = self.read_file(number, xid)?;
        Ok(self.add(&mut pages, number, bytes, false))
    }
    /// A new page of zeroes; it replaces what there may be.
    pub fn zero_page(&self, number: u64) -> Result<Arc<SlruPage>> {
        let mut pages = self.pages.lock();
        pages.remove(&number);
        self.make_room(&mut pages)?;
        self.set_latest(number);
        Ok(self.add(&mut pages, number, vec![0; BLCKSZ].into(), true))
    }
    fn add(
        &self,
        pages: &mut HashMap<u64, Arc<SlruPage>>,
        number: u64,
        bytes: Box<[u8]>,
        dirty: bool,
    ) -> Arc<SlruPage> {
        let page = Arc::new(SlruPage {
            number,
            bytes: RwLock::new(bytes),
            dirty: AtomicBool::new(dirty),
            lsn: AtomicU64::new(0),
            used: AtomicU64::new(self.clock.load(Ordering::Relaxed)),
        });
        pages.insert(number, Arc::clone(&page));
        page
    }
    /// Evicts the page unused for longest. Nobody else can have it: it is handed out under the map's mutex only.
    fn make_room(&self, pages: &mut HashMap<u64, Arc<SlruPage>>) -> Result<()> {
        while pages.len() >= self.capacity {
            let latest = self.latest.load(Ordering::Relaxed);
            let victim = pages
                .values()
                .filter(|p| Arc::strong_count(p) == 1 && p.number != latest)
                .min_by_key(|p| p.used.load(Ordering::Relaxed))
                .map(Arc::clone);
            let Some(victim) = victim else { return Ok(()) };
            self.write_page(&victim)?;
            pages.remove(&victim.number);
        }
        Ok(())
    }
    fn read_file(&self, number: u64, xid: Xid) -> Result<Box<[u8]>> {
        let path = self.path(number);
        let mut bytes: Box<[u8]> = vec![0; BLCKSZ].into();
        let failed = |e: PgError| {
            let mut error = PgError::new(e.sqlstate(), format!("could not access status of transaction {xid}"))
                .detail(format!("{}.", e.message().replacen("could not", "Could not", 1)));
            error.fields_mut().severity = e.severity();
            error
        };
        let file = match self.smgr.vfs().open(&path, OpenMode::Read) {
            Ok(file) => file,
            // A later record removes the file: its content does not matter.
            Err(e) if e.kind() == std::io::ErrorKind::NotFound && self.wal.in_recovery() => return Ok(bytes),
            Err(e) => return Err(e).or_pg("open file", &path).map_err(failed),
        };
        let n = read_full(&*file, &mut bytes, Slru::offset(number)).or_pg("read file", &path).map_err(failed)?;
        if n != BLCKSZ && !self.wal.in_recovery() {
            return Err(failed(PgError::new(
                base::sqlstate::DATA_CORRUPTED,
                format!("could not read from file \"{path}\" at offset {}: read too few bytes", Slru::offset(number)),
            )));
        }
        Ok(bytes)
    }
    fn write_page(&self, page: &SlruPage) -> Result<()> {
        if !page.dirty.swap(false, Ordering::AcqRel) {
            return Ok(());
        }
        let (copy, lsn) = {
            let bytes = page.bytes.read();
            (bytes.clone(), Lsn(page.lsn.load(Ordering::Acquire)))
        };
        let write = || -> Result<()> {
            self.wal.flush(lsn)?;
            let path = self.path(page.number);
            let file = self.smgr.vfs().open(&path, OpenMode::Create).or_pg("open file", &path)?;
            file.write_all_at(&copy, Slru::offset(page.number)).or_pg("write file", &path)?;
            self.smgr.register_sync(&path);
            Ok(())
        };
        write().inspect_err(|_| page.dirty.store(true, Ordering::Release))
    }
    /// Writes all dirty pages; their files are synced by the checkpoint. (PostgreSQL: `SimpleLruWriteAll`)
    pub fn write_all(&self) -> Result<()> {
        let pages: Vec<_> = self.pages.lock().values().map(Arc::clone).collect();
        pages.iter().try_for_each(|page| self.write_page(page))
    }
    /// Removes the files whose pages all lie before `cutoff`, in the order that `precedes` says.
    /// (PostgreSQL: `SimpleLruTruncate`)
    pub fn truncate(&self, cutoff: u64, precedes: impl Fn(u64, u64) -> bool) -> Result<()> {
        let cutoff = cutoff - cutoff % PAGES_PER_SEGMENT;
        let mut pages = self.pages.lock();
        pages.retain(|n, _| !precedes(n - n % PAGES_PER_SEGMENT, cutoff));
        for (name, first) in self.files()? {
            if precedes(first, cutoff) && precedes(first + PAGES_PER_SEGMENT - 1, cutoff) {
                let path = format!("{}/{name}", self.dir);
                self.smgr.vfs().remove_file(&path).or_pg("remove file", &path)?;
            }
        }
        Ok(())
    }
    /// The files there are, each with its first page.
    fn files(&self) -> Result<Vec<(String, u64)>> {
        let entries = self.smgr.vfs().list(self.dir).or_pg("open directory", self.dir)?;
        let files = entries.into_iter().filter(|e| e.kind == FileKind::File);
        Ok(files
            .filter(|e| (4..=6).contains(&e.name.len()))
            .filter_map(|e| u64::from_str_radix(&e.name, 16).ok().map(|n| (e.name, n * PAGES_PER_SEGMENT)))
            .collect())
    }
    /// Is the page here or in its file?
    pub fn exists(&self, number: u64) -> bool {
        let in_file = || {
            let end = Slru::offset(number) + BLCKSZ as u64;
            self.smgr.vfs().metadata(&self.path(number)).is_ok_and(|m| m.len >= end)
        };
        self.pages.lock().contains_key(&number) || in_file()
    }
}
