//! Decompression of PostgreSQL's own LZ format. (PostgreSQL: `pg_lzcompress.c`, `pglz_decompress`)
//!
//! A control byte's bits, lowest first, say of the next eight items whether each is a literal byte (0) or a copy (1). A
//! copy is two bytes: length - 3 in the low four bits of the first (15: a third byte is added), the distance in the high
//! four bits of the first and the second.

/// Fills `into` completely. `None`: the bytes are damaged.
pub(crate) fn decompress(from: &[u8], into: &mut [u8]) -> Option<()> {
    let (mut at, mut done) = (0, 0);
    let mut next = || {
        let byte = from.get(at).copied();
        at += 1;
        byte
    };
    while done < into.len() {
        let control = next()?;
        for bit in 0..8 {
            if done == into.len() {
                break;
            }
            if control >> bit & 1 == 0 {
                into[done] = next()?;
                done += 1;
                continue;
            }
            let (first, second) = (usize::from(next()?), usize::from(next()?));
            let mut len = (first & 0x0F) + 3;
            let distance = (first & 0xF0) << 4 | second;
            if len == 18 {
                len += usize::from(next()?);
            }
            if distance == 0 || distance > done {
                return None;
            }
            // Source and target may overlap: bytes just written are copied again.
            for _ in 0..len.min(into.len() - done) {
                into[done] = into[done - distance];
                done += 1;
            }
        }
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_copies_and_damage() {
        // "ab", then 6 bytes from 2 back; then a long run.
        let packed = [0b0000_0100, b'a', b'b', 0x03, 2];
        let mut out = [0; 8];
        assert_eq!(decompress(&packed, &mut out), Some(()));
        assert_eq!(&out, b"abababab");
        let mut out = [0; 24];
        assert_eq!(decompress(&[0b10, b'x', 0x0F, 1, 5], &mut out), Some(()));
        assert_eq!(out, [b'x'; 24]);
        assert_eq!(decompress(&[0b1, 0x03, 9], &mut out), None);
        assert_eq!(decompress(&[], &mut out), None);
    }
}
