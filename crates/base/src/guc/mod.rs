//! Settings, "GUCs": their definitions ([`list`]), how a value's text is read and shown, and [`Values`], the set in force.
//!
//! A server has one `Arc<Values>` from defaults, files and command line; a session copies it on its first change only.
//! (PostgreSQL: `guc.c`; manual, "Setting Parameters")

pub mod file;
mod list;
mod parse;

use std::sync::Arc;

pub use list::*;
pub use parse::boolean;

use crate::error::{PgError, Result};
use crate::sqlstate::{INVALID_NAME, INVALID_PARAMETER_VALUE, UNDEFINED_OBJECT};

/// A setting, by its place in [`LIST`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Guc(pub u16);

/// Who may change it, and when.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Context {
    Internal,
    Postmaster,
    Sighup,
    SuperuserBackend,
    Backend,
    Superuser,
    User,
}

impl Context {
    pub fn as_str(self) -> &'static str {
        match self {
            Context::Internal => "internal",
            Context::Postmaster => "postmaster",
            Context::Sighup => "sighup",
            Context::SuperuserBackend => "superuser-backend",
            Context::Backend => "backend",
            Context::Superuser => "superuser",
            Context::User => "user",
        }
    }
}

/// What a bare number means.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unit {
    None,
    Bytes,
    Kilobytes,
    /// 8 kB.
    Blocks,
    Megabytes,
    Milliseconds,
    Seconds,
    Minutes,
}

impl Unit {
    pub fn as_str(self) -> Option<&'static str> {
        Some(match self {
            Unit::None => return None,
            Unit::Bytes => "B",
            Unit::Kilobytes => "kB",
            Unit::Blocks => "8kB",
            Unit::Megabytes => "MB",
            Unit::Milliseconds => "ms",
            Unit::Seconds => "s",
            Unit::Minutes => "min",
        })
    }
}

/// (PostgreSQL: `pg_settings_get_flags`)
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Flags(pub u8);

impl Flags {
    pub const NONE: Flags = Flags(0);
    pub const EXPLAIN: Flags = Flags(1);
    pub const NOT_IN_SAMPLE: Flags = Flags(2);
    pub const NO_RESET: Flags = Flags(4);
    pub const NO_RESET_ALL: Flags = Flags(8);
    pub const NO_SHOW_ALL: Flags = Flags(16);
    pub const RUNTIME_COMPUTED: Flags = Flags(32);

    pub const fn with(self, other: Flags) -> Flags {
        Flags(self.0 | other.0)
    }
    pub fn has(self, other: Flags) -> bool {
        self.0 & other.0 != 0
    }
}

/// A setting's type with its default.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    Bool { boot: bool },
    Int { boot: i64, min: i64, max: i64 },
    Real { boot: f64, min: f64, max: f64 },
    Str { boot: Option<&'static str> },
    Enum { boot: &'static str, values: &'static [&'static str] },
}

/// A setting's definition.
#[derive(Debug)]
pub struct GucDef {
    pub name: &'static str,
    pub context: Context,
    pub unit: Unit,
    pub kind: Kind,
    pub flags: Flags,
    pub category: &'static str,
    pub short_desc: &'static str,
    pub extra_desc: &'static str,
}

/// A setting's value.
#[derive(Clone, PartialEq, Debug)]
pub enum Value {
    Bool(bool),
    Int(i64),
    Real(f64),
    Str(Option<Arc<str>>),
    Enum(&'static str),
}

/// Where a value came from, weakest first. (PostgreSQL: `GucSource`)
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Source {
    Default,
    EnvironmentVariable,
    File,
    CommandLine,
    Global,
    Database,
    User,
    DatabaseUser,
    Client,
    Override,
    Session,
}

impl Source {
    pub fn as_str(self) -> &'static str {
        match self {
            Source::Default => "default",
            Source::EnvironmentVariable => "environment variable",
            Source::File => "configuration file",
            Source::CommandLine => "command line",
            Source::Global => "global",
            Source::Database => "database",
            Source::User => "user",
            Source::DatabaseUser => "database user",
            Source::Client => "client",
            Source::Override => "override",
            Source::Session => "session",
        }
    }
}

impl Guc {
    /// The setting of that name, case-insensitively.
    pub fn find(name: &str) -> Option<Guc> {
        let lower = name.to_ascii_lowercase();
        // Old names that PostgreSQL still accepts.
        let lower = match lower.as_str() {
            "sort_mem" => "work_mem",
            "vacuum_mem" => "maintenance_work_mem",
            "ssl_ecdh_curve" => "ssl_groups",
            other => other,
        };
        let at = LIST.binary_search_by(|d| d.name.to_ascii_lowercase().as_str().cmp(lower)).ok()?;
        u16::try_from(at).ok().map(Guc)
    }
    pub fn def(self) -> &'static GucDef {
        &LIST[usize::from(self.0)]
    }
    pub fn name(self) -> &'static str {
        self.def().name
    }
}

/// The settings in force, with where each came from. Cloning shares nothing but the strings; keep it behind an `Arc`.
#[derive(Clone, Debug)]
pub struct Values {
    values: Vec<Value>,
    sources: Vec<Source>,
    /// Settings with a dot in their name that no module defined. (PostgreSQL: placeholders)
    custom: Vec<(Box<str>, Arc<str>, Source)>,
}

impl Default for Values {
    fn default() -> Values {
        let boot = |d: &GucDef| match d.kind {
            Kind::Bool { boot } => Value::Bool(boot),
            Kind::Int { boot, .. } => Value::Int(boot),
            Kind::Real { boot, .. } => Value::Real(boot),
            Kind::Str { boot } => Value::Str(boot.map(Arc::from)),
            Kind::Enum { boot, .. } => Value::Enum(boot),
        };
        let values = LIST.iter().map(boot).collect();
        Values { values, sources: vec![Source::Default; LIST.len()], custom: Vec::new() }
    }
}

impl Values {
    pub fn get(&self, guc: Guc) -> &Value {
        &self.values[usize::from(guc.0)]
    }
    pub fn source(&self, guc: Guc) -> Source {
        self.sources[usize::from(guc.0)]
    }
    pub fn set(&mut self, guc: Guc, value: Value, source: Source) {
        self.values[usize::from(guc.0)] = value;
        self.sources[usize::from(guc.0)] = source;
    }
    pub fn bool(&self, guc: Guc) -> bool {
        matches!(self.get(guc), Value::Bool(true))
    }
    /// In the setting's unit.
    pub fn int(&self, guc: Guc) -> i64 {
        match self.get(guc) {
            Value::Int(v) => *v,
            _ => 0,
        }
    }
    pub fn real(&self, guc: Guc) -> f64 {
        match self.get(guc) {
            Value::Real(v) => *v,
            _ => 0.0,
        }
    }
    /// Of a string or enum; empty where it is unset.
    pub fn str(&self, guc: Guc) -> &str {
        match self.get(guc) {
            Value::Str(Some(s)) => s,
            Value::Enum(s) => s,
            _ => "",
        }
    }
    pub fn custom(&self, name: &str) -> Option<&str> {
        self.custom.iter().find(|(n, ..)| n.eq_ignore_ascii_case(name)).map(|(_, v, _)| &**v)
    }
    pub fn custom_settings(&self) -> impl Iterator<Item = (&str, &str, Source)> {
        self.custom.iter().map(|(n, v, s)| (&**n, &**v, *s))
    }
    /// Sets a placeholder; `None` removes it.
    pub fn set_custom(&mut self, name: &str, value: Option<&str>, source: Source) {
        self.custom.retain(|(n, ..)| !n.eq_ignore_ascii_case(name));
        if let Some(value) = value {
            self.custom.push((name.into(), value.into(), source));
            self.custom.sort();
        }
    }
    /// What `SHOW` prints. (PostgreSQL: `ShowGUCOption`)
    pub fn show(&self, guc: Guc) -> String {
        show_value(guc.def(), self.get(guc), Show::WithUnit)
    }
    /// What `pg_settings.setting` holds: without the unit.
    pub fn setting(&self, guc: Guc) -> String {
        show_value(guc.def(), self.get(guc), Show::Bare)
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Show {
    WithUnit,
    Bare,
}

/// A value's text.
pub fn show_value(def: &GucDef, value: &Value, show: Show) -> String {
    match value {
        Value::Bool(b) => if *b { "on" } else { "off" }.to_owned(),
        Value::Str(s) => s.as_deref().unwrap_or_default().to_owned(),
        Value::Enum(s) => (*s).to_owned(),
        Value::Int(v) if matches!(def.name, "unix_socket_permissions" | "log_file_mode" | "data_directory_mode") => {
            format!("{v:04o}")
        }
        Value::Int(v) => match show {
            Show::Bare => v.to_string(),
            Show::WithUnit => parse::int_with_unit(*v, def.unit),
        },
        Value::Real(v) => match show {
            Show::Bare => parse::real_text(*v),
            Show::WithUnit => parse::real_with_unit(*v, def.unit),
        },
    }
}

/// Reads a value's text. (PostgreSQL: `parse_and_validate_value`)
pub fn parse_value(guc: Guc, text: &str) -> Result<Value> {
    parse::value(guc.def(), text)
}

/// 42704, with PostgreSQL's text.
pub fn unrecognized(name: &str) -> PgError {
    PgError::new(UNDEFINED_OBJECT, format!("unrecognized configuration parameter \"{name}\""))
}

/// Whether a name may stand for a placeholder: at least two identifiers with dots between.
pub fn check_custom_name(name: &str) -> Result<()> {
    let ident = |s: &str| {
        s.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_' || !c.is_ascii())
            && s.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '$' || !c.is_ascii())
    };
    if !name.contains('.') {
        return Err(unrecognized(name));
    }
    if name.split('.').all(ident) {
        return Ok(());
    }
    let text = format!("invalid configuration parameter name \"{name}\"");
    let detail = "Custom parameter names must be two or more simple identifiers separated by dots.";
    Err(PgError::new(INVALID_NAME, text).detail(detail))
}

pub(crate) fn invalid_value(name: &str, text: &str) -> PgError {
    PgError::new(INVALID_PARAMETER_VALUE, format!("invalid value for parameter \"{name}\": \"{text}\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_and_sorted() {
        for (i, d) in LIST.iter().enumerate() {
            assert_eq!(Guc::find(d.name), Some(Guc(i as u16)), "{}", d.name);
        }
        assert_eq!(Guc::find("datestyle").map(Guc::name), Some("DateStyle"));
        assert_eq!(Guc::find("nope"), None);
        assert_eq!(WORK_MEM.name(), "work_mem");
    }

    #[test]
    fn shown_as_postgresql_does() {
        let mut v = Values::default();
        for (guc, text, expected) in [
            (WORK_MEM, "4096", "4MB"),
            (WORK_MEM, "65kB", "65kB"),
            (SHARED_BUFFERS, "16384", "128MB"),
            (CHECKPOINT_TIMEOUT, "300", "5min"),
            (STATEMENT_TIMEOUT, "1.5s", "1500ms"),
            (VACUUM_COST_DELAY, "0.5", "500us"),
            (SEQ_PAGE_COST, "1", "1"),
            (ENABLE_SEQSCAN, "of", "off"),
            (SYNCHRONOUS_COMMIT, "LOCAL", "local"),
            (UNIX_SOCKET_PERMISSIONS, "0777", "0777"),
        ] {
            v.set(guc, parse_value(guc, text).unwrap(), Source::Session);
            assert_eq!(v.show(guc), expected, "{}", guc.name());
        }
    }

    #[test]
    fn bad_values() {
        for (guc, text, message) in [
            (WORK_MEM, "10", "10 kB is outside the valid range for parameter \"work_mem\" (64 kB .. 2147483647 kB)"),
            (WORK_MEM, "1x", "invalid value for parameter \"work_mem\": \"1x\""),
            (ENABLE_SEQSCAN, "maybe", "parameter \"enable_seqscan\" requires a Boolean value"),
            (SYNCHRONOUS_COMMIT, "x", "invalid value for parameter \"synchronous_commit\": \"x\""),
        ] {
            assert_eq!(parse_value(guc, text).unwrap_err().message(), message);
        }
    }
}
