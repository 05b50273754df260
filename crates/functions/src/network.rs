//! `inet` and `cidr`: family, length of the mask and address.
//!
//! The stored form is a byte for the family (2 for IPv4, 3 for IPv6), one for the mask's length, then the address.
//! PostgreSQL: `network.c`, `inet_net_pton.c`, `inet_net_ntop.c`.

use std::cmp::Ordering;
use std::fmt::Write;

use base::sqlstate::*;
use base::{PgError, Result};
use types::{Builtin, Datum, DatumRef, FromDatum, IntoDatum, builtin};

use crate::err::{bad_binary, error, invalid_input, out_of_range};
use crate::hash::{hash_bytes, hash_bytes_extended};
use crate::wire::Reader;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Network {
    v6: bool,
    bits: u8,
    /// An IPv4 address uses the first four bytes.
    addr: [u8; 16],
}

impl<'a> FromDatum<'a> for Network {
    fn from_datum(d: DatumRef<'a>) -> Result<Network> {
        let bad = || PgError::internal("invalid inet value");
        match <&[u8]>::from_datum(d)? {
            [family, bits, rest @ ..] if rest.len() == if *family == 3 { 16 } else { 4 } => {
                let mut addr = [0; 16];
                addr[..rest.len()].copy_from_slice(rest);
                Ok(Network { v6: *family == 3, bits: *bits, addr })
            }
            _ => Err(bad()),
        }
    }
}
impl IntoDatum for Network {
    fn into_datum(self) -> Datum {
        let mut b = [0; 18];
        b[0] = if self.v6 { 3 } else { 2 };
        b[1] = self.bits;
        b[2..].copy_from_slice(&self.addr);
        Datum::bytes(&b[..2 + self.size()])
    }
}

impl Network {
    fn size(&self) -> usize {
        if self.v6 { 16 } else { 4 }
    }
    fn max_bits(&self) -> u8 {
        if self.v6 { 128 } else { 32 }
    }
    fn bytes(&self) -> &[u8] {
        &self.addr[..self.size()]
    }
    fn value(&self) -> u128 {
        u128::from_be_bytes(self.addr) >> (128 - u32::from(self.max_bits()))
    }
    fn with_value(self, v: u128) -> Network {
        Network { addr: (v << (128 - u32::from(self.max_bits()))).to_be_bytes(), ..self }
    }
    /// Ones where the host part is.
    fn host_mask(&self, bits: u8) -> u128 {
        let host = u32::from(self.max_bits() - bits.min(self.max_bits()));
        if host >= 128 { u128::MAX } else { (1 << host) - 1 }
    }
    fn cut(self, bits: u8) -> Network {
        self.with_value(self.value() & !self.host_mask(bits))
    }
    fn full(self) -> Network {
        Network { bits: self.max_bits(), ..self }
    }
    /// How many leading bits both share.
    fn common(&self, o: &Network) -> u8 {
        ((self.value() ^ o.value()) << (128 - u32::from(self.max_bits()))).leading_zeros().min(self.max_bits().into())
            as u8
    }
    /// Network first, then the mask's length, then the host. (PostgreSQL: `network_cmp_internal`)
    pub fn compare(&self, o: &Network) -> Ordering {
        let prefix = |n: &Network| n.cut(self.bits.min(o.bits)).value();
        self.v6
            .cmp(&o.v6)
            .then_with(|| prefix(self).cmp(&prefix(o)))
            .then(self.bits.cmp(&o.bits))
            .then_with(|| self.value().cmp(&o.value()))
    }
    fn holds(&self, o: &Network) -> bool {
        self.v6 == o.v6 && self.bits <= o.bits && self.common(o) >= self.bits
    }
    fn address(&self) -> String {
        let mut out = String::new();
        if !self.v6 {
            let [a, b, c, d, ..] = self.addr;
            return format!("{a}.{b}.{c}.{d}");
        }
        let words: Vec<u16> = self.addr.chunks(2).map(|c| u16::from_be_bytes([c[0], c[1]])).collect();
        // The longest run of zeroes, the first of equals.
        let mut best = (0, 1);
        for start in 0..8 {
            let len = words[start..].iter().take_while(|w| **w == 0).count();
            if len > best.1 {
                best = (start, len);
            }
        }
        let mut i = 0;
        while i < 8 {
            if best.1 > 1 && i == best.0 {
                out.push_str("::");
                i += best.1;
                continue;
            }
            if i > 0 && !out.ends_with(':') {
                out.push(':');
            }
            let mapped = best.1 == 6 || best.1 == 7 && words[7] != 1 || best.1 == 5 && words[5] == 0xffff;
            if i == 6 && best.0 == 0 && mapped {
                let [.., a, b, c, d] = self.addr;
                let _ = write!(out, "{a}.{b}.{c}.{d}");
                break;
            }
            let _ = write!(out, "{:x}", words[i]);
            i += 1;
        }
        out
    }
    fn text(&self, always: bool) -> String {
        match always || self.bits != self.max_bits() {
            true => format!("{}/{}", self.address(), self.bits),
            false => self.address(),
        }
    }
}

fn parse_v4(s: &str, cidr: bool) -> Option<Network> {
    let (mantissa, mask) = s.split_once('/').map_or((s, None), |(m, b)| (m, Some(b)));
    let number = |p: &str, max: u32| -> Option<u8> {
        let digits = !p.is_empty() && p.len() <= 3 && p.bytes().all(|c| c.is_ascii_digit());
        digits.then(|| p.parse::<u32>().ok()).flatten().filter(|v| *v <= max).map(|v| v as u8)
    };
    let octets: Vec<u8> = mantissa.split('.').map(|p| number(p, 255)).collect::<Option<_>>()?;
    if octets.is_empty() || octets.len() > 4 {
        return None;
    }
    let mut addr = [0; 16];
    addr[..octets.len()].copy_from_slice(&octets);
    let mut bits = match mask {
        Some(b) => number(b, 32)?,
        None if octets.len() == 4 => 32,
        None if !cidr => return None,
        // By the address's class, at least what is written.
        None => {
            let class = match octets[0] {
                240.. => 32,
                224.. => 8,
                192.. => 24,
                128.. => 16,
                _ => 8,
            };
            let bits = u8::max(class, octets.len() as u8 * 8);
            if bits == 8 && octets[0] == 224 { 4 } else { bits }
        }
    };
    if !cidr && usize::from(bits / 8) > octets.len() {
        return None;
    }
    bits = bits.min(32);
    Some(Network { v6: false, bits, addr })
}
fn parse_v6(s: &str) -> Option<Network> {
    let (a, mask) = s.split_once('/').map_or((s, None), |(m, b)| (m, Some(b)));
    let addr: std::net::Ipv6Addr = a.parse().ok()?;
    let bits = match mask {
        Some(b) if !b.is_empty() && b.len() <= 3 && b.bytes().all(|c| c.is_ascii_digit()) => {
            if b.len() > 1 && b.starts_with('0') {
                return None;
            }
            b.parse::<u8>().ok().filter(|v| *v <= 128)?
        }
        Some(_) => return None,
        None => 128,
    };
    Some(Network { v6: true, bits, addr: addr.octets() })
}
fn parse(s: &str, cidr: bool) -> Result<Network> {
    let name = if cidr { "cidr" } else { "inet" };
    let found = if s.contains(':') { parse_v6(s) } else { parse_v4(s, cidr) };
    let n = found.ok_or_else(|| invalid_input(name, s))?;
    if cidr && n.cut(n.bits) != n {
        return Err(error(INVALID_TEXT_REPRESENTATION, format!("invalid cidr value: \"{s}\""))
            .detail("Value has bits set to right of mask."));
    }
    Ok(n)
}
#[builtin("inet_in")]
fn inet_in(s: &str) -> Result<Network> {
    parse(s, false)
}
#[builtin("cidr_in")]
fn cidr_in(s: &str) -> Result<Network> {
    parse(s, true)
}
#[builtin("inet_out", "inet_abbrev")]
fn inet_out(n: Network) -> String {
    n.text(false)
}
#[builtin("cidr_out", "network_show")]
fn cidr_out(n: Network) -> String {
    n.text(true)
}
#[builtin("cidr_abbrev")]
fn cidr_abbrev(n: Network) -> Result<String> {
    if n.v6 {
        let words = usize::from(n.bits).div_ceil(16).max(2);
        let words: Vec<u16> = n.addr.chunks(2).take(words).map(|c| u16::from_be_bytes([c[0], c[1]])).collect();
        if words.contains(&0) {
            return Err(PgError::unsupported("abbrev of an IPv6 network with zeroes"));
        }
        let parts: Vec<String> = words.iter().map(|w| format!("{w:x}")).collect();
        return Ok(format!("{}/{}", parts.join(":"), n.bits));
    }
    let octets = usize::from(n.bits).div_ceil(8).max(1);
    let parts: Vec<String> = n.bytes()[..octets].iter().map(u8::to_string).collect();
    Ok(format!("{}/{}", parts.join("."), n.bits))
}
fn receive(b: &[u8], cidr: bool) -> Result<Network> {
    let name = if cidr { "cidr" } else { "inet" };
    let bad = |what: &str| bad_binary(&format!("invalid {what} in external \"{name}\" value"));
    let mut r = Reader::new(b);
    let family = r.u8()?;
    if family != 2 && family != 3 {
        return Err(bad("address family"));
    }
    let bits = r.u8()?;
    let _ = r.u8()?;
    let length = r.u8()?;
    let mut n = Network { v6: family == 3, bits, addr: [0; 16] };
    if bits > n.max_bits() {
        return Err(bad("bits"));
    }
    if usize::from(length) != n.size() {
        return Err(bad("length"));
    }
    let size = n.size();
    n.addr[..size].copy_from_slice(r.take(size)?);
    r.end()?;
    if cidr && n.cut(bits) != n {
        return Err(bad_binary("invalid external \"cidr\" value").detail("Value has bits set to right of mask."));
    }
    Ok(n)
}
#[builtin("inet_recv")]
fn inet_recv(b: &[u8]) -> Result<Network> {
    receive(b, false)
}
#[builtin("cidr_recv")]
fn cidr_recv(b: &[u8]) -> Result<Network> {
    receive(b, true)
}
fn send(n: Network, cidr: bool) -> Vec<u8> {
    let mut out = vec![if n.v6 { 3 } else { 2 }, n.bits, u8::from(cidr), n.size() as u8];
    out.extend_from_slice(n.bytes());
    out
}
#[builtin("inet_send")]
fn inet_send(n: Network) -> Vec<u8> {
    send(n, false)
}
#[builtin("cidr_send")]
fn cidr_send(n: Network) -> Vec<u8> {
    send(n, true)
}

/// The order of stored addresses.
pub fn compare_bytes(a: &[u8], b: &[u8]) -> Ordering {
    let read = |b| Network::from_datum(DatumRef::Bytes(b));
    match (read(a), read(b)) {
        (Ok(a), Ok(b)) => a.compare(&b),
        _ => a.cmp(b),
    }
}
pub static COMPARE: &[Builtin] = &[
    bytes_test!("network_eq", compare_bytes, Ordering::is_eq),
    bytes_test!("network_ne", compare_bytes, Ordering::is_ne),
    bytes_test!("network_lt", compare_bytes, Ordering::is_lt),
    bytes_test!("network_le", compare_bytes, Ordering::is_le),
    bytes_test!("network_gt", compare_bytes, Ordering::is_gt),
    bytes_test!("network_ge", compare_bytes, Ordering::is_ge),
];
/// Of two masks over the same network it gives the difference in length.
#[builtin("network_cmp")]
fn network_cmp(a: Network, b: Network) -> i32 {
    let bits = a.bits.min(b.bits);
    match a.v6 == b.v6 && a.cut(bits).value() == b.cut(bits).value() && a.bits != b.bits {
        true => i32::from(a.bits) - i32::from(b.bits),
        false => a.compare(&b) as i32,
    }
}
#[builtin("network_larger")]
fn network_larger(a: Network, b: Network) -> Network {
    if a.compare(&b).is_gt() { a } else { b }
}
#[builtin("network_smaller")]
fn network_smaller(a: Network, b: Network) -> Network {
    if a.compare(&b).is_lt() { a } else { b }
}
#[builtin("hashinet")]
fn hashinet(b: &[u8]) -> i32 {
    hash_bytes(b)
}
#[builtin("hashinetextended")]
fn hashinetextended(b: &[u8], seed: i64) -> i64 {
    hash_bytes_extended(b, seed)
}
#[builtin("network_sub")]
fn network_sub(a: Network, b: Network) -> bool {
    b.bits < a.bits && b.holds(&a)
}
#[builtin("network_subeq")]
fn network_subeq(a: Network, b: Network) -> bool {
    b.holds(&a)
}
#[builtin("network_sup")]
fn network_sup(a: Network, b: Network) -> bool {
    a.bits < b.bits && a.holds(&b)
}
#[builtin("network_supeq")]
fn network_supeq(a: Network, b: Network) -> bool {
    a.holds(&b)
}
#[builtin("network_overlap")]
fn network_overlap(a: Network, b: Network) -> bool {
    a.holds(&b) || b.holds(&a)
}
#[builtin("network_host")]
fn network_host(n: Network) -> String {
    n.address()
}
#[builtin("network_network", "inet_to_cidr")]
fn network_network(n: Network) -> Network {
    n.cut(n.bits)
}
#[builtin("network_netmask")]
fn network_netmask(n: Network) -> Network {
    n.with_value(!n.host_mask(n.bits)).full()
}
#[builtin("network_hostmask")]
fn network_hostmask(n: Network) -> Network {
    n.with_value(n.host_mask(n.bits)).full()
}
#[builtin("network_broadcast")]
fn network_broadcast(n: Network) -> Network {
    n.with_value(n.value() | n.host_mask(n.bits))
}
#[builtin("network_masklen")]
fn network_masklen(n: Network) -> i32 {
    n.bits.into()
}
#[builtin("network_family")]
fn network_family(n: Network) -> i32 {
    if n.v6 { 6 } else { 4 }
}
fn mask_length(n: &Network, bits: i32) -> Result<u8> {
    match bits {
        -1 => Ok(n.max_bits()),
        b if (0..=i32::from(n.max_bits())).contains(&b) => Ok(b as u8),
        b => Err(error(INVALID_PARAMETER_VALUE, format!("invalid mask length: {b}"))),
    }
}
#[builtin("inet_set_masklen")]
fn inet_set_masklen(n: Network, bits: i32) -> Result<Network> {
    Ok(Network { bits: mask_length(&n, bits)?, ..n })
}
#[builtin("cidr_set_masklen")]
fn cidr_set_masklen(n: Network, bits: i32) -> Result<Network> {
    let bits = mask_length(&n, bits)?;
    Ok(Network { bits, ..n }.cut(bits))
}
#[builtin("inet_same_family")]
fn inet_same_family(a: Network, b: Network) -> bool {
    a.v6 == b.v6
}
#[builtin("inet_merge")]
fn inet_merge(a: Network, b: Network) -> Result<Network> {
    if a.v6 != b.v6 {
        return Err(error(INVALID_PARAMETER_VALUE, "cannot merge addresses from different families"));
    }
    let bits = a.common(&b).min(a.bits).min(b.bits);
    Ok(Network { bits, ..a }.cut(bits))
}
#[builtin("inetnot")]
fn inetnot(n: Network) -> Network {
    n.with_value(!n.value())
}
fn same_size(a: &Network, b: &Network, verb: &str) -> Result<u8> {
    if a.v6 == b.v6 {
        Ok(a.bits.max(b.bits))
    } else {
        Err(error(INVALID_PARAMETER_VALUE, format!("cannot {verb} inet values of different sizes")))
    }
}
#[builtin("inetand")]
fn inetand(a: Network, b: Network) -> Result<Network> {
    let bits = same_size(&a, &b, "AND")?;
    Ok(Network { bits, ..a.with_value(a.value() & b.value()) })
}
#[builtin("inetor")]
fn inetor(a: Network, b: Network) -> Result<Network> {
    let bits = same_size(&a, &b, "OR")?;
    Ok(Network { bits, ..a.with_value(a.value() | b.value()) })
}
fn plus(n: Network, by: i128) -> Result<Network> {
    let v = n.value();
    let sum = if by >= 0 { v.checked_add(by as u128) } else { v.checked_sub(by.unsigned_abs()) };
    match sum.filter(|s| *s <= n.host_mask(0)) {
        Some(s) => Ok(n.with_value(s)),
        None => Err(out_of_range("result is")),
    }
}
#[builtin("inetpl")]
fn inetpl(n: Network, by: i64) -> Result<Network> {
    plus(n, by.into())
}
#[builtin("inetmi_int8")]
fn inetmi_int8(n: Network, by: i64) -> Result<Network> {
    plus(n, -i128::from(by))
}
#[builtin("inetmi")]
fn inetmi(a: Network, b: Network) -> Result<i64> {
    if a.v6 != b.v6 {
        return Err(error(INVALID_PARAMETER_VALUE, "cannot subtract inet values of different sizes"));
    }
    let (x, y) = (a.value(), b.value());
    let magnitude = i128::try_from(x.abs_diff(y)).map_err(|_| out_of_range("result is"))?;
    i64::try_from(if x < y { -magnitude } else { magnitude }).map_err(|_| out_of_range("result is"))
}
