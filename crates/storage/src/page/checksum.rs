//! The data checksum: 32 interleaved FNV-1a sums, folded. The loops are plain so that the compiler vectorises them, with
//! AVX2 where the processor has it: a checksum is computed for each page read and written.
//! (PostgreSQL: `checksum_impl.h`; manual, "Data Checksums")

use base::{BLCKSZ, BlockNumber};

use super::Page;

const SUMS: usize = 32;
const PRIME: u32 = 16_777_619;

/// Where each of the sums starts.
const START: [u32; SUMS] = [
    0x5B1F_36E9,
    0xB852_5960,
    0x02AB_50AA,
    0x1DE6_6D2A,
    0x79FF_467A,
    0x9BB9_F8A3,
    0x217E_7CD2,
    0x83E1_3D2C,
    0xF8D4_474F,
    0xE39E_B970,
    0x42C6_AE16,
    0x9932_16FA,
    0x7B09_3B5D,
    0x98DA_FF3C,
    0xF718_902A,
    0x0B1C_9CDB,
    0xE58F_764B,
    0x1876_36BC,
    0x5D7B_3BB1,
    0xE73D_E7DE,
    0x92BE_C979,
    0xCCA6_C0B2,
    0x304A_0979,
    0x85AA_43D4,
    0x7831_25BB,
    0x6CA8_EAA2,
    0xE407_EAC6,
    0x4B5C_FC3E,
    0x9FBF_8C76,
    0x15CA_20BE,
    0xF2CA_9FD3,
    0x959B_D756,
];

#[inline(always)]
fn mix(sum: u32, value: u32) -> u32 {
    let x = sum ^ value;
    x.wrapping_mul(PRIME) ^ (x >> 17)
}

#[inline(always)]
fn mix_row(sums: &mut [u32; SUMS], row: &[u8; SUMS * 4], mask_checksum: bool) {
    for (i, sum) in sums.iter_mut().enumerate() {
        let b = i * 4;
        let mut value = u32::from_le_bytes([row[b], row[b + 1], row[b + 2], row[b + 3]]);
        // The checksum's own two bytes (8 and 9 of the page) count as zero.
        if mask_checksum && i == 2 {
            value &= 0xFFFF_0000;
        }
        *sum = mix(*sum, value);
    }
}

fn block_sum(bytes: &[u8; BLCKSZ]) -> u32 {
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("avx2") {
        // Safety: the processor has AVX2.
        return unsafe { block_sum_avx2(bytes) };
    }
    block_sum_plain(bytes)
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn block_sum_avx2(bytes: &[u8; BLCKSZ]) -> u32 {
    block_sum_plain(bytes)
}

#[inline(always)]
fn block_sum_plain(bytes: &[u8; BLCKSZ]) -> u32 {
    let mut sums = START;
    let (rows, _) = bytes.as_chunks::<{ SUMS * 4 }>();
    mix_row(&mut sums, &rows[0], true);
    for row in &rows[1..] {
        mix_row(&mut sums, row, false);
    }
    for _ in 0..2 {
        for sum in &mut sums {
            *sum = mix(*sum, 0);
        }
    }
    sums.iter().fold(0, |all, sum| all ^ sum)
}

impl Page {
    /// The checksum this page must carry as the given block: never zero. (PostgreSQL: `pg_checksum_page`)
    pub fn compute_checksum(&self, block: BlockNumber) -> u16 {
        let sum = block_sum(self.bytes()) ^ block.0;
        (sum % 65535 + 1) as u16
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Block 0 of `CREATE TABLE t (a int); INSERT INTO t VALUES (1), (2)`, as PostgreSQL 18 wrote it: what is not zero.
    const HEAD: [u8; 32] = [
        0x00, 0x00, 0x00, 0x00, 0x28, 0xca, 0xbf, 0x01, 0xf6, 0xa1, 0x00, 0x00, 0x20, 0x00, 0xc0, 0x1f, 0x00, 0x20,
        0x04, 0x20, 0x00, 0x00, 0x00, 0x00, 0xe0, 0x9f, 0x38, 0x00, 0xc0, 0x9f, 0x38, 0x00,
    ];
    const TAIL: [u8; 64] = [
        0xfd, 0x02, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x00,
        0x01, 0x00, 0x00, 0x08, 0x18, 0x00, 0x02, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0xfd, 0x02, 0x00, 0x00,
        0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x01, 0x00, 0x01, 0x00, 0x00, 0x08,
        0x18, 0x00, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    ];

    #[test]
    fn as_postgresql() {
        let mut page = Page::boxed();
        page.bytes_mut()[..32].copy_from_slice(&HEAD);
        page.bytes_mut()[8128..].copy_from_slice(&TAIL);
        assert_eq!(page.compute_checksum(BlockNumber(0)), page.checksum());
        assert_ne!(page.compute_checksum(BlockNumber(1)), page.checksum());
        assert_eq!(block_sum_plain(page.bytes()), block_sum(page.bytes()));
        assert_eq!(page.max_offset(), 2);
        assert_eq!(&page.item(2).expect("two tuples")[24..], [2, 0, 0, 0]);
    }
}
