//! `macaddr` and `macaddr8`: hardware addresses of six and eight bytes. PostgreSQL: `mac.c`, `mac8.c`.

use base::Result;
use base::sqlstate::NUMERIC_VALUE_OUT_OF_RANGE;
use types::{Builtin, builtin};

use crate::err::{error, invalid_input};
use crate::hash::{hash_bytes, hash_bytes_extended};
use crate::int::is_space;
use crate::wire::whole;

/// One way to write six bytes: digits per byte at most, and what stands between them.
struct Format {
    width: usize,
    between: [&'static str; 5],
}
const FORMATS: [Format; 7] = [
    Format { width: usize::MAX, between: [":"; 5] },
    Format { width: usize::MAX, between: ["-"; 5] },
    Format { width: 2, between: ["", "", ":", "", ""] },
    Format { width: 2, between: ["", "", "-", "", ""] },
    Format { width: 2, between: ["", ".", "", ".", ""] },
    Format { width: 2, between: ["", "-", "", "-", ""] },
    Format { width: 2, between: [""; 5] },
];

/// The six numbers, which may be too large for a byte.
fn scan(text: &str, format: &Format) -> Option<[u64; 6]> {
    let mut rest = text;
    let mut out = [0; 6];
    for (i, value) in out.iter_mut().enumerate() {
        if i > 0 {
            rest = rest.strip_prefix(format.between[i - 1])?;
        }
        rest = rest.trim_start_matches(is_space);
        let digits = rest.bytes().take(format.width).take_while(u8::is_ascii_hexdigit).count();
        *value = u64::from_str_radix(rest.get(..digits)?, 16).ok()?;
        rest = &rest[digits..];
    }
    rest.trim_matches(is_space).is_empty().then_some(out)
}
#[builtin("macaddr_in")]
fn macaddr_in(s: &str) -> Result<Vec<u8>> {
    let found = FORMATS.iter().find_map(|f| scan(s, f)).ok_or_else(|| invalid_input("macaddr", s))?;
    let octet = |v: &u64| {
        u8::try_from(*v).map_err(|_| {
            error(NUMERIC_VALUE_OUT_OF_RANGE, format!("invalid octet value in \"macaddr\" value: \"{s}\""))
        })
    };
    found.iter().map(octet).collect()
}
/// Pairs of digits with one kind of separator; six bytes are widened.
fn parse8(s: &str) -> Option<[u8; 8]> {
    let mut rest = s.trim_start_matches(is_space).as_bytes();
    let (mut out, mut n, mut separator) = ([0u8; 8], 0, None);
    while let [a, b, after @ ..] = rest {
        let digit = |c: &u8| (*c as char).to_digit(16);
        *out.get_mut(n)? = (digit(a)? << 4 | digit(b)?) as u8;
        n += 1;
        rest = after;
        if let [c @ (b':' | b'-' | b'.'), after @ ..] = rest {
            if *separator.get_or_insert(*c) != *c {
                return None;
            }
            rest = after;
        }
        if (n == 6 || n == 8) && rest.first().is_some_and(|c| is_space(*c as char)) {
            let blank = rest.iter().all(|c| is_space(*c as char));
            rest = if blank { &[] } else { return None };
        }
    }
    match n {
        6 => Some(widen(&out[..6])),
        8 => Some(out),
        _ => None,
    }
}
/// `ff:fe` goes into the middle. (EUI-48 to EUI-64)
fn widen(m: &[u8]) -> [u8; 8] {
    [m[0], m[1], m[2], 0xff, 0xfe, m[3], m[4], m[5]]
}
#[builtin("macaddr8_in")]
fn macaddr8_in(s: &str) -> Result<Vec<u8>> {
    parse8(s).map(|m| m.to_vec()).ok_or_else(|| invalid_input("macaddr8", s))
}
#[builtin("macaddr_out", "macaddr8_out", write)]
fn macaddr_out(m: &[u8], out: &mut Vec<u8>) {
    for (i, b) in m.iter().enumerate() {
        if i > 0 {
            out.push(b':');
        }
        out.extend_from_slice(crate::encode::to_hex(&[*b]).as_bytes());
    }
}
#[builtin("macaddr_recv")]
fn macaddr_recv(b: &[u8]) -> Result<Vec<u8>> {
    whole(b, |r| r.take(6).map(<[u8]>::to_vec))
}
#[builtin("macaddr8_recv")]
fn macaddr8_recv(b: &[u8]) -> Result<Vec<u8>> {
    whole(b, |r| match r.rest.len() {
        6 => r.take(6).map(|m| widen(m).to_vec()),
        _ => r.take(8).map(<[u8]>::to_vec),
    })
}
#[builtin("macaddr_send", "macaddr8_send")]
fn macaddr_send(m: &[u8]) -> &[u8] {
    m
}
pub fn order(a: &[u8], b: &[u8]) -> std::cmp::Ordering {
    a.cmp(b)
}
pub static MACADDR_COMPARE: &[Builtin] = &compare_bytes!(
    order,
    ["macaddr_eq", "macaddr_ne", "macaddr_lt", "macaddr_le", "macaddr_gt", "macaddr_ge", "macaddr_cmp"]
);
pub static MACADDR8_COMPARE: &[Builtin] = &compare_bytes!(
    order,
    ["macaddr8_eq", "macaddr8_ne", "macaddr8_lt", "macaddr8_le", "macaddr8_gt", "macaddr8_ge", "macaddr8_cmp"]
);
#[builtin("hashmacaddr", "hashmacaddr8")]
fn hashmacaddr(m: &[u8]) -> i32 {
    hash_bytes(m)
}
#[builtin("hashmacaddrextended", "hashmacaddr8extended")]
fn hashmacaddrextended(m: &[u8], seed: i64) -> i64 {
    hash_bytes_extended(m, seed)
}
#[builtin("macaddr_and", "macaddr8_and")]
fn macaddr_and(a: &[u8], b: &[u8]) -> Vec<u8> {
    a.iter().zip(b).map(|(x, y)| x & y).collect()
}
#[builtin("macaddr_or", "macaddr8_or")]
fn macaddr_or(a: &[u8], b: &[u8]) -> Vec<u8> {
    a.iter().zip(b).map(|(x, y)| x | y).collect()
}
#[builtin("macaddr_not", "macaddr8_not")]
fn macaddr_not(a: &[u8]) -> Vec<u8> {
    a.iter().map(|x| !x).collect()
}
/// Keeps the manufacturer's part.
#[builtin("macaddr_trunc", "macaddr8_trunc")]
fn macaddr_trunc(a: &[u8]) -> Vec<u8> {
    a.iter().enumerate().map(|(i, b)| if i < 3 { *b } else { 0 }).collect()
}
#[builtin("macaddr8_set7bit")]
fn macaddr8_set7bit(a: &[u8]) -> Vec<u8> {
    let mut m = a.to_vec();
    m[0] |= 0x02;
    m
}
#[builtin("macaddrtomacaddr8")]
fn macaddrtomacaddr8(m: &[u8]) -> Vec<u8> {
    widen(m).to_vec()
}
#[builtin("macaddr8tomacaddr")]
fn macaddr8tomacaddr(m: &[u8]) -> Result<Vec<u8>> {
    match *m {
        [a, b, c, 0xff, 0xfe, d, e, f] => Ok(vec![a, b, c, d, e, f]),
        _ => {
            let hint = "Only addresses that have FF and FE as values in the 4th and 5th bytes from the left, for example \
                        xx:xx:xx:ff:fe:xx:xx:xx, are eligible to be converted from macaddr8 to macaddr.";
            let text = "macaddr8 data out of range to convert to macaddr";
            Err(error(NUMERIC_VALUE_OUT_OF_RANGE, text).hint(hint))
        }
    }
}
