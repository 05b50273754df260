//! `to_char` of numbers. (PostgreSQL: `NUM_processor`, `NUM_numpart_to_char`)

use base::Result;
use types::{FnCx, builtin};

use super::number::{Anchor, Item, Template};
use super::ordinal;
use crate::numeric::Numeric;

/// A number's text being laid into a template.
struct Layout<'a> {
    t: &'a Template,
    out: Vec<u8>,
    /// Digits with their point; no sign.
    number: &'a [u8],
    at: usize,
    negative: bool,
    /// Places before the point that the number does not reach.
    spaces: usize,
    /// Digit patterns so far, and how many there are.
    current: usize,
    count: usize,
    in_number: bool,
    signed: bool,
    bracket: bool,
    anchor: Option<Anchor>,
    /// With `FM`: the last digit worth showing.
    last: Option<usize>,
    /// The first `0` pattern, from 0.
    zero_start: usize,
}

impl Layout<'_> {
    fn digit(&self, i: usize) -> u8 {
        self.number.get(i).copied().unwrap_or(0)
    }
    /// A lone zero before the point is not shown where the template has no `0`.
    fn leading_zero(&self) -> bool {
        !self.t.has_zero && self.at == 0 && self.digit(0) == b'0' && self.t.post != 0
    }
    fn last_is_point(&self) -> bool {
        self.last.is_some_and(|l| self.digit(l) == b'.')
    }
    fn sign(&mut self) {
        let reached = self.current >= self.spaces || self.t.has_zero && self.zero_start == self.current;
        if self.signed || !reached || self.leading_zero() && !self.last_is_point() {
            return;
        }
        match (self.anchor, self.negative) {
            (Some(Anchor::Before), negative) => self.out.push(if negative { b'-' } else { b'+' }),
            (Some(Anchor::After), _) => return,
            (None, negative) if self.bracket => self.out.push(if negative { b'<' } else { b' ' }),
            (None, true) => self.out.push(b'-'),
            (None, false) if self.t.fill => {}
            (None, false) => self.out.push(b' '),
        }
        self.signed = true;
    }
    fn place(&mut self, item: Item) {
        self.in_number = false;
        self.sign();
        let padding = self.current < self.spaces;
        if padding && (!self.t.has_zero || self.zero_start > self.current) {
            if !self.t.fill {
                self.out.push(b' ');
            }
        } else if padding {
            self.out.push(b'0');
            self.in_number = true;
        } else {
            self.value(item);
            self.at = (self.at + 1).min(self.number.len());
        }
        self.end();
        self.current += 1;
    }
    /// The number's next character.
    fn value(&mut self, item: Item) {
        if self.digit(self.at) == b'.' {
            if !self.last_is_point() || self.t.fill {
                self.out.push(b'.');
            }
        } else if self.last.is_some_and(|l| self.at > l) && item != Item::Zero {
            // Not worth showing.
        } else if self.leading_zero() {
            if !self.t.fill {
                self.out.push(b' ');
            } else if self.last_is_point() {
                self.out.push(b'0');
            }
        } else {
            self.out.push(self.digit(self.at));
            self.in_number = true;
        }
    }
    /// Behind the last digit stands what closes the number.
    fn end(&mut self) {
        let mut end = self.count + usize::from(self.spaces > 0) + usize::from(self.t.decimal);
        if self.last == Some(self.at) {
            end = self.current;
        }
        if self.current + 1 != end {
            return;
        }
        if self.signed && self.bracket {
            self.out.push(if self.negative { b'>' } else { b' ' });
        } else if self.anchor == Some(Anchor::After) {
            self.out.push(if self.negative { b'-' } else { b'+' });
        }
    }
    fn item(&mut self, item: Item) -> Result<()> {
        match item {
            Item::Nine | Item::Zero | Item::Point => {
                if !self.t.roman {
                    self.place(item);
                }
            }
            Item::Comma | Item::Group if self.in_number => self.out.push(b','),
            Item::Comma | Item::Group if self.t.fill => {}
            Item::Comma | Item::Group | Item::Currency => self.out.push(b' '),
            Item::Minus if self.negative => self.out.push(b'-'),
            Item::Plus if !self.negative => self.out.push(b'+'),
            Item::Minus | Item::Plus if self.t.fill => {}
            Item::Minus | Item::Plus => self.out.push(b' '),
            Item::Sign => self.out.push(if self.negative { b'-' } else { b'+' }),
            Item::Roman { upper } => {
                let text = if upper { self.number.to_vec() } else { self.number.to_ascii_lowercase() };
                if !self.t.fill {
                    self.out.resize(self.out.len() + 15usize.saturating_sub(text.len()), b' ');
                }
                self.out.extend_from_slice(&text);
            }
            Item::Ordinal { upper } => {
                if !(self.t.roman || self.digit(0) == b'#' || self.negative || self.t.decimal) {
                    self.out.extend_from_slice(ordinal(self.number, upper)?.as_bytes());
                }
            }
            Item::Text(c) => self.out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
            Item::Silent => {}
        }
        Ok(())
    }
}

/// Lays a number out. `spaces`: how many digits before the point are missing.
fn lay_out(t: &Template, number: &[u8], negative: bool, spaces: usize) -> Result<String> {
    let (mut bracket, mut anchor) = (t.bracket, t.anchor);
    let signed = if t.plus || t.minus {
        // `MI` and `SG` write the sign themselves.
        t.minus
    } else {
        if !negative && t.fill {
            bracket = false;
        }
        if anchor == Some(Anchor::Before) && t.pre == t.digits_before_sign {
            anchor = Some(Anchor::After);
        }
        !negative && t.fill && t.anchor.is_none()
    };
    let mut last = None;
    if t.fill
        && t.decimal
        && let Some(point) = number.iter().position(|&c| c == b'.')
    {
        let mut l = number.iter().rposition(|&c| c != b'0').map_or(point, |i| i.max(point));
        // The places of `0` patterns are shown in any case.
        if t.zero_end > spaces {
            l = l.max((number.len() - 1).min(t.zero_end - spaces));
        }
        last = Some(l);
    }
    let mut layout = Layout {
        t,
        out: Vec::new(),
        number,
        at: 0,
        negative,
        spaces,
        current: 0,
        count: (t.post + t.pre + usize::from(!signed && spaces == 0)).saturating_sub(1),
        in_number: false,
        signed,
        bracket,
        anchor,
        last,
        zero_start: t.zero_start.saturating_sub(1),
    };
    for item in &t.items {
        layout.item(*item)?;
    }
    // A template that asks for more digits than the number has ends there.
    let mut out = layout.out;
    if let Some(end) = out.iter().position(|&c| c == 0) {
        out.truncate(end);
    }
    Ok(String::from_utf8_lossy(&out).into_owned())
}

/// A number's plain decimal text in a template.
fn plain(t: &Template, text: &str) -> Result<String> {
    let (negative, digits) = text.strip_prefix('-').map_or((false, text), |d| (true, d));
    let whole = digits.find('.').unwrap_or(digits.len());
    if whole > t.pre {
        let full = format!("{}.{}", "#".repeat(t.pre), "#".repeat(t.post));
        return lay_out(t, full.as_bytes(), negative, 0);
    }
    lay_out(t, digits.as_bytes(), negative, t.pre - whole)
}
/// In scientific notation; `None` if it is not finite.
fn scientific(t: &Template, text: Option<String>) -> String {
    match text {
        Some(text) if text.starts_with('-') => text,
        Some(text) => format!(" {text}"),
        None => format!(" {}.{}", "#".repeat(t.pre), "#".repeat(t.post + 4)),
    }
}
fn roman(t: &Template, v: Option<i32>) -> Result<String> {
    const PLACES: [[&str; 10]; 4] = [
        ["", "I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX"],
        ["", "X", "XX", "XXX", "XL", "L", "LX", "LXX", "LXXX", "XC"],
        ["", "C", "CC", "CCC", "CD", "D", "DC", "DCC", "DCCC", "CM"],
        ["", "M", "MM", "MMM", "", "", "", "", "", ""],
    ];
    let text = match v {
        Some(v @ 1..=3999) => {
            let v = v as usize;
            [PLACES[3][v / 1000], PLACES[2][v / 100 % 10], PLACES[1][v / 10 % 10], PLACES[0][v % 10]].concat()
        }
        _ => "#".repeat(15),
    };
    lay_out(t, text.as_bytes(), false, 0)
}

fn template(cx: &mut FnCx<'_>, format: &str) -> Result<Template> {
    let kept = cx.state_or(|_| Ok((format.to_owned(), Template::parse(format)?)))?;
    if kept.0 != format {
        *kept = (format.to_owned(), Template::parse(format)?);
    }
    Ok(kept.1.clone())
}

/// (PostgreSQL: `numeric_out_sci`)
fn numeric_scientific(n: &Numeric, scale: usize) -> Option<String> {
    if !n.is_finite() {
        return None;
    }
    let exponent = match n.digits.first() {
        Some(d) => n.weight * 4 + d.ilog10() as i32,
        None => 0,
    };
    // The digits with the point moved behind the first one.
    let mut digits = String::new();
    for d in n.digits.iter() {
        digits.push_str(&format!("{d:04}"));
    }
    let digits = digits.trim_start_matches('0');
    let (first, rest) = if digits.is_empty() { ("0", "") } else { digits.split_at(1) };
    let significand = Numeric::parse_plain(&format!("{first}.{rest}0"))?.rounded(scale as i32);
    let sign = if n.negative { "-" } else { "" };
    let exponent = format!("{}{:02}", if exponent < 0 { '-' } else { '+' }, exponent.abs());
    Some(format!("{sign}{}e{exponent}", significand.to_text()))
}
fn ten_to(n: usize) -> Result<Numeric> {
    Numeric::from_i64(10).power(&Numeric::from_i64(n as i64))
}
fn of_numeric(mut t: Template, n: &Numeric) -> Result<String> {
    if t.roman {
        return roman(&t, n.to_i128().and_then(|v| i32::try_from(v).ok()));
    }
    if t.exponent {
        let text = numeric_scientific(n, t.post);
        return Ok(scientific(&t, text));
    }
    let mut n = n.clone();
    if t.shifted {
        n = n.mul(&ten_to(t.shift)?);
        t.pre += t.shift;
    }
    plain(&t, &n.rounded(t.post as i32).to_text())
}
#[builtin("numeric_to_char")]
fn numeric_to_char(cx: &mut FnCx<'_>, n: Numeric, format: &str) -> Result<String> {
    let t = template(cx, format)?;
    if format.is_empty() { Ok(String::new()) } else { of_numeric(t, &n) }
}
fn of_integer(mut t: Template, v: i64, range: &str) -> Result<String> {
    if t.roman {
        return roman(&t, i32::try_from(v).ok());
    }
    if t.exponent {
        let text = numeric_scientific(&Numeric::from_i64(v), t.post);
        return Ok(scientific(&t, text));
    }
    let mut v = v;
    if t.shifted {
        let factor = u32::try_from(t.shift).ok().and_then(|n| 10i64.checked_pow(n));
        v = factor.and_then(|f| v.checked_mul(f)).ok_or_else(|| crate::err::out_of_range(range))?;
        t.pre += t.shift;
    }
    let zeroes = if t.post > 0 { format!(".{}", "0".repeat(t.post)) } else { String::new() };
    plain(&t, &format!("{v}{zeroes}"))
}
#[builtin("int4_to_char")]
fn int4_to_char(cx: &mut FnCx<'_>, v: i32, format: &str) -> Result<String> {
    let t = template(cx, format)?;
    if format.is_empty() { Ok(String::new()) } else { of_integer(t, v.into(), "integer") }
}
#[builtin("int8_to_char")]
fn int8_to_char(cx: &mut FnCx<'_>, v: i64, format: &str) -> Result<String> {
    let t = template(cx, format)?;
    if format.is_empty() { Ok(String::new()) } else { of_integer(t, v, "bigint") }
}
/// `digits`: how many a value of the type can have.
fn of_float(mut t: Template, v: f64, digits: usize, multiply: impl Fn(f64, f64) -> f64) -> Result<String> {
    if t.roman {
        let r = v.round_ties_even();
        let fits = (f64::from(i32::MIN)..=f64::from(i32::MAX)).contains(&r);
        return roman(&t, fits.then_some(r as i32));
    }
    if t.exponent {
        let text = v.is_finite().then(|| {
            let s = format!("{v:.*e}", t.post);
            let (significand, exponent) = s.split_once('e').unwrap_or((&s, "0"));
            let (sign, exponent) = exponent.strip_prefix('-').map_or(('+', exponent), |e| ('-', e));
            format!("{significand}e{sign}{exponent:0>2}")
        });
        return Ok(scientific(&t, text));
    }
    let mut v = v;
    if t.shifted {
        v = multiply(v, 10f64.powi(t.shift as i32));
        t.pre += t.shift;
    }
    let name = |v: f64| if v.is_nan() { Some("nan") } else { v.is_infinite().then_some("inf") };
    let whole = name(v).map_or_else(|| format!("{:.0}", v.abs()).len(), |_| if v.is_nan() { 3 } else { 8 });
    t.post = if whole >= digits { 0 } else { t.post.min(digits - whole) };
    let text = match v {
        v if v.is_nan() => "NaN".to_owned(),
        v if v.is_infinite() => if v > 0.0 { "Infinity" } else { "-Infinity" }.to_owned(),
        v => format!("{v:.*}", t.post),
    };
    plain(&t, &text)
}
#[builtin("float8_to_char")]
fn float8_to_char(cx: &mut FnCx<'_>, v: f64, format: &str) -> Result<String> {
    let t = template(cx, format)?;
    if format.is_empty() { Ok(String::new()) } else { of_float(t, v, 15, |a, b| a * b) }
}
#[builtin("float4_to_char")]
fn float4_to_char(cx: &mut FnCx<'_>, v: f32, format: &str) -> Result<String> {
    let t = template(cx, format)?;
    let multiply = |a: f64, b: f64| f64::from(a as f32 * b as f32);
    if format.is_empty() { Ok(String::new()) } else { of_float(t, v.into(), 6, multiply) }
}
