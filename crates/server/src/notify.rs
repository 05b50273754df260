//! LISTEN and NOTIFY. (PostgreSQL: `async.c`)
//!
//! A transaction's LISTEN, UNLISTEN and NOTIFY wait in its session's [`Inbox`] until it commits; what a rolled back
//! subtransaction asked for is dropped. Once the commit is visible its notifications go, in one piece, into the inboxes of the
//! sessions that listen, and those that are parked are woken. A session sends its client what lies in its inbox between
//! transactions.
//!
//! There is no queue on disk and no lock on commits: a notification is shared by all inboxes it lies in, and counts against
//! `max_notify_queue_pages` until the last listener has sent it. What nobody listens to is not kept.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};

use base::guc;
use base::sqlstate::{INVALID_PARAMETER_VALUE, PROGRAM_LIMIT_EXCEEDED, WARNING};
use base::{Oid, PgError, Result};
use hashbrown::{HashMap, HashSet};
use parking_lot::Mutex;
use txn::Transaction;
use txn::transaction::{SubId, TransactionCallback, TransactionEvent};

use crate::cluster::{Cluster, SessionEntry};

/// (PostgreSQL: `NOTIFY_PAYLOAD_MAX_LENGTH`)
const PAYLOAD_LIMIT: usize = 8000;
/// (PostgreSQL: `NAMEDATALEN`)
const NAME_LIMIT: usize = 64;
/// Microseconds between warnings about a full queue. (PostgreSQL: `QUEUE_FULL_WARN_INTERVAL`)
const WARN_INTERVAL: i64 = 5_000_000;

/// What a client is told.
pub struct Notification {
    pub channel: String,
    pub payload: String,
    pub sender: i32,
    /// The queue's size, which counts this one while it lives.
    size: Arc<AtomicU64>,
}

/// What a message takes in the queue. (PostgreSQL: `AsyncQueueEntry`, aligned)
fn weight(channel: &str, payload: &str) -> u64 {
    (16 + channel.len() + payload.len() + 2).next_multiple_of(4) as u64
}

impl Drop for Notification {
    fn drop(&mut self) {
        self.size.fetch_sub(weight(&self.channel, &self.payload), Ordering::Relaxed);
    }
}

/// Who listens to what. Shared by the cluster's sessions.
#[derive(Default)]
pub struct Notifications {
    listeners: Mutex<HashMap<(Oid, String), Vec<Arc<SessionEntry>>>>,
    size: Arc<AtomicU64>,
    /// When a full queue was last warned about.
    warned: AtomicI64,
}

impl Notifications {
    /// The part of the queue that is in use, 0 to 1.
    pub fn usage(&self, cluster: &Cluster) -> f64 {
        self.size.load(Ordering::Relaxed) as f64 / capacity(cluster) as f64
    }
    fn listen(&self, database: Oid, channel: &str, entry: &Arc<SessionEntry>) {
        let mut channels = entry.inbox.channels.lock();
        if channels.iter().any(|c| c == channel) {
            return;
        }
        channels.push(channel.to_owned());
        let mut listeners = self.listeners.lock();
        listeners.entry((database, channel.to_owned())).or_default().push(Arc::clone(entry));
    }
    fn unlisten(&self, database: Oid, channel: Option<&str>, entry: &SessionEntry) {
        let gone: Vec<String> = {
            let mut channels = entry.inbox.channels.lock();
            let all = std::mem::take(&mut *channels);
            let (gone, kept) = all.into_iter().partition(|c| channel.is_none_or(|x| x == c));
            *channels = kept;
            gone
        };
        let mut listeners = self.listeners.lock();
        for channel in gone {
            let key = (database, channel);
            if let Some(list) = listeners.get_mut(&key) {
                list.retain(|e| e.id != entry.id);
                if list.is_empty() {
                    listeners.remove(&key);
                }
            }
        }
    }
    /// Hands a committed transaction's notifications to the listeners.
    fn publish(&self, database: Oid, messages: Vec<Message>, sender: i32) {
        let mut woken: Vec<Arc<SessionEntry>> = Vec::new();
        {
            // Held throughout: nobody's notifications come between ours.
            let listeners = self.listeners.lock();
            for Message { channel, payload } in messages {
                let Some((key, list)) = listeners.get_key_value(&(database, channel)) else { continue };
                self.size.fetch_add(weight(&key.1, &payload), Ordering::Relaxed);
                let size = Arc::clone(&self.size);
                let notification = Arc::new(Notification { channel: key.1.clone(), payload, sender, size });
                for entry in list {
                    entry.inbox.messages.lock().push_back(Arc::clone(&notification));
                    if !entry.inbox.waiting.swap(true, Ordering::AcqRel) {
                        woken.push(Arc::clone(entry));
                    }
                }
            }
        }
        woken.iter().for_each(|e| (e.wake)());
    }
    /// The session ends.
    pub fn forget(&self, database: Oid, entry: &SessionEntry) {
        self.unlisten(database, None, entry);
        entry.inbox.messages.lock().clear();
    }
}

/// Bytes. (PostgreSQL: `max_notify_queue_pages`)
fn capacity(cluster: &Cluster) -> u64 {
    let pages = cluster.config().values.int(guc::MAX_NOTIFY_QUEUE_PAGES);
    u64::try_from(pages).unwrap_or(1) * base::BLCKSZ as u64
}

#[derive(Clone, PartialEq, Eq, Hash)]
struct Message {
    channel: String,
    payload: String,
}

enum Action {
    Listen(String),
    Unlisten(String),
    UnlistenAll,
    Notify(Message),
}

/// What the current transaction has asked for.
#[derive(Default)]
struct Pending {
    /// Each with its subtransaction.
    actions: Vec<(SubId, Action)>,
    /// The notifications among them: the same one of one subtransaction is sent once.
    known: HashSet<(SubId, Message)>,
    following: bool,
}

/// A session's part in all this.
#[derive(Default)]
pub struct Inbox {
    /// There are messages to send.
    waiting: AtomicBool,
    messages: Mutex<VecDeque<Arc<Notification>>>,
    /// In the order in which they were asked for.
    channels: Mutex<Vec<String>>,
    pending: Mutex<Pending>,
}

impl Inbox {
    #[inline]
    pub fn is_waiting(&self) -> bool {
        self.waiting.load(Ordering::Acquire)
    }
    /// What has come for channels that are still listened to.
    pub fn take(&self) -> Vec<Arc<Notification>> {
        self.waiting.store(false, Ordering::Release);
        let channels = self.channels.lock().clone();
        let messages = std::mem::take(&mut *self.messages.lock());
        messages.into_iter().filter(|m| channels.contains(&m.channel)).collect()
    }
    pub fn channels(&self) -> Vec<String> {
        self.channels.lock().clone()
    }
    /// Has the transaction executed LISTEN, UNLISTEN or NOTIFY?
    pub fn has_pending(&self) -> bool {
        !self.pending.lock().actions.is_empty()
    }
}

/// One's own session and cluster, with the transaction in progress.
pub struct Notifier<'a> {
    pub cluster: &'a Arc<Cluster>,
    pub entry: &'a Arc<SessionEntry>,
    pub txn: &'a Transaction,
}

impl Notifier<'_> {
    pub fn listen(&self, channel: &str) {
        self.add(Action::Listen(channel.to_owned()));
    }
    pub fn unlisten(&self, channel: Option<&str>) {
        // Nothing was ever listened to: the common end of a pooled session.
        if self.entry.inbox.channels.lock().is_empty() && !self.entry.inbox.has_pending() {
            return;
        }
        self.add(channel.map_or(Action::UnlistenAll, |c| Action::Unlisten(c.to_owned())));
    }
    /// (PostgreSQL: `Async_Notify`)
    pub fn notify(&self, channel: &str, payload: &str) -> Result<()> {
        let wrong = |text: &str| Err(PgError::new(INVALID_PARAMETER_VALUE, text));
        if channel.is_empty() {
            return wrong("channel name cannot be empty");
        }
        if channel.len() >= NAME_LIMIT {
            return wrong("channel name too long");
        }
        if payload.len() >= PAYLOAD_LIMIT {
            return wrong("payload string too long");
        }
        let message = Message { channel: channel.to_owned(), payload: payload.to_owned() };
        if self.entry.inbox.pending.lock().known.insert((self.txn.sub_id(), message.clone())) {
            self.add(Action::Notify(message));
        }
        Ok(())
    }
    fn add(&self, action: Action) {
        let mut pending = self.entry.inbox.pending.lock();
        pending.actions.push((self.txn.sub_id(), action));
        if !std::mem::replace(&mut pending.following, true) {
            drop(pending);
            let (cluster, entry) = (Arc::clone(self.cluster), Arc::clone(self.entry));
            self.txn.add_callback(Box::new(Follower { cluster, entry }));
        }
    }
}

/// Carries out at commit what the transaction asked for.
struct Follower {
    cluster: Arc<Cluster>,
    entry: Arc<SessionEntry>,
}

impl Follower {
    /// Is there room? (PostgreSQL: `asyncQueueIsFull`, `asyncQueueFillWarning`)
    fn check_room(&self) -> Result<Option<PgError>> {
        let n = &self.cluster.notifications;
        let own: u64 = {
            let pending = self.entry.inbox.pending.lock();
            let notify = |a: &Action| if let Action::Notify(m) = a { weight(&m.channel, &m.payload) } else { 0 };
            pending.actions.iter().map(|(_, a)| notify(a)).sum()
        };
        if own == 0 {
            return Ok(None);
        }
        let (used, all) = (n.size.load(Ordering::Relaxed), capacity(&self.cluster));
        if used + own > all {
            return Err(PgError::new(PROGRAM_LIMIT_EXCEEDED, "too many notifications in the NOTIFY queue"));
        }
        let now = crate::clock::now();
        if used < all / 2 || now < n.warned.load(Ordering::Relaxed) + WARN_INTERVAL {
            return Ok(None);
        }
        n.warned.store(now, Ordering::Relaxed);
        let listeners = n.listeners.lock();
        let slowest = listeners.values().flatten().max_by_key(|e| e.inbox.messages.lock().len()).map(|e| e.id);
        let percent = used as f64 / all as f64 * 100.0;
        let text = format!("NOTIFY queue is {percent:.0}% full");
        let mut warning = PgError::with_severity(base::Severity::Warning, WARNING, text);
        if let Some(pid) = slowest {
            warning = warning
                .detail(format!("The server process with PID {pid} is among those with the oldest transactions."))
                .hint("The NOTIFY queue cannot be emptied until that process ends its current transaction.");
        }
        Ok(Some(warning))
    }
    fn committed(&self, txn: &Transaction) {
        let database = txn.proc().database();
        let pending = std::mem::take(&mut *self.entry.inbox.pending.lock());
        let n = &self.cluster.notifications;
        let (mut sent, mut seen) = (Vec::new(), HashSet::new());
        for (_, action) in pending.actions {
            match action {
                Action::Listen(c) => n.listen(database, &c, &self.entry),
                Action::Unlisten(c) => n.unlisten(database, Some(&c), &self.entry),
                Action::UnlistenAll => n.unlisten(database, None, &self.entry),
                Action::Notify(m) => {
                    if seen.insert(m.clone()) {
                        sent.push(m);
                    }
                }
            }
        }
        n.publish(database, sent, self.entry.id);
    }
}

impl TransactionCallback for Follower {
    fn event(&mut self, txn: &Transaction, event: TransactionEvent) -> Result<()> {
        let inbox = &self.entry.inbox;
        match event {
            TransactionEvent::PreCommit => {
                if let Some(warning) = self.check_room()? {
                    crate::log::error(&warning, None);
                }
            }
            TransactionEvent::Committed => self.committed(txn),
            TransactionEvent::Aborted => *inbox.pending.lock() = Pending::default(),
            TransactionEvent::SubCommitted { id, parent } => {
                let mut pending = inbox.pending.lock();
                pending.actions.iter_mut().filter(|(sub, _)| *sub == id).for_each(|(sub, _)| *sub = parent);
                pending.known = std::mem::take(&mut pending.known)
                    .into_iter()
                    .map(|(sub, m)| (if sub == id { parent } else { sub }, m))
                    .collect();
            }
            TransactionEvent::SubAborted { id, .. } => {
                let mut pending = inbox.pending.lock();
                pending.actions.retain(|(sub, _)| *sub != id);
                pending.known.retain(|(sub, _)| *sub != id);
            }
            TransactionEvent::SubStart { .. } => {}
        }
        Ok(())
    }
}
