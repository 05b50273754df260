//! `postmaster.pid` and the socket's lock file: one server a data directory, one a port. (PostgreSQL: `CreateLockFile`)

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use std::time::{SystemTime, UNIX_EPOCH};

use base::guc::{self, Values};
use base::sqlstate::LOCK_FILE_EXISTS;
use base::{PgError, Result};

use crate::config::os_error;

/// A lock file that disappears with this value.
#[derive(Debug)]
pub struct LockFile {
    path: PathBuf,
}

/// What the file is for, for messages.
#[derive(Clone, Copy)]
pub enum Protects<'a> {
    DataDirectory(&'a Path),
    Socket(&'a Path),
}

/// The lines of `postmaster.pid`, in order.
#[derive(Clone, Debug)]
pub struct PidFile {
    pub pid: u32,
    pub data_directory: PathBuf,
    /// Seconds since the epoch.
    pub start_time: u64,
    pub port: u16,
    pub socket_directory: String,
    pub listen_address: String,
    /// The status pg_ctl waits for: `starting`, `ready`, `standby`, `stopping`.
    pub status: String,
}

impl PidFile {
    /// The content for this process, which is about to start a server with these settings.
    pub fn starting(data: &Path, values: &Values) -> PidFile {
        let first = |list: &str| list.split(',').next().unwrap_or_default().trim().to_owned();
        PidFile {
            pid: std::process::id(),
            data_directory: data.to_owned(),
            start_time: SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_secs()),
            port: u16::try_from(values.int(guc::PORT)).unwrap_or(0),
            socket_directory: first(values.str(guc::UNIX_SOCKET_DIRECTORIES)),
            listen_address: first(values.str(guc::LISTEN_ADDRESSES)),
            status: "starting".into(),
        }
    }
    /// The shared-memory line holds no key here: there is no System V memory.
    fn text(&self) -> String {
        format!(
            "{}\n{}\n{}\n{}\n{}\n{}\n{:>9} {:>9}\n{:<8}\n",
            self.pid,
            self.data_directory.display(),
            self.start_time,
            self.port,
            self.socket_directory,
            self.listen_address,
            0,
            0,
            self.status
        )
    }
    /// Writes it over an existing file.
    pub fn write(&self, path: &Path) -> io::Result<()> {
        fs::write(path, self.text())
    }
    pub fn parse(text: &str) -> Option<PidFile> {
        let lines: Vec<&str> = text.lines().collect();
        let line = |i: usize| lines.get(i).map_or("", |l| l.trim()).to_owned();
        Some(PidFile {
            pid: line(0).trim_start_matches('-').parse().ok()?,
            data_directory: line(1).into(),
            start_time: line(2).parse().unwrap_or(0),
            port: line(3).parse().unwrap_or(0),
            socket_directory: line(4),
            listen_address: line(5),
            status: line(7),
        })
    }
    pub fn read(data: &Path) -> io::Result<Option<PidFile>> {
        match fs::read_to_string(data.join("postmaster.pid")) {
            Ok(text) => Ok(PidFile::parse(&text)),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(e) => Err(e),
        }
    }
}

/// Whether a process of that number lives, as far as we may know.
pub fn is_alive(pid: u32) -> bool {
    let Some(pid) = i32::try_from(pid).ok().and_then(rustix::process::Pid::from_raw) else { return false };
    !matches!(rustix::process::test_kill_process(pid), Err(rustix::io::Errno::SRCH))
}

impl LockFile {
    /// Creates the file, or fails if a living process holds it; a stale one is replaced.
    pub fn create(path: &Path, protects: Protects<'_>, content: &PidFile) -> Result<LockFile> {
        let fail = |what: &str, e: &io::Error| {
            let text = format!("could not {what} lock file \"{}\": {}", path.display(), os_error(e));
            PgError::new(base::sqlstate::IO_ERROR, text).fatal()
        };
        for _ in 0..100 {
            match OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
                Ok(mut f) => {
                    f.write_all(content.text().as_bytes())
                        .and_then(|()| f.sync_all())
                        .map_err(|e| fail("write", &e))?;
                    return Ok(LockFile { path: path.to_owned() });
                }
                Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {}
                Err(e) => return Err(fail("create", &e)),
            }
            let text = match fs::read_to_string(path) {
                Ok(text) => text,
                Err(e) if e.kind() == io::ErrorKind::NotFound => continue,
                Err(e) => return Err(fail("open", &e)),
            };
            let name = path.file_name().map_or(String::new(), |n| n.to_string_lossy().into_owned());
            let exists = format!("lock file \"{name}\" already exists");
            let shown = match protects {
                Protects::DataDirectory(_) => exists,
                Protects::Socket(_) => format!("lock file \"{}\" already exists", path.display()),
            };
            match PidFile::parse(&text) {
                Some(other) if other.pid != content.pid && is_alive(other.pid) => {
                    let hint = match protects {
                        Protects::DataDirectory(d) => format!(
                            "Is another postmaster (PID {}) running in data directory \"{}\"?",
                            other.pid,
                            d.display()
                        ),
                        Protects::Socket(s) => {
                            format!("Is another postmaster (PID {}) using socket file \"{}\"?", other.pid, s.display())
                        }
                    };
                    return Err(PgError::new(LOCK_FILE_EXISTS, shown).hint(hint).fatal());
                }
                _ => fs::remove_file(path).map_err(|e| fail("remove old", &e))?,
            }
        }
        Err(PgError::new(LOCK_FILE_EXISTS, format!("could not create lock file \"{}\"", path.display())).fatal())
    }

    /// Rewrites the content in place, e.g. with a new status.
    pub fn update(&self, content: &PidFile) -> io::Result<()> {
        content.write(&self.path)
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Leaves the file to another holder of the same process id.
    pub fn forget(self) {
        std::mem::forget(self);
    }
}

impl Drop for LockFile {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn second_server_is_refused_and_stale_file_replaced() {
        let path = std::env::temp_dir().join(format!("tusk-pid-{}", std::process::id()));
        let mut content = PidFile {
            pid: std::process::id(),
            data_directory: "/d".into(),
            start_time: 1,
            port: 5432,
            socket_directory: "/tmp".into(),
            listen_address: "localhost".into(),
            status: "ready".into(),
        };
        let data = Path::new("/d");
        let lock = LockFile::create(&path, Protects::DataDirectory(data), &content).unwrap();
        let read = PidFile::parse(&fs::read_to_string(&path).unwrap()).unwrap();
        assert_eq!((read.pid, read.port, read.status.as_str()), (content.pid, 5432, "ready"));
        // Process 1 always lives.
        content.pid = 1;
        lock.update(&content).unwrap();
        content.pid = std::process::id();
        let refused = LockFile::create(&path, Protects::DataDirectory(data), &content).unwrap_err();
        assert_eq!(
            refused.fields().hint.as_deref(),
            Some("Is another postmaster (PID 1) running in data directory \"/d\"?")
        );
        content.pid = 0x3fff_ffff;
        lock.update(&content).unwrap();
        content.pid = std::process::id();
        drop(LockFile::create(&path, Protects::DataDirectory(data), &content).unwrap());
        assert!(!path.exists());
        std::mem::forget(lock);
    }
}
