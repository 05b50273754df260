//! Settings as SQL sees them: `current_setting`, `set_config`, `pg_settings`, `pg_file_settings`.
//!
//! PostgreSQL: `guc_funcs.c`.

use base::guc::{self, Context, Flags, Guc, GucDef, Kind, Show, Source, Value, show_value};
use base::sqlstate::*;
use base::{PgError, Result};
use types::{Datum, FnCx, builtin};

use super::{Rows, catalog, cluster, has_role, opt, opt_text, rows, text_array, transaction, variables};
use crate::session::variables::{Asker, Scope};

/// Settings that are the transaction's or the role's, rather than a value of their own.
fn special(cx: &mut FnCx<'_>, name: &str) -> Result<Option<String>> {
    let on = |b: bool| Some(if b { "on" } else { "off" }.to_owned());
    Ok(match name.to_ascii_lowercase().as_str() {
        "transaction_isolation" => Some(transaction(cx)?.isolation().as_str().to_owned()),
        "transaction_read_only" => on(transaction(cx)?.is_read_only()),
        "transaction_deferrable" => on(transaction(cx)?.is_deferrable()),
        "is_superuser" => {
            let user = cx.settings().session_user;
            on(catalog(cx)?.is_superuser(user)?)
        }
        "session_authorization" => {
            let user = cx.settings().session_user;
            Some(catalog(cx)?.role_name(user)?)
        }
        "role" => {
            let (current, session) = (cx.settings().current_user, cx.settings().session_user);
            Some(if current == session { "none".into() } else { catalog(cx)?.role_name(current)? })
        }
        _ => None,
    })
}

fn shown(cx: &mut FnCx<'_>, name: &str) -> Result<Option<String>> {
    if let Some(value) = special(cx, name)? {
        return Ok(Some(value));
    }
    if Guc::find(name).is_some_and(is_for_superusers) && !has_role(cx, "pg_read_all_settings")? {
        let text = format!("permission denied to examine \"{name}\"");
        let detail =
            "Only roles with privileges of the \"pg_read_all_settings\" role may examine this parameter.".to_owned();
        return Err(PgError::new(INSUFFICIENT_PRIVILEGE, text).detail(detail));
    }
    variables(cx)?.lock().show(name)
}

/// (PostgreSQL: `GUC_SUPERUSER_ONLY`)
fn is_for_superusers(guc: Guc) -> bool {
    matches!(
        guc.name(),
        "config_file"
            | "data_directory"
            | "dynamic_library_path"
            | "external_pid_file"
            | "hba_file"
            | "ident_file"
            | "krb_server_keyfile"
            | "listen_addresses"
            | "local_preload_libraries"
            | "log_directory"
            | "log_filename"
            | "log_line_prefix"
            | "log_parameter_max_length"
            | "primary_conninfo"
            | "session_preload_libraries"
            | "shared_preload_libraries"
            | "unix_socket_directories"
    ) && !matches!(
        guc.name(),
        "listen_addresses" | "log_line_prefix" | "log_parameter_max_length" | "local_preload_libraries"
    )
}

#[builtin("show_config_by_name")]
fn current_setting(cx: &mut FnCx<'_>, name: &str) -> Result<String> {
    shown(cx, name)?.ok_or_else(|| guc::unrecognized(name))
}

#[builtin("show_config_by_name_missing_ok")]
fn current_setting_missing_ok(cx: &mut FnCx<'_>, name: &str, missing_ok: bool) -> Result<Option<String>> {
    match shown(cx, name)? {
        None if !missing_ok => Err(guc::unrecognized(name)),
        value => Ok(value),
    }
}

#[builtin("set_config_by_name")]
fn set_config(
    cx: &mut FnCx<'_>,
    name: Option<&str>,
    value: Option<&str>,
    local: Option<bool>,
) -> Result<Option<String>> {
    let missing = || PgError::new(NULL_VALUE_NOT_ALLOWED, "SET requires parameter name");
    let name = name.ok_or_else(missing)?;
    let scope = if local.unwrap_or(false) { Scope::Local } else { Scope::Session };
    let txn = transaction(cx)?;
    match name.to_ascii_lowercase().as_str() {
        "transaction_read_only" => {
            let invalid = || {
                PgError::new(INVALID_PARAMETER_VALUE, "parameter \"transaction_read_only\" requires a Boolean value")
            };
            txn.set_read_only(guc::boolean(value.unwrap_or("off")).ok_or_else(invalid)?)?;
        }
        "role" | "session_authorization" | "transaction_isolation" | "transaction_deferrable" => {
            return Err(PgError::unsupported(format!("set_config of \"{name}\"")));
        }
        _ => {
            let user = cx.settings().session_user;
            let superuser = catalog(cx)?.is_superuser(user)?;
            let asker = Asker::User { superuser };
            variables(cx)?.lock().set(name, value, scope, txn.nest_level(), asker)?;
        }
    }
    shown(cx, name)
}

fn vartype(def: &GucDef) -> &'static str {
    match def.kind {
        Kind::Bool { .. } => "bool",
        Kind::Int { .. } => "integer",
        Kind::Real { .. } => "real",
        Kind::Str { .. } => "string",
        Kind::Enum { .. } => "enum",
    }
}

/// The least and greatest value, and the default, as text.
fn bounds(def: &GucDef) -> (Option<String>, Option<String>, Option<String>) {
    let show = |v: Value| Some(show_value(def, &v, Show::Bare));
    match def.kind {
        Kind::Bool { boot } => (None, None, show(Value::Bool(boot))),
        Kind::Int { boot, min, max } => (Some(min.to_string()), Some(max.to_string()), Some(boot.to_string())),
        Kind::Real { boot, min, max } => (show(Value::Real(min)), show(Value::Real(max)), show(Value::Real(boot))),
        Kind::Str { boot } => (None, None, boot.map(str::to_owned)),
        Kind::Enum { boot, .. } => (None, None, Some(boot.to_owned())),
    }
}

#[builtin("show_all_settings", set)]
fn show_all_settings(cx: &mut FnCx<'_>) -> Result<Rows> {
    let (variables, cluster) = (variables(cx)?, cluster(cx)?);
    let config = cluster.config();
    let see_all = has_role(cx, "pg_read_all_settings")?;
    let mut list = Vec::new();
    for (i, def) in guc::LIST.iter().enumerate() {
        let guc = Guc(u16::try_from(i).unwrap_or(u16::MAX));
        if def.flags.has(Flags::NO_SHOW_ALL) || is_for_superusers(guc) && !see_all {
            continue;
        }
        let own = special(cx, def.name)?;
        let variables = variables.lock();
        let values = variables.values();
        let source = values.source(guc);
        let unset = |v: &Value| matches!(v, Value::Str(None));
        let setting = match own {
            Some(text) => Some(text),
            None if unset(values.get(guc)) => None,
            None => Some(values.setting(guc)),
        };
        let reset = variables.reset_value_of(guc);
        let reset = match reset {
            Value::Str(None) => None,
            Value::Int(v) => Some(v.to_string()),
            reset => Some(show_value(def, &reset, Show::Bare)),
        };
        let (min, max, boot) = bounds(def);
        let enumvals = match def.kind {
            Kind::Enum { values, .. } => text_array(values)?,
            _ => Datum::Null,
        };
        let file =
            config.settings.iter().rev().find(|s| {
                source == Source::File && see_all && s.error.is_none() && s.name.eq_ignore_ascii_case(def.name)
            });
        let path = file.map(|f| f.path.display().to_string());
        list.push(vec![
            Datum::text(def.name),
            opt_text(setting.as_deref()),
            opt_text(def.unit.as_str()),
            Datum::text(def.category),
            Datum::text(def.short_desc),
            opt_text(Some(def.extra_desc).filter(|d| !d.is_empty())),
            Datum::text(def.context.as_str()),
            Datum::text(vartype(def)),
            Datum::text(source.as_str()),
            opt_text(min.as_deref()),
            opt_text(max.as_deref()),
            enumvals,
            opt_text(boot.as_deref()),
            opt_text(reset.as_deref()),
            opt_text(path.as_deref()),
            opt(file, |f| Datum::i32(i32::try_from(f.line).unwrap_or(i32::MAX))),
            Datum::bool(def.context == Context::Postmaster && pending_restart(&config, def, values.setting(guc))),
        ]);
    }
    list.sort_by_key(|row| String::from_utf8_lossy(row[0].as_ref().as_bytes()).to_ascii_lowercase());
    Ok(rows(list))
}

/// Does the file say something else than what was in force at the start?
fn pending_restart(config: &crate::config::Loaded, def: &GucDef, current: String) -> bool {
    let last = config.settings.iter().rev().find(|s| s.error.is_none() && s.name.eq_ignore_ascii_case(def.name));
    let guc = Guc::find(def.name).filter(|g| config.values.source(*g) == Source::File);
    match (last, guc) {
        (Some(s), Some(guc)) => match guc::parse_value(guc, &s.value) {
            Ok(value) => show_value(def, &value, Show::Bare) != current,
            Err(_) => false,
        },
        _ => false,
    }
}

#[builtin("pg_settings_get_flags")]
fn pg_settings_get_flags(name: &str) -> Result<Datum> {
    let Some(guc) = Guc::find(name) else { return Ok(Datum::Null) };
    let flags = guc.def().flags;
    let known = [
        (Flags::EXPLAIN, "EXPLAIN"),
        (Flags::NO_RESET, "NO_RESET"),
        (Flags::NO_RESET_ALL, "NO_RESET_ALL"),
        (Flags::NO_SHOW_ALL, "NO_SHOW_ALL"),
        (Flags::NOT_IN_SAMPLE, "NOT_IN_SAMPLE"),
        (Flags::RUNTIME_COMPUTED, "RUNTIME_COMPUTED"),
    ];
    let names: Vec<&str> = known.iter().filter(|(f, _)| flags.has(*f)).map(|(_, n)| *n).collect();
    text_array(&names)
}

#[builtin("show_all_file_settings", set)]
fn show_all_file_settings(cx: &mut FnCx<'_>) -> Result<Rows> {
    let cluster = cluster(cx)?;
    let loaded = crate::config::load(&cluster.sources)?;
    let current = cluster.config();
    let mut list = Vec::new();
    for (i, s) in loaded.settings.iter().enumerate() {
        let overridden = loaded.settings[i + 1..].iter().any(|o| o.name.eq_ignore_ascii_case(&s.name));
        let mut error = s.error.clone();
        if let Some(guc) = Guc::find(&s.name)
            && error.is_none()
            && guc.def().context == Context::Postmaster
            && loaded.values.source(guc) == Source::File
            && loaded.values.get(guc) != current.values.get(guc)
        {
            error = Some("setting could not be applied".into());
        }
        list.push(vec![
            Datum::text(&s.path.display().to_string()),
            Datum::i32(i32::try_from(s.line).unwrap_or(i32::MAX)),
            Datum::i32(i32::try_from(i + 1).unwrap_or(i32::MAX)),
            Datum::text(&s.name),
            Datum::text(&s.value),
            Datum::bool(error.is_none() && !overridden),
            opt_text(error.as_deref()),
        ]);
    }
    Ok(rows(list))
}
