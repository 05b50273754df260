//! Whether a table needs VACUUM or ANALYZE: figures in, decision out.
//!
//! PostgreSQL: `relation_needs_vacanalyze`; manual, "The Autovacuum Daemon".

use base::guc::{self, Values};
use base::{MultiXactId, Xid};

/// The settings that decide, the server's or with a table's own.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    pub enabled: bool,
    pub vacuum_threshold: f64,
    /// Negative: no limit.
    pub vacuum_max_threshold: f64,
    pub vacuum_scale: f64,
    /// Negative: inserts alone are no reason.
    pub insert_threshold: f64,
    pub insert_scale: f64,
    pub analyze_threshold: f64,
    pub analyze_scale: f64,
    pub freeze_max_age: u32,
    pub multixact_freeze_max_age: u32,
}

fn number<T: std::str::FromStr>(option: &dyn Fn(&str) -> Option<String>, name: &str) -> Option<T> {
    option(&format!("autovacuum_{name}")).and_then(|v| v.parse().ok())
}

impl Settings {
    pub fn of(values: &Values) -> Settings {
        let integer = |guc| values.int(guc) as f64;
        let age = |guc| u32::try_from(values.int(guc)).unwrap_or(u32::MAX);
        Settings {
            enabled: values.bool(guc::AUTOVACUUM) && values.bool(guc::TRACK_COUNTS),
            vacuum_threshold: integer(guc::AUTOVACUUM_VACUUM_THRESHOLD),
            vacuum_max_threshold: integer(guc::AUTOVACUUM_VACUUM_MAX_THRESHOLD),
            vacuum_scale: values.real(guc::AUTOVACUUM_VACUUM_SCALE_FACTOR),
            insert_threshold: integer(guc::AUTOVACUUM_VACUUM_INSERT_THRESHOLD),
            insert_scale: values.real(guc::AUTOVACUUM_VACUUM_INSERT_SCALE_FACTOR),
            analyze_threshold: integer(guc::AUTOVACUUM_ANALYZE_THRESHOLD),
            analyze_scale: values.real(guc::AUTOVACUUM_ANALYZE_SCALE_FACTOR),
            freeze_max_age: age(guc::AUTOVACUUM_FREEZE_MAX_AGE),
            multixact_freeze_max_age: age(guc::AUTOVACUUM_MULTIXACT_FREEZE_MAX_AGE),
        }
    }

    /// With a table's storage parameters. (PostgreSQL: `AutoVacOpts`)
    pub fn with_options(&self, option: &dyn Fn(&str) -> Option<String>) -> Settings {
        let mut s = self.clone();
        if let Some(on) = option("autovacuum_enabled").and_then(|v| guc::boolean(&v)) {
            s.enabled &= on;
        }
        for (name, field) in [
            ("vacuum_threshold", &mut s.vacuum_threshold),
            ("vacuum_max_threshold", &mut s.vacuum_max_threshold),
            ("vacuum_scale_factor", &mut s.vacuum_scale),
            ("vacuum_insert_threshold", &mut s.insert_threshold),
            ("vacuum_insert_scale_factor", &mut s.insert_scale),
            ("analyze_threshold", &mut s.analyze_threshold),
            ("analyze_scale_factor", &mut s.analyze_scale),
        ] {
            if let Some(value) = number(option, name) {
                *field = value;
            }
        }
        // A table may ask for it earlier, not later.
        if let Some(age) = number::<u32>(option, "freeze_max_age") {
            s.freeze_max_age = s.freeze_max_age.min(age);
        }
        if let Some(age) = number::<u32>(option, "multixact_freeze_max_age") {
            s.multixact_freeze_max_age = s.multixact_freeze_max_age.min(age);
        }
        s
    }
}

/// What is known of a table.
#[derive(Clone, Copy, Debug, Default)]
pub struct Figures {
    /// Of `pg_class`.
    pub reltuples: f64,
    pub relpages: i32,
    pub relallfrozen: i32,
    pub relfrozenxid: Xid,
    pub relminmxid: MultiXactId,
    /// Of the cumulative statistics: dead rows, inserted since the last VACUUM, changed since the last ANALYZE. `None` if
    /// nothing was counted.
    pub counted: Option<(i64, i64, i64)>,
}

/// What a table needs.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Need {
    pub vacuum: bool,
    pub analyze: bool,
    /// It must be vacuumed before ids run out.
    pub wraparound: bool,
}

/// `age` ids before `next`.
pub fn back(next: Xid, age: u32) -> Xid {
    let xid = next.0.wrapping_sub(age);
    // Special ids are none to compare with.
    Xid(if xid < Xid::FIRST_NORMAL.0 { xid.wrapping_sub(Xid::FIRST_NORMAL.0) } else { xid })
}

pub fn is_too_old(frozen: Xid, multi: MultiXactId, s: &Settings, next: (Xid, MultiXactId)) -> bool {
    let multi_limit = MultiXactId(next.1.0.wrapping_sub(s.multixact_freeze_max_age).max(MultiXactId::FIRST.0));
    frozen.is_normal() && frozen.precedes(back(next.0, s.freeze_max_age))
        || multi.is_valid() && multi.precedes(multi_limit)
}

/// See the module's head. `next` are the next ids.
pub fn need(f: &Figures, s: &Settings, next: (Xid, MultiXactId)) -> Need {
    let wraparound = is_too_old(f.relfrozenxid, f.relminmxid, s, next);
    let (true, Some((dead, inserted, changed))) = (s.enabled, f.counted) else {
        return Need { vacuum: wraparound, analyze: false, wraparound };
    };
    let rows = f.reltuples.max(0.0);
    let mut vacuum = s.vacuum_threshold + s.vacuum_scale * rows;
    if s.vacuum_max_threshold >= 0.0 {
        vacuum = vacuum.min(s.vacuum_max_threshold);
    }
    // Frozen pages will not be read: only the rest of the table counts.
    let frozen = f64::from(f.relallfrozen.min(f.relpages).max(0));
    let unfrozen = if f.relpages > 0 { 1.0 - frozen / f64::from(f.relpages) } else { 1.0 };
    let insert = s.insert_threshold + s.insert_scale * rows * unfrozen;
    let analyze = s.analyze_threshold + s.analyze_scale * rows;
    Need {
        vacuum: wraparound || dead as f64 > vacuum || s.insert_threshold >= 0.0 && inserted as f64 > insert,
        analyze: changed as f64 > analyze,
        wraparound,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn defaults() -> Settings {
        Settings {
            enabled: true,
            vacuum_threshold: 50.0,
            vacuum_max_threshold: 100_000_000.0,
            vacuum_scale: 0.2,
            insert_threshold: 1000.0,
            insert_scale: 0.2,
            analyze_threshold: 50.0,
            analyze_scale: 0.1,
            freeze_max_age: 200_000_000,
            multixact_freeze_max_age: 400_000_000,
        }
    }

    const NEXT: (Xid, MultiXactId) = (Xid(300_000_000), MultiXactId(500_000_000));

    fn figures(reltuples: f64, counted: (i64, i64, i64)) -> Figures {
        let (relfrozenxid, relminmxid) = (Xid(299_000_000), MultiXactId(499_000_000));
        Figures { reltuples, relpages: 100, relfrozenxid, relminmxid, counted: Some(counted), relallfrozen: 0 }
    }

    fn check(f: Figures, s: &Settings, vacuum: bool, analyze: bool) {
        let n = need(&f, s, NEXT);
        assert_eq!((n.vacuum, n.analyze), (vacuum, analyze), "{f:?}");
    }

    #[test]
    fn thresholds() {
        let s = defaults();
        // Never counted: -1.
        check(figures(-1.0, (50, 0, 50)), &s, false, false);
        check(figures(-1.0, (51, 0, 51)), &s, true, true);
        check(figures(1000.0, (250, 0, 150)), &s, false, false);
        check(figures(1000.0, (251, 0, 0)), &s, true, false);
        check(figures(1000.0, (0, 0, 151)), &s, false, true);
        // Inserts alone.
        check(figures(1000.0, (0, 1200, 0)), &s, false, false);
        check(figures(1000.0, (0, 1201, 0)), &s, true, false);
        // Half of the pages are frozen.
        check(Figures { relallfrozen: 50, ..figures(1000.0, (0, 1101, 0)) }, &s, true, false);
        // A huge table.
        check(figures(1e10, (100_000_001, 0, 0)), &s, true, false);
        check(figures(1e10, (100_000_001, 0, 0)), &Settings { vacuum_max_threshold: -1.0, ..s.clone() }, false, false);
        check(figures(1000.0, (0, 9999, 0)), &Settings { insert_threshold: -1.0, ..s }, false, false);
    }

    #[test]
    fn old_tables_are_vacuumed_in_any_case() {
        let s = Settings { enabled: false, ..defaults() };
        let young = Figures { counted: None, ..figures(1.0, (0, 0, 0)) };
        assert_eq!(need(&young, &s, NEXT), Need::default());
        assert_eq!(need(&figures(1.0, (1000, 0, 1000)), &s, NEXT), Need::default());
        let old = Need { vacuum: true, analyze: false, wraparound: true };
        assert_eq!(need(&Figures { relfrozenxid: Xid(99_999_999), ..young }, &s, NEXT), old);
        assert_eq!(need(&Figures { relminmxid: MultiXactId(99_999_999), ..young }, &s, NEXT), old);
        assert_eq!(need(&Figures { relfrozenxid: Xid(100_000_000), ..young }, &s, NEXT), Need::default());
    }

    #[test]
    fn storage_parameters() {
        let options = |name: &str| {
            let value = match name {
                "autovacuum_vacuum_threshold" => "7",
                "autovacuum_analyze_scale_factor" => "0.5",
                "autovacuum_freeze_max_age" => "900000000",
                "autovacuum_enabled" => "false",
                _ => return None,
            };
            Some(value.to_owned())
        };
        let s = defaults().with_options(&options);
        let expected = Settings { vacuum_threshold: 7.0, analyze_scale: 0.5, enabled: false, ..defaults() };
        assert_eq!(s, expected);
    }
}
