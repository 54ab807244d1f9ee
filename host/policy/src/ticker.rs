//! The clock of the sandbox: advances the epoch while a host exists.

use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use wasmtime::Engine;

use smcp_model::limits::EPOCH_TICK;
use smcp_model::number;

/// Advances an engine's epoch until it is dropped.
#[derive(Debug)]
pub(super) struct Ticker {
    // Dropping the sender ends the thread.
    _running: mpsc::Sender<()>,
}

impl Ticker {
    /// Starts ticking.
    ///
    /// # Errors
    /// When the system gives no thread. There is no host without a ticker: deadlines would never pass.
    pub(super) fn start(engine: &Engine) -> std::io::Result<Self> {
        let (running, stopped) = mpsc::channel();
        let engine = engine.weak();
        thread::Builder::new().name("epoch".to_owned()).spawn(move || {
            let start = Instant::now();
            let mut epoch = 0;
            while stopped.recv_timeout(EPOCH_TICK) == Err(mpsc::RecvTimeoutError::Timeout) {
                let Some(engine) = engine.upgrade() else { return };
                // By the clock and not by counting naps: a thread that was held up catches up.
                let due = ticks(start.elapsed());
                for _ in epoch..due {
                    engine.increment_epoch();
                }
                epoch = due;
            }
        })?;
        Ok(Self { _running: running })
    }
}

/// How many ticks `time` takes, at least one.
pub(super) fn ticks(time: Duration) -> u64 {
    number::fitting(time.as_nanos().div_ceil(EPOCH_TICK.as_nanos())).max(1)
}
