//! What other floors need of the settings, in the form they need it.

use std::sync::Arc;

use base::guc::{self, Values};
use types::settings::{ByteaOutput, DateOrder, DateStyle, IntervalStyle, Settings};

/// A time zone's name in the form that SHOW prints, `None` if there is no such zone.
pub fn time_zone(text: &str) -> Option<Arc<str>> {
    let text = text.trim();
    if let Ok(zone) = jiff::tz::TimeZone::get(text) {
        return Some(zone.iana_name().unwrap_or(text).into());
    }
    // A number of hours east of Greenwich; in POSIX the sign is the other way round.
    if let Ok(hours) = text.parse::<f64>() {
        let minutes = (hours * 60.0).round() as i64;
        if minutes.abs() > 168 * 60 {
            return None;
        }
        let (sign, posix) = if minutes < 0 { ('-', '+') } else { ('+', '-') };
        let (h, m) = (minutes.abs() / 60, minutes.abs() % 60);
        let tail = if m == 0 { String::new() } else { format!(":{m:02}") };
        return Some(format!("<{sign}{h:02}{tail}>{posix}{h:02}{tail}").into());
    }
    jiff::tz::TimeZone::posix(text).ok().map(|_| text.into())
}

/// Renews the part of `settings` that follows from GUCs.
pub fn renew(settings: &mut Settings, values: &Values) {
    let style = values.str(guc::DATESTYLE);
    let (first, second) = style.split_once(", ").unwrap_or((style, "MDY"));
    settings.date_style = match first {
        "SQL" => DateStyle::Sql,
        "Postgres" => DateStyle::Postgres,
        "German" => DateStyle::German,
        _ => DateStyle::Iso,
    };
    settings.date_order = match second {
        "DMY" => DateOrder::Dmy,
        "YMD" => DateOrder::Ymd,
        _ => DateOrder::Mdy,
    };
    settings.interval_style = match values.str(guc::INTERVALSTYLE) {
        "postgres_verbose" => IntervalStyle::PostgresVerbose,
        "sql_standard" => IntervalStyle::SqlStandard,
        "iso_8601" => IntervalStyle::Iso8601,
        _ => IntervalStyle::Postgres,
    };
    let zone = |guc| Arc::from(values.str(guc));
    settings.time_zone = zone(guc::TIMEZONE);
    settings.log_time_zone = zone(guc::LOG_TIMEZONE);
    settings.extra_float_digits = i32::try_from(values.int(guc::EXTRA_FLOAT_DIGITS)).unwrap_or(1);
    settings.bytea_output = match values.str(guc::BYTEA_OUTPUT) {
        "escape" => ByteaOutput::Escape,
        _ => ByteaOutput::Hex,
    };
    settings.standard_conforming_strings = values.bool(guc::STANDARD_CONFORMING_STRINGS);
    settings.array_nulls = values.bool(guc::ARRAY_NULLS);
    settings.xml_binary_hex = values.str(guc::XMLBINARY) == "hex";
    settings.transform_null_equals = values.bool(guc::TRANSFORM_NULL_EQUALS);
    settings.quote_all_identifiers = values.bool(guc::QUOTE_ALL_IDENTIFIERS);
    settings.work_mem = values.int(guc::WORK_MEM);
}

#[cfg(test)]
mod tests {
    #[test]
    fn zones() {
        let check = |text: &str, expected: Option<&str>| assert_eq!(super::time_zone(text).as_deref(), expected, "{text}");
        check("europe/berlin", Some("Europe/Berlin"));
        check("UTC", Some("UTC"));
        check("-3.5", Some("<-03:30>+03:30"));
        check("Nowhere/Land", None);
    }
}
