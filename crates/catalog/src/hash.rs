//! PostgreSQL's hash of a cache key. Invalidation messages in the write-ahead log name entries by it, so it must agree.
//!
//! PostgreSQL: `hash_bytes` (Bob Jenkins' lookup3), `murmurhash32`, `CatalogCacheComputeHashValue`.

use base::Oid;
use types::{Datum, DatumRef};

/// (PostgreSQL: `murmurhash32`)
pub fn murmurhash32(v: u32) -> u32 {
    let mut h = v;
    h ^= h >> 16;
    h = h.wrapping_mul(0x85eb_ca6b);
    h ^= h >> 13;
    h = h.wrapping_mul(0xc2b2_ae35);
    h ^ h >> 16
}

/// Jenkins' hash of a byte string. (PostgreSQL: `hash_bytes`, `hash_any`)
pub fn hash_bytes(key: &[u8]) -> u32 {
    let start = 0x9e37_79b9_u32.wrapping_add(key.len() as u32).wrapping_add(3_923_095);
    let [mut a, mut b, mut c] = [start; 3];
    let word = |s: &[u8], i: usize| s.iter().skip(i).take(4).rev().fold(0u32, |w, &x| w << 8 | u32::from(x));
    let mut chunks = key.chunks_exact(12);
    for k in &mut chunks {
        a = a.wrapping_add(word(k, 0));
        b = b.wrapping_add(word(k, 4));
        c = c.wrapping_add(word(k, 8));
        for (ra, rb, rc) in [(4, 6, 8), (16, 19, 4)] {
            a = a.wrapping_sub(c) ^ c.rotate_left(ra);
            c = c.wrapping_add(b);
            b = b.wrapping_sub(a) ^ a.rotate_left(rb);
            a = a.wrapping_add(c);
            c = c.wrapping_sub(b) ^ b.rotate_left(rc);
            b = b.wrapping_add(a);
        }
    }
    let rest = chunks.remainder();
    a = a.wrapping_add(word(rest, 0));
    b = b.wrapping_add(word(rest, 4));
    // The lowest byte of the third word is left to the length.
    c = c.wrapping_add(word(rest, 8) << 8);
    c = (c ^ b).wrapping_sub(b.rotate_left(14));
    a = (a ^ c).wrapping_sub(c.rotate_left(11));
    b = (b ^ a).wrapping_sub(a.rotate_left(25));
    c = (c ^ b).wrapping_sub(b.rotate_left(16));
    a = (a ^ c).wrapping_sub(c.rotate_left(4));
    b = (b ^ a).wrapping_sub(a.rotate_left(14));
    (c ^ b).wrapping_sub(b.rotate_left(24))
}

/// The hash of a cache's key; `types` are those of the key columns.
pub fn cache_hash(keys: &[Datum], types: impl Iterator<Item = Oid>) -> u32 {
    keys.iter().zip(types).enumerate().fold(0, |h, (i, (key, typid))| {
        let one = match key.as_ref() {
            DatumRef::Null => 0,
            // A vector's hash is that of its elements alone.
            DatumRef::Bytes(b) if typid == types::oid::OIDVECTOROID => hash_bytes(b.get(20..).unwrap_or(&[])),
            DatumRef::Bytes(b) | DatumRef::Toasted(b) => hash_bytes(b),
            DatumRef::Word(w) if typid == types::oid::CHAROID => murmurhash32(i32::from(w as u8 as i8) as u32),
            DatumRef::Word(w) => murmurhash32(w as u32),
        };
        h ^ one.rotate_left(8 * i as u32)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Expected values: `select hashtext(..)` on PostgreSQL 18.
    #[test]
    fn as_hashtext() {
        for (text, expected) in CASES {
            assert_eq!(hash_bytes(text.as_bytes()) as i32, *expected, "{text}");
        }
    }
    const CASES: &[(&str, i32)] = &[
        ("", HASH_EMPTY),
        ("a", HASH_A),
        ("pg_class", HASH_8),
        ("pg_attribute", HASH_12),
        ("pg_attribute_relid", HASH_18),
    ];
    const HASH_EMPTY: i32 = -1477818771;
    const HASH_A: i32 = 1075015857;
    const HASH_8: i32 = -267801108;
    const HASH_12: i32 = -302451662;
    const HASH_18: i32 = -210716135;
}
