//! Unicode normalization: `normalize`, `IS NORMALIZED`. (PostgreSQL: `unicode_normalize_func`, `unicode_is_normalized`)

use base::{PgError, Result};
use types::builtin;
use unicode_normalization::{UnicodeNormalization, is_nfc, is_nfd, is_nfkc, is_nfkd};

use crate::err::invalid_parameter;

fn unknown(form: &str) -> PgError {
    invalid_parameter(&format!("invalid normalization form: {form}"))
}

#[builtin("unicode_normalize_func")]
fn unicode_normalize_func(s: &str, form: &str) -> Result<String> {
    Ok(match form.to_ascii_uppercase().as_str() {
        "NFC" => s.nfc().collect(),
        "NFD" => s.nfd().collect(),
        "NFKC" => s.nfkc().collect(),
        "NFKD" => s.nfkd().collect(),
        _ => return Err(unknown(form)),
    })
}

#[builtin("unicode_is_normalized")]
fn unicode_is_normalized(s: &str, form: &str) -> Result<bool> {
    Ok(match form.to_ascii_uppercase().as_str() {
        "NFC" => is_nfc(s),
        "NFD" => is_nfd(s),
        "NFKC" => is_nfkc(s),
        "NFKD" => is_nfkd(s),
        _ => return Err(unknown(form)),
    })
}
