//! Pseudo-random numbers as `random()` gives them: xoroshiro128**, seeded by the system or by `setseed`.
//!
//! A session that offers a [`Prng`] as an extension of its `Runtime` gets repeatable sequences after `setseed`; elsewhere
//! each call site has its own generator. (PostgreSQL: `pg_prng.c`)

use std::any::TypeId;

use base::{PgError, Result};
use types::FnCx;

pub struct Prng {
    s0: u64,
    s1: u64,
}

impl Prng {
    pub fn from_system() -> Result<Prng> {
        let mut b = [0u8; 16];
        fill_random(&mut b)?;
        let word =
            |i: usize| u64::from_le_bytes([b[i], b[i + 1], b[i + 2], b[i + 3], b[i + 4], b[i + 5], b[i + 6], b[i + 7]]);
        Ok(Prng { s0: word(0) | 1, s1: word(8) })
    }
    /// (PostgreSQL: `pg_prng_fseed`)
    pub fn from_f64(seed: f64) -> Prng {
        Prng::from_u64((((1i64 << 52) - 1) as f64 * seed) as i64 as u64)
    }
    pub fn from_u64(mut seed: u64) -> Prng {
        let mut split = || {
            seed = seed.wrapping_add(0x9E37_79B9_7F4A_7C15);
            let mut v = seed;
            v = (v ^ v >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
            v = (v ^ v >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
            v ^ v >> 31
        };
        let (s0, s1) = (split(), split());
        Prng { s0, s1 }
    }
    pub fn u64(&mut self) -> u64 {
        let (s0, sx) = (self.s0, self.s1 ^ self.s0);
        let v = s0.wrapping_mul(5).rotate_left(7).wrapping_mul(9);
        self.s0 = s0.rotate_left(24) ^ sx ^ sx << 16;
        self.s1 = sx.rotate_left(37);
        v
    }
    /// From 0 to below 1.
    pub fn f64(&mut self) -> f64 {
        (self.u64() >> 12) as f64 / (1u64 << 52) as f64
    }
    /// Standard normal distribution. (PostgreSQL: `pg_prng_double_normal`)
    pub fn normal(&mut self) -> f64 {
        let u1 = 1.0 - self.f64();
        let u2 = 1.0 - self.f64();
        (-2.0 * u1.ln()).sqrt() * (2.0 * std::f64::consts::PI * u2).sin()
    }
    /// Uniform from `min` to `max`, both included, by masked rejection. (PostgreSQL: `pg_prng_int64_range`)
    pub fn between(&mut self, min: i64, max: i64) -> i64 {
        (min as u64).wrapping_add(self.below_or_at(max.wrapping_sub(min) as u64)) as i64
    }
    pub fn below_or_at(&mut self, range: u64) -> u64 {
        if range == 0 {
            return 0;
        }
        let shift = range.leading_zeros();
        loop {
            let v = self.u64() >> shift;
            if v <= range {
                return v;
            }
        }
    }
}

/// Bytes from the system's secure source.
pub fn fill_random(b: &mut [u8]) -> Result<()> {
    getrandom::fill(b).map_err(|_| PgError::internal("could not generate random values"))
}

/// Lends the session's generator, or else the call site's.
pub fn with<T>(cx: &mut FnCx<'_>, f: impl FnOnce(&mut Prng) -> T) -> Result<T> {
    if let Some(p) = cx.rt.extension(TypeId::of::<Prng>()).and_then(|p| p.downcast_mut::<Prng>()) {
        return Ok(f(p));
    }
    cx.state_or(|_| Prng::from_system()).map(f)
}

/// (PostgreSQL: `setseed`)
pub fn seed(cx: &mut FnCx<'_>, seed: f64) -> Result<()> {
    let Ok(p) = cx.extension::<Prng>() else { return Err(PgError::unsupported("setseed")) };
    *p = Prng::from_f64(seed);
    Ok(())
}
