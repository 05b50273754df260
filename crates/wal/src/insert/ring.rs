//! The log's buffers: a ring of pages, each under its own short mutex, and the record of how far they are filled.
//!
//! Whoever reserved space copies into the pages and *publishes* each piece (never crossing a page) by storing the
//! piece's end at its start's place in `links`. The filled part grows by following these links from its end, so that no
//! inserter waits for another one.
//!
//! Invariants
//! - A page of the ring is reused only after its former content was written to the file.
//! - Hence unconsumed links lie within one ring length, and two of them never share a place.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;

use crate::position::PAGE;

const EMPTY: u64 = u64::MAX;

pub(super) struct RingPage {
    /// Where the page lies in the log; `EMPTY` before its first use.
    pub start: u64,
    pub bytes: Box<[u8]>,
}

pub(super) struct Ring {
    pages: Box<[Mutex<RingPage>]>,
    /// A page each, made when the log first comes there: a server that writes little needs few.
    links: Box<[OnceLock<Box<[AtomicU64]>>]>,
    /// Everything before this was copied. Changed under `filling`.
    filled: AtomicU64,
    filling: Mutex<()>,
}

impl Ring {
    pub fn new(pages: usize) -> Ring {
        let page = |_| Mutex::new(RingPage { start: EMPTY, bytes: vec![0; PAGE as usize].into() });
        Ring {
            pages: (0..pages.max(4)).map(page).collect(),
            links: (0..pages.max(4)).map(|_| OnceLock::new()).collect(),
            filled: AtomicU64::new(0),
            filling: Mutex::new(()),
        }
    }
    pub fn bytes(&self) -> u64 {
        self.pages.len() as u64 * PAGE
    }
    pub fn page(&self, start: u64) -> &Mutex<RingPage> {
        &self.pages[(start / PAGE) as usize % self.pages.len()]
    }
    fn link(&self, at: u64) -> &AtomicU64 {
        let page = &self.links[(at / PAGE) as usize % self.links.len()];
        &page.get_or_init(|| (0..PAGE / 8).map(|_| AtomicU64::new(0)).collect())[(at % PAGE / 8) as usize]
    }
    /// The bytes from `start` to `end` are in their page.
    pub fn publish(&self, start: u64, end: u64) {
        // Pairs with the load in `filled`: who sees the link sees the bytes (also through the page's mutex).
        self.link(start).store(end, Ordering::Release);
    }
    /// Up to where everything was copied.
    pub fn filled(&self) -> u64 {
        let _filling = self.filling.lock();
        let mut at = self.filled.load(Ordering::Relaxed);
        loop {
            let link = self.link(at);
            let end = link.load(Ordering::Acquire);
            if end <= at || end > at + PAGE {
                break;
            }
            link.store(0, Ordering::Relaxed);
            at = end;
        }
        self.filled.store(at, Ordering::Release);
        at
    }
    /// Before anything is inserted.
    pub fn start_at(&self, lsn: u64) {
        self.filled.store(lsn, Ordering::Release);
    }
}
