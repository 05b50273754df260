//! A number's base-10000 digits: the usual few without an allocation.

use std::fmt;
use std::ops::{Deref, DerefMut};

/// How many digits need no allocation: 48 decimal ones.
pub(super) const FEW: usize = 12;

/// A list of digits.
#[derive(Clone)]
pub struct Digits {
    few: [i16; FEW],
    /// How many of `few` count; all digits are in `many` if that is not empty.
    len: usize,
    many: Vec<i16>,
}

impl Digits {
    pub const fn new() -> Digits {
        Digits { few: [0; FEW], len: 0, many: Vec::new() }
    }
    #[inline]
    pub fn push(&mut self, d: i16) {
        if self.many.is_empty() && self.len < FEW {
            self.few[self.len] = d;
            self.len += 1;
        } else {
            self.spill().push(d);
        }
    }
    /// All digits into the vector.
    #[cold]
    fn spill(&mut self) -> &mut Vec<i16> {
        if self.many.is_empty() {
            self.many.extend_from_slice(&self.few[..self.len]);
            self.len = 0;
        }
        &mut self.many
    }
    pub fn truncate(&mut self, n: usize) {
        if self.many.is_empty() {
            self.len = self.len.min(n);
        } else {
            self.many.truncate(n);
        }
    }
    pub fn pop(&mut self) {
        let n = self.deref().len();
        self.truncate(n.saturating_sub(1));
    }
    /// Takes the first digits away.
    pub fn remove_first(&mut self, n: usize) {
        if self.many.is_empty() {
            self.few.copy_within(n..self.len, 0);
            self.len -= n;
        } else {
            self.many.drain(..n);
        }
    }
    pub fn insert_first(&mut self, d: i16) {
        self.push(0);
        let all = self.deref_mut();
        let last = all.len() - 1;
        all.copy_within(..last, 1);
        all[0] = d;
    }
}

impl Deref for Digits {
    type Target = [i16];
    #[inline]
    fn deref(&self) -> &[i16] {
        if self.many.is_empty() { &self.few[..self.len] } else { &self.many }
    }
}
impl DerefMut for Digits {
    #[inline]
    fn deref_mut(&mut self) -> &mut [i16] {
        if self.many.is_empty() { &mut self.few[..self.len] } else { &mut self.many }
    }
}
impl FromIterator<i16> for Digits {
    #[inline]
    fn from_iter<I: IntoIterator<Item = i16>>(digits: I) -> Digits {
        let mut d = Digits::new();
        digits.into_iter().for_each(|x| d.push(x));
        d
    }
}
impl PartialEq for Digits {
    fn eq(&self, o: &Digits) -> bool {
        **self == **o
    }
}
impl Eq for Digits {}
impl fmt::Debug for Digits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_and_many() {
        let mut d: Digits = (0..FEW as i16).collect();
        let mut v: Vec<i16> = d.to_vec();
        for step in 0..6 {
            d.insert_first(step);
            v.insert(0, step);
            assert_eq!(*d, *v);
        }
        d.remove_first(10);
        v.drain(..10);
        d.pop();
        v.pop();
        assert_eq!(*d, *v);
        d.truncate(0);
        assert!(d.is_empty());
        d.push(7);
        assert_eq!(*d, [7]);
        assert_eq!(d, [7].into_iter().collect());
    }
}
