//! Text by template: `to_char`, `to_number`, `to_date`, `to_timestamp`.
//!
//! A template is a list of patterns and text between them. Files: `template` (dates: patterns and their modifiers),
//! `date_out`, `date_in`, `number` (numeric templates), `number_out`, `number_in`.
//!
//! PostgreSQL: `formatting.c`; manual, "Data Type Formatting Functions". Localised names (`TM`) are the English ones.

pub mod date_in;
pub mod date_out;
pub mod number;
pub mod number_in;
pub mod number_out;
pub mod template;

use base::Result;
use base::sqlstate::INVALID_TEXT_REPRESENTATION;

use crate::err::error;

/// The ordinal ending of a number. (PostgreSQL: `get_th`)
fn ordinal(number: &[u8], upper: bool) -> Result<&'static str> {
    let bad = || error(INVALID_TEXT_REPRESENTATION, format!("\"{}\" is not a number", String::from_utf8_lossy(number)));
    let last = *number.last().filter(|c| c.is_ascii_digit()).ok_or_else(bad)?;
    let teen = number.len() > 1 && number[number.len() - 2] == b'1';
    let (low, high) = match last {
        b'1' if !teen => ("st", "ST"),
        b'2' if !teen => ("nd", "ND"),
        b'3' if !teen => ("rd", "RD"),
        _ => ("th", "TH"),
    };
    Ok(if upper { high } else { low })
}
