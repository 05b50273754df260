//! `money`: cents in 64 bits. Symbols are those of the C locale. PostgreSQL: `cash.c`.

use base::{PgError, Result};
use types::{Builtin, Datum, FnCx, builtin};

use crate::err::{division_by_zero, invalid_input, out_of_range, value_out_of_range};
use crate::int::is_space;
use crate::numeric::Numeric;
use crate::wire::whole;

fn range() -> PgError {
    out_of_range("money")
}

#[builtin("cash_in")]
fn cash_in(s: &str) -> Result<i64> {
    let skip = |t: &str| -> usize { t.len() - t.trim_start_matches(is_space).len() };
    let mut t = &s[skip(s)..];
    let symbol = |t: &mut &str| {
        *t = t.strip_prefix('$').unwrap_or(t);
        *t = &t[skip(t)..];
    };
    symbol(&mut t);
    let mut negative = false;
    if let Some(r) = t.strip_prefix(['-', '(']) {
        (negative, t) = (true, r);
    } else {
        t = t.strip_prefix('+').unwrap_or(t);
    }
    t = &t[skip(t)..];
    symbol(&mut t);
    // Collected as a negative number, since there is one more of those.
    let too_large = || value_out_of_range("money", s);
    let (mut value, mut decimals, mut point) = (0i64, 0, false);
    let mut rest = t.bytes().peekable();
    while let Some(c) = rest.peek().copied() {
        match c {
            b'0'..=b'9' if !point || decimals < 2 => {
                let grown = value.checked_mul(10).and_then(|v| v.checked_sub(i64::from(c - b'0')));
                value = grown.ok_or_else(too_large)?;
                decimals += i32::from(point);
            }
            b'.' if !point => point = true,
            b',' => {}
            _ => break,
        }
        rest.next();
    }
    if rest.peek().is_some_and(|c| (b'5'..=b'9').contains(c)) {
        value = value.checked_sub(1).ok_or_else(too_large)?;
    }
    for _ in decimals..2 {
        value = value.checked_mul(10).ok_or_else(too_large)?;
    }
    while rest.peek().is_some_and(u8::is_ascii_digit) {
        rest.next();
    }
    for c in rest {
        match c {
            b'-' => negative = true,
            b')' | b'+' | b'$' => {}
            c if is_space(c as char) => {}
            _ => return Err(invalid_input("money", s)),
        }
    }
    if negative { Ok(value) } else { value.checked_neg().ok_or_else(too_large) }
}
#[builtin("cash_out", write)]
fn cash_out(v: i64, out: &mut Vec<u8>) {
    let cents = v.unsigned_abs();
    let whole = (cents / 100).to_string();
    out.extend_from_slice(if v < 0 { b"-$" } else { b"$" });
    for (i, c) in whole.bytes().enumerate() {
        if i > 0 && (whole.len() - i) % 3 == 0 {
            out.push(b',');
        }
        out.push(c);
    }
    out.extend_from_slice(format!(".{:02}", cents % 100).as_bytes());
}
#[builtin("cash_recv")]
fn cash_recv(b: &[u8]) -> Result<i64> {
    whole(b, |r| r.i64())
}
#[builtin("cash_send")]
fn cash_send(v: i64) -> Vec<u8> {
    v.to_be_bytes().to_vec()
}
fn same(v: i64) -> i64 {
    v
}
pub static COMPARE: &[Builtin] =
    &compare_words!(i64, i64, same, ["cash_eq", "cash_ne", "cash_lt", "cash_le", "cash_gt", "cash_ge", "cash_cmp"]);

#[builtin("cash_pl")]
fn cash_pl(a: i64, b: i64) -> Result<i64> {
    a.checked_add(b).ok_or_else(range)
}
#[builtin("cash_mi")]
fn cash_mi(a: i64, b: i64) -> Result<i64> {
    a.checked_sub(b).ok_or_else(range)
}
#[builtin("cash_div_cash")]
fn cash_div_cash(a: i64, b: i64) -> Result<f64> {
    if b == 0 { Err(division_by_zero()) } else { Ok(a as f64 / b as f64) }
}
fn times(a: i64, b: i64) -> Result<i64> {
    a.checked_mul(b).ok_or_else(range)
}
fn over(a: i64, b: i64) -> Result<i64> {
    if b == 0 { Err(division_by_zero()) } else { a.checked_div(b).ok_or_else(range) }
}
/// Rounded to whole cents, halves to even.
fn whole_cents(v: f64) -> Result<i64> {
    let v = v.round_ties_even();
    if v >= -9_223_372_036_854_775_808.0 && v < 9_223_372_036_854_775_808.0 { Ok(v as i64) } else { Err(range()) }
}
fn times_float(a: i64, f: f64) -> Result<i64> {
    whole_cents(crate::geometry::num::mul(a as f64, f)?)
}
fn over_float(a: i64, f: f64) -> Result<i64> {
    whole_cents(crate::geometry::num::div(a as f64, f)?)
}
#[builtin("cash_mul_int8")]
fn cash_mul_int8(a: i64, b: i64) -> Result<i64> {
    times(a, b)
}
#[builtin("int8_mul_cash")]
fn int8_mul_cash(a: i64, b: i64) -> Result<i64> {
    times(a, b)
}
#[builtin("cash_mul_int4")]
fn cash_mul_int4(a: i64, b: i32) -> Result<i64> {
    times(a, b.into())
}
#[builtin("int4_mul_cash")]
fn int4_mul_cash(a: i32, b: i64) -> Result<i64> {
    times(a.into(), b)
}
#[builtin("cash_mul_int2")]
fn cash_mul_int2(a: i64, b: i16) -> Result<i64> {
    times(a, b.into())
}
#[builtin("int2_mul_cash")]
fn int2_mul_cash(a: i16, b: i64) -> Result<i64> {
    times(a.into(), b)
}
#[builtin("cash_mul_flt8")]
fn cash_mul_flt8(a: i64, b: f64) -> Result<i64> {
    times_float(a, b)
}
#[builtin("flt8_mul_cash")]
fn flt8_mul_cash(a: f64, b: i64) -> Result<i64> {
    times_float(b, a)
}
#[builtin("cash_mul_flt4")]
fn cash_mul_flt4(a: i64, b: f32) -> Result<i64> {
    times_float(a, b.into())
}
#[builtin("flt4_mul_cash")]
fn flt4_mul_cash(a: f32, b: i64) -> Result<i64> {
    times_float(b, a.into())
}
#[builtin("cash_div_int8")]
fn cash_div_int8(a: i64, b: i64) -> Result<i64> {
    over(a, b)
}
#[builtin("cash_div_int4")]
fn cash_div_int4(a: i64, b: i32) -> Result<i64> {
    over(a, b.into())
}
#[builtin("cash_div_int2")]
fn cash_div_int2(a: i64, b: i16) -> Result<i64> {
    over(a, b.into())
}
#[builtin("cash_div_flt8")]
fn cash_div_flt8(a: i64, b: f64) -> Result<i64> {
    over_float(a, b)
}
#[builtin("cash_div_flt4")]
fn cash_div_flt4(a: i64, b: f32) -> Result<i64> {
    over_float(a, b.into())
}
#[builtin("cashlarger")]
fn cashlarger(a: i64, b: i64) -> i64 {
    a.max(b)
}
#[builtin("cashsmaller")]
fn cashsmaller(a: i64, b: i64) -> i64 {
    a.min(b)
}
fn from_whole(v: i64) -> Result<i64> {
    v.checked_mul(100).ok_or_else(|| out_of_range("bigint"))
}
#[builtin("int4_cash")]
fn int4_cash(v: i32) -> Result<i64> {
    from_whole(v.into())
}
#[builtin("int8_cash")]
fn int8_cash(v: i64) -> Result<i64> {
    from_whole(v)
}
/// With exactly two decimals.
#[builtin("cash_numeric")]
fn cash_numeric(cx: &mut FnCx<'_>, v: i64) -> Result<Datum> {
    let cents = v.unsigned_abs();
    let text = format!("{}{}.{:02}", if v < 0 { "-" } else { "" }, cents / 100, cents % 100);
    crate::generic::from_text(cx.rt, types::oid::NUMERICOID, -1, &text)
}
#[builtin("numeric_cash")]
fn numeric_cash(n: Numeric) -> Result<i64> {
    let cents = n.mul(&Numeric::from_i64(100)).checked()?;
    i64::try_from(crate::numeric::sql::to_int(&cents, "bigint")?).map_err(|_| out_of_range("bigint"))
}

const SMALL: [&str; 20] = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
];
const TENS: [&str; 10] = ["", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"];

/// A number below 1000 in words.
fn words(n: u64) -> String {
    let (hundreds, rest) = ((n / 100) as usize, (n % 100) as usize);
    let (tens, units) = (rest / 10, rest % 10);
    let small = match (tens, units) {
        _ if rest < 20 => SMALL[rest].to_owned(),
        (_, 0) => TENS[tens].to_owned(),
        _ => format!("{} {}", TENS[tens], SMALL[units]),
    };
    match (hundreds, rest) {
        (0, _) => small,
        (h, 0) => format!("{} hundred", SMALL[h]),
        // Ten counts as a small number unless it ends the teens' table.
        (h, r) if r < 20 => format!("{} hundred and {small}", SMALL[h]),
        (h, _) => format!("{} hundred {small}", SMALL[h]),
    }
}
#[builtin("cash_words")]
fn cash_words(v: i64) -> String {
    let value = v.unsigned_abs();
    let (dollars, cents) = (value / 100, value % 100);
    let mut out = String::from(if v < 0 { "minus " } else { "" });
    let groups = ["", " thousand ", " million ", " billion ", " trillion ", " quadrillion "];
    for (i, name) in groups.iter().enumerate().rev() {
        let part = dollars / 1000u64.pow(i as u32) % 1000;
        if part > 0 {
            out.push_str(&words(part));
            out.push_str(name);
        }
    }
    if dollars == 0 {
        out.push_str("zero");
    }
    out.push_str(if dollars == 1 { " dollar and " } else { " dollars and " });
    out.push_str(&words(cents));
    out.push_str(if cents == 1 { " cent" } else { " cents" });
    out[..1].to_ascii_uppercase() + &out[1..]
}
