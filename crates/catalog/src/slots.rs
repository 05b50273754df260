//! Where cached entries lie: immutable values behind `Arc`, found by database, hash and key, forgotten by hash.
//!
//! One [`Slot`] per cache. A slot counts its invalidations: whoever loads an entry reads the count first and publishes only if it
//! has not moved, so that a value read before a change is never kept after it. Beyond its capacity a slot drops what was
//! not asked for since the last sweep.

use std::any::Any;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use base::Oid;
use hashbrown::HashMap;
use parking_lot::RwLock;
use types::Datum;

/// A cached value; `None` is the knowledge that there is no such row.
pub(crate) type Value = Option<Arc<dyn Any + Send + Sync>>;

struct Entry {
    keys: Box<[Datum]>,
    value: Value,
    used: AtomicBool,
}

#[derive(Default)]
struct Map {
    entries: HashMap<(Oid, u32), Vec<Entry>>,
    count: usize,
}

pub(crate) struct Slot {
    generation: AtomicU64,
    map: RwLock<Map>,
    capacity: usize,
}

impl Slot {
    pub fn new(capacity: usize) -> Slot {
        Slot { generation: AtomicU64::new(0), map: RwLock::default(), capacity }
    }

    pub fn get(&self, db: Oid, hash: u32, keys: &[Datum]) -> Option<Value> {
        let map = self.map.read();
        let entry = map.entries.get(&(db, hash))?.iter().find(|e| *e.keys == *keys)?;
        entry.used.store(true, Ordering::Relaxed);
        Some(entry.value.clone())
    }

    /// To be read before an entry is loaded.
    pub fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }

    /// Keeps a loaded entry, unless something was invalidated since `generation` was read.
    pub fn publish(&self, generation: u64, db: Oid, hash: u32, keys: &[Datum], value: Value) {
        let mut map = self.map.write();
        // The count moves only under this lock, see `invalidate`.
        if self.generation() != generation {
            return;
        }
        if map.count >= self.capacity {
            map.sweep();
        }
        let bucket = map.entries.entry((db, hash)).or_default();
        if bucket.iter().all(|e| *e.keys != *keys) {
            bucket.push(Entry { keys: keys.into(), value, used: AtomicBool::new(true) });
            map.count += 1;
        }
    }

    pub fn invalidate(&self, db: Oid, hash: u32) {
        let mut map = self.map.write();
        self.generation.fetch_add(1, Ordering::AcqRel);
        if let Some(bucket) = map.entries.remove(&(db, hash)) {
            map.count -= bucket.len();
        }
    }

    pub fn clear(&self) {
        let mut map = self.map.write();
        self.generation.fetch_add(1, Ordering::AcqRel);
        *map = Map::default();
    }
}

impl Map {
    fn sweep(&mut self) {
        self.entries.retain(|_, bucket| {
            bucket.retain(|e| e.used.swap(false, Ordering::Relaxed));
            !bucket.is_empty()
        });
        let left: usize = self.entries.values().map(Vec::len).sum();
        // If everything was in use, a second sweep must find room.
        if left >= self.count {
            self.entries.retain(|_, bucket| {
                bucket.retain(|e| e.used.load(Ordering::Relaxed));
                !bucket.is_empty()
            });
        }
        self.count = self.entries.values().map(Vec::len).sum();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_while_loading_wins() {
        let slot = Slot::new(10);
        let (db, key) = (Oid(5), [Datum::i32(1)]);
        let generation = slot.generation();
        slot.invalidate(db, 7);
        slot.publish(generation, db, 7, &key, None);
        assert!(slot.get(db, 7, &key).is_none());
        slot.publish(slot.generation(), db, 7, &key, None);
        assert!(slot.get(db, 7, &key).is_some());
        slot.invalidate(db, 7);
        assert!(slot.get(db, 7, &key).is_none());
    }

    #[test]
    fn bounded() {
        let slot = Slot::new(100);
        for i in 0..1000 {
            slot.publish(0, Oid(5), i, &[], None);
        }
        assert!(slot.map.read().count <= 101);
    }
}
