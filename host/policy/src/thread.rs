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
use std::thread;
use std::time::Duration;

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

impl Threads {
    /// Runs `work` on a thread that has no other work, and waits for it, at most `patience`.
    ///
    /// # Errors
    /// A [`FaultKind::Panic`] when it panicked; a [`FaultKind::Deadline`] when it did not return, and its thread was
    /// given up. A [`FaultKind::Limit`], with nothing done, when [`limits::ABANDONED_THREADS`] are given up already.
    pub(super) fn run<T: Send + 'static>(
        &self,
        patience: Duration,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Fault> {
        if self.abandoned.load(Ordering::SeqCst) >= limits::ABANDONED_THREADS {
            return Err(too_many_abandoned());
        }
        let (sender, receiver) = mpsc::channel();
        // Worker and waiting thread both set it when they leave; the second one sees that the other is gone.
        let left = Arc::new(AtomicBool::new(false));
        let (worker_left, abandoned) = (Arc::clone(&left), Arc::clone(&self.abandoned));
        let thread = self.hand_over(Box::new(move || {
            let result = panic::catch_unwind(AssertUnwindSafe(work));
            if worker_left.swap(true, Ordering::SeqCst) {
                abandoned.fetch_sub(1, Ordering::SeqCst);
            }
            // The receiver may have given up; then the result is dropped.
            let _ = sender.send(result);
        }))?;
        match receiver.recv_timeout(patience) {
            Ok(result) => {
                self.idle().push(thread);
                result.map_err(|_| panicked())
            }
            Err(mpsc::RecvTimeoutError::Disconnected) => Err(panicked()),
            Err(mpsc::RecvTimeoutError::Timeout) => {
                self.abandoned.fetch_add(1, Ordering::SeqCst);
                if left.swap(true, Ordering::SeqCst) {
                    self.abandoned.fetch_sub(1, Ordering::SeqCst);
                }
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
        let fault = Threads::default().run(Duration::from_secs(60), || -> () { panic!("planted") }).unwrap_err();
        assert_eq!(fault.kind, FaultKind::Panic);
    }

    /// The panic hook recognises these threads by their name, and does not report a panic a second time.
    #[test]
    fn work_is_done_on_a_thread_of_the_agreed_name() {
        let name =
            Threads::default().run(Duration::from_secs(60), || thread::current().name().map(str::to_owned)).unwrap();
        assert_eq!(name.as_deref(), Some(EVALUATION_THREAD));
    }

    #[test]
    fn work_that_hangs_is_given_up() {
        let (_keep, forever) = mpsc::channel::<()>();
        let fault = Threads::default().run(Duration::from_millis(20), move || forever.recv()).unwrap_err();
        assert_eq!(fault.kind, FaultKind::Deadline);
    }

    #[test]
    fn threads_that_hang_are_counted_until_they_come_back() {
        let threads = Threads::default();
        let hung: Vec<_> = (0..limits::ABANDONED_THREADS)
            .map(|_| {
                let (release, forever) = mpsc::channel::<()>();
                let fault = threads.run(Duration::from_millis(1), move || forever.recv()).unwrap_err();
                assert_eq!(fault.kind, FaultKind::Deadline);
                release
            })
            .collect();
        let fault = threads.run(Duration::from_secs(60), || ()).unwrap_err();
        assert_eq!(fault.kind, FaultKind::Limit);
        let message = format!("it was not called: {} calls into policies did not come back", limits::ABANDONED_THREADS);
        assert!(fault.message.as_str().starts_with(&message), "{fault:?}");
        drop(hung);
        while threads.abandoned.load(Ordering::SeqCst) > 0 {
            thread::yield_now();
        }
        threads.run(Duration::from_secs(60), || ()).unwrap();
    }

    #[test]
    fn a_thread_serves_again_unless_it_was_given_up() {
        let threads = Threads::default();
        let here = || thread::current().id();
        let first = threads.run(Duration::from_secs(60), here).unwrap();
        assert_eq!(threads.run(Duration::from_secs(60), here).unwrap(), first);
        let (_keep, forever) = mpsc::channel::<()>();
        threads.run(Duration::from_millis(20), move || forever.recv()).unwrap_err();
        assert_ne!(threads.run(Duration::from_secs(60), here).unwrap(), first);
    }
}
