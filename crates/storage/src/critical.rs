//! Critical sections: pages are changed and the WAL record is not yet written, so nothing may fail.
//!
//! A panic inside ends the process; its supervisor restarts it into recovery. Whatever can fail is done before.
//! (PostgreSQL: `START_CRIT_SECTION`)

use std::marker::PhantomData;

/// The proof of being inside a critical section. Only [`critical`] makes one.
pub struct Critical {
    /// Not `Send`, not `Sync`: a section belongs to its thread.
    _this_thread: PhantomData<*const ()>,
}

struct AbortOnUnwind;

impl Drop for AbortOnUnwind {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("PANIC:  XX000: a failure inside a critical section; the server restarts into recovery");
            std::process::abort();
        }
    }
}

/// Runs `body` in a critical section. A panic inside aborts the process. May be nested.
///
/// What `body` returns is handed through; an error that leaves pages changed but not logged must panic instead.
#[inline]
pub fn critical<T>(body: impl FnOnce(&Critical) -> T) -> T {
    let guard = AbortOnUnwind;
    let result = body(&Critical { _this_thread: PhantomData });
    std::mem::forget(guard);
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nests_and_returns() {
        assert_eq!(critical(|_| critical(|_| 7)), 7);
    }
}
