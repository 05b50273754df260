//! The settings that functions and type input/output look at, in a form ready to use. A session keeps one and renews it
//! when a GUC changes or a transaction or statement starts.

use std::sync::Arc;

use base::Oid;

/// (PostgreSQL: `DateStyle`, first part)
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DateStyle {
    Iso,
    Postgres,
    Sql,
    German,
}

/// (PostgreSQL: `DateStyle`, second part)
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DateOrder {
    Mdy,
    Dmy,
    Ymd,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum IntervalStyle {
    Postgres,
    PostgresVerbose,
    SqlStandard,
    Iso8601,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ByteaOutput {
    Hex,
    Escape,
}

#[derive(Clone, Debug)]
pub struct Settings {
    pub date_style: DateStyle,
    pub date_order: DateOrder,
    pub interval_style: IntervalStyle,
    /// The name as `SHOW TimeZone` gives it; the functions crate resolves and caches the zone itself.
    pub time_zone: Arc<str>,
    pub log_time_zone: Arc<str>,
    pub extra_float_digits: i32,
    pub bytea_output: ByteaOutput,
    pub standard_conforming_strings: bool,
    pub array_nulls: bool,
    pub xml_binary_hex: bool,
    pub transform_null_equals: bool,
    pub quote_all_identifiers: bool,
    /// The name of the default text search configuration.
    pub text_search_config: Arc<str>,
    /// Kilobytes.
    pub work_mem: i64,
    /// Microseconds since 2000-01-01 UTC. (PostgreSQL: `now()`)
    pub transaction_timestamp: i64,
    /// (PostgreSQL: `statement_timestamp()`)
    pub statement_timestamp: i64,
    pub database: Oid,
    pub database_name: Arc<str>,
    /// The role that permission checks use. (PostgreSQL: `current_user`)
    pub current_user: Oid,
    pub session_user: Oid,
    pub session_id: i32,
    /// The default collation of the database is bytewise (C, POSIX, C.UTF-8 for order).
    pub database_collation_is_c: bool,
    /// `session_replication_role` is `replica`: ordinary triggers and rules do not fire.
    pub is_replica: bool,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            date_style: DateStyle::Iso,
            date_order: DateOrder::Mdy,
            interval_style: IntervalStyle::Postgres,
            time_zone: "Etc/UTC".into(),
            log_time_zone: "Etc/UTC".into(),
            extra_float_digits: 1,
            bytea_output: ByteaOutput::Hex,
            standard_conforming_strings: true,
            array_nulls: true,
            xml_binary_hex: false,
            transform_null_equals: false,
            quote_all_identifiers: false,
            text_search_config: "pg_catalog.simple".into(),
            work_mem: 4096,
            transaction_timestamp: 0,
            statement_timestamp: 0,
            database: Oid::INVALID,
            database_name: "".into(),
            current_user: Oid(10),
            session_user: Oid(10),
            session_id: 0,
            database_collation_is_c: true,
            is_replica: false,
        }
    }
}
