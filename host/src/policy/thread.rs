//! Work on a thread of its own, given up when it does not come back.
//!
//! Its stack is bounded, and its panics are caught.

use std::panic::{self, AssertUnwindSafe};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use crate::model::limits;
use crate::model::policy::EVALUATION_THREAD;
use crate::model::verdict::Fault;
use crate::model::verdict::FaultKind;

/// Runs `work` on its own thread and waits for it, at most `patience`.
///
/// # Errors
/// A [`FaultKind::Panic`] when it panicked, a [`FaultKind::Deadline`] when it did not come back: its thread is then
/// left to itself, which a process that ends anyway can afford.
pub(super) fn run<T: Send + 'static>(
    patience: Duration,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Fault> {
    let (sender, receiver) = mpsc::channel();
    let thread = thread::Builder::new().name(EVALUATION_THREAD.to_owned()).stack_size(limits::THREAD_STACK);
    let spawned = thread.spawn(move || {
        // The receiver may have given up; then nobody wants the result.
        let _ = sender.send(panic::catch_unwind(AssertUnwindSafe(work)));
    });
    if let Err(error) = spawned {
        return Err(Fault::new(FaultKind::Limit, format!("the system gave no thread to evaluate on: {error}")));
    }
    match receiver.recv_timeout(patience) {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(_)) | Err(mpsc::RecvTimeoutError::Disconnected) => {
            Err(Fault::new(FaultKind::Panic, "smcp itself failed while evaluating the policy")
                .remedy("please report it, with the policy's file; SECURITY.md says where"))
        }
        Err(mpsc::RecvTimeoutError::Timeout) => {
            Err(Fault::new(FaultKind::Deadline, format!("it did not come back within {patience:?} and was given up")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_a_fault() {
        let fault = run(Duration::from_secs(60), || -> () { panic!("planted") }).unwrap_err();
        assert_eq!(fault.kind, FaultKind::Panic);
    }

    /// By this name the hook of panics knows that nobody has to hear of one twice.
    #[test]
    fn work_is_done_on_a_thread_of_the_agreed_name() {
        let name = run(Duration::from_secs(60), || thread::current().name().map(str::to_owned)).unwrap();
        assert_eq!(name.as_deref(), Some(EVALUATION_THREAD));
    }

    #[test]
    fn work_that_hangs_is_given_up() {
        let (_keep, forever) = mpsc::channel::<()>();
        let fault = run(Duration::from_millis(20), move || forever.recv()).unwrap_err();
        assert_eq!(fault.kind, FaultKind::Deadline);
    }
}
