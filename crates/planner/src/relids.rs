//! Sets of range-table indexes. (PostgreSQL: `Relids`, `Bitmapset`)

use analyze::query::RtIndex;

/// A set of small numbers: the first 64 without an allocation.
#[derive(Clone, PartialEq, Eq, Hash, Default, PartialOrd, Ord)]
pub struct Relids {
    low: u64,
    /// Further words; the last one is not zero.
    more: Vec<u64>,
}

impl std::fmt::Debug for Relids {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

impl Relids {
    pub fn new() -> Relids {
        Relids::default()
    }
    pub fn single(i: RtIndex) -> Relids {
        let mut r = Relids::default();
        r.insert(i);
        r
    }
    fn word(&self, w: usize) -> u64 {
        if w == 0 { self.low } else { self.more.get(w - 1).copied().unwrap_or(0) }
    }
    fn words(&self) -> usize {
        1 + self.more.len()
    }
    fn trim(&mut self) {
        while self.more.last() == Some(&0) {
            self.more.pop();
        }
    }
    pub fn insert(&mut self, i: RtIndex) {
        let (w, bit) = (i as usize / 64, 1u64 << (i % 64));
        if w == 0 {
            self.low |= bit;
        } else {
            if self.more.len() < w {
                self.more.resize(w, 0);
            }
            self.more[w - 1] |= bit;
        }
    }
    pub fn remove(&mut self, i: RtIndex) {
        let (w, bit) = (i as usize / 64, 1u64 << (i % 64));
        if w == 0 {
            self.low &= !bit;
        } else if let Some(x) = self.more.get_mut(w - 1) {
            *x &= !bit;
            self.trim();
        }
    }
    pub fn contains(&self, i: RtIndex) -> bool {
        self.word(i as usize / 64) & (1u64 << (i % 64)) != 0
    }
    pub fn is_empty(&self) -> bool {
        self.low == 0 && self.more.is_empty()
    }
    pub fn len(&self) -> usize {
        (self.low.count_ones() + self.more.iter().map(|w| w.count_ones()).sum::<u32>()) as usize
    }
    pub fn add(&mut self, other: &Relids) {
        self.low |= other.low;
        if self.more.len() < other.more.len() {
            self.more.resize(other.more.len(), 0);
        }
        for (a, b) in self.more.iter_mut().zip(&other.more) {
            *a |= b;
        }
    }
    #[must_use]
    pub fn union(&self, other: &Relids) -> Relids {
        let mut r = self.clone();
        r.add(other);
        r
    }
    #[must_use]
    pub fn intersect(&self, other: &Relids) -> Relids {
        let mut r =
            Relids { low: self.low & other.low, more: self.more.iter().zip(&other.more).map(|(a, b)| a & b).collect() };
        r.trim();
        r
    }
    #[must_use]
    pub fn minus(&self, other: &Relids) -> Relids {
        let mut r = self.clone();
        r.low &= !other.low;
        for (a, b) in r.more.iter_mut().zip(&other.more) {
            *a &= !b;
        }
        r.trim();
        r
    }
    pub fn is_subset(&self, of: &Relids) -> bool {
        (0..self.words()).all(|w| self.word(w) & !of.word(w) == 0)
    }
    pub fn overlaps(&self, other: &Relids) -> bool {
        self.low & other.low != 0 || self.more.iter().zip(&other.more).any(|(a, b)| a & b != 0)
    }
    /// Its only member.
    pub fn as_single(&self) -> Option<RtIndex> {
        let mut it = self.iter();
        let first = it.next()?;
        it.next().is_none().then_some(first)
    }
    /// Ascending.
    pub fn iter(&self) -> impl Iterator<Item = RtIndex> + '_ {
        (0..self.words()).flat_map(move |w| {
            let mut bits = self.word(w);
            std::iter::from_fn(move || {
                (bits != 0).then(|| {
                    let b = bits.trailing_zeros();
                    bits &= bits - 1;
                    w as u32 * 64 + b
                })
            })
        })
    }
}

impl FromIterator<RtIndex> for Relids {
    fn from_iter<T: IntoIterator<Item = RtIndex>>(iter: T) -> Relids {
        let mut r = Relids::new();
        iter.into_iter().for_each(|i| r.insert(i));
        r
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets() {
        let a: Relids = [1, 5, 70, 200].into_iter().collect();
        let b: Relids = [5, 200].into_iter().collect();
        assert!(b.is_subset(&a) && !a.is_subset(&b) && a.overlaps(&b));
        assert_eq!(a.minus(&b), [1, 70].into_iter().collect());
        assert_eq!(a.intersect(&b), b);
        assert_eq!(b.minus(&a), Relids::new());
        assert_eq!((a.len(), Relids::single(9).as_single()), (4, Some(9)));
        assert_eq!(a.iter().collect::<Vec<_>>(), [1, 5, 70, 200]);
    }
}
