//! Unsigned integers of any size in base 10000, least digit first: what division, roots and series are computed with.

use std::cmp::Ordering;

pub const BASE: u32 = 10_000;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Big(pub Vec<u32>);

impl Big {
    pub fn from_u64(mut v: u64) -> Big {
        let mut d = Vec::new();
        while v > 0 {
            d.push((v % u64::from(BASE)) as u32);
            v /= u64::from(BASE);
        }
        Big(d)
    }
    pub fn is_zero(&self) -> bool {
        self.0.is_empty()
    }
    fn trim(mut self) -> Big {
        while self.0.last() == Some(&0) {
            self.0.pop();
        }
        self
    }
    pub fn new(digits: Vec<u32>) -> Big {
        Big(digits).trim()
    }
    /// Times `BASE` to the power of `n`, or divided (cut off) if `n` is negative.
    pub fn shift(&self, n: i64) -> Big {
        if self.is_zero() {
            return self.clone();
        }
        if n >= 0 {
            let mut d = vec![0; n as usize];
            d.extend_from_slice(&self.0);
            Big(d)
        } else {
            Big(self.0.get(n.unsigned_abs() as usize..).unwrap_or(&[]).to_vec())
        }
    }
    pub fn cmp(&self, o: &Big) -> Ordering {
        self.0.len().cmp(&o.0.len()).then_with(|| self.0.iter().rev().cmp(o.0.iter().rev()))
    }
    pub fn add(&self, o: &Big) -> Big {
        let (a, b) = if self.0.len() >= o.0.len() { (self, o) } else { (o, self) };
        let mut out = a.0.clone();
        let mut carry = 0;
        for (i, d) in out.iter_mut().enumerate() {
            let s = *d + b.0.get(i).copied().unwrap_or(0) + carry;
            carry = u32::from(s >= BASE);
            *d = s - carry * BASE;
        }
        if carry > 0 {
            out.push(1);
        }
        Big(out)
    }
    /// `self - o`, which must not be negative.
    pub fn sub(&self, o: &Big) -> Big {
        let mut out = self.0.clone();
        let mut borrow = 0;
        for (i, d) in out.iter_mut().enumerate() {
            let s = o.0.get(i).copied().unwrap_or(0) + borrow;
            borrow = u32::from(*d < s);
            *d = *d + borrow * BASE - s;
        }
        Big(out).trim()
    }
    pub fn mul(&self, o: &Big) -> Big {
        if self.is_zero() || o.is_zero() {
            return Big(Vec::new());
        }
        let mut acc = vec![0u64; self.0.len() + o.0.len()];
        for (i, &a) in self.0.iter().enumerate() {
            for (j, &b) in o.0.iter().enumerate() {
                acc[i + j] += u64::from(a) * u64::from(b);
            }
        }
        let mut carry = 0;
        let out = acc.iter().map(|&v| {
            let s = v + carry;
            carry = s / u64::from(BASE);
            (s % u64::from(BASE)) as u32
        });
        Big(out.collect()).trim()
    }
    pub fn mul_small(&self, m: u32) -> Big {
        self.mul(&Big::from_u64(m.into()))
    }
    /// Quotient and remainder by a small number.
    pub fn div_small(&self, m: u32) -> (Big, u32) {
        let mut rem = 0u64;
        let mut out = vec![0; self.0.len()];
        for i in (0..self.0.len()).rev() {
            let cur = rem * u64::from(BASE) + u64::from(self.0[i]);
            out[i] = (cur / u64::from(m)) as u32;
            rem = cur % u64::from(m);
        }
        (Big(out).trim(), rem as u32)
    }
    /// Quotient and remainder; the divisor must not be zero. (Knuth's algorithm D)
    pub fn div_rem(&self, o: &Big) -> (Big, Big) {
        if self.cmp(o).is_lt() {
            return (Big(Vec::new()), self.clone());
        }
        if o.0.len() == 1 {
            let (q, r) = self.div_small(o.0[0]);
            return (q, Big::from_u64(r.into()));
        }
        let n = o.0.len();
        let scale = BASE / (o.0[n - 1] + 1);
        let (mut u, v) = (self.mul_small(scale).0, o.mul_small(scale).0);
        u.resize(u.len().max(self.0.len()) + 1, 0);
        let m = u.len() - n - 1;
        let mut q = vec![0; m + 1];
        let base = i64::from(BASE);
        for j in (0..=m).rev() {
            let top = i64::from(u[j + n]) * base + i64::from(u[j + n - 1]);
            let (mut guess, mut rest) = (top / i64::from(v[n - 1]), top % i64::from(v[n - 1]));
            while guess >= base || guess * i64::from(v[n - 2]) > rest * base + i64::from(u[j + n - 2]) {
                guess -= 1;
                rest += i64::from(v[n - 1]);
                if rest >= base {
                    break;
                }
            }
            let mut borrow = 0i64;
            for i in 0..n {
                let d = i64::from(u[j + i]) - guess * i64::from(v[i]) - borrow;
                let low = d.rem_euclid(base);
                borrow = (low - d) / base;
                u[j + i] = low as u32;
            }
            let d = i64::from(u[j + n]) - borrow;
            u[j + n] = d.rem_euclid(base) as u32;
            if d < 0 {
                guess -= 1;
                let mut carry = 0;
                for i in 0..n {
                    let s = u[j + i] + v[i] + carry;
                    carry = u32::from(s >= BASE);
                    u[j + i] = s - carry * BASE;
                }
                u[j + n] = (u[j + n] + carry) % BASE;
            }
            q[j] = guess as u32;
        }
        (Big(q).trim(), Big(u).trim().div_small(scale).0)
    }
    /// The integer square root.
    pub fn sqrt(&self) -> Big {
        if self.is_zero() {
            return self.clone();
        }
        // From above, Newton's method falls until it is there.
        let mut x = Big::from_u64(1).shift((self.0.len() as i64 + 1) / 2);
        loop {
            let next = x.add(&self.div_rem(&x).0).div_small(2).0;
            if next.cmp(&x).is_ge() {
                return x;
            }
            x = next;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn division_undoes_multiplication() {
        let mut seed = 12345u64;
        let mut big = |n: usize| {
            let mut next = || {
                seed = seed.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
                if seed >> 60 == 0 { 9999 } else { (seed >> 33) as u32 % BASE }
            };
            Big::new((0..n).map(|_| next()).collect())
        };
        for i in 0..400 {
            let (a, b) = (big(1 + i % 11), big(1 + i % 5).add(&Big::from_u64(1)));
            let (q, r) = a.div_rem(&b);
            assert!(r.cmp(&b).is_lt());
            assert_eq!(q.mul(&b).add(&r), a);
            let s = a.sqrt();
            assert!(s.mul(&s).cmp(&a).is_le());
            let t = s.add(&Big::from_u64(1));
            assert!(t.mul(&t).cmp(&a).is_gt());
        }
    }
}
