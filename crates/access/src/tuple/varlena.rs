//! The header of a variable-length value as it lies in a tuple, and pointers to out-of-line values.
//!
//! | first byte (little endian) | form |
//! | --- | --- |
//! | `xxxxxx00` | four-byte header, plain, up to 1 GB; aligned |
//! | `xxxxxx10` | four-byte header, compressed in line; aligned |
//! | `00000001` | one byte, then a tag: the value lies elsewhere; not aligned |
//! | `xxxxxxx1` | one-byte header, up to 126 bytes of payload; not aligned |
//!
//! PostgreSQL: `varatt.h`.

use base::sqlstate::DATA_CORRUPTED;
use base::{Oid, PgError, Result};
use types::DatumRef;

/// The most payload a one-byte header can tell. (PostgreSQL: `VARATT_SHORT_MAX`)
pub const SHORT_PAYLOAD_MAX: usize = 126;
/// Bytes of a four-byte header.
pub const HEADER: usize = 4;
/// Bytes of a pointer to a value in a TOAST table, with its header and tag. (PostgreSQL: `TOAST_POINTER_SIZE`)
pub const TOAST_POINTER_SIZE: usize = 18;
/// The tag of a pointer to a value in a TOAST table. (PostgreSQL: `VARTAG_ONDISK`)
pub const TAG_ONDISK: u8 = 18;
/// The largest payload of any value. (PostgreSQL: `VARLENA_EXTSIZE_MASK`, 30 bits)
pub const SIZE_MASK: u32 = (1 << 30) - 1;

/// How a value is compressed. (PostgreSQL: `ToastCompressionId`)
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u32)]
pub enum Compression {
    Pglz = 0,
    Lz4 = 1,
}

impl Compression {
    pub fn from_id(id: u32) -> Option<Compression> {
        match id {
            0 => Some(Compression::Pglz),
            1 => Some(Compression::Lz4),
            _ => None,
        }
    }
    /// From `pg_attribute.attcompression`; 0 means the default.
    pub fn from_attribute(c: u8, default: Compression) -> Compression {
        match c {
            b'l' => Compression::Lz4,
            b'p' => Compression::Pglz,
            _ => default,
        }
    }
}

#[cold]
pub(crate) fn corrupted(what: &str) -> PgError {
    PgError::new(DATA_CORRUPTED, format!("corrupted tuple: {what}"))
}

#[inline]
pub(crate) fn u32_at(b: &[u8], at: usize) -> u32 {
    u32::from_le_bytes([b[at], b[at + 1], b[at + 2], b[at + 3]])
}

/// The whole length of the value that begins `bytes`, its header included. (PostgreSQL: `VARSIZE_ANY`)
#[inline]
pub fn size(bytes: &[u8]) -> Result<usize> {
    let Some(&first) = bytes.first() else { return Err(corrupted("a value lies beyond the end")) };
    let len = if first == 1 {
        TOAST_POINTER_SIZE
    } else if first & 1 == 1 {
        usize::from(first >> 1)
    } else if bytes.len() >= HEADER {
        (u32_at(bytes, 0) >> 2) as usize
    } else {
        0
    };
    let at_least = if first & 1 == 1 { 1 } else { HEADER };
    if first == 1 && bytes.get(1) != Some(&TAG_ONDISK) {
        return Err(corrupted("unknown kind of external value"));
    }
    if len < at_least || len > bytes.len() {
        return Err(corrupted("a value does not end within the tuple"));
    }
    Ok(len)
}

/// The value of a varlena of known extent: its payload if it is plain, all of it if compressed or external.
#[inline]
pub fn datum(whole: &[u8]) -> DatumRef<'_> {
    match whole.first() {
        Some(1) => DatumRef::Toasted(whole),
        Some(b) if b & 1 == 1 => DatumRef::Bytes(&whole[1..]),
        Some(b) if b & 3 == 2 => DatumRef::Toasted(whole),
        _ => DatumRef::Bytes(whole.get(HEADER..).unwrap_or(&[])),
    }
}

/// A plain four-byte header for a payload of `len` bytes.
#[inline]
pub fn header(len: usize) -> [u8; 4] {
    (((len + HEADER) as u32) << 2).to_le_bytes()
}

/// Is this toasted value a pointer (and not compressed in line)?
pub fn is_external(toasted: &[u8]) -> bool {
    toasted.first() == Some(&1)
}

/// Is this toasted value compressed in line?
pub fn is_inline_compressed(toasted: &[u8]) -> bool {
    toasted.first().is_some_and(|b| b & 3 == 2)
}

/// Where a value lies in a TOAST table. (PostgreSQL: `varatt_external`)
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ToastPointer {
    /// Length of the plain value with its four-byte header.
    pub raw_size: u32,
    /// Length of what is stored, without a header (but with the four bytes that tell how it is compressed).
    pub ext_size: u32,
    /// `None`: stored plain.
    pub compression: Option<Compression>,
    pub value_id: Oid,
    pub toast_relation: Oid,
}

impl ToastPointer {
    /// Reads a pointer with its header; `None` if it is not one.
    pub fn read(toasted: &[u8]) -> Option<ToastPointer> {
        if toasted.len() < TOAST_POINTER_SIZE || toasted[0] != 1 || toasted[1] != TAG_ONDISK {
            return None;
        }
        let raw_size = u32_at(toasted, 2);
        let info = u32_at(toasted, 6);
        let ext_size = info & SIZE_MASK;
        // Stored plain, the two lengths differ by exactly the header. (PostgreSQL: `VARATT_EXTERNAL_IS_COMPRESSED`)
        let compressed = i64::from(ext_size) < i64::from(raw_size) - HEADER as i64;
        Some(ToastPointer {
            raw_size,
            ext_size,
            compression: if compressed { Compression::from_id(info >> 30) } else { None },
            value_id: Oid(u32_at(toasted, 10)),
            toast_relation: Oid(u32_at(toasted, 14)),
        })
    }
    pub fn to_bytes(&self) -> [u8; TOAST_POINTER_SIZE] {
        let mut b = [0; TOAST_POINTER_SIZE];
        b[0] = 1;
        b[1] = TAG_ONDISK;
        b[2..6].copy_from_slice(&self.raw_size.to_le_bytes());
        let method = self.compression.map_or(0, |c| c as u32);
        b[6..10].copy_from_slice(&(self.ext_size | method << 30).to_le_bytes());
        b[10..14].copy_from_slice(&self.value_id.0.to_le_bytes());
        b[14..].copy_from_slice(&self.toast_relation.0.to_le_bytes());
        b
    }
}

/// Length of the plain value (without header) that a toasted one stands for. (PostgreSQL: `toast_raw_datum_size`)
pub fn raw_len(toasted: &[u8]) -> usize {
    match ToastPointer::read(toasted) {
        Some(p) => (p.raw_size as usize).saturating_sub(HEADER),
        None if toasted.len() >= 8 => (u32_at(toasted, 4) & SIZE_MASK) as usize,
        None => 0,
    }
}
