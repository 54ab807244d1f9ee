//! Runs work on separate threads, and gives up work that does not return.
//!
//! Their stacks are bounded, and panics on them are caught.

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

impl Threads {
    /// Runs `work` on a thread that has no other work, and waits for it.
    ///
    /// Calls `interrupt` when the work's time is over, at each [`limits::EPOCH_TICK`] from then on, and once more after the
    /// work was given up. There is no clock but this waiting thread.
    ///
    /// # Errors
    /// A [`FaultKind::Panic`] when it panicked; a [`FaultKind::Deadline`] when it did not return, and its thread was
    /// given up. A [`FaultKind::Limit`], with nothing done, when [`limits::ABANDONED_THREADS`] are given up already.
    pub(super) fn run<T: Send + 'static>(
        &self,
        patience: WorkPatience,
        interrupt: impl Fn(),
        work: impl FnOnce(Waiter) -> T + Send + 'static,
    ) -> Result<T, Fault> {
        if self.abandoned.load(Ordering::SeqCst) >= limits::ABANDONED_THREADS {
            return Err(too_many_abandoned());
        }
        let (sender, receiver) = mpsc::channel();
        // Worker and waiting thread both set it when they leave; the second one sees that the other is gone.
        let left = Arc::new(AtomicBool::new(false));
        let waiter = Waiter { left: Arc::clone(&left) };
        let (worker_left, abandoned) = (Arc::clone(&left), Arc::clone(&self.abandoned));
        let thread = self.hand_over(Box::new(move || {
            let result = panic::catch_unwind(AssertUnwindSafe(|| work(waiter)));
            if worker_left.swap(true, Ordering::SeqCst) {
                abandoned.fetch_sub(1, Ordering::SeqCst);
            }
            // The receiver may have given up; then the result is dropped.
            let _ = sender.send(result);
        }))?;
        match wait(&receiver, patience, &interrupt) {
            Ok(result) => {
                self.idle().push(thread);
                result.map_err(|_| panicked())
            }
            Err(RecvTimeoutError::Disconnected) => Err(panicked()),
            Err(RecvTimeoutError::Timeout) => {
                self.abandoned.fetch_add(1, Ordering::SeqCst);
                if left.swap(true, Ordering::SeqCst) {
                    self.abandoned.fetch_sub(1, Ordering::SeqCst);
                }
                // Now it sees that nobody waits, however late it began.
                interrupt();
                let patience = patience.time.saturating_add(patience.grace);
                let message = format!("it did not come back within {patience:?} and was given up");
                Err(Fault::new(FaultKind::Deadline, message))
            }
        }
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
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_a_fault() {
        let fault = Threads::default()
            .run(WorkPatience::of(Duration::from_secs(60)), || (), |_| -> () { panic!("planted") })
            .unwrap_err();
        assert_eq!(fault.kind, FaultKind::Panic);
    }

    /// The panic hook recognises these threads by their name, and does not report a panic a second time.
    #[test]
    fn work_is_done_on_a_thread_of_the_agreed_name() {
        let name = Threads::default()
            .run(WorkPatience::of(Duration::from_secs(60)), || (), |_| thread::current().name().map(str::to_owned))
            .unwrap();
        assert_eq!(name.as_deref(), Some(EVALUATION_THREAD));
    }

    #[test]
    fn work_that_hangs_is_given_up() {
        let (_keep, forever) = mpsc::channel::<()>();
        let fault = Threads::default()
            .run(WorkPatience::of(Duration::from_millis(20)), || (), move |_| forever.recv())
            .unwrap_err();
        assert_eq!(fault.kind, FaultKind::Deadline);
    }

    #[test]
    fn threads_that_hang_are_counted_until_they_come_back() {
        let threads = Threads::default();
        let hung: Vec<_> = (0..limits::ABANDONED_THREADS)
            .map(|_| {
                let (release, forever) = mpsc::channel::<()>();
                let fault = threads
                    .run(WorkPatience::of(Duration::from_millis(1)), || (), move |_| forever.recv())
                    .unwrap_err();
                assert_eq!(fault.kind, FaultKind::Deadline);
                release
            })
            .collect();
        let fault = threads.run(WorkPatience::of(Duration::from_secs(60)), || (), |_| ()).unwrap_err();
        assert_eq!(fault.kind, FaultKind::Limit);
        let message = format!("it was not called: {} calls into policies did not come back", limits::ABANDONED_THREADS);
        assert!(fault.message.as_str().starts_with(&message), "{fault:?}");
        drop(hung);
        while threads.abandoned.load(Ordering::SeqCst) > 0 {
            thread::yield_now();
        }
        threads.run(WorkPatience::of(Duration::from_secs(60)), || (), |_| ()).unwrap();
    }

    #[test]
    fn a_thread_serves_again_unless_it_was_given_up() {
        let threads = Threads::default();
        let here = |_: Waiter| thread::current().id();
        let first = threads.run(WorkPatience::of(Duration::from_secs(60)), || (), here).unwrap();
        assert_eq!(threads.run(WorkPatience::of(Duration::from_secs(60)), || (), here).unwrap(), first);
        let (_keep, forever) = mpsc::channel::<()>();
        threads.run(WorkPatience::of(Duration::from_millis(20)), || (), move |_| forever.recv()).unwrap_err();
        assert_ne!(threads.run(WorkPatience::of(Duration::from_secs(60)), || (), here).unwrap(), first);
    }

    /// Work that looks whether it should stop is told so at the end of its time, and does not wait for the end of the
    /// caller's patience.
    #[test]
    fn work_is_interrupted_when_its_time_is_over() {
        let (interrupt, interrupted) = mpsc::channel();
        let patience = WorkPatience { time: Duration::from_millis(5), grace: Duration::from_secs(60) };
        let interrupt = || interrupt.send(()).unwrap_or_default();
        Threads::default().run(patience, interrupt, move |_| interrupted.recv().unwrap()).unwrap();
    }

    /// A thread that the system lets begin late would otherwise run for ever: nobody interrupts it afterwards.
    #[test]
    fn work_that_begins_after_it_was_given_up_is_told() {
        let (release, held) = mpsc::channel::<()>();
        let (report, told) = mpsc::channel();
        let last = Arc::new(AtomicBool::new(false));
        let seen = Arc::clone(&last);
        let work = move |waiter: Waiter| {
            held.recv().unwrap_err();
            report.send((waiter.has_left(), seen.load(Ordering::SeqCst))).unwrap();
        };
        let interrupt = || last.store(true, Ordering::SeqCst);
        Threads::default().run(WorkPatience::of(Duration::from_millis(1)), interrupt, work).unwrap_err();
        drop(release);
        assert_eq!(told.recv().unwrap(), (true, true));
    }
}
