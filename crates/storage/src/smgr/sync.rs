//! What the next checkpoint must fsync, and which files it may then remove. (PostgreSQL: `sync.c`)

use std::collections::{HashMap, HashSet};
use std::io;
use std::sync::atomic::{AtomicU32, Ordering};

use base::{Oid, Result};
use parking_lot::Mutex;

use super::{panic_error, path};
use crate::vfs::{IoContext, OpenMode, Vfs, parent_of};

pub(super) struct SyncQueue {
    /// Counts calls of `sync_all`: a request belongs to the sync that takes its cycle's list.
    cycle: AtomicU32,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Files to be synced, with the cycle of the last request.
    files: HashMap<String, u32>,
    dirs: HashSet<String>,
    /// Files to be removed, with the checkpoint that must be over first.
    unlinks: Vec<(String, u32)>,
    checkpoint: u32,
}

impl SyncQueue {
    pub(super) fn new() -> SyncQueue {
        SyncQueue { cycle: AtomicU32::new(0), state: Mutex::default() }
    }
    pub(super) fn cycle(&self) -> u32 {
        self.cycle.load(Ordering::SeqCst)
    }
    pub(super) fn register(&self, path: &str) {
        let mut state = self.state.lock();
        let cycle = self.cycle();
        match state.files.get_mut(path) {
            Some(entry) => *entry = cycle,
            None => _ = state.files.insert(path.to_string(), cycle),
        }
    }
    pub(super) fn register_dir(&self, dir: &str) {
        self.state.lock().dirs.insert(dir.to_string());
    }
    pub(super) fn register_unlink(&self, path: &str) {
        let mut state = self.state.lock();
        let checkpoint = state.checkpoint;
        state.unlinks.push((path.to_string(), checkpoint));
    }
    pub(super) fn cancel_unlink(&self, path: &str) {
        self.state.lock().unlinks.retain(|(p, _)| p != path);
    }
    pub(super) fn forget(&self, path: &str) {
        self.state.lock().files.remove(path);
    }
    pub(super) fn forget_database(&self, db: Oid) {
        let of_database = |file: &str| {
            let mut parts = parent_of(file).split('/');
            match parts.next() {
                Some("base") => parts.next() == Some(&db.to_string()),
                Some("pg_tblspc") => parts.nth(2) == Some(&db.to_string()),
                _ => false,
            }
        };
        let default_dir = path::database_dir(db, path::DEFAULT_TABLESPACE);
        let mut state = self.state.lock();
        state.files.retain(|file, _| !of_database(file));
        state.unlinks.retain(|(file, _)| !of_database(file));
        state.dirs.retain(|dir| *dir != default_dir && !of_database(&format!("{dir}/x")));
    }

    pub(super) fn pre_checkpoint(&self) {
        self.state.lock().checkpoint += 1;
    }
    pub(super) fn sync_all(&self, vfs: &dyn Vfs) -> Result<usize> {
        let (dirs, files) = {
            let mut state = self.state.lock();
            // Requests from here on carry the next number and stay for the next sync.
            let old = self.cycle.fetch_add(1, Ordering::SeqCst);
            let mut files: Vec<String> = Vec::new();
            files.extend(state.files.iter().filter(|(_, cycle)| **cycle <= old).map(|(path, _)| path.clone()));
            let mut dirs: Vec<String> = state.dirs.drain().collect();
            dirs.sort();
            files.sort();
            (dirs, files)
        };
        let taken = self.cycle().wrapping_sub(1);
        for path in &files {
            self.sync_file(vfs, path, taken)?;
        }
        for dir in &dirs {
            match vfs.sync_dir(dir) {
                // Dropped in the meantime.
                Err(e) if e.kind() == io::ErrorKind::NotFound => {}
                other => other.map_err(|e| panic_error(dir, &e))?,
            }
        }
        Ok(files.len())
    }
    fn sync_file(&self, vfs: &dyn Vfs, path: &str, taken: u32) -> Result<()> {
        if !self.state.lock().files.contains_key(path) {
            return Ok(());
        }
        match vfs.open(path, OpenMode::ReadWrite).and_then(|file| file.sync_data()) {
            Ok(()) => {}
            Err(e) if e.kind() == io::ErrorKind::NotFound && !self.state.lock().files.contains_key(path) => {
                return Ok(());
            }
            Err(e) => return Err(panic_error(path, &e)),
        }
        let mut state = self.state.lock();
        if state.files.get(path).is_some_and(|cycle| *cycle <= taken) {
            state.files.remove(path);
        }
        Ok(())
    }
    pub(super) fn post_checkpoint(&self, vfs: &dyn Vfs) -> Result<()> {
        let due: Vec<String> = {
            let mut state = self.state.lock();
            let checkpoint = state.checkpoint;
            let (due, later) = state.unlinks.drain(..).partition(|(_, c)| *c < checkpoint);
            state.unlinks = later;
            due.into_iter().map(|(path, _)| path).collect()
        };
        for path in due {
            match vfs.remove_file(&path) {
                Err(e) if e.kind() == io::ErrorKind::NotFound => {}
                other => other.or_pg("remove file", &path)?,
            }
            self.register_dir(parent_of(&path));
        }
        Ok(())
    }
}
