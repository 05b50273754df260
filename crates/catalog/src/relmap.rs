//! Relation mapping files: which file holds a catalog that must be found before `pg_class` can be read.
//!
//! `pg_filenode.map` lies in each database's folder and in `global/`. A mapped relation has `pg_class.relfilenode` 0. The file is
//! replaced as a whole, durably.
//!
//! ```text
//! 0 magic 0x592717   4 number of mappings   8 mappings: 64 x (relation, file)   520 CRC-32C of all before
//! ```
//! PostgreSQL: `relmapper.c`.

use base::sqlstate::DATA_CORRUPTED;
use base::{Oid, PgError, Result};
use storage::Vfs;
use storage::vfs::IoContext;

const MAGIC: u32 = 0x59_2717;
const MAX_MAPPINGS: usize = 64;
const SIZE: usize = 8 + MAX_MAPPINGS * 8 + 4;
/// The file's name.
pub const FILE_NAME: &str = "pg_filenode.map";

/// A relation mapping file's content.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct RelationMap {
    mappings: Vec<(Oid, Oid)>,
}

impl RelationMap {
    pub fn file_of(&self, rel: Oid) -> Option<Oid> {
        self.mappings.iter().find(|m| m.0 == rel).map(|m| m.1)
    }
    /// (PostgreSQL: `RelationMapFilenumberToOid`)
    pub fn relation_of(&self, file: Oid) -> Option<Oid> {
        self.mappings.iter().find(|m| m.1 == file).map(|m| m.0)
    }
    /// Sets a relation's file. (PostgreSQL: `apply_map_update`)
    pub fn set(&mut self, rel: Oid, file: Oid) -> Result<()> {
        if let Some(m) = self.mappings.iter_mut().find(|m| m.0 == rel) {
            m.1 = file;
        } else if self.mappings.len() < MAX_MAPPINGS {
            self.mappings.push((rel, file));
        } else {
            return Err(PgError::internal("ran out of space in relation map"));
        }
        Ok(())
    }
    pub fn iter(&self) -> impl Iterator<Item = (Oid, Oid)> + '_ {
        self.mappings.iter().copied()
    }

    pub fn to_bytes(&self) -> Vec<u8> {
        let mut b = Vec::with_capacity(SIZE);
        b.extend_from_slice(&MAGIC.to_le_bytes());
        b.extend_from_slice(&(self.mappings.len() as u32).to_le_bytes());
        for (rel, file) in &self.mappings {
            b.extend_from_slice(&rel.0.to_le_bytes());
            b.extend_from_slice(&file.0.to_le_bytes());
        }
        b.resize(SIZE - 4, 0);
        let crc = crc32c::crc32c(&b);
        b.extend_from_slice(&crc.to_le_bytes());
        b
    }
    /// `path` is for the error.
    pub fn from_bytes(b: &[u8], path: &str) -> Result<RelationMap> {
        let corrupted =
            |what: &str| PgError::new(DATA_CORRUPTED, format!("relation mapping file \"{path}\" contains {what}"));
        let word = |at: usize| u32::from_le_bytes([b[at], b[at + 1], b[at + 2], b[at + 3]]);
        if b.len() != SIZE {
            let text = format!("could not read file \"{path}\": read {} of {SIZE}", b.len());
            return Err(PgError::new(DATA_CORRUPTED, text));
        }
        let count = word(4) as usize;
        if word(0) != MAGIC || count > MAX_MAPPINGS {
            return Err(corrupted("invalid data"));
        }
        if crc32c::crc32c(&b[..SIZE - 4]) != word(SIZE - 4) {
            return Err(corrupted("incorrect checksum"));
        }
        Ok(RelationMap { mappings: (0..count).map(|i| (Oid(word(8 + 8 * i)), Oid(word(12 + 8 * i)))).collect() })
    }

    /// Reads the file in `folder`: `global`, or a database's. (PostgreSQL: `read_relmap_file`)
    pub fn read(vfs: &dyn Vfs, folder: &str) -> Result<RelationMap> {
        let path = format!("{folder}/{FILE_NAME}");
        let bytes = vfs.read_file(&path).or_pg("open file", &path)?;
        RelationMap::from_bytes(&bytes, &path)
    }
    /// Replaces the file in `folder`. The caller has logged the change. (PostgreSQL: `write_relmap_file`)
    pub fn write(&self, vfs: &dyn Vfs, folder: &str) -> Result<()> {
        let path = format!("{folder}/{FILE_NAME}");
        vfs.write_file_durably(&path, &self.to_bytes()).or_pg("write file", &path)
    }
}

/// `info` of the one record: a mapping file's new content. (PostgreSQL: `XLOG_RELMAP_UPDATE`)
const UPDATE: u8 = 0;

/// Replaces a mapping file: logs its new content, then writes it. `db` and `tablespace` are 0 and `pg_global` for shared catalogs.
/// The caller holds off other writers of the file, and a checkpoint must not begin meanwhile. Sessions are told by
/// [`crate::Invalidation::RelationMap`]. (PostgreSQL: `write_relmap_file`)
pub fn update(wal: &wal::Wal, vfs: &dyn Vfs, db: Oid, tablespace: Oid, map: &RelationMap) -> Result<()> {
    let content = map.to_bytes();
    let mut data = Vec::with_capacity(12 + SIZE);
    for word in [db.0, tablespace.0, SIZE as u32] {
        data.extend_from_slice(&word.to_le_bytes());
    }
    data.extend_from_slice(&content);
    let end = storage::critical(|section| {
        wal.insert(section, wal::RecordBuilder::new(wal::RmgrId::RELMAP, UPDATE).main_data(&data))
    });
    // The file is not read again in recovery before this record, so the record must be there first.
    wal.flush(end)?;
    map.write(vfs, &database_folder(db, tablespace))
}

/// Adds this crate's resource manager.
pub fn register(table: &mut wal::RmgrTable) {
    table.register(wal::RmgrId::RELMAP, std::sync::Arc::new(RelationMapManager));
}

/// Replays changes of mapping files.
pub struct RelationMapManager;

impl wal::ResourceManager for RelationMapManager {
    fn redo(&self, cx: &wal::RedoContext, record: &wal::Record) -> Result<()> {
        let (db, tablespace, content) = decode(&record.main)?;
        let folder = database_folder(db, tablespace);
        RelationMap::from_bytes(content, &folder)?.write(&**cx.smgr().vfs(), &folder)
    }
    fn identify(&self, info: u8) -> Option<String> {
        (info & 0xF0 == UPDATE).then(|| "UPDATE".to_owned())
    }
    fn desc(&self, record: &wal::Record, out: &mut String) {
        if let Ok((db, tablespace, content)) = decode(&record.main) {
            out.push_str(&format!("database {db} tablespace {tablespace} size {}", content.len()));
        }
    }
}

fn decode(data: &[u8]) -> Result<(Oid, Oid, &[u8])> {
    let bad = || PgError::new(DATA_CORRUPTED, "relmap_redo: wrong size in relmap update record");
    let word = |at: usize| data.get(at..at + 4).and_then(|b| b.try_into().ok()).map(u32::from_le_bytes).ok_or_else(bad);
    let content = data.get(12..).filter(|c| c.len() == SIZE).ok_or_else(bad)?;
    if word(8)? as usize != SIZE {
        return Err(bad());
    }
    Ok((Oid(word(0)?), Oid(word(4)?), content))
}

/// The folder of a database's files. (PostgreSQL: `GetDatabasePath`)
pub fn database_folder(db: Oid, tablespace: Oid) -> String {
    match (db.is_valid(), tablespace) {
        (false, _) => "global".into(),
        (true, crate::oids::DEFAULTTABLESPACE_OID) => format!("base/{db}"),
        (true, spc) => format!("pg_tblspc/{spc}/PG_18_202506291/{db}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_and_back() {
        let mut map = RelationMap::default();
        for n in 0..64 {
            map.set(Oid(1000 + n), Oid(2000 + n)).unwrap();
        }
        map.set(Oid(1003), Oid(7)).unwrap();
        assert!(map.set(Oid(1), Oid(1)).is_err());
        let mut b = map.to_bytes();
        assert_eq!(b.len(), 524);
        assert_eq!(RelationMap::from_bytes(&b, "x").unwrap(), map);
        assert_eq!((map.file_of(Oid(1003)), map.relation_of(Oid(7))), (Some(Oid(7)), Some(Oid(1003))));
        b[100] ^= 1;
        let e = RelationMap::from_bytes(&b, "global/pg_filenode.map").unwrap_err();
        assert_eq!(e.message(), "relation mapping file \"global/pg_filenode.map\" contains incorrect checksum");
    }
}
