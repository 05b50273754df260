//! The dead line pointers that vacuum collected, as a set for questions by the indexes: a bitmap for each page that has some.
//!
//! PostgreSQL: `TidStore`.

use base::{OffsetNumber, TupleId};

/// Line pointers by page.
pub(super) struct DeadItems {
    /// By block, from the first that has dead items: where its bits begin in `words`, or [`DeadItems::NONE`].
    blocks: Vec<u32>,
    first: u32,
    words: Vec<u64>,
}

impl DeadItems {
    const NONE: u32 = u32::MAX;

    /// Of line pointers in order.
    pub fn new(sorted: &[TupleId]) -> DeadItems {
        let (first, last) = match sorted {
            [] => return DeadItems { blocks: Vec::new(), first: 0, words: Vec::new() },
            [one] => (one.block.0, one.block.0),
            [first, .., last] => (first.block.0, last.block.0),
        };
        let mut set =
            DeadItems { blocks: vec![DeadItems::NONE; (last - first) as usize + 1], first, words: Vec::new() };
        for items in sorted.chunk_by(|a, b| a.block == b.block) {
            let start = set.words.len();
            set.blocks[(items[0].block.0 - first) as usize] = start as u32;
            let most = items.iter().map(|t| usize::from(t.offset)).max().unwrap_or(0);
            // The first word tells how many follow.
            set.words.push((most / 64 + 1) as u64);
            set.words.resize(start + 2 + most / 64, 0);
            for t in items {
                set.words[start + 1 + usize::from(t.offset) / 64] |= 1 << (t.offset % 64);
            }
        }
        set
    }
    #[inline]
    pub fn contains(&self, t: TupleId) -> bool {
        let Some(start) = t.block.0.checked_sub(self.first).and_then(|b| self.blocks.get(b as usize)) else {
            return false;
        };
        if *start == DeadItems::NONE {
            return false;
        }
        let (start, word) = (*start as usize, usize::from(t.offset) / 64);
        (word as u64) < self.words[start] && self.words[start + 1 + word] >> (t.offset as OffsetNumber % 64) & 1 != 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use base::BlockNumber;

    #[test]
    fn as_a_search() {
        let mut all: Vec<TupleId> =
            (0..5000u32).map(|n| TupleId::new(BlockNumber(7 + n * 13 % 400), (n * 31 % 290 + 1) as u16)).collect();
        all.sort_unstable();
        all.dedup();
        let set = DeadItems::new(&all);
        for block in 0..420 {
            for offset in 0..300 {
                let t = TupleId::new(BlockNumber(block), offset);
                assert_eq!(set.contains(t), all.binary_search(&t).is_ok(), "{t:?}");
            }
        }
        assert!(!DeadItems::new(&[]).contains(all[0]));
    }
}
