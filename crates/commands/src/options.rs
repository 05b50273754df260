//! Storage parameters: `WITH (name = value, ...)` as `pg_class.reloptions` holds them. (PostgreSQL: `reloptions.c`)

use base::sqlstate::INVALID_PARAMETER_VALUE;
use base::{PgError, Result};
use parser::ast::{DefArg, DefElem};

/// What an option's value must be.
enum Kind {
    Bool,
    Int(i64, i64),
    Real(f64, f64),
    Enum(&'static [&'static str]),
}

const HEAP: &[(&str, Kind)] = &[
    ("fillfactor", Kind::Int(10, 100)),
    ("toast_tuple_target", Kind::Int(128, 8160)),
    ("parallel_workers", Kind::Int(0, 1024)),
    ("autovacuum_enabled", Kind::Bool),
    ("autovacuum_vacuum_threshold", Kind::Int(0, i32::MAX as i64)),
    ("autovacuum_vacuum_max_threshold", Kind::Int(-1, i32::MAX as i64)),
    ("autovacuum_vacuum_insert_threshold", Kind::Int(-1, i32::MAX as i64)),
    ("autovacuum_analyze_threshold", Kind::Int(0, i32::MAX as i64)),
    ("autovacuum_vacuum_cost_limit", Kind::Int(1, 10_000)),
    ("autovacuum_freeze_min_age", Kind::Int(0, 1_000_000_000)),
    ("autovacuum_freeze_max_age", Kind::Int(100_000, 2_000_000_000)),
    ("autovacuum_freeze_table_age", Kind::Int(0, 2_000_000_000)),
    ("autovacuum_multixact_freeze_min_age", Kind::Int(0, 1_000_000_000)),
    ("autovacuum_multixact_freeze_max_age", Kind::Int(10_000, 2_000_000_000)),
    ("autovacuum_multixact_freeze_table_age", Kind::Int(0, 2_000_000_000)),
    ("autovacuum_vacuum_cost_delay", Kind::Real(0.0, 100.0)),
    ("autovacuum_vacuum_scale_factor", Kind::Real(0.0, 100.0)),
    ("autovacuum_vacuum_insert_scale_factor", Kind::Real(0.0, 100.0)),
    ("autovacuum_analyze_scale_factor", Kind::Real(0.0, 100.0)),
    ("log_autovacuum_min_duration", Kind::Int(-1, i32::MAX as i64)),
    ("user_catalog_table", Kind::Bool),
    ("vacuum_index_cleanup", Kind::Enum(&["auto", "on", "off", "true", "false", "yes", "no", "1", "0"])),
    ("vacuum_truncate", Kind::Bool),
    ("vacuum_max_eager_freeze_failure_rate", Kind::Real(0.0, 1.0)),
];

const BTREE: &[(&str, Kind)] = &[("fillfactor", Kind::Int(10, 100)), ("deduplicate_items", Kind::Bool)];

/// Of a table.
pub fn heap(options: &[DefElem]) -> Result<Option<Vec<String>>> {
    check(options, HEAP)
}

/// Of a B-tree.
pub fn btree(options: &[DefElem]) -> Result<Option<Vec<String>>> {
    check(options, BTREE)
}

/// The options in force after `SET (...)` or, with `reset`, `RESET (...)`. (PostgreSQL: `transformRelOptions`)
pub fn changed(old: Option<&[String]>, options: &[DefElem], kind: u8, reset: bool) -> Result<Option<Vec<String>>> {
    let given = |o: &&String| options.iter().any(|d| Some(d.defname.as_str()) == o.split('=').next());
    let mut out: Vec<String> = old.unwrap_or_default().iter().filter(|o| !given(o)).cloned().collect();
    if !reset {
        let new = match kind {
            catalog::relkind::INDEX | catalog::relkind::PARTITIONED_INDEX => btree(options)?,
            _ => heap(options)?,
        };
        out.extend(new.unwrap_or_default());
    }
    Ok((!out.is_empty()).then_some(out))
}

/// An option's value as text, as reloptions store it.
pub fn text(option: &DefElem) -> String {
    match &option.arg {
        None => "true".into(),
        Some(DefArg::String(s) | DefArg::Float(s)) => s.clone(),
        Some(DefArg::Integer(i)) => i.to_string(),
        Some(DefArg::Boolean(b)) => b.to_string(),
        Some(DefArg::Names(names)) => names.join("."),
        Some(DefArg::TypeName(t)) => t.names.join("."),
        Some(_) => String::new(),
    }
}

fn check(options: &[DefElem], known: &[(&str, Kind)]) -> Result<Option<Vec<String>>> {
    let mut out: Vec<String> = Vec::new();
    for option in options {
        if let Some(namespace) = &option.defnamespace {
            return Err(match namespace.as_str() {
                "toast" => PgError::unsupported("storage parameters of TOAST tables"),
                other => PgError::new(INVALID_PARAMETER_VALUE, format!("unrecognized parameter namespace \"{other}\"")),
            });
        }
        let (name, value) = (&option.defname, text(option));
        if name == "oids" {
            if matches!(base::guc::boolean(&value), Some(false)) {
                continue;
            }
            return Err(PgError::new(
                base::sqlstate::FEATURE_NOT_SUPPORTED,
                "tables declared WITH OIDS are not supported",
            ));
        }
        let (_, kind) = known
            .iter()
            .find(|(n, _)| n == name)
            .ok_or_else(|| PgError::new(INVALID_PARAMETER_VALUE, format!("unrecognized parameter \"{name}\"")))?;
        check_value(name, &value, kind)?;
        if out.iter().any(|o| o.split('=').next() == Some(name)) {
            return Err(PgError::new(
                INVALID_PARAMETER_VALUE,
                format!("parameter \"{name}\" specified more than once"),
            ));
        }
        out.push(format!("{name}={value}"));
    }
    Ok((!out.is_empty()).then_some(out))
}

fn check_value(name: &str, value: &str, kind: &Kind) -> Result<()> {
    let out_of_bounds = |min: String, max: String| {
        let text = format!("value {value} out of bounds for option \"{name}\"");
        let detail = format!("Valid values are between \"{min}\" and \"{max}\".");
        Err(PgError::new(INVALID_PARAMETER_VALUE, text).detail(detail))
    };
    let invalid = |what: &str| {
        let text = format!("invalid value for {what} option \"{name}\": {value}");
        Err(PgError::new(INVALID_PARAMETER_VALUE, text))
    };
    match kind {
        Kind::Bool => base::guc::boolean(value).map_or_else(|| invalid("boolean"), |_| Ok(())),
        Kind::Int(min, max) => match value.parse::<i64>() {
            Ok(v) if (*min..=*max).contains(&v) => Ok(()),
            Ok(_) => out_of_bounds(min.to_string(), max.to_string()),
            Err(_) => invalid("integer"),
        },
        Kind::Real(min, max) => match value.parse::<f64>() {
            Ok(v) if (*min..=*max).contains(&v) => Ok(()),
            Ok(_) => out_of_bounds(format!("{min:.6}"), format!("{max:.6}")),
            Err(_) => invalid("floating point"),
        },
        Kind::Enum(values) if values.contains(&value.to_ascii_lowercase().as_str()) => Ok(()),
        Kind::Enum(_) => invalid("enum"),
    }
}
