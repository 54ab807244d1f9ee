//! Runs work on separate threads, and gives up work that does not return.
//!
//! Their stacks are bounded, and panics on them are caught. A thread takes all the work of a caller, one piece after the
//! other: to hand it over, and to wake who waits, costs more than a small policy.

mod faults;

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
use std::thread;
use std::thread::Thread;
use std::time::Duration;
use std::time::Instant;

use crate::pages;
use crate::room;
use crate::thread::faults::panicked;
use crate::thread::faults::too_many_abandoned;
use smcp_model::limits;
use smcp_model::policy::EVALUATION_THREAD;
use smcp_model::verdict::Fault;
use smcp_model::verdict::FaultKind;

/// Longer than most policies take, and than a caller needs until its next question.
const ALERT: Duration = Duration::from_micros(50);

/// How many rests that can wait do so until all tasks are done, at most: to unmap a memory takes as long as a small policy,
/// and a process that decides once ends before. A host that decides often has slots for its memories, and needs them.
const LATER: usize = 2;

type Job = Box<dyn FnOnce() + Send>;

/// Evaluation threads, kept between calls: starting one, with a fresh stack, costs more than a small policy.
#[derive(Debug, Default)]
pub(super) struct Threads {
    /// How long both sides look for each other before they sleep: to wake a thread takes longer than most policies.
    alertness: Duration,
    idle: Mutex<Vec<mpsc::Sender<Job>>>,
    // The number of threads that still run work that was given up.
    abandoned: Arc<AtomicUsize>,
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

type TaskWork<T> = Box<dyn FnOnce(Waiter) -> Done<T> + Send>;

/// A piece of work.
pub(super) struct Task<T> {
    pub(super) patience: WorkPatience,
    pub(super) work: TaskWork<T>,
}

/// The result of a piece of work, and what can be cleared away while its caller goes on.
pub(super) struct Done<T> {
    pub(super) result: T,
    pub(super) rest: Option<Box<dyn Send>>,
    /// Whether the rest is small.
    pub(super) can_wait: bool,
}

/// What a caller and its thread share.
struct Shift<T> {
    caller: Thread,
    /// The shortest time of any task: who sleeps no longer at once misses the end of none.
    shortest: Duration,
    progress: Mutex<ShiftState<T>>,
    /// Nothing more is done.
    is_over: AtomicBool,
}

/// The work that is left, and the results so far.
struct ShiftState<T> {
    tasks: VecDeque<Task<T>>,
    results: Vec<Result<T, Fault>>,
    present: PresentTask,
}

/// The task whose turn it is.
struct PresentTask {
    patience: WorkPatience,
    since: Instant,
    has_begun: bool,
    is_given_up: bool,
}

/// Why a thread did not do all tasks.
enum ShiftEnd {
    /// The present one did not come back.
    GivenUp(Fault),
    /// There is no thread.
    NoThread(Fault),
}

/// Tells the caller that its thread does nothing more, whatever became of the work.
struct Leaving<T> {
    shift: Arc<Shift<T>>,
    waiter: Waiter,
    abandoned: Arc<AtomicUsize>,
}

impl WorkPatience {
    /// Patience with work that can't be interrupted.
    pub(super) const fn of(time: Duration) -> Self {
        Self { time, grace: Duration::ZERO }
    }
}

impl Waiter {
    /// Whether the caller has given up the work.
    pub(super) fn has_left(&self) -> bool {
        self.left.load(Ordering::SeqCst)
    }
}

impl<T> Done<T> {
    /// A result with nothing else.
    pub(super) const fn with(result: T) -> Self {
        Self { result, rest: None, can_wait: true }
    }
}

impl Threads {
    /// Threads of a host that decides often.
    pub(super) fn alert() -> Self {
        // With one core only one side can look.
        let alertness =
            if thread::available_parallelism().is_ok_and(|cores| cores.get() > 1) { ALERT } else { Duration::ZERO };
        Self { alertness, ..Self::default() }
    }

    /// Starts a thread that does `job` and is then one of those that wait for work. Without a further thread it is not
    /// done, and whatever it would have sent to somebody ends.
    pub(super) fn begin(&self, job: impl FnOnce() + Send + 'static) {
        let Ok(thread) = start(self.alertness) else { return };
        if thread.send(Box::new(job)).is_ok() {
            self.idle().push(thread);
        }
    }

    /// Runs `work` on a thread that has no other work, and waits for it.
    ///
    /// # Errors
    /// Those of [`run_all`](Self::run_all).
    pub(super) fn run<T: Send + 'static>(
        &self,
        patience: WorkPatience,
        interrupt: impl Fn(),
        work: impl FnOnce(Waiter) -> T + Send + 'static,
    ) -> Result<T, Fault> {
        let work = Box::new(|waiter| Done::with(work(waiter)));
        self.run_all(vec![Task { patience, work }], interrupt).pop().unwrap_or_else(|| Err(panicked()))
    }

    /// Runs the tasks one after the other, on a thread that has no other work, and waits for them. Each has its own
    /// patience; a further thread goes on after one that had to be given up. Returns the results in the same order.
    ///
    /// Calls `interrupt` when a task's time is over, at each [`limits::EPOCH_TICK`] from then on, and once more after it
    /// was given up. There is no clock but this waiting thread.
    ///
    /// # Errors
    /// A [`FaultKind::Panic`] of a task that panicked; a [`FaultKind::Deadline`] of one that did not return, and whose
    /// thread was given up. A [`FaultKind::Limit`], with nothing done, when [`limits::ABANDONED_THREADS`] are given up
    /// already.
    pub(super) fn run_all<T: Send + 'static>(
        &self,
        tasks: Vec<Task<T>>,
        interrupt: impl Fn(),
    ) -> Vec<Result<T, Fault>> {
        let count = tasks.len();
        let (mut tasks, mut results) = (VecDeque::from(tasks), Vec::with_capacity(count));
        while let Some(task) = tasks.front() {
            if self.abandoned.load(Ordering::SeqCst) >= limits::ABANDONED_THREADS {
                results.extend(tasks.drain(..).map(|_| Err(too_many_abandoned())));
                break;
            }
            let present = PresentTask::of(task);
            let shift = Arc::new(Shift::new(ShiftState { tasks, results, present }));
            let ended = self.have_done(&shift, &interrupt);
            let mut progress = shift.progress();
            (tasks, results) = (std::mem::take(&mut progress.tasks), std::mem::take(&mut progress.results));
            drop(progress);
            match ended {
                Ok(()) => results.extend(tasks.drain(..).map(|_| Err(panicked()))),
                Err(ShiftEnd::GivenUp(fault)) => results.push(Err(fault)),
                Err(ShiftEnd::NoThread(fault)) => results.extend(tasks.drain(..).map(|_| Err(fault.clone()))),
            }
        }
        results.resize_with(count, || Err(panicked()));
        results
    }

    /// Has a thread do the tasks, up to one that must be given up.
    fn have_done<T: Send + 'static>(&self, shift: &Arc<Shift<T>>, interrupt: &impl Fn()) -> Result<(), ShiftEnd> {
        // Worker and waiting thread both set it when they leave; the second one sees that the other is gone.
        let left = Arc::new(AtomicBool::new(false));
        let waiter = Waiter { left: Arc::clone(&left) };
        let leaving = Leaving { shift: Arc::clone(shift), waiter, abandoned: Arc::clone(&self.abandoned) };
        let later = if self.alertness.is_zero() { LATER } else { 0 };
        let work = Box::new(move || leaving.shift.work(&leaving.waiter, later));
        let thread = self.hand_over(work).map_err(ShiftEnd::NoThread)?;
        let Err(patience) = shift.wait(self.alertness, interrupt) else {
            self.idle().push(thread);
            return Ok(());
        };
        self.abandoned.fetch_add(1, Ordering::SeqCst);
        if left.swap(true, Ordering::SeqCst) {
            self.abandoned.fetch_sub(1, Ordering::SeqCst);
        }
        // Now it sees that nobody waits, however late it began.
        interrupt();
        let patience = patience.time.saturating_add(patience.grace);
        let message = format!("it did not come back within {patience:?} and was given up");
        Err(ShiftEnd::GivenUp(Fault::new(FaultKind::Deadline, message)))
    }

    /// Gives the job to an idle thread, or to a new one when none is idle.
    fn hand_over(&self, mut job: Job) -> Result<mpsc::Sender<Job>, Fault> {
        while let Some(thread) = self.idle().pop() {
            match thread.send(job) {
                Ok(()) => return Ok(thread),
                Err(mpsc::SendError(back)) => job = back,
            }
        }
        let thread = start(self.alertness)?;
        thread.send(job).map_err(|_| panicked())?;
        Ok(thread)
    }

    fn idle(&self) -> MutexGuard<'_, Vec<mpsc::Sender<Job>>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl PresentTask {
    fn of<T>(task: &Task<T>) -> Self {
        Self { patience: task.patience, since: Instant::now(), has_begun: false, is_given_up: false }
    }
}

impl<T> Shift<T> {
    fn new(progress: ShiftState<T>) -> Self {
        let shortest = progress.tasks.iter().map(|task| task.patience.time).min().unwrap_or_default();
        let (caller, progress) = (thread::current(), Mutex::new(progress));
        Self { caller, shortest, progress, is_over: AtomicBool::new(false) }
    }

    fn progress(&self) -> MutexGuard<'_, ShiftState<T>> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does the tasks, on the thread that they were handed over to. Drops all rests but `later` that can wait before the next.
    fn work(&self, waiter: &Waiter, later: usize) {
        let mut rests = VecDeque::with_capacity(later.saturating_add(1));
        while let Some(work) = self.begin() {
            let done = panic::catch_unwind(AssertUnwindSafe(|| work(waiter.clone())));
            let (result, rest, most) = match done {
                Ok(Done { result, rest, can_wait }) => (Ok(result), rest, if can_wait { later } else { 0 }),
                Err(_) => (Err(panicked()), None, later),
            };
            self.note(result);
            rests.push_back(rest);
            while rests.len() > most {
                clear_away(rests.pop_front().flatten());
            }
        }
        rests.into_iter().for_each(clear_away);
    }

    /// The next task; `None` when there is none, or nobody waits any more.
    fn begin(&self) -> Option<TaskWork<T>> {
        let mut progress = self.progress();
        if progress.present.is_given_up {
            return None;
        }
        let task = progress.tasks.pop_front()?;
        progress.present = PresentTask { has_begun: true, ..PresentTask::of(&task) };
        Some(task.work)
    }

    /// Notes a result, unless nobody waits for it. The caller is woken for the last one alone.
    fn note(&self, result: Result<T, Fault>) {
        let mut progress = self.progress();
        if progress.present.is_given_up {
            return;
        }
        progress.results.push(result);
        if let Some(next) = progress.tasks.front() {
            progress.present = PresentTask::of(next);
            return;
        }
        self.is_over.store(true, Ordering::SeqCst);
        drop(progress);
        self.caller.unpark();
    }

    /// Waits until nothing more is done; interrupts a task when its time is over.
    ///
    /// # Errors
    /// The patience with a task that did not come back.
    fn wait(&self, alertness: Duration, interrupt: &impl Fn()) -> Result<(), WorkPatience> {
        look(alertness, || self.is_over.load(Ordering::SeqCst).then_some(()));
        // The task whose time is over, by its number, and since when that is known here.
        let mut overdue: Option<(usize, Instant)> = None;
        while !self.is_over.load(Ordering::SeqCst) {
            let mut progress = self.progress();
            let (number, patience) = (progress.results.len(), progress.present.patience);
            let mut pause = patience.time.saturating_sub(progress.present.since.elapsed());
            if pause.is_zero() && !self.is_over.load(Ordering::SeqCst) {
                let (_, since) = *overdue.take_if(|(task, _)| *task == number).get_or_insert((number, Instant::now()));
                let Some(left) = patience.grace.checked_sub(since.elapsed()) else {
                    progress.give_up();
                    return Err(patience);
                };
                overdue = Some((number, since));
                interrupt();
                pause = left.min(limits::EPOCH_TICK);
            }
            drop(progress);
            thread::park_timeout(pause.min(self.shortest.max(limits::EPOCH_TICK)));
        }
        Ok(())
    }
}

impl<T> ShiftState<T> {
    /// Nobody waits for the present task any more, whether it has begun or not.
    fn give_up(&mut self) {
        self.present.is_given_up = true;
        if !self.present.has_begun {
            self.tasks.pop_front();
        }
    }
}

impl<T> Drop for Leaving<T> {
    fn drop(&mut self) {
        if self.waiter.left.swap(true, Ordering::SeqCst) {
            self.abandoned.fetch_sub(1, Ordering::SeqCst);
        }
        if !self.shift.is_over.swap(true, Ordering::SeqCst) {
            self.shift.caller.unpark();
        }
    }
}

/// Drops the rest of a task. A panic there is one that nobody waits for.
fn clear_away(rest: Option<Box<dyn Send>>) {
    let _ = panic::catch_unwind(AssertUnwindSafe(|| drop(rest)));
}

/// Starts a thread that works until its sender is dropped.
fn start(alertness: Duration) -> Result<mpsc::Sender<Job>, Fault> {
    let (sender, jobs) = mpsc::channel::<Job>();
    let thread = thread::Builder::new().name(EVALUATION_THREAD.to_owned()).stack_size(limits::THREAD_STACK);
    let next = move || look(alertness, || jobs.try_recv().ok()).or_else(|| jobs.recv().ok());
    let spawned = thread.spawn(move || {
        pages::ask_for_heap();
        std::iter::from_fn(next).for_each(|job| job());
    });
    spawned.map(|_| sender).map_err(|error| room::fault(FaultKind::Limit, "a thread to evaluate on", error))
}

/// Looks for something for a while, and lets other threads run in between.
fn look<T>(time: Duration, mut look: impl FnMut() -> Option<T>) -> Option<T> {
    if time.is_zero() {
        return None;
    }
    let begin = Instant::now();
    loop {
        match look() {
            None if begin.elapsed() < time => thread::yield_now(),
            found => return found,
        }
    }
}

#[cfg(test)]
mod tests;
