//! Sessions are values, threads are for active work.
//!
//! A *task* (a session) runs until its client is quiet; then it is parked: it waits in an epoll set and costs no thread. There
//! are as many *turns* as processors. A worker with a turn takes one parked task after the other whose client has sent
//! something; on a busy server it never sleeps, and a query costs no change of threads. A task that is about to block (on a
//! lock, a flush of the log, its client) gives its worker's turn to another worker, and so does, at the monitor's next tick,
//! one that is still running: the rest of it goes on beside the turns, and its worker waits for a turn to become free.
//!
//! While only few tasks are active, each keeps its worker, which lingers on the client's socket without a turn: that is one
//! system call a query, where taking turns needs three.
//!
//! The monitor ticks while there is something going on. It also wakes tasks at their deadlines and, when they have stayed
//! parked for some ticks, lets them give back what memory they only need when active.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};
use rustix::event::epoll;
use rustix::event::{EventfdFlags, eventfd};
use rustix::io::Errno;

/// What came of running a task.
pub enum Outcome<T> {
    /// Nothing to do until its client sends, or until the deadline.
    Park(T, Option<Instant>),
    Done,
}

/// Something a worker runs.
pub trait Task: Send + Sized + 'static {
    /// Its number, by which others wake it; not 0.
    fn id(&self) -> u64;
    /// Works until there is nothing to do.
    fn run(self) -> Outcome<Self>;
    /// The socket to watch while parked.
    fn fd(&self) -> impl AsFd;
    /// Waits for its client for some milliseconds; `false`: it was quiet.
    fn linger(&mut self) -> bool;
    /// It has been parked for a while.
    fn cool(&mut self);
}

/// What the epoll set does about a task's socket.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Watch {
    /// It does not know it yet.
    Unknown,
    /// Nothing: a worker lingers on it.
    Off,
    /// It rings when bytes come; what came before was read.
    On,
}

struct Runnable<T> {
    task: T,
    watch: Watch,
    /// The tick in which it ran last.
    active: u64,
    /// The tick from which on it is no longer on the list of those that may cool down.
    listed_until: u64,
}

struct Parked<T> {
    runnable: Runnable<T>,
    deadline: Option<Instant>,
    /// The tick at which it was parked.
    since: u64,
}

/// Parked tasks, a part of them.
struct Parking<T> {
    tasks: HashMap<u64, Parked<T>>,
    /// Wake-ups for tasks that were running at the time: they must not park over them.
    woken: Vec<u64>,
}

/// When to look after parked tasks.
#[derive(Default)]
struct Times {
    deadlines: BTreeSet<(Instant, u64)>,
    /// Tasks that may cool down, with the tick in which they were last known to be active.
    warm: VecDeque<(u64, u64)>,
}

/// The right to take parked tasks.
#[derive(Default)]
struct Turn {
    /// The task that its worker runs, 0 between tasks.
    task: AtomicU64,
    /// Tasks run so far.
    count: AtomicU64,
}

/// Workers without a turn, and what there is for them.
struct Crew<T> {
    /// Tasks that somebody woke, or new ones.
    queue: VecDeque<Runnable<T>>,
    /// Turns that nobody has.
    free: Vec<usize>,
    idle: usize,
}

/// The scheduler of one server.
pub struct Scheduler<T> {
    turns: Box<[Turn]>,
    crew: Mutex<Crew<T>>,
    work: Condvar,
    /// By the task's number.
    parking: [Mutex<Parking<T>>; PARTS],
    times: Mutex<Times>,
    epoll: OwnedFd,
    bell: OwnedFd,
    workers: AtomicUsize,
    /// The monitor's ticks; it begins with 1.
    clock: AtomicU64,
    /// Tasks that ran in this tick and in the one before.
    active: [AtomicUsize; 2],
    /// The monitor sleeps until something happens.
    still: AtomicBool,
    monitor: Mutex<()>,
    stirred: Condvar,
    stopping: AtomicBool,
}

const BELL: u64 = u64::MAX;
const PARTS: usize = 16;
/// Reserved, not used: what a deep recursion may take. Recursive code checks `max_stack_depth` besides.
const STACK: usize = 16 << 20;
/// Idle workers beyond this many end after `IDLE_FOR`.
const KEEP: usize = 4;
const IDLE_FOR: Duration = Duration::from_secs(5);
const TICK: Duration = Duration::from_millis(2);
/// So many active tasks for each processor may keep their workers.
const KEEP_WORKER: usize = 4;
/// Ticks until a parked task is taken to stay so.
const COOL_AFTER: u64 = 5;

impl<T: Task> Scheduler<T> {
    pub fn new() -> std::io::Result<Arc<Scheduler<T>>> {
        let epoll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
        let bell = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
        epoll::add(&epoll, &bell, epoll::EventData::new_u64(BELL), epoll::EventFlags::IN)?;
        let turns = thread::available_parallelism().map_or(1, |n| n.get());
        Ok(Arc::new(Scheduler {
            turns: (0..turns).map(|_| Turn::default()).collect(),
            crew: Mutex::new(Crew { queue: VecDeque::new(), free: Vec::new(), idle: 0 }),
            work: Condvar::new(),
            parking: std::array::from_fn(|_| Mutex::new(Parking { tasks: HashMap::new(), woken: Vec::new() })),
            times: Mutex::default(),
            epoll,
            bell,
            workers: AtomicUsize::new(0),
            clock: AtomicU64::new(1),
            active: [AtomicUsize::new(0), AtomicUsize::new(0)],
            still: AtomicBool::new(false),
            monitor: Mutex::new(()),
            stirred: Condvar::new(),
            stopping: AtomicBool::new(false),
        }))
    }

    /// Hands a task to a worker.
    pub fn submit(self: &Arc<Self>, task: T) {
        self.enqueue(Runnable { task, watch: Watch::Unknown, active: 0, listed_until: 0 });
    }

    fn enqueue(self: &Arc<Self>, runnable: Runnable<T>) {
        self.call_worker(|crew| crew.queue.push_back(runnable));
    }

    /// A turn is free.
    fn hand_over(self: &Arc<Self>, turn: usize) {
        self.call_worker(|crew| crew.free.push(turn));
    }

    fn call_worker(self: &Arc<Self>, add: impl FnOnce(&mut Crew<T>)) {
        let mut crew = self.crew.lock();
        add(&mut crew);
        if crew.idle >= crew.queue.len() + crew.free.len() {
            self.work.notify_one();
            return;
        }
        drop(crew);
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
        if let Some(runnable) = self.take(id) {
            self.enqueue(runnable);
        }
    }

    fn part(&self, id: u64) -> &Mutex<Parking<T>> {
        &self.parking[id as usize % PARTS]
    }

    /// A parked task; one that runs is told not to park.
    fn take(&self, id: u64) -> Option<Runnable<T>> {
        let parked = {
            let mut parking = self.part(id).lock();
            let found = parking.tasks.remove(&id);
            if found.is_none() && !parking.woken.contains(&id) {
                parking.woken.push(id);
            }
            found?
        };
        if let Some(deadline) = parked.deadline {
            self.times.lock().deadlines.remove(&(deadline, id));
        }
        Some(parked.runnable)
    }

    /// The task is about to block: another worker gets its turn.
    pub fn before_wait(self: &Arc<Self>, id: u64) {
        for (i, turn) in self.turns.iter().enumerate() {
            if turn.task.load(Ordering::Relaxed) == id && turn.end(id) {
                return self.hand_over(i);
            }
        }
    }

    /// How many tasks are parked.
    pub fn parked(&self) -> usize {
        self.parking.iter().map(|p| p.lock().tasks.len()).sum()
    }

    /// A task that ended will not be woken any more.
    pub fn forget(&self, id: u64) {
        self.part(id).lock().woken.retain(|w| *w != id);
    }

    /// Ends the monitor and the idle workers.
    pub fn stop(&self) {
        self.stopping.store(true, Ordering::Release);
        {
            let _crew = self.crew.lock();
            self.work.notify_all();
        }
        let _monitor = self.monitor.lock();
        self.stirred.notify_all();
        let _ = rustix::io::write(&self.bell, &1u64.to_ne_bytes());
    }

    fn work(self: Arc<Self>) {
        while let Some(job) = self.job() {
            match job {
                Job::Task(runnable) => {
                    self.run(runnable, None);
                }
                Job::Turn(turn) => self.take_turns(turn),
            }
        }
        self.workers.fetch_sub(1, Ordering::Relaxed);
    }

    /// What a worker without a turn does next; `None`: it ends.
    fn job(&self) -> Option<Job<T>> {
        let mut crew = self.crew.lock();
        loop {
            if let Some(runnable) = crew.queue.pop_front() {
                return Some(Job::Task(runnable));
            }
            if self.stopping.load(Ordering::Acquire) {
                return None;
            }
            if let Some(turn) = crew.free.pop() {
                return Some(Job::Turn(turn));
            }
            crew.idle += 1;
            let timed_out = self.work.wait_for(&mut crew, IDLE_FOR).timed_out();
            crew.idle -= 1;
            let nothing = crew.queue.is_empty() && crew.free.is_empty();
            if timed_out && nothing && self.workers.load(Ordering::Relaxed) > KEEP + self.turns.len() {
                return None;
            }
        }
    }

    /// Runs parked tasks as their clients send, while the turn is ours.
    fn take_turns(self: &Arc<Self>, turn: usize) {
        let mut events = Vec::with_capacity(1);
        while !self.stopping.load(Ordering::Acquire) {
            events.clear();
            let _ = epoll::wait(&self.epoll, rustix::buffer::spare_capacity(&mut events), None);
            let Some((id, flags)) = events.first().map(|e: &epoll::Event| (e.data.u64(), e.flags)) else { continue };
            if id == BELL {
                continue;
            }
            // One that is not there runs already, and will look.
            let Some(runnable) = self.take(id) else { continue };
            // The end of its stream rings once: it is not to park before it has come to that.
            let ends = epoll::EventFlags::RDHUP | epoll::EventFlags::HUP | epoll::EventFlags::ERR;
            if flags.intersects(ends) {
                self.part(id).lock().woken.push(id);
            }
            self.turns[turn].begin(id);
            self.stir();
            if !self.run(runnable, Some(turn)) {
                return;
            }
        }
    }

    /// `false`: the turn is another's now.
    fn run(self: &Arc<Self>, mut runnable: Runnable<T>, mut turn: Option<usize>) -> bool {
        let id = runnable.task.id();
        loop {
            let outcome = runnable.task.run();
            turn = turn.filter(|t| self.turns[*t].end(id));
            let Outcome::Park(task, deadline) = outcome else {
                self.forget(id);
                return turn.is_some();
            };
            runnable.task = task;
            if self.few_active(&mut runnable.active) {
                if let Some(turn) = turn.take() {
                    self.hand_over(turn);
                }
                self.stir();
                // Its bytes are the lingering worker's.
                if runnable.watch == Watch::On && self.set_watch(&runnable, epoll::EventFlags::empty()) {
                    runnable.watch = Watch::Off;
                }
                if runnable.task.linger() {
                    continue;
                }
            }
            match self.park(runnable, deadline) {
                None => return turn.is_some(),
                // Something came meanwhile.
                Some(again) => runnable = again,
            }
            if let Some(turn) = turn {
                self.turns[turn].begin(id);
            }
        }
    }

    fn set_watch(&self, runnable: &Runnable<T>, flags: epoll::EventFlags) -> bool {
        let data = epoll::EventData::new_u64(runnable.task.id());
        let done = match runnable.watch {
            Watch::Unknown => epoll::add(&self.epoll, runnable.task.fd(), data, flags),
            Watch::Off | Watch::On => epoll::modify(&self.epoll, runnable.task.fd(), data, flags),
        };
        matches!(done, Ok(()) | Err(Errno::EXIST))
    }

    /// Counts the task among the active ones; whether those are few.
    fn few_active(&self, last: &mut u64) -> bool {
        let now = self.clock.load(Ordering::Relaxed);
        let [current, before] = &self.active;
        if *last != now {
            *last = now;
            current.fetch_add(1, Ordering::SeqCst);
        }
        let most = current.load(Ordering::Relaxed).max(before.load(Ordering::Relaxed));
        most <= KEEP_WORKER * self.turns.len()
    }

    /// Gives the task back if it was woken meanwhile, or cannot be watched.
    fn park(self: &Arc<Self>, mut runnable: Runnable<T>, deadline: Option<Instant>) -> Option<Runnable<T>> {
        let id = runnable.task.id();
        let since = self.clock.load(Ordering::Relaxed);
        let mut parking = self.part(id).lock();
        if let Some(at) = parking.woken.iter().position(|w| *w == id) {
            parking.woken.swap_remove(at);
            return Some(runnable);
        }
        // Edge-triggered: a task that parks has read all there was, or is not watched yet; beginning to watch rings if there
        // are bytes. Who takes the ring waits for this latch.
        let flags = epoll::EventFlags::IN | epoll::EventFlags::RDHUP | epoll::EventFlags::ET;
        if runnable.watch != Watch::On && !self.set_watch(&runnable, flags) {
            return Some(runnable);
        }
        runnable.watch = Watch::On;
        let list = since >= runnable.listed_until;
        if list {
            runnable.listed_until = since + COOL_AFTER;
        }
        parking.tasks.insert(id, Parked { runnable, deadline, since });
        if list || deadline.is_some() {
            // Before somebody can take it off.
            let mut times = self.times.lock();
            if list {
                times.warm.push_back((since, id));
            }
            times.deadlines.extend(deadline.map(|d| (d, id)));
        }
        drop(parking);
        self.stir();
        None
    }

    /// There is something for the monitor to watch.
    fn stir(&self) {
        if self.still.load(Ordering::SeqCst) {
            let _monitor = self.monitor.lock();
            self.stirred.notify_one();
        }
    }

    /// The monitor: runs until `stop`. Give it a thread of its own.
    pub fn watch(self: &Arc<Self>) {
        (0..self.turns.len()).for_each(|turn| self.hand_over(turn));
        let mut seen: Vec<(u64, u64)> = vec![(0, 0); self.turns.len()];
        while !self.stopping.load(Ordering::Acquire) {
            self.rest();
            self.clock.fetch_add(1, Ordering::Relaxed);
            self.active[1].store(self.active[0].swap(0, Ordering::Relaxed), Ordering::Relaxed);
            for (i, turn) in self.turns.iter().enumerate() {
                let now = (turn.count.load(Ordering::Relaxed), turn.task.load(Ordering::Relaxed));
                // A whole tick with one task: it may take long.
                if now.1 != 0 && now == seen[i] && turn.end(now.1) {
                    self.hand_over(i);
                }
                seen[i] = now;
            }
            self.cool();
            self.wake_overdue();
        }
    }

    /// Waits for a tick, or for something to happen.
    fn rest(&self) {
        let mut monitor = self.monitor.lock();
        self.still.store(true, Ordering::SeqCst);
        let busy = self.turns.iter().any(|t| t.task.load(Ordering::SeqCst) != 0)
            || self.active.iter().any(|n| n.load(Ordering::SeqCst) != 0);
        let (warm, deadline) = {
            let times = self.times.lock();
            (!times.warm.is_empty(), times.deadlines.first().map(|(at, _)| *at))
        };
        if busy || warm {
            self.still.store(false, Ordering::SeqCst);
        }
        if !self.stopping.load(Ordering::Acquire) {
            match (busy || warm, deadline) {
                (true, _) => drop(self.stirred.wait_for(&mut monitor, TICK)),
                (false, Some(at)) => drop(self.stirred.wait_until(&mut monitor, at)),
                (false, None) => self.stirred.wait(&mut monitor),
            }
        }
        self.still.store(false, Ordering::SeqCst);
    }

    /// Lets tasks cool down that have been parked for some ticks.
    fn cool(&self) {
        let now = self.clock.load(Ordering::Relaxed);
        let due: Vec<u64> = {
            let warm = &mut self.times.lock().warm;
            let n = warm.iter().take_while(|(since, _)| since + COOL_AFTER <= now).count();
            warm.drain(..n).map(|(_, id)| id).collect()
        };
        for id in due {
            // One that runs is listed again when it parks.
            let mut parking = self.part(id).lock();
            let Some(parked) = parking.tasks.get_mut(&id) else { continue };
            if parked.since + COOL_AFTER <= now {
                parked.runnable.task.cool();
            } else {
                parked.runnable.listed_until = parked.since + COOL_AFTER;
                self.times.lock().warm.push_back((parked.since, id));
            }
        }
    }

    fn wake_overdue(self: &Arc<Self>) {
        let overdue: Vec<u64> = {
            let times = self.times.lock();
            if times.deadlines.is_empty() {
                return;
            }
            let now = Instant::now();
            times.deadlines.iter().take_while(|(d, _)| *d <= now).map(|(_, id)| *id).collect()
        };
        overdue.into_iter().for_each(|id| self.wake(id));
    }
}

enum Job<T> {
    Task(Runnable<T>),
    Turn(usize),
}

impl Turn {
    fn begin(&self, task: u64) {
        self.count.fetch_add(1, Ordering::Relaxed);
        self.task.store(task, Ordering::SeqCst);
    }
    /// Whether the turn was still that task's.
    fn end(&self, task: u64) -> bool {
        self.task.compare_exchange(task, 0, Ordering::AcqRel, Ordering::Relaxed).is_ok()
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
        fn linger(&mut self) -> bool {
            false
        }
        fn cool(&mut self) {}
    }

    #[test]
    fn many_parked_few_threads() {
        let scheduler = Scheduler::new().unwrap();
        let monitor = Arc::clone(&scheduler);
        let monitor = thread::spawn(move || monitor.watch());
        let mut clients: Vec<UnixStream> = (0..200)
            .map(|id| {
                let (a, b) = UnixStream::pair().unwrap();
                scheduler.submit(Echo(id + 1, b));
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
        monitor.join().unwrap();
    }

    /// Works for as long as its client says, in milliseconds, blocking or not; the clock counts how often it cooled.
    struct Busy(u64, UnixStream, Arc<Scheduler<Busy>>, Arc<AtomicUsize>);

    impl Task for Busy {
        fn id(&self) -> u64 {
            self.0
        }
        fn run(mut self) -> Outcome<Busy> {
            self.1.set_nonblocking(true).unwrap();
            let mut order = [0; 2];
            match self.1.read(&mut order) {
                Ok(0) => return Outcome::Done,
                Ok(_) => {
                    let time = Duration::from_millis(u64::from(order[0]));
                    if order[1] == b'w' {
                        self.2.before_wait(self.0);
                        thread::sleep(time);
                    } else {
                        let start = Instant::now();
                        while start.elapsed() < time {}
                    }
                    self.1.write_all(&order).unwrap();
                }
                Err(_) => {}
            }
            Outcome::Park(self, None)
        }
        fn fd(&self) -> impl AsFd {
            &self.1
        }
        fn linger(&mut self) -> bool {
            false
        }
        fn cool(&mut self) {
            self.3.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[test]
    fn long_and_blocked_tasks_do_not_keep_the_others_waiting() {
        let scheduler = Scheduler::new().unwrap();
        let monitor = Arc::clone(&scheduler);
        let monitor = thread::spawn(move || monitor.watch());
        let cooled = Arc::new(AtomicUsize::new(0));
        let count = scheduler.turns.len() as u64 * 4;
        let mut clients: Vec<UnixStream> = (1..=count)
            .map(|id| {
                let (a, b) = UnixStream::pair().unwrap();
                scheduler.submit(Busy(id, b, Arc::clone(&scheduler), Arc::clone(&cooled)));
                a
            })
            .collect();
        let (last, long) = clients.split_last_mut().unwrap();
        for (i, c) in long.iter_mut().enumerate() {
            c.write_all(&[250, if i % 2 == 0 { b'w' } else { b'c' }]).unwrap();
        }
        thread::sleep(Duration::from_millis(20));
        let (start, mut answer) = (Instant::now(), [0; 2]);
        for _ in 0..3 {
            last.write_all(&[0, b'c']).unwrap();
            last.read_exact(&mut answer).unwrap();
        }
        let first = long[0].set_nonblocking(true).and_then(|()| long[0].read(&mut answer));
        assert!(first.is_err(), "the long ones were done first, after {:?}", start.elapsed());
        for c in long {
            c.set_nonblocking(false).unwrap();
            c.read_exact(&mut answer).unwrap();
        }
        let deadline = Instant::now() + Duration::from_secs(10);
        while cooled.load(Ordering::Relaxed) < count as usize || scheduler.parked() < count as usize {
            assert!(Instant::now() < deadline, "{} cooled", cooled.load(Ordering::Relaxed));
            thread::sleep(TICK);
        }
        drop(clients);
        scheduler.stop();
        monitor.join().unwrap();
    }
}
