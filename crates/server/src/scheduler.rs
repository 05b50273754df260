//! Sessions are values, threads are for active work.
//!
//! A *task* (a session) is run by a worker thread until it parks: its client is quiet. A parked task waits with the reactor
//! (epoll) and costs no thread; when bytes arrive, or somebody wakes it, a worker takes it up. Workers block freely (on locks,
//! disk, each other): if none is idle when a task becomes ready, another thread is made; surplus ones end after a while.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};
use rustix::event::epoll;
use rustix::event::{EventfdFlags, Timespec, eventfd};

/// What came of running a task.
pub enum Outcome<T> {
    /// Nothing to do until its client sends, or until the deadline.
    Park(T, Option<Instant>),
    Done,
}

/// Something a worker runs.
pub trait Task: Send + Sized + 'static {
    /// Its number, by which others wake it.
    fn id(&self) -> u64;
    /// Works until there is nothing to do.
    fn run(self) -> Outcome<Self>;
    /// The socket to watch while parked.
    fn fd(&self) -> impl AsFd;
}

struct Parked<T> {
    task: T,
    deadline: Option<Instant>,
}

struct Ready<T> {
    queue: VecDeque<T>,
    idle: usize,
}

struct Parking<T> {
    tasks: HashMap<u64, Parked<T>>,
    deadlines: BTreeSet<(Instant, u64)>,
    /// Wake-ups for tasks that were running at the time: they must not park over them.
    woken: Vec<u64>,
}

/// The scheduler of one server.
pub struct Scheduler<T> {
    ready: Mutex<Ready<T>>,
    work: Condvar,
    parking: Mutex<Parking<T>>,
    epoll: OwnedFd,
    bell: OwnedFd,
    workers: AtomicUsize,
    stopping: AtomicBool,
}

const BELL: u64 = u64::MAX;
/// Reserved, not used: what a deep recursion may take. Recursive code checks `max_stack_depth` besides.
const STACK: usize = 16 << 20;
/// Idle workers beyond this many end after `IDLE_FOR`.
const KEEP: usize = 4;
const IDLE_FOR: Duration = Duration::from_secs(5);

impl<T: Task> Scheduler<T> {
    pub fn new() -> std::io::Result<Arc<Scheduler<T>>> {
        let epoll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
        let bell = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
        epoll::add(&epoll, &bell, epoll::EventData::new_u64(BELL), epoll::EventFlags::IN)?;
        Ok(Arc::new(Scheduler {
            ready: Mutex::new(Ready { queue: VecDeque::new(), idle: 0 }),
            work: Condvar::new(),
            parking: Mutex::new(Parking { tasks: HashMap::new(), deadlines: BTreeSet::new(), woken: Vec::new() }),
            epoll,
            bell,
            workers: AtomicUsize::new(0),
            stopping: AtomicBool::new(false),
        }))
    }

    /// Hands a task to a worker.
    pub fn submit(self: &Arc<Self>, task: T) {
        let mut ready = self.ready.lock();
        ready.queue.push_back(task);
        if ready.idle >= ready.queue.len() {
            self.work.notify_one();
            return;
        }
        drop(ready);
        let scheduler = Arc::clone(self);
        self.workers.fetch_add(1, Ordering::Relaxed);
        let spawned = thread::Builder::new().name("worker".into()).stack_size(STACK).spawn(move || scheduler.work());
        if spawned.is_err() {
            // The threads there are will come to it.
            self.workers.fetch_sub(1, Ordering::Relaxed);
            self.work.notify_one();
        }
    }

    /// Wakes a parked task, also one that is about to park.
    pub fn wake(self: &Arc<Self>, id: u64) {
        let mut parking = self.parking.lock();
        match parking.tasks.remove(&id) {
            Some(parked) => {
                if let Some(deadline) = parked.deadline {
                    parking.deadlines.remove(&(deadline, id));
                }
                drop(parking);
                let _ = epoll::delete(&self.epoll, parked.task.fd());
                self.submit(parked.task);
            }
            None => parking.woken.push(id),
        }
    }

    /// How many tasks are parked.
    pub fn parked(&self) -> usize {
        self.parking.lock().tasks.len()
    }

    /// A task that ended will not be woken any more.
    pub fn forget(&self, id: u64) {
        self.parking.lock().woken.retain(|w| *w != id);
    }

    /// Ends the reactor and the idle workers.
    pub fn stop(&self) {
        self.stopping.store(true, Ordering::Release);
        self.work.notify_all();
        let _ = rustix::io::write(&self.bell, &1u64.to_ne_bytes());
    }

    fn work(self: Arc<Self>) {
        loop {
            let mut ready = self.ready.lock();
            let task = loop {
                if let Some(task) = ready.queue.pop_front() {
                    break task;
                }
                if self.stopping.load(Ordering::Acquire) {
                    self.workers.fetch_sub(1, Ordering::Relaxed);
                    return;
                }
                ready.idle += 1;
                let timed_out = self.work.wait_for(&mut ready, IDLE_FOR).timed_out();
                ready.idle -= 1;
                if timed_out && ready.queue.is_empty() && self.workers.load(Ordering::Relaxed) > KEEP {
                    self.workers.fetch_sub(1, Ordering::Relaxed);
                    return;
                }
            };
            drop(ready);
            let id = task.id();
            match task.run() {
                Outcome::Park(task, deadline) => self.park(task, deadline),
                Outcome::Done => self.forget(id),
            }
        }
    }

    fn park(self: &Arc<Self>, task: T, deadline: Option<Instant>) {
        let id = task.id();
        let mut parking = self.parking.lock();
        if let Some(at) = parking.woken.iter().position(|w| *w == id) {
            parking.woken.swap_remove(at);
            drop(parking);
            return self.submit(task);
        }
        // Level-triggered and one-shot: bytes that came in the meantime ring at once.
        let flags = epoll::EventFlags::IN | epoll::EventFlags::RDHUP | epoll::EventFlags::ONESHOT;
        let added = epoll::add(&self.epoll, task.fd(), epoll::EventData::new_u64(id), flags);
        if added.is_err() {
            drop(parking);
            return self.submit(task);
        }
        parking.tasks.insert(id, Parked { task, deadline });
        if let Some(deadline) = deadline {
            parking.deadlines.insert((deadline, id));
        }
        drop(parking);
        if deadline.is_some() {
            let _ = rustix::io::write(&self.bell, &1u64.to_ne_bytes());
        }
    }

    /// The reactor: watches parked tasks until `stop`. Give it a thread of its own.
    pub fn react(self: &Arc<Self>) {
        let mut events = Vec::with_capacity(256);
        while !self.stopping.load(Ordering::Acquire) {
            let timeout = self.next_deadline().map(|d| d.saturating_duration_since(Instant::now()));
            let timeout =
                timeout.map(|t| Timespec { tv_sec: t.as_secs() as i64, tv_nsec: i64::from(t.subsec_nanos()) });
            events.clear();
            let _ = epoll::wait(&self.epoll, rustix::buffer::spare_capacity(&mut events), timeout.as_ref());
            for event in &events {
                let id = event.data.u64();
                if id == BELL {
                    let _ = rustix::io::read(&self.bell, &mut [0u8; 8]);
                } else if self.parking.lock().tasks.contains_key(&id) {
                    self.wake(id);
                }
            }
            self.wake_overdue();
        }
    }

    fn next_deadline(&self) -> Option<Instant> {
        self.parking.lock().deadlines.first().map(|(deadline, _)| *deadline)
    }

    fn wake_overdue(self: &Arc<Self>) {
        let now = Instant::now();
        let ids: Vec<u64> =
            self.parking.lock().deadlines.iter().take_while(|(d, _)| *d <= now).map(|(_, id)| *id).collect();
        ids.into_iter().for_each(|id| self.wake(id));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read, Write};
    use std::os::unix::net::UnixStream;

    /// Echoes bytes; parks whenever there are none.
    struct Echo(u64, UnixStream);

    impl Task for Echo {
        fn id(&self) -> u64 {
            self.0
        }
        fn run(mut self) -> Outcome<Echo> {
            let mut buffer = [0; 64];
            self.1.set_nonblocking(true).unwrap();
            loop {
                match self.1.read(&mut buffer) {
                    Ok(0) => return Outcome::Done,
                    Ok(n) => self.1.write_all(&buffer[..n]).unwrap(),
                    Err(_) => return Outcome::Park(self, None),
                }
            }
        }
        fn fd(&self) -> impl AsFd {
            &self.1
        }
    }

    #[test]
    fn many_parked_few_threads() {
        let scheduler = Scheduler::new().unwrap();
        let reactor = Arc::clone(&scheduler);
        let reactor = thread::spawn(move || reactor.react());
        let mut clients: Vec<UnixStream> = (0..200)
            .map(|id| {
                let (a, b) = UnixStream::pair().unwrap();
                scheduler.submit(Echo(id, b));
                a
            })
            .collect();
        for round in 0..3u8 {
            for c in &mut clients {
                c.write_all(&[round]).unwrap();
            }
            for c in &mut clients {
                let mut b = [0];
                c.read_exact(&mut b).unwrap();
                assert_eq!(b, [round]);
            }
        }
        drop(clients);
        scheduler.stop();
        reactor.join().unwrap();
    }
}
