//! Compressed values: in line they are a header, four bytes that tell the plain length and the method, and the data.
//! (PostgreSQL: `toast_compression.c`)

use base::sqlstate::DATA_CORRUPTED;
use base::{PgError, Result, pglz};

use crate::tuple::varlena::{self, Compression};

/// The whole compressed varlena, if compressing makes it shorter. (PostgreSQL: `toast_compress_datum`)
pub fn compress_inline(plain: &[u8], method: Compression) -> Option<Vec<u8>> {
    let data = match method {
        Compression::Pglz => pglz::compress(plain)?,
        Compression::Lz4 => lz4_flex::block::compress(plain),
    };
    let size = data.len() + 8;
    // At least two bytes less, or it is not worth it.
    if size + 2 > plain.len() + 4 {
        return None;
    }
    let mut whole = Vec::with_capacity(size);
    whole.extend_from_slice(&((size as u32) << 2 | 2).to_le_bytes());
    whole.extend_from_slice(&(plain.len() as u32 | (method as u32) << 30).to_le_bytes());
    whole.extend_from_slice(&data);
    Some(whole)
}

/// How a toasted value is compressed. (PostgreSQL: `pg_column_compression`)
pub fn compression_of(toasted: &[u8]) -> Option<Compression> {
    match varlena::ToastPointer::read(toasted) {
        Some(p) => p.compression,
        None if toasted.len() >= 8 => Compression::from_id(varlena::u32_at(toasted, 4) >> 30),
        None => None,
    }
}

/// The plain value of one compressed in line, or its first `limit` bytes.
pub fn decompress_inline(toasted: &[u8], limit: Option<usize>) -> Result<Vec<u8>> {
    let method = compression_of(toasted).ok_or_else(|| damaged("compression method"))?;
    decompress(toasted.get(8..).unwrap_or(&[]), method, varlena::raw_len(toasted), limit)
}

/// Decompresses data without its header; at least the first `limit` bytes.
pub(super) fn decompress(data: &[u8], method: Compression, raw: usize, limit: Option<usize>) -> Result<Vec<u8>> {
    let wanted = limit.map_or(raw, |l| l.min(raw));
    match method {
        Compression::Pglz => {
            let plain = pglz::decompress(data, wanted, wanted == raw);
            plain.ok_or_else(|| PgError::new(DATA_CORRUPTED, "compressed pglz data is corrupt"))
        }
        Compression::Lz4 => {
            let mut plain = vec![0; raw];
            match lz4_flex::block::decompress_into(data, &mut plain) {
                Ok(n) if n == raw => Ok(plain),
                _ => Err(PgError::new(DATA_CORRUPTED, "compressed lz4 data is corrupt")),
            }
        }
    }
}

#[cold]
fn damaged(what: &str) -> PgError {
    PgError::new(DATA_CORRUPTED, format!("invalid {what} in a compressed value"))
}
