//! Runs work on separate threads, and gives up work that does not return.
//!
//! Their stacks are bounded, and panics on them are caught.

use std::collections::VecDeque;
use std::panic;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;
use std::sync::mpsc;
use std::sync::mpsc::Receiver;
use std::sync::mpsc::RecvTimeoutError;
use std::thread;
use std::time::Duration;
use std::time::Instant;

use crate::room;
use smcp_model::limits;
use smcp_model::policy::EVALUATION_THREAD;
use smcp_model::verdict::Fault;
use smcp_model::verdict::FaultKind;

type Job = Box<dyn FnOnce() + Send>;

/// Evaluation threads, kept between calls: starting one, with a fresh stack, costs more than a small policy.
#[derive(Debug, Default)]
pub(super) struct Threads {
    idle: Mutex<Vec<mpsc::Sender<Job>>>,
    // The number of threads that still run work that was given up.
    abandoned: Arc<AtomicUsize>,
}

/// A piece of work, and how long its caller waits for it.
pub(super) struct ThreadTask<T> {
    patience: WorkPatience,
    #[expect(clippy::type_complexity, reason = "it is one thing: what is done, its result, and what is left of it")]
    run: Box<dyn FnOnce(Waiter) -> (T, Box<dyn Send>) + Send>,
}

/// How long a caller waits for work.
#[derive(Debug, Clone, Copy)]
pub(super) struct WorkPatience {
    /// The time after which the work is interrupted.
    pub(super) time: Duration,
    /// The time that it has from then on to come back.
    pub(super) grace: Duration,
}

/// The caller that waits for a piece of work, as seen by the work.
#[derive(Debug, Clone)]
pub(super) struct Waiter {
    left: Arc<AtomicBool>,
}

/// Work that one thread does in turn. A caller that gives up takes back what is not begun.
type Turn<T> = Mutex<VecDeque<ThreadTask<T>>>;

impl WorkPatience {
    /// Patience with work that can't be interrupted.
    pub(super) const fn of(time: Duration) -> Self {
        Self { time, grace: Duration::ZERO }
    }
}

impl<T: Send + 'static> ThreadTask<T> {
    /// Work that returns its result, and what of it is released after the caller has got that.
    pub(super) fn new<L: Send + 'static>(
        patience: WorkPatience,
        run: impl FnOnce(Waiter) -> (T, L) + Send + 'static,
    ) -> Self {
        let run = |waiter: Waiter| {
            let (result, leftover) = run(waiter);
            (result, Box::new(leftover) as Box<dyn Send>)
        };
        Self { patience, run: Box::new(run) }
    }

    /// The same work, whose result is changed by `read` on its thread.
    pub(super) fn map<U: Send + 'static>(self, read: impl FnOnce(T) -> U + Send + 'static) -> ThreadTask<U> {
        let run = |waiter: Waiter| {
            let (result, leftover) = (self.run)(waiter);
            (read(result), leftover)
        };
        ThreadTask { patience: self.patience, run: Box::new(run) }
    }
}

impl Waiter {
    /// Whether the caller has given up the work.
    pub(super) fn has_left(&self) -> bool {
        self.left.load(Ordering::SeqCst)
    }
}

impl Threads {
    /// Starts a thread that does `job` and is then one of those that wait for work. Without a further thread it is not
    /// done, and whatever it would have sent to somebody ends.
    pub(super) fn begin(&self, job: impl FnOnce() + Send + 'static) {
        let Ok(thread) = start() else { return };
        if thread.send(Box::new(job)).is_ok() {
            self.idle().push(thread);
        }
    }

    /// Does one piece of work; see [`run_in_turn`](Self::run_in_turn).
    ///
    /// # Errors
    /// As there.
    pub(super) fn run<T: Send + 'static>(&self, interrupt: impl Fn(), work: ThreadTask<T>) -> Result<T, Fault> {
        let mut results = self.run_in_turn(interrupt, vec![work]);
        results.pop().unwrap_or_else(|| Err(panicked()))
    }

    /// Does pieces of work in turn, on a thread that has no other, and waits for their results, which are in the order
    /// of the work. One that fails changes nothing for the others; when it was given up, they are done on another thread.
    ///
    /// Calls `interrupt` when the time of the work in turn is over, at each [`limits::EPOCH_TICK`] from then on, and
    /// once more after it was given up. There is no clock but this waiting thread.
    ///
    /// # Errors
    /// A [`FaultKind::Panic`] for work that panicked; a [`FaultKind::Deadline`] for work that did not return, and whose
    /// thread was given up. A [`FaultKind::Limit`], with nothing done, when [`limits::ABANDONED_THREADS`] are given up
    /// already.
    pub(super) fn run_in_turn<T: Send + 'static>(
        &self,
        interrupt: impl Fn(),
        works: Vec<ThreadTask<T>>,
    ) -> Vec<Result<T, Fault>> {
        let patience: Vec<_> = works.iter().map(|work| work.patience).collect();
        let mut results = Vec::with_capacity(works.len());
        let mut left: VecDeque<_> = works.into();
        while let Some(patience) = patience.get(results.len()..).filter(|patience| !patience.is_empty()) {
            match self.take_turn(left, patience, &interrupt, &mut results) {
                Ok(not_begun) => left = not_begun,
                Err(fault) => {
                    results.extend(patience.iter().map(|_| Err(fault.clone())));
                    break;
                }
            }
        }
        results
    }

    /// Lets one thread do the work until all is done, or one piece was given up; returns those that are not begun.
    /// `patience` has that of each.
    ///
    /// # Errors
    /// When there is no thread for it; no result was added.
    fn take_turn<T: Send + 'static>(
        &self,
        works: VecDeque<ThreadTask<T>>,
        patience: &[WorkPatience],
        interrupt: &impl Fn(),
        results: &mut Vec<Result<T, Fault>>,
    ) -> Result<VecDeque<ThreadTask<T>>, Fault> {
        if self.abandoned.load(Ordering::SeqCst) >= limits::ABANDONED_THREADS {
            return Err(too_many_abandoned());
        }
        let turn = Arc::new(Turn::new(works));
        let (sender, receiver) = mpsc::channel();
        // Worker and waiting thread both set it when they leave; the second one sees that the other is gone.
        let left = Arc::new(AtomicBool::new(false));
        let waiter = Waiter { left: Arc::clone(&left) };
        let (worker_left, abandoned, works) = (Arc::clone(&left), Arc::clone(&self.abandoned), Arc::clone(&turn));
        let thread = self.hand_over(Box::new(move || {
            while let Some(work) = next(&works) {
                do_one(work, waiter.clone(), &sender);
            }
            if worker_left.swap(true, Ordering::SeqCst) {
                abandoned.fetch_sub(1, Ordering::SeqCst);
            }
        }))?;
        for (after, patience) in (0..patience.len()).rev().zip(patience) {
            if let Ok(result) = wait(&receiver, *patience, interrupt) {
                results.push(result.map_err(|_| panicked()));
                continue;
            }
            let mut works = lock(&turn);
            // It may have come just now. The worker sends a result before it takes the next piece, by this lock.
            if let Ok(result) = receiver.try_recv() {
                results.push(result.map_err(|_| panicked()));
                continue;
            }
            // What was given up stays with the worker, even when it has not begun it yet.
            let begun = works.len().saturating_sub(after);
            let not_begun = works.split_off(begun);
            drop(works);
            self.abandoned.fetch_add(1, Ordering::SeqCst);
            if left.swap(true, Ordering::SeqCst) {
                self.abandoned.fetch_sub(1, Ordering::SeqCst);
            }
            // Now it sees that nobody waits, however late it began.
            interrupt();
            results.push(Err(given_up(*patience)));
            return Ok(not_begun);
        }
        self.idle().push(thread);
        Ok(VecDeque::new())
    }

    /// Gives the job to an idle thread, or to a new one when none is idle.
    fn hand_over(&self, mut job: Job) -> Result<mpsc::Sender<Job>, Fault> {
        while let Some(thread) = self.idle().pop() {
            match thread.send(job) {
                Ok(()) => return Ok(thread),
                Err(mpsc::SendError(back)) => job = back,
            }
        }
        let thread = start()?;
        thread.send(job).map_err(|_| panicked())?;
        Ok(thread)
    }

    fn idle(&self) -> MutexGuard<'_, Vec<mpsc::Sender<Job>>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn lock<T>(turn: &Turn<T>) -> MutexGuard<'_, VecDeque<ThreadTask<T>>> {
    turn.lock().unwrap_or_else(PoisonError::into_inner)
}

fn next<T>(turn: &Turn<T>) -> Option<ThreadTask<T>> {
    lock(turn).pop_front()
}

/// Does one piece of work. What is left of it is released after the result was sent: nobody waits for that.
fn do_one<T: Send>(work: ThreadTask<T>, waiter: Waiter, results: &mpsc::Sender<thread::Result<T>>) {
    // A receiver that has given up gets nothing.
    let done = panic::catch_unwind(AssertUnwindSafe(|| (work.run)(waiter)));
    let leftover = match done {
        Ok((result, leftover)) => {
            results.send(Ok(result)).unwrap_or_default();
            leftover
        }
        Err(panic) => return results.send(Err(panic)).unwrap_or_default(),
    };
    // A panic ends only this.
    drop(panic::catch_unwind(AssertUnwindSafe(|| drop(leftover))));
}

/// Waits for a result; interrupts the work when its time is over.
fn wait<T>(receiver: &Receiver<T>, patience: WorkPatience, interrupt: &impl Fn()) -> Result<T, RecvTimeoutError> {
    let mut received = receiver.recv_timeout(patience.time);
    let over = Instant::now();
    while let Err(RecvTimeoutError::Timeout) = received {
        let Some(left) = patience.grace.checked_sub(over.elapsed()) else { break };
        interrupt();
        received = receiver.recv_timeout(left.min(limits::EPOCH_TICK));
    }
    received
}

/// Starts a thread that works until its sender is dropped.
fn start() -> Result<mpsc::Sender<Job>, Fault> {
    let (sender, jobs) = mpsc::channel::<Job>();
    let thread = thread::Builder::new().name(EVALUATION_THREAD.to_owned()).stack_size(limits::THREAD_STACK);
    let spawned = thread.spawn(move || jobs.into_iter().for_each(|job| job()));
    spawned.map(|_| sender).map_err(|error| room::fault(FaultKind::Limit, "a thread to evaluate on", error))
}

fn given_up(patience: WorkPatience) -> Fault {
    let patience = patience.time.saturating_add(patience.grace);
    Fault::new(FaultKind::Deadline, format!("it did not come back within {patience:?} and was given up"))
}

fn too_many_abandoned() -> Fault {
    let most = limits::ABANDONED_THREADS;
    let message = format!("it was not called: {most} calls into policies did not come back, and still run");
    Fault::new(FaultKind::Limit, message)
        .remedy("end this process: they end with it; then disable the policies that hang")
}

fn panicked() -> Fault {
    // The runtime panics when the system gives it no room for the stack that signals are handled on.
    if let Some(limit) = room::cramped() {
        return Fault::new(FaultKind::Panic, format!("smcp itself failed while evaluating the policy: {limit}"))
            .remedy(room::RAISE);
    }
    Fault::new(FaultKind::Panic, "smcp itself failed while evaluating the policy")
        .remedy("please report it, with the policy's file; SECURITY.md says where")
}

#[cfg(test)]
mod tests;
