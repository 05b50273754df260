//! One atomic word a session through which others stop it: cancel, terminate, timeouts, shutdown.
//! Every loop over rows, pages, tokens and every wait looks at it. (PostgreSQL: `CHECK_FOR_INTERRUPTS`)

use std::fmt;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};

use crate::error::{PgError, Result};
use crate::sqlstate::{ADMIN_SHUTDOWN, LOCK_NOT_AVAILABLE, QUERY_CANCELED, TRANSACTION_TIMEOUT};

const CANCEL: u32 = 1;
const TERMINATE: u32 = 2;
const STATEMENT_TIMEOUT: u32 = 4;
const LOCK_TIMEOUT: u32 = 8;
const TRANSACTION_TIMEOUT_BIT: u32 = 16;

/// Why a session is asked to stop.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reason {
    Cancel,
    Terminate,
    StatementTimeout,
    LockTimeout,
    TransactionTimeout,
}

impl Reason {
    fn bit(self) -> u32 {
        match self {
            Reason::Cancel => CANCEL,
            Reason::Terminate => TERMINATE,
            Reason::StatementTimeout => STATEMENT_TIMEOUT,
            Reason::LockTimeout => LOCK_TIMEOUT,
            Reason::TransactionTimeout => TRANSACTION_TIMEOUT_BIT,
        }
    }
}

/// A shared handle on a session's interrupt word; clones are the same word.
#[derive(Clone, Default)]
pub struct Interrupt(Arc<Shared>);

#[derive(Default)]
struct Shared {
    word: AtomicU32,
    /// What to do before the session's thread blocks.
    before_wait: OnceLock<Box<dyn Fn() + Send + Sync>>,
}

impl fmt::Debug for Interrupt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Interrupt({})", self.0.word.load(Ordering::Relaxed))
    }
}

impl Interrupt {
    pub fn new() -> Interrupt {
        Interrupt::default()
    }
    /// Has `what` called by [`Interrupt::before_wait`]; the first call counts.
    pub fn on_wait(&self, what: impl Fn() + Send + Sync + 'static) {
        let _ = self.0.before_wait.set(Box::new(what));
    }
    /// To be called before the session's thread blocks for longer than a page takes to come from disk (on a lock, a flush of
    /// the log, its client, the time): others may use the processor then.
    pub fn before_wait(&self) {
        if let Some(what) = self.0.before_wait.get() {
            what();
        }
    }
    /// Asks the session to stop. Whoever waits on a condition must be woken besides.
    pub fn raise(&self, reason: Reason) {
        self.0.word.fetch_or(reason.bit(), Ordering::Release);
    }
    /// Forgets a cancel or timeout that came too late; terminate stays.
    pub fn clear(&self) {
        self.0.word.fetch_and(TERMINATE, Ordering::AcqRel);
    }
    /// Forgets everything: the session ends, and what it does last is not to be stopped.
    pub fn end(&self) {
        self.0.word.store(0, Ordering::Release);
    }
    pub fn is_raised(&self) -> bool {
        self.0.word.load(Ordering::Relaxed) != 0
    }
    pub fn is_terminating(&self) -> bool {
        self.0.word.load(Ordering::Relaxed) & TERMINATE != 0
    }
    /// The error if the session was asked to stop; the request is consumed (but for terminate).
    #[inline]
    pub fn check(&self) -> Result<()> {
        if self.0.word.load(Ordering::Relaxed) == 0 { Ok(()) } else { self.take() }
    }
    #[cold]
    fn take(&self) -> Result<()> {
        let word = self.0.word.fetch_and(TERMINATE, Ordering::AcqRel);
        if word & TERMINATE != 0 {
            let text = "terminating connection due to administrator command";
            return Err(PgError::new(ADMIN_SHUTDOWN, text).fatal());
        }
        if word & TRANSACTION_TIMEOUT_BIT != 0 {
            return Err(PgError::new(TRANSACTION_TIMEOUT, "terminating connection due to transaction timeout").fatal());
        }
        if word & LOCK_TIMEOUT != 0 {
            return Err(PgError::new(LOCK_NOT_AVAILABLE, "canceling statement due to lock timeout"));
        }
        if word & STATEMENT_TIMEOUT != 0 {
            return Err(PgError::new(QUERY_CANCELED, "canceling statement due to statement timeout"));
        }
        if word & CANCEL != 0 {
            return Err(PgError::new(QUERY_CANCELED, "canceling statement due to user request"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cancel_is_consumed_terminate_stays() {
        let i = Interrupt::new();
        assert!(i.check().is_ok());
        i.raise(Reason::Cancel);
        assert_eq!(i.check().unwrap_err().sqlstate(), QUERY_CANCELED);
        assert!(i.check().is_ok());
        i.raise(Reason::Terminate);
        assert!(i.check().is_err());
        assert!(i.check().is_err());
    }
}
