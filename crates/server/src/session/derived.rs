//! What other floors need of the settings, in the form they need it.

use std::sync::Arc;

use base::guc::{self, Values};
use planner::CostSettings;
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
    // A zone's name may be empty, summer time may be without rules.
    let forms = [text.to_owned(), format!("<zone>{text}"), format!("{text},M3.2.0,M11.1.0")];
    forms.iter().any(|t| jiff::tz::TimeZone::posix(t).is_ok()).then(|| text.into())
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
    settings.is_replica = values.str(guc::SESSION_REPLICATION_ROLE) == "replica";
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
    settings.text_search_config = Arc::from(values.str(guc::DEFAULT_TEXT_SEARCH_CONFIG));
}

/// The planner's parameters.
pub fn costs(values: &Values) -> CostSettings {
    let (real, on) = (|g| values.real(g), |g| values.bool(g));
    let int = |g| i32::try_from(values.int(g)).unwrap_or(0);
    CostSettings {
        seq_page_cost: real(guc::SEQ_PAGE_COST),
        random_page_cost: real(guc::RANDOM_PAGE_COST),
        cpu_tuple_cost: real(guc::CPU_TUPLE_COST),
        cpu_index_tuple_cost: real(guc::CPU_INDEX_TUPLE_COST),
        cpu_operator_cost: real(guc::CPU_OPERATOR_COST),
        parallel_tuple_cost: real(guc::PARALLEL_TUPLE_COST),
        parallel_setup_cost: real(guc::PARALLEL_SETUP_COST),
        effective_cache_size: values.int(guc::EFFECTIVE_CACHE_SIZE) as f64,
        work_mem: values.int(guc::WORK_MEM) as f64,
        hash_mem_multiplier: real(guc::HASH_MEM_MULTIPLIER),
        cursor_tuple_fraction: real(guc::CURSOR_TUPLE_FRACTION),
        default_statistics_target: int(guc::DEFAULT_STATISTICS_TARGET),
        from_collapse_limit: int(guc::FROM_COLLAPSE_LIMIT),
        join_collapse_limit: int(guc::JOIN_COLLAPSE_LIMIT),
        max_parallel_workers_per_gather: int(guc::MAX_PARALLEL_WORKERS_PER_GATHER),
        enable_bitmapscan: on(guc::ENABLE_BITMAPSCAN),
        enable_hashagg: on(guc::ENABLE_HASHAGG),
        enable_hashjoin: on(guc::ENABLE_HASHJOIN),
        enable_incremental_sort: on(guc::ENABLE_INCREMENTAL_SORT),
        enable_indexonlyscan: on(guc::ENABLE_INDEXONLYSCAN),
        enable_indexscan: on(guc::ENABLE_INDEXSCAN),
        enable_material: on(guc::ENABLE_MATERIAL),
        constraint_exclusion: values.str(guc::CONSTRAINT_EXCLUSION) != "off",
        enable_memoize: on(guc::ENABLE_MEMOIZE),
        enable_partition_pruning: on(guc::ENABLE_PARTITION_PRUNING),
        enable_partitionwise_aggregate: on(guc::ENABLE_PARTITIONWISE_AGGREGATE),
        enable_partitionwise_join: on(guc::ENABLE_PARTITIONWISE_JOIN),
        enable_mergejoin: on(guc::ENABLE_MERGEJOIN),
        enable_nestloop: on(guc::ENABLE_NESTLOOP),
        enable_seqscan: on(guc::ENABLE_SEQSCAN),
        enable_sort: on(guc::ENABLE_SORT),
        enable_tidscan: on(guc::ENABLE_TIDSCAN),
        enable_distinct_reordering: on(guc::ENABLE_DISTINCT_REORDERING),
        enable_group_by_reordering: on(guc::ENABLE_GROUP_BY_REORDERING),
        enable_presorted_aggregate: on(guc::ENABLE_PRESORTED_AGGREGATE),
    }
}

/// A number for everything that decides how a text is analyzed and planned, besides the text and the catalogs. Two
/// sessions with equal numbers may share plans.
pub fn plan_key(values: &Values, settings: &Settings) -> u64 {
    use std::hash::{DefaultHasher, Hash, Hasher};
    let mut h = DefaultHasher::new();
    format!("{:?}", costs(values)).hash(&mut h);
    values.str(guc::SEARCH_PATH).hash(&mut h);
    (settings.current_user, settings.standard_conforming_strings, settings.transform_null_equals).hash(&mut h);
    // Literals are read when a statement is analyzed.
    (values.str(guc::DATESTYLE), values.str(guc::TIMEZONE), values.str(guc::INTERVALSTYLE)).hash(&mut h);
    (values.bool(guc::ARRAY_NULLS), values.str(guc::BACKSLASH_QUOTE), values.str(guc::XMLOPTION)).hash(&mut h);
    h.finish()
}

#[cfg(test)]
mod tests {
    #[test]
    fn zones() {
        let check =
            |text: &str, expected: Option<&str>| assert_eq!(super::time_zone(text).as_deref(), expected, "{text}");
        check("europe/berlin", Some("Europe/Berlin"));
        check("UTC", Some("UTC"));
        check("-3.5", Some("<-03:30>+03:30"));
        check("Nowhere/Land", None);
    }
}
