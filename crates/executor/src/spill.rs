//! Temporary files for what outgrows `work_mem`: blocks of rows, column by column, written one after the other.
//!
//! A file lies in `base/pgsql_tmp`, is named as PostgreSQL names its own, and goes away when dropped; what a crash leaves
//! behind is removed at the next start with the rest of that directory.
//!
//! PostgreSQL: `buffile.c`, `fd.c` (`OpenTemporaryFile`).

use std::sync::Arc;

use base::{PgError, Result};
use storage::Vfs;
use storage::vfs::{IoContext, OpenMode, VfsFile, read_full};
use types::{Bitmap, Column, ColumnData, Physical, Rows};

use crate::state::Run;

/// (PostgreSQL: `PG_TEMP_FILES_DIR`)
const DIRECTORY: &str = "base/pgsql_tmp";
/// Rows in a block, at most.
pub(crate) const BLOCK_ROWS: usize = 1024;

/// Where a block lies.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Block {
    offset: u64,
    len: usize,
    pub rows: usize,
}

/// See the module's head.
pub(crate) struct SpillFile {
    vfs: Arc<dyn Vfs>,
    path: String,
    file: Box<dyn VfsFile>,
    len: u64,
    scratch: Vec<u8>,
}

impl Drop for SpillFile {
    fn drop(&mut self) {
        let _ = self.vfs.remove_file(&self.path);
    }
}

/// Appends the chosen rows' values.
fn encode(column: &Column, rows: Rows<'_>, out: &mut Vec<u8>) {
    out.push(u8::from(column.validity.is_some()));
    if column.validity.is_some() {
        out.extend(rows.iter().map(|i| u8::from(!column.is_null(i))));
    }
    match &column.data {
        ColumnData::W1(v) => out.extend(rows.iter().map(|i| v[i])),
        ColumnData::W2(v) => rows.iter().for_each(|i| out.extend_from_slice(&v[i].to_le_bytes())),
        ColumnData::W4(v) => rows.iter().for_each(|i| out.extend_from_slice(&v[i].to_le_bytes())),
        ColumnData::W8(v) => rows.iter().for_each(|i| out.extend_from_slice(&v[i].to_le_bytes())),
        ColumnData::Bytes(v) => {
            for i in rows.iter() {
                let b = v.get(i);
                out.extend_from_slice(&((b.len() as u32) << 1 | u32::from(v.is_toasted(i))).to_le_bytes());
                out.extend_from_slice(b);
            }
        }
    }
}

fn short() -> PgError {
    PgError::internal("unexpected end of temporary file")
}

/// Takes `n` bytes off the front.
fn take<'a>(from: &mut &'a [u8], n: usize) -> Result<&'a [u8]> {
    let (head, rest) = from.split_at_checked(n).ok_or_else(short)?;
    *from = rest;
    Ok(head)
}

fn words<const N: usize, T>(from: &mut &[u8], n: usize, make: fn([u8; N]) -> T) -> Result<Vec<T>> {
    let bytes = take(from, n * N)?;
    Ok(bytes.as_chunks::<N>().0.iter().map(|c| make(*c)).collect())
}

fn decode(physical: Physical, n: usize, from: &mut &[u8]) -> Result<Column> {
    let mut column = Column::new(physical);
    if take(from, 1)?[0] != 0 {
        let mut bits = Bitmap::filled(n, true);
        for (i, b) in take(from, n)?.iter().enumerate().filter(|(_, b)| **b == 0) {
            bits.set(i, *b != 0);
        }
        column.validity = Some(bits);
    }
    match &mut column.data {
        ColumnData::W1(v) => v.extend_from_slice(take(from, n)?),
        ColumnData::W2(v) => *v = words(from, n, i16::from_le_bytes)?,
        ColumnData::W4(v) => *v = words(from, n, i32::from_le_bytes)?,
        ColumnData::W8(v) => *v = words(from, n, i64::from_le_bytes)?,
        ColumnData::Bytes(v) => {
            for _ in 0..n {
                let head = words(from, 1, u32::from_le_bytes)?[0];
                v.push(take(from, (head >> 1) as usize)?, head & 1 != 0);
            }
        }
    }
    Ok(column)
}

impl SpillFile {
    pub fn create(run: &mut Run<'_>) -> Result<SpillFile> {
        let vfs = run.cx.txn()?.manager().pool().smgr().vfs().clone();
        vfs.create_dir_all(DIRECTORY).or_pg("create directory", DIRECTORY)?;
        let path = format!("{DIRECTORY}/pgsql_tmp{}.{}", run.cx.settings.session_id, run.cx.temporary_files);
        run.cx.temporary_files += 1;
        let file = vfs.open(&path, OpenMode::Truncate).or_pg("create temporary file", &path)?;
        Ok(SpillFile { vfs, path, file, len: 0, scratch: Vec::new() })
    }

    /// Writes the chosen rows of some columns.
    pub fn write<'c>(&mut self, columns: impl Iterator<Item = &'c Column>, rows: Rows<'_>) -> Result<Block> {
        self.scratch.clear();
        for c in columns {
            encode(c, rows, &mut self.scratch);
        }
        self.file.write_all_at(&self.scratch, self.len).or_pg("write to file", &self.path)?;
        let block = Block { offset: self.len, len: self.scratch.len(), rows: rows.len() };
        self.len += self.scratch.len() as u64;
        Ok(block)
    }

    pub fn read(&self, block: Block, physical: &[Physical]) -> Result<Vec<Column>> {
        let mut bytes = vec![0; block.len];
        if read_full(&*self.file, &mut bytes, block.offset).or_pg("read from file", &self.path)? != block.len {
            return Err(short());
        }
        let mut rest = &bytes[..];
        physical.iter().map(|p| decode(*p, block.rows, &mut rest)).collect()
    }

    /// Kilobytes in whole pages, as EXPLAIN shows them.
    pub fn kilobytes(&self) -> i64 {
        (self.len.div_ceil(8192) * 8) as i64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use types::DatumRef;

    #[test]
    fn columns_survive() {
        for p in [Physical::W1, Physical::W2, Physical::W4, Physical::W8, Physical::Bytes] {
            let mut c = Column::new(p);
            for k in 0..5u64 {
                match (k, p) {
                    (2, _) => c.push(DatumRef::Null),
                    (4, Physical::Bytes) => c.push(DatumRef::Toasted(b"eighteen bytes in!")),
                    (_, Physical::Bytes) => c.push(DatumRef::Bytes(&[b'x'; 40][..10 * k as usize])),
                    _ => c.push(DatumRef::Word(k * 7)),
                }
            }
            let (mut bytes, rows) = (Vec::new(), [4, 2, 0, 1]);
            encode(&c, Rows::Some(&rows), &mut bytes);
            let back = decode(p, 4, &mut &bytes[..]).unwrap();
            for (k, i) in rows.iter().enumerate() {
                assert_eq!(back.get(k), c.get(*i as usize), "{p:?}");
            }
            assert!(decode(p, 4, &mut &bytes[..bytes.len() - 1]).is_err());
        }
    }
}
