//! A setting's text to its value and back, with units. (PostgreSQL: manual, "Parameter Names and Values")

use super::{GucDef, Kind, Unit, Value, invalid_value};
use crate::error::{PgError, Result};
use crate::sqlstate::INVALID_PARAMETER_VALUE;

const MEMORY_HINT: &str = "Valid units for this parameter are \"B\", \"kB\", \"MB\", \"GB\", and \"TB\".";
const TIME_HINT: &str = "Valid units for this parameter are \"us\", \"ms\", \"s\", \"min\", \"h\", and \"d\".";

const MEMORY: &[(&str, f64)] = &[
    ("TB", 1024.0 * 1024.0 * 1024.0 * 1024.0),
    ("GB", 1024.0 * 1024.0 * 1024.0),
    ("MB", 1024.0 * 1024.0),
    ("kB", 1024.0),
    ("B", 1.0),
];
const TIME: &[(&str, f64)] =
    &[("d", 86_400_000.0), ("h", 3_600_000.0), ("min", 60_000.0), ("s", 1000.0), ("ms", 1.0), ("us", 0.001)];

impl Unit {
    /// Its family, and how many of the family's base (bytes or milliseconds) it holds.
    fn family(self) -> Option<(&'static [(&'static str, f64)], f64)> {
        Some(match self {
            Unit::None => return None,
            Unit::Bytes => (MEMORY, 1.0),
            Unit::Kilobytes => (MEMORY, 1024.0),
            Unit::Blocks => (MEMORY, 8192.0),
            Unit::Megabytes => (MEMORY, 1024.0 * 1024.0),
            Unit::Milliseconds => (TIME, 1.0),
            Unit::Seconds => (TIME, 1000.0),
            Unit::Minutes => (TIME, 60_000.0),
        })
    }
    fn is_memory(self) -> bool {
        matches!(self, Unit::Bytes | Unit::Kilobytes | Unit::Blocks | Unit::Megabytes)
    }
}

pub(super) fn value(def: &GucDef, text: &str) -> Result<Value> {
    Ok(match def.kind {
        Kind::Bool { .. } => Value::Bool(boolean(text).ok_or_else(|| {
            let message = format!("parameter \"{}\" requires a Boolean value", def.name);
            PgError::new(INVALID_PARAMETER_VALUE, message)
        })?),
        Kind::Int { min, max, .. } => {
            let v = number(def, text)?.round_ties_even();
            if v < i32::MIN as f64 || v > i32::MAX as f64 && max <= i64::from(i32::MAX) {
                return Err(invalid_value(def.name, text).hint("Value exceeds integer range."));
            }
            let v = v as i64;
            if v < min || v > max {
                return Err(out_of_range(def, v, min, max));
            }
            Value::Int(v)
        }
        Kind::Real { min, max, .. } => {
            let v = number(def, text)?;
            if v < min || v > max {
                return Err(out_of_range(def, real_text(v), real_text(min), real_text(max)));
            }
            Value::Real(v)
        }
        Kind::Str { .. } => Value::Str(Some(text.into())),
        Kind::Enum { values, .. } => enumeration(def, values, text)?,
    })
}

fn out_of_range(def: &GucDef, v: impl ToString, min: impl ToString, max: impl ToString) -> PgError {
    let unit = def.unit.as_str().map_or(String::new(), |u| format!(" {u}"));
    let (v, min, max) = (v.to_string(), min.to_string(), max.to_string());
    let text =
        format!("{v}{unit} is outside the valid range for parameter \"{}\" ({min}{unit} .. {max}{unit})", def.name);
    PgError::new(INVALID_PARAMETER_VALUE, text)
}

/// `on`, `off`, `true`, `false`, `yes`, `no`, `1`, `0` and unambiguous beginnings. (PostgreSQL: `parse_bool`)
pub fn boolean(text: &str) -> Option<bool> {
    let t = text.to_ascii_lowercase();
    let begins = |word: &str, least: usize| t.len() >= least && word.starts_with(&t);
    if begins("true", 1) || begins("yes", 1) || begins("on", 2) || t == "1" {
        Some(true)
    } else if begins("false", 1) || begins("no", 1) || begins("off", 2) || t == "0" {
        Some(false)
    } else {
        None
    }
}

fn enumeration(def: &GucDef, values: &'static [&'static str], text: &str) -> Result<Value> {
    if let Some(v) = values.iter().find(|v| v.eq_ignore_ascii_case(text)) {
        return Ok(Value::Enum(v));
    }
    // Enums that used to be booleans take the other spellings of on and off too.
    if values.contains(&"on")
        && let Some(b) = boolean(text)
    {
        return Ok(Value::Enum(if b { "on" } else { "off" }));
    }
    let hint = format!("Available values: {}.", values.join(", "));
    Err(invalid_value(def.name, text).hint(hint))
}

/// A number with an optional unit, in the setting's unit.
fn number(def: &GucDef, text: &str) -> Result<f64> {
    let t = text.trim();
    let hint = match def.unit {
        Unit::None => None,
        u if u.is_memory() => Some(MEMORY_HINT),
        _ => Some(TIME_HINT),
    };
    let bad = || {
        let e = invalid_value(def.name, text);
        match hint {
            Some(h) if t.starts_with(|c: char| c.is_ascii_digit() || c == '-' || c == '+') => e.hint(h),
            _ => e,
        }
    };
    let (v, rest) = leading_number(t).ok_or_else(|| invalid_value(def.name, text))?;
    let suffix = rest.trim_start();
    if suffix.is_empty() {
        return Ok(v);
    }
    let (units, per) = def.unit.family().ok_or_else(bad)?;
    let (_, factor) = units.iter().find(|(name, _)| *name == suffix).ok_or_else(bad)?;
    Ok(v * factor / per)
}

fn leading_number(t: &str) -> Option<(f64, &str)> {
    let unsigned = t.trim_start_matches(['-', '+']);
    let sign = if t.starts_with('-') { -1.0 } else { 1.0 };
    if t.len() - unsigned.len() > 1 {
        return None;
    }
    if let Some(hex) = unsigned.strip_prefix("0x").or_else(|| unsigned.strip_prefix("0X")) {
        let end = hex.find(|c: char| !c.is_ascii_hexdigit()).unwrap_or(hex.len());
        return Some((sign * i64::from_str_radix(&hex[..end], 16).ok()? as f64, &hex[end..]));
    }
    let digits = |s: &str| s.find(|c: char| !c.is_ascii_digit()).unwrap_or(s.len());
    let mut end = digits(unsigned);
    let whole = &unsigned[..end];
    if whole.len() > 1 && whole.starts_with('0') && !unsigned[end..].starts_with('.') {
        // An octal number, as in 0777.
        return Some((sign * i64::from_str_radix(whole, 8).ok()? as f64, &unsigned[end..]));
    }
    if unsigned[end..].starts_with('.') {
        end += 1 + digits(&unsigned[end + 1..]);
    }
    if end == 0 || &unsigned[..end] == "." {
        return None;
    }
    let tail = &unsigned[end..];
    if tail.starts_with(['e', 'E']) {
        let exponent = tail[1..].strip_prefix(['-', '+']).unwrap_or(&tail[1..]);
        let n = digits(exponent);
        if n > 0 {
            end += tail.len() - exponent.len() + n;
        }
    }
    Some((sign * unsigned[..end].parse::<f64>().ok()?, &unsigned[end..]))
}

/// With the largest unit that divides it. (PostgreSQL: `convert_int_from_base_unit`)
pub(super) fn int_with_unit(v: i64, unit: Unit) -> String {
    let Some((units, per)) = unit.family() else { return v.to_string() };
    if v <= 0 {
        return v.to_string();
    }
    for (name, factor) in units {
        // Down to the unit itself; a smaller one is for settings whose unit has no name of its own (8kB).
        if *factor >= per {
            let times = factor / per;
            if v as f64 % times == 0.0 {
                return format!("{}{name}", v as f64 / times);
            }
        } else {
            return format!("{}{name}", v as f64 * per / factor);
        }
    }
    v.to_string()
}

pub(super) fn real_with_unit(v: f64, unit: Unit) -> String {
    let Some((units, per)) = unit.family() else { return real_text(v) };
    if v <= 0.0 {
        return real_text(v);
    }
    for (name, factor) in units {
        let times = v * per / factor;
        if times >= 1.0 && (times - times.round()).abs() <= 1e-8 * times {
            return format!("{}{name}", real_text(times.round()));
        }
    }
    real_text(v)
}

/// As C's `%g` prints it.
pub(super) fn real_text(v: f64) -> String {
    if v == 0.0 {
        return "0".into();
    }
    let exponent = v.abs().log10().floor() as i32;
    if (-4..6).contains(&exponent) {
        let decimals = (5 - exponent).max(0) as usize;
        let text = format!("{v:.decimals$}");
        return if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text };
    }
    let text = format!("{v:.5e}");
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let mantissa = mantissa.trim_end_matches('0').trim_end_matches('.');
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{mantissa}e{sign}{:02}", exponent.abs())
}
