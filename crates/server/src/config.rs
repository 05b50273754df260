//! The settings a server starts with: defaults, `postgresql.conf` with its includes, `postgresql.auto.conf`, command line.
//! (PostgreSQL: manual, "Setting Parameters")

use std::fs;
use std::path::{Path, PathBuf};

use base::guc::{self, Context, Guc, Source, Value, Values, file};
use base::sqlstate::{CONFIG_FILE_ERROR, UNDEFINED_FILE};
use base::{PgError, Result};

/// Where settings come from besides the files.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    pub data_directory: PathBuf,
    /// `-c name=value` and its short forms, in order.
    pub command_line: Vec<(String, String)>,
}

/// A setting as a file gave it: for `pg_settings.sourcefile` and `pg_file_settings`.
#[derive(Clone, Debug)]
pub struct FileSetting {
    pub path: PathBuf,
    pub line: usize,
    pub name: String,
    pub value: String,
    pub error: Option<String>,
}

/// What loading gave.
#[derive(Clone, Debug, Default)]
pub struct Loaded {
    pub values: Values,
    pub settings: Vec<FileSetting>,
}

impl Loaded {
    /// The first complaint, if any.
    pub fn error(&self) -> Option<&FileSetting> {
        self.settings.iter().find(|s| s.error.is_some())
    }
}

/// Reads everything. Bad lines are kept with their complaint; the caller decides whether they are fatal (at start they are,
/// on reload the old settings stay). Errors: a file that cannot be read, a bad command line.
pub fn load(sources: &Sources) -> Result<Loaded> {
    let mut loaded = Loaded::default();
    let mut values = Values::default();
    preset(&mut values, &sources.data_directory);
    let main = command_line_value(sources, "config_file")
        .map_or_else(|| sources.data_directory.join("postgresql.conf"), PathBuf::from);
    values.set(guc::CONFIG_FILE, text(&main), Source::Override);

    let mut found = Vec::new();
    read_file(&main, 0, &mut found)?;
    let auto = sources.data_directory.join("postgresql.auto.conf");
    if auto.exists() {
        read_file(&auto, 0, &mut found)?;
    }
    for mut setting in found {
        if setting.error.is_none() {
            setting.error =
                apply(&mut values, &setting.name, &setting.value, Source::File).err().map(|e| e.message().to_owned());
        }
        loaded.settings.push(setting);
    }
    for (name, value) in &sources.command_line {
        apply(&mut values, name, value, Source::CommandLine).map_err(PgError::fatal)?;
    }
    derive(&mut values);
    loaded.values = values;
    Ok(loaded)
}

fn text(path: &Path) -> Value {
    Value::Str(Some(path.to_string_lossy().into()))
}

fn command_line_value<'a>(sources: &'a Sources, name: &str) -> Option<&'a str> {
    sources.command_line.iter().rev().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v.as_str())
}

/// Values that depend on the data directory or this build rather than on a constant.
fn preset(values: &mut Values, data: &Path) {
    values.set(guc::DATA_DIRECTORY, text(data), Source::Override);
    values.set(guc::HBA_FILE, text(&data.join("pg_hba.conf")), Source::Override);
    values.set(guc::IDENT_FILE, text(&data.join("pg_ident.conf")), Source::Override);
    values.set(guc::SERVER_ENCODING, Value::Str(Some("UTF8".into())), Source::Override);
    values.set(guc::CLIENT_ENCODING, Value::Str(Some("UTF8".into())), Source::Default);
    values.set(guc::TIMEZONE_ABBREVIATIONS, Value::Str(Some("Default".into())), Source::Default);
    values.set(guc::MAX_STACK_DEPTH, Value::Int(2048), Source::Default);
}

/// Values that follow from others once all are read.
fn derive(values: &mut Values) {
    let shared_buffers = values.int(guc::SHARED_BUFFERS);
    if values.int(guc::WAL_BUFFERS) == -1 {
        let segment = values.int(guc::WAL_SEGMENT_SIZE) / 8192;
        values.set(guc::WAL_BUFFERS, Value::Int((shared_buffers / 32).clamp(8, segment.max(8))), Source::Override);
    }
    let slru = (shared_buffers / 512).clamp(16, 1024) / 16 * 16;
    for guc in [guc::TRANSACTION_BUFFERS, guc::SUBTRANSACTION_BUFFERS, guc::COMMIT_TIMESTAMP_BUFFERS] {
        if values.int(guc) == 0 {
            values.set(guc, Value::Int(slru), Source::Override);
        }
    }
}

/// Checks and sets one value that comes from outside a session.
pub fn apply(values: &mut Values, name: &str, value: &str, source: Source) -> Result<()> {
    let Some(guc) = Guc::find(name) else {
        guc::check_custom_name(name)?;
        values.set_custom(name, Some(value), source);
        return Ok(());
    };
    if guc.def().context == Context::Internal {
        let text = format!("parameter \"{}\" cannot be changed", guc.name());
        return Err(PgError::new(base::sqlstate::CANT_CHANGE_RUNTIME_PARAM, text));
    }
    values.set(guc, crate::session::variables::check(guc, guc::parse_value(guc, value)?)?, source);
    Ok(())
}

/// Includes may nest this deep. (PostgreSQL: `CONF_FILE_MAX_DEPTH`)
const MAX_DEPTH: usize = 10;

fn read_file(path: &Path, depth: usize, out: &mut Vec<FileSetting>) -> Result<()> {
    if depth > MAX_DEPTH {
        let text = format!("could not open configuration file \"{}\": maximum nesting depth exceeded", path.display());
        return Err(PgError::new(base::sqlstate::PROGRAM_LIMIT_EXCEEDED, text).fatal());
    }
    let content = fs::read_to_string(path).map_err(|e| {
        let text = format!("could not open configuration file \"{}\": {}", path.display(), os_error(&e));
        PgError::new(UNDEFINED_FILE, text).fatal()
    })?;
    let (entries, errors) = file::parse(&content);
    for e in errors {
        out.push(FileSetting {
            path: path.to_owned(),
            line: e.line,
            name: String::new(),
            value: String::new(),
            error: Some(e.message(&path.to_string_lossy())),
        });
    }
    let beside = |name: &str| path.parent().unwrap_or(Path::new(".")).join(name);
    for entry in entries {
        match entry.name.to_ascii_lowercase().as_str() {
            "include" => read_file(&beside(&entry.value), depth + 1, out)?,
            "include_if_exists" => {
                let included = beside(&entry.value);
                if included.exists() {
                    read_file(&included, depth + 1, out)?;
                }
            }
            "include_dir" => {
                let dir = beside(&entry.value);
                let mut files: Vec<PathBuf> = fs::read_dir(&dir)
                    .map_err(|e| {
                        let text =
                            format!("could not open configuration directory \"{}\": {}", dir.display(), os_error(&e));
                        PgError::new(CONFIG_FILE_ERROR, text).fatal()
                    })?
                    .filter_map(|f| f.ok().map(|f| f.path()))
                    .filter(|p| p.extension().is_some_and(|e| e == "conf"))
                    .filter(|p| !p.file_name().is_some_and(|n| n.to_string_lossy().starts_with('.')))
                    .collect();
                files.sort();
                for f in files {
                    read_file(&f, depth + 1, out)?;
                }
            }
            _ => out.push(FileSetting {
                path: path.to_owned(),
                line: entry.line,
                name: entry.name,
                value: entry.value,
                error: None,
            }),
        }
    }
    Ok(())
}

/// An operating system error's text without Rust's suffix.
pub fn os_error(e: &std::io::Error) -> String {
    let text = e.to_string();
    text.split(" (os error").next().unwrap_or(&text).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_and_command_line() {
        let dir = std::env::temp_dir().join(format!("tusk-config-{}", std::process::id()));
        fs::create_dir_all(dir.join("d")).unwrap();
        fs::write(dir.join("postgresql.conf"), "work_mem = 8MB\ninclude_dir 'd'\nport = 6000\nnope = 1\nmy.x = 'y'\n")
            .unwrap();
        fs::write(dir.join("d/a.conf"), "work_mem = 9MB\n").unwrap();
        fs::write(dir.join("postgresql.auto.conf"), "port = '6001'\n").unwrap();
        let command_line = vec![("port".to_owned(), "6002".to_owned())];
        let loaded = load(&Sources { data_directory: dir.clone(), command_line }).unwrap();
        assert_eq!(loaded.values.show(guc::WORK_MEM), "9MB");
        assert_eq!(loaded.values.int(guc::PORT), 6002);
        assert_eq!(loaded.values.custom("my.x"), Some("y"));
        assert_eq!(loaded.values.show(guc::WAL_BUFFERS), "4MB");
        let error = loaded.error().unwrap();
        assert_eq!((error.line, error.error.as_deref()), (4, Some("unrecognized configuration parameter \"nope\"")));
        fs::remove_dir_all(dir).unwrap();
    }
}
