//! `bit` and `varbit`: strings of bits. The stored form is the number of bits and the bits, first ones highest, the last byte
//! filled with zeroes. (PostgreSQL: `varbit.c`)

use std::cmp::Ordering;

use base::sqlstate::*;
use base::{Oid, PgError, Result};
use types::{Builtin, Datum, DatumRef, FromDatum, IntoDatum, builtin};

use crate::err::{bad_binary, error, invalid_parameter, out_of_range};
use crate::wire::Reader;

/// (PostgreSQL: `MaxAttrSize * BITS_PER_BYTE`)
const MAX_BITS: i64 = 83_886_080;

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Bits {
    len: usize,
    bytes: Vec<u8>,
}

impl<'a> FromDatum<'a> for Bits {
    fn from_datum(d: DatumRef<'a>) -> Result<Bits> {
        let b = <&[u8]>::from_datum(d)?;
        let bad = || PgError::internal("invalid bit string");
        let len = b.get(..4).and_then(|w| w.try_into().ok()).map(i32::from_le_bytes).ok_or_else(bad)?;
        let len = usize::try_from(len).map_err(|_| bad())?;
        let bytes = b.get(4..4 + len.div_ceil(8)).ok_or_else(bad)?.to_vec();
        Ok(Bits { len, bytes })
    }
}
impl IntoDatum for Bits {
    fn into_datum(self) -> Datum {
        let mut out = (self.len as i32).to_le_bytes().to_vec();
        out.extend_from_slice(&self.bytes);
        Datum::bytes(out)
    }
}

impl Bits {
    fn zeroes(len: usize) -> Bits {
        Bits { len, bytes: vec![0; len.div_ceil(8)] }
    }
    fn get(&self, i: usize) -> bool {
        self.bytes.get(i / 8).is_some_and(|b| b >> (7 - i % 8) & 1 == 1)
    }
    fn set(&mut self, i: usize, v: bool) {
        let bit = 0x80 >> (i % 8);
        if v { self.bytes[i / 8] |= bit } else { self.bytes[i / 8] &= !bit }
    }
    /// The bits that a function tells.
    fn from_fn(len: usize, f: impl Fn(usize) -> bool) -> Bits {
        let mut b = Bits::zeroes(len);
        (0..len).filter(|&i| f(i)).for_each(|i| b.set(i, true));
        b
    }
    /// Cut or filled with zeroes.
    fn resized(&self, len: usize) -> Bits {
        Bits::from_fn(len, |i| i < self.len && self.get(i))
    }
    /// From character `start`, counted from 1; without a length to the end. (PostgreSQL: `bitsubstring`)
    fn substring(&self, start: i32, len: Option<i32>) -> Result<Bits> {
        let from = i64::from(start).max(1);
        let end = match len {
            None => self.len as i64 + 1,
            Some(n) if n < 0 => return Err(negative_length()),
            Some(n) => (i64::from(start) + i64::from(n)).min(self.len as i64 + 1),
        };
        if from > self.len as i64 || end <= from {
            return Ok(Bits::zeroes(0));
        }
        Ok(Bits::from_fn((end - from) as usize, |i| self.get(i + from as usize - 1)))
    }
    fn concat(&self, o: &Bits) -> Bits {
        Bits::from_fn(self.len + o.len, |i| if i < self.len { self.get(i) } else { o.get(i - self.len) })
    }
}
#[cold]
fn negative_length() -> PgError {
    error(SUBSTRING_ERROR, "negative substring length not allowed")
}
#[cold]
fn wrong_length(len: usize, typmod: i32) -> PgError {
    error(STRING_DATA_LENGTH_MISMATCH, format!("bit string length {len} does not match type bit({typmod})"))
}
#[cold]
fn too_long(typmod: i32) -> PgError {
    error(STRING_DATA_RIGHT_TRUNCATION, format!("bit string too long for type bit varying({typmod})"))
}

fn parse(s: &str) -> Result<Bits> {
    let (hex, digits) = match s.as_bytes().first() {
        Some(b'x' | b'X') => (true, &s[1..]),
        Some(b'b' | b'B') => (false, &s[1..]),
        _ => (false, s),
    };
    let bad = |c: char, kind: &str| error(INVALID_TEXT_REPRESENTATION, format!("\"{c}\" is not a valid {kind} digit"));
    let mut values = Vec::new();
    for c in digits.chars() {
        match c.to_digit(if hex { 16 } else { 2 }) {
            Some(v) if hex => values.extend((0..4).rev().map(|i| v >> i & 1 == 1)),
            Some(v) => values.push(v == 1),
            None => return Err(bad(c, if hex { "hexadecimal" } else { "binary" })),
        }
    }
    Ok(Bits::from_fn(values.len(), |i| values[i]))
}
#[builtin("bit_in")]
fn bit_in(s: &str, _elem: Oid, typmod: i32) -> Result<Bits> {
    let b = parse(s)?;
    if typmod > 0 && b.len != typmod as usize { Err(wrong_length(b.len, typmod)) } else { Ok(b) }
}
#[builtin("varbit_in")]
fn varbit_in(s: &str, _elem: Oid, typmod: i32) -> Result<Bits> {
    let b = parse(s)?;
    if typmod > 0 && b.len > typmod as usize { Err(too_long(typmod)) } else { Ok(b) }
}
#[builtin("bit_out", "varbit_out")]
fn bit_out(b: Bits) -> String {
    (0..b.len).map(|i| if b.get(i) { '1' } else { '0' }).collect()
}
fn receive(b: &[u8]) -> Result<Bits> {
    let mut r = Reader::new(b);
    let len = r.i32()?;
    let bits = usize::try_from(len).map_err(|_| bad_binary("invalid length in external bit string"))?;
    let bytes = r.take(bits.div_ceil(8))?.to_vec();
    r.end()?;
    // Bits behind the end are zero.
    Ok(Bits { len: bits, bytes }.resized(bits))
}
#[builtin("bit_recv")]
fn bit_recv(b: &[u8], _elem: Oid, typmod: i32) -> Result<Bits> {
    let b = receive(b)?;
    if typmod > 0 && b.len != typmod as usize { Err(wrong_length(b.len, typmod)) } else { Ok(b) }
}
#[builtin("varbit_recv")]
fn varbit_recv(b: &[u8], _elem: Oid, typmod: i32) -> Result<Bits> {
    let b = receive(b)?;
    if typmod > 0 && b.len > typmod as usize { Err(too_long(typmod)) } else { Ok(b) }
}
#[builtin("bit_send", "varbit_send")]
fn bit_send(b: Bits) -> Vec<u8> {
    let mut out = (b.len as i32).to_be_bytes().to_vec();
    out.extend_from_slice(&b.bytes);
    out
}
#[builtin("bit")]
fn bit(b: Bits, typmod: i32, explicit: bool) -> Result<Bits> {
    if typmod <= 0 || b.len == typmod as usize {
        return Ok(b);
    }
    if explicit { Ok(b.resized(typmod as usize)) } else { Err(wrong_length(b.len, typmod)) }
}
#[builtin("varbit")]
fn varbit(b: Bits, typmod: i32, explicit: bool) -> Result<Bits> {
    if typmod <= 0 || b.len <= typmod as usize {
        return Ok(b);
    }
    if explicit { Ok(b.resized(typmod as usize)) } else { Err(too_long(typmod)) }
}
fn typmod(a: &[u8], name: &str) -> Result<i32> {
    let list = crate::arrays::cstrings(a)?;
    let [one] = &list[..] else { return Err(invalid_parameter("invalid type modifier")) };
    match crate::int::parse_int(one, "integer", i32::MIN.into(), i32::MAX.into())? {
        ..1 => Err(invalid_parameter(format!("length for type {name} must be at least 1"))),
        n if n > MAX_BITS => Err(invalid_parameter(format!("length for type {name} cannot exceed {MAX_BITS}"))),
        n => Ok(n as i32),
    }
}
#[builtin("bittypmodin")]
fn bittypmodin(a: &[u8]) -> Result<i32> {
    typmod(a, "bit")
}
#[builtin("varbittypmodin")]
fn varbittypmodin(a: &[u8]) -> Result<i32> {
    typmod(a, "varbit")
}
#[builtin("bittypmodout", "varbittypmodout")]
fn bittypmodout(typmod: i32) -> String {
    if typmod >= 0 { format!("({typmod})") } else { String::new() }
}

/// The order of stored bit strings: by their bits, the shorter first.
pub fn compare_bytes(a: &[u8], b: &[u8]) -> Ordering {
    let split = |b: &[u8]| -> (Vec<u8>, i32) {
        let len = b.get(..4).and_then(|w| w.try_into().ok()).map_or(0, i32::from_le_bytes);
        (b.get(4..).unwrap_or(&[]).to_vec(), len)
    };
    let ((x, n), (y, m)) = (split(a), split(b));
    let common = x.len().min(y.len());
    x[..common].cmp(&y[..common]).then(n.cmp(&m))
}
pub static COMPARE: &[Builtin] =
    &compare_bytes!(compare_bytes, ["biteq", "bitne", "bitlt", "bitle", "bitgt", "bitge", "bitcmp"]);

fn combine(a: &Bits, b: &Bits, verb: &str, f: fn(u8, u8) -> u8) -> Result<Bits> {
    if a.len != b.len {
        let text = format!("cannot {verb} bit strings of different sizes");
        return Err(error(STRING_DATA_LENGTH_MISMATCH, text));
    }
    Ok(Bits { len: a.len, bytes: a.bytes.iter().zip(&b.bytes).map(|(x, y)| f(*x, *y)).collect() })
}
#[builtin("bit_and")]
fn bit_and(a: Bits, b: Bits) -> Result<Bits> {
    combine(&a, &b, "AND", |x, y| x & y)
}
#[builtin("bit_or")]
fn bit_or(a: Bits, b: Bits) -> Result<Bits> {
    combine(&a, &b, "OR", |x, y| x | y)
}
#[builtin("bitxor")]
fn bitxor(a: Bits, b: Bits) -> Result<Bits> {
    combine(&a, &b, "XOR", |x, y| x ^ y)
}
#[builtin("bitnot")]
fn bitnot(a: Bits) -> Bits {
    Bits::from_fn(a.len, |i| !a.get(i))
}
/// Towards the front; negative towards the end.
fn shift(a: &Bits, by: i64) -> Bits {
    let at = |i: usize| usize::try_from(i as i64 + by).ok().filter(|i| *i < a.len);
    Bits::from_fn(a.len, |i| at(i).is_some_and(|i| a.get(i)))
}
#[builtin("bitshiftleft")]
fn bitshiftleft(a: Bits, by: i32) -> Bits {
    shift(&a, by.into())
}
#[builtin("bitshiftright")]
fn bitshiftright(a: Bits, by: i32) -> Bits {
    shift(&a, -i64::from(by))
}
#[builtin("bitcat")]
fn bitcat(a: Bits, b: Bits) -> Bits {
    a.concat(&b)
}
#[builtin("bitsubstr")]
fn bitsubstr(a: Bits, start: i32, len: i32) -> Result<Bits> {
    a.substring(start, Some(len))
}
#[builtin("bitsubstr_no_len")]
fn bitsubstr_no_len(a: Bits, start: i32) -> Result<Bits> {
    a.substring(start, None)
}
fn overlay(a: &Bits, b: &Bits, start: i32, len: i32) -> Result<Bits> {
    if start <= 0 {
        return Err(negative_length());
    }
    let end = start.checked_add(len).ok_or_else(|| out_of_range("integer"))?;
    Ok(a.substring(1, Some(start - 1))?.concat(b).concat(&a.substring(end, None)?))
}
#[builtin("bitoverlay")]
fn bitoverlay(a: Bits, b: Bits, start: i32, len: i32) -> Result<Bits> {
    overlay(&a, &b, start, len)
}
#[builtin("bitoverlay_no_len")]
fn bitoverlay_no_len(a: Bits, b: Bits, start: i32) -> Result<Bits> {
    overlay(&a, &b, start, b.len as i32)
}
#[builtin("bitlength")]
fn bitlength(a: Bits) -> i32 {
    a.len as i32
}
#[builtin("bitoctetlength")]
fn bitoctetlength(a: Bits) -> i32 {
    a.bytes.len() as i32
}
#[builtin("bit_bit_count")]
fn bit_bit_count(a: Bits) -> i64 {
    a.bytes.iter().map(|b| i64::from(b.count_ones())).sum()
}
#[builtin("bitposition")]
fn bitposition(a: Bits, part: Bits) -> i32 {
    if a.len == 0 || part.len > a.len {
        return 0;
    }
    let found = (0..=a.len - part.len).find(|&s| (0..part.len).all(|i| a.get(s + i) == part.get(i)));
    found.map_or(0, |i| i as i32 + 1)
}
fn from_integer(v: i64, typmod: i32) -> Bits {
    let len = if typmod <= 0 { 1 } else { typmod as usize };
    // The sign goes on to the left.
    Bits::from_fn(len, |i| v >> (len - 1 - i).min(63) & 1 == 1)
}
#[builtin("bitfromint4")]
fn bitfromint4(v: i32, typmod: i32) -> Bits {
    from_integer(v.into(), typmod)
}
#[builtin("bitfromint8")]
fn bitfromint8(v: i64, typmod: i32) -> Bits {
    from_integer(v, typmod)
}
fn to_integer(a: &Bits) -> u64 {
    (0..a.len).fold(0, |v, i| v << 1 | u64::from(a.get(i)))
}
#[builtin("bittoint4")]
fn bittoint4(a: Bits) -> Result<i32> {
    if a.len > 32 { Err(out_of_range("integer")) } else { Ok(to_integer(&a) as u32 as i32) }
}
#[builtin("bittoint8")]
fn bittoint8(a: Bits) -> Result<i64> {
    if a.len > 64 { Err(out_of_range("bigint")) } else { Ok(to_integer(&a) as i64) }
}
fn index(a: &Bits, n: i32) -> Result<usize> {
    let range = || {
        let text = format!("bit index {n} out of valid range (0..{})", a.len as i64 - 1);
        error(ARRAY_SUBSCRIPT_ERROR, text)
    };
    usize::try_from(n).ok().filter(|i| *i < a.len).ok_or_else(range)
}
#[builtin("bitgetbit")]
fn bitgetbit(a: Bits, n: i32) -> Result<i32> {
    Ok(i32::from(a.get(index(&a, n)?)))
}
#[builtin("bitsetbit")]
fn bitsetbit(mut a: Bits, n: i32, v: i32) -> Result<Bits> {
    let i = index(&a, n)?;
    if v != 0 && v != 1 {
        return Err(invalid_parameter("new bit must be 0 or 1"));
    }
    a.set(i, v == 1);
    Ok(a)
}
