//! Conditions by name and RAISE. (PostgreSQL: `plpgsql_parse_err_condition`, `exec_stmt_raise`)

use base::sqlstate::*;
use base::{PgError, Result, SqlState};

use crate::tree::Raise;

/// The states that a condition's name stands for: some have the same name.
pub fn states_of(name: &str) -> Result<Vec<SqlState>> {
    if name == "others" {
        return Ok(Vec::new());
    }
    let found: Vec<SqlState> = CONDITION_NAMES.iter().filter(|c| c.0 == name).map(|c| c.1).collect();
    match found.is_empty() {
        true => Err(PgError::new(UNDEFINED_OBJECT, format!("unrecognized exception condition \"{name}\""))),
        false => Ok(found),
    }
}

/// Five digits and capitals.
pub fn state_of_code(text: &str) -> Option<SqlState> {
    let bytes: [u8; 5] = text.as_bytes().try_into().ok()?;
    bytes.iter().all(|b| b.is_ascii_digit() || b.is_ascii_uppercase()).then(|| SqlState::new(bytes))
}

/// A code or a name, as the ERRCODE option takes them.
pub fn state_of(text: &str) -> Result<SqlState> {
    if let Some(state) = state_of_code(text) {
        return Ok(state);
    }
    let found = states_of(text)?;
    let none = || PgError::new(UNDEFINED_OBJECT, format!("unrecognized exception condition \"{text}\""));
    found.first().copied().ok_or_else(none)
}

/// Does a handler's condition catch an error? A class is a state that ends in zeros.
pub fn catches(state: SqlState, error: SqlState) -> bool {
    state == error || (state.as_str().ends_with("000") && state.class() == error.class())
}

/// As many parameters as the message has places. (PostgreSQL: `check_raise_parameters`)
pub fn check_params(r: &Raise) -> Result<()> {
    let Some(message) = &r.message else { return Ok(()) };
    let places = message.replace("%%", "").matches('%').count();
    let complain = |what: &str| Err(PgError::new(SYNTAX_ERROR, format!("too {what} parameters specified for RAISE")));
    match r.params.len().cmp(&places) {
        std::cmp::Ordering::Greater => complain("many"),
        std::cmp::Ordering::Less => complain("few"),
        std::cmp::Ordering::Equal => Ok(()),
    }
}

/// The message with its values; each `%` is one, `%%` is a per cent sign.
pub fn format(message: &str, values: &[String]) -> String {
    let mut out = String::with_capacity(message.len());
    let mut values = values.iter();
    let mut chars = message.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '%' if chars.peek() == Some(&'%') => {
                chars.next();
                out.push('%');
            }
            '%' => out.push_str(values.next().map_or("", String::as_str)),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_codes() {
        assert_eq!(state_of("division_by_zero").unwrap(), DIVISION_BY_ZERO);
        assert_eq!(state_of("22012").unwrap(), DIVISION_BY_ZERO);
        assert!(state_of("nope").is_err());
        assert!(catches(SqlState::new(*b"22000"), DIVISION_BY_ZERO));
        assert!(!catches(SqlState::new(*b"23000"), DIVISION_BY_ZERO));
        assert_eq!(format("%: 100%% of %", &["a".into(), "b".into()]), "a: 100% of b");
    }
}
