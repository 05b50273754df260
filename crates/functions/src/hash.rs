//! PostgreSQL's hash functions; hash indexes, hash partitioning and invalidation messages depend on the exact values.
//!
//! PostgreSQL: `hash_bytes`, `hash_bytes_extended`, `hash_bytes_uint32` (Bob Jenkins' lookup3), `hash_combine64`.

fn mix(a: &mut u32, b: &mut u32, c: &mut u32) {
    for (ra, rb, rc) in [(4, 6, 8), (16, 19, 4)] {
        *a = a.wrapping_sub(*c) ^ c.rotate_left(ra);
        *c = c.wrapping_add(*b);
        *b = b.wrapping_sub(*a) ^ a.rotate_left(rb);
        *a = a.wrapping_add(*c);
        *c = c.wrapping_sub(*b) ^ b.rotate_left(rc);
        *b = b.wrapping_add(*a);
    }
}

fn finish(a: &mut u32, b: &mut u32, c: &mut u32) {
    *c = (*c ^ *b).wrapping_sub(b.rotate_left(14));
    *a = (*a ^ *c).wrapping_sub(c.rotate_left(11));
    *b = (*b ^ *a).wrapping_sub(a.rotate_left(25));
    *c = (*c ^ *b).wrapping_sub(b.rotate_left(16));
    *a = (*a ^ *c).wrapping_sub(c.rotate_left(4));
    *b = (*b ^ *a).wrapping_sub(a.rotate_left(14));
    *c = (*c ^ *b).wrapping_sub(b.rotate_left(24));
}

fn state(key: &[u8], seed: u64) -> (u32, u32) {
    let start = 0x9e37_79b9_u32.wrapping_add(key.len() as u32).wrapping_add(3_923_095);
    let [mut a, mut b, mut c] = [start; 3];
    if seed != 0 {
        a = a.wrapping_add((seed >> 32) as u32);
        b = b.wrapping_add(seed as u32);
        mix(&mut a, &mut b, &mut c);
    }
    let word = |s: &[u8], i: usize| s.iter().skip(i).take(4).rev().fold(0u32, |w, &x| w << 8 | u32::from(x));
    let mut chunks = key.chunks_exact(12);
    for k in &mut chunks {
        a = a.wrapping_add(word(k, 0));
        b = b.wrapping_add(word(k, 4));
        c = c.wrapping_add(word(k, 8));
        mix(&mut a, &mut b, &mut c);
    }
    let rest = chunks.remainder();
    a = a.wrapping_add(word(rest, 0));
    b = b.wrapping_add(word(rest, 4));
    // The lowest byte of the third word is left to the length.
    c = c.wrapping_add(word(rest, 8) << 8);
    finish(&mut a, &mut b, &mut c);
    (b, c)
}

/// (PostgreSQL: `hash_any`)
pub fn hash_bytes(key: &[u8]) -> i32 {
    state(key, 0).1 as i32
}
/// (PostgreSQL: `hash_any_extended`)
pub fn hash_bytes_extended(key: &[u8], seed: i64) -> i64 {
    let (b, c) = state(key, seed as u64);
    (u64::from(b) << 32 | u64::from(c)) as i64
}
fn state_u32(k: u32, seed: u64) -> (u32, u32) {
    let start = 0x9e37_79b9_u32.wrapping_add(4).wrapping_add(3_923_095);
    let [mut a, mut b, mut c] = [start; 3];
    if seed != 0 {
        a = a.wrapping_add((seed >> 32) as u32);
        b = b.wrapping_add(seed as u32);
        mix(&mut a, &mut b, &mut c);
    }
    a = a.wrapping_add(k);
    finish(&mut a, &mut b, &mut c);
    (b, c)
}
/// (PostgreSQL: `hash_uint32`)
pub fn hash_u32(k: u32) -> i32 {
    state_u32(k, 0).1 as i32
}
/// (PostgreSQL: `hash_uint32_extended`)
pub fn hash_u32_extended(k: u32, seed: i64) -> i64 {
    let (b, c) = state_u32(k, seed as u64);
    (u64::from(b) << 32 | u64::from(c)) as i64
}
/// Folds so that equal values of `int2`, `int4` and `int8` hash alike. (PostgreSQL: `hashint8`)
pub fn fold_i64(v: i64) -> u32 {
    let (lo, hi) = (v as u32, (v >> 32) as u32);
    lo ^ if v >= 0 { hi } else { !hi }
}
/// (PostgreSQL: `hash_combine64`)
pub fn combine64(a: u64, b: u64) -> u64 {
    a ^ b.wrapping_add(0x49a0_f4dd_15e5_a8e3).wrapping_add(a << 54).wrapping_add(a >> 7)
}
