//! The server log: lines on standard error with PostgreSQL's prefix, `%m [%p] `.

use std::io::Write;

use base::PgError;
use base::error::Severity;

fn prefix() -> String {
    let seconds = crate::clock::now();
    let (date, ms) = (seconds.div_euclid(1_000_000), seconds.rem_euclid(1_000_000) / 1000);
    let days = date.div_euclid(86_400);
    let (y, m, d) = civil(days + 10_957);
    let t = date.rem_euclid(86_400);
    let (hour, minute, second) = (t / 3600, t / 60 % 60, t % 60);
    format!("{y:04}-{m:02}-{d:02} {hour:02}:{minute:02}:{second:02}.{ms:03} UTC [{}] ", std::process::id())
}

/// The date of a day number since 1970-01-01. (Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms")
fn civil(days: i64) -> (i64, i64, i64) {
    let z = days + 719_468;
    let era = z.div_euclid(146_097);
    let doe = z.rem_euclid(146_097);
    let yoe = (doe - doe / 1460 + doe / 36_524 - doe / 146_096) / 365;
    let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    let mp = (5 * doy + 2) / 153;
    let month = if mp < 10 { mp + 3 } else { mp - 9 };
    (yoe + era * 400 + i64::from(month <= 2), month, doy - (153 * mp + 2) / 5 + 1)
}

fn line(text: &str) {
    // One write a line, so that lines of several threads do not mix. A log that cannot be written is nobody's error.
    let _ = std::io::stderr().lock().write_all(text.as_bytes());
}

/// A LOG line.
pub fn message(text: &str) {
    line(&format!("{}LOG:  {text}\n", prefix()));
}

/// An error report with its fields, and the statement that caused it.
pub fn error(e: &PgError, statement: Option<&str>) {
    let (f, prefix) = (e.fields(), prefix());
    let mut text = format!("{prefix}{}:  {}", f.severity.as_str(), f.message);
    if let Some(position) = f.position {
        let chars = statement.map_or(position, |s| s.bytes().take(position).filter(|b| b & 0xc0 != 0x80).count());
        text.push_str(&format!(" at character {}", chars + 1));
    }
    text.push('\n');
    let mut more = |label: &str, value: &Option<String>| {
        if let Some(value) = value {
            text.push_str(&format!("{prefix}{label}:  {}\n", value.replace('\n', "\n\t")));
        }
    };
    more("DETAIL", f.detail_log.as_ref().map_or(&f.detail, |_| &f.detail_log));
    more("HINT", &f.hint);
    more("QUERY", &f.internal_query);
    more("CONTEXT", &f.context);
    if let Some(statement) = statement.filter(|_| f.severity >= Severity::Error) {
        text.push_str(&format!("{prefix}STATEMENT:  {}\n", statement.replace('\n', "\n\t")));
    }
    line(&text);
}

#[cfg(test)]
mod tests {
    #[test]
    fn dates() {
        assert_eq!(super::civil(0), (1970, 1, 1));
        assert_eq!(super::civil(10_957), (2000, 1, 1));
        assert_eq!(super::civil(19_782), (2024, 2, 29));
        assert_eq!(super::civil(-1), (1969, 12, 31));
    }
}
