//! A session's settings: what it changed over the server's, and how a transaction's end undoes or keeps that.
//!
//! Every change notes the value before it. An abort puts those values back, newest first; a commit puts back what
//! `SET LOCAL` changed, unless a plain `SET` came later. (PostgreSQL: `guc.c`, the GUC stack)

use std::sync::Arc;

use base::guc::{self, Context, Flags, Guc, Source, Value, Values};
use base::sqlstate::*;
use base::{PgError, Result};

use crate::config::Loaded;

/// What is being set.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Name {
    Guc(Guc),
    Custom(Box<str>),
}

#[derive(Clone, Debug)]
struct Change {
    name: Name,
    value: Option<Value>,
    source: Source,
    /// The transaction nesting level at which it happened.
    level: usize,
    local: bool,
}

/// What a function's own settings replaced.
#[derive(Debug)]
pub struct Saved {
    /// How many changes there were before.
    mark: usize,
    before: Vec<(Name, Option<Value>, Source)>,
}

/// How long a new value lasts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Scope {
    Session,
    /// `SET LOCAL`: until the transaction ends.
    Local,
}

/// Who asks, for the checks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Asker {
    User {
        superuser: bool,
    },
    /// At session start: from the startup packet, the role or the database.
    Startup {
        superuser: bool,
        source: Source,
    },
    /// The server itself.
    Internal,
}

/// The settings of a session.
#[derive(Debug)]
pub struct Variables {
    shared: Arc<Loaded>,
    /// Set as soon as something differs.
    own: Option<Box<Values>>,
    /// What RESET goes back to, where that is not the server's value.
    resets: Vec<(Name, Value, Source)>,
    changes: Vec<Change>,
    /// Settings whose value changed since they were last reported to the client.
    changed: Vec<Guc>,
    /// Counts changes, so that others can renew what they derived.
    pub generation: u64,
}

/// What the client is told of. (PostgreSQL: `GUC_REPORT`)
pub const REPORTED: &[Guc] = &[
    guc::APPLICATION_NAME,
    guc::CLIENT_ENCODING,
    guc::DATESTYLE,
    guc::DEFAULT_TRANSACTION_READ_ONLY,
    guc::IN_HOT_STANDBY,
    guc::INTEGER_DATETIMES,
    guc::INTERVALSTYLE,
    guc::SCRAM_ITERATIONS,
    guc::SEARCH_PATH,
    guc::SERVER_ENCODING,
    guc::SERVER_VERSION,
    guc::STANDARD_CONFORMING_STRINGS,
    guc::TIMEZONE,
];

impl Variables {
    pub fn new(shared: Arc<Loaded>) -> Variables {
        Variables { shared, own: None, resets: Vec::new(), changes: Vec::new(), changed: Vec::new(), generation: 1 }
    }
    pub fn values(&self) -> &Values {
        self.own.as_deref().unwrap_or(&self.shared.values)
    }
    fn own(&mut self) -> &mut Values {
        let shared = &self.shared;
        self.own.get_or_insert_with(|| Box::new(shared.values.clone()))
    }
    /// Settings whose value changed since the last call, for ParameterStatus.
    pub fn take_changed(&mut self) -> Vec<Guc> {
        std::mem::take(&mut self.changed)
    }

    /// The server's settings changed: those that the session did not set itself follow.
    pub fn reload(&mut self, shared: Arc<Loaded>) {
        if let Some(own) = &mut self.own {
            for (i, def) in guc::LIST.iter().enumerate() {
                let guc = Guc(i as u16);
                if own.source(guc) <= Source::Global && def.context >= Context::Sighup {
                    own.set(guc, shared.values.get(guc).clone(), shared.values.source(guc));
                }
            }
        }
        let before = std::mem::replace(&mut self.shared, shared);
        if self.own.is_none() {
            for &guc in REPORTED {
                if before.values.get(guc) != self.shared.values.get(guc) {
                    self.changed.push(guc);
                }
            }
        }
        self.generation += 1;
    }

    fn current(&self, name: &Name) -> (Option<Value>, Source) {
        match name {
            Name::Guc(guc) => (Some(self.values().get(*guc).clone()), self.values().source(*guc)),
            Name::Custom(n) => {
                let source =
                    self.values().custom_settings().find(|(m, ..)| m.eq_ignore_ascii_case(n)).map(|(_, _, s)| s);
                let value = self.values().custom(n).map(|v| Value::Str(Some(v.into())));
                (value, source.unwrap_or(Source::Default))
            }
        }
    }

    fn put(&mut self, name: &Name, value: Option<Value>, source: Source) {
        self.generation += 1;
        match (name, value) {
            (Name::Guc(guc), Some(value)) => {
                if self.values().get(*guc) != &value && REPORTED.contains(guc) && !self.changed.contains(guc) {
                    self.changed.push(*guc);
                }
                self.own().set(*guc, value, source);
            }
            (Name::Guc(_), None) => {}
            (Name::Custom(n), Some(Value::Str(Some(v)))) => self.own().set_custom(n, Some(&v), source),
            (Name::Custom(n), _) => self.own().set_custom(n, None, source),
        }
    }

    /// Sets a value, read from its text; `None` is the reset value. `level` is the transaction's nesting level, 0 outside.
    pub fn set(&mut self, name: &str, text: Option<&str>, scope: Scope, level: usize, asker: Asker) -> Result<()> {
        let Some(guc) = Guc::find(name) else {
            guc::check_custom_name(name)?;
            let name = Name::Custom(name.into());
            let value = match text {
                Some(t) => Some(Value::Str(Some(t.into()))),
                None => self.reset_value(&name).0,
            };
            return self.change(name, value, scope, level, asker);
        };
        check_permission(guc, asker)?;
        let name = Name::Guc(guc);
        let value = match text {
            Some(text) => Some(check(guc, guc::parse_value(guc, text)?)?),
            None => self.reset_value(&name).0,
        };
        self.change(name, value, scope, level, asker)
    }

    fn change(&mut self, name: Name, value: Option<Value>, scope: Scope, level: usize, asker: Asker) -> Result<()> {
        let (before, before_source) = self.current(&name);
        let source = match asker {
            Asker::Startup { source, .. } => source,
            Asker::User { .. } => Source::Session,
            Asker::Internal => Source::Override,
        };
        if let (Asker::Startup { .. }, Some(v)) = (asker, &value) {
            self.resets.retain(|(n, ..)| *n != name);
            self.resets.push((name.clone(), v.clone(), source));
        }
        if level > 0 {
            let local = scope == Scope::Local;
            self.changes.push(Change { name: name.clone(), value: before, source: before_source, level, local });
        }
        self.put(&name, value, source);
        Ok(())
    }

    fn reset_value(&self, name: &Name) -> (Option<Value>, Source) {
        if let Some((_, value, source)) = self.resets.iter().find(|(n, ..)| n == name) {
            return (Some(value.clone()), *source);
        }
        match name {
            Name::Guc(guc) => (Some(self.shared.values.get(*guc).clone()), self.shared.values.source(*guc)),
            Name::Custom(n) => match self.shared.values.custom(n) {
                Some(v) => (Some(Value::Str(Some(v.into()))), Source::File),
                // A placeholder that was set once stays known, as empty.
                None => (Some(Value::Str(Some("".into()))), Source::Default),
            },
        }
    }

    /// What RESET would make of a setting: `pg_settings.reset_val`.
    pub fn reset_value_of(&self, guc: Guc) -> Value {
        self.reset_value(&Name::Guc(guc)).0.unwrap_or_else(|| self.shared.values.get(guc).clone())
    }

    /// A function's own settings, `name=value` each, are in force until [`Variables::leave`].
    pub fn enter(&mut self, config: &[String], asker: Asker) -> Result<Saved> {
        let mut saved = Saved { mark: self.changes.len(), before: Vec::new() };
        for entry in config {
            let Some((name, text)) = entry.split_once('=') else { continue };
            let set = match Guc::find(name) {
                Some(guc) => check_permission(guc, asker)
                    .and_then(|()| check(guc, guc::parse_value(guc, text)?))
                    .map(|value| (Name::Guc(guc), value)),
                None => Ok((Name::Custom(name.into()), Value::Str(Some(text.into())))),
            };
            match set {
                Ok((name, value)) => {
                    let (before, source) = self.current(&name);
                    saved.before.push((name.clone(), before, source));
                    self.put(&name, Some(value), Source::Session);
                }
                Err(e) => {
                    self.leave(saved);
                    return Err(e);
                }
            }
        }
        Ok(saved)
    }
    /// The function is done: its settings are what they were, unless a plain SET inside it has changed them.
    pub fn leave(&mut self, saved: Saved) {
        for (name, value, source) in saved.before.into_iter().rev() {
            let mark = saved.mark.min(self.changes.len());
            let mut inner = self.changes[mark..].iter_mut().filter(|c| c.name == name).peekable();
            let mut kept = false;
            if inner.peek().is_some() {
                for c in inner {
                    kept |= !c.local;
                    (c.value, c.source) = (value.clone(), source);
                }
            }
            if !kept {
                self.put(&name, value, source);
            }
        }
    }

    /// RESET name.
    pub fn reset(&mut self, name: &str, level: usize, asker: Asker) -> Result<()> {
        if Guc::find(name).is_none() && self.values().custom(name).is_none() {
            guc::check_custom_name(name)?;
        }
        self.set(name, None, Scope::Session, level, asker)
    }

    /// RESET ALL.
    pub fn reset_all(&mut self, level: usize, asker: Asker) -> Result<()> {
        for (i, def) in guc::LIST.iter().enumerate() {
            let guc = Guc(i as u16);
            let settable = def.context >= Context::Superuser && !def.flags.has(Flags::NO_RESET_ALL);
            if settable && self.values().source(guc) >= Source::Session && check_permission(guc, asker).is_ok() {
                self.set(def.name, None, Scope::Session, level, asker)?;
            }
        }
        let custom: Vec<String> = self.values().custom_settings().map(|(n, ..)| n.to_owned()).collect();
        for name in custom {
            self.set(&name, None, Scope::Session, level, asker)?;
        }
        Ok(())
    }

    /// What SHOW and current_setting give; `None` for an unknown name with a dot, an error for one without.
    pub fn show(&self, name: &str) -> Result<Option<String>> {
        match Guc::find(name) {
            Some(guc) => Ok(Some(self.values().show(guc))),
            None => Ok(self.values().custom(name).map(str::to_owned)),
        }
    }

    /// The transaction has committed.
    pub fn commit(&mut self) {
        let mut kept: Vec<Name> = Vec::new();
        for change in std::mem::take(&mut self.changes).into_iter().rev() {
            if !change.local {
                kept.push(change.name);
            } else if !kept.contains(&change.name) {
                self.put(&change.name, change.value, change.source);
            }
        }
    }
    /// The transaction has aborted.
    pub fn abort(&mut self) {
        self.abort_to(1);
    }
    /// The subtransaction at that nesting level was released.
    pub fn release(&mut self, level: usize) {
        for change in &mut self.changes {
            change.level = change.level.min(level - 1);
        }
    }
    /// The transactions at that nesting level and below were rolled back.
    pub fn abort_to(&mut self, level: usize) {
        while self.changes.last().is_some_and(|c| c.level >= level) {
            if let Some(c) = self.changes.pop() {
                self.put(&c.name, c.value, c.source);
            }
        }
    }
}

fn check_permission(guc: Guc, asker: Asker) -> Result<()> {
    let def = guc.def();
    let (superuser, startup) = match asker {
        Asker::Internal => return Ok(()),
        Asker::User { superuser } => (superuser, false),
        Asker::Startup { superuser, .. } => (superuser, true),
    };
    let cannot = |why: &str| PgError::new(CANT_CHANGE_RUNTIME_PARAM, format!("parameter \"{}\" {why}", def.name));
    match def.context {
        Context::Internal => Err(cannot("cannot be changed")),
        Context::Postmaster => Err(cannot("cannot be changed without restarting the server")),
        Context::Sighup => Err(cannot("cannot be changed now")),
        Context::Backend | Context::SuperuserBackend if !startup => Err(cannot("cannot be set after connection start")),
        Context::SuperuserBackend | Context::Superuser if !superuser => {
            let text = format!("permission denied to set parameter \"{}\"", def.name);
            Err(PgError::new(INSUFFICIENT_PRIVILEGE, text))
        }
        _ => Ok(()),
    }
}

/// What a setting demands beyond its type; the value may come back in another spelling. (PostgreSQL: check hooks)
pub(crate) fn check(guc: Guc, value: Value) -> Result<Value> {
    let Value::Str(Some(text)) = &value else { return Ok(value) };
    let invalid =
        || PgError::new(INVALID_PARAMETER_VALUE, format!("invalid value for parameter \"{}\": \"{text}\"", guc.name()));
    let canonical: Arc<str> = match guc {
        guc::DATESTYLE => date_style(text).ok_or_else(|| invalid().detail(date_style_detail(text)))?.into(),
        guc::CLIENT_ENCODING => client_encoding(text).ok_or_else(invalid)?.into(),
        guc::TIMEZONE | guc::LOG_TIMEZONE => super::derived::time_zone(text).ok_or_else(invalid)?,
        guc::APPLICATION_NAME | guc::CLUSTER_NAME => clean_ascii(text).into(),
        guc::SEARCH_PATH => {
            catalog::namespace::split_identifiers(text).map_err(|_| invalid().detail("List syntax is invalid."))?;
            return Ok(value);
        }
        _ => return Ok(value),
    };
    Ok(Value::Str(Some(canonical)))
}

fn date_style_detail(text: &str) -> String {
    let word = text.split([',', ' ']).find(|w| !w.is_empty() && date_style_word(w).is_none()).unwrap_or_default();
    match word {
        "" => "Conflicting \"DateStyle\" specifications.".into(),
        w => format!("Unrecognized key word: \"{}\".", w.to_ascii_lowercase()),
    }
}

/// `(style, order)`, whichever the word gives.
fn date_style_word(word: &str) -> Option<(Option<&'static str>, Option<&'static str>)> {
    let w = word.to_ascii_lowercase();
    Some(match w.as_str() {
        "iso" => (Some("ISO"), None),
        "sql" => (Some("SQL"), None),
        w if w.starts_with("postgres") => (Some("Postgres"), None),
        "german" => (Some("German"), Some("DMY")),
        "ymd" => (None, Some("YMD")),
        w if w == "dmy" || w.starts_with("euro") => (None, Some("DMY")),
        w if w == "mdy" || w == "us" || w.starts_with("noneuro") => (None, Some("MDY")),
        "default" => (Some("ISO"), Some("MDY")),
        _ => return None,
    })
}

fn date_style(text: &str) -> Option<String> {
    let (mut style, mut order) = (None, None);
    let mut german = false;
    for word in text.split([',', ' ']).filter(|w| !w.is_empty()) {
        let (s, o) = date_style_word(word)?;
        german |= s == Some("German");
        if let Some(s) = s {
            if style.is_some_and(|old| old != s) {
                return None;
            }
            style = Some(s);
        }
        if let Some(o) = o {
            if order.is_some_and(|old| old != o) && !german {
                return None;
            }
            order = Some(o);
        }
    }
    Some(format!("{}, {}", style.unwrap_or("ISO"), order.unwrap_or("MDY")))
}

fn client_encoding(text: &str) -> Option<&'static str> {
    let clean: String = text.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase();
    Some(match clean.as_str() {
        "utf8" | "unicode" => "UTF8",
        "sqlascii" => "SQL_ASCII",
        _ => return None,
    })
}

fn clean_ascii(text: &str) -> String {
    let mut out = String::new();
    for b in text.bytes() {
        match b {
            32..=126 => out.push(char::from(b)),
            other => out.push_str(&format!("\\x{other:02x}")),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    const USER: Asker = Asker::User { superuser: false };

    fn shown(v: &Variables, name: &str) -> String {
        v.show(name).unwrap().unwrap_or_default()
    }

    #[test]
    fn transactions_undo_and_keep() {
        let mut v = Variables::new(Arc::default());
        v.set("work_mem", Some("1MB"), Scope::Session, 1, USER).unwrap();
        v.set("work_mem", Some("2MB"), Scope::Local, 1, USER).unwrap();
        assert_eq!(shown(&v, "work_mem"), "2MB");
        v.commit();
        assert_eq!(shown(&v, "work_mem"), "1MB");
        v.set("work_mem", Some("3MB"), Scope::Local, 1, USER).unwrap();
        v.set("work_mem", Some("5MB"), Scope::Session, 2, USER).unwrap();
        v.abort_to(2);
        assert_eq!(shown(&v, "work_mem"), "3MB");
        v.abort();
        assert_eq!(shown(&v, "work_mem"), "1MB");
        v.set("a.b", Some("x"), Scope::Session, 0, USER).unwrap();
        assert_eq!(shown(&v, "a.b"), "x");
        v.reset_all(0, USER).unwrap();
        assert_eq!((shown(&v, "work_mem"), shown(&v, "a.b")), ("4MB".into(), String::new()));
    }

    #[test]
    fn checked_values() {
        let mut v = Variables::new(Arc::default());
        for (name, text, expected) in [
            ("DateStyle", "german", "German, DMY"),
            ("datestyle", "dmy,sql", "SQL, DMY"),
            ("client_encoding", "utf-8", "UTF8"),
            ("application_name", "é", "\\xc3\\xa9"),
        ] {
            v.set(name, Some(text), Scope::Session, 0, USER).unwrap();
            assert_eq!(shown(&v, name), expected);
        }
        for (name, text, code) in [
            ("datestyle", "nope", INVALID_PARAMETER_VALUE),
            ("port", "1", CANT_CHANGE_RUNTIME_PARAM),
            ("log_statement", "all", INSUFFICIENT_PRIVILEGE),
            ("nope", "1", UNDEFINED_OBJECT),
        ] {
            assert_eq!(v.set(name, Some(text), Scope::Session, 0, USER).unwrap_err().sqlstate(), code, "{name}");
        }
    }
}
