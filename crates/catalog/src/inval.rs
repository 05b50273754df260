//! Invalidation messages: what changed in the catalogs, told to caches here, on standbys and to logical decoding.
//!
//! In the write-ahead log a message takes sixteen bytes: a signed byte that is a cache's number or the kind of message, then words
//! from offset 4. PostgreSQL: `SharedInvalidationMessage`, `inval.c`.

use base::{Oid, RelFileLocator};

use crate::syscache::CacheId;

/// Something that caches must forget. A database of 0 means a shared catalog.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Invalidation {
    /// The entries of a cache whose keys have this hash, and all its lists.
    Cache { cache: CacheId, db: Oid, hash: u32 },
    /// Every cache over this catalog, e.g. after VACUUM FULL of it.
    Catalog { db: Oid, catalog: Oid },
    /// A relation's entry; all relations if `rel` is 0.
    Relation { db: Oid, rel: Oid },
    /// Open files of a relation. `session` is that of a temporary relation, else -1.
    Files { session: i32, locator: RelFileLocator },
    /// A relation mapping file.
    RelationMap { db: Oid },
    /// Snapshots used to scan that catalog, for catalogs without caches.
    Snapshot { db: Oid, catalog: Oid },
    /// What logical replication knows of a relation; of all if `rel` is 0.
    Replication { db: Oid, rel: Oid },
}

impl Invalidation {
    pub const SIZE: usize = 16;

    pub fn to_bytes(self) -> [u8; 16] {
        let mut b = [0; 16];
        let mut put = |id: i8, words: &[u32]| {
            b[0] = id as u8;
            for (i, w) in words.iter().enumerate() {
                b[4 + 4 * i..8 + 4 * i].copy_from_slice(&w.to_le_bytes());
            }
        };
        match self {
            Invalidation::Cache { cache, db, hash } => put(cache as i8, &[db.0, hash]),
            Invalidation::Catalog { db, catalog } => put(-1, &[db.0, catalog.0]),
            Invalidation::Relation { db, rel } => put(-2, &[db.0, rel.0]),
            Invalidation::Files { session, locator } => {
                put(-3, &[locator.spc.0, locator.db.0, locator.rel.0]);
                b[1] = (session >> 16) as u8;
                b[2..4].copy_from_slice(&(session as u16).to_le_bytes());
            }
            Invalidation::RelationMap { db } => put(-4, &[db.0]),
            Invalidation::Snapshot { db, catalog } => put(-5, &[db.0, catalog.0]),
            Invalidation::Replication { db, rel } => put(-6, &[db.0, rel.0]),
        }
        b
    }

    /// `None` if the kind is unknown.
    pub fn from_bytes(b: &[u8; 16]) -> Option<Invalidation> {
        let word = |i: usize| u32::from_le_bytes([b[4 + 4 * i], b[5 + 4 * i], b[6 + 4 * i], b[7 + 4 * i]]);
        let (db, second) = (Oid(word(0)), Oid(word(1)));
        Some(match b[0] as i8 {
            id @ 0.. => Invalidation::Cache { cache: CacheId::from_number(id as u8)?, db, hash: second.0 },
            -1 => Invalidation::Catalog { db, catalog: second },
            -2 => Invalidation::Relation { db, rel: second },
            -3 => Invalidation::Files {
                session: i32::from(b[1] as i8) << 16 | i32::from(u16::from_le_bytes([b[2], b[3]])),
                locator: RelFileLocator { spc: db, db: second, rel: Oid(word(2)) },
            },
            -4 => Invalidation::RelationMap { db },
            -5 => Invalidation::Snapshot { db, catalog: second },
            -6 => Invalidation::Replication { db, rel: second },
            _ => return None,
        })
    }
}

/// Whether PostgreSQL would have to forget its relation cache files, which hold system relations. (PostgreSQL: `RelcacheInitFileInval`)
pub fn touches_system_relations(messages: &[Invalidation]) -> bool {
    let is_system = |m: &Invalidation| matches!(m, Invalidation::Relation { rel, .. } if *rel < Oid(12000));
    messages.iter().any(is_system)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_and_back() {
        let db = Oid(5);
        for m in [
            Invalidation::Cache { cache: CacheId::TYPEOID, db, hash: 0xdead_beef },
            Invalidation::Catalog { db, catalog: Oid(1259) },
            Invalidation::Relation { db, rel: Oid(16384) },
            Invalidation::Files { session: -1, locator: RelFileLocator { spc: Oid(1663), db, rel: Oid(7) } },
            Invalidation::Files { session: 70000, locator: RelFileLocator { spc: Oid(1663), db, rel: Oid(7) } },
            Invalidation::RelationMap { db },
            Invalidation::Snapshot { db, catalog: Oid(2610) },
            Invalidation::Replication { db, rel: Oid(0) },
        ] {
            assert_eq!(Invalidation::from_bytes(&m.to_bytes()), Some(m));
        }
    }
}
