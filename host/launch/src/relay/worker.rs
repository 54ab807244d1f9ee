//! A thread whose end can be waited for beside other descriptors.

use std::io;
use std::io::PipeReader;
use std::io::pipe;
use std::os::fd::AsFd as _;
use std::os::fd::BorrowedFd;
use std::thread::Builder;
use std::thread::JoinHandle;
use std::time::Instant;

use crate::relay::descriptor::hung_up;

/// A running thread. Dropping the value does not stop the thread.
#[derive(Debug)]
pub(super) struct Worker<T> {
    thread: JoinHandle<T>,
    ended: PipeReader,
}

impl<T: Send + 'static> Worker<T> {
    pub(super) fn start(name: &str, work: impl FnOnce() -> T + Send + 'static) -> io::Result<Self> {
        let (ended, alive) = pipe()?;
        let thread = Builder::new().name(name.to_owned()).spawn(move || {
            // Closed when the work is done, and when it panics.
            let _alive = alive;
            work()
        })?;
        Ok(Self { thread, ended })
    }

    /// A descriptor that hangs up when the thread has ended.
    pub(super) fn ended(&self) -> BorrowedFd<'_> {
        self.ended.as_fd()
    }

    /// Waits for the result; `None` if the thread panicked.
    pub(super) fn join(self) -> Option<T> {
        self.thread.join().ok()
    }

    /// Waits for the thread's end, but not longer than `until`.
    pub(super) fn join_until(self, until: Instant) {
        if hung_up(self.ended(), until) {
            self.join();
        }
    }
}
