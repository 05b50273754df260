//! `uuid`.

use std::time::{SystemTime, UNIX_EPOCH};

use base::Result;
use base::sqlstate::DATETIME_VALUE_OUT_OF_RANGE;
use types::{Builtin, builtin};

use crate::err::{error, invalid_input};
use crate::hash::{hash_bytes, hash_bytes_extended};

/// 32 hexadecimal digits, in braces or not, with hyphens after any group of four.
fn parse(s: &str) -> Option<[u8; 16]> {
    let body = match s.strip_prefix('{') {
        Some(b) => b.strip_suffix('}')?,
        None => s,
    };
    let (mut out, mut n, mut hyphen_ok) = ([0u8; 16], 0, false);
    for c in body.bytes() {
        if c == b'-' && hyphen_ok && n < 32 {
            hyphen_ok = false;
            continue;
        }
        let d = (c as char).to_digit(16)? as u8;
        *out.get_mut(n / 2)? |= if n % 2 == 0 { d << 4 } else { d };
        n += 1;
        hyphen_ok = n % 4 == 0;
    }
    (n == 32 && !body.ends_with('-')).then_some(out)
}
#[builtin("uuid_in")]
fn uuid_in(s: &str) -> Result<Vec<u8>> {
    parse(s).map(Vec::from).ok_or_else(|| invalid_input("uuid", s))
}
#[builtin("uuid_out", write)]
fn uuid_out(u: &[u8], out: &mut Vec<u8>) {
    for (i, b) in u.iter().enumerate() {
        if matches!(i, 4 | 6 | 8 | 10) {
            out.push(b'-');
        }
        out.extend_from_slice(crate::encode::to_hex(&[*b]).as_bytes());
    }
}
#[builtin("uuid_recv")]
fn uuid_recv(b: &[u8]) -> Result<Vec<u8>> {
    crate::wire::whole(b, |r| r.take(16).map(<[u8]>::to_vec))
}
#[builtin("uuid_send")]
fn uuid_send(u: &[u8]) -> &[u8] {
    u
}
fn order(a: &[u8], b: &[u8]) -> std::cmp::Ordering {
    a.cmp(b)
}
pub static UUID_COMPARE: &[Builtin] =
    &compare_bytes!(order, ["uuid_eq", "uuid_ne", "uuid_lt", "uuid_le", "uuid_gt", "uuid_ge", "uuid_cmp"]);
#[builtin("uuid_hash")]
fn uuid_hash(u: &[u8]) -> i32 {
    hash_bytes(u)
}
#[builtin("uuid_hash_extended")]
fn uuid_hash_extended(u: &[u8], seed: i64) -> i64 {
    hash_bytes_extended(u, seed)
}
#[builtin("gen_random_uuid")]
fn gen_random_uuid() -> Result<Vec<u8>> {
    let mut b = [0; 16];
    crate::random::fill_random(&mut b)?;
    b[6] = b[6] & 0x0f | 0x40;
    b[8] = b[8] & 0x3f | 0x80;
    Ok(b.to_vec())
}
/// Milliseconds, then their fraction, then chance.
fn version7(shift_us: i64) -> Result<Vec<u8>> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let ns = now.as_nanos() as i128 + i128::from(shift_us) * 1000;
    let (ms, rest) = (ns.div_euclid(1_000_000) as u64, ns.rem_euclid(1_000_000) as u64);
    let mut b = [0; 16];
    crate::random::fill_random(&mut b)?;
    b[..6].copy_from_slice(&ms.to_be_bytes()[2..]);
    let fraction = rest * 4096 / 1_000_000;
    b[6] = 0x70 | (fraction >> 8) as u8;
    b[7] = fraction as u8;
    b[8] = b[8] & 0x3f | 0x80;
    Ok(b.to_vec())
}
#[builtin("uuidv7")]
fn uuidv7() -> Result<Vec<u8>> {
    version7(0)
}
/// Of another time.
#[builtin("uuidv7_interval")]
fn uuidv7_interval(cx: &mut types::FnCx<'_>, shift: crate::datetime::interval::Interval) -> Result<Vec<u8>> {
    if shift.is_infinite() {
        let e = error(DATETIME_VALUE_OUT_OF_RANGE, "interval out of range for UUID version 7");
        return Err(e.detail("UUID version 7 does not support infinite intervals."));
    }
    let zone = crate::datetime::zone::Zone::session(&cx.settings().time_zone);
    let now = crate::datetime::timestamp::clock_now();
    let then = crate::datetime::timestamp::plus_zoned(now, shift, &zone)?;
    // Between 1970 and what 48 bits of milliseconds hold.
    const FIRST: i64 = -946_684_800_000_000;
    if then < FIRST || (then - FIRST) / 1000 >= 1 << 48 {
        let e = error(DATETIME_VALUE_OUT_OF_RANGE, "timestamp out of range for UUID version 7");
        return Err(e.detail("UUID version 7 supports timestamps from 1970-01-01 to approximately year 10889."));
    }
    version7(then - now)
}
#[builtin("uuid_extract_version")]
fn uuid_extract_version(u: &[u8]) -> Option<i16> {
    (u[8] & 0xc0 == 0x80).then(|| i16::from(u[6] >> 4))
}
/// Microseconds since 2000.
#[builtin("uuid_extract_timestamp")]
fn uuid_extract_timestamp(u: &[u8]) -> Option<i64> {
    const EPOCH_US: i64 = 946_684_800_000_000;
    if u[8] & 0xc0 != 0x80 {
        return None;
    }
    let word = |r: std::ops::Range<usize>| u[r].iter().fold(0i64, |v, b| v << 8 | i64::from(*b));
    match u[6] >> 4 {
        1 => {
            let ticks = (i64::from(u[6] & 0xf) << 8 | i64::from(u[7])) << 48 | word(4..6) << 32 | word(0..4);
            // Tenths of microseconds since 1582-10-15.
            Some(ticks / 10 - 12_219_292_800_000_000 - EPOCH_US)
        }
        7 => Some(word(0..6) * 1000 - EPOCH_US),
        _ => None,
    }
}
