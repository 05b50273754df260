//! From errno to PostgreSQL's text and SQLSTATE. (PostgreSQL: `errcode_for_file_access`, `%m`)

use std::io;

use base::sqlstate::{
    DISK_FULL, DUPLICATE_FILE, FILE_NAME_TOO_LONG, INSUFFICIENT_PRIVILEGE, INSUFFICIENT_RESOURCES, INTERNAL_ERROR,
    IO_ERROR, OUT_OF_MEMORY, UNDEFINED_FILE, WRONG_OBJECT_TYPE,
};
use base::{PgError, Result, SqlState};

// Linux's numbers; the errors are shown to users and made by the simulated file system.
pub(crate) const EPERM: i32 = 1;
pub(crate) const ENOENT: i32 = 2;
pub(crate) const EIO: i32 = 5;
pub(crate) const ENOMEM: i32 = 12;
pub(crate) const EACCES: i32 = 13;
pub(crate) const EEXIST: i32 = 17;
pub(crate) const ENOTDIR: i32 = 20;
pub(crate) const EISDIR: i32 = 21;
pub(crate) const ENFILE: i32 = 23;
pub(crate) const EMFILE: i32 = 24;
pub(crate) const EBADF: i32 = 9;
pub(crate) const EINVAL: i32 = 22;
pub(crate) const EFBIG: i32 = 27;
pub(crate) const ENOSPC: i32 = 28;
pub(crate) const EROFS: i32 = 30;
pub(crate) const ENAMETOOLONG: i32 = 36;
pub(crate) const ENOTEMPTY: i32 = 39;

/// The operating system's words for an error, as `%m` prints them.
pub fn errno_text(error: &io::Error) -> String {
    let text = error.to_string();
    match text.find(" (os error ") {
        Some(end) => text[..end].to_string(),
        None => text,
    }
}

/// The SQLSTATE for a failed file access.
pub fn sqlstate_of(error: &io::Error) -> SqlState {
    match error.raw_os_error() {
        Some(EPERM | EACCES | EROFS) => INSUFFICIENT_PRIVILEGE,
        Some(ENOENT) => UNDEFINED_FILE,
        Some(EEXIST) => DUPLICATE_FILE,
        Some(ENOTDIR | EISDIR | ENOTEMPTY) => WRONG_OBJECT_TYPE,
        Some(ENOSPC) => DISK_FULL,
        Some(ENOMEM) => OUT_OF_MEMORY,
        Some(ENFILE | EMFILE) => INSUFFICIENT_RESOURCES,
        Some(EIO) => IO_ERROR,
        Some(ENAMETOOLONG) => FILE_NAME_TOO_LONG,
        _ => INTERNAL_ERROR,
    }
}

/// `could not ACTION "PATH": reason`, with the SQLSTATE that fits.
#[cold]
pub fn io_error(action: &str, path: &str, error: &io::Error) -> PgError {
    PgError::new(sqlstate_of(error), format!("could not {action} \"{path}\": {}", errno_text(error)))
}

/// Turns the error of a file access into PostgreSQL's.
pub trait IoContext<T> {
    /// `could not ACTION "PATH": reason`; e.g. `.or_pg("open file", path)`.
    fn or_pg(self, action: &str, path: &str) -> Result<T>;
}

impl<T> IoContext<T> for io::Result<T> {
    fn or_pg(self, action: &str, path: &str) -> Result<T> {
        self.map_err(|e| io_error(action, path, &e))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_sqlstate() {
        let e = io::Error::from_raw_os_error(ENOSPC);
        let e = Err::<(), _>(e).or_pg("extend file", "base/5/16384").unwrap_err();
        assert_eq!(e.message(), "could not extend file \"base/5/16384\": No space left on device");
        assert_eq!(e.sqlstate().as_str(), "53100");
        let e = io_error("open file", "x", &io::Error::from_raw_os_error(ENOENT));
        assert_eq!(e.sqlstate().as_str(), "58P01");
    }
}
