//! PostgreSQL's own compression: used for TOASTed values and, optionally, for page images in the log.
//!
//! The format: a control byte tells of each of the next eight items, from its lowest bit, whether it is a byte taken as
//! it is (0) or a copy of earlier output (1). A copy is two bytes: the upper half of the first is bits 8..11 of the
//! distance, its lower half the length less 3; the second is bits 0..7 of the distance. A lower half of 15 means that a
//! third byte follows, and the length is that byte plus 18. Copies may overlap what they produce.
//!
//! PostgreSQL: `pg_lzcompress.c`. Different here: the search for copies is our own, so that the same input may become
//! other bytes than PostgreSQL's; either reads both.

const MAX_DISTANCE: usize = 4095;
const MIN_MATCH: usize = 3;
const MAX_MATCH: usize = 273;
/// Long enough not to look for better.
const GOOD_MATCH: usize = 128;
/// How many earlier places are tried for each position.
const MAX_TRIES: usize = 16;
const HASH_BITS: u32 = 12;
const NONE: u32 = u32::MAX;

/// Shorter input is not worth it. (PostgreSQL: `min_input_size` of the default strategy)
const MIN_INPUT: usize = 32;
/// If nothing could be copied within so much output, nothing will.
const FIRST_SUCCESS_BY: usize = 1024;

/// Compresses; `None` unless at least a quarter is saved. (PostgreSQL: `pglz_compress` with the default strategy)
pub fn compress(input: &[u8]) -> Option<Vec<u8>> {
    if input.len() < MIN_INPUT || input.len() > i32::MAX as usize {
        return None;
    }
    let limit = input.len() / 100 * 75 + input.len() % 100 * 75 / 100;
    let mut heads = vec![NONE; 1 << HASH_BITS];
    // The chain of earlier places with the same hash, for the last 4096 positions.
    let mut chain = vec![NONE; MAX_DISTANCE + 1];
    let mut out = Vec::with_capacity(limit + 4);
    let (mut control_at, mut control_bit) = (0, 8);
    let mut found_any = false;
    let mut at = 0;
    while at < input.len() {
        if out.len() >= limit || !found_any && out.len() >= FIRST_SUCCESS_BY {
            return None;
        }
        if control_bit == 8 {
            control_at = out.len();
            control_bit = 0;
            out.push(0);
        }
        let found = longest_match(input, at, &heads, &chain);
        let step = match found {
            Some((distance, len)) => {
                found_any = true;
                out[control_at] |= 1 << control_bit;
                let high = (distance >> 4) as u8 & 0xF0;
                if len < 18 {
                    out.extend_from_slice(&[high | (len - MIN_MATCH) as u8, distance as u8]);
                } else {
                    out.extend_from_slice(&[high | 0x0F, distance as u8, (len - 18) as u8]);
                }
                len
            }
            None => {
                out.push(input[at]);
                1
            }
        };
        control_bit += 1;
        for p in at..at + step {
            if let Some(h) = hash_at(input, p) {
                chain[p & MAX_DISTANCE] = heads[h];
                heads[h] = p as u32;
            }
        }
        at += step;
    }
    (out.len() < limit).then_some(out)
}

fn hash_at(input: &[u8], at: usize) -> Option<usize> {
    let b = input.get(at..at + 3)?;
    let word = u32::from(b[0]) | u32::from(b[1]) << 8 | u32::from(b[2]) << 16;
    Some((word.wrapping_mul(0x9E37_79B1) >> (32 - HASH_BITS)) as usize)
}

/// Distance and length of the best earlier occurrence of what begins at `at`.
fn longest_match(input: &[u8], at: usize, heads: &[u32], chain: &[u32]) -> Option<(usize, usize)> {
    let mut candidate = heads[hash_at(input, at)?];
    let longest = (input.len() - at).min(MAX_MATCH);
    let mut best = (0, MIN_MATCH - 1);
    for _ in 0..MAX_TRIES {
        if candidate == NONE || at - candidate as usize > MAX_DISTANCE {
            break;
        }
        let from = candidate as usize;
        let len = (0..longest).take_while(|&i| input[from + i] == input[at + i]).count();
        if len > best.1 {
            best = (at - from, len);
            if len >= GOOD_MATCH || len == longest {
                break;
            }
        }
        let next = chain[from & MAX_DISTANCE];
        // A slot that was reused leads forward: the chain ends there.
        if next == NONE || next as usize >= from {
            break;
        }
        candidate = next;
    }
    (best.1 >= MIN_MATCH).then_some(best)
}

/// Decompresses until `raw_len` bytes are there, or all input is used up. `None` if the input is damaged: it refers to
/// what is not there, or with `complete` does not yield exactly `raw_len` bytes. (PostgreSQL: `pglz_decompress`)
pub fn decompress(input: &[u8], raw_len: usize, complete: bool) -> Option<Vec<u8>> {
    let mut out: Vec<u8> = Vec::with_capacity(raw_len.min(1 << 20));
    let mut at = 0;
    while at < input.len() && out.len() < raw_len {
        let control = input[at];
        at += 1;
        for bit in 0..8 {
            if at >= input.len() || out.len() >= raw_len {
                break;
            }
            if control >> bit & 1 == 0 {
                out.push(input[at]);
                at += 1;
                continue;
            }
            let [first, second] = *input.get(at..at + 2)? else { return None };
            at += 2;
            let distance = usize::from(first & 0xF0) << 4 | usize::from(second);
            let mut len = usize::from(first & 0x0F) + MIN_MATCH;
            if len == 18 {
                len += usize::from(*input.get(at)?);
                at += 1;
            }
            if distance == 0 || distance > out.len() {
                return None;
            }
            let len = len.min(raw_len - out.len());
            let from = out.len() - distance;
            if distance >= len {
                out.extend_from_within(from..from + len);
            } else {
                for i in 0..len {
                    out.push(out[from + i]);
                }
            }
        }
    }
    (!complete || out.len() == raw_len && at == input.len()).then_some(out)
}

/// How much compressed input is enough for the first `raw_len` bytes.
/// (PostgreSQL: `pglz_maximum_compressed_size`)
pub fn maximum_compressed_size(raw_len: usize, total: usize) -> usize {
    // At worst all are literals, a control bit each; the last item may be a copy that reaches beyond.
    ((raw_len * 9).div_ceil(8) + 2).min(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(input: &[u8], compressible: bool) {
        match compress(input) {
            Some(c) => {
                assert!(compressible && c.len() < input.len());
                assert_eq!(decompress(&c, input.len(), true).as_deref(), Some(input));
                for n in [0, 1, 7, input.len() / 2] {
                    let part = &c[..maximum_compressed_size(n, c.len())];
                    assert_eq!(decompress(part, n, false).as_deref(), Some(&input[..n]));
                }
            }
            None => assert!(!compressible, "{} bytes", input.len()),
        }
    }

    #[test]
    fn round_trips() {
        check(&[b'x'; 10], false);
        check(&[b'x'; 32], true);
        check(&[b'x'; 100_000], true);
        check("the quick brown fox jumps over the lazy dog. ".repeat(300).as_bytes(), true);
        let mut seed = 1u64;
        let mut noise = |n: usize, mask: u8| -> Vec<u8> {
            (0..n)
                .map(|_| {
                    seed = seed.wrapping_mul(6364136223846793005).wrapping_add(1);
                    (seed >> 33) as u8 & mask
                })
                .collect()
        };
        check(&noise(5000, 0xFF), false);
        for n in [40, 300, 5000, 70_000] {
            check(&noise(n, 0x01), true);
        }
    }

    #[test]
    fn damage_is_refused() {
        assert_eq!(decompress(&[1, 0x00, 0x05], 10, true), None);
        assert_eq!(decompress(&[2, b'a', 0x0F], 30, true), None);
        let c = compress(&[b'y'; 500]).unwrap();
        assert_eq!(decompress(&c, 501, true), None);
        assert_eq!(decompress(&c[..c.len() - 1], 500, true), None);
    }

    /// The bytes PostgreSQL 18 stored for `repeat('abc', 50)`.
    #[test]
    fn reads_postgres() {
        let input = "abc".repeat(50);
        let c = [0x08, b'a', b'b', b'c', 0x0F, 0x03, 129];
        assert_eq!(decompress(&c, 150, true).unwrap(), input.as_bytes());
    }
}
